#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pool/choose.h"

/* What one lease adds to the pass of an account of weight 1. */
#define STRIDE	INT64_C(1000000000)

/* Why an account is passed over, in the words of the trace. */
enum why {
	WHY_FIT,
	WHY_UNBOUND,		/* not in the trace */
	WHY_PLATFORM,
	WHY_DISABLED,
	WHY_SEALED,
	WHY_TRIED,
	WHY_PARKED,
	WHY_BUSY,
	WHY_COUNT
};

static const char *const whys[] = {
	[WHY_FIT] = "fit",
	[WHY_UNBOUND] = "unbound",
	[WHY_PLATFORM] = "platform",
	[WHY_DISABLED] = "disabled",
	[WHY_SEALED] = "sealed",
	[WHY_TRIED] = "tried",
	[WHY_PARKED] = "parked",
	[WHY_BUSY] = "busy",
};

_Static_assert(sizeof(whys) / sizeof(whys[0]) == WHY_COUNT,
    "one word for each reason");

/* Of an account of which much would reset unused it is smaller. */
static int64_t
stride(const struct candidate *c, int64_t now_ms)
{
	int weight = c->account->weight > 0 ? c->account->weight : 1;

	return (STRIDE / weight * SHARE_PACE_EVEN /
	    share_pace(&c->health.share, now_ms));
}

/*
 * What all that fit have in common.  An account that was away does not get all
 * at once what it missed: its pass is brought up to at most one stride behind
 * the foremost.
 */
struct field {
	int64_t now_ms;
	int64_t pass;		/* of the foremost */
	int64_t stride;		/* the longest */
	int64_t best_ms;	/* shortest time to a first byte; 0: none is
				   known */
};

static int64_t
raised_pass(const struct candidate *c, const struct field *f)
{
	int64_t least = f->pass - f->stride;

	return (c->pass > least ? c->pass : least);
}

/* Strategies give a score to a candidate that fits; the smallest wins. */
struct strategy {
	const char *name;
	int64_t (*score)(const struct candidate *c, const struct field *f);
};

/* Shares by weight; what is in flight counts once more, so that a slow
 * account gets less. */
static int64_t
score_weighted(const struct candidate *c, const struct field *f)
{

	return (raised_pass(c, f) + c->in_use * stride(c, f->now_ms));
}

static int64_t
score_least_connections(const struct candidate *c, const struct field *f)
{

	return (c->in_use * stride(c, f->now_ms));
}

/* Each in its turn, whatever its weight. */
static int64_t
score_round_robin(const struct candidate *c, const struct field *f)
{

	(void)f;
	return (c->turn);
}

/* As long as the first byte would take if each request that it serves already
 * made it slower by as much; by weight. */
