#include "config.h"

#include "visit.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"

/* The names of a list's items, "a b c", and what "total" says. */
struct listed {
	char names[1024];
	int64_t total;
};

static struct listed
list(struct visit *v, const char *path)
{
	struct listed l = { .names = "" };
	const json_t *item;
	size_t i, n = 0;

	assert_int_equal(visit(v, "GET", path, NULL), 200);
	l.total = desk_int(v->body, "total");
	json_array_foreach(json_object_get(v->body, "items"), i, item)
		n += (size_t)snprintf(l.names + n, sizeof(l.names) - n,
		    "%s%s", i > 0 ? " " : "",
		    json_string_value(json_object_get(item, "name")));
	return (l);
}

static void
cooldown(struct desk *d, const char *account, const char *family,
    const char *reason, int64_t for_ms, int stated)
{
	const int64_t now = store_now_ms(d->st);

	desk_sql(d, "INSERT INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, observed_ms) SELECT id, '%s', '%s', "
	    "%lld, %lld, %d, %lld FROM account WHERE name = '%s'", family,
	    reason, (long long)now - 100000, (long long)(now + for_ms),
	    stated, (long long)now - 100000, account);
}

/* In the order of their names; d and e of group g, f disabled. */
static void
fill(struct desk *d)
{
	const char *name;

	for (name = "abcdef"; *name != '\0'; name++)
		desk_account(d, (char[]) { *name, 'X', '\0' }, 1);
	desk_sql(d, "INSERT INTO account_group (id, name, created_ms) "
	    "VALUES (7, 'g', 1), (8, 'empty', 1)");
	desk_sql(d, "UPDATE account SET group_id = 7 "
	    "WHERE name IN ('dX', 'eX')");
	desk_sql(d, "UPDATE account SET enabled = 0 WHERE name = 'fX'");
	desk_sql(d, "UPDATE account SET platform = 'claude_console', "
	    "base_url = 'https://100%%.Example' WHERE name = 'bX'");
	cooldown(d, "aX", "", "rate_limited", 60000, 1);
	cooldown(d, "bX", "", "upstream_error", -1000, 0);
	cooldown(d, "cX", "", "rate_limited", -1000, 1);	/* over */
	cooldown(d, "dX", "claude-opus", "overloaded", 60000, 0);
}

static void
accounts_are_filtered_and_paged(void **state)
{
	static const struct {
		const char *query, *names;
		int64_t total;
	} cases[] = {
		{ "", "aX bX cX dX eX fX", 6 },
		{ "?limit=2", "aX bX", 6 },
		{ "?limit=2&page=3", "eX fX", 6 },
		{ "?limit=2&page=9", "", 6 },	/* beyond the end */
		{ "?state=open", "aX", 1 },
		{ "?state=half-open", "bX", 1 },
		{ "?state=closed", "cX dX eX fX", 4 },
		{ "?state=closed&limit=1&page=2", "dX", 4 },
		{ "?state=enabled", "aX bX cX dX eX", 5 },
		{ "?state=disabled", "fX", 1 },
		{ "?platform_type=claude_console", "bX", 1 },
		{ "?group=g", "dX eX", 2 },
		{ "?group=g&group_id=7", "dX eX", 2 },
		{ "?group=g&group_id=8", "", 0 },
		{ "?group=nobody", "", 0 },
		{ "?group=&limit=2", "aX bX", 4 },
		{ "?group_id=0&state=closed", "cX fX", 2 },
		{ "?group_id=8", "", 0 },
		{ "?q=Bx", "bX", 1 },
		{ "?q=0%25.eX", "bX", 1 },	/* no pattern */
		{ "?q=%25", "bX", 1 },
		{ "?q=_", "", 0 },
	};
	struct desk *d = *state;
	char path[128];
	struct listed l;
	struct visit v;
	size_t i;

	fill(d);
	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(path, sizeof(path), "/admin/accounts%s",
		    cases[i].query);
		l = list(&v, path);
		if (strcmp(l.names, cases[i].names) != 0 ||
		    l.total != cases[i].total)
			fail_msg("%s: \"%s\" of %lld", path, l.names,
			    (long long)l.total);
	}
	visit_expect(&v, 40001, "GET", "/admin/accounts?state=tired", NULL);
	visit_expect(&v, 40001, "GET", "/admin/accounts?group_id=x", NULL);
	visit_expect(&v, 40001, "GET", "/admin/accounts?limit=0", NULL);
	visit_fini(&v);
}

