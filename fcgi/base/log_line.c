#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log_line.h"

/* What may be put in before a line is cut; "..." and a newline follow. */
#define LINE_ROOM	(LIMIT_LOG_LINE_BYTES - 4)

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

#define NLEVELS		(sizeof(level_names) / sizeof(level_names[0]))

_Static_assert(NLEVELS == LOG_LEVEL_DEBUG + 1, "one name for each level");

int
log_level_parse(const char *s, enum log_level *level)
{
	size_t i;

	for (i = 0; i < NLEVELS; i++) {
		if (strcmp(level_names[i], s) == 0) {
			*level = (enum log_level)i;
			return (0);
		}
	}
	return (-1);
}

/* Put in all ${n} bytes, or cut the line here; then nothing more goes in. */
static void
put(struct log_line *l, const char *p, size_t n)
{

	if (l->cut)
		return;
	if (n > LINE_ROOM - l->len) {
		memcpy(l->text + l->len, "...", 3);
		l->len += 3;
		l->cut = true;
		return;
	}
	memcpy(l->text + l->len, p, n);
	l->len += n;
}

static void
puts_plain(struct log_line *l, const char *s)
{

	put(l, s, strlen(s));
}

/* Bytes of the UTF-8 character at ${p}, or 0 if it is none. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char first, last;	/* of the first byte */
		unsigned char low, high;	/* of the second byte */
		size_t len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i, k;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] >= forms[i].first && p[0] <= forms[i].last)
			break;
	}
	if (i == sizeof(forms) / sizeof(forms[0]) || n < forms[i].len ||
	    p[1] < forms[i].low || p[1] > forms[i].high)
		return (0);
	for (k = 2; k < forms[i].len; k++) {
		if ((p[k] & 0xc0) != 0x80)
			return (0);
	}
	return (forms[i].len);
}

/* Characters that turn the text around or end the line on a terminal. */
static bool
is_harmful(const unsigned char *p, size_t len)
{

	if (len == 2)
		return (p[0] == 0xc2 && p[1] < 0xa0);
	if (len != 3 || p[0] != 0xe2)
		return (false);
	return ((p[1] == 0x80 && p[2] >= 0x8e && p[2] <= 0xae) ||
	    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

/* Put in the character at ${p}, escaped where needed; bytes taken. */
static size_t
put_escaped(struct log_line *l, const unsigned char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	char esc[4] = { '\\', 'x', hex[p[0] >> 4], hex[p[0] & 15] };
	size_t len;

	if (p[0] == '"' || p[0] == '\\') {
		esc[1] = (char)p[0];
		put(l, esc, 2);
		return (1);
	}
	len = p[0] >= 0x20 && p[0] < 0x7f ? 1 : utf8_len(p, n);
	if (len == 0 || is_harmful(p, len)) {
		put(l, esc, sizeof(esc));
		return (1);
	}
	put(l, (const char *)p, len);
	return (len);
}

size_t
log_utf8_len(const char *p, size_t n)
{

	return (utf8_len((const unsigned char *)p, n));
}

static bool
needs_quotes(const char *p, size_t n)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < n; i++) {
		c = (unsigned char)p[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return (true);
	}
	return (n == 0);
}

static void
put_value(struct log_line *l, const char *p, size_t n)
{
	size_t i = 0;

	if (!needs_quotes(p, n)) {
		put(l, p, n);
		return;
	}
	put(l, "\"", 1);
	while (i < n && !l->cut)
		i += put_escaped(l, (const unsigned char *)p + i, n - i);
	put(l, "\"", 1);
}

void
log_line_start(struct log_line *l, struct log *log, int64_t wall_ms,
    enum log_level level, const char *request_id, const char *subsystem,
    const char *event)
{
	char time[CLOCK_RFC3339_SIZE];

	l->log = log;
	l->level = level;
	l->len = 0;
	l->cut = false;
	clock_rfc3339(wall_ms, time);
	puts_plain(l, time);
	put(l, " ", 1);
	puts_plain(l, level_names[level]);
	put(l, " ", 1);
	if (request_id == NULL)
		put(l, "-", 1);
	else
		put_value(l, request_id, strlen(request_id));
	put(l, " ", 1);
	puts_plain(l, subsystem);
	put(l, " ", 1);
	puts_plain(l, event);
}

void
log_strn(struct log_line *l, const char *key, const char *value, size_t n)
{

	if (l->log == NULL || value == NULL)
		return;
	put(l, " ", 1);
	puts_plain(l, key);
	put(l, "=", 1);
	put_value(l, value, n);
}

void
log_str(struct log_line *l, const char *key, const char *value)
{

	if (l->log != NULL && value != NULL)
		log_strn(l, key, value, strlen(value));
}

void
log_int(struct log_line *l, const char *key, int64_t value)
{
	char digits[24];

	if (l->log == NULL)
		return;
	(void)snprintf(digits, sizeof(digits), "%lld", (long long)value);
	log_str(l, key, digits);
}

void
log_err(struct log_line *l, const struct err *err)
{

	log_str(l, "err", err_info(err->code)->name);
	log_str(l, "reason", err->text);
}

size_t
log_line_end(struct log_line *l)
{

	l->text[l->len++] = '\n';
	return (l->len);
}
