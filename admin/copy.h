#ifndef ADMIN_COPY_H_
#define ADMIN_COPY_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

/**
 * Copy a whole installation from one store to another, whatever kind each is.
 * The master key is not in the store, and stays as it is.
 */

#define COPY_TABLES	30

/** What a table held: rows, and sums of its numbers and of the lengths of its
 * texts, which tell whether another holds the same. */
struct copy_sum {
	const char *table;
	int64_t rows;
	uint64_t numbers;
	uint64_t bytes;
};

/**
 * copy_store(from, to, sums, err):
 * ${from} is read in one view, so that a change meanwhile is left out as a
 * whole; ERR_EXISTS if responders run on it.  ${to} must have the schema and
 * no row yet, else ERR_EXISTS.  Rows are committed in parts, those that make
 * it an installation last: when it breaks off, ${to} is none, and is to be
 * removed.  Ids of rows that are gone from ${from} are not given to new rows
 * of ${to} either.  In the end ${to} is read again: ERR_INTERNAL if its sums
 * differ.  ${sums} tells of each table.  0, or -1.
 */
int copy_store(struct store *from, struct store *to,
    struct copy_sum sums[COPY_TABLES], struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_COPY_H_ */
