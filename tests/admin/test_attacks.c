/*
 * What is tried against the admin routes.  Beside it: test_matrix (members and
 * ids that are none), test_sign_in (planted cookies), test_access (addresses),
 * tests/browser/hostile (names that are markup) and tests/e2e/confined.
 */
#include "visit.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "keys.h"
#include "passwords.h"
#include "tokens.h"
#include "tries.h"

#define LOGIN(name, password) \
	"{\"name\": \"" name "\", \"password\": \"" password "\"}"

static const struct {
	const char *method, *path, *least;
	bool body;
} routes[] = {
#define ROUTE(method, path, least, body, name) \
	{ method, path, #least, body },
#include "routes.def"
#undef ROUTE
};

/* ---- requests that another site makes a browser send ---- */

static void
without_the_token_a_cookie_changes_nothing(void **state)
{
	static const char *const types[] = {
		"application/json", "text/plain", "multipart/form-data",
		"application/x-www-form-urlencoded", ""
	};
	struct desk *d = *state;
	struct visit v, other;
	char good[64], path[128];
	const char *tokens[4];
	size_t i, j, k;

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&other, d, "admin", "olaf");
	visit_join(&v, d, "admin", "ann");
	(void)snprintf(good, sizeof(good), "%s", v.csrf);
	tokens[0] = "";
	tokens[1] = other.csrf;		/* of another sign-in */
	tokens[2] = v.cookie;		/* what is sent by itself */
	tokens[3] = "null";
	for (i = 0; i < NITEMS(routes); i++) {
		if (strcmp(routes[i].method, "GET") == 0 ||
		    strcmp(routes[i].least, "NONE") == 0 ||
		    strcmp(routes[i].least, "KEY") == 0)
			continue;
		for (j = 0; j < NITEMS(tokens); j++) {
			(void)snprintf(v.csrf, sizeof(v.csrf), "%s",
			    tokens[j]);
			for (k = 0; k < NITEMS(types); k++) {
				v.type = types[k];
				visit_expect(&v, 40301, routes[i].method,
				    visit_path(routes[i].path, path),
				    routes[i].body ? "{}" : NULL);
			}
		}
	}
	v.type = "application/json";
	(void)snprintf(v.csrf, sizeof(v.csrf), "%s", good);
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	visit_fini(&v);
	visit_fini(&other);
}

/* Signing in is open to all: a page elsewhere could sign a browser in as
 * somebody else, if a form could. */
static void
no_form_can_sign_in(void **state)
{
	static const char *const types[] = {
		"text/plain", "multipart/form-data; boundary=x",
		"application/x-www-form-urlencoded", ""
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	for (i = 0; i < NITEMS(types); i++) {
		v.type = types[i];
		visit_expect(&v, 41501, "POST", "/auth/login",
		    LOGIN("ann", VISIT_PASSWORD));
		visit_expect(&v, 41501, "POST", "/auth/register",
		    LOGIN("eve", VISIT_PASSWORD));
		assert_null(strstr(v.head, "set-cookie"));
	}
	visit_fini(&v);
}

/* ---- a cookie that was known before ---- */

static void
each_sign_in_has_a_cookie_of_its_own(void **state)
{
	struct desk *d = *state;
	char cookie[64], csrf[64];
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	(void)snprintf(cookie, sizeof(cookie), "%s", v.cookie);
	(void)snprintf(csrf, sizeof(csrf), "%s", v.csrf);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	assert_string_not_equal(v.cookie, cookie);
	assert_string_not_equal(v.csrf, csrf);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM sign_in WHERE "
	    "hash IN (SELECT hash FROM sign_in GROUP BY hash "
	    "HAVING count(*) > 1)"), 0);

	/* The token of one does not do for the other. */
	(void)snprintf(v.csrf, sizeof(v.csrf), "%s", csrf);
	visit_expect(&v, 40301, "POST", "/auth/logout", NULL);
	visit_fini(&v);
}

/* ---- members that are not one's own to set ---- */

