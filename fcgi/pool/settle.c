#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "ledger/flags.h"
#include "ledger/id.h"

#include "pool/bill.h"
#include "pool/budgets.h"
#include "pool/cooldown.h"
#include "pool/halfopen.h"
#include "pool/health.h"
#include "pool/idlist.h"
#include "pool/objects.h"
#include "pool/runner.h"
#include "pool/settle.h"

/* One request on its way through. */
struct settling {
	struct settle_op *op;
	struct attempt_end end;	/* of the last attempt, as far as it counts */
	struct bill bill;	/* of the last attempt */
	struct usage usage;	/* of all */
	int64_t nusd;		/* of all; -1: unpriced */
	enum usage_mark mark;
	int64_t account_id;	/* 0: none */
	bool estimated;		/* of an attempt nothing is known */
	int64_t overrun_nusd;
	int64_t flags;
	struct held_row *held;	/* NULL: it is not there */
	struct holds charged;	/* as .held, what it comes to */
	enum ledger_state from;	/* the state that it was closed from ... */
	bool closed;		/* ... if it was not closed before */
	bool unused;		/* its lease, of which nobody learnt */
	int64_t was_nusd;	/* what the reaper charged */
};

/* Nothing is being closed. */
static void
settle_done(struct runner *rn)
{

	free(rn->closing.list);
	rn->closing = (struct settlements) { 0 };
}

static struct store_value
positive(int64_t i)
{

	return (i > 0 ? store_int(i) : store_null());
}

static struct store_value
not_negative(int64_t i)
{

	return (i >= 0 ? store_int(i) : store_null());
}

/* ---- what it cost ---- */

/* Add what attempts before the one that is closed here have cost. */
static int
add_attempts(struct runner *rn, struct settling *s, struct err *err)
{
	const struct settle_op *op = s->op;
	struct store_value params[2];
	int64_t row[6];

	if (op->attempts - (op->lease.held ? 1 : 0) < 1)
		return (0);
	params[0] = store_int(op->ledger_id);
	params[1] = store_int(op->attempts + (op->lease.held ? 0 : 1));
	if (store_one(rn->st, STMT_ATTEMPTS_BEFORE, params, 2, row, 6,
	    err) < 0)
		return (-1);
	s->usage.input_tokens += row[0];
	s->usage.output_tokens += row[1];
	if (s->nusd >= 0)
		s->nusd = num_add_sat(s->nusd, row[2]);
	if (row[3] > 0)
		s->estimated = true;
	if (!op->lease.held) {
		s->mark = (enum usage_mark)row[4];
		s->account_id = row[5];
	}
	return (0);
}

/* What the row has reserved by now; it may have been extended. */
static int64_t
reserved_of(const struct settling *s)
{

	return (s->held != NULL ? s->held->reserved_nusd :
	    s->op->reserved_nusd);
}

/* A batch that was made used a request for each that is in it. */
static int64_t
requests_used(const struct settling *s, int64_t reserved)
{
	const struct settle_op *op = s->op;

	if (op->attempts == 0)
		return (0);
	return (op->lease.held && op->end.status < 300 ? reserved : 1);
}

/* What the request has used, in the unit of each kind. */
static void
used(const struct settling *s, struct amounts *out)
{

	*out = (struct amounts) { .of = {
		[BUDGET_MONEY] = s->nusd > 0 ? s->nusd : 0,
		[BUDGET_TOKENS] = usage_tokens(&s->usage),
		[BUDGET_INPUT] = usage_input(&s->usage),
		[BUDGET_OUTPUT] = s->usage.output_tokens,
	} };
}

/* Of earlier attempts that may have been billed, one may have gone under a name
 * that the budget is of. */
struct earlier {
	const struct budget_rule *rule;
	const struct settling *s;
	bool counts;
};

static int
earlier_row(void *arg, const struct store_value *c, size_t n)
{
	struct earlier *e = arg;
	const char *model = store_get_text(&c[0]);

	(void)n;
	if (budgets_counts(e->rule, model[0] == '\0' ? e->s->held->model :
	    model))
		e->counts = true;
	return (0);
}

/*
 * Budgets of every name that the request could go by hold something; it counts
 * against those of the names that it went by.  1; 0; -1.
 */
