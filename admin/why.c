#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "pool/affinity.h"
#include "pool/breaker.h"
#include "pool/choose.h"
#include "pool/crews.h"
#include "pool/health.h"
#include "pool/idlist.h"
#include "pool/keys.h"
#include "pool/load.h"
#include "pool/models.h"
#include "store/store.h"

#include "accounts.h"
#include "keys.h"

#include "why.h"

#define ANSWER_SIZE	400

/* What is known of the pool, and of the request. */
struct view {
	struct snapshot *snapshot;
	struct load load;
	struct keys keys;
	const struct key_state *key;
	const struct candidate *self;	/* the account that is asked for */
	struct choose_params params;
	struct choice choice;
	char family[POOL_FAMILY_SIZE];
	struct crew crew;		/* .limit 0: none that is full */
	struct session home;		/* .account_id 0: none */
	int64_t patience_ms;		/* so long it waits for that */
};

static void
view_fini(struct view *v)
{

	keys_fini(&v->keys);
	load_fini(&v->load);
	snapshot_unref(v->snapshot);
}

static const char *
strategy_of(const struct view *v)
{
	const struct group *g = NULL;

	if (strcmp(v->key->bind_kind, "group") == 0)
		g = snapshot_group(v->snapshot, v->key->bind_id);
	return (g == NULL ? choose_strategy(0) : g->strategy);
}

static int
probed_row(void *arg, const struct store_value *c, size_t n)
{
	struct candidate *cand = load_candidate(arg, store_get_int(&c[0]));

	(void)n;
	if (cand != NULL)
		cand->probed_until_ms = INT64_MAX;
	return (0);
}

/* Accounts that other requests probe at this moment. */
static int
view_probes(struct view *v, struct store *st, const struct why_ask *ask,
    struct err *err)
{
	const struct store_value params[2] = {
		store_text(v->family),
		store_int(store_now_ms(st) - ask->half_open_ms),
	};

	return (store_query(st, STMT_ACCOUNTS_PROBED, params, 2, probed_row,
	    &v->load, err) < 0 ? -1 : 0);
}

/* Users and groups whose requests are bounded together. */
static int
view_crews(struct view *v, struct store *st, struct err *err)
{
	struct crew crew;
	int kind;

	for (kind = 0; kind < CREW_KINDS; kind++) {
		if (!crew_of(v->snapshot, v->key, (enum crew_kind)kind,
		    &crew))
			continue;
		if (crew_count(st, &crew, err))
			return (-1);
		if (crew.in_flight >= crew.limit)
			v->crew = crew;
	}
	return (0);
}

/* id, account, since, used, tokens, how long they are kept, expires */
static int
home_row(void *arg, const struct store_value *c, size_t n)
{
	struct session *s = arg;

	(void)n;
	s->account_id = store_get_int(&c[1]);
	s->used_ms = store_get_int(&c[3]);
	s->cached_tokens = store_get_int(&c[4]);
	s->cache_ms = store_get_int(&c[5]);
	return (1);
}

/* Where the session is at home. */
static int
view_home(struct view *v, struct store *st, const struct why_ask *ask,
    struct err *err)
{
	struct store_value params[2];
	struct idlist ids;
	int rc = -1;

	if (ask->session == NULL || ask->affinity_ttl_ms == 0)
		return (0);
	idlist_init(&ids, 1);
	idlist_put(&ids, affinity_id(v->key, ask->session), 0);
	params[1] = store_int(store_now_ms(st));
	if (idlist_param(&ids, &params[0], err) == 0 && store_query(st,
	    STMT_AFFINITY_READ, params, 2, home_row, &v->home, err) >= 0)
		rc = 0;
	idlist_fini(&ids);
	v->patience_ms = affinity_patience_ms(&v->home,
	    ask->affinity_wait_ms, params[1].i);
	return (rc);
}

