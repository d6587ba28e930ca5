#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"
#include "ledger/window.h"
#include "store/store.h"

#include "member.h"
#include "query.h"

#include "budget_view.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "on", .kind = FIELD_TEXT },
	{ .name = "of", .kind = FIELD_TEXT },
	{ .name = "counts", .kind = FIELD_TEXT },
	{ .name = "limit", .kind = FIELD_INT },
	{ .name = "period", .kind = FIELD_TEXT },
	{ .name = "length_ms", .kind = FIELD_INT },
	{ .name = "anchor_ms", .kind = FIELD_INT },
	{ .name = "zone", .kind = FIELD_TEXT },
	{ .name = "models", .kind = FIELD_TEXT },
	{ .name = "policy", .kind = FIELD_TEXT },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ .name = "created_ms", .kind = FIELD_INT },
};

/* How a window stands. */
struct standing {
	int64_t spent, reserved, left;
	int64_t from_ms, to_ms;		/* 0: all time */
	int64_t renews_ms;		/* 0: never, or not needed */
};

static int
read_standing(struct store *st, const json_t *row,
    const struct window_rule *rule, const struct window_span *span,
    struct standing *s, struct err *err)
{
	const struct store_value params[] = {
		store_int(int_of(row, "id")),
		store_int(span->first_ms),
		store_int(span->start_ms),
	};
	struct window_span oldest;
	int64_t sum[3];

	if (store_one(st, STMT_BUDGET_SUM, params, NITEMS(params), sum, 3,
	    err) != 1)
		return (-1);
	*s = (struct standing) { .spent = sum[0], .reserved = sum[1] };
	s->left = int_of(row, "limit") - num_add_sat(sum[0], sum[1]);
	if (s->left < 0)
		s->left = 0;
	if (rule->period == WINDOW_TOTAL)
		return (0);
	s->from_ms = span->first_ms;
	s->to_ms = span->end_ms;
	s->renews_ms = span->end_ms;
	if (rule->period == WINDOW_ROLLING) {
		s->renews_ms = 0;
		if ((sum[0] > 0 || sum[1] > 0) &&
		    window_of(rule, sum[2], &oldest) == 0)
			s->renews_ms = oldest.leaves_ms;
	}
	return (0);
}

/* Both forms of a time; null where there is none. */
static int
put_time(json_t *row, const char *ms_key, const char *key, int64_t ms,
    const struct zone *z)
{
	char text[ZONE_RFC3339_SIZE];

	if (ms == 0)
		return (json_object_set_new(row, ms_key, json_null()) |
		    json_object_set_new(row, key, json_null()));
	zone_rfc3339(z, ms, text);
	return (json_object_set_new(row, ms_key, json_integer(ms)) |
	    json_object_set_new(row, key, json_string(text)));
}

static int
put_standing(json_t *row, const struct standing *s, const struct zone *z,
    struct err *err)
{
	static const char *const names[] = { "spent", "reserved", "left" };
	const int64_t values[] = { s->spent, s->reserved, s->left };
	size_t i;
	int rc = 0;

	for (i = 0; i < NITEMS(names); i++)
		rc |= json_object_set_new(row, names[i], z != NULL ?
		    json_integer(values[i]) : json_null());
	rc |= put_time(row, "from_ms", "from", s->from_ms, z);
	rc |= put_time(row, "to_ms", "to", s->to_ms, z);
	rc |= put_time(row, "renews_ms", "renews", s->renews_ms, z);
	if (rc != 0)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (rc);
}

/* Add to a budget how it stands; "person" is "user" for people. */
static int
complete(struct store *st, json_t *row, struct err *err)
{
	struct zone *z = zone_new(text_of(row, "zone"), NULL);
	const struct window_rule rule = {
		.period = window_period(text_of(row, "period")),
		.length_ms = int_of(row, "length_ms"),
		.anchor_ms = int_of(row, "anchor_ms"),
		.zone = z,
	};
	struct standing s = { 0 };
	struct window_span span;
	int rc = 0;

	if (strcmp(text_of(row, "on"), "person") == 0)
		rc = json_object_set_new(row, "on", json_string("user"));
	if (rc == 0 && z != NULL &&
	    window_of(&rule, store_now_ms(st), &span) == 0)
		rc = read_standing(st, row, &rule, &span, &s, err);
	if (rc == 0)
		rc = put_standing(row, &s, z, err);
	zone_free(z);
	return (rc);
}

static json_t *
view(struct store *st, enum stmt_id id, const struct store_value *params,
    size_t nparams, struct err *err)
{
	json_t *rows, *row;
	size_t i;

	rows = query_rows(st, id, params, nparams, fields, NITEMS(fields),
	    err);
	if (rows == NULL)
		return (NULL);
	json_array_foreach(rows, i, row) {
		if (complete(st, row, err)) {
			json_decref(rows);
			return (NULL);
		}
	}
	return (rows);
}

/* ${scope} as the schema has it. */
static json_t *
list(struct store *st, const char *name, const char *scope, const char *of,
    struct err *err)
{
	const struct store_value params[] = {
		store_text(name), store_text(name),
		store_text(scope), store_text(scope),
		store_text(of), store_text(of),
	};

	return (view(st, STMT_BUDGET_LIST, params, NITEMS(params), err));
}

json_t *
budget_view_page(struct store *st, int64_t limit, int64_t offset,
    int64_t *total, struct err *err)
{
	const struct store_value params[] = {
		store_int(limit), store_int(offset)
	};

	if (store_one(st, STMT_BUDGET_COUNT, NULL, 0, total, 1, err) == -1)
		return (NULL);
	return (view(st, STMT_BUDGET_PAGE, params, NITEMS(params), err));
}

json_t *
budget_view_list(struct store *st, struct err *err)
{

	return (list(st, "", "", "", err));
}

json_t *
budget_view_on(struct store *st, const char *scope, const char *of,
    struct err *err)
{

	return (list(st, "", strcmp(scope, "user") == 0 ? "person" : scope, of,
	    err));
}

json_t *
budget_view_show(struct store *st, const char *name, struct err *err)
{
	json_t *rows, *row;

	if ((rows = list(st, name, "", "", err)) == NULL)
		return (NULL);
	if ((row = json_incref(json_array_get(rows, 0))) == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no budget \"%s\"", name);
	json_decref(rows);
	return (row);
}

void
budget_view_veil(json_t *budgets)
{
	static const char *const members[] = { "spent", "reserved", "left" };
	json_t *row;
	size_t i, j;

	json_array_foreach(budgets, i, row) {
		if (strcmp(text_of(row, "on"), "group") != 0)
			continue;
		for (j = 0; j < NITEMS(members); j++)
			(void)json_object_set_new(row, members[j],
			    json_null());
	}
}

json_t *
budget_view_key(struct store *st, const char *key, struct err *err)
{
	const struct store_value param = store_text(key);

	return (view(st, STMT_BUDGET_LIST_KEY, &param, 1, err));
}
