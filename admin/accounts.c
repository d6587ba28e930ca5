#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "pool/breaker.h"
#include "store/store.h"

#include "account_breaker.h"
#include "account_proxy.h"
#include "account_secrets.h"
#include "aliases.h"
#include "change.h"
#include "check.h"
#include "groups.h"
#include "query.h"

#include "accounts.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Slot rows made in one statement. */
#define SLOTS_AT_ONCE	64

static const char *const platforms[] = { "claude", "claude_console" };
static const char *const credentials[] = { "api_key", "bearer", "oauth" };

static const struct field account_fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "platform", .kind = FIELD_TEXT },
	{ .name = "base_url", .kind = FIELD_TEXT },
	{ .name = "credential", .kind = FIELD_TEXT },
	{ .name = "group", .kind = FIELD_TEXT },
	{ .name = "priority", .kind = FIELD_INT },
	{ .name = "weight", .kind = FIELD_INT },
	{ .name = "concurrency", .kind = FIELD_INT },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ .name = "leases", .kind = FIELD_INT },
	{ .name = "proxy", .kind = FIELD_TEXT },
	{ .name = "models", .kind = FIELD_TEXT },
	{ .name = "auth_header", .kind = FIELD_TEXT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "updated_ms", .kind = FIELD_INT },
	{ .name = "group_id", .kind = FIELD_INT },
	{ .name = "fit", .kind = FIELD_INT },	/* of a page alone */
};

static const struct field cooldown_fields[] = {
	{ .name = "account", .kind = FIELD_TEXT },
	{ .name = "family", .kind = FIELD_TEXT },
	{ .name = "reason", .kind = FIELD_TEXT },
	{ .name = "detail", .kind = FIELD_TEXT },
	{ .name = "since_ms", .kind = FIELD_INT },
	{ .name = "until_ms", .kind = FIELD_INT },
	{ .name = "stated", .kind = FIELD_BOOL },
	{ .name = "strikes", .kind = FIELD_INT },
	{ .name = "cause", .kind = FIELD_REQUEST_ID },
	{ .name = "observed_ms", .kind = FIELD_INT },
	{ .name = "soft", .kind = FIELD_BOOL },
	{ .name = "probe", .kind = FIELD_REQUEST_ID },
};

/* An account's row as account_set writes it; texts are owned. */
struct row {
	int64_t id;
	char *platform;
	char *base_url;
	char *credential;
	int64_t group_id;	/* 0: none */
	int64_t priority;
	int64_t weight;
	int64_t concurrency;
	int64_t enabled;
	char *models;
	char *auth_header;
};

static void
row_free(struct row *r)
{

	free(r->platform);
	free(r->base_url);
	free(r->credential);
	free(r->models);
	free(r->auth_header);
}

void
account_change_init(struct account_change *c)
{

	*c = (struct account_change) {
		.priority = -1,
		.weight = -1,
		.concurrency = -1,
		.enabled = -1,
	};
}

static int
check_word(const char *what, const char *s, const char *const *words,
    size_t n, struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(s, words[i]) == 0)
			return (0);
	}
	err_set(err, ERR_INVAL, "there is no %s \"%.40s\": take %s%s%s%s%s",
	    what, s, words[0], n > 2 ? ", " : "", n > 2 ? words[1] : "",
	    n > 1 ? " or " : "", n > 1 ? words[n - 1] : "");
	return (-1);
}

int
accounts_check_platform(const char *s, struct err *err)
{

	return (check_word("platform", s, platforms, NITEMS(platforms), err));
}

static int
check_range(const char *what, int64_t value, int64_t min, int64_t max,
    struct err *err)
{

	if (value == -1 || (value >= min && value <= max))
		return (0);
	err_set(err, ERR_INVAL, "%s must be from %lld to %lld", what,
	    (long long)min, (long long)max);
	return (-1);
}

static int
check_change(const struct account_change *c, struct err *err)
{
	bool user;

	if (oauth_settings_check(&c->oauth, err))
		return (-1);
	if (c->proxy != NULL && c->proxy[0] != '\0' &&
	    account_proxy_check(c->proxy, &user, err))
		return (-1);
	if (c->name != NULL && check_name("an account", c->name, err))
		return (-1);
	if (c->platform != NULL && accounts_check_platform(c->platform, err))
		return (-1);
	if (c->credential != NULL && check_word("credential", c->credential,
	    credentials, NITEMS(credentials), err))
		return (-1);
	if (c->secret != NULL && check_secret(c->secret, c->secret_len, err))
		return (-1);
	if (check_range("priority", c->priority, 0, ACCOUNT_PRIORITY_MAX,
	    err) ||
	    check_range("weight", c->weight, 1, ACCOUNT_WEIGHT_MAX, err) ||
	    check_range("concurrency", c->concurrency, 1,
	    ACCOUNT_CONCURRENCY_MAX, err))
		return (-1);
	return (0);
}

