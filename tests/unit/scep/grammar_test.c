/*
 * grammar_test.c - wrong messages by construction: every type with every defect.  What is refused is
 * refused before a private key was used, and says the same whatever the type is.
 */
#include "scep_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scep/attrs.h"

static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };

#define POLL                                                                                       \
	"\x30\x1c\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"                         \
	"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x62"
#define SERIAL "\x30\x11\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61\x02\x01\x05"

/* The five sentences of the language; content.p == NULL: the CSR. */
static const struct {
	const char *name;
	struct der type, content;
} sentences[] = {
	{ "RenewalReq",
	    DER_TEXT("\x13\x02"
		     "17"),
	    { 0 } },
	{ "PKCSReq",
	    DER_TEXT("\x13\x02"
		     "19"),
	    { 0 } },
	{ "CertPoll",
	    DER_TEXT("\x13\x02"
		     "20"),
	    DER_TEXT(POLL) },
	{ "GetCert",
	    DER_TEXT("\x13\x02"
		     "21"),
	    DER_TEXT(SERIAL) },
	{ "GetCRL",
	    DER_TEXT("\x13\x02"
		     "22"),
	    DER_TEXT(SERIAL) },
};
static struct buf envelopes[N(sentences)], second[N(sentences)], astray[N(sentences)];

static int
setup(void **state)
{
	size_t i;

	world_make(state);
	for (i = 0; i < N(sentences); i++) {
		struct der content =
		    sentences[i].content.p != NULL ? sentences[i].content : der_of(&world.csr);
		envelopes[i] = envelop(&world.ra, content, CIPHER_AES128, v15, false);
		second[i] = envelop(&world.ra, content, CIPHER_AES128, v15, false);
		astray[i] = envelop(&world.device, content, CIPHER_AES128, v15, false);
	}
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	for (i = 0; i < N(sentences); i++) {
		buf_done(&envelopes[i]);
		buf_done(&second[i]);
		buf_done(&astray[i]);
	}
	return world_done(state);
}

static void
begin(struct forged *f, size_t i)
{
	forged_init(f, &envelopes[i]);
	forged_set(f, OID_MESSAGE_TYPE, sentences[i].type);
}

/* How far a message got, and what was said of it. */
struct fate {
	enum scep_status st;
	enum scep_fail_info info;
	char step[16];
	char text[320];
	unsigned unwraps;
};

static struct fate
fate_of(const struct buf *b)
{
	struct scep_error err = { .fail_info = SCEP_FAIL_NONE, .step = "" };
	struct scep_message *m = NULL;
	struct scep_request *r = NULL;
	struct fate f = { 0 };

	world_count_reset();
	if ((f.st = scep_message_parse(&m, b->data, b->len, &err)) == SCEP_OK)
		f.st = scep_request_open(&r, m, &world.ra_id, 1, &err);
	assert_true((f.st == SCEP_OK) == (r != NULL));
	f.info = err.fail_info;
	f.unwraps = world_unwraps();
	snprintf(f.step, sizeof(f.step), "%s", err.step);
	snprintf(f.text, sizeof(f.text), "%s", err.text);
	scep_request_free(r);
	scep_message_free(m);
	return f;
}

static void
assert_fate(struct buf *b, const char *what, const char *sentence, const char *step,
    enum scep_status st, enum scep_fail_info info)
{
	struct fate f = fate_of(b);

	if (f.st != st || strcmp(f.step, step) != 0 ||
	    (st != SCEP_OK && strcmp(step, "parse") != 0 && f.info != info))
		fail_msg("%s, %s: status %d step %s failInfo %d: %s", sentence, what, f.st, f.step,
		    f.info, f.text);
	if (f.unwraps != (st == SCEP_OK ? 1u : 0u))
		fail_msg("%s, %s: %u uses of the key", sentence, what, f.unwraps);
	buf_done(b);
}

static void
every_sentence_is_right_without_a_defect(void **state)
{
	struct forged f;
	struct buf b;
	size_t i;

	for (i = 0; i < N(sentences); i++) {
		begin(&f, i);
		b = forge(&f);
		assert_fate(&b, "as it should be", sentences[i].name, "", SCEP_OK, SCEP_FAIL_NONE);
	}
}

/* ---- messageType ------------------------------------------------------------------------ */

