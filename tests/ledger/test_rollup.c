#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "ledger/id.h"
#include "ledger/rollup.h"
#include "store/raw.h"
#include "store/store.h"

/* 2026-11-20 23:30 UTC. */
#define LATE_MS		INT64_C(1795217400000)
#define HOUR_MS		INT64_C(1795215600000)
#define DAY_MS		INT64_C(1795132800000)

struct world {
	char dir[64];
	char url[RAW_URL_SIZE];
	struct store *st;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_options opt = { .create = true };
	struct err err = { 0 };
	int64_t from, to;

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/test-rollup.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	raw_make(w->dir, w->url);
	if ((w->st = store_open(w->url, &opt, &err)) == NULL ||
	    store_migrate(w->st, &from, &to, &err) ||
	    store_prepare(w->st, &err))
		fail_msg("%s", err.text);
	*state = w;
	return (0);
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	store_close(w->st);
	raw_drop(w->url);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return (0);
}

static struct rollup_row
row(int64_t at_ms, int64_t key_id, const char *model)
{

	return ((struct rollup_row) {
		.ledger_id = ledger_id_first(at_ms),
		.key_id = key_id,
		.account_id = 2,
		.group_id = 3,
		.person_id = 4,
		.model = model,
		.outcome = "ok",
		.mark = USAGE_EXACT,
		.usage = {
			.input_tokens = 10,
			.output_tokens = 20,
			.cache_read_tokens = 30,
			.cache_write_5m_tokens = 40,
			.cache_write_1h_tokens = 50,
			.web_searches = 1,
		},
		.nusd = 1000,
		.queue_ms = 5,
		.first_byte_ms = 700,
		.total_ms = 900,
	});
}

static void
write_down(struct world *w, struct rollups *u)
{
	struct err err = { 0 };

	assert_int_equal(store_begin(w->st, true, &err), 0);
	if (rollups_write(u, w->st, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(store_commit(w->st, &err), 0);
}

/* ---- one row ---- */

static void
a_row_counts_once_in_each_sum(void **state)
{
	static const int64_t sums[ROLLUP_NSUMS] = {
		[ROLLUP_REQUESTS] = 1, [ROLLUP_COST_NUSD] = 1000,
		[ROLLUP_INPUT_TOKENS] = 10, [ROLLUP_OUTPUT_TOKENS] = 20,
		[ROLLUP_CACHE_READ_TOKENS] = 30,
		[ROLLUP_CACHE_WRITE_5M_TOKENS] = 40,
		[ROLLUP_CACHE_WRITE_1H_TOKENS] = 50,
		[ROLLUP_WEB_SEARCHES] = 1, [ROLLUP_QUEUE_MS] = 5,
		[ROLLUP_FIRST_BYTE_MS] = 700, [ROLLUP_TOTAL_MS] = 900,
		[ROLLUP_EXACT] = 1, [ROLLUP_FIRST_1S] = 1,
	};
	const struct rollup_row r = row(LATE_MS, 1, "m");
	struct rollup out;

	(void)state;
	rollup_of(&r, &out);
	assert_memory_equal(out.sums, sums, sizeof(sums));
	assert_true(out.key.start_ms == HOUR_MS);
}

static void
what_is_an_error_and_how_well_it_is_known(void **state)
{
	static const struct {
		const char *outcome;
		enum usage_mark mark;
		int64_t nusd, overrun;
		int64_t errors, unpriced, cost, exact, partial, estimated,
		    overruns;
	} cases[] = {
		{ "ok", USAGE_EXACT, 5, 0, 0, 0, 5, 1, 0, 0, 0 },
		{ "client_gone", USAGE_PARTIAL, 5, 2, 0, 0, 5, 0, 1, 0, 1 },
		{ "lost", USAGE_ESTIMATED, 9, 0, 1, 0, 9, 0, 0, 1, 0 },
		{ "rate_limited", USAGE_NONE, 0, 0, 1, 0, 0, 0, 0, 0, 0 },
		{ "ok", USAGE_EXACT, -1, 0, 0, 1, 0, 1, 0, 0, 0 },
	};
	struct rollup_row r;
	struct rollup out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		r = row(LATE_MS, 1, "m");
		r.outcome = cases[i].outcome;
		r.mark = cases[i].mark;
		r.nusd = cases[i].nusd;
		r.overrun_nusd = cases[i].overrun;
		rollup_of(&r, &out);
		assert_true(out.sums[ROLLUP_ERRORS] == cases[i].errors);
		assert_true(out.sums[ROLLUP_UNPRICED] == cases[i].unpriced);
		assert_true(out.sums[ROLLUP_COST_NUSD] == cases[i].cost);
		assert_true(out.sums[ROLLUP_EXACT] == cases[i].exact);
		assert_true(out.sums[ROLLUP_PARTIAL] == cases[i].partial);
		assert_true(out.sums[ROLLUP_ESTIMATED] == cases[i].estimated);
		assert_true(out.sums[ROLLUP_OVERRUNS] == cases[i].overruns);
		assert_true(out.sums[ROLLUP_OVERRUN_NUSD] ==
		    cases[i].overrun);
	}
}

static void
first_bytes_fall_into_one_class_each(void **state)
{
	static const struct {
		int64_t ms;
		int sum;		/* -1: none */
	} cases[] = {
		{ -1, -1 },
		{ 0, ROLLUP_FIRST_500MS }, { 500, ROLLUP_FIRST_500MS },
		{ 501, ROLLUP_FIRST_1S }, { 1000, ROLLUP_FIRST_1S },
		{ 1001, ROLLUP_FIRST_2S }, { 5000, ROLLUP_FIRST_5S },
		{ 15000, ROLLUP_FIRST_15S }, { 15001, ROLLUP_FIRST_LATER },
		{ INT64_MAX, ROLLUP_FIRST_LATER },
	};
	struct rollup_row r = row(LATE_MS, 1, "m");
	struct rollup out;
	size_t i;
	int sum;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		r.first_byte_ms = cases[i].ms;
		rollup_of(&r, &out);
		for (sum = ROLLUP_FIRST_500MS; sum < ROLLUP_NSUMS; sum++)
			assert_true(out.sums[sum] == (sum == cases[i].sum));
		assert_true(out.sums[ROLLUP_FIRST_BYTE_MS] ==
		    (cases[i].ms < 0 ? 0 : cases[i].ms));
	}
}

