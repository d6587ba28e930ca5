#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cron.h"
#include "base/err.h"
#include "base/zone.h"

#define MINUTE_MS	INT64_C(60000)

static struct cron
parse(const char *text)
{
	struct err err = { 0 };
	struct cron c;

	if (cron_parse(text, &c, &err))
		fail_msg("%s: %s", text, err.text);
	return (c);
}

static struct zone *
zone(const char *name)
{
	struct err err = { 0 };
	struct zone *z = zone_new(name, &err);

	if (z == NULL)
		fail_msg("%s: %s", name, err.text);
	return (z);
}

static void
what_is_no_schedule_is_refused(void **state)
{
	static const char *const cases[] = {
		"", " ", "* * * *", "* * * * * *", "60 * * * *",
		"* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *",
		"* * * 13 *", "* * * * 8", "-1 * * * *", "1- * * * *",
		"5-1 * * * *", "1,,2 * * * *", ",1 * * * *", "1, * * * *",
		"*/0 * * * *", "*/x * * * *", "1/2 * * * *", "a * * * *",
		"* * * january *", "* * * * sunday", "1.5 * * * *",
		"@never", "@reboot", "@every", "@every 0", "@every 999ms",
		"@every 367d", "@every -1s", "OFF", "off ", "0 0 31 2 *",
		"0 0 30 2 *", "0 0 31 4,6 *", "99999999999999 * * * *",
		"* * * * * ; rm", "\n* * * * *",
	};
	struct err err;
	struct cron c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = (struct err) { 0 };
		if (cron_parse(cases[i], &c, &err) != -1 ||
		    err.code != ERR_INVAL || err.text[0] == '\0')
			fail_msg("\"%s\" is taken", cases[i]);
	}
}

static void
the_next_time_is_as_the_fields_say(void **state)
{
	static const struct {
		const char *text, *after, *next;
	} cases[] = {
		{ "* * * * *", "2026-11-20T10:00:00Z",
		    "2026-11-20T10:01:00.000Z" },
		{ "* * * * *", "2026-11-20T10:00:59.999Z",
		    "2026-11-20T10:01:00.000Z" },
		{ "*/15 * * * *", "2026-11-20T10:46:00Z",
		    "2026-11-20T11:00:00.000Z" },
		{ "5-59/20 * * * *", "2026-11-20T10:25:00Z",
		    "2026-11-20T10:45:00.000Z" },
		{ "30 2 * * *", "2026-11-20T02:29:59Z",
		    "2026-11-20T02:30:00.000Z" },
		{ "30 2 * * *", "2026-11-20T02:30:00Z",
		    "2026-11-21T02:30:00.000Z" },
		{ "59 23 31 dec *", "2026-11-20T10:00:00Z",
		    "2026-12-31T23:59:00.000Z" },
		{ "0 0 29 2 *", "2096-03-01T00:00:00Z",
		    "2104-02-29T00:00:00.000Z" },
		{ "* * 29 feb *", "2097-01-01T00:00:00Z",
		    "2104-02-29T00:00:00.000Z" },
		{ "0 9 * * mon-fri", "2026-11-20T10:00:00Z",
		    "2026-11-23T09:00:00.000Z" },
		{ "0 9 * * Sat-Sun", "2026-11-21T10:00:00Z",
		    "2026-11-22T09:00:00.000Z" },
		{ "0 9 * * 7", "2026-11-20T10:00:00Z",
		    "2026-11-22T09:00:00.000Z" },
		{ "0 9 * * 0", "2026-11-20T10:00:00Z",
		    "2026-11-22T09:00:00.000Z" },
		/* either of both days */
		{ "0 0 13 * fri", "2026-11-20T10:00:00Z",
		    "2026-11-27T00:00:00.000Z" },
		{ "0 0 25 * fri", "2026-11-20T10:00:00Z",
		    "2026-11-25T00:00:00.000Z" },
		/* both, where one is a star, also one with a step */
		{ "0 0 */10 * tue", "2026-11-20T10:00:00Z",
		    "2026-12-01T00:00:00.000Z" },
		{ " 0\t1  1,15 * * ", "2026-11-20T10:00:00Z",
		    "2026-12-01T01:00:00.000Z" },
		{ "@hourly", "2026-11-20T10:00:00Z",
		    "2026-11-20T11:00:00.000Z" },
		{ "@daily", "2026-11-20T10:00:00Z",
		    "2026-11-21T00:00:00.000Z" },
		{ "@midnight", "2026-11-20T10:00:00Z",
		    "2026-11-21T00:00:00.000Z" },
		{ "@weekly", "2026-11-20T10:00:00Z",
		    "2026-11-22T00:00:00.000Z" },
		{ "@monthly", "2026-11-20T10:00:00Z",
		    "2026-12-01T00:00:00.000Z" },
		{ "@yearly", "2026-11-20T10:00:00Z",
		    "2027-01-01T00:00:00.000Z" },
		{ "@annually", "2026-11-20T10:00:00Z",
		    "2027-01-01T00:00:00.000Z" },
		{ "@every 2s", "2026-11-20T10:00:00.001Z",
		    "2026-11-20T10:00:02.000Z" },
		{ "@every 2s", "2026-11-20T10:00:02Z",
		    "2026-11-20T10:00:04.000Z" },
		{ "@every 1d", "2026-11-20T10:00:00Z",
		    "2026-11-21T00:00:00.000Z" },
	};
	char found[CLOCK_RFC3339_SIZE];
	struct cron c;
	int64_t after;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c = parse(cases[i].text);
		assert_int_equal(clock_parse_date(cases[i].after, &after), 0);
		clock_rfc3339(cron_next(&c, NULL, after), found);
		if (strcmp(found, cases[i].next) != 0)
			fail_msg("%s after %s: %s", cases[i].text,
			    cases[i].after, found);
	}
	c = parse("off");
	assert_int_equal(cron_next(&c, NULL, 0), INT64_MAX);
}

