#ifndef RELAY_SPLICE_H_
#define RELAY_SPLICE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/model_ask.h"

struct buf;
struct err;

/**
 * The places in a request body where models are named: other names are put
 * there, and those that the client wrote put back, byte for byte; nothing else
 * of the body changes.  One pass over the body, however many places there are.
 *
 * Names go by number: those of a struct model_ask by their place in it, and
 * SPLICE_MODEL, the body's own "model".
 */
#define SPLICE_MODEL	MODEL_ASK_MAX
#define SPLICE_NAMES	(MODEL_ASK_MAX + 1)

/* Places in one body: four for each of the 100,000 requests that a batch may
 * have (platform.claude.com/docs, "Batch processing"); 16 bytes each. */
#define SPLICE_PLACES_MAX	400000

struct splice_place {
	uint64_t start;		/* of the JSON string, as the client sent the
				   body */
	uint32_t len;		/* ... with its quotes */
	uint8_t name;
	bool plain;		/* nothing of it is escaped */
};

struct splice {
	struct splice_place *places;	/* by .start */
	size_t n, room;
	size_t now[SPLICE_NAMES];	/* so long is what stands there now;
					   0: as the client wrote it */
	unsigned char *was;	/* what stood there: the plain ones once for
				   each name, then each of the others; NULL:
				   nothing was changed yet */
	size_t was_at[SPLICE_NAMES], was_odd;
};

/** splice_init(s): No place yet.  splice_fini(s): The body stays as it is. */
void splice_init(struct splice *s);
void splice_fini(struct splice *s);

/**
 * splice_add(s, start, end, name, len, err):
 * From ${start} to before ${end}, quotes included, stands ${name}, which has
 * ${len} bytes without its escapes.  Before the first splice_put; best in the
 * body's order.  0, or -1: ERR_INVAL, there are too many, or ERR_NOMEM.
 */
int splice_add(struct splice *s, uint64_t start, uint64_t end, size_t name,
    uint64_t len, struct err *err) __attribute__((__warn_unused_result__));

/** splice_bytes(s): Memory that it takes for its places. */
size_t splice_bytes(const struct splice *s);

/**
 * splice_put(s, body, names):
 * Let ${names} (UTF-8, shorter than LIMIT_NAME_BYTES) stand in ${body}; NULL in
 * it: what the client wrote.  The body may grow beyond its maximum, by so
 * much.  0, or -1 without memory, when it is unchanged.
 */
int splice_put(struct splice *s, struct buf *body,
    const char *const names[SPLICE_NAMES])
    __attribute__((__warn_unused_result__));

#endif /* !RELAY_SPLICE_H_ */
