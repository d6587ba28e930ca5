#ifndef ADMIN_ACCOUNT_PROXY_H_
#define ADMIN_ACCOUNT_PROXY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct seal;
struct store;

/**
 * The proxy of an account: SCHEME://[USER@]HOST:PORT, of http, https, socks5
 * or socks5h.  The password of its user comes by another way than an
 * argument.  Sealed is the URL with both; shown is the one without user.
 */

/** account_proxy_check(s, user, err): Is ${s} such a URL?  *${user}: it names
 * a user, so that a password is to be asked for.  0, or -1 with ERR_INVAL. */
int account_proxy_check(const char *s, bool *user, struct err *err)
    __attribute__((__warn_unused_result__));

/** account_proxy_put(st, seal, id, s, password, err): Seal and store it for
 * an account, inside of a transaction; ${s} "": it has none.  ${password} is
 * NULL if no user is named. */
int account_proxy_put(struct store *st, const struct seal *seal, int64_t id,
    const char *s, const char *password, struct err *err)
    __attribute__((__warn_unused_result__));

/** account_proxy_url(s, password, url, err): The URL with both, for libcurl;
 * the caller gives it to seal_wipe_free. */
int account_proxy_url(const char *s, const char *password, char **url,
    struct err *err) __attribute__((__warn_unused_result__));

/** account_proxy_split(url, s, password, err): The reverse, of what is sealed;
 * the caller gives both to seal_wipe_free.  *${password} is NULL if there is
 * none. */
int account_proxy_split(const char *url, char **s, char **password,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ACCOUNT_PROXY_H_ */
