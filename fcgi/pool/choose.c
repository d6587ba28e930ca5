#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pool/choose.h"
#include "pool/models.h"

/* What one lease adds to the pass of an account of weight 1. */
#define STRIDE	INT64_C(1000000000)

/* So soon clients come back where only probes go through. */
#define SOFT_MS	10000

/* Why an account is passed over, in the words of the trace. */
enum why {
	WHY_FIT,
	WHY_PROBE,		/* fit, as a probe */
	WHY_UNBOUND,		/* not in the trace */
	WHY_PLATFORM,
	WHY_DISABLED,
	WHY_SEALED,
	WHY_MODEL,
	WHY_UNRESERVED,
	WHY_TRIED,
	WHY_PARKED,
	WHY_SOFT,		/* parked, if others are left */
	WHY_PROBED,		/* by another */
	WHY_BUSY,
	WHY_COUNT
};

static const char *const whys[] = {
	[WHY_FIT] = "fit",
	[WHY_PROBE] = "probe",
	[WHY_UNBOUND] = "unbound",
	[WHY_PLATFORM] = "platform",
	[WHY_DISABLED] = "disabled",
	[WHY_SEALED] = "sealed",
	[WHY_MODEL] = "model",
	[WHY_UNRESERVED] = "unreserved",
	[WHY_TRIED] = "tried",
	[WHY_PARKED] = "parked",
	[WHY_SOFT] = "parked",
	[WHY_PROBED] = "probed",
	[WHY_BUSY] = "busy",
};

_Static_assert(sizeof(whys) / sizeof(whys[0]) == WHY_COUNT,
    "one word for each reason");

static bool
is_fit(int why)
{

	return (why == WHY_FIT || why == WHY_PROBE);
}

/* Of an account of which much would reset unused it is smaller. */
static int64_t
stride(const struct candidate *c, struct choose_field *f)
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

/*
 * An account that was away does not get all at once what it missed: its pass is
 * brought up to at most one stride behind the foremost.
 */
static int64_t
raised_pass(const struct candidate *c, const struct choose_field *f)
{
	int64_t least = f->pass - f->stride;

	return (c->pass > least ? c->pass : least);
}

/* Strategies give a score to a candidate that fits; the smallest wins. */
struct strategy {
	const char *name;
	int64_t (*score)(const struct candidate *c, int64_t pass,
	    const struct choose_field *f);	/* ${pass}: see raised_pass */
};

/* Shares by weight; what is in flight counts once more, so that a slow
 * account gets less. */
static int64_t
score_weighted(const struct candidate *c, int64_t pass,
    const struct choose_field *f)
{

	(void)f;
	return (pass + c->in_use * c->stride);
}

static int64_t
score_least_connections(const struct candidate *c, int64_t pass,
    const struct choose_field *f)
{

	(void)pass;
	(void)f;
	return (c->in_use * c->stride);
}

/* Each in its turn, whatever its weight. */
static int64_t
score_round_robin(const struct candidate *c, int64_t pass,
    const struct choose_field *f)
{

	(void)pass;
	(void)f;
	return (c->turn);
}

/* As long as the first byte would take if each request that it serves already
 * made it slower by as much; by weight. */
static int64_t
score_response_time(const struct candidate *c, int64_t pass,
    const struct choose_field *f)
{
	int64_t ms = health_expected_ms(&c->health, f->best_ms, f->now_ms);

	(void)pass;
	return (ms * (c->in_use + 1) * (c->stride / 1000));
}

static const struct strategy strategies[] = {
	{ "weighted", score_weighted },
	{ "least_connections", score_least_connections },
	{ "round_robin", score_round_robin },
	{ "response_time", score_response_time },
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
	if (account_alike(a, a)) {
		f->like = a;
		f->like_why = (int)why;
	}
	return (why);
}

