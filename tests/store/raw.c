#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>
#ifdef HAVE_MYSQL
#include <mysql.h>
#endif

#include "base/err.h"
#include "store/mysql_url.h"

#include "store/raw.h"

static const char *
server(void)
{
	const char *env = getenv("LEASEHOLD_TEST_STORE");

	return (env == NULL || *env == '\0' ||
	    strcmp(env, "sqlite") == 0 ? NULL : env);
}

bool
raw_is_mysql(void)
{

	return (server() != NULL);
}

/* What became of SQL that may be refused; NULL: it must not be. */
static void
failed(const char *sql, const char *why, bool *refused)
{

	if (refused == NULL)
		fail_msg("%s: %s", sql, why);
	*refused = true;
}

/* ---- SQLite ---- */

static void
sqlite_run(const char *path, const char *sql, char *out, size_t size,
    bool *refused)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	const unsigned char *text;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (out == NULL) {
		if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
			failed(sql, why, refused);
		sqlite3_free(why);
		sqlite3_close(db);
		return;
	}
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(st) == SQLITE_ROW &&
	    (text = sqlite3_column_text(st, 0)) != NULL)
		snprintf(out, size, "%s", (const char *)text);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* ---- MySQL ---- */

#ifdef HAVE_MYSQL
static void
mysql_run(const char *url, bool database, const char *sql, char *out,
    size_t size, bool *refused)
{
	struct mysql_url u;
	struct err err = { 0 };
	MYSQL *my = mysql_init(NULL);
	MYSQL_RES *res;
	MYSQL_ROW row;
	int rc;

	if (mysql_url_parse(url + strlen("mysql:"), &u, &err))
		fail_msg("%s", err.text);
	assert_non_null(my);
	if (mysql_real_connect(my, NULL, u.user, NULL,
	    database ? u.database : NULL, 0, u.socket,
	    CLIENT_MULTI_STATEMENTS) == NULL || mysql_query(my,
	    "SET SESSION sql_mode = 'PIPES_AS_CONCAT'") != 0)
		fail_msg("%s: %s", url, mysql_error(my));
	/* As the store's own connections are. */
	if (refused != NULL && mysql_query(my,
	    "SET SESSION sql_mode = 'STRICT_ALL_TABLES'") != 0)
		fail_msg("%s: %s", url, mysql_error(my));
	rc = mysql_query(my, sql);
	for (; rc == 0; rc = mysql_next_result(my)) {
		res = mysql_store_result(my);
		if (res != NULL && (row = mysql_fetch_row(res)) != NULL &&
		    row[0] != NULL && out != NULL)
			snprintf(out, size, "%s", row[0]);
		mysql_free_result(res);
	}
	if (rc > 0)
		failed(sql, mysql_error(my), refused);
	mysql_close(my);
}
#else
static void
mysql_run(const char *url, bool database, const char *sql, char *out,
    size_t size, bool *refused)
{

	(void)database;
	(void)out;
	(void)size;
	(void)refused;
	fail_msg("%s: %s: no MySQL client library is built in", url, sql);
}
#endif

/* ---- either ---- */

void
raw_make(const char *dir, char url[RAW_URL_SIZE])
{
	static unsigned int count;
	const char *base = server(), *mark;
	char sql[128], name[64];

	if (base == NULL) {
		snprintf(url, RAW_URL_SIZE, "sqlite:%s/db", dir);
		return;
	}
	mark = strstr(base, "/NAME");
	assert_non_null(mark);
	snprintf(name, sizeof(name), "lh_%d_%u", (int)getpid(), count++);
	snprintf(url, RAW_URL_SIZE, "%.*s/%s%s", (int)(mark - base), base,
	    name, mark + strlen("/NAME"));
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s CHARACTER SET utf8mb4 "
	    "COLLATE utf8mb4_bin", name);
	mysql_run(url, false, sql, NULL, 0, NULL);
}

void
raw_drop(const char *url)
{
	struct mysql_url u;
	char sql[RAW_URL_SIZE];

	if (strncmp(url, "mysql:", 6) != 0 ||
	    mysql_url_parse(url + 6, &u, NULL))
		return;
	snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s", u.database);
	mysql_run(url, false, sql, NULL, 0, NULL);
}

static void
run(const char *url, const char *sql, char *out, size_t size, bool *refused)
{
	static const char mark[] = "{now}";
	bool mysql = strncmp(url, "mysql:", 6) == 0;
	const char *at = strstr(sql, mark);
	char text[4096];

	if (at != NULL) {
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - sql), sql,
		    mysql ? "unix_timestamp()" : "strftime('%s', 'now')",
		    at + strlen(mark));
		sql = text;
	}
	if (mysql)
		mysql_run(url, true, sql, out, size, refused);
	else
		sqlite_run(url + strlen("sqlite:"), sql, out, size, refused);
}

void
raw_sql(const char *url, const char *sql)
{

	run(url, sql, NULL, 0, NULL);
}

bool
raw_refuses(const char *url, const char *sql)
{
	bool refused = false;

	run(url, sql, NULL, 0, &refused);
	return (refused);
}

const char *
raw_text(const char *url, const char *sql)
{
	static char out[1024];

	out[0] = '\0';
	run(url, sql, out, sizeof(out), NULL);
	return (out);
}

int64_t
raw_int(const char *url, const char *sql)
{

	return (strtoll(raw_text(url, sql), NULL, 10));
}