static void
nobody_gives_themselves_a_role(void **state)
{
	static const struct {
		const char *method, *path, *body;
	} tries[] = {
		{ "PATCH", "/auth/me", "{\"role\": \"admin\"}" },
		{ "PATCH", "/auth/me", "{\"password\": \"" VISIT_PASSWORD
		    "\", \"new_password\": \"another one 1\", "
		    "\"role\": \"admin\"}" },
		{ "POST", "/auth/register", "{\"name\": \"eve\", "
		    "\"password\": \"" VISIT_PASSWORD "\", "
		    "\"role\": \"admin\"}" },
		{ "POST", "/auth/login", "{\"name\": \"uwe\", "
		    "\"password\": \"" VISIT_PASSWORD "\", "
		    "\"role\": \"admin\"}" },
		{ "POST", "/auth/tokens", "{\"name\": \"t\", "
		    "\"person_id\": 1}" },
		{ "POST", "/auth/tokens", "{\"name\": \"t\", "
		    "\"scope\": \"all\"}" },
		{ "POST", "/api-keys/1/rotate", "{\"user\": \"uwe\"}" },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	visit_join(&v, d, "user", "uwe");
	for (i = 0; i < NITEMS(tries); i++) {
		(void)visit(&v, tries[i].method, tries[i].path,
		    tries[i].body);
		if (v.status < 400)
			fail_msg("%s %s: taken", tries[i].path,
			    tries[i].body);
	}
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person WHERE "
	    "role = 'admin'"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person"), 2);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM admin_token"),
	    0);
	visit_fini(&v);
}

/* An operator runs the pool, but cannot lead its requests elsewhere. */
static void
operators_lead_no_account_elsewhere(void **state)
{
	static const char *const bodies[] = {
		"{\"request_url\": \"https://evil.example\"}",
		"{\"secret_key\": \"sk\"}", "{\"proxy\": \"http://e:1\"}",
		"{\"name\": \"b\"}", "{\"group\": \"\"}",
		"{\"token_url\": \"https://evil.example\"}",
		"{\"auth_header\": \"x\"}", "{\"models\": \"\"}",
		"{\"enabled\": true, \"request_url\": \"https://e.example\"}",
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	desk_account(d, "a", 1);
	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	for (i = 0; i < NITEMS(bodies); i++)
		visit_expect(&v, 40301, "PATCH", "/admin/accounts/1",
		    bodies[i]);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account WHERE "
	    "base_url = 'https://upstream.example' AND name = 'a'"), 1);
	visit_fini(&v);
}

/* ---- what is others' ---- */

/* A key and a token of ann's, who has signed in. */
static void
settle_in(struct desk *d, struct visit *ann)
{
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change k;

	visit_join(ann, d, "user", "ann");
	key_change_init(&k);
	k.name = "anns";
	k.user = "ann";
	desk_works(d, keys_create(d->st, &d->pepper, &k, key, &d->err));
	assert_int_equal(visit(ann, "POST", "/auth/tokens",
	    "{\"name\": \"anns\"}"), 201);
	desk_sql(d, "INSERT INTO usage_hour (start_ms, key_id, account_id, "
	    "group_id, person_id, model, requests, errors, unpriced, "
	    "cost_nusd, input_tokens, output_tokens, cache_read_tokens, "
	    "cache_write_5m_tokens, cache_write_1h_tokens, web_searches, "
	    "queue_ms, first_byte_ms, total_ms, marked_exact, "
	    "marked_partial, marked_estimated, overruns, overrun_nusd, "
	    "first_500ms, first_1s, first_2s, first_5s, first_15s, "
	    "first_later) VALUES (%lld, 1, 1, 0, 1, 'm', 7, 1, 0, 1000, 1, "
	    "2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
	    (long long)(store_now_ms(d->st) / 3600000 * 3600000));
}

