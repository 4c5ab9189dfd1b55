/*
 * client_test.c - what a client sends, and which answers it believes.
 */
#include "scep_kit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "scep/attrs.h"

/* A request in flight, and its answer. */
struct exchange {
	struct scep_pending pending;
	struct scep_message *m;
	struct scep_request *r;
};

static void
begin(struct exchange *x)
{
	struct scep_bytes b = make_request(&usual, &x->pending);
	struct scep_error err;

	if (scep_message_parse(&x->m, b.data, b.len, &err) != SCEP_OK ||
	    scep_request_open(&x->r, x->m, &world.ra_id, 1, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	scep_bytes_free(&b);
}

static void
end(struct exchange *x)
{
	scep_message_free(x->m);
	scep_request_free(x->r);
}

static enum scep_status
read_answer(struct scep_certrep *rep, const struct scep_bytes *b, const struct exchange *x,
    struct scep_error *err)
{
	struct scep_bytes ra[] = { bytes_of_der(world.curve.c.der), bytes_of_der(world.ra.c.der) };

	return scep_certrep_open(rep, b->data, b->len, &x->pending, ra, 2, world.device_id, err);
}

static void
the_default_transaction_id_is_the_key(void **state)
{
	char want[65];
	uint8_t md[32];
	size_t len;
	const uint8_t *spki = key_spki0(world.device.key, &len);
	struct scep_pending one, two;
	struct scep_bytes a = make_request(&usual, &one), b = make_request(&usual, &two);

	assert_int_equal(digest_bytes(md, DIGEST_SHA256, spki, len, NULL), RC_OK);
	hex_upper(want, md, 32);
	assert_string_equal(one.transaction_id, want);
	assert_string_equal(two.transaction_id, want);
	assert_int_not_equal(memcmp(one.sender_nonce, two.sender_nonce, 16), 0);
	scep_bytes_free(&a);
	scep_bytes_free(&b);
}

static void
quirk39_a_renewal_by_key_identifier_with_its_own_transaction_id_is_read(void **state)
{
	struct scep_pkcsreq req = { .type = SCEP_RENEWAL_REQ,
		.transaction_id = "my id",
		.csr = world.csr.data,
		.csr_len = world.csr.len,
		.signer = world.stranger_id,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.recipient_by_ski = 1,
		.alg = usual };
	struct scep_pending pending;
	struct scep_request *r;
	struct scep_message *m;
	struct scep_error err;
	struct scep_bytes b;
	size_t len;

	assert_int_equal(scep_pkcsreq_encode(&b, &pending, &req, &err), SCEP_OK);
	assert_string_equal(pending.transaction_id, "my id");
	assert_int_equal(scep_message_parse(&m, b.data, b.len, &err), SCEP_OK);
	assert_int_equal(scep_request_open(&r, m, &world.ra_id, 1, &err), SCEP_OK);
	assert_int_equal(scep_request_type(r), SCEP_RENEWAL_REQ);
	assert_memory_equal(
	    scep_request_signer(r, &len), world.stranger.c.der.p, world.stranger.c.der.len);
	assert_int_equal(len, world.stranger.c.der.len);
	scep_request_free(r);
	scep_message_free(m);
	scep_bytes_free(&b);
}

static void
requests_that_cannot_be_are_not_made(void **state)
{
	const struct scep_pkcsreq good = { .type = SCEP_PKCS_REQ,
		.csr = world.csr.data,
		.csr_len = world.csr.len,
		.signer = world.device_id,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.alg = usual };
	struct scep_pkcsreq req = good;
	struct scep_bytes b = { 0 };
	struct scep_pending p;
	struct scep_error err;
	char id[300];

	req.type = SCEP_CERT_REP;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_TYPE);
	req = good, req.recipient = world.curve.c.der.p, req.recipient_len = world.curve.c.der.len;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_ALG);
	req = good, req.recipient_len--;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_PARSE);
	req = good, req.csr_len = 10;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_PARSE);
	req = good, req.transaction_id = "";
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_LIMIT);
	memset(id, 'x', sizeof(id)), id[256] = '\0';
	req.transaction_id = id;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_LIMIT);
	req = good, req.alg.cipher = 0;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_ALG);
	req = good, req.alg.digest = 0;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_ALG);
	req = good, req.alg.transport.kind = 0;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_ALG);
	assert_null(b.data);
}

