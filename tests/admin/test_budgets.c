#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/zone.h"
#include "ledger/meta.h"
#include "ledger/window.h"

#include "budget_rules.h"
#include "budget_view.h"
#include "groups.h"
#include "keys.h"
#include "users.h"

#define HOUR_MS		INT64_C(3600000)

/* A user u, a group g, and a key k of the one that is bound to the other. */
static void
people(struct desk *d)
{
	const struct user_change u = { .name = "u", .concurrency = -1 };
	const struct group_change g = { .name = "g", .concurrency = -1 };
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change k;

	desk_works(d, users_add(d->st, &u, &d->err));
	desk_works(d, groups_add(d->st, &g, &d->err));
	key_change_init(&k);
	k.name = "k";
	k.user = "u";
	k.bind = true;
	k.group = "g";
	desk_works(d, keys_create(d->st, &d->pepper, &k, key, &d->err));
}

/* A budget of $5 in total on key k, to be changed. */
static struct budget_spec
plain(void)
{

	return ((struct budget_spec) {
		.scope = "key",
		.of = "k",
		.kind = "money",
		.limit = INT64_C(5000000000),
		.anchor_ms = -1,
	});
}

static void
add(struct desk *d, const struct budget_spec *s)
{
	char name[BUDGET_NAME_SIZE];

	desk_works(d, budget_rules_add(d->st, s, name, &d->err));
}

static json_t *
shown(struct desk *d, const char *name)
{
	json_t *b = budget_view_show(d->st, name, &d->err);

	desk_works(d, b == NULL);
	return (b);
}

static const char *
text(const json_t *b, const char *key)
{
	const char *s = json_string_value(json_object_get(b, key));

	return (s != NULL ? s : "(none)");
}

static void
a_budget_is_named_after_what_it_counts(void **state)
{
	struct desk *d = *state;
	struct budget_spec s = plain();
	char name[BUDGET_NAME_SIZE];
	json_t *b;

	people(d);
	desk_works(d, budget_rules_add(d->st, &s, name, &d->err));
	assert_string_equal(name, "k-money-total");
	desk_works(d, budget_rules_add(d->st, &s, name, &d->err));
	assert_string_equal(name, "k-money-total-2");
	s.scope = "user";
	s.of = "u";
	s.kind = "output_tokens";
	s.period = "day";
	s.zone = "Europe/Berlin";
	s.models = "claude-opus*, x";
	s.policy = "strict";
	desk_works(d, budget_rules_add(d->st, &s, name, &d->err));
	assert_string_equal(name, "u-output_tokens-day");
	b = shown(d, name);
	assert_string_equal(text(b, "on"), "user");
	assert_string_equal(text(b, "of"), "u");
	assert_string_equal(text(b, "models"), "claude-opus*,x");
	assert_string_equal(text(b, "policy"), "strict");
	assert_string_equal(text(b, "zone"), "Europe/Berlin");
	assert_true(json_is_true(json_object_get(b, "enabled")));
	assert_int_equal(desk_int(b, "limit"), 5000000000);
	assert_int_equal(desk_int(b, "left"), 5000000000);
	json_decref(b);
	s.name = "k-money-total";
	desk_fails(d, budget_rules_add(d->st, &s, name, &d->err), ERR_EXISTS);
}

