#include "config.h"

#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "metrics/slots.h"
#include "store/thread_internal.h"

/* On a shared store: how long a batch is tried before what is left of it is
 * given up, and up to how long others get a start before each new try. */
#define TRIES_US	4000000
#define APART_US	4000

/* A deadlock shows at once; who waits for a lock in vain does so for whole
 * seconds. */
#define WAITED_US	900000

struct store_batch {
	struct store_thread *t;
	struct op_list released;
};

enum outcome {
	RAN,		/* committed */
	FAILED,		/* rolled back: an operation is to blame, or bad luck */
	LOST		/* the database cannot be used */
};

void
store_batch_hold(struct store_batch *b, struct store_op *op)
{

	(void)b;
	op->held = true;
}

void
store_batch_release(struct store_batch *b, struct store_op *op)
{

	if (!op->held)
		return;
	op->held = false;
	if (op->running)
		return;
	TAILQ_REMOVE(&b->t->held, op, entry);
	TAILQ_INSERT_TAIL(&b->released, op, entry);
}

static void
batch_committed(struct store_batch *b, struct store_op **ops, size_t n)
{
	struct store_thread *t = b->t;
	struct store_op *op;
	size_t i;

	for (i = 0; i < n; i++) {
		op = ops[i];
		op->running = false;
		if (op->held) {
			TAILQ_INSERT_TAIL(&t->held, op, entry);
			t->nheld_mine++;
		} else
			worker_finish(t, op);
	}
	while ((op = TAILQ_FIRST(&b->released)) != NULL) {
		TAILQ_REMOVE(&b->released, op, entry);
		t->nheld_mine--;
		worker_finish(t, op);
	}
	if (n > 0)
		slot_observe(t->slot, metric_series(METRIC_BATCH, 0, 0, 0, 0),
		    (int64_t)n);
	t->counts.batches++;
	t->counts.ops += n;
}

static void
batch_undone(struct store_batch *b, struct store_op **ops, size_t n)
{
	struct store_op *op;
	size_t i;

	while ((op = TAILQ_FIRST(&b->released)) != NULL) {
		TAILQ_REMOVE(&b->released, op, entry);
		op->held = true;
		TAILQ_INSERT_TAIL(&b->t->held, op, entry);
	}
	for (i = 0; i < n; i++)
		ops[i]->held = false;
}

/* Run and commit inside of the open transaction. */
static int
run_and_commit(struct store_thread *t, struct store_batch *b,
    struct store_op **ops, size_t n, struct err *err)
{
	const struct store_runner *r = t->runner;
	int64_t began_us, us;
	int rc;

	if (r->run(r->arg, b, t->writer, ops, n, err) == -1) {
		store_rollback(t->writer);
		return (-1);
	}
	began_us = clock_mono_us();
	rc = store_commit(t->writer, err);
	us = clock_mono_us() - began_us;
	slot_observe(t->slot, metric_series(METRIC_COMMIT, 0, 0, 0, 0), us);
	if (us > t->counts.commit_us_max)
		t->counts.commit_us_max = us;
	return (rc);
}

/*
 * One transaction with ${ops}; ${begun} says that it is open already.  Unless
 * it was committed the operations are as before.
 */
static enum outcome
attempt(struct store_thread *t, struct store_op **ops, size_t n, bool begun,
    struct err *err)
{
	const struct store_runner *r = t->runner;
	struct store_batch b = { .t = t };
	size_t i;
	int rc;

	TAILQ_INIT(&b.released);
	if (!begun && store_begin(t->writer, true, err) == -1)
		return (LOST);
	for (i = 0; i < n; i++)
		err_clear(&ops[i]->err);
	rc = run_and_commit(t, &b, ops, n, err);
	if (rc == 0)
		batch_committed(&b, ops, n);
	else {
		err_set(err, ERR_INTERNAL, "a batch failed without a reason");
		batch_undone(&b, ops, n);
	}
	if (r->ended != NULL)
		r->ended(r->arg, &b, rc == 0);
	if (rc == 0)
		return (RAN);
	t->counts.retries++;
	return (worker_is_lost(err->code) ? LOST : FAILED);
}

/* The outcome is unknown to these; what must be done is done again. */
static void
fail_unknown(struct store_thread *t, struct store_op **ops, size_t n,
    const struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!ops[i]->must)
			worker_fail(t, ops[i], err);
	}
}

/*
 * Two that met in a deadlock would meet again.  False: it was tried for long
 * enough, as somebody keeps a row locked who will not go on.
 */
static bool
step_back(struct store_thread *t, int64_t began_us)
{
	struct timespec ts = { 0 };

	if (t->writer == NULL || !store_shared(t->writer))
		return (true);
	if (clock_mono_us() - began_us >= TRIES_US)
		return (false);
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec = (ts.tv_nsec / 64 ^ (intptr_t)t >> 6) % APART_US * 1000;
	ts.tv_sec = 0;
	(void)nanosleep(&ts, NULL);
	return (true);
}

/*
 * It waited for a lock in vain.  Somebody may keep just some rows; but where
 * not even a small write is possible the database cannot be used.
 */
static bool
is_shut(struct store_thread *t, int64_t from_us, struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (err->code != ERR_STORE_BUSY || !store_shared(t->writer) ||
	    clock_mono_us() - from_us < WAITED_US || worker_probe(t, &why) == 0)
		return (false);
	*err = why;
	return (true);
}

static void
fail_all(struct store_thread *t, struct store_op **ops, size_t n,
    const struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		worker_fail(t, ops[i], err);
}

