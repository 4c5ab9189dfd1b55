/*
 * foreign_test.c - certificates of CAs that are not ours are rows beside our own, once each; a CA's serial numbers are
 * its own affair.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_foreign.h"

#include "fixture.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t der_a[] = { 0x30, 3, 1, 1, 0xff }, der_b[] = { 0x30, 3, 1, 1, 0 };

static struct store_foreign_cert
whole(const char *serial, const uint8_t *der, size_t len)
{
	return (struct store_foreign_cert){ .serial = serial,
		.subject = "CN=jane",
		.san = "upn:jane@contoso.com",
		.thumbprint = "00112233445566778899AABBCCDDEEFF00112233",
		.der = der,
		.der_len = len,
		.not_before = 1000,
		.not_after = INT64_C(4000000000) };
}

static enum foreign_outcome
add(struct sf *f, const char *ca, const struct store_foreign_cert *c)
{
	enum foreign_outcome looked, done;

	ok(f, store_foreign_look(f->s, ca, c, 1, &looked, &f->err));
	ok(f, store_foreign_add(f->s, ca, "jane", c, 1, &done, &f->err));
	assert_int_equal(looked, done);
	return done;
}

static void
counts(struct sf *f, const char *ca, uint64_t rows, uint64_t bare)
{
	uint64_t r, b;

	ok(f, store_foreign_count(f->s, ca, &r, &b, &f->err));
	assert_int_equal(r, rows);
	assert_int_equal(b, bare);
}

static void
a_certificate_is_added_once_and_its_row_is_like_any(void **state)
{
	struct sf *f = *state;
	struct store_foreign_cert c = whole("0A0B", der_a, sizeof(der_a));
	struct store_cert_row r;
	struct store_cert_status st;
	struct store_renewal n;

	assert_int_equal(add(f, "adcs", &c), FOREIGN_ADDED);
	assert_int_equal(add(f, "adcs", &c), FOREIGN_AS_IT_WAS);
	counts(f, "adcs", 1, 0);
	ok(f, store_cert_get(f->s, "0A0B", NULL, &r, &f->err));
	assert_string_equal(r.ca, "adcs");
	assert_string_equal(r.profile, "adcs");
	assert_string_equal(r.endpoint, "");
	assert_null(r.transaction_id);
	assert_int_equal(r.issued, 1000);
	assert_memory_equal(r.der, der_a, sizeof(der_a));
	store_cert_row_done(&r);
	ok(f, store_cert_status(f->s, "0A0B", "adcs", &st, &f->err));
	assert_int_equal(st.revoked, 0);
	assert_int_equal(store_cert_status(f->s, "0A0B", "issuing", &st, &f->err), RC_NOTFOUND);
	ok(f, store_renewal_get(f->s, "0A0B", NULL, &n, &f->err));
	assert_null(n.replaced_by);
	store_renewal_done(&n);
	ok(f, store_cert_revoke(f->s, "0A0B", NULL, 6, "lost", &f->err));
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM audit WHERE event = 'foreign-import'"), 1);
}

static void
a_bare_row_counts_as_valid_and_is_filled_by_its_certificate(void **state)
{
	struct sf *f = *state;
	const struct store_foreign_cert bare = { .serial = "0A0B" },
					until = { .serial = "0A0B", .not_after = 5000 };
	struct store_foreign_cert c = whole("0A0B", der_a, sizeof(der_a));
	struct store_cert_row r;

	assert_int_equal(add(f, "adcs", &bare), FOREIGN_ADDED);
	counts(f, "adcs", 1, 1);
	ok(f, store_cert_get(f->s, "0A0B", NULL, &r, &f->err));
	assert_int_equal(r.not_after, FOREIGN_NO_END);
	assert_int_equal(r.der_len, 0);
	assert_string_equal(r.thumbprint, "");
	store_cert_row_done(&r);
	assert_int_equal(add(f, "adcs", &until), FOREIGN_FILLED);
	assert_int_equal(add(f, "adcs", &bare), FOREIGN_AS_IT_WAS);
	counts(f, "adcs", 1, 1);
	assert_int_equal(add(f, "adcs", &c), FOREIGN_FILLED);
	assert_int_equal(add(f, "adcs", &bare), FOREIGN_AS_IT_WAS);
	counts(f, "adcs", 1, 0);
}

static void
whom_it_names_is_bound_and_may_be_told_later(void **state)
{
	struct sf *f = *state;
	struct store_foreign_cert c = whole("0A0B", der_a, sizeof(der_a));
	struct store_binding b = { .state = BINDING_OPEN, .tenant = "contoso", .upn = "jane@x.y" },
			     got;

	assert_int_equal(add(f, "adcs", &c), FOREIGN_ADDED);
	c.binding = &b;
	assert_int_equal(add(f, "adcs", &c), FOREIGN_FILLED);
	assert_int_equal(add(f, "adcs", &c), FOREIGN_AS_IT_WAS);
	ok(f, store_binding_get(f->s, "0A0B", NULL, &got, &f->err));
	assert_int_equal(got.state, BINDING_OPEN);
	assert_string_equal(got.upn, "jane@x.y");
	/* What the directory has said meanwhile stays. */
	got.state = BINDING_BOUND;
	ok(f, store_binding_set(f->s, "0A0B", NULL, &got, &f->err));
	assert_int_equal(add(f, "adcs", &c), FOREIGN_AS_IT_WAS);
	ok(f, store_binding_get(f->s, "0A0B", NULL, &got, &f->err));
	assert_int_equal(got.state, BINDING_BOUND);
}

