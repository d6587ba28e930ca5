#include "config.h"

#include "visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_secrets.h"
#include "answerer.h"
#include "install.h"

static const char *const tokens[] = {
	"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
	    "{\"access_token\": \"at-secret-one\", \"refresh_token\": "
	    "\"rt-secret-one\", \"expires_in\": 3600}", NULL
};
static const char *const refused[] = {
	"HTTP/1.1 400 Bad Request\r\n\r\n{\"error\": \"invalid_grant\"}", NULL
};

/* The body of a new one whose token endpoint is at ${url}. */
static const char *
new_account(const char *name, const char *url)
{
	static char body[1024];

	(void)snprintf(body, sizeof(body), "{\"name\": \"%s\", "
	    "\"platform_type\": \"claude\", \"request_url\": \"%s\", "
	    "\"authorize_url\": \"%s/authorize\", \"token_url\": "
	    "\"%s/token\", \"client_id\": \"client 1\", \"scopes\": "
	    "\"a b\", \"redirect_uri\": \"https://example.org/done\", "
	    "\"weight\": 7}", name, url, url, url);
	return (body);
}

static const char *
finish_body(const char *state, const char *code)
{
	static char body[512];

	(void)snprintf(body, sizeof(body), "{\"state\": \"%s\", "
	    "\"code\": \"%s\"}", state, code);
	return (body);
}

static void
keep_state(const struct visit *v, char state[64])
{

	(void)snprintf(state, 64, "%s", visit_text(v, "state"));
	assert_int_equal(strlen(state), 43);
}

/* Does account ${id} have that secret? */
static void
has_secret(struct desk *d, enum account_secret what, int64_t id,
    const char *wanted)
{
	char *text;
	size_t n;

	desk_works(d, account_secret_get(d->st, d->seal, what, id, &text, &n,
	    &d->err));
	assert_string_equal(text, wanted);
	seal_wipe_free(text, n);
}

static void
never_shows(struct visit *v, const char *secret)
{
	char *text = json_dumps(v->body, 0);

	assert_non_null(text);
	assert_null(strstr(text, secret));
	free(text);
}

static void
a_new_account_is_signed_in_to(void **state)
{
	struct answerer a = { .turns = { tokens } };
	struct desk *d = *state;
	char login[64];
	struct visit v;
	int64_t id;

	answerer_start(&a);
	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/admin/accounts/oauth/start",
	    new_account("max", a.url)), 200);
	keep_state(&v, login);
	assert_non_null(strstr(visit_text(&v, "url"),
	    "/authorize?response_type=code&client_id=client%201"));
	assert_non_null(strstr(visit_text(&v, "url"),
	    "code_challenge_method=S256"));
	assert_non_null(strstr(visit_text(&v, "url"), login));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    1);

	assert_int_equal(visit(&v, "POST", "/admin/accounts/oauth/finish",
	    finish_body(login, "the/code")), 201);
	answerer_stop(&a);
	assert_non_null(strstr(answerer_request(&a, 0), "POST /token"));
	assert_non_null(strstr(answerer_request(&a, 0), "code=the%2Fcode"));
	assert_non_null(strstr(answerer_request(&a, 0), "code_verifier="));
	id = desk_int(v.body, "id");
	assert_string_equal(visit_text(&v, "credential"), "oauth");
	assert_int_equal(desk_int(v.body, "weight"), 7);
	assert_true(json_is_true(json_object_get(json_object_get(v.body,
	    "oauth"), "signed_in")));
	assert_string_equal(visit_text(&v, "breaker"), "closed");
	never_shows(&v, "secret-one");
	has_secret(d, ACCOUNT_SECRET, id, "at-secret-one");
	has_secret(d, ACCOUNT_REFRESH, id, "rt-secret-one");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    0);

	/* It was taken. */
	visit_expect(&v, 40401, "POST", "/admin/accounts/oauth/finish",
	    finish_body(login, "the/code"));
	assert_int_equal(visit(&v, "GET", "/logs?verb=account.add", NULL),
	    200);
	assert_int_equal(json_array_size(v.body), 1);
	never_shows(&v, "secret-one");
	visit_fini(&v);
}

