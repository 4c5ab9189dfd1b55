/*
 * foreign_test.c - responders of CAs that are not ours: what is one, what it may answer, and one that is exchanged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "ossl/ocsp.h"

#include "foreign_lab.h"
#include "wire.h"

static void
opened(struct lab *b, struct signer **out)
{
	ok(b->k, open_lab(b, out));
}

static void
want(struct kit *k, enum rc rc, enum rc expected, const char *part)
{
	if (rc != expected || strstr(k->err.msg, part) == NULL)
		fail_msg("%s \"%s\", expected %s \"%s\"", rc_name(rc), k->err.msg,
		    rc_name(expected), part);
}

/* ---- answers ---- */

/* SHA-256 of name and key (RFC 6960 4.1.1), serial number 0x4711. */
static void
cert_id(struct buf *out, const struct cert *ca)
{
	static const uint8_t serial[] = { 2, 2, 0x47, 0x11 };
	struct ocsp_issuer issuer;
	size_t id, alg;

	assert_int_equal(ocsp_issuer_of(&issuer, ca, NULL), RC_OK);
	buf_init(out, 500);
	id = der_open(out, DER_SEQUENCE);
	alg = der_open(out, DER_SEQUENCE);
	assert_true(der_add_oid(out, "2.16.840.1.101.3.4.2.1"));
	der_close(out, alg);
	der_add(out, DER_OCTET_STRING, issuer.name[DIGEST_SHA256], 32);
	der_add(out, DER_OCTET_STRING, issuer.key[DIGEST_SHA256], 32);
	buf_add(out, serial, sizeof(serial));
	der_close(out, id);
}

/* Asks `s` to sign under the name "old" an answer about a certificate of `ca` that holds `span` seconds. */
static enum rc
answer(struct lab *b, struct signer *s, const struct cert *ca, int64_t span, struct buf *out)
{
	struct ocsp_single single = { .status = OCSP_REVOKED, .revoked = BEGIN, .reason = 1 };
	struct ocsp_answer a = { .produced = clock_now(), .singles = &single, .n_singles = 1 };
	struct buf id, data;
	enum rc rc;

	cert_id(&id, ca);
	single.id = (struct der){ id.data, id.len };
	single.this_update = a.produced;
	single.next_update = a.produced + span;
	ok(b->k, key_identifier(a.responder, b->key, &b->k->err));
	buf_init(&data, 4096);
	buf_init(out, 4 * LIMIT_CERT);
	ok(b->k, ocsp_response_data_build(&data, &a, &b->k->err));
	b->k->err = (struct err){ 0 };
	rc = signer_sign_ocsp(s, "old", data.data, data.len, out, &b->k->err);
	buf_done(&id);
	buf_done(&data);
	return rc;
}

static bool
carries(const struct buf *basic, const struct cert *c)
{
	size_t len;
	const uint8_t *der = cert_der0(c, &len);

	return memmem(basic->data, basic->len, der, len) != NULL;
}

static void
a_responder_that_the_ca_has_certified_answers_for_it(void **state)
{
	static const char *const kinds[][2] = { { "rsa:2048", "rsa:2048" },
		{ "ec:p256", "ec:p384" }, { "ec:p384", "rsa:2048" } };
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct signer_server *v;
		struct signer *s, *remote, *all[2];
		struct lab b;
		struct buf out;

		lab_make(&b, k, kinds[i][0], kinds[i][1]);
		opened(&b, &s);
		wire_both(k, s, 1, &remote, &v);
		all[0] = s;
		all[1] = remote;
		for (int n = 0; n < 2; n++) {
			ok(k, answer(&b, all[n], b.ca, 3600, &out));
			assert_true(carries(&out, b.responder));
			buf_done(&out);
		}
		assert_true(wire_round(k, remote)); /* ours are served as ever */
		signer_close(remote);
		signer_server_free(v);
		signer_close(s);
		lab_done(&b);
	}
}

static void
an_answer_about_another_ca_or_for_too_long_is_denied(void **state)
{
	struct kit *k = *state;
	struct signer *s;
	struct lab b;
	struct buf out;

	lab_make(&b, k, "ec:p256", "ec:p256");
	opened(&b, &s);
	want(k, answer(&b, s, k->rsa.cert, 3600, &out), RC_DENIED, "of another CA");
	assert_int_equal(out.len, 0);
	want(
	    k, answer(&b, s, b.ca, SIGNER_OCSP_VALIDITY_MAX + 60, &out), RC_DENIED, "holds longer");
	assert_int_equal(out.len, 0);
	want(k, answer(&b, s, b.ca, SIGNER_OCSP_VALIDITY_MAX - 60, &out), RC_OK, "");
	buf_done(&out);
	signer_close(s);
	lab_done(&b);
}

