/*
 * refusal_test.c - what a server refuses, with which failInfo, and that no refusal costs a
 * private-key operation that it need not.
 */
#include "scep_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scep/attrs.h"

static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };

static void
assert_refused(struct buf *b, enum scep_status want, enum scep_fail_info info, unsigned unwraps,
    const char *what)
{
	struct scep_request *r = NULL;
	struct scep_error err = { 0 };
	enum scep_status st = open_it(&r, b, &err);

	if (st != want || err.status != want || err.fail_info != info)
		fail_msg("%s: status %d failInfo %d: %s", what, st, err.fail_info, err.text);
	if (world_unwraps() != unwraps)
		fail_msg("%s: %u key operations: %s", what, world_unwraps(), err.text);
	assert_non_null(err.step);
	assert_null(r);
	buf_done(b);
}

static void
assert_no_message(struct buf *b, enum scep_status want, const char *what)
{
	struct scep_message *m = NULL;
	struct scep_error err = { 0 };
	enum scep_status st = parse_message(&m, b, &err);

	if (st != want)
		fail_msg("%s: status %d: %s", what, st, err.text);
	assert_null(m);
	assert_string_equal(err.step, "parse");
	buf_done(b);
}

/* ---- refused as no message: nobody to answer to ----------------------------------------- */

static void
R19_R20_S25_what_cannot_be_answered_is_no_message(void **state)
{
	struct buf envelope = good_envelope(), good, b;
	struct signed_parts p, q;
	struct forged f;

	forged_init(&f, &envelope);
	good = forge(&f);
	signed_take_apart(&p, &good);
	q = p, q.certs = (struct der){ 0 }, b = signed_put_together(&q);
	assert_no_message(&b, SCEP_E_PARSE, "no certificates");
	q = p, q.n_signers = 0, b = signed_put_together(&q);
	assert_no_message(&b, SCEP_E_PARSE, "no signers");
	q = p, q.n_signers = 2, b = signed_put_together(&q);
	assert_no_message(&b, SCEP_E_LIMIT, "two signers");
	q = p, q.attrs = (struct der){ 0 }, b = signed_put_together(&q);
	assert_no_message(&b, SCEP_E_PARSE, "no signed attributes");
	q = p, q.sid = DER_TEXT("\x80\x01x"), b = signed_put_together(&q);
	assert_no_message(&b, SCEP_E_PARSE, "signer that is not inside");
	forged_set(&f, OID_TRANSACTION_ID, (struct der){ 0 });
	b = forge(&f);
	assert_no_message(&b, SCEP_E_PARSE, "no transactionID");
	forged_add(&f, OID_TRANSACTION_ID, DER_TEXT("\x13\x01x"));
	forged_add(&f, OID_TRANSACTION_ID, DER_TEXT("\x13\x01x"));
	b = forge(&f);
	assert_no_message(&b, SCEP_E_PARSE, "two transactionIDs");
	buf_done(&good);
	buf_done(&envelope);
}

static void
R20_S25_a_transaction_id_of_another_form_is_no_message(void **state)
{
	struct buf envelope = good_envelope(), b, txid = new_buf();
	struct scep_message *m;
	struct forged f;
	char text[257];

	forged_init(&f, &envelope);
	forged_set(&f, OID_TRANSACTION_ID, DER_TEXT("\x13\x00"));
	b = forge(&f);
	assert_no_message(&b, SCEP_E_PARSE, "empty transactionID");
	forged_set(&f, OID_TRANSACTION_ID,
	    DER_TEXT("\x13\x03"
		     "a\x00"
		     "b"));
	b = forge(&f);
	assert_no_message(&b, SCEP_E_PARSE, "NUL in transactionID");
	forged_set(&f, OID_TRANSACTION_ID,
	    DER_TEXT("\x13\x03"
		     "a\nb"));
	b = forge(&f);
	assert_no_message(&b, SCEP_E_PARSE, "line feed in transactionID");
	forged_set(&f, OID_TRANSACTION_ID, DER_TEXT("\x04\x01x"));
	b = forge(&f);
	assert_no_message(&b, SCEP_E_PARSE, "transactionID of another type");
	memset(text, 'x', sizeof(text) - 1), text[256] = '\0';
	der_add_text(&txid, DER_PRINTABLE, text);
	forged_set(&f, OID_TRANSACTION_ID, der_of(&txid));
	b = forge(&f);
	assert_no_message(&b, SCEP_E_PARSE, "256 characters of transactionID");
	buf_done(&txid);
	der_add_text(&txid, DER_PRINTABLE, text + 1);
	forged_set(&f, OID_TRANSACTION_ID, der_of(&txid));
	b = forge(&f);
	assert_int_equal(parse_message(&m, &b, NULL), SCEP_OK);
	scep_message_free(m);
	buf_done(&b);
	buf_done(&txid);
	buf_done(&envelope);
}

