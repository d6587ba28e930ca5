#include "config.h"

#include "desk.h"

#include <dirent.h>
#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/records.h"

#include "answerer.h"
#include "events.h"
#include "tokens.h"

/* How long a test waits for what should come at once, ms. */
#define PATIENCE_MS	10000

/* The real program on a socket of its own. */
struct rig {
	struct desk *desk;
	char conf_path[96];
	char log_path[96];
	char socket_path[96];
	char auth[TOKEN_SIZE + 8];
	int listen_fd;
	pid_t pid;
};

static void
write_conf(struct rig *r)
{
	FILE *f = fopen(r->conf_path, "w");

	assert_non_null(f);
	fprintf(f, "store = %s\nmaster_key_file = %s\nrun_dir = %s\n"
	    "log = file:%s\nadmin_threads = 4\ndrain_s = 10\n"
	    "beat_interval_ms = 50ms\ndead_after_s = 300ms\n"
	    "job_prune = @every 1s\njob_probe = off\njob_reap = off\n"
	    "job_refresh = off\njob_backup = off\n",
	    r->desk->url, r->desk->key_path, r->desk->dir, r->log_path);
	assert_int_equal(fclose(f), 0);
}

static void
address(const struct rig *r, struct sockaddr_un *sa)
{

	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	(void)snprintf(sa->sun_path, sizeof(sa->sun_path), "%s",
	    r->socket_path);
}

/* In the child: ${fd} as standard input, and the program. */
static void
become_responder(const struct rig *r, int fd)
{

	if (dup2(fd, STDIN_FILENO) == -1)
		_exit(126);
	(void)execl("./leasehold-admin.fcgi", "leasehold-admin.fcgi",
	    "--config", r->conf_path, (char *)NULL);
	_exit(127);
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	char token[TOKEN_SIZE];
	struct sockaddr_un sa;
	void *desk;

	assert_non_null(r);
	assert_int_equal(desk_setup(&desk), 0);
	r->desk = desk;
	(void)snprintf(r->conf_path, sizeof(r->conf_path), "%s/conf",
	    r->desk->dir);
	(void)snprintf(r->log_path, sizeof(r->log_path), "%s/log",
	    r->desk->dir);
	(void)snprintf(r->socket_path, sizeof(r->socket_path), "%s/sock",
	    r->desk->dir);
	write_conf(r);
	desk_works(r->desk, tokens_create(r->desk->st, &r->desk->pepper,
	    &(struct token_spec) { "t", 0, 0, false }, token, &r->desk->err));
	(void)snprintf(r->auth, sizeof(r->auth), "Bearer %s", token);
	address(r, &sa);
	r->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(r->listen_fd, (struct sockaddr *)&sa,
	    sizeof(sa)), 0);
	assert_int_equal(listen(r->listen_fd, 64), 0);
	if ((r->pid = fork()) == 0)
		become_responder(r, r->listen_fd);
	assert_true(r->pid > 0);
	*state = r;
	return (0);
}

/* Wait for the program's end; its wait status, or -1 when it does not. */
static int
reap(struct rig *r)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	int status, i;

	for (i = 0; i < PATIENCE_MS / 5; i++) {
		if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
			r->pid = 0;
			return (status);
		}
		(void)nanosleep(&pause, NULL);
	}
	return (-1);
}

/* One that was killed leaves its lock file. */
static void
remove_locks(const struct rig *r)
{
	const struct dirent *e;
	char path[384];
	DIR *dir;

	assert_non_null(dir = opendir(r->desk->dir));
	while ((e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, "responder-", 10) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", r->desk->dir,
		    e->d_name);
		(void)unlink(path);
	}
	(void)closedir(dir);
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	char old[128];
	void *desk = r->desk;

	if (r->pid != 0) {
		(void)kill(r->pid, SIGKILL);
		(void)reap(r);
	}
	(void)close(r->listen_fd);
	remove_locks(r);
	(void)snprintf(old, sizeof(old), "%s.old", r->log_path);
	(void)unlink(old);
	(void)unlink(r->conf_path);
	(void)unlink(r->log_path);
	(void)unlink(r->socket_path);
	assert_int_equal(desk_teardown(&desk), 0);
	free(r);
	return (0);
}

static int
dial(const struct rig *r)
{
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	address(r, &sa);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return (fd);
}

