#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"

#include "access.h"

static struct conf *
settings(const char *text)
{
	struct err err = { .code = ERR_NONE };
	struct conf *conf = conf_parse("conf", text, strlen(text), &err);

	if (conf == NULL)
		fail_msg("%s", err.text);
	return (conf);
}

static void
param(struct http_request *r, const char *name, const char *value)
{

	if (value != NULL)
		assert_int_equal(http_request_param(r, name, strlen(name),
		    value, strlen(value), NULL), 0);
}

/* A request from ${remote}, as X-Forwarded-For ${chain} has it. */
static enum access_answer
ask(struct access *a, const char *remote, const char *chain,
    enum route_auth auth, char address[NET_ADDR_SIZE])
{
	enum access_answer answer;
	struct http_request r;

	http_request_init(&r);
	param(&r, "REQUEST_METHOD", "GET");
	param(&r, "REQUEST_URI", "/api/v1/status");
	param(&r, "REMOTE_ADDR", remote);
	param(&r, "HTTP_X_FORWARDED_FOR", chain);
	assert_int_equal(http_request_ready(&r, "", NULL), 1);
	answer = access_ask(a, &r, auth, address);
	http_request_fini(&r);
	return (answer);
}

static void
administration_is_open_to_the_networks_that_are_named(void **state)
{
	static const char lan[] = "admin_from = 192.168.1.0/24, 2001:db8::/32";
	static const char proxy[] = "trusted_proxies = 198.51.100.7\n"
	    "admin_from = 192.168.1.0/24";
	static const char local[] = "admin_from = unix, 10.0.0.1";
	static const char behind[] = "trusted_proxies = unix\n"
	    "admin_from = unix, 10.0.0.1";
	static const struct {
		const char *conf, *remote, *chain;
		enum access_answer answer;
		const char *address;
	} cases[] = {
		{ "", "203.0.113.9", NULL, ACCESS_GRANTED, "203.0.113.9" },
		{ "", "", NULL, ACCESS_GRANTED, "" },
		{ "", "unix:", NULL, ACCESS_GRANTED, "unix:" },

		{ lan, "192.168.1.9", NULL, ACCESS_GRANTED, "192.168.1.9" },
		{ lan, "::ffff:192.168.1.9", NULL, ACCESS_GRANTED,
		    "192.168.1.9" },
		{ lan, "2001:db8::5", NULL, ACCESS_GRANTED, "2001:db8::5" },
		{ lan, "192.168.2.9", NULL, ACCESS_FORBIDDEN, "192.168.2.9" },
		{ lan, "unix:", NULL, ACCESS_FORBIDDEN, "unix:" },
		{ lan, "", NULL, ACCESS_FORBIDDEN, "" },

		/* What a client says of itself counts for nothing. */
		{ lan, "203.0.113.9", "192.168.1.9", ACCESS_FORBIDDEN,
		    "203.0.113.9" },
		{ proxy, "198.51.100.7", "192.168.1.9", ACCESS_GRANTED,
		    "192.168.1.9" },
		{ proxy, "198.51.100.7", "192.168.1.9, 203.0.113.9",
		    ACCESS_FORBIDDEN, "203.0.113.9" },
		{ proxy, "198.51.100.7", "unknown", ACCESS_FORBIDDEN,
		    "198.51.100.7" },
		{ proxy, "198.51.100.8", "192.168.1.9", ACCESS_FORBIDDEN,
		    "198.51.100.8" },

		{ local, "unix:", NULL, ACCESS_GRANTED, "unix:" },
		{ local, "", NULL, ACCESS_GRANTED, "" },
		{ local, "10.0.0.1", NULL, ACCESS_GRANTED, "10.0.0.1" },
		{ local, "10.0.0.2", NULL, ACCESS_FORBIDDEN, "10.0.0.2" },
		{ local, "garbage", NULL, ACCESS_FORBIDDEN, "garbage" },
		{ behind, "unix:", "10.0.0.1", ACCESS_GRANTED, "10.0.0.1" },
		{ behind, "unix:", "10.0.0.2", ACCESS_FORBIDDEN,
		    "10.0.0.2" },
		{ behind, "unix:", "unknown", ACCESS_FORBIDDEN, "unix:" },
		{ behind, "unix:", NULL, ACCESS_GRANTED, "unix:" },
	};
	char address[NET_ADDR_SIZE];
	struct access *a;
	struct conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		conf = settings(cases[i].conf);
		assert_non_null(a = access_new(conf, NULL));
		conf_free(conf);
		if (ask(a, cases[i].remote, cases[i].chain, ROUTE_TOKEN,
		    address) != cases[i].answer)
			fail_msg("case %zu: %s", i, address);
		assert_string_equal(address, cases[i].address);
		assert_int_equal(ask(a, cases[i].remote, cases[i].chain,
		    ROUTE_OPEN, address), cases[i].answer);

		/* Clients with a key come from anywhere. */
		assert_int_equal(ask(a, cases[i].remote, cases[i].chain,
		    ROUTE_KEY, address), ACCESS_GRANTED);
		access_free(a);
	}
}

