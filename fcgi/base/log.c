#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/err.h"
#include "base/log.h"
#include "base/log_json.h"
#include "base/log_line.h"
#include "base/log_target.h"

/* Lines are gathered for so long, so that one wake-up serves many of them. */
#define GATHER_MS	50

/*
 * Callers append whole lines to "waiting" under the lock; the thread takes
 * that buffer, leaves an empty one in its place, and writes unlocked.
 */
struct log {
	const struct clock *clock;
	atomic_int level;
	bool json;			/* lines are objects of JSON */
	pthread_t thread;

	pthread_mutex_t lock;		/* guards what follows, to closing */
	pthread_cond_t cond;
	struct buf waiting;
	uint64_t lost;			/* lines, since last told */
	bool urgent;			/* write now, do not gather */
	bool reopen;
	bool closing;

	struct buf writing;		/* the thread's, as is the target */
	struct log_target target;
};

void
log_begin(struct log_line *l, struct log *log, enum log_level level,
    const char *request_id, const char *subsystem, const char *event)
{

	l->log = NULL;
	if (log == NULL || (int)level > atomic_load_explicit(&log->level,
	    memory_order_relaxed))
		return;
	log_line_start(l, log, clock_wall_ms(log->clock), level, request_id,
	    subsystem, event);
}

void
log_end(struct log_line *l)
{

	if (l->log == NULL)
		return;
	log_hand_over(l->log, l->text, log_line_end(l),
	    l->level <= LOG_LEVEL_WARN);
	l->log = NULL;
}

int64_t
log_wall_ms(const struct log *log)
{

	return (clock_wall_ms(log->clock));
}

void
log_hand_over(struct log *log, const char *text, size_t n, bool urgent)
{
	bool signal;

	pthread_mutex_lock(&log->lock);
	signal = buf_len(&log->waiting) == 0;
	if (buf_append(&log->waiting, text, n))
		log->lost++;
	if (!log->urgent && (urgent ||
	    buf_len(&log->waiting) > LIMIT_LOG_RING_BYTES / 4))
		signal = log->urgent = true;
	pthread_mutex_unlock(&log->lock);
	if (signal)
		pthread_cond_signal(&log->cond);
}

void
log_note(struct log *log, enum log_level level, const char *subsystem,
    const char *event, const struct err *err)
{
	struct log_line l;

	log_begin(&l, log, level, NULL, subsystem, event);
	if (err != NULL)
		log_err(&l, err);
	log_end(&l);
}

/* ---- the thread ---- */

/* Under the lock: wait for lines, then a little for more of them. */
static void
wait_for_lines(struct log *log)
{
	struct timespec end;

	while (buf_len(&log->waiting) == 0 && !log->reopen && !log->closing)
		pthread_cond_wait(&log->cond, &log->lock);
	end = cond_in(GATHER_MS);
	while (!log->urgent && !log->reopen && !log->closing) {
		if (pthread_cond_timedwait(&log->cond, &log->lock, &end))
			break;
	}
}

/* Write the buffer that was taken; how many lines were lost. */
static uint64_t
write_lines(struct log *log)
{
	uint64_t lost;

	lost = log_target_write(&log->target,
	    (const char *)buf_head(&log->writing), buf_len(&log->writing));

	/* A burst's memory is given back, a usual batch's kept. */
	buf_reset(&log->writing);
	if (log->writing.cap > LIMIT_LOG_RING_BYTES / 16)
		buf_fini(&log->writing);
	return (lost);
}

/* The same of a log of JSON. */
static int
write_json_note(struct log *log, const char *event, uint64_t lost,
    const struct err *err)
{
	struct log_json l;

	log_json_begin(&l, log);
	log_json_str(&l, "event", event);
	if (lost > 0)
		log_json_int(&l, "lines", (int64_t)lost);
	if (err != NULL)
		log_json_str(&l, "reason", err->text);
	return (log_target_write(&log->target, l.text, log_json_close(&l)) ==
	    0 ? 0 : -1);
}

