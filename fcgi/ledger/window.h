#ifndef LEDGER_WINDOW_H_
#define LEDGER_WINDOW_H_

#include <stdint.h>

struct zone;

/**
 * The windows of time that a budget counts in.  Those of one rule tile time
 * without gap or overlap: each instant lies in exactly one, from start_ms up to
 * end_ms, which is the next one's start.  Pure; any thread.
 *
 *	total	all time
 *	day	from local midnight to local midnight (zone_day_start_ms), so
 *		23 to 25 hours where clocks change
 *	week	from Monday 00:00
 *	month	from the first, 00:00
 *	fixed	of length_ms each, one of them starting at anchor_ms
 *	rolling	the last length_ms, counted in buckets of a sixtieth, see below
 */
enum window_period {
	WINDOW_TOTAL,
	WINDOW_DAY,
	WINDOW_WEEK,
	WINDOW_MONTH,
	WINDOW_FIXED,
	WINDOW_ROLLING,
	WINDOW_NPERIODS
};

/* Lengths of fixed and rolling windows: one minute to 400 days. */
#define WINDOW_MIN_LENGTH_MS	INT64_C(60000)
#define WINDOW_MAX_LENGTH_MS	(INT64_C(400) * 86400000)

struct window_rule {
	enum window_period period;
	int64_t length_ms;		/* fixed, rolling; else not looked at */
	int64_t anchor_ms;		/* fixed */
	const struct zone *zone;	/* day, week, month; borrowed */
};

/**
 * What there is of the window of an instant.  For all but rolling ones the row
 * that is charged is the whole window:
 *
 *	 start_ms = first_ms            end_ms
 *	     |------------- t -------------|
 *
 * A rolling one is charged in the bucket of the instant, and the sum runs over
 * the rows from first_ms to start_ms: every bucket that overlaps the last
 * length_ms at any time before end_ms, so it counts up to a sixtieth more than
 * asked, and never less.
 *
 *	 first_ms  (60 more)       start_ms     end_ms
 *	     |---|---| ... |---|-------|---- t ----|
 *
 * What was charged in the bucket of start_ms counts up to leaves_ms.
 */
struct window_span {
	int64_t start_ms;	/* 0: total */
	int64_t end_ms;		/* INT64_MAX: total */
	int64_t first_ms;	/* == start_ms but for rolling ones */
	int64_t leaves_ms;	/* == end_ms but for rolling ones */
};

/**
 * window_of(rule, at_ms, span):
 * The window that ${at_ms} lies in.  0, or -1 where the rule is no such rule
 * (a length out of bounds, no zone) or the time is none of years 1 to 9999.
 */
int window_of(const struct window_rule *rule, int64_t at_ms,
    struct window_span *span) __attribute__((__warn_unused_result__));

/**
 * window_period(name), window_period_name(period):
 * The period of that name, WINDOW_NPERIODS if there is none; and back.
 */
enum window_period window_period(const char *name);
const char *window_period_name(enum window_period period);

#endif /* !LEDGER_WINDOW_H_ */
