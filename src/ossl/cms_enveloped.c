/*
 * cms_enveloped.c - EnvelopedData (RFC 5652 6): the door, and opening.
 *
 * Everything that can be refused is refused here, before anybody touches a private key (S24 to S27
 * of attacks that other servers fell for: odd recipients, missing content, lengths that are no
 * blocks).
 */
#include "ossl/cms.h"

#include <stdlib.h>
#include <string.h>

#include "ossl/cms_alg.h"
#include "ossl/cms_int.h"
#include "ossl/cms_kari.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct recipient {
	enum cms_kind kind;
	struct cms_id id; /* of a password: none */
	struct transport transport;
	struct der wrapped;
	struct cms_kari kari;
	struct der whole;
};

struct cms_enveloped {
	struct buf bytes; /* DER; what is below points into it */
	unsigned kinds;   /* that are taken */
	struct recipient recipients[LIMIT_RECIPIENTS];
	size_t n_recipients;
	char content_type[OID_TEXT_MAX];
	enum cipher cipher;
	struct der iv, encrypted; /* encrypted may point into `joined` */
	struct buf joined;
};

/* KeyTransRecipientInfo (RFC 5652 6.2.1) */
static enum rc
take_trans(struct recipient *r, struct der in, struct err *err)
{
	struct cms_alg alg;
	uint64_t version;
	enum rc rc;

	if (!der_take_u64(&in, &version))
		return fail(err, RC_PARSE, "EnvelopedData: malformed RecipientInfo");
	if ((rc = cms_id_take(&in, &r->id, "RecipientInfo", err)) != RC_OK ||
	    (rc = cms_alg_take(&in, &alg, "keyEncryptionAlgorithm", err)) != RC_OK ||
	    (rc = cms_transport_of(&alg, &r->transport, err)) != RC_OK)
		return rc;
	if (!der_take(&in, DER_OCTET_STRING, &r->wrapped) || in.len > 0 || r->wrapped.len == 0)
		return fail(err, RC_PARSE, "EnvelopedData: no encryptedKey");
	return RC_OK;
}

static enum rc
take_agree(struct recipient *r, struct der in, struct err *err)
{
	enum rc rc = kari_take(&r->kari, in, err);

	if (rc == RC_OK)
		r->id = r->kari.id;
	return rc;
}

/* RecipientInfo is a CHOICE (RFC 5652 6.2); only KeyTransRecipientInfo has no tag of its own.  What is
 * under a password is read when there is one. */
static const struct recipient_kind {
	uint8_t tag;
	enum cms_kind kind; /* 0: never taken */
	const char *name;
	enum rc (*take)(struct recipient *r, struct der in, struct err *err);
} recipient_kinds[] = {
	{ DER_SEQUENCE, CMS_KEY_TRANS, "KeyTransRecipientInfo", take_trans },
	{ DER_CTX_CONS(1), CMS_KEY_AGREE, "KeyAgreeRecipientInfo", take_agree },
	{ DER_CTX_CONS(2), 0, "KEKRecipientInfo", NULL },
	{ DER_CTX_CONS(3), CMS_PASSWORD, "PasswordRecipientInfo", NULL },
	{ DER_CTX_CONS(4), 0, "OtherRecipientInfo", NULL },
};

static enum rc
take_recipient(struct cms_enveloped *e, struct der *set, struct err *err)
{
	struct recipient *r = &e->recipients[e->n_recipients];
	const struct recipient_kind *k = NULL;
	struct der in;
	uint8_t tag;
	enum rc rc = RC_OK;

	if (e->n_recipients == LIMIT_RECIPIENTS)
		return fail(
		    err, RC_LIMIT, "EnvelopedData: more than %u recipients", LIMIT_RECIPIENTS);
	if (!der_any(set, &tag, &in, &r->whole))
		return fail(err, RC_PARSE, "EnvelopedData: malformed RecipientInfo");
	for (size_t i = 0; i < N(recipient_kinds) && k == NULL; i++)
		if (recipient_kinds[i].tag == tag)
			k = &recipient_kinds[i];
	if (k == NULL)
		return fail(err, RC_PARSE, "EnvelopedData: malformed RecipientInfo");
	if ((e->kinds & k->kind) == 0)
		return fail(err, RC_ALG, "EnvelopedData: %s is not taken", k->name);
	r->kind = k->kind;
	if (k->take != NULL && (rc = k->take(r, in, err)) != RC_OK)
		return rc;
	e->n_recipients++;
	return RC_OK;
}