static void
S25_S29_bytes_that_are_something_else_are_no_message(void **state)
{
	struct buf b, big;

	b = new_buf();
	assert_no_message(&b, SCEP_E_PARSE, "nothing");
	buf_adds(&b, "GET / HTTP/1.0\r\n");
	assert_no_message(&b, SCEP_E_PARSE, "text");
	buf_add(&b, world.csr.data, world.csr.len);
	assert_no_message(&b, SCEP_E_PARSE, "a CSR");
	b = good_envelope();
	assert_no_message(&b, SCEP_E_PARSE, "an EnvelopedData");
	/* A blob of this size and shape, EnvelopedData without content, has crashed servers. */
	b = new_buf();
	buf_add(&b, "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 13);
	assert_no_message(&b, SCEP_E_PARSE, "a ContentInfo without content");
	buf_init(&big, 2 * LIMIT_SCEP_MESSAGE);
	memset(buf_grow(&big, LIMIT_SCEP_MESSAGE + 1), 0x30, LIMIT_SCEP_MESSAGE + 1);
	assert_no_message(&big, SCEP_E_LIMIT, "more than the limit");
}

/* ---- refused with a failInfo, before any key was used ----------------------------------- */

static const struct der other_types[] = {
	DER_TEXT("\x13\x01"
		 "0"),
	DER_TEXT("\x13\x01"
		 "1"),
	DER_TEXT("\x13\x01"
		 "2"),
	DER_TEXT("\x13\x01"
		 "3"),
	DER_TEXT("\x13\x01"
		 "4"),
	DER_TEXT("\x13\x02"
		 "16"),
	DER_TEXT("\x13\x02"
		 "18"),
	DER_TEXT("\x13\x02"
		 "23"),
	DER_TEXT("\x13\x02"
		 "99"),
	DER_TEXT("\x13\x00"),
	DER_TEXT("\x13\x03"
		 "019"),
	DER_TEXT("\x13\x03"
		 "19 "),
	DER_TEXT("\x13\x03"
		 " 19"),
	DER_TEXT("\x13\x03"
		 "+19"),
	DER_TEXT("\x13\x03"
		 "-19"),
	DER_TEXT("\x13\x04"
		 "0x13"),
	DER_TEXT("\x13\x03"
		 "19\x00"),
	DER_TEXT("\x13\x02"
		 "1a"),
	DER_TEXT("\x13\x03"
		 "275"),
	DER_TEXT("\x13\x06"
		 "655379"),
	DER_TEXT("\x13\x14"
		 "18446744073709551635"),
	DER_TEXT("\x04\x02"
		 "19"),
	DER_TEXT("\x02\x01\x12"),
	DER_TEXT("\x02\x01\xed"),
	DER_TEXT("\x02\x02\x01\x13"),
	DER_TEXT("\x1e\x04\x00"
		 "1\x00"
		 "9"),
	DER_TEXT("\x05\x00"),
	{ 0 },
};

static void
R24_S01_message_types_that_are_no_requests_are_refused(void **state)
{
	struct buf envelope = good_envelope(), b;
	struct forged f;
	char what[32];
	size_t i;

	for (i = 0; i < N(other_types); i++) {
		forged_init(&f, &envelope);
		forged_set(&f, OID_MESSAGE_TYPE, other_types[i]);
		b = forge(&f);
		snprintf(what, sizeof(what), "type case %zu", i);
		assert_refused(&b, SCEP_E_TYPE, SCEP_BAD_REQUEST, 0, what);
	}
	buf_done(&envelope);
}

static void
R24_S01_every_number_but_five_is_refused_as_a_type(void **state)
{
	struct buf envelope = good_envelope(), b;
	struct forged f;
	uint8_t type[6];
	int i;

	for (i = 0; i < 256; i++) {
		if (i == 17 || (i >= 19 && i <= 22))
			continue;
		forged_init(&f, &envelope);
		type[0] = DER_PRINTABLE;
		type[1] = (uint8_t)snprintf((char *)type + 2, 4, "%d", i % 1000);
		forged_set(&f, OID_MESSAGE_TYPE, (struct der){ type, 2u + type[1] });
		b = forge(&f);
		assert_refused(&b, SCEP_E_TYPE, SCEP_BAD_REQUEST, 0, "a type");
	}
	buf_done(&envelope);
}

static void
R20_S01_attributes_twice_or_with_several_values_are_refused(void **state)
{
	static const struct {
		const char *oid;
		struct der value;
		const char *what;
	} more[] = {
		{ OID_MESSAGE_TYPE,
		    DER_TEXT("\x13\x02"
			     "19"),
		    "messageType twice" },
		{ OID_MESSAGE_TYPE,
		    DER_TEXT("\x13\x02"
			     "17"),
		    "two messageTypes" },
		{ OID_SENDER_NONCE, DER_TEXT("\x04\x01x"), "senderNonce twice" },
		{ OID_MESSAGE_DIGEST, DER_TEXT("\x04\x01x"), "messageDigest twice" },
		{ OID_CONTENT_TYPE, DER_TEXT("\x06\x01\x2a"), "contentType twice" },
		{ "1.2.3.4", DER_TEXT("\x05\x00\x05\x00"), "an unknown attribute with two values" },
		{ "1.2.3.4", DER_TEXT(""), "an unknown attribute without a value" },
	};
	struct buf envelope = good_envelope(), b;
	struct forged f;
	size_t i;

	for (i = 0; i < N(more); i++) {
		forged_init(&f, &envelope);
		forged_add(&f, more[i].oid, more[i].value);
		b = forge(&f);
		assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, more[i].what);
	}
	forged_init(&f, &envelope);
	forged_set(&f, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x02"
		     "19\x13\x02"
		     "17"));
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "messageType with two values");
	forged_init(&f, &envelope);
	forged_set(&f, OID_SENDER_NONCE,
	    DER_TEXT("\x13\x02"
		     "ab"));
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "senderNonce as a string");
	buf_done(&envelope);
}

