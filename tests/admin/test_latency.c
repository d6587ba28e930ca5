#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/zone.h"
#include "ledger/id.h"
#include "ledger/latency.h"
#include "ledger/rollup.h"

#include "latency_fold.h"
#include "usage.h"
#include "usage_latency.h"

#define HOUR		ROLLUP_HOUR_MS
#define ROWS		1300	/* more than two passes fold */

/* What the tests remember of a row. */
struct made {
	int64_t at_ms, key, first_ms, whole_ms;
	const char *model;
};

static struct made made[2 * ROWS];
static size_t nmade;

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

/* The true percentile of the rows that count, by its name; -1: none does. */
static int64_t
exact(size_t name, int64_t key, const char *model, int64_t from_ms,
    int64_t to_ms)
{
	static int64_t list[2 * ROWS];
	const struct made *m;
	size_t n = 0;

	for (m = made; m < made + nmade; m++) {
		if ((key != 0 && m->key != key) || m->at_ms < from_ms ||
		    m->at_ms >= to_ms || m->first_ms < 0 ||
		    (model != NULL && strcmp(m->model, model) != 0))
			continue;
		list[n++] = name < 2 ? m->first_ms : m->whole_ms;
	}
	if (n == 0)
		return (-1);
	qsort(list, n, sizeof(*list), by_size);
	return (list[(n * (name % 2 == 0 ? 50 : 95) + 99) / 100 - 1]);
}

static void
check_row(const json_t *row, int64_t key, const char *model, int64_t from_ms,
    int64_t to_ms)
{
	const json_t *is;
	int64_t was;
	size_t i;

	for (i = 0; i < USAGE_LATENCY_NAMES; i++) {
		is = json_object_get(row, usage_latency_names[i]);
		was = exact(i, key, model, from_ms, to_ms);
		if (was < 0) {
			assert_true(json_is_null(is));
			continue;
		}
		assert_true(json_is_integer(is));
		if (llabs(json_integer_value(is) - was) * 100 > was *
		    LATENCY_ERROR_PERCENT)
			fail_msg("%s is %lld and was %lld",
			    usage_latency_names[i],
			    (long long)json_integer_value(is),
			    (long long)was);
	}
}

static json_t *
report(struct desk *d, struct usage_query *q, enum period per,
    int64_t from_ms, int64_t to_ms)
{
	struct zone *utc = zone_new("UTC", &d->err);
	json_t *r;

	q->per = per;
	q->zone = utc;
	q->range = (struct range) { from_ms, to_ms };
	r = usage_report(d->st, q, &d->err);
	desk_works(d, r == NULL);
	zone_free(utc);
	return (r);
}

/* A row of the ledger and its sums, as a settlement leaves them. */
static void
add(struct desk *d, int64_t id, const struct made *m)
{
	struct rollup_row row = {
		.ledger_id = id, .key_id = m->key, .account_id = 1,
		.model = m->model, .outcome = "ok", .mark = USAGE_EXACT,
		.first_byte_ms = m->first_ms, .total_ms = m->whole_ms,
		.usage = { .input_tokens = 100, .cache_read_tokens = 300 },
	};
	struct rollups u;
	char first[24] = "NULL";

	if (m->first_ms >= 0)
		(void)snprintf(first, sizeof(first), "%lld",
		    (long long)m->first_ms);
	desk_sql(d, "INSERT INTO ledger (id, state, fence, responder_id, "
	    "created_ms, key_id, kind, model, stream, reserved_nusd, "
	    "body_bytes, account_id, outcome, first_byte_ms, total_ms) "
	    "VALUES (%lld, 1, 1, 1, %lld, %lld, 'messages', '%s', 1, 0, 0, 1, "
	    "'ok', %s, %lld)", (long long)id, (long long)m->at_ms,
	    (long long)m->key, m->model, first, (long long)m->whole_ms);
	rollups_init(&u);
	desk_works(d, rollups_add(&u, &row, &d->err));
	desk_works(d, store_begin(d->st, true, &d->err));
	desk_works(d, rollups_write(&u, d->st, &d->err));
	desk_works(d, store_commit(d->st, &d->err));
	rollups_fini(&u);
}

