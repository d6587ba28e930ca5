#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__) && !defined(JSON_PORTABLE)
#include <emmintrin.h>
#endif

#include "base/err.h"
#include "base/json.h"
#include "base/json_pick.h"

/*
 * Where the scanner stands; each state is a function in steps[] that reads
 * as far as it can and says what comes next.
 */
enum state {
	ST_VALUE,	/* before a value */
	ST_ELEMENT,	/* after '[': before a value or ']' */
	ST_MEMBER,	/* after '{': before a name or '}' */
	ST_NAME,	/* after ',' in an object: before a name */
	ST_COLON,	/* after a name */
	ST_NEXT,	/* after a value: before ',' or the closing bracket */
	ST_DONE,	/* after the whole text */
	ST_STRING,	/* inside a string or name */
	ST_ESCAPE,	/* after '\' */
	ST_HEX,		/* within \uXXXX: hex_n digits are in hex */
	ST_NUMBER,	/* num is its state */
	ST_LITERAL,	/* lit_at bytes of lit are read */
	ST_COUNT
};

struct json_scan {
	struct json_pick *pick;
	enum state state;
	enum json_kind top;
	enum json_kind kind;	/* of the scalar being read */

	/* Input: the bytes at hand, and those of earlier pushes. */
	const unsigned char *begin, *p, *end;
	uint64_t offset;	/* of begin */
	uint64_t line, line_start;

	/* Containers: one bit for each, set if it is an object. */
	unsigned depth;
	unsigned char objects[(LIMIT_JSON_DEPTH + 7) / 8];

	/* The token being read. */
	unsigned hex, hex_n;
	unsigned num;
	const char *lit;
	size_t lit_at;

	struct err err;
};

static const char *const expected[] = {
	[ST_VALUE] = "a value should be",
	[ST_ELEMENT] = "a value or ']' should be",
	[ST_MEMBER] = "a member name or '}' should be",
	[ST_NAME] = "a member name should be",
	[ST_COLON] = "':' should be",
	[ST_NEXT] = "',' or a closing bracket should be",
	[ST_DONE] = "the text should be over",
	[ST_STRING] = "a string goes on",
	[ST_ESCAPE] = "an escape should be",
	[ST_HEX] = "a hexadecimal digit should be",
	[ST_NUMBER] = "a digit should be",
	[ST_LITERAL] = "true, false or null should be",
};
_Static_assert(sizeof(expected) / sizeof(expected[0]) == ST_COUNT,
    "a row for each state");

static uint64_t
here(const struct json_scan *s)
{

	return (s->offset + (uint64_t)(s->p - s->begin));
}

static void
fail(struct json_scan *s, const char *what)
{

	err_set(&s->err, ERR_INVAL, "line %llu, byte %llu: %s",
	    (unsigned long long)s->line,
	    (unsigned long long)(here(s) - s->line_start + 1), what);
}

static void
unexpected(struct json_scan *s)
{
	char what[80];
	int c = *s->p;

	if (c >= ' ' && c < 0x7f)
		snprintf(what, sizeof(what), "'%c' where %s", c,
		    expected[s->state]);
	else
		snprintf(what, sizeof(what), "byte 0x%02x where %s", c,
		    expected[s->state]);
	fail(s, what);
}

/* The next byte that is not white space, unread; -1 if there is none yet. */
static int
peek_byte(struct json_scan *s)
{

	for (; s->p < s->end; s->p++) {
		if (*s->p == '\n') {
			s->line++;
			s->line_start = here(s) + 1;
		} else if (*s->p != ' ' && *s->p != '\t' && *s->p != '\r')
			return (*s->p);
	}
	return (-1);
}

/* The value is over; s->p stands behind its last byte. */
static void
close_value(struct json_scan *s, enum json_kind kind)
{

	s->state = s->depth == 0 ? ST_DONE : ST_NEXT;
	json_pick_value_close(s->pick, kind, here(s));
}

/*
 * Containers.
 */

static bool
in_object(const struct json_scan *s)
{
	unsigned i = s->depth - 1;

	return ((s->objects[i / 8] >> (i % 8)) & 1);
}

static void
open_container(struct json_scan *s, bool object)
{
	unsigned i = s->depth;
	unsigned char bit = (unsigned char)(1U << (i % 8));

	if (i == LIMIT_JSON_DEPTH) {
		fail(s, "nested too deeply");
		return;
	}
	if (object)
		s->objects[i / 8] |= bit;
	else
		s->objects[i / 8] &= (unsigned char)~bit;
	s->depth++;
	s->p++;
	s->state = object ? ST_MEMBER : ST_ELEMENT;
	json_pick_enter(s->pick, object);
}

