#include "desk.h"

#include <string.h>

#include "pool/snapshot.h"

#include "account_proxy.h"
#include "account_secrets.h"
#include "accounts.h"
#include "install.h"

static void
set_proxy(struct desk *d, const char *url, const char *password)
{
	struct account_change c;

	account_change_init(&c);
	c.proxy = url;
	c.proxy_password = password;
	desk_works(d, accounts_set(d->st, d->seal, "a", &c, &d->err));
}

static void
assert_proxy(struct desk *d, const char *sealed, const char *shown)
{
	char *text;
	size_t len;
	json_t *a;

	desk_works(d, account_secret_get(d->st, d->seal, ACCOUNT_PROXY, 1,
	    &text, &len, &d->err));
	if (sealed == NULL)
		assert_null(text);
	else
		assert_string_equal(text, sealed);
	if (text != NULL)
		seal_wipe_free(text, len);
	a = accounts_show(d->st, "a", &d->err);
	desk_works(d, a == NULL);
	assert_string_equal(json_string_value(json_object_get(a, "proxy")),
	    shown);
	json_decref(a);
}

static void
a_proxy_is_sealed_with_its_password_and_shown_without(void **state)
{
	static const struct {
		const char *url, *password, *sealed, *shown;
	} cases[] = {
		{ "http://proxy.example:3128", NULL,
		    "http://proxy.example:3128", "http://proxy.example:3128" },
		{ "https://u@p.example:443", "x", "https://u:x@p.example:443",
		    "https://p.example:443" },
		{ "socks5://a%40b@[::1]:1080", "p@:/%41",
		    "socks5://a%40b:p%40%3a%2f%2541@[::1]:1080",
		    "socks5://[::1]:1080" },
		{ "socks5h://10.0.0.1:1/", NULL, "socks5h://10.0.0.1:1",
		    "socks5h://10.0.0.1:1" },
		{ "", NULL, NULL, "" },
	};
	struct desk *d = *state;
	size_t i;

	desk_account(d, "a", 1);
	assert_proxy(d, NULL, "");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_proxy(d, cases[i].url, cases[i].password);
		assert_proxy(d, cases[i].sealed, cases[i].shown);
	}
}

static void
other_urls_are_refused_and_no_password_repeated(void **state)
{
	static const char *const bad[] = {
		"proxy.example:3128", "http://proxy.example",
		"ftp://proxy.example:21", "socks4://p:1", "http://u:sesame@p:1",
		"http://u:sesame@p", "http://p:1/path", "http://p:1?q",
		"http://p:1#f", "http://:1", "http://p:99999", "http://p :1",
		"http://p\n:1", "://p:1", "none",
	};
	struct desk *d = *state;
	bool user;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (account_proxy_check(bad[i], &user, &d->err) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(d->err.code, ERR_INVAL);
		assert_null(strstr(d->err.text, "sesame"));
		d->err = (struct err) { .code = ERR_NONE };
	}
	desk_works(d, account_proxy_check("http://u@p:1", &user, &d->err));
	assert_true(user);
	desk_works(d, account_proxy_check("http://p:1", &user, &d->err));
	assert_false(user);
}

/* Without its proxy an account would go directly. */
static void
an_account_whose_proxy_cannot_be_unsealed_does_not_serve(void **state)
{
	struct desk *d = *state;
	struct snapshot *s;

	desk_account(d, "a", 1);
	set_proxy(d, "http://u@p:1", "x");
	s = snapshot_load(d->st, d->seal, &d->err);
	desk_works(d, s == NULL);
	assert_string_equal(s->accounts[0].proxy, "http://u:x@p:1");
	assert_int_equal(s->nshut, 0);
	snapshot_unref(s);

	/* What is sealed for something else does not do. */
	desk_sql(d, "UPDATE account SET proxy = secret");
	s = snapshot_load(d->st, d->seal, &d->err);
	desk_works(d, s == NULL);
	assert_null(s->accounts[0].secret);
	assert_null(s->accounts[0].proxy);
	assert_int_equal(s->nshut, 1);
	snapshot_unref(s);
}

static void
a_new_master_key_seals_proxies_too(void **state)
{
	struct desk *d = *state;
	size_t n;

	desk_account(d, "a", 1);
	set_proxy(d, "http://u@p:1", "x");
	desk_works(d, install_rekey(d->st, d->key_path, &n, &d->err));
	assert_int_equal(n, 1);
	desk_open_seal(d);
	assert_proxy(d, "http://u:x@p:1", "http://p:1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(
		    a_proxy_is_sealed_with_its_password_and_shown_without),
		DESK_TEST(other_urls_are_refused_and_no_password_repeated),
		DESK_TEST(
		    an_account_whose_proxy_cannot_be_unsealed_does_not_serve),
		DESK_TEST(a_new_master_key_seals_proxies_too),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
