#include "visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_secrets.h"
#include "accounts.h"
#include "export.h"
#include "export_seal.h"
#include "import.h"
#include "keys.h"
#include "tokens.h"

#define PASS	"eight or more"
#define SECRET	"sk-ant-of-a"

/* ---- what is there ---- */

static void
furnish(struct desk *d)
{
	char key[SEAL_CLIENT_KEY_SIZE];
	struct account_change a;
	struct key_change k;

	desk_account(d, "a", 3);
	account_change_init(&a);
	a.secret = SECRET;
	a.secret_len = strlen(SECRET);
	desk_works(d, accounts_set(d->st, d->seal, "a", &a, &d->err));
	key_change_init(&k);
	k.name = "k";
	desk_works(d, keys_create(d->st, &d->pepper, &k, key, &d->err));
}

/* An export that costs little to open, as a text that holds PASS nowhere. */
static char *
sealed(struct desk *d)
{
	const struct export_cost cheap = { 1, 8192 };
	json_t *doc = export_make(d->st, d->seal, &d->err);
	char *text;

	assert_non_null(doc);
	desk_works(d, export_seal(doc, PASS, strlen(PASS), &cheap, &d->err));
	assert_non_null(text = json_dumps(doc, JSON_INDENT(2)));
	import_wipe(doc);
	return (text);
}

/* What was furnished, sealed; of it the account is gone since. */
static char *
left_over(struct desk *d)
{
	char *text;

	furnish(d);
	text = sealed(d);
	desk_works(d, accounts_remove(d->st, "a", &d->err));
	return (text);
}

/* {"file": ${file}, ...}, where ${more} are the other members. */
static char *
body(json_t *file, const char *more)
{
	char *text = json_dumps(file, JSON_COMPACT | JSON_ENCODE_ANY);
	char *to = malloc(strlen(text) + strlen(more) + 32);

	assert_non_null(to);
	(void)sprintf(to, "{\"file\": %s%s%s}", text, more[0] != '\0' ?
	    ", " : "", more);
	free(text);
	json_decref(file);
	return (to);
}

static int
import(struct visit *v, json_t *file, const char *more)
{
	char *text = body(file, more);
	int status = visit(v, "POST", "/import", text);

	free(text);
	return (status);
}

/* How many things of a kind were ${done}; NULL: of any. */
static size_t
count(const struct visit *v, const char *what, const char *done)
{
	json_t *row;
	size_t i, n = 0;

	json_array_foreach(json_object_get(v->body, "done"), i, row) {
		n += (what == NULL || strcmp(json_string_value(
		    json_object_get(row, "what")), what) == 0) &&
		    strcmp(json_string_value(json_object_get(row, "done")),
		    done) == 0;
	}
	return (n);
}

static void
assert_secret(struct desk *d, const char *name, const char *secret)
{
	char *text;
	size_t n;

	desk_works(d, account_secret_get(d->st, d->seal, ACCOUNT_SECRET,
	    desk_number(d, "SELECT id FROM account WHERE name = '%s'", name),
	    &text, &n, &d->err));
	assert_non_null(text);
	assert_string_equal(text, secret);
	seal_wipe_free(text, n);
}

