#include "base/cond.h"

int
cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc;

	if ((rc = pthread_condattr_init(&attr)) != 0)
		return (rc);
	if ((rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC)) == 0)
		rc = pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
	return (rc);
}

struct timespec
cond_in(int64_t ms)
{
	struct timespec at;
	int64_t ns;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	ns = at.tv_nsec + ms % 1000 * 1000000;
	at.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
	at.tv_nsec = (long)(ns % 1000000000);
	return (at);
}