static int64_t
score_response_time(const struct candidate *c, const struct field *f)
{
	int64_t ms = health_expected_ms(&c->health, f->best_ms, f->now_ms);

	return (ms * (c->in_use + 1) * (stride(c, f->now_ms) / 1000));
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

	if (strcmp(bind_kind, "account") == 0)
		return (a->id == bind_id);
	if (strcmp(bind_kind, "group") == 0)
		return (a->group_id == bind_id);
	return (true);
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

static enum why
judge(const struct choose_params *p, const struct candidate *c)
{
	const struct account *a = c->account;

	if (!choose_bound(a, p->bind_kind, p->bind_id))
		return (WHY_UNBOUND);
	if (p->platform != NULL && strcmp(a->platform, p->platform) != 0)
		return (WHY_PLATFORM);
	if (!a->enabled)
		return (WHY_DISABLED);
	if (a->secret == NULL)
		return (WHY_SEALED);
	if (was_tried(p, a->id))
		return (WHY_TRIED);
	if (account_parked(a, p->family, p->now_ms) != NULL)
		return (WHY_PARKED);
	if (p->needs_slot && c->in_use >= a->concurrency)
		return (WHY_BUSY);
	return (WHY_FIT);
}

/* Count ${why}, and remember which parked account is free first. */
static void
count(const struct choose_params *p, const struct candidate *c, enum why why,
    struct choice *out)
{
	const struct cooldown *cd;

	out->bound += why != WHY_UNBOUND;
	out->tried += why == WHY_TRIED;
	out->parked += why == WHY_PARKED;
	out->busy += why == WHY_BUSY;
	out->usable += why == WHY_FIT || why >= WHY_TRIED;
	if (why != WHY_PARKED)
		return;
	cd = account_parked(c->account, p->family, p->now_ms);
	if (out->free_ms == 0 || cd->until_ms < out->free_ms) {
		out->free_ms = cd->until_ms;
		out->reason = cd->reason;
	}
}

static bool
better(const struct strategy *s, const struct candidate *a,
    const struct candidate *b, const struct field *f)
{
	int64_t pa = raised_pass(a, f), pb = raised_pass(b, f), sa, sb;
	bool spent = share_spent(&a->health.share, f->now_ms);

	if (a->account->priority != b->account->priority)
		return (a->account->priority < b->account->priority);
	if (spent != share_spent(&b->health.share, f->now_ms))
		return (!spent);
	sa = s->score(a, f);
	sb = s->score(b, f);
	if (sa != sb)
		return (sa < sb);
	if (pa != pb)
		return (pa < pb);
	return (a->account->id < b->account->id);
}

static void
survey(const struct choose_params *p, struct field *f)
{
	const struct candidate *c;
	int64_t length, ms;

	*f = (struct field) { .now_ms = p->now_ms };
	for (c = p->candidates; c < p->candidates + p->n; c++) {
		if (judge(p, c) != WHY_FIT)
			continue;
		length = stride(c, p->now_ms);
		ms = c->health.first_byte_ms;
		if (c->pass > f->pass)
			f->pass = c->pass;
		if (length > f->stride)
			f->stride = length;
		if (ms > 0 && (f->best_ms == 0 || ms < f->best_ms))
			f->best_ms = ms;
	}
}

static void
pick(const struct choose_params *p, struct choice *out)
{
	const struct strategy *s = NULL;
	const struct candidate *c, *best = NULL;
	struct field f;
	size_t i;

	survey(p, &f);
	if (p->strategy != NULL)
		s = strategy_find(p->strategy);
	if (s == NULL)
		s = &strategies[0];
	for (i = 0; i < p->n; i++) {
		c = &p->candidates[i];
		if (judge(p, c) == WHY_FIT &&
		    (best == NULL || better(s, c, best, &f)))
			best = c;
	}
	out->index = (size_t)(best - p->candidates);
	out->pass = raised_pass(best, &f) + stride(best, p->now_ms);
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
	const struct cooldown *cd = NULL;
	char *trace = out->trace;

	if (strcmp(why, whys[WHY_PARKED]) == 0)
		cd = account_parked(c->account, p->family, p->now_ms);
	return (trace_add(trace, len, "%s{\"account\":%" PRId64
	    ",\"in_use\":%" PRId64 ",\"why\":\"%s%s%s\"%s}",
	    *len > 1 ? "," : "", c->account->id, c->in_use, why,
	    cd == NULL ? "" : ": ", cd == NULL ? "" : cd->reason,
	    c->account->id == p->home ? homes[out->home] : ""));
}

static void
write_trace(const struct choose_params *p, struct choice *out)
{
	const struct candidate *c;
	size_t len = 1, i;
	enum why why;
	int more = 0;

	out->trace[0] = '[';
	if (out->result == CHOICE_PICKED)
		(void)trace_one(p, &p->candidates[out->index], "picked",
		    out, &len);
	for (i = 0; i < p->n; i++) {
		c = &p->candidates[i];
		if (out->result == CHOICE_PICKED && i == out->index)
			continue;
		if ((why = judge(p, c)) == WHY_UNBOUND)
			continue;
		if (more > 0 ||
		    !trace_one(p, c, whys[why], out, &len))
			more++;
	}
	if (more > 0)
		len += (size_t)snprintf(out->trace + len,
		    CHOICE_TRACE_SIZE - len, "%s{\"more\":%d}",
		    len > 1 ? "," : "", more);
	memcpy(out->trace + len, "]", 2);
}

const char *
choose_why(const struct choose_params *p, const struct candidate *c)
{

	return (whys[judge(p, c)]);
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
go_home(const struct choose_params *p, size_t index, enum why why,
    struct choice *out)
{
	const struct candidate *c = &p->candidates[index];

	if (why == WHY_FIT) {
		out->home = CHOICE_HOME_KEPT;
		out->index = index;
		out->pass = c->pass + stride(c, p->now_ms);
	} else if (why == WHY_BUSY && p->patient)
		out->home = CHOICE_HOME_AWAITED;
	else
		out->home = CHOICE_HOME_LEFT;
}

void
choose(const struct choose_params *p, bool trace, struct choice *out)
{
	enum why why;
	size_t i;
	int fit = 0;

	memset(out, 0, offsetof(struct choice, trace));
	out->trace[0] = '\0';
	for (i = 0; i < p->n; i++) {
		why = judge(p, &p->candidates[i]);
		count(p, &p->candidates[i], why, out);
		fit += why == WHY_FIT;
		if (p->home != 0 && p->candidates[i].account->id == p->home)
			go_home(p, i, why, out);
	}
	if (out->home == CHOICE_HOME_AWAITED)
		out->result = CHOICE_BUSY;
	else if (fit > 0) {
		out->result = CHOICE_PICKED;
		if (out->home != CHOICE_HOME_KEPT)
			pick(p, out);
	} else if (out->busy > 0)
		out->result = CHOICE_BUSY;
	else if (out->parked > 0)
		out->result = CHOICE_PARKED;
	else
		out->result = CHOICE_NONE;
	if (trace)
		write_trace(p, out);
}
