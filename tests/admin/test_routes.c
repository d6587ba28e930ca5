#include "visit.h"

#include <stdio.h>
#include <string.h>

#include "ledger/rollup.h"

#include "api.h"
#include "change.h"
#include "groups.h"

static json_int_t
number(const struct visit *v, const char *name)
{
	const json_t *j = json_object_get(v->body, name);

	if (!json_is_integer(j))
		fail_msg("the answer (%d) has no number \"%s\"", v->status,
		    name);
	return (json_integer_value(j));
}

static const char *
path_of(const struct visit *v, const char *under)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/%lld", under,
	    (long long)number(v, "id"));
	return (path);
}

/* A route finds a name by the id, and another renames, removes or renames and
 * makes anew before the route changes anything: it changes nothing. */
static void
an_id_stays_the_same_things(void **state)
{
	static const struct {
		const char *meanwhile;
		enum err_code code;	/* ERR_NONE: it works */
	} cases[] = {
		{ "UPDATE account_group SET name = name", ERR_NONE },
		{ "UPDATE account_group SET name = 'h' WHERE name = 'g'",
		    ERR_EXISTS },
		{ "DELETE FROM account_group WHERE name = 'g'",
		    ERR_NOT_FOUND },
	};
	const struct group_change g = { .name = "g", .concurrency = -1 },
	    set = { .concurrency = 7 };
	const struct http_request r = { .remote_addr = "192.0.2.1" };
	struct desk *d = *state;
	struct route_match m = { .nparams = 1 };
	struct api_call c;
	struct audit a;
	char id[24], name[LIMIT_NAME_BYTES];
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		desk_sql(d, "DELETE FROM account_group");
		desk_sql(d, "DELETE FROM audit");
		desk_works(d, groups_add(d->st, &g, &d->err));
		(void)snprintf(id, sizeof(id), "%lld", (long long)
		    desk_number(d, "SELECT id FROM account_group"));
		m.params[0].p = id;
		m.params[0].n = strlen(id);
		c = (struct api_call) {
			.store = d->st, .match = &m, .http = &r
		};
		desk_works(d, api_name(&c, STMT_NAME_OF_GROUP, name,
		    &d->err));
		desk_sql(d, "%s", cases[i].meanwhile);
		if (cases[i].code != ERR_NONE)
			desk_sql(d, "INSERT INTO account_group (id, name, "
			    "created_ms) "
			    "VALUES (%s + 100, 'g', 1)", id);
		api_audit(&c, &a, "group.set", name, NULL);
		if (cases[i].code == ERR_NONE)
			desk_works(d, groups_set(d->st, name, &set, &d->err));
		else
			desk_fails(d, groups_set(d->st, name, &set, &d->err),
			    cases[i].code);
		change_audit(d->st, NULL);
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "account_group WHERE concurrency = 7"), i == 0);
		assert_int_equal(desk_number(d, "SELECT count(*) FROM audit"),
		    i == 0);
	}
}

