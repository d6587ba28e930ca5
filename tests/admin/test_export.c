#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ledger/meta.h"
#include "ledger/price.h"

#include "accounts.h"
#include "account_oauth.h"
#include "aliases.h"
#include "budget_rules.h"
#include "export.h"
#include "export_seal.h"
#include "groups.h"
#include "import.h"
#include "key_secrets.h"
#include "keys.h"
#include "prices.h"
#include "sign_in.h"
#include "users.h"

#define PASS	"eight or more"

/* As little as libsodium allows: what is slow is not what is tested. */
static const struct export_cost cheap = { 1, 8192 };

static char client_key[SEAL_CLIENT_KEY_SIZE];

static void
furnish_accounts(struct desk *d)
{
	struct group_change g = { .name = "g", .strategy = "round_robin",
		.concurrency = 9 };
	struct oauth_tokens t = { .access = strdup("acc-token"),
		.refresh = strdup("ref-token"), .lifetime_ms = 3600000 };
	struct account_change c;

	desk_works(d, groups_add(d->st, &g, &d->err));
	desk_account(d, "a", 3);
	account_change_init(&c);
	c.group = "g";
	c.enabled = 0;
	c.models = "claude-*";
	c.proxy = "http://u%40x@p.example:8080";
	c.proxy_password = "p:w/1";
	desk_works(d, accounts_set(d->st, d->seal, "a", &c, &d->err));
	account_change_init(&c);
	c.name = "o";
	c.platform = "claude";
	c.base_url = "https://api.example";
	c.credential = "oauth";
	c.oauth = (struct oauth_settings) {
		.authorize_url = "https://id.example/a",
		.token_url = "https://id.example/t", .client_id = "c1",
		.redirect_uri = "https://id.example/cb", .scopes = "x y",
		.token_format = "json"
	};
	c.tokens = &t;
	desk_works(d, accounts_add(d->st, d->seal, &c, &d->err));
	oauth_tokens_wipe(&t);
	c.name = "o2";
	c.tokens = NULL;
	desk_works(d, accounts_add(d->st, d->seal, &c, &d->err));
}

static void
furnish_keys(struct desk *d)
{
	struct user_change u = { .name = "ann", .concurrency = 4,
		.role = ROLE_OPERATOR, .enabled = 1 };
	char other[SEAL_CLIENT_KEY_SIZE];
	struct key_change c;

	desk_works(d, users_add(d->st, &u, &d->err));
	desk_sql(d, "UPDATE person SET password = '$argon2id$x' "
	    "WHERE name = 'ann'");
	key_change_init(&c);
	c.name = "k";
	c.bind = true;
	c.group = "g";
	c.user = "ann";
	c.models = "claude-a,claude-b";
	c.budget_nusd = 5000000000;
	c.rate = 7;
	c.rate_ms = 60000;
	c.queue_class = "high";
	c.nets = "192.0.2.0/24";
	desk_works(d, keys_create(d->st, &d->pepper, &c, client_key,
	    &d->err));
	key_change_init(&c);
	c.name = "k2";
	c.bind = true;
	c.account = "a";
	c.expires_ms = 4000000000000;
	desk_works(d, keys_create(d->st, &d->pepper, &c, other, &d->err));
	key_change_init(&c);
	c.name = "gone";
	c.budget_nusd = 1;
	desk_works(d, keys_create(d->st, &d->pepper, &c, other, &d->err));
	desk_works(d, keys_revoke(d->st, "gone", &d->err));
}

static void
furnish(struct desk *d)
{
	const struct alias_of of_group = { .group = "g" };
	const struct alias_of of_account = { .account = "a" };
	struct budget_spec s = {
		.name = "days", .scope = "user", .of = "ann",
		.kind = "requests", .limit = 100, .period = "day",
		.anchor_ms = -1, .zone = "UTC", .policy = "strict"
	};
	struct price p = {
		.platform = "claude", .pattern = "claude-x",
		.valid_from_ms = 1000, .input_nusd_mtok = 5,
		.output_nusd_mtok = 6, .batch_percent = 50
	};
	char name[BUDGET_NAME_SIZE];

	furnish_accounts(d);
	furnish_keys(d);
	desk_works(d, aliases_add(d->st, &of_group, "best", "claude-a",
	    &d->err));
	desk_works(d, aliases_add(d->st, &of_account, "*", "claude-b",
	    &d->err));
	desk_works(d, budget_rules_add(d->st, &s, name, &d->err));
	s = (struct budget_spec) {
		.name = "weeks", .scope = "group", .of = "g",
		.kind = "money", .limit = 1, .period = "fixed",
		.length_ms = 604800000, .anchor_ms = 86400000,
		.disabled = true, .models = "claude-a"
	};
	desk_works(d, budget_rules_add(d->st, &s, name, &d->err));
	desk_works(d, prices_set(d->st, &p, &d->err));
}

