#ifndef LEDGER_USAGE_H_
#define LEDGER_USAGE_H_

#include <stdbool.h>
#include <stdint.h>

/** How well the usage of a request or attempt is known. */
enum usage_mark {
	USAGE_NONE,		/* the upstream did nothing that is billed */
	USAGE_EXACT,		/* as the upstream stated it at the end */
	USAGE_PARTIAL,		/* input exact, output estimated: cut short */
	USAGE_ESTIMATED		/* nothing stated: charged at what was
				   guessed, else at the reserve */
};

/**
 * How the upstream served a call, as far as that changes the price; what it
 * does not state is the first of each.  Sources: platform.claude.com/docs,
 * "Service tiers", "Fast mode", "Data residency".
 */
enum usage_tier {
	USAGE_TIER_STANDARD,
	USAGE_TIER_PRIORITY,
	USAGE_TIER_BATCH,
	USAGE_TIER_OTHER	/* one that is not known here */
};

enum usage_speed {
	USAGE_SPEED_STANDARD,
	USAGE_SPEED_FAST,
	USAGE_SPEED_OTHER
};

enum usage_geo {
	USAGE_GEO_GLOBAL,	/* also where there is no choice */
	USAGE_GEO_US,
	USAGE_GEO_OTHER
};

/** Tokens as the upstream counts them; never negative. */
struct usage {
	int64_t input_tokens;		/* neither read from nor written to
					   the cache */
	int64_t output_tokens;
	int64_t cache_read_tokens;
	int64_t cache_write_5m_tokens;
	int64_t cache_write_1h_tokens;
	int64_t web_searches;		/* server tool uses */
	enum usage_tier tier;
	enum usage_speed speed;
	enum usage_geo geo;
	bool other_models;		/* some of it is another model's, and
					   priced as such */
	bool absurd;			/* a count was stated that is none:
					   negative, or beyond belief; it is
					   not in the sums */
};

/** usage_input(u), usage_tokens(u): Tokens of input, with those of caches; and
 * with output.  Any thread. */
int64_t usage_input(const struct usage *u);
int64_t usage_tokens(const struct usage *u);

#endif /* !LEDGER_USAGE_H_ */
