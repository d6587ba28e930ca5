#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/err.h"
#include "base/json.h"

#define T(s)	{ s, sizeof(s) - 1 }

struct text {
	const char *p;
	size_t n;
};

/* The least that a scan can look for. */
static const struct json_want want_a[] = { { "a", 0, false } };

/* Scan ${p} with a cut after ${cut} bytes. */
static int
scan_cut(struct json_scan *s, const char *p, size_t n, size_t cut,
    struct err *err)
{

	err_clear(err);
	json_scan_reset(s);
	if (json_scan_push(s, p, cut, err) || json_scan_push(s, p + cut,
		n - cut, err))
		return (-1);
	return (json_scan_end(s, err));
}

static int
scan(struct json_scan *s, const char *text, struct err *err)
{

	return (scan_cut(s, text, strlen(text), 0, err));
}

/*
 * Form: cases after the manner of JSONTestSuite, y for what a reader must
 * take and n for what it must refuse.
 */

static const struct text y[] = {
	T("null"), T("true"), T("false"), T("0"), T("-0"), T("\"\""),
	T("{}"), T("[]"), T(" \t\r\n[]\n\r\t "), T("[[],[[]]]"),
	T("[1,2.5,-3e+10,4E-2,0.1e1,123456789012345678901234567890]"),
	T("[0,0.0,-0.0,0e0,0E+1]"), T("1e0001"), T("-1.5E+300"),
	T("[null,1,\"1\",{}]"), T("[ ]"), T("{ }"), T("[ 1 , 2 ]"),
	T("{\"a\" : 1 , \"b\" : 2}"), T("{\"\":0}"), T("{\"a\":[]}"),
	T("{\"a\":1,\"a\":2}"), T("{\"a\":{\"b\":{\"c\":{}}}}"),
	T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), T("\"\\u0000\""),
	T("\"\\uD834\\uDD1E\""), T("\"\\ud834\\udd1e\""), T("\"\\uDADA\""),
	T("\"\\uDD1E\\uD834\""), T("\"\\uD800\\uD800\\n\""),
	T("\"\\uD888x\""), T("\"\\uFFFF\""), T("\"\x7f\""), T("\"/\""),
	T("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""), T("\"\xff\xc0\""),
	T("\"\xed\xa0\x80\""), T("\"\xe2\x80\xa8\""), T("{\"\\u0061\":1}"),
	T("\"a string of more than sixteen bytes, to be passed by blocks\""),
	T("\"sixteen bytes...\""), T("\"fifteen bytes..\""),
	T("[\"\\\\\\\\\",\"\\\\\"]"), T("{\"a\":\"\\u00e9\"}"),
	T("\"'\""), T("[1]\n"), T("12"), T("[-123]"), T("[1E22]"),
};

