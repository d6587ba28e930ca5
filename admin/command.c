#include "config.h"

#include <assert.h>
#include <getopt.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "store/store.h"

#include "audit.h"
#include "change.h"
#include "help.h"
#include "query.h"
#include "secret.h"

#include "command.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define VERB_SIZE	64

/* How often a change is tried that others are in the way of. */

/* Options that each subcommand takes, before or after its name. */
enum { GLOBAL_CONFIG = 1000, GLOBAL_JSON, GLOBAL_HELP, GLOBAL_VERSION };
static const struct option globals[] = {
	{ "config", required_argument, NULL, GLOBAL_CONFIG },
	{ "json", no_argument, NULL, GLOBAL_JSON },
	{ "help", no_argument, NULL, GLOBAL_HELP },
	{ "version", no_argument, NULL, GLOBAL_VERSION },
};

static const enum exit_status exits[] = {
	[ERR_NONE] = EXIT_OK,
	[ERR_NOMEM] = EXIT_FAILED,
	[ERR_INVAL] = EXIT_USAGE,
	[ERR_RANGE] = EXIT_USAGE,
	[ERR_TOO_LARGE] = EXIT_USAGE,
	[ERR_NOT_FOUND] = EXIT_NOT_FOUND,
	[ERR_EXISTS] = EXIT_CONFLICT,
	[ERR_PERM] = EXIT_SETUP,
	[ERR_IO] = EXIT_FAILED,
	[ERR_PROTO] = EXIT_FAILED,
	[ERR_TIMEOUT] = EXIT_FAILED,
	[ERR_CRYPTO] = EXIT_SETUP,
	[ERR_SCHEMA] = EXIT_SETUP,
	[ERR_STORE_BUSY] = EXIT_STORE,
	[ERR_STORE_DOWN] = EXIT_STORE,
	[ERR_STORE_UNKNOWN] = EXIT_STORE,
	[ERR_CANCELLED] = EXIT_FAILED,
	[ERR_INTERNAL] = EXIT_FAILED,
};
_Static_assert(NITEMS(exits) == ERR_NCODES, "one status for each error code");

/* The exit status for an error. */
static enum exit_status
exit_of(const struct err *err)
{

	return (exits[err->code]);
}

/* How far the parser got, and what is to be done instead of running. */
enum parsed {
	PARSED_OK,
	PARSED_HELP,
	PARSED_VERSION,
	PARSED_BAD		/* said already */
};

static size_t
count_options(const struct command *cmd)
{
	size_t n = 0;

	if (cmd == NULL || cmd->options == NULL)
		return (0);
	while (cmd->options[n].name != NULL)
		n++;
	assert(n <= COMMAND_OPTIONS_MAX);
	return (n);
}

/* The globals and the options of ${cmd} (may be NULL) for getopt_long. */
static void
make_long_options(const struct command *cmd,
    struct option out[COMMAND_OPTIONS_MAX + NITEMS(globals) + 1])
{
	size_t i, n = count_options(cmd);

	for (i = 0; i < n; i++)
		out[i] = (struct option) {
			.name = cmd->options[i].name,
			.has_arg = cmd->options[i].arg != NULL ?
			    required_argument : no_argument,
			.val = (int)i,
		};
	memcpy(out + n, globals, sizeof(globals));
	memset(out + n + NITEMS(globals), 0, sizeof(out[0]));
}

/* Parse options up to the first other argument ("+") or all of them (""). */
static enum parsed
parse_options(struct cli *cli, int argc, char **argv, const char *mode)
{
	struct option longs[COMMAND_OPTIONS_MAX + NITEMS(globals) + 1];
	enum parsed parsed = PARSED_OK;
	int c;

	make_long_options(cli->cmd, longs);
	optind = 0;
	while ((c = getopt_long(argc, argv, mode, longs, NULL)) != -1) {
		switch (c) {
		case GLOBAL_CONFIG:
			cli->config_path = optarg;
			break;
		case GLOBAL_JSON:
			cli->json = true;
			break;
		case GLOBAL_HELP:
		case 'h':
			parsed = PARSED_HELP;
			break;
		case GLOBAL_VERSION:
			parsed = PARSED_VERSION;
			break;
		case '?':
			return (PARSED_BAD);
		default:
			cli->values[c] = optarg != NULL ? optarg : "";
			break;
		}
	}
	return (parsed);
}

/* Find the subcommand that the words name; *${words} is how many it took. */
static const struct command *
find_command(int argc, char **argv, int *words)
{
	const struct command *const *table, *cmd;

	for (table = help_tables; *table != NULL; table++) {
		for (cmd = *table; cmd->name != NULL; cmd++) {
			*words = cmd->group == NULL ? 1 : 2;
			if (argc < *words)
				continue;
			if (cmd->group != NULL &&
			    strcmp(cmd->group, argv[0]) != 0)
				continue;
			if (strcmp(cmd->name, argv[*words - 1]) == 0)
				return (cmd);
		}
	}
	return (NULL);
}

