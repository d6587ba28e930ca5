#include "config.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/loop.h"
#include "store/driver.h"
#include "store/fake.h"
#include "store/thread.h"
#include "store_test.h"

enum kind {
	ADD,		/* add the row ${number} */
	READ,		/* read the newest row */
	HOLD,		/* add, and be held */
	RELEASE,	/* add, and release ${other} */
	BAD,		/* fails with ${fail}, ${times} times */
	SLEEP		/* wait until the test lets go */
};

struct world;

struct op {
	struct store_op op;
	struct world *w;
	int64_t number;
	enum err_code fail;
	int times;
	struct op *other;
	int64_t seen;		/* what READ found */
	int done;		/* how often done() was called */
	enum err_code code;	/* with what */
	int rank;		/* in which order */
};

/* The store thread's side is in what the test guards by ${mtx}. */
struct world {
	struct place pl;
	struct loop *loop;
	struct store_fake *fake;
	struct store_thread *t;
	struct store_runner runner;
	int ndone;
	int ups, downs;
	char why[256];

	pthread_mutex_t mtx;
	pthread_cond_t cv;
	bool asleep;		/* SLEEP runs */
	bool let_go;
	int batches;		/* run() was called */
	size_t largest;
	int connects;
	int polls;		/* run() with n = 0 */
	int64_t poll_ms;
	int committed, undone;
};

static int
w_connected(void *arg, struct store *st, struct err *err)
{
	struct world *w = arg;

	(void)st;
	(void)err;
	pthread_mutex_lock(&w->mtx);
	w->connects++;
	pthread_mutex_unlock(&w->mtx);
	return (0);
}

static void
fall_asleep(struct world *w)
{

	pthread_mutex_lock(&w->mtx);
	w->asleep = true;
	pthread_cond_broadcast(&w->cv);
	while (!w->let_go)
		pthread_cond_wait(&w->cv, &w->mtx);
	w->asleep = false;
	pthread_mutex_unlock(&w->mtx);
}

static int
run_op(struct store_batch *b, struct store *st, struct op *op,
    struct err *err)
{

	switch ((enum kind)op->op.kind) {
	case BAD:
		if (op->times == 0)
			break;
		if (op->times > 0)
			op->times--;
		err_set(err, op->fail, "a bad operation");
		return (-1);
	case SLEEP:
		fall_asleep(op->w);
		return (0);
	case HOLD:
		store_batch_hold(b, &op->op);
		break;
	case RELEASE:
		store_batch_release(b, &op->other->op);
		break;
	case ADD:
	case READ:
		break;
	}
	return (add_row(st, op->number, err));
}

static int
w_run(void *arg, struct store_batch *b, struct store *st,
    struct store_op **ops, size_t n, struct err *err)
{
	struct world *w = arg;
	size_t i;

	pthread_mutex_lock(&w->mtx);
	w->batches++;
	w->polls += n == 0;
	if (n > w->largest)
		w->largest = n;
	pthread_mutex_unlock(&w->mtx);
	for (i = 0; i < n; i++)
		if (run_op(b, st, (struct op *)ops[i], err) == -1)
			return (-1);
	return (0);
}

static void
w_ended(void *arg, struct store_batch *b, bool committed)
{
	struct world *w = arg;

	(void)b;
	pthread_mutex_lock(&w->mtx);
	w->committed += committed;
	w->undone += !committed;
	pthread_mutex_unlock(&w->mtx);
}

static int
w_read(void *arg, struct store *st, struct store_op *op, struct err *err)
{
	struct op *o = (struct op *)op;
	int64_t n = 0;

	(void)arg;
	if (store_one(st, STMT_MIGRATION_NEWEST, NULL, 0, &n, 1, err) == -1)
		return (-1);
	o->seen = n;
	return (0);
}

static bool
w_reads(void *arg, const struct store_op *op)
{

	(void)arg;
	return (op->kind == READ);
}

