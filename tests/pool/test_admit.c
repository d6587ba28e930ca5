#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "pool/rig.h"

#define N_MANY	8

static void
a_request_is_admitted_and_settled(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct settle_op *s;
	struct proc *p;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	p = proc_new(r);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_true(op->lease.held && op->lease.slotted && op->opened);
	assert_string_equal(op->lease.account->secret, "secret");
	assert_int_equal(op->lease.attempt, 1);
	assert_int_equal(op->reserved_nusd, 2000);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 0 AND fence = 1 AND reserved_nusd = 2000"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "n = 1 AND outcome IS NULL"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM slot WHERE "
	    "responder_id IS NOT NULL AND fence = 1"), 1);

	s = settle_make(p, op);
	proc_run1(p, &s->op);
	assert_int_equal(s->cost_nusd, 30);
	assert_false(s->late);
	assert_int_equal(rig_int(r, "SELECT cost_nusd FROM ledger WHERE "
	    "state = 1 AND mark = 1 AND output_tokens = 20 AND account_id = 1 "
	    "AND outcome = 'ok' AND status = 200 AND price_id = 1"), 30);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "outcome = 'ok' AND cost_nusd = 30"), 1);
	assert_int_equal(slots_held(r), 0);
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

static void
a_batch_is_spread_over_the_accounts(void **state)
{
	struct rig *r = *state;
	struct admit_op *ops[N_MANY];
	struct store_op *sops[N_MANY];
	struct key_info *key;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 5);
	rig_account(r, "a2", 0, 5);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	for (i = 0; i < N_MANY; i++) {
		ops[i] = admit_make(p, key);
		sops[i] = &ops[i]->op;
	}
	proc_run(p, sops, N_MANY);
	for (i = 0; i < N_MANY; i++)
		assert_int_equal(ops[i]->verdict, ADMIT_LEASED);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM slot WHERE "
	    "responder_id IS NOT NULL AND account_id = 1"), 4);
	for (i = 0; i < N_MANY; i++)
		finish(p, ops[i]);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1"), N_MANY);
	proc_free(p);
}

/* ---- who is refused ---- */

static const struct {
	const char *sql;	/* what is wrong */
	enum admit_verdict verdict;
	const char *reason;	/* part of it */
} refusals[] = {
	{ "UPDATE api_key SET enabled = 0", ADMIT_NO_KEY, "disabled" },
	{ "UPDATE api_key SET revoked_ms = 1", ADMIT_NO_KEY,
	    "revoked" },
	{ "DELETE FROM api_key", ADMIT_NO_KEY, "revoked" },
	{ "UPDATE api_key SET expires_ms = 1", ADMIT_KEY_EXPIRED,
	    "expired" },
	{ "UPDATE api_key SET models = 'claude-opus-*, gpt-*'",
	    ADMIT_MODEL, "claude-sonnet-4-5" },
	{ "UPDATE account SET enabled = 0", ADMIT_NO_ACCOUNT,
	    "no account is enabled in group g1" },
	{ "UPDATE api_key SET bind_kind = 'pool', bind_id = NULL; "
	    "UPDATE account SET enabled = 0", ADMIT_NO_ACCOUNT,
	    "no account is enabled in the pool" },
	{ "INSERT INTO cooldown (account_id, reason, since_ms, "
	    "until_ms, stated, observed_ms) SELECT id, 'rate_limited',"
	    " 0, 4102444800000, 1, 0 FROM account", ADMIT_PARKED,
	    "2 accounts in group g1 are parked, the first until "
	    "2100-01-01T00:00:00Z "
	    "(rate_limited)" },
	{ "INSERT INTO budget (name, scope, scope_id, kind, "
	    "limit_value, created_ms) SELECT 'b', 'key', id, "
	    "'money', 1999, 0 FROM api_key", ADMIT_BUDGET,
	    "of budget b, $0.000001999 in total, $0.000001999 is "
	    "left, and the request may cost $0.000002" },
	{ "INSERT INTO budget (name, scope, scope_id, kind, period, "
	    "length_ms, limit_value, created_ms) SELECT 'b', "
	    "'key', id, 'money', 'rolling', 60000, 1999, 0 "
	    "FROM api_key", ADMIT_BUDGET, "of budget b, "
	    "$0.000001999 in any 1 min, $0.000001999 is left, and" },
	{ "INSERT INTO budget (name, scope, scope_id, kind, period, "
	    "zone, limit_value, created_ms) SELECT 'b', 'key', id, "
	    "'tokens', 'day', 'Nowhere/Land', 9999, 0 FROM api_key",
	    ADMIT_BUDGET, "the window of budget b cannot be told" },
	{ "DELETE FROM price; INSERT INTO budget (name, scope, "
	    "scope_id, kind, limit_value, created_ms) SELECT 'b', "
	    "'key', id, 'money', 1999, 0 FROM api_key", ADMIT_UNPRICED,
	    "no price" },
};

