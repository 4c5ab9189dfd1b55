/*
 * request_test.c - what a server takes and what it refuses, with which failInfo, and that no
 * refusal costs a private-key operation that it need not.
 */
#include "scep_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "scep/attrs.h"
#include "scep/request_csr.h"

static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };

static struct buf
good_envelope(void)
{
	return envelop(&world.ra, der_of(&world.csr), CIPHER_AES128, v15, false);
}

static enum scep_status
parse(struct scep_message **m, const struct buf *b, struct scep_error *err)
{
	return scep_message_parse(m, b->data, b->len, err);
}

/* Parse and open, counting. Frees the message. */
static enum scep_status
open_by(struct scep_request **r, const struct buf *b, struct scep_identity *const *ids, size_t n,
    struct scep_error *err)
{
	struct scep_message *m;
	enum scep_status st;

	world_count_reset();
	if ((st = parse(&m, b, err)) != SCEP_OK)
		fail_msg("not even a message: %s", err->text);
	st = scep_request_open(r, m, ids, n, err);
	scep_message_free(m);
	return st;
}

static enum scep_status
open_it(struct scep_request **r, const struct buf *b, struct scep_error *err)
{
	return open_by(r, b, &world.ra_id, 1, err);
}

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
	enum scep_status st = parse(&m, b, &err);

	if (st != want)
		fail_msg("%s: status %d: %s", what, st, err.text);
	assert_null(m);
	assert_string_equal(err.step, "parse");
	buf_done(b);
}

/* ---- taken
 * --------------------------------------------------------------------------------------- */

static void
a_request_yields_its_content_signer_and_transaction(void **state)
{
	struct buf envelope = good_envelope(), b;
	struct scep_request *r;
	struct scep_error err;
	struct forged f;
	size_t len;

	forged_init(&f, &envelope);
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &err), SCEP_OK);
	assert_int_equal(world_unwraps(), 1);
	assert_int_equal(scep_request_type(r), SCEP_PKCS_REQ);
	assert_string_equal(scep_request_transaction_id(r), "tx-1");
	assert_memory_equal(scep_request_content(r, &len), world.csr.data, world.csr.len);
	assert_int_equal(len, world.csr.len);
	assert_memory_equal(
	    scep_request_signer(r, &len), world.device.c.der.p, world.device.c.der.len);
	assert_int_equal(len, world.device.c.der.len);
	assert_ptr_equal(scep_request_recipient(r), world.ra_id);
	assert_false(scep_request_recipient_stale(r));
	scep_request_free(r);
	buf_done(&b);
	buf_done(&envelope);
}

static void
an_unverified_message_says_enough_to_be_refused(void **state)
{
	struct buf envelope = good_envelope(), b;
	struct scep_algorithms alg;
	struct scep_message *m;
	struct scep_error err;
	struct forged f;
	size_t len;

	forged_init(&f, &envelope);
	b = forge(&f);
	assert_int_equal(parse(&m, &b, &err), SCEP_OK);
	assert_string_equal(scep_message_transaction_id(m), "tx-1");
	assert_int_equal(scep_message_type(m), 19);
	assert_string_equal(scep_message_type_text(m), "19");
	assert_memory_equal(scep_message_sender_nonce(m, &len), "0123456789abcdef", 16);
	assert_int_equal(len, 16);
	assert_memory_equal(
	    scep_message_signer(m, &len), world.device.c.der.p, world.device.c.der.len);
	assert_int_equal(len, world.device.c.der.len);
	assert_true(scep_message_signing_time(m) > 1500000000);
	scep_message_algorithms(m, &alg);
	assert_memory_equal(&alg, &usual, sizeof(alg));
	scep_message_free(m);
	buf_done(&b);
	buf_done(&envelope);
}

