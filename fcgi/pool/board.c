#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#include "pool/board.h"
#include "pool/choose.h"
#include "pool/choose_internal.h"
#include "pool/models.h"

#define NOBODY	UINT32_MAX

/* A candidate, as it was when it last played. */
struct seat {
	int64_t until_ms;	/* time alone does not change it before */
	enum why why;
	/* of one that fits */
	int priority;
	int64_t stride, pass, first_byte_ms;
	int64_t score;		/* by its own pass, or behind: by one of 0 */
	bool spent;
	bool behind;		/* its pass is to be raised: all that are behind
				   have the same one, which grows */
	bool leans;		/* its score goes by the field's .best_ms */
};

/* A match: what all that are under it come to.  No padding: compared whole. */
struct match {
	uint32_t first;		/* best of those that are not behind */
	uint32_t behind;	/* best of those that are ... */
	uint32_t most;		/* ... and the one with the greatest pass */
	uint32_t fit;		/* how many are */
	int64_t pass, stride;	/* the greatest */
	int64_t best_ms;	/* the least; 0: none is known */
	int64_t until_ms;	/* likewise */
};

_Static_assert(sizeof(struct match) == 4 * sizeof(uint32_t) +
    4 * sizeof(int64_t), "no padding");

struct board {
	struct choose_params asked;	/* texts are those below */
	char bind_kind[8];		/* pool, group, account */
	char platform[32], family[POOL_FAMILY_SIZE];
	char model[LIMIT_NAME_BYTES], names[MODEL_NAMES_SIZE];
	const struct strategy *strategy;
	bool made;			/* else of nothing yet ... */
	uint64_t nchanged, nreset, nasked;	/* ... up to these, see struct
						   boards */
	struct choose_field field;
	struct choice counts;
	size_t n, nleaves;		/* a power of 2 */
	size_t nlean;
	struct seat *seats;
	struct match *matches;		/* 1: the final; leaves at the end */
};

/* ---- what one candidate is ---- */

static int64_t
sooner(int64_t a, int64_t b)
{

	return (a < b ? a : b);
}

/* The shorter of two times; 0: it is not known. */
static int64_t
faster(int64_t a, int64_t b)
{

	if (a == 0 || b == 0)
		return (a == 0 ? b : a);
	return (a < b ? a : b);
}

/* When time alone may change what is said of it. */
static int64_t
seat_until_ms(const struct board *b, const struct candidate *c, enum why why)
{
	int64_t now_ms = b->field.now_ms, until_ms;

	if (!choose_is_fit(why) && why < WHY_TRIED)
		return (INT64_MAX);
	until_ms = breaker_until_ms(c->account, now_ms);
	if (c->probed_until_ms > now_ms)
		until_ms = sooner(until_ms, c->probed_until_ms);
	if (!choose_is_fit(why))
		return (until_ms);
	until_ms = sooner(until_ms, share_until_ms(&c->health.share, now_ms));
	if (b->strategy->by_best)
		until_ms = sooner(until_ms, health_until_ms(&c->health,
		    now_ms));
	return (until_ms);
}

static void
seat_fill(struct board *b, const struct choose_params *p, size_t i)
{
	const struct candidate *c = &p->candidates[i];
	struct seat *s = &b->seats[i];

	*s = (struct seat) { .why = choose_judge(p, c, &b->field) };
	s->until_ms = seat_until_ms(b, c, s->why);
	choose_count(s->why, 1, &b->counts);
	if (!choose_is_fit(s->why))
		return;
	s->priority = c->account->priority;
	s->stride = choose_stride(c, &b->field);
	s->pass = c->pass;
	s->first_byte_ms = c->health.first_byte_ms > 0 ?
	    c->health.first_byte_ms : 0;
	s->spent = share_spent(&c->health.share, b->field.now_ms);
	s->leans = b->strategy->by_best &&
	    health_leans(&c->health, b->field.now_ms);
	b->nlean += s->leans;
}

static void
seat_clear(struct board *b, size_t i)
{
	const struct seat *s = &b->seats[i];

	choose_count(s->why, -1, &b->counts);
	b->nlean -= s->leans;
}

static void
seat_score(struct board *b, const struct choose_params *p, size_t i)
{
	struct seat *s = &b->seats[i];

	if (choose_is_fit(s->why))
		s->score = b->strategy->score(&p->candidates[i], s->stride,
		    s->behind ? 0 : s->pass, &b->field);
}

/* ---- the tournament ---- */

/* The better of two of which both are behind, or neither; ${a} is on the left,
 * where the smaller ids are. */
