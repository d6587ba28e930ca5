#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

/* Eight requests of two keys that have one bound of three together, and of a
 * third one that has none. */
#define N	8

struct crowd {
	struct rig *rig;
	struct proc *p[2];
	struct admit_op *ops[N];
};

static void
set_up(struct crowd *c, struct rig *r, const char *bound)
{
	struct key_info *key[3];
	int64_t g = rig_group(r, "g1", "weighted");
	size_t i;

	*c = (struct crowd) { .rig = r };
	rig_account(r, "a1", g, 20);
	key[0] = rig_key(r, "k1", "group", g, 0);
	key[1] = rig_key(r, "k2", "group", g, 0);
	key[2] = rig_key(r, "k3", "pool", 0, 0);
	rig_change(r, bound);
	c->p[0] = proc_new(r);
	c->p[1] = proc_new(r);
	for (i = 0; i < N; i++)
		c->ops[i] = admit_make(c->p[0], key[i % 4 == 3 ? 2 : i % 2]);
}

static int64_t
served(struct crowd *c)
{

	return (rig_int(c->rig, "SELECT count(*) FROM slot "
	    "WHERE key_id < 3"));
}

static void
three_are_admitted(struct crowd *c)
{
	struct store_op *sops[N];
	size_t i;

	for (i = 0; i < N; i++)
		sops[i] = &c->ops[i]->op;
	proc_run(c->p[0], sops, N);
	assert_int_equal(slots_held(c->rig), 5);
	assert_int_equal(served(c), 3);
	assert_int_equal(rig_int(c->rig, "SELECT count(*) FROM ticket"), 3);
}

/* In whatever process. */
static void
what_one_gives_back_goes_to_the_next(struct crowd *c)
{
	size_t i;

	for (i = 0; i < N; i++) {
		if (!proc_posted(c->p[0], &c->ops[i]->op) || i % 4 == 3)
			continue;
		finish(c->p[1], c->ops[i]);
		c->ops[i] = NULL;
		break;
	}
	proc_poll(c->p[0]);
	assert_int_equal(served(c), 3);
	assert_int_equal(rig_int(c->rig, "SELECT count(*) FROM ticket "
	    "WHERE granted_ms IS NULL"), 2);
}

static void
the_others_are_told_why(struct crowd *c, const char *words)
{
	struct admit_op *op;
	size_t i;

	clock_fake_advance(&c->rig->clock, 10000);
	proc_poll(c->p[0]);
	for (i = 0; i < N; i++) {
		if ((op = c->ops[i]) == NULL)
			continue;
		assert_true(proc_posted(c->p[0], &op->op));
		if (op->verdict == ADMIT_LEASED) {
			finish(c->p[0], op);
			continue;
		}
		assert_int_equal(op->verdict, ADMIT_QUEUE_TIMEOUT);
		if (strstr(op->reason, words) == NULL)
			fail_msg("%s", op->reason);
		drop(op);
	}
	assert_int_equal(slots_held(c->rig), 0);
	rig_balance(c->rig, "at the end");
}

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
	struct crowd c;
	size_t k;
	void *st;

	(void)state;
	for (k = 0; k < NITEMS(cases); k++) {
		assert_int_equal(rig_setup(&st), 0);
		set_up(&c, st, cases[k].sql);
		three_are_admitted(&c);
		what_one_gives_back_goes_to_the_next(&c);
		the_others_are_told_why(&c, cases[k].words);
		proc_free(c.p[0]);
		proc_free(c.p[1]);
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
