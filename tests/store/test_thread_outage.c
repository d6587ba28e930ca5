#include "config.h"

#include <stdatomic.h>

#include "thread_world.h"

static void
test_must_survives_an_outage(void **state)
{
	struct world *w = *state;
	struct op must, other, late, begun, sleeper;

	start(w, true);
	hold_thread(w, &sleeper);
	/* The disk is full; opening again is of no use for some time. */
	must = make_op(w, ADD, 101);
	must.op.must = true;
	begun = make_op(w, ADD, 102);
	submit(w, &must);
	submit(w, &begun);
	store_fake_fail(w->fake, FAKE_RUN, ERR_STORE_DOWN, 1);
	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, -1);
	let_go(w);
	turn_until(w, &w->downs, 1);
	assert_false(store_thread_up(w->t));
	turn_until(w, &w->ndone, 2);
	assert_int_equal(begun.code, ERR_STORE_DOWN);
	assert_int_equal(must.done, 0);
	assert_non_null(strstr(w->why, "the fake fails to run"));

	/* Meanwhile others fail at once, and a late one in time. */
	other = make_op(w, ADD, 103);
	submit(w, &other);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(other.code, ERR_STORE_DOWN);
	late = make_op(w, ADD, 104);
	late.op.must = true;
	late.op.deadline_ms = clock_mono_ms(clock_system()) + 50;
	submit(w, &late);
	turn_until(w, &w->ndone, 4);
	assert_int_equal(late.code, ERR_STORE_DOWN);
	assert_int_equal(must.done, 0);

	store_fake_fail(w->fake, FAKE_OPEN, ERR_NONE, 0);
	turn_until(w, &w->ndone, 5);
	assert_int_equal(must.done, 1);
	assert_int_equal(must.code, ERR_NONE);
	turn_until(w, &w->ups, 2);
	assert_true(store_thread_up(w->t));
	assert_int_equal(w->connects, 2);
}

static void
test_down_from_the_start(void **state)
{
	struct world *w = *state;
	struct op must, other;

	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, 2);
	start(w, true);
	must = make_op(w, ADD, 101);
	must.op.must = true;
	other = make_op(w, ADD, 102);
	submit(w, &must);
	submit(w, &other);
	turn_until(w, &w->ndone, 2);
	assert_int_equal(other.code, ERR_STORE_DOWN);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->ups, 1);
}

static void
test_a_busy_lock_keeps_the_connection(void **state)
{
	struct world *w = *state;
	struct op op, must, sleeper;

	start(w, true);
	hold_thread(w, &sleeper);
	op = make_op(w, ADD, 101);
	must = make_op(w, ADD, 102);
	must.op.must = true;
	submit(w, &op);
	submit(w, &must);
	store_fake_fail(w->fake, FAKE_BEGIN, ERR_STORE_BUSY, 2);
	let_go(w);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(op.code, ERR_STORE_DOWN);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(w->connects, 1);
	assert_int_equal(store_fake_calls(w->fake, FAKE_OPEN), 1);
}

/* On a shared store, a batch of which a part waits for a lock until the server
 * has it fail; it does so at let_go. */
static void
wait_for_a_lock(struct world *w, struct op *sleeper, struct op *op)
{
	struct err err = { 0 };

	start_on(w, &store_driver_fake_shared);
	turn_until(w, &w->ups, 1);
	*sleeper = make_op(w, SLEEP, 0);
	*op = make_op(w, BAD, 101);
	op->fail = ERR_STORE_BUSY;
	op->times = 1;
	submit(w, sleeper);
	submit(w, op);
	assert_int_equal(loop_turn(w->loop, 0, &err), 0);
	usleep(1000000);
}

