#include <string.h>

#include "pool/breaker.h"
#include "pool/snapshot.h"

/* The one reason whose stated end is one for sure. */
static const char limited[] = "rate_limited";

bool
breaker_heals(const struct cooldown *cd)
{

	return (cd->soft || strcmp(cd->reason, limited) == 0);
}

bool
breaker_in_force(const struct cooldown *cd, int64_t now_ms)
{

	return (cd->until_ms > now_ms &&
	    cd->observed_ms - now_ms <= BREAKER_SLACK_MS);
}

enum breaker
breaker_one(const struct cooldown *cd, int64_t now_ms)
{

	if (breaker_in_force(cd, now_ms))
		return (cd->soft ? BREAKER_SOFT : BREAKER_OPEN);
	return (cd->stated && strcmp(cd->reason, limited) == 0 ?
	    BREAKER_CLOSED : BREAKER_HALF_OPEN);
}

enum breaker
breaker_of(const struct account *a, const char *family, int64_t now_ms,
    const struct cooldown **why)
{
	enum breaker worst = BREAKER_CLOSED, b;
	const struct cooldown *cd, *last = NULL;

	for (cd = a->cooldowns; cd < a->cooldowns + a->ncooldowns; cd++) {
		if (cd->family[0] != '\0' && strcmp(cd->family, family) != 0)
			continue;
		b = breaker_one(cd, now_ms);
		if (b == BREAKER_CLOSED || b < worst || (b == worst &&
		    last != NULL && cd->until_ms <= last->until_ms))
			continue;
		worst = b;
		last = cd;
	}
	if (why != NULL)
		*why = last;
	return (worst);
}

int64_t
breaker_until_ms(const struct account *a, int64_t now_ms)
{
	const struct cooldown *cd;
	int64_t until_ms = INT64_MAX, begin_ms;

	for (cd = a->cooldowns; cd < a->cooldowns + a->ncooldowns; cd++) {
		begin_ms = cd->observed_ms - BREAKER_SLACK_MS;
		if (cd->until_ms > now_ms && cd->until_ms < until_ms)
			until_ms = cd->until_ms;
		if (begin_ms > now_ms && begin_ms < until_ms)
			until_ms = begin_ms;
	}
	return (until_ms);
}

const char *
breaker_word(enum breaker b)
{
	static const char *const words[] = {
		[BREAKER_CLOSED] = "closed",
		[BREAKER_HALF_OPEN] = "half-open",
		[BREAKER_SOFT] = "open",
		[BREAKER_OPEN] = "open",
	};

	_Static_assert(sizeof(words) / sizeof(words[0]) == BREAKERS,
	    "one word each");
	return (words[b]);
}
