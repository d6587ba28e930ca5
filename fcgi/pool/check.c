#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "ledger/flags.h"

#include "pool/admit.h"
#include "pool/bill.h"
#include "pool/breaker.h"
#include "pool/check.h"
#include "pool/demand.h"
#include "pool/lookup.h"
#include "pool/model_ask.h"
#include "pool/models.h"
#include "pool/objects.h"
#include "pool/rules.h"
#include "pool/runner.h"

static int __attribute__((__format__(__printf__, 3, 4)))
refuse(struct admit_op *op, enum admit_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	op->verdict = verdict;
	va_start(ap, fmt);
	if (vsnprintf(op->reason, sizeof(op->reason), fmt, ap) < 0)
		op->reason[0] = '\0';
	va_end(ap);
	return (0);
}

/* Where the key looks for accounts, in words. */
static void
say_where(const struct runner *rn, const struct key_state *key, char *out,
    size_t size)
{
	const struct group *g = NULL;

	if (strcmp(key->bind_kind, "group") == 0)
		g = snapshot_group(rn->snapshot, key->bind_id);
	if (g != NULL)
		snprintf(out, size, "in group %.64s", g->name);
	else if (strcmp(key->bind_kind, "pool") == 0)
		snprintf(out, size, "in the pool");
	else
		snprintf(out, size, "for this key");
}

static int
refuse_caller(struct admit_op *op, enum admit_verdict verdict,
    const struct key_state *key)
{

	op->verdict = verdict;
	rules_explain(verdict, key->clients, &op->caller, op->reason,
	    sizeof(op->reason));
	return (0);
}

static int
refuse_key(struct admit_op *op, enum admit_verdict verdict, const char *model)
{

	switch (verdict) {
	case ADMIT_KEY_EXPIRED:
		return (refuse(op, verdict, "the key has expired"));
	case ADMIT_MODEL:
		return (refuse(op, verdict, "the key may not use model %.80s",
		    model));
	default:
		return (refuse(op, verdict, "the key is revoked or disabled"));
	}
}

static bool
may_serve(const struct account *a, const struct key_state *key,
    const struct admit_op *op)
{

	return (a->enabled && a->secret != NULL && (op->account_id != 0 ?
	    a->id == op->account_id :
	    choose_bound(a, key->bind_kind, key->bind_id)) &&
	    (op->platform == NULL || account_speaks(a, op->platform)));
}

static bool
makes(const struct admit_op *op)
{

	return (op->objects != NULL && op->objects->makes != OBJECT_NONE);
}

static bool
follows(const struct admit_op *op)
{

	return (op->objects != NULL && op->objects->follows);
}

/* What makes an object uses requests alone: a batch as many as are in it.  So
 * does what is about one: one, and what else is counted for it was before. */
static void
demand_requests(const struct admit_op *op, struct demand *want)
{

	want->worst.of[BUDGET_REQUESTS] = op->objects->items > 0 ?
	    op->objects->items : 1;
	want->slice = want->worst;
	want->slice_covers = COVERAGE_ALL;
	want->requests_alone = follows(op);
}

/* Something about it has no price, or no bound: which, in words. */
static int
refuse_gap(const struct runner *rn, struct admit_op *op,
    const struct named *at, enum price_gap gap)
{
	const char *what = gap == PRICE_GAP_FEATURE ? op->ask.feature :
	    price_gap_text(gap);

	if (!price_gap_unpriced(gap))
		return (refuse(op, ADMIT_FEATURE, "what %s may cost cannot "
		    "be told beforehand, and this key has a budget in money",
		    what));
	if (gap != PRICE_GAP_MODEL)
		return (refuse(op, ADMIT_UNPRICED, "%s of model %.64s has no "
		    "price here", what, at->model));
	return (refuse(op, ADMIT_UNPRICED, "model %.64s has no price here%s",
	    at->model, rn->set.unpriced == UNPRICED_DEFAULT ?
	    ", and no default price is set" : ""));
}

/* May it go on though its price, or how much of it, is not known? */
static bool
gap_matters(const struct runner *rn, const struct key_state *key,
    const char *model, enum price_gap gap)
{

	return (gap != PRICE_GAP_NONE &&
	    (budgets_money(rn->snapshot, key, model) ||
	    (price_gap_unpriced(gap) &&
	    rn->set.unpriced != UNPRICED_ALLOW)));
}

