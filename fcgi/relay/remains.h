#ifndef RELAY_REMAINS_H_
#define RELAY_REMAINS_H_

#include "pool/pool.h"

struct buf;

/**
 * remains_headers(out, left):
 * What is left of a key's budgets, as header lines: for each kind the budget
 * with the least left, in dollars, tokens or requests, beside what this request
 * has reserved; the time of renewal where there is one.
 *
 *	x-leasehold-budget-money-limit: 5.00
 *	x-leasehold-budget-money-remaining: 1.25
 *	x-leasehold-budget-money-reset: 2026-12-01T00:00:00.000Z
 *
 * 0, or -1 without memory.
 */
int remains_headers(struct buf *out,
    const struct budget_left left[BUDGET_KINDS])
    __attribute__((__warn_unused_result__));

#endif /* !RELAY_REMAINS_H_ */
