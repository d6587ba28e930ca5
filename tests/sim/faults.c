#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/faults.h"
#include "sim/rng.h"
#include "sim/sim.h"

#define MINUTE_MS	INT64_C(60000)
#define ALL		(-1)
#define ONE		(-2)

/* Calls that fail so often fail as good as always. */
#define CERTAIN_PERMILLE	800
#define SLOW_FACTOR		6

/* Of a week; of fewer days in proportion, but once at least. */
static const struct {
	enum fault fault;
	int whom, times;
	int64_t least_min, most_min;
	int64_t permille;
} plan[] = {
	{ FAULT_OVERLOADED, ALL, 5, 10, 25, 400 },
	{ FAULT_OVERLOADED, ONE, 14, 5, 30, 950 },
	{ FAULT_BROKEN, ONE, 8, 5, 20, 600 },
	{ FAULT_REVOKED, ONE, 3, 360, 1080, 1000 },
	{ FAULT_MUTE, ONE, 14, 2, 10, 1000 },
	{ FAULT_OUTAGE, ONE, 8, 5, 90, 1000 },
	{ FAULT_OUTAGE, ALL, 1, 2, 4, 1000 },
	{ FAULT_SLOW, ONE, 8, 60, 180, 1000 },
};

#define NPLAN		(sizeof(plan) / sizeof(plan[0]))
#define SPELLS_MAX	128

/* Any call, at any time. */
#define ODD_ERROR_PERMILLE	2

struct spell {
	enum fault fault;
	int account;		/* or ALL */
	int64_t from_ms, to_ms;
	int64_t permille;
};

struct faults {
	struct spell spells[SPELLS_MAX];
	size_t n;
};

/* Most of what happens at night hits nobody: by day. */
static void
add(struct faults *f, size_t i, struct rng *r, int64_t days)
{
	int64_t day = rng_between(r, 0, days - 1);
	int64_t from_ms = SIM_BEGIN_MS + day * SIM_DAY_MS +
	    rng_between(r, 8 * SIM_HOUR_MS, 18 * SIM_HOUR_MS);

	if (f->n == SPELLS_MAX)
		return;
	f->spells[f->n++] = (struct spell) {
		.fault = plan[i].fault,
		.account = plan[i].whom == ONE ?
		    (int)rng_between(r, 0, SIM_ACCOUNTS - 1) : ALL,
		.from_ms = from_ms,
		.to_ms = from_ms + MINUTE_MS * rng_between(r,
		    plan[i].least_min, plan[i].most_min),
		.permille = plan[i].permille,
	};
}

struct faults *
faults_new(uint64_t seed, int64_t days)
{
	struct faults *f = calloc(1, sizeof(*f));
	struct rng r = { .state = rng_mix(seed, 77) };
	int64_t n;
	size_t i;

	if (f == NULL) {
		fprintf(stderr, "sim: no memory\n");
		exit(1);
	}
	for (i = 0; i < NPLAN; i++) {
		n = (plan[i].times * days + 6) / 7;
		while (n-- > 0)
			add(f, i, &r, days);
	}
	return (f);
}

void
faults_free(struct faults *f)
{

	free(f);
}

static bool
hits(const struct spell *s, int account, int64_t now_ms)
{

	return ((s->account == ALL || s->account == account) &&
	    s->from_ms <= now_ms && now_ms < s->to_ms);
}

enum fault
faults_meet(const struct faults *f, int account, int64_t now_ms,
    uint64_t chance)
{
	struct rng r = { .state = chance };
	const struct spell *s;

	for (s = f->spells; s < f->spells + f->n; s++) {
		if (s->fault != FAULT_SLOW && hits(s, account, now_ms) &&
		    rng_chance(&r, s->permille))
			return (s->fault);
	}
	return (rng_chance(&r, ODD_ERROR_PERMILLE) ? FAULT_BROKEN :
	    FAULT_NONE);
}

bool
faults_certain(const struct faults *f, int account, int64_t now_ms)
{
	const struct spell *s;

	for (s = f->spells; s < f->spells + f->n; s++) {
		if (s->fault != FAULT_SLOW && hits(s, account, now_ms) &&
		    s->permille >= CERTAIN_PERMILLE)
			return (true);
	}
	return (false);
}

int64_t
faults_slow(const struct faults *f, int account, int64_t now_ms)
{
	const struct spell *s;

	for (s = f->spells; s < f->spells + f->n; s++) {
		if (s->fault == FAULT_SLOW && hits(s, account, now_ms))
			return (SLOW_FACTOR);
	}
	return (1);
}
