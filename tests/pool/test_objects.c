#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/flags.h"
#include "pool/model_ask.h"
#include "pool/objects.h"
#include "pool/rig.h"
#include "pool/spooled.h"

/* Two accounts, and the keys k1 and k2. */
struct world {
	struct rig *r;
	struct proc *p;
	struct key_info *k1, *k2;
	int64_t a1, a2;
};

static void
world_init(struct world *w, struct rig *r, int64_t concurrency)
{

	w->r = r;
	w->a1 = rig_account(r, "a1", 0, concurrency);
	w->a2 = rig_account(r, "a2", 0, concurrency);
	w->k1 = rig_key(r, "k1", "pool", 0, 0);
	w->k2 = rig_key(r, "k2", "pool", 0, 0);
	w->p = proc_new(r);
}

static void
put(struct world *w, enum object_kind kind, const char *id,
    const struct key_info *key, int64_t account_id)
{
	struct object_op *op = calloc(1, sizeof(*op));

	assert_non_null(op);
	op->op.kind = OP_OBJECT_PUT;
	op->kind = kind;
	snprintf(op->upstream_id, sizeof(op->upstream_id), "%s", id);
	op->key_id = key->id;
	op->account_id = account_id;
	op->ledger_id = 77;
	snprintf(op->model, sizeof(op->model), "claude-haiku-4-5");
	snprintf(op->seen, sizeof(op->seen), "{\"id\":\"%s\"}", id);
	proc_run1(w->p, &op->op);
	assert_int_equal(op->op.err.code, ERR_NONE);
	free(op);
}

/* A call that costs nothing and is about one object. */
static struct admit_op *
follow(struct world *w, const struct key_info *key, struct object_ask *ask,
    enum object_kind kind, const char *id)
{
	struct admit_op *op = admit_make(w->p, (struct key_info *)
	    (uintptr_t)key);

	memset(ask, 0, sizeof(*ask));
	ask->names = kind;
	ask->follows = true;
	object_ask_id(ask, id, strlen(id));
	op->objects = ask;
	op->needs_slot = op->billed = false;
	op->model[0] = '\0';
	proc_run1(w->p, &op->op);
	return (op);
}

/* A model call with files. */
static struct admit_op *
call_with(struct world *w, struct object_ask *ask, const char *id,
    const char *other)
{
	struct admit_op *op = admit_make(w->p, w->k1);

	memset(ask, 0, sizeof(*ask));
	ask->names = OBJECT_FILE;
	object_ask_id(ask, id, strlen(id));
	if (other != NULL)
		object_ask_id(ask, other, strlen(other));
	op->objects = ask;
	proc_run1(w->p, &op->op);
	return (op);
}

static struct model_ask batch_models = {
	.n = 1, .names = { "claude-haiku-4-5" }
};

static struct admit_op *
make(struct world *w, struct key_info *key, struct object_ask *ask,
    enum object_kind kind)
{
	struct admit_op *op = admit_make(w->p, key);

	memset(ask, 0, sizeof(*ask));
	ask->makes = kind;
	if (kind == OBJECT_BATCH) {
		ask->names = OBJECT_FILE;
		ask->items = 3;
		op->also = &batch_models;
	}
	op->objects = ask;
	op->needs_slot = false;
	op->billed = true;
	op->model[0] = '\0';
	return (op);
}

/* ---- whose it is ---- */

static void
a_key_finds_what_it_made_in_the_account_that_made_it(void **state)
{
	struct object_ask ask;
	struct admit_op *op;
	struct world w;
	int64_t i;

	world_init(&w, *state, 1);
	put(&w, OBJECT_BATCH, "b1", w.k1, w.a1);
	put(&w, OBJECT_BATCH, "b2", w.k1, w.a2);
	for (i = 0; i < 4; i++) {
		op = follow(&w, w.k1, &ask, OBJECT_BATCH, i % 2 == 0 ? "b1" :
		    "b2");
		assert_int_equal(op->verdict, ADMIT_LEASED);
		assert_int_equal(op->lease.account->id, i % 2 == 0 ? w.a1 :
		    w.a2);
		assert_string_equal(op->model, "claude-haiku-4-5");
		assert_false(ask.counted);
		assert_true(ask.id > 0 && ask.created_ms > 0);
		finish(w.p, op);
	}
	proc_free(w.p);
}

