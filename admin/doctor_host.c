#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "store/filelock.h"
#include "store/spool.h"
#include "store/store.h"

#include "doctor.h"
#include "doctor_access.h"
#include "doctor_time.h"

#define WHY_SIZE	400

/* What a busy day may need: below it the disk is nearly full. */
#define DISK_WARN_BYTES	(UINT64_C(512) << 20)
#define DISK_FAIL_BYTES	(UINT64_C(32) << 20)

/* How long doctor waits for its turn to write. */
#define TURN_MS		3000

/* ---- settings ---- */

/* The URL, without slashes at its end. */
static void
take_url(struct doctor *d)
{
	const char *url = d->url != NULL ? d->url : d->conf->public_url;
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	if (n == 0 || n >= sizeof(d->base) || d->host_only)
		return;
	memcpy(d->base, url, n);
	d->base[n] = '\0';
	d->have |= DOCTOR_URL;
}

static void
check_config(struct doctor *d, struct doctor_finding *f)
{
	const char *path = conf_path(d->config_path);
	struct err err = { .code = ERR_NONE };

	if ((d->conf = conf_load(d->config_path, &err)) == NULL) {
		finding_set(f, DOCTOR_FAIL, "settings_bad", "%s", err.text);
		finding_remedy(f, "check_settings", "`leasehold config check' "
		    "looks at it again; leasehold.conf(5) tells what each "
		    "setting may be.");
		return;
	}
	d->have |= DOCTOR_CONF;
	take_url(d);
	if (access(path, F_OK) == 0)
		finding_set(f, DOCTOR_OK, "settings_good", "%s is good", path);
	else
		finding_set(f, DOCTOR_WARN, "settings_absent", "%s is not "
		    "there: all settings are the defaults", path);
}

/* ---- who the responders are ---- */

/* The owner of a lock file that a responder made, alive or not. */
static bool
owner_of_locks(const char *run_dir, uid_t *uid)
{
	bool found = false;
	struct dirent *e;
	struct stat st;
	DIR *dir;

	if ((dir = opendir(run_dir)) == NULL)
		return (false);
	while (!found && (e = readdir(dir)) != NULL)
		found = strncmp(e->d_name, "responder-", 10) == 0 &&
		    fstatat(dirfd(dir), e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0;
	closedir(dir);
	if (found)
		*uid = st.st_uid;
	return (found);
}

/* The user of the responders: named, or the owner of their files, or of the
 * database. */
static void
check_user(struct doctor *d, struct doctor_finding *f)
{
	const char *path = doctor_sqlite_path(d->conf), *how = "named";
	struct access_user u;
	struct stat st;

	if (d->user != NULL && access_user_find(d->user, &d->uid) == -1) {
		finding_set(f, DOCTOR_FAIL, "no_such_user", "there is no user "
		    "%s", d->user);
		return;
	}
	if (d->user == NULL) {
		how = "owns what they made in run_dir";
		if (!owner_of_locks(d->conf->run_dir, &d->uid)) {
			how = "owns the database";
			if (path == NULL || stat(path, &st)) {
				finding_set(f, DOCTOR_SKIP, "user_not_known",
				    "not known yet, as no responder ever ran");
				return;
			}
			d->uid = st.st_uid;
		}
	}
	d->uid_known = true;
	access_user_init(&u, d->uid);
	finding_set(f, u.uid == 0 ? DOCTOR_WARN : DOCTOR_OK, "runs_as", "%s "
	    "(%s)", u.name, how);
	if (u.uid == 0)
		finding_remedy(f, "needs_no_root", "Nothing in them needs "
		    "root: give them a user of their own (spawn-fcgi -u "
		    "leasehold -g leasehold), who owns database, master key "
		    "and run_dir.");
	if (geteuid() == 0 || geteuid() == u.uid)
		return;
	f->verdict = DOCTOR_WARN;
	finding_remedy(f, "look_as_them", "You are another user: run doctor as "
	    "root, or as %s, to see what they see.", u.name);
}

/* Whether the responders may do what they must with ${path}. */
static bool
may(const struct doctor *d, const char *path, int want, char *why)
{
	struct access_user u;

	access_user_init(&u, d->uid_known ? d->uid : geteuid());
	return (access_path(&u, path, want, why, WHY_SIZE) == 0);
}

/* ---- the database ---- */

/* The files of an SQLite database must be the responders' to write. */
static bool
database_files(struct doctor *d, struct doctor_finding *f)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	const char *path = doctor_sqlite_path(d->conf);
	char name[PATH_MAX + 8], folder[PATH_MAX], why[WHY_SIZE];
	struct access_user u;
	size_t i;

	if (path == NULL)
		return (true);
	access_user_init(&u, d->uid_known ? d->uid : geteuid());
	access_folder(path, folder);
	if (!may(d, folder, R_OK | W_OK | X_OK, why))
		goto bad;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		if ((i == 0 || access(name, F_OK) == 0) &&
		    !may(d, name, R_OK | W_OK, why))
			goto bad;
	}
	return (true);

