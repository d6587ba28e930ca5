#ifndef ADMIN_SECOND_FACTOR_H_
#define ADMIN_SECOND_FACTOR_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct seal;
struct seal_pepper;
struct store;

/**
 * A second factor for people who sign in: time-based codes (TOTP, RFC 6238:
 * SHA-1, 6 digits, 30 s, as all apps know them) by liboath, one step of clock
 * skew allowed on both sides, each code taken once; and ten recovery codes.
 * Secrets are sealed, codes hashed.  All are called inside a write
 * transaction, unless it is said.
 */
#define RECOVERY_CODES	10

/**
 * second_factor_begin(st, seal, person_id, name, err):
 * A new secret, that counts once second_factor_confirm has seen a code of it:
 * {"secret": base32, "url": "otpauth://totp/..."}.  NULL with ERR_EXISTS if
 * one is on.
 */
json_t *second_factor_begin(struct store *st, const struct seal *seal,
    int64_t person_id, const char *name, struct err *err);

/** second_factor_confirm(...): Array of the recovery codes, which are shown
 * once.  NULL with ERR_INVAL: the code is wrong; ERR_NOT_FOUND: none was
 * begun. */
json_t *second_factor_confirm(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, int64_t person_id, const char *code,
    struct err *err);

/** second_factor_take(...): A code of the app or a recovery code.  1: it is
 * good, and does not count again; 0: it is not; -1. */
int second_factor_take(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, int64_t person_id, const char *code,
    struct err *err) __attribute__((__warn_unused_result__));

/** second_factor_off(st, person_id, err): There is none any more. */
int second_factor_off(struct store *st, int64_t person_id, struct err *err)
    __attribute__((__warn_unused_result__));

/** second_factor_reseal(st, seal, err): Seal all secrets anew under the newest
 * master key. */
int second_factor_reseal(struct store *st, const struct seal *seal,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_SECOND_FACTOR_H_ */
