#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/zone.h"
#include "ledger/window.h"
#include "pool/rig.h"

/* Of all models here a token of any kind costs one nano-dollar.  A body has
 * 1,000 bytes, so 334 tokens by the estimate; of output 1,000 are allowed, and
 * a slice has 100. */

/* A budget on the first key: "name', 'kind', limit" and what else is set. */
static void
budget(struct rig *r, const char *name, const char *kind, int64_t limit,
    const char *more_columns, const char *more_values)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "INSERT INTO budget (name, scope, scope_id, "
	    "kind, limit_value, created_ms%s) VALUES ('%s', 'key', 1, '%s', "
	    "%lld, 0%s)", more_columns, name, kind, (long long)limit,
	    more_values);
	rig_change(r, sql);
}

static void
plain(struct rig *r, const char *name, const char *kind, int64_t limit)
{

	budget(r, name, kind, limit, "", "");
}

static void
strict(struct rig *r, const char *name, const char *kind, int64_t limit)
{

	budget(r, name, kind, limit, ", policy", ", 'strict'");
}

static struct key_info *
furnish(struct rig *r)
{
	struct key_info *key;

	rig_account(r, "a1", 0, 10);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	return (key);
}

static int64_t
reserved(struct rig *r, int64_t budget_id)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT sum(reserved) FROM budget_window "
	    "WHERE budget_id = %lld", (long long)budget_id);
	return (rig_int(r, sql));
}

static int64_t
spent(struct rig *r, int64_t budget_id)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT sum(spent) FROM budget_window "
	    "WHERE budget_id = %lld", (long long)budget_id);
	return (rig_int(r, sql));
}

static void
must_refuse(struct proc *p, struct key_info *key, enum admit_verdict verdict,
    const char *reason)
{
	struct admit_op *op = admit_now(p, key);

	assert_int_equal(op->verdict, verdict);
	if (strstr(op->reason, reason) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", reason, op->reason);
	drop(op);
}

/* ---- what is counted ---- */

static void
each_kind_counts_its_own(void **state)
{
	static const int64_t worst[] = { 2000, 2000, 1000, 1000, 1 };
	static const int64_t used[] = { 65, 65, 45, 20, 1 };
	static const char *const kinds[] = { "money", "tokens",
		"input_tokens", "output_tokens", "requests" };
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct settle_op *s;
	struct admit_op *op;
	struct proc *p;
	size_t i;

	for (i = 0; i < NITEMS(kinds); i++)
		plain(r, kinds[i], kinds[i], 1000000);
	rig_sql(r, "UPDATE price SET cache_read_nusd_mtok = 1000000, "
	    "cache_write_5m_nusd_mtok = 1000000, "
	    "cache_write_1h_nusd_mtok = 1000000");
	p = proc_new(r);
	op = admit_now(p, key);
	assert_string_equal(rig_text(r, "SELECT holds FROM ledger"),
	    "[[1,0,0,2000],[2,0,1,2000],[3,0,2,1000],[4,0,3,1000],"
	    "[5,0,4,1]]");
	for (i = 0; i < NITEMS(kinds); i++) {
		assert_int_equal(reserved(r, (int64_t)i + 1), worst[i]);
		assert_true(op->left[i].there);
		assert_int_equal(op->left[i].limit, 1000000);
		assert_int_equal(op->left[i].left, 1000000 - worst[i]);
		assert_int_equal(op->left[i].renews_ms, 0);
	}
	s = settle_make(p, op);
	s->end.usage.cache_read_tokens = 5;
	s->end.usage.cache_write_5m_tokens = 10;
	s->end.usage.cache_write_1h_tokens = 20;
	proc_run1(p, &s->op);
	for (i = 0; i < NITEMS(kinds); i++) {
		assert_int_equal(reserved(r, (int64_t)i + 1), 0);
		assert_int_equal(spent(r, (int64_t)i + 1), used[i]);
	}
	rig_balance(r, "settled");
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

static void
a_budget_of_models_counts_those_alone(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;

	budget(r, "opus", "requests", 1, ", models",
	    ", 'claude-opus-*, claude-3-opus*'");
	p = proc_new(r);
	finish(p, admit_now(p, key));
	op = admit_make(p, key);
	snprintf(op->model, sizeof(op->model), "claude-opus-4-1");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	finish(p, op);
	op = admit_make(p, key);
	snprintf(op->model, sizeof(op->model), "claude-3-opus");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_BUDGET);
	drop(op);
	finish(p, admit_now(p, key));
	assert_int_equal(spent(r, 1), 1);
	proc_free(p);
}

static void
the_tightest_of_each_kind_is_told(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;

	plain(r, "wide", "requests", 1000);
	budget(r, "tight", "requests", 5, ", period, length_ms",
	    ", 'fixed', 34560000000");
	plain(r, "wider", "requests", 2000);
	p = proc_new(r);
	op = admit_now(p, key);
	assert_false(op->left[BUDGET_MONEY].there);
	assert_int_equal(op->left[BUDGET_REQUESTS].limit, 5);
	assert_int_equal(op->left[BUDGET_REQUESTS].left, 4);
	assert_int_equal(op->left[BUDGET_REQUESTS].renews_ms,
	    (store_now_ms(r->st) / INT64_C(34560000000) + 1) *
	    INT64_C(34560000000));
	finish(p, op);

	/* ... and where one refuses, that one, and it alone. */
	plain(r, "money", "money", 1000000);
	budget(r, "poor", "money", 1500, ", period, length_ms",
	    ", 'fixed', 34560000000");
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_BUDGET);
	assert_int_equal(op->left[BUDGET_MONEY].limit, 1500);
	assert_int_equal(op->left[BUDGET_MONEY].left, 1500);
	assert_true(op->left[BUDGET_MONEY].renews_ms > 0);
	assert_false(op->left[BUDGET_REQUESTS].there);
	drop(op);
	proc_free(p);
}

