#ifndef LEDGER_META_H_
#define LEDGER_META_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct seal;
struct seal_pepper;
struct store;

/**
 * Facts of the installation, in the table meta.  All functions read; changes
 * are `leasehold init' and `rekey'.  On the thread that owns ${st}.
 */

/* Context that the pepper is sealed with; and those of what is secret of an
 * account, with its id as (long long) and the word for what it is. */
#define META_PEPPER_CONTEXT	"meta:pepper"
#define META_ACCOUNT_CONTEXT	"account:%lld:%s"
#define META_ACCOUNT_SECRET	"secret"
#define META_ACCOUNT_PROXY	"proxy"
#define META_ACCOUNT_REFRESH	"refresh"

/**
 * meta_get(st, name, buf, size, len, err):
 * Copy the value of ${name} into ${buf} and its length into *${len}.  1: got
 * it; 0: there is none; -1 (also when it is longer than ${size}).
 */
int meta_get(struct store *st, const char *name, void *buf, size_t size,
    size_t *len, struct err *err) __attribute__((__warn_unused_result__));

/**
 * meta_check_seal(st, seal, err):
 * Does the master key file belong to this database?  0, or -1: ERR_CRYPTO
 * with the remedy in the text; ERR_NOT_FOUND when `leasehold init' has not
 * run.
 */
int meta_check_seal(struct store *st, const struct seal *seal,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * meta_check_start(url, busy_timeout_ms, seal, err):
 * May a responder start on the database at ${url}?  -1 where a person has to
 * do something first, with the remedy in the text: another schema
 * (ERR_SCHEMA), another master key (ERR_CRYPTO), a folder or file that must
 * be writable (ERR_PERM), a useless url (ERR_INVAL).  0 if it fits, and also
 * if the database is not there or is busy: that may heal while the responder
 * runs.
 */
int meta_check_start(const char *url, int64_t busy_timeout_ms,
    const struct seal *seal, struct err *err)
    __attribute__((__warn_unused_result__));

/** meta_pepper(st, seal, pepper, err): Unseal the key of the key hashes.  0,
 * or -1 as meta_check_seal. */
int meta_pepper(struct store *st, const struct seal *seal,
    struct seal_pepper *pepper, struct err *err)
    __attribute__((__warn_unused_result__));

/** meta_epoch(st, epoch, err): Raised when a backup is restored; 0 at first.
 * What was kept outside of the database before then is void. */
int meta_epoch(struct store *st, int64_t *epoch, struct err *err)
    __attribute__((__warn_unused_result__));

/** meta_config_version(st, version, err): Raised by every change that
 * responders must see. */
int meta_config_version(struct store *st, int64_t *version, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !LEDGER_META_H_ */
