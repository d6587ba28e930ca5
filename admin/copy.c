#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "copy.h"

/* Rows of the ledger that are read at once. */
#define PAGE_ROWS	1000

/* A responder that beat so long ago is gone, or soon will be. */
#define ALIVE_MS	10000

#define STMTS(n, N) \
	.name = #n, .read = STMT_COPY_READ_##N, .put = STMT_COPY_PUT_##N, \
	    .clear = STMT_COPY_CLEAR_##N
#define TABLE(n, N)	{ STMTS(n, N) }
#define PAGED(n, N)	{ STMTS(n, N), .paged = true }
#define NUMBERED(n, N) \
	{ STMTS(n, N), .numbered = true, .take = STMT_COPY_TAKE_##N, \
	    .drop = STMT_COPY_DROP_##N }

static const struct table {
	const char *name;
	enum stmt_id read, put, clear;
	bool paged;		/* read by ranges of ledger ids */
	bool numbered;		/* the store makes its ids */
	enum stmt_id take, drop;	/* .numbered: a row of an id */
} tables[] = {
	NUMBERED(account_group, ACCOUNT_GROUP),
	NUMBERED(person, PERSON),
	TABLE(recovery_code, RECOVERY_CODE),
	NUMBERED(account, ACCOUNT),
	TABLE(model_alias, MODEL_ALIAS),
	TABLE(slot, SLOT),
	TABLE(cooldown, COOLDOWN),
	TABLE(account_oauth, ACCOUNT_OAUTH),
	TABLE(account_health, ACCOUNT_HEALTH),
	TABLE(account_probe, ACCOUNT_PROBE),
	TABLE(job, JOB),
	NUMBERED(api_key, API_KEY),
	TABLE(key_secret, KEY_SECRET),
	TABLE(key_usage, KEY_USAGE),
	TABLE(usage_hour, USAGE_HOUR),
	TABLE(usage_day, USAGE_DAY),
	TABLE(latency_hour, LATENCY_HOUR),
	TABLE(latency_day, LATENCY_DAY),
	NUMBERED(budget, BUDGET),
	TABLE(budget_window, BUDGET_WINDOW),
	NUMBERED(price, PRICE),
	NUMBERED(admin_token, ADMIN_TOKEN),
	NUMBERED(audit, AUDIT),
	NUMBERED(notify_target, NOTIFY_TARGET),
	NUMBERED(notify_event, NOTIFY_EVENT),
	TABLE(notify_delivery, NOTIFY_DELIVERY),
	TABLE(notify_spool, NOTIFY_SPOOL),
	NUMBERED(responder, RESPONDER),
	TABLE(ticket, TICKET),
	TABLE(affinity, AFFINITY),
	NUMBERED(object, OBJECT),
	PAGED(ledger, LEDGER),
	PAGED(attempt, ATTEMPT),
	TABLE(meta, META),	/* last: with it, it is an installation */
};
_Static_assert(sizeof(tables) / sizeof(tables[0]) == COPY_TABLES,
    "one sum for each table");

/* What goes with a copy of an installation before its tables do: it refers to
 * them, and is not copied. */
static const enum stmt_id others[] = {
	STMT_COPY_CLEAR_SIGN_IN, STMT_COPY_CLEAR_SIGN_IN_TRY,
	STMT_COPY_CLEAR_INVITATION, STMT_COPY_CLEAR_OAUTH_START,
};

/* From where to where, and how. */
struct copy {
	struct store *from;
	struct store *to;		/* NULL: sums alone */
	bool at_once;			/* in one transaction of ${to} */
	copy_go_on *go_on;		/* may be NULL */
	void *arg;
	int64_t rows;
};

struct copying {
	const struct table *table;
	const struct copy *copy;
	struct copy_sum *sum;
	struct err *err;
	struct copy_rows rows;
};

/* ---- rows ---- */

/* In a transaction of its own, if it is not in one already. */
static int
put_rows(struct store *to, bool at_once, enum stmt_id id,
    const struct store_value *rows, size_t nrows, struct err *err)
{
	int rc;

	if (!at_once && store_begin(to, true, err))
		return (-1);
	rc = store_exec(to, id, rows, nrows, stmts[id].nparams, NULL, err);
	return (at_once ? rc : store_end(to, rc, err));
}

static int
flush(struct copying *c)
{
	int rc;

	if (c->rows.nrows == 0)
		return (0);
	rc = put_rows(c->copy->to, c->copy->at_once, c->table->put,
	    c->rows.values, c->rows.nrows, c->err);
	copy_rows_forget(&c->rows);
	return (rc);
}

static int
take_row(void *arg, const struct store_value *cols, size_t ncols)
{
	struct copying *c = arg;

	copy_sum_add(c->sum, cols, ncols);
	if (c->copy->to == NULL)
		return (0);
	if (copy_rows_keep(&c->rows, cols, c->err))
		return (-1);
	return (c->rows.nrows == COPY_ROWS_MAX ? flush(c) : 0);
}

/* One table, or what of it belongs to ledger ids after ${ids}[0] up to
 * ${ids}[1]. */
static int
pass(struct copy *copy, const struct table *t, const struct store_value *ids,
    struct copy_sum *sum, struct err *err)
{
	struct copying c = {
		.table = t, .copy = copy, .sum = sum, .err = err
	};
	int64_t n;
	int rc = -1;

	if (copy_rows_init(&c.rows, stmts[t->put].nparams, err))
		return (-1);
	if ((n = store_query(copy->from, t->read, ids, t->paged ? 2 : 0,
	    take_row, &c, err)) >= 0)
		rc = copy->to == NULL ? 0 : flush(&c);
	copy_rows_fini(&c.rows);
	if (rc == -1)
		return (-1);
	copy->rows += n;
	return (copy->go_on == NULL ? 0 :
	    copy->go_on(copy->arg, copy->rows, err));
}

/* ---- ids ---- */

static int
take_last(void *arg, const struct store_value *cols, size_t ncols)
{
	int64_t *last = arg;
	size_t i;

	(void)ncols;
	for (i = 0; i < COPY_TABLES; i++) {
		if (strcmp(tables[i].name, store_get_text(&cols[0])) == 0)
			last[i] = store_get_int(&cols[1]);
	}
	return (0);
}

/*
 * The ledger names responders, accounts and keys that are gone since; none of
 * their ids may be given to another.  ${copy}->to is empty yet.
 */
static int
pass_ids(const struct copy *copy, struct err *err)
{
	int64_t last[COPY_TABLES] = { 0 };
	struct store_value id;
	size_t i;

	if (store_query(copy->from, STMT_COPY_LAST_IDS, NULL, 0, take_last,
	    last, err) < 0)
		return (-1);
	for (i = 0; i < COPY_TABLES; i++) {
		if (!tables[i].numbered || last[i] == 0)
			continue;
		id = store_int(last[i]);
		if (put_rows(copy->to, copy->at_once, tables[i].take, &id, 1,
		    err) || put_rows(copy->to, copy->at_once, tables[i].drop,
		    &id, 1, err))
			return (-1);
	}
	return (0);
}

/* ---- the whole ---- */

static int
take_id(void *arg, const struct store_value *cols, size_t ncols)
{

	(void)ncols;
	*(struct store_value *)arg = cols[0];
	return (1);
}

/* The next page of the ledger: 1; 0: there is none; -1. */
static int
next_page(struct store *from, struct store_value ids[2], struct err *err)
{
	struct store_value params[2] = { ids[1], store_int(PAGE_ROWS) };
	struct store_value last = store_null();

	if (store_query(from, STMT_COPY_LEDGER_PAGE, params, 2, take_id,
	    &last, err) < 0)
		return (-1);
	if (last.type == STORE_NULL)
		return (0);
	ids[0] = ids[1];
	ids[1] = store_int(last.i);
	return (1);
}

static int
pass_pages(struct copy *copy, struct copy_sum *sums, struct err *err)
{
	struct store_value ids[2] = { store_int(0), store_int(0) };
	size_t i;
	int rc;

	while ((rc = next_page(copy->from, ids, err)) == 1) {
		for (i = 0; i < COPY_TABLES; i++) {
			if (tables[i].paged && pass(copy, &tables[i], ids,
			    &sums[i], err))
				return (-1);
		}
	}
	return (rc);
}

/* All tables: those in pages when the first of them is reached. */
static int
pass_all(struct copy *copy, struct copy_sum *sums, struct err *err)
{
	bool paged = false;
	size_t i;

	for (i = 0; i < COPY_TABLES; i++)
		sums[i] = (struct copy_sum) { .table = tables[i].name };
	for (i = 0; i < COPY_TABLES; i++) {
		if (!tables[i].paged) {
			if (pass(copy, &tables[i], NULL, &sums[i], err))
				return (-1);
			continue;
		}
		if (!paged && pass_pages(copy, sums, err))
			return (-1);
		paged = true;
	}
	return (0);
}

/* What refers to others goes first. */
static int
clear(struct store *to, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (store_exec(to, others[i], NULL, 1, 0, NULL, err))
			return (-1);
	}
	for (i = COPY_TABLES; i-- > 0; ) {
		if (store_exec(to, tables[i].clear, NULL, 1, 0, NULL, err))
			return (-1);
	}
	return (0);
}

