#include "cmocka_all.h"

#include <string.h>

#include "base/err.h"
#include "http/peer.h"
#include "http/request.h"

static void
put(struct http_request *r, const char *name, const char *value)
{

	assert_int_equal(http_request_param(r, name, strlen(name), value,
	    strlen(value), NULL), 0);
}

/* "" if it cannot be told.  ${more}: a second line of the header. */
static void
judge(const char *addr, const char *chain, const char *more,
    const char *trusted, char out[NET_ADDR_SIZE])
{
	struct http_request r;
	struct net_addr a;

	http_request_init(&r);
	put(&r, "REQUEST_METHOD", "GET");
	put(&r, "REQUEST_URI", "/");
	if (addr != NULL)
		put(&r, "REMOTE_ADDR", addr);
	if (chain != NULL)
		put(&r, "HTTP_X_FORWARDED_FOR", chain);
	if (more != NULL)
		put(&r, "HTTP_X_FORWARDED_FOR", more);
	put(&r, "HTTP_FORWARDED", "for=203.0.113.99");
	assert_int_equal(http_request_ready(&r, "", NULL), 1);
	http_peer(&r, trusted, &a);
	net_addr_format(&a, out);
	http_request_fini(&r);
}

static void
the_client_is_whom_trusted_proxies_name(void **state)
{
	static const char lb[] = "10.0.0.0/8, 2001:db8::/32";
	static const struct {
		const char *addr, *chain, *trusted, *is;
	} cases[] = {
		/* Nobody is trusted: what the header says is not looked at. */
		{ "203.0.113.7", NULL, "", "203.0.113.7" },
		{ "203.0.113.7", "198.51.100.1", "", "203.0.113.7" },
		{ "203.0.113.7", "198.51.100.1", lb, "203.0.113.7" },
		{ "::ffff:203.0.113.7", NULL, "", "203.0.113.7" },
		{ "2001:DB8:1::7", NULL, "", "2001:db8:1::7" },
		/* The right-most that is none of theirs. */
		{ "10.0.0.1", "198.51.100.1", lb, "198.51.100.1" },
		{ "::ffff:10.0.0.1", "198.51.100.1", lb, "198.51.100.1" },
		{ "10.0.0.1", "1.1.1.1, 198.51.100.1", lb, "198.51.100.1" },
		{ "10.0.0.1", "1.1.1.1,198.51.100.1 ,10.9.9.9", lb,
		    "198.51.100.1" },
		{ "10.0.0.1", "1.1.1.1, 198.51.100.1:4711, 10.9.9.9:1", lb,
		    "198.51.100.1" },
		{ "2001:db8::1", "[2001:db9::5]:443, 2001:db8::2", lb,
		    "2001:db9::5" },
		{ "10.0.0.1", "2001:db9::5", lb, "2001:db9::5" },
		{ "10.0.0.1", "[2001:db9::5]", lb, "2001:db9::5" },
		/* Theirs alone, or none: who came from furthest. */
		{ "10.0.0.1", "10.0.0.3, 10.0.0.2", lb, "10.0.0.3" },
		{ "10.0.0.1", NULL, lb, "10.0.0.1" },
		/* What counts is no address: nobody knows. */
		{ "10.0.0.1", "", lb, "" },
		{ "10.0.0.1", "unknown", lb, "" },
		{ "10.0.0.1", "198.51.100.1, _hidden", lb, "" },
		{ "10.0.0.1", "198.51.100.1,", lb, "" },
		{ "10.0.0.1", "198.51.100.1, , 10.0.0.2", lb, "" },
		{ "10.0.0.1", "198.51.100.1 10.0.0.2", lb, "" },
		{ "10.0.0.1", "[198.51.100.1", lb, "" },
		{ "10.0.0.1", "[2001:db9::5]443", lb, "" },
		{ "10.0.0.1", "198.51.100.256", lb, "" },
		/* ... but left of the one that counts nobody looks. */
		{ "10.0.0.1", "unknown, 198.51.100.1", lb, "198.51.100.1" },
		/* Peers without an address. */
		{ "unix:", "198.51.100.1", "", "" },
		{ "unix:", "198.51.100.1", lb, "" },
		{ NULL, "198.51.100.1", lb, "" },
		{ "", "198.51.100.1", "unix", "198.51.100.1" },
		{ "unix:", "198.51.100.1", "unix", "198.51.100.1" },
		{ "unix:", "198.51.100.1, 10.0.0.2", "unix,10.0.0.0/8",
		    "198.51.100.1" },
		{ "unix:", NULL, "unix", "" },
		{ "203.0.113.7", "198.51.100.1", "unix", "203.0.113.7" },
		{ "garbage", "198.51.100.1", "unix", "" },
		{ "garbage", "198.51.100.1", lb, "" },
	};
	char out[NET_ADDR_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		judge(cases[i].addr, cases[i].chain, NULL, cases[i].trusted,
		    out);
		if (strcmp(out, cases[i].is) != 0)
			fail_msg("%zu: %s, %s: %s", i, cases[i].addr,
			    cases[i].chain, out);
	}
}

static void
a_header_of_two_lines_is_one_list(void **state)
{
	char out[NET_ADDR_SIZE];

	(void)state;
	judge("10.0.0.1", "1.1.1.1", "198.51.100.1, 10.0.0.2", "10.0.0.0/8",
	    out);
	assert_string_equal(out, "198.51.100.1");
	judge("10.0.0.1", "198.51.100.1", "10.0.0.2", "10.0.0.0/8", out);
	assert_string_equal(out, "198.51.100.1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_whom_trusted_proxies_name),
		cmocka_unit_test(a_header_of_two_lines_is_one_list),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
