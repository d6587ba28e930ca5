#ifndef ADMIN_CHECK_H_
#define ADMIN_CHECK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct zone;

/**
 * Checks of what people give to the command and to the admin routes.  Those of
 * type int return 0, or -1 with ERR_INVAL that says what is allowed.
 */

/** check_control(s): The bytes of the first character of ${s} if a terminal
 * would obey it instead of showing it (control characters, also those of two
 * bytes, and what turns text around), else 0. */
size_t check_control(const char *s);

/** check_name(what, s, err): The name of an account, group, key or token: 1
 * to LIMIT_NAME_BYTES - 1 bytes of UTF-8, no control characters, no blank at
 * either end. */
int check_name(const char *what, const char *s, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * check_base_url(s, out, err):
 * An upstream's base URL: https, or http for a loopback host; no user, query
 * or fragment.  *${out} is a normal form without trailing slash, malloc'd.
 */
int check_base_url(const char *s, char **out, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * check_endpoint(what, s, query, err):
 * A URL that is used as it stands: https, or http for a loopback host; no user
 * or fragment, and a query only with ${query}.
 */
int check_endpoint(const char *what, const char *s, bool query,
    struct err *err) __attribute__((__warn_unused_result__));

/** check_models(s, out, err): Patterns by comma; *${out} has the blanks taken
 * out, malloc'd; "" allows any. */
int check_models(const char *s, char **out, struct err *err)
    __attribute__((__warn_unused_result__));

/** check_expiry(s, now_ms, out_ms, err): A date ("2027-01-31", when it begins
 * in UTC; or RFC 3339), a duration from now ("90d"), or "never" (0).  It must
 * be to come. */
int check_expiry(const char *s, int64_t now_ms, int64_t *out_ms,
    struct err *err) __attribute__((__warn_unused_result__));

/** check_since(s, now_ms, out_ms, err): A date, or a duration before now. */
int check_since(const char *s, int64_t now_ms, int64_t *out_ms,
    struct err *err) __attribute__((__warn_unused_result__));

/** check_money(s, nusd, err): Dollars, "5" or "0.25", no finer than a
 * nano-dollar. */
int check_money(const char *s, int64_t *nusd, struct err *err)
    __attribute__((__warn_unused_result__));

/** check_length(s, out_ms, err): A duration with its unit ("5h", "30d"),
 * longer than 0. */
int check_length(const char *s, int64_t *out_ms, struct err *err)
    __attribute__((__warn_unused_result__));

/** check_zone(name, err): A time zone that this machine knows; free it with
 * zone_free.  NULL with ERR_INVAL if it knows none of that name. */
struct zone *check_zone(const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** check_date(s, out_ms, err): A date, as for check_expiry; also one that is
 * over. */
int check_date(const char *s, int64_t *out_ms, struct err *err)
    __attribute__((__warn_unused_result__));

/** check_secret(s, n, err): What can go into a header line: visible ASCII. */
int check_secret(const char *s, size_t n, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * check_auth_header(s, out, err):
 * The header in which an upstream wants its API key; *${out} is it in lower
 * case, malloc'd, "" for x-api-key.  Not one that means something else:
 * authorization (which a bearer's credential goes in), what HTTP, the relay or
 * the API need, and what is never sent upstream.
 */
int check_auth_header(const char *s, char **out, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_CHECK_H_ */