static void
refusals_open_no_row(void **state)
{
	struct rig *r;
	struct key_info *key;
	struct admit_op *op;
	struct proc *p;
	void *st;
	int64_t g;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(refusals); i++) {
		assert_int_equal(rig_setup(&st), 0);
		r = st;
		g = rig_group(r, "g1", "weighted");
		rig_account(r, "a1", g, 2);
		rig_account(r, "a2", g, 2);
		rig_price(r, "claude-*", 1000000);
		key = rig_key(r, "k1", "group", g, 0);
		p = proc_new(r);
		finish(p, admit_now(p, key));
		rig_sql(r, "UPDATE meta SET value = value + 1 "
		    "WHERE name = 'config_version'");
		rig_sql(r, refusals[i].sql);
		op = admit_now(p, key);
		assert_int_equal(op->verdict, refusals[i].verdict);
		if (strstr(op->reason, refusals[i].reason) == NULL)
			fail_msg("%s: \"%s\"", refusals[i].sql, op->reason);
		assert_false(op->opened);
		assert_false(op->lease.held);
		assert_true(proc_posted(p, &op->op));
		assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger"),
		    1);
		assert_int_equal(slots_held(r), 0);
		assert_int_equal(rig_int(r, "SELECT coalesce(sum(reserved), "
		    "0) FROM budget_window"), 0);
		if (refusals[i].verdict == ADMIT_PARKED)
			assert_int_equal(op->retry_ms, 4102444800000);
		drop(op);
		proc_free(p);
		rig_teardown(&st);
	}
}

static void
unpriced_models_pass_if_allowed(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct settle_op *s;
	struct proc *p;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	s = settle_make(p, op);
	proc_run1(p, &s->op);
	assert_int_equal(s->cost_nusd, -1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND cost_nusd IS NULL"), 1);
	lease_drop(&s->lease);
	free(s);
	free(op);

	p->shared.settings.unpriced = UNPRICED_REFUSE;
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_UNPRICED);
	drop(op);
	proc_free(p);
}

static void
calls_without_a_slot_do_not_wait(void **state)
{
	struct rig *r = *state;
	struct admit_op *op, *ops[5];
	struct key_info *key;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 1);
	p = proc_new(r);
	op = admit_now(p, key);
	for (i = 0; i < 5; i++) {
		ops[i] = admit_make(p, key);
		ops[i]->needs_slot = ops[i]->billed = false;
		ops[i]->kind = "count_tokens";
		proc_run1(p, &ops[i]->op);
		assert_int_equal(ops[i]->verdict, ADMIT_LEASED);
		assert_true(ops[i]->lease.held && !ops[i]->lease.slotted);
	}
	assert_int_equal(slots_held(r), 1);
	for (i = 0; i < 5; i++)
		finish(p, ops[i]);
	assert_int_equal(slots_held(r), 1);
	finish(p, op);
	proc_free(p);
}

/* ---- marks ---- */

static void
each_mark_has_its_price(void **state)
{
	static const struct {
		enum usage_mark mark;
		int64_t output;
		int64_t cost;
	} cases[] = {
		{ USAGE_EXACT, 20, 30 },
		{ USAGE_PARTIAL, 7, 17 },
		{ USAGE_NONE, 20, 0 },
		{ USAGE_ESTIMATED, 0, 2000 },
	};
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct settle_op *s;
	struct proc *p;
	int64_t spent = 0;
	size_t i;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	for (i = 0; i < NITEMS(cases); i++) {
		op = admit_now(p, key);
		assert_int_equal(rig_int(r, "SELECT reserved "
		    "FROM budget_window"), 2000);
		s = settle_make(p, op);
		s->end.mark = cases[i].mark;
		s->end.usage.output_tokens = cases[i].output;
		if (cases[i].mark == USAGE_ESTIMATED)
			s->end.usage.input_tokens = 0;
		proc_run1(p, &s->op);
		assert_int_equal(s->cost_nusd, cases[i].cost);
		spent += cases[i].cost;
		assert_int_equal(rig_int(r, "SELECT spent "
		    "FROM budget_window WHERE reserved = 0"), spent);
		lease_drop(&s->lease);
		free(s);
		free(op);
	}
	assert_string_equal(rig_text(r, "SELECT holds FROM ledger "
	    "ORDER BY id DESC"), "[[1,0,0,2000]]");
	proc_free(p);
}

