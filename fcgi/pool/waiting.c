#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "base/err.h"

#include "pool/pool.h"
#include "pool/waiting.h"

void
waiting_init(struct waiting *w)
{

	*w = (struct waiting) { 0 };
}

void
waiting_fini(struct waiting *w)
{

	free(w->list);
	free(w->joining);
	waiting_init(w);
}

static size_t
place_of(const struct waiting *w, int64_t ledger_id)
{

	return (bisect_id(w->list, w->n, sizeof(*w->list), ledger_id));
}

struct admit_op *
waiting_find(const struct waiting *w, int64_t ledger_id)
{
	size_t at = place_of(w, ledger_id);

	if (at == w->n || w->list[at].ledger_id != ledger_id ||
	    w->list[at].leaves)
		return (NULL);
	return (w->list[at].op);
}

bool
waiting_knows(const struct waiting *w, int64_t ledger_id)
{
	size_t at = place_of(w, ledger_id);

	return (at < w->n && w->list[at].ledger_id == ledger_id);
}

void
waiting_forget(struct waiting *w, int64_t ledger_id)
{

	waiting_leave(w, ledger_id);
	waiting_ended(w, true);
}

/* Make room for ${more} elements beyond ${n}. */
static int
reserve(struct waiter **list, size_t *cap, size_t n, size_t more)
{
	struct waiter *p;
	size_t want = *cap;

	while (want < n + more)
		want = want == 0 ? 16 : want * 2;
	if (want == *cap)
		return (0);
	if ((p = realloc(*list, want * sizeof(*p))) == NULL)
		return (-1);
	*list = p;
	*cap = want;
	return (0);
}

int
waiting_join(struct waiting *w, struct admit_op *op, struct err *err)
{

	/* Room in the list as well, so that waiting_ended cannot fail. */
	if (reserve(&w->joining, &w->joining_cap, w->njoining, 1) ||
	    reserve(&w->list, &w->cap, w->n, w->njoining + 1)) {
		err_set(err, ERR_NOMEM, "no memory for a waiting request");
		return (-1);
	}
	w->joining[w->njoining++] = (struct waiter) {
		.ledger_id = op->ledger_id,
		.op = op,
	};
	return (0);
}

void
waiting_leave(struct waiting *w, int64_t ledger_id)
{
	size_t at = place_of(w, ledger_id);

	if (at < w->n && w->list[at].ledger_id == ledger_id)
		w->list[at].leaves = true;
}

static void
insert(struct waiting *w, const struct waiter *new)
{
	size_t at = place_of(w, new->ledger_id);

	memmove(w->list + at + 1, w->list + at,
	    (w->n - at) * sizeof(*w->list));
	w->list[at] = *new;
	w->n++;
}

void
waiting_ended(struct waiting *w, bool committed)
{
	size_t i, kept = 0;

	for (i = 0; i < w->n; i++) {
		if (w->list[i].leaves && committed)
			continue;
		w->list[kept] = w->list[i];
		w->list[kept++].leaves = false;
	}
	w->n = kept;
	for (i = 0; i < w->njoining && committed; i++)
		insert(w, &w->joining[i]);
	w->njoining = 0;
}
