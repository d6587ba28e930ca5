#include "cmocka_all.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <fastcgi.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/limits.h"
#include "http/conn.h"
#include "http/records.h"
#include "http/server_fix.h"

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
		fix_client(f);
		assert_int_equal(buf_append(&f->send, buf_head(&all),
		    buf_len(&all)), 0);
		fix_push(f, 0, i);
		fix_push(f, i, buf_len(&all) - i);
		assert_string_equal(fix_told(f), OK);
		assert_string_equal(f->log, "begin /echo5;end5;");
		assert_true(f->closed);
	}
	assert_int_equal(fix_connections(f), 0);
	buf_fini(&all);
}

static void
requests_follow_each_other_on_a_kept_connection(void **state)
{
	struct fix *f = *state;
	int i;

	fix_client(f);
	for (i = 0; i < 5; i++) {
		f->log[0] = '\0';
		fix_post(f, "/m/echo", i % 2 ? "5" : NULL, "hello");
		fix_push_all(f);
		assert_string_equal(fix_told(f), OK);
		assert_string_equal(f->log, i % 2 ? "begin /echo5;end5;" :
		    "begin /echo-1;end5;");
	}
	assert_false(f->closed);
	assert_int_equal(fix_connections(f), 1);
}

static void
requests_of_no_length_are_whole_at_their_end(void **state)
{
	static const char *const lengths[] = { NULL, "", "-1", "0" };
	struct fix *f = *state;
	size_t i;

	fix_client(f);
	for (i = 0; i < NITEMS(lengths); i++) {
		fix_post(f, "/m/echo", lengths[i], "");
		fix_push_all(f);
		assert_string_equal(fix_told(f), OK);
	}
}

static void
let_go(struct loop_timer *t)
{
	struct fix *f = t->arg;

	fcgi_hold(f->open, false);
}

static void
a_held_request_keeps_its_order(void **state)
{
	struct loop_timer timer = { 0 };
	struct fix *f = *state;

	/* what came with the PARAMS waits, and what came after them too */
	fix_client(f);
	fix_post_head(f, FCGI_KEEP_CONN, "/m/hold", "10");
	rec_stdin(&f->send, 1, "01234");
	fix_push_all(f);
	rec_stdin(&f->send, 1, "56789");
	rec_stdin(&f->send, 1, "");
	fix_push_all(f);
	clock_fake_advance(&f->clock, 10 * FIX_READ_TIMEOUT_MS);
	fix_pump(f);
	assert_string_equal(f->log, "begin /hold10;");
	assert_int_equal(f->body_bytes, 0);
	assert_int_equal(loop_timer_set(f->loop, &timer, 0, let_go, f), 0);
	fix_pump(f);
	assert_string_equal(f->log, "begin /hold10;end10;");
	assert_string_equal(fix_told(f), OK);

	/* more comes in the moment in which it is let go */
	fix_post_head(f, FCGI_KEEP_CONN, "/m/hold", "10");
	rec_stdin(&f->send, 1, "01234");
	fix_push_all(f);
	fcgi_hold(f->open, false);
	rec_stdin(&f->send, 1, "56789");
	rec_stdin(&f->send, 1, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);

	/* leaving is seen in spite of it */
	f->log[0] = '\0';
	fix_post_head(f, FCGI_KEEP_CONN, "/m/hold", NULL);
	fix_push_all(f);
	close(f->fd);
	f->fd = -1;
	assert_int_equal(fix_connections(f), 0);
	assert_string_equal(f->log, "begin /hold-1;gone /hold0;");
}

static void
a_second_request_at_once_is_refused(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post(f, "/m/later", NULL, "x");
	rec_post(&f->send, 2, FCGI_KEEP_CONN, "/m/echo", NULL, "y");
	fix_push_all(f);
	assert_string_equal(fix_told(f), "[end 2 1]");
	fix_answer(f, f->open, "mine");
	assert_string_equal(fix_told(f), HEAD "mine[eof][end 1 0]");
	assert_string_equal(f->log, "begin /later-1;end1;");
	assert_int_equal(fix_protocol_errors(f), 0);
}

