#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "fakes.h"

/* Calls on accounts whose tokens end, and the renewal that they wait for. */

#define PAIR "{\"access_token\":\"at-2\",\"refresh_token\":\"rt-2\"," \
	"\"expires_in\":3600}"

static void
answer_pair(void)
{

	fake_head(200, FAKE_JSON);
	(void)fake_text(PAIR);
	fake_done(TRANSFER_OK);
}

/* A call that has a lease of an account whose token is over. */
static struct fcgi_request *
late(void)
{
	struct fcgi_request *req = fake_post(FAKE_PLAIN);

	fake_admitted(ADMIT_LEASED, ERR_NONE);
	return (req);
}

static void
refuse(void)
{

	fake_head(401, FAKE_JSON);
	(void)fake_text("{}");
	fake_done(TRANSFER_OK);
}

static void
finish(struct fcgi_request *req)
{

	fake_head(200, FAKE_JSON);
	(void)fake_text("{}");
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	fake_settled(ERR_NONE);
}

static void
a_401_is_tried_once_more_with_new_tokens(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.same = true;
	fake_oauth(1, 3600000);
	req = fake_leased(FAKE_PLAIN);
	assert_string_equal(fakes.transfer->credential, "secret-1");
	refuse();
	assert_int_equal(fakes.ntakes, 1);
	assert_int_equal(fakes.taken.rotation, 1);
	assert_true(fakes.taken.needed);
	assert_int_equal(fakes.nmoves, 0);
	fake_taken(REFRESH_TAKEN, ERR_NONE);
	assert_string_equal(fakes.transfer->url, "https://token.example/t");
	assert_memory_equal(fakes.transfer->params.body,
	    "grant_type=refresh_token&refresh_token=refresh%20%26%201&"
	    "client_id=client", fakes.transfer->params.body_len);
	answer_pair();

	/* Committed before it is used for anything. */
	assert_string_equal(fakes.end->tokens.access, "at-2");
	assert_string_equal(fakes.end->tokens.refresh, "rt-2");
	assert_int_equal(fakes.end->tokens.lifetime_ms, 3600000);
	assert_int_equal(fakes.end->fence, 5);
	assert_int_equal(fakes.nmoves, 0);
	fake_renewed(ERR_NONE);
	assert_int_equal(fakes.nmoves, 1);
	assert_true(fakes.moved.again);
	assert_false(fakes.moved.park.wanted);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	assert_string_equal(fakes.transfer->credential, "secret-new");
	finish(req);
}

static void
a_second_401_parks_the_account(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.same = true;
	fake_oauth(1, 3600000);
	req = fake_leased(FAKE_PLAIN);
	refuse();
	fake_taken(REFRESH_TAKEN, ERR_NONE);
	answer_pair();
	fake_renewed(ERR_NONE);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	refuse();
	assert_int_equal(fakes.ntakes, 1);
	assert_int_equal(fakes.nmoves, 2);
	assert_true(fakes.moved.park.wanted);
	assert_false(fakes.moved.again);
	fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
	assert_int_equal(fake_status(req), 503);
	fake_settled(ERR_NONE);
}

static void
tokens_that_others_renewed_are_taken_at_once(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.same = true;
	fake_oauth(1, 3600000);
	req = fake_leased(FAKE_PLAIN);
	fake_newer(1, 3600000);
	refuse();
	assert_int_equal(fakes.ntakes, 0);
	assert_int_equal(fakes.nmoves, 1);
	assert_true(fakes.moved.again);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	assert_string_equal(fakes.transfer->credential, "secret-new");
	finish(req);
}

static void
a_token_that_is_over_is_renewed_before_it_is_sent(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fake_oauth(1, 1000);
	fakes_pass(1000);
	req = late();
	assert_int_equal(fakes.nstarted, 0);
	assert_int_equal(fakes.ntakes, 1);
	fake_taken(REFRESH_TAKEN, ERR_NONE);
	answer_pair();
	fake_renewed(ERR_NONE);
	assert_int_equal(fakes.nmoves, 0);
	assert_string_equal(fakes.transfer->credential, "secret-new");
	finish(req);
}

static void
who_is_not_the_first_waits_for_the_other(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fake_oauth(1, 1000);
	fakes_pass(1000);
	req = late();
	fake_taken(REFRESH_BUSY, ERR_NONE);
	assert_null(fakes.take);
	fakes_pass(200);
	fake_newer(1, 3600000);
	fake_taken(REFRESH_NEWER, ERR_NONE);
	assert_string_equal(fakes.transfer->credential, "secret-new");
	finish(req);
}

