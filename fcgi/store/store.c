#include "config.h"

#include <string.h>

#include "base/err.h"
#include "store/driver.h"

static const struct store_driver *const drivers[] = {
	&store_driver_sqlite,
#ifdef HAVE_MYSQL
	&store_driver_mysql,
#endif
};

struct store_value
store_text(const char *s)
{

	if (s == NULL)
		return (store_null());
	return ((struct store_value) {
	    .type = STORE_TEXT, .p = s, .n = strlen(s) });
}

int64_t
store_get_int(const struct store_value *v)
{

	return (v->type == STORE_INT ? v->i : 0);
}

const char *
store_get_text(const struct store_value *v)
{

	return (v->type == STORE_TEXT ? v->p : "");
}

/* Find the driver for ${url}; *${where} is what follows the scheme. */
static const struct store_driver *
find_driver(const char *url, const char **where, struct err *err)
{
	const char *colon = strchr(url, ':');
	size_t i, n;

	if (colon == NULL) {
		err_set(err, ERR_INVAL, "store \"%s\" has no scheme: write "
		    "sqlite:/path/to/file", url);
		return (NULL);
	}
	n = (size_t)(colon - url);
	*where = colon + 1;
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (strlen(drivers[i]->scheme) == n &&
		    strncmp(drivers[i]->scheme, url, n) == 0)
			return (drivers[i]);
	}
	err_set(err, ERR_INVAL, "store scheme \"%.*s\" is not built into this "
	    "program%s", (int)n, url, n == 5 && strncmp(url, "mysql", 5) ==
	    0 ? ": configure found no MySQL client library" : "");
	return (NULL);
}

int
store_check_url(const char *url, struct err *err)
{
	const struct store_driver *driver;
	const char *where;

	if ((driver = find_driver(url, &where, err)) == NULL)
		return (-1);
	return (driver->check == NULL ? 0 : driver->check(where, err));
}

struct store *
store_open(const char *url, const struct store_options *opt, struct err *err)
{
	const struct store_driver *driver = opt->driver;
	struct store_options o = *opt;
	const char *where = url;
	struct store *st;

	if (driver == NULL) {
		driver = find_driver(url, &where, err);
		if (driver == NULL)
			return (NULL);
	}
	if (o.busy_timeout_ms <= 0)
		o.busy_timeout_ms = 2000;
	st = driver->open(where, &o, err);
	if (st == NULL)
		return (NULL);
	st->driver = driver;
	st->read_only = o.read_only;
	st->txn = STORE_TXN_NONE;
	return (st);
}

void
store_close(struct store *st)
{

	if (st == NULL)
		return;
	store_rollback(st);
	st->driver->close(st);
}

int
store_prepare(struct store *st, struct err *err)
{
	enum stmt_dialect dialect = st->driver->dialect;
	int id;

	if (store_schema_check(st, err) == -1)
		return (-1);
	if (st->read_only)
		return (0);
	for (id = 0; id < STMT_COUNT; id++) {
		if (stmts[id].sql[dialect] == NULL || stmts[id].setting ||
		    stmts[id].marked)
			continue;
		if (st->driver->prepare(st, (enum stmt_id)id, err) == -1)
			return (-1);
	}
	return (0);
}

int
store_begin(struct store *st, bool write, struct err *err)
{

	if (st->txn != STORE_TXN_NONE) {
		err_set(err, ERR_INTERNAL, "a transaction is open already");
		return (-1);
	}
	if (write && st->read_only) {
		err_set(err, ERR_INTERNAL, "write transaction on a read-only "
		    "connection");
		return (-1);
	}
	if (st->driver->begin(st, write, err) == -1)
		return (-1);
	st->txn = write ? STORE_TXN_WRITE : STORE_TXN_READ;
	return (0);
}

int
store_commit(struct store *st, struct err *err)
{

	if (st->txn == STORE_TXN_NONE) {
		err_set(err, ERR_INTERNAL, "commit without a transaction");
		return (-1);
	}
	st->txn = STORE_TXN_NONE;
	return (st->driver->commit(st, err));
}

