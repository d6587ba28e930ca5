#include <string.h>

#include "base/num.h"
#include "ledger/id.h"

#include "pool/bill.h"
#include "pool/demand.h"
#include "pool/runner.h"

/* A token is at least one byte, and three or four on average. */
#define BYTES_PER_TOKEN	3

/* A call, as far as it matters here. */
struct call {
	int64_t ledger_id;
	const char *platform;
	const char *model;
	const struct price_ask *ask;
	int64_t input_tokens;		/* of what is in the body */
	int64_t output_tokens;
};

static int64_t
min64(int64_t a, int64_t b)
{

	return (a < b ? a : b);
}

static int64_t
max64(int64_t a, int64_t b)
{

	return (a > b ? a : b);
}

/* Tokens that a body of so many bytes is read as. */
static int64_t
estimate(int64_t body_bytes)
{

	return (body_bytes / BYTES_PER_TOKEN +
	    (body_bytes % BYTES_PER_TOKEN != 0));
}

/* The model's context; 0: unknown, or it does not matter. */
static int64_t
context_of(const struct runner *rn, const struct call *c)
{
	const struct price *p;

	if (!rn->snapshot->counts_tokens && !c->ask->whole_context)
		return (0);
	p = price_find(&rn->snapshot->prices, c->platform, c->model,
	    INT64_MAX, ledger_id_created_ms(c->ledger_id));
	return (p == NULL ? 0 : p->context_tokens);
}

/* How often input may be read, and output be written. */
static int64_t
times(const struct price_ask *ask)
{

	return (ask->again ? 2 : 1);
}

static void
put_tokens(struct amounts *out, int64_t input, int64_t output)
{

	out->of[BUDGET_INPUT] = input;
	out->of[BUDGET_OUTPUT] = output;
	out->of[BUDGET_TOKENS] = num_add_sat(input, output);
	out->of[BUDGET_REQUESTS] = 1;
}

/* What ${c} may come to at the most.  0, or -1: in money nobody can tell. */
static int
size_up(const struct runner *rn, const struct call *c, int64_t context,
    struct amounts *out, enum price_gap *gap)
{
	const struct price_call call = {
		.platform = c->platform,
		.model = c->model,
		.input_tokens = c->input_tokens,
		.output_tokens = c->output_tokens,
		.ask = c->ask,
	};
	int64_t input = num_add_sat(c->input_tokens, c->ask->added_tokens);

	if (context > 0 && (c->ask->whole_context || context < input))
		input = context;
	put_tokens(out, num_mul_sat(input, times(c->ask)),
	    num_mul_sat(c->output_tokens, times(c->ask)));
	out->of[BUDGET_MONEY] = 0;
	return (bill_worst(rn, c->ledger_id, &call, &out->of[BUDGET_MONEY],
	    gap));
}

/* ---- at admission ---- */

/* What a slice covers: without bound where it is all that there may be. */
static struct coverage
covers(const struct amounts *slice, const struct amounts *worst)
{
	struct coverage c = {
		.input_tokens = slice->of[BUDGET_INPUT],
		.output_tokens = slice->of[BUDGET_OUTPUT],
	};

	if (c.input_tokens >= worst->of[BUDGET_INPUT])
		c.input_tokens = INT64_MAX;
	if (c.output_tokens >= worst->of[BUDGET_OUTPUT])
		c.output_tokens = INT64_MAX;
	return (c);
}

int
demand_add(const struct runner *rn, const struct admit_op *op,
    const struct named *at, struct demand *want, enum price_gap *gap)
{
	struct call c = {
		.ledger_id = op->ledger_id,
		.platform = at->platform,
		.model = at->model,
		.ask = &op->ask,
		.input_tokens = op->body_bytes,
		.output_tokens = op->max_tokens,
	};
	int64_t context = context_of(rn, &c);
	struct amounts worst, slice;
	size_t i;
	int rc;

	rc = size_up(rn, &c, context, &worst, gap);
	slice = worst;
	if (op->stream) {
		c.input_tokens = estimate(op->body_bytes);
		c.output_tokens = min64(op->max_tokens, rn->set.slice_tokens);
		if (size_up(rn, &c, context, &slice, gap))
			rc = -1;
	}
	for (i = 0; i < BUDGET_KINDS; i++) {
		want->worst.of[i] = max64(want->worst.of[i], worst.of[i]);
		want->slice.of[i] = max64(want->slice.of[i],
		    min64(slice.of[i], worst.of[i]));
	}
	want->slice_covers = covers(&want->slice, &want->worst);
	return (rc);
}

/* ---- later ---- */

/* What ${usage} costs at the price of the way in which it is served. */
static int64_t
cost_of(const struct runner *rn, const struct extend_op *op,
    const struct usage *usage)
{
	const struct attempt_end end = {
		.mark = USAGE_PARTIAL,
		.usage = *usage,
	};
	const struct bill_call call = {
		.ledger_id = op->ledger_id,
		.model = op->model,
		.repeats = true,
	};
	struct account account = { .id = 0 };
	struct bill bill;

	memcpy(account.platform, op->platform, sizeof(account.platform));
	bill_attempt(rn, &account, &call, &end, &bill);
	return (max64(bill.nusd, 0));
}

/* What has been used so far, with one slice more of output, which is never
 * more than the request allows. */
static struct usage
used_then(const struct runner *rn, const struct extend_op *op, bool *all)
{
	int64_t bound = num_mul_sat(op->max_tokens, times(&op->ask));
	struct usage then = op->so_far;

	*all = false;
	then.output_tokens = num_add_sat(then.output_tokens,
	    rn->set.slice_tokens);
	if (bound == 0 || op->ask.repeats || then.output_tokens < bound)
		return (then);
	*all = true;
	then.output_tokens = max64(bound, op->so_far.output_tokens);
	return (then);
}

void
demand_more(const struct runner *rn, const struct extend_op *op,
    struct demand *want)
{
	struct call c = {
		.ledger_id = op->ledger_id,
		.platform = op->platform,
		.model = op->model,
		.ask = &op->ask,
		.input_tokens = op->body_bytes,
		.output_tokens = op->max_tokens,
	};
	int64_t context = context_of(rn, &c), input;
	enum price_gap gap;
	struct usage then;
	bool all;

	*want = (struct demand) { .model = op->model, .names = "" };
	then = used_then(rn, op, &all);
	input = usage_input(&then);
	(void)size_up(rn, &c, context, &want->worst, &gap);
	if (input > 0) {
		put_tokens(&want->slice, input, then.output_tokens);
		want->slice.of[BUDGET_MONEY] = cost_of(rn, op, &then);
	} else {
		/* Nothing is known of it yet but how long the body was. */
		c.input_tokens = estimate(op->body_bytes);
		c.output_tokens = then.output_tokens;
		(void)size_up(rn, &c, context, &want->slice, &gap);
	}
	want->slice_covers = (struct coverage) {
		.input_tokens = want->slice.of[BUDGET_INPUT],
		.output_tokens = all ? INT64_MAX : then.output_tokens,
	};
}
