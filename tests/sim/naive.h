#ifndef TESTS_SIM_NAIVE_H_
#define TESTS_SIM_NAIVE_H_

#include "sim/sim.h"

/**
 * What the relay is compared with: priority, then whoever was used least
 * lately; a 429 rests its account for as long as it says, else a minute; all
 * that fails goes to the client as it is.  No sessions, no queue, no second
 * try.
 */
struct naive *naive_new(struct sim *sim);
void naive_free(struct naive *n);

#endif /* !TESTS_SIM_NAIVE_H_ */
