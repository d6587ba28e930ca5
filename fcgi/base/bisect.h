#ifndef BASE_BISECT_H_
#define BASE_BISECT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Where something is in a list that is kept in order, or would be: the place of
 * the first element that is not before it, or the number of elements.  In the
 * header, so that comparisons are compiled into the loop.
 */

/** bisect(list, n, size, before, key): ${n} elements of ${size} bytes. */
static inline size_t
bisect(const void *list, size_t n, size_t size,
    bool (*before)(const void *elem, const void *key), const void *key)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (before((const unsigned char *)list + mid * size, key))
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

static inline bool
bisect_id_before(const void *elem, const void *key)
{

	return (*(const int64_t *)elem < *(const int64_t *)key);
}

static inline bool
bisect_id_before_at(const void *elem, const void *key)
{
	const void *p;

	memcpy(&p, elem, sizeof(p));
	return (*(const int64_t *)p < *(const int64_t *)key);
}

/** bisect_id(list, n, size, id), bisect_id_at(list, n, id): Elements, or
 * pointers to them, that are in order of the int64_t that they begin with. */
static inline size_t
bisect_id(const void *list, size_t n, size_t size, int64_t id)
{

	return (bisect(list, n, size, bisect_id_before, &id));
}

static inline size_t
bisect_id_at(const void *list, size_t n, int64_t id)
{

	return (bisect(list, n, sizeof(void *), bisect_id_before_at, &id));
}

#endif /* !BASE_BISECT_H_ */
