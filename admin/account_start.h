#ifndef ADMIN_ACCOUNT_START_H_
#define ADMIN_ACCOUNT_START_H_

#include <jansson.h>
#include <stdint.h>

#include "login.h"
#include "who.h"

struct err;
struct seal;
struct seal_pepper;
struct store;

/**
 * A sign-in to an OAuth account that one request begins and another, of the
 * same user and within ACCOUNT_START_MS, ends.  What is secret of it, the
 * verifier above all, lies sealed in the database in between, in a row that is
 * found by a hash of the state and taken once.
 */
#define ACCOUNT_START_MS	(INT64_C(15) * 60 * 1000)

struct account_start {
	struct login login;
	int64_t account_id;	/* 0: of one that is to be made */
	json_t *account;	/* of which this is the body; else NULL */
};

/**
 * account_start_put(st, seal, pepper, who, s, err):
 * Keep it, in a transaction of its own; what has run out goes.  ERR_RANGE: the
 * user has begun too many.  0, or -1.
 */
int account_start_put(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, const struct who *who,
    const struct account_start *s, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * account_start_take(st, seal, pepper, who, account_id, state, s, err):
 * Take the one of that state, user and account (0: of none) from the database.
 * 0; the caller gives ${s} to account_start_fini.  -1: ERR_NOT_FOUND, ...
 */
int account_start_take(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, const struct who *who,
    int64_t account_id, const char *state, struct account_start *s,
    struct err *err) __attribute__((__warn_unused_result__));

void account_start_fini(struct account_start *s);

#endif /* !ADMIN_ACCOUNT_START_H_ */
