#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "metrics/slots.h"
#include "metrics/slots_internal.h"

/* Twice the cells of what is retired. */
#define TABLE	(2 * RETIRED_CELLS)

/* ---- what the dead have left ---- */

/* Where cells of what is retired are, by key. */
struct table {
	uint32_t at[TABLE];		/* from 1; 0: free */
};

static uint32_t
table_find(const struct table *t, const struct slots_retired *r, uint64_t key)
{
	uint32_t i = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) %
	    TABLE;

	while (t->at[i] != 0 && r->cells[t->at[i] - 1].key != key)
		i = (i + 1) % TABLE;
	return (i);
}

static void
table_fill(struct table *t, const struct slots_retired *r)
{
	uint32_t i;

	for (i = 0; i < r->ncells; i++)
		t->at[table_find(t, r, r->cells[i].key)] = i + 1;
}

/* The cells of slot ${n}; a number that cannot be is taken for none. */
static uint32_t
cells_of(const struct slots *s, unsigned int n)
{
	uint32_t ncells = atomic_load_explicit(&s->file->entries[n].ncells,
	    memory_order_acquire);

	return (ncells <= SLOT_CELLS ? ncells : 0);
}

static struct cell
cell_of(const struct slots *s, unsigned int n, uint32_t i)
{
	struct shared_cell *c = &s->file->cells[n][i];
	const struct cell cell = {
		.key = atomic_load_explicit(&c->key, memory_order_relaxed),
		.value = atomic_load_explicit(&c->value,
		    memory_order_relaxed)
	};

	return (cell);
}

/* Would all series of slot ${n} have a place? */
static bool
has_room(const struct slots *s, unsigned int n, const struct table *t,
    const struct slots_retired *r)
{
	uint32_t i, ncells = cells_of(s, n);
	uint64_t more = 0;

	for (i = 0; i < ncells; i++)
		more += t->at[table_find(t, r, cell_of(s, n, i).key)] == 0;
	return (r->ncells + more <= RETIRED_CELLS);
}

static void
fold_slot(const struct slots *s, unsigned int n, struct table *t,
    struct slots_retired *r)
{
	struct slots_entry *e = &s->file->entries[n];
	uint32_t i, at, ncells = cells_of(s, n);
	struct cell c;

	for (i = 0; i < ncells; i++) {
		c = cell_of(s, n, i);
		at = table_find(t, r, c.key);
		if (t->at[at] != 0) {
			r->cells[t->at[at] - 1].value += c.value;
			continue;
		}
		r->cells[r->ncells] = c;
		t->at[at] = (uint32_t)++r->ncells;
	}
	r->dropped += atomic_load(&e->dropped);
	r->folded[n] = atomic_load(&e->life);
}

/* Lives that are over, and are in no table yet. */
static size_t
find_dead(const struct slots *s, unsigned int dead[SLOTS_MAX])
{
	const struct slots_retired *r = slots_retired(s);
	unsigned int n;
	size_t ndead = 0;

	for (n = 0; n < SLOTS_MAX; n++) {
		if (atomic_load(&s->file->entries[n].life) != r->folded[n] &&
		    slots_is_dead(s, n))
			dead[ndead++] = n;
	}
	return (ndead);
}

int
slots_fold(struct slots *s, struct err *err)
{
	uint32_t now = atomic_load(&s->file->head.retired) & 1;
	struct slots_retired *from = &s->file->retired[now],
	    *to = &s->file->retired[!now];
	unsigned int dead[SLOTS_MAX];
	struct table *t;
	size_t i, ndead;

	if ((ndead = find_dead(s, dead)) == 0)
		return (0);
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for counters");
		return (-1);
	}
	memcpy(to, from, offsetof(struct slots_retired, cells) +
	    from->ncells * sizeof(from->cells[0]));
	table_fill(t, to);
	for (i = 0; i < ndead; i++) {
		if (has_room(s, dead[i], t, to))
			fold_slot(s, dead[i], t, to);
	}
	atomic_store_explicit(&s->file->head.retired, !now,
	    memory_order_release);
	free(t);
	return (0);
}