static const struct text n[] = {
	T(""), T(" "), T("\n"), T("nul"), T("nulL"), T("NULL"), T("truth"),
	T("tru"), T("True"), T("fals"), T("nan"), T("NaN"), T("Infinity"),
	T("-Infinity"), T("+1"), T("01"), T("-01"), T("00"), T("-"), T("--1"),
	T("1."), T(".5"), T("-.5"), T("1.e1"), T("1e"), T("1e+"), T("1E-"),
	T("1e5.5"), T("1e1e1"), T("1eE2"), T("0x1"), T("1_000"), T("1,"),
	T("[1.]"), T("[1.5.5]"), T("[-]"), T("[1e]"), T("- 1"), T("[1 2]"),
	T("1 2"), T("[1a]"), T("[0e]"), T("[-a]"), T("\xef\xbc\x91"),
	T("["), T("]"), T("[1"), T("[1,"), T("[1,]"), T("[,1]"), T("[1,,2]"),
	T("[,]"), T("[]]"), T("[}"), T("[1}"), T("[\"a\""), T("[\"a"),
	T("[[]"), T("[1:2]"), T("{"), T("}"), T("{]"), T("{\"a\""),
	T("{\"a\":"), T("{\"a\":1"), T("{\"a\":1,"), T("{\"a\":1,}"),
	T("{,}"), T("{\"a\"}"), T("{\"a\",1}"), T("{\"a\":}"),
	T("{\"a\"::1}"), T("{\"a\":1:2}"), T("{a:1}"), T("{'a':1}"),
	T("{1:1}"), T("{null:1}"), T("{\"a\":1 \"b\":2}"),
	T("{\"a\":1,,\"b\":2}"), T("{\"a\":1]"), T("{\"a\" 1}"),
	T("{\"a\":1}x"), T("{}}"), T("{} {}"), T("{}[]"), T("{},"),
	T("\""), T("\"a"), T("\"\\"), T("\"\\\""), T("\"\\u"), T("\"\\u1"),
	T("\"\\u12\""), T("\"\\u123\""), T("\"\\u12g4\""), T("\"\\U1234\""),
	T("\"\\x41\""), T("\"\\a\""), T("\"\\'\""), T("\"\\0\""),
	T("\"\\ \""), T("\"\\\n\""), T("\"\n\""), T("\"\t\""), T("\"\0\""),
	T("\"\x1f\""), T("\"\\\xc3\xa9\""), T("\"\\u00\xc3\xa9\""),
	T("'a'"), T("\"a\"b"), T("\"a\"\"b\""), T("a"), T("*"), T("\0"),
	T("[]\0"), T("[\0]"), T("[1\0]"), T("\xef\xbb\xbf{}"), T("\xff"),
	T("\xc2\xa0[]"), T("[\x0b]"), T("[\f]"), T("/**/1"), T("[1//x\n]"),
	T("#1"), T("\"eighteen bytes, and\x01\""), T("[\"\\ud83d\\u\"]"),
	T("\"fifteen bytes..\n\""), T("\"sixteen bytes...\x1f\""),
};

static void
well_formed_texts_are_taken(void **state)
{
	struct json_scan *s = json_scan_new(want_a, 1);
	struct err err;
	size_t i, cut;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < NITEMS(y); i++)
		for (cut = 0; cut <= y[i].n; cut++)
			if (scan_cut(s, y[i].p, y[i].n, cut, &err))
				fail_msg("y[%zu] %s cut at %zu: %s", i, y[i].p,
				    cut, err.text);
	json_scan_free(s);
}

static void
other_texts_are_refused_alike_wherever_they_are_cut(void **state)
{
	struct json_scan *s = json_scan_new(want_a, 1);
	struct err err, whole;
	size_t i, cut;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < NITEMS(n); i++) {
		if (scan_cut(s, n[i].p, n[i].n, n[i].n, &whole) == 0)
			fail_msg("n[%zu] %s is taken", i, n[i].p);
		assert_int_equal(whole.code, ERR_INVAL);
		for (cut = 0; cut < n[i].n; cut++) {
			assert_int_equal(scan_cut(s, n[i].p, n[i].n, cut,
			    &err), -1);
			assert_string_equal(err.text, whole.text);
		}
	}
	json_scan_free(s);
}

static void
errors_say_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "line 1, byte 1: the text ends where a value should be" },
		{ "{\"a\":1,}", "line 1, byte 8: '}' where a member name "
		    "should be" },
		{ "{\n \"a\": 1,\n \"b\" 2\n}", "line 3, byte 6: '2' where "
		    "':' should be" },
		{ "[1\n\n\n", "line 4, byte 1: the text ends where ',' or a "
		    "closing bracket should be" },
		{ "{} x", "line 1, byte 4: 'x' where the text should be "
		    "over" },
		{ "\"a\nb\"", "line 1, byte 3: byte 0x0a where a string goes "
		    "on" },
		{ "\"\\q\"", "line 1, byte 3: 'q' where an escape should be" },
		{ "\"\\u00g0\"", "line 1, byte 6: 'g' where a hexadecimal "
		    "digit should be" },
		{ "[1.x]", "line 1, byte 4: 'x' where a digit should be" },
		{ "[trve]", "line 1, byte 4: 'v' where true, false or null "
		    "should be" },
		{ "\xef\xbb\xbf{}", "line 1, byte 1: byte 0xef where a value "
		    "should be" },
		{ "{\"model", "line 1, byte 8: the text ends where a string "
		    "goes on" },
	};
	struct json_scan *s = json_scan_new(want_a, 1);
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(scan(s, cases[i].text, &err), -1);
		assert_string_equal(err.text, cases[i].message);
	}
	json_scan_free(s);
}