static int64_t
w_poll_ms(void *arg)
{
	struct world *w = arg;
	int64_t ms;

	pthread_mutex_lock(&w->mtx);
	ms = w->poll_ms;
	pthread_mutex_unlock(&w->mtx);
	return (ms);
}

static void
w_state(void *arg, bool up, const struct err *why)
{
	struct world *w = arg;

	w->ups += up;
	w->downs += !up;
	if (!up)
		snprintf(w->why, sizeof(w->why), "%s", why->text);
}

static void
on_done(struct store_op *op, const struct err *err)
{
	struct op *o = (struct op *)op;

	o->done++;
	o->code = err->code;
	o->rank = ++o->w->ndone;
}

static void
start(struct world *w, bool fake)
{
	struct store_thread_params params = {
		.url = fake ? "fake:" : w->pl.url,
		.runner = &w->runner,
		.loop = w->loop,
		.state = w_state,
		.arg = w,
	};
	struct err err = { 0 };

	params.options.busy_timeout_ms = 10000;
	if (fake) {
		params.options.driver = &store_driver_fake;
		params.options.driver_arg = w->fake;
	}
	w->t = store_thread_start(&params, &err);
	assert_non_null(w->t);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err = { 0 };
	void *pl;

	if (w == NULL || place_setup(&pl) == -1)
		return (-1);
	w->pl = *(struct place *)pl;
	free(pl);
	store_close(place_store(&w->pl, NULL));
	pthread_mutex_init(&w->mtx, NULL);
	pthread_cond_init(&w->cv, NULL);
	w->poll_ms = -1;
	w->runner = (struct store_runner) {
		.connected = w_connected,
		.run = w_run,
		.ended = w_ended,
		.read = w_read,
		.reads = w_reads,
		.poll_ms = w_poll_ms,
		.arg = w,
	};
	w->fake = store_fake_new();
	w->loop = loop_new(clock_system(), &err);
	*state = w;
	return (w->fake == NULL || w->loop == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	struct world *w = *state;
	struct place *pl = malloc(sizeof(*pl));
	void *p = pl;

	store_thread_stop(w->t, 0);
	loop_free(w->loop);
	store_fake_free(w->fake);
	pthread_cond_destroy(&w->cv);
	pthread_mutex_destroy(&w->mtx);
	*pl = w->pl;
	free(w);
	return (place_teardown(&p));
}

static struct op
make_op(struct world *w, enum kind kind, int64_t number)
{

	return ((struct op) {
		.op = { .kind = (int)kind, .done = on_done },
		.w = w,
		.number = number,
	});
}

static void
submit(struct world *w, struct op *op)
{

	store_submit(w->t, &op->op);
}

/* Turn the loop until ${*what} is ${want}; fail after many turns. */
static void
turn_until(struct world *w, const int *what, int want)
{
	struct err err = { 0 };
	int i;

	for (i = 0; i < 3000 && *what < want; i++)
		assert_int_equal(loop_turn(w->loop, 10, &err), 0);
	assert_int_equal(*what, want);
}

/* Have the thread stand still inside of a batch. */
static void
hold_thread(struct world *w, struct op *sleeper)
{
	struct err err = { 0 };

	*sleeper = make_op(w, SLEEP, 0);
	submit(w, sleeper);
	assert_int_equal(loop_turn(w->loop, 0, &err), 0);
	pthread_mutex_lock(&w->mtx);
	while (!w->asleep)
		pthread_cond_wait(&w->cv, &w->mtx);
	pthread_mutex_unlock(&w->mtx);
}

static void
let_go(struct world *w)
{
	struct err err = { 0 };

	/* What was submitted is handed over at the end of a turn. */
	assert_int_equal(loop_turn(w->loop, 0, &err), 0);
	pthread_mutex_lock(&w->mtx);
	w->let_go = true;
	pthread_cond_broadcast(&w->cv);
	pthread_mutex_unlock(&w->mtx);
}

static void
test_what_waits_is_one_batch(void **state)
{
	struct world *w = *state;
	struct op ops[100], sleeper;
	int i;

	start(w, false);
	hold_thread(w, &sleeper);
	for (i = 0; i < 100; i++) {
		ops[i] = make_op(w, ADD, 100 + i);
		submit(w, &ops[i]);
	}
	let_go(w);
	turn_until(w, &w->ndone, 101);
	for (i = 0; i < 100; i++) {
		assert_int_equal(ops[i].done, 1);
		assert_int_equal(ops[i].code, ERR_NONE);
		assert_int_equal(ops[i].rank, i + 2);
	}
	assert_int_equal(w->batches, 2);
	assert_int_equal(w->largest, 100);
	assert_int_equal(w->ups, 1);
	assert_int_equal(w->downs, 0);
}

static void
test_a_batch_is_bounded(void **state)
{
	struct world *w = *state;
	struct op *ops, sleeper;
	int i, n = 2 * LIMIT_BATCH_OPS + 1;
	struct store_thread_stats stats;

	ops = calloc((size_t)n, sizeof(*ops));
	assert_non_null(ops);
	start(w, true);
	hold_thread(w, &sleeper);
	for (i = 0; i < n; i++) {
		ops[i] = make_op(w, ADD, 100 + i);
		submit(w, &ops[i]);
	}
	store_thread_stats(w->t, &stats);
	assert_int_equal(stats.waiting, n + 1);
	let_go(w);
	turn_until(w, &w->ndone, n + 1);
	assert_int_equal(w->largest, LIMIT_BATCH_OPS);
	assert_int_equal(w->batches, 4);
	store_thread_stats(w->t, &stats);
	assert_int_equal(stats.batches, 4);
	assert_int_equal(stats.ops, n + 1);
	assert_int_equal(stats.waiting, 0);
	free(ops);
}

static void
test_a_bad_one_goes_alone(void **state)
{
	struct world *w = *state;
	static const struct {
		enum kind kind;
		enum err_code fail;
		int64_t number;
		enum err_code want;
	} cases[] = {
		{ BAD, ERR_INTERNAL, 300, ERR_INTERNAL },
		{ BAD, ERR_STORE_BUSY, 300, ERR_STORE_BUSY },
		{ ADD, ERR_NONE, 1, ERR_EXISTS },	/* there already */
	};
	struct op ops[41], sleeper;
	size_t c, i, bad;
	int64_t next = 1000;
	int ndone = 0;

	start(w, false);
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		w->let_go = false;
		hold_thread(w, &sleeper);
		bad = 7 + 11 * c;
		for (i = 0; i < 41; i++) {
			ops[i] = make_op(w, ADD, next++);
			if (i == bad) {
				ops[i] = make_op(w, cases[c].kind,
				    cases[c].number);
				ops[i].fail = cases[c].fail;
				ops[i].times = -1;
			}
			submit(w, &ops[i]);
		}
		let_go(w);
		ndone += 42;
		turn_until(w, &w->ndone, ndone);
		for (i = 0; i < 41; i++) {
			assert_int_equal(ops[i].done, 1);
			assert_int_equal(ops[i].code, i == bad ?
			    cases[c].want : ERR_NONE);
		}
	}
	assert_int_equal(w->downs, 0);
	assert_true(w->undone > 0);
}

