#define _GNU_SOURCE	/* strcasestr */

#include "cmocka_all.h"

#include <string.h>

#include "base/conf.h"
#include "base/loop.h"
#include "fakes.h"
#include "messages.h"
#include "relay/relay_int.h"

/* ---- ways to a state; each leaves the request there ---- */

static struct fcgi_request *
in_key(void)
{

	return (fake_begin("POST", "/v1/messages", FAKE_KEY));
}

static struct fcgi_request *
in_key_of_get(void)
{

	return (fake_begin("GET", "/v1/models", FAKE_KEY));
}

static struct fcgi_request *
in_body(void)
{
	struct fcgi_request *req;

	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	fake_body(req, "{", 1);
	return (req);
}

static struct fcgi_request *
in_admit(void)
{

	return (fake_post(FAKE_STREAM));
}

static struct fcgi_request *
in_attempt_unsent(void)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	fakes.transfer->sent = false;
	return (req);
}

static struct fcgi_request *
in_attempt_sent(void)
{

	return (fake_leased(FAKE_STREAM));
}

static struct fcgi_request *
in_attempt_plain(void)
{
	struct fcgi_request *req = fake_leased(FAKE_PLAIN);

	fakes_pass(200);
	fake_head(200, FAKE_JSON);
	fake_text("{\"type\":");
	return (req);
}

static struct fcgi_request *
in_attempt_refused(void)
{
	struct fcgi_request *req = fake_leased(FAKE_PLAIN);

	fake_head(500, FAKE_JSON);
	fake_text("{");
	return (req);
}

static struct fcgi_request *
in_pass(void)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	fake_head(200, FAKE_SSE);
	fake_text(START DELTA "event: con");
	return (req);
}

static struct fcgi_request *
in_pass_blocked(void)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	fake_head(200, FAKE_SSE);
	req->full = true;
	fake_text(START);
	assert_false(fake_text(DELTA));
	return (req);
}

static struct fcgi_request *
in_pass_errored(void)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	fake_head(200, FAKE_SSE);
	fake_text(START ERROR_EVENT("overloaded_error"));
	return (req);
}

static struct fcgi_request *
in_pass_through(void)
{
	static char much[3 * 1024 * 1024];
	struct fcgi_request *req = fake_leased(FAKE_PLAIN);

	memset(much, ' ', sizeof(much));
	fake_head(200, FAKE_JSON);
	fake_data(much, sizeof(much));
	return (req);
}

static struct fcgi_request *
in_move(void)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	fake_done(TRANSFER_SEND);
	return (req);
}

/* ---- what then comes back from the pool, with the client gone ---- */

static void
nothing(void)
{
}

static void
known(void)
{

	fake_looked_up(true, ERR_NONE);
}

static void
unknown(void)
{

	fake_looked_up(false, ERR_NONE);
}

static void
lookup_fails(void)
{

	fake_looked_up(false, ERR_STORE_DOWN);
}

static void
leased(void)
{

	fake_admitted(ADMIT_LEASED, ERR_NONE);
}

static void
refused(void)
{

	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_NONE);
}

static void
cancelled(void)
{

	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_CANCELLED);
}

static void
admission_fails(void)
{

	fake_admitted(ADMIT_LEASED, ERR_STORE_DOWN);
}

static void
moved(void)
{

	fake_moved(ADMIT_LEASED, ERR_NONE);
}

static void
not_moved(void)
{

	fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
}

static void
move_cancelled(void)
{

	fake_moved(ADMIT_QUEUE_TIMEOUT, ERR_CANCELLED);
}

static void
move_fails(void)
{

	fake_moved(ADMIT_LEASED, ERR_STORE_DOWN);
}

