/*
 * every_reply_test.c - every answer there is: it has what devices look for, and an RA key that signs by
 * the signer's rule signs it.
 */
#include "scep_kit.h"

#include <stdlib.h>
#include <string.h>

#include "scep/attrs.h"
#include "signer/signer_check.h"

static struct actor agree, signs;
static struct scep_identity *agree_id, *signs_id, *ruled; /* the RA, asking the rule first */
static unsigned refused;

/* By world's key operations, which know what the actor's key is. */
static int
sign_as_device(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	struct actor *a = ctx;
	struct buf b;
	int rc = -1;

	buf_init(&b, *sig_len);
	if (key_sign(&b, a->key, (enum digest)digest, tbs, tbs_len, NULL) == RC_OK) {
		memcpy(sig, b.data, b.len);
		*sig_len = b.len;
		rc = 0;
	}
	buf_done(&b);
	return rc;
}

static int
sign_by_rule(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	struct err err = { 0 };

	if (check_certrep_attrs((enum digest)digest, tbs, tbs_len, &err) != RC_OK) {
		print_message("%s\n", err.msg);
		refused++;
		return -1;
	}
	return sign_as_device(ctx, digest, tbs, tbs_len, sig, sig_len);
}

static struct scep_identity *
identity(struct actor *a, const struct scep_key_ops *ops)
{
	struct scep_identity *id = NULL;

	assert_int_equal(scep_identity_new(&id, a->c.der.p, a->c.der.len, ops, a, NULL), SCEP_OK);
	return id;
}

static int
setup(void **state)
{
	static const struct scep_key_ops device = { .sign = sign_as_device },
					 ra = { .sign = sign_by_rule };

	world_make(state);
	actor_make_for(&agree, "agree", "ec:p256", 0, "0E01", KU_KEY_AGREEMENT);
	actor_make_for(&signs, "signs", "ec:p384", 0, "0E02", KU_DIGITAL_SIGNATURE);
	agree_id = identity(&agree, &device);
	signs_id = identity(&signs, &device);
	ruled = identity(&world.ra, &ra);
	return 0;
}

static int
teardown(void **state)
{
	scep_identity_free(agree_id);
	scep_identity_free(signs_id);
	scep_identity_free(ruled);
	actor_done(&agree);
	actor_done(&signs);
	return world_done(state);
}

/* ---- the answers ------------------------------------------------------------------------ */

struct asked {
	struct scep_message *m;
	struct scep_request *r;
};