/* What would be exported, without the time, and without the end of tokens,
 * which is counted from when they come. */
static char *
dump(struct desk *d)
{
	json_t *doc = export_make(d->st, d->seal, &d->err), *row;
	char *text;
	size_t i;

	desk_works(d, doc == NULL);
	(void)json_object_del(doc, "made_ms");
	json_array_foreach(json_object_get(doc, "accounts"), i, row)
		(void)json_object_del(json_object_get(row, "tokens"),
		    "expires_at");
	text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
	import_wipe(doc);
	assert_non_null(text);
	return (text);
}

static char *
sealed(struct desk *d)
{
	json_t *doc = export_make(d->st, d->seal, &d->err);
	char *text;

	desk_works(d, doc == NULL);
	desk_works(d, export_seal(doc, PASS, strlen(PASS), &cheap, &d->err));
	text = json_dumps(doc, JSON_INDENT(1));
	import_wipe(doc);
	assert_non_null(text);
	return (text);
}

static json_t *
opened(struct desk *d, const char *text)
{
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	desk_works(d, export_check(doc, &d->err));
	desk_works(d, export_open(doc, PASS, strlen(PASS), &d->err));
	return (doc);
}

static int
apply(struct desk *d, const json_t *doc, enum import_policy policy,
    bool dry_run)
{
	const struct import_order o = {
		.policy = policy, .dry_run = dry_run, .ahead_ms = 60000
	};
	json_t *done;
	int rc;

	rc = import_apply(d->st, d->seal, doc, &o, &done, &d->err);
	json_decref(done);
	return (rc);
}

static struct desk *
another(void)
{
	void *state;

	assert_int_equal(desk_setup(&state), 0);
	return (state);
}

static void
give_back(struct desk *d)
{
	void *state = d;

	assert_int_equal(desk_teardown(&state), 0);
}

static void
assert_same(struct desk *a, struct desk *b)
{
	static const char ends[] = "SELECT max(expires_ms) FROM "
	    "account_oauth";
	char *x = dump(a), *y = dump(b);

	assert_string_equal(x, y);
	assert_true(llabs(desk_number(a, "%s", ends) -
	    desk_number(b, "%s", ends)) < 600000);
	free(x);
	free(y);
}

static void
an_empty_installation_becomes_the_same(void **state)
{
	struct desk *d = *state, *other = another();
	struct seal_pepper pepper;
	char *text, *before;
	json_t *doc;
	int64_t id;

	furnish(d);
	text = sealed(d);
	doc = opened(other, text);
	before = dump(other);
	desk_works(other, apply(other, doc, IMPORT_REFUSE, true));
	free(text);
	text = dump(other);
	assert_string_equal(text, before);
	desk_works(other, apply(other, doc, IMPORT_REFUSE, false));
	assert_same(d, other);

	/* The client's key is good there. */
	desk_works(other, meta_pepper(other->st, other->seal, &pepper,
	    &other->err));
	assert_int_equal(key_secrets_find(other->st, &pepper, client_key, &id,
	    &other->err), 1);
	assert_int_equal(desk_number(other, "SELECT count(*) FROM budget "
	    "WHERE period = 'rolling'"), 1);
	assert_int_equal(desk_number(other, "SELECT count(*) FROM api_key "
	    "WHERE rate_id IS NOT NULL"), 1);

	/* And again. */
	desk_fails(other, apply(other, doc, IMPORT_REFUSE, false),
	    ERR_EXISTS);
	desk_works(other, apply(other, doc, IMPORT_SKIP, false));
	assert_same(d, other);
	desk_works(other, apply(other, doc, IMPORT_UPDATE, false));
	assert_int_equal(desk_number(other, "SELECT count(*) FROM api_key"),
	    2);
	import_wipe(doc);
	free(text);
	free(before);
	give_back(other);
}

static void
no_secret_is_in_clear(void **state)
{
	static const char *const secrets[] = {
		"sk-ant-one", "acc-token", "ref-token", "p:w/1", "u%40x",
		"$argon2id$x"
	};
	struct desk *d = *state;
	char hex[65], *text, *clear;
	size_t i;

	furnish(d);
	text = sealed(d);
	clear = dump(d);
	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		assert_null(strstr(text, secrets[i]));
		assert_non_null(strstr(clear, secrets[i]));
	}
	for (i = 0; i < sizeof(d->pepper.key); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", d->pepper.key[i]);
	assert_null(strstr(text, hex));
	assert_non_null(strstr(clear, hex));
	free(text);
	free(clear);
}

