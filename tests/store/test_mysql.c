#include "config.h"

#include <signal.h>
#include <sys/wait.h>

#include "store/driver.h"
#include "store/mysql_internal.h"
#include "store_test.h"

/* The driver of MySQL and MariaDB, on the server that LEASEHOLD_TEST_STORE
 * names; without one all is skipped. */

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define MUST(x) do {							\
	struct err must_ = { 0 }, *why = &must_;			\
	if ((x) == -1)							\
		fail_msg("%s: %s", #x, must_.text);			\
} while (0)

static int
setup(void **state)
{

	*state = NULL;
	return (raw_is_mysql() ? place_setup(state) : 0);
}

static int
teardown(void **state)
{

	return (*state == NULL ? 0 : place_teardown(state));
}

#define NEED_SERVER(state) do {						\
	if (*(state) == NULL)						\
		skip();							\
} while (0)

/* ---- without a server ---- */

static void
test_errors_are_told_apart(void **state)
{
	static const struct {
		unsigned int number;
		enum err_code code, at_commit;
	} cases[] = {
		{ 1213, ERR_STORE_BUSY, ERR_STORE_BUSY },
		{ 1205, ERR_STORE_BUSY, ERR_STORE_BUSY },
		{ 1062, ERR_EXISTS, ERR_STORE_UNKNOWN },
		{ 1451, ERR_EXISTS, ERR_STORE_UNKNOWN },
		{ 1452, ERR_EXISTS, ERR_STORE_UNKNOWN },
		{ 3819, ERR_EXISTS, ERR_STORE_UNKNOWN },
		{ 4025, ERR_EXISTS, ERR_STORE_UNKNOWN },
		{ 1290, ERR_STORE_DOWN, ERR_STORE_DOWN },
		{ 1836, ERR_STORE_DOWN, ERR_STORE_DOWN },
		{ 2002, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 2003, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 2006, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 2013, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 2055, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 5012, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 1053, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 1047, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 1927, ERR_STORE_DOWN, ERR_STORE_UNKNOWN },
		{ 1045, ERR_PERM, ERR_STORE_UNKNOWN },
		{ 1049, ERR_SCHEMA, ERR_STORE_UNKNOWN },
		{ 1142, ERR_PERM, ERR_STORE_UNKNOWN },
		{ 1044, ERR_PERM, ERR_STORE_UNKNOWN },
		{ 1064, ERR_INTERNAL, ERR_STORE_UNKNOWN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (my_conn_code(cases[i].number) != cases[i].code ||
		    my_conn_commit_code(cases[i].number) !=
		    cases[i].at_commit)
			fail_msg("error %u", cases[i].number);
	}
}

static void
test_text_that_is_no_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", NULL },
		{ "\xff", "?" },
		{ "a\xc3", "a?" },
		{ "a\xc3z", "a?z" },
		{ "\xc0\x80", "??" },			/* too long a form */
		{ "\xe0\x80\x80", "???" },
		{ "\xed\xa0\x80", "???" },		/* surrogate */
		{ "\xf4\x90\x80\x80", "????" },		/* > U+10FFFF */
		{ "\xe2\x82\xac\xe2\x82", "\xe2\x82\xac??" },
	};
	struct store_value v;
	char room[64];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		v = store_text(cases[i].in);
		assert_memory_equal(my_text(&v, room), cases[i].out == NULL ?
		    cases[i].in : cases[i].out, v.n);
	}
	v = store_blob("\xff", 1);
	assert_memory_equal(my_text(&v, room), "\xff", 1);
}

static void
test_nobody_there(void **state)
{
	struct store_options opt = { .create = true };
	struct err err = { 0 };

	(void)state;
	assert_null(store_open("mysql://lh@localhost/lh?socket=/tmp/no/such",
	    &opt, &err));
	assert_int_equal(err.code, ERR_STORE_DOWN);
	assert_non_null(strstr(err.text, "/tmp/no/such"));
}

/* ---- with one ---- */

static void
test_each_statement_can_be_prepared(void **state)
{
	struct err err = { 0 };
	struct store *st;
	int i;

	NEED_SERVER(state);
	st = place_store(*state, NULL);
	for (i = 0; i < STMT_COUNT; i++) {
		struct my_store *s = (struct my_store *)st;

		if (stmts[i].sql[STMT_DIALECT_MYSQL] == NULL ||
		    my_stmt_is_text((enum stmt_id)i))
			continue;
		if (my_stmt_get(s, (enum stmt_id)i, &err) == NULL)
			fail_msg("%s", err.text);
	}
	store_close(st);
}

