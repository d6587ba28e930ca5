#include "cmocka_all.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <errno.h>
#include <fastcgi.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/loop.h"
#include "http/records.h"
#include "http/server.h"

#define READ_TIMEOUT_MS		10000
#define WRITE_TIMEOUT_MS	20000

/* A server with an application that tells what happens, and one client. */
struct fix {
	struct clock_fake clock;
	struct loop *loop;
	struct fcgi_server *server;
	struct fcgi_server_params params;
	int listen_fd;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	char dir[64];

	char log[4096];			/* what the application was told */
	struct fcgi_request *open;	/* not answered by itself */
	size_t body_bytes;
	int idle;

	int fd;				/* the client, or -1 */
	struct buf send;
	bool closed;			/* the server closed it */
	int failed;			/* errno of a failed read */
	struct buf got;			/* raw */
	char out[8192];			/* STDOUT, and END_REQUEST as text */
};

static void
note(struct fix *f, const char *what, const char *more, int n)
{
	size_t len = strlen(f->log);

	(void)snprintf(f->log + len, sizeof(f->log) - len, "%s%s%s%d;", what,
	    *more != '\0' ? " " : "", more, n);
}

/* ---- the application ---- */

static void
answer(struct fix *f, struct fcgi_request *req, const char *text)
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
	if (!strcmp(path, "/early"))
		answer(f, req, "early");
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
		answer(f, req, "enough");
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
		answer(f, req, "ok");
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
	answer(f, req, "bad");
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

static void
app_idle(void *arg)
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
		.connections_max = 300, .read_timeout_ms = READ_TIMEOUT_MS,
		.write_timeout_ms = WRITE_TIMEOUT_MS, .handler = &handler,
		.arg = f };
	f->server = fcgi_server_new(&f->params, NULL);
	assert_non_null(f->server);
	*state = f;
	return (0);
}

static int
set_up(void **state)
{

	return (set_up_on(state, AF_UNIX));
}

static int
set_up_tcp(void **state)
{

	return (set_up_on(state, AF_INET));
}

static int
tear_down(void **state)
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

/* Let the server do all that it can do now. */
static void
pump(struct fix *f)
{
	int i;

	for (i = 0; i < 12; i++)
		assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
}

static int
connect_fd(struct fix *f)
{
	int fd = socket(f->addr.ss_family, SOCK_STREAM, 0);

	assert_true(fd != -1);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr,
	    f->addr_len), 0);
	return (fd);
}

static void
client(struct fix *f)
{

	if (f->fd != -1)
		close(f->fd);
	f->fd = connect_fd(f);
	f->closed = false;
	f->failed = 0;
	f->log[0] = '\0';
	buf_reset(&f->send);
	buf_reset(&f->got);
}

/* Send what was put together, from ${from}, as much as ${n} bytes. */
static void
push(struct fix *f, size_t from, size_t n)
{
	ssize_t sent;

	while (n > 0) {
		sent = send(f->fd, buf_head(&f->send) + from, n,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == -1 && errno == EAGAIN) {
			pump(f);
			continue;
		}
		if (sent == -1)
			break;	/* the server closed: seen when reading */
		from += (size_t)sent;
		n -= (size_t)sent;
	}
	pump(f);
}

static void
push_all(struct fix *f)
{

	push(f, 0, buf_len(&f->send));
	buf_reset(&f->send);
}

/* Read what is there and let the server go on; nonzero if there was any. */
static int
pull(struct fix *f)
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
	pump(f);
	return (n > 0);
}

