#define _GNU_SOURCE	/* strcasestr */

#include "cmocka_all.h"

#include <string.h>

#include "base/conf.h"
#include "base/limits.h"
#include "fakes.h"
#include "relay/relay_int.h"
#include "relay/throttle.h"

/* ---- routes ---- */

static void
some_routes_are_answered_at_once(void **state)
{
	static const struct {
		const char *method, *target;
		int status;
		const char *has;	/* in the answer */
	} cases[] = {
		{ "GET", "/", 200, "leasehold" },
		{ "HEAD", "/", 200, "Content-Length: 24" },
		{ "GET", "/api/hello", 200, "leasehold" },
		{ "HEAD", "/api/hello", 200, "" },
		{ "GET", "/health", 200, "\"ok\"" },
		{ "GET", "/claude/health", 200, "\"ok\"" },
		{ "HEAD", "/health?x=1", 200, "no-store" },
		{ "OPTIONS", "/v1/messages", 204, "OPTIONS" },
		{ "OPTIONS", "/nowhere", 204, "OPTIONS" },
		{ "GET", "/nowhere", 404, "not_found_error" },
		{ "POST", "/v1/message", 404, "request_id" },
		{ "GET", "/api/claude/v1/models", 404, "" },
		{ "GET", "/v1/models/..", 404, "" },
		{ "GET", "/v1/models/%2E%2e?a=b", 404, "" },
		{ "GET", "/v1/models/..%2Ffiles", 404, "" },
		{ "GET", "/v1/models/a%5c.%2e%5c..%5cfiles", 404, "" },
		{ "GET", "/claude/v1/models/.", 404, "" },
		{ "POST", "/", 405, "GET, HEAD" },
		{ "GET", "/v1/messages", 405, "POST" },
		{ "DELETE", "/v1/messages", 405, "POST" },
		{ "GET", "/v1/messages/count_tokens", 405, "POST" },
		{ "POST", "/v1/models", 405, "GET, HEAD" },
		{ "PUT", "/v1/models/x", 405, "GET, HEAD" },
		{ "GET", "/v1/leasehold/probe/echo", 403, "error" },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_begin(cases[i].method, cases[i].target, "");
		assert_false(req->wanted);
		if (fake_status(req) != cases[i].status ||
		    strcasestr(fake_answer(req), cases[i].has) == NULL)
			fail_msg("%s %s: %s", cases[i].method,
			    cases[i].target, fake_answer(req));
		assert_int_equal(fakes.nlookups, 0);
		fakes_stop();
	}
}

static void
head_answers_have_no_body(void **state)
{
	struct fcgi_request *req = fake_begin("HEAD", "/", "");
	const char *s = fake_answer(req);

	(void)state;
	assert_string_equal(s + strlen(s) - 4, "\r\n\r\n");
}

static void
health_says_when_the_database_cannot_be_used(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.ready = false;
	req = fake_begin("GET", "/health", "");
	assert_int_equal(fake_status(req), 503);
	assert_non_null(strcasestr(fake_answer(req), "retry-after: 2"));
}

static const struct {
	const char *method, *target, *url, *kind;
	bool body, needs_slot, billed;
} relayed[] = {
	{ "POST", "/v1/messages", "/v1/messages", "messages", true, true,
	  true },
	{ "POST", "/v1/messages?beta=true", "/v1/messages?beta=true",
	  "messages", true, true, true },
	{ "POST", "/claude/v1/messages", "/v1/messages", "messages", true,
	  true, true },
	{ "POST", "/api/v1/messages", "/v1/messages", "messages", true, true,
	  true },
	{ "POST", "/v1/messages/count_tokens?beta=true",
	  "/v1/messages/count_tokens?beta=true", "count_tokens", true, false,
	  false },
	{ "POST", "/api/v1/messages/count_tokens",
	  "/v1/messages/count_tokens", "count_tokens", true, false, false },
	{ "GET", "/v1/models?limit=1000", "/v1/models?limit=1000", "models",
	  false, false, false },
	{ "HEAD", "/v1/models", "/v1/models", "models", false, false,
	  false },
	{ "GET", "/claude/v1/models", "/v1/models", "models", false, false,
	  false },
	{ "GET", "/v1/models/claude-x-1", "/v1/models/claude-x-1", "models",
	  false, false, false },
	{ "GET", "/api/v1/models/a%2fb", "/v1/models/a%2fb", "models", false,
	  false, false },
};

