/*
 * cms_alg.c - the algorithms of CMS as rows (RFC 3370, RFC 3565, RFC 4055, RFC 5754).
 */
#include "ossl/cms_alg.h"

#include <string.h>

#define OID_RSA        "1.2.840.113549.1.1.1"
#define OID_OAEP       "1.2.840.113549.1.1.7"
#define OID_MGF1       "1.2.840.113549.1.1.8"
#define OID_PSPECIFIED "1.2.840.113549.1.1.9"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const char *const digest_oids[DIGEST__MAX] = {
	[DIGEST_SHA1] = "1.3.14.3.2.26",
	[DIGEST_SHA256] = "2.16.840.1.101.3.4.2.1",
	[DIGEST_SHA384] = "2.16.840.1.101.3.4.2.2",
	[DIGEST_SHA512] = "2.16.840.1.101.3.4.2.3",
};

static const char *const cipher_oids[CIPHER__MAX] = {
	[CIPHER_DES3] = "1.2.840.113549.3.7",
	[CIPHER_AES128] = "2.16.840.1.101.3.4.1.2",
	[CIPHER_AES192] = "2.16.840.1.101.3.4.1.22",
	[CIPHER_AES256] = "2.16.840.1.101.3.4.1.42",
};

/* For each type of key the first row with a digest is the one we write; RSA is always
 * rsaEncryption. */
static const struct signature {
	const char *oid;
	enum key_type key;
	enum digest digest; /* DIGEST_NONE: whatever digestAlgorithm says */
} signatures[] = {
	{ OID_RSA, KEY_RSA, DIGEST_NONE }, { "1.2.840.113549.1.1.5", KEY_RSA, DIGEST_SHA1 },
	{ "1.3.14.3.2.29", KEY_RSA, DIGEST_SHA1 }, /* OIW's sha1WithRSASignature */
	{ "1.2.840.113549.1.1.11", KEY_RSA, DIGEST_SHA256 },
	{ "1.2.840.113549.1.1.12", KEY_RSA, DIGEST_SHA384 },
	{ "1.2.840.113549.1.1.13", KEY_RSA, DIGEST_SHA512 },
	{ "1.2.840.10045.4.1", KEY_EC, DIGEST_SHA1 },
	{ "1.2.840.10045.4.3.2", KEY_EC, DIGEST_SHA256 },
	{ "1.2.840.10045.4.3.3", KEY_EC, DIGEST_SHA384 },
	{ "1.2.840.10045.4.3.4", KEY_EC, DIGEST_SHA512 },
	{ "1.2.840.10045.2.1", KEY_EC, DIGEST_NONE }, /* id-ecPublicKey, by analogy with RSA */
};

enum rc
cms_alg_take(struct der *in, struct cms_alg *out, const char *what, struct err *err)
{
	struct der seq;
	uint8_t tag;

	*out = (struct cms_alg){ 0 };
	if (!der_take(in, DER_SEQUENCE, &seq) || !der_take_oid(&seq, out->oid) ||
	    (seq.len > 0 && !der_any(&seq, &tag, NULL, &out->params)) || seq.len > 0)
		return fail(err, RC_PARSE, "%s: malformed AlgorithmIdentifier", what);
	return RC_OK;
}

enum rc
cms_alg_refuse(const char *what, const char *oid, struct err *err)
{
	char label[128];

	return fail(err, RC_ALG, "%s %s is not taken", what, oid_label(oid, label, sizeof label));
}

/* Absent and NULL mean the same; senders mix them up. */
static bool
no_params(const struct cms_alg *a)
{
	return a->params.p == NULL || (a->params.len == 2 && a->params.p[0] == DER_NULL);
}

static size_t
find_oid(const char *const *oids, size_t n, const char *oid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (oids[i] != NULL && strcmp(oids[i], oid) == 0)
			return i;
	return 0;
}

enum digest
cms_digest_of(const struct cms_alg *a)
{
	return no_params(a) ? (enum digest)find_oid(digest_oids, DIGEST__MAX, a->oid) : DIGEST_NONE;
}

enum rc
cms_cipher_of(const struct cms_alg *a, enum cipher *c, struct der *iv, struct err *err)
{
	enum cipher found = (enum cipher)find_oid(cipher_oids, CIPHER__MAX, a->oid);
	struct der params = a->params;

	if (found == CIPHER_NONE)
		return cms_alg_refuse("content cipher", a->oid, err);
	if (!der_take(&params, DER_OCTET_STRING, iv) || iv->len != cipher_block_size(found))
		return fail(err, RC_PARSE, "content cipher %s: no IV of %zu bytes",
		    cipher_name(found), cipher_block_size(found));
	*c = found;
	return RC_OK;
}

/* [n] EXPLICIT AlgorithmIdentifier DEFAULT ...; *present says whether it was there. */
static enum rc
take_optional_alg(struct der *in, unsigned n, struct cms_alg *a, bool *present, struct err *err)
{
	struct der body;
	enum rc rc;

	*present = der_next_is(in, DER_CTX_CONS(n));
	if (!*present)
		return RC_OK;
	if (!der_take(in, DER_CTX_CONS(n), &body))
		return fail(err, RC_PARSE, "OAEP parameters: malformed");
	if ((rc = cms_alg_take(&body, a, "OAEP parameters", err)) != RC_OK)
		return rc;
	return body.len == 0 ? RC_OK : fail(err, RC_PARSE, "OAEP parameters: malformed");
}

static enum rc
oaep_digest(const struct cms_alg *a, enum digest *d, const char *what, struct err *err)
{
	*d = cms_digest_of(a);
	return *d != DIGEST_NONE ? RC_OK : cms_alg_refuse(what, a->oid, err);
}

