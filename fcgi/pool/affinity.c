#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/num.h"
#include "ledger/usage.h"
#include "store/store.h"

#include "pool/affinity.h"
#include "pool/breaker.h"
#include "pool/idlist.h"
#include "pool/models.h"
#include "pool/place.h"
#include "pool/runner.h"

/* A row that was read so long ago is read again: it may have moved. */
#define READ_MS		10000

/* Its last use is written when the row is behind by this part of the time that
 * a session lasts. */
#define GRAIN_PART	16

/*
 * Prompt caches: kept for 5 minutes after each use, or an hour where the
 * client asks for that; prompts of less than 1,024 tokens are not cached
 * (platform.claude.com/docs, "Prompt caching").
 */
#define CACHE_MS	INT64_C(300000)
#define CACHE_LONG_MS	INT64_C(3600000)
#define CACHE_LEAST	1024

/* A cache of so many tokens is worth the whole wait. */
#define CACHE_LARGE	32768

/* A session has small requests among its large ones, such as for titles: less
 * is believed step by step. */
#define FORGET_PART	4

/* English text has about four bytes a token. */
#define BYTES_A_TOKEN	4

void
affinity_init(struct affinity *a)
{

	*a = (struct affinity) { .sets = NULL };
}

void
affinity_fini(struct affinity *a)
{

	free(a->sets);
	affinity_init(a);
}

int64_t
affinity_id(const struct key_state *key, const char *session)
{
	const int64_t scope[2] = { key->id, key->bind_id };
	unsigned char sum[crypto_generichash_BYTES_MIN];
	crypto_generichash_state h;
	int64_t id;

	(void)crypto_generichash_init(&h, NULL, 0, sizeof(sum));
	(void)crypto_generichash_update(&h,
	    (const unsigned char *)scope, sizeof(scope));
	(void)crypto_generichash_update(&h,
	    (const unsigned char *)key->bind_kind, strlen(key->bind_kind) + 1);
	(void)crypto_generichash_update(&h,
	    (const unsigned char *)session, strlen(session));
	(void)crypto_generichash_final(&h, sum, sizeof(sum));
	memcpy(&id, sum, sizeof(id));
	id &= INT64_MAX;
	return (id > 0 ? id : 1);
}

int64_t
affinity_patience_ms(const struct session *s, int64_t wait_ms, int64_t now_ms)
{

	if (s->cached_tokens < CACHE_LEAST ||
	    now_ms - s->used_ms >= s->cache_ms)
		return (0);
	if (s->cached_tokens >= CACHE_LARGE)
		return (wait_ms);
	return (wait_ms * s->cached_tokens / CACHE_LARGE);
}

static int64_t
later(int64_t a, int64_t b)
{

	return (a > b ? a : b);
}

/* ---- memory ---- */

static struct session *
find(const struct affinity *a, int64_t id)
{
	struct session *set;
	size_t i;

	if (a->sets == NULL)
		return (NULL);
	set = a->sets[(uint64_t)id % AFFINITY_SETS];
	for (i = 0; i < AFFINITY_WAYS; i++) {
		if (set[i].id == id)
			return (&set[i]);
	}
	return (NULL);
}

/* A new one in the place of the one that was used least lately; NULL: no
 * memory, and no affinity. */
static struct session *
make(struct affinity *a, int64_t id)
{
	struct session *set, *oldest;
	size_t i;

	if (a->sets == NULL &&
	    (a->sets = calloc(AFFINITY_SETS, sizeof(*a->sets))) == NULL)
		return (NULL);
	oldest = set = a->sets[(uint64_t)id % AFFINITY_SETS];
	for (i = 1; i < AFFINITY_WAYS; i++) {
		if (set[i].used_ms < oldest->used_ms)
			oldest = &set[i];
	}
	*oldest = (struct session) { .id = id };
	return (oldest);
}

static void
mark_changed(struct affinity *a, struct session *s)
{

	if (s->changed || a->nchanges == AFFINITY_CHANGES)
		return;
	s->changed = true;
	a->changes[a->nchanges++] = s->id;
}

