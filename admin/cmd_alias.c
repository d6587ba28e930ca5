#include <stddef.h>

#include "base/err.h"

#include "accounts.h"
#include "aliases.h"
#include "command.h"
#include "groups.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
	{ "SCOPE", "scope", COLUMN_TEXT },
	{ "OF", "of", COLUMN_TEXT },
	{ "MODEL ASKED FOR", "pattern", COLUMN_TEXT },
	{ "GOES UPSTREAM AS", "target", COLUMN_TEXT },
};

static struct alias_of
read_of(const struct cli *cli)
{

	return ((struct alias_of) {
		.group = cli_option(cli, "group"),
		.account = cli_option(cli, "account"),
	});
}

static int
run_add(struct cli *cli, struct err *err)
{
	const struct alias_of of = read_of(cli);

	if (aliases_add(cli->store, &of, cli->args[0], cli->args[1], err))
		return (-1);
	output_done(cli->json, "alias", cli->args[0],
	    "\"%s\" goes upstream as \"%s\"", cli->args[0], cli->args[1]);
	return (0);
}

static int
run_set(struct cli *cli, struct err *err)
{
	const struct alias_of of = read_of(cli);

	if (aliases_set(cli->store, &of, cli->args[0], cli->args[1], err))
		return (-1);
	output_done(cli->json, "alias", cli->args[0],
	    "\"%s\" goes upstream as \"%s\"", cli->args[0], cli->args[1]);
	return (0);
}

static int
run_remove(struct cli *cli, struct err *err)
{
	const struct alias_of of = read_of(cli);

	if (aliases_remove(cli->store, &of, cli->args[0], err))
		return (-1);
	output_done(cli->json, "alias", cli->args[0],
	    "\"%s\" has no other name any more", cli->args[0]);
	return (0);
}

static int
run_list(struct cli *cli, struct err *err)
{
	const struct alias_of of = read_of(cli);
	int64_t id;

	if (of.group != NULL && of.account != NULL) {
		err_set(err, ERR_INVAL, "--group and --account exclude each "
		    "other");
		return (-1);
	}
	if ((of.group != NULL && groups_find(cli->store, of.group, &id,
	    err)) || (of.account != NULL && accounts_find(cli->store,
	    of.account, &id, err)))
		return (-1);
	return (output_rows(cli->json, aliases_list(cli->store, &of, err),
	    columns, NITEMS(columns)));
}

static const struct command_option options[] = {
	{ "group", "NAME", "for the accounts of this group" },
	{ "account", "NAME", "for this account, after its group's" },
	{ NULL, NULL, NULL }
};

static const char details[] =
	"Requests for a model that PATTERN fits ('*' stands for any "
	"characters) go\nupstream for model TARGET.  An account's group has "
	"the first say, then the\naccount; each once, so there are no loops.  "
	"Of several patterns of one group or\naccount the most specific one "
	"counts: the one with more characters that are no\n'*', then fewer "
	"'*', then the first in the alphabet.\n"
	"The models of a key are those that its client asks for; lists of "
	"what accounts\nserve, prices, budgets by model and cooldowns go by "
	"TARGET.";

const struct command commands_alias[] = {
	{
		.group = "alias",
		.name = "add",
		.args = "PATTERN TARGET",
		.args_min = 2,
		.args_max = 2,
		.needs = NEEDS_STORE,
		.summary = "give a model another name upstream",
		.details = details,
		.options = options,
		.run = run_add,
	},
	{
		.group = "alias",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list aliases, in the order in which they are tried",
		.options = options,
		.run = run_list,
	},
	{
		.group = "alias",
		.name = "set",
		.args = "PATTERN TARGET",
		.args_min = 2,
		.args_max = 2,
		.needs = NEEDS_STORE,
		.summary = "let an alias lead elsewhere",
		.details = "Requests that run, or wait, go on under the names "
		    "that they reserved for.",
		.options = options,
		.run = run_set,
	},
	{
		.group = "alias",
		.name = "remove",
		.args = "PATTERN",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "remove an alias",
		.options = options,
		.run = run_remove,
	},
	{ .name = NULL }
};