static void
a_settlement_sent_twice_counts_once(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct settle_op *s;
	struct admit_op *op;
	struct proc *p;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	op = admit_now(p, key);
	s = settle_make(p, op);
	proc_run1(p, &s->op);
	proc_run1(p, &s->op);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window"), 30);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 1"), 1);
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

/* ---- budgets ---- */

static void
a_cap_holds_for_a_thousand(void **state)
{
	struct rig *r = *state;
	struct admit_op *op[100], *held[400];
	struct store_op *sops[100];
	struct key_info *key;
	struct proc *p[2];
	size_t round, i, leased = 0, refused = 0;

	rig_account(r, "a1", 0, 2000);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 399 * 2000 + 1999);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 100; i++) {
			op[i] = admit_make(p[round % 2], key);
			sops[i] = &op[i]->op;
		}
		proc_run(p[round % 2], sops, 100);
		for (i = 0; i < 100; i++) {
			if (op[i]->verdict == ADMIT_LEASED)
				held[leased++] = op[i];
			else {
				assert_int_equal(op[i]->verdict,
				    ADMIT_BUDGET_HELD);
				refused++;
				drop(op[i]);
			}
		}
	}
	assert_int_equal(leased, 399);
	assert_int_equal(refused, 601);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    399 * 2000);
	for (i = 0; i < leased; i++)
		finish(p[i % 2], held[i]);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window "
	    "WHERE reserved = 0"), 399 * 30);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
budgets_are_taken_all_or_none(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct proc *p;

	rig_account(r, "a1", 0, 5);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	rig_sql(r, "INSERT INTO person (id, name, created_ms) "
	    "VALUES (7, 'p', 0); UPDATE api_key SET person_id = 7; "
	    "INSERT INTO budget (name, scope, scope_id, kind, limit_value, "
	    "created_ms) VALUES ('b', 'person', 7, 'requests', 1, 0)");
	p = proc_new(r);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_string_equal(rig_text(r, "SELECT holds FROM ledger "
	    "WHERE person_id = 7"), "[[1,0,0,2000],[2,0,4,1]]");
	drop(admit_now(p, key));
	assert_int_equal(rig_int(r, "SELECT sum(reserved) "
	    "FROM budget_window"), 2001);
	finish(p, op);
	assert_int_equal(rig_int(r, "SELECT sum(spent) FROM budget_window "
	    "WHERE reserved = 0"), 31);
	proc_free(p);
}

/* ---- a batch that is run again ---- */

static void
a_rolled_back_batch_leaves_nothing(void **state)
{
	struct rig *r = *state;
	struct admit_op *op[3];
	struct store_op *sops[3];
	struct key_info *key;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	for (i = 0; i < 3; i++) {
		op[i] = admit_make(p, key);
		sops[i] = &op[i]->op;
	}
	p->fail_times = 3;
	proc_run(p, sops, 3);
	assert_int_equal(op[0]->verdict, ADMIT_LEASED);
	assert_int_equal(op[1]->verdict, ADMIT_LEASED);
	assert_false(proc_posted(p, &op[2]->op));
	assert_int_equal(p->runner->waiting.n, 1);
	assert_int_equal(slots_held(r), 2);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger"), 3);
	assert_int_equal(rig_int(r, "SELECT max(fence) FROM slot"), 1);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    6000);

	/* The slot goes on to the one that waits. */
	p->fail_times = 2;
	finish(p, op[0]);
	assert_true(proc_posted(p, &op[2]->op));
	assert_int_equal(op[2]->verdict, ADMIT_LEASED);
	assert_int_equal(slots_held(r), 2);
	p->fail_times = 1;
	finish(p, op[1]);
	finish(p, op[2]);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window "
	    "WHERE reserved = 0"), 90);
	assert_int_equal(p->runner->snapshot->refs, 2);
	proc_free(p);
}

