#ifndef POOL_MOVE_H_
#define POOL_MOVE_H_

struct err;
struct runner;

/**
 * move_run(rn, err):
 * The first half of the batch's moves: attempts are closed, accounts parked,
 * slots given back.  What admission needs for the second half is put into the
 * operations.  Store thread.  0, or -1.
 */
int move_run(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_MOVE_H_ */
