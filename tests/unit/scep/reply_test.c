/*
 * reply_test.c - what a CertRep holds, and that a client, ours and the openssl command, reads it.
 */
#include "scep_kit.h"

#include <stdlib.h>
#include <string.h>

#include "scep/attrs.h"

static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };

static struct scep_message *
message(struct der txid, struct der nonce)
{
	struct buf envelope = envelop(&world.ra, der_of(&world.csr), CIPHER_AES128, v15, false), b;
	struct scep_message *m;
	struct scep_error err;
	struct forged f;

	forged_init(&f, &envelope);
	forged_set(&f, OID_TRANSACTION_ID, txid);
	forged_set(&f, OID_SENDER_NONCE, nonce);
	b = forge(&f);
	if (scep_message_parse(&m, b.data, b.len, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	buf_done(&b);
	buf_done(&envelope);
	return m;
}

static struct scep_message *
usual_message(void)
{
	return message(DER_TEXT("\x13\x04tx-1"),
	    DER_TEXT("\x04\x10"
		     "0123456789abcdef"));
}

/* The reply as CMS, verified. */
static struct cms_signed *
verified(const struct scep_bytes *b)
{
	struct cms_signed *s;
	struct err err = { 0 };

	assert_ok(cms_signed_parse(&s, b->data, b->len, &err), err);
	assert_non_null(cms_signed_signer0(s));
	assert_true(cms_signed_is_by(s, &world.ra.c));
	assert_ok(cms_signed_verify(s, world.ra.key, &err), err);
	assert_ok(cms_signed_attrs_plain(s, &err), err);
	return s;
}

static void
assert_attr(const struct cms_signed *s, const char *oid, struct der want)
{
	struct cms_value v;
	struct err err = { 0 };

	if (want.p == NULL) {
		assert_int_equal(cms_signed_attr(s, oid, &v, &err), RC_NOTFOUND);
		return;
	}
	assert_ok(cms_signed_attr(s, oid, &v, &err), err);
	if (!der_same(&v.whole, &want))
		fail_msg("attribute %s has another value", oid);
}

static void
R20_R21_R22_R32_quirk26_quirk49_quirk51_quirk56_a_failure_holds_every_attribute_and_no_envelope(
    void **state)
{
	struct scep_message *m = usual_message();
	struct scep_bytes out;
	struct cms_signed *s;
	struct cms_value v;
	struct scep_error e;
	struct err err = { 0 };

	world_count_reset();
	assert_int_equal(
	    scep_reply_failure(&out, m, world.ra_id, SCEP_BAD_ALG, "Use AES.", &e), SCEP_OK);
	assert_int_equal(world_signs(), 1);
	assert_int_equal(world_unwraps(), 0);
	s = verified(&out);
	assert_null(cms_signed_content0(s).p);
	assert_string_equal(cms_signed_content_type(s), OID_DATA);
	assert_int_equal(cms_signed_n_certs(s), 1);
	assert_attr(s, OID_TRANSACTION_ID, DER_TEXT("\x13\x04tx-1"));
	assert_attr(s, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x01"
		     "3"));
	assert_attr(s, OID_PKI_STATUS,
	    DER_TEXT("\x13\x01"
		     "2"));
	assert_attr(s, OID_FAIL_INFO,
	    DER_TEXT("\x13\x01"
		     "0"));
	assert_attr(s, OID_FAIL_INFO_TEXT, DER_TEXT("\x0c\x08Use AES."));
	assert_attr(s, OID_RECIPIENT_NONCE,
	    DER_TEXT("\x04\x10"
		     "0123456789abcdef"));
	assert_ok(cms_signed_attr(s, OID_SENDER_NONCE, &v, &err), err);
	assert_int_equal(v.tag, DER_OCTET_STRING);
	assert_int_equal(v.body.len, 16);
	assert_ok(cms_signed_attr(s, OID_SIGNING_TIME, &v, &err), err);
	assert_int_equal(v.tag, DER_UTCTIME);
	assert_int_equal(cms_signed_n_attrs(s), 10);
	cms_signed_free(s);
	scep_bytes_free(&out);
	scep_message_free(m);
}

static void
R26_every_fail_info_is_written_as_it_is(void **state)
{
	static const struct {
		enum scep_fail_info info;
		struct der want;
	} cases[] = {
		{ SCEP_BAD_ALG,
		    DER_TEXT("\x13\x01"
			     "0") },
		{ SCEP_BAD_MESSAGE_CHECK,
		    DER_TEXT("\x13\x01"
			     "1") },
		{ SCEP_BAD_REQUEST,
		    DER_TEXT("\x13\x01"
			     "2") },
		{ SCEP_BAD_TIME,
		    DER_TEXT("\x13\x01"
			     "3") },
		{ SCEP_BAD_CERT_ID,
		    DER_TEXT("\x13\x01"
			     "4") },
		{ SCEP_FAIL_NONE,
		    DER_TEXT("\x13\x01"
			     "2") }, /* never a FAILURE without a reason */
		{ (enum scep_fail_info)5,
		    DER_TEXT("\x13\x01"
			     "2") },
	};
	struct scep_message *m = usual_message();
	struct scep_bytes out;
	struct cms_signed *s;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		assert_int_equal(
		    scep_reply_failure(&out, m, world.ra_id, cases[i].info, NULL, NULL), SCEP_OK);
		s = verified(&out);
		assert_attr(s, OID_FAIL_INFO, cases[i].want);
		assert_attr(s, OID_FAIL_INFO_TEXT, (struct der){ 0 });
		cms_signed_free(s);
		scep_bytes_free(&out);
	}
	scep_message_free(m);
}

