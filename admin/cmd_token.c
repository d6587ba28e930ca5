#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "check.h"
#include "command.h"
#include "output.h"
#include "tokens.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
	{ "NAME", "name", COLUMN_TEXT },
	{ "TOKEN", "visible", COLUMN_TEXT },
	{ "USER", "user", COLUMN_TEXT },
	{ "MAY", "scope", COLUMN_TEXT },
	{ "CREATED", "created_ms", COLUMN_TIME },
	{ "EXPIRES", "expires_ms", COLUMN_TIME },
};

static int
run_create(struct cli *cli, struct err *err)
{
	struct token_spec spec = {
		.name = cli_option(cli, "name"),
		.read_only = cli_flag(cli, "read-only"),
	};
	const char *expires = cli_option(cli, "expires");
	struct seal_pepper pepper;
	char token[TOKEN_SIZE];
	int rc;

	if (spec.name == NULL) {
		err_set(err, ERR_INVAL, "--name is needed");
		return (-1);
	}
	if (expires != NULL && check_expiry(expires,
	    store_now_ms(cli->store), &spec.expires_ms, err))
		return (-1);
	if (cli_pepper(cli, &pepper, err))
		return (-1);
	rc = tokens_create(cli->store, &pepper, &spec, token, err);
	seal_wipe(&pepper, sizeof(pepper));
	if (rc == 0) {
		output_secret(cli->json, "token", spec.name, token);
		seal_wipe(token, sizeof(token));
	}
	return (rc);
}

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, tokens_list(cli->store, 0, err), columns,
	    NITEMS(columns)));
}

static int
run_revoke(struct cli *cli, struct err *err)
{

	if (tokens_revoke(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "token", cli->args[0],
	    "token \"%s\" is revoked", cli->args[0]);
	return (0);
}

static const struct command_option create_options[] = {
	{ "name", "NAME", "what it is called" },
	{ "expires", "WHEN", "2027-01-31, 90d, never (the default)" },
	{ "read-only", NULL, "it may see all and change nothing" },
	{ NULL, NULL, NULL }
};

const struct command commands_token[] = {
	{
		.group = "token",
		.name = "create",
		.args = "",
		.needs = NEEDS_SEAL,
		.summary = "make a token for the admin routes, print it once",
		.options = create_options,
		.run = run_create,
	},
	{
		.group = "token",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list admin tokens",
		.run = run_list,
	},
	{
		.group = "token",
		.name = "revoke",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "remove an admin token",
		.run = run_revoke,
	},
	{ .name = NULL }
};
