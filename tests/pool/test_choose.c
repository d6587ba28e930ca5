#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "pool/choose.h"

#include "accounts.h"

struct fixture {
	struct account accounts[4];
	struct candidate c[4];
	struct choose_params p;
};

static void
fixture_init(struct fixture *f)
{
	size_t i;

	*f = (struct fixture) { 0 };
	for (i = 0; i < 4; i++) {
		f->accounts[i] = acct((int64_t)i + 1);
		f->c[i].account = &f->accounts[i];
	}
	f->p = (struct choose_params) {
		.candidates = f->c,
		.n = 4,
		.bind_kind = "pool",
		.family = "sonnet",
		.needs_slot = true,
		.now_ms = NOW,
	};
}

static int64_t
picked(struct fixture *f)
{
	struct choice out;

	choose(&f->p, false, &out);
	if (out.result != CHOICE_PICKED)
		return (-(int64_t)out.result);
	return (f->c[out.index].account->id);
}

static void
those_that_cannot_serve_are_passed_over(void **state)
{
	struct fixture f;
	const int64_t tried[] = { 1, 2 };

	(void)state;
	fixture_init(&f);
	assert_int_equal(picked(&f), 1);
	f.accounts[0].enabled = false;
	assert_int_equal(picked(&f), 2);
	f.c[1].in_use = 2;
	assert_int_equal(picked(&f), 3);
	f.accounts[2].secret = NULL;
	assert_int_equal(picked(&f), 4);
	f.accounts[3].cooldowns = &parked_now;
	f.accounts[3].ncooldowns = 1;
	assert_int_equal(picked(&f), -CHOICE_BUSY);
	f.p.needs_slot = false;
	assert_int_equal(picked(&f), 2);
	f.p.tried = tried;
	f.p.ntried = 2;
	assert_int_equal(picked(&f), -CHOICE_PARKED);
	f.accounts[3].cooldowns = &parked_once;
	assert_int_equal(picked(&f), 4);
	f.p.platform = "openai";
	assert_int_equal(picked(&f), -CHOICE_NONE);
}

static void
a_family_is_parked_alone(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.p.n = 1;
	f.accounts[0].cooldowns = &parked_opus;
	f.accounts[0].ncooldowns = 1;
	assert_int_equal(picked(&f), 1);
	f.p.family = "opus";
	assert_int_equal(picked(&f), -CHOICE_PARKED);
}

static void
bindings_bind(void **state)
{
	static const struct {
		const char *kind;
		int64_t id;
		int64_t want;
	} cases[] = {
		{ "pool", 0, 1 },
		{ "group", 1, 1 },
		{ "group", 2, 3 },
		{ "group", 9, -CHOICE_NONE },
		{ "account", 4, 4 },
		{ "account", 9, -CHOICE_NONE },
	};
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fixture_init(&f);
		f.accounts[2].group_id = 2;
		f.p.bind_kind = cases[i].kind;
		f.p.bind_id = cases[i].id;
		assert_int_equal(picked(&f), cases[i].want);
	}
}

static void
priority_goes_before_everything(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.accounts[3].priority = 10;
	f.accounts[3].weight = 1;
	f.c[3].in_use = 1;
	assert_int_equal(picked(&f), 4);
	f.c[3].in_use = 2;
	assert_int_equal(picked(&f), 1);
}

/* Lease and give back at once, ${n} times; count who served. */
static void
serve(struct fixture *f, int n, int counts[4])
{
	struct choice out;

	memset(counts, 0, 4 * sizeof(counts[0]));
	while (n-- > 0) {
		choose(&f->p, false, &out);
		assert_int_equal(out.result, CHOICE_PICKED);
		f->c[out.index].pass = out.pass;
		counts[out.index]++;
	}
}

