#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/zone.h"
#include "ledger/window.h"

#define DAY_MS		INT64_C(86400000)

static const char *const names[] = {
	"UTC", "Europe/Berlin", "Europe/London", "America/New_York",
	"America/Santiago", "America/St_Johns", "America/Havana",
	"America/Sao_Paulo", "America/Nuuk", "Asia/Beirut", "Asia/Kathmandu",
	"Asia/Kolkata", "Asia/Tehran", "Asia/Gaza", "Asia/Shanghai",
	"Africa/Cairo", "Africa/Casablanca", "Australia/Lord_Howe",
	"Antarctica/Troll", "Pacific/Apia", "Pacific/Kwajalein",
	"Pacific/Kiritimati", "Pacific/Chatham", "Etc/GMT+12",
};

static const enum window_period local_periods[] = {
	WINDOW_DAY, WINDOW_WEEK, WINDOW_MONTH
};

/* The zone, for the code under test and for the C library. */
static struct zone *
zone(const char *name)
{
	struct err err;
	struct zone *z;

	err_clear(&err);
	if ((z = zone_new(name, &err)) == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
	return (z);
}

/* A small generator, so that a failure can be had again. */
static uint64_t seed = 20261120;

static int64_t
any(int64_t below)
{

	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((int64_t)((seed >> 20) % (uint64_t)below));
}

static int64_t
at(const char *rfc3339)
{
	int64_t ms;

	assert_int_equal(clock_parse_date(rfc3339, &ms), 0);
	return (ms);
}

static void
of(const struct window_rule *r, int64_t t, struct window_span *s)
{

	if (window_of(r, t, s) != 0)
		fail_msg("%s at %lld: none", window_period_name(r->period),
		    (long long)t);
}

static void
must(bool holds, const char *what, const struct window_rule *r, int64_t t)
{

	if (!holds)
		fail_msg("%s: %s, %s, length %lld, at %lld", what,
		    window_period_name(r->period), r->zone == NULL ? "-" :
		    zone_name(r->zone), (long long)r->length_ms,
		    (long long)t);
}

/* What holds for the window of any instant, and for its neighbours. */
static void
check_tiles(const struct window_rule *r, int64_t t)
{
	struct window_span s, o;

	of(r, t, &s);
	must(s.start_ms <= t && t < s.end_ms, "lies within", r, t);
	must(s.first_ms <= s.start_ms && s.leaves_ms >= s.end_ms, "order", r,
	    t);
	of(r, s.start_ms, &o);
	must(memcmp(&s, &o, sizeof(s)) == 0, "its start is in it", r, t);
	of(r, s.end_ms - 1, &o);
	must(memcmp(&s, &o, sizeof(s)) == 0, "its last ms is in it", r, t);
	of(r, s.end_ms, &o);
	must(o.start_ms == s.end_ms, "the next begins at its end", r, t);
	of(r, s.start_ms - 1, &o);
	must(o.end_ms == s.start_ms, "the last ended at its start", r, t);
}

/* 20260401 of local time, as the C library has it. */
static int
oracle_date(int64_t ms, struct tm *tm)
{
	time_t t = (time_t)(ms / 1000 - (ms % 1000 < 0));

	assert_non_null(localtime_r(&t, tm));
	return ((tm->tm_year + 1900) * 10000 + (tm->tm_mon + 1) * 100 +
	    tm->tm_mday);
}

/*
 * Is it the first instant of a local day, and is that the first of a period?
 * Before it clocks never showed that date or a later one.
 */
static void
check_boundary(const struct window_rule *r, int64_t ms)
{
	struct tm tm, before;
	int64_t t;
	int date = oracle_date(ms, &tm);
	int last = oracle_date(ms - 1, &before);

	must(ms % 1000 == 0, "a whole second", r, ms);
	must(last < date, "a new date", r, ms);
	for (t = ms - 50 * 3600000; t < ms; t += 29 * 60000)
		must(oracle_date(t, &before) < date, "the first of its date",
		    r, ms);
	(void)oracle_date(ms - 1, &before);
	if (r->period == WINDOW_WEEK)
		must(tm.tm_wday == 1, "a Monday", r, ms);
	if (r->period == WINDOW_MONTH)
		must(tm.tm_mday == 1 && tm.tm_mon != before.tm_mon,
		    "the first of a month", r, ms);
	/* 00:00, or a change of clocks has skipped it. */
	if (tm.tm_hour != 0 || tm.tm_min != 0 || tm.tm_sec != 0)
		must(tm.tm_gmtoff > before.tm_gmtoff, "midnight", r, ms);
}

static void
check_local(const struct window_rule *r, int64_t t)
{
	static const int64_t longest[] = { [WINDOW_DAY] = 2,
		[WINDOW_WEEK] = 8, [WINDOW_MONTH] = 32 };
	struct window_span s;
	struct tm start, end;

	check_tiles(r, t);
	of(r, t, &s);
	check_boundary(r, s.start_ms);
	must(s.end_ms - s.start_ms <= longest[r->period] * DAY_MS, "too long",
	    r, t);
	(void)oracle_date(s.start_ms, &start);
	(void)oracle_date(s.end_ms - 1, &end);
	if (r->period == WINDOW_MONTH)
		must(start.tm_mon == end.tm_mon, "one month", r, t);
}

/* Each window of some years, and any in 1930 to 2130. */
static void
local_windows_tile_at_local_midnights(void **state)
{
	const int64_t from = at("1930-01-01T00:00:00Z");
	const int64_t to = at("2130-01-01T00:00:00Z");
	struct window_rule r = { 0 };
	struct window_span s;
	struct zone *z;
	size_t i, p;
	int64_t t;

	(void)state;
	for (i = 0; i < NITEMS(names); i++) {
		r.zone = z = zone(names[i]);
		for (p = 0; p < NITEMS(local_periods); p++) {
			r.period = local_periods[p];
			for (t = at("2019-06-01T00:00:00Z");
			    t < at("2028-01-01T00:00:00Z"); t = s.end_ms) {
				check_local(&r, t + any(1000));
				of(&r, t, &s);
			}
			for (t = 0; t < 300; t++)
				check_local(&r, from + any(to - from));
		}
		zone_free(z);
	}
}

/* Around each change of clocks, to the millisecond. */
static void
windows_tile_where_clocks_change(void **state)
{
	struct window_rule r = { .period = WINDOW_DAY };
	struct zone *z;
	int64_t t, k, seen;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(names); i++) {
		r.zone = z = zone(names[i]);
		seen = 0;
		for (t = 0; t < at("2040-01-01T00:00:00Z"); t += 7200000) {
			if (zone_offset_ms(z, t - 7200000) ==
			    zone_offset_ms(z, t))
				continue;
			for (k = -9; k <= 9; k++) {
				check_tiles(&r, t + k * 900000);
				check_tiles(&r, t + k * 900000 - 1);
				check_tiles(&r, t + any(7200000) - 3600000);
			}
			seen++;
		}
		assert_true(seen > 0 || strcmp(names[i], "UTC") == 0 ||
		    strncmp(names[i], "Etc/", 4) == 0 ||
		    strncmp(names[i], "Asia/Ko", 7) == 0);
		zone_free(z);
	}
}

