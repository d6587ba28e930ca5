#include <sys/resource.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"
#include "base/seal_keys.h"

/*
 * Sealed bytes:
 *
 *	version	length	id of the	nonce	cipher text and tag
 *	1	of id	master key	24	n + 16
 *
 * What stands before the nonce is authenticated together with the context.
 */
#define VERSION		1
#define HEAD_MAX	(2 + SEAL_ID_MAX)
#define CONTEXT_MAX	255
#define NONCE_BYTES	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES	crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BOX_KEY_BYTES	crypto_aead_xchacha20poly1305_ietf_KEYBYTES

/* Subkeys of a master key, by number under one context (crypto_kdf). */
#define KDF_CONTEXT	"leasehld"
#define SUBKEY_BOX	1
#define SUBKEY_CHECK	2
#define SUBKEY_TAG	3

_Static_assert(sizeof(KDF_CONTEXT) == crypto_kdf_CONTEXTBYTES + 1,
    "the context has the length that crypto_kdf wants");
_Static_assert(SEAL_MASTER_BYTES == crypto_kdf_KEYBYTES,
    "a master key is a key of crypto_kdf");

struct subkeys {
	char id[SEAL_ID_MAX + 1];
	unsigned char box[BOX_KEY_BYTES];
	unsigned char check[SEAL_HASH_BYTES];
	unsigned char tag[SEAL_HASH_BYTES];
};

struct seal {
	int refs;		/* atomic */
	size_t n;
	struct subkeys keys[SEAL_KEYS_MAX];
};

static void
derive(struct subkeys *out, const char *id, const unsigned char *master)
{
	static const char constant[] = "leasehold master key";
	unsigned char key[32];

	memcpy(out->id, id, sizeof(out->id));

	/* These fail only for lengths out of range. */
	(void)crypto_kdf_derive_from_key(out->box, sizeof(out->box),
	    SUBKEY_BOX, KDF_CONTEXT, master);
	(void)crypto_kdf_derive_from_key(out->tag, sizeof(out->tag),
	    SUBKEY_TAG, KDF_CONTEXT, master);
	(void)crypto_kdf_derive_from_key(key, sizeof(key), SUBKEY_CHECK,
	    KDF_CONTEXT, master);
	(void)crypto_generichash(out->check, sizeof(out->check),
	    (const unsigned char *)constant, sizeof(constant) - 1, key,
	    sizeof(key));
	sodium_memzero(key, sizeof(key));
}

