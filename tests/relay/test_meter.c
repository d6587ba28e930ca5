#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "relay/meter.h"
#include "relay/sse.h"

#define DATA_MAX	4096

/* Letters for events, in the order of enum meter_event. */
static const char letters[] = ".SCPDME";

struct text {
	char p[8192];
	size_t n;
};

static void
load(const char *name, struct text *t)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.sse", STREAMS_DIR, name);
	assert_non_null(f = fopen(path, "rb"));
	t->n = fread(t->p, 1, sizeof(t->p), f);
	assert_true(t->n > 0 && t->n < sizeof(t->p));
	fclose(f);
}

/* Feed a piece of a stream; the letters of its events are added. */
static void
feed(struct meter *m, struct sse *s, const char *p, size_t n, char *seen)
{
	struct sse_event ev;
	size_t used;
	char *end = seen + strlen(seen);
	int rc;

	for (; n > 0; p += used, n -= used) {
		rc = sse_push(s, p, n, &used, &ev);
		assert_int_not_equal(rc, -1);
		if (rc == 1)
			*end++ = letters[meter_event(m, &ev)];
	}
	*end = '\0';
}

static struct meter_result
meter_stream(const char *p, size_t n, size_t cut, char *seen)
{
	struct meter_result r;
	struct meter *m;
	struct sse *s;

	assert_non_null(m = meter_new());
	assert_non_null(s = sse_new(DATA_MAX));
	seen[0] = '\0';
	feed(m, s, p, cut, seen);
	feed(m, s, p + cut, n - cut, seen);
	r = *meter_result(m);
	sse_free(s);
	meter_free(m);
	return (r);
}

static void
assert_same_result(const struct meter_result *a, const struct meter_result *b)
{

	assert_memory_equal(&a->usage, &b->usage, sizeof(a->usage));
	assert_int_equal(a->started, b->started);
	assert_int_equal(a->final_seen, b->final_seen);
	assert_int_equal(a->stopped, b->stopped);
	assert_int_equal(a->content_bytes, b->content_bytes);
	assert_string_equal(a->error_type, b->error_type);
	assert_string_equal(a->error_message, b->error_message);
	assert_string_equal(a->model, b->model);
}

/* Whole streams as the upstream sends them: tests/relay/streams/NAME.sse. */
static const struct {
	const char *name, *events;
	struct meter_result r;
} streams[] = {
	{ "text", "S.PCCC.DM", {
		.usage = { .input_tokens = 25, .output_tokens = 15 },
		.started = true, .final_seen = true, .stopped = true,
		.content_bytes = 5 + 12 + 14,
		.model = "claude-sonnet-4-5-20250929" } },
	{ "tool", "SP.CCC..CCC.DM", {
		.usage = { .input_tokens = 472, .output_tokens = 89,
		    .cache_read_tokens = 12000, .cache_write_5m_tokens = 48,
		    .cache_write_1h_tokens = 2000 },
		.started = true, .final_seen = true, .stopped = true,
		.content_bytes = 12 + 12 + 12 + 11,
		.model = "claude-opus-4-1-20250805" } },
	{ "search", ".S.C....CC.DM", {
		.usage = { .input_tokens = 10682, .output_tokens = 510,
		    .cache_write_5m_tokens = 450, .web_searches = 2 },
		.started = true, .final_seen = true, .stopped = true,
		.content_bytes = 20 + 6,
		.model = "claude-sonnet-4-5-20250929" } },
	{ "overloaded", "S.CPE", {
		.usage = { .input_tokens = 9, .output_tokens = 1 },
		.started = true, .content_bytes = 4,
		.error_type = "overloaded_error",
		.error_message = "Overloaded",
		.model = "claude-sonnet-4-5-20250929" } },
	{ "cut", "S.C", {
		.usage = { .input_tokens = 31, .output_tokens = 4 },
		.started = true, .content_bytes = 19,
		.model = "claude-sonnet-4-5-20250929" } },
	{ "data-only", "SPCDM", {
		.usage = { .input_tokens = 7, .output_tokens = 3 },
		.started = true, .final_seen = true, .stopped = true,
		.content_bytes = 8,
		.model = "claude-sonnet-4-5-20250929" } },
};

static void
a_stream_cut_at_any_byte_gives_the_same_events_and_usage(void **state)
{
	struct meter_result r;
	struct text t;
	char seen[64];
	size_t i, cut;

	(void)state;
	for (i = 0; i < NITEMS(streams); i++) {
		load(streams[i].name, &t);
		for (cut = 0; cut <= t.n; cut++) {
			r = meter_stream(t.p, t.n, cut, seen);
			assert_string_equal(seen, streams[i].events);
			assert_same_result(&r, &streams[i].r);
		}
	}
}

