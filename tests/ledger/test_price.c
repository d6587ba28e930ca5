#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/price.h"
#include "ledger/usage.h"

static void
stars_stand_for_any_run(void **state)
{
	static const struct {
		const char *pattern, *model;
		bool match;
	} cases[] = {
		{ "claude-opus-4-5", "claude-opus-4-5", true },
		{ "claude-opus-4-5", "claude-opus-4-5-20251101", false },
		{ "claude-opus-4-5", "claude-opus-4-", false },
		{ "claude-opus-4-5*", "claude-opus-4-5", true },
		{ "claude-opus-4-5*", "claude-opus-4-5-20251101", true },
		{ "claude-*-4*", "claude-opus-4-1", true },
		{ "claude-*-4*", "claude-opus-5", false },
		{ "*", "", true }, { "*", "x", true }, { "**", "xy", true },
		{ "", "", true }, { "", "x", false }, { "a", "", false },
		{ "*opus", "claude-opus", true },
		{ "*opus", "opus-opus", true },
		{ "*opus", "claude-opus-4", false },
		{ "a*b*c", "a-b-b-c-c", true }, { "a*b*c", "acb", false },
		{ "*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (price_match(cases[i].pattern, cases[i].model) !=
		    cases[i].match)
			fail_msg("\"%s\" on \"%s\"", cases[i].pattern,
			    cases[i].model);
	}
}

/* Prices of one kind are told apart by the input price. */
static struct price rows[] = {
	{ .id = 1, .platform = "claude", .pattern = "claude-sonnet-4*",
	    .input_nusd_mtok = 3000, .output_nusd_mtok = 15000,
	    .cache_read_nusd_mtok = 300, .cache_write_5m_nusd_mtok = 3750,
	    .cache_write_1h_nusd_mtok = 6000, .context_tokens = 1000000 },
	{ .id = 2, .platform = "claude", .pattern = "claude-sonnet-4*",
	    .above_tokens = 200000,
	    .input_nusd_mtok = 6000, .output_nusd_mtok = 22500,
	    .cache_read_nusd_mtok = 600, .cache_write_5m_nusd_mtok = 7500,
	    .cache_write_1h_nusd_mtok = 12000, .context_tokens = 1000000 },
	{ .id = 3, .platform = "claude", .pattern = "claude-sonnet-4-5",
	    .input_nusd_mtok = 2500, .output_nusd_mtok = 12500 },
	{ .id = 4, .platform = "claude", .pattern = "claude-sonnet-4-5*",
	    .input_nusd_mtok = 2600, .output_nusd_mtok = 12600 },
	{ .id = 5, .platform = "claude", .pattern = "claude-haiku",
	    .input_nusd_mtok = 800, .output_nusd_mtok = 4000 },
	{ .id = 6, .platform = "claude", .pattern = "claude-haiku",
	    .valid_from_ms = 5000,
	    .input_nusd_mtok = 1000, .output_nusd_mtok = 5000 },
	{ .id = 7, .platform = "openai", .pattern = "claude-haiku",
	    .input_nusd_mtok = 1, .output_nusd_mtok = 1 },
	{ .id = 8, .platform = "claude", .pattern = "claude-late",
	    .valid_from_ms = 9000, .input_nusd_mtok = 1 },
};
static const struct price_list list = { rows, NITEMS(rows) };

static void
the_fitting_row_is_found(void **state)
{
	static const struct {
		const char *what, *platform, *model;
		int64_t tokens, at_ms;
		int64_t id;		/* 0: none */
	} cases[] = {
		{ "pattern", "claude", "claude-sonnet-4", 10, 0, 1 },
		{ "at the tier's bound", "claude", "claude-sonnet-4", 200000,
		    0, 1 },
		{ "above it", "claude", "claude-sonnet-4", 200001, 0, 2 },
		{ "a name before a pattern", "claude", "claude-sonnet-4-5", 1,
		    0, 3 },
		{ "a longer pattern before a tier", "claude",
		    "claude-sonnet-4-5-20250929", 900000, 0, 4 },
		{ "before a change", "claude", "claude-haiku", 1, 4999, 5 },
		{ "from a change on", "claude", "claude-haiku", 1, 5000, 6 },
		{ "other platform", "openai", "claude-haiku", 1, 9999, 7 },
		{ "not yet valid", "claude", "claude-late", 1, 8999, 0 },
		{ "unknown model", "claude", "gpt", 1, 9999, 0 },
		{ "unknown platform", "x", "claude-haiku", 1, 9999, 0 },
	};
	const struct price *p;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		p = price_find(&list, cases[i].platform, cases[i].model,
		    cases[i].tokens, cases[i].at_ms);
		if ((p == NULL ? 0 : p->id) != cases[i].id)
			fail_msg("%s: row %lld", cases[i].what,
			    p == NULL ? 0LL : (long long)p->id);
	}
}

