#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/err.h"
#include "http/request.h"
#include "pool/snapshot.h"
#include "relay/platform.h"

static char base_url[] = "https://api.example/base";
static char api_key[] = "sk-ant-api03-account";
static char bearer[] = "token-of-account";
static char oauth[] = "sk-ant-oat01-account";

/* CGI parameters as "NAME=value" lines. */
static void
parse(struct http_request *r, const char *target, const char *params)
{
	const char *end, *eq;

	http_request_init(r);
	assert_int_equal(http_request_param(r, "REQUEST_METHOD", 14, "POST", 4,
	    NULL), 0);
	assert_int_equal(http_request_param(r, "REQUEST_URI", 11, target,
	    strlen(target), NULL), 0);
	for (; *params != '\0'; params = end + (*end == '\n')) {
		end = params + strcspn(params, "\n");
		eq = strchr(params, '=');
		assert_int_equal(http_request_param(r, params,
		    (size_t)(eq - params), eq + 1, (size_t)(end - eq - 1),
		    NULL), 0);
	}
	assert_int_equal(http_request_ready(r, "", NULL), 1);
}

/* Headers as "name: value\n" lines. */
static void
join(const struct outgoing *o, char *out, size_t size)
{
	size_t i, len = 0;

	out[0] = '\0';
	for (i = 0; i < o->nheaders; i++)
		len += (size_t)snprintf(out + len, size - len, "%s: %s\n",
		    o->headers[i].name, o->headers[i].value);
	assert_true(len < size);
}

static const struct {
	enum credential_kind kind;
	char *secret;
	const char *params, *headers;
} header_cases[] = {
	{ CREDENTIAL_API_KEY, api_key,
	  "CONTENT_TYPE=application/json\nHTTP_X_API_KEY=sk-lh-client\n"
	  "HTTP_AUTHORIZATION=Bearer sk-lh-client\n"
	  "HTTP_X_GOOG_API_KEY=sk-lh-client\n"
	  "HTTP_API_KEY=sk-lh-client\n"
	  "HTTP_USER_AGENT=claude-cli/2.1.328\n"
	  "HTTP_ANTHROPIC_VERSION=2023-06-01\n"
	  "HTTP_X_STAINLESS_LANG=js\nHTTP_ACCEPT_ENCODING=gzip, br",
	  "user-agent: claude-cli/2.1.328\n"
	  "anthropic-version: 2023-06-01\nx-stainless-lang: js\n"
	  "content-type: application/json\n"
	  "accept-encoding: identity\n"
	  "x-api-key: sk-ant-api03-account\n" },
	{ CREDENTIAL_BEARER, bearer, "HTTP_X_API_KEY=sk-lh-client",
	  "accept-encoding: identity\n"
	  "authorization: Bearer token-of-account\n" },
	{ CREDENTIAL_API_KEY, api_key,
	  "HTTP_HOST=relay.example\nHTTP_CONNECTION=Keep-Alive, X-Hop\n"
	  "HTTP_X_HOP=1\nHTTP_KEEP_ALIVE=5\nHTTP_TE=trailers\n"
	  "HTTP_TRAILER=x\nHTTP_TRANSFER_ENCODING=chunked\n"
	  "HTTP_UPGRADE=h2c\nHTTP_PROXY_AUTHORIZATION=Basic x\n"
	  "HTTP_EXPECT=100-continue\nCONTENT_LENGTH=5\n"
	  "HTTP_COOKIE=a=b\nHTTP_FORWARDED=for=1\nHTTP_VIA=1.1 x\n"
	  "HTTP_X_FORWARDED_FOR=192.0.2.1\nHTTP_X_REAL_IP=192.0.2.1\n"
	  "HTTP_TRUE_CLIENT_IP=192.0.2.1\nHTTP_CF_RAY=1\n"
	  "HTTP_CDN_LOOP=x\nHTTP_ORIGIN=https://a.example\n"
	  "HTTP_REFERER=https://a.example/\nHTTP_X_LEASEHOLD_TAG=1\n"
	  "HTTP_X_APP=cli\nHTTP_CFG=1",
	  "x-app: cli\ncfg: 1\naccept-encoding: identity\n"
	  "x-api-key: sk-ant-api03-account\n" },

	/* anthropic-beta */
	{ CREDENTIAL_API_KEY, api_key,
	  "HTTP_ANTHROPIC_BETA=b, oauth-2025-04-20,a",
	  "anthropic-beta: b,a\naccept-encoding: identity\n"
	  "x-api-key: sk-ant-api03-account\n" },
	{ CREDENTIAL_API_KEY, api_key,
	  "HTTP_ANTHROPIC_BETA=oauth-2025-04-20",
	  "accept-encoding: identity\n"
	  "x-api-key: sk-ant-api03-account\n" },
	{ CREDENTIAL_API_KEY, api_key,
	  "HTTP_ANTHROPIC_BETA=b ,  a,,oauth-2025-04-201",
	  "anthropic-beta: b ,  a,,oauth-2025-04-201\n"
	  "accept-encoding: identity\n"
	  "x-api-key: sk-ant-api03-account\n" },
	{ CREDENTIAL_BEARER, bearer, "HTTP_ANTHROPIC_BETA=b,a",
	  "anthropic-beta: b,a\naccept-encoding: identity\n"
	  "authorization: Bearer token-of-account\n" },
	{ CREDENTIAL_BEARER, oauth, "HTTP_ANTHROPIC_BETA=b,a",
	  "anthropic-beta: b,a,oauth-2025-04-20\n"
	  "accept-encoding: identity\n"
	  "authorization: Bearer sk-ant-oat01-account\n" },
	{ CREDENTIAL_BEARER, oauth,
	  "HTTP_ANTHROPIC_BETA=oauth-2025-04-20, a",
	  "anthropic-beta: oauth-2025-04-20, a\n"
	  "accept-encoding: identity\n"
	  "authorization: Bearer sk-ant-oat01-account\n" },
	{ CREDENTIAL_BEARER, oauth, "HTTP_X_APP=cli",
	  "x-app: cli\nanthropic-beta: oauth-2025-04-20\n"
	  "accept-encoding: identity\n"
	  "authorization: Bearer sk-ant-oat01-account\n" },
};

