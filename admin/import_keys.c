#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "ledger/price.h"
#include "store/store.h"

#include "accounts.h"
#include "budget_rules.h"
#include "budget_view.h"
#include "check.h"
#include "keys.h"
#include "prices.h"
#include "users.h"
#include "who.h"

#include "import_rows.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const char *
name_of(const json_t *row)
{

	return (json_string_value(json_object_get(row, "name")));
}

/* Hex digits of just ${size} bytes. */
static int
read_hex(const json_t *row, const char *key, unsigned char *out, size_t size,
    struct err *err)
{
	const char *text = NULL;
	size_t n;

	if (import_text(row, key, &text, err))
		return (-1);
	if (text != NULL && strlen(text) == 2 * size && sodium_hex2bin(out,
	    size, text, 2 * size, NULL, &n, NULL) == 0 && n == size)
		return (0);
	err_set(err, ERR_INVAL, "\"%s\" must have %zu hex digits", key,
	    2 * size);
	return (-1);
}

/* ---- the key of the hashes ---- */

static int
put_pepper(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, struct err *err)
{
	struct store_value row[2];
	unsigned char *box;
	size_t n;
	int rc;

	if (seal_box(seal, META_PEPPER_CONTEXT, pepper->key,
	    sizeof(pepper->key), &box, &n, err))
		return (-1);
	row[0] = store_text("pepper");
	row[1] = store_blob(box, n);
	rc = store_exec(st, STMT_META_PUT, row, 1, 2, NULL, err);
	free(box);
	return (rc);
}

int
import_pepper(struct store *st, const struct seal *seal,
    const json_t *things, struct err *err)
{
	struct seal_pepper theirs, ours;
	int64_t uses;
	int rc = -1;

	if (json_array_size(json_object_get(things, "keys")) == 0)
		return (0);
	if (read_hex(things, "pepper", theirs.key, sizeof(theirs.key), err) ||
	    meta_pepper(st, seal, &ours, err))
		return (-1);
	if (sodium_memcmp(theirs.key, ours.key, sizeof(ours.key)) == 0)
		rc = 0;
	else if (store_one(st, STMT_PEPPER_USES, NULL, 0, &uses, 1, err) != 1)
		rc = -1;
	else if (uses > 0)
		err_set(err, ERR_EXISTS, "clients' keys are known by hashes "
		    "that only an installation without keys, tokens and "
		    "invitations of its own can take over: import before "
		    "those are made, or leave keys out with --without-keys");
	else
		rc = put_pepper(st, seal, &theirs, err);
	seal_wipe(&theirs, sizeof(theirs));
	seal_wipe(&ours, sizeof(ours));
	return (rc);
}

/* ---- users ---- */

static int
find_user(struct store *st, const json_t *row, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	int64_t id;
	int rc;

	rc = users_find(st, name_of(row), &id, &why);
	return (import_found(rc, &why, err));
}

static int
read_user(const json_t *row, struct user_change *c, struct err *err)
{
	const char *role = NULL;

	*c = (struct user_change) { .concurrency = -1, .enabled = -1 };
	if (import_int(row, "concurrency", &c->concurrency, err) ||
	    import_bool(row, "enabled", &c->enabled, err) ||
	    import_text(row, "role", &role, err))
		return (-1);
	if (role == NULL || role_parse(role, &c->role))
		return (0);
	err_set(err, ERR_INVAL, "there is no role \"%.40s\"", role);
	return (-1);
}

static int
put_user(struct store *st, const struct seal *seal, const json_t *row,
    bool there, int64_t ahead_ms, struct err *err)
{
	const char *password = NULL;
	struct store_value v[2];
	struct user_change c;
	int64_t id;

	(void)seal;
	(void)ahead_ms;
	if (read_user(row, &c, err) ||
	    import_text(row, "password", &password, err))
		return (-1);
	if (there) {
		if (users_set_in(st, name_of(row), &c, err))
			return (-1);
	} else {
		c.name = name_of(row);
		if (users_add_in(st, &c, err))
			return (-1);
	}
	if (password == NULL)
		return (0);
	if (users_find(st, name_of(row), &id, err))
		return (-1);
	v[0] = store_text(password);
	v[1] = store_int(id);
	return (store_exec(st, STMT_PERSON_SET_PASSWORD, v, 1, 2, NULL, err));
}

const struct import_kind import_user_kind = {
	"users", "user", "name", find_user, put_user
};

/* ---- keys ---- */

static const struct import_place key_texts[] = {
	{ "group", offsetof(struct key_change, group) },
	{ "account", offsetof(struct key_change, account) },
	{ "user", offsetof(struct key_change, user) },
	{ "models", offsetof(struct key_change, models) },
	{ "clients", offsetof(struct key_change, clients) },
	{ "from", offsetof(struct key_change, nets) },
	{ "queue_class", offsetof(struct key_change, queue_class) },
};

