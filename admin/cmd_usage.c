#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "check.h"
#include "command.h"
#include "output.h"
#include "usage.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* What a table shows of the sums; the other formats have them all. */
static const struct column sum_columns[] = {
	{ "REQUESTS", "requests", COLUMN_INT },
	{ "ERRORS", "errors", COLUMN_INT },
	{ "INPUT", "input_tokens", COLUMN_INT },
	{ "OUTPUT", "output_tokens", COLUMN_INT },
	{ "CACHE READ", "cache_read_tokens", COLUMN_INT },
	{ "CACHE WRITE", "cache_write_tokens", COLUMN_INT },
	{ "CACHE HIT", "cache_hit", COLUMN_TEXT },
	{ "FIRST BYTE", "ttfb_p50_ms", COLUMN_DURATION },
	{ "P95", "ttfb_p95_ms", COLUMN_DURATION },
	{ "TOOK", "duration_p50_ms", COLUMN_DURATION },
	{ "P95", "duration_p95_ms", COLUMN_DURATION },
	{ "ESTIMATED", "marked_estimated", COLUMN_INT },
	{ "UNPRICED", "unpriced", COLUMN_ALARM },
	{ "COST", "cost_nusd", COLUMN_MONEY },
};

static const struct column by_columns[USAGE_BY_COUNT] = {
	[USAGE_BY_KEY] = { "KEY", "key", COLUMN_TEXT },
	[USAGE_BY_USER] = { "USER", "user", COLUMN_TEXT },
	[USAGE_BY_ACCOUNT] = { "ACCOUNT", "account", COLUMN_TEXT },
	[USAGE_BY_GROUP] = { "GROUP", "group", COLUMN_TEXT },
	[USAGE_BY_MODEL] = { "MODEL", "model", COLUMN_TEXT },
};

#define COLUMNS		(1 + USAGE_BY_COUNT + NITEMS(sum_columns))

/* ---- options ---- */

static int
parse_query(struct cli *cli, struct zone *zone, struct usage_query *q,
    struct err *err)
{
	const struct usage_words words = {
		.by = cli_option(cli, "by"),
		.per = cli_option(cli, "per"),
		.from = cli_option(cli, "from"),
		.to = cli_option(cli, "to"),
	};

	*q = (struct usage_query) {
		.key = cli_option(cli, "key"),
		.user = cli_option(cli, "user"),
		.account = cli_option(cli, "account"),
		.group = cli_option(cli, "group"),
		.model = cli_option(cli, "model"),
	};
	if (cli->json && cli_flag(cli, "csv")) {
		err_set(err, ERR_INVAL, "--csv and --json are two formats: "
		    "choose one");
		return (-1);
	}
	return (usage_read(&words, zone, store_now_ms(cli->store), q, err));
}

/* ---- a table ---- */

static int64_t
sum_of(const json_t *row, enum rollup_sum sum)
{

	return (json_integer_value(json_object_get(row, rollup_names[sum])));
}

/* "83 %". */
static int
put_share(json_t *row)
{
	const json_t *share = json_object_get(row, "cache_hit_share");
	char text[24];

	if (!json_is_integer(share))
		return (json_object_set_new(row, "cache_hit", json_null()));
	(void)snprintf(text, sizeof(text), "%lld %%",
	    (long long)(json_integer_value(share) + 5) / 10);
	return (json_object_set_new(row, "cache_hit", json_string(text)));
}

/* What is shown of a row beyond its sums: what is made of them, and its time
 * as short as the period allows. */
static int
prepare_row(json_t *row, const struct usage_query *q, const char *title)
{
	const char *start = json_string_value(json_object_get(row, "start"));
	char text[32];

	if (start != NULL) {
		(void)snprintf(text, sizeof(text), "%.16s", start);
		text[q->per == PERIOD_HOUR ? 16 : 10] = '\0';
		if (q->per == PERIOD_HOUR)
			text[10] = ' ';
		title = text;
	}
	if (json_object_set_new(row, "when", json_string(title)) ||
	    json_object_set_new(row, "cache_write_tokens", json_integer(
	    sum_of(row, ROLLUP_CACHE_WRITE_5M_TOKENS) +
	    sum_of(row, ROLLUP_CACHE_WRITE_1H_TOKENS))))
		return (-1);
	return (put_share(row));
}

static int
print_table(json_t *report, const struct usage_query *q, struct err *err)
{
	json_t *rows = json_object_get(report, "rows"), *row;
	json_t *total = json_object_get(report, "total");
	struct column columns[COLUMNS];
	size_t i, n = 0;

	columns[n++] = (struct column) { q->per == PERIOD_TOTAL ? "SINCE" :
		"START", "when", COLUMN_TEXT };
	for (i = 0; i < USAGE_BY_COUNT; i++) {
		if (q->by[i])
			columns[n++] = by_columns[i];
	}
	memcpy(columns + n, sum_columns, sizeof(sum_columns));
	n += NITEMS(sum_columns);
	if (json_array_size(rows) > 1 && json_array_append(rows, total))
		goto err0;
	json_array_foreach(rows, i, row) {
		if (prepare_row(row, q, "total"))
			goto err0;
	}
	output_table(rows, columns, n);
	return (0);

err0:
	err_set(err, ERR_NOMEM, "no memory for a table");
	return (-1);
}

static int
run_usage(struct cli *cli, struct err *err)
{
	const char *name = cli_option(cli, "zone");
	struct usage_query q;
	struct zone *zone;
	json_t *report = NULL;
	int rc = -1;

	if ((zone = check_zone(name != NULL ? name : "UTC", err)) == NULL)
		return (-1);
	if (parse_query(cli, zone, &q, err) ||
	    (report = usage_report(cli->store, &q, err)) == NULL)
		goto done;
	if (json_is_true(json_object_get(report, "rounded")) && !cli->json)
		fprintf(stderr, "leasehold: a period begins within an hour of "
		    "UTC, which counts as its own\n");
	rc = 0;
	if (cli->json)
		output_json(json_incref(report));
	else if (cli_flag(cli, "csv"))
		usage_csv(stdout, report, &q);
	else
		rc = print_table(report, &q, err);
done:
	json_decref(report);
	zone_free(zone);
	return (rc);
}

static const struct command_option usage_options[] = {
	{ "by", "LIST", "key, user, account, group, model, by comma" },
	{ "per", "PERIOD", "hour, day, week, month, year, total (default)" },
	{ "from", "WHEN", "2026, 2026-11, 2026-11-20, 7d; this month" },
	{ "to", "WHEN", "up to then, not including it; now" },
	{ "zone", "ZONE", "of days and months: Europe/Berlin; UTC" },
	{ "key", "NAME", "of this key alone" },
	{ "user", "NAME", "of this user's keys" },
	{ "account", "NAME", "last tried on this account" },
	{ "group", "NAME", "on accounts of this group" },
	{ "model", "PATTERN", "of these models, with '*'" },
	{ "csv", NULL, "all sums, comma-separated" },
	{ NULL, NULL, NULL }
};

const struct command commands_usage[] = {
	{
		.name = "usage",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "show requests, tokens and cost",
		.details = "Each request counts in the hour (of UTC) in which "
		    "it came, once it is over.\n"
		    "In zones that are 30 or 45 minutes off, periods are of "
		    "whole hours of UTC.\n"
		    "First byte and took: what half of the requests, and 95 "
		    "in 100, did not exceed,\n"
		    "of those that brought a byte; off by 5 % at most.\n"
		    "Estimated: the upstream said nothing; charged at a high "
		    "guess or at the reserve.",
		.options = usage_options,
		.run = run_usage,
	},
	{ .name = NULL }
};