static void
test_bad_luck_heals(void **state)
{
	struct world *w = *state;
	struct op ops[8], sleeper;
	int i;

	start(w, false);
	hold_thread(w, &sleeper);
	for (i = 0; i < 8; i++) {
		ops[i] = make_op(w, i == 3 ? BAD : ADD, 100 + i);
		ops[i].fail = ERR_STORE_BUSY;
		ops[i].times = 1;
		submit(w, &ops[i]);
	}
	let_go(w);
	turn_until(w, &w->ndone, 9);
	for (i = 0; i < 8; i++)
		assert_int_equal(ops[i].code, ERR_NONE);
	/* The sleeper; a failure; the whole again. */
	assert_int_equal(w->batches, 3);
}

static void
test_urgent_goes_first_and_reads_before(void **state)
{
	struct world *w = *state;
	struct op a, b, c, r, sleeper;

	start(w, false);
	hold_thread(w, &sleeper);
	a = make_op(w, ADD, 101);
	b = make_op(w, ADD, 102);
	c = make_op(w, ADD, 103);
	c.op.urgent = true;
	r = make_op(w, READ, 0);
	submit(w, &a);
	submit(w, &b);
	submit(w, &c);
	submit(w, &r);
	let_go(w);
	turn_until(w, &w->ndone, 5);
	assert_int_equal(sleeper.rank, 1);
	assert_int_equal(r.rank, 2);
	assert_int_equal(c.rank, 3);
	assert_int_equal(a.rank, 4);
	assert_int_equal(b.rank, 5);
	assert_int_equal(r.seen, store_schema_wanted());

	/* Another read sees what was committed. */
	r = make_op(w, READ, 0);
	r.op.must = true;
	submit(w, &r);
	turn_until(w, &w->ndone, 6);
	assert_int_equal(r.seen, 103);
}

