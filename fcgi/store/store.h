#ifndef STORE_STORE_H_
#define STORE_STORE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stmts.h"	/* enum stmt_id, made from sql/ at build time */

struct clock;
struct err;
struct store;
struct store_driver;

/**
 * The database behind a vtable: one connection, one thread at a time.  SQL
 * text lives in sql/ alone; callers name statements by their enum.
 *
 * Errors: ERR_EXISTS (a constraint), ERR_STORE_BUSY (lock, deadlock: run the
 * transaction again), ERR_STORE_DOWN (no connection, disk full, I/O error),
 * ERR_STORE_UNKNOWN (from store_commit alone), ERR_SCHEMA, ERR_INTERNAL (a
 * bug: wrong number of parameters, syntax).
 */

enum store_type {
	STORE_NULL,
	STORE_INT,
	STORE_TEXT,
	STORE_BLOB
};

struct store_value {
	enum store_type type;
	int64_t i;
	const void *p;		/* TEXT (needs no NUL) and BLOB; borrowed.  In
				   result rows TEXT is NUL-ended. */
	size_t n;
};

static inline struct store_value
store_int(int64_t i)
{

	return ((struct store_value) { .type = STORE_INT, .i = i });
}

static inline struct store_value
store_null(void)
{

	return ((struct store_value) { .type = STORE_NULL });
}

static inline struct store_value
store_blob(const void *p, size_t n)
{

	return ((struct store_value) { .type = STORE_BLOB, .p = p, .n = n });
}

/** store_text(s): NUL-ended text; NULL gives SQL NULL. */
struct store_value store_text(const char *s);

/** Result helpers: 0 and "" for NULL. */
int64_t store_get_int(const struct store_value *v);
const char *store_get_text(const struct store_value *v);

struct store_options {
	bool read_only;		/* refuse to write */
	bool synchronous_full;	/* SQLite */
	bool create;		/* make the database if it is not there */
	bool any_order;		/* SQLite: rows may come before those that
				   they refer to */
	bool apart;		/* SQLite: a backup, and not what is in use:
				   where it fails that is ERR_IO, in place of
				   ERR_STORE_DOWN */
	int64_t busy_timeout_ms;	/* wait for the write lock; 0: 2000 */
	int64_t io_timeout_ms;	/* MySQL: for an answer; 0: 5000 */
	const struct clock *clock;	/* SQLite: wall time comes from there;
					   NULL: the system's */
	const struct store_driver *driver;	/* tests: instead of the one
				   that the scheme names; else NULL */
	void *driver_arg;	/* for that driver */
};

/** store_check_url(url, err): Whether store_open could try to connect by
 * ${url}.  0, or -1 with what is wrong with it; nothing is connected to. */