/* The accounts that a request may go to, under which names. */
struct survey {
	struct admit_op *op;
	const struct key_state *key;
	struct demand *want;
	int there, serving;	/* accounts, and those that serve the model */
	struct named last;	/* looked at last; .platform NULL: none */
	struct named gap_at;	/* one that has ... */
	enum price_gap gap;	/* ... that keeps the request from it */
	const char *unpriced;	/* a batch's model that has no price */
	bool named;		/* it may go to one of them */
};

/* A batch has no worst case, but its models have prices, unless policy says
 * otherwise. */
static bool
needs_prices(const struct runner *rn, const struct admit_op *op)
{

	return (makes(op) && op->objects->makes == OBJECT_BATCH &&
	    rn->set.unpriced != UNPRICED_ALLOW);
}

/* All other models that the body names may go to ${a}, by the names that they
 * have there: on all or on none.  0, or -1: there is no room. */
static int
add_also(struct admit_op *op, const struct account *a)
{
	size_t i, was = strlen(op->lease.names);
	const char *name;

	for (i = 0; op->also != NULL && i < op->also->n; i++) {
		name = account_model(a, op->also->names[i]);
		if (model_names_have(op->lease.names, "", a->platform, name))
			continue;
		if (model_names_add(op->lease.names, a->platform, name)) {
			op->lease.names[was] = '\0';
			return (-1);
		}
	}
	return (0);
}

/* Reserve for one more name: what it has in common with the others, or the
 * dearest of both. */
static void
survey_name(const struct runner *rn, struct survey *s, const struct named *at)
{
	struct admit_op *op = s->op;
	struct demand want = *s->want;
	enum price_gap gap = PRICE_GAP_NONE;

	if (demand_add(rn, op, at, &want, &gap) &&
	    gap_matters(rn, s->key, at->model, gap)) {
		s->gap = gap;
		s->gap_at = *at;
		return;
	}
	if (model_names_add(op->lease.names, at->platform, at->model))
		return;
	s->named = true;
	*s->want = want;
	if (gap == PRICE_GAP_MODEL)
		op->flags |= LEDGER_FLAG_UNPRICED;
	else if (bill_by_default(rn, op->ledger_id, at))
		op->flags |= LEDGER_FLAG_DEFAULT;
}

static void
survey_batch(const struct runner *rn, struct survey *s,
    const struct account *a)
{
	const char *model;

	if (!objects_priced(rn, s->op, a, &model))
		s->unpriced = model;
	else if (add_also(s->op, a) == 0)
		s->named = true;
}

static void
survey_account(const struct runner *rn, struct survey *s,
    const struct account *a)
{
	struct named at = { a->platform, admit_model(s->op, a) };

	s->there++;
	if (admit_maps(s->op) && !account_serves_all(a, s->op->model,
	    s->op->lease.names))
		return;
	s->serving++;
	if (needs_prices(rn, s->op))
		survey_batch(rn, s, a);
	if (!s->op->billed || makes(s->op))
		return;
	if (s->last.platform == NULL || strcmp(s->last.model, at.model) != 0 ||
	    strcmp(s->last.platform, at.platform) != 0) {
		s->last = at;
		if (!s->named || !model_names_have(s->op->lease.names, "",
		    at.platform, at.model))
			survey_name(rn, s, &at);
	}
	if (s->named)
		(void)add_also(s->op, a);
}

/* What the request asks for, in words: "model m", "all of m, n". */
static void
say_models(const struct admit_op *op, char *out, size_t size)
{
	const struct model_ask *also = op->also;
	size_t i, len;

	if (also == NULL || also->n == 0 || (also->n == 1 &&
	    (op->model[0] == '\0' ||
	    strcmp(op->model, also->names[0]) == 0))) {
		(void)snprintf(out, size, "model %.80s%s", op->model,
		    also != NULL && also->unnamed ? " and others" : "");
		return;
	}
	(void)snprintf(out, size, "all of %.80s", op->model);
	for (i = 0; i < also->n; i++) {
		len = strlen(out);
		(void)snprintf(out + len, size - len, "%s%.80s",
		    i > 0 || op->model[0] != '\0' ? ", " : "",
		    also->names[i]);
	}
}

