/*
 * strict_test.c - an endpoint that takes RFC 8894 to the letter: what passes, and what is told of what
 * does not.
 */
#include "scep_kit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scep/attrs.h"

static const struct transport oaep_sha1 = { TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 };

static enum scep_status
strict_at(const struct buf *b, int64_t offset, struct scep_error *err)
{
	struct scep_message *m;
	enum scep_status st;

	if (parse_message(&m, b, err) != SCEP_OK)
		fail_msg("not even a message: %s", err->text);
	st = scep_message_strict(m, scep_message_signing_time(m) + offset, 300, err);
	scep_message_free(m);
	return st;
}

static void
assert_strict(struct buf *b, enum scep_status want, enum scep_fail_info info, const char *what)
{
	struct scep_error err = { .fail_info = SCEP_FAIL_NONE };
	enum scep_status st = strict_at(b, 0, &err);

	if (st != want)
		fail_msg("%s: status %d: %s", what, st, err.text);
	if (st != SCEP_OK) {
		assert_int_equal(err.fail_info, info);
		assert_string_equal(err.step, "strict");
	}
	buf_done(b);
}

static void
what_the_rfc_describes_passes(void **state)
{
	static const enum digest digests[] = { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
	struct buf envelope, b;
	struct forged f;
	int cipher;
	size_t i;

	for (i = 0; i < N(digests); i++) {
		for (cipher = CIPHER_AES128; cipher <= CIPHER_AES256; cipher++) {
			envelope = envelop(&world.ra, der_of(&world.csr), (enum cipher)cipher,
			    i == 0 ? oaep_sha1 : (struct transport){ TRANSPORT_PKCS1V15 }, i == 1);
			forged_init(&f, &envelope);
			f.digest = digests[i];
			b = forge(&f);
			assert_strict(&b, SCEP_OK, SCEP_FAIL_NONE, "a good message");
			buf_done(&envelope);
		}
	}
}

static void
R12_R13_old_algorithms_are_bad_alg(void **state)
{
	struct buf aes = good_envelope(), b, changed,
		   des3 = envelop(&world.ra, der_of(&world.csr), CIPHER_DES3,
		       (struct transport){ TRANSPORT_PKCS1V15 }, false),
		   alg = alg_der("1.3.14.3.2.7",
		       DER_TEXT("\x04\x08"
				"01234567"));
	struct enveloped_parts e;
	struct signed_parts p;
	struct forged f;

	forged_init(&f, &des3);
	b = forge(&f);
	assert_strict(&b, SCEP_E_ALG, SCEP_BAD_ALG, "3DES");
	forged_init(&f, &aes);
	f.digest = DIGEST_SHA1;
	b = forge(&f);
	assert_strict(&b, SCEP_E_ALG, SCEP_BAD_ALG, "SHA-1");
	enveloped_take_apart(&e, &aes);
	e.alg = der_of(&alg);
	changed = enveloped_put_together(&e);
	forged_init(&f, &changed);
	b = forge(&f);
	assert_strict(&b, SCEP_E_ALG, SCEP_BAD_ALG, "single DES");
	buf_done(&changed);
	buf_done(&alg);
	alg = alg_der("1.2.840.113549.2.5", (struct der){ 0 });
	forged_init(&f, &aes);
	changed = forge(&f);
	signed_take_apart(&p, &changed);
	p.digest_alg = der_of(&alg);
	b = signed_put_together(&p);
	assert_strict(&b, SCEP_E_ALG, SCEP_BAD_ALG, "MD5");
	buf_done(&changed);
	buf_done(&alg);
	buf_done(&aes);
	buf_done(&des3);
}

static void
R26_quirk36_a_skewed_signing_time_is_bad_time(void **state)
{
	static const struct {
		int64_t offset;
		enum scep_status want;
	} cases[] = { { 0, SCEP_OK }, { 300, SCEP_OK }, { -300, SCEP_OK }, { 301, SCEP_E_TIME },
		{ -301, SCEP_E_TIME }, { 9 * 3600, SCEP_E_TIME }, { -40000000000, SCEP_E_TIME } };
	struct buf envelope = good_envelope(), b;
	struct scep_error err;
	struct forged f;
	size_t i;

	forged_init(&f, &envelope);
	b = forge(&f);
	for (i = 0; i < N(cases); i++) {
		assert_int_equal(strict_at(&b, cases[i].offset, &err), cases[i].want);
		if (cases[i].want == SCEP_E_TIME) {
			assert_int_equal(err.fail_info, SCEP_BAD_TIME);
			assert_non_null(strstr(err.text, cases[i].offset > 0 ? "behind" : "ahead"));
		}
	}
	buf_done(&b);
	buf_done(&envelope);
}

/* With signingTime among the attributes given by hand, or none at all. */
static struct buf
with_time(struct der value)
{
	struct buf envelope = good_envelope(), b = new_buf();
	struct cms_signed_build build = { .digest = DIGEST_SHA256,
		.signer = &world.device.c,
		.sign = cms_sign_with_key,
		.sign_ctx = world.device.key,
		.certs = &world.device.c.der,
		.n_certs = 1 };
	struct err err = { 0 };
	struct forged f;

	forged_init(&f, &envelope);
	if (value.p != NULL)
		forged_add(&f, OID_SIGNING_TIME, value);
	build.content = der_of(&envelope);
	build.attrs = f.attrs;
	build.n_attrs = f.n_attrs;
	assert_ok(cms_signed_build(&b, &build, &err), err);
	buf_done(&envelope);
	return b;
}

static void
a_signing_time_may_be_absent_but_not_malformed(void **state)
{
	struct buf b = with_time((struct der){ 0 });

	assert_strict(&b, SCEP_OK, SCEP_FAIL_NONE, "no signingTime");
	b = with_time(DER_TEXT("\x17\x0d"
			       "991301000000Z"));
	assert_strict(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, "month 13");
	b = with_time(DER_TEXT("\x05\x00"));
	assert_strict(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, "NULL");
	b = with_time(DER_TEXT("\x17\x0d"
			       "260101000000Z\x17\x0d"
			       "260101000000Z"));
	assert_strict(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, "two");
}

static void
R22_quirk36_quirk37_attributes_in_other_types_are_refused(void **state)
{
	static const struct {
		const char *what, *oid;
		struct der value;
	} cases[] = {
		{ "messageType INTEGER", OID_MESSAGE_TYPE, DER_TEXT("\x02\x01\x13") },
		{ "messageType UTF8String", OID_MESSAGE_TYPE,
		    DER_TEXT("\x0c\x02"
			     "19") },
		{ "transactionID UTF8String", OID_TRANSACTION_ID,
		    DER_TEXT("\x0c\x04"
			     "tx-1") },
		{ "transactionID IA5String", OID_TRANSACTION_ID,
		    DER_TEXT("\x16\x04"
			     "tx-1") },
		{ "no senderNonce", OID_SENDER_NONCE, { 0 } },
		{ "an empty senderNonce", OID_SENDER_NONCE, DER_TEXT("\x04\x00") },
		{ "senderNonce of 8", OID_SENDER_NONCE,
		    DER_TEXT("\x04\x08"
			     "01234567") },
		{ "senderNonce of 20", OID_SENDER_NONCE,
		    DER_TEXT("\x04\x14"
			     "01234567890123456789") },
		{ "senderNonce as text", OID_SENDER_NONCE,
		    DER_TEXT("\x13\x10"
			     "0123456789abcdef") },
	};
	struct buf envelope = good_envelope(), b;
	struct forged f;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		forged_init(&f, &envelope);
		forged_set(&f, cases[i].oid, cases[i].value);
		b = forge(&f);
		assert_strict(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, cases[i].what);
	}
	buf_done(&envelope);
}

