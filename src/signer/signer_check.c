/*
 * signer_check.c - the rules for leaf certificates, in the order in which RFC 5280 4.1 writes a
 * TBSCertificate.
 *
 * Read with the plain DER reader and without building keys or names: the signer looks at bytes,
 * takes microseconds, and shares no parser with what produced them.
 */
#include "signer/signer_check.h"

#include <string.h>

#include "ossl/csr.h"
#include "ossl/name.h"
#include "ossl/sig_alg.h"

#define SERIAL_MIN 8 /* octets: RFC 5280 4.1.2.2 and CA/Browser BR 7.1 ask for 64 bits */
#define AHEAD_MAX                                                                                  \
	(7 * 86400) /* seconds; clocks differ, and nobody orders certificates in advance */
#define EXTS_MAX 32 /* in one certificate; ours have nine */
#define KU_CA    (KU_KEY_CERT_SIGN | KU_CRL_SIGN)

#define EXT_KEY_USAGE "2.5.29.15"
#define EXT_SAN       "2.5.29.17"
#define EXT_BASIC     "2.5.29.19"
#define EXT_EKU       "2.5.29.37"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- signature algorithms ---- */

enum rc
check_sig_alg(enum digest *digest, const struct der *alg, enum key_type key, struct err *err)
{
	const struct sig_alg *found = NULL;
	struct der in = *alg;
	char oid[OID_TEXT_MAX];

	if (!der_take_oid(&in, oid))
		return fail(err, RC_PARSE, "signer: the signature algorithm is malformed");
	switch (sig_alg_parse_own(&found, alg, err)) {
	case RC_OK:
		break;
	case RC_PARSE:
		return fail(err, RC_PARSE,
		    "signer: the parameters of the signature algorithm are malformed");
	default:
		found = NULL;
	}
	if (found == NULL || found->key != key)
		return fail(err, RC_DENIED,
		    "signer: signature algorithm %s does not fit the CA's key", oid);
	*digest = found->digest;
	return RC_OK;
}

enum digest
digest_for_key(const struct key *k)
{
	const struct key_info *info = key_info0(k);

	if (info->type != KEY_EC)
		return DIGEST_SHA256;
	return info->bits > 384 ? DIGEST_SHA512 : info->bits > 256 ? DIGEST_SHA384 : DIGEST_SHA256;
}

/* ---- extensions ---- */

enum rc
check_take_ext(struct ext *out, struct der *list, struct err *err)
{
	struct der ext;

	out->critical = false;
	if (!der_take(list, DER_SEQUENCE, &ext) || !der_take_oid(&ext, out->oid))
		return fail(err, RC_PARSE, "signer: an extension is malformed");
	if (der_next_is(&ext, DER_BOOLEAN) && !der_take_bool(&ext, &out->critical))
		return fail(err, RC_PARSE, "signer: extension %s is malformed", out->oid);
	if (!der_take(&ext, DER_OCTET_STRING, &out->value) || ext.len != 0)
		return fail(err, RC_PARSE, "signer: extension %s is malformed", out->oid);
	return RC_OK;
}

/* A TBSCertificate while it is read. */
struct reading {
	const struct sign_rules *rules;
	int64_t now;
	struct der in; /* what is left of it */
	struct tbs_facts facts;
	unsigned seen; /* bit i: judged[i] was there */
};

static enum rc
judge_basic(const struct reading *t, struct der value, struct err *err)
{
	struct der seq;

	/* cA DEFAULT FALSE: in DER the leaf's form is the empty SEQUENCE. */
	if (!der_take(&value, DER_SEQUENCE, &seq) || value.len != 0)
		return fail(err, RC_PARSE, "signer: basicConstraints is malformed");
	if (seq.len != 0)
		return fail(err, RC_DENIED, "signer: basicConstraints says more than \"no CA\"");
	return RC_OK;
}

static enum rc
judge_key_usage(const struct reading *t, struct der value, struct err *err)
{
	unsigned ku;

	if (!der_take_named_bits(&value, &ku) || value.len != 0 || ku == 0)
		return fail(err, RC_PARSE, "signer: keyUsage is malformed");
	if (ku & KU_CA)
		return fail(err, RC_DENIED, "signer: keyUsage has keyCertSign or cRLSign");
	if (ku & ~t->rules->key_usage)
		return fail(err, RC_DENIED, "signer: keyUsage 0x%x is outside this CA's 0x%x", ku,
		    t->rules->key_usage);
	return RC_OK;
}

