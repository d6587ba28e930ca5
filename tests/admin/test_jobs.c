#include "desk.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "ledger/id.h"

#include "audit.h"
#include "jobs.h"
#include "verify.h"

static void
nap(int ms)
{
	const struct timespec t = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L
	};

	(void)nanosleep(&t, NULL);
}

static struct job_plan
plan(const char *schedule, int64_t lease_ms)
{
	struct job_plan p = {
		.name = "work", .schedule = schedule, .by = "me",
		.lease_ms = lease_ms,
	};

	assert_int_equal(cron_parse(schedule, &p.cron, NULL), 0);
	return (p);
}

static enum job_taken
take(struct desk *d, const struct job_plan *p, bool forced,
    struct job_lease *l)
{
	enum job_taken taken;

	desk_works(d, job_take(d->st, p, forced, l, &taken, &d->err));
	return (taken);
}

static void
ends(struct desk *d, struct job_lease *l, enum job_result result,
    const char *detail)
{

	desk_works(d, job_end(d->st, l, result, detail, &d->err));
}

/* As if all that is in the row had been so much earlier. */
static void
shift(struct desk *d, int64_t ms)
{

	desk_sql(d, "UPDATE job SET since_ms = since_ms - %lld, "
	    "lease_until_ms = lease_until_ms - %lld WHERE name = 'work'",
	    (long long)ms, (long long)ms);
}

/* ---- the row ---- */

static void
a_job_is_due_when_its_schedule_says_so(void **state)
{
	struct desk *d = *state;
	const struct job_plan p = plan("@every 1h", 60000);
	const struct job_plan off = plan("off", 60000);
	struct job_lease l;

	assert_int_equal(take(d, &p, false, &l), JOB_NOT_DUE);
	shift(d, 3600 * 1000);
	assert_int_equal(take(d, &off, false, &l), JOB_NOT_DUE);
	assert_int_equal(take(d, &p, false, &l), JOB_TAKEN);
	ends(d, &l, JOB_OK, "done");
	assert_int_equal(take(d, &p, false, &l), JOB_NOT_DUE);
	assert_int_equal(take(d, &off, true, &l), JOB_TAKEN);
	ends(d, &l, JOB_OK, "");
	assert_int_equal(desk_number(d, "SELECT runs FROM job"), 2);
}

static void
what_was_missed_is_made_up_for_once(void **state)
{
	struct desk *d = *state;
	const struct job_plan p = plan("@every 1h", 60000);
	struct job_lease l;

	(void)take(d, &p, false, &l);
	shift(d, INT64_C(30) * 86400 * 1000);
	assert_int_equal(take(d, &p, false, &l), JOB_TAKEN);
	ends(d, &l, JOB_OK, "");
	assert_int_equal(take(d, &p, false, &l), JOB_NOT_DUE);
}

static void
a_clock_that_was_put_back_stops_no_job(void **state)
{
	struct desk *d = *state;
	const struct job_plan p = plan("@every 1s", 60000);
	struct job_lease l;

	(void)take(d, &p, false, &l);
	shift(d, -INT64_C(365) * 86400 * 1000);
	assert_int_equal(take(d, &p, true, &l), JOB_TAKEN);
	ends(d, &l, JOB_OK, "");
	shift(d, 2000);
	assert_int_equal(take(d, &p, false, &l), JOB_TAKEN);
	ends(d, &l, JOB_OK, "");

	/* Nobody has to run it by hand, either. */
	shift(d, -INT64_C(365) * 86400 * 1000);
	desk_works(d, job_plan_put(d->st, &p, &d->err));
	shift(d, 2000);
	assert_int_equal(take(d, &p, false, &l), JOB_TAKEN);
}

static void
who_has_the_lease_is_alone(void **state)
{
	struct desk *d = *state;
	const struct job_plan p = plan("@every 1s", 60000);
	struct job_lease l, other;

	assert_int_equal(take(d, &p, true, &l), JOB_TAKEN);
	shift(d, 5000);
	assert_int_equal(take(d, &p, false, &other), JOB_BUSY);
	assert_int_equal(take(d, &p, true, &other), JOB_BUSY);
	assert_string_equal(other.holder, "me");
	ends(d, &l, JOB_FAILED, "it \xc3\xa4rgers");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM job WHERE "
	    "result = 'failed' AND detail LIKE 'it %%' AND lease_by IS NULL "
	    "AND good_ms IS NULL AND last_end_ms >= last_start_ms"), 1);
	assert_int_equal(take(d, &p, true, &other), JOB_TAKEN);
}