int store_check_url(const char *url, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * store_open(url, opt, err):
 * Connect by the scheme of ${url}: "sqlite:/path", or
 * "mysql://user@host/database?socket=/path" (see mysql_url.h).  No statement
 * is prepared yet and the schema is not looked at (see store_prepare), so that
 * migrate can work on an empty database.  NULL with ${err} that names what to
 * mend: directory not writable, file missing, rights that are not granted,
 * scheme not built in.
 */
struct store *store_open(const char *url, const struct store_options *opt,
    struct err *err);
void store_close(struct store *st);

/**
 * store_prepare(st, err):
 * Check that the schema is the one this program was built for (ERR_SCHEMA
 * with the command to run when it is older, with what to do when it is newer),
 * then find out that all statements can be prepared (a read-only connection:
 * each at its first use).  0, or -1.
 */
int store_prepare(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * store_begin(st, write, err), store_commit(st, err), store_rollback(st):
 * One transaction.  A write transaction holds the write lock from its begin
 * (SQLite: after queueing on a fair lock file).  After -1 from begin none is
 * open; after -1 from commit none is open either.  Rollback cannot fail, and
 * does nothing when no transaction is open.  A lock that is not free within
 * busy_timeout_ms gives ERR_STORE_BUSY, naming the process that holds it.
 */
int store_begin(struct store *st, bool write, struct err *err)
    __attribute__((__warn_unused_result__));
int store_commit(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));
void store_rollback(struct store *st);

/** store_end(st, rc, err): Commit if ${rc}, what became of the work inside,
 * is 0; else roll back and return it. */
int store_end(struct store *st, int rc, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * store_exec(st, id, rows, nrows, nparams, changes, err):
 * Run statement ${id} for each of ${nrows} rows of ${nparams} parameters
 * (row after row in ${rows}); set-wise where the driver can.  ${changes} may
 * be NULL; else ${changes}[i] is the number of rows that row i changed.  0, or
 * -1 (the transaction is to be rolled back, except after ERR_EXISTS on a
 * single row, which leaves it as it was).  A statement that writes needs a
 * write transaction; without one it is ERR_INTERNAL, as a wrong ${nparams} is.
 */
int store_exec(struct store *st, enum stmt_id id,
    const struct store_value *rows, size_t nrows, size_t nparams,
    int64_t *changes, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * store_query(st, id, params, nparams, row_cb, arg, err):
 * Run statement ${id} and call ${row_cb} for each row; columns are borrowed
 * during the call; a return other than 0 from it stops (1: enough; -1: error,
 * ${err} set by it).  Returns the number of rows delivered, or -1.  Within
 * ${row_cb} other statements may be run, but not this one.  There are no
 * fractions: a real number is cut to an integer.
 */
typedef int store_row_cb(void *arg, const struct store_value *cols,
    size_t ncols);
int64_t store_query(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams, store_row_cb *row_cb,
    void *arg, struct err *err) __attribute__((__warn_unused_result__));

/** store_one(...): As store_query for one row of integers; 1 row, 0 none, -1.
 * ${out} has room for ${nout}; NULL columns give 0. */
int store_one(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams, int64_t *out,
    size_t nout, struct err *err) __attribute__((__warn_unused_result__));

/**
 * store_shared(st): May others write in the middle of a write transaction?
 * Then what it builds upon has to be locked as it is read, or a change to be
 * guarded by what was read; see sql/admission.sql.
 */
bool store_shared(const struct store *st);

/**
 * store_lock(st, id, params, nparams, err):
 * Run a statement that locks rows, where the store is shared; elsewhere there
 * is no such statement, and nothing to do.  0, or -1.
 */
int store_lock(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams, struct err *err)
    __attribute__((__warn_unused_result__));

/** store_insert_id(st): Id that the last single-row insert made. */
int64_t store_insert_id(struct store *st);

/** store_attach(st, p), store_attached(st): A pointer that the owner of the
 * connection keeps with it, not looked at here; NULL at first. */
void store_attach(struct store *st, void *p);
void *store_attached(const struct store *st);

/** store_now_ms(st): Wall time of the store's clock: the host's for SQLite,
 * the server's for MySQL. */
int64_t store_now_ms(struct store *st);

/**
 * store_housekeep(st, idle):
 * Between transactions: what the database needs now and then (SQLite: have
 * the write-ahead log copied into the database, by a thread).  Does not wait.
 * With ${idle} nothing else is to be done; without it only what cannot be put
 * off is begun.  True if something is left for when the connection is idle.
 */
bool store_housekeep(struct store *st, bool idle);

/**
 * store_checkpoint(st, pages, err):
 * SQLite: copy the write-ahead log into the database to its end and cut it;
 * *${pages} is how many were in it.  Others wait for the last of it.  Outside
 * of a transaction.  0; -1: ERR_STORE_BUSY if a reader is in the way, ERR_INVAL
 * for a store that has no such log.
 */
int store_checkpoint(struct store *st, int64_t *pages, struct err *err)
    __attribute__((__warn_unused_result__));

/** store_schema_version(st, version, err): Highest migration that has run;
 * 0: empty database.  store_schema_wanted(): what this program needs. */
int store_schema_version(struct store *st, int64_t *version, struct err *err)
    __attribute__((__warn_unused_result__));
int64_t store_schema_wanted(void);

/**
 * store_migrate(st, from, to, err):
 * Run the missing migrations, each in a transaction of its own; *${from} and
 * *${to} are the versions before and after.  Safe to run twice at once.
 */
int store_migrate(struct store *st, int64_t *from, int64_t *to,
    struct err *err) __attribute__((__warn_unused_result__));

/** store_migrate_to(st, version, from, to, err): The same, but none beyond
 * ${version}. */
int store_migrate_to(struct store *st, int64_t version, int64_t *from,
    int64_t *to, struct err *err) __attribute__((__warn_unused_result__));

/**
 * store_migrate_lock(st, err), store_migrate_unlock(st):
 * Where the store is shared: keep others from migrating it, while the
 * connection lasts, which the server ends when nothing is heard of it for
 * 15 s.  0; -1: ERR_STORE_BUSY if somebody else has been at it for a minute.
 */
int store_migrate_lock(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));
void store_migrate_unlock(struct store *st);

#endif /* !STORE_STORE_H_ */