static void
a_stream_that_ends_at_any_byte_leaves_what_was_stated(void **state)
{
	struct meter_result r;
	struct text t;
	char seen[64];
	size_t n, input = 0;

	(void)state;
	load("tool", &t);
	for (n = 0; n < t.n; n++) {
		r = meter_stream(t.p, n, 0, seen);
		assert_true(strncmp(seen, streams[1].events, strlen(seen)) ==
		    0);
		/* The LF of the last blank line tells nothing new. */
		assert_int_equal(r.stopped, n == t.n - 1);
		assert_int_equal(r.started, r.usage.input_tokens == 472);
		assert_true(r.final_seen == (r.usage.output_tokens == 89));
		input += r.started;
	}
	assert_true(input > 0 && input < t.n);
}

/* Events one by one, and what the usage is after all of them. */
#define NOTHING		{ .started = false }
#define EV(type, data)	"event: " type "\ndata: " data "\n\n"

static const struct {
	const char *name, *in, *events;
	struct meter_result r;
} cases[] = {
	{ "null and absent counts keep their value",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":5,"
	    "\"cache_read_input_tokens\":6,\"output_tokens\":1}}}")
	    EV("message_delta", "{\"usage\":{\"input_tokens\":null,"
	    "\"output_tokens\":8}}"), "SD", {
		.usage = { .input_tokens = 5, .output_tokens = 8,
		    .cache_read_tokens = 6 },
		.started = true, .final_seen = true } },
	{ "absurd counts are not believed",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":"
	    "1000000000001,\"output_tokens\":-1,\"cache_read_input_tokens\":"
	    "1e30,\"cache_creation_input_tokens\":1.5,\"cache_creation\":{"
	    "\"ephemeral_1h_input_tokens\":\"7\"}}}}"), "S", {
		.usage = { .absurd = true } } },
	{ "an absurd end is none",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":5,"
	    "\"output_tokens\":1}}}")
	    EV("message_delta", "{\"usage\":{\"output_tokens\":-8}}"), "SD", {
		.usage = { .input_tokens = 5, .output_tokens = 1,
		    .absurd = true }, .started = true } },
	{ "how it was served",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":5,"
	    "\"service_tier\":\"priority\",\"inference_geo\":\"us\"}}}")
	    EV("message_delta", "{\"usage\":{\"output_tokens\":8,\"speed\":"
	    "\"fast\",\"service_tier\":null}}"), "SD", {
		.usage = { .input_tokens = 5, .output_tokens = 8,
		    .tier = USAGE_TIER_PRIORITY, .speed = USAGE_SPEED_FAST,
		    .geo = USAGE_GEO_US },
		.started = true, .final_seen = true } },
	{ "in the plain way",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":5,"
	    "\"service_tier\":\"standard\",\"speed\":\"standard\","
	    "\"inference_geo\":\"not_available\"}}}"), "S", {
		.usage = { .input_tokens = 5 }, .started = true } },
	{ "in a batch, and then in ways that are not known",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":5,"
	    "\"service_tier\":\"batch\"}}}")
	    EV("message_delta", "{\"usage\":{\"service_tier\":\"flex\","
	    "\"speed\":[],\"inference_geo\":\"fast\"}}"), "SD", {
		.usage = { .input_tokens = 5, .tier = USAGE_TIER_OTHER,
		    .speed = USAGE_SPEED_OTHER, .geo = USAGE_GEO_OTHER },
		.started = true } },
	{ "compaction counts, other calls of the model are in the whole",
	    EV("message_delta", "{\"usage\":{\"input_tokens\":23,"
	    "\"output_tokens\":10,\"iterations\":[{\"input_tokens\":180,"
	    "\"output_tokens\":35,\"cache_read_input_tokens\":7,"
	    "\"cache_creation_input_tokens\":9,\"cache_creation\":{"
	    "\"ephemeral_1h_input_tokens\":4,\"ephemeral_5m_input_tokens\":5"
	    "},\"type\":\"compaction\"},{\"type\":\"message\","
	    "\"input_tokens\":23,\"output_tokens\":10}]}}"), "D", {
		.usage = { .input_tokens = 203, .output_tokens = 45,
		    .cache_read_tokens = 7, .cache_write_5m_tokens = 5,
		    .cache_write_1h_tokens = 4 },
		.started = true, .final_seen = true } },
	{ "what other models did is not in the whole",
	    EV("message_delta", "{\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":2,\"iterations\":[{\"type\":\"message\","
	    "\"input_tokens\":1,\"output_tokens\":2},{\"type\":"
	    "\"advisor_message\",\"model\":\"m2\",\"input_tokens\":900}]}}"),
	    "D", {
		.usage = { .input_tokens = 1, .output_tokens = 2,
		    .other_models = true },
		.started = true, .final_seen = true } },
	{ "and only once, as it is stated last",
	    EV("message_delta", "{\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":1,\"iterations\":[{\"type\":\"compaction\","
	    "\"input_tokens\":5}]}}")
	    EV("message_delta", "{\"usage\":{\"output_tokens\":2,"
	    "\"iterations\":[{\"type\":\"compaction\",\"input_tokens\":5},"
	    "{\"type\":\"compaction\",\"input_tokens\":6,"
	    "\"output_tokens\":-1}]}}")
	    EV("message_delta", "{\"usage\":{\"output_tokens\":3,"
	    "\"iterations\":null}}"), "DDD", {
		.usage = { .input_tokens = 12, .output_tokens = 3,
		    .absurd = true },
		.started = true, .final_seen = true } },
	{ "the largest count that is",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":"
	    "1000000000000}}}"), "S", {
		.usage = { .input_tokens = INT64_C(1000000000000) },
		.started = true } },
	{ "cache writes without a split are for 5 minutes",
	    EV("message_delta", "{\"usage\":{\"input_tokens\":1,"
	    "\"cache_creation_input_tokens\":70,\"output_tokens\":2}}"), "D", {
		.usage = { .input_tokens = 1, .output_tokens = 2,
		    .cache_write_5m_tokens = 70 },
		.started = true, .final_seen = true } },
	{ "a later sum keeps the split of the start",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":1,"
	    "\"cache_creation_input_tokens\":70,\"cache_creation\":{"
	    "\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":70"
	    "}}}}")
	    EV("message_delta", "{\"usage\":{\"cache_creation_input_tokens\":"
	    "95,\"output_tokens\":2}}"), "SD", {
		.usage = { .input_tokens = 1, .output_tokens = 2,
		    .cache_write_5m_tokens = 25,
		    .cache_write_1h_tokens = 70 },
		.started = true, .final_seen = true } },
	{ "a delta without output is not the end",
	    EV("message_delta", "{\"usage\":{\"input_tokens\":3}}"), "D", {
		.usage = { .input_tokens = 3 }, .started = true } },
	{ "an error without form is an error",
	    EV("error", "oh no"), "E", NOTHING },
	{ "an error of OpenAI's form has no type of ours",
	    EV("error", "{\"error\":\"oh no\"}"), "E", NOTHING },
	{ "broken data",
	    EV("message_start", "{\"message\":{\"usage\":{\"input_tokens\":5}}")
	    EV("content_block_delta", "{\"delta\":{\"text\":\"a\"}")
	    EV("message_delta", "{\"usage\":{\"output_tokens\":5}},")
	    EV("message_stop", ""), "...M", { .stopped = true } },
	{ "unknown events", EV("new_event", "{\"usage\":{\"output_tokens\":5}}")
	    "data: [DONE]\n\n" "data: 5\n\n" "data: {\"type\":5}\n\n"
	    "data: {\"type\":\"message\"}\n\n: ping\n\n", "......", NOTHING },
	{ "a ping needs no data", "event: ping\n\n", "P", NOTHING },
	{ "unescaped bytes are counted",
	    EV("content_block_delta", "{\"delta\":{\"text\":"
	    "\"\\n\\u20ac\\ud83d\\ude00\"}}"), "C", { .content_bytes = 8 } },
	{ "a delta without text is content of no size",
	    EV("content_block_delta", "{\"delta\":{\"text\":null}}"), "C",
	    NOTHING },
};

