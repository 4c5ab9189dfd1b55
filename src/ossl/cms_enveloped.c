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

struct recipient {
	struct cms_id id;
	struct transport transport;
	struct der wrapped;
};

struct cms_enveloped {
	struct buf bytes; /* DER; what is below points into it */
	struct recipient recipients[LIMIT_RECIPIENTS];
	size_t n_recipients;
	char content_type[OID_TEXT_MAX];
	enum cipher cipher;
	struct der iv, encrypted; /* encrypted may point into `joined` */
	struct buf joined;
};

/* RecipientInfo is a CHOICE (RFC 5652 6.2); only KeyTransRecipientInfo has no tag of its own. */
static const char *
other_recipient(uint8_t tag)
{
	static const char *const names[] = { NULL, "KeyAgreeRecipientInfo", "KEKRecipientInfo",
		"PasswordRecipientInfo", "OtherRecipientInfo" };

	return tag >= 0xa1 && tag <= 0xa4 ? names[tag - 0xa0] : NULL;
}

static enum rc
take_recipient(struct cms_enveloped *e, struct der *set, struct err *err)
{
	struct recipient *r = &e->recipients[e->n_recipients];
	struct cms_alg alg;
	uint64_t version;
	struct der in;
	enum rc rc;

	if (e->n_recipients == LIMIT_RECIPIENTS)
		return fail(
		    err, RC_LIMIT, "EnvelopedData: more than %u recipients", LIMIT_RECIPIENTS);
	if (other_recipient(*set->p))
		return fail(
		    err, RC_ALG, "EnvelopedData: %s is not taken", other_recipient(*set->p));
	if (!der_take(set, DER_SEQUENCE, &in) || !der_take_u64(&in, &version))
		return fail(err, RC_PARSE, "EnvelopedData: malformed RecipientInfo");
	if ((rc = cms_id_take(&in, &r->id, "RecipientInfo", err)) != RC_OK ||
	    (rc = cms_alg_take(&in, &alg, "keyEncryptionAlgorithm", err)) != RC_OK ||
	    (rc = cms_transport_of(&alg, &r->transport, err)) != RC_OK)
		return rc;
	if (!der_take(&in, DER_OCTET_STRING, &r->wrapped) || in.len > 0 || r->wrapped.len == 0)
		return fail(err, RC_PARSE, "EnvelopedData: no encryptedKey");
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
	struct cms_enveloped *e;
	struct der seq;
	enum rc rc;

	if (!(e = calloc(1, sizeof *e)))
		return fail(err, RC_NOMEM, "EnvelopedData: out of memory");
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

const struct transport *
cms_enveloped_transport0(const struct cms_enveloped *e, size_t i)
{
	return i < e->n_recipients ? &e->recipients[i].transport : NULL;
}

struct der
cms_enveloped_key0(const struct cms_enveloped *e, size_t i)
{
	return i < e->n_recipients ? e->recipients[i].wrapped : (struct der){ 0 };
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
cms_enveloped_open(struct buf *out, const struct cms_enveloped *e, const uint8_t *cek,
    size_t cek_len, struct err *err)
{
	enum rc rc;

	if (cek_len != cipher_key_size(e->cipher))
		return fail(err, RC_BUG, "a content-encryption key of %zu bytes for %s", cek_len,
		    cipher_name(e->cipher));
	rc = cbc_decrypt(out, e->cipher, cek, e->iv.p, e->encrypted.p, e->encrypted.len, err);
	return rc == RC_INTEGRITY ? fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED) : rc;
}
