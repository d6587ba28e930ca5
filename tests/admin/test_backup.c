#include "desk.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "store/backup.h"

#include "backup_store.h"
#include "restore_store.h"

/* A backup of the store that LEASEHOLD_TEST_STORE names, or of SQLite. */

#define BATCH	800		/* of what one statement makes */
#define ROWS	(3 * BATCH)

static struct conf *
settings(struct desk *d)
{
	char text[1024];
	struct conf *conf;

	(void)snprintf(text, sizeof(text), "store = %s\nmaster_key_file = %s\n"
	    "run_dir = %s\nspool_dir = %s\n", d->url, d->key_path, d->dir,
	    d->dir);
	conf = conf_parse("test", text, strlen(text), &d->err);
	desk_works(d, conf == NULL);
	return (conf);
}

/* Void rows, which count in no sum. */
static void
fill(struct desk *d)
{
	int i;

	for (i = 0; i < ROWS; i += BATCH)
		desk_sql(d, "INSERT INTO ledger (id, state, fence, "
		    "responder_id, created_ms, key_id, kind, model, stream, "
		    "reserved_nusd, body_bytes) WITH RECURSIVE i(n) AS "
		    "(SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d) "
		    "SELECT 7000000000000000000 + %d + n, 4, 1, 1, n, 9, "
		    "'messages', 'm', 0, 0, 0 FROM i", BATCH, i);
}

static int
make(struct desk *d, const char *path, bool force,
    backup_progress *progress, void *arg, struct backup_made *made)
{
	struct conf *conf = settings(d);
	const struct backup_order o = {
		.conf = conf, .path = path, .force = force, .books = true,
		.progress = progress, .arg = arg
	};
	int rc;

	rc = backup_store(&o, made, &d->err);
	conf_free(conf);
	return (rc);
}

/* Files in the folder of copies whose names begin so. */
static int
count(const struct desk *d, const char *name)
{
	struct dirent *de;
	char out[96];
	DIR *dir;
	int n = 0;

	(void)snprintf(out, sizeof(out), "%s/out", d->dir);
	assert_non_null(dir = opendir(out));
	while ((de = readdir(dir)) != NULL)
		n += strncmp(de->d_name, name, strlen(name)) == 0;
	(void)closedir(dir);
	return (n);
}

static void
it_holds_what_the_store_holds(void **state)
{
	static const char *const looks[] = {
		"SELECT count(*) FROM ledger",
		"SELECT count(*) FROM account",
		"SELECT hex(secret) FROM account",
		"SELECT hex(value) FROM meta WHERE name = 'pepper'",
		"SELECT max(number) FROM migration",
	};
	struct desk *d = *state;
	char path[128], url[160], there[512];
	struct backup_made made;
	struct stat sb;
	size_t i;

	(void)umask(0);
	fill(d);
	desk_account(d, "a", 3);
	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	assert_true(made.books);
	assert_int_equal(made.rows, ROWS);
	assert_int_equal(made.differences, 0);
	assert_int_equal(made.schema, store_schema_wanted());
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_int_equal(sb.st_size, made.bytes);
	assert_int_equal(count(d, "copy"), 1);
	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		(void)snprintf(there, sizeof(there), "%s", raw_text(d->url,
		    looks[i]));
		assert_string_equal(raw_text(url, looks[i]), there);
	}
	assert_string_equal(raw_text(url, "PRAGMA integrity_check"), "ok");
}

static void
it_is_not_written_over_without_being_told(void **state)
{
	struct desk *d = *state;
	char path[128], url[160];
	struct backup_made made;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	desk_account(d, "a", 3);
	desk_fails(d, make(d, path, false, NULL, NULL, &made), ERR_EXISTS);
	assert_int_equal(raw_int(url, "SELECT count(*) FROM account"), 0);
	desk_works(d, make(d, path, true, NULL, NULL, &made));
	assert_int_equal(raw_int(url, "SELECT count(*) FROM account"), 1);
	assert_int_equal(count(d, "copy"), 1);
}

/* The n-th look ends it. */
struct countdown {
	int left;
	const char *stage;	/* in which it was ended */
};

static int
until_told(void *arg, const char *stage, int64_t done, int64_t all,
    struct err *err)
{
	struct countdown *c = arg;

	(void)done;
	(void)all;
	if (c->left-- > 0)
		return (0);
	c->stage = stage;
	err_set(err, ERR_CANCELLED, "enough");
	return (-1);
}