/* The name of one that is revoked is taken as well. */
static int
find_key(struct store *st, const json_t *row, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	int64_t id;
	int rc;

	rc = keys_find(st, name_of(row), &id, &why);
	if (rc == -1 && why.code == ERR_EXISTS)
		return (1);
	return (import_found(rc, &why, err));
}

static int
read_key(const json_t *row, struct key_change *c, struct err *err)
{

	key_change_init(c);
	c->bind = true;
	c->rate = KEY_RATE_NONE;
	c->drain_ms = KEY_DRAIN_DEFAULT;
	c->expires_ms = 0;
	if (import_texts(row, key_texts, NITEMS(key_texts), c, err) ||
	    import_int(row, "concurrency", &c->concurrency, err) ||
	    import_int(row, "expires_ms", &c->expires_ms, err) ||
	    import_int(row, "drain_ms", &c->drain_ms, err) ||
	    import_int(row, "rate", &c->rate, err) ||
	    import_int(row, "rate_ms", &c->rate_ms, err) ||
	    import_bool(row, "enabled", &c->enabled, err))
		return (-1);
	return (0);
}

static int
put_hash(struct store *st, const json_t *row, struct err *err)
{
	unsigned char hash[SEAL_HASH_BYTES];
	struct err why = { .code = ERR_NONE };
	const char *visible = NULL;
	struct store_value v[3];
	int64_t id;

	if (read_hex(row, "hash", hash, sizeof(hash), err) ||
	    import_text(row, "visible", &visible, err) ||
	    keys_find(st, name_of(row), &id, err))
		return (-1);
	if (visible == NULL || strlen(visible) >= SEAL_VISIBLE_SIZE ||
	    check_control(visible) != 0) {
		err_set(err, ERR_INVAL, "its \"visible\" part is none");
		return (-1);
	}
	v[0] = store_text(visible);
	v[1] = store_blob(hash, sizeof(hash));
	v[2] = store_int(id);
	if (store_exec(st, STMT_KEY_SECRET_SET, v, 1, 3, NULL, &why) == 0)
		return (0);
	err_set(err, why.code, "%s", why.code == ERR_EXISTS ?
	    "the same key is there under another name" : why.text);
	return (-1);
}

static int
put_key(struct store *st, const struct seal *seal, const json_t *row,
    bool there, int64_t ahead_ms, struct err *err)
{
	const struct seal_pepper none = { .key = { 0 } };
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change c;
	int rc;

	(void)seal;
	(void)ahead_ms;
	if (read_key(row, &c, err))
		return (-1);
	if (there) {
		rc = keys_set_in(st, name_of(row), &c, err);
	} else {
		/* A random one, of which nothing stays. */
		c.name = name_of(row);
		c.rate = c.rate == KEY_RATE_NONE ? -1 : c.rate;
		rc = keys_create_in(st, &none, &c, key, err);
		seal_wipe(key, sizeof(key));
	}
	return (rc == 0 ? put_hash(st, row, err) : -1);
}

const struct import_kind import_key_kind = {
	"keys", "key", "name", find_key, put_key
};

/* ---- budgets ---- */

static const struct import_place budget_texts[] = {
	{ "on", offsetof(struct budget_spec, scope) },
	{ "of", offsetof(struct budget_spec, of) },
	{ "counts", offsetof(struct budget_spec, kind) },
	{ "period", offsetof(struct budget_spec, period) },
	{ "zone", offsetof(struct budget_spec, zone) },
	{ "models", offsetof(struct budget_spec, models) },
	{ "policy", offsetof(struct budget_spec, policy) },
};

static int
find_budget(struct store *st, const json_t *row, struct err *err)
{
	const struct store_value name = store_text(name_of(row));
	int64_t n;

	if (store_one(st, STMT_BUDGET_NAMED, &name, 1, &n, 1, err) != 1)
		return (-1);
	return (n > 0 ? 1 : 0);
}

/* What a budget is on, what it counts and in which windows is for its life; see
 * budget_rules.h. */
static int
check_same(const json_t *row, const json_t *old, struct err *err)
{
	static const char *const keys[] = {
		"on", "of", "counts", "period", "length_ms", "anchor_ms",
		"zone"
	};
	const json_t *stated;
	size_t i;

	for (i = 0; i < NITEMS(keys); i++) {
		stated = json_object_get(row, keys[i]);
		if (stated == NULL || json_is_null(stated) ||
		    json_equal(stated, json_object_get(old, keys[i])))
			continue;
		err_set(err, ERR_EXISTS, "its \"%s\" is not that of the "
		    "budget here, and cannot change, as what was counted would "
		    "mean something else: remove or rename the one here",
		    keys[i]);
		return (-1);
	}
	return (0);
}

/* What is not stated stays. */
static int
set_budget(struct store *st, const json_t *row, const struct budget_spec *s,
    struct err *err)
{
	const bool limit = json_object_get(row, "limit") != NULL;
	json_t *old = budget_view_show(st, s->name, err);
	struct budget_change c;
	int rc = -1;

