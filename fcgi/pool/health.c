#include "base/err.h"
#include "store/store.h"

#include "pool/health.h"
#include "pool/runner.h"

/* A new value counts as a quarter. */
#define AVERAGE_PART	4

/* What nobody saw for so long counts half, and half again. */
#define HALF_MS		60000
#define HALVES_MAX	16

/* Own averages go before those of others for so long. */
#define OWN_MS		10000

/* Others' rows may be committed later than they are dated, and clocks of hosts
 * differ. */
#define SLACK_MS	15000

/* ---- pure ---- */

void
health_first_byte(struct health *h, int64_t ms, int64_t now_ms)
{

	if (ms < 1)
		ms = 1;
	if (h->first_byte_ms == 0)
		h->first_byte_ms = ms;
	else
		h->first_byte_ms += (ms - h->first_byte_ms) / AVERAGE_PART;
	h->first_byte_seen_ms = now_ms;
}

/* The newer of what is known and ${s}. */
static void
take_share(struct health *h, const struct share *s)
{

	if (s->seen_ms > h->share.seen_ms)
		h->share = *s;
}

static int64_t
halves_of(const struct health *h, int64_t now_ms)
{
	int64_t halves = (now_ms - h->first_byte_seen_ms) / HALF_MS;

	return (halves < HALVES_MAX ? halves : HALVES_MAX);
}

int64_t
health_expected_ms(const struct health *h, int64_t best_ms, int64_t now_ms)
{
	int64_t ms = h->first_byte_ms, halves = halves_of(h, now_ms);

	if (best_ms < 1)
		best_ms = 1;
	if (ms <= best_ms)
		return (ms > 0 ? ms : best_ms);
	return (halves > 0 ? best_ms + ((ms - best_ms) >> halves) : ms);
}

bool
health_leans(const struct health *h, int64_t now_ms)
{

	return (h->first_byte_ms <= 0 || halves_of(h, now_ms) > 0);
}

int64_t
health_until_ms(const struct health *h, int64_t now_ms)
{
	int64_t halves = halves_of(h, now_ms);

	if (h->first_byte_ms <= 0 || halves == HALVES_MAX)
		return (INT64_MAX);
	if (halves < 0)
		halves = 0;
	return (h->first_byte_seen_ms + (halves + 1) * HALF_MS);
}

/* By so much that others should know. */
static bool
has_changed(const struct health *h)
{
	int64_t was = h->told_first_byte_ms, is = h->first_byte_ms;
	int64_t by = was / 4 > 20 ? was / 4 : 20;

	if (is != was && (was == 0 || is - was >= by || was - is >= by))
		return (true);

	/* A bucket is another one before others hear of it. */
	return (h->share.window_ms > 0 &&
	    share_differs(&h->share, &h->told_share));
}

/* ---- the store's ---- */

void
health_note(struct runner *rn, int64_t account_id,
    const struct attempt_end *end)
{
	struct candidate *c = load_candidate(&rn->load, account_id);

	if (c == NULL)
		return;
	if (end->first_byte_ms > 0)
		health_first_byte(&c->health, end->first_byte_ms,
		    rn->now_ms);
	if (end->share.seen_ms > 0)
		take_share(&c->health, &end->share);
	load_touch(&rn->load, c);
}

/* account, average, when it was seen, permille, reset, window, seen */
static int
take_row(void *arg, const struct store_value *v, size_t ncols)
{
	struct load *load = arg;
	struct candidate *c;
	struct health *h;
	struct share share = {
		.permille = store_get_int(&v[3]),
		.reset_ms = store_get_int(&v[4]),
		.window_ms = store_get_int(&v[5]),
		.seen_ms = store_get_int(&v[6]),
	};
	int64_t seen_ms = store_get_int(&v[2]);

	(void)ncols;
	c = load_candidate(load, store_get_int(&v[0]));
	if (c == NULL)
		return (0);
	h = &c->health;
	h->told_first_byte_ms = store_get_int(&v[1]);
	h->told_share = share;
	take_share(h, &share);
	if (h->first_byte_ms == 0 ||
	    seen_ms - h->first_byte_seen_ms >= OWN_MS) {
		h->first_byte_ms = h->told_first_byte_ms;
		h->first_byte_seen_ms = seen_ms;
	}
	load_touch(load, c);
	return (0);
}

static void
put_row(struct runner *rn, struct candidate *c)
{
	struct health *h = &c->health;

	ROWS_PUT(&rn->rows[ROWS_HEALTH_PUT], store_int(c->account->id),
	    store_int(h->first_byte_ms), store_int(h->first_byte_seen_ms),
	    store_int(h->share.permille), store_int(h->share.reset_ms),
	    store_int(h->share.window_ms), store_int(h->share.seen_ms),
	    store_int(rn->now_ms));
	h->told_first_byte_ms = h->first_byte_ms;
	h->told_share = h->share;
	h->told_batch = rn->load.batch;
}

int
health_read(struct load *load, struct store *st, int64_t since_ms,
    struct err *err)
{
	const struct store_value since = store_int(since_ms);

	return (store_query(st, STMT_HEALTH_READ, &since, 1, take_row, load,
	    err) < 0 ? -1 : 0);
}

int
health_beat(struct runner *rn, struct err *err)
{
	size_t i;

	if (health_read(&rn->load, rn->st,
	    rn->load.health_read_ms - SLACK_MS, err))
		return (-1);
	rn->load.health_read_ms = rn->now_ms;
	for (i = 0; i < rn->load.naccounts; i++) {
		if (has_changed(&rn->load.candidates[i].health))
			put_row(rn, &rn->load.candidates[i]);
	}
	return (runner_exec(rn, ROWS_HEALTH_PUT, err));
}

void
health_undone(struct runner *rn)
{
	struct health *h;
	size_t i;

	for (i = 0; i < rn->load.naccounts; i++) {
		h = &rn->load.candidates[i].health;
		if (h->told_batch != rn->load.batch)
			continue;
		h->told_first_byte_ms = 0;
		h->told_share = (struct share) { 0 };
	}
}
