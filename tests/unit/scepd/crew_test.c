/*
 * crew_test.c - pieces of work that come round: one that hangs keeps no other waiting, none runs twice at once, all have
 * their turn, and an end is an end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "scepd/crew.h"

#undef fail /* cmocka has its own */
#include <cmocka.h>

#define PIECES 20

/* What each piece has done. */
struct work {
	atomic_uint runs[PIECES], inside[PIECES];
	atomic_bool twice;         /* a piece ran twice at once */
	atomic_bool hangs[PIECES]; /* until this is false again */
	int64_t pause_ms;
};

static void
sleep_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static int64_t
go(void *arg, size_t i, int64_t now_ms, const atomic_bool *stop)
{
	struct work *w = arg;

	if (atomic_fetch_add(&w->inside[i], 1) != 0)
		w->twice = true;
	w->runs[i]++;
	while (w->hangs[i])
		sleep_ms(1);
	atomic_fetch_sub(&w->inside[i], 1);
	return now_ms + w->pause_ms;
}

/* Within a minute. */
static bool
has_run(struct work *w, size_t i, unsigned times)
{
	for (int n = 0; n < 60000 && w->runs[i] < times; n++)
		sleep_ms(1);
	return w->runs[i] >= times;
}

static struct crew *
started(struct work *w, size_t parts, size_t threads)
{
	struct crew *c = NULL;
	struct err err;

	assert_int_equal(crew_start(&c, parts, threads, go, w, &err), RC_OK);
	return c;
}

static void
a_piece_that_hangs_keeps_no_other_waiting(void **state)
{
	struct work w = { .pause_ms = 1 };
	struct crew *c;

	(void)state;
	w.hangs[0] = w.hangs[1] = true;
	c = started(&w, 4, 8);
	assert_true(has_run(&w, 2, 5));
	assert_true(has_run(&w, 3, 5));
	assert_true(has_run(&w, 0, 1) && has_run(&w, 1, 1));
	assert_int_equal(w.runs[0], 1);
	assert_int_equal(w.runs[1], 1);
	w.hangs[0] = false;
	assert_true(has_run(&w, 0, 2));
	w.hangs[1] = false;
	crew_free(c);
	assert_false(w.twice);
}

static void
more_pieces_than_threads_have_their_turns(void **state)
{
	struct work w = { .pause_ms = 1 };
	struct crew *c;

	(void)state;
	/* All threads but one hang. */
	w.hangs[5] = w.hangs[6] = true;
	c = started(&w, PIECES, 3);
	for (size_t i = 0; i < PIECES; i++)
		assert_true(has_run(&w, i, i == 5 || i == 6 ? 1 : 3));
	w.hangs[5] = w.hangs[6] = false;
	crew_free(c);
	assert_false(w.twice);
}

static void
each_comes_when_it_is_due_or_woken(void **state)
{
	struct work w = { .pause_ms = 3600000 };
	struct crew *c;

	(void)state;
	c = started(&w, 3, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(has_run(&w, i, 1));
	sleep_ms(50);
	assert_int_equal(w.runs[0] + w.runs[1] + w.runs[2], 3);
	crew_wake(c);
	for (size_t i = 0; i < 3; i++)
		assert_true(has_run(&w, i, 2));
	/* One that is under way comes again after it. */
	w.hangs[1] = true;
	crew_wake(c);
	assert_true(has_run(&w, 1, 3));
	crew_wake(c);
	w.hangs[1] = false;
	assert_true(has_run(&w, 1, 4));
	crew_free(c);
	assert_false(w.twice);
}

static void
an_end_waits_for_what_is_under_way_and_begins_nothing(void **state)
{
	struct work w = { .pause_ms = 0 };
	struct crew *c;
	unsigned n;

	(void)state;
	c = started(&w, 2, 2);
	assert_true(has_run(&w, 1, 2));
	crew_stop(c);
	crew_free(c);
	n = w.runs[0] + w.runs[1];
	sleep_ms(20);
	assert_int_equal(w.runs[0] + w.runs[1], n);
	assert_int_equal(w.inside[0] + w.inside[1], 0);
	/* Without pieces there is nobody to wait for. */
	c = started(&w, 0, 8);
	crew_wake(c);
	crew_free(c);
	crew_stop(NULL);
	crew_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_that_hangs_keeps_no_other_waiting),
		cmocka_unit_test(more_pieces_than_threads_have_their_turns),
		cmocka_unit_test(each_comes_when_it_is_due_or_woken),
		cmocka_unit_test(an_end_waits_for_what_is_under_way_and_begins_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
