#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "check.h"
#include "command.h"
#include "output.h"
#include "requests.h"
#include "status.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define LIMIT_DEFAULT	20

static const struct column status_columns[] = {
	{ "version", "version", COLUMN_TEXT },
	{ "database", "database", COLUMN_TEXT },
	{ "schema", "schema", COLUMN_INT },
	{ "time", "now_ms", COLUMN_TIME },
	{ "open requests", "open_requests", COLUMN_INT },
};

static const struct column queue_columns[] = {
	{ "waiting", "waiting", COLUMN_INT },
	{ "granted", "granted", COLUMN_INT },
	{ "first since", "oldest_ms", COLUMN_TIME },
};

static const struct column spool_columns[] = {
	{ "spooled here", "records", COLUMN_INT },
};

static const struct column responder_columns[] = {
	{ "RESPONDER", "id", COLUMN_INT },
	{ "KIND", "kind", COLUMN_TEXT },
	{ "HOST", "host", COLUMN_TEXT },
	{ "PID", "pid", COLUMN_INT },
	{ "VERSION", "version", COLUMN_TEXT },
	{ "STARTED", "started_ms", COLUMN_TIME },
	{ "LAST BEAT", "beat_age_ms", COLUMN_DURATION },
	{ "REQUESTS", "requests", COLUMN_INT },
	{ "DRAINING", "draining", COLUMN_YES_NO },
};

static const struct column account_columns[] = {
	{ "ACCOUNT", "name", COLUMN_TEXT },
	{ "GROUP", "group", COLUMN_TEXT },
	{ "ENABLED", "enabled", COLUMN_YES_NO },
	{ "LEASES", "leases", COLUMN_INT },
	{ "OF", "concurrency", COLUMN_INT },
	{ "BREAKER", "breaker", COLUMN_TEXT },
	{ "PARKED UNTIL", "parked_until_ms", COLUMN_TIME },
};

static const struct column cooldown_columns[] = {
	{ "PARKED", "account", COLUMN_TEXT },
	{ "FAMILY", "family", COLUMN_TEXT },
	{ "BREAKER", "state", COLUMN_TEXT },
	{ "FOR", "reason", COLUMN_TEXT },
	{ "SINCE", "since_ms", COLUMN_TIME },
	{ "UNTIL", "until_ms", COLUMN_TIME },
	{ "STATED", "stated", COLUMN_YES_NO },
	{ "CAUSE", "cause", COLUMN_TEXT },
	{ "PROBE", "probe", COLUMN_TEXT },
};

static const struct column probe_columns[] = {
	{ "NOT WELL", "account", COLUMN_TEXT },
	{ "PROBED", "probed_ms", COLUMN_TIME },
	{ "RESULT", "result", COLUMN_TEXT },
	{ "STATUS", "status", COLUMN_INT },
	{ "LAST GOOD", "good_ms", COLUMN_TIME },
	{ "MESSAGE", "message", COLUMN_TEXT },
};

static const struct column request_columns[] = {
	{ "ID", "id", COLUMN_TEXT },
	{ "TIME", "created_ms", COLUMN_TIME },
	{ "KEY", "key", COLUMN_TEXT },
	{ "ACCOUNT", "account", COLUMN_TEXT },
	{ "MODEL", "model", COLUMN_TEXT },
	{ "STATE", "state", COLUMN_TEXT },
	{ "OUTCOME", "outcome", COLUMN_TEXT },
	{ "STATUS", "status", COLUMN_INT },
	{ "TRIES", "attempts", COLUMN_INT },
	{ "IN", "input_tokens", COLUMN_INT },
	{ "OUT", "output_tokens", COLUMN_INT },
	{ "COST", "cost_nusd", COLUMN_MONEY },
	{ "FIRST", "first_byte_ms", COLUMN_DURATION },
	{ "TOTAL", "total_ms", COLUMN_DURATION },
	{ "FLAGS", "flags", COLUMN_FLAGS },
};

