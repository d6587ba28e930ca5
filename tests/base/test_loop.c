#include "cmocka_all.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"

/* A loop on a fake clock, and a connected pair of sockets. */
struct fixture {
	struct clock_fake clock;
	struct loop *loop;
	int fds[2];
	struct loop_watch watch;
	uint32_t seen;		/* events of the last call */
	int calls;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return (-1);
	clock_fake_init(&f->clock, 5000);
	f->loop = loop_new(&f->clock.clock, NULL);
	if (f->loop == NULL || socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_NONBLOCK, 0, f->fds))
		return (-1);
	*state = f;
	return (0);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	loop_watch_del(&f->watch);
	close(f->fds[0]);
	if (f->fds[1] != -1)
		close(f->fds[1]);
	loop_free(f->loop);
	free(f);
	return (0);
}

static void
on_event(struct loop_watch *w, uint32_t events)
{
	struct fixture *f = w->arg;

	f->seen = events;
	f->calls++;
}

static void
watch(struct fixture *f, uint32_t events)
{

	assert_int_equal(loop_watch_add(f->loop, &f->watch, f->fds[0], events,
	    on_event, f, NULL), 0);
}

/* One turn that does not wait; how many calls it made. */
static int
turn(struct fixture *f)
{

	f->calls = 0;
	f->seen = 0;
	assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
	return (f->calls);
}

static void
peer_sends(struct fixture *f)
{

	assert_int_equal(write(f->fds[1], "x", 1), 1);
}

static void
eat(struct fixture *f)
{
	char c[16];

	assert_true(read(f->fds[0], c, sizeof(c)) >= 0);
}

/* ---- descriptors ---- */

static void
reading_and_writing_are_reported(void **state)
{
	struct fixture *f = *state;

	watch(f, LOOP_READ);
	assert_int_equal(turn(f), 0);
	peer_sends(f);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_READ);
	assert_int_equal(turn(f), 1);
	eat(f);
	assert_int_equal(turn(f), 0);
	loop_watch_set(&f->watch, LOOP_READ | LOOP_WRITE);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_WRITE);
	peer_sends(f);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_READ | LOOP_WRITE);
	loop_watch_set(&f->watch, LOOP_READ);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_READ);
}

static void
a_pause_in_reading_costs_no_call_until_something_comes(void **state)
{
	struct fixture *f = *state;

	watch(f, LOOP_READ);
	loop_watch_set(&f->watch, 0);
	assert_int_equal(turn(f), 0);
	assert_int_equal(f->watch.armed, LOOP_READ);
	loop_watch_set(&f->watch, LOOP_READ);
	peer_sends(f);
	assert_int_equal(turn(f), 1);

	loop_watch_set(&f->watch, 0);
	assert_int_equal(turn(f), 0);
	assert_int_equal(turn(f), 0);
	assert_int_equal(f->watch.armed, 0);
	loop_watch_set(&f->watch, LOOP_READ);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_READ);
}

static void
writing_is_disarmed_at_once(void **state)
{
	struct fixture *f = *state;

	watch(f, LOOP_READ | LOOP_WRITE);
	loop_watch_set(&f->watch, LOOP_READ);
	assert_int_equal(turn(f), 0);
	assert_int_equal(f->watch.armed, LOOP_READ);
}

static void
a_watch_may_begin_with_nothing(void **state)
{
	struct fixture *f = *state;

	watch(f, 0);
	peer_sends(f);
	assert_int_equal(turn(f), 0);
	loop_watch_set(&f->watch, LOOP_READ);
	assert_int_equal(turn(f), 1);
}

static void
a_half_close_is_reported_once(void **state)
{
	struct fixture *f = *state;

	watch(f, LOOP_HUP);
	peer_sends(f);
	assert_int_equal(turn(f), 0);
	assert_int_equal(shutdown(f->fds[1], SHUT_WR), 0);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_HUP);
	assert_int_equal(turn(f), 0);
	loop_watch_set(&f->watch, LOOP_HUP | LOOP_READ);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_READ);
	loop_watch_set(&f->watch, LOOP_HUP);
	assert_int_equal(turn(f), 0);
	assert_int_equal(turn(f), 0);
	assert_int_equal(f->watch.armed, 0);
}

