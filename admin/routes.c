#include "api.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* One for each row of routes.def. */
enum handler {
#define ROUTE(method, path, least, body, name)	HANDLER_##name,
#include "routes.def"
#undef ROUTE
	HANDLERS
};

/* What is asked for, by the least role. */
#define AUTH_NONE	ROUTE_OPEN
#define AUTH_KEY	ROUTE_KEY
#define AUTH_USER	ROUTE_TOKEN
#define AUTH_OPERATOR	ROUTE_TOKEN
#define AUTH_ADMIN	ROUTE_TOKEN

static const struct route routes[] = {
#define ROUTE(method, path, least, body, name) \
	{ method, "/api/v1" path, AUTH_##least, DIALECT_ADMIN, body, \
	    HANDLER_##name },
#include "routes.def"
#undef ROUTE
};

static const struct api_duty duties[HANDLERS] = {
#define ROUTE(method, path, least, body, name) \
	[HANDLER_##name] = { api_##name, ROLE_##least },
#include "routes.def"
#undef ROUTE
};

enum route_result
api_find(const char *method, const char *path, struct route_match *m,
    const struct api_duty **duty)
{
	enum route_result rc;

	rc = route_find(routes, NITEMS(routes), NULL, method, path, m);
	*duty = rc == ROUTE_FOUND ? &duties[m->route->handler] : NULL;
	return (rc);
}
