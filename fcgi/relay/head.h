#ifndef RELAY_HEAD_H_
#define RELAY_HEAD_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct err;
struct transfer_header;

/**
 * The head of an upstream's answer, line by line as libcurl hands it over.
 * Provisional answers (1xx) are passed over.  Bounded by
 * LIMIT_UPSTREAM_HEAD_BYTES for all lines together, also those passed over.
 * No I/O.  One thread at a time.
 *
 *	status 0		before the (final) status line
 *	status 100 ... 199	within a provisional answer
 *	status >= 200		within the head, or behind it if .done
 */
struct head {
	struct buf text;	/* name NUL value NUL, in turn */
	struct transfer_header *headers;	/* once .done; into text */
	size_t nheaders;
	size_t bytes;		/* of all lines so far */
	int status;
	bool done;
};

void head_init(struct head *h);
void head_fini(struct head *h);

/**
 * head_line(h, p, n, err):
 * Take one line with its line end.  1: the head is complete; 0: more is
 * needed (or the line was a trailer and is left out); -1 with ERR_PROTO (not
 * HTTP/1: bad status line, name that is no token, control characters, folded
 * line), ERR_TOO_LARGE or ERR_NOMEM.
 */
int head_line(struct head *h, const char *p, size_t n, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !RELAY_HEAD_H_ */
