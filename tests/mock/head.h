#ifndef MOCK_HEAD_H_
#define MOCK_HEAD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/**
 * What the mock upstream understands of an HTTP/1.1 request: the few headers
 * that decide how the body is read and who asks.  No I/O.
 */

/* More than any client here sends. */
#define HEAD_MAX_BYTES	(256 * 1024)

struct head {
	char method[16];
	char path[1024];		/* the target, query included; cut */
	char credential[128];		/* x-api-key, else bearer token */
	int64_t content_length;		/* -1: not stated */
	bool chunked;
	bool close;			/* "connection: close", or HTTP/1.0 */
	bool expect_continue;
};

/**
 * head_find(p, n): Length of the head at ${p}, blank line included; 0: it is
 * not whole yet.
 */
size_t head_find(const unsigned char *p, size_t n);

/** head_parse(p, n, h): Read a whole head.  0, or -1: not HTTP/1.x. */
int head_parse(const unsigned char *p, size_t n, struct head *h)
    __attribute__((__warn_unused_result__));

/** Where a chunked body stands; zero at first. */
struct dechunk {
	enum {
		DECHUNK_SIZE,		/* a size line is next */
		DECHUNK_DATA,		/* .left bytes, then CRLF */
		DECHUNK_TRAILER		/* trailer lines up to a blank one */
	} state;
	uint64_t left;
};

/**
 * dechunk(d, in, body): Move what is whole from ${in} to ${body}.  1: the
 * body is complete; 0: more bytes are needed; -1: malformed or too long.
 */
int dechunk(struct dechunk *d, struct buf *in, struct buf *body)
    __attribute__((__warn_unused_result__));

#endif /* !MOCK_HEAD_H_ */
