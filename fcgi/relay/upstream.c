#include <sys/socket.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "relay/upstream_internal.h"

/* ---- sockets ---- */

/* Make room for ${fd} in the table. */
static int
socks_reserve(struct upstream *u, int fd)
{
	struct sock **socks;
	size_t n;

	if ((size_t)fd < u->nsocks)
		return (0);
	n = ((size_t)fd + 1) * 2;
	if ((socks = realloc(u->socks, n * sizeof(*socks))) == NULL)
		return (-1);
	memset(&socks[u->nsocks], 0, (n - u->nsocks) * sizeof(*socks));
	u->socks = socks;
	u->nsocks = n;
	return (0);
}

static struct sock *
sock_find(struct upstream *u, int fd)
{

	return ((size_t)fd < u->nsocks ? u->socks[fd] : NULL);
}

static void
sock_free(struct upstream *u, int fd)
{
	struct sock *s;

	if ((s = sock_find(u, fd)) == NULL)
		return;
	loop_watch_del(&s->watch);
	u->socks[fd] = NULL;
	free(s);
}

static void socket_ready(struct loop_watch *, uint32_t);

static int
sock_watch(struct upstream *u, int fd, uint32_t events)
{
	struct sock *s;

	if (socks_reserve(u, fd) || (s = calloc(1, sizeof(*s))) == NULL)
		return (-1);
	s->u = u;
	if (loop_watch_add(u->loop, &s->watch, fd, events, socket_ready, s,
	    NULL)) {
		free(s);
		return (-1);
	}
	u->socks[fd] = s;
	return (0);
}

/*
 * A socket that never got through connecting is closed by libcurl (7.88) with
 * close() alone; if the next one gets the same number, libcurl takes it for
 * watched already.
 */
static int
sock_rewatch(struct upstream *u, int fd)
{
	struct sock *s;
	uint32_t events;

	if ((s = sock_find(u, fd)) == NULL)
		return (0);
	events = s->watch.events;
	sock_free(u, fd);
	return (sock_watch(u, fd, events));
}

/* What we run out of is no fault of the upstream: no account rests for it. */
static void
note_shortage(struct transfer *t, int errnum)
{

	if (errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS ||
	    errnum == ENOMEM)
		err_set_errno(&t->err, ERR_NOMEM, errnum,
		    "cannot make a socket");
}

curl_socket_t
sock_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = arg;
	int fd;

	(void)purpose;

	/* libcurl would send the request a second time. */
	if (t->dispatched && !t->resend)
		return (CURL_SOCKET_BAD);
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, address->protocol);
	if (fd == -1) {
		note_shortage(t, errno);
		return (CURL_SOCKET_BAD);
	}
	if (sock_rewatch(t->u, fd)) {
		note_shortage(t, ENOMEM);
		close(fd);
		return (CURL_SOCKET_BAD);
	}
	err_clear(&t->err);
	t->opened = true;
	return (fd);
}

int
sock_close(void *arg, curl_socket_t fd)
{

	sock_free(arg, fd);
	return (close(fd));
}

static void
socket_ready(struct loop_watch *w, uint32_t events)
{
	struct sock *s = w->arg;
	struct upstream *u = s->u;
	int fd = w->fd, mask = 0, running;

	if (events & LOOP_READ)
		mask |= CURL_CSELECT_IN;
	if (events & LOOP_WRITE)
		mask |= CURL_CSELECT_OUT;
	upstream_enter(u);
	(void)curl_multi_socket_action(u->multi, fd, mask, &running);
	upstream_leave(u);
}

/* The loop could not take a socket: its transfer ends at its next time-out,
 * which is now.  (A timer that is set can be moved without memory.) */
static void
unwatched(struct transfer *t)
{

	if (t->timer.loop == NULL)
		return;
	t->unwatched = true;
	if (loop_timer_set(t->u->loop, &t->timer, loop_now_ms(t->u->loop),
	    t->timer.cb, t))
		assert(!"a timer that is set could not be moved");
}

/*
 * libcurl is done with a socket for now.  On a connection that was kept before
 * it may be needed again soon, and sock_close tells when it is not: it stays
 * watched, wanting nothing, which costs nothing until something comes.  Any
 * other socket may be closed already.
 */
