#ifndef ADMIN_AUDIT_H_
#define ADMIN_AUDIT_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "store/store.h"

struct err;

/**
 * The audit log: who changed what, when and from where, with what it was
 * before and after, without secrets.  A row is written by the transaction
 * that makes the change, so that neither is there without the other.
 */
enum actor_kind {
	ACTOR_NOBODY,		/* not signed in: a sign-in that failed */
	ACTOR_PERSON,
	ACTOR_TOKEN,		/* the installation's, made by the command */
	ACTOR_SHELL,		/* the command */
	ACTOR_MACHINE,		/* a job */
	ACTOR_KINDS
};

struct actor {
	enum actor_kind kind;
	const char *name;
	const char *address;	/* "": on this host */
};

/**
 * What is being changed, and by whom.  ${view} shows the object by its name,
 * without secrets: NULL with ERR_NOT_FOUND if it is not there.  It is called
 * inside the transaction, before and after the change.
 */
typedef json_t *audit_view(struct store *st, const char *name,
    struct err *err);

/** What was looked up by its id, and is changed by its name. */
struct audit_named {
	enum stmt_id stmt;	/* the id's name */
	int64_t id;
	char name[LIMIT_NAME_BYTES];
};

struct audit {
	struct actor actor;
	const char *verb;	/* "account.set" */
	const char *object;	/* its name before; "": it has none yet */
	const char *renamed;	/* and after; NULL: the same */
	audit_view *view;	/* NULL: nothing to show */
	const struct audit_named *named;	/* ERR_EXISTS: another name
				   by now; ERR_NOT_FOUND: gone */
	size_t nnamed;
	json_t *before;		/* private */
	json_t *after;		/* private, as is the next */
	bool shown;		/* by the change itself: see change_show */
};

/** audit_view_of(kind): How an "account", "group", "user", "key", "budget",
 * "alias", "price" or "notify" (a target) is shown; NULL: nothing of it is. */
audit_view *audit_view_of(const char *kind);

/** audit_before(st, a, err), audit_after(st, a, err): For change.c: see what is
 * there; see it again, and add the row. */
int audit_before(struct store *st, struct audit *a, struct err *err)
    __attribute__((__warn_unused_result__));
int audit_after(struct store *st, struct audit *a, struct err *err)
    __attribute__((__warn_unused_result__));

/** audit_add(st, actor, verb, object, before, after, err): A row, inside a
 * write transaction; ${before} and ${after} may be NULL. */
int audit_add(struct store *st, const struct actor *actor, const char *verb,
    const char *object, const json_t *before, const json_t *after,
    struct err *err) __attribute__((__warn_unused_result__));

/** audit_prune(st, before_ms, rows, err): In a transaction of its own, delete
 * up to AUDIT_PRUNE_MAX rows that are older; *${rows} is how many: fewer, and
 * no more are left.  0, or -1. */
#define AUDIT_PRUNE_MAX	500
int audit_prune(struct store *st, int64_t before_ms, int64_t *rows,
    struct err *err) __attribute__((__warn_unused_result__));

/** Rows of the log, newest first. */
struct audit_filter {
	int64_t below;		/* id; 0: from the newest */
	const char *verb;	/* NULL: all; so are the others */
	const char *object;
	const char *actor;
	int64_t limit;
};
json_t *audit_list(struct store *st, const struct audit_filter *filter,
    struct err *err);

#endif /* !ADMIN_AUDIT_H_ */
