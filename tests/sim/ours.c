#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "http/response.h"
#include "pool/rig.h"
#include "relay/judge.h"
#include "relay/ratelimit.h"
#include "relay/refusal.h"

#include "sim/crowd.h"
#include "sim/ours.h"
#include "sim/world.h"

/* While somebody waits the runner is called so often, as by its thread. */
#define POLL_MS		100

#define BYTES_A_TOKEN	4
#define MAX_TOKENS	16000

struct call {
	TAILQ_ENTRY(call) entry;	/* while the pool has its operation */
	struct ours *ours;
	struct chat *session;
	struct admit_op *admit;
	struct move_op *move;		/* the last one; NULL: none */
	struct lease lease;
	int attempts;
	int64_t dispatched_ms;
	struct world_answer answer;
	struct judgement verdict;
};

struct ours {
	struct sim *sim;
	struct rig *rig;
	struct proc *proc;
	struct conf *conf;
	int64_t first_account;		/* id of account 0 */
	struct key_info *keys[SIM_KEYS];
	TAILQ_HEAD(, call) asked;
	bool polling;
};

static void collect(struct ours *o);

/* ---- the pool ---- */

static void
poll(void *arg)
{
	struct ours *o = arg;

	o->polling = false;
	proc_poll(o->proc);
	collect(o);
}

static void
run(struct ours *o, struct store_op *op)
{

	proc_run1(o->proc, op);
	collect(o);
}

static void
fill_admission(const struct call *c, struct admit_op *op)
{
	const struct chat *s = c->session;

	snprintf(op->model, sizeof(op->model), "%s", crowd_model(s->family));
	snprintf(op->session, sizeof(op->session), "session-%d", s->n);
	op->long_cache = s->long_cache;
	op->stream = true;
	op->platform = "claude";
	op->body_bytes = s->context * BYTES_A_TOKEN;
	op->max_tokens = MAX_TOKENS;
	op->give_up_ms = op->submitted_ms + c->ours->conf->queue_timeout_ms;
}

static void
call_free(struct call *c)
{

	if (c->move != NULL) {
		lease_drop(&c->move->lease);
		lease_drop(&c->move->admit.lease);
		free(c->move);
	}
	lease_drop(&c->lease);
	lease_drop(&c->admit->lease);
	free(c->admit);
	free(c);
}

/* ---- the end of a call ---- */

static void
fill_end(struct call *c, struct attempt_end *end)
{
	const struct world_answer *a = &c->answer;

	memset(end, 0, sizeof(*end));
	snprintf(end->outcome, sizeof(end->outcome), "%s",
	    c->verdict.outcome);
	end->status = a->status;
	end->usage = a->usage;
	end->mark = a->status == 200 ? USAGE_EXACT : USAGE_NONE;
	end->first_byte_ms = a->status == 200 ? a->first_ms : 0;
	ratelimit_share(a->headers, a->nheaders,
	    agenda_now(&c->ours->sim->agenda), &end->share);
}

static void
settle(struct call *c)
{
	struct ours *o = c->ours;
	struct settle_op *op;

	c->admit->lease = c->lease;
	memset(&c->lease, 0, sizeof(c->lease));
	op = settle_make(o->proc, c->admit);
	op->attempts = c->attempts;
	if (op->lease.held)
		fill_end(c, &op->end);
	op->park = c->verdict.park;
	op->success = c->verdict.success;
	snprintf(op->outcome, sizeof(op->outcome), "%s", c->verdict.outcome);
	run(o, &op->op);
	lease_drop(&op->lease);
	free(op);
	call_free(c);
}

static void
give_up(struct call *c, const struct admit_op *moved)
{
	struct chat *s = c->session;
	struct response_error e;

	refusal_give_up(&c->verdict, moved,
	    agenda_now(&c->ours->sim->agenda), &e);
	settle(c);
	crowd_refused(s, e.retry_after_s, e.should_retry);
}

static void
refused(struct call *c, const struct admit_op *op)
{
	struct chat *s = c->session;
	struct response_error e =
	    refusal_row(refusal_of(op->verdict))->answer;

	refusal_wait(&e, op->retry_ms, agenda_now(&c->ours->sim->agenda));
	call_free(c);
	crowd_refused(s, e.retry_after_s, e.should_retry);
}

/* ---- attempts ---- */

static int
account_of(const struct call *c)
{

	return ((int)(c->lease.account->id - c->ours->first_account));
}

static void
judge_answer(struct call *c)
{
	const struct judge_input in = {
		.result = c->answer.result,
		.status = c->answer.status,
		.headers = c->answer.headers,
		.nheaders = c->answer.nheaders,
		.stream = true,
		.error_type = c->answer.error_type,
		.model = c->admit->model,
		.now_ms = agenda_now(&c->ours->sim->agenda),
		.conf = c->ours->conf,
	};

	judge(&in, &c->verdict);
}

static bool
may_move(const struct call *c)
{
	const struct conf *conf = c->ours->conf;
	int64_t now_ms = agenda_now(&c->ours->sim->agenda);

	return (c->verdict.action == JUDGE_MOVE &&
	    c->attempts < conf->attempts_max &&
	    now_ms - c->dispatched_ms < conf->attempt_budget_ms);
}

