#ifndef POOL_LOCKS_H_
#define POOL_LOCKS_H_

#include <stdbool.h>

#include "pool/idlist.h"

struct err;
struct runner;

/**
 * On a store that others write to in the middle of a batch, what the batch
 * will build upon is locked before it is read: each kind of rows in one
 * statement, in one order everywhere (see sql/admission.sql).  On SQLite the
 * transaction has the database to itself, and nothing is done here.
 */
struct locks {
	bool queue;		/* the gate is ours */
	bool queue_first;	/* it is wanted, see locks_need_queue */
	struct idlist keys;
	struct idlist windows;	/* budget, start */
};

void locks_init(struct locks *l);
void locks_fini(struct locks *l);
void locks_reset(struct locks *l);

/** locks_ended(l, committed): The batch is over. */
void locks_ended(struct locks *l, bool committed);

/** locks_queue(rn, err): Be the only one who grants, takes or ends waiting.
 * 0, or -1. */
int locks_queue(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * locks_need_queue(rn, err):
 * Somebody is to begin to wait.  0 if the gate is ours; else -1 with
 * ERR_STORE_BUSY, and the batch's next run locks it first: now would be out of
 * order, and how many wait was read without it.
 */
int locks_need_queue(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/** locks_take(rn, err): Read and lock keys and budget windows of all that is
 * in the batch.  Every other batch that needs one of them waits from here on,
 * so what can be done before is done before.  0, or -1. */
int locks_take(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_LOCKS_H_ */
