/*
 * identity_test.c - which CA a name means is remembered, and a foreign CA is forgotten with all that stands under its name,
 * and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_foreign.h"
#include "store/store_identity.h"
#include "store/store_sweep.h"

#include "fixture.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
the_key_of_a_name_is_remembered(void **state)
{
	struct sf *f = *state;
	struct store_identity id = { .own = false, .key_sha256 = { 7, 8 } }, got;

	assert_int_equal(store_identity_get(f->s, "adcs", &got, &f->err), RC_NOTFOUND);
	ok(f, store_identity_set(f->s, "adcs", &id, &f->err));
	id.own = true;
	ok(f, store_identity_set(f->s, "issuing", &id, &f->err));
	sf_restart(f);
	ok(f, store_identity_get(f->s, "adcs", &got, &f->err));
	assert_false(got.own);
	assert_memory_equal(got.key_sha256, id.key_sha256, 32);
	assert_true(got.since > 0);
	ok(f, store_identity_get(f->s, "issuing", &got, &f->err));
	assert_true(got.own);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'ca-known'"), 2);
	assert_int_equal(store_identity_get(f->s, "", &got, &f->err), RC_BUG);
}

static void
an_older_database_has_certificates_that_tell(void **state)
{
	static const uint8_t der[] = { 0x30, 3, 1, 1, 0xff };
	const struct store_foreign_cert v[] = { { .serial = "0B" },
		{ .serial = "0C", .thumbprint = "00", .der = der, .der_len = sizeof(der) } };
	enum foreign_outcome o[N(v)];
	struct sf *f = *state;
	struct sf_tx t;
	uint64_t number;
	uint8_t *got;
	size_t len;
	bool has = true;

	assert_int_equal(
	    store_identity_witness(f->s, "issuing", true, &got, &len, &f->err), RC_NOTFOUND);
	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	ok(f, store_foreign_add(f->s, "adcs", "jane", v, 1, o, &f->err));
	assert_int_equal(
	    store_identity_witness(f->s, "adcs", false, &got, &len, &f->err), RC_NOTFOUND);
	ok(f, store_foreign_add(f->s, "adcs", "jane", v, 2, o, &f->err));
	ok(f, store_identity_witness(f->s, "adcs", false, &got, &len, &f->err));
	assert_memory_equal(got, der, sizeof(der));
	free(got);
	assert_int_equal(
	    store_identity_witness(f->s, "adcs", true, &got, &len, &f->err), RC_NOTFOUND);
	ok(f, store_identity_witness(f->s, t.cert.ca, true, &got, &len, &f->err));
	assert_int_equal(len, t.cert.der_len);
	assert_memory_equal(got, t.cert.der, len);
	free(got);
	ok(f, store_identity_has_crl(f->s, "issuing", &has, &f->err));
	assert_false(has);
	ok(f, store_crl_numbers(f->s, "issuing", 1, &number, &f->err));
	ok(f, store_identity_has_crl(f->s, "issuing", &has, &f->err));
	assert_true(has);
}

/* ---- forgotten ---- */

static void
add(struct sf *f, const char *ca, unsigned from, unsigned n)
{
	static struct store_binding b = {
		.state = BINDING_OPEN, .tenant = "contoso", .upn = "j@c"
	};
	static const uint8_t der[] = { 0x30, 3, 1, 1, 0xff };
	enum foreign_outcome o;
	char serial[16];

	for (unsigned i = from; i < from + n; i++) {
		const struct store_foreign_cert v = { .serial = serial,
			.thumbprint = "00",
			.der = der,
			.der_len = sizeof(der),
			.binding = &b };

		(void)snprintf(serial, sizeof(serial), "%06X", 0x100000 + i);
		ok(f, store_foreign_add(f->s, ca, "jane", &v, 1, &o, &f->err));
		assert_int_equal(o, FOREIGN_ADDED);
	}
}

static void
turn(struct sf *f, const char *serial, enum cause_source source, enum cause_effect effect)
{
	const struct store_cause_set c = {
		.serial = serial, .source = source, .effect = effect, .reason = 0
	};
	struct store_cause_done done;

	ok(f, store_causes_set(f->s, &c, 1, &done, &f->err));
	assert_int_equal(done.outcome, CAUSE_SET);
}

static void
forget(struct sf *f, const char *ca)
{
	const char *who = "jane";
	size_t n = STORE_CAUSES_BATCH;

	while (n == STORE_CAUSES_BATCH) {
		ok(f, store_foreign_forget(f->s, ca, who, &n, &f->err));
		who = NULL;
	}
}