static void
assert_nowhere(const json_t *j, const char *secret)
{
	char *text = json_dumps(j, JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_null(strstr(text, secret));
	free(text);
}

static void
assert_not_logged(struct visit *v)
{

	assert_int_equal(visit(v, "GET", "/logs", NULL), 200);
	assert_nowhere(v->body, PASS);
	assert_nowhere(v->body, SECRET);
	assert_nowhere(v->body, VISIT_PASSWORD);
}

static int64_t
changes(struct desk *d)
{

	return (desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb NOT LIKE 'sign_in%%'"));
}

/* ---- export ---- */

static void
an_export_asks_for_the_password_again(void **state)
{
	static const struct {
		const char *body;
		int code;
	} cases[] = {
		{ "{}", 40001 },
		{ "{\"passphrase\": 1}", 40001 },
		{ "{\"passphrase\": \"seven77\", \"password\": \""
		    VISIT_PASSWORD "\"}", 40001 },
		{ "{\"passphrase\": \"" PASS "\"}", 40001 },
		{ "{\"passphrase\": \"" PASS "\", \"password\": \"\"}",
		    40301 },
		{ "{\"passphrase\": \"" PASS "\", \"password\": "
		    "\"another horse\"}", 40301 },
		{ "{\"passphrase\": \"" PASS "\", \"password\": \""
		    VISIT_PASSWORD "\", \"file\": \"x\"}", 40001 },
	};
	struct desk *d = *state;
	int64_t before;
	struct visit v;
	size_t i;

	furnish(d);
	visit_init_ann(&v, d);
	before = changes(d);
	for (i = 0; i < NITEMS(cases); i++)
		visit_expect(&v, cases[i].code, "POST", "/export",
		    cases[i].body);
	assert_int_equal(changes(d), before);
	visit_fini(&v);
}

static void
an_export_is_sealed_and_noted(void **state)
{
	struct desk *d = *state;
	struct visit v;
	json_t *doc;

	furnish(d);
	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/export", "{\"passphrase\": \""
	    PASS "\", \"password\": \"" VISIT_PASSWORD "\"}"), 200);
	doc = json_incref(v.body);
	assert_nowhere(doc, SECRET);
	assert_nowhere(doc, PASS);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit WHERE "
	    "verb = 'export' AND actor = 'ann'"), 1);
	assert_not_logged(&v);

	/* It is what the command opens. */
	desk_works(d, export_check(doc, &d->err));
	desk_works(d, export_open(doc, PASS, strlen(PASS), &d->err));
	assert_string_equal(json_string_value(json_object_get(json_array_get(
	    json_object_get(doc, "accounts"), 0), "secret")), SECRET);
	import_wipe(doc);
	visit_fini(&v);
}

static void
a_token_has_no_password(void **state)
{
	static const char ask[] = "{\"passphrase\": \"" PASS "\"}";
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	desk_works(d, tokens_create(d->st, &d->pepper, &(struct token_spec) {
	    .name = "script" }, v.bearer, &d->err));
	assert_int_equal(visit(&v, "POST", "/export", ask), 200);
	desk_works(d, tokens_create(d->st, &d->pepper, &(struct token_spec) {
	    .name = "reader", .read_only = true }, v.bearer, &d->err));
	visit_expect(&v, 40301, "POST", "/export", ask);
	visit_fini(&v);
}

static void
administrators_alone_may(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	visit_expect(&v, 40301, "POST", "/export", "{\"passphrase\": \"" PASS
	    "\", \"password\": \"" VISIT_PASSWORD "\"}");
	visit_expect(&v, 40301, "POST", "/import", "{\"file\": "
	    "\"CLAUDE_API_KEY=sk-ant-1\", \"from\": \"env\"}");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 0);
	visit_fini(&v);
}

/* ---- import of an export ---- */

static void
an_export_comes_back(void **state)
{
	static const char with[] = "\"passphrase\": \"" PASS "\"";
	struct desk *d = *state;
	struct visit v;
	char *text;

	visit_init_ann(&v, d);
	text = left_over(d);
	assert_int_equal(import(&v, json_string(text), "\"passphrase\": \""
	    PASS "\", \"existing\": \"skip\""), 200);
	assert_false(json_is_true(json_object_get(v.body, "dry_run")));
	assert_int_equal(count(&v, "account", "added"), 1);
	assert_int_equal(count(&v, "key", "skipped"), 1);
	assert_nowhere(v.body, SECRET);
	assert_secret(d, "a", SECRET);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit WHERE "
	    "verb = 'account.import' AND actor = 'ann' AND object = 'a'"),
	    1);
	assert_not_logged(&v);

	/* As JSON, too; and what is there is not overrun unasked. */
	desk_sql(d, "UPDATE account SET concurrency = 9");
	assert_int_equal(import(&v, json_loads(text, 0, NULL), with), 409);
	assert_int_equal(desk_number(d, "SELECT concurrency FROM account"),
	    9);
	assert_int_equal(import(&v, json_loads(text, 0, NULL),
	    "\"passphrase\": \"" PASS "\", \"existing\": \"update\", "
	    "\"without_keys\": true"), 200);
	assert_int_equal(count(&v, "account", "updated"), 1);
	assert_int_equal(count(&v, "key", "updated"), 0);
	assert_int_equal(json_array_size(json_object_get(v.body,
	    "passed_over")), 1);
	assert_int_equal(desk_number(d, "SELECT concurrency FROM account"),
	    3);
	free(text);
	visit_fini(&v);
}

