#ifndef ADMIN_PERIODS_H_
#define ADMIN_PERIODS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct zone;

/**
 * Periods of local time that a report is cut into, and which of the sums by
 * hour and by day they are made of.  The sums are of whole hours of UTC: where
 * a period begins within one (a zone with 30 or 45 minutes, a time that was
 * given so), the hour counts for the period that begins in it.
 */
enum period {
	PERIOD_HOUR,
	PERIOD_DAY,
	PERIOD_WEEK,		/* from Monday */
	PERIOD_MONTH,
	PERIOD_YEAR,
	PERIOD_TOTAL,		/* all in one */
	PERIOD_COUNT
};

/** period_of(name): PERIOD_COUNT if there is none of that name. */
enum period period_of(const char *name);
const char *period_name(enum period period);

/**
 * period_time(s, zone, now_ms, out_ms, err):
 * A year, month or date there (2026, 2026-11, 2026-11-20: when it begins), an
 * RFC 3339 time, or a duration before ${now_ms} (7d, 12h: the hour that it ends
 * in).  0, or -1 with ERR_INVAL.
 */
int period_time(const char *s, const struct zone *zone, int64_t now_ms,
    int64_t *out_ms, struct err *err) __attribute__((__warn_unused_result__));

/** period_start(period, zone, at_ms): When the one began that ${at_ms} lies
 * in; total: 0. */
int64_t period_start(enum period period, const struct zone *zone,
    int64_t at_ms);

/** From the first up to, and without, the second. */
struct range {
	int64_t from_ms, to_ms;
};

/* So many periods a report has at the most. */
#define PERIODS_MAX	100000

struct periods {
	size_t n;
	int64_t *starts;	/* n + 1: also where the last one ends */
	struct range *days;	/* whole days of UTC */
	size_t ndays;
	struct range *hours;	/* what days leave, in hours of UTC */
	size_t nhours;
	bool rounded;		/* a period begins or ends within an hour */
};

/** periods_make(p, period, zone, range, err): Cut ${range} up.  0, or -1
 * (ERR_INVAL: empty, or too many; nothing is to be freed). */
int periods_make(struct periods *p, enum period period,
    const struct zone *zone, const struct range *range, struct err *err)
    __attribute__((__warn_unused_result__));
void periods_free(struct periods *p);

/** periods_start(p, at_ms): The start of the one that ${at_ms} lies in. */
int64_t periods_start(const struct periods *p, int64_t at_ms);

#endif /* !ADMIN_PERIODS_H_ */
