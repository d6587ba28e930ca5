#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"
#include "ledger/rollup.h"
#include "pool/prune.h"
#include "store/store.h"

#include "command.h"
#include "output.h"
#include "periods.h"
#include "provider_report.h"
#include "reconcile.h"
#include "verify.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- verify ---- */

static const struct column verify_fields[] = {
	{ "rows", "rows", COLUMN_INT },
	{ "attempts", "attempts", COLUMN_INT },
	{ "hours", "hours", COLUMN_INT },
	{ "days", "days", COLUMN_INT },
	{ "keys", "keys", COLUMN_INT },
	{ "budget windows", "windows", COLUMN_INT },
	{ "hours from", "cut_ms", COLUMN_TIME },
	{ "differences", "differences", COLUMN_INT },
};

static const struct column difference_columns[] = {
	{ "TABLE", "table", COLUMN_TEXT },
	{ "WHERE", "where", COLUMN_TEXT },
	{ "SUM", "sum", COLUMN_TEXT },
	{ "STORED", "stored", COLUMN_INT },
	{ "EXPECTED", "expected", COLUMN_INT },
};

static int
run_verify(struct cli *cli, struct err *err)
{
	json_t *found = verify_ledger(cli->store, err), *shown;
	bool differs;

	if (found == NULL)
		return (-1);
	shown = json_object_get(found, "shown");
	differs = json_integer_value(json_object_get(found,
	    "differences")) > 0;
	if (cli->json)
		output_json(json_incref(found));
	else {
		output_fields(found, verify_fields, NITEMS(verify_fields));
		if (differs) {
			putchar('\n');
			output_table(shown, difference_columns,
			    NITEMS(difference_columns));
		}
	}
	json_decref(found);
	return (differs ? EXIT_FAILED : EXIT_OK);
}

/* ---- prune ---- */

static int
run_prune(struct cli *cli, struct err *err)
{
	int64_t days = cli->conf->ledger_keep_days, cut_ms = 0;
	struct prune_pass pass, done = { 0 };

	if (cli_option_int(cli, "days", 1, 36500, &days, err))
		return (-1);
	if (days > 0)
		cut_ms = prune_cut_ms(store_now_ms(cli->store), days);
	do {
		if (prune_some(cli->store, days, &pass, err))
			return (-1);
		done.requests += pass.requests;
		done.windows += pass.windows;
		done.objects += pass.objects;
	} while (pass.more);
	if (pass.held && !cli->json)
		printf("the clock has gone ahead by days since the last time: "
		    "nothing is deleted until\nit has said so for 20 hours\n");
	else if (cli->json)
		output_json(json_pack("{s:I, s:I, s:I, s:o}", "rows",
		    (json_int_t)done.requests, "windows",
		    (json_int_t)done.windows, "objects",
		    (json_int_t)done.objects, "cut_ms", cut_ms == 0 ?
		    json_null() : json_integer(cut_ms)));
	else if (cut_ms == 0)
		printf("the ledger is kept for ever (ledger_keep_days is 0); "
		    "%lld old budget windows, %lld rows of batches and files "
		    "deleted\n", (long long)done.windows,
		    (long long)done.objects);
	else
		printf("%lld requests, %lld old budget windows, %lld rows of "
		    "batches and files deleted\n", (long long)done.requests,
		    (long long)done.windows, (long long)done.objects);
	return (0);
}

/* ---- reconcile ---- */

static const struct column gap_columns[] = {
	{ "DAY", "day", COLUMN_TEXT },
	{ "MODEL", "model", COLUMN_TEXT },
	{ "OFF", "off", COLUMN_YES_NO },
	{ "INPUT", "input_tokens", COLUMN_INT },
	{ "OUTPUT", "output_tokens", COLUMN_INT },
	{ "CACHE READ", "cache_read_tokens", COLUMN_INT },
	{ "WRITE 5M", "cache_write_5m_tokens", COLUMN_INT },
	{ "WRITE 1H", "cache_write_1h_tokens", COLUMN_INT },
	{ "SEARCHES", "web_searches", COLUMN_INT },
	{ "COST", "cost_nusd", COLUMN_MONEY },
};

/* Rows of the table: of each day and model what the provider has more; then
 * provider, ledger and gap of all. */
static json_t *
gap_rows(const json_t *found)
{
	static const char *const sides[] = { "provider", "ledger", "gap" };
	const json_t *total = json_object_get(found, "total"), *row;
	json_t *rows = json_array(), *flat;
	size_t i;

	json_array_foreach(json_object_get(found, "rows"), i, row) {
		flat = json_copy(json_object_get(row, "gap"));
		if (flat == NULL || json_object_set(flat, "day",
		    json_object_get(row, "day")) || json_object_set(flat,
		    "model", json_object_get(row, "model")) ||
		    json_object_set(flat, "off", json_object_get(row,
		    "off")) || json_array_append_new(rows, flat))
			goto err0;
	}
	for (i = 0; i < NITEMS(sides); i++) {
		flat = json_copy(json_object_get(total, sides[i]));
		if (flat == NULL || json_object_set_new(flat, "day",
		    json_string(sides[i])) || json_array_append_new(rows,
		    flat))
			goto err0;
	}
	return (rows);

err0:
	json_decref(rows);
	return (NULL);
}

