#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

/* ---- slots are never overbooked, nor left idle ---- */

#define N_RACE	40

/* Two processes admit and settle by turns: whatever the order, no more slots
 * are held than there are, and every request is served in the end. */
static void
two_processes_never_overbook(void **state)
{
	struct rig *r = *state;
	struct admit_op *op[2][N_RACE];
	bool done[2][N_RACE] = { { false } };
	struct key_info *key[2];
	struct proc *p[2];
	size_t i, w, served = 0, round;

	rig_account(r, "a1", 0, 3);
	rig_account(r, "a2", 0, 2);
	key[0] = rig_key(r, "k1", "pool", 0, 0);
	key[1] = rig_key(r, "k2", "pool", 0, 0);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	for (i = 0; i < N_RACE; i++) {
		for (w = 0; w < 2; w++) {
			op[w][i] = admit_now(p[w], key[w]);
			op[w][i]->give_up_ms += 100000;
			assert_in_range(slots_held(r), 1, 5);
		}
	}
	assert_int_equal(slots_held(r), 5);
	for (round = 0; round < 2 * N_RACE && served < 2 * N_RACE; round++) {
		w = round % 2;
		for (i = 0; i < N_RACE; i++) {
			if (done[w][i] || !proc_posted(p[w], &op[w][i]->op))
				continue;
			assert_int_equal(op[w][i]->verdict, ADMIT_LEASED);
			finish(p[w], op[w][i]);
			done[w][i] = true;
			served++;
			assert_in_range(slots_held(r), 0, 5);
		}
		proc_poll(p[w]);
	}
	assert_int_equal(served, 2 * N_RACE);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 1"), 2 * N_RACE);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
a_higher_class_goes_first(void **state)
{
	static const int classes[] = { 2, 1, 0, 1 };
	static const size_t order[] = { 2, 1, 3, 0 };
	struct rig *r = *state;
	struct admit_op *first, *op[4];
	struct key_info *key;
	struct proc *p[2];
	char text[96];
	size_t i;

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k", "pool", 0, 0);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	first = admit_now(p[0], key);
	assert_int_equal(first->verdict, ADMIT_LEASED);
	for (i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "k%zu", i);
		key = rig_key(r, text, "pool", 0, 0);
		snprintf(text, sizeof(text), "UPDATE api_key SET queue_class "
		    "= %d WHERE id = %lld", classes[i], (long long)key->id);
		rig_sql(r, text);
		op[i] = admit_now(p[i % 2], key);
		assert_false(proc_posted(p[i % 2], &op[i]->op));
	}
	finish(p[0], first);
	for (i = 0; i < 4; i++) {
		proc_poll(p[0]);
		proc_poll(p[1]);
		assert_true(proc_posted(p[order[i] % 2], &op[order[i]]->op));
		assert_int_equal(op[order[i]]->verdict, ADMIT_LEASED);
		assert_int_equal(slots_held(r), 1);
		finish(p[order[i] % 2], op[order[i]]);
	}
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
a_keys_own_concurrency_holds_across_processes(void **state)
{
	struct rig *r = *state;
	struct admit_op *op[4], *other;
	struct key_info *key, *key2;
	struct proc *p[2];
	size_t i;

	rig_account(r, "a1", 0, 10);
	key = rig_key(r, "k1", "pool", 0, 2);
	key2 = rig_key(r, "k2", "pool", 0, 0);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	for (i = 0; i < 4; i++)
		op[i] = admit_now(p[i % 2], key);
	assert_true(proc_posted(p[0], &op[0]->op));
	assert_true(proc_posted(p[1], &op[1]->op));
	assert_false(proc_posted(p[0], &op[2]->op));
	assert_false(proc_posted(p[1], &op[3]->op));
	assert_int_equal(slots_held(r), 2);

	/* Others are not held up by it. */
	other = admit_now(p[0], key2);
	assert_int_equal(other->verdict, ADMIT_LEASED);
	finish(p[0], other);

	/* A place that is free is handed on, first to the oldest. */
	finish(p[1], op[1]);
	assert_true(proc_posted(p[0], &op[2]->op) ||
	    rig_int(r, "SELECT count(*) FROM ticket "
	    "WHERE granted_ms IS NOT NULL") == 1);
	proc_poll(p[0]);
	assert_true(proc_posted(p[0], &op[2]->op));
	finish(p[0], op[0]);
	proc_poll(p[1]);
	assert_true(proc_posted(p[1], &op[3]->op));
	finish(p[0], op[2]);
	finish(p[1], op[3]);
	proc_free(p[0]);
	proc_free(p[1]);
}

/* ---- fairness ---- */

static void
one_of_another_key_does_not_wait_behind_a_crowd(void **state)
{
	struct rig *r = *state;
	struct admit_op *crowd[200], *one, *running[2];
	struct key_info *many, *few;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 2);
	many = rig_key(r, "many", "pool", 0, 0);
	few = rig_key(r, "few", "pool", 0, 0);
	p = proc_new(r);
	running[0] = admit_now(p, many);
	running[1] = admit_now(p, many);
	for (i = 0; i < 200; i++)
		crowd[i] = admit_now(p, many);
	one = admit_now(p, few);
	assert_int_equal(p->runner->waiting.n, 201);
	finish(p, running[0]);
	assert_true(proc_posted(p, &one->op));
	assert_false(proc_posted(p, &crowd[0]->op));
	finish(p, one);

	/* Within the key it is first come, first served. */
	assert_true(proc_posted(p, &crowd[0]->op));
	assert_false(proc_posted(p, &crowd[1]->op));
	finish(p, running[1]);
	assert_true(proc_posted(p, &crowd[1]->op));
	assert_false(proc_posted(p, &crowd[2]->op));
	for (i = 0; i < 200; i++)
		finish(p, crowd[i]);
	assert_int_equal(slots_held(r), 0);
	proc_free(p);
}

