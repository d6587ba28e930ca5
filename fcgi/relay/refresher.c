#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/seal.h"
#include "metrics/slots.h"
#include "pool/pool.h"
#include "pool/refresh.h"
#include "relay/refresher.h"
#include "relay/relay_int.h"
#include "relay/upstream.h"

/* Accounts are looked over so often. */
#define LOOK_MS		1000

/* Somebody else renews: how often to ask whether it is done. */
#define PAUSE_MS	200

/* Calls wait no longer; what runs goes on. */
#define WAIT_MS		(REFRESH_EXCHANGE_MS + 10000)

/* Accounts that are remembered not to be looked at for a while; of more, some
 * are asked for in vain, which costs a transaction. */
#define RESTS		64

/* Somebody else is at it, most likely not for longer. */
#define BUSY_MS		2000

/* A request for tokens; nobody asks for longer ones. */
#define REQUEST_BYTES	(64 * 1024)

/*
 * Which fields are valid, beside the account and who waits:
 *
 *	TAKE	.take		the store thread has it
 *	PAUSE	.timer		to take again
 *	ASK	.transfer, .request, .answer
 *	END	.end		the store thread has it; holds the new tokens
 */
enum refreshing_state {
	REFRESHING_TAKE,
	REFRESHING_PAUSE,
	REFRESHING_ASK,
	REFRESHING_END
};

struct refreshing {
	struct refresher *rf;
	TAILQ_ENTRY(refreshing) entry;
	enum refreshing_state state;
	int64_t account_id;
	int64_t rotation;		/* of the tokens that will not do */
	TAILQ_HEAD(, refresh_wait) waits;
	struct loop_timer timer;	/* PAUSE */
	struct loop_timer patience;	/* of who waits */
	struct refresh_take_op take;
	struct refresh_end_op end;
	struct transfer *transfer;
	struct buf request, answer;
	int status;
};

struct refresher {
	struct relay *relay;
	TAILQ_HEAD(, refreshing) list;
	struct loop_timer look;
	struct {
		int64_t account_id;
		int64_t until_ms;	/* wall */
	} rests[RESTS];
	size_t nrests;			/* ever; the oldest go */
	bool draining;
	bool stopping;
};

static void refreshing_take(struct refreshing *r);

/* ---- its end ---- */

static void
tell(struct refreshing *r, bool fresh)
{
	struct refresh_wait *w;

	loop_timer_cancel(&r->patience);
	while ((w = TAILQ_FIRST(&r->waits)) != NULL) {
		TAILQ_REMOVE(&r->waits, w, entry);
		w->of = NULL;
		w->done(w->arg, fresh);
	}
}

static void
refreshing_free(struct refreshing *r)
{

	TAILQ_REMOVE(&r->rf->list, r, entry);
	loop_timer_cancel(&r->timer);
	loop_timer_cancel(&r->patience);
	transfer_cancel(r->transfer);
	buf_wipe(&r->request);
	buf_wipe(&r->answer);
	if (r->take.token != NULL)
		seal_wipe_free(r->take.token, r->take.token_len);
	oauth_tokens_wipe(&r->end.tokens);
	free(r);
}

/* Whoever begins another from within done finds this one gone. */
static void
over(struct refreshing *r, bool fresh)
{
	struct relay *relay = r->rf->relay;
	struct refreshing gone = { .rf = r->rf };
	struct refresh_wait *w;

	TAILQ_INIT(&gone.waits);
	while ((w = TAILQ_FIRST(&r->waits)) != NULL) {
		TAILQ_REMOVE(&r->waits, w, entry);
		TAILQ_INSERT_TAIL(&gone.waits, w, entry);
		w->of = &gone;
	}
	refreshing_free(r);
	tell(&gone, fresh);
	relay_maybe_idle(relay);
}

static void
note(const struct refreshing *r, enum log_level level, const char *event,
    const char *why)
{
	struct log_line l;

	log_begin(&l, r->rf->relay->log, level, NULL, "refresh", event);
	log_int(&l, "account", r->account_id);
	if (why[0] != '\0')
		log_str(&l, "why", why);
	log_end(&l);
}

/* ---- end ---- */

static void
count(struct slot *slot, const char *event, const char *parked)
{

	slot_add(slot, metric_series(METRIC_REFRESHES,
	    domain_find(DOMAIN_REFRESH, event), 0, 0, 0), 1);
	if (parked != NULL)
		slot_add(slot, metric_series(METRIC_PARKS,
		    domain_find(DOMAIN_OUTCOME, parked), 0, 0, 0), 1);
}

