/*
 * log_test.c - one event is one line, whatever a peer puts into the values.
 */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"

static int ends[2];
static char line[2 * LOG_LINE_MAX];

static int
open_pipe(void **state)
{
	return pipe(ends);
}

static int
close_pipe(void **state)
{
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* What has been written, without the time in front: "info event ..." or JSON from "level". */
static const char *
written(enum log_format format)
{
	ssize_t n = read(ends[0], line, sizeof(line) - 1);

	assert_true(n > 26);
	line[n] = '\0';
	return line + (format == LOG_TEXT ? 25 : 35);
}

/* One field in a line of its own. */
static const char *
field(enum log_format format, const char *value, size_t len)
{
	struct log_line l;

	log_setup(LOG_DEBUG, format, ends[1]);
	log_begin(&l, LOG_INFO, "e");
	log_bytes(&l, "k", value, len);
	log_end(&l);
	return written(format);
}

static void
a_line_has_time_level_event_and_fields(void **state)
{
	struct log_line l;
	const char *s;

	log_setup(LOG_INFO, LOG_TEXT, ends[1]);
	log_begin(&l, LOG_WARN, "scep");
	log_str(&l, "tx", "A1b2-._:/@+,%~");
	log_str(&l, "none", NULL);
	log_str(&l, "cn", "two words");
	log_int(&l, "ms", INT64_MIN);
	log_str(&l, "empty", "");
	log_end(&l);
	s = written(LOG_TEXT);
	assert_string_equal(
	    s, "warn scep tx=A1b2-._:/@+,%~ cn=\"two words\" ms=-9223372036854775808 empty=\"\"\n");
	assert_int_equal(line[23], 'Z');
	assert_int_equal(line[10], 'T');
}

static void
values_cannot_forge_a_line_or_a_field(void **state)
{
	static const struct {
		const char *value, *text, *json;
	} rows[] = {
		{ "a\ninfo scep result=issued", "\"a\\x0ainfo scep result=issued\"",
		    "\"a\\u000ainfo scep result=issued\"" },
		{ "x\" result=\"issued", "\"x\\\" result=\\\"issued\"",
		    "\"x\\\" result=\\\"issued\"" },
		{ "back\\", "\"back\\\\\"", "\"back\\\\\"" },
		{ "a=b", "\"a=b\"", "\"a=b\"" },
		{ "\x1b[2J", "\"\\x1b[2J\"", "\"\\u001b[2J\"" },
		{ "\xff\xc0", "\"\\xff\\xc0\"", "\"\\ufffd\\ufffd\"" },
		{ "Z\xc3\xbcrich", "\"Z\xc3\xbcrich\"", "\"Z\xc3\xbcrich\"" },
		{ "\xc2\x85", "\"\\xc2\\x85\"", "\"\\u0085\"" },
		{ "\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\"", "\"\\u2028\"" },
		{ "\xe2\x80\xae", "\"\\xe2\\x80\\xae\"", "\"\\u202e\"" },
		{ "\xf3\xa0\x80\x81", "\"\\xf3\\xa0\\x80\\x81\"", "\"\\udb40\\udc01\"" },
	};
	char want[200];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(want, sizeof(want), "info e k=%s\n", rows[i].text);
		assert_string_equal(field(LOG_TEXT, rows[i].value, strlen(rows[i].value)), want);
		snprintf(want, sizeof(want), "\"level\":\"info\",\"event\":\"e\",\"k\":%s}\n",
		    rows[i].json);
		assert_string_equal(field(LOG_JSON, rows[i].value, strlen(rows[i].value)), want);
	}
	assert_string_equal(field(LOG_TEXT, "a\0b", 3), "info e k=\"a\\x00b\"\n");
	assert_string_equal(field(LOG_JSON, "a\0b", 3),
	    "\"level\":\"info\",\"event\":\"e\",\"k\":\"a\\u0000b\"}\n");
}

