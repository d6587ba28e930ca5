#include <ctype.h>

#include "base/clock.h"

#include "base/zone_internal.h"

/* A place in the text; the first mismatch sticks. */
struct cursor {
	const char *p, *end;
	bool bad;
};

static bool
at_char(const struct cursor *c, char want)
{

	return (!c->bad && c->p < c->end && *c->p == want);
}

/* Step over ${want} if it is next. */
static bool
skip_char(struct cursor *c, char want)
{

	if (!at_char(c, want))
		return (false);
	c->p++;
	return (true);
}

static void
take_char(struct cursor *c, char want)
{

	if (!skip_char(c, want))
		c->bad = true;
}

static int
take_number(struct cursor *c, int min, int max)
{
	const char *from = c->p;
	int value = 0;

	while (!c->bad && c->p < c->end && *c->p >= '0' && *c->p <= '9' &&
	    value <= max)
		value = value * 10 + (*c->p++ - '0');
	if (c->p == from || value < min || value > max) {
		c->bad = true;
		return (min);
	}
	return (value);
}

/* "CET", or "<+0545>": only their form matters here. */
static void
take_name(struct cursor *c)
{
	bool quoted = skip_char(c, '<');
	const char *from = c->p;

	while (c->p < c->end && (isalpha((unsigned char)*c->p) || (quoted &&
	    (isdigit((unsigned char)*c->p) || *c->p == '+' || *c->p == '-'))))
		c->p++;
	if (c->p - from < 3)
		c->bad = true;
	if (quoted)
		take_char(c, '>');
}

/* "2", "-1:30", "26:00:00"; hours up to ${max}. */
static int32_t
take_time(struct cursor *c, int max)
{
	int32_t s, sign = 1;

	if (skip_char(c, '-'))
		sign = -1;
	else
		(void)skip_char(c, '+');
	s = take_number(c, 0, max) * 3600;
	if (skip_char(c, ':')) {
		s += take_number(c, 0, 59) * 60;
		if (skip_char(c, ':'))
			s += take_number(c, 0, 59);
	}
	return (sign * s);
}

/* ",M3.5.0/2", ",J60", ",59/-1" */
static void
take_date(struct cursor *c, struct zone_date *d)
{

	*d = (struct zone_date) { .form = ZONE_DAY_OF_YEAR };
	take_char(c, ',');
	if (skip_char(c, 'M')) {
		d->form = ZONE_WEEKDAY;
		d->month = take_number(c, 1, 12);
		take_char(c, '.');
		d->week = take_number(c, 1, 5);
		take_char(c, '.');
		d->weekday = take_number(c, 0, 6);
	} else if (skip_char(c, 'J')) {
		d->form = ZONE_JULIAN;
		d->day = take_number(c, 1, 365);
	} else
		d->day = take_number(c, 0, 365);
	d->time_s = skip_char(c, '/') ? take_time(c, 167) : 2 * 3600;
}

int
zone_rule_parse(const char *s, size_t n, struct zone_rule *r)
{
	struct cursor c = { s, s + n, false };

	*r = (struct zone_rule) { 0 };
	take_name(&c);
	r->std_s = -take_time(&c, 24);
	if (!c.bad && c.p < c.end) {
		r->dst = true;
		take_name(&c);
		r->dst_s = at_char(&c, ',') ? r->std_s + 3600 :
		    -take_time(&c, 24);
		take_date(&c, &r->start);
		take_date(&c, &r->end);
	}
	return (c.bad || c.p != c.end ? -1 : 0);
}

/* The day of a date "Mm.w.d", counted from 1970-01-01. */
static int64_t
nth_weekday(const struct zone_date *d, int64_t year)
{
	int64_t first, next, day;

	first = clock_days(year, d->month, 1);
	next = d->month == 12 ? clock_days(year + 1, 1, 1) :
	    clock_days(year, d->month + 1, 1);
	/* 1970-01-01 was a Thursday (4). */
	day = first + ((d->weekday - (first + 4)) % 7 + 7) % 7 +
	    (d->week - 1) * 7;
	return (day < next ? day : day - 7);
}

int64_t
zone_rule_at(const struct zone_date *d, int64_t year, int32_t offset_s)
{
	int64_t day = clock_days(year, 1, 1);

	switch (d->form) {
	case ZONE_WEEKDAY:
		day = nth_weekday(d, year);
		break;
	case ZONE_DAY_OF_YEAR:
		day += d->day;
		break;
	case ZONE_JULIAN:
		/* 1 March is always day 60. */
		if (d->day >= 60)
			day = clock_days(year, 3, 1) + d->day - 60;
		else
			day += d->day - 1;
		break;
	}
	return (day * 86400 + d->time_s - offset_s);
}
