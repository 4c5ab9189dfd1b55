/*
 * cert_build.c - making certificates.
 */
#include <string.h>

#include "base/limits.h"
#include "ossl/cert.h"
#include "ossl/eku.h"
#include "ossl/evp.h"
#include "ossl/sig_alg.h"
#include "ossl/ext.h"

#define OID_AD_OCSP      "1.3.6.1.5.5.7.48.1"
#define OID_AD_CA_ISSUER "1.3.6.1.5.5.7.48.2"

static enum rc
add_key_ids(struct buf *b, const struct cert_fields *f, struct err *err)
{
	uint8_t id[20];
	enum rc rc;

	if ((rc = ext_add_ski(b, f->subject_key, err)) != RC_OK ||
	    (rc = key_identifier(id, f->issuer_key, err)) != RC_OK)
		return rc;
	ext_add_aki(b, id, sizeof id);
	return RC_OK;
}

static enum rc
add_access(struct buf *b, const char *method, const char *const *urls, size_t n, struct err *err)
{
	size_t i, mark;
	enum rc rc;

	for (i = 0; i < n; i++) {
		mark = der_open(b, DER_SEQUENCE);
		der_add_oid(b, method);
		if ((rc = ext_add_url(b, urls[i], err)) != RC_OK)
			return rc;
		der_close(b, mark);
	}
	return RC_OK;
}

static enum rc
add_aia(struct buf *b, const struct cert_fields *f, struct err *err)
{
	struct ext_mark m = ext_open(b, OID_EXT_AIA, false);
	size_t seq = der_open(b, DER_SEQUENCE);
	enum rc rc;

	if ((rc = add_access(b, OID_AD_OCSP, f->ocsp_urls, f->n_ocsp_urls, err)) != RC_OK ||
	    (rc = add_access(b, OID_AD_CA_ISSUER, f->ca_issuer_urls, f->n_ca_issuer_urls, err)) !=
		RC_OK)
		return rc;
	der_close(b, seq);
	ext_close(b, m);
	return RC_OK;
}

/* Clients need not ask whether the responder itself is revoked (RFC 6960 4.2.2.2.1). */
static void
add_ocsp_nocheck(struct buf *b)
{
	struct ext_mark m = ext_open(b, OID_OCSP_NOCHECK, false);

	der_add(b, DER_NULL, NULL, 0);
	ext_close(b, m);
}

static enum rc
add_extensions(struct buf *b, const struct cert_fields *f, struct err *err)
{
	size_t tagged = der_open(b, DER_CTX_CONS(3)), seq = der_open(b, DER_SEQUENCE);
	enum rc rc = RC_OK;

	ext_add_basic(b, f->is_ca, f->path_len);
	if (f->key_usage != 0)
		ext_add_key_usage(b, f->key_usage);
	if (f->n_eku > 0)
		rc = ext_add_eku(b, f->eku, f->n_eku, err);
	if (rc == RC_OK)
		rc = add_key_ids(b, f, err);
	if (rc == RC_OK && f->san != NULL && f->san->n > 0)
		rc = ext_add_san(b, f->san, f->subject->n == 0, err);
	if (rc == RC_OK)
		rc = ext_add_constraints(b, f->constraints, err);
	if (rc == RC_OK)
		rc = ext_add_policies(b, f->policies, err);
	if (rc == RC_OK && f->n_crl_urls > 0)
		rc = ext_add_points(b, OID_EXT_CRL_POINTS, f->crl_urls, f->n_crl_urls, err);
	if (rc == RC_OK && f->n_ca_issuer_urls + f->n_ocsp_urls > 0)
		rc = add_aia(b, f, err);
	if (rc == RC_OK && f->ocsp_nocheck)
		add_ocsp_nocheck(b);
	der_close(b, seq);
	der_close(b, tagged);
	return rc;
}

static enum rc
add_validity(struct buf *b, const struct cert_fields *f, struct err *err)
{
	size_t mark = der_open(b, DER_SEQUENCE);

	if (f->not_after < f->not_before || !der_add_time(b, f->not_before) ||
	    !der_add_time(b, f->not_after))
		return fail(
		    err, RC_BUG, "a validity that is no span of time between 1950 and 9999");
	der_close(b, mark);
	return RC_OK;
}

static enum rc
add_tbs(struct buf *b, const struct cert_fields *f, struct err *err)
{
	size_t tbs = der_open(b, DER_SEQUENCE), version = der_open(b, DER_CTX_CONS(0)), len;
	const uint8_t *spki = key_spki0(f->subject_key, &len);
	enum rc rc;

	der_add_u64(b, 2); /* v3 */
	der_close(b, version);
	der_add_magnitude(b, f->serial->v, f->serial->len);
	if ((rc = sig_alg_add(b, key_info0(f->issuer_key)->type, f->digest, err)) != RC_OK)
		return rc;
	buf_add(b, f->issuer->der, f->issuer->der_len);
	if ((rc = add_validity(b, f, err)) != RC_OK)
		return rc;
	buf_add(b, f->subject->der, f->subject->der_len);
	buf_add(b, spki, len);
	if ((rc = add_extensions(b, f, err)) != RC_OK)
		return rc;
	der_close(b, tbs);
	return buf_ok(b, "certificate", err);
}

enum rc
cert_tbs_build(struct buf *tbs, const struct cert_fields *f, struct err *err)
{
	size_t start = tbs->len;
	enum rc rc = add_tbs(tbs, f, err);

	if (rc != RC_OK)
		tbs->len = start;
	return rc;
}

/* The AlgorithmIdentifier inside a TBSCertificate or TBSCertList. */
static bool
inner_alg(struct der tbs, struct der *alg)
{
	struct der body, skipped;

	if (!der_take(&tbs, DER_SEQUENCE, &body) || tbs.len != 0)
		return false;
	(void)der_take(&body, DER_CTX_CONS(0), &skipped);
	(void)der_take(&body, DER_INTEGER, &skipped);
	return der_take_whole(&body, DER_SEQUENCE, alg);
}

enum rc
cert_assemble(struct buf *der, const void *tbs, size_t tbs_len, const void *sig, size_t sig_len,
    struct err *err)
{
	size_t mark;
	struct der alg;

	if (!inner_alg((struct der){ tbs, tbs_len }, &alg))
		return fail(err, RC_BUG, "the bytes to assemble are not to be signed");
	mark = der_open(der, DER_SEQUENCE);
	buf_add(der, tbs, tbs_len);
	buf_add(der, alg.p, alg.len);
	der_add_octet_bits(der, sig, sig_len);
	der_close(der, mark);
	return buf_ok(der, "certificate", err);
}

enum rc
cert_make(struct cert **out, const struct cert_fields *f, const struct key *key, struct err *err)
{
	struct buf tbs, sig, der;
	enum rc rc;

	buf_init(&tbs, LIMIT_CERT);
	buf_init(&sig, KEY_SIG_MAX);
	buf_init(&der, LIMIT_CERT);
	if ((rc = cert_tbs_build(&tbs, f, err)) == RC_OK &&
	    (rc = key_sign(&sig, key, f->digest, tbs.data, tbs.len, err)) == RC_OK &&
	    (rc = cert_assemble(&der, tbs.data, tbs.len, sig.data, sig.len, err)) == RC_OK)
		rc = cert_parse(out, der.data, der.len, err);
	buf_done(&tbs);
	buf_done(&sig);
	buf_done(&der);
	return rc;
}