static void
weights_share_smoothly(void **state)
{
	struct fixture f;
	int counts[4];

	(void)state;
	fixture_init(&f);
	f.accounts[0].weight = 400;
	f.accounts[1].weight = 300;
	f.accounts[2].weight = 200;
	f.accounts[3].weight = 100;
	serve(&f, 1000, counts);
	assert_in_range(counts[0], 399, 401);
	assert_in_range(counts[1], 299, 301);
	assert_in_range(counts[2], 199, 201);
	assert_in_range(counts[3], 99, 101);

	/* Also in a short run: nobody goes three times in a row. */
	serve(&f, 10, counts);
	assert_in_range(counts[0], 3, 5);
	assert_in_range(counts[3], 0, 2);
}

static void
who_was_away_does_not_catch_up(void **state)
{
	struct fixture f;
	int counts[4];

	(void)state;
	fixture_init(&f);
	f.p.n = 2;
	f.accounts[1].enabled = false;
	serve(&f, 1000, counts);
	assert_int_equal(counts[0], 1000);
	f.accounts[1].enabled = true;
	serve(&f, 10, counts);
	assert_in_range(counts[1], 5, 6);
}

static void
weighted_leans_to_the_idle(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.p.n = 2;
	f.accounts[0].concurrency = f.accounts[1].concurrency = 100;
	f.c[0].in_use = 10;
	assert_int_equal(picked(&f), 2);
}

static void
least_connections_counts_connections(void **state)
{
	static const struct {
		int64_t in_use[4];
		int weight[4];
		int64_t pass[4];
		int64_t want;
	} cases[] = {
		{ { 3, 2, 1, 2 }, { 100, 100, 100, 100 }, { 0 }, 3 },
		{ { 3, 2, 2, 3 }, { 100, 100, 100, 100 }, { 0 }, 2 },
		{ { 3, 2, 2, 3 }, { 100, 100, 100, 100 },
		    { 0, 90000000, 0, 0 }, 3 },
		{ { 3, 2, 2, 3 }, { 400, 100, 100, 100 }, { 0 }, 1 },
	};
	struct fixture f;
	size_t i, j;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fixture_init(&f);
		f.p.strategy = "least_connections";
		for (j = 0; j < 4; j++) {
			f.accounts[j].concurrency = 10;
			f.accounts[j].weight = cases[i].weight[j];
			f.c[j].in_use = cases[i].in_use[j];
			f.c[j].pass = cases[i].pass[j];
		}
		assert_int_equal(picked(&f), cases[i].want);
	}
}

static void
round_robin_takes_turns(void **state)
{
	struct fixture f;
	struct choice out;
	int64_t turn, want[] = { 1, 2, 3, 4, 1, 2, 4, 3, 1, 2 };
	size_t i;

	(void)state;
	fixture_init(&f);
	f.p.strategy = "round_robin";
	f.accounts[0].weight = 1;
	f.accounts[3].weight = 900;
	for (i = 0, turn = 1; i < NITEMS(want); i++, turn++) {
		f.accounts[2].enabled = i != 6;
		choose(&f.p, false, &out);
		assert_int_equal(out.result, CHOICE_PICKED);
		assert_int_equal(f.accounts[out.index].id, want[i]);
		f.c[out.index].turn = turn;
	}
}

static void
response_time_counts_with_load(void **state)
{
	static const struct {
		int64_t first_byte_ms[4];
		int64_t age_ms;
		int64_t in_use[4];
		int weight[4];
		int64_t want;
	} cases[] = {
		/* the fastest */
		{ { 900, 700, 400, 800 }, 0, { 0 }, { 100, 100, 100, 100 },
		    3 },
		/* unless it has too much to do */
		{ { 900, 700, 400, 800 }, 0, { 0, 0, 1, 0 },
		    { 100, 100, 100, 100 }, 2 },
		{ { 900, 700, 400, 800 }, 0, { 1, 0, 1, 1 },
		    { 100, 100, 100, 100 }, 2 },
		/* of which nothing is known is as fast as the best */
		{ { 900, 700, 400, 0 }, 0, { 0, 0, 1, 0 },
		    { 100, 100, 100, 100 }, 4 },
		{ { 0, 0, 0, 0 }, 0, { 1, 1, 0, 1 },
		    { 100, 100, 100, 100 }, 3 },
		/* weight counts */
		{ { 900, 900, 900, 900 }, 0, { 0 }, { 100, 400, 100, 300 },
		    2 },
		/* what was slow long ago is tried again: it is next to the
		 * best, which has something to do */
		{ { 9000, 4000, 400, 6000 }, 900000, { 1, 0, 1, 1 },
		    { 100, 100, 100, 100 }, 2 },
	};
	struct fixture f;
	size_t i, j;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fixture_init(&f);
		f.p.strategy = "response_time";
		for (j = 0; j < 4; j++) {
			f.accounts[j].concurrency = 10;
			f.accounts[j].weight = cases[i].weight[j];
			f.c[j].in_use = cases[i].in_use[j];
			f.c[j].health.first_byte_ms =
			    cases[i].first_byte_ms[j];
			f.c[j].health.first_byte_seen_ms =
			    NOW - cases[i].age_ms;
		}
		assert_int_equal(picked(&f), cases[i].want);
	}
}