static void
a_full_close_is_reported_to_who_only_waits_to_write(void **state)
{
	struct fixture *f = *state;
	char block[4096];

	memset(block, 'x', sizeof(block));
	while (write(f->fds[0], block, sizeof(block)) > 0)
		continue;
	watch(f, LOOP_WRITE);
	assert_int_equal(turn(f), 0);
	close(f->fds[1]);
	f->fds[1] = -1;
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_WRITE);
}

static void
a_closed_peer_does_not_spin_a_watch_that_wants_nothing(void **state)
{
	struct fixture *f = *state;

	watch(f, LOOP_READ);
	loop_watch_set(&f->watch, 0);
	close(f->fds[1]);
	f->fds[1] = -1;
	assert_int_equal(turn(f), 0);
	assert_int_equal(turn(f), 0);
	assert_int_equal(f->watch.armed, 0);
}

/* Two watches that are ready in the same turn; the first deletes the other. */
struct pair {
	struct fixture *f;
	struct loop_watch a, b;
	int calls;
};

static void
delete_the_other(struct loop_watch *w, uint32_t events)
{
	struct pair *p = w->arg;
	struct loop_watch *other = w == &p->a ? &p->b : &p->a;

	(void)events;
	p->calls++;
	loop_watch_del(other);
	memset(other, 0xff, sizeof(*other));
	other->loop = NULL;
}

static void
a_watch_deleted_in_the_same_turn_is_not_called(void **state)
{
	struct fixture *f = *state;
	struct pair p = { .f = f };

	assert_int_equal(loop_watch_add(f->loop, &p.a, f->fds[0], LOOP_WRITE,
	    delete_the_other, &p, NULL), 0);
	assert_int_equal(loop_watch_add(f->loop, &p.b, f->fds[1], LOOP_WRITE,
	    delete_the_other, &p, NULL), 0);
	assert_int_equal(turn(f), 0);
	assert_int_equal(p.calls, 1);
	loop_watch_del(&p.a);
	loop_watch_del(&p.b);
	assert_int_equal(turn(f), 0);
	assert_int_equal(p.calls, 1);
}

static void
delete_itself(struct loop_watch *w, uint32_t events)
{
	struct fixture *f = w->arg;

	(void)events;
	f->calls++;
	loop_watch_set(w, LOOP_READ);
	loop_watch_del(w);
	loop_watch_del(w);
}

static void
a_watch_may_delete_itself(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_watch_add(f->loop, &f->watch, f->fds[0],
	    LOOP_WRITE | LOOP_HUP, delete_itself, f, NULL), 0);
	assert_int_equal(turn(f), 1);
	assert_int_equal(turn(f), 0);
	assert_int_equal(f->watch.fd, -1);
}

static void
an_exclusive_watch_can_pause_and_go_on(void **state)
{
	struct fixture *f = *state;

	watch(f, LOOP_READ | LOOP_EXCLUSIVE);
	peer_sends(f);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_READ);
	loop_watch_set(&f->watch, 0);
	assert_int_equal(turn(f), 0);
	assert_int_equal(f->watch.armed, 0);
	loop_watch_set(&f->watch, LOOP_READ);
	assert_int_equal(turn(f), 1);
	loop_watch_set(&f->watch, LOOP_READ | LOOP_WRITE);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, LOOP_READ | LOOP_WRITE);
}

static void
what_cannot_be_watched_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err err;

	err_clear(&err);
	assert_int_equal(loop_watch_add(f->loop, &f->watch, 9999, LOOP_READ,
	    on_event, f, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.text,
	    "cannot watch descriptor 9999: Bad file descriptor");
	assert_null(f->watch.loop);
}

/* ---- timers ---- */

struct tick {
	struct loop_timer timer;
	struct fixture *f;
	int64_t every_ms;	/* 0: once */
	int64_t last_due;
	int *order, *norder, id;
	struct tick *victim;	/* cancelled when this one runs */
};

