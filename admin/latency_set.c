#include <stdlib.h>

#include "base/err.h"
#include "base/grow.h"

#include "latency_set.h"

/* The index holds, as a sum, 1 + where the entry stands. */
#define PLACE	ROLLUP_REQUESTS

void
latency_set_init(struct latency_set *s)
{

	*s = (struct latency_set) { .n = 0 };
	rollup_set_init(&s->index);
}

void
latency_set_fini(struct latency_set *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		latency_fini(&s->list[i].first_byte);
		latency_fini(&s->list[i].whole);
	}
	free(s->list);
	rollup_set_fini(&s->index);
	latency_set_init(s);
}

static struct latency_of *
find(const struct latency_set *s, const struct rollup_key *key)
{
	const struct rollup *r = rollup_set_find(&s->index, key);

	return (r == NULL ? NULL : &s->list[r->sums[PLACE] - 1]);
}

const struct latency_of *
latency_set_find(const struct latency_set *s, const struct rollup_key *key)
{

	return (find(s, key));
}

static int
make_room(struct latency_set *s)
{
	struct latency_of *list;

	if ((list = grow_list(s->list, s->n, &s->cap, sizeof(*list))) == NULL)
		return (-1);
	s->list = list;
	return (0);
}

struct latency_of *
latency_set_at(struct latency_set *s, const struct rollup_key *key,
    struct err *err)
{
	struct latency_of *of = find(s, key);
	struct rollup place = { .key = *key };

	if (of != NULL)
		return (of);
	if (make_room(s)) {
		err_set(err, ERR_NOMEM, "no memory for latencies");
		return (NULL);
	}
	place.sums[PLACE] = (int64_t)s->n + 1;
	if (rollup_set_add(&s->index, &place, 1, err))
		return (NULL);
	of = &s->list[s->n++];
	*of = (struct latency_of) { .key = *key };
	return (of);
}
