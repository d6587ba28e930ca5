#ifndef STORE_FILELOCK_H_
#define STORE_FILELOCK_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct stat;
struct filelock;

/**
 * The lock on which the writers of one SQLite file queue, over processes.
 *
 * SQLite itself waits by sleeping and looking again, so that a writer which
 * comes back at once wins over those that sleep.  Here they sleep in the
 * kernel (open file description lock on byte 0), and they have numbers: the
 * file, mapped by all, holds the next number to be given out and the number
 * whose turn it is.  The kernel wakes those who wait but keeps no place for
 * them; who gets the lock out of turn therefore lets go again and naps.  The
 * numbers are for fairness alone, the kernel's lock is what excludes: when the
 * one whose turn it is does not come for some milliseconds (it has died, or
 * has given up) its turn is over.
 */

/**
 * filelock_open(path, like, err):
 * Open or make the lock file, with mode and owner of ${like} (the
 * database).  NULL with ${err} on failure.  free takes NULL and gives up the
 * lock.
 */
struct filelock *filelock_open(const char *path, const struct stat *like,
    struct err *err);
void filelock_free(struct filelock *fl);

/**
 * filelock_take(fl, timeout_ms, err), filelock_drop(fl):
 * Take the lock, waiting for at most ${timeout_ms}.  0, or -1: ERR_STORE_BUSY
 * naming the process that holds it, or ERR_STORE_DOWN if the file system
 * cannot lock.  Any thread, one at a time.  To drop what is not held does
 * nothing.
 *
 * The wait is ended by a timer that sends SIGURG to the waiting thread; a
 * handler that does nothing is installed where the signal was ignored, and
 * the timer runs only when the lock is not free at once.
 */
int filelock_take(struct filelock *fl, int64_t timeout_ms, struct err *err)
    __attribute__((__warn_unused_result__));
void filelock_drop(struct filelock *fl);

/**
 * filelock_holder(path, stopped):
 * Look in /proc for the process that holds the lock at ${path}; *${stopped}
 * says whether it is stopped.  0: none, or it may not be seen.
 */
pid_t filelock_holder(const char *path, bool *stopped);

/** filelock_moved(fl): Is the file at the path no longer the one we lock? */
bool filelock_moved(const struct filelock *fl);

#endif /* !STORE_FILELOCK_H_ */
