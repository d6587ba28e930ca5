#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/grow.h"
#include "base/limits.h"
#include "ledger/id.h"
#include "pool/prune.h"
#include "store/store.h"

#include "query.h"
#include "verify.h"
#include "verify_internal.h"

/* A row may become visible so long after the time in its id. */
#define RECENT_MS	60000

/* How often all begins again if it cannot be told. */
#define TIMES		3

int
verify_differs(struct verifier *v, const char *table, const char *where,
    const char *sum, int64_t stored, int64_t expected)
{
	json_t *d;

	v->ndiffs++;
	if (v->quiet || json_array_size(v->shown) == VERIFY_SHOWN)
		return (0);
	d = json_pack("{s:s, s:o, s:s, s:I, s:I}", "table", table, "where",
	    query_text(where, strlen(where)), "sum", sum, "stored",
	    (json_int_t)stored, "expected", (json_int_t)expected);
	if (d != NULL && json_array_append_new(v->shown, d) == 0)
		return (0);
	err_set(v->err, ERR_NOMEM, "no memory for an answer");
	return (-1);
}

/* ---- hours and days ---- */

/* When the next hour or day that there is something of begins, from ${ms} on:
 * 1, 0: there is none, -1. */
static int
next_start(struct verifier *v, int64_t ms, int64_t unit_ms, int64_t *start_ms)
{
	const struct store_value params[3] = {
		store_int(ms), store_int(ms), store_int(ledger_id_first(ms))
	};
	int64_t row[3], at;
	size_t i;
	int found = 0;

	if (store_one(v->st, STMT_VERIFY_NEXT, params, 3, row, 3, v->err) < 0)
		return (-1);
	if (row[2] != 0)
		row[2] = ledger_id_created_ms(row[2]);
	for (i = 0; i < 3; i++) {
		/* Days say nothing of which hours there are. */
		if (i == 1 && unit_ms < ROLLUP_DAY_MS)
			continue;
		at = row[i] - row[i] % unit_ms;
		if (row[i] != 0 && (!found || at < *start_ms)) {
			*start_ms = at;
			found = 1;
		}
	}
	return (found);
}

static int
each(struct verifier *v, int64_t unit_ms,
    int (*check)(struct verifier *, int64_t))
{
	int64_t start_ms = 0, next_ms = 1;
	int rc;

	while ((rc = next_start(v, next_ms, unit_ms, &start_ms)) == 1) {
		if (check(v, start_ms) || (v->go_on != NULL &&
		    v->go_on(v->arg, v->err)))
			return (-1);
		next_ms = start_ms + unit_ms;
	}
	return (rc);
}

/* ---- keys ---- */

struct key_sums {
	int64_t sums[2][6];	/* stored, expected */
};

static int
take_key_sums(void *arg, const struct store_value *c, size_t ncols)
{
	struct key_sums *k = arg;
	int64_t *sums = k->sums[store_get_int(&c[0]) != 0];
	size_t i;

	(void)ncols;
	for (i = 0; i < 6; i++)
		sums[i] = store_get_int(&c[1 + i]);
	return (0);
}

static int
check_key(struct verifier *v, int64_t key_id)
{
	static const char *const names[6] = {
		"requests", "cost_nusd", "input_tokens", "output_tokens",
		"cache_read_tokens", "cache_write_tokens"
	};
	const struct store_value ids[2] = {
		store_int(key_id), store_int(key_id)
	};
	struct key_sums k = { 0 };
	char where[32];
	size_t i;

	v->keys++;
	if (store_query(v->st, STMT_VERIFY_KEY, ids, 2, take_key_sums, &k,
	    v->err) < 0)
		return (-1);
	for (i = 0; i < 6; i++) {
		if (k.sums[0][i] == k.sums[1][i])
			continue;
		(void)snprintf(where, sizeof(where), "key #%lld",
		    (long long)key_id);
		if (verify_differs(v, "key_usage", where, names[i],
		    k.sums[0][i], k.sums[1][i]))
			return (-1);
	}
	return (0);
}

struct ids {
	int64_t *list;
	size_t n, cap;
	struct err *err;
};

