#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "account_proxy.h"
#include "accounts.h"
#include "command.h"
#include "output.h"
#include "probe.h"
#include "status.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct column list_columns[] = {
	{ "NAME", "name", COLUMN_TEXT },
	{ "PLATFORM", "platform", COLUMN_TEXT },
	{ "GROUP", "group", COLUMN_TEXT },
	{ "PRIORITY", "priority", COLUMN_INT },
	{ "WEIGHT", "weight", COLUMN_INT },
	{ "LEASES", "leases", COLUMN_INT },
	{ "OF", "concurrency", COLUMN_INT },
	{ "ENABLED", "enabled", COLUMN_YES_NO },
	{ "BREAKER", "breaker", COLUMN_TEXT },
	{ "FOR", "breaker_reason", COLUMN_TEXT },
	{ "PARKED UNTIL", "parked_until_ms", COLUMN_TIME },
	{ "BASE URL", "base_url", COLUMN_TEXT },
};

static const struct column show_columns[] = {
	{ "name", "name", COLUMN_TEXT },
	{ "platform", "platform", COLUMN_TEXT },
	{ "base URL", "base_url", COLUMN_TEXT },
	{ "credential", "credential", COLUMN_TEXT },
	{ "auth header", "auth_header", COLUMN_TEXT },
	{ "proxy", "proxy", COLUMN_TEXT },
	{ "group", "group", COLUMN_TEXT },
	{ "priority", "priority", COLUMN_INT },
	{ "weight", "weight", COLUMN_INT },
	{ "concurrency", "concurrency", COLUMN_INT },
	{ "leases", "leases", COLUMN_INT },
	{ "models", "models", COLUMN_TEXT },
	{ "enabled", "enabled", COLUMN_YES_NO },
	{ "breaker", "breaker", COLUMN_TEXT },
	{ "for", "breaker_reason", COLUMN_TEXT },
	{ "parked until", "parked_until_ms", COLUMN_TIME },
	{ "created", "created_ms", COLUMN_TIME },
	{ "changed", "updated_ms", COLUMN_TIME },
};

static const struct column oauth_columns[] = {
	{ "signed in", "signed_in", COLUMN_YES_NO },
	{ "token ends", "expires_ms", COLUMN_TIME },
	{ "token came", "renewed_ms", COLUMN_TIME },
	{ "authorize URL", "authorize_url", COLUMN_TEXT },
	{ "token URL", "token_url", COLUMN_TEXT },
	{ "client id", "client_id", COLUMN_TEXT },
	{ "scopes", "scopes", COLUMN_TEXT },
	{ "redirect URI", "redirect_uri", COLUMN_TEXT },
	{ "token format", "token_format", COLUMN_TEXT },
};

static const struct column alias_columns[] = {
	{ "MODEL ASKED FOR", "pattern", COLUMN_TEXT },
	{ "GOES UPSTREAM AS", "target", COLUMN_TEXT },
};

static const struct column probe_columns[] = {
	{ "last probe", "probed_ms", COLUMN_TIME },
	{ "probe found", "result", COLUMN_TEXT },
	{ "probe status", "status", COLUMN_INT },
	{ "probe said", "message", COLUMN_TEXT },
	{ "last good probe", "good_ms", COLUMN_TIME },
};

static const struct column cooldown_columns[] = {
	{ "FAMILY", "family", COLUMN_TEXT },
	{ "BREAKER", "state", COLUMN_TEXT },
	{ "PARKED FOR", "reason", COLUMN_TEXT },
	{ "SINCE", "since_ms", COLUMN_TIME },
	{ "UNTIL", "until_ms", COLUMN_TIME },
	{ "STATED", "stated", COLUMN_YES_NO },
	{ "CAUSE", "cause", COLUMN_TEXT },
	{ "PROBE", "probe", COLUMN_TEXT },
	{ "DETAIL", "detail", COLUMN_TEXT },
};

/* The options that add and set have in common. */
static int
read_change(struct cli *cli, struct account_change *c, struct err *err)
{

	account_change_init(c);
	c->name = cli_option(cli, "name");
	c->platform = cli_option(cli, "platform");
	c->base_url = cli_option(cli, "base-url");
	c->credential = cli_option(cli, "credential");
	c->group = cli_option(cli, "group");
	c->oauth = (struct oauth_settings) {
		.authorize_url = cli_option(cli, "authorize-url"),
		.token_url = cli_option(cli, "token-url"),
		.client_id = cli_option(cli, "client-id"),
		.scopes = cli_option(cli, "scopes"),
		.redirect_uri = cli_option(cli, "redirect-uri"),
		.token_format = cli_option(cli, "token-format"),
	};
	c->models = cli_option(cli, "models");
	c->auth_header = cli_option(cli, "auth-header");
	c->proxy = cli_option(cli, "proxy");
	if (c->proxy != NULL && strcmp(c->proxy, "none") == 0)
		c->proxy = "";
	if (cli_option_int(cli, "priority", 0, ACCOUNT_PRIORITY_MAX,
	    &c->priority, err) ||
	    cli_option_int(cli, "weight", 1, ACCOUNT_WEIGHT_MAX, &c->weight,
	    err) ||
	    cli_option_int(cli, "concurrency", 1, ACCOUNT_CONCURRENCY_MAX,
	    &c->concurrency, err))
		return (-1);
	return (0);
}

