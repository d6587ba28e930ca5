#ifndef TESTS_ADMIN_DESK_H_
#define TESTS_ADMIN_DESK_H_

#include "cmocka_all.h"

#include <jansson.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/raw.h"
#include "store/store.h"

struct in_force;

/**
 * An installation in a folder of its own, as `leasehold init' leaves it.
 * What fails ends the test.
 */
struct desk {
	char dir[64];
	char url[RAW_URL_SIZE];
	char db_path[80];
	char key_path[80];
	char conf_path[80];		/* of these, and of .dir */
	struct store *st;
	struct seal *seal;
	struct seal_pepper pepper;
	struct err err;			/* cleared by desk_fails */
	struct in_force *in_force;	/* that visits are given; NULL */
};

/** desk_setup: On the store that LEASEHOLD_TEST_STORE names.
 * desk_setup_sqlite: on SQLite. */
int desk_setup(void **state);
int desk_setup_sqlite(void **state);
int desk_teardown(void **state);

/** A test with a desk, in a table of cmocka's. */
#define DESK_TEST(f) \
	cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

/** For a whole group of tests that ask upstreams. */
int desk_start_curl(void **state);
int desk_stop_curl(void **state);

/** desk_open_seal(d): Read the master key file again. */
void desk_open_seal(struct desk *d);

/** desk_sql(d, fmt, ...): Run SQL behind the store's back. */
void desk_sql(struct desk *d, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/** desk_number(d, fmt, ...): The one number that a query gives; -1: NULL, or
 * no row. */
int64_t desk_number(struct desk *d, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/** desk_works(d, rc): ${rc} is 0.  desk_fails(d, rc, code): ${rc} is -1, with
 * that error. */
void desk_works(struct desk *d, int rc);
void desk_fails(struct desk *d, int rc, enum err_code code);

/** desk_account(d, name, concurrency): Add one. */
void desk_account(struct desk *d, const char *name, int64_t concurrency);

/** desk_webhook(d, name, events, quiet): Add one that is told of these events,
 * by comma; ${quiet} may be NULL. */
void desk_webhook(struct desk *d, const char *name, const char *events,
    const char *quiet);

/** desk_int(j, key): A member that must be an integer. */
int64_t desk_int(const json_t *j, const char *key);

#endif /* !TESTS_ADMIN_DESK_H_ */
