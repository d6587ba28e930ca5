#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/rig.h"

/*
 * Settlements that go by way of the spool; the rig's folder is the spool's.
 * What the thread does when the database is away is done here by hand.
 */

#define BYTES	(64 * 1024)

static void
reconnect(struct proc *p)
{
	struct err err = { 0 };

	if (p->calls.connected(p->runner, p->st, &err) != 0)
		fail_msg("%s", err.text);
}

static struct proc *
spooling(struct rig *r)
{
	struct proc *p = proc_new(r);

	runner_spool(p->runner, r->dir, BYTES);
	reconnect(p);
	assert_non_null(p->runner->backlog.own);
	return (p);
}

static void
spool(struct proc *p, struct settle_op *s)
{
	struct store_op *op = &s->op;

	s->op.must = true;
	p->calls.spool(p->runner, &op, 1);
}

/* As the thread does it; how many were replayed. */
static size_t
replay(struct proc *p)
{
	static const struct err none = { .code = ERR_NONE };
	struct store_op *ops[LIMIT_BATCH_OPS];
	size_t n, i;

	clock_fake_advance(&p->rig->clock, 2000);
	n = p->calls.backlog(p->runner, ops, LIMIT_BATCH_OPS);
	for (i = 0; i < n; i++)
		assert_true(ops[i]->replay && ops[i]->must);
	if (n > 0)
		proc_run(p, ops, n);
	for (i = 0; i < n; i++)
		p->calls.replayed(p->runner, ops[i], &none);
	return (n);
}

static size_t
depth(struct rig *r)
{
	struct spool_count n;
	struct err err = { 0 };

	if (spool_count(r->dir, &n, &err) != 0)
		fail_msg("%s", err.text);
	return ((size_t)n.records);
}

static int64_t
notes(struct proc *p, const char *event)
{
	struct backlog_note list[BACKLOG_NOTES];
	size_t i, n;
	int64_t found = 0;

	n = shared_told(&p->shared, list);
	for (i = 0; i < n; i++)
		found += strcmp(list[i].event, event) == 0;
	return (found);
}

static void
let_go(struct settle_op *s)
{

	lease_drop(&s->lease);
	free(s);
}

/* One call, admitted and in the spool. */
static void
spool_one(struct proc *p, struct key_info *key)
{
	struct admit_op *op = admit_now(p, key);
	struct settle_op *s = settle_make(p, op);

	spool(p, s);
	assert_true(s->op.spooled);
	let_go(s);
	drop(op);
}

static void
assert_all_exact(struct rig *r, int64_t n, int state)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM ledger WHERE "
	    "state = %d AND mark = 1 AND outcome = 'ok' AND status = 200 AND "
	    "input_tokens = 10 AND output_tokens = 20 AND cost_nusd = 30 "
	    "AND attempts = 1 AND account_id = 1", state);
	assert_int_equal(rig_int(r, sql), n);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger"), n);
	assert_int_equal(rig_int(r, "SELECT spent FROM budget_window "
	    "WHERE reserved = 0"), n * 30);
	assert_int_equal(rig_int(r, "SELECT sum(cost_nusd) FROM key_usage"),
	    n * 30);
	assert_int_equal(rig_int(r, "SELECT sum(requests) FROM key_usage"),
	    n);
	assert_int_equal(slots_held(r), 0);
}

static void
what_was_spooled_is_settled_later(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r);

	assert_int_equal(replay(p), 0);
	spool_one(p, key);
	spool_one(p, key);
	assert_int_equal(slots_held(r), 2);
	assert_int_equal(depth(r), 2);
	assert_int_equal(replay(p), 2);
	assert_all_exact(r, 2, 1);
	assert_int_equal(depth(r), 0);
	assert_int_equal(replay(p), 0);
	rig_balance(r, "replayed");
	proc_free(p);
}

static void
a_dead_ones_file_is_adopted_and_corrects_its_rows(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r), *heir = spooling(r);

	spool_one(p, key);
	spool_one(p, key);
	assert_int_equal(replay(heir), 0);
	proc_die(p);
	proc_beat(heir);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 2 AND mark = 3"), 2);
	assert_int_equal(replay(heir), 2);
	assert_int_equal(notes(heir, "spool_adopted"), 1);
	assert_all_exact(r, 2, 3);
	assert_int_equal(replay(heir), 0);
	assert_int_equal(depth(r), 0);
	proc_free(heir);
}

static void
before_they_are_reaped_they_are_simply_settled(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r), *heir;

	spool_one(p, key);
	proc_die(p);
	heir = spooling(r);
	assert_int_equal(replay(heir), 1);
	proc_beat(heir);
	assert_all_exact(r, 1, 1);
	proc_free(heir);
}