static void
a_serial_number_is_one_certificate_of_its_ca(void **state)
{
	struct sf *f = *state;
	struct store_foreign_cert c = whole("0A0B", der_a, sizeof(der_a)),
				  other = whole("0A0B", der_b, sizeof(der_b)), own;
	struct sf_tx t;
	struct store_cert_row r;

	assert_int_equal(add(f, "adcs", &c), FOREIGN_ADDED);
	assert_int_equal(add(f, "adcs", &other), FOREIGN_TAKEN);
	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	/* A foreign CA with the name of one of ours. */
	own = whole(t.serial, t.der, sizeof(t.der));
	assert_int_equal(add(f, "issuing", &own), FOREIGN_TAKEN);
	ok(f, store_cert_get(f->s, "0A0B", NULL, &r, &f->err));
	assert_string_equal(r.ca, "adcs");
	assert_memory_equal(r.der, der_a, sizeof(der_a));
	store_cert_row_done(&r);
}

static enum cert_state
state_of(struct sf *f, const char *serial, const char *ca)
{
	struct store_status s = { 0 };
	struct store_cert_status row;
	enum cert_state state;

	ok(f, store_status_get(f->s, serial, ca, &s, &f->err));
	state = s.state;
	store_status_done(&s);
	if (ca[0] == '\0')
		return state;
	ok(f, store_cert_status(f->s, serial, ca, &row, &f->err));
	assert_int_equal(row.revoked != 0, state != CERT_GOOD);
	return state;
}

static void
set(struct sf *f, const char *serial, const char *ca, enum cause_effect effect)
{
	const struct store_cause_set v = { .serial = serial,
		.ca = ca,
		.source = CAUSE_ISSUER,
		.effect = effect,
		.reason = effect == CAUSE_HOLD ? 6 : 1 };
	struct store_cause_done done;

	ok(f, store_causes_set(f->s, &v, 1, &done, &f->err));
	assert_int_equal(done.outcome, CAUSE_SET);
}

/* Ours, an imported one and one that is known by its number alone, all with one number. */
static void
three_of_one_number(struct sf *f, struct sf_tx *t)
{
	struct store_foreign_cert c;
	const struct store_foreign_cert bare = { .serial = t->serial };

	sf_tx(t, 1);
	/* A hostile CA may well list a number before we give it: it is drawn by chance, and reserved before it is signed. */
	assert_int_equal(add(f, "evil", &bare), FOREIGN_ADDED);
	set(f, t->serial, "evil", CAUSE_REVOKE);
	(void)sf_drive(f, 1, TX_DELIVERED);
	c = whole(t->serial, der_a, sizeof(der_a));
	assert_int_equal(add(f, "adcs", &c), FOREIGN_ADDED);
	counts(f, "adcs", 1, 0);
	counts(f, "evil", 1, 1);
}

