#ifndef POOL_KEY_USE_H_
#define POOL_KEY_USE_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

/**
 * What keys have used, in sums that are kept beside the ledger (table
 * key_usage), so that nobody has to read the ledger for them: one row a key,
 * written once a batch, in the transaction that closes the ledger rows.  An
 * index of the ledger by key would cost as much here, and each reader more
 * with each request.  Store thread.
 */

/** A closed ledger row's part; for a correction, the difference. */
struct key_use {
	int64_t key_id;
	int64_t requests;
	int64_t nusd;
	int64_t input_tokens, output_tokens;
	int64_t cache_read_tokens, cache_write_tokens;
	int64_t last_ms;	/* when the last one was admitted */
};

/** The sums of one batch. */
struct key_uses {
	struct key_use *list;	/* by key id */
	size_t n, cap;
};

void key_uses_init(struct key_uses *u);
void key_uses_reset(struct key_uses *u);
void key_uses_fini(struct key_uses *u);

/** key_uses_add(u, use, err): 0, or -1 without memory. */
int key_uses_add(struct key_uses *u, const struct key_use *use,
    struct err *err) __attribute__((__warn_unused_result__));

/** key_uses_write(u, st, err): Add them to the rows, in order.  0, or -1. */
int key_uses_write(struct key_uses *u, struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_KEY_USE_H_ */