static void
ber_messages_are_taken(void **state)
{
	struct buf plain = good_envelope(), envelope = to_ber(der_of(&plain), 100), b, ber;
	struct scep_request *r;
	struct scep_error err;
	struct forged f;
	size_t len;

	forged_init(&f, &envelope);
	b = forge(&f);
	ber = to_ber(der_of(&b), 64);
	if (open_it(&r, &ber, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	assert_memory_equal(scep_request_content(r, &len), world.csr.data, world.csr.len);
	scep_request_free(r);
	buf_done(&ber);
	buf_done(&b);
	buf_done(&envelope);
	buf_done(&plain);
}

static void
what_legacy_clients_send_is_taken(void **state)
{
	static const struct {
		const char *oid;
		struct der value;
	} cases[] = {
		{ OID_MESSAGE_TYPE, DER_TEXT("\x02\x01\x13") }, /* INTEGER 19 */
		{ OID_MESSAGE_TYPE,
		    DER_TEXT("\x0c\x02"
			     "19") },
		{ OID_SENDER_NONCE, { 0 } },
		{ OID_SENDER_NONCE, DER_TEXT("\x04\x00") },
		{ OID_SENDER_NONCE,
		    DER_TEXT("\x04\x08"
			     "01234567") },
		{ OID_SENDER_NONCE,
		    DER_TEXT("\x04\x14"
			     "01234567890123456789") },
		{ OID_TRANSACTION_ID,
		    DER_TEXT("\x0c\x05"
			     "ab/+=") },
		{ OID_TRANSACTION_ID, DER_TEXT("\x16\x01x") },
		{ OID_TRANSACTION_ID, DER_TEXT("\x13\x25{8F3A-11} base64+/== with a space....") },
	};
	struct buf envelope = good_envelope(), b;
	struct scep_request *r;
	struct scep_error err;
	struct forged f;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		forged_init(&f, &envelope);
		forged_set(&f, cases[i].oid, cases[i].value);
		b = forge(&f);
		if (open_it(&r, &b, &err) != SCEP_OK)
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(scep_request_type(r), SCEP_PKCS_REQ);
		scep_request_free(r);
		buf_done(&b);
	}
	buf_done(&envelope);
}

static void
types_with_their_own_content_are_taken(void **state)
{
	static const struct {
		struct der type;
		struct der content;
		enum scep_message_type want;
	} cases[] = {
		{ DER_TEXT("\x13\x02"
			   "20"),
		    DER_TEXT("\x30\x04\x30\x00\x30\x00"), SCEP_CERT_POLL },
		{ DER_TEXT("\x13\x02"
			   "21"),
		    DER_TEXT("\x30\x05\x30\x00\x02\x01\x05"), SCEP_GET_CERT },
		{ DER_TEXT("\x13\x02"
			   "22"),
		    DER_TEXT("\x30\x05\x30\x00\x02\x01\x05"), SCEP_GET_CRL },
	};
	struct buf envelope, b;
	struct scep_request *r;
	struct scep_error err;
	struct forged f;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		envelope = envelop(&world.ra, cases[i].content, CIPHER_AES128, v15, false);
		forged_init(&f, &envelope);
		forged_set(&f, OID_MESSAGE_TYPE, cases[i].type);
		b = forge(&f);
		if (open_it(&r, &b, &err) != SCEP_OK)
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(scep_request_type(r), cases[i].want);
		scep_request_free(r);
		buf_done(&b);
		buf_done(&envelope);
	}
}

/* ---- recipients
 * ----------------------------------------------------------------------------------- */

static void
the_right_one_of_several_recipients_is_found(void **state)
{
	struct buf envelope = envelop(&world.ra, der_of(&world.csr), CIPHER_AES256, v15, true), b;
	struct scep_identity *ids[] = { world.device_id, world.ra_id };
	struct scep_request *r;
	struct scep_error err;
	struct forged f;

	forged_init(&f, &envelope);
	b = forge(&f);
	assert_int_equal(open_by(&r, &b, ids, 2, &err), SCEP_OK);
	assert_ptr_equal(scep_request_recipient(r), world.ra_id);
	assert_false(scep_request_recipient_stale(r));
	scep_request_free(r);
	buf_done(&b);
	buf_done(&envelope);
}