/* ---- sums ---- */

int
slot_sums_put(struct slot_sums *sums, uint64_t key, uint64_t v)
{
	size_t room = sums->room < 512 ? 512 : sums->room * 2;
	struct cell *cells;

	if (sums->ncells == sums->room) {
		cells = realloc(sums->cells, room * sizeof(*cells));
		if (cells == NULL)
			return (-1);
		sums->cells = cells;
		sums->room = room;
	}
	sums->cells[sums->ncells++] = (struct cell) { key, v };
	return (0);
}

static int
by_key(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	return (x->key < y->key ? -1 : x->key > y->key);
}

void
slot_sums_sort(struct slot_sums *sums)
{
	size_t i, n = 0;

	if (sums->ncells == 0)
		return;
	qsort(sums->cells, sums->ncells, sizeof(sums->cells[0]), by_key);
	for (i = 1; i < sums->ncells; i++) {
		if (sums->cells[i].key == sums->cells[n].key)
			sums->cells[n].value += sums->cells[i].value;
		else
			sums->cells[++n] = sums->cells[i];
	}
	sums->ncells = n + 1;
}

static int
put_retired(const struct slots *s, struct slot_sums *out)
{
	const struct slots_retired *r = slots_retired(s);
	uint64_t i;

	for (i = 0; i < r->ncells; i++) {
		if (slot_sums_put(out, r->cells[i].key, r->cells[i].value))
			return (-1);
	}
	return (slot_sums_put(out, metric_series(METRIC_DROPPED, 0, 0, 0, 0),
	    r->dropped));
}

static int
put_slot(const struct slots *s, unsigned int n, struct slot_sums *out)
{
	uint32_t i, ncells = cells_of(s, n);
	struct cell c;

	for (i = 0; i < ncells; i++) {
		c = cell_of(s, n, i);
		if (slot_sums_put(out, c.key, c.value))
			return (-1);
	}
	return (slot_sums_put(out, metric_series(METRIC_DROPPED, 0, 0, 0, 0),
	    atomic_load(&s->file->entries[n].dropped)));
}

static void
put_life(const struct slots *s, unsigned int n, struct slot_sums *out)
{
	const struct slots_entry *e = &s->file->entries[n];
	struct slot_life *life = &out->lives[out->nlives];
	struct stat st;
	size_t i;

	if (e->kind == SLOT_OTHER)
		return;
	life->kind = (enum slot_kind)e->kind;
	life->n = n;
	life->pid = stat("/proc/self/ns/pid", &st) == 0 &&
	    (uint64_t)st.st_ino == e->world ? e->pid : 0;
	life->started_ms = e->started_ms;
	for (i = 0; i < SLOT_GAUGES; i++)
		life->gauges[i] = atomic_load(&e->gauges[i]);
	out->nlives++;
}

static int
read_all(struct slots *s, struct slot_sums *out)
{
	const struct slots_retired *r = slots_retired(s);
	unsigned int n;

	out->lives = calloc(SLOTS_MAX, sizeof(*out->lives));
	if (out->lives == NULL || put_retired(s, out))
		return (-1);
	for (n = 0; n < SLOTS_MAX; n++) {
		if (atomic_load(&s->file->entries[n].life) == r->folded[n]) {
			out->free += slots_is_dead(s, n);
			continue;
		}
		if (put_slot(s, n, out))
			return (-1);
		if (!slots_is_dead(s, n))
			put_life(s, n, out);
	}
	return (0);
}

int
slots_read(struct slots *s, struct slot_sums *out, struct err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	if (slots_lock(s, err))
		return (-1);
	if ((rc = slots_fold(s, err)) == 0 && (rc = read_all(s, out)) != 0)
		err_set(err, ERR_NOMEM, "no memory for counters");
	slots_unlock(s);
	slot_sums_sort(out);
	return (rc);
}

void
slot_sums_fini(struct slot_sums *sums)
{

	free(sums->cells);
	free(sums->lives);
	memset(sums, 0, sizeof(*sums));
}
