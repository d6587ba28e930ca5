#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/conn.h"
#include "metrics/slots.h"
#include "http/record.h"

/* Full reads of one connection in a turn; then others have their turn. */
#define READS_A_TURN	4

/*
 * Closing with unread bytes causes a reset, by which the answer may be lost.
 * So when a body was answered early our half alone is closed, and then, first,
 * nothing is read: nginx looks at the answer only when it cannot send, and
 * closes.  Caddy looks at it when it has sent all; for it the rest is read.
 */
#define LINGER_FIRST_MS	100
#define LINGER_MS	10000

void
conn_over(struct conn *c, enum fcgi_gone why)
{

	if (c->over)
		return;
	c->over = true;
	c->why = why;
	conn_touch(c);
}

void
conn_touch(struct conn *c)
{

	loop_task_add(c->server->loop, &c->task, conn_run, c);
}

void
conn_answer(struct conn *c, int rc)
{

	c->tail = 0;
	if (rc)
		conn_over(c, FCGI_GONE_NOMEM);
	else
		conn_touch(c);
}

void
conn_request_done(struct conn *c)
{
	struct fcgi_request *req = c->req;

	c->req = NULL;
	c->server->nrequests--;
	conn_hold(c, false);
	record_request_done(c->parser);
	http_request_fini(&req->http);
	free(req);
}

/* ---- reading ---- */

/* Read what is there: 0, or -1 when the web server has closed. */
static int
conn_read(struct conn *c)
{
	struct buf *in = &c->server->in;
	unsigned char *room;
	ssize_t n;
	int i;

	if (!c->held && buf_len(&c->kept) > 0)
		conn_take_kept(c);
	for (i = 0; i < READS_A_TURN && !c->over && !c->held; i++) {
		if ((room = buf_reserve(in, LIMIT_READ_BYTES)) == NULL) {
			conn_over(c, FCGI_GONE_NOMEM);
			return (0);
		}
		n = recv(c->fd, room, LIMIT_READ_BYTES, 0);
		if (n == -1)
			return (errno == EAGAIN || errno == EINTR ? 0 : -1);
		if (n == 0)
			return (-1);
		c->read_ms = loop_now_ms(c->server->loop);
		buf_commit(in, (size_t)n);
		conn_take(c);
		if (n < LIMIT_READ_BYTES)
			break;
	}
	return (0);
}

static void
conn_ready(struct loop_watch *w, uint32_t events)
{
	struct conn *c = w->arg;

	if ((events & LOOP_HUP) != 0 ||
	    ((events & LOOP_READ) != 0 && conn_read(c))) {
		conn_end(c, FCGI_GONE_CLOSED);
		return;
	}
	if ((events & LOOP_WRITE) != 0)
		conn_touch(c);
	conn_settle(c);
}

/* ---- timers ---- */

/* Whether a request is coming in that must not stop. */
static bool
is_incoming(const struct conn *c)
{

	if (c->broken || c->closing || c->held)
		return (false);
	if (c->req == NULL)
		return (!record_between(c->parser));
	return (c->req->phase == PHASE_PARAMS || c->req->phase == PHASE_BODY);
}

/* When something has to be done if nothing moves until then. */
static int64_t
deadline(const struct conn *c)
{
	int64_t due = INT64_MAX, t;

	if (is_incoming(c))
		due = c->read_ms + c->server->read_timeout_ms;
	if (c->blocked) {
		t = c->write_ms + c->server->write_timeout_ms;
		due = t < due ? t : due;
	}
	if (c->lingering && c->linger_until_ms < due)
		due = c->linger_until_ms;
	return (due);
}

/*
 * Whether bytes were taken since the last look.  The kernel tells that there
 * is room only when much of its buffer is, which a slow client may take long
 * to bring about.
 */
static bool
took_some(struct conn *c)
{
	int before = c->queued;

	if (ioctl(c->fd, SIOCOUTQ, &c->queued))
		return (false);
	return (c->queued < before);
}

/* The web server has not closed: read on for a while, then close. */
static void
linger_on(struct conn *c)
{

	if ((c->watch.events & LOOP_READ) != 0) {
		conn_over(c, FCGI_GONE_CLOSED);
		return;
	}
	loop_watch_set(&c->watch, LOOP_READ | LOOP_HUP);
	c->dropped_bytes = 0;
	c->linger_until_ms = loop_now_ms(c->server->loop) + LINGER_MS;
}