/* Nothing tells an id of another key from one that nobody has. */
static void
what_another_key_made_is_unknown(void **state)
{
	struct admit_op *foreign, *nobodys, *other_kind, *absurd;
	struct object_ask ask;
	struct world w;

	world_init(&w, *state, 1);
	put(&w, OBJECT_FILE, "f1", w.k2, w.a1);
	foreign = follow(&w, w.k1, &ask, OBJECT_FILE, "f1");
	nobodys = follow(&w, w.k1, &ask, OBJECT_FILE, "f2");
	other_kind = follow(&w, w.k2, &ask, OBJECT_BATCH, "f1");
	absurd = follow(&w, w.k2, &ask, OBJECT_FILE, "f1' OR '1'='1");
	assert_int_equal(foreign->verdict, ADMIT_OBJECT);
	assert_string_equal(foreign->reason, "File not found: f1");
	assert_int_equal(nobodys->verdict, ADMIT_OBJECT);
	assert_string_equal(nobodys->reason, "File not found: f2");
	assert_int_equal(other_kind->verdict, ADMIT_OBJECT);
	assert_int_equal(absurd->verdict, ADMIT_OBJECT);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM ledger"), 0);
	drop(foreign);
	drop(nobodys);
	drop(other_kind);
	drop(absurd);
	proc_free(w.p);
}

static void
a_busy_account_is_asked_even_so_and_no_other(void **state)
{
	struct admit_op *busy[2], *op;
	struct object_ask ask;
	struct world w;

	world_init(&w, *state, 1);
	put(&w, OBJECT_FILE, "f1", w.k1, w.a1);
	busy[0] = admit_now(w.p, w.k2);
	busy[1] = admit_now(w.p, w.k2);
	assert_int_equal(slots_held(w.r), 2);
	op = follow(&w, w.k1, &ask, OBJECT_FILE, "f1");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->lease.account->id, w.a1);
	finish(w.p, op);
	finish(w.p, busy[0]);
	finish(w.p, busy[1]);
	proc_free(w.p);
}

static const struct {
	const char *sql;
	enum admit_verdict verdict;
	const char *reason;	/* part of it */
} hindrances[] = {
	{ "UPDATE account SET enabled = 0 WHERE name = 'a1'",
	    ADMIT_NO_ACCOUNT, "that holds this file is switched off here" },
	{ "INSERT INTO cooldown (account_id, reason, since_ms, until_ms, "
	    "stated, observed_ms) SELECT id, 'rate_limited', 0, "
	    "4102444800000, 1, 0 FROM account WHERE name = 'a1'",
	    ADMIT_PARKED, "parked" },
};

static void
an_account_that_cannot_serve_is_not_replaced(void **state)
{
	struct object_ask ask;
	struct admit_op *op;
	struct world w;
	size_t i;

	world_init(&w, *state, 1);
	put(&w, OBJECT_FILE, "f1", w.k1, w.a1);
	for (i = 0; i < 2; i++) {
		rig_change(w.r, hindrances[i].sql);
		op = follow(&w, w.k1, &ask, OBJECT_FILE, "f1");
		assert_int_equal(op->verdict, hindrances[i].verdict);
		assert_non_null(strstr(op->reason, hindrances[i].reason));
		drop(op);
		rig_sql(w.r, "UPDATE account SET enabled = 1");
	}
	proc_free(w.p);
}

