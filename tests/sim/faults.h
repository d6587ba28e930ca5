#ifndef TESTS_SIM_FAULTS_H_
#define TESTS_SIM_FAULTS_H_

#include <stdbool.h>
#include <stdint.h>

/**
 * What fails, when: a plan that depends on the seed alone, so that all
 * strategies meet the same weather.
 */
enum fault {
	FAULT_NONE,
	FAULT_OVERLOADED,	/* 529 */
	FAULT_BROKEN,		/* 500 */
	FAULT_REVOKED,		/* 401, until somebody mends it */
	FAULT_MUTE,		/* 429 without a word of when, and why */
	FAULT_OUTAGE,		/* no connection */
	FAULT_SLOW,		/* it only takes longer */
	NFAULTS
};

struct faults *faults_new(uint64_t seed, int64_t days);
void faults_free(struct faults *f);

/** faults_meet(f, account, now_ms, chance): What a call meets; ${chance} is a
 * random number of its own. */
enum fault faults_meet(const struct faults *f, int account, int64_t now_ms,
    uint64_t chance);

/** faults_certain(f, account, now_ms): Nearly every call fails there. */
bool faults_certain(const struct faults *f, int account, int64_t now_ms);

/** faults_slow(f, account, now_ms): How many times as long it takes. */
int64_t faults_slow(const struct faults *f, int account, int64_t now_ms);

#endif /* !TESTS_SIM_FAULTS_H_ */
