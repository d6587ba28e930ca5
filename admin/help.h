#ifndef ADMIN_HELP_H_
#define ADMIN_HELP_H_

#include <stdbool.h>
#include <stdio.h>

struct command;

/** The tables of all subcommands, NULL-ended, in the order of the help. */
extern const struct command *const help_tables[];

/** help_overview(group, out): All subcommands, or those of one group. */
void help_overview(const char *group, FILE *out);

/** help_usage(cmd, out): One line.  help_command(cmd): All, to stdout. */
void help_usage(const struct command *cmd, FILE *out);
void help_command(const struct command *cmd);

/** help_see(cmd): Say where help is, to stderr.  ${cmd} may be NULL. */
void help_see(const struct command *cmd);

/**
 * help_unknown(argc, argv, wanted):
 * The words name no subcommand: show the overview, of the group if they name
 * one, and say what is wrong unless help was ${wanted}.  Returns an exit
 * status.
 */
int help_unknown(int argc, char **argv, bool wanted);

#endif /* !ADMIN_HELP_H_ */