static void
counted(struct sf *f, const char *ca, uint64_t rows, uint64_t certs, uint64_t held)
{
	struct store_figures st;
	uint64_t n, bare;

	ok(f, store_foreign_count(f->s, ca, &n, &bare, &f->err));
	assert_int_equal(n, rows);
	ok(f, store_figures(f->s, &st, &f->err));
	assert_int_equal(st.certs, certs);
	assert_int_equal(st.held, held);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), certs);
}

static const struct store_identity adcs = { .own = false, .key_sha256 = { 1 } };

/* Its rows lie among others, and at the end. */
static void
all_that_is_its_own_goes_and_nothing_else(void **state)
{
	struct sf *f = *state;
	const struct store_foreign_crl l = { .number = "01", .this_update = 100 };
	struct store_identity id;
	struct store_foreign_look look;
	struct store_foreign_crl crl;
	uint64_t rows;

	(void)sf_drive(f, 1, TX_DELIVERED);
	add(f, "ezca", 0, 2);
	add(f, "adcs", 2, STORE_CAUSES_BATCH + 3);
	(void)sf_drive(f, 2, TX_DELIVERED);
	add(f, "adcs", 900, 1);
	turn(f, "100000", CAUSE_ISSUER, CAUSE_HOLD);
	turn(f, "100002", CAUSE_ISSUER, CAUSE_HOLD);
	turn(f, "100384", CAUSE_MANUAL, CAUSE_HOLD);
	ok(f, store_identity_set(f->s, "adcs", &adcs, &f->err));
	ok(f, store_foreign_crl_set(f->s, "adcs", &l, &f->err));
	ok(f, store_foreign_look_set(f->s, "adcs", 5, "", &f->err));
	counted(f, "adcs", STORE_CAUSES_BATCH + 4, STORE_CAUSES_BATCH + 8, 3);
	forget(f, "adcs");
	counted(f, "adcs", 0, 4, 1);
	counted(f, "ezca", 2, 4, 1);
	assert_int_equal(store_identity_get(f->s, "adcs", &id, &f->err), RC_NOTFOUND);
	assert_int_equal(store_foreign_crl_get(f->s, "adcs", &crl, &f->err), RC_NOTFOUND);
	assert_int_equal(store_foreign_look_get(f->s, "adcs", &look, &f->err), RC_NOTFOUND);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cause"), 1);
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM binding WHERE cert_id NOT IN "
			     "(SELECT id FROM cert)"),
	    0);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(
	    sf_number(f,
		"SELECT count(*) FROM audit WHERE event = 'foreign-forget' AND detail LIKE "
		"'certificates=504 %'"),
	    1);
	/* Again, there is nothing. */
	forget(f, "adcs");
	counted(f, "ezca", 2, 4, 1);
}

/* Row numbers are given again: what was said of the old one is not said of the new. */
static void
what_comes_after_it_inherits_nothing(void **state)
{
	struct sf *f = *state;
	struct store_status s;
	struct store_binding b;
	uint64_t before, after;

	(void)sf_drive(f, 1, TX_DELIVERED);
	add(f, "adcs", 0, 3);
	turn(f, "100002", CAUSE_ISSUER, CAUSE_HOLD);
	turn(f, "100002", CAUSE_ISSUER, CAUSE_GONE);
	turn(f, "100001", CAUSE_ISSUER, CAUSE_HOLD);
	sf_sql(f,
	    "INSERT INTO sweep(state, created, certs, total, why) VALUES(1, 5, 2, 100, 'x');"
	    "INSERT INTO sweep_turn(sweep_id, n, cert_id, effect, reason, rule)"
	    " SELECT 1, id, id, 2, 1, 'r' FROM cert");
	ok(f, store_status_number(f->s, &before, &f->err));
	forget(f, "adcs");
	ok(f, store_status_number(f->s, &after, &f->err));
	assert_int_equal(after, before);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM sweep_turn"), 1);
	add(f, "ezca", 0, 3);
	counted(f, "ezca", 3, 4, 0);
	ok(f, store_status_get(f->s, "100001", "ezca", &s, &f->err));
	assert_int_equal(s.state, CERT_GOOD);
	assert_int_equal(s.n_causes, 0);
	store_status_done(&s);
	ok(f, store_binding_get(f->s, "100001", "ezca", &b, &f->err));
	assert_int_equal(b.state, BINDING_OPEN);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM issuer_turns"), 0);
	/* The next change is news to whoever has read up to the last one. */
	turn(f, "100001", CAUSE_ISSUER, CAUSE_HOLD);
	ok(f, store_status_number(f->s, &after, &f->err));
	assert_true(after > before);
}

