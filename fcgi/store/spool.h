#ifndef STORE_SPOOL_H_
#define STORE_SPOOL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct spool;

/**
 * Spool files: what the database cannot take now is kept on disk, one file a
 * process, locked by it (flock) for its life.  The space is allocated when the
 * file is made, so that a full disk comes too late.  Whoever gets the lock of a
 * file finds its owner dead and may adopt it.
 *
 *	0       header: magic, installation, epoch, checksum
 *	512     record: magic, state, length, checksum (32 bytes), payload,
 *	        filled up to a multiple of 8
 *	...     zeros: nothing yet
 *
 * A record's state (pending, done) is no part of its checksum and is written
 * in place.  A file with nothing pending is written from its start again.  A
 * record that is not whole (its process or the machine died over it) is
 * skipped and counted as damaged; those behind it are found.  One thread.
 */

#define SPOOL_INSTALLATION_BYTES	16

/* A settlement has some 1,200 bytes at most. */
#define SPOOL_RECORD_MAX		4096

/* Whose records these are. */
struct spool_id {
	unsigned char installation[SPOOL_INSTALLATION_BYTES];
	int64_t epoch;			/* raised when a backup is restored:
					   what was spooled before is void */
};

/**
 * spool_create(dir, bytes, id, err):
 * Make and lock a new file of ${bytes} in ${dir}, which is made if only it is
 * missing.  NULL on failure, with the remedy in the text.
 */
struct spool *spool_create(const char *dir, int64_t bytes,
    const struct spool_id *id, struct err *err);

/**
 * spool_adopt(path, out, err):
 * Lock a file that was left behind and read what it holds.  1 with *${out}; 0:
 * its owner lives, or it is gone; -1: it cannot be read, or is no spool file
 * (ERR_INVAL, and it was put aside, see spool_refuse).
 */
int spool_adopt(const char *path, struct spool **out, struct err *err)
    __attribute__((__warn_unused_result__));

/** spool_close(sp): Let go of it.  The file stays if records are pending in
 * it, for others to adopt; else it is removed.  NULL is allowed. */
void spool_close(struct spool *sp);

/** spool_refuse(sp): Let go of it and put it aside under the name *.refused,
 * for a person to look at. */
void spool_refuse(struct spool *sp);

/** spool_is(sp, id): Was it made under this installation and epoch? */
bool spool_is(const struct spool *sp, const struct spool_id *id);

const char *spool_path(const struct spool *sp);		/* borrowed */
size_t spool_pending(const struct spool *sp);
size_t spool_damaged(const struct spool *sp);		/* found by adopt */

/**
 * spool_put(sp, p, n, err):
 * Append a record; it is safe only after spool_sync.  0, or -1: ERR_TOO_LARGE
 * if there is no room, ERR_IO.  After a spool_sync that failed nothing is
 * taken any more, until the file is empty.
 */
int spool_put(struct spool *sp, const void *p, size_t n, struct err *err)
    __attribute__((__warn_unused_result__));
int spool_sync(struct spool *sp, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * spool_seek(sp, i): Is there a pending record from number *${i} on?  Then
 * *${i} is its number.  spool_read(sp, i, buf, n, err): Read it into ${buf},
 * of SPOOL_RECORD_MAX bytes, and its length into *${n}.  0, or -1.
 */
bool spool_seek(const struct spool *sp, size_t *i);
int spool_read(const struct spool *sp, size_t i, void *buf, size_t *n,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * spool_done(sp, i):
 * Record ${i} is in the database.  That a mark gets lost with the power makes
 * it be replayed, so replaying has to be harmless; likewise if it cannot be
 * written.  spool_reset(sp): if nothing is pending: begin at the start again;
 * numbers of records are then void.
 */
void spool_done(struct spool *sp, size_t i);
void spool_reset(struct spool *sp);

/* ---- a folder of them ---- */

/**
 * spool_look(dir, cb, arg, err):
 * Call ${cb} for each file in ${dir}, also those that were put aside
 * (spool_is_refused), until it does not return 0; what it returned is
 * returned.  Files whose maker died before they were whole are removed.  No
 * folder: no files.  -1 also when the folder cannot be read.
 */
int spool_look(const char *dir, int (*cb)(void *arg, const char *path),
    void *arg, struct err *err) __attribute__((__warn_unused_result__));
bool spool_is_refused(const char *path);

struct spool_count {
	int64_t files;
	int64_t records;		/* pending */
	int64_t refused;		/* files that were put aside */
};

/** spool_count(dir, out, err): Count, without locks: what is being written at
 * this moment may be missed.  0, or -1. */
int spool_count(const char *dir, struct spool_count *out, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !STORE_SPOOL_H_ */