static void
pull_all(struct fix *f)
{

	pump(f);
	while (pull(f))
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

/* All that has come so far as text; STDERR and unknown records fail. */
static const char *
told(struct fix *f)
{
	const unsigned char *p;
	size_t left, n, len = 0;

	pull_all(f);
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

#define HEAD	"Status: 200 OK\r\n\r\n"
#define OK	HEAD "ok[eof][end 1 0]"

static void
post(struct fix *f, const char *uri, const char *length, const char *body)
{

	rec_post(&f->send, 1, FCGI_KEEP_CONN, uri, length, body);
}

/* BEGIN and PARAMS of a POST, the body to follow. */
static void
post_head(struct fix *f, uint8_t flags, const char *uri, const char *length)
{
	const char *pairs[] = { "REQUEST_METHOD", "POST", "REQUEST_URI", uri,
		length == NULL ? NULL : "CONTENT_LENGTH", length, NULL };

	rec_begin(&f->send, 1, FCGI_RESPONDER, flags);
	rec_params(&f->send, 1, pairs);
}

static int64_t
protocol_errors(struct fix *f)
{
	struct fcgi_server_stats st;

	fcgi_server_stats(f->server, &st);
	return (st.protocol_errors);
}

static int64_t
connections(struct fix *f)
{
	struct fcgi_server_stats st;

	pump(f);
	fcgi_server_stats(f->server, &st);
	return (st.connections);
}

/* ---- requests that come in whole ---- */

static void
a_request_cut_anywhere_is_the_same(void **state)
{
	struct fix *f = *state;
	struct buf all;
	size_t i;

	buf_init(&all, 4096);
	rec_post(&all, 1, 0, "/m/echo?q", "5", "hello");
	for (i = 0; i <= buf_len(&all); i++) {
		client(f);
		assert_int_equal(buf_append(&f->send, buf_head(&all),
		    buf_len(&all)), 0);
		push(f, 0, i);
		push(f, i, buf_len(&all) - i);
		assert_string_equal(told(f), OK);
		assert_string_equal(f->log, "begin /echo5;end5;");
		assert_true(f->closed);
	}
	assert_int_equal(connections(f), 0);
	buf_fini(&all);
}

static void
requests_follow_each_other_on_a_kept_connection(void **state)
{
	struct fix *f = *state;
	int i;

	client(f);
	for (i = 0; i < 5; i++) {
		f->log[0] = '\0';
		post(f, "/m/echo", i % 2 ? "5" : NULL, "hello");
		push_all(f);
		assert_string_equal(told(f), OK);
		assert_string_equal(f->log, i % 2 ? "begin /echo5;end5;" :
		    "begin /echo-1;end5;");
	}
	assert_false(f->closed);
	assert_int_equal(connections(f), 1);
}

static void
requests_of_no_length_are_whole_at_their_end(void **state)
{
	static const char *const lengths[] = { NULL, "", "-1", "0" };
	struct fix *f = *state;
	size_t i;

	client(f);
	for (i = 0; i < NITEMS(lengths); i++) {
		post(f, "/m/echo", lengths[i], "");
		push_all(f);
		assert_string_equal(told(f), OK);
	}
}

static void
a_second_request_at_once_is_refused(void **state)
{
	struct fix *f = *state;

	client(f);
	post(f, "/m/later", NULL, "x");
	rec_post(&f->send, 2, FCGI_KEEP_CONN, "/m/echo", NULL, "y");
	push_all(f);
	assert_string_equal(told(f), "[end 2 1]");
	answer(f, f->open, "mine");
	assert_string_equal(told(f), HEAD "mine[eof][end 1 0]");
	assert_string_equal(f->log, "begin /later-1;end1;");
	assert_int_equal(protocol_errors(f), 0);
}

static void
management_records_and_other_roles_are_answered(void **state)
{
	struct fix *f = *state;

	client(f);
	rec_put(&f->send, FCGI_GET_VALUES, 0, "\16\0FCGI_MAX_CONNS", 16, 0);
	rec_put(&f->send, 99, 0, "", 0, 0);
	rec_begin(&f->send, 1, FCGI_AUTHORIZER, FCGI_KEEP_CONN);
	rec_stdin(&f->send, 1, "");
	post(f, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), "[type 10][type 11][end 1 3]" OK);
	rec_begin(&f->send, 1, FCGI_FILTER, 0);
	push_all(f);
	assert_string_equal(told(f), "[end 1 3]");
	assert_true(f->closed);
}

static void
an_abort_ends_the_request_and_not_the_connection(void **state)
{
	struct fix *f = *state;

	client(f);
	post_head(f, FCGI_KEEP_CONN, "/m/later", "10");
	rec_stdin(&f->send, 1, "hello");
	rec_put(&f->send, FCGI_ABORT_REQUEST, 1, "", 0, 0);
	push_all(f);
	assert_string_equal(told(f), "[eof][end 1 0]");
	assert_string_equal(f->log, "begin /later10;gone /later1;");
	post(f, "/m/later", NULL, "");
	push_all(f);
	rec_put(&f->send, FCGI_ABORT_REQUEST, 1, "", 0, 0);
	push_all(f);
	assert_string_equal(told(f), "[eof][end 1 0]");
	post(f, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), OK);
}