static void
what_one_ca_says_of_a_number_is_about_its_own_certificate(void **state)
{
	struct sf *f = *state;
	struct store_binding b = { .state = BINDING_OPEN, .tenant = "contoso", .upn = "jane@x.y" },
			     got;
	struct sf_tx t;

	three_of_one_number(f, &t);
	assert_int_equal(state_of(f, t.serial, "evil"), CERT_REVOKED);
	assert_int_equal(state_of(f, t.serial, "issuing"), CERT_GOOD);
	assert_int_equal(state_of(f, t.serial, STORE_OURS), CERT_GOOD);
	assert_int_equal(state_of(f, t.serial, "adcs"), CERT_GOOD);
	set(f, t.serial, "adcs", CAUSE_HOLD);
	assert_int_equal(state_of(f, t.serial, "adcs"), CERT_HELD);
	assert_int_equal(state_of(f, t.serial, "issuing"), CERT_GOOD);
	ok(f, store_cert_revoke(f->s, t.serial, "issuing", 1, "stolen", &f->err));
	assert_int_equal(state_of(f, t.serial, "adcs"), CERT_HELD);
	set(f, t.serial, "adcs", CAUSE_GONE);
	assert_int_equal(state_of(f, t.serial, "adcs"), CERT_GOOD);
	assert_int_equal(state_of(f, t.serial, STORE_OURS), CERT_REVOKED);
	ok(f, store_binding_set(f->s, t.serial, "adcs", &b, &f->err));
	ok(f, store_binding_get(f->s, t.serial, "issuing", &got, &f->err));
	assert_int_equal(got.state, BINDING_NONE);
	/* The trail says whose. */
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM audit WHERE event = 'cert-hold' AND "
			     "detail LIKE '%ca=\"adcs\"%'"),
	    1);
}

/* Who has nothing but the number hears whose there are, and nothing is done. */
static void
a_number_alone_that_several_have_given_is_refused(void **state)
{
	struct sf *f = *state;
	struct store_cause_set v = { .source = CAUSE_MANUAL, .effect = CAUSE_HOLD };
	struct store_cause_done done;
	struct store_binding b = { .state = BINDING_NONE };
	struct store_renewal n;
	struct store_status s;
	struct store_cert_row r;
	struct sf_tx t;

	three_of_one_number(f, &t);
	assert_int_equal(store_cert_get(f->s, t.serial, NULL, &r, &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, t.serial));
	assert_non_null(strstr(f->err.msg, "adcs, evil, issuing"));
	assert_int_equal(store_status_get(f->s, t.serial, NULL, &s, &f->err), RC_CONFLICT);
	assert_int_equal(store_binding_get(f->s, t.serial, NULL, &b, &f->err), RC_CONFLICT);
	assert_int_equal(store_binding_set(f->s, t.serial, NULL, &b, &f->err), RC_CONFLICT);
	assert_int_equal(store_renewal_get(f->s, t.serial, NULL, &n, &f->err), RC_CONFLICT);
	assert_int_equal(store_cert_revoke(f->s, t.serial, NULL, 1, "x", &f->err), RC_CONFLICT);
	v.serial = t.serial;
	assert_int_equal(store_causes_set(f->s, &v, 1, &done, &f->err), RC_CONFLICT);
	assert_int_equal(state_of(f, t.serial, "issuing"), CERT_GOOD);
	assert_int_equal(state_of(f, t.serial, "adcs"), CERT_GOOD);
	assert_int_equal(store_cert_get(f->s, t.serial, "ezca", &r, &f->err), RC_NOTFOUND);
	assert_non_null(strstr(f->err.msg, "of CA ezca"));
}

/* Of so many CAs the first are named. */
static void
however_many_cas_there_are_the_message_fits(void **state)
{
	struct sf *f = *state;
	const struct store_foreign_cert bare = { .serial = "0A0B" };
	struct store_cert_row r;
	char ca[200];

	for (int i = 0; i < 40; i++) {
		memset(ca, 'a', sizeof(ca));
		snprintf(ca + 150, 10, "%02d", i);
		assert_int_equal(add(f, ca, &bare), FOREIGN_ADDED);
	}
	assert_int_equal(store_cert_get(f->s, "0A0B", NULL, &r, &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, " ..."));
}

static void
the_very_bytes_name_a_certificate(void **state)
{
	struct sf *f = *state;
	struct store_cert_row r;
	struct sf_tx t;

	three_of_one_number(f, &t);
	ok(f, store_cert_same(f->s, t.serial, t.der, sizeof(t.der), &r, &f->err));
	assert_string_equal(r.ca, "issuing");
	store_cert_row_done(&r);
	ok(f, store_cert_same(f->s, t.serial, der_a, sizeof(der_a), &r, &f->err));
	assert_string_equal(r.ca, "adcs");
	store_cert_row_done(&r);
	assert_int_equal(
	    store_cert_same(f->s, t.serial, der_b, sizeof(der_b), &r, &f->err), RC_NOTFOUND);
	assert_int_equal(
	    store_cert_same(f->s, "0123", der_a, sizeof(der_a), &r, &f->err), RC_NOTFOUND);
	assert_int_equal(store_cert_same(f->s, t.serial, NULL, 0, &r, &f->err), RC_BUG);
}

