#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"

#include "mock/control.h"
#include "mock/head.h"
#include "mock/journal.h"
#include "mock/objects.h"
#include "mock/plan.h"
#include "mock/reply.h"
#include "mock/server.h"

/* Largest request body: above the relay's own default of 32 MiB. */
#define BODY_MAX_BYTES	(48 * 1024 * 1024)

/* Unsent bytes at which the making of an answer pauses. */
#define OUT_PAUSE_BYTES	(64 * 1024)

/* One answer in memory; the journal as JSON can be long. */
#define OUT_MAX_BYTES	(256 * 1024 * 1024)

#define READ_BYTES	(64 * 1024)

/**
 * A connection.
 *
 *	CONN_HEAD	a request's head is coming in (.in)
 *	CONN_BODY	its body is (.body, .dechunk)
 *	CONN_ANSWER	the answer is made and sent; .timer waits between steps
 *	CONN_LAST	what is in .out goes out, then .next is carried out
 *	CONN_HANG	nothing is sent any more; the client must leave
 */
enum conn_state {
	CONN_HEAD,
	CONN_BODY,
	CONN_ANSWER,
	CONN_LAST,
	CONN_HANG
};

struct conn {
	LIST_ENTRY(conn) entry;
	struct server *s;
	int fd;
	struct loop_watch watch;
	struct loop_timer timer;
	enum conn_state state;
	uint64_t number, nth;

	struct buf in, head_bytes, body, out;
	struct head head;
	struct dechunk dechunk;
	char model[128], tool[128];

	struct plan *plan;
	struct reply reply;
	enum reply_next next;
	struct journal_ticket ticket;
	bool open;			/* .ticket is for an open request */
	int64_t due_ms;			/* of the step before */
};

struct server {
	struct loop *loop;
	int listen_fd;
	struct loop_watch watch;
	struct control world;
	bool control;
	struct json_scan *scan;
	struct buf scratch;
	uint64_t connections;
	LIST_HEAD(, conn) conns;
};

/* What is looked for in a Messages request. */
enum {
	WANT_MODEL,
	WANT_STREAM,
	WANT_MAX_TOKENS,
	WANT_THINKING,
	WANT_TOOL,
	NWANTS
};
static const struct json_want wants[NWANTS] = {
	[WANT_MODEL] = { .path = "model" },
	[WANT_STREAM] = { .path = "stream" },
	[WANT_MAX_TOKENS] = { .path = "max_tokens" },
	[WANT_THINKING] = { .path = "thinking.type" },
	[WANT_TOOL] = { .path = "tools[].name" },
};

static void run(struct conn *c);

static void
conn_free(struct conn *c)
{

	if (c->open)
		journal_end(c->s->world.journal, &c->ticket, "client_closed");
	loop_timer_cancel(&c->timer);
	loop_watch_del(&c->watch);
	close(c->fd);
	LIST_REMOVE(c, entry);
	plan_unref(c->plan);
	buf_fini(&c->reply.body);
	buf_fini(&c->in);
	buf_fini(&c->head_bytes);
	buf_fini(&c->body);
	buf_fini(&c->out);
	free(c);
}

/* ---- the request ---- */

/* A word that can stand in a JSON string as it is. */
static void
copy_word(char *dst, size_t size, const struct json_value *v)
{

	snprintf(dst, size, "%s", v->kind == JSON_KIND_STRING ? v->text : "");
	for (; *dst != '\0'; dst++)
		if (*dst == '"' || *dst == '\\' || (unsigned char)*dst < ' ')
			*dst = '?';
}

static void
peek(struct conn *c)
{
	struct json_scan *scan = c->s->scan;
	struct answer *a = &c->reply.answer;
	const struct json_value *v;

	json_scan_reset(scan);
	if (json_scan_push(scan, buf_head(&c->body), buf_len(&c->body),
	    NULL) != 0)
		return;
	copy_word(c->model, sizeof(c->model), json_scan_get(scan, WANT_MODEL));
	copy_word(c->tool, sizeof(c->tool), json_scan_get(scan, WANT_TOOL));
	c->reply.stream = json_scan_get(scan, WANT_STREAM)->kind ==
	    JSON_KIND_TRUE;
	if (json_value_int(json_scan_get(scan, WANT_MAX_TOKENS), 0, INT32_MAX,
	    &a->max_tokens) != 0)
		a->max_tokens = 0;
	v = json_scan_get(scan, WANT_THINKING);
	a->thinking = v->kind == JSON_KIND_STRING &&
	    strcmp(v->text, "disabled") != 0;
}

