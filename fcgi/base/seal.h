#ifndef BASE_SEAL_H_
#define BASE_SEAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct seal;

/**
 * What is secret at rest: upstream credentials sealed (XChaCha20-Poly1305,
 * bound to their row) and client keys hashed (keyed BLAKE2b), both with keys
 * derived from one master key file.  The file holds one line a master key,
 * "ID HEX64", newest first: the first seals, all of them open, so that it
 * can be rotated; '#' begins a comment line.  libsodium does the work.  A
 * struct seal is constant after it was opened, counted by reference
 * (atomically) and may be used by any thread.
 */

/* Master keys in one file; a rotation is over long before. */
#define SEAL_KEYS_MAX		16

#define SEAL_HASH_BYTES		32
#define SEAL_KEY_PREFIX		"sk-lh-"
/* prefix, 43 characters of base64url (256 bits), NUL */
#define SEAL_CLIENT_KEY_SIZE	(6 + 43 + 1)
/* what is shown of a key later: prefix and 6 characters, NUL */
#define SEAL_VISIBLE_SIZE	(6 + 6 + 1)

/**
 * seal_create_file(path, err):
 * Make a master key file with one new random key, mode 0600, never over an
 * existing one (ERR_EXISTS).  seal_rotate_file adds a new first line by
 * writing a new file beside it and renaming; seal_prune_file drops all lines
 * but the first.  Owner and group of the file stay.  Both lock the file, so
 * that two at a time lose no key.  0, or -1.
 */
int seal_create_file(const char *path, struct err *err)
    __attribute__((__warn_unused_result__));
int seal_rotate_file(const char *path, struct err *err)
    __attribute__((__warn_unused_result__));
int seal_prune_file(const char *path, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * seal_open(path, err):
 * Read the master keys, with one reference for the caller.  Refused with
 * ERR_PERM and the remedy in the text when group or others may read or write
 * the file.  The memory is locked where the system allows it.
 * seal_ref: one more reference.  seal_free: one less, and wiped with the
 * last; NULL is allowed.
 */
struct seal *seal_open(const char *path, struct err *err);
struct seal *seal_ref(struct seal *seal);
void seal_free(struct seal *seal);

/** seal_key_id(seal): Id of the master key that seals now; borrowed. */
const char *seal_key_id(const struct seal *seal);

/**
 * seal_check_value(seal, key_id, out):
 * A value that can be kept in the database to recognise a wrong master key
 * at start: a hash of a constant under master key ${key_id} (NULL: the
 * first).  0, or -1 if that key is not in the file.
 */
int seal_check_value(const struct seal *seal, const char *key_id,
    unsigned char out[SEAL_HASH_BYTES])
    __attribute__((__warn_unused_result__));

/**
 * seal_box(seal, context, p, n, out, outlen, err):
 * Encrypt ${n} bytes; *${out} is malloc'd, the caller frees it.  ${context}
 * ("account:7:secret") is authenticated, so that a value cannot be moved to
 * another row; it has at most 255 bytes, the plain text at most
 * LIMIT_SECRET_BYTES.  The id of the master key is part of the output.
 * seal_unbox: the reverse; ERR_CRYPTO when key, context or bytes do not fit.
 * The plain text is NUL-terminated beyond its length and to be given to
 * seal_wipe_free.
 */
int seal_box(const struct seal *seal, const char *context, const void *p,
    size_t n, unsigned char **out, size_t *outlen, struct err *err)
    __attribute__((__warn_unused_result__));
int seal_unbox(const struct seal *seal, const char *context, const void *p,
    size_t n, char **out, size_t *outlen, struct err *err)
    __attribute__((__warn_unused_result__));

/** seal_wipe_free(p, n): Overwrite and free; NULL is allowed. */
void seal_wipe_free(char *p, size_t n);

/**
 * seal_tag(seal, i, p, n, out):
 * Keyed BLAKE2b-256 of ${n} bytes under a subkey of the ${i}th master key of
 * the file (0: the one that seals now), by which parts of one installation
 * know each other's messages; seal_token.h makes tokens of it.  0, or -1 if
 * there are no more than ${i} keys.
 */
int seal_tag(const struct seal *seal, size_t i, const void *p, size_t n,
    unsigned char out[SEAL_HASH_BYTES])
    __attribute__((__warn_unused_result__));

/**
 * The hash of client keys must survive a rotation of the master key, as keys
 * cannot be hashed anew without their owners.  So its key is a random
 * "pepper" made at init, kept sealed in the database; whoever hashes unboxes
 * it first.
 */
struct seal_pepper {
	unsigned char key[32];
};

/** seal_hash(pepper, p, n, out): Keyed BLAKE2b-256; microseconds. */
void seal_hash(const struct seal_pepper *pepper, const void *p, size_t n,
    unsigned char out[SEAL_HASH_BYTES]);

/** seal_random(p, n): Bytes from the system's generator; aborts without. */
void seal_random(void *p, size_t n);

/**
 * seal_new_client_key(key, visible):
 * Make a client key, "sk-lh-" and 256 bits in base64url, and the part of it
 * that may be shown later.  The caller wipes ${key}.
 */
void seal_new_client_key(char key[SEAL_CLIENT_KEY_SIZE],
    char visible[SEAL_VISIBLE_SIZE]);

/** seal_no_core(): From here on this process leaves no core file, which would
 * hold the secrets that it has open. */
void seal_no_core(void);

/** seal_wipe(p, n): Overwrite; not optimised away. */
void seal_wipe(void *p, size_t n);

#endif /* !BASE_SEAL_H_ */
