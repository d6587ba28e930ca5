#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/err.h"
#include "store/raw.h"
#include "store/store.h"
#include "store/table.h"

#include "copy_older.h"

/* From the store that LEASEHOLD_TEST_STORE names (else SQLite), with each
 * schema that there ever was, to SQLite. */

#define ROWS		3	/* of each table */
#define LEDGER_ROWS	600	/* more than are written at once */

struct world {
	char dir[64];
	char url[RAW_URL_SIZE];
	char path[96];			/* of the copy */
	struct err err;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/test-older.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	raw_make(w->dir, w->url);
	(void)snprintf(w->path, sizeof(w->path), "%s/copy", w->dir);
	*state = w;
	return (0);
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	raw_drop(w->url);
	(void)snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return (0);
}

static struct store *
open_at(struct world *w, const char *url, int64_t version, bool any_order)
{
	const struct store_options opt = {
		.create = true, .any_order = any_order
	};
	int64_t from = 0, to = 0;
	struct store *st;

	if ((st = store_open(url, &opt, &w->err)) == NULL ||
	    store_migrate_to(st, version, &from, &to, &w->err))
		fail_msg("%s", w->err.text);
	assert_int_equal(to, version);
	return (st);
}

static struct store *
open_copy(struct world *w, int64_t version)
{
	char url[128], command[256];

	(void)snprintf(command, sizeof(command), "rm -f %s*", w->path);
	assert_int_equal(system(command), 0);
	(void)snprintf(url, sizeof(url), "sqlite:%s", w->path);
	return (open_at(w, url, version, true));
}

/* ---- rows in all tables ---- */

/* What a column takes where a number, or any text, will not do; of a table, or
 * of all. */
static const struct {
	const char *table, *column, *value;
} takes[] = {
	{ "api_key", "bind_id", "NULL" },
	{ "budget", "scope", "'key'" },
	{ "budget", "kind", "'money'" },
	{ "budget", "period", "'day'" },
	{ "budget", "length_ms", "0" },
	{ "model_alias", "scope", "'group'" },
	{ "admin_token", "scope", "'read'" },
	{ "object", "kind", "'batch'" },
	{ "notify_target", "kind", "'webhook'" },
	{ "notify_delivery", "state", "'sent'" },
	{ "ledger", "holds", "'[[1,0,0,4]]'" },
	{ "responder", "kind", "'relay'" },
	{ NULL, "actor_kind", "'shell'" },
	{ NULL, "bind_kind", "'pool'" },
	{ NULL, "credential", "'bearer'" },
	{ NULL, "enabled", "1" },
	{ NULL, "final", "1" },
	{ NULL, "held", "0" },
	{ NULL, "lang", "'zh'" },
	{ NULL, "length_ms", "86400000" },
	{ NULL, "policy", "'strict'" },
	{ NULL, "queue_class", "1" },
	{ NULL, "result", "'ok'" },
	{ NULL, "role", "'operator'" },
	{ NULL, "signed_in", "1" },
	{ NULL, "stated", "1" },
	{ NULL, "strategy", "'weighted'" },
	{ NULL, "token_format", "'form'" },
	{ NULL, "totp_on", "1" },
	{ NULL, "unheard", "0" },
	{ NULL, "valid_until_ms", "9" },
	{ NULL, "zone", "'UTC'" },
};

static const char *
value_of(const char *table, const char *column, const char *type, int n,
    char out[64])
{
	size_t i;

	for (i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		if ((takes[i].table == NULL ||
		    strcmp(takes[i].table, table) == 0) &&
		    strcmp(takes[i].column, column) == 0)
			return (takes[i].value);
	}
	if (strcmp(type, "TEXT") == 0)
		(void)snprintf(out, 64, "'\xc3\xbc%d'", n);
	else if (strcmp(type, "INTEGER") == 0)
		(void)snprintf(out, 64, "%d", n);
	else
		(void)snprintf(out, 64, "x'00ff27%02x'", n);
	return (out);
}