static void
management_records_and_other_roles_are_answered(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	rec_put(&f->send, FCGI_GET_VALUES, 0, "\16\0FCGI_MAX_CONNS", 16, 0);
	rec_put(&f->send, 99, 0, "", 0, 0);
	rec_begin(&f->send, 1, FCGI_AUTHORIZER, FCGI_KEEP_CONN);
	rec_stdin(&f->send, 1, "");
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), "[type 10][type 11][end 1 3]" OK);
	rec_begin(&f->send, 1, FCGI_FILTER, 0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), "[end 1 3]");
	assert_true(f->closed);
}

static void
an_abort_ends_the_request_and_not_the_connection(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post_head(f, FCGI_KEEP_CONN, "/m/later", "10");
	rec_stdin(&f->send, 1, "hello");
	rec_put(&f->send, FCGI_ABORT_REQUEST, 1, "", 0, 0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), "[eof][end 1 0]");
	assert_string_equal(f->log, "begin /later10;gone /later1;");
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	rec_put(&f->send, FCGI_ABORT_REQUEST, 1, "", 0, 0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), "[eof][end 1 0]");
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
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

	fix_client(f);
	for (i = 0; i < NITEMS(cases); i++) {
		f->log[0] = '\0';
		rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
		rec_params(&f->send, 1, cases[i].pairs);
		rec_stdin(&f->send, 1, "body");
		rec_stdin(&f->send, 1, "");
		fix_push_all(f);
		assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0]");
		assert_string_equal(f->log, cases[i].log);
	}
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
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
	fix_client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_put(&f->send, FCGI_PARAMS, 1, buf_head(&pairs), buf_len(&pairs),
	    0);
	rec_put(&f->send, FCGI_PARAMS, 1, "", 0, 0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0]");
	assert_string_equal(f->log, "bad /v1 begun=0 431;");
	buf_fini(&pairs);
}

static void
params_of_two_gigabytes_are_431_at_once(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_put(&f->send, FCGI_PARAMS, 1, "\16\3REQUEST_METHODGET"
	    "\13\5REQUEST_URI/m/v1\377\377\377\377\377\377\377\377abc", 48,
	    0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0][eof]");
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
	fix_client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_put(&f->send, FCGI_PARAMS, 1, "\13\5REQUEST_URI/m/v1", 18, 0);
	rec_stdin(&f->send, 1, "early");
	fix_push_all(f);
	assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0][eof]");
	assert_string_equal(f->log, "bad /v1 begun=0 400;");
	assert_true(f->closed);

	/* garbage within the body */
	fix_client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, 0);
	rec_params(&f->send, 1, pairs);
	rec_stdin(&f->send, 1, "half");
	assert_int_equal(buf_append(&f->send, "GET / HTTP/1.1\r\n", 16), 0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0]");
	assert_string_equal(f->log, "begin /later-1;bad /later begun=1 400;");
	assert_true(f->closed);

	/* garbage while the answer is awaited, and before any request */
	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	assert_int_equal(buf_append(&f->send, "GET / HTTP/1.1\r\n", 16), 0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), "");
	assert_string_equal(f->log, "begin /later-1;end0;gone /later2;");
	assert_true(f->closed);
	fix_client(f);
	assert_int_equal(buf_append(&f->send, "GET / HTTP/1.1\r\n", 16), 0);
	fix_push_all(f);
	assert_string_equal(fix_told(f), "");
	assert_true(f->closed);
	assert_string_equal(f->log, "");
	assert_int_equal(fix_protocol_errors(f), 4);
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

	fix_client(f);
	for (i = 0; i < NITEMS(cases); i++) {
		f->log[0] = '\0';
		fix_post(f, "/m/later", cases[i].length, "hello");
		fix_push_all(f);
		assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0]");
		if (cases[i].log != NULL)
			assert_string_equal(f->log, cases[i].log);
	}
	assert_false(f->closed);
	fix_post(f, "/m/echo", "5", "hello");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
}