static void
R21_R32_pending_has_neither_envelope_nor_fail_info(void **state)
{
	struct scep_message *m = usual_message();
	struct scep_bytes out;
	struct cms_signed *s;

	assert_int_equal(scep_reply_pending(&out, m, world.ra_id, NULL), SCEP_OK);
	s = verified(&out);
	assert_null(cms_signed_content0(s).p);
	assert_attr(s, OID_PKI_STATUS,
	    DER_TEXT("\x13\x01"
		     "3"));
	assert_attr(s, OID_FAIL_INFO, (struct der){ 0 });
	cms_signed_free(s);
	scep_bytes_free(&out);
	scep_message_free(m);
}

static void
R21_R23_quirk38_transaction_id_and_nonce_come_back_bit_for_bit(void **state)
{
	static const struct der txids[] = { DER_TEXT("\x13\x04tx-1"),
		DER_TEXT("\x0c\x03"
			 "a b"),
		DER_TEXT("\x16\x04+/=="), DER_TEXT("\x0c\x02\xc3\xa9") };
	static const struct der nonces[] = { DER_TEXT("\x04\x01\x00"),
		DER_TEXT("\x04\x08"
			 "01234567"),
		DER_TEXT("\x04\x14"
			 "01234567890123456789"),
		{ 0 } };
	struct scep_message *m;
	struct scep_bytes out;
	struct cms_signed *s;
	size_t i;

	for (i = 0; i < N(txids); i++) {
		m = message(txids[i], nonces[i]);
		assert_int_equal(
		    scep_reply_failure(&out, m, world.ra_id, SCEP_BAD_REQUEST, "", NULL), SCEP_OK);
		s = verified(&out);
		assert_attr(s, OID_TRANSACTION_ID, txids[i]);
		assert_attr(s, OID_RECIPIENT_NONCE, nonces[i]);
		cms_signed_free(s);
		scep_bytes_free(&out);
		scep_message_free(m);
	}
}

static void
R22_quirk55_fail_info_text_is_cut_and_cleaned(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "two\nlines\t", "two lines " },
		{ "Stra\xc3\x9f"
		  "e",
		    "Stra\xc3\x9f"
		    "e" },
		{ "bad \xff\xc3", "bad ??" },
	};
	char out[FAIL_TEXT_MAX + 1], in[400];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		fail_text_clean(out, cases[i].in, strlen(cases[i].in));
		assert_string_equal(out, cases[i].out);
	}
	memset(in, 'x', sizeof(in));
	memcpy(in + 254, "\xc3\x9f", 2); /* across the limit */
	fail_text_clean(out, in, sizeof(in));
	assert_int_equal(strlen(out), 254);
}

static int
constant_sign(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	memset(sig, 1, *sig_len = 256);
	return 0;
}

