/*
 * crl_read.c - see crl_read.h.
 */
#include "ossl/crl_read.h"

#include <string.h>

#include "base/text.h"
#include "ossl/csr.h"
#include "ossl/ext.h"
#include "ossl/sig_alg.h"

#define OID_ENTRY_ISSUER "2.5.29.29" /* certificateIssuer */
#define ENTRY_EXTS_MAX   8           /* real entries have two: reason and invalidity date */

/* ---- PEM ---- */

static const char *
find(const char *p, size_t len, const char *what)
{
	return len == 0 ? NULL : memmem(p, len, what, strlen(what));
}

enum rc
crl_unpack(struct der *der, struct buf *room, const void *text, size_t len, struct err *err)
{
	static const char begin[] = "-----BEGIN X509 CRL-----", end[] = "-----END X509 CRL-----";
	const char *from, *to;
	enum rc rc;

	if (len > 0 && *(const uint8_t *)text == DER_SEQUENCE) {
		*der = (struct der){ text, len };
		return RC_OK;
	}
	if ((from = find(text, len, begin)) == NULL)
		return fail(err, RC_PARSE, "is neither a revocation list in DER nor one in PEM");
	from += sizeof(begin) - 1;
	to = find(from, len - (size_t)(from - (const char *)text), end);
	if (to == NULL)
		return fail(err, RC_PARSE, "the PEM text of the revocation list ends too early");
	buf_reset(room);
	rc = base64_decode(room, from, (size_t)(to - from), BASE64_FIELD, err);
	if (rc == RC_OK)
		*der = (struct der){ room->data, room->len };
	return rc;
}

/* ---- what surrounds the entries ---- */

struct reading {
	struct crl_list l;
	struct der tbs, alg, sig, exts;
	struct name issuer;
	bool v2;
};

static enum rc
malformed(struct err *err, const char *what)
{
	return fail(err, RC_PARSE, "the revocation list's %s is malformed", what);
}

static enum rc
read_outside(struct reading *r, const void *der, size_t len, struct err *err)
{
	struct der in = { der, len }, list;

	if (len > CRL_READ_MAX)
		return fail(err, RC_LIMIT, "a revocation list of more than %u bytes", CRL_READ_MAX);
	if (!der_take(&in, DER_SEQUENCE, &list) || in.len != 0 ||
	    !der_take_whole(&list, DER_SEQUENCE, &r->tbs) ||
	    !der_take(&list, DER_SEQUENCE, &r->alg) || !der_take_octet_bits(&list, &r->sig) ||
	    list.len != 0)
		return malformed(err, "frame");
	return RC_OK;
}

/* nextUpdate may be left out by X.509, and RFC 5280 5.1.2.5 forbids that. */
static enum rc
read_times(struct crl_list *l, struct der *in, struct err *err)
{
	l->next_update = 0;
	if (!der_take_time(in, &l->this_update))
		return malformed(err, "thisUpdate");
	if ((der_next_is(in, DER_UTCTIME) || der_next_is(in, DER_GENERALIZEDTIME)) &&
	    !der_take_time(in, &l->next_update))
		return malformed(err, "nextUpdate");
	if (l->next_update != 0 && l->next_update < l->this_update)
		return fail(err, RC_PARSE, "the revocation list ends before it begins");
	return RC_OK;
}

static enum rc
read_inside(struct reading *r, struct err *err)
{
	struct der whole = r->tbs, in, alg, name;
	uint64_t version = 0;
	enum rc rc;

	if (!der_take(&whole, DER_SEQUENCE, &in) ||
	    (der_next_is(&in, DER_INTEGER) && (!der_take_u64(&in, &version) || version != 1)))
		return malformed(err, "version");
	r->v2 = version == 1;
	if (!der_take(&in, DER_SEQUENCE, &alg) || !der_same(&alg, &r->alg)) /* RFC 5280 5.1.1.2 */
		return malformed(err, "signature algorithm");
	if (!der_take_whole(&in, DER_SEQUENCE, &name))
		return malformed(err, "issuer");
	if ((rc = name_parse(&r->issuer, name.p, name.len, err)) != RC_OK ||
	    (rc = read_times(&r->l, &in, err)) != RC_OK)
		return rc;
	r->l.entries = (struct der){ in.p, 0 };
	if (der_next_is(&in, DER_SEQUENCE) && !der_take(&in, DER_SEQUENCE, &r->l.entries))
		return malformed(err, "run of entries");
	r->exts = (struct der){ in.p, 0 };
	if (in.len > 0 && (!r->v2 || !der_take(&in, DER_CTX_CONS(0), &r->exts) || in.len != 0))
		return malformed(err, "end");
	return RC_OK;
}