int
copy_running(struct store *st, int64_t *n, struct err *err)
{
	struct store_value since = store_int(store_now_ms(st) - ALIVE_MS);

	*n = 0;
	return (store_one(st, STMT_COPY_RUNNING, &since, 1, n, 1, err) == -1 ?
	    -1 : 0);
}

static int
check_stopped(struct store *from, struct err *err)
{
	int64_t n;

	if (copy_running(from, &n, err))
		return (-1);
	if (n == 0)
		return (0);
	err_set(err, ERR_EXISTS, "%lld responders run on the store that is to "
	    "be copied: stop them first, and wait %d s", (long long)n,
	    ALIVE_MS / 1000);
	return (-1);
}

static int
see_row(void *arg, const struct store_value *cols, size_t ncols)
{

	(void)arg;
	(void)cols;
	(void)ncols;
	return (1);
}

static int
check_empty(struct store *to, struct err *err)
{
	const struct store_value all[2] = {
		store_int(INT64_MIN), store_int(INT64_MAX)
	};
	int64_t found;
	size_t i;

	for (i = 0; i < COPY_TABLES; i++) {
		found = store_query(to, tables[i].read, all,
		    tables[i].paged ? 2 : 0, see_row, NULL, err);
		if (found < 0)
			return (-1);
		if (found == 0)
			continue;
		err_set(err, ERR_EXISTS, "the store that is to be copied to "
		    "has rows in %s already; name an empty one",
		    tables[i].name);
		return (-1);
	}
	return (0);
}