/* Read them from where secrets come: a line each if there are two. */
static int
read_secrets(struct cli *cli, struct account_change *c, bool secret,
    struct err *err)
{
	char *text = NULL, *password = NULL;
	bool user = false;
	size_t n;

	if (c->proxy != NULL && c->proxy[0] != '\0' &&
	    account_proxy_check(c->proxy, &user, err))
		return (-1);
	if (secret && cli_secret(cli, 0, "Secret of the account", user, &text,
	    &c->secret_len, err))
		return (-1);
	if (user && cli_secret(cli, 1, "Password of the proxy's user", false,
	    &password, &n, err))
		return (-1);
	c->secret = text;
	c->proxy_password = password;
	return (0);
}

static int
run_add(struct cli *cli, struct err *err)
{
	struct account_change c;
	int rc;

	if (read_change(cli, &c, err))
		return (-1);
	if (c.name == NULL || c.platform == NULL || c.base_url == NULL ||
	    c.credential == NULL) {
		err_set(err, ERR_INVAL, "--name, --platform, --base-url and "
		    "--credential are needed");
		return (-1);
	}
	if (cli_flag(cli, "disabled"))
		c.enabled = 0;
	if (read_secrets(cli, &c, strcmp(c.credential, "oauth") != 0, err))
		return (-1);
	rc = accounts_add(cli->store, cli->seal, &c, err);
	if (rc == 0)
		output_done(cli->json, "account", c.name,
		    "account \"%s\" is added", c.name);
	return (rc);
}

static int
run_set(struct cli *cli, struct err *err)
{
	struct account_change c;
	int rc;

	if (cli_need_option(cli, err) || read_change(cli, &c, err) ||
	    read_secrets(cli, &c, cli_flag(cli, "secret"), err))
		return (-1);
	rc = accounts_set(cli->store, cli->seal, cli->args[0], &c, err);
	if (rc == 0)
		output_done(cli->json, "account", cli->args[0],
		    "account \"%s\" is changed", cli->args[0]);
	return (rc);
}

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, accounts_list(cli->store, NULL, err),
	    list_columns, NITEMS(list_columns)));
}

/* The rows under ${name}, if there are any, behind an empty line. */
static void
show_table(const json_t *account, const char *name,
    const struct column *columns, size_t n)
{
	const json_t *rows = json_object_get(account, name);

	if (json_array_size(rows) == 0)
		return;
	output_done(false, "", "", "%s", "");
	output_table(rows, columns, n);
}

static int
run_show(struct cli *cli, struct err *err)
{
	json_t *account, *oauth, *probe;

	account = status_account(cli->store, cli->args[0], err);
	if (account == NULL || cli->json)
		return (output_row(true, account, NULL, 0));
	output_fields(account, show_columns, NITEMS(show_columns));
	probe = json_object_get(account, "probe");
	if (json_is_object(probe))
		output_fields(probe, probe_columns, NITEMS(probe_columns));
	oauth = json_object_get(account, "oauth");
	if (json_is_object(oauth))
		output_fields(oauth, oauth_columns, NITEMS(oauth_columns));
	show_table(account, "aliases", alias_columns, NITEMS(alias_columns));
	show_table(account, "cooldowns", cooldown_columns,
	    NITEMS(cooldown_columns));
	json_decref(account);
	return (0);
}

