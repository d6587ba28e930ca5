#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "pool/rig.h"
#include "store/faulty_vfs.h"

#include "verify.h"

/*
 * Three processes do at random what they may do, batches fail at random, one
 * of them dies now and then, and, by the weather, the disk is full or broken or
 * the clock jumps: the books balance after every step.
 */

#define N_PROCS		3
#define N_CALLS		24	/* of a process */
#define STEPS		500
#define SEEDS		5
#define CAP_NUSD	100000

enum phase {
	PHASE_NONE,
	PHASE_ASKED,		/* admission or move under way */
	PHASE_LEASED
};

struct call {
	enum phase phase;
	struct admit_op *admit;		/* as it was first asked for */
	struct move_op *move;		/* the last one; NULL: none */
	struct lease lease;
	int attempts;
	bool cancelled;
};

enum weather {
	WEATHER_FAIR,
	WEATHER_DISK,		/* writes and flushes fail (SQLite) */
	WEATHER_CLOCK		/* wall time jumps, by up to two days */
};

struct storm {
	enum weather weather;
	struct rig *rig;
	struct proc *p[N_PROCS];
	struct call calls[N_PROCS][N_CALLS];
	struct key_info *key[3];
	uint64_t seed;
	int served, died, moved, gone;
	int jumps;
};

static uint32_t
chance(struct storm *s, uint32_t n)
{

	s->seed = s->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((uint32_t)(s->seed >> 33) % n);
}

static struct admit_op *
asked(const struct call *c)
{

	return (c->move != NULL ? &c->move->admit : c->admit);
}

static void
call_free(struct call *c)
{

	lease_drop(&c->lease);
	if (c->move != NULL) {
		lease_drop(&c->move->lease);
		lease_drop(&c->move->admit.lease);
		free(c->move);
	}
	lease_drop(&c->admit->lease);
	free(c->admit);
	memset(c, 0, sizeof(*c));
}

static void
ask(struct storm *s, size_t w, struct call *c)
{

	c->admit = admit_make(s->p[w], s->key[chance(s, 3)]);
	c->admit->give_up_ms = c->admit->submitted_ms + 50 + chance(s, 300);
	c->phase = PHASE_ASKED;
	proc_run1(s->p[w], &c->admit->op);
}

static void
settle(struct storm *s, size_t w, struct call *c)
{
	struct settle_op *op;

	c->admit->lease = c->lease;
	memset(&c->lease, 0, sizeof(c->lease));
	op = settle_make(s->p[w], c->admit);
	op->attempts = c->attempts;
	op->end.mark = (enum usage_mark)chance(s, 4);
	if (op->end.mark == USAGE_ESTIMATED)
		op->end.usage = (struct usage) { 0 };
	if (!op->lease.held)
		op->end = (struct attempt_end) { .mark = USAGE_NONE };
	proc_run1(s->p[w], &op->op);
	lease_drop(&op->lease);
	free(op);
	call_free(c);
	s->served++;
}

static void
move(struct storm *s, size_t w, struct call *c)
{
	struct move_op *old = c->move;

	c->admit->lease = c->lease;
	memset(&c->lease, 0, sizeof(c->lease));
	c->move = move_make(s->p[w], c->admit, "error");
	c->move->park.base_ms = 50;
	c->move->end.mark = (enum usage_mark)chance(s, 3);
	c->phase = PHASE_ASKED;
	c->cancelled = false;
	proc_run1(s->p[w], &c->move->admit.op);
	if (old != NULL) {
		lease_drop(&old->lease);
		lease_drop(&old->admit.lease);
		free(old);
	}
	s->moved++;
}

static void
cancel(struct storm *s, size_t w, struct call *c)
{
	struct cancel_op op = { .op.kind = OP_CANCEL,
		.ledger_id = c->admit->ledger_id };

	c->cancelled = true;
	s->gone++;
	proc_run1(s->p[w], &op.op);
}