static void
what_is_no_budget_is_refused(void **state)
{
	struct desk *d = *state;
	static const struct {
		const char *what;
		enum err_code code;
		struct budget_spec spec;
	} cases[] = {
		{ "unknown scope", ERR_INVAL, { .scope = "team" } },
		{ "unknown key", ERR_NOT_FOUND, { .of = "x" } },
		{ "unknown user", ERR_NOT_FOUND, { .scope = "user" } },
		{ "unknown group", ERR_NOT_FOUND, { .scope = "group" } },
		{ "unknown kind", ERR_INVAL, { .kind = "joules" } },
		{ "below 0", ERR_INVAL, { .limit = -1 } },
		{ "far below 0", ERR_INVAL, { .limit = INT64_MIN } },
		{ "huge", ERR_INVAL, { .limit = BUDGET_LIMIT_MAX + 1 } },
		{ "unknown period", ERR_INVAL, { .period = "year" } },
		{ "empty period", ERR_INVAL, { .period = "" } },
		{ "fixed without length", ERR_INVAL, { .period = "fixed" } },
		{ "rolling, too short", ERR_INVAL, { .period = "rolling",
		    .length_ms = 59999 } },
		{ "rolling, too long", ERR_INVAL, { .period = "rolling",
		    .length_ms = WINDOW_MAX_LENGTH_MS + 1 } },
		{ "a length for a day", ERR_INVAL, { .period = "day",
		    .length_ms = HOUR_MS } },
		{ "a length for nothing", ERR_INVAL, { .length_ms = HOUR_MS } },
		{ "an anchor for a day", ERR_INVAL, { .period = "day",
		    .anchor_ms = 5 } },
		{ "an anchor out of time", ERR_INVAL, { .period = "fixed",
		    .length_ms = HOUR_MS, .anchor_ms = ZONE_MAX_MS + 1 } },
		{ "a zone for nothing", ERR_INVAL, { .zone = "UTC" } },
		{ "a zone that leads away", ERR_INVAL, { .period = "day",
		    .zone = "../../etc/passwd" } },
		{ "an unknown zone", ERR_INVAL, { .period = "week",
		    .zone = "Europe/Atlantis" } },
		{ "unknown policy", ERR_INVAL, { .policy = "lax" } },
		{ "empty model", ERR_INVAL, { .models = "a,,b" } },
		{ "a bad name", ERR_INVAL, { .name = " x" } },
		{ "an empty name", ERR_INVAL, { .name = "" } },
	};
	struct budget_spec s = { .of = "k", .kind = "tokens" };
	char name[BUDGET_NAME_SIZE];
	size_t i;

	people(d);
	desk_fails(d, budget_rules_add(d->st, &s, name, &d->err), ERR_INVAL);
	for (i = 0; i < NITEMS(cases); i++) {
		s = cases[i].spec;
		s.scope = s.scope != NULL ? s.scope : "key";
		s.of = s.of != NULL ? s.of : "k";
		s.kind = s.kind != NULL ? s.kind : "tokens";
		s.anchor_ms = s.anchor_ms != 0 ? s.anchor_ms : -1;
		if (budget_rules_add(d->st, &s, name, &d->err) != -1 ||
		    d->err.code != cases[i].code)
			fail_msg("%s: %s", cases[i].what, d->err.text);
		err_clear(&d->err);
	}
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget"), 0);
}

/* What the command refuses, the stores refuse as well. */
static void
the_database_refuses_it_too(void **state)
{
	static const char row[] = "INSERT INTO budget (name, scope, scope_id, "
	    "kind, period, length_ms, anchor_ms, zone, models, policy, "
	    "limit_value, enabled, created_ms) VALUES (%s, %s, 1, %s, %s, %s, "
	    "0, %s, '', %s, %s, %s, 1)";
	static const struct {
		const char *what;
		const char *v[9];	/* NULL: a good one */
	} cases[] = {
		{ "no name", { "''" } },
		{ "NULL as name", { "NULL" } },
		{ "unknown scope", { NULL, "'user'" } },
		{ "unknown kind", { NULL, NULL, "'joules'" } },
		{ "unknown period", { NULL, NULL, NULL, "'year'" } },
		{ "no period", { NULL, NULL, NULL, "''" } },
		{ "fixed without length", { NULL, NULL, NULL, "'fixed'" } },
		{ "rolling without length", { NULL, NULL, NULL,
		    "'rolling'" } },
		{ "a length for a day", { NULL, NULL, NULL, "'day'",
		    "3600000" } },
		{ "too short", { NULL, NULL, NULL, "'fixed'", "59999" } },
		{ "too long", { NULL, NULL, NULL, "'rolling'",
		    "34560000001" } },
		{ "a negative length", { NULL, NULL, NULL, "'fixed'",
		    "-3600000" } },
		{ "a length that is no number", { NULL, NULL, NULL,
		    "'fixed'", "'an hour'" } },
		{ "no zone", { NULL, NULL, NULL, "'day'", NULL, "''" } },
		{ "NULL as zone", { NULL, NULL, NULL, "'day'", NULL,
		    "NULL" } },
		{ "unknown policy", { NULL, NULL, NULL, NULL, NULL, NULL,
		    "'lax'" } },
		{ "below 0", { NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		    "-1" } },
		{ "huge", { NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		    "9000000000000000001" } },
		{ "beyond 64 bits", { NULL, NULL, NULL, NULL, NULL, NULL,
		    NULL, "99999999999999999999" } },
		{ "a huge fraction", { NULL, NULL, NULL, NULL, NULL, NULL,
		    NULL, "1e300" } },
		{ "NaN", { NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		    "'NaN'" } },
		{ "infinity", { NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		    "'Infinity'" } },
		{ "no limit", { NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		    "NULL" } },
		{ "neither on nor off", { NULL, NULL, NULL, NULL, NULL, NULL,
		    NULL, NULL, "2" } },
	};
	static const char *const good[] = { "'n'", "'key'", "'money'",
	    "'total'", "0", "'UTC'", "'strict'", "5", "1" };
	struct desk *d = *state;
	const char *v[9];
	char sql[1024];
	size_t i, k;

	for (i = 0; i <= NITEMS(cases); i++) {
		for (k = 0; k < NITEMS(good); k++)
			v[k] = i < NITEMS(cases) && cases[i].v[k] != NULL ?
			    cases[i].v[k] : good[k];
		(void)snprintf(sql, sizeof(sql), row, v[0], v[1], v[2], v[3],
		    v[4], v[5], v[6], v[7], v[8]);
		if (raw_refuses(d->url, sql) != (i < NITEMS(cases)))
			fail_msg("%s", sql);
	}
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget"), 1);
	assert_true(raw_refuses(d->url, sql));
	assert_true(raw_refuses(d->url, "INSERT INTO budget_window "
	    "(budget_id, start_ms, spent) VALUES (1, 0, -1)"));
	assert_true(raw_refuses(d->url, "INSERT INTO budget_window "
	    "(budget_id, start_ms, reserved) VALUES (1, 0, -1)"));
	assert_true(raw_refuses(d->url, "INSERT INTO person (name, "
	    "concurrency, created_ms) VALUES ('p', -1, 1)"));
	assert_true(raw_refuses(d->url, "INSERT INTO account_group (name, "
	    "concurrency, created_ms) VALUES ('g', 100001, 1)"));
}

