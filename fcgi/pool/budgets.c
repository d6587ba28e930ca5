#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bisect.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"
#include "ledger/flags.h"

#include "pool/budgets.h"
#include "pool/keys.h"
#include "pool/models.h"
#include "pool/runner.h"

/* ---- the rules that a key counts against ---- */

/* Those on one key, person or group: a part of the snapshot's, by their ids. */
struct run {
	const struct budget_rule *first, *end;
};

#define RUNS_MAX	3

/* Of a key all that count for a model, by their ids; in the batch's arena. */
struct rules {
	size_t n;
	const struct budget_rule **list;
};

struct scope {
	const char *name;
	int64_t id;
};

static int
rule_cmp(const struct budget_rule *r, const struct scope *scope)
{
	int c = strcmp(r->scope, scope->name);

	if (c != 0)
		return (c);
	return (r->scope_id < scope->id ? -1 : r->scope_id > scope->id);
}

static bool
rule_before(const void *elem, const void *key)
{

	return (rule_cmp(elem, key) < 0);
}

static struct run
run_of(const struct snapshot *s, const char *name, int64_t id)
{
	const struct scope scope = { name, id };
	const struct budget_rule *end = s->budgets + s->nbudgets;
	struct run run;

	run.first = s->budgets + bisect(s->budgets, s->nbudgets,
	    sizeof(*s->budgets), rule_before, &scope);
	run.end = run.first;
	while (run.end < end && rule_cmp(run.end, &scope) == 0)
		run.end++;
	return (run);
}

/* How many there are. */
static size_t
runs_of(const struct snapshot *s, const struct key_state *key,
    struct run runs[RUNS_MAX])
{
	size_t n = 0;

	if (s->nbudgets == 0)
		return (0);
	runs[n++] = run_of(s, "key", key->id);
	if (key->person_id != 0)
		runs[n++] = run_of(s, "person", key->person_id);
	if (strcmp(key->bind_kind, "group") == 0)
		runs[n++] = run_of(s, "group", key->bind_id);
	return (n);
}

bool
budgets_counts(const struct budget_rule *r, const char *model)
{

	return (r->models == NULL || models_allow(r->models, model));
}

static int
by_id(const void *a, const void *b)
{
	const struct budget_rule *x = *(const struct budget_rule *const *)a;
	const struct budget_rule *y = *(const struct budget_rule *const *)b;

	return (x->id < y->id ? -1 : x->id > y->id);
}

/* Those that count for one of the names that it may go upstream as. */
static int
rules_of(struct runner *rn, const struct key_state *key,
    const struct demand *want, struct rules *out, struct err *err)
{
	struct run runs[RUNS_MAX];
	const struct budget_rule *r;
	size_t nruns = runs_of(rn->snapshot, key, runs), max = 0, i;

	out->n = 0;
	for (i = 0; i < nruns; i++)
		max += (size_t)(runs[i].end - runs[i].first);
	out->list = arena_get(&rn->arena, max, sizeof(*out->list), err);
	if (out->list == NULL)
		return (-1);
	for (i = 0; i < nruns; i++) {
		for (r = runs[i].first; r < runs[i].end; r++) {
			if (want->requests_alone &&
			    r->kind != BUDGET_REQUESTS)
				continue;
			if (r->models == NULL || model_names_match(
			    want->names, want->model, r->models))
				out->list[out->n++] = r;
		}
	}
	qsort(out->list, out->n, sizeof(*out->list), by_id);
	return (0);
}

bool
budgets_money(const struct snapshot *s, const struct key_state *key,
    const char *model)
{
	struct run runs[RUNS_MAX];
	const struct budget_rule *r;
	size_t nruns = runs_of(s, key, runs), i;

	for (i = 0; i < nruns; i++) {
		for (r = runs[i].first; r < runs[i].end; r++) {
			if (r->kind == BUDGET_MONEY &&
			    budgets_counts(r, model))
				return (true);
		}
	}
	return (false);
}

