#define _GNU_SOURCE	/* strcasestr */

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/limits.h"
#include "base/loop.h"
#include "fakes.h"
#include "messages.h"
#include "relay/relay_int.h"

/* ---- admission ---- */

static const struct refusal {
	enum admit_verdict verdict;
	int64_t in_ms;		/* from now; 0: unknown */
	const char *reason;
	int status;
	const char *type, *retry_after, *should_retry, *message;
} refusals[] = {
	{ ADMIT_NO_KEY, 0, "", 401, "authentication_error", NULL,
	  "false", "revoked" },
	{ ADMIT_KEY_EXPIRED, 0, "", 401, "authentication_error", NULL,
	  "false", "expired" },
	{ ADMIT_MODEL, 0, "", 403, "permission_error", NULL, "false",
	  "model" },
	{ ADMIT_MODEL, 0, "not this one", 403, "permission_error",
	  NULL, "false", "not this one" },
	{ ADMIT_UNSERVED, 0, "", 404, "not_found_error", NULL,
	  "false", "serves this model" },
	{ ADMIT_BUDGET, 0, "", 402, "billing_error", NULL, "false",
	  "budget" },
	{ ADMIT_BUDGET_HELD, 0, "", 429, "rate_limit_error", "5",
	  NULL, "reserved" },
	{ ADMIT_UNPRICED, 0, "", 403, "permission_error", NULL,
	  "false", "price" },
	{ ADMIT_FEATURE, 0, "", 403, "permission_error", NULL,
	  "false", "beforehand" },
	{ ADMIT_QUEUE_FULL, 0, "", 429, "rate_limit_error", "5", NULL,
	  "waiting" },
	{ ADMIT_QUEUE_TIMEOUT, 0, "", 429, "rate_limit_error", "5",
	  NULL, "free in time" },
	{ ADMIT_NO_ACCOUNT, 0, "", 503, "api_error", "30", NULL,
	  "No account" },
	{ ADMIT_PARKED, 0, "", 429, "rate_limit_error", "30", NULL,
	  "rest" },
	{ ADMIT_PARKED, 1, "", 429, "rate_limit_error", "1", NULL,
	  "rest" },
	{ ADMIT_PARKED, -5000, "", 429, "rate_limit_error", "1", NULL,
	  "rest" },
	{ ADMIT_PARKED, 59001, "", 429, "rate_limit_error", "60",
	  NULL, "rest" },
	{ ADMIT_PARKED, 62000, "", 429, "rate_limit_error", "60",
	  NULL, "rest" },
	{ ADMIT_PARKED, 62001, "", 429, "rate_limit_error", "63",
	  "false", "rest" },
	{ ADMIT_CLIENT, 0, "", 403, "permission_error", NULL, "false",
	  "kind of client" },
	{ ADMIT_ADDRESS, 0, "", 403, "permission_error", NULL,
	  "false", "address" },
	{ ADMIT_PARKED, 12000, "parked (auth)", 503,
	  "api_error", "12", NULL, "parked (auth)" },
	{ ADMIT_PARKED, 62001, "", 503, "api_error", "63",
	  "false", "rest" },
};

static void
is_told(const struct refusal *r)
{
	struct fcgi_request *req;
	char line[64];

	fakes_start("");
	req = fake_post(FAKE_STREAM);
	if (r->in_ms != 0)
		fakes.admit->retry_ms = r->in_ms + loop_wall_ms(fakes.loop);
	strcpy(fakes.admit->reason, r->reason);
	fakes.admit->limited = r->status == 429;
	fake_admitted(r->verdict, ERR_NONE);
	assert_int_equal(fake_status(req), r->status);
	assert_non_null(strstr(fake_body_of(req), r->type));
	assert_non_null(strstr(fake_body_of(req), r->message));
	snprintf(line, sizeof(line), "retry-after: %s\r\n",
	    r->retry_after == NULL ? "" : r->retry_after);
	assert_int_equal(strcasestr(fake_answer(req), line) != NULL,
	    r->retry_after != NULL);
	assert_int_equal(strcasestr(fake_answer(req),
	    "x-should-retry: false\r\n") != NULL, r->should_retry != NULL);
	assert_int_equal(fakes.nstarted, 0);
	assert_int_equal(fakes.nsettles, 0);
	fakes_stop();
}