static void
ask(struct asked *a, const struct scep_identity *signer, enum scep_digest digest)
{
	struct scep_pkcsreq req = { .type = SCEP_RENEWAL_REQ,
		.csr = world.csr.data,
		.csr_len = world.csr.len,
		.signer = signer,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.alg = usual };
	struct scep_pending p;
	struct scep_bytes b;
	struct scep_error err;

	req.alg.digest = digest;
	if (scep_pkcsreq_encode(&b, &p, &req, &err) != SCEP_OK ||
	    scep_message_parse(&a->m, b.data, b.len, &err) != SCEP_OK ||
	    scep_request_open(&a->r, a->m, &world.ra_id, 1, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	scep_bytes_free(&b);
}

static void
asked_done(struct asked *a)
{
	scep_message_free(a->m);
	scep_request_free(a->r);
}

typedef enum scep_status reply_fn(
    struct scep_bytes *out, const struct asked *a, struct scep_error *err);

static enum scep_status
leaf(struct scep_bytes *out, const struct asked *a, struct scep_error *err)
{
	struct scep_bytes cert = bytes_of_der(world.curve.c.der);
	struct scep_reply_how how = { .certs = &cert,
		.n_certs = 1,
		.password = "challenge",
		.password_len = 9,
		.password_rounds = 1 };

	return scep_reply_success_how(out, a->r, ruled, &how, err);
}

static enum scep_status
crl(struct scep_bytes *out, const struct asked *a, struct scep_error *err)
{
	struct scep_bytes any = bytes_of_der(world.curve.c.der);
	struct scep_reply_how how = {
		.crl = &any, .password = "challenge", .password_len = 9, .password_rounds = 1
	};

	return scep_reply_success_how(out, a->r, ruled, &how, err);
}

static enum scep_status
failure(struct scep_bytes *out, const struct asked *a, struct scep_error *err)
{
	return scep_reply_failure(out, a->m, ruled, SCEP_BAD_CERT_ID,
	    "Gr\xc3\xbc\xc3\x9f"
	    "e",
	    err);
}

static enum scep_status
failure_without_words(struct scep_bytes *out, const struct asked *a, struct scep_error *err)
{
	return scep_reply_failure_how(
	    out, a->m, ruled, SCEP_BAD_TIME, NULL, SCEP_REPLY_EMPTY_CONTENT, err);
}

static enum scep_status
pending(struct scep_bytes *out, const struct asked *a, struct scep_error *err)
{
	return scep_reply_pending(out, a->m, ruled, err);
}

static enum scep_status
pending_with_empty_content(struct scep_bytes *out, const struct asked *a, struct scep_error *err)
{
	return scep_reply_pending_how(out, a->m, ruled, SCEP_REPLY_EMPTY_CONTENT, err);
}

static const struct {
	reply_fn *make;
	char status;
	size_t n_attrs;
} replies[] = {
	{ leaf, '0', 8 },
	{ crl, '0', 8 },
	{ failure, '2', 10 },
	{ failure_without_words, '2', 9 },
	{ pending, '3', 8 },
	{ pending_with_empty_content, '3', 8 },
};

/* ---- what they have --------------------------------------------------------------------- */

static void
assert_value(const struct cms_signed *s, const char *oid, uint8_t tag, size_t len, const void *want)
{
	struct cms_value v;
	struct err err = { 0 };

	assert_ok(cms_signed_attr(s, oid, &v, &err), err);
	assert_int_equal(v.tag, tag);
	assert_int_equal(v.body.len, len);
	if (want != NULL)
		assert_memory_equal(v.body.p, want, len);
}

static void
assert_fit_for_devices(
    const struct scep_bytes *b, const struct asked *a, size_t i, enum digest digest)
{
	struct cms_signed *s;
	struct err err = { 0 };
	const char *txid = scep_message_transaction_id(a->m);
	size_t nonce_len;
	const uint8_t *nonce = scep_message_sender_nonce(a->m, &nonce_len);
	struct der cert;

	assert_ok(cms_signed_parse(&s, b->data, b->len, &err), err);
	assert_ok(cms_signed_verify(s, world.ra.key, &err), err);
	assert_int_equal(cms_signed_digest(s), digest);
	/* One value each, in DER's order; the RA's certificate alone. */
	assert_ok(cms_signed_attrs_plain(s, &err), err);
	assert_true(cms_signed_attrs_in_der(s));
	assert_int_equal(cms_signed_n_certs(s), 1);
	cert = cms_signed_cert0(s, 0);
	assert_true(der_same(&cert, &world.ra.c.der));
	assert_true(cms_signed_is_by(s, &world.ra.c));
	assert_int_equal(cms_signed_n_attrs(s), replies[i].n_attrs);
	assert_value(s, OID_CONTENT_TYPE, DER_OID, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
	assert_value(s, OID_MESSAGE_DIGEST, DER_OCTET_STRING, digest_size(digest), NULL);
	assert_value(s, OID_TRANSACTION_ID, DER_PRINTABLE, strlen(txid), txid);
	assert_value(s, OID_MESSAGE_TYPE, DER_PRINTABLE, 1, "3");
	assert_value(s, OID_PKI_STATUS, DER_PRINTABLE, 1, &replies[i].status);
	assert_value(s, OID_SENDER_NONCE, DER_OCTET_STRING, 16, NULL);
	assert_value(s, OID_RECIPIENT_NONCE, DER_OCTET_STRING, nonce_len, nonce);
	assert_value(s, OID_SIGNING_TIME, DER_UTCTIME, 13, NULL);
	cms_signed_free(s);
}

static void
R20_R21_R22_R25_quirk49_quirk50_quirk51_quirk52_quirk56_every_answer_has_what_devices_want(
    void **state)
{
	const struct scep_identity *signers[] = { world.device_id, agree_id, signs_id };
	struct scep_bytes out;
	struct scep_error err;
	struct asked a;
	size_t s, i;
	int d;

	for (s = 0; s < N(signers); s++) {
		for (d = SCEP_SHA1; d <= SCEP_SHA512; d++) {
			ask(&a, signers[s], (enum scep_digest)d);
			for (i = 0; i < N(replies); i++) {
				if (replies[i].make(&out, &a, &err) != SCEP_OK)
					fail_msg("signer %zu, answer %zu: %s", s, i, err.text);
				assert_fit_for_devices(&out, &a, i, (enum digest)d);
				scep_bytes_free(&out);
			}
			asked_done(&a);
		}
	}
	assert_int_equal(refused, 0);
}

/* The rule is in the way indeed: a request has another messageType. */
static void
a_request_is_not_signed_by_an_ra(void **state)
{
	struct scep_pkcsreq req = { .type = SCEP_PKCS_REQ,
		.csr = world.csr.data,
		.csr_len = world.csr.len,
		.signer = ruled,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.alg = usual };
	struct scep_pending p;
	struct scep_bytes b = { 0 };
	struct scep_error err;

	refused = 0;
	assert_int_equal(scep_pkcsreq_encode(&b, &p, &req, &err), SCEP_E_CRYPTO);
	assert_int_equal(refused, 1);
	assert_null(b.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    R20_R21_R22_R25_quirk49_quirk50_quirk51_quirk52_quirk56_every_answer_has_what_devices_want),
		cmocka_unit_test(a_request_is_not_signed_by_an_ra),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