static uint32_t
winner(const struct board *b, uint32_t a, uint32_t c)
{
	const struct seat *x, *y;

	if (a == NOBODY || c == NOBODY)
		return (a == NOBODY ? c : a);
	x = &b->seats[a];
	y = &b->seats[c];
	if (x->priority != y->priority)
		return (x->priority < y->priority ? a : c);
	if (x->spent != y->spent)
		return (y->spent ? a : c);
	if (x->score != y->score)
		return (x->score < y->score ? a : c);
	if (!x->behind && x->pass != y->pass)
		return (x->pass < y->pass ? a : c);
	return (a);
}

static uint32_t
foremost(const struct board *b, uint32_t a, uint32_t c)
{

	if (a == NOBODY || c == NOBODY)
		return (a == NOBODY ? c : a);
	return (b->seats[a].pass >= b->seats[c].pass ? a : c);
}

static struct match
play(const struct board *b, const struct match *l, const struct match *r)
{

	return ((struct match) {
		.first = winner(b, l->first, r->first),
		.behind = winner(b, l->behind, r->behind),
		.most = foremost(b, l->most, r->most),
		.fit = l->fit + r->fit,
		.pass = l->pass > r->pass ? l->pass : r->pass,
		.stride = l->stride > r->stride ? l->stride : r->stride,
		.best_ms = faster(l->best_ms, r->best_ms),
		.until_ms = sooner(l->until_ms, r->until_ms),
	});
}

/* What it comes to alone; passes and strides are greater than 0. */
static struct match
alone(const struct board *b, size_t i)
{
	struct match m = { .first = NOBODY, .behind = NOBODY, .most = NOBODY,
		.until_ms = INT64_MAX };
	const struct seat *s = &b->seats[i];

	if (i >= b->n)
		return (m);
	m.until_ms = s->until_ms;
	if (!choose_is_fit(s->why))
		return (m);
	if (s->behind)
		m.behind = m.most = (uint32_t)i;
	else
		m.first = (uint32_t)i;
	m.fit = 1;
	m.pass = s->pass > 0 ? s->pass : 0;
	m.stride = s->stride;
	m.best_ms = s->first_byte_ms;
	return (m);
}

static void
play_all(struct board *b)
{
	size_t i;

	for (i = 0; i < b->nleaves; i++)
		b->matches[b->nleaves + i] = alone(b, i);
	for (i = b->nleaves - 1; i >= 1; i--)
		b->matches[i] = play(b, &b->matches[2 * i],
		    &b->matches[2 * i + 1]);
}

/* The matches of the ${i}-th, up to one that it neither wins nor changes. */
static void
play_again(struct board *b, size_t i)
{
	size_t at = b->nleaves + i;
	struct match m;

	b->matches[at] = alone(b, i);
	while ((at /= 2) >= 1) {
		m = play(b, &b->matches[2 * at], &b->matches[2 * at + 1]);
		if (m.first != i && m.behind != i && m.most != i &&
		    memcmp(&m, &b->matches[at], sizeof(m)) == 0)
			return;
		b->matches[at] = m;
	}
}

static void
set_behind(struct board *b, const struct choose_params *p, uint32_t i,
    bool behind)
{

	b->seats[i].behind = behind;
	seat_score(b, p, i);
	play_again(b, i);
}

/* ---- one board ---- */

static void
board_free(struct board *b)
{

	if (b == NULL)
		return;
	free(b->seats);
	free(b->matches);
	free(b);
}

static int
make_room(struct board *b, size_t n)
{
	struct match *matches;
	struct seat *seats;
	size_t nleaves = 1;

	while (nleaves < n)
		nleaves *= 2;
	if (b->seats != NULL && b->nleaves == nleaves) {
		b->n = n;
		return (0);
	}
	seats = calloc(nleaves, sizeof(*seats));
	matches = calloc(2 * nleaves, sizeof(*matches));
	if (seats == NULL || matches == NULL) {
		free(seats);
		free(matches);
		return (-1);
	}
	free(b->seats);
	free(b->matches);
	b->seats = seats;
	b->matches = matches;
	b->nleaves = nleaves;
	b->n = n;
	return (0);
}

static void
score_all(struct board *b, const struct choose_params *p)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		seat_score(b, p, i);
	play_all(b);
}

