#define _GNU_SOURCE	/* accept4 */
#include <sys/socket.h>
#include <sys/time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "http/conn.h"
#include "metrics/slots.h"

/* Connections accepted in one turn; what is left waits for the next. */
#define ACCEPTS_A_TURN	16

/* How long accepting stops when descriptors or memory have run out, and how
 * often it is looked for connections while draining. */
#define PAUSE_MS	100

static void listen_ready(struct loop_watch *w, uint32_t events);
static void pause_over(struct loop_timer *t);
static void drain_run(struct loop_task *t);

/* Stop accepting for a moment, rather than being told again at once. */
static void
pause_accepting(struct fcgi_server *s)
{

	loop_watch_del(&s->watch);
	/* Without memory for it, a connection that closes resumes. */
	if (loop_timer_set(s->loop, &s->pause,
	    loop_now_ms(s->loop) + PAUSE_MS, pause_over, s))
		return;
}

/* Accept (again) when nothing stands against it. */
static void
resume_accepting(struct fcgi_server *s)
{

	if (s->watch.loop != NULL || s->pause.loop != NULL || s->draining ||
	    s->nconns >= s->connections_max)
		return;
	if (loop_watch_add(s->loop, &s->watch, s->listen_fd,
	    LOOP_READ | LOOP_EXCLUSIVE, listen_ready, s, NULL))
		pause_accepting(s);
}

static void
pause_over(struct loop_timer *t)
{
	struct fcgi_server *s = t->arg;

	if (s->draining)
		loop_task_add(s->loop, &s->drain_task, drain_run, s);
	else
		resume_accepting(s);
}

/* Another process took the connection, or it is gone again. */
static bool
is_passing(int errnum)
{

	return (errnum == EINTR || errnum == ECONNABORTED || errnum == EPROTO);
}

/* False when there were more than may be taken in one turn. */
static bool
accept_some(struct fcgi_server *s)
{
	int fd, i;

	for (i = 0; i < ACCEPTS_A_TURN; i++) {
		if (s->nconns >= s->connections_max) {
			loop_watch_del(&s->watch);
			return (true);
		}
		fd = accept4(s->listen_fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1 && is_passing(errno))
			continue;
		if (fd == -1 && errno == EAGAIN)
			return (true);
		if (fd == -1 || conn_new(s, fd)) {
			pause_accepting(s);
			return (true);
		}
	}
	return (false);
}

static void
listen_ready(struct loop_watch *w, uint32_t events)
{

	(void)events;
	(void)accept_some(w->arg);
}

/*
 * Look for connections that nobody has accepted yet.  Other responders on the
 * same socket take theirs as soon as they come, so hardly any is left to us,
 * who would else go on for as long as new ones come.
 */
static void
drain_run(struct loop_task *t)
{
	struct fcgi_server *s = t->arg;

	if (!accept_some(s)) {
		loop_task_add(s->loop, &s->drain_task, drain_run, s);
		return;
	}
	if (s->nconns == 0)
		s->idle_cb(s->idle_arg);
	if (s->pause.loop == NULL)
		pause_accepting(s);
}

static void
drain_on(struct fcgi_server *s)
{

	if (s->draining && s->nconns == 0)
		loop_task_add(s->loop, &s->drain_task, drain_run, s);
}

void
server_conn_closed(struct fcgi_server *s)
{

	slot_set(s->slot, SLOT_CONNECTIONS, --s->nconns);
	resume_accepting(s);
	drain_on(s);
}

void
fcgi_server_drain(struct fcgi_server *s, void (*idle_cb)(void *arg), void *arg)
{

	s->draining = true;
	s->idle_cb = idle_cb;
	s->idle_arg = arg;
	loop_watch_del(&s->watch);
	loop_task_add(s->loop, &s->drain_task, drain_run, s);
}

void
fcgi_server_close_idle(struct fcgi_server *s)
{
	struct conn *c;

	TAILQ_FOREACH(c, &s->conns, entry) {
		if (c->req == NULL && !c->closing && buf_len(&c->out) == 0)
			conn_over(c, FCGI_GONE_CLOSED);
	}
}