static void
test_some_rows_locked_are_no_outage(void **state)
{
	struct world *w = *state;
	struct op op, sleeper;

	wait_for_a_lock(w, &sleeper, &op);
	let_go(w);
	turn_until(w, &w->ndone, 2);
	assert_int_equal(sleeper.code, ERR_NONE);
	assert_int_equal(op.code, ERR_NONE);
	assert_int_equal(w->downs, 0);
}

static void
test_all_locked_is_an_outage(void **state)
{
	struct world *w = *state;
	struct op op, sleeper;

	wait_for_a_lock(w, &sleeper, &op);
	store_fake_fail(w->fake, FAKE_RUN, ERR_STORE_BUSY, 1);
	let_go(w);
	turn_until(w, &w->ndone, 2);
	assert_int_equal(sleeper.code, ERR_STORE_DOWN);
	assert_int_equal(op.code, ERR_STORE_DOWN);
	assert_int_equal(w->downs, 1);

	/* It heals, on the same connection. */
	turn_until(w, &w->ups, 2);
	assert_int_equal(w->connects, 1);
	assert_int_equal(store_fake_calls(w->fake, FAKE_OPEN), 1);
}

static void
test_unknown_reruns_what_must(void **state)
{
	struct world *w = *state;
	struct op first, op, must;

	start(w, true);
	first = make_op(w, ADD, 100);
	submit(w, &first);
	turn_until(w, &w->ndone, 1);
	store_fake_fail(w->fake, FAKE_COMMIT, ERR_STORE_UNKNOWN, 1);
	op = make_op(w, ADD, 101);
	must = make_op(w, ADD, 102);
	must.op.must = true;
	submit(w, &op);
	submit(w, &must);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(op.code, ERR_STORE_UNKNOWN);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(op.done, 1);
	assert_int_equal(must.done, 1);
	assert_int_equal(w->connects, 2);
}

static void
test_what_must_is_tried_again_alone(void **state)
{
	struct world *w = *state;
	struct op must, late, add;

	start(w, false);
	must = make_op(w, BAD, 101);
	must.op.must = true;
	must.fail = ERR_INTERNAL;
	must.times = 3;
	late = make_op(w, BAD, 102);
	late.op.must = true;
	late.op.deadline_ms = clock_mono_ms(clock_system()) + 150;
	late.fail = ERR_INTERNAL;
	late.times = -1;
	submit(w, &must);
	submit(w, &late);
	turn_until(w, &w->ups, 1);
	add = make_op(w, ADD, 103);
	submit(w, &add);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(add.code, ERR_NONE);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(late.code, ERR_STORE_DOWN);
	assert_int_equal(w->downs, 0);
}

static void
test_a_deadline_passes_while_waiting(void **state)
{
	struct world *w = *state;
	struct op late, add, sleeper;

	start(w, false);
	hold_thread(w, &sleeper);
	late = make_op(w, ADD, 101);
	late.op.deadline_ms = clock_mono_ms(clock_system()) + 5;
	add = make_op(w, ADD, 102);
	submit(w, &late);
	submit(w, &add);
	while (clock_mono_ms(clock_system()) <= late.op.deadline_ms)
		usleep(1000);
	let_go(w);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(late.code, ERR_STORE_DOWN);
	assert_int_equal(add.code, ERR_NONE);
}

/* Submits again from its done callback, once. */
static void
on_done_again(struct store_op *op, const struct err *err)
{
	struct op *o = (struct op *)op;

	on_done(op, err);
	if (o->done == 1) {
		o->number++;
		store_submit(o->w->t, op);
	}
}

static void
test_stop_finishes_what_was_submitted(void **state)
{
	struct world *w = *state;
	struct store *st;
	struct op ops[10];
	int i;

	start(w, false);
	for (i = 0; i < 10; i++) {
		ops[i] = make_op(w, ADD, 100 + 2 * i);
		ops[i].op.done = on_done_again;
		submit(w, &ops[i]);
	}
	store_thread_stop(w->t, 10000);
	w->t = NULL;
	for (i = 0; i < 10; i++) {
		assert_int_equal(ops[i].done, 2);
		assert_int_equal(ops[i].code, ERR_NONE);
	}
	st = store_open(w->pl.url, &(struct store_options) { .read_only =
	    true }, NULL);
	assert_non_null(st);
	assert_int_equal(newest_row(st), 119);
	store_close(st);
}