static int
take_id(void *arg, const struct store_value *c, size_t ncols)
{
	struct ids *ids = arg;
	int64_t *list;

	(void)ncols;
	list = grow_list(ids->list, ids->n, &ids->cap, sizeof(*list));
	if (list == NULL) {
		err_set(ids->err, ERR_NOMEM, "no memory for keys");
		return (-1);
	}
	ids->list = list;
	list[ids->n++] = store_get_int(&c[0]);
	return (0);
}

static int
check_keys(struct verifier *v)
{
	struct ids ids = { .err = v->err };
	size_t i;
	int rc = -1;

	if (store_query(v->st, STMT_VERIFY_KEYS, NULL, 0, take_id, &ids,
	    v->err) < 0)
		goto done;
	for (i = 0; i < ids.n; i++) {
		if (check_key(v, ids.list[i]))
			goto done;
	}
	rc = 0;
done:
	free(ids.list);
	return (rc);
}

/* ---- the whole ---- */

static int
begin(struct verifier *v, struct prune_state *state)
{

	v->now_ms = store_now_ms(v->st);
	v->recent_id = ledger_id_first(v->now_ms - RECENT_MS);
	v->rows = v->attempts = v->hours = v->days = v->keys = 0;
	v->windows = v->ndiffs = 0;
	held_sums_reset(v);
	json_array_clear(v->shown);
	if (prune_read(v->st, state, v->err))
		return (-1);
	v->cut_ms = state->cut_ms;
	return (held_sums_budgets(v));
}

/* Budgets: 0; 1: it cannot be told, as rows were deleted meanwhile; -1. */
static int
check_budgets(struct verifier *v, const struct prune_state *before)
{
	struct prune_state after;
	int rc = -1;

	if (store_begin(v->st, false, v->err))
		return (-1);
	if (prune_read(v->st, &after, v->err) == 0)
		rc = after.rows != before->rows ||
		    after.cut_ms != before->cut_ms ? 1 : verify_windows(v);
	store_rollback(v->st);
	return (rc);
}

/* 0; 1: begin again; -1. */
static int
run(struct verifier *v, bool last)
{
	struct prune_state before;
	int64_t ndiffs;
	int rc;

	if (begin(v, &before) || each(v, ROLLUP_HOUR_MS, verify_hour) ||
	    each(v, ROLLUP_DAY_MS, verify_day) || check_keys(v))
		return (-1);
	ndiffs = v->ndiffs;
	rc = check_budgets(v, &before);
	if (rc == 1 && last) {
		err_set(v->err, ERR_STORE_BUSY, "rows of the ledger are being "
		    "deleted (retention): verify again when that is done");
		return (-1);
	}
	/* A row may have come later than all others of its time. */
	if (rc == 0 && !last && v->ndiffs > ndiffs)
		rc = 1;
	return (rc);
}

static json_t *
answer(struct verifier *v)
{
	json_t *out;

	out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:O}",
	    "rows", (json_int_t)v->rows, "attempts", (json_int_t)v->attempts,
	    "hours", (json_int_t)v->hours, "days", (json_int_t)v->days,
	    "keys", (json_int_t)v->keys, "windows", (json_int_t)v->windows,
	    "cut_ms", v->cut_ms == 0 ? json_null() : json_integer(v->cut_ms),
	    "differences", (json_int_t)v->ndiffs, "shown", v->shown);
	if (out == NULL)
		err_set(v->err, ERR_NOMEM, "no memory for an answer");
	return (out);
}

json_t *
verify_ledger(struct store *st, struct err *err)
{

	return (verify_ledger_with(st, NULL, NULL, err));
}

json_t *
verify_ledger_with(struct store *st,
    int (*go_on)(void *arg, struct err *err), void *arg, struct err *err)
{
	struct verifier v = {
		.st = st, .go_on = go_on, .arg = arg, .err = err
	};
	json_t *out = NULL;
	int i, rc = 1;

	arena_init(&v.row, LIMIT_BATCH_BYTES);
	if ((v.shown = json_array()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		return (NULL);
	}
	rollup_set_init(&v.made);
	rollup_set_init(&v.stored);
	for (i = 1; i <= TIMES && rc == 1; i++)
		rc = run(&v, i == TIMES);
	if (rc == 0)
		out = answer(&v);
	rollup_set_fini(&v.made);
	rollup_set_fini(&v.stored);
	held_sums_fini(&v);
	json_decref(v.shown);
	return (out);
}
