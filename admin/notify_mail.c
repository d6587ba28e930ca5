#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/mail.h"
#include "base/zone.h"

#include "notify.h"
#include "notify_send.h"
#include "sendmail.h"

/* An encoded word has at most 75 bytes (RFC 2047, 2): "=?UTF-8?B??=" and 60 of
 * base64, which are 45. */
#define WORD_BYTES	45
/* A line of base64 has 76 (RFC 2045, 6.8). */
#define LINE_BYTES	57
#define BASE64		sodium_base64_VARIANT_ORIGINAL
#define WORD_SIZE	sodium_base64_ENCODED_LEN(LINE_BYTES, BASE64)

/* ---- the message ---- */

/* The first ${n} bytes of ${s}, or fewer, that end with a whole character. */
static size_t
whole(const char *s, size_t n)
{
	size_t left = strlen(s);

	if (left <= n)
		return (left);
	while (n > 1 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return (n);
}

static int
put_base64(struct buf *b, const char *s, size_t n)
{
	char word[WORD_SIZE];

	(void)sodium_bin2base64(word, sizeof(word), (const unsigned char *)s,
	    n, BASE64);
	return (buf_puts(b, word));
}

/* Whatever is in it stays in its line. */
static int
put_subject(struct buf *b, const char *text)
{
	size_t n;
	int rc = buf_puts(b, "Subject:");

	while (rc == 0 && *text != '\0') {
		n = whole(text, WORD_BYTES);
		rc = buf_puts(b, " =?UTF-8?B?");
		if (rc == 0)
			rc = put_base64(b, text, n);
		if (rc == 0)
			rc = buf_puts(b, "?=\n");
		text += n;
	}
	return (rc);
}

static int
put_body(struct buf *b, const struct buf *text)
{
	const char *p = (const char *)buf_head(text);
	size_t n = buf_len(text), part;
	int rc = 0;

	for (; n > 0 && rc == 0; n -= part, p += part) {
		part = n < LINE_BYTES ? n : LINE_BYTES;
		if ((rc = put_base64(b, p, part)) == 0)
			rc = buf_puts(b, "\n");
	}
	return (rc);
}

static int
put_event(struct buf *text, const struct notify_letter *l,
    const json_t *event)
{
	enum notify_kind kind = notify_kind_of(json_string_value(
	    json_object_get(event, "kind")));
	const json_t *data = json_object_get(event, "data");
	char at[ZONE_RFC3339_SIZE];
	char *title, *words;
	int rc = -1;

	zone_rfc3339(l->zone, json_integer_value(json_object_get(event,
	    "at_ms")), at);
	title = notify_subject(kind, l->lang, data);
	words = notify_text(kind, l->lang, data, l->zone);
	if (title != NULL && words != NULL)
		rc = buf_printf(text, "%s\n%s\n%s\n\n", at, title, words);
	free(title);
	free(words);
	return (rc);
}

static int
put_header(const struct notify_letter *l, const char *from, const char *to,
    struct buf *b)
{
	const time_t now = (time_t)(l->now_ms / 1000);
	const json_t *first = json_array_get(l->events, 0);
	char *title, date[64];
	struct tm tm;
	int rc;

	if (gmtime_r(&now, &tm) == NULL || strftime(date, sizeof(date),
	    "%a, %d %b %Y %H:%M:%S +0000", &tm) == 0)
		return (-1);
	title = json_array_size(l->events) > 1 ? notify_digest(l->lang,
	    json_array_size(l->events)) : notify_subject(notify_kind_of(
	    json_string_value(json_object_get(first, "kind"))), l->lang,
	    json_object_get(first, "data"));
	if (title == NULL)
		return (-1);
	rc = from[0] != '\0' ? buf_printf(b, "From: %s\n", from) : 0;
	if (rc == 0)
		rc = buf_printf(b, "To: %s\n", to);
	if (rc == 0)
		rc = put_subject(b, title);
	free(title);
	if (rc == 0)
		rc = buf_printf(b, "Date: %s\nMessage-ID: <%s@leasehold>\n"
		    "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
		    "Content-Type: text/plain; charset=utf-8\n"
		    "Content-Transfer-Encoding: base64\n\n", date, l->id);
	return (rc);
}

int
notify_mail_write(const struct notify_letter *l, const char *from,
    const char *to, struct buf *b, struct err *err)
{
	struct buf text;
	json_t *event;
	size_t i;
	int rc = -1;

	if (!mail_address_ok(to) || (from[0] != '\0' &&
	    !mail_address_ok(from))) {
		err_set(err, ERR_INVAL, "this is no mail address");
		return (-1);
	}
	buf_init(&text, NOTIFY_BODY_MAX);
	json_array_foreach(l->events, i, event) {
		if (put_event(&text, l, event))
			goto done;
	}
	rc = put_header(l, from, to, b);
	if (rc == 0)
		rc = put_body(b, &text);
done:
	if (rc != 0)
		err_set(err, ERR_NOMEM, "no memory for a message");
	buf_fini(&text);
	return (rc);
}

/* ---- sendmail ---- */

struct sender {
	pid_t pid;
	int in;			/* its standard input; -1: closed */
	bool given;		/* it has all that it was to have */
	int out;		/* what it says */
	bool ended;		/* with this ... */
	int status;
	char said[160];
	size_t nsaid;
	int64_t until_ms;	/* monotonic */
};

static int
plumb(int in[2], int out[2], struct err *err)
{

	if (pipe2(in, O_CLOEXEC) == -1)
		goto err0;
	if (pipe2(out, O_CLOEXEC) == -1)
		goto err1;
	if (fcntl(in[1], F_SETFL, O_NONBLOCK) == 0)
		return (0);
	(void)close(out[0]);
	(void)close(out[1]);
err1:
	(void)close(in[0]);
	(void)close(in[1]);
err0:
	err_set_errno(err, ERR_IO, errno, "cannot make a pipe");
	return (-1);
}

/* Not as a shell would: each argument is what it is.  Its signals are as they
 * are for a new process; of our environment it sees nothing.  What it starts is
 * of its own process group. */
static int
spawn(const char *program, const char *to, const int in[2], const int out[2],
    pid_t *pid)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { path, NULL };
	const char *argv[] = { program, "-i", "--", to, NULL };
	posix_spawn_file_actions_t acts;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	(void)posix_spawn_file_actions_init(&acts);
	(void)posix_spawnattr_init(&attr);
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	if ((rc = posix_spawn_file_actions_adddup2(&acts, in[0], 0)) == 0 &&
	    (rc = posix_spawn_file_actions_adddup2(&acts, out[1], 1)) == 0 &&
	    (rc = posix_spawn_file_actions_adddup2(&acts, out[1], 2)) == 0)
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
		rc = posix_spawn_file_actions_addclosefrom_np(&acts, 3);
	if (rc == 0)
#endif
		rc = posix_spawn(pid, program, &acts, &attr,
		    (char *const *)(uintptr_t)argv, env);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&acts);
	return (rc);
}

