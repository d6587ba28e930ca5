#include "pool/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/flags.h"

/*
 * What calls are charged: prices by how they were served and by when they came,
 * models without a price, usage that cannot be true, and requests of which the
 * price cannot be told beforehand.
 */

/* Tokens cost 1 nano-dollar, or 3 above 1,000 of input. */
static struct key_info *
furnish(struct rig *r)
{

	rig_account(r, "a1", 0, 8);
	rig_price(r, "claude-*", 1000000);
	rig_sql(r, "UPDATE price SET context_tokens = 5000, "
	    "fast_percent = 250, priority_percent = 120, "
	    "geo_us_percent = 110, web_search_nusd = 700");
	return (rig_key(r, "k1", "pool", 0, 0));
}

static void
settle(struct proc *p, struct settle_op *s)
{

	proc_run1(p, &s->op);
}

static void
let_go(struct settle_op *s)
{

	lease_drop(&s->lease);
	free(s);
}

static int64_t
last(struct rig *r, const char *column)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "SELECT coalesce(%s, -1) FROM ledger "
	    "ORDER BY id DESC LIMIT 1", column);
	return (rig_int(r, sql));
}

/* ---- by how and when ---- */

static void
calls_cost_what_the_way_costs_they_were_served_in(void **state)
{
	static const struct {
		const char *what;
		struct usage u;
		int64_t nusd;		/* -1: unpriced */
	} cases[] = {
		{ "plain", { .input_tokens = 10, .output_tokens = 20 }, 30 },
		{ "fast", { .input_tokens = 10, .output_tokens = 20,
		    .speed = USAGE_SPEED_FAST }, 75 },
		{ "fast, in the US", { .output_tokens = 20,
		    .speed = USAGE_SPEED_FAST, .geo = USAGE_GEO_US }, 55 },
		{ "priority", { .output_tokens = 20,
		    .tier = USAGE_TIER_PRIORITY }, 24 },
		{ "searches", { .output_tokens = 20, .web_searches = 3 },
		    2120 },
		{ "a batch, of which no price is known",
		    { .output_tokens = 20, .tier = USAGE_TIER_BATCH }, -1 },
		{ "another model took part",
		    { .output_tokens = 20, .other_models = true }, -1 },
		{ "a place that is not known",
		    { .output_tokens = 20, .geo = USAGE_GEO_OTHER }, -1 },
	};
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op;
	struct settle_op *s;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		op = admit_now(p, key);
		s = settle_make(p, op);
		s->end.usage = cases[i].u;
		settle(p, s);
		if (s->cost_nusd != cases[i].nusd)
			fail_msg("%s: %lld", cases[i].what,
			    (long long)s->cost_nusd);
		assert_int_equal(last(r, "cost_nusd"), cases[i].nusd);
		assert_int_equal(last(r, "price_id"),
		    cases[i].nusd == -1 ? -1 : 1);
		assert_int_equal(last(r, "flags") & LEDGER_FLAG_UNPRICED,
		    cases[i].nusd == -1 ? LEDGER_FLAG_UNPRICED : 0);
		let_go(s);
		free(op);
	}
	proc_free(p);
}

static void
a_change_of_prices_touches_no_request_before_it(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op, *late;
	struct settle_op *s;
	char sql[512];

	finish(p, admit_now(p, key));
	late = admit_now(p, key);
	assert_int_equal(late->reserved_nusd, 2000);
	clock_fake_advance(&r->clock, 10);
	(void)snprintf(sql, sizeof(sql), "INSERT INTO price (platform, "
	    "pattern, valid_from_ms, input_nusd_mtok, output_nusd_mtok, "
	    "cache_read_nusd_mtok, cache_write_5m_nusd_mtok, "
	    "cache_write_1h_nusd_mtok, source) VALUES ('claude', 'claude-*', "
	    "%lld, 9000000, 9000000, 0, 0, 0, 'test')",
	    (long long)clock_wall_ms(&r->clock.clock));
	rig_change(r, sql);
	op = admit_now(p, key);
	assert_int_equal(op->reserved_nusd, 18000);
	s = settle_make(p, op);
	settle(p, s);
	assert_int_equal(s->cost_nusd, 270);
	let_go(s);
	free(op);

	/* It was reserved, and so is charged, at the price of its time. */
	s = settle_make(p, late);
	settle(p, s);
	assert_int_equal(s->cost_nusd, 30);
	let_go(s);
	free(late);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "cost_nusd = 30 AND price_id = 1"), 2);
	assert_int_equal(rig_int(r, "SELECT sum(cost_nusd) FROM ledger"),
	    330);
	proc_free(p);
}

