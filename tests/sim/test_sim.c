#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "pool/choose.h"

#include "sim/sim.h"

/* The simulation in short: a day of a few sessions, by each strategy. */

static struct sim_result naive;

/* Under valgrind a few will do. */
static struct sim_params
short_day(const char *strategy)
{

	return ((struct sim_params) { .seed = 1, .days = 1,
	    .sessions = getenv("LEASEHOLD_VALGRIND") != NULL ? 4 : 80,
	    .strategy = strategy, .conf = "" });
}

static int
run_naive(void **state)
{
	struct sim_params params = short_day(NULL);

	(void)state;
	sim_run(&params, &naive);
	return (0);
}

static void
check(const struct sim_result *r)
{

	assert_true(r->turns > 0);
	assert_int_equal(r->served + r->lost, r->turns);
	assert_true(r->attempts >= r->served);
	assert_true(r->cached <= 1 && r->jain <= 1);
	assert_true(r->useful <= r->used);
}

static void
all_do_better_than_the_naive_one(void **state)
{
	struct sim_params params;
	struct sim_result r;
	const char *strategy;
	size_t i;

	(void)state;
	check(&naive);
	for (i = 0; (strategy = choose_strategy(i)) != NULL; i++) {
		params = short_day(strategy);
		sim_run(&params, &r);
		assert_string_equal(r.name, strategy);
		check(&r);
		if (params.sessions < 80)
			continue;
		print_message("%s: %lld failures, %lld moves (naive: %lld, "
		    "%lld); Jain %.4f\n", strategy, (long long)r.failures,
		    (long long)r.moves, (long long)naive.failures,
		    (long long)naive.moves, r.jain);

		/* Far fewer errors, hardly any that had to be. */
		assert_true(r.failures * 10 < naive.failures);
		assert_true(r.avoidable * 500 < r.turns);
		assert_true(r.lost <= naive.lost);

		/* Sessions stay with their caches; what leaves one comes
		 * cheap. */
		assert_true(r.moves * 10 < naive.moves);
		assert_true(r.cached > naive.cached);
		assert_true(r.useful > r.used * 0.9);

		/* Who asks little does not wait for who asks much. */
		assert_true(r.jain > 0.95);
	}
}

static void
a_seed_says_it_all(void **state)
{
	struct sim_params params = short_day(choose_strategy(0));
	struct sim_result a, b;

	(void)state;
	params.sessions = 4;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	sim_run(&params, &a);
	sim_run(&params, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	params.seed = 2;
	sim_run(&params, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_do_better_than_the_naive_one),
		cmocka_unit_test(a_seed_says_it_all),
	};

	return (cmocka_run_group_tests(tests, run_naive, NULL));
}