static void
conn_due(struct loop_timer *t)
{
	struct conn *c = t->arg;
	struct fcgi_server *s = c->server;
	int64_t now = loop_now_ms(s->loop);

	if (c->blocked && now >= c->write_ms + s->write_timeout_ms) {
		if (took_some(c))
			c->write_ms = now;
		else
			conn_over(c, FCGI_GONE_WRITE_TIMEOUT);
	} else if (c->lingering && now >= c->linger_until_ms) {
		linger_on(c);
	} else if (is_incoming(c) && now >= c->read_ms + s->read_timeout_ms) {
		c->broken = true;
		if (c->req == NULL)
			conn_over(c, FCGI_GONE_READ_TIMEOUT);
		else
			conn_request_fail(c->req, 408, "the request stopped "
			    "coming in", FCGI_GONE_READ_TIMEOUT);
	}
	conn_settle(c);
}

/*
 * A timer that is set stays so when there is progress: what it finds to do is
 * looked at when it fires.
 */
static int
conn_arm(struct conn *c)
{
	int64_t due = deadline(c);

	if (due == INT64_MAX ||
	    (c->timer.loop != NULL && c->timer.due_ms <= due))
		return (0);
	return (loop_timer_set(c->server->loop, &c->timer, due, conn_due, c));
}

/* ---- the end ---- */

/* All is sent.  When more of the request may come, close our half alone. */
static void
conn_sent_all(struct conn *c)
{

	if (!c->input_open || c->rst || shutdown(c->fd, SHUT_WR)) {
		conn_over(c, FCGI_GONE_CLOSED);
		return;
	}
	c->lingering = true;
	c->linger_until_ms = loop_now_ms(c->server->loop) + LINGER_FIRST_MS;
	loop_watch_set(&c->watch, LOOP_HUP);
}

void
conn_run(struct loop_task *t)
{
	struct conn *c = t->arg;
	struct fcgi_server *s = c->server;
	struct fcgi_request *req;

	if (!c->over && !c->held && buf_len(&c->kept) > 0)
		conn_take_kept(c);
	req = c->req;
	if (!c->over && !c->lingering) {
		if (conn_flush(c))
			conn_over(c, FCGI_GONE_CLOSED);
		else if (c->closing && buf_len(&c->out) == 0)
			conn_sent_all(c);
		else if (req != NULL && req->stopped &&
		    buf_len(&c->out) <= LIMIT_CLIENT_OUT_RESUME) {
			req->stopped = false;
			s->handler->writable(s->arg, req);
		}
	}
	conn_settle(c);
}

/* Bound what is read of bodies that nobody wants. */
static void
bound_drops(struct conn *c)
{

	if (c->req == NULL && !c->closing &&
	    record_skipped(c->parser) > LIMIT_DISCARD_BYTES) {
		c->closing = true;
		conn_touch(c);
	}
	if (c->lingering) {
		if (c->dropped_bytes > LIMIT_LINGER_BYTES)
			conn_over(c, FCGI_GONE_CLOSED);
	} else if (c->dropped_bytes > LIMIT_DISCARD_BYTES) {
		loop_watch_set(&c->watch, c->watch.events & ~LOOP_READ);
	}
}

void
conn_settle(struct conn *c)
{

	bound_drops(c);
	if (!c->over && conn_arm(c))
		conn_over(c, FCGI_GONE_NOMEM);
	if (c->over)
		conn_end(c, c->why);
}

static void
conn_free(struct conn *c)
{
	const struct linger rst = { .l_onoff = 1, .l_linger = 0 };
	struct fcgi_server *s = c->server;

	TAILQ_REMOVE(&s->conns, c, entry);
	loop_watch_del(&c->watch);
	loop_timer_cancel(&c->timer);
	loop_task_cancel(&c->task);
	if (c->rst)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &rst,
		    sizeof(rst));
	close(c->fd);
	record_parser_free(c->parser);
	buf_fini(&c->kept);
	buf_fini(&c->out);
	free(c);
	server_conn_closed(s);
}

void
conn_end(struct conn *c, enum fcgi_gone why)
{
	struct fcgi_server *s = c->server;

	if (c->req != NULL) {
		if (c->req->told)
			s->handler->gone(s->arg, c->req, why);
		conn_request_done(c);
	}
	conn_free(c);
}

int
conn_new(struct fcgi_server *s, int fd)
{
	struct conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto err0;
	c->server = s;
	c->fd = fd;
	buf_init(&c->kept, LIMIT_READ_BYTES);
	buf_init(&c->out, LIMIT_CLIENT_OUT_MAX_BYTES);
	if ((c->parser = record_parser_new(LIMIT_PARAMS_BYTES)) == NULL)
		goto err1;
	if (loop_watch_add(s->loop, &c->watch, fd, LOOP_READ | LOOP_HUP,
	    conn_ready, c, NULL))
		goto err2;
	TAILQ_INSERT_TAIL(&s->conns, c, entry);
	slot_set(s->slot, SLOT_CONNECTIONS, ++s->nconns);
	return (0);

err2:
	record_parser_free(c->parser);
err1:
	free(c);
err0:
	close(fd);
	return (-1);
}
