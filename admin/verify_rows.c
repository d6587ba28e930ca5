#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "verify_internal.h"

/* Rows of the ledger that are read in one transaction: a few milliseconds. */
#define PAGE_ROWS	1000

/* ledger.state, ledger.flags */
#define STATE_OPEN	0
#define STATE_REAPED	2
#define STATE_VOID	4
#define FLAG_BOUNDED	4

/* A row of the ledger, and what its attempts come to. */
struct seen {
	int64_t id;
	int64_t state, flags, attempts;
	int64_t input_tokens, output_tokens, nusd;	/* -1: unpriced */
	int64_t tries, open, estimated;
	int64_t sum_input, sum_output, sum_nusd;
};

struct page {
	struct verifier *v;
	size_t n, at;		/* of the attempts that come */
	struct seen rows[PAGE_ROWS];
};

/* ---- a page ---- */

static enum usage_mark
mark_of(const struct store_value *v)
{
	int64_t mark = store_get_int(v);

	return (mark < USAGE_NONE || mark > USAGE_ESTIMATED ? USAGE_NONE :
	    (enum usage_mark)mark);
}

static int64_t
or_less(const struct store_value *v)
{

	return (v->type == STORE_NULL ? -1 : store_get_int(v));
}

static int
add_to_hour(struct verifier *v, const struct store_value *c)
{
	const struct rollup_row row = {
		.ledger_id = store_get_int(&c[0]),
		.key_id = store_get_int(&c[2]),
		.account_id = store_get_int(&c[3]),
		.group_id = store_get_int(&c[4]),
		.person_id = store_get_int(&c[5]),
		.model = store_get_text(&c[6]),
		.outcome = store_get_text(&c[7]),
		.mark = mark_of(&c[8]),
		.usage = {
			.input_tokens = store_get_int(&c[9]),
			.output_tokens = store_get_int(&c[10]),
			.cache_read_tokens = store_get_int(&c[11]),
			.cache_write_5m_tokens = store_get_int(&c[12]),
			.cache_write_1h_tokens = store_get_int(&c[13]),
			.web_searches = store_get_int(&c[14]),
		},
		.nusd = or_less(&c[15]),
		.overrun_nusd = store_get_int(&c[16]),
		.queue_ms = store_get_int(&c[17]),
		.total_ms = store_get_int(&c[18]),
		.first_byte_ms = or_less(&c[19]),
	};
	struct rollup r;

	rollup_of(&row, &r);
	return (rollup_set_add(&v->made, &r, 1, v->err));
}

static int
take_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct page *p = arg;
	struct seen *s = &p->rows[p->n++];

	(void)ncols;
	*s = (struct seen) {
		.id = store_get_int(&c[0]),
		.state = store_get_int(&c[1]),
		.input_tokens = store_get_int(&c[9]),
		.output_tokens = store_get_int(&c[10]),
		.nusd = or_less(&c[15]),
		.attempts = store_get_int(&c[20]),
		.flags = store_get_int(&c[21]),
	};
	if (s->state != STATE_OPEN && s->state != STATE_VOID &&
	    add_to_hour(p->v, c))
		return (-1);
	/* An hour that is read again has added what its rows hold. */
	if (p->v->final)
		return (0);
	return (held_sums_row(p->v, s->id, s->state,
	    store_get_text(&c[22])));
}

/* ledger_id, outcome, mark, input, output, cost; in the order of the rows */
static int
take_attempt(void *arg, const struct store_value *c, size_t ncols)
{
	struct page *p = arg;
	struct seen *s;
	int64_t id = store_get_int(&c[0]);

	(void)ncols;
	while (p->at < p->n && p->rows[p->at].id < id)
		p->at++;
	if (p->at == p->n || p->rows[p->at].id != id)
		return (verify_differs(p->v, "attempt",
		    "of a request that is not there", "ledger_id", id, 0));
	s = &p->rows[p->at];
	p->v->attempts++;
	if (strcmp(store_get_text(&c[1]), "void") == 0)
		return (0);
	s->tries++;
	s->open += c[1].type == STORE_NULL;
	if (store_get_int(&c[2]) == USAGE_ESTIMATED) {
		s->estimated++;
		return (0);
	}
	s->sum_input += store_get_int(&c[3]);
	s->sum_output += store_get_int(&c[4]);
	s->sum_nusd += store_get_int(&c[5]);
	return (0);
}

