#ifndef TESTS_POOL_ACCOUNTS_H_
#define TESTS_POOL_ACCOUNTS_H_

#include "pool/choose.h"

/** What tests of the choice make their candidates of, at one moment. */
#define NOW	INT64_C(1795159758123)

static struct cooldown parked_now = {
	.reason = "rate_limited", .until_ms = NOW + 60000
};
static struct cooldown parked_opus = {
	.family = "opus", .reason = "rate_limited", .until_ms = NOW + 30000
};
static struct cooldown parked_once = {
	.reason = "error", .until_ms = NOW - 1
};

static struct cooldown parked_soft = {
	.reason = "overloaded", .until_ms = NOW + 30000, .soft = true
};
static struct cooldown limit_over = {
	.reason = "rate_limited", .until_ms = NOW - 1, .stated = true
};

/* An account in a table: weight 100, two slots, group 1. */
static inline struct account
acct(int64_t id)
{

	return ((struct account) {
		.id = id,
		.platform = "claude",
		.secret = (char *)(uintptr_t)"s",
		.group_id = 1,
		.priority = 50,
		.weight = 100,
		.concurrency = 2,
		.enabled = true,
	});
}

#endif /* !TESTS_POOL_ACCOUNTS_H_ */
