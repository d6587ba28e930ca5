#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/seal.h"
#include "store/store.h"

#include "budget_text.h"
#include "check.h"
#include "command.h"
#include "key_rules.h"
#include "key_secrets.h"
#include "keys.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define NOTE_SIZE	1024

static const struct column list_columns[] = {
	{ "NAME", "name", COLUMN_TEXT },
	{ "KEY", "visible", COLUMN_TEXT },
	{ "USER", "user", COLUMN_TEXT },
	{ "BOUND TO", "bind", COLUMN_TEXT },
	{ "", "bound_to", COLUMN_TEXT },
	{ "ENABLED", "enabled", COLUMN_YES_NO },
	{ "EXPIRES", "expires_ms", COLUMN_TIME },
	{ "IN FLIGHT", "in_flight", COLUMN_INT },
	{ "SPENT", "spent_nusd", COLUMN_MONEY },
	{ "OF", "budget_nusd", COLUMN_MONEY },
	{ "REVOKED", "revoked_ms", COLUMN_TIME },
};

static const struct column show_columns[] = {
	{ "name", "name", COLUMN_TEXT },
	{ "key", "visible", COLUMN_TEXT },
	{ "user", "user", COLUMN_TEXT },
	{ "bound to", "bind", COLUMN_TEXT },
	{ "its name", "bound_to", COLUMN_TEXT },
	{ "concurrency", "concurrency", COLUMN_INT },
	{ "models", "models", COLUMN_TEXT },
	{ "enabled", "enabled", COLUMN_YES_NO },
	{ "expires", "expires_ms", COLUMN_TIME },
	{ "created", "created_ms", COLUMN_TIME },
	{ "revoked", "revoked_ms", COLUMN_TIME },
	{ "budget", "budget_nusd", COLUMN_MONEY },
	{ "spent of it", "spent_nusd", COLUMN_MONEY },
	{ "reserved of it", "reserved_nusd", COLUMN_MONEY },
	{ "in flight", "in_flight", COLUMN_INT },
	{ "goes on for ms", "drain_ms", COLUMN_INT },
	{ "class in the queue", "queue_class", COLUMN_TEXT },
	{ "clients", "clients", COLUMN_TEXT },
	{ "from", "from", COLUMN_TEXT },
	{ "requests at most", "rate", COLUMN_INT },
	{ "in any ms", "rate_ms", COLUMN_INT },
	{ "old secret until", "old_until_ms", COLUMN_TIME },
};

static const struct column usage_columns[] = {
	{ "requests", "requests", COLUMN_INT },
	{ "cost", "cost_nusd", COLUMN_MONEY },
	{ "input tokens", "input_tokens", COLUMN_INT },
	{ "output tokens", "output_tokens", COLUMN_INT },
	{ "cache read", "cache_read_tokens", COLUMN_INT },
	{ "cache written", "cache_write_tokens", COLUMN_INT },
	{ "last request", "last_ms", COLUMN_TIME },
};

static int
read_drain(struct cli *cli, int64_t *ms, struct err *err)
{
	const char *text = cli_option(cli, "drain-s");
	int64_t s = -1;

	if (text != NULL && strcmp(text, "default") == 0)
		*ms = KEY_DRAIN_DEFAULT;
	else if (cli_option_int(cli, "drain-s", 0, 3600, &s, err))
		return (-1);
	else if (s >= 0)
		*ms = s * 1000;
	return (0);
}

