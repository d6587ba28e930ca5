#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "pool/rig.h"
#include "store/faulty_vfs.h"

#include "verify.h"

/*
 * Three processes do at random what they may do, batches fail at random, one
 * of them dies now and then and some of what it served is settled later, and,
 * by the weather, the disk is full or broken or the clock jumps: the books
 * balance after every step, whatever budgets there are.  STORM_SEEDS says how
 * often, in each weather.
 */

#define N_PROCS		3
#define N_CALLS		24	/* of a process */
#define STEPS		500
#define SEEDS		5	/* unless told */
#define CAP_NUSD	100000
#define N_LATE		16	/* settlements of the dead */

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
	int64_t output;			/* so far */
	int extensions;
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
	struct settle_op *late[N_LATE];
	uint64_t seed;
	int served, died, moved, gone, extended, refused, corrected;
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
	c->admit->stream = chance(s, 3) > 0;
	if (chance(s, 3) == 0)
		snprintf(c->admit->model, sizeof(c->admit->model),
		    "claude-opus-4-1");
	c->admit->give_up_ms = c->admit->submitted_ms + 50 + chance(s, 300);
	c->phase = PHASE_ASKED;
	proc_run1(s->p[w], &c->admit->op);
}

/* How the call ended.  Now and then more was used than was covered. */
static struct settle_op *
end_of(struct storm *s, size_t w, struct call *c)
{
	struct settle_op *op;

	c->admit->lease = c->lease;
	memset(&c->lease, 0, sizeof(c->lease));
	op = settle_make(s->p[w], c->admit);
	op->attempts = c->attempts;
	op->end.mark = (enum usage_mark)chance(s, 4);
	op->end.usage.output_tokens = c->output;
	if (chance(s, 10) == 0)
		op->end.usage.output_tokens += chance(s, 1000);
	if (op->end.mark == USAGE_ESTIMATED)
		op->end.usage = (struct usage) { 0 };
	if (!op->lease.held)
		op->end = (struct attempt_end) { .mark = USAGE_NONE };
	return (op);
}

static void
settle(struct storm *s, size_t w, struct call *c)
{
	struct settle_op *op = end_of(s, w, c);

	proc_run1(s->p[w], &op->op);
	lease_drop(&op->lease);
	free(op);
	call_free(c);
	s->served++;
}

/* One that runs, if any does. */
static struct call *
leased(struct storm *s, size_t w)
{
	size_t first = chance(s, N_CALLS), i;
	struct call *c;

	for (i = 0; i < N_CALLS; i++) {
		c = &s->calls[w][(first + i) % N_CALLS];
		if (c->phase == PHASE_LEASED)
			return (c);
	}
	return (NULL);
}

