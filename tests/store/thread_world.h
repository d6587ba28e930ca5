#ifndef TESTS_STORE_THREAD_WORLD_H_
#define TESTS_STORE_THREAD_WORLD_H_

/*
 * A loop, a store thread with a runner that does what each operation says,
 * and ways to make the thread stand still while a test prepares its work.
 */

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
	struct store_op *dropped;	/* the last one */
	int committed, undone;
	void *own;		/* of one test */
};

static inline int
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

static inline void
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

static inline int
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

static inline int
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

static inline void
w_ended(void *arg, struct store_batch *b, bool committed)
{
	struct world *w = arg;

	(void)b;
	pthread_mutex_lock(&w->mtx);
	w->committed += committed;
	w->undone += !committed;
	pthread_mutex_unlock(&w->mtx);
}

static inline int
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

static inline bool
w_reads(void *arg, const struct store_op *op)
{

	(void)arg;
	return (op->kind == READ);
}

static inline int64_t
w_poll_ms(void *arg)
{
	struct world *w = arg;
	int64_t ms;

	pthread_mutex_lock(&w->mtx);
	ms = w->poll_ms;
	pthread_mutex_unlock(&w->mtx);
	return (ms);
}

static inline void
w_state(void *arg, bool up, const struct err *why)
{
	struct world *w = arg;

	w->ups += up;
	w->downs += !up;
	if (!up)
		snprintf(w->why, sizeof(w->why), "%s", why->text);
}

static inline void
on_done(struct store_op *op, const struct err *err)
{
	struct op *o = (struct op *)op;

	o->done++;
	o->code = err->code;
	o->rank = ++o->w->ndone;
}

static inline void
start_on(struct world *w, const struct store_driver *driver)
{
	bool fake = driver != NULL;
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
		params.options.driver = driver;
		params.options.driver_arg = w->fake;
	}
	w->t = store_thread_start(&params, &err);
	assert_non_null(w->t);
}

static inline void
start(struct world *w, bool fake)
{

	start_on(w, fake ? &store_driver_fake : NULL);
}

static inline int
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

static inline int
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

static inline struct op
make_op(struct world *w, enum kind kind, int64_t number)
{

	return ((struct op) {
		.op = { .kind = (int)kind, .done = on_done },
		.w = w,
		.number = number,
	});
}

static inline void
submit(struct world *w, struct op *op)
{

	store_submit(w->t, &op->op);
}

/* Turn the loop until ${*what} is ${want}; fail after many turns. */
static inline void
turn_until(struct world *w, const int *what, int want)
{
	struct err err = { 0 };
	int i;

	for (i = 0; i < 3000 && *what < want; i++)
		assert_int_equal(loop_turn(w->loop, 10, &err), 0);
	assert_int_equal(*what, want);
}

/* Have the thread stand still inside of a batch. */
static inline void
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

static inline void
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

#endif /* !TESTS_STORE_THREAD_WORLD_H_ */
