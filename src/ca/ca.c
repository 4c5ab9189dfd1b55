/*
 * ca.c - opening a CA: nothing is served unless its certificates can do what SCEP clients need.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "ca/ca_int.h"

#define RA_RSA_MIN 2048 /* bits */

static enum rc
load(struct cert **out, const char *file, struct err *err)
{
	enum rc rc = cert_load(out, file, err);

	if (rc == RC_OK || rc == RC_NOMEM)
		return rc;
	err->rc = RC_CONFIG;
	return RC_CONFIG;
}

/* A leaf has to please every certificate above it; one that ends later could not be verified. */
static enum rc
take_bounds(struct ca *ca, const struct chain *c, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	ca->not_after = cert_not_after(ca->cert);
	for (i = 0; rc == RC_OK && i < c->n; i++) {
		if (cert_not_after(c->cert[i]) < ca->not_after)
			ca->not_after = cert_not_after(c->cert[i]);
		rc = cert_constraints(&ca->constraints[i], c->cert[i], err);
	}
	return rc;
}

static enum rc
open_chain(struct ca *ca, const struct ca_conf *conf, int64_t now, struct err *err)
{
	struct chain c = { .name = { conf->cert_file }, .retired = conf->retired };
	enum rc rc;
	size_t i;

	if (conf->n_chain_files > CA_CHAIN_MAX)
		return fail(err, RC_CONFIG, "cas.%s.chain: more than %d certificates", conf->name,
		    CA_CHAIN_MAX);
	rc = load(&ca->cert, conf->cert_file, err);
	c.cert[c.n++] = ca->cert;
	for (i = 0; rc == RC_OK && i < conf->n_chain_files; i++) {
		rc = load(&ca->chain[i], conf->chain_files[i], err);
		if (rc != RC_OK)
			break;
		ca->n_chain++;
		c.name[c.n] = conf->chain_files[i];
		c.cert[c.n++] = ca->chain[i];
	}
	if (rc == RC_OK && (rc = chain_check(&c, now, err)) != RC_OK && err->hint[0] == '\0' &&
	    !cert_self_issued(c.cert[c.n - 1]))
		(void)err_hint(err,
		    "list the certificates above it under cas.%s.chain, nearest first", conf->name);
	return rc == RC_OK ? take_bounds(ca, &c, err) : rc;
}

/* Windows stops after GetCACert without key usage or EKU here, macOS encrypts to the wrong
 * certificate (RFC 8894 2.1.2). */
static enum rc
check_ra_usage(const struct cert *ra, const char *file, struct err *err)
{
	const struct key_info *k = key_info0(cert_key0(ra));
	unsigned ku = 0, need = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	size_t n_eku = 0;

	if (cert_is_ca(ra))
		return fail(err, RC_CONFIG, "%s: the RA certificate is a CA certificate", file);
	if (k->type != KEY_RSA)
		return fail(err, RC_CONFIG,
		    "%s: the RA key is %s, and SCEP clients can only encrypt to RSA", file,
		    k->name);
	if (k->bits < RA_RSA_MIN)
		return fail(err, RC_CONFIG, "%s: the RA key has %u bits, %d are the least", file,
		    k->bits, RA_RSA_MIN);
	if (!cert_has_key_usage(ra, &ku) || (ku & need) != need)
		return fail(err, RC_CONFIG,
		    "%s: the RA certificate's key usage lacks digitalSignature or keyEncipherment",
		    file);
	(void)cert_eku0(ra, &n_eku);
	if (n_eku == 0)
		return fail(err, RC_CONFIG,
		    "%s: the RA certificate has no extended key usage, and Windows ignores such "
		    "ones",
		    file);
	return RC_OK;
}

/* By this CA or one above it: clients that check the RA have nothing else to check it with. */
static enum rc
check_ra_issuer(const struct ca *ca, const char *file, struct err *err)
{
	size_t i;

	if (cert_verify_by(ca->ra, ca->cert, NULL) == RC_OK)
		return RC_OK;
	for (i = 0; i < ca->n_chain; i++) {
		if (cert_verify_by(ca->ra, ca->chain[i], NULL) == RC_OK)
			return RC_OK;
	}
	return fail(err, RC_CONFIG,
	    "%s: the RA certificate was signed neither by the CA %s nor by one above it", file,
	    ca->name);
}