/* So many, a second apart, from then on. */
static void
fill(struct desk *d, int64_t from_ms, size_t n, int64_t step_ms)
{
	static unsigned seed = 11;
	struct made *m;
	size_t i;

	for (i = 0; i < n; i++) {
		m = &made[nmade++];
		*m = (struct made) {
			.at_ms = from_ms + (int64_t)i * step_ms,
			.key = 1 + i % 3,
			.model = i % 2 == 0 ? "opus" : "haiku",
			.first_ms = i % 10 == 9 ? -1 : 1 + rand_r(&seed) %
			    (1 << (4 + i % 12)),
		};
		m->whole_ms = m->first_ms * 3 + rand_r(&seed) % 5000;
		add(d, ledger_id_first(m->at_ms) + 1, m);
	}
}

static int64_t
fold_all(struct desk *d)
{
	struct latency_pass pass;
	int64_t rows = 0;

	do {
		desk_works(d, latency_fold(d->st, &pass, &d->err));
		rows += pass.rows;
	} while (pass.more);
	return (rows);
}

/* By every cut of the same rows: in all, by key and model, by hour and day, of
 * one key. */
static void
check_reports(struct desk *d, int64_t from_ms, int64_t to_ms)
{
	struct usage_query q = { .by = { [USAGE_BY_KEY] = true,
		[USAGE_BY_MODEL] = true } };
	const json_t *row;
	int64_t start_ms;
	json_t *r;
	size_t i;

	r = report(d, &q, PERIOD_TOTAL, from_ms, to_ms);
	assert_int_equal(json_array_size(json_object_get(r, "rows")), 6);
	check_row(json_object_get(r, "total"), 0, NULL, from_ms, to_ms);
	json_array_foreach(json_object_get(r, "rows"), i, row)
		check_row(row, json_string_value(json_object_get(row,
		    "key"))[1] - '0', json_string_value(json_object_get(row,
		    "model")), from_ms, to_ms);
	json_decref(r);

	q = (struct usage_query) { .key = "k2" };
	r = report(d, &q, PERIOD_HOUR, from_ms, to_ms);
	assert_true(json_array_size(json_object_get(r, "rows")) > 1);
	json_array_foreach(json_object_get(r, "rows"), i, row) {
		start_ms = desk_int(row, "start_ms");
		check_row(row, 2, NULL, start_ms, start_ms + HOUR);
	}
	check_row(json_object_get(r, "total"), 2, NULL, from_ms, to_ms);
	json_decref(r);

	q = (struct usage_query) { .model = "opus" };
	r = report(d, &q, PERIOD_DAY, from_ms, to_ms);
	json_array_foreach(json_object_get(r, "rows"), i, row) {
		start_ms = desk_int(row, "start_ms");
		check_row(row, 0, "opus", start_ms < from_ms ? from_ms :
		    start_ms, start_ms - start_ms % ROLLUP_DAY_MS +
		    ROLLUP_DAY_MS);
		assert_int_equal(desk_int(row, "cache_hit_share"), 750);
	}
	json_decref(r);
}

static int
setup(void **state)
{
	struct desk *d;

	nmade = 0;
	if (desk_setup(state) != 0)
		return (-1);
	d = *state;
	desk_account(d, "one", 1);
	desk_sql(d, "INSERT INTO api_key (id, name, visible, hash, "
	    "created_ms) VALUES (1, 'k1', 'v', x'01', 1), "
	    "(2, 'k2', 'v', x'02', 1), (3, 'k3', 'v', x'03', 1)");
	return (0);
}