static void
a_wrong_length_after_the_answer_began_is_gone(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post_head(f, FCGI_KEEP_CONN, "/m/later", "5");
	fix_push_all(f);
	assert_int_equal(fcgi_write(f->open, HEAD, 18), 0);
	rec_stdin(&f->send, 1, "too long");
	fix_push_all(f);
	assert_string_equal(f->log, "begin /later5;gone /later2;");
	assert_true((fix_told(f), f->closed));
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
	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	while ((rc = fcgi_write(f->open, data, sizeof(data))) == 0) {
		sum += sizeof(data);
		fix_pump(f);
	}
	assert_int_equal(rc, 1);
	sum += sizeof(data);
	assert_in_range(buf_len(&f->open->conn->out), LIMIT_CLIENT_OUT_BYTES,
	    2 * LIMIT_CLIENT_OUT_BYTES);
	fix_pump(f);
	assert_null(strstr(f->log, "writable"));
	fix_pull_all(f);
	assert_non_null(strstr(f->log, "writable0;"));
	assert_int_equal(buf_len(&f->open->conn->out), 0);
	assert_int_equal(fcgi_write(f->open, "y", 1), 0);
	fcgi_finish(f->open);
	fix_pull_all(f);
	n = buf_len(&f->got);
	assert_in_range(n, sum + 1 + 24, sum + 1 + 24 + 8 * (sum / 4000 + 2));
}

static void
small_writes_of_a_turn_are_one_record(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	assert_int_equal(fcgi_write(f->open, "a", 1), 0);
	assert_int_equal(fcgi_write(f->open, "", 0), 0);
	assert_int_equal(fcgi_write(f->open, "bcd", 3), 0);
	fcgi_finish(f->open);
	fix_pull_all(f);
	assert_int_equal(buf_len(&f->got), 12 + 24);
	assert_memory_equal(buf_head(&f->got), "\1\6\0\1\0\4\0\0abcd", 12);
}

static void
more_than_can_wait_is_refused(void **state)
{
	struct fix *f = *state;
	char *data = calloc(1, LIMIT_CLIENT_OUT_MAX_BYTES + 1);

	assert_non_null(data);
	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	assert_int_equal(fcgi_write(f->open, data,
	    LIMIT_CLIENT_OUT_MAX_BYTES + 1), -1);
	fcgi_reset(f->open);
	assert_true((fix_told(f), f->closed));
	free(data);
}

static void
a_reset_is_seen_on_a_unix_socket(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	assert_int_equal(fcgi_write(f->open, "half", 4), 0);
	fcgi_reset(f->open);
	assert_string_equal(fix_told(f), "half[broken]");
	assert_true(f->closed);
	assert_int_equal(fix_connections(f), 0);
}

static void
a_reset_is_seen_on_tcp(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	assert_int_equal(fcgi_write(f->open, "half", 4), 0);
	assert_string_equal(fix_told(f), "half");
	fcgi_reset(f->open);
	fix_pump(f);
	(void)fix_told(f);
	assert_int_equal(f->failed, ECONNRESET);
}

/* ---- the server as a whole ---- */

static void
draining_serves_what_comes_and_closes_behind_it(void **state)
{
	struct fix *f = *state;
	int kept, late;

	fix_client(f);
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
	kept = f->fd;
	f->fd = -1;
	late = fix_connect(f);		/* in the backlog */
	fcgi_server_drain(f->server, fix_idle, f);
	fix_pump(f);
	assert_int_equal(f->idle, 0);

	/* an empty record behind the end: see record_put_last */
	f->fd = kept;
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK "[eof]");
	assert_true(f->closed);
	assert_int_equal(f->idle, 0);
	close(f->fd);
	f->fd = late;
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK "[eof]");
	assert_int_equal(f->idle, 1);
	assert_int_equal(fix_connections(f), 0);

	/* What comes later is left to others for a moment. */
	fix_client(f);
	rec_post(&f->send, 1, 0, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_int_equal(fix_connections(f), 0);
	clock_fake_advance(&f->clock, 100);
	fix_pump(f);
	assert_string_equal(fix_told(f), OK);
	assert_int_equal(f->idle, 2);
}

