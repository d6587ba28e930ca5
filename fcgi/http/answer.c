#include <sys/socket.h>
#include <errno.h>
#include <fastcgi.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "http/conn.h"
#include "http/record.h"

/* Memory that a connection keeps for output while its request is open. */
#define KEPT_OUT_BYTES	(16 * 1024)

struct http_request *
fcgi_request_http(struct fcgi_request *req)
{

	return (&req->http);
}

void *
fcgi_request_arg(const struct fcgi_request *req)
{

	return (req->arg);
}

void
fcgi_request_set_arg(struct fcgi_request *req, void *arg)
{

	req->arg = arg;
}

int
fcgi_write(struct fcgi_request *req, const void *p, size_t n)
{
	struct conn *c = req->conn;

	if (n == 0)
		return (req->stopped);
	if (c->tail > 0 && !record_extend_stdout(&c->out, c->tail, p, n)) {
		c->tail += n;
	} else {
		if (record_put_stdout(&c->out, req->id, p, n))
			return (-1);
		c->tail = (n - 1) % LIMIT_RECORD_BYTES + 1;
	}
	req->answered = true;
	if (!c->blocked)
		conn_touch(c);
	if (buf_len(&c->out) > LIMIT_CLIENT_OUT_BYTES)
		req->stopped = true;
	return (req->stopped);
}

void
fcgi_hold(struct fcgi_request *req, bool held)
{

	conn_hold(req->conn, held);
}

/*
 * How a kept connection that is closed behind an answer is marked, so that the
 * web server does not send the next request on it in the moment before it sees
 * it close.  nginx and its kin: by an empty record behind END_REQUEST.  Apache
 * would take that for the beginning of the next answer (2.4: 200 and nothing in
 * it); by the end of the answer's bytes without END_REQUEST.  The client has
 * all of it then, and Apache keeps no connection that ended so.
 */
enum mark {
	MARK_NONE,
	MARK_BEHIND,
	MARK_INSTEAD
};

static enum mark
mark_for(const char *server)
{
	static const struct {
		const char *name;
		enum mark mark;
	} servers[] = {
		{ "nginx", MARK_BEHIND },
		{ "openresty", MARK_BEHIND },
		{ "tengine", MARK_BEHIND },
		{ "angie", MARK_BEHIND },
		{ "freenginx", MARK_BEHIND },
		{ "apache", MARK_INSTEAD }
	};
	size_t i;

	for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (strncasecmp(server, servers[i].name,
		    strlen(servers[i].name)) == 0)
			return (servers[i].mark);
	return (server[0] == '\0' ? MARK_BEHIND : MARK_NONE);
}

/* The request is done with; the connection may be, too. */
void
fcgi_finish(struct fcgi_request *req)
{
	struct conn *c = req->conn;
	uint16_t id = req->id;
	enum mark mark = MARK_NONE;
	int rc = 0;

	if (!req->keep_conn || c->server->draining || c->broken ||
	    c->dropped_bytes > LIMIT_DISCARD_BYTES) {
		c->closing = true;
		if (req->keep_conn)
			mark = mark_for(req->http.server);
	}
	conn_request_done(c);
	if (mark != MARK_INSTEAD)
		rc = record_put_end(&c->out, id, 0, FCGI_REQUEST_COMPLETE);
	if (mark != MARK_NONE && rc == 0)
		rc = record_put_last(&c->out, id);
	conn_answer(c, rc);
}

void
fcgi_reset(struct fcgi_request *req)
{
	struct conn *c = req->conn;

	conn_request_done(c);
	c->closing = true;
	if (c->server->is_unix) {
		c->input_open = false;
		conn_answer(c, record_put_broken(&c->out));
	} else {
		c->rst = true;
		conn_over(c, FCGI_GONE_CLOSED);
	}
}

/* Give back what was needed for a burst. */
static void
free_out(struct conn *c)
{

	if (c->req == NULL || c->out.cap > KEPT_OUT_BYTES)
		buf_fini(&c->out);
}

int
conn_flush(struct conn *c)
{
	size_t len = buf_len(&c->out);
	ssize_t n;

	if (len == 0)
		return (0);
	n = send(c->fd, buf_head(&c->out), len, MSG_NOSIGNAL);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			return (-1);
		n = 0;
	}
	if (n > 0 || !c->blocked) {
		c->write_ms = loop_now_ms(c->server->loop);
		c->queued = INT_MAX;
	}
	buf_consume(&c->out, (size_t)n);
	c->tail = 0;
	if (buf_len(&c->out) == 0)
		free_out(c);
	if (c->blocked != ((size_t)n < len)) {
		c->blocked = !c->blocked;
		loop_watch_set(&c->watch, c->blocked ?
		    c->watch.events | LOOP_WRITE :
		    c->watch.events & ~LOOP_WRITE);
	}
	return (0);
}
