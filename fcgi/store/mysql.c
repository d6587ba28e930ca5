#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/mysql_internal.h"

/* What is sent at once: servers take 16 MB and more, as they come
 * (max_allowed_packet); and what an integer takes of it. */
#define PACKET_BYTES	((size_t)4 * 1024 * 1024)
#define VALUE_BYTES	10

/*
 * Connections that write have autocommit off: a transaction begins with its
 * first statement, which saves a round trip.  What is read outside of a
 * transaction is followed by a rollback, so that no view of the past and no
 * lock on a table's definition stays behind.
 */

static void
my_close(struct store *st)
{
	struct my_store *s = (struct my_store *)st;

	my_conn_close(s);
	free(s->scratch.p);
	free(s);
}

static struct store *
my_open(const char *where, const struct store_options *opt, struct err *err)
{
	struct my_store *s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the store");
		return (NULL);
	}
	/* For what is run while connecting. */
	s->st.driver = &store_driver_mysql;
	if (mysql_url_parse(where, &s->url, err) == 0 &&
	    my_conn_open(s, opt, err) == 0)
		return (&s->st);
	my_close(&s->st);
	return (NULL);
}

static int
my_check(const char *where, struct err *err)
{
	struct mysql_url url;

	return (mysql_url_parse(where, &url, err));
}

static int
my_prepare(struct store *st, enum stmt_id id, struct err *err)
{

	struct my_stmt *m;

	if (my_stmt_is_text(id))
		return (0);
	if ((m = my_stmt_get((struct my_store *)st, id, err)) == NULL)
		return (-1);

	/* A server keeps so many in all (max_prepared_stmt_count); most are
	 * not for every program. */
	my_stmt_drop(m);
	return (0);
}

/* The transaction that a lone statement began. */
static void
end_lone(struct my_store *s)
{

	if (s->st.txn == STORE_TXN_NONE && !s->st.read_only && s->my != NULL &&
	    (s->my->server_status & SERVER_STATUS_IN_TRANS) != 0)
		(void)mysql_rollback(s->my);
}

static int
my_begin(struct store *st, bool write, struct err *err)
{
	struct my_store *s = (struct my_store *)st;

	if (my_conn_refresh(s, err))
		return (-1);
	if (write)
		return (0);
	if (my_conn_text(s, STMT_MYSQL_SNAPSHOT, err) ||
	    my_conn_text(s, STMT_BEGIN_READ, err))
		return (-1);
	return (0);
}

static void
my_rollback(struct store *st)
{
	struct my_store *s = (struct my_store *)st;

	/* If it cannot be told the server finds out by itself. */
	if (s->my != NULL)
		(void)mysql_rollback(s->my);
}

static int
my_commit(struct store *st, struct err *err)
{
	struct my_store *s = (struct my_store *)st;
	struct err why = { .code = ERR_NONE };
	unsigned int number;

	if (s->my != NULL && mysql_commit(s->my) == 0) {
		s->row_by_row = false;
		s->used_ms = clock_mono_ms(clock_system());
		return (0);
	}
	if (s->my == NULL) {
		err_set(err, ERR_STORE_DOWN, "there is no connection to the "
		    "database");
		return (-1);
	}
	number = mysql_errno(s->my);
	my_conn_fail(s, number, mysql_error(s->my), "commit", &why);
	err_set(err, my_conn_commit_code(number), "%s", why.text);
	my_rollback(st);
	return (-1);
}

/*
 * The server says how many rows changed in all.  If that does not tell what
 * each did, the transaction has to be run again, row by row.
 */
static int
run_bulk(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    const struct store_value *rows, size_t nrows, int64_t *changes,
    struct err *err)
{
	int64_t total;
	size_t i;

	if (my_bulk_run(s, m, id, rows, nrows, &total, err))
		return (-1);
	if (changes == NULL)
		return (0);
	for (i = 0; i < nrows; i++)
		changes[i] = total == 0 ? 0 : 1;
	if (total == 0 || total == (int64_t)nrows)
		return (0);
	s->row_by_row = true;
	err_set(err, ERR_STORE_BUSY, "%s found %jd of %zu rows; to be run "
	    "again row by row", stmts[id].name, (intmax_t)total, nrows);
	return (-1);
}

static int
run_rows(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    const struct store_value *rows, size_t nrows, int64_t *changes,
    struct err *err)
{
	size_t i;

