#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "ledger/meta.h"

/* Sealed pepper, key id: both are far shorter. */
#define VALUE_MAX	512

struct value_into {
	void *buf;
	size_t size;
	size_t len;
};

static int
copy_value(void *arg, const struct store_value *cols, size_t ncols)
{
	struct value_into *into = arg;

	(void)ncols;
	into->len = cols[0].n;
	if (cols[0].n <= into->size && cols[0].n > 0)
		memcpy(into->buf, cols[0].p, cols[0].n);
	return (1);
}

int
meta_get(struct store *st, const char *name, void *buf, size_t size,
    size_t *len, struct err *err)
{
	struct store_value param = store_text(name);
	struct value_into into = { .buf = buf, .size = size };
	int64_t n;

	n = store_query(st, STMT_META_GET, &param, 1, copy_value, &into, err);
	if (n <= 0)
		return ((int)n);
	if (into.len > size) {
		err_set(err, ERR_TOO_LARGE, "meta value \"%s\" is longer than "
		    "%zu bytes", name, size);
		return (-1);
	}
	*len = into.len;
	return (1);
}

/* As meta_get, where a value must be there. */
static int
must_get(struct store *st, const char *name, void *buf, size_t size,
    size_t *len, struct err *err)
{
	int rc;

	if ((rc = meta_get(st, name, buf, size, len, err)) == 0)
		err_set(err, ERR_NOT_FOUND, "the database is not set up (it "
		    "has no %s): run \"leasehold init\"", name);
	return (rc == 1 ? 0 : -1);
}

int
meta_check_seal(struct store *st, const struct seal *seal, struct err *err)
{
	unsigned char stored[SEAL_HASH_BYTES], here[SEAL_HASH_BYTES];
	char key_id[VALUE_MAX];
	size_t n;

	if (must_get(st, "seal_key_id", key_id, sizeof(key_id) - 1, &n, err))
		return (-1);
	key_id[n] = '\0';
	if (must_get(st, "seal_check", stored, sizeof(stored), &n, err))
		return (-1);
	if (n == sizeof(stored) &&
	    seal_check_value(seal, key_id, here) == 0 &&
	    memcmp(stored, here, sizeof(here)) == 0)
		return (0);
	err_set(err, ERR_CRYPTO, "this master key file (its first key is %s) "
	    "does not belong to this database, which was sealed under key "
	    "%s: put the right file in place, see master_key_file",
	    seal_key_id(seal), key_id);
	return (-1);
}

static bool
needs_a_person(enum err_code code)
{

	return (code == ERR_SCHEMA || code == ERR_CRYPTO ||
	    code == ERR_PERM || code == ERR_INVAL);
}

int
meta_check_start(const char *url, int64_t busy_timeout_ms,
    const struct seal *seal, struct err *err)
{
	const struct store_options opt = {
		.busy_timeout_ms = busy_timeout_ms,
	};
	struct err why = { 0 };
	struct store *st;
	int rc = -1;

	if ((st = store_open(url, &opt, &why)) != NULL) {
		if (store_prepare(st, &why) == 0)
			rc = meta_check_seal(st, seal, &why);
		store_close(st);
	}
	if (rc == 0 || !needs_a_person(why.code))
		return (0);
	err_set(err, why.code, "%s", why.text);
	return (-1);
}

int
meta_pepper(struct store *st, const struct seal *seal,
    struct seal_pepper *pepper, struct err *err)
{
	unsigned char box[VALUE_MAX];
	char *plain;
	size_t n, plain_len;

	if (meta_check_seal(st, seal, err) ||
	    must_get(st, "pepper", box, sizeof(box), &n, err))
		goto err0;
	if (seal_unbox(seal, META_PEPPER_CONTEXT, box, n, &plain, &plain_len,
	    err))
		goto err0;
	if (plain_len != sizeof(pepper->key)) {
		err_set(err, ERR_CRYPTO, "the pepper in the database has %zu "
		    "bytes instead of %zu", plain_len, sizeof(pepper->key));
		goto err1;
	}
	memcpy(pepper->key, plain, plain_len);
	seal_wipe_free(plain, plain_len);
	return (0);

err1:
	seal_wipe_free(plain, plain_len);
err0:
	return (-1);
}

int
meta_epoch(struct store *st, int64_t *epoch, struct err *err)
{

	*epoch = 0;
	return (store_one(st, STMT_META_EPOCH, NULL, 0, epoch, 1, err) < 0 ?
	    -1 : 0);
}

int
meta_config_version(struct store *st, int64_t *version, struct err *err)
{
	int rc;

	if ((rc = store_one(st, STMT_META_CONFIG_VERSION, NULL, 0, version, 1,
	    err)) == 0)
		err_set(err, ERR_NOT_FOUND, "the database is not set up (it "
		    "has no config_version): run \"leasehold init\"");
	return (rc == 1 ? 0 : -1);
}
