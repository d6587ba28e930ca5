#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"

#include "budget_rules.h"
#include "budget_text.h"
#include "budget_view.h"
#include "check.h"
#include "command.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const char *const scopes[] = { "key", "user", "group" };

/* The options that set a limit, and what it counts. */
static const struct {
	const char *option, *kind;
} limits[] = {
	{ "money", "money" },
	{ "tokens", "tokens" },
	{ "input-tokens", "input_tokens" },
	{ "output-tokens", "output_tokens" },
	{ "requests", "requests" },
};

static int
read_amount(const struct cli *cli, const char *option, int64_t *limit,
    struct err *err)
{

	if (strcmp(option, "money") == 0)
		return (check_money(cli_option(cli, option), limit, err));
	return (cli_option_int(cli, option, 0, BUDGET_LIMIT_MAX, limit, err));
}

/* At most one of the limits; *${kind} is NULL without any. */
static int
read_limit(const struct cli *cli, const char **kind, int64_t *limit,
    struct err *err)
{
	size_t i;

	*kind = NULL;
	for (i = 0; i < NITEMS(limits); i++) {
		if (cli_option(cli, limits[i].option) == NULL)
			continue;
		if (*kind != NULL) {
			err_set(err, ERR_INVAL, "a budget counts one thing: "
			    "give --money, --tokens, --input-tokens, "
			    "--output-tokens or --requests");
			return (-1);
		}
		*kind = limits[i].kind;
		if (read_amount(cli, limits[i].option, limit, err))
			return (-1);
	}
	return (0);
}

/* At most one of --key, --user and --group. */
static int
read_scope(const struct cli *cli, struct budget_spec *s, struct err *err)
{
	size_t i;

	for (i = 0; i < NITEMS(scopes); i++) {
		if (cli_option(cli, scopes[i]) == NULL)
			continue;
		if (s->scope != NULL) {
			err_set(err, ERR_INVAL, "--key, --user and --group "
			    "exclude each other");
			return (-1);
		}
		s->scope = scopes[i];
		s->of = cli_option(cli, scopes[i]);
	}
	return (0);
}

static int
read_spec(const struct cli *cli, struct budget_spec *s, struct err *err)
{
	const char *length = cli_option(cli, "length");
	const char *anchor = cli_option(cli, "anchor");

	*s = (struct budget_spec) {
		.name = cli_option(cli, "name"),
		.period = cli_option(cli, "period"),
		.anchor_ms = -1,
		.zone = cli_option(cli, "zone"),
		.models = cli_option(cli, "models"),
		.policy = cli_option(cli, "policy"),
		.disabled = cli_flag(cli, "disable"),
	};
	if (read_scope(cli, s, err) ||
	    read_limit(cli, &s->kind, &s->limit, err))
		return (-1);
	if (s->scope == NULL) {
		err_set(err, ERR_INVAL, "say what the budget is on: --key "
		    "NAME, --user NAME or --group NAME");
		return (-1);
	}
	if (s->kind == NULL) {
		err_set(err, ERR_INVAL, "say what the budget counts, and its "
		    "limit: --money DOLLARS, --tokens N, --input-tokens N, "
		    "--output-tokens N or --requests N");
		return (-1);
	}
	if (length != NULL && check_length(length, &s->length_ms, err))
		return (-1);
	return (anchor == NULL ? 0 : check_date(anchor, &s->anchor_ms, err));
}

static int
run_add(struct cli *cli, struct err *err)
{
	struct budget_spec s;
	char name[BUDGET_NAME_SIZE];

	if (read_spec(cli, &s, err) ||
	    budget_rules_add(cli->store, &s, name, err))
		return (-1);
	output_done(cli->json, "budget", name, "budget \"%s\" is added", name);
	return (0);
}

static int
run_set(struct cli *cli, struct err *err)
{
	struct budget_change c = {
		.name = cli_option(cli, "name"),
		.models = cli_option(cli, "models"),
		.policy = cli_option(cli, "policy"),
		.enabled = -1,
	};

	if (cli_need_option(cli, err) ||
	    read_limit(cli, &c.kind, &c.limit, err))
		return (-1);
	if (cli_flag(cli, "enable") && cli_flag(cli, "disable")) {
		err_set(err, ERR_INVAL, "--enable and --disable exclude each "
		    "other");
		return (-1);
	}
	if (cli_flag(cli, "enable") || cli_flag(cli, "disable"))
		c.enabled = cli_flag(cli, "enable");
	if (budget_rules_set(cli->store, cli->args[0], &c, err))
		return (-1);
	output_done(cli->json, "budget", cli->args[0],
	    "budget \"%s\" is changed", cli->args[0]);
	return (0);
}