	if (old == NULL)
		return (-1);
	c = (struct budget_change) {
		.models = s->models, .policy = s->policy, .limit = s->limit,
		.kind = limit ? json_string_value(json_object_get(old,
		    "counts")) : NULL,
		.enabled = json_object_get(row, "enabled") == NULL ? -1 :
		    !s->disabled
	};
	if (check_same(row, old, err) == 0)
		rc = budget_rules_set_in(st, s->name, &c, err);
	json_decref(old);
	return (rc);
}

static int
put_budget(struct store *st, const struct seal *seal, const json_t *row,
    bool there, int64_t ahead_ms, struct err *err)
{
	struct budget_spec s = { .name = name_of(row), .anchor_ms = -1 };
	char name[BUDGET_NAME_SIZE];
	int enabled = 1;

	(void)seal;
	(void)ahead_ms;
	if (import_texts(row, budget_texts, NITEMS(budget_texts), &s, err) ||
	    import_int(row, "limit", &s.limit, err) ||
	    import_int(row, "length_ms", &s.length_ms, err) ||
	    import_int(row, "anchor_ms", &s.anchor_ms, err) ||
	    import_bool(row, "enabled", &enabled, err))
		return (-1);
	s.disabled = !enabled;
	return (there ? set_budget(st, row, &s, err) :
	    budget_rules_add_in(st, &s, name, err));
}

const struct import_kind import_budget_kind = {
	"budgets", "budget", "name", find_budget, put_budget
};

/* ---- prices ---- */

static int
read_price(const json_t *row, struct price *p, struct err *err)
{
	const struct {
		const char *key;
		int64_t *out, max;
	} numbers[] = {
		{ "above_tokens", &p->above_tokens, PRICE_TOKENS_MAX },
		{ "valid_from_ms", &p->valid_from_ms, INT64_MAX },
		{ "valid_until_ms", &p->valid_until_ms, INT64_MAX },
		{ "input_nusd_mtok", &p->input_nusd_mtok, INT64_MAX },
		{ "output_nusd_mtok", &p->output_nusd_mtok, INT64_MAX },
		{ "cache_read_nusd_mtok", &p->cache_read_nusd_mtok,
		    INT64_MAX },
		{ "cache_write_5m_nusd_mtok", &p->cache_write_5m_nusd_mtok,
		    INT64_MAX },
		{ "cache_write_1h_nusd_mtok", &p->cache_write_1h_nusd_mtok,
		    INT64_MAX },
		{ "context_tokens", &p->context_tokens, PRICE_TOKENS_MAX },
		{ "batch_percent", &p->batch_percent, PRICE_PERCENT_MAX },
		{ "fast_percent", &p->fast_percent, PRICE_PERCENT_MAX },
		{ "priority_percent", &p->priority_percent,
		    PRICE_PERCENT_MAX },
		{ "geo_us_percent", &p->geo_us_percent, PRICE_PERCENT_MAX },
		{ "web_search_nusd", &p->web_search_nusd, INT64_MAX },
	};
	const char *platform = "", *pattern = "";
	size_t i;

	*p = (struct price) { .id = 0 };
	if (import_text(row, "platform", &platform, err) ||
	    import_text(row, "model", &pattern, err) ||
	    accounts_check_platform(platform, err) ||
	    check_name("a model", pattern, err))
		return (-1);
	(void)snprintf(p->platform, sizeof(p->platform), "%s", platform);
	(void)snprintf(p->pattern, sizeof(p->pattern), "%s", pattern);
	for (i = 0; i < NITEMS(numbers); i++) {
		if (import_int(row, numbers[i].key, numbers[i].out, err))
			return (-1);
		if (*numbers[i].out <= numbers[i].max)
			continue;
		err_set(err, ERR_INVAL, "its \"%s\" is too large",
		    numbers[i].key);
		return (-1);
	}
	return (0);
}

static int
find_price(struct store *st, const json_t *row, struct err *err)
{
	struct store_value v[4];
	struct price p;
	int64_t n;

	if (read_price(row, &p, err))
		return (-1);
	v[0] = store_text(p.platform);
	v[1] = store_text(p.pattern);
	v[2] = store_int(p.above_tokens);
	v[3] = store_int(p.valid_from_ms);
	if (store_one(st, STMT_PRICE_AT, v, 4, &n, 1, err) != 1)
		return (-1);
	return (n > 0 ? 1 : 0);
}

/* Numbers of a price never change: another one follows it. */
static int
put_price(struct store *st, const struct seal *seal, const json_t *row,
    bool there, int64_t ahead_ms, struct err *err)
{
	struct price p;

	(void)seal;
	(void)ahead_ms;
	if (read_price(row, &p, err))
		return (-1);
	if (there && p.valid_until_ms != 0)
		return (0);
	if (there)
		p.valid_from_ms = 0;
	return (prices_set_in(st, &p, err));
}

const struct import_kind import_price_kind = {
	"prices", "price", "model", find_price, put_price
};
