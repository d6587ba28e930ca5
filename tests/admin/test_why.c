#include "desk.h"

#include <stdio.h>
#include <string.h>

#include "pool/affinity.h"
#include "pool/keys.h"
#include "store/store.h"

#include "accounts.h"
#include "groups.h"
#include "keys.h"
#include "why.h"

/* Accounts a, b and c of two slots; key k may use them all. */
static void
furnish(struct desk *d)
{
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change k;

	desk_account(d, "a", 2);
	desk_account(d, "b", 2);
	desk_account(d, "c", 2);
	key_change_init(&k);
	k.name = "k";
	desk_works(d, keys_create(d->st, &d->pepper, &k, key, &d->err));
}

/* The answer for account ${name}, of a session, has ${wanted} in it. */
static void
expect_of(struct desk *d, const char *session, const char *name,
    const char *wanted)
{
	const struct why_ask ask = {
		.account = name, .key = "k", .model = "claude-opus-4-1",
		.session = session, .half_open_ms = 30000,
		.affinity_ttl_ms = 3600000, .affinity_wait_ms = 3000
	};
	const char *text;
	bool picked;
	json_t *j;

	j = why_not(d->st, d->seal, &ask, &d->err);
	if (j == NULL)
		fail_msg("%s: %s", name, d->err.text);
	text = json_string_value(json_object_get(j, "answer"));
	picked = json_is_true(json_object_get(j, "picked"));
	if (strstr(text, wanted) == NULL)
		fail_msg("%s: \"%s\", not \"%s\"", name, text, wanted);
	assert_int_equal(picked, strstr(wanted, "would serve") != NULL);
	json_decref(j);
}

static void
expect(struct desk *d, const char *name, const char *wanted)
{

	expect_of(d, NULL, name, wanted);
}

static void
each_reason_is_said(void **state)
{
	struct desk *d = *state;

	furnish(d);
	expect(d, "a", "\"a\" would serve it now");
	expect(d, "b", "is fit; it is the turn of \"a\" by strategy weighted");
	desk_sql(d, "UPDATE account SET priority = 10 WHERE name = 'c'");
	expect(d, "a", "\"c\" has the smaller priority");
	desk_sql(d, "UPDATE account SET enabled = 0 WHERE name = 'c'");
	expect(d, "c", "\"c\" is disabled");
	desk_sql(d, "UPDATE slot SET responder_id = 1, ledger_id = n, "
	    "key_id = 1 WHERE account_id = 1");
	expect(d, "a", "all 2 slots of \"a\" are in use");
	desk_sql(d, "UPDATE slot SET responder_id = NULL, ledger_id = NULL, "
	    "key_id = NULL");
	desk_sql(d, "INSERT INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, observed_ms) VALUES (1, 'opus', "
	    "'rate_limited', 0, 4102444800000, 1, 0)");
	expect(d, "a", "is parked until 2100-01-01T00:00:00");
	expect(d, "a", "(rate_limited, for models of opus)");
	desk_sql(d, "DELETE FROM cooldown");
	desk_sql(d, "INSERT INTO account_health (account_id, first_byte_ms, "
	    "first_byte_seen_ms, share_permille, share_reset_ms, "
	    "share_window_ms, share_seen_ms, updated_ms) VALUES (1, 400, 1, "
	    "10, 4102444800000, 18000000, 1, 1)");
	expect(d, "a", "nearly nothing is left");
}

static void
what_is_about_the_key_comes_first(void **state)
{
	struct desk *d = *state;
	struct group_change g = { .name = "g", .concurrency = -1 };

	furnish(d);
	desk_sql(d, "UPDATE api_key SET models = 'claude-haiku*'");
	expect(d, "a", "may not use model claude-opus-4-1");
	desk_sql(d, "UPDATE api_key SET models = '', concurrency = 1");
	desk_sql(d, "UPDATE slot SET responder_id = 1, ledger_id = 1, "
	    "key_id = 1 WHERE account_id = 2 AND n = 1");
	expect(d, "a", "as many as it may have");
	desk_sql(d, "UPDATE api_key SET concurrency = 0, expires_ms = 1");
	expect(d, "a", "has expired");
	desk_sql(d, "UPDATE api_key SET expires_ms = NULL, enabled = 0");
	expect(d, "a", "is disabled");
	desk_sql(d, "UPDATE api_key SET enabled = 1");
	desk_works(d, groups_add(d->st, &g, &d->err));
	desk_sql(d, "UPDATE api_key SET bind_kind = 'group', bind_id = 1");
	expect(d, "a", "uses group \"g\", which \"a\" is not in");
	desk_sql(d, "UPDATE api_key SET bind_kind = 'account', bind_id = 2");
	expect(d, "a", "uses account \"b\" alone");
}

