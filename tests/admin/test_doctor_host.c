#include "config.h"

#include "desk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "pool/responder.h"

#include "doctor.h"
#include "doctor_access.h"
#include "notify_targets.h"

/* A desk with a config file, a run_dir and a doctor who looks at it. */
struct ward {
	struct desk *desk;
	char conf[128], run_dir[128], relay[160], admin[160];
	const char *url;		/* NULL: host only */
	struct doctor d;
};

static void
write_conf(struct ward *w, const char *more)
{
	FILE *out = fopen(w->conf, "w");

	assert_non_null(out);
	assert_true(fprintf(out, "store = %s\nmaster_key_file = %s\n"
	    "run_dir = %s\nspool_dir = %s\nrelay_socket = %s\n"
	    "admin_socket = %s\n%s", w->desk->url, w->desk->key_path,
	    w->run_dir, w->run_dir, w->relay, w->admin, more) > 0);
	assert_int_equal(fclose(out), 0);
}

static int
set_up(void **state)
{
	struct ward *w = calloc(1, sizeof(*w));
	void *desk;

	assert_non_null(w);
	assert_int_equal(desk_setup_sqlite(&desk), 0);
	w->desk = desk;
	(void)snprintf(w->conf, sizeof(w->conf), "%s/conf", w->desk->dir);
	(void)snprintf(w->run_dir, sizeof(w->run_dir), "%s/run",
	    w->desk->dir);
	(void)snprintf(w->relay, sizeof(w->relay), "%s/relay", w->run_dir);
	(void)snprintf(w->admin, sizeof(w->admin), "%s/admin", w->run_dir);
	assert_int_equal(mkdir(w->run_dir, 0755), 0);
	write_conf(w, "");
	*state = w;
	return (0);
}

static int
tear_down(void **state)
{
	struct ward *w = *state;
	void *desk = w->desk;

	doctor_fini(&w->d);
	(void)unlink(w->relay);
	(void)unlink(w->admin);
	(void)rmdir(w->run_dir);
	(void)unlink(w->conf);
	free(w);
	return (desk_teardown(&desk));
}

/* Run all checks anew up to the one called ${name}; its finding. */
static struct doctor_finding
look(struct ward *w, const char *name)
{
	const struct doctor_check *const tables[] = { doctor_host_checks,
	    doctor_pool_checks, doctor_web_checks };
	const struct doctor_check *check;
	struct doctor_finding f;
	size_t i;

	doctor_fini(&w->d);
	w->d = (struct doctor){ .config_path = w->conf, .url = w->url,
		.host_only = w->url == NULL };
	for (i = 0; i < NITEMS(tables); i++) {
		for (check = tables[i]; check->name != NULL; check++) {
			doctor_run(&w->d, check, &f);
			if (strcmp(check->name, name) == 0)
				return (f);
		}
	}
	fail_msg("there is no check %s", name);
	return (f);
}

static void
expect(struct ward *w, const char *name, enum doctor_verdict verdict,
    const char *seen, const char *remedy)
{
	struct doctor_finding f = look(w, name);

	if (f.verdict != verdict || strstr(f.seen, seen) == NULL ||
	    (remedy != NULL && strstr(f.remedy, remedy) == NULL))
		fail_msg("%s: %d, %s\n%s", name, f.verdict, f.seen,
		    f.remedy);
}

static void
a_good_host_has_nothing_to_mend(void **state)
{
	static const char *const names[] = { "config", "database",
		"master_key", "fits", "run_dir", "spool", "log", "clock",
		"zones" };
	struct ward *w = *state;
	struct doctor_finding f;
	size_t i;

	for (i = 0; i < NITEMS(names); i++) {
		f = look(w, names[i]);
		if (f.verdict != DOCTOR_OK || f.remedy[0] != '\0')
			fail_msg("%s: %s", names[i], f.seen);
	}
}

