#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "http/request.h"

static int
param(struct http_request *r, const char *name, const char *value,
    struct err *err)
{

	return (http_request_param(r, name, strlen(name), value,
	    strlen(value), err));
}

/* A request of pairs (name, value, ..., NULL), ready under ${mount}. */
static int
make(struct http_request *r, const char *mount, const char *const *pairs,
    struct err *err)
{

	err_clear(err);
	http_request_init(r);
	for (; *pairs != NULL; pairs += 2)
		assert_int_equal(param(r, pairs[0], pairs[1], err), 0);
	return (http_request_ready(r, mount, err));
}

static void
what_nginx_sends_is_understood(void **state)
{
	static const char *const pairs[] = {
		"QUERY_STRING", "beta=true", "REQUEST_METHOD", "POST",
		"CONTENT_TYPE", "application/json", "CONTENT_LENGTH", "57000",
		"SCRIPT_NAME", "/claude/v1/messages", "PATH_INFO", "/x\n/y",
		"REQUEST_URI", "/claude/v1/messages?beta=true&x=%2f?a",
		"SCRIPT_NAME", "/claude", "REMOTE_ADDR", "192.0.2.7",
		"HTTPS", "on", "HTTP_HOST", "ex.test",
		"HTTP_ANTHROPIC_BETA", "a-1,b-2", "HTTP_X_API_KEY", "sk-lh-k",
		"HTTP_ANTHROPIC_BETA", "c-3", "HTTP_PROXY", "evil:3128",
		"HTTP_PrOXY", "evil:3128", "HTTP_CONTENT-TYPE", "text/x",
		"HTTP_CONTENT_TYPE", "application/json",
		"HTTP_CONTENT_LENGTH", "57000", "HTTP_EMPTY", "",
		"HTTP_ANTHROPIC_BETA", "d-4", "SSL_CLIENT_CERT", "a\nb",
		NULL
	};
	struct http_request r;
	struct err err;

	(void)state;
	assert_int_equal(make(&r, "/claude", pairs, &err), 1);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.target, "/claude/v1/messages?beta=true&x=%2f?a");
	assert_string_equal(r.path, "/v1/messages");
	assert_string_equal(r.query, "beta=true&x=%2f?a");
	assert_string_equal(r.remote_addr, "192.0.2.7");
	assert_true(r.https);
	assert_int_equal(r.content_length, 57000);
	assert_int_equal(r.nheaders, 5);
	assert_string_equal(http_request_header(&r, "anthropic-beta"),
	    "a-1,b-2, c-3, d-4");
	assert_string_equal(r.headers[1].name, "anthropic-beta");
	assert_int_equal(r.headers[1].name_len, 14);
	assert_int_equal(r.headers[1].value_len, 17);
	assert_string_equal(http_request_header(&r, "content-type"),
	    "application/json");
	assert_string_equal(http_request_header(&r, "empty"), "");
	assert_null(http_request_header(&r, "proxy"));
	assert_null(http_request_header(&r, "content-length"));
	assert_null(http_request_header(&r, "path-info"));
	http_request_fini(&r);
	assert_string_equal(r.path, "");
}

static void
paths_are_found_under_the_mount(void **state)
{
	static const struct {
		const char *mount, *target;
		int rc;
		const char *path, *query;
	} cases[] = {
		{ "", "/", 1, "/", NULL },
		{ "", "/v1/messages", 1, "/v1/messages", NULL },
		{ "", "/v1/messages?", 1, "/v1/messages", "" },
		{ "", "/?a?b", 1, "/", "a?b" },
		{ "/claude", "/claude/v1", 1, "/v1", NULL },
		{ "/claude", "/claude", 1, "/", NULL },
		{ "/claude", "/claude?x=1", 1, "/", "x=1" },
		{ "/claude", "/claude/", 1, "/", NULL },
		{ "/claude", "/claudex/v1", 0, "/claudex/v1", NULL },
		{ "/claude", "/v1?x", 0, "/v1", "x" },
		{ "/a/b", "/a/b/a%20b%2Fc//d/../e", 1,
			"/a%20b%2Fc//d/../e", NULL },
		{ "", "*", -1, "*", NULL },
		{ "", "http://x/v1", -1, "http://x/v1", NULL },
		{ "", "", -1, "", NULL },
		{ "/claude", "", -1, "", NULL },
	};
	struct http_request r;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		const char *const pairs[] = { "REQUEST_METHOD", "GET",
			"REQUEST_URI", cases[i].target, NULL };

		if (make(&r, cases[i].mount, pairs, &err) != cases[i].rc)
			fail_msg("\"%s\" under \"%s\"", cases[i].target,
			    cases[i].mount);
		assert_string_equal(r.path, cases[i].path);
		if (cases[i].query == NULL)
			assert_null(r.query);
		else
			assert_string_equal(r.query, cases[i].query);
		http_request_fini(&r);
	}
}