static void
keys_take_turns(void **state)
{
	struct rig *r = *state;
	struct admit_op *op[3][4], *running;
	struct key_info *key[3];
	struct proc *p;
	size_t i, k, order;
	int got[3] = { 0 };

	rig_account(r, "a1", 0, 1);
	for (k = 0; k < 3; k++)
		key[k] = rig_key(r, k == 0 ? "x" : k == 1 ? "y" : "z", "pool",
		    0, 0);
	p = proc_new(r);
	running = admit_now(p, key[0]);
	for (k = 0; k < 3; k++) {
		for (i = 0; i < 4; i++)
			op[k][i] = admit_now(p, key[k]);
	}
	finish(p, running);
	for (order = 0; order < 12; order++) {
		for (k = 0; k < 3; k++) {
			if (got[k] < 4 &&
			    proc_posted(p, &op[k][got[k]]->op))
				break;
		}
		assert_true(k < 3);
		got[k]++;
		/* Nobody gets ahead by more than a turn. */
		for (i = 0; i < 3; i++)
			assert_in_range(got[k] - got[i] + 1, 0, 2);
		finish(p, op[k][got[k] - 1]);
	}
	proc_free(p);
}

static void
newcomers_do_not_overtake(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b, *c;
	struct key_info *key;
	struct settle_op *s;
	struct store_op *both[2];
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	a = admit_now(p, key);
	b = admit_now(p, key);
	c = admit_make(p, key);
	s = settle_make(p, a);
	both[0] = &c->op;
	both[1] = &s->op;
	proc_run(p, both, 2);
	assert_true(proc_posted(p, &b->op));
	assert_false(proc_posted(p, &c->op));
	lease_drop(&s->lease);
	free(s);
	free(a);
	finish(p, b);
	finish(p, c);
	proc_free(p);
}

static void
other_accounts_are_not_held_up(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b, *c;
	struct key_info *one, *two;
	struct proc *p;
	int64_t g1, g2;

	g1 = rig_group(r, "g1", "weighted");
	g2 = rig_group(r, "g2", "least_connections");
	rig_account(r, "a1", g1, 1);
	rig_account(r, "a2", g2, 1);
	one = rig_key(r, "k1", "group", g1, 0);
	two = rig_key(r, "k2", "group", g2, 0);
	p = proc_new(r);
	a = admit_now(p, one);
	b = admit_now(p, one);
	c = admit_now(p, two);
	assert_false(proc_posted(p, &b->op));
	assert_true(proc_posted(p, &c->op));
	assert_int_equal(c->lease.account->id, 2);
	finish(p, c);
	finish(p, a);
	finish(p, b);
	proc_free(p);
}

/* ---- bounds ---- */

