#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "http/request.h"
#include "http/traceparent.h"

#define TRACE	"4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT	"00f067aa0ba902b7"
#define GOOD	"00-" TRACE "-" PARENT "-01"

/* The cases of the W3C's own test harness (trace-context/test/test.py). */
static const struct {
	const char *text;
	bool good;
	unsigned int flags;
} parents[] = {
	{ GOOD, true, 1 },
	{ "00-" TRACE "-" PARENT "-00", true, 0 },
	{ "00-" TRACE "-" PARENT "-02", true, 2 },
	{ "00-" TRACE "-" PARENT "-03", true, 3 },
	{ "00-" TRACE "-" PARENT "-ff", true, 3 },
	{ "00-" TRACE "-" PARENT "-fc", true, 0 },
	{ " \t" GOOD " \t", true, 1 },

	/* versions */
	{ "00-" TRACE "-" PARENT "-01-", false, 0 },
	{ "00-" TRACE "-" PARENT "-01-what", false, 0 },
	{ "00-" TRACE "-" PARENT "-01.", false, 0 },
	{ "cc-" TRACE "-" PARENT "-01", true, 1 },
	{ "cc-" TRACE "-" PARENT "-01-what-the-future-will-be-like", true,
	    1 },
	{ "cc-" TRACE "-" PARENT "-01.what", false, 0 },
	{ "ff-" TRACE "-" PARENT "-01", false, 0 },
	{ ".0-" TRACE "-" PARENT "-01", false, 0 },
	{ "0.-" TRACE "-" PARENT "-01", false, 0 },
	{ "000-" TRACE "-" PARENT "-01", false, 0 },
	{ "0-" TRACE "-" PARENT "-01", false, 0 },
	{ "0G-" TRACE "-" PARENT "-01", false, 0 },

	/* trace ids */
	{ "00-00000000000000000000000000000000-" PARENT "-01", false, 0 },
	{ "00-.bf92f3577b34da6a3ce929d0e0e4736-" PARENT "-01", false, 0 },
	{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", false, 0 },
	{ "00-" TRACE "a-" PARENT "-01", false, 0 },
	{ "00-4bf92f3577b34da6a3ce929d0e0e473-" PARENT "-01", false, 0 },

	/* parent ids */
	{ "00-" TRACE "-0000000000000000-01", false, 0 },
	{ "00-" TRACE "-.0f067aa0ba902b7-01", false, 0 },
	{ "00-" TRACE "-00F067AA0BA902B7-01", false, 0 },
	{ "00-" TRACE "-" PARENT "a-01", false, 0 },
	{ "00-" TRACE "-0f067aa0ba902b7-01", false, 0 },

	/* flags */
	{ "00-" TRACE "-" PARENT "-.0", false, 0 },
	{ "00-" TRACE "-" PARENT "-0.", false, 0 },
	{ "00-" TRACE "-" PARENT "-001", false, 0 },
	{ "00-" TRACE "-" PARENT "-1", false, 0 },
	{ "00-" TRACE "-" PARENT "-", false, 0 },
	{ "00-" TRACE "-" PARENT, false, 0 },

	/* others */
	{ "", false, 0 }, { " ", false, 0 }, { "foo", false, 0 },
	{ "00_" TRACE "_" PARENT "_01", false, 0 },
	{ GOOD ", " GOOD, false, 0 },	/* the header came twice */
	{ GOOD "," GOOD, false, 0 },
};

static void
a_traceparent_is_read_as_the_standard_says(void **state)
{
	struct traceparent tp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		if ((traceparent_parse(parents[i].text, &tp) == 0) !=
		    parents[i].good)
			fail_msg("\"%s\"", parents[i].text);
		assert_string_equal(tp.trace_id, parents[i].good ? TRACE : "");
		assert_string_equal(tp.parent_id,
		    parents[i].good ? PARENT : "");
		assert_int_equal(tp.flags, parents[i].flags);
		assert_string_equal(tp.state, "");
	}
}

#define X10	"xxxxxxxxxx"
#define X60	X10 X10 X10 X10 X10 X10
#define X240	X60 X60 X60 X60

static const struct {
	const char *text;
	bool good;
} states[] = {
	{ "", true }, { "foo=1", true }, { "foo=1,bar=2", true },
	{ " foo=1 ,\tbar=2\t", true }, { "foo=1,", true },
	{ ",foo=1,,bar=2", true }, { "foo=1 2", true },
	{ "foo=1\t,\tbar=2, baz=3", true },
	{ "a0_-*/=x", true }, { "0a@b=1", true }, { "foo@=1", false },
	{ "foo@bar@baz=1", false }, { "@foo=1", false }, { "foo@0a=1", false },
	{ "0foo=1", false }, { "FOO=1", false }, { "foo.bar=1", false },
	{ "foo =1", false }, { "foo", false }, { "foo=", false },
	{ "=1", false }, { "foo=bar=baz", false }, { "foo=,bar=3", false },
	{ "foo@=1,bar=2", false }, { "foo=1,foo=1", false },
	{ "foo=1,bar=2,foo=3", false }, { "foo=\xc3\xbc", false },
	{ "z" X240 X10 "xxxxx=1", true },		/* 256 characters */
	{ "z" X240 X10 "xxxxxx=1", false },
	{ "t" X240 "@v" X10 "xxx=1", true },		/* 241, and 14 */
	{ "t" X240 "x@v=1", false },
	{ "t@v" X10 "xxxx=1", false },
	{ "foo=" X240 X10 "xxxxxx", true },
	{ "foo=" X240 X10 "xxxxxxx", false },
};