static void
known_windows(void **state)
{
	static const struct {
		enum window_period period;
		const char *zone, *at, *start, *end;
	} cases[] = {
		{ WINDOW_DAY, "UTC", "2026-11-20T23:59:59.999Z",
		    "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z" },
		/* 23 and 25 hours */
		{ WINDOW_DAY, "Europe/Berlin", "2026-03-29T12:00:00Z",
		    "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z" },
		{ WINDOW_DAY, "Europe/Berlin", "2026-10-25T12:00:00Z",
		    "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z" },
		{ WINDOW_DAY, "America/New_York", "2026-03-08T05:00:00Z",
		    "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z" },
		{ WINDOW_DAY, "Australia/Lord_Howe", "2026-04-05T03:00:00Z",
		    "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z" },
		/* no midnight on that day */
		{ WINDOW_DAY, "America/Santiago", "2026-09-06T04:00:00Z",
		    "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z" },
		{ WINDOW_DAY, "America/Santiago", "2026-09-06T03:59:59.999Z",
		    "2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z" },
		{ WINDOW_DAY, "Asia/Kathmandu", "2026-11-20T00:00:00Z",
		    "2026-11-19T18:15:00Z", "2026-11-20T18:15:00Z" },
		/* the day before the one that never was */
		{ WINDOW_DAY, "Pacific/Apia", "2011-12-30T09:59:59Z",
		    "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z" },
		{ WINDOW_DAY, "Pacific/Apia", "2011-12-30T10:00:00Z",
		    "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z" },
		{ WINDOW_WEEK, "Pacific/Apia", "2011-12-28T12:00:00Z",
		    "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z" },
		/* year ends and leap days */
		{ WINDOW_WEEK, "UTC", "2027-01-01T00:00:00Z",
		    "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z" },
		{ WINDOW_WEEK, "UTC", "1970-01-01T00:00:00Z",
		    "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z" },
		{ WINDOW_MONTH, "UTC", "2024-02-29T12:00:00Z",
		    "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z" },
		{ WINDOW_MONTH, "UTC", "2100-02-28T23:59:59Z",
		    "2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z" },
		{ WINDOW_MONTH, "UTC", "2026-12-31T23:59:59.999Z",
		    "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z" },
		{ WINDOW_MONTH, "Europe/Berlin", "2026-10-31T23:00:00Z",
		    "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z" },
		{ WINDOW_MONTH, "Europe/Berlin", "2100-07-31T22:00:00Z",
		    "2100-07-31T22:00:00Z", "2100-08-31T22:00:00Z" },
		{ WINDOW_MONTH, "UTC", "1969-12-31T23:59:59.999Z",
		    "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z" },
	};
	struct window_rule r = { 0 };
	struct window_span s;
	struct zone *z;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		r.period = cases[i].period;
		r.zone = z = zone(cases[i].zone);
		of(&r, at(cases[i].at), &s);
		if (s.start_ms != at(cases[i].start) ||
		    s.end_ms != at(cases[i].end))
			fail_msg("%s %s: %lld to %lld", cases[i].zone,
			    cases[i].at, (long long)s.start_ms,
			    (long long)s.end_ms);
		assert_int_equal(s.first_ms, s.start_ms);
		assert_int_equal(s.leaves_ms, s.end_ms);
		zone_free(z);
	}
}

