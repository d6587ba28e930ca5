#ifndef ADMIN_TOKENS_H_
#define ADMIN_TOKENS_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "who.h"

struct err;
struct seal_pepper;
struct store;

/**
 * Tokens for the admin routes: "lh-adm-" and 256 bits in base64url, kept as
 * keyed hashes like client keys.
 */
#define TOKEN_SIZE	(7 + 43 + 1)

/** A token to be made. */
struct token_spec {
	const char *name;
	int64_t expires_ms;	/* 0: never */
	int64_t person_id;	/* 0: the installation's, which may do all;
				   else it may do what that person may */
	bool read_only;
};

/* Of one person. */
#define TOKENS_MAX	100

/** tokens_create(st, pepper, spec, token, err): Make a token, which the caller
 * shows once and wipes.  ERR_EXISTS: the name is taken, or the person has
 * TOKENS_MAX. */
int tokens_create(struct store *st, const struct seal_pepper *pepper,
    const struct token_spec *spec, char token[TOKEN_SIZE],
    struct err *err) __attribute__((__warn_unused_result__));

/** tokens_list(st, person_id, err): Array; 0: all of them. */
json_t *tokens_list(struct store *st, int64_t person_id, struct err *err);

/** tokens_revoke(st, name, err): Removes it; ERR_NOT_FOUND.
 * tokens_revoke_own(st, person_id, id, err): One of a person's. */
int tokens_revoke(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));
int tokens_revoke_own(struct store *st, int64_t person_id, int64_t id,
    struct err *err) __attribute__((__warn_unused_result__));

/** tokens_find(st, pepper, token, who, err): 1: it is good, and stands for
 * ${who}; 0: it is not; -1.  It is looked up by its keyed hash, whose time
 * tells nothing of the token. */
int tokens_find(struct store *st, const struct seal_pepper *pepper,
    const char *token, struct who *who, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_TOKENS_H_ */
