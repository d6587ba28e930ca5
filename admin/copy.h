#ifndef ADMIN_COPY_H_
#define ADMIN_COPY_H_

#include <stddef.h>
#include <stdint.h>

#include "copy_rows.h"

struct err;
struct store;

/**
 * Copy a whole installation from one store to another, whatever kind each is.
 * The master key is not in the store, and stays as it is.
 */

#define COPY_TABLES	34

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

/** Called after each part with how many rows have been copied; -1 with ${err}
 * breaks it off. */
typedef int copy_go_on(void *arg, int64_t rows, struct err *err);

/**
 * copy_snapshot(from, to, go_on, arg, sums, err):
 * The same, while responders may run on ${from}: a backup.
 */
int copy_snapshot(struct store *from, struct store *to, copy_go_on *go_on,
    void *arg, struct copy_sum sums[COPY_TABLES], struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * copy_over(from, to, go_on, arg, sums, err):
 * Put ${from}, on which nobody works, in the place of all that is in ${to}, in
 * one transaction of ${to}: whoever looks sees the one or the other, and when
 * it breaks off at any point ${to} is as it was.
 */
int copy_over(struct store *from, struct store *to, copy_go_on *go_on,
    void *arg, struct copy_sum sums[COPY_TABLES], struct err *err)
    __attribute__((__warn_unused_result__));

/** copy_running(st, n, err): How many responders have said that they are alive
 * within the last 10 s. */
int copy_running(struct store *st, int64_t *n, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_COPY_H_ */
