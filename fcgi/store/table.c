#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/driver.h"

#include "store/table.h"

_Static_assert(TABLE_COLUMNS_MAX == STORE_COLUMNS_MAX, "as the drivers have");

#define MARK	"`?`"

/* A statement with a name and all columns of a table. */
#define TEXT_SIZE	(256 + (TABLE_COLUMNS_MAX + 1) * (TABLE_NAME_SIZE + 4))

/*
 * Names are no parameters: neither database takes them so.  They are put into
 * a named statement here, in the place of its marks, and nowhere else; what
 * could end the quotes is no name.
 */
struct making {
	char text[TEXT_SIZE];
	size_t n;
	const char *rest;		/* of the statement */
};

/* What is before the next mark, and that left out. */
static void
up_to_mark(struct making *m)
{
	const char *mark = strstr(m->rest, MARK);
	size_t n = mark == NULL ? strlen(m->rest) : (size_t)(mark - m->rest);

	memcpy(m->text + m->n, m->rest, n);
	m->n += n;
	m->text[m->n] = '\0';
	m->rest += n + (mark == NULL ? 0 : strlen(MARK));
}

static void
begin(struct making *m, struct store *st, enum stmt_id id)
{

	m->n = 0;
	m->rest = stmts[id].sql[st->driver->dialect];
	up_to_mark(m);
}

static void
add(struct making *m, const char *before, const char *name, const char *after)
{

	m->n += (size_t)snprintf(m->text + m->n, sizeof(m->text) - m->n,
	    "%s%s%s", before, name, after);
}

static void
add_columns(struct making *m, const struct store_table *t)
{
	size_t i;

	for (i = 0; i < t->ncols; i++)
		add(m, i == 0 ? "`" : ", `", t->cols[i], "`");
	up_to_mark(m);
}

static void
add_name(struct making *m, const struct store_table *t)
{

	add(m, "`", t->name, "`");
	up_to_mark(m);
}

static void
add_parameters(struct making *m, const struct store_table *t)
{
	size_t i;

	for (i = 0; i < t->ncols; i++)
		add(m, i == 0 ? "" : ", ", "?", "");
	up_to_mark(m);
}

/* ---- names ---- */

/* As migrations write them. */
static int
take_name(char out[TABLE_NAME_SIZE], const struct store_value *v,
    struct err *err)
{
	size_t n = strspn(store_get_text(v), "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (n > 0 && n == v->n && n < TABLE_NAME_SIZE) {
		memcpy(out, v->p, n + 1);
		return (0);
	}
	err_set(err, ERR_SCHEMA, "the database has a table or column named "
	    "\"%.40s\", which is not Leasehold's", store_get_text(v));
	return (-1);
}

struct each {
	table_name_cb *cb;
	void *arg;
	struct err *err;
};

static int
take_table(void *arg, const struct store_value *cols, size_t ncols)
{
	const struct each *e = arg;
	char name[TABLE_NAME_SIZE];

	(void)ncols;
	return (take_name(name, &cols[0], e->err) ? -1 : e->cb(e->arg, name));
}

int
table_each(struct store *st, table_name_cb *cb, void *arg, struct err *err)
{
	struct each e = { cb, arg, err };

	return (store_query(st, STMT_TABLE_NAMES, NULL, 0, take_table, &e,
	    err) < 0 ? -1 : 0);
}

struct look {
	struct store_table *t;
	struct err *err;
};

static int
take_column(void *arg, const struct store_value *cols, size_t ncols)
{
	const struct look *l = arg;

	(void)ncols;
	if (l->t->ncols == TABLE_COLUMNS_MAX) {
		err_set(l->err, ERR_SCHEMA, "table %s has over %d columns",
		    l->t->name, TABLE_COLUMNS_MAX);
		return (-1);
	}
	return (take_name(l->t->cols[l->t->ncols++], &cols[0], l->err));
}

int
table_look(struct store *st, const char *name, struct store_table *t,
    struct err *err)
{
	struct store_value v = store_text(name);
	struct look l = { t, err };

	t->ncols = 0;
	if (take_name(t->name, &v, err))
		return (-1);
	return (store_query(st, STMT_TABLE_COLUMNS, &v, 1, take_column, &l,
	    err) < 0 ? -1 : 0);
}

bool
table_has(const struct store_table *t, const char *col)
{
	size_t i;

	for (i = 0; i < t->ncols; i++) {
		if (strcmp(t->cols[i], col) == 0)
			return (true);
	}
	return (false);
}

/* ---- rows ---- */

static int
unable(const struct store *st, struct err *err)
{

	err_set(err, ERR_INTERNAL, "%s: no tables by their names",
	    st->driver->scheme);
	return (-1);
}

int64_t
table_read(struct store *st, const struct store_table *t,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	struct making m;

	if (st->driver->query_made == NULL)
		return (unable(st, err));
	begin(&m, st, STMT_TABLE_READ);
	add_columns(&m, t);
	add_name(&m, t);
	return (st->driver->query_made(st, STMT_TABLE_READ, m.text, row_cb,
	    arg, err));
}

int
table_put(struct store *st, const struct store_table *t,
    const struct store_value *rows, size_t nrows, struct err *err)
{
	struct making m;

	if (st->driver->exec_made == NULL)
		return (unable(st, err));
	begin(&m, st, STMT_TABLE_PUT);
	add_name(&m, t);
	add_columns(&m, t);
	add_parameters(&m, t);
	return (st->driver->exec_made(st, STMT_TABLE_PUT, m.text, rows, nrows,
	    t->ncols, err));
}

int
table_clear(struct store *st, const struct store_table *t, struct err *err)
{
	struct making m;

	if (st->driver->exec_made == NULL)
		return (unable(st, err));
	begin(&m, st, STMT_TABLE_CLEAR);
	add_name(&m, t);
	return (st->driver->exec_made(st, STMT_TABLE_CLEAR, m.text, NULL, 1, 0,
	    err));
}