static void
so_it_does_with_times_that_are_none(void **state)
{
	static const char *const anchors[] = { "253402300800000",
	    "-62135596800001", "9223372036854775807", "NULL", "'NaN'" };
	static const char row[] = "INSERT INTO budget (name, scope, scope_id, "
	    "kind, period, length_ms, anchor_ms, limit_value, created_ms) "
	    "VALUES ('a%zu', 'key', 1, 'money', 'fixed', 3600000, %s, 1, 1)";
	struct desk *d = *state;
	char sql[512];
	size_t i;

	(void)snprintf(sql, sizeof(sql), row, NITEMS(anchors),
	    "253402300799999");
	assert_false(raw_refuses(d->url, sql));
	for (i = 0; i < NITEMS(anchors); i++) {
		(void)snprintf(sql, sizeof(sql), row, i, anchors[i]);
		assert_true(raw_refuses(d->url, sql));
		(void)snprintf(sql, sizeof(sql), "UPDATE budget SET "
		    "anchor_ms = %s", anchors[i]);
		assert_true(raw_refuses(d->url, sql));
	}
	assert_int_equal(desk_number(d, "SELECT anchor_ms FROM budget"),
	    253402300799999);
}

/* ---- how windows stand ---- */

static void
window_row(struct desk *d, int64_t start_ms, int spent, int reserved)
{

	desk_sql(d, "INSERT INTO budget_window (budget_id, start_ms, spent, "
	    "reserved) VALUES (1, %lld, %d, %d)", (long long)start_ms, spent,
	    reserved);
}

static void
a_day_counts_for_itself(void **state)
{
	struct desk *d = *state;
	struct budget_spec s = plain();
	struct window_rule rule = { .period = WINDOW_DAY };
	struct window_span span;
	struct zone *z;
	json_t *b;

	people(d);
	s.name = "b";
	s.kind = "tokens";
	s.limit = 1000;
	s.period = "day";
	s.zone = "Asia/Kathmandu";
	add(d, &s);
	rule.zone = z = zone_new(s.zone, NULL);
	assert_non_null(z);
	assert_int_equal(window_of(&rule, store_now_ms(d->st), &span), 0);
	window_row(d, span.start_ms - 24 * HOUR_MS, 500, 300);
	window_row(d, span.start_ms, 700, 20);
	b = shown(d, "b");
	assert_int_equal(desk_int(b, "spent"), 700);
	assert_int_equal(desk_int(b, "reserved"), 20);
	assert_int_equal(desk_int(b, "left"), 280);
	assert_int_equal(desk_int(b, "from_ms"), span.start_ms);
	assert_int_equal(desk_int(b, "renews_ms"), span.end_ms);
	assert_non_null(strstr(text(b, "renews"), "T00:00:00+05:45"));
	json_decref(b);
	desk_sql(d, "UPDATE budget_window SET spent = 1700");
	b = shown(d, "b");
	assert_int_equal(desk_int(b, "left"), 0);
	json_decref(b);
	zone_free(z);
}