/* MySQL compares names without the blanks at their ends. */
static void
names_with_a_blank_are_others(void **state)
{
	static const char *const bad[][2] = {
		{ "/admin/invitations", "{\"user\": \"bob \"}" },
		{ "/admin/invitations",
		    "{\"role\": \"user\", \"user\": \"bob  \"}" },
		{ "/api-keys", "{\"name\": \"l\", \"user\": \"bob \"}" },
		{ "/api-keys", "{\"name\": \"l\", \"group\": \"g \"}" },
		{ "/api-keys", "{\"name\": \"l\", \"account\": \"a \"}" },
		{ "/budgets", "{\"on\": \"key\", \"of\": \"k \", "
		    "\"counts\": \"money\", \"limit\": 1}" },
		{ "/aliases", "{\"on\": \"group\", \"of\": \"g \", "
		    "\"alias\": \"x\", \"model\": \"y\"}" },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	desk_account(d, "a", 1);
	assert_int_equal(visit(&v, "POST", "/admin/users",
	    "{\"name\": \"bob\"}"), 201);
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	assert_int_equal(visit(&v, "POST", "/api-keys",
	    "{\"name\": \"k\"}"), 201);
	for (i = 0; i < NITEMS(bad); i++) {
		if (visit(&v, "POST", bad[i][0], bad[i][1]) != 404)
			fail_msg("%s %s: %d", bad[i][0], bad[i][1], v.status);
	}
	visit_fini(&v);
}

static void
users_are_added_changed_and_removed(void **state)
{
	struct desk *d = *state;
	char path[64];
	struct visit v;

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/admin/users",
	    "{\"name\": \"<b>bob\", \"concurrency\": 3}"), 201);
	assert_string_equal(visit_text(&v, "role"), "user");
	(void)snprintf(path, sizeof(path), "%s", path_of(&v,
	    "/admin/users"));
	visit_expect(&v, 40901, "POST", "/admin/users",
	    "{\"name\": \"<b>bob\"}");
	assert_int_equal(visit(&v, "PATCH", path,
	    "{\"name\": \"bob\", \"role\": \"operator\"}"), 200);
	assert_string_equal(visit_text(&v, "role"), "operator");
	assert_int_equal(number(&v, "concurrency"), 3);
	assert_int_equal(visit(&v, "GET", path, NULL), 200);
	assert_string_equal(visit_text(&v, "name"), "bob");
	assert_null(json_object_get(v.body, "password"));
	assert_int_equal(visit(&v, "GET", "/admin/users?limit=1&page=2",
	    NULL), 200);
	assert_int_equal(number(&v, "total"), 2);
	assert_int_equal(json_array_size(json_object_get(v.body, "items")),
	    1);
	visit_expect(&v, 40001, "GET", "/admin/users?limit=0", NULL);
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	visit_expect(&v, 40401, "GET", path, NULL);
	visit_expect(&v, 40401, "DELETE", path, NULL);
	visit_expect(&v, 40401, "PATCH", path, "{}");

	assert_int_equal(visit(&v, "GET", "/logs?object=bob", NULL), 200);
	assert_int_equal(json_array_size(v.body), 2);
	assert_string_equal(json_string_value(json_object_get(json_object_get(
	    json_array_get(v.body, 1), "before"), "role")), "user");
	assert_string_equal(json_string_value(json_object_get(json_object_get(
	    json_array_get(v.body, 1), "after"), "role")), "operator");
	visit_fini(&v);
}

static void
the_last_administrator_stays(void **state)
{
	struct desk *d = *state;
	char path[64];
	struct visit v, other;

	visit_init_ann(&v, d);
	visit_init(&other, d);
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	(void)snprintf(path, sizeof(path), "%s", path_of(&v,
	    "/admin/users"));
	visit_expect(&v, 40901, "PATCH", path, "{\"role\": \"user\"}");
	visit_expect(&v, 40901, "PATCH", path, "{\"enabled\": false}");
	visit_join(&other, d, "admin", "bob");
	assert_int_equal(visit(&v, "PATCH", path, "{\"role\": \"user\"}"),
	    200);
	visit_expect(&v, 40301, "PATCH", path, "{\"role\": \"admin\"}");
	assert_int_equal(visit(&other, "PATCH", path,
	    "{\"enabled\": false}"), 200);
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	visit_fini(&v);
	visit_fini(&other);
}