#define HOUR	INT64_C(3600000)

static const struct share nearly_spent = {
	.seen_ms = NOW, .permille = 20, .reset_ms = NOW + HOUR,
	.window_ms = 5 * HOUR
};

static void
who_is_nearly_spent_goes_last_of_its_priority(void **state)
{
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; choose_strategy(i) != NULL; i++) {
		fixture_init(&f);
		f.p.n = 2;
		f.p.strategy = choose_strategy(i);
		f.c[0].health.share = nearly_spent;
		f.c[1].in_use = 1;
		f.c[1].turn = 1;
		assert_int_equal(picked(&f), 2);

		/* It goes before those of a later priority, ... */
		f.accounts[1].priority = 60;
		assert_int_equal(picked(&f), 1);

		/* it serves if nobody else can, ... */
		f.accounts[1].priority = 50;
		f.c[1].in_use = 2;
		assert_int_equal(picked(&f), 1);

		/* and is as the others once its limit is renewed. */
		f.c[1].in_use = 1;
		f.p.now_ms = NOW + HOUR;
		assert_int_equal(picked(&f), 1);
	}
}

static void
what_would_reset_unused_is_preferred(void **state)
{
	struct fixture f;
	int counts[4];

	(void)state;
	fixture_init(&f);
	f.p.n = 2;

	/* Half is left, with a quarter of the time; and the other way. */
	f.c[0].health.share = (struct share) { .seen_ms = NOW,
		.permille = 500, .reset_ms = NOW + HOUR,
		.window_ms = 4 * HOUR };
	f.c[1].health.share = (struct share) { .seen_ms = NOW,
		.permille = 500, .reset_ms = NOW + 4 * HOUR,
		.window_ms = 4 * HOUR };
	serve(&f, 500, counts);
	assert_in_range(counts[0], 399, 401);
	assert_in_range(counts[1], 99, 101);
}

static void
a_session_goes_home(void **state)
{
	static const struct {
		int64_t home, in_use;
		bool patient, parked;
		int64_t want;		/* account, or -result */
		enum choice_home fate;
		const char *trace;
	} cases[] = {
		{ 0, 0, true, false, 1, CHOICE_HOME_NONE, "\"picked\"}" },
		{ 3, 1, false, false, 3, CHOICE_HOME_KEPT,
		    "\"picked\",\"session\":\"kept\"}" },
		{ 3, 2, true, false, -CHOICE_BUSY, CHOICE_HOME_AWAITED,
		    "\"busy\",\"session\":\"awaited\"}" },
		{ 3, 2, false, false, 1, CHOICE_HOME_LEFT,
		    "\"busy\",\"session\":\"left\"}" },
		{ 3, 2, true, true, 1, CHOICE_HOME_LEFT,
		    "\"parked: rate_limited\",\"session\":\"left\"}" },
		{ 9, 0, true, false, 1, CHOICE_HOME_NONE, "\"picked\"}" },
	};
	struct fixture f;
	struct choice out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fixture_init(&f);
		f.p.home = cases[i].home;
		f.p.patient = cases[i].patient;
		f.c[2].in_use = cases[i].in_use;
		f.accounts[2].priority = 60;
		f.accounts[2].cooldowns = &parked_now;
		f.accounts[2].ncooldowns = cases[i].parked;
		choose(&f.p, true, &out);
		assert_int_equal(out.home, cases[i].fate);
		assert_int_equal(out.result == CHOICE_PICKED ?
		    f.accounts[out.index].id : -(int64_t)out.result,
		    cases[i].want);
		assert_non_null(strstr(out.trace, cases[i].trace));
	}
}

