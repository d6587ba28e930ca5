#ifndef POOL_HALFOPEN_H_
#define POOL_HALFOPEN_H_

#include <stdbool.h>
#include <stdint.h>

struct account;
struct err;
struct lease;
struct runner;

/**
 * The right to probe an account whose breaker is half-open.  It stands on the
 * rows of its cooldowns: the request, the number of its attempt, and since
 * when.  It is that request's as long as its ledger row is open and has
 * not gone beyond that attempt, however long it takes: two would be one too
 * many for an upstream that is slow.  So it needs nobody to give it back, and
 * is free when the responder that had it is found dead, whose requests are
 * closed by others.  A stream that probes must begin within the setting
 * half_open_s; a plain call has the time that it has anyway, as it may be
 * served already.  Store thread.
 */

/** What a process goes by before it asks the database again. */
#define HALFOPEN_HINT_MS	250

/**
 * halfopen_take(rn, a, family, ledger_id, err):
 * The request (whose row may be about to be written) is to probe ${a}, with a
 * model of ${family}, in its next attempt.  1; 0: another one does; -1.
 */
int halfopen_take(struct runner *rn, const struct account *a,
    const char *family, int64_t ledger_id, struct err *err)
    __attribute__((__warn_unused_result__));

/** halfopen_leave(rn, account_id, ledger_id, err): It does not, after all, or
 * not any more.  0, or -1. */
int halfopen_leave(struct runner *rn, int64_t account_id, int64_t ledger_id,
    struct err *err) __attribute__((__warn_unused_result__));

/** halfopen_over(rn, account_id): A request that probed it is closed: others
 * need not wait for the hint. */
void halfopen_over(struct runner *rn, int64_t account_id);

/** halfopen_run(rn, err): Probes of the batch that came through though their
 * requests go on (OP_PROVE): their breakers close.  0, or -1. */
int halfopen_run(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_HALFOPEN_H_ */
