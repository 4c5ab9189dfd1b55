/*
 * issue.c - what the CA has signed: certificates from a cert_spec, and its revocation list.
 */
#include <stdio.h>
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

/* The first `word` in *url becomes `name`. */
static enum rc
fill_in(char **url, const char *word, const char *name, struct err *err)
{
	const char *at = strstr(*url, word);
	char *filled;
	enum rc rc;

	if (at == NULL)
		return RC_OK;
	rc = str_format(&filled, err, "%.*s%s%s", (int)(at - *url), *url, name, at + strlen(word));
	if (rc == RC_OK) {
		free(*url);
		*url = filled;
	}
	return rc;
}

enum rc
ca_address(
    char **out, const char *url, const char *ca, unsigned part, unsigned parts, struct err *err)
{
	char partition[32], *filled = NULL;
	enum rc rc = str_dup(&filled, url, err);

	(void)snprintf(partition, sizeof(partition), "%u-of-%u", part, parts);
	if (rc == RC_OK)
		rc = fill_in(&filled, CA_IN_ADDRESS, ca, err);
	if (rc == RC_OK)
		rc = fill_in(&filled, PARTITION_IN_ADDRESS, partition, err);
	if (rc == RC_OK)
		*out = filled;
	else
		free(filled);
	return rc;
}

/* Whose certificate it is. */
struct of {
	const char *ca;
	unsigned part, parts; /* of the CA's lists */
};

static enum rc
addresses(
    struct addresses *out, const char *const *urls, size_t n, const struct of *of, struct err *err)
{
	enum rc rc = RC_OK;

	if (n > 0 && (out->v = calloc(n, sizeof(*out->v))) == NULL)
		return fail(err, RC_NOMEM, "addresses in a certificate");
	for (; rc == RC_OK && out->n < n; out->n++)
		if ((rc = ca_address(
			 &out->v[out->n], urls[out->n], of->ca, of->part, of->parts, err)) != RC_OK)
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
all_addresses(
    struct all_addresses *out, const struct profile *p, const struct of *of, struct err *err)
{
	enum rc rc = addresses(&out->crl, p->crl_urls, p->n_crl_urls, of, err);

	if (rc == RC_OK)
		rc = addresses(&out->ca_issuer, p->ca_issuer_urls, p->n_ca_issuer_urls, of, err);
	return rc == RC_OK ? addresses(&out->ocsp, p->ocsp_urls, p->n_ocsp_urls, of, err) : rc;
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
	struct of of = { ca->name, serial->v[serial->len - 1] & (ca->parts - 1), ca->parts };
	struct all_addresses a = { 0 };
	struct cert_fields f;
	struct buf tbs, der;
	enum rc rc;

	if (spec->ca != ca)
		return fail(
		    err, RC_BUG, "the certificate was decided for another CA than %s", ca->name);
	buf_init(&tbs, LIMIT_CERT);
	buf_init(&der, LIMIT_CERT);
	rc = all_addresses(&a, spec->profile, &of, err);
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

struct crl_scope
ca_crl_scope(const struct ca *ca)
{
	return (struct crl_scope){ .issuer = ca->cert, .digest = DIGEST_SHA256 };
}

enum rc
ca_crl_sign(
    const struct ca *ca, struct crl_writer *w, uint64_t number, size_t *entries, struct err *err)
{
	struct der tbs;
	struct buf sig;
	enum rc rc;

	buf_init(&sig, KEY_SIG_MAX);
	if ((rc = crl_tbs(w, number, &tbs, err)) == RC_OK &&
	    (rc = signer_sign_crl(ca->signer, ca->name, tbs.p, tbs.len, &sig, err)) == RC_OK)
		rc = crl_finish(w, sig.data, sig.len, entries, err);
	crl_abandon(w);
	buf_done(&sig);
	return rc;
}