/* With the key known, and not yet known: both ways lead to the same. */
static void
relay_one(size_t i, bool cached)
{
	struct fcgi_request *req;

	fakes_start("");
	fakes.key_cached = cached;
	req = fake_begin(relayed[i].method, relayed[i].target, FAKE_KEY);
	assert_int_equal(req->held, !cached && relayed[i].body);
	if (!cached)
		fake_looked_up(true, ERR_NONE);
	assert_int_equal(req->wanted, relayed[i].body);
	fake_body(req, FAKE_STREAM, strlen(FAKE_STREAM));
	fake_end(req);

	assert_non_null(fakes.admit);
	assert_string_equal(fakes.admit->kind, relayed[i].kind);
	assert_int_equal(fakes.admit->needs_slot, relayed[i].needs_slot);
	assert_int_equal(fakes.admit->billed, relayed[i].billed);
	assert_int_equal(fakes.admit->ledger_id, 1);
	assert_ptr_equal(fakes.admit->key, &fakes.key);
	assert_string_equal(fakes.admit->platform, "claude");
	assert_int_equal(fakes.admit->stream, relayed[i].body);
	assert_int_equal(fakes.admit->max_tokens, relayed[i].body ? 100 : 0);
	assert_string_equal(fakes.admit->model, relayed[i].body ?
	    "claude-x-1" : "");

	fake_admitted(ADMIT_LEASED, ERR_NONE);
	assert_string_equal(fakes.transfer->method, relayed[i].method);
	assert_string_equal(fakes.transfer->url +
	    strlen("https://api.example"), relayed[i].url);
	assert_string_equal(fakes.transfer->credential, "secret-1");
	assert_int_equal(fakes.transfer->params.has_body, relayed[i].body);
	if (relayed[i].body)
		assert_memory_equal(fakes.transfer->params.body, FAKE_STREAM,
		    strlen(FAKE_STREAM));
	fake_gone(req);
	fake_settled(ERR_NONE);
	fakes_stop();
}

static void
model_calls_go_upstream_under_their_own_path(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(relayed); i++) {
		relay_one(i, true);
		relay_one(i, false);
	}
}

/* ---- keys ---- */

static void
keys_are_tried_in_turn(void **state)
{
	static const struct {
		const char *params;
		const char *lookups;	/* k known, u unknown, d store down */
		int status;		/* 0: the body is taken */
	} cases[] = {
		{ "", "", 401 },
		{ "HTTP_AUTHORIZATION=Basic eA==\n", "", 401 },
		{ FAKE_KEY, "k", 0 },
		{ "HTTP_AUTHORIZATION=Bearer sk-lh-one\n", "k", 0 },
		{ FAKE_KEY, "u", 401 },
		{ FAKE_KEY "HTTP_AUTHORIZATION=Bearer sk-lh-two\n", "uk", 0 },
		{ FAKE_KEY "HTTP_AUTHORIZATION=Bearer sk-lh-two\n", "k", 0 },
		{ FAKE_KEY "HTTP_AUTHORIZATION=Bearer sk-lh-two\n", "uu",
		  401 },
		{ FAKE_KEY "HTTP_AUTHORIZATION=Bearer sk-lh-one\n", "u",
		  401 },
		{ FAKE_KEY, "d", 503 },
		{ FAKE_KEY "HTTP_AUTHORIZATION=Bearer sk-lh-two\n", "ud",
		  503 },
	};
	struct fcgi_request *req;
	const char *l;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_begin("POST", "/v1/messages", cases[i].params);
		for (l = cases[i].lookups; *l != '\0'; l++) {
			assert_true(req->held);
			assert_non_null(fakes.lookup);
			fake_looked_up(*l == 'k', *l == 'd' ? ERR_STORE_DOWN :
			    ERR_NONE);
		}
		assert_null(fakes.lookup);
		if (cases[i].status == 0) {
			assert_false(req->held);
			fake_gone(req);
		} else {
			assert_int_equal(fake_status(req), cases[i].status);
		}
		fakes_stop();
	}
}

