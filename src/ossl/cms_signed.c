/*
 * cms_signed.c - SignedData (RFC 5652 5): the door, and what can be asked of it.
 */
#include "ossl/cms.h"

#include <stdlib.h>
#include <string.h>

#include "ossl/cms_alg.h"
#include "ossl/cms_int.h"

struct cms_signed {
	struct buf bytes; /* DER; everything below points into it */
	char content_type[OID_TEXT_MAX];
	struct der content;
	struct der certs[LIMIT_MSG_CERTS];
	size_t n_certs;
	struct der crl; /* the first */

	/* The SignerInfo, if there is one. */
	bool has_signer;
	struct cms_id sid;
	struct cms_alg digest_alg, signature_alg;
	struct der signed_attrs; /* with its header, [0] */
	bool attrs_as_sent;      /* these very bytes were received: nothing of them was BER */
	struct cms_attr attrs[LIMIT_ATTRS];
	size_t n_attrs;
	struct der signature;
	struct cms_cert signer; /* of the certificates; der.p == NULL when none of them */
};

/* EncapsulatedContentInfo.  Absent content is not the same as empty content (RFC 5652 5.2). */
static enum rc
take_content(struct cms_signed *s, struct der *in, struct err *err)
{
	struct der seq, explicit_content;

	if (!der_take(in, DER_SEQUENCE, &seq) || !der_take_oid(&seq, s->content_type))
		return fail(err, RC_PARSE, "SignedData: malformed encapContentInfo");
	if (seq.len == 0)
		return RC_OK;
	if (!der_take(&seq, DER_CTX_CONS(0), &explicit_content) || seq.len > 0 ||
	    !der_take(&explicit_content, DER_OCTET_STRING, &s->content) || explicit_content.len > 0)
		return fail(err, RC_PARSE, "SignedData: eContent is not an OCTET STRING");
	return RC_OK;
}

/* certificates [0] IMPLICIT CertificateSet OPTIONAL: plain X.509 only. */
static enum rc
take_certs(struct cms_signed *s, struct der *in, struct err *err)
{
	struct der set;

	if (!der_next_is(in, DER_CTX_CONS(0)))
		return RC_OK;
	if (!der_take(in, DER_CTX_CONS(0), &set))
		return fail(err, RC_PARSE, "SignedData: malformed certificates");
	while (set.len > 0) {
		if (s->n_certs == LIMIT_MSG_CERTS)
			return fail(err, RC_LIMIT, "SignedData: more than %u certificates",
			    LIMIT_MSG_CERTS);
		if (!der_take_whole(&set, DER_SEQUENCE, &s->certs[s->n_certs]))
			return fail(err, RC_PARSE, "SignedData: a certificate that is not X.509");
		s->n_certs++;
	}
	return RC_OK;
}

static enum rc
take_attr(struct cms_signed *s, struct der *set, struct err *err)
{
	struct cms_attr *a = &s->attrs[s->n_attrs];
	struct der attr, values, first;

	if (s->n_attrs == LIMIT_ATTRS)
		return fail(err, RC_LIMIT, "SignerInfo: more than %u attributes", LIMIT_ATTRS);
	if (!der_take(set, DER_SEQUENCE, &attr) || !der_take_oid(&attr, a->oid) ||
	    !der_take(&attr, DER_SET, &values) || attr.len > 0 || !der_count(&values, &a->n_values))
		return fail(err, RC_PARSE, "SignerInfo: malformed attribute");
	first = values;
	if (a->n_values > 0 && !der_any(&first, &a->value.tag, &a->value.body, &a->value.whole))
		return fail(err, RC_PARSE, "SignerInfo: malformed attribute");
	s->n_attrs++;
	return RC_OK;
}