static int
counts(struct runner *rn, const struct settling *s, const struct hold *h,
    struct err *err)
{
	const struct settle_op *op = s->op;
	struct earlier e = { .s = s };
	struct store_value v[2] = {
		store_int(op->ledger_id), store_int(op->attempts)
	};

	if (s->held->sent_as[0] == '\0')
		return (1);
	e.rule = snapshot_budget(rn->snapshot, h->budget_id);
	if (e.rule == NULL || budgets_counts(e.rule, s->held->sent_as))
		return (1);
	if (op->attempts > 1 && store_query(rn->st, STMT_ATTEMPT_MODELS, v, 2,
	    earlier_row, &e, err) < 0)
		return (-1);
	return (e.counts);
}

/*
 * What it comes to in each budget.  What is not known is taken to have been
 * what was reserved of that one; what was billed beyond that is charged all the
 * same, and the row says so.  For a batch nothing is ever reserved.
 */
static int
charge(struct runner *rn, struct settling *s, struct err *err)
{
	struct amounts amounts;
	const struct hold *was;
	struct hold *is;
	int rc;

	used(s, &amounts);
	s->flags = s->op->flags | s->bill.flags;
	if (s->nusd > reserved_of(s) && !s->end.priced) {
		s->overrun_nusd = s->nusd - reserved_of(s);
		s->flags |= LEDGER_FLAG_OVERRUN;
	}
	if (s->held == NULL)
		return (0);
	if (holds_copy(&s->charged, &s->held->holds, &rn->arena, err))
		return (-1);
	for (is = s->charged.list; is < s->charged.list + s->charged.n; is++) {
		was = &s->held->holds.list[is - s->charged.list];
		if ((rc = counts(rn, s, was, err)) < 0)
			return (-1);
		is->amount = rc == 0 ? 0 : is->kind == BUDGET_REQUESTS ?
		    requests_used(s, was->amount) : amounts.of[is->kind];
		if (rc == 0)
			continue;
		if (is->amount > was->amount)
			s->flags |= LEDGER_FLAG_OVERRUN;
		else if (s->estimated ||
		    (s->nusd < 0 && is->kind == BUDGET_MONEY))
			is->amount = was->amount;
	}
	s->held->text = holds_text(&s->charged, &rn->arena, err);
	return (s->held->text == NULL ? -1 : 0);
}

/* The usage of a batch that another request has counted is not counted. */
static int
take_end(struct runner *rn, struct settling *s, struct err *err)
{
	const struct settle_op *op = s->op;
	int rc;

	s->end = op->end;
	if (op->batch_id == 0 || !op->lease.held ||
	    op->end.mark == USAGE_NONE)
		return (0);
	rc = objects_count(rn, op->batch_id, op->ledger_id, err);
	if (rc == 0) {
		s->end.mark = USAGE_NONE;
		memset(&s->end.usage, 0, sizeof(s->end.usage));
	}
	return (rc < 0 ? -1 : 0);
}

/*
 * The whole request.  Attempts of which nothing is known are charged together
 * at what is left of the reserve, which bounds the bill of the dearest.
 */
static int
reckon(struct runner *rn, struct settling *s, struct err *err)
{
	const struct settle_op *op = s->op;
	const struct bill_call call = {
		.ledger_id = op->ledger_id,
		.model = op->model,
		.max_tokens = op->max_tokens,
		.repeats = op->repeats,
	};

	if (take_end(rn, s, err))
		return (-1);
	if (op->lease.held) {
		s->account_id = op->lease.account->id;
		s->mark = s->end.mark;
		bill_attempt(rn, op->lease.account, &call, &s->end,
		    &s->bill);
		s->usage = s->bill.usage;
	}
	s->nusd = s->bill.nusd;
	s->estimated = s->bill.estimated;
	if (add_attempts(rn, s, err) || charge(rn, s, err))
		return (-1);
	if (s->estimated && s->nusd >= 0 && s->nusd < reserved_of(s))
		s->nusd = reserved_of(s);
	return (0);
}

/* ---- rows ---- */