static void
what_was_spooled_is_charged_as_it_was_served(void **state)
{
	static const struct err none = { .code = ERR_NONE };
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct store_op *ops[4], *one;
	struct admit_op *op;
	struct settle_op *s;
	struct err err = { 0 };
	size_t n;

	runner_spool(p->runner, r->dir, 64 * 1024);
	assert_int_equal(p->calls.connected(p->runner, p->st, &err), 0);
	op = admit_now(p, key);
	s = settle_make(p, op);
	s->op.must = true;
	s->max_tokens = 15;
	s->end.usage.speed = USAGE_SPEED_FAST;
	s->end.usage.geo = USAGE_GEO_US;
	s->end.usage.tier = USAGE_TIER_PRIORITY;
	one = &s->op;
	p->calls.spool(p->runner, &one, 1);
	assert_true(s->op.spooled);
	let_go(s);
	drop(op);
	clock_fake_advance(&r->clock, 2000);
	n = p->calls.backlog(p->runner, ops, NITEMS(ops));
	assert_int_equal(n, 1);
	proc_run(p, ops, n);
	p->calls.replayed(p->runner, ops[0], &none);
	/* 10 in and 15 of 20 out, at 1.2 * 2.5 * 1.1. */
	assert_int_equal(last(r, "cost_nusd"), 83);
	assert_int_equal(last(r, "output_tokens"), 15);
	assert_int_equal(last(r, "flags"), LEDGER_FLAG_IMPLAUSIBLE |
	    LEDGER_FLAG_BOUNDED);
	proc_free(p);
}

/* ---- without a price ---- */

static void
a_model_without_a_price_has_the_default_if_one_is_stated(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op;
	struct settle_op *s;

	p->shared.settings.unpriced = UNPRICED_DEFAULT;
	rig_budget(r, key->id, 100000);
	op = admit_make(p, key);
	snprintf(op->model, sizeof(op->model), "gpt-9");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_UNPRICED);
	assert_string_equal(op->reason, "model gpt-9 has no price here, and "
	    "no default price is set");
	drop(op);

	rig_price(r, "*", 4000000);
	op = admit_make(p, key);
	snprintf(op->model, sizeof(op->model), "gpt-9");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->reserved_nusd, 8000);
	assert_int_equal(last(r, "flags"), LEDGER_FLAG_DEFAULT);
	s = settle_make(p, op);
	settle(p, s);
	assert_int_equal(s->cost_nusd, 120);
	assert_int_equal(last(r, "flags"), LEDGER_FLAG_DEFAULT);
	assert_int_equal(last(r, "price_id"), 2);
	let_go(s);
	free(op);

	/* Others have their own. */
	finish(p, admit_now(p, key));
	assert_int_equal(last(r, "cost_nusd"), 30);
	assert_int_equal(last(r, "flags"), 0);

	/* And without the policy there is no default. */
	p->shared.settings.unpriced = UNPRICED_REFUSE;
	op = admit_make(p, key);
	snprintf(op->model, sizeof(op->model), "gpt-9");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_UNPRICED);
	assert_string_equal(op->reason, "model gpt-9 has no price here");
	drop(op);
	proc_free(p);
}

static void
what_turns_out_to_be_unpriced_is_charged_at_its_reserve(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op;
	struct settle_op *s;

	rig_budget(r, key->id, 100000);
	op = admit_now(p, key);
	assert_int_equal(op->reserved_nusd, 2000);
	s = settle_make(p, op);
	s->end.usage.tier = USAGE_TIER_OTHER;
	settle(p, s);
	assert_int_equal(s->cost_nusd, -1);
	assert_int_equal(last(r, "flags"), LEDGER_FLAG_UNPRICED);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window"), 2000);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"), 0);
	let_go(s);
	free(op);
	proc_free(p);
}

