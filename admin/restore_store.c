#include <sys/stat.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "store/backup.h"
#include "store/store.h"
#include "store/swap.h"

#include "change.h"
#include "copy.h"
#include "doctor.h"
#include "install.h"

#include "restore_store.h"

/* Of one answer; a part of the copy is far quicker. */
#define PATIENCE_MS	(10 * 60 * INT64_C(1000))

#define BUSY_MS		5000

#define ID_SIZE		64
#define URL_SIZE	(PATH_MAX + 8)

/* Of no secret: names are told apart. */
static const unsigned char mark_key[crypto_shorthash_KEYBYTES] = "restore";

/* One restore. */
struct restoring {
	const struct restore_order *o;
	struct restore_made *made;
	struct err *err;
	const char *file;		/* the store; NULL: a server */
	const char *stage;
	char folder[PATH_MAX];		/* of the copy, if it was made for it */
	struct backup *b;		/* the copy that is worked upon */

	/* of the backup, and of the store */
	char id[ID_SIZE], there_id[ID_SIZE];
	int64_t last;			/* ledger id */
	int64_t epoch, there_epoch, there_version;
};

static int
tell(void *arg, int64_t done, int64_t all, struct err *err)
{
	const struct restoring *r = arg;

	return (r->o->progress == NULL ? 0 :
	    r->o->progress(r->o->arg, r->stage, done, all, err));
}

static int
begin(struct restoring *r, const char *stage)
{

	r->stage = stage;
	return (tell(r, 0, 0, r->err));
}

static int
tell_rows(void *arg, int64_t rows, struct err *err)
{

	return (tell(arg, rows, 0, err));
}

static struct store *
open_file(const char *path, bool read_only, struct err *err)
{
	const struct store_options opt = {
		.read_only = read_only, .busy_timeout_ms = BUSY_MS,
		.apart = true
	};
	char url[URL_SIZE];

	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	return (store_open(url, &opt, err));
}

static int
get_id(struct store *st, char id[ID_SIZE], struct err *err)
{
	size_t n;
	int rc;

	rc = meta_get(st, "installation_id", id, ID_SIZE - 1, &n, err);
	id[rc == 1 ? n : 0] = '\0';
	return (rc);
}

/* ---- the backup ---- */

static int
look_at_backup(struct restoring *r, struct store *st)
{
	int64_t wanted = store_schema_wanted();

	if (store_schema_version(st, &r->made->schema_before, r->err))
		return (-1);
	if (r->made->schema_before == 0) {
		err_set(r->err, ERR_SCHEMA, "%s is not a backup of Leasehold",
		    r->o->path);
		return (-1);
	}
	if (r->made->schema_before > wanted) {
		err_set(r->err, ERR_SCHEMA, "%s has schema %lld and was made "
		    "by a newer Leasehold (this one knows %lld); install the "
		    "newer one", r->o->path, (long long)
		    r->made->schema_before, (long long)wanted);
		return (-1);
	}
	if (get_id(st, r->id, r->err) == 1)
		return (store_one(st, STMT_RESTORE_LAST, NULL, 0, &r->last, 1,
		    r->err) == 1 ? 0 : -1);
	err_set(r->err, ERR_INVAL, "%s holds no installation", r->o->path);
	return (-1);
}

static bool
same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return (stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino);
}

static int
check_backup(struct restoring *r)
{
	struct store *st;
	int rc;

	if (access(r->o->path, F_OK) == -1) {
		err_set(r->err, ERR_NOT_FOUND, "there is no file %s",
		    r->o->path);
		return (-1);
	}
	if (r->file != NULL && same_file(r->o->path, r->file)) {
		err_set(r->err, ERR_INVAL, "%s is the store itself",
		    r->o->path);
		return (-1);
	}
	if ((st = open_file(r->o->path, true, r->err)) == NULL)
		return (-1);
	rc = look_at_backup(r, st);
	store_close(st);
	return (rc);
}

/* ---- the store that is there ---- */

static int
refuse(struct restoring *r, const char *why)
{

	if (r->o->force)
		return (0);
	err_set(r->err, ERR_EXISTS, "%s; --force restores all the same", why);
	return (-1);
}

