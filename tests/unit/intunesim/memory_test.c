/*
 * memory_test.c - the bounded memories, and many threads at once.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "intunesim/memo.h"

#include "kit.h"

static void
make_key(uint8_t key[static MEMO_KEY], uint32_t i)
{
	assert_int_equal(digest_bytes(key, DIGEST_SHA256, &i, sizeof(i), NULL), RC_OK);
}

static void
memo_gives_back_what_was_put(void **state)
{
	uint8_t a[MEMO_KEY], b[MEMO_KEY];
	struct memo *m;
	struct buf out;
	struct err e;

	(void)state;
	make_key(a, 1);
	make_key(b, 2);
	buf_init(&out, 64);
	assert_ok(memo_new(&m, &e), e);
	assert_false(memo_get(m, a, &out));
	memo_put(m, a, "one", 3);
	assert_true(memo_get(m, a, &out));
	assert_string_equal(buf_str(&out), "one");
	assert_false(memo_get(m, b, &out));
	memo_put(m, a, "uno", 3);
	buf_reset(&out);
	assert_true(memo_get(m, a, &out));
	assert_string_equal(buf_str(&out), "uno");
	memo_free(m);
	buf_done(&out);
}

/* Far more than it holds: it stays as large as it is, and the newest is always there. */
static void
memo_forgets_the_oldest(void **state)
{
	uint8_t key[MEMO_KEY];
	size_t kept = 0;
	struct memo *m;
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_ok(memo_new(&m, &e), e);
	for (uint32_t i = 0; i < 50000; i++) {
		make_key(key, i);
		memo_put(m, key, &i, sizeof(i));
		buf_reset(&out);
		assert_true(memo_get(m, key, &out));
	}
	for (uint32_t i = 0; i < 50000; i++) {
		make_key(key, i);
		kept += memo_get(m, key, &out);
		buf_reset(&out);
	}
	assert_in_range(kept, 12000, 16384);
	memo_free(m);
	buf_done(&out);
}

static void
spent_is_spent_until_it_would_expire_anyway(void **state)
{
	uint8_t a[MEMO_KEY], b[MEMO_KEY];
	struct spent *s;
	struct err e;

	(void)state;
	make_key(a, 1);
	make_key(b, 2);
	assert_ok(spent_new(&s, &e), e);
	assert_true(spent_take(s, a, 1000, 2000));
	assert_false(spent_take(s, a, 1000, 2000));
	assert_false(spent_take(s, a, 2000, 2000));
	assert_true(spent_take(s, b, 1000, 2000));
	assert_true(spent_take(s, a, 2001, 3000));
	spent_free(s);
}

#define THREADS 6
#define ROUNDS  25

struct worker {
	pthread_t thread;
	const struct kit *k;
	const struct buf *der;
	atomic_uint *good;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct answer a;

	for (int i = 0; i < ROUNDS; i++) {
		validate_csr(&a, w->k, NULL, w->der);
		if (strcmp(answer_code(&a), "Success") == 0)
			atomic_fetch_add(w->good, 1);
		answer_done(&a);
		post(&a, w->k, "/sim/devices/win-1/checkin", "");
		answer_done(&a);
		get(&a, w->k, i % 2 == 0 ? "/sim/report" : "/sim/requests", NULL);
		answer_done(&a);
	}
	return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device"), *row;
	struct worker w[THREADS];
	atomic_uint good = 0;
	struct buf der;

	buf_init(&der, 1 << 18);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	for (size_t i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .k = k, .der = &der, .good = &good };
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	assert_int_equal(good, THREADS * ROUNDS);
	row = kit_report_row(k, "win-1", "Device");
	assert_int_equal(
	    json_integer_value(json_object_get(row, "challenges")), THREADS * ROUNDS + 1);
	json_decref(row);
	buf_done(&der);
	json_decref(scep);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(memo_gives_back_what_was_put),
		cmocka_unit_test(memo_forgets_the_oldest),
		cmocka_unit_test(spent_is_spent_until_it_would_expire_anyway),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