static int
replace_text(char **field, const char *text, struct err *err)
{
	char *copy;

	if (text == NULL)
		return (0);
	if ((copy = strdup(text)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an account");
		return (-1);
	}
	free(*field);
	*field = copy;
	return (0);
}

static bool
is_oauth(const struct account_change *c)
{

	return (c->credential != NULL && strcmp(c->credential, "oauth") == 0);
}

/* The access token of an OAuth account is a bearer's, as the row has it. */
static const char *
kind_of(const struct account_change *c)
{

	return (is_oauth(c) ? "bearer" : c->credential);
}

/* Another text in place of *${field}, which is taken over. */
static void
take_text(char **field, char *text)
{

	free(*field);
	*field = text;
}

static int
apply_models(struct row *r, const struct account_change *c, struct err *err)
{
	char *text;

	if (c->models != NULL) {
		if (check_models(c->models, &text, err))
			return (-1);
		take_text(&r->models, text);
	}
	if (c->auth_header != NULL) {
		if (check_auth_header(c->auth_header, &text, err))
			return (-1);
		take_text(&r->auth_header, text);
	}
	if (r->auth_header == NULL || r->auth_header[0] == '\0' ||
	    (strcmp(r->platform, "claude_console") == 0 &&
	    strcmp(r->credential, "api_key") == 0))
		return (0);
	err_set(err, ERR_INVAL, "an auth header is for API keys of platform "
	    "claude_console");
	return (-1);
}

/* Put the wanted changes over ${r}. */
static int
apply(struct row *r, struct store *st, const struct account_change *c,
    struct err *err)
{
	char *url;

	if (replace_text(&r->platform, c->platform, err) ||
	    replace_text(&r->credential, kind_of(c), err))
		return (-1);
	if (c->base_url != NULL) {
		if (check_base_url(c->base_url, &url, err))
			return (-1);
		take_text(&r->base_url, url);
	}
	if (c->group != NULL && c->group[0] == '\0')
		r->group_id = 0;
	else if (c->group != NULL &&
	    groups_find(st, c->group, &r->group_id, err))
		return (-1);
	if (c->priority != -1)
		r->priority = c->priority;
	if (c->weight != -1)
		r->weight = c->weight;
	if (c->concurrency != -1)
		r->concurrency = c->concurrency;
	if (c->enabled != -1)
		r->enabled = c->enabled;
	return (apply_models(r, c, err));
}

static int
put_models(struct store *st, const struct row *r, struct err *err)
{
	const struct store_value row[3] = {
		store_text(r->models == NULL ? "" : r->models),
		store_text(r->auth_header == NULL ? "" : r->auth_header),
		store_int(r->id),
	};

	return (store_exec(st, STMT_ACCOUNT_SET_MODELS, row, 1, 3, NULL,
	    err));
}

static struct store_value
group_value(const struct row *r)
{

	return (r->group_id == 0 ? store_null() : store_int(r->group_id));
}

/* Make slots 1 to ${n} where they are missing, and drop free ones above. */
static int
fit_slots(struct store *st, int64_t id, int64_t n, struct err *err)
{
	struct store_value rows[2 * SLOTS_AT_ONCE];
	int64_t next = 1;
	size_t k;

	while (next <= n) {
		for (k = 0; k < SLOTS_AT_ONCE && next <= n; k++, next++) {
			rows[2 * k] = store_int(id);
			rows[2 * k + 1] = store_int(next);
		}
		if (store_exec(st, STMT_SLOT_ADD, rows, k, 2, NULL, err))
			return (-1);
	}
	rows[0] = store_int(id);
	rows[1] = store_int(n);
	return (store_exec(st, STMT_SLOT_TRIM, rows, 1, 2, NULL, err));
}

static int
put_oauth(struct store *st, int64_t id, const struct account_change *c,
    struct err *err)
{

	if (c->credential != NULL && !is_oauth(c))
		return (account_oauth_drop(st, id, err));
	if (!is_oauth(c) && !oauth_settings_given(&c->oauth))
		return (0);
	return (account_oauth_put(st, id, &c->oauth, err));
}

static int
put_secrets(struct store *st, const struct seal *seal, int64_t id,
    const struct account_change *c, struct err *err)
{

	if (put_oauth(st, id, c, err))
		return (-1);
	if (c->secret != NULL && account_secret_put(st, seal, ACCOUNT_SECRET,
	    id, c->secret, c->secret_len, err))
		return (-1);
	return (c->proxy == NULL ? 0 : account_proxy_put(st, seal, id,
	    c->proxy, c->proxy_password, err));
}

static int
add_inside(struct store *st, const struct seal *seal,
    const struct account_change *c, struct row *r, struct err *err)
{
	struct store_value row[12];
	int64_t now = store_now_ms(st);

	if (apply(r, st, c, err))
		return (-1);
	row[0] = store_text(c->name);
	row[1] = store_text(r->platform);
	row[2] = store_text(r->base_url);
	row[3] = store_text(r->credential);
	row[4] = store_blob("", 0);
	row[5] = group_value(r);
	row[6] = store_int(r->priority);
	row[7] = store_int(r->weight);
	row[8] = store_int(r->concurrency);
	row[9] = store_int(r->enabled);
	row[10] = row[11] = store_int(now);
	if (change_exec_named(st, STMT_ACCOUNT_ADD, row, NITEMS(row),
	    "an account", c->name, err))
		return (-1);
	r->id = store_insert_id(st);
	if (put_models(st, r, err))
		return (-1);
	if ((is_oauth(c) && account_secret_put(st, seal, ACCOUNT_SECRET,
	    r->id, "", 0, err)) || put_secrets(st, seal, r->id, c, err))
		return (-1);
	if (c->tokens != NULL && account_oauth_put_tokens(st, seal, c->name,
	    c->tokens, c->ahead_ms, err))
		return (-1);
	return (fit_slots(st, r->id, r->concurrency, err));
}

static int
check_new(const struct account_change *c, struct err *err)
{

	if (c->name == NULL || c->platform == NULL || c->base_url == NULL ||
	    c->credential == NULL || (c->secret == NULL && !is_oauth(c))) {
		err_set(err, ERR_INVAL, "an account needs a name, a platform, "
		    "a base URL, a kind of credential and a secret");
		return (-1);
	}
	return (check_change(c, err));
}

/* What an account is unless it is said. */
static const struct row new_row = {
	.priority = 50, .weight = 100, .concurrency = 10, .enabled = 1
};

int
accounts_try(struct store *st, const struct seal *seal,
    const struct account_change *c, struct err *err)
{
	struct row r = new_row;
	int rc;

	if (check_new(c, err) || store_begin(st, true, err))
		return (-1);
	rc = add_inside(st, seal, c, &r, err);
	store_rollback(st);
	row_free(&r);
	return (rc);
}

int
accounts_add_in(struct store *st, const struct seal *seal,
    const struct account_change *c, struct err *err)
{
	struct row r = new_row;
	int rc;

	if (check_new(c, err))
		return (-1);
	rc = add_inside(st, seal, c, &r, err);
	row_free(&r);
	return (rc);
}

int
accounts_add(struct store *st, const struct seal *seal,
    const struct account_change *c, struct err *err)
{

	if (check_new(c, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, accounts_add_in(st, seal, c, err), err));
}

static int
take_row(void *arg, const struct store_value *cols, size_t ncols)
{
	struct row *r = arg;

	(void)ncols;
	r->id = store_get_int(&cols[0]);
	r->platform = strdup(store_get_text(&cols[1]));
	r->base_url = strdup(store_get_text(&cols[2]));
	r->credential = strdup(store_get_text(&cols[3]));
	r->group_id = store_get_int(&cols[4]);
	r->priority = store_get_int(&cols[5]);
	r->weight = store_get_int(&cols[6]);
	r->concurrency = store_get_int(&cols[7]);
	r->enabled = store_get_int(&cols[8]);
	r->models = strdup(store_get_text(&cols[9]));
	r->auth_header = strdup(store_get_text(&cols[10]));
	return (1);
}

/* Read the row of account ${name}; the caller frees it also after -1. */
static int
get_row(struct store *st, const char *name, struct row *r, struct err *err)
{
	const struct store_value param = query_name(name);
	int64_t n;

	n = store_query(st, STMT_ACCOUNT_ROW, &param, 1, take_row, r, err);
	if (n == 0)
		err_set(err, ERR_NOT_FOUND, "there is no account \"%s\"",
		    name);
	else if (n == 1 && (r->platform == NULL || r->base_url == NULL ||
	    r->credential == NULL || r->models == NULL ||
	    r->auth_header == NULL))
		err_set(err, ERR_NOMEM, "no memory for an account");
	else if (n == 1)
		return (0);
	return (-1);
}

/* What it rests for is over. */
static int
lift(struct store *st, int64_t id, struct err *err)
{
	struct store_value param = store_int(id);

	return (store_exec(st, STMT_COOLDOWN_LIFT, &param, 1, 1, NULL, err));
}

static int
set_inside(struct store *st, const struct seal *seal, const char *name,
    const struct account_change *c, struct row *r, struct err *err)
{
	struct store_value row[11];

	if (get_row(st, name, r, err) || apply(r, st, c, err))
		return (-1);
	if (c->name != NULL)
		name = c->name;
	row[0] = store_text(name);
	row[1] = store_text(r->platform);
	row[2] = store_text(r->base_url);
	row[3] = store_text(r->credential);
	row[4] = group_value(r);
	row[5] = store_int(r->priority);
	row[6] = store_int(r->weight);
	row[7] = store_int(r->concurrency);
	row[8] = store_int(r->enabled);
	row[9] = store_int(store_now_ms(st));
	row[10] = store_int(r->id);
	if (change_exec_named(st, STMT_ACCOUNT_SET, row, NITEMS(row),
	    "an account", name, err))
		return (-1);
	if (put_models(st, r, err) || put_secrets(st, seal, r->id, c, err))
		return (-1);
	if ((c->secret != NULL || c->base_url != NULL || c->proxy != NULL) &&
	    lift(st, r->id, err))
		return (-1);
	return (fit_slots(st, r->id, r->concurrency, err));
}

int
accounts_set_in(struct store *st, const struct seal *seal, const char *name,
    const struct account_change *c, struct err *err)
{
	struct row r = { .id = 0 };
	int rc;

	if (check_change(c, err))
		return (-1);
	rc = set_inside(st, seal, name, c, &r, err);
	row_free(&r);
	return (rc);
}

int
accounts_set(struct store *st, const struct seal *seal, const char *name,
    const struct account_change *c, struct err *err)
{

	if (check_change(c, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, accounts_set_in(st, seal, name, c, err), err));
}

static int
wake_inside(struct store *st, const char *name, struct err *err)
{
	int64_t id;

	return (accounts_find(st, name, &id, err) ? -1 : lift(st, id, err));
}

int
accounts_wake(struct store *st, const char *name, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, wake_inside(st, name, err), err));
}

