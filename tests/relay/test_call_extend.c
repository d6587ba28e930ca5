#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "fakes.h"
#include "messages.h"
#include "relay/relay_int.h"

/* Streams that grow beyond what is reserved for them.  Five bytes are
 * two tokens; a slice is 100 of them, of which the first is reserved. */

#define SLICE		100
#define SETTINGS	"reserve_slice_tokens = 100\n"

static struct fcgi_request *
begin_with(const char *settings, int64_t input_tokens, int64_t output_tokens)
{
	struct fcgi_request *req;

	fakes_start(settings);
	fakes.coverage = (struct coverage) { input_tokens, output_tokens };
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	return (req);
}

static struct fcgi_request *
begin(const char *settings)
{

	return (begin_with(settings, 1000, SLICE));
}

/* A delta of so many tokens. */
static bool
tokens(int n)
{
	char text[1024 * 3 + 128];

	snprintf(text, sizeof(text), "event: content_block_delta\ndata: "
	    "{\"type\":\"content_block_delta\",\"delta\":{\"text\":\"%0*d\"}}"
	    "\n\n", 5 * n / 2, 0);
	return (fake_text(text));
}

static void
end_well(struct fcgi_request *req)
{

	assert_true(fake_text(FINAL STOP));
	fake_done(TRANSFER_OK);
	assert_true(req->finished);
	assert_string_equal(fakes.settled.outcome, "ok");
	fake_settled(ERR_NONE);
}

static void
what_is_covered_asks_for_nothing(void **state)
{
	struct fcgi_request *req = begin(SETTINGS);

	(void)state;
	fake_text(START);
	tokens(50);
	assert_int_equal(fakes.nextends, 0);
	end_well(req);
	assert_int_equal(fakes.settled.reserved_nusd, 5000);
	fakes_stop();
}

static void
what_nothing_elastic_covers_never_asks(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start(SETTINGS);
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	fake_text(START);
	tokens(1000);
	assert_int_equal(fakes.nextends, 0);
	end_well(req);
	fakes_stop();
}

static void
more_is_asked_for_before_the_slice_is_used_up(void **state)
{
	struct fcgi_request *req = begin(SETTINGS);

	(void)state;
	fake_text(START);
	tokens(51);
	assert_int_equal(fakes.nextends, 1);
	assert_int_equal(fakes.extended.nth, 1);
	assert_int_equal(fakes.extended.attempt, 1);
	assert_int_equal(fakes.extended.so_far.input_tokens, 10);
	assert_int_equal(fakes.extended.so_far.output_tokens, 51);
	assert_string_equal(fakes.extended.model, "claude-x-1");
	assert_string_equal(fakes.extended.platform, "claude");

	/* The stream goes on meanwhile, and does not ask twice. */
	assert_true(tokens(40));
	assert_int_equal(fakes.nextends, 1);
	fake_extended(true, ERR_NONE, 151 + SLICE);
	assert_true(tokens(100));
	assert_int_equal(fakes.nextends, 1);
	assert_true(tokens(20));
	assert_int_equal(fakes.nextends, 2);
	assert_int_equal(fakes.extended.nth, 2);
	assert_int_equal(fakes.extended.so_far.output_tokens, 211);
	fake_extended(true, ERR_NONE, 1000);
	end_well(req);
	assert_int_equal(fakes.settled.reserved_nusd, 9000);
	fakes_stop();
}

static void
more_input_than_was_guessed_is_asked_for_at_once(void **state)
{
	struct fcgi_request *req = begin_with(SETTINGS, 500, SLICE);

	(void)state;
	fake_text("event: message_start\ndata: {\"type\":\"message_start\","
	    "\"message\":{\"usage\":{\"input_tokens\":600,"
	    "\"cache_creation_input_tokens\":500,\"output_tokens\":1}}}\n\n");
	assert_int_equal(fakes.nextends, 1);
	assert_int_equal(fakes.extended.so_far.input_tokens, 600);
	fake_extended(true, ERR_NONE, SLICE);
	/* 1,000 are covered then, of 1,100. */
	tokens(1);
	assert_int_equal(fakes.nextends, 2);
	fake_extended(true, ERR_NONE, INT64_MAX);
	end_well(req);
	fakes_stop();
}