/* What is settled then; account 0: without a lease. */
static const struct leaving {
	struct fcgi_request *(*arrive)(void);
	void (*back)(void);
	bool settles;
	int attempts, account;
	enum usage_mark mark;
	int input, output;
	int cancels, stopped;	/* operations, transfers */
	bool success;
	bool park;
	int upstream_status;
	bool answered;		/* the client has the head */
} leavings[] = {
	{ in_key, known, false, 0, 0, 0, 0, 0, 0, 0, false, false, 0, false },
	{ in_key, unknown, false, 0, 0, 0, 0, 0, 0, 0, false, false, 0,
	  false },
	{ in_key, lookup_fails, false, 0, 0, 0, 0, 0, 0, 0, false, false, 0,
	  false },
	{ in_key_of_get, known, false, 0, 0, 0, 0, 0, 0, 0, false, false, 0,
	  false },
	{ in_body, nothing, false, 0, 0, 0, 0, 0, 0, 0, false, false, 0,
	  false },
	{ in_admit, leased, true, 1, 1, USAGE_NONE, 0, 0, 1, 0, false, false,
	  0, false },
	{ in_admit, refused, false, 0, 0, 0, 0, 0, 1, 0, false, false, 0,
	  false },
	{ in_admit, cancelled, false, 0, 0, 0, 0, 0, 1, 0, false, false, 0,
	  false },
	{ in_admit, admission_fails, false, 0, 0, 0, 0, 0, 1, 0, false,
	  false, 0, false },
	{ in_attempt_unsent, nothing, true, 1, 1, USAGE_NONE, 0, 0, 0, 1,
	  false, false, 0, false },
	{ in_attempt_sent, nothing, true, 1, 1, USAGE_ESTIMATED, 23, 1, 0, 1,
	  false, false, 0, false },
	{ in_attempt_plain, nothing, true, 1, 1, USAGE_ESTIMATED, 18, 31, 0,
	  1, true, false, 200, false },
	{ in_attempt_refused, nothing, true, 1, 1, USAGE_NONE, 0, 0, 0, 1,
	  false, false, 500, false },
	{ in_pass, nothing, true, 1, 1, USAGE_PARTIAL, 10, 3, 0, 1, true,
	  false, 200, true },
	{ in_pass_blocked, nothing, true, 1, 1, USAGE_PARTIAL, 10, 1, 0, 1,
	  true, false, 200, true },
	{ in_pass_errored, nothing, true, 1, 1, USAGE_PARTIAL, 10, 1, 0, 1,
	  true, false, 200, true },
	{ in_pass_through, nothing, true, 1, 1, USAGE_ESTIMATED, 18, 1, 0, 1,
	  true, false, 200, true },
	{ in_move, moved, true, 2, 2, USAGE_NONE, 0, 0, 1, 0, false, false,
	  0, false },
	{ in_move, not_moved, true, 1, 0, USAGE_NONE, 0, 0, 1, 0, false,
	  true, 0, false },
	{ in_move, move_cancelled, true, 1, 0, USAGE_NONE, 0, 0, 1, 0, false,
	  true, 0, false },
	{ in_move, move_fails, true, 1, 1, USAGE_ESTIMATED, 23, 1, 1, 0,
	  false, true, 0, false },
};

static void
check(size_t i, const char *outcome, int status)
{
	const struct leaving *l = &leavings[i];
	const struct settle_op *s = &fakes.settled;

	l->back();
	assert_int_equal(fakes.ncancels, l->cancels);
	assert_int_equal(fakes.ncancelled, l->stopped);
	assert_int_equal(fakes.nsettles, l->settles);
	if (!l->settles)
		return;
	if (s->attempts != l->attempts || s->end.mark != l->mark ||
	    s->end.usage.input_tokens != l->input ||
	    s->end.usage.output_tokens != l->output ||
	    s->success != l->success || s->park.wanted != l->park ||
	    s->end.status != l->upstream_status || s->status != status)
		fail_msg("%zu: attempts %d mark %d in %d out %d success %d "
		    "park %d upstream %d status %d", i, s->attempts,
		    s->end.mark, (int)s->end.usage.input_tokens,
		    (int)s->end.usage.output_tokens, s->success,
		    s->park.wanted, s->end.status, s->status);
	assert_int_equal(s->lease.held, l->account != 0);
	if (l->account != 0)
		assert_ptr_equal(s->lease.account,
		    &fakes.accounts[l->account - 1]);
	assert_string_equal(s->outcome, outcome);
	assert_int_equal(fakes.relay->body_bytes, 0);
	fake_settled(ERR_NONE);
}

