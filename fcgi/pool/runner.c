#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "ledger/meta.h"

#include "pool/admit.h"
#include "pool/extend.h"
#include "pool/halfopen.h"
#include "pool/health.h"
#include "pool/lookup.h"
#include "pool/move.h"
#include "pool/objects.h"
#include "pool/place.h"
#include "pool/refresh.h"
#include "pool/runner.h"
#include "pool/settle.h"
#include "pool/tickets.h"

/* What is known of the load may be so old. */
#define LOAD_AGE_MS	250

/* While somebody waits, others' slots are looked for so often. */
#define POLL_MS		100

static const enum stmt_id row_stmts[] = {
	[ROWS_LEDGER_CLOSE] = STMT_LEDGER_CLOSE,
	[ROWS_ATTEMPT_CLOSE] = STMT_ATTEMPT_CLOSE,
	[ROWS_LEDGER_EXTEND] = STMT_LEDGER_EXTEND,
	[ROWS_SLOT_RELEASE] = STMT_SLOT_RELEASE,
	[ROWS_SLOT_TAKE] = STMT_SLOT_TAKE,
	[ROWS_LEDGER_OPEN] = STMT_LEDGER_OPEN,
	[ROWS_LEDGER_ATTEMPT] = STMT_LEDGER_ATTEMPT,
	[ROWS_ATTEMPT_OPEN] = STMT_ATTEMPT_OPEN,
	[ROWS_TICKET_ADD] = STMT_TICKET_ADD,
	[ROWS_TICKET_GRANT] = STMT_TICKET_GRANT,
	[ROWS_TICKET_DROP] = STMT_TICKET_DROP,
	[ROWS_TICKET_LAPSE] = STMT_TICKET_LAPSE,
	[ROWS_HEALTH_PUT] = STMT_HEALTH_PUT,
	[ROWS_AFFINITY_PUT] = STMT_AFFINITY_PUT,
};

_Static_assert(sizeof(row_stmts) / sizeof(row_stmts[0]) == ROWS_COUNT,
    "one statement for each set of rows");

struct runner *
runner_new(struct seal *seal, const char *key_path,
    const struct clock *clock, struct shared *shared, struct err *err)
{
	struct runner *rn;
	size_t i;

	if ((rn = calloc(1, sizeof(*rn))) == NULL)
		goto err0;
	unseal_init(&rn->unseal, key_path, seal);
	rn->clock = clock;
	rn->shared = shared;
	rn->self.lock_fd = rn->self.wake_fd = rn->self.send_fd = -1;
	backlog_init(&rn->backlog, NULL, 0);
	waiting_init(&rn->waiting);
	load_init(&rn->load);
	affinity_init(&rn->affinity);
	keys_init(&rn->keys);
	arena_init(&rn->arena, LIMIT_BATCH_BYTES);
	windows_init(&rn->windows, &rn->arena);
	crews_init(&rn->crews);
	held_init(&rn->held, &rn->arena);
	key_uses_init(&rn->uses);
	rollups_init(&rn->rollups);
	for (i = 0; i < ROWS_COUNT; i++)
		rows_init(&rn->rows[i], row_stmts[i],
		    i == ROWS_LEDGER_CLOSE || i == ROWS_SLOT_RELEASE ||
		    i == ROWS_SLOT_TAKE);
	locks_init(&rn->locks);

	/* Memory that is not touched before there is a crowd. */
	rn->wants = calloc(LIMIT_WANTS, sizeof(*rn->wants));
	rn->holds = calloc(LIMIT_BATCH_OPS, sizeof(*rn->holds));
	if (reaper_init(&rn->reaper) || rn->wants == NULL ||
	    rn->holds == NULL)
		goto err1;
	return (rn);

err1:
	runner_free(rn);
err0:
	err_set(err, ERR_NOMEM, "no memory for the pool");
	return (NULL);
}

void
runner_spool(struct runner *rn, const char *dir, int64_t bytes)
{

	backlog_init(&rn->backlog, dir, bytes);
}