static enum rc
ra_from_signer(struct ca *ca, struct err *err)
{
	struct signer_certs certs = { 0 };
	enum rc rc = signer_certs(ca->signer, ca->ra_name, &certs, err);

	if (rc == RC_OK && certs.n_ra == 0)
		rc = fail(err, RC_CONFIG, "the signer has no RA certificate of %s", ca->name);
	if (rc == RC_OK) {
		ca->ra = certs.ra[0];
		certs.ra[0] = NULL;
	}
	signer_certs_done(&certs);
	return rc;
}

static enum rc
ra_from_file(struct ca *ca, const struct ca_conf *conf, struct err *err)
{
	return load(&ca->ra, conf->ra_cert_file, err);
}

static enum rc
open_ra(struct ca *ca, const struct ca_conf *conf, int64_t now, struct err *err)
{
	enum rc rc;

	rc = ca->signer != NULL ? ra_from_signer(ca, err) : ra_from_file(ca, conf, err);
	if (rc == RC_OK)
		rc = check_ra_usage(ca->ra, conf->ra_cert_file, err);
	if (rc == RC_OK && !conf->retired)
		rc = cert_check_dates(ca->ra, conf->ra_cert_file, now, err);
	if (rc == RC_OK)
		rc = check_ra_issuer(ca, conf->ra_cert_file, err);
	return rc;
}

enum rc
ca_open(struct ca **out, const struct ca_conf *conf, struct signer *signer, struct err *err)
{
	struct ca *ca = calloc(1, sizeof(*ca));
	int64_t now = clock_now();
	struct err own = { 0 };
	enum rc rc;

	if (err == NULL)
		err = &own;
	if (ca == NULL)
		return fail(err, RC_NOMEM, "out of memory for the CA %s", conf->name);
	ca->signer = signer;
	ca->parts = conf->crl_parts > 1 ? conf->crl_parts : 1;
	rc = str_dup(&ca->name, conf->name, err);
	if (rc == RC_OK)
		rc = str_dup(&ca->ra_name, conf->ra_name, err);
	if (rc == RC_OK)
		rc = open_chain(ca, conf, now, err);
	if (rc == RC_OK)
		rc = open_ra(ca, conf, now, err);
	if (rc != RC_OK) {
		ca_free(ca);
		return rc;
	}
	*out = ca;
	return RC_OK;
}

void
ca_free(struct ca *ca)
{
	size_t i;

	if (ca == NULL)
		return;
	for (i = 0; i < CA_CHAIN_MAX; i++)
		cert_free(ca->chain[i]);
	for (i = 0; i <= CA_CHAIN_MAX; i++)
		constraints_done(&ca->constraints[i]);
	cert_free(ca->cert);
	cert_free(ca->ra);
	free(ca->name);
	free(ca->ra_name);
	free(ca);
}

const char *
ca_name(const struct ca *ca)
{
	return ca->name;
}

const struct cert *
ca_cert0(const struct ca *ca)
{
	return ca->cert;
}

const struct cert *
ca_ra_cert0(const struct ca *ca)
{
	return ca->ra;
}

size_t
ca_chain_len(const struct ca *ca)
{
	return ca->n_chain;
}

const struct cert *
ca_chain0(const struct ca *ca, size_t i)
{
	return i < ca->n_chain ? ca->chain[i] : NULL;
}

/* Who forbids it: the CA by its name, one above it by its subject. */
static enum rc
name_of(struct buf *out, const struct ca *ca, size_t i, struct err *err)
{
	buf_addf(out, "the CA %s", ca->name);
	if (i > 0) {
		buf_adds(out, "'s issuer ");
		name_text(out, cert_subject0(ca->chain[i - 1]));
	}
	return buf_ok(out, "name of a CA", err);
}

enum rc
ca_names_allowed(
    const struct ca *ca, const struct name *subject, const struct san_list *san, struct err *err)
{
	enum rc rc = RC_OK;
	struct buf who;
	size_t i;

	buf_init(&who, 4 * LIMIT_CERT);
	for (i = 0; rc == RC_OK && i <= ca->n_chain; i++) {
		if (ca->constraints[i].n == 0)
			continue;
		buf_reset(&who);
		rc = name_of(&who, ca, i, err);
		if (rc == RC_OK)
			rc = constraints_check(
			    &ca->constraints[i], buf_str(&who), subject, san, err);
	}
	buf_done(&who);
	return rc;
}
