#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/id.h"
#include "ledger/rollup.h"
#include "pool/prune.h"

#include "verify.h"

/* So many days ago the ledger begins, with so many rows an hour. */
#define DAYS		3
#define ROWS		8

static int64_t
hour_ms(struct desk *d, int64_t hours_ago)
{
	int64_t now_ms = store_now_ms(d->st);

	return (now_ms - now_ms % ROLLUP_HOUR_MS -
	    hours_ago * ROLLUP_HOUR_MS);
}

/* Rows in every state, with attempts, and what they hold of two budgets: 1 of
 * all time, 2 of a day.  The amounts are those of the i-th row. */
static void
put_row(struct desk *d, int64_t hour, int64_t day, int i)
{
	static const int states[ROWS] = { 1, 1, 3, 2, 0, 4, 1, 1 };
	const int state = states[i];
	const int64_t id = ledger_id_first(hour) + 1000 * (i + 1);
	char holds[128] = "";

	if (state != 4)
		(void)snprintf(holds, sizeof(holds), "[[1,0,0,%d],[2,%lld,4,"
		    "1]]", 100 + i, (long long)day);
	desk_sql(d, "INSERT INTO ledger (id, state, fence, responder_id, "
	    "created_ms, key_id, kind, model, stream, reserved_nusd, "
	    "body_bytes, account_id, mark, outcome, attempts, input_tokens, "
	    "output_tokens, cost_nusd, queue_ms, first_byte_ms, total_ms, "
	    "holds, person_id) VALUES (%lld, %d, 1, 1, %lld, %d, 'messages', "
	    "'m%d', 0, 500, 1, %s, %s, %s, 1, %s, %s, %s, 5, 7, 9, '%s', 2)",
	    (long long)id, state, (long long)hour, 1 + i % 2, i % 3,
	    state == 0 ? "NULL" : "1", state == 0 ? "NULL" :
	    state == 2 ? "3" : "1", state == 0 ? "NULL" : state == 2 ?
	    "'lost'" : i == 6 ? "'client_gone'" : "'ok'",
	    state == 0 || state == 2 ? "NULL" : "10",
	    state == 0 || state == 2 ? "NULL" : "20",
	    state == 0 || i == 7 ? "NULL" : state == 2 ? "500" : "30",
	    holds);
	if (state == 4)
		return;
	desk_sql(d, "INSERT INTO attempt (ledger_id, n, account_id, "
	    "started_ms, outcome, mark, input_tokens, output_tokens, "
	    "cost_nusd) VALUES (%lld, 1, 1, 1, %s, %s, %s, %s, %s)",
	    (long long)id, state == 0 ? "NULL" : state == 2 ? "'lost'" :
	    "'ok'", state == 2 ? "3" : "1", state == 2 ? "NULL" : "10",
	    state == 2 ? "NULL" : "20", state == 2 || i == 7 ? "NULL" : "30");
}

/* The sums that the migration makes of the rows. */
static void
sum_up(struct desk *d)
{
	const struct stmt_migration *m;
	const char *from;

	for (m = stmt_migrations[raw_is_mysql() ? STMT_DIALECT_MYSQL :
	    STMT_DIALECT_SQLITE]; strcmp(m->name, "usage") != 0; m++)
		continue;
	from = strstr(m->sql, "INTO usage_hour");
	assert_non_null(from);
	while (strncmp(from, "\n", 1) != 0)
		from--;
	raw_sql(d->url, from);
	desk_sql(d, "INSERT INTO key_usage SELECT key_id, sum(requests), "
	    "sum(cost_nusd), sum(input_tokens), sum(output_tokens), "
	    "sum(cache_read_tokens), sum(cache_write_5m_tokens), 1 "
	    "FROM usage_day GROUP BY key_id");
}

