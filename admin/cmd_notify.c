#include <curl/curl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/seal.h"

#include "command.h"
#include "notify_outbox.h"
#include "notify_targets.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define LIMIT_DEFAULT	20
#define LIMIT_MAX	100000

static const struct column columns[] = {
	{ "NAME", "name", COLUMN_TEXT },
	{ "KIND", "kind", COLUMN_TEXT },
	{ "ADDRESS", "address", COLUMN_TEXT },
	{ "ON", "enabled", COLUMN_YES_NO },
	{ "LANG", "lang", COLUMN_TEXT },
	{ "QUIET", "quiet", COLUMN_TEXT },
	{ "ZONE", "zone", COLUMN_TEXT },
	{ "AT MOST EACH", "interval_ms", COLUMN_DURATION },
	{ "OLD SECRET UNTIL", "old_until_ms", COLUMN_TIME },
	{ "EVENTS", "events", COLUMN_FLAGS },
};

static const struct column log_columns[] = {
	{ "ID", "id", COLUMN_INT },
	{ "TIME", "at_ms", COLUMN_TIME },
	{ "TARGET", "target", COLUMN_TEXT },
	{ "EVENT", "event", COLUMN_TEXT },
	{ "ABOUT", "subject", COLUMN_TEXT },
	{ "STATE", "state", COLUMN_TEXT },
	{ "TRIES", "tries", COLUMN_INT },
	{ "NEXT", "due_ms", COLUMN_TIME },
	{ "DETAIL", "detail", COLUMN_TEXT },
};

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, notify_targets_list(cli->store, false,
	    true, err), columns, NITEMS(columns)));
}

/* What the options say; ${secret} is that of standard input, or NULL. */
static int
read_spec(struct cli *cli, struct notify_spec *spec, struct err *err)
{
	const char *interval = cli_option(cli, "interval");
	size_t len;
	char *secret;

	notify_spec_init(spec);
	spec->events = cli_option(cli, "events");
	spec->lang = cli_option(cli, "lang");
	spec->quiet = cli_option(cli, "quiet");
	spec->zone = cli_option(cli, "zone");
	if (spec->quiet != NULL && strcmp(spec->quiet, "none") == 0)
		spec->quiet = "";
	if (interval != NULL && (num_parse_duration_ms(interval, 1000,
	    &spec->interval_ms) || spec->interval_ms < 0 ||
	    spec->interval_ms > NOTIFY_INTERVAL_MAX_MS)) {
		err_set(err, ERR_INVAL, "--interval must be a duration as 10m "
		    "or 1h, up to 30d");
		return (-1);
	}
	if (!cli_flag(cli, "secret-stdin"))
		return (0);
	if (cli_secret(cli, 0, "Secret of the webhook: ", true, &secret, &len,
	    err))
		return (-1);
	spec->secret = secret;
	return (0);
}

/* Where there is a new secret it is shown, this once. */
static void
tell(struct cli *cli, const char *name, char secret[NOTIFY_SECRET_SIZE],
    const char *done)
{

	if (secret[0] != '\0')
		output_secret(cli->json, "secret", name, secret);
	else
		output_done(cli->json, "target", name, "target \"%s\" is %s",
		    name, done);
	seal_wipe(secret, NOTIFY_SECRET_SIZE);
}

static int
run_add(struct cli *cli, struct err *err)
{
	const char *url = cli_option(cli, "webhook");
	const char *mail = cli_option(cli, "email");
	char secret[NOTIFY_SECRET_SIZE];
	struct notify_spec spec;

	if ((url == NULL) == (mail == NULL)) {
		err_set(err, ERR_INVAL, "--webhook URL or --email ADDRESS is "
		    "needed");
		return (-1);
	}
	if (read_spec(cli, &spec, err))
		return (-1);
	spec.name = cli->args[0];
	spec.kind = url != NULL ? "webhook" : "email";
	spec.address = url != NULL ? url : mail;
	if (notify_targets_add(cli->store, cli->seal, &spec, secret, err))
		return (-1);
	if (spec.secret != NULL)
		secret[0] = '\0';
	tell(cli, spec.name, secret, "added");
	return (0);
}

static int
read_overlap(const struct cli *cli, struct notify_spec *spec,
    struct err *err)
{
	const char *s = cli_option(cli, "overlap");

	if (s == NULL || (num_parse_duration_ms(s, 1000,
	    &spec->overlap_ms) == 0 && spec->overlap_ms >= 0 &&
	    spec->overlap_ms <= NOTIFY_OVERLAP_MAX_MS))
		return (0);
	err_set(err, ERR_INVAL, "--overlap must be a duration as 1h or 7d, up "
	    "to 30d, or 0");
	return (-1);
}

