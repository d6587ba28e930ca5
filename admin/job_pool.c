#include <stdio.h>
#include <time.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "metrics/metrics.h"
#include "pool/errand.h"
#include "pool/refresh.h"
#include "pool/runner.h"
#include "store/store.h"

#include "login.h"

#include "jobs.h"
#include "metrics.h"

/* Jobs of the pool: what relay responders do themselves, and in time, where
 * they run; see pool/reap.h and pool/refresh.h. */

/* Relay responders had so long for it. */
#define OVERDUE_MS	60000

/* A beat that stands still is seen by the fifth look, which are that many
 * parts of dead_after_s apart; with some to spare. */
#define LOOKS		8
#define LOOK_PART	5
#define NAP_MS		100

static struct errand *
begin(struct job_work *w, struct err *err)
{
	struct errand *e;
	struct seal *seal;

	if ((seal = seal_open(w->conf->master_key_file, err)) == NULL)
		return (NULL);
	e = errand_open(w->st, w->conf, seal, err);
	seal_free(seal);
	return (e);
}

/* ---- reap ---- */

static int
wait_look(struct job_work *w, struct err *err)
{
	const struct timespec nap = { .tv_nsec = NAP_MS * 1000000L };
	int64_t left_ms = w->conf->dead_after_ms / LOOK_PART + NAP_MS;

	for (; left_ms > 0; left_ms -= NAP_MS) {
		if (job_go_on(w, err))
			return (-1);
		(void)nanosleep(&nap, NULL);
	}
	return (0);
}

int
job_reap_run(struct job_work *w, struct err *err)
{
	struct errand *e = begin(w, err);
	size_t dead, unsure, all = 0;
	int i, rc = 0;

	if (e == NULL)
		return (-1);
	for (i = 0; i < LOOKS; i++) {
		if (errand_beat(e, &dead, &unsure, err)) {
			rc = -1;
			break;
		}
		all += dead;
		if (unsure == 0 || (i + 1 < LOOKS && (rc = wait_look(w,
		    err)) != 0))
			break;
	}
	errand_close(e);
	(void)snprintf(w->said, sizeof(w->said), "%zu dead responders were "
	    "left", all);
	return (rc);
}

/* ---- refresh ---- */

struct renewals {
	int renewed, failed, others;
	char why[160];		/* of the last that failed */
};

static bool
is_overdue(const struct account *a, int64_t now_ms)
{
	const struct oauth *o = a->oauth;

	return (a->enabled && a->secret != NULL && o != NULL &&
	    o->signed_in && o->renew_ms != 0 &&
	    o->renew_ms + OVERDUE_MS <= now_ms);
}

/* On a shared store others would take us for dead. */
static int64_t
patience_ms(const struct job_work *w)
{
	int64_t ms = w->conf->dead_after_ms / 2;

	return (store_shared(w->st) && ms < REFRESH_EXCHANGE_MS ? ms :
	    REFRESH_EXCHANGE_MS);
}

/* Ask the token endpoint, as relay/refresher.c does. */
static void
ask(const struct job_work *w, const struct account *a,
    const struct refresh_take_op *take, struct refresh_end_op *end)
{
	const struct oauth_param params[] = {
		{ "grant_type", "refresh_token" },
		{ "refresh_token", take->token },
		{ "client_id", a->oauth->client_id },
	};
	const struct login_question q = {
		.token_url = a->oauth->token_url,
		.json = a->oauth->json,
		.proxy = a->proxy,
		.params = params,
		.nparams = sizeof(params) / sizeof(params[0]),
		.timeout_ms = patience_ms(w),
	};
	struct login_answer answer;

	login_ask(&q, w->conf, &answer);
	end->tokens = answer.tokens;
	end->end = REFRESH_FAILED;
	if (!answer.answered)
		end->unclear = answer.sent || take->interrupted;
	else if (answer.verdict == OAUTH_TOKENS)
		end->end = REFRESH_RENEWED;
	else if (answer.verdict == OAUTH_REFUSED)
		end->end = REFRESH_REFUSED;
	else
		end->unclear = answer.verdict == OAUTH_UNCLEAR;
	(void)snprintf(end->why, sizeof(end->why), "%.80s%s", answer.why,
	    take->interrupted && end->end == REFRESH_REFUSED ?
	    ", after a renewal that was broken off" : "");
}

static void
count(struct renewals *n, const struct account *a,
    const struct refresh_end_op *end)
{

	if (end->superseded)
		n->others++;
	else if (end->end == REFRESH_RENEWED)
		n->renewed++;
	else {
		n->failed++;
		(void)snprintf(n->why, sizeof(n->why), "account \"%.40s\": "
		    "%.90s", a->name, end->why);
	}
}

