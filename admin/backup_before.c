#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "store/store.h"

#include "backup_store.h"

#include "backup_before.h"

static const char scheme[] = "sqlite:";

/* The folder, made if need be, for whom the database is. */
static int
folder(const struct conf *conf, const char *database, const struct stat *owner,
    char dir[PATH_MAX], struct err *err)
{
	const char *slash = strrchr(database, '/');

	if (conf->backup_dir[0] == '\0') {
		(void)snprintf(dir, PATH_MAX, "%.*s", slash == NULL ? 1 :
		    (int)(slash - database), slash == NULL ? "." : database);
		return (0);
	}
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

/* backup_store does not touch what is older under that name. */
static int
copy(const struct conf *conf, const char *path, const struct stat *owner,
    struct err *err)
{
	const struct backup_order order = { .conf = conf, .path = path };
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
	const char *database = conf->store + sizeof(scheme) - 1;
	char dir[PATH_MAX], stamp[32];
	time_t now = time(NULL);
	struct stat owner;
	int64_t version;
	struct tm tm;

	path[0] = '\0';
	if (store_schema_version(st, &version, err))
		return (-1);
	if (version == 0 || version >= store_schema_wanted())
		return (1);
	if (strncmp(conf->store, scheme, sizeof(scheme) - 1) != 0)
		return (0);
	if (stat(database, &owner) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot look at %s",
		    database);
		return (-1);
	}
	if (folder(conf, database, &owner, dir, err))
		return (-1);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ",
	    gmtime_r(&now, &tm));
	if (snprintf(path, size, "%s/leasehold-schema-%lld-%s.db", dir,
	    (long long)version, stamp) >= (int)size) {
		err_set(err, ERR_INVAL, "%s: too long a path", dir);
		return (-1);
	}
	return (copy(conf, path, &owner, err) == 0 ? 1 : -1);
}
