/*
 * signer_spki.c - the rule for subject keys: type and size, read off the DER (RFC 3279 2.3, RFC 5480
 * 2).  Whether the point lies on its curve is the requester's own affair: who has a bad key cannot
 * use the certificate.
 */
#include <string.h>

#include "signer/signer.h"
#include "signer/signer_check.h"

#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_EC  "1.2.840.10045.2.1"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static size_t
bit_length(struct der magnitude)
{
	size_t bits = 8 * magnitude.len;

	for (uint8_t top = magnitude.p[0]; bits > 0 && !(top & 0x80); top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static enum rc
judge_rsa(const struct sign_rules *r, struct der params, struct der bits, struct err *err)
{
	struct der null, seq, n, e;
	size_t size;

	if (!der_take(&params, DER_NULL, &null) || null.len != 0 || params.len != 0 ||
	    !der_take(&bits, DER_SEQUENCE, &seq) || bits.len != 0 ||
	    !der_take_magnitude(&seq, &n) || !der_take_magnitude(&seq, &e) || seq.len != 0)
		return fail(err, RC_PARSE, "signer: the RSA key is malformed");
	size = n.len * 8 > 8 ? bit_length(n) : 0;
	if (r->rsa_max == 0)
		return fail(err, RC_DENIED, "signer: this CA issues for no RSA keys");
	if (size < r->rsa_min || size > r->rsa_max)
		return fail(err, RC_DENIED,
		    "signer: an RSA key of %zu bits is outside this CA's %u to %u", size,
		    r->rsa_min, r->rsa_max);
	/* An even modulus or exponent, or 1 as exponent, is no key. */
	if (!(n.p[n.len - 1] & 1) || !(e.p[e.len - 1] & 1) || (e.len == 1 && e.p[0] == 1))
		return fail(err, RC_DENIED, "signer: this is no RSA key");
	return RC_OK;
}

static const struct {
	const char *oid, *name;
	unsigned bit;
	size_t point; /* octets of an uncompressed point */
} curves[] = {
	{ "1.2.840.10045.3.1.7", "P-256", SIGNER_P256, 65 },
	{ "1.3.132.0.34", "P-384", SIGNER_P384, 97 },
	{ "1.3.132.0.35", "P-521", SIGNER_P521, 133 },
};

static enum rc
judge_ec(const struct sign_rules *r, struct der params, struct der bits, struct err *err)
{
	char oid[OID_TEXT_MAX];

	if (!der_take_oid(&params, oid) || params.len != 0)
		return fail(err, RC_DENIED, "signer: an EC key without a named curve");
	for (size_t i = 0; i < N(curves); i++) {
		if (strcmp(oid, curves[i].oid) != 0)
			continue;
		if (!(r->ec_curves & curves[i].bit))
			return fail(err, RC_DENIED, "signer: this CA issues for no keys on %s",
			    curves[i].name);
		if (bits.len != curves[i].point || bits.p[0] != 4)
			return fail(err, RC_DENIED, "signer: this is no uncompressed point on %s",
			    curves[i].name);
		return RC_OK;
	}
	return fail(err, RC_DENIED, "signer: curve %s is not issued for", oid);
}

static const struct {
	const char *oid;
	enum rc (*judge)(
	    const struct sign_rules *r, struct der params, struct der bits, struct err *err);
} types[] = {
	{ OID_RSA, judge_rsa },
	{ OID_EC, judge_ec },
};

enum rc
check_spki(const struct sign_rules *r, struct der spki, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der alg, bits;

	if (!der_take(&spki, DER_SEQUENCE, &alg) || !der_take_oid(&alg, oid) ||
	    !der_take_octet_bits(&spki, &bits) || spki.len != 0)
		return fail(err, RC_PARSE, "signer: the public key is malformed");
	for (size_t i = 0; i < N(types); i++)
		if (strcmp(oid, types[i].oid) == 0)
			return types[i].judge(r, alg, bits, err);
	return fail(err, RC_DENIED, "signer: keys of type %s are not issued for", oid);
}
