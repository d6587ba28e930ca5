#include "base/err.h"
#include "store/store.h"

#include "pool/budgets.h"
#include "pool/locks.h"
#include "pool/runner.h"

void
locks_init(struct locks *l)
{

	l->queue = l->queue_first = false;
	idlist_init(&l->keys, 1);
	idlist_init(&l->windows, 2);
}

void
locks_fini(struct locks *l)
{

	idlist_fini(&l->keys);
	idlist_fini(&l->windows);
}

void
locks_reset(struct locks *l)
{

	l->queue = false;
	idlist_reset(&l->keys);
	idlist_reset(&l->windows);
}

void
locks_ended(struct locks *l, bool committed)
{

	if (committed)
		l->queue_first = false;
}

int
locks_queue(struct runner *rn, struct err *err)
{

	if (rn->locks.queue)
		return (0);
	rn->locks.queue = true;
	return (store_lock(rn->st, STMT_LOCK_QUEUE, NULL, 0, err));
}

int
locks_need_queue(struct runner *rn, struct err *err)
{

	if (rn->locks.queue || !store_shared(rn->st))
		return (0);
	rn->locks.queue_first = true;
	err_set(err, ERR_STORE_BUSY, "the queue has to be locked first");
	return (-1);
}

static const struct admit_op *
admit_at(const struct runner *rn, enum op_kind kind, size_t i)
{

	return ((const struct admit_op *)(const void *)
	    rn->lists[kind].ops[i]);
}

static void
gather_keys(struct runner *rn)
{
	struct idlist *keys = &rn->locks.keys;
	size_t i;

	for (i = 0; i < rn->lists[OP_ADMIT].n; i++)
		idlist_put(keys, admit_at(rn, OP_ADMIT, i)->key->id, 0);
	for (i = 0; i < rn->lists[OP_MOVE].n; i++)
		idlist_put(keys, admit_at(rn, OP_MOVE, i)->key->id, 0);
}

/* The windows that the keys of what is admitted count in now, and those that
 * rows hold something of which are settled or extended. */
static int
lock_windows(struct runner *rn, struct err *err)
{
	const struct key_state *key;
	size_t i;

	for (i = 0; i < rn->held.n; i++)
		budgets_windows_of(rn, &rn->held.list[i]->holds);
	for (i = 0; rn->snapshot->nbudgets > 0 && i < rn->locks.keys.n; i++) {
		key = keys_get(&rn->keys, rn->st, &rn->load,
		    rn->locks.keys.v[i], err);
		if (key == NULL)
			return (-1);
		budgets_windows(rn, key);
	}
	return (windows_fetch(&rn->windows, rn->st, &rn->locks.windows, err));
}

int
locks_take(struct runner *rn, struct err *err)
{

	if (!store_shared(rn->st))
		return (0);
	gather_keys(rn);
	if (keys_fetch(&rn->keys, rn->st, &rn->load, &rn->locks.keys, err) ||
	    crews_lock(rn, err))
		return (-1);
	return (lock_windows(rn, err));
}
