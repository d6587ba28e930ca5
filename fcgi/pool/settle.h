#ifndef POOL_SETTLE_H_
#define POOL_SETTLE_H_

#include <stddef.h>
#include <stdint.h>

#include "pool/pool.h"

struct bill;
struct err;
struct idlist;
struct runner;
struct settling;

/**
 * Settlement: ledger rows are closed, fenced by state and attempt; what they
 * held of budgets becomes spend; slots are free.  A row that was reaped
 * meanwhile is corrected, once.  Store thread.
 */

/** Requests whose rows are closed, but which still hold slots and budgets. */
struct settlements {
	struct settling *list;
	size_t n;
};

/**
 * settle_close(rn, ops, n, err):
 * Close the rows of ${n} requests: what others hardly ever wait for.  What
 * they hold of budgets is in the runner's .held then.  settle_give_back: slots,
 * and the budgets' parts; from the first of these on others wait for the end of
 * this transaction.
 * 0, or -1.
 */
int settle_close(struct runner *rn, struct settle_op **ops, size_t n,
    struct err *err) __attribute__((__warn_unused_result__));
int settle_give_back(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * settle_refuse(rn, op, outcome, err):
 * A request that waited, and has no attempt, is refused: its row is closed
 * with ${outcome} and what it reserved given back, at the end of the batch
 * (settle_refused).  settle_dropped: likewise for one that the outage of the
 * database took out of the queue.  settle_void: for one of which it is not
 * known whether it was admitted: if not, a void row keeps it from ever being.
 * 0, or -1.
 */
int settle_refuse(struct runner *rn, const struct admit_op *op,
    const char *outcome, struct err *err)
    __attribute__((__warn_unused_result__));
int settle_dropped(struct runner *rn, int64_t ledger_id, int64_t key_id,
    struct err *err) __attribute__((__warn_unused_result__));
int settle_void(struct runner *rn, int64_t ledger_id, int64_t key_id,
    struct err *err) __attribute__((__warn_unused_result__));
int settle_refused(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/** settle_forget(rn): A batch begins, or is over. */
void settle_forget(struct runner *rn);

/** settle_close_attempt(rn, ledger_id, n, end, bill, nusd): Collect the row,
 * with the usage in ${bill}; ${nusd} -1: NULL. */
void settle_close_attempt(struct runner *rn, int64_t ledger_id, int n,
    const struct attempt_end *end, const struct bill *bill, int64_t nusd);

#endif /* !POOL_SETTLE_H_ */
