/*
 * cms_cert.c - the few fields of a certificate that identify signers and recipients.
 */
#include "ossl/cms.h"

#include <string.h>

#include "ossl/cms_int.h"

static const char oid_rsa[] = "1.2.840.113549.1.1.1";
static const char oid_ec[] = "1.2.840.10045.2.1";
static const char oid_ski[] = "2.5.29.14";

/* RFC 5280 4.1.2.9; a malformed list of extensions is as good as none. */
static struct der
find_ski(struct der tbs)
{
	struct der wrapper, list, ext, value, ski, none = { 0 };
	char oid[OID_TEXT_MAX];
	uint8_t tag;

	while (tbs.len > 0 && !der_next_is(&tbs, DER_CTX_CONS(3)))
		if (!der_any(&tbs, &tag, NULL, NULL))
			return none;
	if (!der_take(&tbs, DER_CTX_CONS(3), &wrapper) || !der_take(&wrapper, DER_SEQUENCE, &list))
		return none;
	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &ext) || !der_take_oid(&ext, oid))
			return none;
		if (strcmp(oid, oid_ski) != 0)
			continue;
		if (der_next_is(&ext, DER_BOOLEAN) && !der_any(&ext, &tag, NULL, NULL))
			return none;
		if (der_take(&ext, DER_OCTET_STRING, &value) &&
		    der_take(&value, DER_OCTET_STRING, &ski) && ski.len > 0)
			return ski;
		return none;
	}
	return none;
}

static enum key_type
find_key_type(struct der spki)
{
	char oid[OID_TEXT_MAX];
	struct der seq, alg;

	if (!der_take(&spki, DER_SEQUENCE, &seq) || !der_take(&seq, DER_SEQUENCE, &alg) ||
	    !der_take_oid(&alg, oid))
		return 0;
	return strcmp(oid, oid_rsa) == 0 ? KEY_RSA : strcmp(oid, oid_ec) == 0 ? KEY_EC : 0;
}

enum rc
cms_cert_peek(struct cms_cert *out, const void *der, size_t len, struct err *err)
{
	struct der in = { der, len }, seq, tbs, version;
	struct cms_cert c = { 0 };
	uint8_t tag;

	if (len > LIMIT_CERT)
		return fail(err, RC_LIMIT, "certificate: more than %u bytes", LIMIT_CERT);
	if (!der_take_whole(&in, DER_SEQUENCE, &c.der) || in.len > 0)
		return fail(err, RC_PARSE, "certificate: not one DER SEQUENCE");
	in = c.der;
	if (!der_take(&in, DER_SEQUENCE, &seq) || !der_take(&seq, DER_SEQUENCE, &tbs) ||
	    (der_next_is(&tbs, DER_CTX_CONS(0)) && !der_any(&tbs, &tag, &version, NULL)) ||
	    !der_take(&tbs, DER_INTEGER, &c.serial) || c.serial.len == 0 ||
	    !der_any(&tbs, &tag, NULL, NULL) || !der_take_whole(&tbs, DER_SEQUENCE, &c.issuer) ||
	    !der_any(&tbs, &tag, NULL, NULL) || !der_any(&tbs, &tag, NULL, NULL) ||
	    !der_take_whole(&tbs, DER_SEQUENCE, &c.spki))
		return fail(err, RC_PARSE, "certificate: malformed");
	c.key_type = find_key_type(c.spki);
	c.ski = find_ski(tbs);
	*out = c;
	return RC_OK;
}

/* Without the extension senders compute it themselves: SHA-1 of the key (RFC 5280 4.2.1.2, method
 * 1). */
enum rc
cms_key_id(
    const struct cms_cert *c, uint8_t out[static CMS_KEY_ID_MAX], size_t *len, struct err *err)
{
	struct der spki = c->spki, seq, bits;
	uint8_t tag;

	if (c->ski.p != NULL && c->ski.len <= CMS_KEY_ID_MAX) {
		memcpy(out, c->ski.p, c->ski.len);
		*len = c->ski.len;
		return RC_OK;
	}
	if (!der_take(&spki, DER_SEQUENCE, &seq) || !der_any(&seq, &tag, NULL, NULL) ||
	    !der_take_octet_bits(&seq, &bits))
		return fail(err, RC_PARSE, "certificate: malformed public key");
	*len = digest_size(DIGEST_SHA1);
	return digest_bytes(out, DIGEST_SHA1, bits.p, bits.len, err);
}
