/* crew.c - see crew.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "bench/crew.h"
#include "bench/stop.h"

#define CREW_MAX 64  /* threads */
#define SHOW_MS  100 /* between two looks at the count */

struct crew {
	const struct cpus *cpus;
	crew_item item;
	void *ctx;
	size_t n;
	_Atomic size_t next, done;
	_Atomic bool failed;
	pthread_mutex_t lock; /* of err */
	struct err err;
};

static void
note_failure(struct crew *c, const struct err *err)
{
	(void)pthread_mutex_lock(&c->lock);
	if (!c->failed) {
		c->err = *err;
		c->failed = true;
	}
	(void)pthread_mutex_unlock(&c->lock);
}

static void *
member(void *arg)
{
	struct crew *c = arg;
	struct err err;
	size_t i;

	cpus_use(&c->cpus->all);
	while (!c->failed && !stop_requested() && (i = c->next++) < c->n) {
		if (c->item(c->ctx, i, &err) != RC_OK)
			note_failure(c, &err);
		c->done++;
	}
	return NULL;
}

static void
watch(struct crew *c, const struct progress *p, const char *what)
{
	while (c->done < c->n && !c->failed && !stop_requested()) {
		progress_show(p, what, c->done, c->n);
		stop_sleep_ms(SHOW_MS);
	}
	progress_clear(p);
}

enum rc
crew_run(const struct cpus *cpus, const struct progress *p, const char *what, size_t n,
    crew_item item, void *ctx, struct err *err)
{
	struct crew c = { .cpus = cpus, .item = item, .ctx = ctx, .n = n };
	pthread_t threads[CREW_MAX];
	int started = 0, want = cpus->n < CREW_MAX ? cpus->n : CREW_MAX;

	(void)pthread_mutex_init(&c.lock, NULL);
	while (started < want && pthread_create(&threads[started], NULL, member, &c) == 0)
		started++;
	if (started > 0)
		watch(&c, p, what);
	for (int i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_mutex_destroy(&c.lock);
	if (started == 0)
		return fail(err, RC_IO, "%s: no thread could be started", what);
	if (c.failed) {
		*err = c.err;
		return err->rc;
	}
	return stop_check(err);
}