/* Two accounts of two slots each, as their breakers and load have them. */
static const struct breaker_case {
	const char *what;
	struct {
		struct cooldown *cd;
		bool off, probed;
		int64_t in_use;
	} a[2];
	bool tried;		/* the first was */
	int64_t want;		/* account, or -result */
	bool probe;
	const char *trace;
} breaker_cases[] = {
	{ "closed", { { NULL, false, false, 0 },
	    { NULL, false, false, 0 } }, false, 1, false,
	    "\"why\":\"picked\"}" },
	{ "a limit that is over needs no probe",
	    { { &limit_over, false, false, 0 },
	    { NULL, false, false, 0 } }, false, 1, false,
	    "\"why\":\"picked\"}" },
	{ "half-open takes its turn as a probe",
	    { { &parked_once, false, false, 1 },
	    { NULL, false, false, 1 } }, false, 1, true,
	    "\"why\":\"picked\",\"probe\":\"error\"}" },
	{ "but not while another probes it",
	    { { &parked_once, false, true, 0 },
	    { NULL, false, false, 0 } }, false, 2, false,
	    "\"account\":1,\"in_use\":0,\"why\":\"probed\"}" },
	{ "which is waited for where nothing else is left",
	    { { &parked_once, false, true, 1 },
	    { NULL, true, false, 0 } }, false, -CHOICE_BUSY, false,
	    "\"probed\"" },
	{ "soft is left out while another is fit",
	    { { &parked_soft, false, false, 0 },
	    { NULL, false, false, 0 } }, false, 2, false,
	    "\"why\":\"parked: overloaded\"}" },
	{ "or busy", { { &parked_soft, false, false, 0 },
	    { NULL, false, false, 2 } }, false, -CHOICE_BUSY, false,
	    "\"busy\"" },
	{ "soft is probed where the other is disabled",
	    { { &parked_soft, false, false, 0 },
	    { NULL, true, false, 0 } }, false, 1, true,
	    "\"probe\":\"overloaded\"" },
	{ "or parked hard", { { &parked_soft, false, false, 0 },
	    { &parked_now, false, false, 0 } }, false, 1, true,
	    "\"probe\":\"overloaded\"" },
	{ "or soft too", { { &parked_soft, false, false, 1 },
	    { &parked_soft, false, false, 0 } }, false, 2, true,
	    "\"account\":2,\"in_use\":0,\"why\":\"picked\","
	    "\"probe\":\"overloaded\"" },
	{ "one each", { { &parked_soft, false, false, 1 },
	    { &parked_soft, false, true, 0 } }, false, 1, true,
	    "\"probed\"" },
	{ "and no more", { { &parked_soft, false, true, 1 },
	    { &parked_soft, false, true, 1 } }, false, -CHOICE_BUSY,
	    false, "\"probed\"" },
	{ "soft and full", { { &parked_soft, false, false, 2 },
	    { &parked_now, false, false, 0 } }, false, -CHOICE_BUSY,
	    false, "\"busy\"" },
	{ "what was tried is not probed",
	    { { &parked_soft, false, false, 0 },
	    { &parked_now, false, false, 0 } }, true, -CHOICE_PARKED,
	    false, "\"tried\"" },
	{ "hard is never probed before its time",
	    { { &parked_now, false, false, 0 },
	    { NULL, true, false, 0 } }, false, -CHOICE_PARKED, false,
	    "\"parked: rate_limited\"" },
	{ "a disabled one never is",
	    { { &parked_soft, true, false, 0 },
	    { &parked_once, true, false, 0 } }, false, -CHOICE_NONE,
	    false, "\"disabled\"" },
};