static void
what_breaks_off_leaves_nothing(void **state)
{
	struct desk *d = *state;
	char path[128], before[64], url[160];
	struct backup_made made;
	struct countdown c;
	int i, ended;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	fill(d);
	for (i = ended = 0; ; i++) {
		c = (struct countdown) { .left = i };
		if (make(d, path, false, until_told, &c, &made) == 0)
			break;
		desk_fails(d, -1, ERR_CANCELLED);
		assert_int_equal(count(d, "copy"), 0);
		ended++;
	}
	assert_true(ended >= 2);
	/* And what is there stays. */
	(void)snprintf(before, sizeof(before), "%s", raw_text(url,
	    "SELECT count(*) FROM ledger"));
	c = (struct countdown) { .left = 0 };
	desk_fails(d, make(d, path, true, until_told, &c, &made),
	    ERR_CANCELLED);
	assert_string_equal(raw_text(url, "SELECT count(*) FROM ledger"),
	    before);
	assert_int_equal(count(d, "copy"), 1);
}

static int
stop_here(void *arg, const char *stage, int64_t done, int64_t all,
    struct err *err)
{
	const int *fd = arg;

	(void)stage;
	(void)done;
	(void)all;
	(void)err;
	if (write(*fd, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
one_at_a_time_writes_it_and_a_killed_one_is_no_hindrance(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	char path[128], c;
	int fds[2], status;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	fill(d);
	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		(void)make(d, path, false, stop_here, &fds[1], &made);
		_exit(1);
	}
	assert_int_equal(read(fds[0], &c, 1), 1);
	desk_fails(d, make(d, path, false, NULL, NULL, &made),
	    ERR_STORE_BUSY);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(access(path, F_OK), -1);
	assert_true(count(d, "copy.part") >= 1);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	assert_int_equal(made.rows, ROWS);
	assert_int_equal(count(d, "copy"), 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
sums_that_differ_are_told_of(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	desk_sql(d, "INSERT INTO key_usage VALUES (1, 5, 0, 0, 0, 0, 0, 0)");
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	assert_int_equal(made.differences, 1);
	assert_int_equal(access(path, F_OK), 0);
}

/* A page is overwritten while the copy is looked at. */
static void
damage_is_seen(void **state)
{
	struct desk *d = *state;
	char path[128], junk[4096];
	struct backup *b;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	memset(junk, 0xa5, sizeof(junk));
	fill(d);
	b = backup_start(path, false, &d->err);
	desk_works(d, b == NULL);
	desk_works(d, backup_pages(b, d->db_path, NULL, NULL, &d->err));
	fd = open(backup_path(b), O_WRONLY);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 4096 * 40),
	    sizeof(junk));
	(void)close(fd);
	desk_fails(d, backup_check(b, NULL, NULL, &d->err), ERR_IO);
	backup_free(b);
	assert_int_equal(count(d, "copy"), 0);
}

static void
an_older_schema_can_be_copied(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	desk_sql(d, "DELETE FROM migration WHERE number = %lld",
	    (long long)store_schema_wanted());
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	assert_false(made.books);
	assert_int_equal(made.schema, store_schema_wanted() - 1);
}

static void
there_must_be_room(void **state)
{
	struct desk *d = *state;

	desk_works(d, backup_room(d->dir, 0, &d->err));
	desk_fails(d, backup_room(d->dir, INT64_MAX / 2, &d->err), ERR_IO);
}

/* ---- restore ---- */

static int
restore(struct desk *d, const char *path, bool force,
    backup_progress *progress, void *arg, struct restore_made *made)
{
	struct conf *conf = settings(d);
	const struct restore_order o = {
		.conf = conf, .path = path, .force = force,
		.actor = { ACTOR_SHELL, "me", "" }, .progress = progress,
		.arg = arg
	};
	int rc;

	rc = restore_store(&o, made, &d->err);
	conf_free(conf);
	return (rc);
}

/* What was kept of the database that was there is in the way of rmdir. */
static void
drop_kept(const struct desk *d)
{
	char command[192];

	(void)snprintf(command, sizeof(command), "rm -f %s.before-restore*",
	    d->db_path);
	assert_int_equal(system(command), 0);
}

static void
it_puts_back_what_was_there(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	int64_t epoch, version;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	fill(d);
	desk_account(d, "a", 3);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	epoch = desk_number(d, "SELECT value + 0 FROM meta WHERE name = "
	    "'epoch'");
	desk_account(d, "b", 3);
	version = desk_number(d, "SELECT value + 0 FROM meta WHERE name = "
	    "'config_version'");
	desk_works(d, restore(d, path, false, NULL, NULL, &back));
	assert_int_equal(back.rows, ROWS);
	assert_int_equal(back.differences, 0);
	assert_int_equal(back.secrets, 1);
	assert_int_equal(back.schema, store_schema_wanted());
	assert_int_equal(desk_number(d, "SELECT count(*) FROM ledger"), ROWS);
	assert_string_equal(raw_text(d->url, "SELECT max(name) FROM account"),
	    "a");
	assert_int_equal(desk_number(d, "SELECT value + 0 FROM meta WHERE "
	    "name = 'epoch'"), epoch + 1);
	assert_int_equal(desk_number(d, "SELECT value + 0 FROM meta WHERE "
	    "name = 'config_version'"), version + 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit WHERE "
	    "verb = 'restore' AND actor = 'me'"), 1);
	drop_kept(d);
}

static void
what_would_be_lost_is_said(void **state)
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{ "INSERT INTO responder (id, kind, node, host, pid, "
		    "lock_path, wake_path, version, started_ms, beat, "
		    "beat_ms) VALUES (7, 'relay', 1, '', 0, '', '', '', 0, "
		    "0, {now} * 1000)", "responders run" },
		{ "INSERT INTO ledger (id, state, fence, responder_id, "
		    "created_ms, key_id, kind, model, stream, reserved_nusd, "
		    "body_bytes) VALUES (7100000000000000000, 4, 1, 1, 1, 9, "
		    "'messages', 'm', 0, 0, 0)", "1 requests from after" },
		{ "UPDATE meta SET value = 'another' WHERE name = "
		    "'installation_id'", "another installation" },
	};
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	char path[128];
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		raw_sql(d->url, cases[i].sql);
		assert_int_equal(restore(d, path, false, NULL, NULL, &back),
		    -1);
		if (strstr(d->err.text, cases[i].says) == NULL)
			fail_msg("%s", d->err.text);
		desk_fails(d, -1, ERR_EXISTS);
		desk_works(d, restore(d, path, true, NULL, NULL, &back));
		assert_int_equal(desk_number(d, "SELECT (SELECT count(*) "
		    "FROM responder WHERE id = 7) + (SELECT count(*) FROM "
		    "ledger)"), 0);
	}
	drop_kept(d);
}

