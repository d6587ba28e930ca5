#ifndef POOL_CHECK_H_
#define POOL_CHECK_H_

#include <stdbool.h>

#include "pool/place.h"
#include "pool/pool.h"

struct err;
struct runner;

/**
 * May a request be admitted, slots apart: key, model, price, budgets.  And in
 * which words it is refused.  Store thread.
 */

/**
 * check_arrival(rn, op, w, holds, err):
 * Fill in ${w} for the new ${op} and reserve on its budgets, see ${holds}.  1:
 * it may; 0: refused, .verdict and .reason are set; -1.
 */
int check_arrival(struct runner *rn, struct admit_op *op, struct want *w,
    struct holds *holds, struct err *err)
    __attribute__((__warn_unused_result__));

/** check_want(rn, op, w, err): The same for one that was admitted before and
 * wants (another) slot: 1, or 0 if its key is gone, or -1. */
int check_want(struct runner *rn, struct admit_op *op, struct want *w,
    struct err *err) __attribute__((__warn_unused_result__));

/** check_explain(rn, op, w, verdict): Set verdict, reason and retry time of a
 * request that was not placed. */
void check_explain(struct runner *rn, struct admit_op *op,
    const struct want *w, enum admit_verdict verdict);

#endif /* !POOL_CHECK_H_ */
