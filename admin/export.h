#ifndef ADMIN_EXPORT_H_
#define ADMIN_EXPORT_H_

#include <jansson.h>

struct err;
struct seal;
struct store;

/**
 * All that is set up of an installation, without what it did: the object that
 * import.h takes, and
 *
 *	"format": "leasehold-export", "version": EXPORT_VERSION, "made_ms"
 *	"users":   [{"name", "role", "concurrency", "enabled", "password"}]
 *	"keys":    [{"name", "group" or "account", "user", "hash", ...}]
 *	"pepper":  the key of their hashes
 *	"budgets": [{"name", "on", "of", "counts", "limit", ...}]
 *	"prices":  those that were set by hand
 *
 * Left out are revoked keys, old secrets of keys, the password of a user with
 * a second factor, tokens for the routes, invitations, objects, the ledger.
 */
#define EXPORT_FORMAT	"leasehold-export"
#define EXPORT_VERSION	1

/** export_make(st, seal, err): Secrets are in clear; the caller seals them (see
 * export_seal.h), and gives it to import_wipe.  NULL with ${err}. */
json_t *export_make(struct store *st, const struct seal *seal,
    struct err *err);

/** export_check(doc, err): Is it such an object, of this version?  0, or -1
 * with ERR_INVAL. */
int export_check(const json_t *doc, struct err *err)
    __attribute__((__warn_unused_result__));

/** export_fits(doc, max, err): Has it, as it is written to a file, fewer bytes
 * than ${max}?  0, or -1: ERR_TOO_LARGE: no import would take it. */
int export_fits(const json_t *doc, size_t max, struct err *err)
    __attribute__((__warn_unused_result__));

/** export_without_keys(doc, passed): Take keys out, and what hangs on them;
 * what that is is appended to ${passed}. */
void export_without_keys(json_t *doc, json_t *passed);

#endif /* !ADMIN_EXPORT_H_ */
