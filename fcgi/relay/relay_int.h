#ifndef RELAY_RELAY_INT_H_
#define RELAY_RELAY_INT_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/loop.h"
#include "relay/probe.h"
#include "relay/relay.h"
#include "relay/spares.h"
#include "relay/throttle.h"

struct call;
struct call_kind;
struct fcgi_server;
struct http_request;
struct meter;
struct peek_scan;
struct refresher;
struct route;
struct slot;

/** The relay's own state, for the modules that serve a call. */
struct relay {
	struct loop *loop;
	const struct conf *conf;
	struct pool *pool;
	struct upstream *upstream;
	struct log *log;
	struct log *access;		/* the access log; NULL: none */
	const struct route *route;	/* of the request that begins; NULL: it
					   is none of ours */
	struct slot *slot;		/* counts; NULL: none are kept */
	struct fcgi_server *server;
	struct refresher *refresher;
	TAILQ_HEAD(, call) calls;
	int64_t ncalls;
	int64_t body_bytes;		/* held for all calls together */
	struct throttle throttle;
	struct probes probes;
	struct spares peeks, meters;
	void (*idle)(void *arg);	/* draining; else NULL */
	void *idle_arg;
	bool server_idle;
	struct loop_task idle_task;
};

/** relay_body_room(r, n): May ${n} more body bytes be held? */
bool relay_body_room(const struct relay *r, size_t n);

/** relay_body_max(r, kind): Longest body of such a call. */
int64_t relay_body_max(const struct relay *r, const struct call_kind *kind);

/**
 * relay_peek(r), relay_meter(r): A fresh one, or NULL without memory;
 * relay_peek_done, relay_meter_done take it back (NULL is allowed).
 */
struct peek_scan *relay_peek(struct relay *r);
void relay_peek_done(struct relay *r, struct peek_scan *s);
struct meter *relay_meter(struct relay *r);
void relay_meter_done(struct relay *r, struct meter *m);

/** What is told of an answer that is no call's; -1, NULL: unknown. */
struct access_plain {
	const char *request_id;
	int status;
	int64_t bytes;
	const char *outcome;
};

/** access_plain(r, http, plain), access_call(c): Its line in the access log;
 * of a call at its very end. */
void access_plain(struct relay *r, const struct http_request *http,
    const struct access_plain *plain);
void access_call(const struct call *c);

/** relay_maybe_idle(r): Something ended. */
void relay_maybe_idle(struct relay *r);

/** relay_call_gone(r, c): ${c} is about to be freed. */
void relay_call_gone(struct relay *r, struct call *c);

#endif /* !RELAY_RELAY_INT_H_ */
