/*
 * cert.c - reading and describing certificates.  Files and PEM are in cert_pem.c, building in
 * cert_build.c.
 */
#include "ossl/cert.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/eku.h"
#include "ossl/evp.h"
#include "ossl/sig_alg.h"
#include "ossl/ext.h"

struct cert {
	struct name issuer, subject;
	struct key *key;
	struct serial serial;
	int64_t not_before, not_after;
	bool is_ca, has_key_usage, ocsp_nocheck;
	int path_len;
	unsigned key_usage;
	struct oid_list eku;
	struct san_list san;
	bool san_first; /* more than LIMIT_SAN names are left out instead of refused */
	size_t san_left_out;
	struct der tbs, sig, alg, ski;    /* in der[] */
	struct der constraints, policies; /* values of the extensions, p == NULL: absent */
	size_t der_len;
	uint8_t der[];
};

static enum rc
read_basic(struct cert *c, const struct der *value, struct err *err)
{
	return ext_read_basic(&c->is_ca, &c->path_len, value, err);
}

static enum rc
read_key_usage(struct cert *c, const struct der *value, struct err *err)
{
	c->has_key_usage = true;
	return ext_read_key_usage(&c->key_usage, value, err);
}

static enum rc
read_eku(struct cert *c, const struct der *value, struct err *err)
{
	return ext_read_eku(&c->eku, value, err);
}

static enum rc
read_san(struct cert *c, const struct der *value, struct err *err)
{
	return c->san_first ? ext_read_san_first(&c->san, &c->san_left_out, value, err)
			    : ext_read_san(&c->san, value, err);
}

static enum rc
read_ski(struct cert *c, const struct der *value, struct err *err)
{
	return ext_read_ski(&c->ski, value, err);
}

/* Looked into when somebody asks: devices' certificates have none, and one that is odd is their
 * issuer's affair. */
static enum rc
read_constraints(struct cert *c, const struct der *value, struct err *err)
{
	c->constraints = *value;
	return RC_OK;
}

static enum rc
read_policies(struct cert *c, const struct der *value, struct err *err)
{
	c->policies = *value;
	return RC_OK;
}

/* Its value is NULL, and says no more than its being there does. */
static enum rc
read_nocheck(struct cert *c, const struct der *value, struct err *err)
{
	c->ocsp_nocheck = true;
	return RC_OK;
}

static const struct {
	const char *oid;
	enum rc (*read)(struct cert *c, const struct der *value, struct err *err);
} extensions[] = {
	{ OID_EXT_BASIC, read_basic },
	{ OID_EXT_KEY_USAGE, read_key_usage },
	{ OID_EXT_EKU, read_eku },
	{ OID_EXT_SAN, read_san },
	{ OID_EXT_SKI, read_ski },
	{ OID_EXT_CONSTRAINTS, read_constraints },
	{ OID_EXT_POLICIES, read_policies },
	{ OID_OCSP_NOCHECK, read_nocheck },
};

static enum rc
on_extension(void *arg, const char *oid, const struct der *value, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof extensions / sizeof extensions[0]; i++)
		if (strcmp(oid, extensions[i].oid) == 0)
			return extensions[i].read(arg, value, err);
	return RC_OK;
}

static enum rc
parse_extensions(struct cert *c, struct der tagged, struct err *err)
{
	struct oid_list seen = { 0 };
	struct der exts;
	enum rc rc;

	if (!der_take(&tagged, DER_SEQUENCE, &exts) || tagged.len != 0)
		return fail(err, RC_PARSE, "the certificate's extensions are malformed");
	rc = ext_each(exts, &seen, on_extension, c, err);
	oid_list_done(&seen);
	return rc;
}

static enum rc
parse_serial(struct cert *c, struct der *tbs, struct err *err)
{
	struct der mag;

	if (!der_take_magnitude(tbs, &mag))
		return fail(
		    err, RC_PARSE, "the certificate's serial number is malformed or negative");
	if (mag.len > SERIAL_MAX)
		return fail(err, RC_PARSE,
		    "the certificate's serial number has more than %d octets", SERIAL_MAX);
	memcpy(c->serial.v, mag.p, mag.len);
	c->serial.len = mag.len;
	return RC_OK;
}

static enum rc
parse_validity(struct cert *c, struct der *tbs, struct err *err)
{
	struct der validity;

	if (!der_take(tbs, DER_SEQUENCE, &validity) || !der_take_time(&validity, &c->not_before) ||
	    !der_take_time(&validity, &c->not_after) || validity.len != 0)
		return fail(err, RC_PARSE, "the certificate's validity is malformed");
	return RC_OK;
}

