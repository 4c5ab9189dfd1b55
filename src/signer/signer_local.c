/*
 * signer_local.c - the signer in the caller's process: keys by name, and the rules before every
 * signature.
 */
#include "signer/signer.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "signer/signer_check.h"

#define DAY           86400
#define VALIDITY_MAX  (826 * (int64_t)DAY) /* 825 days and a day of backdating */
#define SIGNATURE_MAX 2048                 /* octets; RSA of LIMIT_RSA_BITS has half of it */

/* A key with its certificate. */
struct identity {
	char *name;
	struct key *key;
	struct cert *cert;
};

struct ca_identity {
	struct identity id;
	char **eku;
	struct sign_rules rules; /* borrows from `id` and `eku` */
};

/* Immutable after signer_open(), so calls share it without a lock. */
struct signer {
	struct ca_identity *cas;
	size_t n_cas;
	struct identity *ras;
	size_t n_ras;
};

/* ---- open ---- */

/* What is wrong with a configured file is the administrator's to change. */
static enum rc
as_config(enum rc rc, const char *kind, const char *name, struct err *err)
{
	if (rc == RC_OK || rc == RC_NOMEM)
		return rc;
	err_context(err, "%s %s", kind, name);
	if (err != NULL)
		err->rc = RC_CONFIG;
	return RC_CONFIG;
}

static enum rc
identity_open(struct identity *id, const char *name, const char *cert_file, const char *key_file,
    struct err *err)
{
	enum rc rc;

	rc = str_dup(&id->name, name, err);
	if (rc == RC_OK)
		rc = cert_load(&id->cert, cert_file, err);
	if (rc == RC_OK)
		rc = key_load(&id->key, key_file, err);
	if (rc != RC_OK)
		return rc;
	if (!key_is_private(id->key))
		return fail(err, RC_CONFIG, "%s holds no private key", key_file);
	if (!key_same_public(id->key, cert_key0(id->cert)))
		return fail(err, RC_CONFIG,
		    "the key in %s does not belong to the certificate in %s", key_file, cert_file);
	return RC_OK;
}

static void
identity_done(struct identity *id)
{
	free(id->name);
	key_free(id->key);
	cert_free(id->cert);
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
eku_copy(struct ca_identity *ca, const struct signer_ca *conf, struct err *err)
{
	enum rc rc = RC_OK;

	ca->eku = calloc(conf->n_eku + 1, sizeof(*ca->eku));
	if (ca->eku == NULL)
		return fail(err, RC_NOMEM, "no memory for a CA's rules");
	for (size_t i = 0; i < conf->n_eku && rc == RC_OK; i++)
		rc = str_dup(&ca->eku[i], conf->eku[i], err);
	return rc;
}

static void
rules_set(struct ca_identity *ca, const struct signer_ca *conf)
{
	const struct name *subject = cert_subject0(ca->id.cert);
	struct sign_rules *r = &ca->rules;

	r->subject = (struct der){ subject->der, subject->der_len };
	r->spki.p = key_spki0(cert_key0(ca->id.cert), &r->spki.len);
	r->key_type = key_info0(ca->id.key)->type;
	r->not_after = cert_not_after(ca->id.cert);
	r->max_validity = conf->max_validity > 0 ? conf->max_validity : VALIDITY_MAX;
	r->eku = (const char *const *)ca->eku;
	r->n_eku = conf->n_eku;
	r->key_usage = conf->key_usage;
}

static enum rc
ca_open(struct ca_identity *ca, const struct signer_ca *conf, struct err *err)
{
	enum rc rc;

	rc = identity_open(&ca->id, conf->name, conf->cert_file, conf->key_file, err);
	if (rc == RC_OK)
		rc = ca_cert_check(ca->id.cert, conf->cert_file, err);
	if (rc == RC_OK)
		rc = eku_copy(ca, conf, err);
	if (rc == RC_OK)
		rules_set(ca, conf);
	return as_config(rc, "CA", conf->name, err);
}

static enum rc
ra_open(struct identity *ra, const struct signer_ra *conf, struct err *err)
{
	enum rc rc;

	rc = identity_open(ra, conf->name, conf->cert_file, conf->key_file, err);
	/* A CA's key under an RA's name would sign without a CA's rules. */
	if (rc == RC_OK && cert_is_ca(ra->cert))
		rc = fail(err, RC_CONFIG, "%s is the certificate of a CA", conf->cert_file);
	return as_config(rc, "RA", conf->name, err);
}

enum rc
signer_open(struct signer **out, const struct signer_conf *conf, struct err *err)
{
	struct signer *s = calloc(1, sizeof(*s));
	enum rc rc = RC_OK;

	if (s == NULL)
		return fail(err, RC_NOMEM, "no memory for the signer");
	s->cas = calloc(conf->n_cas + 1, sizeof(*s->cas));
	s->ras = calloc(conf->n_ras + 1, sizeof(*s->ras));
	if (s->cas == NULL || s->ras == NULL)
		rc = fail(err, RC_NOMEM, "no memory for the signer");
	for (size_t i = 0; i < conf->n_cas && rc == RC_OK; i++, s->n_cas++)
		rc = ca_open(&s->cas[i], &conf->cas[i], err);
	for (size_t i = 0; i < conf->n_ras && rc == RC_OK; i++, s->n_ras++)
		rc = ra_open(&s->ras[i], &conf->ras[i], err);
	if (rc == RC_OK)
		*out = s;
	else
		signer_close(s);
	return rc;
}

void
signer_close(struct signer *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_cas; i++) {
		char **eku = s->cas[i].eku;

		for (size_t k = 0; eku != NULL && eku[k] != NULL; k++)
			free(eku[k]);
		free(eku);
		identity_done(&s->cas[i].id);
	}
	for (size_t i = 0; i < s->n_ras; i++)
		identity_done(&s->ras[i]);
	free(s->cas);
	free(s->ras);
	free(s);
}