/* ---- rows ---- */

/* id, account, since, used, tokens, how long they are kept, expires */
static int
session_row(void *arg, const struct store_value *c, size_t n)
{
	struct runner *rn = arg;
	int64_t id = store_get_int(&c[0]), since_ms = store_get_int(&c[2]);
	struct session *s = find(&rn->affinity, id);

	(void)n;
	if (s == NULL && (s = make(&rn->affinity, id)) == NULL)
		return (0);
	s->read_ms = rn->mono_ms;
	if (since_ms < s->since_ms)
		return (0);
	s->account_id = store_get_int(&c[1]);
	s->since_ms = since_ms;
	s->told_ms = store_get_int(&c[3]);
	s->told_tokens = store_get_int(&c[4]);
	s->cache_ms = store_get_int(&c[5]);
	s->expires_ms = later(s->expires_ms, store_get_int(&c[6]));
	s->used_ms = later(s->used_ms, s->told_ms);
	s->cached_tokens = later(s->cached_tokens, s->told_tokens);
	return (0);
}

/* It is about to move, or what is remembered is old: look first. */
static bool
must_read(struct runner *rn, const struct want *w)
{
	const struct session *s = find(&rn->affinity, w->op->session_id);
	const struct candidate *c;
	char room[POOL_FAMILY_SIZE];

	if (s == NULL)
		return (true);
	if (s->read_ms == rn->mono_ms)
		return (false);
	if (rn->mono_ms - s->read_ms >= READ_MS)
		return (true);
	c = load_candidate(&rn->load, s->account_id);
	return (c == NULL || !c->account->enabled ||
	    breaker_of(c->account, account_family(c->account, w->model,
	    w->family, room), rn->now_ms, NULL) != BREAKER_CLOSED);
}

static int
read_rows(struct runner *rn, struct idlist *ids, struct err *err)
{
	struct store_value params[2];

	if (ids->n == 0)
		return (0);
	if (idlist_param(ids, &params[0], err))
		return (-1);
	params[1] = store_int(rn->now_ms);
	return (store_query(rn->st, STMT_AFFINITY_READ, params, 2,
	    session_row, rn, err) < 0 ? -1 : 0);
}

static bool
has_session(const struct want *w)
{

	return (w->op != NULL && w->op->session_id != 0);
}

/* Half of the time that a request has is left for a move. */
static int64_t
wait_until_ms(const struct runner *rn, const struct admit_op *op,
    const struct session *s)
{
	int64_t most_ms = (op->give_up_ms - op->submitted_ms) / 2;
	int64_t ms = affinity_patience_ms(s, rn->set.affinity_wait_ms,
	    rn->now_ms);

	return (op->submitted_ms + (ms < most_ms ? ms : most_ms));
}

static void
settle_home(struct runner *rn, struct want *w)
{
	const struct session *s = find(&rn->affinity, w->op->session_id);
	int64_t until_ms;

	w->home = 0;
	w->patient = false;
	if (s == NULL || s->expires_ms <= rn->now_ms)
		return;
	w->home = s->account_id;
	until_ms = wait_until_ms(rn, w->op, s);
	w->patient = w->needs_slot && until_ms > rn->mono_ms;
	w->home_until_ms = rn->now_ms + until_ms - rn->mono_ms;
}

int
affinity_look(struct runner *rn, struct want *wants, size_t n,
    struct err *err)
{
	struct idlist ids;
	struct want *w;
	int rc;

	if (rn->set.affinity_ttl_ms == 0)
		return (0);
	idlist_init(&ids, 1);
	for (w = wants; w < wants + n; w++) {
		if (has_session(w) && must_read(rn, w))
			idlist_put(&ids, w->op->session_id, 0);
	}
	rc = read_rows(rn, &ids, err);
	idlist_fini(&ids);
	for (w = wants; w < wants + n && rc == 0; w++) {
		if (has_session(w))
			settle_home(rn, w);
	}
	return (rc);
}

