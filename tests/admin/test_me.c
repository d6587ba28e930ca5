#include "visit.h"

#include <stdio.h>
#include <string.h>

#include "ledger/rollup.h"

#include "key_secrets.h"
#include "keys.h"
#include "tries.h"

#define DAY_MS		ROLLUP_DAY_MS

static int64_t
add_key(struct desk *d, const char *name, char key[SEAL_CLIENT_KEY_SIZE])
{
	struct key_change c;

	key_change_init(&c);
	c.name = name;
	c.budget_nusd = 5000;
	desk_works(d, keys_create(d->st, &d->pepper, &c, key, &d->err));
	return (desk_number(d, "SELECT id FROM api_key WHERE name = '%s'",
	    name));
}

/* One request of a cost, so many days ago. */
static void
use(struct desk *d, int64_t key_id, int days, const char *model,
    int64_t cost_nusd)
{
	const int64_t at_ms = store_now_ms(d->st) - days * DAY_MS;
	char names[1024] = "", values[1024] = "";
	size_t i;

	for (i = 0; i < ROLLUP_NSUMS; i++) {
		(void)strcat(strcat(names, ", "), rollup_names[i]);
		(void)snprintf(values + strlen(values), 24, ", %lld",
		    i == ROLLUP_REQUESTS ? 1LL : i == ROLLUP_COST_NUSD ?
		    (long long)cost_nusd : 0LL);
	}
	for (i = 0; i < 2; i++)
		desk_sql(d, "INSERT INTO %s (start_ms, key_id, account_id, "
		    "group_id, person_id, model%s) VALUES (%lld, %lld, 0, 0, "
		    "0, '%s'%s)", i == 0 ? "usage_hour" : "usage_day", names,
		    (long long)(at_ms - at_ms % (i == 0 ? ROLLUP_HOUR_MS :
		    ROLLUP_DAY_MS)), (long long)key_id, model, values);
}

static int64_t
cost(const json_t *j)
{

	return (desk_int(j, "cost_nusd"));
}

static void
a_key_sees_what_it_used(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE], other[SEAL_CLIENT_KEY_SIZE], *text;
	const json_t *usage, *limit;
	int64_t id, id2;
	struct visit v;

	visit_init(&v, d);
	id = add_key(d, "mine", key);
	id2 = add_key(d, "secret-name", other);
	use(d, id, 0, "m1", 3);
	use(d, id, 1, "m2", 40);
	use(d, id, 29, "m1", 500);
	use(d, id, 30, "m1", 6000);
	use(d, id2, 0, "m3", 70000);
	desk_sql(d, "UPDATE budget_window SET spent = 43 WHERE budget_id = "
	    "(SELECT min(id) FROM budget)");

	(void)strcpy(v.key, key);
	assert_int_equal(visit(&v, "GET", "/me/usage", NULL), 200);
	assert_string_equal(json_string_value(json_object_get(json_object_get(
	    v.body, "key"), "name")), "mine");
	usage = json_object_get(v.body, "usage");
	assert_int_equal(cost(json_object_get(usage, "today")), 3);
	assert_int_equal(json_array_size(json_object_get(usage, "rows")), 3);
	assert_int_equal(cost(json_array_get(json_object_get(usage, "rows"),
	    0)), 500);
	assert_int_equal(json_array_size(json_object_get(v.body, "models")),
	    2);
	assert_int_equal(cost(json_array_get(json_object_get(v.body,
	    "models"), 0)), 503);
	assert_int_equal(json_array_size(json_object_get(v.body, "limits")),
	    1);
	limit = json_array_get(json_object_get(v.body, "limits"), 0);
	assert_string_equal(json_string_value(json_object_get(limit,
	    "counts")), "money");
	assert_int_equal(desk_int(limit, "limit"), 5000);
	assert_int_equal(desk_int(limit, "used"), 43);
	text = json_dumps(v.body, 0);
	assert_null(strstr(text, "secret-name"));
	assert_null(strstr(text, "70000"));
	assert_null(strstr(text, "m3"));
	assert_null(strstr(text, key));
	free(text);

	/* As a bearer, and by an old secret. */
	v.key[0] = '\0';
	(void)strcpy(v.bearer, other);
	assert_int_equal(visit(&v, "GET", "/me/usage?zone=Europe/Berlin",
	    NULL), 200);
	assert_string_equal(visit_text(&v, "zone"), "Europe/Berlin");
	visit_expect(&v, 40001, "GET", "/me/usage?zone=Middle/Earth", NULL);
	desk_works(d, key_secrets_rotate(d->st, &d->pepper, "secret-name",
	    DAY_MS, key, &d->err));
	assert_int_equal(visit(&v, "GET", "/me/usage", NULL), 200);
	visit_fini(&v);
}

