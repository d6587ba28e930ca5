#ifndef HTTP_RESPONSE_H_
#define HTTP_RESPONSE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/**
 * CGI response heads ("Status: 429 Too Many Requests", header lines, blank
 * line) and the relay's own error answers.  Any thread, on its own buffer.
 */

/**
 * response_begin(out, status): The Status line; unknown statuses get a reason
 * too, as nginx shows none otherwise.  100..599.
 * response_header(out, name, value): One line.  -1 when the name is not a
 * token or is "status" (which is the Status line in CGI), or the value holds
 * CR, LF or another control character but HT (header injection), or ${out}
 * is full; nothing is written then.
 * response_header_int(out, name, value): likewise.
 * response_end(out): The blank line.
 */
int response_begin(struct buf *out, int status)
    __attribute__((__warn_unused_result__));
int response_header(struct buf *out, const char *name, const char *value)
    __attribute__((__warn_unused_result__));
int response_header_int(struct buf *out, const char *name, int64_t value)
    __attribute__((__warn_unused_result__));
int response_end(struct buf *out) __attribute__((__warn_unused_result__));

/**
 * response_header_is_internal(name):
 * A header that a web server obeys instead of passing it on (X-Accel-*,
 * X-Sendfile, X-LIGHTTPD-Send-File, Status): where it comes from a foreign
 * answer, it must not be sent.  Any case.
 */
bool response_header_is_internal(const char *name);

/** Whose error shape an answer has. */
enum dialect {
	DIALECT_ANTHROPIC,
	DIALECT_OPENAI,
	DIALECT_GEMINI,
	DIALECT_ADMIN
};

/** An error that the relay answers in its own words. */
struct response_error {
	int status;		/* HTTP */
	const char *type;	/* Anthropic's word ("rate_limit_error"), for
				   that dialect; NULL: the status's own */
	const char *message;	/* for people; foreign text is escaped */
	const char *request_id;	/* sent as request-id and in the body */
	int64_t retry_after_s;	/* 0: no header */
	int should_retry;	/* 1 or 0: x-should-retry; -1: no header */
	const char *allow;	/* 405: methods; else NULL */
	const char *lines;	/* header lines of response_header; NULL: no
				   more than those */
	int admin_code;		/* DIALECT_ADMIN: 40102; 0: the status and 01 */
};

#define RESPONSE_MESSAGE_BYTES	2000

/**
 * response_error(out, dialect, e):
 * A whole answer, head and JSON body with content-length.  0, or -1 if ${out}
 * is full (then unchanged).  A message is cut at RESPONSE_MESSAGE_BYTES.
 * Shapes (request_id left out where it is NULL):
 *	ANTHROPIC {"type":"error","error":{"type":T,"message":M},
 *	    "request_id":ID}
 *	OPENAI {"error":{"message":M,"type":T,"param":null,"code":C}}
 *	GEMINI {"error":{"code":429,"message":M,"status":"RESOURCE_EXHAUSTED"}}
 *	ADMIN {"error":M,"code":42901}
 */
int response_error(struct buf *out, enum dialect dialect,
    const struct response_error *e) __attribute__((__warn_unused_result__));

/**
 * response_sse_error(out, dialect, type, message, request_id):
 * An error event that ends a stream, well-formed for the dialect: Anthropic's
 * has an "event: error" line; the others are bare data, as the clients skip
 * an event that has a name.  ${type} is Anthropic's word and stands for the
 * first status that has it.  0, or -1 if ${out} is full (then unchanged).
 */
int response_sse_error(struct buf *out, enum dialect dialect,
    const char *type, const char *message, const char *request_id)
    __attribute__((__warn_unused_result__));

/** response_error_type(status): Anthropic's error type for a status. */
const char *response_error_type(int status);

#endif /* !HTTP_RESPONSE_H_ */
