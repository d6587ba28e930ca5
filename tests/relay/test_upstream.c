#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "fake_upstream.h"
#include "relay/upstream.h"

/* ---- one upstream and one server for each test ---- */

struct fixture {
	struct loop *loop;
	struct upstream *u;
	struct fake *f;
};

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct upstream_params params = { .ca_file = "",
	    .connections_max = 16 };

	assert_non_null(x);
	signal(SIGPIPE, SIG_IGN);
	x->loop = loop_new(clock_system(), NULL);
	assert_non_null(x->loop);
	params.loop = x->loop;
	x->u = upstream_new(&params, NULL);
	assert_non_null(x->u);
	x->f = fake_start();
	*state = x;
	return (0);
}

static int
teardown(void **state)
{
	struct fixture *x = *state;

	upstream_free(x->u);
	fake_stop(x->f);
	loop_free(x->loop);
	free(x);
	return (0);
}

/* ---- one request and what came of it ---- */

struct run {
	struct fixture *x;
	struct transfer *t;
	struct transfer_params p;
	char url[256];
	int heads, status, dones;
	const struct transfer_header *h;
	size_t nh;
	uint64_t bytes;
	char body[16];
	enum transfer_result result;
	struct err why;
	struct transfer_timings tm;
	bool refuse;			/* body() takes nothing */
	int refused;
	enum { NEVER, AT_HEAD, AT_BODY, AT_DONE } cancel;
	struct run *other;		/* ... cancel this one instead */
	int64_t cancelled_at;
};

static void
cancel_now(struct run *r)
{
	struct run *victim = r->other != NULL ? r->other : r;

	r->cancelled_at = fake_now();
	transfer_cancel(victim->t);
	victim->t = NULL;
}

static void
on_head(void *arg, int status, const struct transfer_header *h, size_t nh)
{
	struct run *r = arg;

	assert_non_null(r->t);
	r->heads++;
	r->status = status;
	r->h = h;
	r->nh = nh;
	if (r->cancel == AT_HEAD)
		cancel_now(r);
}

static bool
on_body(void *arg, const unsigned char *p, size_t n)
{
	struct run *r = arg;
	size_t i;

	assert_non_null(r->t);
	if (r->refuse) {
		r->refused++;
		return (false);
	}
	for (i = 0; i < n && r->bytes + i < sizeof(r->body) - 1; i++)
		r->body[r->bytes + i] = (char)p[i];
	r->bytes += n;
	if (r->cancel == AT_BODY)
		cancel_now(r);
	return (true);
}

static void
on_done(void *arg, enum transfer_result result, const struct err *why)
{
	struct run *r = arg;

	assert_non_null(r->t);
	r->dones++;
	r->result = result;
	r->why = *why;
	transfer_timings(r->t, &r->tm);
	assert_true(transfer_body_sent(r->t));
	if (r->cancel == AT_DONE)
		cancel_now(r);
}

static const struct transfer_events events = { on_head, on_body, on_done };

static void
run_init(struct run *r, struct fixture *x, const char *path)
{

	memset(r, 0, sizeof(*r));
	r->x = x;
	snprintf(r->url, sizeof(r->url), "http://127.0.0.1:%d%s",
	    fake_port(x->f), path);
	r->p.method = "GET";
	r->p.url = r->url;
	r->p.connect_timeout_ms = 2000;
	r->p.first_byte_timeout_ms = 5000;
	r->p.events = &events;
	r->p.arg = r;
}

static void
run_start(struct run *r)
{
	struct err err = { 0 };

	r->t = transfer_start(r->x->u, &r->p, &err);
	if (r->t == NULL)
		fail_msg("cannot start: %s", err.text);
}

static void
turn(struct fixture *x, int ms)
{
	struct err err = { 0 };

	if (loop_turn(x->loop, ms, &err))
		fail_msg("the loop failed: %s", err.text);
}

/* Turn the loop until ${flag} is set, at most 8 s. */
static void
turn_until(struct fixture *x, const int *flag)
{
	int64_t end = fake_now() + 8000000;

	while (*flag == 0 && fake_now() < end)
		turn(x, 20);
}

