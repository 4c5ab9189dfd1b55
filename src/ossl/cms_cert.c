/*
 * cms_cert.c - the few fields of a certificate that identify signers and recipients.
 */
#include "ossl/cms.h"

#include <string.h>

#include "ossl/cms_int.h"
#include "ossl/ext.h"

static const char oid_rsa[] = "1.2.840.113549.1.1.1";
static const char oid_ec[] = "1.2.840.10045.2.1";
/* What is malformed is as good as absent, since nothing is decided by it but who is meant. */
static void
take_ski(struct cms_cert *c, struct der value)
{
	struct der ski;

	if (c->ski.p == NULL && der_take(&value, DER_OCTET_STRING, &ski) && ski.len > 0)
		c->ski = ski;
}

/* Of this the first counts, and what is malformed allows nothing. */
static void
take_key_usage(struct cms_cert *c, struct der value)
{
	unsigned bits;

	if (!c->has_key_usage && der_take_named_bits(&value, &bits))
		c->key_usage = bits;
	c->has_key_usage = true;
}

static const struct {
	const char *oid;
	void (*take)(struct cms_cert *c, struct der value);
} extensions[] = {
	{ OID_EXT_SKI, take_ski },
	{ OID_EXT_KEY_USAGE, take_key_usage },
};

/* RFC 5280 4.1.2.9; a malformed list of extensions ends where it is malformed. */
static void
take_extensions(struct cms_cert *c, struct der tbs)
{
	struct der wrapper, list, ext, value;
	char oid[OID_TEXT_MAX];
	uint8_t tag;
	size_t i;

	while (tbs.len > 0 && !der_next_is(&tbs, DER_CTX_CONS(3)))
		if (!der_any(&tbs, &tag, NULL, NULL))
			return;
	if (!der_take(&tbs, DER_CTX_CONS(3), &wrapper) || !der_take(&wrapper, DER_SEQUENCE, &list))
		return;
	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &ext) || !der_take_oid(&ext, oid) ||
		    (der_next_is(&ext, DER_BOOLEAN) && !der_any(&ext, &tag, NULL, NULL)) ||
		    !der_take(&ext, DER_OCTET_STRING, &value))
			return;
		for (i = 0; i < sizeof extensions / sizeof extensions[0]; i++)
			if (strcmp(oid, extensions[i].oid) == 0)
				extensions[i].take(c, value);
	}
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
	    !der_any(&tbs, &tag, NULL, NULL) || !der_any(&tbs, &tag, NULL, &c.subject) ||
	    !der_take_whole(&tbs, DER_SEQUENCE, &c.spki))
		return fail(err, RC_PARSE, "certificate: malformed");
	c.key_type = find_key_type(c.spki);
	take_extensions(&c, tbs);
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
