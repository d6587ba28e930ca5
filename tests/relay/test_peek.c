#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/err.h"
#include "relay/peek.h"

#define ID	"0f9e8d7c-6b5a-4321-8765-0123456789ab"

static int
peek_cut(const char *body, size_t cut, struct peek *out, struct err *err)
{
	struct peek_scan *s;
	int rc;

	err_clear(err);
	assert_non_null(s = peek_new());
	rc = peek_push(s, body, cut, err);
	if (rc == 0)
		rc = peek_push(s, body + cut, strlen(body) - cut, err);
	if (rc == 0)
		rc = peek_end(s, out, err);
	peek_free(s);
	return (rc);
}

static const struct {
	const char *body;
	struct peek peek;
} good[] = {
	{ "{\"model\":\"m\"}", {
		.model = "m", .model_start = 9, .model_end = 12 } },
	{ "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":128000,"
	    "\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
	    "\"hi, \\u00e9\"}],\"metadata\":{\"user_id\":"
	    "\"{\\\"device_id\\\":\\\"ab\\\",\\\"account_uuid\\\":\\\"\\\","
	    "\\\"session_id\\\":\\\"" ID "\\\"}\"}}", {
		.model = "claude-sonnet-4-5", .model_start = 9,
		.model_end = 28, .stream = true, .max_tokens = 128000,
		.session = ID } },
	{ "{\"metadata\":{\"user_id\":\"user_ab_account__session_" ID "\"},"
	    "\"stream\":false,\"max_tokens\":0,\"model\":\"m\"}", {
		.model = "m", .model_start = 126, .model_end = 129,
		.session = ID } },
	{ " {\n\t\"mod\\u0065l\" : \"\\u006d\" }\n", {
		.model = "m", .model_start = 19, .model_end = 27 } },
	{ "{\"model\":\"\xe6\xa8\xa1\xe5\x9e\x8b \\ud83d\\ude00\"}", {
		.model = "\xe6\xa8\xa1\xe5\x9e\x8b \xf0\x9f\x98\x80",
		.model_start = 9, .model_end = 30 } },
	{ "{\"model\":\"m\",\"max_tokens\":1e9}", {
		.model = "m", .model_start = 9, .model_end = 12,
		.max_tokens = 1000000000 } },
	{ "{\"model\":\"m\",\"max_tokens\":5.0}", {
		.model = "m", .model_start = 9, .model_end = 12,
		.max_tokens = 5 } },
	{ "{\"model\":\"m\",\"x\":{\"model\":5,\"stream\":6,\"max_tokens\":7,"
	    "\"metadata\":{\"user_id\":\"_session_a\"}}}", {
		.model = "m", .model_start = 9, .model_end = 12 } },
	{ "{\"model\":\"m\",\"messages\":5,\"tools\":\"\xff\"}", {
		.model = "m", .model_start = 9, .model_end = 12 } },
};

static void
assert_same_peek(const struct peek *a, const struct peek *b)
{

	assert_string_equal(a->model, b->model);
	assert_int_equal(a->model_start, b->model_start);
	assert_int_equal(a->model_end, b->model_end);
	assert_int_equal(a->stream, b->stream);
	assert_int_equal(a->max_tokens, b->max_tokens);
	assert_string_equal(a->session, b->session);
	assert_int_equal(a->long_cache, b->long_cache);
}

static void
a_body_cut_at_any_byte_tells_the_same(void **state)
{
	struct peek out;
	struct err err;
	size_t i, cut;

	(void)state;
	for (i = 0; i < NITEMS(good); i++)
		for (cut = 0; cut <= strlen(good[i].body); cut++) {
			if (peek_cut(good[i].body, cut, &out, &err))
				fail_msg("%s: %s", good[i].body, err.text);
			assert_same_peek(&out, &good[i].peek);
		}
}

