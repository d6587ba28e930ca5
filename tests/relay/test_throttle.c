#include "cmocka_all.h"

#include <stdint.h>
#include <stdlib.h>

#include "relay/throttle.h"

static int
setup(void **state)
{

	*state = calloc(1, sizeof(struct throttle));
	return (*state == NULL);
}

static int
teardown(void **state)
{

	free(*state);
	return (0);
}

static void
fail_often(struct throttle *t, const char *addr, int n, int64_t now_ms)
{

	while (n-- > 0)
		throttle_failed(t, addr, now_ms);
}

static void
an_address_that_never_failed_is_let_through(void **state)
{

	assert_false(throttle_blocked(*state, "192.0.2.1", 0));
	assert_false(throttle_blocked(*state, "", 100000));
}

static void
the_last_allowed_failure_blocks(void **state)
{

	fail_often(*state, "192.0.2.1", THROTTLE_FAILURES - 1, 50000);
	assert_false(throttle_blocked(*state, "192.0.2.1", 50000));
	fail_often(*state, "192.0.2.1", 1, 50000);
	assert_true(throttle_blocked(*state, "192.0.2.1", 50000));
}

static void
other_addresses_are_not_blocked(void **state)
{

	fail_often(*state, "192.0.2.1", THROTTLE_FAILURES, 50000);
	assert_false(throttle_blocked(*state, "192.0.2.2", 50000));
	assert_false(throttle_blocked(*state, "2001:db8::1", 50000));
}

static void
a_block_ends_with_its_window(void **state)
{

	fail_often(*state, "192.0.2.1", THROTTLE_FAILURES, 50000);
	assert_true(throttle_blocked(*state, "192.0.2.1",
	    50000 + THROTTLE_WINDOW_MS));
	assert_false(throttle_blocked(*state, "192.0.2.1",
	    50001 + THROTTLE_WINDOW_MS));
}

static void
a_new_window_counts_from_nothing(void **state)
{
	int64_t later = 50001 + THROTTLE_WINDOW_MS;

	fail_often(*state, "192.0.2.1", THROTTLE_FAILURES, 50000);
	fail_often(*state, "192.0.2.1", 1, later);
	assert_false(throttle_blocked(*state, "192.0.2.1", later));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_that_never_failed_is_let_through),
		TEST(the_last_allowed_failure_blocks),
		TEST(other_addresses_are_not_blocked),
		TEST(a_block_ends_with_its_window),
		TEST(a_new_window_counts_from_nothing)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