/* Nothing of the output is elastic, and stays so. */
static void
so_it_is_where_all_output_is_covered(void **state)
{
	struct fcgi_request *req = begin_with(SETTINGS, 5, INT64_MAX);

	(void)state;
	fake_text(START);
	assert_int_equal(fakes.nextends, 1);
	assert_int_equal(fakes.extended.so_far.input_tokens, 10);
	fake_extended(true, ERR_NONE, SLICE);
	tokens(1000);
	assert_int_equal(fakes.nextends, 1);
	end_well(req);
	fakes_stop();
}

static void
where_no_money_is_left_the_stream_ends_well_formed(void **state)
{
	struct fcgi_request *req = begin(SETTINGS);

	(void)state;
	fake_text(START);
	tokens(60);
	fake_text("event: conte");
	fake_extended(false, ERR_NONE, 0);
	assert_true(req->finished);
	assert_non_null(strstr(fake_body_of(req), "\n\nevent: error\n"));
	assert_non_null(strstr(fake_body_of(req), "billing_error"));
	assert_non_null(strstr(fake_body_of(req), "the budget is used up"));
	assert_null(strstr(fake_body_of(req), "event: conte\n"));
	assert_int_equal(fakes.ncancelled, 1);
	assert_string_equal(fakes.settled.outcome, "budget_cut");
	assert_int_equal(fakes.settled.end.mark, USAGE_PARTIAL);
	assert_int_equal(fakes.settled.end.usage.output_tokens, 60);
	fake_settled(ERR_NONE);
	fakes_stop();
}

/* A stream that has ended needs none. */
static void
a_refusal_that_comes_too_late_changes_nothing(void **state)
{
	struct fcgi_request *req = begin(SETTINGS);

	(void)state;
	fake_text(START);
	tokens(60);
	assert_true(fake_text(FINAL STOP));
	fake_extended(false, ERR_NONE, 0);
	assert_null(strstr(fake_body_of(req), "event: error"));
	fake_done(TRANSFER_OK);
	assert_true(req->finished);
	assert_string_equal(fakes.settled.outcome, "ok");
	fake_settled(ERR_NONE);
	fakes_stop();
}

static void
the_call_may_be_over_before_its_extension(void **state)
{

	(void)state;
	(void)begin(SETTINGS);
	fake_text(START);
	tokens(60);
	fake_text(FINAL STOP);
	fake_done(TRANSFER_OK);
	fake_settled(ERR_NONE);
	assert_int_equal(relay_calls(fakes.relay), 0);
	fake_extended(false, ERR_NONE, 0);
	fakes_stop();

	fake_gone(begin(SETTINGS "disconnect_drain_s = 0\n"));
	assert_int_equal(fakes.nextends, 0);
	fake_settled(ERR_NONE);
	fakes_stop();
}

/* ---- what is left ---- */

static void
the_answer_says_what_is_left(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start("");
	fakes.left[BUDGET_MONEY] = (struct budget_left) { true, 5000000000,
		1250000000, INT64_C(1796083200000) };
	fakes.left[BUDGET_OUTPUT] = (struct budget_left) { true, 1000, 0, 0 };
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	fake_text(START);
	assert_non_null(strstr(fake_answer(req),
	    "\r\nx-leasehold-budget-money-limit: 5.00\r\n"
	    "x-leasehold-budget-money-remaining: 1.25\r\n"
	    "x-leasehold-budget-money-reset: 2026-12-01T00:00:00.000Z\r\n"
	    "x-leasehold-budget-output-tokens-limit: 1000\r\n"
	    "x-leasehold-budget-output-tokens-remaining: 0\r\n"));
	assert_null(strstr(fake_answer(req), "tokens-reset"));
	end_well(req);
	fakes_stop();
}

