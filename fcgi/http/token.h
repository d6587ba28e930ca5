#ifndef HTTP_TOKEN_H_
#define HTTP_TOKEN_H_

#include <stdbool.h>
#include <stddef.h>

/**
 * What may stand in a header (RFC 9110, 5.1, 5.5 and 5.6.2).  Any thread.
 */

/** token_is_valid(p, n): At least one byte, all of them token characters. */
bool token_is_valid(const char *p, size_t n);

/**
 * token_is_text(p, n): No control character but HT; bytes from 0x80 on may
 * stand.  What this lets through cannot start another line.
 */
bool token_is_text(const char *p, size_t n);

#endif /* !HTTP_TOKEN_H_ */
