#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "accounts.h"
#include "budget_notes.h"
#include "budget_rules.h"
#include "budget_view.h"
#include "change.h"
#include "check.h"
#include "groups.h"
#include "key_rules.h"
#include "prices.h"
#include "query.h"
#include "users.h"

#include "keys.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

const char *const key_classes[] = { "high", "normal", "low", NULL };

static const struct field key_fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "visible", .kind = FIELD_TEXT },
	{ .name = "user", .kind = FIELD_TEXT },
	{ .name = "bind", .kind = FIELD_TEXT },
	{ .name = "bound_to", .kind = FIELD_TEXT },
	{ .name = "concurrency", .kind = FIELD_INT },
	{ .name = "models", .kind = FIELD_TEXT },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ .name = "expires_ms", .kind = FIELD_INT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "revoked_ms", .kind = FIELD_INT },
	{ .name = "budget_nusd", .kind = FIELD_INT },
	{ .name = "spent_nusd", .kind = FIELD_INT },
	{ .name = "reserved_nusd", .kind = FIELD_INT },
	{ .name = "in_flight", .kind = FIELD_INT },
	{ .name = "drain_ms", .kind = FIELD_INT },
	{ .name = "queue_class", .kind = FIELD_WORD, .words = key_classes },
	{ .name = "clients", .kind = FIELD_TEXT },
	{ .name = "from", .kind = FIELD_TEXT },
	{ .name = "rate", .kind = FIELD_INT },
	{ .name = "rate_ms", .kind = FIELD_INT },
	{ .name = "user_id", .kind = FIELD_INT },
	{ .name = "group_id", .kind = FIELD_INT },
	{ .name = "account_id", .kind = FIELD_INT },
	{ .name = "old_until_ms", .kind = FIELD_INT },
};

static const struct field usage_fields[] = {
	{ .name = "requests", .kind = FIELD_INT },
	{ .name = "cost_nusd", .kind = FIELD_INT },
	{ .name = "input_tokens", .kind = FIELD_INT },
	{ .name = "output_tokens", .kind = FIELD_INT },
	{ .name = "cache_read_tokens", .kind = FIELD_INT },
	{ .name = "cache_write_tokens", .kind = FIELD_INT },
	{ .name = "last_ms", .kind = FIELD_INT },
};

/* A key's row as key_set writes it; models are owned. */
struct row {
	int64_t id;
	const char *bind_kind;		/* one of bind_kinds */
	int64_t bind_id;
	int64_t person_id;		/* 0: nobody's */
	int64_t concurrency;
	char *models;
	int64_t enabled;
	int64_t expires_ms;		/* 0: never */
	int64_t revoked_ms;		/* 0: no */
};

static const char *const bind_kinds[] = { "pool", "group", "account" };

void
key_change_init(struct key_change *c)
{

	*c = (struct key_change) {
		.concurrency = -1,
		.expires_ms = -1,
		.enabled = -1,
		.budget_nusd = -1,
		.drain_ms = -1,
		.rate = -1,
	};
}

static int
check_change(const struct key_change *c, struct err *err)
{

	if (c->name != NULL && check_name("a key", c->name, err))
		return (-1);
	if (c->group != NULL && c->account != NULL) {
		err_set(err, ERR_INVAL, "a key is bound to a group or to an "
		    "account, not to both");
		return (-1);
	}
	if (c->concurrency < -1 || c->concurrency > KEY_CONCURRENCY_MAX) {
		err_set(err, ERR_INVAL, "concurrency must be from 0 (no "
		    "limit) to %d", KEY_CONCURRENCY_MAX);
		return (-1);
	}
	return (key_rules_check(c, err));
}

/* Put the wanted changes over ${r}. */
static int
apply(struct row *r, struct store *st, const struct key_change *c,
    struct err *err)
{
	char *models;