static void
the_queue_is_bounded_in_number_and_time(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b, *c, *d;
	struct key_info *key;
	struct proc *p[2];

	rig_account(r, "a1", 0, 1);
	rig_price(r, "claude-*", 1000000);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_budget(r, key->id, 1000000);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	p[0]->shared.settings.queue_max = 2;
	p[1]->shared.settings.queue_max = 2;
	a = admit_now(p[0], key);
	b = admit_now(p[0], key);
	c = admit_now(p[1], key);
	d = admit_now(p[1], key);
	assert_false(proc_posted(p[0], &b->op));
	assert_false(proc_posted(p[1], &c->op));
	assert_int_equal(d->verdict, ADMIT_QUEUE_FULL);
	assert_false(d->opened);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    6000);
	drop(d);

	clock_fake_advance(&r->clock, 9999);
	proc_poll(p[0]);
	assert_false(proc_posted(p[0], &b->op));
	clock_fake_advance(&r->clock, 1);
	proc_poll(p[0]);
	proc_poll(p[1]);
	assert_true(proc_posted(p[0], &b->op));
	assert_int_equal(b->verdict, ADMIT_QUEUE_TIMEOUT);
	assert_true(b->opened);
	assert_int_equal(b->queue_ms, 10000);
	assert_string_equal(b->reason,
	    "no slot was free in the pool for 10 s");
	assert_int_equal(c->verdict, ADMIT_QUEUE_TIMEOUT);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND outcome = 'queue_timeout' AND attempts = 0 AND "
	    "cost_nusd = 0 AND queue_ms = 10000"), 2);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    2000);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 0);
	drop(b);
	drop(c);
	finish(p[0], a);
	proc_free(p[0]);
	proc_free(p[1]);
}

/* ${n} requests of the key in one batch; how many of them wait. */
static int
crowd(struct proc *p, struct key_info *key, struct admit_op **ops, size_t n)
{
	struct store_op *batch[16];
	int waiting = 0;
	size_t i;

	assert_true(n <= NITEMS(batch));
	for (i = 0; i < n; i++) {
		ops[i] = admit_make(p, key);
		batch[i] = &ops[i]->op;
	}
	proc_run(p, batch, n);
	for (i = 0; i < n; i++) {
		if (!proc_posted(p, &ops[i]->op))
			waiting++;
		else
			assert_int_equal(ops[i]->verdict, ADMIT_QUEUE_FULL);
	}
	return (waiting);
}

static void
a_full_queue_has_room_for_keys_below_their_share(void **state)
{
	static const struct {
		const char *name;
		int first, second;	/* of 12 that come, that wait */
	} keys[] = {
		{ "k1", 8, 0 },		/* alone: the whole queue */
		{ "k2", 4, 0 },		/* half of it, and one more key ... */
		{ "k3", 2, 0 },		/* a third */
		{ "k4", 2, 0 },		/* a fourth: now twice as many wait */
		{ "k5", 0, 0 },
	};
	struct admit_op *ops[NITEMS(keys)][24], *a;
	struct rig *r = *state;
	struct key_info *key;
	struct proc *p;
	size_t i, j;

	rig_account(r, "a1", 0, 1);
	rig_price(r, "claude-*", 1000000);
	p = proc_new(r);
	p->shared.settings.queue_max = 8;
	a = admit_now(p, rig_key(r, "k0", "pool", 0, 0));
	for (i = 0; i < NITEMS(keys); i++) {
		key = rig_key(r, keys[i].name, "pool", 0, 0);
		assert_int_equal(crowd(p, key, ops[i], 12), keys[i].first);
		assert_int_equal(crowd(p, key, ops[i] + 12, 12),
		    keys[i].second);
	}
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 16);
	clock_fake_advance(&r->clock, 10000);
	proc_poll(p);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 0);
	for (i = 0; i < NITEMS(keys); i++) {
		for (j = 0; j < 24; j++)
			drop(ops[i][j]);
	}
	finish(p, a);
	proc_free(p);
}

static void
cancel(struct proc *p, struct admit_op *op)
{
	struct cancel_op c = { .op.kind = OP_CANCEL,
		.ledger_id = op->ledger_id };

	proc_run1(p, &c.op);
}

