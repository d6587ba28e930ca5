#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "ledger/id.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "requests_find.h"

/* Rows that are looked at in one go: a few to begin with, as often they are
 * enough; then twice as many each time, as long as the time that is left will
 * do.  Those of a key lie far from each other, and each may be read from the
 * disk. */
#define ROWS_FIRST	250
#define ROWS_MAX	2000
#define ROWS_MIN	50
#define ROWS_MAX_OF_KEY	200

/* A user's requests are found by the keys, unless they are more. */
#define KEYS_MAX	16

/* The sums of the last hours may not be there yet. */
#define FRESH_MS	(2 * ROLLUP_HOUR_MS)

struct search {
	struct store *st;
	const struct request_want *w;
	struct request_found *out;
	struct err *err;
	int64_t keys[KEYS_MAX];
	size_t nkeys;		/* 0: not by key */
	bool guided;		/* the sums tell where there is nothing */
	int64_t fresh_id;	/* not of rows from this one on */
	int64_t sure_id;	/* they told that there are some down to it */
	int64_t at;		/* older ones are to be looked at */
	int64_t rows;		/* in the next go */
	int64_t until_ms;	/* monotonic */
};

/* ---- what helps ---- */

struct taking {
	int64_t *list;
	size_t n, max;
};

static int
take_id(void *arg, const struct store_value *c, size_t ncols)
{
	struct taking *t = arg;

	(void)ncols;
	if (t->n < t->max)
		t->list[t->n] = store_get_int(&c[0]);
	t->n++;
	return (0);
}

static int
choose_keys(struct search *s)
{
	const struct request_want *w = s->w;
	const struct store_value v[3] = {
		store_int(w->person_id), store_int(w->person_id),
		store_int(KEYS_MAX + 1)
	};
	struct taking t = { .list = s->keys, .max = KEYS_MAX };

	if (w->key_id != 0) {
		s->keys[0] = w->key_id;
		s->nkeys = 1;
		return (0);
	}
	if (w->person_id == 0)
		return (0);
	if (store_query(s->st, STMT_REQUEST_KEYS_OF, v, 3, take_id, &t,
	    s->err) < 0)
		return (-1);
	s->nkeys = t.n > KEYS_MAX ? 0 : t.n;
	return (0);
}

static bool
is_failure(const char *outcome)
{

	return (*outcome != '\0' && strcmp(outcome, "ok") != 0 &&
	    strcmp(outcome, "client_gone") != 0);
}

/* Open rows are in no sums, and neither are they of those that came so late. */
static int
choose_guide(struct search *s)
{
	const struct request_want *w = s->w;
	int64_t open, fresh;

	s->guided = w->account_id != 0 || w->min_cost_nusd > 0 ||
	    is_failure(w->outcome) || (s->nkeys == 0 && w->person_id != 0);
	if (!s->guided)
		return (0);
	if (store_one(s->st, STMT_LEDGER_FIRST_OPEN, NULL, 0, &open, 1,
	    s->err) < 0)
		return (-1);
	fresh = ledger_id_first(store_now_ms(s->st) - FRESH_MS);
	s->fresh_id = open < fresh ? open : fresh;
	return (0);
}

/* ---- what can be left out ---- */

/* Of several keys the newest. */
static int
find_newest(struct search *s, int64_t *newest)
{
	struct store_value v[3] = { store_int(0), store_int(s->at),
		store_int(s->w->from_id) };
	int64_t id;
	size_t i;

	*newest = 0;
	if (s->nkeys == 0)
		return (store_one(s->st, STMT_REQUEST_NEWEST, v + 1, 2,
		    newest, 1, s->err) < 0 ? -1 : 0);
	for (i = 0; i < s->nkeys; i++) {
		v[0] = store_int(s->keys[i]);
		if (store_one(s->st, STMT_REQUEST_NEWEST_OF_KEY, v, 3, &id, 1,
		    s->err) < 0)
			return (-1);
		if (id > *newest)
			*newest = id;
	}
	return (0);
}

/* Does the day or hour that begins then have any?  1: yes; 0: no, and it was
 * gone past; -1. */
static int
has_any(struct search *s, enum stmt_id stmt, int64_t start_ms)
{
	const struct request_want *w = s->w;
	const struct store_value v[] = {
		store_int(w->key_id != 0 ? w->key_id : w->person_id),
		store_int(start_ms), store_int(w->account_id),
		store_int(w->account_id), store_int(is_failure(w->outcome)),
		store_int(w->min_cost_nusd > 0 ? w->min_cost_nusd :
		    INT64_MIN),
	};
	const size_t skip = w->key_id == 0 && w->person_id == 0;
	int64_t n;

	if (store_one(s->st, stmt, v + skip, sizeof(v) / sizeof(v[0]) - skip,
	    &n, 1, s->err) < 0)
		return (-1);
	if (n == 0)
		s->at = ledger_id_first(start_ms);
	return (n != 0);
}