	if (c->bind && c->group != NULL) {
		r->bind_kind = bind_kinds[1];
		if (groups_find(st, c->group, &r->bind_id, err))
			return (-1);
	} else if (c->bind && c->account != NULL) {
		r->bind_kind = bind_kinds[2];
		if (accounts_find(st, c->account, &r->bind_id, err))
			return (-1);
	} else if (c->bind)
		r->bind_kind = bind_kinds[0];
	if (c->user != NULL && c->user[0] == '\0')
		r->person_id = 0;
	else if (c->user != NULL && users_find(st, c->user, &r->person_id,
	    err))
		return (-1);
	if (c->models != NULL) {
		if (check_models(c->models, &models, err))
			return (-1);
		free(r->models);
		r->models = models;
	}
	if (c->concurrency != -1)
		r->concurrency = c->concurrency;
	if (c->expires_ms != -1)
		r->expires_ms = c->expires_ms;
	if (c->enabled != -1)
		r->enabled = c->enabled;
	return (0);
}

/* The columns that key_add and key_set have in common, from bind_kind to
 * person_id. */
static void
put_common(struct store_value row[5], const struct row *r)
{

	row[0] = store_text(r->bind_kind);
	row[1] = r->bind_kind == bind_kinds[0] ? store_null() :
	    store_int(r->bind_id);
	row[2] = store_int(r->concurrency);
	row[3] = store_text(r->models != NULL ? r->models : "");
	row[4] = r->person_id == 0 ? store_null() : store_int(r->person_id);
}

static struct store_value
time_or_null(int64_t ms)
{

	return (ms == 0 ? store_null() : store_int(ms));
}

static int
add_budget(struct store *st, int64_t key_id, int64_t nusd, struct err *err)
{
	struct store_value row[3];

	row[0] = store_int(nusd);
	row[1] = store_int(store_now_ms(st));
	row[2] = store_int(key_id);
	if (store_exec(st, STMT_KEY_BUDGET_ADD, row, 1, 3, NULL, err))
		return (-1);
	row[0] = store_int(store_insert_id(st));
	row[1] = store_int(0);
	return (store_exec(st, STMT_BUDGET_WINDOW_OPEN, row, 1, 2, NULL,
	    err));
}

static int
set_drain(struct store *st, int64_t key_id, int64_t ms, struct err *err)
{
	struct store_value row[2] = {
		ms == KEY_DRAIN_DEFAULT ? store_null() : store_int(ms),
		store_int(key_id)
	};

	return (ms == -1 ? 0 :
	    store_exec(st, STMT_KEY_DRAIN_SET, row, 1, 2, NULL, err));
}

static int
set_class(struct store *st, int64_t key_id, const char *name,
    struct err *err)
{
	struct store_value row[2] = { store_int(0), store_int(key_id) };

	if (name == NULL)
		return (0);
	while (key_classes[row[0].i] != NULL &&
	    strcmp(key_classes[row[0].i], name) != 0)
		row[0].i++;
	if (key_classes[row[0].i] == NULL) {
		err_set(err, ERR_INVAL, "there is no class \"%.40s\" of "
		    "keys: take high, normal or low", name);
		return (-1);
	}
	return (store_exec(st, STMT_KEY_CLASS_SET, row, 1, 2, NULL, err));
}

/* What was spent stays, also while the budget is switched off. */
static int
set_budget(struct store *st, int64_t key_id, int64_t nusd, struct err *err)
{
	struct store_value row[3] = { store_int(key_id) };
	int64_t id;
	int rc;

	if (nusd == -1)
		return (0);
	if ((rc = store_one(st, STMT_KEY_BUDGET, row, 1, &id, 1, err)) == -1)
		return (-1);
	if (rc == 0)
		return (nusd == KEY_BUDGET_NONE ? 0 :
		    add_budget(st, key_id, nusd, err));
	row[0] = store_int(nusd == KEY_BUDGET_NONE ? 0 : nusd);
	row[1] = store_int(nusd != KEY_BUDGET_NONE);
	row[2] = store_int(id);
	return (store_exec(st, STMT_KEY_BUDGET_SET, row, 1, 3, NULL, err));
}

/* The key's own budget, and whether it is one too many. */
static int
change_budget(struct store *st, int64_t id, const struct key_change *c,
    struct err *err)
{

	if (set_budget(st, id, c->budget_nusd, err))
		return (-1);
	return (c->budget_nusd < 0 && c->rate < 0 ? 0 :
	    budget_rules_crowd(st, err));
}