/* ---- requests that are wrong ---- */

static void
wrong_requests_are_told_to_the_application(void **state)
{
	static const struct {
		const char *pairs[8];
		const char *log;
	} cases[] = {
		{ { "REQUEST_METHOD", "GET", "REQUEST_URI", "/x/y", NULL },
			"bad /x/y begun=0 404;" },
		{ { "REQUEST_METHOD", "GET", NULL }, "bad  begun=0 400;" },
		{ { "REQUEST_URI", "/m/v1", NULL }, "bad /v1 begun=0 400;" },
		{ { "HTTP_X", "a\nb", "REQUEST_METHOD", "GET", "REQUEST_URI",
			"/m/v1", NULL }, "bad /v1 begun=0 400;" },
		{ { "REQUEST_METHOD", "GET", "REQUEST_URI", "/m/v1",
			"CONTENT_LENGTH", "twelve", NULL },
			"bad /v1 begun=0 400;" },
	};
	struct fix *f = *state;
	size_t i;

	client(f);
	for (i = 0; i < NITEMS(cases); i++) {
		f->log[0] = '\0';
		rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
		rec_params(&f->send, 1, cases[i].pairs);
		rec_stdin(&f->send, 1, "body");
		rec_stdin(&f->send, 1, "");
		push_all(f);
		assert_string_equal(told(f), HEAD "bad[eof][end 1 0]");
		assert_string_equal(f->log, cases[i].log);
	}
	post(f, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), OK);
}

static void
too_many_headers_are_431(void **state)
{
	struct fix *f = *state;
	struct buf pairs;
	char name[32];
	int i;

	buf_init(&pairs, 65535);
	rec_pair(&pairs, "REQUEST_METHOD", "GET");
	rec_pair(&pairs, "REQUEST_URI", "/m/v1");
	for (i = 0; i < LIMIT_PARAMS + 1; i++) {
		(void)snprintf(name, sizeof(name), "HTTP_X_%d", i);
		rec_pair(&pairs, name, "v");
	}
	client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_put(&f->send, FCGI_PARAMS, 1, buf_head(&pairs), buf_len(&pairs),
	    0);
	rec_put(&f->send, FCGI_PARAMS, 1, "", 0, 0);
	push_all(f);
	assert_string_equal(told(f), HEAD "bad[eof][end 1 0]");
	assert_string_equal(f->log, "bad /v1 begun=0 431;");
	buf_fini(&pairs);
}

static void
params_of_two_gigabytes_are_431_at_once(void **state)
{
	struct fix *f = *state;

	client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_put(&f->send, FCGI_PARAMS, 1, "\16\3REQUEST_METHODGET"
	    "\13\5REQUEST_URI/m/v1\377\377\377\377\377\377\377\377abc", 48,
	    0);
	push_all(f);
	assert_string_equal(told(f), HEAD "bad[eof][end 1 0][eof]");
	assert_string_equal(f->log, "bad /v1 begun=0 431;");
	assert_true(f->closed);
}

