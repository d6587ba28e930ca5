#include <stddef.h>

#include "base/err.h"

#include "command.h"
#include "groups.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
	{ "NAME", "name", COLUMN_TEXT },
	{ "STRATEGY", "strategy", COLUMN_TEXT },
	{ "CONCURRENCY", "concurrency", COLUMN_INT },
	{ "ACCOUNTS", "accounts", COLUMN_INT },
	{ "KEYS", "keys", COLUMN_INT },
	{ "BUDGETS", "budgets", COLUMN_INT },
	{ "ALIASES", "aliases", COLUMN_INT },
	{ "CREATED", "created_ms", COLUMN_TIME },
};

static int
run_add(struct cli *cli, struct err *err)
{
	struct group_change c = {
		.name = cli->args[0],
		.strategy = cli_option(cli, "strategy"),
		.concurrency = -1,
	};

	if (cli_option_int(cli, "concurrency", 0, GROUP_CONCURRENCY_MAX,
	    &c.concurrency, err) || groups_add(cli->store, &c, err))
		return (-1);
	output_done(cli->json, "group", c.name, "group \"%s\" is added",
	    c.name);
	return (0);
}

static int
run_set(struct cli *cli, struct err *err)
{
	struct group_change c = {
		.name = cli_option(cli, "name"),
		.strategy = cli_option(cli, "strategy"),
		.concurrency = -1,
	};

	if (cli_need_option(cli, err) || cli_option_int(cli, "concurrency", 0,
	    GROUP_CONCURRENCY_MAX, &c.concurrency, err))
		return (-1);
	if (groups_set(cli->store, cli->args[0], &c, err))
		return (-1);
	output_done(cli->json, "group", cli->args[0],
	    "group \"%s\" is changed", cli->args[0]);
	return (0);
}

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, groups_list(cli->store, NULL, err),
	    columns, NITEMS(columns)));
}

static int
run_remove(struct cli *cli, struct err *err)
{

	if (groups_remove(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "group", cli->args[0],
	    "group \"%s\" is removed", cli->args[0]);
	return (0);
}

static const struct command_option add_options[] = {
	{ "strategy", "STRATEGY", "weighted (the default), "
	    "least_connections, round_robin or response_time" },
	{ "concurrency", "N", "requests at once of its keys; 0: no limit" },
	{ NULL, NULL, NULL }
};

static const struct command_option set_options[] = {
	{ "name", "NAME", "a new name" },
	{ "strategy", "STRATEGY", "weighted, least_connections, "
	    "round_robin or response_time" },
	{ "concurrency", "N", "requests at once of its keys; 0: no limit" },
	{ NULL, NULL, NULL }
};

const struct command commands_group[] = {
	{
		.group = "group",
		.name = "add",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "add a group of accounts",
		.options = add_options,
		.run = run_add,
	},
	{
		.group = "group",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list groups",
		.run = run_list,
	},
	{
		.group = "group",
		.name = "set",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "change a group",
		.options = set_options,
		.run = run_set,
	},
	{
		.group = "group",
		.name = "remove",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "remove a group that is not in use",
		.run = run_remove,
	},
	{ .name = NULL }
};
