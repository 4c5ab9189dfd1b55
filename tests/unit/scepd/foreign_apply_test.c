/* foreign_apply_test.c - what the list of a foreign CA says becomes causes, and nothing else does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scepd/foreign_apply.h"

#include "../store/fixture.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define NOW  INT64_C(1700000000) /* long ago: what the CA says of the future does not count */

/* ---- lists ---- */

/* Entries of a list as crl_read() leaves them: serial numbers in hex with ":REASON". */
static void
put_entry(struct buf *b, const char *serial, int reason, int64_t when)
{
	uint8_t v[SERIAL_MAX], r = (uint8_t)reason;
	size_t len = strlen(serial) / 2, e = der_open(b, DER_SEQUENCE), x, y, z;
	unsigned octet;

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(sscanf(serial + 2 * i, "%2x", &octet), 1);
		v[i] = (uint8_t)octet;
	}
	der_add_magnitude(b, v, len);
	assert_true(der_add_time(b, when));
	if (reason != 0) {
		x = der_open(b, DER_SEQUENCE);
		y = der_open(b, DER_SEQUENCE);
		assert_true(der_add_oid(b, "2.5.29.21"));
		z = der_open(b, DER_OCTET_STRING);
		der_add(b, DER_ENUMERATED, &r, 1);
		der_close(b, z);
		der_close(b, y);
		der_close(b, x);
	}
	der_close(b, e);
}

/* "0A01:1 0A02:6" */
static void
apply(struct sf *f, const char *text, struct foreign_applied *out)
{
	char word[64];
	struct crl_list l = { .this_update = NOW };
	atomic_bool stop = false;
	struct buf b;
	int used;

	buf_init(&b, 1 << 20);
	for (; sscanf(text, " %63s%n", word, &used) == 1; text += used) {
		char *colon = strchr(word, ':');

		*colon = '\0';
		put_entry(&b, word, atoi(colon + 1), NOW - 5000);
		l.n++;
	}
	l.entries = (struct der){ b.data, b.len };
	ok(f, foreign_apply(f->s, "adcs", &l, FOREIGN_BARE_MAX, &stop, out, &f->err));
	assert_true(out->whole);
	buf_done(&b);
}

static void
add(struct sf *f, const char *ca, const char *serial)
{
	const struct store_foreign_cert v = { .serial = serial };
	enum foreign_outcome o;

	ok(f, store_foreign_add(f->s, ca, "jane", &v, 1, &o, &f->err));
	assert_int_equal(o, FOREIGN_ADDED);
}

static void
is_of(struct sf *f, const char *ca, const char *serial, enum cert_state state, int reason)
{
	struct store_status s = { 0 };

	ok(f, store_status_get(f->s, serial, ca, &s, &f->err));
	if (s.state != state || s.reason != reason)
		print_error("%s: %s, %d\n", serial, cert_state_name(s.state), s.reason);
	assert_int_equal(s.state, state);
	assert_int_equal(s.reason, reason);
	if (state != CERT_GOOD)
		assert_int_equal(s.since, NOW - 5000);
	store_status_done(&s);
}

static void
is(struct sf *f, const char *serial, enum cert_state state, int reason)
{
	is_of(f, NULL, serial, state, reason);
}

static void
is_held(struct sf *f, const char *ca, const char *serial)
{
	const struct store_cause_set c = { .serial = serial,
		.ca = ca,
		.source = CAUSE_ISSUER,
		.effect = CAUSE_HOLD,
		.since = NOW - 5000 };
	struct store_cause_done done;

	ok(f, store_causes_set(f->s, &c, 1, &done, &f->err));
}

static void
counted(const struct foreign_applied *n, uint64_t revoked, uint64_t held, uint64_t released,
    uint64_t bare)
{
	assert_int_equal(n->revoked, revoked);
	assert_int_equal(n->held, held);
	assert_int_equal(n->released, released);
	assert_int_equal(n->bare, bare);
}

