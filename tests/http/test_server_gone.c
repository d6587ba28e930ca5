#include "cmocka_all.h"

#include <sys/socket.h>
#include <fastcgi.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/records.h"
#include "http/server_fix.h"

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
		fix_client(f);
		fix_post_head(f, FCGI_KEEP_CONN, "/m/later", "10");
		rec_stdin(&f->send, 1, "hello");
		rec_stdin(&f->send, 1, "world");
		rec_stdin(&f->send, 1, "");
		p = buf_head(&f->send);
		for (j = n = 0; j < cases[i].records; j++)
			n += 8 + ((size_t)p[n + 4] << 8 | p[n + 5]) + p[n + 6];
		fix_push(f, 0, n);
		close(f->fd);
		f->fd = -1;
		assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
		assert_string_equal(f->log, cases[i].log);
		assert_int_equal(fix_connections(f), 0);
	}
}

static void
closing_is_seen_while_the_answer_streams(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	assert_int_equal(fcgi_write(f->open, HEAD, 18), 0);
	assert_string_equal(fix_told(f), HEAD);
	close(f->fd);
	f->fd = -1;
	assert_int_equal(fcgi_write(f->open, "more", 4), 0);
	fix_pump(f);
	assert_string_equal(f->log, "begin /later-1;end0;gone /later0;");
	assert_int_equal(fix_connections(f), 0);
}

static void
a_request_that_comes_with_the_closing_is_gone(void **state)
{
	struct fix *f = *state;

	/* on a new connection, and on a kept one */
	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	assert_int_equal(send(f->fd, buf_head(&f->send), buf_len(&f->send),
	    0), buf_len(&f->send));
	assert_int_equal(shutdown(f->fd, SHUT_WR), 0);
	fix_pump(f);
	assert_int_equal(fix_connections(f), 0);
	assert_null(strstr(f->log, "end"));
	fix_client(f);
	fix_post(f, "/m/echo", NULL, "");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
	f->log[0] = '\0';
	fix_post(f, "/m/later", NULL, "");
	assert_int_equal(send(f->fd, buf_head(&f->send), buf_len(&f->send),
	    0), buf_len(&f->send));
	close(f->fd);
	f->fd = -1;
	assert_int_equal(fix_connections(f), 0);
	assert_string_equal(f->log, "");
}

/* ---- early answers ---- */

static void
the_rest_of_an_early_answered_body_is_dropped(void **state)
{
	struct fix *f = *state;
	int i;

	fix_client(f);
	for (i = 0; i < 3; i++) {
		fix_post(f, "/m/early", "10", "0123456789");
		fix_post(f, "/m/enough", NULL, "hello");
		fix_push_all(f);
		assert_string_equal(fix_told(f), HEAD "early[eof][end 1 0]"
		    HEAD "enough[eof][end 1 0]");
	}
	/* the answer comes later than the whole body */
	fix_post(f, "/m/drop", "3", "0123456789");
	fix_push_all(f);
	assert_string_equal(fix_told(f), "");
	fix_answer(f, f->open, "late");
	assert_string_equal(fix_told(f), HEAD "late[eof][end 1 0]");
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
	fix_client(f);
	fix_post_head(f, FCGI_KEEP_CONN, "/m/early", "2147483647");
	fix_push_all(f);
	for (i = 0; i < 6; i++)
		rec_stdin(&f->send, 1, chunk);
	fix_push_all(f);
	assert_string_equal(fix_told(f), HEAD "early[eof][end 1 0]");
	assert_true(f->closed);

	/* Nothing more is read at first; then it is, but not for ever. */
	clock_fake_advance(&f->clock, 200);
	for (i = 0; i < 6; i++)
		rec_stdin(&f->send, 1, chunk);
	fix_push_all(f);
	assert_int_equal(fix_connections(f), 1);
	clock_fake_advance(&f->clock, 10000);
	assert_int_equal(fix_connections(f), 0);
}

static void
a_body_is_not_read_for_ever_while_its_answer_is_awaited(void **state)
{
	static char chunk[60001];
	struct fix *f = *state;
	ssize_t n, sum = 0;
	int i;

	memset(chunk, 'x', sizeof(chunk) - 1);
	fix_client(f);
	fix_post_head(f, FCGI_KEEP_CONN, "/m/drop", NULL);
	fix_push_all(f);
	for (i = 0; i < 30; i++)
		rec_stdin(&f->send, 1, chunk);
	while ((n = send(f->fd, buf_head(&f->send), buf_len(&f->send),
	    MSG_DONTWAIT)) > 0) {
		buf_consume(&f->send, (size_t)n);
		sum += n;
		fix_pump(f);
	}
	assert_in_range(sum, LIMIT_DISCARD_BYTES, 4 * LIMIT_DISCARD_BYTES);
	fix_answer(f, f->open, "late");
	assert_string_equal(fix_told(f), HEAD "late[eof][end 1 0][eof]");
	assert_true(f->closed);
}

