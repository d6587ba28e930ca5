#include "visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_oauth.h"
#include "accounts.h"
#include "answerer.h"

static const char *
account_path(struct desk *d, const char *name, const char *act)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "/admin/accounts/%lld%s",
	    (long long)desk_number(d, "SELECT id FROM account WHERE name = "
	    "'%s'", name), act);
	return (path);
}

/* No answer, and no row of the log, has it. */
static void
never_shows(struct visit *v, const char *secret)
{
	char *text = json_dumps(v->body, 0);

	assert_non_null(text);
	assert_null(strstr(text, secret));
	free(text);
	assert_int_equal(visit(v, "GET", "/logs", NULL), 200);
	text = json_dumps(v->body, 0);
	assert_non_null(text);
	assert_null(strstr(text, secret));
	free(text);
}

/* ---- the list ---- */

static void
the_list_is_filtered(void **state)
{
	static const struct {
		const char *query;
		json_int_t total;
	} cases[] = {
		{ "", 3 },
		{ "?platform_type=claude", 3 },
		{ "?platform_type=claude_console", 0 },
		{ "?group=g", 1 },
		{ "?group=", 2 },
		{ "?group=nope", 0 },
		{ "?group_id=0", 2 },
		{ "?state=disabled", 1 },
		{ "?state=enabled", 2 },
		{ "?state=closed", 2 },
		{ "?state=open", 1 },
		{ "?q=ALPH", 1 },
		{ "?q=upstream.example", 3 },
		{ "?q=upstream.example&state=open&platform_type=claude", 1 },
		{ "?q=alpha&state=open", 0 },
	};
	struct desk *d = *state;
	char body[64], path[128];
	json_int_t group;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	desk_account(d, "alpha", 1);
	desk_account(d, "beta", 1);
	desk_account(d, "gamma", 1);
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	group = desk_int(v.body, "id");
	(void)snprintf(body, sizeof(body), "{\"group_id\": %lld}",
	    (long long)group);
	assert_int_equal(visit(&v, "PATCH", account_path(d, "alpha", ""),
	    body), 200);
	assert_string_equal(visit_text(&v, "group"), "g");
	assert_int_equal(desk_int(v.body, "group_id"), group);
	assert_true(json_is_null(json_object_get(v.body, "probe")) ||
	    json_object_get(v.body, "probe") == NULL);
	assert_int_equal(visit(&v, "PATCH", account_path(d, "beta", ""),
	    "{\"enabled\": false}"), 200);
	desk_sql(d, "INSERT INTO cooldown (account_id, reason, since_ms, "
	    "until_ms, stated, observed_ms) SELECT id, 'auth', 1, %lld, 1, 1 "
	    "FROM account WHERE name = 'gamma'",
	    (long long)store_now_ms(d->st) + 600000);
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(path, sizeof(path), "/admin/accounts%s",
		    cases[i].query);
		assert_int_equal(visit(&v, "GET", path, NULL), 200);
		if (desk_int(v.body, "total") != cases[i].total)
			fail_msg("%s: %lld", path,
			    (long long)desk_int(v.body, "total"));
	}
	(void)snprintf(path, sizeof(path), "/admin/accounts?group_id=%lld",
	    (long long)group);
	assert_int_equal(visit(&v, "GET", path, NULL), 200);
	assert_int_equal(desk_int(v.body, "total"), 1);
	visit_expect(&v, 40001, "GET", "/admin/accounts?state=sad", NULL);
	visit_expect(&v, 40001, "GET", "/admin/accounts?group_id=x", NULL);

	visit_expect(&v, 40001, "PATCH", account_path(d, "alpha", ""),
	    "{\"group_id\": 1, \"group\": \"g\"}");
	visit_expect(&v, 40401, "PATCH", account_path(d, "alpha", ""),
	    "{\"group_id\": 999}");
	assert_int_equal(visit(&v, "PATCH", account_path(d, "alpha", ""),
	    "{\"group_id\": null}"), 200);
	assert_true(json_is_null(json_object_get(v.body, "group")));
	visit_fini(&v);
}

static void
an_account_comes_with_its_probe(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	desk_account(d, "a", 1);
	assert_int_equal(visit(&v, "GET", account_path(d, "a", ""), NULL),
	    200);
	assert_true(json_is_null(json_object_get(v.body, "probe")));
	desk_sql(d, "INSERT INTO account_probe (account_id, probed_ms, "
	    "result, status, latency_ms, detail) SELECT id, 5, 'ok', 200, 7, "
	    "'' FROM account");
	assert_int_equal(visit(&v, "GET", account_path(d, "a", ""), NULL),
	    200);
	assert_int_equal(desk_int(json_object_get(v.body, "probe"),
	    "latency_ms"), 7);
	visit_fini(&v);
}

