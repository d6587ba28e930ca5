#ifndef POOL_PRUNE_H_
#define POOL_PRUNE_H_

#include <stdbool.h>
#include <stdint.h>

struct err;
struct runner;
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

/** When a responder looks for rows. */
struct pruning {
	int64_t due_ms;		/* monotonic; 0: now */
	int64_t tried_ms;	/* in this batch; 0: not */
	bool more;		/* are left */
};

/**
 * prune_beat(rn, err): With a beat: once an hour, and with each beat as long
 * as there are more, delete some.  0, or -1.  prune_ended(p, committed): The
 * batch is over; one that is rolled back is run again without, and for a
 * minute nothing is deleted, so that no beat fails because of this.
 */
int prune_beat(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));
void prune_ended(struct pruning *p, bool committed);

#endif /* !POOL_PRUNE_H_ */
