#ifndef RELAY_REFUSAL_H_
#define RELAY_REFUSAL_H_

#include "http/response.h"
#include "pool/pool.h"

struct judgement;

/**
 * The answers that the relay gives in its own words, in one table: what the
 * client is told, and what the ledger and the log call it.  Constant; any
 * thread.
 */
enum refusal {
	REFUSAL_BAD_REQUEST,
	REFUSAL_TOO_LARGE,
	REFUSAL_ENCODED,
	REFUSAL_BODIES_FULL,
	REFUSAL_KEY_MISSING,
	REFUSAL_KEY_UNKNOWN,
	REFUSAL_KEY_REVOKED,
	REFUSAL_KEY_EXPIRED,
	REFUSAL_THROTTLED,
	REFUSAL_STORE_DOWN,
	REFUSAL_MODEL,
	REFUSAL_CLIENT,
	REFUSAL_ADDRESS,
	REFUSAL_UNSERVED,
	REFUSAL_BUDGET,
	REFUSAL_BUDGET_RENEWS,
	REFUSAL_BUDGET_HELD,
	REFUSAL_UNPRICED,
	REFUSAL_FEATURE,
	REFUSAL_OBJECT,
	REFUSAL_APART,
	REFUSAL_UNHEARD,
	REFUSAL_QUEUE_FULL,
	REFUSAL_QUEUE_TIMEOUT,
	REFUSAL_NO_ACCOUNT,
	REFUSAL_PARKED,
	REFUSAL_RESTING,	/* parked, and not for limits */
	REFUSAL_STOPPING,
	NREFUSALS
};

struct refusal_row {
	const char *outcome;		/* for ledger and log */
	struct response_error answer;	/* .message where no better one is
					   known; no request_id */
};

/** refusal_row(r): Borrow the row; never NULL. */
const struct refusal_row *refusal_row(enum refusal r);

/** refusal_of(verdict): What a verdict other than ADMIT_LEASED comes to. */
enum refusal refusal_of(enum admit_verdict verdict);

/** refusal_wait(e, retry_ms, now_ms): Waiting helps from ${retry_ms} on (wall;
 * 0: nobody knows, and ${e} stays). */
void refusal_wait(struct response_error *e, int64_t retry_ms,
    int64_t now_ms);

/**
 * refusal_give_up(v, moved, now_ms, e):
 * An attempt failed as ${v} says, and no other account serves the request, as
 * ${moved} says (NULL: none was asked for).  The client is to come back when
 * the first may be asked again: this account, or one that rests already.  What
 * no time heals it is not to try again, unless another is healed by it.
 * ${e} borrows from ${v}.
 */
void refusal_give_up(const struct judgement *v, const struct admit_op *moved,
    int64_t now_ms, struct response_error *e);

#endif /* !RELAY_REFUSAL_H_ */