static void
usage_is_what_was_stated_last(void **state)
{
	struct meter_result r;
	char seen[64];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		r = meter_stream(cases[i].in, strlen(cases[i].in), 0, seen);
		if (strcmp(seen, cases[i].events) != 0 ||
		    memcmp(&r.usage, &cases[i].r.usage, sizeof(r.usage)) != 0)
			fail_msg("%s: %s, %lld in", cases[i].name, seen,
			    (long long)r.usage.input_tokens);
		assert_same_result(&r, &cases[i].r);
	}
}

static void
of_an_event_that_was_cut_the_head_counts(void **state)
{
	static const char start[] = "{\"message\":{\"usage\":{"
	    "\"input_tokens\":5,\"output_tokens\":1";
	static const char delta[] = "{\"delta\":{\"text\":\"abc";
	struct sse_event ev = { .type = "message_start", .data = start,
	    .data_len = sizeof(start) - 1, .data_full_len = 9000,
	    .data_cut = true };
	const struct meter_result *r;
	struct meter *m;

	(void)state;
	assert_non_null(m = meter_new());
	r = meter_result(m);
	assert_int_equal(meter_event(m, &ev), METER_START);
	assert_int_equal(r->usage.input_tokens, 5);
	/* 1 may be the head of a larger number. */
	assert_int_equal(r->usage.output_tokens, 0);
	ev.type = "content_block_delta";
	ev.data = delta;
	ev.data_len = sizeof(delta) - 1;
	assert_int_equal(meter_event(m, &ev), METER_CONTENT);
	assert_int_equal(r->content_bytes, 9000);
	meter_free(m);
}

