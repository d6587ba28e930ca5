#ifndef TESTS_SIM_CROWD_H_
#define TESTS_SIM_CROWD_H_

#include <stdbool.h>
#include <stdint.h>

#include "sim/rng.h"
#include "sim/sim.h"

/**
 * The clients: sessions of coding agents.  Each has a key, a conversation that
 * grows, tools that answer in seconds and people who take minutes.  One key of
 * twelve has a third of the sessions and starts many at once.  A refused
 * client tries again as Claude Code does: after retry-after, else after waits
 * that double; not where it is told not to, and at most ten times; then the
 * turn is lost, and the person tries again later.
 */

enum family {
	FAMILY_SONNET,
	FAMILY_OPUS
};

struct cache {
	int64_t tokens, until_ms;
};

struct chat {
	struct sim *sim;
	int n, key;
	enum family family;
	bool long_cache;	/* asks for caches that last an hour */
	bool tools_only;	/* nobody thinks between its turns */
	struct rng rng;
	int64_t turns_left;
	/* the turn at work */
	int64_t context, output;	/* tokens */
	int64_t began_ms;
	int tries, lost;
	bool crowded;		/* when it began, more asked than the accounts
				   have slots for */
	/* where it is at home upstream */
	int account;		/* -1: not yet */
	struct cache caches[SIM_ACCOUNTS];
	struct cache ideal;	/* had it never moved */
};

struct crowd *crowd_new(struct sim *sim);
void crowd_free(struct crowd *c);

/** crowd_served(s, account, service_ms): Its call was answered, and would have
 * taken so long without waits and failures. */
void crowd_served(struct chat *s, int account, int64_t service_ms);

/** crowd_refused(s, retry_after_s, should_retry): It was answered with an
 * error, and these headers (0 and -1: without). */
void crowd_refused(struct chat *s, int64_t retry_after_s,
    int should_retry);

/** crowd_model(f): Its name. */
const char *crowd_model(enum family f);

/** crowd_report(c, out): Fairness where it was crowded, and waits. */
void crowd_report(struct crowd *c, struct sim_result *out);

#endif /* !TESTS_SIM_CROWD_H_ */
