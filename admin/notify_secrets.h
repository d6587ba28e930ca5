#ifndef ADMIN_NOTIFY_SECRETS_H_
#define ADMIN_NOTIFY_SECRETS_H_

#include <stdint.h>

#include "notify_send.h"

struct err;
struct seal;
struct store;

/** What the requests to webhooks are signed with, sealed in their rows. */

/* Targets that there may be: more make a job too long. */
#define NOTIFY_TARGETS_MAX	50

/** notify_secret_put(st, seal, id, secret, overlap_ms, err): Of target ${id};
 * the one that it has signs as well for ${overlap_ms}, one before that no more.
 * Inside of a transaction. */
int notify_secret_put(struct store *st, const struct seal *seal, int64_t id,
    const char *secret, int64_t overlap_ms, struct err *err)
    __attribute__((__warn_unused_result__));

/** notify_secrets_get(st, seal, id, secrets, err): Those that sign now; the
 * caller wipes them.  0; -1: ERR_NOT_FOUND, ERR_CRYPTO, ... */
int notify_secrets_get(struct store *st, const struct seal *seal, int64_t id,
    struct notify_secrets *secrets, struct err *err)
    __attribute__((__warn_unused_result__));

/** notify_secrets_expire(st, err): Drop old ones that sign no more. */
int notify_secrets_expire(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

/** notify_secrets_reseal(st, seal, err): All of them, under the first master
 * key; inside of a transaction. */
int notify_secrets_reseal(struct store *st, const struct seal *seal,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_NOTIFY_SECRETS_H_ */
