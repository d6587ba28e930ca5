#include <stdio.h>
#include <string.h>

#include "command.h"

#include "help.h"

const struct command *const help_tables[] = {
	commands_setup,
	commands_config,
	commands_account,
	commands_why,
	commands_login,
	commands_group,
	commands_alias,
	commands_user,
	commands_key,
	commands_budget,
	commands_object,
	commands_price,
	commands_token,
	commands_audit,
	commands_backup,
	commands_move,
	commands_store,
	commands_pool,
	commands_job,
	commands_notify,
	commands_report,
	commands_usage,
	commands_ledger,
	commands_doctor,
	NULL
};

static const struct command_option global_options[] = {
	{ "config", "FILE", "read this config file instead of the default" },
	{ "json", NULL, "print JSON, for machines" },
	{ "help", NULL, "show this" },
	{ NULL, NULL, NULL }
};

static const char exit_text[] =
	"Exit status: 0 done, 1 failed, 2 wrong usage or value, 3 not found,\n"
	"4 exists already or is in use, 5 the database cannot be used now,\n"
	"6 not set up (config, schema, master key, permissions).\n";

/* "account add", "init". */
static void
full_name(const struct command *cmd, char *buf, size_t size)
{

	(void)snprintf(buf, size, "%s%s%s",
	    cmd->group != NULL ? cmd->group : "",
	    cmd->group != NULL ? " " : "", cmd->name);
}

void
help_overview(const char *group, FILE *out)
{
	const struct command *const *table, *cmd;
	char name[64];

	fprintf(out, "usage: leasehold [--config FILE] [--json] COMMAND ...\n"
	    "\n");
	for (table = help_tables; *table != NULL; table++) {
		for (cmd = *table; cmd->name != NULL; cmd++) {
			if (group != NULL && (cmd->group == NULL ||
			    strcmp(cmd->group, group) != 0))
				continue;
			full_name(cmd, name, sizeof(name));
			fprintf(out, "  %-18s %s\n", name, cmd->summary);
		}
	}
	fprintf(out, "\n\"leasehold COMMAND --help\" tells more.\n%s",
	    exit_text);
}

void
help_usage(const struct command *cmd, FILE *out)
{
	char name[64];

	full_name(cmd, name, sizeof(name));
	fprintf(out, "usage: leasehold %s%s%s%s\n", name,
	    cmd->options != NULL ? " [OPTION ...]" : "",
	    cmd->args[0] != '\0' ? " " : "", cmd->args);
}

void
help_see(const struct command *cmd)
{
	char name[64] = "";

	if (cmd != NULL)
		full_name(cmd, name, sizeof(name));
	fprintf(stderr, "See \"leasehold%s%s --help\".\n",
	    name[0] != '\0' ? " " : "", name);
}

static void
print_options(const struct command_option *opt)
{
	char left[64];

	for (; opt != NULL && opt->name != NULL; opt++) {
		(void)snprintf(left, sizeof(left), "--%s%s%s", opt->name,
		    opt->arg != NULL ? " " : "",
		    opt->arg != NULL ? opt->arg : "");
		printf("  %-24s %s\n", left, opt->help);
	}
}

void
help_command(const struct command *cmd)
{

	help_usage(cmd, stdout);
	printf("\n%s.\n", cmd->summary);
	if (cmd->details != NULL)
		printf("\n%s\n", cmd->details);
	printf("\nOptions:\n");
	print_options(cmd->options);
	print_options(global_options);
	printf("\n%s", exit_text);
}

static bool
is_group(const char *word)
{
	const struct command *const *table, *cmd;

	for (table = help_tables; *table != NULL; table++) {
		for (cmd = *table; cmd->name != NULL; cmd++) {
			if (cmd->group != NULL &&
			    strcmp(cmd->group, word) == 0)
				return (true);
		}
	}
	return (false);
}

int
help_unknown(int argc, char **argv, bool wanted)
{
	const char *group;

	group = argc > 0 && is_group(argv[0]) ? argv[0] : NULL;

	/* "account --help": the options were not looked at beyond a word. */
	if (argc > 0 && strcmp(argv[argc - 1], "--help") == 0)
		wanted = argc == (group != NULL ? 2 : 1);
	if (wanted || argc == 0) {
		help_overview(group, wanted ? stdout : stderr);
		return (wanted ? EXIT_OK : EXIT_USAGE);
	}
	if (group == NULL)
		fprintf(stderr, "leasehold: there is no command \"%s\"\n",
		    argv[0]);
	else if (argc == 1)
		fprintf(stderr, "leasehold: \"%s\" needs a second word\n",
		    argv[0]);
	else
		fprintf(stderr, "leasehold: there is no command \"%s %s\"\n",
		    argv[0], argv[1]);
	fprintf(stderr, "See \"leasehold%s%s --help\".\n",
	    group != NULL ? " " : "", group != NULL ? group : "");
	return (EXIT_USAGE);
}