/* A program that leaves early is told by its status, not by a signal. */
static void
feed(struct sender *s, struct buf *b)
{
	const struct timespec at_once = { 0 };
	sigset_t pipe, old;
	ssize_t n;

	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, &old);
	n = write(s->in, buf_head(b), buf_len(b));
	if (n == -1 && errno == EPIPE)
		(void)sigtimedwait(&pipe, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (n > 0)
		buf_consume(b, (size_t)n);
	s->given = buf_len(b) == 0;
	if (s->given || (n == -1 && errno != EAGAIN &&
	    errno != EINTR)) {
		(void)close(s->in);
		s->in = -1;
	}
}

/* What it says; false: it has closed that. */
static bool
hear(struct sender *s)
{
	char more[256];
	ssize_t n = read(s->out, more, sizeof(more));
	size_t room = sizeof(s->said) - 1 - s->nsaid, take;

	if (n <= 0)
		return (n == -1 && errno == EINTR);
	take = (size_t)n < room ? (size_t)n : room;
	memcpy(s->said + s->nsaid, more, take);
	s->nsaid += take;
	return (true);
}

static bool
has_ended(struct sender *s)
{

	if (!s->ended)
		s->ended = waitpid(s->pid, &s->status, WNOHANG) == s->pid;
	return (s->ended);
}

/* 0: it has closed its output, or ended, whatever keeps that open; -1: it took
 * too long, or we have to stop. */
static int
attend(struct sender *s, const struct notify_letter *l, struct buf *b)
{
	struct pollfd fds[2];
	bool last;

	for (;;) {
		last = has_ended(s);
		fds[0] = (struct pollfd) { .fd = s->out, .events = POLLIN };
		fds[1] = (struct pollfd) { .fd = s->in, .events = POLLOUT };
		(void)poll(fds, 2, last ? 0 : 200);
		if (s->in != -1 && fds[1].revents != 0)
			feed(s, b);
		if ((fds[0].revents != 0 && !hear(s)) || last)
			return (0);
		if (clock_mono_ms(clock_system()) >= s->until_ms ||
		    (l->stops != NULL && l->stops(l->arg)))
			return (-1);
	}
}

