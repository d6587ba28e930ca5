#ifndef POOL_BACKLOG_H_
#define POOL_BACKLOG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "pool/spooled.h"
#include "store/spool.h"

struct settle_op;

/**
 * Settlements that the database could not take: this process's spool file, and
 * those of dead responders that it adopted.  They are written while the
 * database is down and replayed when it is back, by the store thread.  The
 * ledger row's state and fence make a second replay harmless.
 */

/* Files of the dead that are replayed at a time. */
#define BACKLOG_FILES	8

/* News for the log. */
#define BACKLOG_NOTES	8

struct backlog_note {
	const char *event;
	bool bad;
	struct err what;
};

struct backlog {
	const char *dir;		/* borrowed; NULL: no spool is kept */
	int64_t bytes;
	bool known;			/* ${id} is set */
	struct spool_id id;
	struct spool *own;		/* NULL: none, see the log */
	struct spool *left[BACKLOG_FILES];
	struct spooled *list;		/* LIMIT_BATCH_OPS, with the first */
	int64_t look_ms;		/* monotonic: when to look for files */
	int64_t try_ms;			/* ... and to replay again */
	int64_t wait_ms;
	bool full;			/* was told of */
	size_t nnotes;
	struct backlog_note notes[BACKLOG_NOTES];
};

/** backlog_init(b, dir, bytes): ${dir} may be NULL.  backlog_fini: files with
 * pending records stay. */
void backlog_init(struct backlog *b, const char *dir, int64_t bytes);
void backlog_fini(struct backlog *b);

/** backlog_identify(b, id): With each connection: it is this database.  Makes
 * the file; what was spooled for another database is put aside. */
void backlog_identify(struct backlog *b, const struct spool_id *id);

/** backlog_put(b, ops, n, now_ms): Write ${n} settlements (operations of
 * other kinds are left alone) and set .spooled of those that are on disk now.
 * ${now_ms} is wall time. */
void backlog_put(struct backlog *b, struct store_op **ops, size_t n,
    int64_t now_ms);

/**
 * backlog_take(b, ops, max, mono_ms, now_ms):
 * Up to ${max} settlements to be replayed, of own and of left files; they
 * belong to the backlog, and each is to be given to backlog_replayed before
 * the next call.
 */
size_t backlog_take(struct backlog *b, struct store_op **ops, size_t max,
    int64_t mono_ms, int64_t now_ms);

/** backlog_replayed(b, op, err, mono_ms): It was committed (ERR_NONE), or is
 * to be tried again. */
void backlog_replayed(struct backlog *b, struct store_op *op,
    const struct err *err, int64_t mono_ms);

#endif /* !POOL_BACKLOG_H_ */