void
runner_free(struct runner *rn)
{
	size_t i;

	if (rn == NULL)
		return;
	settle_forget(rn);
	for (i = 0; i < ROWS_COUNT; i++)
		rows_fini(&rn->rows[i]);
	locks_fini(&rn->locks);
	key_uses_fini(&rn->uses);
	rollups_fini(&rn->rollups);
	held_fini(&rn->held);
	crews_fini(&rn->crews);
	windows_fini(&rn->windows);
	arena_fini(&rn->arena);
	keys_fini(&rn->keys);
	affinity_fini(&rn->affinity);
	load_fini(&rn->load);
	waiting_fini(&rn->waiting);
	reaper_fini(&rn->reaper);
	backlog_fini(&rn->backlog);
	snapshot_unref(rn->snapshot);
	unseal_fini(&rn->unseal);
	seal_wipe(&rn->pepper, sizeof(rn->pepper));
	responder_close(&rn->self);
	free(rn->wants);
	free(rn->holds);
	free(rn);
}

/* ---- for the parts ---- */

int
runner_exec(struct runner *rn, enum batch_rows which, struct err *err)
{
	struct rows *r = &rn->rows[which];
	size_t i, n = r->n;

	if (rows_exec(r, rn->st, err))
		return (-1);
	if (which != ROWS_SLOT_TAKE)
		return (0);

	/* The slots were free in this transaction. */
	for (i = 0; i < n; i++) {
		if (r->changes[i] == 1)
			continue;
		err_set(err, ERR_STORE_BUSY, "a free slot was taken by "
		    "somebody else");
		return (-1);
	}
	return (0);
}

void
runner_release(struct runner *rn, const struct lease *lease,
    int64_t ledger_id, int64_t key_id)
{

	if (lease->slotted)
		ROWS_PUT(&rn->rows[ROWS_SLOT_RELEASE],
		    store_int(lease->account->id), store_int(lease->slot_n),
		    store_int(lease->slot_fence), store_int(ledger_id),
		    store_int(key_id));
}

int
runner_released(struct runner *rn, struct err *err)
{
	struct rows *r = &rn->rows[ROWS_SLOT_RELEASE];
	const struct store_value *v;
	size_t i, n = r->n;

	if (rows_exec(r, rn->st, err))
		return (-1);
	for (i = 0; i < n; i++) {
		v = r->v + i * r->nparams;
		if (r->changes[i] > 0)
			load_add(&rn->load, v[0].i, v[4].i, -1);
	}
	return (0);
}

/* An account may be sealed under a key that is newer than the one in use: a
 * rekey broke off. */
static struct snapshot *
load_snapshot(struct runner *rn, struct err *err)
{
	struct unseal *u = &rn->unseal;
	struct snapshot *s;

	if (unseal_check(u, rn->st, err))
		return (NULL);
	s = snapshot_load(rn->st, u->seal, err);
	if (s != NULL && s->nshut > 0 && unseal_renew(u)) {
		snapshot_unref(s);
		s = snapshot_load(rn->st, u->seal, err);
	}
	if (s != NULL && s->nshut > 0) {
		u->lacking = true;
		err_set(&u->why, ERR_CRYPTO, "%zu accounts cannot serve: "
		    "master key file %.100s does not open their secrets",
		    s->nshut, u->path);
	}
	return (s);
}

/* Read the snapshot inside this batch. */
static int
reload(struct runner *rn, struct err *err)
{
	struct snapshot *s;

	if ((s = load_snapshot(rn, err)) == NULL)
		return (-1);
	if (load_follow(&rn->load, s, err)) {
		snapshot_unref(s);
		return (-1);
	}
	snapshot_unref(rn->snapshot);
	rn->snapshot = s;
	rn->snapshot_stale = false;
	rn->facts_changed = true;
	return (0);
}

/* ---- a batch ---- */

static void
publish(struct runner *rn)
{
	struct pool_facts facts = {
		.snapshot = rn->snapshot,
		.seal = rn->unseal.seal,
		.shut = rn->unseal.why,
		.responder_id = rn->self.id,
		.node = rn->self.node,
		.pepper = rn->pepper,
		.registered = rn->self.id != 0,
	};

	shared_publish(rn->shared, &facts);
	seal_wipe(&facts.pepper, sizeof(facts.pepper));
	rn->facts_changed = false;
}

static void
clear(struct runner *rn)
{
	size_t i;

	locks_reset(&rn->locks);
	keys_reset(&rn->keys);
	windows_reset(&rn->windows);
	crews_reset(&rn->crews);
	held_reset(&rn->held);
	key_uses_reset(&rn->uses);
	rollups_reset(&rn->rollups);
	settle_forget(rn);
	arena_reset(&rn->arena);
	for (i = 0; i < ROWS_COUNT; i++)
		rows_reset(&rn->rows[i]);
	for (i = 0; i < OP_COUNT; i++)
		rn->lists[i].n = 0;
	rn->parks_changed = false;
}