static void
failure_and_pending_are_understood(void **state)
{
	struct scep_certrep rep;
	struct scep_error err;
	struct scep_bytes b;
	struct exchange x;

	begin(&x);
	assert_int_equal(
	    scep_reply_failure(&b, x.m, world.ra_id, SCEP_BAD_TIME, "Too late.", &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &b, &x, &err), SCEP_OK);
	assert_int_equal(rep.status, SCEP_FAILURE);
	assert_int_equal(rep.fail_info, SCEP_BAD_TIME);
	assert_string_equal(rep.fail_text, "Too late.");
	assert_int_equal(rep.n_certs, 0);
	scep_certrep_done(&rep);
	scep_bytes_free(&b);
	assert_int_equal(scep_reply_pending(&b, x.m, world.ra_id, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &b, &x, &err), SCEP_OK);
	assert_int_equal(rep.status, SCEP_PENDING);
	assert_int_equal(rep.fail_info, SCEP_FAIL_NONE);
	scep_certrep_done(&rep);
	scep_bytes_free(&b);
	end(&x);
}

static void
an_answer_of_another_transaction_is_not_believed(void **state)
{
	struct scep_certrep rep;
	struct exchange x, y;
	struct scep_error err;
	struct scep_bytes b;

	begin(&x);
	begin(&y); /* same transactionID, other nonce */
	assert_int_equal(scep_reply_pending(&b, x.m, world.ra_id, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &b, &y, &err), SCEP_E_INTEGRITY);
	y.pending = x.pending;
	y.pending.transaction_id[0] ^= 1;
	assert_int_equal(read_answer(&rep, &b, &y, &err), SCEP_E_INTEGRITY);
	scep_bytes_free(&b);
	end(&x);
	end(&y);
}

static void
an_answer_by_somebody_else_is_not_believed(void **state)
{
	struct scep_bytes leaf = bytes_of_der(world.curve.c.der), b;
	struct scep_certrep rep;
	struct scep_error err;
	struct exchange x;

	begin(&x);
	assert_int_equal(scep_reply_success(&b, x.r, world.stranger_id, &leaf, 1, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &b, &x, &err), SCEP_E_INTEGRITY);
	scep_bytes_free(&b);
	/* Neither is one whose signature does not hold. */
	assert_int_equal(scep_reply_success(&b, x.r, world.ra_id, &leaf, 1, &err), SCEP_OK);
	b.data[b.len - 1] ^= 1;
	assert_int_equal(read_answer(&rep, &b, &x, &err), SCEP_E_INTEGRITY);
	scep_bytes_free(&b);
	/* Neither is our own request, sent back. */
	b = make_request(&usual, NULL);
	assert_int_equal(read_answer(&rep, &b, &x, &err), SCEP_E_INTEGRITY);
	scep_bytes_free(&b);
	end(&x);
}

static void
an_answer_for_another_device_is_not_opened(void **state)
{
	struct scep_bytes leaf = bytes_of_der(world.curve.c.der), ra = bytes_of_der(world.ra.c.der),
			  b;
	struct scep_certrep rep;
	struct scep_error err;
	struct exchange x;

	begin(&x);
	assert_int_equal(scep_reply_success(&b, x.r, world.ra_id, &leaf, 1, &err), SCEP_OK);
	assert_int_equal(
	    scep_certrep_open(&rep, b.data, b.len, &x.pending, &ra, 1, world.stranger_id, &err),
	    SCEP_E_RECIPIENT);
	scep_bytes_free(&b);
	end(&x);
}

/* Of answers: what makes sense together, and what does not. */
static const struct {
	struct der type, status, info;
	enum scep_status want;
} made_by_hand[] = {
	{ DER_TEXT("\x13\x01"
		   "3"),
	    DER_TEXT("\x13\x01"
		     "3"),
	    { 0 }, SCEP_OK },
	{ DER_TEXT("\x13\x02"
		   "19"),
	    DER_TEXT("\x13\x01"
		     "3"),
	    { 0 }, SCEP_E_TYPE },
	{ DER_TEXT("\x13\x01"
		   "3"),
	    DER_TEXT("\x13\x01"
		     "1"),
	    { 0 }, SCEP_E_TYPE },
	{ DER_TEXT("\x13\x01"
		   "3"),
	    DER_TEXT("\x13\x01"
		     "4"),
	    { 0 }, SCEP_E_TYPE },
	{ DER_TEXT("\x13\x01"
		   "3"),
	    { 0 }, { 0 }, SCEP_E_TYPE },
	{ DER_TEXT("\x13\x01"
		   "3"),
	    DER_TEXT("\x13\x01"
		     "2"),
	    { 0 }, SCEP_E_TYPE },
	{ DER_TEXT("\x13\x01"
		   "3"),
	    DER_TEXT("\x13\x01"
		     "2"),
	    DER_TEXT("\x13\x01"
		     "5"),
	    SCEP_E_TYPE },
	{ DER_TEXT("\x13\x01"
		   "3"),
	    DER_TEXT("\x13\x01"
		     "2"),
	    DER_TEXT("\x13\x01"
		     "4"),
	    SCEP_OK },
	{ DER_TEXT("\x13\x01"
		   "3"),
	    DER_TEXT("\x13\x01"
		     "0"),
	    { 0 }, SCEP_E_PARSE }, /* no envelope */
};

