#include "config.h"

#include "thread_world.h"

static void
test_what_waits_is_one_batch(void **state)
{
	struct world *w = *state;
	struct op ops[100], sleeper;
	int i;

	start(w, false);
	hold_thread(w, &sleeper);
	for (i = 0; i < 100; i++) {
		ops[i] = make_op(w, ADD, 100 + i);
		submit(w, &ops[i]);
	}
	let_go(w);
	turn_until(w, &w->ndone, 101);
	for (i = 0; i < 100; i++) {
		assert_int_equal(ops[i].done, 1);
		assert_int_equal(ops[i].code, ERR_NONE);
		assert_int_equal(ops[i].rank, i + 2);
	}
	assert_int_equal(w->batches, 2);
	assert_int_equal(w->largest, 100);
	assert_int_equal(w->ups, 1);
	assert_int_equal(w->downs, 0);
}

static void
test_a_batch_is_bounded(void **state)
{
	struct world *w = *state;
	struct op *ops, sleeper;
	int i, n = 2 * LIMIT_BATCH_OPS + 1;
	struct store_thread_stats stats;

	ops = calloc((size_t)n, sizeof(*ops));
	assert_non_null(ops);
	start(w, true);
	hold_thread(w, &sleeper);
	for (i = 0; i < n; i++) {
		ops[i] = make_op(w, ADD, 100 + i);
		submit(w, &ops[i]);
	}
	store_thread_stats(w->t, &stats);
	assert_int_equal(stats.waiting, n + 1);
	let_go(w);
	turn_until(w, &w->ndone, n + 1);
	assert_int_equal(w->largest, LIMIT_BATCH_OPS);
	assert_int_equal(w->batches, 4);
	store_thread_stats(w->t, &stats);
	assert_int_equal(stats.batches, 4);
	assert_int_equal(stats.ops, n + 1);
	assert_int_equal(stats.waiting, 0);
	free(ops);
}

static void
test_beats_go_alone_where_others_hold_locks(void **state)
{
	struct world *w = *state;
	struct op ops[10], sleeper, beat;
	int i;

	start_on(w, &store_driver_fake_shared);
	hold_thread(w, &sleeper);
	for (i = 0; i < 10; i++) {
		ops[i] = make_op(w, ADD, 100 + i);
		submit(w, &ops[i]);
	}
	beat = make_op(w, ADD, 200);
	beat.op.urgent = true;
	submit(w, &beat);
	let_go(w);
	turn_until(w, &w->ndone, 12);
	assert_int_equal(beat.rank, 2);
	assert_int_equal(w->batches, 3);
	assert_int_equal(w->largest, 10);
}

static void
test_a_bad_one_goes_alone(void **state)
{
	struct world *w = *state;
	static const struct {
		enum kind kind;
		enum err_code fail;
		int64_t number;
		enum err_code want;
	} cases[] = {
		{ BAD, ERR_INTERNAL, 300, ERR_INTERNAL },
		{ BAD, ERR_STORE_BUSY, 300, ERR_STORE_BUSY },
		{ ADD, ERR_NONE, 1, ERR_EXISTS },	/* there already */
	};
	struct op ops[41], sleeper;
	size_t c, i, bad;
	int64_t next = 1000;
	int ndone = 0;

	start(w, false);
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		w->let_go = false;
		hold_thread(w, &sleeper);
		bad = 7 + 11 * c;
		for (i = 0; i < 41; i++) {
			ops[i] = make_op(w, ADD, next++);
			if (i == bad) {
				ops[i] = make_op(w, cases[c].kind,
				    cases[c].number);
				ops[i].fail = cases[c].fail;
				ops[i].times = -1;
			}
			submit(w, &ops[i]);
		}
		let_go(w);
		ndone += 42;
		turn_until(w, &w->ndone, ndone);
		for (i = 0; i < 41; i++) {
			assert_int_equal(ops[i].done, 1);
			assert_int_equal(ops[i].code, i == bad ?
			    cases[c].want : ERR_NONE);
		}
	}
	assert_int_equal(w->downs, 0);
	assert_true(w->undone > 0);
}

static void
test_bad_luck_heals(void **state)
{
	struct world *w = *state;
	struct op ops[8], sleeper;
	int i;

	start(w, false);
	hold_thread(w, &sleeper);
	for (i = 0; i < 8; i++) {
		ops[i] = make_op(w, i == 3 ? BAD : ADD, 100 + i);
		ops[i].fail = ERR_STORE_BUSY;
		ops[i].times = 1;
		submit(w, &ops[i]);
	}
	let_go(w);
	turn_until(w, &w->ndone, 9);
	for (i = 0; i < 8; i++)
		assert_int_equal(ops[i].code, ERR_NONE);
	/* The sleeper; a failure; the whole again. */
	assert_int_equal(w->batches, 3);
}

