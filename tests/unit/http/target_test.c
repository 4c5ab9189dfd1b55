/*
 * target_test.c - request targets and form fields.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "http/server.h"
#include "http/target.h"

static void
targets_split_into_path_and_query(void **state)
{
	static const struct {
		const char *target, *origin, *path, *query; /* path NULL: refused */
	} rows[] = {
		{ "/", "/", "/", "" },
		{ "/scep/wifi?operation=GetCACaps", "/scep/wifi?operation=GetCACaps", "/scep/wifi",
		    "operation=GetCACaps" },
		{ "/a?", "/a?", "/a", "" },
		{ "/a?b?c=/d", "/a?b?c=/d", "/a", "b?c=/d" },
		{ "/%41%2f%20b", "/%41%2f%20b", "/A/ b", "" },
		{ "/a+b", "/a+b", "/a+b", "" },
		{ "//a//b/", "//a//b/", "//a//b/", "" },
		{ "/...", "/...", "/...", "" },
		{ "/.a/a./b..c", "/.a/a./b..c", "/.a/a./b..c", "" },
		{ "http://h/p?q", "/p?q", "/p", "q" },
		{ "HTTPS://[::1]:8/p", "/p", "/p", "" },
		{ "http://h", "/", "/", "" },
		{ "http://h?q", "?q", "/", "q" },
		{ "*", "*", "*", "" },
		{ "/a?q=%zz%00", "/a?q=%zz%00", "/a", "q=%zz%00" }, /* the query is given raw */
		{ "a", NULL, NULL, NULL },
		{ "*a", NULL, NULL, NULL },
		{ "http:///p", NULL, NULL, NULL },
		{ "http://", NULL, NULL, NULL },
		{ "ftp://h/p", NULL, NULL, NULL },
		{ "/a#b", NULL, NULL, NULL },
		{ "/%", NULL, NULL, NULL },
		{ "/%1", NULL, NULL, NULL },
		{ "/%1g", NULL, NULL, NULL },
		{ "/%00", NULL, NULL, NULL },
		{ "/%0a", NULL, NULL, NULL },
		{ "/%7f", NULL, NULL, NULL },
		{ "/.", NULL, NULL, NULL },
		{ "/..", NULL, NULL, NULL },
		{ "/../a", NULL, NULL, NULL },
		{ "/a/./b", NULL, NULL, NULL },
		{ "/a/%2e./b", NULL, NULL, NULL },
		{ "/a%2f..%2fb", NULL, NULL, NULL },
	};
	const char *origin, *query, *why;
	char path[64];
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		why = http_target_split(rows[i].target, &origin, path, &query);
		if ((why == NULL) != (rows[i].path != NULL))
			print_error("%s: %s\n", rows[i].target, why != NULL ? why : "let in");
		assert_int_equal(why == NULL, rows[i].path != NULL);
		if (why != NULL)
			continue;
		assert_string_equal(origin, rows[i].origin);
		assert_string_equal(path, rows[i].path);
		assert_string_equal(query, rows[i].query);
	}
}

static void
form_fields_are_found_and_decoded(void **state)
{
	static const struct {
		const char *form, *name;
		bool plus;
		const char *value; /* NULL: absent */
	} rows[] = {
		{ "operation=GetCACaps&message=", "operation", false, "GetCACaps" },
		{ "operation=GetCACaps&message=", "message", false, "" },
		{ "operation=GetCACaps", "message", false, NULL },
		{ "", "message", false, NULL },
		{ "message", "message", false, "" },
		{ "a=1&a=2", "a", false, "1" },
		{ "aa=1&a=2", "a", false, "2" },
		{ "a=b=c", "a", false, "b=c" },
		{ "&&a=1", "a", false, "1" },
		{ "m=a+b/c%3D", "m", false, "a+b/c=" },
		{ "m=a+b%2Bc", "m", true, "a b+c" },
		{ "m=%0A", "m", false, "\n" },
		{ "M=x", "m", false, NULL },
		{ "a=%zz&b=1", "b", false, "1" },
	};
	struct err err;
	char *value;
	size_t i, len;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(http_form_get(&value, &len, rows[i].form, strlen(rows[i].form),
				     rows[i].name, rows[i].plus, &err),
		    RC_OK);
		assert_int_equal(value != NULL, rows[i].value != NULL);
		if (value != NULL) {
			assert_string_equal(value, rows[i].value);
			assert_int_equal(len, strlen(rows[i].value));
		}
		free(value);
	}
}

static void
broken_escapes_and_nul_are_refused(void **state)
{
	static const char *const rows[] = { "a=%", "a=%4", "a=%4&b", "a=%zz", "a=%00", "a=x%0",
		"a=%-1" };
	struct err err;
	char *value;
	size_t i, len;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(
		    http_form_get(&value, &len, rows[i], strlen(rows[i]), "a", true, &err),
		    RC_PARSE);
		assert_null(value);
	}
	assert_int_equal(http_form_get(&value, &len, "a=x\0y", 5, "a", true, &err), RC_PARSE);
}

/* The form is given with a length and without a NUL behind it. */
static void
no_prefix_of_a_form_is_read_past(void **state)
{
	static const char form[] = "a=%41%42&bb=c+d&message=%2b%20";
	char *copy, *value;
	size_t n, len;

	for (n = 0; n < sizeof form; n++) {
		copy = malloc(n > 0 ? n : 1);
		assert_non_null(copy);
		memcpy(copy, form, n);
		if (http_form_get(&value, &len, copy, n, "message", true, NULL) == RC_OK)
			free(value);
		if (http_form_get(&value, &len, copy, n, "a", true, NULL) == RC_OK)
			free(value);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_split_into_path_and_query),
		cmocka_unit_test(form_fields_are_found_and_decoded),
		cmocka_unit_test(broken_escapes_and_nul_are_refused),
		cmocka_unit_test(no_prefix_of_a_form_is_read_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
