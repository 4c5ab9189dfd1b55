/*
 * encode.c - the device's side: requests out.  What is in them differs, how it is enveloped and signed
 * does not.
 */
#include "scep.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "scep/attrs.h"
#include "scep/content.h"
#include "scep/error.h"
#include "scep/identity.h"

/* A request on its way out. */
struct outgoing {
	enum scep_message_type type;
	struct der content;
	const struct scep_identity *signer;
	const uint8_t *recipient;
	size_t recipient_len;
	bool by_ski;
	struct scep_algorithms alg;
	struct scep_pending pending;
};

static enum rc
envelope(struct buf *out, const struct outgoing *o, struct err *err)
{
	struct cms_cert cert;
	struct cms_recipient recipient = { .cert = &cert,
		.by_ski = o->by_ski,
		.transport = transport_from_scep(&o->alg.transport) };
	struct cms_enveloped_build b = { .content = o->content,
		.cipher = (enum cipher)o->alg.cipher,
		.recipients = &recipient,
		.n_recipients = 1 };
	enum rc rc;

	if ((rc = cms_cert_peek(&cert, o->recipient, o->recipient_len, err)) != RC_OK)
		return rc;
	return cms_enveloped_build(out, &b, err);
}

static enum rc
sign(struct buf *out, const struct outgoing *o, const struct buf *content, struct err *err)
{
	const struct scep_pending *p = &o->pending;
	struct cms_signed_build b = { .content = { content->data, content->len },
		.digest = (enum digest)o->alg.digest,
		.signer = &o->signer->cert,
		.sign = identity_sign,
		.sign_ctx = (void *)o->signer,
		.signing_time = clock_now(),
		.certs = &o->signer->cert.der,
		.n_certs = 1 };
	struct attrs a;
	enum rc rc;

	attrs_init(&a);
	attrs_add(
	    &a, OID_TRANSACTION_ID, DER_PRINTABLE, p->transaction_id, strlen(p->transaction_id));
	attrs_add_number(&a, OID_MESSAGE_TYPE, o->type);
	attrs_add(&a, OID_SENDER_NONCE, DER_OCTET_STRING, p->sender_nonce, sizeof(p->sender_nonce));
	if ((rc = attrs_finish(&a, err)) == RC_OK) {
		b.attrs = a.list;
		b.n_attrs = a.n;
		rc = cms_signed_build(out, &b, err);
	}
	attrs_done(&a);
	return rc;
}

/* RFC 8894 3.1: first encrypted, then signed. */
static enum scep_status
send_off(struct scep_bytes *out, struct scep_pending *pending, struct outgoing *o,
    struct scep_error *err)
{
	struct buf inner, message;
	const char *step = STEP_ENCRYPT;
	struct err e = { 0 };
	enum rc rc;

	buf_init(&inner, LIMIT_SCEP_MESSAGE);
	buf_init(&message, LIMIT_SCEP_MESSAGE);
	rc = random_bytes(o->pending.sender_nonce, sizeof(o->pending.sender_nonce), &e);
	if (rc == RC_OK)
		rc = envelope(&inner, o, &e);
	if (rc == RC_OK) {
		step = STEP_SIGN;
		rc = sign(&message, o, &inner, &e);
	}
	buf_done(&inner);
	if (rc != RC_OK) {
		buf_done(&message);
		return scep_fail_from(err, step, &e);
	}
	out->data = buf_take(&message, &out->len);
	*pending = o->pending;
	return SCEP_OK;
}

/* ---- transactionID ---- */

static enum rc
given_transaction_id(struct scep_pending *p, const char *id, struct err *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > LIMIT_TXID)
		return fail(err, RC_LIMIT, "a transactionID of %zu characters", len);
	memcpy(p->transaction_id, id, len + 1);
	return RC_OK;
}

/* CertificationRequestInfo (RFC 2986 4.1) up to the subject. */
static bool
take_csr_head(struct der *info, struct der *subject, const uint8_t *csr, size_t len)
{
	struct der in = { csr, len }, request, version;

	return der_take(&in, DER_SEQUENCE, &request) && der_take(&request, DER_SEQUENCE, info) &&
	    der_take(info, DER_INTEGER, &version) && der_take_whole(info, DER_SEQUENCE, subject);
}

/* Upper-case hex of SHA-256 over the SubjectPublicKeyInfo: unique, and the same when a request is
 * repeated. */
static enum rc
transaction_id_of_key(struct scep_pending *p, const uint8_t *csr, size_t len, struct err *err)
{
	struct der info, subject, spki;
	uint8_t md[DIGEST_SIZE_MAX];
	enum rc rc;

	if (!take_csr_head(&info, &subject, csr, len) ||
	    !der_take_whole(&info, DER_SEQUENCE, &spki))
		return fail(err, RC_PARSE, "the CSR has no public key to make a transactionID of");
	if ((rc = digest_bytes(md, DIGEST_SHA256, spki.p, spki.len, err)) == RC_OK)
		hex_upper(p->transaction_id, md, digest_size(DIGEST_SHA256));
	return rc;
}

