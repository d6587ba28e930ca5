#include "cmocka_all.h"

#include <jansson.h>
#include <string.h>

#include "output.h"

static void
values_are_written_for_people(void **state)
{
	static const struct {
		const char *json;
		enum column_kind kind;
		const char *text;
	} cases[] = {
		{ "null", COLUMN_TEXT, "-" },
		{ "null", COLUMN_MONEY, "-" },
		{ "\"a\"", COLUMN_TEXT, "a" },
		{ "true", COLUMN_YES_NO, "yes" },
		{ "false", COLUMN_YES_NO, "no" },
		{ "42", COLUMN_INT, "42" },
		{ "1250000000", COLUMN_MONEY, "$1.25" },
		{ "15000", COLUMN_MONEY, "$0.000015" },
		{ "1795160958123", COLUMN_TIME, "2026-11-20 07:49:18" },
		{ "0", COLUMN_TIME, "-" },
		{ "999", COLUMN_DURATION, "999ms" },
		{ "61000", COLUMN_DURATION, "61s" },
		{ "150000", COLUMN_DURATION, "2m30s" },
		{ "7500000", COLUMN_DURATION, "2h05m" },
		{ "259200000", COLUMN_DURATION, "3d" },
		{ "[1]", COLUMN_TEXT, "..." },
	};
	char cell[64];
	json_t *j;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		j = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		assert_non_null(j);
		output_cell(cell, sizeof(cell), j, cases[i].kind);
		assert_string_equal(cell, cases[i].text);
		json_decref(j);
	}
	output_cell(cell, sizeof(cell), NULL, COLUMN_INT);
	assert_string_equal(cell, "-");
}

static void
foreign_text_cannot_play_with_the_terminal(void **state)
{
	json_t *j = json_string("a\x1b[31m\nb\x7f\tc \xc2\x9b" "31m"
	    "\xe2\x80\xae" "d\xc3\xa9");
	char cell[64];

	(void)state;
	output_cell(cell, sizeof(cell), j, COLUMN_TEXT);
	assert_string_equal(cell, "a?[31m?b??c ??31m???d\xc3\xa9");
	json_decref(j);
}

static void
long_text_is_cut_to_the_cell(void **state)
{
	json_t *j = json_string("0123456789");
	char cell[8];

	(void)state;
	output_cell(cell, sizeof(cell), j, COLUMN_TEXT);
	assert_string_equal(cell, "0123456");
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_written_for_people),
		cmocka_unit_test(foreign_text_cannot_play_with_the_terminal),
		cmocka_unit_test(long_text_is_cut_to_the_cell),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