/* Of each hour's rows: closed 1, 1, 3, 2, 1, 1 hold 100 + i, open one 104. */
static void
put_windows(struct desk *d, int64_t hours)
{
	int64_t day = hour_ms(d, 0) - hour_ms(d, 0) % ROLLUP_DAY_MS, n;
	int i;

	desk_sql(d, "INSERT INTO budget (id, name, scope, scope_id, kind, "
	    "period, limit_value, created_ms) VALUES "
	    "(1, 'all', 'key', 1, 'money', 'total', 5, 1), "
	    "(2, 'daily', 'key', 1, 'requests', 'day', 5, 1)");
	desk_sql(d, "INSERT INTO budget_window (budget_id, start_ms, spent, "
	    "reserved, kept) VALUES (1, 0, %lld, %lld, 7)",
	    (long long)(hours * 619 + 7), (long long)(hours * 104));
	for (i = 0; i <= DAYS; i++, day -= ROLLUP_DAY_MS) {
		n = desk_number(d, "SELECT count(*) FROM ledger WHERE "
		    "state = 0 AND created_ms >= %lld AND created_ms < %lld",
		    (long long)day, (long long)(day + ROLLUP_DAY_MS));
		desk_sql(d, "INSERT INTO budget_window (budget_id, start_ms, "
		    "spent, reserved) VALUES (2, %lld, %lld, %lld)",
		    (long long)day, (long long)(6 * n), (long long)n);
	}
}

static int
setup(void **state)
{
	struct desk *d;
	int64_t hour, ago;
	int i;

	if (desk_setup(state) != 0)
		return (-1);
	d = *state;
	for (ago = DAYS * 24; ago > 0; ago -= 6) {
		hour = hour_ms(d, ago);
		for (i = 0; i < ROWS; i++)
			put_row(d, hour, hour - hour % ROLLUP_DAY_MS, i);
	}
	sum_up(d);
	put_windows(d, DAYS * 4);
	return (0);
}

static json_t *
verify(struct desk *d)
{
	json_t *found = verify_ledger(d->st, &d->err);

	desk_works(d, found == NULL);
	return (found);
}

static void
agree(struct desk *d)
{
	json_t *found = verify(d);

	if (desk_int(found, "differences") != 0)
		fail_msg("%s", json_dumps(found, JSON_INDENT(1)));
	json_decref(found);
}

static void
what_agrees_is_found_to_agree(void **state)
{
	struct desk *d = *state;
	json_t *found = verify(d);

	if (desk_int(found, "differences") != 0)
		fail_msg("%s", json_dumps(found, JSON_INDENT(1)));
	assert_int_equal(desk_int(found, "rows"), DAYS * 4 * ROWS);
	assert_int_equal(desk_int(found, "attempts"), DAYS * 4 * (ROWS - 1));
	assert_int_equal(desk_int(found, "hours"), DAYS * 4);
	assert_in_range(desk_int(found, "days"), DAYS, DAYS + 1);
	assert_int_equal(desk_int(found, "keys"), 2);
	assert_int_equal(desk_int(found, "windows"), DAYS + 2);
	assert_true(json_is_null(json_object_get(found, "cut_ms")));
	json_decref(found);
}