/* What place.c asks for a request to /v1/messages. */
static void
view_choose(struct view *v, struct store *st, const char *model)
{

	v->params = (struct choose_params) {
		.candidates = v->load.candidates,
		.n = v->load.naccounts,
		.strategy = strategy_of(v),
		.bind_kind = v->key->bind_kind,
		.bind_id = v->key->bind_id,
		.platform = "claude",
		.family = v->family,
		.model = model,
		.names = MODEL_NAMES_ANY,
		.needs_slot = true,
		.home = v->home.account_id,
		.patient = v->patience_ms > 0,
		.now_ms = store_now_ms(st),
	};
	choose(&v->params, false, &v->choice);
}

static int
view_read(struct view *v, struct store *st, const struct seal *seal,
    const struct why_ask *ask, struct err *err)
{
	int64_t account_id, key_id;

	if (accounts_find(st, ask->account, &account_id, err) ||
	    keys_find(st, ask->key, &key_id, err) ||
	    (v->snapshot = snapshot_load(st, seal, err)) == NULL ||
	    load_follow(&v->load, v->snapshot, err) ||
	    load_read(&v->load, st, 1, err) ||
	    health_read(&v->load, st, 0, err) ||
	    (v->key = keys_get(&v->keys, st, &v->load, key_id, err)) == NULL)
		return (-1);
	v->self = load_candidate(&v->load, account_id);
	model_family(ask->model, v->family);
	if (view_probes(v, st, ask, err) || view_crews(v, st, err) ||
	    view_home(v, st, ask, err))
		return (-1);
	view_choose(v, st, ask->model);
	return (0);
}

/* ---- in words ---- */

/* So many run already that the next waits, whatever the accounts. */
static bool
says_full(const struct view *v, const struct why_ask *ask, char *out)
{
	if (v->key->concurrency > 0 &&
	    load_key(&v->load, v->key->id) >= v->key->concurrency) {
		(void)snprintf(out, ANSWER_SIZE, "key \"%s\" has %" PRId64
		    " requests running, which is as many as it may have: the "
		    "next waits", ask->key, v->key->concurrency);
		return (true);
	}
	if (v->crew.limit == 0)
		return (false);
	(void)snprintf(out, ANSWER_SIZE, "the keys of the %s of key \"%s\" "
	    "have %" PRId64 " requests running, which is as many as they may "
	    "have together: the next waits", crew_word(&v->crew), ask->key,
	    v->crew.limit);
	return (true);
}

static bool
says_key(const struct view *v, const struct why_ask *ask, char *out)
{
	switch (key_verdict(v->key, ask->model, v->params.now_ms)) {
	case ADMIT_LEASED:
		break;
	case ADMIT_KEY_EXPIRED:
		(void)snprintf(out, ANSWER_SIZE, "key \"%s\" has expired",
		    ask->key);
		return (true);
	case ADMIT_MODEL:
		(void)snprintf(out, ANSWER_SIZE, "key \"%s\" may not use "
		    "model %s", ask->key, ask->model);
		return (true);
	default:
		(void)snprintf(out, ANSWER_SIZE, "key \"%s\" is disabled or "
		    "revoked", ask->key);
		return (true);
	}
	return (says_full(v, ask, out));
}

static void
say_bound(const struct view *v, const struct why_ask *ask, char *out)
{
	const struct group *g;
	const struct account *a;

	if (strcmp(v->key->bind_kind, "group") == 0) {
		g = snapshot_group(v->snapshot, v->key->bind_id);
		(void)snprintf(out, ANSWER_SIZE, "key \"%s\" uses group "
		    "\"%s\", which \"%s\" is not in", ask->key,
		    g == NULL ? "" : g->name, ask->account);
		return;
	}
	a = snapshot_account(v->snapshot, v->key->bind_id);
	(void)snprintf(out, ANSWER_SIZE, "key \"%s\" uses account \"%s\" "
	    "alone", ask->key, a == NULL ? "" : a->name);
}

