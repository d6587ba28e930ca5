#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "pool/halfopen.h"
#include "pool/place.h"
#include "pool/runner.h"

/* The wants of one key: a run of the sorted array. */
struct line {
	struct want *next, *end;
	struct want *stuck;	/* found all busy, and tried no account */
};

static int
want_cmp(const void *a, const void *b)
{
	const struct want *x = a, *y = b;

	if (x->key->id != y->key->id)
		return (x->key->id < y->key->id ? -1 : 1);
	return (x->ledger_id < y->ledger_id ? -1 :
	    x->ledger_id > y->ledger_id);
}

static const char *
strategy_of(const struct runner *rn, const struct key_state *key)
{
	const struct group *g;

	if (strcmp(key->bind_kind, "group") != 0)
		return (NULL);
	g = snapshot_group(rn->snapshot, key->bind_id);
	return (g == NULL ? NULL : g->strategy);
}

/* Where every account serves every model under its own name, and the request
 * expects nothing else, nobody has to look. */
static const char *
model_of(const struct runner *rn, const struct want *w)
{

	return (rn->snapshot->names_models || w->names[0] != '\0' ?
	    w->model : NULL);
}

static void
choose_for(struct runner *rn, struct want *w, struct choice *out)
{
	struct choose_params p = {
		.candidates = rn->load.candidates,
		.n = rn->load.naccounts,
		.boards = &rn->load.boards,
		.strategy = strategy_of(rn, w->key),
		.bind_kind = w->only != 0 ? "account" : w->key->bind_kind,
		.bind_id = w->only != 0 ? w->only : w->key->bind_id,
		.platform = w->platform,
		.family = w->family,
		.model = model_of(rn, w),
		.names = w->names,
		.tried = w->tried,
		.ntried = w->ntried,
		.needs_slot = w->needs_slot,
		.home = w->home,
		.patient = w->patient,
		.now_ms = rn->now_ms,
	};

	choose(&p, w->op != NULL, out);
	w->result = out->result;
	w->awaits = out->home == CHOICE_HOME_AWAITED;
	w->free_ms = out->free_ms;
	w->cooldown = out->cooldown;
	w->bound = out->bound;
	w->usable = out->usable;
	w->tried_n = out->tried;
	w->resting = out->resting;
	w->probed = out->probed;
	w->unserved = out->unserved;
	if (w->op != NULL)
		memcpy(w->op->trace, out->trace, sizeof(w->op->trace));
}

void
place_look(struct runner *rn, struct want *w)
{
	struct choice c;

	choose_for(rn, w, &c);
}

static void
take(struct runner *rn, struct want *w, const struct choice *c)
{
	struct candidate *cand = &rn->load.candidates[c->index];

	w->account = cand->account;
	w->probe = c->probe;
	cand->pass = c->pass;
	cand->turn = ++rn->load.turns;
	load_touch(&rn->load, cand);
	if (!w->needs_slot)
		return;
	ROWS_PUT(&rn->rows[ROWS_SLOT_TAKE], store_int(w->responder_id),
	    store_int(w->ledger_id), store_int(w->key->id),
	    store_int(rn->now_ms), store_int(w->account->id),
	    store_int(w->slot_n), store_int(w->slot_fence));
	w->slot_fence++;
	load_add(&rn->load, w->account->id, w->key->id, 1);
	crews_add(rn, w->key);
}

/* The load is what this process last saw; before a request waits it is read
 * anew, with the slots taken so far. */
static int
look_again(struct runner *rn, bool *again, struct err *err)
{

	*again = rn->load.read_batch != rn->load.batch;
	if (!*again)
		return (0);
	if (runner_exec(rn, ROWS_SLOT_TAKE, err))
		return (-1);
	return (load_read(&rn->load, rn->st, rn->mono_ms, err));
}

/* A free slot of the account: 1; 0: there is none; -1. */
static int
find_slot(struct runner *rn, struct want *w, size_t index, struct err *err)
{
	int rc;

	if (!w->needs_slot)
		return (1);
	rc = load_free(&rn->load, rn->st, index, &w->slot_n, &w->slot_fence,
	    err);
	if (rc != 0 || !store_shared(rn->st))
		return (rc);
	if (runner_exec(rn, ROWS_SLOT_TAKE, err))
		return (-1);
	return (load_wait(&rn->load, rn->st, index, &w->slot_n,
	    &w->slot_fence, err));
}

/* The right to probe the account, if it is to be probed: 1; 0: another has it;
 * -1. */
static int
find_right(struct runner *rn, const struct want *w, const struct choice *c,
    struct err *err)
{
	struct candidate *cand = &rn->load.candidates[c->index];
	char room[POOL_FAMILY_SIZE];