/* Two CAs of ours draw from the same great heap, and what is there twice was not drawn by chance. */
static void
none_of_ours_has_the_number_of_another_of_ours(void **state)
{
	struct sf *f = *state;
	struct sf_tx one, two;
	int64_t id;

	sf_tx(&one, 1);
	sf_tx(&two, 2);
	(void)sf_drive(f, 1, TX_DELIVERED);
	id = sf_begin(f, 2, TX_RECEIVED);
	ok(f, store_tx_reserve(f->s, id, "static", one.serial, NULL, &f->err));
	two.cert.serial = one.serial;
	two.cert.ca = "next";
	assert_int_equal(store_tx_signed(f->s, id, &two.cert, false, &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, "of a certificate already"));
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), 1);
	assert_int_equal(sf_state(f, id), TX_RESERVED);
}

/* What becomes of a transaction is about its own certificate, whatever has the number besides. */
static void
a_transaction_means_its_own_certificate(void **state)
{
	struct sf *f = *state;
	struct store_tx tx, *list;
	struct sf_tx t;
	bool fresh;
	size_t n;

	sf_tx(&t, 1);
	{
		struct store_foreign_cert c = whole(t.serial, der_a, sizeof(der_a));

		assert_int_equal(add(f, "adcs", &c), FOREIGN_ADDED);
	}
	(void)sf_drive(f, 1, TX_SIGNED);
	ok(f, store_tx_unfinished(f->s, 10, &list, &n, &f->err));
	assert_int_equal(n, 1);
	assert_int_equal(list[0].cert_len, sizeof(t.der));
	assert_memory_equal(list[0].cert, t.der, sizeof(t.der));
	store_tx_list_free(list, n);
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &tx, &fresh, &f->err));
	assert_false(fresh);
	assert_memory_equal(tx.cert, t.der, sizeof(t.der));
	ok(f, store_tx_undelivered(f->s, tx.id, "refused", false, 0, &f->err));
	store_tx_done(&tx);
	assert_int_equal(state_of(f, t.serial, "issuing"), CERT_REVOKED);
	assert_int_equal(state_of(f, t.serial, "adcs"), CERT_GOOD);
}

static int
collect(void *arg, const struct store_foreign_mark *m)
{
	char *text = arg;

	for (size_t i = 0; i < m->serial_len; i++)
		sprintf(text + strlen(text), "%02X", m->serial[i]);
	sprintf(text + strlen(text), ":%d:%d ", m->effect, m->reason);
	return 0;
}

static void
marks_are_those_of_the_issuer_in_the_order_of_the_index(void **state)
{
	struct sf *f = *state;
	static const struct store_foreign_cert v[] = { { .serial = "80" }, { .serial = "0102" },
		{ .serial = "01" }, { .serial = "03" } };
	static const struct store_cause_set causes[] = {
		{ .serial = "80",
		    .source = CAUSE_ISSUER,
		    .effect = CAUSE_REVOKE,
		    .reason = 1,
		    .since = 77 },
		{ .serial = "0102", .source = CAUSE_ISSUER, .effect = CAUSE_HOLD, .reason = 6 },
		{ .serial = "01",
		    .source = CAUSE_ISSUER,
		    .effect = CAUSE_REVOKE,
		    .reason = 4,
		    .since = INT64_C(1) << 50 },
		{ .serial = "03", .source = CAUSE_MANUAL, .effect = CAUSE_HOLD, .reason = 6 },
	};
	enum foreign_outcome o[N(v)];
	struct store_cause_done done[N(causes)];
	struct store_status s = { 0 };
	char text[200] = "";
	struct buf b;

	ok(f, store_foreign_add(f->s, "adcs", "jane", v, N(v), o, &f->err));
	ok(f, store_causes_set(f->s, causes, N(causes), done, &f->err));
	ok(f, store_foreign_marks(f->s, "adcs", collect, text, &f->err));
	assert_string_equal(text, "01:2:4 0102:1:6 80:2:1 ");
	text[0] = '\0';
	ok(f, store_foreign_marks(f->s, "ezca", collect, text, &f->err));
	assert_string_equal(text, "");
	/* Since when, the CA says; not in the future. */
	ok(f, store_status_get(f->s, "80", NULL, &s, &f->err));
	assert_int_equal(s.since, 77);
	buf_init(&b, 1000);
	store_status_text(&b, &s);
	assert_string_equal(
	    buf_str(&b), "revoked since 1970-01-01T00:01:17Z by the CA that has issued it");
	buf_done(&b);
	store_status_done(&s);
	ok(f, store_status_get(f->s, "01", NULL, &s, &f->err));
	assert_true(s.since <= clock_now() && s.since > clock_now() - 100);
	store_status_done(&s);
	assert_true(
	    foreign_serial_compare((const uint8_t *)"\1", 1, (const uint8_t *)"\1\2", 2) < 0);
	assert_true(
	    foreign_serial_compare((const uint8_t *)"\x80", 1, (const uint8_t *)"\1\2", 2) > 0);
}