static void
malformed_records_are_400_and_the_end(void **state)
{
	struct fix *f = *state;
	const char *pairs[] = { "REQUEST_METHOD", "POST", "REQUEST_URI",
		"/m/later", NULL };

	/* STDIN before the end of PARAMS */
	client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_put(&f->send, FCGI_PARAMS, 1, "\13\5REQUEST_URI/m/v1", 18, 0);
	rec_stdin(&f->send, 1, "early");
	push_all(f);
	assert_string_equal(told(f), HEAD "bad[eof][end 1 0][eof]");
	assert_string_equal(f->log, "bad /v1 begun=0 400;");
	assert_true(f->closed);

	/* garbage within the body */
	client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, 0);
	rec_params(&f->send, 1, pairs);
	rec_stdin(&f->send, 1, "half");
	assert_int_equal(buf_append(&f->send, "GET / HTTP/1.1\r\n", 16), 0);
	push_all(f);
	assert_string_equal(told(f), HEAD "bad[eof][end 1 0]");
	assert_string_equal(f->log, "begin /later-1;bad /later begun=1 400;");
	assert_true(f->closed);

	/* garbage while the answer is awaited, and before any request */
	client(f);
	post(f, "/m/later", NULL, "");
	assert_int_equal(buf_append(&f->send, "GET / HTTP/1.1\r\n", 16), 0);
	push_all(f);
	assert_string_equal(told(f), "");
	assert_string_equal(f->log, "begin /later-1;end0;gone /later2;");
	assert_true(f->closed);
	client(f);
	assert_int_equal(buf_append(&f->send, "GET / HTTP/1.1\r\n", 16), 0);
	push_all(f);
	assert_string_equal(told(f), "");
	assert_true(f->closed);
	assert_string_equal(f->log, "");
	assert_int_equal(protocol_errors(f), 4);
}

static void
a_body_of_wrong_length_is_400(void **state)
{
	static const struct {
		const char *length, *log;
	} cases[] = {
		{ "6", "begin /later6;bad /later begun=1 400;" },
		{ "4", "begin /later4;bad /later begun=1 400;" },
		{ "0", "begin /later0;bad /later begun=1 400;" },
		{ "2147483648", NULL }, { "9223372036854775807", NULL },
	};
	struct fix *f = *state;
	size_t i;

	client(f);
	for (i = 0; i < NITEMS(cases); i++) {
		f->log[0] = '\0';
		post(f, "/m/later", cases[i].length, "hello");
		push_all(f);
		assert_string_equal(told(f), HEAD "bad[eof][end 1 0]");
		if (cases[i].log != NULL)
			assert_string_equal(f->log, cases[i].log);
	}
	assert_false(f->closed);
	post(f, "/m/echo", "5", "hello");
	push_all(f);
	assert_string_equal(told(f), OK);
}

static void
a_wrong_length_after_the_answer_began_is_gone(void **state)
{
	struct fix *f = *state;

	client(f);
	post_head(f, FCGI_KEEP_CONN, "/m/later", "5");
	push_all(f);
	assert_int_equal(fcgi_write(f->open, HEAD, 18), 0);
	rec_stdin(&f->send, 1, "too long");
	push_all(f);
	assert_string_equal(f->log, "begin /later5;gone /later2;");
	assert_true((told(f), f->closed));
}

/* ---- clients that leave ---- */

static void
closing_is_seen_in_each_phase(void **state)
{
	/* Bytes of this many records are sent, then the client leaves. */
	static const struct {
		size_t records;
		const char *log;
	} cases[] = {
		{ 0, "" }, { 1, "" }, { 2, "" },
		{ 3, "begin /later10;gone /later0;" },
		{ 4, "begin /later10;gone /later0;" },
		{ 5, "begin /later10;gone /later0;" },
		{ 6, "begin /later10;end10;gone /later0;" },
	};
	struct fix *f = *state;
	const unsigned char *p;
	size_t i, j, n;

	for (i = 0; i < NITEMS(cases); i++) {
		client(f);
		post_head(f, FCGI_KEEP_CONN, "/m/later", "10");
		rec_stdin(&f->send, 1, "hello");
		rec_stdin(&f->send, 1, "world");
		rec_stdin(&f->send, 1, "");
		p = buf_head(&f->send);
		for (j = n = 0; j < cases[i].records; j++)
			n += 8 + ((size_t)p[n + 4] << 8 | p[n + 5]) + p[n + 6];
		push(f, 0, n);
		close(f->fd);
		f->fd = -1;
		assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
		assert_string_equal(f->log, cases[i].log);
		assert_int_equal(connections(f), 0);
	}
}

static void
closing_is_seen_while_the_answer_streams(void **state)
{
	struct fix *f = *state;

	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	assert_int_equal(fcgi_write(f->open, HEAD, 18), 0);
	assert_string_equal(told(f), HEAD);
	close(f->fd);
	f->fd = -1;
	assert_int_equal(fcgi_write(f->open, "more", 4), 0);
	pump(f);
	assert_string_equal(f->log, "begin /later-1;end0;gone /later0;");
	assert_int_equal(connections(f), 0);
}