/* A failed attempt moves nowhere. */
static void
a_follow_up_is_never_moved(void **state)
{
	struct object_ask ask;
	struct move_op *m;
	struct admit_op *op;
	struct world w;

	world_init(&w, *state, 1);
	put(&w, OBJECT_FILE, "f1", w.k1, w.a1);
	op = follow(&w, w.k1, &ask, OBJECT_FILE, "f1");
	m = move_make(w.p, op, "upstream_error");
	m->admit.objects = NULL;
	proc_run1(w.p, &m->admit.op);
	assert_int_equal(m->admit.verdict, ADMIT_NO_ACCOUNT);
	lease_drop(&m->lease);
	lease_drop(&m->admit.lease);
	free(m);
	drop(op);
	proc_free(w.p);
}

/* ---- files in model calls ---- */

static void
a_call_goes_where_its_files_are(void **state)
{
	struct admit_op *op, *apart, *foreign, *many;
	struct object_ask ask;
	struct world w;
	char id[16];
	int i;

	world_init(&w, *state, 2);
	put(&w, OBJECT_FILE, "f1", w.k1, w.a2);
	put(&w, OBJECT_FILE, "f2", w.k1, w.a2);
	put(&w, OBJECT_FILE, "f3", w.k1, w.a1);
	put(&w, OBJECT_FILE, "f4", w.k2, w.a2);
	op = call_with(&w, &ask, "f1", "f2");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->lease.account->id, w.a2);
	assert_true(op->lease.slotted);
	assert_string_equal(op->model, "claude-sonnet-4-5");
	apart = call_with(&w, &ask, "f1", "f3");
	assert_int_equal(apart->verdict, ADMIT_APART);
	foreign = call_with(&w, &ask, "f1", "f4");
	assert_int_equal(foreign->verdict, ADMIT_OBJECT);
	assert_string_equal(foreign->reason, "File not found: f4");
	many = admit_make(w.p, w.k1);
	memset(&ask, 0, sizeof(ask));
	ask.names = OBJECT_FILE;
	for (i = 0; i <= OBJECT_NAMES_MAX; i++) {
		snprintf(id, sizeof(id), "f%d", i);
		object_ask_id(&ask, id, strlen(id));
		object_ask_id(&ask, id, strlen(id));
	}
	assert_int_equal(ask.n, OBJECT_NAMES_MAX);
	many->objects = &ask;
	proc_run1(w.p, &many->op);
	assert_int_equal(many->verdict, ADMIT_APART);
	finish(w.p, op);
	drop(apart);
	drop(foreign);
	drop(many);
	proc_free(w.p);
}

/* The wait is for that account alone, also when another process frees it. */
static void
a_call_waits_for_the_account_of_its_file(void **state)
{
	struct admit_op *first, *second, *op;
	struct object_ask ask;
	struct proc *p2;
	struct world w;

	world_init(&w, *state, 1);
	put(&w, OBJECT_FILE, "f1", w.k1, w.a1);
	p2 = proc_new(w.r);
	first = admit_make(p2, w.k2);
	first->account_id = w.a1;
	proc_run1(p2, &first->op);
	assert_int_equal(first->lease.account->id, w.a1);
	op = call_with(&w, &ask, "f1", NULL);
	assert_false(proc_posted(w.p, &op->op));
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM ticket WHERE "
	    "bind_kind = 'account' AND bind_id = 1"), 1);

	/* The other account is free, and for others. */
	second = admit_make(p2, w.k2);
	proc_run1(p2, &second->op);
	assert_int_equal(second->lease.account->id, w.a2);
	finish(p2, second);
	proc_poll(w.p);
	assert_false(proc_posted(w.p, &op->op));
	finish(p2, first);
	proc_poll(w.p);
	assert_true(proc_posted(w.p, &op->op));
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->lease.account->id, w.a1);
	finish(w.p, op);
	proc_free(p2);
	proc_free(w.p);
}

