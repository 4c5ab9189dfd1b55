/*
 * config_profile.c - profiles from the words of the file to the bits and OIDs of the CA.
 */
#include <string.h>

#include "base/text.h"
#include "ossl/csr.h"
#include "ossl/eku.h"
#include "ossl/name_labels.h"
#include "scepd/config_int.h"

struct word {
	const char *word;
	unsigned bit;
};
static const struct word key_usages[] = {
	{ "digitalSignature", KU_DIGITAL_SIGNATURE },
	{ "nonRepudiation", KU_NON_REPUDIATION },
	{ "keyEncipherment", KU_KEY_ENCIPHERMENT },
	{ "dataEncipherment", KU_DATA_ENCIPHERMENT },
	{ "keyAgreement", KU_KEY_AGREEMENT },
	{ NULL, 0 },
};

/* The rows have checked the words against their choices. */
static unsigned
bits_of(const struct word *table, const struct conf_strs *words)
{
	unsigned bits = 0;
	size_t i;

	for (; table->word != NULL; table++) {
		for (i = 0; i < words->n; i++)
			bits |= strcmp(words->v[i], table->word) == 0 ? table->bit : 0;
	}
	return bits;
}

static bool
has_word(const struct conf_strs *words, const char *word)
{
	size_t i;

	for (i = 0; i < words->n; i++) {
		if (strcmp(words->v[i], word) == 0)
			return true;
	}
	return false;
}

static enum rc
profile_fail(
    const struct config_file *f, const struct conf_profile *raw, struct err *err, const char *why)
{
	return conf_fail(f->c.source, err, raw->line, NULL, "profiles.%s.%s", raw->name, why);
}

/* A known name, or an OID as it is. */
static enum rc
eku_word(const char **out, const struct config_file *f, const struct conf_profile *raw,
    const char *key, const char *word, struct err *err)
{
	struct nearest near;
	size_t i;

	if ((*out = eku_oid(word)) != NULL)
		return RC_OK;
	if (word[0] >= '0' && word[0] <= '2') {
		*out = word;
		return RC_OK;
	}
	nearest_begin(&near, word);
	for (i = 0; eku_name_at(i) != NULL; i++)
		nearest_offer(&near, eku_name_at(i));
	(void)conf_fail(f->c.source, err, raw->line, NULL,
	    "profiles.%s.eku.%s: \"%.60s\" is neither a known usage nor an OID", raw->name, key,
	    word);
	if (near.best != NULL)
		(void)err_hint(err, "did you mean \"%s\"?", near.best);
	return RC_CONFIG;
}

static enum rc
eku_list(const char *const **out, size_t *n, struct config_file *f, const struct conf_profile *raw,
    const char *key, const struct conf_strs *words, struct err *err)
{
	const char **v = config_alloc(f, words->n + 1, sizeof(*v));
	enum rc rc = RC_OK;
	size_t i;

	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	for (i = 0; rc == RC_OK && i < words->n; i++)
		rc = eku_word(&v[i], f, raw, key, words->v[i], err);
	*out = v;
	*n = words->n;
	return rc;
}

/* Without a stated default: clientAuth where it is allowed, else all that is allowed. */
static void
eku_default(struct profile *p)
{
	size_t i;

	if (p->n_eku_default > 0)
		return;
	p->eku_default = p->eku_allowed;
	p->n_eku_default = p->n_eku_allowed;
	for (i = 0; i < p->n_eku_allowed; i++) {
		if (strcmp(p->eku_allowed[i], OID_CLIENT_AUTH) == 0) {
			p->eku_default = &p->eku_allowed[i];
			p->n_eku_default = 1;
		}
	}
}

/* "emailAddress" is written, "E" is what names hold. */
static enum rc
set_attributes(
    struct profile *p, struct config_file *f, const struct conf_profile *raw, struct err *err)
{
	const struct conf_strs *words = &raw->subject.attributes;
	const char **v = config_alloc(f, words->n + 1, sizeof(*v));
	size_t i;

	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	for (i = 0; i < words->n; i++) {
		const struct name_label *l = name_label_by_key(words->v[i]);

		v[i] = l != NULL ? l->label : words->v[i];
	}
	p->subject_attributes = v;
	p->n_subject_attributes = words->n;
	return RC_OK;
}

static void
set_san(struct profile *p, const struct conf_profile *raw)
{
	size_t i;

	for (i = 0; i < raw->san.types.n; i++)
		p->san_types |= 1u << san_type_by_name(raw->san.types.v[i]);
	p->san_allow = raw->san.allow.v;
	p->n_san_allow = raw->san.allow.n;
	p->san_required = raw->san.required;
}

