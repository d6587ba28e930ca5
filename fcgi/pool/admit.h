#ifndef POOL_ADMIT_H_
#define POOL_ADMIT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/place.h"
#include "pool/pool.h"

struct err;
struct runner;

/**
 * Admission of a batch: who may, who gets a slot, who waits, who is refused;
 * with all rows.  Store thread.
 */

/** admit_run(rn, err): The batch's admissions, moves and tickets.  0, or -1. */
int admit_run(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * admit_grant(rn, op, account, n, fence):
 * ${op} has the slot ${n} of ${account} (${n} 0: needs none): fill in its
 * lease and collect the rows of its attempt.
 */
void admit_grant(struct runner *rn, struct admit_op *op,
    const struct account *account, int64_t n, int64_t fence);

/**
 * admit_dismiss(rn, op, verdict, outcome, err):
 * ${op}, which waits, is answered without a lease: its ticket goes, and its
 * ledger row is closed with ${outcome}, unless it is a move, which is settled
 * by whoever made it.  0, or -1.
 */
int admit_dismiss(struct runner *rn, struct admit_op *op,
    enum admit_verdict verdict, const char *outcome, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * admit_maps(op): Does the model have other names?  Not where none goes into
 * the body, as of what is about an object.
 */
bool admit_maps(const struct admit_op *op);

/** admit_model(op, a): What the model of ${op} is called at ${a}. */
const char *admit_model(const struct admit_op *op, const struct account *a);

/** admit_ready(rn, op): ${op}, which waited, is answered in this batch. */
void admit_ready(struct runner *rn, struct admit_op *op);

#endif /* !POOL_ADMIT_H_ */
