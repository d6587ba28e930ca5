#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/buf.h"
#include "base/cond.h"
#include "base/err.h"
#include "base/log.h"
#include "http/request.h"

#include "events.h"
#include "workers.h"

/* Where spawn-fcgi leaves the socket. */
#define LISTEN_FD	0

/* Pause after accept failed for want of descriptors or memory, ms. */
#define ACCEPT_PAUSE_MS	100

/* Of a body that is read at once. */
#define BODY_PIECE	8192

struct workers {
	struct service_params params;
	int64_t *busy;
	int64_t long_runs;	/* see api_begin_long; atomic */
	int over_fd;		/* readable from workers_stop on */
	pthread_t *threads;
	size_t n;
	pthread_mutex_t lock;	/* guards running */
	pthread_cond_t ended;
	size_t running;
};

/* Wait for a connection.  true: try to accept one; false: it is over, and
 * the backlog is empty. */
static bool
wait_for_connection(const struct workers *w)
{
	struct pollfd fds[] = {
		{ .fd = LISTEN_FD, .events = POLLIN },
		{ .fd = w->over_fd, .events = POLLIN },
	};

	while (poll(fds, 2, -1) == -1) {
		if (errno != EINTR && errno != EAGAIN)
			return (false);
	}
	return (fds[0].revents != 0 || fds[1].revents == 0);
}

/* Hand over the CGI parameters; ready is what http_request_ready says. */
static int
take_params(struct http_request *r, char *const *envp, const char *mount,
    struct err *err)
{
	const char *value;
	int ready, rc = 0;

	for (; *envp != NULL; envp++) {
		if ((value = strchr(*envp, '=')) == NULL)
			continue;
		if (http_request_param(r, *envp, (size_t)(value - *envp),
		    value + 1, strlen(value + 1), err) == -1)
			rc = -1;
	}
	ready = http_request_ready(r, mount, err);
	return (rc == -1 ? -1 : ready);
}

/* The body, as far as it may be long; the rest is dropped by libfcgi. */
static void
take_body(FCGX_Request *req, struct buf *in, struct service_body *body)
{
	char piece[BODY_PIECE];
	int n;

	memset(body, 0, sizeof(*body));
	while (!body->too_large && (n = FCGX_GetStr(piece, sizeof(piece),
	    req->in)) > 0) {
		if (buf_append(in, piece, (size_t)n) == -1)
			body->too_large = true;
	}
	body->p = (const char *)buf_head(in);
	body->n = buf_len(in);
}

/* Who listens to events is served by the thread for them from here on. */
static void
hand_over(const struct workers *w, FCGX_Request *req, const struct who *who)
{
	const int fd = req->ipcFd;

	(void)FCGX_FFlush(req->out);
	req->ipcFd = -1;
	FCGX_Free(req, 0);
	events_take(w->params.settings.events, fd, (uint16_t)req->requestId,
	    who);
}

/* ---- answers in pieces ---- */

static int
put_piece(void *arg, const void *p, size_t n)
{
	FCGX_Request *req = arg;

	return (FCGX_PutStr(p, (int)n, req->out) == -1 ||
	    FCGX_FFlush(req->out) == -1 ? -1 : 0);
}

/* After a request nothing more comes, but for the end of the connection, or a
 * record that breaks it off. */
static bool
has_left(void *arg)
{
	const FCGX_Request *req = arg;
	struct pollfd fd = { .fd = req->ipcFd, .events = POLLIN };

	return (poll(&fd, 1, 0) > 0);
}

static void
serve(struct service *s, const struct workers *w, FCGX_Request *req)
{
	struct err err = { .code = ERR_NONE };
	struct service_body body;
	struct http_request r;
	struct buf in, out;
	struct who who;
	int ready;

	__atomic_add_fetch(w->busy, 1, __ATOMIC_RELAXED);
	buf_init(&in, SERVICE_BODY_BYTES);
	buf_init(&out, SERVICE_ANSWER_BYTES);
	http_request_init(&r);
	ready = take_params(&r, req->envp, w->params.settings.mount, &err);
	take_body(req, &in, &body);
	(void)service_answer(s, &r, &body, ready, &err, &out);

	/* Who is gone needs no answer: a failed write is no matter. */
	(void)FCGX_PutStr((const char *)buf_head(&out), (int)buf_len(&out),
	    req->out);
	if (service_listener(s, &who))
		hand_over(w, req, &who);
	http_request_fini(&r);
	buf_wipe(&in);
	buf_wipe(&out);
	__atomic_sub_fetch(w->busy, 1, __ATOMIC_RELAXED);
}

static void
accept_failed(const struct workers *w, int errnum)
{
	const struct timespec pause = {
		.tv_nsec = ACCEPT_PAUSE_MS * 1000000L
	};
	struct err err = { .code = ERR_NONE };

	/* Another thread was faster, or the peer is gone already. */
	if (errnum == EAGAIN || errnum == EWOULDBLOCK || errnum == EINTR ||
	    errnum == ECONNABORTED)
		return;
	err_set_errno(&err, ERR_IO, errnum, "cannot accept a connection");
	log_note(w->params.log, LOG_LEVEL_ERROR, "admin", "accept", &err);
	(void)nanosleep(&pause, NULL);
}

