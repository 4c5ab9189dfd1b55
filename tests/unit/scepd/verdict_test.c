/* verdict_test.c - a network lets in who has a good certificate of ours, and nobody else. */
#include <stdio.h>
#include <string.h>

#include "scepd/scepd.h"
#include "scepd/verdict.h"
#include "store/store_foreign.h"

#include "../store/fixture.h"

#define NOW 1796083200 /* 2026-12-01T00:00:00Z */

static enum verdict_word
ask(struct sf *f, const char *serial, const char *ca, int64_t now, const char *words)
{
	const struct verdict_from from = { f->s, NULL, 0 };
	struct admin_cert_ask a = { .cert = NULL };
	struct verdict v;
	enum verdict_word word;

	(void)snprintf(a.serial, sizeof(a.serial), "%s", serial);
	(void)snprintf(a.ca, sizeof(a.ca), "%s", ca);
	ok(f, verdict_of(&v, &from, &a, now, &f->err));
	if (strstr(v.text, words) == NULL) {
		print_error("\"%s\" does not say \"%s\"\n", v.text, words);
		_fail(__FILE__, __LINE__);
	}
	word = v.word;
	if (word == VERDICT_UNKNOWN) {
		assert_null(v.cert.serial);
		assert_int_equal(v.status.n_causes, 0);
		assert_string_equal(v.binding.user, "");
	} else {
		assert_string_equal(v.cert.serial, serial);
	}
	verdict_done(&v);
	return word;
}

static void
set(struct sf *f, const char *serial, enum cause_effect effect, int reason, const char *comment)
{
	const struct store_cause_set c = { .serial = serial,
		.source = CAUSE_MANUAL,
		.effect = effect,
		.reason = reason,
		.who = "jane",
		.comment = comment };
	struct store_cause_done done;

	ok(f, store_causes_set(f->s, &c, 1, &done, &f->err));
	assert_int_equal(done.outcome, CAUSE_SET);
}

static void
the_verdict_follows_the_status(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	assert_int_equal(ask(f, t.serial, "", NOW, "good"), VERDICT_GOOD);
	assert_int_equal(ask(f, t.serial, "issuing", NOW, "good"), VERDICT_GOOD);
	set(f, t.serial, CAUSE_HOLD, REASON_HOLD, "lost?");
	assert_int_equal(ask(f, t.serial, "", NOW, "lost?"), VERDICT_HOLD);
	set(f, t.serial, CAUSE_GONE, 0, NULL);
	assert_int_equal(ask(f, t.serial, "", NOW, "good"), VERDICT_GOOD);
	set(f, t.serial, CAUSE_REVOKE, 1, "stolen");
	assert_int_equal(ask(f, t.serial, "", NOW, "stolen"), VERDICT_REVOKED);
}

static void
an_expired_certificate_lets_nobody_in(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 2);
	(void)sf_drive(f, 2, TX_DELIVERED);
	assert_int_equal(ask(f, t.serial, "", t.cert.not_after, "good"), VERDICT_GOOD);
	assert_int_equal(
	    ask(f, t.serial, "", t.cert.not_after + 1, "expired at 2096-"), VERDICT_EXPIRED);
	/* What is known against it says more. */
	set(f, t.serial, CAUSE_HOLD, REASON_HOLD, "lost?");
	assert_int_equal(ask(f, t.serial, "", t.cert.not_after + 1, "lost?"), VERDICT_HOLD);
}

static void
what_is_not_ours_is_unknown(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 3);
	assert_int_equal(
	    ask(f, t.serial, "", NOW, "no certificate of this server"), VERDICT_UNKNOWN);
	(void)sf_drive(f, 3, TX_DELIVERED);
	assert_int_equal(
	    ask(f, t.serial, "other", NOW, "no certificate of that CA"), VERDICT_UNKNOWN);
	assert_int_equal(ask(f, "4711", "", NOW, "no certificate of this server"), VERDICT_UNKNOWN);
}