static void
groups_and_budgets_are_kept(void **state)
{
	struct desk *d = *state;
	char group[64], budget[64];
	struct visit v;

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\", "
	    "\"strategy\": \"round_robin\"}"), 201);
	(void)snprintf(group, sizeof(group), "%s", path_of(&v, "/groups"));
	assert_string_equal(visit_text(&v, "strategy"), "round_robin");
	assert_int_equal(visit(&v, "PATCH", group, "{\"concurrency\": 5}"),
	    200);
	assert_int_equal(number(&v, "concurrency"), 5);

	assert_int_equal(visit(&v, "POST", "/budgets", "{\"on\": \"group\", "
	    "\"of\": \"g\", \"counts\": \"money\", \"limit\": 5000000000, "
	    "\"period\": \"month\", \"zone\": \"Europe/Berlin\"}"), 201);
	(void)snprintf(budget, sizeof(budget), "%s", path_of(&v,
	    "/budgets"));
	assert_int_equal(visit(&v, "PATCH", budget,
	    "{\"counts\": \"money\", \"limit\": 1, \"enabled\": false}"),
	    200);
	assert_true(json_is_false(json_object_get(v.body, "enabled")));
	visit_expect(&v, 40001, "PATCH", budget, "{\"limit\": 7}");
	visit_expect(&v, 40001, "PATCH", budget,
	    "{\"counts\": \"tokens\", \"limit\": 7}");
	visit_expect(&v, 40901, "DELETE", group, NULL);
	assert_int_equal(visit(&v, "DELETE", budget, NULL), 200);
	assert_int_equal(visit(&v, "DELETE", group, NULL), 200);
	visit_expect(&v, 40401, "GET", group, NULL);
	visit_fini(&v);
}

static void
a_key_is_shown_once(void **state)
{
	struct desk *d = *state;
	struct visit v, other;
	char path[64], secret[64], *text;

	visit_init_ann(&v, d);
	visit_init(&other, d);
	visit_join(&other, d, "user", "bob");
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	assert_int_equal(visit(&v, "POST", "/api-keys", "{\"name\": \"k\", "
	    "\"user\": \"bob\", \"group\": \"g\", \"rate\": \"60/1m\", "
	    "\"from\": \"192.0.2.0/24\", \"drain_s\": 5}"), 201);
	(void)snprintf(secret, sizeof(secret), "%s", visit_text(&v, "key"));
	assert_int_equal(strncmp(secret, "sk-lh-", 6), 0);
	assert_string_equal(visit_text(&v, "bound_to"), "g");
	assert_int_equal(number(&v, "rate_ms"), 60000);
	assert_int_equal(number(&v, "drain_ms"), 5000);
	(void)snprintf(path, sizeof(path), "%s", path_of(&v, "/api-keys"));
	assert_int_equal(visit(&v, "PATCH", path, "{\"group\": null, "
	    "\"models\": \"claude-*\"}"), 200);
	assert_string_equal(visit_text(&v, "bind"), "pool");
	assert_null(json_object_get(v.body, "key"));
	assert_null(json_object_get(v.body, "hash"));
	visit_expect(&v, 40001, "PATCH", path, "{\"expires_ms\": 5}");
	visit_expect(&v, 40001, "PATCH", path, "{\"from\": \"all\"}");
	visit_expect(&v, 40001, "PATCH", path, "{\"rate\": \"fast\"}");
	visit_expect(&v, 40401, "PATCH", path, "{\"group\": \"nope\"}");

	/* Users see their own. */
	assert_int_equal(visit(&v, "POST", "/api-keys",
	    "{\"name\": \"of nobody\"}"), 201);
	assert_int_equal(visit(&other, "GET", "/api-keys", NULL), 200);
	assert_int_equal(number(&other, "total"), 1);
	assert_int_equal(visit(&other, "GET", path, NULL), 200);
	visit_expect(&other, 40401, "GET", path_of(&v, "/api-keys"), NULL);
	visit_expect(&other, 40301, "PATCH", path, "{\"budget_nusd\": 1}");

	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	assert_int_equal(visit(&v, "GET", "/logs?object=k", NULL), 200);
	assert_int_equal(json_array_size(v.body), 3);
	text = json_dumps(v.body, 0);
	assert_null(strstr(text, secret));
	free(text);
	visit_fini(&v);
	visit_fini(&other);
}