/* One row, as the columns of the copy's table have it. */
static void
add_row(struct world *w, sqlite3 *db, const char *table, int n)
{
	char sql[16384], names[4096] = "", values[4096] = "", value[64];
	const char *name;
	sqlite3_stmt *st;

	(void)snprintf(sql, sizeof(sql), "SELECT name, type FROM "
	    "pragma_table_info('%s')", table);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL),
	    SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(st, 0);
		(void)snprintf(names + strlen(names), 128, "%s%s",
		    names[0] == '\0' ? "" : ", ", name);
		(void)snprintf(values + strlen(values), 128, "%s%s",
		    values[0] == '\0' ? "" : ", ", value_of(table, name,
		    (const char *)sqlite3_column_text(st, 1), n, value));
	}
	(void)sqlite3_finalize(st);
	(void)snprintf(sql, sizeof(sql), "%sINSERT INTO %s (%s) VALUES (%s)",
	    raw_is_mysql() ? "SET foreign_key_checks = 0; " : "", table,
	    names, values);
	raw_sql(w->url, sql);
}

/* Tables that are not empty have rows of the version before. */
static void
fill(struct world *w)
{
	char sql[128];
	const char *name;
	sqlite3_stmt *st;
	sqlite3 *db;
	int i;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT name FROM "
	    "sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
	    -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(st, 0);
		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s",
		    name);
		for (i = 1; raw_int(w->url, sql) < ROWS && i <= ROWS; i++) {
			if (strcmp(name, "migration") != 0)
				add_row(w, db, name, i);
		}
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
}

static void
fill_ledger(const struct world *w)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql), "INSERT INTO ledger (id, state, "
	    "fence, responder_id, created_ms, key_id, kind, model, stream, "
	    "reserved_nusd, body_bytes, outcome, mark) WITH RECURSIVE i(n) AS "
	    "(SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d) SELECT "
	    "7000000000000000000 + n, 1, 1, 1, n, 9, 'messages', 'm', 0, n, n, "
	    "'ok', 1 FROM i", LEDGER_ROWS);
	raw_sql(w->url, sql);
}

/* ---- what a table holds, by its values ---- */

struct dump {
	char **rows;
	size_t n;
};

static int
take_row(void *arg, const struct store_value *cols, size_t ncols)
{
	struct dump *d = arg;
	char *text = NULL;
	size_t i, k, size;
	FILE *f;

	assert_non_null(f = open_memstream(&text, &size));
	for (i = 0; i < ncols; i++) {
		fprintf(f, "|%d:", (int)cols[i].type);
		if (cols[i].type == STORE_INT)
			fprintf(f, "%lld", (long long)cols[i].i);
		for (k = 0; cols[i].type != STORE_INT && k < cols[i].n; k++)
			fprintf(f, "%02x", ((const unsigned char *)
			    cols[i].p)[k]);
	}
	assert_int_equal(fclose(f), 0);
	d->rows = realloc(d->rows, (d->n + 1) * sizeof(*d->rows));
	assert_non_null(d->rows);
	d->rows[d->n++] = text;
	return (0);
}

static int
by_text(const void *a, const void *b)
{

	return (strcmp(*(char *const *)a, *(char *const *)b));
}

static struct dump
dump_table(struct world *w, struct store *st, const struct store_table *t)
{
	struct dump d = { .rows = NULL };

	if (table_read(st, t, take_row, &d, &w->err) < 0)
		fail_msg("%s", w->err.text);
	if (d.n > 0)
		qsort(d.rows, d.n, sizeof(*d.rows), by_text);
	return (d);
}

static void
free_dump(struct dump *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		free(d->rows[i]);
	free(d->rows);
}

struct comparing {
	struct world *w;
	struct store *from, *to;
	size_t tables;
};

static int
compare_table(void *arg, const char *name)
{
	struct comparing *c = arg;
	struct store_table t;
	struct dump there, here;
	size_t i;

	assert_int_equal(table_look(c->to, name, &t, &c->w->err), 0);
	assert_true(t.ncols > 0);
	there = dump_table(c->w, c->from, &t);
	here = dump_table(c->w, c->to, &t);
	if (there.n == 0)
		fail_msg("%s has no rows", name);
	assert_int_equal(here.n, there.n);
	for (i = 0; i < there.n; i++) {
		if (strcmp(here.rows[i], there.rows[i]) != 0)
			fail_msg("%s: %s, not %s", name, here.rows[i],
			    there.rows[i]);
	}
	free_dump(&there);
	free_dump(&here);
	c->tables++;
	return (0);
}

