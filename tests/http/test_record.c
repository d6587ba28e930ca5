#include "cmocka_all.h"

#include <fastcgi.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "http/record.h"
#include "http/records.h"

#define PARAMS_MAX	4096

/* What a parser tells, as text. */
struct story {
	char text[16384];
	size_t len;
	enum err_code failed;
	char why[256];
};

static void
tell(struct story *s, const char *what, uint16_t id, const void *name,
    size_t name_len, const void *value, size_t value_len)
{

	s->len += (size_t)snprintf(s->text + s->len,
	    sizeof(s->text) - s->len, "%s%u", what, id);
	s->len += (size_t)snprintf(s->text + s->len,
	    sizeof(s->text) - s->len, " %.*s%s%.*s;", (int)name_len,
	    (const char *)name, name_len > 0 ? "=" : "", (int)value_len,
	    (const char *)value);
	assert_true(s->len < sizeof(s->text));
}

/* The pieces of a body are told as one text. */
static void
tell_stdin(struct story *s, const struct record_event *ev)
{

	if (s->len > 0 && s->text[s->len - 1] == '~')
		s->len--;
	else
		s->len += (size_t)snprintf(s->text + s->len,
		    sizeof(s->text) - s->len, "stdin%u ", ev->request_id);
	s->len += (size_t)snprintf(s->text + s->len,
	    sizeof(s->text) - s->len, "%.*s~", (int)ev->value_len,
	    (const char *)ev->value);
}

static void
tell_event(struct story *s, const struct record_event *ev)
{
	static const char *const names[] = {
		[RECORD_BEGIN] = "begin", [RECORD_PARAM] = "param",
		[RECORD_PARAMS_END] = "params-end", [RECORD_STDIN] = "stdin",
		[RECORD_STDIN_END] = "stdin-end", [RECORD_ABORT] = "abort",
		[RECORD_GET_VALUES] = "get-values",
		[RECORD_UNKNOWN] = "unknown"
	};
	char more[32] = "";

	if (ev->kind == RECORD_STDIN) {
		tell_stdin(s, ev);
		return;
	}
	if (ev->kind == RECORD_BEGIN)
		(void)snprintf(more, sizeof(more), "role=%u keep=%d", ev->role,
		    ev->keep_conn);
	if (ev->kind == RECORD_UNKNOWN)
		(void)snprintf(more, sizeof(more), "type=%u", ev->type);
	if (*more != '\0')
		tell(s, names[ev->kind], ev->request_id, "", 0, more,
		    strlen(more));
	else
		tell(s, names[ev->kind], ev->request_id, ev->name,
		    ev->name_len, ev->value, ev->value_len);
}

/*
 * Parse ${b} in two pieces, cut at ${cut}, the way that a server does: a
 * request is done when its body is.
 */
static void
parse(const struct buf *b, size_t cut, struct story *s)
{
	struct record_parser *rp = record_parser_new(PARAMS_MAX);
	const size_t ends[2] = { cut, buf_len(b) };
	struct record_event ev;
	struct buf in;
	struct err err;
	size_t from = 0;
	int i, rc;

	memset(s, 0, sizeof(*s));
	assert_non_null(rp);
	for (i = 0; i < 2 && s->failed == ERR_NONE; i++) {
		buf_init(&in, 1 << 20);
		assert_int_equal(buf_append(&in, buf_head(b) + from,
		    ends[i] - from), 0);
		from = ends[i];
		err_clear(&err);
		while ((rc = record_next(rp, &in, &ev, &err)) == 1) {
			tell_event(s, &ev);
			if (ev.kind == RECORD_STDIN_END)
				record_request_done(rp);
		}
		if (rc == -1) {
			s->failed = err.code;
			strcpy(s->why, err.text);
			err_clear(&err);
			assert_int_equal(record_next(rp, &in, &ev, &err), -1);
			assert_int_equal(err.code, s->failed);
		} else {
			assert_int_equal(buf_len(&in), 0);
		}
		buf_fini(&in);
	}
	record_parser_free(rp);
}