static const struct {
	const char *body, *message;
} wrong[] = {
	{ "", "the body is not valid JSON: line 1, byte 1: the text "
	    "ends where a value should be" },
	{ "{\"model\":\"m\"", "the body is not valid JSON: line 1, "
	    "byte 13: the text ends where ',' or a closing bracket "
	    "should be" },
	{ "{\"model\":\"m\",\n}", "the body is not valid JSON: line 2, "
	    "byte 1: '}' where a member name should be" },
	{ "{\"model\":\"m\"}{}", "the body is not valid JSON: line 1, "
	    "byte 14: '{' where the text should be over" },
	{ "[{\"model\":\"m\"}]", "the body is not a JSON object" },
	{ "\"model\"", "the body is not a JSON object" },
	{ "null", "the body is not a JSON object" },
	{ "{}", "model is missing" },
	{ "{\"Model\":\"m\"}", "model is missing" },
	{ "{\"model\":null}", "model is not a string" },
	{ "{\"model\":{}}", "model is not a string" },
	{ "{\"model\":[\"m\"]}", "model is not a string" },
	{ "{\"model\":5}", "model is not a string" },
	{ "{\"model\":\"\"}", "model is empty" },
	{ "{\"model\":\"a\\u0000b\"}",
	    "model holds a control character" },
	{ "{\"model\":\"a\\r\\nx-api-key: b\"}",
	    "model holds a control character" },
	{ "{\"model\":\"a\\u007f\"}",
	    "model holds a control character" },
	{ "{\"model\":\"\\u0085\"}",
	    "model holds a control character" },
	{ "{\"model\":\"a\xff\"}", "model is not valid UTF-8" },
	{ "{\"model\":\"a\",\"model\":\"b\"}", "model is given twice" },
	{ "{\"model\":\"a\",\"mod\\u0065l\":\"a\"}",
	    "model is given twice" },
	{ "{\"model\":\"a\",\"model\":null}", "model is given twice" },
	{ "{\"model\":\"a\",\"stream\":1}", "stream is not a boolean" },
	{ "{\"model\":\"a\",\"stream\":\"true\"}",
	    "stream is not a boolean" },
	{ "{\"model\":\"a\",\"stream\":null}",
	    "stream is not a boolean" },
	{ "{\"model\":\"a\",\"stream\":true,\"stream\":true}",
	    "stream is given twice" },
	{ "{\"model\":\"a\",\"max_tokens\":-1}", "max_tokens is not a "
	    "whole number from 0 to 1000000000" },
	{ "{\"model\":\"a\",\"max_tokens\":1.5}", "max_tokens is not a "
	    "whole number from 0 to 1000000000" },
	{ "{\"model\":\"a\",\"max_tokens\":1000000001}", "max_tokens "
	    "is not a whole number from 0 to 1000000000" },
	{ "{\"model\":\"a\",\"max_tokens\":1e400}", "max_tokens is "
	    "not a whole number from 0 to 1000000000" },
	{ "{\"model\":\"a\",\"max_tokens\":"
	    "0000000000000000000000000000000000000001}",
	    "the body is not valid JSON: line 1, byte 28: '0' where "
	    "',' or a closing bracket should be" },
	{ "{\"model\":\"a\",\"max_tokens\":\"5\"}", "max_tokens is not "
	    "a whole number from 0 to 1000000000" },
	{ "{\"model\":\"a\",\"max_tokens\":null}", "max_tokens is not "
	    "a whole number from 0 to 1000000000" },
	{ "{\"model\":\"a\",\"speed\":\"fast\",\"speed\":null}",
	    "speed is given twice" },
	{ "{\"service_tier\":1,\"model\":\"a\",\"service_tier\":1}",
	    "service_tier is given twice" },
	{ "{\"inference_geo\":\"us\",\"model\":\"a\","
	    "\"inference_geo\":\"global\"}",
	    "inference_geo is given twice" },
	{ "{\"model\":\"a\",\"max_tokens\":5,\"max_tokens\":5}",
	    "max_tokens is given twice" },
};

static void
what_is_wrong_is_told(void **state)
{
	struct peek out;
	struct err err;
	size_t i, cut;

	(void)state;
	for (i = 0; i < NITEMS(wrong); i++)
		for (cut = 0; cut <= strlen(wrong[i].body); cut++) {
			assert_int_equal(peek_cut(wrong[i].body, cut, &out,
			    &err), -1);
			assert_int_equal(err.code, ERR_INVAL);
			assert_string_equal(err.text, wrong[i].message);
		}
}

static void
a_name_of_a_model_is_bounded(void **state)
{
	char body[LIMIT_NAME_BYTES + 64];
	struct peek out;
	struct err err;

	(void)state;
	(void)snprintf(body, sizeof(body), "{\"model\":\"%0*d\"}",
	    LIMIT_NAME_BYTES - 1, 7);
	assert_int_equal(peek_cut(body, 0, &out, &err), 0);
	assert_int_equal(strlen(out.model), LIMIT_NAME_BYTES - 1);
	(void)snprintf(body, sizeof(body), "{\"model\":\"%0*d\"}",
	    LIMIT_NAME_BYTES, 7);
	assert_int_equal(peek_cut(body, 0, &out, &err), -1);
	assert_string_equal(err.text, "model is too long");
}