/* signedAttrs [0] IMPLICIT SET OF Attribute OPTIONAL */
static enum rc
take_attrs(struct cms_signed *s, struct der *in, struct err *err)
{
	struct der set, whole;
	enum rc rc;

	if (!der_next_is(in, DER_CTX_CONS(0)))
		return RC_OK;
	if (!der_take_whole(in, DER_CTX_CONS(0), &whole))
		return fail(err, RC_PARSE, "SignerInfo: malformed signedAttrs");
	s->signed_attrs = whole;
	if (!der_take(&whole, DER_CTX_CONS(0), &set))
		return fail(err, RC_PARSE, "SignerInfo: malformed signedAttrs");
	while (set.len > 0)
		if ((rc = take_attr(s, &set, err)) != RC_OK)
			return rc;
	return RC_OK;
}

static enum rc
take_signer(struct cms_signed *s, struct der *in, struct err *err)
{
	struct der si, unsigned_attrs;
	uint64_t version;
	enum rc rc;

	if (!der_take(in, DER_SEQUENCE, &si) || !der_take_u64(&si, &version))
		return fail(err, RC_PARSE, "SignerInfo: malformed");
	if ((rc = cms_id_take(&si, &s->sid, "SignerInfo", err)) != RC_OK ||
	    (rc = cms_alg_take(&si, &s->digest_alg, "digestAlgorithm", err)) != RC_OK ||
	    (rc = take_attrs(s, &si, err)) != RC_OK ||
	    (rc = cms_alg_take(&si, &s->signature_alg, "signatureAlgorithm", err)) != RC_OK)
		return rc;
	if (!der_take(&si, DER_OCTET_STRING, &s->signature) ||
	    (si.len > 0 && !der_take(&si, DER_CTX_CONS(1), &unsigned_attrs)) || si.len > 0)
		return fail(err, RC_PARSE, "SignerInfo: malformed after signatureAlgorithm");
	s->has_signer = true;
	return RC_OK;
}

static enum rc
take_signers(struct cms_signed *s, struct der *in, struct err *err)
{
	struct der set;
	enum rc rc;

	if (!der_take(in, DER_SET, &set) || in->len > 0)
		return fail(err, RC_PARSE, "SignedData: malformed signerInfos");
	if (set.len == 0)
		return RC_OK;
	if ((rc = take_signer(s, &set, err)) != RC_OK)
		return rc;
	if (set.len > 0)
		return fail(err, RC_LIMIT, "SignedData: more than one SignerInfo");
	return RC_OK;
}

/* A certificate that cannot be read cannot be the one the signer means. */
static void
find_signer(struct cms_signed *s)
{
	struct cms_cert c;
	size_t i;

	for (i = 0; i < s->n_certs && s->signer.der.p == NULL; i++)
		if (cms_cert_peek(&c, s->certs[i].p, s->certs[i].len, NULL) == RC_OK &&
		    cms_id_matches(&s->sid, &c))
			s->signer = c;
}

/* crls [1] IMPLICIT RevocationInfoChoices OPTIONAL; what is no CertificateList has a tag of its own. */
static enum rc
take_crls(struct cms_signed *s, struct der *in, struct err *err)
{
	struct der set, whole;
	uint8_t tag;

	if (!der_next_is(in, DER_CTX_CONS(1)))
		return RC_OK;
	if (!der_take(in, DER_CTX_CONS(1), &set))
		return fail(err, RC_PARSE, "SignedData: malformed crls");
	while (set.len > 0) {
		if (!der_any(&set, &tag, NULL, &whole))
			return fail(err, RC_PARSE, "SignedData: malformed crls");
		if (tag == DER_SEQUENCE && s->crl.p == NULL)
			s->crl = whole;
	}
	return RC_OK;
}

static enum rc
take_signed_data(struct cms_signed *s, struct der *in, struct err *err)
{
	struct der digests;
	uint64_t version;
	enum rc rc;

	if (!der_take_u64(in, &version) || !der_take(in, DER_SET, &digests))
		return fail(err, RC_PARSE, "SignedData: malformed");
	if ((rc = take_content(s, in, err)) != RC_OK || (rc = take_certs(s, in, err)) != RC_OK ||
	    (rc = take_crls(s, in, err)) != RC_OK || (rc = take_signers(s, in, err)) != RC_OK)
		return rc;
	if (s->has_signer)
		find_signer(s);
	return RC_OK;
}

