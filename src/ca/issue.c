/*
 * issue.c - what the CA has signed: certificates from a cert_spec, and its revocation list.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ca/ca_int.h"

static void
fields_of(struct cert_fields *f, const struct ca *ca, const struct cert_spec *s,
    const struct serial *serial)
{
	const struct profile *p = s->profile;

	*f = (struct cert_fields){
		.serial = serial,
		.issuer = cert_subject0(ca->cert),
		.subject = &s->subject,
		.not_before = s->not_before,
		.not_after = s->not_after,
		.subject_key = s->key,
		.issuer_key = cert_key0(ca->cert),
		.digest = p->digest,
		.san = s->san.n > 0 ? &s->san : NULL,
		.key_usage = s->key_usage,
		.eku = s->eku,
		.n_eku = s->n_eku,
		.is_ca = false,
		.path_len = -1,
		.crl_urls = p->crl_urls,
		.n_crl_urls = p->n_crl_urls,
		.ca_issuer_urls = p->ca_issuer_urls,
		.n_ca_issuer_urls = p->n_ca_issuer_urls,
		.ocsp_urls = p->ocsp_urls,
		.n_ocsp_urls = p->n_ocsp_urls,
	};
}

enum rc
ca_issue(struct cert **out, const struct ca *ca, const struct cert_spec *spec,
    const struct serial *serial, struct err *err)
{
	struct cert_fields f;
	struct buf tbs, der;
	enum rc rc;

	if (spec->ca != ca)
		return fail(
		    err, RC_BUG, "the certificate was decided for another CA than %s", ca->name);
	buf_init(&tbs, LIMIT_CERT);
	buf_init(&der, LIMIT_CERT);
	fields_of(&f, ca, spec, serial);
	rc = cert_tbs_build(&tbs, &f, err);
	if (rc == RC_OK)
		rc = signer_sign_cert(ca->signer, ca->name, tbs.data, tbs.len, &der, err);
	if (rc == RC_OK)
		rc = cert_parse(out, der.data, der.len, err);
	buf_done(&tbs);
	buf_done(&der);
	return rc;
}

enum rc
ca_crl(struct buf *out, const struct ca *ca, const struct crl_entry *entries, size_t n,
    uint64_t number, int64_t this_update, int64_t next_update, struct err *err)
{
	struct crl_fields f = { .issuer = ca->cert,
		.digest = DIGEST_SHA256,
		.this_update = this_update,
		.next_update = next_update,
		.number = number,
		.entries = entries,
		.n_entries = n };
	struct buf tbs;
	enum rc rc;

	/* An entry is at most 60 octets; the rest holds names and extensions. */
	buf_init(&tbs, n * 64 + LIMIT_CERT);
	rc = crl_tbs_build(&tbs, &f, err);
	if (rc == RC_OK)
		rc = signer_sign_crl(ca->signer, ca->name, tbs.data, tbs.len, out, err);
	buf_done(&tbs);
	return rc;
}
