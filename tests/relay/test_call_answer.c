#define _GNU_SOURCE	/* strcasestr, memmem */

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/limits.h"
#include "fakes.h"
#include "messages.h"
#include "relay/call.h"
#include "relay/relay_int.h"

/* How it all ended. */
static void
check_settled(const char *outcome, enum usage_mark mark, int64_t input,
    int64_t output, bool success)
{
	const struct settle_op *s = &fakes.settled;

	assert_int_equal(fakes.nsettles, 1);
	if (strcmp(s->outcome, outcome) != 0 || s->end.mark != mark ||
	    s->end.usage.input_tokens != input ||
	    s->end.usage.output_tokens != output || s->success != success)
		fail_msg("%s mark %d in %d out %d success %d", s->outcome,
		    s->end.mark, (int)s->end.usage.input_tokens,
		    (int)s->end.usage.output_tokens, s->success);
	assert_int_equal(s->ledger_id, 1);
	assert_int_equal(s->key_id, 7);
	assert_int_equal(s->attempts, 1);
	assert_true(s->lease.held);
	assert_int_equal(s->reserved_nusd, 5000);
	fake_settled(ERR_NONE);
}

/* ---- streams ---- */

static void
a_stream_is_passed_on_byte_for_byte_however_it_is_cut(void **state)
{
	static const char whole[] = START PING DELTA ": note\n\n" FINAL STOP;
	struct fcgi_request *req;
	size_t i, n = strlen(whole);

	(void)state;
	for (i = 0; i <= n; i++) {
		fakes_start("");
		req = fake_leased(FAKE_STREAM);
		fake_head(200, FAKE_SSE "x-secret-of-upstream: 1\n");
		assert_int_equal(req->nwrites, 0);
		if (i > 0)
			assert_true(fake_data(whole, i));
		if (i < n)
			assert_true(fake_data(whole + i, n - i));
		fake_done(TRANSFER_OK);
		assert_int_equal(fake_status(req), 200);
		assert_string_equal(fake_body_of(req), whole);
		check_settled("ok", USAGE_EXACT, 10, 5, true);
		fakes_stop();
	}
}

static void
an_upstream_that_does_not_end_its_stream_holds_nobody(void **state)
{
	static const struct {
		const char *text, *outcome;
		enum usage_mark mark;
		int output;
	} cases[] = {
		{ WHOLE, "ok", USAGE_EXACT, 5 },
		{ START ERROR_EVENT("api_error"), "upstream_error",
		    USAGE_PARTIAL, 1 },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("ping_interval_s = 1");
		req = fake_leased(FAKE_STREAM);
		fake_head(200, FAKE_SSE);
		assert_true(fake_text(cases[i].text));
		fakes_pass(1500);
		assert_true(fake_text(": more\n\n"));
		fakes_pass(499);
		assert_false(req->finished);
		assert_int_equal(fakes.nsettles, 0);
		fakes_pass(1);
		assert_int_equal(fake_status(req), 200);
		assert_int_equal(fakes.ncancelled, 1);
		assert_memory_equal(fake_body_of(req), cases[i].text,
		    strlen(cases[i].text));
		assert_string_equal(fake_body_of(req) +
		    strlen(cases[i].text), ": more\n\n");
		check_settled(cases[i].outcome, cases[i].mark, 10,
		    cases[i].output, i == 0);
		fakes_stop();
	}
}

/* With CR LF the last event is over at the last CR. */
static void
the_last_line_end_is_passed_on_too(void **state)
{
	static const char text[] = START FINAL STOP;
	char whole[2 * sizeof(text)];
	struct fcgi_request *req;
	size_t i, n = 0;

	(void)state;
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\n')
			whole[n++] = '\r';
		whole[n++] = text[i];
	}
	whole[n] = '\0';
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	for (i = 0; i < n; i++)
		assert_true(fake_data(whole + i, 1));
	fake_done(TRANSFER_OK);
	assert_string_equal(fake_body_of(req), whole);
	check_settled("ok", USAGE_EXACT, 10, 5, true);
}

