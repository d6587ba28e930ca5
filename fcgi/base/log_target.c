#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
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

static int
stderr_open(struct log_target *t, struct err *err)
{

	(void)err;
	t->fd = STDERR_FILENO;
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

/* One line "TIME LEVEL ...": syslog has a time and a level of its own.  One of
 * JSON goes as it is. */
static size_t
syslog_write(struct log_target *t, const char *p, size_t n)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_WARN] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	const char *word, *text;
	enum log_level level = LOG_LEVEL_INFO;
	char name[8];

	(void)t;
	if (p[0] == '{') {
		syslog(LOG_INFO, "%.*s", (int)(n - 1), p);
		return (n);
	}
	if ((word = memchr(p, ' ', n)) == NULL)
		return (n);
	word++;
	text = memchr(word, ' ', (size_t)(p + n - word));
	if (text == NULL || (size_t)(text - word) >= sizeof(name))
		return (n);
	memcpy(name, word, (size_t)(text - word));
	name[text - word] = '\0';
	if (log_level_parse(name, &level))
		level = LOG_LEVEL_INFO;
	text++;
	syslog(priorities[level], "%.*s", (int)(p + n - 1 - text), text);
	return (n);
}

/*
 * A pipe takes up to PIPE_BUF bytes whole, so that the lines of several
 * processes do not mix.  Syslog takes one line.
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