static enum rc
random_transaction_id(struct scep_pending *p, struct err *err)
{
	uint8_t v[16];
	enum rc rc;

	if ((rc = random_bytes(v, sizeof(v), err)) == RC_OK)
		hex_upper(p->transaction_id, v, sizeof(v));
	return rc;
}

/* ---- PKCSReq and RenewalReq ---- */

enum scep_status
scep_pkcsreq_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_pkcsreq *req, struct scep_error *err)
{
	struct outgoing o = { .type = req->type,
		.content = { req->csr, req->csr_len },
		.signer = req->signer,
		.recipient = req->recipient,
		.recipient_len = req->recipient_len,
		.by_ski = req->recipient_by_ski != 0,
		.alg = req->alg };
	struct err e = { 0 };
	enum rc rc;

	if (req->type != SCEP_PKCS_REQ && req->type != SCEP_RENEWAL_REQ)
		return scep_fail(
		    err, SCEP_E_TYPE, STEP_TYPE, "messageType %d carries no CSR", (int)req->type);
	rc = req->transaction_id != NULL
	    ? given_transaction_id(&o.pending, req->transaction_id, &e)
	    : transaction_id_of_key(&o.pending, req->csr, req->csr_len, &e);
	return rc == RC_OK ? send_off(out, pending, &o, err)
			   : scep_fail_from(err, STEP_ENCRYPT, &e);
}

enum scep_status
scep_csr_subject(struct scep_slice *subject, const uint8_t *csr, size_t len, struct scep_error *err)
{
	struct der info, name;

	if (!take_csr_head(&info, &name, csr, len))
		return scep_fail(err, SCEP_E_PARSE, STEP_PARSE, "the CSR has no subject");
	*subject = (struct scep_slice){ name.p, name.len };
	return SCEP_OK;
}

/* ---- CertPoll, GetCert, GetCRL ---- */

static enum scep_status
query(struct scep_bytes *out, struct scep_pending *pending, enum scep_message_type type,
    const struct scep_query *q, struct scep_error *err)
{
	struct outgoing o = { .type = type,
		.signer = q->signer,
		.recipient = q->recipient,
		.recipient_len = q->recipient_len,
		.by_ski = q->recipient_by_ski != 0,
		.alg = q->alg };
	struct content c = { { q->issuer.data, q->issuer.len }, { q->subject.data, q->subject.len },
		{ q->serial.data, q->serial.len } };
	enum content_form form =
	    type == SCEP_CERT_POLL ? FORM_ISSUER_AND_SUBJECT : FORM_ISSUER_AND_SERIAL;
	enum scep_status st;
	struct err e = { 0 };
	struct buf content;
	enum rc rc;

	buf_init(&content, LIMIT_CERT);
	rc = content_add(&content, form, &c, &e);
	if (rc == RC_OK)
		rc = q->transaction_id != NULL
		    ? given_transaction_id(&o.pending, q->transaction_id, &e)
		    : random_transaction_id(&o.pending, &e);
	o.content = (struct der){ content.data, content.len };
	st = rc == RC_OK ? send_off(out, pending, &o, err) : scep_fail_from(err, STEP_ENCRYPT, &e);
	buf_done(&content);
	return st;
}

enum scep_status
scep_certpoll_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err)
{
	if (q->transaction_id == NULL)
		return scep_fail(err, SCEP_E_PARSE, STEP_ENCRYPT,
		    "CertPoll without the transactionID of its request (RFC 8894 3.3.3)");
	return query(out, pending, SCEP_CERT_POLL, q, err);
}

enum scep_status
scep_getcert_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err)
{
	return query(out, pending, SCEP_GET_CERT, q, err);
}

enum scep_status
scep_getcrl_encode(struct scep_bytes *out, struct scep_pending *pending, const struct scep_query *q,
    struct scep_error *err)
{
	return query(out, pending, SCEP_GET_CRL, q, err);
}

enum scep_status
scep_cert_parts(struct scep_slice *issuer, struct scep_slice *subject, struct scep_slice *serial,
    const uint8_t *cert, size_t len, struct scep_error *err)
{
	struct cms_cert c;
	struct err e = { 0 };

	if (cms_cert_peek(&c, cert, len, &e) != RC_OK)
		return scep_fail_from(err, STEP_PARSE, &e);
	if (issuer != NULL)
		*issuer = (struct scep_slice){ c.issuer.p, c.issuer.len };
	if (subject != NULL)
		*subject = (struct scep_slice){ c.subject.p, c.subject.len };
	if (serial != NULL)
		*serial = (struct scep_slice){ c.serial.p, c.serial.len };
	return SCEP_OK;
}
