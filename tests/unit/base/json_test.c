/*
 * json_test.c - the JSON door: strict, bounded, and silent about what it read.
 */
#include "unit.h"

#include "base/limits.h"
#include "json/json.h"

static struct err err;

/* Parse NUL-terminated text; NULL when refused. */
static json_t *
parse(const char *text)
{
	json_t *v = NULL;

	return json_parse(&v, text, strlen(text), &err) == RC_OK ? v : NULL;
}

static void
every_kind_of_value_is_read(void **state)
{
	static const char *const good[] = { "{}", "[]", "\"x\"", "1", "-0.5e3", "true", "null",
		" {\"a\" : [1, {\"b\": null}]}\r\n\t", "\"\\u00fc \\ud83d\\ude00\"" };
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		json_t *v = parse(good[i]);

		assert_non_null(v);
		json_decref(v);
	}
}

static void
what_is_not_json_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "'x'",
		"01", "1.", "+1", "NaN", "\"\t\"", "\"\\x\"", "\"\\ud800\"", "{} {}", "{}x",
		"// c\n1", "\"\xff\"", "\"\xc0\x80\"", "\"\\u0000\"", "{\"a\\u0000b\":1}",
		"\xef\xbb\xbf{}", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"b\":1}}",
		"99999999999999999999", "1e999" };
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		assert_null(parse(bad[i]));
		assert_int_equal(err.rc, RC_PARSE);
	}
	assert_int_equal(json_parse(&(json_t *){ NULL }, "1\0", 2, &err), RC_PARSE);
	assert_int_equal(json_parse(&(json_t *){ NULL },
			     "1\0"
			     "2",
			     3, &err),
	    RC_PARSE);
	assert_int_equal(json_parse(&(json_t *){ NULL }, "{\"a\":1\0}", 8, &err), RC_PARSE);
}

static void
the_message_tells_the_place_but_not_the_text(void **state)
{
	assert_null(parse("{\"access_token\": \"sekret\",\n \"sekret\": sekret}"));
	assert_null(strstr(err.msg, "sekret"));
	assert_non_null(strstr(err.msg, "line 2"));
	assert_null(parse("{\"sekret\":1,\"sekret\":2}"));
	assert_null(strstr(err.msg, "sekret"));
	assert_non_null(strstr(err.msg, "a key is given twice"));
}

/* `depth` arrays around nothing. */
static enum rc
parse_nested(size_t depth)
{
	char *text = malloc(2 * depth);
	json_t *v = NULL;
	enum rc rc;

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	rc = json_parse(&v, text, 2 * depth, &err);
	json_decref(v);
	free(text);
	return rc;
}

static void
depth_is_bounded_exactly(void **state)
{
	json_t *v;

	assert_int_equal(parse_nested(LIMIT_JSON_DEPTH), RC_OK);
	assert_int_equal(parse_nested(LIMIT_JSON_DEPTH + 1), RC_LIMIT);
	assert_int_equal(parse_nested(200000), RC_LIMIT);
	/* brackets in strings do not nest */
	v = parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"");
	assert_non_null(v);
	json_decref(v);
}

static void
size_is_bounded_exactly(void **state)
{
	char *text = malloc(LIMIT_JSON + 1);
	json_t *v = NULL;

	memset(text, ' ', LIMIT_JSON + 1);
	text[0] = '1';
	assert_int_equal(json_parse(&v, text, LIMIT_JSON, &err), RC_OK);
	json_decref(v);
	assert_int_equal(json_parse(&v, text, LIMIT_JSON + 1, &err), RC_LIMIT);
	free(text);
}

static void
every_prefix_and_bit_flip_is_survived(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5e3,true,null],\"b\\n\":{\"c\":\"\\u00fc\"}}";
	size_t len = sizeof(text) - 1, i;

	for (i = 0; i < len * 9; i++) {
		size_t n = i < len ? i : len;
		char *copy = malloc(n + (n == 0));
		json_t *v = NULL;

		memcpy(copy, text, n);
		if (i >= len)
			copy[(i - len) / 8] ^= (char)(1u << (i - len) % 8);
		if (json_parse(&v, copy, n, &err) == RC_OK) {
			assert_int_equal(n, len);
			json_decref(v);
		} else {
			assert_null(v);
		}
		free(copy);
	}
}

static void
text_is_written_in_order_of_insertion(void **state)
{
	json_t *v = parse("{\"z\": 1, \"a\": [true, \"\\u00fc\\n\"]}");
	struct buf b;

	assert_non_null(v);
	buf_init(&b, 100);
	assert_int_equal(json_add_text(&b, v, &err), RC_OK);
	assert_string_equal(buf_str(&b), "{\"z\":1,\"a\":[true,\"\xc3\xbc\\n\"]}");
	buf_reset(&b);
	assert_int_equal(json_add_pretty(&b, v, &err), RC_OK);
	assert_string_equal(
	    buf_str(&b), "{\n  \"z\": 1,\n  \"a\": [\n    true,\n    \"\xc3\xbc\\n\"\n  ]\n}\n");
	buf_done(&b);
	buf_init(&b, 10);
	assert_int_equal(json_add_text(&b, v, &err), RC_LIMIT);
	buf_done(&b);
	json_decref(v);
}

