#ifndef LEDGER_ROLLUP_H_
#define LEDGER_ROLLUP_H_

#include <stddef.h>
#include <stdint.h>

#include "ledger/usage.h"

struct err;
struct store;
struct store_value;

/**
 * What was used, in sums by hour and by day (tables usage_hour, usage_day), of
 * each key, person, account, group and model.  The transaction that closes
 * ledger rows adds them, once a batch and sorted, so that a report reads some
 * hundred rows instead of the ledger, and nothing is lost when the ledger is
 * cut.  A request belongs to the hour in its id, when it came; hours and days
 * are UTC.  What changes a closed row takes its old part away and adds the new
 * one.  `leasehold ledger verify' makes the same sums of the rows.
 */

#define ROLLUP_HOUR_MS	INT64_C(3600000)
#define ROLLUP_DAY_MS	(24 * ROLLUP_HOUR_MS)

/** The sums, in the order of the columns (rollup_names). */
enum rollup_sum {
	ROLLUP_REQUESTS,
	ROLLUP_ERRORS,		/* neither ok nor given up by the client */
	ROLLUP_UNPRICED,	/* used something that has no price */
	ROLLUP_COST_NUSD,
	ROLLUP_INPUT_TOKENS,
	ROLLUP_OUTPUT_TOKENS,
	ROLLUP_CACHE_READ_TOKENS,
	ROLLUP_CACHE_WRITE_5M_TOKENS,
	ROLLUP_CACHE_WRITE_1H_TOKENS,
	ROLLUP_WEB_SEARCHES,
	ROLLUP_QUEUE_MS,
	ROLLUP_FIRST_BYTE_MS,	/* of those that brought one */
	ROLLUP_TOTAL_MS,
	ROLLUP_EXACT,		/* requests by the mark of their usage; the
				   others used nothing */
	ROLLUP_PARTIAL,
	ROLLUP_ESTIMATED,
	ROLLUP_OVERRUNS,	/* charged more than they had reserved ... */
	ROLLUP_OVERRUN_NUSD,	/* ... by so much */
	ROLLUP_FIRST_500MS,	/* requests by their first byte: up to 500 ms,
				   then up to the next */
	ROLLUP_FIRST_1S,
	ROLLUP_FIRST_2S,
	ROLLUP_FIRST_5S,
	ROLLUP_FIRST_15S,
	ROLLUP_FIRST_LATER,
	ROLLUP_NSUMS
};

/** rollup_names[i]: The column's name. */
extern const char *const rollup_names[ROLLUP_NSUMS];

#define ROLLUP_MODEL_SIZE	128

/** Whose sums; ids are 0 where there is none. */
struct rollup_key {
	int64_t start_ms;
	int64_t key_id;
	int64_t account_id;	/* of the last attempt */
	int64_t group_id;	/* of that account when the row was closed */
	int64_t person_id;	/* of the key when the request came */
	char model[ROLLUP_MODEL_SIZE];	/* without blanks at its end */
};

/** rollup_model(model, out): As it stands in a key, filled up with NULs. */
void rollup_model(const char *model, char out[ROLLUP_MODEL_SIZE]);

struct rollup {
	struct rollup_key key;
	int64_t sums[ROLLUP_NSUMS];
};

/** A closed ledger row, as far as it counts. */
struct rollup_row {
	int64_t ledger_id;
	int64_t key_id, account_id, group_id, person_id;
	const char *model;
	const char *outcome;
	enum usage_mark mark;
	struct usage usage;
	int64_t nusd;			/* -1: unpriced */
	int64_t overrun_nusd;
	int64_t queue_ms, total_ms;
	int64_t first_byte_ms;		/* -1: none came */
};

/** rollup_of(row, out): What one row adds to its hour. */
void rollup_of(const struct rollup_row *row, struct rollup *out);

/** rollup_cmp(a, b): In the order of the tables' primary key. */
int rollup_cmp(const struct rollup_key *a, const struct rollup_key *b);

/** rollup_read(cols, out): A row of usage_hour_read and its like: the key, then
 * the sums. */
void rollup_read(const struct store_value *cols, struct rollup *out);

/** Sums by key, in memory. */
struct rollup_set {
	struct rollup *list;	/* in no order, before rollup_set_sort */
	size_t n, cap;
	uint32_t *slots;	/* hash: 1 + index in ${list}; 0 free */
	size_t nslots;
};

void rollup_set_init(struct rollup_set *s);
void rollup_set_reset(struct rollup_set *s);
void rollup_set_fini(struct rollup_set *s);

/** rollup_set_add(s, r, sign, err): Add ${r} to the sums of its key, or take
 * it away (${sign} -1).  0, or -1 without memory. */
int rollup_set_add(struct rollup_set *s, const struct rollup *r, int sign,
    struct err *err) __attribute__((__warn_unused_result__));

/** rollup_set_find(s, key): Borrowed until the next is added; NULL if there is
 * none.  Not of a set that was sorted. */
const struct rollup *rollup_set_find(const struct rollup_set *s,
    const struct rollup_key *key);

/** rollup_set_sort(s): By key.  Nothing can be added until the next reset. */
void rollup_set_sort(struct rollup_set *s);

/** The sums of one batch.  Store thread. */
struct rollups {
	struct rollup_set hours, days;
};

void rollups_init(struct rollups *u);
void rollups_reset(struct rollups *u);
void rollups_fini(struct rollups *u);

/** rollups_add(u, row, err): A row was closed.  rollups_take(u, row, err): What
 * it added counts no more, as another part of it will be added.  0, or -1
 * without memory. */
int rollups_add(struct rollups *u, const struct rollup_row *row,
    struct err *err) __attribute__((__warn_unused_result__));
int rollups_take(struct rollups *u, const struct rollup_row *row,
    struct err *err) __attribute__((__warn_unused_result__));

/** rollups_write(u, st, err): Add them to the tables, in order, and forget
 * them.  0, or -1. */
int rollups_write(struct rollups *u, struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !LEDGER_ROLLUP_H_ */
