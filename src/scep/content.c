/*
 * content.c - see content.h.
 */
#include "scep/content.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 8894 3.3, and no more: a type 18 that slipped through was CVE-2026-30836. */
static const struct {
	enum scep_message_type type;
	enum content_form form;
} types[] = {
	{ SCEP_PKCS_REQ, FORM_CSR },
	{ SCEP_RENEWAL_REQ, FORM_CSR },
	{ SCEP_CERT_POLL, FORM_ISSUER_AND_SUBJECT },
	{ SCEP_GET_CERT, FORM_ISSUER_AND_SERIAL },
	{ SCEP_GET_CRL, FORM_ISSUER_AND_SERIAL },
};

enum rc
content_form_of(enum content_form *form, int message_type, struct err *err)
{
	size_t i;

	for (i = 0; i < N(types); i++) {
		if ((int)types[i].type == message_type) {
			*form = types[i].form;
			return RC_OK;
		}
	}
	return fail(
	    err, RC_DENIED, "messageType %d is no request (RFC 8894 3.2.1.2)", message_type);
}

/* AttributeTypeAndValue { OBJECT IDENTIFIER, any } */
static bool
is_attribute(struct der *set)
{
	char oid[OID_TEXT_MAX];
	struct der seq;
	uint8_t tag;

	return der_take(set, DER_SEQUENCE, &seq) && der_take_oid(&seq, oid) &&
	    der_any(&seq, &tag, NULL, NULL) && seq.len == 0;
}

/*
 * RDNSequence (RFC 5280 4.1.2.4), as a form: the values are not judged, since these names are only
 * compared, and old devices write odd ones.
 */
static bool
take_name(struct der *in, struct der *whole)
{
	struct der name, set, copy;

	if (!der_take_whole(in, DER_SEQUENCE, whole))
		return false;
	copy = *whole;
	if (!der_take(&copy, DER_SEQUENCE, &name))
		return false;
	while (name.len > 0) {
		if (!der_take(&name, DER_SET, &set) || set.len == 0)
			return false;
		while (set.len > 0)
			if (!is_attribute(&set))
				return false;
	}
	return true;
}

static enum rc
parse_csr(struct content *c, struct der seq, struct err *err)
{
	struct der info, algorithm, signature;

	if (!der_take(&seq, DER_SEQUENCE, &info) || !der_take(&seq, DER_SEQUENCE, &algorithm) ||
	    !der_take(&seq, DER_BIT_STRING, &signature) || seq.len > 0)
		return fail(err, RC_PARSE, "no CertificationRequest (RFC 2986 4.2)");
	return RC_OK;
}

static enum rc
parse_issuer_subject(struct content *c, struct der seq, struct err *err)
{
	if (!take_name(&seq, &c->issuer) || !take_name(&seq, &c->subject) || seq.len > 0)
		return fail(err, RC_PARSE, "no IssuerAndSubject (RFC 8894 3.3.3)");
	return RC_OK;
}

static enum rc
parse_issuer_serial(struct content *c, struct der seq, struct err *err)
{
	if (!take_name(&seq, &c->issuer) || !der_take(&seq, DER_INTEGER, &c->serial) ||
	    c->serial.len == 0 || seq.len > 0)
		return fail(err, RC_PARSE, "no IssuerAndSerialNumber (RFC 8894 3.3.4)");
	if (c->serial.len > SCEP_SERIAL_MAX)
		return fail(err, RC_LIMIT, "a serial number of %zu octets", c->serial.len);
	return RC_OK;
}

static enum rc (*const parsers[])(struct content *, struct der, struct err *) = {
	[FORM_CSR] = parse_csr,
	[FORM_ISSUER_AND_SUBJECT] = parse_issuer_subject,
	[FORM_ISSUER_AND_SERIAL] = parse_issuer_serial,
};

enum rc
content_parse(
    struct content *out, enum content_form form, const void *bytes, size_t len, struct err *err)
{
	struct der in = { bytes, len }, seq;
	struct content c = { 0 };
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len > 0)
		return fail(err, RC_PARSE, "the content is not one SEQUENCE");
	if ((rc = parsers[form](&c, seq, err)) == RC_OK)
		*out = c;
	return rc;
}

enum rc
content_add(struct buf *out, enum content_form form, const struct content *c, struct err *err)
{
	size_t start = out->len, seq = der_open(out, DER_SEQUENCE);
	struct content again;
	enum rc rc;

	buf_add(out, c->issuer.p, c->issuer.len);
	if (form == FORM_ISSUER_AND_SUBJECT)
		buf_add(out, c->subject.p, c->subject.len);
	else
		der_add(out, DER_INTEGER, c->serial.p, c->serial.len);
	der_close(out, seq);
	if ((rc = buf_ok(out, "the request", err)) != RC_OK)
		return rc;
	return content_parse(&again, form, out->data + start, out->len - start, err);
}