enum rc
cms_signed_parse(struct cms_signed **out, const void *bytes, size_t len, struct err *err)
{
	struct cms_signed *s;
	struct der seq;
	enum rc rc;

	if (!(s = calloc(1, sizeof *s)))
		return fail(err, RC_NOMEM, "SignedData: out of memory");
	rc = cms_content_info(&s->bytes, &seq, OID_SIGNED_DATA, "SignedData", bytes, len, err);
	if (rc == RC_OK)
		rc = take_signed_data(s, &seq, err);
	if (rc != RC_OK) {
		cms_signed_free(s);
		return rc;
	}
	s->attrs_as_sent = s->signed_attrs.p != NULL &&
	    memmem(bytes, len, s->signed_attrs.p, s->signed_attrs.len) != NULL;
	*out = s;
	return RC_OK;
}

void
cms_signed_free(struct cms_signed *s)
{
	if (!s)
		return;
	buf_done(&s->bytes);
	free(s);
}

const char *
cms_signed_content_type(const struct cms_signed *s)
{
	return s->content_type;
}

struct der
cms_signed_content0(const struct cms_signed *s)
{
	return s->content;
}

size_t
cms_signed_n_certs(const struct cms_signed *s)
{
	return s->n_certs;
}

struct der
cms_signed_crl0(const struct cms_signed *s)
{
	return s->crl;
}

struct der
cms_signed_cert0(const struct cms_signed *s, size_t i)
{
	return i < s->n_certs ? s->certs[i] : (struct der){ 0 };
}

bool
cms_signed_has_signer(const struct cms_signed *s)
{
	return s->has_signer;
}

const struct cms_cert *
cms_signed_signer0(const struct cms_signed *s)
{
	return s->signer.der.p != NULL ? &s->signer : NULL;
}

bool
cms_signed_is_by(const struct cms_signed *s, const struct cms_cert *c)
{
	return s->has_signer && cms_id_matches(&s->sid, c);
}

enum digest
cms_signed_digest(const struct cms_signed *s)
{
	return s->has_signer ? cms_digest_of(&s->digest_alg) : DIGEST_NONE;
}

size_t
cms_signed_n_attrs(const struct cms_signed *s)
{
	return s->n_attrs;
}

enum rc
cms_signed_attr(
    const struct cms_signed *s, const char *oid, struct cms_value *value, struct err *err)
{
	const struct cms_attr *found = NULL;
	size_t i;

	for (i = 0; i < s->n_attrs; i++) {
		if (strcmp(s->attrs[i].oid, oid) != 0)
			continue;
		if (found != NULL)
			return fail(err, RC_PARSE, "attribute %s comes twice", oid);
		found = &s->attrs[i];
	}
	if (found == NULL)
		return fail(err, RC_NOTFOUND, "attribute %s is missing", oid);
	if (found->n_values != 1)
		return fail(err, RC_PARSE, "attribute %s has %zu values instead of one", oid,
		    found->n_values);
	*value = found->value;
	return RC_OK;
}

/* X.690 11.6; two that are equal are not this function's business. */
static bool
in_order(const struct der *a, const struct der *b)
{
	size_t shorter = a->len < b->len ? a->len : b->len;
	int diff = memcmp(a->p, b->p, shorter);

	return diff < 0 || (diff == 0 && a->len <= b->len);
}

bool
cms_signed_attrs_in_der(const struct cms_signed *s)
{
	struct der whole = s->signed_attrs, set, last = { 0 }, attr;

	if (!s->attrs_as_sent || !der_take(&whole, DER_CTX_CONS(0), &set))
		return false;
	while (der_take_whole(&set, DER_SEQUENCE, &attr)) {
		if (last.p != NULL && !in_order(&last, &attr))
			return false;
		last = attr;
	}
	return set.len == 0;
}