/* The two attributes of signed_attrs that come first, the other way round. */
static struct buf
unsorted(const struct buf *good)
{
	struct buf set = new_buf(), out;
	struct signed_parts p;
	struct der in, first, whole;
	uint8_t tag;
	size_t mark;

	signed_take_apart(&p, good);
	mark = der_open(&set, DER_CTX_CONS(0));
	assert_true(der_take(&p.attrs, DER_CTX_CONS(0), &in) && der_any(&in, &tag, NULL, &first) &&
	    der_any(&in, &tag, NULL, &whole));
	buf_add(&set, whole.p, whole.len);
	buf_add(&set, first.p, first.len);
	buf_add(&set, in.p, in.len);
	der_close(&set, mark);
	p.attrs = der_of(&set);
	out = signed_put_together(&p);
	buf_done(&set);
	return out;
}

/* The outside may be BER (RFC 5652 5.1); what is signed may not. */
static void
only_the_signed_attributes_have_to_be_der(void **state)
{
	struct buf envelope = good_envelope(), good, ber, b, attrs;
	struct signed_parts p;
	struct scep_request *r;
	struct scep_error err;
	struct forged f;

	forged_init(&f, &envelope);
	good = forge(&f);
	ber = to_ber(der_of(&good), 64);
	assert_int_equal(strict_at(&ber, 0, &err), SCEP_E_PARSE);
	assert_non_null(strstr(err.text, "DER"));
	assert_int_equal(open_it(&r, &ber, &err), SCEP_OK);
	scep_request_free(r);
	signed_take_apart(&p, &good);
	attrs = to_ber(p.content, 64);
	p.content = der_of(&attrs);
	b = signed_put_together(&p);
	assert_strict(&b, SCEP_OK, SCEP_FAIL_NONE, "BER content");
	b = unsorted(&good);
	assert_int_equal(open_it(&r, &b, &err), SCEP_OK); /* signed as sorted: anybody can */
	scep_request_free(r);
	assert_strict(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, "unsorted attributes");
	buf_done(&attrs);
	buf_done(&ber);
	buf_done(&good);
	buf_done(&envelope);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_rfc_describes_passes),
		cmocka_unit_test(R12_R13_old_algorithms_are_bad_alg),
		cmocka_unit_test(R26_quirk36_a_skewed_signing_time_is_bad_time),
		cmocka_unit_test(a_signing_time_may_be_absent_but_not_malformed),
		cmocka_unit_test(R22_quirk36_quirk37_attributes_in_other_types_are_refused),
		cmocka_unit_test(only_the_signed_attributes_have_to_be_der),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
