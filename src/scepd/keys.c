/*
 * keys.c - from the configuration to the signer: which keys, and what each CA may sign at most.
 */
#include "scepd/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/secret.h"
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
signer_ca_of(const struct bounds *b, const struct conf_ca *ca)
{
	return (struct signer_ca){
		.name = ca->name,
		.cert_file = ca->certificate,
		.chain_files = ca->chain.v,
		.n_chain_files = ca->chain.n,
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
		.ra_validity = ca->ra_validity,
	};
}

/* What unlocks the keys of one CA; wiped when the signer is open. */
struct unlocking {
	struct bounds bounds;
	struct buf passphrase, pin;
};

static void
unlocking_wipe(struct unlocking *u)
{
	buf_wipe(&u->passphrase);
	buf_wipe(&u->pin);
}

static enum rc
read_secret(struct buf *out, const char *source, const char *kind, const char *ca, struct err *err)
{
	char what[128];
	enum rc rc;

	if (source == NULL)
		return RC_OK;
	snprintf(what, sizeof(what), "%s of CA %s", kind, ca);
	rc = secret_read(out, source, what, err);
	if (rc != RC_OK)
		err_context(err, "cas.%s", ca);
	return rc;
}

static struct key_source
source_of(const char *key, const struct unlocking *u, const struct conf_ca *ca)
{
	bool token = key != NULL && config_key_is_uri(key);

	return (struct key_source){
		.key = key,
		.passphrase =
		    ca->passphrase_file != NULL && !token ? buf_str(&u->passphrase) : NULL,
		.pin = ca->pin_file != NULL && token ? buf_str(&u->pin) : NULL,
	};
}

/* One CA as the signer is to know it. */
static enum rc
unlock(struct signer_ca *out, struct unlocking *u, const struct config *c, const struct conf_ca *ca,
    struct err *err)
{
	enum rc rc;

	rc = read_secret(
	    &u->passphrase, ca->passphrase_file, "passphrase of the keys", ca->name, err);
	if (rc == RC_OK)
		rc = read_secret(&u->pin, ca->pin_file, "PIN of the token", ca->name, err);
	if (rc != RC_OK)
		return rc;
	bounds_of(&u->bounds, c, ca);
	*out = signer_ca_of(&u->bounds, ca);
	out->key = source_of(ca->key, u, ca);
	out->ra_key = source_of(ca->ra_key, u, ca);
	out->ocsp_key = source_of(ca->ocsp_key, u, ca);
	/* The signer's own responder key is encrypted with the passphrase that there is, even if the
	 * CA's key is in a token. */
	if (ca->passphrase_file != NULL)
		out->ocsp_key.passphrase = buf_str(&u->passphrase);
	return RC_OK;
}

static enum rc
open_cas(struct signer **out, const struct config *c, const struct conf_ca *cas, size_t n,
    const char *state_dir, struct err *err)
{
	struct signer_ca *sc = calloc(n + 1, sizeof(*sc));
	struct unlocking *u = calloc(n + 1, sizeof(*u));
	struct signer_conf conf = { .cas = sc, .n_cas = n, .state_dir = state_dir };
	enum rc rc = RC_OK;

	if (sc == NULL || u == NULL)
		rc = fail(err, RC_NOMEM, "no memory for the signer");
	for (size_t i = 0; u != NULL && i < n; i++) {
		buf_init(&u[i].passphrase, LIMIT_SECRET_FILE);
		buf_init(&u[i].pin, LIMIT_SECRET_FILE);
	}
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = unlock(&sc[i], &u[i], c, &cas[i], err);
	if (rc == RC_OK)
		rc = signer_open(out, &conf, err);
	for (size_t i = 0; u != NULL && i < n; i++)
		unlocking_wipe(&u[i]);
	free(sc);
	free(u);
	return rc;
}

enum rc
keys_open(struct signer **out, const struct config *c, const char *state_dir, struct err *err)
{
	return open_cas(out, c, c->cas.v, c->cas.n, state_dir, err);
}

enum rc
keys_check(const struct config *c, const struct conf_ca *ca, struct err *err)
{
	struct signer *s = NULL;
	enum rc rc = open_cas(&s, c, ca, 1, NULL, err);

	signer_close(s);
	return rc;
}
