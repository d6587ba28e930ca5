#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

static struct move_op *
move_now(struct proc *p, struct admit_op *op, const char *reason)
{
	struct move_op *m = move_make(p, op, reason);

	proc_run1(p, &m->admit.op);
	return (m);
}

static void
move_free(struct move_op *m)
{

	lease_drop(&m->lease);
	lease_drop(&m->admit.lease);
	free(m);
}

static int64_t
nparked(struct rig *r)
{

	return (rig_int(r, "SELECT count(*) FROM cooldown "
	    "WHERE until_ms > {now} * 1000"));
}

/* Settle as ok what the move leased, and free it. */
static void
move_finish(struct proc *p, struct move_op *m)
{
	struct settle_op *s = settle_make(p, &m->admit);

	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	free(s);
	move_free(m);
}

/* The end of a request whose last attempt failed, without a lease. */
static struct settle_op
give_up(struct admit_op *op, int attempts)
{
	struct settle_op s = {
		.op.kind = OP_SETTLE,
		.ledger_id = op->ledger_id,
		.key_id = op->key->id,
		.attempts = attempts,
		.reserved_nusd = 2000,
		.status = 503,
		.first_byte_ms = -1,
	};

	snprintf(s.outcome, sizeof(s.outcome), "upstream");
	snprintf(s.model, sizeof(s.model), "%s", op->model);
	return (s);
}

static void
a_move_closes_parks_and_leases_anew(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;
	int64_t version;

	rig_account(r, "a1", 0, 2);
	rig_account(r, "a2", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	p = proc_new(r);
	version = rig_int(r, "SELECT value FROM meta "
	    "WHERE name = 'config_version'");
	op = admit_now(p, key);
	p->fail_times = 2;
	m = move_now(p, op, "error");
	assert_int_equal(m->admit.verdict, ADMIT_LEASED);
	assert_int_equal(m->admit.lease.attempt, 2);
	assert_int_equal(m->admit.lease.account->id, 2);
	assert_false(m->undo_park);
	assert_int_equal(rig_int(r, "SELECT fence FROM ledger"), 2);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "(n = 1 AND account_id = 1 AND outcome = 'error' AND "
	    "status = 500) OR (n = 2 AND account_id = 2 AND "
	    "outcome IS NULL)"), 2);
	assert_int_equal(slots_held(r), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM cooldown WHERE "
	    "account_id = 1 AND reason = 'error' AND stated = 0 AND "
	    "strikes = 1 AND cause_id = (SELECT id FROM ledger)"), 1);
	assert_int_equal(rig_int(r, "SELECT value FROM meta "
	    "WHERE name = 'config_version'"), version + 1);

	/* The next goes elsewhere at once. */
	drop(op);
	op = admit_now(p, key);
	assert_int_equal(op->lease.account->id, 2);
	finish(p, op);
	move_finish(p, m);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND account_id = 2 AND cost_nusd = 30"), 2);
	assert_int_equal(nparked(r), 1);
	proc_free(p);
}