static void
an_error_stays_until_reset(void **state)
{
	struct json_scan *s = json_scan_new(want_a, 1);
	struct err err, again;

	(void)state;
	err_clear(&err);
	err_clear(&again);
	assert_int_equal(json_scan_push(s, "[x", 2, &err), -1);
	assert_int_equal(json_scan_push(s, "1]", 2, &again), -1);
	assert_string_equal(again.text, err.text);
	assert_int_equal(json_scan_end(s, NULL), -1);
	json_scan_reset(s);
	assert_int_equal(json_scan_push(s, "[1]", 3, NULL), 0);
	assert_int_equal(json_scan_end(s, NULL), 0);
	json_scan_free(s);
}

static void
depth_is_bounded(void **state)
{
	struct json_scan *s = json_scan_new(want_a, 1);
	char text[2 * LIMIT_JSON_DEPTH + 2];
	struct err err;

	(void)state;
	memset(text, '[', LIMIT_JSON_DEPTH + 1);
	memset(text + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
	assert_int_equal(scan_cut(s, text + 1, 2 * LIMIT_JSON_DEPTH, 7, &err),
	    0);
	assert_int_equal(scan_cut(s, text, sizeof(text), 7, &err), -1);
	assert_string_equal(err.text, "line 1, byte 513: nested too deeply");
	json_scan_free(s);
}

static void
brackets_are_matched_by_kind_at_every_depth(void **state)
{
	struct json_scan *s = json_scan_new(want_a, 1);
	struct err err;

	(void)state;
	assert_int_equal(scan(s, "[{\"x\":[{\"y\":[[{}]]}]}]", &err), 0);
	assert_int_equal(scan(s, "[{\"x\":[{\"y\":[[{}]}]}]}]", &err), -1);
	assert_int_equal(scan(s, "[{\"x\":[{\"y\":[[{}]]]}]}]", &err), -1);
	json_scan_free(s);
}

/*
 * Values.
 */

static const struct json_want wants[] = {
	{ "model", 0, false },
	{ "usage.cache.five", 0, false },
	{ "content[].text", 8, true },
	{ "stream", 0, false },
	{ "usage", 0, false },
	{ "[].x", 0, false },
	{ "list[][]", 0, true },
	{ "short", 5, false },
	{ "n", 0, false },
};
enum { W_MODEL, W_FIVE, W_TEXT, W_STREAM, W_USAGE, W_TOP, W_LIST, W_SHORT };

static const struct json_value *
find(struct json_scan *s, const char *text, size_t want)
{
	struct err err;

	if (scan(s, text, &err))
		fail_msg("%s: %s", text, err.text);
	return (json_scan_get(s, want));
}

static void
values_are_found_at_their_path_alone(void **state)
{
	static const struct {
		const char *text;
		size_t want;
		enum json_kind kind;
		const char *value;
		uint64_t start, end;
	} cases[] = {
		{ "{\"model\":\"m\"}", W_MODEL, JSON_KIND_STRING, "m", 9, 12 },
		{ "{ \"model\" :\n \"m\" }", W_MODEL, JSON_KIND_STRING, "m", 13,
		    16 },
		{ "{\"m\\u006fdel\":\"m\"}", W_MODEL, JSON_KIND_STRING, "m", 14,
		    17 },
		{ "{\"Model\":\"m\"}", W_MODEL, JSON_KIND_NONE, "", 0, 0 },
		{ "{\"modell\":\"m\",\"mode\":1}", W_MODEL,
		    JSON_KIND_NONE, "", 0, 0 },
		{ "{\"x\":{\"model\":1}}", W_MODEL, JSON_KIND_NONE, "", 0, 0 },
		{ "[{\"model\":1}]", W_MODEL, JSON_KIND_NONE, "", 0, 0 },
		{ "{\"x\":{},\"model\":1}", W_MODEL, JSON_KIND_NUMBER, "1", 16,
		    17 },
		{ "{\"model\":null}", W_MODEL, JSON_KIND_NULL, "", 9, 13 },
		{ "{\"model\":[1]}", W_MODEL, JSON_KIND_ARRAY, "", 9, 12 },
		{ "{\"model\":{\"model\":2}}", W_MODEL, JSON_KIND_OBJECT, "", 9,
		    20 },
		{ "{\"stream\":true}", W_STREAM, JSON_KIND_TRUE, "", 10, 14 },
		{ "{\"stream\":false}", W_STREAM, JSON_KIND_FALSE, "", 10, 15 },
		{ "{\"usage\":{\"cache\":{\"five\":12}}}", W_FIVE,
		    JSON_KIND_NUMBER, "12", 26, 28 },
		{ "{\"usage\":{\"cache\":{\"five\":12}}}", W_USAGE,
		    JSON_KIND_OBJECT, "", 9, 30 },
		{ "{\"usage\":{\"x\":{},\"cache\":{\"y\":[],\"five\":12}}}",
		    W_FIVE, JSON_KIND_NUMBER, "12", 40, 42 },
		{ "{\"usage\":{\"x\":{\"five\":1}}}", W_FIVE,
		    JSON_KIND_NONE, "", 0, 0 },
		{ "{\"usage\":[{\"cache\":{\"five\":1}}]}", W_FIVE,
		    JSON_KIND_NONE, "", 0, 0 },
		{ "{\"cache\":{\"five\":1},\"usage\":{}}", W_FIVE,
		    JSON_KIND_NONE, "", 0, 0 },
		{ "{\"usage.cache.five\":1}", W_FIVE,
		    JSON_KIND_NONE, "", 0, 0 },
		{ "[1,{\"x\":2},[{\"x\":3}]]", W_TOP,
		    JSON_KIND_NUMBER, "2", 8, 9 },
		{ "{\"[]\":{\"x\":2}}", W_TOP, JSON_KIND_NONE, "", 0, 0 },
		{ "\"model\"", W_MODEL, JSON_KIND_NONE, "", 0, 0 },
	};
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	const struct json_value *v;
	size_t i;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < NITEMS(cases); i++) {
		v = find(s, cases[i].text, cases[i].want);
		if (v->kind != cases[i].kind ||
		    strcmp(v->text, cases[i].value) != 0 ||
		    v->start != cases[i].start || v->end != cases[i].end)
			fail_msg("%s: kind %d \"%s\" %d-%d", cases[i].text,
			    v->kind, v->text, (int)v->start, (int)v->end);
		assert_false(v->duplicate);
	}
	json_scan_free(s);
}

