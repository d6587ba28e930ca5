#include <sys/socket.h>

#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/loop.h"
#include "metrics/slots.h"

#include "pool/lookup.h"
#include "pool/objects.h"
#include "pool/pool.h"
#include "pool/refresh.h"
#include "pool/runner.h"
#include "pool/shared.h"

/* Without a success for so long the database counts as unusable. */
#define READY_MS	5000

/* Look-ups that wait for the database longer than this fail. */
#define LOOKUP_MS	5000

struct pool {
	struct pool_params params;
	struct shared shared;
	struct runner *runner;
	struct store_runner store_runner;
	struct store_thread *thread;
	struct loop_watch wake;
	struct loop_timer beat_timer;
	struct loop_task drop_task;
	struct own_op {
		struct store_op op;
		struct pool *pool;
	} beat, sign_off;
	bool beating;
	bool draining;
	int64_t ok_ms;			/* last success, monotonic; 0: none */
	int64_t waiting;		/* admissions and moves not done */

	/* As the store thread last told. */
	unsigned serial;
	struct pool_facts facts;
	struct snapshot *old;		/* borrowed until the turn's end */
	struct ledger_ids ids;
	struct key_cache *keys;
};

/* ---- what the store thread tells ---- */

static void
drop_old(struct loop_task *t)
{
	struct pool *p = t->arg;

	snapshot_unref(p->old);
	p->old = NULL;
}

static void
keep_until_turns_end(struct pool *p, struct snapshot *s)
{

	if (s == NULL)
		return;
	if (p->old != NULL) {
		/* It came and went within this turn: nobody borrowed it. */
		snapshot_unref(s);
		return;
	}
	p->old = s;
	loop_task_add(p->params.loop, &p->drop_task, drop_old, p);
}

static void
hear_of_seal(struct pool *p, const struct pool_facts *facts)
{

	if (facts->seal != p->facts.seal)
		log_note(p->params.log, LOG_LEVEL_INFO, "pool",
		    "master_key_renewed", NULL);
	if (facts->shut.code != ERR_NONE &&
	    strcmp(facts->shut.text, p->facts.shut.text) != 0)
		log_note(p->params.log, LOG_LEVEL_ERROR, "pool",
		    "master_key_lacks", &facts->shut);
	seal_free(p->facts.seal);
}

static void
hear_of_spool(struct pool *p)
{
	struct backlog_note notes[BACKLOG_NOTES];
	struct log_line l;
	size_t i, n;

	n = shared_told(&p->shared, notes);
	for (i = 0; i < n; i++) {
		if (notes[i].bad) {
			log_note(p->params.log, LOG_LEVEL_ERROR, "pool",
			    notes[i].event, &notes[i].what);
			continue;
		}
		log_begin(&l, p->params.log, LOG_LEVEL_INFO, NULL, "pool",
		    notes[i].event);
		log_str(&l, "what", notes[i].what.text);
		log_end(&l);
	}
}

static void
hear(struct pool *p)
{
	struct pool_facts facts;

	if (!shared_news(&p->shared, &p->serial, &facts))
		return;
	hear_of_spool(p);
	if (facts.registered && (!p->facts.registered ||
	    facts.responder_id != p->facts.responder_id))
		p->ids.node = facts.node;
	keep_until_turns_end(p, p->facts.snapshot);
	hear_of_seal(p, &facts);
	p->facts = facts;
	if (facts.snapshot != NULL)
		key_cache_version(p->keys, facts.snapshot->version);
	seal_wipe(&facts.pepper, sizeof(facts.pepper));
}

struct snapshot *
pool_snapshot(struct pool *p)
{

	hear(p);
	return (p->facts.snapshot);
}

int64_t
pool_next_id(struct pool *p)
{

	hear(p);
	if (!p->facts.registered)
		return (0);
	return (ledger_ids_next(&p->ids, loop_wall_ms(p->params.loop)));
}

const struct seal_pepper *
pool_pepper(const struct pool *p)
{

	return (p->facts.registered ? &p->facts.pepper : NULL);
}

