#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "names.h"
#include "provider_report.h"
#include "query.h"

#include "reconcile.h"

/* What the provider bills for a web search: $10 for 1,000.
 * Source: platform.claude.com/docs/en/about-claude/pricing */
#define SEARCH_NUSD	INT64_C(10000000)

/* Tolerances are in thousandths of a percent. */
#define TOLERANCE_WHOLE	100000

/* What is compared. */
static const struct {
	enum rollup_sum sum;
	bool tokens;		/* by reports of usage; else of cost */
} compared[] = {
	{ ROLLUP_INPUT_TOKENS, true },
	{ ROLLUP_OUTPUT_TOKENS, true },
	{ ROLLUP_CACHE_READ_TOKENS, true },
	{ ROLLUP_CACHE_WRITE_5M_TOKENS, true },
	{ ROLLUP_CACHE_WRITE_1H_TOKENS, true },
	{ ROLLUP_WEB_SEARCHES, true },
	{ ROLLUP_COST_NUSD, false },
};
#define NCOMPARED	(sizeof(compared) / sizeof(compared[0]))

struct reconciling {
	struct store *st;
	const struct provider_report *r;
	const struct reconcile_query *q;
	int64_t account_id, group_id;	/* -1: all */
	bool tools_apart;	/* what tools cost stands under no model */
	struct rollup_set ours, theirs;
	json_t *rows;
	int64_t off;
	struct err *err;
};

/* ---- what the ledger has ---- */

/* Tools are billed apart from models in reports of cost. */
static int
split_tools(struct reconciling *rc, struct rollup *row)
{
	struct rollup tools = { .key = { .start_ms = row->key.start_ms } };
	int64_t *cost = &row->sums[ROLLUP_COST_NUSD], nusd;

	nusd = num_mul_sat(row->sums[ROLLUP_WEB_SEARCHES], SEARCH_NUSD);
	if (nusd > *cost)
		nusd = *cost;
	if (nusd <= 0)
		return (0);
	*cost -= nusd;
	tools.sums[ROLLUP_COST_NUSD] = nusd;
	return (rollup_set_add(&rc->ours, &tools, 1, rc->err));
}

static int
take_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct reconciling *rc = arg;
	struct rollup row;
	char model[PROVIDER_MODEL_SIZE];

	(void)ncols;
	rollup_read(c, &row);
	if ((rc->account_id != -1 && row.key.account_id != rc->account_id) ||
	    (rc->group_id != -1 && row.key.group_id != rc->group_id))
		return (0);
	row.key.key_id = row.key.account_id = 0;
	row.key.group_id = row.key.person_id = 0;
	provider_model(rc->r->has_models ? row.key.model : "", model);
	memset(row.key.model, 0, sizeof(row.key.model));
	memcpy(row.key.model, model, strlen(model));
	if (rc->r->merged_writes) {
		row.sums[ROLLUP_CACHE_WRITE_5M_TOKENS] +=
		    row.sums[ROLLUP_CACHE_WRITE_1H_TOKENS];
		row.sums[ROLLUP_CACHE_WRITE_1H_TOKENS] = 0;
	}
	if (rc->tools_apart && split_tools(rc, &row))
		return (-1);
	return (rollup_set_add(&rc->ours, &row, 1, rc->err));
}

/* Do rows of the report have a cost under no model, beside those with one? */
static bool
tools_apart(const struct provider_report *r)
{
	const struct rollup *row;

	for (row = r->rows.list; row < r->rows.list + r->rows.n; row++) {
		if (row->key.model[0] == '\0' && r->has_models &&
		    row->sums[ROLLUP_COST_NUSD] != 0)
			return (true);
	}
	return (false);
}

static int
find(struct reconciling *rc, enum names_of of, const char *what,
    const char *name, int64_t *id)
{
	struct names *names;
	int found;

	*id = -1;
	if (name == NULL)
		return (0);
	if ((names = names_read(rc->st, of, rc->err)) == NULL)
		return (-1);
	found = names_find(names, name, id);
	names_free(names);
	if (found != 0)
		err_set(rc->err, ERR_NOT_FOUND, "there is no %s \"%s\"", what,
		    name);
	return (found);
}

/* A day at a time: no statement reads for long. */
static int
read_ours(struct reconciling *rc, int64_t from_ms, int64_t to_ms)
{
	struct store_value v[2];

	for (; from_ms < to_ms; from_ms += ROLLUP_DAY_MS) {
		v[0] = store_int(from_ms);
		v[1] = store_int(from_ms + ROLLUP_DAY_MS);
		if (store_query(rc->st, STMT_USAGE_DAY_READ, v, 2, take_row,
		    rc, rc->err) < 0)
			return (-1);
	}
	return (0);
}