static void
holds_come_and_go_and_revocations_stay(void **state)
{
	struct sf *f = *state;
	struct foreign_applied n;

	add(f, "adcs", "0A01");
	add(f, "adcs", "0A02");
	add(f, "adcs", "0A03");
	apply(f, "", &n);
	counted(&n, 0, 0, 0, 0);
	apply(f, "0A01:1 0A02:6", &n);
	counted(&n, 1, 1, 0, 0);
	is(f, "0A01", CERT_REVOKED, 1);
	is(f, "0A02", CERT_HELD, 6);
	is(f, "0A03", CERT_GOOD, 0);
	apply(f, "0A01:1 0A02:6", &n);
	counted(&n, 0, 0, 0, 0);
	/* The revoked one expired and left the list; the other is not held any more. */
	apply(f, "", &n);
	counted(&n, 0, 0, 1, 0);
	is(f, "0A01", CERT_REVOKED, 1);
	is(f, "0A02", CERT_GOOD, 0);
	/* A hold becomes a revocation, and never the other way. */
	apply(f, "0A02:6", &n);
	apply(f, "0A02:4", &n);
	counted(&n, 1, 0, 0, 0);
	is(f, "0A02", CERT_REVOKED, 4);
	apply(f, "0A02:6 0A01:6", &n);
	counted(&n, 0, 0, 0, 0);
	is(f, "0A02", CERT_REVOKED, 4);
}

static void
what_nobody_has_imported_is_known_by_its_number(void **state)
{
	struct sf *f = *state;
	struct foreign_applied n;
	uint64_t rows, bare;

	apply(f, "0A01:0 80:6 0102:1", &n);
	counted(&n, 2, 1, 0, 3);
	ok(f, store_foreign_count(f->s, "adcs", &rows, &bare, &f->err));
	assert_int_equal(rows, 3);
	assert_int_equal(bare, 3);
	is(f, "80", CERT_HELD, 6);
	is(f, "0A01", CERT_REVOKED, 0);
	/* Numbers of any length are found again. */
	apply(f, "0102:1 80:6 0A01:0", &n);
	counted(&n, 0, 0, 0, 0);
	apply(f, "0102:1 0A01:0", &n);
	counted(&n, 0, 0, 1, 0);
}

static void
one_that_is_there_twice_is_revoked_if_either_says_so(void **state)
{
	struct sf *f = *state;
	struct foreign_applied n;

	apply(f, "0A01:6 0A01:1 0A02:1 0A02:6 00:1", &n);
	counted(&n, 2, 0, 0, 2);
	is(f, "0A01", CERT_REVOKED, 1);
	is(f, "0A02", CERT_REVOKED, 1);
}

static void
a_certificate_of_another_ca_with_that_number_is_left_alone(void **state)
{
	struct sf *f = *state;
	struct foreign_applied n;
	struct sf_tx t;
	char text[100];

	add(f, "ezca", "0A01");
	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	(void)snprintf(text, sizeof(text), "0A01:6 %s:1 0A02:1", t.serial);
	apply(f, text, &n);
	counted(&n, 2, 1, 0, 3);
	assert_int_equal(n.taken, 0);
	is_of(f, "ezca", "0A01", CERT_GOOD, 0);
	is_of(f, "issuing", t.serial, CERT_GOOD, 0);
	is_of(f, "adcs", "0A01", CERT_HELD, 6);
	is_of(f, "adcs", t.serial, CERT_REVOKED, 1);
	is(f, "0A02", CERT_REVOKED, 1);
	/* Nor is a hold of another CA's let go. */
	is_held(f, "ezca", "0A01");
	apply(f, "", &n);
	counted(&n, 0, 0, 1, 0);
	is_of(f, "adcs", "0A01", CERT_GOOD, 0);
	is_of(f, "ezca", "0A01", CERT_HELD, 6);
}

/* One of ours had this name before: its certificates are not the foreign CA's to revoke. */
static void
a_certificate_of_ours_is_left_alone_under_any_name(void **state)
{
	struct sf *f = *state;
	struct foreign_applied n;
	struct sf_tx t;
	char text[100];

	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	sf_sql(f, "UPDATE cert SET ca = 'adcs'");
	(void)snprintf(text, sizeof(text), "%s:1 0A02:1", t.serial);
	apply(f, text, &n);
	counted(&n, 1, 0, 0, 1);
	assert_int_equal(n.taken, 1);
	is(f, t.serial, CERT_GOOD, 0);
}