static enum why
judge(const struct choose_params *p, const struct candidate *c,
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
	return (is_fit((int)why) && is_full(p, c) ? WHY_BUSY : why);
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

static void
count(const struct choose_params *p, const struct candidate *c, enum why why,
    struct choice *out)
{

	out->bound += why != WHY_UNBOUND;
	out->unserved += why == WHY_MODEL;
	out->tried += why == WHY_TRIED;
	out->parked += why == WHY_PARKED || why == WHY_SOFT;
	out->probed += why == WHY_PROBED;
	out->busy += why == WHY_BUSY;
	out->usable += is_fit((int)why) || why >= WHY_TRIED;
	if (why == WHY_PARKED || why == WHY_SOFT || why == WHY_TRIED)
		note_park(p, c, out);
}

/* A candidate as it is compared with others. */
struct rank {
	const struct candidate *c;	/* NULL: none yet */
	int64_t pass, score;
	int priority;
	bool spent;
};

static bool
better(const struct rank *a, const struct rank *b)
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

	c->stride = stride(c, f);
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
	const struct strategy *s = NULL;
	struct rank best = { .c = NULL }, one;
	const struct candidate *c;

	if (p->strategy != NULL)
		s = strategy_find(p->strategy);
	if (s == NULL)
		s = &strategies[0];
	for (c = p->candidates; c < p->candidates + p->n; c++) {
		if (!is_fit(c->why))
			continue;
		one.c = c;
		one.priority = c->account->priority;
		if (best.c != NULL && best.priority < one.priority)
			continue;
		one.spent = share_spent(&c->health.share, f->now_ms);
		one.pass = raised_pass(c, f);
		one.score = s->score(c, one.pass, f);
		if (best.c == NULL || better(&one, &best))
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

/* Add to the trace, which is cut before what does not fit. */
static bool __attribute__((__format__(__printf__, 3, 4)))
trace_add(char *trace, size_t *len, const char *fmt, ...)
{
	/* Room for the last element and the bracket stays free. */
	size_t room = CHOICE_TRACE_SIZE - 24 - *len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(trace + *len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		trace[*len] = '\0';
		return (false);
	}
	*len += (size_t)n;
	return (true);
}

static const char *const homes[] = {
	[CHOICE_HOME_NONE] = "",
	[CHOICE_HOME_KEPT] = ",\"session\":\"kept\"",
	[CHOICE_HOME_AWAITED] = ",\"session\":\"awaited\"",
	[CHOICE_HOME_LEFT] = ",\"session\":\"left\"",
};

static bool
trace_one(const struct choose_params *p, const struct candidate *c,
    const char *why, struct choice *out, size_t *len)
{
	bool picked = strcmp(why, "picked") == 0;
	const struct cooldown *cd = NULL;
	char *trace = out->trace;
	char probe[64] = "";

	if (picked ? out->probe : c->why == WHY_PARKED || c->why == WHY_SOFT)
		(void)choose_breaker(p, c->account, &cd);
	if (picked && cd != NULL)
		(void)snprintf(probe, sizeof(probe), ",\"probe\":\"%s\"",
		    cd->reason);
	if (picked)
		cd = NULL;
	return (trace_add(trace, len, "%s{\"account\":%" PRId64
	    ",\"in_use\":%" PRId64 ",\"why\":\"%s%s%s\"%s%s}",
	    *len > 1 ? "," : "", c->account->id, c->in_use, why,
	    cd == NULL ? "" : ": ", cd == NULL ? "" : cd->reason, probe,
	    c->account->id == p->home ? homes[out->home] : ""));
}

/* The picked one first, then the session's, then the others. */
static void
write_trace(const struct choose_params *p, const struct candidate *home,
    struct choice *out)
{
	const struct candidate *c, *first = NULL;
	int written = 0;
	size_t len = 1;

	out->trace[0] = '[';
	if (out->result == CHOICE_PICKED) {
		first = &p->candidates[out->index];
		written += trace_one(p, first, "picked", out, &len);
	}
	if (home != NULL && home != first && home->why != WHY_UNBOUND)
		written += trace_one(p, home, whys[home->why], out, &len);
	for (c = p->candidates; c < p->candidates + p->n; c++) {
		if (c == first || c == home || c->why == WHY_UNBOUND)
			continue;
		if (!trace_one(p, c, whys[c->why], out, &len))
			break;
		written++;
	}
	if (written < out->bound)
		len += (size_t)snprintf(out->trace + len,
		    CHOICE_TRACE_SIZE - len, "%s{\"more\":%d}",
		    len > 1 ? "," : "", out->bound - written);
	memcpy(out->trace + len, "]", 2);
}

const char *
choose_why(const struct candidate *c)
{

	return (whys[c->why]);
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

	if (is_fit(home->why)) {
		out->home = CHOICE_HOME_KEPT;
		out->index = (size_t)(home - p->candidates);
		out->pass = raised_pass(home, f) + home->stride;
	} else if (home->why == WHY_BUSY && p->patient)
		out->home = CHOICE_HOME_AWAITED;
	else
		out->home = CHOICE_HOME_LEFT;
}

static enum choice_result
decide(int fit, const struct choice *out)
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
		c->why = (int)judge(p, c, f);
		count(p, c, (enum why)c->why, out);
		if (is_fit(c->why)) {
			fit++;
			survey(c, f);
		}
		if (p->home != 0 && c->account->id == p->home)
			*home = c;
	}
	return (fit);
}