static void
what_is_anothers_is_not_there(void **state)
{
	static const struct {
		const char *method, *path;
	} paths[] = {
		{ "GET", "/api-keys/1" },
		{ "POST", "/api-keys/1/rotate" },
		{ "DELETE", "/auth/tokens/1" },
		{ "DELETE", "/auth/sign-ins/1" },
	};
	struct desk *d = *state;
	struct visit ann, uwe;
	size_t i;

	visit_init(&ann, d);
	visit_init(&uwe, d);
	settle_in(d, &ann);
	visit_join(&uwe, d, "user", "uwe");
	for (i = 0; i < NITEMS(paths); i++)
		visit_expect(&uwe, 40401, paths[i].method, paths[i].path,
		    NULL);
	assert_int_equal(visit(&uwe, "GET", "/api-keys", NULL), 200);
	assert_int_equal(desk_int(uwe.body, "total"), 0);
	assert_int_equal(visit(&uwe, "GET", "/auth/tokens", NULL), 200);
	assert_int_equal(json_array_size(uwe.body), 0);
	assert_int_equal(visit(&uwe, "GET", "/auth/sign-ins", NULL), 200);
	assert_int_equal(json_array_size(uwe.body), 1);

	/* All of it is still there, for her. */
	assert_int_equal(visit(&ann, "GET", "/api-keys/1", NULL), 200);
	assert_int_equal(visit(&ann, "DELETE", "/auth/tokens/1", NULL), 200);
	visit_fini(&ann);
	visit_fini(&uwe);
}

static json_int_t
requests_of(struct visit *v, const char *path)
{
	assert_int_equal(visit(v, "GET", path, NULL), 200);
	return (desk_int(json_object_get(v->body, "total"), "requests"));
}

static void
what_another_used_is_not_told(void **state)
{
	struct desk *d = *state;
	struct visit ann, uwe;

	visit_init(&ann, d);
	visit_init(&uwe, d);
	settle_in(d, &ann);
	visit_join(&uwe, d, "user", "uwe");
	assert_int_equal(requests_of(&ann, "/usage?from=2h"), 7);
	assert_int_equal(requests_of(&uwe, "/usage?from=2h"), 0);
	assert_int_equal(requests_of(&uwe, "/usage?from=2h&user=ann"), 0);
	assert_int_equal(requests_of(&uwe, "/usage?from=2h&key=anns"), 0);
	assert_int_equal(requests_of(&uwe, "/usage?from=2h&key=anns"
	    "&user=ann&by=key,user"), 0);
	assert_int_equal(requests_of(&uwe, "/usage?from=2h&user=uwe"
	    "&user=ann"), 0);
	visit_expect(&uwe, 40301, "GET", "/requests?key=anns", NULL);
	visit_expect(&uwe, 40301, "GET", "/logs", NULL);
	visit_expect(&uwe, 40301, "GET", "/admin/users/1", NULL);
	visit_fini(&ann);
	visit_fini(&uwe);
}

/* Whether there is such a name is told to those who see the lists. */
static void
names_of_others_cannot_be_tried(void **state)
{
	static const char *const paths[][2] = {
		{ "/usage?from=2h&key=anns", "/usage?from=2h&key=none" },
		{ "/usage?from=2h&account=a", "/usage?from=2h&account=none" },
		{ "/usage?from=2h&group=g", "/usage?from=2h&group=none" },
		{ "/usage?from=2h&user=ann", "/usage?from=2h&user=none" },
	};
	struct desk *d = *state;
	struct visit ann, uwe;
	json_t *told;
	size_t i;

	visit_init(&ann, d);
	visit_init(&uwe, d);
	settle_in(d, &ann);
	visit_join(&uwe, d, "user", "uwe");
	desk_account(d, "a", 1);
	for (i = 0; i < NITEMS(paths); i++) {
		assert_int_equal(visit(&uwe, "GET", paths[i][0], NULL), 200);
		told = json_incref(uwe.body);
		assert_int_equal(visit(&uwe, "GET", paths[i][1], NULL), 200);
		assert_true(json_equal(told, uwe.body));
		json_decref(told);
	}
	visit_expect(&uwe, 40401, "DELETE", "/auth/tokens/1", NULL);
	told = json_incref(uwe.body);
	visit_expect(&uwe, 40401, "DELETE", "/auth/tokens/999", NULL);
	assert_true(json_equal(told, uwe.body));
	json_decref(told);

	/* An operator's slip of the pen is still one. */
	desk_sql(d, "UPDATE person SET role = 'operator'");
	visit_expect(&uwe, 40401, "GET", "/usage?key=none", NULL);
	visit_fini(&ann);
	visit_fini(&uwe);
}

