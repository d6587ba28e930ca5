#ifndef POOL_OBJECTS_H_
#define POOL_OBJECTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "pool/object_ask.h"
#include "store/thread.h"

struct account;
struct admit_op;
struct err;
struct key_info;
struct key_state;
struct pool;
struct runner;
struct store;
struct want;

/**
 * Objects that live upstream: batches of messages, and files.  Only the account
 * that made one knows it, so its row (table object) says which that is, and
 * whose key it was made for.  What is about an object goes to that account and
 * to no other; a key finds what it made and nothing else.
 *
 *	made      the row is written before the client learns the id
 *	named     admission turns ids into the account, in its transaction
 *	listed    from the rows of the key
 *	deleted   the row goes when the upstream's object has gone
 *	gone      the upstream says 404 to what is about it: it is in no list
 *		  any more, and its row goes by retention (prune.h) unless the
 *		  upstream gives it again
 *	counted   a batch's usage, once: by the first request that read its
 *	          results to their end (.batch_id of its settlement)
 */

/* Of what an upstream says of an object so much is kept, with its NUL; some 700
 * bytes for a batch.  Of a longer text only the id is. */
#define OBJECT_SEEN_SIZE	4096

/* Rows in one page of a list. */
#define OBJECT_PAGE_MAX		100

/* ---- operations of the pool ---- */

struct object_op {
	struct store_op op;
	/* in */
	enum object_kind kind;
	char upstream_id[OBJECT_ID_SIZE];
	int64_t key_id;
	int64_t account_id, ledger_id;		/* the rest: of a put */
	char model[LIMIT_NAME_BYTES];
	bool final, unheard;
	bool gone;				/* of pool_object_gone */
	char seen[OBJECT_SEEN_SIZE];
	void (*done)(struct object_op *op, const struct err *err);
	void *arg;
	struct pool *pool;			/* the pool's own */
};

/**
 * pool_object_put(p, op): Write the row; .done when it is committed, or with
 * an error when that cannot be said.  pool_object_drop(p, op): Remove it.
 * pool_object_seen(p, op): Note what was seen of it.  pool_object_gone(p, op):
 * Note whether it is .gone.
 */
void pool_object_put(struct pool *p, struct object_op *op);
void pool_object_drop(struct pool *p, struct object_op *op);
void pool_object_seen(struct pool *p, struct object_op *op);
void pool_object_gone(struct pool *p, struct object_op *op);

/**
 * pool_object_keep(p, op):
 * A copy of ${op} is put, marked unheard, as soon as the database takes it, for
 * as long as this process lives: the upstream made what the client was not told
 * of.  false: no memory.
 */
bool pool_object_keep(struct pool *p, const struct object_op *op);

struct object_row {
	int64_t id, account_id;
	char upstream_id[OBJECT_ID_SIZE];
	bool final;
	char *seen;			/* JSON; malloc'd */
};

/** A page of what a key has. */
struct object_list_op {
	struct store_op op;
	/* in */
	const struct key_info *key;	/* the caller holds a reference */
	enum object_kind kind;
	size_t limit;			/* 1 .. OBJECT_PAGE_MAX */
	char after[OBJECT_ID_SIZE];	/* older than this one; "" ... */
	char before[OBJECT_ID_SIZE];	/* newer than this one; "" ... */
	const struct object_ask *only;	/* these ids alone; NULL: any.
					   Borrowed */
	void (*done)(struct object_list_op *op, const struct err *err);
	void *arg;
	/* out */
	bool allowed;			/* the key is good */
	bool more;			/* there is another page */
	size_t n;
	struct object_row rows[OBJECT_PAGE_MAX];	/* newest first */
	struct pool *pool;		/* the pool's own */
};

/** pool_object_list(p, op): object_list_wipe(op): Free what was found. */
void pool_object_list(struct pool *p, struct object_list_op *op);
void object_list_wipe(struct object_list_op *op);

/* ---- store thread ---- */

/**
 * objects_resolve(rn, op, key, err):
 * Turn the ids that ${op} names into .account_id.  1; 0: refused, .verdict and
 * .reason are set; -1.
 */
int objects_resolve(struct runner *rn, struct admit_op *op,
    const struct key_state *key, struct err *err)
    __attribute__((__warn_unused_result__));

/** objects_may(rn, op, key): May the key make what ${op} makes, as far as
 * budgets go?  1; 0: refused, as above. */
int objects_may(const struct runner *rn, struct admit_op *op,
    const struct key_state *key);

/** objects_priced(rn, op, a, model): Do batches of all models of ${op} have a
 * price, as they are called at ${a}?  False: *${model} has none. */
bool objects_priced(const struct runner *rn, const struct admit_op *op,
    const struct account *a, const char **model);

/** objects_home(rn, op, w, err): New files go where the key's others are, so
 * that they can be used together: .home.  0, or -1. */
int objects_home(struct runner *rn, const struct admit_op *op,
    struct want *w, struct err *err) __attribute__((__warn_unused_result__));

/** objects_run(rn, err): The operations of a batch.  0, or -1. */
int objects_run(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/** objects_count(rn, id, ledger_id, err): Is it this request that counts the
 * usage of batch ${id}?  1; 0: another did; -1. */
int objects_count(struct runner *rn, int64_t id, int64_t ledger_id,
    struct err *err) __attribute__((__warn_unused_result__));

/** objects_read(st, op, err): One list, in the reading thread.  0, or -1. */
int objects_read(struct store *st, struct object_list_op *op,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !POOL_OBJECTS_H_ */
