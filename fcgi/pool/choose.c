#include <stddef.h>
#include <string.h>

#include "pool/board.h"
#include "pool/choose.h"
#include "pool/choose_internal.h"
#include "pool/models.h"

/* What one lease adds to the pass of an account of weight 1. */
#define STRIDE	INT64_C(1000000000)

/* So soon clients come back where only probes go through. */
#define SOFT_MS	10000

bool
choose_is_fit(enum why why)
{

	return (why == WHY_FIT || why == WHY_PROBE);
}

int64_t
choose_stride(const struct candidate *c, struct choose_field *f)
{
	int weight = c->account->weight > 0 ? c->account->weight : 1;
	int64_t pace = share_pace(&c->health.share, f->now_ms);

	/* Divisions are dear, and most accounts are alike. */
	if (weight != f->weight) {
		f->weight = weight;
		f->usual = STRIDE / weight;
	}
	return (pace == SHARE_PACE_EVEN ? f->usual :
	    f->usual * SHARE_PACE_EVEN / pace);
}

int64_t
choose_least_pass(const struct choose_field *f)
{

	return (f->pass - f->stride);
}

static int64_t
raised_pass(const struct candidate *c, const struct choose_field *f)
{
	int64_t least = choose_least_pass(f);

	return (c->pass > least ? c->pass : least);
}

/* Shares by weight; what is in flight counts once more, so that a slow
 * account gets less. */
static int64_t
score_weighted(const struct candidate *c, int64_t stride, int64_t pass,
    const struct choose_field *f)
{

	(void)f;
	return (pass + c->in_use * stride);
}

static int64_t
score_least_connections(const struct candidate *c, int64_t stride, int64_t pass,
    const struct choose_field *f)
{

	(void)pass;
	(void)f;
	return (c->in_use * stride);
}

/* Each in its turn, whatever its weight. */
static int64_t
score_round_robin(const struct candidate *c, int64_t stride, int64_t pass,
    const struct choose_field *f)
{

	(void)stride;
	(void)pass;
	(void)f;
	return (c->turn);
}

/* As long as the first byte would take if each request that it serves already
 * made it slower by as much; by weight. */
static int64_t
score_response_time(const struct candidate *c, int64_t stride, int64_t pass,
    const struct choose_field *f)
{
	int64_t ms = health_expected_ms(&c->health, f->best_ms, f->now_ms);

	(void)pass;
	return (ms * (c->in_use + 1) * (stride / 1000));
}

static const struct strategy strategies[] = {
	{ "weighted", score_weighted, false },
	{ "least_connections", score_least_connections, false },
	{ "round_robin", score_round_robin, false },
	{ "response_time", score_response_time, true },
};

static const struct strategy *
strategy_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
		if (strcmp(strategies[i].name, name) == 0)
			return (&strategies[i]);
	}
	return (NULL);
}

const struct strategy *
choose_strategy_of(const struct choose_params *p)
{
	const struct strategy *s = NULL;

	if (p->strategy != NULL)
		s = strategy_find(p->strategy);
	return (s != NULL ? s : &strategies[0]);
}

bool
choose_knows(const char *strategy)
{

	return (strategy_find(strategy) != NULL);
}

const char *
choose_strategy(size_t i)
{

	return (i < sizeof(strategies) / sizeof(strategies[0]) ?
	    strategies[i].name : NULL);
}

bool
choose_bound(const struct account *a, const char *bind_kind, int64_t bind_id)
{

	/* By the first letter of account, group and pool. */
	switch (bind_kind[0]) {
	case 'a':
		return (a->id == bind_id);
	case 'g':
		return (a->group_id == bind_id);
	default:
		return (true);
	}
}

static bool
was_tried(const struct choose_params *p, int64_t id)
{
	size_t i;

	for (i = 0; i < p->ntried; i++) {
		if (p->tried[i] == id)
			return (true);
	}
	return (false);
}

static bool
is_full(const struct choose_params *p, const struct candidate *c)
{

	return (p->needs_slot && c->in_use >= c->account->concurrency);
}

/* May the model go there, under the name that it has there? */
static enum why
judge_model(const struct choose_params *p, const struct account *a)
{

	if (p->model == NULL)
		return (WHY_FIT);
	if (!account_serves_all(a, p->model, p->names))
		return (WHY_MODEL);
	return (model_names_fit(p->names, p->model, a) ? WHY_FIT :
	    WHY_UNRESERVED);
}

enum breaker
choose_breaker(const struct choose_params *p, const struct account *a,
    const struct cooldown **why)
{
	char room[POOL_FAMILY_SIZE];

	return (breaker_of(a, p->model == NULL ? p->family :
	    account_family(a, p->model, p->family, room), p->now_ms, why));
}

/* What its breaker says. */
static enum why
judge_breaker(const struct choose_params *p, const struct candidate *c)
{

	switch (choose_breaker(p, c->account, NULL)) {
	case BREAKER_HALF_OPEN:
		return (c->probed_until_ms > p->now_ms ? WHY_PROBED :
		    WHY_PROBE);
	case BREAKER_SOFT:
		return (WHY_SOFT);
	case BREAKER_OPEN:
		return (WHY_PARKED);
	default:
		return (WHY_FIT);
	}
}

