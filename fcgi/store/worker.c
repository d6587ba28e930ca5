#include "config.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "metrics/slots.h"
#include "store/thread_internal.h"

/* Back-off of connecting, and of operations that fail alone. */
#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	2000

/* What the database would not take for so long is spooled. */
#define SPOOL_AFTER_MS	2000

/* Nothing came for so long: time for what should not be in anyone's way. */
#define CHORES_AFTER_MS	20

int64_t
worker_now_ms(const struct store_thread *t)
{

	return (clock_mono_ms(loop_clock(t->loop)));
}

/* May the same transaction succeed a moment later? */
bool
worker_heals(enum err_code code)
{

	return (code == ERR_STORE_BUSY || code == ERR_NOMEM ||
	    code == ERR_TIMEOUT);
}

/* Is the connection, or the database, to blame? */
bool
worker_is_lost(enum err_code code)
{

	return (code == ERR_STORE_DOWN || code == ERR_STORE_UNKNOWN ||
	    code == ERR_SCHEMA);
}

/* ---- what waits, and what is done ---- */

void
worker_finish(struct store_thread *t, struct store_op *op)
{

	op->running = false;
	if (op->replay) {
		t->runner->replayed(t->runner->arg, op, &op->err);
		return;
	}
	TAILQ_INSERT_TAIL(&t->finished, op, entry);
}

/* Give ${op} its error, or keep it for later if it must be done. */
void
worker_fail(struct store_thread *t, struct store_op *op, const struct err *why)
{
	int64_t wait_ms = BACKOFF_MAX_MS;

	t->counts.failures++;
	if (!op->must || op->replay) {
		op->err = *why;
		worker_finish(t, op);
		return;
	}
	if (op->tries < 5)
		wait_ms = (int64_t)BACKOFF_MIN_MS << op->tries;
	op->tries++;
	op->retry_ms = worker_now_ms(t) + wait_ms;
	op->running = false;
	TAILQ_INSERT_TAIL(&t->retry, op, entry);
}

static void
give_up(struct store_thread *t, struct store_op *op, const char *why)
{

	err_clear(&op->err);
	err_set(&op->err, ERR_STORE_DOWN, "%s", why);
	t->counts.failures++;
	worker_finish(t, op);
}

/* Fail ${op} if its time is over.  True if it was. */
bool
worker_expire(struct store_thread *t, struct store_op *op, int64_t now)
{

	if (op->deadline_ms == 0 || now < op->deadline_ms)
		return (false);
	give_up(t, op, "the database could not be used in time");
	return (true);
}

void
worker_expire_list(struct store_thread *t, struct op_list *list, int64_t now)
{
	struct store_op *op, *next;

	for (op = TAILQ_FIRST(list); op != NULL; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (op->deadline_ms == 0 || now < op->deadline_ms)
			continue;
		TAILQ_REMOVE(list, op, entry);
		(void)worker_expire(t, op, now);
	}
}

/* Take over what came in, each to its list.  ${mtx} is held. */
void
worker_sort_inbox(struct store_thread *t)
{
	struct store_op *op;

	while ((op = TAILQ_FIRST(&t->inbox)) != NULL) {
		TAILQ_REMOVE(&t->inbox, op, entry);
		if (op->urgent)
			TAILQ_INSERT_TAIL(&t->urgent, op, entry);
		else
			TAILQ_INSERT_TAIL(&t->normal, op, entry);
	}
	t->poll_now |= t->kicked;
	t->kicked = false;
}

static void
count(struct store_thread *t)
{
	const struct store_thread_stats *st = &t->counts;

	if (st->retries > 0)
		slot_add(t->slot, metric_series(METRIC_STORE_RETRIES, 0, 0, 0,
		    0), (int64_t)st->retries);
	if (st->failures > 0)
		slot_add(t->slot, metric_series(METRIC_STORE_FAILURES, 0, 0,
		    0, 0), (int64_t)st->failures);
}

/* Post what is done, and what changed. */
static void
post(struct store_thread *t, enum thread_state state)
{
	struct store_thread_stats *st = &t->stats;
	bool changed = state != atomic_load(&t->state), stopping;
	bool news = !TAILQ_EMPTY(&t->finished) || t->went_down || changed;

	pthread_mutex_lock(&t->mtx);
	TAILQ_CONCAT(&t->outbox, &t->finished, entry);
	t->nheld = t->nheld_mine;
	if (t->went_down) {
		t->why = t->down_why;
		t->downs++;
	}
	atomic_store(&t->state, state);
	st->batches += t->counts.batches;
	st->ops += t->counts.ops;
	st->retries += t->counts.retries;
	st->failures += t->counts.failures;
	if (t->counts.commit_us_max > st->commit_us_max)
		st->commit_us_max = t->counts.commit_us_max;
	stopping = t->stopping;
	pthread_mutex_unlock(&t->mtx);
	count(t);
	t->went_down = false;
	t->counts = (struct store_thread_stats) { 0 };
	if (news)
		loop_wake_post(t->wake);
	if (changed)
		pthread_cond_signal(&t->to_read);
	if (stopping)
		pthread_cond_signal(&t->news);
}

