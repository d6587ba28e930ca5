#include <string.h>

#include "base/num.h"
#include "ledger/flags.h"
#include "ledger/id.h"
#include "ledger/plausible.h"

#include "pool/bill.h"
#include "pool/demand.h"
#include "pool/runner.h"

static const struct price_list *
prices(const struct runner *rn)
{

	return (&rn->snapshot->prices);
}

int
bill_worst(const struct runner *rn, int64_t ledger_id,
    const struct price_call *call, int64_t *nusd, enum price_gap *gap)
{
	struct price_call whole = *call;

	whole.at_ms = ledger_id_created_ms(ledger_id);
	whole.use_default = rn->set.unpriced == UNPRICED_DEFAULT;
	return (price_worst(prices(rn), &whole, nusd, gap));
}

bool
bill_by_default(const struct runner *rn, int64_t ledger_id,
    const struct named *at)
{

	return (rn->set.unpriced == UNPRICED_DEFAULT &&
	    price_find(prices(rn), at->platform, at->model, INT64_MAX,
	    ledger_id_created_ms(ledger_id)) == NULL);
}

/* More than the largest context of any model is not read at once. */
static int64_t
largest_context(const struct price_list *list)
{
	int64_t tokens = 0;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->rows[i].context_tokens > tokens)
			tokens = list->rows[i].context_tokens;
	return (tokens);
}

static void
judge_usage(const struct runner *rn, const struct bill_call *call,
    const struct attempt_end *end, struct bill *bill)
{
	struct plausible_bounds bounds = { 0 };

	bill->usage = end->usage;
	if (!call->repeats) {
		bounds.input_tokens = largest_context(prices(rn));
		bounds.output_tokens = call->max_tokens;
	}
	if (plausible(&end->usage, &bounds))
		return;
	bill->flags |= LEDGER_FLAG_IMPLAUSIBLE;
	plausible_counts(&bill->usage);
	if (!rn->set.charge_implausible &&
	    plausible_bound(&bill->usage, &bounds))
		bill->flags |= LEDGER_FLAG_BOUNDED;
}

/* Many calls, each priced by itself already. */
static void
take_priced(const struct attempt_end *end, struct bill *bill)
{

	bill->usage = end->usage;
	bill->nusd = end->nusd;
	if (end->nusd < 0)
		bill->flags |= LEDGER_FLAG_UNPRICED;
	if (end->usage.absurd)
		bill->flags |= LEDGER_FLAG_IMPLAUSIBLE;
}

static const struct price *
find_price(const struct runner *rn, const char *platform,
    const struct bill_call *call, struct bill *bill)
{
	int64_t at_ms = ledger_id_created_ms(call->ledger_id);
	int64_t tokens = usage_input(&bill->usage);
	const struct price *p;

	p = price_find(prices(rn), platform, call->model, tokens, at_ms);
	if (p != NULL || rn->set.unpriced != UNPRICED_DEFAULT)
		return (p);
	p = price_default(prices(rn), platform, tokens, at_ms);
	if (p != NULL)
		bill->flags |= LEDGER_FLAG_DEFAULT;
	return (p);
}

void
bill_attempt(const struct runner *rn, const struct account *account,
    const struct bill_call *call, const struct attempt_end *end,
    struct bill *bill)
{
	const struct price *p;

	memset(bill, 0, sizeof(*bill));
	if (account == NULL || end->mark == USAGE_NONE)
		return;
	if (end->priced) {
		take_priced(end, bill);
		return;
	}
	judge_usage(rn, call, end, bill);
	if (usage_input(&bill->usage) == 0 && bill->usage.output_tokens == 0 &&
	    bill->usage.web_searches == 0) {
		bill->estimated = end->mark == USAGE_ESTIMATED;
		return;
	}
	p = find_price(rn, account->platform, call, bill);
	bill->nusd = p == NULL ? -1 : price_cost(p, &bill->usage);
	if (bill->nusd == -1)
		bill->flags |= LEDGER_FLAG_UNPRICED;
	else
		bill->price_id = p->id;
}