/* 0..999 in all the ways in which a number is written. */
static void
S01_S02_R24_no_number_but_five_is_a_request(void **state)
{
	static const uint8_t tags[] = { DER_PRINTABLE, DER_UTF8, DER_IA5, DER_INTEGER };
	struct forged f;
	uint8_t value[8];
	struct buf b;
	size_t t;
	int n;

	for (t = 0; t < N(tags); t++) {
		for (n = 0; n < (t == 0 ? 1000 : 256); n++) {
			if (n == 17 || (n >= 19 && n <= 22))
				continue;
			value[0] = tags[t];
			if (tags[t] == DER_INTEGER) {
				value[1] = n < 128 ? 1 : 2;
				value[2] = n < 128 ? (uint8_t)n : 0;
				value[3] = (uint8_t)n;
			} else {
				value[1] = (uint8_t)snprintf((char *)value + 2, 6, "%d", n);
			}
			begin(&f, 1);
			forged_set(&f, OID_MESSAGE_TYPE, (struct der){ value, 2u + value[1] });
			b = forge(&f);
			assert_fate(
			    &b, "as a number", "a type", "type", SCEP_E_TYPE, SCEP_BAD_REQUEST);
		}
	}
}

/* ---- attributes ------------------------------------------------------------------------- */

/* `add` beside what is there, or instead of it (value.p == NULL: nothing instead). */
static const struct defect {
	const char *what, *oid;
	bool add;
	struct der value;
	const char *step; /* "parse": no message at all */
	enum scep_status st;
	enum scep_fail_info info;
} defects[] = {
	{ "no messageType", OID_MESSAGE_TYPE, false, { 0 }, "type", SCEP_E_TYPE, SCEP_BAD_REQUEST },
	{ "an empty messageType", OID_MESSAGE_TYPE, false, DER_TEXT("\x13\x00"), "type",
	    SCEP_E_TYPE, SCEP_BAD_REQUEST },
	{ "messageType 019", OID_MESSAGE_TYPE, false,
	    DER_TEXT("\x13\x03"
		     "019"),
	    "type", SCEP_E_TYPE, SCEP_BAD_REQUEST },
	{ "messageType with a space", OID_MESSAGE_TYPE, false,
	    DER_TEXT("\x13\x03"
		     "19 "),
	    "type", SCEP_E_TYPE, SCEP_BAD_REQUEST },
	{ "messageType in a SEQUENCE", OID_MESSAGE_TYPE, false,
	    DER_TEXT("\x30\x04\x13\x02"
		     "19"),
	    "type", SCEP_E_TYPE, SCEP_BAD_REQUEST },
	{ "a second messageType", OID_MESSAGE_TYPE, true,
	    DER_TEXT("\x13\x02"
		     "19"),
	    "verify", SCEP_E_PARSE, SCEP_BAD_REQUEST },
	{ "a second, other messageType", OID_MESSAGE_TYPE, true,
	    DER_TEXT("\x13\x02"
		     "18"),
	    "verify", SCEP_E_PARSE, SCEP_BAD_REQUEST },
	{ "two values of messageType", OID_MESSAGE_TYPE, false,
	    DER_TEXT("\x13\x02"
		     "19\x13\x02"
		     "18"),
	    "verify", SCEP_E_PARSE, SCEP_BAD_REQUEST },
	{ "messageType without a value", OID_MESSAGE_TYPE, false, DER_TEXT(""), "verify",
	    SCEP_E_PARSE, SCEP_BAD_REQUEST },

	{ "no transactionID", OID_TRANSACTION_ID, false, { 0 }, "parse", SCEP_E_PARSE, 0 },
	{ "a second transactionID", OID_TRANSACTION_ID, true,
	    DER_TEXT("\x13\x01"
		     "y"),
	    "parse", SCEP_E_PARSE, 0 },
	{ "two values of transactionID", OID_TRANSACTION_ID, false,
	    DER_TEXT("\x13\x01"
		     "x\x13\x01"
		     "y"),
	    "parse", SCEP_E_PARSE, 0 },
	{ "transactionID without a value", OID_TRANSACTION_ID, false, DER_TEXT(""), "parse",
	    SCEP_E_PARSE, 0 },
	{ "an empty transactionID", OID_TRANSACTION_ID, false, DER_TEXT("\x13\x00"), "parse",
	    SCEP_E_PARSE, 0 },
	{ "a transactionID of octets", OID_TRANSACTION_ID, false,
	    DER_TEXT("\x04\x01"
		     "x"),
	    "parse", SCEP_E_PARSE, 0 },
	{ "a transactionID with a NUL", OID_TRANSACTION_ID, false,
	    DER_TEXT("\x13\x02"
		     "x\0"),
	    "parse", SCEP_E_PARSE, 0 },

	{ "a second senderNonce", OID_SENDER_NONCE, true,
	    DER_TEXT("\x04\x01"
		     "y"),
	    "verify", SCEP_E_PARSE, SCEP_BAD_REQUEST },
	{ "two values of senderNonce", OID_SENDER_NONCE, false,
	    DER_TEXT("\x04\x01"
		     "x\x04\x01"
		     "y"),
	    "verify", SCEP_E_PARSE, SCEP_BAD_REQUEST },
	{ "a senderNonce of text", OID_SENDER_NONCE, false,
	    DER_TEXT("\x13\x01"
		     "x"),
	    "type", SCEP_E_PARSE, SCEP_BAD_REQUEST },
	{ "a senderNonce of 65 octets", OID_SENDER_NONCE, false,
	    DER_TEXT("\x04\x41"
		     "12345678901234567890123456789012345678901234567890123456789012345"),
	    "type", SCEP_E_PARSE, SCEP_BAD_REQUEST },

	{ "a second contentType", OID_CONTENT_TYPE, true,
	    DER_TEXT("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"), "verify", SCEP_E_PARSE,
	    SCEP_BAD_REQUEST },
	{ "a second messageDigest", OID_MESSAGE_DIGEST, true,
	    DER_TEXT("\x04\x01"
		     "x"),
	    "verify", SCEP_E_PARSE, SCEP_BAD_REQUEST },
	{ "a second signingTime", OID_SIGNING_TIME, true,
	    DER_TEXT("\x17\x0d"
		     "260101000000Z"),
	    "verify", SCEP_E_PARSE, SCEP_BAD_REQUEST },

	/* What belongs to an answer, or to nobody, is passed over in a request. */
	{ "a pkiStatus", OID_PKI_STATUS, true,
	    DER_TEXT("\x13\x01"
		     "0"),
	    "", SCEP_OK, 0 },
	{ "a failInfo", OID_FAIL_INFO, true,
	    DER_TEXT("\x13\x01"
		     "9"),
	    "", SCEP_OK, 0 },
	{ "a recipientNonce", OID_RECIPIENT_NONCE, true, DER_TEXT("\x05\x00"), "", SCEP_OK, 0 },
	{ "an attribute of nobody's", "1.2.3.4", true, DER_TEXT("\x05\x00"), "", SCEP_OK, 0 },
	{ "that with two values", "1.2.3.4", true, DER_TEXT("\x05\x00\x05\x00"), "verify",
	    SCEP_E_PARSE, SCEP_BAD_REQUEST },
};