static void
compare(struct world *w, struct store *from, struct store *to)
{
	struct comparing c = { .w = w, .from = from, .to = to };
	struct err err = { 0 };

	if (table_each(to, compare_table, &c, &err))
		fail_msg("%s", err.text);
	assert_true(c.tables > 10);
}

/* ---- cases ---- */

static void
each_schema_is_copied_as_it_is(void **state)
{
	struct world *w = *state;
	struct store *from, *to;
	int64_t version;

	for (version = 1; version <= store_schema_wanted(); version++) {
		from = open_at(w, w->url, version, false);
		to = open_copy(w, version);
		if (version == 1)
			fill_ledger(w);
		fill(w);
		if (copy_older(from, to, NULL, NULL, &w->err))
			fail_msg("schema %d: %s", (int)version, w->err.text);
		compare(w, from, to);
		store_close(to);
		store_close(from);
	}
}

/* Ids of rows that are gone name them for ever. */
static void
an_id_is_not_given_out_twice(void **state)
{
	struct world *w = *state;
	struct store *from, *to;
	char url[128];

	from = open_at(w, w->url, 2, false);
	raw_sql(w->url, "INSERT INTO account_group (id, name, created_ms) "
	    "VALUES (41, 'a', 1), (77, 'b', 1)");
	raw_sql(w->url, "DELETE FROM account_group WHERE id = 77");
	to = open_copy(w, 2);
	if (copy_older(from, to, NULL, NULL, &w->err))
		fail_msg("%s", w->err.text);
	store_close(to);
	store_close(from);
	(void)snprintf(url, sizeof(url), "sqlite:%s", w->path);
	raw_sql(url, "INSERT INTO account_group (name, created_ms) "
	    "VALUES ('c', 1)");
	assert_int_equal(raw_int(url, "SELECT max(id) FROM account_group"),
	    78);
}

/* A migration that broke off has added columns and tables, which is no
 * hindrance; what it has removed is one. */
static void
a_migration_that_broke_off(void **state)
{
	struct world *w = *state;
	struct store *from, *to;

	from = open_at(w, w->url, 2, false);
	to = open_copy(w, 2);
	fill(w);
	raw_sql(w->url, "ALTER TABLE ledger ADD COLUMN later BIGINT NOT NULL "
	    "DEFAULT 0");
	raw_sql(w->url, "CREATE TABLE later (id BIGINT)");
	if (copy_older(from, to, NULL, NULL, &w->err))
		fail_msg("%s", w->err.text);
	compare(w, from, to);
	raw_sql(w->url, "DROP TABLE reservation");
	assert_int_equal(copy_older(from, to, NULL, NULL, &w->err), -1);
	assert_int_equal(w->err.code, ERR_SCHEMA);
	assert_non_null(strstr(w->err.text, "reservation"));
	store_close(to);
	store_close(from);
}

static void
two_schemas_are_not_mixed(void **state)
{
	struct world *w = *state;
	struct store *from, *to;

	from = open_at(w, w->url, 3, false);
	to = open_copy(w, 2);
	assert_int_equal(copy_older(from, to, NULL, NULL, &w->err), -1);
	assert_int_equal(w->err.code, ERR_SCHEMA);
	store_close(to);
	store_close(from);
}

static int
stop(void *arg, int64_t rows, struct err *err)
{
	int *calls = arg;

	if (rows < LEDGER_ROWS / 2)
		return (0);
	++*calls;
	err_set(err, ERR_CANCELLED, "enough");
	return (-1);
}

static void
it_can_be_broken_off(void **state)
{
	struct world *w = *state;
	struct store *from, *to;
	int calls = 0;

	from = open_at(w, w->url, 2, false);
	to = open_copy(w, 2);
	fill_ledger(w);
	assert_int_equal(copy_older(from, to, stop, &calls, &w->err), -1);
	assert_int_equal(w->err.code, ERR_CANCELLED);
	assert_int_equal(calls, 1);
	w->err = (struct err) { .code = ERR_NONE };
	if (copy_older(from, to, NULL, NULL, &w->err))
		fail_msg("a second time: %s", w->err.text);
	store_close(to);
	store_close(from);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_schema_is_copied_as_it_is),
		T(an_id_is_not_given_out_twice),
		T(a_migration_that_broke_off),
		T(two_schemas_are_not_mixed),
		T(it_can_be_broken_off),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
