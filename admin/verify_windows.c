#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/grow.h"
#include "base/num.h"
#include "ledger/id.h"
#include "pool/holds.h"
#include "pool/idlist.h"
#include "store/store.h"

#include "verify_internal.h"

#define SLOTS_MIN	256

/* Rows that are read by their ids at once. */
#define IDS_MAX		1000

/* ledger.state */
enum { STATE_OPEN, STATE_SETTLED, STATE_REAPED, STATE_CORRECTED };

static int
nomem(struct verifier *v)
{

	err_set(v->err, ERR_NOMEM, "no memory for budget windows");
	return (-1);
}

/* ---- budgets ---- */

/* id, name, since when */
static int
take_budget(void *arg, const struct store_value *c, size_t ncols)
{
	struct verifier *v = arg;
	struct held_sums *h = &v->held;
	struct checked_budget *b;

	(void)ncols;
	b = grow_list(h->budgets, h->nbudgets, &h->budgets_cap, sizeof(*b));
	if (b == NULL)
		return (nomem(v));
	h->budgets = b;
	b += h->nbudgets++;
	b->id = store_get_int(&c[0]);
	(void)snprintf(b->name, sizeof(b->name), "%s", store_get_text(&c[1]));
	b->since_ms = store_get_int(&c[2]);
	return (0);
}

int
held_sums_budgets(struct verifier *v)
{
	const struct store_value now = store_int(v->now_ms);

	v->held.nbudgets = 0;
	return (store_query(v->st, STMT_VERIFY_BUDGETS, &now, 1, take_budget,
	    v, v->err) < 0 ? -1 : 0);
}

static int
by_id(const void *key, const void *elem)
{
	int64_t id = *(const int64_t *)key;
	const struct checked_budget *b = elem;

	return (id < b->id ? -1 : id > b->id);
}

static const struct checked_budget *
budget(const struct held_sums *h, int64_t id)
{

	return (h->nbudgets == 0 ? NULL : bsearch(&id, h->budgets,
	    h->nbudgets, sizeof(*h->budgets), by_id));
}

/* ---- what rows hold ---- */

void
held_sums_reset(struct verifier *v)
{
	struct held_sums *h = &v->held;

	if (h->n > 0)
		memset(h->slots, 0, h->nslots * sizeof(*h->slots));
	h->n = 0;
	v->npending = 0;
}

void
held_sums_fini(struct verifier *v)
{

	free(v->held.slots);
	free(v->held.budgets);
	free(v->pending);
	arena_fini(&v->row);
	v->held = (struct held_sums) { 0 };
	v->pending = NULL;
}

static struct held_sum *
slot_of(const struct held_sums *h, int64_t budget_id, int64_t start_ms)
{
	uint64_t x = (uint64_t)budget_id * UINT64_C(0x9e3779b97f4a7c15) ^
	    (uint64_t)start_ms;
	size_t i;

	x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	for (i = (x >> 20) & (h->nslots - 1); h->slots[i].budget_id != 0;
	    i = (i + 1) & (h->nslots - 1)) {
		if (h->slots[i].budget_id == budget_id &&
		    h->slots[i].start_ms == start_ms)
			break;
	}
	return (&h->slots[i]);
}

/* Room for one more. */
static int
grow(struct held_sums *h)
{
	struct held_sums old = *h;
	size_t i;

	if (2 * (h->n + 1) <= h->nslots)
		return (0);
	h->nslots = old.nslots == 0 ? SLOTS_MIN : 2 * old.nslots;
	if ((h->slots = calloc(h->nslots, sizeof(*h->slots))) == NULL) {
		*h = old;
		return (-1);
	}
	for (i = 0; i < old.nslots; i++) {
		if (old.slots[i].budget_id != 0)
			*slot_of(h, old.slots[i].budget_id,
			    old.slots[i].start_ms) = old.slots[i];
	}
	free(old.slots);
	return (0);
}

static int
add(struct verifier *v, const struct hold *hold, bool open)
{
	struct held_sums *h = &v->held;
	const struct checked_budget *b = budget(h, hold->budget_id);
	struct held_sum *s;
	int64_t *sum;

	/* Of a budget that is gone, or long past. */
	if (b == NULL || hold->start_ms < b->since_ms)
		return (0);
	if (grow(h))
		return (nomem(v));
	s = slot_of(h, hold->budget_id, hold->start_ms);
	if (s->budget_id == 0) {
		h->n++;
		s->budget_id = hold->budget_id;
		s->start_ms = hold->start_ms;
	}
	sum = open ? &s->open : &s->closed;
	*sum = num_add_sat(*sum, hold->amount);
	return (0);
}