const struct seal *
pool_seal(struct pool *p)
{

	hear(p);
	return (p->facts.seal);
}

bool
pool_ready(const struct pool *p)
{

	return (p->facts.registered && p->facts.snapshot != NULL &&
	    store_thread_up(p->thread) && p->ok_ms != 0 &&
	    loop_now_ms(p->params.loop) - p->ok_ms < READY_MS);
}

static void
note(struct pool *p, const struct err *err)
{

	if (err->code == ERR_NONE)
		p->ok_ms = loop_now_ms(p->params.loop);
	hear(p);
}

/* ---- keys ---- */

struct key_info *
pool_key_cached(struct pool *p, const unsigned char hash[SEAL_HASH_BYTES])
{

	hear(p);
	return (key_cache_get(p->keys, hash,
	    loop_wall_ms(p->params.loop)));
}

bool
pool_key_known(const struct pool *p, const unsigned char hash[SEAL_HASH_BYTES])
{

	return (key_cache_knows(p->keys, hash));
}

static void
lookup_done(struct store_op *sop, const struct err *err)
{
	struct lookup_op *op = (struct lookup_op *)(void *)sop;
	struct pool *p = op->pool;

	/* That it can be read says nothing of writing. */
	hear(p);
	if (err->code != ERR_NONE) {
		key_info_unref(op->key);
		op->key = NULL;
	}
	if (err->code == ERR_NONE)
		key_cache_put(p->keys, op->hash, op->key);
	op->done(op, err);
}

void
pool_lookup(struct pool *p, struct lookup_op *op)
{

	op->pool = p;
	op->key = NULL;
	op->op = (struct store_op) {
		.kind = OP_LOOKUP,
		.done = lookup_done,
		.deadline_ms = loop_now_ms(p->params.loop) + LOOKUP_MS,
	};
	store_submit(p->thread, &op->op);
}

/* ---- leases ---- */

static void
free_done(struct store_op *sop, const struct err *err)
{

	(void)err;
	free(sop);
}

/*
 * It may have been admitted: that is found out and undone.  Without memory
 * the slot stays leased until this process signs off.
 */
static void
make_void(struct pool *p, const struct admit_op *op)
{
	struct void_op *v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return;
	v->ledger_id = op->ledger_id;
	v->key_id = op->key->id;
	v->op.kind = OP_VOID;
	v->op.must = true;
	v->op.done = free_done;
	store_submit(p->thread, &v->op);
}

static void
admit_done(struct store_op *sop, const struct err *err)
{
	struct admit_op *op = (struct admit_op *)(void *)sop;
	struct pool *p = op->pool;
	struct err gone = { 0 };

	note(p, err);
	slot_set(p->params.slot, SLOT_WAITING, --p->waiting);
	if (err->code == ERR_STORE_UNKNOWN && sop->kind == OP_ADMIT)
		make_void(p, op);
	if (err->code != ERR_NONE)
		lease_drop(&op->lease);
	else if (op->cancelled) {
		err_set(&gone, ERR_CANCELLED, "the client left");
		err = &gone;
	}
	op->done(op, err);
}

static void
submit_admit(struct pool *p, struct admit_op *op, enum op_kind kind,
    int64_t give_up_ms)
{
	int64_t now_ms = loop_now_ms(p->params.loop);

	op->pool = p;
	op->submitted_ms = now_ms;
	op->give_up_ms = give_up_ms;
	op->cancelled = false;
	op->op = (struct store_op) {
		.kind = kind,
		.done = admit_done,
		.deadline_ms = now_ms + p->params.conf->store_timeout_ms,
	};
	slot_set(p->params.slot, SLOT_WAITING, ++p->waiting);
	store_submit(p->thread, &op->op);
}

void
pool_admit(struct pool *p, struct admit_op *op)
{

	submit_admit(p, op, OP_ADMIT, loop_now_ms(p->params.loop) +
	    p->params.conf->queue_timeout_ms);
}

