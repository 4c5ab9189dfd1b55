/*
 * cert_test.c - certificates: found, listed, filtered, revoked; CRL numbers.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "fixture.h"

#define CERTS 7

/* CERTS certificates, numbers 0 and 3 revoked, number 5 of another CA. */
static int
setup(void **state)
{
	struct sf *f;

	if (sf_setup(state) != 0)
		return -1;
	f = *state;
	for (unsigned i = 0; i < CERTS; i++) {
		int64_t id = sf_drive(f, i, TX_RESERVED);
		struct sf_tx t;

		sf_tx(&t, i);
		if (i == 5)
			t.cert.ca = "other";
		ok(f, store_tx_signed(f->s, id, &t.cert, true, &f->err));
		if (i % 3 == 0 && i < 6)
			ok(f, store_cert_revoke(f->s, t.serial, NULL, 4, "replaced", &f->err));
	}
	return 0;
}

static void
a_certificate_is_found_as_it_was_stored(void **state)
{
	struct sf *f = *state;
	struct store_cert_row r;
	struct sf_tx t;

	sf_tx(&t, 1);
	ok(f, store_cert_get(f->s, t.serial, NULL, &r, &f->err));
	assert_string_equal(r.serial, t.serial);
	assert_string_equal(r.ca, "issuing");
	assert_string_equal(r.endpoint, "corp");
	assert_string_equal(r.profile, "wifi");
	assert_string_equal(r.subject, t.subject);
	assert_string_equal(r.san, t.san);
	assert_string_equal(r.thumbprint, t.cert.thumbprint);
	assert_string_equal(r.transaction_id, "TX1");
	assert_int_equal(r.der_len, sizeof(t.der));
	assert_memory_equal(r.der, t.der, sizeof(t.der));
	assert_int_equal(r.not_before, 1000);
	assert_int_equal(r.not_after, 4000000001);
	assert_in_range(clock_now() - r.issued, 0, 60);
	assert_int_equal(r.revoked, 0);
	assert_null(r.revoked_why);
	store_cert_row_done(&r);
}

static void
a_serial_number_is_a_number_whatever_its_spelling(void **state)
{
	struct sf *f = *state;
	struct store_cert_row r;
	char text[64];
	struct sf_tx t;

	sf_tx(&t, 1);
	snprintf(text, sizeof(text), "0000%s", t.serial);
	for (char *p = text; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	ok(f, store_cert_get(f->s, text, NULL, &r, &f->err));
	assert_string_equal(r.serial, t.serial);
	store_cert_row_done(&r);
	assert_int_equal(store_cert_get(f->s, "0123", NULL, &r, &f->err), RC_NOTFOUND);
	assert_int_equal(store_cert_get(f->s, "xyz", NULL, &r, &f->err), RC_PARSE);
	assert_int_equal(store_cert_get(f->s, "", NULL, &r, &f->err), RC_PARSE);
}

static void
the_status_of_a_certificate_is_its_ca_s_to_tell(void **state)
{
	struct sf *f = *state;
	struct store_cert_status st = { -1, -1 };
	struct sf_tx t;

	sf_tx(&t, 1);
	ok(f, store_cert_status(f->s, t.serial, "issuing", &st, &f->err));
	assert_int_equal(st.revoked, 0);
	sf_tx(&t, 3);
	ok(f, store_cert_status(f->s, t.serial, "issuing", &st, &f->err));
	assert_in_range(clock_now() - st.revoked, 0, 60);
	assert_int_equal(st.reason, 4);
	sf_tx(&t, 5);
	st.reason = 77;
	assert_int_equal(store_cert_status(f->s, t.serial, "issuing", &st, &f->err), RC_NOTFOUND);
	assert_int_equal(store_cert_status(f->s, "0123", "issuing", &st, &f->err), RC_NOTFOUND);
	assert_int_equal(store_cert_status(f->s, "x", "issuing", &st, &f->err), RC_PARSE);
	assert_int_equal(st.reason, 77);
	ok(f, store_cert_status(f->s, t.serial, "other", &st, &f->err));
}

static void
a_revocation_happens_once_and_is_audited(void **state)
{
	struct sf *f = *state;
	struct store_cert_row r;
	struct sf_tx t;

	sf_tx(&t, 2);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "stolen \"phone\"\n", &f->err));
	ok(f, store_cert_get(f->s, t.serial, NULL, &r, &f->err));
	assert_in_range(clock_now() - r.revoked, 0, 60);
	assert_int_equal(r.reason, 1);
	assert_string_equal(r.revoked_why, "stolen \"phone\"\n");
	store_cert_row_done(&r);
	assert_int_equal(store_cert_revoke(f->s, t.serial, NULL, 4, "again", &f->err), RC_CONFLICT);
	assert_int_equal(store_cert_revoke(f->s, "0123", NULL, 4, "who", &f->err), RC_NOTFOUND);
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM audit WHERE event = 'revoke' AND detail LIKE"
			     " '%reason=1 source=\"manual\" cause=\"revoke\" why=\"stolen "
			     "\\\"phone\\\"\\x0A\"'"),
	    1);
}

