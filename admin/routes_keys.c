#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "base/zone.h"
#include "store/store.h"

#include "budget_view.h"
#include "check.h"
#include "key_rules.h"
#include "key_secrets.h"
#include "keys.h"
#include "keys_bulk.h"

#include "api.h"

/* Members of a key as it is made or changed. */
static const char *const members[] = {
	"name", "group", "group_id", "account", "account_id", "user",
	"user_id", "concurrency", "models", "expires_ms", "expires_at",
	"enabled", "budget_nusd", "drain_s", "clients", "from", "rate",
	"queue_class", NULL
};

/* A change with room for the names of what was given by its id. */
struct key_body {
	struct key_change k;
	char group[LIMIT_NAME_BYTES];
	char account[LIMIT_NAME_BYTES];
	char user[LIMIT_NAME_BYTES];
};

/* Whose keys the caller sees: 0: all. */
static int64_t
owner(const struct api_call *c)
{

	if (c->who.role >= ROLE_OPERATOR)
		return (0);
	return (c->who.person_id != 0 ? c->who.person_id : -1);
}

/* Users see their own keys alone; others are as if they were not there. */
static bool
is_seen(const struct api_call *c, const json_t *key)
{

	return (owner(c) == 0 || json_integer_value(json_object_get(key,
	    "user_id")) == owner(c));
}

json_t *
api_keys(struct api_call *c, struct err *err)
{
	char q[LIMIT_NAME_BYTES];
	struct keys_part part = {
		.person_id = owner(c),
		.q = api_query_lower(c, "q", q, sizeof(q)),
	};
	struct api_range r;
	json_t *keys;
	int64_t total;

	if (api_range(c, &r, err))
		return (NULL);
	part.limit = r.limit;
	part.offset = r.offset;
	if ((keys = keys_page(c->store, &part, &total, err)) == NULL)
		return (NULL);
	return (api_part(&r, keys, total, err));
}

/* As the caller may see it. */
static json_t *
show_key(const struct api_call *c, const char *name, struct err *err)
{
	json_t *key = keys_show(c->store, name, err);

	if (owner(c) != 0)
		budget_view_veil(json_object_get(key, "budgets"));
	return (key);
}

/* One that the caller sees. */
static json_t *
find_key(struct api_call *c, char name[LIMIT_NAME_BYTES], struct err *err)
{
	json_t *key;

	if (api_name(c, STMT_NAME_OF_KEY, name, err) ||
	    (key = show_key(c, name, err)) == NULL)
		return (NULL);
	if (is_seen(c, key))
		return (key);
	json_decref(key);
	err_set(err, ERR_NOT_FOUND, "there is no such id");
	return (NULL);
}

json_t *
api_key(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];

	return (find_key(c, name, err));
}

/* ---- what a body says ---- */

static bool
has(const struct api_call *c, const char *member)
{

	return (json_object_get(c->body, member) != NULL);
}

/* To a group or an account, or (null) to the whole pool. */
static int
read_bind(struct api_call *c, struct key_body *b, struct err *err)
{
	struct key_change *k = &b->k;

	k->bind = has(c, "group") || has(c, "group_id") ||
	    has(c, "account") || has(c, "account_id");
	if (api_thing(c, "group", "group_id", STMT_NAME_OF_GROUP, b->group,
	    &k->group, err) || api_thing(c, "account", "account_id",
	    STMT_NAME_OF_ACCOUNT, b->account, &k->account, err))
		return (-1);
	if (k->group == b->group && b->group[0] == '\0')
		k->group = NULL;
	if (k->account == b->account && b->account[0] == '\0')
		k->account = NULL;
	return (0);
}

/* A number; null is ${none}. */
static int
read_or_none(struct api_call *c, const char *member, int64_t max,
    int64_t none, int64_t *out, struct err *err)
{

	if (json_is_null(json_object_get(c->body, member))) {
		*out = none;
		return (0);
	}
	return (api_int(c, member, 0, max, out, err));
}

static int
read_limits(struct api_call *c, struct key_change *k, struct err *err)
{
	const char *rate = NULL;
	int64_t drain_s = -1;

	if (api_int(c, "concurrency", 0, KEY_CONCURRENCY_MAX,
	    &k->concurrency, err) ||
	    read_or_none(c, "budget_nusd", INT64_MAX, KEY_BUDGET_NONE,
	    &k->budget_nusd, err) ||
	    read_or_none(c, "drain_s", 3600, KEY_DRAIN_DEFAULT, &drain_s,
	    err) || api_text(c, "rate", &rate, err))
		return (-1);
	k->drain_ms = drain_s > 0 ? drain_s * 1000 : drain_s;
	return (rate == NULL ? 0 : key_rate_parse(rate, k, err));
}

