#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

#define PROCS	16

/* One account of 20 slots, and a key that may use it. */
static struct key_info *
furnish(struct rig *r)
{

	rig_account(r, "a1", 0, 20);
	return (rig_key(r, "k1", "pool", 0, 0));
}

/* Account ${id} was parked ${ms} ago for 60 s, for the third time. */
static void
park_since(struct rig *r, int64_t id, const char *reason, int soft,
    int64_t ms)
{
	long long since = (long long)(rig_int(r, "SELECT {now}") * 1000 - ms);
	char sql[512];

	(void)snprintf(sql, sizeof(sql), "DELETE FROM cooldown WHERE "
	    "account_id = %lld; INSERT INTO cooldown (account_id, reason, "
	    "since_ms, until_ms, stated, strikes, observed_ms, soft) VALUES "
	    "(%lld, '%s', %lld, %lld, 0, 3, %lld, %d)", (long long)id,
	    (long long)id, reason, since, since + 60000, since, soft);
	rig_change(r, sql);
}

static void
half_open(struct rig *r)
{

	park_since(r, 1, "auth", 0, 61000);
}

static bool
leased(struct proc *p, const struct admit_op *op)
{

	return (proc_posted(p, &op->op) && op->verdict == ADMIT_LEASED &&
	    op->lease.held);
}

static int64_t
count(struct rig *r, const char *where)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM cooldown "
	    "WHERE %s", where);
	return (rig_int(r, sql));
}

/* The probe of ${op} fails, and is not tried elsewhere. */
static void
failed(struct proc *p, struct admit_op *op, const char *reason, bool soft)
{
	struct settle_op *s = settle_make(p, op);

	s->success = false;
	s->park = (struct park) { .wanted = true, .soft = soft,
		.base_ms = 60000 };
	(void)snprintf(s->park.reason, sizeof(s->park.reason), "%s", reason);
	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	free(s);
	free(op);
}

static void
one_of_sixteen_responders_probes(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *ops[PROCS];
	struct proc *p[PROCS];
	int i, n = 0;

	half_open(r);
	for (i = 0; i < PROCS; i++)
		p[i] = proc_new(r);
	p[0]->fail_times = 1;
	for (i = 0; i < PROCS; i++) {
		ops[i] = admit_now(p[i], key);
		n += leased(p[i], ops[i]);
	}
	assert_int_equal(n, 1);
	assert_true(ops[0]->lease.probe);
	assert_non_null(strstr(ops[0]->trace, "\"probe\":\"auth\""));
	for (i = 0; i < PROCS; i++)
		proc_beat(p[i]);
	assert_int_equal(slots_held(r), 1);

	/* It comes through: the others are served, and are no probes. */
	finish(p[0], ops[0]);
	assert_int_equal(count(r, "1 = 1"), 0);
	for (i = 1; i < PROCS; i++) {
		proc_poll(p[i]);
		assert_true(leased(p[i], ops[i]));
		assert_false(ops[i]->lease.probe);
	}
	assert_int_equal(slots_held(r), PROCS - 1);
	for (i = 1; i < PROCS; i++)
		finish(p[i], ops[i]);
	rig_balance(r, "probed");
	for (i = 0; i < PROCS; i++)
		proc_free(p[i]);
}

static void
a_probe_that_fails_parks_for_longer(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;

	half_open(r);
	p = proc_new(r);
	op = admit_now(p, key);
	assert_true(leased(p, op));
	failed(p, op, "auth", false);
	assert_int_equal(count(r, "strikes = 4 AND since_ms > {now} * 1000 - "
	    "9000 AND until_ms - observed_ms BETWEEN 432000 AND 528000"), 1);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_PARKED);
	assert_false(op->limited);
	assert_non_null(strstr(op->reason, "the account is parked until 2"));
	assert_non_null(strstr(op->reason, "Z (auth)"));
	drop(op);
	proc_free(p);
}