/* ---- calls ---- */

/* A handful of names: a walk is faster than a table. */
static enum rc
ca_find(const struct ca_identity **out, const struct signer *s, const char *name, struct err *err)
{
	for (size_t i = 0; i < s->n_cas; i++) {
		if (strcmp(s->cas[i].id.name, name) == 0) {
			*out = &s->cas[i];
			return RC_OK;
		}
	}
	return fail(err, RC_NOTFOUND, "signer: there is no CA %s", name);
}

static enum rc
ra_find(const struct identity **out, const struct signer *s, const char *name, struct err *err)
{
	for (size_t i = 0; i < s->n_ras; i++) {
		if (strcmp(s->ras[i].name, name) == 0) {
			*out = &s->ras[i];
			return RC_OK;
		}
	}
	return fail(err, RC_NOTFOUND, "signer: there is no RA %s", name);
}

typedef enum rc assemble_fn(struct buf *der, const void *tbs, size_t tbs_len, const void *sig,
    size_t sig_len, struct err *err);

/* Sign what has been checked, and put TBS and signature together. */
static enum rc
sign_tbs(const struct ca_identity *ca, enum digest d, const uint8_t *tbs, size_t len,
    assemble_fn *assemble, struct buf *out, struct err *err)
{
	struct buf sig;
	enum rc rc;

	buf_init(&sig, SIGNATURE_MAX);
	rc = key_sign(&sig, ca->id.key, d, tbs, len, err);
	if (rc == RC_OK)
		rc = assemble(out, tbs, len, sig.data, sig.len, err);
	buf_done(&sig);
	return rc;
}

enum rc
signer_sign_cert(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *cert,
    struct err *err)
{
	const struct ca_identity *c;
	enum digest d;
	enum rc rc;

	if (len > LIMIT_CERT)
		return fail(err, RC_LIMIT, "signer: a certificate of %zu bytes is too long", len);
	rc = ca_find(&c, s, ca, err);
	if (rc == RC_OK)
		rc = check_tbs_cert(&d, &c->rules, tbs, len, err);
	return rc != RC_OK ? rc : sign_tbs(c, d, tbs, len, cert_assemble, cert, err);
}

enum rc
signer_sign_crl(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *crl,
    struct err *err)
{
	const struct ca_identity *c;
	enum digest d;
	enum rc rc;

	rc = ca_find(&c, s, ca, err);
	if (rc == RC_OK)
		rc = check_tbs_crl(&d, &c->rules, tbs, len, err);
	return rc != RC_OK ? rc : sign_tbs(c, d, tbs, len, crl_assemble, crl, err);
}

enum rc
signer_sign_certrep(struct signer *s, const char *ra, enum digest d, const uint8_t *attrs,
    size_t len, struct buf *sig, struct err *err)
{
	const struct identity *id;
	enum rc rc;

	if (digest_size(d) == 0)
		return fail(err, RC_ALG, "signer: no digest that is taken");
	rc = ra_find(&id, s, ra, err);
	if (rc == RC_OK)
		rc = check_certrep_attrs(d, attrs, len, err);
	return rc != RC_OK ? rc : key_sign(sig, id->key, d, attrs, len, err);
}

enum rc
signer_unwrap(struct signer *s, const char *ra, const struct transport *t, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len, struct err *err)
{
	const struct identity *id;
	enum rc rc = ra_find(&id, s, ra, err);

	return rc != RC_OK ? rc : key_unwrap(cek, cek_len, id->key, t, wrapped, wrapped_len, err);
}
