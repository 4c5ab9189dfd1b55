/*
 * renewal_test.c - which certificate replaces which, and when the old one is revoked for that.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "fixture.h"

#define DAY_S (24 * 3600)

static int
setup(void **state)
{
	clock_offset_set(0);
	return sf_setup(state);
}

static int
teardown(void **state)
{
	clock_offset_set(0);
	return sf_teardown(state);
}

/* Number n replaces number `old`, which goes `after` seconds from now (0: never); up to state `to`. */
static int64_t
renew(struct sf *f, unsigned n, unsigned old, int64_t after, enum tx_state to)
{
	struct sf_tx t, o;
	int64_t id = sf_drive(f, n, TX_RESERVED);

	sf_tx(&t, n);
	sf_tx(&o, old);
	t.cert.replaces = o.serial;
	t.cert.revoke_replaced = after == 0 ? 0 : clock_now() + after;
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
	if (to == TX_UNDELIVERED) {
		ok(f, store_tx_undelivered(f->s, id, "no", false, 0, &f->err));
	} else if (to > TX_SIGNED) {
		ok(f, store_tx_notified(f->s, id, &f->err));
		if (to == TX_DELIVERED)
			store_tx_delivered(f->s, id);
		ok(f, store_flush(f->s, &f->err));
	}
	return id;
}

/* store_replaced_revoke() now; the list is looked at by number: bit n for serial number of n. */
static unsigned
revoked_now(struct sf *f)
{
	struct store_replaced *list;
	unsigned mask = 0;
	size_t n;

	ok(f, store_replaced_revoke(f->s, clock_now(), &list, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 1; k < 16; k++) {
			struct sf_tx t;

			sf_tx(&t, k);
			if (strcmp(t.serial, list[i].serial) == 0)
				mask |= 1u << k;
			assert_string_equal(list[i].ca, "issuing");
			assert_string_equal(list[i].endpoint, "corp");
		}
	store_replaced_free(list, n);
	return mask;
}

static int64_t
revoked_at(struct sf *f, unsigned n, int *reason)
{
	struct store_cert_row row;
	struct sf_tx t;
	int64_t at;

	sf_tx(&t, n);
	ok(f, store_cert_get(f->s, t.serial, NULL, &row, &f->err));
	at = row.revoked;
	if (reason != NULL)
		*reason = row.reason;
	store_cert_row_done(&row);
	return at;
}

static struct store_renewal
renewal(struct sf *f, unsigned n)
{
	struct store_renewal r;
	struct sf_tx t;

	sf_tx(&t, n);
	ok(f, store_renewal_get(f->s, t.serial, NULL, &r, &f->err));
	return r;
}

static void
both_know_of_each_other(void **state)
{
	struct sf *f = *state;
	struct store_renewal r;
	struct sf_tx a, b, c;

	sf_drive(f, 1, TX_DELIVERED);
	renew(f, 2, 1, DAY_S, TX_DELIVERED);
	renew(f, 3, 2, 0, TX_DELIVERED);
	sf_tx(&a, 1);
	sf_tx(&b, 2);
	sf_tx(&c, 3);
	sf_restart(f);
	r = renewal(f, 1);
	assert_null(r.replaces);
	assert_string_equal(r.replaced_by, b.serial);
	assert_int_equal(r.times, 1);
	assert_in_range(r.revoke_at, clock_now() + DAY_S - 60, clock_now() + DAY_S);
	assert_in_range(r.replaced_at, clock_now() - 60, clock_now());
	store_renewal_done(&r);
	r = renewal(f, 2);
	assert_string_equal(r.replaces, a.serial);
	assert_string_equal(r.replaced_by, c.serial);
	assert_int_equal(r.revoke_at, 0);
	store_renewal_done(&r);
	r = renewal(f, 3);
	assert_string_equal(r.replaces, b.serial);
	assert_null(r.replaced_by);
	assert_int_equal(r.times, 0);
	store_renewal_done(&r);
	assert_int_equal(store_renewal_get(f->s, "DEAD", NULL, &r, &f->err), RC_NOTFOUND);
	assert_int_equal(store_renewal_get(f->s, "x", NULL, &r, &f->err), RC_PARSE);
}

static void
the_audit_row_says_what_is_replaced(void **state)
{
	struct sf *f = *state;
	char sql[200];
	struct sf_tx a;

	sf_drive(f, 1, TX_DELIVERED);
	renew(f, 2, 1, 0, TX_SIGNED);
	sf_tx(&a, 1);
	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM audit WHERE event = 'issue' AND detail LIKE '%% replaces=%s'",
	    a.serial);
	assert_int_equal(sf_number(f, sql), 1);
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM audit WHERE detail LIKE '%replaces%'"), 1);
}

