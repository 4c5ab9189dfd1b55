/*
 * clock_test.c - RFC 3339 both ways, and the offset that tests move time with.
 */
#include "unit.h"

#include "base/clock.h"

static void
times_are_written_as_rfc3339(void **state)
{
	static const struct {
		int64_t t;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 1795242057, "2026-11-21T06:20:57Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "9999-12-31T23:59:59Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
		{ INT64_MIN, "0000-01-01T00:00:00Z" },
		{ -62135596800, "0001-01-01T00:00:00Z" },
	};
	char out[TIME_TEXT_MAX];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		time_rfc3339(out, rows[i].t);
		assert_string_equal(out, rows[i].text);
	}
	time_rfc3339_ms(out, 1795242057045);
	assert_string_equal(out, "2026-11-21T06:20:57.045Z");
	time_rfc3339_ms(out, -1);
	assert_string_equal(out, "1969-12-31T23:59:59.999Z");
}

static void
times_are_read_with_fraction_and_offset(void **state)
{
	static const struct {
		const char *text;
		int64_t t;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-21T06:20:57Z", 1795242057 },
		{ "2026-11-21t06:20:57z", 1795242057 },
		{ "2026-11-21 06:20:57Z", 1795242057 },
		{ "2026-11-21T06:20:57.9999999Z", 1795242057 },
		{ "2026-11-21T08:20:57+02:00", 1795242057 },
		{ "2026-11-21T00:50:57-05:30", 1795242057 },
		{ "2000-02-29T00:00:00Z", 951782400 },
		{ "2016-12-31T23:59:60Z", 1483228800 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};
	int64_t t = 0;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(time_parse_rfc3339(&t, rows[i].text, NULL), RC_OK);
		assert_true(t == rows[i].t);
	}
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = { "", "2026", "2026-11-21", "2026-11-21T06:20:57",
		"2026-11-21T06:20Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+2:00",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+02:60",
		"2026-01-01T00:00:00+0200", "2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z",
		"+026-01-01T00:00:00Z", "2026-01-01X00:00:00Z" };
	int64_t t = 7;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(time_parse_rfc3339(&t, bad[i], NULL), RC_PARSE);
	assert_true(t == 7);
}

static void
every_prefix_of_a_time_is_refused(void **state)
{
	static const char text[] = "2026-11-21T06:20:57.5+02:00";
	char part[sizeof(text)];
	int64_t t;
	size_t n;

	for (n = 0; n < sizeof(text) - 1; n++) {
		memcpy(part, text, n);
		part[n] = '\0';
		assert_int_equal(time_parse_rfc3339(&t, part, NULL), RC_PARSE);
	}
}

static void
the_offset_moves_wall_time_only(void **state)
{
	int64_t wall = clock_now(), ms = clock_now_ms(), mono = clock_mono_ms();

	clock_offset_set(86400);
	assert_in_range(clock_now() - wall, 86400, 86410);
	assert_in_range(clock_now_ms() - ms, 86400000, 86410000);
	assert_in_range(clock_mono_ms() - mono, 0, 10000);
	clock_offset_set(0);
	assert_in_range(clock_now() - wall, 0, 10);
}

/* ---- when something is to end ---- */

static void
an_end_is_a_time_a_day_or_a_span(void **state)
{
	static const int64_t now = INT64_C(1796083200); /* 2026-12-01T00:00:00Z */
	static const struct {
		const char *text;
		int64_t end; /* 0: refused */
	} rows[] = {
		{ "2026-12-24T18:00:00Z", INT64_C(1798135200) },
		{ "2026-12-24T20:00:00+02:00", INT64_C(1798135200) },
		{ "2026-12-24", INT64_C(1798156799) }, /* 23:59:59 UTC */
		{ "2026-12-01", INT64_C(1796169599) }, /* the rest of today */
		{ "8h", INT64_C(1796083200) + 8 * 3600 },
		{ "7d", INT64_C(1796083200) + 7 * 86400 },
		{ "2026-11-30", 0 },
		{ "2026-12-01T00:00:00Z", 0 }, /* now */
		{ "0s", 0 },
		{ "2026", 0 }, /* half a day, and no seconds */
		{ "20261224", 0 },
		{ "2026-12", 0 },
		{ "2026-12-32", 0 },
		{ "2026-02-30", 0 },
		{ "2026-12-24 ", 0 },
		{ "2026-12-24T", 0 },
		{ "soon", 0 },
		{ "", 0 },
		{ "9223372036854775807s", 0 },
		{ "9999999999999999999d", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { 0 };
		int64_t end = 0;
		enum rc rc = time_parse_end(&end, rows[i].text, now, &err);

		if (end != rows[i].end)
			print_error("%s -> %lld\n", rows[i].text, (long long)end);
		assert_int_equal(end, rows[i].end);
		assert_int_equal(rc, rows[i].end == 0 ? RC_PARSE : RC_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_as_rfc3339),
		cmocka_unit_test(times_are_read_with_fraction_and_offset),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(every_prefix_of_a_time_is_refused),
		cmocka_unit_test(the_offset_moves_wall_time_only),
		cmocka_unit_test(an_end_is_a_time_a_day_or_a_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
