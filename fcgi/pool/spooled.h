#ifndef POOL_SPOOLED_H_
#define POOL_SPOOLED_H_

#include <stddef.h>
#include <stdint.h>

#include "pool/pool.h"
#include "store/spool.h"

/**
 * A settlement as a record of a spool file: all that settle_close needs, one
 * field after the other, integers with 8 bytes, texts with their length.
 * Fields are only ever added at the end: what an older program wrote lacks
 * them, and they are 0; what a newer one wrote has more, which is passed over.
 */
struct spooled {
	struct settle_op settle;	/* first: its op goes to the thread */
	struct account account;		/* id and platform of the lease's */
	int64_t written_ms;		/* wall time */
	bool budgeted;			/* in old records; nobody reads it */
	/* where the record is; the backlog's own */
	struct spool *from;
	size_t number;
};

/** spooled_write(op, now_ms, buf): Encode; ${buf} has SPOOL_RECORD_MAX bytes,
 * which is enough.  Returns the length. */
size_t spooled_write(const struct settle_op *op, int64_t now_ms, void *buf);

/**
 * spooled_read(s, p, n, now_ms):
 * Decode into an operation that can be run; the lease's account is ${s}'s
 * own.  An account that was to be parked for a default time is parked for what
 * is left of that.  0, or -1 if the bytes make no settlement.
 */
int spooled_read(struct spooled *s, const void *p, size_t n, int64_t now_ms)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_SPOOLED_H_ */
