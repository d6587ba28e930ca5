#ifndef RELAY_SPLICE_H_
#define RELAY_SPLICE_H_

#include <stddef.h>
#include <stdint.h>

struct buf;

/**
 * The place in a request body where its model is named: another name is put
 * there, and the one that the client wrote put back, byte for byte; nothing
 * else of the body changes.
 */
struct splice {
	uint64_t start, end;	/* of the JSON string, quotes included */
	unsigned char *was;	/* as the client wrote it; NULL: so it is now */
	size_t was_len;
};

/** splice_init(s, start, end): See struct peek; nothing is changed yet.
 * splice_fini(s): The body stays as it is. */
void splice_init(struct splice *s, uint64_t start, uint64_t end);
void splice_fini(struct splice *s);

/**
 * splice_put(s, body, name):
 * Let ${name} (UTF-8, shorter than LIMIT_NAME_BYTES) be the model of ${body};
 * NULL: what the client wrote.  The body may grow beyond its maximum, by so
 * much.  0, or -1 without memory, when it is unchanged.
 */
int splice_put(struct splice *s, struct buf *body, const char *name)
    __attribute__((__warn_unused_result__));

#endif /* !RELAY_SPLICE_H_ */
