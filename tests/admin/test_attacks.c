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

	visit_init(&v, d);
	visit_join(&v, d, "admin", "ann");
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
	visit_init(&v, d);
	visit_join(&v, d, "admin", "ann");
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
	visit_init(&v, d);
	visit_join(&v, d, "admin", "ann");
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

	visit_init(&v, d);
	visit_join(&v, d, "admin", "ann");
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

#define DESK_TEST(f) \
	cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

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
		DESK_TEST(no_answer_has_a_secret),
		DESK_TEST(all_responders_count_together),
		DESK_TEST(ones_own_sign_in_does_not_free_an_address),
		DESK_TEST(a_password_is_asked_for_again_so_often),
		DESK_TEST(nobody_is_led_elsewhere),
		DESK_TEST(answers_are_no_pages),
		DESK_TEST(a_sign_in_hashes_an_old_password_anew),
		DESK_TEST(half_a_sign_in_hashes_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