void
pool_move(struct pool *p, struct move_op *op)
{
	int64_t give_up_ms = loop_now_ms(p->params.loop) +
	    p->params.conf->queue_timeout_ms;

	if (op->deadline_ms != 0 && op->deadline_ms < give_up_ms)
		give_up_ms = op->deadline_ms;
	submit_admit(p, &op->admit, OP_MOVE, give_up_ms);
}

/* Without memory the request goes on; it ends as one whose client left. */
void
pool_admit_cancel(struct pool *p, struct admit_op *op)
{
	struct cancel_op *cancel;

	if ((cancel = calloc(1, sizeof(*cancel))) == NULL)
		return;
	cancel->ledger_id = op->ledger_id;
	cancel->op.kind = OP_CANCEL;
	cancel->op.must = true;
	cancel->op.done = free_done;
	store_submit(p->thread, &cancel->op);
}

void
pool_prove(struct pool *p, int64_t ledger_id, const struct lease *lease,
    const char *model)
{
	struct prove_op *op;

	if ((op = calloc(1, sizeof(*op))) == NULL)
		return;
	op->ledger_id = ledger_id;
	op->account_id = lease->account->id;
	snprintf(op->model, sizeof(op->model), "%s", model);
	op->op = (struct store_op) {
		.kind = OP_PROVE,
		.done = free_done,
		.deadline_ms = loop_now_ms(p->params.loop) +
		    p->params.conf->store_timeout_ms,
	};
	store_submit(p->thread, &op->op);
}

static void extend_done(struct store_op *sop, const struct err *err);

static void
submit_extend(struct pool *p, struct extend_op *op)
{

	op->op = (struct store_op) {
		.kind = OP_EXTEND,
		.done = extend_done,
		.deadline_ms = loop_now_ms(p->params.loop) +
		    p->params.conf->store_timeout_ms,
	};
	store_submit(p->thread, &op->op);
}

static void
extend_done(struct store_op *sop, const struct err *err)
{
	struct extend_op *op = (struct extend_op *)(void *)sop;

	note(op->pool, err);
	if (err->code == ERR_STORE_UNKNOWN && !op->again) {
		op->again = true;
		submit_extend(op->pool, op);
		return;
	}
	op->done(op, err);
}

void
pool_extend(struct pool *p, struct extend_op *op)
{

	op->pool = p;
	op->again = false;
	submit_extend(p, op);
}

static void
settle_done(struct store_op *sop, const struct err *err)
{
	struct settle_op *op = (struct settle_op *)(void *)sop;

	/* That it is on disk says nothing of the database. */
	if (sop->spooled)
		hear(op->pool);
	else
		note(op->pool, err);
	op->done(op, err);
}

void
pool_settle(struct pool *p, struct settle_op *op)
{

	op->pool = p;
	op->op = (struct store_op) {
		.kind = OP_SETTLE,
		.must = true,
		.done = settle_done,
	};
	store_submit(p->thread, &op->op);
}

/* ---- objects ---- */

static void
object_done(struct store_op *sop, const struct err *err)
{
	struct object_op *op = (struct object_op *)(void *)sop;

	note(op->pool, err);
	op->done(op, err);
}

static void
submit_object(struct pool *p, struct object_op *op, enum op_kind kind)
{

	op->pool = p;
	op->op = (struct store_op) {
		.kind = kind,
		.done = object_done,
		.deadline_ms = loop_now_ms(p->params.loop) +
		    p->params.conf->store_timeout_ms,
	};
	store_submit(p->thread, &op->op);
}

void
pool_object_put(struct pool *p, struct object_op *op)
{

	submit_object(p, op, OP_OBJECT_PUT);
}

void
pool_object_drop(struct pool *p, struct object_op *op)
{

	submit_object(p, op, OP_OBJECT_DROP);
}

void
pool_object_seen(struct pool *p, struct object_op *op)
{

	submit_object(p, op, OP_OBJECT_SEEN);
}