static void
test_stop_while_down_cancels(void **state)
{
	struct world *w = *state;
	struct op must;

	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, -1);
	start(w, true);
	must = make_op(w, ADD, 101);
	must.op.must = true;
	submit(w, &must);
	turn_until(w, &w->downs, 1);
	store_thread_stop(w->t, 20);
	w->t = NULL;
	assert_int_equal(must.done, 1);
	assert_int_equal(must.code, ERR_CANCELLED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void
note_dropped(void *arg, struct store_op *op)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->mtx);
	w->dropped = op;
	pthread_mutex_unlock(&w->mtx);
}

static void
test_held_ones_are_dropped_in_time(void **state)
{
	struct world *w = *state;
	static struct op later;		/* cancelled when this is over */
	struct op soon, add, must;

	w->runner.dropped = note_dropped;
	start(w, true);
	soon = make_op(w, HOLD, 101);
	later = make_op(w, HOLD, 102);
	add = make_op(w, ADD, 103);
	soon.op.deadline_ms = clock_mono_ms(clock_system()) + 300;
	later.op.deadline_ms = clock_mono_ms(clock_system()) + 60000;
	submit(w, &soon);
	submit(w, &later);
	submit(w, &add);
	turn_until(w, &w->ndone, 1);
	must = make_op(w, ADD, 104);
	must.op.must = true;
	store_fake_fail(w->fake, FAKE_RUN, ERR_STORE_DOWN, 1);
	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, -1);
	submit(w, &must);
	turn_until(w, &w->ndone, 2);
	assert_int_equal(soon.done, 1);
	assert_int_equal(soon.code, ERR_STORE_DOWN);
	assert_ptr_equal(w->dropped, &soon.op);
	assert_int_equal(later.done, 0);
	store_fake_fail(w->fake, FAKE_OPEN, ERR_NONE, 0);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(must.code, ERR_NONE);
	assert_int_equal(later.done, 0);
}

/* ---- a runner that spools; all in the thread, but for what is atomic ---- */

struct shelf {
	struct op copies[8];	/* what is replayed */
	size_t n;
	atomic_int replayed;
	atomic_int failed;
	atomic_int spooled;
	bool full;
};

static void
shelf_spool(void *arg, struct store_op **ops, size_t n)
{
	struct shelf *s = ((struct world *)arg)->own;
	size_t i;

	for (i = 0; i < n && !s->full; i++) {
		s->copies[s->n] = *(struct op *)ops[i];
		s->copies[s->n].op = (struct store_op) {
			.kind = ops[i]->kind, .must = true, .replay = true,
		};
		s->n++;
		ops[i]->spooled = true;
		atomic_fetch_add(&s->spooled, 1);
	}
}

static size_t
shelf_backlog(void *arg, struct store_op **ops, size_t max)
{
	struct shelf *s = ((struct world *)arg)->own;
	size_t i;

	for (i = 0; i < s->n && i < max; i++)
		ops[i] = &s->copies[i].op;
	return (i);
}

static void
shelf_replayed(void *arg, struct store_op *op, const struct err *err)
{
	struct shelf *s = ((struct world *)arg)->own;

	(void)op;
	if (err->code != ERR_NONE) {
		atomic_fetch_add(&s->failed, 1);
		return;
	}
	/* All of them are in one batch. */
	if (atomic_fetch_add(&s->replayed, 1) + 1 == (int)s->n)
		s->n = 0;
}

static void
shelve(struct world *w, struct shelf *s)
{

	*s = (struct shelf) { .n = 0 };
	w->own = s;
	w->runner.spool = shelf_spool;
	w->runner.backlog = shelf_backlog;
	w->runner.replayed = shelf_replayed;
}

