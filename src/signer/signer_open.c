/*
 * signer_open.c - opening: keys and certificates that belong together, and the rules of each CA.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "signer/signer_local.h"

#define DAY              86400
#define VALIDITY_MAX     (826 * (int64_t)DAY) /* 825 days and a day of backdating */
#define CRL_VALIDITY_MAX (400 * (int64_t)DAY) /* a list of an offline CA holds a year */

/* What is wrong with a configured file is the administrator's to change; a token that is not there may come. */
static enum rc
as_config(enum rc rc, const char *kind, const char *name, struct err *err)
{
	if (rc == RC_OK || rc == RC_NOMEM)
		return rc;
	err_context(err, "%s %s", kind, name);
	if (rc == RC_TIMEOUT)
		return rc;
	if (err != NULL)
		err->rc = RC_CONFIG;
	return RC_CONFIG;
}

/* A key and a certificate that belong together. */
static enum rc
pair_open(struct key **key, struct cert **cert, const struct key_source *src, const char *cert_file,
    struct err *err)
{
	enum rc rc;

	rc = cert_load(cert, cert_file, err);
	if (rc == RC_OK)
		rc = key_open(key, src, err);
	if (rc != RC_OK)
		return rc;
	if (!key_is_private(*key))
		return fail(err, RC_CONFIG, "%s holds no private key", src->key);
	if (!key_same_public(*key, cert_key0(*cert)))
		return fail(err, RC_CONFIG,
		    "the key in %s does not belong to the certificate in %s", src->key, cert_file);
	return RC_OK;
}

static enum rc
ca_cert_check(const struct cert *c, const char *file, struct err *err)
{
	unsigned ku = 0;

	if (!cert_is_ca(c))
		return fail(err, RC_CONFIG, "%s is not the certificate of a CA", file);
	if (cert_has_key_usage(c, &ku) && !(ku & KU_KEY_CERT_SIGN))
		return fail(err, RC_CONFIG, "%s may not sign certificates (keyUsage)", file);
	return RC_OK;
}

static enum rc
chain_open(struct signer_id *id, const struct signer_ca *conf, struct err *err)
{
	enum rc rc = RC_OK;

	if (conf->n_chain_files > CHAIN_MAX)
		return fail(err, RC_CONFIG, "more than %d certificates in the chain", CHAIN_MAX);
	for (; id->n_chain < conf->n_chain_files && rc == RC_OK; id->n_chain++)
		rc = cert_load(&id->chain[id->n_chain], conf->chain_files[id->n_chain], err);
	return rc;
}

static enum rc
eku_copy(struct signer_id *id, const struct signer_ca *conf, struct err *err)
{
	enum rc rc = RC_OK;

	id->eku = calloc(conf->n_eku + 1, sizeof(*id->eku));
	if (id->eku == NULL)
		return fail(err, RC_NOMEM, "no memory for a CA's rules");
	for (size_t i = 0; i < conf->n_eku && rc == RC_OK; i++)
		rc = str_dup(&id->eku[i], conf->eku[i], err);
	return rc;
}

static void
rules_set(struct signer_id *id, const struct signer_ca *conf)
{
	const struct name *subject = cert_subject0(id->cert);
	struct sign_rules *r = &id->rules;

	r->subject = (struct der){ subject->der, subject->der_len };
	r->spki.p = key_spki0(cert_key0(id->cert), &r->spki.len);
	r->key_type = key_info0(id->key)->type;
	r->issues = conf->issues;
	r->not_after = cert_not_after(id->cert);
	r->max_validity = conf->max_validity > 0 ? conf->max_validity : VALIDITY_MAX;
	r->eku = (const char *const *)id->eku;
	r->n_eku = conf->n_eku;
	r->key_usage = conf->key_usage;
	r->rsa_min = conf->rsa_min;
	r->rsa_max = conf->rsa_max;
	r->ec_curves = conf->ec_curves;
	r->crl_validity_max =
	    conf->crl_validity_max > 0 ? conf->crl_validity_max : CRL_VALIDITY_MAX;
	id->ra_validity = conf->ra_validity;
}

static enum rc
authority_open(struct signer_id *id, const struct signer_ca *conf, struct err *err)
{
	enum rc rc;

	rc = pair_open(&id->key, &id->cert, &conf->key, conf->cert_file, err);
	if (rc == RC_OK)
		rc = ca_cert_check(id->cert, conf->cert_file, err);
	if (rc == RC_OK)
		rc = chain_open(id, conf, err);
	if (rc == RC_OK)
		rc = eku_copy(id, conf, err);
	if (rc == RC_OK)
		rules_set(id, conf);
	return rc;
}