/* It may go on without an output: until then it is waited for. */
static int
reap(struct sender *s)
{
	const struct timespec nap = { .tv_nsec = 10000000 };

	while (!has_ended(s)) {
		if (clock_mono_ms(clock_system()) >= s->until_ms)
			return (-1);
		(void)nanosleep(&nap, NULL);
	}
	return (0);
}

static void
judge(const struct sender *s, struct notify_answer *a)
{
	size_t n = strcspn(s->said, "\r\n");
	const int status = s->status;

	a->status = WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
	a->taken = WIFEXITED(status) && a->status == 0 && s->given;
	if (WIFEXITED(status) && a->status == 0 && !s->given)
		(void)snprintf(a->detail, sizeof(a->detail), "sendmail ended "
		    "without reading the whole message");
	else if (!a->taken)
		(void)snprintf(a->detail, sizeof(a->detail), "sendmail ended "
		    "with %s %d%s%.*s", WIFEXITED(status) ? "status" :
		    "signal", WIFEXITED(status) ? a->status :
		    WTERMSIG(status), n > 0 ? ": " : "", (int)n, s->said);
}

/* The first line of what it said is why. */
static void
give_up(struct sender *s, struct notify_answer *a)
{
	size_t n = strcspn(s->said, "\r\n");

	/* postdrop of Postfix would go on for ever, were it left behind. */
	(void)kill(-s->pid, SIGKILL);
	while (!s->ended && waitpid(s->pid, &s->status, 0) == -1 &&
	    errno == EINTR)
		continue;
	(void)snprintf(a->detail, sizeof(a->detail), "sendmail took too "
	    "long%s%.*s", n > 0 ? ": " : "", (int)n, s->said);
}

static void
converse(struct sender *s, const struct notify_letter *l, struct buf *b,
    struct notify_answer *a)
{

	s->until_ms = clock_mono_ms(clock_system()) + (l->limit_ms > 0 ?
	    l->limit_ms : NOTIFY_MAIL_MS);
	if (attend(s, l, b) == 0 && reap(s) == 0)
		judge(s, a);
	else
		give_up(s, a);
}

/* The cause comes first: what follows may be cut off. */
static void
explain(const char *program, struct notify_answer *a)
{
	char which[PATH_MAX], said[sizeof(a->detail)];
	struct sendmail_caller self;

	if (a->taken || sendmail_caller(0, &self) == -1 ||
	    !sendmail_barred(program, &self, which))
		return;
	memcpy(said, a->detail, sizeof(said));
	(void)snprintf(a->detail, sizeof(a->detail), "%.80s gains no rights "
	    "here (NoNewPrivileges): `leasehold doctor' says what to do; "
	    "%.90s", which, said);
}

static int
hand_over(const char *program, const char *to,
    const struct notify_letter *l, struct buf *b, struct notify_answer *a,
    struct err *err)
{
	struct sender s = { .nsaid = 0 };
	int in[2], out[2], rc;

	if (plumb(in, out, err))
		return (-1);
	rc = spawn(program, to, in, out, &s.pid);
	(void)close(in[0]);
	(void)close(out[1]);
	s.in = in[1];
	s.out = out[0];
	if (rc == 0)
		converse(&s, l, b, a);
	else
		(void)snprintf(a->detail, sizeof(a->detail), "cannot run "
		    "%.100s (sendmail): %s", program, strerror(rc));
	if (s.in != -1)
		(void)close(s.in);
	(void)close(s.out);
	return (0);
}

int
notify_mail_send(const struct conf *conf, const char *to,
    const struct notify_letter *letter, struct notify_answer *answer,
    struct err *err)
{
	struct buf b;
	int rc;

	*answer = (struct notify_answer) { .status = 0 };
	if (conf->sendmail[0] == '\0') {
		(void)snprintf(answer->detail, sizeof(answer->detail),
		    "there is no e-mail: the setting sendmail is empty");
		return (0);
	}
	buf_init(&b, 2 * NOTIFY_BODY_MAX);
	rc = notify_mail_write(letter, conf->mail_from, to, &b, err);
	if (rc == 0)
		rc = hand_over(conf->sendmail, to, letter, &b, answer, err);
	buf_fini(&b);
	if (rc == 0)
		explain(conf->sendmail, answer);
	return (rc);
}
