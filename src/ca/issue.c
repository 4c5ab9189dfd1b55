/*
 * issue.c - what the CA has signed: certificates from a cert_spec, and its revocation list.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ca/ca_int.h"

/* Addresses of one extension with the CA's name filled in. */
struct addresses {
	char **v;
	size_t n;
};

static void
addresses_done(struct addresses *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
}

static enum rc
address(char **out, const char *url, const char *ca, struct err *err)
{
	const char *at = strstr(url, CA_IN_ADDRESS);

	if (at == NULL)
		return str_dup(out, url, err);
	return str_format(
	    out, err, "%.*s%s%s", (int)(at - url), url, ca, at + strlen(CA_IN_ADDRESS));
}

static enum rc
addresses(struct addresses *out, const char *const *urls, size_t n, const char *ca, struct err *err)
{
	enum rc rc = RC_OK;

	if (n > 0 && (out->v = calloc(n, sizeof(*out->v))) == NULL)
		return fail(err, RC_NOMEM, "addresses in a certificate");
	for (; rc == RC_OK && out->n < n; out->n++)
		if ((rc = address(&out->v[out->n], urls[out->n], ca, err)) != RC_OK)
			break;
	return rc;
}

/* The three kinds that a certificate may hold. */
struct all_addresses {
	struct addresses crl, ca_issuer, ocsp;
};

static void
all_addresses_done(struct all_addresses *a)
{
	addresses_done(&a->crl);
	addresses_done(&a->ca_issuer);
	addresses_done(&a->ocsp);
}

static enum rc
all_addresses(struct all_addresses *out, const struct profile *p, const char *ca, struct err *err)
{
	enum rc rc = addresses(&out->crl, p->crl_urls, p->n_crl_urls, ca, err);

	if (rc == RC_OK)
		rc = addresses(&out->ca_issuer, p->ca_issuer_urls, p->n_ca_issuer_urls, ca, err);
	return rc == RC_OK ? addresses(&out->ocsp, p->ocsp_urls, p->n_ocsp_urls, ca, err) : rc;
}

static void
fields_of(struct cert_fields *f, const struct ca *ca, const struct cert_spec *s,
    const struct serial *serial, const struct all_addresses *a)
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
		.crl_urls = (const char *const *)a->crl.v,
		.n_crl_urls = a->crl.n,
		.ca_issuer_urls = (const char *const *)a->ca_issuer.v,
		.n_ca_issuer_urls = a->ca_issuer.n,
		.ocsp_urls = (const char *const *)a->ocsp.v,
		.n_ocsp_urls = a->ocsp.n,
	};
}

enum rc
ca_issue(struct cert **out, const struct ca *ca, const struct cert_spec *spec,
    const struct serial *serial, struct err *err)
{
	struct all_addresses a = { 0 };
	struct cert_fields f;
	struct buf tbs, der;
	enum rc rc;

	if (spec->ca != ca)
		return fail(
		    err, RC_BUG, "the certificate was decided for another CA than %s", ca->name);
	buf_init(&tbs, LIMIT_CERT);
	buf_init(&der, LIMIT_CERT);
	rc = all_addresses(&a, spec->profile, ca->name, err);
	fields_of(&f, ca, spec, serial, &a);
	if (rc == RC_OK)
		rc = cert_tbs_build(&tbs, &f, err);
	if (rc == RC_OK)
		rc = signer_sign_cert(ca->signer, ca->name, tbs.data, tbs.len, &der, err);
	if (rc == RC_OK)
		rc = cert_parse(out, der.data, der.len, err);
	buf_done(&tbs);
	buf_done(&der);
	all_addresses_done(&a);
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