static void
leave(struct workers *w)
{

	(void)pthread_mutex_lock(&w->lock);
	if (--w->running == 0)
		(void)pthread_cond_signal(&w->ended);
	(void)pthread_mutex_unlock(&w->lock);
}

static void *
work(void *arg)
{
	struct workers *w = arg;
	struct service_params params = w->params;
	struct service *s;
	FCGX_Request req;
	int rc;

	params.sink = (struct api_sink) { put_piece, has_left, &req };
	if ((s = service_new(&params)) == NULL ||
	    FCGX_InitRequest(&req, LISTEN_FD, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		goto out;
	while (wait_for_connection(w)) {
		if ((rc = FCGX_Accept_r(&req)) < 0) {
			accept_failed(w, -rc);
			continue;
		}
		serve(s, w, &req);
		req.keepConnection = 0;
		FCGX_Finish_r(&req);
	}

out:
	service_free(s);
	leave(w);
	return (NULL);
}

bool
workers_are_spawned(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return (getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening,
	    &len) == 0 && listening);
}

/* Descriptor 0 is to be a listening socket, which must not block. */
static int
prepare_socket(struct err *err)
{
	int flags;

	if (FCGX_Init() != 0 || FCGX_IsCGI()) {
		err_set(err, ERR_INVAL, "standard input is not a listening "
		    "socket: start this program with spawn-fcgi");
		return (-1);
	}
	if ((flags = fcntl(LISTEN_FD, F_GETFL)) == -1 ||
	    fcntl(LISTEN_FD, F_SETFL, flags | O_NONBLOCK) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot prepare the "
		    "listening socket");
		return (-1);
	}
	return (0);
}

/* For what takes long. */
static bool
is_over(void *arg)
{
	const struct workers *w = arg;
	struct pollfd fd = { .fd = w->over_fd, .events = POLLIN };

	return (poll(&fd, 1, 0) > 0);
}

static void
workers_free(struct workers *w)
{

	(void)close(w->over_fd);
	(void)pthread_cond_destroy(&w->ended);
	(void)pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}

static struct workers *
workers_new(size_t n, const struct service_params *params, struct err *err)
{
	struct workers *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		goto err0;
	w->params = *params;
	w->params.settings.over = is_over;
	w->params.settings.over_arg = w;
	w->params.settings.long_runs = &w->long_runs;
	w->params.settings.long_runs_max = n < 2 ? 1 : (int64_t)n / 2;
	if ((w->threads = calloc(n, sizeof(*w->threads))) == NULL)
		goto err1;
	if ((w->over_fd = eventfd(0, EFD_CLOEXEC)) == -1)
		goto err2;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)cond_init(&w->ended);
	return (w);

err2:
	free(w->threads);
err1:
	free(w);
err0:
	err_set(err, ERR_NOMEM, "no memory for threads");
	return (NULL);
}

struct workers *
workers_start(int64_t n, const struct service_params *params,
    int64_t *busy, struct err *err)
{
	struct workers *w;
	int rc;

	if (prepare_socket(err) ||
	    (w = workers_new((size_t)n, params, err)) == NULL)
		return (NULL);
	w->busy = busy;
	for (w->n = 0; w->n < (size_t)n; w->n++) {
		(void)pthread_mutex_lock(&w->lock);
		w->running++;
		(void)pthread_mutex_unlock(&w->lock);
		if ((rc = pthread_create(&w->threads[w->n], NULL, work, w))
		    == 0)
			continue;
		err_set_errno(err, ERR_NOMEM, rc, "cannot start a thread");
		leave(w);

		/* They have nothing to do yet, so they end at once. */
		(void)!workers_stop(w, INT32_MAX);
		return (NULL);
	}
	return (w);
}

/* Wait for the last thread to leave; false: it is too late. */
static bool
wait_for_threads(struct workers *w, int64_t timeout_ms)
{
	const struct timespec end = cond_in(timeout_ms);
	int rc = 0;

	(void)pthread_mutex_lock(&w->lock);
	while (w->running > 0 && rc == 0)
		rc = pthread_cond_timedwait(&w->ended, &w->lock, &end);
	rc = w->running > 0;
	(void)pthread_mutex_unlock(&w->lock);
	return (rc == 0);
}

int
workers_stop(struct workers *w, int64_t timeout_ms)
{
	const uint64_t one = 1;
	size_t i;

	while (write(w->over_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		continue;
	if (!wait_for_threads(w, timeout_ms))
		return (-1);
	for (i = 0; i < w->n; i++)
		(void)pthread_join(w->threads[i], NULL);
	workers_free(w);
	return (0);
}