/* ---- why not ---- */

static void
it_is_said_why_an_account_does_not_serve(void **state)
{
	struct desk *d = *state;
	const json_t *reasons;
	struct visit v;
	char path[128];

	visit_init_ann(&v, d);
	desk_account(d, "a", 1);
	assert_int_equal(visit(&v, "POST", "/api-keys", "{\"name\": \"my "
	    "key\"}"), 201);
	(void)snprintf(path, sizeof(path), "%s", account_path(d, "a",
	    "/why-not?key=my+key&model=claude-x"));
	assert_int_equal(visit(&v, "GET", path, NULL), 200);
	assert_true(json_is_true(json_object_get(v.body, "fit")));
	assert_true(json_is_true(json_object_get(v.body, "picked")));
	assert_int_equal(json_array_size(json_object_get(v.body, "reasons")),
	    0);
	assert_int_equal(visit(&v, "PATCH", account_path(d, "a", ""),
	    "{\"enabled\": false}"), 200);
	assert_int_equal(visit(&v, "GET", path, NULL), 200);
	assert_true(json_is_false(json_object_get(v.body, "fit")));
	reasons = json_object_get(v.body, "reasons");
	assert_int_equal(json_array_size(reasons), 1);
	assert_non_null(strstr(json_string_value(json_array_get(reasons, 0)),
	    "disabled"));
	visit_expect(&v, 40401, "GET", account_path(d, "a",
	    "/why-not?key=none&model=m"), NULL);
	visit_expect(&v, 40001, "GET", account_path(d, "a",
	    "/why-not?key=my+key"), NULL);
	visit_expect(&v, 40401, "GET",
	    "/admin/accounts/99/why-not?key=my+key&model=m", NULL);
	visit_fini(&v);
}

/* ---- test ---- */

#define STREAM_HEAD	"HTTP/1.1 200 OK\r\ncontent-type: " \
    "text/event-stream\r\n\r\n"

/* An account at ${url}, whose path is returned. */
static void
point(struct desk *d, struct visit *v, const char *url)
{
	char body[128];

	desk_account(d, "a", 1);
	(void)snprintf(body, sizeof(body), "{\"request_url\": \"%s\"}",
	    url);
	assert_int_equal(visit(v, "PATCH", account_path(d, "a", ""), body),
	    200);
}

/* The data of the ${i}th event of a name; a new reference. */
static json_t *
event(const struct visit *v, const char *name, size_t i)
{
	char wanted[32];
	const char *p = v->events;
	json_t *j;
	size_t n;

	n = (size_t)snprintf(wanted, sizeof(wanted), "event: %s\ndata: ",
	    name);
	while ((p = strstr(p, wanted)) != NULL && i-- > 0)
		p += n;
	if (p == NULL)
		fail_msg("no such event %s in %s", name, v->events);
	p += n;
	j = json_loadb(p, strcspn(p, "\n"), 0, NULL);
	assert_non_null(j);
	return (j);
}

static void
ends(struct visit *v, bool ok, int status, const char *text)
{
	json_t *j = event(v, "done", 0);

	if (json_is_true(json_object_get(j, "ok")) != ok ||
	    desk_int(j, "status") != status || strstr(json_string_value(
	    json_object_get(j, "text")), text) == NULL)
		fail_msg("%s", v->events);
	json_decref(j);
}

