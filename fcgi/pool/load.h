#ifndef POOL_LOAD_H_
#define POOL_LOAD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/board.h"
#include "pool/choose.h"

struct err;
struct snapshot;
struct store;

/**
 * How busy accounts and keys are, as the store thread knows: read from the
 * slots now and then, with this process's own changes applied at once.  It
 * guides the choice; what decides is the free slot itself, see load_free.
 * After a rollback it is read anew.  Store thread.
 */

/* Free slots of an account that are fetched in one go. */
#define LOAD_FREE	16

struct account_load {
	int64_t id;
	unsigned batch;		/* the free slots below are of this batch */
	int64_t last_n;		/* slots up to this were looked at */
	bool all_seen;
	unsigned waited;	/* batch in which others were waited for */
	int64_t was_in_use;	/* load_read: before it */
	size_t nfree, pos;
	struct {
		int64_t n, fence;
	} free[LOAD_FREE];
};

struct key_load {
	int64_t id;
	int64_t in_flight;
};

struct load {
	struct candidate *candidates;	/* as the snapshot's accounts */
	struct account_load *accounts;	/* likewise */
	size_t naccounts;
	struct boards boards;		/* of the candidates */
	struct key_load *keys;		/* by id */
	size_t nkeys, keys_cap;
	int64_t read_ms;		/* monotonic; 0: to be read */
	unsigned batch, read_batch;	/* now, and when it was read */
	size_t fetch;			/* free slots to fetch in one go */
	int64_t turns;			/* accounts chosen so far */
	int64_t health_read_ms;		/* see health_beat; store's time */
};

void load_init(struct load *l);
void load_fini(struct load *l);

/**
 * load_follow(l, snapshot, err): Take over the accounts of a newer snapshot,
 * which must stay until the next call.  0, or -1.
 */
int load_follow(struct load *l, const struct snapshot *s, struct err *err)
    __attribute__((__warn_unused_result__));

/** load_begin(l): A batch begins: free slots are fetched anew. */
void load_begin(struct load *l);

/** load_read(l, st, mono_ms, err): Read what is in use.  0, or -1. */
int load_read(struct load *l, struct store *st, int64_t mono_ms,
    struct err *err) __attribute__((__warn_unused_result__));

/** load_forget(l): What is known may be wrong (rollback). */
void load_forget(struct load *l);

/** load_add(l, account_id, key_id, d): ${d} slots more or fewer are taken. */
void load_add(struct load *l, int64_t account_id, int64_t key_id, int d);

/** load_candidate(l, account_id): Borrow, or NULL; until load_follow.
 * load_touch(l, c): ${c}, of those, was changed. */
struct candidate *load_candidate(struct load *l, int64_t account_id);
void load_touch(struct load *l, const struct candidate *c);

/** load_key(l, key_id): Slots that requests of the key hold.
 * load_key_set: it was counted. */
int64_t load_key(const struct load *l, int64_t key_id);
void load_key_set(struct load *l, int64_t key_id, int64_t in_flight);

/**
 * load_free(l, st, index, n, fence, err):
 * A slot of the account at ${index} that is free in this transaction and was
 * not handed out in it before; the caller takes it at the end of the batch.
 * ${fence} is the one that the slot has now.  1; 0: none, and the account then
 * counts as full; -1.
 */
int load_free(struct load *l, struct store *st, size_t index, int64_t *n,
    int64_t *fence, struct err *err) __attribute__((__warn_unused_result__));

/**
 * load_wait(l, st, index, n, fence, err):
 * On a shared store, where load_free found none: others may have locked what
 * is free, and not take it.  Wait for them, once a batch and account.  What
 * load_free handed out must have been taken.  As load_free.
 */
int load_wait(struct load *l, struct store *st, size_t index, int64_t *n,
    int64_t *fence, struct err *err) __attribute__((__warn_unused_result__));

/** load_expect(l, nwants): So many will want a slot: no more are read, and on
 * a shared store locked, than will do. */
void load_expect(struct load *l, size_t nwants);

#endif /* !POOL_LOAD_H_ */
