#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/num.h"
#include "relay/call.h"
#include "relay/platform.h"
#include "relay/ratelimit.h"
#include "relay/relay_int.h"
#include "relay/remains.h"

const char pass_ping[] = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
const size_t pass_ping_bytes = sizeof(pass_ping) - 1;

/* Data of one event that the meter is given: usage and errors are short. */
#define PASS_EVENT_DATA_BYTES	(16 * 1024)

/* What ends the stream has gone out: so long the upstream may take to end its
 * answer as well, so that the connection can be kept.  It is one more packet;
 * one that does not end keeps neither lease nor client. */
#define PASS_LINGER_MS	2000

/* Apache sees at the second ping that its client is gone, Caddy at the fourth:
 * that much earlier, it is within two or four of their intervals. */
#define PASS_EARLIER	32

int64_t
pass_ping_ms(const struct call *c)
{
	static const char *const untold[] = { "Apache", "Caddy" };
	int64_t ms = c->relay->conf->ping_interval_ms;
	size_t i;

	for (i = 0; i < sizeof(untold) / sizeof(untold[0]); i++)
		if (c->http != NULL && strncmp(c->http->server, untold[i],
		    strlen(untold[i])) == 0)
			return (ms - ms / PASS_EARLIER);
	return (ms);
}

/* ---- towards the client ---- */

static void
pass_write(struct call *c, const void *p, size_t n)
{
	int rc;

	if (c->req == NULL || n == 0)
		return;
	if ((rc = fcgi_write(c->req, p, n)) < 0) {
		c->broken = true;
		return;
	}
	if (rc == 1)
		c->blocked = true;
	c->sent_ms = loop_now_ms(c->relay->loop);
	if (c->first_byte_ms == 0)
		c->first_byte_ms = c->sent_ms;
	c->answer_bytes += (int64_t)n;
}

/* Send the head, completed by what the way of passing asks for. */
static void
pass_send_head(struct call *c, int64_t length)
{
	int rc = 0;

	rc |= response_header(&c->head, "x-leasehold-request-id",
	    c->request_id);
	rc |= remains_headers(&c->head, c->left_of);
	if (length >= 0)
		rc |= response_header_int(&c->head, "content-length", length);
	if (c->pass == PASS_SSE)
		rc |= response_header(&c->head, "X-Accel-Buffering", "no");
	rc |= response_end(&c->head);
	if (rc != 0)
		c->broken = true;
	else
		pass_write(c, buf_head(&c->head), buf_len(&c->head));
}

/* ... unless the client has one. */
static void
pass_write_head(struct call *c, int64_t length)
{

	early_over(c);
	if (!c->opened)
		pass_send_head(c, length);
	c->answer_bytes = 0;
	buf_fini(&c->head);
	c->status = c->upstream_status;
	c->state = CALL_PASS;
}

static void pass_silence(struct loop_timer *t);

/* Look after the stream when it will have been silent for long enough. */
static void
pass_watch(struct call *c)
{
	int64_t interval_ms = pass_ping_ms(c);
	int64_t due_ms = c->sent_ms + interval_ms;

	if (interval_ms == 0)
		return;
	/* It was, but this was no place for a ping: try again later. */
	if (due_ms <= loop_now_ms(c->relay->loop))
		due_ms = loop_now_ms(c->relay->loop) + interval_ms;
	if (loop_timer_set(c->relay->loop, &c->ping, due_ms, pass_silence,
	    c) != 0)
		c->broken = true;
}

static void
pass_silence(struct loop_timer *t)
{
	struct call *c = t->arg;
	int64_t silent_ms = loop_now_ms(c->relay->loop) - c->sent_ms;

	if (silent_ms >= pass_ping_ms(c) && !c->blocked && !c->mid_event)
		pass_write(c, pass_ping, pass_ping_bytes);
	pass_watch(c);
	if (c->broken)
		close_reset(c, "internal");
}

