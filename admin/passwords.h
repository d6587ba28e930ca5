#ifndef ADMIN_PASSWORDS_H_
#define ADMIN_PASSWORDS_H_

#include <sodium.h>
#include <stdbool.h>

struct err;

/**
 * Passwords of people, kept as Argon2id hashes that state their own cost
 * (libsodium's crypto_pwhash_str, "interactive": 64 MiB for some 50 ms, so
 * that as many at once as there are threads may run).  Any thread; never in
 * the relay's loop.
 */
#define PASSWORD_MIN	10		/* characters */
#define PASSWORD_MAX	1024		/* bytes */
#define PASSWORD_HASH_SIZE	crypto_pwhash_STRBYTES

/** password_check(password, name, err): May a person of that name choose it?
 * PASSWORD_MIN characters or more, not the name, not one character over and
 * over.  0, or -1 with ERR_INVAL. */
int password_check(const char *password, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** password_hash(password, hash, err): 0, or -1 with ERR_NOMEM. */
int password_hash(const char *password, char hash[PASSWORD_HASH_SIZE],
    struct err *err) __attribute__((__warn_unused_result__));

/** password_fits(password, hash): ${hash} may be NULL (there is none), which
 * takes as long as one that does not fit. */
bool password_fits(const char *password, const char *hash);

/** password_is_dated(hash): It was made at another cost than one is now. */
bool password_is_dated(const char *hash);

#endif /* !ADMIN_PASSWORDS_H_ */