static void
holds_of_administrators_and_rules_stand_beside_it(void **state)
{
	struct sf *f = *state;
	const struct store_cause_set c = { .serial = "0A01",
		.source = CAUSE_MANUAL,
		.effect = CAUSE_HOLD,
		.reason = REASON_HOLD };
	struct store_cause_done done;
	struct foreign_applied n;
	struct store_status s;

	apply(f, "0A01:6", &n);
	ok(f, store_causes_set(f->s, &c, 1, &done, &f->err));
	apply(f, "", &n);
	counted(&n, 0, 0, 0, 0);
	ok(f, store_status_get(f->s, "0A01", NULL, &s, &f->err));
	assert_int_equal(s.state, CERT_HELD);
	assert_int_equal(s.n_causes, 1);
	assert_int_equal(s.causes[0].source, CAUSE_MANUAL);
	store_status_done(&s);
}

/* The audit trail is not a foreign CA's to fill: what goes on and on is counted. */
static void
a_list_that_alternates_is_told_of_and_then_counted(void **state)
{
	static const uint8_t der[] = { 0x30, 3, 1, 1, 0xff };
	const struct store_foreign_cert v = {
		.serial = "0A01", .thumbprint = "00", .der = der, .der_len = sizeof(der)
	};
	struct sf *f = *state;
	enum foreign_outcome o;
	struct foreign_applied n;
	int64_t rows, before = 0;

	ok(f, store_foreign_add(f->s, "adcs", "jane", &v, 1, &o, &f->err));
	for (int i = 0; i < 3 * ISSUER_TURNS_TOLD; i++) {
		apply(f, "0A01:6 0B01:6", &n);
		assert_int_equal(n.held, 2);
		assert_int_equal(n.untold, i < ISSUER_TURNS_TOLD ? 1 : 2);
		is(f, "0A01", CERT_HELD, 6);
		apply(f, "", &n);
		assert_int_equal(n.released, 2);
		assert_int_equal(n.untold, i < ISSUER_TURNS_TOLD ? 1 : 2);
		is(f, "0A01", CERT_GOOD, 0);
		rows = sf_number(f, "SELECT count(*) FROM audit");
		if (i > ISSUER_TURNS_TOLD)
			assert_int_equal(rows, before);
		before = rows;
	}
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM audit WHERE event IN ('cert-hold', 'cert-release')"),
	    2 * ISSUER_TURNS_TOLD);
	/* Neither a revocation nor an administrator is among what is counted. */
	apply(f, "0A01:1 0B01:1", &n);
	assert_int_equal(n.revoked, 2);
	assert_int_equal(n.untold, 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit"), before + 2);
}

static void
what_an_administrator_holds_again_and_again_is_told_of_each_time(void **state)
{
	struct sf *f = *state;
	struct store_cause_set c = { .serial = "0A01", .source = CAUSE_MANUAL };
	struct store_cause_done done;

	add(f, "adcs", "0A01");
	for (int i = 0; i < 2 * ISSUER_TURNS_TOLD; i++) {
		c.effect = CAUSE_HOLD;
		ok(f, store_causes_set(f->s, &c, 1, &done, &f->err));
		assert_false(done.untold);
		c.effect = CAUSE_GONE;
		ok(f, store_causes_set(f->s, &c, 1, &done, &f->err));
		assert_false(done.untold);
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event LIKE 'cert-%'"),
	    4 * ISSUER_TURNS_TOLD);
}

/* More than one commit; and interrupted between two of them, it goes on where it was. */
static void
a_long_list_takes_several_commits_and_may_be_done_again(void **state)
{
	struct sf *f = *state;
	struct crl_list l = { .n = 1201 };
	atomic_bool stop = true;
	struct foreign_applied n;
	char serial[16];
	struct buf b;

	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < 1201; i++) {
		(void)snprintf(serial, sizeof(serial), "01%04X", i);
		put_entry(&b, serial, i % 2 == 0 ? 6 : 1, NOW - 5000);
	}
	l.entries = (struct der){ b.data, b.len };
	ok(f, foreign_apply(f->s, "adcs", &l, FOREIGN_BARE_MAX, &stop, &n, &f->err));
	assert_false(n.whole);
	stop = false;
	ok(f, foreign_apply(f->s, "adcs", &l, FOREIGN_BARE_MAX, &stop, &n, &f->err));
	counted(&n, 600, 601, 0, 1201);
	is(f, "0104B0", CERT_HELD, 6);
	l.n = 0;
	l.entries.len = 0;
	ok(f, foreign_apply(f->s, "adcs", &l, FOREIGN_BARE_MAX, &stop, &n, &f->err));
	counted(&n, 0, 0, 601, 0);
	buf_done(&b);
}