/* From one commit to the next, whoever enrols may get the number of a row that is gone. */
static void
no_turn_outlives_its_certificate_by_a_commit(void **state)
{
	struct sf *f = *state;
	size_t n;

	add(f, "adcs", 0, STORE_CAUSES_BATCH);
	sf_sql(f,
	    "INSERT INTO sweep(state, created, certs, total, why) VALUES(1, 5, 2, 100, 'x');"
	    "INSERT INTO sweep_turn(sweep_id, n, cert_id, effect, reason, rule)"
	    " SELECT 1, id, id, 2, 1, 'r' FROM cert");
	ok(f, store_foreign_forget(f->s, "adcs", "jane", &n, &f->err));
	assert_int_equal(n, STORE_CAUSES_BATCH);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM sweep_turn"), 0);
}

static void
its_exceptions_end(void **state)
{
	struct sf *f = *state;
	char who[] = "jane";
	struct store_exception e = {
		.of = EXCEPTION_CERT, .target = "100001", .ca = "adcs", .who = who, .comment = who
	};
	struct store_exception other = e;
	int64_t id;

	add(f, "adcs", 0, 2);
	add(f, "ezca", 0, 2);
	strcpy(other.ca, "ezca");
	e.until = other.until = clock_now() + 3600;
	ok(f, store_exception_add(f->s, &e, false, &id, &f->err));
	ok(f, store_exception_add(f->s, &other, false, &id, &f->err));
	forget(f, "adcs");
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM exception WHERE ca = 'adcs' AND ended <> 0"), 1);
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM exception WHERE ca = 'ezca' AND ended = 0"), 1);
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM audit WHERE event = 'foreign-forget' AND detail "
			     "LIKE '% exceptions=1'"),
	    1);
}

static void
what_we_have_issued_is_never_forgotten(void **state)
{
	const struct store_identity own = { .own = true, .key_sha256 = { 1 } };
	struct sf *f = *state;
	struct store_identity id;
	struct sf_tx t;
	struct store_cert_row r;

	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	ok(f, store_identity_set(f->s, t.cert.ca, &own, &f->err));
	forget(f, t.cert.ca);
	ok(f, store_identity_get(f->s, t.cert.ca, &id, &f->err));
	ok(f, store_cert_get(f->s, t.serial, t.cert.ca, &r, &f->err));
	store_cert_row_done(&r);
}

/* ---- looks ---- */

static void
the_last_look_and_the_last_good_one_are_known(void **state)
{
	struct sf *f = *state;
	struct store_foreign_look l;
	char text[ERR_MSG_MAX + 1];

	assert_int_equal(store_foreign_look_get(f->s, "adcs", &l, &f->err), RC_NOTFOUND);
	ok(f, store_foreign_look_set(f->s, "adcs", 100, "timed out", &f->err));
	ok(f, store_foreign_look_get(f->s, "adcs", &l, &f->err));
	assert_int_equal(l.tried, 100);
	assert_int_equal(l.good, 0);
	assert_string_equal(l.failure, "timed out");
	ok(f, store_foreign_look_set(f->s, "adcs", 200, NULL, &f->err));
	ok(f, store_foreign_look_set(f->s, "adcs", 300, "refused", &f->err));
	sf_restart(f);
	ok(f, store_foreign_look_get(f->s, "adcs", &l, &f->err));
	assert_int_equal(l.tried, 300);
	assert_int_equal(l.good, 200);
	assert_string_equal(l.failure, "refused");
	memset(text, 'x', sizeof(text));
	text[ERR_MSG_MAX] = '\0';
	assert_int_equal(store_foreign_look_set(f->s, "adcs", 1, text, &f->err), RC_LIMIT);
	text[ERR_MSG_MAX - 1] = '\0';
	ok(f, store_foreign_look_set(f->s, "adcs", 1, text, &f->err));
	ok(f, store_foreign_look_get(f->s, "adcs", &l, &f->err));
	assert_string_equal(l.failure, text);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(the_key_of_a_name_is_remembered),
		T(an_older_database_has_certificates_that_tell),
		T(all_that_is_its_own_goes_and_nothing_else),
		T(what_comes_after_it_inherits_nothing),
		T(no_turn_outlives_its_certificate_by_a_commit),
		T(its_exceptions_end),
		T(what_we_have_issued_is_never_forgotten),
		T(the_last_look_and_the_last_good_one_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