/* One thing is made wrong, and found. */
static void
each_wrong_sum_is_found(void **state)
{
	static const struct {
		const char *sql;
		const char *table, *sum;
		int n;			/* differences; 0: some */
	} cases[] = {
		{ "UPDATE usage_hour SET cost_nusd = cost_nusd + 1 "
		    "ORDER BY start_ms LIMIT 1", "usage_hour", "cost_nusd",
		    2 },
		{ "UPDATE usage_day SET requests = requests - 1 "
		    "ORDER BY start_ms LIMIT 1", "usage_day", "requests", 2 },
		{ "UPDATE usage_day SET first_500ms = first_500ms + 1 "
		    "ORDER BY start_ms LIMIT 1", "usage_day", "first_500ms",
		    1 },
		{ "DELETE FROM usage_hour ORDER BY start_ms LIMIT 1",
		    "usage_hour", "requests", 0 },
		{ "UPDATE key_usage SET input_tokens = 0 WHERE key_id = 2",
		    "key_usage", "input_tokens", 1 },
		{ "UPDATE budget_window SET spent = spent + 1 "
		    "WHERE budget_id = 1", "budget_window", "spent", 1 },
		{ "UPDATE budget_window SET reserved = 0 WHERE budget_id = 1",
		    "budget_window", "reserved", 1 },
		{ "UPDATE budget_window SET kept = 0 WHERE budget_id = 1",
		    "budget_window", "spent", 1 },
		{ "DELETE FROM budget_window WHERE budget_id = 1",
		    "budget_window", "spent", 2 },
		{ "UPDATE ledger SET holds = 'nonsense' WHERE state = 3 "
		    "ORDER BY id LIMIT 1", "ledger",
		    "holds that cannot be read", 0 },
		{ "UPDATE attempt SET cost_nusd = 31 WHERE cost_nusd = 30 "
		    "ORDER BY ledger_id LIMIT 1", "ledger", "cost_nusd", 1 },
		{ "UPDATE attempt SET outcome = NULL WHERE cost_nusd = 30 "
		    "ORDER BY ledger_id LIMIT 1", "ledger", "open attempts",
		    1 },
		{ "DELETE FROM attempt WHERE mark = 3 "
		    "ORDER BY ledger_id LIMIT 1", "ledger", "attempts", 1 },
		{ "DELETE FROM ledger WHERE state = 3 ORDER BY id LIMIT 1",
		    "usage_hour", "requests", 0 },
		{ "UPDATE ledger SET model = 'other' WHERE state = 3 "
		    "ORDER BY id LIMIT 1", "usage_hour", "requests", 0 },
	};
	struct desk *d;
	json_t *found, *shown, *one;
	size_t i, j;
	bool seen;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(setup(state), 0);
		d = *state;
		desk_sql(d, "%s", cases[i].sql);
		found = verify(d);
		shown = json_object_get(found, "shown");
		seen = false;
		json_array_foreach(shown, j, one)
			seen = seen || (strcmp(json_string_value(
			    json_object_get(one, "table")), cases[i].table) ==
			    0 && strcmp(json_string_value(json_object_get(one,
			    "sum")), cases[i].sum) == 0);
		if (!seen || desk_int(found, "differences") == 0 ||
		    (cases[i].n != 0 && desk_int(found, "differences") !=
		    cases[i].n))
			fail_msg("%s: %s", cases[i].sql, json_dumps(found,
			    JSON_INDENT(1)));
		json_decref(found);
		desk_teardown(state);
	}
}

static void
many_differences_are_counted_and_some_shown(void **state)
{
	struct desk *d = *state;
	json_t *found;

	desk_sql(d, "UPDATE usage_hour SET queue_ms = 1, total_ms = 1, "
	    "cost_nusd = 1, errors = 77");
	found = verify(d);
	assert_true(desk_int(found, "differences") > VERIFY_SHOWN);
	assert_int_equal(json_array_size(json_object_get(found, "shown")),
	    VERIFY_SHOWN);
	json_decref(found);
}

/* ---- retention ---- */

static void
prune(struct desk *d, int64_t cut_ms, int64_t max)
{
	int64_t rows, windows;

	do {
		desk_works(d, store_begin(d->st, true, &d->err));
		desk_works(d, prune_ledger(d->st, cut_ms, max, &rows,
		    &d->err));
		desk_works(d, prune_windows(d->st, max, &windows, &d->err));
		desk_works(d, store_commit(d->st, &d->err));
		agree(d);
	} while (rows == max || windows == max);
}

static void
sums_stay_when_rows_go(void **state)
{
	struct desk *d = *state;
	const int64_t cut_ms = hour_ms(d, 36);
	struct prune_state s;
	int64_t spent, requests;
	json_t *found;

	spent = desk_number(d, "SELECT spent FROM budget_window "
	    "WHERE budget_id = 1");
	requests = desk_number(d, "SELECT sum(requests) FROM usage_day");
	prune(d, cut_ms, 5);
	/* 36 of 72 hours, a row in six of them: all but the open ones. */
	assert_int_equal(desk_number(d, "SELECT count(*) FROM ledger WHERE "
	    "created_ms < %lld", (long long)cut_ms), 6);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM ledger WHERE "
	    "created_ms < %lld AND state <> 0", (long long)cut_ms), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM ledger WHERE "
	    "created_ms >= %lld", (long long)cut_ms), 6 * ROWS);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM attempt t "
	    "LEFT JOIN ledger l ON l.id = t.ledger_id WHERE l.id IS NULL"),
	    0);
	assert_true(desk_number(d, "SELECT spent FROM budget_window "
	    "WHERE budget_id = 1") == spent);
	assert_int_equal(desk_number(d, "SELECT kept FROM budget_window "
	    "WHERE budget_id = 1"), 6 * 619 + 7);
	assert_true(desk_number(d, "SELECT sum(requests) FROM usage_day") ==
	    requests);
	desk_works(d, prune_read(d->st, &s, &d->err));
	assert_true(s.cut_ms == cut_ms);
	assert_int_equal(s.rows, 6 * (ROWS - 1));
	found = verify(d);
	assert_int_equal(desk_int(found, "hours"), 6);
	assert_true(desk_int(found, "cut_ms") == cut_ms);
	json_decref(found);

	/* An older cut deletes nothing, and the cut stays. */
	prune(d, hour_ms(d, 100), 5);
	desk_works(d, prune_read(d->st, &s, &d->err));
	assert_true(s.cut_ms == cut_ms);
}

