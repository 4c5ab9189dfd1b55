/*
 * rollover_test.c - shares of endpoints, retired CAs, the walk over valid certificates.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "fixture.h"

static void
a_new_database_knows_of_no_rollover(void **state)
{
	struct sf *f = *state;
	struct store_succession s;

	ok(f, store_succession_read(f->s, &s, &f->err));
	assert_int_equal(s.n_rollovers, 0);
	assert_int_equal(s.n_retired, 0);
	store_succession_done(&s);
}

static void
a_share_is_kept_over_a_restart_and_each_change_audited(void **state)
{
	struct sf *f = *state;
	struct store_succession s;
	unsigned before = 77;
	uint64_t rows;

	ok(f, store_rollover_set(f->s, "corp", "old", "new", 30, "root", &before, &f->err));
	assert_int_equal(before, 0);
	sf_restart(f);
	ok(f, store_rollover_set(f->s, "corp", "old", "new", 60, "root", &before, &f->err));
	assert_int_equal(before, 30);
	ok(f, store_rollover_set(f->s, "wifi", "old", "new", 5, "root", &before, &f->err));
	assert_int_equal(before, 0);
	ok(f, store_succession_read(f->s, &s, &f->err));
	assert_int_equal(s.n_rollovers, 2);
	assert_string_equal(s.rollovers[0].endpoint, "corp");
	assert_string_equal(s.rollovers[0].from_ca, "old");
	assert_string_equal(s.rollovers[0].to_ca, "new");
	assert_int_equal(s.rollovers[0].share, 60);
	assert_in_range(clock_now() - s.rollovers[0].changed, 0, 60);
	assert_int_equal(s.rollovers[1].share, 5);
	store_succession_done(&s);
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM audit WHERE event = 'rollover' AND "
			     "detail LIKE '%endpoint=\"corp\" from=\"old\" to=\"new\" share=60 "
			     "before=30 who=\"root\"%'"),
	    1);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(rows, 3);
}

static void
nonsense_is_refused(void **state)
{
	struct sf *f = *state;
	unsigned before;

	assert_int_equal(
	    store_rollover_set(f->s, "corp", "old", "new", 101, "root", &before, &f->err),
	    RC_DENIED);
	assert_int_not_equal(
	    store_rollover_set(f->s, NULL, "old", "new", 1, "root", &before, &f->err), RC_OK);
	assert_int_not_equal(
	    store_rollover_set(f->s, "corp", "old", "new", 1, NULL, &before, &f->err), RC_OK);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit"), 0);
}

static void
a_ca_is_retired_once_and_by_somebody(void **state)
{
	struct sf *f = *state;
	struct store_succession s;
	struct store *daemon;

	ok(f, store_ca_retire(f->s, "old", "jane (uid 1000)", "0 valid certificates", &f->err));
	assert_int_equal(store_ca_retire(f->s, "old", "root", NULL, &f->err), RC_CONFLICT);
	ok(f, store_open_shared(&daemon, f->url, &f->err));
	ok(f, store_succession_read(daemon, &s, &f->err));
	assert_int_equal(s.n_retired, 1);
	assert_string_equal(s.retired[0], "old");
	store_succession_done(&s);
	store_close(daemon);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'retire'"), 1);
}

struct seen {
	unsigned n, stop_at;
	char text[256];
};

static int
on_cert(void *arg, const struct store_cert_brief *c)
{
	struct seen *seen = arg;

	if (seen->n < 4)
		(void)snprintf(seen->text + strlen(seen->text),
		    sizeof(seen->text) - strlen(seen->text), "%s/%s/%s/%s ", c->ca, c->endpoint,
		    c->subject, c->san != NULL ? c->san : "-");
	return ++seen->n == seen->stop_at;
}

static void
only_valid_certificates_are_walked(void **state)
{
	struct sf *f = *state;
	struct seen seen = { 0 };
	int64_t after = 0;
	bool more = true;
	struct sf_tx t;

	for (unsigned i = 0; i < 4; i++) {
		int64_t id = sf_drive(f, i, TX_RESERVED);

		sf_tx(&t, i);
		t.cert.ca = i == 2 ? "new" : "old";
		t.cert.not_after = i == 1 ? clock_now() - 1 : clock_now() + 1000;
		t.cert.subject = "CN=a";
		t.cert.san = i == 0 ? NULL : "dns:a";
		ok(f, store_tx_signed(f->s, id, &t.cert, true, &f->err));
		if (i == 3)
			ok(f, store_cert_revoke(f->s, t.serial, NULL, 4, "replaced", &f->err));
	}
	ok(f, store_cert_brief_page(f->s, clock_now(), &after, &more, on_cert, &seen, &f->err));
	assert_false(more);
	assert_string_equal(seen.text, "old/corp/CN=a/- new/corp/CN=a/dns:a ");
}

/* Ten thousand rows, made behind the store's back. */
static void
a_long_walk_goes_page_by_page_and_can_be_ended(void **state)
{
	struct sf *f = *state;
	struct seen seen = { 0 };
	int64_t after = 0;
	unsigned pages = 0;
	bool more = true;

	sf_sql(f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
	    "INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, ca, endpoint, "
	    "profile, subject, san, thumbprint, der) SELECT CAST(i AS BLOB), i, 1, 1, 1, "
	    "4000000000, 'old', "
	    "'corp', 'wifi', 'CN=' || i, NULL, '', x'00' FROM n");
	for (; more; pages++)
		ok(f,
		    store_cert_brief_page(
			f->s, clock_now(), &after, &more, on_cert, &seen, &f->err));
	assert_int_equal(seen.n, 10000);
	assert_true(pages > 1);
	seen = (struct seen){ .stop_at = 5 };
	after = 0;
	ok(f, store_cert_brief_page(f->s, clock_now(), &after, &more, on_cert, &seen, &f->err));
	assert_int_equal(seen.n, 5);
	assert_false(more);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(a_new_database_knows_of_no_rollover),
		T(a_share_is_kept_over_a_restart_and_each_change_audited),
		T(nonsense_is_refused),
		T(a_ca_is_retired_once_and_by_somebody),
		T(only_valid_certificates_are_walked),
		T(a_long_walk_goes_page_by_page_and_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