/* What comes of each way to fail: how it ends for the tokens, and whether
 * they may have been changed by the provider. */
static void
what_goes_wrong_moves_the_call_and_keeps_the_tokens(void **state)
{
	static const struct {
		enum transfer_result result;
		int status;
		const char *body;
		enum refresh_end end;
		bool unclear;
	} cases[] = {
		{ TRANSFER_CONNECT, 0, "", REFRESH_FAILED, false },
		{ TRANSFER_RESOLVE, 0, "", REFRESH_FAILED, false },
		{ TRANSFER_TLS, 0, "", REFRESH_FAILED, false },
		{ TRANSFER_PROXY, 0, "", REFRESH_FAILED, false },
		{ TRANSFER_SEND, 0, "", REFRESH_FAILED, true },
		{ TRANSFER_STALLED, 200, "{", REFRESH_FAILED, true },
		{ TRANSFER_CUT, 200, PAIR, REFRESH_FAILED, true },
		{ TRANSFER_OK, 200, "{}", REFRESH_FAILED, true },
		{ TRANSFER_OK, 200, "<html>", REFRESH_FAILED, true },
		{ TRANSFER_OK, 503, "", REFRESH_FAILED, false },
		{ TRANSFER_OK, 429, "{}", REFRESH_FAILED, false },
		{ TRANSFER_OK, 401, "{\"error\":\"invalid_client\"}",
		    REFRESH_FAILED, false },
		{ TRANSFER_OK, 400, "{\"error\":\"invalid_grant\"}",
		    REFRESH_REFUSED, false },
		{ TRANSFER_OK, 400, "{\"error\":{\"type\":\"invalid_grant\"}}",
		    REFRESH_REFUSED, false },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fakes_start("");
		fake_oauth(1, 1000);
		fakes_pass(1000);
		req = late();
		fake_taken(REFRESH_TAKEN, ERR_NONE);
		if (cases[i].status != 0)
			fake_head(cases[i].status, FAKE_JSON);
		if (cases[i].body[0] != '\0')
			(void)fake_text(cases[i].body);
		fake_done(cases[i].result);
		if (fakes.end->end != cases[i].end ||
		    fakes.end->unclear != cases[i].unclear)
			fail_msg("case %zu: %d, %d", i, fakes.end->end,
			    fakes.end->unclear);
		assert_true(fakes.end->needed);
		fake_renewed(ERR_NONE);
		assert_int_equal(fakes.nmoves, 1);
		assert_false(fakes.moved.again);
		assert_false(fakes.moved.park.wanted);
		fake_moved(ADMIT_LEASED, ERR_NONE);
		assert_string_equal(fakes.transfer->credential, "secret-2");
		finish(req);
		fakes_stop();
	}
}

/* The provider may have changed them then, whatever it says now. */
static void
what_was_broken_off_once_stays_unclear(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start("");
	fake_oauth(1, 1000);
	fakes_pass(1000);
	req = late();
	assert_non_null(fakes.take);
	fakes.take->interrupted = true;
	fake_taken(REFRESH_TAKEN, ERR_NONE);
	fake_head(503, FAKE_JSON);
	fake_done(TRANSFER_OK);
	assert_int_equal(fakes.end->end, REFRESH_FAILED);
	assert_true(fakes.end->unclear);
	fake_renewed(ERR_NONE);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	finish(req);
	fakes_stop();
}

static void
what_cannot_be_had_now_moves_the_call(void **state)
{
	static const enum refresh_taken ways[] = { REFRESH_LATER,
	    REFRESH_SIGN_IN, REFRESH_GONE };
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i <= sizeof(ways) / sizeof(ways[0]); i++) {
		fakes_start("");
		fake_oauth(1, 1000);
		fakes_pass(1000);
		req = late();
		if (i < sizeof(ways) / sizeof(ways[0]))
			fake_taken(ways[i], ERR_NONE);
		else
			fake_taken(REFRESH_TAKEN, ERR_STORE_DOWN);
		assert_int_equal(fakes.nends, 0);
		assert_int_equal(fakes.nmoves, 1);
		fake_moved(ADMIT_LEASED, ERR_NONE);
		finish(req);
		fakes_stop();
	}
}

