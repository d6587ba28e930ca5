#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "check.h"

#define NOW_MS	INT64_C(1795160958123)	/* 2026-11-20T07:49:18.123Z */

static void
base_urls_are_normal_and_safe(void **state)
{
	static const struct {
		const char *url;
		const char *normal;	/* NULL: refused */
	} cases[] = {
		{ "https://api.anthropic.com", "https://api.anthropic.com" },
		{ "https://api.anthropic.com/", "https://api.anthropic.com" },
		{ "HTTPS://Api.Example/a//", "https://Api.Example/a" },
		{ "https://h.example:8443/x/y", "https://h.example:8443/x/y" },
		{ "http://127.0.0.1:9000", "http://127.0.0.1:9000" },
		{ "http://127.8.9.1/", "http://127.8.9.1" },
		{ "http://localhost:1/z", "http://localhost:1/z" },
		{ "http://[::1]:1", "http://[::1]:1" },
		{ "http://[0:0:0:0:0:0:0:1]:1", "http://[::1]:1" },
		{ "http://10.0.0.1", NULL },
		{ "http://example.com", NULL },
		{ "http://localhost.example.com", NULL },
		{ "http://127.0.0.1.example.com", NULL },
		{ "http://[::2]", NULL },
		{ "ftp://127.0.0.1", NULL },
		{ "file:///etc/passwd", NULL },
		{ "api.anthropic.com", NULL },
		{ "", NULL },
		{ "https://", NULL },
		{ "https://u@h.example", NULL },
		{ "https://u:p@h.example", NULL },
		{ "https://h.example/?q=1", NULL },
		{ "https://h.example/#f", NULL },
		{ "https://h.example/a b", NULL },
		{ "https://h.example/\nx", NULL },
	};
	struct err err;
	char *out;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err_clear(&err);
		rc = check_base_url(cases[i].url, &out, &err);
		if (rc != (cases[i].normal != NULL ? 0 : -1))
			fail_msg("\"%s\" gave %d: %s", cases[i].url, rc,
			    err.text);
		if (rc != 0) {
			assert_int_equal(err.code, ERR_INVAL);
			continue;
		}
		assert_string_equal(out, cases[i].normal);
		free(out);
	}
}

static void
names_are_short_and_can_be_shown(void **state)
{
	static const struct {
		const char *name;
		int ok;
	} cases[] = {
		{ "a", 1 }, { "team one", 1 }, { "k\xc3\xa9y", 1 },
		{ "", 0 }, { " a", 0 }, { "a ", 0 }, { "a\nb", 0 },
		{ "a\x1b[31m", 0 }, { "a\x7f", 0 }, { "a\xc2\x9b", 0 },
		{ "a\xe2\x80\xae" "b", 0 }, { "\xff\xfe", 0 },
	};
	char name[256];
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err_clear(&err);
		assert_int_equal(check_name("a key", cases[i].name, &err),
		    cases[i].ok ? 0 : -1);
	}
	memset(name, 'x', sizeof(name));
	name[127] = '\0';
	assert_int_equal(check_name("a key", name, NULL), 0);
	name[127] = 'x';
	name[128] = '\0';
	assert_int_equal(check_name("a key", name, NULL), -1);
}

static void
models_are_a_list(void **state)
{
	static const struct {
		const char *text;
		const char *list;	/* NULL: refused */
	} cases[] = {
		{ "", "" }, { "claude-*", "claude-*" },
		{ " a , b ", "a,b" }, { "a,,b", NULL }, { ",a", NULL },
		{ "a,", NULL }, { "a\tb", NULL }, { "\xff", NULL },
		{ "  ", "" }, { "a b", NULL }, { "a, b c", NULL },
	};
	char *out;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		rc = check_models(cases[i].text, &out, NULL);
		if (rc != (cases[i].list != NULL ? 0 : -1))
			fail_msg("\"%s\" gave %d", cases[i].text, rc);
		if (rc != 0)
			continue;
		assert_string_equal(out, cases[i].list);
		free(out);
	}
}

static void
expiries_are_dates_or_durations_to_come(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;		/* -1: refused */
	} cases[] = {
		{ "never", 0 },
		{ "90d", NOW_MS + INT64_C(90) * 86400000 },
		{ "12h", NOW_MS + 12 * 3600000 },
		{ "2026-11-21", INT64_C(1795219200000) },
		{ "2026-11-20T08:00:00Z", INT64_C(1795161600000) },
		{ "2026-11-20", -1 }, { "2026-11-20T07:00:00Z", -1 },
		{ "0s", -1 }, { "90", -1 }, { "", -1 }, { "tomorrow", -1 },
		{ "2026-13-01", -1 }, { "-5d", -1 },
	};
	int64_t ms;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		ms = -1;
		rc = check_expiry(cases[i].text, NOW_MS, &ms, NULL);
		if (rc != (cases[i].ms == -1 ? -1 : 0) || ms != cases[i].ms)
			fail_msg("\"%s\" gave %d, %lld", cases[i].text, rc,
			    (long long)ms);
	}
}

static void
times_past_are_dates_or_durations(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(check_since("2h", NOW_MS, &ms, NULL), 0);
	assert_int_equal(ms, NOW_MS - 2 * 3600000);
	assert_int_equal(check_since("2026-11-20", NOW_MS, &ms, NULL), 0);
	assert_int_equal(ms, INT64_C(1795132800000));
	assert_int_equal(check_since("99999999d", NOW_MS, &ms, NULL), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(check_since("2", NOW_MS, &ms, NULL), -1);
	assert_int_equal(check_since("", NOW_MS, &ms, NULL), -1);
}

static void
secrets_fit_into_a_header(void **state)
{

	(void)state;
	assert_int_equal(check_secret("sk-ant-1", 8, NULL), 0);
	assert_int_equal(check_secret("", 0, NULL), -1);
	assert_int_equal(check_secret("a b", 3, NULL), -1);
	assert_int_equal(check_secret("a\nb", 3, NULL), -1);
	assert_int_equal(check_secret("a\0b", 3, NULL), -1);
	assert_int_equal(check_secret("\xc3\xa9", 2, NULL), -1);
}

static void
money_is_exact(void **state)
{
	int64_t nusd;

	(void)state;
	assert_int_equal(check_money("5", &nusd, NULL), 0);
	assert_int_equal(nusd, INT64_C(5000000000));
	assert_int_equal(check_money("0.000000001", &nusd, NULL), 0);
	assert_int_equal(nusd, 1);
	assert_int_equal(check_money("-1", &nusd, NULL), -1);
	assert_int_equal(check_money("$5", &nusd, NULL), -1);
	assert_int_equal(check_money("1e30", &nusd, NULL), -1);
	assert_int_equal(check_money("0.000", &nusd, NULL), 0);
	assert_int_equal(nusd, 0);
	assert_int_equal(check_money("0.0000000001", &nusd, NULL), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_urls_are_normal_and_safe),
		cmocka_unit_test(names_are_short_and_can_be_shown),
		cmocka_unit_test(models_are_a_list),
		cmocka_unit_test(expiries_are_dates_or_durations_to_come),
		cmocka_unit_test(times_past_are_dates_or_durations),
		cmocka_unit_test(secrets_fit_into_a_header),
		cmocka_unit_test(money_is_exact),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