static void
begin_journal(struct conn *c)
{
	struct journal_begin b = {
		.method = c->head.method,
		.path = c->head.path,
		.credential = c->head.credential,
		.model = c->model,
		.head = buf_head(&c->head_bytes),
		.head_len = buf_len(&c->head_bytes),
		.body = buf_head(&c->body),
		.body_len = buf_len(&c->body),
		.stream = c->reply.stream,
		.counted = c->reply.kind == REPLY_MESSAGES,
		.connection = c->number,
		.nth = ++c->nth,
	};
	struct journal_entry *e;

	journal_begin(c->s->world.journal, &b, &c->ticket);
	c->open = true;
	c->reply.answer.id = c->ticket.id;
	if ((e = journal_entry(&c->ticket)) != NULL)
		answer_usage(&c->reply.answer, &e->usage);
}

/* About objects, or naming some; nothing is made where the plan has an error
 * instead. */
static void
answer_objects(struct conn *c)
{
	struct objects *o = c->s->world.objects;
	struct reply *r = &c->reply;
	const unsigned char *p = buf_head(&c->body);
	size_t n = buf_len(&c->body);
	int rc;

	if (c->plan->status != 200 || c->plan->body != NULL)
		return;
	if (objects_wants(&c->head)) {
		rc = objects_answer(o, &c->head, p, n, &r->body, &r->type);
		r->kind = REPLY_OBJECT;
		r->given = rc == 0 ? 404 : rc == -1 ? 400 : rc;
	} else if (n > 0 && !objects_named(o, &c->head, p, n)) {
		r->kind = REPLY_OBJECT;
		r->given = 404;
	}
}

/* The request is whole: decide how it is answered. */
static void
dispatch(struct conn *c)
{
	struct server *s = c->s;
	struct reply *r = &c->reply;

	c->model[0] = c->tool[0] = '\0';
	buf_fini(&r->body);
	memset(r, 0, sizeof(*r));
	buf_init(&r->body, OUT_MAX_BYTES);
	r->head = &c->head;
	r->scratch = &s->scratch;
	r->answer.model = c->model;
	r->answer.tool = c->tool;
	r->answer.body_bytes = (int64_t)buf_len(&c->body);
	c->due_ms = loop_now_ms(s->loop);
	c->state = CONN_ANSWER;
	if (s->control && control_wants(&c->head)) {
		r->kind = REPLY_CONTROL;
		c->plan = rules_pick(s->world.rules, "", "", "");
		r->answer.plan = c->plan;
		r->status = control_answer(&s->world, &c->head,
		    buf_head(&c->body), buf_len(&c->body), &r->body);
	} else {
		r->kind = reply_kind(&c->head);
		if (buf_len(&c->body) > 0)
			peek(c);
		c->plan = rules_pick(s->world.rules, c->head.credential,
		    c->model, c->head.path);
		r->answer.plan = c->plan;
		answer_objects(c);
		begin_journal(c);
	}
}

/* 1: the head is whole; 0: more bytes are needed; -1: not HTTP. */
static int
take_head(struct conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t n = head_find(buf_head(&c->in), buf_len(&c->in));

	if (buf_len(&c->in) == 0 || n == 0)
		return (0);
	buf_reset(&c->head_bytes);
	buf_reset(&c->body);
	if (buf_append(&c->head_bytes, buf_head(&c->in), n) != 0 ||
	    head_parse(buf_head(&c->in), n, &c->head) != 0)
		return (-1);
	buf_consume(&c->in, n);
	memset(&c->dechunk, 0, sizeof(c->dechunk));
	c->state = CONN_BODY;
	if (c->head.expect_continue &&
	    buf_append(&c->out, go_on, sizeof(go_on) - 1) != 0)
		return (-1);
	return (1);
}

