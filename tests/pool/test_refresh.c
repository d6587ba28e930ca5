#include "rig.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#include "ledger/meta.h"
#include "pool/refresh.h"
#include "pool/snapshot.h"

/* The lease on an account's tokens, by processes that know nothing of each
 * other. */

static void
put_refresh(struct rig *r, int64_t id, const char *text)
{
	struct store_value v[3] = { { .type = STORE_NULL }, store_int(1),
		store_int(id) };
	struct err err = { 0 };
	unsigned char *box;
	char context[64];
	size_t n;

	snprintf(context, sizeof(context), META_ACCOUNT_CONTEXT,
	    (long long)id, META_ACCOUNT_REFRESH);
	assert_int_equal(seal_box(r->seal, context, text, strlen(text), &box,
	    &n, &err), 0);
	v[0] = store_blob(box, n);
	assert_int_equal(store_begin(r->st, true, &err), 0);
	assert_int_equal(store_exec(r->st, STMT_OAUTH_SET_REFRESH, v, 1, 3,
	    NULL, &err), 0);
	assert_int_equal(store_commit(r->st, &err), 0);
	free(box);
}

/* An account with a pair of tokens. */
static int64_t
oauth_account(struct rig *r)
{
	int64_t id = rig_account(r, "a", 0, 4);
	char sql[400];

	snprintf(sql, sizeof(sql), "INSERT INTO account_oauth (account_id, "
	    "authorize_url, token_url, client_id, scopes, redirect_uri, "
	    "signed_in, rotation, updated_ms) VALUES (%lld, 'https://a', "
	    "'https://t', 'c', '', 'u', 1, 1, 1)", (long long)id);
	rig_sql(r, sql);
	put_refresh(r, id, "rt-1");
	return (id);
}

static void
nothing(struct refresh_take_op *op, const struct err *err)
{

	(void)op;
	(void)err;
}

static enum refresh_taken
take(struct proc *p, struct refresh_take_op *op, int64_t id, int64_t rotation)
{

	*op = (struct refresh_take_op) {
		.op = { .kind = OP_REFRESH_TAKE },
		.account_id = id,
		.rotation = rotation,
		.needed = true,
		.done = nothing,
	};
	proc_run1(p, &op->op);
	assert_int_equal(op->op.err.code, ERR_NONE);
	return (op->taken);
}

static void
give_back(struct refresh_take_op *op)
{

	if (op->token != NULL)
		seal_wipe_free(op->token, op->token_len);
	op->token = NULL;
}

static bool
end(struct proc *p, const struct refresh_take_op *taken,
    enum refresh_end how, const char *n)
{
	struct refresh_end_op op = {
		.op = { .kind = OP_REFRESH_END, .must = true },
		.account_id = taken->account_id,
		.rotation = taken->rotation,
		.fence = taken->fence,
		.tries = taken->tries,
		.end = how,
		.needed = true,
		.why = "HTTP 400",
	};
	static const char *const parks[] = {
		[REFRESH_FAILED] = "refresh",
		[REFRESH_REFUSED] = "sign_in",
	};
	char access[16], refresh[16];

	snprintf(access, sizeof(access), "at-%s", n);
	snprintf(refresh, sizeof(refresh), "rt-%s", n);
	if (how == REFRESH_RENEWED) {
		op.tokens.access = strdup(access);
		op.tokens.refresh = strdup(refresh);
		op.tokens.lifetime_ms = 3600000;
	}
	proc_run1(p, &op.op);
	assert_int_equal(op.op.err.code, ERR_NONE);
	oauth_tokens_wipe(&op.tokens);
	if (op.superseded || how == REFRESH_RENEWED)
		assert_null(op.parked);
	else
		assert_string_equal(op.parked, parks[how]);
	return (!op.superseded);
}

