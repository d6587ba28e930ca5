#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"

#include "accounts.h"
#include "status.h"

#include "routes_accounts.h"

/* What the query asks for of the list. */
struct account_filter {
	const char *platform, *group, *state, *q;	/* NULL: any */
	int64_t group_id;	/* -1: any; 0: of none */
};

static const char *
text_of(const json_t *account, const char *name)
{
	const char *s = json_string_value(json_object_get(account, name));

	return (s != NULL ? s : "");
}

/* As people type it: a part of its name or address, large or small. */
static bool
holds(const char *text, const char *part)
{

	return (strcasestr(text, part) != NULL);
}

/* A breaker's word, or the operator's. */
static bool
is_in_state(const json_t *account, const char *state)
{
	const bool enabled = json_is_true(json_object_get(account,
	    "enabled"));

	if (strcmp(state, "disabled") == 0)
		return (!enabled);
	if (strcmp(state, "enabled") == 0)
		return (enabled);
	return (strcmp(text_of(account, "breaker"), state) == 0);
}

static bool
is_asked_for(const json_t *account, const struct account_filter *f)
{
	const int64_t group_id = json_integer_value(json_object_get(account,
	    "group_id"));

	return ((f->platform == NULL ||
	    strcmp(text_of(account, "platform"), f->platform) == 0) &&
	    (f->group == NULL ||
	    strcmp(text_of(account, "group"), f->group) == 0) &&
	    (f->group_id == -1 || group_id == f->group_id) &&
	    (f->state == NULL || is_in_state(account, f->state)) &&
	    (f->q == NULL || holds(text_of(account, "name"), f->q) ||
	    holds(text_of(account, "base_url"), f->q)));
}

static int
check_state(const char *state, struct err *err)
{
	static const char *const states[] = {
		"enabled", "disabled", "closed", "half-open", "open"
	};
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (state == NULL || strcmp(state, states[i]) == 0)
			return (0);
	}
	err_set(err, ERR_INVAL, "state must be enabled, disabled, closed, "
	    "half-open or open");
	return (-1);
}

json_t *
api_accounts(struct api_call *c, struct err *err)
{
	char platform[64], group[LIMIT_NAME_BYTES], state[16];
	char q[LIMIT_NAME_BYTES];
	struct account_filter f = {
		.platform = api_query(c, "platform_type", platform,
		    sizeof(platform)),
		.group = api_query(c, "group", group, sizeof(group)),
		.state = api_query(c, "state", state, sizeof(state)),
		.q = api_query(c, "q", q, sizeof(q)),
		.group_id = -1,
	};
	json_t *accounts;
	size_t i;

	if (api_query_int(c, "group_id", 0, INT64_MAX, &f.group_id, err) ||
	    check_state(f.state, err) ||
	    (accounts = accounts_list(c->store, NULL, err)) == NULL)
		return (NULL);
	for (i = json_array_size(accounts); i > 0; i--) {
		if (!is_asked_for(json_array_get(accounts, i - 1), &f))
			(void)json_array_remove(accounts, i - 1);
	}
	return (api_page(c, accounts, err));
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
