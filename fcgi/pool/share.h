#ifndef POOL_SHARE_H_
#define POOL_SHARE_H_

#include <stdbool.h>
#include <stdint.h>

/**
 * What is left of an account's own limit upstream, as the headers of its last
 * answer stated it, and what that means for the choice.  Pure; any thread.
 */
struct share {
	int64_t seen_ms;	/* wall; 0: nothing is known */
	int64_t permille;	/* left, of 1000 */
	int64_t reset_ms;	/* wall: when it is whole again */
	int64_t window_ms;	/* it is whole that long before; 0: a bucket
				   that fills all the time */
};

/* Bounds of share_pace. */
#define SHARE_PACE_EVEN		1000
#define SHARE_PACE_LEAST	250
#define SHARE_PACE_MOST		4000

/**
 * share_pace(s, now_ms):
 * How much more than its usual part an account is to get, in permille: what is
 * left in proportion to the time that is left.  One of which 80 % is left with
 * 20 % of its time would see most of it reset unused; one with 20 % left and
 * 80 % of its time is spared.  SHARE_PACE_EVEN if nothing is known.
 */
int64_t share_pace(const struct share *s, int64_t now_ms);

/** share_spent(s, now_ms): Nearly nothing is left: others of the same priority
 * go first, whatever the strategy. */
bool share_spent(const struct share *s, int64_t now_ms);

/** share_until_ms(s, now_ms): Before then time alone changes neither of both;
 * later than ${now_ms}.  INT64_MAX: never. */
int64_t share_until_ms(const struct share *s, int64_t now_ms);

/** share_differs(a, b): By so much that others should know. */
bool share_differs(const struct share *a, const struct share *b);

#endif /* !POOL_SHARE_H_ */
