/* background.c - see background.h. */
#include "scepd/background.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cond.h"
#include "scepd/dir_sync.h"
#include "scepd/intune_queue.h"
#include "scepd/pipeline.h"
#include "scepd/publish.h"
#include "scepd/scepd.h"
#include "scepd/sweep.h"

static int64_t
outbox(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	(void)pipeline_outbox(s, clock_now_ms(), stop);
	return clock_mono_ms() + 5000;
}

/* New certificates are bound within seconds; what is asked for is due by its own clocks. */
static int64_t
directory(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	dir_sync_round(s, clock_now_ms(), stop);
	return clock_mono_ms() + 1000;
}

static int64_t
queue(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	return intune_queue_round(s->queue, now_ms, stop);
}

static int64_t
publish(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	publish_round(s, clock_now_ms(), stop);
	return clock_mono_ms() + 1000;
}

/* Beside the directory, as an approved sweep may take long.  A look costs one query where nothing is new. */
static int64_t
rules(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	sweep_run(s, clock_now_ms(), stop);
	return clock_mono_ms() + 1000;
}

/* A round begins at `now_ms` (clock_mono_ms()) and returns when the next one is due; it begins nothing more
 * once *stop is true. */
static int64_t (*const duties[DUTY__MAX])(
    struct scepd *s, int64_t now_ms, const atomic_bool *stop) = {
	[DUTY_OUTBOX] = outbox,
	[DUTY_DIRECTORY] = directory,
	[DUTY_QUEUE] = queue,
	[DUTY_RULES] = rules,
	[DUTY_PUBLISH] = publish,
};

struct worker {
	struct background *of;
	pthread_t thread;
	bool runs, woken; /* woken: behind the lock */
};
struct background {
	struct scepd *s;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop; /* set under the lock, so that a wait sees it */
	struct worker workers[DUTY__MAX];
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct background *b = w->of;
	size_t d = (size_t)(w - b->workers);
	int64_t until;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->stop) {
		w->woken = false;
		(void)pthread_mutex_unlock(&b->lock);
		until = duties[d](b->s, clock_mono_ms(), &b->stop);
		(void)pthread_mutex_lock(&b->lock);
		while (!b->stop && !w->woken && cond_wait_until(&b->wake, &b->lock, until))
			;
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

enum rc
background_start(struct background **out, struct scepd *s, struct err *err)
{
	struct background *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return fail(err, RC_NOMEM, "no memory for background threads");
	b->s = s;
	(void)pthread_mutex_init(&b->lock, NULL);
	if (!cond_init(&b->wake)) {
		(void)pthread_mutex_destroy(&b->lock);
		free(b);
		return fail(err, RC_NOMEM, "no memory for background threads");
	}
	for (size_t d = 0; d < DUTY__MAX; d++) {
		struct worker *w = &b->workers[d];

		w->of = b;
		if ((errno = pthread_create(&w->thread, NULL, work, w)) != 0) {
			(void)fail_errno(err, "start a thread");
			background_stop(b);
			background_free(b);
			return RC_IO;
		}
		w->runs = true;
	}
	*out = b;
	return RC_OK;
}

void
background_wake(struct background *b, enum duty d)
{
	if (b == NULL)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->workers[d].woken = true;
	(void)pthread_cond_broadcast(&b->wake);
	(void)pthread_mutex_unlock(&b->lock);
}

void
background_stop(struct background *b)
{
	if (b == NULL)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->stop = true;
	(void)pthread_cond_broadcast(&b->wake);
	(void)pthread_mutex_unlock(&b->lock);
}

void
background_free(struct background *b)
{
	if (b == NULL)
		return;
	for (size_t d = 0; d < DUTY__MAX; d++)
		if (b->workers[d].runs)
			(void)pthread_join(b->workers[d].thread, NULL);
	(void)pthread_cond_destroy(&b->wake);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}
