#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "store/backup.h"
#include "store/checkpoint.h"
#include "store/filelock.h"
#include "store/swap.h"

#define NAME_SIZE	(PATH_MAX + 32)

/* By which the old database is kept. */
#define KEPT		".before-restore"

/* Its own, where there was none. */
#define MODE		0640

static void
name(char out[NAME_SIZE], const char *path, const char *ext, const char *more)
{

	(void)snprintf(out, NAME_SIZE, "%s%s%s", path, ext, more);
}

static int
bad(struct err *err, const char *path)
{

	err_set_errno(err, errno == EPERM || errno == EACCES ? ERR_PERM :
	    ERR_IO, errno, "cannot replace %s", path);
	return (-1);
}

/* Of the folder only one name is taken away: it need not be there. */
static int
forget(const char *path, const char *ext, const char *more, struct err *err)
{
	char file[NAME_SIZE];

	name(file, path, ext, more);
	return (unlink(file) == 0 || errno == ENOENT ? 0 : bad(err, file));
}

static int
set_aside(const char *path, const char *more, struct err *err)
{
	char from[NAME_SIZE], to[NAME_SIZE];

	name(from, path, "", more);
	name(to, path, KEPT, more);
	return (rename(from, to) == 0 || errno == ENOENT ? 0 :
	    bad(err, from));
}

/* The second name of what is there. */
static int
keep(const char *path, struct err *err)
{
	char kept[NAME_SIZE];

	if (forget(path, KEPT, "", err) || forget(path, KEPT, "-wal", err) ||
	    forget(path, KEPT, "-shm", err))
		return (-1);
	name(kept, path, KEPT, "");
	return (link(path, kept) == 0 ? 0 : bad(err, kept));
}

/*
 * A log that stayed beside the new database would be taken for its own.  Where
 * all of it is in the old one it is of no use; else the old one is damaged, and
 * keeps it.
 */
static int
settle(const char *path, int64_t timeout_ms, struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (checkpoint_held(path, timeout_ms, &why) == 0)
		return (keep(path, err) || forget(path, "", "-wal", err) ||
		    forget(path, "", "-shm", err) ? -1 : 0);
	if (why.code == ERR_STORE_BUSY) {
		err_set(err, why.code, "%s", why.text);
		return (-1);
	}
	return (keep(path, err) || set_aside(path, "-wal", err) ||
	    forget(path, "", "-shm", err) ? -1 : 0);
}

/* As what it replaces has them. */
static int
take_over(const char *part, const struct stat *old, struct err *err)
{

	if (chmod(part, old->st_mode & 0777) == -1)
		return (bad(err, part));
	if (geteuid() != 0 || chown(part, old->st_uid, old->st_gid) == 0)
		return (0);
	return (bad(err, part));
}

static void
wait_out(void)
{
	const struct timespec ts = {
		.tv_sec = SWAP_LOOK_MS / 1000, .tv_nsec = 100 * 1000000L
	};

	(void)nanosleep(&ts, NULL);
}

static int
swap_locked(struct backup *b, const char *path, const struct stat *old,
    int64_t timeout_ms, struct err *err)
{

	if (settle(path, timeout_ms, err) ||
	    take_over(backup_path(b), old, err) || backup_finish(b, NULL, err))
		return (-1);
	wait_out();
	return (0);
}

/* What a database that is gone may have left. */
static int
swap_first(struct backup *b, const char *path, struct err *err)
{

	if (set_aside(path, "-wal", err) || forget(path, "", "-shm", err))
		return (-1);
	if (chmod(backup_path(b), MODE) == -1)
		return (bad(err, path));
	return (backup_finish(b, NULL, err));
}

int
swap_database(struct backup *b, const char *path, int64_t timeout_ms,
    struct err *err)
{
	char lock_path[NAME_SIZE];
	struct filelock *lock;
	struct stat old;
	int rc = -1;

	if (stat(path, &old) == -1)
		return (errno == ENOENT ? swap_first(b, path, err) :
		    bad(err, path));
	name(lock_path, path, ".lock", "");
	if ((lock = filelock_open(lock_path, &old, err)) == NULL)
		return (-1);
	if (filelock_take(lock, timeout_ms, err) == 0)
		rc = swap_locked(b, path, &old, timeout_ms, err);
	filelock_drop(lock);
	filelock_free(lock);
	return (rc);
}
