#ifndef BASE_SEAL_TOKEN_H_
#define BASE_SEAL_TOKEN_H_

#include <stdbool.h>
#include <stdint.h>

struct seal;

/**
 * Short-lived tokens by which a part of the installation shows another one
 * that it has the master key, for one purpose: "EXPIRY.TAG", where EXPIRY is
 * in seconds since the epoch and TAG is 43 characters of base64url, the
 * seal_tag of "PURPOSE\nEXPIRY".  Nothing is kept of them, so a token can be
 * used again until it expires; what it allows must bear that.  Any thread.
 */

/* 20 digits, a dot, 43 characters, NUL */
#define SEAL_TOKEN_SIZE		(20 + 1 + 43 + 1)
#define SEAL_TOKEN_PURPOSE_MAX	32

/* A token that expires later than this from now is not taken. */
#define SEAL_TOKEN_LIFE_MAX_S	600

/**
 * seal_token_make(seal, purpose, expiry_s, out):
 * Under the newest master key.  ${purpose} is at most SEAL_TOKEN_PURPOSE_MAX
 * bytes, ${expiry_s} not negative.
 */
void seal_token_make(const struct seal *seal, const char *purpose,
    int64_t expiry_s, char out[SEAL_TOKEN_SIZE]);

/**
 * seal_token_fits(seal, purpose, token, now_s):
 * Whether ${token} (any text; NULL: none) was made for ${purpose} under any
 * of the master keys and has not expired.  Takes as long for a wrong tag as
 * for a right one.
 */
bool seal_token_fits(const struct seal *seal, const char *purpose,
    const char *token, int64_t now_s);

#endif /* !BASE_SEAL_TOKEN_H_ */
