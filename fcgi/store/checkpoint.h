#ifndef STORE_CHECKPOINT_H_
#define STORE_CHECKPOINT_H_

#include <stdint.h>

struct err;
struct checkpointer;

/**
 * Copies SQLite's write-ahead log into the database, in a thread and on a
 * connection of its own, so that nobody waits for the disk meanwhile: 32 MiB
 * took 25 to 100 ms.
 */

/**
 * checkpointer_start(path, err):
 * Start it for the database at ${path}, which must exist, as must its lock
 * file.  NULL with ${err} on failure.
 */
struct checkpointer *checkpointer_start(const char *path, struct err *err);

/** checkpointer_ask(c): Copy soon.  Any thread; does not wait. */
void checkpointer_ask(struct checkpointer *c);

/** checkpointer_stop(c): Wait for what it is at, end it.  NULL is allowed. */
void checkpointer_stop(struct checkpointer *c);

/** checkpoint_whole(path, timeout_ms, pages, err): See store_checkpoint; on a
 * connection of its own. */
int checkpoint_whole(const char *path, int64_t timeout_ms, int64_t *pages,
    struct err *err) __attribute__((__warn_unused_result__));

/** checkpoint_held(path, timeout_ms, err): The same, by who holds the lock of
 * the writers already. */
int checkpoint_held(const char *path, int64_t timeout_ms, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !STORE_CHECKPOINT_H_ */
