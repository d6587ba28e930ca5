#include "cmocka_all.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/zone.h"
#include "ledger/rollup.h"

#include "periods.h"

static struct zone *
zone(const char *name)
{
	struct err err = { 0 };
	struct zone *z = zone_new(name, &err);

	if (z == NULL)
		fail_msg("%s", err.text);
	return (z);
}

static int64_t
at(const char *text)
{
	int64_t ms;

	assert_int_equal(clock_parse_date(text, &ms), 0);
	return (ms);
}

static void
times_are_read_in_the_zone(void **state)
{
	static const struct {
		const char *zone, *text, *is;	/* NULL: refused */
	} cases[] = {
		{ "UTC", "2026", "2026-01-01T00:00:00Z" },
		{ "UTC", "2026-11", "2026-11-01T00:00:00Z" },
		{ "UTC", "2026-11-20", "2026-11-20T00:00:00Z" },
		{ "UTC", "2024-02-29", "2024-02-29T00:00:00Z" },
		{ "Europe/Berlin", "2026-11-20", "2026-11-19T23:00:00Z" },
		{ "Europe/Berlin", "2026-07", "2026-06-30T22:00:00Z" },
		{ "Asia/Kolkata", "2026-11-20", "2026-11-19T18:30:00Z" },
		{ "Europe/Berlin", "2026-11-20T01:02:03Z",
		    "2026-11-20T01:02:03Z" },
		{ "Europe/Berlin", "2d", "2026-11-18T12:00:00Z" },
		{ "UTC", "36h", "2026-11-19T00:00:00Z" },
		{ "UTC", "", NULL },
		{ "UTC", "20", NULL },
		{ "UTC", "26-11-20", NULL },
		{ "UTC", "2026-13", NULL },
		{ "UTC", "2026-00", NULL },
		{ "UTC", "2026-02-29", NULL },
		{ "UTC", "2026-04-31", NULL },
		{ "UTC", "2026-12-32", NULL },
		{ "UTC", "2026-11-", NULL },
		{ "UTC", "2026-11-2", NULL },
		{ "UTC", "1969", NULL },
		{ "UTC", "9999-12-31T23:59:59Z", NULL },
		{ "UTC", "-7d", NULL },
		{ "UTC", "99999999d", NULL },
		{ "UTC", "12", NULL },
		{ "UTC", "yesterday", NULL },
	};
	const int64_t now_ms = at("2026-11-20T12:00:00Z");
	struct err err;
	struct zone *z;
	int64_t ms;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err = (struct err) { 0 };
		z = zone(cases[i].zone);
		rc = period_time(cases[i].text, z, now_ms, &ms, &err);
		zone_free(z);
		if (rc != (cases[i].is == NULL ? -1 : 0) ||
		    (rc == 0 && ms != at(cases[i].is)))
			fail_msg("\"%s\" gives %d, %lld", cases[i].text, rc,
			    (long long)ms);
		if (rc != 0)
			assert_int_equal(err.code, ERR_INVAL);
	}
}

/* Hours of local time are hours of UTC but in some zones. */
static void
periods_begin_where_the_zone_says(void **state)
{
	static const struct {
		const char *zone;
		enum period period;
		const char *at, *start;
	} cases[] = {
		{ "UTC", PERIOD_HOUR, "2026-11-20T12:34:56Z",
		    "2026-11-20T12:00:00Z" },
		{ "UTC", PERIOD_DAY, "2026-11-20T12:34:56Z",
		    "2026-11-20T00:00:00Z" },
		{ "UTC", PERIOD_WEEK, "2026-11-20T12:34:56Z",
		    "2026-11-16T00:00:00Z" },
		{ "UTC", PERIOD_MONTH, "2026-11-20T12:34:56Z",
		    "2026-11-01T00:00:00Z" },
		{ "UTC", PERIOD_YEAR, "2026-11-20T12:34:56Z",
		    "2026-01-01T00:00:00Z" },
		{ "UTC", PERIOD_TOTAL, "2026-11-20T12:34:56Z",
		    "1970-01-01T00:00:00Z" },
		{ "Europe/Berlin", PERIOD_MONTH, "2026-11-20T12:34:56Z",
		    "2026-10-31T23:00:00Z" },
		{ "Europe/Berlin", PERIOD_YEAR, "2026-06-20T12:34:56Z",
		    "2025-12-31T23:00:00Z" },
		/* It is the first of January there already. */
		{ "Pacific/Auckland", PERIOD_YEAR, "2026-12-31T12:34:56Z",
		    "2026-12-31T11:00:00Z" },
		{ "Asia/Kolkata", PERIOD_HOUR, "2026-11-20T12:34:56Z",
		    "2026-11-20T12:30:00Z" },
	};
	struct zone *z;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		z = zone(cases[i].zone);
		if (period_start(cases[i].period, z, at(cases[i].at)) !=
		    at(cases[i].start))
			fail_msg("case %zu", i);
		zone_free(z);
	}
}