static void
a_wrong_key_is_told_not_to_try_again(void **state)
{
	struct fcgi_request *req = fake_begin("POST", "/v1/messages",
	    FAKE_KEY);

	(void)state;
	fake_looked_up(false, ERR_NONE);
	assert_int_equal(fake_status(req), 401);
	assert_non_null(strcasestr(fake_answer(req),
	    "x-should-retry: false\r\n"));
	assert_non_null(strstr(fake_answer(req), "authentication_error"));
}

static void
a_pool_that_never_came_up_is_503_and_not_401(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.pepper = false;
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	assert_int_equal(fake_status(req), 503);
	assert_non_null(strcasestr(fake_answer(req), "retry-after: 2\r\n"));
}

static void
guessing_is_slowed_down_but_known_keys_are_not(void **state)
{
	struct fcgi_request *req;
	int i;

	(void)state;
	for (i = 0; i < THROTTLE_FAILURES; i++) {
		req = fake_begin("POST", "/v1/messages", FAKE_KEY);
		assert_non_null(fakes.lookup);
		fake_looked_up(false, ERR_NONE);
		assert_int_equal(fake_status(req), 401);
		fake_forget(req);
	}
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	assert_null(fakes.lookup);
	assert_int_equal(fake_status(req), 429);
	assert_non_null(strcasestr(fake_answer(req), "retry-after: 10\r\n"));

	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	assert_true(req->wanted);
	fake_gone(req);

	/* So is one that has to be read anew after a change. */
	fakes.key_cached = false;
	fakes.key_known = true;
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	assert_non_null(fakes.lookup);
	fake_looked_up(true, ERR_NONE);
	assert_true(req->wanted);
	fake_gone(req);

	fakes.key_known = false;
	fakes_pass(THROTTLE_WINDOW_MS + 1);
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	assert_non_null(fakes.lookup);
	fake_looked_up(true, ERR_NONE);
	fake_gone(req);
}

static void
a_request_without_a_key_is_no_guess(void **state)
{
	struct fcgi_request *req;
	int i;

	(void)state;
	for (i = 0; i < THROTTLE_FAILURES + 5; i++) {
		req = fake_begin("POST", "/v1/messages", "");
		assert_int_equal(fake_status(req), 401);
		fake_forget(req);
	}
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	assert_non_null(fakes.lookup);
	fake_looked_up(true, ERR_NONE);
	fake_gone(req);
}

/* ---- rules of keys ---- */

#define FROM(a) FAKE_KEY "REMOTE_ADDR=" a "\nHTTP_USER_AGENT=curl/8\n"

static void
strangers_are_refused_before_their_body(void **state)
{
	static char office[] = "10.0.0.0/8", claude[] = "claude-code";
	static const struct {
		char *nets, *clients;
		const char *params, *has;	/* NULL: let in */
	} cases[] = {
		{ office, NULL, FROM("10.1.1.1"), NULL },
		{ office, NULL, FROM("192.0.2.1"), "from address 192.0.2.1" },
		{ office, NULL, FROM("unix:"), "cannot be told" },
		{ office, NULL, FROM("192.0.2.1")
		    "HTTP_X_FORWARDED_FOR=10.1.1.1\n", "192.0.2.1" },
		{ office, NULL, FROM("198.51.100.2")
		    "HTTP_X_FORWARDED_FOR=10.1.1.1\n", NULL },
		{ office, NULL, FROM("198.51.100.2")
		    "HTTP_X_FORWARDED_FOR=10.1.1.1, 9.9.9.9\n", "9.9.9.9" },
		{ office, NULL, FROM("198.51.100.2")
		    "HTTP_X_FORWARDED_FOR=unknown\n", "cannot be told" },
		{ NULL, claude, FROM("192.0.2.1"),
		    "of kind curl, as it says it is \\\"curl/8\\\"" },
		{ office, claude, FAKE_KEY "REMOTE_ADDR=10.0.0.1\n"
		    "HTTP_USER_AGENT=claude-cli/2.1 (external, cli)\n", NULL },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * NITEMS(cases); i++) {
		fakes_start("trusted_proxies = 198.51.100.0/24\n");
		fakes.key.nets = cases[i / 2].nets;
		fakes.key.clients = cases[i / 2].clients;
		fakes.key_cached = i % 2 == 0;
		req = fake_begin("POST", "/v1/messages", cases[i / 2].params);
		/* What was remembered turns nobody away. */
		if (fakes.lookup != NULL)
			fake_looked_up(true, ERR_NONE);
		assert_null(fakes.lookup);
		if (cases[i / 2].has == NULL) {
			assert_true(req->wanted);
			assert_int_equal(fakes.nlookups, i % 2);
			fake_gone(req);
		} else {
			assert_int_equal(fake_status(req), 403);
			assert_int_equal(fakes.nlookups, 1);
			assert_non_null(strstr(fake_answer(req),
			    "permission_error"));
			assert_non_null(strcasestr(fake_answer(req),
			    "x-should-retry: false\r\n"));
			if (strstr(fake_answer(req), cases[i / 2].has) == NULL)
				fail_msg("%s", fake_answer(req));
		}
		fakes_stop();
	}
}

