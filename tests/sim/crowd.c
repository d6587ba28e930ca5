#include <stdio.h>
#include <stdlib.h>

#include "sim/crowd.h"
#include "sim/world.h"

#define TRIES_MAX	10
#define LOST_MAX	3
#define BACK_LATER_MS	(10 * 60 * 1000)

/* A conversation begins with so much, and is summed up at the other. */
#define CONTEXT_FIRST	14000
#define CONTEXT_MOST	150000
#define CONTEXT_SUM	22000

/* One in so many sessions of the first key belongs to a burst. */
#define BURST_PART	2
#define BURST_SIZE	60

/* Sessions of each key, of 100. */
static const int shares[SIM_KEYS] = { 33, 16, 11, 9, 8, 6, 5, 4, 3, 2, 2, 1 };

/* Waits that were short enough, in steps of 10 ms, and all others. */
#define WAIT_STEP_MS	10
#define WAIT_STEPS	60000

struct key_tally {
	double speed;		/* sum over its turns; 1: as fast as can be,
				   0: lost */
	int64_t turns;
};

/* Of fewer turns nothing is to be said. */
#define TURNS_LEAST	5

struct crowd {
	int64_t slots;		/* of all accounts */
	int64_t asking;		/* turns at work */
	struct chat *sessions;
	struct key_tally keys[SIM_KEYS];
	int64_t waits[WAIT_STEPS + 1];
};

const char *
crowd_model(enum family f)
{

	return (f == FAMILY_OPUS ? "claude-opus-4-1" : "claude-sonnet-4-5");
}

/* ---- turns ---- */

static void
ask(void *arg)
{
	struct chat *s = arg;

	s->sim->ask(s->sim->relay, s);
}

static void
begin_turn(void *arg)
{
	struct chat *s = arg;
	int i;

	s->context += rng_about(&s->rng, 1500, 0.8);
	s->output = rng_about(&s->rng, 350, 0.9);
	if (s->context > CONTEXT_MOST) {
		s->context = CONTEXT_SUM;
		for (i = 0; i < SIM_ACCOUNTS; i++)
			s->caches[i].tokens = 0;
		s->ideal.tokens = 0;
	}
	s->began_ms = agenda_now(&s->sim->agenda);
	s->tries = 0;
	s->crowded = s->sim->crowd->asking++ >= s->sim->crowd->slots;
	s->sim->result.turns++;
	ask(s);
}

/* Mostly tools are at work between the turns, sometimes a person. */
static int64_t
think_ms(struct chat *s)
{
	int64_t what = rng_between(&s->rng, 0, 999);

	if (s->tools_only || what < 800)
		return (rng_about(&s->rng, 4000, 0.7));
	if (what < 960)
		return (rng_about(&s->rng, 90 * 1000, 0.9));
	return (rng_about(&s->rng, 15 * 60 * 1000, 0.9));
}

static void
next_turn(struct chat *s, int64_t after_ms)
{

	if (s->turns_left-- > 0)
		agenda_put(&s->sim->agenda, after_ms, begin_turn, s);
}

static void
end_turn(struct chat *s, double speed)
{
	struct key_tally *k = &s->sim->crowd->keys[s->key];

	s->sim->crowd->asking--;
	if (!s->crowded)
		return;
	k->speed += speed;
	k->turns++;
}

static void
note_wait(struct crowd *c, int64_t ms)
{
	int64_t step = ms / WAIT_STEP_MS;

	c->waits[step < WAIT_STEPS ? step : WAIT_STEPS]++;
}

void
crowd_served(struct chat *s, int account, int64_t service_ms)
{
	int64_t took_ms = agenda_now(&s->sim->agenda) - s->began_ms;

	s->account = account;
	s->lost = 0;
	s->sim->result.served++;
	note_wait(s->sim->crowd, took_ms - service_ms);
	end_turn(s, (double)service_ms / (double)took_ms);
	next_turn(s, think_ms(s));
}

