#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/route.h"
#include "metrics/slots.h"
#include "relay/batch_peek.h"
#include "relay/call.h"
#include "relay/count.h"
#include "relay/lister.h"
#include "relay/platform.h"
#include "relay/relay_int.h"
#include "relay/remains.h"
#include "relay/trace.h"

static void call_give_up(struct call *c, const struct admit_op *moved);

/* As the setting trace_context says. */
static void
call_begin_trace(struct call *c)
{
	const char *setting = c->relay->conf->trace_context;

	c->trace_context.state = "";
	if (strcmp(setting, "off") == 0)
		return;
	traceparent_of(c->http, &c->trace_context);
	if (c->trace_context.trace_id[0] == '\0' &&
	    strcmp(setting, "make") == 0)
		traceparent_begin(&c->trace_context);
}

const char *
call_trace_id(const struct call *c)
{

	return (c->trace_context.trace_id[0] != '\0' ?
	    c->trace_context.trace_id : NULL);
}

struct call *
call_new(struct relay *r, struct fcgi_request *req,
    const struct call_kind *kind, const char *path,
    const struct route_match *m)
{
	struct call *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto err0;
	c->relay = r;
	c->req = req;
	c->http = fcgi_request_http(req);
	c->kind = kind;
	c->route = m->route;
	c->path = path;
	c->length_stated = -1;
	c->left = "client_gone";
	c->disconnect = "";
	c->platform = domain_find(DOMAIN_PLATFORM, "none");
	c->id = pool_next_id(r->pool);
	ledger_id_format(c->id, c->request_id);
	call_begin_trace(c);
	buf_init(&c->body, (size_t)relay_body_max(r, kind));
	buf_init(&c->head, LIMIT_UPSTREAM_HEAD_BYTES);
	buf_init(&c->held, LIMIT_PLAIN_BODY_BYTES);
	c->begun_ms = loop_now_ms(r->loop);
	if (kind->has_model && (c->scan = relay_peek(r)) == NULL)
		goto err1;
	if (object_begin(c, m) != 0)
		goto err2;
	fcgi_request_set_arg(req, c);
	TAILQ_INSERT_TAIL(&r->calls, c, entry);
	slot_set(r->slot, SLOT_REQUESTS, ++r->ncalls);
	return (c);

err2:
	relay_peek_done(r, c->scan);
err1:
	free(c);
err0:
	return (NULL);
}

void
call_drop_body(struct call *c)
{

	buf_fini(&c->body);
	mentions_fini(&c->models);
	c->relay->body_bytes -= (int64_t)(c->body_charged +
	    c->models_charged);
	c->body_charged = c->models_charged = 0;
}

void
call_free(struct call *c)
{

	count_call(c);
	access_call(c);
	if (c->state == CALL_SETTLE)
		lease_drop(&c->op.settle.lease);
	relay_call_gone(c->relay, c);
	loop_timer_cancel(&c->ping);
	early_over(c);
	call_drop_body(c);
	buf_fini(&c->head);
	buf_fini(&c->held);
	relay_peek_done(c->relay, c->scan);
	object_fini(c);
	sse_free(c->sse);
	relay_meter_done(c->relay, c->meter);
	lease_drop(&c->lease);
	key_info_unref(c->key);
	free(c);
}

/* ---- the body ---- */

/* Set memory aside for a body of ${want} bytes, if there is room. */
static bool
call_charge_to(struct call *c, size_t want)
{

	if (!relay_body_room(c->relay, want - c->body_charged))
		return (false);
	c->relay->body_bytes += (int64_t)(want - c->body_charged);
	c->body_charged = want;
	return (true);
}

/*
 * Account for the memory that the next ${n} bytes need.  What the client
 * states is not set aside before it comes, or a few that only begin would keep
 * out all others; but of it as much ahead as has come, so that the body grows
 * in few steps.  Where that finds no room the bytes alone may.  A body that
 * finds none is refused and gives back what it has, so that bodies never wait
 * for each other.
 */
static bool
call_charge(struct call *c, size_t n)
{
	size_t want = buf_len(&c->body) + n, ahead = want * 2;

	if (want <= c->body_charged)
		return (true);
	if (ahead < LIMIT_BODY_STEP_BYTES)
		ahead = LIMIT_BODY_STEP_BYTES;
	if ((int64_t)ahead > c->http->content_length)
		ahead = c->http->content_length < (int64_t)want ? want :
		    (size_t)c->http->content_length;
	if (!call_charge_to(c, ahead) && !call_charge_to(c, want))
		return (false);
	return (buf_reserve(&c->body, c->body_charged -
	    buf_len(&c->body)) != NULL);
}

