#ifndef ADMIN_VERIFY_INTERNAL_H_
#define ADMIN_VERIFY_INTERNAL_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "ledger/rollup.h"

struct err;
struct store;

/**
 * The parts of a verification; see verify.h.
 */

/** What closed and open rows hold of one budget window. */
struct held_sum {
	int64_t budget_id;	/* 0: free */
	int64_t start_ms;
	int64_t closed, open;
	bool seen;		/* there is such a window */
};

/** A budget, and since when its windows are checked. */
struct checked_budget {
	int64_t id;
	int64_t since_ms;
	char name[64];
};

struct held_sums {
	struct held_sum *slots;
	size_t n, nslots;		/* a power of 2, at most half full */
	struct checked_budget *budgets;	/* by id */
	size_t nbudgets, budgets_cap;
};

struct verifier {
	struct store *st;
	struct err *err;
	int (*go_on)(void *arg, struct err *err);	/* NULL: always */
	void *arg;
	int64_t now_ms;
	int64_t cut_ms;		/* no hour before it is compared */
	int64_t recent_id;	/* rows from it on are read at the end */
	struct rollup_set made, stored;
	struct held_sums held;
	struct arena row;	/* what the row at hand holds */
	int64_t *pending;	/* rows before it that were not final */
	size_t npending, pending_cap;
	bool final;		/* the rows that are read now are added */
	/* what is told */
	json_t *shown;
	int64_t ndiffs;
	bool quiet;		/* count alone */
	int64_t rows, attempts, hours, days, keys, windows;
};

/** verify_differs(v, table, where, sum, stored, expected): Tell of it.  0, or
 * -1 without memory. */
int verify_differs(struct verifier *v, const char *table, const char *where,
    const char *sum, int64_t stored, int64_t expected)
    __attribute__((__warn_unused_result__));

/** verify_time(ms, out): "2026-11-20T10:00Z". */
#define VERIFY_TIME_SIZE 24
void verify_time(int64_t ms, char out[VERIFY_TIME_SIZE]);

/** verify_hour(v, start_ms): Rows, their attempts, and the sums of an hour. */
int verify_hour(struct verifier *v, int64_t start_ms)
    __attribute__((__warn_unused_result__));

/** verify_day(v, start_ms): The sums of a day, of those of its hours. */
int verify_day(struct verifier *v, int64_t start_ms)
    __attribute__((__warn_unused_result__));

/** held_sums_budgets(v): Read them (anew).  0, or -1. */
int held_sums_budgets(struct verifier *v)
    __attribute__((__warn_unused_result__));

/** held_sums_row(v, id, state, text): What a row holds, or that it is to be
 * read at the end.  0, or -1. */
int held_sums_row(struct verifier *v, int64_t id, int64_t state,
    const char *text) __attribute__((__warn_unused_result__));

/** verify_windows(v): In a read transaction: the rows that are left, then the
 * budget windows.  0, or -1. */
int verify_windows(struct verifier *v)
    __attribute__((__warn_unused_result__));

void held_sums_reset(struct verifier *v);
void held_sums_fini(struct verifier *v);

#endif /* !ADMIN_VERIFY_INTERNAL_H_ */