static void
a_renewed_recipient_is_tried_and_marked_stale(void **state)
{
	struct actor old;
	struct buf envelope, b;
	struct scep_request *r;
	struct scep_error err;
	struct forged f;

	actor_make(&old, "Example RA", "rsa:2048", 0, "0A00"); /* same name and key, other serial */
	envelope = envelop(&old, der_of(&world.csr), CIPHER_AES128, v15, false);
	forged_init(&f, &envelope);
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &err), SCEP_OK);
	assert_true(scep_request_recipient_stale(r));
	scep_request_free(r);
	buf_done(&b);
	buf_done(&envelope);
	actor_done(&old);
}

static void
an_identity_that_only_signs_is_no_recipient(void **state)
{
	static const struct scep_key_ops none = { 0 };
	struct buf envelope = good_envelope(), b;
	struct scep_request *r = NULL;
	struct scep_identity *id;
	struct scep_error err;
	struct forged f;

	assert_int_equal(
	    scep_identity_new(&id, world.ra.c.der.p, world.ra.c.der.len, &none, NULL, &err),
	    SCEP_OK);
	forged_init(&f, &envelope);
	b = forge(&f);
	assert_int_equal(open_by(&r, &b, &id, 1, &err), SCEP_E_RECIPIENT);
	assert_int_equal(open_by(&r, &b, NULL, 0, &err), SCEP_E_RECIPIENT);
	scep_identity_free(id);
	buf_done(&b);
	buf_done(&envelope);
}

/* ---- refused as no message: nobody to answer to
 * ---------------------------------------------------- */

static void
what_cannot_be_answered_is_no_message(void **state)
{
	struct buf envelope = good_envelope(), good, b, txid = new_buf();
	struct signed_parts p, q;
	struct forged f;
	char text[257];

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
	struct scep_message *m;
	assert_int_equal(parse(&m, &b, NULL), SCEP_OK);
	scep_message_free(m);
	buf_done(&b);
	buf_done(&txid);
	buf_done(&good);
	buf_done(&envelope);
}

static void
bytes_that_are_something_else_are_no_message(void **state)
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

/* ---- refused with a failInfo, before any key was used
 * ----------------------------------------------- */

static void
message_types_that_are_no_requests_are_refused(void **state)
{
	static const struct der types[] = {
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
	struct buf envelope = good_envelope(), b;
	struct forged f;
	char what[32];
	size_t i;

	for (i = 0; i < N(types); i++) {
		forged_init(&f, &envelope);
		forged_set(&f, OID_MESSAGE_TYPE, types[i]);
		b = forge(&f);
		snprintf(what, sizeof(what), "type case %zu", i);
		assert_refused(&b, SCEP_E_TYPE, SCEP_BAD_REQUEST, 0, what);
	}
	buf_done(&envelope);
}

static void
every_number_but_five_is_refused_as_a_type(void **state)
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
attributes_twice_or_with_several_values_are_refused(void **state)
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
a_swapped_envelope_or_signature_is_refused(void **state)
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
	buf_done(&a);
	buf_done(&c);
	buf_done(&one);
	buf_done(&two);
}

static void
algorithms_that_are_not_taken_are_bad_alg(void **state)
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
	forged_init(&f, &envelope);
	f.signer = &world.curve;
	b = forge(&f);
	assert_refused(&b, SCEP_E_ALG, SCEP_BAD_ALG, 0, "a signer that cannot be answered");
	buf_done(&des);
	buf_done(&alg);
	buf_done(&good);
	buf_done(&envelope);
}

static void
content_that_is_no_envelope_for_us_is_refused(void **state)
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

/* ---- refused after one key operation: all of them look alike
 * ------------------------------------------ */

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
every_failure_to_decrypt_looks_the_same(void **state)
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
a_csr_under_another_type_is_explained_to_its_sender(void **state)
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

/* ---- the CSR inside
 * --------------------------------------------------------------------------------- */

static enum rc
csr_of(struct der content, const struct actor *signer, bool *own, struct err *err)
{
	struct buf envelope = envelop(&world.ra, content, CIPHER_AES128, v15, false), b;
	struct scep_request *r;
	struct scep_error se;
	struct csr *csr = NULL;
	struct forged f;
	enum rc rc;

	forged_init(&f, &envelope);
	f.signer = signer;
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &se), SCEP_OK);
	rc = scep_request_csr(&csr, own, r, err);
	csr_free(csr);
	scep_request_free(r);
	buf_done(&b);
	buf_done(&envelope);
	return rc;
}

