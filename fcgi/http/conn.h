#ifndef HTTP_CONN_H_
#define HTTP_CONN_H_

#include <sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "http/request.h"
#include "http/server.h"

struct record_parser;

/**
 * What server.c (the listening socket), conn.c (reading, timers, closing),
 * conn_input.c (what records mean) and answer.c (writing) share.  Not for
 * others.
 *
 * A connection has no buffer of its own while it is idle: all connections
 * are read into the server's, and the parser keeps what is not yet whole.
 * While a request is held, what was read along with its PARAMS is kept.
 *
 * Only what the loop calls (conn_ready, conn_due, conn_run) frees a
 * connection, by conn_settle or conn_end at its end; all else asks for it by
 * setting `over' or `closing'.
 */

/** How far a request has come in. */
enum phase {
	PHASE_PARAMS,		/* not yet shown to the application */
	PHASE_BODY,		/* the application gets the body */
	PHASE_DROP,		/* what still comes is dropped */
	PHASE_WHOLE		/* all is in */
};

struct fcgi_request {
	struct conn *conn;
	struct http_request http;
	void *arg;
	uint16_t id;
	bool keep_conn;
	enum phase phase;
	bool told;		/* begin or bad was called */
	bool answered;		/* bytes of an answer were written */
	bool stopped;		/* fcgi_write returned 1 */
	int64_t body_bytes;
	struct err err;		/* the first one among the parameters */
};

struct conn {
	struct fcgi_server *server;
	TAILQ_ENTRY(conn) entry;
	int fd;
	struct loop_watch watch;
	struct loop_timer timer;
	struct loop_task task;
	struct record_parser *parser;
	struct fcgi_request *req;	/* NULL: none is open */

	bool held;		/* by fcgi_hold: what was read waits in kept */
	struct buf kept;

	struct buf out;
	size_t tail;		/* content of the STDOUT record at the end of
				   out that may be lengthened; 0: none */
	bool blocked;		/* the kernel took less than all of it */
	int queued;		/* then: bytes it held at the last look */
	int64_t read_ms;	/* last progress, monotonic */
	int64_t write_ms;

	bool input_open;	/* the last request's body is not whole */
	bool broken;		/* input is not understood, or not waited for */
	bool closing;		/* close when out is sent; input is dropped */
	bool lingering;		/* out is sent, our half is closed */
	bool rst;		/* close by a reset */
	bool over;		/* end it for this reason: */
	enum fcgi_gone why;
	int64_t linger_until_ms;
	size_t dropped_bytes;	/* of the last request, or since lingering */
};

TAILQ_HEAD(conn_list, conn);

struct fcgi_server {
	struct loop *loop;
	int listen_fd;
	bool is_unix;
	char *mount;
	int64_t connections_max;
	int64_t read_timeout_ms;
	int64_t write_timeout_ms;
	const struct fcgi_handler *handler;
	void *arg;
	struct slot *slot;	/* may be NULL */

	struct buf in;		/* empty between two callbacks of the loop */
	struct conn_list conns;
	int64_t nconns;
	int64_t nrequests;
	int64_t protocol_errors;

	struct loop_watch watch;
	struct loop_timer pause;	/* set: no accepting until then; while
					   draining, the next look */

	bool draining;
	void (*idle_cb)(void *arg);
	void *idle_arg;
	struct loop_task drain_task;
};

/** conn_new(s, fd): Takes over ${fd}, also when it returns -1. */
int conn_new(struct fcgi_server *s, int fd)
    __attribute__((__warn_unused_result__));

/** conn_end(c, why): Tell an open request that it is gone, close and free. */
void conn_end(struct conn *c, enum fcgi_gone why);

/** conn_over(c, why): Ask for conn_end when the callback is done. */
void conn_over(struct conn *c, enum fcgi_gone why);

/** conn_hold(c, held): See fcgi_hold. */
void conn_hold(struct conn *c, bool held);

/**
 * conn_take(c): Act on what was read; the server's buffer is empty then.
 * conn_take_kept(c): When a hold was taken away, and before anything is read:
 * act on what had come in before it.
 */
void conn_take(struct conn *c);
void conn_take_kept(struct conn *c);

/**
 * conn_request_fail(req, status, message, why):
 * The rest of the request is not coming, or not as it should.  It is answered
 * if that can still be done, else it is gone for the reason ${why}.
 */
void conn_request_fail(struct fcgi_request *req, int status,
    const char *message, enum fcgi_gone why);

/** conn_touch(c): Send, and do what was asked for, at the end of the turn. */
void conn_touch(struct conn *c);

/**
 * conn_flush(c): Send what waits: 0, or -1 if the connection failed.
 * conn_request_done(c): Free the request; the connection may go on.
 * conn_settle(c): End or keep the connection, after a callback.
 */
int conn_flush(struct conn *c) __attribute__((__warn_unused_result__));
void conn_request_done(struct conn *c);
void conn_settle(struct conn *c);

/** conn_run(t): The task that conn_touch asks for. */
void conn_run(struct loop_task *t);

/**
 * conn_answer(c, rc): Account for a record that was put into out, or could
 * not be, when ${rc} is not 0.
 */
void conn_answer(struct conn *c, int rc);

/** server_conn_closed(s): One connection less. */
void server_conn_closed(struct fcgi_server *s);

#endif /* !HTTP_CONN_H_ */
