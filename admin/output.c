#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"

#include "check.h"
#include "output.h"

#define CELL_SIZE	1024
#define COLUMNS_MAX	24

/* ECMA-48: red, and the terminal's own colour again. */
#define RED		"\033[31m"
#define PLAIN		"\033[0m"

void
output_json(json_t *j)
{

	if (j == NULL)
		return;
	(void)json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(j);
}

/* Characters, as far as UTF-8 has one a code point. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return (n);
}

static void
tame(char *s)
{

	for (; *s != '\0'; s++)
		memset(s, '?', check_control(s));
}

/* "2026-11-20 07:29:18": seconds do for people.  0 is no time, or always. */
static void
format_time(char *buf, size_t size, int64_t ms)
{
	char rfc[CLOCK_RFC3339_SIZE];

	if (ms == 0) {
		(void)snprintf(buf, size, "-");
		return;
	}
	clock_rfc3339(ms, rfc);
	rfc[10] = ' ';
	(void)snprintf(buf, size, "%.19s", rfc);
}

static void
format_duration(char *buf, size_t size, int64_t ms)
{
	long long s = ms / 1000;

	if (ms < 10000)
		(void)snprintf(buf, size, "%lldms", (long long)ms);
	else if (s < 120)
		(void)snprintf(buf, size, "%llds", s);
	else if (s < 2 * 3600)
		(void)snprintf(buf, size, "%lldm%02llds", s / 60, s % 60);
	else if (s < 48 * 3600)
		(void)snprintf(buf, size, "%lldh%02lldm", s / 3600,
		    s / 60 % 60);
	else
		(void)snprintf(buf, size, "%lldd", s / 86400);
}

static void
format_int(char *buf, size_t size, int64_t value, enum column_kind kind)
{
	char money[NUM_NUSD_SIZE];

	switch (kind) {
	case COLUMN_MONEY:
	case COLUMN_PRICE:
		num_format_nusd(value, money);
		(void)snprintf(buf, size, "$%s", money);
		break;
	case COLUMN_TIME:
		format_time(buf, size, value);
		break;
	case COLUMN_DURATION:
		format_duration(buf, size, value);
		break;
	default:
		(void)snprintf(buf, size, "%lld", (long long)value);
		break;
	}
}

/* Words with commas between them. */
static void
format_words(char *buf, size_t size, const json_t *words)
{
	const json_t *word;
	size_t i, n = 0;

	(void)snprintf(buf, size, "-");
	json_array_foreach(words, i, word) {
		if (n < size && json_is_string(word))
			n += (size_t)snprintf(buf + n, size - n, "%s%s",
			    n > 0 ? "," : "", json_string_value(word));
	}
	tame(buf);
}