/* ---- a stream ---- */

/* The client gets its first byte: from here on no failover. */
static void
pass_commit(struct call *c)
{

	pass_write_head(c, -1);
	if (c->lease.probe)
		pool_prove(c->relay->pool, c->id, &c->lease, c->lease.model);
	if (transfer_body_sent(c->transfer))
		call_drop_body(c);
	pass_watch(c);
}

/* An upstream that fails within its first event could as well have answered
 * with a status: let another account try. */
static const struct {
	const char *type;
	int status;
} pass_error_types[] = {
	{ "invalid_request_error", 400 },
	{ "authentication_error", 401 },
	{ "billing_error", 402 },
	{ "permission_error", 403 },
	{ "not_found_error", 404 },
	{ "request_too_large", 413 },
	{ "rate_limit_error", 429 },
	{ "api_error", 500 },
	{ "timeout_error", 504 },
	{ "overloaded_error", 529 }
};

static int
pass_error_status(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(pass_error_types) /
	    sizeof(pass_error_types[0]); i++)
		if (strcmp(pass_error_types[i].type, type) == 0)
			return (pass_error_types[i].status);
	return (500);
}

/* Look at one event; false if the attempt ended with it. */
static bool
pass_event(struct call *c, const struct sse_event *ev)
{
	enum meter_event kind = meter_event(c->meter, ev);

	if (c->state == CALL_ATTEMPT) {
		if (kind == METER_ERROR && call_failed(c, TRANSFER_OK,
		    pass_error_status(meter_result(c->meter)->error_type),
		    NULL))
			return (false);
		pass_commit(c);
	}
	if (kind == METER_ERROR)
		c->errored = true;
	if (kind == METER_CONTENT && c->first_token_ms == 0)
		c->first_token_ms = loop_now_ms(c->relay->loop);
	return (true);
}

/* Bytes that end with an event, behind what was held back of it. */
static void
pass_events_out(struct call *c, const unsigned char *p, size_t n)
{

	pass_write(c, buf_head(&c->held), buf_len(&c->held));
	buf_reset(&c->held);
	pass_write(c, p, n);
	c->mid_event = false;
}

/* Keep the beginning of an event until its end is there, so that whatever
 * happens an error event can follow; but not without bound.  False if the
 * attempt ended in here: no first event is as long as that. */
static bool
pass_hold(struct call *c, const unsigned char *p, size_t n)
{

	if (n == 0)
		return (true);
	if (c->state == CALL_PASS &&
	    buf_len(&c->held) + n > LIMIT_SSE_EVENT_BYTES) {
		pass_events_out(c, p, n);
		c->mid_event = true;
	} else if (c->state == CALL_ATTEMPT &&
	    buf_len(&c->held) + n > LIMIT_PLAIN_BODY_BYTES) {
		return (!call_failed(c, TRANSFER_GARBAGE, 0, NULL));
	} else if (buf_append(&c->held, p, n) != 0) {
		c->broken = true;
	}
	return (true);
}

static void pass_lingered(struct loop_timer *t);

/* The last event is out; no ping is to follow it. */
static void
pass_linger(struct call *c)
{

	c->lingers = true;
	if (loop_timer_set(c->relay->loop, &c->ping,
	    loop_now_ms(c->relay->loop) + PASS_LINGER_MS, pass_lingered,
	    c) != 0)
		c->broken = true;
}

/* False if the attempt ended in here. */
static bool
pass_sse(struct call *c, const unsigned char *p, size_t n)
{
	size_t done = 0, whole = 0, used;
	struct sse_event ev;
	int rc;

	while (done < n) {
		rc = sse_push(c->sse, p + done, n - done, &used, &ev);
		if (rc < 0)
			c->broken = true;
		if (rc <= 0)
			break;
		done += used;
		whole = done;
		if (!pass_event(c, &ev))
			return (false);
	}
	if (whole > 0)
		pass_events_out(c, p, whole);
	if (!c->lingers && (c->errored || meter_result(c->meter)->stopped))
		pass_linger(c);
	extend_watch(c);
	return (pass_hold(c, p + whole, n - whole));
}

