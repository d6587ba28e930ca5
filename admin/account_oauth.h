#ifndef ADMIN_ACCOUNT_OAUTH_H_
#define ADMIN_ACCOUNT_OAUTH_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/oauth.h"

struct err;
struct seal;
struct store;

/** Where and how an account is signed in to: the operator's, all of it. */
struct oauth_settings {
	const char *authorize_url;	/* for all: NULL: unchanged */
	const char *token_url;
	const char *client_id;
	const char *scopes;		/* by blanks */
	const char *redirect_uri;
	const char *token_format;	/* form | json */
};

/** oauth_settings_given(s): Is any of them? */
bool oauth_settings_given(const struct oauth_settings *s);

/** oauth_settings_check(s, err): 0, or -1 with ERR_INVAL. */
int oauth_settings_check(const struct oauth_settings *s, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * account_oauth_put(st, id, s, err):
 * Write what is given; an account that has none yet needs all but the scopes
 * and the format (form), and is parked until somebody signs in to it.
 * account_oauth_drop: it is of another kind from now on.  Inside of a
 * transaction.  0, or -1.
 */
int account_oauth_put(struct store *st, int64_t id,
    const struct oauth_settings *s, struct err *err)
    __attribute__((__warn_unused_result__));
int account_oauth_drop(struct store *st, int64_t id, struct err *err)
    __attribute__((__warn_unused_result__));

/** account_oauth_get(st, id, err): All of them, as an object of texts, with
 * signed_in and times; JSON's null if it has none; NULL with ${err}. */
json_t *account_oauth_get(struct store *st, int64_t id, struct err *err);

/**
 * account_oauth_sign_in(st, seal, name, tokens, ahead_ms, err):
 * A new pair of tokens for account ${name}, of which refresh is needed; what
 * it is parked for for lack of them is over.  One transaction.  0, or -1.
 */
int account_oauth_sign_in(struct store *st, const struct seal *seal,
    const char *name, const struct oauth_tokens *tokens, int64_t ahead_ms,
    struct err *err) __attribute__((__warn_unused_result__));

/** account_oauth_put_tokens(...): The same inside of a transaction. */
int account_oauth_put_tokens(struct store *st, const struct seal *seal,
    const char *name, const struct oauth_tokens *tokens, int64_t ahead_ms,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ACCOUNT_OAUTH_H_ */