bool
output_is_coloured(void)
{
	const char *forbidden = getenv("NO_COLOR"), *term = getenv("TERM");

	return ((forbidden == NULL || forbidden[0] == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0 &&
	    isatty(STDOUT_FILENO));
}

/* What nobody knows the price of is to be seen at once. */
static bool
is_alarming(const json_t *v, const struct column *column)
{
	const json_t *word;
	size_t i;

	if (column->kind == COLUMN_ALARM)
		return (json_integer_value(v) != 0);
	if (column->kind != COLUMN_FLAGS)
		return (false);
	json_array_foreach(v, i, word) {
		if (json_is_string(word) &&
		    strcmp(json_string_value(word), "unpriced") == 0)
			return (true);
	}
	return (false);
}

static bool
is_red(const json_t *row, const struct column *columns, size_t n)
{
	size_t c;

	for (c = 0; c < n; c++) {
		if (is_alarming(json_object_get(row, columns[c].key),
		    &columns[c]))
			return (output_is_coloured());
	}
	return (false);
}

void
output_cell(char *buf, size_t size, const json_t *v, enum column_kind kind)
{

	if (v == NULL || json_is_null(v))
		(void)snprintf(buf, size, "-");
	else if (json_is_boolean(v))
		(void)snprintf(buf, size, "%s", json_is_true(v) ? "yes" :
		    "no");
	else if (json_is_integer(v))
		format_int(buf, size, json_integer_value(v), kind);
	else if (json_is_string(v)) {
		(void)snprintf(buf, size, "%s", json_string_value(v));
		tame(buf);
	} else if (json_is_array(v) && kind == COLUMN_FLAGS)
		format_words(buf, size, v);
	else
		(void)snprintf(buf, size, "...");
}

static bool
is_right(enum column_kind kind)
{

	return (kind == COLUMN_ALARM || kind == COLUMN_FIGURE ||
	    kind == COLUMN_INT ||
	    kind == COLUMN_MONEY || kind == COLUMN_PRICE ||
	    kind == COLUMN_DURATION);
}

static void
print_padded(const char *text, size_t w, bool right, bool last)
{
	int gap = w > width(text) ? (int)(w - width(text)) : 0;

	if (right)
		printf("%*s%s", gap, "", text);
	else
		printf("%s%*s", text, last ? 0 : gap, "");
	fputs(last ? "\n" : "  ", stdout);
}

void
output_table(const json_t *rows, const struct column *columns, size_t n)
{
	size_t widths[COLUMNS_MAX], c, r, w;
	char cell[CELL_SIZE];
	const json_t *row;
	bool red;

	for (c = 0; c < n && c < COLUMNS_MAX; c++) {
		widths[c] = width(columns[c].title);
		json_array_foreach(rows, r, row) {
			output_cell(cell, sizeof(cell), json_object_get(row,
			    columns[c].key), columns[c].kind);
			if ((w = width(cell)) > widths[c])
				widths[c] = w;
		}
	}
	for (c = 0; c < n; c++)
		print_padded(columns[c].title, widths[c],
		    is_right(columns[c].kind), c == n - 1);
	json_array_foreach(rows, r, row) {
		red = is_red(row, columns, n);
		fputs(red ? RED : "", stdout);
		for (c = 0; c < n; c++) {
			output_cell(cell, sizeof(cell), json_object_get(row,
			    columns[c].key), columns[c].kind);
			print_padded(cell, widths[c],
			    is_right(columns[c].kind), c == n - 1);
		}
		fputs(red ? PLAIN : "", stdout);
	}
}

void
output_fields(const json_t *row, const struct column *columns, size_t n)
{
	char cell[CELL_SIZE];
	size_t c;
	bool red;

	for (c = 0; c < n; c++) {
		output_cell(cell, sizeof(cell), json_object_get(row,
		    columns[c].key), columns[c].kind);
		red = is_red(row, &columns[c], 1);
		printf("%-18s %s%s%s\n", columns[c].title, red ? RED : "",
		    cell, red ? PLAIN : "");
	}
}

int
output_rows(bool json, json_t *rows, const struct column *columns, size_t n)
{

	if (rows == NULL)
		return (-1);
	if (json) {
		output_json(rows);
		return (0);
	}
	output_table(rows, columns, n);
	json_decref(rows);
	return (0);
}

int
output_row(bool json, json_t *row, const struct column *columns, size_t n)
{

	if (row == NULL)
		return (-1);
	if (json) {
		output_json(row);
		return (0);
	}
	output_fields(row, columns, n);
	json_decref(row);
	return (0);
}

void
output_done(bool json, const char *key, const char *name, const char *fmt,
    ...)
{
	va_list ap;

	if (json) {
		output_json(json_pack("{s:s}", key, name));
		return;
	}
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
output_secret(bool json, const char *what, const char *name,
    const char *secret)
{

	if (json) {
		output_json(json_pack("{s:s, s:s}", "name", name, what,
		    secret));
		return;
	}
	if (isatty(STDOUT_FILENO))
		fprintf(stderr, "The %s of \"%s\" is shown this once:\n",
		    what, name);
	printf("%s\n", secret);
}
