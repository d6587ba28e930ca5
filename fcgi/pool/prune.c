#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/num.h"
#include "ledger/id.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "pool/holds.h"
#include "pool/prune.h"

/* What goes in one transaction. */
struct pruned {
	int64_t n;
	struct store_value *ids;
	struct arena row;	/* what the row at hand holds */
	struct hold *holds;	/* what all hold */
	size_t nholds, holds_cap;
	struct err *err;
};

int64_t
prune_cut_ms(int64_t now_ms, int64_t keep_days)
{
	int64_t cut_ms = now_ms - num_mul_sat(keep_days, ROLLUP_DAY_MS);

	return (cut_ms < 0 ? 0 : cut_ms - cut_ms % ROLLUP_HOUR_MS);
}

int
prune_read(struct store *st, struct prune_state *state, struct err *err)
{
	int64_t row[2] = { 0, 0 };

	if (store_one(st, STMT_PRUNE_STATE, NULL, 0, row, 2, err) < 0)
		return (-1);
	*state = (struct prune_state) { .cut_ms = row[0], .rows = row[1] };
	return (0);
}

static int
note(struct store *st, int64_t cut_ms, int64_t rows, struct err *err)
{
	struct prune_state state;
	struct store_value v[4];

	if (prune_read(st, &state, err))
		return (-1);
	v[0] = store_text("ledger_cut_ms");
	v[1] = store_int(cut_ms > state.cut_ms ? cut_ms : state.cut_ms);
	v[2] = store_text("ledger_pruned");
	v[3] = store_int(state.rows + rows);
	return (store_exec(st, STMT_META_PUT, v, 2, 2, NULL, err));
}

static int
count_row(void *arg, const struct store_value *c, size_t ncols)
{

	(void)arg;
	(void)c;
	(void)ncols;
	return (0);
}

/* On a shared store one at a time does it; the others need not wait.  1: it is
 * this one; 0; -1. */
static int
is_alone(struct store *st, struct err *err)
{
	int64_t n;

	if (!store_shared(st))
		return (1);
	n = store_query(st, STMT_PRUNE_GATE, NULL, 0, count_row, NULL, err);
	return (n < 0 ? -1 : n > 0);
}

/* ---- the ledger ---- */

/* Room for ${n} more. */
static int
make_room(struct pruned *p, size_t n)
{
	size_t cap = 2 * (p->nholds + n);
	struct hold *holds;

	if (p->nholds + n <= p->holds_cap)
		return (0);
	if ((holds = realloc(p->holds, cap * sizeof(*holds))) == NULL) {
		err_set(p->err, ERR_NOMEM, "no memory for budgets");
		return (-1);
	}
	p->holds = holds;
	p->holds_cap = cap;
	return (0);
}

/* id, holds */
static int
take_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct pruned *p = arg;
	struct holds holds;

	(void)ncols;
	p->ids[p->n++] = store_int(store_get_int(&c[0]));
	arena_reset(&p->row);
	if (holds_parse(&holds, store_get_text(&c[1]), &p->row, p->err) < 0 ||
	    make_room(p, holds.n))
		return (-1);
	if (holds.n > 0)
		memcpy(p->holds + p->nholds, holds.list,
		    holds.n * sizeof(*holds.list));
	p->nholds += holds.n;
	return (0);
}

static int
by_window(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	if (x->budget_id != y->budget_id)
		return (x->budget_id < y->budget_id ? -1 : 1);
	return (x->start_ms < y->start_ms ? -1 : x->start_ms > y->start_ms);
}

/* Add up by window, in their order: what it is to the windows in all. */
static void
add_up(struct pruned *p)
{
	struct hold *to = p->holds;
	size_t i;

	if (p->nholds == 0)
		return;
	qsort(p->holds, p->nholds, sizeof(*p->holds), by_window);
	for (i = 1; i < p->nholds; i++) {
		if (by_window(to, &p->holds[i]) == 0)
			to->amount = num_add_sat(to->amount,
			    p->holds[i].amount);
		else
			*++to = p->holds[i];
	}
	p->nholds = (size_t)(to - p->holds) + 1;
}