static void
sort_ops(struct runner *rn, struct store_op **ops, size_t n)
{
	struct op_list *l;
	size_t i;

	for (i = 0; i < n; i++) {
		l = &rn->lists[ops[i]->kind];
		l->ops[l->n++] = ops[i];
	}
}

/* The master key that was missing: looked for with each beat. */
static bool
key_has_come(struct runner *rn)
{

	return (rn->unseal.lacking && rn->lists[OP_BEAT].n > 0 &&
	    unseal_renew(&rn->unseal));
}

static int
read_state(struct runner *rn, int64_t *version, struct err *err)
{
	int64_t row[2];
	int rc;

	rc = store_one(rn->st, STMT_BATCH_STATE, NULL, 0, row, 2, err);
	if (rc == 0)
		err_set(err, ERR_NOT_FOUND, "the database is not set up");
	if (rc != 1)
		return (-1);
	*version = row[0];
	rn->ntickets = row[1];
	return (0);
}

/* How many wait is only true once the queue is locked, where it can be. */
static int
look_at_queue(struct runner *rn, int64_t *version, struct err *err)
{
	bool expected = rn->waiting.n > 0 || rn->locks.queue_first;

	if ((expected && locks_queue(rn, err)) ||
	    read_state(rn, version, err))
		return (-1);
	if (expected || rn->ntickets == 0 || !store_shared(rn->st))
		return (0);
	return (locks_queue(rn, err) || read_state(rn, version, err) ? -1 : 0);
}

/* Version, queue, load: as the transaction sees them. */
static int
look(struct runner *rn, struct err *err)
{
	int64_t version;

	if (look_at_queue(rn, &version, err))
		return (-1);
	if ((rn->snapshot == NULL || rn->snapshot_stale ||
	    rn->snapshot->version != version || key_has_come(rn)) &&
	    reload(rn, err))
		return (-1);
	load_begin(&rn->load);
	if (rn->load.read_ms == 0 || rn->ntickets > 0 ||
	    rn->mono_ms - rn->load.read_ms >= LOAD_AGE_MS)
		return (load_read(&rn->load, rn->st, rn->mono_ms, err));
	return (0);
}

/* What was parked now is to be seen by the choices of this batch, and by the
 * other processes. */
static int
heed_parks(struct runner *rn, struct err *err)
{

	if (!rn->parks_changed)
		return (0);
	rn->parks_changed = false;
	if (store_exec(rn->st, STMT_META_CONFIG_BUMP, NULL, 1, 0, NULL, err))
		return (-1);
	return (reload(rn, err));
}

/* Everybody who waits is told to go. */
static int
dismiss_all(struct runner *rn, const char *reason, bool cancelled,
    struct err *err)
{
	struct admit_op *op;
	size_t i;

	for (i = 0; i < rn->waiting.n && rn->nrefused < LIMIT_REFUSED; i++) {
		if (rn->waiting.list[i].leaves)
			continue;
		op = rn->waiting.list[i].op;
		op->cancelled = cancelled;
		snprintf(op->reason, sizeof(op->reason), "%s", reason);
		if (admit_dismiss(rn, op, ADMIT_QUEUE_TIMEOUT,
		    cancelled ? "stopped" : "queue_timeout", err))
			return (-1);
	}
	return (0);
}

static int
run_cancels(struct runner *rn, struct err *err)
{
	const struct op_list *l = &rn->lists[OP_CANCEL];
	const struct cancel_op *cancel;
	struct admit_op *op;
	size_t i;

	for (i = 0; i < l->n; i++) {
		cancel = (const struct cancel_op *)(const void *)l->ops[i];
		op = waiting_find(&rn->waiting, cancel->ledger_id);
		if (op == NULL || rn->nrefused == LIMIT_REFUSED)
			continue;
		op->cancelled = true;
		if (admit_dismiss(rn, op, ADMIT_QUEUE_TIMEOUT, "client_gone",
		    err))
			return (-1);
	}
	if (rn->lists[OP_SIGN_OFF].n > 0)
		return (dismiss_all(rn, "the relay is being stopped", true,
		    err));
	return (0);
}