static void
a_request_that_comes_with_the_closing_is_gone(void **state)
{
	struct fix *f = *state;

	/* on a new connection, and on a kept one */
	client(f);
	post(f, "/m/later", NULL, "");
	assert_int_equal(send(f->fd, buf_head(&f->send), buf_len(&f->send),
	    0), buf_len(&f->send));
	assert_int_equal(shutdown(f->fd, SHUT_WR), 0);
	pump(f);
	assert_int_equal(connections(f), 0);
	assert_null(strstr(f->log, "end"));
	client(f);
	post(f, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), OK);
	f->log[0] = '\0';
	post(f, "/m/later", NULL, "");
	assert_int_equal(send(f->fd, buf_head(&f->send), buf_len(&f->send),
	    0), buf_len(&f->send));
	close(f->fd);
	f->fd = -1;
	assert_int_equal(connections(f), 0);
	assert_string_equal(f->log, "");
}

/* ---- early answers ---- */

static void
the_rest_of_an_early_answered_body_is_dropped(void **state)
{
	struct fix *f = *state;
	int i;

	client(f);
	for (i = 0; i < 3; i++) {
		post(f, "/m/early", "10", "0123456789");
		post(f, "/m/enough", NULL, "hello");
		push_all(f);
		assert_string_equal(told(f), HEAD "early[eof][end 1 0]"
		    HEAD "enough[eof][end 1 0]");
	}
	/* the answer comes later than the whole body */
	post(f, "/m/drop", "3", "0123456789");
	push_all(f);
	assert_string_equal(told(f), "");
	answer(f, f->open, "late");
	assert_string_equal(told(f), HEAD "late[eof][end 1 0]");
	assert_false(f->closed);
	assert_null(strstr(f->log, "end"));
	assert_null(strstr(f->log, "bad"));
}

static void
too_much_of_an_answered_body_ends_the_connection(void **state)
{
	static char chunk[60001];
	struct fix *f = *state;
	int i;

	memset(chunk, 'x', sizeof(chunk) - 1);
	client(f);
	post_head(f, FCGI_KEEP_CONN, "/m/early", "2147483647");
	push_all(f);
	for (i = 0; i < 6; i++)
		rec_stdin(&f->send, 1, chunk);
	push_all(f);
	assert_string_equal(told(f), HEAD "early[eof][end 1 0]");
	assert_true(f->closed);

	/* Nothing more is read at first; then it is, but not for ever. */
	clock_fake_advance(&f->clock, 200);
	for (i = 0; i < 6; i++)
		rec_stdin(&f->send, 1, chunk);
	push_all(f);
	assert_int_equal(connections(f), 1);
	clock_fake_advance(&f->clock, 10000);
	assert_int_equal(connections(f), 0);
}

static void
a_body_is_not_read_for_ever_while_its_answer_is_awaited(void **state)
{
	static char chunk[60001];
	struct fix *f = *state;
	ssize_t n, sum = 0;
	int i;

	memset(chunk, 'x', sizeof(chunk) - 1);
	client(f);
	post_head(f, FCGI_KEEP_CONN, "/m/drop", NULL);
	push_all(f);
	for (i = 0; i < 30; i++)
		rec_stdin(&f->send, 1, chunk);
	while ((n = send(f->fd, buf_head(&f->send), buf_len(&f->send),
	    MSG_DONTWAIT)) > 0) {
		buf_consume(&f->send, (size_t)n);
		sum += n;
		pump(f);
	}
	assert_in_range(sum, LIMIT_DISCARD_BYTES, 4 * LIMIT_DISCARD_BYTES);
	answer(f, f->open, "late");
	assert_string_equal(told(f), HEAD "late[eof][end 1 0][eof]");
	assert_true(f->closed);
}

/* ---- time ---- */