/* Of all candidates. */
static int
board_make(struct board *b, const struct choose_params *p)
{
	size_t i;

	if (make_room(b, p->n))
		return (-1);
	b->field = (struct choose_field) { .now_ms = p->now_ms };
	memset(&b->counts, 0, sizeof(b->counts));
	b->nlean = 0;
	for (i = 0; i < b->n; i++) {
		seat_fill(b, p, i);
		b->field.best_ms = faster(b->field.best_ms,
		    b->seats[i].first_byte_ms);
	}
	score_all(b, p);
	return (0);
}

static void
board_update(struct board *b, const struct choose_params *p, size_t i)
{

	seat_clear(b, i);
	seat_fill(b, p, i);
	seat_score(b, p, i);
	play_again(b, i);
}

/* Those that time has changed. */
static void
board_wake(struct board *b, const struct choose_params *p)
{
	const struct match *m = b->matches;
	size_t at;

	while (m[1].until_ms <= p->now_ms) {
		for (at = 1; at < b->nleaves;)
			at = 2 * at + (m[2 * at].until_ms != m[at].until_ms);
		board_update(b, p, at - b->nleaves);
	}
}

/* Those that were touched; what is touched twice in a row plays once. */
static void
board_catch_up(struct board *b, const struct boards *all,
    const struct choose_params *p)
{
	uint32_t i, next;

	for (; b->nchanged < all->nchanged; b->nchanged++) {
		i = all->changed[b->nchanged % BOARDS_CHANGES];
		next = all->changed[(b->nchanged + 1) % BOARDS_CHANGES];
		if (b->nchanged + 1 == all->nchanged || next != i)
			board_update(b, p, i);
	}
}

/* All that happened since it was asked last.  0, or -1. */
static int
board_follow(struct board *b, const struct boards *all,
    const struct choose_params *p)
{

	if (!b->made || b->nreset != all->nreset || p->n != b->n ||
	    all->nchanged - b->nchanged > BOARDS_CHANGES ||
	    p->now_ms < b->field.now_ms) {
		b->made = board_make(b, p) == 0;
		if (!b->made)
			return (-1);
		b->nreset = all->nreset;
		b->nchanged = all->nchanged;
	}
	b->field.now_ms = p->now_ms;
	board_catch_up(b, all, p);
	board_wake(b, p);
	b->field.pass = b->matches[1].pass;
	b->field.stride = b->matches[1].stride;
	if (b->field.best_ms == b->matches[1].best_ms)
		return (0);
	b->field.best_ms = b->matches[1].best_ms;
	if (b->nlean > 0)
		score_all(b, p);
	return (0);
}

/* ---- which board ---- */

static bool
same_text(const char *a, const char *kept)
{

	return (strcmp(a != NULL ? a : "", kept) == 0);
}

static bool
asks_the_same(const struct board *b, const struct choose_params *p,
    const struct strategy *strategy)
{
	const struct choose_params *a = &b->asked;

	return (p->candidates == a->candidates &&
	    same_text(p->bind_kind, b->bind_kind) &&
	    p->bind_id == a->bind_id &&
	    p->needs_slot == a->needs_slot && b->strategy == strategy &&
	    (p->model == NULL) == (a->model == NULL) &&
	    (p->platform == NULL) == (a->platform == NULL) &&
	    same_text(p->platform, b->platform) &&
	    same_text(p->family, b->family) &&
	    same_text(p->model, b->model) && same_text(p->names, b->names));
}

static bool
keep(char *room, size_t size, const char *text)
{
	int n = snprintf(room, size, "%s", text != NULL ? text : "");

	return (n >= 0 && (size_t)n < size);
}

/* One that is asked ${p} from now on; false: it is too long. */
static bool
board_ask(struct board *b, const struct choose_params *p,
    const struct strategy *strategy)
{

	b->asked = *p;
	b->strategy = strategy;
	b->made = false;
	return (keep(b->bind_kind, sizeof(b->bind_kind), p->bind_kind) &&
	    keep(b->platform, sizeof(b->platform), p->platform) &&
	    keep(b->family, sizeof(b->family), p->family) &&
	    keep(b->model, sizeof(b->model), p->model) &&
	    keep(b->names, sizeof(b->names), p->names));
}

/* The board that is asked that; else the one that was not asked for longest.
 * NULL: there is no memory, or the question is too long. */