static void
keys_and_users_are_found_by_a_part(void **state)
{
	struct desk *d = *state;
	struct listed l;
	struct visit v, ulf;

	visit_init(&v, d);
	visit_init(&ulf, d);
	visit_join(&v, d, "operator", "olga");
	visit_join(&ulf, d, "user", "Ulf_%");
	desk_sql(d, "INSERT INTO api_key (name, visible, hash, person_id, "
	    "created_ms) SELECT 'Laptop', 'v', 'h1', id, 1 FROM person "
	    "WHERE name = 'Ulf_%%'");
	desk_sql(d, "INSERT INTO api_key (name, visible, hash, created_ms) "
	    "VALUES ('desktop', 'v', 'h2', 1), ('ci', 'v', 'h3', 1)");
	l = list(&v, "/api-keys?q=TOP");
	assert_string_equal(l.names, "Laptop desktop");
	assert_int_equal(l.total, 2);
	l = list(&v, "/api-keys?q=top&limit=1&page=2");
	assert_string_equal(l.names, "desktop");
	assert_int_equal(l.total, 2);
	assert_int_equal(list(&v, "/api-keys?q=%25").total, 0);
	assert_int_equal(list(&v, "/api-keys?q=").total, 3);
	l = list(&ulf, "/api-keys?q=top");	/* no one else's */
	assert_string_equal(l.names, "Laptop");
	assert_int_equal(l.total, 1);
	l = list(&v, "/admin/users?q=f_%25");
	assert_string_equal(l.names, "Ulf_%");
	assert_int_equal(l.total, 1);
	assert_int_equal(list(&v, "/admin/users?q=nobody").total, 0);
	visit_expect(&v, 40001, "GET", "/api-keys?q=%XX", NULL);
	visit_fini(&v);
	visit_fini(&ulf);
}

/* The filter's word is the one that the account shows. */
static void
breakers_are_as_shown(void **state)
{
	static const char *const states[] = { "closed", "half-open", "open" };
	struct desk *d = *state;
	const json_t *item;
	char path[64];
	struct visit v;
	size_t i, k;
	int n = 0;

	fill(d);
	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		(void)snprintf(path, sizeof(path), "/admin/accounts?state=%s",
		    states[i]);
		assert_int_equal(visit(&v, "GET", path, NULL), 200);
		json_array_foreach(json_object_get(v.body, "items"), k, item) {
			assert_string_equal(json_string_value(json_object_get(
			    item, "breaker")), states[i]);
			assert_null(json_object_get(item, "fit"));
			n++;
		}
	}
	assert_int_equal(n, 6);
	assert_int_equal(visit(&v, "GET", "/admin/accounts?q=dX", NULL), 200);
	item = json_array_get(json_object_get(v.body, "items"), 0);
	assert_int_equal(json_array_size(json_object_get(item, "cooldowns")),
	    1);
	visit_fini(&v);
}

/* 1,600 rows, the first column a number each of its own. */
#define MANY	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 " \
    "FROM n WHERE i < 40) SELECT 100 * a.i + b.i, "
#define OF_MANY	"FROM n a, n b, person p WHERE p.name = 'ann'"

