/* expiry_test.c - who is told of an end, when, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail

#include "base/log.h"
#include "scepd/config.h"
#include "scepd/expiry.h"

#define DAY   86400
#define YEAR  (365 * DAY)
#define START ((int64_t)1800000000)

static int ends[2]; /* of the log */

static int
log_begin_here(void **state)
{
	assert_int_equal(pipe(ends), 0);
	log_setup(LOG_INFO, LOG_TEXT, ends[1]);
	return 0;
}

static int
log_end_here(void **state)
{
	log_setup(LOG_INFO, LOG_TEXT, 2);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

/* What was logged since; "" when nothing was. */
static const char *
logged(void)
{
	static char text[4096];
	ssize_t n;

	assert_int_equal(write(ends[1], "\n", 1), 1);
	n = read(ends[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n - 1] = '\0';
	return text;
}

static void
every_kind_has_its_thresholds_and_its_cure(void **state)
{
	for (int k = 0; k < EXPIRY__MAX; k++) {
		const struct expiry_row *r = expiry_row((enum expiry_kind)k);
		struct expiry_thing t = { (enum expiry_kind)k, "x", 0, START };

		assert_true(r->urgent > 0 && r->soon > r->urgent);
		assert_true(strlen(r->what) > 0 && strlen(r->called) > 0 && strlen(r->cure) > 0);
		assert_int_equal(expiry_level(&t, START - r->soon - 1), EXPIRY_FAR);
		assert_int_equal(expiry_level(&t, START - r->soon), EXPIRY_SOON);
		assert_int_equal(expiry_level(&t, START - r->urgent - 1), EXPIRY_SOON);
		assert_int_equal(expiry_level(&t, START - r->urgent), EXPIRY_URGENT);
		assert_int_equal(expiry_level(&t, START), EXPIRY_URGENT);
		assert_int_equal(expiry_level(&t, START + 1), EXPIRY_OVER);
		t.expected = true;
		assert_int_equal(expiry_level(&t, START + 1), EXPIRY_FAR);
	}
}

/* What is renewed in time is never warned of, however short its life is. */
static void
a_short_life_is_not_a_warning_by_itself(void **state)
{
	static const struct {
		enum expiry_kind kind;
		int64_t life, renewed_with_left; /* at the latest */
	} rows[] = {
		{ EXPIRY_RA, 7 * DAY, 7 * DAY / 4 },
		{ EXPIRY_RA, 730 * DAY, 730 * DAY / 4 },
		{ EXPIRY_OCSP, 31 * DAY, 31 * DAY / 2 },
		{ EXPIRY_TLS, 6 * DAY, 2 * DAY },
		{ EXPIRY_TLS, 90 * DAY, 30 * DAY },
		{ EXPIRY_CA, YEAR, YEAR * 2 / 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct expiry_thing t = { rows[i].kind, "x", START, START + rows[i].life };

		assert_int_equal(
		    expiry_level(&t, t.not_after - rows[i].renewed_with_left), EXPIRY_FAR);
		assert_true(expiry_level(&t, t.not_after - 1) == EXPIRY_URGENT);
	}
}

static void
each_thing_is_told_at_once_and_then_daily(void **state)
{
	struct expiry_thing t = { EXPIRY_TLS, "0.0.0.0:443", START, START + YEAR };
	struct expiry_thing other = { EXPIRY_TLS, "0.0.0.0:444", START, START + YEAR };
	int64_t end = START + YEAR;
	struct expiry *e;

	assert_int_equal(expiry_new(&e, NULL), RC_OK);
	expiry_note(e, &t, START);
	assert_string_equal(logged(), "");
	expiry_note(e, &t, end - 10 * DAY);
	assert_non_null(strstr(logged(), "warn expiry"));
	expiry_note(e, &t, end - 10 * DAY + 60);
	assert_string_equal(logged(), "");
	expiry_note(e, &other, end - 10 * DAY + 60);
	assert_non_null(strstr(logged(), "0.0.0.0:444"));
	expiry_note(e, &t, end - 9 * DAY);
	assert_non_null(strstr(logged(), "warn expiry"));
	expiry_note(e, &t, end - 3 * DAY); /* worse */
	assert_non_null(strstr(logged(), "error expiry"));
	expiry_note(e, &t, end - 3 * DAY + 60);
	assert_string_equal(logged(), "");
	expiry_note(e, &t, end + 1);
	assert_non_null(strstr(logged(), "has expired"));
	t.not_before = end;
	t.not_after = end + YEAR;
	expiry_note(e, &t, end + 60);
	assert_non_null(strstr(logged(), "info expiry"));
	expiry_note(e, &t, end + 2 * DAY);
	assert_string_equal(logged(), "");
	expiry_free(e);
}

static void
metrics_have_each_end_once(void **state)
{
	struct expiry_thing t = { EXPIRY_RA, "issuing", START, START + YEAR };
	struct expiry *e;
	struct buf b;

	assert_int_equal(expiry_new(&e, NULL), RC_OK);
	expiry_note(e, &t, START);
	t.not_after++;
	expiry_note(e, &t, START);
	t.kind = EXPIRY_APP_KEY;
	t.name = "con\"to\\so\n";
	expiry_note(e, &t, START);
	buf_init(&b, 4096);
	expiry_metrics(e, &b);
	assert_non_null(strstr(buf_str(&b), "# TYPE scepd_certificate_not_after_seconds gauge\n"));
	assert_non_null(strstr(buf_str(&b),
	    "\nscepd_certificate_not_after_seconds{what=\"ra\",name=\"issuing\"} 1831536001\n"));
	assert_null(strstr(buf_str(&b), "1831536000"));
	assert_non_null(
	    strstr(buf_str(&b), "{what=\"app-key\",name=\"con\\\"to\\\\so \"} 1831536001\n"));
	buf_done(&b);
	expiry_free(e);
}

static void
what_ends_with_its_ca_is_known(void **state)
{
	assert_true(expiry_ends_with(START, START));
	assert_true(expiry_ends_with(START - DAY / 2, START));
	assert_false(expiry_ends_with(START - 2 * DAY, START));
}

static void
a_day_is_a_day(void **state)
{
	static const char *const bad[] = { "", "2027", "2027-5-1", "2027-05-01T00:00:00Z",
		"2027-04-31", "2027-13-01", "01.05.2027", "2027-05-01 ", "2027-05-0",
		"+027-05-01" };
	struct err err;
	int64_t t = 0;

	assert_int_equal(config_day(&t, "2027-05-01", &err), RC_OK);
	assert_int_equal(t, 1809129600);
	assert_int_equal(config_day(&t, "2028-02-29", &err), RC_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(config_day(&t, bad[i], &err), RC_PARSE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_its_thresholds_and_its_cure),
		cmocka_unit_test(a_short_life_is_not_a_warning_by_itself),
		cmocka_unit_test_setup_teardown(
		    each_thing_is_told_at_once_and_then_daily, log_begin_here, log_end_here),
		cmocka_unit_test(metrics_have_each_end_once),
		cmocka_unit_test(what_ends_with_its_ca_is_known),
		cmocka_unit_test(a_day_is_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