static void
a_file_that_is_not_the_keys_any_more_is_not_used(void **state)
{
	struct object_ask ask;
	struct admit_op *op;
	struct world w;

	world_init(&w, *state, 1);
	put(&w, OBJECT_FILE, "f1", w.k1, w.a1);
	rig_sql(w.r, "UPDATE api_key SET bind_kind = 'account', bind_id = 2 "
	    "WHERE name = 'k1'");
	op = call_with(&w, &ask, "f1", NULL);
	assert_int_equal(op->verdict, ADMIT_NO_ACCOUNT);
	assert_non_null(strstr(op->reason, "not one of this key's"));
	drop(op);
	proc_free(w.p);
}

static void
new_files_join_the_keys_others(void **state)
{
	struct object_ask ask;
	struct admit_op *op;
	struct world w;
	int i;

	world_init(&w, *state, 1);
	put(&w, OBJECT_FILE, "f1", w.k1, w.a2);
	for (i = 0; i < 4; i++) {
		op = make(&w, w.k1, &ask, OBJECT_FILE);
		proc_run1(w.p, &op->op);
		assert_int_equal(op->verdict, ADMIT_LEASED);
		assert_int_equal(op->lease.account->id, w.a2);
		finish(w.p, op);
	}
	proc_free(w.p);
}

/* ---- what may be made ---- */

static const struct {
	const char *sql;
	enum admit_verdict verdict;
	const char *reason;
} refusals[] = {
	{ "INSERT INTO budget (name, scope, scope_id, kind, limit_value, "
	    "created_ms) VALUES ('b', 'key', 1, 'money', 1000000, 0)",
	    ADMIT_FEATURE, "this key has a budget in money or tokens" },
	{ "INSERT INTO budget (name, scope, scope_id, kind, limit_value, "
	    "created_ms) VALUES ('b', 'key', 1, 'output_tokens', 1000000, 0)",
	    ADMIT_FEATURE, "this key has a budget in money or tokens" },
	{ "INSERT INTO budget (name, scope, scope_id, kind, models, "
	    "limit_value, created_ms) VALUES ('b', 'key', 1, 'requests', "
	    "'*opus*', 1000000, 0)", ADMIT_FEATURE, "for some models only" },
	{ "INSERT INTO budget (name, scope, scope_id, kind, limit_value, "
	    "created_ms) VALUES ('b', 'key', 1, 'requests', 2, 0)",
	    ADMIT_BUDGET, "budget b" },
	{ "UPDATE api_key SET models = '*opus*'", ADMIT_MODEL,
	    "may not use model claude-haiku-4-5" },
};

static void
batches_that_cannot_be_judged_are_refused(void **state)
{
	struct object_ask ask;
	struct admit_op *op;
	struct world w;
	size_t i;

	world_init(&w, *state, 1);
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		rig_change(w.r, refusals[i].sql);
		op = make(&w, w.k1, &ask, OBJECT_BATCH);
		proc_run1(w.p, &op->op);
		assert_int_equal(op->verdict, refusals[i].verdict);
		assert_non_null(strstr(op->reason, refusals[i].reason));
		assert_false(op->opened);
		drop(op);

		/* Files cost nothing. */
		op = make(&w, w.k1, &ask, OBJECT_FILE);
		proc_run1(w.p, &op->op);
		assert_int_equal(op->verdict, ADMIT_LEASED);
		finish(w.p, op);
		rig_sql(w.r, "DELETE FROM budget_window");
		rig_sql(w.r, "DELETE FROM budget");
		rig_sql(w.r, "UPDATE api_key SET models = ''");
	}
	op = make(&w, w.k1, &ask, OBJECT_BATCH);
	batch_models.more = true;
	proc_run1(w.p, &op->op);
	assert_int_equal(op->verdict, ADMIT_APART);
	batch_models.more = false;
	drop(op);
	proc_free(w.p);
}

