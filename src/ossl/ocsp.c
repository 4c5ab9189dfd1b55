/*
 * ocsp.c - OCSP requests (RFC 6960 4.1), and whose certificates they name.
 */
#include "ossl/ocsp.h"

#include <string.h>

#include "ossl/cms_alg.h"
#include "ossl/ocsp_int.h"

/* ---- extensions ---- */

static enum rc
take_nonce(struct der *nonce, struct der value, struct err *err)
{
	struct der octets;

	if (nonce->p != NULL)
		return fail(err, RC_PARSE, "OCSP request: two nonces");
	if (!der_take(&value, DER_OCTET_STRING, &octets) || value.len != 0)
		return fail(err, RC_PARSE, "OCSP request: malformed nonce");
	if (octets.len == 0 || octets.len > OCSP_NONCE_MAX)
		return fail(err, RC_PARSE,
		    "OCSP request: a nonce of %zu octets, 1 to %d are allowed", octets.len,
		    OCSP_NONCE_MAX);
	*nonce = octets;
	return RC_OK;
}

/* One list; `nonce` NULL: where none belongs. */
static enum rc
take_extensions(struct der list, struct der *nonce, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der ext, value;
	bool critical;
	enum rc rc;

	while (list.len > 0) {
		critical = false;
		if (!der_take(&list, DER_SEQUENCE, &ext) || !der_take_oid(&ext, oid) ||
		    (der_next_is(&ext, DER_BOOLEAN) && !der_take_bool(&ext, &critical)) ||
		    !der_take(&ext, DER_OCTET_STRING, &value) || ext.len != 0)
			return fail(err, RC_PARSE, "OCSP request: malformed extension");
		if (nonce != NULL && strcmp(oid, OID_OCSP_NONCE) == 0) {
			if ((rc = take_nonce(nonce, value, err)) != RC_OK)
				return rc;
		} else if (critical) {
			return fail(
			    err, RC_PARSE, "OCSP request: unknown critical extension %s", oid);
		}
	}
	return RC_OK;
}

/* [tag] EXPLICIT Extensions, if it is there. */
static enum rc
maybe_extensions(struct der *in, uint8_t tag, struct der *nonce, struct err *err)
{
	struct der tagged, list;

	if (!der_next_is(in, tag))
		return RC_OK;
	if (!der_take(in, tag, &tagged) || !der_take(&tagged, DER_SEQUENCE, &list) ||
	    tagged.len != 0)
		return fail(err, RC_PARSE, "OCSP request: malformed extensions");
	return take_extensions(list, nonce, err);
}

/* ---- CertIDs ---- */

/* Whatever number it is: one that no CA of ours gives is a certificate that is not known, no error. */
static bool
take_serial(struct der *in, struct serial *out)
{
	struct der mag, whole;

	out->len = 0;
	if (!der_take_magnitude(in, &mag))
		return der_take(in, DER_INTEGER, &whole) && whole.len > 0;
	if (mag.len > SERIAL_MAX || mag.p[0] == 0)
		return true;
	memcpy(out->v, mag.p, mag.len);
	out->len = mag.len;
	return true;
}

static enum rc
take_cert_id(struct der *in, struct ocsp_cert_id *id, struct err *err)
{
	struct der seq, whole;
	struct cms_alg alg;
	enum rc rc;

	if (!der_take_whole(in, DER_SEQUENCE, &whole))
		return fail(err, RC_PARSE, "OCSP request: malformed CertID");
	id->whole = whole;
	(void)der_take(&whole, DER_SEQUENCE, &seq);
	if ((rc = cms_alg_take(&seq, &alg, "OCSP request", err)) != RC_OK)
		return rc;
	id->digest = cms_digest_of(&alg);
	if (!der_take(&seq, DER_OCTET_STRING, &id->name_hash) ||
	    !der_take(&seq, DER_OCTET_STRING, &id->key_hash) || !take_serial(&seq, &id->serial) ||
	    seq.len != 0)
		return fail(err, RC_PARSE, "OCSP request: malformed CertID");
	return RC_OK;
}

static enum rc
take_request_list(struct der list, struct ocsp_request *r, struct err *err)
{
	struct der one;
	enum rc rc;

	for (r->n_ids = 0; list.len > 0; r->n_ids++) {
		if (r->n_ids == OCSP_CERTS_MAX)
			return fail(err, RC_LIMIT, "OCSP request: more than %d certificates",
			    OCSP_CERTS_MAX);
		if (!der_take(&list, DER_SEQUENCE, &one))
			return fail(err, RC_PARSE, "OCSP request: malformed list of certificates");
		if ((rc = take_cert_id(&one, &r->ids[r->n_ids], err)) != RC_OK ||
		    (rc = maybe_extensions(&one, DER_CTX_CONS(0), NULL, err)) != RC_OK)
			return rc;
		if (one.len != 0)
			return fail(err, RC_PARSE, "OCSP request: something behind a CertID");
	}
	return r->n_ids > 0 ? RC_OK : fail(err, RC_PARSE, "OCSP request: names no certificate");
}