static void
the_head_of_a_stream_says_what_is_needed(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);
	const char *head;

	(void)state;
	fake_head(200, FAKE_SSE "set-cookie: a=b\nretry-after: 5\n");
	fake_text(WHOLE);
	fake_done(TRANSFER_OK);
	head = fake_answer(req);
	assert_non_null(strcasestr(head, "content-type: text/event-stream"));
	assert_non_null(strcasestr(head, "request-id: req_up"));
	assert_non_null(strcasestr(head, "x-accel-buffering: no"));
	assert_non_null(strcasestr(head, "x-leasehold-request-id: req_lh_"));
	assert_null(strcasestr(head, "content-length"));
	assert_null(strcasestr(head, "set-cookie"));
	check_settled("ok", USAGE_EXACT, 10, 5, true);
	assert_string_equal(fakes.settled.end.upstream_id, "req_up");
	assert_string_equal(fakes.settled.end.outcome, "ok");
	assert_int_equal(fakes.settled.end.status, 200);
	assert_int_equal(fakes.settled.status, 200);
	assert_int_equal(fakes.settled.answer_bytes, strlen(WHOLE));
	assert_string_equal(fakes.settled.model, "claude-x-1");
	assert_string_equal(fakes.settled.trace,
	    "[{\"attempt\":1,\"waited_ms\":20,\"account\":1}]");
}

static void
times_are_counted_from_the_whole_body(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	fakes_pass(5);
	fake_body(req, FAKE_STREAM, strlen(FAKE_STREAM));
	fake_end(req);
	fakes_pass(20);
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fakes_pass(100);
	fake_head(200, FAKE_SSE);
	fake_text(START);
	fakes_pass(1000);
	fake_text(FINAL STOP);
	fake_done(TRANSFER_OK);
	check_settled("ok", USAGE_EXACT, 10, 5, true);
	assert_int_equal(fakes.settled.queue_ms, 20);
	assert_int_equal(fakes.settled.first_byte_ms, 120);
	assert_int_equal(fakes.settled.total_ms, 1120);
}

static void
the_body_is_given_back_at_the_first_event_if_it_has_left(void **state)
{
	static const bool sent[] = { true, false };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(sent); i++) {
		fakes_start("");
		(void)fake_leased(FAKE_STREAM);
		fakes.transfer->sent = sent[i];
		fake_head(200, FAKE_SSE);
		assert_int_equal(fakes.relay->body_bytes,
		    strlen(FAKE_STREAM));
		fake_text(START);
		assert_int_equal(fakes.relay->body_bytes, sent[i] ? 0 :
		    strlen(FAKE_STREAM));
		fake_text(FINAL STOP);
		fake_done(TRANSFER_OK);
		check_settled("ok", USAGE_EXACT, 10, 5, true);
		fakes_stop();
	}
}

