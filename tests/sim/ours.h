#ifndef TESTS_SIM_OURS_H_
#define TESTS_SIM_OURS_H_

#include "sim/sim.h"

/**
 * The relay's own code between clients and world: the pool's runner on an
 * SQLite file of its own, which admits, chooses, waits, keeps sessions, parks
 * and settles, and the rules of what an answer means (relay/judge.h,
 * relay/ratelimit.h, relay/refusal.h), with the settings that are shipped.
 * What is left to the simulation is who calls them when, as relay/call.c does.
 */
struct ours *ours_new(struct sim *sim);
void ours_free(struct ours *o);

#endif /* !TESTS_SIM_OURS_H_ */
