/*
 * err_test.c - errors: one printable line each, and a reaction for every kind.
 */
#include "unit.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"

static void
fail_records_kind_origin_and_message(void **state)
{
	struct err err = { .hint = "old" };

	assert_int_equal(fail(&err, RC_PARSE, "nonce is %d bytes", 7), RC_PARSE);
	assert_int_equal(err.rc, RC_PARSE);
	assert_string_equal(err.where, __func__);
	assert_string_equal(err.msg, "nonce is 7 bytes");
	assert_string_equal(err.hint, "");
	assert_int_equal(fail(NULL, RC_IO, "nobody listens"), RC_IO);
}

static void
a_message_is_one_printable_line(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\nlevel=error forged", "a?level=error forged" },
		{ "tab\there \x1b[31mred", "tab?here ?[31mred" },
		{ "bad \xff\xc0\x80 utf8", "bad ??? utf8" },
		{ "Z\xc3\xbcrich \xe2\x82\xac", "Z\xc3\xbcrich \xe2\x82\xac" },
		{ "c1 \xc2\x85 line \xe2\x80\xa8 rtl \xe2\x80\xae", "c1 ?? line ??? rtl ???" },
		{ "cut \xe2\x82", "cut ??" },
	};
	struct err err;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		(void)fail(&err, RC_BUG, "%s", rows[i].in);
		assert_string_equal(err.msg, rows[i].out);
		err_hint(&err, "%s", rows[i].in);
		assert_string_equal(err.hint, rows[i].out);
	}
}

static void
a_message_that_does_not_fit_says_so(void **state)
{
	char big[2 * ERR_MSG_MAX];
	struct err err;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)fail(&err, RC_LIMIT, "%s", big);
	assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
	assert_string_equal(err.msg + ERR_MSG_MAX - 4, "...");
	assert_int_equal(err_context(&err, "%s", big), RC_LIMIT);
	assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
	assert_string_equal(err.msg + ERR_MSG_MAX - 4, "...");
}

static void
an_error_can_be_made_from_itself(void **state)
{
	struct err err;

	(void)fail(&err, RC_IO, "inner");
	err_hint(&err, "look");
	assert_int_equal(fail(&err, RC_BUG, "outer: %s (%s)", err.msg, err.hint), RC_BUG);
	assert_string_equal(err.msg, "outer: inner (look)");
	assert_int_equal(err_context(&err, "in %s", err.msg), RC_BUG);
	assert_string_equal(err.msg, "in outer: inner (look): outer: inner (look)");
}

static void
context_keeps_kind_hint_and_origin(void **state)
{
	struct err err;

	(void)fail(&err, RC_DENIED, "no");
	err_hint(&err, "ask");
	assert_int_equal(err_context(&err, "file %d", 3), RC_DENIED);
	assert_string_equal(err.msg, "file 3: no");
	assert_string_equal(err.hint, "ask");
	assert_string_equal(err.where, __func__);
}

static void
errno_is_told_and_kept(void **state)
{
	struct err err;

	errno = ENOSPC;
	assert_int_equal(fail_errno(&err, "cannot write %s", "x"), RC_IO);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(err.msg, "cannot write x: No space left on device");
}

static void
every_kind_has_a_reaction(void **state)
{
	static const struct {
		enum rc rc;
		int http, info;
	} rows[] = {
		{ RC_NOMEM, 500, 2 },
		{ RC_LIMIT, 413, 2 },
		{ RC_PARSE, 400, 2 },
		{ RC_DENIED, 403, 2 },
		{ RC_ALG, 400, 0 },
		{ RC_INTEGRITY, 400, 1 },
		{ RC_NOTFOUND, 404, 4 },
		{ RC_CONFLICT, 409, 2 },
		{ RC_CRYPTO, 500, 2 },
		{ RC_IO, 503, 2 },
		{ RC_TIMEOUT, 503, 2 },
		{ RC_CONFIG, 500, 2 },
		{ RC_BUG, 500, 2 },
	};
	size_t i;

	assert_int_equal(COUNT(rows), RC__MAX - 1);
	for (i = 0; i < COUNT(rows); i++) {
		const struct err_reaction *r = err_reaction(rows[i].rc);

		assert_int_equal(r->http_status, rows[i].http);
		assert_int_equal(r->fail_info, rows[i].info);
		assert_in_range(r->exit_code, 64, 78);
		assert_in_range(r->log_level, LOG_INFO, LOG_ERROR);
		assert_string_equal(r->name, rc_name(rows[i].rc));
		assert_true(r->name[0] != '\0');
	}
	assert_int_equal(err_reaction(RC_OK)->exit_code, 0);
}

static void
a_kind_out_of_range_is_a_bug(void **state)
{
	assert_string_equal(rc_name((enum rc)99), "bug");
	assert_string_equal(rc_name((enum rc) - 1), "bug");
	assert_string_equal(rc_name(RC__MAX), "bug");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_records_kind_origin_and_message),
		cmocka_unit_test(a_message_is_one_printable_line),
		cmocka_unit_test(a_message_that_does_not_fit_says_so),
		cmocka_unit_test(an_error_can_be_made_from_itself),
		cmocka_unit_test(context_keeps_kind_hint_and_origin),
		cmocka_unit_test(errno_is_told_and_kept),
		cmocka_unit_test(every_kind_has_a_reaction),
		cmocka_unit_test(a_kind_out_of_range_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
