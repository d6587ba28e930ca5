#ifndef ADMIN_ROUTES_ACCOUNTS_H_
#define ADMIN_ROUTES_ACCOUNTS_H_

#include "accounts.h"

#include "api.h"

/** routes_read_account(c, a, group, err): What the body says of an account, as
 * POST /admin/accounts takes it; it is borrowed, but for the name of the
 * group, which ${group} may hold.  0, or -1. */
int routes_read_account(struct api_call *c, struct account_change *a,
    char group[LIMIT_NAME_BYTES], struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ROUTES_ACCOUNTS_H_ */
