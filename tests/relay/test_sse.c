#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "relay/sse.h"

#define DATA_MAX	32

/* The events of a run, one "type|data;" after the other. */
struct record {
	char text[2048];
	size_t len;
};

static void
note(struct record *r, const struct sse_event *ev)
{

	assert_true(ev->data_len <= DATA_MAX);
	assert_int_equal(ev->data[ev->data_len], '\0');
	assert_int_equal(ev->data_cut, ev->data_full_len > ev->data_len);
	r->len += (size_t)snprintf(r->text + r->len, sizeof(r->text) - r->len,
	    ev->comment_only ? "#;" : ev->data_cut ? "%s|%s...%d;" : "%s|%s;",
	    ev->type, ev->data, (int)ev->data_full_len);
	assert_true(r->len < sizeof(r->text));
}

static void
push(struct sse *s, const char *p, size_t n, struct record *r)
{
	struct sse_event ev;
	size_t used;
	int rc;

	while (n > 0) {
		rc = sse_push(s, p, n, &used, &ev);
		assert_true(rc == 0 || rc == 1);
		assert_true(used <= n);
		if (rc == 1)
			note(r, &ev);
		else
			assert_int_equal(used, n);
		p += used;
		n -= used;
	}
}

static const struct {
	const char *name, *in, *events;
} cases[] = {
	{ "plain", "event: ping\ndata: {}\n\n", "ping|{};" },
	{ "no type", "data: x\n\n", "message|x;" },
	{ "crlf", "event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n",
	    "a|1;b|2;" },
	{ "cr", "event: a\rdata: 1\r\revent: b\rdata: 2\r\r", "a|1;b|2;" },
	{ "mixed ends", "event: a\r\ndata: 1\n\r\nevent: b\rdata: 2\n\n",
	    "a|1;b|2;" },
	{ "many lines", "data: a\ndata: b\ndata\ndata:c\n\n",
	    "message|a\nb\n\nc;" },
	{ "empty data", "data\n\n", "message|;" },
	{ "empty data twice", "data\ndata\n\n", "message|\n;" },
	{ "one space goes", "data:  two\ndata: \ndata:none\n\n",
	    "message| two\n\nnone;" },
	{ "tab stays", "data:\tx\n\n", "message|\tx;" },
	{ "type alone", "event: ping\n\n", "ping|;" },
	{ "last type", "event: a\nevent: bcd\nevent: ef\ndata: 1\n\n",
	    "ef|1;" },
	{ "empty type", "event: a\nevent:\ndata: 1\n\n", "message|1;" },
	{ "type is per event", "event: a\ndata: 1\n\ndata: 2\n\n",
	    "a|1;message|2;" },
	{ "comments", ": hello\n\n:\n:\ndata: 1\n: x\n\n", "#;message|1;" },
	{ "other fields", "id: 7\nretry: 5\n\nid\ndata: 1\nfoo: bar\n\n",
	    "#;message|1;" },
	{ "names are exact", "Data: a\ndata : b\n data: c\ndataa: d\n"
	    "eventful: e\nevent_type_long: f\ndat: g\n\n", "#;" },
	{ "colons in the value", "data: a: b:c\n\n", "message|a: b:c;" },
	{ "colon first in the value", "data::\n\n", "message|:;" },
	{ "blank lines", "\n\n\r\n\ndata: 1\n\n\n", "#;#;#;#;message|1;#;" },
	{ "bom", "\xef\xbb\xbf""data: 1\n\n", "message|1;" },
	{ "bom and nothing", "\xef\xbb\xbf\ndata: 1\n\n", "#;message|1;" },
	{ "bom later", "data: 1\n\n\xef\xbb\xbf""data: 2\n\n",
	    "message|1;#;" },
	{ "half a bom", "\xef\xbb""data: 1\ndata: 2\n\n", "message|2;" },
	{ "bom twice", "\xef\xbb\xbf\xef\xbb\xbf""data: 1\n\n", "#;" },
	{ "unfinished", "data: 1\n\ndata: 2\n", "message|1;" },
	{ "utf-8", "event: \xc3\xa9\ndata: \xf0\x9f\x98\x80\n\n",
	    "\xc3\xa9|\xf0\x9f\x98\x80;" },
	{ "as much as is kept", "data: 0123456789abcdef0123456789abcdef\n\n",
	    "message|0123456789abcdef0123456789abcdef;" },
	{ "more than is kept", "data: 0123456789abcdef0123456789abcdef+\n\n"
	    "data: 1\n\n",
	    "message|0123456789abcdef0123456789abcdef...33;message|1;" },
	{ "more than is kept in lines", "data: 0123456789abcdef\ndata: "
	    "0123456789abcde\ndata: f\ndata: g\n\n",
	    "message|0123456789abcdef\n0123456789abcde...36;" },
	{ "a long type", "event: 0123456789012345678901234567890123456789"
	    "012345678901234567890123456789\ndata: 1\n\nevent: a\n\n",
	    "012345678901234567890123456789012345678901234567890123456789012"
	    "|1;a|;" },
};