static void
draining_empties_a_long_backlog(void **state)
{
	struct fix *f = *state;
	int fds[100];
	size_t i;

	for (i = 0; i < NITEMS(fds); i++)
		fds[i] = fix_connect(f);
	fcgi_server_drain(f->server, fix_idle, f);
	for (i = 0; i < 10; i++)
		fix_pump(f);
	assert_int_equal(fix_connections(f), NITEMS(fds));
	assert_int_equal(f->idle, 0);
	for (i = 0; i < NITEMS(fds); i++)
		close(fds[i]);
	fix_pump(f);
	assert_int_equal(fix_connections(f), 0);
	assert_true(f->idle > 0);
}

/* Two on one socket, of which one drains: the other takes all that comes. */
static void
draining_leaves_new_connections_to_others(void **state)
{
	struct fix *f = *state;
	struct fcgi_server_params params = f->params;
	struct fcgi_server_stats st;
	struct fcgi_server *other;
	int fds[50];
	size_t i;

	params.listen_fd = dup(f->listen_fd);
	other = fcgi_server_new(&params, NULL);
	assert_non_null(other);
	fcgi_server_drain(f->server, fix_idle, f);
	fix_pump(f);
	assert_true(f->idle > 0);
	for (i = 0; i < NITEMS(fds); i++) {
		fds[i] = fix_connect(f);
		fix_pump(f);
		clock_fake_advance(&f->clock, 100);
	}
	fix_pump(f);
	assert_int_equal(fix_connections(f), 0);
	fcgi_server_stats(other, &st);
	assert_int_equal(st.connections, NITEMS(fds));
	for (i = 0; i < NITEMS(fds); i++)
		close(fds[i]);
	fix_pump(f);
	fcgi_server_free(other);
	close(params.listen_fd);
}

/* As systemd does when it starts another process on the socket. */
static void
a_socket_that_was_made_blocking_holds_nobody_up(void **state)
{
	struct fix *f = *state;

	assert_int_equal(fcntl(f->listen_fd, F_SETFL, 0), 0);
	fix_client(f);
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
	fcgi_server_drain(f->server, fix_idle, f);
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK "[eof]");
	assert_int_equal(f->idle, 1);
}

static void
draining_an_idle_server_is_told_from_the_loop(void **state)
{
	struct fix *f = *state;

	fcgi_server_drain(f->server, fix_idle, f);
	assert_int_equal(f->idle, 0);
	fix_pump(f);
	assert_int_equal(f->idle, 1);
}

/* Of three connections one is idle, one brings a request, and one is still to
 * get its answer. */
static void
when_draining_is_over_idle_connections_are_closed(void **state)
{
	struct fix *f = *state;
	int idle, slow;

	idle = fix_connect(f);
	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	slow = f->fd;
	f->fd = fix_connect(f);
	fix_post_head(f, FCGI_KEEP_CONN, "/m/hold", "5");
	fix_push_all(f);
	assert_int_equal(fix_connections(f), 3);
	fcgi_server_drain(f->server, fix_idle, f);
	fcgi_server_close_idle(f->server);
	fix_pump(f);
	assert_int_equal(fix_connections(f), 2);
	assert_int_equal(recv(idle, &(char){ 0 }, 1, 0), 0);
	close(idle);

	close(f->fd);
	f->fd = slow;
	fix_pump(f);
	assert_int_equal(f->idle, 0);
}

static void
accepting_stops_at_the_ceiling(void **state)
{
	struct fix *f = *state;
	int fds[310];
	size_t i;

	for (i = 0; i < 250; i++)
		fds[i] = fix_connect(f);
	for (i = 0; i < 10; i++)
		fix_pump(f);
	for (i = 250; i < NITEMS(fds); i++)
		fds[i] = fix_connect(f);
	for (i = 0; i < 10; i++)
		fix_pump(f);
	assert_int_equal(fix_connections(f), 300);
	for (i = 0; i < 5; i++)
		close(fds[i]);
	fix_pump(f);
	assert_int_equal(fix_connections(f), 300);
	for (; i < 15; i++)
		close(fds[i]);
	fix_pump(f);
	assert_int_equal(fix_connections(f), 295);
	for (; i < NITEMS(fds); i++)
		close(fds[i]);
	for (i = 0; i < 20; i++)
		fix_pump(f);
	assert_int_equal(fix_connections(f), 0);
}

