#ifndef POOL_KEYS_H_
#define POOL_KEYS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/pool.h"

struct err;
struct idlist;
struct load;
struct store;

/** A client key as one transaction sees it. */
struct key_state {
	int64_t id;
	bool found;
	bool enabled;		/* and not revoked */
	int64_t expires_ms;	/* 0: never */
	char bind_kind[8];
	int64_t bind_id;
	int64_t person_id;
	int64_t concurrency;	/* 0: unlimited */
	int64_t person_concurrency;	/* of all keys of that person */
	int queue_class;	/* 0 high, 1 normal, 2 low: see place.h */
	char *models;		/* NULL: any */
	char *clients;		/* see rules.h; NULL: any */
	char *nets;		/* NULL: from anywhere */
	int64_t turn;		/* when it last got a slot while others
				   waited */
	bool turn_moved;	/* to be written */
	int64_t waiting;	/* requests that wait: those that joined in
				   this batch, and from keys_queued on all */
};

/** The keys of one batch, each read once.  Store thread. */
struct keys {
	struct key_state **list;	/* by id */
	size_t n, cap;
};

void keys_init(struct keys *k);
void keys_reset(struct keys *k);
void keys_fini(struct keys *k);

/**
 * keys_get(k, st, load, id, err):
 * The key ${id}, read if it was not yet in this batch; if its concurrency is
 * bounded its requests are counted, and ${load} told.  Borrowed until
 * keys_reset.  NULL on failure.
 */
struct key_state *keys_get(struct keys *k, struct store *st,
    struct load *load, int64_t id, struct err *err);

/**
 * keys_fetch(k, st, load, ids, err):
 * On a shared store: read those of ${ids} that were not read yet, all in one
 * go.  Keys whose requests in flight are bounded are locked, and counted into
 * ${load}.  ${ids} is put in order.  0, or -1.
 */
int keys_fetch(struct keys *k, struct store *st, struct load *load,
    struct idlist *ids, struct err *err)
    __attribute__((__warn_unused_result__));

/** models_allow(models, model): Is ${model} named by one of the patterns in
 * ${models}, which stand between commas? */
bool models_allow(const char *models, const char *model);

/** key_verdict(key, model, now_ms): ADMIT_LEASED if the key may make such a
 * call, else why not.  ${model} may be "". */
enum admit_verdict key_verdict(const struct key_state *key,
    const char *model, int64_t now_ms);

/** keys_had_turn(k, key, now_ms): ${key} got a slot while others waited: it
 * comes after all others of the batch now. */
void keys_had_turn(struct keys *k, struct key_state *key, int64_t now_ms);

/**
 * keys_queued(k, st, n, err):
 * Count, once a batch, how many requests of each key wait: .waiting of those
 * that were read.  To ${n}, the number of keys with any that joined in this
 * batch, the others are added.  0, or -1.
 */
int keys_queued(struct keys *k, struct store *st, int64_t *n,
    struct err *err) __attribute__((__warn_unused_result__));

/** keys_write_turns(k, st, err): Write the turns that moved.  0, or -1. */
int keys_write_turns(struct keys *k, struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_KEYS_H_ */