static void
an_accounts_secret_goes_in_and_never_out(void **state)
{
	static const char secret[] = "sk-ant-very-secret-0123456789";
	struct desk *d = *state;
	struct visit v, operator;
	char path[64], wake[80], *text;

	visit_init_ann(&v, d);
	visit_init(&operator, d);
	visit_join(&operator, d, "operator", "olga");
	visit_expect(&v, 40001, "POST", "/admin/accounts",
	    "{\"name\": \"a\", \"platform_type\": \"claude\"}");
	assert_int_equal(visit(&v, "POST", "/admin/accounts", "{\"name\": "
	    "\"a\", \"platform_type\": \"claude\", \"request_url\": "
	    "\"https://api.anthropic.com\", \"credential\": \"api_key\", "
	    "\"secret_key\": \"sk-ant-very-secret-0123456789\", "
	    "\"proxy\": \"http://me@proxy.example:3128\", "
	    "\"proxy_password\": \"proxy-secret\"}"), 201);
	(void)snprintf(path, sizeof(path), "%s", path_of(&v,
	    "/admin/accounts"));
	(void)snprintf(wake, sizeof(wake), "%s/wake", path);
	text = json_dumps(v.body, 0);
	assert_null(strstr(text, secret));
	assert_null(strstr(text, "proxy-secret"));
	free(text);

	assert_int_equal(visit(&operator, "PATCH", path,
	    "{\"enabled\": false, \"weight\": 7}"), 200);
	visit_expect(&operator, 40301, "PATCH", path,
	    "{\"secret_key\": \"sk-mine\"}");
	visit_expect(&operator, 40301, "PATCH", path,
	    "{\"request_url\": \"https://elsewhere.example\"}");
	visit_expect(&operator, 40301, "PATCH", path, "{\"proxy\": \"\"}");
	visit_expect(&operator, 40301, "DELETE", path, NULL);
	assert_int_equal(visit(&operator, "POST", wake, NULL), 200);
	assert_int_equal(visit(&v, "GET",
	    "/admin/accounts?platform_type=claude&page=1&limit=10", NULL),
	    200);
	assert_int_equal(number(&v, "total"), 1);
	assert_int_equal(visit(&v, "GET",
	    "/admin/accounts?platform_type=gemini", NULL), 200);
	assert_int_equal(number(&v, "total"), 0);
	visit_expect(&v, 40001, "PATCH", path,
	    "{\"request_url\": \"http://api.anthropic.com\"}");
	visit_expect(&v, 40001, "PATCH", path,
	    "{\"secret_key\": \"a b\\r\\nx: y\"}");
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);

	assert_int_equal(visit(&v, "GET", "/logs", NULL), 200);
	text = json_dumps(v.body, 0);
	assert_non_null(strstr(text, "account.add"));
	assert_null(strstr(text, secret));
	assert_null(strstr(text, "proxy-secret"));
	free(text);
	visit_fini(&v);
	visit_fini(&operator);
}

