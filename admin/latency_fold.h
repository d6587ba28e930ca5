#ifndef ADMIN_LATENCY_FOLD_H_
#define ADMIN_LATENCY_FOLD_H_

#include <stdbool.h>
#include <stdint.h>

#include "ledger/rollup.h"

struct err;
struct store;
struct store_value;

/**
 * How long requests took is folded from the ledger into counts by hour and by
 * day (tables latency_hour, latency_day; ledger/latency.h), by a job, so that
 * settling requests costs nothing more.  meta.latency_mark is the last row of
 * the ledger that was looked at, and is written by the transaction that writes
 * the counts: each row is in them once.  The mark stays below rows that are
 * open, and LATENCY_LAG_MS behind the present, as rows do not appear in quite
 * the order of their ids.  What is above it a report reads from the ledger.
 *
 * A row that was given up as lost and was corrected after the mark had passed
 * it is not in the counts.
 */
#define LATENCY_LAG_MS	120000

/** A row of the ledger as latency_rows has it; times are -1 where there is
 * none. */
struct latency_row {
	int64_t id;
	struct rollup_key key;		/* of its hour */
	int64_t first_byte_ms, whole_ms;
};
void latency_row_read(const struct store_value *cols,
    struct latency_row *row);

/** latency_mark(st, mark, err): 0, or -1. */
int latency_mark(struct store *st, int64_t *mark, struct err *err)
    __attribute__((__warn_unused_result__));

struct latency_pass {
	int64_t rows;
	bool more;		/* are left */
};

/** latency_fold(st, pass, err): Fold some rows, in a transaction of its own:
 * some 10 ms of the writer's time.  0, or -1. */
int latency_fold(struct store *st, struct latency_pass *pass,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_LATENCY_FOLD_H_ */
