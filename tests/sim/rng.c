#include <math.h>

#include "sim/rng.h"

uint64_t
rng_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31));
}

uint64_t
rng_mix(uint64_t a, uint64_t b)
{
	struct rng r = { .state = a * UINT64_C(0xff51afd7ed558ccd) ^ b };

	return (rng_next(&r));
}

int64_t
rng_between(struct rng *r, int64_t from, int64_t to)
{

	return (from + (int64_t)(rng_next(r) % (uint64_t)(to - from + 1)));
}

bool
rng_chance(struct rng *r, int64_t permille)
{

	return (rng_between(r, 0, 999) < permille);
}

/* More than 0, less than 1. */
static double
unit(struct rng *r)
{

	return (((double)(rng_next(r) >> 11) + 0.5) / 9007199254740992.0);
}

int64_t
rng_about(struct rng *r, int64_t median, double sigma)
{
	/* Box and Muller. */
	double normal = sqrt(-2 * log(unit(r))) *
	    cos(2 * 3.14159265358979323846 * unit(r));

	return ((int64_t)((double)median * exp(sigma * normal)));
}