static void
on_tick(struct loop_timer *t)
{
	struct tick *tick = t->arg;

	tick->order[(*tick->norder)++] = tick->id;
	assert_null(t->loop);
	if (tick->victim != NULL)
		loop_timer_cancel(&tick->victim->timer);
	if (tick->every_ms >= 0)
		assert_int_equal(loop_timer_set(tick->f->loop, t,
		    loop_now_ms(tick->f->loop) + tick->every_ms, on_tick,
		    tick), 0);
}

static void
timers_run_in_order_when_due(void **state)
{
	struct fixture *f = *state;
	struct tick ticks[5];
	int order[16], norder = 0, i;
	static const int due[5] = { 30, 10, 50, 20, 40 };

	memset(ticks, 0, sizeof(ticks));
	for (i = 0; i < 5; i++) {
		ticks[i] = (struct tick){ .f = f, .every_ms = -1, .id = i,
			.order = order, .norder = &norder };
		assert_int_equal(loop_timer_set(f->loop, &ticks[i].timer,
		    1000 + due[i], on_tick, &ticks[i]), 0);
	}
	ticks[1].victim = &ticks[3];
	turn(f);
	assert_int_equal(norder, 0);
	clock_fake_advance(&f->clock, 29);
	turn(f);
	assert_int_equal(norder, 1);
	assert_int_equal(order[0], 1);

	/* Moved to the end. */
	assert_int_equal(loop_timer_set(f->loop, &ticks[0].timer, 1060,
	    on_tick, &ticks[0]), 0);
	clock_fake_advance(&f->clock, 100);
	turn(f);
	assert_int_equal(norder, 4);
	assert_int_equal(order[1], 4);
	assert_int_equal(order[2], 2);
	assert_int_equal(order[3], 0);
}

static void
a_timer_that_is_always_due_lets_the_loop_go_on(void **state)
{
	struct fixture *f = *state;
	int order[64], norder = 0;
	struct tick t = { .f = f, .every_ms = 0, .order = order,
		.norder = &norder };

	assert_int_equal(loop_timer_set(f->loop, &t.timer, 0, on_tick, &t), 0);
	turn(f);
	assert_int_equal(norder, 1);
	assert_int_equal(loop_turn(f->loop, -1, NULL), 0);
	assert_int_equal(norder, 2);
	loop_timer_cancel(&t.timer);
	loop_timer_cancel(&t.timer);
	turn(f);
	assert_int_equal(norder, 2);
}

static void
note_due(struct loop_timer *t)
{
	struct tick *tick = t->arg;

	assert_true(t->due_ms >= tick->f->watch.fd);
	tick->f->watch.fd = (int)t->due_ms;
	tick->f->calls++;
}

/* A heap under random sets, moves and cancels stays a heap. */
static void
many_timers_keep_their_order(void **state)
{
	enum { N = 500 };
	struct fixture *f = *state;
	struct tick *ticks = calloc(N, sizeof(*ticks));
	unsigned int seed = 7;
	int i, k, set = 0;

	assert_non_null(ticks);
	for (k = 0; k < 20000; k++) {
		i = rand_r(&seed) % N;
		ticks[i].f = f;
		if (rand_r(&seed) % 3 == 0)
			loop_timer_cancel(&ticks[i].timer);
		else
			assert_int_equal(loop_timer_set(f->loop,
			    &ticks[i].timer, 1000 + rand_r(&seed) % 10000,
			    note_due, &ticks[i]), 0);
	}
	for (i = 0; i < N; i++)
		set += ticks[i].timer.loop != NULL;
	assert_true(set > N / 2);
	f->watch.fd = 0;
	clock_fake_advance(&f->clock, 20000);
	assert_int_equal(turn(f), set);
	f->watch.fd = -1;
	free(ticks);
}

static void
a_timer_without_memory_is_refused(void **state)
{
	struct fixture *f = *state;
	struct tick t = { .f = f };

	alloc_fail_after(0);
	assert_int_equal(loop_timer_set(f->loop, &t.timer, 0, on_tick, &t), -1);
	assert_true(alloc_fail_stop());
	assert_null(t.timer.loop);
	loop_timer_cancel(&t.timer);
}

static void
time_is_read_once_a_turn(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_now_ms(f->loop), 1000);
	clock_fake_advance(&f->clock, 5);
	assert_int_equal(loop_now_ms(f->loop), 1000);
	turn(f);
	assert_int_equal(loop_now_ms(f->loop), 1005);
	assert_int_equal(loop_wall_ms(f->loop), 5005);
	assert_ptr_equal(loop_clock(f->loop), &f->clock.clock);
}