static void
R20_R24_S01_every_type_with_every_wrong_attribute(void **state)
{
	struct forged f;
	struct buf b;
	size_t i, k;

	for (i = 0; i < N(sentences); i++) {
		for (k = 0; k < N(defects); k++) {
			const struct defect *d = &defects[k];
			begin(&f, i);
			if (d->add)
				forged_add(&f, d->oid, d->value);
			else
				forged_set(&f, d->oid, d->value);
			b = forge(&f);
			assert_fate(&b, d->what, sentences[i].name, d->step, d->st, d->info);
		}
	}
}

/* ---- the SignedData around it ----------------------------------------------------------- */

static struct buf ecdsa, sha512, sha1, md5, pss, noise;

static void
no_signers(struct signed_parts *p)
{
	p->n_signers = 0;
}

static void
two_signers(struct signed_parts *p)
{
	p->n_signers = 2;
}

static void
no_certificates(struct signed_parts *p)
{
	p->certs = (struct der){ 0 };
}

static void
no_attributes(struct signed_parts *p)
{
	p->attrs = (struct der){ 0 };
}

static void
empty_attributes(struct signed_parts *p)
{
	p->attrs = DER_TEXT("\xa0\x00");
}

static void
somebody_elses_key_identifier(struct signed_parts *p)
{
	p->sid = DER_TEXT("\x80\x04"
			  "none");
}

static void
no_signature(struct signed_parts *p)
{
	p->signature = (struct der){ 0 };
}

static void
empty_signature(struct signed_parts *p)
{
	p->signature = DER_TEXT("\x04\x00");
}

static void
noise_as_signature(struct signed_parts *p)
{
	p->signature = der_of(&noise);
}

static void
ecdsa_by_rsa(struct signed_parts *p)
{
	p->signature_alg = der_of(&ecdsa);
}

static void
pss_by_rsa(struct signed_parts *p)
{
	p->signature_alg = der_of(&pss);
}

static void
other_digest(struct signed_parts *p)
{
	p->digest_alg = der_of(&sha512);
}

static void
weaker_digest(struct signed_parts *p)
{
	p->digest_alg = der_of(&sha1);
}

static void
broken_digest(struct signed_parts *p)
{
	p->digest_alg = der_of(&md5);
}

