#include <string.h>

#include "base/num.h"
#include "ledger/usage.h"

#include "ledger/price.h"

#define MTOK	INT64_C(1000000)

static int64_t
max64(int64_t a, int64_t b)
{

	return (a > b ? a : b);
}

bool
price_match(const char *pattern, const char *model)
{
	const char *star = NULL, *resume = NULL;

	/* On a mismatch the last '*' takes one character more. */
	while (*model != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			resume = model;
		} else if (*pattern == *model) {
			pattern++;
			model++;
		} else if (star != NULL) {
			pattern = star;
			model = ++resume;
		} else
			return (false);
	}
	while (*pattern == '*')
		pattern++;
	return (*pattern == '\0');
}

int
price_specificity(const char *pattern)
{
	int literals = 0, stars = 0;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '*')
			stars++;
		else
			literals++;
	}
	return (literals * (int)sizeof(((struct price *)0)->pattern) - stars);
}

/* NULL for ${model}: the default. */
static bool
applies(const struct price *p, const char *platform, const char *model,
    int64_t at_ms)
{
	bool is_default = strcmp(p->pattern, PRICE_DEFAULT_PATTERN) == 0;

	return (p->valid_from_ms <= at_ms &&
	    (p->valid_until_ms == 0 || at_ms < p->valid_until_ms) &&
	    strcmp(p->platform, platform) == 0 &&
	    (model == NULL ? is_default :
	    !is_default && price_match(p->pattern, model)));
}

/* The row of a tier counts from one token more on than its bound. */
static bool
tier_reached(const struct price *p, int64_t input_tokens)
{

	return (p->above_tokens == 0 || input_tokens > p->above_tokens);
}

/* Does ${a} go before ${b}, both of which apply? */
static bool
beats(const struct price *a, const struct price *b)
{
	int sa = price_specificity(a->pattern);
	int sb = price_specificity(b->pattern);

	if (sa != sb)
		return (sa > sb);
	if (a->above_tokens != b->above_tokens)
		return (a->above_tokens > b->above_tokens);
	if (a->valid_from_ms != b->valid_from_ms)
		return (a->valid_from_ms > b->valid_from_ms);
	return (a->id > b->id);
}

static const struct price *
find(const struct price_list *list, const char *platform, const char *model,
    int64_t input_tokens, int64_t at_ms)
{
	const struct price *best = NULL, *p;

	for (p = list->rows; p < list->rows + list->n; p++) {
		if (!applies(p, platform, model, at_ms) ||
		    !tier_reached(p, input_tokens))
			continue;
		if (best == NULL || beats(p, best))
			best = p;
	}
	return (best);
}

const struct price *
price_find(const struct price_list *list, const char *platform,
    const char *model, int64_t input_tokens, int64_t at_ms)
{

	return (find(list, platform, model, input_tokens, at_ms));
}

const struct price *
price_default(const struct price_list *list, const char *platform,
    int64_t input_tokens, int64_t at_ms)
{

	return (find(list, platform, NULL, input_tokens, at_ms));
}

/* ---- what a call has cost ---- */

/* A sum on its way: nano-dollars, and millionths of one. */
struct sum {
	int64_t nusd;
	int64_t parts;
};

/* Add ${tokens} at ${nusd_mtok}. */
static void
add(struct sum *sum, int64_t tokens, int64_t nusd_mtok)
{
	int64_t whole, rest;

	if (tokens <= 0 || nusd_mtok <= 0)
		return;

	/* Both are split at a million, so that nothing is lost to overflow. */
	whole = tokens / MTOK;
	rest = tokens % MTOK;
	sum->nusd = num_add_sat(sum->nusd, num_mul_sat(whole, nusd_mtok));
	sum->nusd = num_add_sat(sum->nusd,
	    num_mul_sat(rest, nusd_mtok / MTOK));
	sum->parts += rest * (nusd_mtok % MTOK);
}

static int64_t
rounded_up(const struct sum *sum)
{

	return (num_add_sat(sum->nusd, (sum->parts + MTOK - 1) / MTOK));
}

/* ${nusd} times ${percent}, rounded up. */
static int64_t
times(int64_t nusd, int64_t percent)
{

	return (percent == 100 ? nusd :
	    num_add_sat(num_mul_sat(nusd, percent), 99) / 100);
}

/* The three percentages that tell how a call is served. */
struct factors {
	int64_t tier, speed, geo;
};

static int64_t
scaled(const struct factors *f, int64_t nusd)
{

	return (times(times(times(nusd, f->tier), f->speed), f->geo));
}

