#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "check.h"
#include "key_rules.h"
#include "keys.h"

#include "api.h"

/* Users see their own keys alone; others are as if they were not there. */
static bool
is_seen(const struct api_call *c, const json_t *key)
{
	const char *user = json_string_value(json_object_get(key, "user"));

	return (c->who.role >= ROLE_OPERATOR || (user != NULL &&
	    strcmp(user, c->who.name) == 0));
}

json_t *
api_keys(struct api_call *c, struct err *err)
{
	json_t *keys;
	size_t i;

	keys = keys_list(c->store, NULL, err);
	for (i = json_array_size(keys); i > 0; i--) {
		if (!is_seen(c, json_array_get(keys, i - 1)))
			(void)json_array_remove(keys, i - 1);
	}
	return (api_page(c, keys, err));
}

json_t *
api_key(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	json_t *key;

	if (api_name(c, STMT_NAME_OF_KEY, name, err) ||
	    (key = keys_show(c->store, name, err)) == NULL)
		return (NULL);
	if (is_seen(c, key))
		return (key);
	json_decref(key);
	err_set(err, ERR_NOT_FOUND, "there is no such id");
	return (NULL);
}

/* Where "bind" says, or (null) to the whole pool. */
static int
read_bind(struct api_call *c, struct key_change *k, struct err *err)
{
	const char *group = NULL, *account = NULL;

	k->bind = json_object_get(c->body, "group") != NULL ||
	    json_object_get(c->body, "account") != NULL;
	if (api_text(c, "group", &group, err) ||
	    api_text(c, "account", &account, err))
		return (-1);
	k->group = group;
	k->account = account;
	return (0);
}

static int
read_limits(struct api_call *c, struct key_change *k, struct err *err)
{
	const char *rate = NULL;
	int64_t drain_s = -1;

	if (api_int(c, "concurrency", 0, KEY_CONCURRENCY_MAX,
	    &k->concurrency, err) ||
	    api_int(c, "budget_nusd", 0, INT64_MAX, &k->budget_nusd, err) ||
	    api_int(c, "drain_s", 0, 3600, &drain_s, err) ||
	    api_text(c, "rate", &rate, err))
		return (-1);
	if (drain_s >= 0)
		k->drain_ms = drain_s * 1000;
	return (rate == NULL ? 0 : key_rate_parse(rate, k, err));
}

static int
read_key(struct api_call *c, struct key_change *k, struct err *err)
{
	static const char *const members[] = {
		"name", "group", "account", "user", "concurrency", "models",
		"expires_ms", "enabled", "budget_nusd", "drain_s", "clients",
		"from", "rate", "queue_class", NULL
	};

	key_change_init(k);
	if (api_members(c, members, err) ||
	    api_text(c, "name", &k->name, err) || read_bind(c, k, err) ||
	    api_text(c, "user", &k->user, err) ||
	    api_text(c, "models", &k->models, err) ||
	    api_int(c, "expires_ms", 0, INT64_MAX, &k->expires_ms, err) ||
	    api_flag(c, "enabled", &k->enabled, err) ||
	    api_text(c, "clients", &k->clients, err) ||
	    api_text(c, "from", &k->nets, err) ||
	    api_text(c, "queue_class", &k->queue_class, err))
		return (-1);
	if (k->expires_ms > 0 && k->expires_ms <= store_now_ms(c->store)) {
		err_set(err, ERR_INVAL, "\"expires_ms\" must be to come, or "
		    "0: never");
		return (-1);
	}
	return (read_limits(c, k, err));
}

json_t *
api_add_key(struct api_call *c, struct err *err)
{
	char secret[SEAL_CLIENT_KEY_SIZE];
	struct key_change k;
	struct audit a;
	json_t *key;

	if (read_key(c, &k, err) || api_need_text(c, "name", &k.name, err))
		return (NULL);
	api_audit(c, &a, "key.create", "", k.name);
	if (keys_create(c->store, c->pepper, &k, secret, err))
		return (NULL);
	if ((key = keys_show(c->store, k.name, err)) != NULL &&
	    json_object_set_new(key, "key", json_string(secret)) == -1) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		json_decref(key);
		key = NULL;
	}
	seal_wipe(secret, sizeof(secret));
	c->status = 201;
	return (key);
}

json_t *
api_set_key(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct key_change k;
	struct audit a;

	if (api_name(c, STMT_NAME_OF_KEY, name, err) || read_key(c, &k, err))
		return (NULL);
	api_audit(c, &a, "key.set", name, k.name);
	if (keys_set(c->store, name, &k, err))
		return (NULL);
	return (keys_show(c->store, k.name != NULL ? k.name : name, err));
}

json_t *
api_revoke_key(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (api_name(c, STMT_NAME_OF_KEY, name, err))
		return (NULL);
	api_audit(c, &a, "key.revoke", name, NULL);
	return (keys_revoke(c->store, name, err) ? NULL : api_done(c));
}
