#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "base/grow.h"
#include "pool/crews.h"
#include "pool/runner.h"

static const struct {
	const char *word;
	enum stmt_id count, lock;
} kinds[] = {
	[CREW_USER] = { "user", STMT_CREW_OF_USER, STMT_LOCK_USERS },
	[CREW_GROUP] = { "group", STMT_CREW_OF_GROUP, STMT_LOCK_GROUPS },
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == CREW_KINDS,
    "one row a kind");

void
crews_init(struct crews *c)
{

	*c = (struct crews) { 0 };
}

void
crews_reset(struct crews *c)
{

	c->n = 0;
}

void
crews_fini(struct crews *c)
{

	free(c->list);
	crews_init(c);
}

const char *
crew_word(const struct crew *crew)
{

	return (kinds[crew->kind].word);
}

bool
crew_of(const struct snapshot *s, const struct key_state *key,
    enum crew_kind kind, struct crew *out)
{
	const struct group *g;

	*out = (struct crew) { .kind = kind };
	if (kind == CREW_USER) {
		out->id = key->person_id;
		out->limit = key->person_concurrency;
	} else if (strcmp(key->bind_kind, "group") == 0 &&
	    (g = snapshot_group(s, key->bind_id)) != NULL) {
		out->id = g->id;
		out->limit = g->concurrency;
	}
	return (out->limit > 0);
}

int
crew_count(struct store *st, struct crew *crew, struct err *err)
{
	struct store_value id = store_int(crew->id);

	if (store_one(st, kinds[crew->kind].count, &id, 1, &crew->in_flight, 1,
	    err) < 0)
		return (-1);
	crew->counted = true;
	return (0);
}

static struct crew *
find(struct crews *c, const struct crew *like)
{
	struct crew *crew;

	for (crew = c->list; crew < c->list + c->n; crew++) {
		if (crew->kind == like->kind && crew->id == like->id)
			return (crew);
	}
	return (NULL);
}

static struct crew *
add(struct crews *c, const struct crew *new, struct err *err)
{
	struct crew *list;

	if ((list = grow_list(c->list, c->n, &c->cap, sizeof(*list))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for users");
		return (NULL);
	}
	c->list = list;
	c->list[c->n] = *new;
	return (&c->list[c->n++]);
}

static int
lock_them(struct runner *rn, enum crew_kind kind, struct idlist *ids,
    struct err *err)
{
	struct store_value param;

	idlist_sort(ids);
	if (ids->n == 0 && !ids->failed)
		return (0);
	if (idlist_param(ids, &param, err))
		return (-1);
	return (store_lock(rn->st, kinds[kind].lock, &param, 1, err));
}

/* One that no key of this batch's own belongs to: somebody waits. */
static struct crew *
add_locked(struct runner *rn, const struct crew *like, struct err *err)
{
	struct idlist ids;
	int rc;

	idlist_init(&ids, 1);
	idlist_put(&ids, like->id, 0);
	rc = lock_them(rn, like->kind, &ids, err);
	idlist_fini(&ids);
	return (rc == 0 ? add(&rn->crews, like, err) : NULL);
}

/* The crew, counted if it was not yet: the slots as they are by now. */
static struct crew *
crew_get(struct runner *rn, const struct crew *like, struct err *err)
{
	struct crew *crew = find(&rn->crews, like);

	if (crew == NULL && (crew = add_locked(rn, like, err)) == NULL)
		return (NULL);
	if (crew->counted)
		return (crew);
	if (runner_exec(rn, ROWS_SLOT_TAKE, err) ||
	    crew_count(rn->st, crew, err))
		return (NULL);
	return (crew);
}

int
crews_full(struct runner *rn, const struct key_state *key,
    const struct crew **which, struct err *err)
{
	struct crew like, *crew;
	int kind;

	for (kind = 0; kind < CREW_KINDS; kind++) {
		if (!crew_of(rn->snapshot, key, (enum crew_kind)kind, &like))
			continue;
		if ((crew = crew_get(rn, &like, err)) == NULL)
			return (-1);
		if (crew->in_flight < crew->limit)
			continue;
		*which = crew;
		return (1);
	}
	return (0);
}

const struct crew *
crews_seen_full(struct runner *rn, const struct key_state *key)
{
	struct crew like, *crew;
	int kind;

	for (kind = 0; kind < CREW_KINDS; kind++) {
		if (crew_of(rn->snapshot, key, (enum crew_kind)kind, &like) &&
		    (crew = find(&rn->crews, &like)) != NULL &&
		    crew->counted && crew->in_flight >= crew->limit)
			return (crew);
	}
	return (NULL);
}

void
crews_add(struct runner *rn, const struct key_state *key)
{
	struct crew like, *crew;
	int kind;

	for (kind = 0; kind < CREW_KINDS; kind++) {
		if (crew_of(rn->snapshot, key, (enum crew_kind)kind, &like) &&
		    (crew = find(&rn->crews, &like)) != NULL)
			crew->in_flight++;
	}
}

static int
lock_kind(struct runner *rn, enum crew_kind kind, struct err *err)
{
	const struct key_state *key;
	struct idlist ids;
	struct crew like;
	size_t i;
	int rc = 0;

	idlist_init(&ids, 1);
	for (i = 0; i < rn->locks.keys.n && rc == 0; i++) {
		key = keys_get(&rn->keys, rn->st, &rn->load,
		    rn->locks.keys.v[i], err);
		if (key == NULL) {
			rc = -1;
		} else if (crew_of(rn->snapshot, key, kind, &like) &&
		    find(&rn->crews, &like) == NULL) {
			idlist_put(&ids, like.id, 0);
			rc = add(&rn->crews, &like, err) == NULL ? -1 : 0;
		}
	}
	if (rc == 0)
		rc = lock_them(rn, kind, &ids, err);
	idlist_fini(&ids);
	return (rc);
}

int
crews_lock(struct runner *rn, struct err *err)
{

	if (lock_kind(rn, CREW_USER, err))
		return (-1);
	return (lock_kind(rn, CREW_GROUP, err));
}
