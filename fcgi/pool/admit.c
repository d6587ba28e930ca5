#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "pool/admit.h"
#include "pool/check.h"
#include "pool/models.h"
#include "pool/objects.h"
#include "pool/place.h"
#include "pool/runner.h"
#include "pool/settle.h"
#include "pool/tickets.h"

/* All that is worked at in one batch. */
struct crowd {
	struct want *wants;	/* the runner's */
	struct holds *holds;	/* likewise; one an arrival */
	size_t n;
	size_t nadmits;		/* that arrived */
	int64_t joined;		/* that began to wait */
	int64_t nkeys;		/* whose requests wait; before .counted only
				   of those that joined */
	bool counted;		/* the waiting requests of each key */
};

static bool
is_move(const struct admit_op *op)
{

	return (op->op.kind == OP_MOVE);
}

/* A batch may be run again: nothing is left of the last time. */
static void
reset_out(struct admit_op *op)
{

	lease_drop(&op->lease);
	op->opened = false;
	op->cancelled = false;
	op->reason[0] = '\0';
	op->retry_ms = 0;
	op->heals = op->limited = false;
}

void
admit_ready(struct runner *rn, struct admit_op *op)
{

	op->queue_ms = rn->mono_ms - op->submitted_ms;
	waiting_leave(&rn->waiting, op->ledger_id);
	ROWS_PUT(&rn->rows[ROWS_TICKET_DROP], store_int(op->ledger_id));
	store_batch_release(rn->batch, &op->op);
}

int
admit_dismiss(struct runner *rn, struct admit_op *op,
    enum admit_verdict verdict, const char *outcome, struct err *err)
{

	op->verdict = verdict;
	op->opened = true;
	admit_ready(rn, op);
	if (is_move(op))
		return (0);
	return (settle_refuse(rn, op, outcome, err));
}

bool
admit_maps(const struct admit_op *op)
{

	return (op->objects == NULL || !op->objects->follows);
}

const char *
admit_model(const struct admit_op *op, const struct account *a)
{

	return (admit_maps(op) ? account_model(a, op->model) : op->model);
}

void
admit_grant(struct runner *rn, struct admit_op *op,
    const struct account *account, int64_t n, int64_t fence)
{
	struct lease *l = &op->lease;

	lease_drop(l);
	l->held = true;
	l->slotted = n > 0;
	l->snapshot = snapshot_ref(rn->snapshot);
	l->account = account;
	l->slot_n = n;
	l->slot_fence = fence;
	l->attempt = op->attempt;
	snprintf(l->model, sizeof(l->model), "%s",
	    admit_model(op, account));
	l->session_id = op->session_id;
	affinity_use(rn, op, account->id);
	op->verdict = ADMIT_LEASED;
	op->opened = true;
	op->cancelled = false;
	ROWS_PUT(&rn->rows[ROWS_ATTEMPT_OPEN], store_int(op->ledger_id),
	    store_int(op->attempt), store_int(account->id),
	    store_int(rn->now_ms), store_text(strcmp(l->model, op->model) ==
	    0 ? "" : l->model));
}

/* ---- who comes ---- */

static int
arrive(struct runner *rn, struct crowd *c, struct admit_op *op,
    struct err *err)
{
	struct want *w = &c->wants[c->n];
	struct holds *holds = &c->holds[c->nadmits++];
	int rc;

	reset_out(op);
	op->attempt = 1;
	memset(&op->lease, 0, sizeof(op->lease));
	rc = check_arrival(rn, op, w, holds, err);
	if (rc == 1)
		c->n++;
	return (rc < 0 ? -1 : 0);
}

/* move_run has filled in what the old lease hands on. */
static int
arrive_moving(struct runner *rn, struct crowd *c, struct admit_op *op,
    struct err *err)
{
	struct want *w = &c->wants[c->n];
	int rc;

	reset_out(op);
	op->opened = true;
	rc = check_want(rn, op, w, err);
	w->arrives = true;
	if (rc == 1)
		c->n++;
	return (rc < 0 ? -1 : 0);
}

