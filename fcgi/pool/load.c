#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "base/err.h"
#include "base/grow.h"
#include "store/store.h"

#include "pool/load.h"

/* Keys with requests in flight: bounded by the slots of all accounts. */
#define KEYS_MAX	1000000

void
load_init(struct load *l)
{

	*l = (struct load) { .fetch = LOAD_FREE };
}

void
load_fini(struct load *l)
{

	free(l->candidates);
	free(l->accounts);
	free(l->keys);
	boards_fini(&l->boards);
	load_init(l);
}

static ptrdiff_t
find_account(const struct load *l, int64_t id)
{
	size_t at = bisect_id(l->accounts, l->naccounts,
	    sizeof(*l->accounts), id);

	if (at == l->naccounts || l->accounts[at].id != id)
		return (-1);
	return ((ptrdiff_t)at);
}

int
load_follow(struct load *l, const struct snapshot *s, struct err *err)
{
	struct candidate *candidates;
	struct account_load *accounts;
	ptrdiff_t old;
	size_t i;

	candidates = calloc(s->naccounts + 1, sizeof(*candidates));
	accounts = calloc(s->naccounts + 1, sizeof(*accounts));
	if (candidates == NULL || accounts == NULL) {
		free(candidates);
		free(accounts);
		err_set(err, ERR_NOMEM, "no memory for the accounts' load");
		return (-1);
	}
	for (i = 0; i < s->naccounts; i++) {
		accounts[i].id = s->accounts[i].id;
		if ((old = find_account(l, s->accounts[i].id)) >= 0) {
			candidates[i] = l->candidates[old];
			accounts[i] = l->accounts[old];
		} else
			l->read_ms = l->health_read_ms = 0;
		candidates[i].account = &s->accounts[i];
		candidates[i].probed_until_ms = 0;
	}
	free(l->candidates);
	free(l->accounts);
	l->candidates = candidates;
	l->accounts = accounts;
	l->naccounts = s->naccounts;
	boards_reset(&l->boards);
	return (0);
}

void
load_begin(struct load *l)
{

	l->batch++;
}

void
load_forget(struct load *l)
{

	l->read_ms = 0;
}

struct candidate *
load_candidate(struct load *l, int64_t account_id)
{
	ptrdiff_t at = find_account(l, account_id);

	return (at < 0 ? NULL : &l->candidates[at]);
}

void
load_touch(struct load *l, const struct candidate *c)
{

	boards_touch(&l->boards, (size_t)(c - l->candidates));
}

static void
set_in_use(struct load *l, size_t at, int64_t in_use)
{

	if (l->candidates[at].in_use == in_use)
		return;
	l->candidates[at].in_use = in_use;
	boards_touch(&l->boards, at);
}

/* Where ${id} is, or would be. */
static size_t
key_place(const struct load *l, int64_t id)
{

	return (bisect_id(l->keys, l->nkeys, sizeof(*l->keys), id));
}

/* NULL: no memory; the count then waits for the next read. */
static struct key_load *
key_entry(struct load *l, int64_t id)
{
	size_t at = key_place(l, id);
	struct key_load *keys;

	if (at < l->nkeys && l->keys[at].id == id)
		return (&l->keys[at]);
	if (l->nkeys >= KEYS_MAX || (keys = grow_at(l->keys, l->nkeys,
	    &l->keys_cap, sizeof(*keys), at)) == NULL)
		return (NULL);
	l->keys = keys;
	l->nkeys++;
	keys[at] = (struct key_load) { .id = id };
	return (&keys[at]);
}

int64_t
load_key(const struct load *l, int64_t key_id)
{
	size_t at = key_place(l, key_id);

	if (at < l->nkeys && l->keys[at].id == key_id)
		return (l->keys[at].in_flight);
	return (0);
}

void
load_key_set(struct load *l, int64_t key_id, int64_t in_flight)
{
	struct key_load *k = key_entry(l, key_id);

	if (k != NULL)
		k->in_flight = in_flight;
}

void
load_add(struct load *l, int64_t account_id, int64_t key_id, int d)
{
	ptrdiff_t at = find_account(l, account_id);
	struct key_load *k = key_entry(l, key_id);

	if (at >= 0 && l->candidates[at].in_use + d >= 0)
		set_in_use(l, (size_t)at, l->candidates[at].in_use + d);
	if (k != NULL && k->in_flight + d >= 0)
		k->in_flight += d;
}

