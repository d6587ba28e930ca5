#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"
#include "store/store.h"

#include "account_oauth.h"
#include "accounts.h"
#include "change.h"
#include "command.h"
#include "export.h"
#include "export_seal.h"
#include "import.h"
#include "import_from.h"
#include "output.h"
#include "secret.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* A passphrase is its first line. */
#define PASSPHRASE_FILE_BYTES	((size_t)64 * 1024)

static const struct column done_columns[] = {
	{ "WHAT", "what", COLUMN_TEXT },
	{ "NAME", "name", COLUMN_TEXT },
	{ "DONE", "done", COLUMN_TEXT },
};

/* ---- the passphrase ---- */

/* The first line of the file; the caller gives it to seal_wipe_free. */
static int
read_passphrase_file(const char *path, char **text, size_t *len,
    struct err *err)
{
	size_t n;

	if ((*text = secret_file(path, PASSPHRASE_FILE_BYTES, &n, err)) ==
	    NULL)
		return (-1);
	*len = strcspn(*text, "\r\n");
	if (*len > 0 && *len <= LIMIT_SECRET_BYTES)
		return (0);
	err_set(err, ERR_INVAL, "%s has no passphrase in its first line",
	    path);
	seal_wipe_free(*text, n);
	*text = NULL;
	return (-1);
}

/* The ${i}th time that it is asked for. */
static int
ask_passphrase(struct cli *cli, size_t i, const char *prompt, char **text,
    size_t *len, struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (cli_secret(cli, i, prompt, true, text, len, &why) == 0)
		return (0);
	if (why.code == ERR_INVAL)
		err_set(err, ERR_INVAL, "the passphrase is empty: give it on "
		    "standard input, or with --passphrase-file");
	else if (why.code == ERR_TOO_LARGE)
		err_set(err, ERR_TOO_LARGE, "a passphrase has at most %d "
		    "bytes", LIMIT_SECRET_BYTES);
	else
		err_set(err, why.code, "%s", why.text);
	return (-1);
}

/* What standard input is taken for already is ${input}. */
static int
get_passphrase(struct cli *cli, bool twice, bool input, char **text,
    size_t *len, struct err *err)
{
	const char *path = cli_option(cli, "passphrase-file");
	char *again;
	size_t n;

	if (path != NULL) {
		if (cli->secrets[0] == NULL && read_passphrase_file(path,
		    &cli->secrets[0], &cli->secret_lens[0], err))
			return (-1);
		*text = cli->secrets[0];
		*len = cli->secret_lens[0];
		return (0);
	}
	if (input) {
		err_set(err, ERR_INVAL, "standard input is the file: give the "
		    "passphrase with --passphrase-file");
		return (-1);
	}
	if (ask_passphrase(cli, 0, "Passphrase", text, len, err))
		return (-1);
	if (!twice || !isatty(STDIN_FILENO))
		return (0);
	if (ask_passphrase(cli, 1, "The same again", &again, &n, err))
		return (-1);
	if (n == *len && memcmp(again, *text, n) == 0)
		return (0);
	err_set(err, ERR_INVAL, "the two passphrases are not the same");
	return (-1);
}

/* ---- export ---- */

/* A new file that its owner alone may read; never over another. */
static int
write_new(const char *path, const json_t *doc, struct err *err)
{
	FILE *f = NULL;
	int fd, bad;

	if (strcmp(path, "-") == 0) {
		if (json_dumpf(doc, stdout, JSON_INDENT(2)) == 0 &&
		    putchar('\n') != EOF)
			return (0);
		err_set(err, ERR_IO, "cannot write to standard output");
		return (-1);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL) {
		err_set_errno(err, errno == EEXIST ? ERR_EXISTS : ERR_IO,
		    errno, "cannot make %s", path);
		if (fd != -1)
			close(fd);
		return (-1);
	}
	bad = json_dumpf(doc, f, JSON_INDENT(2)) != 0 ||
	    fputc('\n', f) == EOF || fflush(f) != 0 || fsync(fd) != 0;
	bad |= fclose(f) != 0;
	if (!bad)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
	(void)unlink(path);
	return (-1);
}

/* Whoever takes all secrets out is in the audit log. */
static int
note_export(struct cli *cli, struct err *err)
{

	if (store_begin(cli->store, true, err))
		return (-1);
	return (store_end(cli->store, change_note(cli->store, err), err));
}