/* The options that create and set have in common. */
static int
read_change(struct cli *cli, struct key_change *c, struct err *err)
{
	const char *expires = cli_option(cli, "expires");
	const char *budget = cli_option(cli, "budget");
	const char *rate = cli_option(cli, "rate");

	key_change_init(c);
	c->name = cli_option(cli, "name");
	c->group = cli_option(cli, "group");
	c->account = cli_option(cli, "account");
	c->bind = c->group != NULL || c->account != NULL;
	c->user = cli_option(cli, "user");
	c->models = cli_option(cli, "models");
	c->queue_class = cli_option(cli, "queue-class");
	c->clients = cli_option(cli, "clients");
	c->nets = cli_option(cli, "from");
	if (cli_option_int(cli, "concurrency", 0, KEY_CONCURRENCY_MAX,
	    &c->concurrency, err) || read_drain(cli, &c->drain_ms, err))
		return (-1);
	if (rate != NULL && key_rate_parse(rate, c, err))
		return (-1);
	if (expires != NULL && check_expiry(expires,
	    store_now_ms(cli->store), &c->expires_ms, err))
		return (-1);
	if (budget != NULL && strcmp(budget, "none") == 0)
		c->budget_nusd = KEY_BUDGET_NONE;
	else if (budget != NULL && check_money(budget, &c->budget_nusd, err))
		return (-1);
	return (0);
}

static int
run_create(struct cli *cli, struct err *err)
{
	char key[SEAL_CLIENT_KEY_SIZE];
	struct seal_pepper pepper;
	struct key_change c;
	int rc;

	if (read_change(cli, &c, err))
		return (-1);
	if (c.name == NULL) {
		err_set(err, ERR_INVAL, "--name is needed");
		return (-1);
	}
	if (cli_pepper(cli, &pepper, err))
		return (-1);
	rc = keys_create(cli->store, &pepper, &c, key, err);
	seal_wipe(&pepper, sizeof(pepper));
	if (rc == 0) {
		output_secret(cli->json, "key", c.name, key);
		seal_wipe(key, sizeof(key));
	}
	return (rc);
}

static int
run_set(struct cli *cli, struct err *err)
{
	struct key_change c;

	if (cli_need_option(cli, err) || read_change(cli, &c, err))
		return (-1);
	if (cli_flag(cli, "enable") && cli_flag(cli, "disable")) {
		err_set(err, ERR_INVAL, "--enable and --disable exclude each "
		    "other");
		return (-1);
	}
	if (cli_flag(cli, "enable") || cli_flag(cli, "disable"))
		c.enabled = cli_flag(cli, "enable");
	if (cli_flag(cli, "pool"))
		c.bind = true;
	if (cli_flag(cli, "pool") && (c.group != NULL || c.account != NULL)) {
		err_set(err, ERR_INVAL, "--pool, --group and --account "
		    "exclude each other");
		return (-1);
	}
	if (keys_set(cli->store, cli->args[0], &c, err))
		return (-1);
	output_done(cli->json, "key", cli->args[0], "key \"%s\" is changed",
	    cli->args[0]);
	return (0);
}

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, keys_list(cli->store, err),
	    list_columns, NITEMS(list_columns)));
}

/* What holds for the key, and what may not have been meant with it. */
static void
print_budgets(const json_t *key)
{
	const json_t *budgets = json_object_get(key, "budgets"), *note;
	char line[NOTE_SIZE];
	size_t i;

	if (json_array_size(budgets) > 0) {
		putchar('\n');
		budget_text_table(budgets);
	}
	json_array_foreach(json_object_get(key, "notes"), i, note) {
		output_cell(line, sizeof(line), note, COLUMN_TEXT);
		printf("%s%s\n", i == 0 ? "\n" : "", line);
	}
}

static int
run_show(struct cli *cli, struct err *err)
{
	json_t *key;

	key = keys_show(cli->store, cli->args[0], err);
	if (key != NULL && keys_explain(cli->store, key,
	    cli->conf->reserve_slice_tokens, err)) {
		json_decref(key);
		return (-1);
	}
	if (key == NULL || cli->json)
		return (output_row(true, key, NULL, 0));
	output_fields(key, show_columns, NITEMS(show_columns));
	output_fields(json_object_get(key, "usage"), usage_columns,
	    NITEMS(usage_columns));
	print_budgets(key);
	json_decref(key);
	return (0);
}