/* Its place in the table; as many as there are if it is not there. */
static size_t
find_option(const struct command *cmd, const char *name)
{
	size_t i, n = count_options(cmd);

	for (i = 0; i < n && strcmp(cmd->options[i].name, name) != 0; i++)
		continue;
	return (i);
}

const char *
cli_option(const struct cli *cli, const char *name)
{
	size_t i = find_option(cli->cmd, name);

	assert(i < count_options(cli->cmd));
	return (cli->values[i]);
}

bool
cli_flag(const struct cli *cli, const char *name)
{

	return (cli_option(cli, name) != NULL);
}

int
cli_need_option(const struct cli *cli, struct err *err)
{
	size_t i, n = count_options(cli->cmd);

	for (i = 0; i < n; i++) {
		if (cli->values[i] != NULL)
			return (0);
	}
	err_set(err, ERR_INVAL, "there is nothing to change: see --help");
	return (-1);
}

int
cli_option_int(const struct cli *cli, const char *name, int64_t min,
    int64_t max, int64_t *out, struct err *err)
{
	const char *text = cli_option(cli, name);

	if (text == NULL || num_parse(text, strlen(text), min, max, out) == 0)
		return (0);
	err_set(err, ERR_INVAL, "--%s takes a whole number from %lld to %lld, "
	    "not \"%s\"", name, (long long)min, (long long)max, text);
	return (-1);
}

int
cli_secret(struct cli *cli, size_t i, const char *prompt, bool line,
    char **secret, size_t *len, struct err *err)
{

	if (cli->secrets[i] == NULL && (line ? secret_line : secret_read)(
	    prompt, &cli->secrets[i], &cli->secret_lens[i], err))
		return (-1);
	*secret = cli->secrets[i];
	*len = cli->secret_lens[i];
	return (0);
}

int
cli_store_open(struct cli *cli, bool create, int64_t io_timeout_ms,
    struct err *err)
{
	const struct store_options opt = {
		.synchronous_full =
		    strcmp(cli->conf->sqlite_synchronous, "full") == 0,
		.create = create,
		.busy_timeout_ms = cli->conf->store_timeout_ms,
		.io_timeout_ms = io_timeout_ms,
	};

	cli->store = store_open(cli->conf->store, &opt, err);
	return (cli->store == NULL ? -1 : 0);
}

int
cli_pepper(struct cli *cli, struct seal_pepper *pepper, struct err *err)
{

	return (meta_pepper(cli->store, cli->seal, pepper, err));
}

/* Open what the subcommand needs; what was opened is closed by the caller
 * also after -1. */
static int
open_needs(struct cli *cli, struct err *err)
{
	enum command_needs needs = cli->cmd->needs;

	if ((needs & NEEDS_CONF) == NEEDS_CONF &&
	    (cli->conf = conf_load(cli->config_path, err)) == NULL)
		return (-1);
	if ((needs & NEEDS_STORE) == NEEDS_STORE &&
	    (cli_store_open(cli, false, 0, err) ||
	    store_prepare(cli->store, err)))
		return (-1);
	if ((needs & NEEDS_SEAL) == NEEDS_SEAL) {
		cli->seal = seal_open(cli->conf->master_key_file, err);
		if (cli->seal == NULL ||
		    meta_check_seal(cli->store, cli->seal, err))
			return (-1);
	}
	return (0);
}

static void
close_needs(struct cli *cli)
{
	size_t i;

	for (i = 0; i < CLI_SECRETS; i++) {
		if (cli->secrets[i] != NULL)
			seal_wipe_free(cli->secrets[i], cli->secret_lens[i]);
	}
	seal_free(cli->seal);
	if (cli->store != NULL)
		store_close(cli->store);
	conf_free(cli->conf);
}

/* Errors go to standard error, in the form that was asked for. */
static void
print_error(const struct cli *cli, const struct err *err)
{
	const char *text = err->text[0] != '\0' ? err->text :
	    err_info(err->code)->message;
	json_t *j;

	if (!cli->json) {
		fprintf(stderr, "leasehold: %s\n", text);
		return;
	}
	/* What it names may be no UTF-8, or have been cut. */
	j = json_pack("{s:o, s:s}", "error", query_text(text, strlen(text)),
	    "code", err_info(err->code)->name);
	if (j != NULL) {
		(void)json_dumpf(j, stderr, JSON_COMPACT);
		fputc('\n', stderr);
	}
	json_decref(j);
}

/* What cannot be opened is a matter of setup, not of usage, unless the
 * database is only away. */
static enum exit_status
setup_exit(const struct err *err)
{

	return (exit_of(err) == EXIT_STORE ? EXIT_STORE : EXIT_SETUP);
}

/* Whoever is behind sudo, if anybody. */
static const char *
shell_user(void)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *pw;

	if (name != NULL && name[0] != '\0')
		return (name);
	return ((pw = getpwuid(getuid())) != NULL ? pw->pw_name : "?");
}