/* ---- policies ---- */

static void
a_stream_takes_a_slice_unless_it_is_strict(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;

	plain(r, "elastic", "money", 1000000);
	strict(r, "strict", "money", 1000000);
	plain(r, "output", "output_tokens", 1000000);
	p = proc_new(r);
	op = admit_stream(p, key);
	assert_int_equal(reserved(r, 1), 434);
	assert_int_equal(reserved(r, 2), 2000);
	assert_int_equal(reserved(r, 3), 100);
	assert_int_equal(op->reserved_nusd, 2000);
	assert_int_equal(op->coverage.input_tokens, 334);
	assert_int_equal(op->coverage.output_tokens, 100);
	finish(p, op);

	/* What is no stream cannot ask for more. */
	op = admit_now(p, key);
	assert_int_equal(reserved(r, 1), 2000);
	assert_int_equal(reserved(r, 3), 1000);
	assert_int_equal(op->coverage.output_tokens, INT64_MAX);
	finish(p, op);

	/* No more than there may be at all. */
	op = admit_make(p, key);
	op->stream = true;
	op->max_tokens = 50;
	proc_run1(p, &op->op);
	assert_int_equal(reserved(r, 1), 384);
	assert_int_equal(op->coverage.input_tokens, 334);
	assert_int_equal(op->coverage.output_tokens, INT64_MAX);
	finish(p, op);
	rig_balance(r, "settled");
	proc_free(p);
}

static void
without_elastic_budgets_all_is_covered(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;

	strict(r, "strict", "money", 1000000);
	plain(r, "requests", "requests", 100);
	p = proc_new(r);
	op = admit_stream(p, key);
	assert_int_equal(op->coverage.input_tokens, INT64_MAX);
	assert_int_equal(op->coverage.output_tokens, INT64_MAX);
	finish(p, op);
	proc_free(p);
}

/* ---- extensions ---- */

static void
extend(struct proc *p, const struct admit_op *op, int nth, int64_t input,
    int64_t output, struct extend_op *e)
{

	*e = (struct extend_op) {
		.op.kind = OP_EXTEND,
		.ledger_id = op->ledger_id,
		.attempt = 1,
		.nth = nth,
		.platform = "claude",
		.body_bytes = op->body_bytes,
		.max_tokens = op->max_tokens,
		.so_far.input_tokens = input,
		.so_far.output_tokens = output,
	};
	memcpy(e->model, op->model, sizeof(e->model));
	proc_run1(p, &e->op);
}

