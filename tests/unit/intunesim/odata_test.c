/*
 * odata_test.c - query options: what is understood, what is refused, and what a filter lets through.
 */
#include "intunesim/odata.h"

#include <stdlib.h>
#include <string.h>

#include "kit.h"

static void
what_lookups_ask_is_understood(void **state)
{
	struct odata_query q;
	struct err err;

	assert_ok(
	    odata_parse(&q,
		"$filter=deviceId%20eq%20'9A7B'&$select=id,deviceId,accountEnabled&$top=5", &err),
	    err);
	assert_int_equal(q.n_terms, 1);
	assert_string_equal(q.terms[0].name, "deviceId");
	assert_string_equal(q.terms[0].text, "9A7B");
	assert_int_equal(q.terms[0].type, ODATA_STRING);
	assert_int_equal(q.n_select, 3);
	assert_string_equal(q.select[2], "accountEnabled");
	assert_int_equal(q.top, 5);

	assert_ok(
	    odata_parse(&q, "%24filter=a+eq+true+and+b%20ne%20null&select=x,%20y", &err), err);
	assert_int_equal(q.n_terms, 2);
	assert_int_equal(q.terms[0].type, ODATA_BOOL);
	assert_true(q.terms[0].yes);
	assert_true(q.terms[1].negated);
	assert_int_equal(q.terms[1].type, ODATA_NULL);
	assert_int_equal(q.n_select, 2);

	assert_ok(odata_parse(&q, "$skiptoken=abc&$deltatoken=def", &err), err);
	assert_string_equal(q.skip_token, "abc");
	assert_string_equal(q.delta_token, "def");
	assert_ok(odata_parse(&q, "", &err), err);
	assert_int_equal(q.n_terms + q.n_select + q.top, 0);
}

static void
a_quote_in_a_value_is_doubled(void **state)
{
	struct odata_query q;
	struct err err;

	assert_ok(odata_parse(&q, "$filter=upn%20eq%20'o''brien''s'", &err), err);
	assert_string_equal(q.terms[0].text, "o'brien's");
	/* ... and one that is not ends the string: no way to break out unseen */
	assert_int_equal(odata_parse(&q, "$filter=upn%20eq%20'o'brien'", &err), RC_PARSE);
}

static void
whatever_is_not_understood_is_refused(void **state)
{
	static const char *const bad[] = {
		"$filter=",
		"$filter",
		"$filter=a",
		"$filter=a%20eq",
		"$filter=a%20eq%20'x",
		"$filter=a%20gt%205",
		"$filter=a%20ge%20'x'",
		"$filter=a%20ge%202026-02-30T00:00:00Z",
		"$filter=a%20ge",
		"$filter=a%20eq%202026-05-28T20:26:40Z",
		"$filter=a%20eq%20'x'%20or%20b%20eq%20'y'",
		"$filter=a%20eq%20'x'%20and",
		"$filter=startswith(a,'x')",
		"$filter=endsWith(a,'x'",
		"$filter=endsWith(a)",
		"$filter=endsWith(a,x)",
		"$filter=endsWith(a,'x')%20eq%20true",
		"$filter=endsWith",
		"$count=",
		"$count=1",
		"$filter=a%20eq%20bare",
		"$filter=a%20eq%20'x'&$filter=b%20eq%20'y'",
		"$filter=a%20eq%20'x'&filter=b%20eq%20'y'",
		"$filter=%zz",
		"$filter=a%20eq%20'%00'",
		"$select=",
		"$select=a,",
		"$select=a;b",
		"$top=0",
		"$top=1000",
		"$top=-1",
		"$top=5x",
		"$top=",
		"$skiptoken=",
		"$expand=members",
		"$orderby=a",
		"x=y",
		"$filter=a%20eq%20'1'%20and%20a%20eq%20'1'%20and%20a%20eq%20'1'%20and%20a%20eq%20'"
		"1'%20"
		"and%20a%20eq%20'1'%20and%20a%20eq%20'1'%20and%20a%20eq%20'1'%20and%20a%20eq%20'1'%"
		"20and"
		"%20a%20eq%20'1'",
	};
	struct odata_query q = { .top = 77 };
	struct err err;

	for (size_t i = 0; i < N(bad); i++) {
		if (odata_parse(&q, bad[i], &err) == RC_OK)
			fail_msg("taken: %s", bad[i]);
		assert_true(err.msg[0] != '\0');
		assert_int_equal(q.top, 77); /* written on success only */
	}
}

static void
too_much_is_refused(void **state)
{
	char *text = malloc(ODATA_QUERY_MAX + 2);
	struct odata_query q;
	struct err err;

	memset(text, '&', ODATA_QUERY_MAX + 1);
	text[ODATA_QUERY_MAX + 1] = '\0';
	assert_int_equal(odata_parse(&q, text, &err), RC_LIMIT);
	strcpy(text, "$select=");
	for (int i = 0; i <= ODATA_SELECT_MAX; i++)
		strcat(text, i == 0 ? "a" : ",a");
	assert_int_equal(odata_parse(&q, text, &err), RC_LIMIT);
	strcpy(text, "$skiptoken=");
	memset(text + 11, 'x', ODATA_VALUE_MAX);
	text[11 + ODATA_VALUE_MAX] = '\0';
	assert_int_equal(odata_parse(&q, text, &err), RC_PARSE);
	free(text);
}

static bool
matches(const char *filter, const json_t *object)
{
	struct odata_query q;
	struct err err;

	assert_ok(odata_parse(&q, filter, &err), err);
	return odata_match(&q, object);
}