static void
a_bad_config_stops_what_stands_on_it(void **state)
{
	struct ward *w = *state;

	write_conf(w, "atempts_max = 3\n");
	expect(w, "config", DOCTOR_FAIL, "attempts_max", "config check");
	expect(w, "database", DOCTOR_SKIP, "needs a good config", NULL);
	expect(w, "stream", DOCTOR_SKIP, "needs a good config", NULL);
}

static void
the_url_is_taken_without_its_last_slash(void **state)
{
	struct ward *w = *state;

	expect(w, "stream", DOCTOR_SKIP, "--host-only", NULL);
	w->url = "https://h.example/claude//";
	expect(w, "config", DOCTOR_OK, "is good", NULL);
	assert_string_equal(w->d.base, "https://h.example/claude");
}

static void
a_database_that_is_not_there_wants_init(void **state)
{
	struct ward *w = *state;

	(void)snprintf(w->desk->url, sizeof(w->desk->url), "sqlite:%s/none",
	    w->desk->dir);
	write_conf(w, "");
	expect(w, "database", DOCTOR_FAIL, "No such file", "leasehold init");
	expect(w, "writes", DOCTOR_SKIP, "needs a database", NULL);
}

static void
an_old_schema_wants_migrate(void **state)
{
	struct ward *w = *state;

	desk_sql(w->desk, "DELETE FROM migration");
	expect(w, "database", DOCTOR_FAIL, "leasehold migrate", NULL);
}

static void
the_master_key_must_be_private_and_the_right_one(void **state)
{
	struct ward *w = *state;

	assert_int_equal(chmod(w->desk->key_path, 0640), 0);
	expect(w, "master_key", DOCTOR_FAIL, "mode 0640", NULL);
	expect(w, "fits", DOCTOR_SKIP, "needs", NULL);

	assert_int_equal(unlink(w->desk->key_path), 0);
	expect(w, "master_key", DOCTOR_FAIL, "No such file", "copy");

	desk_works(w->desk, seal_create_file(w->desk->key_path,
	    &w->desk->err));
	expect(w, "fits", DOCTOR_FAIL, "", NULL);
}

static void
logs_must_be_writable(void **state)
{
	struct ward *w = *state;

	write_conf(w, "log = file:/nowhere/x.log\n");
	expect(w, "log", DOCTOR_FAIL, "/nowhere", "setting `log'");
	write_conf(w, "access_log = file:/nowhere/x.log\n");
	expect(w, "log", DOCTOR_FAIL, "/nowhere", "setting `access_log'");
	write_conf(w, "access_log = off\n");
	expect(w, "log", DOCTOR_OK, "log = stderr", NULL);
}

static void
a_request_from_the_future_shows_a_wrong_clock(void **state)
{
	struct ward *w = *state;

	desk_sql(w->desk, "INSERT INTO ledger (id, state, fence, "
	    "responder_id, created_ms, key_id, kind, model, stream, "
	    "reserved_nusd, body_bytes) VALUES (1, 1, 1, 1, "
	    "strftime('%%s', 'now') * 1000 + 60000, 1, 'messages', 'm', 0, "
	    "0, 0)");
	expect(w, "clock", DOCTOR_WARN, "the newest request", "time");
}

static void
a_zone_that_this_host_lacks_is_told(void **state)
{
	static const char add[] = "INSERT INTO budget (name, scope, scope_id, "
	    "kind, period, zone, limit_value, created_ms) VALUES ('%s', "
	    "'key', 1, 'money', '%s', '%s', 1, 1)";
	struct ward *w = *state;

	desk_sql(w->desk, add, "in-all", "total", "Europe/Atlantis");
	desk_sql(w->desk, add, "berlin", "day", "Europe/Berlin");
	expect(w, "zones", DOCTOR_OK, "1 that budgets go by", NULL);
	desk_sql(w->desk, add, "lost", "month", "Europe/Atlantis");
	expect(w, "zones", DOCTOR_FAIL, "budget \"lost\"", "tzdata");
	desk_sql(w->desk, "UPDATE budget SET enabled = 0 "
	    "WHERE name = 'lost'");
	expect(w, "zones", DOCTOR_OK, "", NULL);
}

