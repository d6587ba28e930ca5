#ifndef POOL_COOLDOWN_H_
#define POOL_COOLDOWN_H_

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

struct err;
struct runner;
struct store;

/**
 * Parking accounts.  A cooldown in force is only ever extended, except by
 * what the upstream states anew.  Where nothing is stated the time doubles
 * with each strike, which is a failure after the last cooldown was over; a
 * success forgets the strikes.  What a limit or a refused credential is parked
 * for goes before a failure that may be over at any moment (park.soft).
 * Store thread; writes at once, as it is rare.
 */

/** What a cooldown becomes; for tests apart from the database. */
struct cooldown_rule {
	int64_t now_ms;
	int64_t max_ms;		/* bound of the back-off */
	int64_t seed;		/* of the jitter */
};

/**
 * cooldown_next(old, park, rule, out):
 * ${old} is NULL if there is none.  False: nothing changes.
 */
bool cooldown_next(const struct cooldown *old, const struct park *park,
    const struct cooldown_rule *rule, struct cooldown *out);

/** Who found out that an account is to rest, and when. */
struct cooldown_found {
	int64_t account_id;
	int64_t ledger_id;	/* of the request; 0: none did */
	int64_t now_ms;
	int64_t max_ms;		/* bound of the back-off */
};

/**
 * cooldown_set(st, by, park, err):
 * Park an account outside of a batch, too: in a transaction that has the lock
 * on its row (STMT_LOCK_ACCOUNT).  1; 0: it rests for as long already; -1.
 */
int cooldown_set(struct store *st, const struct cooldown_found *by,
    const struct park *park, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * cooldown_park(rn, ledger_id, lease, park, undone, err):
 * The attempt on ${lease} failed; park its account if ${park} wants it and
 * the request is not to blame: the second account that it would park without a
 * fact undoes the first instead, which ${undone} (may be NULL) tells.
 * ${lease} takes note.  A probe bears out what others found: it is never to
 * blame.  0, or -1.
 */
int cooldown_park(struct runner *rn, int64_t ledger_id, struct lease *lease,
    const struct park *park, bool *undone, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * cooldown_put(rn, ledger_id, account_id, park, err):
 * Park an account, whoever is to blame; ${ledger_id} 0: no request found out.
 * cooldown_extend: unless it is parked for as long already.  0, or -1.
 */
int cooldown_put(struct runner *rn, int64_t ledger_id, int64_t account_id,
    const struct park *park, struct err *err)
    __attribute__((__warn_unused_result__));
int cooldown_extend(struct runner *rn, int64_t ledger_id, int64_t account_id,
    const struct park *park, struct err *err)
    __attribute__((__warn_unused_result__));

/** An account did well. */
struct served {
	int64_t account_id;
	const char *model;
	int64_t probe_id;	/* the request, if it was a probe; else 0 */
};

/** cooldown_clear(rn, what, err): Cooldowns that are over, and their strikes,
 * are forgotten; of a probe, those that it was one for, also if they are not
 * over.  0, or -1. */
int cooldown_clear(struct runner *rn, const struct served *what,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !POOL_COOLDOWN_H_ */
