#ifndef BASE_HEAP_H_
#define BASE_HEAP_H_

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

/**
 * How free memory is kept for what comes next, and given back to the kernel
 * when it will not be needed soon.  Does nothing where the C library is not
 * glibc.
 *
 * glibc alone gives the memory of each large request body back at once and
 * takes it anew, page by page, for the next (46 page faults a request with
 * bodies of 300 KB, a quarter of their CPU time), but keeps for ever what many
 * small pieces took at a peak (33 KB for each stream).
 */

/** heap_setup(): Once, before there are threads. */
void heap_setup(void);

/** Embedded in its owner; ends with heap_care_stop. */
struct heap_care {
	struct loop *loop;
	struct loop_timer timer;
	int64_t (*load)(void *arg);
	void *arg;
	int64_t peak;		/* load, since memory was last given back */
	uint64_t trims;		/* how often it was */
};

/**
 * heap_care_start(c, loop, load, arg), heap_care_stop(c):
 * Look at ${load} (open requests) every few seconds, and when a peak is over
 * give back what it took.  Loop thread only; stopping twice, or without a
 * start (all zero), does nothing.  -1 without memory for a timer.
 */
int heap_care_start(struct heap_care *c, struct loop *loop,
    int64_t (*load)(void *arg), void *arg)
    __attribute__((__warn_unused_result__));
void heap_care_stop(struct heap_care *c);

#endif /* !BASE_HEAP_H_ */
