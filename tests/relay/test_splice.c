#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/buf.h"
#include "base/err.h"
#include "relay/peek.h"
#include "relay/splice.h"

static void
peek_at(const struct buf *body, struct peek *out)
{
	struct peek_scan *s = peek_new();
	struct err err = { 0 };

	assert_non_null(s);
	if (peek_push(s, buf_head(body), buf_len(body), &err) ||
	    peek_end(s, out, &err))
		fail_msg("%s", err.text);
	peek_free(s);
}

/* In three parts; the middle one names the model. */
static const char *const bodies[][3] = {
	{ "{\"model\":", "\"m\"", "}" },
	{ " {\n\t\"x\":[1.0,1e3],\"mod\\u0065l\" : ", "\"\\u006d\\u002D1\"",
	    " ,\"max_tokens\":70e-1,\"y\":{\"model\":\"n\"}}\r\n" },
	{ "{\"messages\":[{\"content\":\"\\ud83d\\ude00 \xc3\xa9\"}],"
	    "\"model\":", "\"\xe6\xa8\xa1\\ud83d\\ude00\"",
	    ",\"a\":9007199254740993,\"b\":{},\"c\":[]}" },
	{ "{\"metadata\":{\"user_id\":\"\\\"model\\\":\\\"z\\\"\"},"
	    "\"model\":", "\"claude-sonnet-4-5\"", ",\"stream\":true}" },
};

static const struct {
	const char *name, *json;
} names[] = {
	{ "", "\"\"" },
	{ "o", "\"o\"" },
	{ "claude-opus-4-1-20250805", "\"claude-opus-4-1-20250805\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "\xe6\xa8\xa1\xe5\x9e\x8b/\xf0\x9f\x98\x80",
	    "\"\xe6\xa8\xa1\xe5\x9e\x8b/\xf0\x9f\x98\x80\"" },
};

static void
assert_body(const struct buf *body, const char *const parts[3],
    const char *model)
{
	char want[512];

	snprintf(want, sizeof(want), "%s%s%s", parts[0], model, parts[2]);
	assert_int_equal(buf_len(body), strlen(want));
	assert_memory_equal(buf_head(body), want, strlen(want));
}

/* From any name to any, and back to what the client wrote. */
static void
only_the_models_name_changes(void **state)
{
	struct splice s;
	struct peek p;
	struct buf b;
	size_t i, k;

	(void)state;
	for (i = 0; i < NITEMS(bodies); i++) {
		buf_init(&b, 4096);
		for (k = 0; k < 3; k++)
			assert_int_equal(buf_puts(&b, bodies[i][k]), 0);
		peek_at(&b, &p);
		splice_init(&s, p.model_start, p.model_end);
		assert_int_equal(splice_put(&s, &b, NULL), 0);
		assert_body(&b, bodies[i], bodies[i][1]);
		for (k = 0; k < 2 * NITEMS(names); k++) {
			assert_int_equal(splice_put(&s, &b,
			    names[k % NITEMS(names)].name), 0);
			assert_body(&b, bodies[i],
			    names[k % NITEMS(names)].json);
			if (k % 3 != 0)
				continue;
			assert_int_equal(splice_put(&s, &b, NULL), 0);
			assert_body(&b, bodies[i], bodies[i][1]);
		}
		assert_int_equal(splice_put(&s, &b, NULL), 0);
		assert_body(&b, bodies[i], bodies[i][1]);
		splice_fini(&s);
		buf_fini(&b);
	}
}

/* Its offsets are those of a scan, whatever is escaped before them. */
static void
escaped_names_are_found_and_put_back(void **state)
{
	static const char *const parts[3] = {
		" {\n\t\"mod\\u0065l\" : ", "\"\\u006d\\u002D1\"", " }\n"
	};
	struct splice s;
	struct peek p;
	struct buf b;
	size_t k;

	(void)state;
	buf_init(&b, 4096);
	for (k = 0; k < 3; k++)
		assert_int_equal(buf_puts(&b, parts[k]), 0);
	peek_at(&b, &p);
	assert_string_equal(p.model, "m-1");
	splice_init(&s, p.model_start, p.model_end);
	assert_int_equal(splice_put(&s, &b, "other"), 0);
	assert_body(&b, parts, "\"other\"");
	peek_at(&b, &p);
	assert_string_equal(p.model, "other");
	assert_int_equal(splice_put(&s, &b, NULL), 0);
	assert_body(&b, parts, parts[1]);
	splice_fini(&s);
	buf_fini(&b);
}

/* A body that is as large as may be takes a longer name all the same, and no
 * more memory than that. */
static void
a_full_body_grows_by_the_name_alone(void **state)
{
	static const char *const parts[3] = { "{\"model\":", "\"m\"", "}" };
	struct splice s;
	struct peek p;
	struct buf b;

	(void)state;
	buf_init(&b, 13);
	assert_int_equal(buf_puts(&b, "{\"model\":\"m\"}"), 0);
	peek_at(&b, &p);
	splice_init(&s, p.model_start, p.model_end);
	assert_int_equal(splice_put(&s, &b, "longer"), 0);
	assert_body(&b, parts, "\"longer\"");
	assert_int_equal(b.cap, 18);
	splice_fini(&s);
	buf_fini(&b);
}

static void
without_memory_nothing_changes(void **state)
{
	static const char *const parts[3] = { "{\"model\":", "\"m\"", "}" };
	struct splice s;
	struct peek p;
	struct buf b;
	int n;

	(void)state;
	for (n = 0; n < 2; n++) {
		buf_init(&b, 13);
		assert_int_equal(buf_puts(&b, "{\"model\":\"m\"}"), 0);
		peek_at(&b, &p);
		splice_init(&s, p.model_start, p.model_end);
		alloc_fail_after(n);
		assert_int_equal(splice_put(&s, &b, "longer"), -1);
		assert_int_equal(alloc_fail_stop(), 1);
		assert_body(&b, parts, "\"m\"");
		assert_int_equal(splice_put(&s, &b, "longer"), 0);
		assert_int_equal(splice_put(&s, &b, NULL), 0);
		assert_body(&b, parts, "\"m\"");
		splice_fini(&s);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_models_name_changes),
		cmocka_unit_test(escaped_names_are_found_and_put_back),
		cmocka_unit_test(a_full_body_grows_by_the_name_alone),
		cmocka_unit_test(without_memory_nothing_changes),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