static void
what_is_not_there_cannot_be_replaced(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	int64_t id = sf_drive(f, 1, TX_RESERVED);

	sf_tx(&t, 1);
	t.cert.replaces = "DEADBEEF";
	assert_int_equal(store_tx_signed(f->s, id, &t.cert, false, &f->err), RC_NOTFOUND);
	t.cert.replaces = "no hex";
	assert_int_equal(store_tx_signed(f->s, id, &t.cert, false, &f->err), RC_PARSE);
	assert_int_equal(sf_state(f, id), TX_RESERVED);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit"), 0);
}

/* While somebody was asked, or a key signed. */
static void
one_that_was_revoked_meanwhile_is_not_replaced(void **state)
{
	struct sf *f = *state;
	struct sf_tx a, b;
	int64_t id;

	sf_drive(f, 1, TX_DELIVERED);
	id = sf_drive(f, 2, TX_RESERVED);
	sf_tx(&a, 1);
	sf_tx(&b, 2);
	ok(f, store_cert_revoke(f->s, a.serial, NULL, 1, "stolen", &f->err));
	b.cert.replaces = a.serial;
	assert_int_equal(store_tx_signed(f->s, id, &b.cert, false, &f->err), RC_DENIED);
	ok(f, store_tx_refused(f->s, id, "revoked", false, 0, &f->err));
}

static void
the_old_one_goes_when_its_time_has_come(void **state)
{
	struct sf *f = *state;
	struct store_renewal r;
	uint64_t rows;
	int reason;

	sf_drive(f, 1, TX_DELIVERED);
	sf_drive(f, 3, TX_DELIVERED);
	renew(f, 2, 1, DAY_S, TX_DELIVERED);
	renew(f, 4, 3, 0, TX_DELIVERED); /* never */
	assert_int_equal(revoked_now(f), 0);
	clock_offset_set(DAY_S + 1);
	assert_int_equal(revoked_now(f), 1u << 1);
	assert_int_not_equal(revoked_at(f, 1, &reason), 0);
	assert_int_equal(reason, 4); /* superseded */
	assert_int_equal(revoked_at(f, 2, NULL), 0);
	assert_int_equal(revoked_at(f, 3, NULL), 0);
	assert_int_equal(revoked_now(f), 0);
	r = renewal(f, 1);
	assert_int_equal(r.revoke_at, 0);
	store_renewal_done(&r);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'revoke'"), 1);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
}

/* A device that never got the new one goes on with the old one. */
static void
not_before_the_new_one_is_in_the_devices_hands(void **state)
{
	struct sf *f = *state;
	int64_t id;

	sf_drive(f, 1, TX_DELIVERED);
	id = renew(f, 2, 1, DAY_S, TX_NOTIFIED);
	clock_offset_set(DAY_S + 1);
	assert_int_equal(revoked_now(f), 0);
	assert_int_equal(revoked_at(f, 1, NULL), 0);
	store_tx_delivered(f->s, id);
	ok(f, store_flush(f->s, &f->err));
	assert_int_equal(revoked_now(f), 0); /* it is looked at day by day */
	clock_offset_set(2 * DAY_S + 2);
	assert_int_equal(revoked_now(f), 1u << 1);
}

static void
not_when_the_new_one_was_revoked(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_drive(f, 1, TX_DELIVERED);
	sf_drive(f, 3, TX_DELIVERED);
	renew(f, 2, 1, DAY_S, TX_UNDELIVERED);
	renew(f, 4, 3, DAY_S, TX_DELIVERED);
	sf_tx(&t, 4);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "stolen", &f->err));
	clock_offset_set(DAY_S + 1);
	assert_int_equal(revoked_now(f), 0);
	assert_int_equal(revoked_at(f, 1, NULL), 0);
	assert_int_equal(revoked_at(f, 3, NULL), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM renewal WHERE due > 0"), 0);
}

