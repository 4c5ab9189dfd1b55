/*
 * etag_test.c - If-None-Match: a cache is told that it has what it has, and never that it has what it has not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/etag.h"

#define OURS "\"1f-67a\""

static void
a_list_has_our_tag_or_not(void **state)
{
	static const struct {
		const char *field;
		bool has;
	} rows[] = {
		{ "\"1f-67a\"", true },
		{ "*", true },
		{ "W/\"1f-67a\"", true }, /* 8.8.3.2: weakly the same */
		{ "\"a\", \"1f-67a\"", true },
		{ "\"a\",W/\"b\" ,\t\"1f-67a\" , \"c\"", true },
		{ ",,\"1f-67a\",", true },      /* 5.6.1.2: empty elements */
		{ "\"a,\", \"1f-67a\"", true }, /* a comma may be in a tag */
		{ "", false },
		{ "\"a\"", false },
		{ "1f-67a", false },
		{ "\"1f-67\"", false },
		{ "\"1f-67a", false },
		{ "1f-67a\"", false },
		{ "\"x1f-67a\"", false },
		{ "\"1F-67A\"", false },
		{ "w/\"1f-67a\"", false }, /* case counts */
		{ "W \"1f-67a\"", false },
		{ "* ", false },
		{ "*, \"1f-67a\"", false },
		/* Our tag is in the text, and is none of the list's. */
		{ "\"a\"1f-67a\"", false },
		{ "\"a\" \"1f-67a\"", false },
		{ "\"a\"\"1f-67a\"", false },
		{ "x, \"1f-67a\"", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (http_etag_listed(rows[i].field, OURS) != rows[i].has)
			fail_msg("%s", rows[i].field);
}

/* Who is told that he has it has named it. */
static void
each_prefix_and_bit_flip_of_a_list_names_our_tag_or_has_not_got_it(void **state)
{
	static const char text[] = "W/\"a,b\", \"1f-67a\", \"c\"";
	char copy[sizeof(text)];

	for (size_t n = 0; n < sizeof(text); n++) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		assert_int_equal(http_etag_listed(copy, OURS), n >= strlen("W/\"a,b\", " OURS));
	}
	for (size_t n = 0; n < (sizeof(text) - 1) * 8; n++) {
		memcpy(copy, text, sizeof(text));
		copy[n / 8] ^= (char)(1 << n % 8);
		if (http_etag_listed(copy, OURS))
			assert_non_null(strstr(copy, OURS));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_has_our_tag_or_not),
		cmocka_unit_test(
		    each_prefix_and_bit_flip_of_a_list_names_our_tag_or_has_not_got_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
