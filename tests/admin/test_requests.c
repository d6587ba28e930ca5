#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/id.h"
#include "ledger/rollup.h"

#include "requests.h"
#include "requests_find.h"

#define ROWS		6000
#define DAYS		6
#define KEYS		30	/* of the last user more than are looked at
				   one by one */
#define MANY_KEYS	9	/* ... from this one on */

struct made {
	int64_t id;
	int64_t state, key, person, account, status, cost;
	const char *model, *sent_as, *outcome;
};

static struct made made[ROWS];		/* oldest first */

static int64_t
person_of(int64_t key)
{

	return (key >= MANY_KEYS ? 3 : key % 3);
}

static void
make_one(struct made *m, int64_t id, size_t i, unsigned *seed)
{
	static const char *const outcomes[] = {
		"ok", "ok", "ok", "client_gone", "overloaded", "lost"
	};
	const size_t o = (size_t)(rand_r(seed) % 6);

	*m = (struct made) {
		.id = id,
		.state = i % 1500 == 1499 ? 4 : i + 20 > ROWS && i % 7 == 0 ?
		    0 : 1,
		.key = 1 + rand_r(seed) % KEYS,
		.account = i / 1000 == 2 ? 3 : 1 + rand_r(seed) % 2,
		.model = rand_r(seed) % 10 == 0 ? "claude-opus" :
		    "claude-haiku",
		.sent_as = rand_r(seed) % 50 == 0 ? "alias_x" : "",
		.outcome = outcomes[o],
		.status = o < 3 ? 200 : o == 3 ? 499 : 529,
		.cost = o < 4 ? rand_r(seed) % 100000 : 0,
	};
	if (i == 1234)
		m->cost = 5000000;
	if (i == 700)
		m->status = 418;
	m->person = person_of(m->key);
	if (m->state == 0)
		m->account = m->status = m->cost = 0;
}

static void
put_one(FILE *f, const struct made *m)
{
	char closed[128] = "NULL, NULL, NULL, NULL";

	if (m->state == 1)
		(void)snprintf(closed, sizeof(closed), "%lld, '%s', %lld, "
		    "%lld", (long long)m->account, m->outcome,
		    (long long)m->status, (long long)m->cost);
	fprintf(f, "(%lld, %lld, 1, 1, 1, %lld, 'messages', '%s', 1, 0, 0, "
	    "%lld, '%s', %s)", (long long)m->id, (long long)m->state,
	    (long long)m->key, m->model, (long long)m->person, m->sent_as,
	    closed);
}

static void
put_rows(struct desk *d)
{
	char *sql = NULL;
	size_t size, i;
	FILE *f = open_memstream(&sql, &size);

	fputs("INSERT INTO ledger (id, state, fence, responder_id, "
	    "created_ms, key_id, kind, model, stream, reserved_nusd, "
	    "body_bytes, person_id, sent_as, account_id, outcome, status, "
	    "cost_nusd) VALUES ", f);
	for (i = 0; i < ROWS; i++) {
		if (i > 0)
			fputs(", ", f);
		put_one(f, &made[i]);
	}
	assert_int_equal(fclose(f), 0);
	raw_sql(d->url, sql);
	free(sql);
}

static void
put_sums(struct desk *d)
{
	const struct made *m;
	struct rollups u;

	rollups_init(&u);
	for (m = made; m < made + ROWS; m++) {
		const struct rollup_row row = {
			.ledger_id = m->id, .key_id = m->key,
			.person_id = m->person, .account_id = m->account,
			.model = *m->sent_as != '\0' ? m->sent_as : m->model,
			.outcome = m->outcome, .mark = USAGE_EXACT,
			.nusd = m->cost, .first_byte_ms = -1,
		};

		if (m->state == 1)
			desk_works(d, rollups_add(&u, &row, &d->err));
	}
	desk_works(d, store_begin(d->st, true, &d->err));
	desk_works(d, rollups_write(&u, d->st, &d->err));
	desk_works(d, store_commit(d->st, &d->err));
	rollups_fini(&u);
}

