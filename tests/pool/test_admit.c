#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"

#define N_MANY 8

static void
end(struct proc *p, struct admit_op *op)
{
	struct settle_op *s = settle_make(p, op);

	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	free(s);
	free(op);
}

static void
a_request_is_admitted_and_settled(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct settle_op *s;
	struct proc *p;

	rig_account(r, "a1", 0, 2);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	p = proc_new(r);
	op = admit_make(p, key);
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_true(op->lease.held && op->lease.slotted && op->opened);
	assert_string_equal(op->lease.account->secret, "secret");
	assert_int_equal(op->lease.attempt, 1);
	assert_int_equal(op->reserved_nusd, 2000);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 0 AND fence = 1 AND reserved_nusd = 2000"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "n = 1 AND outcome IS NULL"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM slot WHERE "
	    "responder_id IS NOT NULL AND fence = 1"), 1);

	s = settle_make(p, op);
	proc_run1(p, &s->op);
	assert_int_equal(s->cost_nusd, 30);
	assert_false(s->late);
	assert_int_equal(rig_int(r, "SELECT cost_nusd FROM ledger WHERE "
	    "state = 1 AND mark = 1 AND output_tokens = 20 AND account_id = 1 "
	    "AND outcome = 'ok' AND status = 200 AND price_id = 1"), 30);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM attempt WHERE "
	    "outcome = 'ok' AND cost_nusd = 30"), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM slot WHERE "
	    "responder_id IS NOT NULL"), 0);
	lease_drop(&s->lease);
	free(s);
	free(op);
	proc_free(p);
}

static void
a_batch_shares_its_statements(void **state)
{
	struct rig *r = *state;
	struct admit_op *ops[N_MANY];
	struct store_op *sops[N_MANY];
	struct key_info *key;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 5);
	rig_account(r, "a2", 0, 5);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	for (i = 0; i < N_MANY; i++) {
		ops[i] = admit_make(p, key);
		sops[i] = &ops[i]->op;
	}
	proc_run(p, sops, N_MANY);
	for (i = 0; i < N_MANY; i++)
		assert_int_equal(ops[i]->verdict, ADMIT_LEASED);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM slot WHERE "
	    "responder_id IS NOT NULL AND account_id = 1"), 4);
	for (i = 0; i < N_MANY; i++)
		end(p, ops[i]);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1"), N_MANY);
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(a_request_is_admitted_and_settled),
		T(a_batch_shares_its_statements),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