/* ---- extensions ---- */

/* One Extension. */
static bool
take_ext(struct der *exts, char oid[static OID_TEXT_MAX], bool *critical, struct der *value)
{
	struct der ext;

	*critical = false;
	return der_take(exts, DER_SEQUENCE, &ext) && der_take_oid(&ext, oid) &&
	    (!der_next_is(&ext, DER_BOOLEAN) || der_take_bool(&ext, critical)) &&
	    der_take(&ext, DER_OCTET_STRING, value) && ext.len == 0;
}

static enum rc
read_number(struct crl_list *l, struct der value, struct err *err)
{
	struct der mag;

	if (!der_take_magnitude(&value, &mag) || value.len != 0 || mag.len > SERIAL_MAX)
		return malformed(err, "number"); /* 20 octets: RFC 5280 5.2.3 */
	memcpy(l->number.v, mag.p, mag.len);
	l->number.len = mag.len;
	return RC_OK;
}

static enum rc
not_read(struct err *err, const char *what, const char *hint)
{
	(void)fail(err, RC_DENIED, "the revocation list is %s", what);
	return err_hint(err, "%s", hint);
}

/* RFC 5280 5.2.5.  Whatever stands in it says of what the list is only a part. */
static enum rc
refuse_point(struct der value, struct err *err)
{
	struct der idp, body;
	uint8_t tag;

	if (!der_take(&value, DER_SEQUENCE, &idp) || value.len != 0)
		return malformed(err, "issuingDistributionPoint");
	while (der_any(&idp, &tag, &body, NULL))
		if (tag == DER_CTX(4))
			return not_read(err, "an indirect one, with entries of other CAs",
			    "give the address of the CA's own list");
	if (idp.len != 0)
		return malformed(err, "issuingDistributionPoint");
	return not_read(err,
	    "one of some certificates only: it has the extension issuingDistributionPoint",
	    "give the address of a list of all certificates; with ADCS, do not include the IDP "
	    "extension of issued CRLs");
}

static enum rc
read_ext(
    struct crl_list *l, const char *oid, bool critical, const struct der *value, struct err *err)
{
	if (strcmp(oid, OID_EXT_CRL_NUMBER) == 0)
		return read_number(l, *value, err);
	if (strcmp(oid, OID_EXT_DELTA) == 0)
		return not_read(err, "a delta: what has changed since another",
		    "give the address of the full list, which deltas are deltas of");
	if (strcmp(oid, OID_EXT_IDP) == 0)
		return refuse_point(*value, err);
	if (critical && strcmp(oid, OID_EXT_AKI) != 0)
		return fail(err, RC_DENIED,
		    "the revocation list has the critical extension %s, which nobody here knows",
		    oid);
	return RC_OK;
}

static enum rc
read_exts(struct reading *r, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct oid_list seen = { 0 };
	struct der exts, value;
	bool critical;
	enum rc rc = RC_OK;

	if (r->exts.len == 0)
		return RC_OK;
	if (!der_take(&r->exts, DER_SEQUENCE, &exts) || r->exts.len != 0)
		return malformed(err, "run of extensions");
	while (rc == RC_OK && exts.len > 0) {
		if (!take_ext(&exts, oid, &critical, &value))
			rc = malformed(err, "extension");
		else if (oid_list_has(&seen, oid))
			rc = fail(err, RC_PARSE, "extension %s is there twice", oid);
		else if ((rc = oid_list_add(&seen, oid, EXTENSIONS_MAX, err)) == RC_OK)
			rc = read_ext(&r->l, oid, critical, &value, err);
	}
	oid_list_done(&seen);
	return rc;
}

/* ---- entries ---- */

enum entry { ENTRY_GOOD, ENTRY_BAD, ENTRY_INDIRECT, ENTRY_CRITICAL, ENTRY_REMOVED };

