#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/price.h"
#include "ledger/usage.h"

static void
stars_stand_for_any_run(void **state)
{
	static const struct {
		const char *pattern, *model;
		bool match;
	} cases[] = {
		{ "claude-opus-4-5", "claude-opus-4-5", true },
		{ "claude-opus-4-5", "claude-opus-4-5-20251101", false },
		{ "claude-opus-4-5", "claude-opus-4-", false },
		{ "claude-opus-4-5*", "claude-opus-4-5", true },
		{ "claude-opus-4-5*", "claude-opus-4-5-20251101", true },
		{ "claude-*-4*", "claude-opus-4-1", true },
		{ "claude-*-4*", "claude-opus-5", false },
		{ "*", "", true }, { "*", "x", true }, { "**", "xy", true },
		{ "", "", true }, { "", "x", false }, { "a", "", false },
		{ "*opus", "claude-opus", true },
		{ "*opus", "opus-opus", true },
		{ "*opus", "claude-opus-4", false },
		{ "a*b*c", "a-b-b-c-c", true }, { "a*b*c", "acb", false },
		{ "*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (price_match(cases[i].pattern, cases[i].model) !=
		    cases[i].match)
			fail_msg("\"%s\" on \"%s\"", cases[i].pattern,
			    cases[i].model);
	}
}

/* Prices of one kind are told apart by the input price. */
static struct price rows[] = {
	{ .id = 1, .platform = "claude", .pattern = "claude-sonnet-4*",
	    .input_nusd_mtok = 3000, .output_nusd_mtok = 15000,
	    .cache_read_nusd_mtok = 300, .cache_write_5m_nusd_mtok = 3750,
	    .cache_write_1h_nusd_mtok = 6000, .context_tokens = 1000000 },
	{ .id = 2, .platform = "claude", .pattern = "claude-sonnet-4*",
	    .above_tokens = 200000,
	    .input_nusd_mtok = 6000, .output_nusd_mtok = 22500,
	    .cache_read_nusd_mtok = 600, .cache_write_5m_nusd_mtok = 7500,
	    .cache_write_1h_nusd_mtok = 12000, .context_tokens = 1000000 },
	{ .id = 3, .platform = "claude", .pattern = "claude-sonnet-4-5",
	    .input_nusd_mtok = 2500, .output_nusd_mtok = 12500 },
	{ .id = 4, .platform = "claude", .pattern = "claude-sonnet-4-5*",
	    .input_nusd_mtok = 2600, .output_nusd_mtok = 12600 },
	{ .id = 5, .platform = "claude", .pattern = "claude-haiku",
	    .input_nusd_mtok = 800, .output_nusd_mtok = 4000 },
	{ .id = 6, .platform = "claude", .pattern = "claude-haiku",
	    .valid_from_ms = 5000,
	    .input_nusd_mtok = 1000, .output_nusd_mtok = 5000 },
	{ .id = 7, .platform = "openai", .pattern = "claude-haiku",
	    .input_nusd_mtok = 1, .output_nusd_mtok = 1 },
	{ .id = 8, .platform = "claude", .pattern = "claude-late",
	    .valid_from_ms = 9000, .input_nusd_mtok = 1 },
	/* A price for a while. */
	{ .id = 9, .platform = "claude", .pattern = "claude-sonnet-4-5",
	    .valid_from_ms = 1000, .valid_until_ms = 2000,
	    .input_nusd_mtok = 1250, .output_nusd_mtok = 6250 },
	{ .id = 10, .platform = "claude", .pattern = "*",
	    .input_nusd_mtok = 9000, .output_nusd_mtok = 90000,
	    .context_tokens = 100000 },
	{ .id = 11, .platform = "claude", .pattern = "*",
	    .above_tokens = 50000,
	    .input_nusd_mtok = 18000, .output_nusd_mtok = 90000,
	    .context_tokens = 100000 },
	/* All ways to be served, dearer ones and a cheaper one. */
	{ .id = 12, .platform = "claude", .pattern = "claude-opus*",
	    .input_nusd_mtok = 5000, .output_nusd_mtok = 25000,
	    .cache_read_nusd_mtok = 500, .cache_write_5m_nusd_mtok = 6250,
	    .cache_write_1h_nusd_mtok = 10000, .context_tokens = 400000,
	    .batch_percent = 50, .fast_percent = 200,
	    .priority_percent = 130, .geo_us_percent = 110,
	    .web_search_nusd = 10000 },
	{ .id = 13, .platform = "claude", .pattern = "claude-opus*",
	    .above_tokens = 100000,
	    .input_nusd_mtok = 7001, .output_nusd_mtok = 30001,
	    .cache_read_nusd_mtok = 701, .cache_write_5m_nusd_mtok = 8753,
	    .cache_write_1h_nusd_mtok = 14003, .context_tokens = 400000,
	    .batch_percent = 50, .fast_percent = 217,
	    .priority_percent = 90, .geo_us_percent = 113,
	    .web_search_nusd = 20000 },
};
static const struct price_list list = { rows, NITEMS(rows) };

