#ifndef POOL_DEMAND_H_
#define POOL_DEMAND_H_

#include "pool/budgets.h"

struct admit_op;
struct extend_op;
struct runner;

/** A model as it goes upstream. */
struct named {
	const char *platform, *model;
};

/**
 * What requests want of budgets.  The worst case of input is a token for each
 * byte of the body, as far as the model's context goes, or all of that; an
 * estimate is a token for three bytes.  The worst case of output is what the
 * request allows, a slice what the operator set.  Store thread.
 */

/**
 * demand_add(rn, op, at, want, gap):
 * Raise ${want}, which was all zero before the first call, to what ${op} may
 * use under the name that it has ${at} an account.  0, or -1 with *${gap} if
 * nobody can tell what that costs; it counts as nothing then.
 */
int demand_add(const struct runner *rn, const struct admit_op *op,
    const struct named *at, struct demand *want, enum price_gap *gap)
    __attribute__((__warn_unused_result__));

/** demand_more(rn, op, want): What a stream has used so far with one slice more
 * as the slice of ${want}, what that covers, and the worst case. */
void demand_more(const struct runner *rn, const struct extend_op *op,
    struct demand *want);

#endif /* !POOL_DEMAND_H_ */