static void
test_urgent_goes_first(void **state)
{
	struct world *w = *state;
	struct op a, b, c, sleeper;

	start(w, false);
	hold_thread(w, &sleeper);
	a = make_op(w, ADD, 101);
	b = make_op(w, ADD, 102);
	c = make_op(w, ADD, 103);
	c.op.urgent = true;
	submit(w, &a);
	submit(w, &b);
	submit(w, &c);
	let_go(w);
	turn_until(w, &w->ndone, 4);
	assert_int_equal(sleeper.rank, 1);
	assert_int_equal(c.rank, 2);
	assert_int_equal(a.rank, 3);
	assert_int_equal(b.rank, 4);
}

static void
test_reads_do_not_wait_for_a_batch(void **state)
{
	struct world *w = *state;
	struct op a, r, late, sleeper;

	start(w, false);
	hold_thread(w, &sleeper);
	a = make_op(w, ADD, 101);
	r = make_op(w, READ, 0);
	late = make_op(w, READ, 0);
	late.op.deadline_ms = clock_mono_ms(clock_system()) - 1;
	submit(w, &a);
	submit(w, &r);
	submit(w, &late);
	turn_until(w, &w->ndone, 2);
	assert_int_equal(r.code, ERR_NONE);
	assert_int_equal(r.seen, store_schema_wanted());
	assert_int_equal(late.code, ERR_STORE_DOWN);
	assert_int_equal(a.done + sleeper.done, 0);
	let_go(w);
	turn_until(w, &w->ndone, 4);

	/* Another one sees what was committed. */
	r = make_op(w, READ, 0);
	submit(w, &r);
	turn_until(w, &w->ndone, 5);
	assert_int_equal(r.seen, 101);
}

static void
test_held_until_released(void **state)
{
	struct world *w = *state;
	struct op h1, h2, bad, rel, add, sleeper;

	start(w, false);
	h1 = make_op(w, HOLD, 101);
	h2 = make_op(w, HOLD, 102);
	add = make_op(w, ADD, 103);
	submit(w, &h1);
	submit(w, &h2);
	submit(w, &add);
	turn_until(w, &w->ndone, 1);
	assert_int_equal(add.done, 1);
	assert_int_equal(h1.done + h2.done, 0);

	/* A release in a batch that fails is none. */
	hold_thread(w, &sleeper);
	rel = make_op(w, RELEASE, 1);		/* is there: ERR_EXISTS */
	rel.other = &h1;
	submit(w, &rel);
	let_go(w);
	turn_until(w, &w->ndone, 3);
	assert_int_equal(rel.code, ERR_EXISTS);
	assert_int_equal(h1.done, 0);

	/* Undone with a neighbour, and then done without it. */
	w->let_go = false;
	hold_thread(w, &sleeper);
	rel = make_op(w, RELEASE, 105);
	rel.other = &h1;
	bad = make_op(w, BAD, 106);
	bad.fail = ERR_INTERNAL;
	bad.times = -1;
	submit(w, &rel);
	submit(w, &bad);
	let_go(w);
	turn_until(w, &w->ndone, 7);
	assert_int_equal(rel.code, ERR_NONE);
	assert_int_equal(bad.code, ERR_INTERNAL);
	assert_int_equal(h1.done, 1);
	assert_int_equal(h1.code, ERR_NONE);

	/* Held and released by the same batch. */
	w->let_go = false;
	hold_thread(w, &sleeper);
	h1 = make_op(w, HOLD, 107);
	rel = make_op(w, RELEASE, 108);
	rel.other = &h1;
	submit(w, &h1);
	submit(w, &rel);
	let_go(w);
	turn_until(w, &w->ndone, 10);
	assert_int_equal(h1.done, 1);

	/* What is held at the end is cancelled. */
	assert_int_equal(h2.done, 0);
	store_thread_stop(w->t, 10000);
	w->t = NULL;
	assert_int_equal(h2.done, 1);
	assert_int_equal(h2.code, ERR_CANCELLED);
}

static int
turn_until_polls(struct world *w, int want)
{
	struct err err = { 0 };
	int i, polls = 0;

	for (i = 0; i < 3000 && polls < want; i++) {
		assert_int_equal(loop_turn(w->loop, 1, &err), 0);
		pthread_mutex_lock(&w->mtx);
		polls = w->polls;
		pthread_mutex_unlock(&w->mtx);
	}
	return (polls);
}

static void
test_polls_on_demand(void **state)
{
	struct world *w = *state;
	int polls;

	start(w, false);
	turn_until(w, &w->ups, 1);
	assert_int_equal(w->polls, 0);
	store_kick(w->t);
	polls = turn_until_polls(w, 1);
	assert_int_equal(polls, 1);
	pthread_mutex_lock(&w->mtx);
	w->poll_ms = 1;
	pthread_mutex_unlock(&w->mtx);
	store_kick(w->t);
	polls = turn_until_polls(w, 5);
	assert_true(polls >= 5);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_what_waits_is_one_batch),
		T(test_a_batch_is_bounded),
		T(test_a_bad_one_goes_alone),
		T(test_beats_go_alone_where_others_hold_locks),
		T(test_bad_luck_heals),
		T(test_urgent_goes_first),
		T(test_reads_do_not_wait_for_a_batch),
		T(test_held_until_released),
		T(test_polls_on_demand),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