static void
of_a_groups_budget_the_limit_is_told_alone(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	const json_t *limits, *l;
	struct visit v;
	size_t i, seen = 0;
	int64_t id;

	visit_init(&v, d);
	id = add_key(d, "mine", key);
	visit_join(&v, d, "admin", "ann");
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	assert_int_equal(visit(&v, "POST", "/budgets", "{\"name\": \"all\", "
	    "\"on\": \"group\", \"of\": \"g\", \"counts\": \"requests\", "
	    "\"limit\": 77, \"period\": \"total\"}"), 201);
	desk_sql(d, "UPDATE api_key SET bind_kind = 'group', bind_id = "
	    "(SELECT id FROM account_group) WHERE id = %lld", (long long)id);
	(void)strcpy(v.key, key);
	assert_int_equal(visit(&v, "GET", "/me/usage", NULL), 200);
	limits = json_object_get(v.body, "limits");
	assert_int_equal(json_array_size(limits), 2);
	for (i = 0; i < 2; i++) {
		l = json_array_get(limits, i);
		if (strcmp(json_string_value(json_object_get(l, "on")),
		    "group") != 0)
			continue;
		assert_int_equal(desk_int(l, "limit"), 77);
		assert_true(json_is_null(json_object_get(l, "used")));
		assert_true(json_is_null(json_object_get(l, "left")));
		seen++;
	}
	assert_int_equal(seen, 1);
	visit_fini(&v);
}

static void
a_key_opens_nothing_else(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	struct visit v, signed_in;

	visit_init(&v, d);
	visit_init(&signed_in, d);
	(void)add_key(d, "mine", key);
	(void)strcpy(v.key, key);
	visit_expect(&v, 40101, "GET", "/usage", NULL);
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	(void)strcpy(v.bearer, key);
	visit_expect(&v, 40101, "GET", "/api-keys", NULL);

	/* Nor does a sign-in stand in for a key. */
	visit_join(&signed_in, d, "admin", "ann");
	visit_expect(&signed_in, 40101, "GET", "/me/usage", NULL);
	visit_fini(&v);
	visit_fini(&signed_in);
}

static void
what_the_relay_refuses_is_refused(void **state)
{
	static const char *const states[] = {
		"enabled = 0", "expires_ms = 1000", "revoked_ms = 1000"
	};
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	struct visit v;
	size_t i;

	visit_init(&v, d);
	(void)add_key(d, "mine", key);
	(void)strcpy(v.key, key);
	for (i = 0; i < NITEMS(states); i++) {
		desk_sql(d, "UPDATE api_key SET %s", states[i]);
		visit_expect(&v, 40101, "GET", "/me/usage", NULL);
		desk_sql(d, "UPDATE api_key SET enabled = 1, "
		    "expires_ms = NULL, revoked_ms = NULL");
		assert_int_equal(visit(&v, "GET", "/me/usage", NULL), 200);
	}
	visit_fini(&v);
}

static void
wrong_keys_have_to_wait(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	struct visit v, other;
	int i;

	visit_init(&v, d);
	visit_init(&other, d);
	(void)add_key(d, "mine", key);
	visit_expect(&v, 40101, "GET", "/me/usage", NULL);
	for (i = 0; i < TRIES_FREE_ADDRESS; i++) {
		(void)snprintf(v.key, sizeof(v.key), "sk-lh-%d", i);
		visit_expect(&v, 40101, "GET", "/me/usage", NULL);
	}
	visit_expect(&v, 42901, "GET", "/me/usage", NULL);
	assert_non_null(strstr(v.head, "retry-after:"));

	/* Also a good one: else the answers would tell. */
	(void)strcpy(v.key, key);
	visit_expect(&v, 42901, "GET", "/me/usage", NULL);

	/* From elsewhere it is let in, and people may sign in from here. */
	other.address = "192.0.2.77";
	(void)strcpy(other.key, key);
	assert_int_equal(visit(&other, "GET", "/me/usage", NULL), 200);
	v.key[0] = '\0';
	visit_join(&v, d, "user", "bob");

	/* One that is let in counts nothing. */
	for (i = 0; i < 2 * TRIES_FREE_ADDRESS; i++)
		assert_int_equal(visit(&other, "GET", "/me/usage", NULL),
		    200);
	desk_sql(d, "UPDATE sign_in_try SET until_ms = 5");
	(void)strcpy(v.key, key);
	assert_int_equal(visit(&v, "GET", "/me/usage", NULL), 200);
	visit_fini(&v);
	visit_fini(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_key_sees_what_it_used),
		DESK_TEST(of_a_groups_budget_the_limit_is_told_alone),
		DESK_TEST(a_key_opens_nothing_else),
		DESK_TEST(what_the_relay_refuses_is_refused),
		DESK_TEST(wrong_keys_have_to_wait),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
