#include <string.h>

#include "base/err.h"
#include "pool/lookup.h"
#include "store/store.h"

#include "change.h"
#include "keys.h"

#include "key_secrets.h"

/* Those that still work are not to become more and more. */
static int
check_room(struct store *st, int64_t id, int64_t now_ms, struct err *err)
{
	const struct store_value params[] = {
		store_int(now_ms), store_int(id)
	};
	int64_t n;

	if (store_one(st, STMT_KEY_SECRET_COUNT, params, 2, &n, 1, err) == -1)
		return (-1);
	if (n < KEY_SECRETS_MAX)
		return (0);
	err_set(err, ERR_EXISTS, "the key has %d old secrets that still work: "
	    "wait until one ends, or rotate without overlap",
	    KEY_SECRETS_MAX);
	return (-1);
}

/* The old secrets: none works for longer than ${until_ms}. */
static int
keep_old(struct store *st, int64_t id, int64_t now_ms, int64_t until_ms,
    struct err *err)
{
	const struct store_value cut[] = {
		store_int(until_ms), store_int(id), store_int(until_ms)
	};
	const struct store_value now = store_int(now_ms);

	if (store_exec(st, STMT_KEY_SECRET_CUT, cut, 1, 3, NULL, err))
		return (-1);
	if (until_ms > now_ms && (check_room(st, id, now_ms, err) ||
	    store_exec(st, STMT_KEY_SECRET_KEEP, cut, 1, 2, NULL, err)))
		return (-1);
	return (store_exec(st, STMT_KEY_SECRET_PRUNE, &now, 1, 1, NULL, err));
}

static int
rotate_inside(struct store *st, const struct seal_pepper *pepper,
    const char *name, int64_t overlap_ms, char key[SEAL_CLIENT_KEY_SIZE],
    struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	unsigned char hash[SEAL_HASH_BYTES];
	char visible[SEAL_VISIBLE_SIZE];
	struct store_value row[3];
	int64_t id;

	if (keys_find(st, name, &id, err) ||
	    keep_old(st, id, now_ms, now_ms + overlap_ms, err))
		return (-1);
	seal_new_client_key(key, visible);
	seal_hash(pepper, key, SEAL_CLIENT_KEY_SIZE - 1, hash);
	row[0] = store_text(visible);
	row[1] = store_blob(hash, sizeof(hash));
	row[2] = store_int(id);
	return (store_exec(st, STMT_KEY_SECRET_SET, row, 1, 3, NULL, err));
}

int
key_secrets_rotate(struct store *st, const struct seal_pepper *pepper,
    const char *name, int64_t overlap_ms, char key[SEAL_CLIENT_KEY_SIZE],
    struct err *err)
{
	int rc;

	if (overlap_ms < 0 || overlap_ms > KEY_OVERLAP_MAX_MS) {
		err_set(err, ERR_INVAL, "an old secret may go on to work for "
		    "30 days at the most");
		return (-1);
	}
	if (change_begin(st, err))
		return (-1);
	rc = change_end(st, rotate_inside(st, pepper, name, overlap_ms, key,
	    err), err);
	if (rc != 0)
		seal_wipe(key, SEAL_CLIENT_KEY_SIZE);
	return (rc);
}

int
key_secrets_find(struct store *st, const struct seal_pepper *pepper,
    const char *secret, int64_t *id, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	struct lookup_op op = { .key = NULL };
	int rc = 0;

	seal_hash(pepper, secret, strlen(secret), op.hash);
	if (lookup_read(st, &op, err))
		return (-1);
	if (op.key != NULL && op.key->enabled && (op.key->expires_ms == 0 ||
	    op.key->expires_ms > now_ms)) {
		*id = op.key->id;
		rc = 1;
	}
	key_info_unref(op.key);
	return (rc);
}
