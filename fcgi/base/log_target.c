#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/log_target.h"

/* How long a full pipe may hold up the log thread before lines are lost. */
#define STALL_MS	2000

struct log_target_kind {
	const char *name;		/* one that ends in ':' takes a path */
	int (*open)(struct log_target *t, struct err *err);
	void (*close)(struct log_target *t);
	size_t (*write)(struct log_target *t, const char *p, size_t n);
	size_t chunk;			/* most bytes of one write; whole lines,
					   and at least one */
};

static const struct log_target_kind journal;

/* Is standard error the stream to the journal that systemd has named?  See
 * systemd.exec(5), JOURNAL_STREAM. */
static bool
is_journal(void)
{
	const char *named = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (named == NULL || fstat(STDERR_FILENO, &st) == -1)
		return (false);
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return (strcmp(named, own) == 0);
}

static int
stderr_open(struct log_target *t, struct err *err)
{

	(void)err;
	t->fd = STDERR_FILENO;
	if (is_journal())
		t->kind = &journal;
	return (0);
}

static void
stderr_close(struct log_target *t)
{

	t->fd = -1;
}

static int
file_open(struct log_target *t, struct err *err)
{
	int fd;

	fd = open(t->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
	    0640);
	if (fd == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot open log file %s",
		    t->path);
		return (-1);
	}
	if (t->fd != -1)
		close(t->fd);
	t->fd = fd;
	return (0);
}

static void
file_close(struct log_target *t)
{

	close(t->fd);
	t->fd = -1;
}

/* Returns how much went; less than ${n} after an error. */
static size_t
fd_write(struct log_target *t, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = t->fd, .events = POLLOUT };
	size_t done = 0;
	ssize_t w;

	while (done < n) {
		w = write(t->fd, p + done, n - done);
		if (w > 0) {
			done += (size_t)w;
			continue;
		}
		if (w == -1 && errno == EINTR)
			continue;

		/* Standard error may be a pipe that somebody made so. */
		if (w == -1 && errno == EAGAIN && poll(&pfd, 1, STALL_MS) == 1)
			continue;
		break;
	}
	return (done);
}

static int
syslog_open(struct log_target *t, struct err *err)
{

	(void)t;
	(void)err;
	openlog("leasehold", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	return (0);
}

static void
syslog_close(struct log_target *t)
{

	(void)t;
	closelog();
}

/* The priority of one line "TIME LEVEL ...", and what follows these; one of
 * JSON is whole. */
static int
priority_of(const char *p, size_t n, const char **rest)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_WARN] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	const char *word, *text;
	enum log_level level;
	char name[8];

	*rest = p;
	if (p[0] == '{' || (word = memchr(p, ' ', n)) == NULL)
		return (LOG_INFO);
	word++;
	text = memchr(word, ' ', (size_t)(p + n - word));
	if (text == NULL || (size_t)(text - word) >= sizeof(name))
		return (LOG_INFO);
	memcpy(name, word, (size_t)(text - word));
	name[text - word] = '\0';
	if (log_level_parse(name, &level))
		return (LOG_INFO);
	*rest = text + 1;
	return (priorities[level]);
}

/* Syslog has a time and a level of its own. */
static size_t
syslog_write(struct log_target *t, const char *p, size_t n)
{
	const char *rest;
	int priority = priority_of(p, n, &rest);

	(void)t;
	syslog(priority, "%.*s", (int)(p + n - 1 - rest), rest);
	return (n);
}

/* The level goes before a line; the journal takes it off, see sd-daemon(3).
 * In one write, as other processes have the same stream. */
static size_t
journal_write(struct log_target *t, const char *p, size_t n)
{
	char line[LIMIT_LOG_JSON_BYTES + 4];
	const char *rest;

	if (n > LIMIT_LOG_JSON_BYTES)
		return (fd_write(t, p, n));
	(void)snprintf(line, sizeof(line), "<%d>", priority_of(p, n, &rest));
	memcpy(line + 3, p, n);
	return (fd_write(t, line, n + 3) == n + 3 ? n : 0);
}

static const struct log_target_kind journal = {
	"stderr", stderr_open, stderr_close, journal_write, 1
};

/*
 * A pipe takes up to PIPE_BUF bytes whole, so that the lines of several
 * processes do not mix.  Syslog takes one line, as does the journal.
 */
static const struct log_target_kind kinds[] = {
	{ "stderr", stderr_open, stderr_close, fd_write, PIPE_BUF },
	{ "syslog", syslog_open, syslog_close, syslog_write, 1 },
	{ "file:", file_open, file_close, fd_write, LIMIT_LOG_RING_BYTES },
};

#define NKINDS		(sizeof(kinds) / sizeof(kinds[0]))

static const struct log_target_kind *
find_kind(const char *name)
{
	const struct log_target_kind *k;
	size_t len;

	for (k = kinds; k < kinds + NKINDS; k++) {
		len = strlen(k->name);
		if (k->name[len - 1] != ':' && strcmp(name, k->name) == 0)
			return (k);
		if (k->name[len - 1] == ':' &&
		    strncmp(name, k->name, len) == 0 && name[len] == '/')
			return (k);
	}
	return (NULL);
}

int
log_target_open(struct log_target *t, const char *name, struct err *err)
{

	memset(t, 0, sizeof(*t));
	t->fd = -1;
	if ((t->kind = find_kind(name)) == NULL) {
		err_set(err, ERR_INVAL, "cannot log to \"%s\": allowed are "
		    "stderr, syslog and file:/path", name);
		goto err0;
	}
	if (name[strlen(t->kind->name)] != '\0' &&
	    (t->path = strdup(name + strlen(t->kind->name))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the log");
		goto err0;
	}
	if (t->kind->open(t, err))
		goto err1;
	return (0);

err1:
	free(t->path);
	t->path = NULL;
err0:
	return (-1);
}

void
log_target_close(struct log_target *t)
{

	t->kind->close(t);
	free(t->path);
	t->path = NULL;
}

int
log_target_reopen(struct log_target *t, struct err *err)
{

	if (t->path == NULL)
		return (0);
	return (t->kind->open(t, err));
}

/* As many whole lines as one write takes, at least one. */
static size_t
next_chunk(const char *p, size_t n, size_t max)
{
	const char *end;
	size_t len = 0, line;

	while (len < n) {
		end = memchr(p + len, '\n', n - len);
		line = end == NULL ? n - len : (size_t)(end + 1 - (p + len));
		if (len > 0 && len + line > max)
			break;
		len += line;
	}
	return (len);
}

static uint64_t
count_lines(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (; n > 0; p++, n--)
		lines += *p == '\n';
	return (lines);
}

uint64_t
log_target_write(struct log_target *t, const char *p, size_t n)
{
	size_t chunk;

	while (n > 0) {
		chunk = next_chunk(p, n, t->kind->chunk);
		if (t->kind->write(t, p, chunk) < chunk)
			return (count_lines(p, n));
		p += chunk;
		n -= chunk;
	}
	return (0);
}
