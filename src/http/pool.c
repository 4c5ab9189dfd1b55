/*
 * pool.c - see pool.h.  One lock; every field of struct pool is under it.
 */
#include "http/pool.h"

#include <stdlib.h>

#include "base/clock.h"
#include "http/thread.h"

#define STUCK_MS 5 /* the oldest job has waited so long: more threads */

struct worker {
	struct worker *below; /* on the stack of sleepers */
	pthread_cond_t wake;
	bool called; /* taken off the stack by whoever wants it to work */
};

struct pool {
	pthread_mutex_t lock;
	void (*run)(struct pool_job *);
	unsigned min, max, idle_ms;
	struct pool_job *head, **tail;
	unsigned queued;
	struct worker *sleepers;
	unsigned n_workers;
	bool calling; /* a sleeper was called and has not got up yet: no need to call another */
	bool stopping;
	pthread_cond_t keeper_wake, gone;
	bool keeper_waits; /* for somebody to tell it that the queue is stuck */
	bool keeper_runs;
	pthread_t keeper;
	pthread_t last; /* the thread that ended last, not yet joined */
	bool has_last;
};

static void *worker_main(void *arg);

/* Somebody should look at the queue. */
static void
call_someone(struct pool *p)
{
	struct worker *w = p->sleepers;

	if (p->queued == 0 || p->calling)
		return;
	if (w != NULL) {
		p->sleepers = w->below;
		w->called = true;
		p->calling = true;
		pthread_cond_signal(&w->wake);
	} else if (p->keeper_waits && p->n_workers < p->max) {
		p->keeper_waits = false;
		pthread_cond_signal(&p->keeper_wake);
	}
}

bool
pool_push(struct pool *p, struct pool_job *first)
{
	int64_t now = clock_mono_ms();
	bool taken;

	pthread_mutex_lock(&p->lock);
	taken = !p->stopping;
	for (; taken && first != NULL; first = first->next) {
		first->queued_ms = now;
		*p->tail = first;
		p->tail = &first->next;
		p->queued++;
	}
	call_someone(p);
	pthread_mutex_unlock(&p->lock);
	return taken;
}

static struct pool_job *
take(struct pool *p)
{
	struct pool_job *j = p->head;

	if (j == NULL)
		return NULL;
	p->head = j->next;
	if (p->head == NULL)
		p->tail = &p->head;
	p->queued--;
	return j;
}

static void
leave_stack(struct pool *p, struct worker *w)
{
	struct worker **at;

	for (at = &p->sleepers; *at != w; at = &(*at)->below)
		;
	*at = w->below;
}

/* False: nobody called for so long that the thread should end. */
static bool
sleep_till_called(struct pool *p, struct worker *w)
{
	int64_t until = clock_mono_ms() + p->idle_ms;

	w->called = false;
	w->below = p->sleepers;
	p->sleepers = w;
	while (!w->called && !p->stopping && clock_mono_ms() < until)
		thread_cond_wait_until(&w->wake, &p->lock, until);
	if (!w->called) {
		leave_stack(p, w);
		return !p->stopping && p->n_workers <= p->min;
	}
	p->calling = false;
	return true;
}

/*
 * Leave, and unlock.  The thread that ended before is joined by the one that ends now, so at most
 * one is ever left; pool_stop() joins that.
 */
static void
say_goodbye(struct pool *p)
{
	pthread_t before = p->last;
	bool has_before = p->has_last;

	p->last = pthread_self();
	p->has_last = true;
	p->n_workers--;
	pthread_cond_signal(&p->gone);
	pthread_mutex_unlock(&p->lock);
	if (has_before)
		pthread_join(before, NULL);
}

static void
work(struct pool *p, struct worker *w)
{
	struct pool_job *j;

	while (!p->stopping) {
		j = take(p);
		if (j == NULL) {
			if (!sleep_till_called(p, w))
				return;
			continue;
		}
		call_someone(p);
		pthread_mutex_unlock(&p->lock);
		p->run(j);
		pthread_mutex_lock(&p->lock);
	}
}

static void *
worker_main(void *arg)
{
	struct pool *p = arg;
	struct worker w = { .called = false };

	pthread_mutex_lock(&p->lock);
	if (thread_cond_init(&w.wake, NULL) == RC_OK) {
		work(p, &w);
		pthread_cond_destroy(&w.wake);
	}
	say_goodbye(p);
	return NULL;
}

