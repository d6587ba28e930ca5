#include "cmocka_all.h"

#include <string.h>

#include "base/conf.h"
#include "relay/judge.h"
#include "relay/ratelimit.h"

/* 2026-11-20T08:00:00Z */
#define NOW	INT64_C(1795161600000)
#define DAY	INT64_C(86400000)

#define MOVE	JUDGE_MOVE
#define RELAY	JUDGE_RELAY
#define FAIL	JUDGE_FAIL

static const struct conf conf = {
	.cooldown_rate_ms = 60000,
	.cooldown_auth_ms = 300000,
	.cooldown_overload_ms = 20000,
	.cooldown_error_ms = 10500,
};

/* Headers as "name: value" lines. */
static size_t
split(char *text, struct transfer_header *h, size_t max)
{
	char *line, *value;
	size_t n = 0;

	for (line = strtok(text, "\n"); line != NULL;
	    line = strtok(NULL, "\n")) {
		assert_true(n < max);
		value = strstr(line, ": ");
		assert_non_null(value);
		*value = '\0';
		h[n].name = line;
		h[n++].value = value + 2;
	}
	return (n);
}

/* ---- headers ---- */

#define AR "anthropic-ratelimit-"

static const struct {
	const char *headers;
	int64_t in_ms;		/* until, from now; 0: not stated */
	bool fact;
	const char *family, *what;
} limit_cases[] = {
	{ "", 0, false, "", "" },
	{ "retry-after: 30", 30000, false, "", "" },
	{ "retry-after: 1.5", 2000, false, "", "" },
	{ "retry-after: 0", 0, false, "", "" },
	{ "retry-after: -5", 0, false, "", "" },
	{ "retry-after: soon", 0, false, "", "" },
	{ "retry-after: ", 0, false, "", "" },
	{ "retry-after: 99999999999999999999", 0, false, "", "" },
	{ "retry-after: 31536000", 8 * DAY, false, "", "" },
	{ "retry-after: Fri, 20 Nov 2026 08:00:45 GMT", 45000, false,
	  "", "" },
	{ "retry-after: Fri, 20 Nov 2026 07:00:00 GMT", 0, false, "",
	  "" },
	{ "retry-after-ms: 1500\nretry-after: 30", 1500, false, "",
	  "" },
	{ "retry-after-ms: x\nretry-after: 30", 30000, false, "", "" },

	/* limits a minute */
	{ AR "requests-remaining: 0\n"
	  AR "requests-reset: 2026-11-20T08:00:20Z", 20000, true, "",
	  "requests" },
	{ AR "requests-remaining: 3\n"
	  AR "requests-reset: 2026-11-20T08:00:20Z", 0, false, "",
	  "" },
	{ AR "input-tokens-remaining: 0\n"
	  AR "input-tokens-reset: 2026-11-20T08:00:20Z\n"
	  AR "output-tokens-remaining: 0\n"
	  AR "output-tokens-reset: 2026-11-20T08:00:50.5Z", 50500,
	  true, "", "input-tokens" },
	{ AR "tokens-remaining: 0\n"
	  AR "tokens-reset: 2026-11-20T08:00:50Z\nretry-after: 7",
	  7000, true, "", "tokens" },
	{ AR "tokens-remaining: 0\n"
	  AR "tokens-reset: 2026-11-20T07:59:50Z", 0, true, "",
	  "tokens" },
	{ AR "tokens-remaining: 0\n" AR "tokens-reset: later", 0,
	  true, "", "tokens" },

	/* subscriptions */
	{ AR "unified-status: rejected\n"
	  AR "unified-reset: 1795168800\n"
	  AR "unified-representative-claim: five_hour\n"
	  "retry-after: 7200", 7200000, true, "", "five_hour" },
	{ AR "unified-status: rejected\n"
	  AR "unified-reset: 1795248000\n"
	  AR "unified-representative-claim: seven_day_opus", DAY,
	  true, "opus", "seven_day_opus" },
	{ AR "unified-status: rejected\n"
	  AR "unified-reset: 1795248000\n"
	  AR "unified-representative-claim: seven_day_sonnet", DAY,
	  true, "sonnet", "seven_day_sonnet" },
	{ AR "unified-status: rejected\n"
	  AR "unified-representative-claim: seven_day\n"
	  AR "unified-7d-reset: 1795248000", DAY, true, "",
	  "seven_day" },
	{ AR "unified-status: rejected\n"
	  AR "unified-reset: 1795161000\nretry-after: 9", 9000, true,
	  "", "unified" },
	{ AR "unified-status: rejected\n"
	  AR "unified-reset: 1895161000", 8 * DAY, true, "",
	  "unified" },
	{ AR "unified-status: allowed_warning\n"
	  AR "unified-reset: 1795168800", 0, false, "", "" },
	{ AR "unified-5h-status: rejected\n"
	  AR "unified-5h-reset: 1795165200\n"
	  AR "unified-7d-status: allowed\n"
	  AR "unified-7d-reset: 1795248000", 3600000, true, "",
	  "five_hour" },
};