/* Others use a group's budget up as well. */
static void
what_a_group_used_is_not_told(void **state)
{
	static const char *const make[][2] = {
		{ "/groups", "{\"name\": \"g\"}" },
		{ "/api-keys", "{\"name\": \"k\", \"user\": \"uwe\", "
		    "\"group\": \"g\"}" },
		{ "/budgets", "{\"on\": \"group\", \"of\": \"g\", "
		    "\"counts\": \"money\", \"limit\": 5}" },
		{ "/budgets", "{\"on\": \"user\", \"of\": \"uwe\", "
		    "\"counts\": \"money\", \"limit\": 7}" },
	};
	struct desk *d = *state;
	struct visit ann, uwe;
	const json_t *own, *group;
	size_t i;

	visit_init(&ann, d);
	visit_init(&uwe, d);
	visit_join(&ann, d, "admin", "ann");
	visit_join(&uwe, d, "user", "uwe");
	for (i = 0; i < NITEMS(make); i++)
		assert_int_equal(visit(&ann, "POST", make[i][0], make[i][1]),
		    201);
	for (i = 0; i < 2; i++) {
		assert_int_equal(visit(&uwe, i == 0 ? "GET" : "POST", i == 0 ?
		    "/api-keys/1" : "/api-keys/1/rotate", NULL), i == 0 ? 200 :
		    201);
		own = json_array_get(json_object_get(uwe.body, "budgets"), 0);
		group = json_array_get(json_object_get(uwe.body, "budgets"),
		    1);
		assert_int_equal(desk_int(own, "spent"), 0);
		assert_int_equal(desk_int(group, "limit"), 5);
		assert_true(json_is_null(json_object_get(group, "spent")));
		assert_true(json_is_null(json_object_get(group, "reserved")));
		assert_true(json_is_null(json_object_get(group, "left")));
	}
	assert_int_equal(visit(&ann, "GET", "/api-keys/1", NULL), 200);
	assert_int_equal(desk_int(json_array_get(json_object_get(ann.body,
	    "budgets"), 1), "left"), 5);
	visit_fini(&ann);
	visit_fini(&uwe);
}

/* What is sealed or hashed never comes out, whoever asks. */
static void
no_answer_has_a_secret(void **state)
{
	struct desk *d = *state;
	char key[SEAL_CLIENT_KEY_SIZE], path[128], *text;
	const char *secrets[] = {
		"sk-ant-one", "$argon2", VISIT_PASSWORD, key
	};
	struct key_change k;
	struct visit v;
	size_t i, j;

	desk_account(d, "a", 1);
	key_change_init(&k);
	k.name = "k";
	desk_works(d, keys_create(d->st, &d->pepper, &k, key, &d->err));
	visit_init_ann(&v, d);
	for (i = 0; i < NITEMS(routes); i++) {
		if (strcmp(routes[i].method, "GET") != 0)
			continue;
		(void)visit(&v, "GET", visit_path(routes[i].path, path), NULL);
		text = json_dumps(v.body, 0);
		for (j = 0; j < NITEMS(secrets); j++) {
			if (strstr(text, secrets[j]) != NULL)
				fail_msg("GET %s has a secret", path);
		}
		assert_null(strstr(text, v.cookie));
		free(text);
	}
	visit_fini(&v);
}

/* ---- guessing ---- */

/* Services are as many processes: what they share is the database. */
static void
all_responders_count_together(void **state)
{
	struct desk *d = *state;
	struct visit v[TRIES_FREE + 1];
	int i;

	for (i = 0; i <= TRIES_FREE; i++)
		visit_init(&v[i], d);
	visit_join(&v[0], d, "user", "ann");
	for (i = 0; i < TRIES_FREE; i++)
		visit_expect(&v[i], 40101, "POST", "/auth/login",
		    LOGIN("ann", "not the password"));
	desk_sql(d, "UPDATE sign_in_try SET until_ms = until_ms + 60000 "
	    "WHERE until_ms > 0");
	visit_expect(&v[i], 42901, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	for (i = 0; i <= TRIES_FREE; i++)
		visit_fini(&v[i]);
}

/* Whoever has an account cannot wash an address clean with it. */
static void
ones_own_sign_in_does_not_free_an_address(void **state)
{
	struct desk *d = *state;
	int64_t wait_ms, tries;
	struct visit v;
	char name[16];
	int i;

	visit_init(&v, d);
	visit_join(&v, d, "user", "eve");
	for (i = 0; i < TRIES_FREE_ADDRESS - 1; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		desk_works(d, tries_take(d->st, name, v.address, &wait_ms,
		    &d->err));
	}
	tries = desk_number(d, "SELECT tries FROM sign_in_try WHERE "
	    "subject = 'address:%s'", v.address);
	assert_int_equal(tries, TRIES_FREE_ADDRESS - 1);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("eve", VISIT_PASSWORD)), 200);
	assert_int_equal(desk_number(d, "SELECT tries FROM sign_in_try WHERE "
	    "subject = 'address:%s'", v.address), tries);
	visit_fini(&v);
}