static void
any_cut_gives_the_same_events(void **state)
{
	const char *const second[] = { "A", "", "", "b", NULL };
	struct story whole, cut;
	struct buf b, pairs;
	size_t i;
	char value[301];

	(void)state;
	memset(value, 'v', 300);
	value[300] = '\0';
	buf_init(&b, 1 << 16);
	buf_init(&pairs, 1 << 16);
	rec_put(&b, FCGI_GET_VALUES, 0, "\017\0FCGI_MPXS_CONNS", 17, 7);
	rec_begin(&b, 1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	rec_pair(&pairs, "REQUEST_METHOD", "POST");
	rec_pair(&pairs, "LONG", value);
	/* a pair that spans three records */
	rec_put(&b, FCGI_PARAMS, 1, buf_head(&pairs), 30, 1);
	rec_put(&b, FCGI_PARAMS, 1, buf_head(&pairs) + 30, 100, 0);
	rec_put(&b, FCGI_PARAMS, 1, buf_head(&pairs) + 130,
	    buf_len(&pairs) - 130, 255);
	rec_put(&b, FCGI_PARAMS, 1, "", 0, 8);
	rec_stdin(&b, 1, "hello ");
	rec_put(&b, 77, 0, "what", 4, 4);
	rec_stdin(&b, 1, "world");
	rec_stdin(&b, 1, "");
	rec_put(&b, FCGI_ABORT_REQUEST, 1, "", 0, 0);
	rec_begin(&b, 258, FCGI_FILTER, 0);
	rec_params(&b, 258, second);
	rec_put(&b, FCGI_ABORT_REQUEST, 258, "", 0, 0);
	rec_put(&b, FCGI_DATA, 258, "xyz", 3, 0);

	parse(&b, 0, &whole);
	assert_int_equal(whole.failed, ERR_NONE);
	assert_non_null(strstr(whole.text, "param1 LONG=vvv"));
	assert_non_null(strstr(whole.text, "begin258 role=3 keep=0;param258 "
	    "A=;param258 b;params-end258 ;abort258 ;"));
	assert_non_null(strstr(whole.text, "stdin1 hello ~unknown0 type=77;"
	    "stdin1 world~stdin-end1 ;"));
	for (i = 0; i <= buf_len(&b); i++) {
		parse(&b, i, &cut);
		assert_int_equal(cut.failed, ERR_NONE);
		assert_string_equal(cut.text, whole.text);
	}
	buf_fini(&pairs);
	buf_fini(&b);
}

/* Records as {type, id, content}, and what they lead to. */
struct bad_case {
	const char *name;
	struct {
		uint8_t type;
		uint16_t id;
		const char *content;
		size_t n;
	} records[6];
	enum err_code code;
	const char *why;	/* part of it */
};

#define BEGIN1	{ FCGI_BEGIN_REQUEST, 1, "\0\1\1\0\0\0\0\0", 8 }
#define PARAMS_END1 { FCGI_PARAMS, 1, "", 0 }
#define STDIN_END1 { FCGI_STDIN, 1, "", 0 }

static const struct bad_case bad_cases[] = {
	{ "stdin before params end", { BEGIN1,
		{ FCGI_PARAMS, 1, "\1\1ab", 4 }, { FCGI_STDIN, 1, "x", 1 } },
		ERR_PROTO, "STDIN before the end of PARAMS" },
	{ "empty stdin before params end", { BEGIN1, STDIN_END1 },
		ERR_PROTO, "STDIN before the end of PARAMS" },
	{ "params after their end", { BEGIN1, PARAMS_END1,
		{ FCGI_PARAMS, 1, "\1\1ab", 4 } }, ERR_PROTO,
		"PARAMS after" },
	{ "begin twice", { BEGIN1, BEGIN1 }, ERR_PROTO, "open" },
	{ "short begin", { { FCGI_BEGIN_REQUEST, 1, "\0\1\1", 3 } },
		ERR_PROTO, "malformed BEGIN" },
	{ "empty begin", { { FCGI_BEGIN_REQUEST, 1, "", 0 } }, ERR_PROTO,
		"malformed BEGIN" },
	{ "params before begin", { PARAMS_END1 }, ERR_PROTO,
		"before BEGIN" },
	{ "params end within a pair", { BEGIN1,
		{ FCGI_PARAMS, 1, "\4\1ab", 4 }, PARAMS_END1 }, ERR_PROTO,
		"within a pair" },
	{ "params end within a length", { BEGIN1,
		{ FCGI_PARAMS, 1, "\200\0\0", 3 }, PARAMS_END1 }, ERR_PROTO,
		"within a pair" },
	{ "a name of 2 GB", { BEGIN1,
		{ FCGI_PARAMS, 1, "\377\377\377\377\1", 5 } }, ERR_TOO_LARGE,
		"too large" },
	{ "a value of 2 GB", { BEGIN1,
		{ FCGI_PARAMS, 1, "\1\377\377\377\377a", 6 } },
		ERR_TOO_LARGE, "too large" },
	{ "malformed get values", {
		{ FCGI_GET_VALUES, 0, "\17\0FCGI", 6 } }, ERR_PROTO,
		"GET_VALUES" },
};

static void
broken_streams_are_refused(void **state)
{
	const struct bad_case *c;
	struct story s;
	struct buf b;
	size_t i, j, cut;

	(void)state;
	for (i = 0; i < NITEMS(bad_cases); i++) {
		c = &bad_cases[i];
		buf_init(&b, 1 << 16);
		for (j = 0; j < 6 && c->records[j].type != 0; j++)
			rec_put(&b, c->records[j].type, c->records[j].id,
			    c->records[j].content, c->records[j].n, 0);
		for (cut = 0; cut <= buf_len(&b); cut++) {
			parse(&b, cut, &s);
			if (s.failed != c->code ||
			    strstr(s.why, c->why) == NULL)
				fail_msg("%s: %d %s", c->name, s.failed,
				    s.why);
		}
		buf_fini(&b);
	}
}

static void
another_version_is_refused(void **state)
{
	struct story s;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	rec_begin(&b, 1, FCGI_RESPONDER, 0);
	buf_head(&b)[0] = 2;
	parse(&b, 0, &s);
	assert_int_equal(s.failed, ERR_PROTO);
	buf_fini(&b);
}

static void
params_are_bounded_in_all(void **state)
{
	unsigned char pairs[1000] = { 0 };	/* empty ones */
	struct story s;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 1 << 16);
	rec_begin(&b, 1, FCGI_RESPONDER, 0);
	for (i = 0; i < PARAMS_MAX / 1000 + 1; i++)
		rec_put(&b, FCGI_PARAMS, 1, pairs, sizeof(pairs), 0);
	parse(&b, 0, &s);
	assert_int_equal(s.failed, ERR_TOO_LARGE);
	buf_fini(&b);
}

