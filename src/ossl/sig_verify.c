/*
 * sig_verify.c - signatures of others, by the AlgorithmIdentifier that they came with.
 */
#include <string.h>

#include "ossl/sig_alg.h"

#define OID_PSS  "1.2.840.113549.1.1.10"
#define OID_MGF1 "1.2.840.113549.1.1.8"

/* SHA-1, which is what absent parameters mean, is not among them: nobody who chooses PSS means that. */
static const struct {
	const char *oid;
	enum digest digest;
} digests[] = {
	{ "2.16.840.1.101.3.4.2.1", DIGEST_SHA256 },
	{ "2.16.840.1.101.3.4.2.2", DIGEST_SHA384 },
	{ "2.16.840.1.101.3.4.2.3", DIGEST_SHA512 },
};

static bool
is_pss(const struct der *alg)
{
	char oid[OID_TEXT_MAX];
	struct der rest = *alg;

	return der_take_oid(&rest, oid) && strcmp(oid, OID_PSS) == 0;
}

/* AlgorithmIdentifier of a digest; its parameters are NULL or absent (RFC 4055 2.1). */
static enum digest
take_digest(struct der *in)
{
	char oid[OID_TEXT_MAX];
	struct der alg, null = { 0 };

	if (!der_take(in, DER_SEQUENCE, &alg) || !der_take_oid(&alg, oid) ||
	    (alg.len > 0 && !der_take(&alg, DER_NULL, &null)) || alg.len != 0 || null.len != 0)
		return DIGEST_NONE;
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (strcmp(oid, digests[i].oid) == 0)
			return digests[i].digest;
	return DIGEST_NONE;
}

/* [0] hash, [1] MGF1 with a hash, [2] length of the salt, [3] trailer 1, which is left out in DER. */
static enum digest
pss_digest(const struct der *alg)
{
	char oid[OID_TEXT_MAX];
	struct der rest = *alg, params, hash, mgf, gen, salt;
	enum digest d;
	uint64_t len;

	if (!der_take_oid(&rest, oid) || !der_take(&rest, DER_SEQUENCE, &params) || rest.len != 0 ||
	    !der_take(&params, DER_CTX_CONS(0), &hash) ||
	    !der_take(&params, DER_CTX_CONS(1), &mgf) ||
	    !der_take(&params, DER_CTX_CONS(2), &salt) || params.len != 0)
		return DIGEST_NONE;
	d = take_digest(&hash);
	if (hash.len != 0 || !der_take(&mgf, DER_SEQUENCE, &gen) || mgf.len != 0 ||
	    !der_take_oid(&gen, oid) || strcmp(oid, OID_MGF1) != 0 || take_digest(&gen) != d ||
	    gen.len != 0 || !der_take_u64(&salt, &len) || salt.len != 0 || len != digest_size(d))
		return DIGEST_NONE;
	return d;
}

static enum rc
verify_pss(const struct der *alg, const struct key *key, const struct der *tbs,
    const struct der *sig, struct err *err)
{
	enum digest d = pss_digest(alg);

	if (d == DIGEST_NONE)
		return fail(err, RC_ALG,
		    "RSASSA-PSS with other parameters than SHA-256, SHA-384 or SHA-512 throughout "
		    "and a salt as long");
	return key_verify_pss(key, d, tbs->p, tbs->len, sig->p, sig->len, err);
}

enum rc
sig_alg_verify(const struct der *alg, const struct key *key, const struct der *tbs,
    const struct der *sig, const char *what, struct err *err)
{
	const struct sig_alg *found = NULL;
	bool pss = is_pss(alg);
	enum rc rc = pss ? RC_OK : sig_alg_parse(&found, alg, err);

	if (rc != RC_OK)
		return rc;
	if ((pss ? KEY_RSA : found->key) != key_info0(key)->type)
		return fail(err, RC_ALG,
		    "the %s's signature algorithm does not fit its issuer's %s key", what,
		    key_info0(key)->name);
	rc = pss ? verify_pss(alg, key, tbs, sig, err)
		 : key_verify(key, found->digest, tbs->p, tbs->len, sig->p, sig->len, err);
	if (rc == RC_INTEGRITY)
		return fail(err, RC_INTEGRITY, "the %s is not signed by its issuer's key", what);
	return rc;
}
