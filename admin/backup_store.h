#ifndef ADMIN_BACKUP_STORE_H_
#define ADMIN_BACKUP_STORE_H_

#include <stdbool.h>
#include <stdint.h>

struct backup;
struct conf;
struct err;
struct store;

/**
 * A backup is one SQLite database file, whatever the store is, so that it can
 * be restored into either.  Of a SQLite store it is a copy of the pages; of a
 * MySQL database its rows are read in one view, by what `store copy' works
 * with, or by copy_older.h.  The master key is not in it.
 */

/* Told of each stage: how far it is, of how much (0: not known).  -1 with
 * ${err} breaks the work off. */
typedef int backup_progress(void *arg, const char *stage, int64_t done,
    int64_t all, struct err *err);

struct backup_order {
	const struct conf *conf;	/* where the store is */
	const char *path;
	bool force;			/* over a file that is there */
	bool books;			/* have the sums made anew */
	backup_progress *progress;	/* may be NULL */
	void *arg;
};

struct backup_made {
	int64_t bytes;
	int64_t schema;			/* its number */
	bool books;			/* the sums were looked at: */
	int64_t rows;			/* of the ledger */
	int64_t differences;		/* as in the database itself */
};

/**
 * backup_store(o, made, err):
 * Copy the store, while responders are at work, to a new file of mode 0600:
 * whole, checked and on disk under its name, or not there.  Requests that are
 * open are in it as such.  The store may be of an older schema: so is the copy,
 * and its sums are not looked at.  0 with ${made}; -1: ERR_EXISTS, ERR_IO (no
 * room), ...
 */
int backup_store(const struct backup_order *o, struct backup_made *made,
    struct err *err) __attribute__((__warn_unused_result__));

/** backup_books(path, progress, arg, made, err): Have the sums in the database
 * file at ${path} made anew, if it is of this program's schema; fills
 * ${made} but for .bytes. */
int backup_books(const char *path, backup_progress *progress, void *arg,
    struct backup_made *made, struct err *err)
    __attribute__((__warn_unused_result__));

/** backup_room(dir, wanted, err): ERR_IO if the file system of ${dir} has not
 * so many bytes and a quarter more. */
int backup_room(const char *dir, int64_t wanted, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_BACKUP_STORE_H_ */
