#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "ledger/price.h"
#include "store/store.h"

#include "accounts.h"
#include "check.h"
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
	{ "BATCH %", "batch_percent", COLUMN_INT },
	{ "FAST %", "fast_percent", COLUMN_INT },
	{ "PRIORITY %", "priority_percent", COLUMN_INT },
	{ "US %", "geo_us_percent", COLUMN_INT },
	{ "SEARCH", "web_search_nusd", COLUMN_MONEY },
	{ "SINCE", "valid_from_ms", COLUMN_TIME },
	{ "UNTIL", "valid_until_ms", COLUMN_TIME },
};

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, prices_list(cli->store,
	    cli_flag(cli, "all"), err), columns, NITEMS(columns)));
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
	rc = prices_import(cli->store, &(struct price_import) {
		.file = file,
		.source = path,
		.platform = cli_option(cli, "platform"),
	}, &done, err);
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

/* Dollars for 10^6 tokens; ${nusd} stays where the option was not given. */
static int
read_price(struct cli *cli, const char *name, int64_t *nusd, struct err *err)
{
	const char *text = cli_option(cli, name);

	return (text == NULL ? 0 : check_money(text, nusd, err));
}

/* What is left out goes by the input price, as in price import. */
static int
read_token_prices(struct cli *cli, struct price *p, struct err *err)
{

	if (cli_option(cli, "input") == NULL ||
	    cli_option(cli, "output") == NULL) {
		err_set(err, ERR_INVAL, "--input and --output are needed");
		return (-1);
	}
	if (read_price(cli, "input", &p->input_nusd_mtok, err) ||
	    read_price(cli, "output", &p->output_nusd_mtok, err))
		return (-1);
	prices_fill_cache(p);
	if (read_price(cli, "cache-read", &p->cache_read_nusd_mtok, err) ||
	    read_price(cli, "cache-write-5m", &p->cache_write_5m_nusd_mtok,
	    err))
		return (-1);
	return (read_price(cli, "cache-write-1h",
	    &p->cache_write_1h_nusd_mtok, err));
}

static int
read_ways(struct cli *cli, struct price *p, struct err *err)
{
	const struct {
		const char *name;
		int64_t max, *out;
	} numbers[] = {
		{ "above", PRICE_TOKENS_MAX, &p->above_tokens },
		{ "context", PRICE_TOKENS_MAX, &p->context_tokens },
		{ "batch", PRICE_PERCENT_MAX, &p->batch_percent },
		{ "fast", PRICE_PERCENT_MAX, &p->fast_percent },
		{ "priority", PRICE_PERCENT_MAX, &p->priority_percent },
		{ "us", PRICE_PERCENT_MAX, &p->geo_us_percent },
	};
	size_t i;

	for (i = 0; i < NITEMS(numbers); i++) {
		if (cli_option_int(cli, numbers[i].name, 1, numbers[i].max,
		    numbers[i].out, err))
			return (-1);
	}
	if (read_price(cli, "web-search", &p->web_search_nusd, err))
		return (-1);
	p->web_search_nusd = (p->web_search_nusd + 999) / 1000;
	return (0);
}

static int
read_span(struct cli *cli, struct price *p, struct err *err)
{
	const char *from = cli_option(cli, "from");
	const char *until = cli_option(cli, "until");
	int64_t now_ms = store_now_ms(cli->store);

	if (from != NULL && check_expiry(from, now_ms, &p->valid_from_ms,
	    err))
		return (-1);
	return (until == NULL ? 0 : check_expiry(until, now_ms,
	    &p->valid_until_ms, err));
}

static int
run_set(struct cli *cli, struct err *err)
{
	const char *pattern = cli->args[0];
	const char *platform = cli_option(cli, "platform");
	struct price p = { .platform = "claude" };

	if (check_name("model", pattern, err) ||
	    (platform != NULL && accounts_check_platform(platform, err)))
		return (-1);
	if (platform != NULL)
		(void)snprintf(p.platform, sizeof(p.platform), "%s", platform);
	(void)snprintf(p.pattern, sizeof(p.pattern), "%s", pattern);
	if (read_token_prices(cli, &p, err) || read_ways(cli, &p, err) ||
	    read_span(cli, &p, err) || prices_set(cli->store, &p, err))
		return (-1);
	output_done(cli->json, "model", pattern, "%s has a new price",
	    pattern);
	return (0);
}

static const struct command_option list_options[] = {
	{ "all", NULL, "those that are over or to come as well" },
	{ NULL, NULL, NULL }
};

static const struct command_option set_options[] = {
	{ "platform", "PLATFORM", "of accounts (claude)" },
	{ "input", "DOLLARS", "for 10^6 tokens" },
	{ "output", "DOLLARS", "likewise" },
	{ "cache-read", "DOLLARS", "(as input)" },
	{ "cache-write-5m", "DOLLARS", "(1.25 times input)" },
	{ "cache-write-1h", "DOLLARS", "(2 times input)" },
	{ "above", "TOKENS", "for calls with more input than this" },
	{ "context", "TOKENS", "what the model reads at the most" },
	{ "batch", "PERCENT", "of the plain price, in batches" },
	{ "fast", "PERCENT", "in fast mode" },
	{ "priority", "PERCENT", "in the service tier priority" },
	{ "us", "PERCENT", "with inference in the US" },
	{ "web-search", "DOLLARS", "for 1,000 web searches" },
	{ "from", "WHEN", "not before (now)" },
	{ "until", "WHEN", "then the price before it is valid again" },
	{ NULL, NULL, NULL }
};

static const struct command_option import_options[] = {
	{ "platform", "PLATFORM", "of accounts, instead of the file's own" },
	{ NULL, NULL, NULL }
};

const struct command commands_price[] = {
	{
		.group = "price",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list the prices in force, for 10^6 tokens",
		.options = list_options,
		.run = run_list,
	},
	{
		.group = "price",
		.name = "set",
		.args = "PATTERN",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "set the price of the models that fit a pattern",
		.details = "'*' in PATTERN stands for any characters; alone it "
		    "is the default price, see\n"
		    "the setting unpriced.  --input and --output are needed.  "
		    "Where a PERCENT or the\n"
		    "price of web searches is left out, none is known: what "
		    "is served so is unpriced.\n"
		    "Prices go for new requests alone.",
		.options = set_options,
		.run = run_set,
	},
	{
		.group = "price",
		.name = "import",
		.options = import_options,
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
