#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define NUSD_PER_USD		INT64_C(1000000000)

/* Exponents beyond this are all alike: overflow, or zero. */
#define EXPONENT_MAX		1000000

static bool
is_digit(char c)
{

	return (c >= '0' && c <= '9');
}

int
num_parse(const char *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
	bool negative = false;
	int64_t value = 0;
	size_t i = 0;

	if (n > 0 && s[0] == '-') {
		negative = true;
		i = 1;
	}
	if (i == n)
		return (-1);

	/* Counting below zero reaches INT64_MIN as well. */
	for (; i < n; i++) {
		if (!is_digit(s[i]) ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, s[i] - '0', &value))
			return (-1);
	}
	if (!negative && __builtin_sub_overflow(0, value, &value))
		return (-1);
	if (value < min || value > max)
		return (-1);
	*out = value;
	return (0);
}

struct unit {
	const char *suffix;
	int64_t factor;
};

/* Digits, then one of the suffixes in ${units}, which ends with "". */
static int
parse_with_unit(const char *s, const struct unit *units, int64_t *out)
{
	const char *end = s;
	int64_t value;

	while (is_digit(*end))
		end++;
	if (num_parse(s, (size_t)(end - s), 0, INT64_MAX, &value))
		return (-1);
	while (units->suffix[0] != '\0' && strcmp(units->suffix, end) != 0)
		units++;
	if (strcmp(units->suffix, end) != 0)
		return (-1);
	if (__builtin_mul_overflow(value, units->factor, &value))
		return (-1);
	*out = value;
	return (0);
}

int
num_parse_bytes(const char *s, int64_t *out)
{
	static const struct unit units[] = {
		{ "k", INT64_C(1) << 10 }, { "K", INT64_C(1) << 10 },
		{ "m", INT64_C(1) << 20 }, { "M", INT64_C(1) << 20 },
		{ "g", INT64_C(1) << 30 }, { "G", INT64_C(1) << 30 },
		{ "t", INT64_C(1) << 40 }, { "T", INT64_C(1) << 40 },
		{ "", 1 },
	};

	return (parse_with_unit(s, units, out));
}

int
num_parse_duration_ms(const char *s, int64_t unit_ms, int64_t *out)
{
	const struct unit units[] = {
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60 * 1000 },
		{ "h", 60 * 60 * 1000 },
		{ "d", 24 * 60 * 60 * 1000 },
		{ "", unit_ms },
	};

	return (parse_with_unit(s, units, out));
}

/* Where the parts of a decimal number stand in its text. */
struct decimal {
	const char *digits;	/* first digit that is not zero */
	const char *end;	/* behind the last digit of the mantissa */
	int64_t point;		/* the value is 0.DIGITS times 10^point */
};

/* Read "e-06"; the exponent is cut at EXPONENT_MAX. */
static int
parse_exponent(const char *p, const char *end, int64_t *exponent)
{
	bool negative = false;
	int64_t value = 0;

	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (p == end)
		return (-1);
	for (; p < end; p++) {
		if (!is_digit(*p))
			return (-1);
		if (value < EXPONENT_MAX)
			value = value * 10 + (*p - '0');
	}
	*exponent = negative ? -value : value;
	return (0);
}

/* Find the parts; -1 if the text is not a number. */
static int
scan_decimal(const char *s, size_t n, struct decimal *d)
{
	const char *end = s + n, *p = s, *whole_end;
	int64_t exponent = 0;

	while (p < end && is_digit(*p))
		p++;
	whole_end = p;
	if (p == s)
		return (-1);
	if (p < end && *p == '.') {
		for (p++; p < end && is_digit(*p); p++)
			continue;
		if (p == whole_end + 1)
			return (-1);
	}
	d->end = p;
	if (p < end && *p != 'e' && *p != 'E')
		return (-1);
	if (p < end && parse_exponent(p + 1, end, &exponent))
		return (-1);

	/* Leading zeros move the point and are passed over. */
	for (p = s; p < d->end && (*p == '0' || *p == '.'); p++)
		continue;
	d->digits = p;
	d->point = whole_end - p + exponent + (p > whole_end ? 1 : 0);
	return (0);
}

int
num_parse_decimal(const char *s, size_t n, int scale, int64_t *out)
{
	struct decimal d;
	const char *p;
	int64_t value = 0, places;
	int digit;

	if (scan_decimal(s, n, &d))
		return (-1);
	if (d.digits == d.end) {
		*out = 0;
		return (0);
	}

	/* So many digits stand before the point once scaled. */
	places = d.point + scale;
	if (places > 19)
		return (-1);
	if (places < 0) {
		*out = 0;
		return (0);
	}
	for (p = d.digits; places >= 0; places--) {
		if (p < d.end && *p == '.')
			p++;
		digit = p < d.end ? *p++ - '0' : 0;
		if (places == 0)
			break;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return (-1);
	}

	/* The first digit that is left out decides on rounding. */
	if (digit >= 5 && __builtin_add_overflow(value, 1, &value))
		return (-1);
	*out = value;
	return (0);
}

void
num_format_nusd(int64_t nusd, char out[NUM_NUSD_SIZE])
{
	uint64_t abs;
	int len;

	abs = nusd < 0 ? -(uint64_t)nusd : (uint64_t)nusd;
	len = snprintf(out, NUM_NUSD_SIZE, "%s%llu.%09llu",
	    nusd < 0 ? "-" : "", (unsigned long long)(abs / NUSD_PER_USD),
	    (unsigned long long)(abs % NUSD_PER_USD));
	for (; out[len - 1] == '0' && out[len - 3] != '.'; len--)
		out[len - 1] = '\0';
}

int64_t
num_add_sat(int64_t a, int64_t b)
{
	int64_t sum;

	return (__builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum);
}

int64_t
num_mul_sat(int64_t a, int64_t b)
{
	int64_t product;

	return (__builtin_mul_overflow(a, b, &product) ? INT64_MAX : product);
}