/* How the server would read table after table: "ref range const ...". */
static void
see_plan(MYSQL *my, const char *sql, char *out, size_t size)
{
	MYSQL_RES *res;
	MYSQL_ROW row;
	size_t n = 0;

	if (mysql_query(my, sql) != 0)
		fail_msg("%s: %s", sql, mysql_error(my));
	assert_non_null(res = mysql_store_result(my));
	out[0] = '\0';
	while ((row = mysql_fetch_row(res)) != NULL)
		n += (size_t)snprintf(out + n, size - n, "%s ",
		    row[3] == NULL ? "none" : row[3]);
	mysql_free_result(res);
}

/* No statement of a request's way reads a table from end to end. */
static void
test_no_statement_scans(void **state)
{
	static const enum stmt_id hot[] = {
		STMT_KEY_BY_HASH, STMT_KEY_BY_OLD_HASH,
		STMT_KEY_CHECK, STMT_SLOTS_FREE,
		STMT_SLOT_TAKE, STMT_SLOT_RELEASE, STMT_LEDGER_ATTEMPT,
		STMT_LEDGER_CLOSE, STMT_LEDGER_STATE, STMT_ATTEMPT_CLOSE,
		STMT_ATTEMPTS_BEFORE, STMT_WINDOW_READ, STMT_WINDOW_WRITE,
		STMT_LEDGER_EXTEND, STMT_RESPONDER_BEAT, STMT_TICKET_GRANT,
		STMT_TICKET_DROP, STMT_TICKETS_GRANTED, STMT_COOLDOWN_GET,
		STMT_REAP_HOLDS, STMT_REAP_LEDGER, STMT_REAP_SLOTS,
		STMT_REAP_ATTEMPTS,
	};
	const struct place *pl = *state;
	char sql[4096], plan[256];
	struct store *st;
	const char *p;
	size_t i, n;

	NEED_SERVER(state);
	st = place_store(pl, NULL);
	raw_sql(pl->url, "INSERT INTO meta VALUES ('config_version', 1)");
	raw_sql(pl->url, "INSERT INTO ledger (id, state, fence, responder_id, "
	    "created_ms, key_id, kind, model, stream, reserved_nusd, "
	    "body_bytes) SELECT seq, seq % 500 = 0, 1, seq % 7, 1, 1, 'x', "
	    "'x', 0, 0, 0 FROM seq_1_to_5000");
	raw_sql(pl->url, "INSERT INTO attempt (ledger_id, n, account_id, "
	    "started_ms) SELECT id, 1, 1, 1 FROM ledger");
	raw_sql(pl->url, "UPDATE ledger SET state = 1 WHERE id % 100 <> 0");
	raw_sql(pl->url, "ANALYZE TABLE ledger, attempt");
	for (i = 0; i < NITEMS(hot); i++) {
		n = (size_t)snprintf(sql, sizeof(sql), "EXPLAIN ");
		for (p = stmts[hot[i]].sql[STMT_DIALECT_MYSQL]; *p != '\0';
		    p++) {
			if (*p != '?')
				sql[n++] = *p;
			else
				n += (size_t)snprintf(sql + n,
				    sizeof(sql) - n, strncmp(p - 6, "LIMIT ",
				    6) == 0 ? "7" : "'7'");
		}
		sql[n] = '\0';
		see_plan(((struct my_store *)st)->my, sql, plan,
		    sizeof(plan));
		if (strstr(plan, "ALL") != NULL)
			fail_msg("%s: %s", stmts[hot[i]].name, plan);
	}
	store_close(st);
}

static int
take_text(void *arg, const struct store_value *cols, size_t ncols)
{

	(void)ncols;
	snprintf(arg, 256, "%s", store_get_text(&cols[0]));
	return (1);
}

static void
test_long_text_comes_back_whole(void **state)
{
	struct store_value row[12], name = store_text("long");
	char url[1500], text[1600];
	struct store *st;
	size_t i;

	NEED_SERVER(state);
	st = place_store(*state, NULL);
	memset(url, 'u', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	for (i = 0; i < 12; i++)
		row[i] = store_int(1);
	row[0] = name;
	row[1] = store_text("claude");
	row[2] = store_text(url);
	row[3] = store_text("bearer");
	row[4] = store_blob("\0\xff", 2);
	row[5] = store_null();
	MUST(store_begin(st, true, why));
	MUST(store_exec(st, STMT_ACCOUNT_ADD, row, 1, 12, NULL, why));
	assert_true(store_insert_id(st) > 0);
	MUST(store_commit(st, why));
	for (i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%s", raw_text(((struct place *)
		    *state)->url, "SELECT length(base_url) FROM account"));
		assert_string_equal(text, "1499");
	}
	text[0] = '\0';
	assert_int_equal(store_query(st, STMT_ACCOUNT_ROW, &name, 1,
	    take_text, text, NULL), 1);
	store_close(st);
}

