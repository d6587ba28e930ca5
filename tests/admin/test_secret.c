#include "config.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"

#include "secret.h"

#define PATIENCE_MS	10000

/* What the child makes of its standard input, as an exit status. */
enum child {
	CHILD_GOOD = 10,	/* it read the secret "s3cret" */
	CHILD_OTHER,		/* it read something else */
	CHILD_FAILED		/* and the error code */
};

static void
be_child(int in)
{
	struct err err = { .code = ERR_NONE };
	char *secret;
	size_t len;
	int good;

	if (dup2(in, STDIN_FILENO) == -1 || dup2(in, STDERR_FILENO) == -1)
		_exit(1);
	if (secret_read("Secret", &secret, &len, &err))
		_exit(CHILD_FAILED + (int)err.code);
	good = len == 6 && strcmp(secret, "s3cret") == 0;
	seal_wipe_free(secret, len);
	_exit(good ? CHILD_GOOD : CHILD_OTHER);
}

static int
status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

/* Give ${text} on a pipe; the child's status. */
static int
piped(const char *text, size_t n)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	if ((pid = fork()) == 0) {
		(void)close(ends[1]);
		be_child(ends[0]);
	}
	(void)close(ends[0]);
	assert_int_equal(write(ends[1], text, n), n);
	(void)close(ends[1]);
	return (status_of(pid));
}

static void
one_line_end_is_taken_off(void **state)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
		{ "s3cret", CHILD_GOOD }, { "s3cret\n", CHILD_GOOD },
		{ "s3cret\r\n", CHILD_GOOD },
		{ "s3cret\n\n", CHILD_OTHER }, { " s3cret", CHILD_OTHER },
		{ "", CHILD_FAILED + ERR_INVAL },
		{ "\n", CHILD_FAILED + ERR_INVAL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_int_equal(piped(cases[i].text, strlen(cases[i].text)),
		    cases[i].status);
}

static void
what_is_too_long_is_refused(void **state)
{
	static char text[LIMIT_SECRET_BYTES + 100];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(piped(text, sizeof(text)),
	    CHILD_FAILED + ERR_TOO_LARGE);
	assert_int_equal(piped(text, LIMIT_SECRET_BYTES), CHILD_OTHER);
}

/* Read from the terminal until ${wanted} was seen, or its other end closed;
 * what came is in ${out}. */
static void
read_until(int fd, char *out, size_t size, const char *wanted)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t got;
	size_t n = 0;

	out[0] = '\0';
	while (n < size - 1 && (wanted == NULL ||
	    strstr(out, wanted) == NULL)) {
		if (poll(&p, 1, PATIENCE_MS) != 1)
			fail_msg("the terminal stays silent");
		got = read(fd, out + n, size - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		out[n] = '\0';
	}
}

/* Type ${text} after the prompt; the child's status, and what was shown. */
static int
typed(const char *text, char *shown, size_t size)
{
	struct termios before, after;
	int terminal, line;
	pid_t pid;

	/* There is none where /dev/pts is not mounted, as in a bare chroot. */
	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (terminal == -1 && errno == ENODEV)
		skip();
	assert_true(terminal >= 0);
	assert_int_equal(grantpt(terminal), 0);
	assert_int_equal(unlockpt(terminal), 0);
	line = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(line >= 0);
	assert_int_equal(tcgetattr(line, &before), 0);
	assert_true((before.c_lflag & ECHO) != 0);
	if ((pid = fork()) == 0)
		be_child(line);

	/* Echo is off from here on, but for what the switch may drop. */
	read_until(terminal, shown, size, "Secret: ");
	do {
		assert_int_equal(tcgetattr(line, &after), 0);
	} while ((after.c_lflag & ECHO) != 0);
	assert_int_equal(write(terminal, text, strlen(text)), strlen(text));
	read_until(terminal, shown, size, "\n");
	assert_int_equal(tcgetattr(line, &after), 0);
	assert_int_equal(after.c_lflag, before.c_lflag);
	(void)close(line);
	(void)close(terminal);
	return (status_of(pid));
}

static void
a_terminal_does_not_echo_it(void **state)
{
	char shown[256];

	(void)state;
	assert_int_equal(typed("s3cret\n", shown, sizeof(shown)),
	    CHILD_GOOD);
	assert_null(strstr(shown, "s3c"));
}

static void
control_c_puts_the_terminal_right(void **state)
{
	char shown[256];

	(void)state;
	assert_int_equal(typed("s3\x03", shown, sizeof(shown)),
	    CHILD_FAILED + ERR_CANCELLED);
	assert_null(strstr(shown, "s3"));
}

/* ---- files ---- */

static void
a_file_is_read_up_to_a_bound(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum err_code code;	/* of reading less than 8 bytes */
	} cases[] = {
		{ "", 0, ERR_NONE },
		{ "s3c\n", 4, ERR_NONE },
		{ "seven77", 7, ERR_NONE },
		{ "eight888", 8, ERR_TOO_LARGE },
		{ "and nine", 9, ERR_TOO_LARGE },
		{ "s\0t", 3, ERR_INVAL },
	};
	char path[] = "/tmp/test-secret.XXXXXX", *text;
	struct err err;
	size_t i, n;
	int fd;

	(void)state;
	assert_true((fd = mkstemp(path)) >= 0);
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, cases[i].bytes, cases[i].n, 0),
		    cases[i].n);
		err_clear(&err);
		text = secret_file(path, 8, &n, &err);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(text != NULL, cases[i].code == ERR_NONE);
		if (text == NULL)
			continue;
		assert_int_equal(n, cases[i].n);
		assert_memory_equal(text, cases[i].bytes, n + 1);
		seal_wipe_free(text, 8);
	}
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	err_clear(&err);
	assert_null(secret_file(path, 8, &n, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	err_clear(&err);
	assert_null(secret_file("/", 8, &n, &err));
	assert_int_equal(err.code, ERR_IO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_end_is_taken_off),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(a_terminal_does_not_echo_it),
		cmocka_unit_test(control_c_puts_the_terminal_right),
		cmocka_unit_test(a_file_is_read_up_to_a_bound),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
