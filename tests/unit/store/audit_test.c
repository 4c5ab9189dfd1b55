/*
 * audit_test.c - the audit chain shows every change made behind its back.
 */
#include <string.h>

#include "fixture.h"

#define ROWS 6

static int
setup(void **state)
{
	struct sf *f;

	if (sf_setup(state) != 0)
		return -1;
	f = *state;
	sf_drive(f, 1, TX_SIGNED);
	sf_drive(f, 2, TX_REFUSED);
	sf_drive(f, 3, TX_UNDELIVERED);
	ok(f, store_audit(f->s, "start", "version=1", &f->err));
	return 0;
}

static void
an_untouched_chain_verifies(void **state)
{
	struct sf *f = *state;
	uint64_t rows = 0;

	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(rows, ROWS);
	sf_restart(f);
	ok(f, store_audit(f->s, "start", NULL, &f->err));
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(rows, ROWS + 1);
}

static void
an_empty_chain_verifies(void **state)
{
	struct sf *f = *state;
	uint64_t rows = 1;

	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(rows, 0);
}

static void
every_kind_of_tampering_is_found(void **state)
{
	struct sf *f = *state;
	static const struct {
		const char *sql, *names;
	} t[] = {
		{ "UPDATE audit SET detail = replace(detail, 'Device', 'Devise') WHERE seq = 1",
		    "audit row 1 " },
		{ "UPDATE audit SET event = 'issue' WHERE seq = 2", "audit row 2 " },
		{ "UPDATE audit SET at = at + 1 WHERE seq = 3", "audit row 3 " },
		{ "UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", "audit row 4 " },
		{ "UPDATE audit SET hash = zeroblob(31) WHERE seq = 4", "wrong size" },
		{ "DELETE FROM audit WHERE seq = 1", "audit row 1 " },
		{ "DELETE FROM audit WHERE seq = 3", "audit row 3 " },
		{ "DELETE FROM audit WHERE seq >= 3", "audit row 3 " },
		{ "DELETE FROM audit", "audit row 1 " },
		{ "UPDATE audit SET event = 'ref', detail = 'use' || detail WHERE seq = 2",
		    "audit row 2 " },
		{ "UPDATE audit SET seq = seq + 10 WHERE seq = 6", "audit row 6 " },
		{ "INSERT INTO audit VALUES(7, 1, 'x', 'y', zeroblob(32))", "audit row 7 " },
		{ "INSERT INTO audit VALUES(0, 1, 'x', 'y', zeroblob(32))", "audit row 0 " },
	};

	sf_sql(f, "CREATE TABLE saved AS SELECT * FROM audit");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t rows;
		enum rc rc;

		sf_sql(f, t[i].sql);
		rc = store_audit_verify(f->s, &rows, &f->err);
		if (rc != RC_INTEGRITY || strstr(f->err.msg, t[i].names) == NULL)
			fail_msg("%s: %s: %s", t[i].sql, rc_name(rc), f->err.msg);
		sf_sql(f, "DELETE FROM audit; INSERT INTO audit SELECT * FROM saved");
		ok(f, store_audit_verify(f->s, &rows, &f->err));
	}
}

struct heard {
	char events[200];
	int64_t last;
	size_t n, stop_at;
};

static int
hear(void *arg, int64_t seq, int64_t when_ms, const char *event, const char *detail)
{
	struct heard *h = arg;

	assert_int_equal(seq, h->last + 1);
	assert_true(when_ms > 0);
	assert_non_null(detail);
	h->last = seq;
	strcat(strcat(h->events, event), " ");
	return ++h->n == h->stop_at;
}

static void
rows_are_told_in_order_and_in_pages(void **state)
{
	struct sf *f = *state;
	struct heard all = { 0 }, paged = { 0 }, stopped = { .stop_at = 2 };

	ok(f, store_audit_each(f->s, 0, 100, hear, &all, &f->err));
	assert_string_equal(all.events, "issue refuse issue undelivered revoke start ");
	for (int i = 0; i < ROWS; i++)
		ok(f, store_audit_each(f->s, paged.last, 1, hear, &paged, &f->err));
	assert_string_equal(paged.events, all.events);
	ok(f, store_audit_each(f->s, 0, 100, hear, &stopped, &f->err));
	assert_string_equal(stopped.events, "issue refuse ");
}

static int
keep_first(void *arg, int64_t seq, int64_t when_ms, const char *event, const char *detail)
{
	strncpy(arg, detail, 999);
	return 1;
}

static void
an_issue_names_who_what_and_why(void **state)
{
	struct sf *f = *state;
	char detail[1000] = "";
	struct sf_tx t;

	sf_tx(&t, 1);
	ok(f, store_audit_each(f->s, 0, 1, keep_first, detail, &f->err));
	assert_non_null(strstr(detail, t.serial));
	assert_non_null(strstr(detail,
	    " ca=\"issuing\" endpoint=\"corp\" profile=\"wifi\" tx=\"TX1\""
	    " authority=\"intune:contoso\""
	    " subject=\"CN=Device 1,O=Contoso\""
	    " san=\"upn:user1@contoso.com\" thumbprint=\""));
}

static void
a_value_cannot_forge_a_field(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_begin(f, 9, TX_RECEIVED);

	ok(f, store_tx_refused(f->s, id, "x\" serial=\"AB\\\n\x7f", false, 0, &f->err));
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM audit WHERE detail LIKE"
			     " '%reason=\"x\\\" serial=\\\"AB\\\\\\x0A\\x7F\"'"),
	    1);
}

static void
an_event_must_be_a_word(void **state)
{
	struct sf *f = *state;
	char event[80];

	memset(event, 'e', sizeof(event));
	event[79] = '\0';
	assert_int_equal(store_audit(f->s, event, "", &f->err), RC_LIMIT);
	assert_int_equal(store_audit(f->s, "", "", &f->err), RC_BUG);
	assert_int_equal(store_audit(f->s, NULL, "", &f->err), RC_BUG);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, sf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(an_untouched_chain_verifies),
		cmocka_unit_test_setup_teardown(an_empty_chain_verifies, sf_setup, sf_teardown),
		T(every_kind_of_tampering_is_found),
		T(rows_are_told_in_order_and_in_pages),
		T(an_issue_names_who_what_and_why),
		T(a_value_cannot_forge_a_field),
		T(an_event_must_be_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