/* Take what was answered. */
static void
take(struct storm *s, size_t w, struct call *c)
{
	struct admit_op *op = asked(c);

	if (c->phase != PHASE_ASKED || !proc_posted(s->p[w], &op->op))
		return;
	if (op->verdict == ADMIT_LEASED && !op->cancelled) {
		assert_true(op->lease.held);
		c->lease = op->lease;
		memset(&op->lease, 0, sizeof(op->lease));
		c->attempts = c->lease.attempt;
		c->phase = PHASE_LEASED;
	} else if (c->move != NULL)
		settle(s, w, c);
	else
		call_free(c);
}

static void
die(struct storm *s, size_t w)
{
	size_t i;

	for (i = 0; i < N_CALLS; i++) {
		if (s->calls[w][i].phase != PHASE_NONE)
			call_free(&s->calls[w][i]);
	}
	proc_die(s->p[w]);
	s->died++;
	proc_beat(s->p[(w + 1) % N_PROCS]);
	s->p[w] = proc_new(s->rig);
}

static void
change(struct storm *s, struct proc *p)
{
	const int64_t day = INT64_C(24) * 60 * 60 * 1000;

	p->hard_times = s->weather == WEATHER_DISK;
	if (p->hard_times && chance(s, 3) == 0)
		faulty_arm((enum faulty_kind)chance(s, FAULTY_READ),
		    (int)chance(s, 30), 1 + (int)chance(s, 4));
	if (s->weather == WEATHER_CLOCK && chance(s, 20) == 0) {
		s->rig->clock.wall_ms += (int64_t)chance(s, 4000) * day /
		    1000 - 2 * day;
		s->jumps++;
	}
}

static void
act(struct storm *s, size_t w, struct call *c)
{

	switch (chance(s, 12)) {
	case 0:
		proc_beat(s->p[w]);
		break;
	case 1:
		proc_poll(s->p[w]);
		break;
	case 2:
		if (chance(s, 20) == 0)
			die(s, w);
		break;
	case 3:
		if (c->phase == PHASE_ASKED && !c->cancelled)
			cancel(s, w, c);
		break;
	case 4:
		if (c->phase == PHASE_LEASED)
			move(s, w, c);
		break;
	default:
		if (c->phase == PHASE_NONE)
			ask(s, w, c);
		else if (c->phase == PHASE_LEASED)
			settle(s, w, c);
	}
}

static void
step(struct storm *s)
{
	size_t w = chance(s, N_PROCS), i;
	struct call *c = &s->calls[w][chance(s, N_CALLS)];

	clock_fake_advance(&s->rig->clock, chance(s, 10));
	s->p[w]->fail_times = chance(s, 5) == 0 ? (int)chance(s, 3) : 0;
	change(s, s->p[w]);
	act(s, w, c);
	faulty_arm(FAULTY_FULL, 0, 0);
	for (i = 0; i < N_CALLS; i++)
		take(s, w, &s->calls[w][i]);
}

/* All sums are those of the rows, also between two batches. */
static void
verify(struct storm *s, const char *note)
{
	struct err err = { 0 };
	json_t *found = verify_ledger(s->rig->st, &err);
	char *text;

	if (found == NULL)
		fail_msg("%s: %s", note, err.text);
	if (json_integer_value(json_object_get(found, "differences")) != 0) {
		text = json_dumps(found, JSON_INDENT(1));
		fail_msg("%s: %s", note, text);
	}
	json_decref(found);
}

static void
balance(struct storm *s)
{
	char note[32];

	snprintf(note, sizeof(note), "seed %llu", (unsigned long long)s->seed);
	rig_balance(s->rig, note);
	verify(s, note);
}

