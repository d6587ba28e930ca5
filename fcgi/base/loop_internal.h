#ifndef BASE_LOOP_INTERNAL_H_
#define BASE_LOOP_INTERNAL_H_

/*
 * What the files of the loop share: loop.c (turns, tasks, wake-ups, signals),
 * loop_watch.c (descriptors) and loop_timer.c (timers).  Nobody else includes
 * this.
 */

#include <sys/epoll.h>
#include <sys/queue.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/loop.h"

/* Events taken in one turn: many for one system call, yet timers go on. */
#define EVENTS_MAX	256

/* Signals that may have a callback. */
#define SIGNALS_MAX	8

struct signal_row {
	int signo;
	void (*cb)(int signo, void *arg);
	void *arg;
};

struct loop_wake {
	struct loop *loop;
	void (*cb)(void *arg);
	void *arg;
	atomic_bool posted;	/* a post that was not seen yet */
	TAILQ_ENTRY(loop_wake) entry;
};

struct loop {
	const struct clock *clock;
	int64_t now_ms, wall_ms;	/* as read at the start of the turn */
	int epfd;
	bool stop;

	/* Events of this turn; those up to ievent were handed out. */
	struct epoll_event events[EVENTS_MAX];
	int nevents, ievent;

	/* Watches whose wish may differ from what the kernel was told. */
	TAILQ_HEAD(, loop_watch) dirty;

	/* Binary heap, the earliest first. */
	struct loop_timer **heap;
	size_t ntimers, heap_cap;

	TAILQ_HEAD(, loop_task) tasks;

	/*
	 * A poster sets its flag, then looks whether the loop sleeps; the loop
	 * says that it sleeps, then looks at the flags.  So one of them always
	 * sees the other, and nobody writes to a loop that is busy.
	 */
	TAILQ_HEAD(, loop_wake) wakes;
	struct loop_wake *next_wake;	/* while their callbacks run */
	atomic_bool sleeping;
	int wakefd;

	struct loop_watch sigwatch;
	sigset_t sigset;
	int sigfd;
	struct signal_row signals[SIGNALS_MAX];
	size_t nsignals;
};

/**
 * loop_sync_watches(loop, err): Tell the kernel what is wanted now.  0, or -1.
 * loop_run_events(loop): Hand out the events of this turn.
 */
int loop_sync_watches(struct loop *loop, struct err *err)
    __attribute__((__warn_unused_result__));
void loop_run_events(struct loop *loop);

/**
 * loop_run_timers(loop):
 * Run what is due; not more than there were, so that a timer that sets itself
 * again for now leaves room for the rest.
 */
void loop_run_timers(struct loop *loop);

#endif /* !BASE_LOOP_INTERNAL_H_ */