static int
setup(void **state)
{
	int64_t now_ms, step_ms = DAYS * ROLLUP_DAY_MS / ROWS;
	unsigned seed = 3;
	struct desk *d;
	size_t i;

	if (desk_setup(state) != 0)
		return (-1);
	d = *state;
	now_ms = store_now_ms(d->st);
	for (i = 0; i < ROWS; i++)
		make_one(&made[i], ledger_id_first(now_ms -
		    (int64_t)(ROWS - i) * step_ms) + (int64_t)i % 7, i,
		    &seed);
	for (i = 1; i <= 3; i++)
		desk_sql(d, "INSERT INTO person (id, name, created_ms) "
		    "VALUES (%zu, 'user-%zu', 1)", i, i);
	for (i = 1; i <= KEYS; i++)
		desk_sql(d, "INSERT INTO api_key (id, name, visible, hash, "
		    "created_ms, revoked_ms) VALUES (%zu, 'key-%zu', 'v', "
		    "'%zu', 1, %s)", i, i, i, i == 5 ? "7" : "NULL");
	desk_account(d, "account-1", 1);
	desk_account(d, "account-2", 1);
	desk_account(d, "account-3", 1);
	put_rows(d);
	put_sums(d);
	return (0);
}

static bool
like(const char *pattern, const char *s)
{

	for (; *pattern != '\0' && *pattern != '%'; pattern++, s++) {
		if (*pattern == '!')
			pattern++;
		if (*pattern != *s)
			return (false);
	}
	return (*pattern == '%' || *s == '\0');
}

static bool
fits(const struct request_want *w, const struct made *m)
{
	const bool open = strcmp(w->outcome, "open") == 0;

	return (m->state != 4 && m->id < w->below_id && m->id >= w->from_id &&
	    (w->key_id == 0 || m->key == w->key_id) &&
	    (w->person_id == 0 || m->person == w->person_id) &&
	    (w->account_id == 0 || (m->state == 1 &&
	    m->account == w->account_id)) &&
	    (like(w->model, m->model) || like(w->model, m->sent_as)) &&
	    (!open || m->state == 0) && (*w->outcome == '\0' || open ||
	    (m->state == 1 && strcmp(m->outcome, w->outcome) == 0)) &&
	    (w->status == 0 || (m->state == 1 && m->status == w->status)) &&
	    (w->min_cost_nusd == 0 || (m->state == 1 &&
	    m->cost >= w->min_cost_nusd)));
}

/* All pages, one after the other, are the rows that fit, newest first. */
static void
check(struct desk *d, struct request_want w)
{
	const struct request_want first = w;
	struct request_found found;
	size_t at = ROWS;
	int64_t i;
	int pages = 0;

	do {
		desk_works(d, requests_find(d->st, &w, &found, &d->err));
		for (i = 0; i < found.n; i++) {
			while (at > 0 && !fits(&first, &made[at - 1]))
				at--;
			assert_true(at > 0);
			if (found.ids[i] != made[--at].id)
				fail_msg("key %lld person %lld account %lld "
				    "%s %s %lld %lld: page %d row %lld is "
				    "another", (long long)w.key_id,
				    (long long)w.person_id,
				    (long long)w.account_id, w.model,
				    w.outcome, (long long)w.status,
				    (long long)w.min_cost_nusd, pages,
				    (long long)i);
		}
		assert_true(found.n <= w.limit);
		assert_true(found.next_id < w.below_id);
		if (w.patience_ms == 0 && found.next_id != 0)
			assert_int_equal(found.n, w.limit);
		w.below_id = found.next_id;
		free(found.ids);
		assert_true(++pages < 3 * ROWS);
	} while (found.next_id != 0);
	while (at > 0 && !fits(&first, &made[at - 1]))
		at--;
	assert_int_equal(at, 0);
}

