#include <sys/file.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/rig.h"

/* A pool with one account of two slots and a key with a budget. */
static struct key_info *
furnish(struct rig *r)
{
	struct key_info *key;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	return (key);
}

static void
a_dead_neighbour_is_reaped_at_once(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *a, *b, *c;
	struct proc *p[2];
	char lock[108];

	p[0] = proc_new(r);
	p[1] = proc_new(r);
	assert_int_equal(p[0]->runner->self.node, 0);
	assert_int_equal(p[1]->runner->self.node, 1);
	a = admit_now(p[0], key);
	b = admit_now(p[0], key);
	c = admit_now(p[0], key);
	assert_false(proc_posted(p[0], &c->op));
	memcpy(lock, p[0]->runner->self.lock_path, sizeof(lock));

	/* As long as the lock is held nothing happens. */
	clock_fake_advance(&r->clock, 100000);
	proc_beat(p[1]);
	proc_beat(p[1]);
	assert_int_equal(slots_held(r), 2);
	drop(a);
	drop(b);
	drop(c);
	proc_die(p[0]);
	assert_int_equal(access(lock, F_OK), 0);
	proc_beat(p[1]);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM responder"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 2 AND mark = 3 AND outcome = 'lost' AND "
	    "cost_nusd = 2000 AND account_id = 1 AND attempts = 1"), 2);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 2 AND mark = 0 AND cost_nusd = 0 AND attempts = 0"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "outcome = 'lost' AND mark = 3"), 2);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window "
	    "WHERE reserved = 0"), 4000);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM key_usage WHERE "
	    "key_id = 1 AND requests = 3 AND cost_nusd = 4000"), 1);
	assert_int_equal(access(lock, F_OK), -1);
	proc_free(p[1]);
}

/* The same with a real process that is killed. */
static void
a_killed_process_is_reaped(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct proc *p;
	int ready[2], status;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	/* SQLite connections are not to be carried over a fork. */
	store_close(r->st);
	r->st = NULL;
	if ((pid = fork()) == 0) {
		p = proc_new(r);
		(void)admit_now(p, key);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	p = proc_new(r);
	proc_beat(p);
	assert_int_equal(slots_held(r), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	proc_beat(p);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 2"), 1);
	close(ready[0]);
	close(ready[1]);
	proc_free(p);
}

static void
a_late_settlement_corrects_once(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct settle_op *s;
	struct admit_op *op;
	struct proc *p;

	p = proc_new(r);
	op = admit_now(p, key);
	rig_sql(r, "UPDATE ledger SET state = 2, outcome = 'lost', "
	    "cost_nusd = 2000, mark = 3; UPDATE attempt SET outcome = 'lost';"
	    "UPDATE budget_window SET spent = 2000, reserved = 0; "
	    "UPDATE slot SET responder_id = NULL, ledger_id = NULL, "
	    "key_id = NULL; "
	    "INSERT INTO key_usage VALUES (1, 1, 2000, 0, 0, 0, 0, 1)");
	s = settle_make(p, op);
	p->fail_times = 1;
	proc_run1(p, &s->op);
	assert_true(s->late);
	assert_int_equal(s->cost_nusd, 30);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 3 AND cost_nusd = 30 AND mark = 1 AND outcome = 'ok'"),
	    1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "outcome = 'ok' AND cost_nusd = 30"), 1);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window"), 30);
	assert_string_equal(rig_text(r, "SELECT holds FROM ledger"),
	    "[[1,0,0,30]]");

	proc_run1(p, &s->op);
	assert_false(s->late);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window"), 30);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM key_usage WHERE "
	    "requests = 1 AND cost_nusd = 30 AND input_tokens = 10 AND "
	    "output_tokens = 20 AND last_ms > 1"), 1);
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