/* ---- a row and its attempts ---- */

/* One that was given up as lost is charged at its reserve, whatever its
 * attempts say, until it is corrected. */
static int
check_row(struct verifier *v, const struct seen *s)
{
	bool known = s->state != STATE_REAPED && s->estimated == 0;
	const struct {
		const char *sum;
		int64_t stored, expected;
		bool applies;
	} checks[] = {
		{ "attempts", s->attempts, s->tries, true },
		{ "open attempts", s->open, 0, true },
		{ "input_tokens", s->input_tokens, s->sum_input, known },
		{ "output_tokens", s->output_tokens, s->sum_output, known },
		{ "cost_nusd", s->nusd, s->sum_nusd, s->nusd >= 0 &&
		    (s->flags & FLAG_BOUNDED) == 0 &&
		    (known || s->nusd < s->sum_nusd) },
	};
	char where[LEDGER_ID_SIZE];
	size_t i;

	if (s->state == STATE_OPEN || s->state == STATE_VOID)
		return (0);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!checks[i].applies ||
		    checks[i].stored == checks[i].expected)
			continue;
		ledger_id_format(s->id, where);
		if (verify_differs(v, "ledger", where, checks[i].sum,
		    checks[i].stored, checks[i].expected))
			return (-1);
	}
	return (0);
}

/* Rows from *${id} on, before ${end}; *${id} is where the next page begins, or
 * ${end}.  A second look (->final) is for the sums of the hour alone. */
static int
read_page(struct page *p, int64_t *id, int64_t end)
{
	struct verifier *v = p->v;
	struct store_value params[3] = {
		store_int(*id), store_int(end), store_int(PAGE_ROWS)
	};
	size_t i;

	p->n = p->at = 0;
	if (store_query(v->st, STMT_VERIFY_ROWS, params, 3, take_row, p,
	    v->err) < 0)
		return (-1);
	*id = p->n == PAGE_ROWS ? p->rows[p->n - 1].id + 1 : end;
	if (p->n == 0)
		return (0);
	if (v->final)
		return (0);
	params[0] = store_int(p->rows[0].id);
	params[1] = store_int(p->rows[p->n - 1].id);
	if (store_query(v->st, STMT_VERIFY_ATTEMPTS, params, 2, take_attempt,
	    p, v->err) < 0)
		return (-1);
	v->rows += (int64_t)p->n;
	for (i = 0; i < p->n; i++) {
		if (check_row(v, &p->rows[i]))
			return (-1);
	}
	return (0);
}

/* ---- sums ---- */

void
verify_time(int64_t ms, char out[VERIFY_TIME_SIZE])
{
	char rfc[CLOCK_RFC3339_SIZE];

	clock_rfc3339(ms, rfc);
	(void)snprintf(out, VERIFY_TIME_SIZE, "%.16sZ", rfc);
}

/* The sums of one key that differ; either may be NULL. */
static int
compare_one(struct verifier *v, const char *table,
    const struct rollup *stored, const struct rollup *made)
{
	static const int64_t none[ROLLUP_NSUMS];
	const struct rollup_key *k = stored != NULL ? &stored->key :
	    &made->key;
	const int64_t *s = stored != NULL ? stored->sums : none;
	const int64_t *m = made != NULL ? made->sums : none;
	char where[320], at[VERIFY_TIME_SIZE];
	size_t i;

	for (i = 0; i < ROLLUP_NSUMS; i++) {
		if (s[i] == m[i])
			continue;
		verify_time(k->start_ms, at);
		(void)snprintf(where, sizeof(where), "%s key #%lld account "
		    "#%lld group #%lld user #%lld model %s", at,
		    (long long)k->key_id, (long long)k->account_id,
		    (long long)k->group_id, (long long)k->person_id,
		    k->model);
		if (verify_differs(v, table, where, rollup_names[i], s[i],
		    m[i]))
			return (-1);
	}
	return (0);
}

