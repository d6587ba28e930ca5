#include "config.h"
#include "cmocka_all.h"

#include <string.h>

#include "base/err.h"
#include "store/mysql_url.h"

static void
test_good_urls(void **state)
{
	static const struct {
		const char *text;
		struct mysql_url u;
	} cases[] = {
		{ "//lh@localhost/lh?socket=/run/mysqld/mysqld.sock",
		    { .user = "lh", .host = "localhost", .port = 3306,
		    .database = "lh", .socket = "/run/mysqld/mysqld.sock" } },
		{ "//lh@/lh?socket=/s", { .user = "lh", .port = 3306,
		    .database = "lh", .socket = "/s" } },
		{ "//lh@127.0.0.1:3307/lh", { .user = "lh",
		    .host = "127.0.0.1", .port = 3307, .database = "lh" } },
		{ "//a%40b@[::1]:1/d%2Fb", { .user = "a@b", .host = "::1",
		    .port = 1, .database = "d/b" } },
		{ "//lh@db.example/lh?ca=/etc/db.pem&password_file=/etc/pw",
		    { .user = "lh", .host = "db.example", .port = 3306,
		    .database = "lh", .ca = "/etc/db.pem",
		    .password_file = "/etc/pw" } },
		{ "//lh@db.example/lh?tls=off", { .user = "lh",
		    .host = "db.example", .port = 3306, .database = "lh",
		    .tls = "off" } },
	};
	struct mysql_url u;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err_clear(&err);
		if (mysql_url_parse(cases[i].text, &u, &err))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_memory_equal(&u, &cases[i].u, sizeof(u));
	}
}

static void
test_bad_urls(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "mysql://USER@HOST/DATABASE" },
		{ "//lh@localhost", "mysql://USER@HOST/DATABASE" },
		{ "//lh@localhost/", "mysql://USER@HOST/DATABASE" },
		{ "//lh@localhost/?socket=/s", "mysql://USER@HOST/DATABASE" },
		{ "//localhost/lh", "names no user" },
		{ "//@localhost/lh", "names no user" },
		{ "//lh:hunter2@localhost/lh", "must not hold a password" },
		{ "//lh:hunter2@x@localhost/lh", "must not hold a password" },
		{ "//lh@hunter2@localhost/lh", "must not hold a password" },
		{ "//lh@localhost:0/lh", "HOST:PORT" },
		{ "//lh@localhost:x/lh", "HOST:PORT" },
		{ "//lh@localhost:65536/lh", "HOST:PORT" },
		{ "//lh@[::1/lh", "HOST:PORT" },
		{ "//lh@[]/lh", "HOST:PORT" },
		{ "//lh@[::1]x/lh", "HOST:PORT" },
		{ "//l%h@localhost/lh", "the user" },
		{ "//l%00h@localhost/lh", "the user" },
		{ "//lh@localhost/l%1", "the database" },
		{ "//lh@localhost/lh?", "only socket=" },
		{ "//lh@localhost/lh?sokcet=/s", "only socket=" },
		{ "//lh@localhost/lh?password=hunter2", "only socket=" },
		{ "//lh@localhost/lh?socket=/s&", "only socket=" },
		{ "//lh@localhost/lh?socket=/s&socket=/s", "twice" },
		{ "//lh@localhost/lh?socket=s", "absolute path" },
		{ "//lh@localhost/lh?ca=", "absolute path" },
		{ "//lh@localhost/lh?tls=on", "can only be off" },
		{ "//lh@db/lh?tls=off&ca=/c", "exclude" },
		{ "//lh@db/lh?socket=/s", "the host is localhost" },
		{ "//lh@/lh", "neither a host nor" },
		{ "//lh@db/lh", "needs ca=" },
	};
	struct mysql_url u;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err_clear(&err);
		if (mysql_url_parse(cases[i].text, &u, &err) == 0)
			fail_msg("%s was taken", cases[i].text);
		assert_int_equal(err.code, ERR_INVAL);
		if (strstr(err.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_null(strstr(err.text, "hunter2"));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_urls),
		cmocka_unit_test(test_bad_urls),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
