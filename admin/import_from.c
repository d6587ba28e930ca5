#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "import.h"
#include "query.h"

#include "import_from.h"

/* Of one line about what is passed over. */
#define LINE_SIZE	256

/* More than fit into the column, so that a hostile list is not read on. */
#define MODELS_BYTES	(64 * 1024)

/* How tokens that are sent as a bearer's begin. */
#define TOKEN_PREFIX	"sk-ant-oat"

static const struct {
	const char *kind;
	import_parser *parse;
	const char *wanted;	/* what makes an account */
} parsers[] = {
	{ "env", import_env, "CLAUDE_API_KEY, ANTHROPIC_API_KEY or "
	    "CLAUDE_ACCOUNTS with a value" },
	{ "claude-relay-service", import_crs, "claudeAccounts or "
	    "claudeConsoleAccounts with a key or token" },
	{ "litellm", import_litellm, "entries of model_list whose "
	    "litellm_params.model is anthropic/NAME or claude-NAME" },
};
#define PARSERS	(sizeof(parsers) / sizeof(parsers[0]))

/* PARSERS: there is none such. */
static size_t
place_of(const char *kind)
{
	size_t i;

	for (i = 0; i < PARSERS && strcmp(parsers[i].kind, kind) != 0; i++)
		continue;
	return (i);
}

import_parser *
import_parser_of(const char *kind)
{
	const size_t i = place_of(kind);

	return (i < PARSERS ? parsers[i].parse : NULL);
}

int
import_any(const char *kind, const json_t *things, struct err *err)
{
	const size_t i = place_of(kind);

	if (json_array_size(json_object_get(things, "accounts")) > 0)
		return (0);
	err_set(err, ERR_NOT_FOUND, "nothing is found in the file that could "
	    "be taken over: looked for %s", i < PARSERS ? parsers[i].wanted :
	    "accounts");
	return (-1);
}

static void
no_memory(struct err *err)
{

	err_set(err, ERR_NOMEM, "no memory for an import");
}

int
import_put(json_t *object, const char *key, json_t *value, struct err *err)
{

	if (json_object_set_new(object, key, value) == 0)
		return (0);
	no_memory(err);
	return (-1);
}

json_t *
import_things(const struct import_from *from, struct err *err)
{
	json_t *things;

	things = json_pack("{s:[], s:[], s:[], s:{}, s:[]}", "groups",
	    "accounts", "aliases", "names", "passed");
	if (things == NULL) {
		no_memory(err);
		return (NULL);
	}
	if (from->group == NULL || json_array_append_new(json_object_get(
	    things, "groups"), json_pack("{s:s, s:b}", "name", from->group,
	    "shared", 1)) == 0)
		return (things);
	err_set(err, ERR_INVAL, "the name of the group is no text");
	import_wipe(things);
	return (NULL);
}

void
import_pass(json_t *things, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)json_array_append_new(json_object_get(things, "passed"),
	    query_text(line, strlen(line)));
}

json_t *
import_account(json_t *things, const struct import_from *from,
    const char *name, struct err *err)
{
	json_t *list = json_object_get(things, "accounts"), *account;
	json_t *names = json_object_get(things, "names"), *given;
	unsigned int n;

	if (json_array_size(list) >= IMPORT_ROWS_MAX) {
		err_set(err, ERR_TOO_LARGE, "the file has more than %d "
		    "accounts", IMPORT_ROWS_MAX);
		return (NULL);
	}
	given = json_string(name);
	for (n = 2; given != NULL && json_object_get(names,
	    json_string_value(given)) != NULL; n++) {
		json_decref(given);
		given = json_sprintf("%s-%u", name, n);
	}
	account = json_pack("{s:o}", "name", given);
	if (account == NULL || json_object_set_new(names,
	    json_string_value(given), json_true()) != 0 || (from->group !=
	    NULL && json_object_set_new(account, "group",
	    json_string(from->group)) != 0) ||
	    json_array_append(list, account) != 0) {
		json_decref(account);
		no_memory(err);
		return (NULL);
	}
	json_decref(account);
	return (account);
}

int
import_alias(json_t *things, const json_t *account, const char *pattern,
    const char *target, struct err *err)
{

	if (json_array_append_new(json_object_get(things, "aliases"),
	    json_pack("{s:O, s:s, s:s}", "account", json_object_get(account,
	    "name"), "pattern", pattern, "target", target)) == 0)
		return (0);
	no_memory(err);
	return (-1);
}