static void
limits_are_read_from_headers(void **state)
{
	struct transfer_header h[8];
	struct ratelimit rl;
	char text[512];
	size_t i, n;

	(void)state;
	for (i = 0; i < NITEMS(limit_cases); i++) {
		strcpy(text, limit_cases[i].headers);
		n = split(text, h, NITEMS(h));
		ratelimit_read(h, n, NOW, &rl);
		if (rl.stated != (limit_cases[i].in_ms != 0) ||
		    (rl.stated && rl.until_ms - NOW != limit_cases[i].in_ms))
			fail_msg("%s: stated %d, in %lld ms",
			    limit_cases[i].headers, rl.stated,
			    (long long)(rl.until_ms - NOW));
		assert_int_equal(rl.fact, limit_cases[i].fact);
		assert_string_equal(rl.family, limit_cases[i].family);
		assert_string_equal(rl.what, limit_cases[i].what);
	}
}

#define W5(used, reset)							\
	AR "unified-5h-utilization: " used "\n" AR "unified-5h-reset: " reset
#define W7(used, reset)							\
	AR "unified-7d-utilization: " used "\n" AR "unified-7d-reset: " reset
#define BUCKET(name, limit, left, reset)				\
	AR name "-limit: " limit "\n" AR name "-remaining: " left "\n"	\
	AR name "-reset: 2026-11-20T" reset "Z"

static const struct {
	const char *headers;
	int64_t permille;	/* -1: nothing is known */
	int64_t in_ms;		/* until it is whole */
	int64_t window_ms;
} share_cases[] = {
	{ "", -1, 0, 0 },
	{ "request-id: req_1", -1, 0, 0 },
	{ W5("0.25", "1795165200"), 750, 3600000, 5 * 3600000 },
	{ "request-id: req_1\n" W5("1", "1795165200"), 0, 3600000,
	  5 * 3600000 },
	{ W5("1.07", "1795165200"), 0, 3600000, 5 * 3600000 },
	{ W5("0", "1795165200"), 1000, 3600000, 5 * 3600000 },
	{ W5("0.12345", "1795165200"), 877, 3600000, 5 * 3600000 },
	{ W5("much", "1795165200"), -1, 0, 0 },
	{ W5("0.5", "1795161000"), -1, 0, 0 },
	/* the one that is further behind */
	{ W5("0.5", "1795165200") "\n" W7("0.5", "1795248000"), 500, 3600000,
	  5 * 3600000 },
	{ W5("0.5", "1795165200") "\n" W7("0.95", "1795420800"), 50,
	  3 * DAY, 7 * DAY },
	/* limits a minute */
	{ BUCKET("requests", "50", "49", "08:00:01"), 980, 1000, 0 },
	{ BUCKET("requests", "50", "49", "08:00:01") "\n"
	  BUCKET("tokens", "40000", "4000", "08:00:50"), 100, 50000, 0 },
	{ BUCKET("requests", "0", "0", "08:00:01"), -1, 0, 0 },
	{ BUCKET("requests", "5", "-1", "08:00:01"), -1, 0, 0 },
};