static void
wind_down(struct storm *s)
{
	size_t w, i;
	int round, open = 1;

	for (round = 0; round < 200 && open > 0; round++) {
		open = 0;
		clock_fake_advance(&s->rig->clock, 50);
		for (w = 0; w < N_PROCS; w++) {
			proc_poll(s->p[w]);
			for (i = 0; i < N_CALLS; i++) {
				take(s, w, &s->calls[w][i]);
				if (s->calls[w][i].phase == PHASE_LEASED)
					settle(s, w, &s->calls[w][i]);
				open += s->calls[w][i].phase != PHASE_NONE;
			}
		}
	}
	assert_int_equal(open, 0);
	assert_int_equal(slots_held(s->rig), 0);
	assert_int_equal(rig_int(s->rig, "SELECT count(*) FROM ticket"), 0);
	assert_int_equal(rig_int(s->rig, "SELECT count(*) FROM ledger "
	    "WHERE state = 0"), 0);
}

static void
storm(enum weather weather, uint64_t seed, struct storm *sum)
{
	struct storm *s = calloc(1, sizeof(*s));
	void *state;
	int i;

	assert_non_null(s);
	assert_int_equal((weather == WEATHER_CLOCK ? rig_setup_timed :
	    rig_setup)(&state), 0);
	s->rig = state;
	s->weather = weather;
	s->seed = seed;
	rig_account(s->rig, "a1", 0, 3);
	rig_account(s->rig, "a2", 0, 2);
	rig_account(s->rig, "a3", 0, 2);
	s->key[0] = rig_key(s->rig, "k1", "pool", 0, 0);
	s->key[1] = rig_key(s->rig, "k2", "pool", 0, 2);
	s->key[2] = rig_key(s->rig, "k3", "account", 2, 0);
	rig_price(s->rig, "claude-*", 1000000);
	rig_budget(s->rig, s->key[0]->id, CAP_NUSD);
	for (i = 0; i < N_PROCS; i++)
		s->p[i] = proc_new(s->rig);
	for (i = 0; i < STEPS; i++) {
		step(s);
		if (i % 20 == 0)
			balance(s);
	}
	for (i = 0; i < N_PROCS; i++)
		s->p[i]->fail_times = 0;
	wind_down(s);
	balance(s);
	for (i = 0; i < N_PROCS; i++)
		proc_free(s->p[i]);
	sum->served += s->served;
	sum->died += s->died;
	sum->moved += s->moved;
	sum->gone += s->gone;
	sum->jumps += s->jumps;
	rig_teardown(&state);
	free(s);
}

static void
weathers(enum weather weather, struct storm *sum)
{
	uint64_t seed;

	for (seed = 1; seed <= SEEDS; seed++)
		storm(weather, seed, sum);
	print_message("%d served, %d moved, %d gone, %d died, %d faults, "
	    "%d jumps\n", sum->served, sum->moved, sum->gone, sum->died,
	    faulty_hits(), sum->jumps);
	assert_true(sum->served > SEEDS * 30 && sum->moved > SEEDS &&
	    sum->gone > SEEDS && sum->died > 0);
}

static void
the_books_balance(void **state)
{
	struct storm sum = { .served = 0 };

	(void)state;
	weathers(WEATHER_FAIR, &sum);
}

static void
the_books_balance_on_a_bad_disk(void **state)
{
	struct storm sum = { .served = 0 };
	int before = faulty_hits();

	(void)state;
	if (raw_is_mysql())
		skip();
	weathers(WEATHER_DISK, &sum);
	assert_true(faulty_hits() - before > SEEDS * 20);
}

static void
the_books_balance_when_the_clock_jumps(void **state)
{
	struct storm sum = { .served = 0 };

	(void)state;
	if (raw_is_mysql())
		skip();
	weathers(WEATHER_CLOCK, &sum);
	assert_true(sum.jumps > SEEDS * 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_books_balance),
		cmocka_unit_test(the_books_balance_on_a_bad_disk),
		cmocka_unit_test(the_books_balance_when_the_clock_jumps),
	};

	faulty_install();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