static void
test_held_until_released(void **state)
{
	struct world *w = *state;
	struct op h1, h2, bad, rel, add, sleeper;

	start(w, false);
	h1 = make_op(w, HOLD, 101);
	h2 = make_op(w, HOLD, 102);
	add = make_op(w, ADD, 103);
	submit(w, &h1);
	submit(w, &h2);
	submit(w, &add);
	turn_until(w, &w->ndone, 1);
	assert_int_equal(add.done, 1);
	assert_int_equal(h1.done + h2.done, 0);

	/* A release in a batch that fails is none. */
	hold_thread(w, &sleeper);
	rel = make_op(w, RELEASE, 1);		/* is there: ERR_EXISTS */
	rel.other = &h1;
	submit(w, &rel);
	let_go(w);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(rel.code, ERR_EXISTS);
	assert_int_equal(h1.done, 0);

	/* Undone with a neighbour, and then done without it. */
	w->let_go = false;
	hold_thread(w, &sleeper);
	rel = make_op(w, RELEASE, 105);
	rel.other = &h1;
	bad = make_op(w, BAD, 106);
	bad.fail = ERR_INTERNAL;
	bad.times = -1;
	submit(w, &rel);
	submit(w, &bad);
	let_go(w);
	turn_until(w, &w->ndone, 7);
	assert_int_equal(rel.code, ERR_NONE);
	assert_int_equal(bad.code, ERR_INTERNAL);
	assert_int_equal(h1.done, 1);
	assert_int_equal(h1.code, ERR_NONE);

	/* Held and released by the same batch. */
	w->let_go = false;
	hold_thread(w, &sleeper);
	h1 = make_op(w, HOLD, 107);
	rel = make_op(w, RELEASE, 108);
	rel.other = &h1;
	submit(w, &h1);
	submit(w, &rel);
	let_go(w);
	turn_until(w, &w->ndone, 10);
	assert_int_equal(h1.done, 1);

	/* What is held at the end is cancelled. */
	assert_int_equal(h2.done, 0);
	store_thread_stop(w->t, 10000);
	w->t = NULL;
	assert_int_equal(h2.done, 1);
	assert_int_equal(h2.code, ERR_CANCELLED);
}

