#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop_internal.h"

/* ---- tasks ---- */

void
loop_task_add(struct loop *loop, struct loop_task *t,
    void (*cb)(struct loop_task *), void *arg)
{

	t->cb = cb;
	t->arg = arg;
	if (t->loop != NULL)
		return;
	t->loop = loop;
	TAILQ_INSERT_TAIL(&loop->tasks, t, entry);
}

void
loop_task_cancel(struct loop_task *t)
{

	if (t->loop == NULL)
		return;
	TAILQ_REMOVE(&t->loop->tasks, t, entry);
	t->loop = NULL;
}

static void
run_tasks(struct loop *loop)
{
	struct loop_task *t, end;

	if (TAILQ_EMPTY(&loop->tasks))
		return;

	/* What is added from here on stands behind the mark. */
	TAILQ_INSERT_TAIL(&loop->tasks, &end, entry);
	while ((t = TAILQ_FIRST(&loop->tasks)) != &end) {
		loop_task_cancel(t);
		t->cb(t);
	}
	TAILQ_REMOVE(&loop->tasks, &end, entry);
}

/* ---- wake-ups from other threads ---- */

struct loop_wake *
loop_wake_new(struct loop *loop, void (*cb)(void *arg), void *arg,
    struct err *err)
{
	struct loop_wake *wake;

	if ((wake = calloc(1, sizeof(*wake))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a wake-up");
		return (NULL);
	}
	wake->loop = loop;
	wake->cb = cb;
	wake->arg = arg;
	atomic_init(&wake->posted, false);
	TAILQ_INSERT_TAIL(&loop->wakes, wake, entry);
	return (wake);
}

void
loop_wake_post(struct loop_wake *wake)
{
	const uint64_t one = 1;

	if (atomic_exchange(&wake->posted, true))
		return;
	if (!atomic_load(&wake->loop->sleeping))
		return;

	/* It could only fail with the counter full, and then it is readable. */
	while (write(wake->loop->wakefd, &one, sizeof(one)) == -1 &&
	    errno == EINTR)
		continue;
}

void
loop_wake_free(struct loop_wake *wake)
{
	struct loop *loop;

	if (wake == NULL)
		return;
	loop = wake->loop;
	if (loop->next_wake == wake)
		loop->next_wake = TAILQ_NEXT(wake, entry);
	TAILQ_REMOVE(&loop->wakes, wake, entry);
	free(wake);
}

static bool
any_posted(struct loop *loop)
{
	struct loop_wake *wake;

	TAILQ_FOREACH(wake, &loop->wakes, entry) {
		if (atomic_load(&wake->posted))
			return (true);
	}
	return (false);
}

static void
run_wakes(struct loop *loop)
{
	struct loop_wake *wake;

	loop->next_wake = TAILQ_FIRST(&loop->wakes);
	while ((wake = loop->next_wake) != NULL) {
		loop->next_wake = TAILQ_NEXT(wake, entry);
		if (atomic_load_explicit(&wake->posted,
			memory_order_relaxed) &&
		    atomic_exchange(&wake->posted, false))
			wake->cb(wake->arg);
	}
}

/* ---- signals ---- */

static void
signals_ready(struct loop_watch *w, uint32_t events)
{
	struct loop *loop = w->arg;
	struct signalfd_siginfo info;
	size_t i;

	(void)events;
	while (read(loop->sigfd, &info, sizeof(info)) == sizeof(info)) {
		for (i = 0; i < loop->nsignals; i++) {
			if (loop->signals[i].signo == (int)info.ssi_signo)
				loop->signals[i].cb(loop->signals[i].signo,
				    loop->signals[i].arg);
		}
	}
}

/* Add ${signo} to the signalfd, which is made for the first of them. */
static int
signalfd_add(struct loop *loop, int signo, struct err *err)
{
	sigset_t set = loop->sigset;
	int fd;

	if (sigaddset(&set, signo) || pthread_sigmask(SIG_BLOCK, &set, NULL)) {
		err_set(err, ERR_INVAL, "cannot block signal %d", signo);
		return (-1);
	}
	fd = signalfd(loop->sigfd, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1) {
		err_set_errno(err, ERR_IO, errno,
		    "cannot take signal %d into the loop", signo);
		return (-1);
	}
	if (loop->sigfd == -1 && loop_watch_add(loop, &loop->sigwatch, fd,
	    LOOP_READ, signals_ready, loop, err)) {
		close(fd);
		return (-1);
	}
	loop->sigfd = fd;
	loop->sigset = set;
	return (0);
}

int
loop_signal_add(struct loop *loop, int signo,
    void (*cb)(int signo, void *arg), void *arg, struct err *err)
{
	struct signal_row *row;

	if (loop->nsignals == SIGNALS_MAX) {
		err_set(err, ERR_NOMEM, "cannot take signal %d: the loop has "
		    "%d already", signo, SIGNALS_MAX);
		return (-1);
	}
	if (sigismember(&loop->sigset, signo) == 1) {
		err_set(err, ERR_EXISTS, "signal %d has a callback already",
		    signo);
		return (-1);
	}
	if (signalfd_add(loop, signo, err))
		return (-1);
	row = &loop->signals[loop->nsignals++];
	row->signo = signo;
	row->cb = cb;
	row->arg = arg;
	return (0);
}

/* ---- turns ---- */

static void
read_clock(struct loop *loop)
{

	loop->now_ms = clock_mono_ms(loop->clock);
	loop->wall_ms = clock_wall_ms(loop->clock);
}

/*
 * The eventfd that ends the sleep of the loop.  Each write to it is an edge,
 * so it need never be read.
 */
static int
open_wakefd(struct loop *loop, struct err *err)
{
	struct epoll_event e;

	loop->wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wakefd == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot make an eventfd");
		return (-1);
	}
	memset(&e, 0, sizeof(e));
	e.events = EPOLLIN | EPOLLET;
	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, loop->wakefd, &e)) {
		err_set_errno(err, ERR_IO, errno, "cannot watch an eventfd");
		close(loop->wakefd);
		return (-1);
	}
	return (0);
}

