#include <string.h>

#include "base/err.h"
#include "relay/call.h"
#include "relay/relay_int.h"

/* The newest tokens of the account that is leased, if they are newer than
 * ${rotation}. */
static bool
renew_take(struct call *c, int64_t rotation)
{
	struct snapshot *s = pool_snapshot(c->relay->pool);
	const struct account *a;

	a = s == NULL ? NULL : snapshot_account(s, c->lease.account->id);
	if (a == NULL || a->oauth == NULL || a->secret == NULL ||
	    a->oauth->rotation <= rotation)
		return (false);
	lease_follow(&c->lease, s, a);
	return (true);
}

/* Nothing came: it was parked where that was found out, and another account
 * may do. */
static void
renew_failed(struct call *c)
{

	call_judge(c, TRANSFER_OK, 401);
	c->verdict.park.wanted = false;
	call_next(c);
}

static void
renew_before_done(void *arg, bool fresh)
{
	struct call *c = arg;

	c->renewed = true;
	if (fresh && renew_take(c, c->lease.account->oauth->rotation))
		call_attempt(c);
	else
		renew_failed(c);
}

/* It has been refused once: this attempt is over, the next is another. */
static void
renew_after_done(void *arg, bool fresh)
{
	struct call *c = arg;

	c->renewed = true;
	c->verdict.again = fresh &&
	    renew_take(c, c->lease.account->oauth->rotation);
	call_next(c);
}

static bool
renew(struct call *c, void (*done)(void *arg, bool fresh))
{

	c->renewal.done = done;
	c->renewal.arg = c;
	if (refresh_want(c->relay->refresher, c->lease.account,
	    &c->renewal) != 0)
		return (false);
	c->state = CALL_RENEW;
	c->verdict.park.wanted = false;
	return (true);
}

bool
renew_before(struct call *c)
{
	const struct oauth *o = c->lease.account->oauth;
	int64_t now_ms = loop_wall_ms(c->relay->loop);

	if (o == NULL || c->renewed ||
	    (o->signed_in && (o->expires_ms == 0 || o->expires_ms > now_ms)) ||
	    renew_take(c, o->rotation))
		return (false);
	return (renew(c, renew_before_done));
}

bool
renew_after(struct call *c, int status)
{
	const struct oauth *o = c->lease.account->oauth;

	if (o == NULL || c->renewed || status != 401 ||
	    c->verdict.action != JUDGE_MOVE)
		return (false);

	/* Others have got new ones since this attempt began. */
	if (renew_take(c, o->rotation)) {
		c->renewed = true;
		c->verdict.park.wanted = false;
		c->verdict.again = true;
		call_next(c);
		return (true);
	}
	return (renew(c, renew_after_done));
}
