#include "cmocka_all.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fakes.h"
#include "messages.h"
#include "relay/relay_int.h"

#define TRACE	"4bf92f3577b34da6a3ce929d0e0e4736"
#define PARAMS	FAKE_KEY "HTTP_USER_AGENT=claude-cli/2.1.0 (external)\n" \
	"HTTP_TRACEPARENT=00-" TRACE "-00f067aa0ba902b7-01\n"

static char path[64];

static void
begin(const char *settings)
{
	char target[80];
	int fd;

	strcpy(path, "/tmp/test_access.XXXXXX");
	assert_int_not_equal(fd = mkstemp(path), -1);
	close(fd);
	snprintf(target, sizeof(target), "file:%s", path);
	fakes_start(settings);
	fakes.key_cached = true;
	fakes.relay->access = log_open_json(target, &fakes.clock.clock, NULL);
	assert_non_null(fakes.relay->access);
}

/* All is over: the only line there is. */
static json_t *
end(void)
{
	struct log *log = fakes.relay->access;
	json_t *j;

	fakes_stop();
	log_close(log);
	j = json_load_file(path, 0, NULL);
	unlink(path);
	assert_non_null(j);
	return (j);
}

static void
has(json_t *j, const char *want)
{
	json_t *w = json_loads(want, 0, NULL), *value;
	const char *name;

	assert_non_null(w);
	json_object_foreach(w, name, value) {
		if (json_is_null(value) ? json_object_get(j, name) != NULL :
		    !json_equal(json_object_get(j, name), value))
			fail_msg("%s: %s", name, json_dumps(j, 0));
	}
	json_decref(w);
}

static struct fcgi_request *
post(const char *params, const char *body)
{
	struct fcgi_request *req = fake_begin("POST", "/v1/messages?beta=1",
	    params);

	fakes_pass(5);
	fake_body(req, body, strlen(body));
	fake_end(req);
	return (req);
}

static void
a_call_has_a_line_with_all_that_is_known(void **state)
{
	struct fcgi_request *req;
	json_t *j;

	(void)state;
	begin("");
	req = post(PARAMS, FAKE_STREAM);
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fakes_pass(30);
	fake_head(200, FAKE_SSE);
	fake_text(WHOLE);
	fakes_pass(7);
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	fakes_pass(1000);		/* settlement is not the client's */
	fake_settled(ERR_NONE);
	j = end();
	has(j, "{\"responder\":\"relay\",\"method\":\"POST\","
	    "\"route\":\"/v1/messages\",\"status\":200,\"stream\":true,"
	    "\"key\":\"key\",\"key_id\":7,\"account\":\"a1\","
	    "\"model\":\"claude-x-1\",\"sent_as\":\"claude-x-1\","
	    "\"input_tokens\":10,\"output_tokens\":5,\"outcome\":\"ok\","
	    "\"attempts\":1,\"client\":\"192.0.2.1\","
	    "\"agent\":\"claude-code\",\"trace_id\":\"" TRACE "\","
	    "\"duration_ms\":42,\"first_byte_ms\":35}");
	assert_int_equal(json_integer_value(json_object_get(j, "bytes")),
	    strlen(WHOLE));
	assert_int_equal(json_integer_value(json_object_get(j,
	    "request_bytes")), strlen(FAKE_STREAM));
	assert_int_equal(strncmp(json_string_value(json_object_get(j,
	    "request_id")), "req_lh_", 7), 0);
	json_decref(j);
}

static void
what_is_refused_or_left_has_its_line(void **state)
{
	struct fcgi_request *req;
	json_t *j;
	size_t n;

	(void)state;
	begin("record_address = none");
	req = post(PARAMS, FAKE_PLAIN);
	fake_admitted(ADMIT_BUDGET, ERR_NONE);
	assert_int_equal(fake_status(req), 402);
	n = strlen(fake_body_of(req));
	j = end();
	has(j, "{\"status\":402,\"key\":\"key\",\"account\":null,"
	    "\"client\":null,\"input_tokens\":null,\"cost_nusd\":null,"
	    "\"attempts\":null,\"duration_ms\":5,\"first_byte_ms\":null}");
	assert_string_not_equal(json_string_value(json_object_get(j,
	    "outcome")), "ok");
	assert_int_equal(json_integer_value(json_object_get(j, "bytes")),
	    n);
	json_decref(j);

	begin("");
	req = post(PARAMS, FAKE_PLAIN);
	fake_gone(req);
	fake_admitted(ADMIT_LEASED, ERR_CANCELLED);
	if (fakes.settle != NULL)
		fake_settled(ERR_NONE);
	j = end();
	has(j, "{\"status\":499,\"outcome\":\"client_gone\","
	    "\"bytes\":0}");
	json_decref(j);
}

static void
so_has_what_is_no_call(void **state)
{
	static const struct {
		const char *method, *target, *line;
	} cases[] = {
		{ "GET", "/health", "{\"status\":200,\"route\":\"/health\","
		  "\"agent\":\"claude-code\",\"client\":\"192.0.2.1\","
		  "\"trace_id\":\"" TRACE "\"}" },
		{ "GET", "/secret/path?key=sk-x", "{\"status\":404,"
		  "\"route\":null,\"outcome\":\"refused\"}" },
		{ "PUT", "/v1/messages", "{\"status\":405,\"method\":\"PUT\","
		  "\"route\":null}" },
		{ "OPTIONS", "/v1/messages", "{\"status\":204}" },
	};
	char *text;
	json_t *j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin("");
		(void)fake_begin(cases[i].method, cases[i].target, PARAMS);
		j = end();
		has(j, cases[i].line);
		text = json_dumps(j, 0);
		assert_null(strstr(text, "secret"));
		assert_null(strstr(text, "sk-"));
		free(text);
		json_decref(j);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_has_a_line_with_all_that_is_known),
		cmocka_unit_test(what_is_refused_or_left_has_its_line),
		cmocka_unit_test(so_has_what_is_no_call),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
