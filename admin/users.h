#ifndef ADMIN_USERS_H_
#define ADMIN_USERS_H_

#include <jansson.h>
#include <stdint.h>

#include "who.h"

struct err;
struct store;

/**
 * Users: people (table person) who own keys, so that budgets can be set on all
 * keys of one.  Each change is one transaction.  The last administrator who
 * can sign in stays one (ERR_EXISTS).  With another role, or switched off, the
 * links are good no more that a user made, or that are for that user
 * (people_invite).  ERR_EXISTS: the name is taken, or the user still has keys;
 * ERR_NOT_FOUND; ERR_INVAL.
 */
struct user_change {
	const char *name;	/* NULL: unchanged */
	int64_t concurrency;	/* requests at once of all its keys; 0: no
				   limit; -1: unchanged, or none */
	enum role role;		/* ROLE_NONE: unchanged, or user */
	int enabled;		/* may sign in; -1: unchanged, or yes */
};

#define USER_CONCURRENCY_MAX	100000

int users_add(struct store *st, const struct user_change *change,
    struct err *err) __attribute__((__warn_unused_result__));
int users_set(struct store *st, const char *name,
    const struct user_change *change, struct err *err)
    __attribute__((__warn_unused_result__));

/** users_add_in(...), users_set_in(...): The same as part of a change that the
 * caller began. */
int users_add_in(struct store *st, const struct user_change *change,
    struct err *err) __attribute__((__warn_unused_result__));
int users_set_in(struct store *st, const char *name,
    const struct user_change *change, struct err *err)
    __attribute__((__warn_unused_result__));

/** users_remove(st, name, err): Refused while keys that are not revoked belong
 * to the user, or budgets are set on it. */
int users_remove(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** users_list(st, err): Array of all of them.  users_page: ${limit} of those
 * with ${q}, in small letters, in their name (NULL: of all) after the first
 * ${offset}, and how many there are.  users_show: one of them,
 * with its keys ("keys") and how the budgets on it stand ("budgets", see
 * budget_view.h). */
json_t *users_list(struct store *st, struct err *err);
json_t *users_page(struct store *st, const char *q, int64_t limit,
    int64_t offset, int64_t *total, struct err *err);
json_t *users_show(struct store *st, const char *name, struct err *err);

/** users_keep_an_admin(st, id, role, err): May ${id} have ${role} from now on
 * (ROLE_NONE: none)?  -1 with ERR_EXISTS: no administrator who can sign in
 * would be left.  Inside a change. */
int users_keep_an_admin(struct store *st, int64_t id, enum role role,
    struct err *err) __attribute__((__warn_unused_result__));

/** users_end_links(st, id, name, err): The links for a user, and those that
 * ${name} made, are good no more.  Inside a change. */
int users_end_links(struct store *st, int64_t id, const char *name,
    struct err *err) __attribute__((__warn_unused_result__));

/** users_role(st, name, role, err): 0, or -1 (ERR_NOT_FOUND). */
int users_role(struct store *st, const char *name, enum role *role,
    struct err *err) __attribute__((__warn_unused_result__));

/** users_find(st, name, id, err): 0, or -1 (ERR_NOT_FOUND). */
int users_find(struct store *st, const char *name, int64_t *id,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_USERS_H_ */