/* Nothing grows without end that is shown as a whole. */
static void
what_is_shown_whole_is_bounded(void **state)
{
	struct desk *d = *state;
	const int64_t now = store_now_ms(d->st);
	const json_t *newest;
	struct visit v;

	visit_init_ann(&v, d);
	desk_sql(d, "INSERT INTO api_key (name, visible, hash, person_id, "
	    "created_ms) " MANY "'v', 100 * a.i + b.i, p.id, 1 " OF_MANY);
	desk_sql(d, "INSERT INTO invitation (hash, role, invited_by, "
	    "created_ms, expires_ms) " MANY "'user', 'x', 1, 9000000000000 "
	    OF_MANY);
	desk_sql(d, "INSERT INTO sign_in (agent, hash, person_id, "
	    "created_ms, seen_ms, expires_ms, address) " MANY
	    "100 * a.i + b.i, p.id, %lld, %lld, 9000000000000, '' " OF_MANY
	    " ORDER BY a.i, b.i", (long long)now, (long long)now);
	assert_int_equal(visit(&v, "GET", "/auth/sign-ins", NULL), 200);
	assert_int_equal(json_array_size(v.body), 100);
	newest = json_array_get(v.body, 99);
	assert_string_equal(json_string_value(json_object_get(newest,
	    "agent")), "4040");
	assert_int_equal(visit(&v, "GET", "/admin/invitations", NULL), 200);
	assert_int_equal(json_array_size(v.body), 1000);
	assert_int_equal(visit(&v, "GET", "/admin/users/1", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "keys")),
	    1000);
	visit_fini(&v);
}

/* ---- the audit log ---- */

static void
change(struct desk *d, const char *actor, const char *verb,
    const char *object)
{
	const struct actor who = { ACTOR_PERSON, actor, "" };

	desk_works(d, store_begin(d->st, true, &d->err));
	desk_works(d, audit_add(d->st, &who, verb, object, NULL, NULL,
	    &d->err));
	desk_works(d, store_commit(d->st, &d->err));
}

/* Which rows each set of filters finds, newest first, by their number. */
static void
changes_are_found_by_each_filter(void **state)
{
	static const char *const rows[][3] = {
		{ "ann", "key.set", "k1" }, { "ann", "key.set", "k2" },
		{ "ann", "key.revoke", "k1" }, { "bob", "key.set", "k1" },
		{ "bob", "key.revoke", "k2" }, { "ann", "key.set", "k1" },
	};
	static const struct {
		struct audit_filter f;
		const char *found;
	} cases[] = {
		{ { .verb = NULL }, "654321" },
		{ { .verb = "", .actor = "" }, "654321" },
		{ { .actor = "bob" }, "54" },
		{ { .verb = "key.revoke" }, "53" },
		{ { .object = "k1" }, "6431" },
		{ { .actor = "ann", .verb = "key.set" }, "621" },
		{ { .actor = "ann", .object = "k1" }, "631" },
		{ { .verb = "key.set", .object = "k1" }, "641" },
		{ { .actor = "bob", .verb = "key.set", .object = "k1" }, "4" },
		{ { .actor = "bob", .verb = "key.set", .object = "k2" }, "" },
		{ { .actor = "eve" }, "" },
	};
	struct desk *d = *state;
	char found[16];
	int64_t first;
	json_t *list;
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		change(d, rows[i][0], rows[i][1], rows[i][2]);
	first = desk_number(d, "SELECT min(id) FROM audit");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct audit_filter f = cases[i].f;

		f.limit = 100;
		assert_non_null(list = audit_list(d->st, &f, &d->err));
		for (k = 0; k < json_array_size(list); k++)
			found[k] = (char)('1' + desk_int(json_array_get(list,
			    k), "id") - first);
		found[k] = '\0';
		assert_string_equal(found, cases[i].found);
		json_decref(list);

		/* Below the third, one row. */
		f.below = first + 2;
		f.limit = 1;
		assert_non_null(list = audit_list(d->st, &f, &d->err));
		assert_int_equal(json_array_size(list),
		    strpbrk(cases[i].found, "12") != NULL);
		json_decref(list);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(accounts_are_filtered_and_paged),
		DESK_TEST(keys_and_users_are_found_by_a_part),
		DESK_TEST(breakers_are_as_shown),
		DESK_TEST(what_is_shown_whole_is_bounded),
		DESK_TEST(changes_are_found_by_each_filter),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