static int
run_set(struct cli *cli, struct err *err)
{
	char secret[NOTIFY_SECRET_SIZE];
	struct notify_spec spec;
	const char *name;

	if (cli_need_option(cli, err) || read_spec(cli, &spec, err) ||
	    read_overlap(cli, &spec, err))
		return (-1);
	if (cli_flag(cli, "on") && cli_flag(cli, "off")) {
		err_set(err, ERR_INVAL, "--on and --off exclude each other");
		return (-1);
	}
	spec.name = cli_option(cli, "name");
	spec.address = cli_option(cli, "address");
	if (cli_flag(cli, "new-secret"))
		spec.secret = "";
	if (cli_flag(cli, "on") || cli_flag(cli, "off"))
		spec.enabled = cli_flag(cli, "on");
	if (notify_targets_set(cli->store, cli->seal, cli->args[0], &spec,
	    secret, err))
		return (-1);
	if (cli_flag(cli, "secret-stdin"))
		secret[0] = '\0';
	name = spec.name != NULL ? spec.name : cli->args[0];
	tell(cli, name, secret, "changed");
	return (0);
}

static int
run_remove(struct cli *cli, struct err *err)
{

	if (notify_targets_remove(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "target", cli->args[0],
	    "target \"%s\" is removed", cli->args[0]);
	return (0);
}

static void
tell_test(const struct cli *cli, const struct notify_answer *a)
{

	if (cli->json)
		output_json(json_pack("{s:s, s:b, s:i, s:s}", "target",
		    cli->args[0], "taken", a->taken, "status", a->status,
		    "detail", a->detail));
	else if (a->taken)
		printf("\"%s\" took the test\n", cli->args[0]);
	else
		printf("\"%s\" did not take the test, which is tried again: "
		    "%s\n", cli->args[0], a->detail);
}

static int
run_test(struct cli *cli, struct err *err)
{
	const struct notify_sender s = {
		.st = cli->store, .seal = cli->seal, .conf = cli->conf
	};
	struct notify_answer answer;
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_NOMEM, "cannot start libcurl");
		return (-1);
	}
	rc = notify_test(&s, cli->args[0], &answer, err);
	curl_global_cleanup();
	if (rc != 0)
		return (-1);
	tell_test(cli, &answer);
	return (answer.taken ? EXIT_OK : EXIT_FAILED);
}

static int
run_log(struct cli *cli, struct err *err)
{
	struct notify_filter f = {
		.target = cli_option(cli, "target"),
		.state = cli_option(cli, "state"),
		.limit = LIMIT_DEFAULT,
	};

	if (cli_option_int(cli, "limit", 1, LIMIT_MAX, &f.limit, err) ||
	    cli_option_int(cli, "below", 1, INT64_MAX, &f.below, err))
		return (-1);
	return (output_rows(cli->json, notify_log(cli->store, &f, err),
	    log_columns, NITEMS(log_columns)));
}

#define COMMON								\
	{ "events", "LIST", "by comma: account.parked, budget.80, "	\
	    "budget.100, group.empty, spool.filled, backup.failed" },	\
	{ "lang", "LANG", "en or zh" },					\
	{ "quiet", "HOURS", "22:00-07:00: what happens then is told "	\
	    "afterwards, at once; none" },				\
	{ "zone", "ZONE", "time zone of these hours and of times in "	\
	    "texts; UTC" },						\
	{ "interval", "TIME", "not again before, of one event about "	\
	    "one thing; 1h" },						\
	{ "secret-stdin", NULL, "the secret of a webhook (whsec_...) is " \
	    "asked for, or read from standard input" },			\
	{ NULL, NULL, NULL }

static const struct command_option add_options[] = {
	{ "webhook", "URL", "POST there; https, or http to this host" },
	{ "email", "ADDRESS", "by the local sendmail" },
	COMMON
};

static const struct command_option set_options[] = {
	{ "name", "NAME", "a new name" },
	{ "address", "ADDRESS", "another URL or mail address" },
	{ "on", NULL, "tell it" },
	{ "off", NULL, "do not, and give up what it was to be told" },
	{ "new-secret", NULL, "make one, print it once" },
	{ "overlap", "TIME", "the secret before a new one signs as well for "
	    "so long; 1d, 0: it does not" },
	COMMON
};

static const struct command_option log_options[] = {
	{ "target", "NAME", "of this alone" },
	{ "state", "STATE", "waiting, sent, failed or skipped" },
	{ "limit", "N", "so many; 20 is the default" },
	{ "below", "ID", "older than this one" },
	{ NULL, NULL, NULL }
};

const struct command commands_notify[] = {
	{
		.group = "notify",
		.name = "add",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "tell somebody, by webhook or e-mail, of events",
		.details = "Prints the secret that a webhook's requests are "
		    "signed with, once.",
		.options = add_options,
		.run = run_add,
	},
	{
		.group = "notify",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list who is told of what",
		.run = run_list,
	},
	{
		.group = "notify",
		.name = "log",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list what was told, and what was not taken",
		.options = log_options,
		.run = run_log,
	},
	{
		.group = "notify",
		.name = "remove",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "forget a target and what it was told",
		.run = run_remove,
	},
	{
		.group = "notify",
		.name = "set",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "change a target",
		.options = set_options,
		.run = run_set,
	},
	{
		.group = "notify",
		.name = "test",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "send a test to a target now",
		.details = "Whatever it wants, and whether or not it is on or "
		    "has a quiet time.\nExits with 1 if it was not taken.",
		.run = run_test,
		.once = true,
	},
	{ .name = NULL }
};
