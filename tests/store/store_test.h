#ifndef TESTS_STORE_STORE_TEST_H_
#define TESTS_STORE_STORE_TEST_H_

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "store/raw.h"
#include "store/store.h"

/** A folder of its own for a test, and the URL of a database; on SQLite it is
 * ${path}. */
struct place {
	char dir[64];
	char path[96];
	char url[RAW_URL_SIZE];
};

static inline struct place *
place_new(void)
{
	struct place *pl = calloc(1, sizeof(*pl));

	if (pl == NULL)
		return (NULL);
	snprintf(pl->dir, sizeof(pl->dir), "/tmp/test-store.XXXXXX");
	if (mkdtemp(pl->dir) == NULL)
		return (NULL);
	snprintf(pl->path, sizeof(pl->path), "%s/db", pl->dir);
	return (pl);
}

/** For tests of SQLite's own driver. */
static inline int
place_setup_sqlite(void **state)
{
	struct place *pl = place_new();

	if (pl == NULL)
		return (-1);
	snprintf(pl->url, sizeof(pl->url), "sqlite:%s", pl->path);
	*state = pl;
	return (0);
}

/** For tests of any store. */
static inline int
place_setup(void **state)
{
	struct place *pl = place_new();

	if (pl == NULL)
		return (-1);
	raw_make(pl->dir, pl->url);
	*state = pl;
	return (0);
}

static inline int
place_teardown(void **state)
{
	struct place *pl = *state;
	const struct dirent *de;
	char name[384];
	DIR *dir;

	raw_drop(pl->url);
	(void)chmod(pl->dir, 0700);
	dir = opendir(pl->dir);
	while (dir != NULL && (de = readdir(dir)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", pl->dir, de->d_name);
		(void)unlink(name);
	}
	if (dir != NULL)
		closedir(dir);
	(void)rmdir(pl->dir);
	free(pl);
	return (0);
}

/** Open ${pl}'s database, made and migrated if need be. */
static inline struct store *
place_store(const struct place *pl, const struct store_options *opt)
{
	struct store_options o = { .create = true, .busy_timeout_ms = 60000 };
	struct err err = { 0 };
	int64_t from, to;
	struct store *st;

	if (opt != NULL)
		o = *opt;
	st = store_open(pl->url, &o, &err);
	if (st == NULL)
		fail_msg("%s", err.text);
	if (!o.read_only && store_migrate(st, &from, &to, &err) == -1)
		fail_msg("%s", err.text);
	if (store_prepare(st, &err) == -1)
		fail_msg("%s", err.text);
	return (st);
}

/** Add a row to the table of migrations: a handy table with a key. */
static inline int
add_row(struct store *st, int64_t number, struct err *err)
{
	struct store_value row[] = {
		store_int(number),
		store_text("a row"),
		store_int(1),
	};

	return (store_exec(st, STMT_MIGRATION_ADD, row, 1, 3, NULL, err));
}

static inline int64_t
newest_row(struct store *st)
{
	int64_t n = -1;

	assert_int_equal(store_one(st, STMT_MIGRATION_NEWEST, NULL, 0, &n, 1,
	    NULL), 1);
	return (n);
}

#endif /* !TESTS_STORE_STORE_TEST_H_ */
