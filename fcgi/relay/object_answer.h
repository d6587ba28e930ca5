#ifndef RELAY_OBJECT_ANSWER_H_
#define RELAY_OBJECT_ANSWER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pool/objects.h"

/**
 * What an upstream says of one object, a short JSON text.  Sources of the
 * members' names: platform.claude.com/docs, "Retrieve a Message Batch", "Get
 * File Metadata".  Pure functions; any thread.
 */
struct object_answer {
	char id[OBJECT_ID_SIZE];	/* "": it states none that fits */
	bool final;			/* it will not change any more: a file,
					   or a batch that ended */
	bool has_url;			/* .results_url is a string, ... */
	uint64_t url_start, url_end;	/* ... here, with its quotes */
};

/** object_answer_read(p, n, kind, out): False: it is no JSON object, or there
 * is no memory. */
bool object_answer_read(const void *p, size_t n, enum object_kind kind,
    struct object_answer *out);

/** object_answer_seen(p, n, a, seen): As it is kept in the row: itself, or its
 * id alone where it is too long or no UTF-8. */
void object_answer_seen(const void *p, size_t n,
    const struct object_answer *a, char seen[OBJECT_SEEN_SIZE]);

/**
 * object_answer_put(b, p, n, a, origin):
 * Append it with the results_url of ${origin} in place of the upstream's: the
 * client would send its key to where that leads.  ${origin} is how clients
 * reach the relay; where that is not known ("") the URL is relative, and SDKs
 * put their own base before it.  0, or -1: full.
 */
int object_answer_put(struct buf *b, const void *p, size_t n,
    const struct object_answer *a, const char *origin)
    __attribute__((__warn_unused_result__));

#endif /* !RELAY_OBJECT_ANSWER_H_ */
