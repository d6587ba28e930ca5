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

/** notify_secret_put(st, seal, id, secret, err): Of target ${id}; inside of a
 * transaction. */
int notify_secret_put(struct store *st, const struct seal *seal, int64_t id,
    const char *secret, struct err *err)
    __attribute__((__warn_unused_result__));

/** notify_secret_get(st, seal, id, secret, err): In clear; the caller wipes
 * it.  0; -1: ERR_NOT_FOUND, ERR_CRYPTO, ... */
int notify_secret_get(struct store *st, const struct seal *seal, int64_t id,
    char secret[NOTIFY_SECRET_SIZE], struct err *err)
    __attribute__((__warn_unused_result__));

/** notify_secrets_reseal(st, seal, err): All of them, under the first master
 * key; inside of a transaction. */
int notify_secrets_reseal(struct store *st, const struct seal *seal,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_NOTIFY_SECRETS_H_ */