/* ---- tasks ---- */

struct job {
	struct loop_task task;
	struct fixture *f;
	struct job *next;	/* added when this one runs */
	struct job *victim;	/* cancelled when this one runs */
	int ran;
};

static void
on_job(struct loop_task *t)
{
	struct job *job = t->arg;

	job->ran++;
	if (job->next != NULL)
		loop_task_add(job->f->loop, &job->next->task, on_job,
		    job->next);
	if (job->victim != NULL)
		loop_task_cancel(&job->victim->task);
}

static void
a_task_runs_once_however_often_it_is_added(void **state)
{
	struct fixture *f = *state;
	struct job job = { .f = f };

	loop_task_add(f->loop, &job.task, on_job, &job);
	loop_task_add(f->loop, &job.task, on_job, &job);
	assert_int_equal(loop_turn(f->loop, -1, NULL), 0);
	assert_int_equal(job.ran, 1);
	turn(f);
	assert_int_equal(job.ran, 1);
}

static void
what_a_task_adds_runs_in_the_next_turn(void **state)
{
	struct fixture *f = *state;
	struct job a = { .f = f }, b = { .f = f };

	a.next = &a;
	loop_task_add(f->loop, &a.task, on_job, &a);
	loop_task_add(f->loop, &b.task, on_job, &b);
	turn(f);
	assert_int_equal(a.ran, 1);
	assert_int_equal(b.ran, 1);
	assert_int_equal(loop_turn(f->loop, -1, NULL), 0);
	assert_int_equal(a.ran, 2);
	loop_task_cancel(&a.task);
	turn(f);
	assert_int_equal(a.ran, 2);
}

static void
a_task_may_cancel_the_next(void **state)
{
	struct fixture *f = *state;
	struct job a = { .f = f }, b = { .f = f };

	a.victim = &b;
	loop_task_add(f->loop, &a.task, on_job, &a);
	loop_task_add(f->loop, &b.task, on_job, &b);
	turn(f);
	assert_int_equal(a.ran, 1);
	assert_int_equal(b.ran, 0);
}

/* ---- wake-ups ---- */

struct waker {
	struct loop *loop;
	struct loop_wake *wake;
	pthread_mutex_t lock;	/* guards posted */
	int posted;
	int taken;
	int calls;
	int target;
};

static void
on_wake(void *arg)
{
	struct waker *w = arg;

	w->calls++;
	pthread_mutex_lock(&w->lock);
	w->taken = w->posted;
	pthread_mutex_unlock(&w->lock);
	if (w->taken == w->target)
		loop_stop(w->loop);
}

static void *
post_many(void *arg)
{
	struct waker *w = arg;
	int i;

	for (i = 0; i < w->target / 2; i++) {
		pthread_mutex_lock(&w->lock);
		w->posted++;
		pthread_mutex_unlock(&w->lock);
		loop_wake_post(w->wake);
		if (i % 64 == 0)
			usleep(50);
	}
	return (NULL);
}

