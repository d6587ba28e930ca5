#ifndef ADMIN_ALIASES_H_
#define ADMIN_ALIASES_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct store;

/**
 * Other names of models, for the accounts of a group or for one account; see
 * pool/models.h.  Each change is one transaction.  ERR_EXISTS: the pattern has
 * a target already; ERR_NOT_FOUND: no such group, account or pattern;
 * ERR_INVAL: a name is not allowed.
 */
struct alias_of {
	const char *group;	/* one of both, NULL the other; of
				   aliases_list both may be */
	const char *account;
	int64_t id;		/* of a change: whose it was when it was looked
				   up, whatever the name; 0: go by the name */
};

/** An account or group has so many at the most. */
#define ALIASES_MAX	1000

int aliases_add(struct store *st, const struct alias_of *of,
    const char *pattern, const char *target, struct err *err)
    __attribute__((__warn_unused_result__));
int aliases_set(struct store *st, const struct alias_of *of,
    const char *pattern, const char *target, struct err *err)
    __attribute__((__warn_unused_result__));
int aliases_remove(struct store *st, const struct alias_of *of,
    const char *pattern, struct err *err)
    __attribute__((__warn_unused_result__));

/** aliases_there(st, of, pattern, err): 1: it has a target; 0; or -1.
 * aliases_put_in(...): Give it one, whether it has or not, as part of a change
 * that the caller began. */
int aliases_there(struct store *st, const struct alias_of *of,
    const char *pattern, struct err *err)
    __attribute__((__warn_unused_result__));
int aliases_put_in(struct store *st, const struct alias_of *of,
    const char *pattern, const char *target, struct err *err)
    __attribute__((__warn_unused_result__));

/** aliases_list(st, of, err): Array, in the order in which patterns are
 * tried. */
json_t *aliases_list(struct store *st, const struct alias_of *of,
    struct err *err);

#endif /* !ADMIN_ALIASES_H_ */