/* A certificate that a real CA made is asked for with the serial number of another one in the store. */
static void
a_certificate_with_a_serial_number_of_ours_is_not_ours(void **state)
{
	static const char pem[] =
	    "-----BEGIN CERTIFICATE-----\n"
	    "MIIBZzCCAQ2gAwIBAgICEmcwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGZm9yZ2Vk\n"
	    "MCAXDTI2MTIwMTAwMDUxOVoYDzIxMjYxMTA3MDAwNTE5WjARMQ8wDQYDVQQDDAZm\n"
	    "b3JnZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR3lndDn+gOsT91+pb7tsEG\n"
	    "HYewIF00vNYymlzE3UPiQLU/u/QurOcp9ZSKlHxfHcgg//1AA0/zOPCk8v10bQsB\n"
	    "o1MwUTAdBgNVHQ4EFgQUOl6YcfUzreqmKeBDqYvaHbL8S10wHwYDVR0jBBgwFoAU\n"
	    "Ol6YcfUzreqmKeBDqYvaHbL8S10wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD\n"
	    "AgNIADBFAiAOKJT44D4i4lDkQjXFOgNSk7srCvuHF79kQ776RpoUrQIhAPHakxyF\n"
	    "aechr9mY/ufsOj6JHtZj1P7ekHV6+DC0eZyU\n"
	    "-----END CERTIFICATE-----\n";
	struct sf *f = *state;
	const struct verdict_from from = { f->s, NULL, 0 };
	struct admin_cert_ask a = { .cert = NULL };
	struct verdict v;
	struct sf_tx t;
	size_t n = 0;

	sf_tx(&t, 4);
	(void)sf_drive(f, 4, TX_DELIVERED);
	ok(f, certs_parse_pem(&a.cert, 1, &n, pem, strlen(pem), &f->err));
	(void)snprintf(a.serial, sizeof(a.serial), "%s", t.serial);
	ok(f, verdict_of(&v, &from, &a, NOW, &f->err));
	assert_int_equal(v.word, VERDICT_UNKNOWN);
	assert_null(v.cert.serial);
	verdict_done(&v);
	admin_cert_ask_done(&a);
}

