#ifndef ADMIN_ACCOUNT_BREAKER_H_
#define ADMIN_ACCOUNT_BREAKER_H_

#include <jansson.h>
#include <stdint.h>

struct err;

/**
 * account_breakers(accounts, cooldowns, now_ms, err):
 * Give each of ${accounts} (by "name") those of ${cooldowns} (by "account")
 * that are against it still, as "cooldowns", each with its "state": "open",
 * "half-open", or "probing" where a request finds out.  From those for the
 * account as a whole it gets "breaker" ("closed", ...), "breaker_reason" and
 * "parked_until_ms" (null unless it is open).  0, or -1.
 */
int account_breakers(json_t *accounts, json_t *cooldowns, int64_t now_ms,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ACCOUNT_BREAKER_H_ */