static void
a_stream_that_breaks_ends_with_an_error_event(void **state)
{
	static const struct {
		const char *sent;	/* by the upstream */
		enum transfer_result result;
		const char *passed;	/* of that, to the client */
		bool error;		/* and an error event behind it */
		const char *outcome;
		enum usage_mark mark;
		int output;
	} cases[] = {
		{ START, TRANSFER_CUT, START, true, "upstream_cut",
		  USAGE_PARTIAL, 1 },
		{ START DELTA, TRANSFER_CUT, START DELTA, true,
		  "upstream_cut", USAGE_PARTIAL, 3 },
		{ START "event: content", TRANSFER_CUT, START, true,
		  "upstream_cut", USAGE_PARTIAL, 1 },
		{ START DELTA, TRANSFER_STALLED, START DELTA, true,
		  "upstream_stalled", USAGE_PARTIAL, 3 },
		{ START DELTA, TRANSFER_OK, START DELTA, true,
		  "upstream_cut", USAGE_PARTIAL, 3 },
		{ START DELTA FINAL, TRANSFER_OK, START DELTA FINAL, true,
		  "upstream_cut", USAGE_EXACT, 5 },
		{ WHOLE, TRANSFER_CUT, WHOLE, false, "ok", USAGE_EXACT, 5 },
		{ WHOLE, TRANSFER_STALLED, WHOLE, false, "ok", USAGE_EXACT,
		  5 },
		{ WHOLE "event: pi", TRANSFER_OK, WHOLE, false, "ok",
		  USAGE_EXACT, 5 },
	};
	struct fcgi_request *req;
	const char *body;
	size_t i, n;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_leased(FAKE_STREAM);
		fake_head(200, FAKE_SSE);
		fake_text(cases[i].sent);
		fake_done(cases[i].result);
		assert_int_equal(fake_status(req), 200);
		body = fake_body_of(req);
		n = strlen(cases[i].passed);
		assert_memory_equal(body, cases[i].passed, n);
		if (cases[i].error)
			assert_memory_equal(body + n, "event: error\n", 13);
		else
			assert_string_equal(body + n, "");
		assert_int_equal(fakes.nmoves, 0);
		check_settled(cases[i].outcome, cases[i].mark, 10,
		    cases[i].output, strcmp(cases[i].outcome, "ok") == 0);
		fakes_stop();
	}
}

static void
an_error_event_in_the_stream_is_the_last_word(void **state)
{
	static const enum transfer_result results[] = {
		TRANSFER_OK, TRANSFER_CUT, TRANSFER_STALLED };
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(results); i++) {
		fakes_start("ping_interval_s = 1");
		req = fake_leased(FAKE_STREAM);
		fake_head(200, FAKE_SSE);
		fake_text(START ERROR_EVENT("overloaded_error"));
		fakes_pass(fakes.conf->ping_interval_ms + 1);
		assert_false(req->finished);
		fake_done(results[i]);
		assert_int_equal(fake_status(req), 200);
		assert_string_equal(fake_body_of(req), START
		    ERROR_EVENT("overloaded_error"));
		check_settled("upstream_error", USAGE_PARTIAL, 10, 1, false);
		fakes_stop();
	}
}

static void
an_error_of_the_request_is_passed_on_and_costs_nothing(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_head(200, FAKE_SSE);
	fake_text(ERROR_EVENT("invalid_request_error"));
	fake_done(TRANSFER_OK);
	assert_int_equal(fakes.nmoves, 0);
	assert_int_equal(fake_status(req), 200);
	assert_string_equal(fake_body_of(req),
	    ERROR_EVENT("invalid_request_error"));
	check_settled("client_error", USAGE_NONE, 0, 0, true);
}

static void
an_event_too_long_to_hold_passes_as_it_comes(void **state)
{
	static char much[LIMIT_SSE_EVENT_BYTES];
	struct fcgi_request *req = fake_leased(FAKE_STREAM);
	const char *body;

	(void)state;
	memset(much, 'x', sizeof(much));
	fake_head(200, FAKE_SSE);
	fake_text(START "data: ");
	assert_string_equal(fake_body_of(req), START);
	fake_data(much, sizeof(much));
	assert_int_equal(strlen(fake_body_of(req)), strlen(START) + 6 +
	    sizeof(much));

	/* No ping in the middle of it. */
	fakes_pass(fakes.conf->ping_interval_ms + 1);
	assert_int_equal(strlen(fake_body_of(req)), strlen(START) + 6 +
	    sizeof(much));
	fake_text("\n\n");
	fakes_pass(fakes.conf->ping_interval_ms + 1);
	fake_text(FINAL STOP);
	fake_done(TRANSFER_OK);
	body = fake_body_of(req) + strlen(START) + 6 + sizeof(much);
	assert_string_equal(body, "\n\n" PING FINAL STOP);
	check_settled("ok", USAGE_EXACT, 10, 5, true);
}

