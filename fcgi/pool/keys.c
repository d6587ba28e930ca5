#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "base/err.h"
#include "base/grow.h"
#include "ledger/price.h"
#include "store/store.h"

#include "pool/idlist.h"
#include "pool/keys.h"
#include "pool/load.h"

void
keys_init(struct keys *k)
{

	*k = (struct keys) { 0 };
}

static void
key_free(struct key_state *key)
{

	free(key->models);
	free(key->clients);
	free(key->nets);
	free(key);
}

void
keys_reset(struct keys *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		key_free(k->list[i]);
	k->n = 0;
}

void
keys_fini(struct keys *k)
{

	keys_reset(k);
	free(k->list);
	keys_init(k);
}

struct reading {
	struct key_state *key;
	struct load *load;
	struct err *err;
};

/* A list; NULL for one that is "". */
static int
take_list(const struct store_value *c, char **out, struct err *err)
{

	if (*store_get_text(c) == '\0' ||
	    (*out = strdup(store_get_text(c))) != NULL)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for a key");
	return (-1);
}

/* enabled, revoked_ms, expires_ms, bind_kind, bind_id, person_id, concurrency,
 * models, turn, the person's concurrency, queue_class, clients, nets; 0, or
 * -1 */
static int
take_key(struct key_state *key, const struct store_value *c, struct err *err)
{

	key->found = true;
	key->enabled = store_get_int(&c[0]) != 0 && c[1].type == STORE_NULL;
	key->expires_ms = store_get_int(&c[2]);
	snprintf(key->bind_kind, sizeof(key->bind_kind), "%s",
	    store_get_text(&c[3]));
	key->bind_id = store_get_int(&c[4]);
	key->person_id = store_get_int(&c[5]);
	key->concurrency = store_get_int(&c[6]);
	key->turn = store_get_int(&c[8]);
	key->person_concurrency = store_get_int(&c[9]);
	key->queue_class = (int)store_get_int(&c[10]);
	return (take_list(&c[7], &key->models, err) ||
	    take_list(&c[11], &key->clients, err) ||
	    take_list(&c[12], &key->nets, err) ? -1 : 0);
}

/* As take_key has them, and the count. */
static int
key_row(void *arg, const struct store_value *c, size_t n)
{
	struct reading *r = arg;

	(void)n;
	if (take_key(r->key, c, r->err))
		return (-1);
	if (r->key->concurrency > 0)
		load_key_set(r->load, r->key->id, store_get_int(&c[13]));
	return (1);
}

static size_t
place_of(const struct keys *k, int64_t id)
{

	return (bisect_id_at(k->list, k->n, id));
}

static int
insert_at(struct keys *k, size_t at, struct key_state *key)
{
	struct key_state **list;

	if ((list = grow_at(k->list, k->n, &k->cap, sizeof(*list), at)) ==
	    NULL)
		return (-1);
	k->list = list;
	list[at] = key;
	k->n++;
	return (0);
}

static struct key_state *
find(const struct keys *k, int64_t id)
{
	size_t at = place_of(k, id);

	return (at < k->n && k->list[at]->id == id ? k->list[at] : NULL);
}

/* ---- many at once, on a shared store ---- */

/* Keys that are not there are remembered as such. */
static int
add_blank(struct keys *k, int64_t id, struct err *err)
{
	struct key_state *key = calloc(1, sizeof(*key));

	if (key != NULL) {
		key->id = id;
		if (insert_at(k, place_of(k, id), key) == 0)
			return (0);
		free(key);
	}
	err_set(err, ERR_NOMEM, "no memory for a key");
	return (-1);
}

struct reading_many {
	struct keys *keys;
	struct load *load;
	struct err *err;
};

/* The id, and what take_key takes. */
static int
keys_row(void *arg, const struct store_value *c, size_t n)
{
	struct reading_many *r = arg;
	struct key_state *key = find(r->keys, store_get_int(&c[0]));

	(void)n;
	return (key == NULL ? 0 : take_key(key, c + 1, r->err));
}

static int
count_row(void *arg, const struct store_value *c, size_t n)
{
	struct reading_many *r = arg;

	(void)n;
	load_key_set(r->load, store_get_int(&c[0]), store_get_int(&c[1]));
	return (0);
}

/* What is counted must be read after the lock. */
static int
lock_bounded(struct keys *k, struct store *st, struct load *load,
    struct idlist *ids, struct err *err)
{
	struct reading_many r = { .keys = k, .load = load, .err = err };
	const struct key_state *key;
	struct store_value param;
	struct idlist bounded;
	size_t i;
	int rc = 0;

	idlist_init(&bounded, 1);
	for (i = 0; i < ids->n; i++) {
		key = find(k, ids->v[i]);
		if (key == NULL || key->concurrency == 0)
			continue;
		idlist_put(&bounded, key->id, 0);
		load_key_set(load, key->id, 0);
	}
	if (bounded.n > 0 && (idlist_param(&bounded, &param, err) ||
	    store_lock(st, STMT_LOCK_KEYS, &param, 1, err) ||
	    store_query(st, STMT_KEYS_IN_FLIGHT, &param, 1, count_row, &r,
	    err) < 0))
		rc = -1;
	idlist_fini(&bounded);
	return (rc);
}

