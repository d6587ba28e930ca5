#include <stddef.h>
#include <stdio.h>

#include "base/conf.h"
#include "base/err.h"

#include "command.h"
#include "output.h"
#include "why.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
	{ "ACCOUNT", "account", COLUMN_TEXT },
	{ "SENT AS", "sent_as", COLUMN_TEXT },
	{ "WHY", "why", COLUMN_TEXT },
	{ "BREAKER", "breaker", COLUMN_TEXT },
	{ "FOR", "reason", COLUMN_TEXT },
	{ "UNTIL", "until_ms", COLUMN_TIME },
	{ "PRIORITY", "priority", COLUMN_INT },
	{ "IN USE", "in_use", COLUMN_INT },
	{ "SLOTS", "concurrency", COLUMN_INT },
	{ "LEFT OF 1000", "left_permille", COLUMN_INT },
	{ "FIRST BYTE", "first_byte_ms", COLUMN_DURATION },
};

static int
run_why(struct cli *cli, struct err *err)
{
	const struct why_ask ask = {
		.account = cli->args[0],
		.key = cli_option(cli, "key"),
		.model = cli_option(cli, "model"),
		.session = cli_option(cli, "session"),
		.half_open_ms = cli->conf->half_open_ms,
		.affinity_ttl_ms = cli->conf->affinity_ttl_ms,
		.affinity_wait_ms = cli->conf->affinity_wait_ms,
	};
	const json_t *rows;
	json_t *j;

	if (ask.key == NULL || ask.model == NULL) {
		err_set(err, ERR_INVAL, "--key and --model are needed: whose "
		    "request is it, and for what?");
		return (-1);
	}
	j = why_not(cli->store, cli->seal, &ask, err);
	if (j == NULL || cli->json)
		return (output_row(true, j, NULL, 0));
	printf("%s\n", json_string_value(json_object_get(j, "answer")));
	rows = json_object_get(j, "considered");
	if (json_array_size(rows) > 0) {
		putchar('\n');
		output_table(rows, columns, NITEMS(columns));
	}
	json_decref(j);
	return (0);
}

static const struct command_option options[] = {
	{ "key", "NAME", "the key that the request comes with" },
	{ "model", "MODEL", "the model that it names" },
	{ "session", "ID", "its session, as \"requests show\" has it; else it "
	    "is a new one" },
	{ NULL, NULL, NULL }
};

const struct command commands_why[] = {
	{
		.group = "account",
		.name = "why-not",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "say why an account does not serve a request",
		.details = "Chooses as a relay responder would at this "
		    "moment.",
		.options = options,
		.run = run_why,
	},
	{ .name = NULL }
};