static void
take_slots(struct store *st, int64_t account, int n)
{
	struct store_value v[2];
	int i;

	for (i = 1; i <= n; i++) {
		v[0] = store_int(account);
		v[1] = store_int(i);
		MUST(store_exec(st, STMT_SLOT_ADD, v, 1, 2, NULL, why));
	}
}

static int64_t
add_account(struct store *st, const char *name)
{
	struct store_value row[12];
	size_t i;

	for (i = 0; i < 12; i++)
		row[i] = store_int(1);
	row[0] = store_text(name);
	row[1] = store_text("claude");
	row[2] = store_text("http://x");
	row[3] = store_text("bearer");
	row[4] = store_blob("s", 1);
	row[5] = store_null();
	MUST(store_exec(st, STMT_ACCOUNT_ADD, row, 1, 12, NULL, why));
	return (store_insert_id(st));
}

/* A slot row's release: account, n, fence, ledger, key. */
static void
put_release(struct store_value *v, int64_t account, int64_t n, int64_t fence)
{

	v[0] = store_int(account);
	v[1] = store_int(n);
	v[2] = store_int(fence);
	v[3] = store_int(1000 + n);
	v[4] = store_int(5);
}

static void
test_rows_in_bulk_tell_what_each_did(void **state)
{
	struct store_value take[4 * 7], drop[4 * 5];
	struct err err = { 0 };
	struct store *st;
	int64_t account, changes[4];
	size_t i;

	NEED_SERVER(state);
	st = place_store(*state, NULL);
	assert_true(((struct my_store *)st)->bulk);
	MUST(store_begin(st, true, why));
	account = add_account(st, "a");
	take_slots(st, account, 4);
	for (i = 0; i < 4; i++) {
		take[7 * i] = store_int(3);
		take[7 * i + 1] = store_int(1001 + (int64_t)i);
		take[7 * i + 2] = store_int(5);
		take[7 * i + 3] = i == 2 ? store_null() : store_int(77);
		take[7 * i + 4] = store_int(account);
		take[7 * i + 5] = store_int((int64_t)i + 1);
		take[7 * i + 6] = store_int(0);
		put_release(drop + 5 * i, account, (int64_t)i + 1, 1);
	}
	MUST(store_exec(st, STMT_SLOT_TAKE, take, 4, 7, changes, why));
	for (i = 0; i < 4; i++)
		assert_int_equal(changes[i], 1);
	MUST(store_commit(st, why));

	/* One has another fence: to be run again, and then it is told. */
	drop[5 * 1 + 2] = store_int(9);
	MUST(store_begin(st, true, why));
	assert_int_equal(store_exec(st, STMT_SLOT_RELEASE, drop, 4, 5,
	    changes, &err), -1);
	assert_int_equal(err.code, ERR_STORE_BUSY);
	store_rollback(st);
	MUST(store_begin(st, true, why));
	MUST(store_exec(st, STMT_SLOT_RELEASE, drop, 4, 5, changes, why));
	assert_int_equal(changes[0], 1);
	assert_int_equal(changes[1], 0);
	assert_int_equal(changes[2], 1);
	assert_int_equal(changes[3], 1);
	MUST(store_commit(st, why));
	/* None at all is an answer, too. */
	MUST(store_begin(st, true, why));
	MUST(store_exec(st, STMT_SLOT_RELEASE, drop, 4, 5, changes, why));
	for (i = 0; i < 4; i++)
		assert_int_equal(changes[i], 0);
	MUST(store_commit(st, why));
	store_close(st);
}

static int
take_n(void *arg, const struct store_value *cols, size_t ncols)
{
	int64_t *n = arg;

	(void)ncols;
	*n = store_get_int(&cols[0]);
	return (1);
}

