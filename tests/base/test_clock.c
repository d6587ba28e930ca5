#include "cmocka_all.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"

static void
times_are_written_as_rfc3339(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 999, "1970-01-01T00:00:00.999Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
		{ INT64_C(1795159758123), "2026-11-20T07:29:18.123Z" },
		{ INT64_C(4102444800000), "2100-01-01T00:00:00.000Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	char out[CLOCK_RFC3339_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		clock_rfc3339(cases[i].ms, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void
dates_of_both_forms_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000) },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-20T07:29:18Z", INT64_C(1795159758000) },
		{ "2026-11-20T07:29:18.123Z", INT64_C(1795159758123) },
		{ "2026-11-20t07:29:18.1z", INT64_C(1795159758100) },
		{ "2026-11-20T07:29:18.123999Z", INT64_C(1795159758123) },
		{ "2026-11-20T15:29:18.123+08:00", INT64_C(1795159758123) },
		{ "2026-11-20T02:59:18.123-04:30", INT64_C(1795159758123) },
		{ "2000-02-29T00:00:00Z", INT64_C(951782400000) },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228799000) },
	};
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		ms = -1;
		assert_int_equal(clock_parse_date(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void
what_is_no_date_is_refused(void **state)
{
	static const char *cases[] = {
		"", "30", "soon", "Sun", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Xyz, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"2026-11-20", "2026-11-20T07:29:18", "2026-11-20T07:29:18.Z",
		"2026-11-20T24:00:00Z", "2026-11-20T07:60:00Z",
		"2026-11-20T07:29:61Z", "2026-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-11-20T07:29:18+0800", "2026-11-20T07:29:18+24:00",
		"2026-11-20T07:29:18Zx", "20261120T072918Z", "1795159758",
	};
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (clock_parse_date(cases[i], &ms) == 0)
			fail_msg("accepted \"%s\"", cases[i]);
	}
}

/* Every prefix of a date is refused without reading beyond its end. */
static void
a_cut_date_is_refused(void **state)
{
	static const char *cases[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
		"2026-11-20T07:29:18.123+08:00" };
	char *cut;
	int64_t ms;
	size_t i, n;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		for (n = 0; n < strlen(cases[i]); n++) {
			cut = strndup(cases[i], n);
			assert_non_null(cut);
			assert_int_equal(clock_parse_date(cut, &ms), -1);
			free(cut);
		}
	}
}

static void
every_day_of_four_centuries_agrees_with_the_c_library(void **state)
{
	char out[CLOCK_RFC3339_SIZE], want[CLOCK_RFC3339_SIZE];
	int64_t day, ms;
	time_t seconds;
	struct tm tm;

	(void)state;
	for (day = -73000; day < 73000; day++) {
		seconds = (time_t)(day * 86400 + 3661);
		assert_non_null(gmtime_r(&seconds, &tm));
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		clock_rfc3339((int64_t)seconds * 1000, out);
		assert_string_equal(out, want);
		assert_int_equal(clock_parse_date(out, &ms), 0);
		assert_int_equal(ms, (int64_t)seconds * 1000);
	}
}

static void
the_fake_clock_stands_until_told(void **state)
{
	struct clock_fake f;

	(void)state;
	clock_fake_init(&f, 5000);
	assert_int_equal(clock_mono_ms(&f.clock), 1000);
	assert_int_equal(clock_wall_ms(&f.clock), 5000);
	clock_fake_advance(&f, 250);
	assert_int_equal(clock_mono_ms(&f.clock), 1250);
	assert_int_equal(clock_wall_ms(&f.clock), 5250);
	f.wall_ms = 10;
	assert_int_equal(clock_wall_ms(&f.clock), 10);
	assert_int_equal(clock_mono_ms(&f.clock), 1250);
}

static void
the_system_clock_runs(void **state)
{
	const struct clock *c = clock_system();
	int64_t before = clock_mono_ms(c);

	(void)state;
	assert_true(clock_mono_ms(c) >= before);
	assert_true(clock_wall_ms(c) / 1000 - (int64_t)time(NULL) <= 1);
}

static void
a_wait_lasts_as_long_as_it_was_told(void **state)
{
	const struct timespec soon = cond_in(20);
	struct timespec later;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;
	int64_t began_us = clock_mono_us(), us;
	int rc = 0;

	(void)state;
	assert_int_equal(cond_init(&cond), 0);
	(void)pthread_mutex_lock(&lock);
	while (rc == 0)
		rc = pthread_cond_timedwait(&cond, &lock, &soon);
	(void)pthread_mutex_unlock(&lock);
	(void)pthread_cond_destroy(&cond);
	assert_int_equal(rc, ETIMEDOUT);
	assert_true(clock_mono_us() - began_us >= 19000);

	began_us = clock_mono_us();
	later = cond_in(90999);
	assert_in_range(later.tv_nsec, 0, 999999999);
	us = (int64_t)later.tv_sec * 1000000 + later.tv_nsec / 1000;
	assert_true(us - began_us >= 90999000);
	assert_true(us - clock_mono_us() <= 90999000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_as_rfc3339),
		cmocka_unit_test(dates_of_both_forms_are_read),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_cut_date_is_refused),
		cmocka_unit_test(
		    every_day_of_four_centuries_agrees_with_the_c_library),
		cmocka_unit_test(the_fake_clock_stands_until_told),
		cmocka_unit_test(the_system_clock_runs),
		cmocka_unit_test(a_wait_lasts_as_long_as_it_was_told),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