	if (!c->probe)
		return (1);
	cand->probed_until_ms = rn->now_ms + HALFOPEN_HINT_MS;
	load_touch(&rn->load, cand);
	return (halfopen_take(rn, cand->account, account_family(cand->account,
	    w->model, w->family, room), w->ledger_id, err));
}

/* Choose until a free slot, and the right to a probe, confirm the choice. */
static int
place_one(struct runner *rn, struct want *w, struct err *err)
{
	struct choice c;
	bool again;
	int rc;

	for (;;) {
		choose_for(rn, w, &c);
		if (c.result == CHOICE_BUSY) {
			if (look_again(rn, &again, err))
				return (-1);
			if (again)
				continue;
		}
		if (c.result != CHOICE_PICKED)
			return (0);
		if ((rc = find_slot(rn, w, c.index, err)) > 0)
			rc = find_right(rn, w, &c, err);
		if (rc < 0)
			return (-1);
		if (rc > 0) {
			take(rn, w, &c);
			return (0);
		}
	}
}

int
place_elsewhere(struct runner *rn, struct want *w, struct err *err)
{

	w->patient = false;
	return (place_one(rn, w, err));
}

bool
place_key_is_full(const struct runner *rn, const struct want *w)
{

	return (w->needs_slot && w->key->concurrency > 0 &&
	    load_key(&rn->load, w->key->id) >= w->key->concurrency);
}

/* Does ${w} want just what ${stuck} did not get? */
static bool
same_want(const struct want *stuck, const struct want *w)
{

	return (stuck != NULL && w->needs_slot && w->ntried == 0 &&
	    w->platform == stuck->platform && w->only == stuck->only &&
	    strcmp(stuck->family, w->family) == 0 &&
	    strcmp(stuck->model, w->model) == 0 &&
	    strcmp(stuck->names, w->names) == 0);
}

static int
place_next(struct runner *rn, struct line *line, struct err *err)
{
	struct want *w = line->next++;
	const struct crew *crew;
	int full = place_key_is_full(rn, w);

	if (!full && w->needs_slot &&
	    (full = crews_full(rn, w->key, &crew, err)) < 0)
		return (-1);
	if (full) {
		w->result = CHOICE_BUSY;
		return (0);
	}
	if (same_want(line->stuck, w)) {
		w->result = CHOICE_BUSY;
		return (0);
	}
	if (place_one(rn, w, err))
		return (-1);
	if (w->result == CHOICE_PICKED && w->needs_slot && rn->ntickets > 0)
		keys_had_turn(&rn->keys, w->key, rn->now_ms);
	if (w->result == CHOICE_BUSY && w->needs_slot && w->ntried == 0 &&
	    !w->awaits)
		line->stuck = w;
	return (0);
}

/* Is the next of ${a} before that of ${b}? */
static bool
line_first(const struct runner *rn, const struct line *a,
    const struct line *b)
{
	const struct key_state *x = a->next->key, *y = b->next->key;
	int64_t lx, ly;

	if (x->queue_class != y->queue_class)
		return (x->queue_class < y->queue_class);
	lx = load_key(&rn->load, x->id);
	ly = load_key(&rn->load, y->id);
	if (lx != ly)
		return (lx < ly);
	if (x->turn != y->turn)
		return (x->turn < y->turn);
	return (a->next->ledger_id < b->next->ledger_id);
}

static struct line *
next_line(const struct runner *rn, struct line *lines, size_t n)
{
	struct line *l, *best = NULL;

	for (l = lines; l < lines + n; l++) {
		if (l->next == l->end)
			continue;
		if (best == NULL || line_first(rn, l, best))
			best = l;
	}
	return (best);
}

static size_t
form_lines(struct want *wants, size_t n, struct line *lines)
{
	size_t i, nlines = 0;

	for (i = 0; i < n; i++) {
		if (i == 0 || wants[i].key != wants[i - 1].key)
			lines[nlines++] = (struct line) {
				.next = &wants[i]
			};
		lines[nlines - 1].end = &wants[i] + 1;
	}
	return (nlines);
}

int
place(struct runner *rn, struct want *wants, size_t n, struct err *err)
{
	struct line *lines, *line;
	size_t nlines;

	if (n == 0)
		return (0);
	if ((lines = calloc(n, sizeof(*lines))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the queue");
		return (-1);
	}
	qsort(wants, n, sizeof(*wants), want_cmp);
	load_expect(&rn->load, n);
	nlines = form_lines(wants, n, lines);
	while ((line = next_line(rn, lines, nlines)) != NULL) {
		if (place_next(rn, line, err)) {
			free(lines);
			return (-1);
		}
	}
	free(lines);
	return (0);
}
