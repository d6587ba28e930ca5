#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/zone.h"
#include "ledger/price.h"
#include "store/store.h"

#include "accounts.h"
#include "aliases.h"
#include "check.h"
#include "member.h"
#include "prices.h"

#include "api.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Of a price: so many nano-dollars for 10^6 tokens, or one search. */
#define NUSD_MAX	INT64_C(1000000000000000)

#define ALIAS_ID_BYTES	(LIMIT_NAME_BYTES * 2)
#define ALIAS_ID_SIZE	sodium_base64_ENCODED_LEN(ALIAS_ID_BYTES, \
    sodium_base64_VARIANT_URLSAFE_NO_PADDING)

/* ---- prices ---- */

json_t *
api_prices(struct api_call *c, struct err *err)
{
	int64_t all = 0;

	if (api_query_int(c, "all", 0, 1, &all, err))
		return (NULL);
	return (api_page(c, prices_list(c->store, all == 1, err), err));
}

json_t *
api_price(struct api_call *c, struct err *err)
{
	int64_t id;

	return (api_id(c, 0, &id, err) ? NULL : prices_show(c->store, id,
	    NULL, err));
}

/* What of a price may be said, whether it is new or follows another. */
#define PRICE_MEMBERS							\
	"input_nusd_mtok", "output_nusd_mtok", "cache_read_nusd_mtok",	\
	"cache_write_5m_nusd_mtok", "cache_write_1h_nusd_mtok",		\
	"context_tokens", "batch_percent", "fast_percent",		\
	"priority_percent", "geo_us_percent", "web_search_nusd",	\
	"valid_from_ms", "valid_until_ms", NULL

/* 0 is none. */
static bool
is_to_come(const struct api_call *c, int64_t ms)
{

	return (ms == 0 || ms > store_now_ms(c->store));
}

static int
read_price(struct api_call *c, struct price *p, struct err *err)
{
	const struct {
		const char *name;
		int64_t max, *out;
	} numbers[] = {
		{ "input_nusd_mtok", NUSD_MAX, &p->input_nusd_mtok },
		{ "output_nusd_mtok", NUSD_MAX, &p->output_nusd_mtok },
		{ "cache_read_nusd_mtok", NUSD_MAX,
		    &p->cache_read_nusd_mtok },
		{ "cache_write_5m_nusd_mtok", NUSD_MAX,
		    &p->cache_write_5m_nusd_mtok },
		{ "cache_write_1h_nusd_mtok", NUSD_MAX,
		    &p->cache_write_1h_nusd_mtok },
		{ "context_tokens", PRICE_TOKENS_MAX, &p->context_tokens },
		{ "batch_percent", PRICE_PERCENT_MAX, &p->batch_percent },
		{ "fast_percent", PRICE_PERCENT_MAX, &p->fast_percent },
		{ "priority_percent", PRICE_PERCENT_MAX,
		    &p->priority_percent },
		{ "geo_us_percent", PRICE_PERCENT_MAX, &p->geo_us_percent },
		{ "web_search_nusd", NUSD_MAX, &p->web_search_nusd },
		{ "valid_from_ms", ZONE_MAX_MS, &p->valid_from_ms },
		{ "valid_until_ms", ZONE_MAX_MS, &p->valid_until_ms },
	};
	size_t i;

	for (i = 0; i < NITEMS(numbers); i++) {
		if (api_int(c, numbers[i].name, 0, numbers[i].max,
		    numbers[i].out, err))
			return (-1);
	}
	if (is_to_come(c, p->valid_from_ms) &&
	    is_to_come(c, p->valid_until_ms))
		return (0);
	err_set(err, ERR_INVAL, "\"valid_from_ms\" and \"valid_until_ms\" "
	    "must be to come");
	return (-1);
}

/* Whose price it is, and what the others go by: what input costs. */
static int
read_new_price(struct api_call *c, struct price *p, struct err *err)
{
	static const char *const members[] = {
		"platform", "model", "above_tokens", PRICE_MEMBERS
	};
	const char *platform = "claude", *model;

	memset(p, 0, sizeof(*p));
	if (api_members(c, members, err) ||
	    api_text(c, "platform", &platform, err) ||
	    accounts_check_platform(platform, err) ||
	    api_need_text(c, "model", &model, err) ||
	    check_name("model", model, err) ||
	    api_int(c, "above_tokens", 0, PRICE_TOKENS_MAX, &p->above_tokens,
	    err) || api_int(c, "input_nusd_mtok", 0, NUSD_MAX,
	    &p->input_nusd_mtok, err))
		return (-1);
	(void)snprintf(p->platform, sizeof(p->platform), "%s", platform);
	(void)snprintf(p->pattern, sizeof(p->pattern), "%s", model);
	if (json_object_get(c->body, "input_nusd_mtok") == NULL ||
	    json_object_get(c->body, "output_nusd_mtok") == NULL) {
		err_set(err, ERR_INVAL, "\"input_nusd_mtok\" and "
		    "\"output_nusd_mtok\" are needed");
		return (-1);
	}
	prices_fill_cache(p);
	return (read_price(c, p, err));
}