/* Read, a body takes many times its length: of those that sign in, or merely
 * may, none is long. */
static void
small_bodies_are_small(void **state)
{
	struct desk *d = *state;
	char *body = calloc(1, SERVICE_SMALL_BODY_BYTES + 2);
	struct visit v;

	assert_non_null(body);
	memset(body, ' ', SERVICE_SMALL_BODY_BYTES + 1);
	memcpy(body, "{}", 2);
	visit_init(&v, d);
	visit_expect(&v, 41301, "POST", "/auth/login", body);
	visit_expect(&v, 41301, "POST", "/auth/register", body);
	visit_join(&v, d, "admin", "ann");
	visit_expect(&v, 41301, "POST", "/auth/tokens", body);
	visit_expect(&v, 40001, "POST", "/api-keys", body);
	body[SERVICE_SMALL_BODY_BYTES] = '\0';
	visit_expect(&v, 40001, "POST", "/auth/login", body);
	visit_fini(&v);
	free(body);
}

/* Where all may register, nobody may do so without end. */
static void
who_registers_is_counted_by_address(void **state)
{
	struct desk *d = *state;
	struct visit v;
	char body[128];
	int i;

	visit_init_open(&v, d);
	for (i = 0; i < TRIES_FREE_ADDRESS; i++) {
		(void)snprintf(body, sizeof(body), "{\"name\": \"n%d\", "
		    "\"password\": \"%s\"}", i, i > 0 ? "short" :
		    VISIT_PASSWORD);
		(void)visit(&v, "POST", "/auth/register", body);
		assert_int_equal(v.status, i > 0 ? 400 : 201);
	}
	desk_sql(d, "UPDATE sign_in_try SET until_ms = until_ms + 60000 "
	    "WHERE until_ms > 0");
	visit_expect(&v, 42901, "POST", "/auth/register",
	    LOGIN("eve", VISIT_PASSWORD));
	assert_non_null(strstr(v.head, "retry-after: "));

	/* Signing in is another matter, and so is another address. */
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("n0", VISIT_PASSWORD)), 200);
	v.address = "198.51.100.7";
	assert_int_equal(visit(&v, "POST", "/auth/register",
	    LOGIN("eve", VISIT_PASSWORD)), 201);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person"), 2);
	visit_fini(&v);
}

static void
tokens_are_no_more_than_can_be_listed(void **state)
{
	struct desk *d = *state;
	struct visit v, other;
	char body[64];
	int i;

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "user", "ann");
	visit_join(&other, d, "user", "uwe");
	for (i = 0; i < TOKENS_MAX; i++) {
		(void)snprintf(body, sizeof(body), "{\"name\": \"t%d\"}", i);
		assert_int_equal(visit(&v, "POST", "/auth/tokens", body), 201);
	}
	visit_expect(&v, 40901, "POST", "/auth/tokens", "{\"name\": \"t\"}");
	assert_int_equal(visit(&other, "POST", "/auth/tokens",
	    "{\"name\": \"t\"}"), 201);
	assert_int_equal(visit(&v, "DELETE", "/auth/tokens/1", NULL), 200);
	assert_int_equal(visit(&v, "POST", "/auth/tokens",
	    "{\"name\": \"u\"}"), 201);
	visit_fini(&v);
	visit_fini(&other);
}