static void
a_rule_that_was_lifted_holds_nobody_up(void **state)
{
	static char office[] = "10.0.0.0/8";
	struct fcgi_request *req;

	(void)state;
	fakes.key.nets = office;
	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages", FROM("192.0.2.1"));
	assert_true(req->held);
	fakes.key.nets = NULL;
	fake_looked_up(true, ERR_NONE);
	assert_false(req->held);
	fake_body(req, FAKE_STREAM, strlen(FAKE_STREAM));
	fake_end(req);

	/* And who calls goes along, for admission and ledger. */
	assert_string_equal(fakes.admitted.address, "192.0.2.1");
	assert_true(fakes.admitted.caller.addr.known);
	assert_string_equal(fakes.admitted.caller.agent, "curl/8");
	fake_gone(req);
	fake_admitted(ADMIT_LEASED, ERR_CANCELLED);
}

static void
an_address_is_recorded_where_that_is_wanted(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes_start("record_address = none\n");
	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages", FROM("192.0.2.1"));
	fake_body(req, FAKE_STREAM, strlen(FAKE_STREAM));
	fake_end(req);
	assert_string_equal(fakes.admitted.address, "");
	assert_true(fakes.admitted.caller.addr.known);
	fake_gone(req);
	fake_admitted(ADMIT_LEASED, ERR_CANCELLED);
	fakes_stop();
}

static void
a_stranger_may_leave_while_the_key_is_read(void **state)
{
	static char office[] = "10.0.0.0/8";
	struct fcgi_request *req;

	(void)state;
	fakes.key.nets = office;
	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages", FROM("192.0.2.1"));
	fake_gone(req);
	fake_looked_up(true, ERR_NONE);
}

/* ---- bodies ---- */

static void
malformed_bodies_are_told_what_is_wrong(void **state)
{
	static const struct {
		const char *body, *has;
	} cases[] = {
		{ "", "" },
		{ "{", "" },
		{ "[]", "object" },
		{ "{\"model\":1}", "model" },
		{ "{\"messages\":[]}", "model" },
		{ "{\"model\":\"x\"", "" },
		{ "{\"model\":\"x\"}}", "" },
		{ "{\"model\":\"x\",\"stream\":1}", "stream" },
		{ "{\"model\":\"x\",\"max_tokens\":-1}", "max_tokens" },
		{ "{\"model\":\"x\" oops}", "line 1, byte 14" },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		req = fake_post(cases[i].body);
		assert_int_equal(fakes.nadmits, 0);
		if (fake_status(req) != 400 ||
		    strstr(fake_answer(req), cases[i].has) == NULL)
			fail_msg("%s: %s", cases[i].body, fake_answer(req));
		assert_non_null(strstr(fake_answer(req),
		    "invalid_request_error"));
		fakes_stop();
	}
}