/* 1: the body is whole; 0: more bytes are needed; -1: malformed. */
static int
take_body(struct conn *c)
{
	size_t n, want;

	if (c->head.chunked)
		return (dechunk(&c->dechunk, &c->in, &c->body));
	if (c->head.content_length <= 0)
		return (1);
	want = (size_t)c->head.content_length - buf_len(&c->body);
	n = buf_len(&c->in) < want ? buf_len(&c->in) : want;
	if (n > 0 && buf_append(&c->body, buf_head(&c->in), n) != 0)
		return (-1);
	buf_consume(&c->in, n);
	return (n == want);
}

/* ---- the answer ---- */

/* Note in the journal what was sent; ${n} bytes just now. */
static void
note_sent(struct conn *c, size_t n)
{
	struct journal_entry *e = c->open ? journal_entry(&c->ticket) : NULL;
	int64_t now;

	if (e == NULL || n == 0)
		return;
	now = journal_now_us();
	e->bytes += (int64_t)n;
	e->status = c->reply.status;
	if (e->head_us == 0)
		e->head_us = now;
	e->phase = JOURNAL_FIRST;
	if (c->reply.place != REPLY_AT_BODY)
		return;
	e->phase = JOURNAL_STREAMING;
	if (e->first_us == 0)
		e->first_us = now;
	e->deltas = c->reply.piece - 1;
	if (e->deltas > e->usage.output)
		e->deltas = e->usage.output;
	if (e->deltas < 0)
		e->deltas = 0;
}

/* Tell the loop what to wait for: room, when nothing else goes on with it. */
static void
watch(struct conn *c)
{
	bool more = c->state == CONN_ANSWER && c->timer.loop == NULL;

	loop_watch_set(&c->watch, LOOP_READ | LOOP_HUP |
	    (buf_len(&c->out) > 0 || more ? LOOP_WRITE : 0));
}

/* Send what there is.  0, or -1: the client is gone. */
static int
flush(struct conn *c)
{
	bool drip = c->plan != NULL && c->plan->write_bytes > 0;
	size_t n = buf_len(&c->out);
	ssize_t w;

	if (n == 0)
		return (0);
	if (drip && n > (size_t)c->plan->write_bytes)
		n = (size_t)c->plan->write_bytes;
	w = send(c->fd, buf_head(&c->out), n, MSG_NOSIGNAL);
	if (w < 0 && errno != EAGAIN && errno != EINTR)
		return (-1);
	if (w > 0) {
		note_sent(c, (size_t)w);
		buf_consume(&c->out, (size_t)w);
	}
	watch(c);
	return (0);
}

static void
on_timer(struct loop_timer *t)
{

	run(t->arg);
}

/* Make steps until one has to wait.  0, or -1: no memory. */
static int
make_answer(struct conn *c)
{
	int64_t now = loop_now_ms(c->s->loop), due;

	while (buf_len(&c->out) < OUT_PAUSE_BYTES) {
		due = c->due_ms + reply_delay(&c->reply);
		if (due > now)
			return (loop_timer_set(c->s->loop, &c->timer, due,
			    on_timer, c));
		c->due_ms = due;
		c->next = reply_step(&c->reply, &c->out);
		if (c->next == REPLY_FAILED)
			return (-1);
		if (c->next != REPLY_MORE) {
			c->state = CONN_LAST;
			return (0);
		}
	}
	return (0);
}

/* All bytes are out: end as the answer wants it.  False: ${c} is gone. */
static bool
end_answer(struct conn *c)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	if (c->next == REPLY_HANG) {
		c->state = CONN_HANG;
		return (true);
	}
	if (c->next == REPLY_RST)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard,
		    sizeof(hard));
	if (c->open)
		journal_end(c->s->world.journal, &c->ticket,
		    reply_ended(&c->reply, c->next));
	c->open = false;
	if (c->next != REPLY_END || c->head.close) {
		conn_free(c);
		return (false);
	}
	plan_unref(c->plan);
	c->plan = NULL;
	c->state = CONN_HEAD;
	return (true);
}

