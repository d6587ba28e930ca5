#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "account_oauth.h"
#include "account_secrets.h"
#include "accounts.h"
#include "command.h"
#include "login.h"
#include "output.h"
#include "secret.h"

/* Two tokens and what stands around them. */
#define FILE_BYTES	(64 * 1024)

static int
put_tokens(struct cli *cli, struct oauth_tokens *tokens, struct err *err)
{
	int rc;

	rc = account_oauth_sign_in(cli->store, cli->seal, cli->args[0],
	    tokens, cli->conf->refresh_ahead_ms, err);
	oauth_tokens_wipe(tokens);
	if (rc == 0)
		output_done(cli->json, "account", cli->args[0],
		    "account \"%s\" is signed in to", cli->args[0]);
	return (rc);
}

/* ---- login ---- */

/* The settings of the account, and its proxy. */
static int
find_account(struct cli *cli, json_t **settings, char **proxy, size_t *len,
    struct err *err)
{
	int64_t id;

	if (accounts_find(cli->store, cli->args[0], &id, err) ||
	    (*settings = account_oauth_get(cli->store, id, err)) == NULL)
		return (-1);
	if (!json_is_object(*settings)) {
		json_decref(*settings);
		err_set(err, ERR_INVAL, "account \"%s\" is none that is signed "
		    "in to: its credential is not oauth", cli->args[0]);
		return (-1);
	}
	if (account_secret_get(cli->store, cli->seal, ACCOUNT_PROXY, id,
	    proxy, len, err) == 0)
		return (0);
	json_decref(*settings);
	return (-1);
}

static int
ask_code(const struct login *l, const char *url, bool json, char **code,
    struct err *err)
{
	FILE *out = json ? stderr : stdout;
	char *pasted;
	size_t n;
	int rc;

	fprintf(out, "Open this address, sign in, and give back what it leads "
	    "to:\n\n  %s\n\n", url);
	if (fflush(out) != 0) {
		err_set_errno(err, ERR_IO, errno, "cannot print the address");
		return (-1);
	}
	if (secret_line("Address, or code with its state", &pasted, &n, err))
		return (-1);
	rc = login_code(l, pasted, code, err);
	seal_wipe_free(pasted, n);
	return (rc);
}

static int
sign_in(struct cli *cli, const json_t *settings, const char *proxy,
    struct err *err)
{
	struct oauth_tokens tokens;
	struct login l;
	char *url, *code;
	int rc;

	if (login_begin(&l, settings, &url, err))
		return (-1);
	rc = ask_code(&l, url, cli->json, &code, err);
	free(url);
	if (rc)
		goto done;
	rc = login_exchange(&l, settings, cli->conf, proxy, code, &tokens,
	    err);
	seal_wipe_free(code, strlen(code));
	if (rc == 0)
		rc = put_tokens(cli, &tokens, err);
done:
	seal_wipe(&l, sizeof(l));
	return (rc);
}

static int
run_login(struct cli *cli, struct err *err)
{
	json_t *settings;
	char *proxy;
	size_t len;
	int rc;

	if (find_account(cli, &settings, &proxy, &len, err))
		return (-1);
	rc = sign_in(cli, settings, proxy, err);
	json_decref(settings);
	if (proxy != NULL)
		seal_wipe_free(proxy, len);
	return (rc);
}

/* ---- import ---- */

static int
run_import(struct cli *cli, struct err *err)
{
	struct oauth_tokens tokens;
	char *text;
	size_t n;
	int rc;

	if ((text = secret_file(cli->args[1], FILE_BYTES, &n, err)) == NULL)
		return (-1);
	rc = login_import(text, n, &tokens, err);
	seal_wipe_free(text, FILE_BYTES);
	return (rc == 0 ? put_tokens(cli, &tokens, err) : -1);
}

const struct command commands_login[] = {
	{
		.group = "account",
		.name = "login",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "sign in to an OAuth account",
		.details = "Prints the address to sign in at, and reads from "
		    "standard input what the sign-in\nleads to: the address "
		    "that the browser ends at, or CODE#STATE.",
		.run = run_login,
		.once = true,
	},
	{
		.group = "account",
		.name = "import",
		.args = "NAME FILE",
		.args_min = 2,
		.args_max = 2,
		.needs = NEEDS_SEAL,
		.summary = "give an OAuth account a pair of tokens",
		.details = "FILE (- for standard input) is JSON with "
		    "access_token, refresh_token and\nexpires_at.  From then "
		    "on the pair is this installation's alone: a refresh\n"
		    "token that two use is void.",
		.run = run_import,
		.once = true,
	},
	{ .name = NULL }
};
