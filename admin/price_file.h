#ifndef ADMIN_PRICE_FILE_H_
#define ADMIN_PRICE_FILE_H_

#include <jansson.h>
#include <stddef.h>

#include "ledger/price.h"

/** Context tiers that one model may have. */
#define PRICE_TIERS_MAX 4

/**
 * price_file_model(name, entry, rows):
 * Read one entry of a price file in LiteLLM's format into ${rows}: the base
 * price first, then the context tiers.  Numbers are exact up to 15 digits.
 * What multiplies a price is read from "input_cost_per_token_batches",
 * "..._priority" and "provider_specific_entry" ("fast", "us"), the price of a
 * web search from "search_context_cost_per_query", as LiteLLM has them.
 * Returns how many rows it gives; 0 when it is none of ours: another
 * provider, no price for tokens, a name that no request can have.
 */
size_t price_file_model(const char *name, const json_t *entry,
    struct price rows[1 + PRICE_TIERS_MAX]);

#endif /* !ADMIN_PRICE_FILE_H_ */