/* Go on as far as possible. */
static void
run(struct conn *c)
{
	int rc = 1;

	while (rc > 0) {
		switch (c->state) {
		case CONN_HEAD:
			rc = take_head(c);
			break;
		case CONN_BODY:
			if ((rc = take_body(c)) > 0)
				dispatch(c);
			break;
		case CONN_ANSWER:
			rc = make_answer(c);
			if (c->state == CONN_LAST)
				rc = 1;
			break;
		case CONN_LAST:
			if (flush(c) != 0) {
				rc = -1;
				break;
			}
			if (buf_len(&c->out) > 0)
				return;
			if (!end_answer(c))
				return;
			break;
		case CONN_HANG:
			return;
		}
	}
	if (rc < 0 || flush(c) != 0)
		conn_free(c);
	else
		watch(c);
}

/* ---- descriptors ---- */

/* 1: bytes came; 0: none now; -1: the client is gone. */
static int
receive(struct conn *c)
{
	bool direct = c->state == CONN_BODY && !c->head.chunked &&
	    c->head.content_length > 0 && buf_len(&c->in) == 0;
	struct buf *b = direct ? &c->body : &c->in;
	size_t want = READ_BYTES;
	unsigned char *p;
	ssize_t n;

	if (direct) {
		want = (size_t)c->head.content_length - buf_len(&c->body);
		if (want > 4 * READ_BYTES)
			want = 4 * READ_BYTES;
	}
	if ((p = buf_reserve(b, want)) == NULL)
		return (-1);
	n = recv(c->fd, p, want, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n <= 0)
		return (-1);
	buf_commit(b, (size_t)n);
	return (1);
}

static void
on_conn(struct loop_watch *w, uint32_t events)
{
	struct conn *c = w->arg;

	if ((events & LOOP_HUP) ||
	    ((events & LOOP_READ) && receive(c) < 0)) {
		conn_free(c);
		return;
	}
	if ((events & LOOP_WRITE) && c->state != CONN_LAST && flush(c) != 0) {
		conn_free(c);
		return;
	}
	/* A timer says when an answer goes on. */
	if (c->timer.loop == NULL)
		run(c);
}

static void
conn_new(struct server *s, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
	    sizeof(int));
	c->s = s;
	c->number = ++s->connections;
	buf_init(&c->in, BODY_MAX_BYTES);
	buf_init(&c->head_bytes, HEAD_MAX_BYTES);
	buf_init(&c->body, BODY_MAX_BYTES);
	buf_init(&c->out, OUT_MAX_BYTES);
	LIST_INSERT_HEAD(&s->conns, c, entry);
	c->fd = fd;
	if (loop_watch_add(s->loop, &c->watch, fd, LOOP_READ | LOOP_HUP,
	    on_conn, c, NULL) != 0)
		conn_free(c);
}

static void
on_accept(struct loop_watch *w, uint32_t events)
{
	int fd;

	(void)events;
	while ((fd = accept4(w->fd, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1)
		conn_new(w->arg, fd);
}

struct server *
server_new(const struct server_params *params, struct err *err)
{
	struct server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		goto err0;
	s->loop = params->loop;
	s->listen_fd = params->listen_fd;
	s->world.rules = params->rules;
	s->world.journal = params->journal;
	s->world.objects = params->objects;
	s->control = params->control;
	LIST_INIT(&s->conns);
	buf_init(&s->scratch, OUT_MAX_BYTES);
	if ((s->scan = json_scan_new(wants, NWANTS)) == NULL)
		goto err1;
	if (loop_watch_add(s->loop, &s->watch, params->listen_fd, LOOP_READ,
	    on_accept, s, err) != 0)
		goto err2;
	return (s);
err2:
	json_scan_free(s->scan);
err1:
	free(s);
err0:
	err_set(err, ERR_NOMEM, "cannot make the server");
	return (NULL);
}

void
server_free(struct server *s)
{

	if (s == NULL)
		return;
	while (!LIST_EMPTY(&s->conns))
		conn_free(LIST_FIRST(&s->conns));
	loop_watch_del(&s->watch);
	close(s->listen_fd);
	json_scan_free(s->scan);
	buf_fini(&s->scratch);
	free(s);
}