/* A run that fails half-way drops nothing that is not its own. */
static void
a_park_that_fails_is_done_again(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;
	int i;

	rig_account(r, "a1", 0, 2);
	rig_account(r, "a2", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	p = proc_new(r);
	op = admit_now(p, key);
	rig_sql(r, raw_is_mysql() ?
	    "CREATE TRIGGER no_parks BEFORE INSERT ON cooldown FOR EACH ROW "
	    "SIGNAL SQLSTATE '45000'" :
	    "CREATE TRIGGER no_parks BEFORE INSERT ON cooldown BEGIN "
	    "SELECT RAISE(ABORT, 'no'); END");
	m = move_make(p, op, "error");
	for (i = 0; i < 3; i++)
		proc_fail1(p, &m->admit.op);
	assert_null(m->admit.lease.snapshot);
	assert_non_null(m->lease.snapshot);
	rig_sql(r, "DROP TRIGGER no_parks");
	proc_run1(p, &m->admit.op);
	assert_int_equal(m->admit.verdict, ADMIT_LEASED);
	assert_int_equal(m->admit.lease.account->id, 2);
	assert_int_equal(nparked(r), 1);
	drop(op);
	move_finish(p, m);
	rig_balance(r, "moved");
	proc_free(p);
}

static void
a_request_that_fails_everywhere_parks_nobody(void **state)
{
	struct rig *r = *state;
	struct settle_op end;
	struct key_info *key;
	struct admit_op *op;
	struct move_op *m[3];
	struct proc *p;

	rig_account(r, "a1", 0, 2);
	rig_account(r, "a2", 0, 2);
	rig_account(r, "a3", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	p = proc_new(r);
	op = admit_now(p, key);
	m[0] = move_now(p, op, "error");
	assert_int_equal(nparked(r), 1);
	p->fail_times = 1;
	m[1] = move_now(p, &m[0]->admit, "error");
	assert_int_equal(m[1]->admit.verdict, ADMIT_LEASED);
	assert_true(m[1]->undo_park);
	assert_int_equal(nparked(r), 0);
	m[2] = move_now(p, &m[1]->admit, "error");
	assert_int_equal(nparked(r), 0);
	assert_int_equal(m[2]->admit.verdict, ADMIT_NO_ACCOUNT);
	assert_string_equal(m[2]->admit.reason,
	    "3 of 3 accounts in the pool were tried");
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT state FROM ledger"), 0);

	end = give_up(op, 3);
	proc_run1(p, &end.op);
	assert_int_equal(end.cost_nusd, 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND attempts = 3 AND account_id = 3"), 1);
	drop(op);
	move_free(m[0]);
	move_free(m[1]);
	move_free(m[2]);
	proc_free(p);
}

static void
facts_park_every_time(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct move_op *m[2];
	struct settle_op *s;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 2);
	rig_account(r, "a2", 0, 2);
	rig_account(r, "a3", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	op = admit_now(p, key);
	for (i = 0; i < 2; i++) {
		m[i] = move_make(p, i == 0 ? op : &m[0]->admit,
		    "rate_limited");
		m[i]->park.stated = m[i]->park.fact = true;
		m[i]->park.until_ms = INT64_C(4102444800000);
		proc_run1(p, &m[i]->admit.op);
		assert_int_equal(m[i]->admit.verdict, ADMIT_LEASED);
	}
	assert_int_equal(nparked(r), 2);
	assert_int_equal(rig_int(r, "SELECT min(until_ms) FROM cooldown "
	    "WHERE stated = 1"), 4102444800000);
	s = settle_make(p, &m[1]->admit);
	s->success = false;
	s->park = m[1]->park;
	proc_run1(p, &s->op);
	assert_int_equal(nparked(r), 3);
	lease_drop(&s->lease);
	free(s);
	drop(op);
	move_free(m[0]);
	move_free(m[1]);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_PARKED);
	drop(op);
	proc_free(p);
}

static void
a_family_alone_is_parked(void **state)
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
	s = settle_make(p, op);
	s->success = false;
	s->park = (struct park) { .wanted = true, .family = "sonnet",
		.reason = "rate_limited", .stated = true, .fact = true,
		.until_ms = INT64_C(4102444800000) };
	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	free(s);
	free(op);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_PARKED);
	assert_string_equal(op->reason,
	    "the account is parked until 2100-01-01T00:00:00Z (rate_limited, "
	    "models of sonnet)");
	assert_true(op->limited);
	drop(op);
	op = admit_make(p, key);
	snprintf(op->model, sizeof(op->model), "claude-opus-4-1");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	finish(p, op);
	proc_free(p);
}