static void
an_empty_list_prices_nothing(void **state)
{
	const struct price_list none = { NULL, 0 };
	int64_t nusd;

	(void)state;
	assert_null(price_find(&none, "claude", "claude-haiku", 1, 0));
	assert_int_equal(price_worst(&none, "claude", "claude-haiku", 1, 1, 0,
	    &nusd), -1);
}

static void
each_kind_counts_at_its_price_rounded_up(void **state)
{
	const struct price p = {
		.input_nusd_mtok = INT64_C(3000000000),
		.output_nusd_mtok = INT64_C(15000000000),
		.cache_read_nusd_mtok = INT64_C(300000000),
		.cache_write_5m_nusd_mtok = INT64_C(3750000000),
		.cache_write_1h_nusd_mtok = INT64_C(6000000000),
	};
	const struct price odd = { .input_nusd_mtok = 1,
		.output_nusd_mtok = 1000001 };
	const struct {
		const struct price *p;
		struct usage u;
		int64_t nusd;
	} cases[] = {
		{ &p, { 0 }, 0 },
		{ &p, { .input_tokens = 1 }, 3000 },
		{ &p, { .output_tokens = 1000000 }, INT64_C(15000000000) },
		{ &p, { .cache_read_tokens = 7 }, 2100 },
		{ &p, { .cache_write_5m_tokens = 1 }, 3750 },
		{ &p, { .cache_write_1h_tokens = 1 }, 6000 },
		{ &p, { .web_searches = 3 }, 30000000 },
		{ &p, { 1, 1, 1, 1, 1, 1 }, 3000 + 15000 + 300 + 3750 + 6000 +
		    10000000 },
		{ &odd, { .input_tokens = 1 }, 1 },
		{ &odd, { .input_tokens = 1000000 }, 1 },
		{ &odd, { .input_tokens = 1000001 }, 2 },
		{ &odd, { .output_tokens = 1 }, 2 },
		{ &odd, { .output_tokens = 999999 }, 1000000 },
		{ &odd, { .input_tokens = 1, .output_tokens = 1 }, 3 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (price_cost(cases[i].p, &cases[i].u) != cases[i].nusd)
			fail_msg("case %zu gave %lld", i, (long long)
			    price_cost(cases[i].p, &cases[i].u));
	}
}

static void
sums_saturate(void **state)
{
	const struct price p = { .input_nusd_mtok = INT64_MAX,
		.output_nusd_mtok = INT64_MAX };
	const struct usage one = { .input_tokens = 1 };
	const struct usage mtok = { .input_tokens = 1000000 };
	const struct usage more = { .input_tokens = 1000001 };
	const struct usage both = { .input_tokens = 1000000,
		.output_tokens = 1 };
	const struct usage all = { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
		INT64_MAX, INT64_MAX };

	(void)state;
	assert_int_equal(price_cost(&p, &one), INT64_MAX / 1000000 + 1);
	assert_int_equal(price_cost(&p, &mtok), INT64_MAX);
	assert_int_equal(price_cost(&p, &more), INT64_MAX);
	assert_int_equal(price_cost(&p, &both), INT64_MAX);
	assert_int_equal(price_cost(&p, &all), INT64_MAX);
}

/* A small generator, so that a failure can be had again. */
static uint64_t seed = 20261120;

static int64_t
any(int64_t below)
{

	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((int64_t)((seed >> 20) % (uint64_t)below));
}

/* What __int128 says of ${tokens} at ${price}, rounded up. */
static int64_t
by_wide_arithmetic(int64_t tokens, int64_t price)
{
	unsigned __int128 wide = (uint64_t)tokens;

	wide *= (uint64_t)price;
	wide = (wide + 999999) / 1000000;
	return (wide > INT64_MAX ? INT64_MAX : (int64_t)wide);
}

static void
costs_agree_with_wider_arithmetic(void **state)
{
	struct price p = { 0 };
	struct usage u = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		p.input_nusd_mtok = any(INT64_C(1) << (1 + any(62)));
		u.input_tokens = any(INT64_C(1) << (1 + any(62)));
		assert_int_equal(price_cost(&p, &u),
		    by_wide_arithmetic(u.input_tokens, p.input_nusd_mtok));
	}
}