static const int64_t lengths[] = {
	WINDOW_MIN_LENGTH_MS, WINDOW_MIN_LENGTH_MS + 1, 3599999, 3600000,
	5 * INT64_C(3600000), DAY_MS, 7 * DAY_MS, 30 * DAY_MS + 1,
	WINDOW_MAX_LENGTH_MS - 1, WINDOW_MAX_LENGTH_MS
};

static void
fixed_windows_tile_from_their_anchor(void **state)
{
	static const int64_t anchors[] = { 0, 1, -1, INT64_C(1793491200123),
		INT64_C(-1793491200123), INT64_MAX, INT64_MIN };
	struct window_rule r = { .period = WINDOW_FIXED };
	struct window_span s;
	size_t i, k;
	int n;

	(void)state;
	for (i = 0; i < NITEMS(lengths); i++) {
		for (k = 0; k < NITEMS(anchors); k++) {
			r.length_ms = lengths[i];
			r.anchor_ms = anchors[k];
			for (n = 0; n < 2000; n++) {
				check_tiles(&r, any(INT64_C(8000000000000)) -
				    INT64_C(4000000000000));
			}
			if (anchors[k] > ZONE_MAX_MS ||
			    anchors[k] < ZONE_MIN_MS)
				continue;
			of(&r, r.anchor_ms, &s);
			assert_int_equal(s.start_ms, r.anchor_ms);
			assert_int_equal(s.end_ms, r.anchor_ms + r.length_ms);
		}
	}
}

/*
 * Whatever was charged within the last length_ms is in the sum, and what is in
 * it is no older than a sixtieth and a bucket's rounding more.
 */
