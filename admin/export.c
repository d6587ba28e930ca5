#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "store/store.h"

#include "account_oauth.h"
#include "account_proxy.h"
#include "account_secrets.h"
#include "accounts.h"
#include "aliases.h"
#include "budget_view.h"
#include "groups.h"
#include "import.h"
#include "keys.h"
#include "member.h"
#include "passwords.h"
#include "prices.h"
#include "users.h"

#include "export.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

struct export {
	struct store *st;
	const struct seal *seal;
	json_t *doc;
};

static int
no_memory(struct err *err)
{

	err_set(err, ERR_NOMEM, "no memory for an export");
	return (-1);
}

/* Takes ${v} over. */
static int
put(json_t *to, const char *key, json_t *v, struct err *err)
{

	return (json_object_set_new(to, key, v) == 0 ? 0 : no_memory(err));
}

/* Some members of a row, those that are there and not null. */
static json_t *
pick(const json_t *row, const char *const *keys, size_t n, struct err *err)
{
	json_t *to = json_object(), *v;
	size_t i;

	for (i = 0; to != NULL && i < n; i++) {
		v = json_object_get(row, keys[i]);
		if (v == NULL || json_is_null(v))
			continue;
		if (json_object_set(to, keys[i], v) != 0) {
			json_decref(to);
			to = NULL;
		}
	}
	if (to == NULL)
		(void)no_memory(err);
	return (to);
}

/* How a row of a list becomes one of the export.  1; 0: not at all; -1. */
typedef int fill_row(struct export *e, const json_t *row, json_t *to,
    struct err *err);

/* Each row of ${rows}, which is given up, by ${keys} and ${fill} (NULL: no
 * more than these). */
static int
take(struct export *e, const char *list, json_t *rows,
    const char *const *keys, size_t n, fill_row *fill, struct err *err)
{
	json_t *to = json_array(), *row, *one;
	int rc = rows == NULL ? -1 : 0;
	size_t i;

	json_array_foreach(rows, i, row) {
		if ((one = pick(row, keys, n, err)) == NULL) {
			rc = -1;
			break;
		}
		rc = fill == NULL ? 1 : fill(e, row, one, err);
		if (rc == 1 && json_array_append(to, one) != 0)
			rc = no_memory(err);
		json_decref(one);
		if (rc == -1)
			break;
	}
	json_decref(rows);
	if (put(e->doc, list, to, err) || rc == -1)
		return (-1);
	if (json_array_size(to) <= IMPORT_ROWS_MAX)
		return (0);
	err_set(err, ERR_TOO_LARGE, "there are more than %d %s, which no "
	    "import takes: see backup", IMPORT_ROWS_MAX, list);
	return (-1);
}

/* ---- accounts ---- */

static int
put_secret(struct export *e, enum account_secret what, int64_t id, json_t *to,
    const char *key, struct err *err)
{
	char *text;
	size_t n;
	int rc;

	if (account_secret_get(e->st, e->seal, what, id, &text, &n, err))
		return (-1);
	if (text == NULL)
		return (0);
	rc = put(to, key, json_stringn(text, n), err);
	seal_wipe_free(text, n);
	return (rc);
}

static int
put_proxy(struct export *e, int64_t id, json_t *to, struct err *err)
{
	char *url, *shown, *password;
	size_t n;
	int rc;

	(void)json_object_del(to, "proxy");
	if (account_secret_get(e->st, e->seal, ACCOUNT_PROXY, id, &url, &n,
	    err))
		return (-1);
	if (url == NULL)
		return (0);
	rc = account_proxy_split(url, &shown, &password, err);
	seal_wipe_free(url, n);
	if (rc == -1)
		return (-1);
	rc = put(to, "proxy", json_string(shown), err);
	if (rc == 0 && password != NULL)
		rc = put(to, "proxy_password", json_string(password), err);
	seal_wipe_free(shown, strlen(shown));
	if (password != NULL)
		seal_wipe_free(password, strlen(password));
	return (rc);
}

/* One that nobody has signed in to yet has no tokens. */
static int
put_tokens(struct export *e, int64_t id, const json_t *oauth, json_t *to,
    struct err *err)
{
	json_t *tokens = json_object(), *end;

	if (put(to, "tokens", tokens, err) ||
	    put_secret(e, ACCOUNT_SECRET, id, tokens, "access_token", err) ||
	    put_secret(e, ACCOUNT_REFRESH, id, tokens, "refresh_token", err))
		return (-1);
	end = json_object_get(oauth, "expires_ms");
	if (json_integer_value(end) > 0 &&
	    json_object_set(tokens, "expires_at", end) != 0)
		return (no_memory(err));
	if (json_object_get(tokens, "refresh_token") == NULL)
		(void)json_object_del(to, "tokens");
	return (0);
}

static int
put_oauth(struct export *e, int64_t id, const json_t *oauth, json_t *to,
    struct err *err)
{
	static const char *const keys[] = {
		"authorize_url", "token_url", "client_id", "scopes",
		"redirect_uri", "token_format"
	};
	json_t *settings;