static void
many_calls_make_one_renewal(void **state)
{
	struct fcgi_request *req[8];
	int i;

	(void)state;
	fake_oauth(1, 1000);
	fakes_pass(1000);
	for (i = 0; i < 8; i++)
		req[i] = late();
	assert_int_equal(fakes.ntakes, 1);
	fake_taken(REFRESH_TAKEN, ERR_NONE);
	answer_pair();
	assert_int_equal(fakes.nstarted, 1);

	/* Those that leave do not end it for the others. */
	for (i = 1; i < 8; i++) {
		fake_gone(req[i]);
		fake_settled(ERR_NONE);
	}
	fake_renewed(ERR_NONE);
	assert_int_equal(fakes.nstarted, 2);
	finish(req[0]);
}

static void
a_client_that_leaves_does_not_break_the_renewal_off(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fake_oauth(1, 1000);
	fakes_pass(1000);
	req = late();
	fake_taken(REFRESH_TAKEN, ERR_NONE);
	fake_gone(req);
	assert_string_equal(fakes.settled.outcome, "client_gone");
	assert_false(fakes.settled.park.wanted);
	fake_settled(ERR_NONE);
	assert_int_equal(fakes.ncancelled, 0);
	answer_pair();
	fake_renewed(ERR_NONE);
	assert_int_equal(fakes.nstarted, 1);
}

static void
tokens_are_renewed_ahead_of_their_end(void **state)
{

	(void)state;
	fake_oauth(1, 10000);
	fakes.accounts[0].oauth->renew_ms = fakes.accounts[0].oauth->expires_ms
	    - 5000;
	fakes_pass(4999);
	assert_int_equal(fakes.ntakes, 0);
	fakes_pass(1001);
	assert_int_equal(fakes.ntakes, 1);
	assert_false(fakes.taken.needed);
	fakes_pass(1000);
	assert_int_equal(fakes.ntakes, 1);
	fake_taken(REFRESH_TAKEN, ERR_NONE);
	answer_pair();
	assert_false(fakes.end->needed);
	fake_renewed(ERR_NONE);
	fakes.accounts[0].oauth->renew_ms = 0;
}

static void
what_failed_lately_is_left_alone_until_its_time(void **state)
{
	int64_t due;

	(void)state;
	fake_oauth(1, 60000);
	fakes.accounts[0].oauth->renew_ms = 1;
	fakes_pass(1000);
	assert_int_equal(fakes.ntakes, 1);
	due = clock_wall_ms(&fakes.clock.clock) + 5000;
	fakes.take->retry_ms = due;
	fake_taken(REFRESH_LATER, ERR_NONE);
	while (clock_wall_ms(&fakes.clock.clock) + 1000 < due)
		fakes_pass(1000);
	assert_int_equal(fakes.ntakes, 1);
	fakes_pass(1000);
	fakes_pass(1000);
	assert_int_equal(fakes.ntakes, 2);
	fake_taken(REFRESH_BUSY, ERR_NONE);
	fakes_pass(1000);
	assert_int_equal(fakes.ntakes, 2);
	fakes_pass(1000);
	assert_int_equal(fakes.ntakes, 3);
	fake_taken(REFRESH_SIGN_IN, ERR_NONE);
	fakes.accounts[0].oauth->renew_ms = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_401_is_tried_once_more_with_new_tokens, fakes_setup,
		    fakes_teardown),
		cmocka_unit_test_setup_teardown(a_second_401_parks_the_account,
		    fakes_setup, fakes_teardown),
		cmocka_unit_test_setup_teardown(
		    tokens_that_others_renewed_are_taken_at_once, fakes_setup,
		    fakes_teardown),
		cmocka_unit_test_setup_teardown(
		    a_token_that_is_over_is_renewed_before_it_is_sent,
		    fakes_setup, fakes_teardown),
		cmocka_unit_test_setup_teardown(
		    who_is_not_the_first_waits_for_the_other, fakes_setup,
		    fakes_teardown),
		cmocka_unit_test(
		    what_goes_wrong_moves_the_call_and_keeps_the_tokens),
		cmocka_unit_test(what_was_broken_off_once_stays_unclear),
		cmocka_unit_test(what_cannot_be_had_now_moves_the_call),
		cmocka_unit_test_setup_teardown(many_calls_make_one_renewal,
		    fakes_setup, fakes_teardown),
		cmocka_unit_test_setup_teardown(
		    a_client_that_leaves_does_not_break_the_renewal_off,
		    fakes_setup, fakes_teardown),
		cmocka_unit_test_setup_teardown(
		    tokens_are_renewed_ahead_of_their_end, fakes_setup,
		    fakes_teardown),
		cmocka_unit_test_setup_teardown(
		    what_failed_lately_is_left_alone_until_its_time,
		    fakes_setup, fakes_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