static void
one_takes_the_token_and_the_others_wait(void **state)
{
	struct rig *r = *state;
	int64_t id = oauth_account(r);
	struct proc *p = proc_new(r), *q = proc_new(r);
	struct refresh_take_op a, b;
	const struct account *now;

	p->shared.settings.refresh_ahead_ms = 60000;
	assert_int_equal(take(p, &a, id, 1), REFRESH_TAKEN);
	assert_string_equal(a.token, "rt-1");
	assert_false(a.interrupted);
	assert_int_equal(take(q, &b, id, 1), REFRESH_BUSY);
	assert_null(b.token);
	assert_true(end(p, &a, REFRESH_RENEWED, "2"));
	assert_int_equal(take(q, &b, id, 1), REFRESH_NEWER);

	/* Who hears that it is newer has it. */
	now = snapshot_account(q->runner->snapshot, id);
	assert_string_equal(now->secret, "at-2");
	assert_int_equal(now->oauth->rotation, 2);
	assert_int_equal(now->oauth->renew_ms,
	    now->oauth->expires_ms - 60000);
	assert_int_equal(take(q, &b, id, 2), REFRESH_TAKEN);
	assert_string_equal(b.token, "rt-2");
	give_back(&a);
	give_back(&b);
	proc_free(p);
	proc_free(q);
}

static void
who_is_killed_leaves_the_token_to_be_tried_once_more(void **state)
{
	struct rig *r = *state;
	int64_t id = oauth_account(r);
	struct proc *p = proc_new(r), *q = proc_new(r);
	struct refresh_take_op a, b;

	assert_int_equal(take(p, &a, id, 1), REFRESH_TAKEN);
	give_back(&a);
	proc_die(p);
	proc_beat(q);
	assert_int_equal(take(q, &b, id, 1), REFRESH_TAKEN);
	assert_true(b.interrupted);
	assert_string_equal(b.token, "rt-1");
	assert_true(end(q, &b, REFRESH_REFUSED, ""));
	give_back(&b);
	assert_int_equal(rig_int(r, "SELECT signed_in FROM account_oauth"), 0);
	assert_string_equal(rig_text(r, "SELECT reason FROM cooldown"),
	    "sign_in");

	/* Who asks after that does not make it forgotten why. */
	assert_int_equal(take(q, &b, id, 1), REFRESH_SIGN_IN);
	assert_string_equal(rig_text(r, "SELECT detail FROM cooldown"),
	    "needs sign-in: HTTP 400");

	/* Whoever wakes it finds it parked again. */
	rig_sql(r, "DELETE FROM cooldown");
	assert_int_equal(take(q, &b, id, 1), REFRESH_SIGN_IN);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM cooldown"), 1);
	proc_free(q);
}

static void
failing_keeps_the_token_and_waits_longer_each_time(void **state)
{
	struct rig *r = *state;
	int64_t id = oauth_account(r), last = 0, ms;
	struct proc *p = proc_new(r);
	struct refresh_take_op a;
	int i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(take(p, &a, id, 1), REFRESH_TAKEN);
		assert_string_equal(a.token, "rt-1");
		give_back(&a);
		assert_int_equal(a.tries, i);
		assert_true(end(p, &a, REFRESH_FAILED, ""));
		ms = rig_int(r, "SELECT retry_ms FROM account_oauth");
		assert_true(ms > last);
		last = ms;
		assert_int_equal(take(p, &a, id, 1), REFRESH_LATER);
		assert_int_equal(a.retry_ms, last);
		assert_int_equal(rig_int(r, "SELECT until_ms FROM cooldown"),
		    last);
		assert_string_equal(rig_text(r,
		    "SELECT reason FROM cooldown"), "refresh");
		rig_sql(r, "UPDATE account_oauth SET retry_ms = 0");
	}
	assert_int_equal(refresh_back_off_ms(1), 1000);
	assert_int_equal(refresh_back_off_ms(2), 2000);
	assert_int_equal(refresh_back_off_ms(1000000), 300000);

	/* Success forgets it all. */
	assert_int_equal(take(p, &a, id, 1), REFRESH_TAKEN);
	give_back(&a);
	assert_true(end(p, &a, REFRESH_RENEWED, "2"));
	assert_int_equal(rig_int(r, "SELECT count(*) FROM cooldown"), 0);
	assert_int_equal(rig_int(r, "SELECT tries FROM account_oauth"), 0);
	proc_free(p);
}

