#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "ledger/id.h"

#define NOW_MS	INT64_C(1795160958123)	/* 2026-11-20 */

static void
ids_grow_and_carry_their_time_and_node(void **state)
{
	struct ledger_ids ids;
	int64_t id, last = 0;
	int i;

	(void)state;
	ledger_ids_init(&ids, 1023);
	for (i = 0; i < 10000; i++) {
		id = ledger_ids_next(&ids, NOW_MS + i / 100);
		assert_true(id > last);
		assert_int_equal((id >> 12) & 1023, 1023);
		assert_int_equal(ledger_id_created_ms(id), NOW_MS + i / 100);
		last = id;
	}
}

static void
more_than_4096_in_a_millisecond_borrow_from_the_next(void **state)
{
	struct ledger_ids ids;
	int64_t id = 0, last = 0;
	int i;

	(void)state;
	ledger_ids_init(&ids, 7);
	for (i = 0; i < 4097; i++) {
		id = ledger_ids_next(&ids, NOW_MS);
		assert_true(id > last);
		last = id;
	}
	assert_int_equal(ledger_id_created_ms(id), NOW_MS + 1);
	assert_true(ledger_ids_next(&ids, NOW_MS) > id);
}

static void
a_clock_that_steps_back_repeats_no_id(void **state)
{
	struct ledger_ids ids;
	int64_t id, last;

	(void)state;
	ledger_ids_init(&ids, 0);
	last = ledger_ids_next(&ids, NOW_MS);
	id = ledger_ids_next(&ids, NOW_MS - 3600000);
	assert_true(id > last);
	last = id;
	id = ledger_ids_next(&ids, 0);
	assert_true(id > last);
	assert_int_equal(ledger_id_created_ms(id), NOW_MS);
}

static void
nodes_never_share_an_id(void **state)
{
	struct ledger_ids a, b;
	int i, j;
	int64_t ia[50], ib[50];

	(void)state;
	ledger_ids_init(&a, 1);
	ledger_ids_init(&b, 2);
	for (i = 0; i < 50; i++) {
		ia[i] = ledger_ids_next(&a, NOW_MS);
		ib[i] = ledger_ids_next(&b, NOW_MS);
	}
	for (i = 0; i < 50; i++) {
		for (j = 0; j < 50; j++)
			assert_true(ia[i] != ib[j]);
	}
}

static void
the_text_form_reads_back(void **state)
{
	static const int64_t ids[] = {
		0, 1, 31, 32, INT64_C(248763012345678901), INT64_MAX - 1,
		INT64_MAX
	};
	char text[LEDGER_ID_SIZE], decimal[32];
	int64_t back;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(ids); i++) {
		ledger_id_format(ids[i], text);
		assert_int_equal(strlen(text), 20);
		assert_memory_equal(text, "req_lh_", 7);
		assert_int_equal(ledger_id_parse(text, &back), 0);
		assert_int_equal(back, ids[i]);
		assert_int_equal(ledger_id_parse(text + 7, &back), 0);
		assert_int_equal(back, ids[i]);
		(void)snprintf(decimal, sizeof(decimal), "%lld",
		    (long long)ids[i]);
		assert_int_equal(ledger_id_parse(decimal, &back), 0);
		assert_int_equal(back, ids[i]);
	}
}

static void
text_sorts_as_the_numbers_do(void **state)
{
	struct ledger_ids ids;
	char last[LEDGER_ID_SIZE] = "", text[LEDGER_ID_SIZE];
	int i;

	(void)state;
	ledger_ids_init(&ids, 5);
	for (i = 0; i < 1000; i++) {
		ledger_id_format(ledger_ids_next(&ids, NOW_MS + i * 977),
		    text);
		assert_true(strcmp(text, last) > 0);
		memcpy(last, text, sizeof(last));
	}
}

static void
the_first_id_of_a_time_parts_before_from_after(void **state)
{
	struct ledger_ids ids;

	(void)state;
	ledger_ids_init(&ids, 0);
	assert_true(ledger_ids_next(&ids, NOW_MS - 1) <
	    ledger_id_first(NOW_MS));
	assert_int_equal(ledger_ids_next(&ids, NOW_MS),
	    ledger_id_first(NOW_MS));
	assert_int_equal(ledger_id_first(0), 0);
	assert_int_equal(ledger_id_first(INT64_MAX), INT64_MAX);
}

static void
what_people_type_is_read_kindly(void **state)
{
	int64_t a, b;

	(void)state;
	assert_int_equal(ledger_id_parse("req_lh_01a0b1c2d3e4f", &a), 0);
	assert_int_equal(ledger_id_parse("OIAOBLC2D3E4F", &b), 0);
	assert_int_equal(a, b);
}

static void
what_is_no_id_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "req_lh_", "req_lh_123", "req_lh_01a0b1c2d3e4f0",
		"req_lh_u1a0b1c2d3e4f", "req_lh_81a0b1c2d3e4f",
		"81a0b1c2d3e4f", "-1", "abc", "1x", "9223372036854775808",
		"req_lh_0000000000-00", "0000000 00000",
	};
	int64_t id = 42;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(bad); i++) {
		if (ledger_id_parse(bad[i], &id) != -1)
			fail_msg("\"%s\" was read", bad[i]);
	}
	assert_int_equal(id, 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_grow_and_carry_their_time_and_node),
		cmocka_unit_test(
		    more_than_4096_in_a_millisecond_borrow_from_the_next),
		cmocka_unit_test(a_clock_that_steps_back_repeats_no_id),
		cmocka_unit_test(nodes_never_share_an_id),
		cmocka_unit_test(the_text_form_reads_back),
		cmocka_unit_test(text_sorts_as_the_numbers_do),
		cmocka_unit_test(
		    the_first_id_of_a_time_parts_before_from_after),
		cmocka_unit_test(what_people_type_is_read_kindly),
		cmocka_unit_test(what_is_no_id_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
