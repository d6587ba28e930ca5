#ifndef POOL_TICKETS_H_
#define POOL_TICKETS_H_

#include <stddef.h>
#include <stdint.h>

#include "pool/place.h"

struct err;
struct runner;

/**
 * The rows of those that wait, of all processes.  Whoever frees a slot grants
 * it, in the same transaction, and wakes the owner by a datagram; the owner
 * takes the grant, or it lapses.  Store thread.
 */

/** tickets_lapse(rn, err): Grants that nobody took for too long go back in
 * line.  0, or -1. */
int tickets_lapse(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/** tickets_collect(rn, err): Take what others granted to requests of this
 * process.  0, or -1. */
int tickets_collect(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * tickets_expire(rn, err): Answer this process's waiting requests whose time
 * is over.  0, or -1.
 */
int tickets_expire(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * tickets_gather(rn, wants, max, n, err):
 * Those that wait as wants, fairly cut at ${max}: each key's oldest first.
 * 0 with *${n}, or -1.
 */
int tickets_gather(struct runner *rn, struct want *wants, size_t max,
    size_t *n, struct err *err) __attribute__((__warn_unused_result__));

/** tickets_add(rn, w): The row of a request that begins to wait; ${w} stays
 * until it was sent. */
void tickets_add(struct runner *rn, struct want *w);

/** tickets_grant(rn, w, err): Another process's request got a slot.  0, or
 * -1. */
int tickets_grant(struct runner *rn, const struct want *w, struct err *err)
    __attribute__((__warn_unused_result__));

/** tickets_ended(rn, committed): Send the wake-ups. */
void tickets_ended(struct runner *rn, bool committed);

#endif /* !POOL_TICKETS_H_ */
