#ifndef STORE_CHECKPOINT_H_
#define STORE_CHECKPOINT_H_

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

#endif /* !STORE_CHECKPOINT_H_ */