/* Say in the stream itself that it ends here; false where it cannot be said,
 * as in the middle of an event: the client can only be cut off. */
static bool
pass_error_event(struct call *c, const char *type, const char *message)
{
	struct buf b;

	if (c->mid_event)
		return (false);
	buf_init(&b, 4096);
	if (response_sse_error(&b, DIALECT_ANTHROPIC, type, message,
	    c->request_id) == 0)
		pass_write(c, buf_head(&b), buf_len(&b));
	else
		c->broken = true;
	buf_fini(&b);
	return (!c->broken);
}

static const char *
pass_cut_outcome(enum transfer_result result)
{

	return (result == TRANSFER_STALLED ? "upstream_stalled" :
	    "upstream_cut");
}

/* The stream is over on the upstream's side; was it whole?  What comes after
 * message_stop adds nothing: a connection that broke there broke nothing. */
static void
pass_sse_end(struct call *c, enum transfer_result result)
{
	const char *outcome = pass_cut_outcome(result);
	bool stalled = result == TRANSFER_STALLED;
	bool stopped = meter_result(c->meter)->stopped;

	/* Of a last CR LF that came in two parts the CR ended the event. */
	if (stopped && buf_len(&c->held) == 1 && *buf_head(&c->held) == '\n')
		pass_events_out(c, NULL, 0);
	if (c->errored)
		close_finish(c, c->verdict.outcome[0] != '\0' ?
		    c->verdict.outcome : "upstream_error");
	else if (stopped)
		close_finish(c, "ok");
	else if (pass_error_event(c, "api_error", stalled ?
	    "The upstream fell silent in the middle of its answer." :
	    "The upstream broke off in the middle of its answer."))
		close_finish(c, outcome);
	else
		close_reset(c, outcome);
}

/* The upstream has not ended its answer, but nothing more is to come. */
static void
pass_lingered(struct loop_timer *t)
{

	pass_sse_end(t->arg, TRANSFER_STALLED);
}

/* ---- a plain answer ---- */

/* The client was promised a stream: it can be told only there. */
static void
pass_instead(struct call *c, const char *outcome)
{
	const struct meter_result *r = meter_result(c->meter);
	bool good = c->upstream_status >= 200 && c->upstream_status < 300;

	pass_stop(c);
	if (pass_error_event(c, good ? "api_error" : r->error_type[0] != '\0' ?
	    r->error_type : response_error_type(c->upstream_status),
	    good || r->error_message[0] == '\0' ?
	    "The upstream answered with something that is no stream." :
	    r->error_message))
		close_finish(c, good ? "upstream_error" : outcome);
	else
		close_reset(c, outcome);
}

/* The answer is whole, and the client's, whatever its status. */
static void
pass_whole(struct call *c, const char *outcome)
{
	bool head = strcmp(c->http->method, "HEAD") == 0;

	if (c->opened) {
		pass_instead(c, outcome);
		return;
	}
	pass_stop(c);
	pass_write_head(c, head ? c->length_stated :
	    (int64_t)buf_len(&c->held));
	pass_write(c, buf_head(&c->held), buf_len(&c->held));
	if (c->broken)
		close_reset(c, "internal");
	else
		close_finish(c, outcome);
}

/* Too long to be kept: pass it on as it comes.  False if the attempt ended in
 * here, as an error that is not the client's does not become so by length. */
static bool
pass_overflow(struct call *c)
{

	if ((c->upstream_status < 200 || c->upstream_status > 299) &&
	    call_failed(c, TRANSFER_OK, c->upstream_status, NULL))
		return (false);
	if (c->opened) {
		pass_instead(c, "upstream_error");
		return (false);
	}
	c->pass = PASS_THROUGH;
	pass_write_head(c, c->length_stated);
	pass_write(c, buf_head(&c->held), buf_len(&c->held));
	buf_fini(&c->held);
	if (transfer_body_sent(c->transfer))
		call_drop_body(c);
	return (true);
}

