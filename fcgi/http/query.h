#ifndef HTTP_QUERY_H_
#define HTTP_QUERY_H_

#include <stdbool.h>
#include <stddef.h>

/**
 * query_next(at, name, name_size, value, value_size):
 * The next "name=value" of a query string, decoded (%XX, '+'); *${at} is moved
 * behind it, and begins with the query, NULL: none.  What is too long for its
 * place is cut; of %00 the rest is left out.  False: there is no more.  Any
 * thread.
 */
bool query_next(const char **at, char *name, size_t name_size, char *value,
    size_t value_size);

/** query_byte(p, n): The byte that "%XX" at ${p} stands for, of ${n} that are
 * left; -1: there is no such. */
int query_byte(const char *p, size_t n);

#endif /* !HTTP_QUERY_H_ */
