#ifndef STORE_THREAD_INTERNAL_H_
#define STORE_THREAD_INTERNAL_H_

/*
 * What the files of the store thread share: thread.c (the loop's side),
 * worker.c (the thread: connection, sleep), batch.c (its batches) and reader.c
 * (the thread that reads).  Nobody else includes this.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "base/loop.h"
#include "store/thread.h"

TAILQ_HEAD(op_list, store_op);

enum thread_state {
	THREAD_STARTING,	/* not connected yet; operations wait */
	THREAD_UP,
	THREAD_DOWN		/* only `must' operations wait */
};

/*
 * The way of an operation:
 *
 *	loop	fresh -> inbox, reads		outbox -> done()
 *	reader	    reads -------------------------+^
 *	thread	    inbox -> urgent,		    |
 *		    normal -> (batch) -> finished --+
 *			       |   ^  ^
 *			       v   |  held (until another batch releases it)
 *			      retry (`must', alone, later)
 */
struct store_thread {
	/* Set before the thread starts, then only read. */
	char *url;
	struct store_options options;
	const struct store_runner *runner;
	struct loop *loop;
	struct slot *slot;
	void (*state_cb)(void *arg, bool up, const struct err *why);
	void *state_arg;
	pthread_t tid, reader_tid;

	_Atomic(enum thread_state) state;	/* written by the thread */
	atomic_uint lost;		/* raised with each connection that
					   the thread gave up */

	/* The loop's. */
	struct op_list fresh;		/* submitted this turn */
	struct loop_task flush;
	struct loop_wake *wake;
	int64_t waiting;		/* submitted and not done */
	enum thread_state told;		/* what state_cb was told last */
	uint64_t told_downs;

	/* Guarded by ${mtx}. */
	pthread_mutex_t mtx;
	pthread_cond_t work;		/* the thread sleeps on it */
	pthread_cond_t to_read;		/* the reader sleeps on it */
	pthread_cond_t news;		/* store_thread_stop sleeps on it */
	struct op_list inbox;
	struct op_list reads;
	struct op_list outbox;
	bool sleeping;			/* on ${work} */
	bool kicked;
	bool stopping;			/* ${news} is wanted */
	bool quit;
	int64_t nheld;
	struct err why;			/* of the last going down */
	uint64_t downs;			/* how often it went down */
	struct store_thread_stats stats;

	/* The thread's. */
	struct store *writer;
	bool greeted;			/* connected() was called */
	struct op_list urgent, normal;
	struct op_list retry;
	struct op_list held;
	struct op_list finished;	/* to be posted */
	int64_t nheld_mine;
	bool poll_now;
	bool chores;			/* housekeeping is left to do */
	bool backlog;			/* more of it may be there at once */
	int64_t polled_ms;
	int64_t backoff_ms;
	int64_t reconnect_ms;		/* down: when to try again */
	bool went_down;			/* not posted yet */
	struct err down_why;
	struct store_thread_stats counts;	/* not posted yet */
};

/** worker_main(t), reader_main(t): The threads. */
void *worker_main(void *arg);
void *reader_main(void *arg);

/* ---- within the thread: batch.c for worker.c ---- */

/** worker_run_batch(t), worker_run_retries(t), worker_run_backlog(t): One batch
 * of what waits; each alone, what failed and must be done; one batch of what
 * was spooled.  Nothing if there is none. */
void worker_run_batch(struct store_thread *t);
void worker_run_retries(struct store_thread *t);
void worker_run_backlog(struct store_thread *t);

/** worker_poll_wait_ms(t): Milliseconds until a poll is due; -1: none is. */
int64_t worker_poll_wait_ms(struct store_thread *t);

/* ---- within the thread: worker.c for batch.c ---- */

int64_t worker_now_ms(const struct store_thread *t);

/** worker_heals(code): May the same transaction succeed a moment later?
 * worker_is_lost(code): Is the connection, or the database, to blame? */
bool worker_heals(enum err_code code);
bool worker_is_lost(enum err_code code);

/** worker_sort_inbox(t): Take over what came in, each to its list; ${mtx} is
 * held. */
void worker_sort_inbox(struct store_thread *t);

/** worker_finish(t, op): Post it.  worker_fail(t, op, why): Give it its error,
 * or keep it for later if it must be done. */
void worker_finish(struct store_thread *t, struct store_op *op);
void worker_fail(struct store_thread *t, struct store_op *op,
    const struct err *why);

/** worker_expire(t, op, now): Fail it if its time is over; true if it was.
 * worker_expire_list(t, list, now): Likewise, for all on ${list}. */
bool worker_expire(struct store_thread *t, struct store_op *op, int64_t now);
void worker_expire_list(struct store_thread *t, struct op_list *list,
    int64_t now);

/** worker_probe(t, err): A small write, a transaction of its own: shows
 * whether there is room and leave to write.  0, or -1. */
int worker_probe(struct store_thread *t, struct err *err)
    __attribute__((__warn_unused_result__));

/** worker_go_down(t, why): The database cannot be used. */
void worker_go_down(struct store_thread *t, const struct err *why);

#endif /* !STORE_THREAD_INTERNAL_H_ */
