#include "base/err.h"

#include "pool/breaker.h"
#include "pool/cooldown.h"
#include "pool/halfopen.h"
#include "pool/runner.h"

int
halfopen_take(struct runner *rn, const struct account *a, const char *family,
    int64_t ledger_id, struct err *err)
{
	const struct store_value held[3] = {
		store_int(a->id), store_text(family),
		store_int(rn->now_ms + BREAKER_SLACK_MS),
	};
	const struct store_value take[5] = {
		store_int(ledger_id), store_int(ledger_id),
		store_int(rn->now_ms), held[0], held[1],
	};
	int64_t n = 0;

	if (store_lock(rn->st, STMT_LOCK_ACCOUNT, held, 1, err) ||
	    store_one(rn->st, STMT_PROBE_HELD, held, 3, &n, 1, err) < 0)
		return (-1);
	if (n > 0)
		return (0);
	return (store_exec(rn->st, STMT_PROBE_TAKE, take, 1, 5, NULL, err) ?
	    -1 : 1);
}

void
halfopen_over(struct runner *rn, int64_t account_id)
{
	struct candidate *c = load_candidate(&rn->load, account_id);

	if (c == NULL)
		return;
	c->probed_until_ms = 0;
	load_touch(&rn->load, c);
}

int
halfopen_leave(struct runner *rn, int64_t account_id, int64_t ledger_id,
    struct err *err)
{
	const struct store_value v[2] = {
		store_int(account_id), store_int(ledger_id)
	};

	halfopen_over(rn, account_id);
	return (store_exec(rn->st, STMT_PROBE_LEAVE, v, 1, 2, NULL, err));
}

int
halfopen_run(struct runner *rn, struct err *err)
{
	const struct op_list *l = &rn->lists[OP_PROVE];
	const struct prove_op *op;
	size_t i;

	for (i = 0; i < l->n; i++) {
		op = (const struct prove_op *)(const void *)l->ops[i];
		if (cooldown_clear(rn, &(struct served) {
		    .account_id = op->account_id, .model = op->model,
		    .probe_id = op->ledger_id }, err))
			return (-1);
	}
	return (0);
}