static void
a_batch_uses_as_many_requests_as_are_in_it(void **state)
{
	static const struct {
		int status;
		int64_t spent;
	} ends[] = { { 200, 3 }, { 400, 4 }, { 0, 7 } };
	struct object_ask ask;
	struct settle_op *s;
	struct admit_op *op;
	struct world w;
	size_t i;

	world_init(&w, *state, 1);
	rig_change(w.r, "INSERT INTO budget (name, scope, scope_id, kind, "
	    "limit_value, created_ms) VALUES ('b', 'key', 1, 'requests', "
	    "100, 0)");
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		op = make(&w, w.k1, &ask, OBJECT_BATCH);
		proc_run1(w.p, &op->op);
		assert_int_equal(op->verdict, ADMIT_LEASED);
		assert_int_equal(op->reserved_nusd, 0);
		assert_int_equal(rig_int(w.r, "SELECT reserved FROM "
		    "budget_window"), 3);
		s = settle_make(w.p, op);
		s->end.mark = USAGE_NONE;
		s->end.status = ends[i].status;
		proc_run1(w.p, &s->op);
		assert_int_equal(rig_int(w.r, "SELECT reserved FROM "
		    "budget_window"), 0);
		assert_int_equal(rig_int(w.r, "SELECT spent FROM "
		    "budget_window"), ends[i].spent);
		lease_drop(&s->lease);
		free(s);
		free(op);
	}
	rig_balance(w.r, "batches");
	proc_free(w.p);
}

/* One request each, if they went upstream, and nothing else. */
static void
what_is_about_an_object_counts_as_a_request(void **state)
{
	struct object_ask ask;
	struct settle_op *s;
	struct admit_op *op;
	struct world w;
	int i;

	world_init(&w, *state, 1);
	put(&w, OBJECT_BATCH, "b1", w.k1, w.a1);
	rig_sql(w.r, "INSERT INTO budget (name, scope, scope_id, kind, "
	    "period, length_ms, limit_value, created_ms) VALUES ('rate', "
	    "'key', 1, 'requests', 'rolling', 60000, 2, 0)");
	rig_sql(w.r, "INSERT INTO budget (name, scope, scope_id, kind, "
	    "limit_value, created_ms) VALUES ('m', 'key', 1, 'money', 0, 0), "
	    "('o', 'key', 1, 'output_tokens', 0, 0)");
	rig_change(w.r, "INSERT INTO budget (name, scope, scope_id, kind, "
	    "models, limit_value, created_ms) VALUES ('x', 'key', 1, "
	    "'requests', '*opus*', 0, 0)");
	for (i = 0; i < 2; i++) {
		op = follow(&w, w.k1, &ask, OBJECT_BATCH, "b1");
		assert_int_equal(op->verdict, ADMIT_LEASED);
		assert_int_equal(op->reserved_nusd, 0);
		assert_int_equal(rig_int(w.r, "SELECT sum(reserved) FROM "
		    "budget_window"), 1);
		s = settle_make(w.p, op);
		s->end.priced = true;
		s->end.nusd = 5000;
		proc_run1(w.p, &s->op);
		assert_int_equal(rig_int(w.r, "SELECT sum(reserved) FROM "
		    "budget_window"), 0);
		assert_int_equal(rig_int(w.r, "SELECT sum(spent) FROM "
		    "budget_window"), i + 1);
		lease_drop(&s->lease);
		free(s);
		free(op);
	}
	op = follow(&w, w.k1, &ask, OBJECT_BATCH, "b1");
	assert_int_equal(op->verdict, ADMIT_BUDGET_RENEWS);
	assert_true(op->retry_ms > 0);
	assert_false(op->opened);
	drop(op);
	rig_balance(w.r, "follow-ups");
	proc_free(w.p);
}

/* ---- usage ---- */

