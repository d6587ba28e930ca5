#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bisect.h"
#include "base/err.h"
#include "base/grow.h"
#include "base/num.h"
#include "ledger/window.h"
#include "store/store.h"

#include "pool/idlist.h"
#include "pool/snapshot.h"
#include "pool/windows.h"

/* What is asked for at once: some 400 KB of JSON at the most. */
#define PAIRS_MAX	8192

void
windows_init(struct windows *w, struct arena *a)
{

	*w = (struct windows) { .arena = a };
}

void
windows_reset(struct windows *w)
{

	w->n = 0;
	w->nbuckets = 0;
}

void
windows_fini(struct windows *w)
{

	free(w->list);
	free(w->buckets);
	windows_init(w, w->arena);
}

/* ---- rows ---- */

struct place {
	int64_t budget_id, start_ms;
};

static bool
before(const void *elem, const void *key)
{
	const struct window *w = *(const struct window *const *)elem;
	const struct place *p = key;

	if (w->budget_id != p->budget_id)
		return (w->budget_id < p->budget_id);
	return (w->start_ms < p->start_ms);
}

static size_t
place_of(const struct windows *w, int64_t budget_id, int64_t start_ms)
{
	const struct place p = { budget_id, start_ms };

	return (bisect(w->list, w->n, sizeof(struct window *), before, &p));
}

/* What is there; NULL: it is not. */
static struct window *
row_at(const struct windows *w, size_t at, int64_t budget_id,
    int64_t start_ms)
{

	return (at < w->n && w->list[at]->budget_id == budget_id &&
	    w->list[at]->start_ms == start_ms ? w->list[at] : NULL);
}

static struct window *
insert_at(struct windows *w, size_t at, struct err *err)
{
	struct window *row, **list;

	if ((row = arena_get(w->arena, 1, sizeof(*row), err)) == NULL)
		return (NULL);
	if ((list = grow_at(w->list, w->n, &w->cap, sizeof(row), at)) ==
	    NULL) {
		err_set(err, ERR_NOMEM, "no memory for a budget");
		return (NULL);
	}
	w->list = list;
	list[at] = row;
	w->n++;
	return (row);
}

/* The row, read if it was not yet. */
static struct window *
row_get(struct windows *w, struct store *st, int64_t budget_id,
    int64_t start_ms, struct err *err)
{
	struct store_value params[2];
	size_t at = place_of(w, budget_id, start_ms);
	struct window *to = row_at(w, at, budget_id, start_ms);
	int64_t row[2] = { 0, 0 };
	int found;

	if (to != NULL)
		return (to);
	params[0] = store_int(budget_id);
	params[1] = store_int(start_ms);
	found = store_one(st, STMT_WINDOW_READ, params, 2, row, 2, err);
	if (found == 0 && store_shared(st)) {
		/* Others may find so, too: all but one wait here. */
		if (store_exec(st, STMT_WINDOW_OPEN, params, 1, 2, NULL, err))
			return (NULL);
		found = store_one(st, STMT_WINDOW_READ, params, 2, row, 2,
		    err);
	}
	if (found < 0 || (to = insert_at(w, at, err)) == NULL)
		return (NULL);
	*to = (struct window) {
		.budget_id = budget_id,
		.start_ms = start_ms,
		.spent = row[0],
		.reserved = row[1],
		.spent_was = row[0],
		.reserved_was = row[1],
		.exists = found == 1,
	};
	return (to);
}

static int64_t
changed_by(int64_t n, int64_t by)
{

	n = by < 0 ? n + by : num_add_sat(n, by);
	return (n < 0 ? 0 : n);
}

int
windows_add(struct windows *w, struct store *st, int64_t budget_id,
    int64_t start_ms, int64_t spent, int64_t reserved, struct err *err)
{
	struct window *row;

	if ((row = row_get(w, st, budget_id, start_ms, err)) == NULL)
		return (-1);
	row->spent = changed_by(row->spent, spent);
	row->reserved = changed_by(row->reserved, reserved);
	row->changed = true;
	return (0);
}

void
windows_take_back(struct windows *w, int64_t budget_id, int64_t start_ms,
    int64_t reserved)
{

	w->list[place_of(w, budget_id, start_ms)]->reserved -= reserved;
}

/* ---- buckets ---- */

/* start, spent, reserved */
static int
bucket_row(void *arg, const struct store_value *c, size_t n)
{
	struct buckets *b = arg;
	int64_t spent = store_get_int(&c[1]), reserved = store_get_int(&c[2]);

	(void)n;
	if ((spent > 0 || reserved > 0) && store_get_int(&c[0]) < b->oldest_ms)
		b->oldest_ms = store_get_int(&c[0]);
	b->spent = num_add_sat(b->spent, spent);
	b->reserved = num_add_sat(b->reserved, reserved);
	return (0);
}

static struct buckets *
new_buckets(struct windows *w, struct err *err)
{
	struct buckets *list;

	list = grow_list(w->buckets, w->nbuckets, &w->buckets_cap,
	    sizeof(*list));
	if (list == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a budget");
		return (NULL);
	}
	w->buckets = list;
	return (&list[w->nbuckets]);
}

/* What was read of them once in this batch; what the batch changed before is
 * not in it. */