bool
budgets_measure(const struct snapshot *s, const struct key_state *key)
{
	struct run runs[RUNS_MAX];
	const struct budget_rule *r;
	size_t nruns = runs_of(s, key, runs), i;

	for (i = 0; i < nruns; i++) {
		for (r = runs[i].first; r < runs[i].end; r++) {
			if (r->kind != BUDGET_REQUESTS || r->models != NULL)
				return (true);
		}
	}
	return (false);
}

/* ---- room ---- */

static int64_t
left_of(const struct budget_rule *rule, const struct window_use *use)
{
	int64_t left = rule->limit - use->spent;

	return (left < use->reserved ? 0 : left - use->reserved);
}

/* A look for room, and what was seen. */
struct look {
	const struct budget_rule *rule;
	struct window_span span;
	int64_t own;		/* the request holds already ... */
	int64_t more;		/* ... and wants */
	struct window_use use;
};

/* May what is reserved be given back, so that there is room again?  Of a
 * request that goes upstream all that it reserved of a rate is used. */
static bool
may_come_back(const struct budget_rule *rule)
{

	return (rule->kind != BUDGET_REQUESTS ||
	    rule->window.period != WINDOW_ROLLING);
}

/* Has the budget room?  1; 0, see ${why}; -1. */
static int
find_room(struct runner *rn, struct look *l, struct shortage *why,
    struct err *err)
{
	int64_t limit = l->rule->limit, all = num_add_sat(l->own, l->more);

	if (windows_use(&rn->windows, rn->st, l->rule, &l->span, &l->use,
	    err))
		return (-1);
	*why = (struct shortage) {
		.rule = l->rule,
		.left = left_of(l->rule, &l->use),
		.wanted = l->more,
		.renews_ms = all > limit ? INT64_MAX : l->use.renews_ms,
		.held = limit - l->use.spent >= all && may_come_back(l->rule),
	};
	return (why->left >= l->more);
}

static struct budget_left
say_left(const struct look *l, int64_t remains)
{

	return ((struct budget_left) {
		.there = true,
		.limit = l->rule->limit,
		.left = remains,
		.renews_ms = l->use.renews_ms == INT64_MAX ? 0 :
		    l->use.renews_ms,
	});
}

/* Of each kind the budget with the least left is what a client has to mind. */
static void
note_left(struct reserving *r, const struct look *l)
{
	struct budget_left *left = &r->left[l->rule->kind];
	int64_t remains = left_of(l->rule, &l->use) - l->more;

	if (!left->there || remains < left->left)
		*left = say_left(l, remains);
}

/* ... and of a request that is refused, the one that refuses it: what it took
 * of the others is given back. */
static void
note_refusal(struct reserving *r, const struct look *l)
{

	memset(r->left, 0, sizeof(r->left));
	r->left[l->rule->kind] = say_left(l, r->why.left);
}

/* What an elastic budget reserved is for so much usage. */
static void
note_coverage(struct reserving *r, enum budget_kind kind)
{
	const struct coverage *slice = &r->want->slice_covers;

	if (kind != BUDGET_OUTPUT && kind != BUDGET_REQUESTS)
		r->coverage.input_tokens = slice->input_tokens;
	if (kind != BUDGET_INPUT && kind != BUDGET_REQUESTS)
		r->coverage.output_tokens = slice->output_tokens;
}

/* One budget: 1 reserved, 0 no room, -1. */
static int
reserve_one(struct runner *rn, struct reserving *r,
    const struct budget_rule *rule, struct err *err)
{
	const struct demand *want = r->want;
	struct look l = { .rule = rule };
	int rc;

	l.more = (rule->strict ? &want->worst : &want->slice)->of[rule->kind];
	if (window_of(&rule->window, rn->now_ms, &l.span)) {
		r->why = (struct shortage) { .rule = rule, .unknown = true };
		return (0);
	}
	if ((rc = find_room(rn, &l, &r->why, err)) == 0)
		note_refusal(r, &l);
	if (rc != 1)
		return (rc);
	if (windows_add(&rn->windows, rn->st, rule->id, l.span.start_ms, 0,
	    l.more, err))
		return (-1);
	note_left(r, &l);
	if (!rule->strict)
		note_coverage(r, rule->kind);
	r->holds->list[r->holds->n++] = (struct hold) {
		.budget_id = rule->id,
		.start_ms = l.span.start_ms,
		.kind = rule->kind,
		.amount = l.more,
	};
	return (1);
}