struct loop *
loop_new(const struct clock *clock, struct err *err)
{
	struct loop *loop;

	if ((loop = calloc(1, sizeof(*loop))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an event loop");
		goto err0;
	}
	loop->clock = clock;
	loop->sigfd = -1;
	sigemptyset(&loop->sigset);
	TAILQ_INIT(&loop->dirty);
	TAILQ_INIT(&loop->tasks);
	TAILQ_INIT(&loop->wakes);
	atomic_init(&loop->sleeping, false);
	if ((loop->epfd = epoll_create1(EPOLL_CLOEXEC)) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot make an epoll set");
		goto err1;
	}
	if (open_wakefd(loop, err))
		goto err2;
	read_clock(loop);
	return (loop);

err2:
	close(loop->epfd);
err1:
	free(loop);
err0:
	return (NULL);
}

void
loop_free(struct loop *loop)
{

	if (loop == NULL)
		return;
	loop_watch_del(&loop->sigwatch);
	if (loop->sigfd != -1)
		close(loop->sigfd);
	close(loop->wakefd);
	close(loop->epfd);
	free(loop->heap);
	free(loop);
}

/* How long to wait: until the next timer, and never with tasks left. */
static int
wait_ms(const struct loop *loop, int max_wait_ms)
{
	int64_t ms;

	if (!TAILQ_EMPTY(&loop->tasks))
		return (0);
	if (loop->ntimers == 0)
		return (max_wait_ms);
	ms = loop->heap[0]->due_ms - loop->now_ms;
	if (ms < 0)
		ms = 0;
	if (max_wait_ms >= 0 && ms > max_wait_ms)
		ms = max_wait_ms;
	return (ms > INT_MAX ? INT_MAX : (int)ms);
}

static int
wait_events(struct loop *loop, int timeout_ms, struct err *err)
{
	int n;

	if (timeout_ms != 0) {
		atomic_store(&loop->sleeping, true);
		if (any_posted(loop))
			timeout_ms = 0;
	}
	n = epoll_wait(loop->epfd, loop->events, EVENTS_MAX, timeout_ms);
	atomic_store(&loop->sleeping, false);
	if (n == -1 && errno != EINTR) {
		err_set_errno(err, ERR_IO, errno, "cannot wait for events");
		return (-1);
	}
	loop->nevents = n == -1 ? 0 : n;
	return (0);
}

int
loop_turn(struct loop *loop, int max_wait_ms, struct err *err)
{

	if (loop_sync_watches(loop, err))
		return (-1);
	if (wait_events(loop, wait_ms(loop, max_wait_ms), err))
		return (-1);
	read_clock(loop);
	loop_run_events(loop);
	run_wakes(loop);
	loop_run_timers(loop);
	run_tasks(loop);
	return (0);
}

int
loop_run(struct loop *loop, struct err *err)
{

	while (!loop->stop) {
		if (loop_turn(loop, -1, err))
			return (-1);
	}
	loop->stop = false;
	return (0);
}

void
loop_stop(struct loop *loop)
{

	loop->stop = true;
}

int64_t
loop_now_ms(const struct loop *loop)
{

	return (loop->now_ms);
}

int64_t
loop_wall_ms(const struct loop *loop)
{

	return (loop->wall_ms);
}

const struct clock *
loop_clock(const struct loop *loop)
{

	return (loop->clock);
}