static void
nothing_but_answers_is_signed_for_a_foreign_ca(void **state)
{
	static const struct transport t = { TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA1 };
	static const uint8_t some[] = "0";
	struct kit *k = *state;
	struct signer_certs certs;
	uint8_t cek[32];
	struct signer *s;
	struct lab b;
	struct buf out;

	lab_make(&b, k, "rsa:2048", "rsa:2048");
	opened(&b, &s);
	buf_init(&out, LIMIT_CERT);
#define DENIED(call) want(k, (call), RC_DENIED, "nothing but OCSP answers is signed for it")
	DENIED(signer_sign_cert(s, "old", some, 1, &out, &k->err));
	DENIED(signer_sign_crl(s, "old", some, 1, &out, &k->err));
	DENIED(signer_sign_certrep(s, "old", DIGEST_SHA256, some, 1, &out, &k->err));
	DENIED(signer_unwrap(s, "old", &t, some, 1, cek, sizeof(cek), &k->err));
	DENIED(signer_next_ca(s, "old", &out, &k->err));
	assert_int_equal(out.len, 0);
	ok(k, signer_certs(s, "old", &certs, &k->err));
	assert_int_equal(certs.n_ra, 0);
	assert_true(cert_not_after(certs.ocsp) == cert_not_after(b.responder));
	signer_certs_done(&certs);
	signer_tick(s, cert_not_after(b.responder) - 60);
	ok(k, signer_certs(s, "old", &certs, &k->err)); /* and is not renewed by us */
	assert_true(cert_not_after(certs.ocsp) == cert_not_after(b.responder));
	signer_certs_done(&certs);
	signer_close(s);
	lab_done(&b);
}

/* ---- what is none ---- */

static void
refused(struct lab *b, const char *part)
{
	struct signer *s = NULL;

	want(b->k, open_lab(b, &s), RC_CONFIG, part);
	assert_non_null(strstr(b->k->err.msg, "OCSP responder of foreign CA old: "));
	assert_null(s);
}

static void
a_certificate_that_is_no_responders_is_refused_at_the_start(void **state)
{
	struct kit *k = *state;
	struct lab b;

	lab_make(&b, k, "rsa:2048", "ec:p256");
	certify(&b, (struct wish){ .issuer = k->ec.cert, .issuer_key = k->ec.key });
	refused(&b, "not signed by that CA");
	certify(&b, (struct wish){ .issuer_key = k->ec.key });
	refused(&b, "not signed by that CA");
	certify(&b, (struct wish){ .eku = CLIENT_AUTH });
	refused(&b, "no OCSPSigning");
	certify(&b, (struct wish){ .key_usage = KU_KEY_ENCIPHERMENT });
	refused(&b, "no digitalSignature");
	certify(&b, (struct wish){ .is_ca = true, .key_usage = KU_KEY_CERT_SIGN });
	refused(&b, "is the certificate of a CA");
	certify(&b, (struct wish){ .key = k->leaf });
	refused(&b, "key does not belong to it");
	certify(&b, (struct wish){ .begin = 0 });
	put_key(k, b.key_file, "responder.key", b.ca_key);
	certify(&b, (struct wish){ .key = b.ca_key });
	refused(&b, "its key is that of the CA");
	put_key(k, b.key_file, "responder.key", k->ec.key);
	certify(&b, (struct wish){ .key = k->ec.key });
	refused(&b, "is a key of CA ec, too");
	(void)unlink(b.key_file);
	refused(&b, b.key_file);
	assert_string_equal(k->err.hint, "scepctl foreign csr old makes one");
	lab_done(&b);
}

static void
a_certificate_changed_in_any_bit_is_no_responders(void **state)
{
	struct kit *k = *state;
	struct lab b;
	size_t len;
	const uint8_t *der;
	uint8_t *changed;

	lab_make(&b, k, "ec:p256", "ec:p256");
	der = cert_der0(b.responder, &len);
	assert_non_null(changed = malloc(len));
	memcpy(changed, der, len);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		struct cert *c = NULL;

		changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (cert_parse(&c, changed, len, NULL) == RC_OK)
			assert_int_equal(signer_responder_check(c, b.ca, NULL), RC_CONFIG);
		cert_free(c);
		changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(changed);
	ok(k, signer_responder_check(b.responder, b.ca, &k->err));
	lab_done(&b);
}

/* ---- dates, and one that is exchanged ---- */

