#ifndef TESTS_HTTP_RECORDS_H_
#define TESTS_HTTP_RECORDS_H_

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/**
 * The web server's side of FastCGI for tests: records are appended to a
 * buffer, well-formed or not.  They fail the test when it is full.
 */

/** rec_put(b, type, id, p, n, padding): Any record. */
void rec_put(struct buf *b, uint8_t type, uint16_t id, const void *p,
    size_t n, uint8_t padding);

/** rec_begin(b, id, role, flags): BEGIN_REQUEST. */
void rec_begin(struct buf *b, uint16_t id, uint16_t role, uint8_t flags);

/** rec_pair(b, name, value): One pair, without a record's head. */
void rec_pair(struct buf *b, const char *name, const char *value);

/**
 * rec_params(b, id, pairs): PARAMS with all of ${pairs} (name, value, ...,
 * NULL), and their end.
 */
void rec_params(struct buf *b, uint16_t id, const char *const *pairs);

/** rec_stdin(b, id, text): One STDIN record; "" is the end. */
void rec_stdin(struct buf *b, uint16_t id, const char *text);

/** rec_post(b, id, flags, uri, length, body): A whole request; ${length} is
 * CONTENT_LENGTH, NULL: none. */
void rec_post(struct buf *b, uint16_t id, uint8_t flags, const char *uri,
    const char *length, const char *body);

#endif /* !TESTS_HTTP_RECORDS_H_ */