static void
a_sender_that_stops_is_408(void **state)
{
	struct fix *f = *state;
	int i;

	client(f);
	post_head(f, FCGI_KEEP_CONN, "/m/later", "1000");
	push_all(f);
	for (i = 0; i < 5; i++) {
		/* slow, but not stopped */
		clock_fake_advance(&f->clock, READ_TIMEOUT_MS - 1);
		pump(f);
		rec_stdin(&f->send, 1, "x");
		push_all(f);
	}
	assert_string_equal(f->log, "begin /later1000;");
	clock_fake_advance(&f->clock, READ_TIMEOUT_MS);
	assert_string_equal(told(f), HEAD "bad[eof][end 1 0][eof]");
	assert_string_equal(f->log,
	    "begin /later1000;bad /later begun=1 408;");
	assert_true(f->closed);

	/* within PARAMS, and within a record's head */
	client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, 0);
	push_all(f);
	clock_fake_advance(&f->clock, READ_TIMEOUT_MS);
	assert_string_equal(told(f), HEAD "bad[eof][end 1 0]");
	assert_string_equal(f->log, "bad  begun=0 408;");
	client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, 0);
	push(f, 0, 5);
	clock_fake_advance(&f->clock, READ_TIMEOUT_MS);
	assert_string_equal(told(f), "");
	assert_true(f->closed);
	assert_string_equal(f->log, "");
}

static void
what_is_in_or_idle_has_no_time_limit(void **state)
{
	struct fix *f = *state;

	client(f);
	pump(f);
	clock_fake_advance(&f->clock, 10 * READ_TIMEOUT_MS);
	post(f, "/m/later", NULL, "x");
	push(f, 0, 20);
	push(f, 20, buf_len(&f->send) - 20);
	buf_reset(&f->send);
	clock_fake_advance(&f->clock, 10 * READ_TIMEOUT_MS);
	pump(f);
	answer(f, f->open, "late");
	assert_string_equal(told(f), HEAD "late[eof][end 1 0]");
	clock_fake_advance(&f->clock, 10 * READ_TIMEOUT_MS);
	post(f, "/m/echo", NULL, "x");
	push_all(f);
	assert_string_equal(told(f), OK);
}

static void
a_client_that_takes_nothing_is_gone(void **state)
{
	static char data[1 << 20];
	struct fix *f = *state;
	int i;

	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	assert_int_equal(fcgi_write(f->open, data, sizeof(data)), 1);
	pump(f);
	for (i = 0; i < 4; i++) {
		/* slow, but not stopped; too little for the kernel to tell */
		clock_fake_advance(&f->clock, WRITE_TIMEOUT_MS);
		assert_int_equal(recv(f->fd, data, 30000, 0), 30000);
		pump(f);
		assert_string_equal(f->log, "begin /later-1;end0;");
	}
	clock_fake_advance(&f->clock, WRITE_TIMEOUT_MS);
	pump(f);
	assert_string_equal(f->log, "begin /later-1;end0;gone /later4;");
	assert_int_equal(connections(f), 0);
}

/* ---- answers ---- */

static void
a_slow_client_holds_back_the_application(void **state)
{
	static char data[40000];
	struct fix *f = *state;
	size_t sum = 0, n;
	int rc;

	memset(data, 'x', sizeof(data));
	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	while ((rc = fcgi_write(f->open, data, sizeof(data))) == 0) {
		sum += sizeof(data);
		pump(f);
	}
	assert_int_equal(rc, 1);
	sum += sizeof(data);
	assert_in_range(fcgi_pending(f->open), LIMIT_CLIENT_OUT_BYTES,
	    2 * LIMIT_CLIENT_OUT_BYTES);
	pump(f);
	assert_null(strstr(f->log, "writable"));
	pull_all(f);
	assert_non_null(strstr(f->log, "writable0;"));
	assert_int_equal(fcgi_pending(f->open), 0);
	assert_int_equal(fcgi_write(f->open, "y", 1), 0);
	fcgi_finish(f->open);
	pull_all(f);
	n = buf_len(&f->got);
	assert_in_range(n, sum + 1 + 24, sum + 1 + 24 + 8 * (sum / 4000 + 2));
}

static void
small_writes_of_a_turn_are_one_record(void **state)
{
	struct fix *f = *state;

	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	assert_int_equal(fcgi_write(f->open, "a", 1), 0);
	assert_int_equal(fcgi_write(f->open, "", 0), 0);
	assert_int_equal(fcgi_write(f->open, "bcd", 3), 0);
	fcgi_finish(f->open);
	pull_all(f);
	assert_int_equal(buf_len(&f->got), 12 + 24);
	assert_memory_equal(buf_head(&f->got), "\1\6\0\1\0\4\0\0abcd", 12);
}