static int
run_rotate(struct cli *cli, struct err *err)
{
	const char *text = cli_option(cli, "overlap");
	const char *name = cli->args[0];
	char key[SEAL_CLIENT_KEY_SIZE];
	struct seal_pepper pepper;
	int64_t overlap_ms = 0;
	int rc;

	if (text != NULL && num_parse_duration_ms(text, 1000, &overlap_ms)) {
		err_set(err, ERR_INVAL, "--overlap takes a time such as 12h "
		    "or 7d, not \"%.40s\"", text);
		return (-1);
	}
	if (cli_pepper(cli, &pepper, err))
		return (-1);
	rc = key_secrets_rotate(cli->store, &pepper, name, overlap_ms, key,
	    err);
	seal_wipe(&pepper, sizeof(pepper));
	if (rc == 0) {
		output_secret(cli->json, "key", name, key);
		seal_wipe(key, sizeof(key));
	}
	return (rc);
}

static int
run_revoke(struct cli *cli, struct err *err)
{

	if (keys_revoke(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "key", cli->args[0], "key \"%s\" is revoked",
	    cli->args[0]);
	return (0);
}

#define COMMON_OPTIONS							\
	{ "group", "GROUP", "use the accounts of this group" },		\
	{ "account", "ACCOUNT", "use this account" },			\
	{ "user", "NAME", "whose it is; \"\": nobody's" },		\
	{ "concurrency", "N", "requests at once; 0: no limit" },	\
	{ "models", "PATTERNS", "allowed models by comma, with '*'" },	\
	{ "expires", "WHEN", "2027-01-31, 90d, never" },		\
	{ "budget", "DOLLARS", "money in total; none: no limit" },	\
	{ "drain-s", "SECONDS", "how long the upstream goes on when a "	\
	    "client leaves; 0: it is cut; default: "			\
	    "disconnect_drain_s" },					\
	{ "queue-class", "CLASS", "high, normal or low: who goes "	\
	    "first when requests wait" },				\
	{ "clients", "KINDS", "kinds of clients by comma, as they "	\
	    "call themselves: claude-code, curl, ua:PATTERN; \"\": any" }, \
	{ "from", "NETWORKS", "addresses it is used from, by comma: "	\
	    "192.0.2.0/24,2001:db8::/32; \"\": any" },			\
	{ "rate", "N/WINDOW", "requests in any window of that length: "	\
	    "60/1m; none: no limit" }

static const struct command_option create_options[] = {
	{ "name", "NAME", "what it is called" },
	COMMON_OPTIONS,
	{ NULL, NULL, NULL }
};

static const struct command_option set_options[] = {
	{ "name", "NAME", "a new name" },
	{ "pool", NULL, "use all accounts" },
	COMMON_OPTIONS,
	{ "enable", NULL, "let it in again" },
	{ "disable", NULL, "refuse it until it is enabled" },
	{ NULL, NULL, NULL }
};

static const struct command_option rotate_options[] = {
	{ "overlap", "TIME", "so long the old secret goes on to work: 12h, "
	    "7d; at most 30d" },
	{ NULL, NULL, NULL }
};

const struct command commands_key[] = {
	{
		.group = "key",
		.name = "create",
		.args = "",
		.needs = NEEDS_SEAL,
		.summary = "make a client key and print it, once",
		.options = create_options,
		.run = run_create,
	},
	{
		.group = "key",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list client keys",
		.run = run_list,
	},
	{
		.group = "key",
		.name = "show",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "show a key: limits, spend, requests in flight",
		.run = run_show,
	},
	{
		.group = "key",
		.name = "set",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "change a client key",
		.options = set_options,
		.run = run_set,
	},
	{
		.group = "key",
		.name = "rotate",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "give a key a new secret and print it, once",
		.options = rotate_options,
		.run = run_rotate,
	},
	{
		.group = "key",
		.name = "revoke",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "refuse a key from now on, for good",
		.run = run_revoke,
	},
	{ .name = NULL }
};