static void
test_locked_slots_are_skipped_and_waited_for(void **state)
{
	struct store_value v[4];
	struct store *a, *b;
	struct err err = { 0 };
	int64_t n = 0;

	NEED_SERVER(state);
	a = place_store(*state, NULL);
	b = place_store(*state, NULL);
	MUST(store_begin(a, true, why));
	v[0] = store_int(add_account(a, "a"));
	take_slots(a, v[0].i, 2);
	MUST(store_commit(a, why));
	v[1] = store_int(0);
	v[2] = store_int(10);
	v[3] = store_int(1);
	MUST(store_begin(a, true, why));
	MUST(store_begin(b, true, why));
	assert_int_equal(store_query(a, STMT_SLOTS_FREE, v, 4, take_n, &n,
	    NULL), 1);
	assert_int_equal(n, 1);
	assert_int_equal(store_query(b, STMT_SLOTS_FREE, v, 4, take_n, &n,
	    NULL), 1);
	assert_int_equal(n, 2);
	assert_int_equal(store_query(a, STMT_SLOTS_FREE, v, 4, take_n, &n,
	    NULL), 1);	/* its own */
	v[1] = store_int(1);
	assert_int_equal(store_query(a, STMT_SLOTS_FREE, v, 4, take_n, &n,
	    NULL), 0);
	assert_int_equal(store_query(a, STMT_SLOTS_FREE_WAIT, v, 4, take_n, &n,
	    &err), -1);
	assert_int_equal(err.code, ERR_STORE_BUSY);
	store_rollback(a);
	store_rollback(b);
	store_close(a);
	store_close(b);
}

static void
test_a_deadlock_is_busy(void **state)
{
	struct store_value one = store_int(1);
	struct store *st;
	const struct place *pl = *state;
	struct err err = { 0 };
	int64_t n = 0;
	int p[2], status;
	char c;
	pid_t pid;

	NEED_SERVER(state);
	st = place_store(pl, NULL);
	MUST(store_begin(st, true, why));
	one = store_int(add_account(st, "a"));
	take_slots(st, one.i, 1);
	MUST(store_commit(st, why));
	assert_int_equal(pipe(p), 0);
	if ((pid = fork()) == 0) {
		struct store *mine = place_store(pl, NULL);
		int rc;

		if (store_begin(mine, true, NULL) ||
		    store_lock(mine, STMT_LOCK_QUEUE, NULL, 0, NULL) ||
		    write(p[1], "x", 1) != 1)
			_exit(3);
		usleep(100000);
		rc = store_lock(mine, STMT_LOCK_ACCOUNT, &one, 1, &err);
		_exit(rc == 0 ? 0 : err.code == ERR_STORE_BUSY ? 1 : 2);
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	MUST(store_begin(st, true, why));
	MUST(store_lock(st, STMT_LOCK_ACCOUNT, &one, 1, why));
	n = store_lock(st, STMT_LOCK_QUEUE, NULL, 0, &err);
	if (n == -1)
		assert_int_equal(err.code, ERR_STORE_BUSY);
	store_rollback(st);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), n == 0 ? 1 : 0);
	store_close(st);
}

/* Kill all connections but the one that does it; the last that did may be about
 * to leave. */
static void
kill_connections(const struct place *pl)
{
	char sql[64];
	int64_t id;

	while ((id = raw_int(pl->url, "SELECT id FROM information_schema."
	    "processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() "
	    "AND command <> 'Killed' LIMIT 1")) != 0) {
		snprintf(sql, sizeof(sql), "KILL CONNECTION %lld",
		    (long long)id);
		(void)raw_refuses(pl->url, sql);
	}
}

static void
test_a_lost_connection(void **state)
{
	struct store *st;
	struct err err = { 0 };

	NEED_SERVER(state);
	st = place_store(*state, NULL);
	/* Before the commit: nothing was done. */
	MUST(store_begin(st, true, why));
	MUST(add_row(st, 101, why));
	kill_connections(*state);
	assert_int_equal(add_row(st, 102, &err), -1);
	assert_int_equal(err.code, ERR_STORE_DOWN);
	store_rollback(st);
	store_close(st);
	st = place_store(*state, NULL);
	assert_int_equal(newest_row(st), store_schema_wanted());
	/* At the commit: who knows? */
	MUST(store_begin(st, true, why));
	MUST(add_row(st, 101, why));
	kill_connections(*state);
	err_clear(&err);
	assert_int_equal(store_commit(st, &err), -1);
	assert_int_equal(err.code, ERR_STORE_UNKNOWN);
	store_close(st);
}

static void
test_after_silence_it_connects_anew(void **state)
{
	struct store *st;

	NEED_SERVER(state);
	st = place_store(*state, NULL);
	kill_connections(*state);
	((struct my_store *)st)->used_ms -= 60000;
	MUST(store_begin(st, true, why));
	MUST(add_row(st, 101, why));
	MUST(store_commit(st, why));
	kill_connections(*state);
	((struct my_store *)st)->used_ms -= 60000;
	assert_int_equal(newest_row(st), 101);
	store_close(st);
}