static void
post_done(struct store_thread *t)
{

	if (!TAILQ_EMPTY(&t->finished) || t->counts.batches > 0)
		post(t, atomic_load(&t->state));
}

/* ---- the connection ---- */

static void
disconnect(struct store_thread *t)
{

	store_close(t->writer);
	t->writer = NULL;
	t->greeted = false;
	atomic_fetch_add(&t->lost, 1);
}

/* Fail all on ${list} that need not be kept. */
static void
refuse(struct store_thread *t, struct op_list *list, const struct err *why)
{
	struct store_op *op, *next;

	for (op = TAILQ_FIRST(list); op != NULL; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (op->must)
			continue;
		TAILQ_REMOVE(list, op, entry);
		give_up(t, op, why->text);
	}
}

/* Nobody is held for longer than it would wait, see dropped(). */
static void
drop_held(struct store_thread *t, const struct err *why)
{
	const struct store_runner *r = t->runner;
	int64_t now = worker_now_ms(t);
	struct store_op *op, *next;

	if (r->dropped == NULL)
		return;
	for (op = TAILQ_FIRST(&t->held); op != NULL; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (op->deadline_ms == 0 || now < op->deadline_ms)
			continue;
		TAILQ_REMOVE(&t->held, op, entry);
		t->nheld_mine--;
		op->held = false;
		r->dropped(r->arg, op);
		give_up(t, op, why->text);
	}
}

/* Put on disk what must be done and came before ${since_ms}. */
static void
spool_list(struct store_thread *t, struct op_list *list, int64_t since_ms)
{
	const struct store_runner *r = t->runner;
	struct store_op *ops[LIMIT_BATCH_OPS], *op = TAILQ_FIRST(list);
	size_t i, n;

	while (op != NULL) {
		for (n = 0; op != NULL && n < LIMIT_BATCH_OPS;
		    op = TAILQ_NEXT(op, entry)) {
			if (op->must && op->since_ms <= since_ms)
				ops[n++] = op;
		}
		if (n > 0)
			r->spool(r->arg, ops, n);
		for (i = 0; i < n; i++) {
			if (!ops[i]->spooled)
				continue;
			TAILQ_REMOVE(list, ops[i], entry);
			err_clear(&ops[i]->err);
			worker_finish(t, ops[i]);
		}
	}
}

static void
spool_all(struct store_thread *t)
{

	if (t->runner->spool == NULL)
		return;
	spool_list(t, &t->normal, INT64_MAX);
	spool_list(t, &t->retry, INT64_MAX);
}

/* Nothing that must be done is left to memory alone for long. */
static void
spool_what_waits(struct store_thread *t)
{

	if (atomic_load(&t->state) == THREAD_DOWN)
		spool_all(t);
	else if (t->runner->spool != NULL)
		spool_list(t, &t->retry, worker_now_ms(t) - SPOOL_AFTER_MS);
	post_done(t);
}

/*
 * The database cannot be used, for the reason ${why}.  A connection is kept
 * when only a lock was not free.
 */
void
worker_go_down(struct store_thread *t, const struct err *why)
{

	if (atomic_load(&t->state) != THREAD_DOWN) {
		t->backoff_ms = BACKOFF_MIN_MS;
		t->went_down = true;
		t->down_why = *why;
	} else if (t->backoff_ms < BACKOFF_MAX_MS / 2)
		t->backoff_ms *= 2;
	else
		t->backoff_ms = BACKOFF_MAX_MS;
	t->reconnect_ms = worker_now_ms(t) + t->backoff_ms;
	if (why->code != ERR_STORE_BUSY)
		disconnect(t);
	refuse(t, &t->urgent, why);
	refuse(t, &t->normal, why);
	drop_held(t, why);
	spool_all(t);
	post(t, THREAD_DOWN);
}

int
worker_probe(struct store_thread *t, struct err *err)
{
	struct store_value now = store_int(store_now_ms(t->writer));

	if (store_begin(t->writer, true, err) == -1)
		return (-1);
	if (store_exec(t->writer, STMT_PROBE, &now, 1, 1, NULL, err) == -1) {
		store_rollback(t->writer);
		return (-1);
	}
	return (store_commit(t->writer, err));
}

/* Connect if we are not, and see whether all is well. */
static int
connect_store(struct store_thread *t, struct err *err)
{
	const struct store_runner *r = t->runner;

	if (t->writer == NULL) {
		t->writer = store_open(t->url, &t->options, err);
		if (t->writer == NULL)
			return (-1);
		if (store_prepare(t->writer, err) == -1)
			goto err0;
	}
	if (worker_probe(t, err) == -1)
		return (-1);
	if (!t->greeted && r->connected(r->arg, t->writer, err) == -1)
		goto err0;
	t->greeted = true;
	return (0);

err0:
	disconnect(t);
	return (-1);
}

