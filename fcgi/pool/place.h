#ifndef POOL_PLACE_H_
#define POOL_PLACE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "pool/budgets.h"
#include "pool/choose.h"
#include "pool/models.h"
#include "pool/pool.h"

struct err;
struct key_state;
struct runner;

/**
 * Who gets a slot: one rule for those that wait, in whatever process, and
 * those that come.  Keys of a higher class go first.  Of one class the key
 * with the fewest requests in flight is next, then the one whose last turn is
 * longest ago; within a key the oldest request.  As slots only go while a
 * batch is placed, nobody overtakes a request that waits for the same
 * accounts.  Store thread.
 */

struct want {
	int64_t ledger_id;
	int64_t responder_id;	/* whose request */
	int64_t key_id;
	struct key_state *key;
	struct admit_op *op;	/* NULL: another process's */
	struct holds *holds;	/* what a new one reserved; NULL: none yet */
	bool arrives;		/* in this batch: it has no ticket, and unless
				   it moves no ledger row */
	const char *platform;	/* NULL: any */
	int64_t only;		/* no other account will do; 0: any */
	char family[POOL_FAMILY_SIZE];
	char model[LIMIT_NAME_BYTES];	/* as it was asked for */
	char names[MODEL_NAMES_SIZE];	/* see models.h */
	size_t ntried;
	int64_t tried[POOL_TRIED_MAX];
	bool needs_slot;
	char tried_text[POOL_TRIED_MAX * 21];	/* for its ticket */
	int64_t home;		/* account of its session; 0: none */
	bool patient;		/* it waits for that one ... */
	int64_t home_until_ms;	/* ... until then, wall */
	/* out */
	enum choice_result result;
	const struct account *account;	/* CHOICE_PICKED, of the snapshot */
	int64_t slot_n, slot_fence;	/* ... the fence as it will be */
	bool probe;		/* ... which it probes */
	int64_t free_ms;	/* see struct choice */
	const struct cooldown *cooldown;
	int bound, usable, tried_n, resting, probed, unserved;
	bool awaits;		/* CHOICE_BUSY, as it waits for its home */
};

/**
 * place(rn, wants, n, err):
 * Sort ${wants} and see which account each gets, if any; the rows that take
 * the slots are collected (ROWS_SLOT_TAKE), and the trace written into .op.
 * 0, or -1.
 */
int place(struct runner *rn, struct want *wants, size_t n, struct err *err)
    __attribute__((__warn_unused_result__));

/** place_elsewhere(rn, w, err): ${w}, which .awaits its home, cannot wait:
 * place it anew, anywhere.  0, or -1. */
int place_elsewhere(struct runner *rn, struct want *w, struct err *err)
    __attribute__((__warn_unused_result__));

/** place_look(rn, w): What ${w} would find now, without taking anything. */
void place_look(struct runner *rn, struct want *w);

/** place_key_is_full(rn, w): Are as many of the key's requests in flight as
 * may be? */
bool place_key_is_full(const struct runner *rn, const struct want *w);

#endif /* !POOL_PLACE_H_ */
