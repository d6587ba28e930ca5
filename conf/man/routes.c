#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route {
	const char *method;
	const char *path;
	const char *role;
};

static const struct route routes[] = {
#define ROUTE(method, path, role, body, name) { method, path, #role },
#include "routes.def"
#undef ROUTE
};

/* What a row's least role is called in the page. */
static const struct {
	const char *role;
	const char *text;
} texts[] = {
	{ "NONE", "anybody" },
	{ "KEY", "client key" },
	{ "USER", "user" },
	{ "OPERATOR", "operator" },
	{ "ADMIN", "administrator" }
};

static const char *
text_of(const char *role)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].role, role) == 0)
			return (texts[i].text);
	return (role);
}

/* Print the admin routes as a table for leasehold-api(7). */
int
main(void)
{
	size_t i;

	puts(".Bl -column \"DELETE\" \"/admin/accounts/{id}/oauth/finish\" "
	    "\"administrator\"");
	puts(".It Sy Method Ta Sy Path Ta Sy Least role");
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		printf(".It %s Ta %s Ta %s\n", routes[i].method,
		    routes[i].path, text_of(routes[i].role));
	puts(".El");
	return (ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}