/* The mark that it is done was lost, or its commit's answer. */
static void
replaying_twice_changes_nothing(void **state)
{
	static const struct err unknown = { .code = ERR_STORE_UNKNOWN };
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct store_op *ops[LIMIT_BATCH_OPS];
	struct proc *p = spooling(r);

	spool_one(p, key);
	clock_fake_advance(&r->clock, 2000);
	assert_int_equal(p->calls.backlog(p->runner, ops, LIMIT_BATCH_OPS),
	    1);
	proc_run(p, ops, 1);
	p->calls.replayed(p->runner, ops[0], &unknown);
	assert_all_exact(r, 1, 1);
	assert_int_equal(depth(r), 1);

	/* Not at once. */
	assert_int_equal(p->calls.backlog(p->runner, ops, LIMIT_BATCH_OPS),
	    0);
	assert_int_equal(replay(p), 1);
	assert_all_exact(r, 1, 1);
	assert_int_equal(depth(r), 0);
	proc_free(p);
}

static void
a_rolled_back_replay_is_tried_again(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r);

	spool_one(p, key);
	p->fail_times = 1;
	assert_int_equal(replay(p), 1);
	assert_all_exact(r, 1, 1);
	proc_free(p);
}

static void
an_older_epoch_is_put_aside(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r), *heir;
	struct spool_count n;
	struct err err = { 0 };

	spool_one(p, key);
	proc_die(p);
	rig_sql(r, "INSERT INTO meta (name, value) VALUES ('epoch', 1)");
	heir = spooling(r);
	assert_int_equal(heir->runner->backlog.id.epoch, 1);
	assert_int_equal(replay(heir), 0);
	assert_int_equal(notes(heir, "spool_refused"), 1);
	assert_int_equal(replay(heir), 0);
	assert_int_equal(notes(heir, "spool_refused"), 0);
	assert_int_equal(spool_count(r->dir, &n, &err), 0);
	assert_int_equal(n.records, 0);
	assert_int_equal(n.refused, 1);
	proc_free(heir);
}

static void
another_installation_is_put_aside(void **state)
{
	static const struct spool_id alien = { "somebody else", 0 };
	struct rig *r = *state;
	struct proc *p;
	struct err err = { 0 };
	struct spool *sp;

	(void)rig_budgeted(r);
	sp = spool_create(r->dir, BYTES, &alien, &err);
	assert_non_null(sp);
	assert_int_equal(spool_put(sp, "x", 1, &err), 0);
	spool_close(sp);
	p = spooling(r);
	assert_int_equal(replay(p), 0);
	assert_int_equal(notes(p, "spool_refused"), 1);
	proc_free(p);
}

static void
a_restore_under_way_puts_the_own_file_aside(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r);

	spool_one(p, key);
	rig_sql(r, "INSERT INTO meta (name, value) VALUES ('epoch', 7)");
	reconnect(p);
	assert_int_equal(notes(p, "spool_refused"), 1);
	assert_int_equal(replay(p), 0);
	spool_one(p, key);
	assert_int_equal(replay(p), 1);
	proc_free(p);
}

static void
bytes_that_make_no_settlement_are_passed_over(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r);
	struct err err = { 0 };

	assert_int_equal(spool_put(p->runner->backlog.own, "nonsense!", 9,
	    &err), 0);
	spool_one(p, key);
	assert_int_equal(replay(p), 1);
	assert_int_equal(notes(p, "spool_unreadable"), 1);
	assert_all_exact(r, 1, 1);
	assert_int_equal(depth(r), 0);
	proc_free(p);
}

static void
a_full_spool_takes_no_more_and_says_so_once(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = spooling(r);
	struct admit_op *op = admit_now(p, key);
	struct settle_op *s = settle_make(p, op);
	size_t n = 0;

	do {
		s->op.spooled = false;
		spool(p, s);
		n += s->op.spooled;
	} while (s->op.spooled);
	assert_in_range(n, 40, 400);
	spool(p, s);
	assert_false(s->op.spooled);
	assert_int_equal(notes(p, "spool_full"), 1);

	/* The same one so often: it counts once. */
	while (replay(p) > 0)
		continue;
	assert_all_exact(r, 1, 1);
	s->op.spooled = false;
	spool(p, s);
	assert_true(s->op.spooled);
	assert_int_equal(replay(p), 1);
	let_go(s);
	drop(op);
	proc_free(p);
}