static void
the_fitting_row_is_found(void **state)
{
	static const struct {
		const char *what, *platform, *model;
		int64_t tokens, at_ms;
		int64_t id;		/* 0: none */
	} cases[] = {
		{ "pattern", "claude", "claude-sonnet-4", 10, 0, 1 },
		{ "at the tier's bound", "claude", "claude-sonnet-4", 200000,
		    0, 1 },
		{ "above it", "claude", "claude-sonnet-4", 200001, 0, 2 },
		{ "a name before a pattern", "claude", "claude-sonnet-4-5", 1,
		    0, 3 },
		{ "a longer pattern before a tier", "claude",
		    "claude-sonnet-4-5-20250929", 900000, 0, 4 },
		{ "before a change", "claude", "claude-haiku", 1, 4999, 5 },
		{ "from a change on", "claude", "claude-haiku", 1, 5000, 6 },
		{ "other platform", "openai", "claude-haiku", 1, 9999, 7 },
		{ "not yet valid", "claude", "claude-late", 1, 8999, 0 },
		{ "unknown model", "claude", "gpt", 1, 9999, 0 },
		{ "unknown platform", "x", "claude-haiku", 1, 9999, 0 },
		{ "before a price for a while", "claude", "claude-sonnet-4-5",
		    1, 999, 3 },
		{ "from its first moment", "claude", "claude-sonnet-4-5", 1,
		    1000, 9 },
		{ "up to its last", "claude", "claude-sonnet-4-5", 1, 1999,
		    9 },
		{ "the one before it again", "claude", "claude-sonnet-4-5", 1,
		    2000, 3 },
		{ "the default is no model's price", "claude", "*", 1, 0, 0 },
	};
	const struct price *p;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		p = price_find(&list, cases[i].platform, cases[i].model,
		    cases[i].tokens, cases[i].at_ms);
		if ((p == NULL ? 0 : p->id) != cases[i].id)
			fail_msg("%s: row %lld", cases[i].what,
			    p == NULL ? 0LL : (long long)p->id);
	}
}

static void
the_default_is_found_by_its_own_name_alone(void **state)
{
	const struct price *p;

	(void)state;
	p = price_default(&list, "claude", 50000, 0);
	assert_non_null(p);
	assert_int_equal(p->id, 10);
	p = price_default(&list, "claude", 50001, 0);
	assert_non_null(p);
	assert_int_equal(p->id, 11);
	assert_null(price_default(&list, "openai", 1, 0));
}

static void
an_empty_list_prices_nothing(void **state)
{
	const struct price_list none = { NULL, 0 };
	const struct price_call call = { .platform = "claude",
		.model = "claude-haiku", .input_tokens = 1,
		.output_tokens = 1, .use_default = true };
	enum price_gap gap;
	int64_t nusd;

	(void)state;
	assert_null(price_find(&none, "claude", "claude-haiku", 1, 0));
	assert_null(price_default(&none, "claude", 1, 0));
	assert_int_equal(price_worst(&none, &call, &nusd, &gap), -1);
	assert_int_equal(gap, PRICE_GAP_MODEL);
}

