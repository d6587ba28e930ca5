#include <jansson.h>

#include "pool/prune.h"
#include "pool/rig.h"

#include "verify.h"

#define HOUR_MS		(60 * 60 * 1000)

static void
request(struct proc *p, struct key_info *key, int n)
{

	while (n-- > 0)
		finish(p, admit_now(p, key));
}

/* Requests come from a time that is days ago by the store's clock. */
static struct proc *
start(struct rig *r)
{

	r->clock.wall_ms -= INT64_C(72) * HOUR_MS;
	rig_account(r, "a", 0, 4);
	rig_key(r, "k", "pool", 0, 0);
	rig_price(r, "claude-*", 1000);
	rig_budget(r, r->keys[0].id, INT64_MAX / 4);
	return (proc_new(r));
}

static void
agree(struct rig *r)
{
	struct err err = { 0 };
	json_t *found = verify_ledger(r->st, &err);

	if (found == NULL)
		fail_msg("%s", err.text);
	if (json_integer_value(json_object_get(found, "differences")) != 0)
		fail_msg("%s", json_dumps(found, JSON_INDENT(1)));
	json_decref(found);
}

static int64_t
rows(struct rig *r)
{

	return (rig_int(r, "SELECT (SELECT count(*) FROM ledger) * 10000 + "
	    "(SELECT count(*) FROM attempt)"));
}

/* One pass; true: there is more. */
static bool
prune(struct rig *r, int64_t days)
{
	struct prune_pass pass;
	struct err err = { 0 };

	if (prune_some(r->st, days, &pass, &err))
		fail_msg("%s", err.text);
	return (pass.more);
}

static void
without_the_setting_all_is_kept(void **state)
{
	struct rig *r = *state;
	struct proc *p = start(r);

	request(p, &r->keys[0], 3);
	assert_false(prune(r, 0));
	assert_int_equal(rows(r), 30003);
	assert_false(prune(r, 36500));
	assert_int_equal(rows(r), 30003);
	proc_free(p);
}

static void
old_rows_go_and_their_sums_stay(void **state)
{
	struct rig *r = *state;
	struct proc *p = start(r);
	struct admit_op *open;

	request(p, &r->keys[0], 3);
	open = admit_now(p, &r->keys[0]);
	assert_false(prune(r, 1));
	assert_int_equal(rows(r), 10001);	/* the one that is open */
	agree(r);
	assert_true(rig_int(r, "SELECT kept FROM budget_window") > 0);
	assert_true(rig_int(r, "SELECT spent - kept FROM budget_window") == 0);
	assert_true(rig_int(r, "SELECT reserved FROM budget_window") > 0);
	finish(p, open);
	request(p, &r->keys[0], 2);
	agree(r);
	assert_false(prune(r, 1));
	assert_int_equal(rows(r), 0);
	assert_int_equal(rig_int(r, "SELECT requests FROM key_usage"), 6);
	assert_int_equal(rig_int(r, "SELECT sum(requests) FROM usage_hour"),
	    6);
	assert_int_equal(rig_int(r, "SELECT value + 0 FROM meta "
	    "WHERE name = 'ledger_pruned'"), 6);
	agree(r);
	proc_free(p);
}

static void
many_rows_take_many_passes(void **state)
{
	struct rig *r = *state;
	struct proc *p = start(r);
	int passes = 1;

	request(p, &r->keys[0], 2 * PRUNE_MAX + 50);
	while (prune(r, 1)) {
		agree(r);
		passes++;
	}
	assert_int_equal(passes, 3);
	assert_int_equal(rows(r), 0);
	agree(r);
	proc_free(p);
}

/* What was deleted is corrected no more, and the sums stay as they are. */
static void
a_settlement_that_comes_too_late_changes_nothing(void **state)
{
	struct rig *r = *state;
	struct proc *p = start(r), *other = proc_new(r);
	struct admit_op *op = admit_now(p, &r->keys[0]);
	struct settle_op *late = settle_make(p, op);
	int64_t spent;

	proc_die(p);
	proc_beat(other);
	assert_int_equal(rig_int(r, "SELECT state FROM ledger"), 2);
	assert_false(prune(r, 1));
	assert_int_equal(rows(r), 0);
	spent = rig_int(r, "SELECT spent FROM budget_window");
	assert_true(spent > 0);
	lease_drop(&late->lease);
	late->lease.held = false;
	proc_run1(other, &late->op);
	assert_true(rig_int(r, "SELECT spent FROM budget_window") == spent);
	assert_int_equal(rig_int(r, "SELECT sum(marked_estimated) "
	    "FROM usage_day"), 1);
	agree(r);
	free(late);
	drop(op);
	proc_free(other);
}