/*
 * The row's percentages for each way to be served, in the order of the enums
 * of usage.h; 0 for those that are not known.
 */
#define WAYS	4

static void
tiers_of(const struct price *p, int64_t out[WAYS])
{

	memset(out, 0, WAYS * sizeof(out[0]));
	out[USAGE_TIER_STANDARD] = 100;
	out[USAGE_TIER_PRIORITY] = p->priority_percent;
	out[USAGE_TIER_BATCH] = p->batch_percent;
}

static void
speeds_of(const struct price *p, int64_t out[WAYS])
{

	memset(out, 0, WAYS * sizeof(out[0]));
	out[USAGE_SPEED_STANDARD] = 100;
	out[USAGE_SPEED_FAST] = p->fast_percent;
}

static void
geos_of(const struct price *p, int64_t out[WAYS])
{

	memset(out, 0, WAYS * sizeof(out[0]));
	out[USAGE_GEO_GLOBAL] = 100;
	out[USAGE_GEO_US] = p->geo_us_percent;
}

int64_t
price_cost(const struct price *p, const struct usage *u)
{
	int64_t tiers[WAYS], speeds[WAYS], geos[WAYS];
	struct sum sum = { 0 };
	struct factors f;

	tiers_of(p, tiers);
	speeds_of(p, speeds);
	geos_of(p, geos);
	f = (struct factors) { tiers[u->tier], speeds[u->speed],
		geos[u->geo] };
	if (f.tier == 0 || f.speed == 0 || f.geo == 0 ||
	    (u->web_searches > 0 && p->web_search_nusd == 0) ||
	    u->other_models)
		return (-1);
	add(&sum, u->input_tokens, scaled(&f, p->input_nusd_mtok));
	add(&sum, u->output_tokens, scaled(&f, p->output_nusd_mtok));
	add(&sum, u->cache_read_tokens, scaled(&f, p->cache_read_nusd_mtok));
	add(&sum, u->cache_write_5m_tokens,
	    scaled(&f, p->cache_write_5m_nusd_mtok));
	add(&sum, u->cache_write_1h_tokens,
	    scaled(&f, p->cache_write_1h_nusd_mtok));
	if (u->web_searches > 0)
		sum.nusd = num_add_sat(sum.nusd,
		    num_mul_sat(u->web_searches, p->web_search_nusd));
	return (rounded_up(&sum));
}

/* ---- what one may cost ---- */

static const struct {
	const char *text;
	bool unpriced;
} gaps[] = {
	[PRICE_GAP_NONE] = { "nothing", false },
	[PRICE_GAP_MODEL] = { "the model", true },
	[PRICE_GAP_TIER] = { "this service_tier", true },
	[PRICE_GAP_SPEED] = { "this speed", true },
	[PRICE_GAP_GEO] = { "this inference_geo", true },
	[PRICE_GAP_SEARCH] = { "web search", true },
	[PRICE_GAP_SEARCHES] = { "web search without max_uses", false },
	[PRICE_GAP_CONTEXT] = { "input from outside the request, by a model "
	    "of unknown context,", false },
	[PRICE_GAP_FEATURE] = { "a feature of the request", false },
};
_Static_assert(sizeof(gaps) / sizeof(gaps[0]) == PRICE_NGAPS,
    "a row for each");

const char *
price_gap_text(enum price_gap gap)
{

	return (gaps[gap].text);
}

bool
price_gap_unpriced(enum price_gap gap)
{

	return (gaps[gap].unpriced);
}

/* The dearest that an input token can be in row ${p}. */
static int64_t
dearest_input(const struct price *p)
{
	int64_t nusd;

	nusd = max64(p->input_nusd_mtok, p->cache_read_nusd_mtok);
	nusd = max64(nusd, p->cache_write_5m_nusd_mtok);
	return (max64(nusd, p->cache_write_1h_nusd_mtok));
}

/*
 * The dearest of the ways in ${mask}; 0 if no price is known of any.  The
 * upstream may always serve in the plain way what it was asked to do better.
 */
static int64_t
dearest_way(const int64_t ways[WAYS], unsigned mask)
{
	int64_t percent = 0;
	unsigned i;

	if (mask == 0)
		return (100);
	for (i = 0; i < WAYS; i++)
		if ((mask >> i & 1) != 0)
			percent = max64(percent, ways[i]);
	return (percent == 0 ? 0 : max64(percent, 100));
}

static enum price_gap
dearest_factors(const struct price *p, const struct price_ask *ask,
    struct factors *f)
{
	int64_t ways[WAYS];