/* In ms, or as text that `leasehold key create --expires' takes. */
static int
read_expiry(struct api_call *c, struct key_change *k, struct err *err)
{
	const int64_t now_ms = store_now_ms(c->store);
	const char *at = NULL;

	if (has(c, "expires_ms") && has(c, "expires_at")) {
		err_set(err, ERR_INVAL, "\"expires_ms\" and \"expires_at\" "
		    "exclude each other");
		return (-1);
	}
	if (api_int(c, "expires_ms", 0, ZONE_MAX_MS, &k->expires_ms, err) ||
	    api_text(c, "expires_at", &at, err))
		return (-1);
	if (at != NULL)
		return (check_expiry(at, now_ms, &k->expires_ms, err));
	if (has(c, "expires_at"))
		k->expires_ms = 0;
	if (k->expires_ms <= 0 || k->expires_ms > now_ms)
		return (0);
	err_set(err, ERR_INVAL, "\"expires_ms\" must be to come, or 0: never");
	return (-1);
}

static int
read_key(struct api_call *c, struct key_body *b, struct err *err)
{
	struct key_change *k = &b->k;

	key_change_init(k);
	if (api_members(c, members, err) ||
	    api_text(c, "name", &k->name, err) || read_bind(c, b, err) ||
	    api_thing(c, "user", "user_id", STMT_NAME_OF_PERSON, b->user,
	    &k->user, err) ||
	    api_text(c, "models", &k->models, err) ||
	    api_flag(c, "enabled", &k->enabled, err) ||
	    api_text(c, "clients", &k->clients, err) ||
	    api_text(c, "from", &k->nets, err) ||
	    api_text(c, "queue_class", &k->queue_class, err) ||
	    read_expiry(c, k, err))
		return (-1);
	return (read_limits(c, k, err));
}

/* ---- one key ---- */

/* The key as it is, with its new secret, which is wiped. */
static json_t *
answer_secret(struct api_call *c, const char *name,
    char secret[SEAL_CLIENT_KEY_SIZE], struct err *err)
{
	json_t *key;

	if ((key = show_key(c, name, err)) != NULL &&
	    json_object_set_new(key, "key", json_string(secret)) == -1) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		json_decref(key);
		key = NULL;
	}
	seal_wipe(secret, SEAL_CLIENT_KEY_SIZE);
	c->status = 201;
	return (key);
}

json_t *
api_add_key(struct api_call *c, struct err *err)
{
	char secret[SEAL_CLIENT_KEY_SIZE];
	struct key_body b;
	struct audit a;

	if (read_key(c, &b, err) ||
	    api_need_text(c, "name", &b.k.name, err))
		return (NULL);
	api_audit(c, &a, "key.create", "", b.k.name);
	if (keys_create(c->store, c->pepper, &b.k, secret, err))
		return (NULL);
	return (answer_secret(c, b.k.name, secret, err));
}

