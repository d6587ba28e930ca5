#include "base/conf.h"
#include "base/limits.h"
#include "relay/call.h"
#include "relay/relay_int.h"

/*
 * A client that waits for a slot for so long that it would give up gets the
 * head of its stream, and pings, before there is an answer.  What that costs is
 * the status code: whatever comes of the call is told by an event.  All else
 * stays as it was, also that another account may serve it.
 */

static void early_due(struct loop_timer *t);

/* False: it is no use to go on. */
static bool
early_write(struct call *c, const void *p, size_t n)
{
	int rc = fcgi_write(c->req, p, n);

	if (rc == 1)
		c->blocked = true;
	c->sent_ms = loop_now_ms(c->relay->loop);
	return (rc >= 0);
}

static bool
early_open(struct call *c)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, 4096);
	rc |= response_begin(&b, 200);
	rc |= response_header(&b, "content-type", "text/event-stream");
	rc |= response_header(&b, "cache-control", "no-cache");
	rc |= response_header(&b, "request-id", c->request_id);
	rc |= response_header(&b, "x-leasehold-request-id", c->request_id);
	rc |= response_header(&b, "X-Accel-Buffering", "no");
	rc |= response_end(&b);
	if (rc == 0 && early_write(c, buf_head(&b), buf_len(&b))) {
		c->opened = true;
		c->status = 200;
	}
	buf_fini(&b);
	return (c->opened);
}

static bool
early_set(struct call *c, int64_t due_ms)
{

	return (loop_timer_set(c->relay->loop, &c->early, due_ms, early_due,
	    c) == 0);
}

static void
early_due(struct loop_timer *t)
{
	struct call *c = t->arg;
	int64_t interval_ms;

	if (c->req == NULL)
		return;
	interval_ms = pass_ping_ms(c);
	if (!c->opened && c->state != CALL_ADMIT && c->state != CALL_MOVE)
		return;
	if ((!c->opened && !early_open(c)) || (!c->blocked &&
	    !early_write(c, pass_ping, pass_ping_bytes)) ||
	    (interval_ms > 0 && !early_set(c,
	    loop_now_ms(c->relay->loop) + interval_ms)))
		call_cut(c);
}

void
early_watch(struct call *c)
{
	int64_t after_ms = c->relay->conf->early_ping_ms;

	/* Without memory it waits without pings, as most do. */
	if (after_ms > 0 && c->peek.stream && !c->opened)
		(void)early_set(c, c->whole_ms + after_ms);
}

void
early_over(struct call *c)
{

	loop_timer_cancel(&c->early);
}
