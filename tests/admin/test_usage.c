#include "desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/zone.h"
#include "ledger/id.h"
#include "ledger/rollup.h"

#include "usage.h"

/* 2026-11-01 00:00 UTC. */
#define NOVEMBER	INT64_C(1793491200000)
#define HOUR		ROLLUP_HOUR_MS
#define DAY		ROLLUP_DAY_MS

struct used {
	int64_t at_ms;
	int64_t key, account, group, person;
	const char *model;
	int64_t nusd;
};

static const struct used used[] = {
	{ NOVEMBER - HOUR, 1, 1, 1, 1, "opus", 1 },	/* 23:30 in October */
	{ NOVEMBER + HOUR, 1, 1, 1, 1, "opus", 10 },
	{ NOVEMBER + 2 * HOUR, 2, 2, 0, 1, "sonnet", 100 },
	{ NOVEMBER + 3 * DAY, 1, 2, 0, 1, "sonnet", 1000 },
	{ NOVEMBER + 3 * DAY, 3, 1, 1, 0, "opus", 10000 },
	{ NOVEMBER + 29 * DAY + 23 * HOUR, 1, 1, 1, 1, "opus", 100000 },
	{ NOVEMBER + 30 * DAY, 1, 1, 1, 1, "opus", 1000000 },
};

static int
setup(void **state)
{
	struct rollup_row row = { .outcome = "ok", .mark = USAGE_EXACT,
		.first_byte_ms = 10 };
	struct rollups u;
	struct desk *d;
	size_t i;

	if (desk_setup(state) != 0)
		return (-1);
	d = *state;
	desk_account(d, "one", 1);
	desk_account(d, "two", 1);
	desk_sql(d, "INSERT INTO account_group (id, name, created_ms) "
	    "VALUES (1, 'team', 1);"
	    "INSERT INTO person (id, name, created_ms) VALUES (1, 'ann', 1);"
	    "INSERT INTO api_key (id, name, visible, hash, created_ms) VALUES "
	    "(1, 'k1', 'v', x'01', 1), (2, 'k2', 'v', x'02', 1)");
	rollups_init(&u);
	for (i = 0; i < NITEMS(used); i++) {
		row.ledger_id = ledger_id_first(used[i].at_ms + HOUR / 2);
		row.key_id = used[i].key;
		row.account_id = used[i].account;
		row.group_id = used[i].group;
		row.person_id = used[i].person;
		row.model = used[i].model;
		row.nusd = used[i].nusd;
		desk_works(d, rollups_add(&u, &row, &d->err));
	}
	desk_works(d, store_begin(d->st, true, &d->err));
	desk_works(d, rollups_write(&u, d->st, &d->err));
	desk_works(d, store_commit(d->st, &d->err));
	rollups_fini(&u);
	return (0);
}

/* Rows as "start what ... cost", by comma. */
static const char *
rows_text(const json_t *report)
{
	static char out[2048];
	const json_t *row, *name;
	size_t i, by, n = 0;

	out[0] = '\0';
	json_array_foreach(json_object_get(report, "rows"), i, row) {
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s",
		    i > 0 ? ", " : "", json_string_value(json_object_get(row,
		    "start")));
		for (by = 0; by < USAGE_BY_COUNT; by++) {
			name = json_object_get(row, usage_by_name[by]);
			if (name != NULL)
				n += (size_t)snprintf(out + n,
				    sizeof(out) - n, " %s",
				    json_is_null(name) ? "-" :
				    json_string_value(name));
		}
		n += (size_t)snprintf(out + n, sizeof(out) - n, " %lld",
		    (long long)desk_int(row, "cost_nusd"));
	}
	return (out);
}

