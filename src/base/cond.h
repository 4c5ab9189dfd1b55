/*
 * cond.h - condition variables whose deadlines are of the monotonic clock (clock.h): a wait neither ends early nor
 * lasts for ever because somebody sets the machine's time.
 */
#ifndef SCEPD_BASE_COND_H
#define SCEPD_BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* false: no memory.  pthread_cond_destroy() ends it. */
bool cond_init(pthread_cond_t *c);
/* With `m` held.  false: clock_mono_ms() is at `until_ms` or past it.  May return early, as all of them may. */
bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t until_ms);

#endif
