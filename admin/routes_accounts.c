#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"

#include "accounts.h"
#include "groups.h"
#include "status.h"

#include "routes_accounts.h"

/* What the query asks for: a breaker's word, or the operator's. */
static int
read_state(const char *state, struct account_filter *f, struct err *err)
{
	static const struct {
		const char *word;
		int enabled, breaker;
	} states[] = {
		{ "enabled", 1, -1 }, { "disabled", 0, -1 },
		{ "closed", -1, 0 }, { "half-open", -1, 1 },
		{ "open", -1, 2 },
	};
	size_t i;

	if (state == NULL)
		return (0);
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(state, states[i].word) != 0)
			continue;
		f->enabled = states[i].enabled;
		f->breaker = states[i].breaker;
		return (0);
	}
	err_set(err, ERR_INVAL, "state must be enabled, disabled, closed, "
	    "half-open or open");
	return (-1);
}

/* By id, by name, or by both; a group that is not there has no accounts. */
static int
read_group(struct api_call *c, struct account_filter *f, struct err *err)
{
	char group[LIMIT_NAME_BYTES];
	struct err why = { .code = ERR_NONE };
	int64_t id = 0;

	if (api_query_int(c, "group_id", 0, INT64_MAX, &f->group_id, err))
		return (-1);
	if (api_query(c, "group", group, sizeof(group)) == NULL)
		return (0);
	if (group[0] != '\0' && groups_find(c->store, group, &id, &why)) {
		if (why.code != ERR_NOT_FOUND) {
			err_set(err, why.code, "%s", why.text);
			return (-1);
		}
		id = INT64_MAX;
	}
	f->group_id = f->group_id == -1 || f->group_id == id ? id : INT64_MAX;
	return (0);
}

json_t *
api_accounts(struct api_call *c, struct err *err)
{
	char platform[64], state[16], q[LIMIT_NAME_BYTES];
	struct account_filter f = {
		.platform = api_query(c, "platform_type", platform,
		    sizeof(platform)),
		.q = api_query_lower(c, "q", q, sizeof(q)),
		.group_id = -1, .enabled = -1, .breaker = -1,
	};
	struct api_range r;
	json_t *accounts;
	int64_t total;

	if (read_state(api_query(c, "state", state, sizeof(state)), &f,
	    err) || read_group(c, &f, err) || api_range(c, &r, err) ||
	    c->message[0] != '\0' ||
	    (accounts = accounts_page(c->store, &f, r.limit, r.offset, &total,
	    err)) == NULL)
		return (NULL);
	return (api_part(&r, accounts, total, err));
}

json_t *
api_account(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];

	if (api_name(c, STMT_NAME_OF_ACCOUNT, name, err))
		return (NULL);
	return (status_account(c->store, name, err));
}

static int
read_oauth(struct api_call *c, struct oauth_settings *o, struct err *err)
{
	const struct {
		const char *name, **out;
	} texts[] = {
		{ "authorize_url", &o->authorize_url },
		{ "token_url", &o->token_url },
		{ "client_id", &o->client_id },
		{ "scopes", &o->scopes },
		{ "redirect_uri", &o->redirect_uri },
		{ "token_format", &o->token_format },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (api_text(c, texts[i].name, texts[i].out, err))
			return (-1);
	}
	return (0);
}

static int
read_numbers(struct api_call *c, struct account_change *a, struct err *err)
{

	if (api_int(c, "priority", 0, ACCOUNT_PRIORITY_MAX, &a->priority,
	    err) || api_int(c, "weight", 1, ACCOUNT_WEIGHT_MAX, &a->weight,
	    err) || api_int(c, "concurrency", 1, ACCOUNT_CONCURRENCY_MAX,
	    &a->concurrency, err))
		return (-1);
	return (api_flag(c, "enabled", &a->enabled, err));
}

int
routes_read_account(struct api_call *c, struct account_change *a,
    char group[LIMIT_NAME_BYTES], struct err *err)
{
	static const char *const members[] = {
		"name", "platform_type", "request_url", "credential",
		"secret_key", "group", "group_id", "priority", "weight",
		"concurrency", "enabled", "proxy", "proxy_password",
		"authorize_url", "token_url", "client_id", "scopes",
		"redirect_uri", "token_format", "models", "auth_header", NULL
	};

	account_change_init(a);
	if (api_members(c, members, err) ||
	    api_text(c, "name", &a->name, err) ||
	    api_text(c, "platform_type", &a->platform, err) ||
	    api_text(c, "request_url", &a->base_url, err) ||
	    api_text(c, "credential", &a->credential, err) ||
	    api_text(c, "secret_key", &a->secret, err) ||
	    api_thing(c, "group", "group_id", STMT_NAME_OF_GROUP, group,
	    &a->group, err) ||
	    api_text(c, "proxy", &a->proxy, err) ||
	    api_text(c, "proxy_password", &a->proxy_password, err) ||
	    api_text(c, "models", &a->models, err) ||
	    api_text(c, "auth_header", &a->auth_header, err) ||
	    read_numbers(c, a, err))
		return (-1);
	if (a->proxy_password != NULL && a->proxy == NULL) {
		err_set(err, ERR_INVAL, "\"proxy_password\" goes with "
		    "\"proxy\"");
		return (-1);
	}
	if (a->secret != NULL)
		a->secret_len = strlen(a->secret);
	return (read_oauth(c, &a->oauth, err));
}

json_t *
api_add_account(struct api_call *c, struct err *err)
{
	char group[LIMIT_NAME_BYTES];
	struct account_change change;
	struct audit a;

	if (routes_read_account(c, &change, group, err) ||
	    api_need_text(c, "name", &change.name, err))
		return (NULL);
	api_audit(c, &a, "account.add", "", change.name);
	if (accounts_add(c->store, c->seal, &change, err))
		return (NULL);
	c->status = 201;
	return (accounts_show(c->store, change.name, err));
}

/* Operators run the pool: they may switch an account, and weigh it. */
static bool
is_for_operators(const struct account_change *a)
{
	struct account_change plain;

	account_change_init(&plain);
	plain.priority = a->priority;
	plain.weight = a->weight;
	plain.concurrency = a->concurrency;
	plain.enabled = a->enabled;
	return (memcmp(&plain, a, sizeof(plain)) == 0);
}

json_t *
api_set_account(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES], group[LIMIT_NAME_BYTES];
	struct account_change change;
	struct audit a;

	if (api_name(c, STMT_NAME_OF_ACCOUNT, name, err) ||
	    routes_read_account(c, &change, group, err))
		return (NULL);
	if (c->who.role < ROLE_ADMIN && !is_for_operators(&change))
		return (api_refuse(c, 403, "operators may set enabled, "
		    "priority, weight and concurrency alone"));
	api_audit(c, &a, "account.set", name, change.name);
	if (accounts_set(c->store, c->seal, name, &change, err))
		return (NULL);
	return (accounts_show(c->store, change.name != NULL ? change.name :
	    name, err));
}

json_t *
api_wake_account(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (api_name(c, STMT_NAME_OF_ACCOUNT, name, err))
		return (NULL);
	api_audit(c, &a, "account.wake", name, NULL);
	if (accounts_wake(c->store, name, err))
		return (NULL);
	return (accounts_show(c->store, name, err));
}

json_t *
api_remove_account(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (api_name(c, STMT_NAME_OF_ACCOUNT, name, err))
		return (NULL);
	api_audit(c, &a, "account.remove", name, NULL);
	return (accounts_remove(c->store, name, err) ? NULL : api_done(c));
}
