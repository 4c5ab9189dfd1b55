/*
 * process_test.c - how often a process that ends is started again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <cmocka.h>

#undef fail /* cmocka's; ours is base/err.h's */

#include "base/clock.h"
#include "scepd/process.h"

#define EXITED(code) ((code) << 8) /* as waitpid() tells it */

static void
who_ends_again_and_again_is_given_up(void **state)
{
	struct process p;

	process_init(&p, "signer", false);
	for (unsigned i = 1; i <= PROCESS_FAILURES_MAX; i++) {
		process_ended(&p, EXITED(EX_SOFTWARE), true);
		assert_int_equal(p.failures, i);
	}
	assert_in_range(process_start_in(&p, clock_mono_ms()), 20000, 30000);
}

/* A token that is not there may be put back tomorrow. */
static void
who_waits_for_something_is_tried_without_an_end(void **state)
{
	struct process p;

	process_init(&p, "signer", false);
	for (unsigned i = 0; i < 100; i++) {
		process_ended(&p, EXITED(EX_TEMPFAIL), true);
		assert_in_range(p.failures, 1, PROCESS_FAILURES_MAX - 1);
		assert_true(process_start_in(&p, clock_mono_ms()) <= 30000);
	}
	assert_in_range(process_start_in(&p, clock_mono_ms()), 20000, 30000);
}

static void
exit_codes_are_those_of_a_shell(void **state)
{
	assert_int_equal(process_exit_code(EXITED(78)), 78);
	assert_int_equal(process_exit_code(9), 137);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_ends_again_and_again_is_given_up),
		cmocka_unit_test(who_waits_for_something_is_tried_without_an_end),
		cmocka_unit_test(exit_codes_are_those_of_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
