#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/grow.h"
#include "base/num.h"
#include "base/zone.h"
#include "ledger/rollup.h"
#include "ledger/window.h"

#include "periods.h"

/* The years that a report may begin and end in: where ledger ids are. */
#define YEAR_MIN	2000
#define YEAR_MAX	2200

static const struct {
	const char *name;
	enum window_period window;	/* WINDOW_NPERIODS: none does it */
} periods[] = {
	[PERIOD_HOUR] = { "hour", WINDOW_NPERIODS },
	[PERIOD_DAY] = { "day", WINDOW_DAY },
	[PERIOD_WEEK] = { "week", WINDOW_WEEK },
	[PERIOD_MONTH] = { "month", WINDOW_MONTH },
	[PERIOD_YEAR] = { "year", WINDOW_NPERIODS },
	[PERIOD_TOTAL] = { "total", WINDOW_NPERIODS },
};
_Static_assert(sizeof(periods) / sizeof(periods[0]) == PERIOD_COUNT,
    "one row for each period");

enum period
period_of(const char *name)
{
	int i;

	for (i = 0; i < PERIOD_COUNT; i++) {
		if (strcmp(periods[i].name, name) == 0)
			break;
	}
	return ((enum period)i);
}

const char *
period_name(enum period period)
{

	return (periods[period].name);
}

/* ---- times ---- */

static int64_t
hour_down(int64_t ms)
{

	return (ms - ms % ROLLUP_HOUR_MS);
}

/* "2026", "2026-11" or "2026-11-20", as the number of a day. */
static int
parse_day(const char *s, int64_t *day)
{
	int64_t part[3] = { 0, 1, 1 };
	size_t i, len = strlen(s), n = 0;
	static const size_t ends[] = { 4, 7, 10 };

	for (i = 0; i < 3 && n < len; i++) {
		if (len < ends[i] || (i > 0 && s[n++] != '-'))
			return (-1);
		if (num_parse(s + n, ends[i] - n, i == 0 ? YEAR_MIN : 1,
		    i == 0 ? YEAR_MAX : i == 1 ? 12 : 31, &part[i]))
			return (-1);
		n = ends[i];
	}
	if (n != len || n == 0)
		return (-1);
	*day = clock_days(part[0], (int)part[1], (int)part[2]);
	/* The 31st of a month that has none is in the next one. */
	if (part[2] > 28 &&
	    *day >= clock_days(part[0] + part[1] / 12,
	    (int)(part[1] % 12) + 1, 1))
		return (-1);
	return (0);
}

int
period_time(const char *s, const struct zone *zone, int64_t now_ms,
    int64_t *out_ms, struct err *err)
{
	int64_t day, ms;
	size_t n = strlen(s);

	if (parse_day(s, &day) == 0) {
		*out_ms = zone_day_start_ms(zone, day);
		return (0);
	}
	if (clock_parse_date(s, out_ms) == 0 &&
	    *out_ms >= clock_days(YEAR_MIN, 1, 1) * ROLLUP_DAY_MS &&
	    *out_ms < clock_days(YEAR_MAX + 1, 1, 1) * ROLLUP_DAY_MS)
		return (0);
	if (n > 0 && strchr("smhd", s[n - 1]) != NULL &&
	    num_parse_duration_ms(s, 1, &ms) == 0 && ms <= now_ms) {
		*out_ms = hour_down(now_ms - ms);
		return (0);
	}
	err_set(err, ERR_INVAL, "\"%.40s\" is no year, month or date (2026, "
	    "2026-11, 2026-11-20), no RFC 3339 time, and no duration before "
	    "now (7d, 12h)", s);
	return (-1);
}

/* The first of January of the year of ${at_ms} plus ${more}. */
static int64_t
year_start(const struct zone *zone, int64_t at_ms, int more)
{
	int64_t y;
	int m, d;

	clock_civil(zone_day(zone, at_ms), &y, &m, &d);
	return (zone_day_start_ms(zone, clock_days(y + more, 1, 1)));
}

