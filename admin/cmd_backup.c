#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "store/store.h"

#include "backup_store.h"
#include "command.h"
#include "output.h"
#include "restore_store.h"

/* How often a person is told how far it is. */
#define TELL_MS		200

/* ---- progress, on a terminal ---- */

struct bar {
	bool shown;		/* standard error is a terminal */
	const char *stage;
	int64_t at_ms;
};

static int
show(void *arg, const char *stage, int64_t done, int64_t all, struct err *err)
{
	struct bar *bar = arg;
	int64_t now = clock_mono_ms(clock_system());

	(void)err;
	if (!bar->shown || (bar->stage == stage && now - bar->at_ms < TELL_MS))
		return (0);
	bar->stage = stage;
	bar->at_ms = now;
	if (all > 0)
		fprintf(stderr, "\r%s: %" PRId64 " %%\033[K", stage,
		    done * 100 / all);
	else if (done > 0)
		fprintf(stderr, "\r%s: %" PRId64 " rows\033[K", stage, done);
	else
		fprintf(stderr, "\r%s\033[K", stage);
	return (0);
}

static void
start(struct bar *bar, const struct cli *cli)
{

	*bar = (struct bar) { .shown = !cli->json && isatty(2) };
}

static void
stop(const struct bar *bar)
{

	if (bar->stage != NULL)
		fputs("\r\033[K", stderr);
}

/* ---- backup ---- */

static void
report_backup(const struct cli *cli, const struct backup_made *made)
{

	if (cli->json) {
		output_json(json_pack("{s:s%, s:I, s:I, s:o, s:o}", "file",
		    cli->args[0], strlen(cli->args[0]), "bytes",
		    (json_int_t)made->bytes, "schema",
		    (json_int_t)made->schema, "rows", made->books ?
		    json_integer(made->rows) : json_null(), "differences",
		    made->books ? json_integer(made->differences) :
		    json_null()));
		return;
	}
	printf("%s: %" PRId64 " bytes, schema %" PRId64 ", not damaged\n",
	    cli->args[0], made->bytes, made->schema);
	if (made->books && made->differences == 0)
		printf("ledger: %" PRId64 " requests; all sums are those of "
		    "their rows\n", made->rows);
	else if (made->books)
		printf("ledger: %" PRId64 " sums are not those of their rows, "
		    "in the database neither;\nlook with: leasehold ledger "
		    "verify\n", made->differences);
	else
		printf("ledger: of another schema, its sums were not looked "
		    "at\n");
	printf("the master key is not in it: keep a copy of %s in "
	    "another place\n", cli->conf->master_key_file);
}

static int
run_backup(struct cli *cli, struct err *err)
{
	struct backup_made made;
	struct bar bar;
	struct backup_order o = {
		.conf = cli->conf,
		.path = cli->args[0],
		.force = cli_flag(cli, "force"),
		.books = true,
		.progress = show,
		.arg = &bar
	};
	int rc;

	start(&bar, cli);
	rc = backup_store(&o, &made, err);
	stop(&bar);
	if (rc == -1)
		return (-1);
	report_backup(cli, &made);
	return (made.differences > 0 ? EXIT_FAILED : EXIT_OK);
}

/* ---- restore ---- */

static void
report_restore(const struct cli *cli, const struct restore_made *made)
{

	if (cli->json) {
		output_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}",
		    "schema_before", (json_int_t)made->schema_before, "schema",
		    (json_int_t)made->schema, "rows", (json_int_t)made->rows,
		    "differences", (json_int_t)made->differences, "secrets",
		    (json_int_t)made->secrets, "kept", made->kept));
		return;
	}
	if (made->schema_before != made->schema)
		printf("schema %" PRId64 " brought to %" PRId64 "\n",
		    made->schema_before, made->schema);
	printf("master key: %s opens the secrets of its %zu accounts\n",
	    cli->conf->master_key_file, made->secrets);
	if (made->differences == 0)
		printf("ledger: %" PRId64 " requests; all sums are those of "
		    "their rows\n", made->rows);
	else
		printf("ledger: %" PRId64 " sums are not those of their "
		    "rows;\nlook with: leasehold ledger verify\n",
		    made->differences);
	if (made->kept)
		printf("the database that was there is now %s.before-restore\n",
		    cli->conf->store + strlen("sqlite:"));
	printf("restored; start the responders\n");
}

static int
run_restore(struct cli *cli, struct err *err)
{
	struct restore_made made;
	char actor[LIMIT_NAME_BYTES];
	struct bar bar;
	struct restore_order o = {
		.conf = cli->conf,
		.path = cli->args[0],
		.force = cli_flag(cli, "force"),
		.actor = { ACTOR_SHELL, actor, "" },
		.progress = show,
		.arg = &bar
	};
	int rc;

	cli_actor(actor);
	start(&bar, cli);
	rc = restore_store(&o, &made, err);
	stop(&bar);
	if (rc == -1)
		return (-1);
	report_restore(cli, &made);
	return (made.differences > 0 ? EXIT_FAILED : EXIT_OK);
}

static const struct command_option restore_options[] = {
	{ "force", NULL, "though responders run, or requests are lost" },
	{ NULL, NULL, NULL }
};

static const struct command_option backup_options[] = {
	{ "force", NULL, "write over a file that is there" },
	{ NULL, NULL, NULL }
};

const struct command commands_backup[] = {
	{
		.name = "backup",
		.args = "FILE",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_CONF,
		.summary = "copy the database to a file, while the pool works",
		.details = "FILE is made with mode 0600, as a SQLite database "
		    "also of a MySQL one, so that\neither can be restored "
		    "from it.  It is called FILE.part until it is whole,\n"
		    "checked and on disk.  The master key file is not in it.",
		.options = backup_options,
		.run = run_backup,
		.once = true,
		.opens = true,
	},
	{
		.name = "restore",
		.args = "FILE",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_CONF,
		.summary = "put a backup in the place of the database",
		.details = "Stop the responders first.  The database may be of "
		    "the other kind than the one\nthat the backup was made "
		    "of, or not be there yet.  An older backup is brought to\n"
		    "this version's schema.  The master key file must be the "
		    "one that belongs to it.\nWhen it breaks off, the "
		    "database is as it was.",
		.options = restore_options,
		.run = run_restore,
		.once = true,
		.opens = true,
	},
	{ .name = NULL }
};
