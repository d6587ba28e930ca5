#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ledger/meta.h"
#include "pool/choose.h"

#include "account_secrets.h"
#include "accounts.h"
#include "groups.h"
#include "install.h"
#include "keys.h"
#include "tokens.h"
#include "users.h"

/* ---- accounts ---- */

static void
set_concurrency(struct desk *d, const char *name, int64_t n)
{
	struct account_change c;

	account_change_init(&c);
	c.concurrency = n;
	desk_works(d, accounts_set(d->st, d->seal, name, &c, &d->err));
}

static int64_t
slots(struct desk *d)
{

	return (desk_number(d, "SELECT count(*) FROM slot"));
}

static void
an_account_has_as_many_slots_as_it_may_serve(void **state)
{
	struct desk *d = *state;

	desk_account(d, "a", 100);
	assert_int_equal(slots(d), 100);
	assert_int_equal(desk_number(d, "SELECT min(n) FROM slot"), 1);
	assert_int_equal(desk_number(d, "SELECT max(n) FROM slot"), 100);
	set_concurrency(d, "a", 130);
	assert_int_equal(slots(d), 130);
	set_concurrency(d, "a", 2);
	assert_int_equal(slots(d), 2);
	set_concurrency(d, "a", 2);
	assert_int_equal(slots(d), 2);
}

static void
held_slots_above_the_limit_stay_until_they_are_free(void **state)
{
	struct desk *d = *state;

	desk_account(d, "a", 4);
	desk_sql(d, "UPDATE slot SET responder_id = 1, ledger_id = 9, "
	    "fence = 5 WHERE n = 4");
	set_concurrency(d, "a", 2);
	assert_int_equal(slots(d), 3);
	assert_int_equal(desk_number(d, "SELECT fence FROM slot "
	    "WHERE n = 4"), 5);

	/* A limit that takes it in again leaves its lease alone. */
	set_concurrency(d, "a", 5);
	assert_int_equal(slots(d), 5);
	assert_int_equal(desk_number(d, "SELECT ledger_id FROM slot "
	    "WHERE n = 4"), 9);
	set_concurrency(d, "a", 1);
	desk_sql(d, "UPDATE slot SET responder_id = NULL");
	set_concurrency(d, "a", 1);
	assert_int_equal(slots(d), 1);
}

static void
each_change_raises_the_config_version_once(void **state)
{
	struct desk *d = *state;
	int64_t before, after;

	desk_works(d, meta_config_version(d->st, &before, &d->err));
	desk_account(d, "a", 1);
	desk_works(d, meta_config_version(d->st, &after, &d->err));
	assert_int_equal(after, before + 1);
	set_concurrency(d, "a", 3);
	desk_works(d, accounts_remove(d->st, "a", &d->err));
	desk_works(d, meta_config_version(d->st, &after, &d->err));
	assert_int_equal(after, before + 3);
	desk_fails(d, accounts_remove(d->st, "a", &d->err), ERR_NOT_FOUND);
	desk_works(d, meta_config_version(d->st, &after, &d->err));
	assert_int_equal(after, before + 3);
}

static void
a_change_that_fails_changes_nothing(void **state)
{
	struct desk *d = *state;
	struct account_change c;
	json_t *a;

	desk_account(d, "a", 3);
	desk_account(d, "b", 3);
	account_change_init(&c);
	c.name = "a";
	c.priority = 1;
	c.concurrency = 9;
	desk_fails(d, accounts_set(d->st, d->seal, "b", &c, &d->err),
	    ERR_EXISTS);
	a = accounts_show(d->st, "b", &d->err);
	desk_works(d, a == NULL);
	assert_int_equal(desk_int(a, "priority"), 50);
	assert_int_equal(desk_int(a, "concurrency"), 3);
	assert_int_equal(slots(d), 6);
	json_decref(a);
}

