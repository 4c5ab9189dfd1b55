/*
 * reply.c - CertRep (RFC 8894 3.3.2): success, failure, pending.
 */
#include "scep/message.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ossl/cms_pwri.h"
#include "scep/error.h"
#include "scep/identity.h"

struct reply {
	const struct transaction *t; /* of the request */
	enum digest digest;
	const struct scep_identity *id;
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	const char *text;    /* or NULL */
	struct der envelope; /* p == NULL: none, and no content (RFC 8894 3.2) */
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

/* RFC 8894 3.4: a degenerate SignedData. */
static enum rc
degenerate(struct buf *out, const struct scep_reply_how *how, struct err *err)
{
	struct der certs[LIMIT_MSG_CERTS], crl = { 0 };
	size_t i;

	if (how->n_certs > LIMIT_MSG_CERTS || (how->n_certs == 0 && how->crl == NULL))
		return fail(err, RC_LIMIT, "%zu certificates in a CertRep", how->n_certs);
	for (i = 0; i < how->n_certs; i++)
		certs[i] = (struct der){ how->certs[i].data, how->certs[i].len };
	if (how->crl != NULL)
		crl = (struct der){ how->crl->data, how->crl->len };
	return cms_degenerate_build(out, certs, how->n_certs, crl, err);
}

/* For a key that only signs there has to be a password (RFC 8894 3.1). */
static enum rc
check_password(const struct scep_reply_how *how, struct err *err)
{
	if (how->password == NULL || how->password_len == 0)
		return fail(err, RC_ALG,
		    "the signer's key can only sign, and there is no challengePassword to "
		    "encrypt the answer with (RFC 8894 3.1)");
	if (how->password_len > LIMIT_CHALLENGE)
		return fail(err, RC_LIMIT, "a password of %zu bytes", how->password_len);
	return RC_OK;
}

/* That in an EnvelopedData for the request's signer. */
static enum rc
envelope(struct buf *out, const struct scep_request *r, const struct scep_reply_how *how,
    struct der content, struct err *err)
{
	static const enum cms_kind kinds[] = { [SCEP_BY_RSA] = CMS_KEY_TRANS,
		[SCEP_BY_ECDH] = CMS_KEY_AGREE,
		[SCEP_BY_PASSWORD] = CMS_PASSWORD };
	const struct pwri password = { how->password, how->password_len,
		how->password_rounds != 0 ? how->password_rounds : SCEP_PASSWORD_ROUNDS,
		(enum cipher)r->alg.cipher };
	struct cms_recipient recipient = { .kind = kinds[scep_request_way(r)],
		.cert = &r->signer,
		.key = r->signer_key,
		.transport = transport_from_scep(&r->alg.transport),
		.password = &password };
	struct cms_enveloped_build b = { .content = content,
		.cipher = (enum cipher)r->alg.cipher,
		.recipients = &recipient,
		.n_recipients = 1 };
	enum rc rc;

	if (recipient.kind == CMS_PASSWORD && (rc = check_password(how, err)) != RC_OK)
		return rc;
	return cms_enveloped_build(out, &b, err);
}

static enum scep_status
success(struct scep_bytes *out, const struct scep_request *r, const struct scep_identity *id,
    const struct scep_reply_how *how, struct der content, struct scep_error *err)
{
	struct reply reply = {
		.t = &r->t, .digest = (enum digest)r->alg.digest, .id = id, .status = SCEP_SUCCESS
	};
	enum scep_status st;
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, LIMIT_SCEP_MESSAGE);
	if (envelope(&b, r, how, content, &e) == RC_OK) {
		reply.envelope = (struct der){ b.data, b.len };
		st = encode(out, &reply, err);
	} else {
		st = scep_fail_from(err, STEP_ENCRYPT, &e);
	}
	buf_done(&b);
	return st;
}

enum scep_status
scep_reply_success_how(struct scep_bytes *out, const struct scep_request *r,
    const struct scep_identity *id, const struct scep_reply_how *how, struct scep_error *err)
{
	enum scep_status st;
	struct err e = { 0 };
	struct buf inner;

	buf_init(&inner, LIMIT_SCEP_MESSAGE);
	if (degenerate(&inner, how, &e) == RC_OK)
		st = success(out, r, id, how, (struct der){ inner.data, inner.len }, err);
	else
		st = scep_fail_from(err, STEP_REPLY, &e);
	buf_done(&inner);
	return st;
}

enum scep_status
scep_reply_success(struct scep_bytes *out, const struct scep_request *r,
    const struct scep_identity *id, const struct scep_bytes *certs, size_t n_certs,
    struct scep_error *err)
{
	struct scep_reply_how how = { .certs = certs, .n_certs = n_certs };

	return scep_reply_success_how(out, r, id, &how, err);
}

/* A refusal to a request in MD5 cannot be given in MD5. */
static enum digest
digest_for(const struct scep_message *m)
{
	enum digest d = cms_signed_digest(m->cms);

	return d != DIGEST_NONE ? d : DIGEST_SHA256;
}

static struct der
content_for(unsigned flags)
{
	static const uint8_t nothing[1];

	return (struct der){ (flags & SCEP_REPLY_EMPTY_CONTENT) != 0 ? nothing : NULL, 0 };
}

enum scep_status
scep_reply_failure_how(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, enum scep_fail_info fail_info, const char *text, unsigned flags,
    struct scep_error *err)
{
	struct reply reply = { .t = &m->t,
		.digest = digest_for(m),
		.id = id,
		.status = SCEP_FAILURE,
		.fail_info = fail_info,
		.text = text,
		.envelope = content_for(flags) };

	if (fail_info < SCEP_BAD_ALG || fail_info > SCEP_BAD_CERT_ID)
		reply.fail_info = SCEP_BAD_REQUEST;
	return encode(out, &reply, err);
}

enum scep_status
scep_reply_failure(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, enum scep_fail_info fail_info, const char *text,
    struct scep_error *err)
{
	return scep_reply_failure_how(out, m, id, fail_info, text, 0, err);
}

enum scep_status
scep_reply_pending_how(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, unsigned flags, struct scep_error *err)
{
	struct reply reply = { .t = &m->t,
		.digest = digest_for(m),
		.id = id,
		.status = SCEP_PENDING,
		.envelope = content_for(flags) };

	return encode(out, &reply, err);
}

enum scep_status
scep_reply_pending(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, struct scep_error *err)
{
	return scep_reply_pending_how(out, m, id, 0, err);
}
