#ifndef STORE_TABLE_H_
#define STORE_TABLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/**
 * Tables by their names and columns, as the database itself tells them: of a
 * schema that is not this program's, so that no named statement fits.  Names
 * come from the migrations alone, never from a request.
 */

#define TABLE_NAME_SIZE		64	/* both databases end at 64 or later */
#define TABLE_COLUMNS_MAX	64	/* STORE_COLUMNS_MAX */

struct store_table {
	char name[TABLE_NAME_SIZE];
	size_t ncols;
	char cols[TABLE_COLUMNS_MAX][TABLE_NAME_SIZE];
};

/** table_each(st, cb, arg, err): SQLite: call ${cb} with the name of each
 * table; -1 from it, with ${err}, ends it.  0, or -1. */
typedef int table_name_cb(void *arg, const char *name);
int table_each(struct store *st, table_name_cb *cb, void *arg,
    struct err *err) __attribute__((__warn_unused_result__));

/** table_look(st, name, t, err): Fill ${t} with the columns of the table;
 * none if there is no such table.  0, or -1. */
int table_look(struct store *st, const char *name, struct store_table *t,
    struct err *err) __attribute__((__warn_unused_result__));

/** table_has(t, col): Is the column one of them? */
bool table_has(const struct store_table *t, const char *col);

/**
 * table_read(st, t, row_cb, arg, err):
 * Call ${row_cb} for each row, in no order, with the columns of ${t}, which
 * may be another database's.  They are not held in memory: within ${row_cb}
 * nothing else may be run on ${st}.  As store_query else.
 */
int64_t table_read(struct store *st, const struct store_table *t,
    store_row_cb *row_cb, void *arg, struct err *err)
    __attribute__((__warn_unused_result__));

/** table_put(st, t, rows, nrows, err): SQLite: add rows of the columns of
 * ${t}, in a transaction.  table_clear: remove all.  0, or -1. */
int table_put(struct store *st, const struct store_table *t,
    const struct store_value *rows, size_t nrows, struct err *err)
    __attribute__((__warn_unused_result__));
int table_clear(struct store *st, const struct store_table *t,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !STORE_TABLE_H_ */