static void
old_windows_go_and_others_stay(void **state)
{
	struct desk *d = *state;
	const int64_t now = store_now_ms(d->st), day = ROLLUP_DAY_MS;
	int64_t rows;

	desk_sql(d, "INSERT INTO budget (id, name, scope, scope_id, kind, "
	    "period, length_ms, limit_value, created_ms) VALUES "
	    "(3, 'fast', 'key', 1, 'money', 'rolling', 3600000, 5, 1), "
	    "(4, 'fixed', 'key', 1, 'money', 'fixed', 3600000, 5, 1), "
	    "(5, 'monthly', 'key', 1, 'money', 'month', 0, 5, 1), "
	    "(6, 'slow', 'key', 1, 'money', 'rolling', 34560000000, 5, 1)");
	desk_sql(d, "INSERT INTO budget_window (budget_id, start_ms, spent, "
	    "reserved) VALUES (1, -1, 0, 0), (3, -1, 0, 0), "
	    "(3, %lld, 1, 0), (3, %lld, 1, 0), "
	    "(4, %lld, 1, 0), (4, %lld, 1, 0), "
	    "(5, %lld, 1, 0), (5, %lld, 1, 0), (5, %lld, 1, 1), "
	    "(6, %lld, 1, 0), (6, %lld, 1, 0), (6, %lld, 1, 0)",
	    (long long)(now - 3 * day), (long long)(now - 2 * day),
	    (long long)(now - 41 * day), (long long)(now - 40 * day),
	    (long long)(now - 73 * day), (long long)(now - 71 * day),
	    (long long)(now - 99 * day), (long long)(now - 3 * day),
	    (long long)(now - 406 * day), (long long)(now - 409 * day));
	desk_works(d, store_begin(d->st, true, &d->err));
	desk_works(d, prune_windows(d->st, 100, &rows, &d->err));
	desk_works(d, store_commit(d->st, &d->err));
	assert_int_equal(rows, 4);
	/* The gates, the younger ones, and what is held by an open row.  A
	 * bucket of 400 days counts for as long, and its own 6.7 days. */
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget_window "
	    "WHERE budget_id >= 3"), 7);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget_window "
	    "WHERE budget_id >= 3 AND start_ms >= 0 AND reserved = 0"), 5);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget_window "
	    "WHERE budget_id = 6"), 2);
}

static void
cuts_are_whole_hours(void **state)
{

	(void)state;
	assert_true(prune_cut_ms(INT64_C(10) * ROLLUP_DAY_MS + 5, 3) ==
	    INT64_C(7) * ROLLUP_DAY_MS);
	assert_true(prune_cut_ms(INT64_C(10) * ROLLUP_DAY_MS - 5, 3) ==
	    INT64_C(7) * ROLLUP_DAY_MS - ROLLUP_HOUR_MS);
	assert_true(prune_cut_ms(5, 36500) == 0);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, desk_teardown)
	static const struct CMUnitTest tests[] = {
		T(what_agrees_is_found_to_agree),
		cmocka_unit_test(each_wrong_sum_is_found),
		T(many_differences_are_counted_and_some_shown),
		T(sums_stay_when_rows_go),
		T(old_windows_go_and_others_stay),
		cmocka_unit_test(cuts_are_whole_hours),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
