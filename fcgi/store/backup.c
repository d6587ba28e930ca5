#include "config.h"

#include <sys/file.h>
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
	char *to;
	char part[PATH_MAX];		/* until it is whole */
	int fd;				/* of .part, locked */
	bool force;
	bool finished;
};

/* What SQLite and the store keep beside a database. */
static const char *const beside[] = { "-journal", "-wal", "-shm", ".lock" };

/* One use of it by SQLite. */
struct work {
	struct backup *b;
	sqlite3 *source, *copy;
	backup_go_on *go_on;
	void *arg;
	struct err *err;
	bool ended;			/* go_on said so */
};

static int
fail(const struct work *w, sqlite3 *db, int rc, const char *what)
{

	err_set(w->err, rc == SQLITE_NOMEM ? ERR_NOMEM :
	    rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? ERR_STORE_BUSY : ERR_IO,
	    "cannot make %s: %s: %s", w->b->part, what,
	    db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(db));
	return (-1);
}

static int
goes_on(struct work *w, int64_t done, int64_t all)
{

	if (w->go_on == NULL || w->go_on(w->arg, done, all, w->err) == 0)
		return (0);
	w->ended = true;
	return (-1);
}

/* ---- the file ---- */

static void
remove_beside(const struct backup *b)
{
	char path[PATH_MAX + 16];
	size_t i;

	for (i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", b->part,
		    beside[i]);
		(void)unlink(path);
	}
}

/* Is what we locked still what the path names? */
static bool
is_ours(const struct backup *b)
{
	struct stat ours, there;

	return (fstat(b->fd, &ours) == 0 && stat(b->part, &there) == 0 &&
	    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev);
}