	if ((settings = pick(oauth, keys, NITEMS(keys), err)) == NULL ||
	    put(to, "oauth", settings, err) ||
	    put(to, "credential", json_string("oauth"), err))
		return (-1);
	return (put_tokens(e, id, oauth, to, err));
}

static int
fill_account(struct export *e, const json_t *row, json_t *to,
    struct err *err)
{
	const int64_t id = int_of(row, "id");
	json_t *oauth;
	int rc;

	if ((oauth = account_oauth_get(e->st, id, err)) == NULL ||
	    put_proxy(e, id, to, err)) {
		json_decref(oauth);
		return (-1);
	}
	rc = json_is_object(oauth) ? put_oauth(e, id, oauth, to, err) :
	    put_secret(e, ACCOUNT_SECRET, id, to, "secret", err);
	json_decref(oauth);
	return (rc == 0 ? 1 : -1);
}

/* ---- users and keys ---- */

static int
take_text(void *arg, const struct store_value *cols, size_t ncols)
{
	json_t **out = arg;

	(void)ncols;
	if (cols[0].p != NULL && store_get_text(&cols[0])[0] != '\0')
		*out = json_string(store_get_text(&cols[0]));
	return (1);
}

/* A user with a second factor chooses a password, and a factor, anew. */
static int
fill_user(struct export *e, const json_t *row, json_t *to, struct err *err)
{
	const struct store_value id = store_int(int_of(row, "id"));
	json_t *hash = NULL;

	if (!json_is_true(json_object_get(row, "signs_in")) ||
	    json_is_true(json_object_get(row, "second_factor")))
		return (1);
	if (store_query(e->st, STMT_PERSON_PASSWORD, &id, 1, take_text, &hash,
	    err) == -1)
		return (-1);
	return (hash != NULL && put(to, "password", hash, err) ? -1 : 1);
}

static int
take_hash(void *arg, const struct store_value *cols, size_t ncols)
{
	char hex[2 * SEAL_HASH_BYTES + 1];
	json_t **out = arg;

	(void)ncols;
	if (cols[0].n == SEAL_HASH_BYTES)
		*out = json_string(sodium_bin2hex(hex, sizeof(hex),
		    cols[0].p, cols[0].n));
	return (1);
}

static int
fill_key(struct export *e, const json_t *row, json_t *to, struct err *err)
{
	const struct store_value id = store_int(int_of(row, "id"));
	const char *bind = text_of(row, "bind");
	json_t *hash = NULL;

	if (int_of(row, "revoked_ms") > 0)
		return (0);
	if (strcmp(bind, "pool") != 0 && put(to, bind,
	    json_string(text_of(row, "bound_to")), err))
		return (-1);
	if (store_query(e->st, STMT_KEY_HASH, &id, 1, take_hash, &hash,
	    err) == -1)
		return (-1);
	return (put(to, "hash", hash, err) ? -1 : 1);
}

static int
put_pepper(struct export *e, struct err *err)
{
	struct seal_pepper pepper;
	char hex[2 * sizeof(pepper.key) + 1];
	int rc;

	if (meta_pepper(e->st, e->seal, &pepper, err))
		return (-1);
	sodium_bin2hex(hex, sizeof(hex), pepper.key, sizeof(pepper.key));
	rc = put(e->doc, "pepper", json_string(hex), err);
	seal_wipe(&pepper, sizeof(pepper));
	seal_wipe(hex, sizeof(hex));
	return (rc);
}

/* ---- budgets, aliases, prices ---- */

static bool
has_key(const json_t *doc, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(doc, "keys"), i, row) {
		if (strcmp(text_of(row, "name"), name) == 0)
			return (true);
	}
	return (false);
}

static int
is_rate(void *arg, const struct store_value *cols, size_t ncols)
{
	int64_t *id = arg;

	(void)ncols;
	if (store_get_int(&cols[0]) != *id)
		return (0);
	*id = 0;
	return (1);
}

/* Rates go with their keys. */
static int
fill_budget(struct export *e, const json_t *row, json_t *to, struct err *err)
{
	const char *on = text_of(row, "on"), *period = text_of(row, "period");
	int64_t id = int_of(row, "id");

	if (store_query(e->st, STMT_KEY_RATES, NULL, 0, is_rate, &id,
	    err) == -1)
		return (-1);
	if (id == 0 || (strcmp(on, "key") == 0 && !has_key(e->doc,
	    text_of(row, "of"))))
		return (0);
	if (strcmp(period, "fixed") != 0)
		(void)json_object_del(to, "anchor_ms");
	if (strcmp(period, "day") != 0 && strcmp(period, "week") != 0 &&
	    strcmp(period, "month") != 0)
		(void)json_object_del(to, "zone");
	return (1);
}

static int
fill_alias(struct export *e, const json_t *row, json_t *to, struct err *err)
{

	(void)e;
	return (put(to, text_of(row, "scope"), json_string(text_of(row,
	    "of")), err) ? -1 : 1);
}

static int
fill_price(struct export *e, const json_t *row, json_t *to, struct err *err)
{

	(void)e;
	(void)to;
	(void)err;
	return (strcmp(text_of(row, "source"), PRICES_BY_HAND) == 0);
}

