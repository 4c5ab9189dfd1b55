/*
 * pool.h - an elastic pool of threads that take jobs first in, first out.
 *
 * Jobs may block.  New threads are made by a keeper thread when the queue has not moved for a few
 * milliseconds, so that a burst of short jobs costs no threads and jobs that wait for somebody else
 * get as many as they need.  Threads sleep on a stack: the last one that worked is the next to
 * work, and the ones at the bottom notice that nobody needs them.
 */
#ifndef SCEPD_HTTP_POOL_H
#define SCEPD_HTTP_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct pool;

struct pool_job { /* embed it */
	struct pool_job *next;
	int64_t queued_ms;
};

/* A thread above `min` ends when nobody needed it for idle_ms. */
enum rc pool_new(struct pool **out, unsigned min, unsigned max, unsigned idle_ms,
    void (*run)(struct pool_job *), struct err *err) MUST_CHECK;
/*
 * Queue a chain of jobs, linked by `next`, from any thread.  False: the pool is stopping, the jobs
 * stay the caller's.
 */
bool pool_push(struct pool *p, struct pool_job *first);
unsigned pool_threads(struct pool *p);
/* Waits for jobs that are running; hands the ones that never ran to drop().  No thread is left. */
void pool_stop(struct pool *p, void (*drop)(struct pool_job *));
void pool_free(struct pool *p);

#endif