static void
S10_S09_a_swapped_envelope_or_signature_is_refused(void **state)
{
	struct buf one = good_envelope(), two = good_envelope(), a, c, b;
	struct signed_parts p, q;
	struct forged f;

	forged_init(&f, &one);
	a = forge(&f);
	forged_init(&f, &two);
	c = forge(&f);
	signed_take_apart(&p, &a);
	signed_take_apart(&q, &c);
	p.content = q.content; /* attributes and signature stay */
	b = signed_put_together(&p);
	assert_refused(&b, SCEP_E_INTEGRITY, SCEP_BAD_MESSAGE_CHECK, 0, "swapped envelope");
	signed_take_apart(&p, &a);
	p.signature = q.signature;
	b = signed_put_together(&p);
	assert_refused(&b, SCEP_E_INTEGRITY, SCEP_BAD_MESSAGE_CHECK, 0, "swapped signature");
	/* The signature comes first: a message that is wrong in everything is refused for that. */
	f.content = DER_TEXT("");
	forged_set(&f, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x02"
		     "18"));
	forged_set(&f, OID_SENDER_NONCE, DER_TEXT("\x05\x00"));
	b = forge(&f);
	b.data[b.len - 1] ^= 1;
	assert_refused(&b, SCEP_E_INTEGRITY, SCEP_BAD_MESSAGE_CHECK, 0, "everything wrong");
	buf_done(&a);
	buf_done(&c);
	buf_done(&one);
	buf_done(&two);
}

static void
R13_quirk33_quirk34_algorithms_that_are_not_taken_are_bad_alg(void **state)
{
	struct buf envelope = good_envelope(), good, b,
		   alg = alg_der("1.2.840.113549.2.5", (struct der){ 0 });
	struct enveloped_parts e;
	struct signed_parts p;
	struct forged f;

	forged_init(&f, &envelope);
	good = forge(&f);
	signed_take_apart(&p, &good);
	p.digest_alg = der_of(&alg);
	b = signed_put_together(&p);
	assert_refused(&b, SCEP_E_ALG, SCEP_BAD_ALG, 0, "MD5");
	buf_done(&alg);
	alg = alg_der("1.3.14.3.2.7",
	    DER_TEXT("\x04\x08"
		     "01234567"));
	enveloped_take_apart(&e, &envelope);
	e.alg = der_of(&alg);
	struct buf des = enveloped_put_together(&e);
	forged_init(&f, &des);
	b = forge(&f);
	struct scep_request *r = NULL;
	struct scep_error err;
	assert_int_equal(open_it(&r, &b, &err), SCEP_E_ALG);
	assert_non_null(strstr(err.text, "1.3.14.3.2.7"));
	assert_refused(&b, SCEP_E_ALG, SCEP_BAD_ALG, 0, "single DES");
	buf_done(&des);
	buf_done(&alg);
	buf_done(&good);
	buf_done(&envelope);
}

