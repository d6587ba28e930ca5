#include "desk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_oauth.h"
#include "account_secrets.h"
#include "accounts.h"
#include "aliases.h"
#include "audit.h"
#include "change.h"
#include "groups.h"
#include "import.h"
#include "import_from.h"

static json_t *oauth;

static const char *
env_of(const char *name)
{

	return (strcmp(name, "KEY_ONE") == 0 ? "sk-ant-env-1" :
	    strcmp(name, "ANTHROPIC_API_KEY") == 0 ? "sk-ant-env-2" :
	    strcmp(name, "EMPTY") == 0 ? "" : NULL);
}

static int
setup(void **state)
{

	oauth = json_pack("{s:s, s:s, s:s, s:s, s:s}",
	    "authorize_url", "https://id.example/authorize",
	    "token_url", "https://id.example/token", "client_id", "c1",
	    "redirect_uri", "https://here.example/cb", "scopes", "a b");
	return (desk_setup(state));
}

static int
teardown(void **state)
{

	json_decref(oauth);
	return (desk_teardown(state));
}

static int
parse(struct desk *d, const char *kind, const char *text, bool signs_in,
    json_t **things)
{
	const struct import_from from = {
		.group = "g", .oauth = signs_in ? oauth : NULL, .env = env_of
	};

	return (import_parser_of(kind)(text, strlen(text), &from, things,
	    &d->err));
}

/* Appends to a text of 4096 bytes. */
static void
add(char *to, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));
static void
add(char *to, const char *fmt, ...)
{
	size_t n = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(to + n, 4096 - n, fmt, ap);
	va_end(ap);
}

static const char *
text_of(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return (s == NULL ? "" : s);
}

static void
add_secret(struct desk *d, char *to, const char *title,
    enum account_secret what, int64_t id)
{
	char *text;
	size_t n;

	if (account_secret_get(d->st, d->seal, what, id, &text, &n, NULL) ||
	    text == NULL)
		return;
	add(to, " %s=%s", title, text);
	seal_wipe_free(text, n);
}

/* All accounts of the installation, a line each, and all aliases. */
static void
describe(struct desk *d, char to[4096])
{
	const struct alias_of all = { .group = NULL };
	json_t *rows, *row;
	size_t i;

	to[0] = '\0';
	rows = accounts_list(d->st, NULL, &d->err);
	desk_works(d, rows == NULL);
	json_array_foreach(rows, i, row) {
		add(to, "%s %s %s %s %lld/%lld %s [%s]%s", text_of(row,
		    "name"), text_of(row, "platform"), text_of(row,
		    "base_url"), text_of(row, "credential"),
		    (long long)desk_int(row, "priority"),
		    (long long)desk_int(row, "concurrency"),
		    text_of(row, "group"), text_of(row, "models"),
		    json_is_true(json_object_get(row, "enabled")) ? "" :
		    " off");
		add_secret(d, to, "secret", ACCOUNT_SECRET, desk_int(row,
		    "id"));
		add_secret(d, to, "refresh", ACCOUNT_REFRESH, desk_int(row,
		    "id"));
		add_secret(d, to, "proxy", ACCOUNT_PROXY, desk_int(row,
		    "id"));
		add(to, "\n");
	}
	json_decref(rows);
	rows = aliases_list(d->st, &all, &d->err);
	desk_works(d, rows == NULL);
	json_array_foreach(rows, i, row)
		add(to, "%s: %s>%s\n", text_of(row, "of"), text_of(row,
		    "pattern"), text_of(row, "target"));
	json_decref(rows);
}

static void
assert_there(struct desk *d, const char *want)
{
	char got[4096];

	describe(d, got);
	assert_string_equal(got, want);
}

static int
apply(struct desk *d, const json_t *things, enum import_policy policy,
    bool dry_run, char did[4096])
{
	const struct import_order o = {
		.policy = policy, .dry_run = dry_run, .ahead_ms = 60000
	};
	json_t *done, *row;
	size_t i;
	int rc;

	did[0] = '\0';
	rc = import_apply(d->st, d->seal, things, &o, &done, &d->err);
	if (rc == 0) {
		json_array_foreach(done, i, row)
			add(did, "%s %s %s\n", text_of(row, "what"),
			    text_of(row, "name"), text_of(row, "done"));
	}
	json_decref(done);
	return (rc);
}

#define API	"https://api.anthropic.com"
#define CRS(s)	"{\"success\": true, \"data\": {" s "}}"

