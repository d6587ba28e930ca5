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

/* How specific a pattern is: literal characters first, then fewer stars. */
static int
specificity(const char *pattern)
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

static bool
applies(const struct price *p, const char *platform, const char *model,
    int64_t at_ms)
{

	return (p->valid_from_ms <= at_ms &&
	    strcmp(p->platform, platform) == 0 &&
	    price_match(p->pattern, model));
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
	int sa = specificity(a->pattern), sb = specificity(b->pattern);

	if (sa != sb)
		return (sa > sb);
	if (a->above_tokens != b->above_tokens)
		return (a->above_tokens > b->above_tokens);
	if (a->valid_from_ms != b->valid_from_ms)
		return (a->valid_from_ms > b->valid_from_ms);
	return (a->id > b->id);
}

const struct price *
price_find(const struct price_list *list, const char *platform,
    const char *model, int64_t input_tokens, int64_t at_ms)
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

/* ${tokens} at ${nusd_mtok}, rounded up. */
static int64_t
cost(int64_t tokens, int64_t nusd_mtok)
{
	int64_t whole, rest, nusd;

	if (tokens <= 0 || nusd_mtok <= 0)
		return (0);

	/* Both are split at a million, so that nothing is lost to overflow. */
	whole = tokens / MTOK;
	rest = tokens % MTOK;
	nusd = num_mul_sat(whole, nusd_mtok);
	nusd = num_add_sat(nusd, num_mul_sat(rest, nusd_mtok / MTOK));
	return (num_add_sat(nusd,
	    (rest * (nusd_mtok % MTOK) + MTOK - 1) / MTOK));
}

int64_t
price_cost(const struct price *p, const struct usage *u)
{
	int64_t sum;

	sum = cost(u->input_tokens, p->input_nusd_mtok);
	sum = num_add_sat(sum, cost(u->output_tokens, p->output_nusd_mtok));
	sum = num_add_sat(sum,
	    cost(u->cache_read_tokens, p->cache_read_nusd_mtok));
	sum = num_add_sat(sum,
	    cost(u->cache_write_5m_tokens, p->cache_write_5m_nusd_mtok));
	sum = num_add_sat(sum,
	    cost(u->cache_write_1h_tokens, p->cache_write_1h_nusd_mtok));
	if (u->web_searches > 0)
		sum = num_add_sat(sum, num_mul_sat(u->web_searches,
		    PRICE_WEB_SEARCH_NUSD));
	return (sum);
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

int
price_worst(const struct price_list *list, const char *platform,
    const char *model, int64_t body_bytes, int64_t max_tokens, int64_t at_ms,
    int64_t *nusd)
{
	const struct price *p;
	int64_t input, output, tokens = body_bytes;

	/* Each step takes the row in force for so many tokens, and goes on
	 * below its tier. */
	p = price_find(list, platform, model, INT64_MAX, at_ms);
	if (p == NULL)
		return (-1);
	if (p->context_tokens > 0 && p->context_tokens < tokens)
		tokens = p->context_tokens;
	if ((p = price_find(list, platform, model, tokens, at_ms)) == NULL)
		return (-1);
	input = output = 0;
	for (;;) {
		input = max64(input, dearest_input(p));
		output = max64(output, p->output_nusd_mtok);
		if (p->above_tokens == 0)
			break;
		p = price_find(list, platform, model, p->above_tokens, at_ms);
		if (p == NULL)
			break;
	}
	*nusd = num_add_sat(cost(tokens, input), cost(max_tokens, output));
	return (0);
}
