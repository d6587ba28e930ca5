#include "cmocka_all.h"

#include <string.h>

#include "base/conf.h"
#include "fakes.h"
#include "messages.h"
#include "relay/relay_int.h"

#define EARLY_MS	200000
#define SETTINGS	"early_ping_s = 200\nping_interval_s = 15\n"	\
			"queue_timeout_s = 600\n"			\
			"attempt_budget_s = 600\n"

static struct fcgi_request *
waits(const char *body)
{
	struct fcgi_request *req;

	fakes_start(SETTINGS);
	req = fake_post(body);
	assert_non_null(fakes.admit);
	return (req);
}

/* It has waited until its stream was opened. */
static struct fcgi_request *
is_open(void)
{
	struct fcgi_request *req = waits(FAKE_STREAM);

	fakes_pass(EARLY_MS);
	assert_string_equal(fake_body_of(req), PING);
	return (req);
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text += strlen(what);
	}
	return (n);
}

/* One head, whatever came of it, and the call is over. */
static void
ends(struct fcgi_request *req, const char *outcome)
{

	assert_true(req->finished);
	assert_int_equal(count(fake_answer(req), "Status:"), 1);
	assert_non_null(strstr(fake_answer(req), "Status: 200"));
	if (outcome != NULL) {
		assert_string_equal(fakes.settled.outcome, outcome);
		assert_int_equal(fakes.settled.status, 200);
		fake_settled(ERR_NONE);
	}
	fakes_stop();
}

static void
a_stream_that_waits_long_is_opened_and_pinged(void **state)
{
	struct fcgi_request *req = waits(FAKE_STREAM);

	(void)state;
	fakes_pass(EARLY_MS - 1);
	assert_int_equal(req->nwrites, 0);
	fakes_pass(1);
	assert_string_equal(fake_body_of(req), PING);
	assert_non_null(strstr(fake_answer(req), "text/event-stream"));
	assert_non_null(strstr(fake_answer(req), "x-leasehold-request-id: "));
	fakes_pass(15000);
	assert_string_equal(fake_body_of(req), PING PING);

	/* Also while the upstream makes its client wait. */
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fakes_pass(15000);
	assert_string_equal(fake_body_of(req), PING PING PING);
	fake_head(200, FAKE_SSE);
	fake_text(START);
	assert_string_equal(fake_body_of(req), PING PING PING START);
	fakes_pass(15000);
	fake_text(DELTA FINAL STOP);
	fake_done(TRANSFER_OK);
	assert_string_equal(fake_body_of(req), PING PING PING START PING DELTA
	    FINAL STOP);
	ends(req, "ok");
}

static void
our_own_pings_do_not_end_failover(void **state)
{
	struct fcgi_request *req = is_open();

	(void)state;
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fake_head(529, FAKE_JSON);
	fake_text("{}");
	fake_done(TRANSFER_OK);
	assert_int_equal(fakes.nmoves, 1);
	fakes_pass(15000);
	assert_string_equal(fake_body_of(req), PING PING);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_SSE);
	fake_text(ERROR_EVENT("overloaded_error"));
	assert_int_equal(fakes.nmoves, 2);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_SSE);
	fake_text(WHOLE);
	fake_done(TRANSFER_OK);
	assert_string_equal(fake_body_of(req), PING PING WHOLE);
	ends(req, "ok");
}

static void
what_comes_to_nothing_is_told_in_the_stream(void **state)
{
	static const struct {
		enum admit_verdict verdict;
		enum err_code code;
		const char *type;
	} cases[] = {
		{ ADMIT_QUEUE_TIMEOUT, ERR_NONE, "rate_limit_error" },
		{ ADMIT_NO_KEY, ERR_NONE, "authentication_error" },
		{ ADMIT_LEASED, ERR_STORE_DOWN, "api_error" },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		req = is_open();
		fake_admitted(cases[i].verdict, cases[i].code);
		assert_memory_equal(fake_body_of(req), PING "event: error\n",
		    strlen(PING "event: error\n"));
		assert_non_null(strstr(fake_body_of(req), cases[i].type));
		ends(req, NULL);
	}
}

/* An answer that is none of a stream's, or is the client's own fault. */
static void
what_is_no_stream_becomes_an_event(void **state)
{
	static const struct {
		int status;
		const char *body, *type, *message, *outcome;
	} cases[] = {
		{ 400, "{\"type\":\"error\",\"error\":{\"type\":"
		    "\"invalid_request_error\",\"message\":\"too hot\"}}",
		    "invalid_request_error", "too hot", NULL },
		{ 404, "<html>", "not_found_error", "no stream", NULL },
		{ 200, PLAIN_BODY, "api_error", "no stream",
		    "upstream_error" },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		req = is_open();
		fake_admitted(ADMIT_LEASED, ERR_NONE);
		fake_head(cases[i].status, FAKE_JSON);
		fake_text(cases[i].body);
		fake_done(TRANSFER_OK);
		assert_memory_equal(fake_body_of(req), PING "event: error\n",
		    strlen(PING "event: error\n"));
		assert_non_null(strstr(fake_body_of(req), cases[i].type));
		assert_non_null(strstr(fake_body_of(req), cases[i].message));
		ends(req, cases[i].outcome != NULL ? cases[i].outcome :
		    fakes.settled.outcome);
	}
}

