#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "account_oauth.h"
#include "accounts.h"
#include "aliases.h"
#include "groups.h"
#include "login.h"

#include "import_rows.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- members ---- */

static const json_t *
member(const json_t *row, const char *key)
{
	const json_t *v = json_object_get(row, key);

	return (json_is_null(v) ? NULL : v);
}

int
import_text(const json_t *row, const char *key, const char **out,
    struct err *err)
{
	const json_t *v = member(row, key);

	if (v == NULL)
		return (0);
	if (!json_is_string(v)) {
		err_set(err, ERR_INVAL, "\"%s\" must be a text", key);
		return (-1);
	}
	*out = json_string_value(v);
	return (0);
}

int
import_int(const json_t *row, const char *key, int64_t *out, struct err *err)
{
	const json_t *v = member(row, key);

	if (v == NULL)
		return (0);
	if (!json_is_integer(v) || json_integer_value(v) < 0) {
		err_set(err, ERR_INVAL, "\"%s\" must be a whole number that is "
		    "not below 0", key);
		return (-1);
	}
	*out = json_integer_value(v);
	return (0);
}

int
import_bool(const json_t *row, const char *key, int *out, struct err *err)
{
	const json_t *v = member(row, key);

	if (v == NULL)
		return (0);
	if (!json_is_boolean(v)) {
		err_set(err, ERR_INVAL, "\"%s\" must be true or false", key);
		return (-1);
	}
	*out = json_is_true(v);
	return (0);
}

int
import_texts(const json_t *row, const struct import_place *texts, size_t n,
    void *out, struct err *err)
{
	const char *s;
	size_t i;

	for (i = 0; i < n; i++) {
		s = NULL;
		if (import_text(row, texts[i].key, &s, err))
			return (-1);
		if (s != NULL)
			memcpy((char *)out + texts[i].at, &s, sizeof(s));
	}
	return (0);
}

int
import_found(int rc, const struct err *why, struct err *err)
{

	if (rc == 0)
		return (1);
	if (why->code == ERR_NOT_FOUND)
		return (0);
	err_set(err, why->code, "%s", why->text);
	return (-1);
}

static const char *
name_of(const json_t *row)
{

	return (json_string_value(json_object_get(row, "name")));
}

/* ---- groups ---- */

static int
find_group(struct store *st, const json_t *row, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	int64_t id;
	int rc;

	rc = groups_find(st, name_of(row), &id, &why);
	return (import_found(rc, &why, err));
}

static int
put_group(struct store *st, const struct seal *seal, const json_t *row,
    bool there, int64_t ahead_ms, struct err *err)
{
	struct group_change c = { .name = name_of(row), .concurrency = -1 };

	(void)seal;
	(void)ahead_ms;
	if (import_text(row, "strategy", &c.strategy, err) ||
	    import_int(row, "concurrency", &c.concurrency, err))
		return (-1);
	if (!there)
		return (groups_add_in(st, &c, err));
	c.name = NULL;
	return (groups_set_in(st, name_of(row), &c, err));
}

/* ---- accounts ---- */

static const struct import_place account_texts[] = {
	{ "platform", offsetof(struct account_change, platform) },
	{ "base_url", offsetof(struct account_change, base_url) },
	{ "credential", offsetof(struct account_change, credential) },
	{ "group", offsetof(struct account_change, group) },
	{ "secret", offsetof(struct account_change, secret) },
	{ "models", offsetof(struct account_change, models) },
	{ "auth_header", offsetof(struct account_change, auth_header) },
	{ "proxy", offsetof(struct account_change, proxy) },
	{ "proxy_password", offsetof(struct account_change, proxy_password) },
};

static const struct import_place oauth_texts[] = {
	{ "authorize_url", offsetof(struct oauth_settings, authorize_url) },
	{ "token_url", offsetof(struct oauth_settings, token_url) },
	{ "client_id", offsetof(struct oauth_settings, client_id) },
	{ "scopes", offsetof(struct oauth_settings, scopes) },
	{ "redirect_uri", offsetof(struct oauth_settings, redirect_uri) },
	{ "token_format", offsetof(struct oauth_settings, token_format) },
};

static int
find_account(struct store *st, const json_t *row, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	int64_t id;
	int rc;

	rc = accounts_find(st, name_of(row), &id, &why);
	return (import_found(rc, &why, err));
}

static int
read_account(const json_t *row, struct account_change *c, struct err *err)
{

	account_change_init(c);
	if (import_texts(row, account_texts, NITEMS(account_texts), c, err) ||
	    import_texts(json_object_get(row, "oauth"), oauth_texts,
	    NITEMS(oauth_texts), &c->oauth, err) ||
	    import_int(row, "priority", &c->priority, err) ||
	    import_int(row, "weight", &c->weight, err) ||
	    import_int(row, "concurrency", &c->concurrency, err) ||
	    import_bool(row, "enabled", &c->enabled, err))
		return (-1);
	if (c->secret != NULL)
		c->secret_len = strlen(c->secret);
	return (0);
}

static int
put_account(struct store *st, const struct seal *seal, const json_t *row,
    bool there, int64_t ahead_ms, struct err *err)
{
	const json_t *pair = member(row, "tokens");
	struct oauth_tokens tokens = { .access = NULL };
	struct account_change c;
	int rc;

	if (read_account(row, &c, err) || (pair != NULL &&
	    login_tokens(pair, &tokens, err)))
		return (-1);
	if (there) {
		rc = accounts_set_in(st, seal, name_of(row), &c, err);
	} else {
		c.name = name_of(row);
		rc = accounts_add_in(st, seal, &c, err);
	}
	if (rc == 0 && pair != NULL)
		rc = account_oauth_put_tokens(st, seal, name_of(row), &tokens,
		    ahead_ms, err);
	oauth_tokens_wipe(&tokens);
	return (rc);
}

/* ---- aliases ---- */

struct alias_row {
	struct alias_of of;
	const char *pattern, *target;
};

static int
read_alias(const json_t *row, struct alias_row *a, struct err *err)
{

	*a = (struct alias_row) { .of = { .group = NULL } };
	if (import_text(row, "group", &a->of.group, err) ||
	    import_text(row, "account", &a->of.account, err) ||
	    import_text(row, "pattern", &a->pattern, err) ||
	    import_text(row, "target", &a->target, err))
		return (-1);
	if (a->target != NULL)
		return (0);
	err_set(err, ERR_INVAL, "it has no \"target\"");
	return (-1);
}

static int
find_alias(struct store *st, const json_t *row, struct err *err)
{
	struct alias_row a;

	if (read_alias(row, &a, err))
		return (-1);
	return (aliases_there(st, &a.of, a.pattern, err));
}

static int
put_alias(struct store *st, const struct seal *seal, const json_t *row,
    bool there, int64_t ahead_ms, struct err *err)
{
	struct alias_row a;

	(void)seal;
	(void)there;
	(void)ahead_ms;
	if (read_alias(row, &a, err))
		return (-1);
	return (aliases_put_in(st, &a.of, a.pattern, a.target, err));
}

static const struct import_kind group_kind = {
	"groups", "group", "name", find_group, put_group
};
static const struct import_kind account_kind = {
	"accounts", "account", "name", find_account, put_account
};
static const struct import_kind alias_kind = {
	"aliases", "alias", "pattern", find_alias, put_alias
};

const struct import_kind *const import_kinds[] = {
	&group_kind, &import_user_kind, &account_kind, &alias_kind,
	&import_key_kind, &import_budget_kind, &import_price_kind, NULL
};