static void
within_such_an_event_only_a_reset_is_left(void **state)
{
	static char much[LIMIT_SSE_EVENT_BYTES];
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	memset(much, 'x', sizeof(much));
	fake_head(200, FAKE_SSE);
	fake_text(START "data: ");
	fake_data(much, sizeof(much));
	fake_done(TRANSFER_CUT);
	assert_true(req->reset);
	check_settled("upstream_cut", USAGE_PARTIAL, 10, 1, false);
}

static void
a_first_event_may_be_long(void **state)
{
	static char much[LIMIT_SSE_EVENT_BYTES * 2];
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	memset(much, 'x', sizeof(much));
	fake_head(200, FAKE_SSE);
	fake_text("data: ");
	fake_data(much, sizeof(much));
	assert_int_equal(req->nwrites, 0);
	fake_text("\n\n" WHOLE);
	fake_done(TRANSFER_OK);
	assert_int_equal(strlen(fake_body_of(req)), 6 + sizeof(much) + 2 +
	    strlen(WHOLE));
	check_settled("ok", USAGE_EXACT, 10, 5, true);
}

/* ---- pings ---- */

static void
pings_go_out_in_silence_and_between_events_alone(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);
	int64_t t = fakes.conf->ping_interval_ms;

	(void)state;
	fake_head(200, FAKE_SSE);
	fakes_pass(t * 2);
	assert_int_equal(req->nwrites, 0);	/* nothing began yet */
	fake_text(START);
	fakes_pass(t - 1);
	assert_string_equal(fake_body_of(req), START);
	fake_text(DELTA);
	fakes_pass(t - 1);
	assert_string_equal(fake_body_of(req), START DELTA);
	fakes_pass(1);
	assert_string_equal(fake_body_of(req), START DELTA PING);
	fakes_pass(t);
	assert_string_equal(fake_body_of(req), START DELTA PING PING);

	/* Half an event is still ours: a ping may go before it. */
	fake_text("event: message_de");
	fakes_pass(t);
	fake_text(&FINAL[strlen("event: message_de")]);
	fake_text(STOP);
	fake_done(TRANSFER_OK);
	assert_string_equal(fake_body_of(req), START DELTA PING PING PING FINAL
	    STOP);
	check_settled("ok", USAGE_EXACT, 10, 5, true);
}

/* So that the second or the fourth is within as many intervals. */
static void
pings_are_a_little_early_where_they_show_who_left(void **state)
{
	static const struct {
		const char *server;
		int earlier;		/* by 32nds of the interval */
	} cases[] = {
		{ "nginx/1.22.1", 0 }, { "Apache/2.4.71 (Debian)", 1 },
		{ "Caddy/v2.6.2", 1 }, { "", 0 }
	};
	struct fcgi_request *req;
	int64_t t = 15000;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("ping_interval_s = 15");
		req = fake_leased(FAKE_STREAM);
		req->http.server = cases[i].server;
		fake_head(200, FAKE_SSE);
		fake_text(START);
		fakes_pass(t - cases[i].earlier * (t / 32) - 1);
		assert_string_equal(fake_body_of(req), START);
		fakes_pass(1);
		assert_string_equal(fake_body_of(req), START PING);
		fake_gone(req);
		check_settled("client_gone", USAGE_PARTIAL, 10, 1, true);
		fakes_stop();
	}
}

static void
no_pings_where_they_are_switched_off(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start("ping_interval_s = 0");
	req = fake_leased(FAKE_STREAM);
	fake_head(200, FAKE_SSE);
	fake_text(START);
	fakes_pass(1000000);
	assert_string_equal(fake_body_of(req), START);
	fake_gone(req);
	check_settled("client_gone", USAGE_PARTIAL, 10, 1, true);
	fakes_stop();
}