static void
say_parked(const struct view *v, const struct why_ask *ask, char *out)
{
	const struct cooldown *cd;
	char until[CLOCK_RFC3339_SIZE];

	(void)choose_breaker(&v->params, v->self->account, &cd);
	clock_rfc3339(cd->until_ms, until);
	(void)snprintf(out, ANSWER_SIZE, "\"%s\" is parked until %s (%s%s%s);"
	    " \"leasehold account wake\" ends that", ask->account, until,
	    cd->reason, cd->family[0] == '\0' ? "" : ", for models of ",
	    cd->family);
}

static void
say_probed(const struct view *v, const struct why_ask *ask, char *out)
{
	const struct cooldown *cd;

	(void)choose_breaker(&v->params, v->self->account, &cd);
	(void)snprintf(out, ANSWER_SIZE, "the breaker of \"%s\" is half-open "
	    "(%s), and another request probes it; others wait for what "
	    "comes of that", ask->account, cd->reason);
}

static void
say_busy(const struct view *v, const struct why_ask *ask, char *out)
{

	(void)snprintf(out, ANSWER_SIZE, "all %d slots of \"%s\" are in use",
	    v->self->account->concurrency, ask->account);
}

static void
say_disabled(const struct view *v, const struct why_ask *ask, char *out)
{

	(void)v;
	(void)snprintf(out, ANSWER_SIZE, "\"%s\" is disabled; \"leasehold "
	    "account enable\" ends that", ask->account);
}

static void
say_sealed(const struct view *v, const struct why_ask *ask, char *out)
{

	(void)v;
	(void)snprintf(out, ANSWER_SIZE, "the master key does not open the "
	    "secret of \"%s\"", ask->account);
}

static void
say_platform(const struct view *v, const struct why_ask *ask, char *out)
{

	(void)snprintf(out, ANSWER_SIZE, "\"%s\" is of platform %s, and the "
	    "request is for %s", ask->account, v->self->account->platform,
	    v->params.platform);
}

static void
say_model(const struct view *v, const struct why_ask *ask, char *out)
{
	const char *name = account_model(v->self->account, ask->model);

	(void)snprintf(out, ANSWER_SIZE, "\"%s\" does not serve model %s; "
	    "\"leasehold account set --models\" says what it serves",
	    ask->account, name);
}

static const char *const firsts[][2] = {
	{ "priority", "has the smaller priority" },
	{ "spent", "goes first, as the upstream says that nearly nothing is "
	    "left of this one's limit" },
};

/* The session's account goes first. */
static bool
says_home(const struct view *v, const struct why_ask *ask, char *out)
{
	const struct account *home = snapshot_account(v->snapshot,
	    v->home.account_id);

	if (home == NULL || home == v->self->account)
		return (false);
	if (v->choice.home == CHOICE_HOME_KEPT)
		(void)snprintf(out, ANSWER_SIZE, "\"%s\" is fit, but \"%s\" "
		    "holds the session's prompt cache", ask->account,
		    home->name);
	else if (v->choice.home == CHOICE_HOME_AWAITED)
		(void)snprintf(out, ANSWER_SIZE, "\"%s\" is fit, but the "
		    "request waits up to %" PRId64 " ms for \"%s\", which "
		    "is busy and holds the session's prompt cache",
		    ask->account, v->patience_ms, home->name);
	else
		return (false);
	return (true);
}

static void
say_fit(const struct view *v, const struct why_ask *ask, char *out)
{
	const struct candidate *best =
	    &v->params.candidates[v->choice.index];
	const char *first;
	size_t i;

	if (says_home(v, ask, out))
		return;
	if (best == v->self) {
		(void)snprintf(out, ANSWER_SIZE, "\"%s\" would serve it now%s",
		    ask->account, v->choice.probe ? ", as a probe: its "
		    "breaker is not closed" : "");
		return;
	}
	first = choose_first(&v->params, best, v->self);
	for (i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		if (strcmp(first, firsts[i][0]) == 0)
			break;
	}
	if (i < sizeof(firsts) / sizeof(firsts[0]))
		(void)snprintf(out, ANSWER_SIZE, "\"%s\" is fit, but \"%s\" "
		    "%s", ask->account, best->account->name, firsts[i][1]);
	else
		(void)snprintf(out, ANSWER_SIZE, "\"%s\" is fit; it is the "
		    "turn of \"%s\" by strategy %s", ask->account,
		    best->account->name, v->params.strategy);
}