static int
look_for_loss(struct restoring *r, struct store *st)
{
	struct store_value last = store_int(r->last);
	int64_t running, later = 0;
	char why[128];

	if (copy_running(st, &running, r->err) || store_one(st,
	    STMT_RESTORE_LATER, &last, 1, &later, 1, r->err) == -1)
		return (-1);
	(void)snprintf(why, sizeof(why), "%lld responders run on the store: "
	    "stop them first, and wait 10 s", (long long)running);
	if (running > 0 && refuse(r, why))
		return (-1);
	if (strcmp(r->id, r->there_id) != 0)
		return (refuse(r, "the store is of another installation"));
	(void)snprintf(why, sizeof(why), "the store has %lld requests from "
	    "after the backup", (long long)later);
	return (later > 0 ? refuse(r, why) : 0);
}

/* An empty database loses nothing. */
static int
look_at_store(struct restoring *r, struct store *st)
{
	int64_t version;
	int rc;

	if (store_schema_version(st, &version, r->err))
		return (-1);
	if (version == 0 || (rc = get_id(st, r->there_id, r->err)) == 0)
		return (0);
	if (rc == -1 || meta_epoch(st, &r->there_epoch, r->err) ||
	    meta_config_version(st, &r->there_version, r->err))
		return (-1);
	return (look_for_loss(r, st));
}

static int
check_store(struct restoring *r)
{
	const struct store_options opt = {
		.read_only = true, .busy_timeout_ms = BUSY_MS
	};
	struct err why = { .code = ERR_NONE };
	char text[sizeof(why.text) + 64];
	struct store *st;
	int rc;

	if (r->file != NULL && access(r->file, F_OK) == -1)
		return (0);
	if ((st = store_open(r->o->conf->store, &opt, &why)) != NULL) {
		rc = look_at_store(r, st);
		store_close(st);
		if (rc == 0 || r->file == NULL || r->err->code == ERR_EXISTS)
			return (rc);
		why = *r->err;
		*r->err = (struct err) { .code = ERR_NONE };
	} else if (r->file == NULL)
		return (0);	/* to be made, or it fails later */
	(void)snprintf(text, sizeof(text), "the store cannot be read (%s)",
	    why.text);
	return (refuse(r, text));
}

/* ---- the copy ---- */

/* The next restore of this store finds it by its name, and takes away what one
 * that was killed left there.  A folder of somebody else's is not used. */
static int
make_folder(struct restoring *r)
{
	const char *tmp = getenv("TMPDIR"), *url = r->o->conf->store;
	unsigned char mark[8];
	char hex[2 * sizeof(mark) + 1];
	struct stat sb;

	if (tmp == NULL || tmp[0] != '/')
		tmp = "/var/tmp";
	(void)crypto_shorthash(mark, (const unsigned char *)url, strlen(url),
	    mark_key);
	(void)sodium_bin2hex(hex, sizeof(hex), mark, sizeof(mark));
	(void)snprintf(r->folder, sizeof(r->folder), "%.4000s/"
	    "leasehold-restore.%s", tmp, hex);
	if (mkdir(r->folder, 0700) == 0 || (errno == EEXIST &&
	    lstat(r->folder, &sb) == 0 && S_ISDIR(sb.st_mode) &&
	    sb.st_uid == geteuid() && (sb.st_mode & 077) == 0))
		return (0);
	(void)snprintf(r->folder, sizeof(r->folder), "%.4000s/"
	    "leasehold-restore.XXXXXX", tmp);
	if (mkdtemp(r->folder) != NULL)
		return (0);
	err_set(r->err, ERR_IO, "cannot make the folder %s", r->folder);
	r->folder[0] = '\0';
	return (-1);
}

static int
start_copy(struct restoring *r)
{
	char path[PATH_MAX + 16], folder[PATH_MAX];
	struct stat sb;

	if (r->file != NULL)
		(void)snprintf(path, sizeof(path), "%s", r->file);
	else {
		if (make_folder(r))
			return (-1);
		(void)snprintf(path, sizeof(path), "%s/copy", r->folder);
	}
	(void)snprintf(folder, sizeof(folder), "%.4090s", path);
	if (stat(r->o->path, &sb) == -1 || backup_room(dirname(folder),
	    sb.st_size, r->err))
		return (-1);
	if ((r->b = backup_start(path, true, r->err)) == NULL)
		return (-1);
	if (begin(r, "copying"))
		return (-1);
	return (backup_pages(r->b, r->o->path, tell, r, r->err));
}