/* However late it comes. */
static void
days_later_the_budget_is_corrected_as_well(void **state)
{
	static const char spent[] = "SELECT spent FROM budget_window";
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *op, *waits, *now;
	struct proc *dead, *p;
	struct settle_op *s;

	dead = proc_new(r);
	op = admit_now(dead, key);
	now = admit_now(dead, key);
	waits = admit_now(dead, key);
	assert_false(proc_posted(dead, &waits->op));
	s = settle_make(dead, op);
	proc_die(dead);
	p = proc_new(r);
	p->fail_times = 1;
	proc_beat(p);
	rig_balance(r, "reaped");
	assert_int_equal(rig_int(r, spent), 4000);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 2 AND holds = '[[1,0,0,2000]]'"), 2);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 2 AND fence = 0 AND holds = ''"), 1);
	drop(now);
	drop(waits);

	rig_sql(r, "UPDATE ledger SET settled_ms = settled_ms - 864000000");
	clock_fake_advance(&r->clock, 864000000);
	proc_beat(p);
	now = admit_now(p, key);
	proc_run1(p, &s->op);
	assert_true(s->late);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 3 AND cost_nusd = 30 AND holds = '[[1,0,0,30]]'"), 1);
	assert_int_equal(rig_int(r, spent), 2030);
	finish(p, now);
	assert_int_equal(rig_int(r, spent), 2060);
	rig_balance(r, "corrected");
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

static void
a_slot_leased_anew_is_not_freed_by_its_last_holder(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *a, *b, *c;
	struct proc *p;

	p = proc_new(r);
	a = admit_now(p, key);
	rig_sql(r, "UPDATE slot SET responder_id = NULL, ledger_id = NULL, "
	    "key_id = NULL");
	b = admit_now(p, key);
	c = admit_now(p, key);
	assert_int_equal(slots_held(r), 2);
	finish(p, a);
	assert_int_equal(slots_held(r), 2);
	finish(p, b);
	finish(p, c);
	assert_int_equal(slots_held(r), 0);
	proc_free(p);
}

/* ---- by the beat ---- */

/* ${p} beats, the other does not. */
static void
beats(struct proc *p, int n, int64_t every_ms)
{

	while (n-- > 0) {
		clock_fake_advance(&p->rig->clock, every_ms);
		proc_beat(p);
	}
}

static void
elsewhere_a_beat_that_stands_still_decides(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *a;
	struct proc *p[2];

	p[0] = proc_new(r);
	p[1] = proc_new(r);
	rig_sql(r, "UPDATE responder SET host = 'elsewhere' WHERE node = 0");
	a = admit_now(p[0], key);
	proc_beat(p[1]);
	beats(p[1], 14, 1000);
	assert_int_equal(slots_held(r), 1);

	/* A beat, and the time starts anew. */
	proc_beat(p[0]);
	beats(p[1], 15, 1000);
	assert_int_equal(slots_held(r), 1);
	beats(p[1], 2, 1000);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM responder"), 1);
	drop(a);
	proc_die(p[0]);
	proc_free(p[1]);
}

static void
an_outage_reaps_nobody(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *a;
	struct proc *p[2];

	p[0] = proc_new(r);
	p[1] = proc_new(r);
	rig_sql(r, "UPDATE responder SET host = 'elsewhere' WHERE node = 0");
	a = admit_now(p[0], key);
	proc_beat(p[1]);
	beats(p[1], 3, 3600000);
	assert_int_equal(slots_held(r), 1);
	finish(p[0], a);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
whoever_was_reaped_registers_anew(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *a, *b, *c, *d;
	struct pool_facts facts;
	unsigned serial = 0;
	struct proc *p;
	int64_t id;

	p = proc_new(r);
	id = p->runner->self.id;
	a = admit_now(p, key);
	b = admit_now(p, key);
	c = admit_now(p, key);
	assert_false(proc_posted(p, &c->op));
	rig_sql(r, "DELETE FROM responder; DELETE FROM ticket; "
	    "UPDATE ledger SET state = 2; UPDATE slot SET "
	    "responder_id = NULL, ledger_id = NULL, key_id = NULL");
	d = admit_now(p, key);
	assert_int_equal(d->verdict, ADMIT_LEASED);
	p->fail_times = 1;
	proc_beat(p);
	assert_true(p->runner->self.id > id);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM slot, responder "
	    "WHERE responder_id = responder.id"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger, responder "
	    "WHERE responder_id = responder.id AND state = 0"), 1);
	assert_true(proc_posted(p, &c->op));
	assert_int_equal(c->verdict, ADMIT_QUEUE_TIMEOUT);
	assert_string_equal(c->reason,
	    "the relay lost its place in the queue");
	assert_true(shared_news(&p->shared, &serial, &facts));
	assert_int_equal(facts.responder_id, p->runner->self.id);
	snapshot_unref(facts.snapshot);
	seal_free(facts.seal);
	finish(p, a);
	finish(p, b);
	finish(p, d);
	drop(c);
	assert_int_equal(slots_held(r), 0);
	proc_free(p);
}

