#include <string.h>

#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "latency_set.h"

#include "latency_fold.h"

/* Rows in one transaction. */
#define FOLD_ROWS	200

struct folding {
	struct latency_set hours, days;
	int64_t mark;			/* the last row so far */
	int64_t rows;
	struct err *err;
};

/* Where the counts are kept, and of which set. */
static const struct table {
	enum stmt_id get, put;
	size_t set;
} tables[] = {
	{ STMT_LATENCY_HOUR_GET, STMT_LATENCY_HOUR_PUT,
	    offsetof(struct folding, hours) },
	{ STMT_LATENCY_DAY_GET, STMT_LATENCY_DAY_PUT,
	    offsetof(struct folding, days) },
};

static int64_t
time_or_none(const struct store_value *v)
{

	return (v->type == STORE_NULL ? -1 : store_get_int(v));
}

/* id, key, account, group, person, model, first_byte_ms, total_ms */
void
latency_row_read(const struct store_value *c, struct latency_row *row)
{
	int64_t created_ms = ledger_id_created_ms(store_get_int(&c[0]));

	row->id = store_get_int(&c[0]);
	row->key = (struct rollup_key) {
		.start_ms = created_ms - created_ms % ROLLUP_HOUR_MS,
		.key_id = store_get_int(&c[1]),
		.account_id = store_get_int(&c[2]),
		.group_id = store_get_int(&c[3]),
		.person_id = store_get_int(&c[4]),
	};
	rollup_model(store_get_text(&c[5]), row->key.model);
	row->first_byte_ms = time_or_none(&c[6]);
	row->whole_ms = time_or_none(&c[7]);
}

int
latency_mark(struct store *st, int64_t *mark, struct err *err)
{

	*mark = 0;
	return (store_one(st, STMT_LATENCY_MARK, NULL, 0, mark, 1, err) < 0 ?
	    -1 : 0);
}

/* ---- rows ---- */

static int
count(struct latency_set *s, const struct latency_row *row, struct err *err)
{
	struct latency_of *of = latency_set_at(s, &row->key, err);

	if (of == NULL || latency_add(&of->first_byte, row->first_byte_ms,
	    err))
		return (-1);
	return (row->whole_ms < 0 ? 0 :
	    latency_add(&of->whole, row->whole_ms, err));
}

static int
take_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct folding *f = arg;
	struct latency_row row;

	(void)ncols;
	latency_row_read(c, &row);
	f->mark = row.id;
	f->rows++;
	if (row.first_byte_ms < 0)
		return (0);
	if (count(&f->hours, &row, f->err))
		return (-1);
	row.key.start_ms -= row.key.start_ms % ROLLUP_DAY_MS;
	return (count(&f->days, &row, f->err));
}

/* Up to the first that is open, or may not be there yet. */
static int
read_rows(struct store *st, struct folding *f, struct err *err)
{
	struct store_value v[3];
	int64_t end, open;

	end = ledger_id_first(store_now_ms(st) - LATENCY_LAG_MS);
	if (store_one(st, STMT_LEDGER_FIRST_OPEN, NULL, 0, &open, 1, err) < 0
	    || latency_mark(st, &f->mark, err))
		return (-1);
	v[0] = store_int(f->mark);
	v[1] = store_int(open < end ? open : end);
	v[2] = store_int(FOLD_ROWS);
	return (store_query(st, STMT_LATENCY_ROWS, v, 3, take_row, f, err)
	    < 0 ? -1 : 0);
}

/* ---- counts ---- */

struct reading {
	struct latency_of *of;
	struct err *err;
};

static int
add_counts(void *arg, const struct store_value *c, size_t ncols)
{
	struct reading *r = arg;

	(void)ncols;
	if (latency_parse(&r->of->first_byte, store_get_text(&c[0]), r->err)
	    || latency_parse(&r->of->whole, store_get_text(&c[1]), r->err))
		return (-1);
	return (1);
}

static int
write_one(struct store *st, const struct table *t, struct latency_of *of,
    struct err *err)
{
	char first[LATENCY_TEXT], whole[LATENCY_TEXT];
	struct reading r = { .of = of, .err = err };
	struct store_value v[8] = {
		store_int(of->key.start_ms), store_int(of->key.key_id),
		store_int(of->key.account_id), store_int(of->key.group_id),
		store_int(of->key.person_id), store_text(of->key.model),
	};

	if (store_query(st, t->get, v, 6, add_counts, &r, err) < 0)
		return (-1);
	latency_text(&of->first_byte, first);
	latency_text(&of->whole, whole);
	v[6] = store_text(first);
	v[7] = store_text(whole);
	return (store_exec(st, t->put, v, 1, 8, NULL, err));
}

static int
write_counts(struct store *st, struct folding *f, struct err *err)
{
	const struct store_value mark[2] = {
		store_text("latency_mark"), store_int(f->mark)
	};
	const struct table *t;
	struct latency_set *s;
	size_t i, k;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		t = &tables[i];
		s = (struct latency_set *)(void *)((char *)f + t->set);
		for (k = 0; k < s->n; k++) {
			if (write_one(st, t, &s->list[k], err))
				return (-1);
		}
	}
	return (store_exec(st, STMT_META_PUT, mark, 1, 2, NULL, err));
}

/* ---- the whole ---- */

static int
fold_inside(struct store *st, struct folding *f, struct err *err)
{

	if (store_lock(st, STMT_LOCK_LATENCY, NULL, 0, err) ||
	    read_rows(st, f, err))
		return (-1);
	return (f->rows == 0 ? 0 : write_counts(st, f, err));
}

int
latency_fold(struct store *st, struct latency_pass *pass, struct err *err)
{
	struct folding f = { .err = err };
	int rc = -1;

	latency_set_init(&f.hours);
	latency_set_init(&f.days);
	if (store_begin(st, true, err) == 0)
		rc = store_end(st, fold_inside(st, &f, err), err);
	latency_set_fini(&f.hours);
	latency_set_fini(&f.days);
	*pass = (struct latency_pass) {
		.rows = f.rows,
		.more = f.rows == FOLD_ROWS,
	};
	return (rc);
}
