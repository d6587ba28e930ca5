#ifndef POOL_HEALTH_H_
#define POOL_HEALTH_H_

#include <stdbool.h>
#include <stdint.h>

#include "pool/share.h"

struct attempt_end;
struct err;
struct load;
struct runner;
struct store;

/**
 * How an account does, as this process has seen it: the time to the first byte
 * of its streams (a moving average), and what is left of its limits upstream.
 * Kept in memory; a material change is written with the next beat, when what
 * other processes wrote is read as well.
 */
struct health {
	int64_t first_byte_ms;		/* average; 0: not known */
	int64_t first_byte_seen_ms;	/* wall, the last one */
	struct share share;

	/* As others know it. */
	int64_t told_first_byte_ms;
	struct share told_share;
	unsigned told_batch;		/* in which it was written */
};

/* ---- pure; any thread ---- */

/** health_first_byte(h, ms, now_ms): The first byte of a stream came after
 * ${ms}. */
void health_first_byte(struct health *h, int64_t ms, int64_t now_ms);

/**
 * health_expected_ms(h, best_ms, now_ms):
 * The time that a first byte is expected to take, given the ${best_ms} of the
 * accounts to choose from (0: none is known); at least 1.  What is old counts
 * less and less, so that an account that was slow is tried again.
 */
int64_t health_expected_ms(const struct health *h, int64_t best_ms,
    int64_t now_ms);

/** health_leans(h, now_ms): Does it depend on ${best_ms}?
 * health_until_ms(h, now_ms): Before then time alone does not change it; later
 * than ${now_ms}.  INT64_MAX: never. */
bool health_leans(const struct health *h, int64_t now_ms);
int64_t health_until_ms(const struct health *h, int64_t now_ms);

/* ---- store thread ---- */

/** health_note(rn, account_id, end): What the end of an attempt tells. */
void health_note(struct runner *rn, int64_t account_id,
    const struct attempt_end *end);

/** health_read(load, st, since_ms, err): What was written since then goes into
 * ${load}.  0, or -1. */
int health_read(struct load *load, struct store *st, int64_t since_ms,
    struct err *err) __attribute__((__warn_unused_result__));

/** health_beat(rn, err): Read what others wrote, and write what changed.  0,
 * or -1.  health_undone(rn): The batch was rolled back, and
 * with it what was written. */
int health_beat(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));
void health_undone(struct runner *rn);

#endif /* !POOL_HEALTH_H_ */