int
budgets_reserve(struct runner *rn, struct reserving *r, struct err *err)
{
	struct rules rules;
	size_t i;
	int rc = 1;

	r->holds->n = 0;
	r->coverage = COVERAGE_ALL;
	memset(r->left, 0, sizeof(r->left));
	if (rules_of(rn, r->key, r->want, &rules, err))
		return (-1);
	r->holds->list = arena_get(&rn->arena, rules.n,
	    sizeof(*r->holds->list), err);
	if (r->holds->list == NULL)
		return (-1);
	for (i = 0; i < rules.n && rc == 1; i++)
		rc = reserve_one(rn, r, rules.list[i], err);
	if (rc != 1)
		budgets_undo(rn, r->holds);
	return (rc);
}

void
budgets_undo(struct runner *rn, struct holds *holds)
{
	const struct hold *h;

	for (h = holds->list; h < holds->list + holds->n; h++)
		windows_take_back(&rn->windows, h->budget_id, h->start_ms,
		    h->amount);
	holds->n = 0;
}

/* ---- more for those that run ---- */

/* Room for ${h} to become ${amount}, where it is. */
static int
room_beside(struct runner *rn, const struct budget_rule *rule,
    const struct hold *h, int64_t amount, struct shortage *why,
    struct err *err)
{
	bool rolls = rule->window.period == WINDOW_ROLLING;
	struct look l = {
		.rule = rule,
		.own = h->amount,
		.more = amount - h->amount,
	};

	if (window_of(&rule->window, rolls ? rn->now_ms : h->start_ms,
	    &l.span)) {
		*why = (struct shortage) { .rule = rule, .unknown = true };
		return (0);
	}
	if (!rolls)
		l.span.start_ms = h->start_ms;
	return (find_room(rn, &l, why, err));
}

/* What ${h} has to be.  One that took the worst case has enough; the budget
 * may have become strict since. */
static int64_t
raised_to(const struct budget_rule *rule, const struct hold *h,
    const struct demand *to)
{
	int64_t slice = to->slice.of[h->kind], worst = to->worst.of[h->kind];

	return (rule->strict && worst < slice ? worst : slice);
}

/* What is more in ${raised} than ${row} holds. */
static int
book_raise(struct runner *rn, const struct held_row *row,
    const struct holds *raised, struct err *err)
{
	bool reaped = row->state == LEDGER_REAPED;
	const struct hold *h;
	int64_t more;

	for (h = raised->list; h < raised->list + raised->n; h++) {
		more = h->amount - row->holds.list[h - raised->list].amount;
		if (more > 0 && windows_add(&rn->windows, rn->st,
		    h->budget_id, h->start_ms, reaped ? more : 0,
		    reaped ? 0 : more, err))
			return (-1);
	}
	return (0);
}

int
budgets_raise(struct runner *rn, struct held_row *row,
    const struct demand *to, struct shortage *why, struct err *err)
{
	const struct budget_rule *rule;
	struct holds raised;
	struct hold *h;
	int64_t amount;
	int rc;

	if (holds_copy(&raised, &row->holds, &rn->arena, err))
		return (-1);
	for (h = raised.list; h < raised.list + raised.n; h++) {
		rule = snapshot_budget(rn->snapshot, h->budget_id);
		if (rule == NULL || !budgets_counts(rule, to->model) ||
		    (amount = raised_to(rule, h, to)) <= h->amount)
			continue;
		if ((rc = room_beside(rn, rule, h, amount, why, err)) != 1)
			return (rc);
		h->amount = amount;
	}
	if (row->state != LEDGER_OPEN && row->state != LEDGER_REAPED)
		return (1);
	if (book_raise(rn, row, &raised, err))
		return (-1);
	row->holds = raised;
	return (1);
}

