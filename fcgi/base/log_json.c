#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log_json.h"
#include "base/log_line.h"

/* "}" and a newline follow. */
#define ROOM	(LIMIT_LOG_JSON_BYTES - 2)

/* One character of a text: "\u00e9" at the longest. */
#define ESCAPED	7

_Static_assert(LIMIT_LOG_JSON_BYTES > 2 * (LOG_JSON_TEXT * ESCAPED),
    "some members find room at any rate");

/* The character at ${p} as JSON has it; bytes taken. */
static size_t
escape(const char *p, size_t n, char out[ESCAPED])
{
	const unsigned char c = (unsigned char)*p;
	size_t len = c < 0x80 ? 1 : log_utf8_len(p, n);

	if (len == 0) {
		(void)snprintf(out, ESCAPED, "\\ufffd");
		return (1);
	}
	if (c == '"' || c == '\\')
		(void)snprintf(out, ESCAPED, "\\%c", c);
	else if (c < 0x20 || c == 0x7f)
		(void)snprintf(out, ESCAPED, "\\u%04x", c);
	else
		(void)snprintf(out, ESCAPED, "%.*s", (int)len, p);
	return (len);
}

/* ',"name":' unless it is the first. */
static size_t
put_name(struct log_json *l, const char *name)
{
	int n;

	n = snprintf(l->text + l->len, ROOM - l->len, "%s\"%s\":",
	    l->len > 1 ? "," : "", name);
	return (n > 0 && (size_t)n < ROOM - l->len ? (size_t)n : 0);
}

/* A member whose value is neither quoted nor escaped. */
static void
put_bare(struct log_json *l, const char *name, const char *value)
{
	size_t n = put_name(l, name), len = strlen(value);

	if (n == 0 || l->len + n + len > ROOM)
		return;
	memcpy(l->text + l->len + n, value, len);
	l->len += n + len;
}

void
log_json_begin(struct log_json *l, struct log *log)
{
	char time[CLOCK_RFC3339_SIZE];

	l->log = log;
	if (log == NULL)
		return;
	l->text[0] = '{';
	l->len = 1;
	clock_rfc3339(log_wall_ms(log), time);
	log_json_str(l, "time", time);
}

void
log_json_str(struct log_json *l, const char *name, const char *value)
{
	char one[ESCAPED];
	size_t n, len, at = 0, size;

	if (l->log == NULL || value == NULL || value[0] == '\0')
		return;
	len = strlen(value);
	if ((n = put_name(l, name)) == 0)
		return;
	n += l->len;
	if (n + 2 > ROOM)
		return;
	l->text[n++] = '"';
	while (at < len && at < LOG_JSON_TEXT) {
		at += escape(value + at, len - at, one);
		size = strlen(one);
		if (n + size + 1 > ROOM)
			return;
		memcpy(l->text + n, one, size);
		n += size;
	}
	l->text[n++] = '"';
	l->len = n;
}

void
log_json_int(struct log_json *l, const char *name, int64_t value)
{
	char digits[24];

	if (l->log == NULL)
		return;
	(void)snprintf(digits, sizeof(digits), "%" PRId64, value);
	put_bare(l, name, digits);
}

void
log_json_bool(struct log_json *l, const char *name, bool value)
{

	if (l->log != NULL)
		put_bare(l, name, value ? "true" : "false");
}

size_t
log_json_close(struct log_json *l)
{

	memcpy(l->text + l->len, "}\n", 2);
	l->len += 2;
	return (l->len);
}

void
log_json_end(struct log_json *l)
{

	if (l->log == NULL)
		return;
	log_hand_over(l->log, l->text, log_json_close(l), false);
	l->log = NULL;
}
