#ifndef HTTP_RECORD_H_
#define HTTP_RECORD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

/**
 * The FastCGI 1.0 record layer, responder's side, as a push/next parser
 * without I/O.  Constants are those of libfcgi's <fastcgi.h>; the format is
 * the FastCGI Specification, sections 3 and 5.  One thread at a time.
 *
 * The states of a parser:
 *	REST	no request is open; BEGIN opens one
 *	PARAMS	a request is open and its PARAMS come in
 *	STDIN	its PARAMS are whole, its body comes in
 *	WHOLE	its body is whole; only ABORT is meant for it
 * record_request_done leads from any of them to REST.  What still comes of a
 * request that is not open is skipped and counted (record_skipped).
 */

enum record_event_kind {
	RECORD_BEGIN,		/* a request begins: role and flags */
	RECORD_PARAM,		/* one name-value pair, complete */
	RECORD_PARAMS_END,
	RECORD_STDIN,		/* body bytes, as they come */
	RECORD_STDIN_END,	/* the body is whole */
	RECORD_ABORT,
	RECORD_GET_VALUES,	/* answer it with record_put_values_result */
	RECORD_UNKNOWN		/* answer it with record_put_unknown_type */
};

struct record_event {
	enum record_event_kind kind;
	uint16_t request_id;
	/* RECORD_BEGIN */
	uint16_t role;
	bool keep_conn;
	/* RECORD_PARAM, RECORD_STDIN; borrowed until the next call */
	const unsigned char *name;
	size_t name_len;
	const unsigned char *value;
	size_t value_len;
	/* RECORD_GET_VALUES: which values, for record_put_values_result */
	unsigned int asked;
	/* RECORD_UNKNOWN */
	uint8_t type;
};

struct record_parser;

/**
 * record_parser_new(params_max): At most ${params_max} bytes of PARAMS a
 * request; NULL without memory.  Memory does not grow with anything else.
 */
struct record_parser *record_parser_new(size_t params_max);
void record_parser_free(struct record_parser *rp);

/**
 * record_next(rp, in, ev, err):
 * Read from the head of ${in}, consuming what is understood (bytes an event
 * borrows are consumed by the next call).  1: *${ev} is filled; 0: more bytes
 * are needed, and ${in} is empty; -1: the stream cannot be understood any
 * further.  The error is sticky.
 *
 * A BEGIN while a request is open is an event as any other, and changes
 * nothing here: the caller refuses it.
 *
 * Errors: ERR_TOO_LARGE (PARAMS of more than params_max bytes, or a pair that
 * says it will be), ERR_NOMEM, and ERR_PROTO: STDIN before the end of PARAMS,
 * PARAMS or STDIN after their end, a second BEGIN with the id of the open
 * request, records before the first BEGIN, a version other than 1, a
 * malformed BEGIN, pair or GET_VALUES.
 */
int record_next(struct record_parser *rp, struct buf *in,
    struct record_event *ev, struct err *err)
    __attribute__((__warn_unused_result__));

/** record_request_done(rp): The request was answered; the next may begin. */
void record_request_done(struct record_parser *rp);

/** record_between(rp): At the start of a record, no request being open. */
bool record_between(const struct record_parser *rp);

/**
 * record_skipped(rp):
 * Bytes since the last BEGIN that belonged to no open request: the rest of a
 * body that was answered early, or records of a refused request.
 */
size_t record_skipped(const struct record_parser *rp);

/**
 * record_put_stdout(out, id, p, n), record_put_end(out, id, app_status,
 * protocol_status), record_put_values_result(out, asked, conns_max),
 * record_put_unknown_type(out, type):
 * Append records to ${out}.  put_end also writes the empty STDOUT record
 * where the request was served (FCGI_REQUEST_COMPLETE).  values_result
 * answers those of FCGI_MAX_CONNS, FCGI_MAX_REQS (both ${conns_max}) and
 * FCGI_MPXS_CONNS (0) that the event asks for.  0, or -1 if ${out}
 * is full (then unchanged).
 */
int record_put_stdout(struct buf *out, uint16_t id, const void *p, size_t n)
    __attribute__((__warn_unused_result__));
int record_put_end(struct buf *out, uint16_t id, uint32_t app_status,
    uint8_t protocol_status) __attribute__((__warn_unused_result__));
int record_put_values_result(struct buf *out, unsigned int asked,
    int64_t conns_max) __attribute__((__warn_unused_result__));
int record_put_unknown_type(struct buf *out, uint8_t type)
    __attribute__((__warn_unused_result__));

/**
 * record_extend_stdout(out, len, p, n):
 * The last bytes of ${out} are a whole STDOUT record of ${len} content bytes,
 * no part of it sent: make it ${n} bytes longer, so that an answer written in
 * small pieces needs one header.  0, or -1 if it would exceed a record's
 * length or ${out} is full (then unchanged).
 */
int record_extend_stdout(struct buf *out, size_t len, const void *p, size_t n)
    __attribute__((__warn_unused_result__));

/**
 * record_put_last(out, id), record_put_broken(out):
 * Marks behind which the connection is closed.  put_last, an empty record
 * behind END_REQUEST, keeps nginx from reusing a kept connection in the
 * moment before it sees it close (src/http/modules/ngx_http_fastcgi_module.c:
 * only an END_REQUEST with nothing behind it sets u->keepalive), and in place
 * of END_REQUEST does so for Apache, see answer.c.  put_broken, a record of a
 * version that is not there, makes web servers break the client's connection.
 */
int record_put_last(struct buf *out, uint16_t id)
    __attribute__((__warn_unused_result__));
int record_put_broken(struct buf *out) __attribute__((__warn_unused_result__));

#endif /* !HTTP_RECORD_H_ */