static void
run_end(struct run *r)
{

	turn_until(r->x, &r->dones);
	assert_int_equal(r->dones, 1);
}

static void
run_free(struct run *r)
{

	transfer_free(r->t);
	r->t = NULL;
}

/* Run it from start to end. */
static void
get(struct run *r, struct fixture *x, const char *path)
{

	run_init(r, x, path);
	run_start(r);
	run_end(r);
}

static const char *
header(const struct run *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->nh; i++) {
		if (strcmp(r->h[i].name, name) == 0)
			return (r->h[i].value);
	}
	return (NULL);
}

/* ---- answers that are whole ---- */

static void
an_answer_comes_with_head_body_and_end(void **state)
{
	struct run r;

	get(&r, *state, "/ok");
	assert_int_equal(r.result, TRANSFER_OK);
	assert_int_equal(r.why.code, ERR_NONE);
	assert_int_equal(r.heads, 1);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "hello");
	assert_string_equal(header(&r, "content-type"), "text/plain");
	assert_string_equal(header(&r, "x-empty"), "");
	assert_string_equal(header(&r, "x-trim"), "a b");
	assert_null(header(&r, "Content-Type"));
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
		get(&r, *state, paths[i]);
		if (r.result != TRANSFER_OK)
			fail_msg("%s: %s", paths[i], r.why.text);
		assert_int_equal(r.heads, 1);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body, i == 4 ? ".........." : "hello");
		assert_null(header(&r, "link"));
		assert_null(header(&r, "x-trailer"));
		run_free(&r);
	}
}

static void
a_redirect_is_handed_over(void **state)
{
	struct run r;

	get(&r, *state, "/redirect");
	assert_int_equal(r.result, TRANSFER_OK);
	assert_int_equal(r.status, 302);
	assert_string_equal(header(&r, "location"), "/ok");
	run_free(&r);
}

static void
one_connection_serves_many_requests(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int i;

	for (i = 0; i < 20; i++) {
		get(&r, x, i % 2 ? "/chunked" : "/ok");
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
	turn_until(x, &r.heads);
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

/* ---- upstreams that fail ---- */

static void
each_failure_has_its_name(void **state)
{
	static const struct {
		const char *path;
		enum transfer_result result;
		int heads;
	} cases[] = {
		{ "/close", TRANSFER_SEND, 0 },
		{ "/reset", TRANSFER_SEND, 0 },
		{ "/cut-head", TRANSFER_CUT, 0 },
		{ "/short", TRANSFER_CUT, 1 },
		{ "/cut-chunk", TRANSFER_CUT, 1 },
		{ "/reset-within", TRANSFER_CUT, 1 },
		{ "/garbage", TRANSFER_GARBAGE, 0 },
		{ "/garbage-header", TRANSFER_GARBAGE, 0 },
		{ "/huge-head", TRANSFER_GARBAGE, 0 },
		{ "/huge-line", TRANSFER_GARBAGE, 0 },
		{ "/endless-early", TRANSFER_GARBAGE, 0 },
		{ "/hold", TRANSFER_SILENT, 0 },
		{ "/hold-part", TRANSFER_SILENT, 0 },
		{ "/hold-head", TRANSFER_STALLED, 1 },
		{ "/hold-body", TRANSFER_STALLED, 1 },
	};
	struct run r;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		run_init(&r, *state, cases[i].path);
		r.p.first_byte_timeout_ms = 300;
		r.p.idle_timeout_ms = 100;
		run_start(&r);
		run_end(&r);
		if (r.result != cases[i].result)
			fail_msg("%s: %s (%s)", cases[i].path,
			    transfer_result_name(r.result), r.why.text);
		assert_int_equal(r.heads, cases[i].heads);
		assert_int_not_equal(r.why.code, ERR_NONE);
		assert_true(r.why.text[0] != '\0');
		run_free(&r);
	}
}

static void
nobody_listening_is_connect(void **state)
{
	struct fixture *x = *state;
	struct run r;

	run_init(&r, x, "/");
	snprintf(r.url, sizeof(r.url), "http://127.0.0.1:1/");
	run_start(&r);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_CONNECT);
	assert_int_equal(r.tm.connected_ms, -1);
	assert_int_equal(r.tm.first_byte_ms, -1);
	run_free(&r);
}

