/*
 * request_test.c - what a server takes, from whom, and the CSR inside.
 */
#include "scep_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scep/attrs.h"
#include "scep/request_csr.h"

static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };

/* ---- taken ------------------------------------------------------------------------------ */

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
	assert_int_equal(parse_message(&m, &b, &err), SCEP_OK);
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

/* Before anything is verified: who a refusal should come from. */
static void
a_message_says_which_of_several_it_is_meant_for(void **state)
{
	struct scep_identity *ids[] = { world.stranger_id, world.ra_id };
	struct buf envelope = good_envelope(), b;
	struct scep_message *m;
	struct scep_error err;
	struct forged f;

	forged_init(&f, &envelope);
	b = forge(&f);
	assert_int_equal(parse_message(&m, &b, &err), SCEP_OK);
	world_count_reset();
	assert_ptr_equal(scep_message_recipient(m, ids, 2), world.ra_id);
	assert_null(scep_message_recipient(m, ids, 1));
	assert_null(scep_message_recipient(m, NULL, 0));
	assert_int_equal(world_unwraps(), 0);
	scep_message_free(m);
	buf_done(&b);
	f.content = DER_TEXT("no envelope");
	b = forge(&f);
	assert_int_equal(parse_message(&m, &b, &err), SCEP_OK);
	assert_null(scep_message_recipient(m, ids, 2));
	scep_message_free(m);
	buf_done(&b);
	buf_done(&envelope);
}

static void
quirk32_ber_messages_are_taken(void **state)
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
quirk36_quirk37_quirk38_what_legacy_clients_send_is_taken(void **state)
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
R18_types_with_their_own_content_are_taken(void **state)
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

/* ---- recipients ------------------------------------------------------------------------- */

static void
quirk35_the_right_one_of_several_recipients_is_found(void **state)
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
quirk35_a_renewed_recipient_is_tried_and_marked_stale(void **state)
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

/* ---- the CSR inside --------------------------------------------------------------------- */

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
R04_S11_the_csr_tells_whether_its_key_signed_the_message(void **state)
{
	struct err err = { 0 };
	bool own = false;

	assert_ok(csr_of(der_of(&world.csr), &world.device, &own, &err), err);
	assert_true(own);
	assert_ok(csr_of(der_of(&world.csr), &world.stranger, &own, &err), err);
	assert_false(own);
}

static void
S12_S24_R50_a_malformed_csr_is_explained_to_its_sender_only(void **state)
{
	const struct der empty = DER_TEXT("\x30\x06\x30\x00\x30\x00\x03\x00");
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
	assert_int_equal(csr_of(empty, &world.device, &own, &err), RC_INTEGRITY);
	assert_string_equal(err.msg, "the envelope cannot be decrypted");
	assert_int_equal(csr_of(empty, &world.device, &own, NULL), RC_INTEGRITY);
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
		cmocka_unit_test(a_message_says_which_of_several_it_is_meant_for),
		cmocka_unit_test(quirk32_ber_messages_are_taken),
		cmocka_unit_test(quirk36_quirk37_quirk38_what_legacy_clients_send_is_taken),
		cmocka_unit_test(R18_types_with_their_own_content_are_taken),
		cmocka_unit_test(quirk35_the_right_one_of_several_recipients_is_found),
		cmocka_unit_test(quirk35_a_renewed_recipient_is_tried_and_marked_stale),
		cmocka_unit_test(an_identity_that_only_signs_is_no_recipient),
		cmocka_unit_test(R04_S11_the_csr_tells_whether_its_key_signed_the_message),
		cmocka_unit_test(S12_S24_R50_a_malformed_csr_is_explained_to_its_sender_only),
		cmocka_unit_test(types_without_a_csr_have_none),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
