/*
 * tx_test.c - the state machine of a transaction: every arrow there is, and no other.
 */
#include <stdio.h>
#include <string.h>

#include "fixture.h"

#include "base/clock.h"
#include "base/limits.h"

/* One call that moves a transaction.  This one does not wait: the row tells. */
static enum rc
reserve(struct sf *f, int64_t id, const struct sf_tx *t)
{
	char sql[160];

	ok(f, store_tx_reserve(f->s, id, "static", t->serial, NULL, &f->err));
	snprintf(sql, sizeof(sql),
	    "SELECT state = 3 AND authority = 'static' AND hex(serial) = '%s' FROM tx"
	    " WHERE id = %lld",
	    t->serial, (long long)id);
	return sf_number(f, sql) == 1 ? RC_OK : RC_CONFLICT;
}

static enum rc
sign(struct sf *f, int64_t id, const struct sf_tx *t)
{
	return store_tx_signed(f->s, id, &t->cert, true, &f->err);
}

static enum rc
notified(struct sf *f, int64_t id, const struct sf_tx *t)
{
	return store_tx_notified(f->s, id, &f->err);
}

/* Has no result of its own: the state tells. */
static enum rc
delivered(struct sf *f, int64_t id, const struct sf_tx *t)
{
	store_tx_delivered(f->s, id);
	ok(f, store_audit(f->s, "test", "", &f->err));
	return sf_state(f, id) == TX_DELIVERED ? RC_OK : RC_CONFLICT;
}

static enum rc
refuse(struct sf *f, int64_t id, const struct sf_tx *t)
{
	return store_tx_refused(f->s, id, "no", false, 0, &f->err);
}

static enum rc
undeliver(struct sf *f, int64_t id, const struct sf_tx *t)
{
	return store_tx_undelivered(f->s, id, "no", false, 0, &f->err);
}

#define BIT(s) (1u << (s))

static const struct {
	const char *name;
	enum rc (*call)(struct sf *f, int64_t id, const struct sf_tx *t);
	unsigned from; /* states */
	enum tx_state to;
} moves[] = {
	{ "reserve", reserve, BIT(TX_RECEIVED), TX_RESERVED },
	{ "signed", sign, BIT(TX_RESERVED), TX_SIGNED },
	{ "notified", notified, BIT(TX_SIGNED), TX_NOTIFIED },
	{ "delivered", delivered, BIT(TX_NOTIFIED) | BIT(TX_DELIVERED), TX_DELIVERED },
	{ "refused", refuse, BIT(TX_RECEIVED) | BIT(TX_RESERVED), TX_REFUSED },
	{ "undelivered", undeliver, BIT(TX_SIGNED) | BIT(TX_NOTIFIED), TX_UNDELIVERED },
};

static const enum tx_state reachable[] = { TX_RECEIVED, TX_RESERVED, TX_SIGNED, TX_NOTIFIED,
	TX_DELIVERED, TX_REFUSED, TX_UNDELIVERED };

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
only_the_drawn_arrows_exist(void **state)
{
	struct sf *f = *state;
	unsigned n = 1;

	for (size_t s = 0; s < N(reachable); s++) {
		for (size_t m = 0; m < N(moves); m++, n++) {
			int64_t id = sf_drive(f, n, reachable[s]);
			bool may = (moves[m].from & BIT(reachable[s])) != 0;
			struct sf_tx t;
			enum rc rc;

			sf_tx(&t, n);
			rc = moves[m].call(f, id, &t);
			if (rc != (may ? RC_OK : RC_CONFLICT) ||
			    sf_state(f, id) != (may ? moves[m].to : reachable[s]))
				fail_msg("%s from %s: %s", moves[m].name,
				    tx_state_name(reachable[s]), rc_name(rc));
		}
	}
}

static void
a_refused_move_leaves_no_row_behind(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_DELIVERED), audit, certs;
	struct sf_tx t;

	sf_tx(&t, 2);
	audit = sf_number(f, "SELECT count(*) FROM audit");
	certs = sf_number(f, "SELECT count(*) FROM cert");
	assert_int_equal(sign(f, id, &t), RC_CONFLICT);
	assert_int_equal(refuse(f, id, &t), RC_CONFLICT);
	assert_int_equal(undeliver(f, id, &t), RC_CONFLICT);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit"), audit);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), certs);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM outbox"), 0);
}

static void
an_unknown_transaction_is_not_found(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 1);
	for (size_t m = 0; m < N(moves); m++)
		if (moves[m].call != delivered && moves[m].call != reserve)
			assert_int_equal(moves[m].call(f, 999, &t), RC_NOTFOUND);
	store_tx_delivered(f->s, 999);
	assert_int_equal(reserve(f, 999, &t), RC_CONFLICT);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM tx"), 0);
}