static void
whoever_leaves_gives_all_back(void **state)
{
	struct rig *r = *state;
	struct cancel_op gone = { .op.kind = OP_CANCEL };
	struct admit_op *a, *b, *c;
	struct store_op *both[2];
	struct key_info *key;
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	rig_price(r, "claude-*", 1000000);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	a = admit_now(p, key);
	b = admit_now(p, key);
	cancel(p, b);
	assert_true(proc_posted(p, &b->op));
	assert_true(b->cancelled);
	assert_true(b->opened);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND outcome = 'client_gone'"), 1);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    2000);

	/* Too late: it has its lease already. */
	cancel(p, a);
	assert_false(a->cancelled);
	assert_int_equal(slots_held(r), 1);

	/* In one batch: it was never there. */
	c = admit_make(p, key);
	gone.ledger_id = c->ledger_id;
	both[0] = &c->op;
	both[1] = &gone.op;
	proc_run(p, both, 2);
	assert_true(proc_posted(p, &c->op));
	assert_true(c->cancelled);
	assert_false(c->opened);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger"), 2);
	drop(b);
	drop(c);
	finish(p, a);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"), 0);
	proc_free(p);
}

static void
a_key_revoked_meanwhile_stops_waiting(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b;
	struct key_info *key, *key2;
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	key2 = rig_key(r, "k2", "pool", 0, 0);
	p = proc_new(r);
	a = admit_now(p, key);
	b = admit_now(p, key2);
	rig_sql(r, "UPDATE api_key SET revoked_ms = 1 WHERE name = 'k2'");
	proc_poll(p);
	assert_true(proc_posted(p, &b->op));
	assert_int_equal(b->verdict, ADMIT_NO_KEY);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 1"), 1);
	drop(b);
	finish(p, a);
	proc_free(p);
}

/* ---- parked accounts ---- */

static void
park_all(struct rig *r, int64_t for_s)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "REPLACE INTO cooldown (account_id, "
	    "reason, since_ms, until_ms, stated, observed_ms) SELECT id, "
	    "'rate_limited', 0, ({now} + %lld) * 1000, 1, 0 "
	    "FROM account", (long long)for_s);
	rig_change(r, sql);
}

static void
a_short_park_is_waited_for(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *a;
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	park_all(r, 5);
	p = proc_new(r);
	a = admit_now(p, key);
	assert_false(proc_posted(p, &a->op));
	park_all(r, -1);
	proc_poll(p);
	assert_true(proc_posted(p, &a->op));
	assert_int_equal(a->verdict, ADMIT_LEASED);
	finish(p, a);

	/* When it grows longer than the wait may be there is no hope. */
	park_all(r, 5);
	a = admit_now(p, key);
	assert_false(proc_posted(p, &a->op));
	park_all(r, 500);
	proc_poll(p);
	assert_true(proc_posted(p, &a->op));
	assert_int_equal(a->verdict, ADMIT_PARKED);
	assert_true(a->retry_ms > 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 1 AND outcome = 'parked'"), 1);
	drop(a);
	proc_free(p);
}

/* ---- grants across processes ---- */

static void
a_grant_wakes_its_owner(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b;
	struct key_info *key;
	struct proc *p[2];
	char byte;

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	a = admit_now(p[0], key);
	b = admit_now(p[1], key);
	assert_int_equal(recv(p[1]->runner->self.wake_fd, &byte, 1,
	    MSG_DONTWAIT), -1);
	finish(p[0], a);
	assert_int_equal(recv(p[1]->runner->self.wake_fd, &byte, 1,
	    MSG_DONTWAIT), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM slot, ticket "
	    "WHERE slot.responder_id = ticket.responder_id AND "
	    "slot.ledger_id = ticket.ledger_id AND slot_fence = fence"), 1);
	proc_poll(p[1]);
	assert_true(proc_posted(p[1], &b->op));
	assert_int_equal(b->lease.slot_fence, 2);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 0);
	assert_int_equal(rig_int(r, "SELECT fence FROM ledger "
	    "WHERE state = 0"), 1);
	finish(p[1], b);
	assert_int_equal(slots_held(r), 0);
	proc_free(p[0]);
	proc_free(p[1]);
}

