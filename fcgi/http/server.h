#ifndef HTTP_SERVER_H_
#define HTTP_SERVER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/request.h"

struct err;
struct fcgi_request;
struct fcgi_server;
struct loop;
struct slot;

/** Why a request ended before its answer did. */
enum fcgi_gone {
	FCGI_GONE_CLOSED,	/* the web server closed: the client left */
	FCGI_GONE_ABORT,	/* an abort record */
	FCGI_GONE_PROTOCOL,	/* malformed records, body of wrong length */
	FCGI_GONE_READ_TIMEOUT,	/* the request stopped coming in */
	FCGI_GONE_WRITE_TIMEOUT,/* the client takes nothing */
	FCGI_GONE_NOMEM
};

/**
 * FastCGI connections on the loop: accepts from the listening socket that
 * spawn-fcgi left on descriptor 0, reads requests one after the other on
 * kept connections (no multiplexing), writes answers, and watches each
 * connection for the web server's closing at all times.  All functions and
 * callbacks run in the loop's thread.
 *
 * The life of a request:
 *	begin -> body* -> end -> (application writes) -> fcgi_finish
 *	bad may come instead of begin, body or end, and is answered likewise;
 *	gone may come at any time after begin or bad and before fcgi_finish,
 *	and is then the last callback; the request is freed when it returns.
 * After fcgi_finish or fcgi_reset the application must not touch it.  None of
 * the functions below calls back: what they cause is told later in the turn.
 *
 * The web server's closing, also of its sending half alone, counts as the
 * client's leaving, even when it arrives together with a whole request.
 */
struct fcgi_handler {
	/**
	 * All PARAMS are in, and the target is under the mount.  Return true
	 * to be given the body; false to have it read and dropped (the
	 * application has answered or will, and neither `end' nor `bad' is
	 * called).
	 */
	bool (*begin)(void *arg, struct fcgi_request *req);
	/** Body bytes; return false to have the rest dropped, as above. */
	bool (*body)(void *arg, struct fcgi_request *req, const void *p,
	    size_t n);
	/** The body is whole, and as long as CONTENT_LENGTH stated. */
	void (*end)(void *arg, struct fcgi_request *req);
	/**
	 * The request cannot be served, and nothing of an answer was written
	 * yet: answer it with ${status} and ${message} (for people, valid
	 * during the call), in whatever dialect the path asks for.  ${begun}
	 * says whether `begin' was called for it.  No other callback but
	 * `writable' and `gone' comes after this.
	 *	404  the target is not under the mount
	 *	400  malformed parameters, no method or target, a body longer
	 *	     or shorter than CONTENT_LENGTH, malformed records
	 *	408  the request stopped coming in
	 *	431  too many parameters, or too large
	 * fcgi_request_http may then hold less than a whole request, but its
	 * strings are never NULL (but query).
	 */
	void (*bad)(void *arg, struct fcgi_request *req, bool begun,
	    int status, const char *message);
	/** Unsent bytes fell to LIMIT_CLIENT_OUT_RESUME or less, after
	 * fcgi_write had returned 1. */
	void (*writable)(void *arg, struct fcgi_request *req);
	/** The client is gone (see why). */
	void (*gone)(void *arg, struct fcgi_request *req, enum fcgi_gone why);
};

struct fcgi_server_params {
	struct loop *loop;
	int listen_fd;			/* stays the caller's */
	const char *mount;
	int64_t connections_max;	/* at this count accepting stops */
	int64_t read_timeout_ms;	/* silence while a request comes in */
	int64_t write_timeout_ms;	/* client takes no byte; noticed by
					   twice that time at the latest */
	const struct fcgi_handler *handler;
	struct slot *slot;		/* counts connections; may be NULL */
	void *arg;
};

/**
 * fcgi_server_new(params, err):
 * Begin to accept.  NULL with ${err} set on failure.  ${params}->loop and
 * ->handler must outlive it; ->mount is copied ("" or "/claude").
 */