/* Readable for nobody else from the start. */
static int
make_part(struct backup *b, struct err *err)
{

	b->fd = open(b->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (b->fd == -1) {
		err_set_errno(err, errno == EACCES ? ERR_PERM : ERR_IO, errno,
		    "cannot make %s", b->part);
		return (-1);
	}
	if (flock(b->fd, LOCK_EX | LOCK_NB) == -1 || !is_ours(b)) {
		err_set(err, ERR_STORE_BUSY, "another process is writing %s",
		    b->part);
		(void)close(b->fd);
		b->fd = -1;
		return (-1);
	}
	if (fchmod(b->fd, 0600) == 0 && ftruncate(b->fd, 0) == 0) {
		remove_beside(b);
		return (0);
	}
	err_set_errno(err, ERR_IO, errno, "cannot make %s", b->part);
	return (-1);
}

struct backup *
backup_start(const char *to, bool force, struct err *err)
{
	struct backup *b;

	if (!force && access(to, F_OK) == 0) {
		err_set(err, ERR_EXISTS, "%s is there already", to);
		return (NULL);
	}
	if ((b = calloc(1, sizeof(*b))) == NULL ||
	    (b->to = strdup(to)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a backup");
		free(b);
		return (NULL);
	}
	b->fd = -1;
	b->force = force;
	if ((size_t)snprintf(b->part, sizeof(b->part), "%s.part", to) >=
	    sizeof(b->part))
		err_set(err, ERR_RANGE, "%.40s...: too long a path", to);
	else if (make_part(b, err) == 0)
		return (b);
	backup_free(b);
	return (NULL);
}

void
backup_free(struct backup *b)
{

	if (b == NULL)
		return;
	if (b->fd != -1) {
		if (!b->finished) {
			remove_beside(b);
			(void)unlink(b->part);
		}
		(void)close(b->fd);
	}
	free(b->to);
	free(b);
}

const char *
backup_path(const struct backup *b)
{

	return (b->part);
}

/* ---- its pages ---- */

static int
open_one(struct work *w, const char *path, sqlite3 **db)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE;
	int rc;

	if ((rc = sqlite3_open_v2(path, db, flags, NULL)) == SQLITE_OK)
		return (0);
	return (fail(w, *db, rc, path));
}

static int
run(struct work *w, sqlite3 *db, enum stmt_id id)
{
	int rc;

	rc = sqlite3_exec(db, stmts[id].sql[STMT_DIALECT_SQLITE], NULL, NULL,
	    NULL);
	return (rc == SQLITE_OK ? 0 : fail(w, db, rc, stmts[id].name));
}

static int
copy_pages(struct work *w)
{
	sqlite3_backup *pages;
	int64_t all;
	int rc;

	if ((pages = sqlite3_backup_init(w->copy, "main", w->source,
	    "main")) == NULL)
		return (fail(w, w->copy, sqlite3_errcode(w->copy), "begin"));
	while ((rc = sqlite3_backup_step(pages, STEP_PAGES)) == SQLITE_OK) {
		all = sqlite3_backup_pagecount(pages);
		if (goes_on(w, all - sqlite3_backup_remaining(pages),
		    all) == 0)
			continue;
		(void)sqlite3_backup_finish(pages);
		return (-1);
	}
	if (sqlite3_backup_finish(pages) != SQLITE_OK || rc != SQLITE_DONE)
		return (fail(w, w->copy, rc, "copy"));
	return (0);
}

/* The view of one moment: it begins with the first look. */
static int
copy_at_once(struct work *w)
{
	int rc;

	if (run(w, w->source, STMT_BEGIN_READ) ||
	    run(w, w->source, STMT_MIGRATION_TABLE))
		return (-1);
	rc = copy_pages(w);
	(void)sqlite3_exec(w->source,
	    stmts[STMT_ROLLBACK].sql[STMT_DIALECT_SQLITE], NULL, NULL, NULL);
	return (rc);
}

int
backup_pages(struct backup *b, const char *from, backup_go_on *go_on,
    void *arg, struct err *err)
{
	struct work w = { .b = b, .go_on = go_on, .arg = arg, .err = err };
	int rc = -1;

	if (open_one(&w, from, &w.source) == 0 &&
	    open_one(&w, b->part, &w.copy) == 0)
		rc = copy_at_once(&w);
	(void)sqlite3_close(w.source);
	(void)sqlite3_close(w.copy);
	return (rc);
}

/* ---- is it good? ---- */

static int
while_checking(void *arg)
{

	return (goes_on(arg, 0, 0) != 0);
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
check(struct work *w)
{
	bool good = false;
	int rc;

	sqlite3_progress_handler(w->copy, CHECK_OPS, while_checking, w);
	rc = sqlite3_exec(w->copy, stmts[STMT_SQLITE_CHECK].sql[
	    STMT_DIALECT_SQLITE], take_verdict, &good, NULL);
	sqlite3_progress_handler(w->copy, 0, NULL, NULL);
	if (w->ended)
		return (-1);
	if (rc != SQLITE_OK)
		return (fail(w, w->copy, rc, "check"));
	if (good)
		return (0);
	err_set(w->err, ERR_IO, "the copy %s is damaged, and so may be what "
	    "it was made of", w->b->part);
	return (-1);
}

int
backup_check(struct backup *b, backup_go_on *go_on, void *arg,
    struct err *err)
{
	struct work w = { .b = b, .go_on = go_on, .arg = arg, .err = err };
	int rc = -1;

	if (open_one(&w, b->part, &w.copy) == 0 &&
	    run(&w, w.copy, STMT_SQLITE_DELETE) == 0)
		rc = check(&w);
	(void)sqlite3_close(w.copy);
	return (rc);
}

/* ---- its name ---- */

static int
sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int dir, rc;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	if ((dir = open(dirname(folder), O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (-1);
	rc = fsync(dir);
	(void)close(dir);
	return (rc);
}

/* Without force never over a file, even one that came just now. */
static int
name_it(struct backup *b)
{

	if (b->force)
		return (rename(b->part, b->to));
	if (link(b->part, b->to) == -1)
		return (-1);
	return (unlink(b->part));
}

int
backup_finish(struct backup *b, int64_t *bytes, struct err *err)
{
	struct stat sb;

	remove_beside(b);
	if (fsync(b->fd) == -1 || fstat(b->fd, &sb) == -1 || name_it(b) == -1)
		goto err0;
	b->finished = true;
	if (bytes != NULL)
		*bytes = sb.st_size;
	if (sync_folder(b->to) == 0)
		return (0);

err0:
	err_set_errno(err, errno == EEXIST ? ERR_EXISTS : ERR_IO, errno,
	    "cannot finish %s", b->to);
	return (-1);
}
