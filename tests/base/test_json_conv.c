#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"

#define T(s)	{ s, sizeof(s) - 1 }

struct text {
	const char *p;
	size_t n;
};

static const struct json_want wants[] = {
	{ "n", 0, false },
	{ "short", 5, false },
};
enum { W_N, W_SHORT };

static const struct json_value *
find(struct json_scan *s, const char *text, size_t want)
{
	struct err err = { 0 };

	json_scan_reset(s);
	if (json_scan_push(s, text, strlen(text), &err) ||
	    json_scan_end(s, &err))
		fail_msg("%s: %s", text, err.text);
	return (json_scan_get(s, want));
}

static void
integers_are_exact(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t value;
	} cases[] = {
		{ "0", 0, 0 }, { "-0", 0, 0 }, { "0.0", 0, 0 },
		{ "-0e5", 0, 0 }, { "0e999999999999999999999", 0, 0 },
		{ "0.000e-99999999999", 0, 0 }, { "5.0", 0, 5 },
		{ "1e3", 0, 1000 }, { "1E+3", 0, 1000 }, { "12.50e1", 0, 125 },
		{ "12.5e1", 0, 125 }, { "1200e-2", 0, 12 }, { "5.5", -1, 0 },
		{ "1201e-2", -1, 0 }, { "0.1", -1, 0 }, { "1e-1", -1, 0 },
		{ "1e-999999999999", -1, 0 }, { "1e19", -1, 0 },
		{ "1e999999999999999999999", -1, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775807.000", 0, INT64_MAX },
		{ "9223372036854775808", -1, 0 },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "-9223372036854775809", -1, 0 },
		{ "9007199254740993", 0, INT64_C(9007199254740993) },
		{ "0.00000000000000000000000012e26", 0, 12 },
		{ "18446744073709551616", -1, 0 },
		{ "184467440737095516160", -1, 0 },
		{ "\"5\"", -1, 0 }, { "true", -1, 0 }, { "null", -1, 0 },
		{ "[5]", -1, 0 },
	};
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	char text[128];
	int64_t value;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(text, sizeof(text), "{\"n\":%s}",
		    cases[i].text);
		value = 42;
		rc = json_value_int(find(s, text, W_N), INT64_MIN, INT64_MAX,
		    &value);
		if (rc != cases[i].rc ||
		    value != (rc == 0 ? cases[i].value : 42))
			fail_msg("%s: %d, %lld", text, rc, (long long)value);
	}
	json_scan_free(s);
}

static void
integers_are_bounded(void **state)
{
	struct json_scan *s = json_scan_new(wants, NITEMS(wants));
	int64_t value;

	(void)state;
	assert_int_equal(json_value_int(find(s, "{\"n\":10}", W_N), 0, 10,
	    &value), 0);
	assert_int_equal(json_value_int(find(s, "{\"n\":11}", W_N), 0, 10,
	    &value), -1);
	assert_int_equal(json_value_int(find(s, "{\"n\":-1}", W_N), 0, 10,
	    &value), -1);
	assert_int_equal(json_value_int(find(s, "{}", W_N), 0, 10, &value),
	    -1);
	/* Of this one only five digits are kept. */
	assert_int_equal(json_value_int(find(s, "{\"short\":123456}",
	    W_SHORT), 0, 1000000, &value), -1);
	json_scan_free(s);
}

static void
text_is_escaped_for_json(void **state)
{
	static const struct {
		struct text in;
		const char *out;
	} cases[] = {
		{ T(""), "" },
		{ T("plain / text"), "plain / text" },
		{ T("\"\\\b\f\n\r\t"), "\\\"\\\\\\b\\f\\n\\r\\t" },
		{ T("\0\x01\x1f\x7f"), "\\u0000\\u0001\\u001f\x7f" },
		{ T("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ T("a\xff\x62"), "a\xef\xbf\xbd""b" },
		{ T("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd" },
		{ T("\xed\xa0\x80"),
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ T("\xe0\x80\xaf"),
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ T("\xf4\x90\x80\x80"),
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ T("\xf0\x8f\x80\x80"),
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ T("x\xe2\x82"), "x\xef\xbf\xbd\xef\xbf\xbd" },
		{ T("\xe2\x82\x41"), "\xef\xbf\xbd\xef\xbf\xbd""A" },
		{ T("\xf5"), "\xef\xbf\xbd" },
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(json_escape(cases[i].in.p, cases[i].in.n, out,
		    sizeof(out)), strlen(cases[i].out));
		assert_string_equal(out, cases[i].out);
	}
}

static void
escaped_text_is_cut_at_a_character(void **state)
{
	static const char in[] = "a\xf0\x9f\x98\x80\n\x01z";
	static const char full[] = "a\xf0\x9f\x98\x80\\n\\u0001z";
	static const size_t ends[] = { 0, 1, 5, 7, 13, 14 };
	char out[32];
	size_t size, len, i;

	(void)state;
	for (size = 0; size <= sizeof(out); size++) {
		memset(out, '#', sizeof(out));
		len = json_escape(in, sizeof(in) - 1, out, size);
		for (i = NITEMS(ends) - 1; i > 0 && ends[i] + 1 > size; i--)
			continue;
		assert_int_equal(len, ends[i]);
		assert_memory_equal(out, full, len);
		assert_int_equal(out[len], size == 0 ? '#' : '\0');
	}
}

static void
utf8_is_told_from_other_bytes(void **state)
{
	static const struct text good[] = {
		T(""), T("a\0z\x7f"), T("\xc2\x80\xdf\xbf"),
		T("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
		T("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
	};
	static const struct text bad[] = {
		T("\x80"), T("\xbf"), T("\xc0\x80"), T("\xc1\xbf"), T("\xc2"),
		T("a\xc2\x41"), T("\xe0\x9f\xbf"), T("\xed\xa0\x80"),
		T("\xe2\x82"), T("\xe2\x82\xc0"), T("\xf0\x8f\xbf\xbf"),
		T("\xf4\x90\x80\x80"), T("\xf0\x9f\x98"), T("\xf5\x80\x80"
		"\x80"), T("\xff"), T("\xf0\x9f\x98\x00"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(good); i++)
		assert_true(json_is_utf8(good[i].p, good[i].n));
	for (i = 0; i < NITEMS(bad); i++)
		assert_false(json_is_utf8(bad[i].p, bad[i].n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(integers_are_bounded),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(text_is_escaped_for_json),
		cmocka_unit_test(escaped_text_is_cut_at_a_character),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