static void
strings_are_unescaped(void **state)
{
	static const struct {
		const char *text, *value;
		size_t len;
		bool has_nul;
	} cases[] = {
		{ "a\\n\\t\\r\\b\\f\\/\\\\\\\"z", "a\n\t\r\b\f/\\\"z", 10,
		    false },
		{ "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac", 6, false },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80", 4, false },
		{ "\\uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf", 4, false },
		{ "\\ud83d", "\xef\xbf\xbd", 3, false },
		{ "\\ude00", "\xef\xbf\xbd", 3, false },
		{ "\\ud83dx", "\xef\xbf\xbdx", 4, false },
		{ "\\ud83d\\n", "\xef\xbf\xbd\n", 4, false },
		{ "\\ud83d\\u0041", "\xef\xbf\xbd""A", 4, false },
		{ "\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7,
		    false },
		{ "\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd", 6, false },
		{ "a\\u0000b", "a\0b", 3, true },
		{ "\\u0001", "\x01", 1, false },
		{ "\xff\x80", "\xff\x80", 2, false },
	};
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	const struct json_value *v;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(text, sizeof(text), "{\"model\":\"%s\"}",
		    cases[i].text);
		v = find(s, text, W_MODEL);
		if (v->len != cases[i].len)
			fail_msg("%s: %zu bytes", text, v->len);
		assert_memory_equal(v->text, cases[i].value, v->len + 1);
		assert_int_equal(v->full_len, v->len);
		assert_int_equal(v->has_nul, cases[i].has_nul);
	}
	json_scan_free(s);
}