static void
users_and_groups_are_bounded_as_well(void **state)
{
	struct desk *d = *state;
	struct group_change g = { .name = "g", .concurrency = 1 };

	furnish(d);
	desk_sql(d, "INSERT INTO person (id, name, created_ms, concurrency) "
	    "VALUES (5, 'p', 0, 2)");
	desk_sql(d, "UPDATE api_key SET person_id = 5");
	desk_sql(d, "UPDATE slot SET responder_id = 1, ledger_id = 1, "
	    "key_id = 1 WHERE account_id = 2 AND n = 1");
	expect(d, "a", "\"a\" would serve it now");
	desk_sql(d, "UPDATE person SET concurrency = 1");
	expect(d, "a", "the keys of the user of key \"k\" have 1 requests");
	desk_sql(d, "UPDATE person SET concurrency = 0");
	desk_works(d, groups_add(d->st, &g, &d->err));
	desk_sql(d, "UPDATE api_key SET bind_kind = 'group', bind_id = 1");
	desk_sql(d, "UPDATE account SET group_id = 1");
	expect(d, "a", "the keys of the group of key \"k\" have 1 requests");
}

static void
breakers_are_explained(void **state)
{
	struct desk *d = *state;

	furnish(d);
	desk_sql(d, "UPDATE account SET enabled = 0 WHERE id > 1");
	desk_sql(d, "INSERT INTO cooldown (account_id, reason, since_ms, "
	    "until_ms, stated, observed_ms, probe_id, probe_attempt, "
	    "probe_ms) VALUES (1, 'auth', 0, 1, 0, 0, 42, 1, %lld)",
	    (long long)store_now_ms(d->st));
	expect(d, "a", "\"a\" would serve it now, as a probe");
	desk_sql(d, "INSERT INTO ledger (id, created_ms, key_id, kind, model, "
	    "responder_id, fence, state, stream, reserved_nusd, body_bytes) "
	    "VALUES (42, 0, 1, 'messages', 'm', 1, 1, 0, 0, 0, 0)");
	expect(d, "a", "is half-open (auth), and another request probes it");
	desk_sql(d, "UPDATE cooldown SET probe_ms = probe_ms - 31000");
	expect(d, "a", "would serve it now, as a probe");
	desk_sql(d, "UPDATE cooldown SET soft = 1, until_ms = 4102444800000, "
	    "reason = 'overloaded'");
	expect(d, "a", "would serve it now, as a probe");
	desk_sql(d, "UPDATE account SET enabled = 1");
	expect(d, "a", "is parked until 2100-01-01T00:00:00");
}

static void
a_session_has_its_account(void **state)
{
	const struct key_state key = { .id = 1, .bind_kind = "pool" };
	struct desk *d = *state;

	furnish(d);
	desk_sql(d, "INSERT INTO affinity (id, account_id, since_ms, used_ms, "
	    "cached_tokens, cache_ms, expires_ms) VALUES (%lld, 2, 0, %lld, "
	    "100000, 300000, 4102444800000)",
	    (long long)affinity_id(&key, "s-1"),
	    (long long)store_now_ms(d->st));
	expect_of(d, "s-2", "a", "\"a\" would serve it now");
	expect_of(d, "s-1", "a", "\"b\" holds the session's prompt cache");
	expect_of(d, "s-1", "b", "\"b\" would serve it now");
	desk_sql(d, "UPDATE slot SET responder_id = 1, ledger_id = n, "
	    "key_id = 1 WHERE account_id = 2");
	expect_of(d, "s-1", "a", "waits up to 3000 ms for \"b\"");
	expect_of(d, "s-1", "b", "all 2 slots of \"b\" are in use");
	desk_sql(d, "UPDATE affinity SET cached_tokens = 0");
	expect_of(d, "s-1", "a", "\"a\" would serve it now");
}

static void
all_that_the_key_may_use_are_listed(void **state)
{
	const struct why_ask ask = {
		.account = "a", .key = "k", .model = "claude-opus-4-1"
	}, unknown = { .account = "z", .key = "k", .model = "m" };
	struct desk *d = *state;
	json_t *j, *list, *one;

	furnish(d);
	desk_sql(d, "UPDATE account SET enabled = 0 WHERE name = 'b'");
	j = why_not(d->st, d->seal, &ask, &d->err);
	assert_non_null(j);
	list = json_object_get(j, "considered");
	assert_int_equal(json_array_size(list), 3);
	one = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(one,
	    "account")), "b");
	assert_string_equal(json_string_value(json_object_get(one, "why")),
	    "disabled");
	assert_int_equal(desk_int(one, "concurrency"), 2);
	json_decref(j);
	assert_null(why_not(d->st, d->seal, &unknown, &d->err));
	assert_int_equal(d->err.code, ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(each_reason_is_said),
		DESK_TEST(what_is_about_the_key_comes_first),
		DESK_TEST(users_and_groups_are_bounded_as_well),
		DESK_TEST(breakers_are_explained),
		DESK_TEST(a_session_has_its_account),
		DESK_TEST(all_that_the_key_may_use_are_listed),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