static void
a_test_is_streamed(void **state)
{
	static const char *const stream[] = {
		STREAM_HEAD,
		"event: message_start\ndata: {\"type\": \"message_start\"}"
		    "\n\n: a comment\n\nevent: content_block_delta\ndata: "
		    "{\"type\": \"content_block_delta\", \"delta\": "
		    "{\"type\": \"text_delta\", \"te",
		"xt\": \"Hel\"}}\n\n",
		"event: content_block_delta\ndata: {\"type\": "
		    "\"content_block_delta\", \"delta\": {\"type\": "
		    "\"text_delta\", \"text\": \"lo\\n\"}}\n\n",
		"event: message_stop\ndata: {\"type\": "
		    "\"message_stop\"}\n\n", NULL
	};
	static const char *const list[] = {
		"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
		    "{\"data\": []}", NULL
	};
	struct answerer a = { .turns = { stream, list } };
	struct desk *d = *state;
	struct visit v;
	json_t *j;

	answerer_start(&a);
	visit_init_ann(&v, d);
	point(d, &v, a.url);
	assert_int_equal(visit(&v, "POST", account_path(d, "a", "/test"),
	    "{\"model\": \"claude-x\"}"), 200);
	assert_non_null(strstr(v.head, "x-accel-buffering: no"));
	assert_non_null(strstr(answerer_request(&a, 0), "POST /v1/messages"));
	assert_non_null(strstr(answerer_request(&a, 0), "\"stream\":true"));
	assert_non_null(strstr(answerer_request(&a, 0), "claude-x"));
	assert_non_null(strstr(answerer_request(&a, 0),
	    "x-api-key: sk-ant-one"));
	j = event(&v, "step", 0);
	assert_string_equal(json_string_value(json_object_get(j, "name")),
	    "resolve");
	json_decref(j);
	j = event(&v, "text", 0);
	assert_string_equal(json_string_value(json_object_get(j, "text")),
	    "Hel");
	json_decref(j);
	j = event(&v, "text", 1);
	assert_string_equal(json_string_value(json_object_get(j, "text")),
	    "lo\n");
	json_decref(j);
	ends(&v, true, 200, "");
	j = event(&v, "done", 0);
	assert_true(desk_int(j, "first_byte_ms") <= desk_int(j, "ms"));
	json_decref(j);
	assert_null(strstr(v.events, "sk-ant-one"));

	assert_int_equal(visit(&v, "POST", account_path(d, "a", "/test"),
	    NULL), 200);
	assert_non_null(strstr(answerer_request(&a, 1), "GET /v1/models"));
	ends(&v, true, 200, "");
	answerer_stop(&a);
	assert_int_equal(v.long_runs, 0);
	assert_int_equal(visit(&v, "GET", "/logs?verb=account.test", NULL),
	    200);
	assert_int_equal(json_array_size(v.body), 2);
	visit_fini(&v);
}

