#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/raw.h"
#include "store/store.h"

#include "copy.h"

/* From SQLite to the store that LEASEHOLD_TEST_STORE names (else SQLite), and
 * back. */

#define LEDGER_ROWS	2300	/* more than two pages */

struct world {
	char dir[64];
	char urls[3][RAW_URL_SIZE];
	struct store *stores[3];
};

static struct store *
open_store(const char *url)
{
	struct store_options opt = { .create = true };
	struct err err = { 0 };
	struct store *st;
	int64_t from, to;

	if ((st = store_open(url, &opt, &err)) == NULL ||
	    store_migrate(st, &from, &to, &err) || store_prepare(st, &err))
		fail_msg("%s", err.text);
	return (st);
}

static void
fill(const char *url)
{
	char sql[1024];

	raw_sql(url, "INSERT INTO meta VALUES ('config_version', 41), "
	    "('installation_id', 'abc'), ('pepper', x'00ff10'), "
	    "('probe', 5);"
	    "INSERT INTO account_group (id, name, created_ms) "
	    "VALUES (7, 'gr\xc3\xbcn', 1);"
	    "INSERT INTO account (id, name, platform, base_url, credential, "
	    "secret, group_id, created_ms, updated_ms) VALUES (3, 'a', "
	    "'claude', 'http://x', 'bearer', x'0001ff', 7, 1, 2);"
	    "INSERT INTO slot (account_id, n) VALUES (3, 1), (3, 2);"
	    "INSERT INTO cooldown VALUES (3, '', 'error', '', 1, 2, 0, 1, "
	    "NULL, 1, 1, 77, 2, 9);"
	    "INSERT INTO api_key (id, name, visible, hash, created_ms) "
	    "VALUES (9, 'k', 'sk-lh-x', x'feff', 1);"
	    "INSERT INTO key_secret VALUES (x'00fe', 9, 'sk-lh-w', 5);"
	    "INSERT INTO latency_hour VALUES (1, 9, 3, 7, 0, 'm', '5:6', "
	    "'7:8');"
	    "INSERT INTO latency_day VALUES (0, 9, 3, 7, 0, 'm', '5:6', '');"
	    "INSERT INTO meta VALUES ('latency_mark', 7000000000000000001);"
	    "INSERT INTO budget (id, name, scope, scope_id, kind, "
	    "limit_value, created_ms) VALUES (2, 'b', 'key', 9, 'money', "
	    "9007199254740993, 1);"
	    "INSERT INTO budget_window VALUES (2, 0, 5, 6, 4)");
	snprintf(sql, sizeof(sql), "WITH RECURSIVE i(n) AS (SELECT 1 UNION "
	    "ALL SELECT n + 1 FROM i WHERE n < %d) INSERT INTO ledger (id, "
	    "state, fence, responder_id, created_ms, key_id, kind, model, "
	    "stream, reserved_nusd, body_bytes, cost_nusd) SELECT "
	    "7000000000000000000 + n * 10, 1, 1, 1, n, 9, 'messages', "
	    "'model-' || n, n %% 2, n, n, n FROM i", LEDGER_ROWS);
	raw_sql(url, sql);
	raw_sql(url, "INSERT INTO attempt (ledger_id, n, account_id, "
	    "started_ms) SELECT id, 1, 3, 1 FROM ledger UNION ALL "
	    "SELECT id, 2, 3, 1 FROM ledger WHERE stream = 1;"
	    "UPDATE ledger SET holds = '[[2,0,0,4]]' WHERE stream = 0");
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	size_t i;

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/test-copy.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->urls[0], RAW_URL_SIZE, "sqlite:%s/a", w->dir);
	raw_make(w->dir, w->urls[1]);
	snprintf(w->urls[2], RAW_URL_SIZE, "sqlite:%s/c", w->dir);
	for (i = 0; i < 3; i++)
		w->stores[i] = open_store(w->urls[i]);
	fill(w->urls[0]);
	*state = w;
	return (0);
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[128];
	size_t i;

	for (i = 0; i < 3; i++)
		store_close(w->stores[i]);
	raw_drop(w->urls[1]);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return (0);
}

static void
copy(struct world *w, int from, int to, struct copy_sum *sums)
{
	struct err err = { 0 };

	if (copy_store(w->stores[from], w->stores[to], sums, &err))
		fail_msg("%s", err.text);
}