static int
remove_inside(struct store *st, const char *name, struct err *err)
{
	static const enum stmt_id removals[] = {
		STMT_OAUTH_REMOVE, STMT_ACCOUNT_REMOVE_COOLDOWNS,
		STMT_ACCOUNT_REMOVE_SLOTS,
		STMT_ACCOUNT_REMOVE_HEALTH, STMT_ACCOUNT_REMOVE_PROBE,
		STMT_ACCOUNT_REMOVE_ALIASES, STMT_ACCOUNT_REMOVE_STARTS,
		STMT_ACCOUNT_REMOVE
	};
	struct store_value ids[3];
	int64_t id, users[3];
	size_t i;

	if (accounts_find(st, name, &id, err))
		return (-1);
	ids[0] = ids[1] = ids[2] = store_int(id);
	if (store_lock(st, STMT_LOCK_SLOTS, ids, 1, err) ||
	    store_one(st, STMT_ACCOUNT_USERS, ids, 3, users, 3, err) == -1)
		return (-1);
	if (users[0] > 0 || users[1] > 0) {
		err_set(err, ERR_EXISTS, "account \"%s\" is in use (requests "
		    "that it serves: %lld, keys bound to it: %lld); disable "
		    "it to let requests end", name, (long long)users[0],
		    (long long)users[1]);
		return (-1);
	}
	if (users[2] > 0) {
		err_set(err, ERR_EXISTS, "account \"%s\" holds %lld batches "
		    "and files of clients, which nobody could reach any more: "
		    "see \"leasehold object list --account\"; \"leasehold "
		    "object forget --account\" gives them up", name,
		    (long long)users[2]);
		return (-1);
	}
	for (i = 0; i < NITEMS(removals); i++) {
		if (store_exec(st, removals[i], ids, 1, 1, NULL, err))
			return (-1);
	}
	return (0);
}

