#ifndef ADMIN_GATE_H_
#define ADMIN_GATE_H_

#include "api.h"

/**
 * gate_open(c, auth, role, err):
 * Find out who asks (${c}->who): by "Authorization: Bearer", else by the
 * browser's cookie.  With a cookie, what changes something must bring the
 * header x-csrf-token that GET /auth/me gave.  0: may go on; -1: refused in
 * ${c}, or ${err} is set.
 */
int gate_open(struct api_call *c, enum route_auth auth, enum role role,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * gate_still_open(st, life, who, err):
 * Whom the gate let in, a while ago: would it now?  ${who}->role is set to
 * what it is by now.  That one asks is no use of a sign-in: it may run out
 * meanwhile.  1; 0: signed out, revoked, disabled, over; or -1.
 */
int gate_still_open(struct store *st, const struct sign_in_life *life,
    struct who *who, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_GATE_H_ */
