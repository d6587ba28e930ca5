#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "relay/call.h"
#include "relay/count.h"
#include "relay/relay_int.h"

/* A client that left is no status of HTTP; 499 is what nginx calls it. */
#define CLOSE_STATUS_GONE	499

/* Bytes of a request for one input token, where nothing is known: English
 * text has about four, so that three errs on the safe side. */
#define CLOSE_BYTES_A_TOKEN	3

/* Output of a plain call that was given up half-way: faster than models write
 * (some 50 to 100 tokens a second), to be on the safe side. */
#define CLOSE_TOKENS_A_SECOND	150

/* ---- what an attempt has cost ---- */

/* No estimate of ours is more than the request allows. */
static int64_t
close_allowed(const struct call *c, int64_t output_tokens)
{

	return (c->peek.max_tokens > 0 && !c->peek.ask.repeats &&
	    output_tokens > c->peek.max_tokens ? c->peek.max_tokens :
	    output_tokens);
}

/* How it was served may be stated at the end alone: before, take it that it
 * was as the client asked. */
static void
close_assume(const struct call *c, struct usage *u)
{
	const struct price_ask *ask = &c->peek.ask;

	if (u->speed == USAGE_SPEED_STANDARD &&
	    ask->speeds == 1U << USAGE_SPEED_FAST)
		u->speed = USAGE_SPEED_FAST;
	if (u->geo == USAGE_GEO_GLOBAL && ask->geos == 1U << USAGE_GEO_US)
		u->geo = USAGE_GEO_US;
}

/* Nothing was stated though the upstream may have worked. */
static void
close_guess(const struct call *c, struct usage *u)
{
	int64_t ms = loop_now_ms(c->relay->loop) - c->dispatched_ms;
	int64_t out = c->peek.stream ? 1 :
	    ms * CLOSE_TOKENS_A_SECOND / 1000 + 1;

	u->input_tokens = ((int64_t)c->body_len + CLOSE_BYTES_A_TOKEN - 1) /
	    CLOSE_BYTES_A_TOKEN;
	u->output_tokens = close_allowed(c, out);
	close_assume(c, u);
}

/* What was stated stays, whatever it is: that is judged where it is charged. */
static int64_t
close_partial(const struct call *c, const struct meter_result *r)
{
	int64_t out = close_allowed(c, meter_estimate_output(r));

	return (out > r->usage.output_tokens ? out : r->usage.output_tokens);
}

static enum usage_mark
close_usage(const struct call *c, struct usage *u)
{
	const struct meter_result *r;

	memset(u, 0, sizeof(*u));
	if (!c->kind->billed)
		return (USAGE_NONE);
	if (c->meter != NULL && c->upstream_status < 300) {
		r = meter_result(c->meter);
		*u = r->usage;
		if (r->final_seen)
			return (USAGE_EXACT);
		if (r->started) {
			u->output_tokens = close_partial(c, r);
			close_assume(c, u);
			return (USAGE_PARTIAL);
		}
	}
	if (!c->maybe_billed)
		return (USAGE_NONE);
	close_guess(c, u);
	return (USAGE_ESTIMATED);
}

void
close_attempt_end(struct call *c, const char *outcome,
    struct attempt_end *end)
{

	memset(end, 0, sizeof(*end));
	snprintf(end->outcome, sizeof(end->outcome), "%s", outcome);
	snprintf(end->upstream_id, sizeof(end->upstream_id), "%s",
	    c->upstream_id);
	end->status = c->upstream_status;
	end->first_byte_ms = c->head_ms;
	end->share = c->share;
	end->mark = close_usage(c, &end->usage);
	if (c->tallied)
		object_usage(c, end);
}

/* ---- settlement ---- */

static void
close_log(const struct call *c, const struct settle_op *op,
    const struct err *err)
{
	const struct usage *u = &op->end.usage;
	struct log_line l;

	log_begin(&l, c->relay->log, err->code == ERR_NONE ? LOG_LEVEL_INFO :
	    LOG_LEVEL_ERROR, c->request_id, "relay", "request");
	log_str(&l, "trace", call_trace_id(c));
	log_str(&l, "kind", c->kind->name);
	log_str(&l, "key", c->key->name);
	log_str(&l, "account", op->lease.account != NULL ?
	    op->lease.account->name : NULL);
	log_str(&l, "model", c->peek.model);
	if (op->model[0] != '\0' && strcmp(op->model, c->peek.model) != 0)
		log_str(&l, "sent_as", op->model);
	log_str(&l, "outcome", op->outcome);
	log_int(&l, "status", op->status);
	log_int(&l, "attempts", op->attempts);
	log_int(&l, "input_tokens", u->input_tokens);
	log_int(&l, "output_tokens", u->output_tokens);
	if (op->op.spooled)
		log_str(&l, "settled", "spooled");
	else
		log_int(&l, "cost_nusd", op->cost_nusd);
	log_int(&l, "queue_ms", op->queue_ms);
	log_int(&l, "first_byte_ms", op->first_byte_ms);
	log_int(&l, "total_ms", op->total_ms);
	log_str(&l, "upstream_id", c->upstream_id);
	if (err->code != ERR_NONE)
		log_err(&l, err);
	log_end(&l);
}

static void
close_settled(struct settle_op *op, const struct err *err)
{
	struct call *c = op->arg;

	close_log(c, op, err);
	call_free(c);
}

