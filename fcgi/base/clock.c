#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define DAY_MS		(INT64_C(86400) * 1000)

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	/* It cannot fail: both clocks exist on every system we run on. */
	(void)clock_gettime(id, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static int64_t
system_mono_ms(void *arg)
{

	(void)arg;
	return (read_clock(CLOCK_MONOTONIC));
}

static int64_t
system_wall_ms(void *arg)
{

	(void)arg;
	return (read_clock(CLOCK_REALTIME));
}

static const struct clock system_clock = {
	.mono_ms = system_mono_ms,
	.wall_ms = system_wall_ms,
	.arg = NULL,
};

const struct clock *
clock_system(void)
{

	return (&system_clock);
}

int64_t
clock_mono_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static int64_t
fake_mono_ms(void *arg)
{
	const struct clock_fake *f = arg;

	return (f->mono_ms);
}

static int64_t
fake_wall_ms(void *arg)
{
	const struct clock_fake *f = arg;

	return (f->wall_ms);
}

void
clock_fake_init(struct clock_fake *f, int64_t wall_ms)
{

	f->clock.mono_ms = fake_mono_ms;
	f->clock.wall_ms = fake_wall_ms;
	f->clock.arg = f;
	f->mono_ms = 1000;
	f->wall_ms = wall_ms;
}

void
clock_fake_advance(struct clock_fake *f, int64_t ms)
{

	f->mono_ms += ms;
	f->wall_ms += ms;
}

/*
 * Years begin in March here, so that the leap day comes last; an era has 400
 * of them.
 */
int64_t
clock_days(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	if (m <= 2)
		y--;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return (era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468);
}

void
clock_civil(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

/* Write ${width} digits and return the place behind them. */
static char *
put_digits(char *p, int width, int64_t value)
{
	int i;

	for (i = width - 1; i >= 0; i--) {
		p[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return (p + width);
}

void
clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE])
{
	const int64_t first = clock_days(0, 1, 1) * DAY_MS;
	const int64_t last = clock_days(10000, 1, 1) * DAY_MS - 1;
	int64_t days, ms, y;
	char *p = out;
	int m, d;

	/* Four digits of a year are all that the format has. */
	if (wall_ms < first)
		wall_ms = first;
	if (wall_ms > last)
		wall_ms = last;
	days = (wall_ms >= 0 ? wall_ms : wall_ms - (DAY_MS - 1)) / DAY_MS;
	ms = wall_ms - days * DAY_MS;
	clock_civil(days, &y, &m, &d);
	p = put_digits(p, 4, y);
	*p++ = '-';
	p = put_digits(p, 2, m);
	*p++ = '-';
	p = put_digits(p, 2, d);
	*p++ = 'T';
	p = put_digits(p, 2, ms / 3600000);
	*p++ = ':';
	p = put_digits(p, 2, ms / 60000 % 60);
	*p++ = ':';
	p = put_digits(p, 2, ms / 1000 % 60);
	*p++ = '.';
	p = put_digits(p, 3, ms % 1000);
	*p++ = 'Z';
	*p = '\0';
}

/* A place in a date; the first mismatch sticks and is checked at the end. */
struct cursor {
	const char *p;
	bool bad;
};

static int
take_digits(struct cursor *c, int width, int max)
{
	int value = 0;

	for (; width > 0 && !c->bad; width--, c->p++) {
		if (*c->p < '0' || *c->p > '9')
			c->bad = true;
		else
			value = value * 10 + (*c->p - '0');
	}
	if (value > max)
		c->bad = true;
	return (value);
}

/* One of the ASCII characters in ${set}, in either case. */
static char
take_one(struct cursor *c, const char *set)
{

	if (c->bad || *c->p == '\0' || strchr(set, *c->p) == NULL) {
		c->bad = true;
		return ('\0');
	}
	return (*c->p++);
}

/* One of the three-letter names in ${names}; its number from 1. */
static int
take_name(struct cursor *c, const char *names)
{
	int i;

	for (i = 0; !c->bad && names[3 * i] != '\0'; i++) {
		if (strncmp(c->p, names + 3 * i, 3) == 0) {
			c->p += 3;
			return (i + 1);
		}
	}
	c->bad = true;
	return (0);
}

static int
days_in_month(int y, int m)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };

	if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		return (29);
	return (days[m - 1]);
}