/* Files, and what is there after them. */
static const struct {
	const char *kind, *text, *want;
	size_t passed;
} good[] = {
	{ "env", "", "", 0 },
	{ "env", "# none\n\nHOME=/root\nCLAUDE_MODEL=x\n", "", 1 },
	{ "env", "CLAUDE_API_KEY=sk-ant-1\n",
	    "claude claude " API " api_key 50/10 g [] secret=sk-ant-1\n", 0 },
	{ "env", "export CLAUDE_API_KEY = 1\nCLAUDE_API_KEY=", NULL, 0 },
	{ "env", "export CLAUDE_API_KEY=\"sk-ant-\\\"1\" # mine\r\n"
	    " ANTHROPIC_API_KEY='sk-ant-oat2'",
	    "anthropic claude " API " bearer 50/10 g [] secret=sk-ant-oat2\n"
	    "claude claude " API " api_key 50/10 g [] secret=sk-ant-\"1\n",
	    0 },
	{ "env", "CLAUDE_API_KEY=sk-ant-1\nCLAUDE_API_KEY=sk-ant-2 # new\n",
	    "claude claude " API " api_key 50/10 g [] secret=sk-ant-2\n", 0 },
	{ "env", "CLAUDE_ACCOUNTS=one:sk-ant-1, sk-ant-2,,one:sk-ant-3,\n",
	    "claude-2 claude " API " api_key 50/10 g [] secret=sk-ant-2\n"
	    "one claude " API " api_key 50/10 g [] secret=sk-ant-1\n"
	    "one-2 claude " API " api_key 50/10 g [] secret=sk-ant-3\n", 0 },
	{ "env", "CLAUDE_ACCOUNTS='[{\"name\": \"a\", \"api_key\": "
	    "\"sk-1\", \"base_url\": \"https://x.example/v1/messages/\"}, "
	    "\"sk-ant-2\", {\"access_token\": \"t3\"}, {\"access_token\": "
	    "\"t4\", \"refresh_token\": \"r4\", \"expires_at\": 4000000000}]'",
	    "a claude_console https://x.example api_key 50/10 g [] "
	    "secret=sk-1\n"
	    "claude-2 claude " API " api_key 50/10 g [] secret=sk-ant-2\n"
	    "claude-3 claude " API " bearer 50/10 g [] secret=t3\n"
	    "claude-4 claude " API " oauth 50/10 g [] secret=t4 "
	    "refresh=r4\n", 0 },
	{ "claude-relay-service", CRS("\"claudeAccounts\": []"), "", 0 },
	{ "claude-relay-service", CRS("\"exportedAt\": \"2026-01-01T00:00:00"
	    ".000Z\", \"claudeAccounts\": [{\"kind\": \"claude-account\", "
	    "\"name\": \"max\", \"authType\": \"oauth\", \"isActive\": true, "
	    "\"schedulable\": true, \"priority\": 20, \"proxy\": "
	    "{\"protocol\": \"socks5\", \"host\": \"p.example\", \"port\": "
	    "1080, \"username\": \"u@x\", \"password\": \"p:w\"}, "
	    "\"credentials\": {\"access_token\": \"t1\", \"refresh_token\": "
	    "\"r1\", \"expires_at\": \"2096-01-01T00:00:00.000Z\", "
	    "\"scope\": \"user:inference\"}}, {\"name\": \"setup\", "
	    "\"authType\": \"setup-token\", \"isActive\": false, \"proxy\": "
	    "null, \"credentials\": {\"access_token\": \"t2\"}}, {\"name\": "
	    "\"void\", \"credentials\": {\"access_token\": \"\"}}], "
	    "\"openaiOAuthAccounts\": [{}], \"openaiResponsesAccounts\": []"),
	    "max claude " API " oauth 20/10 g [] secret=t1 refresh=r1 "
	    "proxy=socks5://u%40x:p%3aw@p.example:1080\n"
	    "setup claude " API " bearer 50/10 g [] off secret=t2\n", 2 },
	{ "claude-relay-service", CRS("\"claudeConsoleAccounts\": [{"
	    "\"name\": \"c\", \"isActive\": true, \"schedulable\": false, "
	    "\"priority\": 1, \"maxConcurrentTasks\": 3, \"proxy\": "
	    "{\"protocol\": \"http\", \"host\": \"::1\", \"port\": 8, "
	    "\"username\": \"\", \"password\": \"\"}, \"credentials\": "
	    "{\"api_key\": \"cr_1\", \"base_url\": \"https://y.example/api\","
	    " \"model_mapping\": {\"claude-a\": \"claude-a\", \"claude-b\": "
	    "\"vendor/b\"}}}, {\"name\": \"c\", \"maxConcurrentTasks\": 0, "
	    "\"credentials\": {\"api_key\": \"sk-ant-9\", \"base_url\": "
	    "\"\"}}]"),
	    "c claude_console https://y.example/api bearer 1/3 g "
	    "[claude-a,vendor/b] off secret=cr_1 proxy=http://[::1]:8\n"
	    "c-2 claude " API " api_key 50/10 g [] secret=sk-ant-9\n"
	    "c: claude-b>vendor/b\n", 0 },
	{ "litellm", "{\"model_list\": []}", "", 0 },
	{ "litellm", "{\"model_list\": [{\"model_name\": \"sonnet\", "
	    "\"litellm_params\": {\"model\": \"anthropic/claude-s\", "
	    "\"api_key\": \"os.environ/KEY_ONE\"}}, {\"model_name\": "
	    "\"claude-o\", \"litellm_params\": {\"model\": \"claude-o\", "
	    "\"api_key\": \"sk-ant-env-1\"}}, {\"model_name\": \"sonnet\", "
	    "\"litellm_params\": {\"model\": \"claude-s\", \"api_base\": "
	    "\"https://z.example/v1\"}}, {\"model_name\": \"gpt\", "
	    "\"litellm_params\": {\"model\": \"openai/gpt\", \"api_key\": "
	    "\"os.environ/MISSING\"}}, {\"model_name\": \"anthropic/*\", "
	    "\"litellm_params\": {\"model\": \"anthropic/*\", \"api_key\": "
	    "\"sk-ant-3\"}}, {\"model_name\": \"all-*\", \"litellm_params\": "
	    "{\"model\": \"anthropic/*\", \"api_key\": \"sk-ant-3\"}}], "
	    "\"general_settings\": {}}",
	    "litellm-1 claude " API " api_key 50/10 g [claude-s,claude-o] "
	    "secret=sk-ant-env-1\n"
	    "litellm-2 claude_console https://z.example api_key 50/10 g "
	    "[claude-s] secret=sk-ant-env-2\n"
	    "litellm-3 claude " API " api_key 50/10 g [*] secret=sk-ant-3\n"
	    "litellm-1: sonnet>claude-s\nlitellm-2: sonnet>claude-s\n", 2 },
};