static void
the_csr_tells_whether_its_key_signed_the_message(void **state)
{
	struct err err = { 0 };
	bool own = false;

	assert_ok(csr_of(der_of(&world.csr), &world.device, &own, &err), err);
	assert_true(own);
	assert_ok(csr_of(der_of(&world.csr), &world.stranger, &own, &err), err);
	assert_false(own);
}

static void
a_malformed_csr_is_explained_to_its_sender_only(void **state)
{
	struct buf bad = new_buf();
	struct err err = { 0 };
	bool own;

	buf_add(&bad, world.csr.data, world.csr.len);
	bad.data[bad.len - 1] ^= 1; /* the self-signature */
	assert_int_equal(csr_of(der_of(&bad), &world.device, &own, &err), RC_INTEGRITY);
	assert_string_not_equal(err.msg, "the envelope cannot be decrypted");
	assert_int_equal(csr_of(der_of(&bad), &world.stranger, &own, &err), RC_INTEGRITY);
	assert_string_equal(err.msg, "the envelope cannot be decrypted");
	assert_true(err.hint[0] != '\0');
	buf_add(&bad, "x", 1); /* after the end */
	assert_int_equal(csr_of(der_of(&bad), &world.device, &own, &err), RC_PARSE);
	assert_int_equal(csr_of(der_of(&bad), &world.stranger, &own, &err), RC_INTEGRITY);
	assert_string_equal(err.msg, "the envelope cannot be decrypted");
	assert_int_equal(csr_of(DER_TEXT("hello"), &world.device, &own, &err), RC_INTEGRITY);
	assert_int_equal(csr_of(DER_TEXT("hello"), &world.device, &own, NULL), RC_INTEGRITY);
	buf_done(&bad);
}

static void
types_without_a_csr_have_none(void **state)
{
	struct buf envelope = envelop(
		       &world.ra, DER_TEXT("\x30\x04\x30\x00\x30\x00"), CIPHER_AES128, v15, false),
		   b;
	struct scep_request *r;
	struct scep_error se;
	struct csr *csr = NULL;
	struct err err;
	struct forged f;
	bool own;

	forged_init(&f, &envelope);
	forged_set(&f, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x02"
		     "20"));
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &se), SCEP_OK);
	assert_int_equal(scep_request_csr(&csr, &own, r, &err), RC_PARSE);
	scep_request_free(r);
	buf_done(&b);
	buf_done(&envelope);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_yields_its_content_signer_and_transaction),
		cmocka_unit_test(an_unverified_message_says_enough_to_be_refused),
		cmocka_unit_test(ber_messages_are_taken),
		cmocka_unit_test(what_legacy_clients_send_is_taken),
		cmocka_unit_test(types_with_their_own_content_are_taken),
		cmocka_unit_test(the_right_one_of_several_recipients_is_found),
		cmocka_unit_test(a_renewed_recipient_is_tried_and_marked_stale),
		cmocka_unit_test(an_identity_that_only_signs_is_no_recipient),
		cmocka_unit_test(what_cannot_be_answered_is_no_message),
		cmocka_unit_test(bytes_that_are_something_else_are_no_message),
		cmocka_unit_test(message_types_that_are_no_requests_are_refused),
		cmocka_unit_test(every_number_but_five_is_refused_as_a_type),
		cmocka_unit_test(attributes_twice_or_with_several_values_are_refused),
		cmocka_unit_test(a_swapped_envelope_or_signature_is_refused),
		cmocka_unit_test(algorithms_that_are_not_taken_are_bad_alg),
		cmocka_unit_test(content_that_is_no_envelope_for_us_is_refused),
		cmocka_unit_test(every_failure_to_decrypt_looks_the_same),
		cmocka_unit_test(a_csr_under_another_type_is_explained_to_its_sender),
		cmocka_unit_test(the_csr_tells_whether_its_key_signed_the_message),
		cmocka_unit_test(a_malformed_csr_is_explained_to_its_sender_only),
		cmocka_unit_test(types_without_a_csr_have_none),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
