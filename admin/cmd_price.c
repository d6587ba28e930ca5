#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#include "command.h"
#include "output.h"
#include "prices.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
	{ "PLATFORM", "platform", COLUMN_TEXT },
	{ "MODEL", "model", COLUMN_TEXT },
	{ "ABOVE", "above_tokens", COLUMN_INT },
	{ "INPUT", "input_nusd_mtok", COLUMN_PRICE },
	{ "OUTPUT", "output_nusd_mtok", COLUMN_PRICE },
	{ "CACHE READ", "cache_read_nusd_mtok", COLUMN_PRICE },
	{ "WRITE 5M", "cache_write_5m_nusd_mtok", COLUMN_PRICE },
	{ "WRITE 1H", "cache_write_1h_nusd_mtok", COLUMN_PRICE },
	{ "CONTEXT", "context_tokens", COLUMN_INT },
	{ "SINCE", "valid_from_ms", COLUMN_TIME },
};

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, prices_list(cli->store, err), columns,
	    NITEMS(columns)));
}

static int
run_import(struct cli *cli, struct err *err)
{
	const char *path = cli->nargs > 0 ? cli->args[0] : PRICES_FILE;
	struct prices_done done;
	json_t *file;
	int rc;

	if ((file = prices_read_file(path, err)) == NULL)
		return (-1);
	rc = prices_import(cli->store, file, path, &done, err);
	json_decref(file);
	if (rc == -1)
		return (-1);
	if (cli->json)
		output_json(json_pack("{s:I, s:I, s:I}", "added",
		    (json_int_t)done.added, "unchanged",
		    (json_int_t)done.unchanged, "skipped",
		    (json_int_t)done.skipped));
	else
		printf("%lld prices are new or changed, %lld as before, %lld "
		    "models skipped\n", (long long)done.added,
		    (long long)done.unchanged, (long long)done.skipped);
	return (0);
}

const struct command commands_price[] = {
	{
		.group = "price",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list the prices in force, for 10^6 tokens",
		.run = run_list,
	},
	{
		.group = "price",
		.name = "import",
		.args = "[FILE]",
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "import a price file in LiteLLM's format",
		.details = "Without FILE the one that came with this version: "
		    PRICES_FILE ".\n"
		    "Prices that changed are valid from now on; requests "
		    "keep what they cost.\n"
		    "What FILE leaves out: 1-hour cache writes cost 2 times, "
		    "5-minute ones 1.25\n"
		    "times the input price, cache reads as much as input.",
		.run = run_import,
	},
	{ .name = NULL }
};
