#include <sys/mman.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/rig.h"

/*
 * A thousand requests at once, in four processes, on a key that has five
 * dollars: each would cost up to 23 cents.  What is spent stays within the cap
 * if the budget is strict; if it is elastic, within one slice for each stream
 * that was open.
 */

#define N_PROCS		4
#define N_CALLS		250	/* of each */
#define CAP_NUSD	INT64_C(5000000000)
#define NUSD_MTOK	INT64_C(25000000000)
#define TOKEN_NUSD	(NUSD_MTOK / 1000000)
#define MAX_TOKENS	8192
#define SLICE		2048
#define BATCH		25

struct board {
	int ready;
	int admitted[N_PROCS], refused[N_PROCS], cut[N_PROCS];
};

struct stream {
	struct admit_op *admit;
	int64_t output;		/* that it has sent */
	int64_t wants;		/* in all */
	int nth;
	bool over;
};

static void
end(struct proc *p, struct stream *s)
{
	struct settle_op *op = settle_make(p, s->admit);

	op->end.usage.output_tokens = s->output;
	proc_run1(p, &op->op);
	lease_drop(&op->lease);
	free(op);
	free(s->admit);
	s->admit = NULL;
}

/* It sends what is covered and, if it wants more, asks; while it waits for the
 * answer it goes on for up to a slice. */
static void
go_on(struct proc *p, struct stream *s)
{
	struct coverage *covers = &s->admit->coverage;
	struct extend_op op = {
		.op.kind = OP_EXTEND,
		.ledger_id = s->admit->ledger_id,
		.attempt = 1,
		.nth = ++s->nth,
		.platform = "claude",
		.body_bytes = s->admit->body_bytes,
		.max_tokens = MAX_TOKENS,
		.so_far.input_tokens = 10,
	};

	if (s->wants <= covers->output_tokens) {
		s->output = s->wants;
		s->over = true;
		return;
	}
	op.so_far.output_tokens = s->output = covers->output_tokens;
	memcpy(op.model, s->admit->model, sizeof(op.model));
	proc_run1(p, &op.op);
	if (op.granted) {
		*covers = op.coverage;
		return;
	}
	s->output += SLICE;
	if (s->output > s->wants)
		s->output = s->wants;
	s->over = true;
}

/* They come in batches, and are open all at once. */
static void
come(struct proc *p, struct key_info *key, bool stream, struct stream *list)
{
	struct store_op *ops[BATCH];
	size_t i, k;

	for (i = 0; i < N_CALLS; i += BATCH) {
		for (k = 0; k < BATCH; k++) {
			list[i + k].admit = admit_make(p, key);
			list[i + k].admit->stream = stream;
			list[i + k].admit->max_tokens = MAX_TOKENS;
			list[i + k].wants = MAX_TOKENS - (int64_t)(i * 7);
			ops[k] = &list[i + k].admit->op;
		}
		proc_run(p, ops, BATCH);
	}
}

static void
take_answers(struct stream *list, struct board *b, int me)
{
	struct stream *s;

	for (s = list; s < list + N_CALLS; s++) {
		if (s->admit->verdict == ADMIT_LEASED) {
			b->admitted[me]++;
			continue;
		}
		b->refused[me]++;
		drop(s->admit);
		s->admit = NULL;
	}
}

/* In a child. */
static void
work(struct rig *r, struct board *b, int me, bool stream)
{
	struct stream list[N_CALLS] = { { .admit = NULL } }, *s;
	struct proc *p;
	bool open = true;

	(void)setenv("CMOCKA_TEST_ABORT", "1", 1);
	p = proc_new(r);
	p->shared.settings.slice_tokens = SLICE;
	__atomic_add_fetch(&b->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&b->ready, __ATOMIC_SEQ_CST) < N_PROCS)
		usleep(1000);
	come(p, &r->keys[0], stream, list);
	take_answers(list, b, me);
	while (open) {
		open = false;
		for (s = list; s < list + N_CALLS; s++) {
			if (s->admit == NULL)
				continue;
			go_on(p, s);
			b->cut[me] += s->over && s->output < s->wants;
			open = open || !s->over;
			if (s->over)
				end(p, s);
		}
	}
	proc_free(p);
	_exit(0);
}

/* How many were admitted. */
static int64_t
rush(struct rig *r, const char *policy, bool stream)
{
	struct board *b;
	pid_t pids[N_PROCS];
	int64_t admitted = 0, cut = 0;
	char sql[128];
	int i, status;

	rig_account(r, "a1", 0, 2000);
	rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", NUSD_MTOK);
	rig_budget(r, 1, CAP_NUSD);
	snprintf(sql, sizeof(sql), "UPDATE budget SET policy = '%s'", policy);
	rig_sql(r, sql);
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(b, MAP_FAILED);
	for (i = 0; i < N_PROCS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			work(r, b, i, stream);
	}
	for (i = 0; i < N_PROCS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
		assert_int_equal(b->admitted[i] + b->refused[i], N_CALLS);
		admitted += b->admitted[i];
		cut += b->cut[i];
	}
	print_message("%s: %lld of 1000 admitted, %lld cut; $%.3f spent\n",
	    policy, (long long)admitted, (long long)cut,
	    (double)rig_int(r, "SELECT spent FROM budget_window") / 1e9);
	munmap(b, sizeof(*b));
	rig_balance(r, "at the end");
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 1"), admitted);
	assert_int_equal(rig_int(r, "SELECT reserved FROM budget_window"), 0);
	return (admitted);
}

static void
strict_stays_within_the_cap(void **state)
{
	struct rig *r = *state;

	/* 1,000 of input and 8,192 of output each. */
	assert_true(rush(r, "strict", true) >= CAP_NUSD /
	    ((1000 + MAX_TOKENS) * TOKEN_NUSD));
	assert_true(rig_int(r, "SELECT spent FROM budget_window") <=
	    CAP_NUSD);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE flags <> 0"), 0);
}

static void
no_stream_stays_within_the_cap_of_an_elastic_budget(void **state)
{
	struct rig *r = *state;

	rush(r, "elastic", false);
	assert_true(rig_int(r, "SELECT spent FROM budget_window") <=
	    CAP_NUSD);
}

static void
elastic_stays_within_a_slice_for_each_stream(void **state)
{
	struct rig *r = *state;
	int64_t admitted = rush(r, "elastic", true), over;

	assert_true(admitted > CAP_NUSD / ((1000 + MAX_TOKENS) * TOKEN_NUSD));
	over = rig_int(r, "SELECT spent FROM budget_window") - CAP_NUSD;
	assert_true(over <= rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE flags = 1") * SLICE * TOKEN_NUSD);
	assert_true(rig_int(r, "SELECT max(overrun_nusd) FROM ledger") <=
	    SLICE * TOKEN_NUSD);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(strict_stays_within_the_cap),
		T(no_stream_stays_within_the_cap_of_an_elastic_budget),
		T(elastic_stays_within_a_slice_for_each_stream),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