static void
a_body_that_is_stated_too_long_is_not_begun(void **state)
{
	struct fcgi_request *req = fake_begin("POST", "/v1/messages",
	    FAKE_KEY "CONTENT_LENGTH=33554433\n");

	(void)state;
	assert_int_equal(fake_status(req), 413);
	assert_int_equal(fakes.nlookups, 0);
}

static void
a_compressed_body_is_not_begun(void **state)
{
	static const struct {
		const char *method, *path, *coding;
		bool refused;
	} cases[] = {
		{ "POST", "/v1/messages", "gzip", true },
		{ "POST", "/v1/messages", "br", true },
		{ "POST", "/v1/messages", "zstd", true },
		{ "POST", "/v1/messages", "identity, gzip", true },
		{ "POST", "/v1/messages/count_tokens", "gzip", true },
		{ "POST", "/v1/messages", "Identity", false },
		{ "POST", "/v1/messages", "", false },
		{ "GET", "/v1/models", "gzip", false },
	};
	struct fcgi_request *req;
	char params[128];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		fakes_start("");
		snprintf(params, sizeof(params), FAKE_KEY
		    "HTTP_CONTENT_ENCODING=%s\n", cases[i].coding);
		req = fake_begin(cases[i].method, cases[i].path, params);
		assert_int_equal(fakes.nlookups, !cases[i].refused);
		if (cases[i].refused) {
			assert_int_equal(fake_status(req), 415);
			assert_non_null(strstr(fake_answer(req),
			    "invalid_request_error"));
			assert_non_null(strstr(fake_answer(req),
			    "send it uncompressed"));
		} else {
			fake_gone(req);
			fake_looked_up(true, ERR_NONE);
		}
		fakes_stop();
	}
}

static void
a_body_that_grows_too_long_is_refused(void **state)
{
	static char blanks[1024];
	struct fcgi_request *req;

	(void)state;
	fakes_start("body_max_bytes = 1K");
	fakes.key_cached = true;
	memset(blanks, ' ', sizeof(blanks));
	req = fake_begin("POST", "/v1/messages", FAKE_KEY);
	fake_body(req, blanks, sizeof(blanks));
	assert_true(req->wanted);
	fake_body(req, blanks, 1);
	assert_false(req->wanted);
	assert_int_equal(fake_status(req), 413);
	fakes_stop();
}

static void
all_bodies_together_stay_under_the_ceiling(void **state)
{
	static char blanks[900];
	struct fcgi_request *a, *b, *c, *d;

	(void)state;
	memset(blanks, ' ', sizeof(blanks));
	fakes_start("bodies_max_bytes = 2K\nbody_max_bytes = 2K");
	fakes.key_cached = true;

	/* Of what was stated, at most a step is set aside at once. */
	a = fake_begin("POST", "/v1/messages", FAKE_KEY
	    "CONTENT_LENGTH=1200\n");
	fake_body(a, blanks, 1);
	assert_int_equal(fakes.relay->body_bytes, 1200);
	b = fake_begin("POST", "/v1/messages", FAKE_KEY
	    "CONTENT_LENGTH=849\n");
	assert_int_equal(fake_status(b), 503);
	assert_non_null(strcasestr(fake_answer(b), "retry-after: 1\r\n"));

	/* What was not stated counts as it comes. */
	c = fake_begin("POST", "/v1/messages", FAKE_KEY);
	fake_body(c, blanks, 848);
	assert_int_equal(fakes.relay->body_bytes, 2048);
	fake_body(c, blanks, 1);
	assert_int_equal(fake_status(c), 503);
	assert_int_equal(fakes.relay->body_bytes, 1200);
	fake_gone(a);
	assert_int_equal(fakes.relay->body_bytes, 0);
	d = fake_begin("POST", "/v1/messages", FAKE_KEY);
	fake_body(d, blanks, 900);
	assert_true(d->wanted);
	fake_gone(d);
	fakes_stop();
}

