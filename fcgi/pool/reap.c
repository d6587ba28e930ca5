#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "ledger/id.h"

#include "pool/reap.h"
#include "pool/runner.h"

/* Another responder, or the id of one that left rows behind. */
struct other {
	int64_t id;
	int64_t beat;
	bool here;		/* on this host */
	char lock_path[108];
	char wake_path[108];
};

struct reading {
	const struct responder *self;
	size_t n;
	struct other list[RESPONDER_NODES];
};

enum life {
	LIFE_ALIVE,
	LIFE_DEAD,
	LIFE_UNKNOWN
};

int
reaper_init(struct reaper *r)
{

	*r = (struct reaper) { .ndead = 0 };
	r->now = calloc(1, sizeof(*r->now));
	r->next = calloc(1, sizeof(*r->next));
	if (r->now != NULL && r->next != NULL)
		return (0);
	reaper_fini(r);
	return (-1);
}

void
reaper_fini(struct reaper *r)
{

	reap_ended(r, false);
	free(r->now);
	free(r->next);
	r->now = r->next = NULL;
}

/* ---- what a dead one leaves ---- */

struct held_list {
	struct runner *rn;
	struct arena row;	/* what the row at hand holds */
	struct err *err;
};

/*
 * fence, holds: what may have been billed is spent, as far as it was reserved.
 * Each window is read as it is needed; see windows_add.
 */
static int
held_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct held_list *l = arg;
	bool sent = store_get_int(&c[0]) > 0;
	struct holds holds;
	const struct hold *h;

	(void)ncols;
	arena_reset(&l->row);
	if (holds_parse(&holds, store_get_text(&c[1]), &l->row, l->err) < 0)
		return (-1);
	for (h = holds.list; h < holds.list + holds.n; h++) {
		if (windows_add(&l->rn->windows, l->rn->st, h->budget_id,
		    h->start_ms, sent ? h->amount : 0, -h->amount, l->err))
			return (-1);
	}
	return (0);
}

static int
reap_budgets(struct runner *rn, const struct store_value *id, struct err *err)
{
	struct held_list l = { .rn = rn, .err = err };
	int64_t n;

	arena_init(&l.row, LIMIT_BATCH_BYTES);
	n = store_query(rn->st, STMT_REAP_HOLDS, id, 1, held_row, &l, err);
	arena_fini(&l.row);
	return (n < 0 ? -1 : 0);
}

/* id, key, person, model, fence, reserved, account, group */
static int
lost_row(void *arg, const struct store_value *c, size_t ncols)
{
	const struct held_list *l = arg;
	bool sent = store_get_int(&c[4]) > 0;
	const struct rollup_row row = {
		.ledger_id = store_get_int(&c[0]),
		.key_id = store_get_int(&c[1]),
		.person_id = store_get_int(&c[2]),
		.model = store_get_text(&c[3]),
		.account_id = store_get_int(&c[6]),
		.group_id = store_get_int(&c[7]),
		.outcome = "lost",
		.mark = sent ? USAGE_ESTIMATED : USAGE_NONE,
		.nusd = sent ? store_get_int(&c[5]) : 0,
		.first_byte_ms = -1,
	};
	const struct key_use use = {
		.key_id = row.key_id,
		.requests = 1,
		.nusd = row.nusd,
		.last_ms = ledger_id_created_ms(row.ledger_id),
	};

	(void)ncols;
	if (key_uses_add(&l->rn->uses, &use, l->err))
		return (-1);
	return (rollups_add(&l->rn->rollups, &row, l->err));
}

void
reap_counted(const struct held_row *h, struct rollup_row *out)
{

	*out = (struct rollup_row) {
		.ledger_id = h->ledger_id,
		.key_id = h->key_id,
		.account_id = h->account_id,
		.group_id = h->group_id,
		.person_id = h->person_id,
		.model = h->sent_as[0] == '\0' ? h->model : h->sent_as,
		.outcome = "lost",
		.mark = h->fence > 0 ? USAGE_ESTIMATED : USAGE_NONE,
		.nusd = h->nusd,
		.first_byte_ms = -1,
	};
}

static int
reap_sums(struct runner *rn, const struct store_value *id, struct err *err)
{
	struct held_list l = { .rn = rn, .err = err };

	return (store_query(rn->st, STMT_REAP_ROWS, id, 1, lost_row, &l,
	    err) < 0 ? -1 : 0);
}

int
reap_one(struct runner *rn, int64_t id, struct err *err)
{
	struct store_value v[2] = { store_int(rn->now_ms), store_int(id) };
	const struct {
		enum stmt_id stmt;
		bool dated;	/* takes the time as well */
	} steps[] = {
		{ STMT_REAP_ATTEMPTS, true },
		{ STMT_REAP_LEDGER, true },
		{ STMT_REAP_SLOTS, false },
		{ STMT_REAP_TICKETS, false },
		{ STMT_RESPONDER_REMOVE, false },
	};
	size_t i;

	if (locks_queue(rn, err) ||
	    store_lock(rn->st, STMT_REAP_LOCK_LEDGER, &v[1], 1, err) ||
	    reap_budgets(rn, &v[1], err) || reap_sums(rn, &v[1], err))
		return (-1);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (store_exec(rn->st, steps[i].stmt,
		    steps[i].dated ? v : v + 1, 1, steps[i].dated ? 2 : 1,
		    NULL, err))
			return (-1);
	}
	return (0);
}

int
reap_adopt(struct runner *rn, struct store *st, int64_t from,
    struct err *err)
{
	static const enum stmt_id steps[] = {
		STMT_ADOPT_LEDGER, STMT_ADOPT_SLOTS, STMT_ADOPT_TICKETS
	};
	struct store_value v[2] = {
		store_int(responder_self(&rn->self)), store_int(from)
	};
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (store_exec(st, steps[i], v, 1, 2, NULL, err))
			return (-1);
	}
	return (0);
}

