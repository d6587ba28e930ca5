#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "base/err.h"
#include "base/grow.h"
#include "store/store.h"

#include "pool/key_use.h"

/* What one batch adds to a sum: far beyond any bill, and so far below the
 * range of an integer that the database's sums stay integers. */
#define ADD_MAX		(INT64_MAX / 1024)

void
key_uses_init(struct key_uses *u)
{

	*u = (struct key_uses) { 0 };
}

void
key_uses_reset(struct key_uses *u)
{

	u->n = 0;
}

void
key_uses_fini(struct key_uses *u)
{

	free(u->list);
	key_uses_init(u);
}

static size_t
place_of(const struct key_uses *u, int64_t key_id)
{

	return (bisect_id(u->list, u->n, sizeof(*u->list), key_id));
}

static int
insert_at(struct key_uses *u, size_t at, int64_t key_id)
{
	struct key_use *list;

	if ((list = grow_at(u->list, u->n, &u->cap, sizeof(*list), at)) ==
	    NULL)
		return (-1);
	u->list = list;
	list[at] = (struct key_use) { .key_id = key_id };
	u->n++;
	return (0);
}

static int64_t
bounded(int64_t amount)
{

	if (amount > ADD_MAX)
		return (ADD_MAX);
	return (amount < -ADD_MAX ? -ADD_MAX : amount);
}

static void
add(int64_t *sum, int64_t amount)
{

	*sum = bounded(*sum + bounded(amount));
}

int
key_uses_add(struct key_uses *u, const struct key_use *use, struct err *err)
{
	size_t at = place_of(u, use->key_id);
	struct key_use *to;

	if ((at == u->n || u->list[at].key_id != use->key_id) &&
	    insert_at(u, at, use->key_id)) {
		err_set(err, ERR_NOMEM, "no memory for the use of a key");
		return (-1);
	}
	to = &u->list[at];
	add(&to->requests, use->requests);
	add(&to->nusd, use->nusd);
	add(&to->input_tokens, use->input_tokens);
	add(&to->output_tokens, use->output_tokens);
	add(&to->cache_read_tokens, use->cache_read_tokens);
	add(&to->cache_write_tokens, use->cache_write_tokens);
	if (use->last_ms > to->last_ms)
		to->last_ms = use->last_ms;
	return (0);
}

static int
write_one(const struct key_use *use, struct store *st, struct err *err)
{
	const struct store_value v[] = {
		store_int(use->requests), store_int(use->nusd),
		store_int(use->input_tokens), store_int(use->output_tokens),
		store_int(use->cache_read_tokens),
		store_int(use->cache_write_tokens), store_int(use->last_ms),
		store_int(use->last_ms), store_int(use->key_id)
	};
	struct store_value row[8];
	int64_t changes = 0;

	if (store_exec(st, STMT_KEY_USAGE_ADD, v, 1, 9, &changes, err))
		return (-1);
	if (changes > 0)
		return (0);

	/* The key's first. */
	memcpy(row, v, 7 * sizeof(row[0]));
	row[7] = v[8];
	return (store_exec(st, STMT_KEY_USAGE_OPEN, row, 1, 8, NULL, err));
}

/* On a shared store another may have made the row: one statement adds to it or
 * makes it, and takes all keys in one go. */
static int
write_all(const struct key_uses *u, struct store *st, struct err *err)
{
	struct store_value *v;
	const struct key_use *use;
	size_t i;
	int rc;

	if (u->n == 0)
		return (0);
	if ((v = calloc(8 * u->n, sizeof(*v))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the use of keys");
		return (-1);
	}
	for (i = 0; i < u->n; i++) {
		use = &u->list[i];
		v[8 * i] = store_int(use->requests);
		v[8 * i + 1] = store_int(use->nusd);
		v[8 * i + 2] = store_int(use->input_tokens);
		v[8 * i + 3] = store_int(use->output_tokens);
		v[8 * i + 4] = store_int(use->cache_read_tokens);
		v[8 * i + 5] = store_int(use->cache_write_tokens);
		v[8 * i + 6] = store_int(use->last_ms);
		v[8 * i + 7] = store_int(use->key_id);
	}
	rc = store_exec(st, STMT_KEY_USAGE_OPEN, v, u->n, 8, NULL, err);
	free(v);
	return (rc);
}

int
key_uses_write(struct key_uses *u, struct store *st, struct err *err)
{
	size_t i;

	if (store_shared(st)) {
		if (write_all(u, st, err))
			return (-1);
		u->n = 0;
		return (0);
	}
	for (i = 0; i < u->n; i++) {
		if (write_one(&u->list[i], st, err))
			return (-1);
	}
	u->n = 0;
	return (0);
}