static void
rows_are_marked_while_they_are_open(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op = admit_make(p, key);
	struct settle_op *s;

	snprintf(op->model, sizeof(op->model), "gpt-9");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(last(r, "flags"), LEDGER_FLAG_UNPRICED);

	/* And stay so: the model has none. */
	s = settle_make(p, op);
	s->end.mark = USAGE_NONE;
	settle(p, s);
	assert_int_equal(last(r, "cost_nusd"), 0);
	assert_int_equal(last(r, "flags"), LEDGER_FLAG_UNPRICED);
	let_go(s);
	free(op);
	proc_free(p);
}

/* ---- what has no bound ---- */

static void
what_has_no_bound_is_not_for_keys_with_money_budgets(void **state)
{
	static const struct {
		struct price_ask ask;
		enum admit_verdict verdict;
		const char *reason;
	} cases[] = {
		{ { .web_searches = -1 }, ADMIT_FEATURE, "what web search "
		    "without max_uses may cost cannot be told beforehand, "
		    "and this key has a budget in money" },
		{ { .feature = "code execution" }, ADMIT_FEATURE, "what code "
		    "execution may cost cannot be told beforehand, and this "
		    "key has a budget in money" },
		{ { .geos = 1U << USAGE_GEO_OTHER }, ADMIT_UNPRICED, "this "
		    "inference_geo of model claude-sonnet-4-5 has no price "
		    "here" },
		{ { .tiers = 1U << USAGE_TIER_OTHER }, ADMIT_UNPRICED, "this "
		    "service_tier of model claude-sonnet-4-5 has no price "
		    "here" },
	};
	struct rig *r = *state;
	struct key_info *key = furnish(r), *capped;
	struct proc *p = proc_new(r);
	struct admit_op *op;
	size_t i;

	capped = rig_key(r, "k2", "pool", 0, 0);
	rig_budget(r, capped->id, 100000);
	for (i = 0; i < NITEMS(cases); i++) {
		op = admit_make(p, capped);
		op->ask = cases[i].ask;
		proc_run1(p, &op->op);
		assert_int_equal(op->verdict, cases[i].verdict);
		assert_string_equal(op->reason, cases[i].reason);
		assert_false(op->opened);
		drop(op);
		op = admit_make(p, key);
		op->ask = cases[i].ask;
		proc_run1(p, &op->op);
		assert_int_equal(op->verdict, ADMIT_LEASED);
		finish(p, op);
	}
	proc_free(p);
}

static void
the_reserve_is_that_of_what_is_asked_for(void **state)
{
	static const struct {
		const char *what;
		struct price_ask ask;
		int64_t reserved;	/* of 1,000 in and 1,000 out */
	} cases[] = {
		{ "plain", { 0 }, 2000 },
		{ "fast", { .speeds = 1U << USAGE_SPEED_FAST }, 5000 },
		{ "searches", { .web_searches = 2 }, 3400 },
		{ "the whole context", { .whole_context = true }, 6000 },
		{ "twice", { .again = true }, 4000 },
		{ "us, perhaps", { .geos = 1U << USAGE_GEO_US |
		    1U << USAGE_GEO_GLOBAL }, 2200 },
	};
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		op = admit_make(p, key);
		op->ask = cases[i].ask;
		proc_run1(p, &op->op);
		if (op->reserved_nusd != cases[i].reserved)
			fail_msg("%s: %lld", cases[i].what,
			    (long long)op->reserved_nusd);
		finish(p, op);
	}
	proc_free(p);
}

static void
a_key_for_some_models_may_have_no_fallbacks(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op;

	rig_change(r, "UPDATE api_key SET models = 'claude-*'");
	op = admit_make(p, key);
	op->ask.other_models = true;
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_FEATURE);
	assert_string_equal(op->reason, "the key may use some models only, "
	    "and fallbacks may lead to others");
	drop(op);
	finish(p, admit_now(p, key));
	proc_free(p);
}

/* ---- what cannot be true ---- */