static int
add_row(struct store *st, const struct key_change *c, const char *visible,
    const unsigned char hash[SEAL_HASH_BYTES], struct row *r, struct err *err)
{
	struct store_value row[11];
	int64_t id;

	if (apply(r, st, c, err))
		return (-1);
	row[0] = store_text(c->name);
	row[1] = store_text(visible);
	row[2] = store_blob(hash, SEAL_HASH_BYTES);
	put_common(&row[3], r);
	row[8] = store_int(r->enabled);
	row[9] = time_or_null(r->expires_ms);
	row[10] = store_int(store_now_ms(st));
	if (change_exec_named(st, STMT_KEY_ADD, row, NITEMS(row), "a key",
	    c->name, err))
		return (-1);
	id = store_insert_id(st);
	if (set_drain(st, id, c->drain_ms, err) ||
	    set_class(st, id, c->queue_class, err) ||
	    key_rules_set(st, id, c, err))
		return (-1);
	return (change_budget(st, id, c, err));
}

int
keys_create_in(struct store *st, const struct seal_pepper *pepper,
    const struct key_change *c, char key[SEAL_CLIENT_KEY_SIZE],
    struct err *err)
{
	struct row r = { .bind_kind = bind_kinds[0], .enabled = 1 };
	unsigned char hash[SEAL_HASH_BYTES];
	char visible[SEAL_VISIBLE_SIZE];
	int rc;

	if (c->name == NULL) {
		err_set(err, ERR_INVAL, "a key needs a name");
		return (-1);
	}
	if (check_change(c, err))
		return (-1);
	seal_new_client_key(key, visible);
	seal_hash(pepper, key, SEAL_CLIENT_KEY_SIZE - 1, hash);
	rc = add_row(st, c, visible, hash, &r, err);
	free(r.models);
	return (rc);
}

int
keys_create(struct store *st, const struct seal_pepper *pepper,
    const struct key_change *c, char key[SEAL_CLIENT_KEY_SIZE],
    struct err *err)
{
	int rc;

	if (change_begin(st, err))
		return (-1);
	rc = change_end(st, keys_create_in(st, pepper, c, key, err), err);
	if (rc != 0)
		seal_wipe(key, SEAL_CLIENT_KEY_SIZE);
	return (rc);
}

static int
take_row(void *arg, const struct store_value *cols, size_t ncols)
{
	struct row *r = arg;
	size_t i;

	(void)ncols;
	r->id = store_get_int(&cols[0]);
	for (i = 0; i < NITEMS(bind_kinds); i++) {
		if (strcmp(store_get_text(&cols[1]), bind_kinds[i]) == 0)
			r->bind_kind = bind_kinds[i];
	}
	r->bind_id = store_get_int(&cols[2]);
	r->concurrency = store_get_int(&cols[3]);
	r->models = strdup(store_get_text(&cols[4]));
	r->enabled = store_get_int(&cols[5]);
	r->expires_ms = store_get_int(&cols[6]);
	r->revoked_ms = store_get_int(&cols[7]);
	r->person_id = store_get_int(&cols[8]);
	return (1);
}

/* Read the row of key ${name}; the caller frees its models also after -1. */
static int
get_row(struct store *st, const char *name, struct row *r, struct err *err)
{
	const struct store_value param = query_name(name);
	int64_t n;

	n = store_query(st, STMT_KEY_ROW, &param, 1, take_row, r, err);
	if (n == 0)
		err_set(err, ERR_NOT_FOUND, "there is no key \"%s\"", name);
	else if (n == 1 && (r->models == NULL || r->bind_kind == NULL))
		err_set(err, ERR_NOMEM, "no memory for a key");
	else if (n == 1)
		return (0);
	return (-1);
}

/* As get_row, for a key that is not revoked. */
static int
get_live(struct store *st, const char *name, struct row *r, struct err *err)
{

	if (get_row(st, name, r, err))
		return (-1);
	if (r->revoked_ms == 0)
		return (0);
	err_set(err, ERR_EXISTS, "key \"%s\" is revoked, which is for good: "
	    "create a new one", name);
	return (-1);
}

int
keys_find(struct store *st, const char *name, int64_t *id, struct err *err)
{
	struct row r = { .id = 0 };
	int rc = get_live(st, name, &r, err);

	free(r.models);
	*id = r.id;
	return (rc);
}

static int
set_inside(struct store *st, const char *name, const struct key_change *c,
    struct row *r, struct err *err)
{
	struct store_value row[9];

