#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/seal.h"
#include "base/seal_token.h"

#define VARIANT		sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sodium_base64_ENCODED_LEN(SEAL_HASH_BYTES, VARIANT) == 43 + 1,
    "a tag has the length that SEAL_TOKEN_SIZE counts on");

/* The tag of a purpose and an expiry under the ${i}th master key. */
static int
token_tag(const struct seal *seal, size_t i, const char *purpose,
    int64_t expiry_s, unsigned char out[SEAL_HASH_BYTES])
{
	char text[SEAL_TOKEN_PURPOSE_MAX + 1 + 20 + 1];
	int n;

	n = snprintf(text, sizeof(text), "%s\n%lld", purpose,
	    (long long)expiry_s);
	assert(n > 0 && (size_t)n < sizeof(text));
	return (seal_tag(seal, i, text, (size_t)n, out));
}

void
seal_token_make(const struct seal *seal, const char *purpose,
    int64_t expiry_s, char out[SEAL_TOKEN_SIZE])
{
	unsigned char tag[SEAL_HASH_BYTES];
	int n;

	/* There is always a first key. */
	(void)!token_tag(seal, 0, purpose, expiry_s, tag);
	n = snprintf(out, SEAL_TOKEN_SIZE, "%lld.", (long long)expiry_s);
	sodium_bin2base64(out + n, SEAL_TOKEN_SIZE - (size_t)n, tag,
	    sizeof(tag), VARIANT);
}

bool
seal_token_fits(const struct seal *seal, const char *purpose,
    const char *token, int64_t now_s)
{
	unsigned char given[SEAL_HASH_BYTES], tag[SEAL_HASH_BYTES];
	const char *dot;
	int64_t expiry_s;
	size_t i, n;

	if (token == NULL || (dot = strchr(token, '.')) == NULL)
		return (false);
	if (num_parse(token, (size_t)(dot - token), 0,
	    now_s + SEAL_TOKEN_LIFE_MAX_S, &expiry_s) || expiry_s <= now_s)
		return (false);
	if (sodium_base642bin(given, sizeof(given), dot + 1, strlen(dot + 1),
	    NULL, &n, NULL, VARIANT) || n != sizeof(given))
		return (false);
	for (i = 0; token_tag(seal, i, purpose, expiry_s, tag) == 0; i++) {
		if (sodium_memcmp(given, tag, sizeof(tag)) == 0)
			return (true);
	}
	return (false);
}
