/*
 * pool_test.c - the pool runs every job once, grows when jobs wait for others, and ends cleanly.
 */
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "http/pool.h"

struct job {
	struct pool_job job;
	sem_t *hold; /* wait for this first */
};

static atomic_uint begun, ran, dropped;

static void
run(struct pool_job *j)
{
	struct job *job = (struct job *)j;

	atomic_fetch_add(&begun, 1);
	while (job->hold != NULL && sem_wait(job->hold) != 0)
		;
	atomic_fetch_add(&ran, 1);
}

static void
drop(struct pool_job *j)
{
	atomic_fetch_add(&dropped, 1);
}

static void
nap(void)
{
	struct timespec t = { .tv_nsec = 2000000 };

	nanosleep(&t, NULL);
}

/* At most a minute. */
static bool
reaches(atomic_uint *n, unsigned want)
{
	int64_t end = clock_mono_ms() + 60000;

	while (atomic_load(n) < want && clock_mono_ms() < end)
		nap();
	return atomic_load(n) == want;
}

static struct pool *
new_pool(unsigned min, unsigned max)
{
	struct pool *p;
	struct err err;

	atomic_store(&begun, 0);
	atomic_store(&ran, 0);
	atomic_store(&dropped, 0);
	assert_int_equal(pool_new(&p, min, max, 100, run, &err), RC_OK);
	return p;
}

static void
every_job_runs_once(void **state)
{
	struct pool *p = new_pool(2, 4);
	struct job *jobs = calloc(10000, sizeof *jobs);
	unsigned i;

	assert_non_null(jobs);
	for (i = 0; i < 10000; i += 2) { /* in chains of two */
		jobs[i].job.next = &jobs[i + 1].job;
		assert_true(pool_push(p, &jobs[i].job));
	}
	assert_true(reaches(&ran, 10000));
	pool_stop(p, drop);
	assert_int_equal(atomic_load(&ran), 10000);
	assert_int_equal(atomic_load(&dropped), 0);
	pool_free(p);
	free(jobs);
}

/* All 40 jobs must be running at the same time for any of them to end. */
static void
blocked_jobs_get_more_threads_for_as_long_as_needed(void **state)
{
	struct pool *p = new_pool(2, 64);
	struct job jobs[40] = { 0 };
	int64_t end = clock_mono_ms() + 60000;
	sem_t hold;
	unsigned i;

	sem_init(&hold, 0, 0);
	for (i = 0; i < 40; i++) {
		jobs[i].hold = &hold;
		assert_true(pool_push(p, &jobs[i].job));
	}
	while (pool_threads(p) < 40 && clock_mono_ms() < end)
		nap();
	assert_in_range(pool_threads(p), 40, 64);
	for (i = 0; i < 40; i++)
		sem_post(&hold);
	assert_true(reaches(&ran, 40));
	while (pool_threads(p) > 2 && clock_mono_ms() < end)
		nap();
	assert_int_equal(pool_threads(p), 2);
	pool_stop(p, drop);
	pool_free(p);
	sem_destroy(&hold);
}

static void
the_maximum_of_threads_is_kept(void **state)
{
	struct pool *p = new_pool(1, 3);
	struct job jobs[20] = { 0 };
	int64_t end = clock_mono_ms() + 60000;
	sem_t hold;
	unsigned i;

	sem_init(&hold, 0, 0);
	for (i = 0; i < 20; i++) {
		jobs[i].hold = &hold;
		assert_true(pool_push(p, &jobs[i].job));
	}
	while (pool_threads(p) < 3 && clock_mono_ms() < end)
		nap();
	for (i = 0; i < 10; i++)
		nap();
	assert_int_equal(pool_threads(p), 3);
	for (i = 0; i < 20; i++)
		sem_post(&hold);
	assert_true(reaches(&ran, 20));
	pool_stop(p, drop);
	pool_free(p);
	sem_destroy(&hold);
}

static unsigned
threads_for_short_jobs(void)
{
	struct pool *p = new_pool(2, 64);
	struct job jobs[200] = { 0 };
	unsigned i, n;

	for (i = 0; i < 200; i++)
		assert_true(pool_push(p, &jobs[i].job));
	assert_true(reaches(&ran, 200));
	n = pool_threads(p);
	pool_stop(p, drop);
	pool_free(p);
	return n;
}

/* Unless a busy machine keeps them waiting, which it does not each time. */
static void
short_jobs_need_no_more_threads(void **state)
{
	unsigned n = 64;

	for (int i = 0; i < 50 && n > 16; i++)
		n = threads_for_short_jobs();
	assert_in_range(n, 2, 16);
}

/* ---- a machine on which it takes long to make a thread ---- */

static atomic_uint made;
static atomic_bool slow;

int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);

int
__wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	if (atomic_load(&slow)) {
		atomic_fetch_add(&made, 1);
		for (int i = 0; i < 100; i++)
			nap();
	}
	return __real_pthread_create(t, attr, fn, arg);
}

static void
run_and_nap(struct pool_job *j)
{
	nap();
	atomic_fetch_add(&ran, 1);
}

/* Fifty or so would be made, one after the other, if nobody could work meanwhile. */
static void
jobs_are_done_while_a_thread_is_made(void **state)
{
	struct pool_job jobs[100] = { 0 };
	struct pool *p;
	struct err err;

	atomic_store(&ran, 0);
	assert_int_equal(pool_new(&p, 2, 64, 100, run_and_nap, &err), RC_OK);
	atomic_store(&slow, true);
	for (unsigned i = 0; i < 100; i++)
		assert_true(pool_push(p, &jobs[i]));
	assert_true(reaches(&ran, 100));
	assert_in_range(atomic_load(&made), 0, 20);
	atomic_store(&slow, false);
	pool_stop(p, drop);
	pool_free(p);
}

static void *
stop_it(void *arg)
{
	pool_stop(arg, drop);
	return NULL;
}

static void
stopping_waits_for_what_runs_and_drops_the_rest(void **state)
{
	struct pool *p = new_pool(1, 1);
	struct job jobs[5] = { 0 }, late = { 0 };
	pthread_t t;
	sem_t hold;
	unsigned i;

	sem_init(&hold, 0, 0);
	for (i = 0; i < 5; i++) {
		jobs[i].hold = &hold;
		assert_true(pool_push(p, &jobs[i].job));
	}
	assert_true(reaches(&begun, 1));
	assert_int_equal(pthread_create(&t, NULL, stop_it, p), 0);
	for (i = 0; i < 5; i++)
		sem_post(&hold);
	pthread_join(t, NULL);
	assert_true(atomic_load(&ran) >= 1);
	assert_int_equal(atomic_load(&ran) + atomic_load(&dropped), 5);
	assert_int_equal(pool_threads(p), 0);
	assert_false(pool_push(p, &late.job));
	pool_free(p);
	sem_destroy(&hold);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_once),
		cmocka_unit_test(blocked_jobs_get_more_threads_for_as_long_as_needed),
		cmocka_unit_test(the_maximum_of_threads_is_kept),
		cmocka_unit_test(short_jobs_need_no_more_threads),
		cmocka_unit_test(jobs_are_done_while_a_thread_is_made),
		cmocka_unit_test(stopping_waits_for_what_runs_and_drops_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
