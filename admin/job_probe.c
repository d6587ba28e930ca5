#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "metrics/metrics.h"
#include "pool/cooldown.h"
#include "store/store.h"

#include "probe.h"
#include "query.h"

#include "jobs.h"
#include "metrics.h"

/* One answer; a server gives up connections that rest for 15 s meanwhile. */
#define PROBE_MS	10000

#define PARK_REASON	"auth"

struct target {
	int64_t id;
	char name[128];
	bool oauth, signed_in;
	int64_t expires_ms, rotation;
	int64_t good_ms;	/* last good probe; 0: none */
};

struct targets {
	struct target *list;
	size_t n, cap;
	struct err *err;
};

/** What an answer says of the account; as the schema has it. */
enum verdict {
	VERDICT_OK,
	VERDICT_CREDENTIAL,
	VERDICT_LIMITED,
	VERDICT_FAILING,
	VERDICT_UNREACHABLE,
	NVERDICTS
};

static const char *const verdicts[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_CREDENTIAL] = "credential",
	[VERDICT_LIMITED] = "limited",
	[VERDICT_FAILING] = "failing",
	[VERDICT_UNREACHABLE] = "unreachable",
};
_Static_assert(sizeof(verdicts) / sizeof(verdicts[0]) == NVERDICTS,
    "one name each");

/* The first row that holds the status.  Whoever says 404 is there, and has
 * neither such a list nor, where a model is known, counts tokens. */
static const struct {
	int from, to;
	enum verdict verdict;
} statuses[] = {
	{ 0, 0, VERDICT_UNREACHABLE },
	{ 200, 299, VERDICT_OK },
	{ 401, 401, VERDICT_CREDENTIAL },
	{ 403, 403, VERDICT_CREDENTIAL },
	{ 429, 429, VERDICT_LIMITED },
	{ 400, 499, VERDICT_OK },
};

static enum verdict
judge(int status)
{
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (status >= statuses[i].from && status <= statuses[i].to)
			return (statuses[i].verdict);
	}
	return (VERDICT_FAILING);
}

/* ---- accounts ---- */

static int
take_target(void *arg, const struct store_value *c, size_t ncols)
{
	struct targets *t = arg;
	struct target *list;
	size_t cap;

	(void)ncols;
	if (t->n == t->cap) {
		cap = t->cap == 0 ? 64 : 2 * t->cap;
		if ((list = realloc(t->list, cap * sizeof(*list))) == NULL) {
			err_set(t->err, ERR_NOMEM, "no memory for accounts");
			return (-1);
		}
		t->list = list;
		t->cap = cap;
	}
	t->list[t->n] = (struct target) {
		.id = store_get_int(&c[0]),
		.oauth = store_get_int(&c[2]) != 0,
		.signed_in = store_get_int(&c[3]) != 0,
		.expires_ms = store_get_int(&c[4]),
		.rotation = store_get_int(&c[5]),
		.good_ms = store_get_int(&c[6]),
	};
	(void)snprintf(t->list[t->n].name, sizeof(t->list[t->n].name), "%s",
	    store_get_text(&c[1]));
	t->n++;
	return (0);
}

/* Without tokens, or with old ones, there is nothing to find out: see job
 * refresh. */
static bool
can_answer(const struct target *t, int64_t now_ms)
{

	return (!t->oauth || (t->signed_in &&
	    (t->expires_ms == 0 || t->expires_ms > now_ms)));
}

/* ---- what follows ---- */

/** One probe, and what it found. */
struct finding {
	const struct target *target;
	const struct probe_result *result;
	int64_t began_ms;
};

/*
 * As for a request that is refused so.  Only where the list was given before:
 * there are upstreams that refuse it to everybody.
 */
static int
park(const struct job_work *w, const struct target *t, bool *parked,
    struct err *err)
{
	const struct cooldown_found by = {
		.account_id = t->id,
		.now_ms = store_now_ms(w->st),
		.max_ms = w->conf->cooldown_max_ms,
	};
	const struct park p = {
		.wanted = true,
		.reason = PARK_REASON,
		.detail = "HTTP 401 to a health probe",
		.base_ms = w->conf->cooldown_auth_ms,
	};
	int rc;

	if (t->good_ms == 0)
		return (0);
	if ((rc = cooldown_set(w->st, &by, &p, err)) == -1)
		return (-1);
	*parked = rc == 1;
	return (0);
}

/* One that the relay has renewed meanwhile is not touched. */
static int
want_token(const struct job_work *w, const struct target *t,
    int64_t *changes, struct err *err)
{
	const int64_t now_ms = store_now_ms(w->st);
	const struct store_value v[4] = {
		store_int(now_ms), store_int(t->id), store_int(t->rotation),
		store_int(now_ms)
	};

	return (store_exec(w->st, STMT_PROBE_RENEW, v, 1, 4, changes, err));
}

/* What was seen after the probe began is news. */
static int
lift(const struct job_work *w, const struct finding *f, int64_t *changes,
    struct err *err)
{
	const int64_t now_ms = store_now_ms(w->st);
	const struct store_value v[4] = {
		store_int(now_ms), store_int(f->target->id),
		store_int(now_ms), store_int(f->began_ms)
	};

	return (store_exec(w->st, STMT_PROBE_LIFT, v, 1, 4, changes, err));
}

