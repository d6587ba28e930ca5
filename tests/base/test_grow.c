#include "cmocka_all.h"

#include "base/grow.h"

static void
a_list_grows_at_its_end(void **state)
{
	int *list = NULL;
	size_t cap = 0, n;

	(void)state;
	for (n = 0; n < 1000; n++) {
		assert_non_null(list = grow_list(list, n, &cap,
		    sizeof(*list)));
		assert_true(cap > n);
		list[n] = (int)n;
	}
	for (n = 0; n < 1000; n++)
		assert_int_equal(list[n], (int)n);
	free(list);
}

static void
what_is_put_between_moves_the_rest(void **state)
{
	int *list = NULL;
	size_t cap = 0, n, i;

	(void)state;
	/* 998, 996 ... 0 1 3 ... 999 */
	for (n = 0; n < 1000; n++) {
		i = n % 2 == 0 ? 0 : n;
		assert_non_null(list = grow_at(list, n, &cap, sizeof(*list),
		    i));
		list[i] = (int)n;
	}
	for (n = 0; n < 1000; n++)
		assert_int_equal(list[n], n < 500 ? 998 - 2 * (int)n :
		    2 * (int)n - 999);
	free(list);
}

static void
what_no_memory_holds_is_refused(void **state)
{
	size_t cap = SIZE_MAX / 16;
	int *list = malloc(sizeof(*list));

	(void)state;
	assert_non_null(list);
	list[0] = 7;
	assert_null(grow_list(list, cap, &cap, 16));
	assert_null(grow_at(list, cap, &cap, 16, 0));
	assert_true(cap == SIZE_MAX / 16);
	assert_int_equal(list[0], 7);
	free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_grows_at_its_end),
		cmocka_unit_test(what_is_put_between_moves_the_rest),
		cmocka_unit_test(what_no_memory_holds_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
