/*
 * cms_build.c - writing SignedData, EnvelopedData and certificates-only messages.
 */
#include "ossl/cms.h"

#include <string.h>

#include "ossl/attr_build.h"
#include "ossl/cms_alg.h"
#include "ossl/cms_int.h"
#include "ossl/cms_kari.h"
#include "ossl/cms_pwri.h"

#define CEK_IV_MAX 16

/* ContentInfo { oid, [0] { SEQUENCE { ... and der_close() three times. */
struct frame {
	size_t info, explicit_content, data;
};

static struct frame
frame_open(struct buf *b, const char *oid)
{
	struct frame f;

	f.info = der_open(b, DER_SEQUENCE);
	der_add_oid(b, oid);
	f.explicit_content = der_open(b, DER_CTX_CONS(0));
	f.data = der_open(b, DER_SEQUENCE);
	return f;
}

static void
frame_close(struct buf *b, const struct frame *f)
{
	der_close(b, f->data);
	der_close(b, f->explicit_content);
	der_close(b, f->info);
}

/* ---- SignedData ---- */

static void
content_add(struct buf *b, const char *type, struct der content)
{
	size_t seq = der_open(b, DER_SEQUENCE), explicit_content;

	der_add_oid(b, type);
	if (content.p != NULL) {
		explicit_content = der_open(b, DER_CTX_CONS(0));
		der_add(b, DER_OCTET_STRING, content.p, content.len);
		der_close(b, explicit_content);
	}
	der_close(b, seq);
}

/* In the order given: DER would sort, but Apple takes the first certificate it finds. */
static void
certs_add(struct buf *b, const struct der *certs, size_t n)
{
	size_t set, i;

	if (n == 0)
		return;
	set = der_open(b, DER_CTX_CONS(0));
	for (i = 0; i < n; i++)
		buf_add(b, certs[i].p, certs[i].len);
	der_close(b, set);
}

/* The SET OF Attribute as it is signed, sorted as DER wants it (an iPhone crashed on an unsorted
 * one). */
static enum rc
signed_attrs(struct buf *b, const struct cms_signed_build *s, const char *type, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	struct attr_mark f;
	size_t set, i, start;
	enum rc rc;

	rc = digest_bytes(md, s->digest, s->content.p, s->content.len, err);
	if (rc != RC_OK)
		return rc;
	set = der_open(b, DER_SET);
	start = b->len;
	f = attr_open(b, OID_CONTENT_TYPE);
	der_add_oid(b, type);
	attr_close(b, f);
	f = attr_open(b, OID_MESSAGE_DIGEST);
	der_add(b, DER_OCTET_STRING, md, digest_size(s->digest));
	attr_close(b, f);
	if (s->signing_time != 0) {
		f = attr_open(b, OID_SIGNING_TIME);
		if (!der_add_time(b, s->signing_time))
			return fail(err, RC_BUG, "a signingTime that ASN.1 cannot hold");
		attr_close(b, f);
	}
	for (i = 0; i < s->n_attrs; i++) {
		f = attr_open(b, s->attrs[i].oid);
		buf_add(b, s->attrs[i].value.p, s->attrs[i].value.len);
		attr_close(b, f);
	}
	der_sort(b, start);
	der_close(b, set);
	return buf_ok(b, "signed attributes", err);
}

static enum rc
signer_add(struct buf *b, const struct cms_signed_build *s, struct buf *attrs, struct err *err)
{
	struct buf sig;
	size_t set, info, at;
	enum rc rc;

	set = der_open(b, DER_SET);
	info = der_open(b, DER_SEQUENCE);
	der_add_u64(b, s->signer_by_ski ? 3 : 1);
	if ((rc = cms_id_add(b, s->signer, s->signer_by_ski, err)) != RC_OK)
		return rc;
	cms_digest_add(b, s->digest);
	at = b->len;
	buf_add(b, attrs->data, attrs->len);
	if (b->rc == RC_OK)
		b->data[at] = DER_CTX_CONS(0); /* signed as SET OF, sent as [0] (RFC 5652 5.4) */
	cms_signature_add(b, s->signer->key_type, s->digest);
	buf_init(&sig, KEY_SIG_MAX);
	if ((rc = s->sign(s->sign_ctx, s->digest, attrs->data, attrs->len, &sig, err)) == RC_OK)
		rc = buf_ok(&sig, "signature", err);
	if (rc == RC_OK)
		der_add(b, DER_OCTET_STRING, sig.data, sig.len);
	buf_done(&sig);
	der_close(b, info);
	der_close(b, set);
	return rc;
}