static int
put_probe(const struct job_work *w, const struct finding *f, struct err *err)
{
	const struct target *t = f->target;
	const struct probe_result *r = f->result;
	const enum verdict verdict = judge(r->status);
	const int64_t now_ms = store_now_ms(w->st);
	const int64_t good_ms = verdict == VERDICT_OK ? now_ms : t->good_ms;
	/* Its end may have been cut off in the middle of a character. */
	json_t *message = query_text(r->message, strlen(r->message));
	const struct store_value v[7] = {
		store_int(t->id), store_int(now_ms),
		store_text(verdicts[verdict]), store_int(r->status),
		store_int(r->latency_ms),
		store_text(message == NULL ? "" : json_string_value(message)),
		good_ms == 0 ? store_null() : store_int(good_ms)
	};
	int rc;

	rc = store_exec(w->st, STMT_PROBE_PUT, v, 1, 7, NULL, err);
	json_decref(message);
	return (rc);
}

static int
note_inside(const struct job_work *w, const struct finding *f, bool *parked,
    struct err *err)
{
	const struct target *t = f->target;
	const struct store_value id = store_int(t->id);
	const int status = f->result->status;
	int64_t changes = 0;

	if (store_lock(w->st, STMT_LOCK_ACCOUNT, &id, 1, err) ||
	    put_probe(w, f, err))
		return (-1);
	if (status >= 200 && status <= 299) {
		if (lift(w, f, &changes, err))
			return (-1);
	} else if (status == 401 && (t->oauth ?
	    want_token(w, t, &changes, err) : park(w, t, parked, err))) {
		return (-1);
	}
	return (changes == 0 && !*parked ? 0 : store_exec(w->st,
	    STMT_META_CONFIG_BUMP, NULL, 1, 0, NULL, err));
}

static void
count_park(const struct job_work *w)
{

	metrics_count(w->conf, metric_series(METRIC_PARKS,
	    domain_find(DOMAIN_OUTCOME, PARK_REASON), 0, 0, 0));
}

/* An account that was removed meanwhile is none of ours. */
static int
note(const struct job_work *w, const struct finding *f, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	bool parked = false;

	if (store_begin(w->st, true, err))
		return (-1);
	if (note_inside(w, f, &parked, &why) == 0) {
		if (store_commit(w->st, err))
			return (-1);
		if (parked)
			count_park(w);
		return (0);
	}
	store_rollback(w->st);
	if (why.code == ERR_EXISTS)
		return (0);
	err_set(err, why.code, "%s", why.text);
	return (-1);
}

/* ---- the job ---- */

struct tally {
	int by[NVERDICTS];
	int skipped;
	char last[128];		/* name of one that is not well */
};

static bool
stops(void *arg)
{

	return (job_stops(arg));
}

/* 0; -1. */
static int
probe_one(struct job_work *w, const struct seal *seal,
    const struct target *t, struct tally *tally, struct err *err)
{
	const struct probe_limits limits = {
		.timeout_ms = PROBE_MS, .stops = stops, .arg = w
	};
	struct err why = { .code = ERR_NONE };
	struct probe_result r;
	const struct finding found = {
		.target = t, .result = &r, .began_ms = store_now_ms(w->st)
	};
	enum verdict verdict;

	if (probe_account_within(w->st, seal, w->conf, t->name, &limits, &r,
	    &why)) {
		if (why.code == ERR_NOT_FOUND)
			return (0);
		err_set(err, why.code, "%s", why.text);
		return (-1);
	}
	if (job_go_on(w, err) || note(w, &found, err))
		return (-1);
	verdict = judge(r.status);
	tally->by[verdict]++;
	if (verdict != VERDICT_OK)
		(void)snprintf(tally->last, sizeof(tally->last), "%s",
		    t->name);
	return (0);
}

static int
probe_all(struct job_work *w, const struct targets *list,
    struct tally *tally, struct err *err)
{
	struct seal *seal;
	size_t i;
	int rc = 0;

	if ((seal = seal_open(w->conf->master_key_file, err)) == NULL)
		return (-1);
	for (i = 0; i < list->n && rc == 0; i++) {
		if (!can_answer(&list->list[i], store_now_ms(w->st)))
			tally->skipped++;
		else
			rc = probe_one(w, seal, &list->list[i], tally, err);
	}
	seal_free(seal);
	return (rc);
}

/* That accounts are not well is what the job is to find out, no failure. */
int
job_probe_run(struct job_work *w, struct err *err)
{
	struct targets list = { .err = err };
	struct tally t = { .skipped = 0 };
	int rc = -1;

	if (store_query(w->st, STMT_PROBE_ACCOUNTS, NULL, 0, take_target,
	    &list, err) >= 0)
		rc = probe_all(w, &list, &t, err);
	free(list.list);
	if (rc != 0)
		return (-1);
	(void)snprintf(w->said, sizeof(w->said), "%d accounts are well, %d "
	    "refuse the credential, %d are limited, %d fail, %d cannot be "
	    "reached, %d have no token%s%s%s", t.by[VERDICT_OK],
	    t.by[VERDICT_CREDENTIAL], t.by[VERDICT_LIMITED],
	    t.by[VERDICT_FAILING], t.by[VERDICT_UNREACHABLE], t.skipped,
	    t.last[0] == '\0' ? "" : "; see \"", t.last,
	    t.last[0] == '\0' ? "" : "\"");
	return (0);
}
