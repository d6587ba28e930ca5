#ifndef LEDGER_PRICE_H_
#define LEDGER_PRICE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usage;

/**
 * Prices, constant after they were loaded; any thread may read.  A row is for
 * models that match its pattern, from a time on, for calls whose input (cache
 * included) is above a number of tokens.  The longest pattern wins ('*' does
 * not count, so a plain name goes before any pattern), then the highest tier
 * that applies, then the newest valid row.
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
};

struct price_list {
	struct price *rows;
	size_t n;
};

/*
 * A web search that the model made counts $10 for 1,000.
 * Source: platform.claude.com/docs/en/about-claude/pricing, "Web search tool".
 */
#define PRICE_WEB_SEARCH_NUSD	INT64_C(10000000)

/** price_find(list, platform, model, input_tokens, at_ms): NULL: unpriced. */
const struct price *price_find(const struct price_list *list,
    const char *platform, const char *model, int64_t input_tokens,
    int64_t at_ms);

/**
 * price_cost(p, u): Nano-dollars for ${u} at ${p}, each kind rounded up;
 * saturates at INT64_MAX.  Includes web searches.
 */
int64_t price_cost(const struct price *p, const struct usage *u);

/**
 * price_worst(list, platform, model, body_bytes, max_tokens, at_ms, nusd):
 * What a call may cost at the most: as many input tokens as the body has bytes
 * (a token is at least one byte), bounded by the model's context, at the
 * dearest input price of any tier that so many can reach, and ${max_tokens} of
 * output at the dearest output price.  0 with *${nusd}, or -1 if the model is
 * unpriced.
 */
int price_worst(const struct price_list *list, const char *platform,
    const char *model, int64_t body_bytes, int64_t max_tokens, int64_t at_ms,
    int64_t *nusd) __attribute__((__warn_unused_result__));

/** price_match(pattern, model): '*' stands for any run of characters. */
bool price_match(const char *pattern, const char *model);

#endif /* !LEDGER_PRICE_H_ */