static void
a_success_forgets_strikes(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct proc *p[2];
	int64_t version;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_change(r, "INSERT INTO cooldown (account_id, reason, since_ms, "
	    "until_ms, stated, strikes, observed_ms) VALUES (1, 'error', 0, 1, "
	    "0, 5, 0)");
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	finish(p[0], admit_now(p[0], key));
	assert_int_equal(rig_int(r, "SELECT count(*) FROM cooldown"), 0);

	/* And that is all that a success ever writes about the account. */
	version = rig_int(r, "SELECT value FROM meta "
	    "WHERE name = 'config_version'");
	finish(p[1], admit_now(p[1], key));
	finish(p[0], admit_now(p[0], key));
	assert_int_equal(rig_int(r, "SELECT value FROM meta "
	    "WHERE name = 'config_version'"), version);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
a_move_waits_when_all_others_are_busy(void **state)
{
	struct rig *r = *state;
	struct admit_op *op, *busy, *late;
	struct key_info *key;
	struct move_op *m;
	struct proc *p[2];

	rig_account(r, "a1", 0, 1);
	rig_account(r, "a2", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	op = admit_now(p[0], key);
	busy = admit_now(p[1], key);
	m = move_now(p[0], op, "error");
	assert_false(proc_posted(p[0], &m->admit.op));
	assert_string_equal(rig_text(r, "SELECT tried FROM ticket"), "1");
	assert_int_equal(rig_int(r, "SELECT fence FROM ledger "
	    "WHERE id = (SELECT min(id) FROM ledger)"), 1);

	/* Another process frees the slot, and knows what was tried. */
	late = admit_now(p[1], key);
	finish(p[1], busy);
	assert_int_equal(rig_int(r, "SELECT account_id FROM ticket "
	    "WHERE granted_ms IS NOT NULL"), 2);
	proc_poll(p[0]);
	assert_true(proc_posted(p[0], &m->admit.op));
	assert_int_equal(m->admit.verdict, ADMIT_LEASED);
	assert_int_equal(m->admit.lease.attempt, 2);
	assert_int_equal(m->admit.lease.account->id, 2);
	assert_int_equal(m->admit.lease.ntried, 1);
	assert_int_equal(rig_int(r, "SELECT max(fence) FROM ledger"), 2);
	move_finish(p[0], m);
	proc_poll(p[1]);
	assert_int_equal(late->verdict, ADMIT_LEASED);
	finish(p[1], late);
	drop(op);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
a_waiting_move_that_ends_is_left_to_be_settled(void **state)
{
	struct cancel_op gone = { .op.kind = OP_CANCEL };
	struct rig *r = *state;
	struct admit_op *op, *busy;
	struct settle_op *s;
	struct key_info *key;
	struct move_op *m;
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	rig_account(r, "a2", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	op = admit_now(p, key);
	busy = admit_now(p, key);
	m = move_now(p, op, "error");
	gone.ledger_id = m->admit.ledger_id;
	proc_run1(p, &gone.op);
	assert_true(proc_posted(p, &m->admit.op));
	assert_true(m->admit.cancelled);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 0"), 2);

	/* The relay settles with the old lease; its slot is not its own any
	 * more. */
	m->admit.lease = m->lease;
	memset(&m->lease, 0, sizeof(m->lease));
	m->admit.lease.held = true;
	s = settle_make(p, &m->admit);
	proc_run1(p, &s->op);
	assert_int_equal(slots_held(r), 1);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    2000);
	lease_drop(&s->lease);
	free(s);
	move_free(m);
	drop(op);
	finish(p, busy);
	proc_free(p);
}

/* ---- what given-up attempts cost ---- */

static void
given_up_attempts_keep_their_part(void **state)
{
	static const struct {
		enum usage_mark mark;
		int64_t output;		/* of the first attempt */
		int64_t cost;		/* of the whole */
		int64_t tokens;		/* output of the whole */
	} cases[] = {
		{ USAGE_NONE, 0, 30, 20 },
		{ USAGE_PARTIAL, 100, 130, 120 },
		{ USAGE_EXACT, 900, 930, 920 },
		{ USAGE_ESTIMATED, 0, 2000, 20 },
	};
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct settle_op *s;
	struct move_op *m;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 2);
	rig_account(r, "a2", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	p = proc_new(r);
	for (i = 0; i < NITEMS(cases); i++) {
		op = admit_now(p, key);
		m = move_make(p, op, "error");
		m->park.wanted = false;
		m->end.mark = cases[i].mark;
		m->end.usage.output_tokens = cases[i].output;
		proc_run1(p, &m->admit.op);
		m->admit.reserved_nusd = 2000;
		s = settle_make(p, &m->admit);
		proc_run1(p, &s->op);
		assert_int_equal(s->cost_nusd, cases[i].cost);
		assert_int_equal(rig_int(r, "SELECT output_tokens "
		    "FROM ledger WHERE mark = 1 ORDER BY id DESC"),
		    cases[i].tokens);
		lease_drop(&s->lease);
		free(s);
		move_free(m);
		drop(op);
	}
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(a_move_closes_parks_and_leases_anew),
		T(a_park_that_fails_is_done_again),
		T(a_request_that_fails_everywhere_parks_nobody),
		T(facts_park_every_time),
		T(a_family_alone_is_parked),
		T(a_success_forgets_strikes),
		T(a_move_waits_when_all_others_are_busy),
		T(a_waiting_move_that_ends_is_left_to_be_settled),
		T(given_up_attempts_keep_their_part),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