static void
close_container(struct json_scan *s)
{
	enum json_kind kind = in_object(s) ? JSON_KIND_OBJECT : JSON_KIND_ARRAY;

	s->p++;
	s->depth--;
	json_pick_leave(s->pick);
	close_value(s, kind);
}

/* Text of a name, string or number. */
static inline void
take(struct json_scan *s, const void *p, size_t n)
{

	if (s->pick->taking != 0 && n > 0)
		json_pick_bytes(s->pick, p, n);
}

/*
 * Strings.  Most of a request is text that nobody asked for, so the search
 * for its end is what the speed of the scanner hangs on.
 */

static inline bool
is_plain(unsigned char c)
{

	return (c != '"' && c != '\\' && c >= ' ');
}

#if defined(__SSE2__) && !defined(JSON_PORTABLE)
/* Pass over whole blocks until one has a byte that is not plain. */
static const unsigned char *
skip_blocks(const unsigned char *p, const unsigned char *end)
{
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i control = _mm_set1_epi8(0x1f);
	__m128i x, special;
	int mask;

	for (; end - p >= 16; p += 16) {
		x = _mm_loadu_si128((const __m128i *)(const void *)p);
		special = _mm_or_si128(_mm_cmpeq_epi8(x, quote),
		    _mm_cmpeq_epi8(x, backslash));
		special = _mm_or_si128(special,
		    _mm_cmpeq_epi8(_mm_min_epu8(x, control), x));
		mask = _mm_movemask_epi8(special);
		if (mask != 0)
			return (p + __builtin_ctz((unsigned)mask));
	}
	return (p);
}
#else
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static const unsigned char *
skip_blocks(const unsigned char *p, const unsigned char *end)
{
	uint64_t x, quote, backslash, special;

	for (; end - p >= 8; p += 8) {
		memcpy(&x, p, 8);
		quote = x ^ EACH('"');
		backslash = x ^ EACH('\\');
		special = ((x - EACH(0x20)) & ~x) |
		    ((quote - EACH(1)) & ~quote) |
		    ((backslash - EACH(1)) & ~backslash);
		if ((special & EACH(0x80)) != 0)
			break;
	}
	return (p);
}
#endif

static void
close_string(struct json_scan *s)
{

	s->p++;
	if (s->pick->in_name) {
		json_pick_name_close(s->pick);
		s->state = ST_COLON;
	} else
		close_value(s, JSON_KIND_STRING);
}

static void
step_string(struct json_scan *s)
{
	const unsigned char *p = skip_blocks(s->p, s->end);

	while (p < s->end && is_plain(*p))
		p++;
	take(s, s->p, (size_t)(p - s->p));
	s->p = p;
	if (p == s->end)
		return;
	if (*p == '"')
		close_string(s);
	else if (*p == '\\') {
		s->p++;
		s->state = ST_ESCAPE;
	} else
		unexpected(s);
}