static void
sock_unwanted(struct upstream *u, const struct transfer *t, int fd)
{
	struct sock *s;

	if ((s = sock_find(u, fd)) != NULL && t->dispatched && !t->opened)
		loop_watch_set(&s->watch, 0);
	else
		sock_free(u, fd);
}

/* CURLMOPT_SOCKETFUNCTION; to return -1 would end all transfers. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp)
{
	struct upstream *u = arg;
	struct sock *s = sock_find(u, fd);
	struct transfer *t = NULL;
	uint32_t events = 0;

	(void)sockp;
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	if (what & CURL_POLL_IN)
		events |= LOOP_READ;
	if (what & CURL_POLL_OUT)
		events |= LOOP_WRITE;
	if (t == NULL)
		sock_free(u, fd);
	else if (what == CURL_POLL_REMOVE)
		sock_unwanted(u, t, fd);
	else if (s != NULL)
		loop_watch_set(&s->watch, events);
	else if (sock_watch(u, fd, events))
		unwatched(t);
	return (0);
}

/* ---- time ---- */

static void
run_due(struct upstream *u)
{
	int running;

	upstream_enter(u);
	(void)curl_multi_socket_action(u->multi, CURL_SOCKET_TIMEOUT, 0,
	    &running);
	upstream_leave(u);
}

static void
timer_due(struct loop_timer *timer)
{

	run_due(timer->arg);
}

static void
task_due(struct loop_task *task)
{

	run_due(task->arg);
}

/* CURLMOPT_TIMERFUNCTION. */
static int
time_wanted(CURLM *multi, long ms, void *arg)
{
	struct upstream *u = arg;

	(void)multi;
	loop_timer_cancel(&u->timer);
	loop_task_cancel(&u->due);
	if (ms < 0)
		return (0);

	/* Without memory for a timer libcurl is asked every turn. */
	if (ms == 0 || loop_timer_set(u->loop, &u->timer,
	    loop_now_ms(u->loop) + ms + 1, timer_due, u))
		loop_task_add(u->loop, &u->due, task_due, u);
	return (0);
}

/* ---- who runs ---- */

static void
start_some(struct loop_task *task)
{
	struct upstream *u = task->arg;
	struct transfer *t;
	CURLMcode rc;
	int n;

	for (n = 0; n < LIMIT_STARTS_PER_TURN; n++) {
		if ((t = TAILQ_FIRST(&u->pending)) == NULL)
			break;
		TAILQ_REMOVE(&u->pending, t, entry);
		t->state = TRANSFER_RUNNING;
		TAILQ_INSERT_TAIL(&u->running, t, entry);
		rc = curl_multi_add_handle(u->multi, t->easy);
		if (rc != CURLM_OK)
			transfer_fail(t, TRANSFER_INTERNAL,
			    curl_multi_strerror(rc));
	}
	if (!TAILQ_EMPTY(&u->pending))
		loop_task_add(u->loop, &u->starter, start_some, u);

	/* Adding asked for a time-out of 0; here it is. */
	run_due(u);
}

void
upstream_enqueue(struct transfer *t)
{
	struct upstream *u = t->u;

	t->state = TRANSFER_PENDING;
	TAILQ_INSERT_TAIL(&u->pending, t, entry);
	loop_task_add(u->loop, &u->starter, start_some, u);
}

void
upstream_take_out(struct transfer *t)
{
	struct upstream *u = t->u;

	if (t->state == TRANSFER_PENDING)
		TAILQ_REMOVE(&u->pending, t, entry);
	if (t->state == TRANSFER_RUNNING)
		TAILQ_REMOVE(&u->running, t, entry);
	if (t->state == TRANSFER_DOOMED)
		TAILQ_REMOVE(&u->doomed, t, entry);
	if (t->state == TRANSFER_RUNNING || t->state == TRANSFER_DOOMED) {
		u->depth++;
		(void)curl_multi_remove_handle(u->multi, t->easy);
		u->depth--;
	}
	t->state = TRANSFER_ENDED;
}

static void
reap(struct loop_task *task)
{
	struct upstream *u = task->arg;
	struct transfer *t;

	while ((t = TAILQ_FIRST(&u->doomed)) != NULL) {
		upstream_take_out(t);
		transfer_recycle(t);
	}
}

void
upstream_enter(struct upstream *u)
{

	u->depth++;
}