static int
copy_theirs(struct reconciling *rc, int64_t from_ms, int64_t to_ms)
{
	const struct rollup *row;

	for (row = rc->r->rows.list; row < rc->r->rows.list + rc->r->rows.n;
	    row++) {
		if (row->key.start_ms >= from_ms &&
		    row->key.start_ms < to_ms &&
		    rollup_set_add(&rc->theirs, row, 1, rc->err))
			return (-1);
	}
	return (0);
}

/* ---- comparing ---- */

static bool
beyond(int64_t theirs, int64_t ours, int64_t rounding, int64_t tolerance)
{
	int64_t gap = theirs > ours ? theirs - ours : ours - theirs;

	if (gap <= rounding)
		return (false);
	gap -= rounding;
	/* gap / theirs > tolerance / TOLERANCE_WHOLE, in integers */
	return (theirs <= 0 || gap > theirs / TOLERANCE_WHOLE * tolerance +
	    theirs % TOLERANCE_WHOLE * tolerance / TOLERANCE_WHOLE);
}

static bool
is_off(const struct reconciling *rc, const int64_t *theirs,
    const int64_t *ours)
{
	int64_t tokens[2] = { 0, 0 };
	size_t i;

	for (i = 0; i < NCOMPARED; i++) {
		if (!compared[i].tokens ||
		    compared[i].sum == ROLLUP_WEB_SEARCHES)
			continue;
		tokens[0] += theirs[compared[i].sum];
		tokens[1] += ours[compared[i].sum];
	}
	if (rc->r->has_tokens && beyond(tokens[0], tokens[1], 0,
	    rc->q->tolerance))
		return (true);
	return (rc->r->has_cost && beyond(theirs[ROLLUP_COST_NUSD],
	    ours[ROLLUP_COST_NUSD], num_mul_sat(rc->r->line_error_nusd,
	    theirs[ROLLUP_REQUESTS]), rc->q->tolerance));
}

static json_t *
sums_json(const struct reconciling *rc, const int64_t *plus,
    const int64_t *minus)
{
	json_t *out = json_object();
	enum rollup_sum s;
	size_t i;

	for (i = 0; i < NCOMPARED && out != NULL; i++) {
		s = compared[i].sum;
		if (compared[i].tokens ? !rc->r->has_tokens :
		    !rc->r->has_cost)
			continue;
		if (json_object_set_new(out, rollup_names[s], json_integer(
		    minus == NULL ? plus[s] : plus[s] - minus[s]))) {
			json_decref(out);
			out = NULL;
		}
	}
	return (out);
}

static json_t *
ours_json(const struct reconciling *rc, const int64_t *ours)
{
	json_t *out = sums_json(rc, ours, NULL);

	if (out != NULL && json_object_set_new(out, "requests",
	    json_integer(ours[ROLLUP_REQUESTS])) == 0 &&
	    json_object_set_new(out, "estimated",
	    json_integer(ours[ROLLUP_ESTIMATED])) == 0 &&
	    json_object_set_new(out, "unpriced",
	    json_integer(ours[ROLLUP_UNPRICED])) == 0)
		return (out);
	json_decref(out);
	return (NULL);
}

static json_t *
compare_sums(struct reconciling *rc, const int64_t *theirs,
    const int64_t *ours)
{

	return (json_pack("{s:b, s:o, s:o, s:o}",
	    "off", is_off(rc, theirs, ours),
	    "provider", sums_json(rc, theirs, NULL),
	    "ledger", ours_json(rc, ours),
	    "gap", sums_json(rc, theirs, ours)));
}

static int
compare_row(struct reconciling *rc, const struct rollup *theirs,
    const struct rollup *ours)
{
	static const int64_t none[ROLLUP_NSUMS];
	const struct rollup_key *k = theirs != NULL ? &theirs->key :
	    &ours->key;
	char day[CLOCK_RFC3339_SIZE];
	json_t *row;

	clock_rfc3339(k->start_ms, day);
	day[10] = '\0';
	row = compare_sums(rc, theirs != NULL ? theirs->sums : none,
	    ours != NULL ? ours->sums : none);
	if (row == NULL || json_object_set_new(row, "day", json_string(day)) ||
	    json_object_set_new(row, "model", k->model[0] == '\0' ?
	    json_null() : query_text(k->model, strlen(k->model))) ||
	    json_array_append(rc->rows, row)) {
		json_decref(row);
		err_set(rc->err, ERR_NOMEM, "no memory for an answer");
		return (-1);
	}
	rc->off += json_is_true(json_object_get(row, "off"));
	json_decref(row);
	return (0);
}

