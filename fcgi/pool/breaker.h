#ifndef POOL_BREAKER_H_
#define POOL_BREAKER_H_

#include <stdbool.h>
#include <stdint.h>

struct account;
struct cooldown;

/**
 * Whether an account may be used: what its cooldowns say at a given time.
 *
 *	CLOSED		nothing is against it.
 *	HALF_OPEN	a cooldown is over, and nobody knows yet whether what
 *			it was parked for is: one request at a time may find
 *			out (see halfopen.h).  What that comes to closes the
 *			breaker or opens it again.
 *	SOFT		a cooldown lasts, for a failure that may be over at any
 *			moment (5xx, 529, no connection): where nothing else
 *			is left it counts as half-open.
 *	OPEN		a cooldown lasts, for what only time or an operator
 *			heals: a limit that is used up, a refused credential.
 *
 * A limit is over when the upstream said that it would be; such a cooldown
 * closes without a probe.  One that was last changed in the future is of a
 * clock that was set back since, and counts as over.  Pure; any thread.
 */
enum breaker {
	BREAKER_CLOSED,
	BREAKER_HALF_OPEN,
	BREAKER_SOFT,
	BREAKER_OPEN,
	BREAKERS
};

/* Clocks that write to one database may be apart by so much. */
#define BREAKER_SLACK_MS	15000

/** breaker_in_force(cd, now_ms): Its time is not over. */
bool breaker_in_force(const struct cooldown *cd, int64_t now_ms);

/** breaker_one(cd, now_ms): What ${cd} alone comes to. */
enum breaker breaker_one(const struct cooldown *cd, int64_t now_ms);

/**
 * breaker_of(a, family, now_ms, why):
 * What the cooldowns of ${a} come to for a model of ${family}.  *${why} (may be
 * NULL) is the one that decides, of several the one that lasts longest;
 * borrowed; NULL if it is closed.
 */
enum breaker breaker_of(const struct account *a, const char *family,
    int64_t now_ms, const struct cooldown **why);

/** breaker_until_ms(a, now_ms): Before then time alone changes nothing of it;
 * later than ${now_ms}.  INT64_MAX: never. */
int64_t breaker_until_ms(const struct account *a, int64_t now_ms);

/** breaker_heals(cd): Time alone takes away what it is for: a limit, or a
 * failure that may be over at any moment; but not a refused credential. */
bool breaker_heals(const struct cooldown *cd);

/** breaker_word(b): "closed", "half-open", "open" (hard or soft). */
const char *breaker_word(enum breaker b);

#endif /* !POOL_BREAKER_H_ */