static enum stmt_id
choose_day(const struct request_want *w)
{

	return (w->key_id != 0 ? STMT_USAGE_DAY_HAS_OF_KEY :
	    w->person_id != 0 ? STMT_USAGE_DAY_HAS_OF_PERSON :
	    STMT_USAGE_DAY_HAS);
}

static enum stmt_id
choose_hour(const struct request_want *w)
{

	return (w->person_id != 0 ? STMT_USAGE_HOUR_HAS_OF_PERSON :
	    STMT_USAGE_HOUR_HAS);
}

/* Go down to the next row, unless the day or hour that it is in has none.  Of
 * keys a day has few rows, which are looked at sooner than its hours.  1, 0: it
 * went past some; -1. */
static int
go_to_next(struct search *s)
{
	int64_t newest, ms, start_ms;
	int rc;

	if (find_newest(s, &newest))
		return (-1);
	if (newest == 0) {
		s->at = s->w->from_id;
		return (0);
	}
	s->at = newest + 1;
	ms = ledger_id_created_ms(newest);
	start_ms = ms - ms % ROLLUP_DAY_MS;
	rc = has_any(s, choose_day(s->w), start_ms);
	if (rc == 1 && s->nkeys == 0) {
		start_ms = ms - ms % ROLLUP_HOUR_MS;
		rc = has_any(s, choose_hour(s->w), start_ms);
	}
	if (rc == 1)
		s->sure_id = ledger_id_first(start_ms);
	return (rc);
}

/* Go past days and hours without any.  *${from} is how far rows can be looked
 * at then.  1, 0: it went past some; -1. */
static int
go_down(struct search *s, int64_t *from)
{
	int rc;

	*from = s->w->from_id;
	if (!s->guided || s->at > s->fresh_id)
		return (1);
	if (s->at <= s->sure_id && (rc = go_to_next(s)) != 1)
		return (rc);
	if (s->sure_id > *from)
		*from = s->sure_id;
	return (1);
}

/* ---- rows ---- */

/* The edge of the next rows, none older than ${from}; of several keys the
 * newest of their edges, so that all have been looked at down to it. */
static int
find_edge(struct search *s, int64_t from, int64_t *edge)
{
	struct store_value v[4] = { store_int(0), store_int(s->at),
		store_int(from), store_int(s->rows) };
	int64_t got[2];
	size_t i;

	*edge = from;
	if (s->nkeys == 0) {
		if (store_one(s->st, STMT_REQUEST_EDGE, v + 1, 3, got, 2,
		    s->err) < 0)
			return (-1);
		if (got[1] == s->rows)
			*edge = got[0];
		return (0);
	}
	v[3] = store_int(1 + s->rows / (int64_t)s->nkeys);
	for (i = 0; i < s->nkeys; i++) {
		v[0] = store_int(s->keys[i]);
		if (store_one(s->st, STMT_REQUEST_EDGE_OF_KEY, v, 4, got, 2,
		    s->err) < 0)
			return (-1);
		if (got[1] == v[3].i && got[0] > *edge)
			*edge = got[0];
	}
	return (0);
}

#define FILTERS	13

/* The parameters that the statements have in common. */
static void
put_filters(const struct search *s, int64_t edge,
    struct store_value v[FILTERS])
{
	const struct request_want *w = s->w;
	const char *outcome = strcmp(w->outcome, "open") == 0 ? "" :
	    w->outcome;

	v[0] = store_int(s->at);
	v[1] = store_int(edge);
	v[2] = v[3] = store_int(w->person_id);
	v[4] = v[5] = store_int(w->account_id);
	v[6] = v[7] = store_text(w->model);
	v[8] = v[9] = store_text(outcome);
	v[10] = v[11] = store_int(w->status);
	v[12] = store_int(w->min_cost_nusd);
}

static int
by_newest(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? 1 : -(x > y));
}

/* Those down to ${edge} that are asked for, by ${stmt}; ${key} comes before the
 * other parameters ${nkey} times. */
static int
find_by(struct search *s, enum stmt_id stmt, int64_t key, size_t nkey,
    int64_t edge, struct taking *t)
{
	struct store_value v[FILTERS + 4];
	struct taking one = {
		.list = t->list + t->n, .max = t->max - t->n,
	};
	size_t i;

	for (i = 0; i < nkey; i++)
		v[i] = store_int(key);
	put_filters(s, edge, v + nkey);
	v[nkey + FILTERS] = store_int(s->w->min_cost_nusd);
	v[nkey + FILTERS + 1] = store_int((int64_t)one.max);
	if (store_query(s->st, stmt, v, nkey + FILTERS + 2, take_id, &one,
	    s->err) < 0)
		return (-1);
	t->n += one.n;
	return (0);
}

