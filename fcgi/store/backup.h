#ifndef STORE_BACKUP_H_
#define STORE_BACKUP_H_

#include <stdint.h>

struct err;

/**
 * backup_make(from, to, go_on, arg, bytes, err):
 * See store_backup: SQLite's online backup of the database at ${from}, on
 * connections of its own.  One read transaction lasts as long as the copying
 * does, the only one that may: without it each write of another process would
 * begin the copy anew.
 */
int backup_make(const char *from, const char *to,
    int (*go_on)(void *arg, struct err *err), void *arg, int64_t *bytes,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !STORE_BACKUP_H_ */