static struct settle_op *
read_results(struct world *w, struct object_ask *ask)
{
	struct admit_op *op = follow(w, w->k1, ask, OBJECT_BATCH, "b1");
	struct settle_op *s = settle_make(w->p, op);

	free(op);
	s->batch_id = ask->counted ? 0 : ask->id;
	if (ask->counted)
		s->end.mark = USAGE_NONE;
	s->end.priced = true;
	s->end.nusd = 5000;
	s->flags = LEDGER_FLAG_BATCH;
	return (s);
}

/* Twice at once, once more after it, and what was spooled in between. */
static void
the_usage_of_a_batch_is_counted_once(void **state)
{
	unsigned char spool[SPOOL_RECORD_MAX];
	struct settle_op *s[4];
	struct store_op *both[2];
	struct object_ask ask;
	struct spooled back;
	struct world w;
	size_t i, n;

	world_init(&w, *state, 1);
	put(&w, OBJECT_BATCH, "b1", w.k1, w.a1);
	for (i = 0; i < 3; i++)
		s[i] = read_results(&w, &ask);
	n = spooled_write(s[2], 1, spool);
	assert_int_equal(spooled_read(&back, spool, n, 1), 0);
	assert_true(back.settle.end.priced);
	assert_int_equal(back.settle.end.nusd, 5000);
	assert_int_equal(back.settle.batch_id, s[2]->batch_id);
	both[0] = &s[0]->op;
	both[1] = &s[1]->op;
	w.p->fail_times = 1;
	proc_run(w.p, both, 2);
	assert_int_equal(s[0]->cost_nusd, 5000);
	assert_int_equal(s[1]->cost_nusd, 0);
	proc_run1(w.p, &back.settle.op);
	s[3] = read_results(&w, &ask);
	assert_true(ask.counted);
	proc_run1(w.p, &s[3]->op);
	assert_int_equal(rig_int(w.r, "SELECT sum(cost_nusd) FROM ledger"),
	    5000);
	assert_int_equal(rig_int(w.r, "SELECT sum(output_tokens) FROM "
	    "ledger"), 20);
	assert_int_equal(rig_int(w.r, "SELECT sum(cost_nusd) FROM attempt"),
	    5000);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM ledger WHERE "
	    "state = 1 AND flags = 32"), 4);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM object o JOIN "
	    "ledger l ON l.id = o.usage_ledger_id WHERE l.cost_nusd = 5000 "
	    "AND l.mark = 1 AND l.model = 'claude-haiku-4-5'"), 1);
	assert_int_equal(rig_int(w.r, "SELECT cost_nusd FROM key_usage"),
	    5000);
	for (i = 0; i < 4; i++) {
		lease_drop(&s[i]->lease);
		free(s[i]);
	}
	proc_free(w.p);
}

/* ---- rows ---- */

static void
a_row_is_changed_and_removed_by_its_owner_alone(void **state)
{
	struct object_op *op = calloc(1, sizeof(*op));
	struct world w;

	assert_non_null(op);
	world_init(&w, *state, 1);
	put(&w, OBJECT_BATCH, "b1", w.k1, w.a1);
	put(&w, OBJECT_BATCH, "b1", w.k2, w.a2);
	put(&w, OBJECT_BATCH, "b1", w.k1, w.a2);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM object WHERE "
	    "account_id = 2"), 2);
	op->kind = OBJECT_BATCH;
	snprintf(op->upstream_id, sizeof(op->upstream_id), "b1");
	op->key_id = w.k1->id;
	op->op.kind = OP_OBJECT_SEEN;
	op->final = true;
	snprintf(op->seen, sizeof(op->seen), "{}");
	proc_run1(w.p, &op->op);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM object WHERE "
	    "final = 1 AND seen = '{}' AND key_id = 1"), 1);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM object WHERE "
	    "final = 0"), 1);
	op->op = (struct store_op) { .kind = OP_OBJECT_DROP };
	proc_run1(w.p, &op->op);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM object WHERE "
	    "key_id = 2"), 1);
	assert_int_equal(rig_int(w.r, "SELECT count(*) FROM object"), 1);
	free(op);
	proc_free(w.p);
}

