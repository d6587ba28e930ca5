#ifndef LEDGER_PRICE_H_
#define LEDGER_PRICE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usage;

/**
 * Prices, constant after they were loaded; any thread may read.  A row is for
 * models that match its pattern, from a time on (and up to one), for calls
 * whose input (cache included) is above a number of tokens.  The longest
 * pattern wins ('*' does not count, so a plain name goes before any pattern),
 * then the highest tier that applies, then the newest valid row.  So a row
 * that ends gives way to the one before it again.
 *
 * The pattern "*" alone is no model's price but the stated default, which is
 * used by price_default alone.
 *
 * Percentages multiply the prices of tokens, and each other; 100 is the plain
 * price.  0: there is no such price, as far as is known, and a call that is
 * served so is unpriced.  Source of what there is to multiply with:
 * platform.claude.com/docs/en/about-claude/pricing ("Batch processing", "Fast
 * mode pricing", "Data residency pricing", "Web search tool").
 */
struct price {
	int64_t id;
	char platform[32];
	char pattern[128];
	int64_t above_tokens;
	int64_t valid_from_ms;
	int64_t input_nusd_mtok;	/* nano-dollars for 10^6 tokens */
	int64_t output_nusd_mtok;
	int64_t cache_read_nusd_mtok;
	int64_t cache_write_5m_nusd_mtok;
	int64_t cache_write_1h_nusd_mtok;
	int64_t context_tokens;		/* 0: unknown */
	int64_t valid_until_ms;		/* not any more at this time; 0: open */
	int64_t batch_percent;
	int64_t fast_percent;
	int64_t priority_percent;
	int64_t geo_us_percent;
	int64_t web_search_nusd;	/* of one; 0: no price known */
};

struct price_list {
	struct price *rows;
	size_t n;
};

/** The most that a percentage may be. */
#define PRICE_PERCENT_MAX	10000

/** The most tokens that a tier or a context may state. */
#define PRICE_TOKENS_MAX	INT64_C(1000000000)

/** The pattern of the default price. */
#define PRICE_DEFAULT_PATTERN	"*"

/** price_match(pattern, model): '*' stands for any run of characters. */
bool price_match(const char *pattern, const char *model);

/** price_specificity(pattern): Larger goes first where several match: more
 * characters that are no '*', then fewer '*'. */
int price_specificity(const char *pattern);

/** price_find(list, platform, model, input_tokens, at_ms): NULL: unpriced. */
const struct price *price_find(const struct price_list *list,
    const char *platform, const char *model, int64_t input_tokens,
    int64_t at_ms);

/** price_default(list, platform, input_tokens, at_ms): The stated default
 * price; NULL: none is stated. */
const struct price *price_default(const struct price_list *list,
    const char *platform, int64_t input_tokens, int64_t at_ms);

/**
 * price_cost(p, u): Nano-dollars for ${u} at ${p}, the sum rounded up, web
 * searches included; saturates at INT64_MAX.  -1: the row has no price for a
 * call that was served like ${u} (fast, us, ...), for its searches, or for
 * other models that took part.
 */
int64_t price_cost(const struct price *p, const struct usage *u);

/**
 * What a client asks for, as far as it changes what a call may cost at the
 * most.  All zero is a plain call.
 */
struct price_ask {
	unsigned tiers;		/* how it may be served: 1 << enum usage_tier,
				   ...; 0: in the plain way alone */
	unsigned speeds;	/* 1 << enum usage_speed */
	unsigned geos;		/* 1 << enum usage_geo */
	bool whole_context;	/* part of the input is not in the body (URLs,
				   files, results of server tools): as much as
				   the model takes */
	bool again;		/* the input may be read, and output be
				   written, twice (compaction) */
	bool repeats;		/* the model may be called again and again
				   (server tools): no bound on what the
				   upstream counts; not used for prices */
	bool other_models;	/* another model than that it names may answer;
				   not used for prices */
	int64_t web_searches;	/* at most; -1: nobody knows */
	int64_t added_tokens;	/* input that the upstream adds to the body */
	char feature[64];	/* one that has no price beforehand, in words;
				   "": none */
};

/** Why a price could not be told. */
enum price_gap {
	PRICE_GAP_NONE,
	/* nothing is known of the price of ... */
	PRICE_GAP_MODEL,
	PRICE_GAP_TIER,
	PRICE_GAP_SPEED,
	PRICE_GAP_GEO,
	PRICE_GAP_SEARCH,
	/* the price is known, but not how much of it will be used */
	PRICE_GAP_SEARCHES,
	PRICE_GAP_CONTEXT,
	PRICE_GAP_FEATURE,
	PRICE_NGAPS
};

/** price_gap_text(gap): In words: "fast mode", ...; of PRICE_GAP_FEATURE and
 * PRICE_GAP_MODEL the general term. */
const char *price_gap_text(enum price_gap gap);

/** price_gap_unpriced(gap): Nothing is known of the price. */
bool price_gap_unpriced(enum price_gap gap);

/** A call that is to come. */
struct price_call {
	const char *platform;
	const char *model;
	int64_t at_ms;
	bool use_default;	/* where the model has no price of its own */
	int64_t input_tokens;	/* at most, of what is in the body: its bytes,
				   as a token is at least one, or an estimate */
	int64_t output_tokens;	/* at most */
	const struct price_ask *ask;	/* NULL: a plain call */
};

/**
 * price_worst(list, call, nusd, gap):
 * What a call may cost at the most: its input tokens (bounded by the model's
 * context, or all of that context where the ask says so) at the dearest input
 * price of any tier that so many can reach, its output tokens at the dearest
 * output price, in the dearest way in which it may be served, and its
 * searches.  No usage within these bounds costs more by price_cost.  0 with
 * *${nusd}, or -1 with *${gap}.
 */
int price_worst(const struct price_list *list, const struct price_call *call,
    int64_t *nusd, enum price_gap *gap)
    __attribute__((__warn_unused_result__));

#endif /* !LEDGER_PRICE_H_ */