/* Or whoever found one that ends tomorrow would have one for ever. */
static void
a_token_makes_none_that_outlives_it(void **state)
{
	static const char *const paths[] = { "/auth/tokens", "/admin/tokens" };
	struct desk *d = *state;
	const int64_t ends_ms = store_now_ms(d->st) + 3600000;
	struct visit v, script;
	char body[128];
	size_t i;

	visit_init_ann(&v, d);
	visit_init(&script, d);
	(void)snprintf(body, sizeof(body), "{\"name\": \"t\", "
	    "\"expires_ms\": %lld}", (long long)ends_ms);
	assert_int_equal(visit(&v, "POST", "/auth/tokens", body), 201);
	(void)snprintf(script.bearer, sizeof(script.bearer), "%s",
	    visit_text(&v, "token"));
	for (i = 0; i < NITEMS(paths); i++) {
		visit_expect(&script, 40301, "POST", paths[i],
		    "{\"name\": \"u\"}");
		(void)snprintf(body, sizeof(body), "{\"name\": \"u\", "
		    "\"expires_ms\": %lld}", (long long)ends_ms + 1);
		visit_expect(&script, 40301, "POST", paths[i], body);
		(void)snprintf(body, sizeof(body), "{\"name\": \"u%zu\", "
		    "\"expires_ms\": %lld}", i, (long long)ends_ms);
		assert_int_equal(visit(&script, "POST", paths[i], body), 201);
	}

	/* One without an end may. */
	assert_int_equal(visit(&v, "POST", "/auth/tokens",
	    "{\"name\": \"w\"}"), 201);
	(void)snprintf(script.bearer, sizeof(script.bearer), "%s",
	    visit_text(&v, "token"));
	assert_int_equal(visit(&script, "POST", "/auth/tokens",
	    "{\"name\": \"x\"}"), 201);
	visit_fini(&v);
	visit_fini(&script);
}

/* A browser that was left open is no place to guess the password at. */
static void
a_password_is_asked_for_again_so_often(void **state)
{
	static const struct {
		const char *method, *path, *wrong, *right;
	} asks[] = {
		{ "POST", "/auth/second-factor",
		    "{\"password\": \"not the password\"}",
		    "{\"password\": \"" VISIT_PASSWORD "\"}" },
		{ "DELETE", "/auth/second-factor",
		    "{\"password\": \"not the password\"}",
		    "{\"password\": \"" VISIT_PASSWORD "\"}" },
		{ "PATCH", "/auth/me", "{\"password\": \"not the password\", "
		    "\"new_password\": \"something else\"}",
		    "{\"password\": \"" VISIT_PASSWORD "\", "
		    "\"new_password\": \"something else\"}" },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;
	int n;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	for (i = 0; i < NITEMS(asks); i++) {
		for (n = 0; n < TRIES_FREE; n++)
			visit_expect(&v, 40301, asks[i].method, asks[i].path,
			    asks[i].wrong);
		desk_sql(d, "UPDATE sign_in_try SET "
		    "until_ms = until_ms + 60000 WHERE until_ms > 0");
		visit_expect(&v, 42901, asks[i].method, asks[i].path,
		    asks[i].right);
		assert_non_null(strstr(v.head, "retry-after: "));
		desk_sql(d, "UPDATE sign_in_try SET until_ms = 0");
		assert_int_equal(visit(&v, asks[i].method, asks[i].path,
		    asks[i].right), 200);
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "sign_in_try WHERE subject = 'name:ann'"), 0);
	}
	visit_fini(&v);
}

/* ---- where one is led ---- */

/* Nothing answers with a redirect, and what pages link to is https. */
static void
nobody_is_led_elsewhere(void **state)
{
	static const char *const urls[] = {
		"javascript:alert(1)", "data:text/html,x",
		"//evil.example/a", "http://evil.example/a", "ftp://e.example",
		"https://", "JaVaScRiPt:alert(1)//https://x"
	};
	static const char *const members[] = {
		"authorize_url", "token_url", "request_url"
	};
	struct desk *d = *state;
	char body[256], path[128];
	struct visit v;
	size_t i, j;

	desk_account(d, "a", 1);
	visit_init_ann(&v, d);
	for (i = 0; i < NITEMS(members); i++) {
		for (j = 0; j < NITEMS(urls); j++) {
			(void)snprintf(body, sizeof(body),
			    "{\"credential\": \"oauth\", \"client_id\": "
			    "\"c\", \"%s\": \"%s\"}", members[i], urls[j]);
			visit_expect(&v, 40001, "PATCH", "/admin/accounts/1",
			    body);
		}
	}
	for (i = 0; i < NITEMS(routes); i++) {
		if (strcmp(routes[i].method, "GET") != 0)
			continue;
		(void)visit(&v, "GET", visit_path(routes[i].path, path), NULL);
		assert_null(strstr(v.head, "ocation:"));
		assert_false(v.status >= 300 && v.status < 400);
	}
	visit_fini(&v);
}

