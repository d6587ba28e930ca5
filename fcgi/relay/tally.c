#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "ledger/price.h"
#include "relay/meter.h"
#include "relay/tally.h"

struct tally {
	struct tally_params params;
	struct meter *meter;
	bool begun;			/* there is something of a line */
	bool priced;			/* one was */
	struct tally_result r;
};

struct tally *
tally_new(const struct tally_params *params)
{
	struct tally *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	if ((t->meter = meter_new()) == NULL) {
		free(t);
		return (NULL);
	}
	t->params = *params;
	t->r.usage.tier = USAGE_TIER_BATCH;
	return (t);
}

void
tally_free(struct tally *t)
{

	if (t == NULL)
		return;
	meter_free(t->meter);
	free(t);
}

static void
add_usage(struct usage *sum, const struct usage *u)
{

	sum->input_tokens = num_add_sat(sum->input_tokens, u->input_tokens);
	sum->output_tokens = num_add_sat(sum->output_tokens,
	    u->output_tokens);
	sum->cache_read_tokens = num_add_sat(sum->cache_read_tokens,
	    u->cache_read_tokens);
	sum->cache_write_5m_tokens = num_add_sat(sum->cache_write_5m_tokens,
	    u->cache_write_5m_tokens);
	sum->cache_write_1h_tokens = num_add_sat(sum->cache_write_1h_tokens,
	    u->cache_write_1h_tokens);
	sum->web_searches = num_add_sat(sum->web_searches, u->web_searches);
	sum->absurd |= u->absurd;
}

static void
add_cost(struct tally *t, const char *model, const struct usage *u)
{
	const struct tally_params *pa = &t->params;
	int64_t tokens = usage_input(u), nusd = -1;
	const struct price *p;

	p = price_find(pa->prices, pa->platform, model, tokens, pa->at_ms);
	if (p == NULL && pa->use_default)
		p = price_default(pa->prices, pa->platform, tokens, pa->at_ms);
	if (p != NULL)
		nusd = price_cost(p, u);
	if (nusd < 0) {
		t->r.unpriced++;
		return;
	}
	t->priced = true;
	t->r.nusd = num_add_sat(t->r.nusd, nusd);
}

static void
end_line(struct tally *t)
{
	const struct meter_result *r = meter_result(t->meter);
	struct usage u;

	if (!t->begun)
		return;
	t->r.items++;
	switch (meter_item_end(t->meter)) {
	case METER_ITEM_SUCCEEDED:
		u = r->usage;
		u.tier = USAGE_TIER_BATCH;
		t->r.succeeded++;
		add_usage(&t->r.usage, &u);
		add_cost(t, r->model, &u);
		break;
	case METER_ITEM_OTHER:
		break;
	case METER_ITEM_UNREAD:
		t->r.unread++;
		break;
	}
	meter_reset(t->meter);
	t->begun = false;
}

/* Within JSON a line feed is always written otherwise. */
void
tally_push(struct tally *t, const void *p, size_t n)
{
	const unsigned char *at = p, *end = at + n, *lf;
	size_t len;

	while (at < end) {
		lf = memchr(at, '\n', (size_t)(end - at));
		len = (size_t)((lf == NULL ? end : lf) - at);
		if (len > 0 && !(len == 1 && *at == '\r' && !t->begun)) {
			meter_item(t->meter, at, len);
			t->begun = true;
		}
		at += len;
		if (lf != NULL) {
			end_line(t);
			at++;
		}
	}
}

const struct tally_result *
tally_end(struct tally *t)
{

	end_line(t);
	if (t->r.unpriced > 0 && !t->priced)
		t->r.nusd = -1;
	return (&t->r);
}
