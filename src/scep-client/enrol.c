/* enrol.c - see enrol.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/eku.h"
#include "scep-client/ber.h"
#include "scep-client/enrol.h"
#include "scep/attrs.h"
#include "scep/request_csr.h"

#define SELF_SIGNED_LIFE                                                                           \
	(7 * 86400) /* seconds: the throw-away signer certificate of RFC 8894 2.3 */

void
enrol_tell(const struct enrol_request *req, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (req->progress == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	req->progress(req->progress_arg, line);
}

void
enrol_choose(struct scep_algorithms *alg, const struct session *s)
{
	unsigned caps = s->caps;

	if (s->manner->old_algorithms && alg->cipher == 0 && (caps & SCEP_CAP_DES3) != 0)
		alg->cipher = SCEP_DES3;
	if (s->manner->old_algorithms && alg->digest == 0 && (caps & SCEP_CAP_SHA1) != 0)
		alg->digest = SCEP_SHA1;
	if (alg->cipher == 0)
		alg->cipher =
		    caps & (SCEP_CAP_AES | SCEP_CAP_SCEP_STANDARD) ? SCEP_AES128 : SCEP_DES3;
	if (alg->digest == 0)
		alg->digest = caps & (SCEP_CAP_SHA256 | SCEP_CAP_SCEP_STANDARD) ? SCEP_SHA256
		    : caps & SCEP_CAP_SHA512                                    ? SCEP_SHA512
										: SCEP_SHA1;
	if (alg->transport.kind == 0)
		alg->transport =
		    (struct scep_transport){ s->manner->oaep ? SCEP_RSA_OAEP : SCEP_RSA_PKCS1V15,
			    SCEP_SHA1, SCEP_SHA1 };
}

/* RFC 8894 2.3: before the first certificate the request is signed under a self-signed one, same
 * subject, same key. */
static enum rc
self_signed(struct cert **out, const struct enrol_request *req, struct key *key, struct err *err)
{
	static const char *const eku[] = { OID_CLIENT_AUTH };
	struct serial serial;
	int64_t now = clock_now();
	struct cert_fields f = { .serial = &serial,
		.issuer = req->csr.subject,
		.subject = req->csr.subject,
		.not_before = now - 3600,
		.not_after = now + SELF_SIGNED_LIFE,
		.subject_key = key,
		.issuer_key = key,
		.digest = DIGEST_SHA256,
		/* an elliptic key takes its answer by agreement (RFC 5753) */
		.key_usage = KU_DIGITAL_SIGNATURE |
		    (key_info0(key)->type == KEY_RSA ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT),
		.eku = eku,
		.n_eku = 1,
		.path_len = -1 };
	enum rc rc;

	if ((rc = serial_random(&serial, err)) != RC_OK)
		return rc;
	return cert_make(out, &f, key, err);
}

enum rc
enrol_identity(
    struct scep_identity **out, const struct cert *cert, const struct key *key, struct err *err)
{
	struct scep_error se;
	struct buf pem;
	size_t len;
	const uint8_t *der = cert_der0(cert, &len);
	enum rc rc;

	buf_init(&pem, 64 * KIB);
	if ((rc = key_private_pem(&pem, key, err)) == RC_OK &&
	    scep_identity_from_pem(out, der, len, buf_str(&pem), pem.len, &se) != SCEP_OK)
		rc = scep_error_to_err(err, &se);
	buf_wipe(&pem);
	return rc;
}

/* The signer's certificate is kept beside: whoever polls needs it again. */
static enum rc
make_signer(struct enrol_message *out, const struct enrol_request *req, struct err *err)
{
	struct key *key = req->signer_key != NULL ? req->signer_key : req->key;
	size_t len;
	const uint8_t *der;
	enum rc rc;

	if (req->signer == NULL) {
		rc = self_signed(&out->signer, req, key, err);
	} else {
		der = cert_der0(req->signer, &len);
		rc = cert_parse(&out->signer, der, len, err);
	}
	return rc == RC_OK ? enrol_identity(&out->me, out->signer, key, err) : rc;
}

enum rc
enrol_csr(struct buf *der, const struct enrol_request *req, struct err *err)
{
	struct csr_build build = req->csr;

	if (build.digest == DIGEST_NONE)
		build.digest = DIGEST_SHA256;
	return csr_build(der, &build, req->key, err);
}

/* Lower-case hex of SHA-1 over the public key, as strongSwan names its transactions. */
static enum rc
sha1_id(char out[static 2 * DIGEST_SIZE_MAX + 1], const struct key *key, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	size_t len;
	const uint8_t *spki = key_spki0(key, &len);
	enum rc rc = digest_bytes(md, DIGEST_SHA1, spki, len, err);

	if (rc == RC_OK)
		hex_lower(out, md, digest_size(DIGEST_SHA1));
	return rc;
}

/*
 * Of a renewal: over what is renewed as well as the key, or a second renewal with the same key would be
 * the first one to a server, which answers it with the certificate that it has (quirk 57).
 */
static enum rc
renewal_id(
    char out[static 2 * DIGEST_SIZE_MAX + 1], const struct enrol_request *req, struct err *err)
{
	struct hash *h = NULL;
	uint8_t md[32];
	size_t der_len, spki_len;
	const uint8_t *der = cert_der0(req->signer, &der_len);
	const uint8_t *spki = key_spki0(req->key, &spki_len);
	enum rc rc;

	if ((rc = hash_new(&h, err)) == RC_OK && (rc = hash_add(h, der, der_len, err)) == RC_OK &&
	    (rc = hash_add(h, spki, spki_len, err)) == RC_OK &&
	    (rc = hash_end(h, md, err)) == RC_OK)
		hex_upper(out, md, sizeof(md));
	hash_free(h);
	return rc;
}

static enum rc
encode(struct enrol_message *out, struct session *s, const struct enrol_request *req,
    const struct buf *csr, struct err *err)
{
	const struct scep_bytes *ra = &s->ca_der[s->recipient];
	char id[2 * DIGEST_SIZE_MAX + 1];
	struct scep_pkcsreq p = { .type = req->type != 0 ? req->type
		    : req->signer != NULL                ? s->manner->renews_as
							 : SCEP_PKCS_REQ,
		.transaction_id = req->transaction_id,
		.csr = csr->data,
		.csr_len = csr->len,
		.signer = out->me,
		.recipient = ra->data,
		.recipient_len = ra->len,
		.recipient_by_ski = req->recipient_by_ski,
		.alg = req->alg };
	struct scep_error se;
	enum rc rc;

	enrol_choose(&p.alg, s);
	if (p.transaction_id == NULL && (s->manner->sha1_id || req->signer != NULL)) {
		rc = s->manner->sha1_id ? sha1_id(id, req->key, err) : renewal_id(id, req, err);
		if (rc != RC_OK)
			return rc;
		p.transaction_id = id;
	}
	if (scep_pkcsreq_encode(&out->bytes, &out->pending, &p, &se) != SCEP_OK)
		return scep_error_to_err(err, &se);
	return s->manner->ber ? ber_message(&out->bytes, out->me, err) : RC_OK;
}

enum rc
enrol_message_build(
    struct enrol_message *out, struct session *s, const struct enrol_request *req, struct err *err)
{
	struct buf csr;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	out->password = req->csr.challenge;
	buf_init(&csr, LIMIT_CSR);
	if ((rc = enrol_csr(&csr, req, err)) == RC_OK && (rc = make_signer(out, req, err)) == RC_OK)
		rc = encode(out, s, req, &csr, err);
	buf_wipe(&csr); /* holds the challenge */
	if (rc != RC_OK)
		enrol_message_done(out);
	return rc;
}

void
enrol_message_done(struct enrol_message *m)
{
	scep_bytes_free(&m->bytes);
	scep_identity_free(m->me);
	cert_free(m->signer);
	memset(m, 0, sizeof(*m));
}

enum rc
enrol_trusts(const struct session *s, const struct cert *c, struct err *err)
{
	for (size_t i = 0; i < s->n_ca; i++)
		if (cert_is_ca(s->ca[i]) && cert_verify_by(c, s->ca[i], NULL) == RC_OK)
			return RC_OK;
	return fail(err, RC_INTEGRITY,
	    "none of the CA certificates from GetCACert has signed the certificate");
}

/* The leaf is ours, and one of the server's CAs signed it. */
static enum rc
judge_certificate(struct enrol_result *out, const struct session *s, const struct scep_certrep *rep,
    const struct key *key, struct err *err)
{
	enum rc rc;

	if (rep->n_certs == 0)
		return fail(err, RC_PARSE, "the answer says SUCCESS and holds no certificate");
	if ((rc = cert_parse(&out->cert, rep->certs[0].data, rep->certs[0].len, err)) != RC_OK)
		return err_context(err, "issued certificate");
	if (!key_same_public(cert_key0(out->cert), key)) {
		rc = fail(err, RC_INTEGRITY,
		    "the first certificate of the answer is for another key than ours");
		return s->manner->needs_apple
		    ? err_hint(err, "Apple's error 22008: the issued certificate has to come first")
		    : rc;
	}
	return enrol_trusts(s, out->cert, err);
}

/* "does not contain an expected authenticated attribute": the RFC lets a CertRep do without it (quirks 49,
 * 51). */
static enum rc
has_sender_nonce(const struct session *s, const void *reply, size_t len, struct err *err)
{
	struct cms_signed *cms = NULL;
	struct cms_value v;
	enum rc rc;

	if (!s->manner->needs_nonces)
		return RC_OK;
	if ((rc = cms_signed_parse(&cms, reply, len, err)) == RC_OK &&
	    cms_signed_attr(cms, OID_SENDER_NONCE, &v, NULL) != RC_OK)
		rc = fail(err, RC_PARSE, "%s stops here: the answer has no senderNonce",
		    s->manner->title);
	cms_signed_free(cms);
	return rc;
}

enum rc
enrol_message_judge(struct enrol_result *out, struct session *s, const struct enrol_message *m,
    const struct key *key, const void *reply, size_t len, struct err *err)
{
	struct scep_certrep_how how = { .pending = &m->pending,
		.ra_certs = s->ca_der,
		.n_ra_certs = s->n_ca,
		.me = m->me,
		.password = m->password,
		.password_len = m->password != NULL ? strlen(m->password) : 0 };
	struct scep_certrep rep;
	struct scep_error se;
	enum rc rc = RC_OK;

	memset(out, 0, sizeof(*out));
	if (scep_certrep_open_how(&rep, reply, len, &how, &se) != SCEP_OK)
		return scep_error_to_err(err, &se);
	if ((rc = has_sender_nonce(s, reply, len, err)) != RC_OK) {
		scep_certrep_done(&rep);
		return rc;
	}
	out->status = rep.status;
	out->fail_info = rep.fail_info;
	out->alg = rep.alg;
	out->way = rep.way;
	memcpy(out->fail_text, rep.fail_text, sizeof(out->fail_text));
	memcpy(out->transaction_id, m->pending.transaction_id, sizeof(out->transaction_id));
	if (rep.status == SCEP_SUCCESS)
		rc = judge_certificate(out, s, &rep, key, err);
	scep_certrep_done(&rep);
	if (rc != RC_OK)
		enrol_result_done(out);
	return rc;
}

void
enrol_result_done(struct enrol_result *r)
{
	cert_free(r->cert);
	cert_free(r->signer);
	r->cert = r->signer = NULL;
}

/* Devices do not give up when a server is down for a moment. */
enum rc
enrol_exchange(struct session *s, const struct scep_bytes *message, const struct enrol_request *req,
    struct buf *reply, struct err *err)
{
	const struct timespec pause = { .tv_sec = req->retry_delay_ms / 1000,
		.tv_nsec = req->retry_delay_ms % 1000 * 1000000L };
	bool by_get = session_by_get(s, req->method);
	enum rc rc;

	for (unsigned tries = 0;; tries++) {
		rc = session_pki_operation(s, message, by_get, reply, err);
		if ((rc != RC_IO && rc != RC_TIMEOUT) || tries >= req->retries)
			return rc;
		buf_done(reply);
		enrol_tell(req, "no answer (%s); again", err->msg);
		(void)nanosleep(&pause, NULL);
	}
}

/* A repeated request must not cost a second certificate. */
static enum rc
repeat(struct session *s, const struct enrol_message *m, const struct enrol_request *req,
    const struct enrol_result *first, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned i = 0; i < req->repeats && rc == RC_OK; i++) {
		struct enrol_result again = { 0 };
		struct buf reply;

		rc = enrol_exchange(s, &m->bytes, req, &reply, err);
		if (rc == RC_OK)
			rc =
			    enrol_message_judge(&again, s, m, req->key, reply.data, reply.len, err);
		if (rc == RC_OK &&
		    (again.cert == NULL ||
			!serial_same(cert_serial0(again.cert), cert_serial0(first->cert))))
			rc = fail(err, RC_INTEGRITY, "the repeated request was answered %s",
			    again.cert == NULL ? "without a certificate"
					       : "with another certificate");
		if (rc == RC_OK)
			enrol_tell(req, "repeated: the same certificate");
		enrol_result_done(&again);
		buf_done(&reply);
	}
	return rc;
}