static void
long_text_is_cut_at_a_character_and_its_length_known(void **state)
{
	static const struct {
		const char *value, *kept;
		uint64_t full_len;
	} cases[] = {
		{ "12345", "12345", 5 },
		{ "123456", "12345", 6 },
		{ "abc\xe2\x82\xac", "abc", 6 },
		{ "ab\xe2\x82\xac", "ab\xe2\x82\xac", 5 },
		{ "abcd\\u00e9", "abcd", 6 },
		{ "ab\\ud83d\\ude00", "ab", 6 },
		{ "a\\ud83d\\ude00z", "a\xf0\x9f\x98\x80", 6 },
		{ "\x80\x80\x80\x80\x80\x80", "\x80\x80\x80\x80\x80", 6 },
	};
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	const struct json_value *v;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(text, sizeof(text), "{\"short\":\"%s\"}",
		    cases[i].value);
		v = find(s, text, W_SHORT);
		assert_string_equal(v->text, cases[i].kept);
		assert_int_equal(v->len, strlen(cases[i].kept));
		assert_int_equal(v->full_len, cases[i].full_len);
	}
	json_scan_free(s);
}

static void
a_value_never_keeps_more_than_the_limit(void **state)
{
	static const struct json_want greedy[] = { { "a", SIZE_MAX, false } };
	struct json_scan *s = json_scan_new(greedy, 1);
	const struct json_value *v;
	char text[LIMIT_JSON_VALUE_BYTES + 10];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + sizeof(text) - 3, "\"}", 3);
	v = find(s, text, 0);
	assert_int_equal(v->full_len, sizeof(text) - 9);
	assert_int_equal(v->len, LIMIT_JSON_VALUE_BYTES);
	assert_int_equal(strlen(v->text), LIMIT_JSON_VALUE_BYTES);
	json_scan_free(s);
}

static void
duplicates_are_flagged_and_the_last_counts(void **state)
{
	static const struct {
		const char *text;
		size_t want;
		enum json_kind kind;
		const char *value;
		bool duplicate;
	} cases[] = {
		{ "{\"model\":\"a\",\"model\":\"b\"}", W_MODEL,
		    JSON_KIND_STRING, "b", true },
		{ "{\"model\":\"a\",\"mod\\u0065l\":\"b\"}", W_MODEL,
		    JSON_KIND_STRING, "b", true },
		{ "{\"model\":\"a\",\"model\":null}", W_MODEL,
		    JSON_KIND_NULL, "", true },
		{ "{\"model\":{},\"model\":1}", W_MODEL, JSON_KIND_NUMBER, "1",
		    true },
		{ "{\"usage\":{\"cache\":{\"five\":1,\"five\":2}}}", W_FIVE,
		    JSON_KIND_NUMBER, "2", true },
		{ "{\"usage\":{\"cache\":{\"five\":1}},\"usage\":{}}", W_FIVE,
		    JSON_KIND_NONE, "", true },
		{ "{\"usage\":{\"cache\":{\"five\":1},\"cache\":null}}",
		    W_FIVE, JSON_KIND_NONE, "", true },
		{ "{\"usage\":{},\"usage\":{\"cache\":{\"five\":1}}}", W_FIVE,
		    JSON_KIND_NUMBER, "1", false },
		{ "{\"usage\":{},\"usage\":{\"cache\":{\"five\":1}}}", W_USAGE,
		    JSON_KIND_OBJECT, "", true },
		{ "[{\"x\":1},{\"x\":2}]", W_TOP,
		    JSON_KIND_NUMBER, "2", false },
	};
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	const struct json_value *v;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		v = find(s, cases[i].text, cases[i].want);
		if (v->kind != cases[i].kind ||
		    v->duplicate != cases[i].duplicate ||
		    strcmp(v->text, cases[i].value) != 0)
			fail_msg("%s: kind %d \"%s\" %d", cases[i].text,
			    v->kind, v->text, v->duplicate);
	}
	json_scan_reset(s);
	assert_false(json_scan_get(s, W_MODEL)->duplicate);
	json_scan_free(s);
}

