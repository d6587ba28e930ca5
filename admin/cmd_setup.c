#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "backup_before.h"
#include "command.h"
#include "install.h"
#include "output.h"
#include "prices.h"

/* For one step of a migration: an index of a long table takes minutes. */
#define PATIENCE_MS	(24 * 3600 * INT64_C(1000))

/* What init and migrate did, for people and for machines. */
static void
report_migration(int64_t from, int64_t to, const char *backup)
{

	if (backup[0] != '\0')
		printf("backup: %s\n", backup);
	if (from == to)
		printf("database: schema %lld, nothing to do\n",
		    (long long)to);
	else if (from == 0)
		printf("database: created with schema %lld\n", (long long)to);
	else
		printf("database: schema %lld brought to %lld\n",
		    (long long)from, (long long)to);
}

/* The shipped prices, unless there are some: they may be newer ones. */
static int
import_prices(struct cli *cli, struct prices_done *done, struct err *err)
{
	const char *path = cli_option(cli, "prices");
	json_t *file;
	int rc, any;

	*done = (struct prices_done) { .added = 0 };
	if (prices_any(cli->store, &any, err))
		return (-1);
	if (any)
		return (0);
	if (path == NULL)
		path = PRICES_FILE;
	if ((file = prices_read_file(path, err)) == NULL)
		return (-1);
	rc = prices_import(cli->store, &(struct price_import) {
		.file = file, .source = path }, done, err);
	json_decref(file);
	return (rc);
}

/* A backup first, with nobody else at it. */
static int
migrate(struct cli *cli, bool sure, int64_t *from, int64_t *to,
    char backup[PATH_MAX], struct err *err)
{
	int rc = -1;

	if (store_migrate_lock(cli->store, err))
		return (-1);
	if (sure || backup_before(cli->conf, cli->store, backup, PATH_MAX,
	    err) == 0)
		rc = store_migrate(cli->store, from, to, err);
	store_migrate_unlock(cli->store);
	return (rc);
}

static int
run_init(struct cli *cli, struct err *err)
{
	const char *key_file = cli->conf->master_key_file;
	char backup[PATH_MAX] = "";
	struct prices_done prices;
	bool key_made, installed;
	int64_t from, to;

	if (cli_store_open(cli, true, PATIENCE_MS, err) ||
	    migrate(cli, false, &from, &to, backup, err) ||
	    store_prepare(cli->store, err) ||
	    install_key_file(cli->store, key_file, &key_made, err))
		return (-1);
	if ((cli->seal = seal_open(key_file, err)) == NULL ||
	    install_meta(cli->store, cli->seal, &installed, err) ||
	    import_prices(cli, &prices, err))
		return (-1);
	if (cli->json) {
		output_json(json_pack("{s:I, s:I, s:b, s:b, s:I}",
		    "schema_before", (json_int_t)from, "schema",
		    (json_int_t)to, "master_key_made", key_made, "installed",
		    installed, "prices_added", (json_int_t)prices.added));
		return (0);
	}
	report_migration(from, to, backup);
	printf("master key: %s%s\n", key_file, key_made ?
	    " created: keep a copy of it in a safe place" : ", it fits");
	printf("installation: %s\n", installed ? "set up" :
	    "was set up before");
	if (prices.added > 0)
		printf("prices: %lld imported\n", (long long)prices.added);
	return (0);
}

static int
run_migrate(struct cli *cli, struct err *err)
{
	char backup[PATH_MAX] = "";
	int64_t from, to;

	if (cli_store_open(cli, false, PATIENCE_MS, err) ||
	    migrate(cli, cli_flag(cli, "no-backup"), &from, &to, backup, err))
		return (-1);
	if (cli->json)
		output_json(json_pack("{s:I, s:I, s:s}", "schema_before",
		    (json_int_t)from, "schema", (json_int_t)to, "backup",
		    backup));
	else
		report_migration(from, to, backup);
	return (0);
}

static int
run_rekey(struct cli *cli, struct err *err)
{
	size_t n;

	if (install_rekey(cli->store, cli->conf->master_key_file, &n, err))
		return (-1);
	if (cli->json)
		output_json(json_pack("{s:I}", "resealed", (json_int_t)n));
	else
		printf("%zu account secrets are sealed under a new master "
		    "key in %s.\nResponders that run take it over by "
		    "themselves.\nOld backups of the database need the old "
		    "file.\n", n, cli->conf->master_key_file);
	return (0);
}

static const struct command_option init_options[] = {
	{ "prices", "FILE", "first prices from here instead of the shipped "
	    "file" },
	{ NULL, NULL, NULL }
};

static const struct command_option migrate_options[] = {
	{ "no-backup", NULL, "make none: there is one, or nothing to lose" },
	{ NULL, NULL, NULL }
};

const struct command commands_setup[] = {
	{
		.name = "init",
		.args = "",
		.needs = NEEDS_CONF,
		.summary = "set up database, master key and prices",
		.details = "Creates what is missing and changes nothing that "
		    "is there.  Migrates a\ndatabase of an older version, as "
		    "migrate does.",
		.options = init_options,
		.run = run_init,
		.once = true,
	},
	{
		.name = "migrate",
		.args = "",
		.needs = NEEDS_CONF,
		.summary = "bring the database to this version's schema",
		.details = "A backup is made first, in backup_dir, which is "
		    "the way back.",
		.options = migrate_options,
		.run = run_migrate,
		.once = true,
	},
	{
		.name = "rekey",
		.args = "",
		.needs = NEEDS_SEAL,
		.summary = "make a new master key and seal all secrets anew",
		.details = "Responders that run take over the new key "
		    "by themselves, and no request fails.\nWhere other hosts "
		    "share the database, put the file there soon: until\n"
		    "then their responders have no accounts.  When it breaks "
		    "off, both keys are in\nthe file and it can be run "
		    "again.",
		.run = run_rekey,
		.once = true,
	},
	{ .name = NULL }
};
