#ifndef RELAY_SSE_H_
#define RELAY_SSE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A parser that reads along a stream of server-sent events (WHATWG HTML,
 * "9.2.6 Interpreting an event stream"): LF, CR and CRLF line ends, comments,
 * BOM, any cut.  It changes nothing; it finds where events end, so that the
 * bytes can be passed on event by event, and gives each event's type and
 * data.  No I/O.  One thread at a time.
 */
struct sse;

struct sse_event {
	const char *type;	/* "message" if none was given; NUL-ended */
	const char *data;	/* joined by LF; NUL-ended; may be cut */
	size_t data_len;
	uint64_t data_full_len;	/* before it was cut */
	bool data_cut;		/* longer than the bound given to sse_new */
	bool comment_only;	/* a block with neither type nor data: comments,
				   other fields, or just a blank line */
};

/** sse_new(data_max): Data kept of one event, at most ${data_max} bytes. */
struct sse *sse_new(size_t data_max);
void sse_free(struct sse *s);

/**
 * sse_push(s, p, n, used, ev):
 * Read bytes up to the end of the next event.  1: *${ev} is filled (borrowed
 * until the next call) and *${used} of the ${n} bytes belong to it, its blank
 * line included; 0: all bytes were taken (*${used} = ${n}) and no event has
 * ended; -1: no memory, the parser is of no further use.  Where a CRLF is cut
 * after the CR of a blank line, the event ends there, and the LF is the first
 * of the bytes of the next call.
 */
int sse_push(struct sse *s, const void *p, size_t n, size_t *used,
    struct sse_event *ev) __attribute__((__warn_unused_result__));

#endif /* !RELAY_SSE_H_ */