static void
the_sum_of_all_kinds_is_rounded_up(void **state)
{
	const struct price p = {
		.input_nusd_mtok = INT64_C(3000000000),
		.output_nusd_mtok = INT64_C(15000000000),
		.cache_read_nusd_mtok = INT64_C(300000000),
		.cache_write_5m_nusd_mtok = INT64_C(3750000000),
		.cache_write_1h_nusd_mtok = INT64_C(6000000000),
		.web_search_nusd = 10000000,
	};
	const struct price odd = { .input_nusd_mtok = 1,
		.output_nusd_mtok = 1000001 };
	const struct {
		const struct price *p;
		struct usage u;
		int64_t nusd;
	} cases[] = {
		{ &p, { 0 }, 0 },
		{ &p, { .input_tokens = 1 }, 3000 },
		{ &p, { .output_tokens = 1000000 }, INT64_C(15000000000) },
		{ &p, { .cache_read_tokens = 7 }, 2100 },
		{ &p, { .cache_write_5m_tokens = 1 }, 3750 },
		{ &p, { .cache_write_1h_tokens = 1 }, 6000 },
		{ &p, { .web_searches = 3 }, 30000000 },
		{ &p, { .input_tokens = 1, .output_tokens = 1,
		    .cache_read_tokens = 1, .cache_write_5m_tokens = 1,
		    .cache_write_1h_tokens = 1, .web_searches = 1 },
		    3000 + 15000 + 300 + 3750 + 6000 + 10000000 },
		{ &odd, { .input_tokens = 1 }, 1 },
		{ &odd, { .input_tokens = 1000000 }, 1 },
		{ &odd, { .input_tokens = 1000001 }, 2 },
		{ &odd, { .output_tokens = 1 }, 2 },
		{ &odd, { .output_tokens = 999999 }, 1000000 },
		{ &odd, { .input_tokens = 1, .output_tokens = 1 }, 2 },
		{ &odd, { .input_tokens = 999999, .output_tokens = 1 },
		    2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (price_cost(cases[i].p, &cases[i].u) != cases[i].nusd)
			fail_msg("case %zu gave %lld", i, (long long)
			    price_cost(cases[i].p, &cases[i].u));
	}
}

static void
sums_saturate(void **state)
{
	const struct price p = { .input_nusd_mtok = INT64_MAX,
		.output_nusd_mtok = INT64_MAX, .web_search_nusd = 1,
		.fast_percent = PRICE_PERCENT_MAX };
	const struct usage one = { .input_tokens = 1 };
	const struct usage mtok = { .input_tokens = 1000000 };
	const struct usage more = { .input_tokens = 1000001 };
	const struct usage both = { .input_tokens = 1000000,
		.output_tokens = 1 };
	const struct usage all = { .input_tokens = INT64_MAX,
		.output_tokens = INT64_MAX, .cache_read_tokens = INT64_MAX,
		.cache_write_5m_tokens = INT64_MAX,
		.cache_write_1h_tokens = INT64_MAX,
		.web_searches = INT64_MAX };
	const struct usage fast = { .output_tokens = 1000000,
		.speed = USAGE_SPEED_FAST };

	(void)state;
	assert_int_equal(price_cost(&p, &one), INT64_MAX / 1000000 + 1);
	assert_int_equal(price_cost(&p, &mtok), INT64_MAX);
	assert_int_equal(price_cost(&p, &more), INT64_MAX);
	assert_int_equal(price_cost(&p, &both), INT64_MAX);
	assert_int_equal(price_cost(&p, &all), INT64_MAX);
	assert_true(price_cost(&p, &fast) >= INT64_MAX / 100 - 1);
}

/* A small generator, so that a failure can be had again. */
static uint64_t seed = 20261120;

static int64_t
any(int64_t below)
{

	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((int64_t)((seed >> 20) % (uint64_t)below));
}

/* What __int128 says of ${tokens} at ${price}, rounded up. */
static int64_t
by_wide_arithmetic(int64_t tokens, int64_t price)
{
	unsigned __int128 wide = (uint64_t)tokens;

	wide *= (uint64_t)price;
	wide = (wide + 999999) / 1000000;
	return (wide > INT64_MAX ? INT64_MAX : (int64_t)wide);
}

static void
costs_agree_with_wider_arithmetic(void **state)
{
	struct price p = { 0 };
	struct usage u = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		p.input_nusd_mtok = any(INT64_C(1) << (1 + any(62)));
		u.input_tokens = any(INT64_C(1) << (1 + any(62)));
		assert_int_equal(price_cost(&p, &u),
		    by_wide_arithmetic(u.input_tokens, p.input_nusd_mtok));
	}
}

