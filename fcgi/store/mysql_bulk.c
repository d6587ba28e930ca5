#include "config.h"

#include <string.h>

#include "base/err.h"
#include "store/mysql_internal.h"

/*
 * Many rows in one call: MariaDB's arrays of parameters
 * (mariadb.com/kb/en/bulk-insert-column-wise-binding).  Parameters lie by
 * column, and a column has one type.
 */

#ifdef MARIADB_BASE_VERSION

/* The type of a column: that of its values that are not NULL, or -1. */
static int
column_type(const struct store_value *rows, size_t nrows, size_t nparams,
    size_t column)
{
	enum store_type type = STORE_NULL;
	const struct store_value *v = rows + column;
	size_t i;

	for (i = 0; i < nrows; i++, v += nparams) {
		if (v->type == STORE_NULL)
			continue;
		if (type != STORE_NULL && type != v->type)
			return (-1);
		type = v->type;
	}
	return ((int)type);
}

bool
my_bulk_fits(const struct my_store *s, enum stmt_id id,
    const struct store_value *rows, size_t nrows)
{
	size_t i, n = stmts[id].nparams;

	if (!s->bulk || s->row_by_row || nrows < 2 || n == 0)
		return (false);
	for (i = 0; i < n; i++) {
		if (column_type(rows, nrows, n, i) == -1)
			return (false);
	}
	return (true);
}

/*
 * The scratch memory of a call:
 *
 *	binds[n] | column 0: cells[nrows] lengths[nrows] | column 1 ...
 *	| indicators[n][nrows] | texts that had to be changed
 */
union cell {
	int64_t i;
	const char *p;
};

static size_t
bytes_needed(const struct store_value *rows, size_t nrows, size_t n)
{
	size_t i, bytes = n * sizeof(MYSQL_BIND) + n * nrows *
	    (sizeof(union cell) + sizeof(unsigned long) + 1);

	for (i = 0; i < n * nrows; i++)
		bytes += rows[i].type == STORE_TEXT ? rows[i].n : 0;
	return (bytes);
}

static void
fill_cell(const struct store_value *v, union cell *cell, unsigned long *len,
    char *indicator, char **room)
{

	*indicator = v->type == STORE_NULL ? STMT_INDICATOR_NULL :
	    STMT_INDICATOR_NONE;
	*len = (unsigned long)v->n;
	if (v->type == STORE_INT)
		cell->i = v->i;
	else if (v->type == STORE_NULL)
		cell->p = "";
	else
		cell->p = my_text(v, *room);
	if (v->type == STORE_TEXT)
		*room += v->n;
}

static const enum enum_field_types wire_types[] = {
	[STORE_NULL] = MYSQL_TYPE_LONGLONG,	/* all of the column */
	[STORE_INT] = MYSQL_TYPE_LONGLONG,
	[STORE_TEXT] = MYSQL_TYPE_STRING,
	[STORE_BLOB] = MYSQL_TYPE_BLOB,
};

static MYSQL_BIND *
fill(struct my_store *s, const struct store_value *rows, size_t nrows,
    size_t n, struct err *err)
{
	MYSQL_BIND *b;
	union cell *cells;
	unsigned long *lengths;
	char *indicators, *room;
	size_t i, j;

	if ((b = my_scratch(s, bytes_needed(rows, nrows, n), err)) == NULL)
		return (NULL);
	memset(b, 0, n * sizeof(*b));
	cells = (union cell *)(void *)(b + n);
	lengths = (unsigned long *)(void *)(cells + n * nrows);
	indicators = (char *)(lengths + n * nrows);
	room = indicators + n * nrows;
	for (i = 0; i < n; i++) {
		b[i].buffer_type = wire_types[column_type(rows, nrows, n, i)];
		b[i].buffer = cells;
		b[i].length = lengths;
		b[i].u.indicator = indicators;
		for (j = 0; j < nrows; j++)
			fill_cell(&rows[j * n + i], cells++, lengths++,
			    indicators++, &room);
	}
	return (b);
}

int
my_bulk_run(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    const struct store_value *rows, size_t nrows, int64_t *total,
    struct err *err)
{
	unsigned int size = (unsigned int)nrows, none = 0;
	MYSQL_BIND *b;
	int rc = -1;

	if ((b = fill(s, rows, nrows, stmts[id].nparams, err)) == NULL)
		return (-1);
	if (mysql_stmt_attr_set(m->stmt, STMT_ATTR_ARRAY_SIZE, &size) != 0 ||
	    mysql_stmt_bind_param(m->stmt, b) != 0 ||
	    mysql_stmt_execute(m->stmt) != 0)
		my_stmt_fail(s, m, id, err);
	else {
		*total = (int64_t)mysql_stmt_affected_rows(m->stmt);
		rc = 0;
	}
	(void)mysql_stmt_attr_set(m->stmt, STMT_ATTR_ARRAY_SIZE, &none);
	return (rc);
}

#else /* !MARIADB_BASE_VERSION */

bool
my_bulk_fits(const struct my_store *s, enum stmt_id id,
    const struct store_value *rows, size_t nrows)
{

	(void)s;
	(void)id;
	(void)rows;
	(void)nrows;
	return (false);
}

int
my_bulk_run(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    const struct store_value *rows, size_t nrows, int64_t *total,
    struct err *err)
{

	(void)s;
	(void)m;
	(void)rows;
	(void)nrows;
	(void)total;
	err_set(err, ERR_INTERNAL, "%s in bulk", stmts[id].name);
	return (-1);
}

#endif