static const struct buckets *
buckets_get(struct windows *w, struct store *st, int64_t budget_id,
    const struct window_span *span, struct err *err)
{
	struct store_value params[3] = { store_int(budget_id),
		store_int(span->first_ms), store_int(span->start_ms) };
	struct buckets *b;

	for (b = w->buckets; b < w->buckets + w->nbuckets; b++) {
		if (b->budget_id == budget_id &&
		    b->first_ms == span->first_ms)
			return (b);
	}
	if (store_shared(st) &&
	    row_get(w, st, budget_id, WINDOW_GATE_MS, err) == NULL)
		return (NULL);
	if ((b = new_buckets(w, err)) == NULL)
		return (NULL);
	*b = (struct buckets) {
		.budget_id = budget_id,
		.first_ms = span->first_ms,
		.last_ms = span->start_ms,
		.oldest_ms = INT64_MAX,
	};
	if (store_query(st, STMT_WINDOW_BUCKETS, params, 3, bucket_row, b,
	    err) < 0)
		return (NULL);
	w->nbuckets++;
	return (b);
}

static int
use_of_buckets(struct windows *w, struct store *st, int64_t budget_id,
    const struct window_span *span, struct window_use *use, struct err *err)
{
	const struct buckets *b;
	const struct window *row;
	int64_t oldest;
	size_t i;

	if ((b = buckets_get(w, st, budget_id, span, err)) == NULL)
		return (-1);
	*use = (struct window_use) {
		.spent = b->spent,
		.reserved = b->reserved,
	};
	oldest = b->oldest_ms;
	for (i = place_of(w, budget_id, b->first_ms); i < w->n; i++) {
		row = w->list[i];
		if (row->budget_id != budget_id || row->start_ms > b->last_ms)
			break;
		use->spent = changed_by(use->spent,
		    row->spent - row->spent_was);
		use->reserved = changed_by(use->reserved,
		    row->reserved - row->reserved_was);
		if (row->changed && row->start_ms < oldest)
			oldest = row->start_ms;
	}
	use->renews_ms = oldest == INT64_MAX ? span->leaves_ms :
	    oldest + (span->leaves_ms - span->start_ms);
	return (0);
}

int
windows_use(struct windows *w, struct store *st, const struct budget_rule *r,
    const struct window_span *span, struct window_use *use, struct err *err)
{
	const struct window *row;

	if (r->window.period == WINDOW_ROLLING)
		return (use_of_buckets(w, st, r->id, span, use, err));
	if ((row = row_get(w, st, r->id, span->start_ms, err)) == NULL)
		return (-1);
	*use = (struct window_use) {
		.spent = row->spent,
		.reserved = row->reserved,
		.renews_ms = span->leaves_ms,
	};
	return (0);
}

/* ---- on a shared store ---- */

void
windows_want(const struct budget_rule *r, const struct window_span *span,
    struct idlist *out)
{

	if (r->window.period == WINDOW_ROLLING)
		idlist_put(out, r->id, WINDOW_GATE_MS);
	idlist_put(out, r->id, span->start_ms);
}

struct fetching {
	struct windows *windows;
	struct err *err;
};

/* budget, start, spent, reserved */
static int
window_row(void *arg, const struct store_value *c, size_t n)
{
	struct fetching *f = arg;
	struct windows *w = f->windows;
	struct window row = {
		.budget_id = store_get_int(&c[0]),
		.start_ms = store_get_int(&c[1]),
		.spent = store_get_int(&c[2]),
		.reserved = store_get_int(&c[3]),
		.spent_was = store_get_int(&c[2]),
		.reserved_was = store_get_int(&c[3]),
		.exists = true,
	};
	size_t at = place_of(w, row.budget_id, row.start_ms);
	struct window *to = row_at(w, at, row.budget_id, row.start_ms);

	(void)n;
	if (to != NULL)
		return (0);
	if ((to = insert_at(w, at, f->err)) == NULL)
		return (-1);
	*to = row;
	return (0);
}

int
windows_fetch(struct windows *w, struct store *st, struct idlist *pairs,
    struct err *err)
{
	struct fetching f = { .windows = w, .err = err };
	struct store_value param;
	size_t from;

	if (pairs->n == 0 && !pairs->failed)
		return (0);
	idlist_sort(pairs);
	for (from = 0; from == 0 || from < pairs->n; from += PAIRS_MAX) {
		if (idlist_part(pairs, from, PAIRS_MAX, &param, err) ||
		    store_query(st, STMT_WINDOWS_READ, &param, 1, window_row,
		    &f, err) < 0)
			return (-1);
	}
	return (0);
}

/* ---- at the end ---- */

/* Those that changed and have a row, or have none, in one go. */
static int
write_those(const struct windows *w, struct store *st, bool exist,
    struct store_value *v, struct err *err)
{
	const struct window *row;
	size_t i, n = 0;

	for (i = 0; i < w->n; i++) {
		row = w->list[i];
		if (!row->changed || row->exists != exist)
			continue;
		v[4 * n] = store_int(row->spent);
		v[4 * n + 1] = store_int(row->reserved);
		v[4 * n + 2] = store_int(row->budget_id);
		v[4 * n + 3] = store_int(row->start_ms);
		n++;
	}
	if (n == 0)
		return (0);
	return (store_exec(st, exist ? STMT_WINDOW_WRITE : STMT_WINDOW_ADD, v,
	    n, 4, NULL, err));
}

int
windows_write(struct windows *w, struct store *st, struct err *err)
{
	struct store_value *v;
	int rc;

	if (w->n == 0)
		return (0);
	if ((v = calloc(4 * w->n, sizeof(*v))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for budgets");
		return (-1);
	}
	rc = write_those(w, st, true, v, err);
	if (rc == 0)
		rc = write_those(w, st, false, v, err);
	free(v);
	return (rc);
}
