/* crew.c - see crew.h. */
#include "scepd/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cond.h"

struct piece {
	int64_t due_ms; /* mono */
	bool busy, woken;
};
struct crew {
	crew_fn *fn;
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop; /* set under the lock, so that a wait sees it */
	struct piece *pieces;
	pthread_t *threads;
	size_t n_pieces, n_threads;
};

/* The free piece that is due first; NULL: all are busy. */
static struct piece *
next_piece(struct crew *c)
{
	struct piece *first = NULL;

	for (size_t i = 0; i < c->n_pieces; i++) {
		struct piece *p = &c->pieces[i];

		if (!p->busy && (first == NULL || p->due_ms < first->due_ms))
			first = p;
	}
	return first;
}

/* With the lock held, which is given up meanwhile. */
static void
run(struct crew *c, struct piece *p)
{
	int64_t due;

	p->busy = true;
	p->woken = false;
	(void)pthread_mutex_unlock(&c->lock);
	due = c->fn(c->arg, (size_t)(p - c->pieces), clock_mono_ms(), &c->stop);
	(void)pthread_mutex_lock(&c->lock);
	p->busy = false;
	p->due_ms = p->woken ? 0 : due;
}

/* There are no more threads than pieces, so whoever is free finds one. */
static void *
work(void *arg)
{
	struct crew *c = arg;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		struct piece *p = next_piece(c);

		if (p->due_ms <= clock_mono_ms())
			run(c, p);
		else
			(void)cond_wait_until(&c->wake, &c->lock, p->due_ms);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

static struct crew *
make(size_t parts, size_t threads)
{
	struct crew *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->n_pieces = parts;
	c->pieces = calloc(parts + 1, sizeof(*c->pieces));
	c->threads = calloc(threads + 1, sizeof(*c->threads));
	if (c->pieces != NULL && c->threads != NULL && cond_init(&c->wake)) {
		(void)pthread_mutex_init(&c->lock, NULL);
		return c;
	}
	free(c->pieces);
	free(c->threads);
	free(c);
	return NULL;
}

enum rc
crew_start(
    struct crew **out, size_t parts, size_t threads_max, crew_fn *fn, void *arg, struct err *err)
{
	size_t threads = parts < threads_max ? parts : threads_max;
	struct crew *c = make(parts, threads);

	if (c == NULL)
		return fail(err, RC_NOMEM, "no memory for background threads");
	c->fn = fn;
	c->arg = arg;
	for (size_t i = 0; i < threads; i++) {
		if ((errno = pthread_create(&c->threads[i], NULL, work, c)) != 0) {
			(void)fail_errno(err, "start a thread");
			crew_free(c);
			return RC_IO;
		}
		c->n_threads++;
	}
	*out = c;
	return RC_OK;
}

void
crew_wake(struct crew *c)
{
	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n_pieces; i++) {
		c->pieces[i].woken = true;
		c->pieces[i].due_ms = 0;
	}
	(void)pthread_cond_broadcast(&c->wake);
	(void)pthread_mutex_unlock(&c->lock);
}

void
crew_stop(struct crew *c)
{
	if (c == NULL)
		return;
	(void)pthread_mutex_lock(&c->lock);
	c->stop = true;
	(void)pthread_cond_broadcast(&c->wake);
	(void)pthread_mutex_unlock(&c->lock);
}

void
crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	crew_stop(c);
	for (size_t i = 0; i < c->n_threads; i++)
		(void)pthread_join(c->threads[i], NULL);
	(void)pthread_cond_destroy(&c->wake);
	(void)pthread_mutex_destroy(&c->lock);
	free(c->pieces);
	free(c->threads);
	free(c);
}