static void
each_way_to_be_served_has_its_price(void **state)
{
	static const struct {
		const char *what;
		struct usage u;
		int64_t nusd;		/* -1: unpriced */
	} cases[] = {
		{ "plain", { .input_tokens = 1000000 }, 5000 },
		{ "batch", { .input_tokens = 1000000,
		    .tier = USAGE_TIER_BATCH }, 2500 },
		{ "priority", { .output_tokens = 1000000,
		    .tier = USAGE_TIER_PRIORITY }, 32500 },
		{ "fast", { .cache_read_tokens = 1000000,
		    .speed = USAGE_SPEED_FAST }, 1000 },
		{ "us", { .cache_write_1h_tokens = 1000000,
		    .geo = USAGE_GEO_US }, 11000 },
		{ "all at once", { .input_tokens = 1000000,
		    .tier = USAGE_TIER_BATCH, .speed = USAGE_SPEED_FAST,
		    .geo = USAGE_GEO_US }, 5500 },
		{ "a search costs the same whatever the way",
		    { .web_searches = 2, .speed = USAGE_SPEED_FAST }, 20000 },
		{ "a tier that is not known", { .input_tokens = 1,
		    .tier = USAGE_TIER_OTHER }, -1 },
		{ "a speed that is not known", { .input_tokens = 1,
		    .speed = USAGE_SPEED_OTHER }, -1 },
		{ "a place that is not known", { .input_tokens = 1,
		    .geo = USAGE_GEO_OTHER }, -1 },
	};
	static const struct usage no_price[] = {
		{ .input_tokens = 1, .tier = USAGE_TIER_BATCH },
		{ .input_tokens = 1, .tier = USAGE_TIER_PRIORITY },
		{ .input_tokens = 1, .speed = USAGE_SPEED_FAST },
		{ .input_tokens = 1, .geo = USAGE_GEO_US },
		{ .input_tokens = 1, .web_searches = 1 },
		{ .input_tokens = 1, .other_models = true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (price_cost(&rows[11], &cases[i].u) != cases[i].nusd)
			fail_msg("%s: %lld", cases[i].what, (long long)
			    price_cost(&rows[11], &cases[i].u));
	}
	for (i = 0; i < NITEMS(no_price); i++)
		assert_int_equal(price_cost(&rows[4], &no_price[i]), -1);
}

static void
the_worst_case_takes_the_dearest_kind_of_each_tier(void **state)
{
	static const struct {
		const char *what, *model;
		int64_t bytes, max_tokens;
		int64_t nusd;		/* -1: unpriced */
	} cases[] = {
		{ "small body", "claude-sonnet-4", 1000000, 1000000,
		    12000 + 22500 },
		{ "below the tier", "claude-sonnet-4", 200000, 1000000,
		    1200 + 15000 },
		{ "just above it", "claude-sonnet-4", 200001, 1000000,
		    2401 + 22500 },
		{ "no more than the context", "claude-sonnet-4",
		    INT64_C(33554432), 0, 12000 },
		{ "context not known", "claude-sonnet-4-5", 2000000, 0,
		    5000 },
		{ "nothing", "claude-sonnet-4", 0, 0, 0 },
		{ "unpriced", "gpt", 1, 1, -1 },
	};
	struct price_call call = { .platform = "claude" };
	enum price_gap gap;
	int64_t nusd;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		call.model = cases[i].model;
		call.input_tokens = cases[i].bytes;
		call.output_tokens = cases[i].max_tokens;
		rc = price_worst(&list, &call, &nusd, &gap);
		if (rc != (cases[i].nusd == -1 ? -1 : 0) ||
		    (rc == 0 && nusd != cases[i].nusd))
			fail_msg("%s: %d, %lld", cases[i].what, rc,
			    (long long)nusd);
	}
}

#define TIER(t)		(1U << USAGE_TIER_ ## t)
#define SPEED(s)	(1U << USAGE_SPEED_ ## s)
#define GEO(g)		(1U << USAGE_GEO_ ## g)