/* As relay/refresher.c does. */
static void
count_metrics(const struct job_work *w, const struct refresh_end_op *end,
    bool committed)
{
	static const char *const words[] = {
		[REFRESH_RENEWED] = "renewed",
		[REFRESH_FAILED] = "failed",
		[REFRESH_REFUSED] = "needs_sign_in",
	};

	const char *parked = committed ? end->parked : NULL;

	metrics_count(w->conf, metric_series(METRIC_REFRESHES, domain_find(
	    DOMAIN_REFRESH, !committed ? "not_committed" : end->superseded ?
	    "superseded" : words[end->end]), 0, 0, 0));
	if (parked != NULL)
		metrics_count(w->conf, metric_series(METRIC_PARKS,
		    domain_find(DOMAIN_OUTCOME, parked), 0, 0, 0));
}

static int
renew(struct job_work *w, struct errand *e, const struct account *a,
    struct renewals *n, struct err *err)
{
	struct refresh_take_op take = {
		.op.kind = OP_REFRESH_TAKE,
		.account_id = a->id,
		.rotation = a->oauth->rotation,
	};
	struct refresh_end_op end = { .op.kind = OP_REFRESH_END };
	int rc;

	if (errand_do(e, &take.op, err))
		return (-1);
	if (take.taken != REFRESH_TAKEN) {
		n->others++;
		return (0);
	}
	end.account_id = a->id;
	end.rotation = take.rotation;
	end.fence = take.fence;
	end.tries = take.tries;
	ask(w, a, &take, &end);
	seal_wipe_free(take.token, take.token_len);
	if ((rc = errand_do(e, &end.op, err)) == 0)
		count(n, a, &end);
	count_metrics(w, &end, rc == 0);
	oauth_tokens_wipe(&end.tokens);
	return (rc);
}

/* Each batch may bring a new snapshot: this one is kept for as long. */
static int
renew_all(struct job_work *w, struct errand *e, struct renewals *n,
    struct err *err)
{
	struct snapshot *s = snapshot_ref(errand_runner(e)->snapshot);
	int64_t now_ms = store_now_ms(w->st);
	size_t i;
	int rc = 0;

	for (i = 0; i < s->naccounts && rc == 0; i++) {
		if (!is_overdue(&s->accounts[i], now_ms))
			continue;
		if ((rc = job_go_on(w, err)) == 0)
			rc = renew(w, e, &s->accounts[i], n, err);
	}
	snapshot_unref(s);
	return (rc);
}

static const struct account *
find_oauth(const struct snapshot *s, int64_t id, struct err *err)
{
	const struct account *a = snapshot_account(s, id);

	if (a != NULL && a->oauth != NULL && a->secret != NULL)
		return (a);
	err_set(err, a == NULL ? ERR_NOT_FOUND : ERR_INVAL, a == NULL ?
	    "there is no such account" : "this account has no tokens that "
	    "could be renewed: its credential is not oauth, or cannot be "
	    "read");
	return (NULL);
}

/* What came of it, in words for who asked for it. */
static int
judge(const struct renewals *n, struct err *err)
{

	if (n->renewed > 0)
		return (0);
	if (n->failed > 0)
		err_set(err, ERR_EXISTS, "%s", n->why);
	else
		err_set(err, ERR_EXISTS, "the tokens are being renewed, or "
		    "have been just now, or a sign-in is needed");
	return (-1);
}

int
job_renew(struct job_work *w, int64_t account_id, struct err *err)
{
	struct renewals n = { .renewed = 0 };
	struct errand *e = begin(w, err);
	const struct account *a;
	struct snapshot *s;
	size_t dead, unsure;
	int rc = -1;

	/* With the first batch comes the first snapshot. */
	if (e == NULL)
		return (-1);
	if (errand_beat(e, &dead, &unsure, err) == 0) {
		s = snapshot_ref(errand_runner(e)->snapshot);
		if ((a = find_oauth(s, account_id, err)) != NULL)
			rc = renew(w, e, a, &n, err);
		snapshot_unref(s);
	}
	errand_close(e);
	return (rc == 0 ? judge(&n, err) : -1);
}

int
job_refresh_run(struct job_work *w, struct err *err)
{
	struct renewals n = { .renewed = 0 };
	struct errand *e = begin(w, err);
	int rc;

	if (e == NULL)
		return (-1);
	rc = renew_all(w, e, &n, err);
	errand_close(e);
	if (rc != 0)
		return (-1);
	(void)snprintf(w->said, sizeof(w->said), "%d tokens were overdue and "
	    "are renewed, %d were left to others", n.renewed, n.others);
	if (n.failed == 0)
		return (0);
	err_set(err, ERR_IO, "%d renewals failed; the last: %s", n.failed,
	    n.why);
	return (-1);
}
