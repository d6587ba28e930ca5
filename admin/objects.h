#ifndef ADMIN_OBJECTS_H_
#define ADMIN_OBJECTS_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct store;

/**
 * Batches and files that clients have upstream: which account holds them, and
 * whose they are.  See fcgi/pool/objects.h.
 */

#define OBJECTS_LIMIT_MAX	10000

struct object_filter {
	const char *key, *account;	/* names; NULL: any */
	const char *kind;		/* batch | file; NULL: any */
	int64_t before_id;		/* 0: from the newest on */
	int64_t limit;
};

/** objects_list(st, f, err): Newest first.  objects_show(st, id, err): Those
 * with this upstream id, of whatever key, and what was last seen of them;
 * ERR_NOT_FOUND. */
json_t *objects_list(struct store *st, const struct object_filter *f,
    struct err *err);
json_t *objects_show(struct store *st, const char *id, struct err *err);

/** objects_lost(st, since_ms, limit, err): Requests since then that may have
 * made something of which nobody learnt. */
json_t *objects_lost(struct store *st, int64_t since_ms, int64_t limit,
    struct err *err);

/**
 * objects_forget(st, id, n, err), objects_forget_account(st, name, before_ms,
 * n, err): Remove rows; upstream nothing happens.  *${n} are gone.  0, or -1:
 * ERR_NOT_FOUND.
 */
int objects_forget(struct store *st, const char *id, int64_t *n,
    struct err *err) __attribute__((__warn_unused_result__));
int objects_forget_account(struct store *st, const char *name,
    int64_t before_ms, int64_t *n, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_OBJECTS_H_ */