int
keys_fetch(struct keys *k, struct store *st, struct load *load,
    struct idlist *ids, struct err *err)
{
	struct reading_many r = { .keys = k, .load = load, .err = err };
	struct store_value param;
	struct idlist new;
	size_t i;
	int rc = -1;

	idlist_sort(ids);
	idlist_init(&new, 1);
	for (i = 0; i < ids->n; i++) {
		if (find(k, ids->v[i]) != NULL)
			continue;
		idlist_put(&new, ids->v[i], 0);
		if (add_blank(k, ids->v[i], err))
			goto done;
	}
	if (new.n > 0 && (idlist_param(&new, &param, err) ||
	    store_query(st, STMT_KEYS_READ, &param, 1, keys_row, &r, err) <
	    0 || lock_bounded(k, st, load, &new, err)))
		goto done;
	rc = ids->failed ? idlist_param(ids, &param, err) : 0;
done:
	idlist_fini(&new);
	return (rc);
}

/* ---- one ---- */

static struct key_state *
fetch_one(struct keys *k, struct store *st, struct load *load, int64_t id,
    struct err *err)
{
	struct idlist ids;
	int rc;

	idlist_init(&ids, 1);
	idlist_put(&ids, id, 0);
	rc = keys_fetch(k, st, load, &ids, err);
	idlist_fini(&ids);
	return (rc == 0 ? find(k, id) : NULL);
}

struct key_state *
keys_get(struct keys *k, struct store *st, struct load *load, int64_t id,
    struct err *err)
{
	struct store_value param = store_int(id);
	size_t at = place_of(k, id);
	struct reading r = { .load = load, .err = err };

	if (at < k->n && k->list[at]->id == id)
		return (k->list[at]);
	if (store_shared(st))
		return (fetch_one(k, st, load, id, err));
	if ((r.key = calloc(1, sizeof(*r.key))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a key");
		goto err0;
	}
	r.key->id = id;
	if (store_query(st, STMT_KEY_CHECK, &param, 1, key_row, &r, err) < 0)
		goto err1;
	if (insert_at(k, at, r.key)) {
		err_set(err, ERR_NOMEM, "no memory for a key");
		goto err1;
	}
	return (r.key);

err1:
	key_free(r.key);
err0:
	return (NULL);
}

bool
models_allow(const char *models, const char *model)
{
	char pattern[128];
	const char *p = models;
	size_t n;

	for (;;) {
		p += strspn(p, ", \t");
		if (*p == '\0')
			return (false);
		n = strcspn(p, ", \t");
		if (n < sizeof(pattern)) {
			memcpy(pattern, p, n);
			pattern[n] = '\0';
			if (price_match(pattern, model))
				return (true);
		}
		p += n;
	}
}

enum admit_verdict
key_verdict(const struct key_state *key, const char *model, int64_t now_ms)
{

	if (!key->found || !key->enabled)
		return (ADMIT_NO_KEY);
	if (key->expires_ms != 0 && key->expires_ms <= now_ms)
		return (ADMIT_KEY_EXPIRED);
	if (key->models != NULL && model[0] != '\0' &&
	    !models_allow(key->models, model))
		return (ADMIT_MODEL);
	return (ADMIT_LEASED);
}

void
keys_had_turn(struct keys *k, struct key_state *key, int64_t now_ms)
{
	size_t i;

	if (now_ms > key->turn)
		key->turn = now_ms;
	for (i = 0; i < k->n; i++) {
		if (k->list[i]->turn >= key->turn)
			key->turn = k->list[i]->turn + 1;
	}
	key->turn_moved = true;
}

struct counting {
	struct keys *keys;
	int64_t *n;
};

/* key, how many */
static int
queued_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct counting *r = arg;
	struct key_state *key = find(r->keys, store_get_int(&c[0]));

	(void)ncols;
	if (key == NULL || key->waiting == 0)
		(*r->n)++;
	if (key != NULL)
		key->waiting += store_get_int(&c[1]);
	return (0);
}

int
keys_queued(struct keys *k, struct store *st, int64_t *n, struct err *err)
{
	struct counting r = { .keys = k, .n = n };

	return (store_query(st, STMT_TICKETS_BY_KEY, NULL, 0, queued_row, &r,
	    err) < 0 ? -1 : 0);
}

int
keys_write_turns(struct keys *k, struct store *st, struct err *err)
{
	struct store_value params[2];
	size_t i;

	for (i = 0; i < k->n; i++) {
		if (!k->list[i]->turn_moved)
			continue;
		params[0] = store_int(k->list[i]->turn);
		params[1] = store_int(k->list[i]->id);
		if (store_exec(st, STMT_KEY_TURN, params, 1, 2, NULL, err))
			return (-1);
	}
	return (0);
}
