#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "relay/call.h"
#include "relay/count.h"
#include "relay/relay_int.h"

/*
 * A stream that grows beyond what its reservation covers.  More is reserved
 * well before it is used up, beside the stream, which goes on meanwhile; where
 * the budget has no more, the stream ends.
 */

/** One that runs; it may outlive its call. */
struct extension {
	struct extend_op op;
	struct call *call;		/* NULL: it is over */
};

static int64_t
extend_slice(const struct call *c)
{

	return (c->relay->conf->reserve_slice_tokens);
}

/* As if it had been granted: running streams finish when the database is away
 * (and the row will say that it was overrun). */
static void
extend_unasked(struct call *c)
{

	c->cover.input_tokens = INT64_MAX;
	c->cover.output_tokens = num_add_sat(c->cover.output_tokens,
	    extend_slice(c));
}

static void
extend_log_refusal(const struct call *c, const struct extend_op *op)
{
	struct log_line l;

	log_begin(&l, c->relay->log, LOG_LEVEL_INFO, c->request_id, "relay",
	    "budget_cut");
	log_str(&l, "key", c->key->name);
	log_str(&l, "reason", op->reason);
	log_end(&l);
}

static void
extend_refused(struct call *c, const struct extend_op *op)
{

	extend_log_refusal(c, op);
	count_budget_cut(c);
	if (c->state == CALL_DRAIN) {
		c->disconnect = "cut";
		drain_end(c);
	} else
		pass_cut(c, op->reason, "budget_cut");
}

static void
extend_go_on(struct call *c)
{

	if (!c->starved)
		return;
	c->starved = false;
	transfer_resume(c->transfer);
}

/* Its last event is out: there is nothing to be paid for any more. */
static bool
extend_over(const struct call *c)
{

	return (c->errored || meter_result(c->meter)->stopped);
}

/* What was all covered before stays so. */
static void
extend_granted(struct call *c, const struct coverage *is)
{

	if (c->cover.input_tokens != INT64_MAX)
		c->cover.input_tokens = is->input_tokens;
	if (c->cover.output_tokens != INT64_MAX)
		c->cover.output_tokens = is->output_tokens;
}

static void
extend_take(struct call *c, const struct extend_op *op, const struct err *err)
{

	if (err->code != ERR_NONE) {
		c->extensions--;
		extend_unasked(c);
	} else if (op->granted) {
		extend_granted(c, &op->coverage);
		c->reserved_nusd = op->reserved_nusd;
	} else if (!extend_over(c)) {
		extend_refused(c, op);
		return;
	}
	extend_go_on(c);
}

static void
extend_done(struct extend_op *op, const struct err *err)
{
	struct extension *e = op->arg;
	struct call *c = e->call;

	if (c != NULL) {
		c->extension = NULL;
		extend_take(c, op, err);
	}
	free(e);
}

static void
extend_ask(struct call *c, int64_t output_tokens)
{
	struct extension *e;
	struct extend_op *op;

	if ((e = calloc(1, sizeof(*e))) == NULL) {
		c->broken = true;
		return;
	}
	e->call = c;
	op = &e->op;
	op->ledger_id = c->id;
	op->attempt = c->attempts;
	op->nth = ++c->extensions;
	op->so_far = meter_result(c->meter)->usage;
	op->so_far.output_tokens = output_tokens;
	snprintf(op->model, sizeof(op->model), "%s", c->lease.model);
	snprintf(op->platform, sizeof(op->platform), "%s",
	    c->lease.account->platform);
	op->body_bytes = (int64_t)c->body_len;
	op->max_tokens = c->peek.max_tokens;
	op->ask = c->peek.ask;
	op->done = extend_done;
	op->arg = e;
	c->extension = e;
	pool_extend(c->relay->pool, op);
}

/* Nothing elastic is counted, or all that there may be is covered. */
static bool
extend_needless(const struct call *c)
{

	return (c->cover.output_tokens == INT64_MAX &&
	    c->cover.input_tokens == INT64_MAX);
}

void
extend_watch(struct call *c)
{
	const struct meter_result *r = meter_result(c->meter);
	int64_t slice = extend_slice(c), used, left;

	if (extend_needless(c) || !r->started || extend_over(c))
		return;
	used = meter_estimate_output(r);
	left = c->cover.output_tokens - used;
	if (c->extension != NULL)
		c->starved = left < -slice && pool_ready(c->relay->pool);
	else if (left < slice / 2 ||
	    usage_input(&r->usage) > c->cover.input_tokens)
		extend_ask(c, used);
}

void
extend_forget(struct call *c)
{

	if (c->extension != NULL)
		c->extension->call = NULL;
	c->extension = NULL;
}