bad:
	finding_set(f, DOCTOR_FAIL, "no_access", "%s", why);
	if (access(path, F_OK) == -1 && errno == ENOENT)
		finding_remedy(f, "make_database", "`leasehold init' makes the "
		    "database.");
	else
		finding_remedy(f, "give_database", "Give folder and database "
		    "to the responders' user:\n"
		    "    chown %s %s %s*", u.name, folder, path);
	return (false);
}

static void
check_database(struct doctor *d, struct doctor_finding *f)
{
	const struct store_options opt = { .busy_timeout_ms = TURN_MS,
	    .synchronous_full = true };
	struct err err = { .code = ERR_NONE };

	if (!database_files(d, f))
		return;
	if ((d->store = store_open(d->conf->store, &opt, &err)) == NULL ||
	    store_prepare(d->store, &err)) {
		finding_set(f, DOCTOR_FAIL, "not_usable", "%s", err.text);
		return;
	}
	d->have |= DOCTOR_STORE;
	finding_set(f, DOCTOR_OK, "database_good", "%s, schema %lld",
	    d->conf->store, (long long)store_schema_wanted());
}

/* Take the write lock, and write something small. */
static int
write_little(struct doctor *d, struct err *err)
{
	const struct store_value now = store_int(store_now_ms(d->store));

	if (store_begin(d->store, true, err))
		return (-1);
	if (store_exec(d->store, STMT_PROBE, &now, 1, 1, NULL, err)) {
		store_rollback(d->store);
		return (-1);
	}
	return (store_commit(d->store, err));
}

/* A process that is stopped while it has the write lock holds up all. */
static void
blame_holder(struct doctor *d, struct doctor_finding *f)
{
	const char *path = doctor_sqlite_path(d->conf);
	char lock[PATH_MAX + 8];
	bool stopped = false;
	pid_t pid = 0;

	if (path != NULL) {
		(void)snprintf(lock, sizeof(lock), "%s.lock", path);
		pid = filelock_holder(lock, &stopped);
	}
	if (pid > 0 && stopped)
		finding_remedy(f, "stopped_holder", "Process %d is stopped "
		    "inside a transaction; no request is admitted until it "
		    "goes on or ends:\n"
		    "    kill -CONT %d\n"
		    "    kill -KILL %d", (int)pid, (int)pid, (int)pid);
	else if (pid > 0)
		finding_remedy(f, "long_holder", "Process %d is in a "
		    "transaction for so long; see what it does: a backup, a "
		    "report, a slow disk?", (int)pid);
	else
		finding_remedy(f, "foreign_writer", "Look for a program "
		    "outside of leasehold that writes to the database "
		    "(sqlite3, a backup).");
}

static void
check_writes(struct doctor *d, struct doctor_finding *f)
{
	const int64_t began = clock_mono_ms(clock_system());
	struct err err = { .code = ERR_NONE };
	int64_t took;

	if (write_little(d, &err)) {
		finding_set(f, DOCTOR_FAIL, "not_writable", "%s", err.text);
		if (err.code == ERR_STORE_BUSY)
			blame_holder(d, f);
		return;
	}
	took = clock_mono_ms(clock_system()) - began;
	finding_set(f, took > 1000 ? DOCTOR_WARN : DOCTOR_OK, "write_took", "a "
	    "write took %lld ms, with its wait", (long long)took);
	if (took > 1000)
		finding_remedy(f, "slow_disk", "Each admission waits as long.  "
		    "Is the disk slow or busy, or on a network?");
}

/* What is written to, beside the database: when there is no room there. */
static const struct {
	enum doctor_verdict full;
	const char *code, *remedy;
} rooms[] = {
	{ DOCTOR_FAIL, "make_room", "Make room: when the disk is full, no "
	    "request is admitted." },
	{ DOCTOR_FAIL, "make_room_spool", "Make room: a relay responder does "
	    "not start without its file in spool_dir." },
	{ DOCTOR_WARN, "make_room_log", "Make room: lines of the log are lost "
	    "meanwhile." },
};

/* How much is left in a folder; true if it is worth telling in place of what
 * ${f} says already. */
