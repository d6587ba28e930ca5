#ifndef ADMIN_GROUPS_H_
#define ADMIN_GROUPS_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct store;

/**
 * Groups of accounts.  Each change is one transaction.  ERR_EXISTS: the name
 * is taken, or the group is in use; ERR_NOT_FOUND; ERR_INVAL.
 */
struct group_change {
	const char *name;	/* new name; NULL: unchanged */
	const char *strategy;	/* NULL: unchanged, or the default */
	int64_t concurrency;	/* requests at once of the keys bound to it;
				   0: no limit; -1: unchanged, or none */
};

#define GROUP_CONCURRENCY_MAX	100000

int groups_add(struct store *st, const struct group_change *change,
    struct err *err) __attribute__((__warn_unused_result__));
int groups_set(struct store *st, const char *name,
    const struct group_change *change, struct err *err)
    __attribute__((__warn_unused_result__));

/** groups_add_in(...), groups_set_in(...): The same as part of a change that
 * the caller began. */
int groups_add_in(struct store *st, const struct group_change *change,
    struct err *err) __attribute__((__warn_unused_result__));
int groups_set_in(struct store *st, const char *name,
    const struct group_change *change, struct err *err)
    __attribute__((__warn_unused_result__));

/** groups_remove(st, name, err): Refused while accounts or keys use it, or
 * budgets are set on it. */
int groups_remove(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** groups_list(st, name, err): Array; ${name} NULL: all of them.  groups_show:
 * one of them, ERR_NOT_FOUND if there is none. */
json_t *groups_list(struct store *st, const char *name, struct err *err);
json_t *groups_show(struct store *st, const char *name, struct err *err);

/** groups_find(st, name, id, err): 0, or -1 (ERR_NOT_FOUND). */
int groups_find(struct store *st, const char *name, int64_t *id,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_GROUPS_H_ */
