#ifndef POOL_CREWS_H_
#define POOL_CREWS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct key_state;
struct runner;
struct snapshot;
struct store;

/**
 * Keys whose requests in flight are bounded together: those of a user, and
 * those that are bound to a group.  As with a key's own bound, whoever is over
 * it waits.  Each crew is counted once a batch, when it is first asked for,
 * and from then on along with the slots that are taken.  Store thread.
 */

enum crew_kind {
	CREW_USER,
	CREW_GROUP,
	CREW_KINDS
};

struct crew {
	enum crew_kind kind;
	int64_t id;
	int64_t limit;
	int64_t in_flight;	/* if it was counted in this batch */
	bool counted;
};

struct crews {
	struct crew *list;	/* of one batch */
	size_t n, cap;
};

void crews_init(struct crews *c);
void crews_reset(struct crews *c);
void crews_fini(struct crews *c);

/**
 * crews_full(rn, key, which, err):
 * Are as many requests in flight as may be, of ${key}'s user or group?  1, with
 * *${which}, which is borrowed until the next call; 0; -1.
 */
int crews_full(struct runner *rn, const struct key_state *key,
    const struct crew **which, struct err *err)
    __attribute__((__warn_unused_result__));

/** crews_seen_full(rn, key): As far as was counted in this batch; borrowed as
 * above, or NULL. */
const struct crew *crews_seen_full(struct runner *rn,
    const struct key_state *key);

/** crews_add(rn, key): A slot was taken for it. */
void crews_add(struct runner *rn, const struct key_state *key);

/** crews_lock(rn, err): On a shared store: lock those of the keys that are in
 * the runner's .locks.keys, in order.  0, or -1. */
int crews_lock(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/** crew_of(s, key, kind, out): The crew of that kind that ${key} belongs to, if
 * it is bounded; not counted.  crew_count(st, crew, err): Count it.  0, or
 * -1. */
bool crew_of(const struct snapshot *s, const struct key_state *key,
    enum crew_kind kind, struct crew *out);
int crew_count(struct store *st, struct crew *crew, struct err *err)
    __attribute__((__warn_unused_result__));

/** crew_word(crew): "user" or "group". */
const char *crew_word(const struct crew *crew);

#endif /* !POOL_CREWS_H_ */