static void
set_keys(struct profile *p, const struct conf_profile *raw)
{
	p->rsa_max = (unsigned)raw->keys.rsa.max;
	p->rsa_min = p->rsa_max == 0 ? 0 : (unsigned)raw->keys.rsa.min;
	p->ec_p256 = has_word(&raw->keys.ec, "p256");
	p->ec_p384 = has_word(&raw->keys.ec, "p384");
	p->sha1_csr_ok = raw->sha1_csr;
}

static void
set_life(struct profile *p, const struct conf_profile *raw)
{
	static const enum digest digests[] = { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

	p->validity_default = raw->validity.dflt;
	p->validity_max = raw->validity.max;
	p->validity_from_request = raw->validity.from_request;
	p->backdate = raw->backdate;
	p->digest = digests[raw->digest];
}

static enum rc
profile_from(
    struct profile *p, struct config_file *f, const struct conf_profile *raw, struct err *err)
{
	struct err why = { 0 };
	enum rc rc;

	p->name = raw->name;
	p->line = raw->line;
	p->subject_allow = raw->subject.allow.v;
	p->n_subject_allow = raw->subject.allow.n;
	p->subject_empty_ok = raw->subject.empty;
	set_san(p, raw);
	p->key_usage_allowed = bits_of(key_usages, &raw->key_usage.allow);
	p->key_usage_default = bits_of(key_usages, &raw->key_usage.dflt);
	if (p->key_usage_default == 0)
		p->key_usage_default = p->key_usage_allowed;
	set_keys(p, raw);
	set_life(p, raw);
	rc = set_attributes(p, f, raw, err);
	if (rc == RC_OK)
		rc = eku_list(
		    &p->eku_allowed, &p->n_eku_allowed, f, raw, "allow", &raw->eku.allow, err);
	if (rc == RC_OK)
		rc = eku_list(
		    &p->eku_default, &p->n_eku_default, f, raw, "default", &raw->eku.dflt, err);
	if (rc != RC_OK)
		return rc;
	eku_default(p);
	if (profile_check(p, &why) != RC_OK)
		return profile_fail(f, raw, err, why.msg);
	return RC_OK;
}

enum rc
config_profiles(struct config_file *f, struct err *err)
{
	const struct conf_profile *raw = f->raw_profiles.v;
	struct profile *p = config_alloc(f, f->raw_profiles.n, sizeof(*p));
	enum rc rc = RC_OK;
	size_t i;

	if (p == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	for (i = 0; rc == RC_OK && i < f->raw_profiles.n; i++)
		rc = profile_from(&p[i], f, &raw[i], err);
	f->c.profiles.v = p;
	f->c.profiles.n = f->raw_profiles.n;
	return rc;
}

/* ---- addresses of CRL, CA certificate and OCSP responder ---- */

/* The CA that is declared as the next of this one, or NULL. */
static const struct conf_ca *
next_ca(const struct config_file *f, const char *name)
{
	const struct conf_ca *ca = f->c.cas.v;
	size_t i;

	for (i = 0; i < f->c.cas.n; i++) {
		if (ca[i].replaces != NULL && strcmp(ca[i].replaces, name) == 0)
			return &ca[i];
	}
	return NULL;
}

/*
 * The CA whose certificates a profile shapes, as it is written in an address: CA_IN_ADDRESS when
 * there are several, or will be when the endpoint is moved to the next one (*next: that); NULL when
 * there is none.
 */
static const char *
ca_of_profile(const struct config_file *f, const struct profile *p, const struct conf_ca **next)
{
	const struct conf_endpoint *e = f->c.endpoints.v;
	const char *name = NULL;
	bool several = false;
	size_t i;

	*next = NULL;
	for (i = 0; i < f->c.endpoints.n; i++) {
		if (!config_endpoint_issues_by(&e[i], p->name))
			continue;
		if (name != NULL && strcmp(name, e[i].ca) != 0)
			several = true;
		name = e[i].ca;
		if (*next == NULL)
			*next = next_ca(f, name);
	}
	return several || *next != NULL ? CA_IN_ADDRESS : name;
}

/* A device that the next CA has issued for would look for its revocation in the list of the old one. */
static enum rc
check_names_ca(const struct config_file *f, const struct conf_profile *raw, const char *key,
    const struct conf_strs *urls, const struct conf_ca *next, struct err *err)
{
	size_t i;

	for (i = 0; next != NULL && i < urls->n; i++) {
		if (strcmp(urls->v[i], "none") != 0 && strstr(urls->v[i], CA_IN_ADDRESS) == NULL)
			return conf_fail(f->c.source, err, raw->line, NULL,
			    "profiles.%s.%s: \"%.100s\" is the address of one CA, and %s replaces "
			    "%s: "
			    "write " CA_IN_ADDRESS " in place of the CA's name",
			    raw->name, key, urls->v[i], next->name, next->replaces);
	}
	return RC_OK;
}

static enum rc
check_urls(const struct config_file *f, const struct conf_profile *raw, const char *key,
    const struct conf_strs *urls, struct err *err)
{
	size_t i;

	for (i = 0; i < urls->n; i++) {
		if (strcmp(urls->v[i], "none") == 0 && urls->n == 1)
			return RC_OK;
		if (!config_is_url(urls->v[i]) && !str_starts(urls->v[i], "ldap://"))
			return conf_fail(f->c.source, err, raw->line, NULL,
			    "profiles.%s.%s: \"%.100s\" is no http:// address", raw->name, key,
			    urls->v[i]);
	}
	return RC_OK;
}

/* One list of addresses: as written, left out by the word none, or made from public_url. */
static enum rc
set_urls(const char *const **out, size_t *n, struct config_file *f, const struct conf_profile *raw,
    const char *key, const struct conf_strs *urls, const char *made, struct err *err)
{
	const char **v;
	enum rc rc = check_urls(f, raw, key, urls, err);

	if (rc != RC_OK || (urls->n == 1 && strcmp(urls->v[0], "none") == 0))
		return rc;
	if (urls->n > 0 || made == NULL) {
		*out = urls->v;
		*n = urls->n;
		return RC_OK;
	}
	v = config_alloc(f, 1, sizeof(*v));
	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	v[0] = made;
	*out = v;
	*n = 1;
	return RC_OK;
}

/* A CA without partitions answers to "0-of-1", so that one address does for several. */
static bool
has_partitions(const struct config_file *f, const char *ca)
{
	const struct conf_ca *all = f->c.cas.v;

	for (size_t i = 0; i < f->c.cas.n; i++)
		if (all[i].crl_partitions > 1 &&
		    (strcmp(ca, CA_IN_ADDRESS) == 0 || strcmp(ca, all[i].name) == 0))
			return true;
	return false;
}

static enum rc
profile_addresses(
    struct config_file *f, struct profile *p, const struct conf_profile *raw, struct err *err)
{
	const char *crl = NULL, *aia = NULL, *ocsp = NULL, *ca;
	const struct conf_ca *next;
	enum rc rc;

	/* OCSP answers for both CAs at either's address, so that one may stay. */
	ca = ca_of_profile(f, p, &next);
	rc = check_names_ca(f, raw, "crl_urls", &raw->crl_urls, next, err);
	if (rc == RC_OK)
		rc = check_names_ca(f, raw, "ca_issuer_urls", &raw->ca_issuer_urls, next, err);
	if (rc == RC_OK && f->c.public_url != NULL && ca != NULL) {
		rc = config_format(&crl, f, err,
		    has_partitions(f, ca) ? "%s/crl/%s/" PARTITION_IN_ADDRESS ".crl"
					  : "%s/crl/%s.crl",
		    f->c.public_url, ca);
		if (rc == RC_OK)
			rc = config_format(&aia, f, err, "%s/ca/%s.crt", f->c.public_url, ca);
		if (rc == RC_OK)
			rc = config_format(&ocsp, f, err, "%s/ocsp/%s", f->c.public_url, ca);
	}
	if (rc == RC_OK)
		rc = set_urls(
		    &p->crl_urls, &p->n_crl_urls, f, raw, "crl_urls", &raw->crl_urls, crl, err);
	if (rc == RC_OK)
		rc = set_urls(&p->ca_issuer_urls, &p->n_ca_issuer_urls, f, raw, "ca_issuer_urls",
		    &raw->ca_issuer_urls, aia, err);
	if (rc == RC_OK)
		rc = set_urls(&p->ocsp_urls, &p->n_ocsp_urls, f, raw, "ocsp_urls", &raw->ocsp_urls,
		    ocsp, err);
	return rc;
}

enum rc
config_addresses(struct config_file *f, struct err *err)
{
	const struct conf_profile *raw = f->raw_profiles.v;
	struct profile *p = f->c.profiles.v;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.profiles.n; i++)
		rc = profile_addresses(f, &p[i], &raw[i], err);
	return rc;
}