int
accounts_remove(struct store *st, const char *name, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, remove_inside(st, name, err), err));
}

int
accounts_find(struct store *st, const char *name, int64_t *id,
    struct err *err)
{
	struct row r = { .id = 0 };
	int rc;

	rc = get_row(st, name, &r, err);
	*id = r.id;
	row_free(&r);
	return (rc);
}

/* The name of one of the rows; NULL: there is none. */
static const char *
name_at(const json_t *accounts, size_t i)
{

	return (json_string_value(json_object_get(json_array_get(accounts,
	    i), "name")));
}

/* Give accounts, which are in the order of their names, their breakers;
 * ${accounts} is given up, NULL gives NULL. */
static json_t *
with_breakers(struct store *st, json_t *accounts, struct err *err)
{
	struct store_value params[2];
	json_t *cooldowns;
	size_t n = json_array_size(accounts);
	int rc;

	if (n == 0)
		return (accounts);
	params[0] = store_text(name_at(accounts, 0));
	params[1] = store_text(name_at(accounts, n - 1));
	cooldowns = query_rows(st, STMT_COOLDOWN_LIST, params, NITEMS(params),
	    cooldown_fields, NITEMS(cooldown_fields), err);
	rc = cooldowns == NULL ? -1 : account_breakers(accounts, cooldowns,
	    store_now_ms(st), err);
	json_decref(cooldowns);
	if (rc == 0)
		return (accounts);
	json_decref(accounts);
	return (NULL);
}

