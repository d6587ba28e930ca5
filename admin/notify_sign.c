#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/seal.h"

#include "notify_send.h"

#define SECRET_BYTES		32	/* of a new one */
#define SECRET_BYTES_MIN	24
#define SECRET_BYTES_MAX	64
#define BASE64			sodium_base64_VARIANT_ORIGINAL

_Static_assert(sizeof(NOTIFY_SECRET_PREFIX) +
    sodium_base64_ENCODED_LEN(SECRET_BYTES_MAX, BASE64) <=
    NOTIFY_SECRET_SIZE, "a secret fits");
_Static_assert(sizeof("v1,") + sodium_base64_ENCODED_LEN(
    crypto_auth_hmacsha256_BYTES, BASE64) <= NOTIFY_SIGNATURE_SIZE,
    "a signature fits");

void
notify_secret_new(char secret[NOTIFY_SECRET_SIZE])
{
	const size_t at = strlen(NOTIFY_SECRET_PREFIX);
	unsigned char bytes[SECRET_BYTES];

	seal_random(bytes, sizeof(bytes));
	memcpy(secret, NOTIFY_SECRET_PREFIX, at);
	(void)sodium_bin2base64(secret + at, NOTIFY_SECRET_SIZE - at, bytes,
	    sizeof(bytes), BASE64);
	seal_wipe(bytes, sizeof(bytes));
}

/* Its bytes; 0: it is none. */
static size_t
read_secret(const char *secret, unsigned char bytes[SECRET_BYTES_MAX])
{
	const size_t at = strlen(NOTIFY_SECRET_PREFIX);
	const char *end;
	size_t n;

	if (strncmp(secret, NOTIFY_SECRET_PREFIX, at) != 0 ||
	    sodium_base642bin(bytes, SECRET_BYTES_MAX, secret + at,
	    strlen(secret + at), NULL, &n, &end, BASE64) != 0 ||
	    *end != '\0' || n < SECRET_BYTES_MIN)
		return (0);
	return (n);
}

bool
notify_secret_ok(const char *secret)
{
	unsigned char bytes[SECRET_BYTES_MAX];
	size_t n = read_secret(secret, bytes);

	seal_wipe(bytes, sizeof(bytes));
	return (n > 0);
}

int
notify_sign(const char *secret, const char *id, int64_t seconds,
    const char *body, size_t n, char out[NOTIFY_SIGNATURE_SIZE])
{
	unsigned char key[SECRET_BYTES_MAX], mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state st;
	char head[128];
	size_t len = read_secret(secret, key);
	int headlen;

	headlen = snprintf(head, sizeof(head), "%s.%lld.", id,
	    (long long)seconds);
	if (len == 0 || headlen < 0 || (size_t)headlen >= sizeof(head)) {
		seal_wipe(key, sizeof(key));
		return (-1);
	}
	(void)crypto_auth_hmacsha256_init(&st, key, len);
	(void)crypto_auth_hmacsha256_update(&st, (unsigned char *)head,
	    (unsigned long long)headlen);
	(void)crypto_auth_hmacsha256_update(&st, (const unsigned char *)body,
	    n);
	(void)crypto_auth_hmacsha256_final(&st, mac);
	memcpy(out, "v1,", 3);
	(void)sodium_bin2base64(out + 3, NOTIFY_SIGNATURE_SIZE - 3, mac,
	    sizeof(mac), BASE64);
	seal_wipe(key, sizeof(key));
	seal_wipe(&st, sizeof(st));
	return (0);
}
