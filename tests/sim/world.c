#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "sim/crowd.h"
#include "sim/faults.h"
#include "sim/world.h"

#define FIVE_HOURS_MS	(5 * SIM_HOUR_MS)
#define WEEK_MS		(7 * SIM_DAY_MS)
#define CACHE_MS	(5 * 60 * 1000)
#define CACHE_LONG_MS	SIM_HOUR_MS

/* Prompts of less are not cached. */
#define CACHE_LEAST	1024

#define TOKENS_A_SECOND	70
#define OPUS_FACTOR	2

/* How an operator has set them up, and what the provider grants. */
static const struct plan {
	int priority, weight, slots;
	int64_t week;		/* units; of them one in FIVE_PART may be used
				   in five hours; 0: paid by the token ... */
	int64_t rpm, tpm;	/* ... then requests and tokens of input that
				   are not read from caches, a minute */
	int64_t first_ms;	/* usual time to the first byte */
} plans[SIM_ACCOUNTS] = {
	{ 10, 200, 4, 140000000, 0, 0, 1400 },
	{ 10, 200, 4, 140000000, 0, 0, 1500 },
	{ 10, 200, 4, 140000000, 0, 0, 1300 },
	{ 10, 200, 4, 140000000, 0, 0, 1600 },
	{ 10, 50, 2, 35000000, 0, 0, 1400 },
	{ 10, 50, 2, 35000000, 0, 0, 1500 },
	{ 10, 50, 2, 35000000, 0, 0, 1300 },
	{ 10, 50, 2, 35000000, 0, 0, 6000 },
	{ 20, 100, 4, 0, 40, 400000, 1200 },
	{ 20, 100, 4, 0, 40, 400000, 1200 },
};

#define FIVE_PART	8
#define OPUS_PERMILLE	500

struct upstream_account {
	const struct plan *plan;
	int64_t five_until_ms, five_used;
	int64_t week_until_ms, week_used, opus_used;
	int64_t minute_ms, requests, tokens;	/* left of it */
	int64_t in_flight;
	int64_t units, ideal_units;		/* ever */
};

struct world {
	struct sim *sim;
	struct faults *faults;
	struct upstream_account accounts[SIM_ACCOUNTS];
	uint64_t asks;
	int64_t input, read;		/* tokens */
};

int
world_priority(int account)
{

	return (plans[account].priority);
}

int
world_weight(int account)
{

	return (plans[account].weight);
}

int
world_slots(int account)
{

	return (plans[account].slots);
}

/* Weeks are under way when the simulation begins, used as evenly as time went
 * by. */
struct world *
world_new(struct sim *sim)
{
	struct world *w = calloc(1, sizeof(*w));
	struct upstream_account *a;
	int i;

	if (w == NULL) {
		fprintf(stderr, "sim: no memory\n");
		exit(1);
	}
	w->sim = sim;
	w->faults = faults_new(sim->params.seed, sim->params.days);
	for (i = 0; i < SIM_ACCOUNTS; i++) {
		a = &w->accounts[i];
		a->plan = &plans[i];
		a->week_until_ms = SIM_BEGIN_MS + WEEK_MS * (i + 1) /
		    SIM_ACCOUNTS;
		a->week_used = a->plan->week / SIM_ACCOUNTS *
		    (SIM_ACCOUNTS - i - 1);
		a->opus_used = a->week_used * OPUS_PERMILLE / 1000;
	}
	return (w);
}

void
world_free(struct world *w)
{

	faults_free(w->faults);
	free(w);
}

/* ---- limits ---- */

static void
roll(struct upstream_account *a, int64_t now_ms)
{

	if (a->five_until_ms <= now_ms)
		a->five_used = 0;
	while (a->week_until_ms <= now_ms) {
		a->week_until_ms += WEEK_MS;
		a->week_used = a->opus_used = 0;
	}
	if (now_ms - a->minute_ms >= 60000) {
		a->minute_ms = now_ms - now_ms % 60000;
		a->requests = a->plan->rpm;
		a->tokens = a->plan->tpm;
	}
}

enum limit {
	LIMIT_NONE,
	LIMIT_FIVE,
	LIMIT_WEEK,
	LIMIT_OPUS,
	LIMIT_MINUTE,
	LIMIT_AT_ONCE
};

static enum limit
limit_of(struct upstream_account *a, enum family family, int64_t now_ms)
{
	const struct plan *p = a->plan;

	roll(a, now_ms);
	if (p->week == 0)
		return (a->requests <= 0 || a->tokens <= 0 ? LIMIT_MINUTE :
		    LIMIT_NONE);
	if (a->week_used >= p->week)
		return (LIMIT_WEEK);
	if (family == FAMILY_OPUS &&
	    a->opus_used >= p->week * OPUS_PERMILLE / 1000)
		return (LIMIT_OPUS);
	return (a->five_used >= p->week / FIVE_PART ? LIMIT_FIVE :
	    LIMIT_NONE);
}