static const struct column request_fields[] = {
	{ "id", "id", COLUMN_TEXT },
	{ "time", "created_ms", COLUMN_TIME },
	{ "key", "key", COLUMN_TEXT },
	{ "account", "account", COLUMN_TEXT },
	{ "kind", "kind", COLUMN_TEXT },
	{ "model", "model", COLUMN_TEXT },
	{ "sent as", "sent_as", COLUMN_TEXT },
	{ "stream", "stream", COLUMN_YES_NO },
	{ "session", "session", COLUMN_TEXT },
	{ "from", "address", COLUMN_TEXT },
	{ "trace id", "trace_id", COLUMN_TEXT },
	{ "state", "state", COLUMN_TEXT },
	{ "outcome", "outcome", COLUMN_TEXT },
	{ "status", "status", COLUMN_INT },
	{ "usage is", "mark", COLUMN_TEXT },
	{ "input tokens", "input_tokens", COLUMN_INT },
	{ "output tokens", "output_tokens", COLUMN_INT },
	{ "cache read", "cache_read_tokens", COLUMN_INT },
	{ "cache write 5m", "cache_write_5m_tokens", COLUMN_INT },
	{ "cache write 1h", "cache_write_1h_tokens", COLUMN_INT },
	{ "reserved", "reserved_nusd", COLUMN_MONEY },
	{ "cost", "cost_nusd", COLUMN_MONEY },
	{ "beyond reserve", "overrun_nusd", COLUMN_MONEY },
	{ "flags", "flags", COLUMN_FLAGS },
	{ "price", "price_id", COLUMN_INT },
	{ "client left", "disconnect", COLUMN_TEXT },
	{ "body bytes", "body_bytes", COLUMN_INT },
	{ "answer bytes", "answer_bytes", COLUMN_INT },
	{ "queued", "queue_ms", COLUMN_DURATION },
	{ "first byte after", "first_byte_ms", COLUMN_DURATION },
	{ "total", "total_ms", COLUMN_DURATION },
	{ "settled", "settled_ms", COLUMN_TIME },
	{ "responder", "responder", COLUMN_INT },
};

static const struct column attempt_columns[] = {
	{ "TRY", "attempt", COLUMN_INT },
	{ "ACCOUNT", "account", COLUMN_TEXT },
	{ "SENT AS", "model", COLUMN_TEXT },
	{ "STARTED", "started_ms", COLUMN_TIME },
	{ "ENDED", "ended_ms", COLUMN_TIME },
	{ "OUTCOME", "outcome", COLUMN_TEXT },
	{ "STATUS", "status", COLUMN_INT },
	{ "USAGE IS", "mark", COLUMN_TEXT },
	{ "COST", "cost_nusd", COLUMN_MONEY },
	{ "UPSTREAM ID", "upstream_id", COLUMN_TEXT },
};

/* A table under an empty line, if it has rows. */
static void
print_part(const json_t *rows, const struct column *columns, size_t n)
{

	if (json_array_size(rows) == 0)
		return;
	putchar('\n');
	output_table(rows, columns, n);
}

/* The pool's, and what is to be seen on this host alone. */
static json_t *
status_here(struct cli *cli, struct err *err)
{
	json_t *status, *spool;

	if ((status = status_get(cli->store, err)) == NULL)
		return (NULL);
	spool = status_spool(cli->conf->spool_dir, err);
	if (spool != NULL && json_object_set_new(status, "spool", spool) == 0)
		return (status);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(status);
	return (NULL);
}

/* Accounts whose last probe was not good. */
static void
print_unwell(json_t *probes)
{
	size_t i;

	for (i = json_array_size(probes); i-- > 0;) {
		if (strcmp(json_string_value(json_object_get(json_array_get(
		    probes, i), "result")), "ok") == 0)
			(void)json_array_remove(probes, i);
	}
	print_part(probes, probe_columns, NITEMS(probe_columns));
}

static int
run_status(struct cli *cli, struct err *err)
{
	json_t *status, *accounts, *account;
	size_t i;

	status = status_here(cli, err);
	if (status == NULL || cli->json)
		return (output_row(true, status, NULL, 0));
	output_fields(status, status_columns, NITEMS(status_columns));
	output_fields(json_object_get(status, "queue"), queue_columns,
	    NITEMS(queue_columns));
	output_fields(json_object_get(status, "spool"), spool_columns,
	    NITEMS(spool_columns));
	print_part(json_object_get(status, "responders"), responder_columns,
	    NITEMS(responder_columns));
	accounts = json_object_get(status, "accounts");
	print_part(accounts, account_columns, NITEMS(account_columns));
	json_array_foreach(accounts, i, account)
		print_part(json_object_get(account, "cooldowns"),
		    cooldown_columns, NITEMS(cooldown_columns));
	print_unwell(json_object_get(status, "probes"));
	print_part(json_object_get(status, "jobs"), job_columns,
	    JOB_COLUMNS);
	json_decref(status);
	return (0);
}

static int
parse_id(const char *text, int64_t *id, struct err *err)
{

	if (ledger_id_parse(text, id) == 0)
		return (0);
	err_set(err, ERR_INVAL, "\"%.40s\" is not the id of a request", text);
	return (-1);
}

