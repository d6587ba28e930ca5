#include <fastcgi.h>
#include <stdlib.h>

#include "base/err.h"
#include "http/conn.h"
#include "http/record.h"

static int
status_of(enum err_code code)
{

	if (code == ERR_TOO_LARGE)
		return (431);
	return (code == ERR_NOMEM ? 503 : 400);
}

/* Have the application answer that the request cannot be served. */
static void
request_bad(struct fcgi_request *req, int status, const char *message)
{
	struct fcgi_server *s = req->conn->server;
	bool begun = req->told;

	req->phase = PHASE_DROP;
	req->told = true;
	s->handler->bad(s->arg, req, begun, status, message);
}

void
conn_request_fail(struct fcgi_request *req, int status, const char *message,
    enum fcgi_gone why)
{

	if (req->phase == PHASE_DROP)
		return;
	if (req->answered || req->phase == PHASE_WHOLE) {
		conn_over(req->conn, why);
		return;
	}
	if (req->phase == PHASE_PARAMS &&
	    http_request_ready(&req->http, req->conn->server->mount,
	    NULL) == -1 && req->http.priv == NULL) {
		conn_over(req->conn, FCGI_GONE_NOMEM);
		return;
	}
	request_bad(req, status, message);
}

static void
refuse(struct conn *c, const struct record_event *ev, uint8_t status)
{

	conn_answer(c, record_put_end(&c->out, ev->request_id, 0, status));
}

static void
on_begin(struct conn *c, const struct record_event *ev)
{
	struct fcgi_request *req;

	if (c->req != NULL) {
		refuse(c, ev, FCGI_CANT_MPX_CONN);
		return;
	}
	c->input_open = true;
	c->dropped_bytes = 0;
	if (ev->role != FCGI_RESPONDER) {
		refuse(c, ev, FCGI_UNKNOWN_ROLE);
		record_request_done(c->parser);
		c->closing = !ev->keep_conn;
		return;
	}
	if ((req = calloc(1, sizeof(*req))) == NULL) {
		conn_over(c, FCGI_GONE_NOMEM);
		return;
	}
	req->conn = c;
	req->id = ev->request_id;
	req->keep_conn = ev->keep_conn;
	http_request_init(&req->http);
	c->req = req;
	c->server->nrequests++;
}

static void
on_param(struct conn *c, const struct record_event *ev)
{
	struct fcgi_request *req = c->req;

	if (http_request_param(&req->http, (const char *)ev->name,
	    ev->name_len, (const char *)ev->value, ev->value_len, &req->err))
		return;		/* told at the end of PARAMS */
}

static void
on_params_end(struct conn *c, const struct record_event *ev)
{
	struct fcgi_server *s = c->server;
	struct fcgi_request *req = c->req;
	int rc;

	(void)ev;
	rc = http_request_ready(&req->http, s->mount, &req->err);
	if (req->err.code != ERR_NONE) {
		request_bad(req, status_of(req->err.code), req->err.text);
	} else if (rc != 1) {
		request_bad(req, 404, "there is nothing at this path");
	} else {
		req->told = true;
		req->phase = PHASE_BODY;
		if (!s->handler->begin(s->arg, req) && c->req == req)
			req->phase = PHASE_DROP;
	}
}

static void
on_stdin(struct conn *c, const struct record_event *ev)
{
	struct fcgi_server *s = c->server;
	struct fcgi_request *req = c->req;

	if (req->phase != PHASE_BODY) {
		c->dropped_bytes += ev->value_len;
		return;
	}
	req->body_bytes += (int64_t)ev->value_len;
	if (req->http.content_length != -1 &&
	    req->body_bytes > req->http.content_length) {
		conn_request_fail(req, 400, "the body is longer than its "
		    "content-length", FCGI_GONE_PROTOCOL);
		return;
	}
	if (!s->handler->body(s->arg, req, ev->value, ev->value_len) &&
	    c->req == req)
		req->phase = PHASE_DROP;
}

static void
on_stdin_end(struct conn *c, const struct record_event *ev)
{
	struct fcgi_server *s = c->server;
	struct fcgi_request *req = c->req;

	(void)ev;
	c->input_open = false;
	if (req->phase != PHASE_BODY)
		return;
	if (req->http.content_length != -1 &&
	    req->body_bytes < req->http.content_length) {
		conn_request_fail(req, 400, "the body is shorter than its "
		    "content-length", FCGI_GONE_PROTOCOL);
		return;
	}
	req->phase = PHASE_WHOLE;
	s->handler->end(s->arg, req);
}

static void
on_abort(struct conn *c, const struct record_event *ev)
{
	struct fcgi_server *s = c->server;

	if (c->req->told)
		s->handler->gone(s->arg, c->req, FCGI_GONE_ABORT);
	c->closing = !c->req->keep_conn || s->draining;
	conn_request_done(c);
	conn_answer(c, record_put_end(&c->out, ev->request_id, 0,
	    FCGI_REQUEST_COMPLETE));
}

static void
on_get_values(struct conn *c, const struct record_event *ev)
{

	conn_answer(c, record_put_values_result(&c->out, ev->asked,
	    c->server->connections_max));
}

static void
on_unknown(struct conn *c, const struct record_event *ev)
{

	conn_answer(c, record_put_unknown_type(&c->out, ev->type));
}

static void (*const on_event[])(struct conn *, const struct record_event *) = {
	[RECORD_BEGIN] = on_begin,
	[RECORD_PARAM] = on_param,
	[RECORD_PARAMS_END] = on_params_end,
	[RECORD_STDIN] = on_stdin,
	[RECORD_STDIN_END] = on_stdin_end,
	[RECORD_ABORT] = on_abort,
	[RECORD_GET_VALUES] = on_get_values,
	[RECORD_UNKNOWN] = on_unknown
};

/* The records cannot be understood any further. */
static void
on_broken(struct conn *c, const struct err *err)
{

	c->broken = true;
	c->server->protocol_errors++;
	if (c->req == NULL)
		conn_over(c, FCGI_GONE_PROTOCOL);
	else
		conn_request_fail(c->req, status_of(err->code), err->text,
		    FCGI_GONE_PROTOCOL);
}

void
conn_take(struct conn *c)
{
	struct buf *in = &c->server->in;
	struct record_event ev;
	struct err err;
	int rc = 0;

	err_clear(&err);
	while (!c->broken && !c->closing && !c->over && !c->held &&
	    (rc = record_next(c->parser, in, &ev, &err)) == 1)
		on_event[ev.kind](c, &ev);
	if (rc == -1)
		on_broken(c, &err);
	if (c->held && buf_append(&c->kept, buf_head(in), buf_len(in)))
		conn_over(c, FCGI_GONE_NOMEM);
	if (c->broken || c->closing)
		c->dropped_bytes += buf_len(in);
	buf_reset(in);
}

void
conn_take_kept(struct conn *c)
{
	int rc;

	rc = buf_append(&c->server->in, buf_head(&c->kept),
	    buf_len(&c->kept));
	buf_fini(&c->kept);
	if (rc)
		conn_over(c, FCGI_GONE_NOMEM);
	else
		conn_take(c);
}

void
conn_hold(struct conn *c, bool held)
{

	if (c->held == held)
		return;
	c->held = held;
	c->read_ms = loop_now_ms(c->server->loop);
	loop_watch_set(&c->watch, held ? c->watch.events & ~LOOP_READ :
	    c->watch.events | LOOP_READ);
	conn_touch(c);
}