/* ---- objects ---- */

static void
object(struct rig *r, const char *id, const char *kind, int64_t days,
    int64_t gone_days)
{
	int64_t day = INT64_C(24) * 3600 * 1000, now = store_now_ms(r->st);
	char sql[512], gone[32] = "NULL";

	if (gone_days >= 0)
		(void)snprintf(gone, sizeof(gone), "%lld",
		    (long long)(now - gone_days * day - 1000));
	(void)snprintf(sql, sizeof(sql), "INSERT INTO object (kind, "
	    "upstream_id, account_id, key_id, ledger_id, final, unheard, "
	    "created_ms, seen, gone_ms) VALUES ('%s', '%s', 1, 1, 1, 1, 0, "
	    "%lld, '{}', %s)", kind, id, (long long)(now - days * day - 1000),
	    gone);
	rig_sql(r, sql);
}

/* Batches by their age, files when the upstream has them no more. */
static void
objects_go_when_the_upstream_has_them_no_more(void **state)
{
	struct rig *r = *state;
	struct prune_pass pass;
	struct err err = { 0 };
	char id[32];
	int i;

	object(r, "young", "batch", 28, -1);
	object(r, "old", "batch", 29, -1);
	object(r, "lost", "batch", 3, 1);
	object(r, "lost-now", "batch", 3, 0);
	object(r, "ancient", "file", 4000, -1);
	object(r, "missing", "file", 4000, 1);
	object(r, "missing-now", "file", 4000, 0);
	assert_int_equal(prune_some(r->st, 0, &pass, &err), 0);
	assert_int_equal(pass.objects, 3);
	assert_false(pass.more);
	assert_string_equal(rig_text(r, "SELECT min(upstream_id) FROM "
	    "object"), "ancient");
	assert_int_equal(rig_int(r, "SELECT count(*) FROM object WHERE "
	    "upstream_id IN ('young', 'lost-now', 'ancient', "
	    "'missing-now')"), 4);
	for (i = 0; i < PRUNE_MAX; i++) {
		(void)snprintf(id, sizeof(id), "b%d", i);
		object(r, id, "batch", 30, -1);
		(void)snprintf(id, sizeof(id), "f%d", i);
		object(r, id, "file", 1, 1);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(prune_some(r->st, 0, &pass, &err), 0);
		assert_int_equal(pass.objects, PRUNE_MAX);
		assert_true(pass.more);
	}
	assert_int_equal(prune_some(r->st, 0, &pass, &err), 0);
	assert_int_equal(pass.objects, 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM object"), 4);
}

/* ---- the clock ---- */

/* The last pass was so long ago; true: all is kept. */
static bool
held(struct rig *r, int64_t hours_ago)
{
	struct prune_pass pass;
	struct err err = { 0 };
	char sql[256];

	(void)snprintf(sql, sizeof(sql), "UPDATE meta SET value = %lld WHERE "
	    "name = 'prune_seen_ms'", (long long)(store_now_ms(r->st) -
	    hours_ago * 3600000));
	rig_sql(r, sql);
	if (prune_some(r->st, 0, &pass, &err))
		fail_msg("%s", err.text);
	assert_true(!pass.held || !pass.more);
	assert_int_equal(pass.objects, !pass.held);
	if (pass.objects > 0)
		object(r, "old", "batch", 30, -1);
	return (pass.held);
}

static void
a_clock_that_jumped_ahead_takes_nothing_at_once(void **state)
{
	struct rig *r = *state;

	object(r, "old", "batch", 30, -1);
	assert_false(prune(r, 0));	/* the first ever */
	object(r, "old", "batch", 30, -1);
	assert_false(held(r, 0));
	assert_false(held(r, 47));
	/* It jumps, and is back after a while. */
	assert_true(held(r, 49));
	assert_true(held(r, 1));
	assert_true(held(r, 19));
	assert_false(held(r, -49));
	assert_false(held(r, 1));
	/* It was switched off for long: a day later it goes on. */
	assert_true(held(r, 24 * 365));
	assert_true(held(r, 19));
	assert_false(held(r, 24));
	/* Once a week: every other time. */
	assert_true(held(r, 24 * 7));
	assert_false(held(r, 24 * 7));
	assert_true(held(r, 24 * 7));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(without_the_setting_all_is_kept),
		T(old_rows_go_and_their_sums_stay),
		T(many_rows_take_many_passes),
		T(a_settlement_that_comes_too_late_changes_nothing),
		T(objects_go_when_the_upstream_has_them_no_more),
		T(a_clock_that_jumped_ahead_takes_nothing_at_once),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
