#include <sys/mman.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/rig.h"

/*
 * Processes that write at the same time, as those of several hosts do: batches
 * of admissions and settlements for few slots, a bounded key and a bounded
 * budget.  The books are looked at while they are at work, and balance in each
 * view of the database; one process is killed in the middle.
 */

#define N_PROCS		4
#define N_CALLS		12	/* of one process at once */
#define RUN_MS		2000
#define CAP_NUSD	400000

struct board {
	int served[N_PROCS], refused[N_PROCS], batches[N_PROCS];
	int reruns[N_PROCS];
	int ready;
};

/* Who waits is served under one lock, so that hides the others. */
struct weather {
	bool crowded;		/* few slots, and who finds none waits */
};

struct worker {
	const struct weather *weather;
	struct rig *rig;
	struct proc *p;
	struct board *board;
	int me;
	uint64_t random;
	struct admit_op *asked[N_CALLS];	/* not answered yet */
	struct admit_op *leased[N_CALLS];
};

static int64_t
mono_ms(void)
{

	return (clock_mono_ms(clock_system()));
}

static unsigned int
dice(struct worker *w, unsigned int sides)
{

	w->random = w->random * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((unsigned int)(w->random >> 33) % sides);
}

/* What was answered since. */
static void
hear(struct worker *w)
{
	struct admit_op *op;
	size_t i;

	for (i = 0; i < N_CALLS; i++) {
		op = w->asked[i];
		if (op == NULL || !proc_posted(w->p, &op->op))
			continue;
		w->asked[i] = NULL;
		if (op->verdict == ADMIT_LEASED) {
			w->leased[i] = op;
			continue;
		}
		w->board->refused[w->me]++;
		free(op);
	}
}

/* One batch: some leave, and, unless it is the end, some come. */
static void
batch(struct worker *w, bool last)
{
	struct settle_op *gone[N_CALLS] = { NULL };
	struct store_op *ops[N_CALLS + 1];
	struct store_op beat = { .kind = OP_BEAT, .urgent = true };
	size_t i, n = 0;

	if (dice(w, 10) == 0)
		ops[n++] = &beat;
	for (i = 0; i < N_CALLS; i++) {
		if (w->leased[i] != NULL && (last || dice(w, 2))) {
			gone[i] = settle_make(w->p, w->leased[i]);
			ops[n++] = &gone[i]->op;
		} else if (w->leased[i] == NULL && w->asked[i] == NULL &&
		    !last && dice(w, 2)) {
			w->asked[i] = admit_make(w->p,
			    &w->rig->keys[dice(w, 3)]);
			w->asked[i]->give_up_ms = w->asked[i]->submitted_ms +
			    (w->weather->crowded ? dice(w, 2) * 300 : 0);
			ops[n++] = &w->asked[i]->op;
		}
	}
	proc_run(w->p, ops, n);
	for (i = 0; i < N_CALLS; i++) {
		if (gone[i] == NULL)
			continue;
		lease_drop(&gone[i]->lease);
		free(gone[i]);
		free(w->leased[i]);
		w->leased[i] = NULL;
		w->board->served[w->me]++;
	}
	hear(w);
	w->board->batches[w->me]++;
	w->board->reruns[w->me] = w->p->reruns;
}

static bool
is_busy(const struct worker *w)
{
	size_t i;

	for (i = 0; i < N_CALLS; i++) {
		if (w->leased[i] != NULL || w->asked[i] != NULL)
			return (true);
	}
	return (false);
}

/* In a child. */
static void
work(struct rig *r, const struct weather *weather, struct board *board,
    int me)
{
	struct worker w = { .weather = weather, .rig = r,
		.board = board, .me = me,
		.random = (uint64_t)me * 7919 + 1 };
	int64_t began, now, last;

	/* What fails here must not go on with the tests that follow. */
	(void)setenv("CMOCKA_TEST_ABORT", "1", 1);
	w.p = proc_new(r);
	__atomic_add_fetch(&board->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&board->ready, __ATOMIC_SEQ_CST) < N_PROCS)
		usleep(1000);
	began = last = mono_ms();
	do {
		now = mono_ms();
		clock_fake_advance(&r->clock, now - last);
		last = now;
		batch(&w, now - began > RUN_MS);
	} while (now - began < RUN_MS || (is_busy(&w) && now - began <
	    20 * RUN_MS));
	proc_free(w.p);
	_exit(is_busy(&w) ? 3 : 0);
}

static void
furnish(struct rig *r, const struct weather *weather)
{
	int64_t more = weather->crowded ? 0 : 12;
	struct key_info *key;

	rig_account(r, "a1", 0, 6 + more);
	rig_account(r, "a2", 0, 5 + more);
	rig_account(r, "a3", 0, 3 + more);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_key(r, "k2", "pool", 0, 3);
	rig_key(r, "k3", "account", 2, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, CAP_NUSD);
}

static void
assert_over(struct rig *r)
{

	assert_int_equal(slots_held(r), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket"), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE state = 0"), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM responder"), 0);
	rig_balance(r, "at the end");
}

static void
crowd(struct rig *r, const struct weather *weather)
{
	struct board *board;
	struct proc *p;
	pid_t pids[N_PROCS];
	int64_t began;
	int i, status;

	furnish(r, weather);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(board, MAP_FAILED);
	for (i = 0; i < N_PROCS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			work(r, weather, board, i);
	}
	while (__atomic_load_n(&board->ready, __ATOMIC_SEQ_CST) < N_PROCS)
		usleep(1000);
	began = mono_ms();
	while (mono_ms() - began < RUN_MS / 2 ||
	    __atomic_load_n(&board->served[0], __ATOMIC_SEQ_CST) == 0)
		rig_balance(r, "at work");
	assert_int_equal(kill(pids[0], SIGKILL), 0);
	while (mono_ms() - began < RUN_MS)
		rig_balance(r, "one was killed");
	for (i = 0; i < N_PROCS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		if (i > 0)
			assert_int_equal(status, 0);
		print_message("%d: %d batches, %d run again; %d served, %d "
		    "refused\n", i, board->batches[i], board->reruns[i],
		    board->served[i], board->refused[i]);
		assert_true(board->served[i] > 0);
	}
	p = proc_new(r);
	proc_beat(p);
	proc_free(p);
	assert_over(r);
	munmap(board, sizeof(*board));
}

static void
books_balance_while_many_wait(void **state)
{
	static const struct weather weather = { .crowded = true };

	crowd(*state, &weather);
}

static void
books_balance_while_nobody_waits(void **state)
{
	static const struct weather weather = { .crowded = false };

	crowd(*state, &weather);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(books_balance_while_many_wait),
		T(books_balance_while_nobody_waits),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