/*
 * With the lock, which is let go while the thread is made: on a busy machine that takes its time, and who works
 * is not to wait for it.  It is counted before it can end.
 */
static enum rc
add_worker(struct pool *p, struct err *err)
{
	pthread_t t;
	enum rc rc;

	p->n_workers++;
	pthread_mutex_unlock(&p->lock);
	rc = thread_start(&t, worker_main, p, err);
	pthread_mutex_lock(&p->lock);
	if (rc != RC_OK) {
		p->n_workers--;
		pthread_cond_signal(&p->gone);
	}
	return rc;
}

/* Somebody has waited for long, and nobody is there who might take it. */
static bool
is_stuck(const struct pool *p)
{
	return !p->stopping && p->queued > 0 && p->sleepers == NULL && p->n_workers < p->max &&
	    clock_mono_ms() - p->head->queued_ms >= STUCK_MS;
}

static void *
keeper_main(void *arg)
{
	struct pool *p = arg;
	unsigned n;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		if (p->queued == 0 || p->sleepers != NULL || p->n_workers >= p->max) {
			p->keeper_waits = true;
			pthread_cond_wait(&p->keeper_wake, &p->lock);
			p->keeper_waits = false;
			continue;
		}
		/*
		 * Half of what waits, at most: when the jobs turn out short, the rest needs no
		 * threads.  A failure to make one is no harm, the next round tries again.
		 */
		for (n = (p->queued + 1) / 2; n > 0 && is_stuck(p); n--)
			if (add_worker(p, NULL) != RC_OK)
				break;
		if (p->stopping)
			break;
		thread_cond_wait_until(&p->keeper_wake, &p->lock, clock_mono_ms() + STUCK_MS);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static enum rc
init_locks(struct pool *p, struct err *err)
{
	enum rc rc = thread_cond_init(&p->keeper_wake, err);

	if (rc == RC_OK) {
		rc = thread_cond_init(&p->gone, err);
		if (rc != RC_OK)
			pthread_cond_destroy(&p->keeper_wake);
	}
	if (rc == RC_OK)
		pthread_mutex_init(&p->lock, NULL);
	return rc;
}

enum rc
pool_new(struct pool **out, unsigned min, unsigned max, unsigned idle_ms,
    void (*run)(struct pool_job *), struct err *err)
{
	struct pool *p = calloc(1, sizeof *p);
	enum rc rc;

	if (p == NULL)
		return fail(err, RC_NOMEM, "no memory for a thread pool");
	p->min = min;
	p->max = max > min ? max : min;
	p->idle_ms = idle_ms;
	p->run = run;
	p->tail = &p->head;
	rc = init_locks(p, err);
	if (rc != RC_OK) {
		free(p);
		return rc;
	}
	rc = thread_start(&p->keeper, keeper_main, p, err);
	p->keeper_runs = rc == RC_OK;
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < min && rc == RC_OK; i++)
		rc = add_worker(p, err);
	pthread_mutex_unlock(&p->lock);
	if (rc != RC_OK) {
		pool_stop(p, NULL);
		pool_free(p);
		return rc;
	}
	*out = p;
	return RC_OK;
}

unsigned
pool_threads(struct pool *p)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->n_workers;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void
pool_stop(struct pool *p, void (*drop)(struct pool_job *))
{
	struct worker *w;
	struct pool_job *j, *next;

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	for (w = p->sleepers; w != NULL; w = w->below)
		pthread_cond_signal(&w->wake);
	pthread_cond_signal(&p->keeper_wake);
	while (p->n_workers > 0)
		pthread_cond_wait(&p->gone, &p->lock);
	j = p->head;
	p->head = NULL;
	p->tail = &p->head;
	p->queued = 0;
	pthread_mutex_unlock(&p->lock);
	if (p->keeper_runs)
		pthread_join(p->keeper, NULL);
	p->keeper_runs = false;
	if (p->has_last)
		pthread_join(p->last, NULL);
	p->has_last = false;
	for (; j != NULL; j = next) {
		next = j->next;
		drop(j);
	}
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pthread_cond_destroy(&p->keeper_wake);
	pthread_cond_destroy(&p->gone);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
