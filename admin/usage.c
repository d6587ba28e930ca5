#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/zone.h"
#include "ledger/price.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "names.h"
#include "query.h"
#include "usage_latency.h"

#include "usage.h"

/* So much time one statement reads; the sums go on changing meanwhile. */
#define DAYS_AT_ONCE_MS		(31 * ROLLUP_DAY_MS)
#define HOURS_AT_ONCE_MS	(2 * ROLLUP_DAY_MS)

const char *const usage_by_name[USAGE_BY_COUNT] = {
	[USAGE_BY_KEY] = "key",
	[USAGE_BY_USER] = "user",
	[USAGE_BY_ACCOUNT] = "account",
	[USAGE_BY_GROUP] = "group",
	[USAGE_BY_MODEL] = "model",
};

/* What has an id and a name. */
static const struct {
	enum names_of names;
	size_t id;		/* in struct rollup_key */
	size_t wanted;		/* in struct usage_query */
} things[] = {
	[USAGE_BY_KEY] = { NAMES_OF_KEYS,
	    offsetof(struct rollup_key, key_id),
	    offsetof(struct usage_query, key) },
	[USAGE_BY_USER] = { NAMES_OF_PEOPLE,
	    offsetof(struct rollup_key, person_id),
	    offsetof(struct usage_query, user) },
	[USAGE_BY_ACCOUNT] = { NAMES_OF_ACCOUNTS,
	    offsetof(struct rollup_key, account_id),
	    offsetof(struct usage_query, account) },
	[USAGE_BY_GROUP] = { NAMES_OF_GROUPS,
	    offsetof(struct rollup_key, group_id),
	    offsetof(struct usage_query, group) },
};

/* An id that nothing has. */
#define NOBODY		INT64_C(-2)

#define NTHINGS		(sizeof(things) / sizeof(things[0]))

struct report {
	struct store *st;
	const struct usage_query *q;
	struct periods periods;
	int64_t wanted[NTHINGS];	/* ids; -1: all */
	struct names *names[NTHINGS];	/* NULL: not needed */
	struct rollup_set set;
	struct usage_latency latency;
	struct err *err;
};

static int64_t *
id_of(struct rollup_key *k, size_t thing)
{

	return ((int64_t *)(void *)((char *)k + things[thing].id));
}

/* ---- what is asked for ---- */

static int
resolve(struct report *r)
{
	const char *name;
	size_t i;

	for (i = 0; i < NTHINGS; i++) {
		name = *(const char *const *)(const void *)
		    ((const char *)r->q + things[i].wanted);
		r->wanted[i] = i == USAGE_BY_KEY && r->q->key_id != 0 ?
		    r->q->key_id : -1;
		if (name == NULL && !r->q->by[i])
			continue;
		if ((r->names[i] = names_read(r->st, things[i].names,
		    r->err)) == NULL)
			return (-1);
		if (name == NULL || names_find(r->names[i], name,
		    &r->wanted[i]) == 0)
			continue;
		r->wanted[i] = NOBODY;
		if (!r->q->veiled) {
			err_set(r->err, ERR_NOT_FOUND, "there is no %s \"%s\"",
			    usage_by_name[i], name);
			return (-1);
		}
	}
	return (0);
}

/* ---- reading ---- */

static bool
is_wanted(const struct report *r, struct rollup_key *k)
{
	size_t i;

	for (i = 0; i < NTHINGS; i++) {
		if (r->wanted[i] != -1 && *id_of(k, i) != r->wanted[i])
			return (false);
	}
	return (r->q->model == NULL || price_match(r->q->model, k->model));
}

/* Leave of the key what is told apart. */
static void
blur(const struct report *r, struct rollup_key *k)
{
	size_t i;

	k->start_ms = periods_start(&r->periods, k->start_ms);
	for (i = 0; i < NTHINGS; i++) {
		if (!r->q->by[i])
			*id_of(k, i) = 0;
	}
	if (!r->q->by[USAGE_BY_MODEL])
		memset(k->model, 0, sizeof(k->model));
}