static void
what_is_left_is_read_from_headers(void **state)
{
	struct transfer_header h[8];
	struct share s;
	char text[512];
	size_t i, n;

	(void)state;
	for (i = 0; i < NITEMS(share_cases); i++) {
		strcpy(text, share_cases[i].headers);
		n = split(text, h, NITEMS(h));
		ratelimit_share(h, n, NOW, &s);
		if ((s.seen_ms == 0) != (share_cases[i].permille == -1))
			fail_msg("%s: seen %d", share_cases[i].headers,
			    s.seen_ms != 0);
		if (s.seen_ms == 0)
			continue;
		assert_int_equal(s.seen_ms, NOW);
		assert_int_equal(s.permille, share_cases[i].permille);
		assert_int_equal(s.reset_ms - NOW, share_cases[i].in_ms);
		assert_int_equal(s.window_ms, share_cases[i].window_ms);
	}
}

/* ---- decisions ---- */

static const struct status_case {
	int status;
	const char *type, *message;
	int action;
	const char *outcome;
	int64_t base_ms;	/* 0: no park */
	int fallback;
	bool billed;
} status_cases[] = {
	{ 200, "", "", RELAY, "ok", 0, 0, false },
	{ 204, "", "", RELAY, "ok", 0, 0, false },
	{ 304, "", "", RELAY, "ok", 0, 0, false },
	{ 302, "", "", FAIL, "redirect", 0, 502, false },
	{ 400, "invalid_request_error", "max_tokens: required", RELAY,
	  "client_error", 0, 0, false },
	{ 400, "invalid_request_error", "Your credit balance is too "
	  "low to access the Anthropic API.", MOVE, "credit", 300000,
	  503, false },
	{ 400, "invalid_request_error", "Unexpected value(s) `your "
	  "credit balance is too low` for the `anthropic-beta` "
	  "header", RELAY, "client_error", 0, 0, false },
	{ 400, "billing_error", "", MOVE, "credit", 300000, 503,
	  false },
	{ 400, "invalid_request_error", "This organization has been "
	  "disabled.", MOVE, "credit", 300000, 503, false },
	{ 401, "authentication_error", "invalid x-api-key", MOVE,
	  "auth", 300000, 503, false },
	{ 402, "billing_error", "", MOVE, "credit", 300000, 503,
	  false },
	{ 403, "permission_error", "", MOVE, "auth", 10500, 503,
	  false },
	{ 404, "not_found_error", "model: x", RELAY, "client_error",
	  0, 0, false },
	{ 405, "", "", RELAY, "client_error", 0, 0, false },
	{ 408, "", "", MOVE, "upstream_timeout", 10500, 503, true },
	{ 409, "", "", RELAY, "client_error", 0, 0, false },
	{ 413, "", "", RELAY, "client_error", 0, 0, false },
	{ 418, "", "", RELAY, "client_error", 0, 0, false },
	{ 422, "", "", RELAY, "client_error", 0, 0, false },
	{ 429, "rate_limit_error", "", MOVE, "rate_limited", 60000,
	  429, false },
	{ 500, "api_error", "", MOVE, "upstream_error", 10500, 503,
	  false },
	{ 500, "overloaded_error", "", MOVE, "overloaded", 20000, 503,
	  false },
	{ 502, "", "", MOVE, "upstream_error", 10500, 503, false },
	{ 503, "", "", MOVE, "overloaded", 20000, 503, false },
	{ 504, "", "", MOVE, "upstream_error", 10500, 503, true },
	{ 520, "", "", MOVE, "upstream_error", 10500, 503, false },
	{ 524, "", "", MOVE, "upstream_error", 10500, 503, true },
	{ 529, "overloaded_error", "", MOVE, "overloaded", 20000, 503,
	  false },
};