static void
files_of_others_become_accounts(void **state)
{
	struct desk *d = *state;
	char did[4096];
	json_t *things;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (good[i].want == NULL) {
			desk_fails(d, parse(d, good[i].kind, good[i].text,
			    true, &things), ERR_INVAL);
			continue;
		}
		desk_works(d, parse(d, good[i].kind, good[i].text, true,
		    &things));
		assert_int_equal(json_array_size(json_object_get(things,
		    "passed")), good[i].passed);
		desk_works(d, apply(d, things, IMPORT_REFUSE, true, did));
		assert_there(d, "");
		desk_works(d, apply(d, things, IMPORT_REFUSE, false, did));
		assert_there(d, good[i].want);
		import_wipe(things);
		desk_sql(d, "DELETE FROM model_alias");
		desk_sql(d, "DELETE FROM slot");
		desk_sql(d, "DELETE FROM cooldown");
		desk_sql(d, "DELETE FROM account_oauth");
		desk_sql(d, "DELETE FROM account");
	}
}

/* Files without an account; what is passed over, a line each. */
static const struct {
	const char *kind, *text, *wanted, *passed;
} void_files[] = {
	{ "env", "", "CLAUDE_API_KEY, ANTHROPIC_API_KEY or CLAUDE_ACCOUNTS",
	    "" },
	{ "env", "OPENAI_API_KEY=sk-x\n", "CLAUDE_API_KEY", "" },
	{ "env", "CLAUDE_API_KEY=\nCLAUDE_ACCOUNTS=''\nANTHROPIC_MODEL=x\n",
	    "CLAUDE_API_KEY", "ANTHROPIC_MODEL: not a variable that is read\n"
	    "CLAUDE_API_KEY: it is empty\nCLAUDE_ACCOUNTS: it is empty\n" },
	{ "env", "CLAUDE_ACCOUNTS=[]", "CLAUDE_ACCOUNTS",
	    "CLAUDE_ACCOUNTS: there is no account in it\n" },
	{ "env", "CLAUDE_ACCOUNTS=', ,'", "CLAUDE_ACCOUNTS",
	    "CLAUDE_ACCOUNTS: there is no account in it\n" },
	{ "claude-relay-service", CRS("\"claudeAccounts\": [], "
	    "\"claudeConsoleAccounts\": []"), "claudeAccounts or "
	    "claudeConsoleAccounts", "" },
	{ "claude-relay-service", CRS("\"claudeAccounts\": [{\"name\": "
	    "\"void\", \"credentials\": {\"access_token\": \"\"}}], "
	    "\"openaiOAuthAccounts\": [{\"name\": \"o\", \"credentials\": "
	    "{\"access_token\": \"sk-x\"}}], \"openaiResponsesAccounts\": "
	    "[{\"name\": \"r1\"}, {}]"), "claudeConsoleAccounts",
	    "account \"void\": it has neither key nor token\n"
	    "account \"o\" of openaiOAuthAccounts: it is not Claude's\n"
	    "account \"r1\" of openaiResponsesAccounts: it is not Claude's\n"
	    "openaiResponsesAccounts[1]: it is not Claude's\n" },
	{ "litellm", "{\"model_list\": []}", "model_list", "" },
	{ "litellm", "{\"model_list\": [{\"model_name\": \"a\", "
	    "\"litellm_params\": {\"model\": \"openai/gpt\", \"api_key\": "
	    "\"sk-x\"}}, {\"model_name\": \"b\", \"litellm_params\": "
	    "{\"model\": \"bedrock/anthropic.claude-x\"}}]}",
	    "anthropic/NAME", "model \"openai/gpt\": it is not Anthropic's\n"
	    "model \"bedrock/anthropic.claude-x\": it is not Anthropic's\n" },
};