static void
headers_go_upstream_as_the_rules_say(void **state)
{
	const struct platform *p = platform_find("claude");
	struct account a = { .name = "a1", .base_url = base_url };
	struct http_request r;
	struct outgoing o;
	char got[2048];
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < NITEMS(header_cases); i++) {
		parse(&r, "/v1/messages", header_cases[i].params);
		a.credential = header_cases[i].kind;
		a.secret = header_cases[i].secret;
		outgoing_init(&o);
		assert_int_equal(p->request(&r, "/v1/messages", &a, &o, NULL),
		    0);
		join(&o, got, sizeof(got));
		assert_string_equal(got, header_cases[i].headers);
		assert_null(strstr(got, "sk-lh-client"));
		outgoing_fini(&o);
		http_request_fini(&r);
	}
}

static void
a_console_has_its_own_header(void **state)
{
	static const struct {
		const char *header, *headers;
	} cases[] = {
		{ "", "x-tenant-key: theirs\n"
		  "anthropic-beta: b\naccept-encoding: identity\n"
		  "x-api-key: sk-ant-api03-account\n" },
		{ "x-tenant-key", "anthropic-beta: b\n"
		  "accept-encoding: identity\n"
		  "x-tenant-key: sk-ant-api03-account\n" },
		{ "api-key", "x-tenant-key: theirs\n"
		  "anthropic-beta: b\naccept-encoding: identity\n"
		  "api-key: sk-ant-api03-account\n" },
	};
	const struct platform *p = platform_find("claude_console");
	struct account a = { .name = "a1", .base_url = base_url,
	    .secret = api_key, .credential = CREDENTIAL_API_KEY };
	struct http_request r;
	struct outgoing o;
	char got[2048];
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < NITEMS(cases); i++) {
		parse(&r, "/v1/messages", "HTTP_X_API_KEY=sk-lh-client\n"
		    "HTTP_API_KEY=sk-lh-client\nHTTP_X_TENANT_KEY=theirs\n"
		    "HTTP_ANTHROPIC_BETA=b, oauth-2025-04-20");
		strcpy(a.auth_header, cases[i].header);
		outgoing_init(&o);
		assert_int_equal(p->request(&r, "/v1/messages", &a, &o, NULL),
		    0);
		join(&o, got, sizeof(got));
		assert_string_equal(got, cases[i].headers);
		assert_string_equal(o.url,
		    "https://api.example/base/v1/messages");
		outgoing_fini(&o);
		http_request_fini(&r);
	}
}

