#include "pool/key_use.h"
#include "pool/rig.h"

static void
write_down(struct rig *r, struct key_uses *u)
{
	struct err err = { 0 };

	assert_int_equal(store_begin(r->st, true, &err), 0);
	if (key_uses_write(u, r->st, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(store_commit(r->st, &err), 0);
}

static void
sums_are_kept_by_key(void **state)
{
	static const struct key_use uses[] = {
		{ 7, 1, 10, 1, 2, 3, 4, 500 },
		{ 3, 1, 20, 0, 0, 0, 0, 400 },
		{ 7, 1, 30, 1, 1, 1, 1, 300 },
		{ 3, 0, -15, 5, 0, 0, 0, 100 },
	};
	struct rig *r = *state;
	struct key_uses u;
	size_t i, round;

	key_uses_init(&u);
	for (round = 1; round <= 2; round++) {
		for (i = 0; i < NITEMS(uses); i++)
			assert_int_equal(key_uses_add(&u, &uses[i], NULL), 0);
		write_down(r, &u);
		write_down(r, &u);	/* nothing is left */
	}
	assert_string_equal(rig_text(r, "SELECT group_concat(key_id || ':' || "
	    "requests || ',' || cost_nusd || ',' || input_tokens || ',' || "
	    "output_tokens || ',' || cache_read_tokens || ',' || "
	    "cache_write_tokens || ',' || last_ms) "
	    "FROM (SELECT * FROM key_usage ORDER BY key_id) AS u"),
	    "3:2,10,10,0,0,0,400,7:4,80,4,6,8,10,500");
	key_uses_fini(&u);
}

static void
absurd_amounts_leave_integers(void **state)
{
	const struct key_use most = { .key_id = 1, .nusd = INT64_MAX,
		.input_tokens = INT64_MAX };
	const struct key_use least = { .key_id = 2, .nusd = -INT64_MAX };
	struct rig *r = *state;
	struct key_uses u;
	int i;

	key_uses_init(&u);
	for (i = 0; i < 20; i++) {
		assert_int_equal(key_uses_add(&u, &most, NULL), 0);
		assert_int_equal(key_uses_add(&u, &most, NULL), 0);
		assert_int_equal(key_uses_add(&u, &least, NULL), 0);
		assert_int_equal(key_uses_add(&u, &least, NULL), 0);
		write_down(r, &u);
	}
	if (!raw_is_mysql())
		assert_int_equal(rig_int(r, "SELECT count(*) FROM key_usage "
		    "WHERE typeof(cost_nusd) = 'integer' AND "
		    "typeof(input_tokens) = 'integer'"), 2);
	assert_true(rig_int(r, "SELECT cost_nusd FROM key_usage "
	    "WHERE key_id = 1") > INT64_MAX / 64);
	key_uses_fini(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(sums_are_kept_by_key),
		T(absurd_amounts_leave_integers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