	for (i = 0; i < nrows; i++) {
		if (my_stmt_run(s, m, id, rows + i * stmts[id].nparams, err))
			return (-1);
		if (changes != NULL)
			changes[i] =
			    (int64_t)mysql_stmt_affected_rows(m->stmt);
		if (m->ncols > 0)
			(void)mysql_stmt_free_result(m->stmt);
	}
	if (nrows == 1)
		s->insert_id = (int64_t)mysql_stmt_insert_id(m->stmt);
	return (0);
}

/* How many of these rows go in one packet; at least one. */
static size_t
packet_rows(const struct store_value *rows, size_t nrows, size_t nparams)
{
	const struct store_value *v = rows;
	size_t bytes = 0, i, k;

	for (i = 0; i < nrows; i++) {
		for (k = 0; k < nparams; k++, v++)
			bytes += VALUE_BYTES + (v->type == STORE_TEXT ||
			    v->type == STORE_BLOB ? v->n : 0);
		if (i > 0 && bytes > PACKET_BYTES)
			break;
	}
	return (i);
}

static int
my_exec(struct store *st, enum stmt_id id, const struct store_value *rows,
    size_t nrows, int64_t *changes, struct err *err)
{
	struct my_store *s = (struct my_store *)st;
	struct my_stmt *m;
	size_t n;
	int rc = 0;

	if ((m = my_stmt_get(s, id, err)) == NULL)
		return (-1);
	for (; nrows > 0 && rc == 0; nrows -= n) {
		n = packet_rows(rows, nrows, stmts[id].nparams);
		rc = (my_bulk_fits(s, id, rows, n) ? run_bulk : run_rows)(s,
		    m, id, rows, n, changes, err);
		rows += n * stmts[id].nparams;
		changes = changes == NULL ? NULL : changes + n;
	}
	end_lone(s);
	return (rc);
}

static int64_t
my_query(struct store *st, enum stmt_id id, const struct store_value *params,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	struct my_store *s = (struct my_store *)st;
	int64_t nrows = -1;
	struct my_stmt *m;

	if (st->txn == STORE_TXN_NONE && my_conn_refresh(s, err))
		return (-1);
	if ((m = my_stmt_get(s, id, err)) == NULL)
		return (-1);
	if (my_stmt_run(s, m, id, params, err) == 0)
		nrows = my_stmt_rows(s, m, id, row_cb, arg, err);
	end_lone(s);
	return (nrows);
}

/* All statements of a script, each with its result, up to the first error. */
static int
my_script(struct store *st, const char *sql, struct err *err)
{
	struct my_store *s = (struct my_store *)st;
	int rc;

	if (mysql_set_server_option(s->my, MYSQL_OPTION_MULTI_STATEMENTS_ON))
		goto bad;
	rc = mysql_real_query(s->my, sql, (unsigned long)strlen(sql));
	while (rc == 0) {
		mysql_free_result(mysql_store_result(s->my));
		rc = mysql_next_result(s->my);
	}
	if (rc > 0)
		goto bad;
	if (mysql_set_server_option(s->my, MYSQL_OPTION_MULTI_STATEMENTS_OFF))
		goto bad;
	return (0);

bad:
	my_conn_fail(s, mysql_errno(s->my), mysql_error(s->my), "script",
	    err);
	return (-1);
}

static int64_t
my_query_made(struct store *st, enum stmt_id id, const char *sql,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	struct my_store *s = (struct my_store *)st;
	int64_t nrows;

	if (st->txn == STORE_TXN_NONE && my_conn_refresh(s, err))
		return (-1);
	nrows = my_stmt_stream(s, id, sql, row_cb, arg, err);
	end_lone(s);
	return (nrows);
}

static int64_t
my_insert_id(struct store *st)
{

	return (((struct my_store *)st)->insert_id);
}

static int64_t
my_now_ms(struct store *st)
{

	return (my_conn_now_ms((struct my_store *)st));
}

const struct store_driver store_driver_mysql = {
	.scheme = "mysql",
	.dialect = STMT_DIALECT_MYSQL,
	.shared = true,
	.check = my_check,
	.open = my_open,
	.close = my_close,
	.prepare = my_prepare,
	.begin = my_begin,
	.commit = my_commit,
	.rollback = my_rollback,
	.exec = my_exec,
	.query = my_query,
	.script = my_script,
	.query_made = my_query_made,
	.insert_id = my_insert_id,
	.now_ms = my_now_ms,
};