static void
only_reasons_of_rfc_5280_are_taken(void **state)
{
	static const int bad[] = { -1, 7, 8, 11, 1000 };
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    store_cert_revoke(f->s, t.serial, NULL, bad[i], "x", &f->err), RC_DENIED);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 0, NULL, &f->err));
}

/* Collect the numbers of the certificates that a list yields, as "0 3 5 ". */
struct seen {
	char text[200];
	int64_t last;
	size_t stop_at, n;
};

static int
see(void *arg, int64_t rowid, const struct store_cert_row *r)
{
	struct seen *s = arg;
	unsigned n;

	assert_int_equal(sscanf(r->subject, "CN=Device %u,", &n), 1);
	assert_true(rowid > s->last);
	s->last = rowid;
	snprintf(s->text + strlen(s->text), sizeof(s->text) - strlen(s->text), "%u ", n);
	return ++s->n == s->stop_at;
}

static void
a_filter_lets_through_what_it_says(void **state)
{
	struct sf *f = *state;
	static const struct {
		struct store_cert_filter f;
		const char *want;
	} t[] = {
		{ { .revoked = -1 }, "0 1 2 3 4 5 6 " },
		{ { .revoked = 0 }, "1 2 4 5 6 " },
		{ { .revoked = 1 }, "0 3 " },
		{ { .revoked = -1, .ca = "issuing" }, "0 1 2 3 4 6 " },
		{ { .revoked = 1, .ca = "other" }, "" },
		{ { .revoked = -1, .endpoint = "corp" }, "0 1 2 3 4 5 6 " },
		{ { .revoked = -1, .endpoint = "guest" }, "" },
		{ { .revoked = -1, .text = "*user3@*" }, "3 " },
		{ { .revoked = -1, .text = "cn=device ?,*" }, "0 1 2 3 4 5 6 " },
		{ { .revoked = -1, .text = "*00000002" }, "2 " },
		{ { .revoked = -1, .text = "Device" }, "" },
		{ { .revoked = -1, .text = "%" }, "" },
		{ { .revoked = -1, .valid_at = 4000000004 }, "4 5 6 " },
		{ { .revoked = -1, .valid_at = 4000001000 }, "" },
		{ { .revoked = 0, .ca = "issuing", .text = "*Device*", .valid_at = 4000000002 },
		    "2 4 6 " },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct seen s = { 0 };
		int64_t next = -1;

		ok(f, store_cert_page(f->s, &t[i].f, 100, &next, see, &s, &f->err));
		assert_string_equal(s.text, t[i].want);
		assert_int_equal(next, 0);
	}
}

static void
pages_join_without_gap_or_overlap(void **state)
{
	struct sf *f = *state;

	for (size_t page = 1; page <= CERTS + 1; page++) {
		struct store_cert_filter filter = { .revoked = -1 };
		struct seen s = { 0 };
		size_t before;

		do {
			before = s.n;
			ok(f,
			    store_cert_page(
				f->s, &filter, page, &filter.after_rowid, see, &s, &f->err));
			assert_true(s.n - before <= page);
		} while (filter.after_rowid != 0);
		assert_string_equal(s.text, "0 1 2 3 4 5 6 ");
	}
}