static void
an_unknown_admission_is_undone_or_never_was(void **state)
{
	struct rig *r = *state;
	struct void_op v = { .op.kind = OP_VOID };
	struct admit_op *a, *b;
	struct key_info *key;
	struct proc *p;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	a = admit_now(p, key);
	v.ledger_id = a->ledger_id;
	v.key_id = key->id;
	p->fail_times = 1;
	proc_run1(p, &v.op);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND outcome = 'store_down' AND cost_nusd = 0"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt "
	    "WHERE outcome = 'void'"), 1);
	assert_int_equal(rig_int(r, "SELECT reserved + spent "
	    "FROM budget_window"), 0);
	drop(a);

	b = admit_make(p, key);
	v.ledger_id = b->ledger_id;
	proc_run1(p, &v.op);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 4"), 1);
	drop(b);
	proc_free(p);
}

/* A move was committed, but nobody learnt of it. */
static void
a_settlement_finds_the_lease_of_an_unknown_move(void **state)
{
	struct rig *r = *state;
	struct lease old;
	struct key_info *key;
	struct settle_op *s;
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;

	rig_account(r, "a1", 0, 2);
	rig_account(r, "a2", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	op = admit_now(p, key);
	old = op->lease;
	m = move_make(p, op, "error");
	proc_run1(p, &m->admit.op);
	assert_int_equal(m->admit.verdict, ADMIT_LEASED);
	lease_drop(&m->admit.lease);
	op->lease = old;
	s = settle_make(p, op);
	s->success = false;
	proc_run1(p, &s->op);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "(n = 1 AND outcome = 'error') OR "
	    "(n = 2 AND outcome = 'void')"), 2);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 1"), 1);
	lease_drop(&s->lease);
	free(s);
	free(m);
	free(op);
	proc_free(p);
}

/* Whichever allocation fails, the batch can be rolled back and run again. */
static void
without_memory_nothing_is_half_done(void **state)
{
	struct rig *r = *state;
	struct admit_op *op[2];
	struct store_op *sops[3];
	struct settle_op *s;
	struct key_info *key;
	struct err err;
	struct proc *p;
	int n, rc, failures = 0;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_sql(r, "UPDATE api_key SET models = 'claude-*'");
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	s = settle_make(p, op[0] = admit_now(p, key));
	free(op[0]);
	sops[0] = &s->op;
	op[0] = admit_make(p, key);
	op[1] = admit_make(p, key);
	sops[1] = &op[0]->op;
	sops[2] = &op[1]->op;
	rig_sql(r, "UPDATE meta SET value = value + 1 "
	    "WHERE name = 'config_version'");
	for (n = 0; ; n++) {
		err_clear(&err);
		assert_int_equal(store_begin(p->st, true, &err), 0);
		alloc_fail_after(n);
		rc = p->calls.run(p->runner, NULL, p->st, sops, 3, &err);
		if (alloc_fail_stop() == 0)
			break;
		/* What is only a hint may be done without. */
		if (rc != 0)
			assert_int_equal(err.code, ERR_NOMEM);
		failures += rc != 0;
		store_rollback(p->st);
		p->calls.ended(p->runner, NULL, false);
	}
	assert_int_equal(rc, 0);
	assert_true(failures > 5);
	assert_int_equal(store_commit(p->st, &err), 0);
	p->calls.ended(p->runner, NULL, true);
	assert_int_equal(op[0]->verdict, ADMIT_LEASED);
	assert_int_equal(op[1]->verdict, ADMIT_LEASED);
	assert_int_equal(slots_held(r), 2);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window "
	    "WHERE spent = 30"), 4000);
	lease_drop(&s->lease);
	free(s);
	finish(p, op[0]);
	finish(p, op[1]);
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(a_request_is_admitted_and_settled),
		T(a_batch_is_spread_over_the_accounts),
		cmocka_unit_test(refusals_open_no_row),
		T(unpriced_models_pass_if_allowed),
		T(calls_without_a_slot_do_not_wait),
		T(each_mark_has_its_price),
		T(a_settlement_sent_twice_counts_once),
		T(a_cap_holds_for_a_thousand),
		T(budgets_are_taken_all_or_none),
		T(a_rolled_back_batch_leaves_nothing),
		T(an_unknown_admission_is_undone_or_never_was),
		T(a_settlement_finds_the_lease_of_an_unknown_move),
		T(without_memory_nothing_is_half_done),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