static void
the_last_list_is_remembered(void **state)
{
	struct sf *f = *state;
	struct store_foreign_crl l = { "0C", 100, 200, 3, 150, { 7 } }, got;

	assert_int_equal(store_foreign_crl_get(f->s, "adcs", &got, &f->err), RC_NOTFOUND);
	ok(f, store_foreign_crl_set(f->s, "adcs", &l, &f->err));
	sf_restart(f);
	ok(f, store_foreign_crl_get(f->s, "adcs", &got, &f->err));
	assert_string_equal(got.number, "0C");
	assert_int_equal(got.this_update, 100);
	assert_int_equal(got.next_update, 200);
	assert_int_equal(got.entries, 3);
	assert_int_equal(got.taken, 150);
	assert_memory_equal(got.sha256, l.sha256, 32);
}

static int
name_of(void *arg, const char *ca)
{
	strcat(arg, ca);
	strcat(arg, " ");
	return 0;
}

static void
the_audit_trail_and_the_figures_count_such_rows(void **state)
{
	struct sf *f = *state;
	static const struct store_foreign_cert v[] = { { .serial = "01" }, { .serial = "02" },
		{ .serial = "01" } };
	enum foreign_outcome o[N(v)];
	struct store_stats st;
	char names[100] = "";
	uint64_t rows;

	(void)sf_drive(f, 1, TX_DELIVERED);
	ok(f, store_foreign_add(f->s, "ezca", "jane", v, N(v), o, &f->err));
	assert_int_equal(o[2], FOREIGN_AS_IT_WAS);
	ok(f, store_foreign_add(f->s, "adcs", "jane", v, 2, o, &f->err));
	assert_int_equal(o[1], FOREIGN_ADDED);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	ok(f, store_stats(f->s, &st, &f->err));
	assert_int_equal(st.certs, 5);
	ok(f, store_foreign_cas(f->s, name_of, names, &f->err));
	assert_string_equal(names, "adcs ezca ");
	/* A trail whose end was cut off under an import is known as such. */
	sf_sql(f, "DELETE FROM audit WHERE event = 'foreign-import'");
	assert_int_equal(store_audit_verify(f->s, &rows, &f->err), RC_INTEGRITY);
}

static void
what_is_no_row_is_refused_and_nothing_is_written(void **state)
{
	struct sf *f = *state;
	struct store_foreign_cert v[] = { { .serial = "01" }, whole("02", der_a, sizeof(der_a)) };
	static struct store_foreign_cert many[STORE_CAUSES_BATCH + 1];
	enum foreign_outcome o[STORE_CAUSES_BATCH + 1];

	v[1].thumbprint = NULL;
	assert_int_equal(store_foreign_add(f->s, "adcs", "jane", v, 2, o, &f->err), RC_BUG);
	v[1].serial = "xx";
	assert_int_equal(store_foreign_add(f->s, "adcs", "jane", v, 2, o, &f->err), RC_PARSE);
	assert_int_equal(store_foreign_add(f->s, "", "jane", v, 1, o, &f->err), RC_BUG);
	assert_int_equal(
	    store_foreign_add(f->s, "adcs", "jane", many, N(many), o, &f->err), RC_LIMIT);
	counts(f, "adcs", 0, 0);
	ok(f, store_foreign_add(f->s, "adcs", "jane", v, 0, o, &f->err));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(a_certificate_is_added_once_and_its_row_is_like_any),
		T(a_bare_row_counts_as_valid_and_is_filled_by_its_certificate),
		T(whom_it_names_is_bound_and_may_be_told_later),
		T(a_serial_number_is_one_certificate_of_its_ca),
		T(what_one_ca_says_of_a_number_is_about_its_own_certificate),
		T(a_number_alone_that_several_have_given_is_refused),
		T(however_many_cas_there_are_the_message_fits),
		T(the_very_bytes_name_a_certificate),
		T(none_of_ours_has_the_number_of_another_of_ours),
		T(a_transaction_means_its_own_certificate),
		T(marks_are_those_of_the_issuer_in_the_order_of_the_index),
		T(the_last_list_is_remembered),
		T(the_audit_trail_and_the_figures_count_such_rows),
		T(what_is_no_row_is_refused_and_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
