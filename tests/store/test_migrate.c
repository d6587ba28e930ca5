#include "config.h"

#include <sqlite3.h>
#include <sys/wait.h>

#include "store/driver.h"
#include "store/fake.h"
#include "store_test.h"

static struct store *
open_raw(const struct place *pl)
{
	struct store_options opt = { .create = true, .busy_timeout_ms = 60000 };
	struct err err = { 0 };
	struct store *st;

	st = store_open(pl->url, &opt, &err);
	if (st == NULL)
		fail_msg("%s", err.text);
	return (st);
}

static void
test_an_empty_database_says_what_to_run(void **state)
{
	struct store *st = open_raw(*state);
	struct err err = { 0 };
	int64_t version = -1;

	assert_int_equal(store_schema_version(st, &version, &err), 0);
	assert_int_equal(version, 0);
	assert_int_equal(store_prepare(st, &err), -1);
	assert_int_equal(err.code, ERR_SCHEMA);
	assert_non_null(strstr(err.text, "run: leasehold migrate"));
	store_close(st);
}

static void
test_migrate_twice_does_nothing_the_second_time(void **state)
{
	struct store *st = open_raw(*state);
	int64_t from = -1, to = -1;

	assert_int_equal(store_migrate(st, &from, &to, NULL), 0);
	assert_int_equal(from, 0);
	assert_int_equal(to, store_schema_wanted());
	assert_int_equal(newest_row(st), store_schema_wanted());
	assert_int_equal(store_migrate(st, &from, &to, NULL), 0);
	assert_int_equal(from, store_schema_wanted());
	assert_int_equal(to, store_schema_wanted());
	assert_int_equal(store_prepare(st, NULL), 0);
	store_close(st);
}

/* In a child: make the database from nothing.  Exits 0 if it is whole. */
static void
make_it(const struct place *pl)
{
	struct store_options opt = { .create = true, .busy_timeout_ms = 60000 };
	struct store *st;
	int64_t from, to;

	st = store_open(pl->url, &opt, NULL);
	if (st == NULL)
		_exit(1);
	if (store_migrate(st, &from, &to, NULL) == -1)
		_exit(2);
	if (to != store_schema_wanted() || store_prepare(st, NULL) == -1)
		_exit(3);
	store_close(st);
	_exit(0);
}

