#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upstream_run.h"

/* ---- answers that are whole ---- */

static void
an_answer_comes_with_head_body_and_end(void **state)
{
	struct run r;

	run_get(&r, *state, "/ok");
	assert_int_equal(r.result, TRANSFER_OK);
	assert_int_equal(r.why.code, ERR_NONE);
	assert_int_equal(r.heads, 1);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "hello");
	assert_string_equal(run_header(&r, "content-type"), "text/plain");
	assert_string_equal(run_header(&r, "x-empty"), "");
	assert_string_equal(run_header(&r, "x-trim"), "a b");
	assert_null(run_header(&r, "Content-Type"));
	assert_false(r.tm.reused);
	assert_true(r.tm.connected_ms >= 0);
	assert_true(r.tm.first_byte_ms >= r.tm.connected_ms);
	run_free(&r);
}

static void
every_way_of_framing_gives_the_body(void **state)
{
	static const char *const paths[] = { "/ok", "/chunked", "/early",
	    "/until-close", "/drip" };
	struct run r;
	size_t i;

	for (i = 0; i < NITEMS(paths); i++) {
		run_get(&r, *state, paths[i]);
		if (r.result != TRANSFER_OK)
			fail_msg("%s: %s", paths[i], r.why.text);
		assert_int_equal(r.heads, 1);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body, i == 4 ? ".........." : "hello");
		assert_null(run_header(&r, "link"));
		assert_null(run_header(&r, "x-trailer"));
		run_free(&r);
	}
}

static void
a_redirect_is_handed_over(void **state)
{
	struct run r;

	run_get(&r, *state, "/redirect");
	assert_int_equal(r.result, TRANSFER_OK);
	assert_int_equal(r.status, 302);
	assert_string_equal(run_header(&r, "location"), "/ok");
	run_free(&r);
}

static void
one_connection_serves_many_requests(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int i;

	for (i = 0; i < 20; i++) {
		run_get(&r, x, i % 2 ? "/chunked" : "/ok");
		assert_int_equal(r.result, TRANSFER_OK);
		assert_int_equal(r.tm.reused, i > 0);
		run_free(&r);
	}
	assert_int_equal(fake_connections(x->f), 1);
	assert_int_equal(fake_requests(x->f), 20);
}

static void
a_burst_gets_a_connection_each_and_all_are_kept(void **state)
{
	enum { N = 40 };
	static struct run r[N];
	struct fixture *x = *state;
	int i, again;

	for (again = 0; again < 2; again++) {
		for (i = 0; i < N; i++) {
			run_init(&r[i], x, "/drip");
			run_start(&r[i]);
		}
		for (i = 0; i < N; i++) {
			run_end(&r[i]);
			assert_int_equal(r[i].result, TRANSFER_OK);
			assert_string_equal(r[i].body, "..........");
		}
		for (i = 0; i < N; i++)
			run_free(&r[i]);
	}

	/* Sixteen were kept; the others had to be opened again. */
	assert_int_equal(fake_connections(x->f), N + N - 16);
}

static void
a_fresh_connection_is_asked_for_and_kept(void **state)
{
	static const bool fresh[] = { false, true, false, true, false };
	static const int opened[] = { 1, 2, 2, 3, 3 };
	struct fixture *x = *state;
	struct run r;
	size_t i;

	for (i = 0; i < NITEMS(fresh); i++) {
		run_init(&r, x, "/ok");
		r.p.fresh = fresh[i];
		run_start(&r);
		run_end(&r);
		assert_int_equal(r.result, TRANSFER_OK);
		assert_int_equal(r.tm.reused, i > 0 && !fresh[i]);
		assert_int_equal(fake_connections(x->f), opened[i]);
		run_free(&r);
	}
}

/* ---- what is sent ---- */

static void
the_request_is_what_was_given_and_nothing_else(void **state)
{
	static const struct transfer_header h[] = {
		{ "accept-encoding", "identity" },
		{ "user-agent", "claude-cli/2.1.328 (external, sdk-cli)" },
		{ "x-empty", "" },
		{ "anthropic-beta", "a,b" },
	};
	struct fixture *x = *state;
	char got[1024], want[1024];
	struct run r;

	run_init(&r, x, "/a/../b//%7Bc%7d;d?beta=true&lifecycle%5B%5D=x&#f");
	r.p.headers = h;
	r.p.nheaders = NITEMS(h);
	run_start(&r);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_OK);
	run_free(&r);
	fake_last(x->f, got, sizeof(got));
	snprintf(want, sizeof(want),
	    "GET /a/../b//%%7Bc%%7d;d?beta=true&lifecycle%%5B%%5D=x&#f "
	    "HTTP/1.1\r\nHost: 127.0.0.1:%d\r\naccept-encoding: identity\r\n"
	    "user-agent: claude-cli/2.1.328 (external, sdk-cli)\r\n"
	    "x-empty:\r\nanthropic-beta: a,b\r\n", fake_port(x->f));
	assert_string_equal(got, want);
}