static void
ended(struct refresh_end_op *op, const struct err *err)
{
	struct refreshing *r = op->arg;
	static const char *const events[] = {
		[REFRESH_RENEWED] = "renewed",
		[REFRESH_FAILED] = "failed",
		[REFRESH_REFUSED] = "needs_sign_in",
	};

	const char *event = err->code != ERR_NONE ? "not_committed" :
	    op->superseded ? "superseded" : events[op->end];

	note(r, err->code != ERR_NONE ? LOG_LEVEL_ERROR : !op->superseded &&
	    op->end == REFRESH_RENEWED ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    event, err->code != ERR_NONE ? err->text : op->why);
	count(r->rf->relay->slot, event, err->code == ERR_NONE ?
	    op->parked : NULL);
	over(r, err->code == ERR_NONE && (op->end == REFRESH_RENEWED ||
	    op->superseded));
}

static void
refreshing_end(struct refreshing *r, enum refresh_end end, const char *why)
{
	struct refresh_end_op *op = &r->end;

	r->state = REFRESHING_END;
	op->account_id = r->account_id;
	op->rotation = r->rotation;
	op->fence = r->take.fence;
	op->tries = r->take.tries;
	op->end = end;
	op->needed = !TAILQ_EMPTY(&r->waits);
	op->done = ended;
	op->arg = r;
	snprintf(op->why, sizeof(op->why), "%s%s", why, r->take.interrupted &&
	    end == REFRESH_REFUSED ? ", after a renewal that was broken off" :
	    "");
	pool_refresh_end(r->rf->relay->pool, op);
}

/* ---- ask ---- */

static void
ask_head(void *arg, int status, const struct transfer_header *h, size_t nh)
{
	struct refreshing *r = arg;

	(void)h;
	(void)nh;
	r->status = status;
}

/* What is too long is read to its end, and is no answer. */
static bool
ask_body(void *arg, const unsigned char *p, size_t n)
{
	struct refreshing *r = arg;

	if (buf_append(&r->answer, p, n) != 0)
		r->end.unclear = true;
	return (true);
}

static void
answered(struct refreshing *r)
{
	enum oauth_verdict verdict;
	char why[96];

	verdict = oauth_answer(r->status, buf_head(&r->answer),
	    buf_len(&r->answer), &r->end.tokens, why, sizeof(why));
	if (verdict == OAUTH_UNCLEAR || r->take.interrupted)
		r->end.unclear = true;
	refreshing_end(r, verdict == OAUTH_TOKENS ? REFRESH_RENEWED :
	    verdict == OAUTH_REFUSED ? REFRESH_REFUSED : REFRESH_FAILED,
	    verdict == OAUTH_TOKENS ? "" : why);
}

/* Before it was sent nothing can have come of it. */
static bool
was_sent(enum transfer_result result)
{

	return (result != TRANSFER_RESOLVE && result != TRANSFER_CONNECT &&
	    result != TRANSFER_PROXY && result != TRANSFER_TLS);
}

static void
ask_done(void *arg, enum transfer_result result, const struct err *why)
{
	struct refreshing *r = arg;

	(void)why;
	transfer_free(r->transfer);
	r->transfer = NULL;
	buf_wipe(&r->request);
	if (result == TRANSFER_OK) {
		answered(r);
	} else {
		r->end.unclear = was_sent(result) || r->take.interrupted;
		refreshing_end(r, REFRESH_FAILED,
		    transfer_result_name(result));
	}
	buf_wipe(&r->answer);
}

static const struct transfer_events ask_events = {
	.head = ask_head,
	.body = ask_body,
	.done = ask_done
};

static int
ask_request(struct refreshing *r, const struct oauth *o)
{
	const struct oauth_param params[] = {
		{ "grant_type", "refresh_token" },
		{ "refresh_token", r->take.token },
		{ "client_id", o->client_id },
	};
	size_t n = sizeof(params) / sizeof(params[0]);

	/* In one piece, so that no copy of the token is left behind. */
	if (buf_reserve(&r->request, r->take.token_len * 3 +
	    strlen(o->client_id) * 3 + 128) == NULL)
		return (-1);
	return (o->json ? oauth_json(&r->request, params, n) :
	    oauth_form(&r->request, params, n));
}

