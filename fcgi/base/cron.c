#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/cron.h"
#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"

#define MINUTE_MS	INT64_C(60000)
#define HOUR_MS		INT64_C(3600000)

#define EVERY_MIN_MS	INT64_C(1000)
#define EVERY_MAX_MS	(INT64_C(366) * ZONE_DAY_MS)

/* A 29th of February may be eight years away (1896 to 1904). */
#define DAYS_AHEAD	(8 * 366 + 1)

#define ALL_HOURS	UINT32_C(0xffffff)

static const struct field {
	const char *name;
	int min, max;
	const char *words;	/* of three letters each; NULL: none */
} fields[] = {
	{ "minute", 0, 59, NULL },
	{ "hour", 0, 23, NULL },
	{ "day of the month", 1, 31, NULL },
	{ "month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
	{ "day of the week", 0, 7, "sunmontuewedthufrisat" },
};
#define NFIELDS		(sizeof(fields) / sizeof(fields[0]))

static const struct {
	const char *word, *fields;
} words[] = {
	{ "@hourly", "0 * * * *" },
	{ "@daily", "0 0 * * *" },
	{ "@midnight", "0 0 * * *" },
	{ "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" },
	{ "@yearly", "0 0 1 1 *" },
	{ "@annually", "0 0 1 1 *" },
};

/* ---- text ---- */

/* A number, or a name, of ${n} bytes; -1: neither. */
static int
parse_value(const struct field *f, const char *s, size_t n)
{
	int64_t value;
	size_t i;

	if (num_parse(s, n, f->min, f->max, &value) == 0)
		return ((int)value);
	if (f->words == NULL || n != 3)
		return (-1);
	for (i = 0; f->words[3 * i] != '\0'; i++) {
		if (strncasecmp(s, f->words + 3 * i, 3) == 0)
			return (f->min + (int)i);
	}
	return (-1);
}

/* One element of a list: "*", "5", "1-5", each with "/2" or without; a step
 * needs a range. */
static int
parse_element(const struct field *f, const char *s, size_t n, uint64_t *set)
{
	const char *slash = memchr(s, '/', n), *dash;
	size_t len = slash == NULL ? n : (size_t)(slash - s);
	int from = f->min, to = f->max, i;
	int64_t step = 1;

	if (slash != NULL && num_parse(slash + 1, n - len - 1, 1, f->max,
	    &step))
		return (-1);
	dash = memchr(s, '-', len);
	if (dash != NULL) {
		from = parse_value(f, s, (size_t)(dash - s));
		to = parse_value(f, dash + 1, len - (size_t)(dash - s) - 1);
		/* Weeks that end with a Sunday: sat-sun. */
		if (f->max == 7 && to == 0 && from > 0)
			to = 7;
	} else if (len != 1 || *s != '*') {
		from = to = parse_value(f, s, len);
		if (slash != NULL)
			return (-1);
	}
	if (from < 0 || to < from)
		return (-1);
	for (i = from; i <= to; i += (int)step)
		*set |= UINT64_C(1) << i;
	return (0);
}

static int
parse_field(const struct field *f, const char *s, size_t n, uint64_t *set)
{
	size_t len;

	*set = 0;
	for (;;) {
		len = strcspn(s, ",");
		if (len > n)
			len = n;
		if (len == 0 || parse_element(f, s, len, set))
			return (-1);
		if (len == n)
			return (0);
		s += len + 1;
		n -= len + 1;
	}
}

static int
parse_fields(const char *text, struct cron *c, struct err *err)
{
	uint64_t sets[NFIELDS];
	bool stars[NFIELDS];
	const char *s = text;
	size_t i, n;

	for (i = 0; i < NFIELDS; i++, s += n) {
		s += strspn(s, " \t");
		n = strcspn(s, " \t");
		stars[i] = *s == '*';
		if (n > 0 && parse_field(&fields[i], s, n, &sets[i]) == 0)
			continue;
		err_set(err, ERR_INVAL, "\"%.*s\" is no %s (%d-%d) of a "
		    "schedule", (int)n, s, fields[i].name, fields[i].min,
		    fields[i].max);
		return (-1);
	}
	if (s[strspn(s, " \t")] != '\0') {
		err_set(err, ERR_INVAL, "a schedule has five fields");
		return (-1);
	}
	c->minutes = sets[0];
	c->hours = (uint32_t)sets[1];
	c->days = (uint32_t)sets[2];
	c->months = (uint32_t)sets[3];
	c->weekdays = (uint32_t)(sets[4] | sets[4] >> 7) & 0x7f;
	c->any_day = stars[2];
	c->any_weekday = stars[4];
	return (0);
}

static int
parse_every(const char *text, struct cron *c, struct err *err)
{

	text += strspn(text, " \t");
	if (num_parse_duration_ms(text, 1000, &c->every_ms) == 0 &&
	    c->every_ms >= EVERY_MIN_MS && c->every_ms <= EVERY_MAX_MS)
		return (0);
	err_set(err, ERR_INVAL, "@every takes a time of 1s to 366d");
	return (-1);
}

int
cron_parse(const char *text, struct cron *c, struct err *err)
{
	static const char every[] = "@every";
	size_t i;

	memset(c, 0, sizeof(*c));
	if (strcmp(text, "off") == 0) {
		c->off = true;
		return (0);
	}
	if (strncmp(text, every, strlen(every)) == 0)
		return (parse_every(text + strlen(every), c, err));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].word) == 0)
			text = words[i].fields;
	}
	if (parse_fields(text, c, err))
		return (-1);
	if (cron_next(c, NULL, 0) != INT64_MAX)
		return (0);
	err_set(err, ERR_INVAL, "\"%.60s\" is a day that never comes", text);
	return (-1);
}