static bool
look_at_disk(const char *folder, size_t room, struct doctor_finding *f)
{
	enum doctor_verdict verdict = DOCTOR_OK;
	struct statvfs fs;
	uint64_t left;

	if (statvfs(folder, &fs)) {
		finding_set(f, DOCTOR_FAIL, "path_failed", "%s: %s", folder,
		    strerror(errno));
		return (true);
	}
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left < DISK_FAIL_BYTES || (fs.f_files > 0 && fs.f_favail < 16))
		verdict = rooms[room].full;
	else if (left < DISK_WARN_BYTES)
		verdict = DOCTOR_WARN;
	if (f->what.code != NULL && verdict <= f->verdict)
		return (false);
	memset(f, 0, sizeof(*f));
	finding_set(f, verdict, "disk_left", "%llu MiB are free for %s",
	    (unsigned long long)(left >> 20), folder);
	if (verdict != DOCTOR_OK)
		finding_remedy(f, rooms[room].code, "%s", rooms[room].remedy);
	return (verdict == DOCTOR_FAIL);
}

/* The database's, unless it is elsewhere, the spool's and the logs': the worst
 * of them is told. */
static void
check_disk(struct doctor *d, struct doctor_finding *f)
{
	static const char file[] = "file:";
	const char *const logs[] = { d->conf->log, d->conf->access_log };
	const char *path = doctor_sqlite_path(d->conf);
	char folder[PATH_MAX];
	size_t i;

	if (path != NULL) {
		access_folder(path, folder);
		if (look_at_disk(folder, 0, f))
			return;
	}
	if (access(d->conf->spool_dir, F_OK) == 0 &&
	    look_at_disk(d->conf->spool_dir, 1, f))
		return;
	for (i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		if (strncmp(logs[i], file, sizeof(file) - 1) != 0)
			continue;
		access_folder(logs[i] + sizeof(file) - 1, folder);
		if (access(folder, F_OK) == 0 && look_at_disk(folder, 2, f))
			return;
	}
	if (f->what.code == NULL)
		finding_set(f, DOCTOR_SKIP, "no_file", "the database is not a "
		    "file");
}

/* ---- secrets ---- */

static void
check_master_key(struct doctor *d, struct doctor_finding *f)
{
	const char *path = d->conf->master_key_file;
	struct err err = { .code = ERR_NONE };
	char why[WHY_SIZE], described[256] = "";
	struct access_user u;
	struct stat st;

	if ((d->seal = seal_open(path, &err)) == NULL) {
		finding_set(f, DOCTOR_FAIL, "key_unreadable", "%s", err.text);
		if (err.code == ERR_NOT_FOUND)
			finding_remedy(f, "restore_key", "Put back the copy "
			    "that you keep; `leasehold init' makes a new one "
			    "for a new database only.");
		return;
	}
	d->have |= DOCTOR_SEAL;
	if (stat(path, &st) == 0)
		access_describe(&st, described, sizeof(described));
	if (!may(d, path, R_OK, why)) {
		access_user_init(&u, d->uid_known ? d->uid : geteuid());
		finding_set(f, DOCTOR_FAIL, "no_access", "%s", why);
		finding_remedy(f, "own_key", "It must be the responders' own:\n"
		    "    chown %s %s && chmod 600 %s", u.name, path, path);
		return;
	}
	finding_set(f, DOCTOR_OK, "path_is", "%s (%s)", path, described);
}

static void
check_fits(struct doctor *d, struct doctor_finding *f)
{
	struct err err = { .code = ERR_NONE };

	if (meta_check_seal(d->store, d->seal, &err) == 0) {
		finding_set(f, DOCTOR_OK, "key_fits", "master key \"%s\" "
		    "belongs to this database", seal_key_id(d->seal));
		return;
	}
	finding_set(f, DOCTOR_FAIL, "key_differs", "%s", err.text);
	if (err.code == ERR_NOT_FOUND)
		finding_remedy(f, "run_init", "leasehold init");
}

/* ---- folders ---- */

static void
check_run_dir(struct doctor *d, struct doctor_finding *f)
{
	const char *dir = d->conf->run_dir;
	struct access_user u;
	char why[WHY_SIZE];

	if (may(d, dir, R_OK | W_OK | X_OK, why)) {
		finding_set(f, DOCTOR_OK, "may_write", "%s can be written to",
		    dir);
		return;
	}
	access_user_init(&u, d->uid_known ? d->uid : geteuid());
	finding_set(f, DOCTOR_FAIL, "no_access", "%s", why);
	finding_remedy(f, "own_run_dir", "Responders keep lock files and "
	    "sockets there:\n"
	    "    install -d -m 0755 -o %s %s\n"
	    "and at each boot, as /run is emptied (tmpfiles.d):\n"
	    "    d %s 0755 %s - -", u.name, dir, dir, u.name);
}