static int
compare(const struct copy_sum *from, const struct copy_sum *to,
    struct err *err)
{
	size_t i;

	for (i = 0; i < COPY_TABLES; i++) {
		if (copy_sum_compare(&from[i], &to[i], err))
			return (-1);
	}
	return (0);
}

/* ${to} against what went there. */
static int
look_again(const struct copy *copy, const struct copy_sum *sums,
    struct err *err)
{
	struct copy again = {
		.from = copy->to, .go_on = copy->go_on, .arg = copy->arg,
		.rows = copy->rows
	};
	struct copy_sum made[COPY_TABLES];

	if (pass_all(&again, made, err))
		return (-1);
	return (compare(sums, made, err));
}

static int
copy_all(struct copy *copy, struct copy_sum *sums, struct err *err)
{
	int rc;

	if (store_begin(copy->from, false, err))
		return (-1);
	if ((rc = pass_ids(copy, err)) == 0)
		rc = pass_all(copy, sums, err);
	store_rollback(copy->from);
	return (rc == 0 ? look_again(copy, sums, err) : -1);
}

int
copy_snapshot(struct store *from, struct store *to, copy_go_on *go_on,
    void *arg, struct copy_sum sums[COPY_TABLES], struct err *err)
{
	struct copy copy = {
		.from = from, .to = to, .go_on = go_on, .arg = arg
	};

	if (check_empty(to, err))
		return (-1);
	return (copy_all(&copy, sums, err));
}

int
copy_store(struct store *from, struct store *to,
    struct copy_sum sums[COPY_TABLES], struct err *err)
{

	if (check_stopped(from, err))
		return (-1);
	return (copy_snapshot(from, to, NULL, NULL, sums, err));
}

int
copy_over(struct store *from, struct store *to, copy_go_on *go_on, void *arg,
    struct copy_sum sums[COPY_TABLES], struct err *err)
{
	struct copy copy = {
		.from = from, .to = to, .at_once = true, .go_on = go_on,
		.arg = arg
	};
	int rc;

	if (store_begin(to, true, err))
		return (-1);
	if ((rc = clear(to, err)) == 0)
		rc = copy_all(&copy, sums, err);
	return (store_end(to, rc, err));
}