/* Of platform and model: for most accounts it is as for one before. */
static enum why
judge_request(const struct choose_params *p, const struct account *a,
    struct choose_field *f)
{
	enum why why;

	if (f->like != NULL && account_alike(a, f->like))
		return ((enum why)f->like_why);
	if (p->platform != NULL && !account_speaks(a, p->platform))
		why = WHY_PLATFORM;
	else
		why = judge_model(p, a);
	f->like = a;
	f->like_why = (int)why;
	return (why);
}

enum why
choose_judge(const struct choose_params *p, const struct candidate *c,
    struct choose_field *f)
{
	const struct account *a = c->account;
	enum why why;

	if (!choose_bound(a, p->bind_kind, p->bind_id))
		return (WHY_UNBOUND);
	if ((why = judge_request(p, a, f)) == WHY_PLATFORM)
		return (why);
	if (!a->enabled)
		return (WHY_DISABLED);
	if (a->secret == NULL)
		return (WHY_SEALED);
	if (why != WHY_FIT)
		return (why);
	if (was_tried(p, a->id))
		return (WHY_TRIED);
	why = a->ncooldowns == 0 ? WHY_FIT : judge_breaker(p, c);
	return (choose_is_fit(why) && is_full(p, c) ? WHY_BUSY : why);
}

/* Remember which parked account may be asked first, and may then serve.  One
 * that is parked softly can be asked before its time, but not at once. */
static void
note_park(const struct choose_params *p, const struct candidate *c,
    struct choice *out)
{
	const struct cooldown *cd;
	enum breaker b = choose_breaker(p, c->account, &cd);
	bool heals;
	int64_t ms;

	if (b < BREAKER_SOFT)
		return;
	ms = cd->until_ms;
	if (b == BREAKER_SOFT && !cd->stated && ms > p->now_ms + SOFT_MS)
		ms = p->now_ms + SOFT_MS;
	heals = breaker_heals(cd);
	if (out->resting++ > 0 && (heals != out->heals ? !heals :
	    ms >= out->free_ms))
		return;
	out->heals = heals;
	out->free_ms = ms;
	out->cooldown = cd;
}

void
choose_note_park(const struct choose_params *p, const struct candidate *c,
    enum why why, struct choice *out)
{

	if (why == WHY_PARKED || why == WHY_SOFT || why == WHY_TRIED)
		note_park(p, c, out);
}

void
choose_count(enum why why, int n, struct choice *out)
{

	out->bound += why != WHY_UNBOUND ? n : 0;
	out->unserved += why == WHY_MODEL ? n : 0;
	out->tried += why == WHY_TRIED ? n : 0;
	out->parked += why == WHY_PARKED || why == WHY_SOFT ? n : 0;
	out->probed += why == WHY_PROBED ? n : 0;
	out->busy += why == WHY_BUSY ? n : 0;
	out->usable += choose_is_fit(why) || why >= WHY_TRIED ? n : 0;
}

bool
choose_better(const struct rank *a, const struct rank *b)
{

	if (a->priority != b->priority)
		return (a->priority < b->priority);
	if (a->spent != b->spent)
		return (b->spent);
	if (a->score != b->score)
		return (a->score < b->score);
	if (a->pass != b->pass)
		return (a->pass < b->pass);
	return (a->c->account->id < b->c->account->id);
}

/* One that fits, among those that do. */
static void
survey(struct candidate *c, struct choose_field *f)
{
	int64_t ms = c->health.first_byte_ms;

	c->stride = choose_stride(c, f);
	if (c->pass > f->pass)
		f->pass = c->pass;
	if (c->stride > f->stride)
		f->stride = c->stride;
	if (ms > 0 && (f->best_ms == 0 || ms < f->best_ms))
		f->best_ms = ms;
}

static void
pick(const struct choose_params *p, const struct choose_field *f,
    struct choice *out)
{
	const struct strategy *s = choose_strategy_of(p);
	struct rank best = { .c = NULL }, one;
	const struct candidate *c;

	for (c = p->candidates; c < p->candidates + p->n; c++) {
		if (!choose_is_fit((enum why)c->why))
			continue;
		one.c = c;
		one.priority = c->account->priority;
		if (best.c != NULL && best.priority < one.priority)
			continue;
		one.spent = share_spent(&c->health.share, f->now_ms);
		one.pass = raised_pass(c, f);
		one.score = s->score(c, c->stride, one.pass, f);
		if (best.c == NULL || choose_better(&one, &best))
			best = one;
	}
	out->index = (size_t)(best.c - p->candidates);
	out->pass = best.pass + best.c->stride;
}

/* Nothing else is left: those that are parked softly may be probed.  How many
 * are fit by that. */
static int
open_soft(const struct choose_params *p, struct choose_field *f,
    struct choice *out)
{
	struct candidate *c;
	int fit = 0;