static struct periods
make(const char *zone_name, enum period period, const char *from,
    const char *to)
{
	struct range range = { at(from), at(to) };
	struct zone *z = zone(zone_name);
	struct err err = { 0 };
	struct periods p;

	if (periods_make(&p, period, z, &range, &err))
		fail_msg("%s", err.text);
	zone_free(z);
	return (p);
}

static void
whole_days_are_taken_from_days(void **state)
{
	struct periods p;

	(void)state;
	p = make("UTC", PERIOD_MONTH, "2026-10-01T00:00:00Z",
	    "2026-12-01T00:00:00Z");
	assert_int_equal(p.n, 2);
	assert_int_equal(p.ndays, 1);		/* they adjoin */
	assert_int_equal(p.nhours, 0);
	assert_true(p.days[0].to_ms - p.days[0].from_ms == 61 *
	    ROLLUP_DAY_MS);
	assert_false(p.rounded);
	assert_true(periods_start(&p, at("2026-11-01T00:00:00Z") - 1) ==
	    at("2026-10-01T00:00:00Z"));
	assert_true(periods_start(&p, at("2026-11-01T00:00:00Z")) ==
	    at("2026-11-01T00:00:00Z"));
	periods_free(&p);

	/* A month there begins and ends with an hour of UTC. */
	p = make("Europe/Berlin", PERIOD_MONTH, "2026-10-31T23:00:00Z",
	    "2026-11-30T23:00:00Z");
	assert_int_equal(p.n, 1);
	assert_int_equal(p.ndays, 1);
	assert_true(p.days[0].from_ms == at("2026-11-01T00:00:00Z"));
	assert_true(p.days[0].to_ms == at("2026-11-30T00:00:00Z"));
	assert_int_equal(p.nhours, 2);
	assert_true(p.hours[0].from_ms == at("2026-10-31T23:00:00Z"));
	assert_true(p.hours[1].to_ms == at("2026-11-30T23:00:00Z"));
	periods_free(&p);

	/* Days there are hours of UTC, all in one. */
	p = make("America/New_York", PERIOD_DAY, "2026-11-01T04:00:00Z",
	    "2026-11-04T05:00:00Z");
	assert_int_equal(p.n, 3);
	assert_true(p.starts[1] - p.starts[0] == 25 * ROLLUP_HOUR_MS);
	assert_int_equal(p.ndays, 0);
	assert_int_equal(p.nhours, 1);
	periods_free(&p);
}

static void
parts_of_hours_are_rounded_and_said(void **state)
{
	struct periods p;

	(void)state;
	p = make("Asia/Kolkata", PERIOD_DAY, "2026-11-19T18:30:00Z",
	    "2026-11-21T18:30:00Z");
	assert_true(p.rounded);
	assert_int_equal(p.n, 2);
	assert_true(p.starts[0] == at("2026-11-19T18:00:00Z"));
	assert_true(p.starts[1] == at("2026-11-20T18:00:00Z"));
	assert_true(p.starts[2] == at("2026-11-21T19:00:00Z"));
	periods_free(&p);
}

static void
senseless_ranges_are_refused(void **state)
{
	const struct range cases[] = {
		{ 5, 5 }, { 6, 5 }, { -1, 5 },
		{ 0, (PERIODS_MAX + 1) * ROLLUP_HOUR_MS },
	};
	struct zone *z = zone("UTC");
	struct err err;
	struct periods p;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err = (struct err) { 0 };
		assert_int_equal(periods_make(&p, PERIOD_HOUR, z, &cases[i],
		    &err), -1);
		assert_int_equal(err.code, ERR_INVAL);
	}
	zone_free(z);
	assert_int_equal(period_of("fortnight"), PERIOD_COUNT);
	assert_int_equal(period_of("week"), PERIOD_WEEK);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_in_the_zone),
		cmocka_unit_test(periods_begin_where_the_zone_says),
		cmocka_unit_test(whole_days_are_taken_from_days),
		cmocka_unit_test(parts_of_hours_are_rounded_and_said),
		cmocka_unit_test(senseless_ranges_are_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
