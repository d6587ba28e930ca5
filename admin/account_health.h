#ifndef ADMIN_ACCOUNT_HEALTH_H_
#define ADMIN_ACCOUNT_HEALTH_H_

#include <jansson.h>

struct err;
struct store;

/**
 * account_health_add(st, accounts, err):
 * Give each of ${accounts} (by "id") what responders told one another of how
 * it does: "first_byte_ms" as of late, and of its limit upstream that is
 * nearest its end, as the upstream's last headers stated it, "share_permille"
 * that is left until "share_reset_ms", the length of the limit as
 * "share_window_ms" (0: it fills all the time), and when that was seen as
 * "share_seen_ms".  What is not known is null.  0, or -1.
 */
int account_health_add(struct store *st, json_t *accounts, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ACCOUNT_HEALTH_H_ */