static int
ask_start(struct refreshing *r, const struct account *a, struct err *err)
{
	const struct relay *relay = r->rf->relay;
	const struct transfer_header headers[] = {
		{ "content-type", a->oauth->json ? "application/json" :
		    "application/x-www-form-urlencoded" },
		{ "accept", "application/json" },
	};
	struct transfer_params p = {
		.method = "POST",
		.url = a->oauth->token_url,
		.proxy = a->proxy,
		.headers = headers,
		.nheaders = sizeof(headers) / sizeof(headers[0]),
		.has_body = true,
		.connect_timeout_ms = relay->conf->connect_timeout_ms,
		.deadline_ms = loop_now_ms(relay->loop) +
		    REFRESH_EXCHANGE_MS,
		.events = &ask_events,
		.arg = r,
	};

	if (ask_request(r, a->oauth) != 0) {
		err_set(err, ERR_NOMEM, "no memory for a request");
		return (-1);
	}
	p.body = buf_head(&r->request);
	p.body_len = buf_len(&r->request);
	r->transfer = transfer_start(relay->upstream, &p, err);
	return (r->transfer == NULL ? -1 : 0);
}

static const struct account *
account_now(const struct refreshing *r)
{
	const struct snapshot *s = pool_snapshot(r->rf->relay->pool);
	const struct account *a;

	a = s == NULL ? NULL : snapshot_account(s, r->account_id);
	return (a == NULL || a->oauth == NULL || a->secret == NULL ? NULL :
	    a);
}

static void
refreshing_ask(struct refreshing *r)
{
	const struct account *a = account_now(r);
	struct err err = { 0 };

	r->state = REFRESHING_ASK;
	r->status = 0;
	r->end.unclear = false;
	if (a == NULL)
		err_set(&err, ERR_NOT_FOUND, "the account is gone, or sealed");
	if (a == NULL || ask_start(r, a, &err) != 0) {
		r->end.unclear = r->take.interrupted;
		refreshing_end(r, REFRESH_FAILED, err.text);
	}
	seal_wipe_free(r->take.token, r->take.token_len);
	r->take.token = NULL;
}

/* ---- take ---- */

static void
again(struct loop_timer *t)
{

	refreshing_take(t->arg);
}

static void
pause_for(struct refreshing *r)
{
	struct loop *loop = r->rf->relay->loop;

	r->state = REFRESHING_PAUSE;
	if (loop_timer_set(loop, &r->timer, loop_now_ms(loop) + PAUSE_MS,
	    again, r) != 0)
		over(r, false);
}

static void
rest(struct refresher *rf, int64_t account_id, int64_t until_ms)
{
	size_t i = rf->nrests++ % RESTS;

	rf->rests[i].account_id = account_id;
	rf->rests[i].until_ms = until_ms;
}

static bool
rests(const struct refresher *rf, int64_t account_id, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < RESTS; i++) {
		if (rf->rests[i].account_id == account_id &&
		    rf->rests[i].until_ms > now_ms)
			return (true);
	}
	return (false);
}

/* Of its own accord nobody waits for others. */
static void
busy(struct refreshing *r)
{

	if (!TAILQ_EMPTY(&r->waits)) {
		pause_for(r);
		return;
	}
	rest(r->rf, r->account_id, loop_wall_ms(r->rf->relay->loop) +
	    BUSY_MS);
	over(r, false);
}

static void
taken(struct refresh_take_op *op, const struct err *err)
{
	struct refreshing *r = op->arg;

	if (err->code != ERR_NONE) {
		note(r, LOG_LEVEL_WARN, "not_taken", err->text);
		over(r, false);
		return;
	}
	if (r->rf->stopping) {
		over(r, false);
		return;
	}
	switch (op->taken) {
	case REFRESH_TAKEN:
		refreshing_ask(r);
		break;
	case REFRESH_BUSY:
		busy(r);
		break;
	case REFRESH_NEWER:
		over(r, true);
		break;
	case REFRESH_LATER:
		rest(r->rf, r->account_id, op->retry_ms);
		over(r, false);
		break;
	case REFRESH_SIGN_IN:
	case REFRESH_GONE:
		over(r, false);
		break;
	}
}

static void
refreshing_take(struct refreshing *r)
{
	struct refresh_take_op *op = &r->take;

	r->state = REFRESHING_TAKE;
	op->account_id = r->account_id;
	op->rotation = r->rotation;
	op->needed = !TAILQ_EMPTY(&r->waits);
	op->done = taken;
	op->arg = r;
	pool_refresh_take(r->rf->relay->pool, op);
}

