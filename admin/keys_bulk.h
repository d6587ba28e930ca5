#ifndef ADMIN_KEYS_BULK_H_
#define ADMIN_KEYS_BULK_H_

#include <stddef.h>

#include "base/limits.h"
#include "base/seal.h"

#include "audit.h"
#include "keys.h"

struct err;
struct store;

#define KEYS_BULK_MAX	100

/** One of several: its name before (set), what is to be, who says so, and,
 * when it is made, its secret. */
struct keys_bulk {
	char name[LIMIT_NAME_BYTES];
	struct key_change change;
	struct audit_named was;	/* set: that name, and whose id it was */
	struct audit audit;
	char key[SEAL_CLIENT_KEY_SIZE];
};

/**
 * keys_bulk_create(st, pepper, list, n, err), keys_bulk_set(st, list, n, err):
 * Make, or change, all of them or none, in one transaction, which writes a row
 * of the audit log for each.  The caller wipes the secrets, also after -1.
 */
int keys_bulk_create(struct store *st, const struct seal_pepper *pepper,
    struct keys_bulk *list, size_t n, struct err *err)
    __attribute__((__warn_unused_result__));
int keys_bulk_set(struct store *st, struct keys_bulk *list, size_t n,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_KEYS_BULK_H_ */