static void
an_account_in_use_cannot_be_removed(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change k;

	desk_account(d, "a", 2);
	desk_sql(d, "UPDATE slot SET responder_id = 1 WHERE n = 1");
	desk_fails(d, accounts_remove(d->st, "a", &d->err), ERR_EXISTS);
	desk_sql(d, "UPDATE slot SET responder_id = NULL");
	key_change_init(&k);
	k.name = "k";
	k.bind = true;
	k.account = "a";
	desk_works(d, keys_create(d->st, &d->pepper, &k, key, &d->err));
	desk_fails(d, accounts_remove(d->st, "a", &d->err), ERR_EXISTS);
	desk_works(d, keys_revoke(d->st, "k", &d->err));
	desk_sql(d, "INSERT INTO cooldown (account_id, reason, since_ms, "
	    "until_ms, stated, observed_ms) VALUES (1, 'x', 0, 1, 0, 0)");
	desk_works(d, accounts_remove(d->st, "a", &d->err));
	assert_int_equal(slots(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM cooldown"), 0);
}

static void
an_account_is_woken_alone_and_wholly(void **state)
{
	struct desk *d = *state;
	int64_t before, after;

	desk_account(d, "a", 1);
	desk_account(d, "b", 1);
	desk_sql(d, "INSERT INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, strikes, observed_ms) VALUES "
	    "(1, '', 'overloaded', 0, 9000000000000, 0, 3, 0), "
	    "(1, 'opus', 'rate_limited', 0, 9000000000000, 1, 1, 0), "
	    "(1, 'haiku', 'rate_limited', 0, 1, 1, 1, 0), "
	    "(2, '', 'overloaded', 0, 9000000000000, 0, 3, 0)");
	desk_works(d, meta_config_version(d->st, &before, &d->err));
	desk_fails(d, accounts_wake(d->st, "c", &d->err), ERR_NOT_FOUND);
	desk_works(d, accounts_wake(d->st, "a", &d->err));
	desk_works(d, meta_config_version(d->st, &after, &d->err));
	assert_int_equal(after, before + 1);
	assert_int_equal(desk_number(d, "SELECT sum(account_id) "
	    "FROM cooldown"), 2);
	desk_works(d, accounts_wake(d->st, "a", &d->err));
}

static void
a_new_secret_wakes_an_account(void **state)
{
	struct desk *d = *state;
	struct account_change c;

	desk_account(d, "a", 1);
	desk_sql(d, "INSERT INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, strikes, observed_ms) VALUES "
	    "(1, '', 'auth', 0, 9000000000000, 0, 3, 0)");
	set_concurrency(d, "a", 2);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM cooldown"), 1);
	account_change_init(&c);
	c.secret = "new";
	c.secret_len = 3;
	desk_works(d, accounts_set(d->st, d->seal, "a", &c, &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM cooldown"), 0);
}

static void
secrets_are_sealed_and_bound_to_their_row(void **state)
{
	struct desk *d = *state;
	char *secret;
	size_t len;

	desk_account(d, "a", 1);
	desk_account(d, "b", 1);
	desk_works(d, account_secret_get(d->st, d->seal, ACCOUNT_SECRET, 1,
	    &secret, &len, &d->err));
	assert_string_equal(secret, "sk-ant-one");
	assert_int_equal(len, strlen("sk-ant-one"));
	seal_wipe_free(secret, len);
	assert_int_equal(desk_number(d, "SELECT instr(hex(secret), "
	    "hex('sk-ant')) FROM account WHERE id = 1"), 0);
	desk_sql(d, "UPDATE account SET secret = (SELECT secret FROM account "
	    "WHERE id = 1) WHERE id = 2");
	desk_fails(d, account_secret_get(d->st, d->seal, ACCOUNT_SECRET, 2,
	    &secret, &len, &d->err), ERR_CRYPTO);
	desk_fails(d, account_secret_get(d->st, d->seal, ACCOUNT_SECRET, 3,
	    &secret, &len, &d->err), ERR_NOT_FOUND);
}

static const char *
member(const json_t *j, const char *name)
{

	return (json_string_value(json_object_get(j, name)));
}

static const char *
cooldown_text(json_t *account, size_t i, const char *name)
{

	return (member(json_array_get(json_object_get(account, "cooldowns"),
	    i), name));
}

static void
accounts_list_what_is_against_them(void **state)
{
	struct desk *d = *state;
	int64_t now = store_now_ms(d->st);
	json_t *a;

	desk_account(d, "a", 1);
	desk_sql(d, "INSERT INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, observed_ms, cause_id, soft) VALUES "
	    "(1, '', 'rate_limited', 0, %lld, 1, 0, 42, 0), "
	    "(1, 'haiku', 'rate_limited', 0, %lld, 1, 0, 42, 0), "
	    "(1, 'opus', 'overloaded', 0, %lld, 0, 0, NULL, 1)",
	    (long long)now + 60000, (long long)now - 1, (long long)now - 1);
	a = accounts_show(d->st, "a", &d->err);
	desk_works(d, a == NULL);
	assert_int_equal(desk_int(a, "parked_until_ms"), now + 60000);
	assert_string_equal(member(a, "breaker"), "open");
	assert_string_equal(member(a, "breaker_reason"), "rate_limited");
	assert_int_equal(json_array_size(json_object_get(a, "cooldowns")), 2);
	assert_string_equal(cooldown_text(a, 0, "state"), "open");
	assert_string_equal(cooldown_text(a, 0, "cause"),
	    "req_lh_000000000001a");
	assert_null(cooldown_text(a, 0, "probe"));
	assert_string_equal(cooldown_text(a, 1, "state"), "half-open");
	json_decref(a);
}

static void
a_breaker_shows_whether_it_is_probed(void **state)
{
	static const struct {
		int fence, state;	/* of the request that has the right */
		const char *shown;
	} cases[] = {
		{ 1, 0, "probing" },
		{ 2, 0, "half-open" },		/* it moved on */
		{ 1, 2, "half-open" },		/* it was reaped */
	};
	struct desk *d = *state;
	json_t *a;
	size_t i;

	desk_account(d, "a", 1);
	desk_sql(d, "INSERT INTO cooldown (account_id, reason, since_ms, "
	    "until_ms, stated, observed_ms, probe_id, probe_attempt) VALUES "
	    "(1, 'auth', 0, 1, 0, 0, 42, 1)");
	desk_sql(d, "INSERT INTO ledger (id, created_ms, key_id, kind, model, "
	    "responder_id, fence, state, stream, reserved_nusd, body_bytes) "
	    "VALUES (42, 0, 1, 'messages', 'm', 1, 1, 0, 0, 0, 0)");
	for (i = 0; i < NITEMS(cases); i++) {
		desk_sql(d, "UPDATE ledger SET fence = %d, state = %d",
		    cases[i].fence, cases[i].state);
		a = accounts_show(d->st, "a", &d->err);
		desk_works(d, a == NULL);
		assert_string_equal(member(a, "breaker"), "half-open");
		assert_true(json_is_null(json_object_get(a,
		    "parked_until_ms")));
		assert_string_equal(cooldown_text(a, 0, "state"),
		    cases[i].shown);
		json_decref(a);
	}
}

/* ---- keys ---- */

static void
keys_are_kept_as_hashes(void **state)
{
	struct desk *d = *state;
	unsigned char hash[SEAL_HASH_BYTES];
	char key[SEAL_CLIENT_KEY_SIZE], hex[2 * SEAL_HASH_BYTES + 1];
	struct key_change c;
	size_t i;

	key_change_init(&c);
	c.name = "k";
	desk_works(d, keys_create(d->st, &d->pepper, &c, key, &d->err));
	assert_memory_equal(key, "sk-lh-", 6);
	assert_int_equal(strlen(key), SEAL_CLIENT_KEY_SIZE - 1);
	seal_hash(&d->pepper, key, strlen(key), hash);
	for (i = 0; i < sizeof(hash); i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", hash[i]);
	assert_int_equal(desk_number(d, "SELECT id FROM api_key "
	    "WHERE hex(hash) = '%s'", hex), 1);
}

static void
a_budget_has_its_window_and_keeps_what_was_spent(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change c;
	json_t *k;

	key_change_init(&c);
	c.name = "k";
	c.budget_nusd = 5000;
	desk_works(d, keys_create(d->st, &d->pepper, &c, key, &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget_window "
	    "WHERE start_ms = 0 AND spent = 0 AND reserved = 0"), 1);
	desk_sql(d, "UPDATE budget_window SET spent = 700, reserved = 30");
	key_change_init(&c);
	c.budget_nusd = KEY_BUDGET_NONE;
	desk_works(d, keys_set(d->st, "k", &c, &d->err));
	assert_int_equal(desk_number(d, "SELECT enabled FROM budget"), 0);
	c.budget_nusd = 9000;
	desk_works(d, keys_set(d->st, "k", &c, &d->err));
	k = keys_show(d->st, "k", &d->err);
	desk_works(d, k == NULL);
	assert_int_equal(desk_int(k, "budget_nusd"), 9000);
	assert_int_equal(desk_int(k, "spent_nusd"), 700);
	assert_int_equal(desk_int(k, "reserved_nusd"), 30);
	json_decref(k);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget"), 1);
}

static void
a_key_shows_what_it_used_and_has_in_flight(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change c;
	json_t *k, *usage;

	key_change_init(&c);
	c.name = "k";
	desk_works(d, keys_create(d->st, &d->pepper, &c, key, &d->err));
	desk_sql(d, "INSERT INTO ledger (id, state, fence, responder_id, "
	    "created_ms, key_id, kind, model, stream, reserved_nusd, "
	    "body_bytes, input_tokens, output_tokens, cost_nusd) VALUES "
	    "(2, 0, 1, 1, 20, 1, 'messages', 'm', 0, 0, 0, 0, 0, NULL), "
	    "(3, 4, 1, 1, 30, 1, 'messages', 'm', 0, 0, 0, 9, 9, 9), "
	    "(4, 0, 1, 1, 40, 2, 'messages', 'm', 0, 0, 0, 9, 9, 9)");
	k = keys_show(d->st, "k", &d->err);
	desk_works(d, k == NULL);
	assert_int_equal(desk_int(json_object_get(k, "usage"), "requests"), 1);
	assert_int_equal(desk_int(json_object_get(k, "usage"), "cost_nusd"),
	    0);
	json_decref(k);
	desk_sql(d, "INSERT INTO key_usage VALUES (1, 1, 700, 5, 6, 7, 8, 10)"
	    ", (2, 1, 9, 9, 9, 9, 9, 40)");
	k = keys_show(d->st, "k", &d->err);
	desk_works(d, k == NULL);
	assert_int_equal(desk_int(k, "in_flight"), 1);
	usage = json_object_get(k, "usage");
	assert_int_equal(desk_int(usage, "requests"), 2);
	assert_int_equal(desk_int(usage, "cost_nusd"), 700);
	assert_int_equal(desk_int(usage, "input_tokens"), 5);
	assert_int_equal(desk_int(usage, "output_tokens"), 6);
	assert_int_equal(desk_int(usage, "cache_read_tokens"), 7);
	assert_int_equal(desk_int(usage, "cache_write_tokens"), 8);
	assert_int_equal(desk_int(usage, "last_ms"), 20);
	json_decref(k);
}

/* ---- users ---- */

static void
a_key_belongs_to_a_user_until_it_is_said_otherwise(void **state)
{
	struct desk *d = *state;
	const struct user_change u = { .name = "u" };
	const struct user_change none = { .concurrency = -1 };
	const struct user_change many = {
		.concurrency = USER_CONCURRENCY_MAX + 1
	};
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change c;
	json_t *j;

	desk_works(d, users_add(d->st, &u, &d->err));
	desk_fails(d, users_add(d->st, &u, &d->err), ERR_EXISTS);
	key_change_init(&c);
	c.name = "k";
	c.user = "nobody";
	desk_fails(d, keys_create(d->st, &d->pepper, &c, key, &d->err),
	    ERR_NOT_FOUND);
	c.user = "u";
	desk_works(d, keys_create(d->st, &d->pepper, &c, key, &d->err));
	key_change_init(&c);
	c.models = "m";
	desk_works(d, keys_set(d->st, "k", &c, &d->err));
	assert_int_equal(desk_number(d, "SELECT person_id FROM api_key"), 1);
	desk_works(d, users_set(d->st, "u", &none, &d->err));
	desk_fails(d, users_set(d->st, "u", &many, &d->err), ERR_INVAL);
	desk_fails(d, users_remove(d->st, "u", &d->err), ERR_EXISTS);
	j = users_show(d->st, "u", &d->err);
	desk_works(d, j == NULL);
	assert_int_equal(json_array_size(json_object_get(j, "keys")), 1);
	json_decref(j);
}

static void
a_revoked_key_outlives_its_user(void **state)
{
	struct desk *d = *state;
	const struct user_change u = { .name = "u" };
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change c;

	desk_works(d, users_add(d->st, &u, &d->err));
	key_change_init(&c);
	c.name = "k";
	c.user = "u";
	desk_works(d, keys_create(d->st, &d->pepper, &c, key, &d->err));
	desk_works(d, keys_revoke(d->st, "k", &d->err));
	desk_works(d, users_remove(d->st, "u", &d->err));
	assert_int_equal(desk_number(d, "SELECT person_id FROM api_key"), -1);
	desk_fails(d, users_remove(d->st, "u", &d->err), ERR_NOT_FOUND);
}

/* ---- tokens ---- */

static void
tokens_are_good_until_they_expire_or_are_revoked(void **state)
{
	struct desk *d = *state;
	const struct token_spec spec = {
		.name = "t",
		.expires_ms = store_now_ms(d->st) + 60000,
	};
	char token[TOKEN_SIZE], wrong[TOKEN_SIZE];
	struct who who;

	desk_works(d, tokens_create(d->st, &d->pepper, &spec, token,
	    &d->err));
	assert_int_equal(tokens_find(d->st, &d->pepper, token, &who,
	    &d->err), 1);
	memcpy(wrong, token, sizeof(wrong));
	wrong[TOKEN_SIZE - 2] ^= 1;
	assert_int_equal(tokens_find(d->st, &d->pepper, wrong, &who,
	    &d->err), 0);
	assert_int_equal(tokens_find(d->st, &d->pepper, "", &who,
	    &d->err), 0);
	assert_int_equal(tokens_find(d->st, &d->pepper, "lh-adm-", &who,
	    &d->err), 0);
	desk_fails(d, tokens_create(d->st, &d->pepper, &spec, wrong,
	    &d->err), ERR_EXISTS);
	desk_sql(d, "UPDATE admin_token SET expires_ms = 1");
	assert_int_equal(tokens_find(d->st, &d->pepper, token, &who,
	    &d->err), 0);
	desk_sql(d, "UPDATE admin_token SET expires_ms = NULL");
	assert_int_equal(tokens_find(d->st, &d->pepper, token, &who,
	    &d->err), 1);
	desk_works(d, tokens_revoke(d->st, "t", &d->err));
	assert_int_equal(tokens_find(d->st, &d->pepper, token, &who,
	    &d->err), 0);
	desk_fails(d, tokens_revoke(d->st, "t", &d->err), ERR_NOT_FOUND);
}

/* ---- master key ---- */

/* All that is sealed can be read with what is in the key file. */
static void
assert_readable(struct desk *d)
{
	struct seal_pepper pepper;
	char *secret;
	size_t len;

	desk_open_seal(d);
	desk_works(d, meta_pepper(d->st, d->seal, &pepper, &d->err));
	assert_memory_equal(pepper.key, d->pepper.key, sizeof(pepper.key));
	desk_works(d, account_secret_get(d->st, d->seal, ACCOUNT_SECRET, 1,
	    &secret, &len, &d->err));
	assert_string_equal(secret, "sk-ant-one");
	seal_wipe_free(secret, len);
}

static int
key_lines(struct desk *d)
{
	char line[256];
	int n = 0;
	FILE *f;

	f = fopen(d->key_path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += line[0] != '#' && line[0] != '\n';
	assert_int_equal(fclose(f), 0);
	return (n);
}

static void
rekey_changes_the_key_and_nothing_else(void **state)
{
	struct desk *d = *state;
	char before[64];
	size_t n;

	desk_account(d, "a", 1);
	(void)snprintf(before, sizeof(before), "%s", seal_key_id(d->seal));
	desk_works(d, install_rekey(d->st, d->key_path, &n, &d->err));
	assert_int_equal(n, 1);
	assert_readable(d);
	assert_string_not_equal(seal_key_id(d->seal), before);
	assert_int_equal(key_lines(d), 1);
}

static void
a_rekey_that_broke_off_before_its_transaction_is_taken_up(void **state)
{
	struct desk *d = *state;
	char added[64];
	size_t n;

	desk_account(d, "a", 1);
	desk_works(d, seal_rotate_file(d->key_path, &d->err));
	assert_readable(d);
	(void)snprintf(added, sizeof(added), "%s", seal_key_id(d->seal));
	desk_works(d, install_rekey(d->st, d->key_path, &n, &d->err));
	assert_readable(d);
	assert_string_equal(seal_key_id(d->seal), added);
	assert_int_equal(key_lines(d), 1);
}

/* Between commit and pruning both keys are in the file. */
static void
a_rekey_that_broke_off_after_its_transaction_is_readable(void **state)
{
	struct desk *d = *state;
	char old[512], new[512], path[128];
	size_t n, len;
	FILE *f;

	desk_account(d, "a", 1);
	(void)snprintf(path, sizeof(path), "%s", d->key_path);
	assert_non_null(f = fopen(path, "r"));
	old[fread(old, 1, sizeof(old) - 1, f)] = '\0';
	assert_int_equal(fclose(f), 0);
	desk_works(d, install_rekey(d->st, d->key_path, &n, &d->err));
	assert_non_null(f = fopen(path, "r"));
	len = fread(new, 1, sizeof(new) - 1, f);
	assert_int_equal(fclose(f), 0);
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fwrite(new, 1, len, f), len);
	assert_int_equal(fputs(old, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	assert_readable(d);
	assert_int_equal(key_lines(d), 2);
	desk_works(d, install_rekey(d->st, d->key_path, &n, &d->err));
	assert_readable(d);
	assert_int_equal(key_lines(d), 1);
}

static void
a_foreign_master_key_is_refused(void **state)
{
	struct desk *d = *state;
	struct seal_pepper pepper;
	size_t n;
	bool made;

	desk_account(d, "a", 1);
	assert_int_equal(remove(d->key_path), 0);
	desk_fails(d, install_key_file(d->st, d->key_path, &made, &d->err),
	    ERR_CRYPTO);
	desk_works(d, seal_create_file(d->key_path, &d->err));
	desk_open_seal(d);
	desk_fails(d, meta_check_seal(d->st, d->seal, &d->err), ERR_CRYPTO);
	desk_fails(d, meta_pepper(d->st, d->seal, &pepper, &d->err),
	    ERR_CRYPTO);
	desk_fails(d, install_meta(d->st, d->seal, &made, &d->err),
	    ERR_CRYPTO);
	desk_fails(d, install_rekey(d->st, d->key_path, &n, &d->err),
	    ERR_CRYPTO);
	assert_int_equal(key_lines(d), 1);
}

/* The scheduler's list is the only one. */
static void
a_group_takes_the_strategies_that_are_there(void **state)
{
	static const char *const none[] = {
		"random", "", "Weighted", "weighted ", "round-robin"
	};
	struct desk *d = *state;
	struct group_change c = { .name = "g" };
	size_t i;

	for (i = 0; i < NITEMS(none); i++) {
		c.strategy = none[i];
		desk_fails(d, groups_add(d->st, &c, &d->err), ERR_INVAL);
	}
	c.strategy = NULL;
	desk_works(d, groups_add(d->st, &c, &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account_group "
	    "WHERE strategy = 'weighted'"), 1);
	c.name = NULL;
	for (i = 0; i < NITEMS(none); i++) {
		c.strategy = none[i];
		desk_fails(d, groups_set(d->st, "g", &c, &d->err), ERR_INVAL);
	}
	for (i = 0; (c.strategy = choose_strategy(i)) != NULL; i++) {
		desk_works(d, groups_set(d->st, "g", &c, &d->err));
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "account_group WHERE strategy = '%s'", c.strategy), 1);
	}
}

static void
groups_in_use_stay(void **state)
{
	struct desk *d = *state;
	const struct group_change g = { .name = "g" };
	struct account_change c;

	desk_works(d, groups_add(d->st, &g, &d->err));
	desk_account(d, "a", 1);
	account_change_init(&c);
	c.group = "g";
	desk_works(d, accounts_set(d->st, d->seal, "a", &c, &d->err));
	desk_fails(d, groups_remove(d->st, "g", &d->err), ERR_EXISTS);
	c.group = "";
	desk_works(d, accounts_set(d->st, d->seal, "a", &c, &d->err));
	desk_works(d, groups_remove(d->st, "g", &d->err));
	desk_fails(d, groups_remove(d->st, "g", &d->err), ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(an_account_has_as_many_slots_as_it_may_serve),
		DESK_TEST(held_slots_above_the_limit_stay_until_they_are_free),
		DESK_TEST(each_change_raises_the_config_version_once),
		DESK_TEST(a_change_that_fails_changes_nothing),
		DESK_TEST(an_account_in_use_cannot_be_removed),
		DESK_TEST(an_account_is_woken_alone_and_wholly),
		DESK_TEST(a_new_secret_wakes_an_account),
		DESK_TEST(secrets_are_sealed_and_bound_to_their_row),
		DESK_TEST(accounts_list_what_is_against_them),
		DESK_TEST(a_breaker_shows_whether_it_is_probed),
		DESK_TEST(keys_are_kept_as_hashes),
		DESK_TEST(a_budget_has_its_window_and_keeps_what_was_spent),
		DESK_TEST(a_key_shows_what_it_used_and_has_in_flight),
		DESK_TEST(a_key_belongs_to_a_user_until_it_is_said_otherwise),
		DESK_TEST(a_revoked_key_outlives_its_user),
		DESK_TEST(tokens_are_good_until_they_expire_or_are_revoked),
		DESK_TEST(rekey_changes_the_key_and_nothing_else),
		DESK_TEST(
		    a_rekey_that_broke_off_before_its_transaction_is_taken_up),
		DESK_TEST(
		    a_rekey_that_broke_off_after_its_transaction_is_readable),
		DESK_TEST(a_foreign_master_key_is_refused),
		DESK_TEST(a_group_takes_the_strategies_that_are_there),
		DESK_TEST(groups_in_use_stay),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