static void
sessions_are_taken_where_they_are_plain(void **state)
{
	static const struct {
		const char *user_id, *session;
	} cases[] = {
		{ "null", "" },
		{ "5", "" },
		{ "{\"session_id\":\"a\"}", "" },
		{ "\"\"", "" },
		{ "\"someone@example.org\"", "" },
		{ "\"_session_\"", "" },
		{ "\"_session_a b\"", "" },
		{ "\"_session_a\\nb\"", "" },
		{ "\"_session_a\\u0000b\"", "" },
		{ "\"_session_\xc3\xa9\"", "" },
		{ "\"user_x_session_a\"", "a" },
		{ "\"{\"", "" },
		{ "\"{}\"", "" },
		{ "\"{\\\"session_id\\\":5}\"", "" },
		{ "\"{\\\"session_id\\\":\\\"a\\\"\"", "" },
		{ "\"{\\\"session_id\\\":\\\"a\\\\u000ab\\\"}\"", "" },
		{ "\"{\\\"session_id\\\":\\\"a\\\\u0041\\\"}\"", "aA" },
		{ "\"{\\\"x\\\":\\\"_session_b\\\"}\"", "" },
		{ "\"{ \\\"session_id\\\" : \\\"" ID "\\\" }\"", ID },
	};
	char body[512];
	struct peek out;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(body, sizeof(body), "{\"model\":\"m\","
		    "\"metadata\":{\"user_id\":%s}}", cases[i].user_id);
		if (peek_cut(body, 0, &out, &err))
			fail_msg("%s: %s", body, err.text);
		if (strcmp(out.session, cases[i].session) != 0)
			fail_msg("%s: \"%s\"", body, out.session);
	}
}

#define BREAK	",\"cache_control\":{\"type\":\"ephemeral\"}"
#define TEXT(t)	"{\"type\":\"text\",\"text\":\"" t "\"}"
#define KEPT(t)	"{\"type\":\"text\",\"text\":\"" t "\"" BREAK "}"
#define SAYS(role, content)						\
	"{\"role\":\"" role "\",\"content\":" content "}"

static void
peek_session_of(const char *members, char out[PEEK_SESSION_SIZE])
{
	char body[2048];
	struct peek peek;
	struct err err;

	(void)snprintf(body, sizeof(body), "{\"model\":\"m\",%s}", members);
	if (peek_cut(body, 0, &peek, &err))
		fail_msg("%s: %s", body, err.text);
	memcpy(out, peek.session, sizeof(peek.session));
}

/* One conversation as it goes on, however its client writes it. */
static void
a_conversation_keeps_its_prefix(void **state)
{
	static const char *const turns[] = {
		"\"system\":[" KEPT("be brief") "],\"messages\":["
		    SAYS("user", "\"hi\"") "]",
		"\"system\":[" KEPT("be brief") "],\"messages\":["
		    SAYS("user", "[" KEPT("hi") "]") "]",
		"\"system\":[" TEXT("be brief") "],\"messages\":["
		    SAYS("user", "[" TEXT("hi") "]") ","
		    SAYS("assistant", "\"hello\"") ","
		    SAYS("user", "[" KEPT("who are you?") "]") "]",
		"\"messages\":[" SAYS("user", "[" TEXT("hi") "]") ","
		    SAYS("assistant", "\"hello\"") "],\"tools\":[{\"name\":"
		    "\"x\",\"description\":\"y\"" BREAK "}],"
		    "\"system\":\"be brief\"",
		"\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"},"
		    "\"messages\":[" SAYS("user", "[" TEXT("hi") "]") "],"
		    "\"system\":\"be brief\"",
	};
	static const char *const others[] = {
		"\"system\":[" KEPT("be brief") "],\"messages\":["
		    SAYS("user", "\"hi!\"") "]",
		"\"system\":[" KEPT("be short") "],\"messages\":["
		    SAYS("user", "\"hi\"") "]",
		"\"messages\":[" SAYS("user", "[" KEPT("hi") "]") "]",
	};
	char first[PEEK_SESSION_SIZE], one[PEEK_SESSION_SIZE];
	size_t i;

	(void)state;
	peek_session_of(turns[0], first);
	assert_memory_equal(first, "prefix-", 7);
	for (i = 1; i < NITEMS(turns); i++) {
		peek_session_of(turns[i], one);
		if (strcmp(one, first) != 0)
			fail_msg("%s: %s, not %s", turns[i], one, first);
	}
	for (i = 0; i < NITEMS(others); i++) {
		peek_session_of(others[i], one);
		assert_memory_equal(one, "prefix-", 7);
		assert_string_not_equal(one, first);
	}
}

