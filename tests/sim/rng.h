#ifndef TESTS_SIM_RNG_H_
#define TESTS_SIM_RNG_H_

#include <stdbool.h>
#include <stdint.h>

/**
 * Random numbers that are the same for the same seed on every machine
 * (splitmix64, by Vigna).
 */
struct rng {
	uint64_t state;
};

/** rng_mix(a, b): A number that is as good as random, of two. */
uint64_t rng_mix(uint64_t a, uint64_t b);

uint64_t rng_next(struct rng *r);

/** rng_between(r, from, to): Both may come.  rng_chance(r, permille): True so
 * often. */
int64_t rng_between(struct rng *r, int64_t from, int64_t to);
bool rng_chance(struct rng *r, int64_t permille);

/** rng_about(r, median, sigma): Log-normal: a few are very long. */
int64_t rng_about(struct rng *r, int64_t median, double sigma);

#endif /* !TESTS_SIM_RNG_H_ */
