#include "cmocka_all.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/zone.h"

/* What glibc says of the zone in $TZ. */
static int64_t
oracle_offset_ms(int64_t utc_ms)
{
	time_t t = utc_ms / 1000 - (utc_ms % 1000 < 0);
	struct tm tm;

	assert_non_null(localtime_r(&t, &tm));
	return ((int64_t)tm.tm_gmtoff * 1000);
}

static void
oracle_zone(const char *name)
{

	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

static struct zone *
zone(const char *name)
{
	struct err err;
	struct zone *z;

	err_clear(&err);
	if ((z = zone_new(name, &err)) == NULL)
		fail_msg("%s: %s", name, err.text);
	return (z);
}

static void
only_names_of_zones_are_names(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
		{ "UTC", true }, { "Europe/Berlin", true },
		{ "America/Argentina/ComodRivadavia", true },
		{ "Etc/GMT+5", true }, { "America/Port-au-Prince", true },
		{ "Asia/Ust-Nera", true }, { "Australia/Lord_Howe", true },
		{ "", false }, { "/etc/passwd", false },
		{ "../passwd", false }, { "Europe/../UTC", false },
		{ "Europe//Berlin", false }, { "Europe/", false },
		{ "/Europe", false }, { "Europe/Ber lin", false },
		{ "Europe/Berlin\n", false }, { "localtime", false },
		{ "posixrules", false }, { "right/UTC", false },
		{ "tzdata.zi", false }, { "CET-1CEST", true },
		{ "Europe/M\xc3\xbcnchen", false }, { ":UTC", false },
		{ "A234567890123456789012345678901234567890123456789012345678"
		    "90123", true },
		{ "A234567890123456789012345678901234567890123456789012345678"
		    "901234", false },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (zone_name_ok(cases[i].name) != cases[i].ok)
			fail_msg("\"%s\"", cases[i].name);
		err_clear(&err);
		if (!cases[i].ok)
			assert_null(zone_new(cases[i].name, &err));
		assert_true(cases[i].ok || err.code == ERR_INVAL);
	}
}

