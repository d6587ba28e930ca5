#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "csv.h"

/* What is read of ${in}, values in <>, lines by '/'. */
static const char *
read_all(const char *in, struct err *err)
{
	static char out[512];
	struct csv_reader r;
	struct csv_line line;
	char text[512];
	size_t i, n = 0;
	int rc;

	assert_true(strlen(in) < sizeof(text));
	memcpy(text, in, strlen(in) + 1);
	csv_reader_init(&r, text, strlen(in));
	out[0] = '\0';
	while ((rc = csv_read(&r, &line, err)) == 1) {
		for (i = 0; i < line.n; i++)
			n += (size_t)snprintf(out + n, sizeof(out) - n,
			    "<%s>", line.values[i]);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "/");
	}
	return (rc == 0 ? out : NULL);
}

static void
lines_are_read(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "a,b\n", "<a><b>/" },
		{ "a,b", "<a><b>/" },
		{ "a,b\r\nc,d\r\n", "<a><b>/<c><d>/" },
		{ "a,\n", "<a><>/" },
		{ ",", "<><>/" },
		{ "\n\na\n\n", "<a>/" },
		{ "\"a,b\",\"c\"\"d\"\n", "<a,b><c\"d>/" },
		{ "\"a\nb\",c\n", "<a\nb><c>/" },
		{ "\"\"\n", "<>/" },
		{ "\"a\"", "<a>/" },
		{ "\xef\xbb\xbf" "a,b\n", "<a><b>/" },
		{ "a\"b\n", "<a\"b>/" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_string_equal(read_all(cases[i].in, NULL),
		    cases[i].out);
}

static void
broken_ones_are_refused_by_line(void **state)
{
	static const struct {
		const char *in, *why;
	} cases[] = {
		{ "a\n\"b", "line 2 has a quote that is not closed" },
		{ "a\n\n\"b\"c\n", "line 3 has text behind a quote" },
	};
	char many[2 * CSV_VALUES_MAX + 2];
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err = (struct err) { 0 };
		assert_null(read_all(cases[i].in, &err));
		assert_int_equal(err.code, ERR_INVAL);
		assert_string_equal(err.text, cases[i].why);
	}
	memset(many, ',', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	assert_null(read_all(many, NULL));
}

static void
what_is_written_is_read_and_no_formula(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "a,b", "\"a,b\"" },
		{ "say \"x\"", "\"say \"\"x\"\"\"" },
		{ "two\nlines", "\"two\nlines\"" },
		{ "=1+1", "'=1+1" },
		{ "@x,y", "\"'@x,y\"" },
	};
	char *text;
	size_t i, n;
	FILE *f;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		f = open_memstream(&text, &n);
		assert_non_null(f);
		csv_text(f, cases[i].text);
		assert_int_equal(fclose(f), 0);
		assert_string_equal(text, cases[i].written);
		free(text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(broken_ones_are_refused_by_line),
		cmocka_unit_test(what_is_written_is_read_and_no_formula),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
