/*
 * next_ca.c - the client's side of GetNextCACert (RFC 8894 4.7): whose word it is comes before what
 * it says, since whoever is believed here is trusted for years.
 */
#include "scep.h"

#include <string.h>

#include "scep/ca_certs.h"
#include "scep/error.h"

static enum rc
verify_by(const struct cms_signed *s, const struct scep_bytes *signers, size_t n, struct err *err)
{
	struct key *key = NULL;
	struct cms_cert c;
	size_t i;
	enum rc rc;

	if (!cms_signed_has_signer(s))
		return fail(err, RC_INTEGRITY,
		    "the answer to GetNextCACert is not signed (RFC 8894 4.7.1)");
	for (i = 0; i < n; i++)
		if (cms_cert_peek(&c, signers[i].data, signers[i].len, NULL) == RC_OK &&
		    cms_signed_is_by(s, &c))
			break;
	if (i == n)
		return fail(err, RC_INTEGRITY,
		    "signed by another certificate than that of the current CA (RFC 8894 4.7.1)");
	if ((rc = key_parse_spki(&key, c.spki.p, c.spki.len, err)) != RC_OK)
		return rc;
	rc = cms_signed_verify(s, key, err);
	key_free(key);
	return rc;
}

/* The RFC names no eContentType; servers send data, or say that a SignedData is inside. */
static enum rc
check_content(const struct cms_signed *s, struct err *err)
{
	const char *type = cms_signed_content_type(s);

	if (strcmp(type, OID_DATA) != 0 && strcmp(type, OID_SIGNED_DATA) != 0)
		return fail(err, RC_PARSE, "eContentType %s in the answer to GetNextCACert", type);
	if (cms_signed_content0(s).p == NULL)
		return fail(err, RC_PARSE, "no certificates in the answer to GetNextCACert");
	return RC_OK;
}

enum scep_status
scep_next_ca_open(struct scep_bytes **certs, size_t *n, const uint8_t *bytes, size_t len,
    const struct scep_bytes *signers, size_t n_signers, struct scep_error *err)
{
	struct cms_signed *s;
	const char *step = STEP_VERIFY;
	struct der content;
	struct err e = { 0 };
	enum rc rc;

	if (cms_signed_parse(&s, bytes, len, &e) != RC_OK)
		return scep_fail_from(err, STEP_PARSE, &e);
	if ((rc = verify_by(s, signers, n_signers, &e)) == RC_OK &&
	    (rc = cms_signed_attrs_plain(s, &e)) == RC_OK) {
		step = STEP_STRUCTURE;
		if ((rc = check_content(s, &e)) == RC_OK) {
			content = cms_signed_content0(s);
			rc = certs_only_parse(certs, n, content.p, content.len, &e);
		}
	}
	cms_signed_free(s);
	return rc == RC_OK ? SCEP_OK : scep_fail_from(err, step, &e);
}