static enum rc
take_recipients(struct cms_enveloped *e, struct der *in, struct err *err)
{
	struct der set;
	enum rc rc;

	if (!der_take(in, DER_SET, &set) || set.len == 0)
		return fail(err, RC_PARSE, "EnvelopedData: no recipients");
	while (set.len > 0)
		if ((rc = take_recipient(e, &set, err)) != RC_OK)
			return rc;
	return RC_OK;
}

/* encryptedContent [0] IMPLICIT OCTET STRING; constructed when a streaming sender cut it into
 * segments. */
static enum rc
join_segments(struct cms_enveloped *e, struct der segments, struct err *err)
{
	struct der segment;

	buf_init(&e->joined, LIMIT_SCEP_MESSAGE);
	while (segments.len > 0) {
		if (!der_take(&segments, DER_OCTET_STRING, &segment))
			return fail(err, RC_PARSE, "EnvelopedData: malformed encryptedContent");
		buf_add(&e->joined, segment.p, segment.len);
	}
	e->encrypted = (struct der){ e->joined.data, e->joined.len };
	return buf_ok(&e->joined, "encryptedContent", err);
}

static enum rc
take_encrypted(struct cms_enveloped *e, struct der *in, struct err *err)
{
	struct der segments;
	enum rc rc;

	if (in->len == 0)
		return fail(err, RC_PARSE, "EnvelopedData: no encryptedContent");
	if (der_next_is(in, DER_CTX_CONS(0)) && der_take(in, DER_CTX_CONS(0), &segments))
		rc = join_segments(e, segments, err);
	else
		rc = der_take(in, DER_CTX(0), &e->encrypted)
		    ? RC_OK
		    : fail(err, RC_PARSE, "EnvelopedData: malformed encryptedContent");
	if (rc != RC_OK)
		return rc;
	if (in->len > 0)
		return fail(err, RC_PARSE, "EnvelopedData: malformed encryptedContentInfo");
	if (e->encrypted.len == 0 || e->encrypted.len % cipher_block_size(e->cipher) != 0)
		return fail(err, RC_PARSE,
		    "EnvelopedData: %zu bytes of encryptedContent are "
		    "no whole blocks",
		    e->encrypted.len);
	return RC_OK;
}

static enum rc
take_content_info(struct cms_enveloped *e, struct der *in, struct err *err)
{
	struct cms_alg alg;
	struct der seq;
	enum rc rc;

	if (!der_take(in, DER_SEQUENCE, &seq) || !der_take_oid(&seq, e->content_type))
		return fail(err, RC_PARSE, "EnvelopedData: malformed encryptedContentInfo");
	if ((rc = cms_alg_take(&seq, &alg, "contentEncryptionAlgorithm", err)) != RC_OK ||
	    (rc = cms_cipher_of(&alg, &e->cipher, &e->iv, err)) != RC_OK)
		return rc;
	return take_encrypted(e, &seq, err);
}

static enum rc
take_enveloped_data(struct cms_enveloped *e, struct der *in, struct err *err)
{
	struct der skipped;
	uint64_t version;
	enum rc rc;

	if (!der_take_u64(in, &version) ||
	    (der_next_is(in, DER_CTX_CONS(0)) && !der_take(in, DER_CTX_CONS(0), &skipped)))
		return fail(err, RC_PARSE, "EnvelopedData: malformed");
	if ((rc = take_recipients(e, in, err)) != RC_OK ||
	    (rc = take_content_info(e, in, err)) != RC_OK)
		return rc;
	if ((in->len > 0 && !der_take(in, DER_CTX_CONS(1), &skipped)) || in->len > 0)
		return fail(err, RC_PARSE, "EnvelopedData: malformed at its end");
	return RC_OK;
}

enum rc
cms_enveloped_parse(struct cms_enveloped **out, const void *bytes, size_t len, struct err *err)
{
	return cms_enveloped_parse_kinds(out, bytes, len, CMS_KEY_TRANS, err);
}