static void
test_migrations_in_parallel(void **state)
{
	pid_t pids[6];
	int status;
	size_t i;

	for (i = 0; i < 6; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			make_it(*state);
	}
	for (i = 0; i < 6; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void
test_a_newer_schema_is_left_alone(void **state)
{
	struct store *st = place_store(*state, NULL);
	struct err err = { 0 };
	int64_t from, to;

	assert_int_equal(store_begin(st, true, NULL), 0);
	assert_int_equal(add_row(st, store_schema_wanted() + 1, NULL), 0);
	assert_int_equal(store_commit(st, NULL), 0);
	assert_int_equal(store_prepare(st, &err), -1);
	assert_int_equal(err.code, ERR_SCHEMA);
	assert_non_null(strstr(err.text, "newer Leasehold"));
	err_clear(&err);
	assert_int_equal(store_migrate(st, &from, &to, &err), -1);
	assert_int_equal(err.code, ERR_SCHEMA);
	assert_non_null(strstr(err.text, "restore a backup"));
	store_close(st);
}

static void
test_a_migration_that_fails_leaves_nothing(void **state)
{
	const struct place *pl = *state;
	struct store *st = open_raw(pl);
	struct err err = { 0 };
	int64_t from, to, version = -1;
	sqlite3 *db;

	/* A table in the way of one of the migration's own. */
	assert_int_equal(sqlite3_open(pl->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE ledger (x)", NULL,
	    NULL, NULL), SQLITE_OK);
	assert_int_equal(store_migrate(st, &from, &to, &err), -1);
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_non_null(strstr(err.text, "migration 0001-init: "));
	assert_non_null(strstr(err.text, "ledger"));
	assert_int_equal(store_schema_version(st, &version, NULL), 0);
	assert_int_equal(version, 0);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE ledger", NULL, NULL,
	    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(store_migrate(st, &from, &to, NULL), 0);
	store_close(st);
}

/* What the compiler of statements thinks of each is what SQLite thinks. */
static void
test_statements_are_what_the_table_says(void **state)
{
	const struct place *pl = *state;
	sqlite3_stmt *stmt;
	const char *sql;
	sqlite3 *db;
	int i;

	store_close(place_store(pl, NULL));
	assert_int_equal(sqlite3_open(pl->path, &db), SQLITE_OK);
	for (i = 0; i < STMT_COUNT; i++) {
		sql = stmts[i].sql[STMT_DIALECT_SQLITE];
		if (sql == NULL || stmts[i].setting || stmts[i].marked)
			continue;
		if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
			fail_msg("%s: %s", stmts[i].name, sqlite3_errmsg(db));
		if (sqlite3_bind_parameter_count(stmt) !=
		    (int)stmts[i].nparams)
			fail_msg("%s: %d parameters", stmts[i].name,
			    sqlite3_bind_parameter_count(stmt));
		if (stmts[i].read_only && !sqlite3_stmt_readonly(stmt))
			fail_msg("%s: writes", stmts[i].name);
		assert_true(sqlite3_column_count(stmt) <= STORE_COLUMNS_MAX);
		sqlite3_finalize(stmt);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_the_fake_keeps_to_its_script(void **state)
{
	static const struct store_value rows[] = {
		{ .type = STORE_INT, .i = 7 }, { .type = STORE_INT, .i = 8 },
	};
	static const struct fake_step steps[] = {
		{ .id = STMT_MIGRATION_ADD, .changes = 3 },
		{ .id = STMT_META_GET, .rows = rows, .nrows = 2, .ncols = 1 },
		{ .id = STMT_META_PUT, .fail = ERR_EXISTS },
	};
	struct store_fake *fake = store_fake_new();
	struct store_options opt = {
		.driver = &store_driver_fake, .driver_arg = fake,
	};
	struct store *st = store_open("fake:", &opt, NULL);
	struct store_value p[3] = { store_int(1), store_int(2), store_int(3) };
	struct err err = { 0 };
	int64_t changes = 0, out = 0;

	(void)state;
	assert_non_null(st);
	store_fake_script(fake, steps, 3);
	assert_int_equal(store_prepare(st, NULL), 0);
	assert_int_equal(store_begin(st, true, NULL), 0);
	assert_int_equal(store_exec(st, STMT_MIGRATION_ADD, p, 1, 3, &changes,
	    NULL), 0);
	assert_int_equal(changes, 3);
	assert_int_equal(store_one(st, STMT_META_GET, p, 1, &out, 1, NULL), 1);
	assert_int_equal(out, 7);
	assert_int_equal(store_exec(st, STMT_META_PUT, p, 1, 2, NULL, &err),
	    -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_int_equal(store_fake_left(fake), 0);
	err_clear(&err);
	assert_int_equal(store_exec(st, STMT_META_PUT, p, 1, 2, NULL, &err),
	    -1);
	assert_non_null(strstr(err.text, "after the end of the script"));
	store_fake_script(fake, steps, 3);
	err_clear(&err);
	assert_int_equal(store_exec(st, STMT_META_PUT, p, 1, 2, NULL, &err),
	    -1);
	assert_non_null(strstr(err.text, "instead of migration_add"));
	assert_int_equal(store_fake_left(fake), 3);
	store_fake_fail(fake, FAKE_COMMIT, ERR_STORE_UNKNOWN, 1);
	err_clear(&err);
	assert_int_equal(store_commit(st, &err), -1);
	assert_int_equal(err.code, ERR_STORE_UNKNOWN);
	assert_int_equal(store_begin(st, true, NULL), 0);
	assert_int_equal(store_commit(st, NULL), 0);
	assert_int_equal(store_fake_calls(fake, FAKE_COMMIT), 2);
	store_close(st);
	store_fake_free(fake);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)
#define TS(f) cmocka_unit_test_setup_teardown(f, place_setup_sqlite,	\
	place_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_an_empty_database_says_what_to_run),
		T(test_migrate_twice_does_nothing_the_second_time),
		T(test_migrations_in_parallel),
		T(test_a_newer_schema_is_left_alone),
		TS(test_a_migration_that_fails_leaves_nothing),
		TS(test_statements_are_what_the_table_says),
		cmocka_unit_test(test_the_fake_keeps_to_its_script),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
