#include <string.h>

#include "base/err.h"
#include "ledger/flags.h"

#include "pool/budgets.h"
#include "pool/demand.h"
#include "pool/extend.h"
#include "pool/idlist.h"
#include "pool/runner.h"

static struct extend_op *
extend_at(const struct runner *rn, size_t i)
{

	return ((struct extend_op *)(void *)rn->lists[OP_EXTEND].ops[i]);
}

void
extend_gather(const struct runner *rn, struct idlist *out)
{
	size_t i;

	for (i = 0; i < rn->lists[OP_EXTEND].n; i++)
		idlist_put(out, extend_at(rn, i)->ledger_id, 0);
}

static void
refuse(struct extend_op *op, const struct shortage *why)
{

	op->granted = false;
	op->budget_id = why->rule->id;
	if (why->renews_ms != INT64_MAX)
		op->retry_ms = why->renews_ms;
	budgets_explain(why, op->reason, sizeof(op->reason));
}

/* The row's reserve rises along with what it holds of budgets of money. */
static void
put_row(struct runner *rn, const struct extend_op *op, struct held_row *row)
{
	const struct hold *h;

	for (h = row->holds.list; h < row->holds.list + row->holds.n; h++) {
		if (h->kind == BUDGET_MONEY && h->amount > row->reserved_nusd)
			row->reserved_nusd = h->amount;
	}
	if (op->nth > row->extensions)
		row->extensions = op->nth;
	holds_format(&row->holds, row->text);
	ROWS_PUT(&rn->rows[ROWS_LEDGER_EXTEND], store_text(row->text),
	    store_int(row->reserved_nusd), store_int(row->extensions),
	    store_int(row->ledger_id), store_int(row->fence));
}

static int
extend_one(struct runner *rn, struct extend_op *op, struct err *err)
{
	struct held_row *row = held_find(&rn->held, op->ledger_id);
	struct demand want;
	struct shortage why;
	int rc;

	op->granted = true;
	op->retry_ms = 0;
	op->reserved_nusd = row == NULL ? 0 : row->reserved_nusd;
	demand_more(rn, op, &want);
	op->coverage = want.slice_covers;
	if (row == NULL || row->fence != op->attempt)
		return (0);
	if ((rc = budgets_raise(rn, row, &want, &why, err)) < 0)
		return (-1);
	if (rc == 0)
		refuse(op, &why);
	else if (row->state == LEDGER_OPEN)
		put_row(rn, op, row);
	op->reserved_nusd = row->reserved_nusd;
	return (0);
}

int
extend_run(struct runner *rn, struct err *err)
{
	size_t i;

	for (i = 0; i < rn->lists[OP_EXTEND].n; i++) {
		if (extend_one(rn, extend_at(rn, i), err))
			return (-1);
	}
	return (runner_exec(rn, ROWS_LEDGER_EXTEND, err));
}
