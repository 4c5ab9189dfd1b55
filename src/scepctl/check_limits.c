/*
 * check_limits.c - scepctl check: what the certificates of a CA and those above it forbid, held
 * against what its profiles would issue.
 */
#include <string.h>

#include "ossl/ca_ext.h"
#include "ossl/eku.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"

/* The CA's own certificate is 0, the root the last. */
static const struct cert *
cert_at(const struct ca *ca, size_t i)
{
	return i == 0 ? ca_cert0(ca) : ca_chain0(ca, i - 1);
}

static const char *
called(const struct ca *ca, size_t i)
{
	return i == 0 ? "CA" : i == ca_chain_len(ca) ? "root" : "intermediate";
}

/* ---- extended key usage ---- */

static bool
has_eku(const struct cert *c, const char *oid)
{
	size_t n, i;
	const char *const *eku = cert_eku0(c, &n);

	for (i = 0; i < n; i++) {
		if (strcmp(eku[i], oid) == 0 || strcmp(eku[i], eku_oid("anyExtendedKeyUsage")) == 0)
			return true;
	}
	return n == 0; /* without the extension it is bound to none */
}

/* An EKU on a CA bounds all below it; RADIUS servers then refuse clients (quirk 29). */
static void
check_eku(struct report *r, const struct conf_ca *conf, const struct ca *ca, size_t i)
{
	if (!has_eku(cert_at(ca, i), OID_CLIENT_AUTH))
		report(r, FINDING_WARN, conf->name,
		    "the %s certificate's extended key usage lacks clientAuth: network access "
		    "servers will refuse its certificates",
		    called(ca, i));
}

static void
check_profile_eku(struct report *r, const struct conf_ca *conf, const struct ca *ca, size_t i,
    const struct profile *p)
{
	size_t k;

	for (k = 0; k < p->n_eku_allowed; k++) {
		if (strcmp(p->eku_allowed[k], OID_CLIENT_AUTH) != 0 &&
		    !has_eku(cert_at(ca, i), p->eku_allowed[k]))
			report(r, FINDING_WARN, conf->name,
			    "profile %s may issue %s, which the %s certificate's extended key "
			    "usage does not let clients accept",
			    p->name, eku_name(p->eku_allowed[k]), called(ca, i));
	}
}

/* ---- name constraints ---- */

static void
report_constraint(
    struct report *r, const struct conf_ca *conf, const char *which, const struct constraint *k)
{
	report(r, FINDING_OK, conf->name, "the %s certificate %s %s:%s: scepd keeps to it", which,
	    k->excluded ? "excludes" : "permits", constraint_form_name(k->form), k->text);
}

/* Names that a profile would let through and no constraint of their form ever fits. */
static void
check_profile_names(struct report *r, const struct conf_ca *conf, const struct profile *p,
    const char *which, bool uri, bool upn)
{
	if (uri && p->san_types & (1u << SAN_URI))
		report(r, FINDING_WARN, conf->name,
		    "profile %s takes URIs, and the %s certificate constrains them: Intune's "
		    "(tag:microsoft.com,2022-09-14:sid:...) will be refused",
		    p->name, which);
	if (upn && p->san_types & (1u << SAN_UPN))
		report(r, FINDING_WARN, conf->name,
		    "profile %s takes user principal names, and the %s certificate constrains "
		    "them, which OpenSSL cannot process: requests with one will be refused",
		    p->name, which);
}

static bool
has_form(const struct constraints *l, enum constraint_form form)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->v[i].form == form)
			return true;
	}
	return false;
}

static void
check_ra_names(struct report *r, const struct conf_ca *conf, const struct ca *ca)
{
	const struct cert *ra = ca_ra_cert0(ca);
	struct err err = { 0 };

	if (ca_names_allowed(ca, cert_subject0(ra), cert_san0(ra), &err) != RC_OK)
		report(r, FINDING_WARN, conf->name,
		    "the RA certificate breaks the CA's name constraints, so that clients which "
		    "look "
		    "refuse it (%s)",
		    err.msg);
}

/* ---- all of it ---- */

static void
check_one(struct report *r, const struct config *c, const struct conf_ca *conf, const struct ca *ca,
    size_t i)
{
	const struct conf_endpoint *e = c->endpoints.v;
	struct constraints l = { 0 };
	size_t k;

	if (cert_constraints(&l, cert_at(ca, i), NULL) != RC_OK)
		return; /* ca_open() has read it */
	check_eku(r, conf, ca, i);
	for (k = 0; k < l.n; k++)
		report_constraint(r, conf, called(ca, i), &l.v[k]);
	for (k = 0; k < c->endpoints.n; k++) {
		const char *names[CONF_ENDPOINT_PROFILES];
		size_t n = config_endpoint_profiles(names, &e[k]);

		for (size_t j = 0; j < n && strcmp(e[k].ca, conf->name) == 0; j++) {
			const struct profile *p = config_profile(c, names[j]);

			check_profile_eku(r, conf, ca, i, p);
			check_profile_names(r, conf, p, called(ca, i), has_form(&l, CONSTRAINT_URI),
			    has_form(&l, CONSTRAINT_UPN));
		}
	}
	constraints_done(&l);
}

void
check_ca_limits(
    struct report *r, const struct config *c, const struct conf_ca *conf, const struct ca *ca)
{
	size_t i;

	for (i = 0; i <= ca_chain_len(ca); i++)
		check_one(r, c, conf, ca, i);
	check_ra_names(r, conf, ca);
}
