#ifndef POOL_ERRAND_H_
#define POOL_ERRAND_H_

#include <stddef.h>

struct conf;
struct err;
struct runner;
struct seal;
struct store;
struct store_op;

/**
 * A responder for a while: what the store thread of a relay responder does, a
 * batch at a time and without a thread, for jobs that find a few things to do.
 * It has a row and a lock file as all responders have, so that who is killed
 * in the middle is found dead and reaped.  One thread.
 */
struct errand;

/** errand_open(st, conf, seal, err): Register; ${st}, prepared, and ${conf}
 * are borrowed, of ${seal} a reference is taken.  NULL with ${err}. */
struct errand *errand_open(struct store *st, const struct conf *conf,
    struct seal *seal, struct err *err);

/** errand_do(e, op, err): A batch of ${op} and of a beat, with which others
 * are looked at: it is run again when it meets others.  0; -1 with ${err}, or
 * with what is the operation's own failure. */
int errand_do(struct errand *e, struct store_op *op, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * errand_beat(e, dead, unsure, err):
 * A beat alone: *${dead} is how many responders were found dead and reaped,
 * *${unsure} of how many only more beats can tell, which have to be
 * dead_after_s / 5 apart.
 */
int errand_beat(struct errand *e, size_t *dead, size_t *unsure,
    struct err *err) __attribute__((__warn_unused_result__));

/** errand_runner(e): Borrow; its snapshot is that of the last batch. */
const struct runner *errand_runner(const struct errand *e);

/** errand_close(e): Sign off.  NULL is allowed. */
void errand_close(struct errand *e);

#endif /* !POOL_ERRAND_H_ */
