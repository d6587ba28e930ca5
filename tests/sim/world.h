#ifndef TESTS_SIM_WORLD_H_
#define TESTS_SIM_WORLD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/usage.h"
#include "relay/upstream.h"

#include "sim/sim.h"

struct chat;

/**
 * The upstream: ten accounts, their limits, prompt caches and faults.  Eight
 * are subscriptions with a limit for five hours, which begin with the first
 * call, one for seven days, and of that one for the largest models; two are
 * paid by the token, with limits a minute; all serve so many calls at once and
 * refuse more without a word of when.  What is used is counted in units:
 * tokens of input, where one read from the cache is a tenth, one written to it
 * 1.25 or 2, and one of output 5.  Faults come by a plan that depends on the
 * seed alone.
 */

#define WORLD_HEADERS	12

struct world_answer {
	enum transfer_result result;
	int status;
	struct transfer_header headers[WORLD_HEADERS];
	size_t nheaders;
	char values[WORLD_HEADERS][40];
	const char *error_type;
	int64_t first_ms;	/* until the head came, or the failure */
	int64_t total_ms;
	struct usage usage;
};

struct world *world_new(struct sim *sim);
void world_free(struct world *w);

/** world_priority(i), world_weight(i), world_slots(i): How an operator sets
 * up the account, whose number is from 0 on. */
int world_priority(int account);
int world_weight(int account);
int world_slots(int account);

/** world_ask(w, account, s, out): A call of session ${s} is sent to it. */
void world_ask(struct world *w, int account, struct chat *s,
    struct world_answer *out);

/** world_done(w, account): A call is over. */
void world_done(struct world *w, int account);

/** world_could(w, account, s): Would it serve ${s} now?  -1: would any? */
bool world_could(struct world *w, int account, const struct chat *s);

/** world_used(w, useful): Part of the allowance of all subscriptions over the
 * whole time, and what would have been without a cache lost. */
double world_used(const struct world *w, double *useful);

/** world_cached(w): Part of the input that was read from caches. */
double world_cached(const struct world *w);

#endif /* !TESTS_SIM_WORLD_H_ */