static void
a_client_may_leave_in_every_state(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(leavings); i++) {
		fakes_start("");
		fake_gone(leavings[i].arrive());
		check(i, "client_gone", leavings[i].answered ? 200 : 499);
		fakes_stop();
	}
}

/* Streams end by an error event, what has not begun is told 503, and what
 * cannot be told is broken off. */
static void
the_relay_may_end_in_every_state(void **state)
{
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(leavings); i++) {
		fakes_start("");
		req = leavings[i].arrive();
		req->held = false;
		relay_abort(fakes.relay);
		if (leavings[i].arrive == in_pass_through) {
			assert_true(req->reset);
		} else if (leavings[i].arrive == in_pass_errored) {
			assert_int_equal(fake_status(req), 200);
			assert_string_equal(fake_body_of(req), START
			    ERROR_EVENT("overloaded_error"));
		} else if (leavings[i].answered) {
			assert_int_equal(fake_status(req), 200);
			assert_non_null(strstr(fake_body_of(req),
			    "\n\nevent: error\n"));
			assert_non_null(strstr(fake_body_of(req),
			    "being stopped"));
		} else {
			assert_int_equal(fake_status(req), 503);
			assert_non_null(strcasestr(fake_answer(req),
			    "retry-after: 1\r\n"));
		}
		check(i, "stopped", leavings[i].answered ? 200 : 503);
		fakes_stop();
	}
}

static void
aborting_again_does_nothing(void **state)
{

	(void)state;
	(void)in_pass();
	relay_abort(fakes.relay);
	relay_abort(fakes.relay);
	assert_int_equal(fakes.nsettles, 1);
	relay_abort(fakes.relay);
	fake_settled(ERR_NONE);
}

static void
all_calls_are_aborted(void **state)
{
	struct fcgi_request *a, *b, *c;

	(void)state;
	a = in_body();
	b = in_body();
	c = in_body();
	relay_abort(fakes.relay);
	assert_int_equal(fake_status(a), 503);
	assert_int_equal(fake_status(b), 503);
	assert_int_equal(fake_status(c), 503);
}

/* ---- settlement ---- */

static void
a_settlement_that_fails_ends_the_call_too(void **state)
{

	(void)state;
	fake_gone(in_pass());
	assert_int_equal(relay_calls(fakes.relay), 1);
	fake_settled(ERR_CANCELLED);
	assert_int_equal(relay_calls(fakes.relay), 0);
}

static int idles;

static void
count_idle(void *arg)
{

	assert_ptr_equal(arg, &idles);
	idles++;
}

static void
draining_waits_for_settlements(void **state)
{
	struct fcgi_request *req = in_pass();

	(void)state;
	idles = 0;
	relay_drain(fakes.relay, count_idle, &idles);
	fakes_pass(1);
	assert_true(fakes.draining);
	assert_int_equal(idles, 0);
	fake_text(DELTA FINAL STOP);
	fake_done(TRANSFER_OK);
	assert_true(req->finished);
	fakes_pass(1);
	assert_int_equal(idles, 0);
	fake_settled(ERR_NONE);
	fakes_pass(1);
	assert_int_equal(idles, 1);
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, fakes_setup, fakes_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_may_leave_in_every_state),
		cmocka_unit_test(the_relay_may_end_in_every_state),
		WITH(aborting_again_does_nothing),
		WITH(all_calls_are_aborted),
		WITH(a_settlement_that_fails_ends_the_call_too),
		WITH(draining_waits_for_settlements),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