static void
a_lease_that_lapsed_is_the_next_ones(void **state)
{
	struct desk *d = *state;
	const struct job_plan p = plan("@every 1h", 60000);
	struct job_lease l, next;

	assert_int_equal(take(d, &p, true, &l), JOB_TAKEN);
	shift(d, 50000);
	desk_works(d, job_keep(d->st, &l, &d->err));
	shift(d, 50000);
	l.until_ms -= 50000;
	desk_works(d, job_keep(d->st, &l, &d->err));
	assert_int_equal(take(d, &p, false, &next), JOB_BUSY);
	shift(d, 60001);
	l.until_ms -= 60001;

	/* It is not due by its schedule, but it was never done. */
	assert_int_equal(take(d, &p, false, &next), JOB_TAKEN);
	desk_fails(d, job_keep(d->st, &l, &d->err), ERR_CANCELLED);
	desk_fails(d, job_end(d->st, &l, JOB_OK, "late", &d->err),
	    ERR_CANCELLED);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM job "
	    "WHERE lease_by = 'me' AND result = ''"), 1);
	ends(d, &next, JOB_OK, "");
}

static void
what_had_to_stop_is_due_again(void **state)
{
	struct desk *d = *state;
	const struct job_plan p = plan("@every 1h", 60000);
	struct job_lease l;

	(void)take(d, &p, false, &l);
	shift(d, 3600 * 1000);
	assert_int_equal(take(d, &p, false, &l), JOB_TAKEN);
	ends(d, &l, JOB_STOPPED, "");
	assert_int_equal(take(d, &p, false, &l), JOB_TAKEN);
}

/* ---- several processes ---- */

static struct store *
connect_anew(const struct desk *d)
{
	const struct store_options opt = { .busy_timeout_ms = 10000 };
	struct store *st;

	/* Nobody waits for it when the test ends early. */
	(void)alarm(60);
	st = store_open(d->url, &opt, NULL);
	if (st == NULL || store_prepare(st, NULL))
		_exit(3);
	return (st);
}

/* Runs of the job as fast as may be; the marker shows that it is alone. */
static void
race(const struct desk *d, const char *marker)
{
	struct store *st = connect_anew(d);
	const struct job_plan p = plan("off", 10000);
	struct job_lease l;
	enum job_taken taken;
	int i, fd, runs = 0;

	for (i = 0; i < 3000 && runs < 15; i++) {
		if (job_take(st, &p, true, &l, &taken, NULL) ||
		    taken != JOB_TAKEN) {
			nap(1);
			continue;
		}
		if ((fd = open(marker, O_CREAT | O_EXCL, 0600)) == -1)
			_exit(1);
		nap(2);
		(void)close(fd);
		(void)unlink(marker);
		while (job_end(st, &l, JOB_OK, "", NULL))
			nap(1);
		runs++;
	}
	store_close(st);
	_exit(runs == 15 ? 0 : 2);
}

