#ifndef STORE_SWAP_H_
#define STORE_SWAP_H_

#include <stdint.h>

struct backup;
struct err;

/* So long after a swap no write can go into the database that was there: a
 * connection looks this often whether its file was replaced. */
#define SWAP_LOOK_MS	1000

/**
 * swap_database(b, path, timeout_ms, err):
 * Finish ${b}, made for ${path}, in the place of the SQLite database that is
 * there, if any: under the lock of its writers, its write-ahead log is copied
 * into it, it gets a second name, ${path}.before-restore, and ${b} takes its
 * place, mode and owner in one rename.  A process killed at any point leaves
 * the one or the other, whole.  A database that is damaged keeps its log,
 * under the same second name.  The lock is held until whoever has the old one
 * open must see that its file was replaced.  0, or -1: ERR_STORE_BUSY if a
 * writer or a reader is in the way.
 */
int swap_database(struct backup *b, const char *path, int64_t timeout_ms,
    struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !STORE_SWAP_H_ */