/* key_id, account_id, count; grouped, by key. */
static int
in_use_row(void *arg, const struct store_value *c, size_t n)
{
	struct load *l = arg;
	int64_t count = store_get_int(&c[2]);
	ptrdiff_t at = find_account(l, store_get_int(&c[1]));
	struct key_load *k = key_entry(l, store_get_int(&c[0]));

	(void)n;
	if (at >= 0)
		l->candidates[at].in_use += count;
	if (k != NULL)
		k->in_flight += count;
	return (0);
}

int
load_read(struct load *l, struct store *st, int64_t mono_ms, struct err *err)
{
	int64_t rc;
	size_t i;

	for (i = 0; i < l->naccounts; i++) {
		l->accounts[i].was_in_use = l->candidates[i].in_use;
		l->candidates[i].in_use = 0;
	}
	l->nkeys = 0;
	l->read_ms = 0;
	rc = store_query(st, STMT_SLOTS_IN_USE, NULL, 0, in_use_row, l, err);
	for (i = 0; i < l->naccounts; i++) {
		if (l->candidates[i].in_use != l->accounts[i].was_in_use)
			boards_touch(&l->boards, i);
	}
	if (rc < 0)
		return (-1);
	l->read_ms = mono_ms;
	l->read_batch = l->batch;
	return (0);
}

static int
free_row(void *arg, const struct store_value *c, size_t n)
{
	struct account_load *a = arg;

	(void)n;
	a->free[a->nfree].n = store_get_int(&c[0]);
	a->free[a->nfree].fence = store_get_int(&c[1]);
	a->last_n = a->free[a->nfree].n;
	a->nfree++;
	return (0);
}

static int
ask_free(struct load *l, struct store *st, enum stmt_id id, size_t index,
    struct err *err)
{
	struct account_load *a = &l->accounts[index];
	struct store_value params[4];

	a->nfree = a->pos = 0;
	params[0] = store_int(a->id);
	params[1] = store_int(a->last_n);
	params[2] = store_int(l->candidates[index].account->concurrency);
	params[3] = store_int((int64_t)l->fetch);
	if (store_query(st, id, params, 4, free_row, a, err) < 0)
		return (-1);
	a->all_seen = a->nfree < l->fetch;
	return (0);
}

static int
fetch_free(struct load *l, struct store *st, size_t index, struct err *err)
{
	struct account_load *a = &l->accounts[index];

	if (a->batch != l->batch) {
		a->batch = l->batch;
		a->last_n = 0;
		a->all_seen = false;
	}
	a->nfree = a->pos = 0;
	if (a->all_seen)
		return (0);
	return (ask_free(l, st, STMT_SLOTS_FREE, index, err));
}

static void
hand_out(struct account_load *a, int64_t *n, int64_t *fence)
{

	*n = a->free[a->pos].n;
	*fence = a->free[a->pos].fence;
	a->pos++;
}

int
load_free(struct load *l, struct store *st, size_t index, int64_t *n,
    int64_t *fence, struct err *err)
{
	struct account_load *a = &l->accounts[index];

	if ((a->batch != l->batch || a->pos == a->nfree) &&
	    fetch_free(l, st, index, err))
		return (-1);
	if (a->pos == a->nfree) {
		set_in_use(l, index,
		    l->candidates[index].account->concurrency);
		return (0);
	}
	hand_out(a, n, fence);
	return (1);
}

int
load_wait(struct load *l, struct store *st, size_t index, int64_t *n,
    int64_t *fence, struct err *err)
{
	struct account_load *a = &l->accounts[index];
	struct candidate *c = &l->candidates[index];

	if (!store_shared(st) || a->waited == l->batch)
		return (0);
	a->waited = l->batch;
	a->last_n = 0;
	if (ask_free(l, st, STMT_SLOTS_FREE_WAIT, index, err))
		return (-1);
	if (a->nfree == 0)
		return (0);
	set_in_use(l, index, c->account->concurrency - (int64_t)a->nfree);
	hand_out(a, n, fence);
	return (1);
}

void
load_expect(struct load *l, size_t nwants)
{

	l->fetch = LOAD_FREE;
	if (l->naccounts == 0)
		return;
	l->fetch = (nwants + l->naccounts - 1) / l->naccounts;
	if (l->fetch == 0)
		l->fetch = 1;
	if (l->fetch > LOAD_FREE)
		l->fetch = LOAD_FREE;
}
