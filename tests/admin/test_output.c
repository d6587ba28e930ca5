/* posix_openpt */
#define _XOPEN_SOURCE 700

#include "cmocka_all.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		{ "[]", COLUMN_FLAGS, "-" },
		{ "[\"a\", \"b\"]", COLUMN_FLAGS, "a,b" },
		{ "[\"a\\u001b[31m\", 5]", COLUMN_FLAGS, "a?[31m" },
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

/* What output_table prints to ${fd} in place of standard output. */
static void
print_to(int fd, const char *rows)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_INT },
		{ "N", "n", COLUMN_ALARM },
		{ "FLAGS", "flags", COLUMN_FLAGS },
	};
	json_t *j = json_loads(rows, 0, NULL);
	int saved;

	assert_non_null(j);
	fflush(stdout);
	assert_true((saved = dup(STDOUT_FILENO)) != -1);
	assert_true(dup2(fd, STDOUT_FILENO) != -1);
	output_table(j, columns, NITEMS(columns));
	fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) != -1);
	close(saved);
	json_decref(j);
}

#define ROWS	"[{\"id\": 1, \"flags\": [\"overrun\"]}, "	\
		"{\"id\": 2, \"flags\": [\"unpriced\", \"x\"]},"	\
		"{\"id\": 3, \"n\": 4}]"

static void
a_row_without_a_price_is_red_on_a_terminal_alone(void **state)
{
	static const struct {
		const char *term, *no_color;
		bool red;
	} cases[] = {
		{ "xterm", NULL, true },
		{ "xterm", "", true },
		{ "xterm", "1", false },
		{ "dumb", NULL, false },
		{ NULL, NULL, false },
	};
	char got[256], *end;
	ssize_t n;
	size_t i;
	int master, slave, pipes[2];

	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) != 0 || unlockpt(master) != 0 ||
	    (slave = open(ptsname(master), O_RDWR | O_NOCTTY)) == -1)
		skip();
	for (i = 0; i < NITEMS(cases); i++) {
		if (cases[i].term == NULL)
			unsetenv("TERM");
		else
			setenv("TERM", cases[i].term, 1);
		if (cases[i].no_color == NULL)
			unsetenv("NO_COLOR");
		else
			setenv("NO_COLOR", cases[i].no_color, 1);
		print_to(slave, ROWS);
		assert_true(write(slave, "!", 1) == 1);
		for (end = got; end == got || end[-1] != '!'; end += n)
			assert_true((n = read(master, end,
			    (size_t)(got + sizeof(got) - 1 - end))) > 0);
		*end = '\0';
		assert_string_equal(got, cases[i].red ?
		    "ID  N  FLAGS\r\n 1  -  overrun\r\n"
		    "\033[31m 2  -  unpriced,x\r\n\033[0m"
		    "\033[31m 3  4  -\r\n\033[0m!" :
		    "ID  N  FLAGS\r\n 1  -  overrun\r\n"
		    " 2  -  unpriced,x\r\n 3  4  -\r\n!");
	}
	close(slave);
	close(master);

	setenv("TERM", "xterm", 1);
	assert_int_equal(pipe(pipes), 0);
	print_to(pipes[1], ROWS);
	close(pipes[1]);
	assert_true((n = read(pipes[0], got, sizeof(got))) > 0);
	assert_null(memchr(got, '\033', (size_t)n));
	close(pipes[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_written_for_people),
		cmocka_unit_test(foreign_text_cannot_play_with_the_terminal),
		cmocka_unit_test(long_text_is_cut_to_the_cell),
		cmocka_unit_test(
		    a_row_without_a_price_is_red_on_a_terminal_alone),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
