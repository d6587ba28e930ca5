#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "export_seal.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define NONCE	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define MORE	(NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define VARIANT	sodium_base64_VARIANT_ORIGINAL

/* Place of a secret, with room for the longest name. */
#define PLACE_SIZE	512

/* What is secret in rows of a list; ${in}: of an object there. */
static const struct {
	const char *list, *in, *member;
} places[] = {
	{ "users", NULL, "password" },
	{ "accounts", NULL, "secret" },
	{ "accounts", NULL, "proxy" },
	{ "accounts", NULL, "proxy_password" },
	{ "accounts", "tokens", "access_token" },
	{ "accounts", "tokens", "refresh_token" },
	{ "keys", NULL, "hash" },
};

struct keys {
	unsigned char seal[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	unsigned char tag[crypto_generichash_KEYBYTES];
};

/* Makes of a secret another text; NULL with ${err}. */
typedef json_t *change_secret(const struct keys *keys, const char *place,
    const char *text, struct err *err);

static json_t *
base64(const unsigned char *p, size_t n, struct err *err)
{
	size_t size = sodium_base64_encoded_len(n, VARIANT);
	char *text = malloc(size);
	json_t *j = NULL;

	if (text != NULL) {
		(void)sodium_bin2base64(text, size, p, n, VARIANT);
		j = json_string(text);
	}
	free(text);
	if (j == NULL)
		err_set(err, ERR_NOMEM, "no memory for an export");
	return (j);
}

static json_t *
seal_text(const struct keys *keys, const char *place, const char *text,
    struct err *err)
{
	size_t n = strlen(text);
	unsigned char *box = malloc(MORE + n);
	unsigned long long len;
	json_t *j;

	if (box == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an export");
		return (NULL);
	}
	randombytes_buf(box, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE, &len,
	    (const unsigned char *)text, n, (const unsigned char *)place,
	    strlen(place), NULL, box, keys->seal);
	j = base64(box, NONCE + (size_t)len, err);
	free(box);
	return (j);
}

static json_t *
open_text(const struct keys *keys, const char *place, const char *text,
    struct err *err)
{
	size_t size = strlen(text), n = 0;
	unsigned char *box = malloc(size + 1), *clear = malloc(size + 1);
	unsigned long long len = 0;
	json_t *j = NULL;

	if (box != NULL && clear != NULL && sodium_base642bin(box, size, text,
	    size, NULL, &n, NULL, VARIANT) == 0 && n >= MORE &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(clear, &len, NULL,
	    box + NONCE, n - NONCE, (const unsigned char *)place,
	    strlen(place), box, keys->seal) == 0)
		j = json_stringn((const char *)clear, (size_t)len);
	if (clear != NULL)
		sodium_memzero(clear, size);
	free(clear);
	free(box);
	if (j == NULL)
		err_set(err, ERR_CRYPTO, "cannot open %.100s", place);
	return (j);
}

static int
change_one(const struct keys *keys, const char *place, json_t *in,
    const char *member, change_secret *change, struct err *err)
{
	const char *text = json_string_value(json_object_get(in, member));
	json_t *j;

	if (text == NULL)
		return (0);
	if ((j = change(keys, place, text, err)) == NULL)
		return (-1);
	sodium_memzero((void *)(uintptr_t)text, strlen(text));
	if (json_object_set_new(in, member, j) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for an export");
	return (-1);
}

static int
change_row(const struct keys *keys, size_t which, json_t *row,
    change_secret *change, struct err *err)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	char place[PLACE_SIZE];

	if (name == NULL)
		return (0);
	(void)snprintf(place, sizeof(place), "%s/%s/%s", places[which].list,
	    name, places[which].member);
	if (places[which].in != NULL)
		row = json_object_get(row, places[which].in);
	return (change_one(keys, place, row, places[which].member, change,
	    err));
}

static int
change_all(const struct keys *keys, json_t *doc, change_secret *change,
    struct err *err)
{
	json_t *row;
	size_t i, k;

	for (k = 0; k < NITEMS(places); k++) {
		json_array_foreach(json_object_get(doc, places[k].list), i,
		    row) {
			if (change_row(keys, k, row, change, err))
				return (-1);
		}
	}
	return (change_one(keys, "pepper", doc, "pepper", change, err));
}

static int
make_tag(const struct keys *keys, const json_t *doc,
    unsigned char tag[crypto_generichash_BYTES], struct err *err)
{
	char *text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an export");
		return (-1);
	}
	(void)crypto_generichash(tag, crypto_generichash_BYTES,
	    (const unsigned char *)text, strlen(text), keys->tag,
	    sizeof(keys->tag));
	free(text);
	return (0);
}