static int
put(struct store *st, const char *name, int64_t value, struct err *err)
{
	const struct store_value row[] = {
		store_text(name), store_int(value)
	};

	return (store_exec(st, STMT_META_PUT, row, 1, 2, NULL, err));
}

/* Its secrets are opened, and what is outside of the database becomes void. */
static int
renew_inside(struct restoring *r, struct store *st, const struct seal *seal)
{
	int64_t version;

	if (install_reseal(st, seal, &r->made->secrets, r->err) ||
	    meta_epoch(st, &r->epoch, r->err) ||
	    meta_config_version(st, &version, r->err))
		return (-1);
	if (r->epoch < r->there_epoch)
		r->epoch = r->there_epoch;
	if (version < r->there_version)
		version = r->there_version;
	if (put(st, "epoch", r->epoch + 1, r->err) ||
	    put(st, "config_version", version + 1, r->err) ||
	    store_exec(st, STMT_RESTORE_STILL, NULL, 1, 0, NULL, r->err))
		return (-1);
	return (audit_add(st, &r->o->actor, "restore", "", NULL, NULL,
	    r->err));
}

static int
renew(struct restoring *r, struct store *st)
{
	int64_t before;
	struct seal *seal;
	int rc = -1;

	if (store_migrate(st, &before, &r->made->schema, r->err) ||
	    store_prepare(st, r->err) || (seal = seal_open(
	    r->o->conf->master_key_file, r->err)) == NULL)
		return (-1);
	if (meta_check_seal(st, seal, r->err) == 0 &&
	    store_begin(st, true, r->err) == 0)
		rc = store_end(st, renew_inside(r, st, seal), r->err);
	seal_free(seal);
	return (rc);
}

static int
make_copy(struct restoring *r)
{
	struct backup_made books;
	struct store *st;
	int rc;

	if (start_copy(r))
		return (-1);
	if (begin(r, "checking") || backup_check(r->b, tell, r, r->err) ||
	    (st = open_file(backup_path(r->b), false, r->err)) == NULL)
		return (-1);
	rc = begin(r, "opening") == 0 ? renew(r, st) : -1;
	store_close(st);
	if (rc != 0 || backup_check(r->b, tell, r, r->err) ||
	    backup_books(backup_path(r->b), r->o->progress, r->o->arg, &books,
	    r->err))
		return (-1);
	r->made->rows = books.rows;
	r->made->differences = books.differences;
	return (0);
}

/* ---- in its place ---- */

static int
fill_server(struct restoring *r)
{
	const struct store_options opt = {
		.create = true,
		.busy_timeout_ms = BUSY_MS,
		.io_timeout_ms = PATIENCE_MS
	};
	struct copy_sum sums[COPY_TABLES];
	struct store *from, *to;
	int64_t before, after;
	int rc = -1;

	if ((to = store_open(r->o->conf->store, &opt, r->err)) == NULL)
		return (-1);
	if (begin(r, "filling") == 0 &&
	    store_migrate(to, &before, &after, r->err) == 0 &&
	    store_prepare(to, r->err) == 0 &&
	    (from = open_file(backup_path(r->b), true, r->err)) != NULL) {
		rc = copy_over(from, to, tell_rows, r, sums, r->err);
		store_close(from);
	}
	store_close(to);
	return (rc);
}

static int
replace_file(struct restoring *r)
{

	return (begin(r, "replacing") ? -1 : swap_database(r->b, r->file,
	    BUSY_MS, r->err));
}

int
restore_store(const struct restore_order *o, struct restore_made *made,
    struct err *err)
{
	struct err why = { .code = ERR_NONE };
	struct restoring r = {
		.o = o, .made = made, .err = &why,
		.file = doctor_sqlite_path(o->conf)
	};
	int rc = -1;

	*made = (struct restore_made) { .schema = 0 };
	if (check_backup(&r) == 0 && check_store(&r) == 0 &&
	    make_copy(&r) == 0) {
		made->kept = r.file != NULL && access(r.file, F_OK) == 0;
		rc = r.file == NULL ? fill_server(&r) : replace_file(&r);
	}
	backup_free(r.b);
	if (r.folder[0] != '\0')
		(void)rmdir(r.folder);
	if (rc == -1)
		err_set(err, why.code, "%s", why.text);
	return (rc);
}