static int
keep(struct store *st, struct pruned *p, struct err *err)
{
	struct store_value *v;
	size_t i;
	int rc;

	add_up(p);
	if (p->nholds == 0)
		return (0);
	if ((v = calloc(3 * p->nholds, sizeof(*v))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for budgets");
		return (-1);
	}
	for (i = 0; i < p->nholds; i++) {
		v[3 * i] = store_int(p->holds[i].amount);
		v[3 * i + 1] = store_int(p->holds[i].budget_id);
		v[3 * i + 2] = store_int(p->holds[i].start_ms);
	}
	rc = store_exec(st, STMT_PRUNE_KEEP, v, p->nholds, 3, NULL, err);
	free(v);
	return (rc);
}

static int
delete_rows(struct store *st, struct pruned *p, struct err *err)
{
	size_t n = (size_t)p->n;

	if (keep(st, p, err) ||
	    store_exec(st, STMT_PRUNE_ATTEMPTS, p->ids, n, 1, NULL, err))
		return (-1);
	return (store_exec(st, STMT_PRUNE_LEDGER, p->ids, n, 1, NULL, err));
}

int
prune_ledger(struct store *st, int64_t cut_ms, int64_t max, int64_t *rows,
    struct err *err)
{
	const struct store_value v[2] = {
		store_int(ledger_id_first(cut_ms)), store_int(max)
	};
	struct pruned p = { .err = err };
	int rc;

	*rows = 0;
	if ((rc = is_alone(st, err)) != 1)
		return (rc);
	rc = -1;
	arena_init(&p.row, LIMIT_BATCH_BYTES);
	if ((p.ids = calloc((size_t)max, sizeof(*p.ids))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for rows of the ledger");
		goto done;
	}
	if (store_query(st, STMT_PRUNE_ROWS, v, 2, take_row, &p, err) < 0)
		goto done;
	if (p.n > 0 && (delete_rows(st, &p, err) ||
	    note(st, cut_ms, p.n, err)))
		goto done;
	*rows = p.n;
	rc = 0;
done:
	arena_fini(&p.row);
	free(p.holds);
	free(p.ids);
	return (rc);
}

/* ---- budget windows ---- */

struct gone_windows {
	struct store_value *v;	/* pairs */
	size_t n;
};

static int
take_window(void *arg, const struct store_value *c, size_t ncols)
{
	struct gone_windows *w = arg;

	(void)ncols;
	w->v[2 * w->n] = store_int(store_get_int(&c[0]));
	w->v[2 * w->n + 1] = store_int(store_get_int(&c[1]));
	w->n++;
	return (0);
}

int
prune_windows(struct store *st, int64_t max, int64_t *rows, struct err *err)
{
	const struct store_value v[2] = {
		store_int(store_now_ms(st)), store_int(max)
	};
	struct gone_windows w = { 0 };
	int rc;

	*rows = 0;
	if ((rc = is_alone(st, err)) != 1)
		return (rc);
	rc = -1;
	if ((w.v = calloc(2 * (size_t)max, sizeof(*w.v))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for budget windows");
		return (-1);
	}
	if (store_query(st, STMT_PRUNE_WINDOWS_OLD, v, 2, take_window, &w,
	    err) >= 0)
		rc = w.n == 0 ? 0 : store_exec(st, STMT_PRUNE_WINDOW, w.v,
		    w.n, 2, NULL, err);
	if (rc == 0)
		*rows = (int64_t)w.n;
	free(w.v);
	return (rc);
}

/* ---- sessions ---- */

struct gone_sessions {
	struct store_value v[2 * PRUNE_MAX];	/* id, now */
	int64_t n, now_ms;
};

static int
take_session(void *arg, const struct store_value *c, size_t ncols)
{
	struct gone_sessions *s = arg;

	(void)ncols;
	s->v[2 * s->n] = store_int(store_get_int(&c[0]));
	s->v[2 * s->n + 1] = store_int(s->now_ms);
	s->n++;
	return (0);
}

/* Those that ran out, PRUNE_MAX at a time. */
static int
prune_sessions(struct store *st, int64_t *rows, struct err *err)
{
	struct gone_sessions s = { .now_ms = store_now_ms(st) };
	const struct store_value v[2] = {
		store_int(s.now_ms), store_int(PRUNE_MAX)
	};
	int rc;

	*rows = 0;
	if ((rc = is_alone(st, err)) != 1)
		return (rc);
	if (store_query(st, STMT_AFFINITY_EXPIRED, v, 2, take_session, &s,
	    err) < 0)
		return (-1);
	*rows = s.n;
	return (s.n == 0 ? 0 : store_exec(st, STMT_AFFINITY_DROP, s.v,
	    (size_t)s.n, 2, NULL, err));
}

/* ---- objects ---- */

#define BATCH_MS	(29 * ROLLUP_DAY_MS)
#define GONE_MS		ROLLUP_DAY_MS

struct gone_objects {
	struct store_value v[PRUNE_MAX];
	size_t n;
};

static int
take_object(void *arg, const struct store_value *c, size_t ncols)
{
	struct gone_objects *o = arg;

	(void)ncols;
	o->v[o->n++] = store_int(store_get_int(&c[0]));
	return (0);
}

static int
prune_objects(struct store *st, int64_t *rows, struct err *err)
{
	static const struct {
		enum stmt_id stmt;
		int64_t age_ms;
	} kinds[] = {
		{ STMT_PRUNE_OBJECTS_OLD, BATCH_MS },
		{ STMT_PRUNE_OBJECTS_GONE, GONE_MS },
	};
	struct gone_objects o = { .n = 0 };
	struct store_value v[2];
	size_t i;
	int rc;

	*rows = 0;
	if ((rc = is_alone(st, err)) != 1)
		return (rc);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && o.n < PRUNE_MAX;
	    i++) {
		v[0] = store_int(store_now_ms(st) - kinds[i].age_ms);
		v[1] = store_int(PRUNE_MAX - (int64_t)o.n);
		if (store_query(st, kinds[i].stmt, v, 2, take_object, &o,
		    err) < 0)
			return (-1);
	}
	*rows = (int64_t)o.n;
	return (o.n == 0 ? 0 : store_exec(st, STMT_PRUNE_OBJECT, o.v, o.n, 1,
	    NULL, err));
}

/* ---- the clock ---- */

#define JUMP_MS		(2 * ROLLUP_DAY_MS)
#define HOLD_MS		(20 * ROLLUP_HOUR_MS)

/* Is the clock to be believed?  1; 0; -1. */
static int
believe_clock(struct store *st, struct err *err)
{
	int64_t now_ms = store_now_ms(st), row[2] = { 0, 0 }, gap_ms;
	struct store_value v[4];
	bool good;

	if (store_one(st, STMT_PRUNE_CLOCK, NULL, 0, row, 2, err) < 0)
		return (-1);
	gap_ms = now_ms - row[0];
	if (row[1] != 0)
		good = gap_ms >= HOLD_MS || gap_ms < 0;
	else
		good = row[0] == 0 || gap_ms <= JUMP_MS;
	if (!good && row[1] != 0)
		return (0);
	v[0] = store_text("prune_seen_ms");
	v[1] = store_int(now_ms);
	v[2] = store_text("prune_held");
	v[3] = store_int(!good);
	return (store_exec(st, STMT_META_PUT, v, 2, 2, NULL, err) ? -1 : good);
}

/* ---- all of it ---- */

static int
prune_inside(struct store *st, int64_t keep_days, struct prune_pass *pass,
    struct err *err)
{
	int rc;

	if ((rc = is_alone(st, err)) != 1)
		return (rc);
	if ((rc = believe_clock(st, err)) != 1) {
		pass->held = true;
		return (rc);
	}
	if (keep_days > 0 && prune_ledger(st, prune_cut_ms(store_now_ms(st),
	    keep_days), PRUNE_MAX, &pass->requests, err))
		return (-1);
	if (prune_windows(st, PRUNE_MAX, &pass->windows, err))
		return (-1);
	if (prune_sessions(st, &pass->sessions, err))
		return (-1);
	return (prune_objects(st, &pass->objects, err));
}

int
prune_some(struct store *st, int64_t keep_days, struct prune_pass *pass,
    struct err *err)
{

	*pass = (struct prune_pass) { .more = false };
	if (store_begin(st, true, err))
		return (-1);
	if (prune_inside(st, keep_days, pass, err)) {
		store_rollback(st);
		return (-1);
	}
	pass->more = pass->requests == PRUNE_MAX ||
	    pass->windows == PRUNE_MAX || pass->sessions == PRUNE_MAX ||
	    pass->objects == PRUNE_MAX;
	return (store_commit(st, err));
}
