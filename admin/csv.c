#include <stdbool.h>
#include <string.h>

#include "base/err.h"

#include "csv.h"

/* ---- writing ---- */

void
csv_next(FILE *f)
{

	(void)putc(',', f);
}

void
csv_text(FILE *f, const char *s)
{
	bool formula = s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL;

	if (strpbrk(s, ",\"\r\n") == NULL) {
		fprintf(f, "%s%s", formula ? "'" : "", s);
		return;
	}
	fputs(formula ? "\"'" : "\"", f);
	for (; *s != '\0'; s++) {
		if (*s == '"')
			(void)putc('"', f);
		(void)putc(*s, f);
	}
	(void)putc('"', f);
}

/* ---- reading ---- */

void
csv_reader_init(struct csv_reader *r, char *text, size_t n)
{

	/* Spreadsheets begin a file with a byte order mark. */
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	*r = (struct csv_reader) { .at = text, .end = text + n, .number = 1 };
	*r->end = '\0';
}

static int
fail(const struct csv_reader *r, const char *why, struct err *err)
{

	err_set(err, ERR_INVAL, "line %zu %s", r->number, why);
	return (-1);
}

/* A value in quotes, which are taken out; ->at is behind it then. */
static int
read_quoted(struct csv_reader *r, char **end, struct err *err)
{
	char *to = r->at++;

	for (; r->at < r->end; r->at++) {
		if (*r->at == '"' && *++r->at != '"') {
			*end = to;
			return (0);
		}
		if (*r->at == '\n')
			r->number++;
		*to++ = *r->at;
	}
	return (fail(r, "has a quote that is not closed", err));
}

/* One value; *${more}: another follows in this line. */
static int
read_value(struct csv_reader *r, char **value, bool *more, struct err *err)
{
	char *end;

	*value = r->at;
	if (*r->at == '"') {
		if (read_quoted(r, &end, err))
			return (-1);
	} else {
		r->at += strcspn(r->at, ",\r\n");
		end = r->at;
	}
	if (r->at < r->end && *r->at == '\0')
		return (fail(r, "has a NUL byte", err));
	*more = *r->at == ',';
	if (!*more && r->at[0] == '\r' && r->at[1] == '\n')
		r->at++;
	if (!*more && r->at < r->end && *r->at != '\n')
		return (fail(r, "has text behind a quote", err));
	if (*r->at == '\n')
		r->number++;
	if (r->at < r->end)
		r->at++;
	*end = '\0';
	return (0);
}

int
csv_read(struct csv_reader *r, struct csv_line *line, struct err *err)
{
	bool more = true;

	while (r->at < r->end && (*r->at == '\n' || *r->at == '\r')) {
		if (*r->at++ == '\n')
			r->number++;
	}
	if (r->at == r->end)
		return (0);
	*line = (struct csv_line) { .number = r->number };
	while (more) {
		if (line->n == CSV_VALUES_MAX)
			return (fail(r, "has too many values", err));
		if (read_value(r, &line->values[line->n++], &more, err))
			return (-1);
	}
	return (1);
}