static void
a_slow_client_gets_no_pings_and_costs_no_turns(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);
	int64_t t = fakes.conf->ping_interval_ms;
	int n;

	(void)state;
	fake_head(200, FAKE_SSE);
	req->full = true;
	fake_text(START);
	fakes_pass(t);
	n = req->nwrites;

	/* The timer sleeps too, although the silence goes on. */
	fakes_pass(1);
	assert_int_equal(req->nwrites, n);
	assert_true(TAILQ_FIRST(&fakes.relay->calls)->ping.due_ms >
	    loop_now_ms(fakes.loop));
	fake_writable(req);
	fakes_pass(t);
	assert_int_equal(req->nwrites, n + 1);
	fake_gone(req);
	check_settled("client_gone", USAGE_PARTIAL, 10, 1, true);
}

static void
a_slow_client_pauses_the_upstream(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);
	int n;

	(void)state;
	fake_head(200, FAKE_SSE);
	req->full = true;
	assert_true(fake_text(START));
	n = req->nwrites;
	assert_false(fake_text(DELTA));
	assert_false(fake_text(DELTA));
	assert_int_equal(req->nwrites, n);
	fake_writable(req);
	assert_true(fakes.transfer->resumed);
	assert_true(fake_text(DELTA FINAL STOP));
	fake_done(TRANSFER_OK);
	assert_string_equal(fake_body_of(req), WHOLE);
	check_settled("ok", USAGE_EXACT, 10, 5, true);
}

/* ---- plain answers ---- */