static enum rc
parse_name(struct name *n, struct der *tbs, struct err *err)
{
	struct der whole;

	if (!der_take_whole(tbs, DER_SEQUENCE, &whole))
		return fail(err, RC_PARSE, "a name in the certificate is malformed");
	return name_parse(n, whole.p, whole.len, err);
}

static enum rc
parse_key(struct cert *c, struct der *tbs, struct err *err)
{
	struct der whole;

	if (!der_take_whole(tbs, DER_SEQUENCE, &whole))
		return fail(err, RC_PARSE, "the certificate's public key is malformed");
	return key_parse_spki(&c->key, whole.p, whole.len, err);
}

/* issuerUniqueID [1], subjectUniqueID [2], extensions [3] */
static enum rc
parse_tail(struct cert *c, struct der tbs, uint64_t version, struct err *err)
{
	struct der body;
	enum rc rc = RC_OK;

	(void)der_take(&tbs, DER_CTX(1), &body);
	(void)der_take(&tbs, DER_CTX(2), &body);
	if (version == 2 && der_take(&tbs, DER_CTX_CONS(3), &body))
		rc = parse_extensions(c, body, err);
	if (rc == RC_OK && tbs.len != 0)
		return fail(err, RC_PARSE, "the certificate has something after its extensions");
	return rc;
}

/* TBSCertificate (RFC 5280 4.1); c->tbs is the whole element. */
static enum rc
parse_tbs(struct cert *c, struct err *err)
{
	struct der in = c->tbs, tbs, v;
	uint64_t version = 0;
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &tbs) || in.len != 0 ||
	    (der_take(&tbs, DER_CTX_CONS(0), &v) &&
		(!der_take_u64(&v, &version) || v.len != 0 || version > 2)))
		return fail(err, RC_PARSE, "the certificate is malformed");
	if ((rc = parse_serial(c, &tbs, err)) != RC_OK)
		return rc;
	if (!der_take(&tbs, DER_SEQUENCE, &c->alg))
		return fail(err, RC_PARSE, "the certificate's signature algorithm is malformed");
	if ((rc = parse_name(&c->issuer, &tbs, err)) != RC_OK ||
	    (rc = parse_validity(c, &tbs, err)) != RC_OK ||
	    (rc = parse_name(&c->subject, &tbs, err)) != RC_OK ||
	    (rc = parse_key(c, &tbs, err)) != RC_OK)
		return rc;
	return parse_tail(c, tbs, version, err);
}

static enum rc
parse_cert(struct cert *c, struct err *err)
{
	struct der in = { c->der, c->der_len }, cert, alg;
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &cert) || in.len != 0 ||
	    !der_take_whole(&cert, DER_SEQUENCE, &c->tbs) || !der_take(&cert, DER_SEQUENCE, &alg) ||
	    !der_take_octet_bits(&cert, &c->sig) || cert.len != 0)
		return fail(err, RC_PARSE, "this is no certificate in DER");
	if ((rc = parse_tbs(c, err)) != RC_OK)
		return rc;
	if (!der_same(&alg, &c->alg)) /* RFC 5280 4.1.1.2 */
		return fail(
		    err, RC_PARSE, "the certificate names two different signature algorithms");
	return RC_OK;
}

static enum rc
cert_new(struct cert **out, const void *der, size_t len, struct err *err)
{
	struct cert *c;

	if (len > LIMIT_CERT)
		return fail(
		    err, RC_LIMIT, "a certificate of %zu bytes is longer than %u", len, LIMIT_CERT);
	if (len == 0)
		return fail(err, RC_PARSE, "the certificate is empty");
	if ((c = calloc(1, sizeof *c + len)) == NULL)
		return fail(err, RC_NOMEM, "no memory for a certificate");
	memcpy(c->der, der, len);
	c->der_len = len;
	c->path_len = -1;
	*out = c;
	return RC_OK;
}

static enum rc
parse(struct cert **out, bool san_first, const void *der, size_t len, struct err *err)
{
	struct cert *c;
	enum rc rc = cert_new(&c, der, len, err);

	if (rc != RC_OK)
		return rc;
	c->san_first = san_first;
	if ((rc = parse_cert(c, err)) != RC_OK) {
		cert_free(c);
		return rc;
	}
	*out = c;
	return RC_OK;
}