static void
a_rolling_window_sums_its_buckets(void **state)
{
	struct desk *d = *state;
	struct budget_spec s = plain();
	int64_t bucket = 5 * HOUR_MS / 60, start;
	json_t *b;

	people(d);
	s.name = "b";
	s.kind = "requests";
	s.limit = 100;
	s.period = "rolling";
	s.length_ms = 5 * HOUR_MS;
	add(d, &s);
	b = shown(d, "b");
	assert_true(json_is_null(json_object_get(b, "renews_ms")));
	json_decref(b);
	/* A bucket later would still be in it, were the clock to go on. */
	start = store_now_ms(d->st) / bucket * bucket;
	window_row(d, -1, 7, 0);
	window_row(d, start - 62 * bucket, 1, 0);
	window_row(d, start - 61 * bucket, 2, 0);
	window_row(d, start - 58 * bucket, 0, 0);
	window_row(d, start - 57 * bucket, 4, 8);
	window_row(d, start, 16, 32);
	b = shown(d, "b");
	assert_int_equal(desk_int(b, "spent"), 20);
	assert_int_equal(desk_int(b, "reserved"), 40);
	assert_int_equal(desk_int(b, "left"), 40);
	assert_int_equal(desk_int(b, "renews_ms"), start + 4 * bucket);
	json_decref(b);
}

static void
all_time_has_no_end(void **state)
{
	struct desk *d = *state;
	struct budget_spec s = plain();
	json_t *b;

	people(d);
	s.name = "b";
	s.disabled = true;
	add(d, &s);
	window_row(d, 0, 40, 2);
	b = shown(d, "b");
	assert_int_equal(desk_int(b, "left"), 5000000000 - 42);
	assert_true(json_is_null(json_object_get(b, "from_ms")));
	assert_true(json_is_null(json_object_get(b, "renews")));
	assert_true(json_is_false(json_object_get(b, "enabled")));
	json_decref(b);
}

static void
a_zone_that_went_away_is_told(void **state)
{
	struct desk *d = *state;
	struct budget_spec s = plain();
	json_t *b;

	people(d);
	s.name = "b";
	s.period = "month";
	add(d, &s);
	desk_sql(d, "UPDATE budget SET zone = 'Europe/Atlantis'");
	b = shown(d, "b");
	assert_true(json_is_null(json_object_get(b, "spent")));
	assert_true(json_is_null(json_object_get(b, "renews")));
	json_decref(b);
}

/* ---- changes ---- */

static void
a_change_leaves_what_was_counted(void **state)
{
	struct desk *d = *state;
	struct budget_change c = { .kind = "money", .limit = 9,
		.enabled = -1 };
	struct budget_spec s = plain();
	int64_t before, after;
	json_t *b;

	people(d);
	s.name = "b";
	add(d, &s);
	s.name = "other";
	add(d, &s);
	window_row(d, 0, 40, 2);
	desk_works(d, meta_config_version(d->st, &before, &d->err));
	desk_works(d, budget_rules_set(d->st, "b", &c, &d->err));
	desk_works(d, meta_config_version(d->st, &after, &d->err));
	assert_int_equal(after, before + 1);
	c = (struct budget_change) { .models = "x*", .policy = "strict",
		.name = "c", .enabled = 0 };
	desk_works(d, budget_rules_set(d->st, "b", &c, &d->err));
	b = shown(d, "c");
	assert_int_equal(desk_int(b, "spent"), 40);
	assert_int_equal(desk_int(b, "reserved"), 2);
	assert_int_equal(desk_int(b, "limit"), 9);
	assert_int_equal(desk_int(b, "left"), 0);
	assert_string_equal(text(b, "models"), "x*");
	assert_string_equal(text(b, "policy"), "strict");
	assert_true(json_is_false(json_object_get(b, "enabled")));
	json_decref(b);
	c = (struct budget_change) { .name = "other", .enabled = -1 };
	desk_fails(d, budget_rules_set(d->st, "c", &c, &d->err), ERR_EXISTS);
	desk_fails(d, budget_rules_set(d->st, "b", &c, &d->err),
	    ERR_NOT_FOUND);
}