struct seal *
seal_open(const char *path, struct err *err)
{
	struct seal_keys keys;
	struct seal *seal;
	size_t i;

	if (sodium_init() == -1) {
		err_set(err, ERR_INTERNAL, "cannot start libsodium");
		goto err0;
	}
	if (seal_keys_read(&keys, path, err))
		goto err0;
	if ((seal = calloc(1, sizeof(*seal))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for master keys");
		goto err1;
	}

	seal->refs = 1;

	/* A limit on locked memory is no reason not to start. */
	(void)sodium_mlock(seal, sizeof(*seal));
	for (i = 0; i < keys.n; i++)
		derive(&seal->keys[i], keys.keys[i].id, keys.keys[i].master);
	seal->n = keys.n;
	sodium_memzero(&keys, sizeof(keys));
	return (seal);

err1:
	sodium_memzero(&keys, sizeof(keys));
err0:
	return (NULL);
}

struct seal *
seal_ref(struct seal *seal)
{

	__atomic_add_fetch(&seal->refs, 1, __ATOMIC_RELAXED);
	return (seal);
}

void
seal_free(struct seal *seal)
{

	if (seal == NULL ||
	    __atomic_sub_fetch(&seal->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;

	/* This wipes, whether the memory is locked or not. */
	(void)sodium_munlock(seal, sizeof(*seal));
	free(seal);
}

const char *
seal_key_id(const struct seal *seal)
{

	return (seal->keys[0].id);
}

static const struct subkeys *
find_key(const struct seal *seal, const char *id, size_t idlen)
{
	size_t i;

	for (i = 0; i < seal->n; i++) {
		if (strlen(seal->keys[i].id) == idlen &&
		    memcmp(seal->keys[i].id, id, idlen) == 0)
			return (&seal->keys[i]);
	}
	return (NULL);
}

int
seal_check_value(const struct seal *seal, const char *key_id,
    unsigned char out[SEAL_HASH_BYTES])
{
	const struct subkeys *k = &seal->keys[0];

	if (key_id != NULL && (k = find_key(seal, key_id, strlen(key_id))) ==
	    NULL)
		return (-1);
	memcpy(out, k->check, SEAL_HASH_BYTES);
	return (0);
}

/* Head and context in a row, as both are authenticated; the length. */
static size_t
make_aad(unsigned char aad[HEAD_MAX + CONTEXT_MAX], const unsigned char *head,
    size_t headlen, const char *context)
{
	size_t len = strlen(context);

	memcpy(aad, head, headlen);
	memcpy(aad + headlen, context, len);
	return (headlen + len);
}

static int
check_lengths(const char *context, size_t n, struct err *err)
{

	if (strlen(context) > CONTEXT_MAX) {
		err_set(err, ERR_INVAL, "the context of a sealed value is "
		    "longer than %d bytes", CONTEXT_MAX);
		return (-1);
	}
	if (n > LIMIT_SECRET_BYTES) {
		err_set(err, ERR_TOO_LARGE, "%s: a secret has at most %d "
		    "bytes", context, LIMIT_SECRET_BYTES);
		return (-1);
	}
	return (0);
}

int
seal_box(const struct seal *seal, const char *context, const void *p,
    size_t n, unsigned char **out, size_t *outlen, struct err *err)
{
	unsigned char aad[HEAD_MAX + CONTEXT_MAX], *box, *nonce;
	const struct subkeys *k = &seal->keys[0];
	size_t idlen = strlen(k->id), headlen = 2 + idlen, aadlen;
	unsigned long long len;

	if (check_lengths(context, n, err))
		return (-1);
	box = malloc(headlen + NONCE_BYTES + n + TAG_BYTES);
	if (box == NULL) {
		err_set(err, ERR_NOMEM, "no memory to seal %s", context);
		return (-1);
	}
	box[0] = VERSION;
	box[1] = (unsigned char)idlen;
	memcpy(box + 2, k->id, idlen);
	nonce = box + headlen;
	randombytes_buf(nonce, NONCE_BYTES);
	aadlen = make_aad(aad, box, headlen, context);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_BYTES,
	    &len, p, n, aad, aadlen, NULL, nonce, k->box);
	*out = box;
	*outlen = headlen + NONCE_BYTES + (size_t)len;
	return (0);
}

/* Find the key that sealed ${n} bytes; *${headlen} is where the nonce is. */
static const struct subkeys *
key_of_box(const struct seal *seal, const unsigned char *p, size_t n,
    size_t *headlen)
{

	if (n < 2 || p[0] != VERSION || p[1] > SEAL_ID_MAX ||
	    n < (size_t)2 + p[1] + NONCE_BYTES + TAG_BYTES)
		return (NULL);
	*headlen = (size_t)2 + p[1];
	return (find_key(seal, (const char *)p + 2, p[1]));
}

int
seal_unbox(const struct seal *seal, const char *context, const void *p,
    size_t n, char **out, size_t *outlen, struct err *err)
{
	unsigned char aad[HEAD_MAX + CONTEXT_MAX];
	const unsigned char *box = p, *nonce;
	const struct subkeys *k;
	size_t headlen, aadlen, len;
	char *text;

	if (check_lengths(context, 0, err))
		goto err0;
	if ((k = key_of_box(seal, box, n, &headlen)) == NULL) {
		err_set(err, ERR_CRYPTO, "cannot open the sealed %s: it is "
		    "damaged, or its master key is not in the file", context);
		goto err0;
	}
	nonce = box + headlen;
	len = n - headlen - NONCE_BYTES - TAG_BYTES;
	if ((text = malloc(len + 1)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory to open the sealed %s",
		    context);
		goto err0;
	}
	aadlen = make_aad(aad, box, headlen, context);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)text,
	    NULL, NULL, nonce + NONCE_BYTES, len + TAG_BYTES, aad, aadlen,
	    nonce, k->box)) {
		err_set(err, ERR_CRYPTO, "cannot open the sealed %s: it is "
		    "damaged, or belongs to another row or master key",
		    context);
		goto err1;
	}
	text[len] = '\0';
	*out = text;
	*outlen = len;
	return (0);

err1:
	seal_wipe_free(text, len);
err0:
	return (-1);
}

void
seal_wipe_free(char *p, size_t n)
{

	if (p == NULL)
		return;
	sodium_memzero(p, n);
	free(p);
}

int
seal_tag(const struct seal *seal, size_t i, const void *p, size_t n,
    unsigned char out[SEAL_HASH_BYTES])
{

	if (i >= seal->n)
		return (-1);
	(void)crypto_generichash(out, SEAL_HASH_BYTES, p, n,
	    seal->keys[i].tag, sizeof(seal->keys[i].tag));
	return (0);
}

void
seal_hash(const struct seal_pepper *pepper, const void *p, size_t n,
    unsigned char out[SEAL_HASH_BYTES])
{

	(void)crypto_generichash(out, SEAL_HASH_BYTES, p, n, pepper->key,
	    sizeof(pepper->key));
}

void
seal_random(void *p, size_t n)
{

	/* Without randomness there is nothing safe to go on with. */
	if (sodium_init() == -1)
		sodium_misuse();
	randombytes_buf(p, n);
}

void
seal_new_client_key(char key[SEAL_CLIENT_KEY_SIZE],
    char visible[SEAL_VISIBLE_SIZE])
{
	const size_t prefix = strlen(SEAL_KEY_PREFIX);
	unsigned char bits[32];

	seal_random(bits, sizeof(bits));
	memcpy(key, SEAL_KEY_PREFIX, prefix);
	sodium_bin2base64(key + prefix, SEAL_CLIENT_KEY_SIZE - prefix, bits,
	    sizeof(bits), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bits, sizeof(bits));
	memcpy(visible, key, SEAL_VISIBLE_SIZE - 1);
	visible[SEAL_VISIBLE_SIZE - 1] = '\0';
}

void
seal_no_core(void)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	/* To lower it is always allowed. */
	(void)setrlimit(RLIMIT_CORE, &none);
}

void
seal_wipe(void *p, size_t n)
{

	sodium_memzero(p, n);
}