/* Answers made by hand and signed by the RA. */
static void
answers_that_make_no_sense_are_refused(void **state)
{
	struct buf none = new_buf(), txid = new_buf(), nonce = new_buf(), m;
	struct scep_certrep rep;
	struct scep_error err;
	struct scep_bytes b;
	struct exchange x;
	struct forged f;
	size_t i;

	begin(&x);
	der_add_text(&txid, DER_PRINTABLE, x.pending.transaction_id);
	der_add(&nonce, DER_OCTET_STRING, x.pending.sender_nonce, 16);
	for (i = 0; i < N(made_by_hand); i++) {
		forged_init(&f, &none);
		f.content = (struct der){ 0 };
		f.signer = &world.ra;
		forged_set(&f, OID_TRANSACTION_ID, der_of(&txid));
		forged_set(&f, OID_MESSAGE_TYPE, made_by_hand[i].type);
		forged_add(&f, OID_RECIPIENT_NONCE, der_of(&nonce));
		if (made_by_hand[i].status.p != NULL)
			forged_add(&f, OID_PKI_STATUS, made_by_hand[i].status);
		if (made_by_hand[i].info.p != NULL)
			forged_add(&f, OID_FAIL_INFO, made_by_hand[i].info);
		m = forge(&f);
		b = bytes_of(&m);
		if (read_answer(&rep, &b, &x, &err) != made_by_hand[i].want)
			fail_msg("case %zu: %s", i, err.text);
		if (made_by_hand[i].want == SCEP_OK)
			scep_certrep_done(&rep);
		buf_done(&m);
	}
	buf_done(&txid);
	buf_done(&nonce);
	end(&x);
}

static void
R02_quirk27_ca_certificates_survive_the_way_in_their_order(void **state)
{
	struct scep_bytes list[] = { bytes_of_der(world.stranger.c.der),
		bytes_of_der(world.curve.c.der), bytes_of_der(world.ra.c.der) };
	struct scep_bytes out, *got;
	struct scep_error err;
	size_t i, n, k;

	for (k = 1; k <= 3; k++) {
		assert_int_equal(scep_ca_certs_encode(&out, list, k, &err), SCEP_OK);
		if (k == 1)
			assert_int_equal(out.len, list[0].len);
		assert_int_equal(scep_ca_certs_parse(&got, &n, out.data, out.len, &err), SCEP_OK);
		assert_int_equal(n, k);
		for (i = 0; i < n; i++) {
			assert_int_equal(got[i].len, list[i].len);
			assert_memory_equal(got[i].data, list[i].data, list[i].len);
		}
		scep_bytes_list_free(got, n);
		scep_bytes_free(&out);
	}
	assert_int_equal(scep_ca_certs_encode(&out, list, 0, &err), SCEP_E_LIMIT);
	assert_int_equal(
	    scep_ca_certs_parse(&got, &n, (const uint8_t *)"<html>", 6, &err), SCEP_E_PARSE);
	assert_int_equal(
	    scep_ca_certs_parse(&got, &n, world.csr.data, world.csr.len, &err), SCEP_E_PARSE);
	out = make_request(&usual, NULL);
	assert_int_equal(scep_ca_certs_parse(&got, &n, out.data, out.len, &err), SCEP_E_PARSE);
	scep_bytes_free(&out);
}

static void
R37_R38_quirk18_capabilities_survive_the_way(void **state)
{
	static const struct {
		const char *text;
		unsigned caps;
	} cases[] = {
		{ "", 0 },
		{ "AES\nSHA-256\n", SCEP_CAP_AES | SCEP_CAP_SHA256 },
		{ "aes\r\n sha-512 \r\nUnknown\r\nPOSTPKIOPERATION",
		    SCEP_CAP_AES | SCEP_CAP_SHA512 | SCEP_CAP_POST_PKI_OPERATION },
		{ "SHA-2567\nAE\nSHA-1\n\n\n", SCEP_CAP_SHA1 },
		{ "<html>404</html>", 0 },
		{ "SCEPStandard", SCEP_CAP_SCEP_STANDARD },
	};
	struct scep_bytes out;
	unsigned caps, all = 0x7ff;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		assert_int_equal(scep_caps_parse(&caps, (const uint8_t *)cases[i].text,
				     strlen(cases[i].text), NULL),
		    SCEP_OK);
		assert_int_equal(caps, cases[i].caps);
	}
	assert_int_equal(scep_caps_encode(&out, all, NULL), SCEP_OK);
	assert_int_equal(scep_caps_parse(&caps, out.data, out.len, NULL), SCEP_OK);
	assert_int_equal(caps, all);
	assert_int_equal(out.data[out.len - 1], '\n');
	scep_bytes_free(&out);
	assert_int_equal(scep_caps_encode(&out, SCEP_CAP_RENEWAL | SCEP_CAP_DES3, NULL), SCEP_OK);
	assert_memory_equal(out.data, "DES3\nRenewal\n", 13);
	scep_bytes_free(&out);
	assert_int_equal(scep_caps_parse(&caps, NULL, 0, NULL), SCEP_OK);
	assert_int_equal(scep_caps_parse(&caps, (const uint8_t *)"", 70000, NULL), SCEP_E_LIMIT);
}

