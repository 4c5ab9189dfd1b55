/*
 * text_test.c - strings, numbers, durations, patterns, UTF-8, guesses.
 */
#include "unit.h"

#include "base/text.h"

static void
copies_are_the_callers(void **state)
{
	char *s = NULL;

	assert_int_equal(str_dup(&s, "abc", NULL), RC_OK);
	assert_string_equal(s, "abc");
	free(s);
	assert_int_equal(str_ndup(&s, "abc", 2, NULL), RC_OK);
	assert_string_equal(s, "ab");
	free(s);
	assert_int_equal(str_format(&s, NULL, "%d-%s", 4, "x"), RC_OK);
	assert_string_equal(s, "4-x");
	free(s);
}

static void
comparisons_ignore_case_where_they_say(void **state)
{
	assert_true(str_eq_nocase("PKIOperation", "pkioperation"));
	assert_true(str_eq_nocase("", ""));
	assert_false(str_eq_nocase("a", "ab"));
	assert_false(str_eq_nocase("ab", "a"));
	assert_false(str_eq_nocase("[", "{"));
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_ends_nocase("x/PkiClient.EXE", "/pkiclient.exe"));
	assert_false(str_ends_nocase("exe", "pkiclient.exe"));
}

static void
numbers_are_digits_within_their_range(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1a", "9", "101",
		"18446744073709551616", "99999999999999999999999" };
	struct err err;
	uint64_t v = 7;
	size_t i;

	assert_int_equal(parse_u64(&v, "0010", 10, 100, "n", NULL), RC_OK);
	assert_int_equal(v, 10);
	assert_int_equal(parse_u64(&v, "18446744073709551615", 0, UINT64_MAX, "n", NULL), RC_OK);
	assert_true(v == UINT64_MAX);
	v = 7;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(parse_u64(&v, bad[i], 10, 100, "n", &err), RC_PARSE);
	assert_int_equal(v, 7);
	(void)!parse_u64(&v, "101", 10, 100, "port", &err);
	assert_string_equal(err.msg, "port: \"101\" is not a number from 10 to 100");
}

static void
durations_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = { { "0", 0 }, { "90", 90 }, { "90s", 90 }, { "15m", 900 }, { "24h", 86400 },
		{ "365d", 31536000 }, { "2y", 63072000 } };
	static const char *const bad[] = { "", "s", "1 h", "h1", "1h30m", "1w", "-1s", "1.5h",
		"9223372036854775808", "400000000000000y", "1S" };
	int64_t v = 0;
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(parse_duration(&v, good[i].text, NULL), RC_OK);
		assert_true(v == good[i].seconds);
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(parse_duration(&v, bad[i], NULL), RC_PARSE);
}

static void
a_duration_is_written_in_its_largest_exact_unit(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = { { 0, "0s" }, { 59, "59s" }, { 60, "1m" }, { 90, "90s" }, { 7200, "2h" },
		{ 86400, "1d" }, { 90000, "25h" }, { INT64_MAX, "9223372036854775807s" } };
	char out[DURATION_TEXT_MAX];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		duration_text(out, rows[i].seconds);
		assert_string_equal(out, rows[i].text);
	}
}

static void
patterns_know_star_and_question_mark_only(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "abc", true },
		{ "a*c", "ABBC", true },
		{ "a*c", "abcd", false },
		{ "*.example.com", "a.b.Example.com", true },
		{ "*.example.com", "example.com", false },
		{ "?", "", false },
		{ "??", "a", false },
		{ "a?c", "abc", true },
		{ "[a]", "a", false },
		{ "[a]", "[A]", true },
		{ "\\*", "\\x", true },
		{ "*a*b*c*", "xxaxxbxxcxx", true },
		{ "*a*b*c", "abcb", false },
		{ "?", "\xc3\xbc", true },
		{ "a**b", "ab", true },
		{ "ab", "a", false },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		assert_int_equal(glob_match(rows[i].pattern, rows[i].text), rows[i].match);
}

static void
a_hostile_pattern_takes_no_exponential_time(void **state)
{
	char text[2001];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

/* RFC 3629: well-formed ends of each length, and each way to be ill-formed. */
static void
utf8_is_held_to_the_standard(void **state)
{
	static const char *const good[] = { "", "abc", "\x7f", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
		"\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xfe", "\xff", "ok\xff" };
	size_t i;

	for (i = 0; i < COUNT(good); i++)
		assert_true(utf8_valid((const uint8_t *)good[i], strlen(good[i])));
	for (i = 0; i < COUNT(bad); i++)
		assert_false(utf8_valid((const uint8_t *)bad[i], strlen(bad[i])));
	assert_false(utf8_valid((const uint8_t *)"a\0b", 3));
	assert_true(utf8_plain("J\xc3\xbcrgen", 7));
	assert_true(utf8_plain("", 0));
	assert_false(utf8_plain("J\xc3\xbcrgen", 6));
	assert_false(utf8_plain("J\xfcrgen", 7));
	assert_false(utf8_plain("a\nb", 7));
	assert_false(utf8_plain("a\x7f", 7));
}

static void
a_character_is_never_read_past_the_length(void **state)
{
	static const char text[] = "\xf0\x9f\x98\x80";
	uint32_t cp = 0;
	size_t n;

	for (n = 0; n <= 4; n++) {
		uint8_t *copy = malloc(n + (n == 0));

		memcpy(copy, text, n);
		assert_int_equal(utf8_next(&cp, copy, n), n == 4 ? 4 : 0);
		free(copy);
	}
	assert_int_equal(cp, 0x1f600);
}

static const char *
guess(const char *typed)
{
	static const char *const words[] = { "enroll", "renew", "getcacert", "getcaps", "challenge",
		"ca" };
	struct nearest n;
	size_t i;

	nearest_begin(&n, typed);
	for (i = 0; i < COUNT(words); i++)
		nearest_offer(&n, words[i]);
	return n.best;
}

static void
a_slip_of_the_finger_is_understood(void **state)
{
	char big[200];

	assert_string_equal(guess("enrol"), "enroll");
	assert_string_equal(guess("erloll"), "enroll");
	assert_string_equal(guess("ernoll"), "enroll");
	assert_string_equal(guess("getcap"), "getcaps");
	assert_string_equal(guess("chalenge"), "challenge");
	assert_string_equal(guess("getcac"), "getcaps");
	assert_string_equal(guess("RENEW"), "renew");
	assert_string_equal(guess("chall"), "challenge");
	assert_null(guess("x"));
	assert_null(guess("banana"));
	assert_null(guess(""));
	memset(big, 'e', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_null(guess(big));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_the_callers),
		cmocka_unit_test(comparisons_ignore_case_where_they_say),
		cmocka_unit_test(numbers_are_digits_within_their_range),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(a_duration_is_written_in_its_largest_exact_unit),
		cmocka_unit_test(patterns_know_star_and_question_mark_only),
		cmocka_unit_test(a_hostile_pattern_takes_no_exponential_time),
		cmocka_unit_test(utf8_is_held_to_the_standard),
		cmocka_unit_test(a_character_is_never_read_past_the_length),
		cmocka_unit_test(a_slip_of_the_finger_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