/* Start and end of the period of ${at_ms}. */
static struct range
range_of(enum period period, const struct zone *zone, int64_t at_ms)
{
	const struct window_rule rule = {
		.period = periods[period].window,
		.zone = zone,
	};
	struct window_span span = { 0 };
	int64_t ms;

	switch (period) {
	case PERIOD_HOUR:
		/* Of local time: they may begin within one of UTC. */
		ms = at_ms - (at_ms + zone_offset_ms(zone, at_ms)) %
		    ROLLUP_HOUR_MS;
		return ((struct range) { ms, ms + ROLLUP_HOUR_MS });
	case PERIOD_YEAR:
		return ((struct range) { year_start(zone, at_ms, 0),
		    year_start(zone, at_ms, 1) });
	case PERIOD_TOTAL:
		return ((struct range) { 0, INT64_MAX });
	default:
		if (window_of(&rule, at_ms, &span))
			return ((struct range) { 0, INT64_MAX });
		return ((struct range) { span.start_ms, span.end_ms });
	}
}

int64_t
period_start(enum period period, const struct zone *zone, int64_t at_ms)
{

	return (range_of(period, zone, at_ms).from_ms);
}

/* ---- a report's periods ---- */

void
periods_free(struct periods *p)
{

	free(p->starts);
	free(p->days);
	free(p->hours);
	*p = (struct periods) { 0 };
}

static void
add_range(struct range *list, size_t *n, int64_t from_ms, int64_t to_ms)
{

	if (from_ms >= to_ms)
		return;
	if (*n > 0 && list[*n - 1].to_ms == from_ms)
		list[*n - 1].to_ms = to_ms;
	else
		list[(*n)++] = (struct range) { from_ms, to_ms };
}

/* Whole days where there are some, hours for the rest. */
static void
add_sources(struct periods *p, int64_t from_ms, int64_t to_ms)
{
	int64_t first = from_ms + (ROLLUP_DAY_MS - from_ms % ROLLUP_DAY_MS) %
	    ROLLUP_DAY_MS;
	int64_t last = to_ms - to_ms % ROLLUP_DAY_MS;

	if (first >= last) {
		add_range(p->hours, &p->nhours, from_ms, to_ms);
		return;
	}
	add_range(p->hours, &p->nhours, from_ms, first);
	add_range(p->days, &p->ndays, first, last);
	add_range(p->hours, &p->nhours, last, to_ms);
}

static int
add_start(struct periods *p, size_t *cap, int64_t ms, struct err *err)
{
	int64_t *starts;

	if (p->n > PERIODS_MAX) {
		err_set(err, ERR_INVAL, "these are more than %d periods; ask "
		    "for longer ones, or for less time", PERIODS_MAX);
		return (-1);
	}
	starts = grow_list(p->starts, p->n, cap, sizeof(*starts));
	if (starts == NULL) {
		err_set(err, ERR_NOMEM, "no memory for periods");
		return (-1);
	}
	p->starts = starts;
	starts[p->n++] = ms;
	return (0);
}

/* Where each begins, in whole hours, and where the last one ends. */
static int
cut(struct periods *p, enum period period, const struct zone *zone,
    int64_t from_ms, int64_t to_ms, struct err *err)
{
	size_t cap = 0;
	int64_t at = from_ms;

	while (at < to_ms) {
		if (hour_down(at) != at)
			p->rounded = true;
		if (add_start(p, &cap, hour_down(at), err))
			return (-1);
		at = range_of(period, zone, at).to_ms;
	}
	if (hour_down(to_ms) != to_ms) {
		p->rounded = true;
		to_ms = hour_down(to_ms) + ROLLUP_HOUR_MS;
	}
	if (add_start(p, &cap, to_ms, err))
		return (-1);
	p->n--;
	return (0);
}

int
periods_make(struct periods *p, enum period period, const struct zone *zone,
    const struct range *range, struct err *err)
{
	size_t i;

	*p = (struct periods) { 0 };
	if (range->from_ms < 0 || range->from_ms >= range->to_ms) {
		err_set(err, ERR_INVAL, "the report would end before it "
		    "begins");
		return (-1);
	}
	if (cut(p, period, zone, range->from_ms, range->to_ms, err))
		goto err0;
	p->days = calloc(p->n, sizeof(*p->days));
	p->hours = calloc(2 * p->n, sizeof(*p->hours));
	if (p->days == NULL || p->hours == NULL) {
		err_set(err, ERR_NOMEM, "no memory for periods");
		goto err0;
	}
	for (i = 0; i < p->n; i++)
		add_sources(p, p->starts[i], p->starts[i + 1]);
	return (0);

err0:
	periods_free(p);
	return (-1);
}

int64_t
periods_start(const struct periods *p, int64_t at_ms)
{
	size_t lo = 0, hi = p->n, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (p->starts[mid] <= at_ms)
			lo = mid;
		else
			hi = mid;
	}
	return (p->starts[lo]);
}