static void
a_change_is_checked_as_a_new_one_is(void **state)
{
	static const struct budget_change cases[] = {
		{ .kind = "tokens", .limit = 5, .enabled = -1 },
		{ .kind = "money", .limit = -1, .enabled = -1 },
		{ .kind = "money", .limit = BUDGET_LIMIT_MAX + 1,
		    .enabled = -1 },
		{ .policy = "lax", .enabled = -1 },
		{ .models = ",", .enabled = -1 },
		{ .name = "", .enabled = -1 },
	};
	struct desk *d = *state;
	struct budget_spec s = plain();
	size_t i;

	people(d);
	s.name = "b";
	add(d, &s);
	for (i = 0; i < NITEMS(cases); i++)
		desk_fails(d, budget_rules_set(d->st, "b", &cases[i],
		    &d->err), ERR_INVAL);
	assert_int_equal(desk_number(d, "SELECT limit_value FROM budget"),
	    5000000000);
}

static void
a_budget_in_use_is_switched_off_and_stays(void **state)
{
	struct desk *d = *state;
	struct budget_spec s = plain();

	people(d);
	s.name = "b";
	add(d, &s);
	window_row(d, 0, 40, 2);
	desk_fails(d, budget_rules_remove(d->st, "b", &d->err), ERR_EXISTS);
	assert_int_equal(desk_number(d, "SELECT enabled FROM budget"), 0);
	assert_int_equal(desk_number(d, "SELECT spent FROM budget_window"),
	    40);
	desk_sql(d, "UPDATE budget_window SET reserved = 0");
	desk_works(d, budget_rules_remove(d->st, "b", &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget_window"),
	    0);
	desk_fails(d, budget_rules_remove(d->st, "b", &d->err),
	    ERR_NOT_FOUND);
}

static void
a_key_counts_against_any_number(void **state)
{
	static const char *const on[][2] = {
		{ "user", "u" }, { "group", "g" }, { "key", "k" }
	};
	struct desk *d = *state;
	struct budget_spec s = plain();
	json_t *j;
	int i;

	people(d);
	s.kind = "requests";
	for (i = 0; i < 360; i++) {
		s.scope = on[i % 3][0];
		s.of = on[i % 3][1];
		add(d, &s);
	}
	j = keys_show(d->st, "k", &d->err);
	desk_works(d, j == NULL);
	desk_works(d, keys_explain(d->st, j, 2048, &d->err));
	assert_int_equal(json_array_size(json_object_get(j, "budgets")), 360);
	/* All but the user's oldest and the group's never refuse anything. */
	assert_int_equal(json_array_size(json_object_get(j, "notes")), 358);
	json_decref(j);
	/* Names are numbered without gaps, and one that is free is taken. */
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget WHERE "
	    "name = 'k-requests-total-120' OR name = 'g-requests-total-120' "
	    "OR name = 'g-requests-total-121'"), 2);
}

/* So many that the responders have no room for more. */
static void
fill(struct desk *d)
{
#define TEN	"(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION "	\
		"SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION "		\
		"SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
	desk_sql(d, "INSERT INTO budget (name, scope, scope_id, kind, "
	    "limit_value, created_ms) SELECT 1000000 + a.n * 10000 + "
	    "b.n * 1000 + c.n * 100 + d.n * 10 + e.n, 'key', 9999, 'money', "
	    "1, 1 FROM " TEN " a, " TEN " b, " TEN " c, " TEN " d, " TEN " e "
	    "WHERE NOT (a.n = 9 AND b.n = 9 AND c.n = 9 AND d.n = 9 AND "
	    "e.n = 9)");
#undef TEN
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget"),
	    LIMIT_BUDGETS - 1);
}