static void
an_unknown_name_is_resolve(void **state)
{
	struct fixture *x = *state;
	struct run r;

	run_init(&r, x, "/");
	snprintf(r.url, sizeof(r.url), "http://no-such-host.invalid/");
	run_start(&r);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_RESOLVE);
	run_free(&r);
}

static void
the_deadline_ends_what_the_idle_timeout_lets_pass(void **state)
{
	struct fixture *x = *state;
	struct run r;

	run_init(&r, x, "/drip");
	r.p.idle_timeout_ms = 100;
	r.p.deadline_ms = loop_now_ms(x->loop) + 150;
	run_start(&r);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_STALLED);
	assert_true(r.bytes > 0 && r.bytes < 10);
	run_free(&r);
}

/* ---- a kept connection that breaks ---- */

static void
a_request_is_not_sent_twice_unasked(void **state)
{
	struct fixture *x = *state;
	struct run r;

	get(&r, x, "/once");
	assert_int_equal(r.result, TRANSFER_OK);
	run_free(&r);
	get(&r, x, "/ok");
	assert_int_equal(r.result, TRANSFER_SEND);
	assert_true(r.tm.reused);
	assert_int_equal(fake_connections(x->f), 1);
	run_free(&r);
}

static void
a_request_is_sent_again_where_that_was_allowed(void **state)
{
	struct fixture *x = *state;
	struct run r;

	get(&r, x, "/once");
	run_free(&r);
	run_init(&r, x, "/ok");
	r.p.resend = true;
	run_start(&r);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_OK);
	assert_true(r.tm.reused);
	assert_int_equal(fake_connections(x->f), 2);
	run_free(&r);
}

static void
a_kept_connection_that_was_closed_is_not_used(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int i;

	get(&r, x, "/until-close");
	run_free(&r);
	for (i = 0; i < 5; i++)
		turn(x, 5);
	get(&r, x, "/ok");
	assert_int_equal(r.result, TRANSFER_OK);
	assert_false(r.tm.reused);
	run_free(&r);
}

/* ---- a client that is slow ---- */

static void
a_refused_body_waits_and_then_comes_whole(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int i;

	run_init(&r, x, "/large");
	r.p.idle_timeout_ms = 100;
	r.refuse = true;
	run_start(&r);
	turn_until(x, &r.refused);
	assert_int_equal(r.refused, 1);

	/* Longer than the idle time-out, which does not count now. */
	for (i = 0; i < 10; i++)
		turn(x, 20);
	assert_int_equal(r.refused, 1);
	assert_int_equal(r.dones, 0);
	transfer_resume(r.t);
	assert_int_equal(r.refused, 1);
	turn(x, 20);
	assert_int_equal(r.refused, 2);
	r.refuse = false;
	transfer_resume(r.t);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_OK);
	assert_true(r.bytes == 10485760);
	run_free(&r);
}

/* ---- cancelling ---- */

/* The server sees the end of the connection within a few ms. */
static void
assert_closed(struct fixture *x, const struct run *r)
{
	int64_t end = fake_now() + 2000000;
	int64_t took;

	while (fake_closed_at(x->f) <= r->cancelled_at && fake_now() < end)
		turn(x, 1);
	took = fake_closed_at(x->f) - r->cancelled_at;
	if (took < 0 || took > 50000)
		fail_msg("closed after %lld us", (long long)took);
}