enum rc
cms_signed_attrs_plain(const struct cms_signed *s, struct err *err)
{
	struct cms_value unused;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; i < s->n_attrs && rc == RC_OK; i++)
		rc = cms_signed_attr(s, s->attrs[i].oid, &unused, err);
	return rc;
}

/* ---- verification ---- */

static enum rc
check_content_type(const struct cms_signed *s, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct cms_value v;
	enum rc rc;

	if ((rc = cms_signed_attr(s, OID_CONTENT_TYPE, &v, err)) != RC_OK)
		return rc == RC_NOTFOUND ? fail(err, RC_PARSE, "no contentType attribute") : rc;
	if (!der_take_oid(&v.whole, oid) || strcmp(oid, s->content_type) != 0)
		return fail(err, RC_INTEGRITY, "the contentType attribute is not eContentType");
	return RC_OK;
}

static enum rc
check_message_digest(const struct cms_signed *s, enum digest d, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	struct cms_value v;
	enum rc rc;

	if ((rc = cms_signed_attr(s, OID_MESSAGE_DIGEST, &v, err)) != RC_OK)
		return rc == RC_NOTFOUND ? fail(err, RC_PARSE, "no messageDigest attribute") : rc;
	if (v.tag != DER_OCTET_STRING)
		return fail(err, RC_PARSE, "messageDigest is not an OCTET STRING");
	if ((rc = digest_bytes(md, d, s->content.p, s->content.len, err)) != RC_OK)
		return rc;
	if (!bytes_eq_ct(md, digest_size(d), v.body.p, v.body.len))
		return fail(err, RC_INTEGRITY, "messageDigest is not that of the content");
	return RC_OK;
}

/*
 * RFC 5652 5.4: what is signed is the DER of SET OF Attribute, not of the [0] that is sent.  Some
 * senders sign the order in which they send, so first as it came, then, if that differs, as DER
 * wants it.
 */
static enum rc
check_signature(const struct cms_signed *s, const struct key *key, enum digest d, struct err *err)
{
	struct der whole = s->signed_attrs, sent;
	struct buf b;
	enum rc rc;

	buf_init(&b, whole.len);
	buf_add(&b, whole.p, whole.len);
	if ((rc = buf_ok(&b, "signed attributes", err)) != RC_OK)
		return rc;
	b.data[0] = DER_SET;
	rc = key_verify(key, d, b.data, b.len, s->signature.p, s->signature.len, err);
	if (rc == RC_INTEGRITY && der_take(&whole, DER_CTX_CONS(0), &sent)) {
		der_sort(&b, b.len - sent.len);
		if (b.rc == RC_OK && memcmp(b.data + b.len - sent.len, sent.p, sent.len) != 0)
			rc = key_verify(
			    key, d, b.data, b.len, s->signature.p, s->signature.len, err);
	}
	buf_done(&b);
	return rc;
}

enum rc
cms_signed_verify(const struct cms_signed *s, const struct key *key, struct err *err)
{
	enum digest d = cms_signed_digest(s);
	enum rc rc;

	if (!s->has_signer)
		return fail(err, RC_PARSE, "SignedData without a SignerInfo");
	if (d == DIGEST_NONE)
		return cms_alg_refuse("digest", s->digest_alg.oid, err);
	if ((rc = cms_signature_fits(&s->signature_alg, key_info0(key)->type, d, err)) != RC_OK)
		return rc;
	if (s->n_attrs == 0)
		return fail(err, RC_PARSE, "SignerInfo without signed attributes");
	if ((rc = check_content_type(s, err)) != RC_OK ||
	    (rc = check_message_digest(s, d, err)) != RC_OK)
		return rc;
	return check_signature(s, key, d, err);
}