static void
what_is_no_zone_is_refused(void **state)
{
	struct err err;

	(void)state;
	err_clear(&err);
	assert_null(zone_new("Europe/Atlantis", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "Europe/Atlantis"));
	err_clear(&err);
	assert_null(zone_new("Europe", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void
utc_needs_no_file(void **state)
{
	char text[ZONE_RFC3339_SIZE];
	struct zone *z;

	(void)state;
	assert_int_equal(setenv("TZDIR", "/nowhere", 1), 0);
	z = zone("UTC");
	assert_int_equal(unsetenv("TZDIR"), 0);
	assert_string_equal(zone_name(z), "UTC");
	assert_int_equal(zone_offset_ms(z, 0), 0);
	assert_int_equal(zone_first_ms(z, 12345), 12345);
	assert_int_equal(zone_day(z, -1), -1);
	assert_int_equal(zone_day_start_ms(z, 20000), 20000 * ZONE_DAY_MS);
	zone_rfc3339(z, INT64_C(1793491200999), text);
	assert_string_equal(text, "2026-11-01T00:00:00+00:00");
	zone_free(z);
	zone_free(NULL);
}

/* ---- every zone of this machine, against glibc ---- */

static int zones_seen;

static void
check_around(const struct zone *z, int64_t utc_ms)
{
	static const int64_t steps[] = { -1000, -1, 0, 1, 999, 1000 };
	size_t i;

	for (i = 0; i < NITEMS(steps); i++) {
		if (zone_offset_ms(z, utc_ms + steps[i]) !=
		    oracle_offset_ms(utc_ms + steps[i]))
			fail_msg("%s at %lld: %lld, not %lld", zone_name(z),
			    (long long)(utc_ms + steps[i]), (long long)
			    zone_offset_ms(z, utc_ms + steps[i]), (long long)
			    oracle_offset_ms(utc_ms + steps[i]));
	}
}

/* Where the offset changes between two times, found by halving. */
static void
check_change(const struct zone *z, int64_t lo, int64_t hi)
{
	int64_t mid, offset = oracle_offset_ms(lo);

	while (hi - lo > 1000) {
		mid = lo + (hi - lo) / 2000 * 1000;
		if (oracle_offset_ms(mid) == offset)
			lo = mid;
		else
			hi = mid;
	}
	check_around(z, hi);
}

/* 1905 to 2110, and two hundred years that are far. */
static void
check_zone(const char *name)
{
	const int64_t step = 19 * ZONE_DAY_MS, hour = 3600000;
	struct zone *z = zone(name);
	int64_t t, from = INT64_C(-2051222400000), far;

	oracle_zone(name);
	for (t = from; t < INT64_C(4417977600000); t += step) {
		assert_int_equal(zone_offset_ms(z, t), oracle_offset_ms(t));
		if (oracle_offset_ms(t) != oracle_offset_ms(t + step))
			check_change(z, t, t + step);
	}
	for (t = 0; t < 200; t++) {
		far = INT64_C(4417977600000) + t * (20 * 365 * 24 + 17) * hour;
		check_around(z, far);
	}
	zone_free(z);
	zones_seen++;
}

static int
check_file(const char *path, const struct stat *st, int type)
{
	const char *name = path + strlen("/usr/share/zoneinfo/");

	(void)st;
	if (type == FTW_F && zone_name_ok(name) && strncmp(name, "SystemV/",
	    8) != 0)
		check_zone(name);
	return (0);
}

static void
every_zone_is_as_the_c_library_has_it(void **state)
{

	(void)state;
	if (ftw("/usr/share/zoneinfo", check_file, 16) != 0)
		skip();
	assert_true(zones_seen > 300);
}

/* ---- times that do not exist, or exist twice ---- */

static int64_t
at(const char *rfc3339)
{
	int64_t ms;

	assert_int_equal(clock_parse_date(rfc3339, &ms), 0);
	return (ms);
}

static void
local_times_are_found(void **state)
{
	static const struct {
		const char *zone, *local;	/* as if it were UTC */
		const char *first;
	} cases[] = {
		{ "Europe/Berlin", "2026-07-01T00:00:00Z",
		    "2026-07-01T00:00:00+02:00" },
		/* skipped, twice */
		{ "Europe/Berlin", "2026-03-29T02:30:00Z",
		    "2026-03-29T03:00:00+02:00" },
		{ "Europe/Berlin", "2026-10-25T02:30:00Z",
		    "2026-10-25T02:30:00+02:00" },
		/* midnight that is skipped: clocks go from 24:00 to 01:00 */
		{ "America/Santiago", "2026-09-06T00:00:00Z",
		    "2026-09-06T01:00:00-03:00" },
		{ "Asia/Beirut", "2026-03-29T00:00:00Z",
		    "2026-03-29T01:00:00+03:00" },
		{ "Africa/Cairo", "2026-04-24T00:00:00Z",
		    "2026-04-24T01:00:00+03:00" },
		/* ... to 23:00 of the day that ends: midnight comes once */
		{ "America/Santiago", "2026-04-05T00:00:00Z",
		    "2026-04-05T00:00:00-04:00" },
		{ "America/Santiago", "2026-04-04T23:30:00Z",
		    "2026-04-04T23:30:00-03:00" },
		/* ... twice: clocks went from 00:01 to 23:01 */
		{ "America/St_Johns", "2006-10-29T00:00:00Z",
		    "2006-10-29T00:00:00-02:30" },
		{ "America/Havana", "2026-11-01T00:00:00Z",
		    "2026-11-01T00:00:00-04:00" },
		{ "Australia/Lord_Howe", "2026-10-04T02:15:00Z",
		    "2026-10-04T02:30:00+11:00" },
		/* a day that never was */
		{ "Pacific/Apia", "2011-12-30T00:00:00Z",
		    "2011-12-31T00:00:00+14:00" },
		{ "Pacific/Apia", "2011-12-31T00:00:00Z",
		    "2011-12-31T00:00:00+14:00" },
		{ "Pacific/Apia", "2011-12-29T00:00:00Z",
		    "2011-12-29T00:00:00-10:00" },
		{ "Asia/Kathmandu", "2100-02-28T00:00:00Z",
		    "2100-02-28T00:00:00+05:45" },
		{ "America/New_York", "2400-07-04T00:00:00Z",
		    "2400-07-04T00:00:00-04:00" },
	};
	char text[ZONE_RFC3339_SIZE];
	struct zone *z;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		z = zone(cases[i].zone);
		zone_rfc3339(z, zone_first_ms(z, at(cases[i].local)), text);
		if (strcmp(text, cases[i].first) != 0)
			fail_msg("%s %s: %s", cases[i].zone, cases[i].local,
			    text);
		assert_int_equal(at(text), zone_first_ms(z,
		    at(cases[i].local)));
		zone_free(z);
	}
}

static void
a_day_that_comes_again_for_an_hour_is_over(void **state)
{
	struct zone *z;
	int64_t day;

	(void)state;
	z = zone("America/St_Johns");
	day = clock_days(2006, 10, 29);
	assert_int_equal(zone_day(z, at("2006-10-29T02:29:59Z")), day - 1);
	assert_int_equal(zone_day(z, at("2006-10-29T02:30:00Z")), day);
	/* clocks show 23:01 of the day before */
	assert_int_equal(zone_offset_ms(z, at("2006-10-29T02:31:00Z")),
	    -12600000);
	assert_int_equal(zone_day(z, at("2006-10-29T02:31:00Z")), day);
	assert_int_equal(zone_day(z, at("2006-10-29T03:30:00Z")), day);
	zone_free(z);
}

static void
a_skipped_day_holds_nothing(void **state)
{
	struct zone *z = zone("Pacific/Apia");
	int64_t day = clock_days(2011, 12, 30);

	(void)state;
	assert_int_equal(zone_day_start_ms(z, day),
	    zone_day_start_ms(z, day + 1));
	assert_int_equal(zone_day(z, zone_day_start_ms(z, day) - 1), day - 1);
	assert_int_equal(zone_day(z, zone_day_start_ms(z, day)), day + 1);
	zone_free(z);
}

/* ---- files ---- */

static size_t
corpus(const char *name, unsigned char *data, size_t size)
{
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", CORPUS_DIR, name);
	assert_non_null(f = fopen(path, "rb"));
	n = fread(data, 1, size, f);
	assert_int_equal(fclose(f), 0);
	return (n);
}

static void
slim_and_fat_files_say_the_same(void **state)
{
	static const struct {
		const char *file, *name;
	} cases[] = {
		{ "slim-berlin", "Europe/Berlin" },
		{ "slim-casablanca", "Africa/Casablanca" },
		{ "slim-kathmandu", "Asia/Kathmandu" },
		{ "slim-troll", "Antarctica/Troll" },
		{ "slim-nuuk", "America/Nuuk" },
	};
	unsigned char data[8192];
	struct zone *a, *b;
	size_t i, n;
	int64_t t;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		n = corpus(cases[i].file, data, sizeof(data));
		assert_non_null(a = zone_parse("Slim", data, n, NULL));
		b = zone(cases[i].name);
		/* What changed lately may differ between databases. */
		for (t = 0; t < INT64_C(1700000000000); t += 10007000)
			assert_int_equal(zone_offset_ms(a, t),
			    zone_offset_ms(b, t));
		zone_free(a);
		zone_free(b);
	}
}

static void
damaged_files_are_refused(void **state)
{
	static const struct {
		const char *file;
		enum err_code code;
		const char *text;
	} cases[] = {
		{ "empty", ERR_PROTO, "not a TZif" },
		{ "cut-header", ERR_PROTO, "not a TZif" },
		{ "cut-footer", ERR_PROTO, "rule" },
		{ "right-utc", ERR_PROTO, "leap seconds" },
		{ "huge-counts", ERR_PROTO, "" },
		{ "no-types", ERR_PROTO, "damaged" },
		{ "v1-unordered", ERR_PROTO, "damaged" },
		{ "v1-type-beyond", ERR_PROTO, "damaged" },
		{ "offset-beyond", ERR_PROTO, "damaged" },
		{ "rule-huge", ERR_PROTO, "rule" },
		{ "rule-no-dates", ERR_PROTO, "rule" },
		{ "no-rule", ERR_NONE, "" },
		{ "rule-all-year", ERR_NONE, "" },
		{ "rule-overlap", ERR_NONE, "" },
		{ "v1", ERR_NONE, "" },
		{ "v4-far", ERR_NONE, "" },
		{ "v4-nearly-far", ERR_NONE, "" },
	};
	unsigned char data[8192];
	struct zone *z;
	struct err err;
	size_t i, n;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		n = corpus(cases[i].file, data, sizeof(data));
		err_clear(&err);
		z = zone_parse("Some/Where", data, n, &err);
		if (err.code != cases[i].code || (z != NULL) !=
		    (cases[i].code == ERR_NONE) ||
		    strstr(err.text, cases[i].text) == NULL)
			fail_msg("%s: %s", cases[i].file, err.text);
		if (z == NULL)
			continue;
		/* However far away the next change is. */
		assert_int_equal(zone_day(z, zone_first_ms(z,
		    at("2030-03-01T12:00:00Z"))),
		    at("2030-03-01T00:00:00Z") / ZONE_DAY_MS);
		zone_free(z);
	}
}