/* Of each route: what is not a value is refused, and changes nothing. */
static void
bad_values_are_refused(void **state)
{
	static const struct {
		const char *path, *body;
	} bad[] = {
		{ "/admin/users", "{}" },
		{ "/admin/users", "{\"name\": \"\"}" },
		{ "/admin/users", "{\"name\": \" a\"}" },
		{ "/admin/users", "{\"name\": \"a\\nb\"}" },
		{ "/admin/users", "{\"name\": [\"a\"]}" },
		{ "/admin/users", "{\"name\": \"a\", \"concurrency\": -1}" },
		{ "/admin/users", "{\"name\": \"a\", \"concurrency\": 1.5}" },
		{ "/admin/users", "{\"name\": \"a\", \"role\": \"root\"}" },
		{ "/admin/users", "{\"name\": \"a\", \"enabled\": 1}" },
		{ "/admin/users", "{\"name\": \"a\", \"id\": 7}" },
		{ "/admin/users", "{\"name\": \"a\", \"password\": \"x\"}" },
		{ "/groups", "{\"name\": \"a\", \"strategy\": \"best\"}" },
		{ "/groups", "{\"name\": \"a\", \"concurrency\": 1e99}" },
		{ "/groups", "{\"name\": null}" },
		{ "/budgets", "{\"on\": \"group\", \"of\": \"g\", "
		    "\"counts\": \"money\", \"limit\": -1}" },
		{ "/budgets", "{\"on\": \"group\", \"of\": \"g\", "
		    "\"counts\": \"smiles\", \"limit\": 1}" },
		{ "/budgets", "{\"on\": \"world\", \"of\": \"g\", "
		    "\"counts\": \"money\", \"limit\": 1}" },
		{ "/budgets", "{\"on\": \"group\", \"of\": \"g\", "
		    "\"counts\": \"money\", \"limit\": 1, "
		    "\"period\": \"fortnight\"}" },
		{ "/budgets", "{\"on\": \"group\", \"of\": \"g\", "
		    "\"counts\": \"money\", \"limit\": 1, "
		    "\"zone\": \"Middle/Earth\", \"period\": \"day\"}" },
		{ "/admin/invitations", "{\"role\": \"none\"}" },
		{ "/auth/tokens", "{\"name\": \"t\", \"expires_ms\": 1}" },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	for (i = 0; i < NITEMS(bad); i++)
		visit_expect(&v, 40001, "POST", bad[i].path, bad[i].body);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account_group"),
	    1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM budget"), 0);
	visit_fini(&v);
}

/* Who may what: of each route the least role, which is in its row; nothing is
 * changed by one below.  What is for oneself is in test_sign_in. */
static void
each_route_asks_for_its_role(void **state)
{
	static const struct {
		const char *method, *path;
		bool body;
		enum role role;
	} routes[] = {
#define ROUTE(method, path, least, body, name) \
		{ method, path, body, ROLE_##least },
#include "routes.def"
#undef ROUTE
	};
	struct desk *d = *state;
	const char *path, *body;
	char buf[128];
	struct visit v;
	enum role role;
	size_t i;

	for (role = ROLE_NONE; role < ROLES; role++) {
		visit_init(&v, d);
		if (role != ROLE_NONE)
			visit_join(&v, d, role_word(role), role_word(role));
		for (i = 0; i < NITEMS(routes); i++) {
			path = visit_path(routes[i].path, buf);
			body = routes[i].body ? "{}" : NULL;
			if (strncmp(path, "/auth/", 6) == 0 ||
			    routes[i].role == ROLE_NONE)
				continue;
			if (role == ROLE_NONE) {
				visit_expect(&v, 40101, routes[i].method,
				    path, body);
			} else if (role < routes[i].role) {
				visit_expect(&v, 40301, routes[i].method,
				    path, body);
			} else {
				(void)visit(&v, routes[i].method, path, body);
				assert_int_not_equal(v.status, 401);
				assert_int_not_equal(v.status, 403);
				assert_true(v.status < 500);
			}
		}
		visit_fini(&v);
	}
}

/* One request of a cost, in the sums of now. */
static void
use(struct desk *d, int64_t key_id, int64_t person_id, int64_t cost_nusd)
{
	const int64_t hour = INT64_C(3600000), day = 24 * hour;
	const int64_t now_ms = store_now_ms(d->st);
	static const char *const tables[] = { "usage_hour", "usage_day" };
	char names[1024] = "", values[1024] = "";
	size_t i;

	for (i = 0; i < ROLLUP_NSUMS; i++) {
		(void)strcat(strcat(names, ", "), rollup_names[i]);
		(void)snprintf(values + strlen(values), 24, ", %lld",
		    i == ROLLUP_REQUESTS ? 1LL : i == ROLLUP_COST_NUSD ?
		    (long long)cost_nusd : 0LL);
	}
	for (i = 0; i < 2; i++)
		desk_sql(d, "INSERT INTO %s (start_ms, key_id, account_id, "
		    "group_id, person_id, model%s) VALUES (%lld, %lld, 0, 0, "
		    "%lld, 'm'%s)", tables[i], names,
		    (long long)(now_ms - now_ms % (i == 0 ? hour : day)),
		    (long long)key_id, (long long)person_id, values);
}

static void
users_see_what_they_used_alone(void **state)
{
	struct desk *d = *state;
	struct visit v, other;
	json_int_t id;

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "user", "ann");
	id = number(&v, "id");
	visit_join(&other, d, "operator", "olga");
	use(d, 1, id, 5);
	use(d, 2, number(&other, "id"), 700);
	assert_int_equal(visit(&v, "GET", "/usage", NULL), 200);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(
	    v.body, "total"), "cost_nusd")), 5);
	assert_int_equal(visit(&v, "GET", "/usage?user=olga&by=user", NULL),
	    200);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(
	    v.body, "total"), "cost_nusd")), 5);
	assert_int_equal(visit(&other, "GET", "/usage?by=user,model&per=day",
	    NULL), 200);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(
	    other.body, "total"), "cost_nusd")), 705);
	assert_int_equal(json_array_size(json_object_get(other.body,
	    "rows")), 2);
	assert_int_equal(visit(&other, "GET", "/usage?by=model&fields="
	    "cost_nusd,requests", NULL), 200);
	assert_int_equal(json_object_size(json_object_get(other.body,
	    "total")), 2);
	assert_int_equal(json_object_size(json_array_get(json_object_get(
	    other.body, "rows"), 0)), 5);
	visit_expect(&other, 40001, "GET", "/usage?fields=cost", NULL);
	visit_expect(&other, 40001, "GET", "/usage?fields=requests,", NULL);
	visit_expect(&other, 40001, "GET", "/usage?by=shoe", NULL);
	visit_expect(&other, 40001, "GET", "/usage?per=moon", NULL);
	visit_expect(&other, 40001, "GET", "/usage?zone=Middle/Earth", NULL);
	visit_expect(&other, 40401, "GET", "/usage?user=nobody", NULL);
	visit_expect(&other, 40001, "GET", "/requests?before=x", NULL);
	assert_int_equal(visit(&other, "GET", "/requests?limit=5", NULL),
	    200);
	assert_true(json_is_null(json_object_get(other.body, "next")));
	visit_fini(&v);
	visit_fini(&other);
}