static void
events_are_the_same_wherever_the_stream_is_cut(void **state)
{
	struct record r;
	struct sse *s;
	size_t i, a, b, n;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		n = strlen(cases[i].in);
		for (a = 0; a <= n; a++)
			for (b = a; b <= n; b++) {
				assert_non_null(s = sse_new(DATA_MAX));
				r.len = 0;
				r.text[0] = '\0';
				push(s, cases[i].in, a, &r);
				push(s, cases[i].in + a, b - a, &r);
				push(s, cases[i].in + b, n - b, &r);
				if (strcmp(r.text, cases[i].events) != 0)
					fail_msg("%s, cut at %zu and %zu: %s",
					    cases[i].name, a, b, r.text);
				sse_free(s);
			}
	}
}

static void
an_event_has_its_bytes_up_to_the_blank_line(void **state)
{
	static const struct {
		const char *in;
		size_t used;
	} ends[] = {
		{ "data: 1\n\ndata: 2\n\n", 9 },
		{ "data: 1\r\n\r\ndata: 2\n\n", 11 },
		{ "data: 1\r\rdata: 2\r\r", 9 },
		{ "data: 1\n\n\n", 9 },
		{ "data: 1\r\r\n\n", 10 },
		{ ": x\n\ndata: 2\n\n", 5 },
		{ "\ndata: 2\n\n", 1 },
	};
	struct sse_event ev;
	struct sse *s;
	size_t i, used;

	(void)state;
	for (i = 0; i < NITEMS(ends); i++) {
		assert_non_null(s = sse_new(DATA_MAX));
		assert_int_equal(sse_push(s, ends[i].in, strlen(ends[i].in),
		    &used, &ev), 1);
		assert_int_equal(used, ends[i].used);
		sse_free(s);
	}
}

static void
data_may_hold_any_byte(void **state)
{
	static const char in[] = "data: a\0b\ndata: \xff\x01\n\n";
	struct sse_event ev;
	struct sse *s;
	size_t used;

	(void)state;
	assert_non_null(s = sse_new(DATA_MAX));
	assert_int_equal(sse_push(s, in, sizeof(in) - 1, &used, &ev), 1);
	assert_int_equal(ev.data_len, 6);
	assert_memory_equal(ev.data, "a\0b\n\xff\x01", 7);
	sse_free(s);
}

static void
no_bytes_are_no_event(void **state)
{
	struct sse_event ev;
	struct sse *s;
	size_t used = 1;

	(void)state;
	assert_non_null(s = sse_new(DATA_MAX));
	assert_int_equal(sse_push(s, NULL, 0, &used, &ev), 0);
	assert_int_equal(used, 0);
	sse_free(s);
}

static void
lack_of_memory_is_reported(void **state)
{
	static char in[32768];
	struct sse_event ev;
	struct sse *s;
	size_t used;
	int i, rc;

	(void)state;
	memset(in, 'x', sizeof(in));
	memcpy(in, "data:", 5);
	memcpy(in + sizeof(in) - 2, "\n\n", 2);
	for (i = 0;; i++) {
		alloc_fail_after(i);
		rc = -1;
		if ((s = sse_new(sizeof(in))) != NULL) {
			rc = sse_push(s, in, 100, &used, &ev);
			if (rc == 0)
				rc = sse_push(s, in + 100, sizeof(in) - 100,
				    &used, &ev);
		}
		if (!alloc_fail_stop())
			break;
		assert_int_equal(rc, -1);
		sse_free(s);
	}
	assert_int_equal(rc, 1);
	assert_int_equal(ev.data_len, sizeof(in) - 7);
	assert_true(i >= 3);
	sse_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    events_are_the_same_wherever_the_stream_is_cut),
		cmocka_unit_test(an_event_has_its_bytes_up_to_the_blank_line),
		cmocka_unit_test(data_may_hold_any_byte),
		cmocka_unit_test(no_bytes_are_no_event),
		cmocka_unit_test(lack_of_memory_is_reported),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
