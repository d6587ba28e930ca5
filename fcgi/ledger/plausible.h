#ifndef LEDGER_PLAUSIBLE_H_
#define LEDGER_PLAUSIBLE_H_

#include <stdbool.h>
#include <stdint.h>

struct usage;

/**
 * Usage that cannot be true: a pure function of what the upstream stated and
 * what the request and the price table allow.  Any thread.
 */
struct plausible_bounds {
	int64_t input_tokens;	/* of all kinds together; 0: not known */
	int64_t output_tokens;	/* 0: not known */
};

/** A count beyond this is none, whatever the bounds. */
#define PLAUSIBLE_COUNT_MAX	INT64_C(1000000000000)

/** plausible(u, b): ${u} may be true. */
bool plausible(const struct usage *u, const struct plausible_bounds *b);

/**
 * plausible_counts(u): Make counts of what is none: negative ones are 0, those
 * beyond PLAUSIBLE_COUNT_MAX are that.
 */
void plausible_counts(struct usage *u);

/**
 * plausible_bound(u, b): Cut ${u} down to the bounds.  Of the kinds of input
 * those that cost least go first, so that what is left is not too cheap.
 * True if there was something to cut.
 */
bool plausible_bound(struct usage *u, const struct plausible_bounds *b);

#endif /* !LEDGER_PLAUSIBLE_H_ */
