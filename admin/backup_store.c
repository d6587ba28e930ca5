#include <sys/stat.h>
#include <sys/statvfs.h>

#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>

#include "base/conf.h"
#include "base/err.h"
#include "store/backup.h"
#include "store/store.h"

#include "copy.h"
#include "copy_older.h"
#include "doctor.h"
#include "verify.h"

#include "backup_store.h"

/* Of one answer; a part of the copy is far quicker. */
#define PATIENCE_MS	(10 * 60 * INT64_C(1000))

/* What is told of progress, and in which stage. */
struct telling {
	backup_progress *progress;
	void *arg;
	const char *stage;
};

static int
tell(void *arg, int64_t done, int64_t all, struct err *err)
{
	const struct telling *t = arg;

	return (t->progress == NULL ? 0 :
	    t->progress(t->arg, t->stage, done, all, err));
}

static int
tell_rows(void *arg, int64_t rows, struct err *err)
{

	return (tell(arg, rows, 0, err));
}

static int
tell_on(void *arg, struct err *err)
{

	return (tell(arg, 0, 0, err));
}

int
backup_room(const char *dir, int64_t wanted, struct err *err)
{
	struct statvfs fs;
	uint64_t room;

	if (statvfs(dir, &fs)) {
		err_set(err, ERR_IO, "cannot look at the folder %s", dir);
		return (-1);
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	wanted += wanted / 4;
	if (room >= (uint64_t)wanted)
		return (0);
	err_set(err, ERR_IO, "%s has room for %llu bytes; a backup may take "
	    "%llu", dir, (unsigned long long)room,
	    (unsigned long long)wanted);
	return (-1);
}

/* ---- of a file ---- */

static int
copy_file(struct backup *b, const char *from, const char *to,
    struct telling *t, struct err *err)
{
	char folder[PATH_MAX];
	struct stat sb;

	if (stat(from, &sb) == -1) {
		err_set(err, ERR_NOT_FOUND, "there is no database %s; run: "
		    "leasehold init", from);
		return (-1);
	}
	(void)snprintf(folder, sizeof(folder), "%s", to);
	if (backup_room(dirname(folder), sb.st_size, err))
		return (-1);
	return (backup_pages(b, from, tell, t, err));
}

/* ---- of a server ---- */

/* A database of an older schema is copied to one of the same. */
static struct store *
open_target(const char *path, int64_t version, struct err *err)
{
	const bool older = version != store_schema_wanted();
	const struct store_options opt = {
		.busy_timeout_ms = 5000, .any_order = older, .apart = true
	};
	char url[PATH_MAX + 8];
	int64_t before, after;
	struct store *st;

	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	if ((st = store_open(url, &opt, err)) == NULL)
		return (NULL);
	if (store_migrate_to(st, version, &before, &after, err) == 0 &&
	    (older || store_prepare(st, err) == 0))
		return (st);
	store_close(st);
	return (NULL);
}

static int
copy_rows(struct backup *b, struct store *from, int64_t version,
    struct telling *t, struct err *err)
{
	struct copy_sum sums[COPY_TABLES];
	struct store *to;
	int rc;

	if ((to = open_target(backup_path(b), version, err)) == NULL)
		return (-1);
	rc = version == store_schema_wanted() ?
	    copy_snapshot(from, to, tell_rows, t, sums, err) :
	    copy_older(from, to, tell_rows, t, err);
	store_close(to);
	return (rc);
}

static int
copy_server(struct backup *b, const char *url, struct telling *t,
    struct err *err)
{
	const struct store_options opt = {
		.read_only = true,
		.busy_timeout_ms = 5000,
		.io_timeout_ms = PATIENCE_MS
	};
	struct store *from;
	int64_t version;
	int rc = -1;

	if ((from = store_open(url, &opt, err)) == NULL)
		return (-1);
	if (store_schema_version(from, &version, err) == 0 &&
	    ((version > 0 && version < store_schema_wanted()) ||
	    store_prepare(from, err) == 0))
		rc = copy_rows(b, from, version, t, err);
	store_close(from);
	return (rc);
}

/* ---- its books ---- */

static int
verify(struct store *st, struct telling *t, struct backup_made *made,
    struct err *err)
{
	json_t *found;

	if ((found = verify_ledger_with(st, tell_on, t, err)) == NULL)
		return (-1);
	made->books = true;
	made->rows = json_integer_value(json_object_get(found, "rows"));
	made->differences = json_integer_value(json_object_get(found,
	    "differences"));
	json_decref(found);
	return (0);
}

int
backup_books(const char *path, backup_progress *progress, void *arg,
    struct backup_made *made, struct err *err)
{
	const struct store_options opt = {
		.read_only = true, .busy_timeout_ms = 5000, .apart = true
	};
	struct telling t = { progress, arg, "adding up" };
	char url[PATH_MAX + 8];
	struct store *st;
	int rc;

	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	if (tell_on(&t, err) || (st = store_open(url, &opt, err)) == NULL)
		return (-1);
	if ((rc = store_schema_version(st, &made->schema, err)) == 0 &&
	    made->schema == store_schema_wanted())
		rc = verify(st, &t, made, err);
	store_close(st);
	return (rc);
}

/* ---- the whole ---- */

int
backup_store(const struct backup_order *o, struct backup_made *made,
    struct err *err)
{
	struct telling copying = { o->progress, o->arg, "copying" };
	struct telling checking = { o->progress, o->arg, "checking" };
	const char *file = doctor_sqlite_path(o->conf);
	struct backup *b;
	int rc;

	*made = (struct backup_made) { .schema = 0 };
	if ((b = backup_start(o->path, o->force, err)) == NULL)
		return (-1);
	if ((rc = tell_on(&copying, err)) == 0)
		rc = file != NULL ? copy_file(b, file, o->path, &copying,
		    err) : copy_server(b, o->conf->store, &copying, err);
	if (rc == 0 && (rc = tell_on(&checking, err)) == 0)
		rc = backup_check(b, tell, &checking, err);
	if (rc == 0 && o->books)
		rc = backup_books(backup_path(b), o->progress, o->arg, made,
		    err);
	if (rc == 0)
		rc = backup_finish(b, &made->bytes, err);
	backup_free(b);
	return (rc);
}
