/*
 * sig_alg.c - the signature algorithms that certificates and requests may carry.
 */
#include <string.h>

#include "ossl/evp.h"

/* RFC 4055 5, RFC 5758 3.2. */
static const struct sig_alg sig_algs[] = {
	{ "1.2.840.113549.1.1.11", DIGEST_SHA256, KEY_RSA },
	{ "1.2.840.113549.1.1.12", DIGEST_SHA384, KEY_RSA },
	{ "1.2.840.113549.1.1.13", DIGEST_SHA512, KEY_RSA },
	{ "1.2.840.113549.1.1.5", DIGEST_SHA1, KEY_RSA },
	{ "1.2.840.10045.4.3.2", DIGEST_SHA256, KEY_EC },
	{ "1.2.840.10045.4.3.3", DIGEST_SHA384, KEY_EC },
	{ "1.2.840.10045.4.3.4", DIGEST_SHA512, KEY_EC },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum rc
sig_alg_parse(const struct sig_alg **out, const struct der *alg, struct err *err)
{
	char oid[OID_TEXT_MAX], label[128];
	struct der rest = *alg, null;
	size_t i;

	if (!der_take_oid(&rest, oid))
		return fail(err, RC_PARSE, "the signature algorithm is malformed");
	for (i = 0; i < N(sig_algs); i++)
		if (strcmp(oid, sig_algs[i].oid) == 0)
			break;
	if (i == N(sig_algs))
		return fail(err, RC_ALG, "signature algorithm %s is not taken",
		    oid_label(oid, label, sizeof label));
	/* Absent parameters with RSA are common and mean the same as NULL (RFC 4055 2.1). */
	if (sig_algs[i].key == KEY_RSA && rest.len > 0 &&
	    (!der_take(&rest, DER_NULL, &null) || null.len != 0))
		return fail(err, RC_PARSE, "the signature algorithm has unknown parameters");
	if (rest.len != 0)
		return fail(err, RC_PARSE, "the signature algorithm has unknown parameters");
	*out = &sig_algs[i];
	return RC_OK;
}

enum rc
sig_alg_add(struct buf *b, enum key_type key, enum digest d, struct err *err)
{
	size_t i, mark;

	for (i = 0; i < N(sig_algs); i++)
		if (sig_algs[i].key == key && sig_algs[i].digest == d)
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