static void
files_without_an_account_say_so(void **state)
{
	struct desk *d = *state;
	char passed[4096];
	json_t *things, *text;
	size_t i, k;

	for (i = 0; i < sizeof(void_files) / sizeof(void_files[0]); i++) {
		desk_works(d, parse(d, void_files[i].kind, void_files[i].text,
		    true, &things));
		passed[0] = '\0';
		json_array_foreach(json_object_get(things, "passed"), k, text)
			add(passed, "%s\n", json_string_value(text));
		assert_string_equal(passed, void_files[i].passed);
		assert_int_equal(import_any(void_files[i].kind, things,
		    &d->err), -1);
		if (strstr(d->err.text, void_files[i].wanted) == NULL)
			fail_msg("%zu: %s", i, d->err.text);
		desk_fails(d, -1, ERR_NOT_FOUND);
		import_wipe(things);
	}
	desk_works(d, parse(d, "env", "CLAUDE_API_KEY=sk-1", true, &things));
	desk_works(d, import_any("env", things, &d->err));
	import_wipe(things);
}

/* Files that a parser or the change refuses; ${word} is in the text. */
static const struct {
	const char *kind, *text, *word;
} bad[] = {
	{ "env", "CLAUDE_API_KEY sk-x", "line 1" },
	{ "env", "\n=x", "line 2" },
	{ "env", "A B=x", "line 1" },
	{ "env", "CLAUDE_API_KEY=\"sk-x", "quotes of CLAUDE_API_KEY" },
	{ "env", "CLAUDE_API_KEY='sk-x'y", "quotes of CLAUDE_API_KEY" },
	{ "env", "CLAUDE_API_KEY=sk-x y", "\"claude\"" },
	{ "env", "CLAUDE_ACCOUNTS=[", "CLAUDE_ACCOUNTS" },
	{ "env", "CLAUDE_ACCOUNTS='[1]'", "element 1" },
	{ "env", "CLAUDE_ACCOUNTS='[{\"name\": \"a\"}]'", "element 1" },
	{ "env", "CLAUDE_ACCOUNTS=sk-x:one", "element 1" },
	{ "env", "CLAUDE_ACCOUNTS='[{\"name\": \"\\u001b\", \"api_key\": "
	    "\"sk-x\"}]'", "account \"?\"" },
	{ "env", "CLAUDE_ACCOUNTS='[{\"api_key\": \"sk-x\", \"base_url\": "
	    "\"http://far.example\"}]'", "claude-1" },
	{ "claude-relay-service", "[]", "claudeAccounts" },
	{ "claude-relay-service", "{\"success\": false}", "claudeAccounts" },
	{ "claude-relay-service", "{", "line 1" },
	{ "claude-relay-service", "{\"a\": 1, \"a\": 2}", "JSON" },
	{ "claude-relay-service", CRS("\"claudeAccounts\": [7]"),
	    "claudeAccounts[0]" },
	{ "claude-relay-service", CRS("\"claudeAccounts\": [{\"name\": "
	    "\"a\", \"priority\": \"high\", \"credentials\": "
	    "{\"access_token\": \"sk-x\"}}]"), "\"priority\"" },
	{ "claude-relay-service", CRS("\"claudeAccounts\": [{\"name\": "
	    "\"a\", \"priority\": 5000, \"credentials\": {\"access_token\": "
	    "\"sk-x\"}}]"), "priority" },
	{ "claude-relay-service", CRS("\"claudeAccounts\": [{\"name\": "
	    "\"a\", \"proxy\": {\"protocol\": \"ftp\", \"host\": \"h\", "
	    "\"port\": 1}, \"credentials\": {\"access_token\": \"sk-x\"}}]"),
	    "proxy" },
	{ "claude-relay-service", CRS("\"claudeConsoleAccounts\": [{\"name\":"
	    " \"a\", \"credentials\": {\"api_key\": \"sk-x\", "
	    "\"model_mapping\": {\"a\": \"b,c\"}}}]"), "comma" },
	{ "litellm", "{}", "model_list" },
	{ "litellm", "model_list: []", "line 1" },
	{ "litellm", "{\"model_list\": [{}]}", "model_list[0]" },
	{ "litellm", "{\"model_list\": [{\"litellm_params\": {\"model\": "
	    "\"claude-a\", \"api_key\": \"os.environ/MISSING\"}}]}",
	    "MISSING" },
	{ "litellm", "{\"model_list\": [{\"litellm_params\": {\"model\": "
	    "\"claude-a\", \"api_key\": \"os.environ/EMPTY\"}}]}", "EMPTY" },
	{ "litellm", "{\"model_list\": [{\"litellm_params\": {\"model\": "
	    "\"claude-a\", \"litellm_credential_name\": \"none\"}}], "
	    "\"credential_list\": [1, {\"credential_name\": \"other\", "
	    "\"credential_values\": {\"api_key\": \"sk-x\"}}]}",
	    "\"none\" is not in credential_list" },
};

