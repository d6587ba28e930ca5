#include <string.h>

#include "base/err.h"

#include "passwords.h"

#define OPS	crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEM	crypto_pwhash_MEMLIMIT_INTERACTIVE

/* Characters of UTF-8: bytes that do not go on with one. */
static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += (*s & 0xc0) != 0x80;
	return (n);
}

int
password_check(const char *password, const char *name, struct err *err)
{
	size_t n = strlen(password);

	if (characters(password) < PASSWORD_MIN || n > PASSWORD_MAX) {
		err_set(err, ERR_INVAL, "a password has %d characters or "
		    "more, and at most %d bytes", PASSWORD_MIN, PASSWORD_MAX);
		return (-1);
	}
	if (strcmp(password, name) == 0 ||
	    strspn(password, (char[]) { password[0], '\0' }) == n) {
		err_set(err, ERR_INVAL, "this password is too easy to guess");
		return (-1);
	}
	return (0);
}

int
password_hash(const char *password, char hash[PASSWORD_HASH_SIZE],
    struct err *err)
{

	if (crypto_pwhash_str(hash, password, strlen(password), OPS, MEM)
	    == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory to hash a password");
	return (-1);
}

bool
password_fits(const char *password, const char *hash)
{
	char unused[PASSWORD_HASH_SIZE];

	if (strlen(password) > PASSWORD_MAX)
		return (false);
	if (hash == NULL) {
		(void)!crypto_pwhash_str(unused, password, strlen(password),
		    OPS, MEM);
		return (false);
	}
	return (crypto_pwhash_str_verify(hash, password, strlen(password))
	    == 0);
}

bool
password_is_dated(const char *hash)
{

	return (crypto_pwhash_str_needs_rehash(hash, OPS, MEM) != 0);
}
