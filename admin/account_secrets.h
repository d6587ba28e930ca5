#ifndef ADMIN_ACCOUNT_SECRETS_H_
#define ADMIN_ACCOUNT_SECRETS_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct seal;
struct store;

/** What is sealed of an account, each bound to its row. */
enum account_secret {
	ACCOUNT_SECRET,		/* its credential */
	ACCOUNT_PROXY,		/* URL of its proxy; it may have none */
	ACCOUNT_REFRESH,	/* refresh token; it may have none */
	ACCOUNT_SECRETS
};

/** account_secret_put(st, seal, what, id, text, len, err): Seal and store it;
 * inside of a transaction. */
int account_secret_put(struct store *st, const struct seal *seal,
    enum account_secret what, int64_t id, const char *text, size_t len,
    struct err *err) __attribute__((__warn_unused_result__));

/** account_secret_drop(st, what, id, err): There is none any more.  Not for
 * ACCOUNT_SECRET. */
int account_secret_drop(struct store *st, enum account_secret what,
    int64_t id, struct err *err) __attribute__((__warn_unused_result__));

/** account_secret_get(st, seal, what, id, text, len, err): In clear; the
 * caller gives it to seal_wipe_free.  *${text} is NULL if the account may do,
 * and does, without.  0, or -1. */
int account_secret_get(struct store *st, const struct seal *seal,
    enum account_secret what, int64_t id, char **text, size_t *len,
    struct err *err) __attribute__((__warn_unused_result__));

/** account_secrets_reseal(st, seal, n, err): Seal all of them anew under the
 * first master key, inside of a transaction; *${n} counts the accounts. */
int account_secrets_reseal(struct store *st, const struct seal *seal,
    size_t *n, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ACCOUNT_SECRETS_H_ */