/* A scan says what is wrong with the body, or that it has no memory. */
static bool
call_bad_body(struct call *c, const struct err *err)
{

	if (err->code == ERR_INVAL)
		close_refuse(c, REFUSAL_BAD_REQUEST, err->text);
	else
		close_refuse(c, REFUSAL_BODIES_FULL, NULL);
	return (false);
}

/* The places of a batch's models grow with its body. */
static bool
call_charge_models(struct call *c)
{
	size_t want = c->batch_scan == NULL ? 0 :
	    batch_scan_bytes(c->batch_scan);

	if (want <= c->models_charged)
		return (true);
	if (!relay_body_room(c->relay, want - c->models_charged))
		return (false);
	c->relay->body_bytes += (int64_t)(want - c->models_charged);
	c->models_charged = want;
	return (true);
}

bool
call_body(struct call *c, const void *p, size_t n)
{
	struct err err = { 0 };

	if (n > c->body.max - buf_len(&c->body)) {
		close_refuse(c, REFUSAL_TOO_LARGE, NULL);
		return (false);
	}
	if (!call_charge(c, n) || buf_append(&c->body, p, n) != 0) {
		close_refuse(c, REFUSAL_BODIES_FULL, NULL);
		return (false);
	}
	if ((c->scan != NULL && peek_push(c->scan, p, n, &err) != 0) ||
	    (c->batch_scan != NULL &&
	    batch_scan_push(c->batch_scan, p, n, &err) != 0))
		return (call_bad_body(c, &err));
	if (!call_charge_models(c)) {
		close_refuse(c, REFUSAL_BODIES_FULL, NULL);
		return (false);
	}
	return (true);
}

/* ---- admission ---- */

static void
call_refused(struct call *c, const struct admit_op *op)
{
	const struct refusal_row *row = refusal_row(
	    op->verdict == ADMIT_PARKED && !op->limited ? REFUSAL_RESTING :
	    refusal_of(op->verdict));
	struct response_error e = row->answer;
	struct buf lines;

	count_admission(c, op);
	if (op->reason[0] != '\0')
		e.message = op->reason;
	refusal_wait(&e, op->retry_ms, loop_wall_ms(c->relay->loop));
	buf_init(&lines, LIMIT_ERROR_BODY_BYTES);
	if (remains_headers(&lines, op->left) == 0 && buf_len(&lines) > 0)
		e.lines = buf_cstr(&lines);
	close_error(c, &e, row->outcome);
	buf_fini(&lines);
}

/* What the other models are called at the account that is leased: they were
 * reserved for under these names, whatever becomes of its aliases. */
static void
call_learn_names(struct call *c)
{
	struct mentions *m = &c->models;
	size_t i;

	for (i = 0; i < m->ask.n; i++)
		(void)snprintf(m->there[i], sizeof(m->there[i]), "%s",
		    account_model(c->lease.account, m->ask.names[i]));
}

/* What both admission and move bring back.  With a lease comes an attempt of
 * its own: what the last one left behind is not to be counted again. */
static void
call_take(struct call *c, struct admit_op *op)
{

	c->lease = op->lease;
	memset(&op->lease, 0, sizeof(op->lease));
	c->queue_ms += op->queue_ms;
	trace_add(c->trace, &(struct trace_part) {
		.choice = op->trace,
		.attempt = c->lease.held ? c->lease.attempt : 0,
		.waited_ms = op->queue_ms,
		.trace_id = call_trace_id(c),
	});
	if (!c->lease.held)
		return;
	c->attempts = c->lease.attempt;
	count_platform(c);
	memset(&c->verdict, 0, sizeof(c->verdict));
	call_learn_names(c);
	pass_forget(c);
}

static void
call_admitted(struct admit_op *op, const struct err *err)
{
	struct call *c = op->arg;

	c->reserved_nusd = op->reserved_nusd;
	c->cover = op->coverage;
	c->account_id = op->account_id;
	memcpy(c->left_of, op->left, sizeof(c->left_of));
	if (c->objects != NULL && c->objects->follows)
		memcpy(c->peek.model, op->model, sizeof(c->peek.model));
	call_take(c, op);
	if (c->req == NULL) {
		close_end(c, c->left);
	} else if (err->code != ERR_NONE) {
		close_refuse(c, REFUSAL_STORE_DOWN, NULL);
	} else if (op->verdict != ADMIT_LEASED) {
		call_refused(c, op);
	} else {
		c->dispatched_ms = loop_now_ms(c->relay->loop);
		call_attempt(c);
	}
}