/* A pair that comes late counts, as long as nobody has put another in its
 * place: it may be the only one that is good. */
static void
what_comes_late_counts_unless_there_are_others(void **state)
{
	struct rig *r = *state;
	int64_t id = oauth_account(r);
	struct proc *p = proc_new(r), *q = proc_new(r);
	struct refresh_take_op a, b;

	assert_int_equal(take(p, &a, id, 1), REFRESH_TAKEN);
	rig_sql(r, "UPDATE account_oauth SET lease_until_ms = 1");
	assert_int_equal(take(q, &b, id, 1), REFRESH_TAKEN);
	assert_true(b.fence > a.fence);
	assert_true(end(p, &a, REFRESH_RENEWED, "2"));

	/* The other's token was void by then: that says nothing now. */
	assert_false(end(q, &b, REFRESH_REFUSED, ""));
	assert_false(end(q, &b, REFRESH_FAILED, ""));
	assert_false(end(q, &b, REFRESH_RENEWED, "x"));
	assert_int_equal(rig_int(r, "SELECT signed_in FROM account_oauth"), 1);
	assert_int_equal(rig_int(r, "SELECT rotation FROM account_oauth"), 2);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM cooldown"), 0);
	give_back(&a);
	give_back(&b);
	assert_int_equal(take(p, &a, id, 2), REFRESH_TAKEN);
	assert_string_equal(a.token, "rt-2");
	give_back(&a);
	proc_free(p);
	proc_free(q);
}

static void
a_batch_that_is_run_again_hands_out_one_token(void **state)
{
	struct rig *r = *state;
	int64_t id = oauth_account(r);
	struct proc *p = proc_new(r);
	struct refresh_take_op a;

	p->fail_times = 2;
	assert_int_equal(take(p, &a, id, 1), REFRESH_TAKEN);
	assert_int_equal(a.fence, 1);
	p->fail_times = 2;
	assert_true(end(p, &a, REFRESH_RENEWED, "2"));
	assert_int_equal(rig_int(r, "SELECT rotation FROM account_oauth"), 2);
	give_back(&a);
	proc_free(p);
}

static void
other_accounts_have_no_tokens(void **state)
{
	struct rig *r = *state;
	int64_t id = rig_account(r, "b", 0, 1);
	struct proc *p = proc_new(r);
	struct refresh_take_op a;

	assert_int_equal(take(p, &a, id, 0), REFRESH_GONE);
	assert_int_equal(take(p, &a, id + 1, 0), REFRESH_GONE);
	proc_free(p);
}

/* ---- a thousand at once ---- */

/* Responders, each with its row and lock file, share the connection of their
 * process. */
#define CROWD_PROCS	8
#define CROWD_EACH	125

/* A token endpoint, which all processes ask; it takes its time. */
struct endpoint {
	int ready;		/* processes */
	int asked, renewed, reused;
	int fails;		/* so many times it answers without tokens */
	int newer;		/* responders that got new tokens */
};

#define ENDPOINT_MS	300

struct asker {
	struct responder self;
	struct refresh_take_op op;	/* what it took */
	int64_t answer_ms;		/* monotonic: when it is answered; 0: it
					   has not asked */
	enum refresh_end answer;
	bool over;
};

static void
asker_open(struct proc *p, struct asker *a)
{
	struct err err = { 0 };

	assert_int_equal(responder_open(&a->self, "relay", "", p->rig->dir,
	    &err), 0);
	assert_int_equal(store_begin(p->st, true, &err), 0);
	assert_int_equal(responder_register(&a->self, p->st, &err), 0);
	assert_int_equal(store_commit(p->st, &err), 0);
	assert_true(responder_ended(&a->self, true));
}