static void
an_extension_covers_a_slice_more(void **state)
{
	static const struct {
		int nth;
		int64_t input, output;	/* so far */
		int64_t hold;		/* of money then */
		int64_t covers;		/* output; -1: all */
	} cases[] = {
		{ 1, 10, 60, 434, 160 },	/* covered as it is */
		{ 1, 0, 80, 514, 180 },		/* input not known yet */
		{ 2, 10, 500, 610, 600 },
		{ 2, 10, 500, 610, 600 },	/* sent again */
		{ 1, 10, 200, 610, 300 },	/* an old one */
		{ 3, 10, 850, 960, 950 },
		{ 4, 10, 930, 1010, -1 },	/* all that may come */
		{ 5, 900, 1000, 1900, -1 },
	};
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct extend_op e;
	struct admit_op *op;
	struct proc *p;
	size_t i;

	plain(r, "elastic", "money", 1000000);
	plain(r, "requests", "requests", 10);
	p = proc_new(r);
	op = admit_stream(p, key);
	assert_int_equal(op->reserved_nusd, 434);
	for (i = 0; i < NITEMS(cases); i++) {
		p->fail_times = (int)(i % 3);
		extend(p, op, cases[i].nth, cases[i].input, cases[i].output,
		    &e);
		assert_true(e.granted);
		assert_int_equal(reserved(r, 1), cases[i].hold);
		assert_int_equal(e.reserved_nusd, cases[i].hold);
		assert_int_equal(e.coverage.output_tokens, cases[i].covers ==
		    -1 ? INT64_MAX : cases[i].covers);
		assert_int_equal(e.coverage.input_tokens, cases[i].input > 0 ?
		    cases[i].input : 334);
		rig_balance(r, "extended");
	}
	assert_int_equal(rig_int(r, "SELECT extensions FROM ledger"), 5);
	assert_int_equal(rig_int(r, "SELECT reserved_nusd FROM ledger"), 1900);
	assert_int_equal(reserved(r, 2), 1);
	finish(p, op);
	assert_int_equal(spent(r, 1), 30);
	assert_int_equal(rig_int(r, "SELECT flags FROM ledger"), 0);
	rig_balance(r, "settled");
	proc_free(p);
}

static void
where_one_budget_has_no_more_none_is_raised(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct extend_op e;
	struct admit_op *op;
	struct proc *p;

	plain(r, "wide", "money", 1000000);
	plain(r, "tight", "output_tokens", 300);
	strict(r, "not asked", "output_tokens", 1000);
	p = proc_new(r);
	op = admit_stream(p, key);
	extend(p, op, 1, 10, 200, &e);
	assert_true(e.granted);
	assert_int_equal(reserved(r, 2), 300);
	extend(p, op, 2, 10, 400, &e);
	assert_false(e.granted);
	assert_int_equal(e.budget_id, 2);
	assert_int_equal(e.retry_ms, 0);
	assert_non_null(strstr(e.reason, "of budget tight, 300 output tokens "
	    "in total, 0 are left, and the request may need 200"));
	assert_int_equal(reserved(r, 1), 434);
	assert_int_equal(reserved(r, 2), 300);
	assert_int_equal(rig_int(r, "SELECT extensions FROM ledger"), 1);

	/* A limit that was raised is found out about. */
	rig_change(r, "UPDATE budget SET limit_value = 500 WHERE id = 2");
	extend(p, op, 2, 10, 400, &e);
	assert_true(e.granted);
	assert_int_equal(reserved(r, 2), 500);
	finish(p, op);
	rig_balance(r, "settled");
	proc_free(p);
}

/* What runs is held to it, too, but not beyond its worst case. */
static void
a_budget_that_becomes_strict_is_raised(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct extend_op e;
	struct admit_op *op;
	struct proc *p;

	plain(r, "turned", "output_tokens", 1000000);
	plain(r, "input", "input_tokens", 1000000);
	p = proc_new(r);
	op = admit_stream(p, key);
	rig_change(r, "UPDATE budget SET policy = 'strict'");
	extend(p, op, 1, 10, 200, &e);
	assert_true(e.granted);
	assert_int_equal(reserved(r, 1), 300);
	assert_int_equal(reserved(r, 2), 334);
	extend(p, op, 2, 5000, 1500, &e);
	assert_true(e.granted);
	assert_int_equal(reserved(r, 1), 1000);
	assert_int_equal(reserved(r, 2), 1000);
	rig_change(r, "UPDATE budget SET limit_value = 1000");
	extend(p, op, 3, 5000, 1600, &e);
	assert_true(e.granted);
	finish(p, op);
	rig_balance(r, "settled");
	proc_free(p);
}

