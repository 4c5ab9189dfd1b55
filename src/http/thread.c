/*
 * thread.c - starting threads, and waiting with a deadline.
 */
#include "http/thread.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cond.h"

enum rc
thread_start(pthread_t *out, void *(*main)(void *), void *arg, struct err *err)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int e;

	e = pthread_attr_init(&attr);
	if (e != 0)
		return fail(err, RC_NOMEM, "no memory for a thread");
	sigfillset(&all);
	e = pthread_attr_setstacksize(&attr, THREAD_STACK);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* inherited by the new thread */
	if (e == 0)
		e = pthread_create(out, &attr, main, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (e == 0)
		return RC_OK;
	errno = e;
	return fail_errno(err, "cannot start a thread");
}

enum rc
thread_cond_init(pthread_cond_t *c, struct err *err)
{
	return cond_init(c) ? RC_OK : fail(err, RC_NOMEM, "no memory for a condition variable");
}

void
thread_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t until_ms)
{
	(void)cond_wait_until(c, m, until_ms);
}