static void
a_dry_run_changes_nothing(void **state)
{
	struct desk *d = *state;
	int64_t before;
	struct visit v;
	char *text;

	visit_init_ann(&v, d);
	text = left_over(d);
	before = changes(d);
	assert_int_equal(import(&v, json_string(text), "\"passphrase\": \""
	    PASS "\", \"existing\": \"update\", \"dry_run\": true"), 200);
	assert_true(json_is_true(json_object_get(v.body, "dry_run")));
	assert_int_equal(count(&v, "account", "added"), 1);
	assert_int_equal(count(&v, "key", "updated"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 0);
	assert_int_equal(changes(d), before);
	free(text);
	visit_fini(&v);
}

static void
an_export_that_does_not_open_is_refused(void **state)
{
	static const char *const others[] = {
		"", "\"passphrase\": \"\"", "\"passphrase\": null",
		"\"passphrase\": \"another one\"",
		"\"passphrase\": \"" PASS "\", \"group\": \"g\"",
		"\"passphrase\": \"" PASS "\", \"token_url\": \"x\"",
		"\"passphrase\": \"" PASS "\", \"existing\": \"merge\"",
		"\"passphrase\": \"" PASS "\", \"dry_run\": 1",
		"\"passphrase\": \"" PASS "\", \"from\": \"env\"",
		"\"passphrase\": \"" PASS "\", \"from\": \"crs\"",
	};
	struct desk *d = *state;
	json_t *changed;
	struct visit v;
	char *text;
	size_t i;

	visit_init_ann(&v, d);
	text = left_over(d);
	for (i = 0; i < NITEMS(others); i++) {
		assert_int_equal(import(&v, json_string(text), others[i]),
		    400);
		assert_nowhere(v.body, PASS);
	}
	assert_non_null(changed = json_loads(text, 0, NULL));
	(void)json_object_set_new(json_array_get(json_object_get(changed,
	    "accounts"), 0), "base_url", json_string("https://evil.example"));
	assert_int_equal(import(&v, changed, "\"passphrase\": \"" PASS
	    "\", \"existing\": \"skip\""), 400);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 0);
	free(text);
	visit_fini(&v);
}

/* ---- import of other programs' files ---- */

static void
other_programs_files_are_taken_over(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init_ann(&v, d);
	assert_int_equal(import(&v, json_string("CLAUDE_API_KEY="
	    "sk-ant-api03-1\n"), "\"from\": \"env\", \"group\": \"g\", "
	    "\"base_url\": \"https://up.example\""), 200);
	assert_int_equal(count(&v, "group", "added"), 1);
	assert_int_equal(count(&v, "account", "added"), 1);
	assert_secret(d, "claude", "sk-ant-api03-1");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account WHERE "
	    "base_url = 'https://up.example' AND group_id IS NOT NULL"), 1);
	assert_nowhere(v.body, "sk-ant-api03-1");

	assert_int_equal(import(&v, json_pack("{s:[{s:s, s:{s:s, s:s}}]}",
	    "model_list", "model_name", "big", "litellm_params", "model",
	    "anthropic/claude-x", "api_key", "sk-ant-api03-2"),
	    "\"from\": \"litellm\""), 200);
	assert_int_equal(count(&v, "account", "added"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 2);
	visit_fini(&v);
}

/* What is in the environment of a responder is none of a file's business. */
static void
the_responders_environment_is_not_read(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init_ann(&v, d);
	setenv("LEASEHOLD_TEST_SECRET", "sk-ant-api03-of-the-host", 1);
	assert_int_equal(import(&v, json_pack("{s:[{s:s, s:{s:s, s:s}}]}",
	    "model_list", "model_name", "big", "litellm_params", "model",
	    "anthropic/claude-x", "api_key",
	    "os.environ/LEASEHOLD_TEST_SECRET"), "\"from\": \"litellm\""),
	    400);
	unsetenv("LEASEHOLD_TEST_SECRET");
	assert_nowhere(v.body, "of-the-host");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 0);
	visit_fini(&v);
}