static void
move(struct call *c)
{
	struct ours *o = c->ours;
	struct move_op *m, *old = c->move;
	int64_t left_ms = c->dispatched_ms + o->conf->attempt_budget_ms -
	    agenda_now(&o->sim->agenda);

	c->admit->lease = c->lease;
	memset(&c->lease, 0, sizeof(c->lease));
	m = c->move = move_make(o->proc, c->admit, c->verdict.outcome);
	fill_admission(c, &m->admit);
	if (m->admit.give_up_ms > m->admit.submitted_ms + left_ms)
		m->admit.give_up_ms = m->admit.submitted_ms + left_ms;
	fill_end(c, &m->end);
	m->park = c->verdict.park;
	m->again = c->verdict.again;
	TAILQ_INSERT_TAIL(&o->asked, c, entry);
	if (old != NULL) {
		lease_drop(&old->lease);
		lease_drop(&old->admit.lease);
		free(old);
	}
	run(o, &m->admit.op);
}

static void
answered(void *arg)
{
	struct call *c = arg;
	struct chat *s = c->session;
	int account = account_of(c);
	int64_t total_ms = c->answer.total_ms;

	world_done(c->ours->sim->world, account);
	judge_answer(c);
	if (c->verdict.action == JUDGE_RELAY) {
		settle(c);
		crowd_served(s, account, total_ms);
	} else if (may_move(c)) {
		move(c);
	} else {
		give_up(c, NULL);
	}
}

static void
attempt(struct call *c)
{
	struct ours *o = c->ours;

	world_ask(o->sim->world, account_of(c), c->session, &c->answer);
	agenda_put(&o->sim->agenda, c->answer.total_ms, answered, c);
}

/* The pool has answered. */
static void
take(struct call *c)
{
	struct admit_op *op = c->move != NULL ? &c->move->admit : c->admit;

	if (op->verdict == ADMIT_LEASED) {
		c->lease = op->lease;
		memset(&op->lease, 0, sizeof(op->lease));
		c->attempts = c->lease.attempt;
		if (c->move == NULL)
			c->dispatched_ms = agenda_now(&c->ours->sim->agenda);
		attempt(c);
	} else if (c->move != NULL) {
		give_up(c, op);
	} else {
		refused(c, op);
	}
}

static struct call *
find_answered(struct ours *o)
{
	struct call *c;

	TAILQ_FOREACH(c, &o->asked, entry) {
		if (!(c->move != NULL ? c->move->admit.op.held :
		    c->admit->op.held))
			return (c);
	}
	return (NULL);
}

static void
collect(struct ours *o)
{
	struct call *c;

	while ((c = find_answered(o)) != NULL) {
		TAILQ_REMOVE(&o->asked, c, entry);
		take(c);
	}
	if (!o->polling && !TAILQ_EMPTY(&o->asked)) {
		o->polling = true;
		agenda_put(&o->sim->agenda, POLL_MS, poll, o);
	}
}

static void
ask(void *relay, struct chat *s)
{
	struct ours *o = relay;
	struct call *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		fprintf(stderr, "sim: no memory\n");
		exit(1);
	}
	c->ours = o;
	c->session = s;
	c->admit = admit_make(o->proc, o->keys[s->key]);
	fill_admission(c, c->admit);
	TAILQ_INSERT_TAIL(&o->asked, c, entry);
	run(o, &c->admit->op);
}

/* ---- setting up ---- */

static void
add_accounts(struct ours *o, int64_t group)
{
	char name[16], sql[128];
	int64_t id;
	int i;

	for (i = 0; i < SIM_ACCOUNTS; i++) {
		snprintf(name, sizeof(name), "account-%d", i);
		id = rig_account(o->rig, name, group, world_slots(i));
		if (i == 0)
			o->first_account = id;
		snprintf(sql, sizeof(sql), "UPDATE account SET priority = %d, "
		    "weight = %d WHERE id = %lld", world_priority(i),
		    world_weight(i), (long long)id);
		rig_sql(o->rig, sql);
	}
}

static void
add_keys(struct ours *o, int64_t group)
{
	char name[16];
	int i;

	for (i = 0; i < SIM_KEYS; i++) {
		snprintf(name, sizeof(name), "key-%d", i);
		o->keys[i] = rig_key(o->rig, name, "group", group, 0);
		snprintf(o->keys[i]->bind_kind,
		    sizeof(o->keys[i]->bind_kind), "group");
		o->keys[i]->bind_id = group;
	}
}

struct ours *
ours_new(struct sim *sim)
{
	struct ours *o = calloc(1, sizeof(*o));
	struct err err = { 0 };
	void *rig;
	int64_t group;

	/* Nothing of it is to last: in memory, where there is such a place,
	 * and on SQLite, whose clock can be another. */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 0);
	(void)unsetenv("LEASEHOLD_TEST_STORE");
	if (o == NULL || rig_setup_timed(&rig) != 0 ||
	    (o->conf = conf_parse("--set", sim->params.conf,
	    strlen(sim->params.conf), &err)) == NULL) {
		fprintf(stderr, "sim: cannot set up: %s\n", err.text);
		exit(1);
	}
	TAILQ_INIT(&o->asked);
	o->sim = sim;
	o->rig = rig;
	o->rig->clock.wall_ms = SIM_BEGIN_MS;
	sim->agenda.clock = &o->rig->clock;
	group = rig_group(o->rig, "all", sim->params.strategy);
	add_accounts(o, group);
	add_keys(o, group);
	o->proc = proc_new(o->rig);
	shared_configure(&o->proc->shared, o->conf);
	sim->ask = ask;
	sim->relay = o;
	return (o);
}

/* Nothing is left open, and the books balance. */
void
ours_free(struct ours *o)
{
	void *rig = o->rig;

	if (!TAILQ_EMPTY(&o->asked) || slots_held(o->rig) != 0) {
		fprintf(stderr, "sim: calls were left over\n");
		exit(1);
	}
	rig_balance(o->rig, o->sim->params.strategy);
	proc_free(o->proc);
	conf_free(o->conf);
	(void)rig_teardown(&rig);
	free(o);
}