static void
test_must_survives_an_outage(void **state)
{
	struct world *w = *state;
	struct op must, other, late, begun, sleeper;

	start(w, true);
	hold_thread(w, &sleeper);
	/* The disk is full; opening again is of no use for some time. */
	must = make_op(w, ADD, 101);
	must.op.must = true;
	begun = make_op(w, ADD, 102);
	submit(w, &must);
	submit(w, &begun);
	store_fake_fail(w->fake, FAKE_RUN, ERR_STORE_DOWN, 1);
	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, -1);
	let_go(w);
	turn_until(w, &w->downs, 1);
	assert_false(store_thread_up(w->t));
	turn_until(w, &w->ndone, 2);
	assert_int_equal(begun.code, ERR_STORE_DOWN);
	assert_int_equal(must.done, 0);
	assert_non_null(strstr(w->why, "the fake fails to run"));

	/* Meanwhile others fail at once, and a late one in time. */
	other = make_op(w, ADD, 103);
	submit(w, &other);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(other.code, ERR_STORE_DOWN);
	late = make_op(w, ADD, 104);
	late.op.must = true;
	late.op.deadline_ms = clock_mono_ms(clock_system()) + 50;
	submit(w, &late);
	turn_until(w, &w->ndone, 4);
	assert_int_equal(late.code, ERR_STORE_DOWN);
	assert_int_equal(must.done, 0);

	store_fake_fail(w->fake, FAKE_OPEN, ERR_NONE, 0);
	turn_until(w, &w->ndone, 5);
	assert_int_equal(must.done, 1);
	assert_int_equal(must.code, ERR_NONE);
	turn_until(w, &w->ups, 2);
	assert_true(store_thread_up(w->t));
	assert_int_equal(w->connects, 2);
}

static void
test_down_from_the_start(void **state)
{
	struct world *w = *state;
	struct op must, other;

	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, 2);
	start(w, true);
	must = make_op(w, ADD, 101);
	must.op.must = true;
	other = make_op(w, ADD, 102);
	submit(w, &must);
	submit(w, &other);
	turn_until(w, &w->ndone, 2);
	assert_int_equal(other.code, ERR_STORE_DOWN);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->ups, 1);
}

static void
test_a_busy_lock_keeps_the_connection(void **state)
{
	struct world *w = *state;
	struct op op, must, sleeper;

	start(w, true);
	hold_thread(w, &sleeper);
	op = make_op(w, ADD, 101);
	must = make_op(w, ADD, 102);
	must.op.must = true;
	submit(w, &op);
	submit(w, &must);
	store_fake_fail(w->fake, FAKE_BEGIN, ERR_STORE_BUSY, 2);
	let_go(w);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(op.code, ERR_STORE_DOWN);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(w->connects, 1);
	assert_int_equal(store_fake_calls(w->fake, FAKE_OPEN), 1);
}

static void
test_unknown_reruns_what_must(void **state)
{
	struct world *w = *state;
	struct op first, op, must;

	start(w, true);
	first = make_op(w, ADD, 100);
	submit(w, &first);
	turn_until(w, &w->ndone, 1);
	store_fake_fail(w->fake, FAKE_COMMIT, ERR_STORE_UNKNOWN, 1);
	op = make_op(w, ADD, 101);
	must = make_op(w, ADD, 102);
	must.op.must = true;
	submit(w, &op);
	submit(w, &must);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(op.code, ERR_STORE_UNKNOWN);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(op.done, 1);
	assert_int_equal(must.done, 1);
	assert_int_equal(w->connects, 2);
}

static void
test_what_must_is_tried_again_alone(void **state)
{
	struct world *w = *state;
	struct op must, late, add;

	start(w, false);
	must = make_op(w, BAD, 101);
	must.op.must = true;
	must.fail = ERR_INTERNAL;
	must.times = 3;
	late = make_op(w, BAD, 102);
	late.op.must = true;
	late.op.deadline_ms = clock_mono_ms(clock_system()) + 150;
	late.fail = ERR_INTERNAL;
	late.times = -1;
	submit(w, &must);
	submit(w, &late);
	turn_until(w, &w->ups, 1);
	add = make_op(w, ADD, 103);
	submit(w, &add);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(add.code, ERR_NONE);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(late.code, ERR_STORE_DOWN);
	assert_int_equal(w->downs, 0);
}

