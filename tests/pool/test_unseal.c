#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/meta.h"

#include "admin/install.h"
#include "pool/rig.h"

static void
works(int rc, const struct err *err)
{

	if (rc != 0)
		fail_msg("%s", err->text);
}

static void
rekey(struct rig *r)
{
	struct err err = { 0 };
	size_t n;

	works(install_rekey(r->st, r->key_path, &n, &err), &err);
	seal_free(r->seal);
	r->seal = seal_open(r->key_path, &err);
	assert_non_null(r->seal);
}

static void
aside_name(const struct rig *r, char name[128])
{

	snprintf(name, 128, "%s.aside", r->key_path);
}

static void
file_goes(const struct rig *r)
{
	char name[128];

	aside_name(r, name);
	assert_int_equal(rename(r->key_path, name), 0);
}

static void
file_comes(const struct rig *r)
{
	char name[128];

	aside_name(r, name);
	assert_int_equal(rename(name, r->key_path), 0);
}

static const char *
secret_of(const struct proc *p, size_t i)
{

	return (p->runner->snapshot->accounts[i].secret);
}

/* What the loop is told. */
static void
published(struct proc *p, char key_id[64], struct err *shut)
{
	struct pool_facts facts;
	unsigned serial = 0;

	assert_true(shared_news(&p->shared, &serial, &facts));
	snprintf(key_id, 64, "%s", seal_key_id(facts.seal));
	*shut = facts.shut;
	snapshot_unref(facts.snapshot);
	seal_free(facts.seal);
}

static void
assert_in_order(struct rig *r, struct proc *p)
{
	struct err shut;
	char id[64];

	assert_non_null(secret_of(p, 0));
	assert_string_equal(secret_of(p, 0), "secret");
	assert_false(p->runner->unseal.lacking);
	published(p, id, &shut);
	assert_string_equal(id, seal_key_id(r->seal));
	assert_int_equal(shut.code, ERR_NONE);
}

static void
a_rekey_is_taken_over_between_two_requests(void **state)
{
	struct rig *r = *state;
	struct admit_op *before, *after;
	struct key_info *key;
	struct proc *p;
	int i;

	rig_account(r, "a1", 0, 10);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	for (i = 0; i < 3; i++) {
		before = admit_now(p, key);
		assert_int_equal(before->verdict, ADMIT_LEASED);
		rekey(r);

		/* It goes by what it knows until the next batch. */
		assert_string_equal(before->lease.account->secret, "secret");
		after = admit_now(p, key);
		assert_int_equal(after->verdict, ADMIT_LEASED);
		assert_string_equal(after->lease.account->secret, "secret");
		assert_string_equal(before->lease.account->secret, "secret");
		assert_in_order(r, p);
		finish(p, before);
		finish(p, after);
	}
	proc_free(p);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "outcome = 'ok'"), 6);
}

static void
a_connection_that_is_made_anew_takes_over_the_key(void **state)
{
	struct rig *r = *state;
	struct err err = { 0 };
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	p = proc_new(r);
	rekey(r);
	rekey(r);
	works(p->calls.connected(p->runner, p->st, &err), &err);
	assert_in_order(r, p);
	proc_free(p);
}

/* As on another host, where somebody has to copy it. */
static void
a_key_file_that_comes_late_is_found_by_a_beat(void **state)
{
	struct rig *r = *state;
	const struct snapshot *shut_one;
	struct err shut;
	struct proc *p;
	char id[64];

	rig_account(r, "a1", 0, 1);
	p = proc_new(r);
	rekey(r);
	file_goes(r);
	works(seal_create_file(r->key_path, &shut), &shut);
	proc_beat(p);
	assert_null(secret_of(p, 0));
	published(p, id, &shut);
	assert_int_equal(shut.code, ERR_CRYPTO);
	assert_non_null(strstr(shut.text, "master_key_file"));

	/* Nothing is read again as long as nothing changes. */
	shut_one = p->runner->snapshot;
	proc_beat(p);
	proc_beat(p);
	assert_ptr_equal(p->runner->snapshot, shut_one);
	file_comes(r);
	proc_beat(p);
	assert_in_order(r, p);
	proc_free(p);
}

static void
a_missing_key_file_is_named_and_waited_for(void **state)
{
	struct rig *r = *state;
	struct err shut;
	struct proc *p;
	char id[64];

	rig_account(r, "a1", 0, 1);
	p = proc_new(r);
	rekey(r);
	file_goes(r);
	proc_beat(p);
	assert_null(secret_of(p, 0));
	published(p, id, &shut);
	assert_int_equal(shut.code, ERR_NOT_FOUND);
	assert_non_null(strstr(shut.text, r->key_path));
	proc_beat(p);
	file_comes(r);
	proc_beat(p);
	assert_in_order(r, p);
	proc_free(p);
}

/* The new key is in the file, the database is not sealed under it yet, and an
 * account is added. */
static void
an_account_under_the_key_of_a_broken_off_rekey_serves(void **state)
{
	struct rig *r = *state;
	struct err err = { 0 };
	struct proc *p;

	rig_account(r, "a1", 0, 1);
	p = proc_new(r);
	works(seal_rotate_file(r->key_path, &err), &err);
	seal_free(r->seal);
	r->seal = seal_open(r->key_path, &err);
	assert_non_null(r->seal);
	rig_account(r, "a2", 0, 1);
	proc_beat(p);
	assert_string_equal(secret_of(p, 1), "secret");
	assert_in_order(r, p);
	proc_free(p);
}

static void
a_damaged_secret_is_told_and_keeps_nobody_else_out(void **state)
{
	struct rig *r = *state;
	struct err shut;
	struct proc *p;
	char id[64];

	rig_account(r, "a1", 0, 1);
	rig_account(r, "a2", 0, 1);
	rig_sql(r, "UPDATE account SET secret = x'00' WHERE name = 'a2'");
	p = proc_new(r);
	assert_string_equal(secret_of(p, 0), "secret");
	assert_null(secret_of(p, 1));
	assert_int_equal(p->runner->snapshot->nshut, 1);
	published(p, id, &shut);
	assert_int_equal(shut.code, ERR_CRYPTO);
	assert_non_null(strstr(shut.text, "1 accounts"));
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(a_rekey_is_taken_over_between_two_requests),
		T(a_connection_that_is_made_anew_takes_over_the_key),
		T(a_key_file_that_comes_late_is_found_by_a_beat),
		T(a_missing_key_file_is_named_and_waited_for),
		T(an_account_under_the_key_of_a_broken_off_rekey_serves),
		T(a_damaged_secret_is_told_and_keeps_nobody_else_out),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
