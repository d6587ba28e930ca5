#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "store/thread_internal.h"

/* Hand a done operation back to its owner, who may free it. */
static void
deliver(struct store_thread *t, struct store_op *op)
{

	t->waiting--;
	op->done(op, &op->err);
}

/* Tell of changes of state; also of a down that is over already. */
static void
tell_state(struct store_thread *t, uint64_t downs, const struct err *why)
{
	static const struct err none = { .code = ERR_NONE };
	bool up = store_thread_up(t);

	if (t->state_cb == NULL)
		return;
	if (downs != t->told_downs && t->told != THREAD_DOWN &&
	    (t->told == THREAD_UP || !up)) {
		t->told = THREAD_DOWN;
		t->state_cb(t->state_arg, false, why);
	}
	t->told_downs = downs;
	if (up && t->told != THREAD_UP) {
		t->told = THREAD_UP;
		t->state_cb(t->state_arg, true, &none);
	}
}

/* Something was posted by the thread. */
static void
on_wake(void *arg)
{
	struct store_thread *t = arg;
	struct op_list done = TAILQ_HEAD_INITIALIZER(done);
	struct store_op *op;
	struct err why;
	uint64_t downs;

	pthread_mutex_lock(&t->mtx);
	TAILQ_CONCAT(&done, &t->outbox, entry);
	downs = t->downs;
	why = t->why;
	pthread_mutex_unlock(&t->mtx);

	tell_state(t, downs, &why);
	while ((op = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, op, entry);
		deliver(t, op);
	}
}

/* Fail what need not be kept while the database is down. */
static void
refuse(struct store_thread *t, struct op_list *list)
{
	struct store_op *op, *next;
	struct err why;

	pthread_mutex_lock(&t->mtx);
	why = t->why;
	pthread_mutex_unlock(&t->mtx);
	for (op = TAILQ_FIRST(list); op != NULL; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (op->must)
			continue;
		TAILQ_REMOVE(list, op, entry);
		err_set(&op->err, ERR_STORE_DOWN, "%s", why.text);
		deliver(t, op);
	}
}

/* Take what only reads from ${list}. */
static void
sort_out(struct store_thread *t, struct op_list *list, struct op_list *reads)
{
	const struct store_runner *r = t->runner;
	struct store_op *op, *next;

	if (r->reads == NULL)
		return;
	for (op = TAILQ_FIRST(list); op != NULL; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (!r->reads(r->arg, op))
			continue;
		TAILQ_REMOVE(list, op, entry);
		TAILQ_INSERT_TAIL(reads, op, entry);
	}
}

/* The end of a turn: hand over what was submitted, and wake the threads. */
static void
flush(struct store_thread *t)
{
	struct op_list list = TAILQ_HEAD_INITIALIZER(list),
	    reads = TAILQ_HEAD_INITIALIZER(reads);
	bool wake, wake_reader;

	TAILQ_CONCAT(&list, &t->fresh, entry);
	if (atomic_load(&t->state) == THREAD_DOWN)
		refuse(t, &list);
	if (TAILQ_EMPTY(&list))
		return;
	sort_out(t, &list, &reads);
	wake_reader = !TAILQ_EMPTY(&reads);
	pthread_mutex_lock(&t->mtx);
	wake = t->sleeping && !TAILQ_EMPTY(&list);
	TAILQ_CONCAT(&t->inbox, &list, entry);
	TAILQ_CONCAT(&t->reads, &reads, entry);
	if (wake)
		t->sleeping = false;
	pthread_mutex_unlock(&t->mtx);
	if (wake)
		pthread_cond_signal(&t->work);
	if (wake_reader)
		pthread_cond_signal(&t->to_read);
}

static void
on_flush(struct loop_task *task)
{

	flush(task->arg);
}

void
store_submit(struct store_thread *t, struct store_op *op)
{

	err_clear(&op->err);
	op->held = false;
	op->running = false;
	op->spooled = false;
	op->tries = 0;
	op->retry_ms = 0;
	op->since_ms = loop_now_ms(t->loop);
	t->waiting++;
	TAILQ_INSERT_TAIL(&t->fresh, op, entry);
	loop_task_add(t->loop, &t->flush, on_flush, t);
}

void
store_kick(struct store_thread *t)
{
	bool wake;

	pthread_mutex_lock(&t->mtx);
	t->kicked = true;
	wake = t->sleeping;
	t->sleeping = false;
	pthread_mutex_unlock(&t->mtx);
	if (wake)
		pthread_cond_signal(&t->work);
}

bool
store_thread_up(const struct store_thread *t)
{

	return (atomic_load(&t->state) == THREAD_UP);
}

void
store_thread_stats(struct store_thread *t, struct store_thread_stats *st)
{

	pthread_mutex_lock(&t->mtx);
	*st = t->stats;
	t->stats.commit_us_max = 0;
	pthread_mutex_unlock(&t->mtx);
	st->waiting = t->waiting;
}

