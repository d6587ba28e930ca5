#ifndef ADMIN_USAGE_LATENCY_H_
#define ADMIN_USAGE_LATENCY_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "latency_set.h"
#include "periods.h"

struct err;
struct store;

/**
 * How long the requests of a report took: the counts that the job has folded
 * (latency_fold.h), and what it has not, from the ledger.
 */
struct usage_latency {
	struct latency_set set;		/* by row of the report */
	struct latency_of total;
	bool partial;			/* too much is not folded yet */

	/* of the report: which rows count, and whose they are in it */
	bool (*wanted)(void *arg, struct rollup_key *key);
	void *arg;
	int64_t key_id, person_id;	/* of this one alone; -1: of all */
};

/** So many rows are read from the ledger at the most; there are more while
 * the job has not run for long: then nothing is known. */
#define USAGE_LATENCY_ROWS	50000

void usage_latency_init(struct usage_latency *l);
void usage_latency_fini(struct usage_latency *l);

/** usage_latency_read(l, st, periods, err): 0, or -1. */
int usage_latency_read(struct usage_latency *l, struct store *st,
    const struct periods *periods, struct err *err)
    __attribute__((__warn_unused_result__));

/** usage_latency_put(l, key, row): Set the percentiles of one row of the
 * report (NULL: of all) in ${row}, null where nothing is known.  0, or -1
 * without memory. */
int usage_latency_put(const struct usage_latency *l,
    const struct rollup_key *key, json_t *row)
    __attribute__((__warn_unused_result__));

#define USAGE_LATENCY_NAMES	4
extern const char *const usage_latency_names[USAGE_LATENCY_NAMES];

#endif /* !ADMIN_USAGE_LATENCY_H_ */
