#ifndef STORE_THREAD_H_
#define STORE_THREAD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "store/store.h"

struct loop;
struct slot;
struct store_thread;

/**
 * The store thread of a relay responder.  The loop hands over operations and
 * goes on; the thread runs all that wait as one batch in one transaction
 * (group commit) and posts the results back to the loop after COMMIT.  What
 * only reads is served by a second thread, so that it waits neither for the
 * write lock nor for rows that somebody keeps locked.
 *
 * An operation is embedded in its owner's struct.  From store_submit until
 * its done callback it belongs to the threads: the loop reads and writes
 * nothing of it; results are written into the operation itself, and seen by
 * the loop in done.  Operations change no other memory of the loop.
 *
 * A batch that fails is rolled back.  With a code that may heal it is run once
 * more whole; then its halves are run, down to single operations, so that a
 * bad one does not take its neighbours along.  What still fails gets its
 * error, except operations that are marked `must': they are kept and tried
 * again, alone and with back-off, until they succeed, their deadline comes or
 * the thread is stopped; or, where the runner can spool, until they are on
 * disk.
 *
 * While the database cannot be used (from the first failure of a connection,
 * a lock on the whole of it that is not free in time, a full disk, ... until a
 * small write has succeeded) operations fail at once with ERR_STORE_DOWN,
 * without waking the threads, except `must' ones.  After ERR_STORE_UNKNOWN
 * `must' operations are run again, so they have to be fenced; others get that
 * error.
 */
struct store_op {
	int kind;			/* the runner's own enum */
	bool urgent;			/* goes ahead of others (beats) */
	bool must;			/* kept until it succeeds; nothing that
					   reads must */
	int64_t deadline_ms;		/* monotonic; waits still by then:
					   fails with ERR_STORE_DOWN, also if
					   it must; 0: none */
	void (*done)(struct store_op *op, const struct err *err);
					/* in the loop; ERR_NONE: ok */
	bool replay;			/* see store_runner.backlog */
	bool spooled;			/* out: not in the database yet, but
					   safe, see store_runner.spool */
	/* the thread's own */
	struct err err;
	bool held;			/* see store_batch_hold */
	bool running;			/* part of the batch at hand */
	unsigned int tries;		/* failed when alone */
	int64_t retry_ms;		/* when to try again */
	int64_t since_ms;		/* submitted */
	TAILQ_ENTRY(store_op) entry;
};

struct store_batch;

/**
 * store_batch_hold(b, op): Run callbacks only.  The operation is not posted
 * when this batch commits (it waits for something); it must later be given to
 * store_batch_release in some batch, which posts it when that one commits.
 * Both are undone when the batch rolls back.
 */
void store_batch_hold(struct store_batch *b, struct store_op *op);
void store_batch_release(struct store_batch *b, struct store_op *op);

/** What runs operations; supplied by the floors above. */
struct store_runner {
	/**
	 * Once after each (re)connect, before any batch: read what is kept in
	 * memory.  -1: the connection is given up and tried again later.
	 */
	int (*connected)(void *arg, struct store *st, struct err *err);
	/**
	 * Run ${n} operations inside one write transaction.  Must leave memory
	 * so that it can be run again after a rollback, with the same or with
	 * fewer operations.  An operation's own ${err} may be set to give it
	 * an error of its own although the batch commits.  0: commit; -1:
	 * roll back, ${err} says why.
	 */
	int (*run)(void *arg, struct store_batch *b, struct store *st,
	    struct store_op **ops, size_t n, struct err *err);
	/** The batch was committed (true) or rolled back (false). */
	void (*ended)(void *arg, struct store_batch *b, bool committed);
	/** One operation that only reads, on the read connection, in the
	 * reading thread: while batches run. */
	int (*read)(void *arg, struct store *st, struct store_op *op,
	    struct err *err);
	/**
	 * A held operation's deadline (which run() may set anew as it holds
	 * it) passed while the database was down: it gets ERR_STORE_DOWN and
	 * is to be forgotten.  May be NULL: then none is dropped.
	 */
	void (*dropped)(void *arg, struct store_op *op);
	/**
	 * The database cannot be used, or takes too long, or the thread ends:
	 * set .spooled of those of these ${n} `must' operations that could be
	 * put on disk.  They are done then, without error.  May be NULL.
	 */
	void (*spool)(void *arg, struct store_op **ops, size_t n);
	/**
	 * The database can be used: up to ${max} operations, marked `replay'
	 * and `must', of what was spooled here or elsewhere.  They are run as
	 * others are, but not posted: replayed() is told of each, before the
	 * next call, that it was committed (ERR_NONE) or is to be tried later.
	 * May be NULL, both.
	 */
	size_t (*backlog)(void *arg, struct store_op **ops, size_t max);
	void (*replayed)(void *arg, struct store_op *op,
	    const struct err *err);
	/** Is this kind served by read()?  Looks at nothing else; in the
	 * loop. */
	bool (*reads)(void *arg, const struct store_op *op);
	/** How long to wait at most before run() is called with n = 0 (poll
	 * while tickets wait); -1: no need. */
	int64_t (*poll_ms)(void *arg);
	void *arg;
	/* All others are called in the store thread.  ended, read, reads and
	 * poll_ms may be NULL. */
};

struct store_thread_params {
	const char *url;
	struct store_options options;
	const struct store_runner *runner;
	struct loop *loop;
	struct slot *slot;		/* the thread's counts, see
					   metrics/slots.h; may be NULL */
	/** State changes, in the loop: up at first, down with the reason, up
	 * again.  May be NULL. */
	void (*state)(void *arg, bool up, const struct err *why);
	void *arg;
};

/**
 * store_thread_start(params, err):
 * Start the thread; it connects by itself and keeps trying.  NULL with ${err}
 * if the thread cannot be made.
 */
struct store_thread *store_thread_start(
    const struct store_thread_params *params, struct err *err);

/** store_submit(t, op): From the loop.  The thread is woken once a turn. */
void store_submit(struct store_thread *t, struct store_op *op);

/** store_kick(t): Run a poll soon (a wake-up datagram came).  Loop only. */
void store_kick(struct store_thread *t);

/** store_thread_up(t): Connected, and not down since.  Any thread. */
bool store_thread_up(const struct store_thread *t);

struct store_thread_stats {
	uint64_t batches, ops, retries, failures;
	int64_t commit_us_max;		/* longest commit since last asked */
	int64_t waiting;		/* operations not done */
};

/** store_thread_stats(t, st): From the loop. */
void store_thread_stats(struct store_thread *t,
    struct store_thread_stats *st);

/**
 * store_thread_stop(t, timeout_ms):
 * From the loop's thread, after the loop has ended or is about to: finish
 * what was submitted, for at most ${timeout_ms}, run the done callbacks,
 * join, close.  Operations that could not be done, or are held, get
 * ERR_CANCELLED.  A batch that is being written is waited for.  NULL is
 * allowed.
 */
void store_thread_stop(struct store_thread *t, int64_t timeout_ms);

#endif /* !STORE_THREAD_H_ */