/* ->stored against ->made. */
static int
compare(struct verifier *v, const char *table)
{
	struct rollup_set *s = &v->stored, *m = &v->made;
	size_t i = 0, j = 0;
	int c;

	rollup_set_sort(s);
	rollup_set_sort(m);
	while (i < s->n || j < m->n) {
		c = i == s->n ? 1 : j == m->n ? -1 :
		    rollup_cmp(&s->list[i].key, &m->list[j].key);
		if (compare_one(v, table, c <= 0 ? &s->list[i] : NULL,
		    c >= 0 ? &m->list[j] : NULL))
			return (-1);
		i += c <= 0;
		j += c >= 0;
	}
	return (0);
}

struct reading {
	struct rollup_set *set;
	int64_t unit_ms;
	struct err *err;
};

static int
take_sums(void *arg, const struct store_value *c, size_t ncols)
{
	const struct reading *r = arg;
	struct rollup row;

	(void)ncols;
	rollup_read(c, &row);
	row.key.start_ms -= row.key.start_ms % r->unit_ms;
	return (rollup_set_add(r->set, &row, 1, r->err));
}

/* Rows of sums of ${length_ms} from ${start_ms} on, by ${unit_ms}. */
static int
read_sums(struct verifier *v, enum stmt_id id, int64_t start_ms,
    int64_t length_ms, int64_t unit_ms, struct rollup_set *set)
{
	const struct store_value params[2] = {
		store_int(start_ms), store_int(start_ms + length_ms)
	};
	struct reading r = { set, unit_ms, v->err };

	rollup_set_reset(set);
	return (store_query(v->st, id, params, 2, take_sums, &r, v->err) < 0 ?
	    -1 : 0);
}

/* ---- an hour ---- */

/* All pages; each in a transaction, or the whole is in one already. */
static int
read_hour(struct verifier *v, int64_t start_ms)
{
	int64_t id = ledger_id_first(start_ms);
	int64_t end = ledger_id_first(start_ms + ROLLUP_HOUR_MS);
	struct page *p;
	int rc = 0;

	if ((p = malloc(sizeof(*p))) == NULL) {
		err_set(v->err, ERR_NOMEM, "no memory for a page of rows");
		return (-1);
	}
	p->v = v;
	rollup_set_reset(&v->made);
	while (id < end && rc == 0) {
		if (!v->final && store_begin(v->st, false, v->err)) {
			rc = -1;
			break;
		}
		rc = read_page(p, &id, end);
		if (!v->final)
			store_rollback(v->st);
	}
	free(p);
	return (rc);
}

static int
compare_hour(struct verifier *v, int64_t start_ms)
{

	if (read_sums(v, STMT_USAGE_HOUR_READ, start_ms, ROLLUP_HOUR_MS,
	    ROLLUP_HOUR_MS, &v->stored))
		return (-1);
	return (compare(v, "usage_hour"));
}

/* In one transaction: nothing moves. */
static int
look_again(struct verifier *v, int64_t start_ms)
{
	int rc;

	if (store_begin(v->st, false, v->err))
		return (-1);
	v->final = true;
	rc = read_hour(v, start_ms);
	if (rc == 0)
		rc = compare_hour(v, start_ms);
	v->final = false;
	store_rollback(v->st);
	return (rc);
}

int
verify_hour(struct verifier *v, int64_t start_ms)
{
	int64_t before;
	int rc;

	if (read_hour(v, start_ms))
		return (-1);
	if (start_ms < v->cut_ms)
		return (0);
	v->hours++;
	before = v->ndiffs;
	v->quiet = true;
	rc = compare_hour(v, start_ms);
	v->quiet = false;
	if (rc != 0 || v->ndiffs == before)
		return (rc);
	v->ndiffs = before;
	return (look_again(v, start_ms));
}

/* ---- a day ---- */

int
verify_day(struct verifier *v, int64_t start_ms)
{
	int rc = -1;

	v->days++;
	if (store_begin(v->st, false, v->err))
		return (-1);
	if (read_sums(v, STMT_USAGE_HOUR_READ, start_ms, ROLLUP_DAY_MS,
	    ROLLUP_DAY_MS, &v->made) == 0 &&
	    read_sums(v, STMT_USAGE_DAY_READ, start_ms, ROLLUP_DAY_MS,
	    ROLLUP_DAY_MS, &v->stored) == 0)
		rc = compare(v, "usage_day");
	store_rollback(v->st);
	return (rc);
}