/* 7 is unused, and what comes after 10 nobody knows: revoked all the same (RFC 5280 5.3.1). */
static enum entry
read_reason(int *reason, struct der value)
{
	struct der v;

	if (!der_take(&value, DER_ENUMERATED, &v) || value.len != 0 || v.len != 1)
		return ENTRY_BAD;
	*reason = v.p[0] > 10 || v.p[0] == 7 ? 0 : v.p[0];
	return v.p[0] == 8 ? ENTRY_REMOVED : ENTRY_GOOD;
}

static enum entry
read_entry_exts(int *reason, struct der in)
{
	char oid[OID_TEXT_MAX];
	struct der exts, value;
	enum entry e = ENTRY_GOOD;
	bool critical, told = false;
	size_t n = 0;

	if (!der_take(&in, DER_SEQUENCE, &exts) || in.len != 0)
		return ENTRY_BAD;
	while (e == ENTRY_GOOD && exts.len > 0) {
		if (++n > ENTRY_EXTS_MAX || !take_ext(&exts, oid, &critical, &value))
			return ENTRY_BAD;
		if (strcmp(oid, OID_EXT_CRL_REASON) == 0) {
			e = told ? ENTRY_BAD : read_reason(reason, value);
			told = true;
		} else if (critical) {
			e = strcmp(oid, OID_ENTRY_ISSUER) == 0 ? ENTRY_INDIRECT : ENTRY_CRITICAL;
		}
	}
	return e;
}

static enum entry
take_entry(struct der *rest, struct crl_revoked *out)
{
	struct der e;

	*out = (struct crl_revoked){ .reason = 0 };
	if (!der_take(rest, DER_SEQUENCE, &e) || !der_take_magnitude(&e, &out->serial) ||
	    out->serial.len > SERIAL_MAX || !der_take_time(&e, &out->when))
		return ENTRY_BAD;
	return e.len == 0 ? ENTRY_GOOD : read_entry_exts(&out->reason, e);
}

static enum rc
read_entries(struct reading *r, struct err *err)
{
	static const char *const why[] = {
		[ENTRY_BAD] = "is malformed",
		[ENTRY_INDIRECT] = "is of another CA",
		[ENTRY_CRITICAL] = "has a critical extension that nobody here knows",
		[ENTRY_REMOVED] = "says removeFromCRL, which only a delta may",
	};
	struct der rest = r->l.entries;
	struct crl_revoked got;
	enum entry e;

	for (r->l.n = 0; rest.len > 0; r->l.n++) {
		e = take_entry(&rest, &got);
		if (e == ENTRY_GOOD && got.reason != 0 && !r->v2)
			e = ENTRY_BAD; /* RFC 5280 5.1.2.1 */
		if (e != ENTRY_GOOD)
			return fail(err, e == ENTRY_BAD ? RC_PARSE : RC_DENIED,
			    "entry %zu of the revocation list %s", r->l.n + 1, why[e]);
	}
	return RC_OK;
}

bool
crl_next(struct der *rest, struct crl_revoked *out)
{
	return rest->len > 0 && take_entry(rest, out) == ENTRY_GOOD;
}

/* ---- the door ---- */

static enum rc
check_issuer(const struct reading *r, const struct cert *issuer, struct err *err)
{
	unsigned ku;

	if (!name_same(&r->issuer, cert_subject0(issuer)))
		return fail(err, RC_INTEGRITY, "the revocation list is another CA's");
	if (cert_has_key_usage(issuer, &ku) && (ku & KU_CRL_SIGN) == 0)
		return fail(err, RC_DENIED, "the CA's certificate does not allow it to sign lists");
	return sig_alg_verify(&r->alg, cert_key0(issuer), &r->tbs, &r->sig, "revocation list", err);
}

/* The entries last: what nobody has signed is not walked through. */
enum rc
crl_read(
    struct crl_list *out, const void *der, size_t len, const struct cert *issuer, struct err *err)
{
	struct reading r = { .v2 = false };
	enum rc rc = read_outside(&r, der, len, err);

	if (rc == RC_OK)
		rc = read_inside(&r, err);
	if (rc == RC_OK)
		rc = check_issuer(&r, issuer, err);
	if (rc == RC_OK)
		rc = read_exts(&r, err);
	if (rc == RC_OK)
		rc = read_entries(&r, err);
	name_done(&r.issuer);
	if (rc == RC_OK)
		*out = r.l;
	return rc;
}
