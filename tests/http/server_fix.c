#include "cmocka_all.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <errno.h>
#include <fastcgi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/records.h"
#include "http/server_fix.h"

static void
note(struct fix *f, const char *what, const char *more, int n)
{
	size_t len = strlen(f->log);

	(void)snprintf(f->log + len, sizeof(f->log) - len, "%s%s%s%d;", what,
	    *more != '\0' ? " " : "", more, n);
}

/* ---- the application ---- */

void
fix_answer(struct fix *f, struct fcgi_request *req, const char *text)
{

	if (fcgi_write(req, "Status: 200 OK\r\n\r\n", 18) == -1 ||
	    fcgi_write(req, text, strlen(text)) == -1)
		fcgi_reset(req);
	else
		fcgi_finish(req);
	f->open = NULL;
}

/* By path: /early and /drop want no body, /later is answered by the test. */
static bool
app_begin(void *arg, struct fcgi_request *req)
{
	const char *path = fcgi_request_http(req)->path;
	bool wanted = strcmp(path, "/early") && strcmp(path, "/drop");
	struct fix *f = arg;

	note(f, "begin", path, (int)fcgi_request_http(req)->content_length);
	f->body_bytes = 0;
	f->open = req;
	fcgi_request_set_arg(req, f);
	if (!strcmp(path, "/hold"))
		fcgi_hold(req, true);
	if (!strcmp(path, "/early"))
		fix_answer(f, req, "early");
	return (wanted);
}

static bool
app_body(void *arg, struct fcgi_request *req, const void *p, size_t n)
{
	struct fix *f = arg;

	(void)p;
	assert_ptr_equal(fcgi_request_arg(req), f);
	f->body_bytes += n;
	if (!strcmp(fcgi_request_http(req)->path, "/enough")) {
		fix_answer(f, req, "enough");
		return (false);
	}
	return (true);
}

static void
app_end(void *arg, struct fcgi_request *req)
{
	struct fix *f = arg;

	note(f, "end", "", (int)f->body_bytes);
	if (strcmp(fcgi_request_http(req)->path, "/later"))
		fix_answer(f, req, "ok");
}

static void
app_bad(void *arg, struct fcgi_request *req, bool begun, int status,
    const char *message)
{
	struct fix *f = arg;
	char more[64];

	assert_true(*message != '\0');
	(void)snprintf(more, sizeof(more), "%s begun=%d ",
	    fcgi_request_http(req)->path, begun);
	note(f, "bad", more, status);
	fix_answer(f, req, "bad");
}

static void
app_writable(void *arg, struct fcgi_request *req)
{

	(void)req;
	note(arg, "writable", "", 0);
}

static void
app_gone(void *arg, struct fcgi_request *req, enum fcgi_gone why)
{
	struct fix *f = arg;

	note(f, "gone", fcgi_request_http(req)->path, (int)why);
	f->open = NULL;
}

void
fix_idle(void *arg)
{
	struct fix *f = arg;

	f->idle++;
}

static const struct fcgi_handler handler = { app_begin, app_body, app_end,
	app_bad, app_writable, app_gone };

/* ---- set up ---- */

static void
listen_on(struct fix *f, int family)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&f->addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&f->addr;

	f->addr_len = sizeof(f->addr);
	f->addr.ss_family = (sa_family_t)family;
	if (family == AF_UNIX) {
		strcpy(f->dir, "/tmp/test_server.XXXXXX");
		assert_non_null(mkdtemp(f->dir));
		(void)snprintf(un->sun_path, sizeof(un->sun_path), "%s/s",
		    f->dir);
		f->addr_len = sizeof(*un);
	} else {
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		f->addr_len = sizeof(*in);
	}
	f->listen_fd = socket(family, SOCK_STREAM, 0);
	assert_true(f->listen_fd != -1);
	assert_int_equal(bind(f->listen_fd, (struct sockaddr *)&f->addr,
	    f->addr_len), 0);
	assert_int_equal(listen(f->listen_fd, 256), 0);
	assert_int_equal(getsockname(f->listen_fd,
	    (struct sockaddr *)&f->addr, &f->addr_len), 0);
}

static int
set_up_on(void **state, int family)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->fd = -1;
	buf_init(&f->send, 4 << 20);
	buf_init(&f->got, 8 << 20);
	clock_fake_init(&f->clock, 0);
	f->loop = loop_new(&f->clock.clock, NULL);
	assert_non_null(f->loop);
	listen_on(f, family);
	f->params = (struct fcgi_server_params){ .loop = f->loop,
		.listen_fd = f->listen_fd, .mount = "/m",
		.connections_max = 300, .read_timeout_ms = FIX_READ_TIMEOUT_MS,
		.write_timeout_ms = FIX_WRITE_TIMEOUT_MS, .handler = &handler,
		.arg = f };
	f->server = fcgi_server_new(&f->params, NULL);
	assert_non_null(f->server);
	*state = f;
	return (0);
}

int
fix_set_up(void **state)
{

	return (set_up_on(state, AF_UNIX));
}

