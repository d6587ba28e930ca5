#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

/* Two keys that have one bound together; others are not held up. */
static void
requests_of_many_keys_are_bounded_together(void **state)
{
	static const struct {
		const char *sql, *words;
	} cases[] = {
		{ "INSERT INTO person (id, name, created_ms, concurrency) "
		    "VALUES (7, 'p', 0, 3); UPDATE api_key SET person_id = 7 "
		    "WHERE id < 3", "the user's 3 concurrent requests" },
		{ "UPDATE account_group SET concurrency = 3",
		    "the group's 3 concurrent requests" },
	};
	struct key_info *key[3];
	struct admit_op *ops[8];
	struct store_op *sops[8];
	struct proc *p[2];
	struct rig *r;
	void *st;
	int64_t g;
	size_t i, k;

	(void)state;
	for (k = 0; k < NITEMS(cases); k++) {
		assert_int_equal(rig_setup(&st), 0);
		r = st;
		g = rig_group(r, "g1", "weighted");
		rig_account(r, "a1", g, 20);
		key[0] = rig_key(r, "k1", "group", g, 0);
		key[1] = rig_key(r, "k2", "group", g, 0);
		key[2] = rig_key(r, "k3", "pool", 0, 0);
		rig_sql(r, cases[k].sql);
		rig_sql(r, "UPDATE meta SET value = value + 1 "
		    "WHERE name = 'config_version'");
		p[0] = proc_new(r);
		p[1] = proc_new(r);

		/* Three of eight are admitted, one each of the last key. */
		for (i = 0; i < 8; i++) {
			ops[i] = admit_make(p[0], key[i % 4 == 3 ? 2 : i % 2]);
			sops[i] = &ops[i]->op;
		}
		proc_run(p[0], sops, 8);
		assert_int_equal(slots_held(r), 5);
		assert_int_equal(rig_int(r, "SELECT count(*) FROM slot "
		    "WHERE key_id < 3"), 3);
		assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"),
		    3);

		/* What one gives back goes to the next, in whatever process. */
		for (i = 0; i < 8; i++) {
			if (!proc_posted(p[0], &ops[i]->op) || i % 4 == 3)
				continue;
			finish(p[1], ops[i]);
			ops[i] = NULL;
			break;
		}
		proc_poll(p[0]);
		assert_int_equal(rig_int(r, "SELECT count(*) FROM slot "
		    "WHERE key_id < 3"), 3);
		assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket "
		    "WHERE granted_ms IS NULL"), 2);

		clock_fake_advance(&r->clock, 10000);
		proc_poll(p[0]);
		for (i = 0; i < 8; i++) {
			if (ops[i] == NULL)
				continue;
			assert_true(proc_posted(p[0], &ops[i]->op));
			if (ops[i]->verdict == ADMIT_LEASED) {
				finish(p[0], ops[i]);
				continue;
			}
			assert_int_equal(ops[i]->verdict, ADMIT_QUEUE_TIMEOUT);
			if (strstr(ops[i]->reason, cases[k].words) == NULL)
				fail_msg("%s", ops[i]->reason);
			drop(ops[i]);
		}
		assert_int_equal(slots_held(r), 0);
		rig_balance(r, "at the end");
		proc_free(p[0]);
		proc_free(p[1]);
		rig_teardown(&st);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_many_keys_are_bounded_together),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