/* Of several keys each finds as many as are wanted; the newest count. */
static int
find_rows(struct search *s, int64_t edge)
{
	struct request_found *out = s->out;
	const size_t left = (size_t)(s->w->limit - out->n);
	struct taking t = { .list = out->ids + out->n, .max = left };
	int64_t *all;
	size_t i;
	int rc = 0;

	if (s->nkeys <= 1) {
		rc = s->nkeys == 0 ?
		    find_by(s, STMT_REQUEST_FIND, 0, 0, edge, &t) :
		    find_by(s, STMT_REQUEST_FIND_OF_KEY, s->keys[0], 1, edge,
		    &t);
		out->n += (int64_t)t.n;
		return (rc);
	}
	if ((all = calloc(s->nkeys * left, sizeof(*all))) == NULL) {
		err_set(s->err, ERR_NOMEM, "no memory for requests");
		return (-1);
	}
	t.list = all;
	for (i = 0; i < s->nkeys && rc == 0; i++) {
		t.max = t.n + left;
		rc = find_by(s, STMT_REQUEST_FIND_OF_KEY, s->keys[i], 1, edge,
		    &t);
	}
	qsort(all, t.n, sizeof(*all), by_newest);
	if (t.n > left)
		t.n = left;
	if (rc == 0)
		memcpy(out->ids + out->n, all, t.n * sizeof(*all));
	out->n += rc == 0 ? (int64_t)t.n : 0;
	free(all);
	return (rc);
}

/* ---- the whole ---- */

static bool
is_over(const struct search *s)
{

	return (s->out->n == s->w->limit || s->at <= s->w->from_id ||
	    (s->w->patience_ms != 0 &&
	    clock_mono_ms(clock_system()) >= s->until_ms));
}

/* How many in the next go, as the last one began then. */
static void
choose_rows(struct search *s, int64_t begun_ms)
{
	const int64_t now = clock_mono_ms(clock_system());
	const int64_t took = now > begun_ms ? now - begun_ms : 1;
	const int64_t in_time = s->rows * (s->until_ms - now) / took;
	const int64_t max = s->nkeys == 0 ? ROWS_MAX : ROWS_MAX_OF_KEY;

	s->rows = s->rows * 2 < max ? s->rows * 2 : max;
	if (s->w->patience_ms != 0 && s->rows > in_time)
		s->rows = in_time > ROWS_MIN ? in_time : ROWS_MIN;
}

static int
look(struct search *s)
{
	int64_t from, edge, begun;
	int rc;

	s->rows = s->nkeys == 0 ? ROWS_FIRST : ROWS_MIN;
	do {
		if ((rc = go_down(s, &from)) < 0)
			return (-1);
		if (rc == 0)
			continue;
		begun = clock_mono_ms(clock_system());
		if (find_edge(s, from, &edge) || find_rows(s, edge))
			return (-1);
		s->at = edge;
		choose_rows(s, begun);
	} while (!is_over(s));
	if (s->out->n == s->w->limit)
		s->out->next_id = s->out->ids[s->out->n - 1];
	else if (s->at > s->w->from_id)
		s->out->next_id = s->at;
	return (0);
}

/* Those that are open have an index of their own, and are few. */
static int
look_at_open(struct search *s)
{
	struct taking t = { .list = s->out->ids, .max = (size_t)s->w->limit };

	if (find_by(s, STMT_REQUEST_FIND_OPEN, s->w->key_id, 2,
	    s->w->from_id, &t))
		return (-1);
	s->out->n = (int64_t)t.n;
	if (s->out->n == s->w->limit)
		s->out->next_id = s->out->ids[s->out->n - 1];
	return (0);
}

int
requests_find(struct store *st, const struct request_want *w,
    struct request_found *found, struct err *err)
{
	struct search s = {
		.st = st, .w = w, .out = found, .err = err,
		.at = w->below_id, .sure_id = INT64_MAX,
		.until_ms = clock_mono_ms(clock_system()) + w->patience_ms,
	};
	int rc;

	*found = (struct request_found) {
		.ids = calloc((size_t)w->limit, sizeof(*found->ids)),
	};
	if (found->ids == NULL) {
		err_set(err, ERR_NOMEM, "no memory for requests");
		return (-1);
	}
	if (strcmp(w->outcome, "open") == 0)
		rc = look_at_open(&s);
	else if (choose_keys(&s) || choose_guide(&s))
		rc = -1;
	else
		rc = look(&s);
	if (rc == 0)
		return (0);
	free(found->ids);
	found->ids = NULL;
	return (-1);
}