static void
so_does_a_refusal(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start("");
	fakes.left[BUDGET_REQUESTS] = (struct budget_left) { true, 5, 0, 0 };
	req = fake_post(FAKE_STREAM);
	fake_admitted(ADMIT_BUDGET, ERR_NONE);
	assert_int_equal(fake_status(req), 402);
	assert_non_null(strstr(fake_answer(req),
	    "\r\nx-leasehold-budget-requests-remaining: 0\r\n"));
	fakes_stop();
}

/* The database is away: running streams finish, and ask again under the same
 * number. */
static void
an_error_lets_the_stream_go_on(void **state)
{
	struct fcgi_request *req = begin(SETTINGS);

	(void)state;
	fake_text(START);
	tokens(60);
	fake_extended(true, ERR_STORE_DOWN, 0);
	assert_true(tokens(60));
	assert_int_equal(fakes.nextends, 1);
	assert_true(tokens(60));
	assert_int_equal(fakes.nextends, 2);
	assert_int_equal(fakes.extended.nth, 1);
	fake_extended(true, ERR_NONE, 1000);
	end_well(req);
	fakes_stop();
}

static void
one_slice_beyond_the_upstream_is_held_up(void **state)
{
	struct fcgi_request *req = begin(SETTINGS);

	(void)state;
	fake_text(START);
	tokens(60);
	assert_true(tokens(140));
	assert_true(tokens(1));
	assert_false(tokens(100));
	fake_writable(req);
	assert_false(tokens(100));
	fake_extended(true, ERR_NONE, 500);
	assert_true(fakes.transfer->resumed);
	assert_true(tokens(100));
	end_well(req);
	fakes_stop();

	/* But not for a database that is known to be away. */
	req = begin(SETTINGS);
	fake_text(START);
	tokens(60);
	fakes.ready = false;
	assert_true(tokens(1000));
	assert_true(tokens(100));
	fake_extended(true, ERR_STORE_DOWN, 0);
	fakes.ready = true;
	end_well(req);
	if (fakes.extend != NULL)
		fake_extended(true, ERR_NONE, 5000);
	fakes_stop();
}

static void
nobody_pays_for_an_answer_that_nobody_reads(void **state)
{
	struct fcgi_request *req = begin(SETTINGS "disconnect_drain_s = 60\n");

	(void)state;
	fake_text(START);
	fake_gone(req);
	assert_true(tokens(60));
	assert_int_equal(fakes.nextends, 1);
	fake_extended(false, ERR_NONE, 0);
	assert_int_equal(fakes.ncancelled, 1);
	assert_string_equal(fakes.settled.outcome, "client_gone");
	assert_string_equal(fakes.settled.disconnect, "cut");
	fake_settled(ERR_NONE);
	fakes_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_covered_asks_for_nothing),
		cmocka_unit_test(what_nothing_elastic_covers_never_asks),
		cmocka_unit_test(more_is_asked_for_before_the_slice_is_used_up),
		cmocka_unit_test(
		    more_input_than_was_guessed_is_asked_for_at_once),
		cmocka_unit_test(so_it_is_where_all_output_is_covered),
		cmocka_unit_test(
		    where_no_money_is_left_the_stream_ends_well_formed),
		cmocka_unit_test(a_refusal_that_comes_too_late_changes_nothing),
		cmocka_unit_test(the_call_may_be_over_before_its_extension),
		cmocka_unit_test(the_answer_says_what_is_left),
		cmocka_unit_test(so_does_a_refusal),
		cmocka_unit_test(an_error_lets_the_stream_go_on),
		cmocka_unit_test(one_slice_beyond_the_upstream_is_held_up),
		cmocka_unit_test(nobody_pays_for_an_answer_that_nobody_reads),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