static void
the_worst_case_takes_the_dearest_kind_of_each_tier(void **state)
{
	static const struct {
		const char *what, *model;
		int64_t bytes, max_tokens;
		int64_t nusd;		/* -1: unpriced */
	} cases[] = {
		{ "small body", "claude-sonnet-4", 1000000, 1000000,
		    12000 + 22500 },
		{ "below the tier", "claude-sonnet-4", 200000, 1000000,
		    1200 + 15000 },
		{ "just above it", "claude-sonnet-4", 200001, 1000000,
		    2401 + 22500 },
		{ "no more than the context", "claude-sonnet-4",
		    INT64_C(33554432), 0, 12000 },
		{ "context not known", "claude-sonnet-4-5", 2000000, 0,
		    5000 },
		{ "nothing", "claude-sonnet-4", 0, 0, 0 },
		{ "unpriced", "gpt", 1, 1, -1 },
	};
	int64_t nusd;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		nusd = -1;
		rc = price_worst(&list, "claude", cases[i].model,
		    cases[i].bytes, cases[i].max_tokens, 0, &nusd);
		if (rc != (cases[i].nusd == -1 ? -1 : 0) ||
		    nusd != cases[i].nusd)
			fail_msg("%s: %d, %lld", cases[i].what, rc,
			    (long long)nusd);
	}
}

/* Any split of at most ${tokens} over the kinds of input. */
static void
any_usage(struct usage *u, int64_t tokens, int64_t max_tokens)
{

	u->input_tokens = any(tokens + 1);
	tokens -= u->input_tokens;
	u->cache_read_tokens = any(tokens + 1);
	tokens -= u->cache_read_tokens;
	u->cache_write_5m_tokens = any(tokens + 1);
	tokens -= u->cache_write_5m_tokens;
	u->cache_write_1h_tokens = any(tokens + 1);
	u->output_tokens = any(max_tokens + 1);
	u->web_searches = 0;
}

static void
no_usage_within_bounds_costs_more_than_the_worst_case(void **state)
{
	static const char *const models[] = {
		"claude-sonnet-4", "claude-sonnet-4-5",
		"claude-sonnet-4-5-20250929", "claude-haiku"
	};
	const struct price *p;
	struct usage u;
	const char *model;
	int64_t bytes, max_tokens, worst;
	int i;

	(void)state;
	for (i = 0; i < 50000; i++) {
		model = models[any(NITEMS(models))];
		bytes = any(1000001);
		max_tokens = any(128001);
		any_usage(&u, bytes, max_tokens);
		assert_int_equal(price_worst(&list, "claude", model, bytes,
		    max_tokens, 6000, &worst), 0);
		p = price_find(&list, "claude", model, u.input_tokens +
		    u.cache_read_tokens + u.cache_write_5m_tokens +
		    u.cache_write_1h_tokens, 6000);
		assert_non_null(p);
		/* Rounding up each kind may add one for each of five. */
		assert_true(price_cost(p, &u) <= worst + 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stars_stand_for_any_run),
		cmocka_unit_test(the_fitting_row_is_found),
		cmocka_unit_test(an_empty_list_prices_nothing),
		cmocka_unit_test(each_kind_counts_at_its_price_rounded_up),
		cmocka_unit_test(sums_saturate),
		cmocka_unit_test(costs_agree_with_wider_arithmetic),
		cmocka_unit_test(
		    the_worst_case_takes_the_dearest_kind_of_each_tier),
		cmocka_unit_test(
		    no_usage_within_bounds_costs_more_than_the_worst_case),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
