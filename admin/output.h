#ifndef ADMIN_OUTPUT_H_
#define ADMIN_OUTPUT_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * What the command prints: JSON as it is, or text made of it by a table of
 * columns.  Text from elsewhere (names, models, messages) has its control
 * characters replaced, so that it cannot play with a terminal.
 */
enum column_kind {
	COLUMN_TEXT,
	COLUMN_FIGURE,		/* text that is a number of some unit */
	COLUMN_INT,
	COLUMN_MONEY,		/* nano-dollars, as "$1.25" */
	COLUMN_PRICE,		/* likewise, nano-dollars for 10^6 tokens */
	COLUMN_TIME,		/* ms since the epoch, as UTC */
	COLUMN_DURATION,	/* ms */
	COLUMN_YES_NO,
	COLUMN_ALARM,		/* a count; a row in which it is not 0 is red */
	COLUMN_FLAGS		/* an array of words; a row of which one is
				   "unpriced" is red, see output_is_coloured */
};

struct column {
	const char *title;
	const char *key;	/* in the JSON object; null shows as "-" */
	enum column_kind kind;
};

/** output_json(j): With a line end.  Consumes ${j}. */
void output_json(json_t *j);

/** output_table(rows, columns, n): One line an object of the array, under a
 * line of titles. */
void output_table(const json_t *rows, const struct column *columns, size_t n);

/** output_fields(row, columns, n): One line a field. */
void output_fields(const json_t *row, const struct column *columns, size_t n);

/** output_cell(buf, size, v, kind): One value as text. */
void output_cell(char *buf, size_t size, const json_t *v,
    enum column_kind kind);

/** output_is_coloured(): Standard output is a terminal that shows colours, and
 * NO_COLOR (no-color.org) does not forbid them. */
bool output_is_coloured(void);

/** output_rows(json, rows, columns, n): As JSON or as a table; consumes
 * ${rows}.  Returns 0, or -1 if it is NULL.  output_row: one object. */
int output_rows(bool json, json_t *rows, const struct column *columns,
    size_t n) __attribute__((__warn_unused_result__));
int output_row(bool json, json_t *row, const struct column *columns,
    size_t n) __attribute__((__warn_unused_result__));

/** output_done(json, key, name, fmt, ...): A change was made: as JSON
 * {"${key}": "${name}"}, else the text and a line end. */
void output_done(bool json, const char *key, const char *name,
    const char *fmt, ...) __attribute__((__format__(__printf__, 4, 5)));

/** output_secret(json, what, name, secret): Show a new key or token, the only
 * time: as JSON {"name", "${what}"}, else it alone on standard output, and on a
 * terminal what it is on standard error. */
void output_secret(bool json, const char *what, const char *name,
    const char *secret);

#endif /* !ADMIN_OUTPUT_H_ */
