#ifndef ADMIN_COPY_OLDER_H_
#define ADMIN_COPY_OLDER_H_

#include "copy.h"

/**
 * copy_older(from, to, go_on, arg, err):
 * Copy all tables of ${from}, while responders may run on it, in one view, to
 * the SQLite database ${to}, which was opened with .any_order and brought to
 * the schema of ${from}, whichever version's that is.  What ${to} had is gone.
 * In the end ${to} is read again: ERR_INTERNAL if its sums differ.
 *
 * A column of the schema that ${from} has not is ERR_SCHEMA: a migration of
 * it was broken off.  What one has more, as it does while it is under way, is
 * left out.  0, or -1.
 */
int copy_older(struct store *from, struct store *to, copy_go_on *go_on,
    void *arg, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_COPY_OLDER_H_ */