static void
plain_answers_go_out_whole_with_their_length(void **state)
{
	static const struct {
		int status;
		const char *headers, *body, *outcome;
		enum usage_mark mark;
		bool success;
	} cases[] = {
		{ 200, FAKE_JSON, PLAIN_BODY, "ok", USAGE_EXACT, true },
		{ 200, FAKE_JSON "content-length: 3\n", PLAIN_BODY, "ok",
		  USAGE_EXACT, true },
		{ 200, "content-type: text/html\n", "<html>", "ok",
		  USAGE_ESTIMATED, true },
		{ 400, FAKE_JSON, "{\"type\":\"error\",\"error\":{\"type\":"
		  "\"invalid_request_error\",\"message\":\"no\"}}",
		  "client_error", USAGE_NONE, true },
		{ 404, FAKE_JSON, "{}", "client_error", USAGE_NONE, true },
		{ 413, "", "", "client_error", USAGE_NONE, true },
		{ 422, FAKE_JSON, "{}", "client_error", USAGE_NONE, true },
		{ 304, "", "", "ok", USAGE_NONE, true },
		{ 400, "content-type: text/event-stream\n", "{}",
		  "client_error", USAGE_NONE, true },
	};
	struct fcgi_request *req;
	char length[64];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_leased(FAKE_PLAIN);
		fake_head(cases[i].status, cases[i].headers);
		if (cases[i].body[0] != '\0')
			fake_text(cases[i].body);
		assert_int_equal(req->nwrites, 0);
		fake_done(TRANSFER_OK);
		assert_int_equal(fake_status(req), cases[i].status);
		assert_string_equal(fake_body_of(req), cases[i].body);
		snprintf(length, sizeof(length), "content-length: %zu\r\n",
		    strlen(cases[i].body));
		assert_non_null(strcasestr(fake_answer(req), length));
		assert_string_equal(fakes.settled.outcome, cases[i].outcome);
		assert_int_equal(fakes.settled.end.mark, cases[i].mark);
		assert_int_equal(fakes.settled.success, cases[i].success);
		assert_false(fakes.settled.park.wanted);
		assert_int_equal(fakes.nfreed, 1);
		assert_int_equal(fakes.ncancelled, 0);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

static void
a_stream_that_is_answered_plainly_is_passed_plainly(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_head(200, FAKE_JSON);
	fake_text(PLAIN_BODY);
	fake_done(TRANSFER_OK);
	assert_string_equal(fake_body_of(req), PLAIN_BODY);
	check_settled("ok", USAGE_EXACT, 10, 5, true);
}

static void
head_answers_keep_the_length_that_the_upstream_stated(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.key_cached = true;
	req = fake_begin("HEAD", "/v1/models", FAKE_KEY);
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fake_head(200, FAKE_JSON "content-length: 1234\n");
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	assert_non_null(strcasestr(fake_answer(req),
	    "content-length: 1234\r\n"));
	assert_string_equal(fake_body_of(req), "");
	check_settled("ok", USAGE_NONE, 0, 0, true);
}

#define MEGABYTE (1024 * 1024)

static void
long_plain_answers_are_passed_on_as_they_come(void **state)
{
	static const struct {
		const char *headers;
		enum transfer_result result;
		bool finished;
		const char *outcome;
	} cases[] = {
		{ FAKE_JSON "content-length: 3145728\n", TRANSFER_OK, true,
		  "ok" },
		{ FAKE_JSON, TRANSFER_OK, true, "ok" },
		{ FAKE_JSON, TRANSFER_CUT, false, "upstream_cut" },
		{ FAKE_JSON, TRANSFER_STALLED, false, "upstream_stalled" },
	};
	static char much[MEGABYTE];
	struct fcgi_request *req;
	size_t i;
	int k;

	(void)state;
	memset(much, ' ', sizeof(much));
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_leased(FAKE_PLAIN);
		fake_head(200, cases[i].headers);
		for (k = 0; k < 3; k++)
			assert_true(fake_data(much, sizeof(much)));
		assert_true(req->nwrites > 0);
		assert_int_equal(fakes.relay->body_bytes, 0);
		fake_done(cases[i].result);
		assert_int_equal(req->finished, cases[i].finished);
		assert_int_equal(req->reset, !cases[i].finished);
		assert_int_equal(strlen(fake_body_of(req)), 3 * MEGABYTE);
		assert_int_equal(strcasestr(fake_answer(req),
		    "content-length: 3145728\r\n") != NULL, i == 0);
		assert_int_equal(fakes.nmoves, 0);
		check_settled(cases[i].outcome, USAGE_ESTIMATED,
		    (sizeof(FAKE_PLAIN) + 1) / 3, 1, cases[i].finished);
		fakes_stop();
	}
}

static void
a_long_answer_pauses_too(void **state)
{
	static char much[MEGABYTE];
	struct fcgi_request *req = fake_leased(FAKE_PLAIN);

	(void)state;
	memset(much, ' ', sizeof(much));
	fake_head(200, FAKE_JSON);
	req->full = true;
	assert_true(fake_data(much, sizeof(much)));
	assert_true(fake_data(much, sizeof(much)));
	assert_true(fake_data(much, sizeof(much)));
	assert_false(fake_data(much, sizeof(much)));
	fake_writable(req);
	assert_true(fakes.transfer->resumed);
	assert_true(fake_data(much, sizeof(much)));
	fake_done(TRANSFER_OK);
	assert_int_equal(strlen(fake_body_of(req)), 4 * MEGABYTE);
	fake_settled(ERR_NONE);
}

