#include "visit.h"

#include <stdio.h>
#include <string.h>

#include "pool/lookup.h"

#include "key_secrets.h"
#include "keys.h"

#define DAY_MS		((int64_t)86400000)

static json_int_t
number(const struct visit *v, const char *name)
{

	return (desk_int(v->body, name));
}

static void
add_key(struct desk *d, const char *name, char key[SEAL_CLIENT_KEY_SIZE])
{
	struct key_change c;

	key_change_init(&c);
	c.name = name;
	desk_works(d, keys_create(d->st, &d->pepper, &c, key, &d->err));
}

/* The key that a responder finds by a secret; 0: none. */
static int64_t
looked_up(struct desk *d, const char *secret)
{
	struct lookup_op op = { .key = NULL };
	int64_t id;

	seal_hash(&d->pepper, secret, strlen(secret), op.hash);
	desk_works(d, lookup_read(d->st, &op, &d->err));
	id = op.key != NULL ? op.key->id : 0;
	if (op.key != NULL)
		assert_int_equal(lookup_again(d->st, op.key, &d->err), 1);
	key_info_unref(op.key);
	return (id);
}

static void
rotate(struct desk *d, int64_t overlap_ms, char key[SEAL_CLIENT_KEY_SIZE])
{

	desk_works(d, key_secrets_rotate(d->st, &d->pepper, "k", overlap_ms,
	    key, &d->err));
}

static void
an_old_secret_works_until_its_time(void **state)
{
	struct desk *d = *state;
	char keys[3][SEAL_CLIENT_KEY_SIZE];
	int64_t id;

	add_key(d, "k", keys[0]);
	id = desk_number(d, "SELECT id FROM api_key");
	rotate(d, DAY_MS, keys[1]);
	assert_string_not_equal(keys[0], keys[1]);
	assert_int_equal(looked_up(d, keys[0]), id);
	assert_int_equal(looked_up(d, keys[1]), id);

	/* One more: both old ones work, none for longer than the new
	 * overlap. */
	rotate(d, DAY_MS / 2, keys[2]);
	assert_int_equal(looked_up(d, keys[0]), id);
	assert_int_equal(looked_up(d, keys[1]), id);
	assert_int_equal(looked_up(d, keys[2]), id);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM key_secret "
	    "WHERE until_ms > %lld", (long long)(store_now_ms(d->st) +
	    DAY_MS / 2)), 0);

	/* Its time comes. */
	desk_sql(d, "UPDATE key_secret SET until_ms = 5");
	assert_int_equal(looked_up(d, keys[0]), 0);
	assert_int_equal(looked_up(d, keys[1]), 0);
	assert_int_equal(looked_up(d, keys[2]), id);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM api_key"), 1);
}

