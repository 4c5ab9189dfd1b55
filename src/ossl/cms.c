/*
 * cms.c - what SignedData and EnvelopedData have in common: ContentInfo, and how they mean a
 * certificate.
 */
#include "ossl/cms.h"

#include <string.h>

#include "ossl/cms_ber.h"
#include "ossl/cms_int.h"

#define AUTH_ENVELOPED_DATA "1.2.840.113549.1.9.16.1.23"

static const struct {
	const char *oid, *name;
} content_types[] = {
	{ OID_DATA, "data" },
	{ OID_SIGNED_DATA, "SignedData" },
	{ OID_ENVELOPED_DATA, "EnvelopedData" },
	{ "1.2.840.113549.1.7.5", "DigestedData" },
	{ "1.2.840.113549.1.7.6", "EncryptedData" },
	{ "1.2.840.113549.1.9.16.1.2", "AuthenticatedData" },
	{ AUTH_ENVELOPED_DATA, "AuthEnvelopedData" },
};

static enum rc
wrong_content_type(const char *what, const char *oid, struct err *err)
{
	enum rc rc = strcmp(oid, AUTH_ENVELOPED_DATA) == 0 ? RC_ALG : RC_PARSE;
	size_t i;

	for (i = 0; i < sizeof content_types / sizeof content_types[0]; i++)
		if (strcmp(oid, content_types[i].oid) == 0)
			oid = content_types[i].name;
	return fail(err, rc, "%s instead of %s", oid, what);
}

enum rc
cms_content_info(struct buf *store, struct der *seq, const char *oid, const char *what,
    const void *bytes, size_t len, struct err *err)
{
	struct der in, info, content;
	char type[OID_TEXT_MAX];
	enum rc rc;

	if (len > LIMIT_SCEP_MESSAGE)
		return fail(err, RC_LIMIT, "%s: more than %u bytes", what, LIMIT_SCEP_MESSAGE);
	buf_init(store, LIMIT_SCEP_MESSAGE + KIB);
	if ((rc = ber_normalise(store, bytes, len, what, err)) != RC_OK)
		return rc;
	in = (struct der){ store->data, store->len };
	if (!der_take(&in, DER_SEQUENCE, &info) || !der_take_oid(&info, type))
		return fail(err, RC_PARSE, "%s: not a ContentInfo", what);
	if (strcmp(type, oid) != 0)
		return wrong_content_type(what, type, err);
	if (!der_take(&info, DER_CTX_CONS(0), &content) || info.len > 0 ||
	    !der_take(&content, DER_SEQUENCE, seq) || content.len > 0)
		return fail(err, RC_PARSE, "%s: malformed ContentInfo", what);
	return RC_OK;
}

static bool
same_serial(struct der a, struct der b)
{
	while (a.len > 1 && a.p[0] == 0)
		a.p++, a.len--;
	while (b.len > 1 && b.p[0] == 0)
		b.p++, b.len--;
	return der_same(&a, &b);
}

/* Some stacks write the issuer anew with other string types; name_same() sees through that. */
bool
cms_same_issuer(struct der a, struct der b)
{
	struct name na = { 0 }, nb = { 0 };
	bool same = false;

	if (der_same(&a, &b))
		return true;
	if (name_parse(&na, a.p, a.len, NULL) != RC_OK)
		return false;
	if (name_parse(&nb, b.p, b.len, NULL) == RC_OK)
		same = name_same(&na, &nb);
	name_done(&na);
	name_done(&nb);
	return same;
}

bool
cms_id_matches(const struct cms_id *id, const struct cms_cert *c)
{
	uint8_t key_id[CMS_KEY_ID_MAX];
	size_t len;

	if (id->ski.p != NULL)
		return cms_key_id(c, key_id, &len, NULL) == RC_OK && len == id->ski.len &&
		    memcmp(key_id, id->ski.p, len) == 0;
	return id->issuer.p != NULL && same_serial(id->serial, c->serial) &&
	    cms_same_issuer(id->issuer, c->issuer);
}

/* IssuerAndSerialNumber, or [0] IMPLICIT SubjectKeyIdentifier (RFC 5652 5.3, 6.2.1). */
enum rc
cms_id_take(struct der *in, struct cms_id *out, const char *what, struct err *err)
{
	struct der seq;

	*out = (struct cms_id){ 0 };
	if (der_next_is(in, DER_CTX(0)) && der_take(in, DER_CTX(0), &out->ski) && out->ski.len > 0)
		return RC_OK;
	if (!der_take(in, DER_SEQUENCE, &seq) ||
	    !der_take_whole(&seq, DER_SEQUENCE, &out->issuer) ||
	    !der_take(&seq, DER_INTEGER, &out->serial) || out->serial.len == 0 || seq.len > 0)
		return fail(err, RC_PARSE,
		    "%s: neither issuerAndSerialNumber nor "
		    "subjectKeyIdentifier",
		    what);
	return RC_OK;
}

enum rc
cms_id_add(struct buf *b, const struct cms_cert *c, bool by_ski, struct err *err)
{
	uint8_t key_id[CMS_KEY_ID_MAX];
	size_t mark, len;
	enum rc rc;

	if (by_ski) {
		if ((rc = cms_key_id(c, key_id, &len, err)) == RC_OK)
			der_add(b, DER_CTX(0), key_id, len);
		return rc;
	}
	mark = der_open(b, DER_SEQUENCE);
	buf_add(b, c->issuer.p, c->issuer.len);
	der_add(b, DER_INTEGER, c->serial.p, c->serial.len);
	der_close(b, mark);
	return RC_OK;
}