static void
a_tracestate_is_a_list_of_members(void **state)
{
	char many[600] = "";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (tracestate_good(states[i].text) != states[i].good)
			fail_msg("\"%s\"", states[i].text);
	}
	for (i = 0; i < 32; i++)
		snprintf(many + strlen(many), 16, "%sk%zu=1",
		    i > 0 ? "," : "", i);
	assert_true(tracestate_good(many));
	strcat(many, ", ");
	assert_true(tracestate_good(many));
	strcat(many, "more=1");
	assert_false(tracestate_good(many));
}

static void
of_a_request_both_are_taken_or_what_is_good_of_them(void **state)
{
	static const struct {
		const char *parent[2], *state[2], *id, *left;
	} cases[] = {
		{ { NULL }, { NULL }, "", "" },
		{ { GOOD }, { NULL }, TRACE, "" },
		{ { GOOD }, { "foo=1" }, TRACE, "foo=1" },
		{ { GOOD }, { "foo=1", "bar=2" }, TRACE, "foo=1, bar=2" },
		{ { GOOD }, { "foo=1", "" }, TRACE, "foo=1, " },
		{ { GOOD }, { "foo 1" }, TRACE, "" },
		{ { GOOD }, { "foo=1", "foo=2" }, TRACE, "" },
		{ { NULL }, { "foo=1" }, "", "" },
		{ { "x" }, { "foo=1" }, "", "" },
		{ { GOOD, GOOD }, { "foo=1" }, "", "" },
	};
	static const char *const names[] = { "HTTP_TRACEPARENT",
	    "HTTP_TRACESTATE" };
	struct http_request r;
	struct traceparent tp;
	const char *value;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		http_request_init(&r);
		assert_int_equal(http_request_param(&r, "REQUEST_METHOD", 14,
		    "GET", 3, NULL), 0);
		assert_int_equal(http_request_param(&r, "REQUEST_URI", 11, "/",
		    1, NULL), 0);
		for (k = 0; k < 4; k++) {
			value = k < 2 ? cases[i].parent[k] :
			    cases[i].state[k - 2];
			if (value != NULL)
				assert_int_equal(http_request_param(&r,
				    names[k / 2], strlen(names[k / 2]), value,
				    strlen(value), NULL), 0);
		}
		assert_int_equal(http_request_ready(&r, "", NULL), 1);
		traceparent_of(&r, &tp);
		assert_string_equal(tp.trace_id, cases[i].id);
		assert_string_equal(tp.state, cases[i].left);
		http_request_fini(&r);
	}
}

static void
each_step_has_a_parent_id_of_its_own(void **state)
{
	char first[TRACEPARENT_SIZE], second[TRACEPARENT_SIZE];
	struct traceparent tp, read;

	(void)state;
	assert_int_equal(traceparent_parse("cc-" TRACE "-" PARENT "-05-x",
	    &tp), 0);
	traceparent_step(&tp, first);
	traceparent_step(&tp, second);
	assert_int_equal(strlen(first), 55);
	assert_string_not_equal(first, second);
	assert_memory_equal(first, "00-" TRACE "-", 36);
	assert_memory_equal(second, "00-" TRACE "-", 36);
	assert_string_equal(second + 52, "-01");
	assert_null(strstr(first, PARENT));
	assert_int_equal(traceparent_parse(second, &read), 0);
	assert_string_equal(read.parent_id, tp.parent_id);
}

static void
a_new_trace_is_random_and_not_sampled(void **state)
{
	char text[TRACEPARENT_SIZE];
	struct traceparent a, b;

	(void)state;
	traceparent_begin(&a);
	traceparent_begin(&b);
	assert_string_not_equal(a.trace_id, b.trace_id);
	traceparent_step(&a, text);
	assert_int_equal(traceparent_parse(text, &b), 0);
	assert_string_equal(a.trace_id, b.trace_id);
	assert_int_equal(b.flags, 2);
	assert_string_equal(a.state, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_read_as_the_standard_says),
		cmocka_unit_test(a_tracestate_is_a_list_of_members),
		cmocka_unit_test(
		    of_a_request_both_are_taken_or_what_is_good_of_them),
		cmocka_unit_test(each_step_has_a_parent_id_of_its_own),
		cmocka_unit_test(a_new_trace_is_random_and_not_sampled),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
