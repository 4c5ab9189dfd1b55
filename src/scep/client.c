/*
 * client.c - the device's side: PKCSReq and RenewalReq out, CertRep in.
 */
#include "scep.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "scep/attrs.h"
#include "scep/ca_certs.h"
#include "scep/error.h"
#include "scep/identity.h"

/* ---- PKCSReq ---- */

/* Upper-case hex of SHA-256 over the SubjectPublicKeyInfo: unique, and the same when a request is
 * repeated. */
static enum rc
default_transaction_id(char *out, const uint8_t *csr, size_t len, struct err *err)
{
	struct der in = { csr, len }, request, info, skipped, spki;
	uint8_t md[DIGEST_SIZE_MAX];
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &request) || !der_take(&request, DER_SEQUENCE, &info) ||
	    !der_take(&info, DER_INTEGER, &skipped) || !der_take(&info, DER_SEQUENCE, &skipped) ||
	    !der_take_whole(&info, DER_SEQUENCE, &spki))
		return fail(err, RC_PARSE, "the CSR has no public key to make a transactionID of");
	if ((rc = digest_bytes(md, DIGEST_SHA256, spki.p, spki.len, err)) == RC_OK)
		hex_upper(out, md, digest_size(DIGEST_SHA256));
	return rc;
}

static enum rc
choose_pending(struct scep_pending *p, const struct scep_pkcsreq *req, struct err *err)
{
	size_t len;
	enum rc rc;

	if (req->transaction_id == NULL) {
		if ((rc = default_transaction_id(p->transaction_id, req->csr, req->csr_len, err)) !=
		    RC_OK)
			return rc;
	} else {
		len = strlen(req->transaction_id);
		if (len == 0 || len > LIMIT_TXID)
			return fail(err, RC_LIMIT, "a transactionID of %zu characters", len);
		memcpy(p->transaction_id, req->transaction_id, len + 1);
	}
	return random_bytes(p->sender_nonce, sizeof(p->sender_nonce), err);
}

static enum rc
envelope_csr(struct buf *out, const struct scep_pkcsreq *req, struct err *err)
{
	struct cms_cert cert;
	struct cms_recipient recipient = { .cert = &cert,
		.by_ski = req->recipient_by_ski != 0,
		.transport = transport_from_scep(&req->alg.transport) };
	struct cms_enveloped_build b = { .content = { req->csr, req->csr_len },
		.cipher = (enum cipher)req->alg.cipher,
		.recipients = &recipient,
		.n_recipients = 1 };
	enum rc rc;

	if ((rc = cms_cert_peek(&cert, req->recipient, req->recipient_len, err)) != RC_OK)
		return rc;
	return cms_enveloped_build(out, &b, err);
}

static enum rc
sign_request(struct buf *out, const struct scep_pkcsreq *req, const struct scep_pending *p,
    const struct buf *envelope, struct err *err)
{
	struct cms_signed_build b = { .content = { envelope->data, envelope->len },
		.digest = (enum digest)req->alg.digest,
		.signer = &req->signer->cert,
		.sign = identity_sign,
		.sign_ctx = (void *)req->signer,
		.signing_time = clock_now(),
		.certs = &req->signer->cert.der,
		.n_certs = 1 };
	struct attrs a;
	enum rc rc;

	attrs_init(&a);
	attrs_add(
	    &a, OID_TRANSACTION_ID, DER_PRINTABLE, p->transaction_id, strlen(p->transaction_id));
	attrs_add_number(&a, OID_MESSAGE_TYPE, req->type);
	attrs_add(&a, OID_SENDER_NONCE, DER_OCTET_STRING, p->sender_nonce, sizeof(p->sender_nonce));
	if ((rc = attrs_finish(&a, err)) == RC_OK) {
		b.attrs = a.list;
		b.n_attrs = a.n;
		rc = cms_signed_build(out, &b, err);
	}
	attrs_done(&a);
	return rc;
}

