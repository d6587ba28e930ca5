#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "login.h"

static void
the_code_comes_with_its_state_or_not_at_all(void **state)
{
	static const struct {
		const char *pasted;	/* %s: the state */
		const char *code;	/* NULL: refused */
	} cases[] = {
		{ "https://x.example/back?code=c%%2F1&state=%s", "c/1" },
		{ "https://x.example/back?state=%s&code=c1", "c1" },
		{ "http://localhost:1/?code=c1&state=%s#frag", "c1" },
		{ "code=c1&state=%s", "c1" },
		{ "c1#%s", "c1" },
		{ "c1", NULL },
		{ "#%s", NULL },
		{ "%s", NULL },
		{ "?code=c1", NULL },
		{ "?code=&state=%s", NULL },
		{ "?state=%s", NULL },
		{ "c1#x%s", NULL },
		{ "?code=c1&state=x%s", NULL },
		{ "c1#", NULL },
		{ "", NULL },
	};
	json_t *settings = json_pack("{s:s, s:s}", "authorize_url",
	    "https://a.example/x", "client_id", "c");
	struct login l, again;
	struct err err;
	char pasted[256], *code, *url;
	size_t i;

	(void)state;
	assert_int_equal(login_begin(&l, settings, &url, NULL), 0);
	assert_non_null(strstr(url, l.state));
	assert_null(strstr(url, l.verifier));
	free(url);
	assert_int_equal(login_begin(&again, settings, &url, NULL), 0);
	assert_string_not_equal(again.state, l.state);
	assert_string_not_equal(again.verifier, l.verifier);
	free(url);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = (struct err) { .code = ERR_NONE };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(pasted, sizeof(pasted), cases[i].pasted, l.state);
#pragma GCC diagnostic pop
		if ((login_code(&l, pasted, &code, &err) == 0) !=
		    (cases[i].code != NULL))
			fail_msg("%s: %s", pasted, err.text);
		if (cases[i].code == NULL) {
			assert_int_equal(err.code, ERR_INVAL);
			assert_null(code);
			continue;
		}
		assert_string_equal(code, cases[i].code);
		free(code);
	}
	json_decref(settings);
}

static void
a_pair_is_read_from_a_file(void **state)
{
#define PAIR "{\"access_token\":\"a\",\"refresh_token\":\"r\""
	static const struct {
		const char *text;
		int64_t expires_ms;	/* -1: refused */
	} cases[] = {
		{ PAIR "}", 0 },
		{ PAIR ",\"expires_at\":null}", 0 },
		{ PAIR ",\"expires_at\":1700000060}", INT64_C(1700000060000) },
		{ PAIR ",\"expires_at\":1700000060500}",
			INT64_C(1700000060500) },
		{ PAIR ",\"expires_at\":\"2023-11-14T22:14:20Z\"}",
			INT64_C(1700000060000) },
		{ PAIR ",\"expires_at\":1600000000}", INT64_C(1600000000000) },
		{ PAIR ",\"expires_at\":\"soon\"}", -1 },
		{ PAIR ",\"expires_at\":1.5}", -1 },
		{ PAIR ",\"expires_at\":-1}", -1 },
		{ PAIR, -1 },
		{ "{\"access_token\":\"a\"}", -1 },
		{ "{\"access_token\":\"a\",\"refresh_token\":\"\"}", -1 },
		{ "{\"access_token\":\"a b\",\"refresh_token\":\"r\"}", -1 },
		{ "", -1 },
	};
	struct oauth_tokens t;
	struct err err;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = (struct err) { .code = ERR_NONE };
		rc = login_import(cases[i].text, strlen(cases[i].text), &t,
		    &err);
		if ((rc == 0) != (cases[i].expires_ms >= 0))
			fail_msg("%s: %s", cases[i].text, err.text);
		if (rc != 0) {
			assert_null(t.access);
			continue;
		}
		assert_int_equal(t.expires_ms, cases[i].expires_ms);
		assert_int_equal(t.lifetime_ms, 0);
		assert_string_equal(t.access, "a");
		assert_string_equal(t.refresh, "r");
		oauth_tokens_wipe(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_comes_with_its_state_or_not_at_all),
		cmocka_unit_test(a_pair_is_read_from_a_file),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
