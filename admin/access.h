#ifndef ADMIN_ACCESS_H_
#define ADMIN_ACCESS_H_

#include <stdbool.h>

#include "base/net.h"
#include "http/request.h"
#include "http/route.h"

struct access;
struct conf;
struct err;

/**
 * From where the admin routes may be called, and whether they are served here
 * at all: the settings admin_from, routes and trusted_proxies.  What takes a
 * client key is for clients, and may be called from anywhere.  Any thread.
 */
enum access_answer {
	ACCESS_GRANTED,
	ACCESS_FORBIDDEN,	/* not from there */
	ACCESS_ELSEWHERE	/* not served here */
};

/** access_new(conf, err): NULL with ${err}.  free takes NULL. */
struct access *access_new(const struct conf *conf, struct err *err);
void access_free(struct access *a);

/** access_set(a, conf, err): As the settings are now.  -1: no memory, and all
 * is as it was. */
int access_set(struct access *a, const struct conf *conf, struct err *err)
    __attribute__((__warn_unused_result__));

/** access_ask(a, r, auth, address): May ${r} ask a route of that kind here?
 * ${address}: whose request it is, see http_peer; where that cannot be told,
 * what the web server says. */
enum access_answer access_ask(struct access *a, const struct http_request *r,
    enum route_auth auth, char address[NET_ADDR_SIZE]);

/**
 * access_scrapes(a, r):
 * May ${r} ask for GET /metrics by its address alone (metrics_from)?  One that
 * bears the header of a proxy that is not trusted may not, as its address is
 * the proxy's.
 */
bool access_scrapes(struct access *a, const struct http_request *r);

#endif /* !ADMIN_ACCESS_H_ */