static void
no_part_of_a_file_is_taken_for_a_whole(void **state)
{
	unsigned char data[8192];
	struct zone *z;
	size_t n, cut;

	(void)state;
	n = corpus("slim-berlin", data, sizeof(data));
	for (cut = 0; cut < n; cut++) {
		z = zone_parse("Cut", data, cut, NULL);
		assert_null(z);
	}
	assert_non_null(z = zone_parse("Whole", data, n, NULL));
	zone_free(z);
}

static void
summer_time_all_year_has_no_gap(void **state)
{
	unsigned char data[8192];
	struct zone *z;
	size_t n;
	int64_t t;

	(void)state;
	n = corpus("rule-all-year", data, sizeof(data));
	assert_non_null(z = zone_parse("Some/Where", data, n, NULL));
	for (t = at("2030-01-01T00:00:00Z"); t < at("2033-01-01T00:00:00Z");
	    t += 3599000)
		assert_int_equal(zone_offset_ms(z, t), -4 * 3600000);
	zone_free(z);
}

static void
a_lack_of_memory_is_told(void **state)
{
	struct zone *z;
	struct err err;
	int n, failed = 1;

	(void)state;
	for (n = 0; failed; n++) {
		err_clear(&err);
		alloc_fail_after(n);
		z = zone_new("Europe/Berlin", &err);
		failed = alloc_fail_stop();
		assert_int_equal(err.code, failed ? ERR_NOMEM : ERR_NONE);
		assert_true((z == NULL) == (failed != 0));
		zone_free(z);
	}
	assert_true(n > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_names_of_zones_are_names),
		cmocka_unit_test(what_is_no_zone_is_refused),
		cmocka_unit_test(utc_needs_no_file),
		cmocka_unit_test(every_zone_is_as_the_c_library_has_it),
		cmocka_unit_test(local_times_are_found),
		cmocka_unit_test(a_day_that_comes_again_for_an_hour_is_over),
		cmocka_unit_test(a_skipped_day_holds_nothing),
		cmocka_unit_test(slim_and_fat_files_say_the_same),
		cmocka_unit_test(damaged_files_are_refused),
		cmocka_unit_test(no_part_of_a_file_is_taken_for_a_whole),
		cmocka_unit_test(summer_time_all_year_has_no_gap),
		cmocka_unit_test(a_lack_of_memory_is_told),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
