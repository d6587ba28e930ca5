#ifndef ADMIN_KEY_SECRETS_H_
#define ADMIN_KEY_SECRETS_H_

#include <stdint.h>

#include "base/seal.h"

struct err;
struct store;

/** So long an old secret may go on to work, and so many of a key at once. */
#define KEY_OVERLAP_MAX_MS	((int64_t)30 * 86400000)
#define KEY_SECRETS_MAX		10

/**
 * key_secrets_rotate(st, pepper, name, overlap_ms, key, err):
 * Give a key a new secret, in a transaction of its own.  The present one goes
 * on to work for ${overlap_ms}, and so do those before it, but no longer than
 * that; 0: all of them are refused from the next request on.  Limits, usage and
 * name are the key's and stay.  0, with the secret in ${key}, which the caller
 * shows once and wipes; -1: ERR_NOT_FOUND, ERR_EXISTS (it is revoked, or has
 * too many old secrets), ERR_INVAL.
 */
int key_secrets_rotate(struct store *st, const struct seal_pepper *pepper,
    const char *name, int64_t overlap_ms, char key[SEAL_CLIENT_KEY_SIZE],
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * key_secrets_find(st, pepper, secret, id, err):
 * The key that the relay would take ${secret} for: neither revoked nor
 * disabled nor expired.  1 with its id, 0, or -1.
 */
int key_secrets_find(struct store *st, const struct seal_pepper *pepper,
    const char *secret, int64_t *id, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_KEY_SECRETS_H_ */
