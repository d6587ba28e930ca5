#ifndef POOL_EXTEND_H_
#define POOL_EXTEND_H_

struct err;
struct idlist;
struct runner;

/**
 * More for streams that use up what they hold of budgets.  Store thread.
 */

/** extend_gather(rn, out): The ledger rows of the batch's extensions. */
void extend_gather(const struct runner *rn, struct idlist *out);

/** extend_run(rn, err): Do them, in their order.  0, or -1. */
int extend_run(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_EXTEND_H_ */
