#include "cmocka_all.h"

#include <sys/un.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/address.h"

static void
paths_are_unix_sockets(void **state)
{
	const struct sockaddr_un *sun;
	struct address a;
	char path[sizeof(sun->sun_path) + 1];

	(void)state;
	assert_int_equal(address_parse("/run/a:1", &a), 0);
	sun = (const struct sockaddr_un *)&a.sa;
	assert_true(a.is_unix);
	assert_int_equal(sun->sun_family, AF_UNIX);
	assert_string_equal(sun->sun_path, "/run/a:1");

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(address_parse(path, &a), -1);
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(address_parse(path, &a), 0);
}

static void
addresses_have_a_port(void **state)
{
	static const struct {
		const char *text, *host;
		int family, port;
		bool loopback;
	} cases[] = {
		{ "127.0.0.1:9000", "127.0.0.1", AF_INET, 9000, true },
		{ "127.1.2.3:1", "127.1.2.3", AF_INET, 1, true },
		{ "0.0.0.0:65535", "0.0.0.0", AF_INET, 65535, false },
		{ "192.0.2.7:9000", "192.0.2.7", AF_INET, 9000, false },
		{ "[::1]:9000", "::1", AF_INET6, 9000, true },
		{ "[::]:9000", "::", AF_INET6, 9000, false },
		{ "[2001:db8::7]:9", "2001:db8::7", AF_INET6, 9, false },
	};
	const struct sockaddr_in6 *sin6;
	const struct sockaddr_in *sin;
	char host[INET6_ADDRSTRLEN];
	struct address a;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(address_parse(cases[i].text, &a), 0);
		assert_false(a.is_unix);
		assert_int_equal(a.loopback, cases[i].loopback);
		assert_int_equal(a.sa.ss_family, cases[i].family);
		sin = (const struct sockaddr_in *)&a.sa;
		sin6 = (const struct sockaddr_in6 *)&a.sa;
		assert_non_null(inet_ntop(cases[i].family,
		    cases[i].family == AF_INET ? (const void *)&sin->sin_addr :
		    (const void *)&sin6->sin6_addr, host, sizeof(host)));
		assert_string_equal(host, cases[i].host);
		assert_int_equal(ntohs(cases[i].family == AF_INET ?
		    sin->sin_port : sin6->sin6_port), cases[i].port);
	}
}

static void
all_else_is_refused(void **state)
{
	static const char *const cases[] = { "", ":", ":9000", "9000",
	    "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
	    "127.0.0.1:90x", "127.0.0.1 :9000", "127.0.0.256:9000",
	    "localhost:9000", "::1:9000", "[::1]", "[::1:9000", "[]:9000",
	    "[:9000", "[127.0.0.1]:9000", "run/relay.sock",
	    "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:9000" };
	struct address a;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (address_parse(cases[i], &a) != -1)
			fail_msg("\"%s\" was taken", cases[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_unix_sockets),
		cmocka_unit_test(addresses_have_a_port),
		cmocka_unit_test(all_else_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
