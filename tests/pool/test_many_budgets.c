/* A key that counts against hundreds of budgets. */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/limits.h"
#include "pool/holds.h"
#include "pool/prune.h"
#include "pool/rig.h"

#include "verify.h"

#define N	200	/* 100 on the key, 50 on its user, 50 on its group */

/* Of each kind there are twenty that are strict and twenty that are not.  See
 * test_budgets.c for what a call needs. */
static const char *const kinds[] = { "money", "tokens", "input_tokens",
	"output_tokens", "requests" };
static const int64_t worst[] = { 2000, 2000, 1000, 1000, 1 };
static const int64_t slice[] = { 434, 434, 334, 100, 1 };
static const int64_t used[] = { 30, 30, 10, 20, 1 };
static const int64_t nothing[] = { 0, 0, 0, 0, 0 };

static void
each_has(struct rig *r, const char *column, const char *policy,
    const int64_t amounts[])
{
	char sql[512];
	size_t i;

	for (i = 0; i < NITEMS(kinds); i++) {
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM (SELECT "
		    "sum(%s) AS s FROM budget JOIN budget_window ON "
		    "budget_id = id WHERE kind = '%s' AND policy = '%s' "
		    "GROUP BY id) AS t WHERE s = %lld", column, kinds[i],
		    policy, (long long)amounts[i]);
		if (rig_int(r, sql) != N / 10)
			fail_msg("%s of %s %s: %lld have %lld", column, policy,
			    kinds[i], (long long)rig_int(r, sql),
			    (long long)amounts[i]);
	}
}

static void
all_have(struct rig *r, const char *column, const int64_t amounts[])
{

	each_has(r, column, "elastic", amounts);
	each_has(r, column, "strict", amounts);
}

/* How many budgets the rows name. */
static int64_t
held_by_rows(struct rig *r)
{

	return (rig_int(r, raw_is_mysql() ? "SELECT sum(CASE holds WHEN '' "
	    "THEN 0 ELSE JSON_LENGTH(holds) END) FROM ledger" :
	    "SELECT sum(CASE holds WHEN '' THEN 0 ELSE "
	    "json_array_length(holds) END) FROM ledger"));
}

static void
verify(struct rig *r, const char *note)
{
	struct err err = { 0 };
	json_t *found = verify_ledger(r->st, &err);

	if (found == NULL)
		fail_msg("%s: %s", note, err.text);
	if (json_integer_value(json_object_get(found, "differences")) != 0)
		fail_msg("%s: %s", note, json_dumps(found, JSON_INDENT(1)));
	json_decref(found);
}

static void
agree(struct rig *r, const char *note)
{

	rig_balance(r, note);
	verify(r, note);
}

static void
limit(struct rig *r, int id, int64_t value)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "UPDATE budget SET limit_value = %lld "
	    "WHERE id = %d", (long long)value, id);
	rig_change(r, sql);
}

static void
extend(struct proc *p, const struct admit_op *op, struct extend_op *e)
{

	*e = (struct extend_op) {
		.op.kind = OP_EXTEND,
		.ledger_id = op->ledger_id,
		.attempt = 1,
		.nth = 1,
		.platform = "claude",
		.body_bytes = op->body_bytes,
		.max_tokens = op->max_tokens,
		.so_far.input_tokens = 10,
		.so_far.output_tokens = 500,
	};
	memcpy(e->model, op->model, sizeof(e->model));
	proc_run1(p, &e->op);
}

