/* properties_test.c - Microsoft's properties file is read as Java reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail

#include "scepd/properties.h"

static const struct {
	const char *text, *key, *value;
	int line;
} good[] = {
	{ "AAD_APP_ID=abc", "AAD_APP_ID", "abc", 1 },
	{ "# comment\n! another\n\n  TENANT : contoso.com \n", "TENANT", "contoso.com ", 4 },
	{ "A b c", "A", "b c", 1 },
	{ "A\t=\tb", "A", "b", 1 },
	{ "A=", "A", "", 1 },
	{ "A", "A", "", 1 },
	{ "A=b\\\n   c", "A", "bc", 1 },
	{ "A=b\r\n", "A", "b", 1 },
	{ "\xef\xbb\xbf"
	  "A=b\r\n",
	    "A", "b", 1 },
	{ "A=\\u00e9\\u20ac", "A", "\xc3\xa9\xe2\x82\xac", 1 },
	{ "A=\\t\\=\\:\\#", "A", "\t=:#", 1 },
	{ "A=x=y", "A", "x=y", 1 },
	{ "A=caf\xe9", "A", "caf\xc3\xa9", 1 },
	{ "A=caf\xc3\xa9", "A", "caf\xc3\xa9", 1 },
};

static void
each_form_that_java_takes_is_taken(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct properties *p;
		struct err err;
		const char *key, *value;
		int line;

		assert_int_equal(
		    properties_parse(&p, "test", good[i].text, strlen(good[i].text), &err), RC_OK);
		assert_int_equal(properties_count(p), 1);
		properties_get(p, 0, &key, &value, &line);
		assert_string_equal(key, good[i].key);
		assert_string_equal(value, good[i].value);
		assert_int_equal(line, good[i].line);
		properties_free(p);
	}
}

static void
broken_escapes_and_nul_are_errors_with_their_line(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = { { "A=b\nB=\\u12", 10 }, { "A=b\nB=\\uzzzz", 12 }, { "A=b\nB=\\ud800", 12 },
		{ "A=b\nB=x\0y", 9 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct properties *p;
		struct err err;

		assert_int_equal(
		    properties_parse(&p, "test", bad[i].text, bad[i].len, &err), RC_CONFIG);
		assert_memory_equal(err.msg, "test:2: ", 8);
	}
}

static void
no_prefix_and_no_flipped_bit_does_harm(void **state)
{
	char text[] =
	    "AAD_APP_ID=5f1c\nAAD_APP_KEY : se\\u00e9c\\\n  ret\nTENANT contoso\n#x\nA=caf\xe9\n";
	size_t len = sizeof(text) - 1;
	struct properties *p;

	for (size_t n = 0; n <= len; n++)
		if (properties_parse(&p, "test", text, n, NULL) == RC_OK)
			properties_free(p);
	for (size_t bit = 0; bit < len * 8; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		if (properties_parse(&p, "test", text, len, NULL) == RC_OK)
			properties_free(p);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_that_java_takes_is_taken),
		cmocka_unit_test(broken_escapes_and_nul_are_errors_with_their_line),
		cmocka_unit_test(no_prefix_and_no_flipped_bit_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
