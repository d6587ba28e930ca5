#ifndef POOL_REAP_H_
#define POOL_REAP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/responder.h"

struct err;
struct held_row;
struct rollup_row;
struct runner;
struct store;

/**
 * Responders that are dead give back what they held.  On this host their lock
 * file decides: whoever can lock it finds its owner dead.  Elsewhere (or where
 * the file cannot be seen) one is dead whose beat did not change while this
 * process beat successfully for dead_after_ms; time in which it could not beat
 * itself does not count, so that an outage of the database reaps nobody.
 * Store thread.
 */

/** What was seen of another responder. */
struct seen {
	int64_t id;
	int64_t beat;		/* -1: it has rows but is not registered */
	int64_t unchanged_ms;
};

struct seen_list {
	size_t n;
	struct seen list[RESPONDER_NODES];
};

/** One that was found dead in this batch. */
struct dead {
	int64_t id;
	int64_t beat;		/* as it was seen */
	int lock_fd;		/* locked; -1: found dead by its beat */
	char lock_path[108];
	char wake_path[108];
};

/* In one batch; the others come with the next beat. */
#define DEAD_MAX	16

struct reaper {
	struct seen_list *now, *next;	/* next becomes now at commit */
	int64_t beat_ms;		/* own last beat, monotonic */
	int64_t next_beat_ms;		/* 0: no beat in this batch */
	size_t ndead;
	struct dead dead[DEAD_MAX];
};

/** reaper_init(r): 0, or -1 if memory is short. */
int reaper_init(struct reaper *r) __attribute__((__warn_unused_result__));
void reaper_fini(struct reaper *r);

/** reap_others(rn, err): With a beat: look for the dead and reap them.  0, or
 * -1. */
int reap_others(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * reap_one(rn, id, err): Close what is open of responder ${id}: ledger rows as
 * estimated, charged at their reserve; slots, tickets and its row go.  0, or
 * -1.
 */
int reap_one(struct runner *rn, int64_t id, struct err *err)
    __attribute__((__warn_unused_result__));

/** reap_counted(h, out): What a reaped row ${h}, which is borrowed, counts for
 * in the sums of usage. */
void reap_counted(const struct held_row *h, struct rollup_row *out);

/** reap_adopt(rn, st, from, err): This process registered anew: what it did
 * under the id ${from} since it was reaped is its own.  0, or -1. */
int reap_adopt(struct runner *rn, struct store *st, int64_t from,
    struct err *err) __attribute__((__warn_unused_result__));

/** reap_ended(r, committed): Remove files of the dead; remember the beat. */
void reap_ended(struct reaper *r, bool committed);

#endif /* !POOL_REAP_H_ */