/* The transaction of the new one has begun again, for another certificate. */
static void
delivered_counts_for_the_certificate_that_it_was(void **state)
{
	struct sf *f = *state;
	struct sf_tx t, o, again;
	int64_t id;

	sf_drive(f, 1, TX_DELIVERED);
	id = renew(f, 2, 1, DAY_S, TX_NOTIFIED);
	clock_offset_set(STORE_REPEAT_MS / 1000 + 1);
	assert_int_equal(sf_begin(f, 2, TX_RECEIVED), id);
	sf_tx(&t, 2);
	sf_tx(&o, 1);
	sf_tx(&again, 5);
	t.cert.serial = again.serial;
	t.cert.replaces = o.serial;
	t.cert.revoke_replaced = clock_now() + DAY_S;
	ok(f, store_tx_reserve(f->s, id, "renewal", again.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
	ok(f, store_tx_notified(f->s, id, &f->err));
	store_tx_delivered(f->s, id);
	ok(f, store_flush(f->s, &f->err));
	assert_int_equal(
	    revoked_now(f), 0); /* the first is due, but nobody knows that it arrived */
	clock_offset_set(STORE_REPEAT_MS / 1000 + DAY_S + 2);
	assert_int_equal(revoked_now(f), 1u << 1);
	clock_offset_set(STORE_REPEAT_MS / 1000 + 3 * DAY_S);
	assert_int_equal(revoked_now(f), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM renewal WHERE due > 0"), 0);
}

static void
two_that_replace_one_revoke_it_once(void **state)
{
	struct sf *f = *state;
	struct store_renewal r;
	struct sf_tx t;

	sf_drive(f, 1, TX_DELIVERED);
	renew(f, 2, 1, DAY_S, TX_DELIVERED);
	renew(f, 3, 1, DAY_S, TX_DELIVERED);
	r = renewal(f, 1);
	sf_tx(&t, 3);
	assert_string_equal(r.replaced_by, t.serial);
	assert_int_equal(r.times, 2);
	store_renewal_done(&r);
	clock_offset_set(DAY_S + 1);
	assert_int_equal(revoked_now(f), 1u << 1);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'revoke'"), 1);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM renewal WHERE due > 0"), 0);
}

static void
an_administrator_who_was_faster_stands(void **state)
{
	struct sf *f = *state;
	struct store_renewal r;
	struct sf_tx t;
	int reason;

	sf_drive(f, 1, TX_DELIVERED);
	renew(f, 2, 1, DAY_S, TX_DELIVERED);
	sf_tx(&t, 1);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "stolen", &f->err));
	r = renewal(f, 1);
	assert_int_equal(r.revoke_at, 0);
	store_renewal_done(&r);
	clock_offset_set(DAY_S + 1);
	assert_int_equal(revoked_now(f), 0);
	revoked_at(f, 1, &reason);
	assert_int_equal(reason, 1);
}

/* As many as a call takes are stuck, and those behind them get their turn. */
static void
those_that_wait_hold_nobody_up(void **state)
{
	struct sf *f = *state;
	char sql[1200];

	sf_drive(f, 1, TX_DELIVERED);
	renew(f, 2, 1, DAY_S, TX_DELIVERED);
	snprintf(sql, sizeof(sql),
	    "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1"
	    " FROM n WHERE i < %d) SELECT i FROM n;"
	    "INSERT INTO tx(id, key, state, attempt, created, changed, csr_sha256, signer_sha256,"
	    " endpoint, transaction_id) SELECT i, CAST(i AS BLOB), 5, 1, 1, 1, zeroblob(32),"
	    " zeroblob(32), 'corp', 'x' || i FROM n;"
	    "INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, ca, "
	    "endpoint,"
	    " profile, thumbprint, der) SELECT i, CAST(i AS BLOB), i, 1, 1, 1, 4000000000, "
	    "'issuing',"
	    " 'corp', 'wifi', '', x'00' FROM n;"
	    "INSERT INTO renewal(cert_id, old_id, due) SELECT i, i - 1, 5 FROM n WHERE i > 1000",
	    1001 + 2 * STORE_REPLACED_MAX);
	sf_sql(f, sql);
	clock_offset_set(DAY_S + 1);
	assert_int_equal(revoked_now(f), 0);
	assert_int_equal(revoked_now(f), 0);
	assert_int_equal(revoked_now(f), 1u << 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(both_know_of_each_other),
		T(the_audit_row_says_what_is_replaced),
		T(what_is_not_there_cannot_be_replaced),
		T(one_that_was_revoked_meanwhile_is_not_replaced),
		T(the_old_one_goes_when_its_time_has_come),
		T(not_before_the_new_one_is_in_the_devices_hands),
		T(not_when_the_new_one_was_revoked),
		T(delivered_counts_for_the_certificate_that_it_was),
		T(two_that_replace_one_revoke_it_once),
		T(an_administrator_who_was_faster_stands),
		T(those_that_wait_hold_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