static const struct {
	const char *why;	/* as choose_why has it */
	void (*say)(const struct view *v, const struct why_ask *ask,
	    char *out);
} sayings[] = {
	{ "unbound", say_bound },
	{ "platform", say_platform },
	{ "disabled", say_disabled },
	{ "sealed", say_sealed },
	{ "model", say_model },
	{ "parked", say_parked },
	{ "probed", say_probed },
	{ "busy", say_busy },
	{ "fit", say_fit },
	{ "probe", say_fit },
};

static void
say(const struct view *v, const struct why_ask *ask, char *out)
{
	const char *why = choose_why(v->self);
	size_t i;

	if (says_key(v, ask, out))
		return;
	for (i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
		if (strcmp(why, sayings[i].why) == 0)
			sayings[i].say(v, ask, out);
	}
}

/* ---- as JSON ---- */

static json_t *
one_considered(const struct view *v, const struct candidate *c)
{
	const struct share *s = &c->health.share;
	const struct cooldown *cd;
	bool left = s->seen_ms > 0 && s->reset_ms > v->params.now_ms;
	enum breaker b = choose_breaker(&v->params, c->account, &cd);

	return (json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:I, s:i, s:o, "
	    "s:o}", "account", c->account->name,
	    "sent_as", account_model(c->account, v->params.model),
	    "why", choose_why(c),
	    "breaker", breaker_word(b),
	    "reason", cd == NULL ? json_null() : json_string(cd->reason),
	    "until_ms", b < BREAKER_SOFT ? json_null() :
	    json_integer(cd->until_ms),
	    "priority", c->account->priority,
	    "in_use", (json_int_t)c->in_use,
	    "concurrency", c->account->concurrency,
	    "left_permille", left ? json_integer(s->permille) : json_null(),
	    "first_byte_ms", c->health.first_byte_ms == 0 ? json_null() :
	    json_integer(c->health.first_byte_ms)));
}

static json_t *
considered(const struct view *v)
{
	const struct candidate *c;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < v->params.n; i++) {
		c = &v->params.candidates[i];
		if (choose_bound(c->account, v->params.bind_kind,
		    v->params.bind_id))
			(void)json_array_append_new(list,
			    one_considered(v, c));
	}
	return (list);
}

static json_t *
answer(const struct view *v, const struct why_ask *ask, struct err *err)
{
	char text[ANSWER_SIZE] = "";
	const char *why = choose_why(v->self);
	bool picked, stopped, fit;
	json_t *j;

	stopped = says_key(v, ask, text);
	fit = !stopped && (strcmp(why, "fit") == 0 ||
	    strcmp(why, "probe") == 0);
	picked = !stopped && v->choice.result == CHOICE_PICKED &&
	    &v->params.candidates[v->choice.index] == v->self;
	say(v, ask, text);
	j = json_pack("{s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:o}",
	    "account", ask->account, "key", ask->key, "model", ask->model,
	    "fit", fit, "picked", picked, "answer", text,
	    "strategy", v->params.strategy, "considered", considered(v));
	if (j == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (j);
}

json_t *
why_not(struct store *st, const struct seal *seal, const struct why_ask *ask,
    struct err *err)
{
	struct view v = { .snapshot = NULL };
	json_t *j = NULL;

	load_init(&v.load);
	keys_init(&v.keys);
	/* To write nothing; but requests of a key are counted under lock. */
	if (store_begin(st, true, err))
		goto done;
	if (view_read(&v, st, seal, ask, err) == 0 && v.self != NULL)
		j = answer(&v, ask, err);
	store_rollback(st);
done:
	view_fini(&v);
	return (j);
}