/*
 * Run ${ops}: whole, once more whole if that may help, then by halves.  After
 * LOST those that are still marked as running were not settled.
 */
static enum outcome
run_part(struct store_thread *t, struct store_op **ops, size_t n, bool begun,
    int64_t began_us, struct err *err)
{
	int64_t from_us = clock_mono_us();
	enum outcome oc;

	oc = attempt(t, ops, n, begun, err);
	if (oc == FAILED && is_shut(t, from_us, err))
		return (LOST);
	if (oc == FAILED && worker_heals(err->code) &&
	    step_back(t, began_us)) {
		err_clear(err);
		oc = attempt(t, ops, n, false, err);
	}
	if (oc == LOST && err->code == ERR_STORE_UNKNOWN)
		fail_unknown(t, ops, n, err);
	if (oc != FAILED)
		return (oc);
	if (n <= 1 || !step_back(t, began_us)) {
		fail_all(t, ops, n, err);
		return (RAN);
	}
	err_clear(err);
	oc = run_part(t, ops, n / 2, false, began_us, err);
	if (oc == LOST)
		return (oc);
	err_clear(err);
	return (run_part(t, ops + n / 2, n - n / 2, false, began_us, err));
}

/* Run ${ops} and see to what is left when the database was lost. */
static void
run_all(struct store_thread *t, struct store_op **ops, size_t n, bool begun)
{
	struct err err = { .code = ERR_NONE };
	size_t i;

	if (run_part(t, ops, n, begun, clock_mono_us(), &err) != LOST)
		return;
	for (i = n; i-- > 0;) {
		if (!ops[i]->running)
			continue;
		ops[i]->running = false;
		if (ops[i]->replay)
			worker_fail(t, ops[i], &err);
		else if (ops[i]->urgent)
			TAILQ_INSERT_HEAD(&t->urgent, ops[i], entry);
		else
			TAILQ_INSERT_HEAD(&t->normal, ops[i], entry);
	}
	worker_go_down(t, &err);
}

/* What was spooled goes first: it is older, and holds up slots. */
void
worker_run_backlog(struct store_thread *t)
{
	const struct store_runner *r = t->runner;
	struct store_op *ops[LIMIT_BATCH_OPS];
	size_t i, n;

	t->backlog = false;
	if (r->backlog == NULL ||
	    (n = r->backlog(r->arg, ops, LIMIT_BATCH_OPS)) == 0)
		return;
	for (i = 0; i < n; i++)
		ops[i]->running = true;
	run_all(t, ops, n, false);
	t->backlog = true;
}

/* Move what is due from ${list} into ${ops}, which has ${n} already. */
static size_t
pick(struct store_thread *t, struct op_list *list, struct store_op **ops,
    size_t n, int64_t now)
{
	struct store_op *op;

	while (n < LIMIT_BATCH_OPS && (op = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, op, entry);
		if (worker_expire(t, op, now))
			continue;
		op->running = true;
		ops[n++] = op;
	}
	return (n);
}

/* Milliseconds until a poll is due; -1: none is. */
int64_t
worker_poll_wait_ms(struct store_thread *t)
{
	const struct store_runner *r = t->runner;
	int64_t every_ms, since_ms;

	if (t->poll_now)
		return (0);
	every_ms = r->poll_ms == NULL ? -1 : r->poll_ms(r->arg);
	if (every_ms < 0)
		return (-1);
	since_ms = worker_now_ms(t) - t->polled_ms;
	return (since_ms >= every_ms ? 0 : every_ms - since_ms);
}

/*
 * One batch of what waits.  The transaction is begun first: what comes while
 * we queue for the write lock goes along.  On a shared store beats go alone:
 * a row that somebody keeps locked must not hold them up.
 */
void
worker_run_batch(struct store_thread *t)
{
	struct store_op *ops[LIMIT_BATCH_OPS];
	struct err err = { .code = ERR_NONE };
	int64_t now;
	size_t n;

	if (TAILQ_EMPTY(&t->urgent) && TAILQ_EMPTY(&t->normal) &&
	    worker_poll_wait_ms(t) != 0)
		return;
	if (store_begin(t->writer, true, &err) == -1) {
		worker_go_down(t, &err);
		return;
	}
	pthread_mutex_lock(&t->mtx);
	worker_sort_inbox(t);
	pthread_mutex_unlock(&t->mtx);
	now = worker_now_ms(t);
	n = pick(t, &t->urgent, ops, 0, now);
	if (n == 0 || !store_shared(t->writer))
		n = pick(t, &t->normal, ops, n, now);
	if (n == 0 && worker_poll_wait_ms(t) != 0) {
		store_rollback(t->writer);
		return;
	}
	t->poll_now = false;
	t->polled_ms = now;
	run_all(t, ops, n, true);
}

/* Try again, each alone, what failed and must be done. */
void
worker_run_retries(struct store_thread *t)
{
	struct op_list due = TAILQ_HEAD_INITIALIZER(due);
	int64_t now = worker_now_ms(t);
	struct store_op *op, *next;

	worker_expire_list(t, &t->retry, now);
	for (op = TAILQ_FIRST(&t->retry); op != NULL; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (now < op->retry_ms)
			continue;
		TAILQ_REMOVE(&t->retry, op, entry);
		TAILQ_INSERT_TAIL(&due, op, entry);
	}
	while ((op = TAILQ_FIRST(&due)) != NULL && store_thread_up(t)) {
		TAILQ_REMOVE(&due, op, entry);
		op->running = true;
		run_all(t, &op, 1, false);
	}
	TAILQ_CONCAT(&t->retry, &due, entry);
}
