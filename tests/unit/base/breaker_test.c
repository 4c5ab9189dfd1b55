/*
 * breaker_test.c - the circuit breaker by itself, with a clock and dice of the test's.
 */
#include "unit.h"

#include "base/breaker.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint32_t dice;

static uint32_t
loaded_dice(void)
{
	return dice;
}

static void
make(struct breaker *b, uint32_t face)
{
	assert_true(breaker_init(b));
	dice = face;
	b->dice = loaded_dice;
}

/* One exchange; false: refused. */
static bool
go(struct breaker *b, int64_t now, enum outcome o, long retry_after)
{
	struct breaker_pass pass;
	struct breaker_refusal why;

	if (!breaker_enter(b, now, &pass, &why))
		return false;
	breaker_leave(b, now, &pass, o, retry_after, "no route to host");
	return true;
}

static void
break_it(struct breaker *b, int64_t now, long retry_after)
{
	unsigned i;

	for (i = 0; i < BREAKER_ROW; i++)
		assert_true(go(b, now, OUTCOME_OUTAGE, retry_after));
}

static int64_t
hold_of(struct breaker *b, int64_t now)
{
	struct breaker_pass pass;
	struct breaker_refusal why;

	assert_false(breaker_enter(b, now, &pass, &why));
	return why.wait_ms;
}

static void
outages_open_it_only_in_a_row(void **state)
{
	struct breaker b;
	unsigned i;

	make(&b, 0);
	for (i = 0; i < 3 * BREAKER_ROW; i++)
		assert_true(go(&b, 0, i % BREAKER_ROW == 0 ? OUTCOME_ANSWER : OUTCOME_OUTAGE, -1));
	assert_true(go(&b, 0, OUTCOME_ANSWER, -1));
	/* What proves nothing neither counts nor ends the row. */
	for (i = 0; i < BREAKER_ROW; i++) {
		assert_true(go(&b, 0, OUTCOME_OUTAGE, -1));
		assert_int_equal(go(&b, 0, OUTCOME_NONE, -1), i + 1 < BREAKER_ROW);
	}
	breaker_done(&b);
}

static void
the_hold_grows_and_is_bounded(void **state)
{
	static const struct {
		uint32_t face;
		int64_t ms[7];
	} rows[] = {
		{ 0, { 500, 1000, 2000, 4000, 8000, 15000, 15000 } },
		{ UINT32_MAX, { 1000, 2000, 4000, 8000, 16000, 30000, 30000 } },
	};
	struct breaker b;
	int64_t now;
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		make(&b, rows[i].face);
		now = 1000;
		break_it(&b, now, -1);
		for (k = 0; k < COUNT(rows[i].ms); k++) {
			assert_int_equal(hold_of(&b, now), rows[i].ms[k]);
			now += rows[i].ms[k];
			assert_true(go(&b, now, OUTCOME_OUTAGE, -1));
		}
		now += BREAKER_HOLD_MAX_MS;
		assert_true(go(&b, now, OUTCOME_ANSWER, -1));
		break_it(&b, now, -1);
		assert_int_equal(hold_of(&b, now), rows[i].ms[0]);
		breaker_done(&b);
	}
}

static void
retry_after_sets_the_hold_up_to_a_limit(void **state)
{
	static const struct {
		long asked;
		int64_t ms;
	} rows[] = { { -1, 1000 }, { 0, 1000 }, { 1, 1000 }, { 7, 7000 }, { 300, 300000 },
		{ 301, 300000 }, { INT32_MAX, 300000 } };
	struct breaker b;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		make(&b, UINT32_MAX);
		break_it(&b, 0, rows[i].asked);
		assert_int_equal(hold_of(&b, 0), rows[i].ms);
		breaker_done(&b);
	}
}

static void
half_open_lets_one_probe_through_at_a_time(void **state)
{
	struct breaker b;
	struct breaker_pass probe, other;
	struct breaker_refusal why;

	make(&b, 0);
	break_it(&b, 0, -1);
	assert_false(breaker_enter(&b, 499, &probe, &why));
	assert_int_equal(why.row, BREAKER_ROW);
	assert_string_equal(why.cause, "no route to host");
	assert_true(breaker_enter(&b, 500, &probe, &why));
	assert_false(breaker_enter(&b, 500, &other, &why));
	assert_true(why.wait_ms >= 1);
	/* A probe that proves nothing makes room for the next. */
	breaker_leave(&b, 501, &probe, OUTCOME_NONE, -1, "");
	assert_true(breaker_enter(&b, 502, &probe, &why));
	breaker_leave(&b, 503, &probe, OUTCOME_ANSWER, -1, "");
	assert_true(breaker_enter(&b, 503, &probe, &why));
	assert_true(breaker_enter(&b, 503, &other, &why));
	breaker_done(&b);
}

static void
late_news_from_before_a_change_does_not_count(void **state)
{
	struct breaker_state seen;
	struct breaker b;
	struct breaker_pass late[2];
	struct breaker_refusal why;

	make(&b, 0);
	assert_true(breaker_enter(&b, 0, &late[0], &why));
	assert_true(breaker_enter(&b, 0, &late[1], &why));
	break_it(&b, 0, -1);
	breaker_leave(&b, 1, &late[0], OUTCOME_ANSWER, -1, "");
	breaker_leave(&b, 1, &late[1], OUTCOME_OUTAGE, 300, "late");
	breaker_look(&b, 1, &seen);
	assert_int_equal(seen.circuit, CIRCUIT_OPEN);
	assert_int_equal(seen.retry_ms, 499);
	assert_int_equal(seen.opened, 1);
	breaker_done(&b);
}

static void
a_service_that_moved_begins_anew(void **state)
{
	struct breaker_state seen;
	struct breaker b;

	make(&b, 0);
	break_it(&b, 0, 300);
	breaker_reset(&b);
	breaker_look(&b, 0, &seen);
	assert_int_equal(seen.circuit, CIRCUIT_CLOSED);
	assert_int_equal(seen.row, 0);
	assert_true(go(&b, 0, OUTCOME_OUTAGE, -1));
	assert_true(go(&b, 0, OUTCOME_OUTAGE, -1));
	breaker_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outages_open_it_only_in_a_row),
		cmocka_unit_test(the_hold_grows_and_is_bounded),
		cmocka_unit_test(retry_after_sets_the_hold_up_to_a_limit),
		cmocka_unit_test(half_open_lets_one_probe_through_at_a_time),
		cmocka_unit_test(late_news_from_before_a_change_does_not_count),
		cmocka_unit_test(a_service_that_moved_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
