#include "cmocka_all.h"

#include <string.h>

#include "base/err.h"
#include "base/net.h"

static void
addresses_are_read_and_written(void **state)
{
	static const struct {
		const char *in, *out;	/* NULL: no address */
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "::FFFF:c000:207", "192.0.2.7" },
		{ "2001:DB8:0::1", "2001:db8::1" },
		{ "::1", "::1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "", NULL }, { " 192.0.2.7", NULL }, { "192.0.2", NULL },
		{ "192.0.2.256", NULL }, { "192.0.2.07x", NULL },
		{ "fe80::1%eth0", NULL }, { "[::1]", NULL },
		{ "1.2.3.4:80", NULL }, { "unix:", NULL },
		{ "localhost", NULL }, { "2001:db8::1/64", NULL },
		{ "11111111111111111111111111111111111111111111111", NULL },
	};
	char out[NET_ADDR_SIZE];
	struct net_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (net_addr_parse(cases[i].in, strlen(cases[i].in), &a) !=
		    (cases[i].out == NULL ? -1 : 0))
			fail_msg("%s", cases[i].in);
		assert_int_equal(a.known, cases[i].out != NULL);
		net_addr_format(&a, out);
		assert_string_equal(out, cases[i].out == NULL ? "" :
		    cases[i].out);
	}
	assert_int_equal(net_addr_parse("1.2.3.4:80", 7, &a), 0);
	assert_int_equal(net_addr_parse("1.2.3\0.4", 8, &a), -1);
}

static void
networks_hold_what_they_say(void **state)
{
	static const struct {
		const char *list, *addr;
		bool has;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
		{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "192.0.2.7/31", "192.0.2.7", false },	/* it is refused */
		{ "192.0.2.6/31", "192.0.2.7", true },
		{ "192.0.2.6/31", "192.0.2.8", false },
		{ "0.0.0.0/0", "8.8.8.8", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "8.8.8.8", false },
		{ "::/0", "::ffff:8.8.8.8", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::1", "2001:db8::1", true },
		{ "2001:db8::1", "2001:db8::2", false },
		{ " 10.0.0.0/8 , 2001:db8::/32 ", "2001:db8:1::", true },
		{ "10.0.0.0/8,172.16.0.0/12", "172.31.255.255", true },
		{ "10.0.0.0/8,172.16.0.0/12", "172.32.0.0", false },
		{ "unix,10.0.0.0/8", "10.1.1.1", true },
		{ "", "10.1.1.1", false },
	};
	struct net_addr a, none = { .known = false };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(net_addr_parse(cases[i].addr,
		    strlen(cases[i].addr), &a), 0);
		if (net_list_has(cases[i].list, &a) != cases[i].has)
			fail_msg("%s in %s", cases[i].addr, cases[i].list);
		assert_false(net_list_has(cases[i].list, &none));
	}
}

static void
bad_lists_are_refused(void **state)
{
	static const struct {
		const char *list, *also;
		int rc;
	} cases[] = {
		{ "", NULL, 0 }, { "  ", NULL, 0 },
		{ "10.0.0.0/8", NULL, 0 },
		{ "10.0.0.0/8, ::1 ,2001:db8::/32", NULL, 0 },
		{ "unix", "unix", 0 }, { "10.0.0.0/8,unix", "unix", 0 },
		{ "unix", NULL, -1 }, { "unixx", "unix", -1 },
		{ "10.0.0.0/8,", NULL, -1 }, { ",10.0.0.0/8", NULL, -1 },
		{ "10.0.0.0/33", NULL, -1 }, { "10.0.0.0/", NULL, -1 },
		{ "10.0.0.0/-1", NULL, -1 }, { "10.0.0.0/8/8", NULL, -1 },
		{ "10.0.0.0/8 ::1", NULL, -1 }, { "10.0.0.1/8", NULL, -1 },
		{ "2001:db8::/129", NULL, -1 }, { "2001:db8::1/32", NULL, -1 },
		{ "::ffff:0.0.0.0/95", NULL, -1 },
		{ "::ffff:0.0.0.0/96", NULL, 0 },
		{ "10.0.0.0/08", NULL, 0 }, { "example.org", NULL, -1 },
		{ "10.0.0.0/99999999999999999999", NULL, -1 },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err_clear(&err);
		if (net_list_check(cases[i].list, cases[i].also, &err) !=
		    cases[i].rc)
			fail_msg("\"%s\"", cases[i].list);
		assert_int_equal(err.code, cases[i].rc == 0 ? ERR_NONE :
		    ERR_INVAL);
	}
	assert_true(net_list_names("10.0.0.0/8, unix", "unix"));
	assert_false(net_list_names("10.0.0.0/8", "unix"));
	assert_false(net_list_names("", "unix"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(networks_hold_what_they_say),
		cmocka_unit_test(bad_lists_are_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
