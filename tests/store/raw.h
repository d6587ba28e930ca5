#ifndef TESTS_STORE_RAW_H_
#define TESTS_STORE_RAW_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A database of its own for a test, on SQLite, or on the server that
 * LEASEHOLD_TEST_STORE names (tests/mariadb.sh); and SQL on it that does not
 * go through what is tested.  Failures end the test.
 */

#define RAW_URL_SIZE	512

/** raw_is_mysql(): Do the tests run on a server? */
bool raw_is_mysql(void);

/** raw_make(dir, url): Name a new database, in ${dir} on SQLite; on a server it
 * is made, without tables.  raw_drop(url): Drop it; files are left. */
void raw_make(const char *dir, char url[RAW_URL_SIZE]);
void raw_drop(const char *url);

/** raw_sql(url, sql): Run it.  raw_refuses: Run it as the store itself would;
 * was it refused?  raw_text(url, sql): First column of the first row, "" if
 * there is none; until the next call.  "{now}" stands for the time in seconds,
 * once. */
void raw_sql(const char *url, const char *sql);
bool raw_refuses(const char *url, const char *sql);
const char *raw_text(const char *url, const char *sql);
int64_t raw_int(const char *url, const char *sql);

#endif /* !TESTS_STORE_RAW_H_ */