static bool
left_already(const struct runner *rn, const struct admit_op *op)
{
	const struct op_list *l = &rn->lists[OP_CANCEL];
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (((const struct cancel_op *)(const void *)
		    l->ops[i])->ledger_id == op->ledger_id)
			return (true);
	}
	return (false);
}

static int
gather_arrivals(struct runner *rn, struct crowd *c, enum op_kind kind,
    struct err *err)
{
	const struct op_list *l = &rn->lists[kind];
	struct admit_op *op;
	size_t i;

	for (i = 0; i < l->n; i++) {
		op = (struct admit_op *)(void *)l->ops[i];
		if (left_already(rn, op)) {
			reset_out(op);
			op->opened = is_move(op);
			op->cancelled = true;
		} else if ((is_move(op) ? arrive_moving : arrive)(rn, c, op,
		    err))
			return (-1);
	}
	return (0);
}

/* ---- what becomes of them ---- */

static int
put_ledger(struct runner *rn, const struct want *w, int fence,
    struct err *err)
{
	const struct admit_op *op = w->op;
	const char *text;

	if (!w->arrives || is_move(op))
		return (0);
	if ((text = holds_text(w->holds, &rn->arena, err)) == NULL)
		return (-1);
	ROWS_PUT(&rn->rows[ROWS_LEDGER_OPEN], store_int(op->ledger_id),
	    store_int(fence), store_int(w->responder_id),
	    store_int(rn->now_ms), store_int(w->key->id),
	    store_text(op->kind), store_text(op->model),
	    store_int(op->stream), store_int(op->reserved_nusd),
	    store_int(op->body_bytes), store_text(op->session),
	    store_int(w->key->person_id), store_int(op->flags),
	    store_text(text), store_text(op->address), store_text(fence == 0 ?
	    "" : lease_sent_as(&op->lease, op->model)));
	return (0);
}

static int
conclude_picked(struct runner *rn, const struct want *w, struct err *err)
{
	struct admit_op *op = w->op;

	admit_grant(rn, op, w->account, w->needs_slot ? w->slot_n : 0,
	    w->slot_fence);
	op->lease.probe = w->probe;
	op->queue_ms = rn->mono_ms - op->submitted_ms;
	if (put_ledger(rn, w, 1, err))
		return (-1);
	if (!w->arrives || is_move(op))
		ROWS_PUT(&rn->rows[ROWS_LEDGER_ATTEMPT],
		    store_int(op->attempt), store_text(lease_sent_as(
		    &op->lease, op->model)), store_int(op->ledger_id));
	if (!w->arrives)
		admit_ready(rn, op);
	return (0);
}

/* Waiting is of use only if there is hope in time. */
static bool
worth_waiting(const struct runner *rn, const struct want *w)
{
	int64_t left_ms = w->op->give_up_ms - rn->mono_ms;

	if (!w->needs_slot || left_ms <= 0)
		return (false);
	if (w->result == CHOICE_PARKED)
		return (w->free_ms - rn->now_ms < left_ms);
	return (w->result == CHOICE_BUSY);
}

/*
 * The queue is first come, first served until it is full.  Then a key that has
 * fewer requests in it than an equal share still finds room, so that no key can
 * keep the others out; but never more than twice as many wait.  1; 0; -1.
 */
static int
has_room(struct runner *rn, struct crowd *c, const struct want *w,
    struct err *err)
{
	int64_t max = rn->set.queue_max, n = rn->ntickets + c->joined, share;

	if (n < max)
		return (1);
	if (n >= 2 * max)
		return (0);
	if (!c->counted && keys_queued(&rn->keys, rn->st, &c->nkeys, err))
		return (-1);
	c->counted = true;
	share = max / (c->nkeys + (w->key->waiting == 0));
	return (w->key->waiting < (share > 1 ? share : 1));
}

static int
begin_waiting(struct runner *rn, struct crowd *c, struct want *w,
    struct err *err)
{

	if (waiting_join(&rn->waiting, w->op, err))
		return (-1);
	c->joined++;
	if (w->key->waiting++ == 0)
		c->nkeys++;
	if (put_ledger(rn, w, 0, err))
		return (-1);
	tickets_add(rn, w);
	w->op->op.deadline_ms = w->op->give_up_ms;
	store_batch_hold(rn->batch, &w->op->op);
	return (0);
}