static void
without_overlap_all_old_ones_end(void **state)
{
	struct desk *d = *state;
	char keys[3][SEAL_CLIENT_KEY_SIZE];
	struct lookup_op op = { .key = NULL };

	add_key(d, "k", keys[0]);
	rotate(d, DAY_MS, keys[1]);
	seal_hash(&d->pepper, keys[1], strlen(keys[1]), op.hash);
	desk_works(d, lookup_read(d->st, &op, &d->err));
	assert_non_null(op.key);
	rotate(d, 0, keys[2]);
	assert_int_equal(looked_up(d, keys[0]), 0);
	assert_int_equal(looked_up(d, keys[1]), 0);
	assert_true(looked_up(d, keys[2]) > 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM key_secret"), 0);

	/* Who looked it up before finds out at admission. */
	assert_int_equal(lookup_again(d->st, op.key, &d->err), 0);
	key_info_unref(op.key);
}

static void
what_is_revoked_has_no_secrets(void **state)
{
	struct desk *d = *state;
	char keys[2][SEAL_CLIENT_KEY_SIZE];

	add_key(d, "k", keys[0]);
	rotate(d, DAY_MS, keys[1]);
	desk_works(d, keys_revoke(d->st, "k", &d->err));
	assert_int_equal(looked_up(d, keys[0]), 0);
	assert_int_equal(looked_up(d, keys[1]), 0);
	desk_fails(d, key_secrets_rotate(d->st, &d->pepper, "k", 0, keys[0],
	    &d->err), ERR_EXISTS);
	desk_fails(d, key_secrets_rotate(d->st, &d->pepper, "none", 0,
	    keys[0], &d->err), ERR_NOT_FOUND);
	desk_fails(d, key_secrets_rotate(d->st, &d->pepper, "k",
	    KEY_OVERLAP_MAX_MS + 1, keys[0], &d->err), ERR_INVAL);
}

static void
old_secrets_do_not_pile_up(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	int i;

	add_key(d, "k", key);
	for (i = 0; i < KEY_SECRETS_MAX; i++)
		rotate(d, DAY_MS, key);
	desk_fails(d, key_secrets_rotate(d->st, &d->pepper, "k", DAY_MS, key,
	    &d->err), ERR_EXISTS);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM key_secret"),
	    KEY_SECRETS_MAX);
	desk_sql(d, "UPDATE key_secret SET until_ms = 5");
	rotate(d, DAY_MS, key);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM key_secret"), 1);
}

static void
keep_text(const struct visit *v, const char *name, char *out, size_t size)
{

	(void)snprintf(out, size, "%s", visit_text(v, name));
}

static void
owners_rotate_their_keys(void **state)
{
	struct desk *d = *state;
	struct visit v, bob, olga;
	char path[64], first[64], second[64], *text;

	visit_init_ann(&v, d);
	visit_init(&bob, d);
	visit_init(&olga, d);
	visit_join(&bob, d, "user", "bob");
	visit_join(&olga, d, "operator", "olga");
	assert_int_equal(visit(&v, "POST", "/api-keys", "{\"name\": \"k\", "
	    "\"user\": \"bob\", \"budget_nusd\": 5}"), 201);
	keep_text(&v, "key", first, sizeof(first));
	(void)snprintf(path, sizeof(path), "/api-keys/%lld/rotate",
	    (long long)number(&v, "id"));

	visit_expect(&olga, 40301, "POST", path, "{}");
	visit_expect(&bob, 40001, "POST", path, "{\"overlap_s\": 2592001}");
	visit_expect(&bob, 40001, "POST", path, "{\"overlap_s\": -1}");
	visit_expect(&bob, 40001, "POST", path, "{\"overlap\": 1}");
	assert_int_equal(visit(&bob, "POST", path, "{\"overlap_s\": 3600}"),
	    201);
	keep_text(&bob, "key", second, sizeof(second));
	assert_true(number(&bob, "old_until_ms") > store_now_ms(d->st));
	assert_int_equal(number(&bob, "budget_nusd"), 5);
	assert_int_equal(looked_up(d, first), number(&bob, "id"));
	assert_int_equal(looked_up(d, second), number(&bob, "id"));
	assert_int_equal(visit(&v, "POST", path, "{}"), 201);
	assert_true(json_is_null(json_object_get(v.body, "old_until_ms")));
	assert_int_equal(looked_up(d, first), 0);

	/* That of another is not there. */
	assert_int_equal(visit(&v, "POST", "/api-keys",
	    "{\"name\": \"other\"}"), 201);
	(void)snprintf(path, sizeof(path), "/api-keys/%lld/rotate",
	    (long long)number(&v, "id"));
	visit_expect(&bob, 40401, "POST", path, "{}");

	assert_int_equal(visit(&v, "GET", "/logs?verb=key.rotate", NULL),
	    200);
	assert_int_equal(json_array_size(v.body), 2);
	text = json_dumps(v.body, 0);
	assert_null(strstr(text, second));
	assert_non_null(strstr(text, "\"bob\""));
	free(text);
	visit_fini(&v);
	visit_fini(&bob);
	visit_fini(&olga);
}

