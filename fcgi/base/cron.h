#ifndef BASE_CRON_H_
#define BASE_CRON_H_

#include <stdbool.h>
#include <stdint.h>

struct err;
struct zone;

/**
 * When something that recurs is due: five fields as crontab(5) has them
 *
 *	minute 0-59, hour 0-23, day of the month 1-31, month 1-12 or jan-dec,
 *	day of the week 0-7 or sun-sat (0 and 7 are Sunday)
 *
 * each of them a star or a list of numbers and ranges, with a step if need be
 * ("*", "1,3", "10-20/5", "mon-fri"); where both days are given, one of them
 * is enough.  Or a word: @hourly, @daily (@midnight), @weekly, @monthly,
 * @yearly (@annually), "@every 30s" (at whole multiples of it since the
 * epoch, whatever the zone), or "off".
 *
 * Where clocks change, what is due at certain hours comes once: a time that is
 * skipped at the moment of the change, one that comes twice at its first.
 * What is due in each hour of the day goes by the time that clocks show, and
 * comes in both.
 *
 * Pure; any thread.
 */
struct cron {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays;	/* bit sets */
	bool any_day, any_weekday;		/* a star */
	int64_t every_ms;			/* 0: by the fields */
	bool off;
};

/** What is longer is no schedule. */
#define CRON_LENGTH_MAX		120

/** cron_parse(text, c, err): 0, or -1 with ERR_INVAL saying what is wrong;
 * also for dates that never come. */
int cron_parse(const char *text, struct cron *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** cron_next(c, zone, after_ms): The first time that it is due after
 * ${after_ms}, both UTC; INT64_MAX: never. */
int64_t cron_next(const struct cron *c, const struct zone *zone,
    int64_t after_ms);

#endif /* !BASE_CRON_H_ */