static void
files_that_make_no_sense_are_refused(void **state)
{
	struct desk *d = *state;
	char did[4096];
	json_t *things;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rc = parse(d, bad[i].kind, bad[i].text, true, &things);
		if (rc == 0)
			rc = apply(d, things, IMPORT_REFUSE, false, did);
		if (rc == 0 || strstr(d->err.text, bad[i].word) == NULL ||
		    strstr(d->err.text, "sk-x") != NULL)
			fail_msg("%s: %s", bad[i].text, d->err.text);
		desk_fails(d, rc, ERR_INVAL);
		import_wipe(things);
		assert_there(d, "");
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "account_group"), 0);
	}
}

static void
a_sign_in_needs_to_be_told_how(void **state)
{
	static const char text[] = CRS("\"claudeAccounts\": [{\"name\": "
	    "\"max\", \"credentials\": {\"access_token\": \"t\", "
	    "\"refresh_token\": \"r\"}}]");
	struct desk *d = *state;
	char did[4096];
	json_t *things, *settings;
	int64_t id;

	assert_int_equal(parse(d, "claude-relay-service", text, false,
	    &things), -1);
	assert_non_null(strstr(d->err.text, "--oauth-of"));
	desk_fails(d, -1, ERR_INVAL);
	desk_works(d, parse(d, "claude-relay-service", text, true, &things));
	desk_works(d, apply(d, things, IMPORT_REFUSE, false, did));
	import_wipe(things);
	desk_works(d, accounts_find(d->st, "max", &id, &d->err));
	settings = account_oauth_get(d->st, id, &d->err);
	assert_string_equal(text_of(settings, "token_url"),
	    "https://id.example/token");
	assert_true(json_is_true(json_object_get(settings, "signed_in")));
	json_decref(settings);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM cooldown"), 0);
}