static void
settings_can_be_changed(void **state)
{
	struct conf *conf = settings("");
	struct access *a = access_new(conf, NULL);
	char address[NET_ADDR_SIZE];

	(void)state;
	assert_non_null(a);
	assert_int_equal(ask(a, "10.0.0.1", NULL, ROUTE_TOKEN, address),
	    ACCESS_GRANTED);
	conf_free(conf);
	conf = settings("routes = relay\nadmin_from = 10.0.0.2");
	assert_int_equal(access_set(a, conf, NULL), 0);
	conf_free(conf);
	assert_int_equal(ask(a, "10.0.0.1", NULL, ROUTE_TOKEN, address),
	    ACCESS_ELSEWHERE);
	assert_int_equal(ask(a, "10.0.0.2", NULL, ROUTE_OPEN, address),
	    ACCESS_ELSEWHERE);
	assert_int_equal(ask(a, "10.0.0.1", NULL, ROUTE_KEY, address),
	    ACCESS_GRANTED);
	conf = settings("routes = admin");
	assert_int_equal(access_set(a, conf, NULL), 0);
	conf_free(conf);
	assert_int_equal(ask(a, "10.0.0.1", NULL, ROUTE_TOKEN, address),
	    ACCESS_GRANTED);
	access_free(a);
	access_free(NULL);
}

static bool
scrapes(struct access *a, const char *remote, const char *header,
    const char *value)
{
	struct http_request r;
	bool yes;

	http_request_init(&r);
	param(&r, "REQUEST_METHOD", "GET");
	param(&r, "REQUEST_URI", "/metrics");
	param(&r, "REMOTE_ADDR", remote);
	if (header != NULL)
		param(&r, header, value);
	assert_int_equal(http_request_ready(&r, "", NULL), 1);
	yes = access_scrapes(a, &r);
	http_request_fini(&r);
	return (yes);
}

static void
metrics_are_for_this_host_unless_others_are_named(void **state)
{
	static const char chain[] = "HTTP_X_FORWARDED_FOR";
	static const char lan[] = "metrics_from = 10.0.0.0/8, unix";
	static const char proxy[] = "metrics_from = 10.0.0.0/8\n"
	    "trusted_proxies = 127.0.0.1, unix";
	static const struct {
		const char *conf, *remote, *header, *value;
		bool yes;
	} cases[] = {
		{ "", "127.0.0.1", NULL, NULL, true },
		{ "", "127.8.9.1", NULL, NULL, true },
		{ "", "::1", NULL, NULL, true },
		{ "", "::ffff:127.0.0.1", NULL, NULL, true },
		{ "", "192.0.2.1", NULL, NULL, false },
		{ "", "", NULL, NULL, false },
		{ "", "unix:", NULL, NULL, false },
		{ "", "nonsense", NULL, NULL, false },

		/* Whoever comes through a proxy that nobody named. */
		{ "", "127.0.0.1", chain, "127.0.0.1", false },
		{ "", "127.0.0.1", "HTTP_FORWARDED", "for=127.0.0.1", false },

		{ lan, "10.1.2.3", NULL, NULL, true },
		{ lan, "127.0.0.1", NULL, NULL, false },
		{ lan, "unix:", NULL, NULL, true },
		{ lan, "unix:", chain, "10.1.2.3", false },

		{ proxy, "127.0.0.1", chain, "10.1.2.3", true },
		{ proxy, "127.0.0.1", chain, "192.0.2.9", false },
		{ proxy, "127.0.0.1", chain, "10.1.2.3, 192.0.2.9", false },
		{ proxy, "unix:", chain, "10.1.2.3", true },
		{ proxy, "192.0.2.9", chain, "10.1.2.3", false },
		{ proxy, "10.1.2.3", NULL, NULL, true },

		{ "metrics_from =", "127.0.0.1", NULL, NULL, false },
	};
	struct access *a;
	struct conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		conf = settings(cases[i].conf);
		assert_non_null(a = access_new(conf, NULL));
		if (scrapes(a, cases[i].remote, cases[i].header,
		    cases[i].value) != cases[i].yes)
			fail_msg("case %zu", i);
		access_free(a);
		conf_free(conf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    metrics_are_for_this_host_unless_others_are_named),
		cmocka_unit_test(
		    administration_is_open_to_the_networks_that_are_named),
		cmocka_unit_test(settings_can_be_changed),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