/* Answers are no page, whatever stands in them. */
static void
answers_are_no_pages(void **state)
{
	struct desk *d = *state;
	struct visit v;
	char path[128];
	size_t i;

	visit_init_ann(&v, d);
	for (i = 0; i < NITEMS(routes); i++) {
		if (strcmp(routes[i].method, "GET") != 0)
			continue;
		(void)visit(&v, "GET", visit_path(routes[i].path, path), NULL);
		assert_non_null(strstr(v.head,
		    "content-type: application/json\r\n"));
		if (v.status != 200)
			continue;
		assert_non_null(strstr(v.head,
		    "x-content-type-options: nosniff\r\n"));
		assert_non_null(strstr(v.head, "cache-control: no-store\r\n"));
	}
	visit_expect(&v, 40401, "GET", "/<script>alert(1)</script>", NULL);
	assert_null(strstr(visit_text(&v, "error"), "<script>"));
	visit_fini(&v);
}

/* ---- passwords that were hashed long ago ---- */

static void
store_weak(struct desk *d, char hash[PASSWORD_HASH_SIZE])
{

	assert_int_equal(crypto_pwhash_str(hash, VISIT_PASSWORD,
	    strlen(VISIT_PASSWORD), crypto_pwhash_OPSLIMIT_MIN,
	    crypto_pwhash_MEMLIMIT_MIN), 0);
	desk_sql(d, "UPDATE person SET password = '%s'", hash);
}

static void
a_sign_in_hashes_an_old_password_anew(void **state)
{
	struct desk *d = *state;
	char hash[PASSWORD_HASH_SIZE];
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	store_weak(d, hash);
	assert_true(password_is_dated(hash));

	/* Not by one that fails. */
	visit_expect(&v, 40101, "POST", "/auth/login",
	    LOGIN("ann", "not the password"));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person WHERE "
	    "password = '%s'", hash), 1);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person WHERE "
	    "password = '%s'", hash), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person WHERE "
	    "password LIKE '$argon2id$%%m=65536,t=2,%%'"), 1);

	/* It is the same password, and is left alone from now on. */
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	visit_fini(&v);
}

/* With a second factor not before its code was right. */
static void
half_a_sign_in_hashes_nothing(void **state)
{
	struct desk *d = *state;
	char hash[PASSWORD_HASH_SIZE];
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	store_weak(d, hash);
	desk_sql(d, "UPDATE person SET totp_on = 1");
	visit_expect(&v, 40102, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person WHERE "
	    "password = '%s'", hash), 1);
	visit_fini(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(without_the_token_a_cookie_changes_nothing),
		DESK_TEST(no_form_can_sign_in),
		DESK_TEST(each_sign_in_has_a_cookie_of_its_own),
		DESK_TEST(nobody_gives_themselves_a_role),
		DESK_TEST(operators_lead_no_account_elsewhere),
		DESK_TEST(what_is_anothers_is_not_there),
		DESK_TEST(what_another_used_is_not_told),
		DESK_TEST(names_of_others_cannot_be_tried),
		DESK_TEST(what_a_group_used_is_not_told),
		DESK_TEST(no_answer_has_a_secret),
		DESK_TEST(all_responders_count_together),
		DESK_TEST(ones_own_sign_in_does_not_free_an_address),
		DESK_TEST(small_bodies_are_small),
		DESK_TEST(who_registers_is_counted_by_address),
		DESK_TEST(tokens_are_no_more_than_can_be_listed),
		DESK_TEST(a_token_makes_none_that_outlives_it),
		DESK_TEST(a_password_is_asked_for_again_so_often),
		DESK_TEST(nobody_is_led_elsewhere),
		DESK_TEST(answers_are_no_pages),
		DESK_TEST(a_sign_in_hashes_an_old_password_anew),
		DESK_TEST(half_a_sign_in_hashes_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