static void
init_sync(struct store_thread *t)
{

	pthread_mutex_init(&t->mtx, NULL);
	cond_init(&t->work);
	cond_init(&t->to_read);
	cond_init(&t->news);
}

static void
init_lists(struct store_thread *t)
{

	TAILQ_INIT(&t->fresh);
	TAILQ_INIT(&t->inbox);
	TAILQ_INIT(&t->outbox);
	TAILQ_INIT(&t->reads);
	TAILQ_INIT(&t->urgent);
	TAILQ_INIT(&t->normal);
	TAILQ_INIT(&t->retry);
	TAILQ_INIT(&t->held);
	TAILQ_INIT(&t->finished);
}

/* End the threads. */
static void
join(struct store_thread *t, bool both)
{

	pthread_mutex_lock(&t->mtx);
	t->quit = true;
	pthread_mutex_unlock(&t->mtx);
	pthread_cond_signal(&t->work);
	pthread_cond_signal(&t->to_read);
	(void)pthread_join(t->tid, NULL);
	if (both)
		(void)pthread_join(t->reader_tid, NULL);
}

/* Start them with all signals blocked: they are the loop's. */
static int
start(struct store_thread *t, struct err *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&t->tid, NULL, worker_main, t);
	if (rc == 0) {
		rc = pthread_create(&t->reader_tid, NULL, reader_main, t);
		if (rc != 0)
			join(t, false);
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		err_set_errno(err, ERR_NOMEM, rc, "cannot start the store "
		    "thread");
		return (-1);
	}
	return (0);
}

static void
thread_free(struct store_thread *t)
{

	loop_task_cancel(&t->flush);
	loop_wake_free(t->wake);
	pthread_cond_destroy(&t->news);
	pthread_cond_destroy(&t->to_read);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->mtx);
	free(t->url);
	free(t);
}

struct store_thread *
store_thread_start(const struct store_thread_params *params, struct err *err)
{
	struct store_thread *t;

	t = calloc(1, sizeof(*t));
	if (t == NULL || (t->url = strdup(params->url)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the store thread");
		goto err0;
	}
	t->options = params->options;
	t->runner = params->runner;
	t->loop = params->loop;
	t->slot = params->slot;
	t->state_cb = params->state;
	t->state_arg = params->arg;
	atomic_init(&t->state, THREAD_STARTING);
	atomic_init(&t->lost, 0);
	init_lists(t);
	t->wake = loop_wake_new(t->loop, on_wake, t, err);
	if (t->wake == NULL)
		goto err1;
	init_sync(t);
	if (start(t, err) == -1)
		goto err2;
	return (t);

err2:
	thread_free(t);
	return (NULL);
err1:
	free(t->url);
err0:
	free(t);
	return (NULL);
}

/* Sleep until something was posted, or ${end_ms}.  True if there is. */
static bool
wait_news(struct store_thread *t, int64_t end_ms)
{
	const struct timespec end = {
		.tv_sec = end_ms / 1000,
		.tv_nsec = end_ms % 1000 * 1000000,
	};
	bool news;
	int rc = 0;

	pthread_mutex_lock(&t->mtx);
	while (TAILQ_EMPTY(&t->outbox) && t->waiting > t->nheld && rc == 0)
		rc = pthread_cond_timedwait(&t->news, &t->mtx, &end);
	news = !TAILQ_EMPTY(&t->outbox);
	pthread_mutex_unlock(&t->mtx);
	return (news);
}

/* Cancel all on ${list}. */
static void
cancel(struct store_thread *t, struct op_list *list)
{
	struct store_op *op;

	while ((op = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, op, entry);
		err_clear(&op->err);
		err_set(&op->err, ERR_CANCELLED, "the store thread was "
		    "stopped");
		deliver(t, op);
	}
}

void
store_thread_stop(struct store_thread *t, int64_t timeout_ms)
{
	int64_t end_ms = clock_mono_ms(clock_system()) + timeout_ms;

	if (t == NULL)
		return;
	pthread_mutex_lock(&t->mtx);
	t->stopping = true;
	pthread_mutex_unlock(&t->mtx);
	do {
		flush(t);
		on_wake(t);
	} while (clock_mono_ms(clock_system()) < end_ms &&
	    (!TAILQ_EMPTY(&t->fresh) || wait_news(t, end_ms)));

	join(t, true);
	on_wake(t);
	do {
		cancel(t, &t->inbox);
		cancel(t, &t->reads);
		cancel(t, &t->urgent);
		cancel(t, &t->normal);
		cancel(t, &t->retry);
		cancel(t, &t->held);
		cancel(t, &t->fresh);
	} while (!TAILQ_EMPTY(&t->fresh));
	thread_free(t);
}