/* Writes down each match, so that runs can be compared. */
struct record {
	char text[4096];
	size_t len;
};

static void
note(struct record *r, size_t want, const struct json_value *v)
{

	r->len += (size_t)snprintf(r->text + r->len, sizeof(r->text) - r->len,
	    "%zu:%d:%d-%d:%s/%d%s%s ", want, v->kind, (int)v->start,
	    (int)v->end, v->text, (int)v->full_len, v->has_nul ? "0" : "",
	    v->duplicate ? "D" : "");
	assert_true(r->len < sizeof(r->text));
}

static void
on_match(void *arg, size_t want, const struct json_value *v)
{

	note(arg, want, v);
}

static void
on_deep(void *arg, size_t want, const struct json_value *v)
{
	char *found = arg;
	size_t used = strlen(found);

	(void)snprintf(found + used, 256 - used, "%zu=%s ", want, v->text);
}

static void
every_match_is_reported_in_order(void **state)
{
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	struct record r = { .len = 0 };
	struct err err;

	(void)state;
	json_scan_on_match(s, on_match, &r);
	assert_int_equal(scan(s, "{\"content\":[{\"text\":\"one\"},7,"
	    "{\"type\":\"x\",\"text\":\"two and more\"},[{\"text\":\"no\"}],"
	    "{\"text\":[]}],\"list\":[[1,[2]],3,[\"4\"],[]]}", &err), 0);
	assert_string_equal(r.text, "2:1:20-25:one/3 "
	    "2:1:48-62:two and /12 2:7:88-90:/0 "
	    "6:2:102-103:1/1 6:7:104-107:/0 6:1:112-115:4/1 ");
	json_scan_free(s);
}

/* At any depth, but not in what is opaque; and beside other wants. */
static void
members_are_found_at_any_depth(void **state)
{
	static const struct json_want deep[] = {
		{ "**.t", 5, true },
		{ "a[].t", 5, true },
		{ "x", 5, false },
	};
	static const char *const opaque[] = { "in", "o", NULL };
	static const struct {
		const char *text, *found;
	} cases[] = {
		{ "{\"t\":1}", "0=1 " },
		{ "{\"t\":\"abcdefg\",\"u\":\"t\"}", "0=abcde " },
		{ "{\"a\":[{\"t\":1},{\"t\":true},{\"t\":null}]}",
		    "0=1 1=1 0= 1= 0= 1= " },
		{ "{\"a\":[{\"t\":{\"t\":2}},{\"t\":[3,{\"t\":4}]}]}",
		    "0=2 1= 0=4 1= " },
		{ "{\"\\u0074\":5,\"T\":6,\"tt\":7,\"\":8}", "0=5 " },
		{ "[[[[[[[[[[{\"t\":9},\"t\",{\"b\":{\"t\":8}}]]]]]]]]]]",
		    "0=9 0=8 " },
		{ "{\"in\":{\"t\":1,\"b\":{\"t\":2}},\"t\":3}", "0=3 " },
		{ "{\"in\":[{\"t\":1}],\"b\":{\"t\":2}}", "0=2 " },
		{ "{\"in\":{\"in\":{\"t\":1},\"t\":1},\"b\":{\"t\":2}}",
		    "0=2 " },
		{ "{\"in\":5,\"b\":{\"t\":2}}", "0=2 " },
		{ "{\"in\":\"t\",\"t\":{\"o\":[]},\"t\":7}", "0=7 " },
		{ "[{\"a\":{\"in\":{}}},{\"t\":1}]", "0=1 " },
		{ "{\"ins\":{\"t\":1},\"\\u0069n\":{\"t\":2}}", "0=1 " },
		{ "{\"a\":[{\"in\":{\"t\":1},\"t\":2}]}", "0=2 1=2 " },
	};
	struct json_scan *s = json_scan_new(deep, NITEMS(deep));
	struct err err;
	char found[256];
	size_t i, cut, len;

	(void)state;
	assert_non_null(s);
	json_scan_opaque(s, opaque);
	json_scan_on_match(s, on_deep, found);
	for (i = 0; i < NITEMS(cases); i++) {
		len = strlen(cases[i].text);
		for (cut = 0; cut <= len; cut++) {
			found[0] = '\0';
			assert_int_equal(scan_cut(s, cases[i].text, len, cut,
			    &err), 0);
			if (strcmp(found, cases[i].found) != 0)
				fail_msg("%s: %s", cases[i].text, found);
		}
	}
	json_scan_free(s);
}