void
pool_object_gone(struct pool *p, struct object_op *op)
{

	submit_object(p, op, OP_OBJECT_GONE);
}

bool
pool_object_keep(struct pool *p, const struct object_op *op)
{
	struct object_op *copy;

	if ((copy = malloc(sizeof(*copy))) == NULL)
		return (false);
	*copy = *op;
	copy->unheard = true;
	copy->op = (struct store_op) {
		.kind = OP_OBJECT_PUT,
		.must = true,
		.done = free_done,
	};
	store_submit(p->thread, &copy->op);
	return (true);
}

static void
object_listed(struct store_op *sop, const struct err *err)
{
	struct object_list_op *op = (struct object_list_op *)(void *)sop;

	hear(op->pool);
	op->done(op, err);
}

void
pool_object_list(struct pool *p, struct object_list_op *op)
{

	op->pool = p;
	op->op = (struct store_op) {
		.kind = OP_OBJECT_LIST,
		.done = object_listed,
		.deadline_ms = loop_now_ms(p->params.loop) + LOOKUP_MS,
	};
	store_submit(p->thread, &op->op);
}

/* ---- tokens ---- */

static void
refresh_taken(struct store_op *sop, const struct err *err)
{
	struct refresh_take_op *op = (struct refresh_take_op *)(void *)sop;

	note(op->pool, err);
	op->done(op, err);
}

void
pool_refresh_take(struct pool *p, struct refresh_take_op *op)
{

	op->pool = p;
	op->op = (struct store_op) {
		.kind = OP_REFRESH_TAKE,
		.done = refresh_taken,
		.deadline_ms = loop_now_ms(p->params.loop) +
		    p->params.conf->store_timeout_ms,
	};
	store_submit(p->thread, &op->op);
}

static void
refresh_ended(struct store_op *sop, const struct err *err)
{
	struct refresh_end_op *op = (struct refresh_end_op *)(void *)sop;

	note(op->pool, err);
	op->done(op, err);
}

/* New tokens exist nowhere else until they are committed. */
void
pool_refresh_end(struct pool *p, struct refresh_end_op *op)
{

	op->pool = p;
	op->op = (struct store_op) {
		.kind = OP_REFRESH_END,
		.must = true,
		.done = refresh_ended,
	};
	store_submit(p->thread, &op->op);
}

/* ---- beats and wake-ups ---- */

static void beat(struct loop_timer *t);

static void
set_beat_timer(struct pool *p, int64_t after_ms)
{
	struct err err = { 0 };

	if (loop_timer_set(p->params.loop, &p->beat_timer,
	    loop_now_ms(p->params.loop) + after_ms, beat, p) == 0)
		return;
	err_set(&err, ERR_NOMEM, "no memory for a timer");
	log_note(p->params.log, LOG_LEVEL_ERROR, "pool", "no_beat", &err);
}

static void
beat_done(struct store_op *op, const struct err *err)
{
	struct pool *p = ((struct own_op *)(void *)op)->pool;

	p->beating = false;
	note(p, err);
}

/* No loop, no beat: the timer runs in it. */
static void
beat(struct loop_timer *t)
{
	struct pool *p = t->arg;

	set_beat_timer(p, p->params.conf->beat_interval_ms);
	if (p->beating || !store_thread_up(p->thread))
		return;
	shared_note(&p->shared, p->params.open_requests == NULL ? 0 :
	    p->params.open_requests(p->params.arg), p->draining);
	p->beating = true;
	p->beat.pool = p;
	p->beat.op = (struct store_op) {
		.kind = OP_BEAT,
		.urgent = true,
		.done = beat_done,
	};
	store_submit(p->thread, &p->beat.op);
}

static void
woken(struct loop_watch *w, uint32_t events)
{
	struct pool *p = w->arg;

	(void)events;
	if (responder_heard(w->fd))
		(void)kill(getpid(), SIGHUP);
	store_kick(p->thread);
}

/* ---- life ---- */