/* The group of the account that served last, if it is still there. */
static int64_t
group_of(const struct runner *rn, const struct settling *s)
{
	const struct account *a = snapshot_account(rn->snapshot,
	    s->account_id);

	return (a == NULL ? 0 : a->group_id);
}

static void
put_ledger(struct runner *rn, const struct settling *s, int64_t from,
    int64_t fence)
{
	const struct settle_op *op = s->op;

	ROWS_PUT(&rn->rows[ROWS_LEDGER_CLOSE],
	    store_int(from == LEDGER_OPEN ? LEDGER_SETTLED :
	    LEDGER_CORRECTED), positive(s->account_id), store_int(s->mark),
	    store_text(op->outcome), positive(op->status),
	    store_int(op->attempts), store_int(s->usage.input_tokens),
	    store_int(s->usage.output_tokens),
	    store_int(s->usage.cache_read_tokens),
	    store_int(s->usage.cache_write_5m_tokens),
	    store_int(s->usage.cache_write_1h_tokens), not_negative(s->nusd),
	    positive(s->bill.price_id), store_int(op->queue_ms),
	    not_negative(op->first_byte_ms), store_int(op->total_ms),
	    store_int(op->answer_bytes), store_int(rn->now_ms),
	    store_text(op->trace), store_int(group_of(rn, s)),
	    store_text(op->disconnect), store_int(s->overrun_nusd),
	    store_int(s->flags),
	    store_text(s->held == NULL ? "" : s->held->text),
	    store_int(s->usage.web_searches),
	    store_int(op->ledger_id), store_int(from), store_int(fence));
}

void
settle_close_attempt(struct runner *rn, int64_t ledger_id, int n,
    const struct attempt_end *end, const struct bill *bill, int64_t nusd)
{

	ROWS_PUT(&rn->rows[ROWS_ATTEMPT_CLOSE], store_int(rn->now_ms),
	    store_text(end->outcome), positive(end->status),
	    end->upstream_id[0] == '\0' ? store_null() :
	    store_text(end->upstream_id), store_int(end->mark),
	    store_int(bill->usage.input_tokens),
	    store_int(bill->usage.output_tokens), not_negative(nusd),
	    store_int(ledger_id), store_int(n));
}

/* The lease that nobody learnt of was not used. */
static int
void_attempt(struct runner *rn, const struct settle_op *op, struct err *err)
{
	struct store_value v[2] = {
		store_int(rn->now_ms), store_int(op->ledger_id)
	};

	load_forget(&rn->load);
	if (store_exec(rn->st, STMT_SLOT_RELEASE_OF, v + 1, 1, 1, NULL, err))
		return (-1);
	return (store_exec(rn->st, STMT_ATTEMPTS_VOID, v, 1, 2, NULL, err));
}

/*
 * The row was not open with this fence: reaped, closed before, or moved on by
 * a batch whose outcome was never learnt.
 */
static int
close_late(struct runner *rn, struct settling *s, struct err *err)
{
	struct rows *rows = &rn->rows[ROWS_LEDGER_CLOSE];
	struct store_value id = store_int(s->op->ledger_id);
	int64_t row[3];
	int rc;

	rc = store_one(rn->st, STMT_LEDGER_STATE, &id, 1, row, 3, err);
	if (rc < 0)
		return (-1);
	if (rc == 0 || (row[0] != LEDGER_OPEN && row[0] != LEDGER_REAPED))
		return (0);
	put_ledger(rn, s, row[0], row[1]);
	if (rows_exec(rows, rn->st, err))
		return (-1);
	s->closed = rows->changes[0] > 0;
	s->from = (enum ledger_state)row[0];
	s->was_nusd = row[2];
	s->unused = s->from == LEDGER_OPEN;
	return (0);
}

static int
close_rows(struct runner *rn, struct settling *list, size_t n,
    struct err *err)
{
	struct rows *rows = &rn->rows[ROWS_LEDGER_CLOSE];
	size_t i;

	for (i = 0; i < n; i++)
		put_ledger(rn, &list[i], LEDGER_OPEN, list[i].op->attempts);
	if (rows_exec(rows, rn->st, err))
		return (-1);
	for (i = 0; i < n; i++) {
		list[i].from = LEDGER_OPEN;
		list[i].closed = rows->changes[i] > 0;
	}
	for (i = 0; i < n; i++) {
		if (!list[i].closed && close_late(rn, &list[i], err))
			return (-1);
	}
	return (0);
}

