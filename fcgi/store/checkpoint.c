#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/err.h"
#include "store/checkpoint.h"
#include "store/filelock.h"
#include "stmts.h"

/* How long to queue for the write lock; it can be tried again later. */
#define LOCK_TIMEOUT_MS	2000

struct checkpointer {
	sqlite3 *db;
	struct filelock *lock;
	pthread_t tid;
	pthread_mutex_t mtx;	/* guards what follows */
	pthread_cond_t cv;
	bool asked;
	bool quit;
};

static int
copy_once(struct checkpointer *c)
{

	return (sqlite3_wal_checkpoint_v2(c->db, NULL,
	    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_OK ? 0 : -1);
}

/*
 * Others write meanwhile, and under load the log would never be all copied,
 * so never begin anew, and grow for ever.  So the first pass does the work,
 * the second what came during the first, which is little; and what came
 * during the second is copied while the writers queue behind us.
 */
static void
copy_log(struct checkpointer *c)
{

	if (copy_once(c) == -1 || copy_once(c) == -1)
		return;		/* another process is at it */
	if (filelock_take(c->lock, LOCK_TIMEOUT_MS, NULL) == -1)
		return;
	(void)copy_once(c);
	filelock_drop(c->lock);
}

static void *
checkpointer_main(void *arg)
{
	struct checkpointer *c = arg;

	pthread_mutex_lock(&c->mtx);
	for (;;) {
		while (!c->asked && !c->quit)
			pthread_cond_wait(&c->cv, &c->mtx);
		if (c->quit)
			break;
		c->asked = false;
		pthread_mutex_unlock(&c->mtx);
		copy_log(c);
		pthread_mutex_lock(&c->mtx);
	}
	pthread_mutex_unlock(&c->mtx);
	return (NULL);
}

/* Lock file and connection.  The database is not opened beside SQLite: to
 * close it again would take away the locks of this process. */
static int
open_files(struct checkpointer *c, const char *path, struct err *err)
{
	char lock[PATH_MAX];
	struct stat like;
	int rc;

	if (stat(path, &like) == -1) {
		err_set_errno(err, ERR_STORE_DOWN, errno, "cannot look at %s",
		    path);
		return (-1);
	}
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	c->lock = filelock_open(lock, &like, err);
	if (c->lock == NULL)
		return (-1);
	rc = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	/* Before its first read a connection knows of no log. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->db, stmts[STMT_MIGRATION_TABLE].sql[
		    STMT_DIALECT_SQLITE], NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		err_set(err, ERR_STORE_DOWN, "cannot open %s: %s", path,
		    sqlite3_errstr(rc));
		return (-1);
	}
	return (0);
}

static void
close_files(struct checkpointer *c)
{

	(void)sqlite3_close(c->db);
	filelock_free(c->lock);
	free(c);
}

static int
whole(const char *path, bool held, int64_t timeout_ms, int64_t *pages,
    struct err *err)
{
	struct checkpointer *c = calloc(1, sizeof(*c));
	int rc, log = 0;

	if (c == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a checkpoint");
		return (-1);
	}
	if (open_files(c, path, err) == -1)
		goto err0;

	/* Most of it while others write. */
	if (!held)
		(void)copy_once(c);
	if (!held && filelock_take(c->lock, timeout_ms, err) == -1)
		goto err0;
	(void)sqlite3_busy_timeout(c->db, (int)timeout_ms);
	rc = sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_FULL,
	    &log, NULL);
	*pages = log;
	if (rc == SQLITE_OK)
		rc = sqlite3_wal_checkpoint_v2(c->db, NULL,
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	filelock_drop(c->lock);
	if (rc != SQLITE_OK) {
		err_set(err, rc == SQLITE_BUSY ? ERR_STORE_BUSY :
		    ERR_STORE_DOWN, "%s: cannot copy its log: %s", path,
		    rc == SQLITE_BUSY ? "a reader is in the way" :
		    sqlite3_errstr(rc));
		goto err0;
	}
	close_files(c);
	return (0);

err0:
	close_files(c);
	return (-1);
}

int
checkpoint_whole(const char *path, int64_t timeout_ms, int64_t *pages,
    struct err *err)
{

	return (whole(path, false, timeout_ms, pages, err));
}

int
checkpoint_held(const char *path, int64_t timeout_ms, struct err *err)
{
	int64_t pages;

	return (whole(path, true, timeout_ms, &pages, err));
}

struct checkpointer *
checkpointer_start(const char *path, struct err *err)
{
	struct checkpointer *c;
	sigset_t all, before;
	int rc;

	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		err_set(err, ERR_NOMEM, "no memory for checkpoints");
		return (NULL);
	}
	if (open_files(c, path, err) == -1)
		goto err0;
	pthread_mutex_init(&c->mtx, NULL);
	pthread_cond_init(&c->cv, NULL);
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->tid, NULL, checkpointer_main, c);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		err_set_errno(err, ERR_NOMEM, rc, "cannot start a thread");
		goto err1;
	}
	return (c);

err1:
	pthread_cond_destroy(&c->cv);
	pthread_mutex_destroy(&c->mtx);
err0:
	close_files(c);
	return (NULL);
}

void
checkpointer_ask(struct checkpointer *c)
{

	pthread_mutex_lock(&c->mtx);
	c->asked = true;
	pthread_mutex_unlock(&c->mtx);
	pthread_cond_signal(&c->cv);
}

void
checkpointer_stop(struct checkpointer *c)
{

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->mtx);
	c->quit = true;
	pthread_mutex_unlock(&c->mtx);
	pthread_cond_signal(&c->cv);
	(void)pthread_join(c->tid, NULL);
	pthread_cond_destroy(&c->cv);
	pthread_mutex_destroy(&c->mtx);
	close_files(c);
}