static void
rolling_windows_never_sum_too_little(void **state)
{
	struct window_rule r = { .period = WINDOW_ROLLING };
	struct window_span now, then;
	int64_t t, past, bucket;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < NITEMS(lengths); i++) {
		r.length_ms = lengths[i];
		bucket = (lengths[i] + 59) / 60;
		for (n = 0; n < 20000; n++) {
			t = any(INT64_C(8000000000000)) -
			    INT64_C(1000000000000);
			check_tiles(&r, t);
			of(&r, t, &now);
			past = t - any(2 * lengths[i]);
			of(&r, past, &then);
			assert_int_equal(now.end_ms - now.start_ms, bucket);
			if (t - past < lengths[i])
				must(then.start_ms >= now.first_ms,
				    "counts", &r, t);
			if (t - past >= lengths[i] + 2 * bucket)
				must(then.start_ms < now.first_ms,
				    "no longer counts", &r, t);
			must((then.start_ms >= now.first_ms) ==
			    (t < then.leaves_ms), "leaves", &r, t);
		}
	}
}

static void
all_time_is_one_window(void **state)
{
	const struct window_rule r = { .period = WINDOW_TOTAL };
	struct window_span s;

	(void)state;
	of(&r, at("2026-11-20T00:00:00Z"), &s);
	assert_int_equal(s.start_ms, 0);
	assert_int_equal(s.first_ms, 0);
	assert_true(s.end_ms == INT64_MAX && s.leaves_ms == INT64_MAX);
}

static void
the_ends_of_time_have_windows(void **state)
{
	struct window_rule r = { .length_ms = DAY_MS, .anchor_ms = 1 };
	struct window_span s;
	struct zone *z;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(names); i++) {
		r.zone = z = zone(names[i]);
		for (r.period = 0; r.period < WINDOW_NPERIODS; r.period++) {
			of(&r, ZONE_MAX_MS, &s);
			assert_true(s.start_ms <= ZONE_MAX_MS);
			assert_true(s.end_ms > ZONE_MAX_MS);
			of(&r, ZONE_MIN_MS, &s);
			assert_true(s.start_ms <= ZONE_MIN_MS ||
			    r.period == WINDOW_TOTAL);
			assert_true(s.end_ms > ZONE_MIN_MS);
		}
		zone_free(z);
	}
}

static void
what_is_no_rule_has_no_window(void **state)
{
	static const struct window_rule cases[] = {
		{ .period = WINDOW_NPERIODS }, { .period = WINDOW_DAY },
		{ .period = WINDOW_WEEK }, { .period = WINDOW_MONTH },
		{ .period = WINDOW_FIXED }, { .period = WINDOW_ROLLING },
		{ .period = WINDOW_FIXED,
		    .length_ms = WINDOW_MIN_LENGTH_MS - 1 },
		{ .period = WINDOW_FIXED,
		    .length_ms = WINDOW_MAX_LENGTH_MS + 1 },
		{ .period = WINDOW_ROLLING, .length_ms = INT64_MIN },
		{ .period = WINDOW_ROLLING, .length_ms = INT64_MAX },
	};
	const struct window_rule total = { .period = WINDOW_TOTAL };
	struct window_span s;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_int_equal(window_of(&cases[i], 0, &s), -1);
	assert_int_equal(window_of(&total, ZONE_MAX_MS + 1, &s), -1);
	assert_int_equal(window_of(&total, ZONE_MIN_MS - 1, &s), -1);
	assert_int_equal(window_of(&total, INT64_MAX, &s), -1);
	assert_int_equal(window_of(&total, INT64_MIN, &s), -1);
}

static void
periods_have_names(void **state)
{
	enum window_period p;

	(void)state;
	for (p = 0; p < WINDOW_NPERIODS; p++)
		assert_int_equal(window_period(window_period_name(p)), p);
	assert_int_equal(window_period("rolling"), WINDOW_ROLLING);
	assert_int_equal(window_period("year"), WINDOW_NPERIODS);
	assert_int_equal(window_period(""), WINDOW_NPERIODS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_windows_tile_at_local_midnights),
		cmocka_unit_test(windows_tile_where_clocks_change),
		cmocka_unit_test(known_windows),
		cmocka_unit_test(fixed_windows_tile_from_their_anchor),
		cmocka_unit_test(rolling_windows_never_sum_too_little),
		cmocka_unit_test(all_time_is_one_window),
		cmocka_unit_test(the_ends_of_time_have_windows),
		cmocka_unit_test(what_is_no_rule_has_no_window),
		cmocka_unit_test(periods_have_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