/* Try to come up, if it is time.  True if we are up. */
static bool
come_up(struct store_thread *t)
{
	struct err err = { .code = ERR_NONE };

	if (atomic_load(&t->state) == THREAD_UP)
		return (true);
	if (worker_now_ms(t) < t->reconnect_ms)
		return (false);
	if (connect_store(t, &err) == -1) {
		worker_go_down(t, &err);
		return (false);
	}
	post(t, THREAD_UP);
	return (true);
}

/* ---- the thread ---- */

/* The sooner of two waits, where -1 is for ever. */
static int64_t
sooner(int64_t a, int64_t b)
{

	if (a < 0 || b < 0)
		return (a < 0 ? b : a);
	return (a < b ? a : b);
}

/* Milliseconds until the first of ${list} has to be looked at; -1: never. */
static int64_t
list_wait_ms(const struct op_list *list, int64_t now, bool retry)
{
	const struct store_op *op;
	int64_t wait = -1, due;

	TAILQ_FOREACH(op, list, entry) {
		if (op->deadline_ms != 0) {
			due = op->deadline_ms - now;
			wait = sooner(wait, due > 0 ? due : 0);
		}
		if (retry) {
			due = op->retry_ms - now;
			wait = sooner(wait, due > 0 ? due : 0);
		}
	}
	return (wait);
}

/* How long the thread may sleep; -1: until it is woken. */
static int64_t
sleep_ms(struct store_thread *t)
{
	int64_t now = worker_now_ms(t), wait;

	if (atomic_load(&t->state) == THREAD_UP) {
		if (!TAILQ_EMPTY(&t->urgent) || !TAILQ_EMPTY(&t->normal))
			return (0);
		if (t->backlog)
			return (0);
		wait = worker_poll_wait_ms(t);
		if (!TAILQ_EMPTY(&t->retry))
			wait = sooner(wait, list_wait_ms(&t->retry, now,
			    true));
		return (t->chores ? sooner(wait, CHORES_AFTER_MS) : wait);
	}
	wait = t->reconnect_ms > now ? t->reconnect_ms - now : 0;
	wait = sooner(wait, list_wait_ms(&t->urgent, now, false));
	wait = sooner(wait, list_wait_ms(&t->normal, now, false));
	return (sooner(wait, list_wait_ms(&t->retry, now, false)));
}

/*
 * Sleep until there is something to do, and take over what came in.  False:
 * the thread is to end.  *${idle}: the time went by and nothing came.
 */
static bool
take_work(struct store_thread *t, bool *idle)
{
	const int64_t wait = sleep_ms(t);
	const struct timespec end = cond_in(wait < 0 ? 0 : wait);
	bool quit;
	int rc = 0;

	pthread_mutex_lock(&t->mtx);
	while (wait != 0 && rc == 0 && TAILQ_EMPTY(&t->inbox) && !t->kicked &&
	    !t->quit) {
		t->sleeping = true;
		rc = wait < 0 ? pthread_cond_wait(&t->work, &t->mtx) :
		    pthread_cond_timedwait(&t->work, &t->mtx, &end);
	}
	t->sleeping = false;
	*idle = rc == ETIMEDOUT && TAILQ_EMPTY(&t->inbox);
	worker_sort_inbox(t);
	quit = t->quit;
	pthread_mutex_unlock(&t->mtx);
	return (!quit);
}

/* What must be done waits on while the database is down, but not for ever. */
static void
expire_all(struct store_thread *t)
{
	int64_t now = worker_now_ms(t);

	worker_expire_list(t, &t->urgent, now);
	worker_expire_list(t, &t->normal, now);
	worker_expire_list(t, &t->retry, now);
	if (atomic_load(&t->state) == THREAD_DOWN) {
		refuse(t, &t->urgent, &t->down_why);
		refuse(t, &t->normal, &t->down_why);
	}
	post_done(t);
}

void *
worker_main(void *arg)
{
	struct store_thread *t = arg;
	bool idle;

	(void)pthread_setname_np(pthread_self(), "store");
	while (take_work(t, &idle)) {
		spool_what_waits(t);
		if (!come_up(t)) {
			expire_all(t);
			continue;
		}
		worker_run_backlog(t);
		if (!store_thread_up(t))
			continue;
		worker_run_batch(t);
		post_done(t);
		if (!TAILQ_EMPTY(&t->retry)) {
			worker_run_retries(t);
			post_done(t);
		}
		if (store_thread_up(t))
			t->chores = store_housekeep(t->writer, idle);
	}
	spool_all(t);
	post_done(t);
	disconnect(t);
	return (NULL);
}
