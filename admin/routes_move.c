#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"

#include "account_oauth.h"
#include "accounts.h"
#include "change.h"
#include "export.h"
#include "export_seal.h"
#include "import.h"
#include "import_from.h"

#include "api.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- export ---- */

/* It is in the log before anything goes out: whoever takes all secrets out
 * cannot break off in between. */
static json_t *
make_export(struct api_call *c, const char *passphrase, struct err *err)
{
	const struct export_cost cost = { EXPORT_OPS, EXPORT_MEM };
	json_t *doc;

	if ((doc = export_make(c->store, c->seal, err)) == NULL)
		return (NULL);
	if (export_seal(doc, passphrase, strlen(passphrase), &cost, err) == 0
	    && api_note(c, "export", "", err) == 0)
		return (doc);
	import_wipe(doc);
	return (NULL);
}

/* A token of the installation has no password that could be asked for. */
json_t *
api_export(struct api_call *c, struct err *err)
{
	static const char *const members[] = {
		"passphrase", "password", NULL
	};
	const char *passphrase;
	json_t *doc;

	if (api_members(c, members, err) ||
	    api_need_text(c, "passphrase", &passphrase, err))
		return (NULL);
	if (strlen(passphrase) < EXPORT_PASSPHRASE_MIN ||
	    strlen(passphrase) > LIMIT_SECRET_BYTES)
		return (api_refuse(c, 400, "\"passphrase\" must have at least "
		    "%d characters, and %d bytes at the most",
		    EXPORT_PASSPHRASE_MIN, LIMIT_SECRET_BYTES));
	if ((c->who.person_id != 0 && !api_knows_password(c, err)) ||
	    api_begin_long(c))
		return (NULL);
	doc = make_export(c, passphrase, err);
	api_end_long(c);
	return (doc);
}

/* ---- import: what is asked ---- */

struct wish {
	const char *from;		/* NULL: an export of Leasehold's */
	const char *passphrase;
	bool without_keys;
	struct import_order order;
	struct import_from how;		/* of another program's file */
	json_t *oauth;			/* of .how, to be given up */
};

/* How accounts are signed in to, if that is said. */
static int
read_oauth(struct api_call *c, struct wish *w, struct err *err)
{
	static const char *const names[] = {
		"authorize_url", "token_url", "client_id", "scopes",
		"redirect_uri", "token_format"
	};
	const char *of = NULL, *value;
	int64_t id;
	size_t i;

	if (api_text(c, "oauth_of", &of, err) || (of != NULL &&
	    (accounts_find(c->store, of, &id, err) ||
	    (w->oauth = account_oauth_get(c->store, id, err)) == NULL)))
		return (-1);
	if (of != NULL && !json_is_object(w->oauth)) {
		err_set(err, ERR_INVAL, "\"oauth_of\": account \"%s\" is none "
		    "that is signed in to", of);
		return (-1);
	}
	for (i = 0; i < NITEMS(names); i++) {
		value = NULL;
		if (api_text(c, names[i], &value, err))
			return (-1);
		if (value != NULL && w->oauth == NULL)
			w->oauth = json_object();
		if (value == NULL || json_object_set_new(w->oauth, names[i],
		    json_string(value)) == 0)
			continue;
		err_set(err, ERR_NOMEM, "no memory for an import");
		return (-1);
	}
	w->how.oauth = w->oauth;
	return (0);
}

static int
read_existing(struct api_call *c, enum import_policy *policy, struct err *err)
{
	static const char *const words[] = {
		[IMPORT_REFUSE] = "refuse", [IMPORT_SKIP] = "skip",
		[IMPORT_UPDATE] = "update"
	};
	const char *word = words[IMPORT_REFUSE];
	size_t i;

	if (api_text(c, "existing", &word, err))
		return (-1);
	for (i = 0; i < NITEMS(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*policy = (enum import_policy)i;
			return (0);
		}
	}
	err_set(err, ERR_INVAL, "\"existing\" must be refuse, skip or update");
	return (-1);
}

/* What goes with one kind of file is a mistake with the other. */
static int
check_kind(struct api_call *c, const struct wish *w, struct err *err)
{
	static const char *const own[] = {
		"passphrase", "without_keys", NULL
	};
	static const char *const foreign[] = {
		"group", "base_url", "oauth_of", "authorize_url", "token_url",
		"client_id", "scopes", "redirect_uri", "token_format", NULL
	};
	const char *const *name;

	for (name = w->from != NULL ? own : foreign; *name != NULL; name++) {
		if (json_object_get(c->body, *name) == NULL)
			continue;
		err_set(err, ERR_INVAL, w->from != NULL ? "\"%s\" goes with "
		    "an export of leasehold alone" : "\"%s\" goes with "
		    "\"from\": an export has it in itself", *name);
		return (-1);
	}
	if (w->from == NULL || import_parser_of(w->from) != NULL)
		return (0);
	err_set(err, ERR_INVAL, "\"from\" must be env, claude-relay-service or "
	    "litellm");
	return (-1);
}