/* An account, of all that are like it. */
static void
survey_example(const struct runner *rn, struct survey *s,
    const struct account *a)
{

	if (a != NULL && may_serve(a, s->key, s->op))
		survey_account(rn, s, a);
}

/* Those that the request may go to: of those that are alike one tells all. */
static void
survey_all(const struct runner *rn, struct survey *s)
{
	const struct snapshot *sn = rn->snapshot;
	const struct admit_op *op = s->op;
	size_t i;

	if (op->account_id != 0)
		survey_example(rn, s, snapshot_account(sn, op->account_id));
	else if (strcmp(s->key->bind_kind, "account") == 0)
		survey_example(rn, s, snapshot_account(sn, s->key->bind_id));
	else for (i = 0; i < sn->nexamples; i++) {
		survey_example(rn, s, sn->examples[i]);
		if ((!op->billed || makes(op)) && s->serving > 0 &&
		    !needs_prices(rn, op))
			break;
	}
}

/* No account will do: in words. */
static int
refuse_unserved(const struct runner *rn, const struct survey *s)
{
	char where[96], models[160];

	say_where(rn, s->key, where, sizeof(where));
	if (s->there == 0)
		return (refuse(s->op, ADMIT_NO_ACCOUNT,
		    "no account is enabled %s", where));
	say_models(s->op, models, sizeof(models));
	return (refuse(s->op, ADMIT_UNSERVED, "no account %s serves %s",
	    where, models));
}

/* Accounts serve it, but it may go to none. */
static int
refuse_unnamed(const struct runner *rn, const struct survey *s)
{

	if (s->unpriced != NULL)
		return (refuse(s->op, ADMIT_UNPRICED, "batches of model %.64s "
		    "have no price here", s->unpriced));
	if (s->gap == PRICE_GAP_NONE)
		return (refuse(s->op, ADMIT_APART, "the names of the "
		    "request's models are too long together"));
	return (refuse_gap(rn, s->op, &s->gap_at, s->gap));
}

static int
find_names(const struct runner *rn, const struct survey *s)
{
	struct admit_op *op = s->op;
	bool reserves = op->billed && (!makes(op) || needs_prices(rn, op));

	if (reserves && !s->named)
		return (refuse_unnamed(rn, s));
	if (reserves)
		model_names_plain(op->lease.names, op->model);
	else if (model_names_any(op->lease.names))
		return (refuse_unnamed(rn, s));
	return (1);
}

/*
 * What the call may use under the dearest of the names that it may go by, in
 * .lease.names.  1; 0: refused, as no account is there that serves the model,
 * or the price is unknown.
 */
static int
find_demand(struct runner *rn, struct admit_op *op,
    const struct key_state *key, struct demand *want)
{
	struct survey v = { .op = op, .key = key, .want = want };
	int rc;

	if (model_names_also(op->lease.names, op->also))
		return (refuse_unnamed(rn, &v));
	survey_all(rn, &v);
	if (v.serving == 0)
		return (refuse_unserved(rn, &v));
	if ((rc = find_names(rn, &v)) != 1)
		return (rc);
	if (makes(op) || follows(op))
		demand_requests(op, want);
	return (1);
}

static int
refuse_budget(struct admit_op *op, const struct shortage *why)
{

	op->verdict = why->held ? ADMIT_BUDGET_HELD : ADMIT_BUDGET;
	op->budget_id = why->rule->id;
	op->budget_limit = why->rule->limit;
	op->budget_left = why->left;
	if (!why->held && !why->unknown && why->renews_ms != INT64_MAX) {
		op->verdict = ADMIT_BUDGET_RENEWS;
		op->retry_ms = why->renews_ms;
	}
	budgets_explain(why, op->reason, sizeof(op->reason));
	return (0);
}

/* The row's reserve, which it is charged at if nothing else is learnt: what
 * the dearest budget of money holds, or the worst case. */
static int64_t
reserve_of(const struct holds *holds, const struct demand *want)
{
	const struct hold *h;
	int64_t nusd = -1;

	for (h = holds->list; h < holds->list + holds->n; h++) {
		if (h->kind == BUDGET_MONEY && h->amount > nusd)
			nusd = h->amount;
	}
	return (nusd >= 0 ? nusd : want->worst.of[BUDGET_MONEY]);
}

