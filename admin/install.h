#ifndef ADMIN_INSTALL_H_
#define ADMIN_INSTALL_H_

#include <stdbool.h>
#include <stddef.h>

struct err;
struct seal;
struct store;


/**
 * install_key_file(st, path, made, err):
 * Make the master key file if it is not there.  -1 with ERR_CRYPTO if the
 * database was set up before: its key is lost then, and a new one would not
 * open it.
 */
int install_key_file(struct store *st, const char *path, bool *made,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * install_meta(st, seal, made, err):
 * Fill the table meta of a new installation: installation id, epoch, config
 * version, pepper, and by which the master key is recognised.  When it is
 * filled, check that the master key fits.
 */
int install_meta(struct store *st, const struct seal *seal, bool *made,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * install_rekey(st, path, resealed, err):
 * A new master key: add it to the file, seal the pepper and all *${resealed}
 * account secrets anew in one transaction, then drop the old keys from the
 * file.  Both keys are in the file meanwhile, so that it can break off at any
 * point and be run again.
 *
 * The config version is raised: responders that run read the file anew, and
 * until then work on with the secrets that they hold in clear.
 */
int install_rekey(struct store *st, const char *path, size_t *resealed,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * install_reseal(st, seal, n, err):
 * Open all that is sealed in the database, and seal it anew under the first
 * master key, inside of a transaction; *${n} counts the accounts.  ERR_CRYPTO
 * if the keys do not open it.
 */
int install_reseal(struct store *st, const struct seal *seal, size_t *n,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_INSTALL_H_ */