static void
an_account_is_signed_in_to_anew(void **state)
{
	struct answerer a = { .turns = { tokens, refused, tokens } };
	struct desk *d = *state;
	char login[64], path[64], pasted[256];
	struct visit v;
	int64_t id;

	answerer_start(&a);
	visit_init_ann(&v, d);
	(void)snprintf(path, sizeof(path), "%s", "/admin/accounts/oauth");
	assert_int_equal(visit(&v, "POST", "/admin/accounts",
	    "{\"name\": \"plain\", \"platform_type\": \"claude\", "
	    "\"request_url\": \"https://x.example\", \"credential\": "
	    "\"api_key\", \"secret_key\": \"sk\"}"), 201);
	(void)snprintf(path, sizeof(path), "/admin/accounts/%lld/oauth/start",
	    (long long)desk_int(v.body, "id"));
	visit_expect(&v, 40001, "POST", path, NULL);

	assert_int_equal(visit(&v, "POST", "/admin/accounts/oauth/start",
	    new_account("max", a.url)), 200);
	keep_state(&v, login);
	assert_int_equal(visit(&v, "POST", "/admin/accounts/oauth/finish",
	    finish_body(login, "c")), 201);
	id = desk_int(v.body, "id");

	/* That the provider refuses a code is said, and it was taken. */
	(void)snprintf(path, sizeof(path), "/admin/accounts/%lld/oauth/start",
	    (long long)id);
	assert_int_equal(visit(&v, "POST", path, NULL), 200);
	keep_state(&v, login);
	(void)snprintf(path, sizeof(path),
	    "/admin/accounts/%lld/oauth/finish", (long long)id);
	visit_expect(&v, 40901, "POST", path, finish_body(login, "stale"));
	assert_non_null(strstr(visit_text(&v, "error"), "no tokens"));
	visit_expect(&v, 40401, "POST", path, finish_body(login, "stale"));

	/* The whole address will do, too. */
	desk_sql(d, "UPDATE account_oauth SET signed_in = 0");
	(void)snprintf(path, sizeof(path), "/admin/accounts/%lld/oauth/start",
	    (long long)id);
	assert_int_equal(visit(&v, "POST", path, NULL), 200);
	keep_state(&v, login);
	(void)snprintf(path, sizeof(path),
	    "/admin/accounts/%lld/oauth/finish", (long long)id);
	(void)snprintf(pasted, sizeof(pasted),
	    "https://example.org/done?code=abc&state=%s", login);
	assert_int_equal(visit(&v, "POST", path, finish_body(login, pasted)),
	    200);
	assert_non_null(strstr(answerer_request(&a, 2), "code=abc&"));
	answerer_stop(&a);
	assert_int_equal(desk_number(d, "SELECT signed_in FROM "
	    "account_oauth"), 1);
	assert_int_equal(visit(&v, "GET", "/logs?verb=account.login", NULL),
	    200);
	assert_int_equal(json_array_size(v.body), 1);
	visit_fini(&v);
}

/* A sign-in is its beginner's, its account's, and for a while. */
static void
what_was_begun_is_bound(void **state)
{
	struct desk *d = *state;
	char login[64], path[64];
	struct visit v, other;
	size_t n;

	visit_init_ann(&v, d);
	visit_init(&other, d);
	visit_join(&other, d, "admin", "bob");
	assert_int_equal(visit(&v, "POST", "/admin/accounts/oauth/start",
	    new_account("max", "http://127.0.0.1:9")), 200);
	keep_state(&v, login);
	visit_expect(&other, 40401, "POST", "/admin/accounts/oauth/finish",
	    finish_body(login, "c"));
	login[0] ^= 1;
	visit_expect(&v, 40401, "POST", "/admin/accounts/oauth/finish",
	    finish_body(login, "c"));
	login[0] ^= 1;
	visit_expect(&v, 40401, "POST", "/admin/accounts/oauth/finish",
	    finish_body("", "c"));
	desk_account(d, "a", 1);
	(void)snprintf(path, sizeof(path),
	    "/admin/accounts/%lld/oauth/finish", (long long)desk_number(d,
	    "SELECT id FROM account"));
	visit_expect(&v, 40401, "POST", path, finish_body(login, "c"));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    1);

	/* The state of another stands in what is pasted. */
	visit_expect(&v, 40001, "POST", "/admin/accounts/oauth/finish",
	    finish_body(login, "https://x.example/?code=c&state=other"));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    0);

	assert_int_equal(visit(&v, "POST", "/admin/accounts/oauth/start",
	    new_account("max", "http://127.0.0.1:9")), 200);
	keep_state(&v, login);
	desk_sql(d, "UPDATE oauth_start SET expires_ms = 1");
	visit_expect(&v, 40401, "POST", "/admin/accounts/oauth/finish",
	    finish_body(login, "c"));

	/* Under another master key they begin anew. */
	assert_int_equal(visit(&v, "POST", "/admin/accounts/oauth/start",
	    new_account("max", "http://127.0.0.1:9")), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    1);
	desk_works(d, install_rekey(d->st, d->key_path, &n, &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    0);
	visit_fini(&v);
	visit_fini(&other);
}

static void
nobody_begins_without_end(void **state)
{
	struct desk *d = *state;
	struct visit v;
	int i;

	visit_init_ann(&v, d);
	for (i = 0; i < 20; i++)
		assert_int_equal(visit(&v, "POST",
		    "/admin/accounts/oauth/start", new_account("max",
		    "http://127.0.0.1:9")), 200);
	visit_expect(&v, 40001, "POST", "/admin/accounts/oauth/start",
	    new_account("max", "http://127.0.0.1:9"));
	visit_fini(&v);
}