static void
reports_add_up(void **state)
{
	static const struct {
		const char *zone;
		enum period per;
		bool by[USAGE_BY_COUNT];
		const char *key, *user, *account, *group, *model;
		const char *rows;
		int64_t total;
	} cases[] = {
		{ "UTC", PERIOD_TOTAL, { false }, NULL, NULL, NULL, NULL, NULL,
		    "2026-11-01T00:00:00+00:00 111110", 111110 },
		/* A user's month by model: the question. */
		{ "UTC", PERIOD_MONTH, { [USAGE_BY_MODEL] = true }, NULL,
		    "ann", NULL, NULL, NULL,
		    "2026-11-01T00:00:00+00:00 opus 100010, "
		    "2026-11-01T00:00:00+00:00 sonnet 1100", 101110 },
		{ "UTC", PERIOD_DAY, { [USAGE_BY_USER] = true }, NULL, NULL,
		    NULL, NULL, NULL,
		    "2026-11-01T00:00:00+00:00 ann 110, "
		    "2026-11-04T00:00:00+00:00 - 10000, "
		    "2026-11-04T00:00:00+00:00 ann 1000, "
		    "2026-11-30T00:00:00+00:00 ann 100000", 111110 },
		{ "UTC", PERIOD_HOUR, { [USAGE_BY_KEY] = true }, NULL, NULL,
		    "two", NULL, NULL,
		    "2026-11-01T02:00:00+00:00 k2 100, "
		    "2026-11-04T00:00:00+00:00 k1 1000", 1100 },
		/* A key that is gone; a request without group. */
		{ "UTC", PERIOD_TOTAL, { [USAGE_BY_KEY] = true,
		    [USAGE_BY_GROUP] = true }, NULL, NULL, NULL, NULL, NULL,
		    "2026-11-01T00:00:00+00:00 k1 team 100010, "
		    "2026-11-01T00:00:00+00:00 #3 team 10000, "
		    "2026-11-01T00:00:00+00:00 k1 - 1000, "
		    "2026-11-01T00:00:00+00:00 k2 - 100", 111110 },
		{ "UTC", PERIOD_WEEK, { false }, "k1", NULL, NULL, "team",
		    "o*", "2026-11-01T00:00:00+00:00 10, "
		    "2026-11-30T00:00:00+00:00 100000", 100010 },
		{ "UTC", PERIOD_TOTAL, { [USAGE_BY_ACCOUNT] = true }, "k2",
		    "ann", NULL, NULL, NULL,
		    "2026-11-01T00:00:00+00:00 two 100", 100 },
		{ "UTC", PERIOD_TOTAL, { false }, NULL, NULL, NULL, NULL,
		    "nothing-like-it", "", 0 },
		/* There November begins and ends an hour earlier. */
		{ "Europe/Berlin", PERIOD_MONTH, { false }, NULL, NULL, NULL,
		    NULL, NULL, "2026-11-01T00:00:00+01:00 11111", 11111 },
		{ "Europe/Berlin", PERIOD_DAY, { false }, "k1", NULL, NULL,
		    NULL, NULL, "2026-11-01T00:00:00+01:00 11, "
		    "2026-11-04T00:00:00+01:00 1000", 1011 },
	};
	struct desk *d = *state;
	struct usage_query q;
	struct zone *zone;
	json_t *report;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		zone = zone_new(cases[i].zone, &d->err);
		desk_works(d, zone == NULL);
		q = (struct usage_query) { .per = cases[i].per, .zone = zone,
			.key = cases[i].key, .user = cases[i].user,
			.account = cases[i].account, .group = cases[i].group,
			.model = cases[i].model };
		memcpy(q.by, cases[i].by, sizeof(q.by));
		desk_works(d, period_time("2026-11", zone, 0,
		    &q.range.from_ms, &d->err));
		desk_works(d, period_time("2026-12", zone, 0, &q.range.to_ms,
		    &d->err));
		report = usage_report(d->st, &q, &d->err);
		desk_works(d, report == NULL);
		assert_string_equal(rows_text(report), cases[i].rows);
		assert_true(desk_int(json_object_get(report, "total"),
		    "cost_nusd") == cases[i].total);
		json_decref(report);
		zone_free(zone);
	}
}

static void
names_that_are_not_there_are_refused(void **state)
{
	struct desk *d = *state;
	struct zone *zone = zone_new("UTC", &d->err);
	struct usage_query q = { .per = PERIOD_TOTAL, .zone = zone,
		.range = { NOVEMBER, NOVEMBER + DAY } };
	const char **names[] = { &q.key, &q.user, &q.account, &q.group };
	size_t i;

	desk_works(d, zone == NULL);
	for (i = 0; i < NITEMS(names); i++) {
		*names[i] = "nobody";
		assert_null(usage_report(d->st, &q, &d->err));
		desk_fails(d, -1, ERR_NOT_FOUND);
		*names[i] = NULL;
	}
	q.range.to_ms = q.range.from_ms;
	assert_null(usage_report(d->st, &q, &d->err));
	desk_fails(d, -1, ERR_INVAL);
	zone_free(zone);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, desk_teardown)
	static const struct CMUnitTest tests[] = {
		T(reports_add_up),
		T(names_that_are_not_there_are_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