/* A dry run says what was looked for, and why what there is goes by. */
static void
a_file_without_an_account_is_refused(void **state)
{
	static const struct {
		const char *from, *file, *wanted;
		size_t passed;
	} cases[] = {
		{ "env", "CLAUDE_API_KEY=\nHOME=/\n", "CLAUDE_ACCOUNTS", 1 },
		{ "claude-relay-service", "{\"success\": true, \"data\": "
		    "{\"claudeAccounts\": [], \"openaiOAuthAccounts\": [{"
		    "\"name\": \"a\"}, {\"name\": \"b\"}]}}",
		    "claudeConsoleAccounts", 2 },
		{ "litellm", "{\"model_list\": []}", "model_list", 0 },
	};
	struct desk *d = *state;
	char more[96];
	int64_t before;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	before = changes(d);
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(more, sizeof(more), "\"from\": \"%s\", "
		    "\"group\": \"g\"", cases[i].from);
		assert_int_equal(import(&v, json_string(cases[i].file), more),
		    400);
		assert_int_equal(json_integer_value(json_object_get(
		    v.body, "code")), 40001);
		assert_non_null(strstr(visit_text(&v, "error"),
		    cases[i].wanted));
		(void)strcat(more, ", \"dry_run\": true");
		assert_int_equal(import(&v, json_string(cases[i].file), more),
		    200);
		assert_non_null(strstr(visit_text(&v, "nothing"),
		    cases[i].wanted));
		assert_int_equal(json_array_size(json_object_get(v.body,
		    "done")), 0);
		assert_int_equal(json_array_size(json_object_get(v.body,
		    "passed_over")), cases[i].passed);
	}
	assert_int_equal(changes(d), before);
	visit_fini(&v);
}

static void
files_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *body;
		int code;
	} cases[] = {
		{ "{\"from\": \"env\"}", 40001 },
		{ "{\"from\": \"env\", \"file\": 1}", 40001 },
		{ "{\"from\": \"env\", \"file\": null}", 40001 },
		{ "{\"from\": 1, \"file\": \"\"}", 40001 },
		{ "{\"from\": \"\", \"file\": \"\"}", 40001 },
		{ "{\"from\": \"litellm\", \"file\": \"x: y\"}", 40001 },
		{ "{\"from\": \"litellm\", \"file\": []}", 40001 },
		{ "{\"from\": \"claude-relay-service\", \"file\": {}}",
		    40001 },
		{ "{\"file\": \"no JSON\"}", 40001 },
		{ "{\"file\": {\"format\": \"leasehold-export\", "
		    "\"version\": 99}, \"passphrase\": \"x\"}", 40001 },
		{ "{\"from\": \"env\", \"file\": \"CLAUDE_API_KEY='x\"}",
		    40001 },
		{ "{\"from\": \"env\", \"file\": \"CLAUDE_API_KEY=sk-ant-1\","
		    " \"oauth_of\": \"nobody\"}", 40401 },
		{ "{\"from\": \"env\", \"file\": \"CLAUDE_API_KEY=sk-ant-1\","
		    " \"oauth_of\": \"plain\"}", 40001 },
		{ "{\"from\": \"env\", \"file\": \"CLAUDE_API_KEY=sk-ant-1\","
		    " \"without_keys\": true}", 40001 },
		{ "{\"from\": \"env\", \"file\": \"CLAUDE_API_KEY=sk-ant-1\","
		    " \"base_url\": \"ftp://x\"}", 40001 },
	};
	struct desk *d = *state;
	int64_t before;
	struct visit v;
	size_t i;

	desk_account(d, "plain", 1);
	visit_init_ann(&v, d);
	before = changes(d);
	for (i = 0; i < NITEMS(cases); i++)
		visit_expect(&v, cases[i].code, "POST", "/import",
		    cases[i].body);
	assert_int_equal(changes(d), before);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 1);
	visit_fini(&v);
}

/* Longer than the command takes, and yet no longer than a body may be. */
static void
a_file_that_is_too_long_is_refused(void **state)
{
	struct desk *d = *state;
	struct visit v;
	char *text;

	visit_init_ann(&v, d);
	assert_non_null(text = malloc(IMPORT_ROUTE_BYTES + 2));
	memset(text, '#', IMPORT_ROUTE_BYTES + 1);
	text[IMPORT_ROUTE_BYTES + 1] = '\0';
	assert_int_equal(import(&v, json_string(text), "\"from\": \"env\""),
	    400);
	assert_non_null(strstr(visit_text(&v, "error"), "longer"));
	free(text);
	visit_fini(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(an_export_asks_for_the_password_again),
		DESK_TEST(an_export_is_sealed_and_noted),
		DESK_TEST(a_token_has_no_password),
		DESK_TEST(administrators_alone_may),
		DESK_TEST(an_export_comes_back),
		DESK_TEST(a_dry_run_changes_nothing),
		DESK_TEST(an_export_that_does_not_open_is_refused),
		DESK_TEST(other_programs_files_are_taken_over),
		DESK_TEST(the_responders_environment_is_not_read),
		DESK_TEST(a_file_without_an_account_is_refused),
		DESK_TEST(files_that_are_none_are_refused),
		DESK_TEST(a_file_that_is_too_long_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