static int
read_wish(struct api_call *c, struct wish *w, struct err *err)
{
	static const char *const members[] = {
		"file", "from", "passphrase", "without_keys", "dry_run",
		"existing", "group", "base_url", "oauth_of", "authorize_url",
		"token_url", "client_id", "scopes", "redirect_uri",
		"token_format", NULL
	};
	struct conf *conf;

	*w = (struct wish) { .from = NULL };
	if (api_members(c, members, err) ||
	    api_text(c, "from", &w->from, err) || check_kind(c, w, err) ||
	    api_text(c, "passphrase", &w->passphrase, err) ||
	    api_bool(c, "without_keys", &w->without_keys, err) ||
	    api_bool(c, "dry_run", &w->order.dry_run, err) ||
	    read_existing(c, &w->order.policy, err) ||
	    api_text(c, "group", &w->how.group, err) ||
	    api_text(c, "base_url", &w->how.base_url, err) ||
	    read_oauth(c, w, err) || (conf = api_conf(c)) == NULL)
		return (-1);
	w->order.ahead_ms = conf->refresh_ahead_ms;
	conf_free(conf);
	return (0);
}

/* ---- import: the file ---- */

/* As text, which the caller gives to seal_wipe_free: it is given as that, or
 * as the JSON that it is. */
static char *
file_text(struct api_call *c, size_t *n, struct err *err)
{
	const json_t *file = json_object_get(c->body, "file");
	char *text;

	if (!json_is_string(file) && !json_is_object(file) &&
	    !json_is_array(file)) {
		err_set(err, ERR_INVAL, "\"file\" must be what is to be taken "
		    "over: its text, or the JSON that it is");
		return (NULL);
	}
	text = json_is_string(file) ? strdup(json_string_value(file)) :
	    json_dumps(file, JSON_COMPACT);
	if (text == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an import");
		return (NULL);
	}
	*n = strlen(text);
	if (*n <= IMPORT_ROUTE_BYTES)
		return (text);
	err_set(err, ERR_TOO_LARGE, "\"file\" is longer than %d bytes",
	    IMPORT_ROUTE_BYTES);
	seal_wipe_free(text, *n);
	return (NULL);
}

/* Another passphrase is no fault of ours. */
static int
open_export(json_t *things, const struct wish *w, struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (export_check(things, err))
		return (-1);
	if (w->passphrase == NULL || w->passphrase[0] == '\0' ||
	    strlen(w->passphrase) > LIMIT_SECRET_BYTES) {
		err_set(err, ERR_INVAL, "\"passphrase\" is needed: that under "
		    "which the export is sealed");
		return (-1);
	}
	if (export_open(things, w->passphrase, strlen(w->passphrase), &why)
	    == 0)
		return (0);
	err_set(err, why.code == ERR_CRYPTO ? ERR_INVAL : why.code, "%s",
	    why.text);
	return (-1);
}

/* The things of an export. */
static json_t *
read_own(const char *text, size_t n, const struct wish *w, struct err *err)
{
	json_t *things, *passed;

	if ((things = import_json(text, n, err)) == NULL)
		return (NULL);
	if (open_export(things, w, err))
		goto err0;
	passed = json_array();
	if (w->without_keys)
		export_without_keys(things, passed);
	if (json_object_set_new(things, "passed", passed) == 0)
		return (things);
	err_set(err, ERR_NOMEM, "no memory for an import");

err0:
	import_wipe(things);
	return (NULL);
}

static json_t *
read_things(struct api_call *c, const struct wish *w, struct err *err)
{
	json_t *things = NULL;
	char *text;
	size_t n;

	if ((text = file_text(c, &n, err)) == NULL)
		return (NULL);
	if (w->from == NULL)
		things = read_own(text, n, w, err);
	else if (import_parser_of(w->from)(text, n, &w->how, &things, err))
		things = NULL;
	seal_wipe_free(text, n);
	return (things);
}

/* ---- import ---- */

/* That there is nothing is what a dry run shows, with all that is passed over;
 * else it is refused. */
static json_t *
find_nothing(struct api_call *c, const struct wish *w, const json_t *things,
    const struct err *why, struct err *err)
{
	json_t *answer;

	if (!w->order.dry_run)
		return (api_refuse(c, 400, "%s", why->text));
	answer = json_pack("{s:b, s:[], s:o, s:s}", "dry_run", 1, "done",
	    "passed_over", json_deep_copy(json_object_get(things, "passed")),
	    "nothing", why->text);
	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (answer);
}

static json_t *
take_over(struct api_call *c, const struct wish *w, struct err *err)
{
	json_t *things, *done, *answer = NULL;
	struct err why = { .code = ERR_NONE };
	struct audit a;

	if ((things = read_things(c, w, err)) == NULL)
		return (NULL);
	if (w->from != NULL && import_any(w->from, things, &why)) {
		answer = find_nothing(c, w, things, &why, err);
		import_wipe(things);
		return (answer);
	}
	api_audit(c, &a, "import", "", NULL);
	a.view = NULL;
	if (import_apply(c->store, c->seal, things, &w->order, &done, err)
	    == 0 && (answer = json_pack("{s:b, s:o, s:o}", "dry_run",
	    w->order.dry_run, "done", done, "passed_over",
	    json_deep_copy(json_object_get(things, "passed")))) == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	change_audit(c->store, NULL);
	import_wipe(things);
	return (answer);
}

json_t *
api_import(struct api_call *c, struct err *err)
{
	json_t *answer = NULL;
	struct wish w;

	if (read_wish(c, &w, err) == 0 && api_begin_long(c) == 0) {
		answer = take_over(c, &w, err);
		api_end_long(c);
	}
	json_decref(w.oauth);
	return (answer);
}
