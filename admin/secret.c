#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"

#include "secret.h"

#define CONTROL_C	3

/* Up to a line end (${line}) or the end of input, at most ${size} bytes. */
static int
read_all(char *buf, size_t size, int line, size_t *len, struct err *err)
{
	size_t n = 0;
	ssize_t got;

	while (n < size) {
		if ((got = read(STDIN_FILENO, buf + n, line ? 1 : size - n))
		    == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			err_set_errno(err, ERR_IO, errno,
			    "cannot read the secret from standard input");
			return (-1);
		}
		if (got == 0)
			break;
		n += (size_t)got;
		if (line && buf[n - 1] == CONTROL_C) {
			err_set(err, ERR_CANCELLED, "cancelled");
			return (-1);
		}
		if (line && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
			break;
	}
	if (n == size) {
		err_set(err, ERR_TOO_LARGE, "a secret has at most %d bytes",
		    LIMIT_SECRET_BYTES);
		return (-1);
	}
	*len = n;
	return (0);
}

/* Echo is off.  Control-C ends the line instead of the program, so that the
 * terminal is put right. */
static int
ask(const char *prompt, char *buf, size_t size, size_t *len, struct err *err)
{
	struct termios old, quiet;
	int rc;

	if (tcgetattr(STDIN_FILENO, &old) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot read from the "
		    "terminal");
		return (-1);
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_cc[VEOL] = CONTROL_C;
	/* What was typed before the question is no answer. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot switch off the "
		    "terminal's echo");
		return (-1);
	}
	fprintf(stderr, "%s: ", prompt);
	rc = read_all(buf, size, 1, len, err);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	return (rc);
}

static int
read_secret(const char *prompt, int line, char **secret, size_t *len,
    struct err *err)
{
	size_t size = LIMIT_SECRET_BYTES + 2, n;
	char *buf;
	int rc;

	if ((buf = malloc(size + 1)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a secret");
		return (-1);
	}
	if (isatty(STDIN_FILENO))
		rc = ask(prompt, buf, size, &n, err);
	else
		rc = read_all(buf, size, line, &n, err);
	if (rc == -1)
		goto err0;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n > 0 && buf[n - 1] == '\r')
		n--;
	if (n == 0) {
		err_set(err, ERR_INVAL, "the secret is empty: give it on "
		    "standard input");
		goto err0;
	}
	buf[n] = '\0';
	*secret = buf;
	*len = n;
	return (0);

err0:
	seal_wipe_free(buf, size);
	return (-1);
}

int
secret_read(const char *prompt, char **secret, size_t *len, struct err *err)
{

	return (read_secret(prompt, 0, secret, len, err));
}

int
secret_line(const char *prompt, char **secret, size_t *len, struct err *err)
{

	return (read_secret(prompt, 1, secret, len, err));
}

/* ---- files ---- */

static int
read_fd(int fd, const char *path, char *buf, size_t max, size_t *n,
    struct err *err)
{
	ssize_t got = 0;

	for (*n = 0; *n < max; *n += (size_t)got) {
		got = read(fd, buf + *n, max - *n);
		if (got == -1 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			break;
	}
	if (got == -1)
		err_set_errno(err, ERR_IO, errno, "cannot read %s", path);
	else if (*n == max)
		err_set(err, ERR_TOO_LARGE, "%s is longer than %zu KB", path,
		    max / 1024);
	else if (memchr(buf, '\0', *n) != NULL)
		err_set(err, ERR_INVAL, "%s is no text", path);
	else
		return (0);
	return (-1);
}

char *
secret_file(const char *path, size_t max, size_t *len, struct err *err)
{
	const bool in = strcmp(path, "-") == 0;
	int fd = STDIN_FILENO, rc = -1;
	char *buf;

	if (!in && (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
		    errno, "cannot open %s", path);
		return (NULL);
	}
	if ((buf = calloc(1, max + 1)) == NULL)
		err_set(err, ERR_NOMEM, "no memory for %s", path);
	else
		rc = read_fd(fd, in ? "standard input" : path, buf, max, len,
		    err);
	if (!in)
		close(fd);
	if (rc == 0)
		return (buf);
	seal_wipe_free(buf, max);
	return (NULL);
}
