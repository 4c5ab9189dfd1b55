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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_as_rfc3339),
		cmocka_unit_test(times_are_read_with_fraction_and_offset),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(every_prefix_of_a_time_is_refused),
		cmocka_unit_test(the_offset_moves_wall_time_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