static void
only_the_reserved_serial_number_can_be_signed(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RESERVED);
	struct sf_tx other;

	sf_tx(&other, 2);
	assert_int_equal(sign(f, id, &other), RC_CONFLICT);
	assert_int_equal(sf_state(f, id), TX_RESERVED);
}

static void
one_serial_number_is_used_once(void **state)
{
	struct sf *f = *state;
	int64_t id;
	struct sf_tx t;

	sf_drive(f, 1, TX_SIGNED);
	id = sf_begin(f, 2, TX_RECEIVED);
	sf_tx(&t, 1);
	ok(f, reserve(f, id, &t));
	assert_int_equal(sign(f, id, &t), RC_CONFLICT);
	assert_int_equal(sf_state(f, id), TX_RESERVED);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), 1);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'issue'"), 1);
}

static void
begin_tells_a_new_row_from_a_known_one(void **state)
{
	struct sf *f = *state;
	struct store_tx a, b;
	struct sf_tx t;
	bool fresh = false;

	sf_tx(&t, 1);
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &a, &fresh, &f->err));
	assert_true(fresh);
	assert_int_equal(a.attempt, 1);
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &b, &fresh, &f->err));
	assert_false(fresh);
	assert_int_equal(a.id, b.id);
	assert_int_equal(a.created, b.created);
	assert_string_equal(b.endpoint, "corp");
	assert_string_equal(b.transaction_id, "TX1");
	assert_memory_equal(b.csr_sha256, t.csr_sha256, 32);
	assert_null(b.serial);
	assert_null(b.cert);
	store_tx_done(&a);
	store_tx_done(&b);
}

static void
each_part_of_the_key_makes_another_transaction(void **state)
{
	struct sf *f = *state;
	struct sf_tx a, b;
	struct store_tx row;
	bool fresh;

	sf_tx(&a, 1);
	sf_tx(&b, 2);
	const struct tx_key keys[] = {
		{ "corp", "TX1", a.csr_sha256, a.signer_sha256 },
		{ "corp", "TX1", b.csr_sha256, a.signer_sha256 },
		{ "corp", "TX2", a.csr_sha256, a.signer_sha256 },
		{ "guest", "TX1", a.csr_sha256, a.signer_sha256 },
		{ "corpT", "X1", a.csr_sha256, a.signer_sha256 },
	};
	for (size_t i = 0; i < N(keys); i++) {
		ok(f, store_tx_begin(f->s, &keys[i], a.csr, 10, &row, &fresh, &f->err));
		assert_true(fresh);
		store_tx_done(&row);
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM tx"), N(keys));
}

static void
a_device_that_asks_again_gets_the_same_certificate(void **state)
{
	static const enum tx_state with_cert[] = { TX_SIGNED, TX_NOTIFIED, TX_DELIVERED };
	struct sf *f = *state;

	for (unsigned i = 0; i < N(with_cert); i++) {
		struct store_tx row;
		struct sf_tx t;
		bool fresh = true;

		sf_drive(f, i, with_cert[i]);
		sf_restart(f);
		sf_tx(&t, i);
		ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
		assert_false(fresh);
		assert_int_equal(row.state, with_cert[i]);
		assert_string_equal(row.serial, t.serial);
		assert_int_equal(row.cert_len, sizeof(t.der));
		assert_memory_equal(row.cert, t.der, sizeof(t.der));
		store_tx_done(&row);
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), N(with_cert));
}

static void
another_signer_key_is_denied_in_every_state(void **state)
{
	struct sf *f = *state;

	for (unsigned i = 0; i < N(reachable); i++) {
		struct store_tx row;
		struct sf_tx t;
		bool fresh;

		sf_drive(f, i, reachable[i]);
		sf_tx(&t, i);
		t.signer_sha256[31] ^= 1;
		assert_int_equal(
		    store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err),
		    RC_DENIED);
		t.signer_sha256[31] ^= 1;
		ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
		assert_int_equal(row.attempt, reachable[i] >= TX_REFUSED ? 2 : 1);
		store_tx_done(&row);
	}
}

