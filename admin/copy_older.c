#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"
#include "store/table.h"

#include "copy_rows.h"

#include "copy_older.h"

/* More than any schema has. */
#define TABLES_MAX	128

struct older {
	struct store *from, *to;
	copy_go_on *go_on;		/* may be NULL */
	void *arg;
	struct err *err;
	int64_t rows;			/* so far */
	size_t n;
	char names[TABLES_MAX][TABLE_NAME_SIZE];
	struct copy_sum sums[TABLES_MAX];

	/* of the table that is being copied */
	struct store_table table;
	struct copy_rows page;
	struct copy_sum *sum;
};

static int
keep_name(void *arg, const char *name)
{
	struct older *o = arg;

	if (o->n == TABLES_MAX) {
		err_set(o->err, ERR_SCHEMA, "the schema has over %d tables",
		    TABLES_MAX);
		return (-1);
	}
	memcpy(o->names[o->n], name, strlen(name) + 1);
	o->sums[o->n] = (struct copy_sum) { .table = o->names[o->n] };
	o->n++;
	return (0);
}

/* ---- rows ---- */

static int
flush(struct older *o)
{
	int rc;

	if (o->page.nrows == 0)
		return (0);
	if (store_begin(o->to, true, o->err))
		return (-1);
	rc = store_end(o->to, table_put(o->to, &o->table, o->page.values,
	    o->page.nrows, o->err), o->err);
	o->rows += (int64_t)o->page.nrows;
	copy_rows_forget(&o->page);
	if (rc == -1)
		return (-1);
	return (o->go_on == NULL ? 0 : o->go_on(o->arg, o->rows, o->err));
}

static int
take_row(void *arg, const struct store_value *cols, size_t ncols)
{
	struct older *o = arg;

	copy_sum_add(o->sum, cols, ncols);
	if (copy_rows_keep(&o->page, cols, o->err))
		return (-1);
	return (o->page.nrows == COPY_ROWS_MAX ? flush(o) : 0);
}

static int
check_columns(const struct older *o)
{
	struct store_table there;
	size_t i;

	if (table_look(o->from, o->table.name, &there, o->err))
		return (-1);
	for (i = 0; i < o->table.ncols; i++) {
		if (table_has(&there, o->table.cols[i]))
			continue;
		err_set(o->err, ERR_SCHEMA, "the database has no column %s.%s "
		    "any more: a migration was broken off.  Go on with: "
		    "leasehold migrate --no-backup; the backup from before it "
		    "is the way back", o->table.name, o->table.cols[i]);
		return (-1);
	}
	return (0);
}

static int
clear(struct older *o)
{

	if (store_begin(o->to, true, o->err))
		return (-1);
	return (store_end(o->to, table_clear(o->to, &o->table, o->err),
	    o->err));
}

static int
copy_table(struct older *o, size_t i)
{
	int rc = -1;

	o->sum = &o->sums[i];
	if (table_look(o->to, o->names[i], &o->table, o->err) ||
	    check_columns(o) || clear(o) ||
	    copy_rows_init(&o->page, o->table.ncols, o->err))
		return (-1);
	if (table_read(o->from, &o->table, take_row, o, o->err) >= 0)
		rc = flush(o);
	copy_rows_fini(&o->page);
	return (rc);
}

/* ---- ids ---- */

static int
put_last_id(const struct older *o, const struct store_value *cols)
{

	if (store_exec(o->to, STMT_SQLITE_LAST_ID_DROP, cols, 1, 1, NULL,
	    o->err))
		return (-1);
	return (store_exec(o->to, STMT_SQLITE_LAST_ID_PUT, cols, 1, 2, NULL,
	    o->err));
}

static int
take_last_id(void *arg, const struct store_value *cols, size_t ncols)
{
	const struct older *o = arg;
	size_t i;

	(void)ncols;
	for (i = 0; i < o->n; i++) {
		if (strcmp(o->names[i], store_get_text(&cols[0])) == 0)
			return (put_last_id(o, cols));
	}
	return (0);
}

/* No id is given to another row, also where the row is gone; see copy.c. */
static int
copy_last_ids(struct older *o)
{

	if (store_begin(o->to, true, o->err))
		return (-1);
	return (store_end(o->to, store_query(o->from, STMT_COPY_LAST_IDS, NULL,
	    0, take_last_id, o, o->err) < 0 ? -1 : 0, o->err));
}

/* ---- is it the same? ---- */

static int
add_row(void *arg, const struct store_value *cols, size_t ncols)
{

	copy_sum_add(arg, cols, ncols);
	return (0);
}

static int
look_again(struct older *o)
{
	struct copy_sum sum;
	int64_t dangling = 0;
	size_t i;

	for (i = 0; i < o->n; i++) {
		sum = (struct copy_sum) { .table = o->names[i] };
		if (table_look(o->to, o->names[i], &o->table, o->err) ||
		    table_read(o->to, &o->table, add_row, &sum, o->err) < 0 ||
		    copy_sum_compare(&o->sums[i], &sum, o->err))
			return (-1);
	}
	if (store_one(o->to, STMT_SQLITE_DANGLING, NULL, 0, &dangling, 1,
	    o->err) == -1)
		return (-1);
	if (dangling == 0)
		return (0);
	err_set(o->err, ERR_INTERNAL, "%lld rows of the copy refer to what is "
	    "not there; remove the copy", (long long)dangling);
	return (-1);
}

static int
copy_view(struct older *o)
{
	int64_t there, here;
	size_t i;

	if (store_schema_version(o->from, &there, o->err) ||
	    store_schema_version(o->to, &here, o->err))
		return (-1);
	if (there != here) {
		err_set(o->err, ERR_SCHEMA, "the database has schema %lld "
		    "now, and had %lld: somebody else migrates it",
		    (long long)there, (long long)here);
		return (-1);
	}
	for (i = 0; i < o->n; i++) {
		if (copy_table(o, i))
			return (-1);
	}
	return (copy_last_ids(o));
}

int
copy_older(struct store *from, struct store *to, copy_go_on *go_on,
    void *arg, struct err *err)
{
	struct older *o = calloc(1, sizeof(*o));
	int rc = -1;

	if (o == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a copy");
		return (-1);
	}
	o->from = from;
	o->to = to;
	o->go_on = go_on;
	o->arg = arg;
	o->err = err;
	if (table_each(to, keep_name, o, err) == 0 &&
	    store_begin(from, false, err) == 0) {
		rc = copy_view(o);
		store_rollback(from);
	}
	if (rc == 0)
		rc = look_again(o);
	free(o);
	return (rc);
}