static void
a_long_error_of_an_account_is_not_passed_on(void **state)
{
	static const struct {
		int status;
		bool moves;
	} cases[] = { { 401, true }, { 500, true }, { 400, false } };
	static char much[MEGABYTE];
	struct fcgi_request *req;
	size_t i;

	(void)state;
	memset(much, ' ', sizeof(much));
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_leased(FAKE_PLAIN);
		fake_head(cases[i].status, FAKE_JSON);
		fake_data(much, sizeof(much));
		fake_data(much, sizeof(much));
		fake_data(much, 1);
		assert_int_equal(fakes.nmoves, cases[i].moves);
		if (cases[i].moves) {
			assert_int_equal(fakes.ncancelled, 1);
			fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
		} else {
			fake_done(TRANSFER_OK);
		}
		assert_int_equal(fake_status(req), cases[i].moves ? 503 :
		    400);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

/* ---- what the client cannot be given ---- */

static void
without_room_towards_the_client_the_connection_is_broken(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_head(200, FAKE_SSE);
	fake_text(START);
	req->no_memory = true;
	fake_text(DELTA);
	assert_true(req->reset);
	assert_int_equal(fakes.ncancelled, 1);
	check_settled("internal", USAGE_PARTIAL, 10, 3, false);
}

static void
an_error_event_that_cannot_be_written_is_a_reset(void **state)
{
	struct fcgi_request *req = fake_leased(FAKE_STREAM);

	(void)state;
	fake_head(200, FAKE_SSE);
	fake_text(START);
	req->no_memory = true;
	fake_done(TRANSFER_CUT);
	assert_true(req->reset);
	check_settled("upstream_cut", USAGE_PARTIAL, 10, 1, false);
}

static void
a_head_that_does_not_fit_is_answered_in_our_own_words(void **state)
{
	struct transfer_header h[2] = { { "content-type",
	    "text/event-stream" }, { "x-long", NULL } };
	struct fcgi_request *req = fake_leased(FAKE_STREAM);
	char *value = malloc(LIMIT_UPSTREAM_HEAD_BYTES + 1);

	(void)state;
	assert_non_null(value);
	memset(value, 'v', LIMIT_UPSTREAM_HEAD_BYTES);
	value[LIMIT_UPSTREAM_HEAD_BYTES] = '\0';
	h[1].value = value;
	fakes.transfer->params.events->head(fakes.transfer->params.arg, 200,
	    h, 2);
	free(value);
	assert_int_equal(fakes.ncancelled, 1);
	assert_int_equal(fake_status(req), 503);
	assert_int_equal(fakes.settled.end.mark, USAGE_ESTIMATED);
	fake_settled(ERR_NONE);
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, fakes_setup, fakes_teardown)
#define ALONE(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(a_stream_is_passed_on_byte_for_byte_however_it_is_cut),
		ALONE(an_upstream_that_does_not_end_its_stream_holds_nobody),
		WITH(the_last_line_end_is_passed_on_too),
		WITH(the_head_of_a_stream_says_what_is_needed),
		WITH(times_are_counted_from_the_whole_body),
		ALONE(the_body_is_given_back_at_the_first_event_if_it_has_left),
		ALONE(a_stream_that_breaks_ends_with_an_error_event),
		ALONE(an_error_event_in_the_stream_is_the_last_word),
		WITH(an_error_of_the_request_is_passed_on_and_costs_nothing),
		WITH(an_event_too_long_to_hold_passes_as_it_comes),
		WITH(within_such_an_event_only_a_reset_is_left),
		WITH(a_first_event_may_be_long),
		WITH(pings_go_out_in_silence_and_between_events_alone),
		ALONE(pings_are_a_little_early_where_they_show_who_left),
		ALONE(no_pings_where_they_are_switched_off),
		WITH(a_slow_client_gets_no_pings_and_costs_no_turns),
		WITH(a_slow_client_pauses_the_upstream),
		ALONE(plain_answers_go_out_whole_with_their_length),
		WITH(a_stream_that_is_answered_plainly_is_passed_plainly),
		WITH(head_answers_keep_the_length_that_the_upstream_stated),
		ALONE(long_plain_answers_are_passed_on_as_they_come),
		WITH(a_long_answer_pauses_too),
		ALONE(a_long_error_of_an_account_is_not_passed_on),
		WITH(without_room_towards_the_client_the_connection_is_broken),
		WITH(an_error_event_that_cannot_be_written_is_a_reset),
		WITH(a_head_that_does_not_fit_is_answered_in_our_own_words),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