static void
all_of_them_are_reserved_extended_and_charged(void **state)
{
	static const int64_t extended[] = { 610, 610, 334, 600, 1 };
	struct rig *r = *state;
	struct key_info *key = rig_many(r, N);
	struct proc *p = proc_new(r);
	struct extend_op e;
	struct admit_op *op;

	p->fail_times = 1;
	op = admit_stream(p, key);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(held_by_rows(r), N);
	each_has(r, "reserved", "strict", worst);
	each_has(r, "reserved", "elastic", slice);
	assert_int_equal(op->reserved_nusd, 2000);
	agree(r, "reserved");
	p->fail_times = 1;
	extend(p, op, &e);
	assert_true(e.granted);
	each_has(r, "reserved", "strict", worst);
	each_has(r, "reserved", "elastic", extended);
	agree(r, "extended");
	p->fail_times = 1;
	finish(p, op);
	all_have(r, "reserved", nothing);
	all_have(r, "spent", used);
	assert_int_equal(held_by_rows(r), N);
	agree(r, "settled");
	proc_free(p);
}

static void
the_one_that_has_no_room_is_named_and_none_is_reserved(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_many(r, N);
	struct proc *p = proc_new(r);
	struct admit_op *op;

	limit(r, 173, 999);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_BUDGET);
	assert_int_equal(op->budget_id, 173);
	assert_non_null(strstr(op->reason, "of budget b173, 999 input tokens"));
	assert_true(op->left[BUDGET_INPUT].there);
	assert_int_equal(op->left[BUDGET_INPUT].limit, 999);
	assert_false(op->left[BUDGET_MONEY].there);
	drop(op);
	assert_int_equal(rig_int(r, "SELECT sum(reserved) + sum(spent) "
	    "FROM budget_window"), 0);
	agree(r, "refused");

	/* With room for it, it is the tightest of its kind. */
	limit(r, 173, 1000);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->left[BUDGET_INPUT].limit, 1000);
	assert_int_equal(op->left[BUDGET_INPUT].left, 0);
	assert_int_equal(op->left[BUDGET_OUTPUT].limit, 1000000000000);
	all_have(r, "reserved", worst);
	finish(p, op);
	agree(r, "settled");
	proc_free(p);
}

static void
where_one_has_no_more_none_is_extended(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_many(r, N);
	struct proc *p = proc_new(r);
	struct extend_op e;
	struct admit_op *op;

	limit(r, 199, 300);		/* output tokens, elastic */
	op = admit_stream(p, key);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	extend(p, op, &e);
	assert_false(e.granted);
	assert_int_equal(e.budget_id, 199);
	each_has(r, "reserved", "elastic", slice);
	agree(r, "not extended");
	finish(p, op);
	agree(r, "settled");
	proc_free(p);
}

static void
a_batch_stops_at_the_limit_of_one(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_many(r, N);
	struct proc *p = proc_new(r);
	struct admit_op *ops[40];
	struct store_op *sops[NITEMS(ops)];
	size_t i, leased = 0;

	limit(r, 173, 25 * slice[BUDGET_INPUT]);
	for (i = 0; i < NITEMS(ops); i++) {
		ops[i] = admit_make(p, key);
		ops[i]->stream = true;
		sops[i] = &ops[i]->op;
	}
	p->fail_times = 1;
	proc_run(p, sops, NITEMS(ops));
	for (i = 0; i < NITEMS(ops); i++) {
		leased += ops[i]->verdict == ADMIT_LEASED;
		if (ops[i]->verdict != ADMIT_LEASED)
			assert_non_null(strstr(ops[i]->reason, "budget b173"));
	}
	assert_int_equal(leased, 25);
	assert_int_equal(held_by_rows(r), 25 * N);
	agree(r, "reserved");
	for (i = 0; i < NITEMS(ops); i++) {
		if (ops[i]->verdict == ADMIT_LEASED)
			finish(p, ops[i]);
		else
			drop(ops[i]);
	}
	assert_int_equal(rig_int(r, "SELECT sum(spent) FROM budget_window "
	    "WHERE budget_id = 200"), 25);
	agree(r, "settled");
	proc_free(p);
}

