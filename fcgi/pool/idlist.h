#ifndef POOL_IDLIST_H_
#define POOL_IDLIST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store_value;

/**
 * Ids that a statement is to be given as a whole: collected, put in order
 * without repetition, and written as a JSON array.  With a width of 2 they are
 * pairs, [[1,0],[2,0]].  The error is sticky: what found no memory is reported
 * by idlist_param.  Store thread.
 */
struct idlist {
	size_t width;
	int64_t *v;
	size_t n, cap;		/* in ids, or pairs */
	bool failed;
	char *json;
};

void idlist_init(struct idlist *l, size_t width);
void idlist_fini(struct idlist *l);
void idlist_reset(struct idlist *l);

/** idlist_put(l, a, b): Add an id, or a pair; ${b} counts in pairs alone. */
void idlist_put(struct idlist *l, int64_t a, int64_t b);

/** idlist_sort(l): Put them in order, each once. */
void idlist_sort(struct idlist *l);

/** idlist_param(l, out, err): The array, as a parameter; borrowed until the
 * next change, or the next of these.  idlist_part(l, from, max, out, err): Of
 * it ${max} at the most, from place ${from} on.  0, or -1. */
int idlist_param(struct idlist *l, struct store_value *out, struct err *err)
    __attribute__((__warn_unused_result__));
int idlist_part(struct idlist *l, size_t from, size_t max,
    struct store_value *out, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_IDLIST_H_ */