static void
another_passphrase_opens_nothing(void **state)
{
	struct desk *d = *state;
	char *text;
	json_t *doc;

	furnish(d);
	text = sealed(d);
	doc = json_loads(text, 0, NULL);
	desk_fails(d, export_open(doc, PASS "x", strlen(PASS) + 1, &d->err),
	    ERR_CRYPTO);
	json_decref(doc);
	doc = json_loads(text, 0, NULL);
	desk_fails(d, export_open(doc, "", 0, &d->err), ERR_CRYPTO);
	json_decref(doc);
	free(text);
}

/* Each byte changed in turn: it is refused, or says what it did. */
static void
no_byte_can_be_changed(void **state)
{
	struct desk *d = *state;
	char *text, *was, *now;
	size_t i, refused = 0;
	json_t *doc, *before;
	int rc;

	desk_account(d, "a", 1);
	text = sealed(d);
	before = opened(d, text);
	was = json_dumps(before, JSON_COMPACT | JSON_SORT_KEYS);
	for (i = 0; text[i] != '\0'; i++) {
		text[i] ^= 1;
		doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		rc = doc == NULL ? -1 : export_check(doc, &d->err);
		if (rc == 0)
			rc = export_open(doc, PASS, strlen(PASS), &d->err);
		if (rc == 0) {
			now = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
			if (strcmp(now, was) != 0)
				fail_msg("byte %zu can be changed", i);
			free(now);
		} else {
			refused++;
			if (strstr(d->err.text, "sk-ant-one") != NULL)
				fail_msg("%s", d->err.text);
		}
		err_clear(&d->err);
		import_wipe(doc);
		text[i] ^= 1;
	}
	assert_true(refused > i / 2);
	import_wipe(before);
	free(was);
	free(text);
}

/* A secret put into another's place by who has no passphrase. */
static void
no_secret_can_be_moved(void **state)
{
	struct desk *d = *state;
	json_t *doc, *rows;
	char *text;

	desk_account(d, "a", 1);
	desk_account(d, "b", 1);
	text = sealed(d);
	doc = json_loads(text, 0, NULL);
	rows = json_object_get(doc, "accounts");
	assert_int_equal(json_object_set(json_array_get(rows, 0), "secret",
	    json_object_get(json_array_get(rows, 1), "secret")), 0);
	desk_fails(d, export_open(doc, PASS, strlen(PASS), &d->err),
	    ERR_CRYPTO);
	json_decref(doc);
	free(text);
}

static void
what_costs_too_much_is_not_opened(void **state)
{
	static const struct {
		const char *key;
		json_int_t value;
	} bad[] = {
		{ "opslimit", 0 }, { "opslimit", EXPORT_OPS_MAX + 1 },
		{ "memlimit", 1 },
		{ "memlimit", (json_int_t)EXPORT_MEM_MAX + 1 },
		{ "memlimit", -1 },
	};
	struct desk *d = *state;
	json_t *doc;
	char *text;
	size_t i;

	text = sealed(d);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		doc = json_loads(text, 0, NULL);
		assert_int_equal(json_object_set_new(json_object_get(doc,
		    "seal"), bad[i].key, json_integer(bad[i].value)), 0);
		desk_fails(d, export_open(doc, PASS, strlen(PASS), &d->err),
		    ERR_INVAL);
		json_decref(doc);
	}
	free(text);
	doc = json_pack("{s:s, s:i}", "format", EXPORT_FORMAT, "version", 2);
	desk_fails(d, export_check(doc, &d->err), ERR_INVAL);
	json_decref(doc);
	doc = json_array();
	desk_fails(d, export_check(doc, &d->err), ERR_INVAL);
	json_decref(doc);
}

/* Where keys are already, hashes of another installation are of no use. */
static void
keys_go_where_there_are_none(void **state)
{
	struct desk *d = *state, *other = another();
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change c;
	json_t *doc, *passed = json_array();
	char *text;
	int64_t id;

	furnish(d);
	key_change_init(&c);
	c.name = "mine";
	desk_works(other, keys_create(other->st, &other->pepper, &c, key,
	    &other->err));
	text = sealed(d);
	doc = opened(other, text);
	desk_fails(other, apply(other, doc, IMPORT_UPDATE, false),
	    ERR_EXISTS);
	assert_int_equal(desk_number(other, "SELECT count(*) FROM account"),
	    0);
	export_without_keys(doc, passed);
	assert_int_equal(json_array_size(passed), 2);
	desk_works(other, apply(other, doc, IMPORT_REFUSE, false));
	assert_int_equal(desk_number(other, "SELECT count(*) FROM account"),
	    3);
	assert_int_equal(key_secrets_find(other->st, &other->pepper, key, &id,
	    &other->err), 1);
	json_decref(passed);
	import_wipe(doc);
	free(text);
	give_back(other);
}

