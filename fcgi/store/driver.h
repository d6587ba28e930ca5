#ifndef STORE_DRIVER_H_
#define STORE_DRIVER_H_

#include "store/store.h"

/**
 * What a database driver supplies.  Private to this room: callers use
 * store.h, which checks the arguments and the state of the transaction before
 * it calls the driver, so that a driver need not.
 */
struct store_driver {
	const char *scheme;		/* "sqlite": the part before ':' */
	enum stmt_dialect dialect;
	bool shared;			/* see store_shared() */
	/** Whether open() could make something of ${where}; NULL: that is
	 * found out by it alone. */
	int (*check)(const char *where, struct err *err);
	/** Connect to ${where}, the part of the URL after the scheme. */
	struct store *(*open)(const char *where,
	    const struct store_options *opt, struct err *err);
	void (*close)(struct store *st);
	/** Find out that the statement can be prepared; it may stay so. */
	int (*prepare)(struct store *st, enum stmt_id id, struct err *err);
	int (*begin)(struct store *st, bool write, struct err *err);
	/** After -1 the transaction is closed, whatever happened. */
	int (*commit)(struct store *st, struct err *err);
	void (*rollback)(struct store *st);
	int (*exec)(struct store *st, enum stmt_id id,
	    const struct store_value *rows, size_t nrows, int64_t *changes,
	    struct err *err);
	int64_t (*query)(struct store *st, enum stmt_id id,
	    const struct store_value *params, store_row_cb *row_cb, void *arg,
	    struct err *err);
	/** Run the text of a migration: many statements, no parameters. */
	int (*script)(struct store *st, const char *sql, struct err *err);
	/**
	 * Run ${sql}, made of statement ${id} by names in the place of its
	 * marks: for each of ${nrows} rows of ${nparams} parameters, or for its
	 * rows, which are not held in memory: no other statement may be run on
	 * the connection within ${row_cb}.
	 */
	int (*exec_made)(struct store *st, enum stmt_id id, const char *sql,
	    const struct store_value *rows, size_t nrows, size_t nparams,
	    struct err *err);	/* NULL: it cannot */
	int64_t (*query_made)(struct store *st, enum stmt_id id,
	    const char *sql, store_row_cb *row_cb, void *arg,
	    struct err *err);
	int64_t (*insert_id)(struct store *st);
	int64_t (*now_ms)(struct store *st);
	bool (*housekeep)(struct store *st, bool idle);
	/** NULL: there is no such thing. */
	int (*checkpoint)(struct store *st, int64_t *pages, struct err *err);
};

/** Each driver's connection begins with this. */
struct store {
	const struct store_driver *driver;
	enum {
		STORE_TXN_NONE,
		STORE_TXN_READ,
		STORE_TXN_WRITE
	} txn;
	bool read_only;
	void *attached;		/* see store_attach */
};

/* A row of a result has at most so many columns; the ledger has 36. */
#define STORE_COLUMNS_MAX 64

extern const struct store_driver store_driver_sqlite;
extern const struct store_driver store_driver_mysql;	/* if HAVE_MYSQL */

/** store_schema_check(st, err): 0 if the schema is the one wanted; else -1
 * with ERR_SCHEMA and what to do about it. */
int store_schema_check(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !STORE_DRIVER_H_ */