static void
ask_endpoint(struct endpoint *e, struct asker *a)
{
	int nth = __atomic_add_fetch(&e->asked, 1, __ATOMIC_SEQ_CST);

	a->answer_ms = clock_mono_ms(clock_system()) + ENDPOINT_MS;
	a->answer = REFRESH_FAILED;
	if (nth <= e->fails)
		return;
	a->answer = REFRESH_RENEWED;
	if (strcmp(a->op.token, "rt-1") != 0 ||
	    __atomic_add_fetch(&e->renewed, 1, __ATOMIC_SEQ_CST) > 1)
		__atomic_add_fetch(&e->reused, 1, __ATOMIC_SEQ_CST);
}

/* As relay/refresher.c: take, ask, end; who finds another at it, or that it
 * failed lately, comes again. */
static void
go_on(struct proc *p, struct endpoint *e, struct asker *a, int64_t id)
{

	p->runner->self = a->self;
	if (a->answer_ms != 0) {
		if (clock_mono_ms(clock_system()) < a->answer_ms)
			return;
		give_back(&a->op);
		assert_true(end(p, &a->op, a->answer, "2"));
		a->answer_ms = 0;
		return;
	}
	switch (take(p, &a->op, id, 1)) {
	case REFRESH_TAKEN:
		ask_endpoint(e, a);
		break;
	case REFRESH_NEWER:
		__atomic_add_fetch(&e->newer, 1, __ATOMIC_SEQ_CST);
		a->over = true;
		break;
	case REFRESH_BUSY:
	case REFRESH_LATER:
		break;
	default:
		fail_msg("taken: %d", (int)a->op.taken);
	}
}

/* In a child. */
static void
crowd_work(struct rig *r, struct endpoint *e, int64_t id)
{
	struct asker *list = calloc(CROWD_EACH, sizeof(*list)), *a;
	struct proc *p;
	bool open = true;

	(void)setenv("CMOCKA_TEST_ABORT", "1", 1);
	assert_non_null(list);
	p = proc_new(r);
	list[0].self = p->runner->self;
	for (a = list + 1; a < list + CROWD_EACH; a++)
		asker_open(p, a);
	__atomic_add_fetch(&e->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&e->ready, __ATOMIC_SEQ_CST) < CROWD_PROCS)
		usleep(1000);
	while (open) {
		open = false;
		for (a = list; a < list + CROWD_EACH; a++) {
			if (!a->over)
				go_on(p, e, a, id);
			open = open || !a->over;
		}
	}
	for (a = list + 1; a < list + CROWD_EACH; a++)
		responder_close(&a->self);
	p->runner->self = list[0].self;
	free(list);
	proc_free(p);
	_exit(0);
}

static struct endpoint
crowd(struct rig *r, int fails)
{
	int64_t id = oauth_account(r);
	struct endpoint *e, out;
	pid_t pids[CROWD_PROCS];
	int i, status;

	e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(e, MAP_FAILED);
	e->fails = fails;
	for (i = 0; i < CROWD_PROCS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			crowd_work(r, e, id);
	}
	for (i = 0; i < CROWD_PROCS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	out = *e;
	munmap(e, sizeof(*e));
	assert_int_equal(out.newer, CROWD_PROCS * CROWD_EACH);
	assert_int_equal(out.renewed, 1);
	assert_int_equal(out.reused, 0);
	assert_int_equal(rig_int(r, "SELECT rotation FROM account_oauth"), 2);
	return (out);
}

static void
a_thousand_at_once_cause_one_refresh(void **state)
{

	assert_int_equal(crowd(*state, 0).asked, 1);
}

static void
a_thousand_at_once_cause_one_more_if_that_fails(void **state)
{

	assert_int_equal(crowd(*state, 1).asked, 2);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, \
    rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(one_takes_the_token_and_the_others_wait),
		RIG_TEST(who_is_killed_leaves_the_token_to_be_tried_once_more),
		RIG_TEST(failing_keeps_the_token_and_waits_longer_each_time),
		RIG_TEST(what_comes_late_counts_unless_there_are_others),
		RIG_TEST(a_batch_that_is_run_again_hands_out_one_token),
		RIG_TEST(other_accounts_have_no_tokens),
		RIG_TEST(a_thousand_at_once_cause_one_refresh),
		RIG_TEST(a_thousand_at_once_cause_one_more_if_that_fails),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