static void
breaker_fixture(struct fixture *f, const struct breaker_case *c)
{
	static const int64_t tried[] = { 1 };
	size_t k;

	fixture_init(f);
	f->p.n = 2;
	for (k = 0; k < 2; k++) {
		f->accounts[k].cooldowns = c->a[k].cd;
		f->accounts[k].ncooldowns = c->a[k].cd != NULL;
		f->accounts[k].enabled = !c->a[k].off;
		f->c[k].in_use = c->a[k].in_use;
		f->c[k].probed_until_ms = c->a[k].probed ? NOW + 1 : NOW;
	}
	f->p.tried = tried;
	f->p.ntried = c->tried;
}

static void
breakers_let_one_through_at_a_time(void **state)
{
	const struct breaker_case *c;
	struct fixture f;
	struct choice out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(breaker_cases); i++) {
		c = &breaker_cases[i];
		breaker_fixture(&f, c);
		choose(&f.p, true, &out);
		if ((out.result == CHOICE_PICKED ? f.accounts[out.index].id :
		    -(int64_t)out.result) != c->want ||
		    out.probe != c->probe ||
		    strstr(out.trace, c->trace) == NULL)
			fail_msg("%s: %d, %s", c->what, out.result,
			    out.trace);
	}
}

static void
a_session_s_home_may_be_probed_by_it(void **state)
{
	struct fixture f;
	struct choice out;

	(void)state;
	fixture_init(&f);
	f.p.n = 2;
	f.p.home = 2;
	f.accounts[1].cooldowns = &parked_once;
	f.accounts[1].ncooldowns = 1;
	choose(&f.p, false, &out);
	assert_int_equal(out.home, CHOICE_HOME_KEPT);
	assert_true(out.probe);
	f.c[1].probed_until_ms = NOW + 1;
	choose(&f.p, false, &out);
	assert_int_equal(out.home, CHOICE_HOME_LEFT);
	assert_int_equal(f.accounts[out.index].id, 1);
	assert_false(out.probe);
}

/* What clients are told to wait for. */
static void
when_to_come_back_counts_what_was_tried(void **state)
{
	static struct cooldown stated = { .reason = "overloaded",
		.until_ms = NOW + 30000, .soft = true, .stated = true };
	static struct cooldown refused = { .reason = "auth",
		.until_ms = NOW + 1000 };
	static struct cooldown brief = { .reason = "connect",
		.until_ms = NOW + 4000, .soft = true };
	static const struct {
		struct cooldown *first, *second;
		int64_t in_ms;
		int resting;
	} cases[] = {
		{ &parked_now, &parked_now, 60000, 2 },
		{ &parked_now, &parked_soft, 10000, 2 },
		{ &parked_soft, &parked_now, 10000, 2 },
		{ &parked_now, &stated, 30000, 2 },
		{ &brief, &parked_now, 4000, 2 },
		{ &refused, &parked_now, 60000, 2 },
		{ &parked_now, &refused, 60000, 2 },
		{ &refused, &refused, 1000, 2 },
		{ &parked_now, NULL, 60000, 1 },
		{ NULL, NULL, 0, 0 },
	};
	static const int64_t tried[] = { 1, 2 };
	struct fixture f;
	struct choice out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fixture_init(&f);
		f.p.n = 2;
		f.accounts[0].cooldowns = cases[i].first;
		f.accounts[0].ncooldowns = cases[i].first != NULL;
		f.accounts[1].cooldowns = cases[i].second;
		f.accounts[1].ncooldowns = cases[i].second != NULL;
		f.p.tried = tried;
		f.p.ntried = 2;
		choose(&f.p, false, &out);
		assert_int_equal(out.result, CHOICE_NONE);
		assert_int_equal(out.resting, cases[i].resting);
		assert_int_equal(out.heals, out.resting > 0 &&
		    (cases[i].first != &refused ||
		    cases[i].second != &refused));
		assert_int_equal(out.free_ms, cases[i].in_ms == 0 ? 0 :
		    NOW + cases[i].in_ms);
	}
}