static int
run_voids(struct runner *rn, struct err *err)
{
	const struct op_list *l = &rn->lists[OP_VOID];
	const struct void_op *op;
	size_t i;

	for (i = 0; i < l->n; i++) {
		op = (const struct void_op *)(const void *)l->ops[i];
		if (settle_void(rn, op->ledger_id, op->key_id, err))
			return (-1);
	}
	return (0);
}

/* Our row is gone: others took us for dead, and what waited lost its place. */
static int
register_anew(struct runner *rn, struct err *err)
{

	if (responder_register(&rn->self, rn->st, err) ||
	    reap_adopt(rn, rn->st, rn->self.id, err) ||
	    tickets_collect(rn, err))
		return (-1);
	return (dismiss_all(rn, "the relay lost its place in the queue",
	    false, err));
}

static int
run_beats(struct runner *rn, struct err *err)
{
	int rc;

	if (rn->lists[OP_BEAT].n == 0)
		return (0);
	rc = responder_beat(&rn->self, rn->st, &rn->set, err);
	if (rc < 0 || (rc == 0 && register_anew(rn, err)))
		return (-1);
	if (reap_others(rn, err) || health_beat(rn, err))
		return (-1);
	return (rn->ntickets > 0 ? tickets_lapse(rn, err) : 0);
}

/* What is settled or extended may hold something of budgets: read at once. */
static int
look_at_held(struct runner *rn, struct err *err)
{
	const struct op_list *settles = &rn->lists[OP_SETTLE];
	struct idlist ids;
	size_t i;
	int rc;

	if (settles->n == 0 && rn->lists[OP_EXTEND].n == 0)
		return (0);
	idlist_init(&ids, 1);
	for (i = 0; i < settles->n; i++)
		idlist_put(&ids, ((const struct settle_op *)(const void *)
		    settles->ops[i])->ledger_id, 0);
	extend_gather(rn, &ids);
	rc = held_fetch(&rn->held, rn->st, &ids, err);
	idlist_fini(&ids);
	return (rc);
}

static int
close_settled(struct runner *rn, struct err *err)
{
	struct op_list *l = &rn->lists[OP_SETTLE];

	return (settle_close(rn, (struct settle_op **)(void *)l->ops, l->n,
	    err));
}

/* Nothing of this process stays behind. */
static int
run_sign_off(struct runner *rn, struct err *err)
{

	if (rn->lists[OP_SIGN_OFF].n == 0)
		return (0);
	return (reap_one(rn, responder_self(&rn->self), err));
}

static int (*const steps[])(struct runner *, struct err *) = {
	look,
	run_beats,
	look_at_held,
	close_settled,
	locks_take,
	settle_give_back,
	run_voids,
	move_run,
	extend_run,
	halfopen_run,
	refresh_run,
	objects_run,
	heed_parks,
	tickets_collect,	/* first: who was granted a slot has it */
	run_cancels,
	tickets_expire,
	admit_run,
	settle_refused,
	run_sign_off,
};

static int
write_sums(struct runner *rn, struct err *err)
{

	if (windows_write(&rn->windows, rn->st, err) ||
	    key_uses_write(&rn->uses, rn->st, err))
		return (-1);
	return (rollups_write(&rn->rollups, rn->st, err));
}

static int
run(void *arg, struct store_batch *b, struct store *st,
    struct store_op **ops, size_t n, struct err *err)
{
	struct runner *rn = arg;
	size_t i;

	rn->batch = b;
	rn->st = st;
	rn->now_ms = store_now_ms(st);
	rn->mono_ms = clock_mono_ms(rn->clock);
	shared_settings(rn->shared, &rn->set);
	clear(rn);
	sort_ops(rn, ops, n);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i](rn, err))
			return (-1);
	}
	if (write_sums(rn, err))
		return (-1);
	return (affinity_write(rn, err));
}

static void
ended(void *arg, struct store_batch *b, bool committed)
{
	struct runner *rn = arg;

	(void)b;
	waiting_ended(&rn->waiting, committed);
	if (responder_ended(&rn->self, committed))
		rn->facts_changed = true;
	if (!committed) {
		rn->snapshot_stale = true;
		load_forget(&rn->load);
		health_undone(rn);
	} else if (rn->facts_changed)
		publish(rn);
	locks_ended(&rn->locks, committed);
	tickets_ended(rn, committed);
	affinity_ended(rn, committed);
	reap_ended(&rn->reaper, committed);
	clear(rn);
	rn->batch = NULL;
	rn->st = NULL;
}