static void
refusals_are_told_in_words_that_clients_act_on(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(refusals); i++)
		is_told(&refusals[i]);
}

static void
an_admission_that_fails_is_503(void **state)
{
	struct fcgi_request *req = fake_post(FAKE_STREAM);

	(void)state;
	fake_admitted(ADMIT_LEASED, ERR_STORE_DOWN);
	assert_int_equal(fake_status(req), 503);
	assert_non_null(strcasestr(fake_answer(req), "retry-after: 2\r\n"));
	assert_int_equal(fakes.nsettles, 0);
}

static void
admission_is_told_what_the_body_says(void **state)
{
	static const char body[] = "{\"model\":\"m\",\"max_tokens\":7,"
	    "\"metadata\":{\"user_id\":\"{\\\"session_id\\\":\\\"s-1\\\"}\"}}";
	struct fcgi_request *req = fake_post(body);

	(void)state;
	assert_string_equal(fakes.admitted.model, "m");
	assert_string_equal(fakes.admitted.session, "s-1");
	assert_int_equal(fakes.admitted.max_tokens, 7);
	assert_int_equal(fakes.admitted.body_bytes, strlen(body));
	assert_false(fakes.admitted.stream);
	fake_gone(req);
	assert_int_equal(fakes.ncancels, 1);
	fake_admitted(ADMIT_QUEUE_TIMEOUT, ERR_CANCELLED);
}

/* Each account gets the model under its own name, made of what the client
 * wrote; what is learnt goes by that name. */