static void
call_fill_admission(struct call *c, struct admit_op *op)
{

	memset(op, 0, sizeof(*op));
	op->ledger_id = c->id;
	op->key = c->key;
	op->kind = c->kind->name;
	op->stream = c->peek.stream;
	op->needs_slot = c->kind->needs_slot;
	op->billed = c->kind->billed || c->kind->makes != OBJECT_NONE;
	op->account_id = c->account_id;
	op->platform = "claude";
	op->body_bytes = (int64_t)c->body_len;
	op->max_tokens = c->peek.max_tokens;
	op->ask = c->peek.ask;
	op->also = c->models.ask.n > 0 || c->models.ask.unnamed ||
	    c->models.ask.more ? &c->models.ask : NULL;
	op->objects = c->objects;
	op->arg = c;
	snprintf(op->model, sizeof(op->model), "%s", c->peek.model);
	op->long_cache = c->peek.long_cache;
	snprintf(op->session, sizeof(op->session), "%s", c->peek.session);
	op->caller = c->caller;
	if (strcmp(c->relay->conf->record_address, "full") == 0)
		net_addr_format(&c->caller.addr, op->address);
}

/* Clients that name their session in a header, which goes before what the body
 * says (WIRE.md sections 3 and 4). */
static const char *const call_session_headers[] = {
	"x-claude-code-session-id", "session-id"
};

static void
call_find_session(struct call *c)
{
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(call_session_headers) /
	    sizeof(call_session_headers[0]); i++) {
		value = http_request_header(c->http, call_session_headers[i]);
		if (value == NULL || *value == '\0')
			continue;
		peek_session(value, strlen(value), c->peek.session);
		return;
	}
}

/* The scan of a plain call is over.  0, or -1. */
static int
call_peeked(struct call *c, struct err *err)
{
	struct mentions *others = peek_others(c->scan);

	if (peek_end(c->scan, &c->peek, err) != 0)
		return (-1);
	if (others != NULL) {
		c->models = *others;
		mentions_init(others);
	}
	if (splice_add(&c->models.splice, c->peek.model_start,
	    c->peek.model_end, SPLICE_MODEL, strlen(c->peek.model), err))
		return (-1);
	relay_peek_done(c->relay, c->scan);
	c->scan = NULL;
	call_find_session(c);
	return (0);
}

void
call_whole(struct call *c)
{
	struct admit_op *op = &c->op.admit;
	struct err err = { 0 };

	c->body_len = buf_len(&c->body);
	c->whole_ms = loop_now_ms(c->relay->loop);
	if (object_whole(c, &err) != 0 ||
	    (c->scan != NULL && call_peeked(c, &err) != 0)) {
		(void)call_bad_body(c, &err);
		return;
	}
	if (c->id == 0 || !pool_ready(c->relay->pool)) {
		close_refuse(c, REFUSAL_STORE_DOWN, NULL);
		return;
	}
	if (c->kind->lists != OBJECT_NONE) {
		lister_start(c);
		return;
	}
	c->state = CALL_ADMIT;
	call_fill_admission(c, op);
	op->done = call_admitted;
	early_watch(c);
	pool_admit(c->relay->pool, op);
}

/* ---- attempts ---- */

/* Time-outs differ: a stream must begin, a plain call must end (WIRE.md
 * section 7, rule 16).  A stream that probes holds up others till then. */
static void
call_times(const struct call *c, struct transfer_params *p)
{
	const struct conf *conf = c->relay->conf;

	p->connect_timeout_ms = conf->connect_timeout_ms;
	if (c->kind->lasting) {
		p->first_byte_timeout_ms = conf->plain_timeout_ms;
		p->idle_timeout_ms = conf->idle_timeout_ms;
	} else if (c->peek.stream) {
		p->first_byte_timeout_ms = c->lease.probe &&
		    conf->half_open_ms < conf->first_byte_timeout_ms ?
		    conf->half_open_ms : conf->first_byte_timeout_ms;
		p->idle_timeout_ms = conf->idle_timeout_ms;
	} else {
		p->first_byte_timeout_ms = conf->plain_timeout_ms;
		p->deadline_ms = loop_now_ms(c->relay->loop) +
		    conf->plain_timeout_ms;
	}
}

/* Let the body name its models as the account that is leased wants them.  0,
 * or -1. */