/* False if the attempt ended in here. */
static bool
pass_plain(struct call *c, const unsigned char *p, size_t n)
{

	if (c->tally != NULL)
		tally_push(c->tally, p, n);
	else
		meter_body(c->meter, p, n);
	if (c->pass == PASS_WHOLE &&
	    n > LIMIT_PLAIN_BODY_BYTES - buf_len(&c->held) &&
	    !pass_overflow(c))
		return (false);
	if (c->pass == PASS_THROUGH)
		pass_write(c, p, n);
	else if (buf_append(&c->held, p, n) != 0)
		c->broken = true;
	return (true);
}

static void
pass_plain_end(struct call *c, enum transfer_result result,
    const struct err *why)
{
	bool good = c->upstream_status >= 200 && c->upstream_status < 300;

	(void)meter_body_end(c->meter);
	c->tallied = c->tally != NULL && result == TRANSFER_OK;
	if (result == TRANSFER_OK)
		object_answered(c);
	if (c->pass == PASS_WHOLE && result == TRANSFER_OK && good &&
	    object_keep(c))
		return;
	if (c->pass == PASS_THROUGH && result == TRANSFER_OK)
		close_finish(c, good ? "ok" : c->verdict.outcome);
	else if (c->pass == PASS_THROUGH)
		close_reset(c, pass_cut_outcome(result));
	else if (result == TRANSFER_OK && good)
		pass_whole(c, "ok");
	else if (!call_failed(c, result, c->upstream_status, why))
		pass_whole(c, c->verdict.outcome);
}

/* ---- the transfer's events ---- */

static const char *
pass_find(const struct transfer_header *h, size_t nh, const char *name)
{
	size_t i;

	for (i = 0; i < nh; i++)
		if (strcmp(h[i].name, name) == 0)
			return (h[i].value);
	return (NULL);
}

/* Take over those of the upstream's headers that are the client's business. */
static int
pass_build_head(struct call *c, int status, const struct transfer_header *h,
    size_t nh)
{
	const struct platform *pf = platform_find(c->lease.account->platform);
	size_t i;

	buf_reset(&c->head);
	if (response_begin(&c->head, status) != 0)
		return (-1);
	for (i = 0; i < nh; i++) {
		if (!pf->pass_header(h[i].name, status))
			continue;
		if (response_header(&c->head, h[i].name, h[i].value) != 0)
			return (-1);
	}
	return (0);
}

static enum pass_mode
pass_choose(int status, const char *type)
{

	if (status == 200 && type != NULL &&
	    strncasecmp(type, "text/event-stream", 17) == 0)
		return (PASS_SSE);
	return (PASS_WHOLE);
}

/* Something of ours went wrong, most likely memory. */
static void
pass_broken(struct call *c)
{

	if (c->state == CALL_PASS)
		close_reset(c, "internal");
	else
		(void)call_failed(c, TRANSFER_INTERNAL, 0, NULL);
}

static void
pass_head(void *arg, int status, const struct transfer_header *h, size_t nh)
{
	struct call *c = arg;
	const char *value;

	c->upstream_status = status;
	c->up_headers = h;
	c->up_nheaders = nh;
	c->pass = pass_choose(status, pass_find(h, nh, "content-type"));
	if (c->pass == PASS_SSE)
		c->head_ms = loop_now_ms(c->relay->loop) - c->attempt_ms + 1;
	ratelimit_share(h, nh, loop_wall_ms(c->relay->loop), &c->share);
	if ((value = pass_find(h, nh, "request-id")) != NULL)
		snprintf(c->upstream_id, sizeof(c->upstream_id), "%s", value);
	if ((value = pass_find(h, nh, "content-length")) == NULL ||
	    num_parse(value, strlen(value), 0, INT64_MAX,
	    &c->length_stated) != 0)
		c->length_stated = -1;
	if (object_head(c, status) != 0 || (c->state != CALL_DRAIN &&
	    pass_build_head(c, status, h, nh) != 0))
		pass_broken(c);
}