/* A filter that cannot be read would show what nobody asked for. */
static void
malformed_queries_are_refused(void **state)
{
	static const char *const bad[] = {
		"/usage?key=%zz", "/usage?user=%0", "/usage?model=a%00b",
		"/usage?per=%", "/usage?format=csv&by=%ff%f",
		"/usage?format=comma-separated", "/usage?zone=",
		"/requests?account=%", "/requests?before=%4",
		"/requests?limit=%35%", "/requests?limit=99999999999999999999",
		"/requests?limit=", "/logs?verb=%00", "/logs?actor=a%2",
		"/admin/accounts?platform_type=%XX", "/admin/users?page=1%",
		"/prices?all=%"
	};
	struct desk *d = *state;
	char path[512];
	struct visit v;
	size_t i;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	for (i = 0; i < NITEMS(bad); i++)
		visit_expect(&v, 40001, "GET", bad[i], NULL);
	(void)snprintf(path, sizeof(path), "/requests?key=%0300d", 1);
	visit_expect(&v, 40001, "GET", path, NULL);
	assert_int_equal(visit(&v, "GET", "/logs?verb=a%20%62+c&=&x&&",
	    NULL), 200);
	visit_expect(&v, 40401, "GET", "/usage?user=%ff%c3", NULL);
	visit_fini(&v);
}

