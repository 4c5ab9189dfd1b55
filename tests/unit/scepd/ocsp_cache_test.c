/*
 * ocsp_cache_test.c - kept answers: found by the whole question, made by one, and never in the way.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail

#include "scepd/ocsp_cache.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct ocsp_kept kept = { 1000, 2000, 1 };

static int
setup(void **state)
{
	return ocsp_cache_new((struct ocsp_cache **)state, NULL) == RC_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	ocsp_cache_free(*state);
	return 0;
}

/* A key; its place is that of every key with the same `at`. */
static void
key_of(uint8_t key[static OCSP_KEY_SIZE], uint8_t at, uint8_t rest)
{
	memset(key, rest, OCSP_KEY_SIZE);
	key[0] = 0;
	key[1] = at;
}

static enum ocsp_found
get(struct ocsp_cache *c, uint8_t at, uint8_t rest, struct ocsp_slot **slot, const char *want)
{
	uint8_t key[OCSP_KEY_SIZE];
	struct ocsp_kept got = { 0 };
	enum ocsp_found found;
	struct buf b;

	key_of(key, at, rest);
	buf_init(&b, 1000);
	found = ocsp_cache_get(c, key, &b, &got, slot);
	if (found == OCSP_FOUND) {
		assert_string_equal(buf_str(&b), want);
		assert_memory_equal(&got, &kept, sizeof(kept));
	}
	buf_done(&b);
	return found;
}

static void
an_answer_is_found_by_its_whole_key(void **state)
{
	struct ocsp_slot *slot;

	assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
	assert_non_null(slot);
	ocsp_cache_put(*state, slot, "one", 3, &kept);
	assert_int_equal(get(*state, 1, 7, &slot, "one"), OCSP_FOUND);
	assert_null(slot);
	assert_int_equal(get(*state, 2, 7, &slot, NULL), OCSP_MAKE);
	ocsp_cache_put(*state, slot, "two", 3, &kept);
	assert_int_equal(get(*state, 1, 7, &slot, "one"), OCSP_FOUND);
	assert_int_equal(get(*state, 2, 7, &slot, "two"), OCSP_FOUND);
}

static void
whoever_comes_to_a_taken_place_takes_it_over(void **state)
{
	struct ocsp_slot *slot;

	assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
	ocsp_cache_put(*state, slot, "one", 3, &kept);
	assert_int_equal(get(*state, 1, 8, &slot, NULL), OCSP_MAKE);
	ocsp_cache_put(*state, slot, "other", 5, &kept);
	assert_int_equal(get(*state, 1, 8, &slot, "other"), OCSP_FOUND);
	assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
	ocsp_cache_put(*state, slot, NULL, 0, NULL);
}

static void
a_place_where_something_is_made_is_no_place_for_another(void **state)
{
	struct ocsp_slot *slot, *none;

	assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
	assert_int_equal(get(*state, 1, 8, &none, NULL), OCSP_MAKE);
	assert_null(none);
	ocsp_cache_put(*state, none, "lost", 4, &kept);
	ocsp_cache_put(*state, slot, "one", 3, &kept);
	assert_int_equal(get(*state, 1, 7, &slot, "one"), OCSP_FOUND);
}

static void
what_could_not_be_made_is_made_by_the_next(void **state)
{
	static const uint8_t large[20000];
	struct ocsp_slot *slot;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
		assert_non_null(slot);
		/* failed; then larger than any answer is */
		ocsp_cache_put(*state, slot, i == 0 ? NULL : large, sizeof(large), &kept);
	}
	assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
	ocsp_cache_put(*state, slot, "one", 3, &kept);
	assert_int_equal(get(*state, 1, 7, &slot, "one"), OCSP_FOUND);
}

static void *
waiter_main(void *arg)
{
	struct ocsp_slot *slot;

	return (void *)(uintptr_t)get(arg, 1, 7, &slot, "one");
}

static void
others_wait_for_the_one_who_makes_it(void **state)
{
	struct ocsp_slot *slot;
	pthread_t waiters[4];
	void *found;

	assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
	for (size_t i = 0; i < N(waiters); i++)
		assert_int_equal(pthread_create(&waiters[i], NULL, waiter_main, *state), 0);
	ocsp_cache_put(*state, slot, "one", 3, &kept);
	for (size_t i = 0; i < N(waiters); i++) {
		(void)pthread_join(waiters[i], &found);
		assert_int_equal((uintptr_t)found, OCSP_FOUND);
	}
}

static void
they_do_not_wait_for_ever(void **state)
{
	struct ocsp_slot *slot, *none;

	assert_int_equal(get(*state, 1, 7, &slot, NULL), OCSP_MAKE);
	assert_int_equal(get(*state, 1, 7, &none, NULL), OCSP_BUSY);
	assert_null(none);
	ocsp_cache_put(*state, slot, NULL, 0, NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(an_answer_is_found_by_its_whole_key),
		T(whoever_comes_to_a_taken_place_takes_it_over),
		T(a_place_where_something_is_made_is_no_place_for_another),
		T(what_could_not_be_made_is_made_by_the_next),
		T(others_wait_for_the_one_who_makes_it),
		T(they_do_not_wait_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
