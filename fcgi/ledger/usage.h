#ifndef LEDGER_USAGE_H_
#define LEDGER_USAGE_H_

#include <stdint.h>

/** How well the usage of a request or attempt is known. */
enum usage_mark {
	USAGE_NONE,		/* the upstream did nothing that is billed */
	USAGE_EXACT,		/* as the upstream stated it at the end */
	USAGE_PARTIAL,		/* input exact, output estimated: cut short */
	USAGE_ESTIMATED		/* nothing stated: charged at the reserve */
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
};

#endif /* !LEDGER_USAGE_H_ */