/* Hold the write lock in another process, stopped or not. */
static pid_t
hold_lock(struct ward *w)
{
	const struct store_options opt = { .busy_timeout_ms = 2000 };
	struct store *st;
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		st = store_open(w->desk->url, &opt, NULL);
		if (st == NULL || store_prepare(st, NULL) ||
		    store_begin(st, true, NULL))
			_exit(1);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_true(pid > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return (pid);
}

static void
a_process_stopped_inside_a_transaction_is_named(void **state)
{
	struct ward *w = *state;
	pid_t pid = hold_lock(w);
	char words[64];
	int status;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	(void)snprintf(words, sizeof(words), "kill -CONT %d", (int)pid);
	expect(w, "writes", DOCTOR_FAIL, "", words);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);

	/* Good again, though a busy machine may make it slow. */
	assert_int_not_equal(look(w, "writes").verdict, DOCTOR_FAIL);
}

/* ---- sockets ---- */

static int
bind_socket(const char *path, bool listening)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd != -1);
	assert_true(strlen(path) < sizeof(sun.sun_path));
	strcpy(sun.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	if (listening)
		assert_int_equal(listen(fd, 4), 0);
	return (fd);
}

static void
sockets_are_looked_at_closely(void **state)
{
	struct ward *w = *state;
	FILE *file;
	int fd;

	expect(w, "relay_socket", DOCTOR_FAIL, "No such file",
	    "leasehold-relay.fcgi");
	expect(w, "admin_socket", DOCTOR_FAIL, "No such file",
	    "leasehold-admin.fcgi");

	fd = bind_socket(w->relay, false);
	expect(w, "relay_socket", DOCTOR_FAIL, "connection refused",
	    "spawn-fcgi -s");
	close(fd);
	unlink(w->relay);

	fd = bind_socket(w->relay, true);
	assert_int_equal(chmod(w->relay, 0600), 0);
	expect(w, "relay_socket", DOCTOR_OK, "takes connections", NULL);
	assert_int_equal(chmod(w->relay, 0666), 0);
	expect(w, "relay_socket", DOCTOR_WARN, "anyone", "-M 0660");
	close(fd);

	file = fopen(w->admin, "w");
	assert_non_null(file);
	fclose(file);
	expect(w, "admin_socket", DOCTOR_FAIL, "is not a socket",
	    "admin_socket");
}