static void
test_rights_that_are_missing(void **state)
{
	const struct place *pl = *state;
	struct store_options opt = { .create = true };
	struct err err = { 0 };
	struct mysql_url u;
	char url[RAW_URL_SIZE], sql[RAW_URL_SIZE];
	int64_t from, to;
	struct store *st;

	NEED_SERVER(state);
	assert_int_equal(mysql_url_parse(pl->url + 6, &u, NULL), 0);
	snprintf(url, sizeof(url), "mysql://poor@localhost/%s?socket=%s",
	    u.database, u.socket);
	raw_sql(pl->url, "CREATE OR REPLACE USER poor@localhost IDENTIFIED "
	    "BY 'rich'");
	assert_null(store_open(url, &opt, &err));
	assert_int_equal(err.code, ERR_PERM);
	assert_non_null(strstr(err.text, "password"));

	assert_int_equal(setenv("LEASEHOLD_STORE_PASSWORD", "rich", 1), 0);
	err_clear(&err);
	assert_null(store_open(url, &opt, &err));
	assert_int_equal(err.code, ERR_PERM);
	assert_non_null(strstr(err.text, "GRANT SELECT, INSERT"));

	(void)unsetenv("LEASEHOLD_STORE_PASSWORD");
	store_close(place_store(pl, NULL));
	assert_int_equal(setenv("LEASEHOLD_STORE_PASSWORD", "rich", 1), 0);
	snprintf(sql, sizeof(sql), "GRANT SELECT ON %s.* TO poor@localhost",
	    u.database);
	raw_sql(pl->url, sql);
	err_clear(&err);
	opt.create = false;
	assert_non_null(st = store_open(url, &opt, &err));
	assert_int_equal(store_prepare(st, &err), -1);
	assert_int_equal(err.code, ERR_PERM);
	assert_non_null(strstr(err.text, "GRANT SELECT, INSERT"));
	store_close(st);

	snprintf(sql, sizeof(sql), "GRANT SELECT, INSERT, UPDATE, DELETE, "
	    "CREATE, ALTER, DROP, INDEX, REFERENCES ON %s.* TO "
	    "poor@localhost", u.database);
	raw_sql(pl->url, sql);
	assert_non_null(st = store_open(url, &opt, NULL));
	MUST(store_migrate(st, &from, &to, why));
	MUST(store_prepare(st, why));
	store_close(st);
	(void)unsetenv("LEASEHOLD_STORE_PASSWORD");
	raw_sql(pl->url, "DROP USER poor@localhost");
}

static void
test_a_database_that_is_missing(void **state)
{
	const struct place *pl = *state;
	struct store_options opt = { .create = false };
	struct err err = { 0 };
	struct store *st;

	NEED_SERVER(state);
	raw_drop(pl->url);
	assert_null(store_open(pl->url, &opt, &err));
	assert_int_equal(err.code, ERR_SCHEMA);
	assert_non_null(strstr(err.text, "leasehold init"));
	opt.create = true;
	err_clear(&err);
	if ((st = store_open(pl->url, &opt, &err)) == NULL)
		fail_msg("%s", err.text);
	store_close(st);
}

static void
test_the_clock_is_the_servers(void **state)
{
	const struct place *pl = *state;
	struct store *st;
	int64_t apart;

	NEED_SERVER(state);
	st = place_store(pl, NULL);
	apart = store_now_ms(st) - raw_int(pl->url, "SELECT "
	    "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)");
	assert_true(apart > -2000 && apart < 2000);
	store_close(st);
}

static void
test_read_views_stand_still(void **state)
{
	struct store *st, *other;

	NEED_SERVER(state);
	st = place_store(*state, NULL);
	other = place_store(*state, NULL);
	MUST(store_begin(st, false, why));
	MUST(store_begin(other, true, why));
	MUST(add_row(other, 101, why));
	MUST(store_commit(other, why));
	assert_int_equal(newest_row(st), store_schema_wanted());
	MUST(store_commit(st, why));
	assert_int_equal(newest_row(st), 101);
	store_close(other);
	store_close(st);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_are_told_apart),
		cmocka_unit_test(test_text_that_is_no_utf8),
		cmocka_unit_test(test_nobody_there),
		T(test_each_statement_can_be_prepared),
		T(test_no_statement_scans),
		T(test_long_text_comes_back_whole),
		T(test_rows_in_bulk_tell_what_each_did),
		T(test_locked_slots_are_skipped_and_waited_for),
		T(test_a_deadlock_is_busy),
		T(test_a_lost_connection),
		T(test_after_silence_it_connects_anew),
		T(test_rights_that_are_missing),
		T(test_a_database_that_is_missing),
		T(test_the_clock_is_the_servers),
		T(test_read_views_stand_still),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