static void
rows_of_nobody_are_reaped_after_a_while(void **state)
{
	struct rig *r = *state;
	struct key_info *key = furnish(r);
	struct admit_op *a;
	struct proc *p[2];

	p[0] = proc_new(r);
	p[1] = proc_new(r);
	a = admit_now(p[0], key);
	rig_sql(r, "DELETE FROM responder WHERE node = 0");
	drop(a);
	proc_die(p[0]);
	proc_beat(p[1]);
	beats(p[1], 14, 1000);
	assert_int_equal(slots_held(r), 1);
	beats(p[1], 2, 1000);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 2"), 1);
	proc_free(p[1]);
}

/* An admin responder has but its row. */
static void
an_admin_responder_is_reaped_likewise(void **state)
{
	struct rig *r = *state;
	struct responder admin;
	struct err err = { 0 };
	struct proc *p;

	assert_int_equal(responder_open(&admin, "admin", "", r->dir,
	    &err), 0);
	assert_int_equal(store_begin(r->st, true, &err), 0);
	assert_int_equal(responder_register(&admin, r->st, &err), 0);
	assert_int_equal(store_commit(r->st, &err), 0);
	assert_true(responder_ended(&admin, true));
	p = proc_new(r);
	proc_beat(p);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM responder "
	    "WHERE kind = 'admin'"), 1);
	admin.keep_files = true;
	responder_close(&admin);
	proc_beat(p);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM responder "
	    "WHERE kind = 'admin'"), 0);
	assert_int_equal(access(admin.lock_path, F_OK), -1);
	proc_free(p);
}

static void
host_name_tells_pools_of_one_machine_apart(void **state)
{
	struct rig *r = *state;
	struct responder self = { .kind = "relay" }, other = self;
	struct err err = { 0 };

	assert_int_equal(responder_open(&self, "relay", "", r->dir,
	    &err), 0);
	assert_int_equal(responder_open(&other, "relay", "b.example", r->dir,
	    &err), 0);
	assert_string_not_equal(self.host, other.host);
	assert_string_equal(strchr(other.host, '/'), "/b.example");
	responder_close(&self);
	responder_close(&other);
}

static void
nodes_are_the_smallest_that_are_free(void **state)
{
	struct rig *r = *state;
	struct proc *p[3];

	p[0] = proc_new(r);
	p[1] = proc_new(r);
	proc_free(p[0]);
	p[0] = proc_new(r);
	p[2] = proc_new(r);
	assert_int_equal(p[0]->runner->self.node, 0);
	assert_int_equal(p[1]->runner->self.node, 1);
	assert_int_equal(p[2]->runner->self.node, 2);
	proc_free(p[0]);
	proc_free(p[1]);
	proc_free(p[2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(a_dead_neighbour_is_reaped_at_once),
		T(a_killed_process_is_reaped),
		T(a_late_settlement_corrects_once),
		T(days_later_the_budget_is_corrected_as_well),
		T(a_slot_leased_anew_is_not_freed_by_its_last_holder),
		T(elsewhere_a_beat_that_stands_still_decides),
		T(an_outage_reaps_nobody),
		T(whoever_was_reaped_registers_anew),
		T(rows_of_nobody_are_reaped_after_a_while),
		T(an_admin_responder_is_reaped_likewise),
		T(host_name_tells_pools_of_one_machine_apart),
		T(nodes_are_the_smallest_that_are_free),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