/* ---- time ---- */

static void
a_sender_that_stops_is_408(void **state)
{
	struct fix *f = *state;
	int i;

	fix_client(f);
	fix_post_head(f, FCGI_KEEP_CONN, "/m/later", "1000");
	fix_push_all(f);
	for (i = 0; i < 5; i++) {
		/* slow, but not stopped */
		clock_fake_advance(&f->clock, FIX_READ_TIMEOUT_MS - 1);
		fix_pump(f);
		rec_stdin(&f->send, 1, "x");
		fix_push_all(f);
	}
	assert_string_equal(f->log, "begin /later1000;");
	clock_fake_advance(&f->clock, FIX_READ_TIMEOUT_MS);
	assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0][eof]");
	assert_string_equal(f->log,
	    "begin /later1000;bad /later begun=1 408;");
	assert_true(f->closed);

	/* within PARAMS, and within a record's head */
	fix_client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, 0);
	fix_push_all(f);
	clock_fake_advance(&f->clock, FIX_READ_TIMEOUT_MS);
	assert_string_equal(fix_told(f), HEAD "bad[eof][end 1 0]");
	assert_string_equal(f->log, "bad  begun=0 408;");
	fix_client(f);
	rec_begin(&f->send, 1, FCGI_RESPONDER, 0);
	fix_push(f, 0, 5);
	clock_fake_advance(&f->clock, FIX_READ_TIMEOUT_MS);
	assert_string_equal(fix_told(f), "");
	assert_true(f->closed);
	assert_string_equal(f->log, "");
}

static void
what_is_in_or_idle_has_no_time_limit(void **state)
{
	struct fix *f = *state;

	fix_client(f);
	fix_pump(f);
	clock_fake_advance(&f->clock, 10 * FIX_READ_TIMEOUT_MS);
	fix_post(f, "/m/later", NULL, "x");
	fix_push(f, 0, 20);
	fix_push(f, 20, buf_len(&f->send) - 20);
	buf_reset(&f->send);
	clock_fake_advance(&f->clock, 10 * FIX_READ_TIMEOUT_MS);
	fix_pump(f);
	fix_answer(f, f->open, "late");
	assert_string_equal(fix_told(f), HEAD "late[eof][end 1 0]");
	clock_fake_advance(&f->clock, 10 * FIX_READ_TIMEOUT_MS);
	fix_post(f, "/m/echo", NULL, "x");
	fix_push_all(f);
	assert_string_equal(fix_told(f), OK);
}

static void
a_client_that_takes_nothing_is_gone(void **state)
{
	static char data[1 << 20];
	struct fix *f = *state;
	int i;

	fix_client(f);
	fix_post(f, "/m/later", NULL, "");
	fix_push_all(f);
	assert_int_equal(fcgi_write(f->open, data, sizeof(data)), 1);
	fix_pump(f);
	for (i = 0; i < 4; i++) {
		/* slow, but not stopped; too little for the kernel to tell */
		clock_fake_advance(&f->clock, FIX_WRITE_TIMEOUT_MS);
		assert_int_equal(recv(f->fd, data, 30000, 0), 30000);
		fix_pump(f);
		assert_string_equal(f->log, "begin /later-1;end0;");
	}
	clock_fake_advance(&f->clock, FIX_WRITE_TIMEOUT_MS);
	fix_pump(f);
	assert_string_equal(f->log, "begin /later-1;end0;gone /later4;");
	assert_int_equal(fix_connections(f), 0);
}

/* So that none of them sends another request on it. */
static void
draining_marks_the_end_as_the_web_server_heeds_it(void **state)
{
	static const struct {
		const char *server, *told;
	} cases[] = {
		{ "nginx/1.22.1", OK "[eof]" },
		{ "Apache/2.4.71 (Debian)", HEAD "ok[eof]" },
		{ "Caddy/v2.6.2", OK }
	};
	struct fix *f = *state;
	size_t i;

	fcgi_server_drain(f->server, fix_idle, f);
	for (i = 0; i < NITEMS(cases); i++) {
		const char *pairs[] = { "REQUEST_METHOD", "POST",
			"REQUEST_URI", "/m/echo", "SERVER_SOFTWARE",
			cases[i].server, NULL };

		fix_client(f);
		rec_begin(&f->send, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
		rec_params(&f->send, 1, pairs);
		rec_stdin(&f->send, 1, "");
		fix_push_all(f);
		clock_fake_advance(&f->clock, 100);
		fix_pump(f);
		assert_string_equal(fix_told(f), cases[i].told);
		assert_true(f->closed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
		SERVER_TEST(draining_marks_the_end_as_the_web_server_heeds_it),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
