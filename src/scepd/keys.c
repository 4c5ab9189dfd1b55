/*
 * keys.c - from the configuration to the signer: which keys, and what each CA may sign at most.
 */
#include "scepd/keys.h"

#include <stdlib.h>
#include <string.h>

#include "scepd/publish.h"

/* What the profiles of a CA's endpoints may issue, together: the signer's own outer bound. */
struct bounds {
	const char *eku[256];
	size_t n_eku;
	unsigned key_usage;
	unsigned rsa_min, rsa_max, ec_curves;
	int64_t validity;
};

static void
bounds_add_eku(struct bounds *b, const char *oid)
{
	for (size_t i = 0; i < b->n_eku; i++)
		if (strcmp(b->eku[i], oid) == 0)
			return;
	if (b->n_eku < sizeof(b->eku) / sizeof(b->eku[0]))
		b->eku[b->n_eku++] = oid;
}

static void
bounds_add_keys(struct bounds *b, const struct profile *p)
{
	if (p->rsa_max > 0 && (b->rsa_max == 0 || p->rsa_min < b->rsa_min))
		b->rsa_min = p->rsa_min;
	if (p->rsa_max > b->rsa_max)
		b->rsa_max = p->rsa_max;
	b->ec_curves |= (p->ec_p256 ? SIGNER_P256 : 0) | (p->ec_p384 ? SIGNER_P384 : 0);
}

static void
bounds_add(struct bounds *b, const struct profile *p)
{
	for (size_t i = 0; i < p->n_eku_allowed; i++)
		bounds_add_eku(b, p->eku_allowed[i]);
	for (size_t i = 0; i < p->n_eku_default; i++)
		bounds_add_eku(b, p->eku_default[i]);
	b->key_usage |= p->key_usage_allowed | p->key_usage_default;
	if (b->validity < p->validity_max + p->backdate)
		b->validity = p->validity_max + p->backdate;
	bounds_add_keys(b, p);
}

/* Its own endpoints, and those of the CA whose devices it takes over. */
static void
bounds_of(struct bounds *b, const struct config *c, const struct conf_ca *ca)
{
	const struct conf_endpoint *e = c->endpoints.v;

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < c->endpoints.n; i++) {
		if (strcmp(e[i].ca, ca->name) == 0 ||
		    (ca->replaces != NULL && strcmp(e[i].ca, ca->replaces) == 0))
			bounds_add(b, config_profile(c, e[i].profile));
	}
}

static struct signer_ca
signer_ca_of(struct bounds *b, const struct config *c, const struct conf_ca *ca)
{
	bounds_of(b, c, ca);
	return (struct signer_ca){
		.name = ca->name,
		.cert_file = ca->certificate,
		.chain_files = ca->chain.v,
		.n_chain_files = ca->chain.n,
		.key = { .key = ca->key },
		.issues = ca->issues,
		.replaces = ca->replaces,
		.max_validity = b->validity,
		.eku = b->eku,
		.n_eku = b->n_eku,
		.key_usage = b->key_usage,
		.rsa_min = b->rsa_min,
		.rsa_max = b->rsa_max,
		.ec_curves = b->ec_curves,
		.max_per_hour = ca->max_per_hour,
		.crl_validity_max = ca->crl_validity + CRL_BACKDATE,
		.ra_cert_file = ca->ra_certificate,
		.ra_key = { .key = ca->ra_key },
		.ra_validity = ca->ra_validity,
		.ocsp_key = { .key = ca->ocsp_key },
	};
}

enum rc
keys_open(struct signer **out, const struct config *c, const char *state_dir, struct err *err)
{
	const struct conf_ca *cas = c->cas.v;
	size_t n = c->cas.n;
	struct signer_ca *sc = calloc(n + 1, sizeof(*sc));
	struct bounds *b = calloc(n + 1, sizeof(*b));
	struct signer_conf conf = { .cas = sc, .n_cas = n, .state_dir = state_dir };
	enum rc rc;

	for (size_t i = 0; sc != NULL && b != NULL && i < n; i++)
		sc[i] = signer_ca_of(&b[i], c, &cas[i]);
	rc = sc != NULL && b != NULL ? signer_open(out, &conf, err)
				     : fail(err, RC_NOMEM, "no memory for the signer");
	free(sc);
	free(b);
	return rc;
}