/* ---- use ---- */

/* It begins, or moves: what was cached is cached no more, and the prompt will
 * be, as far as is known. */
static void
settle_in(struct runner *rn, struct session *s, const struct admit_op *op,
    int64_t account_id)
{

	s->account_id = account_id;
	s->since_ms = rn->now_ms;
	s->cached_tokens = op->body_bytes / BYTES_A_TOKEN;
	s->guessed = true;
	s->told_ms = 0;
	s->read_ms = rn->mono_ms;
}

void
affinity_use(struct runner *rn, const struct admit_op *op, int64_t account_id)
{
	int64_t ttl_ms = rn->set.affinity_ttl_ms, grain_ms;
	struct session *s;

	if (op->session_id == 0 || ttl_ms == 0)
		return;
	s = find(&rn->affinity, op->session_id);
	if (s == NULL && (s = make(&rn->affinity, op->session_id)) == NULL)
		return;
	if (s->account_id != account_id || s->expires_ms <= rn->now_ms)
		settle_in(rn, s, op, account_id);
	s->cache_ms = op->long_cache ? CACHE_LONG_MS : CACHE_MS;
	if (op->long_cache && ttl_ms < CACHE_LONG_MS)
		ttl_ms = CACHE_LONG_MS;
	grain_ms = ttl_ms / GRAIN_PART;
	s->used_ms = rn->now_ms;
	s->expires_ms = rn->now_ms + ttl_ms + grain_ms;
	if (rn->now_ms - s->told_ms >= grain_ms)
		mark_changed(&rn->affinity, s);
}

void
affinity_learn(struct runner *rn, int64_t id, int64_t account_id,
    const struct usage *u)
{
	struct session *s = id == 0 ? NULL : find(&rn->affinity, id);
	int64_t tokens = num_add_sat(u->cache_read_tokens,
	    num_add_sat(u->cache_write_5m_tokens, u->cache_write_1h_tokens));

	if (s == NULL || s->account_id != account_id ||
	    (tokens == 0 && u->input_tokens == 0))
		return;
	if (s->guessed || tokens >= s->cached_tokens)
		s->cached_tokens = tokens;
	else
		s->cached_tokens -= (s->cached_tokens - tokens) /
		    FORGET_PART;
	s->guessed = false;

	/* Below that it is all the same. */
	if (later(s->cached_tokens, s->told_tokens) < CACHE_LEAST)
		return;
	if (s->cached_tokens / 2 > s->told_tokens ||
	    s->cached_tokens < s->told_tokens / 2)
		mark_changed(&rn->affinity, s);
}

/* ---- the end of a batch ---- */

static int
id_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

int
affinity_write(struct runner *rn, struct err *err)
{
	struct affinity *a = &rn->affinity;
	struct session *s;
	size_t i;

	if (a->nchanges == 0)
		return (0);
	qsort(a->changes, a->nchanges, sizeof(a->changes[0]), id_cmp);
	for (i = 0; i < a->nchanges; i++) {
		/* Others may have come in its place. */
		if ((s = find(a, a->changes[i])) == NULL)
			continue;
		ROWS_PUT(&rn->rows[ROWS_AFFINITY_PUT], store_int(s->id),
		    store_int(s->account_id), store_int(s->used_ms),
		    store_int(s->cached_tokens), store_int(s->cache_ms),
		    store_int(s->expires_ms), store_int(s->since_ms));
		s->told_ms = s->used_ms;
		s->told_tokens = s->cached_tokens;
	}
	return (runner_exec(rn, ROWS_AFFINITY_PUT, err));
}

void
affinity_ended(struct runner *rn, bool committed)
{
	struct affinity *a = &rn->affinity;
	struct session *s;
	size_t i;

	for (i = 0; i < a->nchanges; i++) {
		if ((s = find(a, a->changes[i])) == NULL)
			continue;
		s->changed = false;
		if (!committed)
			s->since_ms = s->told_ms = s->read_ms = 0;
	}
	a->nchanges = 0;
}
