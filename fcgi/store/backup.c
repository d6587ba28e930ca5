#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/err.h"
#include "store/backup.h"
#include "stmts.h"

/* 4 MiB at a time: some ms of copying. */
#define STEP_PAGES	1024

/* While checking: so many of SQLite's instructions from call to call. */
#define CHECK_OPS	100000

struct backup {
	const char *from, *to;
	char part[PATH_MAX];		/* until it is whole */
	sqlite3 *source, *copy;
	int (*go_on)(void *arg, struct err *err);
	void *arg;
	struct err *err;
	bool ended;			/* go_on said so */
};

static int
fail(const struct backup *b, sqlite3 *db, int rc, const char *what)
{

	err_set(b->err, rc == SQLITE_NOMEM ? ERR_NOMEM :
	    rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? ERR_STORE_BUSY : ERR_IO,
	    "cannot back up %s to %s: %s: %s", b->from, b->to, what,
	    db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(db));
	return (-1);
}

static int
goes_on(struct backup *b)
{

	if (b->go_on == NULL || b->go_on(b->arg, b->err) == 0)
		return (0);
	b->ended = true;
	return (-1);
}

/* The file that will be the copy, readable for nobody else from the start;
 * one that a killed process left is taken away. */
static int
make_part(struct backup *b)
{
	int fd;

	if (access(b->to, F_OK) == 0) {
		err_set(b->err, ERR_EXISTS, "%s is there already", b->to);
		return (-1);
	}
	if ((size_t)snprintf(b->part, sizeof(b->part), "%s.part", b->to) >=
	    sizeof(b->part)) {
		err_set(b->err, ERR_RANGE, "%.40s...: too long a path", b->to);
		return (-1);
	}
	(void)unlink(b->part);
	fd = open(b->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		err_set_errno(b->err, errno == EACCES ? ERR_PERM : ERR_IO,
		    errno, "cannot make %s", b->part);
		return (-1);
	}
	(void)close(fd);
	return (0);
}

static int
open_both(struct backup *b)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE;
	int rc;

	if ((rc = sqlite3_open_v2(b->from, &b->source, flags, NULL)) !=
	    SQLITE_OK)
		return (fail(b, b->source, rc, "open"));
	if ((rc = sqlite3_open_v2(b->part, &b->copy, flags, NULL)) !=
	    SQLITE_OK)
		return (fail(b, b->copy, rc, "open"));
	return (0);
}

static int
run(struct backup *b, sqlite3 *db, enum stmt_id id)
{
	int rc;

	rc = sqlite3_exec(db, stmts[id].sql[STMT_DIALECT_SQLITE], NULL, NULL,
	    NULL);
	return (rc == SQLITE_OK ? 0 : fail(b, db, rc, stmts[id].name));
}

static int
copy_pages(struct backup *b)
{
	sqlite3_backup *pages;
	int rc;

	if ((pages = sqlite3_backup_init(b->copy, "main", b->source,
	    "main")) == NULL)
		return (fail(b, b->copy, sqlite3_errcode(b->copy), "begin"));
	while ((rc = sqlite3_backup_step(pages, STEP_PAGES)) == SQLITE_OK) {
		if (goes_on(b) == 0)
			continue;
		(void)sqlite3_backup_finish(pages);
		return (-1);
	}
	if (sqlite3_backup_finish(pages) != SQLITE_OK || rc != SQLITE_DONE)
		return (fail(b, b->copy, rc, "copy"));
	return (0);
}

/* The view of one moment: it begins with the first look. */
static int
copy_at_once(struct backup *b)
{
	int rc;

	if (run(b, b->source, STMT_BEGIN_READ) ||
	    run(b, b->source, STMT_MIGRATION_TABLE))
		return (-1);
	rc = copy_pages(b);
	(void)sqlite3_exec(b->source,
	    stmts[STMT_ROLLBACK].sql[STMT_DIALECT_SQLITE], NULL, NULL, NULL);
	return (rc);
}

static int
while_checking(void *arg)
{

	return (goes_on(arg) != 0);
}

static int
take_verdict(void *arg, int n, char **columns, char **names)
{
	bool *good = arg;

	(void)names;
	*good = n == 1 && columns[0] != NULL && strcmp(columns[0], "ok") == 0;
	return (0);
}

static int
check_copy(struct backup *b)
{
	bool good = false;
	int rc;

	sqlite3_progress_handler(b->copy, CHECK_OPS, while_checking, b);
	rc = sqlite3_exec(b->copy, stmts[STMT_SQLITE_CHECK].sql[
	    STMT_DIALECT_SQLITE], take_verdict, &good, NULL);
	sqlite3_progress_handler(b->copy, 0, NULL, NULL);
	if (b->ended)
		return (-1);
	if (rc != SQLITE_OK)
		return (fail(b, b->copy, rc, "check"));
	if (good)
		return (0);
	err_set(b->err, ERR_IO, "the copy %s is damaged, and so may be %s",
	    b->part, b->from);
	return (-1);
}

/* On disk, and only then under its name. */
static int
finish(struct backup *b, int64_t *bytes)
{
	char folder[PATH_MAX];
	struct stat sb;
	int fd, dir, rc;

	(void)snprintf(folder, sizeof(folder), "%s", b->to);
	if ((fd = open(b->part, O_RDWR | O_CLOEXEC)) == -1)
		goto err0;
	if (fsync(fd) == -1 || fstat(fd, &sb) == -1)
		goto err1;
	(void)close(fd);
	if (link(b->part, b->to) == -1 || unlink(b->part) == -1)
		goto err0;
	*bytes = sb.st_size;
	if ((dir = open(dirname(folder), O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		goto err0;
	rc = fsync(dir);
	(void)close(dir);
	if (rc == 0)
		return (0);
	goto err0;

err1:
	(void)close(fd);
err0:
	err_set_errno(b->err, errno == EEXIST ? ERR_EXISTS : ERR_IO, errno,
	    "cannot finish %s", b->to);
	return (-1);
}

int
backup_make(const char *from, const char *to,
    int (*go_on)(void *arg, struct err *err), void *arg, int64_t *bytes,
    struct err *err)
{
	struct backup b = {
		.from = from, .to = to, .go_on = go_on, .arg = arg, .err = err
	};
	char beside[PATH_MAX + 16];
	int rc = -1;

	if (make_part(&b))
		return (-1);
	if (open_both(&b) == 0 && copy_at_once(&b) == 0 &&
	    run(&b, b.copy, STMT_SQLITE_DELETE) == 0)
		rc = check_copy(&b);
	(void)sqlite3_close(b.source);
	(void)sqlite3_close(b.copy);
	if (rc == 0)
		rc = finish(&b, bytes);
	if (rc == -1) {
		(void)unlink(b.part);
		(void)snprintf(beside, sizeof(beside), "%s-journal", b.part);
		(void)unlink(beside);
	}
	return (rc);
}
