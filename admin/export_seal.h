#ifndef ADMIN_EXPORT_SEAL_H_
#define ADMIN_EXPORT_SEAL_H_

#include <jansson.h>
#include <stddef.h>

struct err;

/**
 * What is secret of an export, sealed under a passphrase.  Argon2id makes of
 * it and of a salt two keys: one seals each secret (XChaCha20-Poly1305) with
 * its place ("accounts/NAME/secret") as associated data, so that it cannot be
 * moved to another; the other authenticates the whole (keyed BLAKE2b-256 of
 * the compact JSON with its members in order), so that nothing in it can be
 * changed.  In the file:
 *
 *	"seal": {"kdf": "argon2id13", "opslimit", "memlimit", "salt",
 *	    "cipher": "xchacha20-poly1305"}
 *	"tag": what authenticates all but itself
 *
 * with salt, tag and secrets in base64.
 */

/* What a file may cost to open. */
#define EXPORT_OPS_MAX	16
#define EXPORT_MEM_MAX	((size_t)1024 * 1024 * 1024)

/* As libsodium has it for what is not interactive, with the memory that also
 * a small host has. */
#define EXPORT_OPS	4
#define EXPORT_MEM	((size_t)128 * 1024 * 1024)

/* Characters that a passphrase has at least. */
#define EXPORT_PASSPHRASE_MIN	8

struct export_cost {
	unsigned long long ops;
	size_t mem;		/* bytes */
};

/** export_seal(doc, passphrase, n, cost, err): Seal the secrets of ${doc},
 * which are in clear, in their places.  0, or -1: ${doc} is to be given up. */
int export_seal(json_t *doc, const char *passphrase, size_t n,
    const struct export_cost *cost, struct err *err)
    __attribute__((__warn_unused_result__));

/** export_open(doc, passphrase, n, err): The reverse.  -1 with ERR_CRYPTO: the
 * passphrase is another one, or something was changed; ERR_INVAL: it is no
 * such object. */
int export_open(json_t *doc, const char *passphrase, size_t n,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_EXPORT_SEAL_H_ */