/* ---- sets ---- */

static void
many_keys_are_told_apart_and_sorted(void **state)
{
	struct rollup_set s;
	struct rollup r;
	size_t i;
	int round;

	(void)state;
	rollup_set_init(&s);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 6000; i++) {
			memset(&r, 0, sizeof(r));
			r.key.start_ms = (int64_t)(i * 7919 % 3000);
			snprintf(r.key.model, sizeof(r.key.model), "m%zu",
			    i % 3);
			r.sums[ROLLUP_REQUESTS] = 1;
			assert_int_equal(rollup_set_add(&s, &r, 1, NULL), 0);
		}
		rollup_set_sort(&s);
		assert_int_equal(s.n, 3000);
		for (i = 0; i < s.n; i++) {
			assert_int_equal(s.list[i].key.start_ms, i);
			assert_int_equal(s.list[i].sums[ROLLUP_REQUESTS], 2);
		}
		rollup_set_reset(&s);
	}
	rollup_set_fini(&s);
}

/* ---- tables ---- */

#define SHOW(table)							\
	"SELECT group_concat(start_ms || ' ' || key_id || ' ' || "	\
	"account_id || ' ' || group_id || ' ' || person_id || ' ' || "	\
	"model || ' ' || requests || ' ' || cost_nusd || ' ' || "	\
	"web_searches || ' ' || first_1s) FROM (SELECT * FROM " table	\
	" ORDER BY start_ms, key_id, model) AS t"