static int
read_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct report *r = arg;
	struct rollup row;

	(void)ncols;
	rollup_read(c, &row);
	if (!is_wanted(r, &row.key))
		return (0);
	blur(r, &row.key);
	return (rollup_set_add(&r->set, &row, 1, r->err));
}

static bool
latency_wanted(void *arg, struct rollup_key *key)
{
	const struct report *r = arg;

	if (!is_wanted(r, key))
		return (false);
	blur(r, key);
	return (true);
}

static int
read_latency(struct report *r)
{

	r->latency.wanted = latency_wanted;
	r->latency.arg = r;
	r->latency.key_id = r->wanted[USAGE_BY_KEY];
	r->latency.person_id = r->wanted[USAGE_BY_USER];
	return (usage_latency_read(&r->latency, r->st, &r->periods, r->err));
}

/* The tables, and how they are read where an index helps. */
static const struct source {
	enum stmt_id all, of_key, of_person;
	int64_t at_once_ms;
} days = {
	STMT_USAGE_DAY_READ, STMT_USAGE_DAY_OF_KEY, STMT_USAGE_DAY_OF_PERSON,
	DAYS_AT_ONCE_MS
}, hours = {
	STMT_USAGE_HOUR_READ, STMT_USAGE_HOUR_OF_KEY,
	STMT_USAGE_HOUR_OF_PERSON, HOURS_AT_ONCE_MS
};

static int
read_range(struct report *r, const struct source *s, int64_t from_ms,
    int64_t to_ms)
{
	struct store_value v[3];
	enum stmt_id id = s->all;
	size_t n = 0;

	if (r->wanted[USAGE_BY_KEY] != -1) {
		id = s->of_key;
		v[n++] = store_int(r->wanted[USAGE_BY_KEY]);
	} else if (r->wanted[USAGE_BY_USER] != -1) {
		id = s->of_person;
		v[n++] = store_int(r->wanted[USAGE_BY_USER]);
	}
	v[n++] = store_int(from_ms);
	v[n++] = store_int(to_ms);
	return (store_query(r->st, id, v, n, read_row, r, r->err) < 0 ? -1 :
	    0);
}

static int
read_ranges(struct report *r, const struct source *s,
    const struct range *list, size_t n)
{
	const struct range *at;
	int64_t from_ms, to_ms;

	for (at = list; at < list + n; at++) {
		for (from_ms = at->from_ms; from_ms < at->to_ms;
		    from_ms = to_ms) {
			to_ms = at->to_ms;
			if (to_ms - from_ms > s->at_once_ms)
				to_ms = from_ms + s->at_once_ms;
			if (read_range(r, s, from_ms, to_ms))
				return (-1);
		}
	}
	return (0);
}

/* ---- what is answered ---- */

static int
by_time_and_cost(const void *a, const void *b)
{
	const struct rollup *x = a, *y = b;
	int64_t cx = x->sums[ROLLUP_COST_NUSD], cy = y->sums[ROLLUP_COST_NUSD];

	if (x->key.start_ms != y->key.start_ms)
		return (x->key.start_ms < y->key.start_ms ? -1 : 1);
	if (cx != cy)
		return (cx > cy ? -1 : 1);
	return (rollup_cmp(&x->key, &y->key));
}

static json_t *
time_text(const struct report *r, int64_t ms)
{
	char text[ZONE_RFC3339_SIZE];

	zone_rfc3339(r->q->zone, ms, text);
	return (json_string(text));
}

/* Of a thousand tokens that went in, those that came from a cache. */
static json_t *
cache_share(const int64_t *sums)
{
	const double read = (double)sums[ROLLUP_CACHE_READ_TOKENS];
	const double all = read + (double)sums[ROLLUP_INPUT_TOKENS] +
	    (double)sums[ROLLUP_CACHE_WRITE_5M_TOKENS] +
	    (double)sums[ROLLUP_CACHE_WRITE_1H_TOKENS];

	return (all > 0 ? json_integer((json_int_t)(read * 1000 / all)) :
	    json_null());
}