static void
many_keys_are_made_or_none(void **state)
{
	static const struct {
		int code;
		const char *body;
	} bad[] = {
		{ 40001, "{}" },
		{ 40001, "{\"keys\": []}" },
		{ 40001, "{\"keys\": {\"name\": \"a\"}}" },
		{ 40001, "{\"keys\": [5]}" },
		{ 40001, "{\"keys\": [{\"name\": \"a\"}, {}]}" },
		{ 40001, "{\"keys\": [{\"name\": \"a\"}, {\"name\": \"b\", "
		    "\"shoe\": 1}]}" },
		{ 40001, "{\"keys\": [{\"name\": \"a\"}], \"more\": 1}" },
		{ 40901, "{\"keys\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}" },
		{ 40401, "{\"keys\": [{\"name\": \"a\"}, {\"name\": \"b\", "
		    "\"group\": \"nope\"}]}" },
	};
	struct desk *d = *state;
	struct visit v;
	const json_t *items;
	const char *key;
	size_t i;

	visit_init_ann(&v, d);
	for (i = 0; i < NITEMS(bad); i++)
		visit_expect(&v, bad[i].code, "POST", "/api-keys/bulk",
		    bad[i].body);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM api_key"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb = 'key.create'"), 0);

	assert_int_equal(visit(&v, "POST", "/api-keys/bulk", "{\"keys\": ["
	    "{\"name\": \"a\", \"user\": \"ann\"}, {\"name\": \"b\", "
	    "\"budget_nusd\": 7}]}"), 201);
	items = json_object_get(v.body, "items");
	assert_int_equal(json_array_size(items), 2);
	for (i = 0; i < 2; i++) {
		key = json_string_value(json_object_get(json_array_get(items,
		    i), "key"));
		assert_non_null(key);
		assert_int_equal(looked_up(d, key), desk_int(json_array_get(
		    items, i), "id"));
	}
	assert_int_equal(desk_int(json_array_get(items, 1), "budget_nusd"),
	    7);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb = 'key.create' AND object IN ('a', 'b')"), 2);
	visit_fini(&v);
}

static void
too_many_keys_at_once_are_refused(void **state)
{
	struct desk *d = *state;
	char body[8192];
	struct visit v;
	size_t n = 0;
	int i;

	visit_init_ann(&v, d);
	for (i = 0; i < 101; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n,
		    "%s{\"name\": \"k%d\"}", i == 0 ? "{\"keys\": [" : ", ",
		    i);
	(void)snprintf(body + n, sizeof(body) - n, "]}");
	visit_expect(&v, 40001, "POST", "/api-keys/bulk", body);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM api_key"), 0);
	visit_fini(&v);
}

static void
many_keys_are_changed_or_none(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE], body[256];
	long long a, b;
	struct visit v, bob;

	visit_init_ann(&v, d);
	visit_init(&bob, d);
	visit_join(&bob, d, "user", "bob");
	add_key(d, "a", key);
	add_key(d, "b", key);
	a = desk_number(d, "SELECT id FROM api_key WHERE name = 'a'");
	b = desk_number(d, "SELECT id FROM api_key WHERE name = 'b'");
	visit_expect(&bob, 40301, "PATCH", "/api-keys/bulk", "{}");
	visit_expect(&v, 40001, "PATCH", "/api-keys/bulk", "{}");
	visit_expect(&v, 40001, "PATCH", "/api-keys/bulk",
	    "{\"ids\": [1, \"2\"], \"set\": {}}");
	visit_expect(&v, 40001, "PATCH", "/api-keys/bulk",
	    "{\"ids\": [1], \"set\": {\"name\": \"x\"}}");
	visit_expect(&v, 40001, "PATCH", "/api-keys/bulk", "{\"ids\": [1]}");
	(void)snprintf(body, sizeof(body), "{\"ids\": [%lld, 99], "
	    "\"set\": {\"enabled\": false}}", a);
	visit_expect(&v, 40401, "PATCH", "/api-keys/bulk", body);

	/* The second cannot be changed: the first stays as it is. */
	desk_works(d, keys_revoke(d->st, "b", &d->err));
	(void)snprintf(body, sizeof(body), "{\"ids\": [%lld, %lld], "
	    "\"set\": {\"enabled\": false}}", a, b);
	visit_expect(&v, 40901, "PATCH", "/api-keys/bulk", body);
	assert_int_equal(desk_number(d, "SELECT enabled FROM api_key "
	    "WHERE name = 'a'"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb = 'key.set'"), 0);

	desk_sql(d, "UPDATE api_key SET revoked_ms = NULL");
	assert_int_equal(visit(&v, "PATCH", "/api-keys/bulk", body), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "items")),
	    2);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM api_key "
	    "WHERE enabled = 0"), 2);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb = 'key.set'"), 2);
	visit_fini(&v);
	visit_fini(&bob);
}

