#ifndef MOCK_OBJECTS_H_
#define MOCK_OBJECTS_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#include "mock/head.h"

struct objects;

/**
 * Batches and files, which a credential has for itself: others get 404.
 * Batches are in progress until objects_end.  Of their requests those with a
 * custom_id that begins with "bad" fail; "big-N" answers N bytes of text.  In
 * memory, unbounded.
 */
struct objects *objects_new(void);
void objects_free(struct objects *o);

/** objects_end(o): All batches end now.  objects_json: How many there are of
 * each kind; a new reference. */
void objects_end(struct objects *o);
struct json_t *objects_json(const struct objects *o);

/**
 * objects_wants(h): Is it a request about objects?
 * objects_answer(o, h, body, n, out, type): The status; *${type} is that of
 * the content in ${out}.  0: an error of that status is to be made: the
 * caller's 404; -1: 400.
 */
bool objects_wants(const struct head *h);
int objects_answer(struct objects *o, const struct head *h,
    const unsigned char *body, size_t n, struct buf *out, const char **type);

/** objects_named(o, h, body, n): Are all files that a Messages request names
 * the credential's? */
bool objects_named(const struct objects *o, const struct head *h,
    const unsigned char *body, size_t n);

#endif /* !MOCK_OBJECTS_H_ */
