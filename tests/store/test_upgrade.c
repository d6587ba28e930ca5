#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/raw.h"
#include "store/store.h"

/* A database that an older Leasehold worked in is taken over as it is. */

struct place {
	char dir[64];
	char url[RAW_URL_SIZE];
};

static int
setup(void **state)
{
	struct place *pl = calloc(1, sizeof(*pl));

	if (pl == NULL)
		return (-1);
	snprintf(pl->dir, sizeof(pl->dir), "/tmp/test-upgrade.XXXXXX");
	if (mkdtemp(pl->dir) == NULL)
		return (-1);
	raw_make(pl->dir, pl->url);
	*state = pl;
	return (0);
}

static int
teardown(void **state)
{
	struct place *pl = *state;
	char command[128];

	raw_drop(pl->url);
	snprintf(command, sizeof(command), "rm -r %s", pl->dir);
	free(pl);
	return (system(command) == 0 ? 0 : -1);
}

static const struct stmt_migration *
migrations(void)
{

	return (stmt_migrations[raw_is_mysql() ? STMT_DIALECT_MYSQL :
	    STMT_DIALECT_SQLITE]);
}

/* The first ${n} migrations. */
static void
make_old(const struct place *pl, int n)
{
	struct store_options opt = { .create = true };
	struct err err = { 0 };
	struct store *st;
	char sql[256];
	int i;

	st = store_open(pl->url, &opt, &err);
	assert_non_null(st);
	store_close(st);
	for (i = 0; i < n; i++) {
		raw_sql(pl->url, migrations()[i].sql);
		snprintf(sql, sizeof(sql), "INSERT INTO migration VALUES "
		    "(%d, '%s', 1)", i + 1, migrations()[i].name);
		raw_sql(pl->url, sql);
	}
}

static void
migrate(const struct place *pl)
{
	struct store_options opt = { .create = true };
	struct err err = { 0 };
	int64_t from, to;
	struct store *st;

	st = store_open(pl->url, &opt, &err);
	assert_non_null(st);
	if (store_migrate(st, &from, &to, &err) || store_prepare(st, &err))
		fail_msg("%s", err.text);
	assert_int_equal(to, store_schema_wanted());
	store_close(st);
}

/* An open request, one that was given up as lost, and one that is settled. */
static const char before_money[] =
    "INSERT INTO api_key (id, name, visible, hash, created_ms) "
    "VALUES (1, 'k', 'v', x'00', 1);"
    "INSERT INTO budget (id, scope, scope_id, kind, limit_value, created_ms) "
    "VALUES (1, 'key', 1, 'money', 1000000, 1), "
    "(5, 'key', 1, 'requests', 10, 1);"
    "INSERT INTO budget (id, scope, scope_id, kind, period, limit_value, "
    "created_ms, enabled) VALUES (7, 'key', 1, 'tokens', 'rolling', 10, 1, "
    "0);"
    "INSERT INTO budget_window (budget_id, start_ms, spent, reserved) "
    "VALUES (1, 0, 5030, 400), (5, 0, 3, 1);"
    "INSERT INTO ledger (id, state, fence, responder_id, created_ms, key_id, "
    "kind, model, stream, reserved_nusd, body_bytes, cost_nusd, outcome, "
    "mark) VALUES "
    "(10, 0, 1, 1, 1, 1, 'messages', 'm', 0, 400, 1, NULL, NULL, NULL), "
    "(11, 2, 1, 1, 1, 1, 'messages', 'm', 0, 2000, 1, 2000, 'lost', 3), "
    "(12, 1, 1, 1, 1, 1, 'messages', 'm', 0, 2000, 1, 30, 'ok', 1);"
    "INSERT INTO reservation VALUES (10, 1, 0, 400), (10, 5, 0, 1), "
    "(11, 1, 0, 2000), (11, 5, 0, 1)";

static void
what_was_reserved_stands_on_the_rows(void **state)
{
	static const struct {
		const char *sql, *text;
	} looks[] = {
		{ "SELECT holds FROM ledger WHERE id = 10",
		    "[[1,0,0,400],[5,0,4,1]]" },
		{ "SELECT holds FROM ledger WHERE id = 11",
		    "[[1,0,0,2000],[5,0,4,1]]" },
		{ "SELECT holds FROM ledger WHERE id = 12", "" },
		{ "SELECT spent || ' ' || reserved || ' ' || kept "
		    "FROM budget_window WHERE budget_id = 1",
		    "5030 400 3030" },
		{ "SELECT spent || ' ' || reserved || ' ' || kept "
		    "FROM budget_window WHERE budget_id = 5", "3 1 2" },
		{ "SELECT name || ' ' || policy || ' ' || zone || ' ' || "
		    "length_ms || ' ' || enabled FROM budget WHERE id = 7",
		    "budget-7 elastic UTC 86400000 0" },
		{ "SELECT count(*) FROM budget WHERE length_ms = 0", "2" },
	};
	const struct place *pl = *state;
	size_t i;

	make_old(pl, 2);
	raw_sql(pl->url, before_money);
	if (raw_is_mysql()) {
		/* Where it broke off it is run again: at worst all of it. */
		raw_sql(pl->url, migrations()[2].sql);
		raw_sql(pl->url, "COMMIT");
	}
	migrate(pl);
	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		assert_string_equal(raw_text(pl->url, looks[i].sql),
		    looks[i].text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_was_reserved_stands_on_the_rows, setup, teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