void
cli_actor(char name[LIMIT_NAME_BYTES])
{

	(void)snprintf(name, LIMIT_NAME_BYTES, "%s", shell_user());
}

/* What a subcommand changes is in the audit log as "GROUP.NAME". */
static void
begin_audit(struct cli *cli, struct audit *a, char verb[VERB_SIZE],
    char actor[LIMIT_NAME_BYTES])
{
	const struct command *cmd = cli->cmd;
	const char *kind = cmd->group != NULL ? cmd->group : "";
	size_t name = find_option(cmd, "name");

	(void)snprintf(verb, VERB_SIZE, "%s%s%s", kind,
	    kind[0] != '\0' ? "." : "", cmd->name);
	cli_actor(actor);
	*a = (struct audit) {
		.actor = { ACTOR_SHELL, actor, "" },
		.verb = verb,
		.object = "",
		.renamed = name < count_options(cmd) ? cli->values[name] :
		    NULL,
		.view = audit_view_of(kind),
	};
	if (cli->nargs > 0 && strlen(cli->args[0]) < LIMIT_NAME_BYTES)
		a->object = cli->args[0];
	change_audit(cli->store, a);
}

static int
run_once(struct cli *cli, struct err *err)
{
	char verb[VERB_SIZE], actor[LIMIT_NAME_BYTES];
	struct audit a;
	int rc;

	if (cli->store == NULL)
		return (cli->cmd->run(cli, err));
	begin_audit(cli, &a, verb, actor);
	rc = cli->cmd->run(cli, err);
	change_audit(cli->store, NULL);
	return (rc);
}

/* On a shared store responders may be in the way, in a deadlock or for too
 * long. */
static int
run_command(struct cli *cli, struct err *err)
{
	struct err why;
	int i, rc;

	for (i = 1; ; i++) {
		why = (struct err) { .code = ERR_NONE };
		rc = run_once(cli, &why);
		if (rc != -1 || cli->cmd->once || cli->store == NULL ||
		    !change_again(cli->store, i, &why))
			break;
	}
	if (rc == -1)
		err_set(err, why.code, "%s", why.text);
	return (rc);
}

static int
run(struct cli *cli)
{
	struct err err = { .code = ERR_NONE };
	int rc;

	if (open_needs(cli, &err)) {
		print_error(cli, &err);
		rc = (int)setup_exit(&err);
	} else if ((rc = run_command(cli, &err)) == -1) {
		print_error(cli, &err);
		rc = (int)(cli->cmd->needs != NEEDS_NOTHING &&
		    cli->store == NULL && !cli->cmd->opens ?
		    setup_exit(&err) : exit_of(&err));
	}
	close_needs(cli);
	if ((fflush(stdout) != 0 || ferror(stdout)) && rc == EXIT_OK) {
		perror("leasehold: standard output");
		rc = EXIT_FAILED;
	}
	return (rc);
}

/* The words are the subcommand's own arguments: are they as many as it
 * takes? */
static int
check_args(const struct cli *cli)
{

	if (cli->nargs >= cli->cmd->args_min &&
	    cli->nargs <= cli->cmd->args_max)
		return (0);
	if (cli->nargs > cli->cmd->args_max)
		fprintf(stderr, "leasehold: unexpected argument \"%s\"\n",
		    cli->args[cli->cmd->args_max]);
	else
		fprintf(stderr, "leasehold: an argument is missing\n");
	help_usage(cli->cmd, stderr);
	return (-1);
}

static int
parsed_early(const struct cli *cli, enum parsed parsed, const char *group)
{

	if (parsed == PARSED_VERSION) {
		puts("leasehold " PACKAGE_VERSION);
		return (EXIT_OK);
	}
	if (parsed == PARSED_BAD) {
		help_see(cli->cmd);
		return (EXIT_USAGE);
	}
	if (cli->cmd != NULL)
		help_command(cli->cmd);
	else
		help_overview(group, stdout);
	return (EXIT_OK);
}

int
command_main(int argc, char **argv)
{
	struct cli cli = { .cmd = NULL };
	enum parsed parsed;
	char *program = argv[0];
	int words = 0;

	parsed = parse_options(&cli, argc, argv, "+h");
	argc -= optind;
	argv += optind;
	if (parsed == PARSED_VERSION || parsed == PARSED_BAD)
		return (parsed_early(&cli, parsed, NULL));
	if ((cli.cmd = find_command(argc, argv, &words)) == NULL)
		return (help_unknown(argc, argv, parsed == PARSED_HELP));
	if (parsed == PARSED_HELP)
		return (parsed_early(&cli, parsed, NULL));

	/* getopt_long wants a program's name before the rest. */
	argc -= words - 1;
	argv += words - 1;
	argv[0] = program;
	if ((parsed = parse_options(&cli, argc, argv, "h")) != PARSED_OK)
		return (parsed_early(&cli, parsed, NULL));
	cli.args = argv + optind;
	cli.nargs = argc - optind;
	if (check_args(&cli))
		return (EXIT_USAGE);
	return (run(&cli));
}