static void
what_a_dead_one_held_is_charged_and_corrected_later(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_many(r, N);
	struct proc *p[2] = { proc_new(r), proc_new(r) };
	struct admit_op *lost = admit_stream(p[0], key);
	struct settle_op *s;

	proc_die(p[0]);
	proc_beat(p[1]);
	all_have(r, "reserved", nothing);
	each_has(r, "spent", "strict", worst);
	each_has(r, "spent", "elastic", slice);
	agree(r, "reaped");
	s = settle_make(p[1], lost);
	proc_run1(p[1], &s->op);
	assert_true(s->late);
	all_have(r, "spent", used);
	assert_int_equal(rig_int(r, "SELECT state FROM ledger"), 3);
	agree(r, "corrected");
	lease_drop(&s->lease);
	free(s);
	free(lost);
	proc_free(p[1]);
}

static void
what_rows_held_is_kept_when_they_go(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_many(r, N);
	struct prune_pass pass;
	struct err err = { 0 };
	struct proc *p;
	int i;

	r->clock.wall_ms -= INT64_C(72) * 60 * 60 * 1000;
	p = proc_new(r);
	for (i = 0; i < 3; i++)
		finish(p, admit_now(p, key));
	if (prune_some(r->st, 1, &pass, &err))
		fail_msg("%s", err.text);
	assert_int_equal(pass.requests, 3);
	assert_int_equal(rig_int(r, "SELECT sum(kept) FROM budget_window"),
	    3 * N / 5 * (30 + 30 + 10 + 20 + 1));
	assert_int_equal(rig_int(r, "SELECT sum(spent - kept) "
	    "FROM budget_window"), 0);
	verify(r, "pruned");
	proc_free(p);
}

/* ---- by way of the spool ---- */

#define SPOOL_BYTES	(64 * 1024)
#define SPOOLED		3

/* The last record's end was not written any more. */
static void
tear(const char *dir)
{
	unsigned char bytes[SPOOL_BYTES];
	char path[300] = "";
	struct dirent *de;
	ssize_t at;
	DIR *d;
	int fd;

	assert_non_null(d = opendir(dir));
	while ((de = readdir(d)) != NULL) {
		if (strstr(de->d_name, "spool") != NULL)
			snprintf(path, sizeof(path), "%s/%s", dir,
			    de->d_name);
	}
	closedir(d);
	assert_true((fd = open(path, O_RDWR)) != -1);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), SPOOL_BYTES);
	for (at = SPOOL_BYTES; bytes[at - 1] == 0; at--)
		continue;
	memset(bytes + at - 40, 0, 40);
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), SPOOL_BYTES);
	close(fd);
}

static struct proc *
spooling(struct rig *r)
{
	struct proc *p = proc_new(r);
	struct err err = { 0 };

	runner_spool(p->runner, r->dir, SPOOL_BYTES);
	if (p->calls.connected(p->runner, p->st, &err) != 0)
		fail_msg("%s", err.text);
	return (p);
}

static size_t
replay(struct proc *p)
{
	static const struct err none = { .code = ERR_NONE };
	struct store_op *ops[LIMIT_BATCH_OPS];
	size_t n, i;

	clock_fake_advance(&p->rig->clock, 2000);
	n = p->calls.backlog(p->runner, ops, LIMIT_BATCH_OPS);
	if (n > 0)
		proc_run(p, ops, n);
	for (i = 0; i < n; i++)
		p->calls.replayed(p->runner, ops[i], &none);
	return (n);
}

