#include "cmocka_all.h"

#include <string.h>

#include "http/query.h"

static const struct {
	const char *query, *got;	/* name=value; for each */
} cases[] = {
	{ NULL, "" },
	{ "", "" },
	{ "&&", "" },
	{ "a=1", "a=1;" },
	{ "a=1&b=2&", "a=1;b=2;" },
	{ "a&b=&=c", "a=;b=;=c;" },
	{ "ids%5B%5D=x%2Fy+z", "ids[]=x/y z;" },
	{ "a=%4&b=%zz&c=%", "a=%4;b=%zz;c=%;" },
	{ "a=b%00c=d", "a=b;" },
	{ "a=b=c", "a=b=c;" },
	{ "longername=longervalue", "longern=longerv;" },
};

static void
a_query_is_taken_apart(void **state)
{
	char name[8], value[8], got[128];
	const char *at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got[0] = '\0';
		at = cases[i].query;
		while (query_next(&at, name, sizeof(name), value,
		    sizeof(value))) {
			strcat(got, name);
			strcat(got, "=");
			strcat(got, value);
			strcat(got, ";");
		}
		assert_string_equal(got, cases[i].got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_taken_apart),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
