#ifndef STORE_MYSQL_INTERNAL_H_
#define STORE_MYSQL_INTERNAL_H_

/*
 * What the files of the MySQL driver share: mysql.c (the vtable), mysql_conn.c
 * (the connection: how it is made, what its errors mean, its clock),
 * mysql_stmt.c (statements, values in, rows out) and mysql_bulk.c (many rows
 * at once).  Nobody else includes this.
 */

#include <mysql.h>

#include "store/driver.h"
#include "store/mysql_url.h"

/* MariaDB's client has a one-byte integer where Oracle's has a bool. */
#ifdef MARIADB_BASE_VERSION
typedef my_bool my_flag;
#else
typedef bool my_flag;
#endif

struct my_stmt {
	MYSQL_STMT *stmt;	/* NULL: not prepared */
	bool busy;		/* its rows are being read */
	size_t ncols;
	struct my_column *cols;	/* room for its results */
};

struct my_store {
	struct store st;
	MYSQL *my;		/* NULL: not connected */
	struct mysql_url url;
	int64_t timeout_ms;
	bool hasty;		/* wait but shortly for what locks it all */
	bool bulk;		/* the server takes rows in bulk */
	bool row_by_row;	/* until a transaction was committed */
	int64_t used_ms;	/* last use, monotonic */
	int64_t clock_ms;	/* server's clock less the monotonic one ... */
	int64_t clock_read_ms;	/* ... read then; 0: never */
	int64_t insert_id;
	struct my_stmt stmts[STMT_COUNT];
	struct my_scratch {
		unsigned char *p;
		size_t size;
	} scratch;		/* parameters on their way */
};

/* ---- mysql_conn.c ---- */

/** my_conn_open(s, opt, err): Connect, check the server, set the session.
 * With ${opt}->create an absent database is made.  0, or -1. */
int my_conn_open(struct my_store *s, const struct store_options *opt,
    struct err *err) __attribute__((__warn_unused_result__));

/** my_conn_close(s): And forget all statements. */
void my_conn_close(struct my_store *s);

/** my_conn_refresh(s, err): Outside of a transaction, before the first
 * use: after a long silence the server may have hung up, so connect anew. */
int my_conn_refresh(struct my_store *s, struct err *err)
    __attribute__((__warn_unused_result__));

/** my_conn_text(s, id, err): Run a statement by its text: what servers do
 * not prepare. */
int my_conn_text(struct my_store *s, enum stmt_id id, struct err *err)
    __attribute__((__warn_unused_result__));

/** my_conn_fail(s, number, text, what, err): Say what the server or the
 * client library said. */
void my_conn_fail(struct my_store *s, unsigned int number,
    const char *text, const char *what, struct err *err);

/** my_conn_code(number): What an error means; of a commit: see
 * my_conn_commit_code. */
enum err_code my_conn_code(unsigned int number);
enum err_code my_conn_commit_code(unsigned int number);

int64_t my_conn_now_ms(struct my_store *s);

/* ---- mysql_stmt.c ---- */

/** my_stmt_is_text(id): Run by its text, not prepared. */
bool my_stmt_is_text(enum stmt_id id);

/** my_stmt_get(s, id, err): Borrow it, prepared if need be; NULL if it is
 * in use. */
struct my_stmt *my_stmt_get(struct my_store *s, enum stmt_id id,
    struct err *err);
void my_stmt_drop(struct my_stmt *m);

/** my_stmt_fail(s, st, id, err): The statement's error. */
void my_stmt_fail(struct my_store *s, const struct my_stmt *st,
    enum stmt_id id, struct err *err);

/** my_stmt_run(s, st, id, v, err): Bind and execute one row. */
int my_stmt_run(struct my_store *s, struct my_stmt *st,
    enum stmt_id id, const struct store_value *v, struct err *err)
    __attribute__((__warn_unused_result__));

/** my_stmt_rows(s, st, id, row_cb, arg, err): The rows of what was run. */
int64_t my_stmt_rows(struct my_store *s, struct my_stmt *st,
    enum stmt_id id, store_row_cb *row_cb, void *arg, struct err *err);

/** my_stmt_stream(s, id, sql, row_cb, arg, err): The rows of ${sql}, made of
 * statement ${id}, as they come: the server waits for ${row_cb}, for ten
 * minutes at most. */
int64_t my_stmt_stream(struct my_store *s, enum stmt_id id, const char *sql,
    store_row_cb *row_cb, void *arg, struct err *err);

/** my_scratch(s, n, err): Borrow ${n} bytes until the next call. */
void *my_scratch(struct my_store *s, size_t n, struct err *err);

/** my_text(v, room): Bytes of a text or blob as the server will take them:
 * what is no UTF-8 in a text is replaced by '?', in a copy in ${room}, which
 * has place for ${v}->n bytes. */
const char *my_text(const struct store_value *v, char *room);

/* ---- mysql_bulk.c ---- */

/** my_bulk_fits(s, id, rows, nrows): Can they go in one call? */
bool my_bulk_fits(const struct my_store *s, enum stmt_id id,
    const struct store_value *rows, size_t nrows);

/** my_bulk_run(s, st, id, rows, nrows, total, err): Run them; *${total} is
 * how many rows changed in all. */
int my_bulk_run(struct my_store *s, struct my_stmt *st,
    enum stmt_id id, const struct store_value *rows, size_t nrows,
    int64_t *total, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !STORE_MYSQL_INTERNAL_H_ */
