#ifndef RELAY_REFRESHER_H_
#define RELAY_REFRESHER_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct account;
struct err;
struct refresher;
struct refreshing;
struct relay;

/**
 * Renews the tokens of OAuth accounts, ahead of their end and when a call
 * finds that they do not serve.  In one process there is one renewal of an
 * account at a time, which all its calls wait for; between processes the lease
 * on the account's row decides (pool/refresh.h).  Loop thread only; nothing
 * blocks: the database is asked in the store thread, the token endpoint by the
 * relay's own transfers, through the account's proxy.
 *
 *	TAKE ----> ASK ----> END ----> over
 *	 ^  |
 *	 |  v
 *	PAUSE (somebody else is at it)
 */

/** Who waits for one; embedded. */
struct refresh_wait {
	struct refreshing *of;		/* NULL: waits for none */
	/** In the loop, never from within refresh_want: ${fresh}: the newest
	 * snapshot has newer tokens than those that would not do. */
	void (*done)(void *arg, bool fresh);
	void *arg;
	TAILQ_ENTRY(refresh_wait) entry;
};

struct refresher *refresher_new(struct relay *relay, struct err *err);

/** refresher_free(rf): What runs is broken off, as if the process were
 * killed.  NULL is allowed.  The pool is stopped by then. */
void refresher_free(struct refresher *rf);

/** refresher_drain(rf): Begin nothing of its own accord any more.
 * refresher_stop(rf): Nor go on with what has not been sent.
 * refresher_idle(rf): Nothing runs. */
void refresher_drain(struct refresher *rf);
void refresher_stop(struct refresher *rf);
bool refresher_idle(const struct refresher *rf);

/**
 * refresh_want(rf, a, w):
 * The tokens of ${a} will not do: wait for newer ones; ${w}->done and .arg are
 * set.  0, or -1 without memory.  refresh_leave(w): no longer; done does not
 * come.
 */
int refresh_want(struct refresher *rf, const struct account *a,
    struct refresh_wait *w) __attribute__((__warn_unused_result__));
void refresh_leave(struct refresh_wait *w);

#endif /* !RELAY_REFRESHER_H_ */