void
fcgi_server_set_timeouts(struct fcgi_server *s, int64_t read_timeout_ms,
    int64_t write_timeout_ms)
{

	s->read_timeout_ms = read_timeout_ms;
	s->write_timeout_ms = write_timeout_ms;
}

void
fcgi_server_stats(const struct fcgi_server *s, struct fcgi_server_stats *st)
{

	st->connections = s->nconns;
	st->requests = s->nrequests;
	st->protocol_errors = s->protocol_errors;
}

/*
 * Being non-blocking is shared with all processes that have the socket, and
 * systemd takes it away whenever it starts one more on it (exec_child in its
 * execute.c, for StandardInput=socket).  Until that one has set it again, this
 * bounds how long an accept waits that finds nothing (socket(7)).
 */
static int
bound_accept(const struct fcgi_server *s)
{
	const struct timeval shortest = { .tv_usec = 1 };

	return (setsockopt(s->listen_fd, SOL_SOCKET, SO_RCVTIMEO, &shortest,
	    sizeof(shortest)));
}

/*
 * What kind of socket it is, and non-blocking.  Accepted TCP connections
 * inherit TCP_NODELAY from the listening one (tcp(7) on Linux).
 */
static int
prepare_socket(struct fcgi_server *s, struct err *err)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int on = 1, flags;

	memset(&addr, 0, sizeof(addr));
	if (getsockname(s->listen_fd, (struct sockaddr *)&addr, &len)) {
		err_set_errno(err, ERR_INVAL, errno,
		    "descriptor %d is no socket (was this started by "
		    "spawn-fcgi?)", s->listen_fd);
		return (-1);
	}
	s->is_unix = addr.ss_family == AF_UNIX;
	if ((flags = fcntl(s->listen_fd, F_GETFL)) == -1 ||
	    fcntl(s->listen_fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    bound_accept(s) == -1) {
		err_set_errno(err, ERR_IO, errno,
		    "cannot set up the listening socket");
		return (-1);
	}
	if (!s->is_unix && setsockopt(s->listen_fd, IPPROTO_TCP, TCP_NODELAY,
	    &on, sizeof(on))) {
		err_set_errno(err, ERR_IO, errno,
		    "cannot set up the listening socket");
		return (-1);
	}
	return (0);
}

static struct fcgi_server *
server_alloc(const struct fcgi_server_params *params)
{
	struct fcgi_server *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	if ((s->mount = strdup(params->mount)) == NULL) {
		free(s);
		return (NULL);
	}
	s->loop = params->loop;
	s->listen_fd = params->listen_fd;
	s->connections_max = params->connections_max;
	s->read_timeout_ms = params->read_timeout_ms;
	s->write_timeout_ms = params->write_timeout_ms;
	s->handler = params->handler;
	s->arg = params->arg;
	s->slot = params->slot;
	TAILQ_INIT(&s->conns);
	buf_init(&s->in, LIMIT_READ_BYTES);
	return (s);
}

struct fcgi_server *
fcgi_server_new(const struct fcgi_server_params *params, struct err *err)
{
	struct fcgi_server *s;

	if ((s = server_alloc(params)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the FastCGI server");
		goto err0;
	}
	if (prepare_socket(s, err) ||
	    loop_watch_add(s->loop, &s->watch, s->listen_fd,
	    LOOP_READ | LOOP_EXCLUSIVE, listen_ready, s, err))
		goto err1;
	return (s);

err1:
	free(s->mount);
	free(s);
err0:
	return (NULL);
}

void
fcgi_server_free(struct fcgi_server *s)
{
	struct conn *c;

	if (s == NULL)
		return;
	s->connections_max = 0;
	loop_watch_del(&s->watch);
	while ((c = TAILQ_FIRST(&s->conns)) != NULL)
		conn_end(c, FCGI_GONE_CLOSED);
	loop_timer_cancel(&s->pause);
	loop_task_cancel(&s->drain_task);
	buf_fini(&s->in);
	free(s->mount);
	free(s);
}