static void
things_are_named_by_their_ids_too(void **state)
{
	struct desk *d = *state;
	char path[64], body[160];
	long long group, bob;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "bob");
	bob = number(&v, "id");
	visit_join(&v, d, "admin", "ann");
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	group = number(&v, "id");
	(void)snprintf(body, sizeof(body), "{\"name\": \"k\", "
	    "\"group_id\": %lld, \"user_id\": %lld, \"expires_at\": "
	    "\"2099-01-31T00:00:00Z\"}", group, bob);
	assert_int_equal(visit(&v, "POST", "/api-keys", body), 201);
	assert_string_equal(visit_text(&v, "bound_to"), "g");
	assert_string_equal(visit_text(&v, "user"), "bob");
	assert_int_equal(number(&v, "group_id"), group);
	assert_int_equal(number(&v, "user_id"), bob);
	assert_true(json_is_null(json_object_get(v.body, "account_id")));
	assert_int_equal(number(&v, "expires_ms"), 4073500800000);
	(void)snprintf(path, sizeof(path), "/api-keys/%lld",
	    (long long)number(&v, "id"));
	visit_expect(&v, 40401, "PATCH", path, "{\"group_id\": 999}");
	visit_expect(&v, 40001, "PATCH", path, "{\"group_id\": \"g\"}");
	visit_expect(&v, 40001, "PATCH", path,
	    "{\"group\": \"g\", \"group_id\": 1}");
	visit_expect(&v, 40001, "PATCH", path, "{\"expires_at\": \"soon\"}");
	visit_expect(&v, 40001, "PATCH", path,
	    "{\"expires_at\": \"1d\", \"expires_ms\": 0}");
	assert_int_equal(visit(&v, "PATCH", path, "{\"group_id\": null, "
	    "\"user_id\": null, \"expires_at\": null}"), 200);
	assert_string_equal(visit_text(&v, "bind"), "pool");
	assert_true(json_is_null(json_object_get(v.body, "user")));
	assert_true(json_is_null(json_object_get(v.body, "expires_ms")));
	visit_fini(&v);
}

static void
limits_are_taken_away_by_null(void **state)
{
	struct desk *d = *state;
	struct visit v;
	char path[64];

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/api-keys", "{\"name\": \"k\", "
	    "\"budget_nusd\": 5, \"drain_s\": 7}"), 201);
	assert_int_equal(number(&v, "budget_nusd"), 5);
	assert_int_equal(number(&v, "drain_ms"), 7000);
	(void)snprintf(path, sizeof(path), "/api-keys/%lld",
	    (long long)number(&v, "id"));
	assert_int_equal(visit(&v, "PATCH", path, "{\"name\": \"kk\"}"),
	    200);
	assert_int_equal(number(&v, "budget_nusd"), 5);
	assert_int_equal(number(&v, "drain_ms"), 7000);
	assert_int_equal(visit(&v, "PATCH", path, "{\"budget_nusd\": null, "
	    "\"drain_s\": null}"), 200);
	assert_true(json_is_null(json_object_get(v.body, "budget_nusd")));
	assert_true(json_is_null(json_object_get(v.body, "drain_ms")));
	visit_expect(&v, 40001, "PATCH", path, "{\"budget_nusd\": -2}");
	visit_expect(&v, 40001, "PATCH", path, "{\"drain_s\": -2}");
	visit_fini(&v);
}