static void
the_caller_can_stop_a_list(void **state)
{
	struct sf *f = *state;
	struct store_cert_filter filter = { .revoked = -1 };
	struct seen s = { .stop_at = 2 };
	int64_t next = 0;

	ok(f, store_cert_page(f->s, &filter, 100, &next, see, &s, &f->err));
	assert_string_equal(s.text, "0 1 ");
	assert_int_equal(next, s.last);
	ok(f, store_cert_page(f->s, &filter, 0, &next, see, &s, &f->err));
	assert_int_equal(s.n, 2);
}

static int
revoke_each(void *arg, int64_t rowid, const struct store_cert_row *r)
{
	struct sf *f = arg;

	ok(f, store_cert_revoke(f->s, r->serial, NULL, 5, "gone", &f->err));
	return 0;
}

static void
a_list_may_be_changed_while_it_is_read(void **state)
{
	struct sf *f = *state;
	struct store_cert_filter filter = { .revoked = 0 };
	struct store_stats st;
	int64_t next;

	ok(f, store_cert_page(f->s, &filter, 100, &next, revoke_each, f, &f->err));
	ok(f, store_stats(f->s, &st, &f->err));
	assert_int_equal(st.revoked, CERTS);
}

static void
figures_add_up(void **state)
{
	static const enum tx_state more[] = { TX_RECEIVED, TX_RESERVED, TX_NOTIFIED, TX_DELIVERED,
		TX_DELIVERED, TX_REFUSED, TX_UNDELIVERED };
	struct sf *f = *state;
	struct store_stats st;

	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		sf_drive(f, 100 + i, more[i]);
	ok(f, store_stats(f->s, &st, &f->err));
	assert_int_equal(st.certs, CERTS + 4);
	assert_int_equal(st.revoked, 3);
	assert_int_equal(st.outbox, CERTS);
	assert_int_equal(st.tx[TX_RECEIVED], 1);
	assert_int_equal(st.tx[TX_AUTHORISED], 0);
	assert_int_equal(st.tx[TX_RESERVED], 1);
	assert_int_equal(st.tx[TX_SIGNED], CERTS);
	assert_int_equal(st.tx[TX_NOTIFIED], 1);
	assert_int_equal(st.tx[TX_DELIVERED], 2);
	assert_int_equal(st.tx[TX_REFUSED], 1);
	assert_int_equal(st.tx[TX_UNDELIVERED], 1);
	assert_true(st.commits > 0 && st.writes >= st.commits);
}

static void
crl_numbers_go_up_by_one_for_each_ca(void **state)
{
	struct sf *f = *state;
	uint64_t n = 0;

	for (uint64_t i = 1; i <= 3; i++) {
		ok(f, store_crl_numbers(f->s, "issuing", 1, &n, &f->err));
		assert_int_equal(n, i);
	}
	ok(f, store_crl_numbers(f->s, "other", 1, &n, &f->err));
	assert_int_equal(n, 1);
	ok(f, store_crl_numbers(f->s, "issuing", 64, &n, &f->err));
	assert_int_equal(n, 4);
	ok(f, store_crl_numbers(f->s, "third", 2, &n, &f->err));
	assert_int_equal(n, 1);
	assert_int_equal(store_crl_numbers(f->s, "issuing", 0, &n, &f->err), RC_BUG);
	sf_restart(f);
	ok(f, store_crl_numbers(f->s, "issuing", 1, &n, &f->err));
	assert_int_equal(n, 68);
	ok(f, store_crl_numbers(f->s, "third", 1, &n, &f->err));
	assert_int_equal(n, 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, sf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_certificate_is_found_as_it_was_stored),
		T(a_serial_number_is_a_number_whatever_its_spelling),
		T(the_status_of_a_certificate_is_its_ca_s_to_tell),
		T(a_revocation_happens_once_and_is_audited),
		T(only_reasons_of_rfc_5280_are_taken),
		T(a_filter_lets_through_what_it_says),
		T(pages_join_without_gap_or_overlap),
		T(the_caller_can_stop_a_list),
		T(a_list_may_be_changed_while_it_is_read),
		T(figures_add_up),
		T(crl_numbers_go_up_by_one_for_each_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
