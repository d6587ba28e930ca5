#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "store/store.h"

#include "account_secrets.h"
#include "change.h"
#include "notify_secrets.h"
#include "second_factor.h"

#include "install.h"

#define ID_BYTES	16
#define KEY_ID_SIZE	64

static int
put(struct store *st, const char *name, struct store_value value,
    struct err *err)
{
	const struct store_value row[] = { store_text(name), value };

	return (store_exec(st, STMT_META_PUT, row, 1, 2, NULL, err));
}

static int
is_installed(struct store *st, bool *installed, struct err *err)
{
	char id[2 * ID_BYTES + 1];
	size_t n;
	int rc;

	rc = meta_get(st, "installation_id", id, sizeof(id), &n, err);
	*installed = rc == 1;
	return (rc == -1 ? -1 : 0);
}

int
install_key_file(struct store *st, const char *path, bool *made,
    struct err *err)
{
	bool installed;

	*made = false;
	if (access(path, F_OK) == 0)
		return (0);
	if (errno != ENOENT) {
		err_set_errno(err, ERR_PERM, errno, "cannot look at the "
		    "master key file %s", path);
		return (-1);
	}
	if (is_installed(st, &installed, err))
		return (-1);
	if (installed) {
		err_set(err, ERR_CRYPTO, "the master key file %s is missing, "
		    "but the database was sealed under a key: put the file "
		    "back from your backup", path);
		return (-1);
	}
	if (seal_create_file(path, err))
		return (-1);
	*made = true;
	return (0);
}

/* Store the pepper sealed under the first master key, and the check value of
 * that key. */
static int
put_sealed(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, struct err *err)
{
	unsigned char check[SEAL_HASH_BYTES], *box;
	size_t boxlen;
	int rc;

	if (seal_check_value(seal, NULL, check)) {
		err_set(err, ERR_CRYPTO, "cannot make the check value of the "
		    "master key");
		return (-1);
	}
	if (seal_box(seal, META_PEPPER_CONTEXT, pepper->key,
	    sizeof(pepper->key), &box, &boxlen, err))
		return (-1);
	rc = put(st, "pepper", store_blob(box, boxlen), err);
	free(box);
	if (rc == 0)
		rc = put(st, "seal_key_id", store_text(seal_key_id(seal)),
		    err);
	if (rc == 0)
		rc = put(st, "seal_check", store_blob(check, sizeof(check)),
		    err);
	return (rc);
}

static int
install_inside(struct store *st, const struct seal *seal, bool *made,
    struct err *err)
{
	unsigned char id[ID_BYTES];
	char hex[2 * ID_BYTES + 1];
	struct seal_pepper pepper;
	bool installed;
	int rc;

	/* Somebody else may have been faster. */
	if (store_lock(st, STMT_LOCK_CONFIG, NULL, 0, err) ||
	    is_installed(st, &installed, err))
		return (-1);
	if (installed)
		return (meta_check_seal(st, seal, err));
	seal_random(id, sizeof(id));
	(void)sodium_bin2hex(hex, sizeof(hex), id, sizeof(id));
	if (put(st, "installation_id", store_text(hex), err) ||
	    put(st, "epoch", store_int(1), err) ||
	    put(st, "config_version", store_int(1), err))
		return (-1);
	seal_random(pepper.key, sizeof(pepper.key));
	rc = put_sealed(st, seal, &pepper, err);
	seal_wipe(&pepper, sizeof(pepper));
	*made = rc == 0;
	return (rc);
}

int
install_meta(struct store *st, const struct seal *seal, bool *made,
    struct err *err)
{
	bool installed;

	*made = false;
	if (is_installed(st, &installed, err))
		return (-1);
	if (installed)
		return (meta_check_seal(st, seal, err));
	if (store_begin(st, true, err))
		return (-1);
	if (install_inside(st, seal, made, err)) {
		store_rollback(st);
		return (-1);
	}
	return (store_commit(st, err));
}

/* Is the first key of the file the one that the database is sealed under?
 * It is not when an earlier rekey broke off before its transaction. */
static int
is_current(struct store *st, const struct seal *seal, bool *current,
    struct err *err)
{
	char id[KEY_ID_SIZE];
	size_t n;

	if (meta_check_seal(st, seal, err) ||
	    meta_get(st, "seal_key_id", id, sizeof(id) - 1, &n, err) == -1)
		return (-1);
	id[n] = '\0';
	*current = strcmp(id, seal_key_id(seal)) == 0;
	return (0);
}

/* Open the master keys with a new first one. */
static struct seal *
open_rotated(struct store *st, const char *path, struct err *err)
{
	struct seal *seal;
	bool current;

	if ((seal = seal_open(path, err)) == NULL)
		return (NULL);
	if (is_current(st, seal, &current, err))
		goto err0;
	if (!current)
		return (seal);
	if (seal_rotate_file(path, err))
		goto err0;
	seal_free(seal);
	return (seal_open(path, err));

err0:
	seal_free(seal);
	return (NULL);
}

int
install_reseal(struct store *st, const struct seal *seal, size_t *resealed,
    struct err *err)
{
	struct seal_pepper pepper;
	int rc;

	if (store_lock(st, STMT_LOCK_CONFIG, NULL, 0, err) ||
	    meta_pepper(st, seal, &pepper, err))
		return (-1);
	rc = put_sealed(st, seal, &pepper, err);
	seal_wipe(&pepper, sizeof(pepper));
	if (rc == 0)
		rc = account_secrets_reseal(st, seal, resealed, err);
	if (rc == 0)
		rc = second_factor_reseal(st, seal, err);
	if (rc == 0)
		rc = notify_secrets_reseal(st, seal, err);
	if (rc == 0)
		rc = store_exec(st, STMT_OAUTH_START_CLEAR, NULL, 1, 0, NULL,
		    err);
	return (rc);
}

int
install_rekey(struct store *st, const char *path, size_t *resealed,
    struct err *err)
{
	struct seal *seal;
	int rc;

	if ((seal = open_rotated(st, path, err)) == NULL)
		return (-1);
	if ((rc = change_begin(st, err)) == 0)
		rc = change_end(st, install_reseal(st, seal, resealed,
		    err), err);
	seal_free(seal);
	return (rc == 0 ? seal_prune_file(path, err) : -1);
}