/* Its parameters are the AlgorithmIdentifier of its digest. */
static enum rc
mgf1_digest(const struct cms_alg *mgf, enum digest *d, struct err *err)
{
	struct der params = mgf->params;
	struct cms_alg a;
	enum rc rc;

	if (strcmp(mgf->oid, OID_MGF1) != 0)
		return cms_alg_refuse("OAEP mask generation", mgf->oid, err);
	if ((rc = cms_alg_take(&params, &a, "OAEP mask generation", err)) != RC_OK)
		return rc;
	return oaep_digest(&a, d, "OAEP mask digest", err);
}

/* RFC 8017 A.2.1: only the empty label, which is what absent means. */
static enum rc
empty_label(const struct cms_alg *source, struct err *err)
{
	struct der params = source->params, label;

	if (strcmp(source->oid, OID_PSPECIFIED) != 0 ||
	    !der_take(&params, DER_OCTET_STRING, &label) || label.len != 0)
		return fail(err, RC_ALG, "OAEP with a label is not taken");
	return RC_OK;
}

static enum rc
oaep_params(const struct cms_alg *oaep, struct transport *t, struct err *err)
{
	struct der in = oaep->params, seq;
	struct cms_alg a;
	bool present;
	enum rc rc;

	if (no_params(oaep))
		return RC_OK;
	if (!der_take(&in, DER_SEQUENCE, &seq))
		return fail(err, RC_PARSE, "OAEP parameters: malformed");
	if ((rc = take_optional_alg(&seq, 0, &a, &present, err)) != RC_OK ||
	    (present && (rc = oaep_digest(&a, &t->oaep_digest, "OAEP digest", err)) != RC_OK))
		return rc;
	if ((rc = take_optional_alg(&seq, 1, &a, &present, err)) != RC_OK ||
	    (present && (rc = mgf1_digest(&a, &t->mgf1_digest, err)) != RC_OK))
		return rc;
	if ((rc = take_optional_alg(&seq, 2, &a, &present, err)) != RC_OK ||
	    (present && (rc = empty_label(&a, err)) != RC_OK))
		return rc;
	return seq.len == 0 ? RC_OK : fail(err, RC_PARSE, "OAEP parameters: malformed");
}

enum rc
cms_transport_of(const struct cms_alg *a, struct transport *t, struct err *err)
{
	*t = (struct transport){ TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
	if (strcmp(a->oid, OID_RSA) == 0)
		return no_params(a) ? RC_OK
				    : fail(err, RC_PARSE, "key transport: unknown parameters");
	if (strcmp(a->oid, OID_OAEP) != 0)
		return cms_alg_refuse("key transport", a->oid, err);
	*t = (struct transport){ TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 };
	return oaep_params(a, t, err);
}

enum rc
cms_signature_fits(const struct cms_alg *a, enum key_type key, enum digest d, struct err *err)
{
	const struct signature *s = NULL;
	size_t i;

	for (i = 0; i < N(signatures) && s == NULL; i++)
		if (strcmp(signatures[i].oid, a->oid) == 0)
			s = &signatures[i];
	if (s == NULL || !no_params(a))
		return cms_alg_refuse("signature algorithm", a->oid, err);
	if (s->key != key || (s->digest != DIGEST_NONE && s->digest != d))
		return fail(
		    err, RC_ALG, "signature algorithm %s does not fit its key or digest", a->oid);
	return RC_OK;
}

static void
alg_add(struct buf *b, const char *oid, bool null)
{
	size_t mark = der_open(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	if (null)
		der_add(b, DER_NULL, NULL, 0);
	der_close(b, mark);
}

/* RFC 5754 2: parameters absent. */
void
cms_digest_add(struct buf *b, enum digest d)
{
	alg_add(b, digest_oids[d], false);
}

void
cms_cipher_add(struct buf *b, enum cipher c, const uint8_t *iv)
{
	size_t mark = der_open(b, DER_SEQUENCE);

	der_add_oid(b, cipher_oids[c]);
	der_add(b, DER_OCTET_STRING, iv, cipher_block_size(c));
	der_close(b, mark);
}

/* RFC 4055 2.1: inside OAEP's parameters the digest does have NULL.  Defaults are left out (DER).
 */
static void
oaep_params_add(struct buf *b, const struct transport *t)
{
	size_t seq = der_open(b, DER_SEQUENCE), ctx, mgf;

	if (t->oaep_digest != DIGEST_SHA1) {
		ctx = der_open(b, DER_CTX_CONS(0));
		alg_add(b, digest_oids[t->oaep_digest], true);
		der_close(b, ctx);
	}
	if (t->mgf1_digest != DIGEST_SHA1) {
		ctx = der_open(b, DER_CTX_CONS(1));
		mgf = der_open(b, DER_SEQUENCE);
		der_add_oid(b, OID_MGF1);
		alg_add(b, digest_oids[t->mgf1_digest], true);
		der_close(b, mgf);
		der_close(b, ctx);
	}
	der_close(b, seq);
}

void
cms_transport_add(struct buf *b, const struct transport *t)
{
	size_t mark;

	if (t->kind == TRANSPORT_PKCS1V15) {
		alg_add(b, OID_RSA, true);
		return;
	}
	mark = der_open(b, DER_SEQUENCE);
	der_add_oid(b, OID_OAEP);
	oaep_params_add(b, t);
	der_close(b, mark);
}

/* RSA as rsaEncryption, which every client reads; ECDSA has no such form. */
void
cms_signature_add(struct buf *b, enum key_type key, enum digest d)
{
	size_t i;

	for (i = 0; i < N(signatures); i++)
		if (signatures[i].key == key && (key == KEY_RSA || signatures[i].digest == d))
			break;
	if (i < N(signatures))
		alg_add(b, signatures[i].oid, key == KEY_RSA);
}