/* A line of the thread's own, past the buffer.  0, or -1 if not written. */
static int
write_note(struct log *log, const char *event, uint64_t lost,
    const struct err *err)
{
	struct log_line l;
	size_t len;

	if (log->json)
		return (write_json_note(log, event, lost, err));
	log_line_start(&l, log, clock_wall_ms(log->clock), LOG_LEVEL_WARN,
	    NULL, "log", event);
	if (lost > 0)
		log_int(&l, "lines", (int64_t)lost);
	if (err != NULL)
		log_err(&l, err);
	len = log_line_end(&l);
	return (log_target_write(&log->target, l.text, len) == 0 ? 0 : -1);
}

static void *
run(void *arg)
{
	struct log *log = arg;
	struct buf taken;
	struct err err;
	uint64_t lost;
	bool reopen, closing;

	(void)pthread_setname_np(pthread_self(), "log");
	do {
		pthread_mutex_lock(&log->lock);
		wait_for_lines(log);
		taken = log->waiting;
		log->waiting = log->writing;
		log->writing = taken;
		lost = log->lost;
		reopen = log->reopen;
		closing = log->closing;
		log->lost = 0;
		log->reopen = log->urgent = false;
		pthread_mutex_unlock(&log->lock);

		err_clear(&err);
		if (reopen && log_target_reopen(&log->target, &err) &&
		    write_note(log, "reopen_failed", 0, &err))
			lost++;
		lost += write_lines(log);
		if (lost == 0 || write_note(log, "lost", lost, NULL) == 0)
			continue;

		/* The disk is full, say; it is told with the next lines. */
		pthread_mutex_lock(&log->lock);
		log->lost += lost;
		pthread_mutex_unlock(&log->lock);
	} while (!closing);
	return (NULL);
}

/* The thread takes no signals: they belong to the loop. */
static int
start_thread(struct log *log, struct err *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&log->thread, NULL, run, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		err_set_errno(err, ERR_NOMEM, rc, "cannot start the log");
		return (-1);
	}
	return (0);
}

static int
init_lock(struct log *log, struct err *err)
{
	int rc;

	if ((rc = pthread_mutex_init(&log->lock, NULL)) != 0)
		goto err0;
	if ((rc = cond_init(&log->cond)) != 0)
		goto err1;
	return (0);

err1:
	pthread_mutex_destroy(&log->lock);
err0:
	err_set_errno(err, ERR_NOMEM, rc, "cannot make a lock for the log");
	return (-1);
}

static struct log *
open_log(const char *target, enum log_level level, bool json,
    const struct clock *clock, struct err *err)
{
	struct log *log;

	if ((log = calloc(1, sizeof(*log))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the log");
		goto err0;
	}
	log->clock = clock;
	log->json = json;
	atomic_init(&log->level, (int)level);
	buf_init(&log->waiting, LIMIT_LOG_RING_BYTES);
	buf_init(&log->writing, LIMIT_LOG_RING_BYTES);
	if (log_target_open(&log->target, target, err))
		goto err1;
	if (init_lock(log, err))
		goto err2;
	if (start_thread(log, err))
		goto err3;
	return (log);

err3:
	pthread_cond_destroy(&log->cond);
	pthread_mutex_destroy(&log->lock);
err2:
	log_target_close(&log->target);
err1:
	free(log);
err0:
	return (NULL);
}

struct log *
log_open(const char *target, enum log_level level, const struct clock *clock,
    struct err *err)
{

	return (open_log(target, level, false, clock, err));
}

struct log *
log_open_json(const char *target, const struct clock *clock, struct err *err)
{

	return (open_log(target, LOG_LEVEL_INFO, true, clock, err));
}

void
log_close(struct log *log)
{

	if (log == NULL)
		return;
	pthread_mutex_lock(&log->lock);
	log->closing = true;
	pthread_mutex_unlock(&log->lock);
	pthread_cond_signal(&log->cond);
	pthread_join(log->thread, NULL);
	log_target_close(&log->target);
	pthread_cond_destroy(&log->cond);
	pthread_mutex_destroy(&log->lock);
	buf_fini(&log->waiting);
	buf_fini(&log->writing);
	free(log);
}

void
log_set_level(struct log *log, enum log_level level)
{

	atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

void
log_reopen(struct log *log)
{

	pthread_mutex_lock(&log->lock);
	log->reopen = true;
	pthread_mutex_unlock(&log->lock);
	pthread_cond_signal(&log->cond);
}