int
fix_set_up_tcp(void **state)
{

	return (set_up_on(state, AF_INET));
}

int
fix_tear_down(void **state)
{
	struct fix *f = *state;
	struct sockaddr_un *un = (struct sockaddr_un *)&f->addr;

	fcgi_server_free(f->server);
	loop_free(f->loop);
	close(f->listen_fd);
	if (f->fd != -1)
		close(f->fd);
	if (f->dir[0] != '\0') {
		unlink(un->sun_path);
		rmdir(f->dir);
	}
	buf_fini(&f->send);
	buf_fini(&f->got);
	free(f);
	return (0);
}

/* ---- the web server's side ---- */

void
fix_pump(struct fix *f)
{
	int i;

	for (i = 0; i < 12; i++)
		assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
}

int
fix_connect(struct fix *f)
{
	int fd = socket(f->addr.ss_family, SOCK_STREAM, 0);

	assert_true(fd != -1);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr,
	    f->addr_len), 0);
	return (fd);
}

void
fix_client(struct fix *f)
{

	if (f->fd != -1)
		close(f->fd);
	f->fd = fix_connect(f);
	f->closed = false;
	f->failed = 0;
	f->log[0] = '\0';
	buf_reset(&f->send);
	buf_reset(&f->got);
}

void
fix_push(struct fix *f, size_t from, size_t n)
{
	ssize_t sent;

	while (n > 0) {
		sent = send(f->fd, buf_head(&f->send) + from, n,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == -1 && errno == EAGAIN) {
			fix_pump(f);
			continue;
		}
		if (sent == -1)
			break;	/* the server closed: seen when reading */
		from += (size_t)sent;
		n -= (size_t)sent;
	}
	fix_pump(f);
}

void
fix_push_all(struct fix *f)
{

	fix_push(f, 0, buf_len(&f->send));
	buf_reset(&f->send);
}

int
fix_pull(struct fix *f)
{
	unsigned char *room = buf_reserve(&f->got, 65536);
	ssize_t n;

	assert_non_null(room);
	n = recv(f->fd, room, 65536, MSG_DONTWAIT);
	if (n > 0)
		buf_commit(&f->got, (size_t)n);
	if (n == 0)
		f->closed = true;
	if (n == -1 && errno != EAGAIN) {
		f->closed = true;
		f->failed = errno;
	}
	fix_pump(f);
	return (n > 0);
}

void
fix_pull_all(struct fix *f)
{

	fix_pump(f);
	while (fix_pull(f))
		continue;
}

/* Append one record of the answer to ${text}. */
static size_t
show_record(const unsigned char *p, char *text, size_t len, size_t size)
{
	size_t n = (size_t)p[4] << 8 | p[5];
	int id = p[2] << 8 | p[3];

	if (p[0] != 1)
		return (len + (size_t)snprintf(text + len, size - len,
		    "[broken]"));
	if (p[1] == FCGI_STDOUT && n > 0)
		return (len + (size_t)snprintf(text + len, size - len,
		    "%.*s", (int)n, (const char *)p + 8));
	if (p[1] == FCGI_STDOUT)
		return (len + (size_t)snprintf(text + len, size - len,
		    "[eof]"));
	if (p[1] == FCGI_END_REQUEST)
		return (len + (size_t)snprintf(text + len, size - len,
		    "[end %d %d]", id, p[12]));
	return (len + (size_t)snprintf(text + len, size - len, "[type %d]",
	    p[1]));
}

const char *
fix_told(struct fix *f)
{
	const unsigned char *p;
	size_t left, n, len = 0;

	fix_pull_all(f);
	f->out[0] = '\0';
	p = buf_head(&f->got);
	for (left = buf_len(&f->got); left >= 8 && len < sizeof(f->out);
	    left -= n, p += n) {
		len = show_record(p, f->out, len, sizeof(f->out));
		n = p[0] != 1 ? left : 8 + ((size_t)p[4] << 8 | p[5]) + p[6];
		assert_true(n <= left);
	}
	buf_reset(&f->got);
	return (f->out);
}

void
fix_post(struct fix *f, const char *uri, const char *length, const char *body)
{

	rec_post(&f->send, 1, FCGI_KEEP_CONN, uri, length, body);
}

void
fix_post_head(struct fix *f, uint8_t flags, const char *uri, const char *length)
{
	const char *pairs[] = { "REQUEST_METHOD", "POST", "REQUEST_URI", uri,
		length == NULL ? NULL : "CONTENT_LENGTH", length, NULL };

	rec_begin(&f->send, 1, FCGI_RESPONDER, flags);
	rec_params(&f->send, 1, pairs);
}

int64_t
fix_protocol_errors(struct fix *f)
{
	struct fcgi_server_stats st;

	fcgi_server_stats(f->server, &st);
	return (st.protocol_errors);
}

int64_t
fix_connections(struct fix *f)
{
	struct fcgi_server_stats st;

	fix_pump(f);
	fcgi_server_stats(f->server, &st);
	return (st.connections);
}