static void
it_never_runs_twice_at_once(void **state)
{
	struct desk *d = *state;
	char marker[96];
	pid_t pids[4];
	int status;
	size_t i;

	(void)snprintf(marker, sizeof(marker), "%s/marker", d->dir);
	for (i = 0; i < 4; i++) {
		if ((pids[i] = fork()) == 0)
			race(d, marker);
		assert_true(pids[i] > 0);
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(desk_number(d, "SELECT runs FROM job"), 60);
}

static void
the_job_of_a_killed_process_is_taken_over(void **state)
{
	struct desk *d = *state;
	const struct job_plan p = plan("@every 1h", 1000);
	struct job_lease l;
	struct store *st;
	enum job_taken taken;
	int i, fds[2], status;
	char c;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		st = connect_anew(d);
		if (job_take(st, &p, true, &l, &taken, NULL) ||
		    taken != JOB_TAKEN || write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &c, 1), 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(take(d, &p, true, &l), JOB_BUSY);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (i = 0; i < 300 && take(d, &p, false, &l) != JOB_TAKEN; i++)
		nap(10);
	assert_in_range(l.fence, 2, 2);
	assert_int_equal(desk_number(d, "SELECT lease_fence FROM job"), 2);
	ends(d, &l, JOB_OK, "");
}

/* ---- the jobs ---- */

static struct conf *
settings(struct desk *d, const char *more)
{
	char text[1024];
	struct conf *conf;

	(void)snprintf(text, sizeof(text), "store = %s\nmaster_key_file = %s\n"
	    "run_dir = %s\nspool_dir = %s\ndead_after_s = 200ms\n"
	    "beat_interval_ms = 50\n%s", d->url, d->key_path, d->dir, d->dir,
	    more);
	if (strstr(more, "backup_dir") == NULL) {
		(void)snprintf(text + strlen(text), sizeof(text) -
		    strlen(text), "backup_dir = %s/backup\n", d->dir);
	}
	conf = conf_parse("test", text, strlen(text), &d->err);
	desk_works(d, conf == NULL);
	return (conf);
}

static struct job_outcome
run_job(struct desk *d, const char *name, const char *more)
{
	struct conf *conf = settings(d, more);
	const struct job_runner r = { .st = d->st, .conf = conf, .by = "me" };
	struct job_outcome out;

	desk_works(d, job_run(&r, jobs_find(name), true, &out, &d->err));
	assert_int_equal(out.taken, JOB_TAKEN);
	conf_free(conf);
	return (out);
}

static void
well(const struct job_outcome *out, enum job_result result,
    const char *said)
{

	if (out->result != result || strstr(out->said, said) == NULL)
		fail_msg("%s: %s", job_result_name(out->result), out->said);
}

/* So many rows of the audit log, a day old each and older. */
static void
fill_audit(struct desk *d, int64_t now_ms, int from_days, int n)
{
	int i;

	for (i = 0; i < n; i++)
		desk_sql(d, "INSERT INTO audit (at_ms, actor_kind, actor, "
		    "address, verb, object) VALUES (%lld, 'shell', 'root', "
		    "'', 'key.set', 'k%d')", (long long)(now_ms -
		    from_days * INT64_C(86400000) - 7200000 + i), i);
}

static void
the_audit_log_is_kept_as_long_as_is_said(void **state)
{
	struct desk *d = *state;
	const int64_t now_ms = store_now_ms(d->st);
	struct job_outcome out;

	fill_audit(d, now_ms, 400, 2);
	fill_audit(d, now_ms, 31, AUDIT_PRUNE_MAX + 7);
	fill_audit(d, now_ms, 29, 3);
	fill_audit(d, now_ms, 0, 4);
	out = run_job(d, "prune", "");
	well(&out, JOB_OK, " 0 rows of the audit log");
	out = run_job(d, "prune", "audit_keep_days = 401\n");
	well(&out, JOB_OK, " 0 rows of the audit log");
	out = run_job(d, "prune", "audit_keep_days = 60\n");
	well(&out, JOB_OK, " 2 rows of the audit log");
	out = run_job(d, "prune", "audit_keep_days = 30\n");
	well(&out, JOB_OK, " 507 rows of the audit log");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit"), 7);
	out = run_job(d, "prune", "audit_keep_days = 30\n");
	well(&out, JOB_OK, " 0 rows of the audit log");
	out = run_job(d, "prune", "audit_keep_days = 1\n");
	well(&out, JOB_OK, " 3 rows of the audit log");
}

static void
each_job_runs_on_an_empty_installation(void **state)
{
	struct desk *d = *state;
	bool server = raw_is_mysql();
	struct job_outcome out;
	json_t *rows;

	out = run_job(d, "checkpoint", "");
	well(&out, server ? JOB_SKIPPED : JOB_OK, "");
	out = run_job(d, "prune", "ledger_keep_days = 1\n");
	well(&out, JOB_OK, "0 requests");
	out = run_job(d, "rollup", "");
	well(&out, JOB_OK, "agree");
	out = run_job(d, "reap", "");
	well(&out, JOB_OK, "0 dead");
	out = run_job(d, "refresh", "");
	well(&out, JOB_OK, "0 tokens");
	out = run_job(d, "probe", "");
	well(&out, JOB_OK, "0 accounts");
	out = run_job(d, "backup", "backup_dir =\n");
	well(&out, JOB_SKIPPED, "");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM responder"), 0);
	rows = jobs_list(d->st, &d->err);
	assert_non_null(rows);
	assert_int_equal(json_array_size(rows), 7);
	json_decref(rows);
}

/* An open request of a responder that is not there. */
static void
the_reaper_closes_what_was_left(void **state)
{
	struct desk *d = *state;
	struct job_outcome out;

	desk_account(d, "a", 2);
	desk_sql(d, "INSERT INTO ledger (id, state, fence, responder_id, "
	    "created_ms, key_id, kind, model, stream, reserved_nusd, "
	    "body_bytes) VALUES (%lld, 0, 0, 77, 1, 1, 'messages', 'm', 0, "
	    "5, 1)", (long long)ledger_id_first(store_now_ms(d->st)));
	desk_sql(d, "UPDATE slot SET responder_id = 77, leased_ms = 1 "
	    "WHERE n = 0");
	out = run_job(d, "reap", "");
	well(&out, JOB_OK, "1 dead");
	assert_int_equal(desk_number(d, "SELECT state FROM ledger"), 2);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM slot "
	    "WHERE responder_id IS NOT NULL"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM responder"), 0);
	out = run_job(d, "rollup", "");
	well(&out, JOB_OK, "1 requests");
}

static void
a_sum_that_differs_fails_the_job(void **state)
{
	struct desk *d = *state;
	struct job_outcome out;

	the_reaper_closes_what_was_left(state);
	desk_sql(d, "UPDATE usage_hour SET requests = requests + 1");
	out = run_job(d, "rollup", "");
	well(&out, JOB_FAILED, "sums are not those of their rows");
}

/* ---- backups ---- */

static int
count_backups(struct desk *d, char *last, size_t size)
{
	char dir[96];
	struct dirent **list;
	int i, n;

	(void)snprintf(dir, sizeof(dir), "%s/backup", d->dir);
	n = scandir(dir, &list, NULL, alphasort);
	assert_true(n >= 2);
	for (i = 0; i < n; i++) {
		if (last != NULL && list[i]->d_name[0] == 'l')
			assert_true(snprintf(last, size, "%s/%s", dir,
			    list[i]->d_name) < (int)size);
		free(list[i]);
	}
	free(list);
	return (n - 2);
}

static void
clean(struct desk *d)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s/backup", d->dir);
	assert_int_equal(system(command), 0);
}