static void
more_than_can_wait_is_refused(void **state)
{
	struct fix *f = *state;
	char *data = calloc(1, LIMIT_CLIENT_OUT_MAX_BYTES + 1);

	assert_non_null(data);
	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	assert_int_equal(fcgi_write(f->open, data,
	    LIMIT_CLIENT_OUT_MAX_BYTES + 1), -1);
	fcgi_reset(f->open);
	assert_true((told(f), f->closed));
	free(data);
}

static void
a_reset_is_seen_on_a_unix_socket(void **state)
{
	struct fix *f = *state;

	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	assert_int_equal(fcgi_write(f->open, "half", 4), 0);
	fcgi_reset(f->open);
	assert_string_equal(told(f), "half[broken]");
	assert_true(f->closed);
	assert_int_equal(connections(f), 0);
}

static void
a_reset_is_seen_on_tcp(void **state)
{
	struct fix *f = *state;

	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	assert_int_equal(fcgi_write(f->open, "half", 4), 0);
	assert_string_equal(told(f), "half");
	fcgi_reset(f->open);
	pump(f);
	(void)told(f);
	assert_int_equal(f->failed, ECONNRESET);
}

/* ---- the server as a whole ---- */

static void
draining_serves_what_comes_and_closes_behind_it(void **state)
{
	struct fix *f = *state;
	int kept, late;

	client(f);
	post(f, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), OK);
	kept = f->fd;
	f->fd = -1;
	late = connect_fd(f);		/* in the backlog */
	fcgi_server_drain(f->server, app_idle, f);
	pump(f);
	assert_int_equal(f->idle, 0);

	/* an empty record behind the end: see record_put_last */
	f->fd = kept;
	post(f, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), OK "[eof]");
	assert_true(f->closed);
	assert_int_equal(f->idle, 0);
	close(f->fd);
	f->fd = late;
	post(f, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), OK "[eof]");
	assert_int_equal(f->idle, 1);
	assert_int_equal(connections(f), 0);

	client(f);
	rec_post(&f->send, 1, 0, "/m/echo", NULL, "");
	push_all(f);
	assert_string_equal(told(f), OK);
	assert_int_equal(f->idle, 2);
}

static void
draining_an_idle_server_is_told_from_the_loop(void **state)
{
	struct fix *f = *state;

	fcgi_server_drain(f->server, app_idle, f);
	assert_int_equal(f->idle, 0);
	pump(f);
	assert_int_equal(f->idle, 1);
}

static void
accepting_stops_at_the_ceiling(void **state)
{
	struct fix *f = *state;
	int fds[310];
	size_t i;

	for (i = 0; i < 250; i++)
		fds[i] = connect_fd(f);
	for (i = 0; i < 10; i++)
		pump(f);
	for (i = 250; i < NITEMS(fds); i++)
		fds[i] = connect_fd(f);
	for (i = 0; i < 10; i++)
		pump(f);
	assert_int_equal(connections(f), 300);
	for (i = 0; i < 5; i++)
		close(fds[i]);
	pump(f);
	assert_int_equal(connections(f), 300);
	for (; i < 15; i++)
		close(fds[i]);
	pump(f);
	assert_int_equal(connections(f), 295);
	for (; i < NITEMS(fds); i++)
		close(fds[i]);
	for (i = 0; i < 20; i++)
		pump(f);
	assert_int_equal(connections(f), 0);
}

static void
an_idle_kept_connection_costs_little(void **state)
{
	struct fix *f = *state;
	struct mallinfo2 before, after;
	int fds[200];
	size_t i;

	client(f);
	post(f, "/m/echo", NULL, "hello");
	push_all(f);
	assert_string_equal(told(f), OK);
	before = mallinfo2();
	if (before.uordblks == 0)
		skip();		/* another malloc: a sanitizer's */
	for (i = 0; i < NITEMS(fds); i++) {
		fds[i] = f->fd;
		f->fd = -1;
		client(f);
		post(f, "/m/echo", NULL, "hello");
		push_all(f);
		assert_string_equal(told(f), OK);
	}
	after = mallinfo2();
	assert_int_equal(connections(f), NITEMS(fds) + 1);
	assert_in_range(after.uordblks - before.uordblks, 0,
	    NITEMS(fds) * 2048);
	for (i = 0; i < NITEMS(fds); i++)
		close(fds[i]);
}