/* ---- all of it ---- */

static const char *const group_keys[] = { "name", "strategy", "concurrency" };
static const char *const user_keys[] = {
	"name", "role", "concurrency", "enabled"
};
static const char *const account_keys[] = {
	"name", "platform", "base_url", "credential", "group", "priority",
	"weight", "concurrency", "enabled", "models", "auth_header"
};
static const char *const alias_keys[] = { "pattern", "target" };
static const char *const key_keys[] = {
	"name", "visible", "user", "concurrency", "models", "enabled",
	"expires_ms", "drain_ms", "queue_class", "clients", "from", "rate",
	"rate_ms"
};
static const char *const budget_keys[] = {
	"name", "on", "of", "counts", "limit", "period", "length_ms",
	"anchor_ms", "zone", "models", "policy", "enabled"
};
static const char *const price_keys[] = {
	"platform", "model", "above_tokens", "valid_from_ms",
	"valid_until_ms", "input_nusd_mtok", "output_nusd_mtok",
	"cache_read_nusd_mtok", "cache_write_5m_nusd_mtok",
	"cache_write_1h_nusd_mtok", "context_tokens", "batch_percent",
	"fast_percent", "priority_percent", "geo_us_percent",
	"web_search_nusd"
};

static int
take_all(struct export *e, struct err *err)
{
	const struct alias_of any = { .group = NULL };

	if (put_pepper(e, err) ||
	    take(e, "groups", groups_list(e->st, NULL, err), group_keys,
	    NITEMS(group_keys), NULL, err) ||
	    take(e, "users", users_list(e->st, err), user_keys,
	    NITEMS(user_keys), fill_user, err) ||
	    take(e, "accounts", accounts_list(e->st, NULL, err), account_keys,
	    NITEMS(account_keys), fill_account, err) ||
	    take(e, "aliases", aliases_list(e->st, &any, err), alias_keys,
	    NITEMS(alias_keys), fill_alias, err) ||
	    take(e, "keys", keys_list(e->st, err), key_keys,
	    NITEMS(key_keys), fill_key, err) ||
	    take(e, "budgets", budget_view_list(e->st, err), budget_keys,
	    NITEMS(budget_keys), fill_budget, err) ||
	    take(e, "prices", prices_list(e->st, true, err), price_keys,
	    NITEMS(price_keys), fill_price, err))
		return (-1);
	return (0);
}

json_t *
export_make(struct store *st, const struct seal *seal, struct err *err)
{
	struct export e = { .st = st, .seal = seal };
	int rc;

	e.doc = json_pack("{s:s, s:i, s:I}", "format", EXPORT_FORMAT,
	    "version", EXPORT_VERSION, "made_ms",
	    (json_int_t)store_now_ms(st));
	if (e.doc == NULL) {
		(void)no_memory(err);
		return (NULL);
	}
	if ((rc = store_begin(st, false, err)) == 0) {
		rc = take_all(&e, err);
		store_rollback(st);
	}
	if (rc == 0)
		return (e.doc);
	import_wipe(e.doc);
	return (NULL);
}

int
export_check(const json_t *doc, struct err *err)
{

	if (strcmp(text_of(doc, "format"), EXPORT_FORMAT) != 0) {
		err_set(err, ERR_INVAL, "this is no export of leasehold; for "
		    "files of other programs say from which");
		return (-1);
	}
	if (int_of(doc, "version") == EXPORT_VERSION)
		return (0);
	err_set(err, ERR_INVAL, "this export is of version %lld, and only "
	    "version %d is read", (long long)int_of(doc, "version"),
	    EXPORT_VERSION);
	return (-1);
}

static int
count_bytes(const char *p, size_t n, void *arg)
{

	(void)p;
	*(size_t *)arg += n;
	return (0);
}

int
export_fits(const json_t *doc, size_t max, struct err *err)
{
	size_t n = 1;

	if (json_dump_callback(doc, count_bytes, &n, JSON_INDENT(2)) != 0) {
		err_set(err, ERR_NOMEM, "no memory for an export");
		return (-1);
	}
	if (n < max)
		return (0);
	err_set(err, ERR_TOO_LARGE, "the export would have %zu KB, and no "
	    "import takes %zu: see backup", n / 1024, max / 1024);
	return (-1);
}

void
export_without_keys(json_t *doc, json_t *passed)
{
	json_t *list = json_object_get(doc, "budgets"), *row;
	size_t i, n;

	n = json_array_size(json_object_get(doc, "keys"));
	if (n > 0)
		(void)json_array_append_new(passed, json_sprintf("%zu keys",
		    n));
	(void)json_object_del(doc, "keys");
	for (i = json_array_size(list); i > 0; i--) {
		row = json_array_get(list, i - 1);
		if (strcmp(text_of(row, "on"), "key") != 0)
			continue;
		(void)json_array_append_new(passed, json_sprintf(
		    "budget \"%s\": it is on a key", text_of(row, "name")));
		(void)json_array_remove(list, i - 1);
	}
}