/* Next event, which must be there. */
static void
want(struct record_parser *rp, struct buf *in, enum record_event_kind kind,
    struct record_event *ev)
{

	assert_int_equal(record_next(rp, in, ev, NULL), 1);
	assert_int_equal(ev->kind, kind);
}

static void
the_rest_of_an_answered_request_is_skipped_and_counted(void **state)
{
	struct record_parser *rp = record_parser_new(PARAMS_MAX);
	struct record_event ev;
	struct buf in;

	(void)state;
	buf_init(&in, 1 << 16);
	rec_post(&in, 1, FCGI_KEEP_CONN, "/", NULL, "0123456789");
	rec_post(&in, 1, FCGI_KEEP_CONN, "/", NULL, "");
	want(rp, &in, RECORD_BEGIN, &ev);
	want(rp, &in, RECORD_PARAM, &ev);
	record_request_done(rp);	/* in the middle of PARAMS */
	assert_false(record_between(rp));
	want(rp, &in, RECORD_BEGIN, &ev);
	assert_int_equal(record_skipped(rp), 0);
	want(rp, &in, RECORD_PARAM, &ev);
	want(rp, &in, RECORD_PARAM, &ev);
	want(rp, &in, RECORD_PARAMS_END, &ev);
	record_request_done(rp);
	rec_stdin(&in, 1, "0123456789");
	assert_int_equal(record_next(rp, &in, &ev, NULL), 0);
	/* the end of STDIN, one with 10 bytes */
	assert_int_equal(record_skipped(rp), 8 + 8 + 10);
	assert_true(record_between(rp));
	buf_fini(&in);
	record_parser_free(rp);
}

static void
records_of_others_do_not_disturb_the_open_request(void **state)
{
	struct story s;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	rec_begin(&b, 1, FCGI_RESPONDER, 1);
	rec_post(&b, 2, 1, "/", NULL, "other");
	rec_put(&b, FCGI_PARAMS, 1, "\1\1ab", 4, 0);
	rec_put(&b, FCGI_PARAMS, 1, "", 0, 0);
	rec_put(&b, FCGI_ABORT_REQUEST, 2, "", 0, 0);
	rec_stdin(&b, 1, "mine");
	parse(&b, 20, &s);
	assert_int_equal(s.failed, ERR_NONE);
	assert_string_equal(s.text, "begin1 role=1 keep=1;"
	    "begin2 role=1 keep=1;param1 a=b;params-end1 ;stdin1 mine~");
	buf_fini(&b);
}