/* Transactions of two rows that belong together, until killed. */
static void
write_on(const struct desk *d)
{
	struct store *st = connect_anew(d);
	struct store_value v[4] = { store_text("left"), store_int(0),
	    store_text("right"), store_int(0) };

	for (;;) {
		v[1].i++;
		v[3].i++;
		if (store_begin(st, true, NULL))
			continue;
		if (store_exec(st, STMT_META_PUT, v, 2, 2, NULL, NULL) ||
		    store_commit(st, NULL))
			store_rollback(st);
		nap(1);
	}
}

static void
a_backup_is_of_one_moment_while_others_write(void **state)
{
	struct desk *d = *state;
	struct job_outcome out;
	char path[256] = "", url[300], command[400];
	struct stat sb;
	int i, status;
	pid_t pid;

	/* Large enough that copying it takes several steps. */
	desk_sql(d, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
	    "FROM n WHERE i < 12000) INSERT INTO meta (name, value) "
	    "SELECT 'fill' || i, hex(randomblob(500)) FROM n");
	if ((pid = fork()) == 0)
		write_on(d);
	nap(50);
	for (i = 0; i < 3; i++) {
		out = run_job(d, "backup", "backup_keep = 2\n");
		well(&out, JOB_OK, "leasehold-");
		nap(1100);
	}
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(count_backups(d, path, sizeof(path)), 2);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	assert_int_equal(raw_int(url, "SELECT (SELECT value FROM meta WHERE "
	    "name = 'left') = (SELECT value FROM meta WHERE name = 'right')"),
	    1);
	assert_true(raw_int(url, "SELECT value FROM meta WHERE name = 'left'")
	    > 0);
	assert_string_equal(raw_text(url, "PRAGMA integrity_check"), "ok");
	(void)snprintf(command, sizeof(command), "test ! -e %s-wal", path);
	assert_int_equal(system(command), 0);
	clean(d);
}

static void
what_is_no_backup_is_left_alone(void **state)
{
	static const char *const others[] = {
		"leasehold-2020.db", "mine.db",
		"leasehold-20200101T000000Z.db.part"
	};
	struct desk *d = *state;
	struct job_outcome out;
	char path[160];
	size_t i;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/backup", d->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/backup/%s", d->dir,
		    others[i]);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		assert_true(fd != -1);
		(void)close(fd);
	}
	out = run_job(d, "backup", "backup_keep = 1\n");
	well(&out, JOB_OK, "");
	assert_int_equal(count_backups(d, NULL, 0), 4);
	clean(d);
}

static void
a_folder_that_cannot_be_made_fails_the_job(void **state)
{
	struct desk *d = *state;
	struct job_outcome out;

	out = run_job(d, "backup", "");
	well(&out, JOB_OK, "");
	clean(d);
	out = run_job(d, "backup", "backup_dir = /proc/nowhere\n");
	well(&out, JOB_FAILED, "/proc/nowhere");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM job WHERE "
	    "name = 'backup' AND result = 'failed' AND good_ms > 0"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
#define L(f) cmocka_unit_test_setup_teardown(f, desk_setup_sqlite, \
    desk_teardown)
		T(a_job_is_due_when_its_schedule_says_so),
		T(what_was_missed_is_made_up_for_once),
		T(a_clock_that_was_put_back_stops_no_job),
		T(who_has_the_lease_is_alone),
		T(a_lease_that_lapsed_is_the_next_ones),
		T(what_had_to_stop_is_due_again),
		T(it_never_runs_twice_at_once),
		T(the_job_of_a_killed_process_is_taken_over),
		T(the_audit_log_is_kept_as_long_as_is_said),
		T(each_job_runs_on_an_empty_installation),
		T(the_reaper_closes_what_was_left),
		T(a_sum_that_differs_fails_the_job),
		L(a_backup_is_of_one_moment_while_others_write),
		L(what_is_no_backup_is_left_alone),
		L(a_folder_that_cannot_be_made_fails_the_job),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
