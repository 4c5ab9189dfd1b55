/* inflight_test.c - one worker per transaction, and nobody waits for ever. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail

#include "base/clock.h"
#include "scepd/inflight.h"

#define THREADS 16
#define ROUNDS  200

struct shared {
	struct inflight *f;
	uint8_t key[32];
	int inside, worst; /* guarded by holding the key */
	_Atomic int entered;
};

static void *
enter_and_leave(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (inflight_enter(s->f, s->key, clock_mono_ms() + 20000, NULL) != RC_OK)
			continue;
		s->entered++;
		if (++s->inside > s->worst)
			s->worst = s->inside;
		s->inside--;
		inflight_leave(s->f, s->key);
	}
	return NULL;
}

static void
only_one_worker_holds_a_transaction(void **state)
{
	struct shared s = { .key = { 7 } };
	pthread_t t[THREADS];

	assert_int_equal(inflight_new(&s.f, NULL), RC_OK);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, enter_and_leave, &s), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(s.worst, 1);
	assert_int_equal(s.entered, THREADS * ROUNDS);
	inflight_free(s.f);
}

static void
waiting_ends_at_the_deadline(void **state)
{
	struct inflight *f;
	uint8_t key[32] = { 1 }, other[32] = { 1, 2 };
	struct err err;

	assert_int_equal(inflight_new(&f, NULL), RC_OK);
	assert_int_equal(inflight_enter(f, key, clock_mono_ms(), NULL), RC_OK);
	assert_int_equal(inflight_enter(f, key, clock_mono_ms() + 30, &err), RC_TIMEOUT);
	assert_int_equal(inflight_enter(f, other, clock_mono_ms(), NULL),
	    RC_OK); /* same bucket, another transaction */
	inflight_leave(f, key);
	assert_int_equal(inflight_enter(f, key, clock_mono_ms(), NULL), RC_OK);
	inflight_leave(f, key);
	inflight_leave(f, other);
	inflight_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_one_worker_holds_a_transaction),
		cmocka_unit_test(waiting_ends_at_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
