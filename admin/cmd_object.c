#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/store.h"

#include "check.h"
#include "command.h"
#include "objects.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define LIMIT_DEFAULT	20
#define LOST_MS		(INT64_C(30) * 86400 * 1000)

static const struct column columns[] = {
	{ "ROW", "row", COLUMN_INT },
	{ "KIND", "kind", COLUMN_TEXT },
	{ "ID", "id", COLUMN_TEXT },
	{ "KEY", "key", COLUMN_TEXT },
	{ "ACCOUNT", "account", COLUMN_TEXT },
	{ "CREATED", "created_ms", COLUMN_TIME },
	{ "MODEL", "model", COLUMN_TEXT },
	{ "FINAL", "final", COLUMN_YES_NO },
	{ "UNHEARD", "unheard", COLUMN_YES_NO },
	{ "USAGE IN", "usage_request", COLUMN_TEXT },
};

static const struct column show_columns[] = {
	{ "kind", "kind", COLUMN_TEXT },
	{ "id", "id", COLUMN_TEXT },
	{ "key", "key", COLUMN_TEXT },
	{ "account", "account", COLUMN_TEXT },
	{ "model", "model", COLUMN_TEXT },
	{ "created", "created_ms", COLUMN_TIME },
	{ "made by request", "made_by", COLUMN_TEXT },
	{ "usage is in request", "usage_request", COLUMN_TEXT },
	{ "will not change", "final", COLUMN_YES_NO },
	{ "client was not told", "unheard", COLUMN_YES_NO },
};

static const struct column lost_columns[] = {
	{ "REQUEST", "request", COLUMN_TEXT },
	{ "KIND", "kind", COLUMN_TEXT },
	{ "CREATED", "created_ms", COLUMN_TIME },
	{ "KEY", "key", COLUMN_TEXT },
	{ "ACCOUNT", "account", COLUMN_TEXT },
	{ "OUTCOME", "outcome", COLUMN_TEXT },
	{ "STATUS", "status", COLUMN_INT },
};

static int
run_list(struct cli *cli, struct err *err)
{
	struct object_filter f = {
		.key = cli_option(cli, "key"),
		.account = cli_option(cli, "account"),
		.kind = cli_option(cli, "kind"),
		.limit = LIMIT_DEFAULT,
	};

	if (cli_option_int(cli, "limit", 1, OBJECTS_LIMIT_MAX, &f.limit,
	    err) || cli_option_int(cli, "before", 1, INT64_MAX, &f.before_id,
	    err))
		return (-1);
	return (output_rows(cli->json, objects_list(cli->store, &f, err),
	    columns, NITEMS(columns)));
}

static int
run_show(struct cli *cli, struct err *err)
{
	json_t *rows = objects_show(cli->store, cli->args[0], err), *row;
	char *seen;
	size_t i;

	if (rows == NULL || cli->json)
		return (output_row(true, rows, NULL, 0));
	json_array_foreach(rows, i, row) {
		if (i > 0)
			putchar('\n');
		output_fields(row, show_columns, NITEMS(show_columns));
		seen = json_dumps(json_object_get(row, "seen"),
		    JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		printf("\nlast seen: %s\n", seen == NULL ? "?" : seen);
		free(seen);
	}
	json_decref(rows);
	return (0);
}

static int
run_lost(struct cli *cli, struct err *err)
{
	const char *since = cli_option(cli, "since");
	int64_t now_ms = store_now_ms(cli->store);
	int64_t since_ms = now_ms - LOST_MS, limit = LIMIT_DEFAULT;

	if (since != NULL && check_since(since, now_ms, &since_ms, err))
		return (-1);
	if (cli_option_int(cli, "limit", 1, OBJECTS_LIMIT_MAX, &limit, err))
		return (-1);
	return (output_rows(cli->json, objects_lost(cli->store, since_ms,
	    limit, err), lost_columns, NITEMS(lost_columns)));
}

static int
run_forget(struct cli *cli, struct err *err)
{
	const char *account = cli_option(cli, "account");
	const char *before = cli_option(cli, "before");
	int64_t before_ms = INT64_MAX, n = 0;
	const char *what = account != NULL ? account : cli->args[0];

	if ((account == NULL) == (cli->nargs == 0) ||
	    (account == NULL && before != NULL)) {
		err_set(err, ERR_INVAL, "say what to forget: ID, or --account "
		    "NAME, which --before WHEN may go with");
		return (-1);
	}
	if (before != NULL && check_since(before, store_now_ms(cli->store),
	    &before_ms, err))
		return (-1);
	if (account != NULL ? objects_forget_account(cli->store, account,
	    before_ms, &n, err) : objects_forget(cli->store, what, &n, err))
		return (-1);
	output_done(cli->json, "object", what, "%lld objects of \"%s\" are "
	    "forgotten; upstream they stay as they are", (long long)n, what);
	return (0);
}

static const struct command_option list_options[] = {
	{ "key", "NAME", "of this key" },
	{ "account", "NAME", "in this account" },
	{ "kind", "KIND", "batch or file" },
	{ "before", "ROW", "older than this one: the next page" },
	{ "limit", "N", "so many at the most (20)" },
	{ NULL, NULL, NULL }
};

static const struct command_option lost_options[] = {
	{ "since", "WHEN", "2026-10-31, 2h (30 days)" },
	{ "limit", "N", "so many at the most (20)" },
	{ NULL, NULL, NULL }
};

static const struct command_option forget_options[] = {
	{ "account", "NAME", "all that this account holds" },
	{ "before", "WHEN", "of those what was made before: 2026-10-31, 40d" },
	{ NULL, NULL, NULL }
};

const struct command commands_object[] = {
	{
		.group = "object",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list batches and files, whose they are and where",
		.options = list_options,
		.run = run_list,
	},
	{
		.group = "object",
		.name = "show",
		.args = "ID",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "show a batch or file, as it was last seen",
		.run = run_show,
	},
	{
		.group = "object",
		.name = "lost",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list requests that may have made what nobody knows",
		.details = "Their answer was lost on the way: a responder that "
		    "died, an upstream that broke off.",
		.options = lost_options,
		.run = run_lost,
	},
	{
		.group = "object",
		.name = "forget",
		.args = "[ID]",
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "forget objects: nobody reaches them here any more",
		.details = "Upstream they stay.  An account that holds none "
		    "can be removed.",
		.options = forget_options,
		.run = run_forget,
	},
	{ .name = NULL }
};
