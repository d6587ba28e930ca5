#include <string.h>

#include "metrics/slots.h"
#include "pool/pool.h"
#include "relay/call.h"
#include "relay/count.h"
#include "relay/relay_int.h"

/* A client that left before it was answered, as nginx calls it. */
#define STATUS_GONE	499

/* The only ones that there are: messages, and Anthropic's shape of them. */
#define OPERATION_CHAT	1
#define PROVIDER	1

#define TOKENS_IN	1
#define TOKENS_OUT	2

#define US_A_MS		1000

void
count_platform(struct call *c)
{

	c->platform = domain_find(DOMAIN_PLATFORM, c->lease.account->platform);
}

void
count_plain(struct relay *r, const char *route, int status)
{

	slot_add(r->slot, metric_series(METRIC_REQUESTS,
	    domain_find(DOMAIN_ROUTE, route), (unsigned int)status,
	    domain_find(DOMAIN_PLATFORM, "none"), metric_family("")), 1);
}

/* By the name that went upstream, as an alias may be anything. */
static unsigned int
count_family(const struct call *c)
{
	bool settled = c->state == CALL_SETTLE;

	return (metric_family(settled && c->op.settle.model[0] != '\0' ?
	    c->op.settle.model : c->peek.model));
}

static uint64_t
count_series(enum metric m, unsigned int family, unsigned int last)
{

	return (metric_series(m, OPERATION_CHAT, PROVIDER, family, last));
}

static void
count_tokens(struct slot *slot, const struct attempt_end *end,
    unsigned int family)
{

	if (end->mark == USAGE_NONE)
		return;
	slot_observe(slot, count_series(METRIC_TOKENS, family, TOKENS_IN),
	    usage_input(&end->usage));
	slot_observe(slot, count_series(METRIC_TOKENS, family, TOKENS_OUT),
	    end->usage.output_tokens);
}

/* Of a stream that went well. */
static void
count_first_token(const struct call *c, unsigned int family)
{
	const struct settle_op *op = &c->op.settle;
	int64_t first_ms = c->first_token_ms - c->whole_ms;
	int64_t more = op->end.usage.output_tokens - 1;

	if (c->first_token_ms == 0 || strcmp(op->outcome, "ok") != 0)
		return;
	slot_observe(c->relay->slot, count_series(METRIC_FIRST_TOKEN, family,
	    0), first_ms * US_A_MS);
	if (more > 0)
		slot_observe(c->relay->slot, count_series(METRIC_OUTPUT_TOKEN,
		    family, 0), (op->total_ms - first_ms) * US_A_MS / more);
}

/* What only a request with a row in the ledger has. */
static void
count_settled(const struct call *c, unsigned int family)
{
	const struct settle_op *op = &c->op.settle;
	struct slot *slot = c->relay->slot;

	if (op->op.spooled)
		slot_add(slot, metric_series(METRIC_SPOOLED, 0, 0, 0, 0), 1);
	else if (op->cost_nusd > 0)
		slot_add(slot, metric_series(METRIC_COST, c->platform, family,
		    0, 0), op->cost_nusd);
	if (!c->kind->billed)
		return;
	count_tokens(slot, &op->end, family);
	slot_observe(slot, count_series(METRIC_DURATION, family,
	    domain_find(DOMAIN_OUTCOME, op->outcome)),
	    op->total_ms * US_A_MS);
	count_first_token(c, family);
}

void
count_call(const struct call *c)
{
	struct slot *slot = c->relay->slot;
	unsigned int family;

	if (slot == NULL)
		return;
	family = count_family(c);
	slot_add(slot, metric_series(METRIC_REQUESTS,
	    domain_find(DOMAIN_ROUTE, c->kind->name), (unsigned int)
	    (c->status != 0 ? c->status : STATUS_GONE), c->platform, family),
	    1);
	if (c->kind->needs_slot && (c->attempts > 0 || c->queue_ms > 0))
		slot_observe(slot, metric_series(METRIC_QUEUE_WAIT, 0, 0, 0,
		    0), c->queue_ms * US_A_MS);
	if (c->state == CALL_SETTLE)
		count_settled(c, family);
}

void
count_attempt(const struct call *c, const struct attempt_end *end,
    const struct park *park)
{
	struct slot *slot = c->relay->slot;

	if (slot == NULL)
		return;
	slot_add(slot, metric_series(METRIC_ATTEMPTS, c->platform,
	    domain_find(DOMAIN_OUTCOME, end->outcome), 0, 0), 1);
	if (park->wanted)
		slot_add(slot, metric_series(METRIC_PARKS,
		    domain_find(DOMAIN_OUTCOME, park->reason), 0, 0, 0), 1);
}

void
count_failover(const struct call *c, const struct attempt_end *end)
{

	slot_add(c->relay->slot, metric_series(METRIC_FAILOVERS,
	    domain_find(DOMAIN_OUTCOME, end->outcome), 0, 0, 0), 1);
}

void
count_refusal(struct relay *r, const char *outcome)
{

	slot_add(r->slot, metric_series(METRIC_REFUSALS,
	    domain_find(DOMAIN_REFUSAL, outcome), 0, 0, 0), 1);
}

static void
count_budget(const struct call *c, const char *how)
{

	slot_add(c->relay->slot, metric_series(METRIC_BUDGET_REFUSALS,
	    domain_find(DOMAIN_BUDGET, how), 0, 0, 0), 1);
}

void
count_admission(const struct call *c, const struct admit_op *op)
{

	if (op->verdict == ADMIT_BUDGET)
		count_budget(c, "used_up");
	else if (op->verdict == ADMIT_BUDGET_RENEWS)
		count_budget(c, "renews");
	else if (op->verdict == ADMIT_BUDGET_HELD)
		count_budget(c, "held");
}

void
count_budget_cut(const struct call *c)
{

	count_budget(c, "cut");
}