static void
a_restore_that_breaks_off_changes_nothing(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	struct countdown c;
	bool filling = false;
	char path[128];
	int i;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	desk_account(d, "a", 3);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	desk_account(d, "b", 3);
	fill(d);
	for (i = 0; ; i++) {
		c = (struct countdown) { .left = i };
		if (restore(d, path, true, until_told, &c, &back) == 0)
			break;
		desk_fails(d, -1, ERR_CANCELLED);
		filling |= strcmp(c.stage, "filling") == 0;
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "account"), 2);
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "ledger"), ROWS);
	}
	assert_true(i >= 5);
	assert_int_equal(filling, raw_is_mysql());
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 1);
	drop_kept(d);
}

/* It stops in the ${n}-th stage that is told of, and is killed there. */
static int
stop_there(void *arg, const char *stage, int64_t done, int64_t all,
    struct err *err)
{
	int *at = arg;

	return ((*at)-- > 0 ? 0 : stop_here(&at[1], stage, done, all, err));
}

/* Of a server the copy is made in a folder there. */
static size_t
count_copies(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		n += strncmp(e->d_name, "leasehold-restore.", 18) == 0;
	(void)closedir(dir);
	return (n);
}

static void
a_killed_restore_leaves_what_was_there(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	int fds[2], at[2], status, i;
	char path[128], c;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	desk_account(d, "a", 3);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	desk_account(d, "b", 3);
	assert_int_equal(setenv("TMPDIR", d->dir, 1), 0);
	for (i = 0; ; i++) {
		assert_int_equal(pipe(fds), 0);
		if ((pid = fork()) == 0) {
			at[0] = i;
			at[1] = fds[1];
			_exit(restore(d, path, false, stop_there, at, &back) ==
			    0 ? 0 : 1);
		}
		(void)close(fds[1]);
		if (read(fds[0], &c, 1) != 1)
			break;
		(void)close(fds[0]);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "account"), 2);
		assert_true(count_copies(d->dir) <= 1);
	}
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(i >= 5);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	assert_int_equal(count_copies(d->dir), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 1);
	drop_kept(d);
}

static void
it_must_be_a_backup_that_this_program_and_key_can_read(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	char path[128], url[160];

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	desk_fails(d, restore(d, path, false, NULL, NULL, &back),
	    ERR_NOT_FOUND);
	raw_sql(url, "CREATE TABLE x (y)");
	desk_fails(d, restore(d, path, false, NULL, NULL, &back), ERR_SCHEMA);
	desk_works(d, make(d, path, true, NULL, NULL, &made));
	raw_sql(url, "INSERT INTO migration VALUES (9999, 'later', 1)");
	desk_fails(d, restore(d, path, true, NULL, NULL, &back), ERR_SCHEMA);
	desk_works(d, make(d, path, true, NULL, NULL, &made));
	raw_sql(url, "UPDATE meta SET value = x'00' WHERE name = "
	    "'seal_check'");
	desk_fails(d, restore(d, path, true, NULL, NULL, &back), ERR_CRYPTO);
	desk_account(d, "a", 3);
	desk_works(d, make(d, path, true, NULL, NULL, &made));
	raw_sql(url, "UPDATE account SET secret = x'0011'");
	desk_fails(d, restore(d, path, true, NULL, NULL, &back), ERR_CRYPTO);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 1);
}