/* What is taken is refused, left alone or changed, with its aliases. */
static void
names_that_are_taken(void **state)
{
	static const char text[] = CRS("\"claudeConsoleAccounts\": [{"
	    "\"name\": \"a\", \"priority\": 7, \"credentials\": "
	    "{\"api_key\": \"sk-ant-new\", \"model_mapping\": {\"x\": \"y\"}"
	    "}}, {\"name\": \"b\", \"credentials\": {\"api_key\": "
	    "\"sk-ant-b\"}}]");
	static const char had[] = "a claude https://upstream.example api_key "
	    "50/2  [] secret=sk-ant-one\n";
	struct desk *d = *state;
	char did[4096];
	json_t *things;

	desk_account(d, "a", 2);
	desk_works(d, parse(d, "claude-relay-service", text, true, &things));
	assert_int_equal(apply(d, things, IMPORT_REFUSE, false, did), -1);
	assert_non_null(strstr(d->err.text, "account \"a\": it is there"));
	desk_fails(d, -1, ERR_EXISTS);
	desk_fails(d, apply(d, things, IMPORT_REFUSE, true, did),
	    ERR_EXISTS);
	assert_there(d, had);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM "
	    "account_group"), 0);

	desk_works(d, apply(d, things, IMPORT_SKIP, true, did));
	assert_string_equal(did, "group g added\naccount a skipped\n"
	    "account b added\nalias x skipped\n");
	assert_there(d, had);

	desk_works(d, apply(d, things, IMPORT_UPDATE, false, did));
	assert_string_equal(did, "group g added\naccount a updated\n"
	    "account b added\nalias x added\n");
	assert_there(d,
	    "a claude " API " api_key 7/2 g [y] secret=sk-ant-new\n"
	    "b claude " API " api_key 50/10 g [] secret=sk-ant-b\n"
	    "a: x>y\n");

	desk_works(d, apply(d, things, IMPORT_UPDATE, false, did));
	assert_string_equal(did, "account a updated\naccount b updated\n"
	    "alias x updated\n");
	desk_works(d, apply(d, things, IMPORT_SKIP, false, did));
	assert_string_equal(did, "account a skipped\naccount b skipped\n"
	    "alias x skipped\n");
	import_wipe(things);
}

static void
what_fails_half_way_changes_nothing(void **state)
{
	static const char text[] = "CLAUDE_ACCOUNTS='[\"sk-ant-1\", "
	    "\"sk-ant-2\", {\"api_key\": \"sk ant\"}]'";
	struct actor who = { ACTOR_SHELL, "root", "" };
	struct audit a = {
		.actor = who, .verb = "import", .object = "file"
	};
	struct desk *d = *state;
	char did[4096];
	json_t *things;
	int64_t rows, version;

	rows = desk_number(d, "SELECT count(*) FROM audit");
	version = desk_number(d, "SELECT value + 0 FROM meta "
	    "WHERE name = 'config_version'");
	desk_works(d, parse(d, "env", text, true, &things));
	change_audit(d->st, &a);
	desk_fails(d, apply(d, things, IMPORT_REFUSE, false, did),
	    ERR_INVAL);
	change_audit(d->st, NULL);
	import_wipe(things);
	assert_there(d, "");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM slot"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit"), rows);
	assert_int_equal(desk_number(d, "SELECT value + 0 FROM meta "
	    "WHERE name = 'config_version'"), version);
}

/* One for the command, and one for each thing, without secrets. */
static void
audit_rows_are_written(void **state)
{
	struct actor who = { ACTOR_SHELL, "root", "" };
	struct audit a = {
		.actor = who, .verb = "import", .object = "file"
	};
	struct desk *d = *state;
	char did[4096];
	json_t *things;
	int64_t rows;

	rows = desk_number(d, "SELECT count(*) FROM audit");
	desk_works(d, parse(d, "env", "CLAUDE_API_KEY=sk-ant-7", true,
	    &things));
	change_audit(d->st, &a);
	desk_works(d, apply(d, things, IMPORT_REFUSE, true, did));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit"), rows);
	change_audit(d->st, &a);
	desk_works(d, apply(d, things, IMPORT_REFUSE, false, did));
	import_wipe(things);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit"),
	    rows + 3);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit WHERE "
	    "verb = 'account.import' AND object = 'claude' AND actor = 'root'"
	    " AND after_json LIKE '%%api_key%%'"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit WHERE "
	    "after_json LIKE '%%sk-ant-7%%'"), 0);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(files_of_others_become_accounts),
		T(files_without_an_account_say_so),
		T(files_that_make_no_sense_are_refused),
		T(a_sign_in_needs_to_be_told_how),
		T(names_that_are_taken),
		T(what_fails_half_way_changes_nothing),
		T(audit_rows_are_written),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