static void
content_length_is_a_number_or_not_stated(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t length;
	} cases[] = {
		{ "", 1, -1 }, { "-1", 1, -1 }, { "0", 1, 0 },
		{ "2147483648", 1, 2147483648 },
		{ "9223372036854775807", 1, INT64_MAX },
		{ "9223372036854775808", -1, 0 }, { "-2", -1, 0 },
		{ "12x", -1, 0 }, { " 12", -1, 0 }, { "0x10", -1, 0 },
		{ "1, 1", -1, 0 },
	};
	struct http_request r;
	struct err err;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		const char *const pairs[] = { "REQUEST_METHOD", "POST",
			"REQUEST_URI", "/", "CONTENT_LENGTH", "7",
			"CONTENT_LENGTH", cases[i].text, NULL };

		rc = make(&r, "", pairs, &err);
		if (rc != cases[i].rc ||
		    (rc == 1 && r.content_length != cases[i].length))
			fail_msg("\"%s\" gave %d", cases[i].text, rc);
		if (rc == -1)
			assert_int_equal(err.code, ERR_INVAL);
		http_request_fini(&r);
	}
}

static void
what_could_inject_a_header_is_refused(void **state)
{
	static const struct {
		const char *name, *value;
		size_t name_len, value_len;
	} cases[] = {
		{ "HTTP_X", "a\rb", 6, 3 }, { "HTTP_X", "a\nb", 6, 3 },
		{ "HTTP_X", "a\0b", 6, 3 }, { "HTTP_X", "\x7f", 6, 1 },
		{ "HTTP_X", "\x1b[0m", 6, 4 }, { "HTTP_X: Y", "a", 9, 1 },
		{ "HTTP_X\nY", "a", 8, 1 }, { "HTTP_X\0Y", "a", 8, 1 },
		{ "HTTP_", "a", 5, 1 }, { "HTTP_X Y", "a", 8, 1 },
		{ "HTTP_\xc3\xa9", "a", 7, 1 },
		{ "REQUEST_URI", "/a\nb", 11, 4 },
		{ "REQUEST_METHOD", "GET\r", 14, 4 },
		{ "REMOTE_ADDR", "\1", 11, 1 },
	};
	struct http_request r;
	struct err err;
	size_t i;

	(void)state;
	http_request_init(&r);
	for (i = 0; i < NITEMS(cases); i++) {
		err_clear(&err);
		if (http_request_param(&r, cases[i].name, cases[i].name_len,
		    cases[i].value, cases[i].value_len, &err) != -1)
			fail_msg("case %zu was taken", i);
		assert_int_equal(err.code, ERR_INVAL);
	}
	assert_int_equal(param(&r, "HTTP_X", "tab\tand \xc3\xa9 \xff", NULL),
	    0);
	http_request_fini(&r);
}

static void
a_request_without_method_or_target_is_refused(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const no_method[] = { "REQUEST_URI", "/v1", NULL };
	static const char *const odd_method[] = { "REQUEST_URI", "/v1",
		"REQUEST_METHOD", "GET /x", NULL };
	static const char *const no_uri[] = { "REQUEST_METHOD", "GET", NULL };
	const char *const *const cases[] = { none, no_method, odd_method,
		no_uri };
	struct http_request r;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(make(&r, "", cases[i], &err), -1);
		assert_int_equal(err.code, ERR_INVAL);
		assert_non_null(r.method);
		assert_non_null(r.path);
		http_request_fini(&r);
	}
}