/* The time of day at the cursor, hh:mm:ss; a leap second counts as :59. */
static int64_t
take_time(struct cursor *c)
{
	int h, m, s;

	h = take_digits(c, 2, 23);
	(void)take_one(c, ":");
	m = take_digits(c, 2, 59);
	(void)take_one(c, ":");
	s = take_digits(c, 2, 60);
	return ((int64_t)(h * 60 + m) * 60000 + (s == 60 ? 59 : s) * 1000);
}

/* Put date and time together once the whole text was read. */
static int
finish(const struct cursor *c, int y, int m, int d, int64_t ms, int64_t *out)
{

	if (c->bad || *c->p != '\0')
		return (-1);
	if (m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
		return (-1);
	*out = clock_days(y, m, d) * DAY_MS + ms;
	return (0);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 section 5.6.7. */
static int
parse_http(const char *s, int64_t *wall_ms)
{
	struct cursor c = { s, false };
	int y, m, d;
	int64_t ms;

	(void)take_name(&c, "MonTueWedThuFriSatSun");
	(void)take_one(&c, ",");
	(void)take_one(&c, " ");
	d = take_digits(&c, 2, 31);
	(void)take_one(&c, " ");
	m = take_name(&c, "JanFebMarAprMayJunJulAugSepOctNovDec");
	(void)take_one(&c, " ");
	y = take_digits(&c, 4, 9999);
	(void)take_one(&c, " ");
	ms = take_time(&c);
	(void)take_one(&c, " ");
	(void)take_one(&c, "G");
	(void)take_one(&c, "M");
	(void)take_one(&c, "T");
	return (finish(&c, y, m, d, ms, wall_ms));
}

/* ".5", ".123456": milliseconds, further digits are dropped. */
static int64_t
take_fraction(struct cursor *c)
{
	int64_t ms = 0, unit = 100;

	if (c->bad || *c->p != '.')
		return (0);
	c->p++;
	ms = take_digits(c, 1, 9) * unit;
	while (!c->bad && *c->p >= '0' && *c->p <= '9') {
		unit /= 10;
		ms += (*c->p++ - '0') * unit;
	}
	return (ms);
}

/* "Z", or "+08:00" as milliseconds ahead of UTC. */
static int64_t
take_zone(struct cursor *c)
{
	int h, m;
	char sign;

	sign = take_one(c, "Zz+-");
	if (c->bad || sign == 'Z' || sign == 'z')
		return (0);
	h = take_digits(c, 2, 23);
	(void)take_one(c, ":");
	m = take_digits(c, 2, 59);
	return ((int64_t)(h * 60 + m) * (sign == '-' ? -60000 : 60000));
}

/* "2026-11-20T07:29:18.123Z", RFC 3339 section 5.6. */
static int
parse_rfc3339(const char *s, int64_t *wall_ms)
{
	struct cursor c = { s, false };
	int y, m, d;
	int64_t ms;

	y = take_digits(&c, 4, 9999);
	(void)take_one(&c, "-");
	m = take_digits(&c, 2, 12);
	(void)take_one(&c, "-");
	d = take_digits(&c, 2, 31);
	(void)take_one(&c, "Tt ");
	ms = take_time(&c);
	ms += take_fraction(&c);
	ms -= take_zone(&c);
	return (finish(&c, y, m, d, ms, wall_ms));
}

int
clock_parse_date(const char *s, int64_t *wall_ms)
{

	if (s[0] >= '0' && s[0] <= '9')
		return (parse_rfc3339(s, wall_ms));
	return (parse_http(s, wall_ms));
}
