#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

#define NOW	INT64_C(1795159758123)
#define MINUTE	INT64_C(60000)
#define HOUR	INT64_C(3600000)

static void
pace_is_what_is_left_by_time_that_is_left(void **state)
{
	static const struct {
		struct share share;
		int64_t pace;
		bool spent;
	} cases[] = {
		{ { 0 }, 1000, false },
		{ { NOW, 500, NOW + HOUR, 2 * HOUR }, 1000, false },
		{ { NOW, 1000, NOW + HOUR, 2 * HOUR }, 2000, false },
		{ { NOW, 800, NOW + HOUR, 20 * HOUR }, 4000, false },
		{ { NOW, 250, NOW + HOUR, 2 * HOUR }, 500, false },
		{ { NOW, 100, NOW + HOUR, HOUR }, 250, false },
		{ { NOW, 29, NOW + 1, 2 * HOUR }, 4000, true },
		{ { NOW, 0, NOW + HOUR, 2 * HOUR }, 250, true },
		/* renewed since */
		{ { NOW - HOUR, 0, NOW, 2 * HOUR }, 1000, false },
		/* buckets */
		{ { NOW, 1000, NOW + MINUTE, 0 }, 1000, false },
		{ { NOW, 250, NOW + MINUTE, 0 }, 1000, false },
		{ { NOW, 125, NOW + MINUTE, 0 }, 500, false },
		{ { NOW, 10, NOW + MINUTE, 0 }, 250, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(share_pace(&cases[i].share, NOW),
		    cases[i].pace);
		assert_int_equal(share_spent(&cases[i].share, NOW),
		    cases[i].spent);
	}
}

static void
first_bytes_are_averaged(void **state)
{
	struct health h = { 0 };
	int i;

	(void)state;
	health_first_byte(&h, 400, NOW);
	assert_int_equal(h.first_byte_ms, 400);
	health_first_byte(&h, 800, NOW + 1);
	assert_int_equal(h.first_byte_ms, 500);
	assert_int_equal(h.first_byte_seen_ms, NOW + 1);
	for (i = 0; i < 40; i++)
		health_first_byte(&h, 2000, NOW + 2);
	assert_in_range(h.first_byte_ms, 1990, 2000);

	/* What is old comes near to the best of the others. */
	assert_int_equal(health_expected_ms(&h, 100, NOW),
	    h.first_byte_ms);
	assert_in_range(health_expected_ms(&h, 100, NOW + 2 + MINUTE), 1040,
	    1050);
	assert_in_range(health_expected_ms(&h, 100, NOW + HOUR), 100, 101);
	assert_int_equal(health_expected_ms(&(struct health) { 0 }, 0, NOW),
	    1);
	assert_int_equal(health_expected_ms(&(struct health) { 0 }, 70, NOW),
	    70);
}

/* Serve one request whose stream began after ${ms}, with ${permille} left. */
static void
serve(struct proc *p, int64_t ms, int64_t permille)
{
	struct admit_op *op = admit_now(p, &p->rig->keys[0]);
	struct settle_op *end;
	int64_t now_ms;

	assert_int_equal(op->verdict, ADMIT_LEASED);
	end = settle_make(p, op);
	now_ms = rig_int(p->rig, "SELECT max(beat_ms) FROM responder");
	end->end.first_byte_ms = ms;
	if (permille >= 0)
		end->end.share = (struct share) { .seen_ms = now_ms,
			.permille = permille, .reset_ms = now_ms + HOUR,
			.window_ms = 5 * HOUR };
	proc_run1(p, &end->op);
	lease_drop(&end->lease);
	free(end);
	free(op);
}

static void
others_hear_of_it_with_the_beat_when_it_matters(void **state)
{
	struct rig *r = *state;
	struct proc *p, *q;
	struct candidate *c;
	int64_t id;

	id = rig_account(r, "a", 0, 2);
	rig_key(r, "k", "pool", 0, 0);
	p = proc_new(r);
	q = proc_new(r);
	proc_beat(p);
	serve(p, 400, 600);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM account_health"),
	    0);
	proc_beat(p);
	assert_int_equal(rig_int(r,
	    "SELECT first_byte_ms FROM account_health"), 400);
	assert_int_equal(rig_int(r,
	    "SELECT share_permille FROM account_health"), 600);

	proc_beat(q);
	c = load_candidate(&q->runner->load, id);
	assert_non_null(c);
	assert_int_equal(c->health.first_byte_ms, 400);
	assert_int_equal(c->health.share.permille, 600);

	/* A little is nothing to write. */
	rig_sql(r, "UPDATE account_health SET updated_ms = 7");
	serve(p, 404, 590);
	proc_beat(p);
	assert_int_equal(rig_int(r,
	    "SELECT updated_ms FROM account_health"), 7);
	serve(p, 4000, -1);
	proc_beat(p);
	assert_true(rig_int(r,
	    "SELECT updated_ms FROM account_health") > 7);
	proc_free(p);
	proc_free(q);
}

static void
what_was_rolled_back_is_written_again(void **state)
{
	struct rig *r = *state;
	struct proc *p;

	rig_account(r, "a", 0, 2);
	rig_key(r, "k", "pool", 0, 0);
	p = proc_new(r);
	proc_beat(p);
	serve(p, 400, 600);
	p->fail_times = 1;
	proc_beat(p);
	proc_beat(p);
	assert_int_equal(rig_int(r,
	    "SELECT first_byte_ms FROM account_health"), 400);
	proc_free(p);
}

static void
the_strategy_of_the_group_goes_by_it(void **state)
{
	struct rig *r = *state;
	struct admit_op *op;
	struct proc *p;
	int64_t g, id[3];
	char sql[128];
	int i;

	g = rig_group(r, "g", "round_robin");
	for (i = 0; i < 3; i++) {
		snprintf(sql, sizeof(sql), "a%d", i);
		id[i] = rig_account(r, sql, g, 4);
	}
	rig_key(r, "k", "group", g, 0);
	p = proc_new(r);
	for (i = 0; i < 7; i++) {
		op = admit_now(p, &r->keys[0]);
		assert_int_equal(op->verdict, ADMIT_LEASED);
		assert_int_equal(op->lease.account->id, id[i % 3]);
		finish(p, op);
	}
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pace_is_what_is_left_by_time_that_is_left),
		cmocka_unit_test(first_bytes_are_averaged),
		cmocka_unit_test_setup_teardown(
		    others_hear_of_it_with_the_beat_when_it_matters,
		    rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    what_was_rolled_back_is_written_again, rig_setup,
		    rig_teardown),
		cmocka_unit_test_setup_teardown(
		    the_strategy_of_the_group_goes_by_it, rig_setup,
		    rig_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