static void
path_and_query_go_upstream_byte_for_byte(void **state)
{
	static const struct {
		const char *target, *path, *url;
	} cases[] = {
		{ "/v1/messages?beta=true", "/v1/messages",
		  "/v1/messages?beta=true" },
		{ "/claude/v1/messages", "/v1/messages", "/v1/messages" },
		{ "/v1/models?limit=10&lifecycle%5B%5D=active&&x=%zz",
		  "/v1/models",
		  "/v1/models?limit=10&lifecycle%5B%5D=active&&x=%zz" },
		{ "/v1/m?", "/v1/m", "/v1/m?" },
		{ "/v1/m?&a", "/v1/m", "/v1/m?&a" },
		{ "/v1/m?a&", "/v1/m", "/v1/m?a&" },
		{ "/v1/m?key=sk", "/v1/m", "/v1/m" },
		{ "/v1/m?key", "/v1/m", "/v1/m" },
		{ "/v1/m?key=sk&a=1", "/v1/m", "/v1/m?a=1" },
		{ "/v1/m?a=1&key=sk", "/v1/m", "/v1/m?a=1" },
		{ "/v1/m?a=1&key=sk&b=2&key=", "/v1/m", "/v1/m?a=1&b=2" },
		{ "/v1/m?keys=1&monkey=2&Key=3", "/v1/m",
		  "/v1/m?keys=1&monkey=2&Key=3" },
		{ "/v1/m/../x//y%2f", "/v1/m/../x//y%2f",
		  "/v1/m/../x//y%2f" },
	};
	const struct platform *p = platform_find("claude");
	struct account a = { .name = "a1", .base_url = base_url,
	    .secret = api_key };
	struct http_request r;
	struct outgoing o;
	char want[256];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		parse(&r, cases[i].target, "");
		outgoing_init(&o);
		assert_int_equal(p->request(&r, cases[i].path, &a, &o, NULL),
		    0);
		snprintf(want, sizeof(want), "%s%s", base_url, cases[i].url);
		assert_string_equal(o.url, want);
		outgoing_fini(&o);
		http_request_fini(&r);
	}
}

static void
answers_lose_what_is_not_the_clients_business(void **state)
{
	static const struct {
		const char *name;
		bool pass;
	} cases[] = {
		{ "content-type", true }, { "content-encoding", true },
		{ "request-id", true }, { "retry-after", true },
		{ "retry-after-ms", true }, { "x-should-retry", true },
		{ "anthropic-workspace-id", true }, { "etag", true },
		{ "cache-control", true }, { "service", true },
		{ "set-cookie", false },
		{ "anthropic-organization-id", false },
		{ "openai-organization", false }, { "cf-ray", false },
		{ "server", false }, { "via", false }, { "alt-svc", false },
		{ "strict-transport-security", false },
		{ "connection", false }, { "keep-alive", false },
		{ "transfer-encoding", false }, { "content-length", false },
		{ "proxy-authenticate", false }, { "upgrade", false },
		{ "trailer", false }, { "date", false }, { "status", false },
		{ "x-leasehold-request-id", false },
		{ "x-accel-buffering", false }, { "x-sendfile", false },
		{ "anthropic-ratelimit-requests-limit", false },
		{ "anthropic-ratelimit-unified-5h-status", false },
	};
	const struct platform *p = platform_find("claude");
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (p->pass_header(cases[i].name, 200) != cases[i].pass)
			fail_msg("%s", cases[i].name);
	}
}

static void
an_account_that_was_not_unsealed_is_an_error(void **state)
{
	struct account a = { .name = "a1", .base_url = base_url };
	struct err err = { 0 };
	struct http_request r;
	struct outgoing o;

	(void)state;
	parse(&r, "/v1/messages", "");
	outgoing_init(&o);
	assert_int_equal(platform_find("claude")->request(&r, "/v1/messages",
	    &a, &o, &err), -1);
	assert_int_equal(err.code, ERR_CRYPTO);
	assert_non_null(strstr(err.text, "a1"));
	outgoing_fini(&o);
	http_request_fini(&r);
}

static void
memory_that_runs_out_is_an_error(void **state)
{
	struct account a = { .name = "a1", .base_url = base_url,
	    .secret = api_key };
	struct http_request r;
	struct outgoing o;
	struct err err;
	int n, rc, failed;

	(void)state;
	parse(&r, "/v1/messages", "HTTP_X_APP=cli");
	for (n = 0, failed = 1; failed; n++) {
		outgoing_init(&o);
		err_clear(&err);
		alloc_fail_after(n);
		rc = platform_find("claude")->request(&r, "/v1/messages", &a,
		    &o, &err);
		failed = alloc_fail_stop();
		assert_int_equal(rc, failed ? -1 : 0);
		assert_int_equal(err.code, failed ? ERR_NOMEM : ERR_NONE);
		outgoing_fini(&o);
	}
	assert_int_equal(n, 3);
	http_request_fini(&r);
}

static void
an_unknown_platform_is_not_found(void **state)
{

	(void)state;
	assert_null(platform_find("nobody"));
	assert_null(platform_find(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_go_upstream_as_the_rules_say),
		cmocka_unit_test(a_console_has_its_own_header),
		cmocka_unit_test(path_and_query_go_upstream_byte_for_byte),
		cmocka_unit_test(answers_lose_what_is_not_the_clients_business),
		cmocka_unit_test(an_account_that_was_not_unsealed_is_an_error),
		cmocka_unit_test(memory_that_runs_out_is_an_error),
		cmocka_unit_test(an_unknown_platform_is_not_found),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