static bool
close_success(const struct call *c, const char *outcome)
{

	return (c->verdict.success || strcmp(outcome, "ok") == 0 ||
	    (outcome == c->left && c->upstream_status == 200));
}

static void
close_settle(struct call *c, const char *outcome)
{
	struct settle_op *op = &c->op.settle;
	int64_t now_ms = loop_now_ms(c->relay->loop);

	extend_forget(c);
	memset(op, 0, sizeof(*op));
	snprintf(op->outcome, sizeof(op->outcome), "%s", outcome);
	op->ledger_id = c->id;
	op->key_id = c->key->id;
	op->attempts = c->attempts;
	if (c->lease.held) {
		close_attempt_end(c, outcome, &op->end);
		count_attempt(c, &op->end, &c->verdict.park);
	}
	snprintf(op->model, sizeof(op->model), "%s", c->lease.model);
	op->lease = c->lease;
	memset(&c->lease, 0, sizeof(c->lease));
	op->park = c->verdict.park;
	op->success = close_success(c, outcome);
	op->max_tokens = c->peek.max_tokens;
	op->repeats = c->peek.ask.repeats;
	snprintf(op->trace, sizeof(op->trace), "%s", c->trace);
	op->status = c->status != 0 ? c->status : CLOSE_STATUS_GONE;
	snprintf(op->disconnect, sizeof(op->disconnect), "%s", c->disconnect);
	op->batch_id = c->tallied ? c->objects->id : 0;
	op->flags = c->flags;
	op->reserved_nusd = c->reserved_nusd;
	op->queue_ms = c->queue_ms;
	op->first_byte_ms = c->first_byte_ms == 0 ? -1 :
	    c->first_byte_ms - c->whole_ms;
	op->total_ms = now_ms - c->whole_ms;
	op->answer_bytes = c->answer_bytes;
	op->done = close_settled;
	op->arg = c;
	c->state = CALL_SETTLE;
	call_drop_body(c);
	buf_fini(&c->held);
	relay_meter_done(c->relay, c->meter);
	c->meter = NULL;
	pool_settle(c->relay->pool, op);
}

/* Is there a ledger row that is ours to close? */
static bool
close_opened(const struct call *c)
{

	return (c->lease.held || c->attempts > 0);
}

void
close_end(struct call *c, const char *outcome)
{

	c->outcome = outcome;
	if (close_opened(c))
		close_settle(c, outcome);
	else
		call_free(c);
}

/* ---- the client's side ---- */

void
close_finish(struct call *c, const char *outcome)
{

	pass_stop(c);
	fcgi_finish(c->req);
	c->req = NULL;
	c->http = NULL;
	close_end(c, outcome);
}

void
close_reset(struct call *c, const char *outcome)
{

	pass_stop(c);
	fcgi_reset(c->req);
	c->req = NULL;
	c->http = NULL;
	close_end(c, outcome);
}

static void
close_log_error(const struct call *c, const struct response_error *e,
    const char *outcome)
{
	struct log_line l;

	if (close_opened(c))
		return;
	log_begin(&l, c->relay->log, LOG_LEVEL_INFO, c->request_id, "relay",
	    "refused");
	log_str(&l, "trace", call_trace_id(c));
	log_str(&l, "kind", c->kind->name);
	log_str(&l, "key", c->key != NULL ? c->key->name : NULL);
	log_str(&l, "client", c->address);
	log_str(&l, "outcome", outcome);
	log_int(&l, "status", e->status);
	log_end(&l);
}

/* Of an answer, without its head, if it has one. */
static int64_t
close_body_bytes(struct buf *b, bool headless)
{
	const char *text = buf_cstr(b), *end;

	if (headless || text == NULL ||
	    (end = strstr(text, "\r\n\r\n")) == NULL)
		return ((int64_t)buf_len(b));
	return ((int64_t)strlen(end + 4));
}

void
close_answer(struct call *c, const struct response_error *e)
{
	struct response_error full = *e;
	struct buf b;
	int rc;

	full.request_id = c->request_id;
	buf_init(&b, LIMIT_ERROR_BODY_BYTES);
	if (c->opened) {
		rc = response_sse_error(&b, DIALECT_ANTHROPIC, e->type != NULL ?
		    e->type : response_error_type(e->status), e->message,
		    c->request_id);
	} else {
		c->status = e->status;
		rc = response_error(&b, DIALECT_ANTHROPIC, &full);
	}
	c->own_bytes = close_body_bytes(&b, c->opened);
	if (rc == 0)
		rc = fcgi_write(c->req, buf_head(&b), buf_len(&b));
	if (rc < 0)
		fcgi_reset(c->req);
	else
		fcgi_finish(c->req);
	c->req = NULL;
	c->http = NULL;
	buf_fini(&b);
}

void
close_error(struct call *c, const struct response_error *e,
    const char *outcome)
{

	pass_stop(c);
	close_log_error(c, e, outcome);
	count_refusal(c->relay, outcome);
	close_answer(c, e);
	close_end(c, outcome);
}

void
close_refuse(struct call *c, enum refusal why, const char *message)
{
	const struct refusal_row *row = refusal_row(why);
	struct response_error e = row->answer;

	if (message != NULL)
		e.message = message;
	close_error(c, &e, row->outcome);
}
