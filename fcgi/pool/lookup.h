#ifndef POOL_LOOKUP_H_
#define POOL_LOOKUP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/pool.h"

struct err;
struct store;

/**
 * Keys by their hash: the look-up on the read connection (reading thread),
 * and what the loop remembers of it, the least recently used going first.
 */

/** lookup_read(st, op, err): Look ${op}->hash up.  0, also if there is no such
 * key; -1.  Reading thread. */
int lookup_read(struct store *st, struct lookup_op *op, struct err *err)
    __attribute__((__warn_unused_result__));

/** lookup_again(st, key, err): Is the secret by which ${key} was found still
 * good?  1, 0 or -1.  Whatever thread ${st} belongs to. */
int lookup_again(struct store *st, const struct key_info *key,
    struct err *err) __attribute__((__warn_unused_result__));

struct key_cache;

/** key_cache_new(max): NULL if memory is short.  Loop only, as all below. */
struct key_cache *key_cache_new(size_t max);
void key_cache_free(struct key_cache *c);	/* NULL is allowed */

/** key_cache_version(c, version): What was looked up under another version of
 * the configuration is not handed out any more. */
void key_cache_version(struct key_cache *c, int64_t version);

/** key_cache_get(c, hash, now_ms): With a reference for the caller, or NULL,
 * also where its secret works no more at wall time ${now_ms}. */
struct key_info *key_cache_get(struct key_cache *c,
    const unsigned char hash[SEAL_HASH_BYTES], int64_t now_ms);

/** key_cache_knows(c, hash): It was a key when it was last looked up, under
 * whatever version. */
bool key_cache_knows(const struct key_cache *c,
    const unsigned char hash[SEAL_HASH_BYTES]);

/** key_cache_put(c, hash, key): Remember ${key} (a reference is taken), if it
 * was read under the present version; NULL: it is none (any more). */
void key_cache_put(struct key_cache *c,
    const unsigned char hash[SEAL_HASH_BYTES], struct key_info *key);

#endif /* !POOL_LOOKUP_H_ */