bool
world_could(struct world *w, int account, const struct chat *s)
{
	int64_t now_ms = agenda_now(&w->sim->agenda);
	int i;

	for (i = 0; i < SIM_ACCOUNTS; i++) {
		if ((account < 0 || account == i) &&
		    !faults_certain(w->faults, i, now_ms) &&
		    limit_of(&w->accounts[i], s->family, now_ms) ==
		    LIMIT_NONE)
			return (true);
	}
	return (false);
}

double
world_used(const struct world *w, double *useful)
{
	double used = 0, ideal = 0, all = 0;
	int i;

	for (i = 0; i < SIM_ACCOUNTS; i++) {
		if (plans[i].week == 0)
			continue;
		used += (double)w->accounts[i].units;
		ideal += (double)w->accounts[i].ideal_units;
		all += (double)plans[i].week *
		    (double)w->sim->params.days / 7;
	}
	*useful = ideal / all;
	return (used / all);
}

double
world_cached(const struct world *w)
{

	return (w->input > 0 ? (double)w->read / (double)w->input : 0);
}

/* ---- answers ---- */

static void __attribute__((__format__(__printf__, 3, 4)))
put(struct world_answer *out, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(out->values[out->nheaders],
	    sizeof(out->values[0]), fmt, ap);
	va_end(ap);
	out->headers[out->nheaders] = (struct transfer_header) {
		name, out->values[out->nheaders]
	};
	out->nheaders++;
}

static void
put_window(struct world_answer *out, const char *used, const char *reset,
    int64_t units, int64_t limit, int64_t until_ms)
{

	put(out, used, "%.4f", (double)units / (double)limit);
	put(out, reset, "%" PRId64, until_ms / 1000);
}

static void
put_state(const struct upstream_account *a, struct world_answer *out)
{
	char text[CLOCK_RFC3339_SIZE];
	const struct plan *p = a->plan;

	if (p->week > 0) {
		put_window(out, "anthropic-ratelimit-unified-5h-utilization",
		    "anthropic-ratelimit-unified-5h-reset", a->five_used,
		    p->week / FIVE_PART, a->five_until_ms);
		put_window(out, "anthropic-ratelimit-unified-7d-utilization",
		    "anthropic-ratelimit-unified-7d-reset", a->week_used,
		    p->week, a->week_until_ms);
		return;
	}
	clock_rfc3339(a->minute_ms + 60000, text);
	put(out, "anthropic-ratelimit-requests-limit", "%" PRId64, p->rpm);
	put(out, "anthropic-ratelimit-requests-remaining", "%" PRId64,
	    a->requests > 0 ? a->requests : 0);
	put(out, "anthropic-ratelimit-requests-reset", "%s", text);
	put(out, "anthropic-ratelimit-input-tokens-limit", "%" PRId64,
	    p->tpm);
	put(out, "anthropic-ratelimit-input-tokens-remaining", "%" PRId64,
	    a->tokens > 0 ? a->tokens : 0);
	put(out, "anthropic-ratelimit-input-tokens-reset", "%s", text);
}

static void
refuse(const struct upstream_account *a, enum limit limit, int64_t now_ms,
    struct world_answer *out)
{
	static const char *const claims[] = {
		[LIMIT_FIVE] = "five_hour",
		[LIMIT_WEEK] = "seven_day",
		[LIMIT_OPUS] = "seven_day_opus",
	};
	int64_t until_ms = limit == LIMIT_MINUTE ? a->minute_ms + 60000 :
	    limit == LIMIT_FIVE ? a->five_until_ms : a->week_until_ms;

	out->status = 429;
	out->error_type = "rate_limit_error";
	if (limit == LIMIT_AT_ONCE)
		return;
	put_state(a, out);
	if (limit != LIMIT_MINUTE) {
		put(out, "anthropic-ratelimit-unified-status", "rejected");
		put(out, "anthropic-ratelimit-unified-representative-claim",
		    "%s", claims[limit]);
		put(out, "anthropic-ratelimit-unified-reset", "%" PRId64,
		    until_ms / 1000);
	}
	put(out, "retry-after", "%" PRId64, (until_ms - now_ms + 999) / 1000);
}

/* ---- what is served ---- */

static int64_t
cached_tokens(const struct cache *c, const struct chat *s, int64_t now_ms)
{

	if (c->until_ms <= now_ms || c->tokens < CACHE_LEAST)
		return (0);
	return (c->tokens < s->context ? c->tokens : s->context);
}