enum scep_status
scep_pkcsreq_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_pkcsreq *req, struct scep_error *err)
{
	struct scep_pending p = { 0 };
	struct buf envelope, message;
	const char *step = STEP_ENCRYPT;
	struct err e = { 0 };
	enum rc rc;

	if (req->type != SCEP_PKCS_REQ && req->type != SCEP_RENEWAL_REQ)
		return scep_fail(
		    err, SCEP_E_TYPE, STEP_TYPE, "messageType %d carries no CSR", (int)req->type);
	buf_init(&envelope, LIMIT_SCEP_MESSAGE);
	buf_init(&message, LIMIT_SCEP_MESSAGE);
	rc = choose_pending(&p, req, &e);
	if (rc == RC_OK)
		rc = envelope_csr(&envelope, req, &e);
	if (rc == RC_OK) {
		step = STEP_SIGN;
		rc = sign_request(&message, req, &p, &envelope, &e);
	}
	buf_done(&envelope);
	if (rc != RC_OK) {
		buf_done(&message);
		return scep_fail_from(err, step, &e);
	}
	out->data = buf_take(&message, &out->len);
	*pending = p;
	return SCEP_OK;
}

/* ---- CertRep ---- */

/* What scep_certrep_open() passes from step to step. */
struct answer {
	struct scep_certrep *rep;
	struct cms_signed *cms;
	const struct scep_pending *pending;
	const struct scep_identity *me;
	struct scep_error *err;
};

/* Some servers leave their certificate out of the answer, so it is looked for among those of
 * GetCACert only. */
static enum rc
verify_by_ra(const struct cms_signed *s, const struct scep_bytes *certs, size_t n, struct err *err)
{
	struct key *key = NULL;
	struct cms_cert c;
	size_t i;
	enum rc rc;

	for (i = 0; i < n; i++)
		if (cms_cert_peek(&c, certs[i].data, certs[i].len, NULL) == RC_OK &&
		    cms_signed_is_by(s, &c))
			break;
	if (i == n)
		return fail(
		    err, RC_INTEGRITY, "signed by a certificate that GetCACert does not list");
	if ((rc = key_parse_spki(&key, c.spki.p, c.spki.len, err)) != RC_OK)
		return rc;
	rc = cms_signed_verify(s, key, err);
	key_free(key);
	return rc;
}

static enum scep_status
check_transaction(struct answer *a)
{
	const struct scep_pending *p = a->pending;
	struct transaction t = { 0 };
	struct nonce nonce = { 0 };
	struct err e = { 0 };

	if (attr_transaction_id(a->cms, &t, &e) != RC_OK ||
	    attr_nonce(a->cms, OID_RECIPIENT_NONCE, &nonce, &e) != RC_OK)
		return scep_fail(a->err, SCEP_E_PARSE, STEP_VERIFY, "%s", e.msg);
	if (strcmp(t.id, p->transaction_id) != 0)
		return scep_fail(a->err, SCEP_E_INTEGRITY, STEP_VERIFY,
		    "the answer belongs to another transaction");
	if (!bytes_eq_ct(nonce.v, nonce.len, p->sender_nonce, sizeof(p->sender_nonce)))
		return scep_fail(a->err, SCEP_E_INTEGRITY, STEP_VERIFY,
		    "recipientNonce is not our senderNonce (RFC 8894 3.2.1.5)");
	return SCEP_OK;
}

static enum scep_status
read_status(struct answer *a)
{
	char text[TYPE_TEXT_ROOM];
	int type = -1, status = -1, info = SCEP_FAIL_NONE;

	if (attr_number(a->cms, OID_MESSAGE_TYPE, &type, text, NULL) != RC_OK ||
	    type != SCEP_CERT_REP)
		return scep_fail(
		    a->err, SCEP_E_TYPE, STEP_TYPE, "messageType \"%s\" is no CertRep", text);
	if (attr_number(a->cms, OID_PKI_STATUS, &status, text, NULL) != RC_OK ||
	    (status != SCEP_SUCCESS && status != SCEP_FAILURE && status != SCEP_PENDING))
		return scep_fail(
		    a->err, SCEP_E_TYPE, STEP_TYPE, "pkiStatus \"%s\" (RFC 8894 3.2.1.3)", text);
	if (status == SCEP_FAILURE &&
	    (attr_number(a->cms, OID_FAIL_INFO, &info, text, NULL) != RC_OK ||
		info > SCEP_BAD_CERT_ID))
		return scep_fail(
		    a->err, SCEP_E_TYPE, STEP_TYPE, "failInfo \"%s\" (RFC 8894 3.2.1.4)", text);
	a->rep->status = (enum scep_pki_status)status;
	a->rep->fail_info = (enum scep_fail_info)info;
	if (attr_text(a->cms, OID_FAIL_INFO_TEXT, a->rep->fail_text, NULL) != RC_OK)
		a->rep->fail_text[0] = '\0';
	a->rep->alg.digest = (enum scep_digest)cms_signed_digest(a->cms);
	return SCEP_OK;
}