static void
is_judged(const struct status_case *c)
{
	struct judge_input in = { .result = TRANSFER_OK, .stream = true,
	    .now_ms = NOW, .conf = &conf, .model = "m", .status = c->status,
	    .error_type = c->type, .error_message = c->message };
	struct judgement j;

	judge(&in, &j);
	if (j.action != (enum judge_action)c->action ||
	    strcmp(j.outcome, c->outcome) != 0)
		fail_msg("%d: action %d, %s", in.status, j.action, j.outcome);
	assert_int_equal(j.park.wanted, c->base_ms != 0);
	assert_int_equal(j.park.base_ms, c->base_ms);
	assert_int_equal(j.fallback_status, c->fallback);
	assert_int_equal(j.maybe_billed, c->billed);
	assert_int_equal(j.success, c->action == RELAY);
	if (j.park.wanted)
		assert_string_equal(j.park.reason, c->outcome);
	assert_int_equal(j.park.soft, j.park.wanted &&
	    (in.status == 408 || in.status >= 500));
	assert_int_equal(j.pointless, c->fallback == 503 && !j.park.soft);
}

static void
statuses_are_judged(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(status_cases); i++)
		is_judged(&status_cases[i]);
}

static void
broken_transfers_are_judged(void **state)
{
	static const struct {
		enum transfer_result result;
		int status;
		bool stream, kept;
		int action;
		const char *outcome;
		bool parks, billed;
		int fallback;
	} cases[] = {
		{ TRANSFER_RESOLVE, 0, true, false, MOVE, "resolve", true,
		  false, 503 },
		{ TRANSFER_CONNECT, 0, false, false, MOVE, "connect", true,
		  false, 503 },
		{ TRANSFER_PROXY, 0, false, false, MOVE, "proxy", true,
		  false, 503 },
		{ TRANSFER_TLS, 0, false, false, MOVE, "tls", true, false,
		  503 },
		{ TRANSFER_SEND, 0, true, false, MOVE, "send", true, true,
		  503 },
		{ TRANSFER_SEND, 0, false, true, MOVE, "send", false, false,
		  503 },
		{ TRANSFER_CUT, 0, true, false, MOVE, "cut", true, true,
		  503 },
		{ TRANSFER_CUT, 200, false, false, MOVE, "cut", true, true,
		  503 },
		{ TRANSFER_CUT, 200, false, true, MOVE, "cut", true, true,
		  503 },
		{ TRANSFER_CUT, 404, true, false, MOVE, "cut", true, true,
		  503 },
		{ TRANSFER_CUT, 429, true, false, MOVE, "rate_limited", true,
		  false, 429 },
		{ TRANSFER_GARBAGE, 0, true, false, MOVE, "garbage", true,
		  true, 503 },
		{ TRANSFER_OK, 0, true, false, MOVE, "garbage", true, true,
		  503 },
		{ TRANSFER_SILENT, 0, true, false, MOVE, "silent", true, true,
		  503 },
		{ TRANSFER_SILENT, 0, false, false, FAIL, "silent", false,
		  true, 504 },
		{ TRANSFER_STALLED, 200, true, false, MOVE, "stalled", true,
		  true, 503 },
		{ TRANSFER_STALLED, 200, false, false, FAIL, "stalled", false,
		  true, 504 },
		{ TRANSFER_STALLED, 401, false, false, MOVE, "auth", true,
		  false, 503 },
		{ TRANSFER_OK, 408, false, false, FAIL, "upstream_timeout",
		  false, true, 504 },
		{ TRANSFER_INTERNAL, 0, true, false, FAIL, "internal", false,
		  false, 503 },
	};
	struct judge_input in = { .now_ms = NOW, .conf = &conf,
	    .model = "m", .error_type = "", .error_message = "" };
	struct judgement j;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		in.result = cases[i].result;
		in.status = cases[i].status;
		in.stream = cases[i].stream;
		in.kept_alive = cases[i].kept;
		judge(&in, &j);
		if (j.action != (enum judge_action)cases[i].action ||
		    strcmp(j.outcome, cases[i].outcome) != 0)
			fail_msg("case %zu: action %d, %s", i, j.action,
			    j.outcome);
		assert_int_equal(j.park.wanted, cases[i].parks);
		assert_int_equal(j.maybe_billed, cases[i].billed);
		assert_int_equal(j.fallback_status, cases[i].fallback);
		assert_false(j.success);
		assert_int_equal(j.again, cases[i].kept &&
		    cases[i].result == TRANSFER_SEND);
	}
}