static void
test_a_deadline_passes_while_waiting(void **state)
{
	struct world *w = *state;
	struct op late, add, sleeper;

	start(w, false);
	hold_thread(w, &sleeper);
	late = make_op(w, ADD, 101);
	late.op.deadline_ms = clock_mono_ms(clock_system()) + 5;
	add = make_op(w, ADD, 102);
	submit(w, &late);
	submit(w, &add);
	while (clock_mono_ms(clock_system()) <= late.op.deadline_ms)
		usleep(1000);
	let_go(w);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(late.code, ERR_STORE_DOWN);
	assert_int_equal(add.code, ERR_NONE);
}

static int
turn_until_polls(struct world *w, int want)
{
	struct err err = { 0 };
	int i, polls = 0;

	for (i = 0; i < 3000 && polls < want; i++) {
		assert_int_equal(loop_turn(w->loop, 1, &err), 0);
		pthread_mutex_lock(&w->mtx);
		polls = w->polls;
		pthread_mutex_unlock(&w->mtx);
	}
	return (polls);
}

static void
test_polls_on_demand(void **state)
{
	struct world *w = *state;
	int polls;

	start(w, false);
	turn_until(w, &w->ups, 1);
	assert_int_equal(w->polls, 0);
	store_kick(w->t);
	polls = turn_until_polls(w, 1);
	assert_int_equal(polls, 1);
	pthread_mutex_lock(&w->mtx);
	w->poll_ms = 1;
	pthread_mutex_unlock(&w->mtx);
	store_kick(w->t);
	polls = turn_until_polls(w, 5);
	assert_true(polls >= 5);
}

/* Submits again from its done callback, once. */
static void
on_done_again(struct store_op *op, const struct err *err)
{
	struct op *o = (struct op *)op;

	on_done(op, err);
	if (o->done == 1) {
		o->number++;
		store_submit(o->w->t, op);
	}
}

static void
test_stop_finishes_what_was_submitted(void **state)
{
	struct world *w = *state;
	struct store *st;
	struct op ops[10];
	int i;

	start(w, false);
	for (i = 0; i < 10; i++) {
		ops[i] = make_op(w, ADD, 100 + 2 * i);
		ops[i].op.done = on_done_again;
		submit(w, &ops[i]);
	}
	store_thread_stop(w->t, 10000);
	w->t = NULL;
	for (i = 0; i < 10; i++) {
		assert_int_equal(ops[i].done, 2);
		assert_int_equal(ops[i].code, ERR_NONE);
	}
	st = store_open(w->pl.url, &(struct store_options) { .read_only =
	    true }, NULL);
	assert_non_null(st);
	assert_int_equal(newest_row(st), 119);
	store_close(st);
}

static void
test_stop_while_down_cancels(void **state)
{
	struct world *w = *state;
	struct op must;

	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, -1);
	start(w, true);
	must = make_op(w, ADD, 101);
	must.op.must = true;
	submit(w, &must);
	turn_until(w, &w->downs, 1);
	store_thread_stop(w->t, 20);
	w->t = NULL;
	assert_int_equal(must.done, 1);
	assert_int_equal(must.code, ERR_CANCELLED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_what_waits_is_one_batch),
		T(test_a_batch_is_bounded),
		T(test_a_bad_one_goes_alone),
		T(test_bad_luck_heals),
		T(test_urgent_goes_first_and_reads_before),
		T(test_held_until_released),
		T(test_must_survives_an_outage),
		T(test_down_from_the_start),
		T(test_a_busy_lock_keeps_the_connection),
		T(test_unknown_reruns_what_must),
		T(test_what_must_is_tried_again_alone),
		T(test_a_deadline_passes_while_waiting),
		T(test_polls_on_demand),
		T(test_stop_finishes_what_was_submitted),
		T(test_stop_while_down_cancels),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
