#include <string.h>

#include "base/mail.h"

#define ALNUM	"abcdefghijklmnopqrstuvwxyz"				\
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define LOCAL	ALNUM "!#$%&'*+-/=?^_`{|}~."
#define DOMAIN	ALNUM "-."
#define LOCAL_MAX	64

/* Neither empty nor with an empty part, and not an option. */
static bool
parts_ok(const char *s, size_t n, char end)
{

	return (n > 0 && s[0] != '.' && s[0] != '-' && s[n - 1] != '.' &&
	    s[n] == end && strstr(s, "..") == NULL);
}

bool
mail_address_ok(const char *s)
{
	size_t n = strspn(s, LOCAL);

	if (strlen(s) > MAIL_ADDRESS_MAX || n > LOCAL_MAX ||
	    !parts_ok(s, n, '@'))
		return (false);
	s += n + 1;
	return (parts_ok(s, strspn(s, DOMAIN), '\0'));
}