void
crowd_refused(struct chat *s, int64_t retry_after_s, int should_retry)
{
	int64_t wait_ms = INT64_C(500) << (s->tries < 6 ? s->tries : 6);

	s->sim->result.failures++;
	s->sim->result.avoidable += world_could(s->sim->world, -1, s);
	if (retry_after_s > 0)
		wait_ms = retry_after_s * 1000;
	if (should_retry != 0 && ++s->tries < TRIES_MAX) {
		agenda_put(&s->sim->agenda, wait_ms +
		    rng_between(&s->rng, 0, wait_ms / 4), ask, s);
		return;
	}
	s->sim->result.lost++;
	end_turn(s, 0);
	if (++s->lost < LOST_MAX)
		next_turn(s, rng_about(&s->rng, BACK_LATER_MS, 0.5));
}

/* ---- sessions ---- */

static int
pick_key(struct rng *r)
{
	int64_t n = rng_between(r, 0, 99);
	int key = 0;

	while (key < SIM_KEYS - 1 && n >= shares[key])
		n -= shares[key++];
	return (key);
}

/* By day, on weekends less. */
static int64_t
pick_time(struct rng *r, int64_t days)
{
	int64_t day = rng_between(r, 0, days - 1);

	if (day % 7 >= 5 && !rng_chance(r, 300))
		day -= day >= 5 ? 1 + rng_between(r, 0, 3) : 0;
	return (day * SIM_DAY_MS + 8 * SIM_HOUR_MS +
	    rng_between(r, 0, 5 * SIM_HOUR_MS) +
	    rng_between(r, 0, 6 * SIM_HOUR_MS));
}

static void
session_begin(struct sim *sim, struct chat *s, int n)
{
	uint64_t seed = sim->params.seed;
	struct rng burst;
	int64_t at_ms;

	*s = (struct chat) { .sim = sim, .n = n, .account = -1 };
	s->rng.state = rng_mix(seed, (uint64_t)n);
	s->key = pick_key(&s->rng);
	s->family = rng_chance(&s->rng, 300) ? FAMILY_OPUS : FAMILY_SONNET;
	s->long_cache = rng_chance(&s->rng, 300);
	s->context = CONTEXT_FIRST + rng_between(&s->rng, 0, 20000);
	s->turns_left = 3 + rng_about(&s->rng, 20, 0.9);
	at_ms = pick_time(&s->rng, sim->params.days);
	if (s->key == 0 && n % BURST_PART == 0) {
		burst.state = rng_mix(seed ^ 1, (uint64_t)n / (BURST_SIZE *
		    BURST_PART * 100 / (uint64_t)shares[0]));
		at_ms = pick_time(&burst, sim->params.days) +
		    rng_between(&s->rng, 0, 3000);
		s->tools_only = true;
	}
	agenda_put(&sim->agenda, at_ms, begin_turn, s);
}

struct crowd *
crowd_new(struct sim *sim)
{
	struct crowd *c = calloc(1, sizeof(*c));
	int64_t i, n = sim->params.sessions;

	if (c == NULL ||
	    (c->sessions = calloc((size_t)n, sizeof(*c->sessions))) == NULL) {
		fprintf(stderr, "sim: no memory\n");
		exit(1);
	}
	for (i = 0; i < SIM_ACCOUNTS; i++)
		c->slots += world_slots((int)i);
	for (i = 0; i < n; i++)
		session_begin(sim, &c->sessions[i], (int)i);
	return (c);
}

void
crowd_free(struct crowd *c)
{

	free(c->sessions);
	free(c);
}

/* ---- report ---- */

static int64_t
wait_of(const struct crowd *c, int64_t served, int64_t percent)
{
	int64_t i, n = 0;

	for (i = 0; i < WAIT_STEPS; i++) {
		n += c->waits[i];
		if (n * 100 >= served * percent)
			break;
	}
	return (i * WAIT_STEP_MS);
}

/* Jain, Chiu and Hawe: (sum x)^2 / (n * sum x^2), where x is how fast a key's
 * turns were served, so that what each wants does not count. */
void
crowd_report(struct crowd *c, struct sim_result *out)
{
	double x, sum = 0, squares = 0;
	int i, n = 0;

	for (i = 0; i < SIM_KEYS; i++) {
		out->crowded += c->keys[i].turns;
		if (c->keys[i].turns < TURNS_LEAST)
			continue;
		x = c->keys[i].speed / (double)c->keys[i].turns;
		sum += x;
		squares += x * x;
		n++;
	}
	out->jain = squares > 0 ? sum * sum / (n * squares) : 1;
	out->wait_p50_ms = wait_of(c, out->served, 50);
	out->wait_p99_ms = wait_of(c, out->served, 99);
}