/* It streams on, and asks for more.  Some ask twice, or as it was before. */
static void
extend(struct storm *s, size_t w, struct call *c)
{
	struct extend_op op = {
		.op.kind = OP_EXTEND,
		.ledger_id = c->admit->ledger_id,
		.attempt = c->lease.attempt,
		.nth = c->extensions + (chance(s, 5) > 0),
		.platform = "claude",
		.body_bytes = c->admit->body_bytes,
		.max_tokens = c->admit->max_tokens,
		.so_far.input_tokens = chance(s, 4) == 0 ? 0 : 10,
		.so_far.output_tokens = c->output,
	};

	memcpy(op.model, c->admit->model, sizeof(op.model));
	proc_run1(s->p[w], &op.op);
	c->extensions = op.nth;
	if (op.granted && c->output < 900)
		c->output += chance(s, 400);
	s->extended++;
	s->refused += !op.granted;
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

/* Settlements of those that died, which were kept somewhere. */
static void
keep_late(struct storm *s, size_t w, struct call *c)
{
	size_t i = chance(s, N_LATE);

	if (c->phase == PHASE_LEASED && s->late[i] == NULL)
		s->late[i] = end_of(s, w, c);
	call_free(c);
}

/* Its responder was given up, but works on. */
static void
extend_late(struct storm *s, size_t w, struct settle_op *late)
{
	struct extend_op op = {
		.op.kind = OP_EXTEND,
		.ledger_id = late->ledger_id,
		.attempt = late->attempts,
		.nth = 100,
		.platform = "claude",
		.body_bytes = 100,
		.max_tokens = 2000,
		.so_far.input_tokens = 10,
		.so_far.output_tokens = chance(s, 1000),
	};

	memcpy(op.model, late->model, sizeof(op.model));
	proc_run1(s->p[w], &op.op);
	s->extended++;
	s->refused += !op.granted;
}

static void
settle_late(struct storm *s, size_t w, size_t i)
{
	struct settle_op *op = s->late[i];

	if (op == NULL)
		return;
	if (chance(s, 2) == 0)
		extend_late(s, w, op);
	proc_run1(s->p[w], &op->op);
	s->corrected += op->late;
	if (chance(s, 2) == 0)
		proc_run1(s->p[w], &op->op);
	lease_drop(&op->lease);
	free(op);
	s->late[i] = NULL;
}

static void
die(struct storm *s, size_t w)
{
	size_t i;

	for (i = 0; i < N_CALLS; i++) {
		if (s->calls[w][i].phase != PHASE_NONE)
			keep_late(s, w, &s->calls[w][i]);
	}
	proc_die(s->p[w]);
	s->died++;
	faulty_arm(FAULTY_FULL, 0, 0);	/* who starts finds the disk well */
	proc_beat(s->p[(w + 1) % N_PROCS]);
	s->p[w] = proc_new(s->rig);
}

static void
change(struct storm *s, struct proc *p)
{
	const int64_t day = INT64_C(24) * 60 * 60 * 1000;
	enum faulty_kind kind;

	p->hard_times = s->weather == WEATHER_DISK;
	if (p->hard_times && chance(s, 3) == 0) {
		kind = (enum faulty_kind)chance(s, FAULTY_READ);
		/* A batch writes often, and flushes once. */
		faulty_arm(kind, kind == FAULTY_SYNC ? 0 :
		    (int)chance(s, 30), 1 + (int)chance(s, 4));
	}
	if (s->weather == WEATHER_CLOCK && chance(s, 20) == 0) {
		s->rig->clock.wall_ms += (int64_t)chance(s, 4000) * day /
		    1000 - 2 * day;
		s->jumps++;
	}
}

static void
act(struct storm *s, size_t w, struct call *c)
{
	size_t i;

	switch (chance(s, 16)) {
	case 5:
		i = chance(s, N_LATE);
		if (s->late[i] != NULL && chance(s, 2) == 0)
			extend_late(s, w, s->late[i]);
		else
			settle_late(s, w, i);
		break;
	case 6:
	case 7:
	case 8:
		if ((c = leased(s, w)) != NULL)
			extend(s, w, c);
		break;
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
		if ((c = leased(s, w)) != NULL)
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

/* Some of these, with any limit and policy.  What rolls is removed two days
 * after it counts no more, which a clock that goes back as far would show. */
static void
make_budgets(struct storm *s)
{
	static const char *const which[] = {
		"'key', 1, 'money', 'total', 0, ''",
		"'key', 1, 'tokens', 'rolling', 60000, ''",
		"'key', 1, 'output_tokens', 'day', 0, 'claude-opus-*'",
		"'person', 7, 'money', 'rolling', 3600000, ''",
		"'person', 7, 'input_tokens', 'month', 0, '*sonnet*,x'",
		"'person', 7, 'requests', 'fixed', 60000, ''",
		"'key', 2, 'money', 'week', 0, ''",
	};
	char sql[512];
	size_t i;

	for (i = 0; i < NITEMS(which); i++) {
		if (chance(s, 2) == 0 || (s->weather == WEATHER_CLOCK &&
		    strstr(which[i], "rolling") != NULL))
			continue;
		snprintf(sql, sizeof(sql), "INSERT INTO budget (scope, "
		    "scope_id, kind, period, length_ms, models, name, policy, "
		    "limit_value, created_ms) VALUES (%s, 'b%zu', '%s', %u, "
		    "0)", which[i], i, chance(s, 2) ? "strict" : "elastic",
		    strstr(which[i], "requests") != NULL ? 5 + chance(s, 60) :
		    1000 + chance(s, 6000));
		rig_sql(s->rig, sql);
	}
}

static void
storm(enum weather weather, uint64_t seed, struct storm *sum)
{
	struct storm *s = calloc(1, sizeof(*s));
	void *state;
	int i;

	assert_non_null(s);
	/* By the test's clock, where the store takes one: it is the same then
	 * each time. */
	assert_int_equal((raw_is_mysql() ? rig_setup : rig_setup_timed)
	    (&state), 0);
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
	rig_sql(s->rig, "INSERT INTO person (id, name, created_ms, "
	    "concurrency) VALUES (7, 'p', 0, 4); UPDATE api_key "
	    "SET person_id = 7 WHERE id < 3");
	if (seed > 2)
		make_budgets(s);
	else
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
	for (i = 0; i < N_LATE; i++)
		settle_late(s, 0, (size_t)i);
	balance(s);
	for (i = 0; i < N_PROCS; i++)
		proc_free(s->p[i]);
	sum->served += s->served;
	sum->died += s->died;
	sum->moved += s->moved;
	sum->gone += s->gone;
	sum->extended += s->extended;
	sum->refused += s->refused;
	sum->corrected += s->corrected;
	sum->jumps += s->jumps;
	rig_teardown(&state);
	free(s);
}

/* What was survived; tests/run shows it. */
static void
report(const struct storm *sum)
{
	static const char *const names[FAULTY_NKINDS] = {
		[FAULTY_FULL] = "disk full",
		[FAULTY_WRITE] = "write error",
		[FAULTY_SHORT] = "half a write",
		[FAULTY_SYNC] = "flush error",
	};
	int i;

	print_message("survived: death of a process %d", sum->died);
	if (sum->weather == WEATHER_CLOCK)
		print_message(", step of the clock %d", sum->jumps);
	for (i = 0; i < FAULTY_NKINDS && sum->weather == WEATHER_DISK; i++) {
		if (names[i] != NULL)
			print_message(", %s %d", names[i],
			    faulty_hits((enum faulty_kind)i));
	}
	print_message("; served %d, moved %d, left %d, extended %d, "
	    "refused %d, corrected %d\n", sum->served, sum->moved, sum->gone,
	    sum->extended, sum->refused, sum->corrected);
}

static void
weathers(enum weather weather, struct storm *sum)
{
	const char *told = getenv("STORM_SEEDS");
	int seeds = told != NULL ? atoi(told) : SEEDS, seed;

	sum->weather = weather;
	for (seed = 1; seed <= seeds; seed++)
		storm(weather, (uint64_t)seed, sum);
	report(sum);
	assert_true(sum->served > seeds * 10 && sum->moved > seeds &&
	    sum->gone > seeds && sum->died > 0 &&
	    sum->extended > seeds * 10 && sum->refused > 0 &&
	    sum->corrected > 0);
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
	int kind;

	(void)state;
	if (raw_is_mysql())
		skip();
	weathers(WEATHER_DISK, &sum);
	for (kind = 0; kind < FAULTY_READ; kind++)
		assert_true(faulty_hits((enum faulty_kind)kind) > SEEDS);
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