static void
batches_add_up_by_hour_and_day(void **state)
{
	const struct rollup_row rows[] = {
		row(LATE_MS, 1, "b"),
		row(LATE_MS, 1, "a  "),		/* blanks do not count */
		row(LATE_MS - ROLLUP_HOUR_MS, 1, "a"),
		row(LATE_MS + ROLLUP_HOUR_MS, 1, "a"),	/* the next day */
		row(LATE_MS, 9, "a"),
		row(LATE_MS, 1, "a"),
	};
	struct world *w = *state;
	struct rollups u;
	size_t i;
	int batch;

	rollups_init(&u);
	for (batch = 0; batch < 2; batch++) {
		for (i = 0; i < NITEMS(rows); i++)
			assert_int_equal(rollups_add(&u, &rows[i], NULL), 0);
		write_down(w, &u);
		write_down(w, &u);	/* nothing is left */
	}
	assert_string_equal(raw_text(w->url, SHOW("usage_hour")),
	    "1795212000000 1 2 3 4 a 2 2000 2 2,"
	    "1795215600000 1 2 3 4 a 4 4000 4 4,"
	    "1795215600000 1 2 3 4 b 2 2000 2 2,"
	    "1795215600000 9 2 3 4 a 2 2000 2 2,"
	    "1795219200000 1 2 3 4 a 2 2000 2 2");
	assert_string_equal(raw_text(w->url, SHOW("usage_day")),
	    "1795132800000 1 2 3 4 a 6 6000 6 6,"
	    "1795132800000 1 2 3 4 b 2 2000 2 2,"
	    "1795132800000 9 2 3 4 a 2 2000 2 2,"
	    "1795219200000 1 2 3 4 a 2 2000 2 2");
	rollups_fini(&u);
}

static void
a_correction_leaves_the_new_part(void **state)
{
	struct world *w = *state;
	const struct rollup_row early = row(LATE_MS, 1, "m");
	struct rollup_row lost = early, late = early;
	struct rollups u;

	lost.outcome = "lost";
	lost.mark = USAGE_ESTIMATED;
	lost.nusd = 5000;
	lost.usage = (struct usage) { 0 };
	rollups_init(&u);
	assert_int_equal(rollups_add(&u, &lost, NULL), 0);
	write_down(w, &u);
	assert_int_equal(rollups_take(&u, &lost, NULL), 0);
	assert_int_equal(rollups_add(&u, &late, NULL), 0);
	write_down(w, &u);
	assert_string_equal(raw_text(w->url, "SELECT requests || ' ' || "
	    "errors || ' ' || cost_nusd || ' ' || marked_exact || ' ' || "
	    "marked_estimated || ' ' || input_tokens FROM usage_hour"),
	    "1 0 1000 1 0 10");
	/* On another account, the first one's row is left with nothing. */
	late.account_id = 7;
	assert_int_equal(rollups_take(&u, &lost, NULL), 0);
	assert_int_equal(rollups_add(&u, &lost, NULL), 0);
	assert_int_equal(rollups_take(&u, &early, NULL), 0);
	assert_int_equal(rollups_add(&u, &late, NULL), 0);
	write_down(w, &u);
	assert_int_equal(raw_int(w->url, "SELECT sum(requests + cost_nusd + "
	    "input_tokens + total_ms) FROM usage_day WHERE account_id = 2"),
	    0);
	assert_int_equal(raw_int(w->url, "SELECT sum(cost_nusd) "
	    "FROM usage_day"), 1000);
	rollups_fini(&u);
}

static void
absurd_amounts_leave_integers(void **state)
{
	struct world *w = *state;
	struct rollup_row r = row(LATE_MS, 1, "m");
	struct rollups u;
	int i;

	r.nusd = r.usage.input_tokens = r.total_ms = INT64_MAX;
	rollups_init(&u);
	for (i = 0; i < 20; i++) {
		assert_int_equal(rollups_add(&u, &r, NULL), 0);
		assert_int_equal(rollups_add(&u, &r, NULL), 0);
		write_down(w, &u);
	}
	assert_true(raw_int(w->url, "SELECT cost_nusd FROM usage_day") >
	    INT64_MAX / 64);
	if (!raw_is_mysql())
		assert_int_equal(raw_int(w->url, "SELECT count(*) FROM "
		    "usage_day WHERE typeof(cost_nusd) = 'integer' AND "
		    "typeof(total_ms) = 'integer'"), 1);
	rollups_fini(&u);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_counts_once_in_each_sum),
		cmocka_unit_test(what_is_an_error_and_how_well_it_is_known),
		cmocka_unit_test(first_bytes_fall_into_one_class_each),
		cmocka_unit_test(many_keys_are_told_apart_and_sorted),
		T(batches_add_up_by_hour_and_day),
		T(a_correction_leaves_the_new_part),
		T(absurd_amounts_leave_integers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