/* Nothing of the text is lost, however much somebody has written. */
static void
a_long_comment_fits(void **state)
{
	char comment[CAUSE_COMMENT_MAX];
	struct sf *f = *state;
	struct sf_tx t;

	memset(comment, 'x', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	sf_tx(&t, 5);
	(void)sf_drive(f, 5, TX_DELIVERED);
	set(f, t.serial, CAUSE_HOLD, REASON_HOLD, comment);
	assert_int_equal(ask(f, t.serial, "", NOW, comment), VERDICT_HOLD);
}

/* ---- CAs of others ---- */

/* A certificate of `by`, which is its own issuer if that is NULL. */
static struct cert *
make_cert(
    struct sf *f, const struct cert *by, struct key *signer, const char *name, const char *hex)
{
	struct serial serial;
	struct key *key = NULL;
	struct name n = { 0 };
	struct cert_fields c = { .serial = &serial,
		.issuer = by != NULL ? cert_subject0(by) : &n,
		.subject = &n,
		.not_before = NOW - 1000,
		.not_after = NOW + 1000,
		.issuer_key = signer,
		.digest = DIGEST_SHA256,
		.is_ca = by == NULL,
		.path_len = -1 };
	struct cert *out = NULL;

	ok(f, serial_from_hex(&serial, hex, &f->err));
	ok(f, name_from_text(&n, name, &f->err));
	ok(f, key_generate(&key, "ec:p256", &f->err));
	c.subject_key = by == NULL ? signer : key;
	ok(f, cert_make(&out, &c, signer, &f->err));
	key_free(key);
	name_done(&n);
	return out;
}

struct foreign {
	struct key *key, *other_key;
	struct cert *ca, *leaf, *bare, *forged;
	struct conf_foreign conf;
	struct server_foreign server;
};

/* "0A01" imported, "0A02" and "0A03" known by their numbers alone; `forged` has the number 0A02. */
static void
make_foreign(struct sf *f, struct foreign *x)
{
	struct store_foreign_cert v[3] = { { .serial = "0A01", .thumbprint = "00" },
		{ .serial = "0A02" }, { .serial = "0A03" } };
	enum foreign_outcome o[3];

	ok(f, key_generate(&x->key, "ec:p256", &f->err));
	ok(f, key_generate(&x->other_key, "ec:p256", &f->err));
	x->ca = make_cert(f, NULL, x->key, "CN=Old CA", "01");
	x->leaf = make_cert(f, x->ca, x->key, "CN=imported", "0A01");
	x->bare = make_cert(f, x->ca, x->key, "CN=not imported", "0A02");
	x->forged = make_cert(f, x->ca, x->other_key, "CN=not imported", "0A02");
	x->conf = (struct conf_foreign){ .name = "adcs" };
	x->server = (struct server_foreign){ .conf = &x->conf, .cert = x->ca };
	v[0].der = cert_der0(x->leaf, &v[0].der_len);
	v[0].not_after = cert_not_after(x->leaf);
	ok(f, store_foreign_add(f->s, "adcs", "jane", v, 3, o, &f->err));
}

static void
foreign_done(struct foreign *x)
{
	cert_free(x->ca);
	cert_free(x->leaf);
	cert_free(x->bare);
	cert_free(x->forged);
	key_free(x->key);
	key_free(x->other_key);
}

static enum verdict_word
ask_foreign(struct sf *f, const struct foreign *x, const char *serial, struct cert *cert,
    const char *ski, int64_t now)
{
	const struct verdict_from from = { f->s, &x->server, x->conf.name == NULL ? 0 : 1 };
	struct admin_cert_ask a = { .cert = cert };
	struct verdict v;
	enum verdict_word word;

	(void)snprintf(a.serial, sizeof(a.serial), "%s", serial);
	(void)snprintf(a.ski, sizeof(a.ski), "%s", ski);
	ok(f, verdict_of(&v, &from, &a, now, &f->err));
	word = v.word;
	assert_true((word == VERDICT_UNKNOWN) == (v.cert.serial == NULL));
	verdict_done(&v);
	return word;
}

static void
of_a_foreign_ca_only_what_it_has_signed_is_let_in(void **state)
{
	struct sf *f = *state;
	struct foreign x = { NULL };

	make_foreign(f, &x);
	assert_int_equal(ask_foreign(f, &x, "0A01", NULL, "", NOW), VERDICT_GOOD);
	assert_int_equal(ask_foreign(f, &x, "0A01", x.leaf, "", NOW), VERDICT_GOOD);
	assert_int_equal(ask_foreign(f, &x, "0A01", x.leaf, "", NOW + 2000), VERDICT_EXPIRED);
	assert_int_equal(ask_foreign(f, &x, "0A01", x.bare, "", NOW), VERDICT_UNKNOWN);
	assert_int_equal(ask_foreign(f, &x, "0A01", NULL, "1234", NOW), VERDICT_UNKNOWN);
	/* Known by its number: the signature tells whether it is the one. */
	assert_int_equal(ask_foreign(f, &x, "0A02", x.bare, "", NOW), VERDICT_GOOD);
	assert_int_equal(ask_foreign(f, &x, "0A02", x.bare, "", NOW + 2000), VERDICT_EXPIRED);
	assert_int_equal(ask_foreign(f, &x, "0A02", x.forged, "", NOW), VERDICT_UNKNOWN);
	assert_int_equal(ask_foreign(f, &x, "0A02", x.bare, "1234", NOW), VERDICT_UNKNOWN);
	assert_int_equal(ask_foreign(f, &x, "0A02", NULL, "", NOW), VERDICT_GOOD);
	assert_int_equal(ask_foreign(f, &x, "0A02", NULL, "1234", NOW), VERDICT_UNKNOWN);
	/* What is against the number counts, whatever key it has. */
	set(f, "0A02", CAUSE_HOLD, REASON_HOLD, "lost");
	assert_int_equal(ask_foreign(f, &x, "0A02", NULL, "1234", NOW), VERDICT_HOLD);
	assert_int_equal(ask_foreign(f, &x, "0A02", x.forged, "", NOW), VERDICT_UNKNOWN);
	set(f, "0A03", CAUSE_REVOKE, 1, "stolen");
	assert_int_equal(ask_foreign(f, &x, "0A03", NULL, "", NOW), VERDICT_REVOKED);
	foreign_done(&x);
}

static void
a_foreign_ca_that_is_configured_no_more_lets_nobody_in(void **state)
{
	struct sf *f = *state;
	struct foreign x = { NULL };

	make_foreign(f, &x);
	set(f, "0A03", CAUSE_REVOKE, 1, "stolen");
	x.conf.name = NULL;
	assert_int_equal(ask_foreign(f, &x, "0A01", x.leaf, "", NOW), VERDICT_UNKNOWN);
	assert_int_equal(ask_foreign(f, &x, "0A02", x.bare, "", NOW), VERDICT_UNKNOWN);
	assert_int_equal(ask_foreign(f, &x, "0A03", NULL, "", NOW), VERDICT_REVOKED);
	foreign_done(&x);
}

/* ---- several CAs, one serial number ---- */

/* What is asked by a number, a CA, a key, a certificate, of our CA and of x; *ca of the answer.  RC_CONFLICT is told. */
static enum rc
ask_several(struct sf *f, const struct foreign *x, const struct admin_cert_ask *a,
    enum verdict_word *word, char ca[static 64])
{
	const struct verdict_from from = { f->s, &x->server, 1 };
	struct verdict v;
	enum rc rc = verdict_of(&v, &from, a, NOW, &f->err);

	if (rc != RC_OK)
		return rc;
	*word = v.word;
	(void)snprintf(ca, 64, "%s", v.cert.ca != NULL ? v.cert.ca : "");
	verdict_done(&v);
	return RC_OK;
}

/* One of ours has this number, too. */
static void
ours_too(struct sf *f, const char *serial, unsigned n)
{
	char sql[128];

	(void)sf_drive(f, n, TX_DELIVERED);
	(void)snprintf(sql, sizeof(sql),
	    "UPDATE cert SET serial = x'%s' WHERE id = (SELECT max(id) FROM cert)", serial);
	sf_sql(f, sql);
}

static void
of_several_with_one_number_it_is_the_one_that_is_told(void **state)
{
	struct sf *f = *state;
	struct foreign x = { NULL };
	struct admin_cert_ask a = { .serial = "0A01" };
	enum verdict_word word = VERDICT_UNKNOWN;
	char ca[64];

	make_foreign(f, &x);
	ours_too(f, "0A01", 1);
	ours_too(f, "0A02", 2);
	assert_int_equal(ask_several(f, &x, &a, &word, ca), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, "issuing, adcs"));
	assert_non_null(strstr(f->err.hint, "ca=NAME"));
	(void)strcpy(a.ca, "adcs");
	ok(f, ask_several(f, &x, &a, &word, ca));
	assert_int_equal(word, VERDICT_GOOD);
	assert_string_equal(ca, "adcs");
	(void)strcpy(a.ca, "issuing");
	ok(f, ask_several(f, &x, &a, &word, ca));
	assert_string_equal(ca, "issuing");
	(void)strcpy(a.ca, "ezca");
	ok(f, ask_several(f, &x, &a, &word, ca));
	assert_int_equal(word, VERDICT_UNKNOWN);
	/* The whole certificate says it by itself, imported or not. */
	a.ca[0] = '\0';
	a.cert = x.leaf;
	ok(f, ask_several(f, &x, &a, &word, ca));
	assert_int_equal(word, VERDICT_GOOD);
	assert_string_equal(ca, "adcs");
	(void)strcpy(a.serial, "0A02");
	a.cert = x.bare;
	ok(f, ask_several(f, &x, &a, &word, ca));
	assert_string_equal(ca, "adcs");
	a.cert = x.forged;
	ok(f, ask_several(f, &x, &a, &word, ca));
	assert_int_equal(word, VERDICT_UNKNOWN);
	/* What is known by its number alone is as good an answer as any, where that is all there is. */
	a.cert = NULL;
	assert_int_equal(ask_several(f, &x, &a, &word, ca), RC_CONFLICT);
	foreign_done(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_verdict_follows_the_status, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    an_expired_certificate_lets_nobody_in, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_ours_is_unknown, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_certificate_with_a_serial_number_of_ours_is_not_ours, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(a_long_comment_fits, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    of_a_foreign_ca_only_what_it_has_signed_is_let_in, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_foreign_ca_that_is_configured_no_more_lets_nobody_in, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    of_several_with_one_number_it_is_the_one_that_is_told, sf_setup, sf_teardown),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