static void
parks_carry_what_the_upstream_stated(void **state)
{
	static const struct transfer_header rejected[] = {
		{ AR "unified-status", "rejected" },
		{ AR "unified-reset", "1795168800" },
		{ AR "unified-representative-claim", "seven_day_opus" },
	};
	static const struct transfer_header wait[] = {
		{ "retry-after", "12" },
	};
	struct judge_input in = { .result = TRANSFER_OK, .status = 429,
	    .headers = rejected, .nheaders = 3, .now_ms = NOW, .conf = &conf,
	    .error_type = "rate_limit_error", .error_message = "" };
	struct judgement j;

	(void)state;
	judge(&in, &j);
	assert_true(j.park.stated && j.park.fact);
	assert_true(j.park.until_ms == NOW + 7200000);
	assert_string_equal(j.park.family, "opus");
	assert_string_equal(j.park.detail,
	    "HTTP 429 rate_limit_error seven_day_opus");
	assert_int_equal(j.retry_after_s, 7200);

	in.status = 529;
	in.headers = wait;
	in.nheaders = 1;
	judge(&in, &j);
	assert_true(j.park.stated);
	assert_false(j.park.fact);
	assert_true(j.park.until_ms == NOW + 12000);
	assert_int_equal(j.retry_after_s, 12);

	/* A refused credential is not healed by waiting. */
	in.status = 401;
	judge(&in, &j);
	assert_false(j.park.stated);
	assert_true(j.park.until_ms == 0);
	assert_int_equal(j.retry_after_s, 0);

	in.status = 500;
	in.nheaders = 0;
	judge(&in, &j);
	assert_int_equal(j.retry_after_s, 11);
}

/* Claude Code gives up after three attempts where a body holds
 * "overloaded_error", and shows a login prompt for an account's 401. */
static void
our_words_name_neither_account_nor_credential(void **state)
{
	static const char *const never[] = { "overloaded_error", "x-api-key",
		"secret words", "redit balance", "401", "403" };
	struct judge_input in = { .now_ms = NOW, .conf = &conf,
	    .stream = true, .error_type = "secret words",
	    .error_message = "secret words" };
	struct judgement j;
	size_t i;

	(void)state;
	for (in.status = 100; in.status < 600; in.status++) {
		judge(&in, &j);
		if (j.action == JUDGE_RELAY)
			continue;
		for (i = 0; i < NITEMS(never); i++)
			assert_null(strstr(j.fallback_message, never[i]));
		assert_true(j.fallback_message[0] != '\0');
		assert_true(j.fallback_status == 429 ||
		    j.fallback_status == (j.action == JUDGE_FAIL ? 502 : 503));
		assert_string_equal(j.fallback_type, j.fallback_status == 429 ?
		    "rate_limit_error" : in.status == 408 ?
		    "timeout_error" : "api_error");
		assert_true(j.action == JUDGE_FAIL || j.pointless ||
		    j.retry_after_s > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read_from_headers),
		cmocka_unit_test(what_is_left_is_read_from_headers),
		cmocka_unit_test(statuses_are_judged),
		cmocka_unit_test(broken_transfers_are_judged),
		cmocka_unit_test(parks_carry_what_the_upstream_stated),
		cmocka_unit_test(our_words_name_neither_account_nor_credential),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
