#ifndef LEDGER_LATENCY_H_
#define LEDGER_LATENCY_H_

#include <stddef.h>
#include <stdint.h>

struct err;

/**
 * How long requests took, as counts by buckets.  Buckets are a tenth as wide
 * as where they begin, or 1 ms, so that a percentile made of them is off by at
 * most LATENCY_ERROR_PERCENT of the true one, which is one of the times
 * themselves (the smallest that so many are not above); below 20 ms it is
 * exact.
 */
#define LATENCY_ERROR_PERCENT	5
#define LATENCY_MAX_MS		INT64_C(1000000000)	/* longer is this */
#define LATENCY_TEXT		4096	/* bytes: as its column has room */

struct latency_count {
	int bucket;
	int64_t n;
};

/** Empty buckets have no entry. */
struct latency {
	struct latency_count *list;	/* by bucket */
	size_t n, cap;
	int64_t total;
};

void latency_init(struct latency *l);
void latency_fini(struct latency *l);

/** latency_add(l, ms, err): One that took ${ms}; below 0 counts as 0.
 * latency_merge(l, from, err): All of another.  0, or -1 without memory. */
int latency_add(struct latency *l, int64_t ms, struct err *err)
    __attribute__((__warn_unused_result__));
int latency_merge(struct latency *l, const struct latency *from,
    struct err *err) __attribute__((__warn_unused_result__));

/** latency_text(l, out): "BUCKET:COUNT BUCKET:COUNT ...", for a column. */
void latency_text(const struct latency *l, char out[LATENCY_TEXT]);

/** latency_parse(l, text, err): Add what latency_text wrote.  0, or -1: it is
 * no such text, or there is no memory. */
int latency_parse(struct latency *l, const char *text, struct err *err)
    __attribute__((__warn_unused_result__));

/** latency_percentile(l, percent): ms, in the middle of the bucket that holds
 * it; -1: there is none. */
int64_t latency_percentile(const struct latency *l, int percent);

#endif /* !LEDGER_LATENCY_H_ */
