#ifndef POOL_PRUNE_H_
#define POOL_PRUNE_H_

#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

/**
 * Retention: closed ledger rows that came before a cut, and their attempts, are
 * deleted a few at a time, so that nobody waits long for the writer.  What
 * they were charged to budgets is kept in the windows (budget_window.kept) by
 * the same transaction; the sums of usage and of keys stay as they are.  meta
 * notes the cut (ledger_cut_ms) and how many rows have gone (ledger_pruned).
 * Budget windows that nobody needs go as well, whatever the cut:
 *
 *	rolling		two days after it left the last length_ms
 *	others		40 days after it ended; of period total: never
 *
 * So do rows of objects that live upstream no more (objects.h):
 *
 *	batches		29 days after they were made: so long their results are
 *			there (platform.claude.com/docs, "Batch processing")
 *	what is gone	a day after the upstream said so, if it does not give it
 *			again; files last until they are deleted
 *
 * A clock that jumped ahead by days is not believed at once, or a wrong one
 * would have taken what cannot be had back: where the last pass (meta:
 * prune_seen_ms) is longer ago than 2 days nothing goes (prune_held) until the
 * clock has said so for 20 hours, or is back.  After a rest of some days it is
 * so as well.
 *
 * The cut is a whole hour of UTC, so that an hour's rows are all there or are
 * not to be counted on.
 */

/** prune_cut_ms(now_ms, keep_days): The hour before which rows go. */
int64_t prune_cut_ms(int64_t now_ms, int64_t keep_days);

/** What has been deleted: in all, by anybody. */
struct prune_state {
	int64_t cut_ms;		/* 0: never cut */
	int64_t rows;
};

/** prune_read(st, state, err): 0, or -1. */
int prune_read(struct store *st, struct prune_state *state, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * prune_ledger(st, cut_ms, max, rows, err), prune_windows(st, max, rows, err):
 * In a write transaction: delete up to ${max}; *${rows} is how many there
 * were.  Fewer than ${max}: no more are left, or another is at it.  0, or -1.
 */
int prune_ledger(struct store *st, int64_t cut_ms, int64_t max,
    int64_t *rows, struct err *err) __attribute__((__warn_unused_result__));
int prune_windows(struct store *st, int64_t max, int64_t *rows,
    struct err *err) __attribute__((__warn_unused_result__));

/** What one pass deleted. */
struct prune_pass {
	int64_t requests, windows, sessions, objects;
	bool more;		/* are left */
	bool held;		/* nothing, as the clock jumped */
};

/**
 * prune_some(st, keep_days, pass, err):
 * In a transaction of its own, delete some of all that is old: up to
 * PRUNE_MAX requests (none if ${keep_days} is 0), budget windows, sessions
 * that ran out, and objects: some 10 ms of the writer's time.  0, or -1.
 */
#define PRUNE_MAX	500
int prune_some(struct store *st, int64_t keep_days, struct prune_pass *pass,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !POOL_PRUNE_H_ */