static int
call_name_models(struct call *c, struct err *err)
{
	const struct mentions *m = &c->models;
	const char *names[SPLICE_NAMES] = { NULL };
	size_t grown, i;

	if (strcmp(c->lease.model, c->peek.model) != 0)
		names[SPLICE_MODEL] = c->lease.model;
	for (i = 0; i < m->ask.n; i++) {
		if (strcmp(m->there[i], m->ask.names[i]) != 0)
			names[i] = m->there[i];
	}
	if (splice_put(&c->models.splice, &c->body, names)) {
		err_set(err, ERR_NOMEM, "no memory for the models' names");
		return (-1);
	}
	if (buf_len(&c->body) > c->body_charged) {
		grown = buf_len(&c->body) - c->body_charged;
		c->relay->body_bytes += (int64_t)grown;
		c->body_charged += grown;
	}
	return (0);
}

/* Put the request to the account that is leased.  0, or -1. */
static int
call_dispatch(struct call *c, struct err *err)
{
	const struct account *a = c->lease.account;
	const struct platform *platform = platform_find(a->platform);
	struct transfer_params p = { 0 };
	struct outgoing out;
	int rc = -1;

	outgoing_init(&out);
	if (platform == NULL) {
		err_set(err, ERR_INVAL, "account %s is of platform %s, which "
		    "is not known", a->name, a->platform);
		goto done;
	}
	out.trace = &c->trace_context;
	if (platform->request(c->http, c->path, a, &out, err) != 0)
		goto done;
	p.method = c->http->method;
	p.url = out.url;
	p.proxy = a->proxy;
	p.headers = out.headers;
	p.nheaders = out.nheaders;
	p.body = buf_head(&c->body);
	p.body_len = buf_len(&c->body);
	p.has_body = c->kind->has_body;
	p.resend = !c->kind->billed && !c->kind->once;
	p.fresh = c->unkept;
	p.events = &pass_events;
	p.arg = c;
	call_times(c, &p);
	c->transfer = transfer_start(c->relay->upstream, &p, err);
	rc = c->transfer == NULL ? -1 : 0;
done:
	outgoing_fini(&out);
	return (rc);
}

void
call_attempt(struct call *c)
{
	struct err err = { 0 };

	if (renew_before(c))
		return;

	c->state = CALL_ATTEMPT;
	c->attempt_ms = loop_now_ms(c->relay->loop);
	if (pass_start(c, &err) != 0 || call_name_models(c, &err) != 0 ||
	    call_dispatch(c, &err) != 0)
		(void)call_failed(c, TRANSFER_INTERNAL, 0, &err);
}

/* ---- when an attempt fails ---- */

/* Nobody else can serve it: say so in our own words. */
static void
call_give_up(struct call *c, const struct admit_op *moved)
{
	const struct judgement *v = &c->verdict;
	char message[sizeof(v->fallback_message) + POOL_REASON_SIZE + 4];
	bool more = moved != NULL && moved->reason[0] != '\0';
	struct response_error e;

	refusal_give_up(v, moved, loop_wall_ms(c->relay->loop), &e);
	(void)snprintf(message, sizeof(message), "%s%s%s", e.message,
	    more ? ": " : "", more ? moved->reason : "");
	e.message = message;
	close_error(c, &e, v->outcome);
}

static void
call_moved(struct admit_op *op, const struct err *err)
{
	struct call *c = op->arg;
	struct move_op *move = &c->op.move;

	c->flags |= op->flags;
	if (err->code == ERR_NONE || err->code == ERR_CANCELLED)
		count_attempt(c, &move->end, &move->park);
	call_take(c, op);
	if (err->code != ERR_NONE && err->code != ERR_CANCELLED) {
		/* The old lease may still be ours; its fence tells. */
		c->lease = move->lease;
		memset(&move->lease, 0, sizeof(move->lease));
	} else if (c->lease.held) {
		count_failover(c, &move->end);
	}
	lease_drop(&move->lease);
	if (c->req == NULL) {
		close_end(c, c->left);
	} else if (err->code != ERR_NONE) {
		close_refuse(c, REFUSAL_STORE_DOWN, NULL);
	} else if (op->verdict == ADMIT_LEASED) {
		call_attempt(c);
	} else {
		call_give_up(c, op);
	}
}