/* Listens on a free port of ${ip}, which ${where} gets with its port. */
static int
bind_tcp(const char *ip, char *where, size_t size)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd != -1);
	assert_int_equal(inet_pton(AF_INET, ip, &sin.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	(void)snprintf(where, size, "%s:%d", ip, ntohs(sin.sin_port));
	return (fd);
}

static void
a_pool_on_tcp_is_connected_to(void **state)
{
	struct ward *w = *state;
	int fd = bind_tcp("127.0.0.1", w->relay, sizeof(w->relay));
	char port[32];

	(void)snprintf(port, sizeof(port), "-a 127.0.0.1 -p %s ",
	    strrchr(w->relay, ':') + 1);
	write_conf(w, "");
	expect(w, "relay_socket", DOCTOR_OK, "takes connections", NULL);
	close(fd);
	expect(w, "relay_socket", DOCTOR_FAIL, "Connection refused", port);

	fd = bind_tcp("0.0.0.0", w->relay, sizeof(w->relay));
	write_conf(w, "");
	expect(w, "relay_socket", DOCTOR_WARN, "other hosts", "firewall");
	close(fd);

	(void)snprintf(w->relay, sizeof(w->relay), "[::1]:1");
	write_conf(w, "");
	expect(w, "relay_socket", DOCTOR_FAIL, "[::1]:1: ", "-a ::1 -p 1 ");
}

static void
responders_are_alive_when_they_beat(void **state)
{
	struct ward *w = *state;

	expect(w, "responders", DOCTOR_FAIL, "0 of 2", "spawn-fcgi");

	/* Beats of a little later, as looking takes long under valgrind. */
	desk_sql(w->desk, "INSERT INTO responder (kind, node, host, pid, "
	    "lock_path, wake_path, version, started_ms, beat, beat_ms) "
	    "SELECT 'relay', n, 'h', 100 + n, '', '', '" PACKAGE_VERSION "', "
	    "0, 1, strftime('%%s', 'now') * 1000 + 20000 - n * 80000 "
	    "FROM (SELECT 0 AS n UNION SELECT 1)");
	expect(w, "responders", DOCTOR_WARN, "1 of 2 relay responders are "
	    "alive, 0 draining, 1 not heard of", "Process 101");
	desk_sql(w->desk, "UPDATE responder SET beat_ms = "
	    "strftime('%%s', 'now') * 1000 + 20000");
	expect(w, "responders", DOCTOR_OK, "2 of 2", NULL);
	desk_sql(w->desk, "UPDATE responder SET version = '0.0.1' "
	    "WHERE node = 1");
	expect(w, "responders", DOCTOR_WARN, "2 of 2", "another version");
}

/* ---- e-mail ---- */

static void
add_letters(struct ward *w)
{
	struct notify_spec spec;
	char secret[NOTIFY_SECRET_SIZE];
	struct err err = { .code = ERR_NONE };

	notify_spec_init(&spec);
	spec.name = "post";
	spec.kind = "email";
	spec.address = "post@example.org";
	if (notify_targets_add(w->desk->st, w->desk->seal, &spec, secret,
	    &err))
		fail_msg("%s", err.text);
}

static void
a_mail_program_is_looked_for_where_letters_go(void **state)
{
	struct ward *w = *state;

	write_conf(w, "sendmail =\n");
	expect(w, "mail", DOCTOR_SKIP, "nobody is told by e-mail", NULL);
	add_letters(w);
	expect(w, "mail", DOCTOR_FAIL, "is empty", "exim4");
	write_conf(w, "sendmail = /nowhere/sendmail\n");
	expect(w, "mail", DOCTOR_FAIL, "/nowhere: No such file", "exim4");
	write_conf(w, "sendmail = /bin/true\n");
	expect(w, "mail", DOCTOR_OK, "by /bin/true, to 1 targets", NULL);
	desk_sql(w->desk, "UPDATE notify_target SET enabled = 0");
	expect(w, "mail", DOCTOR_SKIP, "nobody", NULL);
}

/* A process of another user that gains no rights, by the name of ours. */
static pid_t
confine_one(void)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		if (setresuid(65534, 65534, 65534) == 0 &&
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		    prctl(PR_SET_NAME, "leasehold-admin") == 0)
			(void)!write(fds[1], "c", 1);
		for (;;)
			(void)pause();
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	(void)close(fds[0]);
	return (pid);
}

static void
a_mail_program_that_must_gain_rights_is_told(void **state)
{
	struct ward *w = *state;
	char program[160], line[256], host[256];
	FILE *f;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	(void)snprintf(program, sizeof(program), "%s/mailer", w->run_dir);
	assert_non_null(f = fopen(program, "w"));
	(void)fclose(f);
	assert_int_equal(chmod(program, 04755), 0);
	(void)snprintf(line, sizeof(line), "sendmail = %s\n", program);
	write_conf(w, line);
	add_letters(w);
	pid = confine_one();
	responder_host("", host, sizeof(host));
	desk_sql(w->desk, "INSERT INTO responder (kind, node, host, pid, "
	    "lock_path, wake_path, version, started_ms, beat, beat_ms) "
	    "VALUES ('relay', 1, '%s', %d, '', '', '', 0, 1, 0)", host,
	    (int)pid);
	expect(w, "mail", DOCTOR_OK, "by ", NULL);
	desk_sql(w->desk, "UPDATE responder SET kind = 'admin'");
	expect(w, "mail", DOCTOR_FAIL, program, "msmtp");
	(void)snprintf(line, sizeof(line), "sendmail = %s\n"
	    "job_notify = off\n", program);
	write_conf(w, line);
	expect(w, "mail", DOCTOR_WARN, "gains none", "msmtp");
	desk_sql(w->desk, "UPDATE responder SET host = 'another'");
	expect(w, "mail", DOCTOR_OK, "by ", NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)unlink(program);
}