/* With the flag that asks to keep the connection. */
static int
send_to(const struct rig *r, const char *method, const char *path)
{
	const char *const params[] = {
		"REQUEST_METHOD", method, "REQUEST_URI", path,
		"HTTP_AUTHORIZATION", r->auth, NULL
	};
	struct buf b;
	int fd = dial(r);

	buf_init(&b, 65536);
	rec_begin(&b, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_params(&b, 1, params);
	rec_stdin(&b, 1, "");
	assert_int_equal(write(fd, buf_head(&b), buf_len(&b)), buf_len(&b));
	buf_fini(&b);
	return (fd);
}

static int
ask_for(const struct rig *r, const char *path)
{

	return (send_to(r, "GET", path));
}

static int
ask(const struct rig *r)
{

	return (ask_for(r, "/api/v1/status"));
}

/* Read to the end of the connection; the answer must be whole, and be 200. */
static void
assert_answered(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[65536];
	size_t n = 0;
	ssize_t got;

	for (;;) {
		if (poll(&p, 1, PATIENCE_MS) != 1)
			fail_msg("no answer, or no end of the connection");
		got = read(fd, text + n, sizeof(text) - n - 1);
		assert_true(got >= 0);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	(void)close(fd);
	text[n] = '\0';
	assert_true(n > 16);

	/* The first record is STDOUT with the head, the last END_REQUEST. */
	assert_int_equal(text[1], FCGI_STDOUT);
	assert_memory_equal(text + 8, "Status: 200 ", 12);
	assert_int_equal(text[n - 15], FCGI_END_REQUEST);
}

static void
it_answers_and_closes_each_connection(void **state)
{
	const struct rig *r = *state;
	int fds[20], i;

	assert_answered(ask(r));
	for (i = 0; i < 20; i++)
		fds[i] = ask(r);
	for (i = 0; i < 20; i++)
		assert_answered(fds[i]);
}

static void
connections_without_a_request_hold_up_nobody(void **state)
{
	const struct rig *r = *state;
	int a, b;

	assert_answered(ask(r));
	a = dial(r);
	b = dial(r);
	assert_answered(ask(r));
	(void)close(a);
	(void)close(b);
}

/* Read until the text comes. */
static void
assert_hears(int fd, const void *wanted, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[65536];
	size_t n = 0;
	ssize_t got;

	do {
		if (poll(&p, 1, PATIENCE_MS) != 1)
			fail_msg("what was waited for does not come");
		got = read(fd, text + n, sizeof(text) - n);
		assert_true(got > 0);
		n += (size_t)got;
	} while (memmem(text, n, wanted, len) == NULL);
}

/* Pieces are heard at once, and who leaves ends what is done for them. */
static void
a_stream_is_heard_as_it_comes(void **state)
{
	static const char *const hold[] = {
		"HTTP/1.1 200 OK\r\n\r\n{", ANSWERER_HOLD, NULL
	};
	static const char *const whole[] = {
		"HTTP/1.1 200 OK\r\n\r\n{}", NULL
	};
	struct answerer a = { .turns = { hold, whole } };
	struct rig *r = *state;
	char path[64];
	int fd;

	answerer_start(&a);
	desk_account(r->desk, "a", 1);
	desk_sql(r->desk, "UPDATE account SET base_url = '%s'", a.url);
	(void)snprintf(path, sizeof(path), "/api/v1/admin/accounts/%lld/test",
	    (long long)desk_number(r->desk, "SELECT id FROM account"));
	fd = send_to(r, "POST", path);
	assert_hears(fd, "\"name\":\"first_byte\"", 19);
	(void)close(fd);
	fd = send_to(r, "POST", path);
	assert_hears(fd, "event: done", 11);
	answerer_stop(&a);
	assert_true(a.left);
	(void)close(fd);
	assert_answered(ask(r));
}

/* Of four threads none is held, and a person with all places gets no more. */
static void
listeners_hold_no_thread(void **state)
{
	static const unsigned char end[] = {
		FCGI_VERSION_1, FCGI_END_REQUEST, 0, 1, 0, 8, 0, 0
	};
	struct rig *r = *state;
	int fds[EVENTS_MAX_EACH], i, more;

	for (i = 0; i < EVENTS_MAX_EACH; i++)
		fds[i] = ask_for(r, "/api/v1/events");
	for (i = 0; i < EVENTS_MAX_EACH; i++)
		assert_hears(fds[i], "event: status", 13);
	more = ask_for(r, "/api/v1/events");
	assert_hears(more, "Status: 429", 11);
	(void)close(more);
	for (i = 0; i < 10; i++)
		(void)close(fds[i]);
	assert_answered(ask(r));
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	for (i = 10; i < EVENTS_MAX_EACH; i++)
		assert_hears(fds[i], end, sizeof(end));
	assert_int_equal(reap(r), 0);
	for (i = 10; i < EVENTS_MAX_EACH; i++)
		(void)close(fds[i]);
}

static void
it_ends_soon_when_it_is_idle(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < NITEMS(signals); i++) {
		assert_answered(ask(r));
		assert_int_equal(kill(r->pid, signals[i]), 0);
		assert_int_equal(reap(r), 0);
		if ((r->pid = fork()) == 0)
			become_responder(r, r->listen_fd);
	}
}

static void
what_waits_in_the_backlog_is_served_before_the_end(void **state)
{
	struct rig *r = *state;
	int fds[8], i;

	assert_answered(ask(r));
	assert_int_equal(kill(r->pid, SIGSTOP), 0);
	for (i = 0; i < 8; i++)
		fds[i] = ask(r);
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	assert_int_equal(kill(r->pid, SIGCONT), 0);
	for (i = 0; i < 8; i++)
		assert_answered(fds[i]);
	assert_int_equal(reap(r), 0);
}

static void
sighup_opens_the_log_anew(void **state)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct rig *r = *state;
	char old[128];
	int i;

	assert_answered(ask(r));
	(void)snprintf(old, sizeof(old), "%s.old", r->log_path);
	assert_int_equal(rename(r->log_path, old), 0);
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	for (i = 0; i < PATIENCE_MS / 5; i++) {
		if (access(r->log_path, F_OK) == 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
	assert_int_equal(access(r->log_path, F_OK), 0);
	assert_answered(ask(r));
}

static int64_t
wait_for_number(struct rig *r, const char *sql, int64_t wanted)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	int64_t n = -1;
	int i;

	for (i = 0; i < PATIENCE_MS / 5; i++) {
		if ((n = desk_number(r->desk, "%s", sql)) == wanted)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return (n);
}

/* The row comes soon, beats, and goes with the program. */
static void
it_is_among_the_responders_while_it_runs(void **state)
{
	static const char there[] = "SELECT count(*) FROM responder "
	    "WHERE kind = 'admin' AND beat_ms >= started_ms";
	struct rig *r = *state;

	assert_int_equal(wait_for_number(r, there, 1), 1);
	assert_int_equal(desk_number(r->desk, "SELECT pid FROM responder"),
	    r->pid);
	assert_int_equal(desk_number(r->desk, "SELECT node FROM responder"),
	    0);
	assert_int_equal(wait_for_number(r, "SELECT beat > 2 FROM responder",
	    1), 1);

	/* Taken for dead from another host: it comes back. */
	desk_sql(r->desk, "DELETE FROM responder");
	assert_int_equal(wait_for_number(r, there, 1), 1);
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	assert_int_equal(reap(r), 0);
	assert_int_equal(desk_number(r->desk, "SELECT count(*) "
	    "FROM responder"), 0);
}

static void
it_refuses_to_start_without_a_listening_socket(void **state)
{
	struct rig *r = *state;
	int ends[2], status;

	assert_answered(ask(r));
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	assert_int_equal(reap(r), 0);
	assert_int_equal(pipe(ends), 0);
	if ((r->pid = fork()) == 0) {
		(void)close(STDERR_FILENO);
		become_responder(r, ends[0]);
	}
	status = reap(r);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void
it_runs_the_jobs_that_are_due(void **state)
{
	struct rig *r = *state;

	assert_int_equal(wait_for_number(r, "SELECT count(*) FROM job WHERE "
	    "name = 'prune' AND runs > 1 AND result = 'ok'", 1), 1);
	assert_int_equal(desk_number(r->desk, "SELECT sum(runs) FROM job "
	    "WHERE schedule = 'off'"), 0);

	/* Settings are read again between two jobs. */
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	assert_int_equal(wait_for_number(r, "SELECT count(*) FROM job WHERE "
	    "name = 'prune' AND runs > 3", 1), 1);
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	assert_int_equal(reap(r), 0);
	assert_int_equal(desk_number(r->desk, "SELECT count(*) FROM job "
	    "WHERE lease_by IS NOT NULL"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(it_answers_and_closes_each_connection),
		RIG_TEST(connections_without_a_request_hold_up_nobody),
		RIG_TEST(a_stream_is_heard_as_it_comes),
		RIG_TEST(listeners_hold_no_thread),
		RIG_TEST(it_ends_soon_when_it_is_idle),
		RIG_TEST(what_waits_in_the_backlog_is_served_before_the_end),
		RIG_TEST(sighup_opens_the_log_anew),
		RIG_TEST(it_is_among_the_responders_while_it_runs),
		RIG_TEST(it_runs_the_jobs_that_are_due),
		RIG_TEST(it_refuses_to_start_without_a_listening_socket),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
