/*
 * sig_alg.c - the table of signature algorithms.
 */
#include "ossl/sig_alg.h"

#include <string.h>

/* RFC 4055 5, RFC 5758 3.2, RFC 8410 3, RFC 9881 2. */
static const struct sig_alg sig_algs[] = {
	{ "1.2.840.113549.1.1.11", DIGEST_SHA256, KEY_RSA },
	{ "1.2.840.113549.1.1.12", DIGEST_SHA384, KEY_RSA },
	{ "1.2.840.113549.1.1.13", DIGEST_SHA512, KEY_RSA },
	{ "1.2.840.113549.1.1.5", DIGEST_SHA1, KEY_RSA },
	{ "1.2.840.10045.4.3.2", DIGEST_SHA256, KEY_EC },
	{ "1.2.840.10045.4.3.3", DIGEST_SHA384, KEY_EC },
	{ "1.2.840.10045.4.3.4", DIGEST_SHA512, KEY_EC },
	{ "1.3.101.112", DIGEST_NONE, KEY_ED25519 },
	{ "2.16.840.1.101.3.4.3.17", DIGEST_NONE, KEY_ML_DSA_44 },
	{ "2.16.840.1.101.3.4.3.18", DIGEST_NONE, KEY_ML_DSA_65 },
	{ "2.16.840.1.101.3.4.3.19", DIGEST_NONE, KEY_ML_DSA_87 },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static enum rc
bad_params(struct err *err)
{
	return fail(err, RC_PARSE, "the signature algorithm has unknown parameters");
}

/* *null: there is one, which is what RSA has for parameters and nothing else does. */
static enum rc
parse(const struct sig_alg **out, bool *null, const struct der *alg, struct err *err)
{
	char oid[OID_TEXT_MAX], label[128];
	struct der rest = *alg, body;
	size_t i;

	if (!der_take_oid(&rest, oid))
		return fail(err, RC_PARSE, "the signature algorithm is malformed");
	for (i = 0; i < N(sig_algs); i++)
		if (strcmp(oid, sig_algs[i].oid) == 0)
			break;
	if (i == N(sig_algs))
		return fail(err, RC_ALG, "signature algorithm %s is not taken",
		    oid_label(oid, label, sizeof label));
	*null = sig_algs[i].key == KEY_RSA && der_take(&rest, DER_NULL, &body);
	if (rest.len != 0 || (*null && body.len != 0))
		return bad_params(err);
	*out = &sig_algs[i];
	return RC_OK;
}

/* Absent parameters with RSA are common and mean the same as NULL (RFC 4055 2.1). */
enum rc
sig_alg_parse(const struct sig_alg **out, const struct der *alg, struct err *err)
{
	bool null;

	return parse(out, &null, alg, err);
}

enum rc
sig_alg_parse_own(const struct sig_alg **out, const struct der *alg, struct err *err)
{
	const struct sig_alg *found;
	bool null;
	enum rc rc = parse(&found, &null, alg, err);

	if (rc != RC_OK)
		return rc;
	if (null != (found->key == KEY_RSA))
		return bad_params(err);
	if (found->digest == DIGEST_SHA1)
		return fail(err, RC_ALG, "signature algorithm %s is not used", found->oid);
	*out = found;
	return RC_OK;
}

enum rc
sig_alg_add(struct buf *b, enum key_type key, enum digest d, struct err *err)
{
	size_t i, mark;

	for (i = 0; i < N(sig_algs); i++)
		if (sig_algs[i].key == key &&
		    (sig_algs[i].digest == d || !key_type_has_digest(key)))
			break;
	if (i == N(sig_algs))
		return fail(err, RC_ALG, "no signature algorithm with %s for this type of key",
		    digest_name(d));
	mark = der_open(b, DER_SEQUENCE);
	der_add_oid(b, sig_algs[i].oid);
	if (key == KEY_RSA)
		der_add(b, DER_NULL, NULL, 0);
	der_close(b, mark);
	return RC_OK;
}
