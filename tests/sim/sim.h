#ifndef TESTS_SIM_SIM_H_
#define TESTS_SIM_SIM_H_

#include <stdbool.h>
#include <stdint.h>

#include "sim/agenda.h"

struct crowd;
struct chat;
struct world;

/**
 * A week of a pool in seconds: discrete events on a virtual clock.  The world
 * (world.h) and the clients (crowd.h) are simulated; between them stands
 * either the relay's own code (ours.h) or a naive relay (naive.h) to compare
 * it with.
 */

#define SIM_ACCOUNTS	10
#define SIM_KEYS	12
#define SIM_HOUR_MS	INT64_C(3600000)
#define SIM_DAY_MS	(24 * SIM_HOUR_MS)

/* A Monday, 00:00 UTC. */
#define SIM_BEGIN_MS	INT64_C(1795392000000)

struct sim_params {
	uint64_t seed;
	int64_t days;
	int64_t sessions;
	const char *strategy;	/* of the relay; NULL: the naive one */
	const char *conf;	/* lines of leasehold.conf; "": as shipped */
};

/** What came of it; plain, so that it can be sent from process to process. */
struct sim_result {
	char name[24];
	int64_t turns;		/* answers that clients wanted ... */
	int64_t served;		/* ... and got */
	int64_t lost;		/* ... and gave up, told to or tired of it */
	int64_t failures;	/* errors that clients saw */
	int64_t avoidable;	/* of these: an account could have served */
	int64_t moves;		/* a session's call went elsewhere, though its
				   cache was alive ... */
	int64_t needless;	/* ... and where that was could have served */
	int64_t moved_tokens;	/* that had to be written again for that */
	int64_t attempts;	/* calls upstream */
	int64_t overflow;	/* served by accounts paid by the token */
	double cached;		/* part of the input read from caches */
	int64_t crowded;	/* turns that began while more asked than the
				   accounts serve at once */
	double jain;		/* fairness between keys in those */
	double used;		/* part of the subscriptions' allowance */
	double useful;		/* the same, had no cache been lost */
	int64_t wait_p50_ms;	/* longer than the answer took, for turns */
	int64_t wait_p99_ms;	/* that were served */
};

struct sim {
	struct sim_params params;
	struct sim_result result;
	struct agenda agenda;
	struct world *world;
	struct crowd *crowd;
	/** A client asks; crowd_served or crowd_refused is called later. */
	void (*ask)(void *relay, struct chat *s);
	void *relay;
};

/** sim_run(params, out): The whole of it.  Ends the program on failure. */
void sim_run(const struct sim_params *params, struct sim_result *out);

#endif /* !TESTS_SIM_SIM_H_ */
