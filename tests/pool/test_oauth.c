#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pool/oauth.h"

static void
questions_are_encoded(void **state)
{
	static const struct oauth_param params[] = {
		{ "grant_type", "a b&c=d" }, { "x", "\"\\\n\xc3\xa4~" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(oauth_form(&b, params, 2), 0);
	assert_string_equal(buf_cstr(&b),
	    "grant_type=a%20b%26c%3Dd&x=%22%5C%0A%C3%A4~");
	buf_reset(&b);
	assert_int_equal(oauth_json(&b, params, 2), 0);
	assert_string_equal(buf_cstr(&b), "{\"grant_type\":\"a b&c=d\","
	    "\"x\":\"\\\"\\\\\\u000a\xc3\xa4~\"}");
	buf_fini(&b);

	/* What has no room fails, and is not cut. */
	buf_init(&b, 8);
	assert_int_equal(oauth_form(&b, params, 2), -1);
	buf_reset(&b);
	assert_int_equal(oauth_json(&b, params, 2), -1);
	buf_fini(&b);
}

static void
answers_are_told_apart(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum oauth_verdict verdict;
		const char *access, *refresh;
		int64_t lifetime_ms;
		const char *why;
	} cases[] = {
		{ 200, "{\"access_token\":\"a\",\"refresh_token\":\"r\","
		    "\"expires_in\":60}", OAUTH_TOKENS, "a", "r", 60000, "" },
		{ 201, "{\"access_token\":\"a\",\"expires_in\":\"1.5\"}",
		    OAUTH_TOKENS, "a", NULL, 1500, "" },
		{ 200, "{\"access_token\":\"a\",\"expires_in\":-5}",
		    OAUTH_TOKENS, "a", NULL, 0, "" },
		{ 200, "{\"access_token\":\"a\",\"expires_in\":1e300}",
		    OAUTH_TOKENS, "a", NULL, INT64_C(31622400000), "" },
		{ 200, "{\"access_token\":\"\"}", OAUTH_UNCLEAR, NULL, NULL,
		    0, "HTTP 200" },
		{ 200, "{\"access_token\":\"a\\r\\nx: y\"}", OAUTH_UNCLEAR,
		    NULL, NULL, 0, "HTTP 200" },
		{ 200, "{\"access_token\":\"a\",\"refresh_token\":\"b c\"}",
		    OAUTH_UNCLEAR, NULL, NULL, 0, "HTTP 200" },
		{ 200, "[]", OAUTH_UNCLEAR, NULL, NULL, 0, "HTTP 200" },
		{ 200, "", OAUTH_UNCLEAR, NULL, NULL, 0, "HTTP 200" },
		{ 400, "{\"error\":\"invalid_grant\"}", OAUTH_REFUSED, NULL,
		    NULL, 0, "HTTP 400 invalid_grant" },
		{ 401, "{\"error\":{\"type\":\"invalid_grant\"}}",
		    OAUTH_REFUSED, NULL, NULL, 0, "HTTP 401 invalid_grant" },
		{ 401, "{\"error\":\"invalid_client\"}", OAUTH_FAILED, NULL,
		    NULL, 0, "HTTP 401 invalid_client" },
		{ 400, "{\"error\":\"\\n at-1\"}", OAUTH_FAILED, NULL, NULL, 0,
		    "HTTP 400 ??at-1" },
		{ 503, "<html>", OAUTH_FAILED, NULL, NULL, 0, "HTTP 503" },
		{ 302, "", OAUTH_FAILED, NULL, NULL, 0, "HTTP 302" },
	};
	struct oauth_tokens t;
	char why[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (oauth_answer(cases[i].status, cases[i].body,
		    strlen(cases[i].body), &t, why, sizeof(why)) !=
		    cases[i].verdict)
			fail_msg("case %zu: %s", i, why);
		if (cases[i].access == NULL) {
			assert_null(t.access);
			assert_null(t.refresh);
			assert_string_equal(why, cases[i].why);
			continue;
		}
		assert_string_equal(t.access, cases[i].access);
		assert_int_equal(t.refresh == NULL, cases[i].refresh == NULL);
		assert_int_equal(t.lifetime_ms, cases[i].lifetime_ms);
		oauth_tokens_wipe(&t);
		assert_null(t.access);
	}
}

static void
a_token_is_renewed_ahead_of_its_end_but_not_all_the_time(void **state)
{

	(void)state;
	assert_int_equal(oauth_renew_ms(1000, 0, 600000), 0);
	assert_int_equal(oauth_renew_ms(1000, 3600000, 600000), 3001000);
	assert_int_equal(oauth_renew_ms(1000, 60000, 600000), 46000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_encoded),
		cmocka_unit_test(answers_are_told_apart),
		cmocka_unit_test(
		    a_token_is_renewed_ahead_of_its_end_but_not_all_the_time),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