static void
bodies_that_only_begin_keep_nobody_out(void **state)
{
	enum { STEP = LIMIT_BODY_STEP_BYTES, WHOLE = 512 * 1024 };
	static char blanks[WHOLE];
	struct fcgi_request *req[3];
	size_t i;

	(void)state;
	memset(blanks, ' ', sizeof(blanks));
	fakes_start("bodies_max_bytes = 1M\nbody_max_bytes = 512K");
	fakes.key_cached = true;
	for (i = 0; i < NITEMS(req); i++) {
		req[i] = fake_begin("POST", "/v1/messages", FAKE_KEY
		    "CONTENT_LENGTH=524288\n");
		fake_body(req[i], blanks, 1);
		assert_int_equal(fakes.relay->body_bytes, (i + 1) * STEP);
	}

	/* As much ahead as has come; never more than was stated. */
	fake_body(req[0], blanks, STEP);
	assert_int_equal(fakes.relay->body_bytes, 2 * (STEP + 1) + 2 * STEP);
	fake_body(req[0], blanks, WHOLE - STEP - 1);
	assert_true(req[0]->wanted);
	assert_int_equal(fakes.relay->body_bytes, WHOLE + 2 * STEP);

	/* No room for as much again: what came counts alone. */
	fake_body(req[1], blanks, 3 * STEP - 1);
	assert_int_equal(fakes.relay->body_bytes, WHOLE + 6 * STEP + STEP);
	fake_body(req[1], blanks, STEP * 3 + 1);
	assert_int_equal(fakes.relay->body_bytes, WHOLE + 6 * STEP + 1 + STEP);

	/* Begun, and no room: it goes, and the others can end. */
	fake_body(req[1], blanks, STEP);
	assert_int_equal(fake_status(req[1]), 503);
	assert_int_equal(fakes.relay->body_bytes, WHOLE + STEP);
	fake_body(req[2], blanks, WHOLE - 1);
	assert_true(req[2]->wanted);
	assert_int_equal(fakes.relay->body_bytes, 2 * WHOLE);
	fake_gone(req[0]);
	fake_gone(req[2]);
	assert_int_equal(fakes.relay->body_bytes, 0);
	fakes_stop();
}

static void
what_the_server_finds_bad_is_told_and_forgotten(void **state)
{
	static const int statuses[] = { 400, 408, 431 };
	struct fcgi_request *req;
	size_t i;

	(void)state;
	fakes.key_cached = true;
	for (i = 0; i < NITEMS(statuses); i++) {
		req = fake_begin("POST", "/v1/messages", FAKE_KEY);
		fake_body(req, "{", 1);
		fake_bad(req, statuses[i]);
		assert_int_equal(fake_status(req), statuses[i]);
		assert_int_equal(relay_calls(fakes.relay), 0);
	}
}

static void
without_a_database_a_whole_body_is_503(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.ready = false;
	req = fake_post(FAKE_STREAM);
	assert_int_equal(fake_status(req), 503);
	assert_int_equal(fakes.nadmits, 0);
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, fakes_setup, fakes_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_routes_are_answered_at_once),
		WITH(head_answers_have_no_body),
		WITH(health_says_when_the_database_cannot_be_used),
		cmocka_unit_test(model_calls_go_upstream_under_their_own_path),
		cmocka_unit_test(keys_are_tried_in_turn),
		WITH(a_wrong_key_is_told_not_to_try_again),
		WITH(a_pool_that_never_came_up_is_503_and_not_401),
		WITH(guessing_is_slowed_down_but_known_keys_are_not),
		WITH(a_request_without_a_key_is_no_guess),
		cmocka_unit_test(strangers_are_refused_before_their_body),
		WITH(a_rule_that_was_lifted_holds_nobody_up),
		cmocka_unit_test(an_address_is_recorded_where_that_is_wanted),
		WITH(a_stranger_may_leave_while_the_key_is_read),
		cmocka_unit_test(malformed_bodies_are_told_what_is_wrong),
		WITH(a_body_that_is_stated_too_long_is_not_begun),
		cmocka_unit_test(a_compressed_body_is_not_begun),
		cmocka_unit_test(a_body_that_grows_too_long_is_refused),
		cmocka_unit_test(all_bodies_together_stay_under_the_ceiling),
		cmocka_unit_test(bodies_that_only_begin_keep_nobody_out),
		WITH(what_the_server_finds_bad_is_told_and_forgotten),
		WITH(without_a_database_a_whole_body_is_503),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