static void
what_is_too_long_to_keep_is_no_stream_either(void **state)
{
	static char much[64 * 1024];
	struct fcgi_request *req = is_open();
	size_t i;

	(void)state;
	memset(much, 'x', sizeof(much));
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_JSON);
	for (i = 0; i < 40 && !req->finished; i++)
		fake_data(much, sizeof(much));
	assert_non_null(strstr(fake_body_of(req), "no stream"));
	ends(req, "upstream_error");
}

static void
a_wait_for_another_account_counts_as_well(void **state)
{
	struct fcgi_request *req = waits(FAKE_STREAM);

	(void)state;
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	/* It is served, if slowly: the status is still to come. */
	fakes_pass(EARLY_MS + 1000);
	assert_int_equal(req->nwrites, 0);
	fake_done(TRANSFER_CONNECT);
	assert_int_equal(fakes.nmoves, 1);
	fakes_pass(1);
	assert_string_equal(fake_body_of(req), PING);
	fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
	assert_non_null(strstr(fake_body_of(req), PING "event: error\n"));
	ends(req, "connect");
}

static void
others_are_not_opened(void **state)
{
	struct fcgi_request *req = waits(FAKE_PLAIN);

	(void)state;
	fakes_pass(2 * EARLY_MS);
	assert_int_equal(req->nwrites, 0);
	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_NONE);
	assert_int_equal(fake_status(req), 429);
	fakes_stop();

	/* Nor is any by default. */
	fakes_start("queue_timeout_s = 600");
	req = fake_post(FAKE_STREAM);
	fakes_pass(2 * EARLY_MS);
	assert_int_equal(req->nwrites, 0);
	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_NONE);
	assert_int_equal(fake_status(req), 429);
	fakes_stop();
}

static void
a_client_may_leave_its_early_stream(void **state)
{
	struct fcgi_request *req = is_open();

	(void)state;
	fake_gone(req);
	assert_int_equal(fakes.ncancels, 1);
	fakes_pass(100000);
	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_CANCELLED);
	fakes_stop();
}

static void
one_that_takes_nothing_gets_no_pings(void **state)
{
	struct fcgi_request *req = is_open();
	int n;

	(void)state;
	req->full = true;
	fakes_pass(15000);
	n = req->nwrites;
	fakes_pass(15000);
	fakes_pass(15000);
	assert_int_equal(req->nwrites, n);
	req->full = false;
	fake_writable(req);
	fakes_pass(15000);
	assert_int_equal(req->nwrites, n + 1);
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_SSE);
	fake_text(WHOLE);
	fake_done(TRANSFER_OK);
	assert_non_null(strstr(fake_body_of(req), PING WHOLE));
	ends(req, "ok");
}

static void
without_memory_the_wait_is_over(void **state)
{
	struct fcgi_request *req = waits(FAKE_STREAM);

	(void)state;
	req->no_memory = true;
	fakes_pass(EARLY_MS);
	assert_true(req->reset);
	assert_int_equal(fakes.ncancels, 1);
	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_CANCELLED);
	fakes_stop();
}

static void
a_relay_that_stops_says_so_there(void **state)
{
	struct fcgi_request *req = is_open();

	(void)state;
	relay_abort(fakes.relay);
	assert_int_equal(fakes.ncancels, 1);
	assert_non_null(strstr(fake_body_of(req), "being stopped"));
	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_CANCELLED);
	ends(req, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_stream_that_waits_long_is_opened_and_pinged),
		cmocka_unit_test(our_own_pings_do_not_end_failover),
		cmocka_unit_test(what_comes_to_nothing_is_told_in_the_stream),
		cmocka_unit_test(what_is_no_stream_becomes_an_event),
		cmocka_unit_test(what_is_too_long_to_keep_is_no_stream_either),
		cmocka_unit_test(a_wait_for_another_account_counts_as_well),
		cmocka_unit_test(others_are_not_opened),
		cmocka_unit_test(a_client_may_leave_its_early_stream),
		cmocka_unit_test(one_that_takes_nothing_gets_no_pings),
		cmocka_unit_test(without_memory_the_wait_is_over),
		cmocka_unit_test(a_relay_that_stops_says_so_there),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