static int
run_list(struct cli *cli, struct err *err)
{
	struct budget_spec s = { .scope = NULL };
	json_t *rows;

	if (read_scope(cli, &s, err))
		return (-1);
	if (s.scope == NULL)
		rows = budget_view_list(cli->store, err);
	else if (strcmp(s.scope, "key") == 0)
		rows = budget_view_key(cli->store, s.of, err);
	else
		rows = budget_view_on(cli->store, s.scope, s.of, err);
	if (rows == NULL || cli->json)
		return (output_rows(true, rows, NULL, 0));
	budget_text_table(rows);
	json_decref(rows);
	return (0);
}

static int
run_show(struct cli *cli, struct err *err)
{
	json_t *row = budget_view_show(cli->store, cli->args[0], err);

	if (row == NULL || cli->json)
		return (output_row(true, row, NULL, 0));
	budget_text_fields(row);
	json_decref(row);
	return (0);
}

static int
run_remove(struct cli *cli, struct err *err)
{

	if (budget_rules_remove(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "budget", cli->args[0],
	    "budget \"%s\" is removed", cli->args[0]);
	return (0);
}

#define LIMIT_OPTIONS							\
	{ "money", "DOLLARS", "the limit, of money" },			\
	{ "tokens", "N", "the limit, of input and output tokens" },	\
	{ "input-tokens", "N", "the limit, of input, cache included" },	\
	{ "output-tokens", "N", "the limit, of output" },		\
	{ "requests", "N", "the limit, of requests" },			\
	{ "models", "PATTERNS", "count these alone, by comma, with '*'" }, \
	{ "policy", "POLICY", "elastic (the default) or strict" }

static const struct command_option add_options[] = {
	{ "key", "NAME", "on what this key uses" },
	{ "user", "NAME", "on what all keys of this user use" },
	{ "group", "NAME", "on what all keys bound to this group use" },
	LIMIT_OPTIONS,
	{ "period", "PERIOD", "total (the default), day, week, month, fixed "
	    "or rolling" },
	{ "length", "DURATION", "of fixed and rolling windows: 5h, 30d" },
	{ "anchor", "DATE", "when a fixed window begins; now" },
	{ "zone", "NAME", "of day, week, month: Europe/Berlin; UTC" },
	{ "name", "NAME", "what it is called; KEY-money-day" },
	{ "disable", NULL, "do not count yet" },
	{ NULL, NULL, NULL }
};

static const struct command_option list_options[] = {
	{ "key", "NAME", "all that requests with this key count against" },
	{ "user", "NAME", "those on this user" },
	{ "group", "NAME", "those on this group" },
	{ NULL, NULL, NULL }
};

static const struct command_option set_options[] = {
	{ "name", "NAME", "a new name" },
	LIMIT_OPTIONS,
	{ "enable", NULL, "let it count again" },
	{ "disable", NULL, "let it count nothing until it is enabled" },
	{ NULL, NULL, NULL }
};

const struct command commands_budget[] = {
	{
		.group = "budget",
		.name = "add",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "limit what a key, user or group may use",
		.details = "It counts requests from now on.  strict reserves "
		    "the most that a request may use\nbefore it goes upstream; "
		    "elastic reserves a part and more as the answer grows.",
		.options = add_options,
		.run = run_add,
	},
	{
		.group = "budget",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list budgets: spent, reserved, left",
		.options = list_options,
		.run = run_list,
	},
	{
		.group = "budget",
		.name = "show",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "show a budget and its window",
		.run = run_show,
	},
	{
		.group = "budget",
		.name = "set",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "change a budget; what it counted stays",
		.details = "What it is on, what it counts and its windows are "
		    "for its life: add another\none and remove this.",
		.options = set_options,
		.run = run_set,
	},
	{
		.group = "budget",
		.name = "remove",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "remove a budget that no open request counts on",
		.run = run_remove,
	},
	{ .name = NULL }
};