static void
cancelling_closes_the_connection_in_every_phase(void **state)
{
	static const struct {
		const char *path;
		int cancel;
	} cases[] = {
		{ "/hold-head", AT_HEAD },
		{ "/hold-body", AT_BODY },
		{ "/hold", NEVER },
		{ "/hold-part", NEVER },
		{ "/hold-body", NEVER },
	};
	struct fixture *x;
	struct run r;
	size_t i;
	int n;

	teardown(state);
	for (i = 0; i < NITEMS(cases); i++) {
		setup(state);
		x = *state;
		run_init(&r, x, cases[i].path);
		r.cancel = (int)cases[i].cancel;
		run_start(&r);
		for (n = 0; n < 20; n++)
			turn(x, 5);
		if (cases[i].cancel == NEVER)
			cancel_now(&r);
		assert_closed(x, &r);
		assert_int_equal(r.dones, 0);
		teardown(state);
	}
	setup(state);
}

static void
cancelling_before_anything_was_sent_sends_nothing(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int turns, i;

	for (turns = 0; turns < 4; turns++) {
		run_init(&r, x, "/ok");
		if (turns == 3)
			snprintf(r.url, sizeof(r.url),
			    "http://no-such-host.invalid/");
		run_start(&r);
		for (i = 0; i < (turns == 3 ? 1 : turns); i++)
			turn(x, 0);
		cancel_now(&r);
		for (i = 0; i < 5; i++)
			turn(x, 2);
		assert_int_equal(r.heads + r.dones, 0);
	}
}

static void
one_call_may_cancel_another_from_its_callback(void **state)
{
	static const int when[] = { AT_HEAD, AT_BODY, AT_DONE };
	struct fixture *x = *state;
	struct run a, b;
	size_t i;

	for (i = 0; i < NITEMS(when); i++) {
		run_init(&b, x, "/hold-body");
		run_start(&b);
		turn_until(x, &b.heads);
		run_init(&a, x, "/ok");
		a.cancel = when[i];
		a.other = &b;
		run_start(&a);
		run_end(&a);
		assert_int_equal(a.result, TRANSFER_OK);
		assert_closed(x, &a);
		assert_int_equal(b.dones, 0);
		run_free(&a);
	}
}

static void
done_may_cancel_instead_of_free(void **state)
{
	struct fixture *x = *state;
	struct run r;

	run_init(&r, x, "/ok");
	r.cancel = AT_DONE;
	run_start(&r);
	run_end(&r);
	assert_int_equal(r.result, TRANSFER_OK);
	assert_null(r.t);
	get(&r, x, "/ok");
	assert_true(r.tm.reused);
	run_free(&r);
}

static void
a_paused_call_can_be_cancelled(void **state)
{
	struct fixture *x = *state;
	struct run r;

	run_init(&r, x, "/large");
	r.refuse = true;
	run_start(&r);
	turn_until(x, &r.refused);
	transfer_resume(r.t);
	transfer_cancel(r.t);
	turn(x, 5);
	assert_int_equal(r.refused, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_with_head_body_and_end),
		TEST(every_way_of_framing_gives_the_body),
		TEST(a_redirect_is_handed_over),
		TEST(one_connection_serves_many_requests),
		TEST(a_burst_gets_a_connection_each_and_all_are_kept),
		TEST(the_request_is_what_was_given_and_nothing_else),
		TEST(methods_and_bodies_go_out_as_given),
		TEST(a_large_body_arrives_whole),
		TEST(what_cannot_be_sent_is_refused),
		TEST(each_failure_has_its_name),
		TEST(nobody_listening_is_connect),
		TEST(an_unknown_name_is_resolve),
		TEST(the_deadline_ends_what_the_idle_timeout_lets_pass),
		TEST(a_request_is_not_sent_twice_unasked),
		TEST(a_request_is_sent_again_where_that_was_allowed),
		TEST(a_kept_connection_that_was_closed_is_not_used),
		TEST(a_refused_body_waits_and_then_comes_whole),
		TEST(cancelling_closes_the_connection_in_every_phase),
		TEST(cancelling_before_anything_was_sent_sends_nothing),
		TEST(one_call_may_cancel_another_from_its_callback),
		TEST(done_may_cancel_instead_of_free),
		TEST(a_paused_call_can_be_cancelled),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