static void
tokens_of_the_installation_are_kept(void **state)
{
	struct desk *d = *state;
	struct visit v, script;
	char path[64], mine[64];

	visit_init_ann(&v, d);
	visit_init(&script, d);
	assert_int_equal(visit(&v, "POST", "/admin/tokens",
	    "{\"name\": \"backup\", \"read_only\": true}"), 201);
	(void)snprintf(script.bearer, sizeof(script.bearer), "%s",
	    visit_text(&v, "token"));
	assert_int_equal(visit(&script, "GET", "/groups", NULL), 200);
	visit_expect(&script, 40301, "POST", "/groups", "{\"name\": \"g\"}");
	visit_expect(&v, 40901, "POST", "/admin/tokens",
	    "{\"name\": \"backup\"}");
	visit_expect(&v, 40001, "POST", "/admin/tokens",
	    "{\"name\": \"t\", \"expires_ms\": 5}");
	assert_int_equal(visit(&v, "GET", "/admin/tokens", NULL), 200);
	assert_int_equal(number(&v, "total"), 1);
	(void)snprintf(path, sizeof(path), "/admin/tokens/%lld",
	    (long long)desk_int(json_array_get(json_object_get(v.body,
	    "items"), 0), "id"));

	/* One's own are in the log as well. */
	assert_int_equal(visit(&v, "POST", "/auth/tokens",
	    "{\"name\": \"mine\"}"), 201);
	assert_int_equal(visit(&v, "GET", "/auth/tokens", NULL), 200);
	(void)snprintf(mine, sizeof(mine), "/auth/tokens/%lld",
	    (long long)desk_int(json_array_get(v.body, 0), "id"));
	assert_int_equal(visit(&v, "DELETE", mine, NULL), 200);
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	visit_expect(&v, 40401, "DELETE", path, NULL);
	visit_expect(&script, 40101, "GET", "/groups", NULL);
	assert_int_equal(visit(&v, "GET", "/logs?verb=token.create", NULL),
	    200);
	assert_int_equal(json_array_size(v.body), 2);
	assert_int_equal(visit(&v, "GET", "/logs?verb=token.revoke", NULL),
	    200);
	assert_int_equal(json_array_size(v.body), 2);
	visit_fini(&v);
	visit_fini(&script);
}

static void
sums_are_compared(void **state)
{
	static const char report[] = "{\"report\": "
	    "\"usage_date_utc,model_version,usage_input_tokens_no_cache,"
	    "usage_input_tokens_cache_write_5m,"
	    "usage_input_tokens_cache_write_1h,"
	    "usage_input_tokens_cache_read,usage_output_tokens,"
	    "web_search_count\\n2026-11-01,claude-x,10,0,0,0,5,0\\n\", "
	    "\"tolerance\": \"0.5\"}";
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	assert_int_equal(visit(&v, "POST", "/ledger/verify", NULL), 200);
	assert_int_equal(number(&v, "differences"), 0);
	use(d, 1, 1, 5);
	assert_int_equal(visit(&v, "POST", "/ledger/verify", NULL), 200);
	assert_true(number(&v, "differences") > 0);
	v.long_runs = 2;
	visit_expect(&v, 42901, "POST", "/ledger/verify", NULL);
	v.long_runs = 0;

	assert_int_equal(visit(&v, "POST", "/reconcile", report), 200);
	assert_int_equal(number(&v, "off"), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
	    json_object_get(v.body, "rows"), 0), "day")), "2026-11-01");
	visit_expect(&v, 40001, "POST", "/reconcile", "{}");
	visit_expect(&v, 40001, "POST", "/reconcile",
	    "{\"report\": \"a,b\\n1,2\\n\"}");
	visit_expect(&v, 40001, "POST", "/reconcile",
	    "{\"report\": {}, \"tolerance\": \"much\"}");
	visit_fini(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(an_id_stays_the_same_things),
		DESK_TEST(names_with_a_blank_are_others),
		DESK_TEST(users_are_added_changed_and_removed),
		DESK_TEST(the_last_administrator_stays),
		DESK_TEST(groups_and_budgets_are_kept),
		DESK_TEST(a_key_is_shown_once),
		DESK_TEST(an_accounts_secret_goes_in_and_never_out),
		DESK_TEST(bad_values_are_refused),
		DESK_TEST(each_route_asks_for_its_role),
		DESK_TEST(users_see_what_they_used_alone),
		DESK_TEST(malformed_queries_are_refused),
		DESK_TEST(tokens_of_the_installation_are_kept),
		DESK_TEST(sums_are_compared),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