/* The grant of another process came first: the slot is not lost. */
static void
whoever_leaves_with_a_grant_gets_its_lease(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b;
	struct key_info *key;
	struct proc *p[2];

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	a = admit_now(p[0], key);
	b = admit_now(p[1], key);
	finish(p[0], a);
	cancel(p[1], b);
	assert_true(proc_posted(p[1], &b->op));
	assert_false(b->cancelled);
	assert_int_equal(b->verdict, ADMIT_LEASED);
	assert_int_equal(slots_held(r), 1);
	finish(p[1], b);
	assert_int_equal(slots_held(r), 0);

	/* As does one whose time is over. */
	a = admit_now(p[0], key);
	b = admit_now(p[1], key);
	clock_fake_advance(&r->clock, 100000);
	finish(p[0], a);
	proc_poll(p[1]);
	assert_int_equal(b->verdict, ADMIT_LEASED);
	finish(p[1], b);
	assert_int_equal(slots_held(r), 0);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
a_grant_not_taken_lapses(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b, *c;
	struct key_info *key[2];
	struct proc *p[2];

	rig_account(r, "a1", 0, 1);
	key[0] = rig_key(r, "k1", "pool", 0, 0);
	key[1] = rig_key(r, "k2", "pool", 0, 0);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	a = admit_now(p[0], key[0]);
	b = admit_now(p[1], key[1]);
	clock_fake_advance(&r->clock, 1);
	c = admit_now(p[0], key[0]);
	finish(p[0], a);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket "
	    "WHERE granted_ms IS NOT NULL"), 1);
	proc_beat(p[0]);
	assert_false(proc_posted(p[0], &c->op));

	/* b's process does nothing; its turn was had. */
	rig_sql(r, "UPDATE ticket SET granted_ms = granted_ms - 2001");
	proc_beat(p[0]);
	assert_true(proc_posted(p[0], &c->op));
	assert_int_equal(slots_held(r), 1);
	finish(p[0], c);
	proc_poll(p[1]);
	assert_true(proc_posted(p[1], &b->op));
	finish(p[1], b);
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
who_is_dropped_in_an_outage_leaves_no_row_open(void **state)
{
	struct rig *r = *state;
	struct admit_op *a, *b, *c;
	struct key_info *key;
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	rig_price(r, "claude-*", 1000000);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_budget(r, key->id, 1000000);
	p = proc_new(r);
	a = admit_now(p, key);
	b = admit_now(p, key);
	c = admit_now(p, key);
	assert_int_equal(b->op.deadline_ms, b->give_up_ms);
	p->calls.dropped(p->runner, &b->op);
	drop(b);
	proc_poll(p);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND outcome = 'store_down' AND cost_nusd = 0"), 1);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    4000);
	finish(p, a);
	assert_int_equal(c->verdict, ADMIT_LEASED);
	finish(p, c);
	proc_free(p);
}

static void
signing_off_sends_everybody_home(void **state)
{
	struct rig *r = *state;
	struct store_op off = { .kind = OP_SIGN_OFF };
	struct admit_op *a, *b;
	struct key_info *key;
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	a = admit_now(p, key);
	b = admit_now(p, key);
	proc_run1(p, &off);
	assert_true(proc_posted(p, &b->op));
	assert_true(b->cancelled);
	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM responder"), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 0"), 0);
	drop(a);
	drop(b);
	proc_die(p);
}

/* As `account wake' does it: who waits for want of accounts that are awake
 * goes on. */
static void
an_account_that_is_woken_serves_who_waits(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *a, *b;
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	rig_account(r, "a2", 0, 1);
	rig_sql(r, "INSERT INTO cooldown (account_id, reason, since_ms, "
	    "until_ms, stated, observed_ms) VALUES (2, 'overloaded', 0, "
	    "9000000000000, 0, 0)");
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	a = admit_now(p, key);
	b = admit_now(p, key);
	proc_poll(p);
	assert_false(proc_posted(p, &b->op));
	rig_change(r, "DELETE FROM cooldown WHERE account_id = 2");
	proc_poll(p);
	assert_true(proc_posted(p, &b->op));
	assert_int_equal(b->verdict, ADMIT_LEASED);
	assert_string_equal(b->lease.account->name, "a2");
	finish(p, a);
	finish(p, b);
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(two_processes_never_overbook),
		T(a_higher_class_goes_first),
		T(a_keys_own_concurrency_holds_across_processes),
		T(one_of_another_key_does_not_wait_behind_a_crowd),
		T(keys_take_turns),
		T(newcomers_do_not_overtake),
		T(other_accounts_are_not_held_up),
		T(a_full_queue_has_room_for_keys_below_their_share),
		T(the_queue_is_bounded_in_number_and_time),
		T(whoever_leaves_gives_all_back),
		T(a_key_revoked_meanwhile_stops_waiting),
		T(a_short_park_is_waited_for),
		T(an_account_that_is_woken_serves_who_waits),
		T(a_grant_wakes_its_owner),
		T(whoever_leaves_with_a_grant_gets_its_lease),
		T(a_grant_not_taken_lapses),
		T(who_is_dropped_in_an_outage_leaves_no_row_open),
		T(signing_off_sends_everybody_home),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
