#ifndef ADMIN_CHANGE_H_
#define ADMIN_CHANGE_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct err;

/**
 * A change of what responders must see is one transaction that raises
 * meta.config_version:
 *
 *	if (change_begin(st, err))
 *		return (-1);
 *	return (change_end(st, add_inside(st, ..., err), err));
 *
 * change_end(st, rc, err) commits if ${rc} is 0, else rolls back and returns
 * ${rc}.
 *
 * change_audit(st, a): The next change on ${st} is ${a}'s (see audit.h): the
 * same transaction writes it into the audit log, with what it was before and
 * after.  ${a} lives until then, or until change_audit(st, NULL).  Without it
 * nothing is written: whoever changes on behalf of somebody says so.
 *
 * change_note(st, err): In a write transaction that is no such change: write
 * the row all the same, if there is an audit.  It is ${a}'s turn no more.
 *
 * change_show(st, before, after): Inside such a transaction: its row says these
 * in place of what the audit's view shows; for what has no name.  Both are
 * given up; NULL: there is none.
 */
struct audit;
void change_audit(struct store *st, struct audit *a);
void change_show(struct store *st, json_t *before, json_t *after);
int change_note(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));
int change_begin(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));
int change_end(struct store *st, int rc, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * change_again(st, n, why):
 * The ${n}-th try (from 1) to change something failed with ${why}: is another
 * worth it?  On a shared store responders may be in the way, in a deadlock or
 * for too long; what was rolled back for that can be made again.  What runs
 * commands and routes goes by it, for all of them.
 *
 * change_run(st, inside, arg, err):
 * One change by itself, made again as long as that is so: for what must not be
 * lost, and cannot be asked for again.
 */
bool change_again(const struct store *st, int n, const struct err *why);
int change_run(struct store *st, int (*inside)(struct store *st, void *arg,
    struct err *err), void *arg, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * change_exec_named(st, id, row, nparams, what, name, err):
 * Run a statement whose only constraint is that ${name} is free; ERR_EXISTS
 * says "there is ${what} "NAME" already".
 */
int change_exec_named(struct store *st, enum stmt_id id,
    const struct store_value *row, size_t nparams, const char *what,
    const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_CHANGE_H_ */
