#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/buf.h"
#include "base/err.h"
#include "relay/peek.h"
#include "relay/splice.h"

/* Also the places of the body's own model. */
static void
peek_at(const struct buf *body, struct peek *out, struct splice *sp)
{
	struct peek_scan *s = peek_new();
	struct err err = { 0 };

	assert_non_null(s);
	if (peek_push(s, buf_head(body), buf_len(body), &err) ||
	    peek_end(s, out, &err))
		fail_msg("%s", err.text);
	peek_free(s);
	if (sp == NULL)
		return;
	splice_init(sp);
	assert_int_equal(splice_add(sp, out->model_start, out->model_end,
	    SPLICE_MODEL, strlen(out->model), NULL), 0);
}

static int
put(struct splice *s, struct buf *body, const char *name)
{
	const char *names[SPLICE_NAMES] = { NULL };

	names[SPLICE_MODEL] = name;
	return (splice_put(s, body, names));
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
		peek_at(&b, &p, &s);
		assert_int_equal(put(&s, &b, NULL), 0);
		assert_body(&b, bodies[i], bodies[i][1]);
		for (k = 0; k < 2 * NITEMS(names); k++) {
			assert_int_equal(put(&s, &b,
			    names[k % NITEMS(names)].name), 0);
			assert_body(&b, bodies[i],
			    names[k % NITEMS(names)].json);
			if (k % 3 != 0)
				continue;
			assert_int_equal(put(&s, &b, NULL), 0);
			assert_body(&b, bodies[i], bodies[i][1]);
		}
		assert_int_equal(put(&s, &b, NULL), 0);
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
	peek_at(&b, &p, &s);
	assert_string_equal(p.model, "m-1");
	assert_int_equal(put(&s, &b, "other"), 0);
	assert_body(&b, parts, "\"other\"");
	peek_at(&b, &p, NULL);
	assert_string_equal(p.model, "other");
	assert_int_equal(put(&s, &b, NULL), 0);
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
	peek_at(&b, &p, &s);
	assert_int_equal(put(&s, &b, "longer"), 0);
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
		peek_at(&b, &p, &s);
		alloc_fail_after(n);
		assert_int_equal(put(&s, &b, "longer"), -1);
		assert_int_equal(alloc_fail_stop(), 1);
		assert_body(&b, parts, "\"m\"");
		assert_int_equal(put(&s, &b, "longer"), 0);
		assert_int_equal(put(&s, &b, NULL), 0);
		assert_body(&b, parts, "\"m\"");
		splice_fini(&s);
		buf_fini(&b);
	}
}

/* ---- several names in several places ---- */

/* Names 0 and 1, and the body's own; each also escaped. */
static const char *const many[] = {
	"{\"a\":", "\"m0\"", ",\"b\":[", "\"m\\u0030\"", ",", "\"m1\"", ",",
	"\"m0\"", "],\"c\":", "\"own\"", ",\"d\":", "\"\\u006d0\"", ",",
	"\"m1\"", "}"
};
static const size_t many_names[] = { 0, 0, 1, 0, SPLICE_MODEL, 0, 1 };
static const size_t many_len[] = { 2, 2, 2, 2, 3, 2, 2 };

static void
assert_many(const struct buf *body, const char *const to[SPLICE_NAMES])
{
	char want[1024] = "";
	const char *name;
	size_t i;

	for (i = 0; i < NITEMS(many); i++) {
		name = i % 2 == 0 ? NULL : to[many_names[i / 2]];
		if (name != NULL)
			strcat(strcat(strcat(want, "\""), name), "\"");
		else
			strcat(want, many[i]);
	}
	assert_int_equal(buf_len(body), strlen(want));
	assert_memory_equal(buf_head(body), want, strlen(want));
}