static void
methods_and_bodies_go_out_as_given(void **state)
{
	static const struct {
		const char *method;
		const char *body;
		const char *length;	/* NULL: no content-length */
	} cases[] = {
		{ "POST", "{\"a\":1}", "7" },
		{ "POST", "", "0" },
		{ "POST", NULL, NULL },
		{ "GET", NULL, NULL },
		{ "DELETE", NULL, NULL },
		{ "PUT", "abc", "3" },
		{ "DELETE", "x", "1" },
		{ "HEAD", NULL, NULL },
		{ "POST", "{\"a\":1}", "7" },
		{ "GET", NULL, NULL },
	};
	struct fixture *x = *state;
	char got[1024], want[256];
	struct run r;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		run_init(&r, x, "/ok");
		if (strcmp(cases[i].method, "HEAD") == 0)
			run_init(&r, x, "/");
		r.p.method = cases[i].method;
		r.p.has_body = cases[i].body != NULL;
		r.p.body = (const unsigned char *)cases[i].body;
		r.p.body_len = r.p.has_body ? strlen(cases[i].body) : 0;
		run_start(&r);
		run_end(&r);
		assert_int_equal(r.result, TRANSFER_OK);
		run_free(&r);
		fake_last(x->f, got, sizeof(got));
		snprintf(want, sizeof(want), "%s %s HTTP/1.1\r\nHost: "
		    "127.0.0.1:%d\r\n%s%s%s", cases[i].method,
		    strrchr(r.url, '/'), fake_port(x->f),
		    cases[i].length ? "Content-Length: " : "",
		    cases[i].length ? cases[i].length : "",
		    cases[i].length ? "\r\n" : "");
		assert_string_equal(got, want);
	}
	assert_int_equal(fake_connections(x->f), 1);
}

static void
a_large_body_arrives_whole(void **state)
{
	enum { LEN = 1048576 };
	struct fixture *x = *state;
	unsigned char *body = malloc(LEN);
	uint64_t sum = 0;
	struct run r;
	int i;

	assert_non_null(body);
	for (i = 0; i < LEN; i++) {
		body[i] = (unsigned char)(i * 7 + i / 251);
		sum += body[i];
	}
	run_init(&r, x, "/ok");
	r.p.method = "POST";
	r.p.body = body;
	r.p.body_len = LEN;
	r.p.has_body = true;
	run_start(&r);
	assert_false(transfer_body_sent(r.t));
	run_until(x, &r.heads);
	assert_true(transfer_body_sent(r.t) || r.dones == 1);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_OK);
	assert_true(fake_last_sum(x->f) == sum);
	run_free(&r);
	free(body);
}

static void
what_cannot_be_sent_is_refused(void **state)
{
	static const struct {
		const char *url, *method, *name, *value;
	} cases[] = {
		{ "ftp://127.0.0.1/", "GET", "a", "b" },
		{ "http://", "GET", "a", "b" },
		{ "http://?x", "GET", "a", "b" },
		{ "http://h?x", "GET", "a", "b" },
		{ "127.0.0.1/", "GET", "a", "b" },
		{ "http://127.0.0.1/a b", "GET", "a", "b" },
		{ "http://127.0.0.1/a\r\nb", "GET", "a", "b" },
		{ "http://127.0.0.1/", "GE T", "a", "b" },
		{ "http://127.0.0.1/", "", "a", "b" },
		{ "http://127.0.0.1/", "GET", "a:", "b" },
		{ "http://127.0.0.1/", "GET", "", "b" },
		{ "http://127.0.0.1/", "GET", "a", "b\r\nc: d" },
		{ "http://127.0.0.1/", "GET", "a", "b\n" },
	};
	struct fixture *x = *state;
	struct transfer_header h;
	struct err err;
	struct run r;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		run_init(&r, x, "/");
		h.name = cases[i].name;
		h.value = cases[i].value;
		r.p.url = cases[i].url;
		r.p.method = cases[i].method;
		r.p.headers = &h;
		r.p.nheaders = 1;
		err_clear(&err);
		if (transfer_start(x->u, &r.p, &err) != NULL)
			fail_msg("case %zu was taken", i);
		assert_int_equal(err.code, ERR_INVAL);
		assert_null(strchr(err.text, '\n'));
	}
	assert_int_equal(fake_connections(x->f), 0);
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, run_setup, \
	run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_with_head_body_and_end),
		TEST(every_way_of_framing_gives_the_body),
		TEST(a_redirect_is_handed_over),
		TEST(one_connection_serves_many_requests),
		TEST(a_burst_gets_a_connection_each_and_all_are_kept),
		TEST(a_fresh_connection_is_asked_for_and_kept),
		TEST(the_request_is_what_was_given_and_nothing_else),
		TEST(methods_and_bodies_go_out_as_given),
		TEST(a_large_body_arrives_whole),
		TEST(what_cannot_be_sent_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
