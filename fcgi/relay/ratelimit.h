#ifndef RELAY_RATELIMIT_H_
#define RELAY_RATELIMIT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/share.h"
#include "pool/snapshot.h"

struct transfer_header;

/**
 * What the headers of a refusal say of the account's limits, and until when.
 * Pure; any thread.
 *
 * Sources: Anthropic API reference, "Rate limits", response headers
 * (retry-after in seconds; anthropic-ratelimit-{requests,tokens,input-tokens,
 * output-tokens}-{limit,remaining,reset}, reset in RFC 3339); WIRE.md section
 * 3 for anthropic-ratelimit-unified-* as Claude Code reads them (reset in
 * seconds since the epoch).
 */
struct ratelimit {
	bool stated;		/* .until_ms is what the upstream said */
	bool fact;		/* the account's own limit is used up */
	int64_t until_ms;	/* wall; later than now, at most
				   RATELIMIT_MAX_MS later */
	char family[POOL_FAMILY_SIZE];	/* "": every model */
	char what[48];		/* the limit: "five_hour", "input-tokens" */
};

/* A weekly limit and a day for clocks that differ. */
#define RATELIMIT_MAX_MS	(INT64_C(8) * 24 * 3600 * 1000)

/**
 * ratelimit_read(h, n, now_ms, out):
 * In this order the first that states a time to come: a unified limit that is
 * "rejected", retry-after-ms, retry-after (seconds or date: the exact time,
 * while a token bucket's reset is when it is full again), the latest reset of
 * the limits of which nothing remains.  What lies in the past, or is no time,
 * is not stated; what lies too far ahead is brought back.
 */
void ratelimit_read(const struct transfer_header *h, size_t n,
    int64_t now_ms, struct ratelimit *out);

/**
 * ratelimit_share(h, n, now_ms, out):
 * What any answer's headers say is left, of the limit that is most behind:
 * of subscriptions (anthropic-ratelimit-unified-{5h,7d}-{utilization,reset},
 * utilization from 0 to 1), else of the limits a minute.  .seen_ms 0: nothing.
 */
void ratelimit_share(const struct transfer_header *h, size_t n,
    int64_t now_ms, struct share *out);

#endif /* !RELAY_RATELIMIT_H_ */