/* ---- who may what ---- */

static void
modes_are_read_as_the_kernel_does(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
		int want;
		bool allowed;
	} cases[] = {
		{ 7, 70, 0600, R_OK | W_OK, true },
		{ 8, 70, 0660, R_OK | W_OK, true },
		{ 8, 80, 0660, R_OK, false },
		{ 8, 80, 0664, R_OK, true },
		/* the owner's bits count, even where others may more */
		{ 7, 70, 0066, R_OK, false },
		{ 8, 70, 0606, R_OK, false },
		{ 0, 0, 0000, R_OK | W_OK, true },
		{ 0, 0, 0600, X_OK, false },
	};
	struct access_user u = { .ngroups = 1 };
	struct stat st = { .st_uid = 7, .st_gid = 70 };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		u.uid = cases[i].uid;
		u.groups[0] = cases[i].gid;
		st.st_mode = S_IFREG | cases[i].mode;
		assert_int_equal(access_mode_allows(&u, &st, cases[i].want),
		    cases[i].allowed);
	}
}

static void
a_closed_folder_on_the_way_is_named(void **state)
{
	struct ward *w = *state;
	struct access_user u = { .uid = 4321, .name = "somebody" };
	char why[256];

	/* The desk's own folder is private (mkdtemp). */
	assert_int_equal(access_path(&u, w->conf, R_OK, why, sizeof(why)),
	    -1);
	assert_non_null(strstr(why, "somebody may not pass through"));
	assert_non_null(strstr(why, w->desk->dir));
	assert_int_equal(chmod(w->desk->dir, 0711), 0);
	assert_int_equal(chmod(w->conf, 0600), 0);
	assert_int_equal(access_path(&u, w->conf, R_OK, why, sizeof(why)),
	    -1);
	assert_non_null(strstr(why, "somebody may not read"));
	assert_int_equal(chmod(w->conf, 0644), 0);
	assert_int_equal(access_path(&u, w->conf, R_OK, why, sizeof(why)), 0);
	assert_int_equal(access_path(&u, w->conf, W_OK, why, sizeof(why)),
	    -1);
	assert_non_null(strstr(why, "write to"));
	assert_int_equal(access_path(&u, "/none/x", R_OK, why, sizeof(why)),
	    -1);
	assert_non_null(strstr(why, "No such file"));
}

static void
folders_and_users_are_found(void **state)
{
	char folder[PATH_MAX];
	uid_t uid = 1;

	(void)state;
	access_folder("/a/b/c", folder);
	assert_string_equal(folder, "/a/b");
	access_folder("/a", folder);
	assert_string_equal(folder, "/");
	assert_int_equal(access_user_find("0", &uid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(access_user_find("no such user", &uid), -1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_good_host_has_nothing_to_mend),
		T(a_bad_config_stops_what_stands_on_it),
		T(the_url_is_taken_without_its_last_slash),
		T(a_database_that_is_not_there_wants_init),
		T(an_old_schema_wants_migrate),
		T(the_master_key_must_be_private_and_the_right_one),
		T(logs_must_be_writable),
		T(a_request_from_the_future_shows_a_wrong_clock),
		T(a_zone_that_this_host_lacks_is_told),
		T(a_process_stopped_inside_a_transaction_is_named),
		T(sockets_are_looked_at_closely),
		T(a_pool_on_tcp_is_connected_to),
		T(responders_are_alive_when_they_beat),
		T(a_mail_program_is_looked_for_where_letters_go),
		T(a_mail_program_that_must_gain_rights_is_told),
		T(modes_are_read_as_the_kernel_does),
		T(a_closed_folder_on_the_way_is_named),
		T(folders_and_users_are_found),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
