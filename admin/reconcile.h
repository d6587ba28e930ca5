#ifndef ADMIN_RECONCILE_H_
#define ADMIN_RECONCILE_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct provider_report;
struct store;

/**
 * What the provider reports against what the ledger has (its sums by day), by
 * day of UTC and model.  A day and model is off when all its tokens, or its
 * cost, differ by more than the tolerance, beyond what the rounding of the
 * report explains.
 */
/* Each is read on its own. */
#define RECONCILE_DAYS_MAX	3660

struct reconcile_query {
	const char *account;		/* of this one alone; NULL: of all */
	const char *group;
	int64_t from_ms, to_ms;		/* 0: as the report */
	int64_t tolerance;		/* in 1/1000 percent of what the
					   provider states */
};

/**
 * reconcile(st, r, q, err):
 * {"from_ms", "to_ms", "tokens", "cost": does the report have them,
 * "incomplete", "off": how many rows, "rows": [{"day", "model", "off",
 * "provider": {sums}, "ledger": {sums, "requests", "estimated", "unpriced"},
 * "gap": {sums}}], "total": the same of all}.  The sums are those of the
 * report: tokens by kind, searches, cost; a gap is what the provider has more.
 * A new reference; NULL with ${err}.
 */
json_t *reconcile(struct store *st, const struct provider_report *r,
    const struct reconcile_query *q, struct err *err);

#endif /* !ADMIN_RECONCILE_H_ */
