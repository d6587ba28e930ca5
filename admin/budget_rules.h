#ifndef ADMIN_BUDGET_RULES_H_
#define ADMIN_BUDGET_RULES_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

/**
 * Budgets: limits on what a key, all keys of a user, or all keys bound to a
 * group may use in a window of time.  Each change is one transaction that
 * running responders see at once; what was counted stays.  ERR_EXISTS: the
 * name is taken, or requests hold some of it; ERR_NOT_FOUND; ERR_INVAL.
 */
struct budget_spec {
	const char *name;	/* NULL: made of what it is on and counts */
	const char *scope;	/* "key", "user", "group" */
	const char *of;		/* the name of that */
	const char *kind;	/* money, tokens, input_tokens, output_tokens,
				   requests */
	int64_t limit;		/* money: nano-dollars */
	const char *period;	/* see ledger/window.h; NULL: total */
	int64_t length_ms;	/* fixed, rolling; else 0 */
	int64_t anchor_ms;	/* fixed: when one begins; -1: now */
	const char *zone;	/* day, week, month; NULL: UTC */
	const char *models;	/* patterns by comma; NULL: any */
	const char *policy;	/* strict, elastic; NULL: elastic */
	bool disabled;
};

/*
 * What can change.  What a budget is on, what it counts and in which windows is
 * for its life, as the sums that were counted would mean something else.
 */
struct budget_change {
	const char *name;	/* NULL: unchanged */
	const char *models;	/* "": any */
	const char *policy;
	const char *kind;	/* of .limit, must be that of the budget; NULL:
				   the limit is unchanged */
	int64_t limit;
	int enabled;		/* -1: unchanged */
};

/* Nano-dollars, tokens or requests: what still adds up without overflow. */
#define BUDGET_LIMIT_MAX	INT64_C(9000000000000000000)

/* "KEY-output_tokens-rolling-99" */
#define BUDGET_NAME_SIZE	160

/** budget_rules_add(st, spec, name, err): ${name}: what it is called. */
int budget_rules_add(struct store *st, const struct budget_spec *spec,
    char name[BUDGET_NAME_SIZE], struct err *err)
    __attribute__((__warn_unused_result__));
int budget_rules_set(struct store *st, const char *name,
    const struct budget_change *change, struct err *err)
    __attribute__((__warn_unused_result__));

/** budget_rules_add_in(...), budget_rules_set_in(...): The same as part of a
 * change that the caller began. */
int budget_rules_add_in(struct store *st, const struct budget_spec *spec,
    char name[BUDGET_NAME_SIZE], struct err *err)
    __attribute__((__warn_unused_result__));
int budget_rules_set_in(struct store *st, const char *name,
    const struct budget_change *change, struct err *err)
    __attribute__((__warn_unused_result__));

/** budget_rules_crowd(st, err): No more budgets are switched on than
 * responders have room for.  0, or -1 with ERR_INVAL; within a change. */
int budget_rules_crowd(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * budget_rules_remove(st, name, err):
 * It is switched off first, which stays also when it cannot be removed:
 * ERR_EXISTS while open requests hold some of it.
 */
int budget_rules_remove(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_BUDGET_RULES_H_ */