/* Any byte whatever: exactly one newline, at the end, and nothing outside printable ASCII. */
static void
any_byte_leaves_one_clean_line(void **state)
{
	int format, c;

	for (format = LOG_TEXT; format <= LOG_JSON; format++) {
		for (c = 0; c < 256; c++) {
			char value[3] = { 'a', (char)c, 'b' };
			const char *s = field((enum log_format)format, value, 3);
			size_t len = strlen(s), i;

			assert_int_equal(s[len - 1], '\n');
			for (i = 0; i < len - 1; i++)
				assert_in_range((unsigned char)s[i], 0x20, 0x7e);
		}
	}
}

static void
a_long_value_is_cut_between_characters(void **state)
{
	char value[2 * LOG_VALUE_MAX + 1];
	const char *s;
	size_t i;

	value[0] = 'x';
	for (i = 1; i + 1 < sizeof(value); i += 2)
		memcpy(value + i, "\xc3\xbc", 2);
	s = field(LOG_TEXT, value, sizeof(value));
	assert_int_equal(strlen(s), strlen("info e k=\"\"\n") + LOG_VALUE_MAX - 1 + 3);
	assert_non_null(strstr(s, "\xc3\xbc...\"\n"));
	assert_null(strstr(s, "\\x"));
}

static void
a_field_that_does_not_fit_is_dropped_and_counted(void **state)
{
	static const enum log_format formats[] = { LOG_TEXT, LOG_JSON };
	char value[LOG_VALUE_MAX];
	size_t f, i;

	memset(value, 1, sizeof(value));
	for (f = 0; f < COUNT(formats); f++) {
		struct log_line l;
		const char *s;

		log_setup(LOG_INFO, formats[f], ends[1]);
		log_begin(&l, LOG_INFO, "e");
		for (i = 0; i < 10; i++)
			log_bytes(&l, "big", value, sizeof(value));
		log_str(&l, "small", "fits");
		log_end(&l);
		s = written(formats[f]);
		assert_in_range(strlen(line), 100, LOG_LINE_MAX);
		if (formats[f] == LOG_TEXT)
			assert_non_null(strstr(s, " small=fits dropped=9\n"));
		else
			assert_non_null(strstr(s, ",\"small\":\"fits\",\"dropped\":9}\n"));
	}
}

static void
a_line_never_passes_its_buffer(void **state)
{
	size_t n;

	for (n = 0; n < 64; n++) {
		struct log_line l;
		size_t i;

		log_setup(LOG_INFO, n % 2 ? LOG_JSON : LOG_TEXT, ends[1]);
		log_begin(&l, LOG_INFO, "e");
		for (i = 0; i < LOG_LINE_MAX / 4; i++) {
			log_bytes(
			    &l, "k", "0123456789012345678901234567890123456789", i % (n + 1) % 40);
			log_int(&l, "n", (int64_t)i);
		}
		assert_true(l.len <= LOG_LINE_MAX - 20);
		log_end(&l);
		(void)written(LOG_TEXT);
		assert_int_equal(line[strlen(line) - 1], '\n');
	}
}

static void
lower_levels_are_not_written(void **state)
{
	struct err err = { .rc = RC_DENIED, .where = "f", .msg = "the reason", .hint = "the hint" };
	struct log_line l;

	log_setup(LOG_WARN, LOG_TEXT, ends[1]);
	log_msg(LOG_INFO, "quiet", "nothing");
	log_begin(&l, LOG_DEBUG, "quiet");
	assert_false(l.on);
	log_str(&l, "k", "v");
	log_int(&l, "k", 1);
	log_end(&l);
	log_begin(&l, LOG_WARN, "loud");
	log_err(&l, &err);
	log_end(&l);
	assert_string_equal(written(LOG_TEXT),
	    "warn loud kind=denied where=f reason=\"the reason\" hint=\"the hint\"\n");
}

static void
a_message_is_one_field(void **state)
{
	log_setup(LOG_INFO, LOG_TEXT, ends[1]);
	log_msg(LOG_INFO, "start", "listening on %s", "[::]:80");
	assert_string_equal(written(LOG_TEXT), "info start msg=\"listening on [::]:80\"\n");
}