/* Who dies loses the right; who is slow keeps it as long as it runs. */
static void
the_dead_lose_the_right_and_the_slow_keep_it(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *dead, *slow, *op, *more;
	struct proc *p[3];

	half_open(r);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	p[2] = proc_new(r);
	dead = admit_now(p[0], key);
	assert_true(leased(p[0], dead));
	op = admit_now(p[2], key);
	assert_false(proc_posted(p[2], &op->op));
	drop(dead);
	proc_die(p[0]);
	proc_beat(p[1]);
	proc_poll(p[2]);
	assert_true(leased(p[2], op));
	assert_true(op->lease.probe);

	slow = op;
	op = admit_now(p[1], key);
	assert_false(proc_posted(p[1], &op->op));
	rig_change(r, "UPDATE cooldown SET probe_ms = probe_ms - 3600000");
	proc_poll(p[1]);
	assert_false(proc_posted(p[1], &op->op));
	failed(p[2], slow, "auth", false);
	half_open(r);
	proc_poll(p[1]);
	assert_true(leased(p[1], op));
	assert_true(op->lease.probe);
	more = admit_now(p[1], key);
	assert_false(proc_posted(p[1], &more->op));

	/* Of a clock that was set back since. */
	rig_change(r, "UPDATE cooldown SET probe_ms = probe_ms + 9000000");
	proc_poll(p[1]);
	assert_true(leased(p[1], more));
	finish(p[1], op);
	finish(p[1], more);
	proc_free(p[1]);
	proc_free(p[2]);
}

static void
a_busy_upstream_never_takes_out_the_last_account(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op, *other;
	struct proc *p[2];

	p[0] = proc_new(r);
	p[1] = proc_new(r);
	failed(p[0], admit_now(p[0], key), "overloaded", true);
	assert_int_equal(count(r, "soft = 1 AND until_ms > {now} * 1000"), 1);

	/* Failure after failure, one request at a time goes through. */
	op = admit_now(p[1], key);
	assert_true(leased(p[1], op) && op->lease.probe);
	other = admit_now(p[0], key);
	assert_false(proc_posted(p[0], &other->op));
	failed(p[1], op, "overloaded", true);
	proc_poll(p[0]);
	assert_true(leased(p[0], other) && other->lease.probe);
	assert_int_equal(count(r, "strikes = 1"), 1);

	/* Until one is served, long before the time is over. */
	finish(p[0], other);
	assert_int_equal(count(r, "1 = 1"), 0);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
with_another_left_a_busy_one_rests(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;
	int i;

	rig_account(r, "a2", 0, 2);
	p = proc_new(r);
	park_since(r, 1, "overloaded", 1, 0);
	for (i = 0; i < 3; i++) {
		op = admit_now(p, key);
		assert_int_equal(op->lease.account->id, 2);
		finish(p, op);
	}
	rig_change(r, "UPDATE account SET enabled = 0 WHERE id = 2");
	op = admit_now(p, key);
	assert_true(leased(p, op) && op->lease.probe);
	assert_int_equal(op->lease.account->id, 1);
	finish(p, op);
	proc_free(p);
}

static void
a_stream_s_first_byte_is_proof(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op, *other;
	struct prove_op proof = { .op.kind = OP_PROVE };
	struct proc *p;

	half_open(r);
	p = proc_new(r);
	op = admit_now(p, key);
	other = admit_now(p, key);
	assert_false(proc_posted(p, &other->op));
	proof.ledger_id = op->ledger_id;
	proof.account_id = 1;
	strcpy(proof.model, op->model);
	p->fail_times = 1;
	proc_run1(p, &proof.op);
	assert_true(leased(p, other));
	assert_false(other->lease.probe);
	assert_int_equal(slots_held(r), 2);
	finish(p, op);
	finish(p, other);
	proc_free(p);
}

/* It failed for a reason that is nobody's: the next may try at once. */
static void
who_moves_on_leaves_the_right_behind(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;

	half_open(r);
	rig_account(r, "a2", 0, 2);
	p = proc_new(r);
	op = admit_now(p, key);
	assert_int_equal(op->lease.account->id, 1);
	assert_true(op->lease.probe);
	m = move_make(p, op, "send");
	m->park.wanted = false;
	proc_run1(p, &m->admit.op);
	assert_int_equal(m->admit.lease.account->id, 2);
	assert_false(m->admit.lease.probe);
	assert_int_equal(count(r, "probe_id IS NULL"), 1);
	lease_drop(&m->lease);
	finish(p, &m->admit);
	free(op);
	proc_free(p);
}

/* Others have found out before: the second failure undoes nothing. */
static void
a_probe_is_not_to_blame(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct settle_op *s;
	struct move_op *m;
	struct proc *p;

	half_open(r);
	rig_account(r, "a2", 0, 2);
	p = proc_new(r);
	op = admit_now(p, key);
	m = move_make(p, op, "auth");
	proc_run1(p, &m->admit.op);
	assert_int_equal(m->admit.lease.account->id, 2);
	s = settle_make(p, &m->admit);
	s->success = false;
	s->park = m->park;
	proc_run1(p, &s->op);
	assert_int_equal(count(r, "until_ms > {now} * 1000"), 2);
	assert_int_equal(count(r, "account_id = 1 AND strikes = 4"), 1);
	lease_drop(&s->lease);
	lease_drop(&m->lease);
	free(s);
	free(m);
	free(op);
	proc_free(p);
}

/* What another process grants is a probe as well; as a grant it lapses. */
static void
a_granted_slot_may_be_a_probe(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *ops[2];
	struct proc *p[2];

	half_open(r);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	ops[0] = admit_now(p[0], key);
	ops[1] = admit_now(p[1], key);
	assert_false(proc_posted(p[1], &ops[1]->op));
	failed(p[0], ops[0], "overloaded", true);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket WHERE "
	    "granted_ms IS NOT NULL"), 1);
	assert_int_equal(count(r, "probe_id = (SELECT ledger_id FROM "
	    "ticket) AND probe_attempt = 1"), 1);

	rig_sql(r, "UPDATE ticket SET granted_ms = granted_ms - 3000");
	proc_beat(p[0]);
	assert_int_equal(count(r, "probe_id = (SELECT ledger_id FROM ticket "
	    "WHERE granted_ms IS NOT NULL)"), 1);
	proc_poll(p[1]);
	assert_true(leased(p[1], ops[1]));
	assert_true(ops[1]->lease.probe);
	assert_non_null(strstr(ops[1]->trace,
	    "\"why\":\"granted\",\"probe\":\"overloaded\""));
	finish(p[1], ops[1]);
	assert_int_equal(count(r, "1 = 1"), 0);
	rig_balance(r, "granted");
	proc_free(p[0]);
	proc_free(p[1]);
}