static bool
same_text(const char *a, const char *kept)
{

	return (strcmp(a != NULL ? a : "", kept) == 0);
}

static bool
asks_the_same(const struct choose_params *p, const struct choose_memo *m)
{
	const struct choose_params *b = &m->asked;

	return (p->candidates == b->candidates && p->n == b->n &&
	    p->bind_kind[0] == b->bind_kind[0] && p->bind_id == b->bind_id &&
	    p->platform == b->platform && p->needs_slot == b->needs_slot &&
	    p->now_ms == b->now_ms &&
	    (p->model == NULL) == (b->model == NULL) &&
	    same_text(p->family, m->family) &&
	    same_text(p->model, m->model) && same_text(p->names, m->names));
}

/* The table of a memo is in the order of the accounts' ids.  NULL: none. */
static const struct candidate *
by_id(const struct choose_params *p, int64_t id)
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

/* Is what was seen last still so?  The one that was picked then has changed;
 * if it does not fit any more all are looked at. */
static bool
recall(const struct choose_params *p, struct choose_field *f,
    const struct candidate **home, struct choice *out)
{
	struct choose_memo *m = p->memo;
	struct candidate *c;

	if (m == NULL || !m->valid || p->ntried > 0 || !asks_the_same(p, m))
		return (false);
	c = &p->candidates[m->saw.index];
	if ((int)judge(p, c, &m->field) != c->why)
		return (false);
	survey(c, &m->field);
	*home = by_id(p, p->home);
	*f = m->field;
	memcpy(out, &m->saw, offsetof(struct choice, trace));
	out->index = 0;
	out->pass = 0;
	out->home = CHOICE_HOME_NONE;
	return (true);
}

static void
remember_ask(const struct choose_params *p, struct choose_memo *m)
{

	m->asked = *p;
	(void)snprintf(m->family, sizeof(m->family), "%s", p->family);
	(void)snprintf(m->model, sizeof(m->model), "%s",
	    p->model != NULL ? p->model : "");
	(void)snprintf(m->names, sizeof(m->names), "%s",
	    p->names != NULL ? p->names : "");
}

static void
remember(const struct choose_params *p, const struct choose_field *f, int fit,
    bool recalled, const struct choice *out)
{
	struct choose_memo *m = p->memo;

	if (m == NULL)
		return;
	m->valid = out->result == CHOICE_PICKED && !out->probe &&
	    p->ntried == 0;
	if (!m->valid)
		return;
	if (!recalled)
		remember_ask(p, m);
	memcpy(&m->saw, out, offsetof(struct choice, trace));
	m->field = *f;
	m->fit = fit;
}

void
choose(const struct choose_params *p, bool trace, struct choice *out)
{
	struct choose_field f = { .now_ms = p->now_ms };
	const struct candidate *home = NULL;
	bool recalled;
	int fit;

	memset(out, 0, offsetof(struct choice, trace));
	out->trace[0] = '\0';
	recalled = recall(p, &f, &home, out);
	if (recalled)
		fit = p->memo->fit;
	else
		fit = look(p, &f, &home, out);
	if (fit == 0 && out->busy == 0 && out->parked > 0)
		fit = open_soft(p, &f, out);
	if (home != NULL)
		go_home(p, home, &f, out);
	out->result = decide(fit, out);
	if (out->result == CHOICE_PICKED && out->home != CHOICE_HOME_KEPT)
		pick(p, &f, out);
	out->probe = out->result == CHOICE_PICKED &&
	    p->candidates[out->index].why == WHY_PROBE;
	remember(p, &f, fit, recalled, out);
	if (trace)
		write_trace(p, home, out);
}