static void
levels_have_names(void **state)
{
	enum log_level level = LOG_ERROR;

	assert_int_equal(log_level_parse(&level, "debug", NULL), RC_OK);
	assert_int_equal(level, LOG_DEBUG);
	assert_int_equal(log_level_parse(&level, "WARN", NULL), RC_OK);
	assert_int_equal(level, LOG_WARN);
	assert_int_equal(log_level_parse(&level, "loud", NULL), RC_CONFIG);
	assert_int_equal(level, LOG_WARN);
}

static void
lines_of_a_minute_have_a_bound(void **state)
{
	struct log_limit l = { 0 };
	uint64_t left_out = 7;

	for (int i = 0; i < LOG_PER_MINUTE; i++) {
		assert_true(log_within(&l, 1000 + i, &left_out));
		assert_int_equal(left_out, 0);
	}
	for (int i = 0; i < 1000; i++)
		assert_false(log_within(&l, 2000 + i, &left_out));
	assert_false(log_within(&l, 60999, &left_out));
	assert_true(log_within(&l, 61000, &left_out));
	assert_int_equal(left_out, 1001);
	assert_true(log_within(&l, 61001, &left_out));
	assert_int_equal(left_out, 0);
}

/* systemd says which descriptor is the journal's by its device and inode; there, and nowhere else, lines have priorities. */
static void
lines_in_the_journal_have_priorities(void **state)
{
	static const struct {
		enum log_level level;
		const char *prefix, *name;
	} rows[] = { { LOG_DEBUG, "<7>", " debug e " }, { LOG_INFO, "<6>", " info e " },
		{ LOG_WARN, "<4>", " warn e " }, { LOG_ERROR, "<3>", " error e " } };
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(ends[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_is_journal(ends[1]));
	assert_false(log_is_journal(STDERR_FILENO));
	assert_false(log_is_journal(-1));
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
			log_setup(LOG_DEBUG, (enum log_format)format, ends[1]);
			log_msg(rows[i].level, "e", "m");
			(void)written((enum log_format)format);
			assert_memory_equal(line, rows[i].prefix, 3);
			assert_int_equal(line[3], format == LOG_TEXT ? '2' : '{');
			if (format == LOG_TEXT)
				assert_non_null(strstr(line, rows[i].name));
		}
	}
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_false(log_is_journal(ends[1]));
	log_setup(LOG_DEBUG, LOG_TEXT, ends[1]);
	log_msg(LOG_INFO, "e", "m");
	assert_string_equal(written(LOG_TEXT), "info e msg=m\n");
	unsetenv("JOURNAL_STREAM");
	assert_false(log_is_journal(ends[1]));
}

/* What a program says before there is a log, or instead of one. */
static void
what_is_reported_has_the_priority_of_an_error(void **state)
{
	int saved = dup(STDERR_FILENO);
	struct err err = { 0 };
	char stream[64];
	struct stat st;
	ssize_t n;

	assert_int_equal(fstat(ends[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	(void)fail(&err, RC_CONFIG, "no");
	err_hint(&err, "say yes");
	assert_true(saved >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
	setenv("JOURNAL_STREAM", stream, 1);
	(void)err_report("scepd", &err);
	unsetenv("JOURNAL_STREAM");
	(void)err_report("scepd", &err);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	n = read(ends[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	line[n] = '\0';
	assert_string_equal(line, "<3>scepd: no\n<3>  say yes\nscepd: no\n  say yes\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_event_and_fields),
		cmocka_unit_test(values_cannot_forge_a_line_or_a_field),
		cmocka_unit_test(any_byte_leaves_one_clean_line),
		cmocka_unit_test(a_long_value_is_cut_between_characters),
		cmocka_unit_test(a_field_that_does_not_fit_is_dropped_and_counted),
		cmocka_unit_test(a_line_never_passes_its_buffer),
		cmocka_unit_test(lower_levels_are_not_written),
		cmocka_unit_test(a_message_is_one_field),
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test(lines_of_a_minute_have_a_bound),
		cmocka_unit_test(lines_in_the_journal_have_priorities),
		cmocka_unit_test(what_is_reported_has_the_priority_of_an_error),
	};

	return cmocka_run_group_tests(tests, open_pipe, close_pipe);
}