static void
long_output_is_split_and_short_output_joined(void **state)
{
	static char data[70000];
	unsigned char *p;
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_int_equal(record_put_stdout(&out, 0x102, data, sizeof(data)),
	    0);
	assert_int_equal(buf_len(&out), sizeof(data) + 16);
	p = buf_head(&out);
	assert_memory_equal(p, "\1\6\1\2\377\377\0\0", 8);
	assert_memory_equal(p + 8 + 65535, "\1\6\1\2\021\161\0\0", 8);
	buf_reset(&out);

	assert_int_equal(record_put_stdout(&out, 1, "abc", 3), 0);
	assert_int_equal(record_extend_stdout(&out, 3, "defg", 4), 0);
	assert_int_equal(buf_len(&out), 15);
	assert_memory_equal(buf_head(&out), "\1\6\0\1\0\7\0\0abcdefg", 15);
	assert_int_equal(record_extend_stdout(&out, 7, data, 65529), -1);
	assert_int_equal(buf_len(&out), 15);
	buf_fini(&out);
}

static void
answers_are_as_the_specification_has_them(void **state)
{
	struct record_parser *rp = record_parser_new(PARAMS_MAX);
	struct record_event ev;
	struct buf in, out;

	(void)state;
	buf_init(&in, 1024);
	buf_init(&out, 1024);
	assert_int_equal(record_put_end(&out, 1, 0x01020304,
	    FCGI_REQUEST_COMPLETE), 0);
	assert_int_equal(buf_len(&out), 24);
	assert_memory_equal(buf_head(&out), "\1\6\0\1\0\0\0\0"
	    "\1\3\0\1\0\10\0\0\1\2\3\4\0\0\0\0", 24);
	buf_reset(&out);
	assert_int_equal(record_put_end(&out, 2, 0, FCGI_CANT_MPX_CONN), 0);
	assert_memory_equal(buf_head(&out),
	    "\1\3\0\2\0\10\0\0\0\0\0\0\1\0\0\0", 16);
	buf_reset(&out);
	assert_int_equal(record_put_unknown_type(&out, 77), 0);
	assert_memory_equal(buf_head(&out),
	    "\1\13\0\0\0\10\0\0\115\0\0\0\0\0\0\0", 16);
	buf_reset(&out);

	rec_put(&in, FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_CONNS\3\0FOO"
	    "\16\0FCGI_MAX_CONNS", 38, 0);
	want(rp, &in, RECORD_GET_VALUES, &ev);
	assert_int_equal(record_put_values_result(&out, ev.asked, 2000), 0);
	assert_int_equal(buf_len(&out), 8 + 20 + 18);
	assert_memory_equal(buf_head(&out), "\1\12\0\0\0\46\0\0"
	    "\16\4FCGI_MAX_CONNS2000\17\1FCGI_MPXS_CONNS0", 8 + 20 + 18);
	buf_fini(&in);
	buf_fini(&out);
	record_parser_free(rp);
}

static void
a_full_buffer_is_left_as_it_was(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(record_put_stdout(&out, 1, "abc", 3), 0);
	assert_int_equal(record_put_stdout(&out, 1, "abc", 3), -1);
	assert_int_equal(record_extend_stdout(&out, 3, "0123456789", 10), -1);
	assert_int_equal(record_put_end(&out, 1, 0, 0), -1);
	assert_int_equal(record_put_unknown_type(&out, 1), -1);
	assert_int_equal(buf_len(&out), 11);
	assert_memory_equal(buf_head(&out), "\1\6\0\1\0\3\0\0abc", 11);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_gives_the_same_events),
		cmocka_unit_test(broken_streams_are_refused),
		cmocka_unit_test(another_version_is_refused),
		cmocka_unit_test(params_are_bounded_in_all),
		cmocka_unit_test(
		    the_rest_of_an_answered_request_is_skipped_and_counted),
		cmocka_unit_test(
		    records_of_others_do_not_disturb_the_open_request),
		cmocka_unit_test(
		    long_output_is_split_and_short_output_joined),
		cmocka_unit_test(answers_are_as_the_specification_has_them),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