/* Is ${model} on the list, which is by comma? */
static bool
listed(const char *list, const char *model)
{
	const char *p;
	size_t n = strlen(model);

	for (p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, model, n) == 0 && (p[n] == ',' ||
		    p[n] == '\0'))
			return (true);
	}
	return (false);
}

int
import_model(json_t *account, const char *model, struct err *err)
{
	const char *was = json_string_value(json_object_get(account,
	    "models"));

	if (was != NULL && listed(was, model))
		return (0);
	if (strchr(model, ',') != NULL || (was != NULL &&
	    strlen(was) > MODELS_BYTES)) {
		err_set(err, ERR_INVAL, "it has more models than an account "
		    "can, or one with a comma in its name");
		return (-1);
	}
	return (import_put(account, "models", was == NULL ?
	    json_string(model) : json_sprintf("%s,%s", was, model), err));
}

/* Without ${end} and slashes behind it; the length that is left. */
static size_t
cut(const char *url, size_t n, const char *end)
{
	size_t len = strlen(end);

	while (n > 0 && url[n - 1] == '/')
		n--;
	if (n > len && strncmp(url + n - len, end, len) == 0)
		n -= len;
	return (n);
}

int
import_at(json_t *account, const struct import_from *from, const char *url,
    struct err *err)
{
	size_t n;
	bool own;

	if (url == NULL || url[0] == '\0')
		url = from->base_url != NULL ? from->base_url :
		    IMPORT_BASE_URL;
	n = cut(url, strlen(url), "/messages");
	n = cut(url, n, "/v1");
	n = cut(url, n, "");
	own = n == strlen(IMPORT_BASE_URL) &&
	    strncmp(url, IMPORT_BASE_URL, n) == 0;
	return (import_put(account, "base_url", json_stringn(url, n), err) ||
	    import_put(account, "platform", json_string(own ? "claude" :
	    "claude_console"), err) ? -1 : 0);
}

int
import_key(json_t *account, const char *key, struct err *err)
{
	const bool token = strncmp(key, TOKEN_PREFIX,
	    strlen(TOKEN_PREFIX)) == 0;

	return (import_put(account, "credential", json_string(token ?
	    "bearer" : "api_key"), err) ||
	    import_put(account, "secret", json_string(key), err) ? -1 : 0);
}

static int
put_pair(json_t *account, const struct import_from *from, const json_t *c,
    struct err *err)
{

	if (from->oauth == NULL) {
		err_set(err, ERR_INVAL, "account \"%.60s\" is signed in to "
		    "with OAuth: say how with --authorize-url, --token-url, "
		    "--client-id and --redirect-uri, or name an account that "
		    "has it with --oauth-of",
		    json_string_value(json_object_get(account, "name")));
		return (-1);
	}
	return (import_put(account, "credential", json_string("oauth"),
	    err) || import_put(account, "oauth", json_deep_copy(from->oauth),
	    err) || import_put(account, "tokens", json_deep_copy(c), err) ?
	    -1 : 0);
}

int
import_credentials(json_t *account, const struct import_from *from,
    const json_t *c, struct err *err)
{
	const char *key, *access, *refresh;

	key = json_string_value(json_object_get(c, "api_key"));
	access = json_string_value(json_object_get(c, "access_token"));
	refresh = json_string_value(json_object_get(c, "refresh_token"));
	if (key != NULL && key[0] != '\0')
		return (import_key(account, key, err) ? -1 : 1);
	if (access == NULL || access[0] == '\0')
		return (0);
	/* The API that tokens are for. */
	if (import_put(account, "platform", json_string("claude"), err))
		return (-1);
	if (refresh != NULL && refresh[0] != '\0')
		return (put_pair(account, from, c, err) ? -1 : 1);
	return (import_put(account, "credential", json_string("bearer"),
	    err) || import_put(account, "secret", json_string(access), err) ?
	    -1 : 1);
}

json_t *
import_json(const char *text, size_t n, struct err *err)
{
	json_error_t where;
	json_t *j;

	if ((j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where)) != NULL)
		return (j);
	err_set(err, ERR_INVAL, "this is no JSON: see line %d, column %d",
	    where.line, where.column);
	return (NULL);
}