enum rc
enrol(struct session *s, const struct enrol_request *req, struct enrol_result *out, struct err *err)
{
	struct enrol_message m;
	struct scep_algorithms alg = req->alg;
	struct buf reply;
	char kt[48];
	bool by_get = session_by_get(s, req->method);
	enum rc rc;

	enrol_choose(&alg, s);
	if ((rc = enrol_message_build(&m, s, req, err)) != RC_OK)
		return rc;
	enrol_tell(req, "PKIOperation by %s: %zu bytes, %s, %s, key in %s", by_get ? "GET" : "POST",
	    m.bytes.len, scep_cipher_name(alg.cipher), scep_digest_name(alg.digest),
	    scep_transport_name(&alg.transport, kt, sizeof(kt)));
	rc = enrol_exchange(s, &m.bytes, req, &reply, err);
	if (rc == RC_OK)
		rc = enrol_message_judge(out, s, &m, req->key, reply.data, reply.len, err);
	if (rc == RC_OK) {
		enrol_tell(
		    req, "CertRep %s: %zu bytes", scep_pki_status_name(out->status), reply.len);
		if (out->status == SCEP_PENDING) {
			out->signer = m.signer;
			m.signer = NULL;
		}
		if (out->status == SCEP_SUCCESS && (rc = repeat(s, &m, req, out, err)) != RC_OK)
			enrol_result_done(out);
	}
	buf_done(&reply);
	enrol_message_done(&m);
	return rc;
}