static json_t *
put_price(struct api_call *c, const struct price *old, struct price *p,
    struct err *err)
{
	struct audit a;

	api_audit(c, &a, "price.set", p->pattern, NULL);
	if (old != NULL ? prices_follow(c->store, old, p, err) :
	    prices_set(c->store, p, err))
		return (NULL);
	c->status = 201;
	return (prices_show(c->store, p->id, NULL, err));
}

json_t *
api_add_price(struct api_call *c, struct err *err)
{
	struct price p;

	return (read_new_price(c, &p, err) ? NULL : put_price(c, NULL, &p,
	    err));
}

/* One that follows another, of the same models and tier. */
json_t *
api_set_price(struct api_call *c, struct err *err)
{
	static const char *const members[] = { PRICE_MEMBERS };
	struct price old, p;
	json_t *row;
	int64_t id;

	if (api_id(c, 0, &id, err) || api_members(c, members, err) ||
	    (row = prices_show(c->store, id, &old, err)) == NULL)
		return (NULL);
	json_decref(row);
	p = old;
	p.valid_from_ms = 0;
	if (p.valid_until_ms <= store_now_ms(c->store))
		p.valid_until_ms = 0;
	return (read_price(c, &p, err) ? NULL : put_price(c, &old, &p, err));
}

json_t *
api_remove_price(struct api_call *c, struct err *err)
{
	struct price p;
	struct audit a;
	json_t *row;
	int64_t id;

	if (api_id(c, 0, &id, err) ||
	    (row = prices_show(c->store, id, &p, err)) == NULL)
		return (NULL);
	json_decref(row);
	api_audit(c, &a, "price.remove", p.pattern, NULL);
	return (prices_remove(c->store, id, err) ? NULL : api_done(c));
}

/* Without a file: the one that came with this version. */
static json_t *
shipped_prices(struct api_call *c)
{
	struct err why = { .code = ERR_NONE };
	json_t *file;

	if ((file = prices_read_file(PRICES_FILE, &why)) == NULL)
		(void)api_refuse(c, 404, "%s", why.text);
	return (file);
}

json_t *
api_import_prices(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "file", "platform", NULL };
	json_t *file = json_object_get(c->body, "file");
	struct price_import what = {
		.source = file != NULL ? "imported" : PRICES_FILE
	};
	struct prices_done done;
	struct audit a;
	int rc;

	if (api_members(c, members, err) ||
	    api_text(c, "platform", &what.platform, err))
		return (NULL);
	if (file != NULL && !json_is_object(file))
		return (api_refuse(c, 400, "\"file\" must be a price file in "
		    "LiteLLM's format"));
	file = file != NULL ? json_incref(file) : shipped_prices(c);
	if (file == NULL)
		return (NULL);
	api_audit(c, &a, "price.import", "", NULL);
	what.file = file;
	rc = prices_import(c->store, &what, &done, err);
	json_decref(file);
	if (rc == -1)
		return (NULL);
	return (json_pack("{s:I, s:I, s:I}", "added",
	    (json_int_t)done.added, "unchanged", (json_int_t)done.unchanged,
	    "skipped", (json_int_t)done.skipped));
}

/* ---- aliases ---- */