static void
what_ended_badly_starts_again(void **state)
{
	static const enum tx_state ends[] = { TX_REFUSED, TX_UNDELIVERED };
	struct sf *f = *state;

	for (unsigned i = 0; i < N(ends); i++) {
		int64_t id = sf_drive(f, i, ends[i]);
		struct store_tx row;
		struct sf_tx t;
		bool fresh = false;

		sf_tx(&t, i);
		ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
		assert_true(fresh);
		assert_int_equal(row.id, id);
		assert_int_equal(row.state, TX_RECEIVED);
		assert_int_equal(row.attempt, 2);
		assert_null(row.serial);
		assert_null(row.reason);
		store_tx_done(&row);
		/* With another serial number: the first one was used. */
		sf_tx(&t, 100 + i);
		ok(f, reserve(f, id, &t));
		ok(f, sign(f, id, &t));
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert WHERE revoked = 0"), 2);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert WHERE revoked <> 0"), 1);
}

/* Nobody gets a dead certificate, or yesterday's, for asking as before. */
static void
what_is_no_retry_starts_again(void **state)
{
	static const struct {
		enum tx_state from;
		bool revoke;
		int64_t later; /* seconds */
		bool again;
	} rows[] = {
		{ TX_DELIVERED, false, 0, false },
		{ TX_DELIVERED, false, STORE_REPEAT_MS / 1000 - 60, false },
		{ TX_DELIVERED, false, STORE_REPEAT_MS / 1000, true },
		{ TX_DELIVERED, true, 0, true },
		{ TX_NOTIFIED, false, STORE_REPEAT_MS / 1000 - 60, false },
		{ TX_NOTIFIED, false, STORE_REPEAT_MS / 1000, true },
		{ TX_NOTIFIED, true, 0, true },
		/* Intune has still to be told: the end of that is not known. */
		{ TX_SIGNED, false, STORE_REPEAT_MS / 1000, false },
	};
	struct sf *f = *state;

	for (unsigned i = 0; i < N(rows); i++) {
		int64_t id = sf_drive(f, i, rows[i].from);
		struct store_tx row;
		struct sf_tx t;
		bool fresh = false;

		sf_tx(&t, i);
		if (rows[i].revoke)
			ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "stolen", &f->err));
		clock_offset_set(rows[i].later);
		ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
		clock_offset_set(0);
		assert_int_equal(fresh, rows[i].again);
		assert_int_equal(row.id, id);
		assert_int_equal(row.attempt, rows[i].again ? 2 : 1);
		assert_int_equal(row.cert == NULL, rows[i].again);
		store_tx_done(&row);
		if (!rows[i].again)
			continue;
		sf_tx(&t, 100 + i);
		ok(f, reserve(f, id, &t));
		ok(f, sign(f, id, &t));
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), N(rows) + 4);
}

static void
an_expired_certificate_starts_again(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RESERVED);
	struct store_tx row;
	struct sf_tx t;
	bool fresh = false;

	sf_tx(&t, 1);
	t.cert.not_after = clock_now() + 3600;
	ok(f, sign(f, id, &t));
	ok(f, store_tx_notified(f->s, id, &f->err));
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
	assert_false(fresh);
	store_tx_done(&row);
	clock_offset_set(3600);
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
	clock_offset_set(0);
	assert_true(fresh);
	store_tx_done(&row);
}

static void
the_reason_of_a_refusal_is_kept(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_REFUSED);

	sf_restart(f);
	assert_int_equal(sf_state(f, id), TX_REFUSED);
	assert_int_equal(sf_number(f, "SELECT reason = 'Intune said no' FROM tx"), 1);
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM audit WHERE event = 'refuse'"
			     " AND detail LIKE '%tx=\"TX1\"%reason=\"Intune said no\"'"),
	    1);
}

static void
undelivered_revokes_with_cessation_of_operation(void **state)
{
	struct sf *f = *state;
	struct store_cert_row row;
	struct sf_tx t;

	for (unsigned i = 0; i < 2; i++) {
		int64_t id = sf_drive(f, i, i == 0 ? TX_SIGNED : TX_NOTIFIED);

		sf_tx(&t, i);
		ok(f, store_tx_undelivered(f->s, id, "Intune said no", false, 0, &f->err));
		ok(f, store_cert_get(f->s, t.serial, NULL, &row, &f->err));
		assert_true(row.revoked > 0);
		assert_int_equal(row.reason, 5);
		assert_string_equal(row.revoked_why, "Intune said no");
		store_cert_row_done(&row);
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'revoke'"), 2);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'undelivered'"), 2);
}

static void
undelivered_keeps_an_administrators_revocation(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_NOTIFIED);
	struct store_cert_row row;
	struct sf_tx t;

	sf_tx(&t, 1);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "stolen", &f->err));
	ok(f, undeliver(f, id, &t));
	ok(f, store_cert_get(f->s, t.serial, NULL, &row, &f->err));
	assert_int_equal(row.reason, 1);
	store_cert_row_done(&row);
}

