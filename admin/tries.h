#ifndef ADMIN_TRIES_H_
#define ADMIN_TRIES_H_

#include <stdint.h>

struct err;
struct store;

/**
 * Sign-ins that are tried, by name and by address, in the database, so that
 * all admin responders know of them.  A try is counted before its password is
 * looked at, so that many at once gain nothing.  The first TRIES_FREE of a
 * name or TRIES_FREE_ADDRESS of an address go through; from then on each has
 * to wait twice as long as the one before, up to TRIES_PAUSE_MAX_MS (a name's
 * pause is short, as anybody can cause it).  What is older than
 * TRIES_MEMORY_MS is forgotten.
 */
#define TRIES_FREE		5
#define TRIES_FREE_ADDRESS	20
#define TRIES_PAUSE_MS		1000
#define TRIES_PAUSE_MAX_MS	60000
#define TRIES_PAUSE_MAX_ADDRESS_MS	900000
#define TRIES_MEMORY_MS		3600000

/**
 * tries_take(st, name, address, wait_ms, err):
 * Count a try, in a transaction of its own.  0, with *${wait_ms} 0 if it may
 * go on, else how long it is to wait; or -1.  IPv6 addresses count by their
 * /64.
 */
int tries_take(struct store *st, const char *name, const char *address,
    int64_t *wait_ms, struct err *err) __attribute__((__warn_unused_result__));

/** tries_forget(st, name, address, err): The sign-in was good: it does not
 * count, and no other of that name does; inside a write transaction.  Those of
 * other names still count for the address, or whoever has a password could
 * try as many as they like in between. */
int tries_forget(struct store *st, const char *name, const char *address,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * tries_take_key(st, address, wait_ms, err): A client key that was sent in
 * place of a sign-in is wrong; as tries_take, by address alone, and apart from
 * sign-ins.  tries_wait_key: How long the next has to wait, without counting.
 */
int tries_take_key(struct store *st, const char *address, int64_t *wait_ms,
    struct err *err) __attribute__((__warn_unused_result__));
int tries_wait_key(struct store *st, const char *address, int64_t *wait_ms,
    struct err *err) __attribute__((__warn_unused_result__));

/** tries_take_register(st, address, wait_ms, err): Somebody registers without
 * being invited; as tries_take, by address alone. */
int tries_take_register(struct store *st, const char *address,
    int64_t *wait_ms, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_TRIES_H_ */