static void
a_filter_lets_through_what_it_says(void **state)
{
	json_t *o =
	    json_pack("{s:s, s:b, s:n, s:i}", "upn", "Jane@Contoso.com", "on", 1, "sid", "n", 5);

	assert_true(matches("$filter=upn%20eq%20'jane@contoso.COM'", o));
	assert_false(matches("$filter=upn%20eq%20'jane'", o));
	assert_true(matches("$filter=upn%20ne%20'jane'", o));
	assert_true(matches("$filter=on%20eq%20true", o));
	assert_false(matches("$filter=on%20eq%20false", o));
	assert_false(matches("$filter=on%20eq%20'true'", o));
	assert_true(matches("$filter=sid%20eq%20null", o));
	assert_false(matches("$filter=sid%20ne%20null", o));
	assert_false(matches("$filter=n%20eq%20'5'", o));
	assert_false(matches("$filter=on%20eq%20true%20and%20sid%20ne%20null", o));
	assert_true(matches("$filter=endsWith(upn,'@contoso.com')", o));
	assert_true(matches("$filter=endswith(%20upn%20,%20'jane@contoso.com'%20)", o));
	assert_false(matches("$filter=endsWith(upn,'jane')", o));
	assert_false(matches("$filter=endsWith(sid,'')", o));
	assert_false(matches("$filter=endsWith(upn,'com')%20and%20on%20eq%20false", o));
	assert_true(matches("", o));
	json_decref(o);
}

static void
times_compare_as_times(void **state)
{
	json_t *o =
	    json_pack("{s:s, s:n, s:s}", "at", "2026-05-28T20:26:40.5Z", "never", "odd", "x");

	assert_true(matches("$filter=at%20ge%202026-05-28T20:26:40Z", o));
	assert_true(matches("$filter=at%20le%202026-05-28T20%3A26%3A40Z", o));
	assert_false(matches("$filter=at%20gt%202026-05-28T20:26:40Z", o));
	assert_false(matches("$filter=at%20lt%202026-05-28T20:26:40Z", o));
	assert_true(matches("$filter=at%20gt%202026-05-28T23:26:39%2B03:00", o));
	assert_true(matches("$filter=at%20ge%202026-05-28T20:26:40Z%20and%20never%20eq%20null", o));
	assert_false(matches("$filter=never%20ge%202026-05-28T20:26:40Z", o));
	assert_false(matches("$filter=odd%20lt%202026-05-28T20:26:40Z", o));
	json_decref(o);
}

static void
unknown_properties_are_named(void **state)
{
	json_t *model = json_pack("{s:s, s:s}", "id", "", "upn", "");
	struct odata_query q;
	struct err err;

	assert_ok(odata_parse(&q, "$filter=upn%20eq%20'x'&$select=id", &err), err);
	assert_ok(odata_check(&q, model, "microsoft.graph.user", &err), err);
	assert_ok(odata_parse(&q, "$filter=nope%20eq%20'x'", &err), err);
	assert_int_equal(odata_check(&q, model, "microsoft.graph.user", &err), RC_PARSE);
	assert_non_null(strstr(err.msg, "'nope'"));
	assert_ok(odata_parse(&q, "$select=id,nope", &err), err);
	assert_int_equal(odata_check(&q, model, "microsoft.graph.user", &err), RC_PARSE);
	json_decref(model);
}

static void
selection_keeps_what_was_asked_for(void **state)
{
	static const char *const dflt[] = { "b", NULL };
	json_t *o =
	    json_pack("{s:s, s:s, s:s, s:s}", "@odata.type", "t", "id", "1", "a", "x", "b", "y");
	struct odata_query q;
	struct err err;
	json_t *got;

	assert_ok(odata_parse(&q, "$select=a", &err), err);
	got = odata_select(&q, o, dflt);
	assert_int_equal(json_object_size(got), 3);
	assert_non_null(json_object_get(got, "a"));
	json_decref(got);
	assert_ok(odata_parse(&q, "", &err), err);
	got = odata_select(&q, o, dflt);
	assert_null(json_object_get(got, "a"));
	assert_non_null(json_object_get(got, "b"));
	json_decref(got);
	got = odata_select(&q, o, NULL);
	assert_int_equal(json_object_size(got), 4);
	json_decref(got);
	json_decref(o);
}

static void
every_prefix_and_bit_flip_is_survived(void **state)
{
	static const char text[] =
	    "$filter=upn%20eq%20'o''b'%20and%20on%20ne%20true&$select=id,upn&$top=5&$skiptoken=ab";
	struct odata_query q;
	char copy[sizeof(text)];
	struct err err;

	for (size_t n = 0; n < sizeof(text); n++) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		(void)(odata_parse(&q, copy, &err) == RC_OK);
	}
	for (size_t bit = 0; bit < (sizeof(text) - 1) * 8; bit++) {
		memcpy(copy, text, sizeof(text));
		copy[bit / 8] ^= (char)(1 << bit % 8);
		if (odata_parse(&q, copy, &err) == RC_OK) {
			assert_true(q.n_terms <= ODATA_TERMS_MAX);
			assert_true(q.n_select <= ODATA_SELECT_MAX);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lookups_ask_is_understood),
		cmocka_unit_test(a_quote_in_a_value_is_doubled),
		cmocka_unit_test(whatever_is_not_understood_is_refused),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(a_filter_lets_through_what_it_says),
		cmocka_unit_test(times_compare_as_times),
		cmocka_unit_test(unknown_properties_are_named),
		cmocka_unit_test(selection_keeps_what_was_asked_for),
		cmocka_unit_test(every_prefix_and_bit_flip_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
