#include "cmocka_all.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/arena.h"
#include "base/bisect.h"
#include "base/err.h"

static void *
get(struct arena *a, size_t n)
{
	struct err err = { .code = ERR_NONE };
	void *p = arena_get(a, n, 1, &err);

	if (p == NULL)
		fail_msg("%zu bytes: %s", n, err.text);
	assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
	return (p);
}

static void
pieces_stay_as_they_were_written(void **state)
{
	unsigned char *p[300];
	struct arena a;
	size_t i, k;

	(void)state;
	arena_init(&a, 1024 * 1024);
	for (i = 0; i < NITEMS(p); i++) {
		p[i] = get(&a, i * 7 % 1000);
		memset(p[i], (int)i & 0xff, i * 7 % 1000);
	}
	for (i = 0; i < NITEMS(p); i++) {
		for (k = 0; k < i * 7 % 1000; k++)
			assert_int_equal(p[i][k], i & 0xff);
	}
	arena_fini(&a);
}

/* The second time, and from then on. */
static void
what_was_taken_once_is_not_allocated_again(void **state)
{
	struct arena a;
	int i, k;

	(void)state;
	arena_init(&a, 1024 * 1024);
	for (i = 0; i < 5; i++) {
		if (i >= 1)
			alloc_fail_after(0);
		for (k = 0; k < 100; k++)
			memset(get(&a, 1000), k, 1000);
		assert_int_equal(alloc_fail_stop(), 0);
		arena_reset(&a);
	}
	arena_fini(&a);
}

static void
a_peak_is_given_back(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 64 * 1024 * 1024);
	memset(get(&a, 40 * 1024 * 1024), 1, 40 * 1024 * 1024);
	assert_true(a.bytes >= 40 * 1024 * 1024);
	arena_reset(&a);
	assert_true(a.bytes <= 1024 * 1024);
	memset(get(&a, 5000), 1, 5000);
	arena_fini(&a);
	assert_int_equal(a.bytes, 0);
}

static void
there_is_no_more_than_the_maximum(void **state)
{
	struct err err = { .code = ERR_NONE };
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a, 100000);
	assert_null(arena_get(&a, 100001, 1, &err));
	assert_int_equal(err.code, ERR_NOMEM);
	assert_null(arena_get(&a, SIZE_MAX / 8 + 2, 8, NULL));
	assert_null(arena_get(&a, SIZE_MAX, SIZE_MAX, NULL));
	while (arena_get(&a, 100, 10, NULL) != NULL)
		n++;
	assert_in_range(n, 80, 100);
	arena_reset(&a);
	assert_non_null(arena_get(&a, 90000 / 16, 16, &err));
	arena_fini(&a);
}

static void
without_memory_it_says_so_and_goes_on_later(void **state)
{
	struct err err = { .code = ERR_NONE };
	struct arena a;

	(void)state;
	arena_init(&a, 100000);
	alloc_fail_after(0);
	assert_null(arena_get(&a, 1, 1, &err));
	assert_int_equal(alloc_fail_stop(), 1);
	assert_int_equal(err.code, ERR_NOMEM);
	memset(get(&a, 10000), 1, 10000);
	memset(get(&a, 10000), 1, 10000);

	/* Two blocks are to become one. */
	alloc_fail_after(0);
	arena_reset(&a);
	assert_int_equal(alloc_fail_stop(), 1);
	memset(get(&a, 10000), 1, 10000);
	arena_fini(&a);
}

/* ---- and lists that are kept in order ---- */

struct elem {
	int64_t id;
	char more[5];
};

static void
a_place_is_found_in_lists_of_any_length(void **state)
{
	struct elem list[40], *at[40];
	size_t n, i;

	(void)state;
	for (i = 0; i < NITEMS(list); i++) {
		list[i].id = (int64_t)i * 2 - 10;
		at[i] = &list[i];
	}
	assert_int_equal(bisect_id(NULL, 0, sizeof(*list), 7), 0);
	assert_int_equal(bisect_id_at(NULL, 0, 7), 0);
	for (n = 1; n <= NITEMS(list); n++) {
		for (i = 0; i < n; i++) {
			assert_int_equal(bisect_id(list, n, sizeof(*list),
			    list[i].id), i);
			assert_int_equal(bisect_id(list, n, sizeof(*list),
			    list[i].id + 1), i + 1);
			assert_int_equal(bisect_id_at(at, n, list[i].id), i);
		}
		assert_int_equal(bisect_id_at(at, n, INT64_MIN), 0);
		assert_int_equal(bisect_id_at(at, n, INT64_MAX), n);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_stay_as_they_were_written),
		cmocka_unit_test(what_was_taken_once_is_not_allocated_again),
		cmocka_unit_test(a_peak_is_given_back),
		cmocka_unit_test(there_is_no_more_than_the_maximum),
		cmocka_unit_test(without_memory_it_says_so_and_goes_on_later),
		cmocka_unit_test(a_place_is_found_in_lists_of_any_length),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
