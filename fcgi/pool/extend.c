#include <string.h>

#include "base/err.h"
#include "ledger/flags.h"
#include "ledger/id.h"

#include "pool/budgets.h"
#include "pool/demand.h"
#include "pool/extend.h"
#include "pool/idlist.h"
#include "pool/reap.h"
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

/* A reaped row costs its reserve, which was ${was_nusd}. */
static int
charge_reaped(struct runner *rn, struct held_row *row, int64_t was_nusd,
    struct err *err)
{
	const struct key_use use = {
		.key_id = row->key_id,
		.nusd = row->reserved_nusd - was_nusd,
		.last_ms = ledger_id_created_ms(row->ledger_id),
	};
	struct rollup_row counted;

	if (use.nusd == 0)
		return (0);
	reap_counted(row, &counted);
	if (rollups_take(&rn->rollups, &counted, err))
		return (-1);
	row->nusd += use.nusd;
	counted.nusd = row->nusd;
	if (rollups_add(&rn->rollups, &counted, err))
		return (-1);
	return (key_uses_add(&rn->uses, &use, err));
}

/* The row's reserve rises along with what it holds of budgets of money. */
static int
put_row(struct runner *rn, const struct extend_op *op, struct held_row *row,
    struct err *err)
{
	int64_t was_nusd = row->reserved_nusd;
	const struct hold *h;

	for (h = row->holds.list; h < row->holds.list + row->holds.n; h++) {
		if (h->kind == BUDGET_MONEY && h->amount > row->reserved_nusd)
			row->reserved_nusd = h->amount;
	}
	if (op->nth > row->extensions)
		row->extensions = op->nth;
	if (row->state == LEDGER_REAPED &&
	    charge_reaped(rn, row, was_nusd, err))
		return (-1);
	row->text = holds_text(&row->holds, &rn->arena, err);
	if (row->text == NULL)
		return (-1);
	ROWS_PUT(&rn->rows[ROWS_LEDGER_EXTEND], store_text(row->text),
	    store_int(row->reserved_nusd), store_int(row->extensions),
	    row->state == LEDGER_OPEN ? store_null() : store_int(row->nusd),
	    store_int(row->ledger_id), store_int(row->state),
	    store_int(row->fence));
	return (0);
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
	else if ((row->state == LEDGER_OPEN || row->state == LEDGER_REAPED) &&
	    put_row(rn, op, row, err))
		return (-1);
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