static void
settled_ones_get_nothing_and_reaped_ones_are_charged(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct extend_op e;
	struct admit_op *op, *lost, copy;
	struct proc *p[2];

	plain(r, "elastic", "money", 1200);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	op = admit_stream(p[1], key);
	copy = *op;
	finish(p[1], op);
	extend(p[1], &copy, 1, 10, 500, &e);
	assert_true(e.granted);
	assert_int_equal(reserved(r, 1), 0);

	/* Reaped: its stream goes on as long as there is room, and is charged
	 * for it, until its settlement says what it was. */
	lost = admit_stream(p[0], key);
	proc_die(p[0]);
	proc_beat(p[1]);
	assert_int_equal(spent(r, 1), 30 + 434);
	extend(p[1], lost, 1, 10, 500, &e);
	assert_true(e.granted);
	extend(p[1], lost, 2, 10, 5000, &e);
	assert_false(e.granted);
	assert_int_equal(spent(r, 1), 30 + 610);
	assert_int_equal(reserved(r, 1), 0);
	rig_balance(r, "reaped");
	finish(p[1], lost);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 3"), 1);
	assert_int_equal(spent(r, 1), 30 + 30);
	rig_balance(r, "corrected");
	proc_free(p[1]);
}

/* ---- what was billed beyond ---- */