/* ---- who is dead ---- */

/* id, host, lock_path, wake_path, beat */
static int
other_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct reading *r = arg;
	struct other *o;

	(void)ncols;
	if (store_get_int(&c[0]) == responder_self(r->self) ||
	    store_get_int(&c[0]) == r->self->id)
		return (0);
	o = &r->list[r->n++];
	o->id = store_get_int(&c[0]);
	o->here = strcmp(store_get_text(&c[1]), r->self->host) == 0;
	snprintf(o->lock_path, sizeof(o->lock_path), "%s",
	    store_get_text(&c[2]));
	snprintf(o->wake_path, sizeof(o->wake_path), "%s",
	    store_get_text(&c[3]));
	o->beat = store_get_int(&c[4]);
	return (r->n == RESPONDER_NODES);
}

/* Nobody but a dead one's successor in this very check holds its lock. */
static enum life
try_lock(const struct other *o, int *fd)
{

	*fd = -1;
	if (!o->here)
		return (LIFE_UNKNOWN);
	if ((*fd = open(o->lock_path, O_RDWR | O_CLOEXEC)) == -1)
		return (LIFE_UNKNOWN);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return (LIFE_DEAD);
	close(*fd);
	*fd = -1;
	return (LIFE_ALIVE);
}

static const struct seen *
seen_before(const struct reaper *r, const struct other *o)
{
	size_t i;

	for (i = 0; i < r->now->n; i++) {
		if (r->now->list[i].id == o->id)
			return (&r->now->list[i]);
	}
	return (NULL);
}

/* Note its beat; true if that stood still for too long. */
static bool
stands_still(struct runner *rn, const struct other *o)
{
	struct reaper *r = &rn->reaper;
	const struct seen *before = seen_before(r, o);
	struct seen *s = &r->next->list[r->next->n++];
	int64_t step_ms = rn->mono_ms - r->beat_ms;

	/* Longer gaps are this process's own trouble. */
	if (step_ms > rn->set.dead_after_ms / 5)
		step_ms = rn->set.dead_after_ms / 5;
	*s = (struct seen) { .id = o->id, .beat = o->beat };
	if (before != NULL && before->beat == o->beat)
		s->unchanged_ms = before->unchanged_ms + step_ms;
	return (s->unchanged_ms >= rn->set.dead_after_ms);
}

static void
note_dead(struct reaper *r, const struct other *o, int lock_fd)
{
	struct dead *d = &r->dead[r->ndead++];

	d->id = o->id;
	d->beat = o->beat;
	d->lock_fd = lock_fd;
	memcpy(d->lock_path, o->lock_path, sizeof(d->lock_path));
	memcpy(d->wake_path, o->wake_path, sizeof(d->wake_path));
}

static void
look_at(struct runner *rn, const struct other *o)
{
	struct reaper *r = &rn->reaper;
	enum life life;
	int fd;

	if (r->ndead == DEAD_MAX)
		return;
	life = try_lock(o, &fd);
	if (life == LIFE_DEAD ||
	    (life == LIFE_UNKNOWN && stands_still(rn, o)))
		note_dead(r, o, fd);
}

/* On a shared store it may have beaten, or have been reaped, since it was
 * looked at; from here on it can not.  1: it is dead; 0; -1. */
static int
still_dead(struct runner *rn, const struct dead *d, struct err *err)
{
	struct store_value id = store_int(d->id);
	int64_t beat = -1;

	if (!store_shared(rn->st))
		return (1);
	if (store_one(rn->st, STMT_REAP_LOCK, &id, 1, &beat, 1, err) < 0)
		return (-1);
	return (beat == d->beat);
}

static int
reap_dead(struct runner *rn, const struct dead *d, struct err *err)
{
	int rc;

	if (locks_queue(rn, err) || (rc = still_dead(rn, d, err)) < 0)
		return (-1);
	return (rc == 0 ? 0 : reap_one(rn, d->id, err));
}

int
reap_others(struct runner *rn, struct err *err)
{
	struct reaper *r = &rn->reaper;
	struct reading *others;
	size_t i;
	int rc = -1;

	reap_ended(r, false);
	r->next->n = 0;
	r->next_beat_ms = rn->mono_ms;
	if ((others = calloc(1, sizeof(*others))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the responders");
		return (-1);
	}
	others->self = &rn->self;
	if (store_query(rn->st, STMT_RESPONDERS, NULL, 0, other_row, others,
	    err) < 0)
		goto done;
	for (i = 0; i < others->n; i++)
		look_at(rn, &others->list[i]);
	for (i = 0; i < r->ndead; i++) {
		if (reap_dead(rn, &r->dead[i], err))
			goto done;
	}
	if (r->ndead > 0 &&
	    load_read(&rn->load, rn->st, rn->mono_ms, err))
		goto done;
	rc = 0;
done:
	free(others);
	return (rc);
}

void
reap_ended(struct reaper *r, bool committed)
{
	struct seen_list *old = r->now;
	size_t i;

	for (i = 0; i < r->ndead; i++) {
		if (r->dead[i].lock_fd == -1)
			continue;
		if (committed) {
			(void)unlink(r->dead[i].wake_path);
			(void)unlink(r->dead[i].lock_path);
		}
		close(r->dead[i].lock_fd);
	}
	r->ndead = 0;
	if (committed && r->next_beat_ms != 0) {
		r->beat_ms = r->next_beat_ms;
		r->now = r->next;
		r->next = old;
	}
	r->next_beat_ms = 0;
}