static void
the_list_comes_in_pages(void **state)
{
	static const char *const names[] = { "c", "a", "e", "b", "d" };
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	struct visit v, bob;
	const json_t *items;
	size_t i;

	visit_init_ann(&v, d);
	visit_init(&bob, d);
	visit_join(&bob, d, "user", "bob");
	for (i = 0; i < NITEMS(names); i++)
		add_key(d, names[i], key);
	desk_sql(d, "UPDATE api_key SET person_id = %lld WHERE name IN "
	    "('e', 'b')", (long long)number(&bob, "id"));
	assert_int_equal(visit(&v, "GET", "/api-keys?limit=2&page=2", NULL),
	    200);
	items = json_object_get(v.body, "items");
	assert_int_equal(number(&v, "total"), 5);
	assert_int_equal(json_array_size(items), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
	    items, 0), "name")), "c");
	assert_int_equal(visit(&v, "GET", "/api-keys?limit=2&page=4", NULL),
	    200);
	assert_int_equal(json_array_size(json_object_get(v.body, "items")),
	    0);
	assert_int_equal(visit(&bob, "GET", "/api-keys?limit=1&page=2", NULL),
	    200);
	assert_int_equal(number(&bob, "total"), 2);
	items = json_object_get(bob.body, "items");
	assert_string_equal(json_string_value(json_object_get(json_array_get(
	    items, 0), "name")), "e");
	visit_expect(&v, 40001, "GET", "/api-keys?page=0", NULL);
	visit_expect(&v, 40001, "GET", "/api-keys?limit=1001", NULL);
	visit_fini(&v);
	visit_fini(&bob);
}

/* Pages and calendars would fail at what comes after. */
static void
no_time_is_beyond_the_calendar(void **state)
{
	static const char *const asks[][2] = {
		{ "/api-keys", "{\"name\": \"k\", \"expires_ms\": "
		    "9223372036854775807}" },
		{ "/api-keys", "{\"name\": \"k\", \"expires_ms\": "
		    "253402300800000}" },
		{ "/api-keys", "{\"name\": \"k\", \"expires_at\": "
		    "\"9999999d\"}" },
		{ "/auth/tokens", "{\"name\": \"t\", \"expires_ms\": "
		    "9223372036854775807}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 1, "
		    "\"output_nusd_mtok\": 1, \"valid_until_ms\": "
		    "9223372036854775807}" },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	for (i = 0; i < NITEMS(asks); i++)
		visit_expect(&v, 40001, "POST", asks[i][0], asks[i][1]);
	assert_int_equal(visit(&v, "POST", "/api-keys", "{\"name\": \"k\", "
	    "\"expires_ms\": 253402300799999}"), 201);
	visit_fini(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(no_time_is_beyond_the_calendar),
		DESK_TEST(an_old_secret_works_until_its_time),
		DESK_TEST(without_overlap_all_old_ones_end),
		DESK_TEST(what_is_revoked_has_no_secrets),
		DESK_TEST(old_secrets_do_not_pile_up),
		DESK_TEST(owners_rotate_their_keys),
		DESK_TEST(many_keys_are_made_or_none),
		DESK_TEST(too_many_keys_at_once_are_refused),
		DESK_TEST(many_keys_are_changed_or_none),
		DESK_TEST(things_are_named_by_their_ids_too),
		DESK_TEST(limits_are_taken_away_by_null),
		DESK_TEST(the_list_comes_in_pages),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