static void
there_and_back_it_is_the_same(void **state)
{
	static const char *const looks[] = {
		"SELECT count(*) FROM ledger",
		"SELECT sum(id % 1000000) + sum(cost_nusd) FROM ledger",
		"SELECT count(*) FROM attempt",
		"SELECT count(*) FROM ledger WHERE holds = '[[2,0,0,4]]'",
		"SELECT hex(secret) FROM account",
		"SELECT hex(name) FROM account_group",
		"SELECT limit_value FROM budget",
		"SELECT value + 1 FROM meta WHERE name = 'config_version'",
		"SELECT hex(value) FROM meta WHERE name = 'pepper'",
	};
	struct world *w = *state;
	struct copy_sum there[COPY_TABLES], back[COPY_TABLES];
	char first[256];
	size_t i;

	copy(w, 0, 1, there);
	copy(w, 1, 2, back);
	for (i = 0; i < COPY_TABLES; i++) {
		assert_int_equal(there[i].rows, back[i].rows);
		assert_true(there[i].numbers == back[i].numbers);
		assert_true(there[i].bytes == back[i].bytes);
	}
	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		snprintf(first, sizeof(first), "%s", raw_text(w->urls[0],
		    looks[i]));
		assert_string_equal(raw_text(w->urls[1], looks[i]), first);
		assert_string_equal(raw_text(w->urls[2], looks[i]), first);
	}
	assert_int_equal(raw_int(w->urls[2], "SELECT count(*) FROM meta "
	    "WHERE name = 'probe'"), 0);
}

static void
each_table_is_copied(void **state)
{
	struct world *w = *state;
	struct copy_sum sums[COPY_TABLES];

	copy(w, 0, 1, sums);
	/* The table of migrations is the target's own; browsers sign in again,
	 * and what waits for people is void. */
	assert_int_equal(raw_int(w->urls[0], "SELECT count(*) FROM "
	    "sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' "
	    "AND name NOT IN ('migration', 'sign_in', 'sign_in_try', "
	    "'invitation', 'oauth_start')"), COPY_TABLES);
}

/* Whatever the store makes ids for, the last of them were given to rows that
 * are gone. */
static void
ids_are_not_given_twice(void **state)
{
	struct world *w = *state;
	struct copy_sum sums[COPY_TABLES];
	int64_t n;

	raw_sql(w->urls[0], "DELETE FROM sqlite_sequence; INSERT INTO "
	    "sqlite_sequence SELECT name, 1000 + rowid FROM sqlite_master "
	    "WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' "
	    "AND name NOT IN ('sign_in', 'invitation')");
	n = raw_int(w->urls[0], "SELECT count(*) FROM sqlite_sequence");
	assert_true(n >= 8);
	copy(w, 0, 1, sums);
	copy(w, 1, 2, sums);
	assert_int_equal(raw_int(w->urls[2],
	    "SELECT count(*) FROM sqlite_sequence"), n);
	assert_int_equal(raw_int(w->urls[2], "SELECT sum(seq) FROM "
	    "sqlite_sequence"), raw_int(w->urls[0],
	    "SELECT sum(seq) FROM sqlite_sequence"));
	raw_sql(w->urls[1], "INSERT INTO account_group (name, created_ms) "
	    "VALUES ('new', 1)");
	assert_int_equal(raw_int(w->urls[1], "SELECT max(id) FROM "
	    "account_group"), 1 + raw_int(w->urls[0], "SELECT seq FROM "
	    "sqlite_sequence WHERE name = 'account_group'"));
	assert_int_equal(raw_int(w->urls[1], "SELECT count(*) FROM "
	    "responder"), 0);
}

static void
only_an_empty_store_is_copied_to(void **state)
{
	struct world *w = *state;
	struct copy_sum sums[COPY_TABLES];
	struct err err = { 0 };

	raw_sql(w->urls[1], "INSERT INTO person (name, created_ms) "
	    "VALUES ('p', 1)");
	assert_int_equal(copy_store(w->stores[0], w->stores[1], sums, &err),
	    -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_non_null(strstr(err.text, "rows in person"));
	raw_sql(w->urls[1], "DELETE FROM person; INSERT INTO attempt "
	    "(ledger_id, n, account_id, started_ms) VALUES (1, 1, 1, 1)");
	err_clear(&err);
	assert_int_equal(copy_store(w->stores[0], w->stores[1], sums, &err),
	    -1);
	assert_non_null(strstr(err.text, "rows in attempt"));
}

static void
a_pool_that_runs_is_not_copied(void **state)
{
	struct world *w = *state;
	struct copy_sum sums[COPY_TABLES];
	struct err err = { 0 };
	char sql[512];

	snprintf(sql, sizeof(sql), "INSERT INTO responder (kind, node, host, "
	    "pid, lock_path, wake_path, version, started_ms, beat, beat_ms) "
	    "VALUES ('relay', 1, 'h', 1, '/l', '/w', '1', 1, 1, %lld)",
	    (long long)store_now_ms(w->stores[0]));
	raw_sql(w->urls[0], sql);
	assert_int_equal(copy_store(w->stores[0], w->stores[1], sums, &err),
	    -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_non_null(strstr(err.text, "1 responders run"));
	raw_sql(w->urls[0], "UPDATE responder SET beat_ms = beat_ms - 60000");
	copy(w, 0, 1, sums);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(there_and_back_it_is_the_same),
		T(each_table_is_copied),
		T(ids_are_not_given_twice),
		T(only_an_empty_store_is_copied_to),
		T(a_pool_that_runs_is_not_copied),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