/* A post that went unseen would leave the loop asleep for ever. */
static void
no_post_of_other_threads_is_lost(void **state)
{
	struct fixture *f = *state;
	struct waker w = { .loop = f->loop, .target = 20000,
		.lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[2];

	w.wake = loop_wake_new(f->loop, on_wake, &w, NULL);
	assert_non_null(w.wake);
	assert_int_equal(pthread_create(&threads[0], NULL, post_many, &w), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, post_many, &w), 0);
	assert_int_equal(loop_run(f->loop, NULL), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_int_equal(w.taken, w.target);
	assert_true(w.calls <= w.target);
	loop_wake_free(w.wake);
}

static void
many_posts_are_one_call(void **state)
{
	struct fixture *f = *state;
	struct waker w = { .loop = f->loop, .target = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER };

	w.wake = loop_wake_new(f->loop, on_wake, &w, NULL);
	assert_non_null(w.wake);
	loop_wake_post(w.wake);
	loop_wake_post(w.wake);
	assert_int_equal(loop_turn(f->loop, -1, NULL), 0);
	assert_int_equal(w.calls, 1);
	turn(f);
	assert_int_equal(w.calls, 1);
	loop_wake_post(w.wake);
	turn(f);
	assert_int_equal(w.calls, 2);
	loop_wake_free(w.wake);
	loop_wake_free(NULL);
}

static void
free_the_next(void *arg)
{
	struct loop_wake **next = arg;

	loop_wake_free(*next);
	*next = NULL;
}

static void
a_wake_up_may_free_the_next(void **state)
{
	struct fixture *f = *state;
	struct loop_wake *a, *b = NULL;
	struct waker w = { .loop = f->loop, .target = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER };

	a = loop_wake_new(f->loop, free_the_next, &b, NULL);
	b = loop_wake_new(f->loop, on_wake, &w, NULL);
	assert_non_null(a);
	assert_non_null(b);
	loop_wake_post(a);
	loop_wake_post(b);
	turn(f);
	assert_null(b);
	assert_int_equal(w.calls, 0);
	loop_wake_free(a);
}

/* ---- signals ---- */

static void
on_signal(int signo, void *arg)
{
	struct fixture *f = arg;

	f->seen = (uint32_t)signo;
	f->calls++;
}

static void
signals_arrive_in_the_loop(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(loop_signal_add(f->loop, SIGUSR1, on_signal, f, NULL),
	    0);
	assert_int_equal(loop_signal_add(f->loop, SIGUSR2, on_signal, f, NULL),
	    0);
	err_clear(&err);
	assert_int_equal(loop_signal_add(f->loop, SIGUSR1, on_signal, f, &err),
	    -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_int_equal(turn(f), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, SIGUSR1);
	assert_int_equal(kill(getpid(), SIGUSR2), 0);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->seen, SIGUSR2);
	assert_int_equal(turn(f), 0);
}

/* ---- the whole ---- */

static void
a_loop_without_descriptors_left_is_an_error(void **state)
{
	struct rlimit before, none;
	struct loop *loop;
	struct err err;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err_clear(&err);
	loop = loop_new(clock_system(), &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_null(loop);
	assert_int_equal(err.code, ERR_IO);
	loop_free(NULL);
}

static void
every_failing_allocation_leaves_nothing_behind(void **state)
{
	struct loop *loop;
	int n;

	(void)state;
	for (n = 0;; n++) {
		alloc_fail_after(n);
		loop = loop_new(clock_system(), NULL);
		if (!alloc_fail_stop())
			break;
		assert_null(loop);
	}
	assert_non_null(loop);
	assert_int_equal(n, 1);
	loop_free(loop);
}

#define loop_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		loop_test(reading_and_writing_are_reported),
		loop_test(
		    a_pause_in_reading_costs_no_call_until_something_comes),
		loop_test(writing_is_disarmed_at_once),
		loop_test(a_watch_may_begin_with_nothing),
		loop_test(a_half_close_is_reported_once),
		loop_test(a_full_close_is_reported_to_who_only_waits_to_write),
		loop_test(
		    a_closed_peer_does_not_spin_a_watch_that_wants_nothing),
		loop_test(a_watch_deleted_in_the_same_turn_is_not_called),
		loop_test(a_watch_may_delete_itself),
		loop_test(an_exclusive_watch_can_pause_and_go_on),
		loop_test(what_cannot_be_watched_is_an_error),
		loop_test(timers_run_in_order_when_due),
		loop_test(a_timer_that_is_always_due_lets_the_loop_go_on),
		loop_test(many_timers_keep_their_order),
		loop_test(a_timer_without_memory_is_refused),
		loop_test(time_is_read_once_a_turn),
		loop_test(a_task_runs_once_however_often_it_is_added),
		loop_test(what_a_task_adds_runs_in_the_next_turn),
		loop_test(a_task_may_cancel_the_next),
		loop_test(no_post_of_other_threads_is_lost),
		loop_test(many_posts_are_one_call),
		loop_test(a_wake_up_may_free_the_next),
		loop_test(signals_arrive_in_the_loop),
		loop_test(a_loop_without_descriptors_left_is_an_error),
		loop_test(every_failing_allocation_leaves_nothing_behind),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