static int
put_sums(json_t *row, const int64_t *sums)
{
	size_t i;

	for (i = 0; i < ROLLUP_NSUMS; i++) {
		if (json_object_set_new(row, rollup_names[i],
		    json_integer(sums[i])))
			return (-1);
	}
	return (json_object_set_new(row, "cache_hit_share",
	    cache_share(sums)));
}

static int
put_row(const struct report *r, json_t *rows, struct rollup *from)
{
	json_t *row = json_object(), *value;
	size_t i;

	if (row == NULL || json_array_append_new(rows, row))
		return (-1);
	if (json_object_set_new(row, "start", time_text(r,
	    from->key.start_ms)) || json_object_set_new(row, "start_ms",
	    json_integer(from->key.start_ms)))
		return (-1);
	for (i = 0; i < USAGE_BY_COUNT; i++) {
		if (!r->q->by[i])
			continue;
		value = i == USAGE_BY_MODEL ? query_text(from->key.model,
		    strlen(from->key.model)) :
		    names_json(r->names[i], *id_of(&from->key, i));
		if (json_object_set_new(row, usage_by_name[i], value))
			return (-1);
	}
	return (put_sums(row, from->sums) ||
	    usage_latency_put(&r->latency, &from->key, row) ? -1 : 0);
}

/* All rows as one. */
static int
put_total(const struct report *r, json_t *total)
{
	const struct rollup *row;
	struct rollup_set sum;
	struct rollup all;
	int rc = 0;

	rollup_set_init(&sum);
	for (row = r->set.list; row < r->set.list + r->set.n && rc == 0;
	    row++) {
		all = *row;
		memset(&all.key, 0, sizeof(all.key));
		rc = rollup_set_add(&sum, &all, 1, r->err);
	}
	memset(&all, 0, sizeof(all));
	if (rc == 0)
		rc = put_sums(total, sum.n > 0 ? sum.list[0].sums :
		    all.sums) || usage_latency_put(&r->latency, NULL, total);
	rollup_set_fini(&sum);
	return (rc);
}

static json_t *
answer(struct report *r)
{
	json_t *out, *rows = json_array(), *total = json_object();
	size_t i;

	if (r->set.n > 1)
		qsort(r->set.list, r->set.n, sizeof(*r->set.list),
		    by_time_and_cost);
	for (i = 0; i < r->set.n && rows != NULL; i++) {
		if (put_row(r, rows, &r->set.list[i]))
			goto err0;
	}
	if (total == NULL || put_total(r, total))
		goto err0;
	out = json_pack("{s:o, s:o, s:s, s:s, s:b, s:o, s:o}",
	    "from", time_text(r, r->periods.starts[0]),
	    "to", time_text(r, r->periods.starts[r->periods.n]),
	    "zone", zone_name(r->q->zone), "per", period_name(r->q->per),
	    "rounded", r->periods.rounded, "rows", rows, "total", total);
	if (out == NULL)
		err_set(r->err, ERR_NOMEM, "no memory for an answer");
	return (out);

err0:
	err_set(r->err, ERR_NOMEM, "no memory for an answer");
	json_decref(rows);
	json_decref(total);
	return (NULL);
}

json_t *
usage_report(struct store *st, const struct usage_query *q, struct err *err)
{
	struct report r = { .st = st, .q = q, .err = err };
	json_t *out = NULL;
	size_t i;

	if (periods_make(&r.periods, q->per, q->zone, &q->range, err))
		return (NULL);
	rollup_set_init(&r.set);
	usage_latency_init(&r.latency);
	if (resolve(&r) == 0 &&
	    read_ranges(&r, &days, r.periods.days, r.periods.ndays) == 0 &&
	    read_ranges(&r, &hours, r.periods.hours, r.periods.nhours) == 0 &&
	    read_latency(&r) == 0)
		out = answer(&r);
	for (i = 0; i < NTHINGS; i++)
		names_free(r.names[i]);
	usage_latency_fini(&r.latency);
	rollup_set_fini(&r.set);
	periods_free(&r.periods);
	return (out);
}
