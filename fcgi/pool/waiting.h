#ifndef POOL_WAITING_H_
#define POOL_WAITING_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admit_op;
struct err;

/**
 * The operations of this process that wait for a slot, by ledger id.  Who
 * joins and who leaves in a batch takes effect when it is committed, so that
 * it can be run again.  Store thread.
 */

struct waiter {
	int64_t ledger_id;
	struct admit_op *op;
	bool leaves;		/* in this batch */
};

struct waiting {
	struct waiter *list;
	size_t n, cap;
	struct waiter *joining;		/* in this batch */
	size_t njoining, joining_cap;
};

void waiting_init(struct waiting *w);
void waiting_fini(struct waiting *w);

/** waiting_find(w, ledger_id): Borrow, or NULL; not those who join or leave in
 * this batch. */
struct admit_op *waiting_find(const struct waiting *w, int64_t ledger_id);

/** waiting_knows(w, ledger_id): Also those who leave in this batch. */
bool waiting_knows(const struct waiting *w, int64_t ledger_id);

/** waiting_forget(w, ledger_id): Outside of any batch: it is gone. */
void waiting_forget(struct waiting *w, int64_t ledger_id);

/** waiting_join(w, op, err): ${op} waits from this batch on.  0, or -1. */
int waiting_join(struct waiting *w, struct admit_op *op, struct err *err)
    __attribute__((__warn_unused_result__));

/** waiting_leave(w, ledger_id): It waits no more. */
void waiting_leave(struct waiting *w, int64_t ledger_id);

/** waiting_ended(w, committed): Make it so, or forget it.  The operations are
 * not looked at: those that left may be gone already. */
void waiting_ended(struct waiting *w, bool committed);

#endif /* !POOL_WAITING_H_ */