static void
store_state(void *arg, bool up, const struct err *why)
{
	struct pool *p = arg;

	if (up)
		p->ok_ms = loop_now_ms(p->params.loop);
	hear(p);
	log_note(p->params.log, up ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	    "store", up ? "up" : "down", up ? NULL : why);
	if (up)
		set_beat_timer(p, 0);
	if (p->params.state != NULL)
		p->params.state(p->params.arg);
}

static struct store_thread *
start_thread(struct pool *p, struct err *err)
{
	const struct conf *conf = p->params.conf;
	struct store_thread_params tp = {
		.url = conf->store,
		.options = {
			.synchronous_full =
			    strcmp(conf->sqlite_synchronous, "full") == 0,
			.busy_timeout_ms = conf->store_timeout_ms,
		},
		.runner = &p->store_runner,
		.loop = p->params.loop,
		.slot = p->params.store_slot,
		.state = store_state,
		.arg = p,
	};

	runner_bind(p->runner, &p->store_runner);
	return (store_thread_start(&tp, err));
}

struct pool *
pool_start(const struct pool_params *params, struct err *err)
{
	struct pool *p;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the pool");
		goto err0;
	}
	p->params = *params;
	p->facts.seal = seal_ref(params->seal);
	ledger_ids_init(&p->ids, 0);
	if ((p->keys = key_cache_new(LIMIT_KEY_CACHE)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the pool");
		goto err1;
	}
	if (shared_init(&p->shared, err))
		goto err2;
	shared_configure(&p->shared, params->conf);
	p->runner = runner_new(params->seal, params->conf->master_key_file,
	    params->clock, &p->shared, err);
	if (p->runner == NULL)
		goto err3;
	runner_spool(p->runner, params->conf->spool_dir,
	    params->conf->spool_bytes);
	if (responder_open(&p->runner->self, "relay",
	    params->conf->host_name, params->conf->run_dir, err))
		goto err4;
	if (loop_watch_add(params->loop, &p->wake, p->runner->self.wake_fd,
	    LOOP_READ, woken, p, err))
		goto err4;
	if ((p->thread = start_thread(p, err)) == NULL)
		goto err5;
	set_beat_timer(p, params->conf->beat_interval_ms);
	return (p);

err5:
	loop_watch_del(&p->wake);
err4:
	runner_free(p->runner);
err3:
	shared_fini(&p->shared);
err2:
	key_cache_free(p->keys);
err1:
	seal_free(p->facts.seal);
	free(p);
err0:
	return (NULL);
}

static void
signed_off(struct store_op *op, const struct err *err)
{
	struct pool *p = ((struct own_op *)(void *)op)->pool;

	p->runner->self.keep_files = p->runner->self.id != 0 &&
	    err->code != ERR_NONE;
}

void
pool_stop(struct pool *p, int64_t timeout_ms)
{

	if (p == NULL)
		return;
	loop_timer_cancel(&p->beat_timer);
	loop_watch_del(&p->wake);
	p->sign_off.pool = p;
	p->sign_off.op = (struct store_op) {
		.kind = OP_SIGN_OFF,
		.done = signed_off,
	};
	store_submit(p->thread, &p->sign_off.op);
	store_thread_stop(p->thread, timeout_ms);
	loop_task_cancel(&p->drop_task);
	runner_free(p->runner);
	snapshot_unref(p->old);
	snapshot_unref(p->facts.snapshot);
	seal_free(p->facts.seal);
	seal_wipe(&p->facts.pepper, sizeof(p->facts.pepper));
	shared_fini(&p->shared);
	key_cache_free(p->keys);
	free(p);
}

void
pool_reload(struct pool *p)
{

	shared_configure(&p->shared, p->params.conf);
}

void
pool_set_draining(struct pool *p)
{

	p->draining = true;
}

void
pool_stats(struct pool *p, struct pool_stats *st)
{

	st->responder_id = p->facts.responder_id;
	st->waiting = p->waiting;
	store_thread_stats(p->thread, &st->store);
}