static enum rc
ra_open(struct signer_id *id, const struct signer_ca *conf, struct err *err)
{
	struct cert *c = NULL;
	enum rc rc;

	if (conf->ra_cert_file == NULL)
		return RC_OK;
	rc = pair_open(&id->ra_key, &c, &conf->ra_key, conf->ra_cert_file, err);
	/* A CA's key as an RA would sign without a CA's rules. */
	if (rc == RC_OK && cert_is_ca(c))
		rc = fail(err, RC_CONFIG, "%s is the certificate of a CA", conf->ra_cert_file);
	if (rc == RC_OK && key_same_public(id->ra_key, id->key))
		rc = fail(err, RC_CONFIG, "%s is the key of the CA, too", conf->ra_key.key);
	if (rc == RC_OK)
		id->ra[id->n_ra++] = c;
	else
		cert_free(c);
	return rc;
}

/* A key of the signer's own: in its folder, under the CA's passphrase if there is one. */
static enum rc
responder_key_make(
    struct signer_id *id, const struct signer_ca *conf, const struct state *state, struct err *err)
{
	struct key_source src = { .passphrase = conf->key.passphrase };
	char *path = NULL;
	enum rc rc = state_path(&path, state, conf->name, "-ocsp.key", err);

	if (rc == RC_OK && path == NULL)
		return key_generate(&id->ocsp_key, "ec:p256", err);
	src.key = path;
	if (rc == RC_OK)
		rc = access(path, F_OK) == 0 ? key_open(&id->ocsp_key, &src, err)
					     : key_create(&id->ocsp_key, "ec:p256", &src, err);
	free(path);
	return rc;
}

static enum rc
responder_open(
    struct signer_id *id, const struct signer_ca *conf, const struct state *state, struct err *err)
{
	enum rc rc;

	if (conf->ocsp_key.key != NULL)
		rc = key_open(&id->ocsp_key, &conf->ocsp_key, err);
	else
		rc = responder_key_make(id, conf, state, err);
	if (rc == RC_OK && !key_is_private(id->ocsp_key))
		rc = fail(err, RC_CONFIG, "%s holds no private key", conf->ocsp_key.key);
	if (rc == RC_OK && key_same_public(id->ocsp_key, id->key))
		rc = fail(err, RC_CONFIG, "%s is the key of the CA, too", conf->ocsp_key.key);
	return rc == RC_OK ? ocsp_names_make(&id->names, id->cert, id->ocsp_key, err) : rc;
}

/*
 * What others than certificates may be asked for in an hour: far above what devices need, and below
 * what a search for a weakness needs.  An enrolment takes one unwrapping and one CertRep, a refused
 * request as well; whoever would make the RA key a decryption oracle (Bleichenbacher) needs a
 * million or more for one message.
 */
static const uint64_t per_hour[RATE__MAX] = {
	[RATE_CRL] = 20000, /* 256 partitions, some of them anew every second */
	[RATE_CERTREP] = 1000000,
	[RATE_UNWRAP] = 1000000,
	[RATE_OCSP] = 10000000, /* answers are signed once and kept by the front; nonces are not */
	[RATE_NEXT] = 100000,
	[RATE_RESPONDER] =
	    3600, /* a verification and a line of the audit each; one a minute is asked about */
};

static void
rates_set(struct signer_id *id, uint64_t certs_per_hour)
{
	uint64_t certs = certs_per_hour > 0 ? certs_per_hour : SIGNER_PER_HOUR;
	int64_t now = clock_mono_ms();

	rate_init(&id->rates[RATE_CERT], certs, now);
	for (int i = RATE_CERT + 1; i < RATE__MAX; i++) {
		/* Where an administrator wants more certificates, the rest has to keep up. */
		bool enrolment = i == RATE_CERTREP || i == RATE_UNWRAP;
		uint64_t n = per_hour[i];

		rate_init(&id->rates[i], enrolment && n < 2 * certs ? 2 * certs : n, now);
	}
}

/* What every CA has, ours or not. */
static enum rc
id_begin(struct signer_id *id, const char *name, uint64_t certs_per_hour, struct err *err)
{
	id->locks_made = pthread_mutex_init(&id->lock, NULL) == 0 &&
	    pthread_mutex_init(&id->rate_lock, NULL) == 0;
	if (!id->locks_made)
		return fail(err, RC_NOMEM, "no memory for a CA");
	rates_set(id, certs_per_hour);
	return str_dup(&id->name, name, err);
}