/* An alias is known by whose it is and its pattern, in one word. */
static void
alias_id(const json_t *row, char id[ALIAS_ID_SIZE])
{
	char text[ALIAS_ID_BYTES];
	int n;

	n = snprintf(text, sizeof(text), "%s/%lld/%s", text_of(row, "scope"),
	    (long long)json_integer_value(json_object_get(row, "of_id")),
	    text_of(row, "pattern"));
	sodium_bin2base64(id, ALIAS_ID_SIZE, (const unsigned char *)text,
	    n < 0 || (size_t)n >= sizeof(text) ? 0 : (size_t)n,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static json_t *
show_alias(const json_t *row)
{
	char id[ALIAS_ID_SIZE];

	alias_id(row, id);
	return (json_pack("{s:s, s:O, s:O, s:O, s:O, s:O, s:O}", "id", id,
	    "on", json_object_get(row, "scope"), "of", json_object_get(row,
	    "of"), "of_id", json_object_get(row, "of_id"), "alias",
	    json_object_get(row, "pattern"), "model", json_object_get(row,
	    "target"), "created_ms", json_object_get(row, "created_ms")));
}

json_t *
api_aliases(struct api_call *c, struct err *err)
{
	char group[LIMIT_NAME_BYTES], account[LIMIT_NAME_BYTES];
	const struct alias_of of = {
		.group = api_query(c, "group", group, sizeof(group)),
		.account = api_query(c, "account", account, sizeof(account)),
	};
	json_t *rows, *row, *items;
	size_t i;

	if (of.group != NULL && of.account != NULL)
		return (api_refuse(c, 400, "group and account exclude each "
		    "other"));
	if ((rows = aliases_list(c->store, &of, err)) == NULL)
		return (NULL);
	if ((items = json_array()) == NULL)
		goto err0;
	json_array_foreach(rows, i, row) {
		if (json_array_append_new(items, show_alias(row)))
			goto err0;
	}
	json_decref(rows);
	return (api_page(c, items, err));

err0:
	err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(items);
	json_decref(rows);
	return (NULL);
}

/* The one of the path, or of a name: a row of the list, a new reference. */
static json_t *
find_alias(struct api_call *c, const char *id, const struct alias_of *of,
    const char *pattern, struct err *err)
{
	char is[ALIAS_ID_SIZE];
	json_t *rows, *row, *found = NULL;
	size_t i;

	if ((rows = aliases_list(c->store, of, err)) == NULL)
		return (NULL);
	json_array_foreach(rows, i, row) {
		alias_id(row, is);
		if (id != NULL ? strcmp(is, id) == 0 :
		    strcmp(text_of(row, "pattern"), pattern) == 0) {
			found = json_incref(row);
			break;
		}
	}
	json_decref(rows);
	if (found == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no such alias");
	return (found);
}

static json_t *
find_by_path(struct api_call *c, struct alias_of *of, struct err *err)
{
	const struct alias_of all = { .group = NULL };
	char id[ALIAS_ID_SIZE];
	json_t *row;
	bool of_group;

	row = find_alias(c, api_param(c, 0, id, sizeof(id)), &all, NULL,
	    err);
	if (row == NULL)
		return (NULL);
	of_group = strcmp(text_of(row, "scope"), "group") == 0;
	*of = (struct alias_of) {
		.group = of_group ? text_of(row, "of") : NULL,
		.account = of_group ? NULL : text_of(row, "of"),
		.id = json_integer_value(json_object_get(row, "of_id")),
	};
	return (row);
}

/* Gives ${row} up, which may be NULL with ${err}. */
static json_t *
answer_row(json_t *row, struct err *err)
{
	json_t *answer = NULL;

	if (row != NULL && (answer = show_alias(row)) == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(row);
	return (answer);
}

static json_t *
answer_alias(struct api_call *c, const struct alias_of *of,
    const char *pattern, struct err *err)
{

	return (answer_row(find_alias(c, NULL, of, pattern, err), err));
}

json_t *
api_alias(struct api_call *c, struct err *err)
{
	struct alias_of of;

	return (answer_row(find_by_path(c, &of, err), err));
}

json_t *
api_add_alias(struct api_call *c, struct err *err)
{
	static const char *const members[] = {
		"on", "of", "alias", "model", NULL
	};
	const char *on, *name, *pattern, *target;
	struct alias_of of;
	struct audit a;

	if (api_members(c, members, err) ||
	    api_need_text(c, "on", &on, err) ||
	    api_need_text(c, "of", &name, err) ||
	    api_need_text(c, "alias", &pattern, err) ||
	    api_need_text(c, "model", &target, err))
		return (NULL);
	if (strcmp(on, "group") != 0 && strcmp(on, "account") != 0)
		return (api_refuse(c, 400, "\"on\" must be group or "
		    "account"));
	of = (struct alias_of) {
		.group = on[0] == 'g' ? name : NULL,
		.account = on[0] == 'g' ? NULL : name,
	};
	api_audit(c, &a, "alias.add", pattern, NULL);
	if (aliases_add(c->store, &of, pattern, target, err))
		return (NULL);
	c->status = 201;
	return (answer_alias(c, &of, pattern, err));
}

json_t *
api_set_alias(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "model", NULL };
	const char *target;
	struct alias_of of;
	struct audit a;
	json_t *row;
	int rc;

	if (api_members(c, members, err) ||
	    api_need_text(c, "model", &target, err) ||
	    (row = find_by_path(c, &of, err)) == NULL)
		return (NULL);
	api_audit(c, &a, "alias.set", text_of(row, "pattern"), NULL);
	rc = aliases_set(c->store, &of, text_of(row, "pattern"), target, err);
	json_decref(row);
	return (rc ? NULL : api_alias(c, err));
}

json_t *
api_remove_alias(struct api_call *c, struct err *err)
{
	struct alias_of of;
	struct audit a;
	json_t *row;
	int rc;

	if ((row = find_by_path(c, &of, err)) == NULL)
		return (NULL);
	api_audit(c, &a, "alias.remove", text_of(row, "pattern"), NULL);
	rc = aliases_remove(c->store, &of, text_of(row, "pattern"), err);
	json_decref(row);
	return (rc ? NULL : api_done(c));
}