static void
an_identity_needs_its_own_key(void **state)
{
	struct buf pem = new_buf(), other = new_buf();
	struct scep_identity *id = NULL;
	struct scep_error err;
	size_t len;

	assert_int_equal(key_private_pem(&pem, world.device.key, NULL), RC_OK);
	assert_int_equal(key_private_pem(&other, world.curve.key, NULL), RC_OK);
	assert_int_equal(scep_identity_from_pem(&id, world.device.c.der.p, world.device.c.der.len,
			     buf_str(&pem), pem.len, &err),
	    SCEP_OK);
	assert_memory_equal(
	    scep_identity_cert(id, &len), world.device.c.der.p, world.device.c.der.len);
	assert_int_equal(len, world.device.c.der.len);
	/* Its own operations serve a whole exchange. */
	struct scep_identity *mine = world.device_id;
	struct scep_bytes leaf = bytes_of_der(world.curve.c.der), b;
	struct scep_certrep rep;
	struct exchange x;
	world.device_id = id;
	begin(&x);
	assert_int_equal(scep_reply_success(&b, x.r, world.ra_id, &leaf, 1, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &b, &x, &err), SCEP_OK);
	assert_int_equal(rep.n_certs, 1);
	scep_certrep_done(&rep);
	scep_bytes_free(&b);
	end(&x);
	world.device_id = mine;
	scep_identity_free(id);
	assert_int_equal(scep_identity_from_pem(&id, world.device.c.der.p, world.device.c.der.len,
			     buf_str(&other), other.len, &err),
	    SCEP_E_PARSE);
	assert_int_equal(
	    scep_identity_from_pem(&id, world.device.c.der.p, 20, buf_str(&pem), pem.len, &err),
	    SCEP_E_PARSE);
	assert_int_not_equal(scep_identity_from_pem(&id, world.device.c.der.p,
				 world.device.c.der.len, "nothing", 7, &err),
	    SCEP_OK);
	buf_wipe(&pem);
	buf_wipe(&other);
}

static void
names_are_what_logs_expect(void **state)
{
	struct scep_transport oaep = { SCEP_RSA_OAEP, SCEP_SHA1, SCEP_SHA1 }, none = { 0 };
	char text[32];

	assert_string_equal(scep_message_type_name(19), "PKCSReq");
	assert_string_equal(scep_message_type_name(18), "unknown");
	assert_string_equal(scep_pki_status_name(SCEP_PENDING), "PENDING");
	assert_string_equal(scep_fail_info_name(SCEP_BAD_CERT_ID), "badCertId");
	assert_string_equal(scep_fail_info_name(SCEP_FAIL_NONE), "none");
	assert_string_equal(scep_digest_name(SCEP_SHA256), "sha256");
	assert_string_equal(scep_digest_name(0), "-");
	assert_string_equal(scep_cipher_name(SCEP_AES128), "aes128cbc");
	assert_string_equal(scep_cipher_name(0), "-");
	assert_string_equal(scep_transport_name(&oaep, text, sizeof(text)), "oaep-sha1");
	assert_string_equal(scep_transport_name(&none, text, sizeof(text)), "-");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_transaction_id_is_the_key),
		cmocka_unit_test(
		    quirk39_a_renewal_by_key_identifier_with_its_own_transaction_id_is_read),
		cmocka_unit_test(requests_that_cannot_be_are_not_made),
		cmocka_unit_test(failure_and_pending_are_understood),
		cmocka_unit_test(an_answer_of_another_transaction_is_not_believed),
		cmocka_unit_test(an_answer_by_somebody_else_is_not_believed),
		cmocka_unit_test(an_answer_for_another_device_is_not_opened),
		cmocka_unit_test(answers_that_make_no_sense_are_refused),
		cmocka_unit_test(R02_quirk27_ca_certificates_survive_the_way_in_their_order),
		cmocka_unit_test(R37_R38_quirk18_capabilities_survive_the_way),
		cmocka_unit_test(an_identity_needs_its_own_key),
		cmocka_unit_test(names_are_what_logs_expect),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