static enum rc
signed_data_add(struct buf *b, const struct cms_signed_build *s, const char *type,
    struct buf *attrs, struct err *err)
{
	struct frame f = frame_open(b, OID_SIGNED_DATA);
	size_t digests;
	enum rc rc;

	der_add_u64(b, s->signer_by_ski || strcmp(type, OID_DATA) != 0 ? 3 : 1);
	digests = der_open(b, DER_SET);
	cms_digest_add(b, s->digest);
	der_close(b, digests);
	content_add(b, type, s->content);
	certs_add(b, s->certs, s->n_certs);
	if ((rc = signer_add(b, s, attrs, err)) != RC_OK)
		return rc;
	frame_close(b, &f);
	return buf_ok(b, "SignedData", err);
}

enum rc
cms_signed_build(struct buf *out, const struct cms_signed_build *s, struct err *err)
{
	const char *type = s->content_type != NULL ? s->content_type : OID_DATA;
	struct buf attrs;
	enum rc rc;

	if (s->signer->key_type == 0)
		return fail(err, RC_ALG, "the signer's key is neither RSA nor EC");
	if (digest_size(s->digest) == 0)
		return fail(err, RC_ALG, "no digest to sign with");
	buf_init(&attrs, LIMIT_SCEP_MESSAGE);
	rc = signed_attrs(&attrs, s, type, err);
	if (rc == RC_OK)
		rc = signed_data_add(out, s, type, &attrs, err);
	buf_done(&attrs);
	return rc;
}

enum rc
cms_sign_with_key(
    void *ctx, enum digest d, const void *tbs, size_t len, struct buf *sig, struct err *err)
{
	return key_sign(sig, ctx, d, tbs, len, err);
}

enum rc
cms_certs_only_build(struct buf *out, const struct der *certs, size_t n, struct err *err)
{
	return cms_degenerate_build(out, certs, n, (struct der){ 0 }, err);
}

/* RFC 5652 5.1: version 1, as certificates and lists are those of X.509. */
enum rc
cms_degenerate_build(
    struct buf *out, const struct der *certs, size_t n, struct der crl, struct err *err)
{
	struct frame f = frame_open(out, OID_SIGNED_DATA);

	der_add_u64(out, 1);
	der_add(out, DER_SET, NULL, 0);
	content_add(out, OID_DATA, (struct der){ 0 });
	certs_add(out, certs, n);
	if (crl.p != NULL)
		der_add(out, DER_CTX_CONS(1), crl.p, crl.len);
	der_add(out, DER_SET, NULL, 0);
	frame_close(out, &f);
	return buf_ok(out, "certificates", err);
}

/* ---- EnvelopedData ---- */

static bool
transport_known(const struct transport *t)
{
	return t->kind == TRANSPORT_PKCS1V15 ||
	    (t->kind == TRANSPORT_OAEP && digest_size(t->oaep_digest) > 0 &&
		digest_size(t->mgf1_digest) > 0);
}

static enum rc
trans_add(struct buf *b, const struct cms_recipient *r, const struct key *key, struct der cek,
    struct err *err)
{
	size_t info, octets;
	enum rc rc;

	if (!transport_known(&r->transport))
		return fail(err, RC_ALG, "no key transport to encrypt with");
	info = der_open(b, DER_SEQUENCE);
	der_add_u64(b, r->by_ski ? 2 : 0);
	if ((rc = cms_id_add(b, r->cert, r->by_ski, err)) != RC_OK)
		return rc;
	cms_transport_add(b, &r->transport);
	octets = der_open(b, DER_OCTET_STRING);
	rc = key_wrap(b, key, &r->transport, cek.p, cek.len, err);
	der_close(b, octets);
	der_close(b, info);
	return rc;
}