/* Of an update: what a budget has, but not where and in which windows. */
static void
a_budget_is_brought_up_but_never_moved(void **state)
{
	static const struct {
		const char *key, *value;	/* JSON */
		enum err_code code;
	} cases[] = {
		{ "period", "\"week\"", ERR_EXISTS },
		{ "of", "\"nobody\"", ERR_EXISTS },
		{ "on", "\"group\"", ERR_EXISTS },
		{ "counts", "\"tokens\"", ERR_EXISTS },
		{ "zone", "\"Asia/Shanghai\"", ERR_EXISTS },
		{ "length_ms", "5", ERR_EXISTS },
		{ "limit", "-1", ERR_INVAL },
		{ "limit", "55", ERR_NONE },
		{ "policy", "\"elastic\"", ERR_NONE },
		{ "models", "\"claude-b\"", ERR_NONE },
		{ "enabled", "false", ERR_NONE },
	};
	struct desk *d = *state;
	json_t *doc;
	char *before, *after;
	size_t i;

	furnish(d);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		before = dump(d);
		doc = json_pack("{s:[{s:s, s:o}]}", "budgets", "name", "days",
		    cases[i].key, json_loads(cases[i].value, JSON_DECODE_ANY,
		    NULL));
		assert_non_null(doc);
		if (cases[i].code == ERR_NONE)
			desk_works(d, apply(d, doc, IMPORT_UPDATE, false));
		else
			desk_fails(d, apply(d, doc, IMPORT_UPDATE, false),
			    cases[i].code);
		after = dump(d);
		assert_int_equal(strcmp(before, after) == 0,
		    cases[i].code != ERR_NONE);
		free(before);
		free(after);
		json_decref(doc);
	}
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget WHERE "
	    "name = 'days' AND limit_value = 55 AND policy = 'elastic' AND "
	    "models = 'claude-b' AND enabled = 0 AND period = 'day'"), 1);
}

static void
what_fails_half_way_changes_nothing(void **state)
{
	struct desk *d = *state, *other = another();
	char *text, *before, *after;
	json_t *doc, *list;

	furnish(d);
	text = sealed(d);
	doc = opened(other, text);
	before = dump(other);
	list = json_object_get(doc, "budgets");
	assert_int_equal(json_object_set_new(json_array_get(list,
	    json_array_size(list) - 1), "of", json_string("nobody")), 0);
	desk_fails(other, apply(other, doc, IMPORT_REFUSE, false),
	    ERR_NOT_FOUND);
	after = dump(other);
	assert_string_equal(before, after);
	import_wipe(doc);
	free(text);
	free(before);
	free(after);
	give_back(other);
}

/* Such a user would be let in with less than before. */
static void
a_second_factor_stays_behind(void **state)
{
	struct desk *d = *state;
	char *text;

	furnish(d);
	desk_sql(d, "UPDATE person SET totp_on = 1 WHERE name = 'ann'");
	text = dump(d);
	assert_null(strstr(text, "$argon2id$x"));
	assert_non_null(strstr(text, "\"ann\""));
	free(text);
}

/* What no import would take is not written: the last line end counts. */
static void
one_that_is_too_long_is_refused(void **state)
{
	struct desk *d = *state;
	json_t *doc = export_make(d->st, d->seal, &d->err);
	char *text;
	size_t n;

	desk_works(d, doc == NULL);
	assert_non_null(text = json_dumps(doc, JSON_INDENT(2)));
	n = strlen(text) + strlen("\n");
	free(text);
	desk_works(d, export_fits(doc, n + 1, &d->err));
	assert_int_equal(export_fits(doc, n, &d->err), -1);
	assert_non_null(strstr(d->err.text, "see backup"));
	desk_fails(d, -1, ERR_TOO_LARGE);
	import_wipe(doc);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		T(an_empty_installation_becomes_the_same),
		T(no_secret_is_in_clear),
		T(another_passphrase_opens_nothing),
		T(no_byte_can_be_changed),
		T(no_secret_can_be_moved),
		T(what_costs_too_much_is_not_opened),
		T(keys_go_where_there_are_none),
		T(a_budget_is_brought_up_but_never_moved),
		T(what_fails_half_way_changes_nothing),
		T(a_second_factor_stays_behind),
		T(one_that_is_too_long_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