static void
the_worst_case_is_that_of_what_is_asked_for(void **state)
{
	static const struct {
		const char *what, *model;
		struct price_ask ask;
		int64_t nusd;		/* of 10,000 in, 1,000,000 out */
		enum price_gap gap;
	} cases[] = {
		{ "plain", "claude-opus-5", { 0 }, 100 + 25000,
		    PRICE_GAP_NONE },
		{ "fast", "claude-opus-5", { .speeds = SPEED(FAST) },
		    200 + 50000, PRICE_GAP_NONE },
		{ "us, by itself or not", "claude-opus-5",
		    { .geos = GEO(US) | GEO(GLOBAL) }, 110 + 27500,
		    PRICE_GAP_NONE },
		{ "the better tier may be used", "claude-opus-5",
		    { .tiers = TIER(STANDARD) | TIER(PRIORITY) },
		    130 + 32500, PRICE_GAP_NONE },
		{ "a batch is not sure to be one", "claude-opus-5",
		    { .tiers = TIER(BATCH) }, 100 + 25000,
		    PRICE_GAP_NONE },
		{ "all of them", "claude-opus-5",
		    { .speeds = SPEED(FAST), .geos = GEO(US),
		    .tiers = TIER(PRIORITY) }, 286 + 71500,
		    PRICE_GAP_NONE },
		{ "with words of the upstream's", "claude-opus-5",
		    { .added_tokens = 2000 }, 120 + 25000, PRICE_GAP_NONE },
		{ "searches", "claude-opus-5", { .web_searches = 5 },
		    100 + 25000 + 50000, PRICE_GAP_NONE },
		{ "read twice", "claude-opus-5", { .again = true },
		    200 + 50000, PRICE_GAP_NONE },
		{ "the whole context, in its tier", "claude-opus-5",
		    { .whole_context = true }, 5602 + 30001,
		    PRICE_GAP_NONE },
		{ "a search without a price", "claude-haiku",
		    { .web_searches = 1 }, 0, PRICE_GAP_SEARCH },
		{ "any number of them", "claude-haiku",
		    { .web_searches = -1 }, 0, PRICE_GAP_SEARCH },
		{ "any number, with a price", "claude-opus-5",
		    { .web_searches = -1 }, 0, PRICE_GAP_SEARCHES },
		{ "fast without a price", "claude-haiku",
		    { .speeds = SPEED(FAST) }, 0, PRICE_GAP_SPEED },
		{ "us without a price", "claude-haiku",
		    { .geos = GEO(US) }, 0, PRICE_GAP_GEO },
		{ "us where the client does not say so", "claude-haiku",
		    { .geos = GEO(US) | GEO(GLOBAL) }, 80 / 10 + 4000,
		    PRICE_GAP_NONE },
		{ "a tier that is not known", "claude-opus-5",
		    { .tiers = TIER(OTHER) }, 0, PRICE_GAP_TIER },
		{ "a place that is not known", "claude-opus-5",
		    { .geos = GEO(OTHER) }, 0, PRICE_GAP_GEO },
		{ "a context that is not known", "claude-haiku",
		    { .whole_context = true }, 0, PRICE_GAP_CONTEXT },
		{ "a feature", "claude-opus-5", { .feature = "advisor" }, 0,
		    PRICE_GAP_FEATURE },
		{ "an unknown model", "gpt", { .feature = "advisor" }, 0,
		    PRICE_GAP_MODEL },
	};
	struct price_call call = { .platform = "claude",
		.input_tokens = 10000, .output_tokens = 1000000 };
	enum price_gap gap;
	int64_t nusd;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		call.model = cases[i].model;
		call.ask = &cases[i].ask;
		rc = price_worst(&list, &call, &nusd, &gap);
		if (rc != (cases[i].gap == PRICE_GAP_NONE ? 0 : -1) ||
		    gap != cases[i].gap || nusd != cases[i].nusd)
			fail_msg("%s: %d, %lld, lacks %s", cases[i].what, rc,
			    (long long)nusd, price_gap_text(gap));
	}
}

static void
the_default_counts_only_where_it_is_to_be_used(void **state)
{
	struct price_call call = { .platform = "claude", .model = "gpt",
		.input_tokens = 1000000, .output_tokens = 1000000 };
	enum price_gap gap;
	int64_t nusd;

	(void)state;
	assert_int_equal(price_worst(&list, &call, &nusd, &gap), -1);
	assert_int_equal(gap, PRICE_GAP_MODEL);
	assert_true(price_gap_unpriced(gap));
	call.use_default = true;
	assert_int_equal(price_worst(&list, &call, &nusd, &gap), 0);
	assert_int_equal(nusd, 1800 + 90000);
	call.model = "claude-haiku";
	assert_int_equal(price_worst(&list, &call, &nusd, &gap), 0);
	assert_int_equal(nusd, 800 + 4000);
}

/* Any split of at most ${tokens} over the kinds of input. */
static void
any_input(struct usage *u, int64_t tokens)
{

	u->input_tokens = any(tokens + 1);
	tokens -= u->input_tokens;
	u->cache_read_tokens = any(tokens + 1);
	tokens -= u->cache_read_tokens;
	u->cache_write_5m_tokens = any(tokens + 1);
	tokens -= u->cache_write_5m_tokens;
	u->cache_write_1h_tokens = any(tokens + 1);
}

/* One of the ways in ${mask}, or the plain one: the upstream may always fall
 * back to that. */
static int
any_way(unsigned mask)
{
	int way = (int)any(4);

	return ((mask >> way & 1) != 0 ? way : 0);
}

