#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "latency_fold.h"

#include "usage_latency.h"

/* The job may fold on meanwhile: then all is read again. */
#define TRIES	5

const char *const usage_latency_names[USAGE_LATENCY_NAMES] = {
	"ttfb_p50_ms", "ttfb_p95_ms", "duration_p50_ms", "duration_p95_ms"
};

/* The tables, and how they are read where an index helps. */
static const struct source {
	enum stmt_id all, of_key, of_person;
} days = {
	STMT_LATENCY_DAY_READ, STMT_LATENCY_DAY_OF_KEY,
	STMT_LATENCY_DAY_OF_PERSON
}, hours = {
	STMT_LATENCY_HOUR_READ, STMT_LATENCY_HOUR_OF_KEY,
	STMT_LATENCY_HOUR_OF_PERSON
};

struct reading {
	struct usage_latency *l;
	struct err *err;
	int64_t rows;
};

void
usage_latency_init(struct usage_latency *l)
{

	*l = (struct usage_latency) { .key_id = -1, .person_id = -1 };
	latency_set_init(&l->set);
}

void
usage_latency_fini(struct usage_latency *l)
{

	latency_set_fini(&l->set);
	latency_fini(&l->total.first_byte);
	latency_fini(&l->total.whole);
}

/* ---- what is folded ---- */

/* start_ms, key, account, group, person, model, first_byte, whole */
static int
take_counts(void *arg, const struct store_value *c, size_t ncols)
{
	struct reading *r = arg;
	struct rollup_key key = {
		.start_ms = store_get_int(&c[0]),
		.key_id = store_get_int(&c[1]),
		.account_id = store_get_int(&c[2]),
		.group_id = store_get_int(&c[3]),
		.person_id = store_get_int(&c[4]),
	};
	struct latency_of *to;

	(void)ncols;
	rollup_model(store_get_text(&c[5]), key.model);
	if (!r->l->wanted(r->l->arg, &key))
		return (0);
	if ((to = latency_set_at(&r->l->set, &key, r->err)) == NULL ||
	    latency_parse(&to->first_byte, store_get_text(&c[6]), r->err) ||
	    latency_parse(&to->whole, store_get_text(&c[7]), r->err))
		return (-1);
	return (0);
}

static int
read_folded(struct reading *r, struct store *st, const struct source *s,
    const struct range *list, size_t n)
{
	struct store_value v[3];
	enum stmt_id id = s->all;
	size_t i, k = 0;

	if (r->l->key_id != -1) {
		id = s->of_key;
		v[k++] = store_int(r->l->key_id);
	} else if (r->l->person_id != -1) {
		id = s->of_person;
		v[k++] = store_int(r->l->person_id);
	}
	for (i = 0; i < n; i++) {
		v[k] = store_int(list[i].from_ms);
		v[k + 1] = store_int(list[i].to_ms);
		if (store_query(st, id, v, k + 2, take_counts, r, r->err) < 0)
			return (-1);
	}
	return (0);
}

/* ---- what is not ---- */

static int
take_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct reading *r = arg;
	struct latency_row row;
	struct latency_of *to;

	(void)ncols;
	r->rows++;
	latency_row_read(c, &row);
	if (row.first_byte_ms < 0 || !r->l->wanted(r->l->arg, &row.key))
		return (0);
	if ((to = latency_set_at(&r->l->set, &row.key, r->err)) == NULL ||
	    latency_add(&to->first_byte, row.first_byte_ms, r->err))
		return (-1);
	return (row.whole_ms < 0 ? 0 :
	    latency_add(&to->whole, row.whole_ms, r->err));
}

static int
read_rest(struct reading *r, struct store *st, int64_t mark,
    const struct periods *p)
{
	const int64_t first = ledger_id_first(p->starts[0]) - 1;
	const struct store_value v[3] = {
		store_int(mark > first ? mark : first),
		store_int(ledger_id_first(p->starts[p->n])),
		store_int(USAGE_LATENCY_ROWS + 1),
	};

	if (store_query(st, STMT_LATENCY_ROWS, v, 3, take_row, r, r->err) < 0)
		return (-1);
	r->l->partial = r->rows > USAGE_LATENCY_ROWS;
	return (0);
}

/* ---- the whole ---- */

/* 1: it was read; 0: the job went on meanwhile. */
static int
read_once(struct usage_latency *l, struct store *st, const struct periods *p,
    struct err *err)
{
	struct reading r = { .l = l, .err = err };
	int64_t mark, now;

	latency_set_fini(&l->set);
	if (latency_mark(st, &mark, err) || read_rest(&r, st, mark, p) ||
	    read_folded(&r, st, &days, p->days, p->ndays) ||
	    read_folded(&r, st, &hours, p->hours, p->nhours) ||
	    latency_mark(st, &now, err))
		return (-1);
	return (mark == now);
}

static int
add_up(struct usage_latency *l, struct err *err)
{
	size_t i;

	for (i = 0; i < l->set.n; i++) {
		if (latency_merge(&l->total.first_byte,
		    &l->set.list[i].first_byte, err) ||
		    latency_merge(&l->total.whole, &l->set.list[i].whole,
		    err))
			return (-1);
	}
	return (0);
}

int
usage_latency_read(struct usage_latency *l, struct store *st,
    const struct periods *periods, struct err *err)
{
	int i, rc = 0;

	for (i = 0; i < TRIES && rc == 0; i++)
		rc = read_once(l, st, periods, err);
	return (rc < 0 ? -1 : add_up(l, err));
}

int
usage_latency_put(const struct usage_latency *l,
    const struct rollup_key *key, json_t *row)
{
	const struct latency_of *of = key == NULL ? &l->total :
	    latency_set_find(&l->set, key);
	int64_t ms[USAGE_LATENCY_NAMES] = { -1, -1, -1, -1 };
	int i, rc = 0;

	if (of != NULL && !l->partial) {
		ms[0] = latency_percentile(&of->first_byte, 50);
		ms[1] = latency_percentile(&of->first_byte, 95);
		ms[2] = latency_percentile(&of->whole, 50);
		ms[3] = latency_percentile(&of->whole, 95);
	}
	for (i = 0; i < USAGE_LATENCY_NAMES; i++)
		rc |= json_object_set_new(row, usage_latency_names[i],
		    ms[i] < 0 ? json_null() : json_integer(ms[i]));
	return (rc == 0 ? 0 : -1);
}