/* What waits there is replayed within seconds of the database's return. */
static void
check_spool(struct doctor *d, struct doctor_finding *f)
{
	const char *dir = d->conf->spool_dir;
	struct err err = { .code = ERR_NONE };
	struct access_user u;
	struct spool_count n;
	char why[WHY_SIZE];

	if (!may(d, dir, R_OK | W_OK | X_OK, why)) {
		access_user_init(&u, d->uid_known ? d->uid : geteuid());
		finding_set(f, DOCTOR_WARN, "no_access", "%s", why);
		finding_remedy(f, "own_spool", "Without it a request that ends "
		    "while the database cannot be used is charged as estimated "
		    "if its responder dies too:\n"
		    "    install -d -m 0750 -o %s %s", u.name, dir);
	} else if (spool_count(dir, &n, &err)) {
		finding_set(f, DOCTOR_WARN, "spool_unreadable", "%s", err.text);
	} else if (n.records > 0 || n.refused > 0) {
		finding_set(f, DOCTOR_WARN, "spool_waits", "%lld settlements "
		    "wait in %s, %lld files were refused", (long long)n.records,
		    dir, (long long)n.refused);
		finding_remedy(f, "replay_spool", "Responders replay them as "
		    "soon as the database can be used: see whether they run, "
		    "and their log for \"spool\". Files named *.refused are "
		    "damaged, or of another installation, or from before a "
		    "backup was restored: their requests stay estimated, "
		    "remove them.");
	} else
		finding_set(f, DOCTOR_OK, "is_empty", "%s is empty", dir);
}

/* A responder that cannot open one of its logs does not start: false. */
static bool
look_at_log(const struct doctor *d, const char *setting, const char *log,
    struct doctor_finding *f)
{
	static const char scheme[] = "file:";
	const char *path = log + sizeof(scheme) - 1;
	char folder[PATH_MAX], why[WHY_SIZE];

	if (strncmp(log, scheme, sizeof(scheme) - 1) != 0) {
		finding_set(f, DOCTOR_OK, "log_to", "log = %s", log);
		return (true);
	}
	access_folder(path, folder);
	if (access(path, F_OK) == 0 ? may(d, path, W_OK, why) :
	    may(d, folder, W_OK | X_OK, why)) {
		finding_set(f, DOCTOR_OK, "may_write", "%s can be written to",
		    path);
		return (true);
	}
	finding_set(f, DOCTOR_FAIL, "no_access", "%s", why);
	finding_remedy(f, "own_log", "Let the responders' user write there, or "
	    "change the setting `%s'.", setting);
	return (false);
}

static void
check_log(struct doctor *d, struct doctor_finding *f)
{

	if (look_at_log(d, "access_log", d->conf->access_log, f))
		(void)look_at_log(d, "log", d->conf->log, f);
}

/* ---- time ---- */

static void
check_clock(struct doctor *d, struct doctor_finding *f)
{
	struct err err = { .code = ERR_NONE };
	int64_t newest[2];

	if (store_shared(d->store) && time_judge_server(f,
	    clock_wall_ms(clock_system()), store_now_ms(d->store)))
		return;
	if (store_one(d->store, STMT_DOCTOR_TIMES, NULL, 0, newest, 2,
	    &err) == -1) {
		finding_set(f, DOCTOR_FAIL, "query_failed", "%s", err.text);
		return;
	}
	if (newest[0] > newest[1])
		time_judge(f, "the newest request is from", newest[0],
		    store_now_ms(d->store));
	else
		time_judge(f, "a responder's last beat is from", newest[1],
		    store_now_ms(d->store));
}

#define STORE	(DOCTOR_CONF | DOCTOR_STORE)

const struct doctor_check doctor_host_checks[] = {
	{ "config", "settings", 0, check_config },
	{ "user", "the responders' user", DOCTOR_CONF, check_user },
	{ "database", "database", DOCTOR_CONF, check_database },
	{ "writes", "writing to it", STORE, check_writes },
	{ "disk", "room on the disk", DOCTOR_CONF, check_disk },
	{ "master_key", "master key file", DOCTOR_CONF, check_master_key },
	{ "fits", "its key", STORE | DOCTOR_SEAL, check_fits },
	{ "run_dir", "run_dir", DOCTOR_CONF, check_run_dir },
	{ "spool", "spool", DOCTOR_CONF, check_spool },
	{ "log", "log", DOCTOR_CONF, check_log },
	{ "clock", "clock", STORE, check_clock },
	{ "zones", "time zones", STORE, time_check_zones },
	{ .name = NULL }
};
