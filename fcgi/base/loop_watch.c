#include <sys/epoll.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/loop_internal.h"

static uint32_t
to_epoll(const struct loop_watch *w, uint32_t events)
{
	uint32_t e = 0;

	if (events & LOOP_READ)
		e |= EPOLLIN;
	if (events & LOOP_WRITE)
		e |= EPOLLOUT;
	if (events & LOOP_HUP)
		e |= EPOLLRDHUP;
	if (w->exclusive)
		e |= EPOLLEXCLUSIVE;
	return (e);
}

static uint32_t
from_epoll(uint32_t e)
{
	uint32_t events = 0;

	if (e & EPOLLIN)
		events |= LOOP_READ;
	if (e & EPOLLOUT)
		events |= LOOP_WRITE;
	if (e & EPOLLRDHUP)
		events |= LOOP_HUP;
	if (e & (EPOLLHUP | EPOLLERR))
		events |= LOOP_READ | LOOP_WRITE | LOOP_HUP;
	return (events);
}

/* What the kernel shall report of a watch. */
static uint32_t
wanted(const struct loop_watch *w)
{
	uint32_t events = w->events & (LOOP_READ | LOOP_WRITE | LOOP_HUP);

	if (w->hup_told || w->exclusive)
		events &= ~LOOP_HUP;
	return (events);
}

/*
 * Tell the kernel.  A watch that wants nothing is taken out, as errors and
 * hang-ups would be reported of it for ever.
 */
static int
arm(struct loop_watch *w, uint32_t events)
{
	struct epoll_event e;
	int op;

	memset(&e, 0, sizeof(e));
	e.events = to_epoll(w, events);
	e.data.ptr = w;
	if (events == w->armed)
		return (0);
	if (w->armed != 0 && w->exclusive && events != 0) {
		/* EPOLLEXCLUSIVE cannot be modified. */
		if (epoll_ctl(w->loop->epfd, EPOLL_CTL_DEL, w->fd, NULL))
			return (-1);
		w->armed = 0;
	}
	op = events == 0 ? EPOLL_CTL_DEL :
	    w->armed == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	if (epoll_ctl(w->loop->epfd, op, w->fd, &e))
		return (-1);
	w->armed = events;
	return (0);
}

static void
mark_dirty(struct loop_watch *w)
{

	if (w->is_dirty)
		return;
	w->is_dirty = true;
	TAILQ_INSERT_TAIL(&w->loop->dirty, w, dirty);
}

static void
unmark_dirty(struct loop_watch *w)
{

	if (!w->is_dirty)
		return;
	w->is_dirty = false;
	TAILQ_REMOVE(&w->loop->dirty, w, dirty);
}

/*
 * Whether the kernel may go on reporting more than is wanted.  A socket is
 * nearly always writable, so that is told at once; and a listening socket
 * left armed would swallow wake-ups that another process should get.
 */
static bool
may_stay(const struct loop_watch *w, uint32_t want)
{

	return ((want & ~w->armed) == 0 &&
	    (w->armed & ~want & LOOP_WRITE) == 0 &&
	    !w->exclusive && !w->unwanted);
}

int
loop_sync_watches(struct loop *loop, struct err *err)
{
	struct loop_watch *w;
	uint32_t want;

	while ((w = TAILQ_FIRST(&loop->dirty)) != NULL) {
		unmark_dirty(w);
		want = wanted(w);
		if (may_stay(w, want))
			continue;
		w->unwanted = false;
		if (arm(w, want)) {
			err_set_errno(err, ERR_IO, errno,
			    "cannot change the watch of descriptor %d", w->fd);
			return (-1);
		}
	}
	return (0);
}

int
loop_watch_add(struct loop *loop, struct loop_watch *w, int fd,
    uint32_t events, void (*cb)(struct loop_watch *, uint32_t), void *arg,
    struct err *err)
{

	assert(w->loop == NULL);
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->events = events;
	w->exclusive = (events & LOOP_EXCLUSIVE) != 0;
	w->cb = cb;
	w->arg = arg;
	w->loop = loop;
	if (arm(w, wanted(w))) {
		err_set_errno(err, ERR_IO, errno, "cannot watch descriptor %d",
		    fd);
		w->fd = -1;
		w->loop = NULL;
		return (-1);
	}
	return (0);
}

void
loop_watch_set(struct loop_watch *w, uint32_t events)
{

	w->events = events;
	if (wanted(w) != w->armed)
		mark_dirty(w);
	else
		unmark_dirty(w);
}

void
loop_watch_del(struct loop_watch *w)
{
	struct loop *loop = w->loop;
	int i;

	if (loop == NULL)
		return;

	/* Nothing can be done about a failure: the caller closed it first. */
	if (w->armed != 0)
		(void)epoll_ctl(loop->epfd, EPOLL_CTL_DEL, w->fd, NULL);
	for (i = loop->ievent + 1; i < loop->nevents; i++) {
		if (loop->events[i].data.ptr == w)
			loop->events[i].data.ptr = NULL;
	}
	unmark_dirty(w);
	w->fd = -1;
	w->armed = 0;
	w->loop = NULL;
}

static void
run_event(struct loop_watch *w, uint32_t reported)
{
	uint32_t events = from_epoll(reported) & wanted(w);

	if (events == 0) {
		w->unwanted = true;
		mark_dirty(w);
		return;
	}
	if (events & LOOP_HUP) {
		w->hup_told = true;
		w->unwanted = true;
		mark_dirty(w);
	}
	w->cb(w, events);
}

void
loop_run_events(struct loop *loop)
{
	struct epoll_event *e;

	for (loop->ievent = 0; loop->ievent < loop->nevents; loop->ievent++) {
		e = &loop->events[loop->ievent];

		/* Deleted since, or the eventfd, which has done its work. */
		if (e->data.ptr == NULL)
			continue;
		run_event(e->data.ptr, e->events);
	}
	loop->nevents = loop->ievent = 0;
}