enum rc
cms_enveloped_parse_kinds(
    struct cms_enveloped **out, const void *bytes, size_t len, unsigned kinds, struct err *err)
{
	struct cms_enveloped *e;
	struct der seq;
	enum rc rc;

	if (!(e = calloc(1, sizeof *e)))
		return fail(err, RC_NOMEM, "EnvelopedData: out of memory");
	e->kinds = kinds;
	rc =
	    cms_content_info(&e->bytes, &seq, OID_ENVELOPED_DATA, "EnvelopedData", bytes, len, err);
	if (rc == RC_OK)
		rc = take_enveloped_data(e, &seq, err);
	if (rc != RC_OK) {
		cms_enveloped_free(e);
		return rc;
	}
	*out = e;
	return RC_OK;
}

void
cms_enveloped_free(struct cms_enveloped *e)
{
	if (!e)
		return;
	buf_done(&e->joined);
	buf_done(&e->bytes);
	free(e);
}

const char *
cms_enveloped_content_type(const struct cms_enveloped *e)
{
	return e->content_type;
}

enum cipher
cms_enveloped_cipher(const struct cms_enveloped *e)
{
	return e->cipher;
}

size_t
cms_enveloped_n_recipients(const struct cms_enveloped *e)
{
	return e->n_recipients;
}

enum cms_kind
cms_enveloped_kind(const struct cms_enveloped *e, size_t i)
{
	return e->recipients[i].kind;
}

static const struct recipient *
of_kind(const struct cms_enveloped *e, size_t i, enum cms_kind kind)
{
	return i < e->n_recipients && e->recipients[i].kind == kind ? &e->recipients[i] : NULL;
}

const struct transport *
cms_enveloped_transport0(const struct cms_enveloped *e, size_t i)
{
	const struct recipient *r = of_kind(e, i, CMS_KEY_TRANS);

	return r != NULL ? &r->transport : NULL;
}

struct der
cms_enveloped_key0(const struct cms_enveloped *e, size_t i)
{
	const struct recipient *r = of_kind(e, i, CMS_KEY_TRANS);

	return r != NULL ? r->wrapped : (struct der){ 0 };
}

const struct cms_kari *
cms_enveloped_kari0(const struct cms_enveloped *e, size_t i)
{
	const struct recipient *r = of_kind(e, i, CMS_KEY_AGREE);

	return r != NULL ? &r->kari : NULL;
}

struct der
cms_enveloped_password0(const struct cms_enveloped *e, size_t i)
{
	const struct recipient *r = of_kind(e, i, CMS_PASSWORD);

	return r != NULL ? r->whole : (struct der){ 0 };
}

enum cms_match
cms_enveloped_match(const struct cms_enveloped *e, const struct cms_cert *c, size_t *index)
{
	const struct cms_id *id = &e->recipients[0].id;
	size_t i;

	for (i = 0; i < e->n_recipients; i++) {
		if (cms_id_matches(&e->recipients[i].id, c)) {
			*index = i;
			return CMS_MATCH_EXACT;
		}
	}
	if (e->n_recipients != 1 || id->issuer.p == NULL || !cms_same_issuer(id->issuer, c->issuer))
		return CMS_MATCH_NONE;
	*index = 0;
	return CMS_MATCH_ISSUER;
}

enum rc
cms_enveloped_open_blind(struct buf *out, bool *good, const struct cms_enveloped *e,
    const uint8_t *cek, size_t cek_len, struct err *err)
{
	enum rc rc;

	if (cek_len != cipher_key_size(e->cipher))
		return fail(err, RC_BUG, "a content-encryption key of %zu bytes for %s", cek_len,
		    cipher_name(e->cipher));
	rc = cbc_decrypt_blind(
	    out, good, e->cipher, cek, e->iv.p, e->encrypted.p, e->encrypted.len, err);
	return rc == RC_INTEGRITY ? fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED) : rc;
}

enum rc
cms_enveloped_open(struct buf *out, const struct cms_enveloped *e, const uint8_t *cek,
    size_t cek_len, struct err *err)
{
	size_t start = out->len;
	bool good = false;
	enum rc rc = cms_enveloped_open_blind(out, &good, e, cek, cek_len, err);

	if (rc != RC_OK || good)
		return rc;
	wipe(out->data + start, out->len - start);
	out->len = start;
	return fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED);
}