/* In Berlin clocks go from 2:00 to 3:00 on 2026-03-29, and from 3:00 to 2:00 on
 * 2026-10-25; both are at 01:00 UTC. */
static void
where_clocks_change_certain_hours_come_once(void **state)
{
	static const struct {
		const char *text, *after, *next[4];
	} cases[] = {
		{ "30 2 * * *", "2026-03-28T12:00:00Z",
		    { "2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z" }
		    },
		{ "*/20 2 * * *", "2026-03-28T12:00:00Z",
		    { "2026-03-29T01:00:00.000Z", "2026-03-30T00:00:00.000Z",
		    "2026-03-30T00:20:00.000Z" } },
		/* what is skipped, and what it is skipped to, are one */
		{ "0 2,3 * * *", "2026-03-28T12:00:00Z",
		    { "2026-03-29T01:00:00.000Z", "2026-03-30T00:00:00.000Z" }
		    },
		{ "30 2 * * *", "2026-10-24T12:00:00Z",
		    { "2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z" }
		    },
		{ "0 3 * * *", "2026-10-24T12:00:00Z",
		    { "2026-10-25T02:00:00.000Z", "2026-10-26T02:00:00.000Z" }
		    },
		/* every hour is every hour */
		{ "30 * * * *", "2026-03-29T00:00:00Z",
		    { "2026-03-29T00:30:00.000Z", "2026-03-29T01:30:00.000Z" }
		    },
		{ "30 * * * *", "2026-10-24T23:45:00Z",
		    { "2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z",
		    "2026-10-25T02:30:00.000Z" } },
		{ "0 0 * * *", "2026-10-24T12:00:00Z",
		    { "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z" }
		    },
	};
	struct zone *z = zone("Europe/Berlin");
	char found[CLOCK_RFC3339_SIZE];
	struct cron c;
	int64_t t;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c = parse(cases[i].text);
		assert_int_equal(clock_parse_date(cases[i].after, &t), 0);
		for (k = 0; k < 4 && cases[i].next[k] != NULL; k++) {
			t = cron_next(&c, z, t);
			clock_rfc3339(t, found);
			if (strcmp(found, cases[i].next[k]) != 0)
				fail_msg("%s, %zu: %s", cases[i].text, k,
				    found);
		}
	}
	zone_free(z);
}

/* ---- against the C library ---- */

static uint64_t seed = 20261120;

static int
dice(int n)
{

	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((int)(seed >> 33) % n);
}

/* Some field; *${set} is what it means, worked out apart. */
static void
random_field(char *out, size_t size, int min, int max, uint64_t *set)
{
	int a = min + dice(max - min + 1), b = min + dice(max - min + 1), i;
	int step = 1 + dice(max);

	*set = 0;
	switch (dice(5)) {
	case 0:
		(void)snprintf(out, size, "%d", a);
		*set = UINT64_C(1) << a;
		return;
	case 1:
		(void)snprintf(out, size, "%d,%d", a, b);
		*set = UINT64_C(1) << a | UINT64_C(1) << b;
		return;
	case 2:
		if (a > b)
			i = a, a = b, b = i;
		(void)snprintf(out, size, "%d-%d/%d", a, b, step);
		for (i = a; i <= b; i += step)
			*set |= UINT64_C(1) << i;
		return;
	default:
		(void)snprintf(out, size, "*");
		for (i = min; i <= max; i++)
			*set |= UINT64_C(1) << i;
	}
}

