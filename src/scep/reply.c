/*
 * reply.c - CertRep (RFC 8894 3.3.2): success, failure, pending.
 */
#include "scep/message.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "scep/error.h"
#include "scep/identity.h"

struct reply {
	const struct transaction *t; /* of the request */
	enum digest digest;
	const struct scep_identity *id;
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	const char *text;    /* or NULL */
	struct der envelope; /* p == NULL: none */
};

/* Always both nonces: the RFC asks for recipientNonce only, MikroTik for senderNonce too. */
static enum rc
add_nonces(struct attrs *a, const struct reply *r, struct err *err)
{
	uint8_t fresh[NONCE_SIZE];
	enum rc rc;

	if ((rc = random_bytes(fresh, sizeof(fresh), err)) != RC_OK)
		return rc;
	attrs_add(a, OID_SENDER_NONCE, DER_OCTET_STRING, fresh, sizeof(fresh));
	if (r->t->sender_nonce.len > 0)
		attrs_add(a, OID_RECIPIENT_NONCE, DER_OCTET_STRING, r->t->sender_nonce.v,
		    r->t->sender_nonce.len);
	return RC_OK;
}

static enum rc
add_attrs(struct attrs *a, const struct reply *r, struct err *err)
{
	char text[FAIL_TEXT_MAX + 1];
	enum rc rc;

	attrs_add(a, OID_TRANSACTION_ID, r->t->id_tag, r->t->id, strlen(r->t->id));
	attrs_add_number(a, OID_MESSAGE_TYPE, SCEP_CERT_REP);
	attrs_add_number(a, OID_PKI_STATUS, r->status);
	if (r->status == SCEP_FAILURE)
		attrs_add_number(a, OID_FAIL_INFO, r->fail_info);
	if (r->text != NULL && *r->text != '\0') {
		fail_text_clean(text, r->text, strlen(r->text));
		attrs_add(a, OID_FAIL_INFO_TEXT, DER_UTF8, text, strlen(text));
	}
	if ((rc = add_nonces(a, r, err)) != RC_OK)
		return rc;
	return attrs_finish(a, err);
}

static enum rc
certrep(struct buf *out, const struct reply *r, struct err *err)
{
	struct cms_signed_build b = { .content = r->envelope,
		.digest = r->digest,
		.signer = &r->id->cert,
		.sign = identity_sign,
		.sign_ctx = (void *)r->id,
		.signing_time = clock_now(),
		.certs = &r->id->cert.der,
		.n_certs = 1 };
	struct attrs a;
	enum rc rc;

	attrs_init(&a);
	if ((rc = add_attrs(&a, r, err)) == RC_OK) {
		b.attrs = a.list;
		b.n_attrs = a.n;
		rc = cms_signed_build(out, &b, err);
	}
	attrs_done(&a);
	return rc;
}

static enum scep_status
encode(struct scep_bytes *out, const struct reply *r, struct scep_error *err)
{
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, LIMIT_SCEP_MESSAGE);
	if (certrep(&b, r, &e) != RC_OK) {
		buf_done(&b);
		return scep_fail_from(err, STEP_SIGN, &e);
	}
	out->data = buf_take(&b, &out->len);
	return SCEP_OK;
}

/* RFC 8894 3.4: the certificates in a degenerate SignedData, that in an EnvelopedData for the
 * request's signer. */
static enum rc
enveloped_certs(struct buf *out, const struct scep_request *r, const struct der *certs, size_t n,
    struct err *err)
{
	struct cms_recipient recipient = { .cert = &r->signer,
		.key = r->signer_key,
		.transport = transport_from_scep(&r->alg.transport) };
	struct cms_enveloped_build b = {
		.cipher = (enum cipher)r->alg.cipher, .recipients = &recipient, .n_recipients = 1
	};
	struct buf inner;
	enum rc rc;

	buf_init(&inner, LIMIT_CHAIN);
	if ((rc = cms_certs_only_build(&inner, certs, n, err)) == RC_OK) {
		b.content = (struct der){ inner.data, inner.len };
		rc = cms_enveloped_build(out, &b, err);
	}
	buf_done(&inner);
	return rc;
}

enum scep_status
scep_reply_success(struct scep_bytes *out, const struct scep_request *r,
    const struct scep_identity *id, const struct scep_bytes *certs, size_t n_certs,
    struct scep_error *err)
{
	struct reply reply = {
		.t = &r->t, .digest = (enum digest)r->alg.digest, .id = id, .status = SCEP_SUCCESS
	};
	struct der list[LIMIT_MSG_CERTS];
	enum scep_status st;
	struct err e = { 0 };
	struct buf envelope;
	size_t i;

	if (n_certs == 0 || n_certs > LIMIT_MSG_CERTS)
		return scep_fail(
		    err, SCEP_E_LIMIT, STEP_REPLY, "%zu certificates in a CertRep", n_certs);
	for (i = 0; i < n_certs; i++)
		list[i] = (struct der){ certs[i].data, certs[i].len };
	buf_init(&envelope, LIMIT_SCEP_MESSAGE);
	if (enveloped_certs(&envelope, r, list, n_certs, &e) == RC_OK) {
		reply.envelope = (struct der){ envelope.data, envelope.len };
		st = encode(out, &reply, err);
	} else {
		st = scep_fail_from(err, STEP_ENCRYPT, &e);
	}
	buf_done(&envelope);
	return st;
}

/* A refusal to a request in MD5 cannot be given in MD5. */
static enum digest
digest_for(const struct scep_message *m)
{
	enum digest d = cms_signed_digest(m->cms);

	return d != DIGEST_NONE ? d : DIGEST_SHA256;
}

enum scep_status
scep_reply_failure(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, enum scep_fail_info fail_info, const char *text,
    struct scep_error *err)
{
	struct reply reply = { .t = &m->t,
		.digest = digest_for(m),
		.id = id,
		.status = SCEP_FAILURE,
		.fail_info = fail_info,
		.text = text };

	if (fail_info < SCEP_BAD_ALG || fail_info > SCEP_BAD_CERT_ID)
		reply.fail_info = SCEP_BAD_REQUEST;
	return encode(out, &reply, err);
}

enum scep_status
scep_reply_pending(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, struct scep_error *err)
{
	struct reply reply = {
		.t = &m->t, .digest = digest_for(m), .id = id, .status = SCEP_PENDING
	};

	return encode(out, &reply, err);
}
