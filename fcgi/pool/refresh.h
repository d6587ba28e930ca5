#ifndef POOL_REFRESH_H_
#define POOL_REFRESH_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/oauth.h"
#include "store/thread.h"

struct err;
struct pool;
struct runner;

/**
 * Renewing the tokens of an OAuth account.  A refresh token is used once: who
 * sends it holds the lease on the account's row, and what it brings is
 * committed (if the row still has the tokens it was got for) before anything
 * uses it.
 *
 *	take ----> TAKEN: the caller asks the token endpoint, then ----> end
 *	     ----> anything else: nothing is to be done, or not now
 *
 * The row notes that the token is about to be sent, in the transaction that
 * hands it out.  Who dies in between leaves that note, and a lease that is
 * over when others see that the responder is gone, or after REFRESH_LEASE_MS:
 * the token is then sent once more.  If the provider had changed it already it
 * refuses, and the account needs a sign-in; it is parked until that is done.
 */

/* Longer than one exchange may take. */
#define REFRESH_LEASE_MS	45000
#define REFRESH_EXCHANGE_MS	30000

/* So long rests an account that needs a sign-in: until somebody does. */
#define REFRESH_SIGN_IN_MS	(INT64_C(3650) * 86400 * 1000)

enum refresh_taken {
	REFRESH_TAKEN,		/* .token is the caller's to use, once */
	REFRESH_NEWER,		/* there are newer tokens than the caller's */
	REFRESH_BUSY,		/* somebody is at it */
	REFRESH_LATER,		/* it failed lately: wait for .retry_ms */
	REFRESH_SIGN_IN,	/* only a sign-in helps */
	REFRESH_GONE		/* no such account, or not of this kind */
};

struct refresh_take_op {
	struct store_op op;
	/* in */
	int64_t account_id;
	int64_t rotation;	/* of the tokens that will not do */
	bool needed;		/* without new ones it cannot serve: where
				   there are none, it is parked */
	void (*done)(struct refresh_take_op *op, const struct err *err);
	void *arg;
	/* out */
	enum refresh_taken taken;
	int64_t fence;
	int64_t retry_ms;	/* wall */
	int64_t tries;
	bool interrupted;	/* it was sent before; what came of that is
				   not known */
	char *token;		/* the caller wipes it; else NULL */
	size_t token_len;
	struct pool *pool;	/* the pool's own */
};

enum refresh_end {
	REFRESH_RENEWED,	/* .tokens */
	REFRESH_FAILED,		/* the old ones stay; again after a while */
	REFRESH_REFUSED		/* they are void */
};

struct refresh_end_op {
	struct store_op op;	/* .must is set by the pool */
	/* in */
	int64_t account_id;
	int64_t rotation, fence, tries;	/* as taken */
	enum refresh_end end;
	struct oauth_tokens tokens;	/* the caller wipes them */
	bool unclear;		/* failed, and the provider may have changed
				   them even so */
	bool needed;		/* park it, if it failed */
	char why[128];
	void (*done)(struct refresh_end_op *op, const struct err *err);
	void *arg;
	/* out */
	bool superseded;	/* the row has other tokens by now */
	const char *parked;	/* what its account rests for since, a
				   literal; NULL: it does not */
	struct pool *pool;	/* the pool's own */
};

/** pool_refresh_take(p, op), pool_refresh_end(p, op): From the loop. */
void pool_refresh_take(struct pool *p, struct refresh_take_op *op);
void pool_refresh_end(struct pool *p, struct refresh_end_op *op);

/** refresh_run(rn, err): Both, of a batch.  0, or -1.  Store thread. */
int refresh_run(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

/** refresh_back_off_ms(tries): How long to wait after so many failures in a
 * row. */
int64_t refresh_back_off_ms(int64_t tries);

#endif /* !POOL_REFRESH_H_ */
