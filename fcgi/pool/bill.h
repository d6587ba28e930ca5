#ifndef POOL_BILL_H_
#define POOL_BILL_H_

#include <stdbool.h>
#include <stdint.h>

#include "ledger/price.h"
#include "ledger/usage.h"

struct account;
struct attempt_end;
struct named;
struct runner;

/**
 * What calls may cost and have cost, by the price table and the settings of
 * the operator.  All goes by the prices at the time of the request's ledger
 * id, so that what is charged goes by the same rows as what was reserved, and
 * a change of prices touches no request that was there before it.  Store
 * thread.
 */

/**
 * bill_worst(rn, ledger_id, call, nusd, gap):
 * price_worst for a request; .at_ms and .use_default of ${call} are not looked
 * at.
 */
int bill_worst(const struct runner *rn, int64_t ledger_id,
    const struct price_call *call, int64_t *nusd, enum price_gap *gap)
    __attribute__((__warn_unused_result__));

/** bill_by_default(rn, ledger_id, at): The model has no price of its own, and
 * policy gives it the default. */
bool bill_by_default(const struct runner *rn, int64_t ledger_id,
    const struct named *at);

/** A request, as far as it bounds what an attempt of it may have used. */
struct bill_call {
	int64_t ledger_id;
	const char *model;
	int64_t max_tokens;	/* 0: not stated */
	bool repeats;		/* see struct price_ask */
};

/** What a try cost. */
struct bill {
	int64_t nusd;		/* -1: unpriced */
	int64_t price_id;	/* 0: none */
	bool estimated;		/* nothing was stated: up to the reserve */
	int flags;		/* enum ledger_flag, all but OVERRUN */
	struct usage usage;	/* what was charged; as stated, unless it
				   cannot be true and policy bounds it */
};

/**
 * bill_attempt(rn, account, call, end, bill):
 * Price the usage of one attempt.  ${account} may be NULL (no attempt).
 * .nusd is 0 where .estimated.
 */
void bill_attempt(const struct runner *rn, const struct account *account,
    const struct bill_call *call, const struct attempt_end *end,
    struct bill *bill);

#endif /* !POOL_BILL_H_ */