/* Of each combination of filters. */
static void
each_filter_finds_its_rows(void **state)
{
	static const int64_t keys[] = { 0, 2, 5, 77 };
	static const int64_t persons[] = { 0, 1, 3, 9 };
	static const int64_t accounts[] = { 0, 2, 3, 4 };
	static const char *const models[] = { "%", "claude-o%", "alias!_x" };
	static const char *const outcomes[] = { "", "ok", "lost", "open",
		"none" };
	static const int64_t statuses[] = { 0, 529, 418 };
	static const int64_t costs[] = { 0, 99000, 1000000 };
	struct desk *d = *state;
	size_t n = 4 * 4 * 4 * 3 * 5 * 3 * 3, i, k;

	/* A seventh of them, others each time the numbers change. */
	for (i = 0; i < n; i += 7) {
		struct request_want w = {
			.below_id = INT64_MAX,
			.limit = i % 2 == 0 ? 50 : 1000,
			.patience_ms = i % 3 == 0 ? 1 : 0,
		};

		k = i;
		w.key_id = keys[k % 4];
		w.person_id = persons[(k /= 4) % 4];
		w.account_id = accounts[(k /= 4) % 4];
		w.model = models[(k /= 4) % 3];
		w.outcome = outcomes[(k /= 3) % 5];
		w.status = statuses[(k /= 5) % 3];
		w.min_cost_nusd = costs[(k /= 3) % 3];
		if (i % 5 == 0) {
			w.from_id = made[ROWS / 3].id;
			w.below_id = made[ROWS / 2].id;
		}
		check(d, w);
	}
}

static void
a_single_filter_finds_its_rows(void **state)
{
	static const struct request_want wants[] = {
		{ .model = "%", .outcome = "" },
		{ .model = "%", .outcome = "", .key_id = 7 },
		{ .model = "%", .outcome = "", .person_id = 2 },
		{ .model = "%", .outcome = "", .person_id = 3 },
		{ .model = "%", .outcome = "", .account_id = 3 },
		{ .model = "%", .outcome = "", .status = 418 },
		{ .model = "%", .outcome = "", .min_cost_nusd = 1000000 },
		{ .model = "%", .outcome = "overloaded" },
		{ .model = "%", .outcome = "open" },
		{ .model = "claude-opus", .outcome = "" },
	};
	struct desk *d = *state;
	struct request_want w;
	size_t i, limit;

	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		for (limit = 1; limit <= 10000; limit *= 10) {
			w = wants[i];
			w.below_id = INT64_MAX;
			w.limit = (int64_t)limit;
			if (limit == 1)	/* of the newest alone */
				w.from_id = made[ROWS - 100].id;
			check(d, w);
		}
	}
}

static void
a_list_has_the_rows_of_its_ids(void **state)
{
	struct request_filter f = { .key = "key-5", .limit = 3 };
	struct desk *d = *state;
	int64_t next_id;
	json_t *rows;

	rows = requests_list(d->st, &f, &next_id, &d->err);
	desk_works(d, rows == NULL);
	assert_int_equal(json_array_size(rows), 3);
	assert_true(next_id != 0);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
	    rows, 2), "key")), "key-5");
	json_decref(rows);
	f.before_id = 1;
	rows = requests_list(d->st, &f, &next_id, &d->err);
	assert_int_equal(json_array_size(rows), 0);
	assert_int_equal(next_id, 0);
	json_decref(rows);
	f = (struct request_filter) { .user = "nobody", .limit = 1 };
	assert_null(requests_list(d->st, &f, &next_id, &d->err));
	desk_fails(d, -1, ERR_NOT_FOUND);
	f = (struct request_filter) { .account = "none", .limit = 1 };
	assert_null(requests_list(d->st, &f, &next_id, &d->err));
	desk_fails(d, -1, ERR_NOT_FOUND);
	f = (struct request_filter) { .key = "none", .limit = 1 };
	assert_null(requests_list(d->st, &f, &next_id, &d->err));
	desk_fails(d, -1, ERR_NOT_FOUND);
}

#define REQUEST_TEST(f) cmocka_unit_test_setup_teardown(f, setup, desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		REQUEST_TEST(a_single_filter_finds_its_rows),
		REQUEST_TEST(each_filter_finds_its_rows),
		REQUEST_TEST(a_list_has_the_rows_of_its_ids),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