/* Each is an answer of the test, not an error of it. */
static void
a_test_says_what_is_wrong(void **state)
{
	static const char *const refused[] = {
		"HTTP/1.1 401 Unauthorized\r\n\r\n{\"type\": \"error\", "
		    "\"error\": {\"type\": \"authentication_error\", "
		    "\"message\": \"invalid x-api-key\"}}", NULL
	};
	static const char *const broken[] = {
		STREAM_HEAD "event: message_start\ndata: {\"type\": "
		    "\"message_start\"}\n\n", NULL
	};
	static const char *const failed[] = {
		STREAM_HEAD "event: error\ndata: {\"type\": \"error\", "
		    "\"error\": {\"type\": \"overloaded_error\", "
		    "\"message\": \"Overloaded\"}}\n\n", NULL
	};
	static const char *const page[] = {
		"HTTP/1.1 200 OK\r\n\r\n<html>hello</html>", NULL
	};
	static const char *const nothing[] = { NULL };
	static const struct {
		int status;
		const char *text;
	} ends_so[] = {
		{ 401, "invalid x-api-key" },
		{ 200, "came to its end" },
		{ 200, "overloaded_error: Overloaded" },
		{ 200, "no stream of events" },
		{ 0, "" },
		{ 0, "" },		/* nobody is there any more */
	};
	struct answerer a = {
		.turns = { refused, broken, failed, page, nothing }
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	answerer_start(&a);
	visit_init_ann(&v, d);
	point(d, &v, a.url);
	for (i = 0; i < NITEMS(ends_so); i++) {
		if (i == 5)
			answerer_stop(&a);
		assert_int_equal(visit(&v, "POST", account_path(d, "a",
		    "/test"), "{\"model\": \"m\"}"), 200);
		ends(&v, false, ends_so[i].status, ends_so[i].text);
	}
	visit_expect(&v, 40401, "POST", "/admin/accounts/99/test", NULL);
	visit_expect(&v, 40001, "POST", account_path(d, "a", "/test"),
	    "{\"model\": \"\"}");
	visit_expect(&v, 40001, "POST", account_path(d, "a", "/test"),
	    "{\"prompt\": \"x\"}");
	v.long_runs = 2;
	visit_expect(&v, 42901, "POST", account_path(d, "a", "/test"), NULL);
	visit_expect(&v, 42901, "POST", "/jobs/prune/run", NULL);
	assert_non_null(strstr(v.head, "retry-after: "));
	assert_int_equal(v.long_runs, 2);
	visit_fini(&v);
}

/* Who leaves takes the upstream's connection along, long before the end. */
static void
a_test_ends_with_its_client(void **state)
{
	static const char *const stream[] = {
		STREAM_HEAD "event: content_block_delta\ndata: {\"type\": "
		    "\"content_block_delta\", \"delta\": {\"text\": "
		    "\"Hi\"}}\n\n", ANSWERER_HOLD, NULL
	};
	struct answerer a = { .turns = { stream } };
	struct desk *d = *state;
	struct visit v;

	answerer_start(&a);
	visit_init_ann(&v, d);
	point(d, &v, a.url);
	v.patience = 1;
	assert_int_equal(visit(&v, "POST", account_path(d, "a", "/test"),
	    "{\"model\": \"m\"}"), 200);
	answerer_stop(&a);
	assert_true(a.left);
	assert_int_equal(v.long_runs, 0);
	v.patience = 0;
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	visit_fini(&v);
}

/* ---- refresh ---- */

/* One that is signed in to, at ${url}. */
static void
oauth_account(struct desk *d, const char *url)
{
	char token_url[96], authorize_url[96];
	char access[] = "at-old-token", refresh[] = "rt-old-token";
	const struct oauth_tokens tokens = {
		.access = access, .refresh = refresh, .lifetime_ms = 3600000
	};
	struct account_change c;

	(void)snprintf(token_url, sizeof(token_url), "%s/token", url);
	(void)snprintf(authorize_url, sizeof(authorize_url), "%s/authorize",
	    url);
	account_change_init(&c);
	c.name = "signed";
	c.platform = "claude";
	c.base_url = url;
	c.credential = "oauth";
	c.oauth = (struct oauth_settings) {
		.authorize_url = authorize_url,
		.token_url = token_url,
		.client_id = "me",
		.redirect_uri = "https://example.org/done",
	};
	desk_works(d, accounts_add(d->st, d->seal, &c, &d->err));
	desk_works(d, account_oauth_sign_in(d->st, d->seal, "signed",
	    &tokens, 60000, &d->err));
}

static void
tokens_are_renewed_at_once(void **state)
{
	static const char *const good[] = {
		"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
		"{\"access_token\": \"at-new-token\", \"refresh_token\": "
		    "\"rt-new-token\", \"expires_in\": 7200}", NULL
	};
	static const char *const bad[] = {
		"HTTP/1.1 400 Bad Request\r\ncontent-type: "
		    "application/json\r\n\r\n{\"error\": \"invalid_grant\"}",
		NULL
	};
	struct answerer a = { .turns = { good, bad } };
	struct desk *d = *state;
	struct visit v;

	answerer_start(&a);
	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	oauth_account(d, a.url);
	assert_int_equal(visit(&v, "POST", account_path(d, "signed",
	    "/refresh"), NULL), 200);
	assert_non_null(strstr(answerer_request(&a, 0),
	    "POST /token HTTP/1.1"));
	assert_non_null(strstr(answerer_request(&a, 0),
	    "grant_type=refresh_token"));
	assert_non_null(strstr(answerer_request(&a, 0), "rt-old-token"));
	assert_true(desk_int(json_object_get(v.body, "oauth"), "expires_ms")
	    > store_now_ms(d->st) + 3700000);
	never_shows(&v, "at-new-token");
	never_shows(&v, "rt-new-token");

	visit_expect(&v, 40901, "POST", account_path(d, "signed",
	    "/refresh"), NULL);
	assert_non_null(strstr(answerer_request(&a, 1), "rt-new-token"));
	answerer_stop(&a);
	assert_int_equal(desk_number(d, "SELECT signed_in FROM "
	    "account_oauth"), 0);
	visit_expect(&v, 40901, "POST", account_path(d, "signed",
	    "/refresh"), NULL);
	assert_int_equal(visit(&v, "GET", "/logs?verb=account.refresh",
	    NULL), 200);
	assert_int_equal(json_array_size(v.body), 3);
	desk_account(d, "plain", 1);
	visit_expect(&v, 40001, "POST", account_path(d, "plain",
	    "/refresh"), NULL);
	visit_expect(&v, 40401, "POST", "/admin/accounts/99/refresh", NULL);
	visit_fini(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(the_list_is_filtered),
		DESK_TEST(an_account_comes_with_its_probe),
		DESK_TEST(it_is_said_why_an_account_does_not_serve),
		DESK_TEST(a_test_is_streamed),
		DESK_TEST(a_test_says_what_is_wrong),
		DESK_TEST(a_test_ends_with_its_client),
		DESK_TEST(tokens_are_renewed_at_once),
	};

	return (cmocka_run_group_tests(tests, desk_start_curl,
	    desk_stop_curl));
}
