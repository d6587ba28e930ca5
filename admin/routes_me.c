#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/zone.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "budget_view.h"
#include "check.h"
#include "keys.h"
#include "usage.h"

#include "api.h"

#define DAYS	30

/* ---- the key ---- */

/* What its owner is told of it. */
static json_t *
describe(const json_t *key)
{
	static const char *const members[] = {
		"name", "visible", "models", "concurrency", "in_flight",
		"expires_ms", "old_until_ms", "rate", "rate_ms"
	};
	json_t *out = json_object();
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (json_object_set(out, members[i], json_object_get(key,
		    members[i])))
			goto err0;
	}
	return (out);

err0:
	json_decref(out);
	return (NULL);
}

static json_t *
limit_of(const json_t *b)
{

	return (json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, "
	    "s:O}", "on", json_object_get(b, "on"),
	    "counts", json_object_get(b, "counts"),
	    "period", json_object_get(b, "period"),
	    "length_ms", json_object_get(b, "length_ms"),
	    "models", json_object_get(b, "models"),
	    "limit", json_object_get(b, "limit"),
	    "used", json_object_get(b, "spent"),
	    "reserved", json_object_get(b, "reserved"),
	    "left", json_object_get(b, "left"),
	    "resets_ms", json_object_get(b, "renews_ms")));
}

static json_t *
limits_of(const json_t *key)
{
	json_t *out = json_array(), *budgets;
	const json_t *b;
	size_t i;

	budgets = json_object_get(key, "budgets");
	budget_view_veil(budgets);
	json_array_foreach(budgets, i, b) {
		if (json_is_true(json_object_get(b, "enabled")) &&
		    json_array_append_new(out, limit_of(b)))
			goto err0;
	}
	return (out);

err0:
	json_decref(out);
	return (NULL);
}

/* ---- what it used ---- */

/* ${member} of a report since ${from_ms}. */
static json_t *
report(struct api_call *c, struct usage_query *q, enum period per,
    int64_t from_ms, const char *member, struct err *err)
{
	json_t *whole, *part;

	q->per = per;
	q->range.from_ms = from_ms;
	if ((whole = usage_report(c->store, q, err)) == NULL)
		return (NULL);
	part = json_incref(json_object_get(whole, member));
	json_decref(whole);
	return (part);
}

static json_t *
by_model(struct api_call *c, const struct usage_query *of, int64_t from_ms,
    struct err *err)
{
	struct usage_query q = *of;
	json_t *rows, *row;
	size_t i;

	q.by[USAGE_BY_MODEL] = true;
	rows = report(c, &q, PERIOD_TOTAL, from_ms, "rows", err);
	json_array_foreach(rows, i, row) {
		(void)json_object_del(row, "start");
		(void)json_object_del(row, "start_ms");
	}
	return (rows);
}

/* Today, this month, the last days each, and the models of these; {} where
 * something is missing. */
static json_t *
usage_of(struct api_call *c, const struct zone *zone, json_t **models,
    struct err *err)
{
	const int64_t now_ms = store_now_ms(c->store);
	const int64_t first = zone_day_start_ms(zone, zone_day(zone, now_ms) -
	    (DAYS - 1));
	struct usage_query q = {
		.zone = zone,
		.key_id = c->key_id,
		.range.to_ms = now_ms - now_ms % ROLLUP_HOUR_MS +
		    ROLLUP_HOUR_MS,
	};
	json_t *today, *month, *rows;

	today = report(c, &q, PERIOD_TOTAL, period_start(PERIOD_DAY, zone,
	    now_ms), "total", err);
	month = report(c, &q, PERIOD_TOTAL, period_start(PERIOD_MONTH, zone,
	    now_ms), "total", err);
	rows = report(c, &q, PERIOD_DAY, first, "rows", err);
	*models = by_model(c, &q, first, err);
	return (json_pack("{s:o, s:o, s:o}", "today", today, "month", month,
	    "rows", rows));
}

static json_t *
answer(struct api_call *c, const struct zone *zone, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	json_t *key, *out, *usage, *models;

	if (api_name_of(c, STMT_NAME_OF_KEY, c->key_id, "key", name, err) ||
	    (key = keys_show(c->store, name, err)) == NULL)
		return (NULL);
	usage = usage_of(c, zone, &models, err);
	out = json_pack("{s:o, s:s, s:o, s:o, s:o}", "key", describe(key),
	    "zone", zone_name(zone), "limits", limits_of(key), "usage", usage,
	    "models", models);
	json_decref(key);
	if (out == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (out);
}

json_t *
api_my_usage(struct api_call *c, struct err *err)
{
	char text[64];
	const char *name = api_query(c, "zone", text, sizeof(text));
	struct zone *zone;
	json_t *out;

	if (c->message[0] != '\0' || (zone = check_zone(name != NULL ? name :
	    "UTC", err)) == NULL)
		return (NULL);
	out = answer(c, zone, err);
	zone_free(zone);
	return (out);
}
