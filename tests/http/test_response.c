#include "cmocka_all.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "http/response.h"

static void
heads_are_in_cgi_form(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(response_begin(&out, 429), 0);
	assert_int_equal(response_header(&out, "content-type", "text/plain"),
	    0);
	assert_int_equal(response_header(&out, "x-empty", ""), 0);
	assert_int_equal(response_header(&out, "x-t", "a\tb \xc3\xa9"), 0);
	assert_int_equal(response_header_int(&out, "content-length", -5), 0);
	assert_int_equal(response_end(&out), 0);
	assert_string_equal(buf_cstr(&out), "Status: 429 Too Many Requests\r\n"
	    "content-type: text/plain\r\nx-empty: \r\nx-t: a\tb \xc3\xa9\r\n"
	    "content-length: -5\r\n\r\n");
	buf_reset(&out);
	assert_int_equal(response_begin(&out, 529), 0);
	assert_int_equal(response_begin(&out, 598), 0);
	assert_int_equal(response_begin(&out, 299), 0);
	assert_string_equal(buf_cstr(&out), "Status: 529 Overloaded\r\n"
	    "Status: 598 Unknown\r\nStatus: 299 Unknown\r\n");
	buf_reset(&out);
	assert_int_equal(response_begin(&out, 99), -1);
	assert_int_equal(response_begin(&out, 600), -1);
	assert_int_equal(buf_len(&out), 0);
	buf_fini(&out);
}

static void
header_injection_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "x", "a\r\nSet-Cookie: b" }, { "x", "a\nb" },
		{ "x", "a\rb" }, { "x", "\x7f" }, { "x", "a\1" },
		{ "", "a" }, { "x y", "a" }, { "x:", "a" }, { "x\n", "a" },
		{ "x\r\ny", "a" }, { "\xc3\xa9", "a" }, { "(x)", "a" },
		{ "Status", "200 OK" }, { "status", "200" },
	};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 4096);
	for (i = 0; i < NITEMS(cases); i++) {
		if (response_header(&out, cases[i][0], cases[i][1]) != -1)
			fail_msg("case %zu was taken", i);
		assert_int_equal(buf_len(&out), 0);
	}
	buf_fini(&out);
}

static void
what_web_servers_obey_is_recognised(void **state)
{

	(void)state;
	assert_true(response_header_is_internal("x-accel-redirect"));
	assert_true(response_header_is_internal("X-Accel-Buffering"));
	assert_true(response_header_is_internal("X-SENDFILE"));
	assert_true(response_header_is_internal("x-lighttpd-send-file"));
	assert_true(response_header_is_internal("status"));
	assert_false(response_header_is_internal("x-accel"));
	assert_false(response_header_is_internal("x-sendfile-type"));
	assert_false(response_header_is_internal("request-id"));
}

static void
each_dialect_has_its_error_shape(void **state)
{
	static const struct {
		enum dialect dialect;
		struct response_error e;
		const char *head;
		const char *body;
	} cases[] = {
		{ DIALECT_ANTHROPIC, { .status = 401, .message = "no key",
			.request_id = "req_1", .should_retry = 0 },
			"Status: 401 Unauthorized\r\n"
			"content-type: application/json\r\n"
			"content-length: 96\r\nrequest-id: req_1\r\n"
			"x-should-retry: false\r\n\r\n",
			"{\"type\":\"error\",\"error\":{\"type\":"
			"\"authentication_error\",\"message\":\"no key\"},"
			"\"request_id\":\"req_1\"}" },
		{ DIALECT_ANTHROPIC, { .status = 429, .type = "quota_error",
			.message = "wait", .retry_after_s = 7,
			.should_retry = 1 },
			"Status: 429 Too Many Requests\r\n"
			"content-type: application/json\r\n"
			"content-length: 64\r\nretry-after: 7\r\n"
			"x-should-retry: true\r\n\r\n",
			"{\"type\":\"error\",\"error\":{\"type\":"
			"\"quota_error\",\"message\":\"wait\"}}" },
		{ DIALECT_OPENAI, { .status = 401, .message = "no key",
			.request_id = "req_1", .should_retry = -1 },
			"Status: 401 Unauthorized\r\n"
			"content-type: application/json\r\n"
			"content-length: 99\r\nrequest-id: req_1\r\n\r\n",
			"{\"error\":{\"message\":\"no key\",\"type\":"
			"\"invalid_request_error\",\"param\":null,"
			"\"code\":\"invalid_api_key\"}}" },
		{ DIALECT_OPENAI, { .status = 503, .message = "later",
			.should_retry = -1 },
			"Status: 503 Service Unavailable\r\n"
			"content-type: application/json\r\n"
			"content-length: 76\r\n\r\n",
			"{\"error\":{\"message\":\"later\",\"type\":"
			"\"server_error\",\"param\":null,\"code\":null}}" },
		{ DIALECT_GEMINI, { .status = 429, .message = "later",
			.should_retry = -1 },
			"Status: 429 Too Many Requests\r\n"
			"content-type: application/json\r\n"
			"content-length: 70\r\n\r\n",
			"{\"error\":{\"code\":429,\"message\":\"later\","
			"\"status\":\"RESOURCE_EXHAUSTED\"}}" },
		{ DIALECT_ADMIN, { .status = 405, .message = "POST only",
			.allow = "POST", .should_retry = -1 },
			"Status: 405 Method Not Allowed\r\n"
			"content-type: application/json\r\n"
			"content-length: 34\r\nallow: POST\r\n\r\n",
			"{\"error\":\"POST only\",\"code\":40501}" },
		{ DIALECT_ADMIN, { .status = 404, .message = "x",
			.admin_code = 40401, .should_retry = -1 },
			"Status: 404 Not Found\r\n"
			"content-type: application/json\r\n"
			"content-length: 26\r\n\r\n",
			"{\"error\":\"x\",\"code\":40401}" },
	};
	char want[1024];
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		buf_init(&out, 4096);
		assert_int_equal(response_error(&out, cases[i].dialect,
		    &cases[i].e), 0);
		(void)snprintf(want, sizeof(want), "%s%s", cases[i].head,
		    cases[i].body);
		assert_string_equal(buf_cstr(&out), want);
		buf_fini(&out);
	}
}

