#ifndef POOL_AFFINITY_H_
#define POOL_AFFINITY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct admit_op;
struct err;
struct key_state;
struct runner;
struct usage;
struct want;

/**
 * Sessions and the accounts that hold their prompt caches.  A session is of a
 * key and what the key is bound to; all processes know it by a row, which each
 * remembers for a while.  Rows are written when a session comes, when it moves
 * or holds more than before, and now and then while it is used, so that most
 * requests write none.  Where processes disagree the newest move wins.
 * Store thread.
 */

/** What one session is known to be. */
struct session {
	int64_t id;		/* 0: none */
	int64_t account_id;
	int64_t since_ms;	/* wall: there since then */
	int64_t used_ms;	/* wall: last request that was admitted */
	int64_t cached_tokens;	/* that a move would lose */
	int64_t cache_ms;	/* the upstream keeps them for so long */
	int64_t expires_ms;	/* wall */
	int64_t told_ms;	/* .used_ms and .cached_tokens of its row; */
	int64_t told_tokens;	/* 0: it has to be written */
	int64_t read_ms;	/* monotonic: when its row was read */
	bool guessed;		/* .cached_tokens is, from the body's size */
	bool changed;		/* in this batch */
};

/* Sessions that one process remembers: the least used go first. */
#define AFFINITY_WAYS	8
#define AFFINITY_SETS	8192

/* Sessions that one batch uses or settles. */
#define AFFINITY_CHANGES	(4 * LIMIT_BATCH_OPS)

struct affinity {
	struct session (*sets)[AFFINITY_WAYS];	/* NULL: none yet */
	int64_t changes[AFFINITY_CHANGES];
	size_t nchanges;
};

void affinity_init(struct affinity *a);
void affinity_fini(struct affinity *a);

/** affinity_id(key, session): The session's number, never 0; its text is what
 * the client sent. */
int64_t affinity_id(const struct key_state *key, const char *session);

/**
 * affinity_patience_ms(s, wait_ms, now_ms):
 * How long a request waits for a busy account rather than to move: ${wait_ms}
 * if that would lose a large cache, less for less, not at all for one that has
 * run out.  Pure.
 */
int64_t affinity_patience_ms(const struct session *s, int64_t wait_ms,
    int64_t now_ms);

/**
 * affinity_look(rn, wants, n, err):
 * Find out where the sessions of ${wants} are at home, and whether they wait
 * for it (.home, .patient); rows are read where memory will not do.  0, or -1.
 */
int affinity_look(struct runner *rn, struct want *wants, size_t n,
    struct err *err) __attribute__((__warn_unused_result__));

/** affinity_use(rn, op, account_id): A request of it goes to that account. */
void affinity_use(struct runner *rn, const struct admit_op *op,
    int64_t account_id);

/** affinity_learn(rn, id, account_id, u): A request of session ${id} (0: of
 * none) was served there, with that usage. */
void affinity_learn(struct runner *rn, int64_t id, int64_t account_id,
    const struct usage *u);

/** affinity_write(rn, err): Write what changed in this batch.  0, or -1. */
int affinity_write(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/** affinity_ended(rn, committed): The batch is over. */
void affinity_ended(struct runner *rn, bool committed);

#endif /* !POOL_AFFINITY_H_ */