struct oracle {
	char text[CRON_LENGTH_MAX];
	uint64_t sets[5];
	bool stars[2];		/* days, weekdays */
};

static void
oracle_make(struct oracle *o)
{
	static const int bounds[5][2] = {
		{ 0, 59 }, { 0, 23 }, { 1, 28 }, { 1, 12 }, { 0, 6 }
	};
	char f[5][24];
	int i;

	for (i = 0; i < 5; i++)
		random_field(f[i], sizeof(f[i]), bounds[i][0], bounds[i][1],
		    &o->sets[i]);
	o->stars[0] = f[2][0] == '*';
	o->stars[1] = f[4][0] == '*';
	if (o->stars[0])
		o->sets[2] = UINT64_C(0xfffffffe);
	(void)snprintf(o->text, sizeof(o->text), "%s %s %s %s %s", f[0], f[1],
	    f[2], f[3], f[4]);
}

static bool
oracle_fits(const struct oracle *o, const struct tm *tm)
{
	bool day = o->sets[2] >> tm->tm_mday & 1;
	bool weekday = o->sets[4] >> tm->tm_wday & 1;

	return ((o->sets[0] >> tm->tm_min & 1) &&
	    (o->sets[1] >> tm->tm_hour & 1) &&
	    (o->sets[3] >> (tm->tm_mon + 1) & 1) &&
	    (o->stars[0] || o->stars[1] ? day && weekday : day || weekday));
}

/* Minutes of local time since 1970, as clocks show them. */
static int64_t
shown(int64_t minute, struct tm *tm)
{
	time_t t = (time_t)(minute * 60);

	assert_non_null(localtime_r(&t, tm));
	return (minute + tm->tm_gmtoff / 60);
}

/*
 * Minute by minute.  Certain hours: due is what clocks show for the first
 * time, with all that they skip as they get there.
 */
static int64_t
oracle_next(const struct oracle *o, int64_t after, int64_t until)
{
	bool every_hour = o->sets[1] == 0xffffff;
	int64_t high = INT64_MIN, m, at;
	struct tm tm;
	time_t t;

	for (m = after - 36 * 60; m <= until; m++) {
		at = shown(m, &tm);
		if (every_hour) {
			if (m > after && oracle_fits(o, &tm))
				return (m);
			continue;
		}
		for (high = high == INT64_MIN ? at - 1 : high; high < at;) {
			high++;
			t = (time_t)(high * 60);
			assert_non_null(gmtime_r(&t, &tm));
			if (m > after && oracle_fits(o, &tm))
				return (m);
		}
	}
	return (-1);
}

static void
it_agrees_with_the_c_library(void **state)
{
	static const char *const names[] = {
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
		"America/St_Johns", "Africa/Casablanca", "Asia/Kathmandu",
		"Pacific/Apia", "America/Santiago", "Africa/Cairo", "UTC"
	};
	/* days before a change in one of them, and any day */
	static const char *const days[] = {
		"2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31",
		"2026-04-04", "2026-10-03", "2011-12-29", "2026-02-13",
		"2026-09-05", "2026-04-23", "2026-02-27", "2028-02-28"
	};
	const int64_t window = INT64_C(3) * 24 * 60;
	char start[32];
	struct oracle o;
	struct cron c;
	struct zone *z;
	int64_t ms, after, expected, found;
	int i, hits = 0;

	(void)state;
	for (i = 0; i < 6000; i++) {
		const char *name = names[dice(sizeof(names) /
		    sizeof(names[0]))];

		(void)snprintf(start, sizeof(start), "%sT00:00:00Z",
		    days[dice(sizeof(days) / sizeof(days[0]))]);
		assert_int_equal(clock_parse_date(start, &ms), 0);
		after = ms / MINUTE_MS + dice(36 * 60);
		assert_int_equal(setenv("TZ", name, 1), 0);
		tzset();
		oracle_make(&o);
		c = parse(o.text);
		z = zone(name);
		expected = oracle_next(&o, after, after + window);
		found = cron_next(&c, z, after * MINUTE_MS + dice(60000));
		if (expected != -1 ? found != expected * MINUTE_MS :
		    found <= (after + window) * MINUTE_MS)
			fail_msg("%s in %s after minute %lld: %lld, not "
			    "%lld", o.text, name, (long long)after,
			    (long long)(found / MINUTE_MS),
			    (long long)expected);
		hits += expected != -1;
		zone_free(z);
	}
	assert_true(hits > 1500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_schedule_is_refused),
		cmocka_unit_test(the_next_time_is_as_the_fields_say),
		cmocka_unit_test(where_clocks_change_certain_hours_come_once),
		cmocka_unit_test(it_agrees_with_the_c_library),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
