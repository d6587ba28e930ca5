#include "cmocka_all.h"

#include <string.h>

#include "alloc_fail.h"
#include "base/buf.h"

static void
assert_holds(const struct buf *b, const char *text)
{

	assert_int_equal(buf_len(b), strlen(text));
	assert_memory_equal(buf_head(b), text, strlen(text));
}

static void
an_empty_buffer_has_no_memory(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_null(buf_head(&b));
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_append(&b, NULL, 0), 0);
	assert_null(b.data);
	buf_consume(&b, 0);
	buf_reset(&b);
	buf_fini(&b);
}

static void
appended_bytes_come_out_in_order(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(buf_puts(&b, "hello"), 0);
	assert_int_equal(buf_append(&b, " wor", 4), 0);
	assert_int_equal(buf_printf(&b, "%s %d", "ld", 42), 0);
	assert_holds(&b, "hello world 42");
	buf_consume(&b, 6);
	assert_holds(&b, "world 42");
	assert_string_equal(buf_cstr(&b), "world 42");
	assert_int_equal(buf_len(&b), 8);
	buf_consume(&b, 8);
	assert_int_equal(buf_len(&b), 0);
	buf_fini(&b);
}

static void
the_maximum_is_never_exceeded(void **state)
{
	struct buf b;
	char block[64];
	int n;

	(void)state;
	memset(block, 'x', sizeof(block));
	buf_init(&b, 1000);
	for (n = 0; buf_append(&b, block, sizeof(block)) == 0; n++)
		assert_true(b.cap <= 1000);
	assert_int_equal(n, 15);
	assert_int_equal(buf_len(&b), 960);
	assert_int_equal(buf_append(&b, block, 40), 0);
	assert_int_equal(buf_append(&b, block, 1), -1);
	assert_null(buf_cstr(&b));
	assert_int_equal(buf_printf(&b, "x"), -1);
	assert_int_equal(buf_len(&b), 1000);
	assert_null(buf_reserve(&b, SIZE_MAX));
	buf_fini(&b);
}

static void
consumed_bytes_make_room_again(void **state)
{
	struct buf b;
	char block[600];

	(void)state;
	memset(block, 'x', sizeof(block));
	buf_init(&b, 1000);
	assert_int_equal(buf_append(&b, block, 600), 0);
	buf_consume(&b, 300);
	memset(block, 'y', sizeof(block));
	assert_int_equal(buf_append(&b, block, 600), 0);
	assert_int_equal(buf_len(&b), 900);
	assert_int_equal(buf_head(&b)[299], 'x');
	assert_int_equal(buf_head(&b)[300], 'y');
	assert_int_equal(buf_append(&b, block, 101), -1);
	assert_int_equal(buf_append(&b, block, 100), 0);
	buf_fini(&b);
}

/* A queue through which much flows stays small and keeps its order. */
static void
a_queue_does_not_grow_with_what_flows(void **state)
{
	struct buf b;
	unsigned char in = 0, out = 0, *room;
	int i, j;

	(void)state;
	buf_init(&b, 1024 * 1024);
	for (i = 0; i < 20000; i++) {
		room = buf_reserve(&b, 50);
		assert_non_null(room);
		for (j = 0; j < 50; j++)
			room[j] = in++;
		buf_commit(&b, 50);
		while (buf_len(&b) > 30) {
			assert_int_equal(*buf_head(&b), out++);
			buf_consume(&b, 1);
		}
	}
	assert_true(b.cap <= 512);
	buf_fini(&b);
}

static void
printf_fits_at_every_length(void **state)
{
	struct buf b;
	int n;

	(void)state;
	for (n = 0; n < 600; n++) {
		buf_init(&b, 4096);
		assert_int_equal(buf_puts(&b, "abc"), 0);
		assert_int_equal(buf_printf(&b, "%*d", n, 5), 0);
		assert_int_equal(buf_len(&b), 3 + (n == 0 ? 1 : n));
		assert_int_equal(buf_head(&b)[buf_len(&b) - 1], '5');
		buf_fini(&b);
	}
}

static void
wiping_empties_and_leaves_it_usable(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_wipe(&b);
	assert_int_equal(buf_puts(&b, "secret"), 0);
	buf_wipe(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 100);
	assert_int_equal(buf_puts(&b, "again"), 0);
	assert_holds(&b, "again");
	buf_fini(&b);
}

static void
without_memory_the_buffer_is_unchanged(void **state)
{
	struct buf b;
	char block[300];

	(void)state;
	memset(block, 'x', sizeof(block));
	buf_init(&b, 4096);
	alloc_fail_after(0);
	assert_int_equal(buf_puts(&b, "a"), -1);
	assert_true(alloc_fail_stop());
	assert_null(b.data);
	assert_int_equal(buf_puts(&b, "kept"), 0);
	alloc_fail_after(0);
	assert_int_equal(buf_append(&b, block, sizeof(block)), -1);
	assert_true(alloc_fail_stop());
	alloc_fail_after(0);
	assert_int_equal(buf_printf(&b, "%300d", 1), -1);
	assert_true(alloc_fail_stop());
	assert_holds(&b, "kept");
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_has_no_memory),
		cmocka_unit_test(appended_bytes_come_out_in_order),
		cmocka_unit_test(the_maximum_is_never_exceeded),
		cmocka_unit_test(consumed_bytes_make_room_again),
		cmocka_unit_test(a_queue_does_not_grow_with_what_flows),
		cmocka_unit_test(printf_fits_at_every_length),
		cmocka_unit_test(wiping_empties_and_leaves_it_usable),
		cmocka_unit_test(without_memory_the_buffer_is_unchanged),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
