#ifndef ADMIN_SIGN_IN_H_
#define ADMIN_SIGN_IN_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "who.h"

struct err;
struct seal;
struct seal_pepper;
struct store;

/**
 * Signing in with name and password, and what a browser's cookie stands for
 * afterwards: 256 random bits, kept as a keyed hash.  A new one is made by
 * every sign-in, so that none can be planted; it ends after idle_ms without
 * use, after max_ms in any case, with the person's `enabled', a new password,
 * or by hand.
 */
#define SIGN_IN_TOKEN_SIZE	(43 + 1)

struct sign_in_life {
	int64_t idle_ms;
	int64_t max_ms;
};

enum sign_in_result {
	SIGN_IN_GOOD,
	SIGN_IN_WRONG,		/* name or password: not said which */
	SIGN_IN_CODE,		/* right, but a code of the second factor is
				   needed, or is wrong */
	SIGN_IN_WAIT		/* too many tries */
};

struct sign_in {
	const char *name;	/* in */
	const char *password;
	const char *code;	/* of the second factor; NULL: none */
	const char *address;
	const char *agent;
	bool counted;		/* in and out: the try is, and is not counted
				   again when it is made again (change_again) */

	struct who who;		/* out: SIGN_IN_GOOD */
	char token[SIGN_IN_TOKEN_SIZE];	/* the caller wipes it */
	int64_t wait_ms;	/* SIGN_IN_WAIT */
};

/** sign_in(st, seal, pepper, life, s, result, err): 0, or -1.  Takes as long
 * for a name that is not there; what fails is in the audit log.  A password
 * that was hashed at another cost than is usual now is hashed anew. */
int sign_in(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, const struct sign_in_life *life,
    struct sign_in *s, enum sign_in_result *result, struct err *err)
    __attribute__((__warn_unused_result__));

/** sign_in_open(st, pepper, life, person_id, address, agent, token, err):
 * Sign a person in who has shown who it is; inside a write transaction. */
int sign_in_open(struct store *st, const struct seal_pepper *pepper,
    const struct sign_in_life *life, int64_t person_id, const char *address,
    const char *agent, char token[SIGN_IN_TOKEN_SIZE], struct err *err)
    __attribute__((__warn_unused_result__));

/** sign_in_find(st, pepper, life, token, who, err): Whose cookie is it?  1, 0:
 * it is not good (any more), or -1.  Use is noted once a minute. */
int sign_in_find(struct store *st, const struct seal_pepper *pepper,
    const struct sign_in_life *life, const char *token, struct who *who,
    struct err *err) __attribute__((__warn_unused_result__));

/** sign_in_csrf(pepper, token, out): What a request that changes something
 * has to bring along beside the cookie; the browser's scripts alone see it. */
void sign_in_csrf(const struct seal_pepper *pepper, const char *token,
    char out[SIGN_IN_TOKEN_SIZE]);

/** sign_in_list(st, life, who, err): Array, with "current".  sign_in_end(st,
 * who, id, address, err): End one of the person's own: ERR_NOT_FOUND; in the
 * audit log as "sign_out" of the one that asks, or "sign_in.end".
 * sign_in_end_others: All but the one that asks; inside a write transaction,
 * whose audit row tells of it. */
json_t *sign_in_list(struct store *st, const struct sign_in_life *life,
    const struct who *who, struct err *err);
int sign_in_end(struct store *st, const struct who *who, int64_t id,
    const char *address, struct err *err)
    __attribute__((__warn_unused_result__));
int sign_in_end_others(struct store *st, int64_t person_id, int64_t stays,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_SIGN_IN_H_ */