json_t *
api_set_key(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct key_body b;
	struct audit a;

	if (api_name(c, STMT_NAME_OF_KEY, name, err) || read_key(c, &b, err))
		return (NULL);
	api_audit(c, &a, "key.set", name, b.k.name);
	if (keys_set(c->store, name, &b.k, err))
		return (NULL);
	return (keys_show(c->store, b.k.name != NULL ? b.k.name : name, err));
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

/* Of one's own, or by an administrator; operators set no secrets. */
json_t *
api_rotate_key(struct api_call *c, struct err *err)
{
	static const char *const known[] = { "overlap_s", NULL };
	char name[LIMIT_NAME_BYTES], secret[SEAL_CLIENT_KEY_SIZE];
	int64_t overlap_s = 0;
	struct audit a;
	json_t *key;
	bool own;

	if ((key = find_key(c, name, err)) == NULL)
		return (NULL);
	own = c->who.person_id != 0 && json_integer_value(json_object_get(key,
	    "user_id")) == c->who.person_id;
	json_decref(key);
	if (c->who.role < ROLE_ADMIN && !own)
		return (api_refuse(c, 403, "this takes the role of an "
		    "administrator, as the key is not yours"));
	if (api_members(c, known, err) || api_int(c, "overlap_s", 0,
	    KEY_OVERLAP_MAX_MS / 1000, &overlap_s, err))
		return (NULL);
	api_audit(c, &a, "key.rotate", name, NULL);
	if (key_secrets_rotate(c->store, c->pepper, name, overlap_s * 1000,
	    secret, err))
		return (NULL);
	return (answer_secret(c, name, secret, err));
}

/* ---- many keys ---- */

struct bulk {
	struct keys_bulk *list;
	struct key_body *bodies;
	size_t n;
};

static void
bulk_free(struct bulk *b)
{

	if (b->list != NULL)
		seal_wipe(b->list, b->n * sizeof(*b->list));
	free(b->list);
	free(b->bodies);
}

/* The array in ${member}, of what room is made for. */
static const json_t *
bulk_make(struct api_call *c, const char *member, struct bulk *b,
    struct err *err)
{
	const json_t *list = json_object_get(c->body, member);

	b->n = json_array_size(list);
	if (b->n == 0 || b->n > KEYS_BULK_MAX) {
		err_set(err, ERR_INVAL, "\"%s\" must be an array of 1 to %d",
		    member, KEYS_BULK_MAX);
		return (NULL);
	}
	b->list = calloc(b->n, sizeof(*b->list));
	b->bodies = calloc(b->n, sizeof(*b->bodies));
	if (b->list != NULL && b->bodies != NULL)
		return (list);
	err_set(err, ERR_NOMEM, "no memory for keys");
	return (NULL);
}

/* Read ${body} as that of one key. */
static int
bulk_read(struct api_call *c, json_t *body, struct key_body *b,
    struct err *err)
{
	json_t *whole = c->body;
	int rc;

	if (!json_is_object(body)) {
		err_set(err, ERR_INVAL, "a key must be an object");
		return (-1);
	}
	c->body = body;
	rc = read_key(c, b, err);
	c->body = whole;
	return (rc);
}

static struct audit
bulk_audit(const struct api_call *c, const char *verb, const char *object,
    const char *renamed)
{

	return ((struct audit) {
		.actor = api_actor(c),
		.verb = verb,
		.object = object,
		.renamed = renamed,
		.view = audit_view_of("key"),
	});
}

/* All of them as they are, those that were made with their secrets. */
static json_t *
bulk_answer(struct api_call *c, const struct bulk *b, struct err *err)
{
	json_t *items = json_array(), *key;
	const struct keys_bulk *one;
	const char *name;

	for (one = b->list; items != NULL && one < b->list + b->n; one++) {
		name = one->name[0] != '\0' ? one->name : one->change.name;
		if ((key = keys_show(c->store, name, err)) == NULL)
			goto err0;
		if (json_array_append_new(items, key) || (one->key[0] != '\0'
		    && json_object_set_new(key, "key",
		    json_string(one->key))))
			goto err0;
	}
	if (items != NULL)
		return (json_pack("{s:o}", "items", items));
err0:
	err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(items);
	return (NULL);
}

static int
bulk_read_new(struct api_call *c, struct bulk *b, struct err *err)
{
	static const char *const known[] = { "keys", NULL };
	const json_t *keys;
	size_t i;

	if (api_members(c, known, err) ||
	    (keys = bulk_make(c, "keys", b, err)) == NULL)
		return (-1);
	for (i = 0; i < b->n; i++) {
		if (bulk_read(c, json_array_get(keys, i), &b->bodies[i], err))
			return (-1);
		b->list[i].change = b->bodies[i].k;
		if (b->bodies[i].k.name == NULL) {
			err_set(err, ERR_INVAL, "key %zu has no \"name\"",
			    i + 1);
			return (-1);
		}
		b->list[i].audit = bulk_audit(c, "key.create", "",
		    b->bodies[i].k.name);
	}
	return (0);
}

json_t *
api_add_keys(struct api_call *c, struct err *err)
{
	struct bulk b = { .n = 0 };
	json_t *answer = NULL;

	if (bulk_read_new(c, &b, err) == 0 && keys_bulk_create(c->store,
	    c->pepper, b.list, b.n, err) == 0) {
		answer = bulk_answer(c, &b, err);
		c->status = 201;
	}
	bulk_free(&b);
	return (answer);
}

static int
bulk_read_id(struct api_call *c, const json_t *j, struct keys_bulk *one,
    struct err *err)
{

	if (!json_is_integer(j)) {
		err_set(err, ERR_INVAL, "\"ids\" must be ids of keys");
		return (-1);
	}
	one->was.stmt = STMT_NAME_OF_KEY;
	one->was.id = json_integer_value(j);
	if (api_name_of(c, one->was.stmt, one->was.id, "key", one->name, err))
		return (-1);
	strcpy(one->was.name, one->name);
	return (0);
}

static int
bulk_read_set(struct api_call *c, struct bulk *b, struct err *err)
{
	static const char *const known[] = { "ids", "set", NULL };
	const json_t *ids;
	size_t i;

	if (api_members(c, known, err) ||
	    (ids = bulk_make(c, "ids", b, err)) == NULL ||
	    bulk_read(c, json_object_get(c->body, "set"), &b->bodies[0], err))
		return (-1);
	if (b->bodies[0].k.name != NULL) {
		err_set(err, ERR_INVAL, "keys cannot all have one name");
		return (-1);
	}
	for (i = 0; i < b->n; i++) {
		if (bulk_read_id(c, json_array_get(ids, i), &b->list[i], err))
			return (-1);
		b->list[i].change = b->bodies[0].k;
		b->list[i].audit = bulk_audit(c, "key.set", b->list[i].name,
		    NULL);
		b->list[i].audit.named = &b->list[i].was;
		b->list[i].audit.nnamed = 1;
	}
	return (0);
}

json_t *
api_set_keys(struct api_call *c, struct err *err)
{
	struct bulk b = { .n = 0 };
	json_t *answer = NULL;

	if (bulk_read_set(c, &b, err) == 0 &&
	    keys_bulk_set(c->store, b.list, b.n, err) == 0)
		answer = bulk_answer(c, &b, err);
	bulk_free(&b);
	return (answer);
}