/* count_tokens: it needs no slot, and cannot wait. */
static void
what_needs_no_slot_probes_as_well(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op, *more;
	struct proc *p;

	half_open(r);
	p = proc_new(r);
	op = admit_make(p, key);
	more = admit_make(p, key);
	op->needs_slot = more->needs_slot = false;
	proc_run1(p, &op->op);
	assert_true(leased(p, op) && op->lease.probe);
	proc_run1(p, &more->op);
	assert_int_equal(more->verdict, ADMIT_QUEUE_TIMEOUT);
	assert_string_equal(more->reason, "1 account failed and is being "
	    "probed by another request");
	drop(more);
	finish(p, op);
	assert_int_equal(count(r, "1 = 1"), 0);
	proc_free(p);
}

static void
the_machine_never_enables_an_account(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op, *late;
	struct proc *p;

	half_open(r);
	p = proc_new(r);
	late = admit_now(p, key);
	rig_change(r, "UPDATE account SET enabled = 0");
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_NO_ACCOUNT);
	drop(op);
	finish(p, late);
	assert_int_equal(count(r, "1 = 1"), 0);
	park_since(r, 1, "overloaded", 1, 0);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_NO_ACCOUNT);
	drop(op);
	park_since(r, 1, "overloaded", 1, 61000);
	proc_beat(p);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_NO_ACCOUNT);
	drop(op);
	assert_int_equal(rig_int(r, "SELECT enabled FROM account"), 0);
	proc_free(p);
}

/* The one that parked it is gone; and clocks were set back by a year. */
static void
a_park_ends_whatever_happens(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op;
	struct proc *p;

	p = proc_new(r);
	failed(p, admit_now(p, key), "auth", false);
	proc_die(p);
	p = proc_new(r);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_PARKED);
	drop(op);
	rig_change(r, "UPDATE cooldown SET until_ms = {now} * 1000 - 1");
	op = admit_now(p, key);
	assert_true(leased(p, op));
	finish(p, op);
	assert_int_equal(count(r, "1 = 1"), 0);

	park_since(r, 1, "auth", 0, INT64_C(-365) * 86400000);
	op = admit_now(p, key);
	assert_true(leased(p, op) && op->lease.probe);
	finish(p, op);
	assert_int_equal(count(r, "1 = 1"), 0);
	proc_free(p);
}

#define RIGGED(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(one_of_sixteen_responders_probes),
		RIGGED(a_probe_that_fails_parks_for_longer),
		RIGGED(the_dead_lose_the_right_and_the_slow_keep_it),
		RIGGED(a_busy_upstream_never_takes_out_the_last_account),
		RIGGED(with_another_left_a_busy_one_rests),
		RIGGED(a_stream_s_first_byte_is_proof),
		RIGGED(who_moves_on_leaves_the_right_behind),
		RIGGED(a_probe_is_not_to_blame),
		RIGGED(a_granted_slot_may_be_a_probe),
		RIGGED(what_needs_no_slot_probes_as_well),
		RIGGED(the_machine_never_enables_an_account),
		RIGGED(a_park_ends_whatever_happens),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