	tiers_of(p, ways);
	if ((f->tier = dearest_way(ways, ask->tiers)) == 0)
		return (PRICE_GAP_TIER);
	speeds_of(p, ways);
	if ((f->speed = dearest_way(ways, ask->speeds)) == 0)
		return (PRICE_GAP_SPEED);
	geos_of(p, ways);
	if ((f->geo = dearest_way(ways, ask->geos)) == 0)
		return (PRICE_GAP_GEO);
	return (PRICE_GAP_NONE);
}

static const struct price *
row_of(const struct price_list *list, const struct price_call *call,
    int64_t tokens)
{
	const struct price *p;

	p = find(list, call->platform, call->model, tokens, call->at_ms);
	if (p == NULL && call->use_default)
		p = find(list, call->platform, NULL, tokens, call->at_ms);
	return (p);
}

/* How much input there may be at once. */
static enum price_gap
bound_input(const struct price *p, const struct price_call *call,
    const struct price_ask *ask, int64_t *tokens)
{

	*tokens = num_add_sat(call->input_tokens, ask->added_tokens);
	if (ask->whole_context) {
		*tokens = p->context_tokens;
		return (p->context_tokens > 0 ? PRICE_GAP_NONE :
		    PRICE_GAP_CONTEXT);
	}
	if (p->context_tokens > 0 && p->context_tokens < *tokens)
		*tokens = p->context_tokens;
	return (PRICE_GAP_NONE);
}

/* The dearest prices that so many tokens may meet; each step takes the row in
 * force for them, and goes on below its tier. */
struct dearest {
	int64_t input, output, search;
};

static enum price_gap
dearest_rows(const struct price_list *list, const struct price_call *call,
    const struct price_ask *ask, int64_t tokens, struct dearest *d)
{
	const struct price *p = row_of(list, call, tokens);
	struct factors f;
	enum price_gap gap;

	*d = (struct dearest) { 0 };
	for (; p != NULL; p = row_of(list, call, p->above_tokens)) {
		gap = dearest_factors(p, ask, &f);
		if (gap != PRICE_GAP_NONE)
			return (gap);
		if (ask->web_searches != 0 && p->web_search_nusd == 0)
			return (PRICE_GAP_SEARCH);
		d->input = max64(d->input, scaled(&f, dearest_input(p)));
		d->output = max64(d->output, scaled(&f, p->output_nusd_mtok));
		d->search = max64(d->search, p->web_search_nusd);
		if (p->above_tokens == 0)
			return (PRICE_GAP_NONE);
	}
	return (PRICE_GAP_NONE);
}

static int64_t
sum_up(const struct price_call *call, const struct price_ask *ask,
    int64_t tokens, const struct dearest *d)
{
	int64_t output = num_mul_sat(call->output_tokens, ask->again ? 2 : 1);
	struct sum sum = { 0 };

	add(&sum, tokens, d->input);
	add(&sum, output, d->output);
	sum.nusd = num_add_sat(sum.nusd,
	    num_mul_sat(ask->web_searches, d->search));
	return (rounded_up(&sum));
}

static enum price_gap
worst(const struct price_list *list, const struct price_call *call,
    const struct price_ask *ask, int64_t *nusd)
{
	const struct price *p;
	struct dearest d;
	enum price_gap gap;
	int64_t tokens;

	if ((p = row_of(list, call, INT64_MAX)) == NULL)
		return (PRICE_GAP_MODEL);
	if ((gap = bound_input(p, call, ask, &tokens)) != PRICE_GAP_NONE)
		return (gap);
	/* What is read twice counts twice, also for the tier. */
	if (ask->again)
		tokens = num_mul_sat(tokens, 2);
	gap = dearest_rows(list, call, ask, tokens, &d);
	if (gap != PRICE_GAP_NONE)
		return (gap);
	if (ask->feature[0] != '\0')
		return (PRICE_GAP_FEATURE);
	if (ask->web_searches < 0)
		return (PRICE_GAP_SEARCHES);
	*nusd = sum_up(call, ask, tokens, &d);
	return (PRICE_GAP_NONE);
}

int
price_worst(const struct price_list *list, const struct price_call *call,
    int64_t *nusd, enum price_gap *gap)
{
	static const struct price_ask plain = { .tiers = 0 };

	*nusd = 0;
	*gap = worst(list, call, call->ask != NULL ? call->ask : &plain,
	    nusd);
	return (*gap == PRICE_GAP_NONE ? 0 : -1);
}
