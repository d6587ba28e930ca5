#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "store/store.h"

#include "backup_store.h"
#include "doctor.h"

#include "backup_before.h"

/* How often the server hears of a connection that waits; it hangs up after
 * 15 s, see mysql_session. */
#define STAY_MS		1000

/* Whose the backup will be: whose the database is, or the master key. */
static int
find_owner(const struct conf *conf, const char *file, struct stat *owner,
    struct err *err)
{

	if (file == NULL) {
		if (stat(conf->master_key_file, owner) == -1) {
			owner->st_uid = geteuid();
			owner->st_gid = getegid();
		}
		return (0);
	}
	if (stat(file, owner) == 0)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot look at %s", file);
	return (-1);
}

/* Where backups go if nothing is said. */
static int
beside(const char *file, char dir[PATH_MAX], struct err *err)
{
	const char *slash;

	if (file == NULL) {
		err_set(err, ERR_INVAL, "backup_dir is empty, so there is no "
		    "folder for a backup of the database: set it, or run: "
		    "leasehold migrate --no-backup");
		return (-1);
	}
	slash = strrchr(file, '/');
	(void)snprintf(dir, PATH_MAX, "%.*s", slash == NULL ? 1 :
	    (int)(slash - file), slash == NULL ? "." : file);
	return (0);
}

/* The folder, made if need be. */
static int
folder(const struct conf *conf, const char *file, const struct stat *owner,
    char dir[PATH_MAX], struct err *err)
{

	if (conf->backup_dir[0] == '\0')
		return (beside(file, dir, err));
	(void)snprintf(dir, PATH_MAX, "%s", conf->backup_dir);
	if (mkdir(dir, 0700) == -1) {
		if (errno == EEXIST)
			return (0);
	} else if (geteuid() != 0 ||
	    chown(dir, owner->st_uid, owner->st_gid) == 0) {
		return (0);
	}
	err_set_errno(err, ERR_IO, errno, "cannot make the folder %s "
	    "(backup_dir)", dir);
	return (-1);
}

/* The connection that keeps other migrations out while a copy is made through
 * another. */
struct staying {
	struct store *st;
	int64_t at_ms;
};

static int
stay(void *arg, const char *stage, int64_t done, int64_t all, struct err *err)
{
	struct staying *s = arg;
	int64_t now = clock_mono_ms(clock_system()), version;

	(void)stage;
	(void)done;
	(void)all;
	if (!store_shared(s->st) || now - s->at_ms < STAY_MS)
		return (0);
	s->at_ms = now;
	return (store_schema_version(s->st, &version, err));
}

/* backup_store does not touch what is older under that name. */
static int
copy(const struct conf *conf, struct store *st, const char *path,
    const struct stat *owner, struct err *err)
{
	struct staying staying = { .st = st };
	const struct backup_order order = {
		.conf = conf, .path = path, .progress = stay, .arg = &staying
	};
	struct backup_made made;

	if (backup_store(&order, &made, err))
		return (-1);
	if (geteuid() != 0 || chown(path, owner->st_uid, owner->st_gid) == 0)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot give %s to the owner of the "
	    "database", path);
	return (-1);
}

int
backup_before(const struct conf *conf, struct store *st, char *path,
    size_t size, struct err *err)
{
	const char *file = doctor_sqlite_path(conf);
	char dir[PATH_MAX], stamp[32];
	time_t now = time(NULL);
	struct stat owner;
	int64_t version;
	struct tm tm;

	path[0] = '\0';
	if (store_schema_version(st, &version, err))
		return (-1);
	if (version == 0 || version >= store_schema_wanted())
		return (0);
	if (find_owner(conf, file, &owner, err) ||
	    folder(conf, file, &owner, dir, err))
		return (-1);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ",
	    gmtime_r(&now, &tm));
	if (snprintf(path, size, "%s/leasehold-schema-%lld-%s.db", dir,
	    (long long)version, stamp) >= (int)size) {
		err_set(err, ERR_INVAL, "%s: too long a path", dir);
		return (-1);
	}
	return (copy(conf, st, path, &owner, err));
}
