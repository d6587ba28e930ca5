#ifndef POOL_BUDGETS_H_
#define POOL_BUDGETS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/holds.h"
#include "pool/snapshot.h"

struct err;
struct idlist;
struct key_state;
struct store;

/**
 * The budget windows that one batch touches: each is read once, changed in
 * memory, and written once.  A budget is a rule of the snapshot; its kind says
 * what is counted, its period when a window starts.  Store thread.
 */

struct window {
	int64_t budget_id;
	int64_t start_ms;
	int64_t spent, reserved;
	bool exists;		/* as a row */
	bool changed;
};

struct budgets {
	struct window *list;	/* by budget id, start */
	size_t n, cap;
};

/** What a call may use, or has used, in the unit of each kind. */
struct amounts {
	int64_t of[BUDGET_KINDS];
};

/** What a call wants of budgets: the worst case, for those that are strict,
 * and what it begins with, for the others; never more than the worst. */
struct demand {
	const char *model;	/* "" where the call names none */
	struct amounts worst, slice;
};

/** Why there is no room. */
struct shortage {
	const struct budget_rule *rule;	/* of the snapshot; NULL: too many
				   budgets */
	int64_t left, wanted;
	bool unknown;		/* a window this program cannot tell */
	bool held;		/* only what is reserved stands in the way */
};

void budgets_init(struct budgets *b);
void budgets_reset(struct budgets *b);
void budgets_fini(struct budgets *b);

/**
 * budgets_reserve(b, st, s, key, want, holds, why, err):
 * Reserve what is wanted on every budget that ${key} counts against, or on
 * none.  1: done, see ${holds}; 0: ${why} says which has no room; -1.
 */
int budgets_reserve(struct budgets *b, struct store *st,
    const struct snapshot *s, const struct key_state *key,
    const struct demand *want, struct holds *holds, struct shortage *why,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * budgets_windows(s, key, now_ms, out): The windows that ${key} counts in, as
 * pairs of budget and start.  budgets_fetch(b, st, windows, err): On a shared
 * store: lock and read them, in order, which ${windows} is put in.  0, or -1.
 */
void budgets_windows(const struct snapshot *s, const struct key_state *key,
    int64_t now_ms, struct idlist *out);
int budgets_fetch(struct budgets *b, struct store *st,
    struct idlist *windows, struct err *err)
    __attribute__((__warn_unused_result__));

/** budgets_undo(b, holds): Take back what budgets_reserve did in this batch. */
void budgets_undo(struct budgets *b, struct holds *holds);

/** budgets_add(b, st, budget_id, start_ms, spent, reserved, err): Change a
 * window by so much; neither falls below 0.  0, or -1. */
int budgets_add(struct budgets *b, struct store *st, int64_t budget_id,
    int64_t start_ms, int64_t spent, int64_t reserved, struct err *err)
    __attribute__((__warn_unused_result__));

/** budgets_money(s, key, model): Does a call of ${model} count against a budget
 * of money? */
bool budgets_money(const struct snapshot *s, const struct key_state *key,
    const char *model);

/** budgets_write(b, st, err): Write what changed, in order.  0, or -1. */
int budgets_write(struct budgets *b, struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_BUDGETS_H_ */