json_t *
accounts_list(struct store *st, const char *name, struct err *err)
{
	const struct store_value params[] = {
		store_text(name != NULL ? name : ""),
		store_text(name != NULL ? name : ""),
	};

	return (with_breakers(st, query_rows(st, STMT_ACCOUNT_LIST, params,
	    NITEMS(params), account_fields, NITEMS(account_fields) - 1, err),
	    err));
}

/* What a column that holds ASCII can be compared with: of a platform that is
 * not known there is no account. */
static const char *
wanted_platform(const char *platform)
{
	struct err none = { 0 };

	if (platform == NULL)
		return ("");
	return (accounts_check_platform(platform, &none) == 0 ? platform :
	    "-");
}

static json_t *
read_page(struct store *st, const struct account_filter *f, int64_t limit,
    int64_t offset, struct err *err)
{
	const struct store_value platform = store_text(wanted_platform(
	    f->platform)), q = store_text(f->q != NULL ? f->q : "");
	const int64_t now_ms = store_now_ms(st);
	const struct store_value params[] = {
		platform, platform, store_int(f->group_id),
		store_int(f->group_id), store_int(f->enabled),
		store_int(f->enabled), q, q, q, store_int(f->breaker),
		store_int(now_ms), store_int(now_ms + BREAKER_SLACK_MS),
		store_int(f->breaker), store_int(limit), store_int(offset),
	};

	return (query_rows(st, STMT_ACCOUNT_PAGE, params, NITEMS(params),
	    account_fields, NITEMS(account_fields), err));
}

json_t *
accounts_page(struct store *st, const struct account_filter *f, int64_t limit,
    int64_t offset, int64_t *total, struct err *err)
{
	json_t *accounts, *first;
	size_t i;

	*total = 0;
	if ((accounts = read_page(st, f, limit, offset, err)) == NULL)
		return (NULL);
	if (json_array_size(accounts) > 0)
		first = json_incref(accounts);
	else if ((first = read_page(st, f, 1, 0, err)) == NULL)
		goto err0;
	*total = json_integer_value(json_object_get(json_array_get(first, 0),
	    "fit"));
	json_decref(first);
	for (i = 0; i < json_array_size(accounts); i++)
		(void)json_object_del(json_array_get(accounts, i), "fit");
	return (with_breakers(st, accounts, err));

err0:
	json_decref(accounts);
	return (NULL);
}

json_t *
accounts_show(struct store *st, const char *name, struct err *err)
{
	const struct alias_of of = { .account = name };
	json_t *accounts, *account, *oauth, *aliases;

	if ((accounts = accounts_list(st, name, err)) == NULL)
		return (NULL);
	if ((account = json_incref(json_array_get(accounts, 0))) == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no account \"%s\"",
		    name);
	json_decref(accounts);
	if (account == NULL || (oauth = account_oauth_get(st,
	    json_integer_value(json_object_get(account, "id")), err)) == NULL)
		goto err0;
	if (json_object_set_new(account, "oauth", oauth) == -1)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	else if ((aliases = aliases_list(st, &of, err)) != NULL &&
	    json_object_set_new(account, "aliases", aliases) == 0)
		return (account);

err0:
	json_decref(account);
	return (NULL);
}