static int
run_export(struct cli *cli, struct err *err)
{
	const struct export_cost cost = { EXPORT_OPS, EXPORT_MEM };
	const char *path = cli->args[0];
	char *passphrase;
	json_t *doc;
	size_t n;
	int rc;

	if (get_passphrase(cli, true, false, &passphrase, &n, err))
		return (-1);
	if (n < EXPORT_PASSPHRASE_MIN) {
		err_set(err, ERR_INVAL, "a passphrase has at least %d "
		    "characters", EXPORT_PASSPHRASE_MIN);
		return (-1);
	}
	if ((doc = export_make(cli->store, cli->seal, err)) == NULL)
		return (-1);
	rc = export_seal(doc, passphrase, n, &cost, err);
	if (rc == 0)
		rc = export_fits(doc, IMPORT_FILE_BYTES, err);
	if (rc == 0)
		rc = note_export(cli, err);
	if (rc == 0)
		rc = write_new(path, doc, err);
	import_wipe(doc);
	if (rc == 0 && strcmp(path, "-") != 0)
		output_done(cli->json, "file", path, "%s is written; what is "
		    "secret in it is sealed under the passphrase", path);
	return (rc);
}

/* ---- import ---- */

static const char *
variable(const char *name)
{

	return (getenv(name));
}

/* How accounts are signed in to, by the options; *${oauth} is NULL if they do
 * not say. */
static int
read_oauth(const struct cli *cli, json_t **oauth, struct err *err)
{
	static const char *const options[][2] = {
		{ "authorize-url", "authorize_url" },
		{ "token-url", "token_url" },
		{ "client-id", "client_id" },
		{ "scopes", "scopes" },
		{ "redirect-uri", "redirect_uri" },
		{ "token-format", "token_format" },
	};
	const char *of = cli_option(cli, "oauth-of"), *value;
	int64_t id;
	size_t i;

	*oauth = NULL;
	if (of != NULL && (accounts_find(cli->store, of, &id, err) ||
	    (*oauth = account_oauth_get(cli->store, id, err)) == NULL))
		return (-1);
	if (of != NULL && !json_is_object(*oauth)) {
		err_set(err, ERR_INVAL, "account \"%s\" is none that is signed "
		    "in to", of);
		goto err0;
	}
	for (i = 0; i < NITEMS(options); i++) {
		if ((value = cli_option(cli, options[i][0])) == NULL)
			continue;
		if (*oauth == NULL)
			*oauth = json_object();
		if (json_object_set_new(*oauth, options[i][1],
		    json_string(value)) == 0)
			continue;
		err_set(err, ERR_INVAL, "--%s is no text", options[i][0]);
		goto err0;
	}
	return (0);

err0:
	json_decref(*oauth);
	*oauth = NULL;
	return (-1);
}

static int
read_order(const struct cli *cli, struct import_order *o, struct err *err)
{

	*o = (struct import_order) {
		.policy = cli_flag(cli, "skip") ? IMPORT_SKIP :
		    cli_flag(cli, "update") ? IMPORT_UPDATE : IMPORT_REFUSE,
		.dry_run = cli_flag(cli, "dry-run"),
		.ahead_ms = cli->conf->refresh_ahead_ms,
	};
	if (!cli_flag(cli, "skip") || !cli_flag(cli, "update"))
		return (0);
	err_set(err, ERR_INVAL, "--skip and --update: say one of them");
	return (-1);
}

/* The things that the file names. */
static int
read_foreign(const struct cli *cli, json_t **things, struct err *err)
{
	const char *kind = cli_option(cli, "from");
	import_parser *parse;
	struct import_from from = {
		.group = cli_option(cli, "group"),
		.base_url = cli_option(cli, "base-url"),
		.env = variable
	};
	json_t *oauth;
	char *text;
	size_t n;
	int rc;

	*things = NULL;
	if ((parse = import_parser_of(kind)) == NULL) {
		err_set(err, ERR_INVAL, "there is no kind \"%.40s\": take "
		    "env, claude-relay-service or litellm", kind);
		return (-1);
	}
	if (read_oauth(cli, &oauth, err))
		return (-1);
	from.oauth = oauth;
	text = secret_file(cli->args[0], IMPORT_FILE_BYTES, &n, err);
	rc = text == NULL ? -1 : parse(text, n, &from, things, err);
	seal_wipe_free(text, IMPORT_FILE_BYTES);
	json_decref(oauth);
	return (rc);
}

/* What goes with files of other programs alone. */
static int
check_own(const struct cli *cli, struct err *err)
{
	static const char *const others[] = {
		"group", "base-url", "oauth-of", "authorize-url", "token-url",
		"client-id", "scopes", "redirect-uri", "token-format"
	};
	size_t i;

	for (i = 0; i < NITEMS(others); i++) {
		if (!cli_flag(cli, others[i]))
			continue;
		err_set(err, ERR_INVAL, "--%s goes with --from: an export has "
		    "it in itself", others[i]);
		return (-1);
	}
	return (0);
}