static const char document[] =
    "{\"model\":\"claude-\\u00e9\\ud83d\\ude00-\\ud800-\\\"4\\\"\",\n"
    " \"stream\" : true, \"n\": -12.50e+1, \"short\":\"\\u20ac\\u20ac\",\n"
    "\t\"usage\":{\"cache\":{\"five\":77,\"x\":[1,2,{\"five\":3}]}},\r\n"
    "\"content\":[{\"text\":\"\\u0000nul\"},{\"text\":\"a longer text, with "
    "\xf0\x9f\x98\x80 in it and a back\\\\slash\"}],\"list\":[[1],[null,"
    "[[[[[[[]]]]]]],false]],\"model\":\"again\",\"deep\":{\"deep\":{\"deep\":"
    "{\"deep\":{\"deep\":{\"deep\":{\"deep\":{\"deep\":{\"model\":0}}}}}}}}}";

/* All that a scan of the document found, cut at ${a} and ${b}. */
static void
record_document(struct json_scan *s, size_t a, size_t b, struct record *r)
{
	size_t i, end = sizeof(document) - 1;

	r->len = 0;
	json_scan_reset(s);
	json_scan_on_match(s, on_match, r);
	assert_int_equal(json_scan_push(s, document, a, NULL), 0);
	assert_int_equal(json_scan_push(s, document + a, b - a, NULL), 0);
	assert_int_equal(json_scan_push(s, document + b, end - b, NULL), 0);
	assert_int_equal(json_scan_end(s, NULL), 0);
	assert_int_equal(json_scan_top(s), JSON_KIND_OBJECT);
	for (i = 0; i < NITEMS(wants); i++)
		note(r, i, json_scan_get(s, i));
}

static void
a_text_cut_anywhere_gives_the_same_values(void **state)
{
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	struct record whole, r;
	size_t a, b;

	(void)state;
	record_document(s, 0, 0, &whole);
	assert_non_null(strstr(whole.text, "8:2:"));
	for (a = 0; a < sizeof(document); a++)
		for (b = a; b < sizeof(document) && b < a + 9; b++) {
			record_document(s, a, b, &r);
			assert_string_equal(r.text, whole.text);
		}
	json_scan_free(s);
}

static void
a_byte_at_each_place_of_a_string_is_noticed(void **state)
{
	static const char special[] = { '"', '\\', '\0', 0x1f };
	struct json_scan *s = json_scan_new(want_a, 1);
	char text[100];
	size_t len, at, i;
	struct err err;

	(void)state;
	for (len = 1; len < sizeof(text) - 2; len++)
		for (at = 1; at <= len; at++)
			for (i = 0; i < NITEMS(special); i++) {
				memset(text, ' ' + (int)(at % 2) * 0xc0,
				    sizeof(text));
				text[0] = text[len + 1] = '"';
				assert_int_equal(scan_cut(s, text, len + 2, 0,
				    &err), 0);
				text[at] = special[i];
				assert_int_equal(scan_cut(s, text, len + 2, 0,
				    &err), -1);
			}
	json_scan_free(s);
}

