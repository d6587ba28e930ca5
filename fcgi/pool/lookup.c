#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "pool/lookup.h"

/* ---- reading ---- */

struct reading {
	const unsigned char *hash;
	struct key_info *key;
	struct err *err;
};

/* id, name, visible, bind_kind, bind_id, concurrency, models, enabled,
 * expires_ms, config_version, drain_ms or -1, clients, nets; of a secret that
 * it had before: until_ms */
static int
key_row(void *arg, const struct store_value *c, size_t n)
{
	struct reading *r = arg;
	struct key_info *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		goto nomem;
	k->refs = 1;
	if ((k->models = strdup(store_get_text(&c[6]))) == NULL ||
	    (k->clients = strdup(store_get_text(&c[11]))) == NULL ||
	    (k->nets = strdup(store_get_text(&c[12]))) == NULL)
		goto nomem;
	k->id = store_get_int(&c[0]);
	snprintf(k->name, sizeof(k->name), "%s", store_get_text(&c[1]));
	snprintf(k->visible, sizeof(k->visible), "%s",
	    store_get_text(&c[2]));
	snprintf(k->bind_kind, sizeof(k->bind_kind), "%s",
	    store_get_text(&c[3]));
	k->bind_id = store_get_int(&c[4]);
	k->concurrency = store_get_int(&c[5]);
	k->enabled = store_get_int(&c[7]) != 0;
	k->expires_ms = store_get_int(&c[8]);
	k->version = store_get_int(&c[9]);
	k->drain_ms = store_get_int(&c[10]);
	memcpy(k->hash, r->hash, sizeof(k->hash));
	k->until_ms = n > 13 ? store_get_int(&c[13]) : 0;
	r->key = k;
	return (1);

nomem:
	key_info_unref(k);
	err_set(r->err, ERR_NOMEM, "no memory for a key");
	return (-1);
}

static bool
is_over(const struct key_info *k, int64_t now_ms)
{

	return (k->until_ms != 0 && k->until_ms <= now_ms);
}

/* By the present secret of a key, or by one that it had before and that still
 * works.  *${key} NULL: there is none. */
static int
read_key(struct store *st, const unsigned char hash[SEAL_HASH_BYTES],
    struct key_info **key, struct err *err)
{
	const struct store_value v = store_blob(hash, SEAL_HASH_BYTES);
	struct reading r = { .hash = hash, .err = err };
	int64_t n;

	*key = NULL;
	n = store_query(st, STMT_KEY_BY_HASH, &v, 1, key_row, &r, err);
	if (n == 0)
		n = store_query(st, STMT_KEY_BY_OLD_HASH, &v, 1, key_row, &r,
		    err);
	if (n < 0)
		return (-1);
	if (r.key != NULL && is_over(r.key, store_now_ms(st))) {
		key_info_unref(r.key);
		r.key = NULL;
	}
	*key = r.key;
	return (0);
}

int
lookup_read(struct store *st, struct lookup_op *op, struct err *err)
{
	struct key_info *key;

	if (read_key(st, op->hash, &key, err))
		return (-1);
	key_info_unref(op->key);	/* of a try before */
	op->key = key;
	return (0);
}

int
lookup_again(struct store *st, const struct key_info *key, struct err *err)
{
	struct key_info *now;
	int rc;

	if (read_key(st, key->hash, &now, err))
		return (-1);
	rc = now != NULL && now->id == key->id;
	key_info_unref(now);
	return (rc);
}

void
key_info_unref(struct key_info *k)
{

	if (k == NULL || --k->refs > 0)
		return;
	free(k->models);
	free(k->clients);
	free(k->nets);
	free(k);
}

/* ---- remembering ---- */

struct entry {
	unsigned char hash[SEAL_HASH_BYTES];
	struct key_info *key;
	LIST_ENTRY(entry) chain;
	TAILQ_ENTRY(entry) age;
};

LIST_HEAD(chain, entry);

struct key_cache {
	int64_t version;
	size_t n, max, nchains;
	TAILQ_HEAD(, entry) ages;	/* least recently used first */
	struct chain *chains;
};

struct key_cache *
key_cache_new(size_t max)
{
	struct key_cache *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	TAILQ_INIT(&c->ages);
	c->max = max;
	c->nchains = max;
	c->chains = calloc(c->nchains, sizeof(*c->chains));
	if (c->chains == NULL) {
		free(c);
		return (NULL);
	}
	return (c);
}

static void
forget(struct key_cache *c, struct entry *e)
{

	LIST_REMOVE(e, chain);
	TAILQ_REMOVE(&c->ages, e, age);
	key_info_unref(e->key);
	free(e);
	c->n--;
}

void
key_cache_free(struct key_cache *c)
{
	struct entry *e;

	if (c == NULL)
		return;
	while ((e = TAILQ_FIRST(&c->ages)) != NULL)
		forget(c, e);
	free(c->chains);
	free(c);
}

void
key_cache_version(struct key_cache *c, int64_t version)
{

	c->version = version;
}

/* The hash is one already: any eight bytes of it are spread well. */
static struct chain *
chain_of(const struct key_cache *c, const unsigned char *hash)
{
	uint64_t x;

	memcpy(&x, hash, sizeof(x));
	return (&c->chains[x % c->nchains]);
}

static struct entry *
find(const struct key_cache *c, const unsigned char *hash)
{
	struct entry *e;

	LIST_FOREACH(e, chain_of(c, hash), chain) {
		if (memcmp(e->hash, hash, sizeof(e->hash)) == 0)
			return (e);
	}
	return (NULL);
}

struct key_info *
key_cache_get(struct key_cache *c, const unsigned char hash[SEAL_HASH_BYTES],
    int64_t now_ms)
{
	struct entry *e;

	if ((e = find(c, hash)) == NULL || e->key->version != c->version ||
	    is_over(e->key, now_ms))
		return (NULL);
	TAILQ_REMOVE(&c->ages, e, age);
	TAILQ_INSERT_TAIL(&c->ages, e, age);
	e->key->refs++;
	return (e->key);
}

bool
key_cache_knows(const struct key_cache *c,
    const unsigned char hash[SEAL_HASH_BYTES])
{

	return (find(c, hash) != NULL);
}

void
key_cache_put(struct key_cache *c, const unsigned char hash[SEAL_HASH_BYTES],
    struct key_info *key)
{
	struct entry *e;

	if ((e = find(c, hash)) != NULL)
		forget(c, e);
	if (key == NULL || key->version != c->version)
		return;
	if (c->n == c->max)
		forget(c, TAILQ_FIRST(&c->ages));
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return;
	memcpy(e->hash, hash, sizeof(e->hash));
	e->key = key;
	key->refs++;
	LIST_INSERT_HEAD(chain_of(c, hash), e, chain);
	TAILQ_INSERT_TAIL(&c->ages, e, age);
	c->n++;
}