/* ---- begin ---- */

static struct refreshing *
refreshing_find(struct refresher *rf, int64_t account_id)
{
	struct refreshing *r;

	TAILQ_FOREACH(r, &rf->list, entry) {
		if (r->account_id == account_id)
			return (r);
	}
	return (NULL);
}

static struct refreshing *
refreshing_new(struct refresher *rf, const struct account *a)
{
	struct refreshing *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	r->rf = rf;
	r->account_id = a->id;
	r->rotation = a->oauth->rotation;
	TAILQ_INIT(&r->waits);
	buf_init(&r->request, REQUEST_BYTES);
	buf_init(&r->answer, OAUTH_ANSWER_BYTES);
	TAILQ_INSERT_TAIL(&rf->list, r, entry);
	return (r);
}

static void
impatient(struct loop_timer *t)
{

	tell(t->arg, false);
}

int
refresh_want(struct refresher *rf, const struct account *a,
    struct refresh_wait *w)
{
	struct refreshing *r = refreshing_find(rf, a->id);
	struct loop *loop = rf->relay->loop;
	bool begun = r == NULL;

	if (r == NULL && (r = refreshing_new(rf, a)) == NULL)
		return (-1);
	if (TAILQ_EMPTY(&r->waits) && loop_timer_set(loop, &r->patience,
	    loop_now_ms(loop) + WAIT_MS, impatient, r) != 0) {
		if (begun)
			refreshing_free(r);
		return (-1);
	}
	TAILQ_INSERT_TAIL(&r->waits, w, entry);
	w->of = r;
	if (begun)
		refreshing_take(r);
	return (0);
}

void
refresh_leave(struct refresh_wait *w)
{

	if (w->of == NULL)
		return;
	TAILQ_REMOVE(&w->of->waits, w, entry);
	w->of = NULL;
}

/* ---- ahead of the end ---- */

/* Of one process after the other, mostly: who comes later finds it done. */
static bool
is_due(const struct account *a, int64_t now_ms)
{
	const struct oauth *o = a->oauth;

	return (a->enabled && a->secret != NULL && o != NULL && o->signed_in &&
	    o->renew_ms != 0 && o->renew_ms <= now_ms);
}

static void look(struct loop_timer *t);

static int
look_later(struct refresher *rf)
{
	struct loop *loop = rf->relay->loop;

	return (loop_timer_set(loop, &rf->look, loop_now_ms(loop) + LOOK_MS,
	    look, rf));
}

static void
look(struct loop_timer *t)
{
	struct refresher *rf = t->arg;
	struct relay *relay = rf->relay;
	struct snapshot *s = pool_snapshot(relay->pool);
	int64_t now_ms = loop_wall_ms(relay->loop);
	struct refreshing *r;
	size_t i;

	if (rf->draining || look_later(rf) != 0)
		return;
	for (i = 0; s != NULL && pool_ready(relay->pool) &&
	    i < s->naccounts; i++) {
		if (!is_due(&s->accounts[i], now_ms) ||
		    rests(rf, s->accounts[i].id, now_ms) ||
		    refreshing_find(rf, s->accounts[i].id) != NULL ||
		    (r = refreshing_new(rf, &s->accounts[i])) == NULL)
			continue;
		refreshing_take(r);
	}
}

/* ---- life ---- */

struct refresher *
refresher_new(struct relay *relay, struct err *err)
{
	struct refresher *rf;

	if ((rf = calloc(1, sizeof(*rf))) == NULL)
		goto err0;
	rf->relay = relay;
	TAILQ_INIT(&rf->list);
	if (look_later(rf) != 0)
		goto err1;
	return (rf);

err1:
	free(rf);
err0:
	err_set(err, ERR_NOMEM, "no memory for the relay");
	return (NULL);
}

void
refresher_free(struct refresher *rf)
{
	struct refreshing *r;

	if (rf == NULL)
		return;
	loop_timer_cancel(&rf->look);
	while ((r = TAILQ_FIRST(&rf->list)) != NULL)
		refreshing_free(r);
	free(rf);
}

void
refresher_drain(struct refresher *rf)
{

	rf->draining = true;
	loop_timer_cancel(&rf->look);
}

void
refresher_stop(struct refresher *rf)
{

	refresher_drain(rf);
	rf->stopping = true;
}

bool
refresher_idle(const struct refresher *rf)
{

	return (TAILQ_EMPTY(&rf->list));
}