static int
print_gaps(const json_t *found, struct err *err)
{
	json_t *rows = gap_rows(found);
	int64_t off = json_integer_value(json_object_get(found, "off"));

	if (rows == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a table");
		return (-1);
	}
	printf("What the provider has more than the ledger:\n\n");
	output_table(rows, gap_columns, NITEMS(gap_columns));
	if (json_is_true(json_object_get(found, "incomplete")))
		printf("\nThe report goes on: its last page says that there "
		    "are more.\n");
	printf("\n%lld days and models are off by more than the tolerance\n",
	    (long long)off);
	json_decref(rows);
	return (0);
}

static int
parse_reconcile(struct cli *cli, struct reconcile_query *q, struct err *err)
{
	const char *tolerance = cli_option(cli, "tolerance");
	const char *times[2] = {
		cli_option(cli, "from"), cli_option(cli, "to")
	};
	int64_t *out[2] = { &q->from_ms, &q->to_ms };
	struct zone *utc;
	size_t i;
	int rc = 0;

	q->account = cli_option(cli, "account");
	q->group = cli_option(cli, "group");
	q->tolerance = 1000;
	if (tolerance != NULL && (num_parse_decimal(tolerance,
	    strlen(tolerance), 3, &q->tolerance) || q->tolerance > 100000)) {
		err_set(err, ERR_INVAL, "--tolerance takes percent, 0 to "
		    "100, such as 0.5");
		return (-1);
	}
	if ((utc = zone_new("UTC", err)) == NULL)
		return (-1);
	for (i = 0; i < 2 && rc == 0; i++) {
		if (times[i] == NULL)
			continue;
		rc = period_time(times[i], utc, store_now_ms(cli->store),
		    out[i], err);
		*out[i] -= *out[i] % ROLLUP_DAY_MS;
	}
	zone_free(utc);
	return (rc);
}

static int
run_reconcile(struct cli *cli, struct err *err)
{
	struct reconcile_query q = { 0 };
	struct provider_report r;
	json_t *found;
	int rc = 0, off;

	if (parse_reconcile(cli, &q, err) ||
	    provider_report_read(cli->args[0], &r, err))
		return (-1);
	found = reconcile(cli->store, &r, &q, err);
	provider_report_free(&r);
	if (found == NULL)
		return (-1);
	off = json_integer_value(json_object_get(found, "off")) > 0;
	if (cli->json)
		output_json(json_incref(found));
	else
		rc = print_gaps(found, err);
	json_decref(found);
	return (rc != 0 ? -1 : off ? EXIT_FAILED : EXIT_OK);
}

/* ---- the commands ---- */

static const struct command_option prune_options[] = {
	{ "days", "N", "keep so many days, instead of ledger_keep_days" },
	{ NULL, NULL, NULL }
};

static const struct command_option reconcile_options[] = {
	{ "tolerance", "PERCENT", "off by more is an error (1)" },
	{ "from", "DATE", "from this day of UTC on; the report's first" },
	{ "to", "DATE", "up to this day, not including it; its last" },
	{ "account", "NAME", "what this account was used for" },
	{ "group", "NAME", "what accounts of this group were used for" },
	{ NULL, NULL, NULL }
};

const struct command commands_ledger[] = {
	{
		.group = "ledger",
		.name = "verify",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "make all sums anew from the rows and compare",
		.details = "Attempts, ledger rows, sums by hour, day and key, "
		    "and budget windows must\n"
		    "agree; what does not is shown, and the exit status is 1. "
		    "Nothing is changed.\n"
		    "The pool may be at work.  Hours that were deleted "
		    "(ledger prune) are taken\n"
		    "as they stand.",
		.run = run_verify,
	},
	{
		.group = "ledger",
		.name = "prune",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "delete old requests; their sums stay",
		.details = "Responders do it by themselves, once an hour, if "
		    "ledger_keep_days is set.\n"
		    "Sums by hour and day, of keys and of budgets stay as "
		    "they are.  Budget\n"
		    "windows that nobody needs go, too: those that ended 40 "
		    "days ago, of rolling\n"
		    "budgets 2 days.",
		.options = prune_options,
		.run = run_prune,
	},
	{
		.name = "reconcile",
		.args = "FILE",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "compare with a report of the provider",
		.details = "FILE is what the Claude Console exports (usage or "
		    "cost, CSV), or what the Admin\n"
		    "API reports (usage_report/messages or cost_report, JSON; "
		    "an array of pages will\n"
		    "do); - is standard input.  Days are those of UTC.  The "
		    "exit status is 1 if any\n"
		    "day and model is off by more than the tolerance.",
		.options = reconcile_options,
		.run = run_reconcile,
	},
	{ .name = NULL }
};