static void
turn_until_replayed(struct world *w, struct shelf *s, int want)
{
	struct err err = { 0 };
	int i;

	for (i = 0; i < 3000 && atomic_load(&s->replayed) < want; i++)
		assert_int_equal(loop_turn(w->loop, 10, &err), 0);
	assert_int_equal(atomic_load(&s->replayed), want);
}

static void
test_what_must_be_done_is_spooled_and_replayed(void **state)
{
	struct world *w = *state;
	struct op must, late, sleeper;
	static struct shelf s;	/* the thread sees it until teardown */

	shelve(w, &s);
	start(w, true);
	hold_thread(w, &sleeper);
	must = make_op(w, ADD, 101);
	must.op.must = true;
	submit(w, &must);
	store_fake_fail(w->fake, FAKE_RUN, ERR_STORE_DOWN, 1);
	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, -1);
	let_go(w);

	/* It is done before the database is back. */
	turn_until(w, &must.done, 1);
	assert_int_equal(must.code, ERR_NONE);
	assert_true(must.op.spooled);
	late = make_op(w, ADD, 102);
	late.op.must = true;
	submit(w, &late);
	turn_until(w, &late.done, 1);
	assert_true(late.op.spooled);
	assert_int_equal(atomic_load(&s.replayed), 0);

	store_fake_fail(w->fake, FAKE_OPEN, ERR_NONE, 0);
	turn_until_replayed(w, &s, 2);
	assert_int_equal(must.done, 1);
	assert_int_equal(late.done, 1);
}

static void
test_what_cannot_be_spooled_is_kept(void **state)
{
	struct world *w = *state;
	struct op must, sleeper;
	static struct shelf s;	/* the thread sees it until teardown */

	shelve(w, &s);
	s.full = true;
	start(w, true);
	hold_thread(w, &sleeper);
	must = make_op(w, ADD, 101);
	must.op.must = true;
	submit(w, &must);
	store_fake_fail(w->fake, FAKE_RUN, ERR_STORE_DOWN, 1);
	store_fake_fail(w->fake, FAKE_OPEN, ERR_STORE_DOWN, 3);
	let_go(w);
	turn_until(w, &must.done, 1);
	assert_int_equal(must.code, ERR_NONE);
	assert_false(must.op.spooled);
	assert_int_equal(atomic_load(&s.spooled), 0);
}

static void
test_a_stop_in_an_outage_spools(void **state)
{
	struct world *w = *state;
	struct op must, sleeper;
	static struct shelf s;	/* the thread sees it until teardown */

	shelve(w, &s);
	start(w, true);
	hold_thread(w, &sleeper);
	must = make_op(w, BAD, 101);
	must.fail = ERR_INTERNAL;
	must.times = -1;
	must.op.must = true;
	submit(w, &must);
	let_go(w);
	turn_until(w, &sleeper.done, 1);
	store_thread_stop(w->t, 50);
	w->t = NULL;
	assert_int_equal(must.done, 1);
	assert_true(must.op.spooled);
	assert_int_equal(must.code, ERR_NONE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_must_survives_an_outage),
		T(test_down_from_the_start),
		T(test_a_busy_lock_keeps_the_connection),
		T(test_some_rows_locked_are_no_outage),
		T(test_all_locked_is_an_outage),
		T(test_unknown_reruns_what_must),
		T(test_what_must_is_tried_again_alone),
		T(test_a_deadline_passes_while_waiting),
		T(test_held_ones_are_dropped_in_time),
		T(test_stop_finishes_what_was_submitted),
		T(test_stop_while_down_cancels),
		T(test_what_must_be_done_is_spooled_and_replayed),
		T(test_what_cannot_be_spooled_is_kept),
		T(test_a_stop_in_an_outage_spools),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
