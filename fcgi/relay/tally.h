#ifndef RELAY_TALLY_H_
#define RELAY_TALLY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/usage.h"

struct price_list;
struct tally;

/**
 * Adds up what a batch has cost, out of its results as they pass: one JSON text
 * a line, of which those that succeeded state usage (platform.claude.com/docs,
 * "Retrieve Message Batch results").  Each is priced by itself, as a call of
 * its model at the price for batches when the batch was made.  Bounded memory
 * whatever the lines.  One thread at a time.
 */
struct tally_params {
	const struct price_list *prices;	/* outlive it */
	const char *platform;			/* likewise */
	int64_t at_ms;
	bool use_default;	/* where a model has no price of its own */
};

struct tally_result {
	struct usage usage;	/* of all, .tier says batch */
	int64_t nusd;		/* of those that have a price; -1: none has */
	int64_t items, succeeded;
	int64_t unread;		/* lines that make no sense */
	int64_t unpriced;
};

/** tally_new(params): NULL: no memory.  tally_free takes NULL. */
struct tally *tally_new(const struct tally_params *params);
void tally_free(struct tally *t);

/** tally_push(t, p, n), tally_end(t): More bytes; all are in. */
void tally_push(struct tally *t, const void *p, size_t n);
const struct tally_result *tally_end(struct tally *t);

#endif /* !RELAY_TALLY_H_ */
