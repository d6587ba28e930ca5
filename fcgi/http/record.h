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
 * are needed; -1 with ERR_PROTO: STDIN before the end of PARAMS, a record of
 * another request while one is open is answered by the caller (kind BEGIN
 * with the other id), wrong version, PARAMS too long or malformed, ...  The
 * error is sticky.
 */
int record_next(struct record_parser *rp, struct buf *in,
    struct record_event *ev, struct err *err)
    __attribute__((__warn_unused_result__));

/** record_request_done(rp): The request was answered; the next may begin. */
void record_request_done(struct record_parser *rp);

/**
 * record_put_stdout(out, id, p, n), record_put_end(out, id, app_status,
 * protocol_status), record_put_values_result(out, rp),
 * record_put_unknown_type(out, type):
 * Append records to ${out}.  put_end also writes the empty STDOUT record.
 * 0, or -1 if ${out} is full (then unchanged).
 */
int record_put_stdout(struct buf *out, uint16_t id, const void *p, size_t n)
    __attribute__((__warn_unused_result__));
int record_put_end(struct buf *out, uint16_t id, uint32_t app_status,
    uint8_t protocol_status) __attribute__((__warn_unused_result__));
int record_put_values_result(struct buf *out, struct record_parser *rp)
    __attribute__((__warn_unused_result__));
int record_put_unknown_type(struct buf *out, uint8_t type)
    __attribute__((__warn_unused_result__));

#endif /* !HTTP_RECORD_H_ */