	if (get_live(st, name, r, err))
		return (-1);
	if (apply(r, st, c, err))
		return (-1);
	if (c->name != NULL)
		name = c->name;
	row[0] = store_text(name);
	put_common(&row[1], r);
	row[6] = store_int(r->enabled);
	row[7] = time_or_null(r->expires_ms);
	row[8] = store_int(r->id);
	if (change_exec_named(st, STMT_KEY_SET, row, NITEMS(row), "a key",
	    name, err) || set_drain(st, r->id, c->drain_ms, err) ||
	    set_class(st, r->id, c->queue_class, err) ||
	    key_rules_set(st, r->id, c, err))
		return (-1);
	return (change_budget(st, r->id, c, err));
}

int
keys_set_in(struct store *st, const char *name, const struct key_change *c,
    struct err *err)
{
	struct row r = { .id = 0 };
	int rc;

	if (check_change(c, err))
		return (-1);
	rc = set_inside(st, name, c, &r, err);
	free(r.models);
	return (rc);
}

int
keys_set(struct store *st, const char *name, const struct key_change *c,
    struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, keys_set_in(st, name, c, err), err));
}

static int
revoke_inside(struct store *st, const char *name, struct err *err)
{
	struct row r = { .id = 0 };
	struct store_value row[2];

	if (get_row(st, name, &r, err)) {
		free(r.models);
		return (-1);
	}
	free(r.models);
	row[0] = store_int(store_now_ms(st));
	row[1] = store_int(r.id);
	return (store_exec(st, STMT_KEY_REVOKE, row, 1, 2, NULL, err));
}

int
keys_revoke(struct store *st, const char *name, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, revoke_inside(st, name, err), err));
}

static json_t *
list(struct store *st, const char *name, const struct keys_part *part,
    struct err *err)
{
	const struct store_value q = store_text(part->q != NULL ? part->q :
	    "");
	const struct store_value params[] = {
		store_int(store_now_ms(st)), store_int(part->person_id),
		store_int(part->person_id), q, q, store_int(part->limit),
		store_int(part->offset), query_name(name),
	};

	return (query_rows(st, STMT_KEY_LIST, params, NITEMS(params),
	    key_fields, NITEMS(key_fields), err));
}

json_t *
keys_list(struct store *st, struct err *err)
{
	const struct keys_part all = { .limit = INT32_MAX };

	return (list(st, NULL, &all, err));
}

json_t *
keys_page(struct store *st, const struct keys_part *part, int64_t *total,
    struct err *err)
{
	const struct store_value q = store_text(part->q != NULL ? part->q :
	    "");
	const struct store_value params[] = {
		store_int(part->person_id), store_int(part->person_id), q, q,
	};

	if (store_one(st, STMT_KEY_COUNT, params, NITEMS(params), total, 1,
	    err) == -1)
		return (NULL);
	return (list(st, NULL, part, err));
}

json_t *
keys_show(struct store *st, const char *name, struct err *err)
{
	const struct keys_part none = { .limit = 0 };
	struct store_value id[2];
	json_t *keys, *key, *usage, *budgets;

	if ((keys = list(st, name, &none, err)) == NULL)
		return (NULL);
	if ((key = json_incref(json_array_get(keys, 0))) == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no key \"%s\"", name);
	json_decref(keys);
	if (key == NULL)
		return (NULL);
	id[0] = store_int(json_integer_value(json_object_get(key, "id")));
	id[1] = id[0];
	usage = query_row(st, STMT_KEY_USAGE, id, 2, usage_fields,
	    NITEMS(usage_fields), "usage", err);
	budgets = budget_view_key(st, name, err);
	if (usage != NULL && budgets != NULL &&
	    json_object_set(key, "usage", usage) == 0 &&
	    json_object_set(key, "budgets", budgets) == 0)
		goto out;
	err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(key);
	key = NULL;
out:
	json_decref(usage);
	json_decref(budgets);
	return (key);
}

int
keys_explain(struct store *st, json_t *key, int64_t slice_tokens,
    struct err *err)
{
	json_t *prices, *notes;

	if ((prices = prices_list(st, false, err)) == NULL)
		return (-1);
	notes = budget_notes(json_string_value(json_object_get(key,
	    "models")), json_object_get(key, "budgets"), prices,
	    slice_tokens);
	json_decref(prices);
	if (notes != NULL && json_object_set_new(key, "notes", notes) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (-1);
}