/* What may be asked for without a gap. */
static void
any_ask(struct price_ask *ask)
{
	static const unsigned tiers[] = { 0, TIER(STANDARD),
		TIER(STANDARD) | TIER(PRIORITY), TIER(BATCH) };
	static const unsigned speeds[] = { 0, SPEED(STANDARD), SPEED(FAST) };
	static const unsigned geos[] = { 0, GEO(GLOBAL), GEO(US),
		GEO(US) | GEO(GLOBAL) };

	memset(ask, 0, sizeof(*ask));
	ask->tiers = tiers[any(NITEMS(tiers))];
	ask->speeds = speeds[any(NITEMS(speeds))];
	ask->geos = geos[any(NITEMS(geos))];
	ask->whole_context = any(4) == 0;
	ask->again = any(4) == 0;
	ask->web_searches = any(10);
	ask->added_tokens = any(2000);
}

static void
any_usage(struct usage *u, const struct price_call *call, int64_t context)
{
	const struct price_ask *ask = call->ask;
	int64_t tokens = call->input_tokens + ask->added_tokens;

	if (context > 0 && (tokens > context || ask->whole_context))
		tokens = context;
	memset(u, 0, sizeof(*u));
	any_input(u, tokens);
	u->output_tokens = any(call->output_tokens + 1);
	u->web_searches = any(ask->web_searches + 1);
	u->tier = (enum usage_tier)any_way(ask->tiers);
	u->speed = (enum usage_speed)any_way(ask->speeds);
	u->geo = (enum usage_geo)any_way(ask->geos);
}

static int64_t
input_of(const struct usage *u)
{

	return (u->input_tokens + u->cache_read_tokens +
	    u->cache_write_5m_tokens + u->cache_write_1h_tokens);
}

/* All tokens as often again. */
static void
twice(struct usage *u)
{

	u->input_tokens *= 2;
	u->output_tokens *= 2;
	u->cache_read_tokens *= 2;
	u->cache_write_5m_tokens *= 2;
	u->cache_write_1h_tokens *= 2;
}

static void
no_usage_within_bounds_costs_more_than_the_worst_case(void **state)
{
	static const char *const models[] = {
		"claude-sonnet-4", "claude-sonnet-4-5",
		"claude-sonnet-4-5-20250929", "claude-haiku",
		"claude-opus-5", "claude-opus-5", "claude-opus-5", "gpt"
	};
	static const struct price_ask plain = { 0 };
	struct price_call call = { .platform = "claude", .at_ms = 6000,
		.use_default = true };
	struct price_ask ask;
	const struct price *p;
	struct usage u;
	enum price_gap gap;
	int64_t worst;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		call.model = models[any(NITEMS(models))];
		call.input_tokens = any(1000001);
		call.output_tokens = any(128001);
		any_ask(&ask);
		call.ask = strncmp(call.model, "claude-opus", 11) == 0 ?
		    &ask : &plain;
		assert_int_equal(price_worst(&list, &call, &worst, &gap), 0);
		p = price_find(&list, "claude", call.model, INT64_MAX, 6000);
		any_usage(&u, &call, p != NULL ? p->context_tokens : 100000);
		if (call.ask->again)
			twice(&u);
		p = price_find(&list, "claude", call.model, input_of(&u),
		    6000);
		if (p == NULL)
			p = price_default(&list, "claude", input_of(&u),
			    6000);
		assert_non_null(p);
		assert_true(price_cost(p, &u) >= 0);
		if (price_cost(p, &u) > worst)
			fail_msg("run %d: %s may cost %lld, more than %lld",
			    i, call.model, (long long)price_cost(p, &u),
			    (long long)worst);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stars_stand_for_any_run),
		cmocka_unit_test(the_fitting_row_is_found),
		cmocka_unit_test(the_default_is_found_by_its_own_name_alone),
		cmocka_unit_test(an_empty_list_prices_nothing),
		cmocka_unit_test(the_sum_of_all_kinds_is_rounded_up),
		cmocka_unit_test(sums_saturate),
		cmocka_unit_test(costs_agree_with_wider_arithmetic),
		cmocka_unit_test(each_way_to_be_served_has_its_price),
		cmocka_unit_test(
		    the_worst_case_takes_the_dearest_kind_of_each_tier),
		cmocka_unit_test(the_worst_case_is_that_of_what_is_asked_for),
		cmocka_unit_test(
		    the_default_counts_only_where_it_is_to_be_used),
		cmocka_unit_test(
		    no_usage_within_bounds_costs_more_than_the_worst_case),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