/* ---- budgets ---- */

/* The rows, with what they hold, as far as they were not read yet. */
static int
fetch_held(struct runner *rn, struct settling *list, size_t n,
    struct err *err)
{
	struct idlist ids;
	size_t i;
	int rc;

	idlist_init(&ids, 1);
	for (i = 0; i < n; i++)
		idlist_put(&ids, list[i].op->ledger_id, 0);
	rc = held_fetch(&rn->held, rn->st, &ids, err);
	idlist_fini(&ids);
	if (rc != 0)
		return (-1);
	for (i = 0; i < n; i++)
		list[i].held = held_find(&rn->held, list[i].op->ledger_id);
	return (0);
}

/* What was reserved is spent; of a reaped row that was done already. */
static int
spend(struct runner *rn, const struct settling *s, struct err *err)
{
	bool reaped = s->from == LEDGER_REAPED;
	const struct hold *was, *is;
	size_t i;

	if (!s->closed || s->held == NULL)
		return (0);
	for (i = 0; i < s->charged.n; i++) {
		was = &s->held->holds.list[i];
		is = &s->charged.list[i];
		if (windows_add(&rn->windows, rn->st, was->budget_id,
		    was->start_ms, reaped ? is->amount - was->amount :
		    is->amount, reaped ? 0 : -was->amount, err))
			return (-1);
	}
	s->held->state = LEDGER_SETTLED;
	return (0);
}

/* Sums by hour and day: what the reaper added counts no more. */
static int
note_rollup(struct runner *rn, const struct settling *s, struct err *err)
{
	struct rollup_row row;

	reap_counted(s->held, &row);
	row.nusd = s->was_nusd;
	if (s->from == LEDGER_REAPED && rollups_take(&rn->rollups, &row, err))
		return (-1);
	row.account_id = s->account_id;
	row.group_id = group_of(rn, s);
	row.outcome = s->op->outcome;
	row.mark = s->mark;
	row.usage = s->usage;
	row.nusd = s->nusd;
	row.overrun_nusd = s->overrun_nusd;
	row.queue_ms = s->op->queue_ms;
	row.total_ms = s->op->total_ms;
	row.first_byte_ms = s->op->first_byte_ms;
	return (rollups_add(&rn->rollups, &row, err));
}

/* A reaped row was counted already. */
static int
note_use(struct runner *rn, const struct settling *s, struct err *err)
{
	const struct key_use use = {
		.key_id = s->op->key_id,
		.requests = s->from == LEDGER_OPEN,
		.nusd = (s->nusd > 0 ? s->nusd : 0) - s->was_nusd,
		.input_tokens = s->usage.input_tokens,
		.output_tokens = s->usage.output_tokens,
		.cache_read_tokens = s->usage.cache_read_tokens,
		.cache_write_tokens = num_add_sat(
		    s->usage.cache_write_5m_tokens,
		    s->usage.cache_write_1h_tokens),
		.last_ms = ledger_id_created_ms(s->op->ledger_id),
	};

	if (!s->closed || s->held == NULL)
		return (0);
	if (key_uses_add(&rn->uses, &use, err))
		return (-1);
	return (note_rollup(rn, s, err));
}

/* ---- the whole ---- */

int
settle_close(struct runner *rn, struct settle_op **ops, size_t n,
    struct err *err)
{
	struct settlements *c = &rn->closing;
	struct settling *s;
	size_t i;