/* The body's own is found last, as a scan does. */
static void
make_many(struct buf *b, struct splice *s)
{
	size_t i, k, at[NITEMS(many) + 1] = { 0 };

	buf_init(b, 4096);
	splice_init(s);
	for (i = 0; i < NITEMS(many); i++) {
		assert_int_equal(buf_puts(b, many[i]), 0);
		at[i + 1] = buf_len(b);
	}
	for (k = 0; k < 2; k++) {
		for (i = 1; i < NITEMS(many); i += 2) {
			if ((many_names[i / 2] == SPLICE_MODEL) != (k == 1))
				continue;
			assert_int_equal(splice_add(s, at[i], at[i + 1],
			    many_names[i / 2], many_len[i / 2], NULL), 0);
		}
	}
}

/* From any names to any, longer and shorter at once. */
static void
each_name_changes_in_all_of_its_places(void **state)
{
	static const char *const cases[][3] = {
		{ NULL, NULL, NULL },
		{ "a-much-longer-name", NULL, NULL },
		{ "x", "a-much-longer-name", "y" },
		{ NULL, "", "another-long-one" },
		{ "m1", "m0", NULL },
		{ "longest-of-all-the-names-here", "x", "" },
	};
	const char *to[SPLICE_NAMES] = { NULL };
	struct splice s;
	struct buf b;
	size_t i, k;

	(void)state;
	make_many(&b, &s);
	for (i = 0; i < NITEMS(cases); i++) {
		for (k = 0; k < NITEMS(cases); k++) {
			to[0] = cases[i][0];
			to[1] = cases[i][1];
			to[SPLICE_MODEL] = cases[i][2];
			assert_int_equal(splice_put(&s, &b, to), 0);
			assert_many(&b, to);
			to[0] = cases[k][0];
			to[1] = cases[k][1];
			to[SPLICE_MODEL] = cases[k][2];
			assert_int_equal(splice_put(&s, &b, to), 0);
			assert_many(&b, to);
		}
	}
	splice_fini(&s);
	buf_fini(&b);
}

static void
many_places_without_memory_stay_as_they_are(void **state)
{
	const char *to[SPLICE_NAMES] = { "a-much-longer-name", NULL, "y" };
	const char *none[SPLICE_NAMES] = { NULL };
	struct splice s;
	struct buf b;
	int n;

	(void)state;
	for (n = 0; n < 2; n++) {
		make_many(&b, &s);
		b.max = b.cap = b.len;	/* no room ahead */
		alloc_fail_after(n);
		assert_int_equal(splice_put(&s, &b, to), -1);
		assert_int_equal(alloc_fail_stop(), 1);
		assert_many(&b, none);
		assert_int_equal(splice_put(&s, &b, to), 0);
		assert_many(&b, to);
		splice_fini(&s);
		buf_fini(&b);
	}
}

/* 16 bytes a place, up to so many. */
static void
places_have_a_bound(void **state)
{
	struct splice s;
	struct err err;
	uint64_t i;

	(void)state;
	err_clear(&err);
	splice_init(&s);
	for (i = 0; i < SPLICE_PLACES_MAX; i++)
		assert_int_equal(splice_add(&s, i * 3, i * 3 + 3, 0, 1, &err),
		    0);
	assert_int_equal(splice_bytes(&s), 16 * SPLICE_PLACES_MAX);
	assert_int_equal(splice_add(&s, i * 3, i * 3 + 3, 0, 1, &err), -1);
	assert_int_equal(err.code, ERR_INVAL);
	assert_non_null(strstr(err.text, "more than 400000 places"));
	splice_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_models_name_changes),
		cmocka_unit_test(escaped_names_are_found_and_put_back),
		cmocka_unit_test(a_full_body_grows_by_the_name_alone),
		cmocka_unit_test(without_memory_nothing_changes),
		cmocka_unit_test(each_name_changes_in_all_of_its_places),
		cmocka_unit_test(many_places_without_memory_stay_as_they_are),
		cmocka_unit_test(places_have_a_bound),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
