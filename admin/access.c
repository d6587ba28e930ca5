#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "http/peer.h"

#include "access.h"

struct access {
	pthread_mutex_t lock;	/* guards all of these */
	bool elsewhere;		/* admin routes are not served */
	char *from;		/* networks; "": all */
	char *trusted;		/* proxies */
	char *scrapers;		/* networks; "": none */
};

struct access *
access_new(const struct conf *conf, struct err *err)
{
	struct access *a;

	if ((a = calloc(1, sizeof(*a))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a setting");
		return (NULL);
	}
	(void)pthread_mutex_init(&a->lock, NULL);
	if (access_set(a, conf, err) == 0)
		return (a);
	access_free(a);
	return (NULL);
}

void
access_free(struct access *a)
{

	if (a == NULL)
		return;
	(void)pthread_mutex_destroy(&a->lock);
	free(a->from);
	free(a->trusted);
	free(a->scrapers);
	free(a);
}

static void
swap(char **a, char **b)
{
	char *c = *a;

	*a = *b;
	*b = c;
}

int
access_set(struct access *a, const struct conf *conf, struct err *err)
{
	char *from = strdup(conf->admin_from);
	char *trusted = strdup(conf->trusted_proxies);
	char *scrapers = strdup(conf->metrics_from);
	const bool good = from != NULL && trusted != NULL && scrapers != NULL;

	if (good) {
		(void)pthread_mutex_lock(&a->lock);
		a->elsewhere = strcmp(conf->routes, "relay") == 0;
		swap(&a->from, &from);
		swap(&a->trusted, &trusted);
		swap(&a->scrapers, &scrapers);
		(void)pthread_mutex_unlock(&a->lock);
	} else {
		err_set(err, ERR_NOMEM, "no memory for a setting");
	}
	free(from);
	free(trusted);
	free(scrapers);
	return (good ? 0 : -1);
}

/* "unix" in a list stands for peers without an address; one of whom a proxy
 * said something that is none is not among them. */
static bool
is_unix(const struct access *a, const struct http_request *r)
{

	return ((r->remote_addr[0] == '\0' ||
	    strcmp(r->remote_addr, "unix:") == 0) &&
	    (!net_list_names(a->trusted, PEER_UNIX) ||
	    http_request_header(r, "x-forwarded-for") == NULL));
}

static bool
is_from(const struct access *a, const struct http_request *r,
    const struct net_addr *addr)
{

	if (a->from[0] == '\0' || net_list_has(a->from, addr))
		return (true);
	return (!addr->known && net_list_names(a->from, PEER_UNIX) &&
	    is_unix(a, r));
}

enum access_answer
access_ask(struct access *a, const struct http_request *r,
    enum route_auth auth, char address[NET_ADDR_SIZE])
{
	enum access_answer answer = ACCESS_GRANTED;
	struct net_addr addr;

	(void)pthread_mutex_lock(&a->lock);
	http_peer(r, a->trusted, &addr);
	if (auth != ROUTE_KEY && a->elsewhere)
		answer = ACCESS_ELSEWHERE;
	else if (auth != ROUTE_KEY && !is_from(a, r, &addr))
		answer = ACCESS_FORBIDDEN;
	(void)pthread_mutex_unlock(&a->lock);
	if (addr.known)
		net_addr_format(&addr, address);
	else
		(void)snprintf(address, NET_ADDR_SIZE, "%s", r->remote_addr);
	return (answer);
}

/* Is its address that of a proxy that nobody named? */
static bool
is_hidden(const struct access *a, const struct http_request *r)
{
	struct net_addr peer;

	if (http_request_header(r, "x-forwarded-for") == NULL &&
	    http_request_header(r, "forwarded") == NULL)
		return (false);
	if (net_addr_parse(r->remote_addr, strlen(r->remote_addr), &peer))
		return (!net_list_names(a->trusted, PEER_UNIX));
	return (!net_list_has(a->trusted, &peer));
}

bool
access_scrapes(struct access *a, const struct http_request *r)
{
	struct net_addr addr;
	bool yes;

	(void)pthread_mutex_lock(&a->lock);
	http_peer(r, a->trusted, &addr);
	if (a->scrapers[0] == '\0' || is_hidden(a, r))
		yes = false;
	else if (addr.known)
		yes = net_list_has(a->scrapers, &addr);
	else
		yes = net_list_names(a->scrapers, PEER_UNIX) && is_unix(a, r);
	(void)pthread_mutex_unlock(&a->lock);
	return (yes);
}