static void
all_that_a_settlement_says_survives(void **state)
{
	static const struct account account = { .id = 7, .platform = "vertex" };
	struct settle_op s = {
		.ledger_id = INT64_MAX, .key_id = 3, .attempts = 4,
		.lease = { .held = true, .slotted = true, .account = &account,
		    .slot_n = 5, .slot_fence = 6, .attempt = 4,
		    .parked = -1, .parked_family = "opus" },
		.end = { .outcome = "cut", .status = 529,
		    .upstream_id = "req_\xff\x01", .mark = USAGE_PARTIAL,
		    .usage = { .input_tokens = 1, .output_tokens = 2,
		    .cache_read_tokens = 3, .cache_write_5m_tokens = 4,
		    .cache_write_1h_tokens = 5, .web_searches = 6 } },
		.park = { .wanted = true, .family = "f", .reason = "r",
		    .detail = "d", .stated = true, .fact = true,
		    .until_ms = 99 },
		.success = true, .outcome = "client_gone", .status = 499,
		.reserved_nusd = 11, .queue_ms = 12, .first_byte_ms = -1,
		.total_ms = 13, .answer_bytes = 14,
	};
	unsigned char buf[SPOOL_RECORD_MAX];
	struct spooled back;
	size_t n, cut;

	(void)state;
	memset(s.model, 'm', sizeof(s.model) - 1);
	memset(s.trace, 't', sizeof(s.trace) - 1);
	n = spooled_write(&s, 1000, buf);
	assert_int_equal(spooled_read(&back, buf, n, 2000), 0);
	assert_int_equal(back.settle.op.kind, OP_SETTLE);
	assert_int_equal(back.settle.ledger_id, s.ledger_id);
	assert_int_equal(back.settle.lease.account->id, 7);
	assert_string_equal(back.settle.lease.account->platform, "vertex");
	back.settle.lease.account = &account;
	assert_memory_equal(&back.settle.lease, &s.lease, sizeof(s.lease));
	assert_memory_equal(&back.settle.end, &s.end, sizeof(s.end));
	assert_memory_equal(&back.settle.park, &s.park, sizeof(s.park));
	assert_memory_equal(back.settle.model, s.model, sizeof(s.model));
	assert_memory_equal(back.settle.trace, s.trace, sizeof(s.trace));
	assert_string_equal(back.settle.outcome, s.outcome);
	assert_int_equal(back.settle.key_id, 3);
	assert_int_equal(back.settle.attempts, 4);
	assert_true(back.settle.success);
	assert_int_equal(back.settle.status, 499);
	assert_int_equal(back.settle.reserved_nusd, 11);
	assert_int_equal(back.settle.queue_ms, 12);
	assert_int_equal(back.settle.first_byte_ms, -1);
	assert_int_equal(back.settle.total_ms, 13);
	assert_int_equal(back.settle.answer_bytes, 14);

	/* Anything shorter is either refused or lacks whole fields. */
	for (cut = 0; cut < n; cut++) {
		if (spooled_read(&back, buf, cut, 2000) == 0)
			assert_true(back.settle.ledger_id == s.ledger_id);
	}
}

static void
a_default_park_has_aged_when_it_is_replayed(void **state)
{
	struct settle_op s = { .ledger_id = 1, .key_id = 1,
		.lease.probe = true,
		.park = { .wanted = true, .soft = true,
		    .base_ms = 10000 } };
	unsigned char buf[SPOOL_RECORD_MAX];
	struct spooled back;
	size_t n;

	(void)state;
	n = spooled_write(&s, 1000, buf);
	assert_int_equal(spooled_read(&back, buf, n, 4000), 0);
	assert_true(back.settle.park.wanted);
	assert_int_equal(back.settle.park.base_ms, 7000);
	assert_true(back.settle.park.soft);
	assert_true(back.settle.lease.probe);
	assert_int_equal(spooled_read(&back, buf, n, 11000), 0);
	assert_false(back.settle.park.wanted);
}

static void
without_a_folder_nothing_is_spooled(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_budgeted(r);
	struct proc *p = proc_new(r);
	struct admit_op *op = admit_now(p, key);
	struct settle_op *s = settle_make(p, op);

	runner_spool(p->runner, "/nowhere/at/all", BYTES);
	reconnect(p);
	assert_int_equal(notes(p, "no_spool"), 1);
	spool(p, s);
	assert_false(s->op.spooled);
	assert_int_equal(replay(p), 0);
	proc_run1(p, &s->op);
	assert_all_exact(r, 1, 1);
	let_go(s);
	drop(op);
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(what_was_spooled_is_settled_later),
		T(a_dead_ones_file_is_adopted_and_corrects_its_rows),
		T(before_they_are_reaped_they_are_simply_settled),
		T(replaying_twice_changes_nothing),
		T(a_rolled_back_replay_is_tried_again),
		T(an_older_epoch_is_put_aside),
		T(another_installation_is_put_aside),
		T(a_restore_under_way_puts_the_own_file_aside),
		T(bytes_that_make_no_settlement_are_passed_over),
		T(a_full_spool_takes_no_more_and_says_so_once),
		T(all_that_a_settlement_says_survives),
		T(a_default_park_has_aged_when_it_is_replayed),
		T(without_a_folder_nothing_is_spooled),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