/* ---- the connection ---- */

static int
check_in(struct runner *rn, struct store *st, struct err *err)
{
	struct store_value id = store_int(rn->self.id);
	int64_t node;
	int rc = 0;

	if (unseal_check(&rn->unseal, st, err) ||
	    meta_pepper(st, rn->unseal.seal, &rn->pepper, err))
		return (-1);
	if (rn->self.id != 0)
		rc = store_one(st, STMT_RESPONDER_THERE, &id, 1, &node, 1,
		    err);
	if (rc < 0 || (rc == 0 && responder_register(&rn->self, st, err)))
		return (-1);
	if (rc == 0 && rn->self.id != 0 &&
	    reap_adopt(rn, st, rn->self.id, err))
		return (-1);
	rn->st = st;
	rc = reload(rn, err);
	rn->st = NULL;
	return (rc);
}

/*
 * The pepper is made with an installation and stays with it through rekeying,
 * backups and moves; what is derived from it by a hash tells nothing of it.
 */
static int
spool_identity(struct runner *rn, struct store *st, struct spool_id *id,
    struct err *err)
{
	static const char name[] = "spool";
	unsigned char hash[SEAL_HASH_BYTES];

	seal_hash(&rn->pepper, name, sizeof(name) - 1, hash);
	memcpy(id->installation, hash, sizeof(id->installation));
	return (meta_epoch(st, &id->epoch, err));
}

/* What the log is to say of the spool. */
static void
tell_notes(struct runner *rn)
{
	size_t i;

	for (i = 0; i < rn->backlog.nnotes; i++)
		shared_tell(rn->shared, &rn->backlog.notes[i]);
	rn->backlog.nnotes = 0;
}

static void
spool(void *arg, struct store_op **ops, size_t n)
{
	struct runner *rn = arg;

	backlog_put(&rn->backlog, ops, n, clock_wall_ms(rn->clock));
	tell_notes(rn);
}

static size_t
backlog(void *arg, struct store_op **ops, size_t max)
{
	struct runner *rn = arg;
	size_t n;

	n = backlog_take(&rn->backlog, ops, max, clock_mono_ms(rn->clock),
	    clock_wall_ms(rn->clock));
	tell_notes(rn);
	return (n);
}

static void
replayed(void *arg, struct store_op *op, const struct err *err)
{
	struct runner *rn = arg;

	backlog_replayed(&rn->backlog, op, err, clock_mono_ms(rn->clock));
	tell_notes(rn);
}

static int
connected(void *arg, struct store *st, struct err *err)
{
	struct runner *rn = arg;
	struct spool_id id;

	load_forget(&rn->load);
	if (store_begin(st, true, err))
		return (-1);
	if (check_in(rn, st, err) || spool_identity(rn, st, &id, err)) {
		store_rollback(st);
		goto err0;
	}
	if (store_commit(st, err))
		goto err0;
	(void)responder_ended(&rn->self, true);
	backlog_identify(&rn->backlog, &id);
	tell_notes(rn);
	publish(rn);
	return (0);

err0:
	(void)responder_ended(&rn->self, false);
	rn->snapshot_stale = true;
	return (-1);
}

static void
dropped(void *arg, struct store_op *op)
{
	struct runner *rn = arg;

	waiting_forget(&rn->waiting,
	    ((const struct admit_op *)(const void *)op)->ledger_id);
}

static bool
reads(void *arg, const struct store_op *op)
{

	(void)arg;
	return (op->kind >= OP_LOOKUP);
}

static int
read_op(void *arg, struct store *st, struct store_op *op, struct err *err)
{

	(void)arg;
	if (op->kind == OP_OBJECT_LIST)
		return (objects_read(st, (struct object_list_op *)(void *)op,
		    err));
	return (lookup_read(st, (struct lookup_op *)(void *)op, err));
}

static int64_t
poll_ms(void *arg)
{
	const struct runner *rn = arg;

	return (rn->waiting.n > 0 ? POLL_MS : -1);
}

void
runner_bind(struct runner *rn, struct store_runner *out)
{

	*out = (struct store_runner) {
		.connected = connected,
		.run = run,
		.ended = ended,
		.dropped = dropped,
		.spool = spool,
		.backlog = backlog,
		.replayed = replayed,
		.read = read_op,
		.reads = reads,
		.poll_ms = poll_ms,
		.arg = rn,
	};
}
