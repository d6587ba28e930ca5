#ifndef BASE_COND_H_
#define BASE_COND_H_

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/**
 * Condition variables that wait by the monotonic clock, which nobody sets.
 * Any thread.
 */

/** cond_init(cond): 0, or the number of an error.  It is given up with
 * pthread_cond_destroy. */
int cond_init(pthread_cond_t *cond);

/** cond_in(ms): The time ${ms} from now, for pthread_cond_timedwait; not
 * negative. */
struct timespec cond_in(int64_t ms);

#endif /* !BASE_COND_H_ */