static void
call_move(struct call *c)
{
	struct move_op *op = &c->op.move;

	memset(op, 0, sizeof(*op));
	call_fill_admission(c, &op->admit);
	op->admit.done = call_moved;
	close_attempt_end(c, c->verdict.outcome, &op->end);
	op->park = c->verdict.park;
	op->again = c->verdict.again;
	op->lease = c->lease;
	memset(&c->lease, 0, sizeof(c->lease));
	op->deadline_ms = c->dispatched_ms +
	    c->relay->conf->attempt_budget_ms;
	c->state = CALL_MOVE;
	early_watch(c);
	pool_move(c->relay->pool, op);
}

static bool
call_may_move(const struct call *c)
{
	const struct conf *conf = c->relay->conf;
	int64_t spent_ms = loop_now_ms(c->relay->loop) - c->dispatched_ms;

	return (c->verdict.action == JUDGE_MOVE &&
	    c->attempts < conf->attempts_max &&
	    spent_ms < conf->attempt_budget_ms);
}

void
call_judge(struct call *c, enum transfer_result result, int status)
{
	struct judge_input in = {
		.result = result,
		.status = status,
		.headers = c->up_headers,
		.nheaders = c->up_nheaders,
		.stream = c->peek.stream,
		.once = c->kind->once,
		.model = c->lease.model,
		.now_ms = loop_wall_ms(c->relay->loop),
		.conf = c->relay->conf
	};
	const struct meter_result *r;
	struct transfer_timings tm;

	if (c->meter != NULL) {
		r = meter_result(c->meter);
		in.error_type = r->error_type;
		in.error_message = r->error_message;
	}
	if (c->transfer != NULL) {
		transfer_timings(c->transfer, &tm);
		in.kept_alive = tm.reused;
	}
	judge(&in, &c->verdict);
	c->unkept |= result == TRANSFER_SEND && in.kept_alive;
}

static void
call_log_failure(const struct call *c, enum transfer_result result,
    int status, const struct err *why)
{
	struct log_line l;

	log_begin(&l, c->relay->log, LOG_LEVEL_WARN, c->request_id, "relay",
	    "attempt_failed");
	log_str(&l, "trace", call_trace_id(c));
	log_int(&l, "attempt", c->attempts);
	log_str(&l, "account", c->lease.account->name);
	log_str(&l, "outcome", c->verdict.outcome);
	if (result == TRANSFER_OK)
		log_int(&l, "status", status);
	if (why != NULL && why->code != ERR_NONE)
		log_err(&l, why);
	log_end(&l);
}

void
call_next(struct call *c)
{

	if (call_may_move(c))
		call_move(c);
	else
		call_give_up(c, NULL);
}

bool
call_failed(struct call *c, enum transfer_result result, int status,
    const struct err *why)
{

	call_judge(c, result, status);
	if (c->verdict.action == JUDGE_RELAY)
		return (false);
	call_log_failure(c, result, status, why);
	pass_give_up(c, result);
	if (!renew_after(c, status))
		call_next(c);
	return (true);
}

/* ---- the client leaves ---- */

/* Nothing more can go to the client; stop what runs for it. */
static void
call_part(struct call *c)
{

	c->req = NULL;
	c->http = NULL;
	switch (c->state) {
	case CALL_BODY:
		call_free(c);
		break;
	case CALL_KEY:
	case CALL_SETTLE:
	case CALL_KEEP:
		break;
	case CALL_LIST:
		lister_leave(c);
		break;
	case CALL_ADMIT:
		pool_admit_cancel(c->relay->pool, &c->op.admit);
		break;
	case CALL_RENEW:
		refresh_leave(&c->renewal);
		close_end(c, c->left);
		break;
	case CALL_MOVE:
		pool_admit_cancel(c->relay->pool, &c->op.move.admit);
		break;
	case CALL_ATTEMPT:
	case CALL_PASS:
	case CALL_DRAIN:
		drain_end(c);
		break;
	}
}

void
call_cut(struct call *c)
{

	fcgi_reset(c->req);
	c->left = "internal";
	call_part(c);
}

void
call_gone(struct call *c)
{

	c->disconnect = "cut";
	if ((c->state != CALL_ATTEMPT && c->state != CALL_PASS) ||
	    !drain_begin(c))
		call_part(c);
}

void
call_abort(struct call *c)
{
	const struct refusal_row *row = refusal_row(REFUSAL_STOPPING);

	if (c->state == CALL_DRAIN) {
		c->disconnect = "drain_expired";
		call_part(c);
		return;
	}
	if (c->req == NULL)
		return;
	c->left = row->outcome;
	if (c->state == CALL_PASS)
		pass_abort(c, row->answer.message);
	else
		close_answer(c, &row->answer);
	call_part(c);
}