static void
past_their_maximum_unknown_numbers_are_left_and_known_ones_are_turned(void **state)
{
	struct sf *f = *state;
	struct crl_list l = { .n = 3 };
	atomic_bool stop = false;
	struct foreign_applied n;
	struct store_status s;
	struct buf b;

	add(f, "adcs", "0A01");
	buf_init(&b, 1 << 16);
	put_entry(&b, "0A01", 1, NOW - 5000);
	put_entry(&b, "0A02", 1, NOW - 5000);
	put_entry(&b, "0A03", 1, NOW - 5000);
	l.entries = (struct der){ b.data, b.len };
	ok(f, foreign_apply(f->s, "adcs", &l, 3, &stop, &n, &f->err));
	counted(&n, 1, 0, 0, 0);
	assert_int_equal(n.left, 2);
	is(f, "0A01", CERT_REVOKED, 1);
	assert_int_equal(store_status_get(f->s, "0A02", NULL, &s, &f->err), RC_NOTFOUND);
	ok(f, foreign_apply(f->s, "adcs", &l, 4, &stop, &n, &f->err));
	counted(&n, 2, 0, 0, 2);
	buf_done(&b);
}

static void
an_old_list_and_one_that_has_ended_are_not_acted_on(void **state)
{
	static const struct store_foreign_crl last = { .number = "0F", .this_update = NOW - 100 };
	static const struct {
		int64_t this_update, next_update;
		uint8_t number[2];
		size_t len;
		bool first;
		enum rc rc;
		const char *says;
	} t[] = {
		{ NOW - 100, NOW + 100, { 0x10 }, 1, false, RC_OK, "" },
		{ NOW - 100, NOW + 100, { 0x0f }, 1, false, RC_OK, "" },
		{ NOW - 100, NOW + 100, { 0x01, 0 }, 2, false, RC_OK, "" },
		{ NOW - 100, NOW + 100, { 0x0e }, 1, false, RC_CONFLICT, "older than" },
		{ NOW - 101, NOW + 100, { 0x10 }, 1, false, RC_CONFLICT, "older than" },
		{ NOW - 101, NOW + 100, { 0x10 }, 1, true, RC_OK, "" },
		/* A CA that was set up anew begins to count anew. */
		{ NOW - 99, NOW + 100, { 0x01 }, 1, false, RC_OK, "" },
		{ NOW - 99, 0, { 0 }, 0, false, RC_OK, "" },
		{ NOW - 99, NOW - 1, { 0x10 }, 1, false, RC_DENIED, "ended at" },
		{ NOW - 99, NOW, { 0x10 }, 1, false, RC_OK, "" },
		{ NOW + FOREIGN_SKEW, NOW + 900, { 0x10 }, 1, false, RC_OK, "" },
		{ NOW + FOREIGN_SKEW + 1, NOW + 900, { 0x10 }, 1, false, RC_DENIED, "to come" },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		struct crl_list l = { .this_update = t[i].this_update,
			.next_update = t[i].next_update,
			.number.len = t[i].len };
		struct err err = { 0 };

		memcpy(l.number.v, t[i].number, t[i].len);
		assert_int_equal(foreign_judge(&l, t[i].first ? NULL : &last, NOW, &err), t[i].rc);
		assert_non_null(strstr(err.msg, t[i].says));
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(holds_come_and_go_and_revocations_stay),
		T(what_nobody_has_imported_is_known_by_its_number),
		T(one_that_is_there_twice_is_revoked_if_either_says_so),
		T(a_certificate_of_another_ca_with_that_number_is_left_alone),
		T(a_certificate_of_ours_is_left_alone_under_any_name),
		T(holds_of_administrators_and_rules_stand_beside_it),
		T(a_list_that_alternates_is_told_of_and_then_counted),
		T(what_an_administrator_holds_again_and_again_is_told_of_each_time),
		T(a_long_list_takes_several_commits_and_may_be_done_again),
		T(past_their_maximum_unknown_numbers_are_left_and_known_ones_are_turned),
		cmocka_unit_test(an_old_list_and_one_that_has_ended_are_not_acted_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
