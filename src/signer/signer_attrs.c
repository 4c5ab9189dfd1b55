/*
 * signer_attrs.c - the rule for what an RA key signs: the signed attributes of a CertRep and
 * nothing else.
 *
 * A SET OF Attribute (RFC 5652 5.4) begins with 0x31 and so is never a certificate, request or
 * list.  Within it every attribute is one that RFC 8894 3.2.1 lets a CertRep have.
 */
#include <string.h>

#include "ossl/cms.h"
#include "signer/signer_check.h"

#define ATTRS_MAX 16 /* a CertRep has up to ten */

#define OID_MESSAGE_TYPE    "2.16.840.1.113733.1.9.2"
#define OID_PKI_STATUS      "2.16.840.1.113733.1.9.3"
#define OID_FAIL_INFO       "2.16.840.1.113733.1.9.4"
#define OID_SENDER_NONCE    "2.16.840.1.113733.1.9.5"
#define OID_RECIPIENT_NONCE "2.16.840.1.113733.1.9.6"
#define OID_TRANSACTION_ID  "2.16.840.1.113733.1.9.7"
#define OID_FAIL_INFO_TEXT  "1.3.6.1.5.5.7.24.1"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static bool
is_certrep(enum digest d, struct der value)
{
	struct der text;

	/* messageType 3 (RFC 8894 3.2.1.2) */
	return der_take(&value, DER_PRINTABLE, &text) && value.len == 0 && text.len == 1 &&
	    text.p[0] == '3';
}

static bool
is_data(enum digest d, struct der value)
{
	char oid[OID_TEXT_MAX];

	return der_take_oid(&value, oid) && value.len == 0 && strcmp(oid, OID_DATA) == 0;
}

static bool
is_digest(enum digest d, struct der value)
{
	struct der octets;

	return der_take(&value, DER_OCTET_STRING, &octets) && value.len == 0 &&
	    octets.len == digest_size(d);
}

static const struct {
	const char *oid, *name;
	bool needed;
	bool (*fits)(enum digest d, struct der value); /* NULL: any value */
} known[] = {
	{ OID_CONTENT_TYPE, "contentType", true, is_data },
	{ OID_MESSAGE_DIGEST, "messageDigest", true, is_digest },
	{ OID_MESSAGE_TYPE, "messageType", true, is_certrep },
	{ OID_PKI_STATUS, "pkiStatus", true, NULL },
	{ OID_TRANSACTION_ID, "transactionID", true, NULL },
	{ OID_SIGNING_TIME, "signingTime", false, NULL },
	{ OID_FAIL_INFO, "failInfo", false, NULL },
	{ OID_FAIL_INFO_TEXT, "failInfoText", false, NULL },
	{ OID_SENDER_NONCE, "senderNonce", false, NULL },
	{ OID_RECIPIENT_NONCE, "recipientNonce", false, NULL },
};

/* X.690 11.6: a SET OF in DER is in ascending order. */
static bool
ascending(const struct der *a, const struct der *b)
{
	int diff = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);

	return diff < 0 || (diff == 0 && a->len < b->len);
}

/* One Attribute: known, with one value that fits.  Sets its bit in *seen. */
static enum rc
judge_attr(struct der attr, enum digest d, unsigned *seen, struct err *err)
{
	struct der values, value;
	char oid[OID_TEXT_MAX];
	size_t i = 0;
	uint8_t tag;

	if (!der_take_oid(&attr, oid) || !der_take(&attr, DER_SET, &values) || attr.len != 0)
		return fail(err, RC_PARSE, "signer: an attribute is malformed");
	while (i < N(known) && strcmp(oid, known[i].oid) != 0)
		i++;
	if (i == N(known))
		return fail(err, RC_DENIED, "signer: a CertRep has no attribute %s", oid);
	if (*seen & (1u << i))
		return fail(err, RC_DENIED, "signer: attribute %s comes twice", known[i].name);
	*seen |= 1u << i;
	value = values;
	if (!der_any(&values, &tag, NULL, NULL) || values.len != 0)
		return fail(
		    err, RC_DENIED, "signer: attribute %s has not one value", known[i].name);
	if (known[i].fits != NULL && !known[i].fits(d, value))
		return fail(err, RC_DENIED, "signer: %s is not that of a CertRep", known[i].name);
	return RC_OK;
}

static enum rc
judge_set(struct der set, enum digest d, unsigned *seen, struct err *err)
{
	struct der attr, whole, last = { NULL, 0 };
	enum rc rc = RC_OK;

	for (size_t n = 0; set.len > 0 && rc == RC_OK; n++) {
		uint8_t tag;

		if (n == ATTRS_MAX)
			return fail(err, RC_DENIED, "signer: more than %d attributes", ATTRS_MAX);
		if (!der_any(&set, &tag, &attr, &whole) || tag != DER_SEQUENCE)
			return fail(err, RC_PARSE, "signer: an attribute is malformed");
		if (n > 0 && !ascending(&last, &whole))
			return fail(err, RC_DENIED, "signer: the attributes are not in DER order");
		last = whole;
		rc = judge_attr(attr, d, seen, err);
	}
	return rc;
}

enum rc
check_certrep_attrs(enum digest d, const uint8_t *attrs, size_t len, struct err *err)
{
	struct der whole = { attrs, len }, set;
	unsigned seen = 0;
	enum rc rc;

	if (!der_take(&whole, DER_SET, &set) || whole.len != 0)
		return fail(err, RC_DENIED, "signer: an RA key signs attributes of a CertRep only");
	rc = judge_set(set, d, &seen, err);
	for (size_t i = 0; i < N(known) && rc == RC_OK; i++)
		if (known[i].needed && !(seen & (1u << i)))
			rc = fail(err, RC_DENIED, "signer: %s is absent", known[i].name);
	return rc;
}