static enum rc
ca_id_open(
    struct signer_id *id, const struct signer_ca *conf, const struct state *state, struct err *err)
{
	enum rc rc = id_begin(id, conf->name, conf->max_per_hour, err);

	if (rc == RC_OK && conf->replaces != NULL)
		rc = str_dup(&id->replaces, conf->replaces, err);
	if (rc == RC_OK)
		rc = as_config(authority_open(id, conf, err), "CA", conf->name, err);
	if (rc == RC_OK)
		rc = as_config(ra_open(id, conf, err), "RA", conf->name, err);
	if (rc == RC_OK)
		rc = as_config(
		    responder_open(id, conf, state, err), "OCSP responder of CA", conf->name, err);
	if (rc == RC_OK)
		rc = crl_last_load(&id->crl, state, conf->name, err);
	return rc == RC_OK ? kept_load(id, state, err) : rc;
}

/* A key of ours as a foreign CA's responder would sign under two rules. */
static enum rc
not_ours(
    const struct signer_local *l, const struct signer_id *id, const char *file, struct err *err)
{
	for (size_t i = 0; i < l->n_cas; i++) {
		const struct signer_id *ca = &l->cas[i];
		const struct key *const keys[] = { ca->key, ca->ra_key, ca->ocsp_key };

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			if (!ca->foreign && keys[k] != NULL &&
			    key_same_public(keys[k], id->ocsp_key))
				return fail(
				    err, RC_CONFIG, "%s is a key of CA %s, too", file, ca->name);
	}
	return RC_OK;
}

static enum rc
foreign_open(const struct signer_local *l, struct signer_id *id, const struct signer_foreign *conf,
    struct err *err)
{
	enum rc rc = id_begin(id, conf->name, 0, err);

	id->foreign = true;
	if (rc != RC_OK)
		return rc;
	if ((rc = foreign_id_open(id, conf, err)) == RC_OK)
		rc = not_ours(l, id, conf->ocsp_key.key, err);
	return as_config(rc, "OCSP responder of foreign CA", conf->name, err);
}

void
ca_id_done(struct signer_id *id)
{
	for (size_t i = 0; id->eku != NULL && id->eku[i] != NULL; i++)
		free(id->eku[i]);
	for (size_t i = 0; i < CHAIN_MAX; i++)
		cert_free(id->chain[i]);
	for (size_t i = 0; i < id->n_ra; i++)
		cert_free(id->ra[i]);
	cert_free(id->ocsp);
	cert_free(id->cert);
	key_free(id->key);
	key_free(id->ra_key);
	key_free(id->ocsp_key);
	free(id->eku);
	free(id->name);
	free(id->replaces);
	if (id->locks_made) {
		pthread_mutex_destroy(&id->lock);
		pthread_mutex_destroy(&id->rate_lock);
	}
}

enum rc
cert_copy(struct cert **out, const struct cert *c, struct err *err)
{
	size_t len;
	const uint8_t *der = cert_der0(c, &len);

	return cert_parse(out, der, len, err);
}

enum rc
signer_open(struct signer **out, const struct signer_conf *conf, struct err *err)
{
	struct signer_local *l = calloc(1, sizeof(*l));
	enum rc rc = RC_OK;

	if (l == NULL)
		return fail(err, RC_NOMEM, "no memory for the signer");
	l->base.ops = &local_ops;
	l->stats.started = clock_now();
	pthread_mutex_init(&l->tell_lock, NULL);
	l->cas = calloc(conf->n_cas + conf->n_foreign + 1, sizeof(*l->cas));
	if (l->cas == NULL)
		rc = fail(err, RC_NOMEM, "no memory for the signer");
	else
		rc = state_open(&l->state, conf->state_dir, err);
	for (size_t i = 0; i < conf->n_cas && rc == RC_OK; i++, l->n_cas++)
		rc = ca_id_open(&l->cas[i], &conf->cas[i], l->state, err);
	for (size_t i = 0; i < conf->n_foreign && rc == RC_OK; i++, l->n_cas++)
		rc = foreign_open(l, &l->cas[l->n_cas], &conf->foreign[i], err);
	if (rc == RC_OK)
		*out = &l->base;
	else
		signer_close(&l->base);
	return rc;
}