static bool
eku_is_listed(const struct sign_rules *r, const char *oid)
{
	for (size_t i = 0; i < r->n_eku; i++)
		if (strcmp(r->eku[i], oid) == 0)
			return true;
	return false;
}

static enum rc
judge_eku(const struct reading *t, struct der value, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der list;

	if (!der_take(&value, DER_SEQUENCE, &list) || value.len != 0 || list.len == 0)
		return fail(err, RC_PARSE, "signer: extendedKeyUsage is malformed");
	while (list.len > 0) {
		if (!der_take_oid(&list, oid))
			return fail(err, RC_PARSE, "signer: extendedKeyUsage is malformed");
		if (!eku_is_listed(t->rules, oid))
			return fail(err, RC_DENIED,
			    "signer: extendedKeyUsage %s is not in this CA's list", oid);
	}
	return RC_OK;
}

static enum rc
judge_sid(const struct reading *t, struct der value, struct err *err)
{
	return fail(err, RC_DENIED, "signer: the SID extension is never issued");
}

/* Extensions that the signer has a say in.  Others pass unless they are critical. */
static const struct {
	const char *oid;
	const char *needed; /* what a certificate without it is denied with; NULL: not needed */
	enum rc (*judge)(const struct reading *t, struct der value, struct err *err);
} judged[] = {
	{ EXT_BASIC, "basicConstraints is absent", judge_basic },
	/* Without one a key may do everything. */
	{ EXT_KEY_USAGE, "keyUsage is absent", judge_key_usage },
	{ EXT_EKU, "extendedKeyUsage is absent", judge_eku },
	{ EXT_SAN, NULL, NULL },
	{ OID_SID_EXTENSION, NULL, judge_sid },
};

static enum rc
judge_ext(struct reading *t, const struct ext *e, struct err *err)
{
	for (size_t i = 0; i < N(judged); i++) {
		if (strcmp(e->oid, judged[i].oid) != 0)
			continue;
		if (t->seen & (1u << i))
			return fail(err, RC_DENIED, "signer: extension %s comes twice", e->oid);
		t->seen |= 1u << i;
		return judged[i].judge == NULL ? RC_OK : judged[i].judge(t, e->value, err);
	}
	if (e->critical)
		return fail(err, RC_DENIED, "signer: unknown critical extension %s", e->oid);
	return RC_OK;
}

static enum rc
read_ext_list(struct reading *t, struct der list, struct err *err)
{
	struct ext e;
	enum rc rc = RC_OK;

	for (size_t n = 0; list.len > 0 && rc == RC_OK; n++) {
		if (n == EXTS_MAX)
			return fail(err, RC_DENIED, "signer: more than %d extensions", EXTS_MAX);
		rc = check_take_ext(&e, &list, err);
		if (rc == RC_OK)
			rc = judge_ext(t, &e, err);
	}
	return rc;
}

/* ---- the clauses ---- */

static enum rc
read_version(struct reading *t, struct err *err)
{
	struct der tagged;
	uint64_t v = 0;

	if (!der_take(&t->in, DER_CTX_CONS(0), &tagged) || !der_take_u64(&tagged, &v) ||
	    tagged.len != 0 || v != 2)
		return fail(err, RC_DENIED, "signer: the certificate is not of version 3");
	return RC_OK;
}

static enum rc
read_serial(struct reading *t, struct err *err)
{
	struct der serial;

	if (!der_take_magnitude(&t->in, &serial))
		return fail(err, RC_PARSE, "signer: the serial number is malformed");
	if (serial.len < SERIAL_MIN || serial.len > SERIAL_MAX)
		return fail(err, RC_DENIED,
		    "signer: the serial number has %zu octets, not %d to %d", serial.len,
		    SERIAL_MIN, SERIAL_MAX);
	t->facts.number = serial;
	return RC_OK;
}

static enum rc
read_sig_alg(struct reading *t, struct err *err)
{
	struct der alg;

	if (!der_take(&t->in, DER_SEQUENCE, &alg))
		return fail(err, RC_PARSE, "signer: the signature algorithm is malformed");
	return check_sig_alg(&t->facts.digest, &alg, t->rules->key_type, err);
}