static void
an_overrun_is_charged_and_flagged(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct settle_op *s;
	struct admit_op *op;
	struct proc *p;

	plain(r, "elastic", "money", 1000000);
	plain(r, "input", "input_tokens", 1000000);
	p = proc_new(r);
	op = admit_stream(p, key);
	s = settle_make(p, op);
	s->end.usage.output_tokens = 700;
	proc_run1(p, &s->op);
	assert_int_equal(s->overrun_nusd, 710 - 434);
	assert_int_equal(rig_int(r, "SELECT overrun_nusd FROM ledger "
	    "WHERE flags = 1"), 710 - 434);
	assert_int_equal(spent(r, 1), 710);
	assert_int_equal(spent(r, 2), 10);
	rig_balance(r, "settled");
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

/* Tokens of a request of which nothing is known, as its money. */
static void
what_is_not_known_is_what_was_reserved(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct settle_op *s;
	struct admit_op *op;
	struct proc *p;

	plain(r, "elastic", "money", 1000000);
	plain(r, "tokens", "tokens", 1000000);
	strict(r, "strict", "money", 1000000);
	p = proc_new(r);
	op = admit_stream(p, key);
	s = settle_make(p, op);
	s->end.mark = USAGE_ESTIMATED;
	s->end.usage = (struct usage) { 0 };
	proc_run1(p, &s->op);
	assert_int_equal(s->cost_nusd, 2000);
	assert_int_equal(spent(r, 1), 434);
	assert_int_equal(spent(r, 2), 434);
	assert_int_equal(spent(r, 3), 2000);
	assert_int_equal(rig_int(r, "SELECT flags FROM ledger"), 0);
	rig_balance(r, "settled");
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

/* ---- windows ---- */

/* The window of a rule now; at the turn of a day the next may begin. */
static void
must_be_now(const struct window_rule *rule, int64_t began_ms, int64_t now_ms,
    int64_t start_ms, int64_t renews_ms)
{
	struct window_span a, b;

	assert_int_equal(window_of(rule, began_ms, &a), 0);
	assert_int_equal(window_of(rule, now_ms, &b), 0);
	assert_true(start_ms == a.start_ms || start_ms == b.start_ms);
	assert_true(renews_ms == a.end_ms || renews_ms == b.end_ms);
}

static void
a_used_up_window_renews(void **state)
{
	static const struct {
		const char *columns, *values;
		struct window_rule rule;
		const char *words;
	} cases[] = {
		{ ", period", ", 'day'", { .period = WINDOW_DAY },
		    " a day (UTC), 0 are left until 20" },
		{ ", period", ", 'week'", { .period = WINDOW_WEEK },
		    " a week (UTC), 0 are left until 20" },
		{ ", period, zone", ", 'month', 'Europe/Berlin'",
		    { .period = WINDOW_MONTH },
		    " a month (Europe/Berlin), 0 are left until 20" },
		{ ", period, length_ms, anchor_ms",
		    ", 'fixed', 7200000, 3600000", { .period = WINDOW_FIXED,
		    .length_ms = 7200000, .anchor_ms = 3600000 },
		    " every 120 min, 0 are left until 20" },
	};
	struct zone *zones[2];
	struct window_rule rule;
	struct key_info *key;
	struct admit_op *op;
	struct proc *p;
	struct rig *r;
	void *st;
	int64_t began;
	size_t i;

	(void)state;
	zones[0] = zone_new("UTC", NULL);
	zones[1] = zone_new("Europe/Berlin", NULL);
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(rig_setup(&st), 0);
		r = st;
		key = furnish(r);
		rule = cases[i].rule;
		rule.zone = zones[i == 2];
		budget(r, "b", "requests", 1, cases[i].columns,
		    cases[i].values);
		p = proc_new(r);
		began = store_now_ms(r->st);
		finish(p, admit_now(p, key));
		op = admit_now(p, key);
		assert_int_equal(op->verdict, ADMIT_BUDGET_RENEWS);
		must_be_now(&rule, began, store_now_ms(r->st),
		    rig_int(r, "SELECT start_ms FROM budget_window"),
		    op->retry_ms);
		if (strstr(op->reason, cases[i].words) == NULL)
			fail_msg("%s", op->reason);
		drop(op);

		/* The next window has room again. */
		rig_sql(r, "UPDATE budget_window SET start_ms = start_ms - 9");
		finish(p, admit_now(p, key));
		assert_int_equal(rig_int(r, "SELECT count(*) "
		    "FROM budget_window WHERE spent = 1"), 2);
		proc_free(p);
		rig_teardown(&st);
	}
	zone_free(zones[0]);
	zone_free(zones[1]);
}

static void
what_will_never_fit_is_not_to_be_tried_again(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p;

	budget(r, "b", "output_tokens", 999, ", period", ", 'day'");
	p = proc_new(r);
	must_refuse(p, key, ADMIT_BUDGET, "999 are left, and the request may "
	    "need 1000");
	proc_free(p);
}

static void
what_others_hold_will_be_free(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;

	budget(r, "b", "requests", 1, ", period", ", 'day'");
	p = proc_new(r);
	op = admit_now(p, key);
	must_refuse(p, key, ADMIT_BUDGET_HELD, "0 are left while other "
	    "requests run, and the request may need 1");
	finish(p, op);
	must_refuse(p, key, ADMIT_BUDGET_RENEWS, "0 are left until 20");
	proc_free(p);
}

/* A bucket that began so long ago, of a window of an hour. */
static void
bucket(struct rig *r, int64_t ago, int64_t requests)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "INSERT INTO budget_window (budget_id, "
	    "start_ms, spent, kept) VALUES (1, %lld, %lld, %lld)",
	    (long long)((store_now_ms(r->st) / 60000 - ago) * 60000),
	    (long long)requests, (long long)requests);
	rig_sql(r, sql);
}

static void
a_rolling_window_sums_its_buckets(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op, *open;
	struct proc *p;
	int64_t oldest, began = store_now_ms(r->st) / 60000;

	budget(r, "b", "requests", 10, ", period, length_ms",
	    ", 'rolling', 3600000");
	bucket(r, 65, 100);		/* out of it for good */
	bucket(r, 58, 4);
	bucket(r, 30, 4);
	p = proc_new(r);
	open = admit_now(p, key);
	assert_int_equal(open->verdict, ADMIT_LEASED);
	assert_int_equal(open->left[BUDGET_REQUESTS].left, 1);
	finish(p, admit_now(p, key));
	finish(p, open);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_BUDGET_RENEWS);
	oldest = began - 58;
	assert_true(op->retry_ms == (oldest + 61) * 60000);
	assert_non_null(strstr(op->reason, "10 requests in any 60 min, 0 are "
	    "left until 20"));
	drop(op);
	rig_balance(r, "settled");
	proc_free(p);
}