/* As the version before this one left it, with the facts of ${d}. */
static void
make_older(struct desk *d, const char *path, const char *facts)
{
	const struct stmt_migration *m =
	    stmt_migrations[STMT_DIALECT_SQLITE];
	char url[160], sql[512];
	int64_t i;

	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	for (i = 0; i < store_schema_wanted() - 1; i++) {
		raw_sql(url, m[i].sql);
		(void)snprintf(sql, sizeof(sql), "INSERT INTO migration "
		    "VALUES (%lld, 'x', 1)", (long long)i + 1);
		raw_sql(url, sql);
	}
	(void)snprintf(sql, sizeof(sql), "ATTACH '%s' AS f; INSERT OR REPLACE "
	    "INTO meta SELECT * FROM f.meta; INSERT INTO account_group (id, "
	    "name, created_ms) VALUES (7, 'old', 1)", facts);
	raw_sql(url, sql);
	assert_int_equal(d->err.code, ERR_NONE);
}

static void
an_older_backup_is_brought_up(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	char path[128], older[128];

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	(void)snprintf(older, sizeof(older), "%s/out/older", d->dir);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	make_older(d, older, path);
	desk_works(d, restore(d, older, false, NULL, NULL, &back));
	assert_int_equal(back.schema_before, store_schema_wanted() - 1);
	assert_int_equal(back.schema, store_schema_wanted());
	assert_int_equal(desk_number(d, "SELECT max(number) FROM migration"),
	    store_schema_wanted());
	assert_string_equal(raw_text(d->url, "SELECT name FROM account_group "
	    "WHERE id = 7"), "old");
	drop_kept(d);
}

/* ---- of a file ---- */

static void
the_store_that_was_there_is_kept_with_its_log(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	char path[128], kept[160];
	struct stat sb;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	(void)snprintf(kept, sizeof(kept), "sqlite:%s.before-restore",
	    d->db_path);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	desk_account(d, "in the log", 3);
	assert_int_equal(chmod(d->db_path, 0604), 0);
	desk_works(d, restore(d, path, false, NULL, NULL, &back));
	assert_true(back.kept);
	assert_int_equal(stat(d->db_path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0604);
	assert_int_equal(raw_int(kept, "SELECT count(*) FROM account WHERE "
	    "name = 'in the log'"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 0);
	/* Who had it open writes no more. */
	desk_fails(d, store_begin(d->st, true, &d->err), ERR_STORE_DOWN);
	drop_kept(d);
}

static void
a_damaged_store_needs_force(void **state)
{
	struct desk *d = *state;
	struct backup_made made;
	struct restore_made back;
	char path[128], junk[65536];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/out/copy", d->dir);
	desk_account(d, "a", 3);
	desk_works(d, make(d, path, false, NULL, NULL, &made));
	store_close(d->st);
	d->st = NULL;
	memset(junk, 0xa5, sizeof(junk));
	fd = open(d->db_path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	(void)close(fd);
	desk_fails(d, restore(d, path, false, NULL, NULL, &back), ERR_EXISTS);
	desk_works(d, restore(d, path, true, NULL, NULL, &back));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 1);
	drop_kept(d);
}

static int
make_folder(void **state)
{
	struct desk *d = *state;
	char out[96];

	(void)snprintf(out, sizeof(out), "%s/out", d->dir);
	return (mkdir(out, 0700));
}

static int
setup(void **state)
{

	return (desk_setup(state) || make_folder(state));
}

static int
setup_sqlite(void **state)
{

	return (desk_setup_sqlite(state) || make_folder(state));
}

static int
teardown(void **state)
{
	struct desk *d = *state;
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s/out", d->dir);
	assert_int_equal(system(command), 0);
	return (desk_teardown(state));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define L(f) cmocka_unit_test_setup_teardown(f, setup_sqlite, teardown)
		T(it_holds_what_the_store_holds),
		T(it_is_not_written_over_without_being_told),
		T(what_breaks_off_leaves_nothing),
		T(one_at_a_time_writes_it_and_a_killed_one_is_no_hindrance),
		T(sums_that_differ_are_told_of),
		L(damage_is_seen),
		T(an_older_schema_can_be_copied),
		T(there_must_be_room),
		T(it_puts_back_what_was_there),
		T(what_would_be_lost_is_said),
		T(a_restore_that_breaks_off_changes_nothing),
		T(a_killed_restore_leaves_what_was_there),
		T(it_must_be_a_backup_that_this_program_and_key_can_read),
		T(an_older_backup_is_brought_up),
		L(the_store_that_was_there_is_kept_with_its_log),
		L(a_damaged_store_needs_force),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