static void
the_kind_of_the_text_is_known_from_its_first_byte(void **state)
{
	static const struct {
		const char *text;
		enum json_kind top;
	} cases[] = {
		{ " ", JSON_KIND_NONE }, { " {", JSON_KIND_OBJECT },
		{ "[", JSON_KIND_ARRAY }, { "\"", JSON_KIND_STRING },
		{ "-", JSON_KIND_NUMBER }, { "t", JSON_KIND_TRUE },
		{ "f", JSON_KIND_FALSE }, { "n", JSON_KIND_NULL },
	};
	struct json_scan *s = json_scan_new(NULL, 0);
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		json_scan_reset(s);
		assert_int_equal(json_scan_push(s, cases[i].text,
		    strlen(cases[i].text), NULL), 0);
		assert_int_equal(json_scan_top(s), cases[i].top);
	}
	json_scan_free(s);
}

static void
paths_of_a_bad_form_are_refused(void **state)
{
	static const char *const bad[] = {
		"", ".", "a.", ".a", "a..b", "a[0]", "a[", "[]b", "a[]b",
		"a.b.c.d.e.f.g.h.i.j.k.l.m", "**.", "**.a.b", "**.[]", "**.a[]",
		("a23456789012345678901234567890123456789012345678901234567890"
		    "1234"),
	};
	struct json_want want = { "a.b.c.d.e.f", 0, false };
	struct json_want many[JSON_WANTS_MAX + 1];
	struct json_scan *s;
	size_t i;

	(void)state;
	assert_non_null(s = json_scan_new(&want, 1));
	json_scan_free(s);
	for (i = 0; i < NITEMS(bad); i++) {
		want.path = bad[i];
		if (json_scan_new(&want, 1) != NULL)
			fail_msg("path \"%s\" is taken", bad[i]);
	}
	for (i = 0; i < NITEMS(many); i++)
		many[i] = want_a[0];
	assert_null(json_scan_new(many, NITEMS(many)));
	assert_non_null(s = json_scan_new(many, JSON_WANTS_MAX));
	assert_int_equal(find(s, "{\"a\":5}", JSON_WANTS_MAX - 1)->kind,
	    JSON_KIND_NUMBER);
	json_scan_free(s);
}

static void
lack_of_memory_is_reported(void **state)
{
	struct json_scan *s;
	int i;

	(void)state;
	for (i = 0;; i++) {
		alloc_fail_after(i);
		s = json_scan_new(wants, NITEMS(wants));
		if (!alloc_fail_stop())
			break;
		assert_null(s);
	}
	assert_non_null(s);
	assert_true(i > 0);
	json_scan_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_texts_are_taken),
		cmocka_unit_test(
		    other_texts_are_refused_alike_wherever_they_are_cut),
		cmocka_unit_test(errors_say_what_is_wrong_and_where),
		cmocka_unit_test(an_error_stays_until_reset),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(brackets_are_matched_by_kind_at_every_depth),
		cmocka_unit_test(values_are_found_at_their_path_alone),
		cmocka_unit_test(strings_are_unescaped),
		cmocka_unit_test(
		    long_text_is_cut_at_a_character_and_its_length_known),
		cmocka_unit_test(a_value_never_keeps_more_than_the_limit),
		cmocka_unit_test(duplicates_are_flagged_and_the_last_counts),
		cmocka_unit_test(every_match_is_reported_in_order),
		cmocka_unit_test(members_are_found_at_any_depth),
		cmocka_unit_test(a_text_cut_anywhere_gives_the_same_values),
		cmocka_unit_test(a_byte_at_each_place_of_a_string_is_noticed),
		cmocka_unit_test(
		    the_kind_of_the_text_is_known_from_its_first_byte),
		cmocka_unit_test(paths_of_a_bad_form_are_refused),
		cmocka_unit_test(lack_of_memory_is_reported),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
