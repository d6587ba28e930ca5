#ifndef ADMIN_PEOPLE_H_
#define ADMIN_PEOPLE_H_

#include <jansson.h>
#include <stdint.h>

#include "sign_in.h"
#include "who.h"

struct err;
struct seal_pepper;
struct store;

/**
 * Users (see users.h) as people who sign in: their role, whether they may,
 * their password, and the invitations by which they choose one.  An
 * invitation is a link with 256 random bits, kept as a keyed hash, good once
 * and until it expires.
 */
#define INVITATION_SIZE		(43 + 1)
#define INVITATION_LIFE_MS	(7 * 24 * 3600 * INT64_C(1000))

/**
 * people_invite(st, pepper, role, name, invited_by, invitation, err):
 * For ${name}, a user that there is, who gets ${role} and a new password; or
 * for a new one (NULL), who chooses the name.  ERR_NOT_FOUND.
 */
int people_invite(struct store *st, const struct seal_pepper *pepper,
    enum role role, const char *name, const char *invited_by,
    char invitation[INVITATION_SIZE], struct err *err)
    __attribute__((__warn_unused_result__));

/** people_invitations(st, err): Array of those that are open. */
json_t *people_invitations(struct store *st, struct err *err);

/** people_uninvite(st, id, err): Its link is good no more.  ERR_NOT_FOUND: it
 * is not open, or not any more. */
int people_uninvite(struct store *st, int64_t id, struct err *err)
    __attribute__((__warn_unused_result__));

/** Somebody who comes in. */
struct registration {
	const char *invitation;	/* in; NULL: none, as a user of role `user' */
	const char *name;	/* NULL where the invitation says it */
	const char *password;
	const char *address;
	const char *agent;

	struct who who;		/* out */
	char token[SIGN_IN_TOKEN_SIZE];	/* the caller wipes it */
};

/**
 * people_register(st, pepper, life, r, err):
 * Take an invitation up, or go without, and sign in, both or neither; with one
 * for a user that there is, the name is that user's, or NULL.  ERR_PERM: the
 * invitation is not good (any more); ERR_EXISTS: the name is taken, or the last
 * administrator would be none from now on; ERR_INVAL.  Other invitations of
 * that user are good no more.
 */
int people_register(struct store *st, const struct seal_pepper *pepper,
    const struct sign_in_life *life, struct registration *r, struct err *err)
    __attribute__((__warn_unused_result__));

/** people_show(st, person_id, err): {"id", "name", "role", "second_factor",
 * "recovery_codes", ...}. */
json_t *people_show(struct store *st, int64_t person_id, struct err *err);

/** people_set_password(st, who, old, new, address, err): All other sign-ins
 * of that person end, and tries of it are forgotten.  ERR_PERM: ${old} is
 * wrong. */
int people_set_password(struct store *st, const struct who *who,
    const char *old, const char *new, const char *address, struct err *err)
    __attribute__((__warn_unused_result__));

/** people_check_password(st, person_id, password, err): 1: it is right; 0; or
 * -1. */
int people_check_password(struct store *st, int64_t person_id,
    const char *password, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_PEOPLE_H_ */
