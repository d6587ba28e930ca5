#ifndef ADMIN_ACCOUNT_SECRETS_H_
#define ADMIN_ACCOUNT_SECRETS_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct seal;
struct store;

/** account_secret_put(st, seal, id, secret, len, err): Seal the secret of an
 * account, bound to its row, and store it; inside of a transaction. */
int account_secret_put(struct store *st, const struct seal *seal, int64_t id,
    const char *secret, size_t len, struct err *err)
    __attribute__((__warn_unused_result__));

/** account_secret_get(st, seal, id, secret, len, err): In clear; the caller
 * gives it to seal_wipe_free. */
int account_secret_get(struct store *st, const struct seal *seal, int64_t id,
    char **secret, size_t *len, struct err *err)
    __attribute__((__warn_unused_result__));

/** account_secrets_reseal(st, seal, n, err): Seal all of them anew under the
 * first master key, inside of a transaction; *${n} counts them. */
int account_secrets_reseal(struct store *st, const struct seal *seal,
    size_t *n, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ACCOUNT_SECRETS_H_ */
