#include "cmocka_all.h"

#include <sys/resource.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "upstream_run.h"

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
		{ "/endless-line", TRANSFER_GARBAGE, 0 },
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
		if (cases[i].result == TRANSFER_SILENT)
			r.p.first_byte_timeout_ms = 300;
		if (cases[i].result == TRANSFER_STALLED)
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

/* Otherwise every account would rest for what is our own fault. */
static void
no_descriptor_left_is_internal(void **state)
{
	struct fixture *x = *state;
	struct rlimit before, none;
	struct run r;
	int fd;

	run_init(&r, x, "/ok");
	run_start(&r);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_not_equal(fd = dup(0), -1);
	close(fd);
	none = before;
	none.rlim_cur = (rlim_t)fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	run_end(&r);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r.result, TRANSFER_INTERNAL);
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

	run_get(&r, x, "/once");
	assert_int_equal(r.result, TRANSFER_OK);
	run_free(&r);
	run_get(&r, x, "/ok");
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

	run_get(&r, x, "/once");
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

	run_get(&r, x, "/until-close");
	run_free(&r);
	for (i = 0; i < 5; i++)
		run_turn(x, 5);
	run_get(&r, x, "/ok");
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
	run_until(x, &r.refused);
	assert_int_equal(r.refused, 1);

	/* Longer than the idle time-out, which does not count now. */
	for (i = 0; i < 10; i++)
		run_turn(x, 20);
	assert_int_equal(r.refused, 1);
	assert_int_equal(r.dones, 0);
	transfer_resume(r.t);
	assert_int_equal(r.refused, 1);
	run_turn(x, 20);
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
	int64_t end = clock_mono_us() + 2000000;
	int64_t took;

	while (fake_closed_at(x->f) <= r->cancelled_at && clock_mono_us() < end)
		run_turn(x, 1);
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

	run_teardown(state);
	for (i = 0; i < NITEMS(cases); i++) {
		run_setup(state);
		x = *state;
		run_init(&r, x, cases[i].path);
		r.cancel = (int)cases[i].cancel;
		run_start(&r);
		for (n = 0; n < 20; n++)
			run_turn(x, 5);
		if (cases[i].cancel == NEVER)
			run_cancel(&r);
		assert_closed(x, &r);
		assert_int_equal(r.dones, 0);
		run_teardown(state);
	}
	run_setup(state);
}

static void
cancelling_early_brings_no_callback(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int turns, i;

	for (turns = 0; turns < 4; turns++) {
		run_init(&r, x, "/hold");
		if (turns == 3)
			snprintf(r.url, sizeof(r.url),
			    "http://no-such-host.invalid/");
		run_start(&r);
		for (i = 0; i < (turns == 3 ? 1 : turns); i++)
			run_turn(x, 0);
		run_cancel(&r);
		for (i = 0; i < 5; i++)
			run_turn(x, 2);
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
		run_until(x, &b.heads);
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
	run_get(&r, x, "/ok");
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
	run_until(x, &r.refused);
	transfer_resume(r.t);
	transfer_cancel(r.t);
	run_turn(x, 5);
	assert_int_equal(r.refused, 1);
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, run_setup, \
	run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_failure_has_its_name),
		TEST(nobody_listening_is_connect),
		TEST(no_descriptor_left_is_internal),
		TEST(an_unknown_name_is_resolve),
		TEST(the_deadline_ends_what_the_idle_timeout_lets_pass),
		TEST(a_request_is_not_sent_twice_unasked),
		TEST(a_request_is_sent_again_where_that_was_allowed),
		TEST(a_kept_connection_that_was_closed_is_not_used),
		TEST(a_refused_body_waits_and_then_comes_whole),
		TEST(cancelling_closes_the_connection_in_every_phase),
		TEST(cancelling_early_brings_no_callback),
		TEST(one_call_may_cancel_another_from_its_callback),
		TEST(done_may_cancel_instead_of_free),
		TEST(a_paused_call_can_be_cancelled),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
