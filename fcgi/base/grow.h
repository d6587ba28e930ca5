#ifndef BASE_GROW_H_
#define BASE_GROW_H_

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/**
 * grow_list(list, n, cap, size), grow_at(list, n, cap, size, at):
 * The list, which is on the heap, with room for another of its ${n} elements
 * of ${size} bytes, at the end or at place ${at}: those from there on move up.
 * There is room for *${cap} of them; a list of none may be NULL.  It is what is
 * returned from then on; NULL: no memory, and the list is as it was.  Whoever
 * puts the element there counts it.
 */
static inline void *
grow_list(void *list, size_t n, size_t *cap, size_t size)
{
	const size_t want = *cap == 0 ? 16 : *cap * 2;
	void *p;

	if (n < *cap)
		return (list);
	if (want > SIZE_MAX / size || (p = realloc(list, want * size)) == NULL)
		return (NULL);
	*cap = want;
	return (p);
}

static inline void *
grow_at(void *list, size_t n, size_t *cap, size_t size, size_t at)
{
	unsigned char *p = grow_list(list, n, cap, size);

	if (p != NULL)
		memmove(p + (at + 1) * size, p + at * size, (n - at) * size);
	return (p);
}

#endif /* !BASE_GROW_H_ */
