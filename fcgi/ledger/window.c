#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/zone.h"

#include "ledger/window.h"

#define BUCKETS		60

static int64_t
floor_to(int64_t at, int64_t step)
{
	int64_t rest = at % step;

	return (at - rest - (rest < 0 ? step : 0));
}

static void
whole(int64_t start_ms, int64_t end_ms, struct window_span *span)
{

	*span = (struct window_span) { start_ms, end_ms, start_ms, end_ms };
}

static void
total(const struct window_rule *r, int64_t at_ms, struct window_span *span)
{

	(void)r;
	(void)at_ms;
	whole(0, INT64_MAX, span);
}

static void
days(const struct zone *z, int64_t first, int64_t next,
    struct window_span *span)
{

	whole(zone_day_start_ms(z, first), zone_day_start_ms(z, next), span);
}

static void
day(const struct window_rule *r, int64_t at_ms, struct window_span *span)
{
	int64_t d = zone_day(r->zone, at_ms);

	days(r->zone, d, d + 1, span);
}

static void
week(const struct window_rule *r, int64_t at_ms, struct window_span *span)
{
	/* Day 0 was a Thursday, three days after a Monday. */
	int64_t d = floor_to(zone_day(r->zone, at_ms) + 3, 7) - 3;

	days(r->zone, d, d + 7, span);
}

static void
month(const struct window_rule *r, int64_t at_ms, struct window_span *span)
{
	int64_t y;
	int m, d;

	clock_civil(zone_day(r->zone, at_ms), &y, &m, &d);
	days(r->zone, clock_days(y, m, 1), m == 12 ? clock_days(y + 1, 1, 1) :
	    clock_days(y, m + 1, 1), span);
}

static void
fixed(const struct window_rule *r, int64_t at_ms, struct window_span *span)
{
	/* Any of its starts will do as the anchor: one near 1970. */
	int64_t anchor = r->anchor_ms % r->length_ms;
	int64_t start = anchor + floor_to(at_ms - anchor, r->length_ms);

	whole(start, start + r->length_ms, span);
}

static void
rolling(const struct window_rule *r, int64_t at_ms, struct window_span *span)
{
	int64_t bucket = (r->length_ms + BUCKETS - 1) / BUCKETS;
	int64_t start = floor_to(at_ms, bucket);

	*span = (struct window_span) {
		.start_ms = start,
		.end_ms = start + bucket,
		.first_ms = start - BUCKETS * bucket,
		.leaves_ms = start + (BUCKETS + 1) * bucket,
	};
}

static const struct {
	const char *name;
	bool length, zone;	/* needed */
	void (*of)(const struct window_rule *, int64_t, struct window_span *);
} periods[] = {
	[WINDOW_TOTAL] = { "total", false, false, total },
	[WINDOW_DAY] = { "day", false, true, day },
	[WINDOW_WEEK] = { "week", false, true, week },
	[WINDOW_MONTH] = { "month", false, true, month },
	[WINDOW_FIXED] = { "fixed", true, false, fixed },
	[WINDOW_ROLLING] = { "rolling", true, false, rolling },
};
_Static_assert(sizeof(periods) / sizeof(periods[0]) == WINDOW_NPERIODS,
    "one row a period");

int
window_of(const struct window_rule *r, int64_t at_ms,
    struct window_span *span)
{

	if (at_ms < ZONE_MIN_MS || at_ms > ZONE_MAX_MS ||
	    r->period >= WINDOW_NPERIODS)
		return (-1);
	if (periods[r->period].zone && r->zone == NULL)
		return (-1);
	if (periods[r->period].length &&
	    (r->length_ms < WINDOW_MIN_LENGTH_MS ||
	    r->length_ms > WINDOW_MAX_LENGTH_MS))
		return (-1);
	periods[r->period].of(r, at_ms, span);
	return (0);
}

enum window_period
window_period(const char *name)
{
	enum window_period p = WINDOW_TOTAL;

	while (p < WINDOW_NPERIODS && strcmp(periods[p].name, name) != 0)
		p++;
	return (p);
}

const char *
window_period_name(enum window_period p)
{

	return (p < WINDOW_NPERIODS ? periods[p].name : "?");
}