static void
step_escape(struct json_scan *s)
{
	static const char plain[256] = {
		['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b',
		['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
	};
	const char *c = &plain[*s->p];

	if (*s->p == 'u') {
		s->hex = s->hex_n = 0;
		s->state = ST_HEX;
	} else if (*c != '\0') {
		take(s, c, 1);
		s->state = ST_STRING;
	} else {
		unexpected(s);
		return;
	}
	s->p++;
}

static void
step_hex(struct json_scan *s)
{
	unsigned c = *s->p, digit;

	if (c >= '0' && c <= '9')
		digit = c - '0';
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		digit = (c | 0x20) - 'a' + 10;
	else {
		unexpected(s);
		return;
	}
	s->p++;
	s->hex = s->hex << 4 | digit;
	if (++s->hex_n == 4) {
		s->state = ST_STRING;
		if (s->pick->taking != 0)
			json_pick_unit(s->pick, s->hex);
	}
}

/*
 * Numbers and literals.
 */

enum number_state {
	N_STOP,		/* the byte is not of the number */
	N_START,
	N_MINUS,
	N_ZERO,
	N_INT,
	N_POINT,
	N_FRACTION,
	N_E,
	N_SIGN,
	N_EXPONENT
};

enum { B_OTHER, B_ZERO, B_DIGIT, B_MINUS, B_PLUS, B_POINT, B_E, B_COUNT };

static const unsigned char number_byte[256] = {
	['0'] = B_ZERO, ['1'] = B_DIGIT, ['2'] = B_DIGIT, ['3'] = B_DIGIT,
	['4'] = B_DIGIT, ['5'] = B_DIGIT, ['6'] = B_DIGIT, ['7'] = B_DIGIT,
	['8'] = B_DIGIT, ['9'] = B_DIGIT, ['-'] = B_MINUS, ['+'] = B_PLUS,
	['.'] = B_POINT, ['e'] = B_E, ['E'] = B_E,
};

static const unsigned char number_next[][B_COUNT] = {
	[N_START] = { [B_MINUS] = N_MINUS, [B_ZERO] = N_ZERO,
	    [B_DIGIT] = N_INT },
	[N_MINUS] = { [B_ZERO] = N_ZERO, [B_DIGIT] = N_INT },
	[N_ZERO] = { [B_POINT] = N_POINT, [B_E] = N_E },
	[N_INT] = { [B_ZERO] = N_INT, [B_DIGIT] = N_INT, [B_POINT] = N_POINT,
	    [B_E] = N_E },
	[N_POINT] = { [B_ZERO] = N_FRACTION, [B_DIGIT] = N_FRACTION },
	[N_FRACTION] = { [B_ZERO] = N_FRACTION, [B_DIGIT] = N_FRACTION,
	    [B_E] = N_E },
	[N_E] = { [B_ZERO] = N_EXPONENT, [B_DIGIT] = N_EXPONENT,
	    [B_MINUS] = N_SIGN, [B_PLUS] = N_SIGN },
	[N_SIGN] = { [B_ZERO] = N_EXPONENT, [B_DIGIT] = N_EXPONENT },
	[N_EXPONENT] = { [B_ZERO] = N_EXPONENT, [B_DIGIT] = N_EXPONENT },
};

static bool
number_whole(const struct json_scan *s)
{

	return (s->num == N_ZERO || s->num == N_INT || s->num == N_FRACTION ||
	    s->num == N_EXPONENT);
}

static void
step_number(struct json_scan *s)
{
	const unsigned char *p = s->p;
	unsigned next;

	for (; p < s->end; p++) {
		next = number_next[s->num][number_byte[*p]];
		if (next == N_STOP)
			break;
		s->num = next;
	}
	take(s, s->p, (size_t)(p - s->p));
	s->p = p;
	if (p == s->end)
		return;
	if (number_whole(s))
		close_value(s, JSON_KIND_NUMBER);
	else
		unexpected(s);
}

static void
step_literal(struct json_scan *s)
{

	if (*s->p != (unsigned char)s->lit[s->lit_at]) {
		unexpected(s);
		return;
	}
	s->p++;
	if (s->lit[++s->lit_at] == '\0')
		close_value(s, s->kind);
}

/*
 * Structure.
 */

static void
start_value(struct json_scan *s)
{
	static const unsigned char kinds[256] = {
		['"'] = JSON_KIND_STRING,
		['{'] = JSON_KIND_OBJECT, ['['] = JSON_KIND_ARRAY,
		['t'] = JSON_KIND_TRUE, ['f'] = JSON_KIND_FALSE,
		['n'] = JSON_KIND_NULL, ['-'] = JSON_KIND_NUMBER,
		['0'] = JSON_KIND_NUMBER, ['1'] = JSON_KIND_NUMBER,
		['2'] = JSON_KIND_NUMBER, ['3'] = JSON_KIND_NUMBER,
		['4'] = JSON_KIND_NUMBER, ['5'] = JSON_KIND_NUMBER,
		['6'] = JSON_KIND_NUMBER, ['7'] = JSON_KIND_NUMBER,
		['8'] = JSON_KIND_NUMBER, ['9'] = JSON_KIND_NUMBER,
	};
	static const char *const literals[] = {
		[JSON_KIND_TRUE] = "true", [JSON_KIND_FALSE] = "false",
		[JSON_KIND_NULL] = "null",
	};
	enum json_kind kind = kinds[*s->p];

	if (kind == JSON_KIND_NONE) {
		unexpected(s);
		return;
	}
	json_pick_value_open(s->pick, here(s));
	s->kind = kind;
	if (s->top == JSON_KIND_NONE)
		s->top = kind;
	if (kind == JSON_KIND_STRING) {
		s->p++;
		s->state = ST_STRING;
	} else if (kind == JSON_KIND_OBJECT || kind == JSON_KIND_ARRAY)
		open_container(s, kind == JSON_KIND_OBJECT);
	else if (kind == JSON_KIND_NUMBER) {
		s->state = ST_NUMBER;
		s->num = N_START;
	} else {
		s->state = ST_LITERAL;
		s->lit = literals[kind];
		s->lit_at = 0;
	}
}

static void
step_value(struct json_scan *s)
{
	int c = peek_byte(s);

	if (c == ']' && s->state == ST_ELEMENT)
		close_container(s);
	else if (c != -1)
		start_value(s);
}

static void
step_name(struct json_scan *s)
{
	int c = peek_byte(s);

	if (c == '"') {
		json_pick_name_open(s->pick);
		s->p++;
		s->state = ST_STRING;
	} else if (c == '}' && s->state == ST_MEMBER)
		close_container(s);
	else if (c != -1)
		unexpected(s);
}

static void
step_colon(struct json_scan *s)
{
	int c = peek_byte(s);

	if (c == ':') {
		s->p++;
		s->state = ST_VALUE;
	} else if (c != -1)
		unexpected(s);
}

static void
step_next(struct json_scan *s)
{
	int c = peek_byte(s);

	if (c == ',') {
		s->p++;
		s->state = in_object(s) ? ST_NAME : ST_VALUE;
	} else if (c == (in_object(s) ? '}' : ']'))
		close_container(s);
	else if (c != -1)
		unexpected(s);
}

static void
step_done(struct json_scan *s)
{

	if (peek_byte(s) != -1)
		unexpected(s);
}

static void (*const steps[])(struct json_scan *) = {
	[ST_VALUE] = step_value,
	[ST_ELEMENT] = step_value,
	[ST_MEMBER] = step_name,
	[ST_NAME] = step_name,
	[ST_COLON] = step_colon,
	[ST_NEXT] = step_next,
	[ST_DONE] = step_done,
	[ST_STRING] = step_string,
	[ST_ESCAPE] = step_escape,
	[ST_HEX] = step_hex,
	[ST_NUMBER] = step_number,
	[ST_LITERAL] = step_literal,
};
_Static_assert(sizeof(steps) / sizeof(steps[0]) == ST_COUNT,
    "a step for each state");

int
json_scan_push(struct json_scan *s, const void *p, size_t n, struct err *err)
{

	s->begin = s->p = p;
	s->end = s->p + n;
	while (s->p < s->end && s->err.code == ERR_NONE)
		steps[s->state](s);
	s->offset = here(s);
	s->begin = s->end = s->p;
	if (s->err.code == ERR_NONE)
		return (0);
	err_set(err, s->err.code, "%s", s->err.text);
	return (-1);
}

int
json_scan_end(struct json_scan *s, struct err *err)
{
	char what[80];

	if (s->err.code == ERR_NONE && s->state == ST_NUMBER &&
	    s->depth == 0 && number_whole(s))
		close_value(s, JSON_KIND_NUMBER);
	if (s->err.code == ERR_NONE && s->state != ST_DONE) {
		snprintf(what, sizeof(what), "the text ends where %s",
		    expected[s->state]);
		fail(s, what);
	}
	if (s->err.code == ERR_NONE)
		return (0);
	err_set(err, s->err.code, "%s", s->err.text);
	return (-1);
}

struct json_scan *
json_scan_new(const struct json_want *wants, size_t n)
{
	struct json_scan *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		goto err0;
	if ((s->pick = json_pick_new(wants, n)) == NULL)
		goto err1;
	json_scan_reset(s);
	return (s);

err1:
	free(s);
err0:
	return (NULL);
}

void
json_scan_free(struct json_scan *s)
{

	if (s == NULL)
		return;
	json_pick_free(s->pick);
	free(s);
}

void
json_scan_reset(struct json_scan *s)
{

	json_pick_reset(s->pick);
	s->state = ST_VALUE;
	s->top = JSON_KIND_NONE;
	s->begin = s->p = s->end = NULL;
	s->offset = 0;
	s->line = 1;
	s->line_start = 0;
	s->depth = 0;
	err_clear(&s->err);
}

void
json_scan_on_match(struct json_scan *s,
    void (*cb)(void *arg, size_t want, const struct json_value *v), void *arg)
{

	s->pick->cb = cb;
	s->pick->arg = arg;
}

void
json_scan_opaque(struct json_scan *s, const char *const *names)
{

	json_pick_opaque(s->pick, names);
}

enum json_kind
json_scan_top(const struct json_scan *s)
{

	return (s->top);
}

const struct json_value *
json_scan_get(const struct json_scan *s, size_t i)
{

	return (&s->pick->slot[i].v);
}
