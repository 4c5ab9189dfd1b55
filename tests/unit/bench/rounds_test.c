/* rounds_test.c - what is measured in turns is added up where it belongs, and related. */
#include "../ossl/fixture.h"

#include <math.h>
#include <string.h>

#include "bench/rounds.h"

#define NEAR(a, b) (fabs((a) - (b)) < 1e-9)

/* n enrolments of `ms` of CPU each, so many a second. */
static struct measured
figures(size_t n, double ms, double per_second, uint64_t p99_us)
{
	struct measured m = { .n = n,
		.warm = 2,
		.concurrency = 8,
		.answered = n,
		.elapsed = (double)n / per_second,
		.per_second = per_second,
		.p50_us = p99_us / 2,
		.p99_us = p99_us,
		.max_us = 2 * p99_us,
		.has_usage = true };

	m.verdict.ok = n + m.warm;
	m.used.user = (double)n * ms / 1e3 * 0.75;
	m.used.system = (double)n * ms / 1e3 * 0.25;
	m.used.rss = p99_us;
	return m;
}

static void
both_modes_get_as_many_requests_and_their_middle_is_the_same(void **state)
{
	static const size_t counts[] = { 1, 2, 5000, 5001 };

	for (size_t k = 0; k < N(counts); k++) {
		size_t n[MODE__MAX] = { 0 }, places[MODE__MAX] = { 0 };
		struct rounds r;

		rounds_plan(&r, true, counts[k]);
		for (size_t i = 0; i < r.n; i++) {
			assert_true(r.v[i].count > 0);
			n[r.v[i].mode] += r.v[i].count;
			places[r.v[i].mode] += i;
		}
		assert_int_equal(n[MODE_SEPARATE], n[MODE_SINGLE]);
		assert_int_equal(n[MODE_SEPARATE], counts[k] + counts[k] % 2);
		assert_int_equal(places[MODE_SEPARATE], places[MODE_SINGLE]);
	}
}

static void
without_a_comparison_all_requests_go_to_three_processes(void **state)
{
	struct separation s;
	struct rounds r;
	struct measured a, b;

	rounds_plan(&r, false, 5001);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].mode, MODE_SEPARATE);
	assert_int_equal(r.v[0].count, 5001);
	r.v[r.done++].m = figures(5001, 1.5, 500, 40000);
	rounds_sum(&a, &r, MODE_SEPARATE);
	rounds_sum(&b, &r, MODE_SINGLE);
	assert_int_equal(a.n, 5001);
	assert_int_equal(b.n, 0);
	assert_true(measured_all_ok(&b));
	assert_false(separation_of(&s, &a, &b));
}

static void
a_machine_that_gets_slower_steadily_harms_both_alike(void **state)
{
	static const double slower[ROUNDS_MAX] = { 1.0, 1.1, 1.2, 1.3 };
	static const double cost[MODE__MAX] = { 1.04, 1.0 };
	struct measured a, b;
	struct separation s;
	struct rounds r;

	rounds_plan(&r, true, 2000);
	for (; r.done < r.n; r.done++) {
		double ms = slower[r.done] * cost[r.v[r.done].mode];

		r.v[r.done].m = figures(r.v[r.done].count, ms, 1000 / ms, 1000);
	}
	rounds_sum(&a, &r, MODE_SEPARATE);
	rounds_sum(&b, &r, MODE_SINGLE);
	assert_true(separation_of(&s, &a, &b));
	assert_true(NEAR(s.cpu, 1.04));
	assert_true(NEAR(s.throughput, 1 / 1.04));
}

static void
rounds_are_added_up_and_of_times_the_largest_counts(void **state)
{
	struct measured m;
	struct rounds r;

	rounds_plan(&r, true, 200);
	r.v[0].m = figures(100, 1, 100, 7000);
	r.v[1].m = figures(100, 9, 10, 90000);
	r.v[2].m = figures(100, 9, 10, 90000);
	r.v[3].m = figures(100, 3, 300, 5000);
	r.v[3].m.verdict.ok--;
	strcpy(r.v[3].m.verdict.first_fault, "no answer came");
	r.done = r.n;
	rounds_sum(&m, &r, MODE_SEPARATE);
	assert_int_equal(m.n, 200);
	assert_int_equal(m.warm, 4);
	assert_int_equal(m.concurrency, 8);
	assert_int_equal(m.p50_us, 3500);
	assert_int_equal(m.p99_us, 7000);
	assert_int_equal(m.max_us, 14000);
	assert_int_equal(m.used.rss, 7000);
	assert_true(NEAR(m.per_second, 150)); /* 200 in 1 + 1/3 s */
	assert_true(NEAR(measured_cpu(&m), 0.002));
	assert_int_equal(m.verdict.ok, 203);
	assert_string_equal(m.verdict.first_fault, "no answer came");
	assert_false(measured_all_ok(&m));
}

static void
what_was_not_measured_has_no_ratio(void **state)
{
	struct measured some = figures(100, 1, 100, 1000), none = { .n = 0 },
			idle = figures(100, 0, 100, 1000);
	struct separation s;

	assert_false(separation_of(&s, &some, &none));
	assert_false(separation_of(&s, &none, &some));
	assert_false(separation_of(&s, &some, &idle));
	assert_true(separation_of(&s, &some, &some));
	assert_true(NEAR(s.cpu, 1) && NEAR(s.throughput, 1));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_modes_get_as_many_requests_and_their_middle_is_the_same),
		cmocka_unit_test(without_a_comparison_all_requests_go_to_three_processes),
		cmocka_unit_test(a_machine_that_gets_slower_steadily_harms_both_alike),
		cmocka_unit_test(rounds_are_added_up_and_of_times_the_largest_counts),
		cmocka_unit_test(what_was_not_measured_has_no_ratio),
	};

	return cmocka_run_group_tests_name("bench/rounds", tests, NULL, NULL);
}
