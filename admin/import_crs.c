#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

#include "import.h"
#include "import_rows.h"

#include "import_from.h"

/*
 * What claude-relay-service answers at /admin/sync/export-accounts
 * (src/routes/admin/sync.js): {"success", "data": {"claudeAccounts": [],
 * "claudeConsoleAccounts": [], ...}}.
 */
#define CLAUDE		"claudeAccounts"
#define CONSOLE		"claudeConsoleAccounts"

/* NULL: no memory.  The caller gives it up. */
static json_t *
proxy_url(const char *protocol, const char *user, const char *host,
    int64_t port)
{
	const bool bare = strchr(host, ':') != NULL && host[0] != '[';
	char *escaped = NULL;
	json_t *url;

	if (user != NULL && (escaped = curl_easy_escape(NULL, user, 0)) ==
	    NULL)
		return (NULL);
	url = json_sprintf("%s://%s%s%s%s%s:%lld", protocol,
	    escaped != NULL ? escaped : "", escaped != NULL ? "@" : "",
	    bare ? "[" : "", host, bare ? "]" : "", (long long)port);
	curl_free(escaped);
	return (url);
}

static int
put_proxy(json_t *account, const json_t *proxy, struct err *err)
{
	const char *protocol = NULL, *host = NULL, *user = NULL;
	const char *password = NULL;
	int64_t port = 0;

	if (proxy == NULL || json_is_null(proxy))
		return (0);
	if (import_text(proxy, "protocol", &protocol, err) ||
	    import_text(proxy, "host", &host, err) ||
	    import_text(proxy, "username", &user, err) ||
	    import_text(proxy, "password", &password, err) ||
	    import_int(proxy, "port", &port, err))
		return (-1);
	if (protocol == NULL || host == NULL || port == 0) {
		err_set(err, ERR_INVAL, "its proxy has no protocol, host or "
		    "port");
		return (-1);
	}
	if (user != NULL && user[0] == '\0')
		user = NULL;
	if (import_put(account, "proxy", proxy_url(protocol, user, host,
	    port), err))
		return (-1);
	if (user == NULL || password == NULL)
		return (0);
	return (import_put(account, "proxy_password", json_string(password),
	    err));
}

/* Priorities go the same way in both: the smaller first. */
static int
put_figures(json_t *account, const json_t *row, struct err *err)
{
	int64_t priority = -1, concurrency = 0;
	int active = 1, schedulable = 1;

	if (import_int(row, "priority", &priority, err) ||
	    import_int(row, "maxConcurrentTasks", &concurrency, err) ||
	    import_bool(row, "isActive", &active, err) ||
	    import_bool(row, "schedulable", &schedulable, err))
		return (-1);
	if (priority >= 0 && import_put(account, "priority",
	    json_integer(priority), err))
		return (-1);
	if (concurrency > 0 && import_put(account, "concurrency",
	    json_integer(concurrency), err))
		return (-1);
	return (import_put(account, "enabled",
	    json_boolean(active && schedulable), err));
}

static int
put_models(json_t *things, json_t *account, const json_t *map,
    struct err *err)
{
	const char *asked, *target;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)map, asked, v) {
		if ((target = json_string_value(v)) == NULL) {
			err_set(err, ERR_INVAL, "its model_mapping must lead "
			    "to texts");
			return (-1);
		}
		if (import_model(account, target, err) ||
		    (strcmp(asked, target) != 0 && import_alias(things,
		    account, asked, target, err)))
			return (-1);
	}
	return (0);
}

/* One account of a provider that is not served, by its name if it has one. */
static void
pass_other(json_t *things, const char *key, const json_t *row, size_t i)
{
	const char *name = json_string_value(json_object_get(row, "name"));

	if (name != NULL)
		import_pass(things, "account \"%.60s\" of %.60s: it is not "
		    "Claude's", name, key);
	else
		import_pass(things, "%.60s[%zu]: it is not Claude's", key, i);
}

/* Its console accounts send a key that does not look like Anthropic's as a
 * bearer's token. */
static int
put_console_kind(json_t *account, struct err *err)
{
	const char *secret = json_string_value(json_object_get(account,
	    "secret"));

	if (secret == NULL || strncmp(secret, "sk-ant-", 7) == 0)
		return (0);
	return (import_put(account, "credential", json_string("bearer"),
	    err));
}

static int
take_inside(json_t *things, const struct import_from *from, const json_t *row,
    const char *name, bool console, struct err *err)
{
	const json_t *c = json_object_get(row, "credentials");
	const char *url = json_string_value(json_object_get(c, "base_url"));
	json_t *list = json_object_get(things, "accounts"), *account;
	int got;

	if ((account = import_account(things, from, name, err)) == NULL ||
	    import_at(account, from, console ? url : NULL, err) ||
	    (got = import_credentials(account, from, c, err)) == -1)
		return (-1);
	if (got == 0) {
		import_pass(things, "account \"%.60s\": it has neither key "
		    "nor token", name);
		return (json_array_remove(list, json_array_size(list) - 1));
	}
	if (put_figures(account, row, err) ||
	    put_proxy(account, json_object_get(row, "proxy"), err))
		return (-1);
	if (!console)
		return (0);
	if (json_object_get(c, "user_agent") != NULL)
		import_pass(things, "user_agent of account \"%.60s\": the "
		    "relay sends its clients' own", name);
	return (put_console_kind(account, err) || put_models(things, account,
	    json_object_get(c, "model_mapping"), err) ? -1 : 0);
}

static int
take_list(json_t *things, const struct import_from *from, const json_t *list,
    const char *key, struct err *err)
{
	const bool console = strcmp(key, CONSOLE) == 0;
	struct err why;
	const char *name;
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row) {
		name = json_string_value(json_object_get(row, "name"));
		why = (struct err) { .code = ERR_NONE };
		if (name == NULL)
			err_set(&why, ERR_INVAL, "it has no \"name\"");
		else if (take_inside(things, from, row, name, console,
		    &why) == 0)
			continue;
		err_set(err, why.code, "%s[%zu]: %s", key, i, why.text);
		return (-1);
	}
	return (0);
}

static int
take_all(json_t *things, const struct import_from *from, json_t *data,
    struct err *err)
{
	const char *key;
	json_t *list, *row;
	bool any = false;
	size_t i;

	json_object_foreach(data, key, list) {
		if (!json_is_array(list))
			continue;
		if (strcmp(key, CLAUDE) == 0 || strcmp(key, CONSOLE) == 0) {
			any = true;
			if (take_list(things, from, list, key, err))
				return (-1);
		} else {
			json_array_foreach(list, i, row)
				pass_other(things, key, row, i);
		}
	}
	if (any)
		return (0);
	err_set(err, ERR_INVAL, "there is neither " CLAUDE " nor " CONSOLE
	    " in it: this is no answer of /admin/sync/export-accounts with "
	    "include_secrets=true");
	return (-1);
}

int
import_crs(const char *text, size_t n, const struct import_from *from,
    json_t **things, struct err *err)
{
	json_t *j, *data;
	int rc = -1;

	*things = NULL;
	if ((j = import_json(text, n, err)) == NULL)
		return (-1);
	data = json_object_get(j, "data");
	if ((*things = import_things(from, err)) != NULL)
		rc = take_all(*things, from, data != NULL ? data : j, err);
	import_wipe(j);
	if (rc == 0)
		return (0);
	import_wipe(*things);
	*things = NULL;
	return (-1);
}