static struct board *
board_of(struct boards *all, const struct choose_params *p)
{
	const struct strategy *strategy = choose_strategy_of(p);
	struct board **b, **oldest = all->list;

	for (b = all->list; b < all->list + BOARDS_MAX; b++) {
		if (*b != NULL && asks_the_same(*b, p, strategy))
			return (*b);
		if (*oldest != NULL &&
		    (*b == NULL || (*b)->nasked < (*oldest)->nasked))
			oldest = b;
	}
	if (*oldest == NULL && (*oldest = calloc(1, sizeof(**b))) == NULL)
		return (NULL);
	if (board_ask(*oldest, p, strategy))
		return (*oldest);
	board_free(*oldest);
	*oldest = NULL;
	return (NULL);
}

void
boards_fini(struct boards *b)
{
	size_t i;

	for (i = 0; i < BOARDS_MAX; i++)
		board_free(b->list[i]);
	*b = (struct boards) { .nreset = b->nreset };
}

void
boards_touch(struct boards *b, size_t index)
{
	b->changed[b->nchanged++ % BOARDS_CHANGES] = (uint32_t)index;
}

void
boards_reset(struct boards *b)
{

	b->nreset++;
}

/* ---- the choice ---- */

/* Those of which the pass is to be raised by now, and no others, are behind; as
 * far as it matters. */
static void
sort_behind(struct board *b, const struct choose_params *p, int64_t least)
{
	const struct match *final = &b->matches[1];

	for (;;) {
		if (final->first != NOBODY &&
		    b->seats[final->first].pass < least)
			set_behind(b, p, final->first, true);
		else if (final->most != NOBODY &&
		    b->seats[final->most].pass >= least)
			set_behind(b, p, final->most, false);
		else
			return;
	}
}

static struct rank
rank_of(const struct board *b, const struct choose_params *p, uint32_t i,
    int64_t least)
{
	struct rank r = { .c = NULL };
	const struct seat *s;

	if (i == NOBODY)
		return (r);
	s = &b->seats[i];
	r.c = &p->candidates[i];
	r.pass = s->behind ? least : s->pass;
	r.score = s->behind ? b->strategy->score(r.c, s->stride, least,
	    &b->field) : s->score;
	r.priority = s->priority;
	r.spent = s->spent;
	return (r);
}

static void
pick(struct board *b, const struct choose_params *p, struct choice *out)
{
	int64_t least = choose_least_pass(&b->field);
	struct rank best, other;

	sort_behind(b, p, least);
	best = rank_of(b, p, b->matches[1].first, least);
	other = rank_of(b, p, b->matches[1].behind, least);
	if (best.c == NULL ||
	    (other.c != NULL && choose_better(&other, &best)))
		best = other;
	out->index = (size_t)(best.c - p->candidates);
	out->pass = best.pass + b->seats[out->index].stride;
}

static void
go_home(const struct board *b, const struct choose_params *p, size_t i,
    struct choice *out)
{
	int64_t least = choose_least_pass(&b->field);
	const struct seat *s = &b->seats[i];

	if (choose_is_fit(s->why)) {
		out->home = CHOICE_HOME_KEPT;
		out->index = i;
		out->pass = (s->pass > least ? s->pass : least) + s->stride;
	} else if (s->why == WHY_BUSY && p->patient)
		out->home = CHOICE_HOME_AWAITED;
	else
		out->home = CHOICE_HOME_LEFT;
}

static enum why
why_of(const void *arg, size_t i)
{

	return (((const struct board *)arg)->seats[i].why);
}

static void
note_parks(const struct board *b, const struct choose_params *p,
    struct choice *out)
{
	size_t i;

	if (out->parked == 0)
		return;
	for (i = 0; i < b->n; i++)
		choose_note_park(p, &p->candidates[i], b->seats[i].why, out);
}

bool
board_choose(const struct choose_params *p, bool trace, struct choice *out)
{
	struct board *b = board_of(p->boards, p);
	const struct candidate *home;
	int fit;

	if (b == NULL || board_follow(b, p->boards, p))
		return (false);
	b->nasked = ++p->boards->nasked;
	fit = (int)b->matches[1].fit;
	if (fit == 0 && b->counts.busy == 0 && b->counts.parked > 0)
		return (false);
	memcpy(out, &b->counts, offsetof(struct choice, trace));
	if ((home = choose_by_id(p, p->home)) != NULL)
		go_home(b, p, (size_t)(home - p->candidates), out);
	out->result = choose_result(fit, out);
	if (out->result != CHOICE_PICKED)
		note_parks(b, p, out);
	else if (out->home != CHOICE_HOME_KEPT)
		pick(b, p, out);
	out->probe = out->result == CHOICE_PICKED &&
	    b->seats[out->index].why == WHY_PROBE;
	if (trace)
		choose_trace(p, home, why_of, b, out);
	return (true);
}