static void
fill_want(struct runner *rn, struct admit_op *op, struct key_state *key,
    struct want *w)
{

	*w = (struct want) {
		.ledger_id = op->ledger_id,
		.responder_id = responder_self(&rn->self),
		.key_id = key->id,
		.key = key,
		.op = op,
		.platform = op->platform,
		.only = op->account_id,
		.ntried = (size_t)op->lease.ntried,
		.needs_slot = op->needs_slot,
	};
	op->session_id = op->session[0] == '\0' || !op->needs_slot ||
	    rn->set.affinity_ttl_ms == 0 ? 0 :
	    affinity_id(key, op->session);
	memcpy(w->tried, op->lease.tried, sizeof(w->tried));
	model_family(op->model, w->family);
	if (admit_maps(op))
		snprintf(w->model, sizeof(w->model), "%s", op->model);
	snprintf(w->names, sizeof(w->names), "%s", op->lease.names);
}

/* The key may use all that the body names, and all that may answer is named.
 * False: it is refused. */
static bool
check_also(const struct runner *rn, struct admit_op *op,
    const struct key_state *key)
{
	const struct model_ask *also = op->also;
	size_t i;

	if (also != NULL && also->more)
		return (refuse(op, ADMIT_APART, "a request names at most %d "
		    "models here", MODEL_ASK_MAX));
	if (key->models != NULL && (also == NULL ? op->ask.other_models :
	    also->unnamed))
		return (refuse(op, ADMIT_FEATURE, "the key may use some "
		    "models only, and fallbacks may lead to others"));
	for (i = 0; also != NULL && i < also->n; i++) {
		if (key_verdict(key, also->names[i], rn->now_ms) ==
		    ADMIT_MODEL)
			return (refuse_key(op, ADMIT_MODEL, also->names[i]));
	}
	return (true);
}

int
check_want(struct runner *rn, struct admit_op *op, struct want *w,
    struct err *err)
{
	enum admit_verdict verdict;
	struct key_state *key;

	key = keys_get(&rn->keys, rn->st, &rn->load, op->key->id, err);
	if (key == NULL)
		return (-1);
	fill_want(rn, op, key, w);
	verdict = key_verdict(key, op->model, rn->now_ms);
	if (verdict != ADMIT_LEASED)
		return (refuse_key(op, verdict, op->model));
	if (!check_also(rn, op, key))
		return (0);
	verdict = rules_verdict(key->clients, key->nets, &op->caller);
	return (verdict == ADMIT_LEASED ? 1 :
	    refuse_caller(op, verdict, key));
}

/* A key that was looked up before the configuration changed may have a new
 * secret since: 1, or 0 with its verdict, or -1. */
static int
check_secret(struct runner *rn, struct admit_op *op, struct err *err)
{
	int rc;

	if (op->key->version == rn->snapshot->version)
		return (1);
	rc = lookup_again(rn->st, op->key, err);
	return (rc != 0 ? rc : refuse(op, ADMIT_NO_KEY, "this secret of the "
	    "key works no more: it has a new one"));
}

int
check_arrival(struct runner *rn, struct admit_op *op, struct want *w,
    struct holds *holds, struct err *err)
{
	struct demand want = {
		.model = op->model,
		.names = op->lease.names,
	};
	struct reserving r = { .want = &want, .holds = holds };
	int rc;

	*holds = (struct holds) { .n = 0 };
	op->coverage = COVERAGE_ALL;
	memset(op->left, 0, sizeof(op->left));
	w->arrives = true;
	if ((rc = check_want(rn, op, w, err)) != 1 ||
	    (rc = check_secret(rn, op, err)) != 1 ||
	    (rc = objects_resolve(rn, op, w->key, err)) != 1 ||
	    (rc = objects_may(rn, op, w->key)) != 1 ||
	    (rc = find_demand(rn, op, w->key, &want)) != 1)
		return (rc);
	w->only = op->account_id;
	if (objects_home(rn, op, w, err))
		return (-1);
	w->arrives = true;
	w->holds = holds;
	memcpy(w->names, op->lease.names, sizeof(w->names));
	op->reserved_nusd = want.worst.of[BUDGET_MONEY];
	if (!op->billed && !follows(op))
		return (1);
	r.key = w->key;
	rc = budgets_reserve(rn, &r, err);
	memcpy(op->left, r.left, sizeof(op->left));
	if (rc != 1)
		return (rc == 0 ? refuse_budget(op, &r.why) : rc);
	op->reserved_nusd = reserve_of(holds, &want);
	op->coverage = r.coverage;
	return (1);
}

