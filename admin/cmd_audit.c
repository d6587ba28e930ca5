#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#include "audit.h"
#include "command.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define LIMIT_DEFAULT	20
#define LIMIT_MAX	100000

static const struct column columns[] = {
	{ "ID", "id", COLUMN_INT },
	{ "TIME", "at_ms", COLUMN_TIME },
	{ "BY", "actor", COLUMN_TEXT },
	{ "AS", "actor_kind", COLUMN_TEXT },
	{ "FROM", "address", COLUMN_TEXT },
	{ "DID", "verb", COLUMN_TEXT },
	{ "TO", "object", COLUMN_TEXT },
};

static int
run_audit(struct cli *cli, struct err *err)
{
	struct audit_filter f = {
		.limit = LIMIT_DEFAULT,
		.verb = cli_option(cli, "verb"),
		.object = cli_option(cli, "object"),
		.actor = cli_option(cli, "by"),
	};

	if (cli_option_int(cli, "limit", 1, LIMIT_MAX, &f.limit, err) ||
	    cli_option_int(cli, "below", 1, INT64_MAX, &f.below, err))
		return (-1);
	return (output_rows(cli->json, audit_list(cli->store, &f, err),
	    columns, NITEMS(columns)));
}

static const struct command_option options[] = {
	{ "object", "NAME", "what was done to this alone" },
	{ "by", "NAME", "what this user, token or shell user did" },
	{ "verb", "VERB", "this alone: account.set, sign_in.refused, ..." },
	{ "limit", "N", "so many; 20 is the default" },
	{ "below", "ID", "older than this one" },
	{ NULL, NULL, NULL }
};

const struct command commands_audit[] = {
	{
		.name = "audit",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "who changed what, when and from where",
		.details = "Newest first.  As JSON also what it was before "
		    "and after.",
		.options = options,
		.run = run_audit,
	},
	{ .name = NULL }
};
