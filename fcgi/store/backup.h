#ifndef STORE_BACKUP_H_
#define STORE_BACKUP_H_

#include <stdbool.h>
#include <stdint.h>

struct backup;
struct err;

/**
 * A database file in the making: it is called ${to}.part until it is whole
 * and on disk, of mode 0600 from the start, and locked by who makes it.  What
 * a killed process left of one is written over.
 *
 *	backup_start	the empty file is there
 *	backup_pages	SQLite's online backup; or the caller fills it through
 *			a store of its own, and closes that
 *	backup_check	it is one file, without a log, and not damaged
 *	backup_finish	it has its name
 *
 * On the thread that began it.
 */

/** Called now and then, with how many of how many pages are copied (0 of 0:
 * not known); -1 with ${err} ends the work. */
typedef int backup_go_on(void *arg, int64_t done, int64_t all,
    struct err *err);

/**
 * backup_start(to, force, err):
 * ERR_EXISTS if ${to} is there and not ${force}; ERR_STORE_BUSY if somebody
 * else makes it now.  free takes NULL, and removes what is not finished.
 */
struct backup *backup_start(const char *to, bool force, struct err *err);
void backup_free(struct backup *b);

/** backup_path(b): Where the file is until it is finished; borrowed. */
const char *backup_path(const struct backup *b);

/**
 * backup_pages(b, from, go_on, arg, err):
 * Copy the database at ${from}, as it is at one moment; others write
 * meanwhile, into the write-ahead log, which grows by that.  One read
 * transaction lasts as long as the copying does, the only one that may:
 * without it each write of another process would begin the copy anew.
 */
int backup_pages(struct backup *b, const char *from, backup_go_on *go_on,
    void *arg, struct err *err) __attribute__((__warn_unused_result__));

/** backup_check(b, go_on, arg, err): ERR_IO if it is damaged. */
int backup_check(struct backup *b, backup_go_on *go_on, void *arg,
    struct err *err) __attribute__((__warn_unused_result__));

/** backup_finish(b, bytes, err): On disk, and only then under its name;
 * *${bytes} is its size, and may be NULL. */
int backup_finish(struct backup *b, int64_t *bytes, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !STORE_BACKUP_H_ */