static int
add_all(struct verifier *v, int64_t id, int64_t state, const char *text)
{
	char where[LEDGER_ID_SIZE];
	struct holds holds;
	size_t i;
	int rc;

	arena_reset(&v->row);
	if ((rc = holds_parse(&holds, text, &v->row, v->err)) < 0)
		return (-1);
	if (rc == 0) {
		ledger_id_format(id, where);
		return (verify_differs(v, "ledger", where,
		    "holds that cannot be read", 1, 0));
	}
	for (i = 0; i < holds.n; i++) {
		if (add(v, &holds.list[i], state == STATE_OPEN))
			return (-1);
	}
	return (0);
}

static int
put_off(struct verifier *v, int64_t id)
{
	int64_t *list;

	list = grow_list(v->pending, v->npending, &v->pending_cap,
	    sizeof(*list));
	if (list == NULL)
		return (nomem(v));
	v->pending = list;
	list[v->npending++] = id;
	return (0);
}

int
held_sums_row(struct verifier *v, int64_t id, int64_t state,
    const char *text)
{

	if (id >= v->recent_id)
		return (0);
	if (state == STATE_OPEN || state == STATE_REAPED)
		return (put_off(v, id));
	return (text[0] == '\0' ? 0 : add_all(v, id, state, text));
}

/* ---- at the end ---- */

/* id, state, holds */
static int
take_held(void *arg, const struct store_value *c, size_t ncols)
{

	(void)ncols;
	return (add_all(arg, store_get_int(&c[0]), store_get_int(&c[1]),
	    store_get_text(&c[2])));
}

static int
add_pending(struct verifier *v)
{
	struct store_value param;
	struct idlist ids;
	size_t i, j;
	int rc = 0;

	idlist_init(&ids, 1);
	for (i = 0; i < v->npending && rc == 0; i += IDS_MAX) {
		idlist_reset(&ids);
		for (j = i; j < v->npending && j < i + IDS_MAX; j++)
			idlist_put(&ids, v->pending[j], 0);
		if (idlist_param(&ids, &param, v->err) ||
		    store_query(v->st, STMT_VERIFY_ROWS_OF, &param, 1,
		    take_held, v, v->err) < 0)
			rc = -1;
	}
	idlist_fini(&ids);
	return (rc);
}

static int
add_recent(struct verifier *v)
{
	const struct store_value id = store_int(v->recent_id);

	return (store_query(v->st, STMT_VERIFY_ROWS_SINCE, &id, 1, take_held,
	    v, v->err) < 0 ? -1 : 0);
}

static int
check_window(struct verifier *v, int64_t budget_id, int64_t start_ms,
    const int64_t stored[2], const int64_t expected[2])
{
	static const char *const sums[2] = { "spent", "reserved" };
	const struct checked_budget *b = budget(&v->held, budget_id);
	char where[128], at[VERIFY_TIME_SIZE];
	size_t i;

	for (i = 0; i < 2; i++) {
		if (stored[i] == expected[i])
			continue;
		verify_time(start_ms, at);
		(void)snprintf(where, sizeof(where), "budget %s, window of "
		    "%s", b->name, start_ms == 0 ? "all time" : at);
		if (verify_differs(v, "budget_window", where, sums[i],
		    stored[i], expected[i]))
			return (-1);
	}
	return (0);
}

/* budget, start, spent, reserved, kept */
static int
take_window(void *arg, const struct store_value *c, size_t ncols)
{
	struct verifier *v = arg;
	const int64_t id = store_get_int(&c[0]);
	const int64_t start_ms = store_get_int(&c[1]);
	const int64_t stored[2] = {
		store_get_int(&c[2]), store_get_int(&c[3])
	};
	int64_t expected[2] = { store_get_int(&c[4]), 0 };
	const struct checked_budget *b = budget(&v->held, id);
	struct held_sum *s;

	(void)ncols;
	if (b == NULL || (start_ms >= 0 && start_ms < b->since_ms))
		return (0);
	v->windows++;
	if (v->held.nslots > 0) {
		s = slot_of(&v->held, id, start_ms);
		s->seen = s->budget_id != 0;
		expected[0] = num_add_sat(expected[0], s->closed);
		expected[1] = s->open;
	}
	return (check_window(v, id, start_ms, stored, expected));
}

/* Rows hold something of a window that is not there. */
static int
check_missing(struct verifier *v)
{
	static const int64_t none[2];
	const struct held_sum *s;

	for (s = v->held.slots; s < v->held.slots + v->held.nslots; s++) {
		if (s->budget_id == 0 || s->seen ||
		    budget(&v->held, s->budget_id) == NULL)
			continue;
		if (check_window(v, s->budget_id, s->start_ms, none,
		    (const int64_t[2]) { s->closed, s->open }))
			return (-1);
	}
	return (0);
}

int
verify_windows(struct verifier *v)
{

	if (held_sums_budgets(v) || add_pending(v) || add_recent(v))
		return (-1);
	if (store_query(v->st, STMT_VERIFY_WINDOWS, NULL, 0, take_window, v,
	    v->err) < 0)
		return (-1);
	return (check_missing(v));
}