static void
R14_R16_R17_R29_S25_S27_content_that_is_no_envelope_for_us_is_refused(void **state)
{
	static const uint8_t kinds[] = { 0xa1, 0xa2, 0xa3, 0xa4 };
	struct buf envelope = good_envelope(), changed, b, other;
	struct enveloped_parts e, g;
	struct forged f;
	size_t i;

	forged_init(&f, &world.csr);
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "a bare PKCS#10");
	f.content = (struct der){ 0 };
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "no content");
	f.content = DER_TEXT("");
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "empty content");
	forged_init(&f, &envelope);
	f.content_type = OID_ENVELOPED_DATA;
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "eContentType not data");
	enveloped_take_apart(&e, &envelope);
	g = e, g.type = DER_TEXT("\x06\x01\x2a"), changed = enveloped_put_together(&g);
	forged_init(&f, &changed);
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "inner content not data");
	buf_done(&changed);
	g = e, g.oid = "1.2.840.113549.1.9.16.1.23", changed = enveloped_put_together(&g);
	forged_init(&f, &changed);
	b = forge(&f);
	assert_refused(&b, SCEP_E_ALG, SCEP_BAD_ALG, 0, "AuthEnvelopedData");
	buf_done(&changed);
	g = e, g.encrypted = (struct der){ 0 }, changed = enveloped_put_together(&g);
	forged_init(&f, &changed);
	b = forge(&f);
	assert_refused(&b, SCEP_E_PARSE, SCEP_BAD_REQUEST, 0, "no encryptedContent");
	buf_done(&changed);
	for (i = 0; i < N(kinds); i++) {
		other = new_buf();
		buf_add(&other, e.recipients.p, e.recipients.len);
		other.data[0] = kinds[i];
		g = e, g.recipients = der_of(&other), changed = enveloped_put_together(&g);
		forged_init(&f, &changed);
		b = forge(&f);
		assert_refused(&b, SCEP_E_ALG, SCEP_BAD_ALG, 0, "another kind of recipient");
		buf_done(&changed);
		buf_done(&other);
	}
	changed = envelop(&world.device, der_of(&world.csr), CIPHER_AES128, v15, false);
	forged_init(&f, &changed);
	b = forge(&f);
	assert_refused(&b, SCEP_E_RECIPIENT, SCEP_BAD_REQUEST, 0, "enveloped to somebody else");
	buf_done(&changed);
	buf_done(&envelope);
}

/* ---- refused after one key operation: all of them look alike ---------------------------- */

static void
assert_cannot_be_decrypted(const struct buf *envelope, struct der type, unsigned unwraps)
{
	struct scep_request *r = NULL;
	struct scep_error err;
	struct forged f;
	struct buf b;

	forged_init(&f, envelope);
	forged_set(&f, OID_MESSAGE_TYPE, type);
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &err), SCEP_E_INTEGRITY);
	assert_int_equal(err.fail_info, SCEP_BAD_MESSAGE_CHECK);
	assert_string_equal(err.text, "the envelope cannot be decrypted");
	assert_string_equal(err.step, "decrypt");
	assert_int_equal(world_unwraps(), unwraps);
	buf_done(&b);
}

/* Replace the encryptedKey (the last element of the only recipient). */
static struct buf
with_key(const struct buf *envelope, struct der key)
{
	struct enveloped_parts e;
	struct buf to = new_buf(), out;
	struct der in, whole;
	size_t mark = der_open(&to, DER_SEQUENCE);
	uint8_t tag;

	enveloped_take_apart(&e, envelope);
	assert_true(der_take(&e.recipients, DER_SEQUENCE, &in));
	while (der_any(&in, &tag, NULL, &whole) && in.len > 0)
		buf_add(&to, whole.p, whole.len);
	der_add(&to, DER_OCTET_STRING, key.p, key.len);
	der_close(&to, mark);
	e.recipients = der_of(&to);
	out = enveloped_put_together(&e);
	buf_done(&to);
	return out;
}