#define PARKED_SIZE	320

/* What is parked for what, and until when: of several the first.  Nothing if
 * none is. */
static void
say_parked(const struct runner *rn, const struct want *w,
    char out[PARKED_SIZE])
{
	const struct cooldown *cd = w->cooldown;
	char until[CLOCK_RFC3339_SIZE], where[96], which[160];

	out[0] = '\0';
	if (cd == NULL)
		return;
	say_where(rn, w->key, where, sizeof(where));
	clock_rfc3339(cd->until_ms, until);
	if (w->resting > 1)
		(void)snprintf(which, sizeof(which), "%d accounts %s are "
		    "parked, the first", w->resting, where);
	else
		(void)snprintf(which, sizeof(which), "%s is parked",
		    w->bound > 1 ? "one account" : "the account");
	(void)snprintf(out, PARKED_SIZE, "%s until %.19sZ (%.31s%s%.31s)",
	    which, until, cd->reason,
	    cd->family[0] == '\0' ? "" : ", models of ", cd->family);
}

/* What it has waited for in vain. */
static void
explain_wait(struct runner *rn, struct admit_op *op, const struct want *w)
{
	int64_t s = (rn->mono_ms - op->submitted_ms) / 1000;
	const struct crew *crew;
	char where[96];

	if (place_key_is_full(rn, w)) {
		(void)refuse(op, ADMIT_QUEUE_TIMEOUT, "the key's %" PRId64
		    " concurrent requests were all running for %" PRId64 " s",
		    w->key->concurrency, s);
	} else if ((crew = crews_seen_full(rn, w->key)) != NULL) {
		(void)refuse(op, ADMIT_QUEUE_TIMEOUT, "the %s's %" PRId64
		    " concurrent requests were all running for %" PRId64 " s",
		    crew_word(crew), crew->limit, s);
	} else if (w->probed > 0) {
		(void)refuse(op, ADMIT_QUEUE_TIMEOUT, "%d account%s failed "
		    "and %s being probed by another request",
		    w->probed, w->probed > 1 ? "s" : "",
		    w->probed > 1 ? "are" : "is");
	} else {
		say_where(rn, w->key, where, sizeof(where));
		(void)refuse(op, ADMIT_QUEUE_TIMEOUT, "no slot was free %s "
		    "for %" PRId64 " s", where, s);
	}
}

void
check_explain(struct runner *rn, struct admit_op *op, const struct want *w,
    enum admit_verdict verdict)
{
	char where[96], parked[PARKED_SIZE], models[160];

	say_where(rn, w->key, where, sizeof(where));
	say_models(op, models, sizeof(models));
	say_parked(rn, w, parked);
	op->heals = w->cooldown != NULL && breaker_heals(w->cooldown);
	switch (verdict) {
	case ADMIT_PARKED:
		op->retry_ms = w->free_ms;
		op->limited = w->cooldown != NULL && !w->cooldown->soft &&
		    breaker_heals(w->cooldown);
		(void)refuse(op, verdict, "%s", parked);
		break;
	case ADMIT_QUEUE_FULL:
		(void)refuse(op, verdict, "%" PRId64 " requests wait already, "
		    "and this key has its share of them", rn->set.queue_max);
		break;
	case ADMIT_QUEUE_TIMEOUT:
		explain_wait(rn, op, w);
		break;
	default:
		op->retry_ms = w->free_ms;
		if (w->usable == 0 && w->unserved > 0)
			(void)refuse(op, ADMIT_UNSERVED, "no account %s "
			    "serves %s", where, models);
		else if (w->usable > 0)
			(void)refuse(op, verdict, "%d of %d accounts %s "
			    "were tried%s%s", w->tried_n, w->usable, where,
			    parked[0] == '\0' ? "" : "; ", parked);
		else
			(void)refuse(op, verdict, "no account is enabled %s",
			    where);
	}
}
