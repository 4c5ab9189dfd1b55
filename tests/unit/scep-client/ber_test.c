/* ber_test.c - messages in BER are read by others, and are what BouncyCastle's look like. */
#include "selfcert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/cms.h"
#include "scep-client/ber.h"
#include "scep-client/enrol.h"

static struct cert *cert;
static struct scep_identity *me;

static int
set_up(void **state)
{
	struct err err;

	cert = selfcert("1234", fixture_key("rsa:2048"));
	assert_ok(enrol_identity(&me, cert, fixture_key("rsa:2048"), &err), err);
	return 0;
}

static int
tear_down(void **state)
{
	scep_identity_free(me);
	cert_free(cert);
	return fixture_done(state);
}

/* A PKCSReq to ourselves, with some KiB inside as a challenge of Intune's has. */
static struct scep_bytes
message(void)
{
	struct name subject = fixture_name("CN=device");
	char challenge[3000];
	struct csr_build b = {
		.subject = &subject, .challenge = challenge, .digest = DIGEST_SHA256
	};
	struct scep_pkcsreq p = { .type = SCEP_PKCS_REQ,
		.signer = me,
		.alg = { SCEP_SHA256, SCEP_AES128, { SCEP_RSA_PKCS1V15, SCEP_SHA1, SCEP_SHA1 } } };
	struct scep_pending pending;
	struct scep_bytes out = { 0 };
	struct scep_error se;
	struct buf csr;
	struct err err;

	memset(challenge, 'x', sizeof(challenge) - 1);
	challenge[sizeof(challenge) - 1] = '\0';
	buf_init(&csr, LIMIT_CSR);
	assert_ok(csr_build(&csr, &b, fixture_key("rsa:2048"), &err), err);
	p.csr = csr.data;
	p.csr_len = csr.len;
	p.recipient = cert_der0(cert, &p.recipient_len);
	if (scep_pkcsreq_encode(&out, &pending, &p, &se) != SCEP_OK)
		fail_msg("%s", se.text);
	buf_done(&csr);
	name_done(&subject);
	return out;
}

static size_t
count(const void *p, size_t len, const char *what, size_t n)
{
	const uint8_t *at = p;
	size_t found = 0;

	for (size_t i = 0; i + n <= len; i++)
		found += memcmp(at + i, what, n) == 0;
	return found;
}

static void
quirk_32_the_message_is_ber_and_libscep_opens_it(void **state)
{
	struct scep_bytes m = message();
	struct scep_message *parsed = NULL;
	struct scep_request *req = NULL;
	struct scep_error se;
	struct err err;
	size_t len;

	assert_ok(ber_message(&m, me, &err), err);
	assert_int_equal(m.data[0], 0x30);
	assert_int_equal(m.data[1], 0x80);
	/* OCTET STRING, constructed, indefinite; its first piece of 1000 octets */
	assert_int_equal(count(m.data, m.len, "\x24\x80\x04\x82\x03\xe8", 6), 1);
	/* encryptedContent [0] in pieces */
	assert_int_equal(count(m.data, m.len, "\xa0\x80\x04\x82\x03\xe8", 6), 1);
	if (scep_message_parse(&parsed, m.data, m.len, &se) != SCEP_OK ||
	    scep_request_open(&req, parsed, &me, 1, &se) != SCEP_OK)
		fail_msg("%s", se.text);
	assert_int_equal(scep_request_type(req), SCEP_PKCS_REQ);
	(void)scep_request_content(req, &len);
	assert_true(len > 3000);
	scep_request_free(req);
	scep_message_free(parsed);
	scep_bytes_free(&m);
}

static void
openssl_verifies_and_decrypts_it(void **state)
{
	struct scep_bytes m = message();
	struct buf pem, key;
	struct dir d;
	struct err err;

	assert_ok(ber_message(&m, me, &err), err);
	buf_init(&pem, 65536);
	buf_init(&key, 65536);
	cert_pem(&pem, cert);
	assert_ok(key_private_pem(&key, fixture_key("rsa:2048"), &err), err);
	dir_make_temp(&d);
	dir_put(&d, "m.der", m.data, m.len, 0600);
	dir_put(&d, "cert.pem", pem.data, pem.len, 0600);
	dir_put(&d, "key.pem", key.data, key.len, 0600);
	assert_int_equal(
	    dir_run(
		&d, NULL, "openssl cms -verify -noverify -binary -inform DER -in m.der -out e.der"),
	    0);
	assert_int_equal(dir_run(&d, NULL,
			     "openssl cms -decrypt -binary -inform DER -in e.der -recip cert.pem "
			     "-inkey key.pem -out csr.der"),
	    0);
	assert_int_equal(
	    dir_run(&d, NULL, "openssl req -verify -noout -inform DER -in csr.der"), 0);
	dir_done(&d);
	buf_done(&pem);
	buf_wipe(&key);
	scep_bytes_free(&m);
}

/* ---- the doors ---- */

static enum rc
signed_door(const void *p, size_t len)
{
	struct buf out;
	struct err err;
	enum rc rc;

	buf_init(&out, LIMIT_SCEP_MESSAGE);
	rc = ber_signed(&out, p, len, &err);
	buf_done(&out);
	return rc;
}

static enum rc
enveloped_door(const void *p, size_t len)
{
	struct buf out;
	struct err err;
	enum rc rc;

	buf_init(&out, LIMIT_SCEP_MESSAGE);
	rc = ber_enveloped(&out, p, len, &err);
	buf_done(&out);
	return rc;
}

static void
no_prefix_is_taken_and_no_bit_flip_is_fatal(void **state)
{
	struct scep_bytes m = message();
	struct cms_signed *s = NULL;
	struct der envelope;
	struct err err;

	assert_ok(cms_signed_parse(&s, m.data, m.len, &err), err);
	envelope = cms_signed_content0(s);
	sweep_prefixes(signed_door, m.data, m.len, 1);
	sweep_prefixes(enveloped_door, envelope.p, envelope.len, 1);
	/* What is inside octets may change; lengths and tags may not. */
	assert_true(sweep_flips(signed_door, m.data, m.len, 3) > 0);
	assert_true(sweep_flips(enveloped_door, envelope.p, envelope.len, 3) > 0);
	/* Each is not the other. */
	assert_int_equal(signed_door(envelope.p, envelope.len), RC_PARSE);
	assert_int_equal(enveloped_door(m.data, m.len), RC_PARSE);
	cms_signed_free(s);
	scep_bytes_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quirk_32_the_message_is_ber_and_libscep_opens_it),
		cmocka_unit_test(openssl_verifies_and_decrypts_it),
		cmocka_unit_test(no_prefix_is_taken_and_no_bit_flip_is_fatal),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
