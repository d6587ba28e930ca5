#ifndef ADMIN_COMMAND_H_
#define ADMIN_COMMAND_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#include "output.h"

struct conf;
struct err;
struct seal;
struct seal_pepper;
struct store;

/**
 * The `leasehold' command: a table of subcommands, each with a table of
 * options that feeds the parser and --help alike.
 */

/** What the command exits with. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,		/* options, arguments, values */
	EXIT_NOT_FOUND = 3,
	EXIT_CONFLICT = 4,	/* exists already, or is in use */
	EXIT_STORE = 5,		/* the database cannot be used now */
	EXIT_SETUP = 6		/* not set up: config, schema, master key,
				   file permissions */
};

/** One option; a table of them ends with a NULL name. */
struct command_option {
	const char *name;
	const char *arg;	/* name of its value; NULL: takes none */
	const char *help;
};

struct cli;

/** What a subcommand needs opened before it runs. */
enum command_needs {
	NEEDS_NOTHING = 0,
	NEEDS_CONF = 1,
	NEEDS_STORE = 2 | NEEDS_CONF,	/* open and of the right schema */
	NEEDS_SEAL = 4 | NEEDS_STORE	/* master keys that fit the database */
};

struct command {
	const char *group;	/* "account"; NULL: the name stands alone */
	const char *name;
	const char *args;	/* "NAME", for help; "" : none */
	int args_min, args_max;
	enum command_needs needs;
	const char *summary;
	const char *details;	/* more for --help; may be NULL */
	const struct command_option *options;	/* NULL: none of its own */
	/** 0; -1 with ${err}; or an exit status above 0, all said. */
	int (*run)(struct cli *cli, struct err *err);
	bool once;		/* what the store rolled back, as others were in
				   the way, is not run again: things were read,
				   said or done elsewhere by then */
	bool opens;		/* stores by itself, or asks for a pool: those
				   errors say more than that something is not
				   set up */
};

/* Secrets that one command reads. */
#define CLI_SECRETS	2

#define COMMAND_OPTIONS_MAX 24

/** One run of the command. */
struct cli {
	const struct command *cmd;
	const char *values[COMMAND_OPTIONS_MAX];	/* by option; NULL:
							   not given */
	char **args;
	int nargs;
	const char *config_path;	/* NULL: the default */
	bool json;
	struct conf *conf;		/* as cmd->needs says */
	struct store *store;
	struct seal *seal;
	char *secrets[CLI_SECRETS];	/* see cli_secret */
	size_t secret_lens[CLI_SECRETS];
};

/** A table of subcommands; ends with a NULL name. */
extern const struct command commands_setup[];
extern const struct command commands_config[];
extern const struct command commands_account[];
extern const struct command commands_why[];
extern const struct command commands_login[];
extern const struct command commands_group[];
extern const struct command commands_alias[];
extern const struct command commands_user[];
extern const struct command commands_key[];
extern const struct command commands_budget[];
extern const struct command commands_object[];
extern const struct command commands_price[];
extern const struct command commands_token[];
extern const struct command commands_audit[];
extern const struct command commands_store[];
extern const struct command commands_backup[];
extern const struct command commands_move[];
extern const struct command commands_pool[];
extern const struct command commands_job[];
extern const struct command commands_notify[];
extern const struct command commands_report[];
extern const struct command commands_usage[];
extern const struct command commands_ledger[];
extern const struct command commands_doctor[];

/** How jobs_list is shown. */
#define JOB_COLUMNS	8
extern const struct column job_columns[JOB_COLUMNS];

/** command_main(argc, argv): Returns an exit status. */
int command_main(int argc, char **argv);

/** cli_option(cli, name): The value of an option ("" if it takes none), or
 * NULL if it was not given.  cli_flag: was it given? */
const char *cli_option(const struct cli *cli, const char *name);
bool cli_flag(const struct cli *cli, const char *name);

/** cli_need_option(cli, err): 0, or -1 with ERR_INVAL if no option of the
 * subcommand was given: there is nothing to change. */
int cli_need_option(const struct cli *cli, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * cli_option_int(cli, name, min, max, out, err):
 * *${out} stays as it is when the option was not given.  0, or -1 with
 * ERR_INVAL that states the range.
 */
int cli_option_int(const struct cli *cli, const char *name, int64_t min,
    int64_t max, int64_t *out, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * cli_secret(cli, i, prompt, line, secret, len, err):
 * The ${i}-th secret of the command (secret_line if ${line}, else
 * secret_read): read once, though the command is run again.  Borrowed.  0, or
 * -1.
 */
int cli_secret(struct cli *cli, size_t i, const char *prompt, bool line,
    char **secret, size_t *len, struct err *err)
    __attribute__((__warn_unused_result__));

/** cli_store_open(cli, create, io_timeout_ms, err): For `init' and `migrate',
 * whose schema may not be there yet, and who wait for an answer of the database
 * server so long (0: as all do); closed by command_main. */
int cli_store_open(struct cli *cli, bool create, int64_t io_timeout_ms,
    struct err *err)
    __attribute__((__warn_unused_result__));

/** cli_actor(name): Who runs the command, for the audit log. */
void cli_actor(char name[LIMIT_NAME_BYTES]);

/** cli_pepper(cli, pepper, err): The caller wipes ${pepper}. */
int cli_pepper(struct cli *cli, struct seal_pepper *pepper, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_COMMAND_H_ */