static void
each_account_is_sent_its_own_name(void **state)
{
	static const char body[] = "{\"max_tokens\":7,\"model\":"
	    "\"claude-\\u0078-1\",\"messages\":[]}";
	static const struct {
		const char *sent_as, *body;
	} tries[] = {
		{ "a\"longer name", "{\"max_tokens\":7,\"model\":"
		    "\"a\\\"longer name\",\"messages\":[]}" },
		{ "o", "{\"max_tokens\":7,\"model\":\"o\","
		    "\"messages\":[]}" },
		{ NULL, body },
		{ "claude-opus-4", "{\"max_tokens\":7,\"model\":"
		    "\"claude-opus-4\",\"messages\":[]}" },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	req = fake_post(body);
	assert_string_equal(fakes.admitted.model, "claude-x-1");
	for (i = 0; i < NITEMS(tries); i++) {
		fakes.sent_as = tries[i].sent_as;
		if (i == 0)
			fake_admitted(ADMIT_LEASED, ERR_NONE);
		else
			fake_moved(ADMIT_LEASED, ERR_NONE);
		assert_int_equal(fakes.transfer->params.body_len,
		    strlen(tries[i].body));
		assert_memory_equal(fakes.transfer->params.body,
		    tries[i].body, strlen(tries[i].body));
		if (i + 1 == NITEMS(tries))
			break;
		fake_head(429, FAKE_JSON);
		fake_done(TRANSFER_OK);
		assert_string_equal(fakes.moved.admit.model, "claude-x-1");
		assert_int_equal(fakes.moved.admit.body_bytes, strlen(body));
	}
	fake_head(200, FAKE_JSON);
	fake_text(PLAIN_BODY);
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	assert_string_equal(fake_body_of(req), PLAIN_BODY);
	assert_string_equal(fakes.settled.model, "claude-opus-4");
	fake_settled(ERR_NONE);
	fakes.sent_as = NULL;
}

/* ---- attempts that fail ---- */

enum how {
	BY_RESULT,		/* done comes with .result, without a head */
	BY_STATUS,		/* a plain answer of .status */
	BY_EVENT		/* a stream with .text, then .result */
};

static const struct failure {
	enum how how;
	enum transfer_result result;
	int status;
	const char *text;
	bool reused;
	const char *outcome;	/* of the attempt */
	enum usage_mark mark;
	bool park;
	int fallback;
} failures[] = {
	{ BY_RESULT, TRANSFER_CONNECT, 0, "", false, "connect", USAGE_NONE,
	  true, 503 },
	{ BY_RESULT, TRANSFER_RESOLVE, 0, "", false, "resolve", USAGE_NONE,
	  true, 503 },
	{ BY_RESULT, TRANSFER_TLS, 0, "", false, "tls", USAGE_NONE, true,
	  503 },
	{ BY_RESULT, TRANSFER_SEND, 0, "", false, "send", USAGE_ESTIMATED,
	  true, 503 },
	{ BY_RESULT, TRANSFER_SEND, 0, "", true, "send", USAGE_NONE, false,
	  503 },
	{ BY_RESULT, TRANSFER_SILENT, 0, "", false, "silent",
	  USAGE_ESTIMATED, true, 503 },
	{ BY_RESULT, TRANSFER_GARBAGE, 0, "", false, "garbage",
	  USAGE_ESTIMATED, true, 503 },
	{ BY_STATUS, TRANSFER_OK, 401, "{}", false, "auth", USAGE_NONE, true,
	  503 },
	{ BY_STATUS, TRANSFER_OK, 403, "{}", false, "auth", USAGE_NONE, true,
	  503 },
	{ BY_STATUS, TRANSFER_OK, 429, "{}", false, "rate_limited",
	  USAGE_NONE, true, 429 },
	{ BY_STATUS, TRANSFER_OK, 500, "<html>", false, "upstream_error",
	  USAGE_NONE, true, 503 },
	{ BY_STATUS, TRANSFER_CUT, 503, "{", false, "overloaded", USAGE_NONE,
	  true, 503 },
	{ BY_STATUS, TRANSFER_OK, 504, "", false, "upstream_error",
	  USAGE_ESTIMATED, true, 503 },
	{ BY_STATUS, TRANSFER_OK, 529, "{}", false, "overloaded", USAGE_NONE,
	  true, 503 },
	{ BY_STATUS, TRANSFER_CUT, 200, "{", false, "cut", USAGE_ESTIMATED,
	  true, 503 },
	{ BY_STATUS, TRANSFER_CUT, 400, "{", false, "cut", USAGE_ESTIMATED,
	  true, 503 },
	{ BY_EVENT, TRANSFER_CUT, 200, "event: mess", false, "cut",
	  USAGE_ESTIMATED, true, 503 },
	{ BY_EVENT, TRANSFER_OK, 200, "", false, "cut", USAGE_ESTIMATED,
	  true, 503 },
	{ BY_EVENT, TRANSFER_STALLED, 200, "", false, "stalled",
	  USAGE_ESTIMATED, true, 503 },
	{ BY_EVENT, TRANSFER_OK, 200, ERROR_EVENT("overloaded_error"), false,
	  "overloaded", USAGE_NONE, true, 503 },
	{ BY_EVENT, TRANSFER_OK, 200, ERROR_EVENT("rate_limit_error"), false,
	  "rate_limited", USAGE_NONE, true, 429 },
	{ BY_EVENT, TRANSFER_OK, 200, ERROR_EVENT("api_error"), false,
	  "upstream_error", USAGE_NONE, true, 503 },
	{ BY_EVENT, TRANSFER_OK, 200, ERROR_EVENT("unheard_of"), false,
	  "upstream_error", USAGE_NONE, true, 503 },
};

static void
fail_so(const struct failure *f)
{

	fakes.transfer->reused = f->reused;
	if (f->how != BY_RESULT)
		fake_head(f->status, f->how == BY_EVENT ? FAKE_SSE :
		    FAKE_JSON);
	if (f->text[0] != '\0')
		fake_text(f->text);
	if (fakes.nmoves == 0 && fakes.nsettles == 0)
		fake_done(f->result);
}

static void
a_failed_attempt_moves_to_another_account(void **state)
{
	struct fcgi_request *req;
	const struct failure *f;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(failures); i++) {
		f = &failures[i];
		fakes_start("");
		req = fake_leased(FAKE_STREAM);
		fakes_pass(10);
		fail_so(f);
		assert_int_equal(fakes.nmoves, 1);
		if (strcmp(fakes.moved.end.outcome, f->outcome) != 0 ||
		    fakes.moved.end.mark != f->mark ||
		    fakes.moved.park.wanted != f->park)
			fail_msg("%zu: %s mark %d park %d", i,
			    fakes.moved.end.outcome, fakes.moved.end.mark,
			    fakes.moved.park.wanted);
		assert_int_equal(fakes.moved.end.status, f->status);
		assert_int_equal(fakes.moved.end.usage.input_tokens > 0,
		    f->mark == USAGE_ESTIMATED);
		assert_ptr_equal(fakes.moved.lease.account,
		    &fakes.accounts[0]);
		assert_int_equal(fakes.moved.deadline_ms + 10,
		    loop_now_ms(fakes.loop) + fakes.conf->attempt_budget_ms);
		assert_int_equal(fakes.moved.admit.ledger_id, 1);
		assert_string_equal(fakes.moved.admit.model, "claude-x-1");
		assert_int_equal(req->nwrites, 0);

		fake_moved(ADMIT_LEASED, ERR_NONE);
		assert_string_equal(fakes.transfer->credential, "secret-2");
		assert_int_equal(fakes.transfer->params.fresh, f->reused);
		assert_int_equal(fakes.transfer->params.body_len,
		    strlen(FAKE_STREAM));
		assert_memory_equal(fakes.transfer->params.body, FAKE_STREAM,
		    strlen(FAKE_STREAM));
		fake_head(200, FAKE_SSE);
		fake_text(WHOLE);
		fake_done(TRANSFER_OK);
		assert_int_equal(fake_status(req), 200);
		assert_string_equal(fake_body_of(req), WHOLE);
		assert_string_equal(fakes.settled.outcome, "ok");
		assert_int_equal(fakes.settled.attempts, 2);
		assert_int_equal(fakes.settled.queue_ms, 50);
		assert_string_equal(fakes.settled.trace,
		    "[{\"attempt\":1,\"waited_ms\":20,\"account\":1},"
		    "{\"attempt\":2,\"waited_ms\":30,\"account\":2}]");
		assert_int_equal(fakes.settled.end.mark, USAGE_EXACT);
		assert_int_equal(fakes.settled.end.usage.input_tokens, 10);
		assert_ptr_equal(fakes.settled.lease.account,
		    &fakes.accounts[1]);
		assert_false(fakes.settled.park.wanted);
		assert_true(fakes.settled.success);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

static void
a_first_event_without_end_is_garbage(void **state)
{
	static char part[16 * 1024];
	size_t n = 0;

	(void)state;
	memset(part, 'x', sizeof(part));
	fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	fake_text("data: ");
	for (; fakes.nmoves == 0; n += sizeof(part)) {
		assert_true(n <= LIMIT_PLAIN_BODY_BYTES);
		fake_data(part, sizeof(part));
	}
	assert_string_equal(fakes.moved.end.outcome, "garbage");
	assert_true(fakes.moved.park.wanted);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_SSE);
	fake_text(WHOLE);
	fake_done(TRANSFER_OK);
	assert_string_equal(fakes.settled.outcome, "ok");
	fake_settled(ERR_NONE);
}

static void
with_no_account_left_the_answer_is_in_our_own_words(void **state)
{
	static const enum admit_verdict verdicts[] = { ADMIT_NO_ACCOUNT,
		ADMIT_PARKED, ADMIT_QUEUE_FULL, ADMIT_QUEUE_TIMEOUT };
	struct fcgi_request *req;
	const struct failure *f;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(failures); i++) {
		f = &failures[i];
		fakes_start("");
		req = fake_leased(FAKE_STREAM);
		fail_so(f);
		fake_moved(verdicts[i % NITEMS(verdicts)], ERR_NONE);
		if (fake_status(req) != f->fallback)
			fail_msg("%zu: %s", i, fake_answer(req));
		assert_non_null(strstr(fake_body_of(req), f->outcome));
		assert_string_equal(fakes.settled.outcome, f->outcome);
		assert_int_equal(fakes.settled.attempts, 1);
		assert_false(fakes.settled.lease.held);
		assert_false(fakes.settled.success);
		assert_int_equal(fakes.settled.status, f->fallback);
		assert_int_equal(fakes.settled.first_byte_ms, -1);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

static void
the_last_attempt_is_settled_with_its_park(void **state)
{
	struct fcgi_request *req;
	const struct failure *f;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(failures); i++) {
		f = &failures[i];
		fakes_start("attempts_max = 1");
		req = fake_leased(FAKE_STREAM);
		fail_so(f);
		assert_int_equal(fakes.nmoves, 0);
		assert_int_equal(fake_status(req), f->fallback);
		assert_true(fakes.settled.lease.held);
		assert_string_equal(fakes.settled.end.outcome, f->outcome);
		assert_int_equal(fakes.settled.end.mark, f->mark);
		assert_int_equal(fakes.settled.park.wanted, f->park);
		assert_int_equal(fakes.settled.attempts, 1);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

static void
attempts_are_bounded_in_number(void **state)
{
	struct fcgi_request *req;
	int i;

	(void)state;
	fakes_start("attempts_max = 3");
	req = fake_leased(FAKE_STREAM);
	for (i = 1; i <= 2; i++) {
		fake_done(TRANSFER_CONNECT);
		assert_int_equal(fakes.nmoves, i);
		fake_moved(ADMIT_LEASED, ERR_NONE);
	}
	fake_done(TRANSFER_CONNECT);
	assert_int_equal(fakes.nmoves, 2);
	assert_int_equal(fakes.nstarted, 3);
	assert_int_equal(fake_status(req), 503);
	assert_int_equal(fakes.settled.attempts, 3);
	fake_settled(ERR_NONE);
	fakes_stop();
}

static void
attempts_are_bounded_in_time(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fakes_pass(fakes.conf->attempt_budget_ms - 1);
	fake_done(TRANSFER_CONNECT);
	assert_int_equal(fakes.nmoves, 1);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	fakes_pass(1);
	fake_done(TRANSFER_CONNECT);
	assert_int_equal(fakes.nmoves, 1);
	assert_int_equal(fake_status(req), 503);
	fake_settled(ERR_NONE);
}

static void
a_plain_call_that_timed_out_is_not_tried_again(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_PLAIN);

	(void)state;
	fakes_pass(10000);
	fake_done(TRANSFER_SILENT);
	assert_int_equal(fakes.nmoves, 0);
	assert_int_equal(fake_status(req), 504);
	assert_int_equal(fakes.settled.end.mark, USAGE_ESTIMATED);
	assert_int_equal(fakes.settled.end.usage.output_tokens, 100);
	assert_false(fakes.settled.park.wanted);
	fake_settled(ERR_NONE);
}

static void
streams_must_begin_and_plain_calls_must_end(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = fake_leased(FAKE_STREAM);
	assert_int_equal(fakes.transfer->params.first_byte_timeout_ms,
	    fakes.conf->first_byte_timeout_ms);
	assert_int_equal(fakes.transfer->params.idle_timeout_ms,
	    fakes.conf->idle_timeout_ms);
	assert_int_equal(fakes.transfer->params.deadline_ms, 0);
	assert_false(fakes.transfer->params.resend);
	fake_gone(req);
	fake_settled(ERR_NONE);
	fakes.probe = true;
	req = fake_leased(FAKE_STREAM);
	assert_true(fakes.conf->half_open_ms <
	    fakes.conf->first_byte_timeout_ms);
	assert_int_equal(fakes.transfer->params.first_byte_timeout_ms,
	    fakes.conf->half_open_ms);
	fake_gone(req);
	fake_settled(ERR_NONE);
	fakes.probe = false;
	req = fake_leased(FAKE_PLAIN);
	assert_int_equal(fakes.transfer->params.deadline_ms,
	    loop_now_ms(fakes.loop) + fakes.conf->plain_timeout_ms);
	fake_gone(req);
	fake_settled(ERR_NONE);
}

static void
a_move_that_fails_settles_the_old_lease(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_done(TRANSFER_SEND);
	fake_moved(ADMIT_LEASED, ERR_STORE_DOWN);
	assert_int_equal(fake_status(req), 503);
	assert_non_null(strstr(fake_body_of(req), "database"));
	assert_string_equal(fakes.settled.outcome, "store_down");
	assert_true(fakes.settled.lease.held);
	assert_ptr_equal(fakes.settled.lease.account, &fakes.accounts[0]);
	assert_int_equal(fakes.settled.attempts, 1);
	assert_int_equal(fakes.settled.end.mark, USAGE_ESTIMATED);
	assert_true(fakes.settled.park.wanted);
	fake_settled(ERR_NONE);
}

static void
rests_that_are_long_are_told_not_to_be_waited_for(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_head(429, FAKE_JSON "retry-after: 3600\n");
	fake_text("{}");
	fake_done(TRANSFER_OK);
	assert_true(fakes.moved.park.stated);
	fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
	assert_int_equal(fake_status(req), 429);
	assert_non_null(strcasestr(fake_answer(req),
	    "retry-after: 3600\r\n"));
	assert_non_null(strcasestr(fake_answer(req),
	    "x-should-retry: false\r\n"));
	fake_settled(ERR_NONE);
}

static void
parked_accounts_say_when_they_are_back(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_done(TRANSFER_CONNECT);
	fakes.move->admit.retry_ms = loop_wall_ms(fakes.loop) + 12000;
	fake_moved(ADMIT_PARKED, ERR_NONE);
	assert_int_equal(fake_status(req), 503);
	assert_non_null(strcasestr(fake_answer(req), "retry-after: 12\r\n"));
	fake_settled(ERR_NONE);
}

static void
the_message_says_what_is_parked_until_when(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_head(529, FAKE_JSON);
	fake_text("{}");
	fake_done(TRANSFER_OK);
	strcpy(fakes.move->admit.reason, "2 accounts in the pool are parked, "
	    "the first until noon");
	fakes.move->admit.retry_ms = loop_wall_ms(fakes.loop) + 3000;
	fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
	assert_int_equal(fake_status(req), 503);
	assert_non_null(strcasestr(fake_answer(req), "retry-after: 3\r\n"));
	assert_null(strcasestr(fake_answer(req), "x-should-retry"));
	assert_non_null(strstr(fake_body_of(req), "(last: overloaded): 2 "
	    "accounts in the pool are parked, the first until noon"));
	fake_settled(ERR_NONE);
}

static void
a_refused_credential_is_waited_for_if_others_may_come(void **state)
{
	static const struct {
		enum admit_verdict verdict;
		bool heals;
	} cases[] = {
		{ ADMIT_NO_ACCOUNT, false },	/* it is its own rest */
		{ ADMIT_NO_ACCOUNT, true },
		{ ADMIT_PARKED, false },
		{ ADMIT_PARKED, true },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_leased(FAKE_STREAM);
		fake_head(401, FAKE_JSON);
		fake_text("{}");
		fake_done(TRANSFER_OK);
		fakes.move->admit.retry_ms = loop_wall_ms(fakes.loop) + 9000;
		fakes.move->admit.heals = cases[i].heals;
		fake_moved(cases[i].verdict, ERR_NONE);
		assert_int_equal(fake_status(req), 503);
		assert_int_equal(strcasestr(fake_answer(req),
		    "x-should-retry: false\r\n") == NULL, cases[i].heals);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

static void
a_probe_is_proven_by_its_first_event(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.probe = true;
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	assert_int_equal(fakes.nproved, 0);
	fake_text(ERROR_EVENT("overloaded_error"));
	assert_int_equal(fakes.nproved, 0);
	assert_true(fakes.moved.lease.probe);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_SSE);
	fake_text(START);
	assert_int_equal(fakes.nproved, 1);
	fake_text(DELTA FINAL STOP);
	assert_int_equal(fakes.nproved, 1);
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	fake_settled(ERR_NONE);
}

/* ---- what cannot even be sent ---- */

static void
without_secret(void)
{

	fakes.accounts[0].secret = NULL;
}

static void
on_no_platform(void)
{

	strcpy(fakes.accounts[0].platform, "nobody");
}

static void
without_transfer(void)
{

	fakes.start_fails = true;
}

static void
a_request_that_cannot_be_sent_is_503_and_settled(void **state)
{
	static void (*const cases[])(void) = {
		without_secret, on_no_platform, without_transfer };
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		cases[i]();
		req = fake_post(FAKE_STREAM);
		fake_admitted(ADMIT_LEASED, ERR_NONE);
		assert_int_equal(fake_status(req), 503);
		assert_int_equal(fakes.nstarted, 0);
		assert_string_equal(fakes.settled.outcome, "internal");
		assert_int_equal(fakes.settled.end.mark, USAGE_NONE);
		assert_int_equal(fakes.settled.attempts, 1);
		assert_true(fakes.settled.lease.held);
		assert_false(fakes.settled.success);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

static void
count_tokens_moves_and_costs_nothing(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages/count_tokens", FAKE_KEY);
	fake_body(req, FAKE_PLAIN, strlen(FAKE_PLAIN));
	fake_end(req);
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fake_done(TRANSFER_SEND);
	assert_int_equal(fakes.moved.end.mark, USAGE_NONE);
	assert_false(fakes.moved.admit.needs_slot);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_JSON);
	fake_text("{\"input_tokens\":12}");
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	assert_int_equal(fakes.settled.end.mark, USAGE_NONE);
	assert_string_equal(fakes.settled.outcome, "ok");
	fake_settled(ERR_NONE);
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, fakes_setup, fakes_teardown)
#define ALONE(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(refusals_are_told_in_words_that_clients_act_on),
		WITH(an_admission_that_fails_is_503),
		WITH(admission_is_told_what_the_body_says),
		WITH(each_account_is_sent_its_own_name),
		WITH(a_first_event_without_end_is_garbage),
		ALONE(a_failed_attempt_moves_to_another_account),
		ALONE(with_no_account_left_the_answer_is_in_our_own_words),
		ALONE(the_last_attempt_is_settled_with_its_park),
		ALONE(attempts_are_bounded_in_number),
		WITH(attempts_are_bounded_in_time),
		WITH(a_plain_call_that_timed_out_is_not_tried_again),
		WITH(streams_must_begin_and_plain_calls_must_end),
		WITH(a_move_that_fails_settles_the_old_lease),
		WITH(rests_that_are_long_are_told_not_to_be_waited_for),
		WITH(parked_accounts_say_when_they_are_back),
		WITH(the_message_says_what_is_parked_until_when),
		ALONE(a_refused_credential_is_waited_for_if_others_may_come),
		WITH(a_probe_is_proven_by_its_first_event),
		ALONE(a_request_that_cannot_be_sent_is_503_and_settled),
		WITH(count_tokens_moves_and_costs_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