/*
 * Plain answers.
 */

static const char message[] =
    "{\"id\":\"msg_01\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"
    "\"claude-sonnet-4-5-20250929\",\"content\":[{\"type\":\"thinking\","
    "\"thinking\":\"hmm\",\"signature\":\"EqQB\"},{\"type\":\"text\",\"text\":"
    "\"caf\\u00e9 \xe2\x82\xac\"},{\"type\":\"tool_use\",\"id\":\"toolu_01\","
    "\"name\":\"f\",\"input\":{\"a\": [1]}}],\"stop_reason\":\"tool_use\","
    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":11,"
    "\"cache_creation_input_tokens\":50,\"cache_read_input_tokens\":7,"
    "\"cache_creation\":{\"ephemeral_5m_input_tokens\":20,"
    "\"ephemeral_1h_input_tokens\":30},\"output_tokens\":12,"
    "\"server_tool_use\":{\"web_search_requests\":1},\"service_tier\":"
    "\"priority\",\"speed\":\"fast\",\"inference_geo\":\"us\",\"iterations\":"
    "[{\"type\":\"compaction\",\"input_tokens\":100,\"output_tokens\":5}]}}\n";

static void
a_plain_answer_cut_at_any_byte_gives_its_usage(void **state)
{
	static const struct meter_result expected = {
		.usage = { .input_tokens = 111, .output_tokens = 17,
		    .cache_read_tokens = 7, .cache_write_5m_tokens = 20,
		    .cache_write_1h_tokens = 30, .web_searches = 1,
		    .tier = USAGE_TIER_PRIORITY, .speed = USAGE_SPEED_FAST,
		    .geo = USAGE_GEO_US },
		.started = true, .final_seen = true,
		.content_bytes = 3 + 9 + 10,
		.model = "claude-sonnet-4-5-20250929",
	};
	size_t cut, n = sizeof(message) - 1;
	struct meter *m;

	(void)state;
	assert_non_null(m = meter_new());
	for (cut = 0; cut <= n; cut++) {
		meter_reset(m);
		meter_body(m, message, cut);
		meter_body(m, message + cut, n - cut);
		assert_true(meter_body_end(m));
		assert_same_result(meter_result(m), &expected);
	}
	meter_free(m);
}

static void
a_plain_answer_that_is_not_whole_is_not_final(void **state)
{
	struct meter *m;
	size_t n;

	(void)state;
	assert_non_null(m = meter_new());
	for (n = 0; n < sizeof(message) - 2; n++) {
		meter_reset(m);
		meter_body(m, message, n);
		assert_false(meter_body_end(m));
		assert_false(meter_result(m)->final_seen);
	}
	meter_free(m);
}

static void
other_plain_answers_have_no_usage(void **state)
{
	static const struct {
		const char *body, *error_type, *error_message;
	} bodies[] = {
		{ "", "", "" },
		{ "<html>502</html>", "", "" },
		{ "[]", "", "" },
		{ "{\"usage\":null}", "", "" },
		{ "{\"usage\":5}", "", "" },
		{ "{\"usage\":{}}}", "", "" },
		{ "{\"type\":\"error\",\"error\":{\"type\":"
		    "\"invalid_request_error\",\"message\":\"max_tokens: "
		    "\\\"x\\\"\"},\"request_id\":\"req_1\"}",
		    "invalid_request_error", "max_tokens: \"x\"" },
		{ "{\"error\":{\"type\":\"a\",\"message\":\"b\"}}", "", "" },
		{ "{\"type\":\"error\",\"error\":{\"type\":5}}", "", "" },
	};
	struct meter *m;
	size_t i;

	(void)state;
	assert_non_null(m = meter_new());
	for (i = 0; i < NITEMS(bodies); i++) {
		meter_reset(m);
		meter_body(m, bodies[i].body, strlen(bodies[i].body));
		assert_false(meter_body_end(m));
		assert_string_equal(meter_result(m)->error_type,
		    bodies[i].error_type);
		assert_string_equal(meter_result(m)->error_message,
		    bodies[i].error_message);
		assert_false(meter_result(m)->final_seen);
	}
	meter_free(m);
}