static void
keep_cache(struct cache *c, const struct chat *s, int64_t now_ms)
{

	c->tokens = s->context;
	c->until_ms = now_ms + (s->long_cache ? CACHE_LONG_MS : CACHE_MS);
}

static int64_t
units_of(const struct chat *s, int64_t read)
{
	int64_t written = s->context - read;

	return ((read / 10 + (s->long_cache ? written * 2 :
	    written * 5 / 4) + s->output * 5) *
	    (s->family == FAMILY_OPUS ? OPUS_FACTOR : 1));
}

static void
note_move(struct world *w, int account, const struct chat *s,
    int64_t read, int64_t now_ms)
{
	struct sim_result *r = &w->sim->result;
	int64_t left;

	if (s->account < 0 || s->account == account)
		return;
	left = cached_tokens(&s->caches[s->account], s, now_ms);
	if (left <= read)
		return;
	r->moves++;
	r->needless += world_could(w, s->account, s);
	r->moved_tokens += left - read;
}

static void
charge(struct upstream_account *a, const struct chat *s, int64_t read,
    int64_t ideal, int64_t now_ms)
{
	int64_t units = units_of(s, read);

	if (a->five_until_ms <= now_ms)
		a->five_until_ms = now_ms + FIVE_HOURS_MS;
	a->five_used += units;
	a->week_used += units;
	if (s->family == FAMILY_OPUS)
		a->opus_used += units;
	a->requests--;
	a->tokens -= s->context - read;
	a->units += units;
	a->ideal_units += units_of(s, ideal);
}

static void
serve(struct world *w, int account, struct chat *s, int64_t now_ms,
    struct world_answer *out)
{
	struct upstream_account *a = &w->accounts[account];
	int64_t read = cached_tokens(&s->caches[account], s, now_ms);
	int64_t ideal = cached_tokens(&s->ideal, s, now_ms);

	note_move(w, account, s, read, now_ms);
	w->input += s->context;
	w->read += read;
	charge(a, s, read, ideal > read ? ideal : read, now_ms);
	keep_cache(&s->caches[account], s, now_ms);
	keep_cache(&s->ideal, s, now_ms);
	w->sim->result.overflow += a->plan->week == 0;
	out->status = 200;
	put_state(a, out);
	out->usage.cache_read_tokens = read;
	if (s->long_cache)
		out->usage.cache_write_1h_tokens = s->context - read;
	else
		out->usage.cache_write_5m_tokens = s->context - read;
	out->usage.output_tokens = s->output;
	out->first_ms = a->plan->first_ms * faults_slow(w->faults, account,
	    now_ms) + (s->context - read) / 100 + a->in_flight * 50;
	out->total_ms = out->first_ms + s->output * 1000 / TOKENS_A_SECOND;
}

static const struct {
	enum transfer_result result;
	int status;
	const char *type;
	int64_t after_ms;
} failures[] = {
	[FAULT_NONE] = { TRANSFER_OK, 0, NULL, 0 },
	[FAULT_OVERLOADED] = { TRANSFER_OK, 529, "overloaded_error", 400 },
	[FAULT_BROKEN] = { TRANSFER_OK, 500, "api_error", 700 },
	[FAULT_REVOKED] = { TRANSFER_OK, 401, "authentication_error", 150 },
	[FAULT_MUTE] = { TRANSFER_OK, 429, "rate_limit_error", 200 },
	[FAULT_OUTAGE] = { TRANSFER_CONNECT, 0, NULL, 2000 },
};

_Static_assert(sizeof(failures) / sizeof(failures[0]) == FAULT_SLOW,
    "one row for each fault that fails a call");

void
world_ask(struct world *w, int account, struct chat *s,
    struct world_answer *out)
{
	struct upstream_account *a = &w->accounts[account];
	int64_t now_ms = agenda_now(&w->sim->agenda);
	enum fault fault = faults_meet(w->faults, account, now_ms,
	    rng_mix(w->sim->params.seed, ++w->asks));
	enum limit limit = limit_of(a, s->family, now_ms);

	*out = (struct world_answer) { .result = failures[fault].result };
	w->sim->result.attempts++;
	if (++a->in_flight > a->plan->slots && limit == LIMIT_NONE)
		limit = LIMIT_AT_ONCE;
	out->first_ms = out->total_ms = failures[fault].after_ms;
	if (fault != FAULT_NONE) {
		out->status = failures[fault].status;
		out->error_type = failures[fault].type;
	} else if (limit != LIMIT_NONE) {
		out->first_ms = out->total_ms = 200;
		refuse(a, limit, now_ms, out);
	} else {
		serve(w, account, s, now_ms, out);
	}
}

void
world_done(struct world *w, int account)
{

	w->accounts[account].in_flight--;
}
