#ifndef BASE_LOOP_H_
#define BASE_LOOP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct clock;
struct err;
struct loop;

/**
 * The event loop of the relay responder: epoll, timers, tasks at the end of a
 * turn, signals.  All functions are for the loop's own thread, except
 * loop_wake_post.  Watches, timers and tasks are embedded in their owner's
 * struct, zeroed before first use, and must be taken out before the owner is
 * freed; that is allowed from within any callback, also of another watch
 * that is ready in the same turn.
 */

/** loop_new(clock, err): NULL with ${err} set on failure.  free takes NULL. */
struct loop *loop_new(const struct clock *clock, struct err *err);
void loop_free(struct loop *loop);

/** loop_run(loop, err): Turn until loop_stop.  0, or -1 if epoll failed. */
int loop_run(struct loop *loop, struct err *err)
    __attribute__((__warn_unused_result__));
void loop_stop(struct loop *loop);

/**
 * loop_turn(loop, max_wait_ms, err):
 * One turn: wait at most ${max_wait_ms} (-1: until something is due), run
 * what is ready, then wake-ups, due timers and tasks.  For tests.
 */
int loop_turn(struct loop *loop, int max_wait_ms, struct err *err)
    __attribute__((__warn_unused_result__));

/** loop_now_ms(loop): Monotonic time as read once this turn. */
int64_t loop_now_ms(const struct loop *loop);

/** loop_wall_ms(loop): Wall time as read once this turn, UTC. */
int64_t loop_wall_ms(const struct loop *loop);

/** loop_clock(loop): Borrow the clock given at loop_new. */
const struct clock *loop_clock(const struct loop *loop);

/* ---- descriptors ---- */

#define LOOP_READ	0x01u
#define LOOP_WRITE	0x02u
#define LOOP_HUP	0x04u	/* peer has closed or half-closed (EPOLLRDHUP),
				   or the socket failed; reported once a watch,
				   however often it is asked for again */
#define LOOP_EXCLUSIVE	0x08u	/* shared listening socket: wake one process;
				   not together with LOOP_HUP */

struct loop_watch {
	int fd;			/* -1: not watched */
	uint32_t events;	/* wanted: LOOP_READ | ... */
	uint32_t armed;		/* what the kernel was told (private) */
	void (*cb)(struct loop_watch *w, uint32_t events);
	void *arg;
	struct loop *loop;	/* NULL: not watched */
	TAILQ_ENTRY(loop_watch) dirty;
	bool is_dirty;
	bool exclusive;		/* private: added with LOOP_EXCLUSIVE */
	bool hup_told;		/* private: LOOP_HUP was reported */
	bool unwanted;		/* private: told of what nobody wants */
};

/**
 * loop_watch_add(loop, w, fd, events, cb, arg, err):
 * Watch ${fd}.  The descriptor stays the caller's, who takes the watch out
 * before closing it.  A failed socket is reported as all that is wanted of
 * LOOP_READ, LOOP_WRITE and LOOP_HUP.  0, or -1 with ${err}.
 */
int loop_watch_add(struct loop *loop, struct loop_watch *w, int fd,
    uint32_t events, void (*cb)(struct loop_watch *, uint32_t), void *arg,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * loop_watch_set(w, events):
 * Change what is wanted; 0 is allowed and reports nothing.  The kernel is told
 * at the end of the turn, so that changes back and forth cost nothing, and of
 * reading that is no longer wanted only when something comes, as most often
 * it is wanted again before.  LOOP_EXCLUSIVE stays as it was added.
 */
void loop_watch_set(struct loop_watch *w, uint32_t events);

/** loop_watch_del(w): Take it out at once; nothing if it is not in. */
void loop_watch_del(struct loop_watch *w);

/* ---- timers ---- */

struct loop_timer {
	int64_t due_ms;		/* monotonic */
	void (*cb)(struct loop_timer *t);
	void *arg;
	struct loop *loop;	/* NULL: not set */
	size_t heap_index;	/* private */
};

/**
 * loop_timer_set(loop, t, due_ms, cb, arg):
 * Call ${cb} once at or after ${due_ms} (absolute, monotonic).  Setting a
 * timer that is set moves it.  Memory for the heap grows with the number of
 * timers; 0, or -1 when it cannot.
 */
int loop_timer_set(struct loop *loop, struct loop_timer *t, int64_t due_ms,
    void (*cb)(struct loop_timer *), void *arg)
    __attribute__((__warn_unused_result__));
void loop_timer_cancel(struct loop_timer *t);

/* ---- tasks: at the end of this turn, once ---- */

struct loop_task {
	void (*cb)(struct loop_task *t);
	void *arg;
	struct loop *loop;	/* NULL: not queued */
	TAILQ_ENTRY(loop_task) entry;
};

/**
 * loop_task_add(loop, t, cb, arg):
 * Run ${cb} after all events of this turn, before the loop waits again.  A
 * task that is queued already stays queued once.  What tasks add runs in the
 * next turn, which then does not wait.
 */
void loop_task_add(struct loop *loop, struct loop_task *t,
    void (*cb)(struct loop_task *), void *arg);
void loop_task_cancel(struct loop_task *t);

/* ---- wake-ups from other threads ---- */

struct loop_wake;

/**
 * loop_wake_new(loop, cb, arg, err):
 * ${cb} runs in the loop after loop_wake_post, once for any number of posts.
 * loop_wake_post may be called by any thread until loop_wake_free; it costs a
 * system call (an eventfd is written) only when the loop sleeps and no earlier
 * post is still unseen.
 */
struct loop_wake *loop_wake_new(struct loop *loop, void (*cb)(void *arg),
    void *arg, struct err *err);
void loop_wake_post(struct loop_wake *wake);
void loop_wake_free(struct loop_wake *wake);

/* ---- signals ---- */

/**
 * loop_signal_add(loop, signo, cb, arg, err):
 * Block ${signo} in this thread and call ${cb} in the loop when it comes
 * (signalfd).  Call before other threads are started, so that they inherit
 * the mask.  One callback a signal: ERR_EXISTS for a second.
 */
int loop_signal_add(struct loop *loop, int signo,
    void (*cb)(int signo, void *arg), void *arg, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !BASE_LOOP_H_ */