/* ---- on a shared store ---- */

void
budgets_windows(struct runner *rn, const struct key_state *key)
{
	struct run runs[RUNS_MAX];
	const struct budget_rule *r;
	struct window_span span;
	size_t nruns = runs_of(rn->snapshot, key, runs), i;

	for (i = 0; i < nruns; i++) {
		for (r = runs[i].first; r < runs[i].end; r++) {
			if (window_of(&r->window, rn->now_ms, &span) == 0)
				windows_want(r, &span, &rn->locks.windows);
		}
	}
}

void
budgets_windows_of(struct runner *rn, const struct holds *holds)
{
	const struct budget_rule *rule;
	const struct hold *h;
	struct window_span span = { .start_ms = 0 };

	for (h = holds->list; h < holds->list + holds->n; h++) {
		rule = snapshot_budget(rn->snapshot, h->budget_id);
		span.start_ms = h->start_ms;
		if (rule != NULL)
			windows_want(rule, &span, &rn->locks.windows);
		else
			idlist_put(&rn->locks.windows, h->budget_id,
			    h->start_ms);
	}
}

/* ---- in words ---- */

/* "$5", "1200 input tokens" */
static void
say_amount(const struct budget_rule *r, int64_t amount, bool unit,
    char out[48])
{
	static const char *const units[] = {
		[BUDGET_TOKENS] = " tokens",
		[BUDGET_INPUT] = " input tokens",
		[BUDGET_OUTPUT] = " output tokens",
		[BUDGET_REQUESTS] = " requests",
	};
	char nusd[NUM_NUSD_SIZE];

	if (r->kind == BUDGET_MONEY) {
		num_format_nusd(amount, nusd);
		snprintf(out, 48, "$%s", nusd);
		return;
	}
	snprintf(out, 48, "%" PRId64 "%s", amount, unit ? units[r->kind] : "");
}

/* " a day (Europe/Berlin)" */
static void
say_period(const struct budget_rule *r, char out[96])
{
	static const char *const words[] = {
		[WINDOW_TOTAL] = " in total",
		[WINDOW_DAY] = " a day",
		[WINDOW_WEEK] = " a week",
		[WINDOW_MONTH] = " a month",
		[WINDOW_FIXED] = " every",
		[WINDOW_ROLLING] = " in any",
	};
	const char *word = words[r->window.period];

	if (r->window.length_ms > 0)
		snprintf(out, 96, "%s %" PRId64 " min", word,
		    r->window.length_ms / 60000);
	else if (r->window.zone != NULL)
		snprintf(out, 96, "%s (%s)", word, zone_name(r->window.zone));
	else
		snprintf(out, 96, "%s", word);
}

void
budgets_explain(const struct shortage *why, char *out, size_t size)
{
	const struct budget_rule *r = why->rule;
	char limit[48], left[48], wanted[48], period[96];
	char until[CLOCK_RFC3339_SIZE + 8] = "";

	if (why->unknown) {
		snprintf(out, size, "the window of budget %.80s cannot be "
		    "told here", r->name);
		return;
	}
	say_amount(r, r->limit, true, limit);
	say_amount(r, why->left, false, left);
	say_amount(r, why->wanted, false, wanted);
	say_period(r, period);
	if (!why->held && why->renews_ms != INT64_MAX) {
		memcpy(until, " until ", 7);
		clock_rfc3339(why->renews_ms, until + 7);
		memcpy(until + 7 + 19, "Z", 2);
	}
	snprintf(out, size, "of budget %.80s, %s%s, %s %s left%s%s, and the "
	    "request may %s %s", r->name, limit, period, left,
	    r->kind == BUDGET_MONEY ? "is" : "are", why->held ?
	    " while other requests run" : "", until,
	    r->kind == BUDGET_MONEY ? "cost" : "need", wanted);
}
