/*
 * signer_crl.c - the rules for revocation lists, in the order of RFC 5280 5.1.2.
 *
 * The entries are not walked: there may be a million, and any set of serial numbers is a list that
 * the CA may sign.
 */
#include <string.h>

#include "signer/signer_check.h"

#define EXT_CRL_NUMBER "2.5.29.20"
#define EXT_IDP        "2.5.29.28" /* issuingDistributionPoint: critical wherever it stands */
#define EXT_AKI        "2.5.29.35"

#define AHEAD_MAX 300 /* seconds: front and signer have the same clock */

static bool
next_is_time(const struct der *in)
{
	return der_next_is(in, DER_UTCTIME) || der_next_is(in, DER_GENERALIZEDTIME);
}

/* thisUpdate and nextUpdate, which conforming CAs include (RFC 5280 5.1.2.4, 5.1.2.5). */
static enum rc
read_updates(struct der *in, const struct sign_rules *r, int64_t now, struct err *err)
{
	int64_t from, to;

	if (!der_take_time(in, &from) || !next_is_time(in) || !der_take_time(in, &to) || to < from)
		return fail(err, RC_DENIED, "signer: the list's updates are no span of time");
	/* A list that is kept back and shown later would hide what was revoked meanwhile. */
	if (from > now + AHEAD_MAX)
		return fail(err, RC_DENIED, "signer: the list's thisUpdate is still to come");
	if (to - from > r->crl_validity_max)
		return fail(err, RC_DENIED,
		    "signer: a list that holds %lld s holds longer than %lld s",
		    (long long)(to - from), (long long)r->crl_validity_max);
	return RC_OK;
}

/* version, signature, issuer */
static enum rc
read_head(struct der *in, enum digest *digest, const struct sign_rules *r, struct err *err)
{
	struct der alg, issuer;
	uint64_t version;
	enum rc rc;

	if (!der_take_u64(in, &version) || version != 1)
		return fail(err, RC_DENIED, "signer: the list is not of version 2");
	if (!der_take(in, DER_SEQUENCE, &alg))
		return fail(err, RC_PARSE, "signer: the signature algorithm is malformed");
	rc = check_sig_alg(digest, &alg, r->key_type, err);
	if (rc != RC_OK)
		return rc;
	if (!der_take_whole(in, DER_SEQUENCE, &issuer))
		return fail(err, RC_PARSE, "signer: the issuer is malformed");
	if (!der_same(&issuer, &r->subject))
		return fail(err, RC_DENIED, "signer: the issuer is not the CA's subject");
	return RC_OK;
}

/* RFC 5280 5.2.3: at most 20 octets.  Once: of two, the checked one might not be the one that counts. */
static enum rc
read_number(const struct ext *e, struct der *number, struct err *err)
{
	struct der value = e->value;

	if (number->p != NULL)
		return fail(err, RC_DENIED, "signer: the list has two numbers");
	if (!der_take_magnitude(&value, number) || value.len != 0)
		return fail(err, RC_PARSE, "signer: the list's number is malformed");
	if (number->len > SERIAL_MAX)
		return fail(err, RC_DENIED, "signer: the list's number has more than %d octets",
		    SERIAL_MAX);
	return RC_OK;
}

static enum rc
read_list_exts(struct der list, struct der *number, struct err *err)
{
	bool aki = false;
	struct ext e;
	enum rc rc;

	while (list.len > 0) {
		rc = check_take_ext(&e, &list, err);
		if (rc != RC_OK)
			return rc;
		if (strcmp(e.oid, EXT_CRL_NUMBER) == 0 &&
		    (rc = read_number(&e, number, err)) != RC_OK)
			return rc;
		aki |= strcmp(e.oid, EXT_AKI) == 0;
		if (e.critical && strcmp(e.oid, EXT_IDP) != 0)
			return fail(err, RC_DENIED, "signer: unknown critical extension %s", e.oid);
	}
	if (number->p == NULL || !aki) /* RFC 5280 5.2.1, 5.2.3 */
		return fail(err, RC_DENIED,
		    "signer: the list lacks its number or the authorityKeyIdentifier");
	return RC_OK;
}

enum rc
check_tbs_crl(struct tbs_facts *out, const struct sign_rules *r, int64_t now, const uint8_t *tbs,
    size_t len, struct err *err)
{
	struct der whole = { tbs, len }, in, entries, tagged, list;
	struct tbs_facts facts = { DIGEST_NONE, { NULL, 0 } };
	enum rc rc;

	if (!der_take(&whole, DER_SEQUENCE, &in) || whole.len != 0)
		return fail(err, RC_PARSE, "signer: this is no TBSCertList");
	rc = read_head(&in, &facts.digest, r, err);
	if (rc == RC_OK)
		rc = read_updates(&in, r, now, err);
	if (rc != RC_OK)
		return rc;
	if (der_next_is(&in, DER_SEQUENCE) && !der_take(&in, DER_SEQUENCE, &entries))
		return fail(err, RC_PARSE, "signer: the list's entries are malformed");
	if (!der_take(&in, DER_CTX_CONS(0), &tagged) || in.len != 0 ||
	    !der_take(&tagged, DER_SEQUENCE, &list) || tagged.len != 0)
		return fail(err, RC_DENIED, "signer: no extensions, or something beside them");
	rc = read_list_exts(list, &facts.number, err);
	if (rc == RC_OK)
		*out = facts;
	return rc;
}
