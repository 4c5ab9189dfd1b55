/* cond.c - see cond.h. */
#include "base/cond.h"

#include <errno.h>
#include <time.h>

bool
cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	bool made;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(c, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	return made;
}

bool
cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t until_ms)
{
	const struct timespec until = { until_ms / 1000, until_ms % 1000 * 1000000 };

	return pthread_cond_timedwait(c, m, &until) != ETIMEDOUT;
}
