#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "relay/call.h"
#include "relay/relay_int.h"

/*
 * The client is gone, and its answer is read to the end all the same: what the
 * upstream states there is the bill, where a stream that is cut can only be
 * estimated.  Nothing is kept of it but the counts.
 */

/* What was made upstream must be noted, and the usage of a batch is counted by
 * a whole reading of its results: whoever leaves. */
#define DRAIN_OBJECT_MS		60000

static int64_t
drain_time(const struct call *c)
{
	int64_t ms = c->key->drain_ms >= 0 ? c->key->drain_ms :
	    c->relay->conf->disconnect_drain_ms;

	return (object_waits(c) && ms < DRAIN_OBJECT_MS ? DRAIN_OBJECT_MS :
	    ms);
}

/* Is there anything to be learnt that is not known yet? */
static bool
drain_pays(const struct call *c)
{

	if (object_waits(c))
		return (true);
	return (c->kind->billed && c->transfer != NULL && !c->transfer_over &&
	    transfer_body_sent(c->transfer) && c->upstream_status < 300 &&
	    !c->errored && !meter_result(c->meter)->stopped);
}

static void
drain_expired(struct loop_timer *t)
{
	struct call *c = t->arg;

	c->disconnect = "drain_expired";
	drain_end(c);
}

bool
drain_begin(struct call *c)
{
	int64_t ms = drain_time(c);

	if (ms == 0 || !drain_pays(c) || loop_timer_set(c->relay->loop,
	    &c->ping, loop_now_ms(c->relay->loop) + ms, drain_expired, c) != 0)
		return (false);
	c->state = CALL_DRAIN;
	c->disconnect = "drained";
	c->req = NULL;
	c->http = NULL;
	call_drop_body(c);
	if (!c->kind->once)
		buf_fini(&c->held);
	if (c->blocked || c->starved) {
		c->blocked = c->starved = false;
		transfer_resume(c->transfer);
	}
	return (true);
}

void
drain_body(struct call *c, const unsigned char *p, size_t n)
{
	struct sse_event ev;
	size_t used;

	if (c->tally != NULL) {
		tally_push(c->tally, p, n);
		return;
	}
	if (c->kind->once) {
		c->broken |= buf_append(&c->held, p, n) != 0;
		return;
	}
	if (c->pass != PASS_SSE) {
		meter_body(c->meter, p, n);
		return;
	}
	while (n > 0 && sse_push(c->sse, p, n, &used, &ev) > 0) {
		if (meter_event(c->meter, &ev) == METER_ERROR)
			c->errored = true;
		p += used;
		n -= used;
	}
	extend_watch(c);
}

void
drain_done(struct call *c, enum transfer_result result)
{

	if (c->pass != PASS_SSE)
		(void)meter_body_end(c->meter);
	if (result == TRANSFER_OK && c->upstream_status < 300) {
		c->tallied = c->tally != NULL;
		if (c->kind->once && object_keep(c))
			return;
		drain_end(c);
		return;
	}
	call_judge(c, result, c->upstream_status);
	pass_give_up(c, result);
	close_end(c, c->left);
}

void
drain_end(struct call *c)
{

	pass_stop(c);
	close_end(c, c->left);
}
