#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ledger/price.h"
#include "store/store.h"

#include "pool/keys.h"
#include "pool/load.h"

void
keys_init(struct keys *k)
{

	*k = (struct keys) { 0 };
}

void
keys_reset(struct keys *k)
{
	size_t i;

	for (i = 0; i < k->n; i++) {
		free(k->list[i]->models);
		free(k->list[i]);
	}
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

static int
key_row(void *arg, const struct store_value *c, size_t n)
{
	struct reading *r = arg;
	struct key_state *key = r->key;

	(void)n;
	key->found = true;
	key->enabled = store_get_int(&c[0]) != 0 && c[1].type == STORE_NULL;
	key->expires_ms = store_get_int(&c[2]);
	snprintf(key->bind_kind, sizeof(key->bind_kind), "%s",
	    store_get_text(&c[3]));
	key->bind_id = store_get_int(&c[4]);
	key->person_id = store_get_int(&c[5]);
	key->concurrency = store_get_int(&c[6]);
	key->turn = store_get_int(&c[8]);
	if (key->concurrency > 0)
		load_key_set(r->load, key->id, store_get_int(&c[9]));
	if (*store_get_text(&c[7]) == '\0')
		return (1);
	if ((key->models = strdup(store_get_text(&c[7]))) != NULL)
		return (1);
	err_set(r->err, ERR_NOMEM, "no memory for a key");
	return (-1);
}

/* Where ${id} is in the list, or would be. */
static size_t
place_of(const struct keys *k, int64_t id)
{
	size_t lo = 0, hi = k->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (k->list[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

static int
insert_at(struct keys *k, size_t at, struct key_state *key)
{
	struct key_state **list;
	size_t cap;

	if (k->n == k->cap) {
		cap = k->cap == 0 ? 64 : k->cap * 2;
		if ((list = realloc(k->list, cap * sizeof(*list))) == NULL)
			return (-1);
		k->list = list;
		k->cap = cap;
	}
	memmove(k->list + at + 1, k->list + at,
	    (k->n - at) * sizeof(*k->list));
	k->list[at] = key;
	k->n++;
	return (0);
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
	free(r.key->models);
	free(r.key);
err0:
	return (NULL);
}

/* Is ${model} named by one of the patterns, which stand between commas? */
static bool
model_allowed(const char *models, const char *model)
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
	    !model_allowed(key->models, model))
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
