/*
 * request_csr.c - the CSR inside a PKCSReq or RenewalReq.
 */
#include "scep/request_csr.h"

#include "scep/identity.h"
#include "scep/message.h"

/* The same bytes as a rule; else the same numbers (NULL parameters left out, say). */
static bool
same_key(const struct scep_request *r, const struct csr *csr)
{
	struct der spki;

	spki.p = key_spki0(csr_key0(csr), &spki.len);
	return der_same(&spki, &r->signer.spki) || key_same_public(csr_key0(csr), r->signer_key);
}

/*
 * The time of reading a key and of verifying with it, for a content that did not get as far: whether it
 * did is nobody's business (message.h).  With our own key, as no sender may choose how long that is; those of
 * devices are of the same size as a rule.
 */
static void
spend_verification(const struct scep_request *r)
{
	static const uint8_t never[LIMIT_RSA_BITS / 8] = { [LIMIT_RSA_BITS / 8 - 1] = 2 };
	const struct scep_identity *ra = r->recipient;
	size_t len = ra->modulus.len <= sizeof(never) ? ra->modulus.len : sizeof(never);
	struct key *k = NULL;

	if (key_parse_spki(&k, ra->cert.spki.p, ra->cert.spki.len, NULL) == RC_OK)
		(void)!key_verify(k, DIGEST_SHA256, r->content.data, r->content.len,
		    never + sizeof(never) - len, len, NULL);
	key_free(k);
}

static void
spend_rest(const struct scep_request *r, enum rc came_to)
{
	if (came_to != RC_OK && came_to != RC_INTEGRITY) /* these are verdicts on a signature */
		spend_verification(r);
}

/* See request_is_senders_own(): what is wrong inside is told only to who can know what is inside.
 */
static enum rc
refuse(const struct scep_request *r, bool own, const struct err *why, struct err *err)
{
	enum rc rc = why->rc;

	if (rc == RC_NOMEM || own) {
		if (err != NULL)
			*err = *why;
		return rc;
	}
	spend_rest(r, rc);
	rc = fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED);
	return err == NULL ? rc : err_hint(err, "or the request in it is wrong: %s", why->msg);
}

bool
request_csr_in_vain(struct scep_request *r)
{
	bool own = request_is_senders_own(r);
	struct der in = { r->content.data, r->content.len }, first = in;
	struct err why = { 0 }, err = { 0 };
	struct csr *csr = NULL;
	uint8_t *last;

	if (!der_take_whole(&in, DER_SEQUENCE, &first) || first.len == 0)
		first = (struct der){ r->content.data, r->content.len };
	/* Its signature is never right: one that is would be judged faster than the one of a spoiled request, by the
	 * errors that libcrypto writes down about that. */
	last = r->content.data + first.len - (first.len > 0);
	*last ^= 1;
	if (csr_parse_known(&csr, first.p, first.len, r->signer_key, &why) == RC_OK)
		(void)!fail(&why, RC_INTEGRITY, "%s",
		    CMS_OPEN_FAILED); /* a kind of signature that does not mind */
	*last ^= 1;
	csr_free(csr);
	(void)!refuse(r, own, &why, &err); /* its words take time as well */
	return own;
}

enum rc
scep_request_csr(
    struct csr **out, bool *signer_is_requester, const struct scep_request *r, struct err *err)
{
	struct csr *csr = NULL;
	struct err e = { 0 };

	if (r->type != SCEP_PKCS_REQ && r->type != SCEP_RENEWAL_REQ)
		return fail(err, RC_PARSE, "%s carries no certificate request",
		    scep_message_type_name(r->type));
	if (csr_parse_known(&csr, r->content.data, r->content.len, r->signer_key, &e) != RC_OK)
		return refuse(r, request_is_senders_own(r), &e, err);
	*signer_is_requester = same_key(r, csr);
	*out = csr;
	return RC_OK;
}