static void
usage_that_cannot_be_true_is_marked_and_bounded(void **state)
{
	static const struct {
		const char *what;
		struct usage u;
		bool repeats;
		int64_t bounded, charged;	/* what each policy makes of
						   it */
		int64_t flags;
	} cases[] = {
		{ "as much as is allowed", { .input_tokens = 5000,
		    .output_tokens = 1000 }, false, 6000, 6000, 0 },
		{ "more output than max_tokens", { .input_tokens = 10,
		    .output_tokens = 1001 }, false, 1010, 1011,
		    LEDGER_FLAG_IMPLAUSIBLE },
		{ "more input than any model reads", { .input_tokens = 3000,
		    .cache_read_tokens = 4000 }, false, 3000, 3000,
		    LEDGER_FLAG_IMPLAUSIBLE },
		{ "too much of both", { .input_tokens = 6000,
		    .output_tokens = 2000 }, false, 6000, 8000,
		    LEDGER_FLAG_IMPLAUSIBLE },
		{ "of server tools there is no bound", { .input_tokens = 9000,
		    .output_tokens = 3000 }, true, 12000, 12000, 0 },
		{ "a count that is none", { .input_tokens = 10,
		    .output_tokens = -5 }, false, 10, 10,
		    LEDGER_FLAG_IMPLAUSIBLE },
		{ "one that was left out", { .input_tokens = 10,
		    .absurd = true }, false, 10, 10,
		    LEDGER_FLAG_IMPLAUSIBLE },
	};
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op;
	struct settle_op *s;
	int64_t nusd;
	size_t i;
	int charge;

	for (i = 0; i < 2 * NITEMS(cases); i++) {
		charge = i % 2;
		p->shared.settings.charge_implausible = charge;
		op = admit_now(p, key);
		s = settle_make(p, op);
		s->max_tokens = op->max_tokens;
		s->repeats = cases[i / 2].repeats;
		s->end.usage = cases[i / 2].u;
		settle(p, s);
		nusd = charge ? cases[i / 2].charged : cases[i / 2].bounded;
		if (s->cost_nusd != nusd)
			fail_msg("%s: %lld", cases[i / 2].what,
			    (long long)s->cost_nusd);
		assert_int_equal(last(r, "flags") & LEDGER_FLAG_IMPLAUSIBLE,
		    cases[i / 2].flags);
		assert_int_equal((last(r, "flags") & LEDGER_FLAG_BOUNDED) !=
		    0, !charge && (nusd != cases[i / 2].charged ||
		    cases[i / 2].u.cache_read_tokens > 0));
		assert_true(last(r, "output_tokens") >= 0);
		let_go(s);
		free(op);
	}
	proc_free(p);
}

static void
an_attempt_that_was_given_up_is_judged_as_well(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p = proc_new(r);
	struct admit_op *op;
	struct settle_op *s;
	struct move_op *m;

	rig_account(r, "a2", 0, 8);
	op = admit_now(p, key);
	m = move_make(p, op, "error");
	m->park.wanted = false;
	m->end.mark = USAGE_EXACT;
	m->end.usage = (struct usage) { .output_tokens = 1500 };
	proc_run1(p, &m->admit.op);
	assert_int_equal(m->admit.verdict, ADMIT_LEASED);
	assert_int_equal(m->admit.flags, LEDGER_FLAG_IMPLAUSIBLE |
	    LEDGER_FLAG_BOUNDED);
	assert_int_equal(rig_int(r, "SELECT output_tokens FROM attempt "
	    "WHERE n = 1"), 1000);
	s = settle_make(p, &m->admit);
	s->flags = m->admit.flags;
	settle(p, s);
	assert_int_equal(last(r, "flags"), LEDGER_FLAG_IMPLAUSIBLE |
	    LEDGER_FLAG_BOUNDED);
	assert_int_equal(last(r, "cost_nusd"), 1030);
	let_go(s);
	lease_drop(&m->lease);
	free(m);
	drop(op);
	proc_free(p);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(calls_cost_what_the_way_costs_they_were_served_in),
		T(a_change_of_prices_touches_no_request_before_it),
		T(what_was_spooled_is_charged_as_it_was_served),
		T(a_model_without_a_price_has_the_default_if_one_is_stated),
		T(rows_are_marked_while_they_are_open),
		T(what_turns_out_to_be_unpriced_is_charged_at_its_reserve),
		T(what_has_no_bound_is_not_for_keys_with_money_budgets),
		T(the_reserve_is_that_of_what_is_asked_for),
		T(a_key_for_some_models_may_have_no_fallbacks),
		T(usage_that_cannot_be_true_is_marked_and_bounded),
		T(an_attempt_that_was_given_up_is_judged_as_well),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