static void
what_is_not_cached_has_no_prefix(void **state)
{
	static const char *const members[] = {
		"\"system\":[" TEXT("be brief") "],\"messages\":["
		    SAYS("user", "\"hi\"") "]",
		"\"system\":[" KEPT("be brief") "],\"messages\":[]",
		"\"messages\":[" SAYS("user", "[{\"type\":\"tool_use\","
		    "\"input\":{\"type\":\"ephemeral\"}},"
		    TEXT("hi") "]") "]",
	};
	char session[PEEK_SESSION_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(members); i++) {
		peek_session_of(members[i], session);
		assert_string_equal(session, "");
	}

	/* What the client says goes first. */
	peek_session_of("\"metadata\":{\"user_id\":\"_session_a\"},"
	    "\"messages\":[" SAYS("user", "[" KEPT("hi") "]") "]", session);
	assert_string_equal(session, "a");
}

static void
long_sessions_are_none(void **state)
{
	static const char *const forms[] = {
		"\"_session_%0*d\"", "\"{\\\"session_id\\\":\\\"%0*d\\\"}\"",
	};
	static const struct {
		int len;
		size_t kept;
	} lengths[] = { { 127, 127 }, { 128, 0 }, { 2000, 0 } };
	char user_id[3000], body[3100];
	struct peek out;
	struct err err;
	size_t i, k;

	(void)state;
	for (i = 0; i < NITEMS(forms); i++)
		for (k = 0; k < NITEMS(lengths); k++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(user_id, sizeof(user_id), forms[i],
			    lengths[k].len, 1);
#pragma GCC diagnostic pop
			(void)snprintf(body, sizeof(body), "{\"model\":\"m\","
			    "\"metadata\":{\"user_id\":%s}}", user_id);
			assert_int_equal(peek_cut(body, 0, &out, &err), 0);
			assert_int_equal(strlen(out.session),
			    lengths[k].kept);
		}
}

/* ---- what may make it dear ---- */

/* As text: "speed tier geo", then what there is of the rest. */
static const char *
say(const struct price_ask *a, char *out, size_t size)
{
	char searches[32] = "", added[32] = "";

	if (a->web_searches != 0)
		(void)snprintf(searches, sizeof(searches), " searches=%lld",
		    (long long)a->web_searches);
	if (a->added_tokens != 0)
		(void)snprintf(added, sizeof(added), " +%lld",
		    (long long)a->added_tokens);
	(void)snprintf(out, size, "%u%u%u%s%s%s%s%s%s%s%s%s", a->speeds,
	    a->tiers, a->geos, a->whole_context ? " whole" : "", a->again ?
	    " again" : "", a->repeats ? " repeats" : "", a->other_models ?
	    " others" : "", searches, added, a->feature[0] != '\0' ? " (" : "",
	    a->feature, a->feature[0] != '\0' ? ")" : "");
	return (out);
}

#define SEARCH(rest)	"{\"type\":\"web_search_20260209\"," rest "}"
#define USER(content)							\
	"\"messages\":[{\"role\":\"user\",\"content\":[" content "]}]"
#define SOURCE(type)							\
	"{\"type\":\"image\",\"source\":{\"type\":\"" type "\",\"x\":\"y\"}}"