static const struct {
	const char *after, *before;
	size_t limit;
	const char *got;
	bool more;
} pages[] = {
	{ "", "", 10, "f5 f4 f3 f2 f1 ", false },
	{ "", "", 5, "f5 f4 f3 f2 f1 ", false },
	{ "", "", 2, "f5 f4 ", true },
	{ "f4", "", 2, "f3 f2 ", true },
	{ "f2", "", 2, "f1 ", false },
	{ "", "f1", 2, "f3 f2 ", true },
	{ "", "f4", 2, "f5 ", false },
	{ "f9", "", 2, "", false },	/* another key's */
	{ "zz", "", 2, "", false },
};

static void
list(struct world *w, struct object_list_op *op, char out[64])
{
	struct err err = { 0 };
	size_t i;

	assert_int_equal(objects_read(w->p->st, op, &err), 0);
	out[0] = '\0';
	for (i = 0; i < op->n; i++) {
		strcat(out, op->rows[i].upstream_id);
		strcat(out, " ");
	}
}

static void
a_list_has_what_the_key_made_page_by_page(void **state)
{
	struct object_list_op *op = calloc(1, sizeof(*op));
	struct object_ask only = { .n = 0 };
	struct world w;
	char id[8], got[64];
	size_t i;

	assert_non_null(op);
	world_init(&w, *state, 1);
	for (i = 1; i <= 5; i++) {
		snprintf(id, sizeof(id), "f%zu", i);
		put(&w, OBJECT_FILE, id, w.k1, i % 2 == 0 ? w.a1 : w.a2);
	}
	put(&w, OBJECT_FILE, "f9", w.k2, w.a1);
	put(&w, OBJECT_BATCH, "b1", w.k1, w.a1);
	op->key = w.k1;
	op->kind = OBJECT_FILE;
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		op->limit = pages[i].limit;
		snprintf(op->after, sizeof(op->after), "%s", pages[i].after);
		snprintf(op->before, sizeof(op->before), "%s",
		    pages[i].before);
		list(&w, op, got);
		assert_true(op->allowed);
		assert_string_equal(got, pages[i].got);
		assert_int_equal(op->more, pages[i].more);
	}
	op->limit = 10;
	object_ask_id(&only, "f2", 2);
	object_ask_id(&only, "f9", 2);
	object_ask_id(&only, "f4", 2);
	op->only = &only;
	list(&w, op, got);
	assert_string_equal(got, "f4 f2 ");
	assert_string_equal(op->rows[0].seen, "{\"id\":\"f4\"}");
	assert_int_equal(op->rows[0].account_id, w.a1);
	rig_sql(w.r, "UPDATE api_key SET revoked_ms = 1 WHERE name = 'k1'");
	list(&w, op, got);
	assert_false(op->allowed);
	assert_string_equal(got, "");
	object_list_wipe(op);
	free(op);
	proc_free(w.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f)	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
		T(a_key_finds_what_it_made_in_the_account_that_made_it),
		T(what_another_key_made_is_unknown),
		T(a_busy_account_is_asked_even_so_and_no_other),
		T(an_account_that_cannot_serve_is_not_replaced),
		T(a_follow_up_is_never_moved),
		T(a_call_goes_where_its_files_are),
		T(a_call_waits_for_the_account_of_its_file),
		T(a_file_that_is_not_the_keys_any_more_is_not_used),
		T(new_files_join_the_keys_others),
		T(batches_that_cannot_be_judged_are_refused),
		T(a_batch_uses_as_many_requests_as_are_in_it),
		T(what_is_about_an_object_counts_as_a_request),
		T(the_usage_of_a_batch_is_counted_once),
		T(a_row_is_changed_and_removed_by_its_owner_alone),
		T(a_list_has_what_the_key_made_page_by_page),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