/* What POST /admin/accounts would refuse is refused before anybody signs in. */
static void
bad_accounts_are_refused_at_the_start(void **state)
{
	static const struct {
		int code;
		const char *body;
	} bad[] = {
		{ 40001, "{}" },
		{ 40001, "{\"name\": \"m\"}" },
		{ 40001, "{\"name\": \"m\", \"platform_type\": \"claude\", "
		    "\"request_url\": \"https://x.example\"}" },
		{ 40001, "{\"name\": \"m\", \"platform_type\": \"claude\", "
		    "\"request_url\": \"http://x.example\", \"authorize_url\""
		    ": \"https://x.example/a\", \"token_url\": "
		    "\"https://x.example/t\", \"client_id\": \"c\", "
		    "\"redirect_uri\": \"https://x.example\"}" },
		{ 40001, "{\"name\": \"m\", \"platform_type\": \"claude\", "
		    "\"request_url\": \"https://x.example\", \"credential\": "
		    "\"api_key\", \"secret_key\": \"k\"}" },
		{ 40401, "{\"name\": \"m\", \"platform_type\": \"claude\", "
		    "\"request_url\": \"https://x.example\", \"authorize_url\""
		    ": \"https://x.example/a\", \"token_url\": "
		    "\"https://x.example/t\", \"client_id\": \"c\", "
		    "\"redirect_uri\": \"https://x.example\", "
		    "\"group\": \"nope\"}" },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	for (i = 0; i < NITEMS(bad); i++)
		visit_expect(&v, bad[i].code, "POST",
		    "/admin/accounts/oauth/start", bad[i].body);
	desk_account(d, "taken", 1);
	visit_expect(&v, 40901, "POST", "/admin/accounts/oauth/start",
	    new_account("taken", "http://127.0.0.1:9"));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    0);
	visit_fini(&v);
}

static void
a_pair_that_is_there_is_taken_over(void **state)
{
	struct desk *d = *state;
	char path[64], *body;
	struct visit v;
	int64_t id;

	visit_init_ann(&v, d);
	assert_int_equal(asprintf(&body, "{\"credential\": \"oauth\", %s",
	    new_account("max", "https://x.example") + 1) > 0, 1);
	assert_int_equal(visit(&v, "POST", "/admin/accounts", body), 201);
	free(body);
	id = desk_int(v.body, "id");
	(void)snprintf(path, sizeof(path),
	    "/admin/accounts/%lld/oauth/import", (long long)id);
	visit_expect(&v, 40001, "POST", path, NULL);
	visit_expect(&v, 40001, "POST", path, "{\"access_token\": \"a\"}");
	assert_int_equal(visit(&v, "POST", path, "{\"access_token\": "
	    "\"at-mine\", \"refresh_token\": \"rt-mine\"}"), 200);
	never_shows(&v, "at-mine");
	has_secret(d, ACCOUNT_SECRET, id, "at-mine");
	has_secret(d, ACCOUNT_REFRESH, id, "rt-mine");
	assert_int_equal(desk_number(d, "SELECT expires_ms + renew_ms "
	    "FROM account_oauth"), 0);

	/* When it ends is kept as it is said; one that is over is renewed. */
	assert_int_equal(visit(&v, "POST", path, "{\"access_token\": "
	    "\"at-mine\", \"refresh_token\": \"rt-mine\", "
	    "\"expires_at\": 1700000060}"), 200);
	assert_int_equal(desk_number(d, "SELECT expires_ms FROM "
	    "account_oauth"), INT64_C(1700000060000));
	assert_int_equal(desk_number(d, "SELECT renew_ms = renewed_ms FROM "
	    "account_oauth"), 1);
	assert_int_equal(visit(&v, "GET", "/logs?verb=account.import", NULL),
	    200);
	assert_int_equal(json_array_size(v.body), 2);
	never_shows(&v, "rt-mine");

	/* What was begun goes with the account. */
	(void)snprintf(path, sizeof(path), "/admin/accounts/%lld/oauth/start",
	    (long long)id);
	assert_int_equal(visit(&v, "POST", path, NULL), 200);
	(void)snprintf(path, sizeof(path), "/admin/accounts/%lld",
	    (long long)id);
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM oauth_start"),
	    0);
	visit_fini(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_new_account_is_signed_in_to),
		DESK_TEST(an_account_is_signed_in_to_anew),
		DESK_TEST(what_was_begun_is_bound),
		DESK_TEST(nobody_begins_without_end),
		DESK_TEST(bad_accounts_are_refused_at_the_start),
		DESK_TEST(a_pair_that_is_there_is_taken_over),
	};

	return (cmocka_run_group_tests(tests, desk_start_curl,
	    desk_stop_curl));
}