static void
freeing_the_server_tells_open_requests(void **state)
{
	struct fix *f = *state;

	client(f);
	post(f, "/m/later", NULL, "");
	push_all(f);
	fcgi_server_free(f->server);
	f->server = NULL;
	assert_string_equal(f->log, "begin /later-1;end0;gone /later0;");
}

static void
without_memory_a_request_fails_and_the_server_goes_on(void **state)
{
	struct fix *f = *state;
	struct buf all;
	int n, failed;

	buf_init(&all, 4096);
	rec_post(&all, 1, 0, "/m/echo", "5", "hello");
	for (n = 0, failed = 1; failed; n++) {
		client(f);
		assert_int_equal(send(f->fd, buf_head(&all), buf_len(&all),
		    0), buf_len(&all));
		alloc_fail_after(n);
		pump(f);
		failed = alloc_fail_stop();
		clock_fake_advance(&f->clock, 1000);
		if (failed)
			assert_true((told(f), f->closed));
	}
	assert_true(n > 5);
	assert_string_equal(told(f), OK);
	assert_int_equal(connections(f), 0);
	buf_fini(&all);
}

#define SERVER_TEST(t)	cmocka_unit_test_setup_teardown(t, set_up, tear_down)
#define TCP_TEST(t)	cmocka_unit_test_setup_teardown(t, set_up_tcp, \
	tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(a_request_cut_anywhere_is_the_same),
		TCP_TEST(a_request_cut_anywhere_is_the_same),
		SERVER_TEST(requests_follow_each_other_on_a_kept_connection),
		SERVER_TEST(requests_of_no_length_are_whole_at_their_end),
		SERVER_TEST(a_second_request_at_once_is_refused),
		SERVER_TEST(management_records_and_other_roles_are_answered),
		SERVER_TEST(an_abort_ends_the_request_and_not_the_connection),
		SERVER_TEST(wrong_requests_are_told_to_the_application),
		SERVER_TEST(too_many_headers_are_431),
		SERVER_TEST(params_of_two_gigabytes_are_431_at_once),
		SERVER_TEST(malformed_records_are_400_and_the_end),
		SERVER_TEST(a_body_of_wrong_length_is_400),
		SERVER_TEST(a_wrong_length_after_the_answer_began_is_gone),
		SERVER_TEST(closing_is_seen_in_each_phase),
		TCP_TEST(closing_is_seen_in_each_phase),
		SERVER_TEST(closing_is_seen_while_the_answer_streams),
		TCP_TEST(closing_is_seen_while_the_answer_streams),
		SERVER_TEST(a_request_that_comes_with_the_closing_is_gone),
		SERVER_TEST(the_rest_of_an_early_answered_body_is_dropped),
		SERVER_TEST(too_much_of_an_answered_body_ends_the_connection),
		SERVER_TEST(
		    a_body_is_not_read_for_ever_while_its_answer_is_awaited),
		SERVER_TEST(a_sender_that_stops_is_408),
		SERVER_TEST(what_is_in_or_idle_has_no_time_limit),
		SERVER_TEST(a_client_that_takes_nothing_is_gone),
		SERVER_TEST(a_slow_client_holds_back_the_application),
		SERVER_TEST(small_writes_of_a_turn_are_one_record),
		SERVER_TEST(more_than_can_wait_is_refused),
		SERVER_TEST(a_reset_is_seen_on_a_unix_socket),
		TCP_TEST(a_reset_is_seen_on_tcp),
		SERVER_TEST(draining_serves_what_comes_and_closes_behind_it),
		SERVER_TEST(draining_an_idle_server_is_told_from_the_loop),
		SERVER_TEST(accepting_stops_at_the_ceiling),
		SERVER_TEST(an_idle_kept_connection_costs_little),
		SERVER_TEST(freeing_the_server_tells_open_requests),
		SERVER_TEST(
		    without_memory_a_request_fails_and_the_server_goes_on),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
