#ifndef RELAY_RELAY_H_
#define RELAY_RELAY_H_

#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct log;
struct loop;
struct pool;
struct relay;
struct route;
struct slot;
struct upstream;

/**
 * The relay application: requests come in from the FastCGI server, are
 * checked at the front line (route, key, size), and become calls (call.h).
 * Everything runs in the loop's thread.
 */
struct relay_params {
	struct loop *loop;
	const struct conf *conf;	/* outlives it; reloads in place */
	struct pool *pool;
	struct upstream *upstream;
	struct log *log;
	struct log *access;		/* of log_open_json; NULL: none */
	struct slot *slot;		/* see metrics/slots.h; NULL: nothing is
					   counted */
	int listen_fd;			/* stays the caller's */
};

/** relay_new(params, err): Begin to accept.  NULL with ${err}.
 * relay_free(r): No call may be open.  NULL is allowed. */
struct relay *relay_new(const struct relay_params *params, struct err *err);
void relay_free(struct relay *r);

/** relay_reload(r): The settings were read again. */
void relay_reload(struct relay *r);

/**
 * relay_drain(r, idle, arg):
 * Go on serving, close each connection after its answer, and call ${idle}
 * whenever neither a connection nor a call is left.
 */
void relay_drain(struct relay *r, void (*idle)(void *arg), void *arg);

/**
 * relay_abort(r):
 * End all calls and probes now, each client told by an error, and close the
 * connections that are idle.  What relay_drain promised still holds.
 */
void relay_abort(struct relay *r);

/** relay_routes(n): The table of all its routes, *${n} of them, for those who
 * describe them. */
const struct route *relay_routes(size_t *n);

/** relay_calls(r): Calls that are open, those being settled included. */
int64_t relay_calls(const struct relay *r);

#endif /* !RELAY_RELAY_H_ */
