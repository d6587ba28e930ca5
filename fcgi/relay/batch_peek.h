#ifndef RELAY_BATCH_PEEK_H_
#define RELAY_BATCH_PEEK_H_

#include <stddef.h>

#include "pool/object_ask.h"

struct batch_scan;
struct err;
struct mentions;

/**
 * What the relay needs to know of the body of a new batch: its models (of its
 * requests, their fallbacks and their tools) and where they stand, how many
 * requests it has, and the files that they name.  One bounded scan as the bytes
 * come in, as peek.h does it for one request.  Source of the form:
 * platform.claude.com/docs, "Create a Message Batch".  One thread at a time.
 */
struct batch_scan *batch_scan_new(void);	/* NULL: no memory */
void batch_scan_free(struct batch_scan *s);	/* NULL is allowed */

/** batch_scan_push(s, p, n, err): -1 with ERR_INVAL: malformed JSON, and where,
 * or what is wrong with a model; or ERR_NOMEM. */
int batch_scan_push(struct batch_scan *s, const void *p, size_t n,
    struct err *err) __attribute__((__warn_unused_result__));

/** batch_scan_bytes(s): Memory that the places of its models take. */
size_t batch_scan_bytes(const struct batch_scan *s);

/**
 * batch_scan_end(s, out, models, err):
 * The body is whole: fill in .items and .ids of ${out}, and ${models}, which
 * the caller is to free with mentions_fini.  0, or -1 with ERR_INVAL and a
 * message for the client: not complete, not an object, or a request in it
 * without a model.
 */
int batch_scan_end(struct batch_scan *s, struct object_ask *out,
    struct mentions *models, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !RELAY_BATCH_PEEK_H_ */