static void
long_names_and_messages_are_cut_at_a_character(void **state)
{
	char body[4096], text[1024] = "x";
	const struct meter_result *r;
	struct meter *m;
	size_t i;

	(void)state;
	for (i = 0; i < 300; i++)
		strcat(text, "\xc3\xa9");
	(void)snprintf(body, sizeof(body), "{\"type\":\"error\",\"model\":"
	    "\"%s\",\"error\":{\"type\":\"%s\",\"message\":\"%s\"}}", text,
	    text, text);
	assert_non_null(m = meter_new());
	r = meter_result(m);
	meter_body(m, body, strlen(body));
	assert_false(meter_body_end(m));
	assert_int_equal(strlen(r->error_type), sizeof(r->error_type) - 1);
	assert_int_equal(strlen(r->error_message),
	    sizeof(r->error_message) - 1);
	assert_int_equal(strlen(r->model), sizeof(r->model) - 1);
	assert_memory_equal(r->error_message, text, 255);

	/* With an even head the last character does not fit. */
	memmove(strstr(body, "\"message\":\"x") + 11,
	    strstr(body, "\"message\":\"x") + 12,
	    strlen(strstr(body, "\"message\":\"x") + 12) + 1);
	meter_reset(m);
	meter_body(m, body, strlen(body));
	assert_false(meter_body_end(m));
	assert_int_equal(strlen(r->error_message),
	    sizeof(r->error_message) - 2);
	meter_free(m);
}

static void
a_reset_meter_knows_nothing(void **state)
{
	static const struct meter_result nothing;
	struct sse_event ev = { .type = "message_stop", .data = "" };
	struct meter *m;

	(void)state;
	assert_non_null(m = meter_new());
	meter_body(m, message, sizeof(message) - 1);
	assert_true(meter_body_end(m));
	assert_int_equal(meter_event(m, &ev), METER_STOP);
	meter_reset(m);
	assert_same_result(meter_result(m), &nothing);
	meter_free(m);
}

static void
output_is_estimated_on_the_high_side(void **state)
{
	static const struct {
		int64_t stated, bytes, estimate;
	} estimates[] = {
		{ 0, 0, 0 }, { 5, 0, 5 }, { 1, 1, 1 }, { 0, 1, 1 },
		{ 0, 2, 1 }, { 0, 3, 2 }, { 0, 5, 2 }, { 0, 6, 3 },
		{ 10, 26, 11 }, { 12, 26, 12 },
	};
	struct meter_result r = { .stopped = false };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(estimates); i++) {
		r.usage.output_tokens = estimates[i].stated;
		r.content_bytes = estimates[i].bytes;
		assert_int_equal(meter_estimate_output(&r),
		    estimates[i].estimate);
	}
}

static void
lack_of_memory_is_reported(void **state)
{
	struct meter *m;
	int i;

	(void)state;
	for (i = 0;; i++) {
		alloc_fail_after(i);
		m = meter_new();
		if (!alloc_fail_stop())
			break;
		assert_null(m);
	}
	assert_non_null(m);
	assert_true(i > 3);
	meter_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_stream_cut_at_any_byte_gives_the_same_events_and_usage),
		cmocka_unit_test(
		    a_stream_that_ends_at_any_byte_leaves_what_was_stated),
		cmocka_unit_test(usage_is_what_was_stated_last),
		cmocka_unit_test(of_an_event_that_was_cut_the_head_counts),
		cmocka_unit_test(
		    a_plain_answer_cut_at_any_byte_gives_its_usage),
		cmocka_unit_test(
		    a_plain_answer_that_is_not_whole_is_not_final),
		cmocka_unit_test(other_plain_answers_have_no_usage),
		cmocka_unit_test(
		    long_names_and_messages_are_cut_at_a_character),
		cmocka_unit_test(a_reset_meter_knows_nothing),
		cmocka_unit_test(output_is_estimated_on_the_high_side),
		cmocka_unit_test(lack_of_memory_is_reported),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
