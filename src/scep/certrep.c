/*
 * certrep.c - the device's side: a CertRep in.
 */
#include "scep.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ossl/cms_kari.h"
#include "ossl/cms_pwri.h"
#include "scep/attrs.h"
#include "scep/ca_certs.h"
#include "scep/error.h"
#include "scep/identity.h"

/* What scep_certrep_open() passes from step to step. */
struct answer {
	struct scep_certrep *rep;
	struct cms_signed *cms;
	const struct scep_certrep_how *how;
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
	const struct scep_pending *p = a->how->pending;
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
unwrap_trans(struct answer *a, const struct cms_enveloped *env, size_t i, uint8_t *cek, size_t len,
    struct err *err)
{
	const struct transport *t = cms_enveloped_transport0(env, i);

	if (a->how->me->ops.unwrap == NULL)
		return fail(err, RC_DENIED, "the answer needs a key that decrypts");
	a->rep->alg.transport = transport_to_scep(t);
	a->rep->way = SCEP_BY_RSA;
	return identity_unwrap(a->how->me, t, cms_enveloped_key0(env, i), cek, len, err);
}

static enum rc
unwrap_agree(struct answer *a, const struct cms_enveloped *env, size_t i, uint8_t *cek, size_t len,
    struct err *err)
{
	const struct cms_kari *k = cms_enveloped_kari0(env, i);
	uint8_t z[SCEP_AGREED_MAX];
	size_t z_len;
	enum rc rc;

	a->rep->way = SCEP_BY_ECDH;
	if ((rc = identity_agree(a->how->me, k->point, z, &z_len, err)) == RC_OK)
		rc = kari_unwrap(cek, len, k, z, z_len, err);
	wipe(z, sizeof(z));
	return rc;
}

/* By the first that is under a password; there is no telling whose. */
static enum rc
unwrap_password(
    struct answer *a, const struct cms_enveloped *env, uint8_t *cek, size_t len, struct err *err)
{
	const struct pwri under = { .password = a->how->password, .len = a->how->password_len };
	size_t i, n = cms_enveloped_n_recipients(env);
	enum rc rc;

	for (i = 0; i < n; i++)
		if (cms_enveloped_kind(env, i) == CMS_PASSWORD)
			break;
	if (i == n)
		return fail(err, RC_DENIED, "the answer is enveloped to somebody else");
	if (under.password == NULL || under.len == 0)
		return fail(err, RC_DENIED, "the answer is under a password, and none is given");
	if (under.len > LIMIT_CHALLENGE)
		return fail(err, RC_LIMIT, "a password of %zu bytes", under.len);
	a->rep->way = SCEP_BY_PASSWORD;
	rc = pwri_open(cek, len, cms_enveloped_password0(env, i), &under, err);
	return rc == RC_DENIED ? fail(err, RC_INTEGRITY, "the password does not open the answer")
			       : rc;
}

static enum rc
unwrap(struct answer *a, const struct cms_enveloped *env, uint8_t *cek, size_t len, struct err *err)
{
	size_t i;

	if (cms_enveloped_match(env, &a->how->me->cert, &i) == CMS_MATCH_NONE)
		return unwrap_password(a, env, cek, len, err);
	return cms_enveloped_kind(env, i) == CMS_KEY_TRANS ? unwrap_trans(a, env, i, cek, len, err)
							   : unwrap_agree(a, env, i, cek, len, err);
}

static enum rc
decrypt(struct answer *a, const struct cms_enveloped *env, struct buf *out, struct err *err)
{
	size_t cek_len = cipher_key_size(cms_enveloped_cipher(env));
	uint8_t cek[CEK_SIZE_MAX];
	enum rc rc;

	a->rep->alg.cipher = (enum scep_cipher)cms_enveloped_cipher(env);
	if ((rc = unwrap(a, env, cek, cek_len, err)) == RC_OK)
		rc = cms_enveloped_open(out, env, cek, cek_len, err);
	wipe(cek, sizeof(cek));
	return rc;
}

static enum rc
take_inner(struct answer *a, const struct cms_enveloped *env, struct err *err)
{
	struct scep_certrep *rep = a->rep;
	struct buf inner;
	enum rc rc;

	buf_init(&inner, LIMIT_SCEP_MESSAGE);
	if ((rc = decrypt(a, env, &inner, err)) == RC_OK)
		rc = a->how->want_crl
		    ? crl_parse(&rep->crl, inner.data, inner.len, err)
		    : certs_only_parse(&rep->certs, &rep->n_certs, inner.data, inner.len, err);
	buf_done(&inner);
	return rc;
}

static enum scep_status
take_content(struct answer *a)
{
	struct der content = cms_signed_content0(a->cms);
	struct cms_enveloped *env = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (a->rep->status != SCEP_SUCCESS)
		return SCEP_OK;
	if (content.p == NULL)
		return scep_fail(a->err, SCEP_E_PARSE, STEP_STRUCTURE,
		    "SUCCESS without a pkcsPKIEnvelope (RFC 8894 3.3.2.1)");
	if (cms_enveloped_parse_kinds(&env, content.p, content.len,
		CMS_KEY_TRANS | CMS_KEY_AGREE | CMS_PASSWORD, &e) != RC_OK)
		return scep_fail_from(a->err, STEP_STRUCTURE, &e);
	rc = take_inner(a, env, &e);
	cms_enveloped_free(env);
	if (rc == RC_DENIED)
		return scep_fail(a->err, SCEP_E_RECIPIENT, STEP_RECIPIENT, "%s", e.msg);
	return rc == RC_OK ? SCEP_OK : scep_fail_from(a->err, STEP_DECRYPT, &e);
}

enum scep_status
scep_certrep_open_how(struct scep_certrep *out, const uint8_t *bytes, size_t len,
    const struct scep_certrep_how *how, struct scep_error *err)
{
	struct scep_certrep rep = { .fail_info = SCEP_FAIL_NONE };
	struct answer a = { .rep = &rep, .how = how, .err = err };
	enum scep_status st = SCEP_OK;
	struct err e = { 0 };

	if (cms_signed_parse(&a.cms, bytes, len, &e) != RC_OK)
		return scep_fail_from(err, STEP_PARSE, &e);
	if (verify_by_ra(a.cms, how->ra_certs, how->n_ra_certs, &e) != RC_OK ||
	    cms_signed_attrs_plain(a.cms, &e) != RC_OK)
		st = scep_fail_from(err, STEP_VERIFY, &e);
	if (st == SCEP_OK && (st = check_transaction(&a)) == SCEP_OK &&
	    (st = read_status(&a)) == SCEP_OK)
		st = take_content(&a);
	cms_signed_free(a.cms);
	if (st == SCEP_OK)
		*out = rep;
	return st;
}

enum scep_status
scep_certrep_open(struct scep_certrep *out, const uint8_t *bytes, size_t len,
    const struct scep_pending *pending, const struct scep_bytes *ra_certs, size_t n_ra_certs,
    const struct scep_identity *me, struct scep_error *err)
{
	struct scep_certrep_how how = {
		.pending = pending, .ra_certs = ra_certs, .n_ra_certs = n_ra_certs, .me = me
	};

	return scep_certrep_open_how(out, bytes, len, &how, err);
}

void
scep_certrep_done(struct scep_certrep *r)
{
	if (r == NULL)
		return;
	scep_bytes_free(&r->crl);
	scep_bytes_list_free(r->certs, r->n_certs);
	*r = (struct scep_certrep){ .fail_info = SCEP_FAIL_NONE };
}