/* ---- times ---- */

static bool
day_fits(const struct cron *c, int64_t day)
{
	int64_t y, weekday = (day + 4) % 7;	/* 1970 began on a Thursday */
	bool by_month, by_week;
	int m, d;

	clock_civil(day, &y, &m, &d);
	if (weekday < 0)
		weekday += 7;
	if ((c->months >> m & 1) == 0)
		return (false);
	by_month = (c->days >> d & 1) != 0;
	by_week = (c->weekdays >> weekday & 1) != 0;
	if (c->any_day || c->any_weekday)
		return (by_month && by_week);
	return (by_month || by_week);
}

static int64_t
floor_div(int64_t a, int64_t b)
{

	return (a / b - (a % b < 0));
}

static int64_t
offset_ms(const struct zone *zone, int64_t utc_ms)
{

	return (zone == NULL ? 0 : zone_offset_ms(zone, utc_ms));
}

static int64_t
first_ms(const struct zone *zone, int64_t local_ms)
{

	return (zone == NULL ? local_ms : zone_first_ms(zone, local_ms));
}

/* The first minute of a fitting day that is due at certain hours, from
 * ${minute} on; -1: none. */
static int
minute_from(const struct cron *c, int minute)
{

	for (; minute < 24 * 60; minute++) {
		if ((c->hours >> (minute / 60) & 1) == 0)
			minute += 59 - minute % 60;
		else if ((c->minutes >> (minute % 60) & 1) != 0)
			return (minute);
	}
	return (-1);
}

/*
 * At certain hours: what clocks have not shown yet, nor anything later, is to
 * come.  So the first of the times after what they show now is the one.
 */
static int64_t
next_local(const struct cron *c, const struct zone *zone, int64_t after_ms)
{
	int64_t local_ms, day, last;
	int minute;

	local_ms = after_ms + offset_ms(zone, after_ms);
	day = floor_div(local_ms, ZONE_DAY_MS);
	minute = (int)((local_ms - day * ZONE_DAY_MS) / MINUTE_MS) + 1;
	for (last = day + DAYS_AHEAD; day <= last; day++, minute = 0) {
		if (!day_fits(c, day))
			continue;
		for (;; minute++) {
			if ((minute = minute_from(c, minute)) == -1)
				break;
			local_ms = first_ms(zone, day * ZONE_DAY_MS +
			    minute * MINUTE_MS);

			/* Clocks that were put back show it again. */
			if (local_ms > after_ms)
				return (local_ms);
		}
	}
	return (INT64_MAX);
}

/* In each hour: minute by minute through the days that fit. */
static int64_t
next_shown(const struct cron *c, const struct zone *zone, int64_t after_ms)
{
	int64_t t, end, local_ms, day, next;

	t = (floor_div(after_ms, MINUTE_MS) + 1) * MINUTE_MS;
	for (end = t + DAYS_AHEAD * ZONE_DAY_MS; t <= end;) {
		local_ms = t + offset_ms(zone, t);
		day = floor_div(local_ms, ZONE_DAY_MS);
		if (!day_fits(c, day)) {
			next = first_ms(zone, (day + 1) * ZONE_DAY_MS);
			t = next > t ? next : t + MINUTE_MS;
			continue;
		}
		if ((c->minutes >> ((local_ms - day * ZONE_DAY_MS) /
		    MINUTE_MS % 60) & 1) != 0)
			return (t);
		t += MINUTE_MS;
	}
	return (INT64_MAX);
}

int64_t
cron_next(const struct cron *c, const struct zone *zone, int64_t after_ms)
{

	if (c->off)
		return (INT64_MAX);
	if (c->every_ms > 0)
		return ((floor_div(after_ms, c->every_ms) + 1) * c->every_ms);
	if (c->hours == ALL_HOURS)
		return (next_shown(c, zone, after_ms));
	return (next_local(c, zone, after_ms));
}
