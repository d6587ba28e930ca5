#ifndef BASE_ZONE_INTERNAL_H_
#define BASE_ZONE_INTERNAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/zone.h"

/* Shared by zone*.c alone.  Times are seconds here. */

/* A calendar of 400 years repeats itself: whole weeks, 97 leap days. */
#define ZONE_CYCLE_YEARS	400
#define ZONE_CYCLE_S		(INT64_C(146097) * 86400)

/* What RFC 8536 lets a time differ from UTC: -25 h < offset < 26 h. */
#define ZONE_OFFSET_MIN_S	(-89999)
#define ZONE_OFFSET_MAX_S	93599

/**
 * Offsets from UTC, and when they change:
 *
 *	    at_s[0]      at_s[1]            at_s[n - 1]
 *	  -----|------------|----- ... ----------|--------
 *	offset_s[0]     offset_s[1]          offset_s[n]
 *
 * The rule for later times is written out for so many years that they repeat
 * themselves: from ${cycle_s} on it is as 400 years before.
 */
struct zone {
	char name[ZONE_NAME_SIZE];
	size_t n;
	int64_t *at_s;
	int32_t *offset_s;
	bool cyclic;
	int64_t cycle_s;
};

/** One day of each year, and the time of that day at which clocks change. */
struct zone_date {
	enum { ZONE_JULIAN, ZONE_DAY_OF_YEAR, ZONE_WEEKDAY } form;
	int day;		/* 1..365 without 29 February, or 0..365 */
	int month, week, weekday; /* week 5: the last one; 0: Sunday */
	int32_t time_s;		/* since local midnight; may be negative */
};

/** The text at the end of a file: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct zone_rule {
	int32_t std_s, dst_s;	/* offsets */
	bool dst;		/* else std_s all year long */
	struct zone_date start, end;
};

/** zone_rule_parse(s, n, rule): 0, or -1. */
int zone_rule_parse(const char *s, size_t n, struct zone_rule *rule)
    __attribute__((__warn_unused_result__));

/** zone_rule_at(date, year, offset_s): The instant, clocks being at that
 * offset just before. */
int64_t zone_rule_at(const struct zone_date *date, int64_t year,
    int32_t offset_s);

#endif /* !BASE_ZONE_INTERNAL_H_ */
