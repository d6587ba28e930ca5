#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "store/store.h"

#include "pool/budgets.h"
#include "pool/idlist.h"
#include "pool/keys.h"
#include "pool/snapshot.h"

static int64_t
start_total(int64_t now_ms)
{

	(void)now_ms;
	return (0);
}

/* When the window began that ${now_ms} lies in. */
static const struct {
	const char *name;
	int64_t (*start_ms)(int64_t now_ms);
} periods[] = {
	{ "total", start_total },
};

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static int64_t
period_start(const char *period, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < NITEMS(periods); i++) {
		if (strcmp(periods[i].name, period) == 0)
			return (periods[i].start_ms(now_ms));
	}
	return (-1);
}

void
budgets_init(struct budgets *b)
{

	*b = (struct budgets) { 0 };
}

void
budgets_reset(struct budgets *b)
{

	b->n = 0;
}

void
budgets_fini(struct budgets *b)
{

	free(b->list);
	budgets_init(b);
}

static bool
before(const struct window *w, int64_t budget_id, int64_t start_ms)
{

	if (w->budget_id != budget_id)
		return (w->budget_id < budget_id);
	return (w->start_ms < start_ms);
}

static size_t
place_of(const struct budgets *b, int64_t budget_id, int64_t start_ms)
{
	size_t lo = 0, hi = b->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (before(&b->list[mid], budget_id, start_ms))
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

static struct window *
insert_at(struct budgets *b, size_t at, struct err *err)
{
	struct window *list;
	size_t cap;

	if (b->n == b->cap) {
		cap = b->cap == 0 ? 16 : b->cap * 2;
		if ((list = realloc(b->list, cap * sizeof(*list))) == NULL) {
			err_set(err, ERR_NOMEM, "no memory for a budget");
			return (NULL);
		}
		b->list = list;
		b->cap = cap;
	}
	memmove(b->list + at + 1, b->list + at,
	    (b->n - at) * sizeof(*b->list));
	b->n++;
	return (&b->list[at]);
}

/* The window, read if it was not yet.  Borrowed until the next call. */
static struct window *
window_get(struct budgets *b, struct store *st, int64_t budget_id,
    int64_t start_ms, struct err *err)
{
	struct store_value params[2];
	size_t at = place_of(b, budget_id, start_ms);
	struct window *w;
	int64_t row[2] = { 0, 0 };
	int found;

	if (at < b->n && b->list[at].budget_id == budget_id &&
	    b->list[at].start_ms == start_ms)
		return (&b->list[at]);
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
	if (found < 0 || (w = insert_at(b, at, err)) == NULL)
		return (NULL);
	*w = (struct window) {
		.budget_id = budget_id,
		.start_ms = start_ms,
		.spent = row[0],
		.reserved = row[1],
		.exists = found == 1,
	};
	return (w);
}

int
budgets_add(struct budgets *b, struct store *st, int64_t budget_id,
    int64_t start_ms, int64_t spent, int64_t reserved, struct err *err)
{
	struct window *w;

	if ((w = window_get(b, st, budget_id, start_ms, err)) == NULL)
		return (-1);
	w->spent = spent < 0 ? w->spent + spent :
	    num_add_sat(w->spent, spent);
	w->reserved = reserved < 0 ? w->reserved + reserved :
	    num_add_sat(w->reserved, reserved);
	if (w->spent < 0)
		w->spent = 0;
	if (w->reserved < 0)
		w->reserved = 0;
	w->changed = true;
	return (0);
}

/* ---- the rules that a key counts against ---- */

static int
rule_cmp(const struct budget_rule *r, const char *scope, int64_t scope_id)
{
	int c = strcmp(r->scope, scope);

	if (c != 0)
		return (c);
	return (r->scope_id < scope_id ? -1 : r->scope_id > scope_id);
}

static size_t
first_rule(const struct snapshot *s, const char *scope, int64_t scope_id)
{
	size_t lo = 0, hi = s->nbudgets, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (rule_cmp(&s->budgets[mid], scope, scope_id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

struct rules {
	size_t n;
	bool more;		/* than fit */
	const struct budget_rule *list[HOLDS_MAX];
};

/* ${model} NULL: those of any. */
static void
add_rules(const struct snapshot *s, const char *scope, int64_t scope_id,
    const char *model, struct rules *out)
{
	const struct budget_rule *r = s->budgets + first_rule(s, scope,
	    scope_id);

	for (; r < s->budgets + s->nbudgets &&
	    rule_cmp(r, scope, scope_id) == 0; r++) {
		if (r->models != NULL && model != NULL &&
		    !models_allow(r->models, model))
			continue;
		if (out->n < HOLDS_MAX)
			out->list[out->n++] = r;
		else
			out->more = true;
	}
}

static int
by_id(const void *a, const void *b)
{
	const struct budget_rule *x = *(const struct budget_rule *const *)a;
	const struct budget_rule *y = *(const struct budget_rule *const *)b;

	return (x->id < y->id ? -1 : x->id > y->id);
}

static void
rules_of(const struct snapshot *s, const struct key_state *key,
    const char *model, struct rules *out)
{

	out->n = 0;
	out->more = false;
	if (s->nbudgets == 0)
		return;
	add_rules(s, "key", key->id, model, out);
	if (key->person_id != 0)
		add_rules(s, "person", key->person_id, model, out);
	if (strcmp(key->bind_kind, "group") == 0)
		add_rules(s, "group", key->bind_id, model, out);
	qsort(out->list, out->n, sizeof(out->list[0]), by_id);
}

bool
budgets_money(const struct snapshot *s, const struct key_state *key,
    const char *model)
{
	struct rules rules;
	size_t i;

	rules_of(s, key, model, &rules);
	for (i = 0; i < rules.n; i++) {
		if (rules.list[i]->kind == BUDGET_MONEY)
			return (true);
	}
	return (false);
}

/* One budget: 1 reserved, 0 no room, -1. */
static int
reserve_one(struct budgets *b, struct store *st,
    const struct budget_rule *rule, const struct demand *want,
    struct holds *holds, struct shortage *why, struct err *err)
{
	int64_t start_ms, left, amount;
	struct window *w;

	amount = (rule->strict ? &want->worst : &want->slice)->of[rule->kind];
	start_ms = period_start(rule->period, store_now_ms(st));
	*why = (struct shortage) {
		.rule = rule,
		.wanted = amount,
		.unknown = start_ms < 0,
	};
	if (why->unknown)
		return (0);
	if ((w = window_get(b, st, rule->id, start_ms, err)) == NULL)
		return (-1);
	left = rule->limit - w->spent;
	left = left < w->reserved ? 0 : left - w->reserved;
	if (left < amount) {
		why->left = left;
		why->held = rule->limit - w->spent >= amount;
		return (0);
	}
	w->reserved += amount;
	w->changed = true;
	holds->list[holds->n++] = (struct hold) {
		.budget_id = rule->id,
		.start_ms = start_ms,
		.kind = rule->kind,
		.amount = amount,
	};
	return (1);
}

int
budgets_reserve(struct budgets *b, struct store *st,
    const struct snapshot *s, const struct key_state *key,
    const struct demand *want, struct holds *holds, struct shortage *why,
    struct err *err)
{
	struct rules rules;
	size_t i;
	int rc = 1;

	holds->n = 0;
	rules_of(s, key, want->model, &rules);
	if (rules.more) {
		*why = (struct shortage) { .unknown = true };
		return (0);
	}
	for (i = 0; i < rules.n && rc == 1; i++)
		rc = reserve_one(b, st, rules.list[i], want, holds, why, err);
	if (rc != 1)
		budgets_undo(b, holds);
	return (rc);
}

/* ---- on a shared store ---- */

void
budgets_windows(const struct snapshot *s, const struct key_state *key,
    int64_t now_ms, struct idlist *out)
{
	struct rules rules;
	int64_t start_ms;
	size_t i;

	rules_of(s, key, NULL, &rules);
	for (i = 0; i < rules.n; i++) {
		start_ms = period_start(rules.list[i]->period, now_ms);
		if (start_ms >= 0)
			idlist_put(out, rules.list[i]->id, start_ms);
	}
}

struct fetching {
	struct budgets *budgets;
	struct err *err;
};

/* budget, start, spent, reserved */
static int
window_row(void *arg, const struct store_value *c, size_t n)
{
	struct fetching *f = arg;
	struct window w = {
		.budget_id = store_get_int(&c[0]),
		.start_ms = store_get_int(&c[1]),
		.spent = store_get_int(&c[2]),
		.reserved = store_get_int(&c[3]),
		.exists = true,
	};
	size_t at = place_of(f->budgets, w.budget_id, w.start_ms);
	struct window *to;

	(void)n;
	to = at < f->budgets->n ? &f->budgets->list[at] : NULL;
	if (to != NULL && to->budget_id == w.budget_id &&
	    to->start_ms == w.start_ms)
		return (0);
	if ((to = insert_at(f->budgets, at, f->err)) == NULL)
		return (-1);
	*to = w;
	return (0);
}

int
budgets_fetch(struct budgets *b, struct store *st, struct idlist *windows,
    struct err *err)
{
	struct fetching f = { .budgets = b, .err = err };
	struct store_value param;

	if (windows->n == 0 && !windows->failed)
		return (0);
	idlist_sort(windows);
	if (idlist_param(windows, &param, err))
		return (-1);
	return (store_query(st, STMT_WINDOWS_READ, &param, 1, window_row, &f,
	    err) < 0 ? -1 : 0);
}

void
budgets_undo(struct budgets *b, struct holds *holds)
{
	const struct hold *h;
	size_t i, at;

	for (i = 0; i < holds->n; i++) {
		h = &holds->list[i];
		at = place_of(b, h->budget_id, h->start_ms);
		b->list[at].reserved -= h->amount;
	}
	holds->n = 0;
}

/* The windows that changed and have a row, or have none, in one go. */
static int
write_those(const struct budgets *b, struct store *st, bool exist,
    struct store_value *v, struct err *err)
{
	const struct window *w;
	size_t n = 0;

	for (w = b->list; w < b->list + b->n; w++) {
		if (!w->changed || w->exists != exist)
			continue;
		v[4 * n] = store_int(w->spent);
		v[4 * n + 1] = store_int(w->reserved);
		v[4 * n + 2] = store_int(w->budget_id);
		v[4 * n + 3] = store_int(w->start_ms);
		n++;
	}
	if (n == 0)
		return (0);
	return (store_exec(st, exist ? STMT_WINDOW_WRITE : STMT_WINDOW_ADD, v,
	    n, 4, NULL, err));
}

int
budgets_write(struct budgets *b, struct store *st, struct err *err)
{
	struct store_value *v;
	int rc;

	if (b->n == 0)
		return (0);
	if ((v = calloc(4 * b->n, sizeof(*v))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for budgets");
		return (-1);
	}
	rc = write_those(b, st, true, v, err);
	if (rc == 0)
		rc = write_those(b, st, false, v, err);
	free(v);
	return (rc);
}
