#include "config.h"

#include "store_test.h"

/* What any store does; on the one that LEASEHOLD_TEST_STORE names. */

#define MUST(x) do {							\
	struct err must_ = { 0 }, *why = &must_;			\
	if ((x) == -1)							\
		fail_msg("%s: %s", #x, must_.text);			\
} while (0)

struct seen {
	int rows;
	int stop_after;
	struct store *nested;
	size_t blob_bytes;
	char first[8];
};

static int
see(void *arg, const struct store_value *cols, size_t ncols)
{
	struct seen *seen = arg;

	assert_true(ncols > 0);
	seen->rows++;
	if (cols[0].type == STORE_BLOB || cols[0].type == STORE_TEXT) {
		seen->blob_bytes = cols[0].n;
		memcpy(seen->first, cols[0].p, cols[0].n < sizeof(seen->first) ?
		    cols[0].n : sizeof(seen->first));
	}
	if (seen->nested != NULL)
		assert_true(newest_row(seen->nested) > 0);
	return (seen->stop_after == seen->rows ? 1 : 0);
}

static void
test_blobs_keep_their_nul_bytes(void **state)
{
	struct store *st = place_store(*state, NULL);
	struct store_value row[] = {
		store_text("name"), store_blob("a\0b", 3),
	};
	struct seen seen = { .nested = st };

	MUST(store_begin(st, true, why));
	MUST(store_exec(st, STMT_META_PUT, row, 1, 2, NULL, why));
	MUST(store_commit(st, why));
	assert_int_equal(store_query(st, STMT_META_GET, row, 1, see, &seen,
	    NULL), 1);
	assert_int_equal(seen.blob_bytes, 3);
	assert_memory_equal(seen.first, "a\0b", 3);
	store_close(st);
}

static void
test_a_constraint_spares_the_rest(void **state)
{
	struct store *st = place_store(*state, NULL);
	struct err err = { 0 };

	MUST(store_begin(st, true, why));
	MUST(add_row(st, 101, why));
	assert_int_equal(add_row(st, 101, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	MUST(add_row(st, 102, why));
	MUST(store_commit(st, why));
	assert_int_equal(newest_row(st), 102);
	store_close(st);
}

static void
test_ids_that_the_store_makes(void **state)
{
	struct store *st = place_store(*state, NULL);
	struct store_value row[] = {
		store_text("first"), store_text("weighted"), store_int(0),
		store_int(1),
	};
	int64_t id;

	MUST(store_begin(st, true, why));
	MUST(store_exec(st, STMT_GROUP_ADD, row, 1, 4, NULL, why));
	id = store_insert_id(st);
	row[0] = store_text("second");
	MUST(store_exec(st, STMT_GROUP_ADD, row, 1, 4, NULL, why));
	assert_int_equal(store_insert_id(st), id + 1);
	MUST(store_exec(st, STMT_META_CONFIG_BUMP, NULL, 1, 0, NULL, why));
	MUST(store_commit(st, why));
	store_close(st);
}

static void
test_rollback_undoes(void **state)
{
	struct store *st = place_store(*state, NULL);

	MUST(store_begin(st, true, why));
	MUST(add_row(st, 101, why));
	store_rollback(st);
	store_rollback(st);
	assert_int_equal(newest_row(st), store_schema_wanted());
	MUST(store_begin(st, true, why));
	MUST(store_commit(st, why));
	store_close(st);
}

static void
test_many_rows_in_one_call(void **state)
{
	struct store *st = place_store(*state, NULL);
	struct store_value rows[30];
	int64_t changes[10];
	size_t i;

	for (i = 0; i < 10; i++) {
		rows[3 * i] = store_int(200 + (int64_t)i);
		rows[3 * i + 1] = store_text("row");
		rows[3 * i + 2] = store_int(0);
	}
	MUST(store_begin(st, true, why));
	MUST(store_exec(st, STMT_MIGRATION_ADD, rows, 10, 3, changes, why));
	for (i = 0; i < 10; i++)
		assert_int_equal(changes[i], 1);
	MUST(store_commit(st, why));
	assert_int_equal(newest_row(st), 209);
	store_close(st);
}

static void
test_misuse_is_refused(void **state)
{
	struct store *st = place_store(*state, NULL);
	struct store_value row = store_int(1);
	struct err err = { 0 };

	assert_int_equal(add_row(st, 300, &err), -1);
	assert_int_equal(err.code, ERR_INTERNAL);
	err_clear(&err);
	MUST(store_begin(st, false, why));
	assert_int_equal(add_row(st, 300, &err), -1);
	assert_int_equal(err.code, ERR_INTERNAL);
	err_clear(&err);
	assert_int_equal(store_begin(st, true, &err), -1);
	assert_int_equal(err.code, ERR_INTERNAL);
	MUST(store_commit(st, why));
	err_clear(&err);
	assert_int_equal(store_commit(st, &err), -1);
	assert_int_equal(err.code, ERR_INTERNAL);
	err_clear(&err);
	assert_int_equal(store_query(st, STMT_MIGRATION_NEWEST, &row, 1, see,
	    NULL, &err), -1);
	assert_int_equal(err.code, ERR_INTERNAL);
	store_close(st);
}

static void
test_a_reader_sees_what_was_committed(void **state)
{
	struct store_options ro = { .read_only = true };
	struct store *st = place_store(*state, NULL);
	struct store *reader = place_store(*state, &ro);
	struct err err = { 0 };

	MUST(store_begin(st, true, why));
	MUST(add_row(st, 101, why));
	assert_int_equal(newest_row(reader), store_schema_wanted());
	MUST(store_commit(st, why));
	assert_int_equal(newest_row(reader), 101);
	assert_int_equal(store_begin(reader, true, &err), -1);
	assert_int_equal(err.code, ERR_INTERNAL);
	store_close(reader);
	store_close(st);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_blobs_keep_their_nul_bytes),
		T(test_a_constraint_spares_the_rest),
		T(test_ids_that_the_store_makes),
		T(test_rollback_undoes),
		T(test_many_rows_in_one_call),
		T(test_misuse_is_refused),
		T(test_a_reader_sees_what_was_committed),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
