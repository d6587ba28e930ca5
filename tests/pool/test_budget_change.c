/* Budgets that people change while requests are under way. */
#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

static void
a_lower_limit_holds_for_the_next_request(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct admit_op *a, *b;
	struct proc *p = proc_new(r);

	a = admit_now(p, key);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    2000);
	rig_change(r, "UPDATE budget SET limit_value = 100");
	b = admit_now(p, key);
	assert_int_equal(b->verdict, ADMIT_BUDGET);
	drop(b);
	finish(p, a);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window WHERE "
	    "reserved = 0"), 30);
	rig_change(r, "UPDATE budget SET limit_value = 2030");
	a = admit_now(p, key);
	assert_int_equal(a->verdict, ADMIT_LEASED);
	finish(p, a);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window WHERE "
	    "reserved = 0"), 60);
	proc_free(p);
}

static void
what_a_disabled_budget_reserved_is_settled(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct admit_op *a, *b;
	struct proc *p = proc_new(r);

	a = admit_now(p, key);
	rig_change(r, "UPDATE budget SET enabled = 0, limit_value = 0");
	b = admit_now(p, key);
	assert_int_equal(b->verdict, ADMIT_LEASED);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"),
	    2000);
	finish(p, a);
	finish(p, b);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window WHERE "
	    "reserved = 0"), 30);
	proc_free(p);
}

static void
a_budget_that_is_added_counts_from_then_on(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct admit_op *a, *b;
	struct proc *p = proc_new(r);

	a = admit_now(p, key);
	rig_change(r, "INSERT INTO budget (name, scope, scope_id, kind, "
	    "limit_value, created_ms) VALUES ('b2', 'key', 1, 'requests', 1, "
	    "1)");
	b = admit_now(p, key);
	assert_int_equal(b->verdict, ADMIT_LEASED);
	finish(p, a);
	finish(p, b);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window WHERE "
	    "budget_id = 2 AND reserved = 0"), 1);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window WHERE "
	    "budget_id = 1 AND reserved = 0"), 60);
	a = admit_now(p, key);
	assert_int_equal(a->verdict, ADMIT_BUDGET);
	drop(a);
	proc_free(p);
}

/* The one thing that can still speak of a budget when it is gone. */
static void
a_late_settlement_passes_over_a_removed_budget(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct settle_op *s;
	struct admit_op *a;
	struct proc *p = proc_new(r);

	a = admit_now(p, key);
	rig_sql(r, "UPDATE ledger SET state = 2, outcome = 'lost', "
	    "cost_nusd = 2000, mark = 3; UPDATE attempt SET outcome = 'lost';"
	    "UPDATE slot SET responder_id = NULL, ledger_id = NULL, "
	    "key_id = NULL; "
	    "INSERT INTO key_usage VALUES (1, 1, 2000, 0, 0, 0, 0, 1)");
	rig_change(r, "DELETE FROM budget_window; DELETE FROM budget");
	s = settle_make(p, a);
	proc_run1(p, &s->op);
	assert_true(s->late);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 3 AND cost_nusd = 30"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM budget_window"), 0);
	assert_int_equal(rig_int(r, "SELECT cost_nusd FROM key_usage"), 30);
	lease_drop(&s->lease);
	free(s);
	free(a);
	proc_free(p);
}

#define RIG_TEST(f)	cmocka_unit_test_setup_teardown(f, rig_setup, \
			    rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_lower_limit_holds_for_the_next_request),
		RIG_TEST(what_a_disabled_budget_reserved_is_settled),
		RIG_TEST(a_budget_that_is_added_counts_from_then_on),
		RIG_TEST(a_late_settlement_passes_over_a_removed_budget),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