static enum rc
decrypt(struct answer *a, const struct cms_enveloped *env, struct buf *out, struct err *err)
{
	const struct scep_identity *me = a->me;
	size_t cek_len = cipher_key_size(cms_enveloped_cipher(env)), i;
	uint8_t cek[CEK_SIZE_MAX];
	enum rc rc;

	if (me->ops.unwrap == NULL || cms_enveloped_match(env, &me->cert, &i) == CMS_MATCH_NONE)
		return fail(err, RC_DENIED, "the answer is enveloped to somebody else");
	a->rep->alg.cipher = (enum scep_cipher)cms_enveloped_cipher(env);
	a->rep->alg.transport = transport_to_scep(cms_enveloped_transport0(env, i));
	rc = identity_unwrap(
	    me, cms_enveloped_transport0(env, i), cms_enveloped_key0(env, i), cek, cek_len, err);
	if (rc == RC_OK)
		rc = cms_enveloped_open(out, env, cek, cek_len, err);
	wipe(cek, sizeof(cek));
	return rc;
}

static enum scep_status
take_certs(struct answer *a)
{
	struct der content = cms_signed_content0(a->cms);
	struct cms_enveloped *env = NULL;
	struct err e = { 0 };
	struct buf inner;
	enum rc rc;

	if (a->rep->status != SCEP_SUCCESS)
		return SCEP_OK;
	if (content.p == NULL)
		return scep_fail(a->err, SCEP_E_PARSE, STEP_STRUCTURE,
		    "SUCCESS without a pkcsPKIEnvelope (RFC 8894 3.3.2.1)");
	if (cms_enveloped_parse(&env, content.p, content.len, &e) != RC_OK)
		return scep_fail_from(a->err, STEP_STRUCTURE, &e);
	buf_init(&inner, LIMIT_SCEP_MESSAGE);
	if ((rc = decrypt(a, env, &inner, &e)) == RC_OK)
		rc = certs_only_parse(&a->rep->certs, &a->rep->n_certs, inner.data, inner.len, &e);
	buf_done(&inner);
	cms_enveloped_free(env);
	if (rc == RC_DENIED)
		return scep_fail(a->err, SCEP_E_RECIPIENT, STEP_RECIPIENT, "%s", e.msg);
	return rc == RC_OK ? SCEP_OK : scep_fail_from(a->err, STEP_DECRYPT, &e);
}

enum scep_status
scep_certrep_open(struct scep_certrep *out, const uint8_t *bytes, size_t len,
    const struct scep_pending *pending, const struct scep_bytes *ra_certs, size_t n_ra_certs,
    const struct scep_identity *me, struct scep_error *err)
{
	struct scep_certrep rep = { .fail_info = SCEP_FAIL_NONE };
	struct answer a = { .rep = &rep, .pending = pending, .me = me, .err = err };
	enum scep_status st = SCEP_OK;
	struct err e = { 0 };

	if (cms_signed_parse(&a.cms, bytes, len, &e) != RC_OK)
		return scep_fail_from(err, STEP_PARSE, &e);
	if (verify_by_ra(a.cms, ra_certs, n_ra_certs, &e) != RC_OK ||
	    cms_signed_attrs_plain(a.cms, &e) != RC_OK)
		st = scep_fail_from(err, STEP_VERIFY, &e);
	if (st == SCEP_OK && (st = check_transaction(&a)) == SCEP_OK &&
	    (st = read_status(&a)) == SCEP_OK)
		st = take_certs(&a);
	cms_signed_free(a.cms);
	if (st == SCEP_OK)
		*out = rep;
	return st;
}

void
scep_certrep_done(struct scep_certrep *r)
{
	if (r == NULL)
		return;
	scep_bytes_list_free(r->certs, r->n_certs);
	*r = (struct scep_certrep){ .fail_info = SCEP_FAIL_NONE };
}