/* ---- the request ---- */

/* v1 is the default, which DER leaves out and some write all the same. */
static enum rc
take_version(struct der *tbs, struct err *err)
{
	struct der tagged;
	uint64_t version;

	if (!der_next_is(tbs, DER_CTX_CONS(0)))
		return RC_OK;
	if (!der_take(tbs, DER_CTX_CONS(0), &tagged) || !der_take_u64(&tagged, &version) ||
	    tagged.len != 0)
		return fail(err, RC_PARSE, "OCSP request: malformed version");
	return version == 0 ? RC_OK : fail(err, RC_PARSE, "OCSP request: not of version 1");
}

/* [tag] EXPLICIT something of no interest, if it is there. */
static bool
step_over(struct der *in, uint8_t tag)
{
	struct der tagged;

	return !der_next_is(in, tag) ||
	    (der_take(in, tag, &tagged) && der_any(&tagged, NULL, NULL, NULL) && tagged.len == 0);
}

static enum rc
take_tbs(struct der tbs, struct ocsp_request *r, struct err *err)
{
	struct der list;
	enum rc rc;

	if ((rc = take_version(&tbs, err)) != RC_OK)
		return rc;
	if (!step_over(&tbs, DER_CTX_CONS(1)) || !der_take(&tbs, DER_SEQUENCE, &list))
		return fail(err, RC_PARSE, "OCSP request: malformed requestor name or list");
	if ((rc = take_request_list(list, r, err)) != RC_OK ||
	    (rc = maybe_extensions(&tbs, DER_CTX_CONS(2), &r->nonce, err)) != RC_OK)
		return rc;
	return tbs.len == 0 ? RC_OK : fail(err, RC_PARSE, "OCSP request: something behind it");
}

enum rc
ocsp_request_parse(struct ocsp_request *out, const void *der, size_t len, struct err *err)
{
	struct der in = { der, len }, seq, tbs;
	struct ocsp_request r = { .n_ids = 0 };
	enum rc rc;

	if (len > OCSP_REQUEST_MAX)
		return fail(err, RC_LIMIT, "OCSP request: %zu bytes, at most %u are taken", len,
		    OCSP_REQUEST_MAX);
	/* optionalSignature: answers are no secret, so nobody has to prove who asks (4.1.2). */
	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len != 0 ||
	    !der_take(&seq, DER_SEQUENCE, &tbs) || !step_over(&seq, DER_CTX_CONS(0)) ||
	    seq.len != 0)
		return fail(err, RC_PARSE, "not an OCSP request");
	if ((rc = take_tbs(tbs, &r, err)) == RC_OK)
		*out = r;
	return rc;
}

/* ---- issuers ---- */

/* The BIT STRING's content of a SubjectPublicKeyInfo: the key without its algorithm (4.1.1). */
static bool
public_key_bits(const struct cert *c, struct der *bits)
{
	struct der in, seq;

	in.p = key_spki0(cert_key0(c), &in.len);
	return der_take(&in, DER_SEQUENCE, &seq) && der_take(&seq, DER_SEQUENCE, NULL) &&
	    der_take_octet_bits(&seq, bits);
}

enum rc
ocsp_issuer_of(struct ocsp_issuer *out, const struct cert *ca, struct err *err)
{
	const struct name *subject = cert_subject0(ca);
	struct ocsp_issuer made = { 0 };
	struct der bits;
	enum rc rc = RC_OK;

	if (!public_key_bits(ca, &bits))
		return fail(err, RC_BUG, "a CA certificate without a public key");
	for (enum digest d = DIGEST_SHA1; rc == RC_OK && d < DIGEST__MAX; d++) {
		rc = digest_bytes(made.name[d], d, subject->der, subject->der_len, err);
		if (rc == RC_OK)
			rc = digest_bytes(made.key[d], d, bits.p, bits.len, err);
	}
	if (rc == RC_OK)
		*out = made;
	return rc;
}

static bool
hash_is(const struct der *got, const uint8_t *want, size_t size)
{
	return got->len == size && memcmp(got->p, want, size) == 0;
}

bool
ocsp_id_is_of(const struct ocsp_cert_id *id, const struct ocsp_issuer *issuer)
{
	size_t size = digest_size(id->digest);

	return id->digest != DIGEST_NONE &&
	    hash_is(&id->name_hash, issuer->name[id->digest], size) &&
	    hash_is(&id->key_hash, issuer->key[id->digest], size);
}