static void
percentiles_are_the_same_however_much_is_folded(void **state)
{
	struct desk *d = *state;
	const int64_t now_ms = store_now_ms(d->st);
	const int64_t to_ms = now_ms - now_ms % HOUR + HOUR;
	const int64_t from_ms = to_ms - 60 * HOUR;

	fill(d, from_ms, ROWS, 58 * HOUR / ROWS);
	check_reports(d, from_ms, to_ms);
	assert_int_equal(fold_all(d), ROWS);
	check_reports(d, from_ms, to_ms);

	/* Some more, which are read from the ledger, and then folded. */
	fill(d, now_ms - HOUR, 60, 50000);
	check_reports(d, from_ms, to_ms);
	assert_in_range(fold_all(d), 50, 60);
	check_reports(d, from_ms, to_ms);
	assert_int_equal(fold_all(d), 0);
	check_reports(d, from_ms, to_ms);

	/* The ledger may go. */
	desk_sql(d, "DELETE FROM ledger WHERE id < %lld",
	    (long long)ledger_id_first(now_ms - 2 * HOUR));
	check_reports(d, from_ms, to_ms);
}

static void
what_is_open_or_new_is_not_passed(void **state)
{
	struct desk *d = *state;
	const int64_t now_ms = store_now_ms(d->st);
	const int64_t to_ms = now_ms - now_ms % HOUR + HOUR;
	int64_t mark, open_id;

	/* More than an hour of them, so that there are several rows. */
	fill(d, now_ms - 3 * HOUR, 200, 20000);
	open_id = ledger_id_first(made[100].at_ms) + 1;
	desk_sql(d, "UPDATE ledger SET state = 0, first_byte_ms = NULL "
	    "WHERE id = %lld", (long long)open_id);
	assert_int_equal(fold_all(d), 100);
	desk_works(d, latency_mark(d->st, &mark, &d->err));
	assert_true(mark < open_id);
	desk_sql(d, "UPDATE ledger SET state = 1, first_byte_ms = %lld "
	    "WHERE id = %lld", (long long)made[100].first_ms,
	    (long long)open_id);
	assert_int_equal(fold_all(d), 100);
	check_reports(d, now_ms - now_ms % HOUR - 3 * HOUR, to_ms);

	/* One of this moment may have older ones behind it. */
	fill(d, now_ms - LATENCY_LAG_MS / 2, 1, 1);
	assert_int_equal(fold_all(d), 0);
	check_reports(d, now_ms - now_ms % HOUR - 3 * HOUR, to_ms);
}

static void
without_a_first_byte_nothing_is_known(void **state)
{
	struct desk *d = *state;
	const int64_t now_ms = store_now_ms(d->st);
	struct made m = { .at_ms = now_ms, .key = 1, .first_ms = -1,
		.whole_ms = 5, .model = "opus" };
	struct usage_query q = { .key = NULL };
	json_t *r;

	add(d, ledger_id_first(now_ms), &m);
	r = report(d, &q, PERIOD_YEAR, now_ms - 400 * ROLLUP_DAY_MS,
	    now_ms - now_ms % HOUR + HOUR);
	check_row(json_object_get(r, "total"), 0, NULL, 0, INT64_MAX);
	assert_string_equal(json_string_value(json_object_get(r, "per")),
	    "year");
	assert_int_equal(json_array_size(json_object_get(r, "rows")), 1);
	json_decref(r);
}

static void
csv_has_the_columns(void **state)
{
	struct desk *d = *state;
	const int64_t now_ms = store_now_ms(d->st);
	struct made m = { .at_ms = now_ms, .key = 1, .first_ms = 7,
		.whole_ms = 12, .model = "opus" };
	struct usage_query q = { .key = NULL };
	char *text = NULL;
	size_t n;
	FILE *out;
	json_t *r;

	add(d, ledger_id_first(now_ms), &m);
	r = report(d, &q, PERIOD_DAY, now_ms - now_ms % HOUR,
	    now_ms - now_ms % HOUR + HOUR);
	out = open_memstream(&text, &n);
	usage_csv(out, r, &q);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, ",cost_usd,cache_hit_share,ttfb_p50_ms,"
	    "ttfb_p95_ms,duration_p50_ms,duration_p95_ms\n"));
	assert_non_null(strstr(text, ",750,7,7,12,12\n"));
	free(text);
	json_decref(r);
}

#define LATENCY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LATENCY_TEST(percentiles_are_the_same_however_much_is_folded),
		LATENCY_TEST(what_is_open_or_new_is_not_passed),
		LATENCY_TEST(without_a_first_byte_nothing_is_known),
		LATENCY_TEST(csv_has_the_columns),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