static const struct {
	const char *members, *found;
} asks[] = {
	{ "\"messages\":[]", "133" },
	/* ways to be served */
	{ "\"speed\":\"standard\"", "133" },
	{ "\"speed\":null", "133" },
	{ "\"speed\":\"fast\"", "233" },
	{ "\"sp\\u0065ed\":\"f\\u0061st\"", "233" },
	{ "\"speed\":\"fastest\"", "433" },
	{ "\"speed\":\"fast\\u0000\"", "433" },
	{ "\"speed\":7", "433" },
	{ "\"x\":{\"speed\":\"fast\"}", "133" },
	{ "\"service_tier\":\"auto\"", "133" },
	{ "\"service_tier\":\"standard_only\"", "113" },
	{ "\"service_tier\":\"flex\"", "183" },
	{ "\"inference_geo\":\"us\"", "132" },
	{ "\"inference_geo\":\"global\"", "131" },
	{ "\"inference_geo\":\"moon\"", "134" },
	{ "\"inference_geo\":[\"us\"]", "134" },
	/* input from elsewhere */
	{ USER(SOURCE("base64")), "133" },
	{ USER(SOURCE("url")), "133 whole" },
	{ USER(SOURCE("file")), "133 whole" },
	{ USER(SOURCE("ur\\u006c")), "133 whole" },
	{ USER("{\"type\":\"document\",\"source\":{\"content\":["
	    SOURCE("url") "],\"type\":\"content\"}}"), "133 whole" },
	{ USER("{\"type\":\"tool_result\",\"content\":[{\"type\":"
	    "\"document\",\"source\":{\"type\":\"content\","
	    "\"content\":[" SOURCE("file") "]}}]}"), "133 whole" },
	{ USER("{\"type\":\"container_upload\",\"file_id\":\"f\"}"),
	    "133 whole" },
	{ USER("{\"type\":\"text\",\"text\":\"\\\"type\\\":"
	    "\\\"url\\\"\"}"), "133" },
	{ USER("{\"type\":\"tool_use\",\"input\":{\"type\":\"url\","
	    "\"a\":[{\"type\":\"file\"}]}}"), "133" },
	{ USER("{\"type\":\"tool_use\",\"input\":{\"a\":{}}},"
	    SOURCE("url")), "133 whole" },
	{ USER("{\"type\":\"tool_use\",\"input\":\"a\"},"
	    SOURCE("url")), "133 whole" },
	{ "\"tools\":[{\"name\":\"a\",\"input_schema\":{\"type\":"
	    "\"object\",\"properties\":{\"type\":{\"type\":\"url\"}"
	    "}}}]", "133 +1000" },
	{ "\"container\":\"c1\"", "133 whole repeats" },
	{ "\"container\":null", "133" },
	{ "\"mcp_servers\":[]", "133" },
	{ "\"mcp_servers\":[{\"name\":\"a\"}]",
	    "133 whole repeats" },
	{ "\"mcp_servers\":[{\"name\":\"a\"}],\"mcp_servers\":[]",
	    "133 whole repeats" },
	{ "\"thread\":{\"type\":\"continue\"}",
	    "133 whole repeats" },
	{ "\"compaction\":{\"a\":1}", "133 again repeats" },
	{ "\"context_management\":{\"edits\":[{\"type\":"
	    "\"compact_20260112\"}]}", "133 again repeats" },
	{ "\"context_management\":{\"edits\":[{\"type\":"
	    "\"clear_thinking_20251015\"}]}", "133" },
	{ "\"fallbacks\":[{\"model\":\"m2\"}]",
	    "133 others (a call with fallbacks)" },
	{ "\"fallbacks\":[]", "133" },
	/* tools */
	{ "\"tools\":[{\"name\":\"a\"},{\"type\":\"custom\"},"
	    "{\"type\":\"bash_20250124\"},{\"type\":"
	    "\"text_editor_20250728\"},{\"type\":"
	    "\"memory_20250818\"}]", "133 +5000" },
	{ "\"tools\":[{\"type\":\"tool_search_tool_bm25_20251119\"}]",
	    "133 repeats +2000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":8") "]",
	    "133 whole repeats searches=8 +2000" },
	{ "\"tools\":[{\"max_uses\":8,\"type\":"
	    "\"web_search_20250305\"}," SEARCH("\"max_uses\":2") "]",
	    "133 whole repeats searches=10 +3000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":0") "]",
	    "133 whole repeats +2000" },
	{ "\"tools\":[" SEARCH("\"name\":\"a\"") "]",
	    "133 whole repeats searches=-1 +2000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":null") "]",
	    "133 whole repeats searches=-1 +2000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":-1") "]",
	    "133 whole repeats searches=-1 +2000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":1e9") "]",
	    "133 whole repeats searches=-1 +2000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":1,\"max_uses\":9") "]",
	    "133 whole repeats searches=9 +2000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":9,\"max_uses\":\"x\"")
	    "]", "133 whole repeats searches=-1 +2000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":3") "," SEARCH("\"a\":1")
	    "]", "133 whole repeats searches=-1 +3000" },
	{ "\"tools\":[" SEARCH("\"max_uses\":3") "],\"tools\":["
	    SEARCH("\"max_uses\":4") "]",
	    "133 whole repeats searches=7 +3000" },
	{ "\"tools\":[{\"name\":\"a\",\"max_uses\":5}]", "133 +1000" },
	{ USER(SEARCH("\"max_uses\":3")),
	    "133 whole repeats searches=-1" },
	{ USER("{\"type\":\"web_search_tool_result\",\"content\":[{"
	    "\"type\":\"web_search_result\"}]}"), "133" },
	{ "\"tools\":[{\"type\":\"web_fetch_20250910\"}]",
	    "133 whole repeats +2000" },
	{ "\"tools\":[{\"type\":\"code_execution_20250825\"}]",
	    "133 whole repeats +2000 (code execution)" },
	{ "\"tools\":[{\"type\":\"advisor_20260301\"}]",
	    "133 whole repeats +2000 (the advisor tool)" },
	{ "\"tools\":[{\"type\":\"oracle_20270101\"}]",
	    "133 +2000 (a tool of type \"oracle_20270101\")" },
	{ "\"tools\":[{\"type\":\"a_tool_with_a_very_long_name_in_"
	    "deed_20270101\"}]", "133 +2000 (a tool of type "
	    "\"a_tool_with_a_very_long_name_in\")" },
	{ "\"tools\":[{\"type\":\"url\"}]",
	    "133 whole +2000 (a tool of type \"url\")" },
	{ "\"tools\":[{\"type\":null},{\"type\":5},7,\"web\"]",
	    "133 +1000" },
};