static void
number_and_size_of_headers_are_bounded(void **state)
{
	struct http_request r;
	struct err err;
	char name[32];
	char *big;
	int i;

	(void)state;
	err_clear(&err);
	http_request_init(&r);
	for (i = 0; i < LIMIT_PARAMS; i++) {
		(void)snprintf(name, sizeof(name), "HTTP_X_%d", i);
		assert_int_equal(param(&r, name, "v", &err), 0);
	}
	assert_int_equal(param(&r, "HTTP_Y", "v", &err), -1);
	assert_int_equal(err.code, ERR_TOO_LARGE);
	http_request_fini(&r);

	assert_non_null(big = malloc(LIMIT_PARAMS_BYTES));
	memset(big, 'x', LIMIT_PARAMS_BYTES);
	err_clear(&err);
	assert_int_equal(http_request_param(&r, "HTTP_BIG", 8, big,
	    LIMIT_PARAMS_BYTES / 2, &err), 0);
	assert_int_equal(http_request_param(&r, "HTTP_BIG", 8, big,
	    LIMIT_PARAMS_BYTES / 2, &err), -1);
	assert_int_equal(err.code, ERR_TOO_LARGE);
	/* what fits can be joined whatever its size */
	assert_int_equal(http_request_param(&r, "HTTP_BIG", 8, big,
	    LIMIT_PARAMS_BYTES / 3, NULL), 0);
	assert_int_equal(param(&r, "REQUEST_METHOD", "GET", NULL), 0);
	assert_int_equal(param(&r, "REQUEST_URI", "/", NULL), 0);
	assert_int_equal(http_request_ready(&r, "", NULL), 1);
	assert_int_equal(r.headers[0].value_len,
	    LIMIT_PARAMS_BYTES / 2 + 2 + LIMIT_PARAMS_BYTES / 3);
	http_request_fini(&r);
	free(big);
}

static void
candidate_keys_come_in_order_and_once(void **state)
{
	static const struct {
		const char *pairs[14];
		size_t n;
		const char *keys[HTTP_KEYS_MAX];
	} cases[] = {
		{ { "REQUEST_URI", "/", NULL }, 0, { NULL } },
		{ { "REQUEST_URI", "/?key=q", "HTTP_API_KEY", "a",
			"HTTP_X_GOOG_API_KEY", "g", "HTTP_AUTHORIZATION",
			"Bearer b", "HTTP_X_API_KEY", "x", NULL }, 5,
			{ "x", "b", "g", "a", "q" } },
		{ { "REQUEST_URI", "/?key=k", "HTTP_AUTHORIZATION",
			"bearer   k", "HTTP_X_API_KEY", "k", NULL }, 1,
			{ "k" } },
		{ { "REQUEST_URI", "/?monkey=1&key=a%2Db%zz%0&key=c", NULL },
			1, { "a-b%zz%0" } },
		{ { "REQUEST_URI", "/?a=key=x&akey=y", NULL }, 0, { NULL } },
		{ { "REQUEST_URI", "/?key=k%00x", NULL }, 1, { "k%00x" } },
		{ { "REQUEST_URI", "/?key=", "HTTP_X_API_KEY", "",
			"HTTP_AUTHORIZATION", "Basic eDp5", NULL }, 0,
			{ NULL } },
	};
	const char *keys[HTTP_KEYS_MAX];
	struct http_request r;
	struct err err;
	size_t i, j;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)make(&r, "", cases[i].pairs, &err);
		assert_int_equal(http_request_keys(&r, keys), cases[i].n);
		for (j = 0; j < cases[i].n; j++)
			assert_string_equal(keys[j], cases[i].keys[j]);
		/* asked twice, they are the same */
		assert_int_equal(http_request_keys(&r, keys), cases[i].n);
		http_request_fini(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nginx_sends_is_understood),
		cmocka_unit_test(paths_are_found_under_the_mount),
		cmocka_unit_test(content_length_is_a_number_or_not_stated),
		cmocka_unit_test(what_could_inject_a_header_is_refused),
		cmocka_unit_test(
		    a_request_without_method_or_target_is_refused),
		cmocka_unit_test(number_and_size_of_headers_are_bounded),
		cmocka_unit_test(candidate_keys_come_in_order_and_once),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