void
store_rollback(struct store *st)
{

	if (st->txn == STORE_TXN_NONE)
		return;
	st->txn = STORE_TXN_NONE;
	st->driver->rollback(st);
}

int
store_end(struct store *st, int rc, struct err *err)
{

	if (rc == 0)
		return (store_commit(st, err));
	store_rollback(st);
	return (rc);
}

/* Refuse what would be a bug of the caller. */
static int
check_call(const struct store *st, enum stmt_id id, size_t nparams,
    struct err *err)
{

	if ((unsigned int)id >= STMT_COUNT ||
	    stmts[id].sql[st->driver->dialect] == NULL) {
		err_set(err, ERR_INTERNAL, "statement %d does not exist for "
		    "%s", (int)id, st->driver->scheme);
		return (-1);
	}
	if (nparams != stmts[id].nparams) {
		err_set(err, ERR_INTERNAL, "statement %s has %zu parameters, "
		    "not %zu", stmts[id].name, stmts[id].nparams, nparams);
		return (-1);
	}
	if (stmts[id].marked) {
		err_set(err, ERR_INTERNAL, "statement %s wants names",
		    stmts[id].name);
		return (-1);
	}
	if (!stmts[id].read_only && st->txn != STORE_TXN_WRITE) {
		err_set(err, ERR_INTERNAL, "statement %s needs a write "
		    "transaction", stmts[id].name);
		return (-1);
	}
	return (0);
}

int
store_exec(struct store *st, enum stmt_id id, const struct store_value *rows,
    size_t nrows, size_t nparams, int64_t *changes, struct err *err)
{

	if (check_call(st, id, nparams, err) == -1)
		return (-1);
	return (st->driver->exec(st, id, rows, nrows, changes, err));
}

int64_t
store_query(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams, store_row_cb *row_cb,
    void *arg, struct err *err)
{

	if (check_call(st, id, nparams, err) == -1)
		return (-1);
	return (st->driver->query(st, id, params, row_cb, arg, err));
}

struct one {
	int64_t *out;
	size_t nout;
};

static int
take_one(void *arg, const struct store_value *cols, size_t ncols)
{
	struct one *one = arg;
	size_t i;

	for (i = 0; i < one->nout; i++)
		one->out[i] = i < ncols ? store_get_int(&cols[i]) : 0;
	return (1);
}

int
store_one(struct store *st, enum stmt_id id, const struct store_value *params,
    size_t nparams, int64_t *out, size_t nout, struct err *err)
{
	struct one one = { out, nout };

	return ((int)store_query(st, id, params, nparams, take_one, &one,
	    err));
}

bool
store_shared(const struct store *st)
{

	return (st->driver->shared);
}

static int
ignore_row(void *arg, const struct store_value *cols, size_t ncols)
{

	(void)arg;
	(void)cols;
	(void)ncols;
	return (0);
}

int
store_lock(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams, struct err *err)
{

	if (stmts[id].sql[st->driver->dialect] == NULL)
		return (0);
	return (store_query(st, id, params, nparams, ignore_row, NULL,
	    err) == -1 ? -1 : 0);
}

int64_t
store_insert_id(struct store *st)
{

	return (st->driver->insert_id(st));
}

void
store_attach(struct store *st, void *p)
{

	st->attached = p;
}

void *
store_attached(const struct store *st)
{

	return (st->attached);
}

int64_t
store_now_ms(struct store *st)
{

	return (st->driver->now_ms(st));
}

int
store_checkpoint(struct store *st, int64_t *pages, struct err *err)
{

	if (st->driver->checkpoint != NULL)
		return (st->driver->checkpoint(st, pages, err));
	err_set(err, ERR_INVAL, "this store has no write-ahead log of its own");
	return (-1);
}

bool
store_housekeep(struct store *st, bool idle)
{

	if (st->txn != STORE_TXN_NONE || st->driver->housekeep == NULL)
		return (false);
	return (st->driver->housekeep(st, idle));
}
