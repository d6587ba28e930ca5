#include <string.h>

#include "base/json.h"

/*
 * A number as its digits, without the point, and the place of the point:
 * "12.50e1" is digits 1250, point 3.
 */
struct decimal {
	const char *p;		/* whole and fraction, with the point if any */
	size_t len;
	long point;
	bool negative;
};

static void
split_decimal(const struct json_value *v, struct decimal *d)
{
	const char *end = v->text + v->len, *e, *dot;
	bool minus = false;
	long exp = 0;

	d->negative = v->text[0] == '-';
	d->p = v->text + d->negative;
	for (e = d->p; e < end && *e != 'e' && *e != 'E'; e++)
		continue;
	d->len = (size_t)(e - d->p);
	dot = memchr(d->p, '.', d->len);
	if (e < end && (*++e == '-' || *e == '+'))
		minus = *e++ == '-';
	for (; e < end; e++)
		if (exp < 1000000)
			exp = exp * 10 + (*e - '0');
	d->point = (dot != NULL ? dot - d->p : (long)d->len) +
	    (minus ? -exp : exp);
}

/* The magnitude, if it is an integer of at most 2^63; else -1. */
static int
integer_part(const struct decimal *d, uint64_t *out)
{
	const uint64_t top = UINT64_C(1) << 63;
	uint64_t n = 0;
	long place = 0;
	unsigned digit;
	size_t i;

	for (i = 0; i < d->len; i++) {
		if (d->p[i] == '.')
			continue;
		digit = (unsigned)(d->p[i] - '0');
		if (place++ >= d->point) {
			if (digit != 0)
				return (-1);
			continue;
		}
		if (n > (top - digit) / 10)
			return (-1);
		n = n * 10 + digit;
	}
	for (; n != 0 && place < d->point; place++) {
		if (n > top / 10)
			return (-1);
		n *= 10;
	}
	*out = n;
	return (0);
}

int
json_value_int(const struct json_value *v, int64_t min, int64_t max,
    int64_t *out)
{
	struct decimal d;
	uint64_t magnitude;
	int64_t n;

	if (v->kind != JSON_KIND_NUMBER || v->full_len > v->len)
		return (-1);
	split_decimal(v, &d);
	if (integer_part(&d, &magnitude) == -1)
		return (-1);
	if (magnitude > INT64_MAX) {
		if (!d.negative)
			return (-1);
		n = INT64_MIN;
	} else
		n = d.negative ? -(int64_t)magnitude : (int64_t)magnitude;
	if (n < min || n > max)
		return (-1);
	*out = n;
	return (0);
}

/*
 * The length of the UTF-8 character at ${p} (Unicode 15, table 3-7), 0 if
 * there is none.
 */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	unsigned char c = p[0], low = 0x80, high = 0xbf;
	size_t len, i;

	if (c < 0x80)
		return (1);
	if (c < 0xc2 || c > 0xf4)
		return (0);
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (n < len)
		return (0);
	if (c == 0xe0)
		low = 0xa0;	/* shorter form exists */
	else if (c == 0xed)
		high = 0x9f;	/* surrogates */
	else if (c == 0xf0)
		low = 0x90;	/* shorter form exists */
	else if (c == 0xf4)
		high = 0x8f;	/* beyond U+10FFFF */
	if (p[1] < low || p[1] > high)
		return (0);
	for (i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return (0);
	return (len);
}

bool
json_is_utf8(const char *p, size_t n)
{
	const unsigned char *in = (const unsigned char *)p;
	size_t i, len;

	for (i = 0; i < n; i += len)
		if ((len = utf8_len(in + i, n - i)) == 0)
			return (false);
	return (true);
}

/* Write what stands for the character at ${p} to ${out}; its length. */
static size_t
escape_char(const unsigned char *p, size_t len, char out[6])
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[256] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};

	if (len == 0) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return (3);
	}
	if (letter[*p] != '\0') {
		out[0] = '\\';
		out[1] = letter[*p];
		return (2);
	}
	if (*p < ' ') {
		memcpy(out, "\\u00", 4);
		out[4] = hex[*p >> 4];
		out[5] = hex[*p & 15];
		return (6);
	}
	memcpy(out, p, len);
	return (len);
}

size_t
json_escape(const char *p, size_t n, char *out, size_t outsize)
{
	const unsigned char *in = (const unsigned char *)p;
	size_t i = 0, used = 0, len, add;
	char piece[6];

	if (outsize == 0)
		return (0);
	while (i < n) {
		len = utf8_len(in + i, n - i);
		add = escape_char(in + i, len, piece);
		if (used + add >= outsize)
			break;
		memcpy(out + used, piece, add);
		used += add;
		i += len == 0 ? 1 : len;
	}
	out[used] = '\0';
	return (used);
}