static void
a_crash_leaves_the_unfinished_to_be_found(void **state)
{
	struct sf *f = *state;
	struct store_tx *list = NULL;
	struct sf_tx t;
	size_t n = 0;

	for (unsigned i = 0; i < N(reachable); i++)
		sf_drive(f, i, reachable[i]);
	sf_restart(f);
	ok(f, store_tx_unfinished(f->s, 100, &list, &n, &f->err));
	assert_int_equal(n, 3);
	for (unsigned i = 0; i < n; i++) {
		sf_tx(&t, i);
		assert_int_equal(list[i].state, reachable[i]);
		assert_int_equal(list[i].csr_len, sizeof(t.csr));
		assert_memory_equal(list[i].csr, t.csr, sizeof(t.csr));
		assert_string_equal(list[i].transaction_id, t.transaction_id);
	}
	assert_null(list[0].context);
	assert_string_equal(list[1].context, "{\"n\":1}");
	assert_null(list[1].cert);
	assert_string_equal(list[2].serial, t.serial);
	assert_memory_equal(list[2].cert, t.der, sizeof(t.der));
	store_tx_list_free(list, n);
	ok(f, store_tx_unfinished(f->s, 2, &list, &n, &f->err));
	assert_int_equal(n, 2);
	assert_int_equal(list[0].state, TX_RECEIVED);
	store_tx_list_free(list, n);
}

static void
a_request_is_kept_no_longer_than_needed(void **state)
{
	struct sf *f = *state;

	sf_drive(f, 1, TX_DELIVERED);
	sf_drive(f, 2, TX_REFUSED);
	sf_drive(f, 3, TX_UNDELIVERED);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM tx WHERE context IS NOT NULL"), 0);
}

static void
arguments_out_of_bounds_never_reach_the_database(void **state)
{
	struct sf *f = *state;
	static uint8_t big[STORE_REQUEST_MAX + 1];
	char long_id[LIMIT_TXID + 2];
	struct store_tx row;
	struct sf_tx t;
	int64_t id;
	bool fresh;

	sf_tx(&t, 1);
	assert_int_equal(
	    store_tx_begin(f->s, &t.key, big, sizeof(big), &row, &fresh, &f->err), RC_LIMIT);
	memset(long_id, 'A', sizeof(long_id));
	long_id[LIMIT_TXID + 1] = '\0';
	t.key.transaction_id = long_id;
	assert_int_equal(store_tx_begin(f->s, &t.key, t.csr, 1, &row, &fresh, &f->err), RC_LIMIT);
	t.key.transaction_id = "";
	assert_int_equal(store_tx_begin(f->s, &t.key, t.csr, 1, &row, &fresh, &f->err), RC_BUG);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM tx"), 0);

	id = sf_begin(f, 1, TX_RECEIVED);
	static const char *const bad_serials[] = { "", "0", "00", "ABC", "XY",
		"0102030405060708090A0B0C0D0E0F101112131415" };
	for (size_t i = 0; i < N(bad_serials); i++)
		assert_int_equal(
		    store_tx_reserve(f->s, id, "static", bad_serials[i], NULL, &f->err), RC_PARSE);
	assert_int_equal(sf_state(f, id), TX_RECEIVED);
}

static void
every_state_has_a_name(void **state)
{
	for (int s = TX_RECEIVED; s < TX__MAX; s++)
		assert_string_not_equal(tx_state_name((enum tx_state)s), "unknown");
	assert_string_equal(tx_state_name((enum tx_state)0), "unknown");
	assert_string_equal(tx_state_name(TX__MAX), "unknown");
	assert_string_equal(tx_state_name((enum tx_state) - 1), "unknown");
}

#define T(name) cmocka_unit_test_setup_teardown(name, sf_setup, sf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(only_the_drawn_arrows_exist),
		T(a_refused_move_leaves_no_row_behind),
		T(an_unknown_transaction_is_not_found),
		T(only_the_reserved_serial_number_can_be_signed),
		T(one_serial_number_is_used_once),
		T(begin_tells_a_new_row_from_a_known_one),
		T(each_part_of_the_key_makes_another_transaction),
		T(a_device_that_asks_again_gets_the_same_certificate),
		T(another_signer_key_is_denied_in_every_state),
		T(what_ended_badly_starts_again),
		T(what_is_no_retry_starts_again),
		T(an_expired_certificate_starts_again),
		T(the_reason_of_a_refusal_is_kept),
		T(undelivered_revokes_with_cessation_of_operation),
		T(undelivered_keeps_an_administrators_revocation),
		T(a_crash_leaves_the_unfinished_to_be_found),
		T(a_request_is_kept_no_longer_than_needed),
		T(arguments_out_of_bounds_never_reach_the_database),
		T(every_state_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