static void
foreign_text_cannot_leave_its_place(void **state)
{
	char message[RESPONSE_MESSAGE_BYTES * 2];
	struct response_error e = { .status = 400, .should_retry = -1,
		.request_id = "req_1", .message = message };
	const char *body;
	struct buf out;
	json_t *j;

	(void)state;
	memset(message, '\1', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	memcpy(message, "\"},\r\n\xff\\", 7);
	buf_init(&out, 1 << 16);
	assert_int_equal(response_error(&out, DIALECT_ANTHROPIC, &e), 0);
	assert_non_null(body = strstr(buf_cstr(&out), "\r\n\r\n"));
	assert_non_null(j = json_loads(body + 4, 0, NULL));
	assert_memory_equal(json_string_value(json_object_get(
	    json_object_get(j, "error"), "message")),
	    "\"},\r\n\xef\xbf\xbd\\\1", 10);
	json_decref(j);

	/* a request id that cannot be a header */
	buf_reset(&out);
	e.request_id = "a\nb";
	assert_int_equal(response_error(&out, DIALECT_ANTHROPIC, &e), -1);
	assert_int_equal(buf_len(&out), 0);
	buf_fini(&out);

	buf_init(&out, 100);
	e.request_id = "req_1";
	assert_int_equal(response_error(&out, DIALECT_ANTHROPIC, &e), -1);
	assert_int_equal(buf_len(&out), 0);
	buf_fini(&out);
}

static void
streams_end_with_an_event_of_the_dialect(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(response_sse_error(&out, DIALECT_ANTHROPIC,
	    "overloaded_error", "up\nstream", "req_1"), 0);
	assert_int_equal(response_sse_error(&out, DIALECT_GEMINI,
	    "rate_limit_error", "m", "req_1"), 0);
	assert_int_equal(response_sse_error(&out, DIALECT_OPENAI,
	    "api_error", "m", "req_1"), 0);
	assert_string_equal(buf_cstr(&out), "event: error\n"
	    "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\""
	    ",\"message\":\"up\\nstream\"},\"request_id\":\"req_1\"}\n\n"
	    "data: {\"error\":{\"code\":429,\"message\":\"m\","
	    "\"status\":\"RESOURCE_EXHAUSTED\"}}\n\n"
	    "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\","
	    "\"param\":null,\"code\":null}}\n\n");
	buf_fini(&out);
}

static void
statuses_have_anthropics_types(void **state)
{
	static const struct {
		int status;
		const char *type;
	} cases[] = {
		{ 400, "invalid_request_error" }, { 401,
			"authentication_error" }, { 402, "billing_error" },
		{ 403, "permission_error" }, { 404, "not_found_error" },
		{ 405, "invalid_request_error" },
		{ 413, "request_too_large" }, { 418,
			"invalid_request_error" },
		{ 429, "rate_limit_error" }, { 500, "api_error" },
		{ 504, "timeout_error" }, { 529, "overloaded_error" },
		{ 599, "api_error" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_string_equal(response_error_type(cases[i].status),
		    cases[i].type);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_in_cgi_form),
		cmocka_unit_test(header_injection_is_refused),
		cmocka_unit_test(what_web_servers_obey_is_recognised),
		cmocka_unit_test(each_dialect_has_its_error_shape),
		cmocka_unit_test(foreign_text_cannot_leave_its_place),
		cmocka_unit_test(streams_end_with_an_event_of_the_dialect),
		cmocka_unit_test(statuses_have_anthropics_types),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