/* One batch sees what it did itself, and what was there. */
static void
a_batch_in_a_rolling_window_stops_at_its_limit(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *ops[8];
	struct store_op *sops[8];
	struct proc *p;
	size_t i, leased = 0;

	budget(r, "b", "tokens", 9000, ", period, length_ms",
	    ", 'rolling', 3600000");
	bucket(r, 20, 2000);
	p = proc_new(r);
	for (i = 0; i < NITEMS(ops); i++) {
		ops[i] = admit_make(p, key);
		sops[i] = &ops[i]->op;
	}
	p->fail_times = 1;
	proc_run(p, sops, NITEMS(ops));
	for (i = 0; i < NITEMS(ops); i++)
		leased += ops[i]->verdict == ADMIT_LEASED;
	assert_int_equal(leased, 3);
	assert_int_equal(reserved(r, 1), 6000);
	for (i = 0; i < NITEMS(ops); i++) {
		if (ops[i]->verdict == ADMIT_LEASED)
			finish(p, ops[i]);
		else
			drop(ops[i]);
	}
	assert_int_equal(spent(r, 1), 2000 + 3 * 30);
	rig_balance(r, "settled");
	proc_free(p);
}

/* ---- bounds ---- */

static void
contradictions_and_nonsense_are_refused_by_the_schema(void **state)
{
	static const struct {
		const char *name, *scope, *kind, *period;
		int64_t length_ms;
		const char *policy;
		int64_t limit;
	} cases[] = {
		{ "", "key", "money", "total", 0, "elastic", 1 },
		{ "b", "keys", "money", "total", 0, "elastic", 1 },
		{ "b", "key", "euros", "total", 0, "elastic", 1 },
		{ "b", "key", "money", "year", 0, "elastic", 1 },
		{ "b", "key", "money", "total", 60000, "elastic", 1 },
		{ "b", "key", "money", "fixed", 0, "elastic", 1 },
		{ "b", "key", "money", "rolling", 59999, "elastic", 1 },
		{ "b", "key", "money", "fixed", 34560000001, "elastic", 1 },
		{ "b", "key", "money", "total", 0, "soft", 1 },
		{ "b", "key", "money", "total", 0, "elastic", -1 },
		{ "b", "key", "money", "total", 0, "elastic",
		    INT64_C(9000000000000000001) },
		{ "b", "key", "money", "total", 0, "elastic", 1 },
	};
	struct rig *r = *state;
	struct err err;
	size_t i;
	int rc;

	for (i = 0; i < NITEMS(cases); i++) {
		const struct store_value v[] = { store_text(cases[i].name),
			store_text(cases[i].scope), store_int(1),
			store_text(cases[i].kind), store_text(cases[i].period),
			store_int(cases[i].length_ms), store_int(0),
			store_text("UTC"), store_text(""),
			store_text(cases[i].policy),
			store_int(cases[i].limit), store_int(1), store_int(0) };

		err = (struct err) { .code = ERR_NONE };
		assert_int_equal(store_begin(r->st, true, &err), 0);
		rc = store_exec(r->st, STMT_BUDGET_ADD, v, 1, NITEMS(v), NULL,
		    &err);
		store_rollback(r->st);
		/* The last one makes sense. */
		if (rc == (i == NITEMS(cases) - 1 ? -1 : 0))
			fail_msg("%zu: %s", i, err.text);
	}
}

#define T(f)	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(each_kind_counts_its_own),
		T(a_budget_of_models_counts_those_alone),
		T(the_tightest_of_each_kind_is_told),
		T(a_stream_takes_a_slice_unless_it_is_strict),
		T(without_elastic_budgets_all_is_covered),
		T(an_extension_covers_a_slice_more),
		T(where_one_budget_has_no_more_none_is_raised),
		T(a_budget_that_becomes_strict_is_raised),
		T(settled_ones_get_nothing_and_reaped_ones_are_charged),
		T(an_overrun_is_charged_and_flagged),
		T(what_is_not_known_is_what_was_reserved),
		cmocka_unit_test(a_used_up_window_renews),
		T(what_will_never_fit_is_not_to_be_tried_again),
		T(what_others_hold_will_be_free),
		T(a_rolling_window_sums_its_buckets),
		T(a_batch_in_a_rolling_window_stops_at_its_limit),
		T(contradictions_and_nonsense_are_refused_by_the_schema),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