static void
one_that_has_ended_or_is_not_there_is_told_when_asked(void **state)
{
	struct kit *k = *state;
	struct signer_certs certs;
	struct signer *s;
	struct lab b;
	struct buf out;

	lab_make(&b, k, "ec:p256", "ec:p256");
	certify(&b, (struct wish){ .end = -60 });
	opened(&b, &s);
	want(k, answer(&b, s, b.ca, 3600, &out), RC_NOTFOUND, "has ended");
	assert_int_equal(out.len, 0);
	assert_true(wire_round(k, s)); /* others are served */
	signer_close(s);
	(void)unlink(b.cert_file);
	opened(&b, &s);
	want(k, answer(&b, s, b.ca, 3600, &out), RC_NOTFOUND, "has no certificate yet");
	ok(k, signer_certs(s, "old", &certs, &k->err));
	assert_null(certs.ocsp);
	signer_certs_done(&certs);
	assert_true(wire_round(k, s));
	signer_close(s);
	lab_done(&b);
}

static enum rc
offer(struct lab *b, struct signer *s, const char *ca, const struct cert *c)
{
	size_t len;
	const uint8_t *der = cert_der0(c, &len);

	b->k->err = (struct err){ 0 };
	return signer_take_responder(s, ca, der, len, &b->k->err);
}

/* Offers what `w` says, and wants a no. */
static void
not_taken(struct lab *b, struct signer *s, struct wish w, const char *part)
{
	struct cert *c = NULL;

	w.keep = &c;
	certify(b, w);
	want(b->k, offer(b, s, "old", c), RC_DENIED, part);
	cert_free(c);
}

static void
a_new_certificate_is_taken_while_the_signer_runs(void **state)
{
	struct kit *k = *state;
	struct signer_server *v;
	struct signer *s, *remote;
	struct lab b;
	struct buf out;

	lab_make(&b, k, "rsa:2048", "ec:p256");
	(void)unlink(b.cert_file);
	opened(&b, &s);
	wire_both(k, s, 1, &remote, &v);
	ok(k, offer(&b, remote, "old", b.responder)); /* the first */
	ok(k, answer(&b, remote, b.ca, 3600, &out));
	assert_true(carries(&out, b.responder));
	buf_done(&out);
	certify(&b, (struct wish){ .end = 60 * DAY }); /* the next */
	for (int again = 0; again < 2; again++) {
		ok(k, offer(&b, remote, "old", b.responder));
		ok(k, answer(&b, remote, b.ca, 3600, &out));
		assert_true(carries(&out, b.responder));
		buf_done(&out);
	}
	signer_close(remote);
	signer_server_free(v);
	signer_close(s);
	lab_done(&b);
}

static void
what_does_not_fit_is_not_taken_and_changes_nothing(void **state)
{
	struct kit *k = *state;
	struct signer *s;
	struct lab b;
	struct buf out;

	lab_make(&b, k, "ec:p256", "ec:p256");
	opened(&b, &s);
	not_taken(&b, s, (struct wish){ .issuer = k->ec.cert, .issuer_key = k->ec.key },
	    "not signed by that CA");
	not_taken(&b, s, (struct wish){ .eku = CLIENT_AUTH }, "no OCSPSigning");
	not_taken(&b, s, (struct wish){ .key = k->leaf }, "key does not belong to it");
	not_taken(&b, s, (struct wish){ .end = -60 }, "has ended");
	want(k, offer(&b, s, "rsa", b.responder), RC_DENIED,
	    "certifies its OCSP responder by itself");
	want(k, offer(&b, s, "nobody", b.responder), RC_NOTFOUND, "no CA nobody");
	want(k, signer_take_responder(s, "old", (const uint8_t *)"0", 1, &k->err), RC_PARSE, "");
	ok(k, answer(&b, s, b.ca, 3600, &out));
	assert_true(carries(&out, b.responder));
	buf_done(&out);
	signer_close(s);
	lab_done(&b);
}

static void
whoever_offers_without_end_is_stopped(void **state)
{
	struct kit *k = *state;
	struct signer *s;
	struct lab b;
	enum rc rc = RC_OK;
	int n = 0;

	lab_make(&b, k, "ec:p256", "ec:p256");
	opened(&b, &s);
	for (; rc == RC_OK && n < 5000; n++)
		rc = offer(&b, s, "old", b.responder);
	want(k, rc, RC_LIMIT, "certificates of its responder");
	signer_close(s);
	lab_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_responder_that_the_ca_has_certified_answers_for_it),
		cmocka_unit_test(an_answer_about_another_ca_or_for_too_long_is_denied),
		cmocka_unit_test(nothing_but_answers_is_signed_for_a_foreign_ca),
		cmocka_unit_test(a_certificate_that_is_no_responders_is_refused_at_the_start),
		cmocka_unit_test(a_certificate_changed_in_any_bit_is_no_responders),
		cmocka_unit_test(one_that_has_ended_or_is_not_there_is_told_when_asked),
		cmocka_unit_test(a_new_certificate_is_taken_while_the_signer_runs),
		cmocka_unit_test(what_does_not_fit_is_not_taken_and_changes_nothing),
		cmocka_unit_test(whoever_offers_without_end_is_stopped),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
