/* Logs to syslog and to systemd's journal, read back where these would. */
#include "config.h"

#include "cmocka_all.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/log_json.h"

static struct clock_fake still;
static const char dev_log[] = "/dev/log";

static int daemon_fd = -1;	/* stands in for syslogd's; -1: cannot be */

/* As syslogd does when it starts. */
static int
listen_as_daemon(void)
{
	const struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(sun.sun_path, dev_log);
	if (fd != -1 && bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience)) == 0)
		return (fd);
	if (fd != -1)
		close(fd);
	return (-1);
}

/* The C library knows one path: /dev is one of our own.  Where a process may
 * not have that, what needs it is skipped. */
static int
setup(void **state)
{

	(void)state;
	clock_fake_init(&still, INT64_C(1795159758123));
	if ((unshare(CLONE_NEWNS) == 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0)
		daemon_fd = listen_as_daemon();
	return (0);
}

static int
teardown(void **state)
{

	(void)state;
	if (daemon_fd != -1)
		close(daemon_fd);
	return (0);
}

/* The next message: its number, and its text behind "NAME[PID]: ". */
static const char *
hear(int *priority)
{
	static char got[4096];
	char who[48];
	const char *text;
	ssize_t n = recv(daemon_fd, got, sizeof(got) - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_int_equal(sscanf(got, "<%d>", priority), 1);
	(void)snprintf(who, sizeof(who), " leasehold[%d]: ", (int)getpid());
	assert_non_null(text = strstr(got, who));
	return (text + strlen(who));
}

static void
syslog_hears_each_line_at_its_level(void **state)
{
	static const struct {
		enum log_level level;
		int priority;		/* of facility daemon */
	} rows[] = {
		{ LOG_LEVEL_ERROR, 24 + 3 }, { LOG_LEVEL_WARN, 24 + 4 },
		{ LOG_LEVEL_INFO, 24 + 6 }, { LOG_LEVEL_DEBUG, 24 + 7 },
	};
	struct err err = { .code = ERR_NONE };
	struct log_line l;
	struct log *log;
	int priority;
	size_t i;

	(void)state;
	if (daemon_fd == -1)
		skip();
	log = log_open("syslog", LOG_LEVEL_DEBUG, &still.clock, NULL);
	assert_non_null(log);
	err_set(&err, ERR_IO, "no <1>such file\n");
	for (i = 0; i < NITEMS(rows); i++) {
		log_begin(&l, log, rows[i].level, "req_1", "relay", "what");
		log_int(&l, "i", (int)i);
		log_str(&l, "name", "%s%n\n<0>x");
		log_err(&l, &err);
		log_end(&l);
	}
	log_close(log);
	for (i = 0; i < NITEMS(rows); i++) {
		char want[160];

		/* syslogd has a time and a level of its own. */
		(void)snprintf(want, sizeof(want), "req_1 relay what i=%zu "
		    "name=\"%%s%%n\\x0a<0>x\" err=io reason=\"no <1>such "
		    "file\\x0a\"", i);
		assert_string_equal(hear(&priority), want);
		assert_int_equal(priority, rows[i].priority);
	}
}

static void
syslog_hears_objects_whole(void **state)
{
	struct log_json l;
	struct log *log;
	int priority;

	(void)state;
	if (daemon_fd == -1)
		skip();
	log = log_open_json("syslog", &still.clock, NULL);
	assert_non_null(log);
	log_json_begin(&l, log);
	log_json_str(&l, "path", "/v1/messages");
	log_json_int(&l, "status", 200);
	log_json_end(&l);
	log_close(log);
	assert_string_equal(hear(&priority), "{\"time\":"
	    "\"2026-11-20T07:29:18.123Z\",\"path\":\"/v1/messages\","
	    "\"status\":200}");
	assert_int_equal(priority, 24 + 6);
}

/* What is said while it is away is lost; who says it goes on. */
static void
a_syslogd_that_starts_again_is_found(void **state)
{
	const struct timespec moment = { .tv_nsec = 200000000 };
	struct log *log;
	int priority;

	(void)state;
	if (daemon_fd == -1)
		skip();
	log = log_open("syslog", LOG_LEVEL_INFO, &still.clock, NULL);
	assert_non_null(log);
	log_note(log, LOG_LEVEL_WARN, "a", "before", NULL);
	assert_string_equal(hear(&priority), "- a before");
	close(daemon_fd);
	assert_int_equal(unlink(dev_log), 0);
	log_note(log, LOG_LEVEL_WARN, "a", "lost", NULL);
	nanosleep(&moment, NULL);
	daemon_fd = listen_as_daemon();
	assert_true(daemon_fd != -1);
	log_note(log, LOG_LEVEL_WARN, "a", "after", NULL);
	assert_string_equal(hear(&priority), "- a after");
	log_close(log);
}

/* ---- the journal ---- */

/* What comes of lines to a standard error that is a stream, as units have it;
 * ${told}: which one it is, or another. */
static const char *
heard_by_journal(bool told, bool json)
{
	static char got[4096];
	char stream[64];
	struct stat st;
	struct log_json j;
	struct log *log;
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fstat(fds[0], &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju",
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + !told);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	(void)dup2(fds[0], STDERR_FILENO);
	close(fds[0]);
	log = json ? log_open_json("stderr", &still.clock, NULL) :
	    log_open("stderr", LOG_LEVEL_DEBUG, &still.clock, NULL);
	if (json) {
		log_json_begin(&j, log);
		log_json_int(&j, "status", 200);
		log_json_end(&j);
	} else {
		log_note(log, LOG_LEVEL_INFO, "a", "starts", NULL);
		log_note(log, LOG_LEVEL_DEBUG, "a", "looks", NULL);
		log_note(log, LOG_LEVEL_WARN, "a", "waits", NULL);
		log_note(log, LOG_LEVEL_ERROR, "a", "fails", NULL);
	}
	log_close(log);
	(void)dup2(saved, STDERR_FILENO);
	close(saved);
	n = recv(fds[1], got, sizeof(got) - 1, MSG_WAITALL);
	close(fds[1]);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_true(n > 0);
	got[n] = '\0';
	return (got);
}

#define TIME	"2026-11-20T07:29:18.123Z "

static void
the_journal_is_told_the_level_of_each_line(void **state)
{

	(void)state;
	assert_string_equal(heard_by_journal(true, false),
	    "<6>" TIME "info - a starts\n<7>" TIME "debug - a looks\n"
	    "<4>" TIME "warn - a waits\n<3>" TIME "error - a fails\n");
	assert_string_equal(heard_by_journal(true, true),
	    "<6>{\"time\":\"2026-11-20T07:29:18.123Z\",\"status\":200}\n");
}

static void
another_standard_error_has_lines_as_they_are(void **state)
{

	(void)state;
	assert_string_equal(heard_by_journal(false, false),
	    TIME "info - a starts\n" TIME "debug - a looks\n"
	    TIME "warn - a waits\n" TIME "error - a fails\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syslog_hears_each_line_at_its_level),
		cmocka_unit_test(syslog_hears_objects_whole),
		cmocka_unit_test(a_syslogd_that_starts_again_is_found),
		cmocka_unit_test(the_journal_is_told_the_level_of_each_line),
		cmocka_unit_test(another_standard_error_has_lines_as_they_are),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
