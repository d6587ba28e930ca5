#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "pool/models.h"
#include "pool/rig.h"
#include "pool/snapshot.h"

/* Account 1 to 9; who is alike has the same letter. */
static const struct {
	const char *sql;		/* what is done to it; "": nothing */
	char likeness;
	bool example;			/* the first of these that can serve */
} accounts[] = {
	{ "UPDATE account SET enabled = 0 WHERE id = 1", 'a', false },
	{ "", 'a', true },
	{ "UPDATE account SET models = 'x*' WHERE id = 3", 'b', true },
	{ "UPDATE account SET group_id = 1 WHERE id = 4", 'c', true },
	{ "INSERT INTO model_alias (scope, scope_id, pattern, target, "
	    "created_ms) VALUES ('account', 5, 'x', 'y', 0)", 'd', true },
	{ "UPDATE account SET models = 'x*' WHERE id = 6", 'b', false },
	{ "INSERT INTO model_alias (scope, scope_id, pattern, target, "
	    "created_ms) VALUES ('account', 7, 'x', 'y', 0)", 'd', false },
	{ "INSERT INTO model_alias (scope, scope_id, pattern, target, "
	    "created_ms) VALUES ('account', 8, 'x', 'z', 0)", 'e', true },
	{ "UPDATE account SET platform = 'claude_console', weight = 7 "
	    "WHERE id = 9", 'f', true },
};

#define N	(sizeof(accounts) / sizeof(accounts[0]))

static void
accounts_are_alike_that_serve_the_same_in_one_group(void **state)
{
	struct rig *r = *state;
	struct err err = { .code = ERR_NONE };
	struct snapshot *s;
	size_t i, j, at = 0;
	char name[8];

	(void)rig_group(r, "g", "weighted");
	for (i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "a%zu", i);
		assert_int_equal(rig_account(r, name, 0, 1), i + 1);
		if (accounts[i].sql[0] != '\0')
			rig_sql(r, accounts[i].sql);
	}
	s = snapshot_load(r->st, r->seal, &err);
	assert_non_null(s);
	assert_int_equal(s->naccounts, N);
	for (i = 0; i < N; i++) {
		for (j = 0; j < N; j++)
			assert_int_equal(account_alike(&s->accounts[i],
			    &s->accounts[j]),
			    accounts[i].likeness == accounts[j].likeness);
		if (accounts[i].example)
			assert_ptr_equal(s->examples[at++], &s->accounts[i]);
	}
	assert_int_equal(at, s->nexamples);
	snapshot_unref(s);
}

static void
without_accounts_there_is_no_example(void **state)
{
	struct rig *r = *state;
	struct err err = { .code = ERR_NONE };
	struct snapshot *s = snapshot_load(r->st, r->seal, &err);

	assert_non_null(s);
	assert_int_equal(s->nexamples, 0);
	snapshot_unref(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    accounts_are_alike_that_serve_the_same_in_one_group,
		    rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    without_accounts_there_is_no_example,
		    rig_setup, rig_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