/* A record says nothing of budgets: what it holds of them is on its row. */
static void
spooled_ones_charge_all_and_a_torn_one_stays_estimated(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_many(r, N);
	struct proc *p = spooling(r), *heir;
	struct admit_op *ops[SPOOLED];
	struct settle_op *s[SPOOLED];
	struct store_op *op;
	size_t i;

	for (i = 0; i < SPOOLED; i++) {
		ops[i] = admit_now(p, key);
		s[i] = settle_make(p, ops[i]);
		s[i]->op.must = true;
		op = &s[i]->op;
		p->calls.spool(p->runner, &op, 1);
		assert_true(op->spooled);
	}
	proc_die(p);
	tear(r->dir);
	heir = spooling(r);
	assert_int_equal(replay(heir), SPOOLED - 1);
	assert_int_equal(replay(heir), 0);
	proc_beat(heir);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "mark = 1 AND cost_nusd = 30"), SPOOLED - 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 2 AND mark = 3"), 1);
	all_have(r, "reserved", nothing);
	assert_int_equal(rig_int(r, "SELECT sum(spent) FROM budget_window"),
	    N / 5 * ((SPOOLED - 1) * (30 + 30 + 10 + 20 + 1) +
	    2000 + 2000 + 1000 + 1000 + 1));
	agree(r, "replayed");
	for (i = 0; i < SPOOLED; i++) {
		lease_drop(&s[i]->lease);
		free(s[i]);
		free(ops[i]);
	}
	proc_free(heir);
}

/* ---- what stands on the row ---- */

static void
any_number_of_holds_comes_back_as_it_was(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 16, 17, 1000, 100000 };
	struct holds h, back;
	const char *text;
	struct arena a;
	size_t i, k;

	(void)state;
	arena_init(&a, LIMIT_BATCH_BYTES);
	for (i = 0; i < NITEMS(counts); i++) {
		h.n = counts[i];
		h.list = calloc(h.n + 1, sizeof(*h.list));
		assert_non_null(h.list);
		for (k = 0; k < h.n; k++)
			h.list[k] = (struct hold) {
				.budget_id = INT64_MAX - (int64_t)k,
				.start_ms = k % 2 == 0 ? -INT64_MAX :
				    INT64_MAX,
				.kind = BUDGET_REQUESTS,
				.amount = INT64_MAX,
			};
		text = holds_text(&h, &a, NULL);
		assert_non_null(text);
		assert_int_equal(holds_parse(&back, text, &a, NULL), 1);
		assert_int_equal(back.n, h.n);
		for (k = 0; k < h.n; k++) {
			assert_true(back.list[k].budget_id ==
			    h.list[k].budget_id);
			assert_true(back.list[k].start_ms ==
			    h.list[k].start_ms);
			assert_true(back.list[k].amount == INT64_MAX);
		}
		free(h.list);
		arena_reset(&a);
	}
	arena_fini(&a);
}

static void
what_is_no_list_of_holds_is_told_from_one(void **state)
{
	static const char *const bad[] = { "[", "]", "[]", "[[]]", "x",
		"[[1,2,3]]", "[[1,2,3,4,5]]", "[[0,0,0,0]]", "[[1,0,5,0]]",
		"[[1,0,0,-1]]", "[[1,0,0,0],]", "[[1,0,0,0]]x", "[[1,0,0,0]",
		"[[1,0,0,1e3]]", "[[9223372036854775808,0,0,0]]", "[[[[[[[[" };
	struct holds h;
	struct arena a;
	size_t i;

	(void)state;
	arena_init(&a, 100000);
	for (i = 0; i < NITEMS(bad); i++) {
		if (holds_parse(&h, bad[i], &a, NULL) != 0 || h.n != 0)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(holds_parse(&h, "[ [1, -5,0, 7 ], [2,0,4,1] ]", &a,
	    NULL), 1);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.list[0].start_ms, -5);
	arena_fini(&a);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(all_of_them_are_reserved_extended_and_charged),
		T(the_one_that_has_no_room_is_named_and_none_is_reserved),
		T(where_one_has_no_more_none_is_extended),
		T(a_batch_stops_at_the_limit_of_one),
		T(what_a_dead_one_held_is_charged_and_corrected_later),
		T(what_rows_held_is_kept_when_they_go),
		T(spooled_ones_charge_all_and_a_torn_one_stays_estimated),
		cmocka_unit_test(any_number_of_holds_comes_back_as_it_was),
		cmocka_unit_test(what_is_no_list_of_holds_is_told_from_one),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
