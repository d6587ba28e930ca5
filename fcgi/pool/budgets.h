#ifndef POOL_BUDGETS_H_
#define POOL_BUDGETS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/holds.h"
#include "pool/pool.h"
#include "pool/snapshot.h"

struct err;
struct key_state;
struct runner;

/**
 * The budgets that a request counts against, and room in them.  A budget is a
 * rule of the snapshot; see windows.h for how far it is used.  Store thread.
 */

/** What a call may use, or has used, in the unit of each kind. */
struct amounts {
	int64_t of[BUDGET_KINDS];
};

/** What a call wants of budgets: the worst case, for those that are strict,
 * and what it begins with, for the others; never more than the worst. */
struct demand {
	const char *model;	/* asked for; "" where the call names none */
	const char *names;	/* it may go upstream as; see models.h */
	struct amounts worst, slice;
	struct coverage slice_covers;	/* usage that .slice is for */
	bool requests_alone;	/* it counts as a request, and against nothing
				   else */
};

/** Why there is no room. */
struct shortage {
	const struct budget_rule *rule;	/* of the snapshot */
	int64_t left, wanted;
	int64_t renews_ms;	/* INT64_MAX: never, or it would not do */
	bool unknown;		/* its window cannot be told here */
	bool held;		/* only what is reserved stands in the way */
};

/** What is to be reserved for one request, and what became of it. */
struct reserving {
	/* in */
	const struct key_state *key;
	const struct demand *want;
	/* out */
	struct holds *holds;	/* its list is made */
	struct coverage coverage;
	struct budget_left left[BUDGET_KINDS];	/* refused: of .why alone */
	struct shortage why;
};

/**
 * budgets_reserve(rn, r, err):
 * Reserve what is wanted on every budget that the key counts against under any
 * of the model's names, or on none.  1: done; 0: .why says which has no room;
 * -1.
 */
int budgets_reserve(struct runner *rn, struct reserving *r, struct err *err)
    __attribute__((__warn_unused_result__));

/** budgets_undo(rn, holds): Take back what budgets_reserve did in this
 * batch. */
void budgets_undo(struct runner *rn, struct holds *holds);

/**
 * budgets_raise(rn, row, to, why, err):
 * Raise what ${row} holds of budgets of the model to the slice of ${to}, of
 * strict ones not beyond the worst case, where that is more, all of them or
 * none.  What a reaped row holds is spent; one that is settled is only looked
 * at.  1, 0 or -1 as above.
 */
int budgets_raise(struct runner *rn, struct held_row *row,
    const struct demand *to, struct shortage *why, struct err *err)
    __attribute__((__warn_unused_result__));

/** budgets_windows(rn, key), budgets_windows_of(rn, holds): Put what has to be
 * locked for admissions of ${key}, or for a change of ${holds}, into the
 * runner's .locks.windows. */
void budgets_windows(struct runner *rn, const struct key_state *key);
void budgets_windows_of(struct runner *rn, const struct holds *holds);

/** budgets_money(s, key, model): Does a call of ${model} count against a budget
 * of money? */
bool budgets_money(const struct snapshot *s, const struct key_state *key,
    const char *model);

/** budgets_measure(s, key): Has it a budget that is about more than the number
 * of requests: money or tokens, or some models alone? */
bool budgets_measure(const struct snapshot *s, const struct key_state *key);

/** budgets_counts(rule, model): Is it of calls that go upstream as ${model}? */
bool budgets_counts(const struct budget_rule *rule, const char *model);

/** budgets_explain(why, out, size): Which budget has no room for what, and when
 * it has again. */
void budgets_explain(const struct shortage *why, char *out, size_t size);

#endif /* !POOL_BUDGETS_H_ */
