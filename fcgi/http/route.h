#ifndef HTTP_ROUTE_H_
#define HTTP_ROUTE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/response.h"

/** Who may call a route. */
enum route_auth {
	ROUTE_OPEN,		/* no credential asked for */
	ROUTE_KEY,		/* a client key */
	ROUTE_TOKEN		/* an admin token */
};

/**
 * One row of a route table.  Patterns match the raw path: "{id}" stands for
 * one non-empty segment.  Rows with the same pattern and another method give
 * the allow list of a 405.
 */
struct route {
	const char *method;	/* "GET"; GET also serves HEAD */
	const char *pattern;
	enum route_auth auth;
	enum dialect dialect;
	bool body;		/* a body is expected; else it is discarded */
	int handler;		/* the application's own enum */
};

#define ROUTE_PARAMS_MAX 4

struct route_match {
	const struct route *route;
	struct {
		const char *p;	/* within the path given */
		size_t n;
	} params[ROUTE_PARAMS_MAX];
	size_t nparams;
	char allow[64];		/* ROUTE_METHOD: "GET, HEAD, POST" */
	enum dialect dialect;	/* for errors, also when nothing matched */
};

enum route_result {
	ROUTE_FOUND,
	ROUTE_METHOD,		/* path known, method is not: 405 */
	ROUTE_UNKNOWN		/* 404 */
};

/**
 * route_find(table, n, aliases, method, path, m):
 * Look ${path} up.  ${aliases} is a NULL-ended list of prefixes ("/claude",
 * "/api") that are cut off once before matching, when what remains is
 * known; may be NULL.  A trailing slash does not matter.  Any thread.
 */
enum route_result route_find(const struct route *table, size_t n,
    const char *const *aliases, const char *method, const char *path,
    struct route_match *m);

#endif /* !HTTP_ROUTE_H_ */
