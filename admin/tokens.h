#ifndef ADMIN_TOKENS_H_
#define ADMIN_TOKENS_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct seal_pepper;
struct store;

/**
 * Tokens for the admin routes: "lh-adm-" and 256 bits in base64url, kept as
 * keyed hashes like client keys.
 */
#define TOKEN_SIZE	(7 + 43 + 1)

/** tokens_create(st, pepper, name, expires_ms, token, err): Make a token (0:
 * it never expires), which the caller shows once and wipes.  ERR_EXISTS: the
 * name is taken. */
int tokens_create(struct store *st, const struct seal_pepper *pepper,
    const char *name, int64_t expires_ms, char token[TOKEN_SIZE],
    struct err *err) __attribute__((__warn_unused_result__));

/** tokens_list(st, err): Array. */
json_t *tokens_list(struct store *st, struct err *err);

/** tokens_revoke(st, name, err): Removes it; ERR_NOT_FOUND. */
int tokens_revoke(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** tokens_check(st, pepper, token, err): 1: it is good; 0: it is not; -1.  The
 * time it takes does not tell how much of it was right. */
int tokens_check(struct store *st, const struct seal_pepper *pepper,
    const char *token, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_TOKENS_H_ */