/* The things of an export. */
static int
read_own(struct cli *cli, json_t **things, struct err *err)
{
	const char *path = cli->args[0];
	json_t *passed;
	char *text, *passphrase;
	size_t n;

	*things = NULL;
	if (check_own(cli, err) || (text = secret_file(path,
	    IMPORT_FILE_BYTES, &n, err)) == NULL)
		return (-1);
	*things = import_json(text, n, err);
	seal_wipe_free(text, IMPORT_FILE_BYTES);
	if (*things == NULL)
		return (-1);
	if (export_check(*things, err) || get_passphrase(cli, false,
	    strcmp(path, "-") == 0, &passphrase, &n, err) ||
	    export_open(*things, passphrase, n, err))
		goto err0;
	passed = json_array();
	if (cli_flag(cli, "without-keys"))
		export_without_keys(*things, passed);
	if (json_object_set_new(*things, "passed", passed) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for an import");

err0:
	import_wipe(*things);
	*things = NULL;
	return (-1);
}

static void
report(const struct cli *cli, const json_t *things, json_t *done)
{
	json_t *passed = json_object_get(things, "passed");
	const bool dry = cli_flag(cli, "dry-run");
	size_t i;

	if (cli->json) {
		output_json(json_pack("{s:b, s:o, s:O}", "dry_run", dry,
		    "done", done, "passed_over", passed));
		return;
	}
	if (json_array_size(done) > 0)
		output_table(done, done_columns, NITEMS(done_columns));
	for (i = 0; i < json_array_size(passed); i++)
		output_done(false, "", "", "passed over: %s",
		    json_string_value(json_array_get(passed, i)));
	if (dry)
		output_done(false, "", "", "%s", "a dry run: nothing is "
		    "changed");
	json_decref(done);
}

static int
run_import(struct cli *cli, struct err *err)
{
	struct import_order order;
	json_t *things, *done;
	int rc;

	if (read_order(cli, &order, err) || (cli_flag(cli, "from") ?
	    read_foreign(cli, &things, err) : read_own(cli, &things, err)))
		return (-1);
	if (cli_flag(cli, "from") && import_any(cli_option(cli, "from"),
	    things, err)) {
		/* Why, of all that is passed over. */
		report(cli, things, json_array());
		import_wipe(things);
		return (-1);
	}
	rc = import_apply(cli->store, cli->seal, things, &order, &done, err);
	if (rc == 0)
		report(cli, things, done);
	import_wipe(things);
	return (rc);
}

static const struct command_option import_options[] = {
	{ "from", "KIND", "env, claude-relay-service or litellm" },
	{ "passphrase-file", "FILE", "of an export: its first line" },
	{ "without-keys", NULL, "leave clients' keys of an export out" },
	{ "dry-run", NULL, "show what it would do, and change nothing" },
	{ "skip", NULL, "leave what is there already as it is" },
	{ "update", NULL, "change what is there already" },
	{ "group", "GROUP", "put the accounts into it; made if missing" },
	{ "base-url", "URL", "of accounts that state none" },
	{ "oauth-of", "ACCOUNT", "sign in to them as to this one" },
	{ "authorize-url", "URL", "oauth: where people sign in" },
	{ "token-url", "URL", "oauth: where tokens come from" },
	{ "client-id", "ID", "oauth: as whom the relay asks" },
	{ "scopes", "LIST", "oauth: for what, by blanks" },
	{ "redirect-uri", "URI", "oauth: where the sign-in leads" },
	{ "token-format", "FORMAT", "oauth: form (default) or json" },
	{ NULL, NULL, NULL }
};

static const char import_details[] =
	"FILE (- for standard input) is what `leasehold export' made, or, by "
	"--from:\n"
	"  env                   NAME=VALUE lines with CLAUDE_API_KEY,\n"
	"                        ANTHROPIC_API_KEY or CLAUDE_ACCOUNTS\n"
	"  claude-relay-service  its answer of /admin/sync/export-accounts\n"
	"  litellm               its config.yaml as JSON: the model_list's\n"
	"                        Anthropic models\n"
	"All of it is taken over or nothing.  A name that is taken is refused "
	"unless\n--skip or --update is given.";

static const struct command_option export_options[] = {
	{ "passphrase-file", "FILE", "its first line is the passphrase" },
	{ NULL, NULL, NULL }
};

const struct command commands_move[] = {
	{
		.group = NULL,
		.name = "export",
		.args = "FILE",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "write what is set up, secrets sealed, as JSON",
		.details = "FILE (- for standard output) must not be there "
		    "yet.  The passphrase is asked for\ntwice, or read from "
		    "standard input.  The ledger is not in it: see backup.",
		.options = export_options,
		.run = run_export,
		.once = true,
	},
	{
		.group = NULL,
		.name = "import",
		.args = "FILE",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "take over an export, or another program's "
		    "accounts",
		.details = import_details,
		.options = import_options,
		.run = run_import,
		.once = true,
	},
	{ .name = NULL }
};