/* Did anything happen that either would report? */
static bool
is_empty(const struct reconciling *rc, const int64_t *sums)
{
	size_t i;

	for (i = 0; i < NCOMPARED; i++) {
		if (sums[compared[i].sum] != 0 && (compared[i].tokens ?
		    rc->r->has_tokens : rc->r->has_cost))
			return (false);
	}
	return (true);
}

static int
compare_all(struct reconciling *rc)
{
	struct rollup_set *t = &rc->theirs, *o = &rc->ours;
	size_t i = 0, j = 0;
	int c;

	rollup_set_sort(t);
	rollup_set_sort(o);
	while (i < t->n || j < o->n) {
		c = i == t->n ? 1 : j == o->n ? -1 :
		    rollup_cmp(&t->list[i].key, &o->list[j].key);
		if (((c <= 0 && !is_empty(rc, t->list[i].sums)) ||
		    (c >= 0 && !is_empty(rc, o->list[j].sums))) &&
		    compare_row(rc, c <= 0 ? &t->list[i] : NULL,
		    c >= 0 ? &o->list[j] : NULL))
			return (-1);
		i += c <= 0;
		j += c >= 0;
	}
	return (0);
}

static void
sum_up(const struct rollup_set *s, int64_t *sums)
{
	const struct rollup *row;
	size_t i;

	memset(sums, 0, ROLLUP_NSUMS * sizeof(*sums));
	for (row = s->list; row < s->list + s->n; row++) {
		for (i = 0; i < ROLLUP_NSUMS; i++)
			(void)__builtin_add_overflow(sums[i], row->sums[i],
			    &sums[i]);
	}
}

static json_t *
answer(struct reconciling *rc, int64_t from_ms, int64_t to_ms)
{
	int64_t theirs[ROLLUP_NSUMS], ours[ROLLUP_NSUMS];
	json_t *out;

	sum_up(&rc->theirs, theirs);
	sum_up(&rc->ours, ours);
	out = json_pack("{s:I, s:I, s:b, s:b, s:b, s:I, s:O, s:o}",
	    "from_ms", (json_int_t)from_ms, "to_ms", (json_int_t)to_ms,
	    "tokens", rc->r->has_tokens, "cost", rc->r->has_cost,
	    "incomplete", rc->r->incomplete, "off", (json_int_t)rc->off,
	    "rows", rc->rows, "total", compare_sums(rc, theirs, ours));
	if (out == NULL)
		err_set(rc->err, ERR_NOMEM, "no memory for an answer");
	return (out);
}

json_t *
reconcile(struct store *st, const struct provider_report *r,
    const struct reconcile_query *q, struct err *err)
{
	struct reconciling rc = { .st = st, .r = r, .q = q, .err = err };
	int64_t from_ms = q->from_ms != 0 ? q->from_ms : r->from_ms;
	int64_t to_ms = q->to_ms != 0 ? q->to_ms : r->to_ms;
	json_t *out = NULL;

	if (to_ms - from_ms > RECONCILE_DAYS_MAX * ROLLUP_DAY_MS) {
		err_set(err, ERR_INVAL, "these are more than %d days, of which "
		    "each is looked at", RECONCILE_DAYS_MAX);
		return (NULL);
	}
	if ((rc.rows = json_array()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		return (NULL);
	}
	rollup_set_init(&rc.ours);
	rollup_set_init(&rc.theirs);
	rc.tools_apart = tools_apart(r);
	if (find(&rc, NAMES_OF_ACCOUNTS, "account", q->account,
	    &rc.account_id) == 0 &&
	    find(&rc, NAMES_OF_GROUPS, "group", q->group, &rc.group_id) == 0 &&
	    read_ours(&rc, from_ms, to_ms) == 0 &&
	    copy_theirs(&rc, from_ms, to_ms) == 0 && compare_all(&rc) == 0)
		out = answer(&rc, from_ms, to_ms);
	rollup_set_fini(&rc.ours);
	rollup_set_fini(&rc.theirs);
	json_decref(rc.rows);
	return (out);
}