void
upstream_leave(struct upstream *u)
{
	struct transfer *t;
	CURLMsg *msg;
	int left;

	if (--u->depth > 0)
		return;
	while ((msg = curl_multi_info_read(u->multi, &left)) != NULL) {
		t = NULL;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
		    &t);
		if (msg->msg == CURLMSG_DONE && t != NULL &&
		    t->state == TRANSFER_RUNNING)
			transfer_ended(t, msg->data.result);
	}
}

void
transfer_cancel(struct transfer *t)
{
	struct upstream *u;

	if (t == NULL)
		return;
	u = t->u;
	assert(t->state != TRANSFER_SPARE && t->state != TRANSFER_DOOMED);
	loop_timer_cancel(&t->timer);
	loop_task_cancel(&t->resume);
	if (u->depth == 0 || t->state != TRANSFER_RUNNING) {
		upstream_take_out(t);
		transfer_recycle(t);
		return;
	}
	TAILQ_REMOVE(&u->running, t, entry);
	t->state = TRANSFER_DOOMED;
	TAILQ_INSERT_TAIL(&u->doomed, t, entry);
	loop_task_add(u->loop, &u->reaper, reap, u);
}

/* ---- making and ending it ---- */

static int
check_ca_file(struct upstream *u, const char *path, struct err *err)
{

	if (path == NULL || path[0] == '\0')
		return (0);
	if (access(path, R_OK)) {
		err_set_errno(err, ERR_IO, errno, "cannot read %s", path);
		return (-1);
	}
	if ((u->ca_file = strdup(path)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the upstream");
		return (-1);
	}
	return (0);
}

static int
setup_multi(struct upstream *u, int64_t connections_max)
{
	CURLM *m = u->multi;
	CURLMcode rc;

#define SET(option, value) do {						\
	if ((rc = curl_multi_setopt(m, option, value)) != CURLM_OK)	\
		return (-1);						\
} while (0)
	SET(CURLMOPT_SOCKETFUNCTION, socket_wanted);
	SET(CURLMOPT_SOCKETDATA, u);
	SET(CURLMOPT_TIMERFUNCTION, time_wanted);
	SET(CURLMOPT_TIMERDATA, u);
	SET(CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	SET(CURLMOPT_MAXCONNECTS, (long)connections_max);
	SET(CURLMOPT_MAX_HOST_CONNECTIONS, 0L);
	SET(CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);
#undef SET
	return (0);
}

/* Within one multi handle connections and names are shared anyway. */
static int
setup_share(CURLSH *share)
{

	return (curl_share_setopt(share, CURLSHOPT_SHARE,
	    CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK ? 0 : -1);
}

struct upstream *
upstream_new(const struct upstream_params *params, struct err *err)
{
	struct upstream *u;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		goto err0;
	u->loop = params->loop;
	TAILQ_INIT(&u->pending);
	TAILQ_INIT(&u->running);
	TAILQ_INIT(&u->doomed);
	TAILQ_INIT(&u->spare);
	if (check_ca_file(u, params->ca_file, err))
		goto err1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		goto err2;
	if ((u->multi = curl_multi_init()) == NULL ||
	    setup_multi(u, params->connections_max))
		goto err3;
	if ((u->share = curl_share_init()) == NULL || setup_share(u->share))
		goto err4;
	return (u);

err4:
	(void)curl_share_cleanup(u->share);
err3:
	(void)curl_multi_cleanup(u->multi);
	curl_global_cleanup();
err2:
	free(u->ca_file);
err1:
	free(u);
err0:
	err_set(err, ERR_NOMEM, "no memory for the upstream");
	return (NULL);
}

void
upstream_free(struct upstream *u)
{
	struct transfer *t;

	if (u == NULL)
		return;
	assert(TAILQ_EMPTY(&u->pending) && TAILQ_EMPTY(&u->running));
	while ((t = TAILQ_FIRST(&u->doomed)) != NULL) {
		upstream_take_out(t);
		transfer_destroy(t);
	}
	while ((t = TAILQ_FIRST(&u->spare)) != NULL) {
		TAILQ_REMOVE(&u->spare, t, entry);
		transfer_destroy(t);
	}
	(void)curl_multi_cleanup(u->multi);
	(void)curl_share_cleanup(u->share);
	curl_global_cleanup();
	loop_timer_cancel(&u->timer);
	loop_task_cancel(&u->due);
	loop_task_cancel(&u->starter);
	loop_task_cancel(&u->reaper);
	free(u->socks);
	free(u->ca_file);
	free(u);
}