static enum rc
keyed_add(struct buf *b, const struct cms_recipient *r, struct der cek, struct err *err)
{
	bool agree = r->kind == CMS_KEY_AGREE;
	struct key *own = NULL;
	const struct key *key = r->key;
	enum rc rc;

	if (r->cert->key_type != (agree ? KEY_EC : KEY_RSA))
		return fail(err, RC_ALG, "a recipient whose key is not %s cannot be encrypted to",
		    agree ? "EC" : "RSA");
	if (key == NULL &&
	    (rc = key_parse_spki(&own, r->cert->spki.p, r->cert->spki.len, err)) != RC_OK)
		return rc;
	key = key != NULL ? key : own;
	rc = agree ? kari_add(b, r->cert, r->by_ski, key, cek.p, cek.len, err)
		   : trans_add(b, r, key, cek, err);
	key_free(own);
	return rc;
}

static enum rc
recipient_add(struct buf *b, const struct cms_recipient *r, struct der cek, struct err *err)
{
	if (r->kind == CMS_PASSWORD)
		return pwri_add(b, cek.p, cek.len, r->password, err);
	return keyed_add(b, r, cek, err);
}

/* RFC 5652 6.1, of those kinds that we write: 3 for a password, 2 for anything but
 * issuerAndSerialNumber of KeyTransRecipientInfo. */
static unsigned
enveloped_version(const struct cms_enveloped_build *e)
{
	unsigned version = 0;
	size_t i;

	for (i = 0; i < e->n_recipients; i++) {
		if (e->recipients[i].kind == CMS_PASSWORD)
			return 3;
		if (e->recipients[i].kind == CMS_KEY_AGREE || e->recipients[i].by_ski)
			version = 2;
	}
	return version;
}

static enum rc
encrypted_add(struct buf *b, const struct cms_enveloped_build *e, const uint8_t *cek,
    const uint8_t *iv, struct err *err)
{
	size_t seq = der_open(b, DER_SEQUENCE), content;
	enum rc rc;

	der_add_oid(b, OID_DATA);
	cms_cipher_add(b, e->cipher, iv);
	content = der_open(b, DER_CTX(0));
	rc = cbc_encrypt(b, e->cipher, cek, iv, e->content.p, e->content.len, err);
	der_close(b, content);
	der_close(b, seq);
	return rc;
}

static enum rc
enveloped_add(struct buf *b, const struct cms_enveloped_build *e, const uint8_t *cek,
    const uint8_t *iv, struct err *err)
{
	struct frame f = frame_open(b, OID_ENVELOPED_DATA);
	struct der key = { cek, cipher_key_size(e->cipher) };
	size_t set, start, i;
	enum rc rc;

	der_add_u64(b, enveloped_version(e));
	set = der_open(b, DER_SET);
	start = b->len;
	for (i = 0; i < e->n_recipients; i++)
		if ((rc = recipient_add(b, &e->recipients[i], key, err)) != RC_OK)
			return rc;
	der_sort(b, start);
	der_close(b, set);
	if ((rc = encrypted_add(b, e, cek, iv, err)) != RC_OK)
		return rc;
	frame_close(b, &f);
	return buf_ok(b, "EnvelopedData", err);
}

enum rc
cms_enveloped_build(struct buf *out, const struct cms_enveloped_build *e, struct err *err)
{
	uint8_t secret[CEK_SIZE_MAX + CEK_IV_MAX]; /* one draw: each costs more than its bytes */
	enum rc rc;

	if (cipher_key_size(e->cipher) == 0 || e->n_recipients == 0 ||
	    e->n_recipients > LIMIT_RECIPIENTS)
		return fail(err, RC_ALG, "no cipher, or no recipients, to encrypt with");
	if ((rc = random_bytes(secret, sizeof secret, err)) == RC_OK)
		rc = enveloped_add(out, e, secret, secret + CEK_SIZE_MAX, err);
	wipe(secret, sizeof secret);
	return rc;
}
