#ifndef HTTP_TRACEPARENT_H_
#define HTTP_TRACEPARENT_H_

#include <stdbool.h>

struct http_request;

/**
 * Trace context (W3C, "Trace Context" of 23 November 2021, with the flag
 * `random' of Level 2): which trace of other programs a request is a part of.
 * Ids and flags of a program, no identity of a person, and nothing that
 * anybody is let in for.
 *
 *	traceparent: 00-TRACE_ID-PARENT_ID-FLAGS
 *	tracestate: what those who took part noted, by comma
 */
#define TRACE_ID_SIZE		33	/* 16 bytes in hex, and a NUL */
#define TRACE_PARENT_SIZE	17	/* 8 bytes likewise */
#define TRACEPARENT_SIZE	56	/* the whole header */

struct traceparent {
	char trace_id[TRACE_ID_SIZE];		/* "": there is none */
	char parent_id[TRACE_PARENT_SIZE];	/* of who sent it, or sends */
	unsigned int flags;			/* 1: sampled, 2: random */
	const char *state;	/* tracestate as it came, borrowed; "": none */
};

/**
 * traceparent_parse(text, tp):
 * Read the header, of version 00 or of a later one as far as 00 goes; ids in
 * capitals, of zeros alone, and version ff are wrong.  0 with .state "", or -1
 * with .trace_id "".
 */
int traceparent_parse(const char *text, struct traceparent *tp)
    __attribute__((__warn_unused_result__));

/** tracestate_good(text): Is it a list of at most 32 members KEY=VALUE with
 * keys that differ?  Empty members are. */
bool tracestate_good(const char *text);

/**
 * traceparent_of(r, tp):
 * What ${r} brought: a bad traceparent counts as none, and its tracestate with
 * it; a bad tracestate is left out alone.  ${tp} borrows from ${r}.
 */
void traceparent_of(const struct http_request *r, struct traceparent *tp);

/** traceparent_begin(tp): A new trace, that nobody samples as yet. */
void traceparent_begin(struct traceparent *tp);

/** traceparent_step(tp, out): The header for the next one: the same trace, with
 * a new parent id of ours, which is put into ${tp} too. */
void traceparent_step(struct traceparent *tp, char out[TRACEPARENT_SIZE]);

#endif /* !HTTP_TRACEPARENT_H_ */
