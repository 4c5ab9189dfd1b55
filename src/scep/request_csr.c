/*
 * request_csr.c - the CSR inside a PKCSReq or RenewalReq.
 */
#include "scep/request_csr.h"

#include "scep/message.h"

/* The same bytes as a rule; else the same numbers (NULL parameters left out, say). */
static bool
same_key(const struct scep_request *r, const struct csr *csr)
{
	struct der spki;

	spki.p = key_spki0(csr_key0(csr), &spki.len);
	return der_same(&spki, &r->signer.spki) || key_same_public(csr_key0(csr), r->signer_key);
}

/* See request_is_senders_own(): what is wrong inside is told only to who can know what is inside.
 */
static enum rc
refuse(const struct scep_request *r, const struct err *why, struct err *err)
{
	enum rc rc = why->rc;

	if (rc == RC_NOMEM || request_is_senders_own(r)) {
		if (err != NULL)
			*err = *why;
		return rc;
	}
	rc = fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED);
	return err == NULL ? rc : err_hint(err, "or the request in it is wrong: %s", why->msg);
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
		return refuse(r, &e, err);
	*signer_is_requester = same_key(r, csr);
	*out = csr;
	return RC_OK;
}