/* How many of 8 attempts were refused; noise has right padding once in 256. */
static unsigned
refusals(const struct buf *envelope)
{
	struct scep_request *r;
	struct scep_error err;
	unsigned refused = 0, i;
	struct forged f;
	struct buf b;

	forged_init(&f, envelope);
	for (i = 0; i < 8; i++) {
		b = forge(&f);
		if (open_it(&r, &b, &err) == SCEP_OK) {
			scep_request_free(r);
		} else {
			assert_int_equal(err.status, SCEP_E_INTEGRITY);
			assert_string_equal(err.text, "the envelope cannot be decrypted");
			assert_int_equal(err.fail_info, SCEP_BAD_MESSAGE_CHECK);
			refused++;
		}
		assert_int_equal(world_unwraps(), 1);
		buf_done(&b);
	}
	return refused;
}

static void
S24_every_failure_to_decrypt_looks_the_same(void **state)
{
	static const uint8_t small[256] = { [255] = 7 };
	uint8_t big[256];
	const struct der type = DER_TEXT("\x13\x02"
					 "19"),
			 poll = DER_TEXT("\x13\x02"
					 "20");
	struct buf good = good_envelope(), b;
	struct enveloped_parts e;

	/* Not PKCS#1: the content-encryption key is random then. */
	b = with_key(&good, (struct der){ small, 256 });
	assert_true(refusals(&b) > 4);
	buf_done(&b);
	/* Right key, one block of noise. */
	enveloped_take_apart(&e, &good);
	e.encrypted = DER_TEXT("\x80\x10"
			       "0123456789012345");
	b = enveloped_put_together(&e);
	assert_true(refusals(&b) % 8 == 0);
	buf_done(&b);
	/* A wrapped key that is no modulus long does not even cost an operation. */
	b = with_key(&good, (struct der){ small, 255 });
	assert_cannot_be_decrypted(&b, type, 0);
	buf_done(&b);
	b = with_key(&good, (struct der){ small, 1 });
	assert_cannot_be_decrypted(&b, type, 0);
	buf_done(&b);
	memset(big, 0xff, sizeof(big)); /* nor does one that is no number below it */
	b = with_key(&good, (struct der){ big, 256 });
	assert_cannot_be_decrypted(&b, type, 0);
	buf_done(&b);
	/* Decrypts well, and is not what the type says: who does not know the content may not learn
	 * that. */
	b = envelop(&world.ra, DER_TEXT("\x30\x00"), CIPHER_AES128, v15, false);
	assert_cannot_be_decrypted(&b, poll, 1);
	buf_done(&b);
	b = envelop(&world.ra, DER_TEXT(""), CIPHER_AES128, v15, false);
	assert_cannot_be_decrypted(&b, poll, 1);
	buf_done(&b);
	buf_done(&good);
}

static void
R18_a_csr_under_another_type_is_explained_to_its_sender(void **state)
{
	struct buf envelope = good_envelope(), b;
	struct scep_request *r = NULL;
	struct scep_error err;
	struct forged f;

	forged_init(&f, &envelope);
	forged_set(&f, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x02"
		     "20"));
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &err), SCEP_E_TYPE);
	assert_int_equal(err.fail_info, SCEP_BAD_REQUEST);
	f.signer = &world.stranger; /* not the one whose key is inside */
	buf_done(&b);
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &err), SCEP_E_INTEGRITY);
	buf_done(&b);
	buf_done(&envelope);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R20_S25_a_transaction_id_of_another_form_is_no_message),
		cmocka_unit_test(R19_R20_S25_what_cannot_be_answered_is_no_message),
		cmocka_unit_test(S25_S29_bytes_that_are_something_else_are_no_message),
		cmocka_unit_test(R24_S01_message_types_that_are_no_requests_are_refused),
		cmocka_unit_test(R24_S01_every_number_but_five_is_refused_as_a_type),
		cmocka_unit_test(R20_S01_attributes_twice_or_with_several_values_are_refused),
		cmocka_unit_test(S10_S09_a_swapped_envelope_or_signature_is_refused),
		cmocka_unit_test(R13_quirk33_quirk34_algorithms_that_are_not_taken_are_bad_alg),
		cmocka_unit_test(
		    R14_R16_R17_R29_S25_S27_content_that_is_no_envelope_for_us_is_refused),
		cmocka_unit_test(S24_every_failure_to_decrypt_looks_the_same),
		cmocka_unit_test(R18_a_csr_under_another_type_is_explained_to_its_sender),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
