#ifndef RELAY_UPSTREAM_H_
#define RELAY_UPSTREAM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct transfer;
struct upstream;

/**
 * HTTP to the upstreams, on the loop: libcurl's multi interface driven by
 * curl_multi_socket_action.  HTTP/1.1, no redirects, no Expect, no proxy but
 * the one that is stated, TLS always verified, connections and TLS sessions
 * reused, hottest first.  All functions and callbacks run in the loop's
 * thread; none blocks (libcurl looks names up in a thread of its own).
 *
 * "Hottest first" is what libcurl's list of an upstream's connections gives: a
 * request goes on the first idle one, in the order in which they were opened.
 * That is not the one used last, but comes to the same: k calls at a time keep
 * the same k connections busy, and those beyond grow old and are closed.  (The
 * order is libcurl's own, 7.88, and nowhere promised; a test watches it.)
 *
 * A request on a kept connection needs no look-up of the name; one that opens
 * a connection takes the name from libcurl's cache where it is there yet, and
 * resumes a TLS session where the server allows it.
 *
 * The process must ignore SIGPIPE (OpenSSL writes without MSG_NOSIGNAL).
 * Starts are dealt out, LIMIT_STARTS_PER_TURN a turn, so that a burst of new
 * TLS handshakes does not hold up the streams that run.
 */

struct upstream_params {
	struct loop *loop;
	const char *ca_file;		/* "" : the system's certificates */
	int64_t connections_max;	/* kept open, idle ones included */
};
struct upstream *upstream_new(const struct upstream_params *params,
    struct err *err);
/** upstream_free(u): No transfer may be left; not from within a callback. */
void upstream_free(struct upstream *u);

/** How a transfer ended. */
enum transfer_result {
	TRANSFER_OK,		/* the answer is whole */
	TRANSFER_RESOLVE,	/* no such host, or name servers fail */
	TRANSFER_CONNECT,	/* refused, unreachable, time-out connecting */
	TRANSFER_PROXY,		/* the proxy cannot be reached, or does not
				   lead to the upstream; nothing was sent */
	TRANSFER_TLS,		/* handshake or verification */
	TRANSFER_SEND,		/* broke before an answer began; bytes of the
				   request may have arrived */
	TRANSFER_CUT,		/* broke within the answer */
	TRANSFER_SILENT,	/* deadline before the first byte */
	TRANSFER_STALLED,	/* idle or overall deadline within the answer */
	TRANSFER_GARBAGE,	/* not HTTP, or headers beyond the bound */
	TRANSFER_INTERNAL
};
const char *transfer_result_name(enum transfer_result r);

struct transfer_header {
	const char *name;	/* lower case */
	const char *value;	/* trimmed; control characters make the answer
				   TRANSFER_GARBAGE */
};

struct transfer_events {
	/** The head is in.  ${h} is borrowed until the transfer is freed. */
	void (*head)(void *arg, int status, const struct transfer_header *h,
	    size_t nh);
	/** Body bytes.  Return false to be given no more until
	 * transfer_resume: these bytes are then NOT taken, and come again. */
	bool (*body)(void *arg, const unsigned char *p, size_t n);
	/** The last callback, never from within transfer_start or _cancel.
	 * The transfer is to be given to transfer_free in it or later. */
	void (*done)(void *arg, enum transfer_result result,
	    const struct err *why);
};

struct transfer_params {
	const char *method;
	const char *url;		/* copied */
	const char *proxy;		/* copied, see http/proxy.h; NULL:
					   directly */
	const struct transfer_header *headers;	/* copied; sent in this order */
	size_t nheaders;
	/** Request body; must stay until done, cancel, or body_sent. */
	const unsigned char *body;
	size_t body_len;
	bool has_body;			/* false: none, not even an empty one */
	/**
	 * A kept connection may be closed by the server just as the request is
	 * sent.  libcurl would then send it again on another connection, of
	 * any method and up to five times; but the server may have read and
	 * billed it.  true: let it; false: TRANSFER_SEND, with .reused set in
	 * the timings.
	 */
	bool resend;
	bool fresh;			/* on a connection of its own, which is
					   kept afterwards as any other is */
	int64_t connect_timeout_ms;	/* name, TCP and TLS; 0: libcurl's
					   default of 300 s */
	int64_t first_byte_timeout_ms;	/* from start to the head; 0: none */
	int64_t idle_timeout_ms;	/* silence within the body; 0: none */
	int64_t deadline_ms;		/* monotonic, absolute; 0: none */
	const struct transfer_events *events;
	void *arg;
};

/**
 * transfer_start(u, params, err):
 * NULL with ${err}: ERR_NOMEM, or ERR_INVAL for a URL that is not http(s)
 * with a host, a method or header that is not fit to be sent.  Path and query
 * go out byte for byte.  host and content-length are made here and must not be
 * in the headers; nothing else is added to them.
 */
struct transfer *transfer_start(struct upstream *u,
    const struct transfer_params *params, struct err *err);

/** transfer_resume(t): After body returned false.  Callbacks come from the
 * loop, not from within this call. */
void transfer_resume(struct transfer *t);

/** transfer_body_sent(t): The whole request body has left and will not be
 * sent again; may be freed. */
bool transfer_body_sent(const struct transfer *t);

/** transfer_timings(t, ...): ms from start; -1 where it did not happen. */
struct transfer_timings {
	int64_t connected_ms;
	int64_t first_byte_ms;		/* the head was in */
	bool reused;			/* a kept connection (the first, if
					   .resend led to another) */
};
void transfer_timings(const struct transfer *t, struct transfer_timings *tm);

/**
 * transfer_cancel(t): Close the upstream connection at once and free ${t};
 * no callback comes any more.  Never blocks (CURLOPT_QUICK_EXIT).  Allowed in
 * any callback.  NULL is allowed.
 * transfer_free(t): After done.  The connection is kept where possible.
 */
void transfer_cancel(struct transfer *t);
void transfer_free(struct transfer *t);

#endif /* !RELAY_UPSTREAM_H_ */
