#include "cmocka_all.h"

#include <string.h>

#include "base/loop.h"
#include "fakes.h"
#include "messages.h"
#include "relay/relay_int.h"

/* A call whose client is gone, and whose upstream may go on for a while. */

#define SETTINGS "disconnect_drain_s = 30\n"

static struct fcgi_request *
streaming(void)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	fake_head(200, FAKE_SSE);
	fake_text(START DELTA "event: con");
	return (req);
}

static void
check_settled(const char *how, enum usage_mark mark, int input, int output)
{
	const struct settle_op *s = &fakes.settled;

	assert_int_equal(fakes.nsettles, 1);
	assert_string_equal(s->outcome, "client_gone");
	assert_string_equal(s->disconnect, how);
	assert_int_equal(s->end.mark, mark);
	assert_int_equal(s->end.usage.input_tokens, input);
	assert_int_equal(s->end.usage.output_tokens, output);
	assert_int_equal(fakes.relay->body_bytes, 0);
	fake_settled(ERR_NONE);
	assert_int_equal(relay_calls(fakes.relay), 0);
}

static void
a_stream_is_read_to_its_end(void **state)
{

	(void)state;
	fakes_start(SETTINGS);
	fake_gone(streaming());
	assert_int_equal(fakes.ncancelled, 0);
	assert_int_equal(fakes.relay->body_bytes, 0);
	fakes_pass(29000);
	assert_true(fake_text("tent_block_delta\ndata: {}\n\n" FINAL STOP));
	assert_int_equal(fakes.nsettles, 0);
	fake_done(TRANSFER_OK);
	check_settled("drained", USAGE_EXACT, 10, 5);
	assert_true(fakes.settled.success);
	fakes_stop();
}

/* Before the first byte, and of a plain call, there is most to be learnt. */
static void
an_answer_that_has_not_begun_is_read_too(void **state)
{

	(void)state;
	fakes_start(SETTINGS);
	fake_gone(fake_leased(FAKE_PLAIN));
	fakes_pass(5000);
	fake_head(200, FAKE_JSON);
	assert_true(fake_text(PLAIN_BODY));
	fake_done(TRANSFER_OK);
	check_settled("drained", USAGE_EXACT, 10, 5);
	fakes_stop();
}

static void
time_is_bounded(void **state)
{

	(void)state;
	fakes_start(SETTINGS);
	fake_gone(streaming());
	fakes_pass(29999);
	assert_int_equal(fakes.nsettles, 0);
	fakes_pass(1);
	assert_int_equal(fakes.ncancelled, 1);
	check_settled("drain_expired", USAGE_PARTIAL, 10, 3);
	fakes_stop();
}

static void
a_key_has_its_own_time(void **state)
{

	(void)state;
	fakes_start(SETTINGS);
	fakes.key.drain_ms = 0;
	fake_gone(streaming());
	assert_int_equal(fakes.ncancelled, 1);
	check_settled("cut", USAGE_PARTIAL, 10, 3);
	fakes_stop();

	fakes_start("");
	fakes.key.drain_ms = 1000;
	fake_gone(streaming());
	fakes_pass(999);
	assert_int_equal(fakes.nsettles, 0);
	fakes_pass(1);
	check_settled("drain_expired", USAGE_PARTIAL, 10, 3);
	fakes_stop();
}

/* The upstream was held up for a client that is gone. */
static void
a_paused_upstream_goes_on(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start(SETTINGS);
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	req->full = true;
	fake_text(START);
	assert_false(fake_text(DELTA));
	fake_gone(req);
	assert_true(fakes.transfer->resumed);
	assert_true(fake_text(DELTA FINAL STOP));
	fake_done(TRANSFER_OK);
	check_settled("drained", USAGE_EXACT, 10, 5);
	fakes_stop();
}

static void
what_fails_meanwhile_says_something_about_the_account(void **state)
{

	(void)state;
	fakes_start(SETTINGS);
	fake_gone(fake_leased(FAKE_STREAM));
	fake_head(429, FAKE_JSON "retry-after: 7\n");
	fake_text("{}");
	fake_done(TRANSFER_OK);
	assert_true(fakes.settled.park.wanted);
	assert_int_equal(fakes.nmoves, 0);
	check_settled("drained", USAGE_NONE, 0, 0);
	fakes_stop();

	fakes_start(SETTINGS);
	fake_gone(streaming());
	fake_done(TRANSFER_CUT);
	check_settled("drained", USAGE_PARTIAL, 10, 3);
	fakes_stop();
}

/* Nothing is to be learnt from what is whole, refused or not even sent. */
static void
some_are_cut_all_the_same(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start(SETTINGS);
	req = fake_leased(FAKE_STREAM);
	fakes.transfer->sent = false;
	fake_gone(req);
	check_settled("cut", USAGE_NONE, 0, 0);
	fakes_stop();

	fakes_start(SETTINGS);
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	fake_text(START FINAL STOP);
	fake_gone(req);
	check_settled("cut", USAGE_EXACT, 10, 5);
	fakes_stop();

	fakes_start(SETTINGS);
	req = fake_leased(FAKE_PLAIN);
	fake_head(500, FAKE_JSON);
	fake_text("{");
	fake_gone(req);
	check_settled("cut", USAGE_NONE, 0, 0);
	fakes_stop();
}

static void
the_relay_ends_before_them(void **state)
{

	(void)state;
	fakes_start(SETTINGS);
	fake_gone(streaming());
	relay_abort(fakes.relay);
	assert_int_equal(fakes.ncancelled, 1);
	relay_abort(fakes.relay);
	check_settled("drain_expired", USAGE_PARTIAL, 10, 3);
	fakes_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_read_to_its_end),
		cmocka_unit_test(an_answer_that_has_not_begun_is_read_too),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(a_key_has_its_own_time),
		cmocka_unit_test(a_paused_upstream_goes_on),
		cmocka_unit_test(
		    what_fails_meanwhile_says_something_about_the_account),
		cmocka_unit_test(some_are_cut_all_the_same),
		cmocka_unit_test(the_relay_ends_before_them),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