static void
what_may_make_it_dear_is_found(void **state)
{
	char body[1024], found[256];
	struct peek out;
	struct err err;
	size_t i, cut;

	(void)state;
	for (i = 0; i < NITEMS(asks); i++) {
		(void)snprintf(body, sizeof(body), "{\"model\":\"m\",%s}",
		    asks[i].members);
		for (cut = 0; cut <= strlen(body); cut++) {
			if (peek_cut(body, cut, &out, &err))
				fail_msg("%s: %s", body, err.text);
			if (strcmp(say(&out.ask, found, sizeof(found)),
				asks[i].found) != 0)
				fail_msg("%s, cut at %zu: %s", body, cut,
				    found);
		}
	}
}

static void
lack_of_memory_is_reported(void **state)
{
	struct peek_scan *s;
	int i;

	(void)state;
	for (i = 0;; i++) {
		alloc_fail_after(i);
		s = peek_new();
		if (!alloc_fail_stop())
			break;
		assert_null(s);
	}
	assert_non_null(s);
	assert_true(i > 2);
	peek_free(s);
}

static void
a_scan_is_as_good_as_new_after_a_reset(void **state)
{
	static const char whole[] = "{\"model\":\"m\",\"stream\":true}";
	static const char *const before[] = {
		"{\"model\":\"other\",\"stream\":tr",
		"{\"model\":\"other\",\"tools\":[{\"type\":\"web_search_2\"}",
		"{\"model\":\"other\",\"a\":{\"input\":{\"type\":\"url\",",
		"{\"model\":\"other\",\"a\":{\"type\":",
		"{\"model\":\"other\",\"a\":{\"input\":",
		"{\"model\":\"other\",\"max_tokens\":5,\"metadata\":{"
		    "\"user_id\":\"user_a_account__session_" ID "\"}}",
		"{\"model\":\"other\"]",
	};
	struct peek_scan *s;
	struct peek out;
	size_t i;
	int rc;

	(void)state;
	assert_non_null(s = peek_new());
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		rc = peek_push(s, before[i], strlen(before[i]), NULL);
		if (rc == 0)
			(void)!peek_end(s, &out, NULL);
		peek_reset(s);
		assert_int_equal(peek_push(s, whole, strlen(whole), NULL), 0);
		assert_int_equal(peek_end(s, &out, NULL), 0);
		assert_string_equal(out.model, "m");
		assert_true(out.stream);
		assert_int_equal(out.max_tokens, 0);
		assert_false(out.ask.whole_context);
		assert_int_equal(out.ask.web_searches, 0);
		assert_string_equal(out.session, "");
		assert_int_equal(out.model_start, 9);
		peek_reset(s);
	}
	peek_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_cut_at_any_byte_tells_the_same),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(a_name_of_a_model_is_bounded),
		cmocka_unit_test(sessions_are_taken_where_they_are_plain),
		cmocka_unit_test(a_conversation_keeps_its_prefix),
		cmocka_unit_test(what_is_not_cached_has_no_prefix),
		cmocka_unit_test(long_sessions_are_none),
		cmocka_unit_test(what_may_make_it_dear_is_found),
		cmocka_unit_test(a_scan_is_as_good_as_new_after_a_reset),
		cmocka_unit_test(lack_of_memory_is_reported),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
