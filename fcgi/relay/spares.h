#ifndef RELAY_SPARES_H_
#define RELAY_SPARES_H_

#include <stdbool.h>
#include <stddef.h>

/*
 * At most so many of a kind are kept, some 6 KiB each: a call needs one for
 * milliseconds (of a body), so that few serve many calls.
 */
#define SPARES_MAX	32

/**
 * Things that cost dozens of allocations to make, such as scanners of JSON,
 * kept by one call for the next.  Loop thread only.
 */
struct spares {
	size_t n;
	void *list[SPARES_MAX];
};

/** spares_take(s): One that the caller owns from now on, or NULL. */
static inline void *
spares_take(struct spares *s)
{

	return (s->n == 0 ? NULL : s->list[--s->n]);
}

/** spares_put(s, p): Keep ${p}, which is not NULL.  False if there are enough:
 * it is still the caller's then. */
static inline bool
spares_put(struct spares *s, void *p)
{

	if (s->n == SPARES_MAX)
		return (false);
	s->list[s->n++] = p;
	return (true);
}

#endif /* !RELAY_SPARES_H_ */