enum rc
cert_parse(struct cert **out, const void *der, size_t len, struct err *err)
{
	return parse(out, false, der, len, err);
}

enum rc
cert_parse_known(struct cert **out, const void *der, size_t len, struct err *err)
{
	return parse(out, true, der, len, err);
}

enum rc
cert_parse_tbs(struct cert **out, enum digest *digest, const void *tbs, size_t len, struct err *err)
{
	const struct sig_alg *alg;
	struct cert *c;
	enum rc rc = cert_new(&c, tbs, len, err);

	if (rc != RC_OK)
		return rc;
	c->tbs = (struct der){ c->der, c->der_len };
	if ((rc = parse_tbs(c, err)) != RC_OK ||
	    (rc = sig_alg_parse(&alg, &c->alg, err)) != RC_OK) {
		cert_free(c);
		return rc;
	}
	*digest = alg->digest;
	*out = c;
	return RC_OK;
}

void
cert_free(struct cert *c)
{
	if (c == NULL)
		return;
	name_done(&c->issuer);
	name_done(&c->subject);
	key_free(c->key);
	oid_list_done(&c->eku);
	san_list_done(&c->san);
	free(c);
}

const uint8_t *
cert_der0(const struct cert *c, size_t *len)
{
	*len = c->der_len;
	return c->der;
}

const struct serial *
cert_serial0(const struct cert *c)
{
	return &c->serial;
}

const struct name *
cert_subject0(const struct cert *c)
{
	return &c->subject;
}

const struct name *
cert_issuer0(const struct cert *c)
{
	return &c->issuer;
}

struct key *
cert_key0(const struct cert *c)
{
	return c->key;
}

int64_t
cert_not_before(const struct cert *c)
{
	return c->not_before;
}

int64_t
cert_not_after(const struct cert *c)
{
	return c->not_after;
}

bool
cert_is_ca(const struct cert *c)
{
	return c->is_ca;
}

int
cert_path_len(const struct cert *c)
{
	return c->path_len;
}

enum rc
cert_constraints(struct constraints *out, const struct cert *c, struct err *err)
{
	if (c->constraints.p == NULL) {
		*out = (struct constraints){ 0 };
		return RC_OK;
	}
	return constraints_parse(out, c->constraints.p, c->constraints.len, err);
}

enum rc
cert_policies(struct policies *out, const struct cert *c, struct err *err)
{
	if (c->policies.p == NULL) {
		*out = (struct policies){ 0 };
		return RC_OK;
	}
	return policies_parse(out, c->policies.p, c->policies.len, err);
}

bool
cert_has_key_usage(const struct cert *c, unsigned *ku)
{
	if (c->has_key_usage)
		*ku = c->key_usage;
	return c->has_key_usage;
}

bool
cert_ocsp_nocheck(const struct cert *c)
{
	return c->ocsp_nocheck;
}

const char *const *
cert_eku0(const struct cert *c, size_t *n)
{
	*n = c->eku.n;
	return c->eku.v;
}

const struct san_list *
cert_san0(const struct cert *c)
{
	return &c->san;
}

size_t
cert_san_left_out(const struct cert *c)
{
	return c->san_left_out;
}

const uint8_t *
cert_ski0(const struct cert *c, size_t *len)
{
	*len = c->ski.len;
	return c->ski.p;
}

bool
cert_same(const struct cert *a, const struct cert *b)
{
	return a->der_len == b->der_len && memcmp(a->der, b->der, a->der_len) == 0;
}

bool
cert_self_issued(const struct cert *c)
{
	return name_same(&c->issuer, &c->subject);
}

static enum rc
thumbprint(char *out, const struct cert *c, enum digest d, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	enum rc rc = digest_bytes(md, d, c->der, c->der_len, err);

	if (rc == RC_OK)
		hex_upper(out, md, digest_size(d));
	return rc;
}

enum rc
cert_thumbprint_sha1(char out[static 41], const struct cert *c, struct err *err)
{
	return thumbprint(out, c, DIGEST_SHA1, err);
}

enum rc
cert_thumbprint_sha256(char out[static 65], const struct cert *c, struct err *err)
{
	return thumbprint(out, c, DIGEST_SHA256, err);
}

enum rc
cert_verify_by(const struct cert *c, const struct cert *issuer, struct err *err)
{
	if (!name_same(&c->issuer, &issuer->subject))
		return fail(err, RC_INTEGRITY, "the certificate names another issuer");
	return sig_alg_verify(&c->alg, issuer->key, &c->tbs, &c->sig, "certificate", err);
}