static int
run_list(struct cli *cli, struct err *err)
{
	const char *since = cli_option(cli, "since");
	const char *before = cli_option(cli, "before");
	const char *until = cli_option(cli, "until");
	const char *cost = cli_option(cli, "min-cost");
	struct request_filter f = {
		.key = cli_option(cli, "key"),
		.user = cli_option(cli, "user"),
		.account = cli_option(cli, "account"),
		.model = cli_option(cli, "model"),
		.outcome = cli_option(cli, "outcome"),
		.limit = LIMIT_DEFAULT,
	};

	int64_t next_id;

	if (cli_option_int(cli, "limit", 1, REQUESTS_LIMIT_MAX, &f.limit,
	    err) || cli_option_int(cli, "status", 100, 599, &f.status, err) ||
	    (cost != NULL && check_money(cost, &f.min_cost_nusd, err)))
		return (-1);
	if (since != NULL && check_since(since, store_now_ms(cli->store),
	    &f.since_ms, err))
		return (-1);
	if (until != NULL && check_since(until, store_now_ms(cli->store),
	    &f.until_ms, err))
		return (-1);
	if (before != NULL && parse_id(before, &f.before_id, err))
		return (-1);
	return (output_rows(cli->json, requests_list(cli->store, &f,
	    &next_id, err),
	    request_columns, NITEMS(request_columns)));
}

static const struct column trace_columns[] = {
	{ "FOR TRY", "attempt", COLUMN_INT },
	{ "WAITED", "waited_ms", COLUMN_DURATION },
	{ "CHOICE", "name", COLUMN_TEXT },
	{ "IN USE", "in_use", COLUMN_INT },
	{ "WHY", "why", COLUMN_TEXT },
	{ "PROBES", "probe", COLUMN_TEXT },
	{ "ITS SESSION", "session", COLUMN_TEXT },
};

/* Why these accounts: those that were left out are told by their number. */
static void
print_trace(json_t *trace)
{
	json_t *element, *more;
	char text[64];
	size_t i;

	json_array_foreach(trace, i, element) {
		if ((more = json_object_get(element, "more")) != NULL)
			(void)snprintf(text, sizeof(text), "(and %lld more)",
			    (long long)json_integer_value(more));
		else if (json_object_get(element, "cut") != NULL)
			(void)snprintf(text, sizeof(text), "(and more)");
		else
			continue;
		(void)json_object_set_new(element, "why", json_string(text));
	}
	print_part(trace, trace_columns, NITEMS(trace_columns));
}

static int
run_show(struct cli *cli, struct err *err)
{
	json_t *request;
	int64_t id;

	if (parse_id(cli->args[0], &id, err))
		return (-1);
	request = requests_show(cli->store, id, err);
	if (request == NULL || cli->json)
		return (output_row(true, request, NULL, 0));
	(void)json_object_set(request, "trace_id", json_object_get(
	    json_array_get(json_object_get(request, "trace"), 0), "trace_id"));
	output_fields(request, request_fields, NITEMS(request_fields));
	print_part(json_object_get(request, "tries"), attempt_columns,
	    NITEMS(attempt_columns));
	print_trace(json_object_get(request, "trace"));
	json_decref(request);
	return (0);
}

static const struct command_option list_options[] = {
	{ "key", "NAME", "of this key" },
	{ "user", "NAME", "of this user's keys, as they were then" },
	{ "account", "NAME", "last tried on this account" },
	{ "model", "PATTERN", "of these models, with '*'" },
	{ "outcome", "WORD", "ok, client_gone, ...; open: under way" },
	{ "status", "CODE", "that the client got: 529" },
	{ "min-cost", "DOLLARS", "that cost so much, or more" },
	{ "since", "WHEN", "2026-10-31, 2h" },
	{ "until", "WHEN", "likewise: older ones" },
	{ "before", "ID", "older than this one: the next page" },
	{ "limit", "N", "so many at the most (20)" },
	{ NULL, NULL, NULL }
};

const struct command commands_report[] = {
	{
		.name = "status",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "show responders, accounts and the queue",
		.run = run_status,
	},
	{
		.group = "requests",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list requests, newest first",
		.options = list_options,
		.run = run_list,
	},
	{
		.group = "requests",
		.name = "show",
		.args = "ID",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "show a request with its attempts",
		.run = run_show,
	},
	{
		.name = "requests",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "the same as requests list",
		.options = list_options,
		.run = run_list,
	},
	{ .name = NULL }
};