static int
make_keys(struct keys *keys, const char *passphrase, size_t n,
    const unsigned char salt[crypto_pwhash_SALTBYTES],
    const struct export_cost *cost, struct err *err)
{

	if (crypto_pwhash((unsigned char *)keys, sizeof(*keys), passphrase, n,
	    salt, cost->ops, cost->mem, crypto_pwhash_ALG_ARGON2ID13) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for the key of a passphrase: it "
	    "takes %zu MB", cost->mem / (1024 * 1024));
	return (-1);
}

/* Nothing is left out of the tag but itself. */
static int
put_tag(const struct keys *keys, json_t *doc, struct err *err)
{
	unsigned char tag[crypto_generichash_BYTES];
	json_t *j;

	if (make_tag(keys, doc, tag, err) ||
	    (j = base64(tag, sizeof(tag), err)) == NULL)
		return (-1);
	if (json_object_set_new(doc, "tag", j) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for an export");
	return (-1);
}

int
export_seal(json_t *doc, const char *passphrase, size_t n,
    const struct export_cost *cost, struct err *err)
{
	unsigned char salt[crypto_pwhash_SALTBYTES];
	struct keys keys;
	json_t *how;
	int rc = -1;

	randombytes_buf(salt, sizeof(salt));
	how = json_pack("{s:s, s:I, s:I, s:o, s:s}", "kdf", "argon2id13",
	    "opslimit", (json_int_t)cost->ops, "memlimit",
	    (json_int_t)cost->mem, "salt", base64(salt, sizeof(salt), err),
	    "cipher", "xchacha20-poly1305");
	if (how == NULL || json_object_set_new(doc, "seal", how) != 0) {
		err_set(err, ERR_NOMEM, "no memory for an export");
		return (-1);
	}
	if (make_keys(&keys, passphrase, n, salt, cost, err) == 0 &&
	    change_all(&keys, doc, seal_text, err) == 0)
		rc = put_tag(&keys, doc, err);
	sodium_memzero(&keys, sizeof(keys));
	return (rc);
}

static bool
read_base64(const json_t *j, unsigned char *out, size_t size)
{
	const char *text = json_string_value(j);
	size_t n;

	return (text != NULL && sodium_base642bin(out, size, text,
	    strlen(text), NULL, &n, NULL, VARIANT) == 0 && n == size);
}

static bool
is_text(const json_t *j, const char *want)
{

	return (json_is_string(j) && strcmp(json_string_value(j), want) == 0);
}

static int
read_how(const json_t *how, struct export_cost *cost,
    unsigned char salt[crypto_pwhash_SALTBYTES], struct err *err)
{
	json_int_t ops, mem;

	ops = json_integer_value(json_object_get(how, "opslimit"));
	mem = json_integer_value(json_object_get(how, "memlimit"));
	if (is_text(json_object_get(how, "kdf"), "argon2id13") &&
	    is_text(json_object_get(how, "cipher"), "xchacha20-poly1305") &&
	    read_base64(json_object_get(how, "salt"), salt,
	    crypto_pwhash_SALTBYTES) && ops >= 1 && ops <= EXPORT_OPS_MAX &&
	    mem >= (json_int_t)crypto_pwhash_MEMLIMIT_MIN &&
	    mem <= (json_int_t)EXPORT_MEM_MAX) {
		cost->ops = (unsigned long long)ops;
		cost->mem = (size_t)mem;
		return (0);
	}
	err_set(err, ERR_INVAL, "it is sealed in a way that this version does "
	    "not know, or was changed");
	return (-1);
}

/* Takes the tag out. */
static int
check_tag(const struct keys *keys, json_t *doc, struct err *err)
{
	unsigned char tag[crypto_generichash_BYTES];
	unsigned char given[crypto_generichash_BYTES];
	bool good;

	good = read_base64(json_object_get(doc, "tag"), given, sizeof(given));
	(void)json_object_del(doc, "tag");
	if (make_tag(keys, doc, tag, err))
		return (-1);
	if (good && sodium_memcmp(tag, given, sizeof(tag)) == 0)
		return (0);
	err_set(err, ERR_CRYPTO, "the passphrase is another one, or the file "
	    "was changed");
	return (-1);
}

int
export_open(json_t *doc, const char *passphrase, size_t n, struct err *err)
{
	unsigned char salt[crypto_pwhash_SALTBYTES];
	struct export_cost cost;
	struct keys keys;
	int rc = -1;

	if (read_how(json_object_get(doc, "seal"), &cost, salt, err) ||
	    make_keys(&keys, passphrase, n, salt, &cost, err))
		return (-1);
	if (check_tag(&keys, doc, err) == 0)
		rc = change_all(&keys, doc, open_text, err);
	sodium_memzero(&keys, sizeof(keys));
	return (rc);
}