	for (c = p->candidates; c < p->candidates + p->n; c++) {
		if (c->why != WHY_SOFT)
			continue;
		out->parked--;
		if (c->probed_until_ms > p->now_ms) {
			c->why = WHY_PROBED;
			out->probed++;
		} else if (is_full(p, c)) {
			c->why = WHY_BUSY;
			out->busy++;
		} else {
			c->why = WHY_PROBE;
			survey(c, f);
			fit++;
		}
	}
	return (fit);
}

const char *
choose_why(const struct candidate *c)
{

	return (choose_word((enum why)c->why));
}

const char *
choose_first(const struct choose_params *p, const struct candidate *a,
    const struct candidate *b)
{

	if (a->account->priority < b->account->priority)
		return ("priority");
	return (share_spent(&b->health.share, p->now_ms) &&
	    !share_spent(&a->health.share, p->now_ms) ? "spent" :
	    "strategy");
}

/* The session's account, if it is among them: may it be had?  Others are
 * chosen from only where it is left. */
static void
go_home(const struct choose_params *p, const struct candidate *home,
    const struct choose_field *f, struct choice *out)
{

	if (choose_is_fit((enum why)home->why)) {
		out->home = CHOICE_HOME_KEPT;
		out->index = (size_t)(home - p->candidates);
		out->pass = raised_pass(home, f) + home->stride;
	} else if (home->why == WHY_BUSY && p->patient)
		out->home = CHOICE_HOME_AWAITED;
	else
		out->home = CHOICE_HOME_LEFT;
}

enum choice_result
choose_result(int fit, const struct choice *out)
{

	if (out->home == CHOICE_HOME_AWAITED)
		return (CHOICE_BUSY);
	if (fit > 0)
		return (CHOICE_PICKED);
	if (out->busy > 0 || out->probed > 0)
		return (CHOICE_BUSY);
	return (out->parked > 0 ? CHOICE_PARKED : CHOICE_NONE);
}

/* Look at all.  How many fit. */
static int
look(const struct choose_params *p, struct choose_field *f,
    const struct candidate **home, struct choice *out)
{
	struct candidate *c;
	int fit = 0;

	for (c = p->candidates; c < p->candidates + p->n; c++) {
		c->why = (int)choose_judge(p, c, f);
		choose_count((enum why)c->why, 1, out);
		if (choose_is_fit((enum why)c->why)) {
			fit++;
			survey(c, f);
		}
		if (p->home != 0 && c->account->id == p->home)
			*home = c;
	}
	return (fit);
}

const struct candidate *
choose_by_id(const struct choose_params *p, int64_t id)
{
	size_t lo = 0, hi = p->n, mid;

	if (id == 0)
		return (NULL);
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (p->candidates[mid].account->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo < p->n && p->candidates[lo].account->id == id ?
	    &p->candidates[lo] : NULL);
}

static enum why
why_of(const void *arg, size_t i)
{

	return ((enum why)((const struct candidate *)arg)[i].why);
}

static void
note_parks(const struct choose_params *p, struct choice *out)
{
	const struct candidate *c;

	for (c = p->candidates; c < p->candidates + p->n; c++)
		choose_note_park(p, c, (enum why)c->why, out);
}

/* Of all in the table. */
static void
choose_by_look(const struct choose_params *p, bool trace, struct choice *out)
{
	struct choose_field f = { .now_ms = p->now_ms };
	const struct candidate *home = NULL;
	int fit;

	fit = look(p, &f, &home, out);
	note_parks(p, out);
	if (fit == 0 && out->busy == 0 && out->parked > 0)
		fit = open_soft(p, &f, out);
	if (home != NULL)
		go_home(p, home, &f, out);
	out->result = choose_result(fit, out);
	if (out->result == CHOICE_PICKED && out->home != CHOICE_HOME_KEPT)
		pick(p, &f, out);
	out->probe = out->result == CHOICE_PICKED &&
	    p->candidates[out->index].why == WHY_PROBE;
	if (trace)
		choose_trace(p, home, why_of, p->candidates, out);
}

/* Of the one account that may serve. */
static void
choose_bound_one(const struct choose_params *p, bool trace,
    struct choice *out)
{
	const struct candidate *c = choose_by_id(p, p->bind_id);
	struct choose_params one = *p;

	one.n = c == NULL ? 0 : 1;
	if (c != NULL)
		one.candidates += c - p->candidates;
	choose_by_look(&one, trace, out);
	if (out->result == CHOICE_PICKED)
		out->index += (size_t)(one.candidates - p->candidates);
	if (p->home != p->bind_id && choose_by_id(p, p->home) != NULL)
		out->home = CHOICE_HOME_LEFT;
}

void
choose(const struct choose_params *p, bool trace, struct choice *out)
{

	memset(out, 0, offsetof(struct choice, trace));
	out->trace[0] = '\0';
	if (p->boards == NULL)
		choose_by_look(p, trace, out);
	else if (p->bind_kind[0] == 'a')
		choose_bound_one(p, trace, out);
	else if (p->ntried > 0 || !board_choose(p, trace, out))
		choose_by_look(p, trace, out);
	if (out->result != CHOICE_PICKED)
		return;
	out->resting = 0;
	out->free_ms = 0;
	out->heals = false;
	out->cooldown = NULL;
}