static void
accepting_pauses_when_descriptors_run_out(void **state)
{
	struct fix *f = *state;
	struct rlimit old, few;

	/* It accepts all the same, and closes what is beyond the limit. */
	if (getenv("LEASEHOLD_VALGRIND") != NULL)
		skip();
	fix_client(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)f->fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(fix_connections(f), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	/* no spinning: it is not tried again before its time */
	assert_int_equal(fix_connections(f), 0);
	clock_fake_advance(&f->clock, 100);
	assert_int_equal(fix_connections(f), 1);
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
}

static void
an_idle_kept_connection_costs_little(void **state)
{
	struct fix *f = *state;
	struct mallinfo2 before, after;
	int fds[200];
	size_t i;

	fix_client(f);
	fix_post(f, "/m/echo", NULL, "hello");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
	before = mallinfo2();
	if (before.uordblks == 0)
		skip();		/* another malloc: a sanitizer's */
	for (i = 0; i < NITEMS(fds); i++) {
		fds[i] = f->fd;
		f->fd = -1;
		fix_client(f);
		fix_post(f, "/m/echo", NULL, "hello");
		fix_push_all(f);
		assert_string_equal(fix_told(f), OK);
	}
	after = mallinfo2();
	assert_int_equal(fix_connections(f), NITEMS(fds) + 1);
	assert_in_range(after.uordblks - before.uordblks, 0,
	    NITEMS(fds) * 2048);
	for (i = 0; i < NITEMS(fds); i++)
		close(fds[i]);
}

static void
freeing_the_server_tells_open_requests(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
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
		fix_client(f);
		assert_int_equal(send(f->fd, buf_head(&all), buf_len(&all),
		    0), buf_len(&all));
		alloc_fail_after(n);
		fix_pump(f);
		failed = alloc_fail_stop();
		clock_fake_advance(&f->clock, 1000);
		if (failed)
			assert_true((fix_told(f), f->closed));
	}
	assert_true(n > 5);
	assert_string_equal(fix_told(f), OK);
	assert_int_equal(fix_connections(f), 0);
	buf_fini(&all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(a_request_cut_anywhere_is_the_same),
		TCP_TEST(a_request_cut_anywhere_is_the_same),
		SERVER_TEST(requests_follow_each_other_on_a_kept_connection),
		SERVER_TEST(requests_of_no_length_are_whole_at_their_end),
		SERVER_TEST(a_held_request_keeps_its_order),
		SERVER_TEST(a_second_request_at_once_is_refused),
		SERVER_TEST(management_records_and_other_roles_are_answered),
		SERVER_TEST(an_abort_ends_the_request_and_not_the_connection),
		SERVER_TEST(wrong_requests_are_told_to_the_application),
		SERVER_TEST(too_many_headers_are_431),
		SERVER_TEST(params_of_two_gigabytes_are_431_at_once),
		SERVER_TEST(malformed_records_are_400_and_the_end),
		SERVER_TEST(a_body_of_wrong_length_is_400),
		SERVER_TEST(a_wrong_length_after_the_answer_began_is_gone),
		SERVER_TEST(a_slow_client_holds_back_the_application),
		SERVER_TEST(small_writes_of_a_turn_are_one_record),
		SERVER_TEST(more_than_can_wait_is_refused),
		SERVER_TEST(a_reset_is_seen_on_a_unix_socket),
		TCP_TEST(a_reset_is_seen_on_tcp),
		SERVER_TEST(draining_serves_what_comes_and_closes_behind_it),
		SERVER_TEST(draining_empties_a_long_backlog),
		SERVER_TEST(draining_leaves_new_connections_to_others),
		SERVER_TEST(a_socket_that_was_made_blocking_holds_nobody_up),
		TCP_TEST(a_socket_that_was_made_blocking_holds_nobody_up),
		SERVER_TEST(draining_an_idle_server_is_told_from_the_loop),
		SERVER_TEST(when_draining_is_over_idle_connections_are_closed),
		SERVER_TEST(accepting_stops_at_the_ceiling),
		SERVER_TEST(accepting_pauses_when_descriptors_run_out),
		SERVER_TEST(an_idle_kept_connection_costs_little),
		SERVER_TEST(freeing_the_server_tells_open_requests),
		SERVER_TEST(
		    without_memory_a_request_fails_and_the_server_goes_on),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
