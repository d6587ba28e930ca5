#ifndef BASE_MAIL_H_
#define BASE_MAIL_H_

#include <stdbool.h>

/* RFC 5321, 4.5.3.1.3: a path has 256 bytes, of which two are brackets. */
#define MAIL_ADDRESS_MAX	254

/**
 * mail_address_ok(s):
 * Is it one address as LOCAL@DOMAIN, without quotes, comments or a name, so
 * that it means itself in a header line and as an argument?  RFC 5322's
 * atom characters, of which the first is no '-'; a domain of letters, digits,
 * '-' and '.'.
 */
bool mail_address_ok(const char *s);

#endif /* !BASE_MAIL_H_ */