static enum rc
read_issuer(struct reading *t, struct err *err)
{
	struct der issuer;

	if (!der_take_whole(&t->in, DER_SEQUENCE, &issuer))
		return fail(err, RC_PARSE, "signer: the issuer is malformed");
	if (!der_same(&issuer, &t->rules->subject))
		return fail(err, RC_DENIED, "signer: the issuer is not the CA's subject");
	return RC_OK;
}

static enum rc
read_validity(struct reading *t, struct err *err)
{
	struct der validity;
	int64_t from, to;

	if (!der_take(&t->in, DER_SEQUENCE, &validity) || !der_take_time(&validity, &from) ||
	    !der_take_time(&validity, &to) || validity.len != 0)
		return fail(err, RC_PARSE, "signer: the validity is malformed");
	if (to < from)
		return fail(err, RC_DENIED, "signer: the validity ends before it begins");
	/* Who has the front for an hour shall not take certificates for later years away. */
	if (from > t->now + AHEAD_MAX)
		return fail(err, RC_DENIED,
		    "signer: the validity begins more than %d days from now", AHEAD_MAX / 86400);
	if (to - from > t->rules->max_validity)
		return fail(err, RC_DENIED, "signer: a validity of %lld s is longer than %lld s",
		    (long long)(to - from), (long long)t->rules->max_validity);
	if (to > t->rules->not_after)
		return fail(err, RC_DENIED, "signer: the validity goes past the CA's own end");
	return RC_OK;
}

static enum rc
read_subject(struct reading *t, struct err *err)
{
	struct der subject;

	if (!der_take_whole(&t->in, DER_SEQUENCE, &subject))
		return fail(err, RC_PARSE, "signer: the subject is malformed");
	/* With the CA's name it would pass for the CA (RFC 5280 3.2: self-issued). */
	if (der_same(&subject, &t->rules->subject))
		return fail(err, RC_DENIED, "signer: the subject is the CA's own");
	return RC_OK;
}

static enum rc
read_spki(struct reading *t, struct err *err)
{
	struct der spki, body;

	if (!der_take_whole(&t->in, DER_SEQUENCE, &spki))
		return fail(err, RC_PARSE, "signer: the public key is malformed");
	if (der_same(&spki, &t->rules->spki))
		return fail(err, RC_DENIED, "signer: the public key is the CA's own");
	(void)der_take(&spki, DER_SEQUENCE, &body);
	return check_spki(t->rules, body, err);
}

/* Unique identifiers (RFC 5280 4.1.2.8) are not issued, so extensions come next and last. */
static enum rc
read_extensions(struct reading *t, struct err *err)
{
	struct der tagged, list;
	enum rc rc;

	if (!der_take(&t->in, DER_CTX_CONS(3), &tagged) || t->in.len != 0 ||
	    !der_take(&tagged, DER_SEQUENCE, &list) || tagged.len != 0)
		return fail(err, RC_DENIED, "signer: no extensions, or something beside them");
	rc = read_ext_list(t, list, err);
	for (size_t i = 0; i < N(judged) && rc == RC_OK; i++)
		if (judged[i].needed != NULL && !(t->seen & (1u << i)))
			rc = fail(err, RC_DENIED, "signer: %s", judged[i].needed);
	return rc;
}

enum rc
check_tbs_cert(struct tbs_facts *out, const struct sign_rules *r, int64_t now, const uint8_t *tbs,
    size_t len, struct err *err)
{
	static enum rc (*const clauses[])(struct reading * t, struct err * err) = {
		read_version,    /* RFC 5280 4.1.2.1 */
		read_serial,     /* 4.1.2.2 */
		read_sig_alg,    /* 4.1.2.3 */
		read_issuer,     /* 4.1.2.4 */
		read_validity,   /* 4.1.2.5 */
		read_subject,    /* 4.1.2.6 */
		read_spki,       /* 4.1.2.7 */
		read_extensions, /* 4.1.2.9 */
	};
	struct reading t = { .rules = r, .now = now };
	struct der whole = { tbs, len };
	enum rc rc = RC_OK;

	if (!r->issues)
		return fail(err, RC_DENIED, "signer: this CA is retired and signs no certificates");
	if (!der_take(&whole, DER_SEQUENCE, &t.in) || whole.len != 0)
		return fail(err, RC_PARSE, "signer: this is no TBSCertificate");
	for (size_t i = 0; i < N(clauses) && rc == RC_OK; i++)
		rc = clauses[i](&t, err);
	if (rc == RC_OK)
		*out = t.facts;
	return rc;
}