static void
all_together_are_as_many_as_responders_can_keep(void **state)
{
	struct desk *d = *state;
	struct budget_spec s = plain();
	struct budget_change c = { .enabled = 1 };
	struct key_change k;
	char name[BUDGET_NAME_SIZE], key[SEAL_CLIENT_KEY_SIZE];

	people(d);
	fill(d);
	s.name = "last";
	add(d, &s);
	s.name = "one more";
	desk_fails(d, budget_rules_add(d->st, &s, name, &d->err), ERR_INVAL);
	s.disabled = true;
	add(d, &s);
	desk_fails(d, budget_rules_set(d->st, "one more", &c, &d->err),
	    ERR_INVAL);
	key_change_init(&k);
	k.budget_nusd = 5;
	k.name = "k2";
	desk_fails(d, keys_create(d->st, &d->pepper, &k, key, &d->err),
	    ERR_INVAL);
	c.enabled = 0;
	desk_works(d, budget_rules_set(d->st, "last", &c, &d->err));
	desk_works(d, keys_create(d->st, &d->pepper, &k, key, &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget "
	    "WHERE enabled = 1"), LIMIT_BUDGETS);
}

static void
whatever_has_budgets_stays(void **state)
{
	const struct user_change u = { .name = "v", .concurrency = 3 };
	const struct group_change g = { .name = "h", .concurrency = 4 };
	struct desk *d = *state;
	struct budget_spec s = plain();

	people(d);
	desk_works(d, users_add(d->st, &u, &d->err));
	desk_works(d, groups_add(d->st, &g, &d->err));
	s.scope = "user";
	s.of = s.name = "v";
	add(d, &s);
	s.scope = "group";
	s.of = s.name = "h";
	add(d, &s);
	desk_fails(d, users_remove(d->st, "v", &d->err), ERR_EXISTS);
	desk_fails(d, groups_remove(d->st, "h", &d->err), ERR_EXISTS);
	desk_works(d, budget_rules_remove(d->st, "v", &d->err));
	desk_works(d, budget_rules_remove(d->st, "h", &d->err));
	desk_works(d, users_remove(d->st, "v", &d->err));
	desk_works(d, groups_remove(d->st, "h", &d->err));
	s.scope = "key";
	s.of = "k";
	s.name = NULL;
	desk_works(d, keys_revoke(d->st, "k", &d->err));
	desk_fails(d, budget_rules_add(d->st, &s, (char[BUDGET_NAME_SIZE]){ 0
	    }, &d->err), ERR_EXISTS);
}

static void
a_key_shows_all_budgets_that_hold_for_it(void **state)
{
	static const char *const names[] = { "mine", "of-u", "of-g" };
	struct desk *d = *state;
	struct budget_spec s = plain();
	struct key_change k;
	json_t *j, *list;
	size_t i;

	people(d);
	s.name = names[0];
	add(d, &s);
	s.scope = "user";
	s.of = "u";
	s.name = names[1];
	s.limit = 0;
	add(d, &s);
	s.scope = "group";
	s.of = "g";
	s.name = names[2];
	s.limit = 1000;
	add(d, &s);
	j = keys_show(d->st, "k", &d->err);
	desk_works(d, j == NULL);
	desk_works(d, keys_explain(d->st, j, 2048, &d->err));
	list = json_object_get(j, "budgets");
	assert_int_equal(json_array_size(list), 3);
	for (i = 0; i < 3; i++)
		assert_string_equal(text(json_array_get(list, i), "name"),
		    names[i]);
	/* one of 0, one that it makes idle, two of money without prices */
	assert_int_equal(json_array_size(json_object_get(j, "notes")), 4);
	json_decref(j);
	key_change_init(&k);
	k.user = "";
	k.bind = true;
	desk_works(d, keys_set(d->st, "k", &k, &d->err));
	j = keys_show(d->st, "k", &d->err);
	desk_works(d, j == NULL);
	assert_int_equal(json_array_size(json_object_get(j, "budgets")), 1);
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_budget_is_named_after_what_it_counts),
		DESK_TEST(what_is_no_budget_is_refused),
		DESK_TEST(the_database_refuses_it_too),
		DESK_TEST(so_it_does_with_times_that_are_none),
		DESK_TEST(a_day_counts_for_itself),
		DESK_TEST(a_rolling_window_sums_its_buckets),
		DESK_TEST(all_time_has_no_end),
		DESK_TEST(a_zone_that_went_away_is_told),
		DESK_TEST(a_change_leaves_what_was_counted),
		DESK_TEST(a_change_is_checked_as_a_new_one_is),
		DESK_TEST(a_budget_in_use_is_switched_off_and_stays),
		DESK_TEST(a_key_counts_against_any_number),
		DESK_TEST(all_together_are_as_many_as_responders_can_keep),
		DESK_TEST(whatever_has_budgets_stays),
		DESK_TEST(a_key_shows_all_budgets_that_hold_for_it),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
