/*
 * token_start_test.c - a PKCS#11 library that does not start at once.
 */
#include "fixture.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ossl/key_source.h"
#include "ossl/token.h"

static const char *module;
static CK_RV *code;
static unsigned *times, *starts;

static int
start(void **state)
{
	void *dl = dlopen(module, RTLD_NOW | RTLD_LOCAL);

	assert_non_null(dl);
	code = dlsym(dl, "late_code");
	times = dlsym(dl, "late_times");
	starts = dlsym(dl, "late_starts");
	assert_true(code != NULL && times != NULL && starts != NULL);
	return 0;
}

static void
fails(CK_RV with, unsigned so_often)
{
	*code = with;
	*times = so_often;
	*starts = 0;
}

static void
one_that_fails_for_a_moment_is_started_again(void **state)
{
	struct err err = { 0 };

	fails(CKR_GENERAL_ERROR, 3);
	assert_ok(key_tokens_open(module, &err), err);
	assert_int_equal(*starts, 4);
	key_tokens_close();
}

static void
one_that_goes_on_failing_is_given_up(void **state)
{
	int64_t begin = clock_mono_ms();
	struct err err = { 0 };

	fails(CKR_GENERAL_ERROR, 1000000);
	assert_int_equal(key_tokens_open(module, &err), RC_TIMEOUT);
	assert_true(clock_mono_ms() - begin >= 3000);
	assert_in_range(*starts, 2, 31);
	assert_non_null(strstr(err.msg, "does not start: CKR_GENERAL_ERROR"));
	assert_non_null(strstr(err.hint, "pkcs11.paths"));
}

static void
one_that_no_other_try_would_help_is_not_tried_again(void **state)
{
	struct err err = { 0 };

	fails(CKR_ARGUMENTS_BAD, 1);
	assert_int_equal(key_tokens_open(module, &err), RC_TIMEOUT);
	assert_int_equal(*starts, 1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_fails_for_a_moment_is_started_again),
		cmocka_unit_test(one_that_goes_on_failing_is_given_up),
		cmocka_unit_test(one_that_no_other_try_would_help_is_not_tried_again),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: token_start_test MODULE\n");
		return 64;
	}
	module = argv[1];
	return cmocka_run_group_tests(tests, start, NULL);
}
