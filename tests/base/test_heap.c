#include "cmocka_all.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/heap.h"

struct fixture {
	struct clock_fake clock;
	struct loop *loop;
	struct heap_care care;
	int64_t load;
};

static int64_t
load_of(void *arg)
{

	return (((struct fixture *)arg)->load);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return (-1);
	clock_fake_init(&f->clock, 5000);
	if ((f->loop = loop_new(&f->clock.clock, NULL)) == NULL)
		return (-1);
	*state = f;
	return (heap_care_start(&f->care, f->loop, load_of, f));
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	heap_care_stop(&f->care);
	heap_care_stop(&f->care);
	loop_free(f->loop);
	free(f);
	return (0);
}

/* Let it look at ${load} once. */
static uint64_t
trims_at(struct fixture *f, int64_t load)
{

	f->load = load;
	clock_fake_advance(&f->clock, 5000);
	assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
	return (f->care.trims);
}

static void
memory_goes_back_once_when_a_peak_is_over(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(trims_at(f, 0), 0);
	assert_int_equal(trims_at(f, 1000), 0);
	assert_int_equal(trims_at(f, 2000), 0);
	assert_int_equal(trims_at(f, 501), 0);
	assert_int_equal(trims_at(f, 500), 1);
	assert_int_equal(trims_at(f, 500), 1);
	assert_int_equal(trims_at(f, 0), 2);
	assert_int_equal(trims_at(f, 0), 2);
}

static void
small_peaks_are_left_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(trims_at(f, 99), 0);
	assert_int_equal(trims_at(f, 0), 0);
	assert_int_equal(trims_at(f, 99), 0);
	assert_int_equal(trims_at(f, 0), 0);
}

static void
nothing_is_looked_at_between_the_looks(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(trims_at(f, 400), 0);
	f->load = 0;
	clock_fake_advance(&f->clock, 4999);
	assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
	assert_int_equal(f->care.trims, 0);
	clock_fake_advance(&f->clock, 1);
	assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
	assert_int_equal(f->care.trims, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    memory_goes_back_once_when_a_peak_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(small_peaks_are_left_alone,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_is_looked_at_between_the_looks, setup, teardown),
	};

	heap_setup();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