	settle_done(rn);
	if (n == 0)
		return (0);
	if ((c->list = calloc(n, sizeof(*c->list))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a settlement");
		return (-1);
	}
	c->n = n;
	for (i = 0; i < n; i++)
		c->list[i].op = ops[i];
	if (fetch_held(rn, c->list, n, err))
		return (-1);
	for (s = c->list; s < c->list + n; s++) {
		if (reckon(rn, s, err))
			return (-1);
		if (s->op->lease.held)
			settle_close_attempt(rn, s->op->ledger_id,
			    s->op->attempts, &s->end, &s->bill,
			    s->bill.estimated ? reserved_of(s) :
			    s->bill.nusd);
	}
	if (close_rows(rn, c->list, n, err))
		return (-1);
	return (runner_exec(rn, ROWS_ATTEMPT_CLOSE, err));
}

static int
return_lease(struct runner *rn, const struct settling *s, struct err *err)
{
	const struct settle_op *op = s->op;
	struct lease lease = op->lease;	/* parking takes notes on it */

	if (s->unused && void_attempt(rn, op, err))
		return (-1);
	if (!lease.held)
		return (0);
	runner_release(rn, &lease, op->ledger_id, op->key_id);
	if (lease.probe)
		halfopen_over(rn, lease.account->id);
	health_note(rn, lease.account->id, &op->end);
	affinity_learn(rn, lease.session_id, lease.account->id,
	    &s->bill.usage);
	if (op->success)
		return (cooldown_clear(rn, &(struct served) {
		    .account_id = lease.account->id, .model = op->model,
		    .probe_id = lease.probe ? op->ledger_id : 0 }, err));
	return (cooldown_park(rn, op->ledger_id, &lease, &op->park, NULL,
	    err));
}

int
settle_give_back(struct runner *rn, struct err *err)
{
	struct settlements *c = &rn->closing;
	struct settling *s;

	for (s = c->list; s < c->list + c->n; s++) {
		if (return_lease(rn, s, err) || spend(rn, s, err) ||
		    note_use(rn, s, err))
			return (-1);
		s->op->cost_nusd = s->nusd;
		s->op->overrun_nusd = s->overrun_nusd;
		s->op->late = s->closed && s->from == LEDGER_REAPED;
	}
	if (runner_released(rn, err))
		return (-1);
	settle_done(rn);
	return (0);
}

/* One more to close at the end of the batch; NULL on failure. */
static struct settle_op *
add_refused(struct runner *rn, int64_t ledger_id, int64_t key_id,
    const char *outcome, struct err *err)
{
	struct settle_op *s = NULL;

	if (rn->nrefused == LIMIT_REFUSED ||
	    (s = calloc(1, sizeof(*s))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a refusal");
		return (NULL);
	}
	rn->refused[rn->nrefused++] = s;
	s->ledger_id = ledger_id;
	s->key_id = key_id;
	s->first_byte_ms = -1;
	snprintf(s->outcome, sizeof(s->outcome), "%s", outcome);
	return (s);
}

int
settle_refuse(struct runner *rn, const struct admit_op *op,
    const char *outcome, struct err *err)
{
	struct settle_op *s;

	s = add_refused(rn, op->ledger_id, op->key->id, outcome, err);
	if (s == NULL)
		return (-1);
	s->queue_ms = rn->mono_ms - op->submitted_ms;
	s->total_ms = s->queue_ms;
	snprintf(s->model, sizeof(s->model), "%s", op->model);
	snprintf(s->trace, sizeof(s->trace), "%s", op->trace);
	return (0);
}

int
settle_dropped(struct runner *rn, int64_t ledger_id, int64_t key_id,
    struct err *err)
{

	return (add_refused(rn, ledger_id, key_id, "store_down", err) == NULL ?
	    -1 : 0);
}

int
settle_void(struct runner *rn, int64_t ledger_id, int64_t key_id,
    struct err *err)
{
	struct store_value v[] = { store_int(ledger_id),
		store_int(responder_self(&rn->self)), store_int(rn->now_ms),
		store_int(key_id) };
	struct err why = { .code = ERR_NONE };

	if (store_exec(rn->st, STMT_LEDGER_VOID, v, 1, 4, NULL, &why) == 0)
		return (0);
	if (why.code == ERR_EXISTS)
		return (settle_dropped(rn, ledger_id, key_id, err));
	err_set(err, why.code, "%s", why.text);
	return (-1);
}

int
settle_refused(struct runner *rn, struct err *err)
{

	if (settle_close(rn, rn->refused, rn->nrefused, err))
		return (-1);
	return (settle_give_back(rn, err));
}

void
settle_forget(struct runner *rn)
{
	size_t i;

	settle_done(rn);
	for (i = 0; i < rn->nrefused; i++)
		free(rn->refused[i]);
	rn->nrefused = 0;
}