static void
strings_are_told_from_everything_else(void **state)
{
	json_t *v = parse("{\"s\":\"x\",\"n\":1,\"z\":null,\"e\":\"\"}");
	const char *s = NULL;

	assert_string_equal(json_get_str(v, "s"), "x");
	assert_string_equal(json_get_str(v, "e"), "");
	assert_null(json_get_str(v, "n"));
	assert_null(json_get_str(v, "z"));
	assert_null(json_get_str(v, "absent"));
	assert_null(json_get_str(NULL, "s"));
	assert_int_equal(json_need_str(&s, v, "s", &err), RC_OK);
	assert_string_equal(s, "x");
	assert_int_equal(json_need_str(&s, v, "n", &err), RC_PARSE);
	assert_string_equal(err.msg, "JSON member \"n\" is a number, want a string");
	assert_int_equal(json_need_str(&s, v, "absent", &err), RC_PARSE);
	assert_string_equal(err.msg, "JSON member \"absent\" is absent, want a string");
	assert_string_equal(s, "x");
	json_decref(v);
}

static void
numbers_may_be_written_as_strings(void **state)
{
	static const struct {
		const char *text;
		enum rc rc;
		int64_t value;
	} rows[] = {
		{ "{\"n\":3599}", RC_OK, 3599 },
		{ "{\"n\":\"3599\"}", RC_OK, 3599 },
		{ "{\"n\":-5}", RC_OK, -5 },
		{ "{\"n\":\"-5\"}", RC_OK, -5 },
		{ "{\"n\":12.0}", RC_OK, 12 },
		{ "{}", RC_OK, 77 },
		{ "{\"n\":null}", RC_OK, 77 },
		{ "{\"n\":9223372036854775807}", RC_OK, INT64_MAX },
		{ "{\"n\":\"9223372036854775807\"}", RC_OK, INT64_MAX },
		{ "{\"n\":\"9223372036854775808\"}", RC_PARSE, 0 },
		{ "{\"n\":1.5}", RC_PARSE, 0 },
		{ "{\"n\":1e300}", RC_PARSE, 0 },
		{ "{\"n\":\"\"}", RC_PARSE, 0 },
		{ "{\"n\":\"-\"}", RC_PARSE, 0 },
		{ "{\"n\":\" 1\"}", RC_PARSE, 0 },
		{ "{\"n\":\"1s\"}", RC_PARSE, 0 },
		{ "{\"n\":true}", RC_PARSE, 0 },
		{ "{\"n\":[1]}", RC_PARSE, 0 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		json_t *v = parse(rows[i].text);
		int64_t n = 0;

		assert_non_null(v);
		assert_int_equal(json_get_i64(&n, v, "n", 77, &err), rows[i].rc);
		assert_true(n == rows[i].value);
		json_decref(v);
	}
}

static void
an_object_is_told_from_other_values(void **state)
{
	static const char *const others[] = { "[]", "\"{}\"", "1", "null" };
	json_t *v = NULL;
	size_t i;

	assert_int_equal(json_parse_object(&v, "the reply", "{\"a\":1}", 7, &err), RC_OK);
	assert_true(json_is_object(v));
	json_decref(v);
	v = NULL;
	for (i = 0; i < COUNT(others); i++) {
		assert_int_equal(
		    json_parse_object(&v, "the reply", others[i], strlen(others[i]), &err),
		    RC_PARSE);
		assert_string_equal(err.msg, "the reply is no JSON object");
		assert_null(v);
	}
	assert_int_equal(json_parse_object(&v, "the reply", "{", 1, &err), RC_PARSE);
	assert_null(v);
}

static void
nothing_and_never_are_null(void **state)
{
	json_t *v = json_pack("[o, o, o, o, o]", json_text_or_null("x"), json_text_or_null(""),
	    json_text_or_null(NULL), json_time_or_null(1795245657), json_time_or_null(0));
	struct buf text;

	assert_non_null(v);
	buf_init(&text, 200);
	assert_int_equal(json_add_text(&text, v, &err), RC_OK);
	assert_string_equal(buf_str(&text), "[\"x\",null,null,\"2026-11-21T07:20:57Z\",null]");
	buf_done(&text);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_is_read),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(the_message_tells_the_place_but_not_the_text),
		cmocka_unit_test(depth_is_bounded_exactly),
		cmocka_unit_test(size_is_bounded_exactly),
		cmocka_unit_test(every_prefix_and_bit_flip_is_survived),
		cmocka_unit_test(text_is_written_in_order_of_insertion),
		cmocka_unit_test(strings_are_told_from_everything_else),
		cmocka_unit_test(numbers_may_be_written_as_strings),
		cmocka_unit_test(an_object_is_told_from_other_values),
		cmocka_unit_test(nothing_and_never_are_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
