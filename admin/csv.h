#ifndef ADMIN_CSV_H_
#define ADMIN_CSV_H_

#include <stddef.h>
#include <stdio.h>

struct err;

/**
 * Comma-separated values as RFC 4180 has them.
 */

/** csv_next(f): The comma before the next value. */
void csv_next(FILE *f);

/** csv_text(f, s): One value, quoted where it must be.  What a spreadsheet
 * would take for a formula (clients choose names of models) gets an apostrophe
 * in front. */
void csv_text(FILE *f, const char *s);

/* Values of a line, at the most. */
#define CSV_VALUES_MAX	64

/** One line that is read; the values are borrowed from the text. */
struct csv_line {
	size_t n;
	char *values[CSV_VALUES_MAX];
	size_t number;		/* where it begins, from 1 */
};

/** A reader of a whole text, which it changes. */
struct csv_reader {
	char *at, *end;
	size_t number;
};

/** csv_reader_init(r, text, n): ${text}[${n}] must be writable as well. */
void csv_reader_init(struct csv_reader *r, char *text, size_t n);

/** csv_read(r, line, err): The next line that is not empty: 1; 0 at the end;
 * -1 with ERR_INVAL, which names the line. */
int csv_read(struct csv_reader *r, struct csv_line *line, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_CSV_H_ */
