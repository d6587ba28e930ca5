#include <string.h>

#include "pool/bill.h"
#include "pool/cooldown.h"
#include "pool/halfopen.h"
#include "pool/health.h"
#include "pool/move.h"
#include "pool/runner.h"
#include "pool/settle.h"

/* The list of accounts that failed; when it is full the oldest go. */
static void
add_tried(struct lease *l, int64_t account_id)
{

	if (l->ntried == POOL_TRIED_MAX) {
		memmove(l->tried, l->tried + 1,
		    (POOL_TRIED_MAX - 1) * sizeof(l->tried[0]));
		l->ntried--;
	}
	l->tried[l->ntried++] = account_id;
}

static int
leave_account(struct runner *rn, struct move_op *op, struct err *err)
{
	struct admit_op *admit = &op->admit;
	struct lease left = op->lease;	/* parking takes notes on it */
	const struct bill_call call = {
		.ledger_id = admit->ledger_id,
		.model = op->lease.model,
		.max_tokens = admit->max_tokens,
		.repeats = admit->ask.repeats,
	};
	struct bill bill;

	lease_drop(&admit->lease);
	bill_attempt(rn, op->lease.account, &call, &op->end, &bill);
	admit->flags |= bill.flags;
	settle_close_attempt(rn, admit->ledger_id, op->lease.attempt,
	    &op->end, &bill, bill.estimated ? -1 : bill.nusd);
	runner_release(rn, &op->lease, admit->ledger_id, admit->key->id);
	health_note(rn, op->lease.account->id, &op->end);

	left.held = false;
	if (left.probe && halfopen_leave(rn, op->lease.account->id,
	    admit->ledger_id, err))
		return (-1);
	if (cooldown_park(rn, admit->ledger_id, &left, &op->park,
	    &op->undo_park, err))
		return (-1);
	if (!op->again)
		add_tried(&left, op->lease.account->id);
	left.snapshot = NULL;
	left.account = NULL;
	left.probe = false;
	admit->lease = left;
	admit->attempt = op->lease.attempt + 1;
	return (0);
}

int
move_run(struct runner *rn, struct err *err)
{
	const struct op_list *l = &rn->lists[OP_MOVE];
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (leave_account(rn, (struct move_op *)(void *)l->ops[i],
		    err))
			return (-1);
	}
	if (runner_exec(rn, ROWS_ATTEMPT_CLOSE, err))
		return (-1);
	return (runner_released(rn, err));
}
