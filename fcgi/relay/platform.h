#ifndef RELAY_PLATFORM_H_
#define RELAY_PLATFORM_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "http/traceparent.h"
#include "relay/upstream.h"

struct account;
struct err;
struct http_request;
struct outgoing;

/**
 * One row a platform: how a request is put to it.  Pure functions; any
 * thread.
 */
struct platform {
	const char *name;		/* account.platform */
	/**
	 * Build URL and headers for ${account} from the client's request:
	 * path and query byte for byte (but for ?key=), end-to-end headers but
	 * those of WIRE.md section 7 rule 4, the account's credential,
	 * accept-encoding: identity, and the next step of ${out}->trace, if
	 * that is set and there is one.  0, or -1 with ${err}.
	 */
	int (*request)(const struct http_request *r, const char *path,
	    const struct account *account, struct outgoing *out,
	    struct err *err);
	/** May this response header go to the client (rule 8, 9)? */
	bool (*pass_header)(const char *name, int status);
};

/** A request being built; header texts point into ${text} or the request. */
struct outgoing {
	struct buf text;
	char *url;
	struct transfer_header *headers;
	size_t nheaders, cap;
	struct traceparent *trace;	/* the caller's; NULL: none */
	char traceparent[TRACEPARENT_SIZE];
};

void outgoing_init(struct outgoing *o);
void outgoing_fini(struct outgoing *o);	/* wipes: it held a credential */

/** platform_find(name): NULL if there is none. */
const struct platform *platform_find(const char *name);

#endif /* !RELAY_PLATFORM_H_ */