struct fcgi_server *fcgi_server_new(const struct fcgi_server_params *params,
    struct err *err);

/**
 * fcgi_server_free(s):
 * Stop accepting and close every connection; open requests are gone
 * (FCGI_GONE_CLOSED).  Not from within a callback.  NULL is allowed.
 */
void fcgi_server_free(struct fcgi_server *s);

/**
 * fcgi_server_drain(s, idle_cb, arg):
 * From now on each connection is closed after its END_REQUEST.  What is in the
 * backlog is accepted, and looked for again ten times a second: where others
 * accept from the same socket, they take what comes, and where nobody does, it
 * is served.  ${idle_cb} is called (from the loop) when no connection is left
 * and the backlog is empty, again at each look at which that is true.  An idle
 * kept connection is left to the web server to close, since a request may be
 * on its way on it.
 */
void fcgi_server_drain(struct fcgi_server *s, void (*idle_cb)(void *arg),
    void *arg);

/**
 * fcgi_server_close_idle(s):
 * Close the connections on which no request is open and nothing waits to be
 * sent: when the time to drain is over.
 */
void fcgi_server_close_idle(struct fcgi_server *s);

/** fcgi_server_set_timeouts(s, ...): After a reload. */
void fcgi_server_set_timeouts(struct fcgi_server *s, int64_t read_timeout_ms,
    int64_t write_timeout_ms);

struct fcgi_server_stats {
	int64_t connections;	/* open now */
	int64_t requests;	/* open now */
	int64_t protocol_errors;/* since start */
};
void fcgi_server_stats(const struct fcgi_server *s,
    struct fcgi_server_stats *st);

/** fcgi_request_http(req): Borrow the parsed request, until finish or gone;
 * fcgi_request_arg / _set_arg: the application's pointer, NULL at first. */
struct http_request *fcgi_request_http(struct fcgi_request *req);
void *fcgi_request_arg(const struct fcgi_request *req);
void fcgi_request_set_arg(struct fcgi_request *req, void *arg);

/**
 * fcgi_hold(req, held):
 * While held, no more of the request's input is read or delivered (`body',
 * `end' and `bad' do not come, and the read timeout rests), so that a body
 * costs nothing before it is known whose it is; `gone' still comes at once.
 * Taking the hold away never calls back from within: what had come in already
 * is delivered later in the turn.  Allowed from `begin' on.
 */
void fcgi_hold(struct fcgi_request *req, bool held);

/**
 * fcgi_write(req, p, n):
 * Send bytes of the answer (head first, in CGI form).  They are gathered and
 * written at the end of the turn, so that a short answer is one write
 * together with its end.  At most LIMIT_CLIENT_OUT_MAX_BYTES can wait.
 * 0: go on; 1: taken, but more than LIMIT_CLIENT_OUT_BYTES are unsent, stop
 * until `writable'; -1: no memory (reset the request).
 */
int fcgi_write(struct fcgi_request *req, const void *p, size_t n)
    __attribute__((__warn_unused_result__));

/**
 * fcgi_finish(req):
 * The answer is complete; END_REQUEST goes out.  What is still to come of the
 * body is read and dropped, up to LIMIT_DISCARD_BYTES; where more comes, the
 * connection is closed, but only after the web server had time to take the
 * answer (nginx 1.22: bodies of 4 and 40 MB refused at `begin', buffered and
 * not, Unix and TCP, gave the client its 413 each time).
 */
void fcgi_finish(struct fcgi_request *req);

/**
 * fcgi_reset(req):
 * Break the connection so that the client sees it, for plain bodies that
 * broke half-way: a reset on TCP; on a Unix socket a malformed record and the
 * close, behind what was written before.  Measured with nginx 1.22 and curl,
 * both kinds of socket, content-length and chunked: exit code 18 (partial
 * file) with fastcgi_buffering off, 52 (empty reply) with it on, and 502 when
 * nothing was written before.
 */
void fcgi_reset(struct fcgi_request *req);

#endif /* !HTTP_SERVER_H_ */
