/*
 * eku_test.c - names of extended key usages.
 */
#include "ossl/eku.h"

#include <string.h>

#undef fail
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
every_name_leads_to_its_oid_and_back(void **state)
{
	const char *oid;
	size_t i;

	for (i = 0; eku_name_at(i) != NULL; i++) {
		oid = eku_oid(eku_name_at(i));
		assert_non_null(oid);
		assert_string_equal(eku_oid(eku_name(oid)), oid);
	}
	assert_true(i > 10);
	assert_string_equal(eku_oid("CLIENTauth"), "1.3.6.1.5.5.7.3.2");
	assert_string_equal(eku_name("1.3.6.1.5.5.7.3.17"), "ipsecIKE");
}

static void
one_usage_may_have_two_names_and_shows_the_first(void **state)
{
	assert_string_equal(eku_oid("anyPurpose"), eku_oid("anyExtendedKeyUsage"));
	assert_string_equal(eku_name("2.5.29.37.0"), "anyExtendedKeyUsage");
}

static void
what_is_unknown_has_no_oid_and_is_its_own_name(void **state)
{
	assert_null(eku_oid("clientauthentication"));
	assert_null(eku_oid(""));
	assert_string_equal(eku_name("1.2.3.4"), "1.2.3.4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_leads_to_its_oid_and_back),
		cmocka_unit_test(one_usage_may_have_two_names_and_shows_the_first),
		cmocka_unit_test(what_is_unknown_has_no_oid_and_is_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