static bool
pass_body(void *arg, const unsigned char *p, size_t n)
{
	struct call *c = arg;

	if (c->state == CALL_DRAIN) {
		drain_body(c, p, n);
		return (true);
	}
	if (c->blocked || c->starved)
		return (false);
	if (c->pass == PASS_SSE ? pass_sse(c, p, n) : pass_plain(c, p, n)) {
		if (c->broken)
			pass_broken(c);
	}
	return (true);
}

static void
pass_done(void *arg, enum transfer_result result, const struct err *why)
{
	struct call *c = arg;

	c->transfer_over = true;
	if (c->state == CALL_DRAIN)
		drain_done(c, result);
	else if (c->pass == PASS_SSE && c->state == CALL_PASS)
		pass_sse_end(c, result);
	else if (c->pass == PASS_SSE)
		(void)call_failed(c, result == TRANSFER_OK ? TRANSFER_CUT :
		    result, 0, why);
	else
		pass_plain_end(c, result, why);
}

const struct transfer_events pass_events = {
	.head = pass_head,
	.body = pass_body,
	.done = pass_done
};

/* ---- from the other modules ---- */

void
pass_answer(struct call *c, const char *outcome)
{

	pass_whole(c, outcome);
}

void
pass_forget(struct call *c)
{

	tally_free(c->tally);
	c->tally = NULL;
	c->tallied = false;
	c->pass = PASS_NONE;
	c->upstream_status = 0;
	c->upstream_id[0] = '\0';
	c->head_ms = 0;
	c->share = (struct share) { 0 };
	c->length_stated = -1;
	c->maybe_billed = false;
	c->transfer_over = false;
	c->broken = false;
	c->first_token_ms = 0;
	buf_reset(&c->held);
	sse_free(c->sse);
	c->sse = NULL;
	if (c->meter != NULL)
		meter_reset(c->meter);
}

int
pass_start(struct call *c, struct err *err)
{

	if ((c->sse = sse_new(PASS_EVENT_DATA_BYTES)) == NULL ||
	    (c->meter == NULL &&
	    (c->meter = relay_meter(c->relay)) == NULL)) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		return (-1);
	}
	return (0);
}

void
pass_cut(struct call *c, const char *message, const char *outcome)
{

	if (pass_error_event(c, "billing_error", message))
		close_finish(c, outcome);
	else
		close_reset(c, outcome);
}

void
pass_abort(struct call *c, const char *message)
{

	if (c->pass == PASS_SSE && (c->errored ||
	    pass_error_event(c, "api_error", message)))
		fcgi_finish(c->req);
	else
		fcgi_reset(c->req);
}

void
pass_stop(struct call *c)
{

	loop_timer_cancel(&c->ping);
	if (c->transfer == NULL)
		return;
	if (transfer_body_sent(c->transfer) && c->upstream_status < 300 &&
	    !c->errored)
		c->maybe_billed = true;
	if (c->transfer_over)
		transfer_free(c->transfer);
	else
		transfer_cancel(c->transfer);
	c->transfer = NULL;
	c->up_headers = NULL;
	c->up_nheaders = 0;
}

void
pass_give_up(struct call *c, enum transfer_result result)
{

	pass_stop(c);

	/* What we broke off ourselves may go on being served. */
	if (result != TRANSFER_INTERNAL)
		c->maybe_billed = c->verdict.maybe_billed;
}

void
pass_writable(struct call *c)
{

	c->blocked = false;
	if (c->transfer != NULL)
		transfer_resume(c->transfer);
}