static int
run_remove(struct cli *cli, struct err *err)
{

	if (accounts_remove(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "account", cli->args[0],
	    "account \"%s\" is removed", cli->args[0]);
	return (0);
}

static int
set_enabled(struct cli *cli, int enabled, struct err *err)
{
	struct account_change c;

	account_change_init(&c);
	c.enabled = enabled;
	if (accounts_set(cli->store, NULL, cli->args[0], &c, err))
		return (-1);
	output_done(cli->json, "account", cli->args[0],
	    "account \"%s\" is %s", cli->args[0],
	    enabled ? "enabled" : "disabled");
	return (0);
}

static int
run_enable(struct cli *cli, struct err *err)
{

	return (set_enabled(cli, 1, err));
}

static int
run_disable(struct cli *cli, struct err *err)
{

	return (set_enabled(cli, 0, err));
}

static int
run_wake(struct cli *cli, struct err *err)
{

	if (accounts_wake(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "account", cli->args[0],
	    "account \"%s\" is parked no more", cli->args[0]);
	return (0);
}

static int
run_test(struct cli *cli, struct err *err)
{
	struct probe_result r;
	bool good;

	if (probe_account(cli->store, cli->seal, cli->conf, cli->args[0],
	    cli_option(cli, "model"), &r, err))
		return (-1);
	good = r.status >= 200 && r.status <= 299 && r.message[0] == '\0';
	if (cli->json)
		output_json(json_pack("{s:s, s:s, s:b, s:i, s:I, s:s}",
		    "account", cli->args[0], "url", r.url, "good", good,
		    "status", r.status, "latency_ms",
		    (json_int_t)r.latency_ms, "message", r.message));
	else
		printf("%s: status %d after %lld ms%s%s\n", r.url, r.status,
		    (long long)r.latency_ms, good ? "" : ": ", r.message);
	return (good ? EXIT_OK : EXIT_FAILED);
}

#define COMMON_OPTIONS							\
	{ "platform", "PLATFORM", "claude, or claude_console: another"	\
	    " host that speaks its API" },				\
	{ "base-url", "URL", "https, or http for loopback hosts" },	\
	{ "credential", "KIND", "api_key, bearer or oauth" },		\
	{ "auth-header", "NAME", "claude_console: that its key goes in"	\
	    " (x-api-key)" },						\
	{ "models", "PATTERNS", "models it serves, by comma, with '*'"	\
	    "; \"\": any" },						\
	{ "priority", "N", "0 to 1000, smaller goes first (50)" },	\
	{ "weight", "N", "1 to 10000, share among equals (100)" },	\
	{ "concurrency", "N", "requests at once, 1 to 10000 (10)" },	\
	{ "proxy", "URL", "http, https, socks5 or socks5h; or none" },	\
	{ "authorize-url", "URL", "oauth: where people sign in" },	\
	{ "token-url", "URL", "oauth: where tokens come from" },	\
	{ "client-id", "ID", "oauth: as whom the relay asks" },		\
	{ "scopes", "LIST", "oauth: for what, by blanks" },		\
	{ "redirect-uri", "URI", "oauth: where the sign-in leads" },	\
	{ "token-format", "FORMAT", "oauth: form (default) or json" }

static const struct command_option add_options[] = {
	{ "name", "NAME", "what it is called" },
	COMMON_OPTIONS,
	{ "group", "GROUP", "the group it is in" },
	{ "disabled", NULL, "do not use it yet" },
	{ NULL, NULL, NULL }
};

static const struct command_option set_options[] = {
	{ "name", "NAME", "a new name" },
	COMMON_OPTIONS,
	{ "group", "GROUP", "the group it is in; \"\" for none" },
	{ "secret", NULL, "read a new secret" },
	{ NULL, NULL, NULL }
};

static const struct command_option test_options[] = {
	{ "model", "MODEL", "ask for one token of this model, which costs" },
	{ NULL, NULL, NULL }
};

static const char add_details[] =
	"The secret is asked for, or read from standard input:\n"
	"  echo \"$SECRET\" | leasehold account add --name a1 \\\n"
	"      --platform claude --base-url https://api.anthropic.com \\\n"
	"      --credential api_key\n"
	"--proxy is SCHEME://[USER@]HOST:PORT.  If it names a user, the "
	"password is asked\nfor too, or read from standard input: a second "
	"line there, behind the secret.\n"
	"An account of --credential oauth has no secret of its own: it is "
	"signed in to\nwith `leasehold account login' or `account import', "
	"and rests until then.";

const struct command commands_account[] = {
	{
		.group = "account",
		.name = "add",
		.args = "",
		.needs = NEEDS_SEAL,
		.summary = "add an upstream account",
		.details = add_details,
		.options = add_options,
		.run = run_add,
	},
	{
		.group = "account",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list accounts with leases and breakers",
		.run = run_list,
	},
	{
		.group = "account",
		.name = "show",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "show one account",
		.run = run_show,
	},
	{
		.group = "account",
		.name = "set",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "change an account",
		.details = "--secret, and a --proxy that names a user, read "
		    "from standard input as with\naccount add.",
		.options = set_options,
		.run = run_set,
	},
	{
		.group = "account",
		.name = "remove",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "remove an account that is not in use",
		.run = run_remove,
	},
	{
		.group = "account",
		.name = "enable",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "let requests go to an account",
		.run = run_enable,
	},
	{
		.group = "account",
		.name = "disable",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "send no new requests to an account",
		.run = run_disable,
	},
	{
		.group = "account",
		.name = "wake",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "end the cooldowns of an account",
		.details = "Requests go to it within a second, also those "
		    "that wait.  If what it was parked\nfor goes on, the next "
		    "failure parks it anew.",
		.run = run_wake,
	},
	{
		.group = "account",
		.name = "test",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "send a real request to an account's upstream",
		.details = "Asks for the list of models, unless --model is "
		    "given.",
		.options = test_options,
		.run = run_test,
		.once = true,
	},
	{ .name = NULL }
};