static int
compare_nonces(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void
R28_sender_nonces_do_not_repeat(void **state)
{
	enum { COUNT = 100000 };
	static const struct scep_key_ops ops = { .sign = constant_sign };
	static uint8_t nonces[COUNT][16];
	struct scep_message *m = usual_message();
	struct scep_identity *id;
	struct scep_bytes out;
	struct cms_signed *s;
	struct cms_value v;
	size_t i;

	assert_int_equal(
	    scep_identity_new(&id, world.ra.c.der.p, world.ra.c.der.len, &ops, NULL, NULL),
	    SCEP_OK);
	for (i = 0; i < COUNT; i++) {
		assert_int_equal(
		    scep_reply_failure(&out, m, id, SCEP_BAD_REQUEST, NULL, NULL), SCEP_OK);
		assert_int_equal(cms_signed_parse(&s, out.data, out.len, NULL), RC_OK);
		assert_int_equal(cms_signed_attr(s, OID_SENDER_NONCE, &v, NULL), RC_OK);
		memcpy(nonces[i], v.body.p, 16);
		cms_signed_free(s);
		scep_bytes_free(&out);
	}
	qsort(nonces, COUNT, 16, compare_nonces);
	for (i = 1; i < COUNT; i++)
		assert_int_not_equal(memcmp(nonces[i - 1], nonces[i], 16), 0);
	scep_identity_free(id);
	scep_message_free(m);
}

static int
failing_sign(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	return -1;
}

static void
a_key_that_cannot_sign_is_an_error_and_no_reply(void **state)
{
	static const struct scep_key_ops ops[] = { { .sign = failing_sign }, { 0 } };
	struct scep_message *m = usual_message();
	struct scep_bytes out = { 0 };
	struct scep_identity *id;
	struct scep_error err;
	size_t i;

	for (i = 0; i < N(ops); i++) {
		assert_int_equal(scep_identity_new(&id, world.ra.c.der.p, world.ra.c.der.len,
				     &ops[i], NULL, NULL),
		    SCEP_OK);
		assert_int_equal(scep_reply_pending(&out, m, id, &err), SCEP_E_CRYPTO);
		assert_string_equal(err.step, "sign");
		assert_null(out.data);
		scep_identity_free(id);
	}
	scep_message_free(m);
}

/* ---- success ---------------------------------------------------------------------------- */

static struct scep_request *
request(const struct scep_algorithms *alg, struct scep_pending *pending)
{
	struct scep_bytes b = make_request(alg, pending);
	struct scep_request *r = NULL;
	struct scep_message *m;
	struct scep_error err;

	if (scep_message_parse(&m, b.data, b.len, &err) != SCEP_OK ||
	    scep_request_open(&r, m, &world.ra_id, 1, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	scep_message_free(m);
	scep_bytes_free(&b);
	return r;
}

static void
R06_R31_quirk31_quirk47_quirk53_a_success_mirrors_the_algorithms_and_carries_the_leaf_only(
    void **state)
{
	static const struct scep_transport transports[] = {
		{ SCEP_RSA_PKCS1V15, 0, 0 },
		{ SCEP_RSA_OAEP, SCEP_SHA1, SCEP_SHA1 },
		{ SCEP_RSA_OAEP, SCEP_SHA256, SCEP_SHA256 },
		{ SCEP_RSA_OAEP, SCEP_SHA512, SCEP_SHA1 },
	};
	struct scep_bytes leaf = bytes_of_der(world.curve.c.der), ra = bytes_of_der(world.ra.c.der),
			  out;
	struct scep_algorithms alg, got;
	struct scep_certrep rep;
	struct scep_pending pending;
	struct scep_request *r;
	struct scep_error err;
	size_t t;
	int c, d;

	for (d = SCEP_SHA1; d <= SCEP_SHA512; d++) {
		for (c = SCEP_DES3; c <= SCEP_AES256; c++) {
			for (t = 0; t < N(transports); t++) {
				alg = (struct scep_algorithms){ (enum scep_digest)d,
					(enum scep_cipher)c, transports[t] };
				r = request(&alg, &pending);
				scep_request_algorithms(r, &got);
				assert_memory_equal(&got, &alg, sizeof(alg));
				if (scep_reply_success(&out, r, world.ra_id, &leaf, 1, &err) !=
					SCEP_OK ||
				    scep_certrep_open(&rep, out.data, out.len, &pending, &ra, 1,
					world.device_id, &err) != SCEP_OK)
					fail_msg("%s", err.text);
				assert_int_equal(rep.status, SCEP_SUCCESS);
				assert_memory_equal(&rep.alg, &alg, sizeof(alg));
				assert_int_equal(rep.n_certs, 1);
				assert_int_equal(rep.certs[0].len, leaf.len);
				assert_memory_equal(rep.certs[0].data, leaf.data, leaf.len);
				scep_certrep_done(&rep);
				scep_bytes_free(&out);
				scep_request_free(r);
			}
		}
	}
}

static void
R31_quirk48_more_certificates_keep_their_order(void **state)
{
	struct scep_bytes ra = bytes_of_der(world.ra.c.der), out;
	struct scep_bytes chain[] = { bytes_of_der(world.stranger.c.der),
		bytes_of_der(world.curve.c.der), bytes_of_der(world.ra.c.der) };
	struct scep_pending pending;
	struct scep_request *r = request(&usual, &pending);
	struct scep_certrep rep;
	struct scep_error err;
	size_t i;

	assert_int_equal(scep_reply_success(&out, r, world.ra_id, chain, 3, &err), SCEP_OK);
	assert_int_equal(
	    scep_certrep_open(&rep, out.data, out.len, &pending, &ra, 1, world.device_id, &err),
	    SCEP_OK);
	assert_int_equal(rep.n_certs, 3);
	for (i = 0; i < 3; i++)
		assert_memory_equal(rep.certs[i].data, chain[i].data, chain[i].len);
	scep_certrep_done(&rep);
	scep_bytes_free(&out);
	assert_int_equal(scep_reply_success(&out, r, world.ra_id, chain, 0, &err), SCEP_E_LIMIT);
	assert_int_equal(scep_reply_success(&out, r, world.ra_id, chain, 9, &err), SCEP_E_LIMIT);
	scep_request_free(r);
}

static void
openssl_reads_a_success(void **state)
{
	struct scep_algorithms alg = { SCEP_SHA256, SCEP_AES256,
		{ SCEP_RSA_OAEP, SCEP_SHA256, SCEP_SHA256 } };
	struct scep_bytes leaf = bytes_of_der(world.curve.c.der), out;
	struct scep_request *r = request(&alg, NULL);
	struct buf text = new_buf();
	struct scep_error err;
	struct dir dir;

	dir_make_temp(&dir);
	actor_put(&world.device, &dir, "device");
	assert_int_equal(scep_reply_success(&out, r, world.ra_id, &leaf, 1, &err), SCEP_OK);
	dir_put(&dir, "rep", out.data, out.len, 0600);
	if (dir_run(&dir, &text,
		"openssl cms -verify -noverify -binary -inform DER -in rep -out env && "
		"openssl cms -decrypt -binary -inform DER -in env -recip device.pem -inkey "
		"device.key -out certs && "
		"openssl pkcs7 -inform DER -in certs -print_certs -noout") != 0 ||
	    strstr(buf_str(&text), "CN = curve") == NULL)
		fail_msg("%s", buf_str(&text));
	buf_done(&text);
	dir_done(&dir);
	scep_bytes_free(&out);
	scep_request_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    R20_R21_R22_R32_quirk26_quirk49_quirk51_quirk56_a_failure_holds_every_attribute_and_no_envelope),
		cmocka_unit_test(R26_every_fail_info_is_written_as_it_is),
		cmocka_unit_test(R21_R32_pending_has_neither_envelope_nor_fail_info),
		cmocka_unit_test(R21_R23_quirk38_transaction_id_and_nonce_come_back_bit_for_bit),
		cmocka_unit_test(R22_quirk55_fail_info_text_is_cut_and_cleaned),
		cmocka_unit_test(R28_sender_nonces_do_not_repeat),
		cmocka_unit_test(a_key_that_cannot_sign_is_an_error_and_no_reply),
		cmocka_unit_test(
		    R06_R31_quirk31_quirk47_quirk53_a_success_mirrors_the_algorithms_and_carries_the_leaf_only),
		cmocka_unit_test(R31_quirk48_more_certificates_keep_their_order),
		cmocka_unit_test(openssl_reads_a_success),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