static void
no_content(struct signed_parts *p)
{
	p->content = DER_TEXT("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
}

static void
no_list_of_digests(struct signed_parts *p)
{
	p->digests = DER_TEXT("\x31\x00");
}

static void
odd_version(struct signed_parts *p)
{
	p->version = p->signer_version = DER_TEXT("\x02\x01\x2a");
}

static const struct change {
	const char *what;
	void (*make)(struct signed_parts *p);
	const char *step;
	enum scep_status st;
	enum scep_fail_info info;
} changes[] = {
	{ "no signer", no_signers, "parse", SCEP_E_PARSE, 0 },
	{ "two signers", two_signers, "parse", SCEP_E_LIMIT, 0 },
	{ "no certificates", no_certificates, "parse", SCEP_E_PARSE, 0 },
	{ "no signed attributes", no_attributes, "parse", SCEP_E_PARSE, 0 },
	{ "an empty set of attributes", empty_attributes, "parse", SCEP_E_PARSE, 0 },
	{ "a signer that is not inside", somebody_elses_key_identifier, "parse", SCEP_E_PARSE, 0 },
	{ "no signature", no_signature, "parse", SCEP_E_PARSE, 0 },
	{ "an empty signature", empty_signature, "verify", SCEP_E_INTEGRITY,
	    SCEP_BAD_MESSAGE_CHECK },
	{ "noise as a signature", noise_as_signature, "verify", SCEP_E_INTEGRITY,
	    SCEP_BAD_MESSAGE_CHECK },
	{ "ECDSA by an RSA key", ecdsa_by_rsa, "verify", SCEP_E_ALG, SCEP_BAD_ALG },
	{ "RSASSA-PSS", pss_by_rsa, "verify", SCEP_E_ALG, SCEP_BAD_ALG },
	{ "another digest than signed", other_digest, "verify", SCEP_E_INTEGRITY,
	    SCEP_BAD_MESSAGE_CHECK },
	{ "a weaker digest than signed", weaker_digest, "verify", SCEP_E_INTEGRITY,
	    SCEP_BAD_MESSAGE_CHECK },
	{ "MD5", broken_digest, "verify", SCEP_E_ALG, SCEP_BAD_ALG },
	{ "the content taken out", no_content, "verify", SCEP_E_INTEGRITY, SCEP_BAD_MESSAGE_CHECK },
	/* These two say nothing that is not said elsewhere. */
	{ "an empty list of digests", no_list_of_digests, "", SCEP_OK, 0 },
	{ "version 42", odd_version, "", SCEP_OK, 0 },
};

static void
R13_R19_every_type_in_every_wrong_frame(void **state)
{
	struct signed_parts p;
	struct buf good, b;
	struct forged f;
	size_t i, k;

	ecdsa = alg_der("1.2.840.10045.4.3.2", (struct der){ 0 });
	pss = alg_der("1.2.840.113549.1.1.10", (struct der){ 0 });
	sha512 = alg_der("2.16.840.1.101.3.4.2.3", (struct der){ 0 });
	sha1 = alg_der("1.3.14.3.2.26", (struct der){ 0 });
	md5 = alg_der("1.2.840.113549.2.5", (struct der){ 0 });
	noise = new_buf();
	der_add(&noise, DER_OCTET_STRING, world.ra.c.der.p, 256);
	for (i = 0; i < N(sentences); i++) {
		begin(&f, i);
		good = forge(&f);
		for (k = 0; k < N(changes); k++) {
			signed_take_apart(&p, &good);
			changes[k].make(&p);
			b = signed_put_together(&p);
			assert_fate(&b, changes[k].what, sentences[i].name, changes[k].step,
			    changes[k].st, changes[k].info);
		}
		buf_done(&good);
	}
	buf_done(&ecdsa);
	buf_done(&pss);
	buf_done(&sha512);
	buf_done(&sha1);
	buf_done(&md5);
	buf_done(&noise);
}

/* ---- swapped and misdirected ------------------------------------------------------------ */

/* S10: what is signed is bound to what is in the envelope. */
static void
S10_an_envelope_of_another_message_is_bad_message_check(void **state)
{
	struct signed_parts p, q;
	struct buf mine, theirs, b;
	struct forged f;
	size_t i, k;

	for (i = 0; i < N(sentences); i++) {
		begin(&f, i);
		mine = forge(&f);
		for (k = 0; k < N(sentences); k++) {
			begin(&f, k);
			f.content = der_of(&second[k]);
			theirs = forge(&f);
			signed_take_apart(&p, &mine);
			signed_take_apart(&q, &theirs);
			p.content = q.content;
			b = signed_put_together(&p);
			assert_fate(&b, sentences[k].name, sentences[i].name, "verify",
			    SCEP_E_INTEGRITY, SCEP_BAD_MESSAGE_CHECK);
			signed_take_apart(&p, &mine);
			p.attrs = q.attrs;
			b = signed_put_together(&p);
			assert_fate(&b, "attributes of another", sentences[i].name, "verify",
			    SCEP_E_INTEGRITY, SCEP_BAD_MESSAGE_CHECK);
			buf_done(&theirs);
		}
		buf_done(&mine);
	}
}

/* The stranger's certificate in the place of the device's, with the device's signature. */
static void
a_certificate_put_in_place_of_the_signers_is_bad_message_check(void **state)
{
	struct buf mine, theirs, b, both = new_buf();
	struct signed_parts p, q;
	struct forged f;
	size_t i, mark;

	for (i = 0; i < N(sentences); i++) {
		begin(&f, i);
		mine = forge(&f);
		f.signer = &world.stranger;
		theirs = forge(&f);
		signed_take_apart(&p, &mine);
		signed_take_apart(&q, &theirs);
		p.certs = q.certs;
		b = signed_put_together(&p);
		assert_fate(
		    &b, "another's certificate", sentences[i].name, "parse", SCEP_E_PARSE, 0);
		p.sid = q.sid;
		b = signed_put_together(&p);
		assert_fate(&b, "another's certificate and name", sentences[i].name, "verify",
		    SCEP_E_INTEGRITY, SCEP_BAD_MESSAGE_CHECK);
		/* Both certificates, and the stranger named. */
		buf_reset(&both);
		mark = der_open(&both, DER_CTX_CONS(0));
		buf_add(&both, world.device.c.der.p, world.device.c.der.len);
		buf_add(&both, world.stranger.c.der.p, world.stranger.c.der.len);
		der_close(&both, mark);
		p.certs = der_of(&both);
		b = signed_put_together(&p);
		assert_fate(&b, "both certificates", sentences[i].name, "verify", SCEP_E_INTEGRITY,
		    SCEP_BAD_MESSAGE_CHECK);
		buf_done(&mine);
		buf_done(&theirs);
	}
	buf_done(&both);
}

static void
every_type_for_somebody_else_is_refused_without_a_key(void **state)
{
	struct forged f;
	struct buf b;
	size_t i;

	for (i = 0; i < N(sentences); i++) {
		begin(&f, i);
		f.content = der_of(&astray[i]);
		b = forge(&f);
		assert_fate(&b, "for somebody else", sentences[i].name, "recipient",
		    SCEP_E_RECIPIENT, SCEP_BAD_REQUEST);
	}
}

/* R14, R16, R17, R29: what stands where the envelope should. */
static void
R14_R16_R17_every_type_without_its_envelope_is_refused(void **state)
{
	struct forged f;
	struct buf b;
	size_t i;

	for (i = 0; i < N(sentences); i++) {
		begin(&f, i);
		f.content = (struct der){ 0 };
		b = forge(&f);
		assert_fate(&b, "no envelope", sentences[i].name, "structure", SCEP_E_PARSE,
		    SCEP_BAD_REQUEST);
		f.content = DER_TEXT("");
		b = forge(&f);
		assert_fate(&b, "an empty envelope", sentences[i].name, "structure", SCEP_E_PARSE,
		    SCEP_BAD_REQUEST);
		f.content =
		    sentences[i].content.p != NULL ? sentences[i].content : der_of(&world.csr);
		b = forge(&f);
		assert_fate(&b, "content in the clear", sentences[i].name, "structure",
		    SCEP_E_PARSE, SCEP_BAD_REQUEST);
		begin(&f, i);
		f.content_type = OID_SIGNED_DATA;
		b = forge(&f);
		assert_fate(&b, "eContentType SignedData", sentences[i].name, "type", SCEP_E_PARSE,
		    SCEP_BAD_REQUEST);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sentence_is_right_without_a_defect),
		cmocka_unit_test(S01_S02_R24_no_number_but_five_is_a_request),
		cmocka_unit_test(R20_R24_S01_every_type_with_every_wrong_attribute),
		cmocka_unit_test(R13_R19_every_type_in_every_wrong_frame),
		cmocka_unit_test(S10_an_envelope_of_another_message_is_bad_message_check),
		cmocka_unit_test(a_certificate_put_in_place_of_the_signers_is_bad_message_check),
		cmocka_unit_test(every_type_for_somebody_else_is_refused_without_a_key),
		cmocka_unit_test(R14_R16_R17_every_type_without_its_envelope_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