static const struct {
	enum admit_verdict verdict;
	const char *outcome;
} refusals[] = {
	[CHOICE_BUSY] = { ADMIT_QUEUE_TIMEOUT, "queue_timeout" },
	[CHOICE_PARKED] = { ADMIT_PARKED, "parked" },
	[CHOICE_NONE] = { ADMIT_NO_ACCOUNT, "no_account" },
};

static int
turn_away(struct runner *rn, const struct want *w, enum admit_verdict verdict,
    const char *outcome, struct err *err)
{

	check_explain(rn, w->op, w, verdict);
	if (!w->arrives)
		return (admit_dismiss(rn, w->op, w->op->verdict, outcome,
		    err));
	w->op->queue_ms = rn->mono_ms - w->op->submitted_ms;
	if (w->holds != NULL)
		budgets_undo(rn, w->holds);
	return (0);
}

static int conclude(struct runner *rn, struct crowd *c, struct want *w,
    struct err *err);

/* It waits by choice: where the queue is full it goes elsewhere instead. */
static int
conclude_awaiting(struct runner *rn, struct crowd *c, struct want *w,
    struct err *err)
{
	int rc;

	if (locks_need_queue(rn, err) || (rc = has_room(rn, c, w, err)) < 0)
		return (-1);
	if (rc > 0)
		return (begin_waiting(rn, c, w, err));
	if (place_elsewhere(rn, w, err))
		return (-1);
	return (conclude(rn, c, w, err));
}

static int
conclude(struct runner *rn, struct crowd *c, struct want *w,
    struct err *err)
{
	int rc;

	if (w->op == NULL)
		return (w->result == CHOICE_PICKED ?
		    tickets_grant(rn, w, err) : 0);
	if (w->result == CHOICE_PICKED)
		return (conclude_picked(rn, w, err));
	if (w->awaits && w->arrives)
		return (conclude_awaiting(rn, c, w, err));
	if (!worth_waiting(rn, w))
		return (turn_away(rn, w, refusals[w->result].verdict,
		    refusals[w->result].outcome, err));
	if (!w->arrives)
		return (0);
	if (locks_need_queue(rn, err) || (rc = has_room(rn, c, w, err)) < 0)
		return (-1);
	if (rc == 0)
		return (turn_away(rn, w, ADMIT_QUEUE_FULL, NULL, err));
	return (begin_waiting(rn, c, w, err));
}

/* ---- the whole ---- */

static const enum batch_rows order[] = {
	ROWS_SLOT_TAKE,
	ROWS_LEDGER_OPEN,
	ROWS_LEDGER_ATTEMPT,
	ROWS_ATTEMPT_OPEN,
	ROWS_TICKET_ADD,
	ROWS_TICKET_GRANT,
	ROWS_TICKET_DROP,
};

static int
send_rows(struct runner *rn, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (runner_exec(rn, order[i], err))
			return (-1);
	}
	return (keys_write_turns(&rn->keys, rn->st, err));
}

static int
work(struct runner *rn, struct crowd *c, struct err *err)
{
	size_t i, ntickets = 0;

	if (gather_arrivals(rn, c, OP_ADMIT, err) ||
	    gather_arrivals(rn, c, OP_MOVE, err))
		return (-1);
	if (rn->ntickets > 0 && tickets_gather(rn, c->wants + c->n,
	    LIMIT_TICKETS_LOOKED_AT, &ntickets, err))
		return (-1);
	c->n += ntickets;
	if (affinity_look(rn, c->wants, c->n, err) ||
	    place(rn, c->wants, c->n, err))
		return (-1);
	for (i = 0; i < c->n; i++) {
		if (conclude(rn, c, &c->wants[i], err))
			return (-1);
	}
	return (send_rows(rn, err));
}

int
admit_run(struct runner *rn, struct err *err)
{
	struct crowd c = { .wants = rn->wants, .holds = rn->holds };

	if (rn->ntickets == 0 && rn->lists[OP_ADMIT].n == 0 &&
	    rn->lists[OP_MOVE].n == 0)
		return (send_rows(rn, err));
	return (work(rn, &c, err));
}