static void
only_strategies_with_a_row_are_known(void **state)
{
	size_t i;

	(void)state;
	assert_true(choose_knows("weighted"));
	assert_true(choose_knows("least_connections"));
	assert_true(choose_knows("round_robin"));
	assert_true(choose_knows("response_time"));
	assert_false(choose_knows("random"));
	assert_false(choose_knows(""));
	assert_string_equal(choose_strategy(0), "weighted");
	for (i = 0; choose_strategy(i) != NULL; i++)
		assert_true(choose_knows(choose_strategy(i)));
	assert_int_equal(i, 4);
}

static void
the_first_to_be_free_is_named(void **state)
{
	struct fixture f;
	struct choice out;

	(void)state;
	fixture_init(&f);
	f.p.n = 2;
	f.p.family = "opus";
	f.accounts[0].cooldowns = &parked_now;
	f.accounts[1].cooldowns = &parked_opus;
	f.accounts[0].ncooldowns = f.accounts[1].ncooldowns = 1;
	choose(&f.p, false, &out);
	assert_int_equal(out.result, CHOICE_PARKED);
	assert_int_equal(out.free_ms, parked_opus.until_ms);
	assert_ptr_equal(out.cooldown, &parked_opus);
	assert_int_equal(out.parked, 2);
	assert_int_equal(out.usable, 2);
}

static void
the_trace_is_json_and_names_the_picked_first(void **state)
{
	struct account many[200];
	struct candidate c[200];
	struct choose_params p;
	struct choice out;
	struct fixture f;
	json_t *trace, *last;
	size_t i, n;

	(void)state;
	fixture_init(&f);
	for (n = 1; n <= 200; n++) {
		for (i = 0; i < n; i++) {
			many[i] = acct(INT64_C(1000000000) + (int64_t)i);
			c[i] = (struct candidate) { .account = &many[i],
				.in_use = 1 };
		}
		many[n - 1].priority = 1;
		if (n > 3) {
			many[2].cooldowns = &parked_now;
			many[2].ncooldowns = 1;
		}
		p = f.p;
		p.candidates = c;
		p.n = n;
		choose(&p, true, &out);
		trace = json_loads(out.trace, 0, NULL);
		assert_non_null(trace);
		assert_string_equal(json_string_value(json_object_get(
		    json_array_get(trace, 0), "why")), "picked");
		assert_int_equal(json_integer_value(json_object_get(
		    json_array_get(trace, 0), "account")),
		    many[n - 1].id);
		last = json_array_get(trace, json_array_size(trace) - 1);
		if (json_object_get(last, "more") != NULL)
			assert_int_equal(json_array_size(trace) - 1 +
			    (size_t)json_integer_value(json_object_get(last,
			    "more")), n);
		else
			assert_int_equal(json_array_size(trace), n);
		if (n == 5)
			assert_non_null(strstr(out.trace,
			    "\"parked: rate_limited\""));
		json_decref(trace);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_that_cannot_serve_are_passed_over),
		cmocka_unit_test(a_family_is_parked_alone),
		cmocka_unit_test(bindings_bind),
		cmocka_unit_test(priority_goes_before_everything),
		cmocka_unit_test(weights_share_smoothly),
		cmocka_unit_test(who_was_away_does_not_catch_up),
		cmocka_unit_test(weighted_leans_to_the_idle),
		cmocka_unit_test(least_connections_counts_connections),
		cmocka_unit_test(round_robin_takes_turns),
		cmocka_unit_test(response_time_counts_with_load),
		cmocka_unit_test(
		    who_is_nearly_spent_goes_last_of_its_priority),
		cmocka_unit_test(what_would_reset_unused_is_preferred),
		cmocka_unit_test(a_session_goes_home),
		cmocka_unit_test(breakers_let_one_through_at_a_time),
		cmocka_unit_test(a_session_s_home_may_be_probed_by_it),
		cmocka_unit_test(when_to_come_back_counts_what_was_tried),
		cmocka_unit_test(only_strategies_with_a_row_are_known),
		cmocka_unit_test(the_first_to_be_free_is_named),
		cmocka_unit_test(the_trace_is_json_and_names_the_picked_first),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
