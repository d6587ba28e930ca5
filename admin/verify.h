#ifndef ADMIN_VERIFY_H_
#define ADMIN_VERIFY_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct store;

/**
 * Are all sums those of the rows?  Each is made anew and compared, while the
 * pool is at work:
 *
 *	ledger rows	of their attempts: number, tokens, cost
 *	usage_hour	of the ledger rows of that hour, from the cut on
 *			(retention; before it they stand for themselves)
 *	usage_day	of usage_hour
 *	key_usage	of usage_day
 *	budget_window	.spent of .kept and what closed rows hold, .reserved of
 *			what open rows hold
 *
 * Rows are read in pages, each in a read transaction of its own, so that none
 * outlives a second.  An hour that differs is read again in one.  What closed
 * rows hold changes no more, and is added up on the way; rows that were not
 * final yet when their page was read, and those that came since shortly before
 * the start, are read at the end, in one transaction with the budget windows.
 * If windows differ still, or rows were deleted meanwhile, all begins again,
 * up to three times.  Memory is that of one hour's and one day's sums, of the
 * budget windows that are still to be checked (see pool/prune.h), and of the
 * ids of rows that are not final.
 */

/* So many differences are told of; the others are counted. */
#define VERIFY_SHOWN	100

/**
 * verify_ledger(st, err):
 * {"rows", "attempts", "hours", "days", "keys", "windows": checked, "cut_ms":
 * null if never cut, "differences": how many, "shown": [{"table", "where",
 * "sum", "stored", "expected"}]}.  A new reference; NULL with ${err}.
 */
json_t *verify_ledger(struct store *st, struct err *err);

/** verify_ledger_with(st, go_on, arg, err): The same; ${go_on} is called now
 * and then, outside of transactions, and breaks it off with -1 and ${err}. */
json_t *verify_ledger_with(struct store *st,
    int (*go_on)(void *arg, struct err *err), void *arg, struct err *err);

#endif /* !ADMIN_VERIFY_H_ */
